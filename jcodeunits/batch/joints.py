"""Several indices of the same rows as one, and sets of finding ids as whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..recipes.cells import joined
from .plan import numbered

BITS = 62  # finding ids that one whole number can hold
_DENSE = 1 << 22


def compact(values: Any, size: int) -> tuple[Any, Any]:
    """Whole numbers below `size` as indices (int32) into their distinct values."""
    if size > _DENSE:
        return numbered(values)
    seen = np.zeros(size, bool)
    seen[values] = True
    distinct = np.flatnonzero(seen)
    place = np.empty(size, np.int32)
    place[distinct] = np.arange(len(distinct), dtype=np.int32)
    return place[values], distinct


def joint(parts: Sequence[tuple[Any, int]]) -> tuple[Any, list[tuple[int, ...]]]:
    """Several indices of the same rows as one, and the combination that each of its values stands for."""
    made, size, shape = parts[0][0], parts[0][1], [parts[0][1]]
    for index, count in parts[1:]:
        if count > 1:
            made, size = made.astype(np.int64) * count + index, size * count
        shape.append(count)
    index, distinct = compact(made, size)
    at = np.unravel_index(distinct, [max(count, 1) for count in shape])
    return index, list(zip(*(part.tolist() for part in at), strict=True))


class Bits:
    """Finding ids as bits of a whole number; ids beyond the last bit mark their rows to be answered singly."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}

    def mask(self, rules: Sequence[str]) -> int:
        """The number of some ids."""
        made = 0
        for rule in rules:
            made |= 1 << min(self._at.setdefault(rule, len(self._at)), BITS)
        return made

    def text(self, mask: int) -> str:
        """The ids of a number."""
        return joined(rule for rule, at in self._at.items() if mask >> at & 1)
