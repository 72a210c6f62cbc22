"""Whether strengths in a drug's text fit each other, and the row that is meant."""

from __future__ import annotations

from collections.abc import Iterable

from .. import units
from .drug_rows import Drug
from .drug_text import Strength

_IONS = frozenset({"calcium", "chloride", "magnesium", "phosphate", "potassium", "sodium"})
_OF_IONS = ("equivalent", "amount_of_substance")
_ROUNDED = 200  # labels round a concentration to less than half a percent


def same(one: Strength, other: Strength) -> bool:
    """Whether two concentrations are one, as labels round them."""
    if units.dimension(one.unit) != units.dimension(other.unit):
        return False
    rest = one.amount * units.factor(one.unit, other.unit) - other.amount
    return abs(rest) * _ROUNDED <= other.amount


def contradict(one: Strength, other: Strength) -> bool:
    """Whether two concentrations measure the same thing and differ."""
    return units.dimension(one.unit) == units.dimension(other.unit) and not same(one, other)


def is_of_salt(part: Strength) -> bool:
    """Whether a strength counts ions or molecules, as labels of electrolytes print it beside the mass."""
    return bool(part.unit) and units.dimension(part.unit) in _OF_IONS


def fits(row: Drug, strength: Strength) -> bool:
    """Whether a strength is of the kind that a row counts; what one device or dose holds is never counted."""
    if row.refuses or row.basis == "each" or not row.unit:
        return True
    counted = [row.unit, *(unit for _, unit in row.equivalents), *(part.unit for part in row.components)]
    if strength.kind in ("volume", "part"):
        return True
    return any(_alike(strength.unit, unit) for unit in counted)


def is_beside(row: Drug, strength: Strength, others: Iterable[Strength]) -> bool:
    """Whether a strength is of another part of a combination, or in mEq, beside one that the row counts."""
    counted = any(fits(row, other) for other in others if other.kind in ("amount", "concentration"))
    ions = is_of_salt(strength) and not _IONS.isdisjoint(row.ingredient.split())
    return counted and (" / " in row.ingredient or ions)


def is_otherwise_measured(row: Drug, strength: Strength) -> bool:
    """Whether a strength counts the ions of an electrolyte that the row counts by mass, or the other way round."""
    both = {units.dimension(unit) for unit in (row.unit, strength.unit) if unit}
    return not _IONS.isdisjoint(row.ingredient.split()) and "mass" in both and both <= {"mass", *_OF_IONS}


def _alike(one: str, other: str) -> bool:
    if units.dimension(one) == units.dimension(other):
        return True
    return (one == "unit" and units.is_activity(other)) or (other == "unit" and units.is_activity(one))
