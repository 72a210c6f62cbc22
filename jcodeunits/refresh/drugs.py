"""Derives the drug table: every code of the editions read, with what its descriptor says and what a person decided.

A code has one row while what we read out of its descriptor stays the same, and a further row from the day on
which it reads otherwise. Old wording is known only from old editions: the day of a change is the record's
action date when that lies in the code's life, else the first day of the edition that shows it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

import attrs

from jcodeunits.facts.drug_rows import Drug
from jcodeunits.tables import ALWAYS, header

from .amounts import dosage, plain
from .byhand import DRUG_FACTS, ByHand, Reviewed
from .dating import Days
from .family import Row, facts
from .findings import Lint
from .statements import Kept

COLUMNS = tuple(header(Drug))
_ONE_DAY = dt.timedelta(days=1)
_ORDER = {"high": 2, "medium": 1, "low": 0}
_ACTIVITY = {"unit", "IU", "USP unit"}
_BIOLOGICAL = re.compile(
    r"globulin|factor v|factor i?x|factor xi|thrombin|interferon|toxin|-[a-z]{4}\b(?<!-beta)|mab\b|cept\b"
    r"|leucel"
    r"|vec\b|temcel|antiven|immune f|albumin|plasm|fibrin|aspargase|asparaginase|collagenase|poetin|grastim"
    r"|ramostim|teplase|kinase|hyaluronidase|bcg|fab\b|alfa\b|alfa-|beta\b"
)
Dosages = Mapping[str, Mapping[str, Counter[str]]]  # source -> code -> dosage as printed -> how often


@attrs.frozen
class CodeWords:
    """What one edition says of a code."""

    source: str
    first_day: dt.date
    added: dt.date
    acted: dt.date | None
    ended: dt.date | None
    facts: Mapping[str, str]


def make(kept: Kept, printed: Dosages, days: Days, byhand: ByHand) -> tuple[list[Row], list[Lint]]:
    """All rows of drugs.csv, sorted, and the lint, from what HCPCS editions say (`kept`) and the dosages `printed`."""
    lint: list[Lint] = []
    by_code = newest_dosages(printed, days)
    whole = sorted(days[f"hcpcs-{name}"] for name in kept.by_edition("hcpcs"))
    words: dict[str, list[CodeWords]] = {}
    editions = kept.by_source("hcpcs", "hcpcs-rows")
    for source, statements in sorted(editions.items(), key=lambda pair: (days[pair[0]], pair[0])):
        for code, told in statements:
            words.setdefault(code, []).append(_words(source, days[source], told))
    rows: list[Row] = []
    for code, texts in words.items():
        scope = byhand.scope_of(code)
        if scope is None or not scope.drug:
            continue
        after = next((day for day in whole if day > texts[-1].first_day), None)
        if after is not None and texts[-1].ended is None:
            lint.append(Lint("vanished", code, f"is in {texts[-1].source} but not in the edition of {after}."))
            texts[-1] = attrs.evolve(texts[-1], ended=max(after - _ONE_DAY, texts[-1].added))
        rows.extend(_rows_of(byhand, code, texts, by_code.get(code, Counter()), lint))
    rows.extend(_numbers(byhand, printed, days, lint))
    for row in rows:
        day = days.get(row["source"])
        row["verified"] = (
            day.isoformat() if day else max(r.verified for r in byhand.reviewed[row["code"]].values()).isoformat()
        )
    return sorted(rows, key=lambda row: (row["code"], row["effective"])), lint


def _words(source: str, first_day: dt.date, told: str) -> CodeWords:
    said = facts(told)
    added, acted, ended = (
        dt.date.fromisoformat(said[name]) if name in said else None for name in ("added", "acted", "ended")
    )
    assert added is not None
    return CodeWords(source, first_day, added, acted, ended, {name: said.get(name, "") for name in DRUG_FACTS})


def newest_dosages(printed: Dosages, days: Days) -> dict[str, Counter[str]]:
    """How often CMS prints each dosage for each code, the newest crosswalk that has the code, else limits."""
    found: dict[str, Counter[str]] = {}
    for source in sorted(printed, key=lambda source: (source.startswith("asp-xwalk"), days[source]), reverse=True):
        for code, counts in printed[source].items():
            found.setdefault(code, counts)
    return found


def _rows_of(byhand: ByHand, code: str, texts: list[CodeWords], printed: Counter[str], lint: list[Lint]) -> list[Row]:
    reviewed = byhand.reviewed.get(code, {})
    versions: list[tuple[dt.date, CodeWords, Row]] = []
    for words in texts:
        row = _facts(byhand, code, words, reviewed, printed)
        if versions and all(row[name] == versions[-1][2][name] for name in DRUG_FACTS):
            versions[-1] = (versions[-1][0], words, row)
            continue
        starts = words.added if not versions else _change_day(words, versions[-1][0])
        versions.append((starts, words, row))
    return _dated(code, versions, texts[-1], reviewed, lint)


def _change_day(words: CodeWords, before: dt.date) -> dt.date:
    """When the wording that this edition is the first to show took effect."""
    day = words.acted if words.acted and before < words.acted <= words.first_day else words.first_day
    if words.ended is not None and day > words.ended:
        return words.ended  # changed while it lived, nobody printed when: it holds for its last day at least
    return day


def _dated(
    code: str,
    versions: list[tuple[dt.date, CodeWords, Row]],
    entry: CodeWords,
    reviewed: Mapping[str, Reviewed],
    lint: list[Lint],
) -> list[Row]:
    levels = [row.confidence for row in reviewed.values()]
    made = []
    for i, (starts, words, row) in enumerate(versions):
        following = versions[i + 1][0] - _ONE_DAY if i + 1 < len(versions) else entry.ended
        unsure = len(versions) > 1 and entry.ended is not None and versions[-1][0] == entry.ended
        level = "low" if unsure else min(levels, key=_ORDER.__getitem__, default="high")
        made.append(
            row
            | {
                "code": code,
                "effective": starts.isoformat(),
                "source": words.source,
                "cite": code,
                "ends": following.isoformat() if following else "",
                "confidence": level,
            }
        )
    for before, after in pairwise(made):
        changed = [name for name in ("size", "unit", "basis", "components") if before[name] != after[name]]
        if changed:
            was, now = unit_words(before), unit_words(after)
            says = f"{was} until {before['ends']}, {now} from {after['effective']}."
            lint.append(Lint("changed", code, says))
    return made


def unit_words(row: Mapping[str, str]) -> str:
    """What a row counts, as the tables write it; empty where it has no unit."""
    return " ".join(part for part in (row["basis"], row["size"], row["unit"], row["components"]) if part)


def _facts(byhand: ByHand, code: str, words: CodeWords, reviewed: Mapping[str, Reviewed], printed: Counter[str]) -> Row:
    """The facts of one wording: read, then what CMS's dosage adds, then what a person decided."""
    scope = byhand.scope_of(code)
    if scope is None:
        raise LookupError(code)
    row = dict(words.facts) | {"kind": _kind(scope.kind, words.facts["ingredient"])}
    row["equivalents"] = _with_printed(row, printed)
    row |= {field: decided.value for field, decided in reviewed.items() if field in DRUG_FACTS}
    return _consistent(row)


