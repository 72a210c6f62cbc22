"""Exact amounts: reading and printing decimals as fractions, and the one rounding rule."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_DECIMAL = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)


@lru_cache(maxsize=65536)
def read_decimal(text: str) -> Fraction:
    """A plain decimal such as `0.5` or `1000` as a `Fraction`; anything else is a `ValueError`.

    >>> read_decimal("0.625")
    Fraction(5, 8)
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a plain decimal number")
    whole, part = match[1], match[2] or ""
    return Fraction(int(whole + part), 10 ** len(part))


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


def round_up(exact: Fraction) -> int:
    """The next whole billing unit: the smallest integer that is not below the exact ratio.

    The rule of the Medicare Claims Processing Manual, chapter 17: a dose that is no exact multiple of the
    amount in the code's descriptor is rounded up. Never to the nearest, never down.

    >>> round_up(Fraction(4)), round_up(Fraction(41, 10)), round_up(Fraction(1, 100))
    (4, 5, 1)
    """
    return -(-exact.numerator // exact.denominator)
