"""Exact amounts: reading and printing decimals as fractions, and the one rounding rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any

from .errors import quoted

_JSON = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_DECIMAL = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)

SHORT = 18  # characters of a number that is surely in range

# The one range of numbers: no amount, count or price is larger, none is written with more digits.
LARGEST = 10**18
DIGITS = 40
MOST_UNITS = 2**63 - 1  # billing units of one dose, as a column of a table holds them
MOST_COUNTED = 10**9  # containers, and units of a listed service


@lru_cache(maxsize=65536)
def read_decimal(text: str) -> Fraction:
    """A plain decimal such as `0.5` or `1000` as a `Fraction`; anything else is a `ValueError`.

    >>> read_decimal("0.625")
    Fraction(5, 8)
    """
    match = _DECIMAL.fullmatch(text) if len(text) <= DIGITS + 1 else None
    if match is None:
        raise ValueError(f"{quoted(text)} is not a plain decimal number")
    whole, part = match[1], match[2] or ""
    return _in_range(Fraction(int(whole + part), 10 ** len(part)), text)


def exact(value: object) -> Fraction:
    """What somebody wrote as a number, exactly: plain decimal text, or a number (a float at its own text).

    Digits and exponent are looked at before anything is computed, so that no number takes long. Raises
    `ValueError` for what is no number, and for one above 10^18 or of more than 40 digits.

    >>> exact(" 0.625 "), exact(0.1), exact(Decimal("1e3"))
    (Fraction(5, 8), Fraction(1, 10), Fraction(1000, 1))
    >>> exact(Decimal("1e999999999"))
    Traceback (most recent call last):
    ValueError: Decimal('1E+999999999') is out of range: no amount is so large or has so many digits
    """
    if isinstance(value, str):
        return read_decimal(value.strip()) if len(value) <= 3 * DIGITS else read_decimal(value)
    if isinstance(value, float):
        value = Decimal(str(value))
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            raise ValueError(f"{value} is no number")
        if len(digits) > DIGITS or exponent < -DIGITS or value.adjusted() > DIGITS:
            raise _out_of_range(value)
        return _in_range(Fraction(value), value)
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise ValueError(f"{quoted(value)} is no number")
    return _in_range(Fraction(value), value)


_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")


def shown(value: object) -> Fraction:
    """The same as `exact`, also of a number as a spreadsheet shows it, its thousands parted by commas.

    >>> shown("1,200"), shown("4")
    (Fraction(1200, 1), Fraction(4, 1))
    >>> shown("1,20")
    Traceback (most recent call last):
    ValueError: '1,20' is not a plain decimal number
    """
    is_grouped = isinstance(value, str) and len(value) <= 3 * DIGITS and _GROUPED.fullmatch(value.strip())
    return exact(str(value).replace(",", "") if is_grouped else value)


def _in_range(made: Fraction, given: object) -> Fraction:
    if abs(made) > LARGEST or made.denominator > 10**DIGITS:
        raise _out_of_range(given)
    return made


def _out_of_range(given: object) -> ValueError:
    return ValueError(f"{quoted(given)} is out of range: no amount is so large or has so many digits")


def decimal(value: object) -> Decimal:
    """The same as `exact`, as a `Decimal` with the digits as they are written.

    >>> decimal("1.50")
    Decimal('1.50')
    """
    made = exact(value)
    return Decimal(decimal_text(made)) if isinstance(value, Fraction) else Decimal(str(value).strip())


def plain_number(value: object) -> Decimal | None:
    """The same; None for what is no number of digits and perhaps a point."""
    try:
        return decimal(value)
    except ValueError:
        return None


def json_number(text: str) -> Decimal:
    """A number as JSON writes it, with a sign or an exponent where need be; `ValueError` outside the range."""
    if len(text) < SHORT and "e" not in text and "E" not in text and _JSON.fullmatch(text):
        return Decimal(text)  # too short to be out of range
    try:
        made = Decimal(text if _JSON.fullmatch(text) else "")
    except InvalidOperation:
        raise _out_of_range(text) from None
    exact(made)
    return made


def money(value: object) -> Decimal:
    """An amount of money with at most two decimals; `ValueError` otherwise.

    >>> money("25.00")
    Decimal('25.00')
    """
    try:
        amount = exact(value)
    except ValueError:
        amount = Fraction(-1)
    if amount < 0 or (amount * 100).denominator != 1:
        raise ValueError(f"{quoted(value)} is no amount of money")
    return decimal(value)


def cents(value: Fraction) -> Decimal:
    """Dollars to the cent, half up.

    >>> cents(Fraction(2, 3)), cents(Fraction(-1, 200))
    (Decimal('0.67'), Decimal('-0.01'))
    """
    whole = half_up(abs(value.numerator) * 100, value.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-2)


def decimal_text(value: Fraction | int) -> str:
    """The shortest exact text: `5`, `0.5`, and `1/3` where no decimal ends.

    Never a trailing zero, never a naked decimal point.

    >>> decimal_text(Fraction(5, 2)), decimal_text(Fraction(4, 1)), decimal_text(Fraction(1, 3))
    ('2.5', '4', '1/3')
    """
    numerator, denominator = value.numerator, value.denominator
    if denominator == 1:
        return str(numerator)
    # 2**a * 5**b divides 10**max(a, b), and neither a nor b is above the denominator's length in bits.
    places = denominator.bit_length()
    shifted, rest = divmod(abs(numerator) * 10**places, denominator)
    if rest:
        return f"{numerator}/{denominator}"
    digits = str(shifted).rjust(places + 1, "0")
    sign = "-" if numerator < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:].rstrip('0')}"


def quotient_up(whole: Any, size: Any) -> Any:
    """`whole / size`, rounded up: the smallest whole number not below it. Whole numbers, or arrays of them.

    The rule of the Medicare Claims Processing Manual, chapter 17: a dose that is no exact multiple of the
    amount in the code's descriptor is rounded up. Never to the nearest, never down.

    >>> quotient_up(41, 10), quotient_up(40, 10)
    (5, 4)
    """
    return -(-whole // size)


def round_up(exact: Fraction) -> int:
    """The next whole billing unit: the smallest integer that is not below the exact ratio (`quotient_up`).

    >>> round_up(Fraction(4)), round_up(Fraction(41, 10)), round_up(Fraction(1, 100))
    (4, 5, 1)
    """
    return int(quotient_up(exact.numerator, exact.denominator))


def plain(value: Any) -> Any:
    """A value in JSON types: exact numbers and days as text, what has a form of its own in that.

    >>> plain({"size": Fraction(5, 2), "codes": ("J1885",), "ends": None})
    {'size': '2.5', 'codes': ['J1885'], 'ends': None}
    """
    if value is None or isinstance(value, str | int):
        return value
    for form in ("as_dict", "as_list"):
        if hasattr(value, form):
            return getattr(value, form)()
    if isinstance(value, Fraction):
        return decimal_text(value)
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def several(count: int | Fraction, thing: str) -> str:
    """A count of things.

    >>> several(1, "line"), several(2, "line"), several(Fraction(1, 2), "billing unit")
    ('1 line', '2 lines', '0.5 billing units')
    """
    return f"{decimal_text(count)} {thing}{'s' * (count != 1)}"


def told(thing: Any, *names: str) -> dict[str, Any]:
    """Some attributes of an answer in JSON types, by their names."""
    return {name: plain(getattr(thing, name)) for name in names}


def half_up(whole: Any, size: Any) -> Any:
    """`whole / size`, rounded to the nearest, a half up. Whole numbers not below zero, or arrays of them.

    >>> half_up(5, 2), half_up(7, 5)
    (3, 1)
    """
    return (2 * whole + size) // (2 * size)
