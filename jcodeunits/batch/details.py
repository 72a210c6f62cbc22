"""Containers, JW and JZ, and the NDC: numbers for all rows at once, words for one row of each group.

Rows that share a drug, product, container and setting form a group, and a group falls apart by how its dose
compares with the label and with what was discarded. Of each such case one row is answered by the one-call path;
it gives the modifier and the findings for all of them. The figures of that row are compared with those of the
arrays, and a case in which they differ is answered row by row.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
import pyarrow.compute as pc

from ..coding.opened import in_units, look_up, weigh
from ..dose import Dose
from ..encounter import Administration, OpenedProduct
from ..errors import JcodeunitsError
from ..quantity import counting
from ..units import dimension, factor
from ..vials import thrown_away, waste_units
from . import columns
from .columns import Keys
from .plan import Plan, numbered, optional
from .record import Clerk, One, Row, Setting, amount_text, blank, count_of
from .resolve import FAST, Cell

_SAFE = 2**61


class Discards:
    """The discarded amounts: int64 multiples of 10^-scale of a unit; -1 where none is recorded, -2 where slow."""

    def __init__(self, table: Any, plan: Plan) -> None:
        self.units: list[str | None] = [None]
        self.unit = np.zeros(plan.length, np.int32)
        self.scale = columns.SCALE
        self.column: Any = columns.whole(table["discarded"]) if "discarded" in table.column_names else None
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
_ALONE = 127  # the case of rows that are answered one by one; `_pattern` stays below
_UNASKED: tuple[One, Any, bool] = (One(), None, True)
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
        self._places = tuple(tuple(keys.values) for keys in (self.place, self.payer, self.claim))
        self._seen: dict[int, tuple[Setting, ...]] = {}
        self.opened = any(name in table.column_names for name in ("ndc", "container_amount", "containers", "discarded"))
        every = [self.place, self.payer, self.claim, self.container, self.amount]
        if self.opened:
            every += [plan.drug, plan.unit]
        self._columns = every

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

        def said(keys: Keys) -> Any:
            return keys.values[keys.index[at]]

        return Row(
            drug,
            dose,
            said(plan.unit),
            plan.days.of(at),
            plan.routes[plan.route.index[at]],
            said(self.place),
            said(self.payer),
            said(self.claim),
            number,
            said(self.container),
            said(self.count_keys),
            said(self.amount),
            None if discards.column is None else discards.column[at].as_py(),
        )

    # -- groups

    def groups(self, rows: Any) -> tuple[Any, Any, list[Any]]:
        """The group of each of these rows, one row of each group, and what makes it a group."""
        judged, named = self._kinds()
        made = self.plan.laid_out(judged)[self.plan.cell[rows]]
        parts = [(keys.index, len(keys.values)) for keys in self._columns if len(keys.values) > 1]
        if self.discards.column is not None:
            parts.append((self.discards.unit, len(self.discards.units)))
        if len(self.count_keys.values) > 1:
            parts.append(((self.count > 0).astype(np.int32), 2))
        size = len(named)
        for index, values in parts:
            if values > 1:
                if size * values > 2**62:
                    made = numbered(made)[0].astype(np.int64)
                    size = len(rows)
                made = made * values + index[rows]
                size *= values
        group_of, first = _first(made)
        cells = self.plan.cell[rows[first]]
        at = cells if self.plan.sorted else np.searchsorted(self.plan.used, cells)
        keys = [
            (named[kind], *self._said(row)) for kind, row in zip(judged[at].tolist(), rows[first].tolist(), strict=True)
        ]
        return group_of, first, keys

    def _said(self, at: int) -> tuple[Any, ...]:
        """What a row says in the columns that tell groups apart, those that say one thing in this table included.

        Answers are remembered beyond the table, and the next one may say another thing.
        """
        unit = self.discards.units[self.discards.unit[at]]
        return (*(keys.values[keys.index[at]] for keys in self._columns), unit, bool(self.count[at]))

    def _kinds(self) -> tuple[Any, list[tuple[int, int]]]:
        """What decides about each combination besides its row's own words, numbered: kind of cell and terms."""
        plan = self.plan
        _, route, _, stretch = plan.parts
        codes: dict[str, int] = {}
        own = [codes.setdefault(cell.row.code if cell.row else "", len(codes)) for cell in plan.cells]
        _, routes, _, stretches = plan.shape
        asked = (np.array(own, np.int64)[plan.cell_of] * routes + route) * stretches + stretch
        index, distinct = numbered(asked)
        listed = list(codes)
        terms = []
        for number in distinct.tolist():
            rest, at = divmod(number, stretches)
            code, way = divmod(rest, routes)
            terms.append(self._terms(listed[code], way, at))
        kinds = np.array([cell.kind + 1 for cell in plan.cells], np.int64)[plan.cell_of]
        width = max(terms, default=0) + 1
        judged, pairs = numbered(kinds * width + np.array(terms, np.int64)[index])
        return judged.astype(np.int64), [divmod(pair, width) for pair in pairs.tolist()]

    def _terms(self, code: str, route: int, stretch: int) -> int:
        """A number for the route and the terms of every setting of the table, for a code on a stretch of days."""
        if not code or stretch >= self.plan.days.stretches:
            return 0
        resolver, at = self.clerk.resolver, stretch + self.plan.days.first
        key = (code, self.plan.routes[route], at, len(resolver.bounds), self._places)
        known = self.clerk.known_terms.get(key)
        if known is None:
            day = resolver.day_of(at)
            known = self.clerk.terms(code, self.plan.routes[route], self._settings(day), day)
            self.clerk.known_terms[key] = known
        return known

    def _settings(self, day: dt.date) -> tuple[Setting, ...]:
        """The settings that the table's places, payers and claims can make on a day."""
        key = self.clerk.resolver.season(day)
        if key not in self._seen:
            every = itertools.product(self.place.values, self.payer.values, self.claim.values)
            self._seen[key] = tuple(dict.fromkeys(self.clerk.setting(*one, day) for one in every))
        return self._seen[key]

    def group(self, at: int, cell: Cell) -> Group:
        """The whole numbers of the group that a row stands for."""
        plan = self.plan
        if cell.state != FAST or cell.row is None:
            return _SLOW
        row = self.row(at, None)
        setting = self.clerk.setting(row.place, row.payer, row.claim, row.on)
        if setting.reason:
            return Group()
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
                way = counting(opened.item, row.on, None, opened.told, reference=self.clerk.resolver.reference)
            except JcodeunitsError:
                way = None
            if way is not None:
                per = way.per_container or Fraction(0)
                rate = per / each if each else Fraction(0)
                if way.qualifier == "ML" and dimension(symbol.symbol) == "volume":
                    volume = factor(symbol.symbol, "mL") * symbol.scale / 10**plan.dose.scale
        return Group(False, whole[0], whole[1], whole[2], size, rate, per, volume, decimals, full)

    def _opened(self, row: Row, cell: Cell) -> Any:
        """The product that was opened, its label in billing units."""
        number = row.ndc if not blank(row.ndc) else row.drug if cell.item is not None else None
        label = amount_text(row.container_amount, row.unit)
        listed: Any = (OpenedProduct(None if number is None else str(number).strip(), None, label),)
        code = cell.row.code if cell.row else ""
        one = Administration(code, "1 mg", row.route or self.clerk.resolver.any_route, products=listed)
        found = look_up(one, False, row.on, self.clerk.resolver.reference)[0]
        return weigh(found, cell.row, None, self.clerk.resolver.reference)[0] if cell.row is not None else None

    # -- cases

    def key(self, at: int) -> tuple[Any, ...]:
        """All that tells a row from another besides its dose."""
        said = None if self.discards.column is None else self.discards.column[at].as_py()
        every = (self.place, self.payer, self.claim, self.container, self.amount, self.count_keys)
        return (int(self.plan.cell[at]), *(int(keys.index[at]) for keys in every), said)

    def solve(self, units: Any, amount: Any, rows: Any, unsafe: Any | None) -> tuple[Details, Any]:
        """The details of these rows, and which of them must go the one-call way."""
        group_of, first, keys = self.groups(rows)
        marks = 0 if unsafe is None else unsafe[rows].astype(np.int64)
        if not self.opened and all(cell.item is None for cell in self.plan.cells):
            return self._plain(units, rows, group_of, keys, marks)
        groups = [self._group(key, int(rows[at])) for key, at in zip(keys, first.tolist(), strict=True)]
        take = _Table(groups)
        count, thrown = self.count[rows], self.discards.amount[rows]
        slow = take.slow[group_of] | self._bad_counts[rows] | (thrown == -2)
        for numbers, value in ((take.given, amount), (take.label, count), (take.thrown, thrown)):
            slow |= value > take.most(numbers)[group_of]
        given, label = amount * take.given[group_of], count * take.label[group_of]
        lost = np.maximum(thrown, 0) * take.thrown[group_of]
        waste = np.where((label > 0) & (thrown > 0), waste_units(given, lost, label, take.size[group_of]), 0)
        # What the arrays cannot hold stands for no other row: it is a case of its own, and never asked as one.
        pattern = np.where(slow, _ALONE, _pattern(given, label, lost, thrown, waste) * 2 + marks)
        case_of, leads = _first(group_of.astype(np.int64) * 128 + pattern)
        known = [
            _UNASKED if slow[at] else self._case((keys[group_of[at]], int(pattern[at])), int(rows[at]))
            for at in leads.tolist()
        ]
        cases = [one for one, _, _ in known]
        mode = np.array(
            [_mode(one, groups[group_of[at]], int(count[at])) for one, at in zip(cases, leads, strict=True)], np.int8
        )
        quantity, large = take.quantities(group_of, mode[case_of], amount, count, given)
        waste = np.where(np.array([one.waste > 0 for one in cases], bool)[case_of], waste, 0)
        counted = mode != _NO_QUANTITY
        figures = [
            (int(units[rows[at]]), int(waste[at]), int(quantity[at]) if counted[n] else None)
            for n, at in enumerate(leads.tolist())
        ]
        slow |= large | ~self._agreeing(known, figures)[case_of]
        return Details(cases, case_of, waste, quantity, counted[case_of]), slow

    def _plain(self, units: Any, rows: Any, group_of: Any, keys: list[Any], marks: Any) -> tuple[Details, Any]:
        """Rows of which nothing is known but the dose: no label, no product."""
        case_of, leads = _first(group_of.astype(np.int64) * 2 + marks)
        unsafe = marks[leads].tolist() if isinstance(marks, np.ndarray) else [0] * len(leads)
        known = [
            self._case((keys[group_of[at]], mark), int(rows[at]))
            for at, mark in zip(leads.tolist(), unsafe, strict=True)
        ]
        agree = self._agreeing(known, [(int(units[rows[at]]), 0, None) for at in leads.tolist()])
        nothing = np.zeros(len(rows), np.int64)
        return Details([one for one, _, _ in known], case_of, nothing, nothing, nothing.astype(bool)), ~agree[case_of]

    def _case(self, key: Any, at: int) -> tuple[One, Any, bool]:
        """The one-call answer to a case, its key, and whether it was known before."""
        known = self.clerk.cases.get(key)
        if known is not None:
            return known, key, True
        return self.clerk.answer(self.row(at, self.plan.dose.raw(np.array([at]))[0])), key, False

    def _agreeing(self, known: list[tuple[One, Any, bool]], figures: list[tuple[int, int, int | None]]) -> Any:
        """Which cases have in their first row the figures of the arrays. Those are remembered."""
        agree = []
        for (one, key, seen), mine in zip(known, figures, strict=True):
            said = None if one.quantity is None else int(Fraction(one.quantity) * columns.MICRO)
            agree.append(seen or bool(one.reason) or (one.units, one.waste, said) == mine)
            if agree[-1] and not seen:
                self.clerk.cases[key] = one
        return np.array(agree, bool)

    def _group(self, key: Any, at: int) -> Group:
        """The whole numbers of a group, remembered for later tables."""
        known = (key, self.plan.dose.scale, self.discards.scale)
        if known not in self.clerk.groups:
            self.clerk.groups[known] = self.group(at, self.plan.cells[self.plan.position(at)])
        found: Group = self.clerk.groups[known]
        return found


def _first(values: Any) -> tuple[Any, Any]:
    """Indices into the distinct values, and where each comes up first."""
    index, distinct = numbered(values)
    first = np.empty(len(distinct), np.int64)
    first[index[::-1]] = np.arange(len(index) - 1, -1, -1)
    return index, first


def _pattern(given: Any, label: Any, lost: Any, thrown: Any, waste: Any) -> Any:
    """How dose, label and discard compare: a number below 64 that is the same for rows judged alike."""
    left = label - given
    filled = np.where(label > 0, 1 + (left >= 0) + (left > 0), 0).astype(np.int64)
    recorded = np.where(thrown < 0, 0, np.where(thrown == 0, 1, 3 + (lost > left).astype(np.int64) - (lost < left)))
    return (filled * 5 + recorded) * 2 + (waste > 0)


def _mode(case: One, group: Group, count: int) -> int:
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
            _GIVEN: (given, [g.rate / g.size for g in self.groups]),
            _VOLUME: (amount, [g.volume for g in self.groups]),
            _OPENED: (count, [g.per for g in self.groups]),
            _CONTAINERS: (count, [g.per for g in self.groups]),
        }
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
