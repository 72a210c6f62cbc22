"""What came after a code that ended: as far as a file proves it a row, else candidates for a person to judge.

Two files prove it: the code set, where the ended code's record refers to a code in effect on the day after; and the
crosswalk, where products keep their number and change from the ended code to one of the same substance in effect on
the day after, between the quarters around its end. A code of the same substance that begins on the day after is only
a candidate: the lint lists ended codes with candidates and without a row. What a person settled is not touched.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

import attrs

from jcodeunits.facts.drug_rows import Drug
from jcodeunits.grouped import grouped

from .dating import Days
from .family import Row, facts
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


def candidates(kept: Kept, days: Days, drugs: Iterable[Drug], salts: frozenset[str]) -> list[Candidate]:
    """Candidates for every ended code, those with moved products first."""
    rows = list(drugs)
    moved = moves(kept, days)
    found: dict[tuple[str, str], Candidate] = {}
    by_name = grouped(rows, lambda row: substance(row.ingredient, salts))
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


def rows(
    codes: Kept, kept: Kept, days: Days, drugs: Iterable[Drug], settled: Collection[str], salts: frozenset[str]
) -> list[Row]:
    """The rows that the code set (`codes`) and the crosswalks (`kept`) prove, of codes that nobody has `settled`.

    Products that moved to another substance prove nothing: they may have stood under a wrong code.
    """
    lives = grouped(drugs, lambda row: row.code)
    ended = {code: end for code, its in lives.items() if code not in settled and (end := its[-1].ends) is not None}
    refers, moved = _references(codes, days), _moved(ended, kept, days)
    made: list[Row] = []
    for code, end in sorted(ended.items()):
        after = end + dt.timedelta(days=1)
        source, named = refers.get(code, ("", ()))
        found = {other: _row(code, other, "cross-reference", "", after, source, days) for other in named}
        names = {substance(row.ingredient, salts).split(" ")[0] for row in lives[code]}
        for other, (count, quarter) in moved.get(code, {}).items():
            if not names & {substance(row.ingredient, salts).split(" ")[0] for row in lives.get(other, ())}:
                continue
            found.setdefault(other, _row(code, other, "crosswalk", str(count), after, quarter, days))
        made += [
            row for other, row in sorted(found.items()) if any(r.period.holds(after) for r in lives.get(other, ()))
        ]
    return made


def _row(code: str, successor: str, evidence: str, moved: str, after: dt.date, source: str, days: Days) -> Row:
    return {
        "code": code,
        "successor": successor,
        "condition": "",
        "evidence": evidence,
        "ndcs_moved": moved,
        "effective": after.isoformat(),
        "ends": "",
        "source": source,
        "cite": f"{code}, {moved} NDCs moved" if moved else f"{code}, {successor}",
        "confidence": "high",
        "verified": days[source].isoformat(),
    }


def _references(codes: Kept, days: Days) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The newest edition that refers from a code to others, and to which."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    editions = codes.by_source("hcpcs", "hcpcs-rows")
    for source, statements in sorted(editions.items(), key=lambda pair: (days[pair[0]], pair[0])):
        for code, told in statements:
            if named := facts(told).get("refers", ""):
                found[code] = source, tuple(named.split(","))
    return found


def _moved(ended: Mapping[str, dt.date], kept: Kept, days: Days) -> dict[str, dict[str, tuple[int, str]]]:
    """For each ended code those to which its products moved between the quarters around its end: how many, where."""
    found: dict[str, dict[str, tuple[int, str]]] = defaultdict(dict)
    for (before, old), (quarter, new) in pairwise(_quarters(kept, days)):
        counted: Counter[tuple[str, str]] = Counter()
        for number in old.keys() & new.keys():
            came = new[number] - old[number]
            if len(came) == 1:
                counted.update((code, next(iter(came))) for code in old[number] - new[number])
        for (code, other), count in counted.items():
            if code in ended and days[before] <= ended[code] < days[quarter]:
                found[code][other] = count, quarter
    return found


def moves(kept: Kept, days: Days) -> Counter[tuple[str, str]]:
    """How many products left one code and came under another between two quarters that follow each other."""
    counted: Counter[tuple[str, str]] = Counter()
    for (_, old), (_, new) in pairwise(_quarters(kept, days)):
        for number in old.keys() & new.keys():
            for left in old[number] - new[number]:
                for came in new[number] - old[number]:
                    counted[left, came] += 1
    return counted


def _quarters(kept: Kept, days: Days) -> list[tuple[str, dict[str, set[str]]]]:
    """The crosswalks by source id with the codes of each NDC, the oldest first."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for quarter, statements in kept.by_source("asp-xwalk").items():
        for number, told in statements:
            found[quarter][number].add(facts(told)["code"])
    return sorted(found.items(), key=lambda pair: days[pair[0]])


def substance(ingredient: str, salts: frozenset[str]) -> str:
    """A name without salt words and four-letter suffixes, so that C and J codes of one drug meet.

    >>> substance("naloxone hydrochloride", frozenset({"hydrochloride"}))
    'naloxone'
    >>> substance("fremanezumab-vfrm", frozenset())
    'fremanezumab'
    """
    found = re.findall(r"[a-z0-9()']+", _SUFFIX.sub("", ingredient.lower()))
    return " ".join(word for i, word in enumerate(found) if i == 0 or word not in salts)


def successor_lint(found: Iterable[Candidate], settled: Collection[str]) -> list[Lint]:
    """Ended codes that have candidates but no successor yet."""
    lint = []
    for item in found:
        if item.code not in settled:
            moved = f"{item.ndcs_moved} products moved"
            why = moved if item.evidence == "ndc" else "same substance, next day"
            lint.append(Lint("successor", item.code, f"may be followed by {item.successor}: {why}."))
    return lint
