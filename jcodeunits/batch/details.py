"""Containers, JW and JZ, and the NDC: numbers for all rows at once, words for one row of each group.

Rows that share a drug, product, container and setting form a group, and a group falls apart by how its dose
compares with the label and with what was discarded. Of each such case one row is answered by the one-call path;
it gives the modifier and the findings for all of them. The figures of that row are compared with those of the
arrays, and a case in which they differ is answered row by row.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
import pyarrow.compute as pc

from ..claim import Administration, OpenedProduct
from ..coding.opened import in_units, look_up, weigh
from ..dose import Dose
from ..errors import JcodeunitsError
from ..quantity import counting
from ..units import dimension, factor
from ..vials import thrown_away, waste_units
from . import columns
from .columns import Keys
from .plan import Plan, numbered, optional
from .record import Clerk, One, Row, amount_text, blank, count_of
from .resolve import FAST, Cell

_SAFE = 2**61


class Discards:
    """The discarded amounts: int64 multiples of 10^-scale of a unit; -1 where none is recorded, -2 where slow."""

    def __init__(self, table: Any, plan: Plan) -> None:
        self.units: list[str | None] = [None]
        self.unit = np.zeros(plan.length, np.int32)
        self.scale = columns.SCALE
        self.column = columns.whole(table["discarded"]) if "discarded" in table.column_names else None
        if self.column is None:
            self.amount = np.full(plan.length, -1, np.int64)
        elif columns.is_text(self.column.type):
            self._read_text(columns.keys(self.column))
        else:
            self._read_numbers(plan)

    def _read_numbers(self, plan: Plan) -> None:
        read = columns.amounts(self.column, "discarded")
        self.scale = read.scale
        made = np.concatenate([*plan.each(read.scaled), np.empty(0, np.int64)])
        zero = pc.fill_null(pc.equal(self.column, 0), False).to_numpy(zero_copy_only=False)
        made = np.where(made > 0, made, np.where(zero, 0, -2))
        self.amount = np.where(self.column.is_null().to_numpy(zero_copy_only=False), -1, made)

    def _read_text(self, keys: Keys) -> None:
        """Each distinct text once: a bare number is in the dose's unit, everything else carries its own."""
        amounts, units = [], []
        for value in keys.values:
            amount, unit = self._one(value)
            if unit not in self.units:
                self.units.append(unit)
            amounts.append(amount)
            units.append(self.units.index(unit))
        self.amount = np.array(amounts, np.int64)[keys.index]
        self.unit = np.array(units, np.int32)[keys.index]

    def _one(self, value: Any) -> tuple[int, str | None]:
        if blank(value):
            return -1, None
        bare = amount_text(value, "mg") != value.strip()
        try:
            dose = thrown_away(amount_text(value, "mg"))
        except JcodeunitsError:
            return -2, None
        scaled = dose.amount * columns.MICRO
        if scaled.denominator != 1 or scaled > _SAFE or dose.notes:
            return -2, None
        return int(scaled), None if bare else dose.unit


@attrs.frozen(eq=False)
class Group:
    """What the rows of one group have in common, as whole numbers over a common denominator `size`.

    A dose of k counts `given` * k, n containers `label` * n, a discard of d `thrown` * d; `size` is one billing
    unit. `rate` is the NDC quantity of one billing unit, `per` that of one container, `volume` that of one of
    the dose. 0 where there is none. `slow` sends every row the one-call way.
    """

    slow: bool = False
    given: int = 0
    label: int = 0
    thrown: int = 0
    size: int = 1
    rate: Fraction = Fraction(0)
    per: Fraction = Fraction(0)
    volume: Fraction = Fraction(0)
    decimals: int = 3
    full: bool = False


_SLOW = Group(slow=True)
_GIVEN, _OPENED, _VOLUME, _CONTAINERS, _NO_QUANTITY = range(5)


@attrs.frozen(eq=False)
class Details:
    """The details of some rows: for each the case it belongs to, its discarded units and its NDC quantity.

    `quantity` is in millionths, and means something where `counted`.
    """

    cases: list[One]
    case: Any
    waste: Any
    quantity: Any
    counted: Any


