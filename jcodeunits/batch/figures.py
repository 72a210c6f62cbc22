"""The numbers of what was opened as arrays, and what the amounts of rows come to."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from ..amount import half_up
from ..recipes.lines import SAFE, Coefficients
from .joints import distinct

UNKNOWN, VOLUME, PART, CONTAINERS, OPENED = range(5)


@attrs.define(eq=False)
class Evaluated:
    """What the amounts of rows come to; `why` is said of those withheld for their amounts."""

    findings: Any
    jz: Any
    withheld: Any
    waste: Any
    quantity: Any
    counted: Any
    slow: Any
    rated: Any
    why: str


class Figures:
    """The numbers of all products as arrays."""

    def __init__(self, products: list[Coefficients]) -> None:
        self.products = products

        def column(name: str, kind: Any = np.int64) -> Any:
            return np.array([getattr(product, name) for product in products], kind)

        self.slow, self.band, self.counted, self.rated = (
            column(name, bool) for name in ("slow", "band", "counted", "rated")
        )
        self.given, self.each, self.thrown = column("given"), column("each"), column("thrown")
        self.size, self.kind = column("size"), column("kind")
        self.with_count = np.array([product.figures[0] for product in products], np.int8)
        self.without = np.array([product.figures[1] for product in products], np.int8)
        self.has_per = np.array([product.per > 0 for product in products], bool)
        self.most_given, self.most_each, self.most_thrown = (
            SAFE // np.maximum(numbers, 1) for numbers in (self.given, self.each, self.thrown)
        )

    def text(self, name: str, opened: Any, where: Any) -> tuple[Any, list[str]]:
        """A text of the products, by row."""
        index, words = distinct(["", *(getattr(product, name) for product in self.products)])
        return np.where(where, index[1:][opened], 0), words

    def quantities(self, figure: Any, opened: Any, amount: Any, count: Any) -> tuple[Any, Any]:
        """NDC quantities in millionths, rounded half up to the payer's decimals and never to zero."""
        made = np.zeros(len(opened), np.int64)
        large = np.zeros(len(opened), bool)
        steps = np.array([product.step for product in self.products], np.int64)
        pers = [product.per for product in self.products]
        for which, value, ratios in (
            (PART, amount, [product.part for product in self.products]),
            (VOLUME, amount, [product.volume for product in self.products]),
            (CONTAINERS, count, pers),
            (OPENED, count, pers),
        ):
            rows = np.flatnonzero(figure == which)
            if len(rows):
                top, bottom = _wholes(ratios)
                at = opened[rows]
                over = value[rows] > SAFE // np.maximum(top, 1)[at]
                whole = np.maximum(half_up(np.where(over, 0, value[rows]) * top[at], bottom[at]), 1)
                over |= whole > SAFE // steps[at]
                made[rows], large[rows] = np.where(over, 0, whole * steps[at]), over
        return made, large


def _wholes(ratios: list[Fraction]) -> tuple[Any, Any]:
    """Numerators and denominators as arrays; what does not fit holds no value."""
    fit = [ratio if ratio.numerator < SAFE and ratio.denominator < SAFE // 4 else Fraction(SAFE) for ratio in ratios]
    return np.array([r.numerator for r in fit], np.int64), np.array([r.denominator for r in fit], np.int64)
