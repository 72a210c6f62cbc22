"""Amounts as messages write them, compared: one amount in two spellings, a count, a volume, a slip of ten times."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jcodeunits import units
from jcodeunits.dose import Dose
from jcodeunits.errors import DoseError, JcodeunitsError


def concentration(top: Callable[[], str], bottom: Callable[[], str]) -> str | None:
    """A strength as an amount in a volume: per vial or dose it says nothing of one, nor a volume in a volume."""
    below = bottom()
    if not by_volume(below) or by_volume(above := top()):
        return None
    return f"{above}/{below}"


def is_count(dose: Any) -> bool:
    """Whether a dose counts things, such as vials, and measures nothing."""
    try:
        return units.is_count(Dose.of(dose).unit)
    except DoseError:
        return False


def one_dose(one: str, other: str) -> bool:
    """Whether two doses are one amount in two spellings."""
    return agree("dose", one, other)


_SLIP = 10  # so many times another amount: a wrong unit or a lost point, and no other dose of a range


def is_slip(given: object, ordered: str) -> bool:
    """Whether a dose is ten times what was ordered or more, or a tenth of it or less.

    >>> is_slip("30 mcg", "30 mg"), is_slip("60 mg", "30 mg"), is_slip("1 mL", "30 mg"), is_slip("30 mg", "1 mg/kg")
    (True, False, False, False)
    """
    try:
        one = Dose.of(given)
        factor = one.amount / Dose.of(ordered).to(one.unit).amount
        return factor >= _SLIP or factor * _SLIP <= 1
    except JcodeunitsError:
        return False


def agree(key: str, said: Any, value: Any) -> bool:
    """Whether two doses or concentrations are one amount in two spellings."""
    try:
        if key == "dose":
            one, other = Dose.of(said), Dose.of(value)
        elif key == "concentration":
            one, other = Dose.by_volume("1 mL", said), Dose.by_volume("1 mL", value)
        else:
            return False
        if key == "dose" and units.is_activity(one.unit) and units.is_activity(other.unit):
            return one.amount == other.amount  # a message has no word for the drug's own unit
        return one.amount == other.to(one.unit).amount
    except JcodeunitsError:
        return False


@lru_cache(maxsize=4096)
def by_volume(dose: str) -> bool:
    """Whether a dose is a volume, so that its strength must be known."""
    try:
        return units.dimension(Dose.of(dose).unit) == "volume"
    except DoseError:
        return False