class Work:
    """The details of one table."""

    def __init__(self, table: Any, plan: Plan, clerk: Clerk) -> None:
        self.plan, self.clerk = plan, clerk
        self.place, self.payer = optional(table, "place"), optional(table, "payer")
        self.claim, self.container = optional(table, "claim"), optional(table, "container")
        self.amount, self.count_keys = optional(table, "container_amount"), optional(table, "containers")
        self.discards = Discards(table, plan)
        self.count, self._bad_counts = self._counts()

    def _counts(self) -> tuple[Any, Any]:
        read, bad = [], []
        for value in self.count_keys.values:
            try:
                read.append(count_of(value) or 0)
                bad.append(False)
            except JcodeunitsError:
                read.append(0)
                bad.append(True)
        return np.array(read, np.int64)[self.count_keys.index], np.array(bad, bool)[self.count_keys.index]

    # -- one row

    def row(self, at: int, dose: Any) -> Row:
        """A row as it is written."""
        plan, discards = self.plan, self.discards
        drug, number = plan.drug.values[plan.drug.index[at]]
        return Row(
            drug, dose, plan.unit.values[plan.unit.index[at]], plan.days.of(at), plan.routes[plan.route.index[at]],
            *(keys.values[keys.index[at]] for keys in (self.place, self.payer, self.claim)), number,
            *(keys.values[keys.index[at]] for keys in (self.container, self.count_keys, self.amount)),
            None if discards.column is None else discards.column[at].as_py(),
        )  # fmt: skip

    # -- groups

    def groups(self, rows: Any) -> tuple[Any, Any]:
        """The group of each of these rows, and one row of each group."""
        plan = self.plan
        same: dict[Any, int] = {}
        known = [same.setdefault((id(c.row), id(c.item), c.ratio, c.findings, *self._season(n)), len(same))
                 for n, c in enumerate(plan.cells)]  # fmt: skip
        made = plan.spread(np.array(known, np.int64))[plan.cell[rows]]
        parts = [(plan.drug.index if len(plan.ndc.values) > 1 else None, len(plan.drug.values))]
        parts += [(keys.index, len(keys.values)) for keys in
                  (self.place, self.payer, self.claim, self.container, self.amount)]  # fmt: skip
        parts += [(plan.route.index, len(plan.route.values)), (self.discards.unit, len(self.discards.units))]
        parts += [(plan.unit.index, len(plan.unit.values)), ((self.count > 0).astype(np.int32), 2)]
        size = len(same)
        for index, values in parts:
            if index is None or values == 1:
                continue
            if size * values > 2**62:
                made, _ = numbered(made)
                made, size = made.astype(np.int64), len(rows)
            made = made * values + index[rows]
            size *= values
        return _first(made)

    def _season(self, cell: int) -> tuple[int, ...]:
        stretch = int(self.plan.used[cell]) % self.plan.shape[3]
        if stretch >= self.plan.days.stretches:
            return (-1,)
        return (self.clerk.resolver.season(self.clerk.resolver.day_of(stretch + self.plan.days.first)),)

    def group(self, at: int, cell: Cell) -> Group:
        """The whole numbers of the group that a row stands for."""
        plan = self.plan
        if cell.state != FAST or cell.row is None:
            return _SLOW
        row = self.row(at, None)
        setting = self.clerk.setting(row.place, row.payer, row.claim, row.on)
        if setting.reason:
            return _SLOW
        symbol = plan.resolver.unit(row.unit, plan.dose.text)
        thrown = self.discards.units[self.discards.unit[at]]
        given = cell.ratio / 10**plan.dose.scale
        lost = cell.ratio if thrown is None else None
        try:
            if thrown is not None:
                lost = in_units(Dose(Fraction(1), thrown), cell.row, None)
            opened = self._opened(row, cell)
        except JcodeunitsError:
            return _SLOW
        assert lost is not None
        lost /= 10**self.discards.scale
        each = opened.each or Fraction(0)
        size = math.lcm(given.denominator, each.denominator, lost.denominator)
        whole = [int(part * size) for part in (given, each, lost)]
        option = self.clerk.policy.option
        full = option(setting.payer, "ndc-waste", row.on, setting.claim).value == "full"
        decimals = int(option(setting.payer, "ndc-decimals", row.on, setting.claim).value or 3)
        if max(*whole, size) > _SAFE or decimals > columns.SCALE:
            return _SLOW
        rate = per = volume = Fraction(0)
        if opened.item is not None:
            try:
                way = counting(opened.item, row.on, None, self.clerk.resolver.shelf)
            except JcodeunitsError:
                way = None
            if way is not None:
                per = way.per_container or Fraction(0)
                rate = per / each if each else Fraction(0)
                if way.qualifier == "ML" and dimension(symbol.symbol) == "volume":
                    volume = factor(symbol.symbol, "mL") * symbol.scale / 10**plan.dose.scale
        return Group(False, *whole, size, rate, per, volume, decimals, full)

    def _opened(self, row: Row, cell: Cell) -> Any:
        """The product that was opened, its label in billing units."""
        number = row.ndc if not blank(row.ndc) else row.drug if cell.item is not None else None
        entry = OpenedProduct(
            None if number is None else str(number).strip(), None, amount_text(row.container_amount, row.unit)
        )
        one = Administration(
            cell.row.code if cell.row else "", "1 mg", row.route or self.clerk.resolver.any_route, products=(entry,)
        )
        found = look_up(one, False, row.on, self.clerk.resolver.shelf)[0]
        return weigh(found, cell.row, None)[0] if cell.row is not None else None

    # -- cases

    def key(self, at: int) -> tuple[Any, ...]:
        """All that tells a row from another besides its dose."""
        said = None if self.discards.column is None else self.discards.column[at].as_py()
        every = (self.place, self.payer, self.claim, self.container, self.amount, self.count_keys)
        return (int(self.plan.cell[at]), *(int(keys.index[at]) for keys in every), said)

    def solve(self, units: Any, amount: Any, rows: Any, unsafe: Any | None) -> tuple[Details, Any]:
        """The details of these rows, and which of them must go the one-call way."""
        plan = self.plan
        group_of, first = self.groups(rows)
        groups = [self.group(int(rows[at]), plan.cells[plan.position(int(rows[at]))]) for at in first]
        take = _Table(groups)
        slow = take.slow[group_of] | self._bad_counts[rows]
        count, thrown = self.count[rows], self.discards.amount[rows]
        slow |= thrown == -2
        for numbers, value in ((take.given, amount), (take.label, count), (take.thrown, thrown)):
            slow |= value > take.most(numbers)[group_of]
        given, label = amount * take.given[group_of], count * take.label[group_of]
        lost = np.maximum(thrown, 0) * take.thrown[group_of]
        size = take.size[group_of]
        known = label > 0
        waste = np.where(known & (thrown > 0), waste_units(given, lost, label, size), 0)
        case_of, leads = self._cases(group_of, given, label, lost, thrown, known, waste, unsafe, rows)
        cases = [self.clerk.answer(self.row(int(rows[at]), plan.dose.raw(rows[at : at + 1])[0])) for at in leads]
        mode = np.array([_mode(case, groups[group_of[at]], int(count[at]), int(label[at]))
                         for case, at in zip(cases, leads, strict=True)], np.int8)  # fmt: skip
        quantity, too_large = take.quantities(group_of, mode[case_of], amount, count, given)
        slow |= too_large
        paired = np.array([case.waste > 0 for case in cases], bool)[case_of]
        waste = np.where(paired, waste, 0)
        agree = [
            self._agrees(case, int(units[rows[at]]), int(waste[at]), int(quantity[at]), mode[n])
            for n, (case, at) in enumerate(zip(cases, leads, strict=True))
        ]
        slow |= ~np.array(agree, bool)[case_of]
        return Details(cases, case_of, waste, quantity, (mode != _NO_QUANTITY)[case_of]), slow

    def _cases(
        self, group_of: Any, given: Any, label: Any, lost: Any, thrown: Any, known: Any, waste: Any,
        unsafe: Any | None, rows: Any,
    ) -> tuple[Any, Any]:  # fmt: skip
        left = label - given
        pattern = np.where(known, 1 + (left >= 0) + (left > 0), 0).astype(np.int64)
        recorded = np.where(thrown < 0, 0, np.where(thrown == 0, 1, 3 + (lost > left).astype(np.int64) - (lost < left)))
        pattern = (pattern * 5 + recorded) * 2 + (waste > 0)
        if unsafe is not None:
            pattern = pattern * 2 + unsafe[rows]
        return _first(group_of.astype(np.int64) * 128 + pattern)

    def _agrees(self, case: One, units: int, waste: int, quantity: int, mode: int) -> bool:
        """Whether the one-call answer to the first row of a case has the figures of the arrays."""
        if case.reason:
            return True
        said = None if case.quantity is None else int(Fraction(case.quantity) * columns.MICRO)
        mine = None if mode == _NO_QUANTITY else quantity
        return (case.units, case.waste, said) == (units, waste, mine)


