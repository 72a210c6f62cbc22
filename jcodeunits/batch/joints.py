"""Values and combinations of columns numbered, each once, and sets of finding ids as whole numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..recipes.cells import joined

BLOCK = 1 << 16  # rows worked on at a time by one thread: what fits into a processor's cache
BITS = 62  # finding ids that one whole number can hold
_DENSE = 1 << 22  # more combinations than this are numbered as they come up instead of by place
Value = TypeVar("Value")


def in_blocks(rows: int, work: Callable[[slice], Any], pool: ThreadPoolExecutor | None = None) -> list[Any]:
    """What a function of a slice of rows makes of all rows, block by block, on the pool's threads if there is one."""
    parts = [slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK)]
    return list(map(work, parts) if pool is None or len(parts) < 2 else pool.map(work, parts))


def numbered(values: Any) -> tuple[Any, Any]:
    """Whole numbers as indices (int32) into their distinct values, in the order in which they come up."""
    made = pc.dictionary_encode(pa.array(values))
    return made.indices.to_numpy(), made.dictionary.to_numpy()


def distinct(values: Iterable[Value], key: Callable[[Value], Any] = lambda value: value) -> tuple[Any, list[Value]]:
    """The same of a few values of any kind, by themselves or by a key: indices, and the first value of each key."""
    at: dict[Any, int] = {}
    first: list[Value] = []
    index = []
    for value in values:
        number = at.setdefault(key(value), len(first))
        if number == len(first):
            first.append(value)
        index.append(number)
    return np.array(index, np.int32), first


def joint(parts: Sequence[tuple[Any, int]], pool: ThreadPoolExecutor | None = None) -> tuple[Any, Any]:
    """Several indices, each with its number of values, as one (int32), and the combinations in use, a line each."""
    shape = [max(count, 1) for _, count in parts]
    size, rows = math.prod(shape), len(parts[0][0])
    if size == 1 and rows:
        return np.zeros(rows, np.int32), np.zeros((1, len(parts)), np.int64)
    made: Any = np.empty(rows, np.int64 if size > _DENSE else np.int32)

    def number(part: slice) -> None:
        own = made[part]
        own[:] = parts[0][0][part]
        for index, count in parts[1:]:
            if count > 1:
                own *= count
                own += index[part]

    in_blocks(rows, number, pool)
    if size > _DENSE:
        made, used = numbered(made)
    else:
        seen, place = np.zeros(size, bool), np.empty(size, np.int32)
        in_blocks(rows, lambda part: seen.__setitem__(made[part], True), pool)
        used = np.flatnonzero(seen)
        place[used] = np.arange(len(used))
        in_blocks(rows, lambda part: made.__setitem__(part, place[made[part]]), pool)
    return made, np.stack(np.unravel_index(used, shape), 1)


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

    def masks(self, listed: Iterable[Sequence[str]]) -> Any:
        """The numbers of several sets of ids."""
        return np.array([self.mask(rules) for rules in listed], np.int64)

    def text(self, mask: int) -> str:
        """The ids of a number."""
        return joined(rule for rule, at in self._at.items() if mask >> at & 1)
