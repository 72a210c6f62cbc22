"""The integer kernel: ceiling division of scaled amounts by billing units, on NumPy arrays.

A dose of k * 10^-s is k * P / Q billing units for whole numbers P and Q; everything is int64, and a k that would
leave int64 is not among those that a cell accepts (`most`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

INT64 = 2**63 - 1


def cell(ratio: Fraction, scale: int) -> tuple[int, int, int]:
    """P, Q and the largest k for a ratio (billing units in one unit of dose); the largest k is 0 where none fits.

    >>> cell(Fraction(1, 250), 6)
    (1, 250000000, 9223372036604775808)
    """
    exact = ratio / 10**scale
    top, bottom = exact.numerator, exact.denominator
    if top > INT64 // 2 or bottom > INT64 // 2:
        return 1, 1, 0
    return top, bottom, (INT64 - (bottom - 1)) // top


def ceiling(amount: Any, top: Any, bottom: Any) -> Any:
    """Whole billing units, rounded up: the same rule as `amount.round_up`."""
    return (amount * top + (bottom - 1)) // bottom
