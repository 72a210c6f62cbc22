"""What does not fit: between CMS's files, inside one of them, and since the edition before.

Nothing here changes a table. A finding that a person has settled stands in a reviewed table and is not
reported again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import ClassVar

import attrs

from jcodeunits import ndc, units
from jcodeunits.errors import IdentifierError, UnitMismatch
from jcodeunits.facts.drug_rows import REFUSALS, Drug, Successor
from jcodeunits.tables import Dated, column, columns_last, text, words

from . import asp, crosswalk
from .amounts import dosage
from .inputs import Inputs, Lint


@attrs.frozen(field_transformer=columns_last)
class Disagreement(Dated):
    """A dosage of CMS that differs from our billing unit, and why ours stays."""

    TABLE: ClassVar[str] = "disagreements"
    KEY: ClassVar[tuple[str, ...]] = ("code", "cms_dosage")

    code: str = column(text)
    cms_dosage: str = column(text)
    quarters: tuple[str, ...] = column(words)
    ours: str = column(text)
    reason: str = column(text)


def printed_dosages(inputs: Inputs) -> list[tuple[str, str, asp.Quarter]]:
    """Every code, dosage and quarter of the crosswalks, each triple once, in order."""
    found: dict[tuple[str, str, str], asp.Quarter] = {}
    for quarter in inputs.crosswalks:
        for row in quarter.crosswalk:
            found.setdefault((row.code, row.dosage, quarter.name), quarter)
    return [(code, words, quarter) for (code, words, _name), quarter in sorted(found.items())]


def agrees(row: Drug, printed: str) -> bool | None:
    """Whether a plain dosage of CMS is our billing unit; None where it is no plain amount."""
    amount = dosage(printed)
    if amount is None:
        return None
    if row.refuses or row.basis == "band":
        return False
    number, unit = Fraction(amount[0]), amount[1]
    ours = [(row.size, row.unit)] if row.size is not None else []
    return any(_same(number, unit, size, name) for size, name in [*ours, *row.equivalents] if size is not None)


def _same(number: Fraction, unit: str, size: Fraction, ours: str) -> bool:
    if units.is_activity(unit) and units.is_activity(ours):
        return number == size
    try:
        return number * units.factor(unit, ours) == size
    except UnitMismatch:
        return False


def dosage_lint(inputs: Inputs, drugs: Iterable[Drug], settled: Iterable[Disagreement]) -> list[Lint]:
    """Dosages that differ from our billing units and stand in no reviewed row."""
    known = {(row.code, row.cms_dosage) for row in settled}
    rows: dict[str, list[Drug]] = {}
    for drug in drugs:
        rows.setdefault(drug.code, []).append(drug)
    lint = []
    for code, printed, quarter in printed_dosages(inputs):
        row = next((r for r in rows.get(code, ()) if r.period.holds(quarter.first_day)), None)
        place = f"{code}, {quarter.name}"
        if (code, printed) in known:
            continue
        if row is None:
            says = "CMS prices a code that is not in the catalog on that day."
            lint.append(Lint("priced", place, says))
        elif agrees(row, printed) is False:
            ours = row.billing_unit if not row.refuses else REFUSALS[row.refuses]
            lint.append(Lint("dosage", place, f"CMS prints {printed!r}, the descriptor says {ours}."))
    return lint


def crosswalk_lint(inputs: Inputs) -> list[Lint]:
    """Rows that contradict themselves, and ids that are no NDC, counted for each quarter."""
    lint = []
    for quarter in inputs.crosswalks:
        no_ndc = [row for row in quarter.crosswalk if not _is_ndc(row.ndc)]
        if no_ndc:
            first = ", ".join(dict.fromkeys(f"{row.code} {row.ndc}" for row in no_ndc[:3]))
            says = f"{len(no_ndc)} ids are no NDC, for example {first}."
            lint.append(Lint("ndc", f"crosswalk {quarter.name}", says))
        for row in quarter.crosswalk:
            says = _contradiction(row)
            if says:
                lint.append(Lint("contradicts", f"crosswalk {quarter.name}, line {row.line}", says))
    return lint


def _is_ndc(text: str) -> bool:
    try:
        ndc.compact(text)
    except IdentifierError:
        return False
    return True


def _contradiction(row: asp.CrosswalkRow) -> str:
    """Units of a container times containers must be the units of the package, or that rounded up."""
    numbers = (row.billunits, row.package_quantity, row.billunits_package)
    try:
        each, count, whole = (Fraction(cell.replace(",", "")) for cell in numbers)
    except (ValueError, ZeroDivisionError):
        return f"{row.code} {row.ndc}: an amount is no number."
    if each <= 0 or count <= 0:
        return f"{row.code} {row.ndc}: an amount is not above zero."
    says = crosswalk.contradiction(each, count, whole)
    return f"{row.code} {row.ndc}: {says}." if says else ""


def edition_lint(inputs: Inputs) -> list[Lint]:
    """Codes of the scope that appeared, ended or were reworded between the two newest editions."""
    if len(inputs.editions) < 2:
        return []
    before, after = inputs.editions[-2:]
    lint = []
    for code, entry in sorted(after.entries.items()):
        scope = inputs.scope_of(code)
        if scope is None or not scope.drug:
            continue
        old = before.entries.get(code)
        if old is None:
            lint.append(Lint("new", code, f"added {entry.added}: {entry.short}."))
        elif entry.ended and not old.ended:
            lint.append(Lint("ended", code, f"ended {entry.ended}: {entry.short}."))
        elif _words(old.long) != _words(entry.long):
            lint.append(Lint("reworded", code, f"the descriptor changed ({entry.short})."))
    return lint


def _words(descriptor: str) -> str:
    bare = re.sub(r"\((?:add-on, )?list[^)]*\)", "", descriptor.lower())
    return re.sub(r"[^a-z0-9.%]+", " ", bare).strip()


# ---- coverage -------------------------------------------------------------------------------------


@attrs.frozen
class Coverage:
    """How far the catalog reaches, counted in codes."""

    catalogued: int
    computable: int
    refusing: Mapping[str, int]
    ended: int
    with_successor: int
    by_kind: Mapping[str, int]

    def rows(self) -> list[tuple[str, int]]:
        """Lines for a table: what is counted, and how many codes."""
        return [
            ("codes catalogued", self.catalogued),
            *((f"  {kind}", count) for kind, count in sorted(self.by_kind.items())),
            ("computable", self.computable),
            ("refusing", sum(self.refusing.values())),
            *((f"  {REFUSALS[reason]}", count) for reason, count in sorted(self.refusing.items())),
            ("ended", self.ended),
            ("ended, with a successor", self.with_successor),
        ]

    def as_dict(self) -> dict[str, object]:
        """Plain JSON types."""
        return {
            "catalogued": self.catalogued,
            "computable": self.computable,
            "refusing": dict(sorted(self.refusing.items())),
            "ended": self.ended,
            "with_successor": self.with_successor,
            "by_kind": dict(sorted(self.by_kind.items())),
        }


def coverage(drugs: Iterable[Drug], successors: Iterable[Successor]) -> Coverage:
    """Count the codes of a catalog, each by its newest row."""
    newest: dict[str, Drug] = {}
    for row in drugs:
        if row.code not in newest or row.effective > newest[row.code].effective:
            newest[row.code] = row
    refusing = Counter(row.refuses for row in newest.values() if row.refuses)
    ended = {code for code, row in newest.items() if row.ends is not None}
    return Coverage(
        catalogued=len(newest),
        computable=len(newest) - sum(refusing.values()),
        refusing=dict(refusing),
        ended=len(ended),
        with_successor=len(ended & {row.code for row in successors}),
        by_kind=dict(Counter(row.kind for row in newest.values())),
    )
