"""What may have come after a code that ended: candidates with their evidence, for a person to judge.

HCPCS prints no successors. Two things speak for one: products that keep their number and change code between
two quarters, and a code of the same substance that begins on the day after. Neither proves it, so nothing is
written: the lint lists ended codes that have candidates and no row in successors.csv.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise

import attrs

from jcodeunits.facts.drug_rows import Drug, Successor

from .family import facts
from .findings import Lint
from .statements import Kept

_SUFFIX = re.compile(r"-[a-z]{4}\b")


@attrs.frozen
class Candidate:
    """A code that may succeed another: `evidence` is `ndc` or `descriptor`."""

    code: str
    successor: str
    evidence: str
    ndcs_moved: int


def candidates(
    kept: Kept, days: Mapping[str, dt.date], drugs: Iterable[Drug], salts: frozenset[str]
) -> list[Candidate]:
    """Candidates for every ended code, those with moved products first."""
    rows = list(drugs)
    moved = moves(kept, days)
    found: dict[tuple[str, str], Candidate] = {}
    by_name: dict[str, list[Drug]] = defaultdict(list)
    for row in rows:
        by_name[substance(row.ingredient, salts)].append(row)
    lives = {row.code: row.ends for row in rows}
    for row in rows:
        if row.ends is None or lives[row.code] != row.ends:
            continue
        after = row.ends + dt.timedelta(days=1)
        for (old, new), count in moved.items():
            if old == row.code:
                found[old, new] = Candidate(old, new, "ndc", count)
        for other in by_name[substance(row.ingredient, salts)]:
            if other.code != row.code and other.effective == after:
                key = (row.code, other.code)
                found.setdefault(key, Candidate(*key, "descriptor", 0))
    return [found[key] for key in sorted(found)]


def moves(kept: Kept, days: Mapping[str, dt.date]) -> Counter[tuple[str, str]]:
    """How many products left one code and came under another between two quarters that follow each other."""
    counted: Counter[tuple[str, str]] = Counter()
    quarters = kept.by_edition("asp-xwalk")
    ordered = [codes_by_ndc(quarters[name]) for name in sorted(quarters, key=lambda name: days[f"asp-xwalk-{name}"])]
    for old, new in pairwise(ordered):
        for number in old.keys() & new.keys():
            for left in old[number] - new[number]:
                for came in new[number] - old[number]:
                    counted[left, came] += 1
    return counted


def codes_by_ndc(statements: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The codes of each NDC in one quarter."""
    made: dict[str, set[str]] = defaultdict(set)
    for number, told in statements:
        made[number].add(facts(told)["code"])
    return made


def substance(ingredient: str, salts: frozenset[str]) -> str:
    """A name without salt words and four-letter suffixes, so that C and J codes of one drug meet.

    >>> substance("naloxone hydrochloride", frozenset({"hydrochloride"}))
    'naloxone'
    >>> substance("fremanezumab-vfrm", frozenset())
    'fremanezumab'
    """
    found = re.findall(r"[a-z0-9()']+", _SUFFIX.sub("", ingredient.lower()))
    return " ".join(word for i, word in enumerate(found) if i == 0 or word not in salts)


def successor_lint(found: Iterable[Candidate], known: Iterable[Successor]) -> list[Lint]:
    """Ended codes that have candidates but no successor yet."""
    settled = {row.code for row in known}
    lint = []
    for item in found:
        if item.code not in settled:
            moved = f"{item.ndcs_moved} products moved"
            why = moved if item.evidence == "ndc" else "same substance, next day"
            lint.append(Lint("successor", item.code, f"may be followed by {item.successor}: {why}."))
    return lint
