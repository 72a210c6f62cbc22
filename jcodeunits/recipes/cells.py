"""What a drug, a unit and a date as written come to before any amount is known: one value for all such rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import attrs

from ..amount import MOST_UNITS
from ..dated import as_date
from ..errors import JcodeunitsError
from ..facts.drug_rows import Drug
from ..facts.product_rows import Product
from ..finding import Findings

EPOCH_DAY = dt.date(1970, 1, 1)
EPOCH = EPOCH_DAY.toordinal()
FAST, REFUSED, SLOW = range(3)


def reason_of(error: JcodeunitsError, on: dt.date | None = None) -> str:
    """The kind of error and its message, without the date of the row, so that equal cases read equally."""
    says = str(error)
    if on is not None:
        says = says.replace(f" on {on} ", " ").replace(f" on {on}", "")
    return f"{type(error).__name__}: {says}"


@attrs.frozen(eq=False)
class Meaning:
    """What a drug as written means on a stretch of days: a row with notes, an error, or a choice by dose.

    `item` is the product that was opened, where an NDC names one.
    """

    row: Drug | None = None
    notes: Findings = ()
    reason: str = ""
    by_dose: bool = False
    by_day: bool = False
    reach: tuple[str, ...] = ()  # rule ids that stand for how the product's row answers on these days
    item: Product | None = None


@attrs.frozen(eq=False)
class Unit:
    """A unit as written: its symbol, what one of it is in that symbol, notes; or the error."""

    symbol: str = ""
    scale: Fraction = Fraction(1)
    notes: Findings = ()
    reason: str = ""
    rate: bool = False


@attrs.define(eq=False)
class Cell:
    """What one combination of drug, route, unit and stretch of days comes to.

    `ratio`: billing units in one of the unit as written, which is `scale` of `unit`; 0 where one is billed for the
    whole dose. `low`, `high`: limits of the code, in the unit as written (exclusive, inclusive), outside of which one
    call answers. `findings`: rule ids.
    """

    state: int
    row: Drug | None = None
    ratio: Fraction = Fraction(0)
    low: Fraction | None = None
    high: Fraction | None = None
    reason: str = ""
    findings: tuple[str, ...] = ()
    item: Product | None = None
    unit: str = ""
    scale: Fraction = Fraction(1)
    by_day: bool = False  # every date of service is answered by itself
    first: bool = False  # refused for its date or route, which are read before the dose


def is_number(value: Any) -> bool:
    """Whether a drug or NDC as written has the digits of an NDC."""
    return isinstance(value, str) and sum(map(str.isdigit, value)) > 9


def blank(value: Any) -> bool:
    """Whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def number_text(value: Any) -> str:
    """The number of a product as text; a column of numbers with gaps holds floats.

    >>> number_text(65757030001.0), number_text(" 0409-3795-01 ")
    ('65757030001', '0409-3795-01')
    """
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


def joined(rules: Iterable[str]) -> str:
    """Rule ids, each once, in the order of the alphabet."""
    return "|".join(sorted(set(rules)))


def read_day(value: Any) -> tuple[int, str]:
    """Days since 1970 of a date, or the reason why it is none."""
    try:
        return as_date(value).toordinal() - EPOCH, ""
    except JcodeunitsError as error:
        return 0, reason_of(error)


def whole_numbers(ratio: Fraction, scale: int) -> tuple[int, int, int]:
    """P, Q and the largest k so that a dose of k * 10^-scale is k * P / Q billing units, all within 64 bits.

    `ratio` is billing units in one unit of dose; the largest k is 0 where none fits.

    >>> whole_numbers(Fraction(1, 250), 6)
    (1, 250000000, 9223372036854775807)
    """
    exact = ratio / 10**scale
    top, bottom = exact.numerator, exact.denominator
    if top > MOST_UNITS // 2 or bottom > MOST_UNITS // 2:
        return 1, 1, 0
    return top, bottom, MOST_UNITS // top