def _first(values: Any) -> tuple[Any, Any]:
    """Indices into the distinct values, and where each comes up first."""
    index, distinct = numbered(values)
    first = np.empty(len(distinct), np.int64)
    first[index[::-1]] = np.arange(len(index) - 1, -1, -1)
    return index, first


def _mode(case: One, group: Group, count: int, label: int) -> int:
    """Which quantity stands on the administered line."""
    if case.quantity is None:
        return _NO_QUANTITY
    whole = "JZ" in case.modifier.split("|") or (case.waste > 0 and group.full)
    if whole and count and group.per:
        return _OPENED
    if group.volume:
        return _VOLUME
    return _GIVEN if group.rate else _CONTAINERS


class _Table:
    """The numbers of all groups as arrays."""

    def __init__(self, groups: list[Group]) -> None:
        def column(name: str) -> Any:
            return np.array([getattr(group, name) for group in groups], np.int64)

        self.groups = groups
        self.slow = np.array([group.slow for group in groups], bool)
        self.given, self.label = column("given"), column("label")
        self.thrown, self.size = column("thrown"), column("size")

    def most(self, numbers: Any) -> Any:
        """The largest figure that stays inside the integers."""
        return _SAFE // np.maximum(numbers, 1)

    def quantities(self, group_of: Any, mode: Any, amount: Any, count: Any, given: Any) -> tuple[Any, Any]:
        """NDC quantities in millionths, rounded half up to the payer's decimals and never to zero."""
        made = np.zeros(len(group_of), np.int64)
        large = np.zeros(len(group_of), bool)
        factors = {
            _GIVEN: (given, [g.rate / g.size for g in self.groups]), _VOLUME: (amount, [g.volume for g in self.groups]),
            _OPENED: (count, [g.per for g in self.groups]), _CONTAINERS: (count, [g.per for g in self.groups]),
        }  # fmt: skip
        for which, (value, ratios) in factors.items():
            rows = np.flatnonzero(mode == which)
            if len(rows):
                made[rows], large[rows] = self._rounded(value[rows], ratios, group_of[rows])
        return made, large

    def _rounded(self, value: Any, ratios: list[Fraction], group_of: Any) -> tuple[Any, Any]:
        tops, bottoms, steps = [], [], []
        for ratio, group in zip(ratios, self.groups, strict=True):
            exact = 2 * ratio * 10**group.decimals
            fits = exact.numerator < _SAFE and exact.denominator < _SAFE // 4
            tops.append(exact.numerator if fits else _SAFE)
            bottoms.append(exact.denominator if fits else 1)
            steps.append(10 ** (columns.SCALE - group.decimals))
        top, bottom = np.array(tops, np.int64)[group_of], np.array(bottoms, np.int64)[group_of]
        large = value > (_SAFE // np.maximum(top, 1))
        kept = np.where(large, 0, value)
        whole = np.maximum((kept * top + bottom) // (2 * bottom), 1)
        step = np.array(steps, np.int64)[group_of]
        large |= whole > _SAFE // step
        return np.where(large, 0, whole) * step, large
