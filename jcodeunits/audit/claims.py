"""The lines of a file of claims, claim by claim, where they stand together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from ..batch import columns, files


class ScatteredClaims(Exception):
    """Lines of a claim stand in several places of a file."""


def at_once(source: files.OpenedInput) -> Iterator[Any]:
    """All lines as one table."""
    parts = list(source.tables)
    yield pa.concat_tables(parts) if parts else source.schema.empty_table()


def together(source: files.OpenedInput) -> Iterator[Any]:
    """The lines in tables that cut no claim. Raises `ScatteredClaims` where a claim comes again."""
    seen, held = _Seen(), source.schema.empty_table()
    for table in source.tables:
        whole = pa.concat_tables([held, table]) if held.num_rows else table
        cut = _last_claim(columns.readable(whole.select(["claim"]), ["claim"])["claim"])
        held = whole.slice(cut)
        if cut:
            yield seen.passed(whole.slice(0, cut))
    if held.num_rows:
        yield seen.passed(held)


def _last_claim(column: Any) -> int:
    """Where the lines of the last claim begin, which is looked for from the end."""
    length, first = 64, len(column)
    while first:
        first, length = max(len(column) - length, 0), 8 * length
        index, _ = columns.encoded(column.slice(first))
        other = np.flatnonzero(index != index[-1])
        if len(other):
            return first + int(other[-1]) + 1
    return 0


class _Seen:
    """The claims that have gone by, as sorted numbers."""

    def __init__(self) -> None:
        self._runs: list[Any] = []

    def passed(self, table: Any) -> Any:
        """The table, whose claims are remembered. Raises `ScatteredClaims` where one is known."""
        index, claims = columns.encoded(columns.readable(table.select(["claim"]), ["claim"])["claim"])
        named = np.zeros(len(claims), bool)
        named[index] = True
        named &= ~columns.blanks(claims)
        marks = np.unique(np.fromiter(map(hash, claims.filter(pa.array(named)).to_pylist()), np.int64))
        for run in self._runs:
            if len(marks) and (run[np.minimum(np.searchsorted(run, marks), len(run) - 1)] == marks).any():
                raise ScatteredClaims
        while self._runs and len(self._runs[-1]) <= 2 * len(marks):
            marks = np.sort(np.concatenate([self._runs.pop(), marks]))
        if len(marks):
            self._runs.append(marks)
        return table
