"""One of several rows that a name means, by the dose: the size, the band, the kind of measure; or refused."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from .. import units
from ..amount import round_up
from ..dose import Dose
from ..errors import UnitMismatch
from .agreement import ambiguous, ratio
from .beside_names import PLAIN
from .by_route import own_routes
from .drug_rows import Drug
from .words import normal


def one_of(name: str, rows: tuple[Drug, ...], dose: Dose | None, on: dt.date, apart: bool = False) -> Drug:
    """One of several rows by the dose, or refused."""
    # A qualifier counts as far as it tells products apart.
    same = {(row.ingredient, row.form, "" if is_plain(row) else row.qualifier, own_routes(row)) for row in rows}
    if dose is not None:
        rows = _of_kind(rows, dose)
        if len(rows) == 1:
            return rows[0]
    if len(same) == 1:
        computable = [row for row in rows if not row.refuses]
        if dose is not None and any(row.above or row.through for row in computable):
            computable = [row for row in computable if holds(row, dose)]
        if dose is not None and computable and all(row.basis == "band" for row in computable):
            held = [row for row in computable if holds(row, dose)]
            if len(held) == 1:
                return held[0]
        elif dose is not None and computable and all(row.basis != "band" for row in computable):
            ranked = sorted((_excess(row, dose), row.code, row) for row in computable)
            if len(ranked) == 1 or ranked[0][0] != ranked[1][0]:
                return ranked[0][2]
    ways = "Say which: give the code, the full name with its salt or form, the brand, or the NDC."
    if len(same) == 1 and dose is None and not apart:
        ways = "They differ in size: give the dose, or the code."
    elif len(same) == 1 and all(row.basis == "each" and row.equivalents for row in rows):
        ways = "They differ in what one holds: give the dose in that, or the code."
    raise ambiguous(name, f"fits several codes on {on}", rows, ways, on)


def _of_kind(rows: tuple[Drug, ...], dose: Dose) -> tuple[Drug, ...]:
    """Of a sheet and a powder the one that is measured as the dose is; of things of one size the one that holds it."""
    if units.dimension(dose.unit) in ("area", "mass") and any(_measures(row, "area") for row in rows):
        rows = tuple(row for row in rows if _measures(row, units.dimension(dose.unit))) or rows
    whole = tuple(row for row in rows if row.basis == "each" and ratio(row, dose) == 1)
    return whole if len(whole) == 1 and all(row.basis == "each" for row in rows) else rows


def _measures(row: Drug, dimension: str) -> bool:
    return bool(row.unit) and units.dimension(row.unit) == dimension


def is_plain(row: Drug) -> bool:
    """Whether a row is told by no brand, maker or use."""
    return not row.qualifier or normal(row.qualifier) in PLAIN


def holds(row: Drug, dose: Dose) -> bool:
    """Whether a row's limits hold a dose; plain units are the drug's own, whichever kind CMS names.

    A dose in another measure is held where it is one of the sizes that the row lists (a week's 24 mg).
    """
    if units.dimension(dose.unit) != units.dimension(row.unit) and row.equivalents:
        return any(
            units.dimension(unit) == units.dimension(dose.unit)
            and dose.amount * units.factor(dose.unit, unit) == amount
            for amount, unit in row.equivalents
        )
    own_units = dose.unit == "unit" and units.is_activity(row.unit)
    try:
        given = dose.amount * (Fraction(1) if own_units else units.factor(dose.unit, row.unit))
    except UnitMismatch:
        return False
    return (row.above is None or given > row.above) and (row.through is None or given <= row.through)


def _excess(row: Drug, dose: Dose) -> tuple[Fraction, int]:
    """How much more than the dose its units stand for, and how many units; for ranking sizes."""
    if row.size is None:
        return Fraction(10**30), 0
    counted = ratio(row, dose)
    if counted is None:
        return Fraction(10**30), 0
    count = round_up(counted)
    mass = units.factor(row.unit, "mg") if units.dimension(row.unit) == "mass" else Fraction(1)
    return (count - counted) * row.size * mass, count