def _with_printed(row: Row, printed: Counter[str]) -> str:
    """The descriptor's equivalents, and the other name that CMS's dosage has for the same unit."""
    known = row["equivalents"].split("|") if row["equivalents"] else []
    for words in sorted(printed):
        amount = dosage(words)
        if amount is None or not row["size"] or amount[1] == row["unit"]:
            continue
        same_kind = {amount[1], row["unit"]} <= _ACTIVITY and amount[0] == Decimal(row["size"])
        text = f"{plain(amount[0])} {amount[1]}"
        if (same_kind or amount[1] == "each") and text not in known:
            known.append(text)
    return "|".join(known)


def _consistent(row: Row) -> Row:
    """A refused row keeps no unit: it has a reason instead."""
    if row["refuses"]:
        row |= dict.fromkeys(("size", "unit", "basis", "components", "equivalents", "above", "through"), "")
    return row


def _kind(kind: str, ingredient: str) -> str:
    if kind != "drug":
        return kind
    if "vaccine" in ingredient:
        return "vaccine"
    return "biological" if _BIOLOGICAL.search(ingredient) else "drug"


def _numbers(byhand: ByHand, printed_by: Dosages, days: Days, lint: list[Lint]) -> list[Row]:
    """Numeric codes: the number, CMS's dosage, and a label of our own; nothing of the AMA's wording."""
    dosages = newest_dosages(printed_by, days)
    by_hand = {code for code in byhand.reviewed if code[0].isdigit()}
    rows = []
    for code in sorted(by_hand | {code for code in dosages if code[0].isdigit()}):
        reviewed = byhand.reviewed.get(code, {})
        printed = dosages.get(code, Counter())
        row = dict.fromkeys(DRUG_FACTS, "") | {"specific": "no", "basis": "per", "kind": "vaccine"}
        row |= _number_unit(code, printed, lint)
        row |= {field: decided.value for field, decided in reviewed.items() if field in DRUG_FACTS}
        measured = row["unit"] not in ("dose", "")
        if row["kind"] == "vaccine" and measured and "1 dose" not in row["equivalents"]:
            row["equivalents"] = "|".join(filter(None, (row["equivalents"], "1 dose")))
        if not row["ingredient"]:
            row["ingredient"] = f"product of code {code}"
            says = "is priced but has no label of ours yet: add rows to reviewed.csv."
            lint.append(Lint("label", code, says))
        if row["size"]:
            row["refuses"] = ""
        rows.append(_consistent(row) | _number_tail(code, reviewed, printed_by, days))
    return rows


