"""What does not fit: between CMS's files, inside one of them, and since the edition before.

Nothing here changes a table. A finding that a person has settled stands in a reviewed table and is not
reported again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

import attrs

from jcodeunits import units
from jcodeunits.amount import told
from jcodeunits.errors import UnitMismatch
from jcodeunits.facts.drug_rows import REFUSALS, Drug, Successor
from jcodeunits.grouped import grouped
from jcodeunits.tables import Dated, column, table, text, words

from .amounts import dosage
from .dating import Days, quarters_between
from .family import Edition
from .findings import Lint


@table("disagreements", "code", "cms_dosage")
class Disagreement(Dated):
    """A dosage of CMS that differs from our billing unit, and why ours stays."""

    code: str = column(text)
    cms_dosage: str = column(text)
    quarters: tuple[str, ...] = column(words)
    ours: str = column(text)
    reason: str = column(text)


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


def dosage_lint(
    printed: Iterable[tuple[str, str, str]], days: Days, drugs: Iterable[Drug], settled: Iterable[Disagreement]
) -> list[Lint]:
    """Dosages (code, as printed, source) that differ from our billing units and stand in no reviewed row."""
    known = {(row.code, row.cms_dosage) for row in settled}
    rows = grouped(drugs, lambda drug: drug.code)
    lint = []
    for code, as_printed, source in sorted(printed):
        row = next((r for r in rows.get(code, ()) if r.period.holds(days[source])), None)
        place = f"{code}, {source}"
        if (code, as_printed) in known:
            continue
        if row is None:
            lint.append(Lint("priced", place, "CMS prices a code that is not in the catalog on that day."))
        elif agrees(row, as_printed) is False:
            ours = row.billing_unit if not row.refuses else REFUSALS[row.refuses]
            lint.append(Lint("dosage", place, f"CMS prints {as_printed!r}, the descriptor says {ours}."))
    return lint


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
        counted = {name: dict(sorted(getattr(self, name).items())) for name in ("refusing", "by_kind")}
        return {**told(self, "catalogued", "computable", "refusing", "ended", "with_successor", "by_kind"), **counted}


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


def gaps(new: Iterable[Edition], days: Days) -> list[Lint]:
    """The new editions before which a quarter is not loaded: what changed in it is dated by the next one."""
    lint = []
    for edition in new:
        quarter = re.compile(rf"{re.escape(edition.file)}-20\d\dq[1-4]")
        before = [day for key, day in days.items() if quarter.fullmatch(key) and day < edition.when.first]
        lacking = quarters_between(max(before), edition.when.first) if before and quarter.fullmatch(edition.id) else []
        if lacking and edition.complete:
            says = f"{', '.join(lacking)} not loaded: what changed there is taken for a change of this quarter."
            lint.append(Lint("between", edition.title, says))
    return lint
