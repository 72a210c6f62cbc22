"""One table made ready: its columns as integers, its cells resolved, its look-up tables laid out."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..errors import JcodeunitsError
from ..recipes.cells import EPOCH, Cell, is_number, number_text, read_day, reason_of
from ..recipes.resolver import Resolver
from . import columns
from .columns import Amounts, Keys
from .joints import distinct, joint


class Days:
    """The dates of service: for each row the stretch of days it lies in, counted from the first in use.

    A date that is none has a stretch of its own behind the others, with the reason in `bad`. `span` are the oldest
    and the newest date.
    """

    def __init__(self, column: Any, bounds: Any, pool: ThreadPoolExecutor) -> None:
        numbers, keys = columns.days(column)
        if keys is None:
            low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, -1)
            self._index, self._days, reasons = numbers - low, np.arange(low, high + 1), [""] * (high + 1 - low)
        else:
            self._index, used = joint([(keys.index, len(keys.values))], pool)
            read = [read_day(keys.values[n]) for (n,) in used.tolist()]
            self._days, reasons = np.array([day for day, _ in read], np.int64), [why for _, why in read]
        self.bad = [why for why in reasons if why]
        wrong = np.array(reasons, np.object_) != ""
        at, days = np.searchsorted(bounds, self._days, "right"), self._days[~wrong]
        good = at[~wrong]
        self.first = int(good.min()) if len(good) else 0
        self.stretches = int(good.max()) - self.first + 1 if len(good) else 1
        lookup = (at - self.first).astype(np.int32)
        lookup[wrong] = self.stretches + np.arange(len(self.bad))
        self.stretch = lookup[self._index]
        self.span = (_date(days.min()), _date(days.max())) if len(days) else (None, None)

    @property
    def count(self) -> int:
        """How many stretches, the dates that are none included."""
        return self.stretches + len(self.bad)

    def of(self, row: int) -> dt.date:
        """The date of service of a row."""
        return _date(self._days[self._index[row]])


def _date(day: Any) -> dt.date:
    return dt.date.fromordinal(int(day) + EPOCH)


class Plan:
    """A table's columns as integers, and the cells (drug, route, unit, stretch of days) that its rows fall into.

    `cell` is each row's combination of the four, `parts` what each combination is made of, `cell_of` which of
    `cells` it comes to.
    """

    def __init__(self, table: Any, resolver: Resolver, pool: ThreadPoolExecutor) -> None:
        self.resolver, self.pool, self.length = resolver, pool, table.num_rows
        self.ndc = texts(optional(table, "ndc"))
        self.drug = paired(columns.keys(table["drug"]), self.ndc)
        if any(is_number(drug) or is_number(number) for drug, number in self.drug.values):
            resolver.widen()
        self.unit = optional(table, "unit")
        self.route = optional(table, "route")
        self.dose: Amounts = columns.amounts(table["dose"], "dose")
        self.days = Days(table["on"], resolver.bounds, pool)
        keyed = [(keys.index, len(keys.values)) for keys in (self.drug, self.route, self.unit)]
        self.cell, combinations = joint([*keyed, (self.days.stretch, self.days.count)], pool)
        self.parts = combinations.T
        read = [_route(resolver, value) for value in self.route.values]
        self.routes = [name for name, _ in read]
        self._resolve([why for _, why in read])

    def spread(self, values: Any) -> Any:
        """A look-up table by combination from values by cell."""
        return values[self.cell_of]

    def cell_at(self, row: int) -> Cell:
        """The cell of a row."""
        return self.cells[int(self.cell_of[self.cell[row]])]

    def numbers(self) -> list[Any]:
        """P, Q, least and largest scaled amount, by combination."""
        rows = [self.resolver.numbers(cell, self.dose.scale) for cell in self.cells]
        return [self.spread(column) for column in np.array(rows, np.int64).reshape(-1, 4).T]

    def _resolve(self, bad_routes: list[str]) -> None:
        """The cells of the combinations; `bad_routes`: why each route cannot be read, empty where it can."""
        drug, route, unit, stretch = self.parts
        resolver, real, first = self.resolver, self.days.stretches, self.days.first
        reasons = ["", *bad_routes, *self.days.bad]
        wrong = np.where(np.array([bool(why) for why in bad_routes])[route], 1 + route, 0)
        wrong = np.where(stretch < real, wrong, 1 + len(bad_routes) + stretch - real)
        fine, when = wrong == 0, np.minimum(stretch, real - 1)
        units = [resolver.unit(value, self.dose.text) for value in self.unit.values]
        noted, notes = distinct(resolver.reach(first + s) for s in range(real))
        target = self._targets(drug * len(self.routes) + route, when, fine)
        self.cell_of, cells = joint(
            [
                (wrong, len(reasons)),
                (target * fine, len(resolver.targets)),
                (unit * fine, len(units)),
                (noted[when] * fine, len(notes)),
            ]
        )
        self.cells = [
            resolver.refusal(reasons[why], first=True)
            if why
            else resolver.cell(resolver.targets[which], units[one], notes[note])
            for why, which, one, note in cells.tolist()
        ]

    def _targets(self, at: Any, when: Any, fine: Any) -> Any:
        """The number of the target of each combination of drug and route; those not known yet are asked for."""
        resolver, first, real = self.resolver, self.days.first, self.days.stretches
        over = [resolver.over_time(pair, name) for pair in self.drug.values for name in self.routes]
        known = np.array([targets[first : first + real] for targets in over], np.int32).reshape(-1, real)
        for place in np.unique((at * real + when)[(known[at, when] < 0) & fine]).tolist():
            pair, s = divmod(place, real)
            if over[pair][first + s] < 0:
                which, way = divmod(pair, len(self.routes))
                resolver.ask(self.drug.values[which], self.routes[way], first + s)
            known[pair, s] = over[pair][first + s]
        return known[at, when]


def _route(resolver: Resolver, value: Any) -> tuple[str | None, str]:
    """A route's name, or why it cannot be read."""
    try:
        return resolver.route(value), ""
    except JcodeunitsError as error:
        return None, reason_of(error)


def optional(table: Any, name: str) -> Keys:
    """The keys of a column that may be missing."""
    if name in table.column_names:
        return columns.keys(table[name])
    return Keys(np.zeros(table.num_rows, np.int32), [None])


def texts(keys: Keys) -> Keys:
    """Keys whose values are text, also where a column of numbers was read."""
    return Keys(keys.index, [number_text(value) if isinstance(value, int | float) else value for value in keys.values])


def paired(one: Keys, other: Keys) -> Keys:
    """The keys of two columns together: pairs of their values."""
    if len(other.values) == 1:
        return Keys(one.index, [(value, other.values[0]) for value in one.values])
    index, pairs = joint([(one.index, len(one.values)), (other.index, len(other.values))])
    return Keys(index, [(one.values[a], other.values[b]) for a, b in pairs.tolist()])
