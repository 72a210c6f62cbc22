"""The drug table: every code of the editions read, with what its descriptor says and what a person decided.

A code has one row while what we read out of its descriptor stays the same, and a further row from the day on
which it reads otherwise. Old wording is known only from old editions: the day of a change is the record's
action date when that lies in the code's life, else the first day of the edition that shows it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

import attrs

from .amounts import dosage, plain
from .asp import Quarter
from .descriptor import Reading, parse
from .hcpcs import Edition, Entry
from .inputs import Inputs, Lint, Reviewed

COLUMNS = (
    "code",
    "ingredient",
    "qualifier",
    "specific",
    "form",
    "routes",
    "kind",
    "size",
    "unit",
    "basis",
    "components",
    "equivalents",
    "above",
    "through",
    "refuses",
    "effective",
    "ends",
    "source",
    "cite",
    "confidence",
    "verified",
)
_FACTS = COLUMNS[1:15]
_ONE_DAY = dt.timedelta(days=1)
_ORDER = {"high": 2, "medium": 1, "low": 0}
_ACTIVITY = {"unit", "IU", "USP unit"}
_BIOLOGICAL = re.compile(
    r"globulin|factor v|factor i?x|factor xi|thrombin|interferon|toxin|-[a-z]{4}\b(?<!-beta)|mab\b|cept\b"
    r"|leucel"
    r"|vec\b|temcel|antiven|immune f|albumin|plasm|fibrin|aspargase|asparaginase|collagenase|poetin|grastim"
    r"|ramostim|teplase|kinase|hyaluronidase|bcg|fab\b|alfa\b|alfa-|beta\b"
)
Row = dict[str, str]


def make(inputs: Inputs) -> tuple[list[Row], list[Lint]]:
    """All rows of drugs.csv, sorted, and what a person should look at."""
    lint: list[Lint] = []
    dosages = dosages_by_code(inputs)
    newest = inputs.editions[-1]
    words: dict[str, list[tuple[Edition, Entry]]] = {}
    for edition in inputs.editions:
        for code, entry in edition.entries.items():
            words.setdefault(code, []).append((edition, entry))
    rows: list[Row] = []
    for code, texts in words.items():
        scope = inputs.scope_of(code)
        if scope is None or not scope.drug:
            if scope is None:
                lint.extend(_outside(code, texts[-1][1]))
            continue
        rows.extend(_rows_of(inputs, code, texts, dosages.get(code, Counter()), lint))
        if newest.entries.get(code) is None:
            lint.append(Lint("vanished", code, f"is in {texts[-1][0].title} but not in {newest.title}."))
    rows.extend(_numbers(inputs, dosages, lint))
    return sorted(rows, key=lambda row: (row["code"], row["effective"])), lint


def dosages_by_code(inputs: Inputs) -> dict[str, Counter[str]]:
    """How often CMS prints each dosage for each code, the newest quarter that has the code."""
    found: dict[str, Counter[str]] = {}
    for quarter in (*reversed(inputs.crosswalks), *reversed(inputs.limits)):
        here: dict[str, Counter[str]] = {}
        for code, words in _printed(quarter):
            here.setdefault(code, Counter())[words] += 1
        for code, counts in here.items():
            found.setdefault(code, counts)
    return found


def _printed(quarter: Quarter) -> Iterable[tuple[str, str]]:
    """Code and dosage of every row of a quarter's file, of either kind."""
    yield from ((row.code, row.dosage) for row in quarter.crosswalk)
    yield from ((row.code, row.dosage) for row in quarter.limits)


def _outside(code: str, entry: Entry) -> list[Lint]:
    """A code in no range of scope.csv whose words look like a drug's: a person must decide."""
    drug_words = re.match(r"(injection|inj,|infusion,|instillation)", entry.long.lower())
    if drug_words and not parse(entry.long).refuses:
        return [Lint("outside", code, f"reads like a drug but is in no range of scope.csv: {entry.short}.")]
    return []