def _number_unit(code: str, printed: Counter[str], lint: list[Lint]) -> Row:
    read = [(dosage(words), count) for words, count in sorted(printed.items())]
    plain_amounts = [(amount, count) for amount, count in read if amount is not None]
    if not plain_amounts:
        return {"refuses": "no-amount"}
    first = max(plain_amounts, key=lambda pair: pair[1])[0]
    others = [amount for amount, _count in plain_amounts if amount != first]
    for number, unit in others:
        if unit == first[1]:
            says = f"CMS prints both {plain(first[0])} and {plain(number)} {unit} for it."
            lint.append(Lint("dosage", code, says))
    equivalents = "|".join(f"{plain(number)} {unit}" for number, unit in others if unit != first[1])
    basis = "each" if first[1] in ("each", "dose") else "per"
    return {"size": plain(first[0]), "unit": first[1], "basis": basis, "equivalents": equivalents}


def _number_tail(code: str, reviewed: Mapping[str, Reviewed], printed: Dosages, days: Days) -> Row:
    seen = [source for source, codes in printed.items() if code in codes]
    starts = min((days[source] for source in seen), default=None)
    if "effective" in reviewed:
        decided = dt.date.fromisoformat(reviewed["effective"].value)
        starts = min(starts, decided) if starts is not None else decided
    newest = max(seen, key=lambda source: (days[source], source.startswith("asp-xwalk")), default=None)
    levels = [row.confidence for row in reviewed.values()]
    return {
        "code": code,
        "effective": starts.isoformat() if starts is not None else ALWAYS,
        "ends": "",
        "source": newest or "own-review",
        "cite": f"{code}, dosage" if newest else f"{code}, reviewed by hand",
        "confidence": min(levels, key=_ORDER.__getitem__, default="medium"),
    }
