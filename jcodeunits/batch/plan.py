"""One table made ready: its columns as integers, its cells resolved, its look-up tables laid out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import JcodeunitsError
from ..recipes.cells import EPOCH, Cell, is_number, read_day, read_number, reason_of
from ..recipes.resolver import Resolver
from . import columns
from .columns import Amounts, Keys

# Rows worked on at a time by one thread: what fits into a processor's cache.
BLOCK = 1 << 16
# More combinations than this are numbered by sorting instead of by place.
DENSE = 1 << 22
_FAR = 1 << 17  # days that are laid out one by one


class Days:
    """The dates of service: for each row the stretch of days it lies in, counted from the first in use.

    A date that is none has a stretch of its own behind the others, with the reason in `bad`.
    """

    def __init__(self, column: Any, bounds: Any, written: str = "") -> None:
        self.bad: list[str] = []
        numbers, keys = columns.days(column)
        if keys is not None:
            self._index, read = keys.index, [read_day(value, written) for value in keys.values]
        elif len(numbers) and int(numbers.max()) - int(numbers.min()) < _FAR:
            low = int(numbers.min())
            self._index, read = numbers - low, [read_number(day) for day in range(low, int(numbers.max()) + 1)]
        else:
            self._index, distinct = numbered(numbers)
            read = [read_number(day) for day in distinct.tolist()]
        self._days = [day for day, _ in read]
        at = np.searchsorted(bounds, np.array(self._days, np.int64), "right")
        good = at[[not why for _, why in read]] if read else at
        self.first = int(good.min()) if len(good) else 0
        self.stretches = int(good.max()) - self.first + 1 if len(good) else 1
        lookup = at - self.first
        for n, (_, why) in enumerate(read):
            if why:
                lookup[n] = self.stretches + len(self.bad)
                self.bad.append(why)
        self._lookup = lookup.astype(np.int32)

    @property
    def count(self) -> int:
        """How many stretches, the dates that are none included."""
        return self.stretches + len(self.bad)

    def stretch(self, part: slice) -> Any:
        """The stretch of each row of a part."""
        return self._lookup[self._index[part]]

    def of(self, row: int) -> dt.date:
        """The date of service of a row."""
        return dt.date.fromordinal(self._days[int(self._index[row])] + EPOCH)

    def span(self) -> tuple[dt.date | None, dt.date | None]:
        """The oldest and the newest date."""
        seen = np.zeros(len(self._days), bool)
        seen[self._index] = True
        days = [day for n, day in enumerate(self._days) if seen[n] and self._lookup[n] < self.stretches]
        if not days:
            return None, None
        return dt.date.fromordinal(min(days) + EPOCH), dt.date.fromordinal(max(days) + EPOCH)


class Plan:
    """A table's columns as integers, and the cells (drug, route, unit, stretch of days) that its rows fall into."""

    def __init__(self, table: Any, resolver: Resolver, pool: ThreadPoolExecutor, dates: str = "") -> None:
        self.resolver, self.pool, self.length = resolver, pool, table.num_rows
        self.ndc = texts(optional(table, "ndc"))
        self.drug = paired(columns.keys(table["drug"]), self.ndc)
        if any(is_number(drug) or is_number(number) for drug, number in self.drug.values):
            resolver.widen()
        self.unit = optional(table, "unit")
        self.route = optional(table, "route")
        self.dose: Amounts = columns.amounts(table["dose"], "dose")
        self.days = Days(table["on"], resolver.bounds, dates)
        self.shape = (len(self.drug.values), len(self.route.values), len(self.unit.values), self.days.count)
        self.routes, self._bad_routes = self._read_routes()
        self._number()
        self._resolve()

    def each(self, block: Callable[[int, int], Any]) -> list[Any]:
        """A function of start and stop over all rows, block by block, on the pool's threads."""
        starts = range(0, self.length, BLOCK)
        if len(starts) <= 1:
            return [block(0, self.length)] if self.length else []
        return list(self.pool.map(lambda start: block(start, min(start + BLOCK, self.length)), starts))

    def spread(self, values: Any) -> Any:
        """A look-up table by combination from values by cell."""
        return self.laid_out(values[self.cell_of])

    def laid_out(self, values: Any) -> Any:
        """A look-up table by combination from values by combination in use."""
        if self.sorted:
            return values
        made = np.zeros(self._size, values.dtype)
        made[self.used] = values
        return made

    def position(self, row: int) -> int:
        """Where the cell of a row stands among `cells`."""
        number = self.cell[row]
        return int(self.cell_of[number if self.sorted else np.searchsorted(self.used, number)])

    def numbers(self) -> tuple[Any, Any, Any, Any]:
        """P, Q, least and largest scaled amount, by cell number."""
        rows = [self.resolver.numbers(cell, self.dose.scale) for cell in self.cells]
        top, bottom, least, most = np.array(rows, np.int64).reshape(-1, 4).T
        made = self.spread(np.ascontiguousarray(bottom))
        np.maximum(made, 1, out=made)
        return (self.spread(np.ascontiguousarray(top)), made, self.spread(least.copy()), self.spread(most.copy()))

    def _number(self) -> None:
        """Each row's combination as one number, and the numbers in use."""
        _, routes, units, stretches = self.shape
        self._size = int(np.prod([int(n) for n in self.shape], dtype=object))
        self.sorted = self._size > DENSE
        kind = np.int64 if self.sorted else np.int32
        self.cell = np.empty(self.length, kind)

        def block(start: int, stop: int) -> None:
            part = slice(start, stop)
            made = self.drug.index[part].astype(kind)
            if routes > 1:
                made = made * kind(routes) + self.route.index[part]
            made *= kind(units)
            made += self.unit.index[part]
            made *= kind(stretches)
            made += self.days.stretch(part)
            self.cell[part] = made

        self.each(block)
        if self.sorted:
            self.used, inverse = np.unique(self.cell, return_inverse=True)
            self.cell = inverse.astype(np.int32)
        else:
            seen = np.zeros(self._size, bool)
            self.each(lambda start, stop: seen.__setitem__(self.cell[start:stop], True))
            self.used = np.flatnonzero(seen)

    def _read_routes(self) -> tuple[list[str | None], dict[int, str]]:
        names: list[str | None] = []
        refused: dict[int, str] = {}
        for n, value in enumerate(self.route.values):
            try:
                names.append(self.resolver.route(value))
            except JcodeunitsError as error:
                names.append(None)
                refused[n] = reason_of(error)
        return names, refused

    def _resolve(self) -> None:
        """The cell of each combination in use; `cells` holds each once, `cell_of` which one a combination has."""
        self.parts = drug, route, unit, stretch = np.unravel_index(self.used, self.shape)
        resolver, real, first = self.resolver, self.days.stretches, self.days.first
        units = [resolver.unit(value, self.dose.text) for value in self.unit.values]
        notes: dict[tuple[str, ...], int] = {}
        reach = [notes.setdefault(resolver.reach(first + s), len(notes)) for s in range(real)]
        fine = (stretch < real) & ~np.isin(route, list(self._bad_routes))
        target = self._targets(drug, route, stretch, fine)
        noted = np.array([*reach, *([0] * (self.days.count - real))], np.int64)[stretch]
        key = (target.astype(np.int64) * len(units) + unit) * len(notes) + noted
        bad = np.where(stretch < real, -1 - route, -1 - len(self.route.values) - (stretch - real))
        self.cell_of, distinct = numbered(np.where(fine, key, bad))
        listed = list(notes)
        self.cells: list[Cell] = []
        for number in distinct.tolist():
            if number < 0:
                self.cells.append(resolver.refusal(self._why(-1 - number), first=True))
            else:
                rest, note = divmod(number, len(notes))
                place, which = divmod(rest, len(units))
                self.cells.append(resolver.cell(resolver.targets[place], units[which], listed[note]))

    def _why(self, number: int) -> str:
        """Why a route (numbered first) or a date (numbered behind them) cannot be read."""
        past = number - len(self.route.values)
        return self.days.bad[past] if past >= 0 else self._bad_routes[number]

    def _targets(self, drug: Any, route: Any, stretch: Any, fine: Any) -> Any:
        """The number of the target of each combination; those not known yet are asked for."""
        resolver, first, real = self.resolver, self.days.first, self.days.stretches
        ways = len(self.route.values)
        over = [resolver.over_time(pair, name) for pair in self.drug.values for name in self.routes]
        known = np.array([targets[first : first + real] for targets in over], np.int32).reshape(-1, real)
        at, when = drug * ways + route, np.minimum(stretch, real - 1)
        made = known[at, when]
        open_ones = np.flatnonzero((made < 0) & fine)
        if len(open_ones):
            for place in np.unique(at[open_ones] * real + when[open_ones]).tolist():
                pair, s = divmod(place, real)
                if over[pair][first + s] < 0:
                    which, way = divmod(pair, ways)
                    resolver.ask(self.drug.values[which], self.routes[way], first + s)
                known[pair, s] = over[pair][first + s]
            made = known[at, when]
        return made


def optional(table: Any, name: str) -> Keys:
    """The keys of a column that may be missing."""
    if name in table.column_names:
        return columns.keys(table[name])
    return columns.constant(None, table.num_rows)


def texts(keys: Keys) -> Keys:
    """Keys whose values are text, also where a column of numbers was read."""
    return Keys(keys.index, [value if value is None or isinstance(value, str) else str(value) for value in keys.values])


def paired(one: Keys, other: Keys) -> Keys:
    """The keys of two columns together: pairs of their values."""
    if len(other.values) == 1:
        return Keys(one.index, [(value, other.values[0]) for value in one.values])
    index, numbers = numbered(one.index.astype(np.int64) * len(other.values) + other.index)
    pairs = [divmod(number, len(other.values)) for number in numbers.tolist()]
    return Keys(index, [(one.values[a], other.values[b]) for a, b in pairs])


def numbered(values: Any) -> tuple[Any, Any]:
    """Whole numbers as indices (int32) into their distinct values, in the order in which they come up."""
    made = pc.dictionary_encode(pa.array(values))
    return made.indices.to_numpy(), made.dictionary.to_numpy()