def _rows_of(
    inputs: Inputs, code: str, texts: list[tuple[Edition, Entry]], printed: Counter[str], lint: list[Lint]
) -> list[Row]:
    last_entry = texts[-1][1]
    reviewed = inputs.reviewed_of(code)
    versions: list[tuple[dt.date, Edition, Row]] = []
    for edition, entry in texts:
        row = _facts(inputs, code, entry.long, reviewed, printed)
        if versions and all(row[name] == versions[-1][2][name] for name in _FACTS):
            versions[-1] = (versions[-1][0], edition, row)
            continue
        starts = entry.added if not versions else _change_day(edition, entry, versions[-1][0])
        versions.append((starts, edition, row))
    reading = parse(last_entry.long, (), _one_name(inputs, code))
    if reading.left_over and not reviewed:
        unknown = ", ".join(reading.left_over)
        lint.append(Lint("words", code, f"unknown words {unknown!r} are taken for a qualifier."))
    return _dated(code, versions, last_entry, reviewed, lint)


def _one_name(inputs: Inputs, code: str) -> bool:
    scope = inputs.scope_of(code)
    return scope is not None and scope.kind in ("skin-substitute", "radiopharmaceutical")


def _change_day(edition: Edition, entry: Entry, before: dt.date) -> dt.date:
    """When the wording that this edition is the first to show took effect."""
    day = entry.acted if entry.acted and before < entry.acted <= edition.first_day else edition.first_day
    if entry.ended is not None and day > entry.ended:
        return entry.ended  # changed while it lived, nobody printed when: it holds for its last day at least
    return day


def _dated(
    code: str,
    versions: list[tuple[dt.date, Edition, Row]],
    entry: Entry,
    reviewed: dict[str, Reviewed],
    lint: list[Lint],
) -> list[Row]:
    levels = [row.confidence for row in reviewed.values()]
    made = []
    for i, (starts, edition, row) in enumerate(versions):
        following = versions[i + 1][0] - _ONE_DAY if i + 1 < len(versions) else entry.ended
        unsure = len(versions) > 1 and entry.ended is not None and versions[-1][0] == entry.ended
        level = "low" if unsure else min(levels, key=_ORDER.__getitem__, default="high")
        made.append(
            row
            | {
                "code": code,
                "effective": starts.isoformat(),
                "source": edition.id,
                "cite": code,
                "ends": following.isoformat() if following else "",
                "confidence": level,
            }
        )
    for before, after in pairwise(made):
        changed = [name for name in ("size", "unit", "basis", "components") if before[name] != after[name]]
        if changed:
            was, now = _unit_words(before), _unit_words(after)
            says = f"{was} until {before['ends']}, {now} from {after['effective']}."
            lint.append(Lint("changed", code, says))
    return made


def _unit_words(row: Row) -> str:
    return " ".join(part for part in (row["basis"], row["size"], row["unit"], row["components"]) if part)


def _facts(inputs: Inputs, code: str, descriptor: str, reviewed: dict[str, Reviewed], printed: Counter[str]) -> Row:
    """The facts of one wording: read, then what CMS's dosage adds, then what a person decided."""
    scope = inputs.scope_of(code)
    if scope is None:
        raise LookupError(code)
    reading = parse(descriptor, scope.routes, _one_name(inputs, code))
    reading = attrs.evolve(reading, equivalents=_with_printed(reading, printed))
    row = _row(reading, _kind(scope.kind, reading))
    row |= {field: decided.value for field, decided in reviewed.items() if field in _FACTS}
    return _consistent(row)


def _with_printed(reading: Reading, printed: Counter[str]) -> tuple[tuple[Decimal, str], ...]:
    """The descriptor's equivalents, and the other name that CMS's dosage has for the same unit."""
    known = list(reading.equivalents)
    for words in sorted(printed):
        amount = dosage(words)
        if amount is None or reading.size is None or amount[1] == reading.unit:
            continue
        same_kind = {amount[1], reading.unit} <= _ACTIVITY and amount[0] == reading.size
        if (same_kind or amount[1] == "each") and amount not in known:
            known.append(amount)
    return tuple(known)


def _row(reading: Reading, kind: str) -> Row:
    return {
        "ingredient": reading.ingredient,
        "qualifier": "; ".join(reading.qualifier),
        "specific": "yes" if reading.specific else "no",
        "form": ", ".join(reading.form),
        "routes": "|".join(reading.routes),
        "kind": kind,
        "size": plain(reading.size) if reading.size is not None else "",
        "unit": reading.unit,
        "basis": reading.basis,
        "components": "|".join(f"{name}={plain(size)} {unit}" for name, size, unit in reading.components),
        "equivalents": "|".join(f"{plain(size)} {unit}" for size, unit in reading.equivalents),
        "above": plain(reading.above) if reading.above is not None else "",
        "through": plain(reading.through) if reading.through is not None else "",
        "refuses": reading.refuses,
    }


def _consistent(row: Row) -> Row:
    """A refused row keeps no unit: it has a reason instead."""
    if row["refuses"]:
        row |= dict.fromkeys(("size", "unit", "basis", "components", "equivalents", "above", "through"), "")
    return row


def _kind(kind: str, reading: Reading) -> str:
    if kind != "drug":
        return kind
    if "vaccine" in reading.ingredient:
        return "vaccine"
    return "biological" if _BIOLOGICAL.search(reading.ingredient) else "drug"


# ---- codes that are numbers -----------------------------------------------------------------------


def _numbers(inputs: Inputs, dosages: dict[str, Counter[str]], lint: list[Lint]) -> list[Row]:
    """Numeric codes: the number, CMS's dosage, and a label of our own; nothing of the AMA's wording."""
    by_hand = {row.code for row in inputs.reviewed if row.code[0].isdigit()}
    rows = []
    for code in sorted(by_hand | {code for code in dosages if code[0].isdigit()}):
        reviewed = inputs.reviewed_of(code)
        printed = dosages.get(code, Counter())
        row = dict.fromkeys(_FACTS, "") | {"specific": "no", "basis": "per", "kind": "vaccine"}
        row |= _number_unit(code, printed, lint)
        row |= {field: decided.value for field, decided in reviewed.items() if field in _FACTS}
        measured = row["unit"] not in ("dose", "")
        if row["kind"] == "vaccine" and measured and "1 dose" not in row["equivalents"]:
            row["equivalents"] = "|".join(filter(None, (row["equivalents"], "1 dose")))
        if not row["ingredient"]:
            row["ingredient"] = f"product of code {code}"
            says = "is priced but has no label of ours yet: add rows to reviewed.csv."
            lint.append(Lint("label", code, says))
        if row["size"]:
            row["refuses"] = ""
        rows.append(_consistent(row) | _number_tail(inputs, code, reviewed, bool(printed)))
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


def _number_tail(inputs: Inputs, code: str, reviewed: dict[str, Reviewed], priced: bool) -> Row:
    files = (*inputs.crosswalks, *inputs.limits)
    seen = [q for q in files if any(found == code for found, _words in _printed(q))]
    starts = min((q.first_day for q in seen), default=inputs.on)
    if "effective" in reviewed:
        starts = min(starts, dt.date.fromisoformat(reviewed["effective"].value))
    newest = max(seen, key=lambda q: (q.first_day, q.kind == "asp-xwalk"), default=None)
    levels = [row.confidence for row in reviewed.values()]
    return {
        "code": code,
        "effective": starts.isoformat(),
        "ends": "",
        "source": newest.id if newest else "own-review",
        "cite": f"{code}, dosage" if priced else f"{code}, reviewed by hand",
        "confidence": min(levels, key=_ORDER.__getitem__, default="medium"),
    }
