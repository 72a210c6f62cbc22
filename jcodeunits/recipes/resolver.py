"""Names, units and dates of a table resolved once for each distinct value.

The answer for a row depends on its drug, its unit, its route and the stretch of days between two boundaries of
the reference tables in which its date lies: a cell. A cell is resolved by the same functions that answer one
call, and holds what is left to compute: two whole numbers, or the reason why there is no answer.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from .. import convert, hcpcs, routes
from ..barcode import scanned
from ..coding.drug_lines import DrugCoding
from ..coding.opened import look_up
from ..dated import Period
from ..dose import IN_PARTS, Dose
from ..encounter import Administration, Encounter
from ..errors import AmbiguousDrug, JcodeunitsError, NotInEffect, UnitMismatch
from ..facts.agreement import others
from ..facts.by_route import a_route, joined_elsewhere, stands_by
from ..facts.choosing import listed_doses
from ..facts.drug_rows import Drug
from ..facts.policy_rows import DECIDING, DrugClass
from ..facts.product_rows import AnotherPackage, Container, Product
from ..facts.reading_names import read
from ..facts.reference import Reference
from ..finding import Findings
from ..ndc import TWELVE_DIGITS_FROM
from ..units import dimension, factor
from .cells import EPOCH, EPOCH_DAY, FAST, REFUSED, SLOW, Cell, Meaning, Unit, is_number, reason_of, whole_numbers

_MOST = 10**18  # what `Dose.of` takes for a dose
_WHOLE = 2**62  # k / 2^62 is rounded up to 1 for every k up to it: one unit for the whole dose


def _is_amount(unit: str) -> bool:
    """Whether a unit measures drug, not the volume or the containers that hold it."""
    return dimension(unit) != "volume" and not dimension(unit).endswith("_count")


def _of_limits(row: Drug, unit: Unit, measure: convert.Measure, ratio: Fraction) -> Fraction | None:
    """What one of a unit as written is in the unit of a row's limits; None where the row counts it otherwise."""
    if measure.way == "band":
        same = dimension(unit.symbol) == dimension(row.unit)
        return factor(unit.symbol, row.unit) * unit.scale if same else None
    return ratio * row.size if row.size is not None and measure.way in ("direct", "activity") else None


def _expires(value: Any) -> bool:
    """Whether a barcode says a last day of use, so that every day is judged by itself."""
    scan = scanned(value)
    return scan is not None and scan.expires is not None


def boundaries(reference: Reference) -> Any:
    """The first days of all stretches on which no drug's row begins or ends, as days since 1970."""
    (first, last), (starts, ends) = reference.drugs.reach, reference.products.reach
    found = {first, last + dt.timedelta(1), starts, ends + dt.timedelta(1), TWELVE_DIGITS_FROM}
    return _numbers(found | _firsts(reference.drugs.drugs))


def _firsts(rows: Iterable[Any]) -> set[dt.date]:
    """The days on which something changes in dated rows."""
    return {day for row in rows for day in row.period.changes}


def _numbers(days: Iterable[dt.date]) -> Any:
    """Days in their order, as days since 1970."""
    return np.array(sorted(day.toordinal() - EPOCH for day in days), np.int64)


class Resolver:
    """Answers for distinct values, remembered for as long as it lives: one for each table or stream."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.book, self.policy, self.products = reference.drugs, reference.policy, reference.products
        self.bounds = boundaries(reference)
        self._seasons: Any = None
        self._bound_list, self._season_list = self.bounds.tolist(), list[int]()
        self._reviews: Any = None
        self._wide = self._detailed = False
        self._targets: dict[tuple[Any, Any, Any, int], Meaning] = {}
        self._coded: dict[Any, tuple[Drug, ...]] = {}
        self._alone: dict[int, Meaning] = {}
        self._others: dict[AnotherPackage, AnotherPackage] = {}  # one object for equal ones that are made on the way
        self._units: dict[tuple[Any, bool], Unit] = {}
        self._cells: dict[tuple[Any, ...], Cell] = {}
        self._rows: dict[tuple[str, bool], tuple[Product, ...]] = {}
        self._paired: dict[tuple[Any, ...], Meaning] = {}
        self.targets: list[Meaning] = []
        self._places: dict[tuple[Any, ...], int] = {}
        first, last = self.products.reach
        self._spans = [first, last + dt.timedelta(1)]
        self._over_time: dict[tuple[tuple[Any, Any], str | None], Any] = {}
        self._refusals: dict[tuple[str, bool], Cell] = {}
        self._slow = Cell(SLOW)
        self._changing: dict[tuple[Any, Any], list[int] | None] = {}
        self._written: dict[tuple[Any, Any], tuple[list[Product], list[str]] | None] = {}
        self._scaled: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self._kept: list[Any] = []  # what the identities in keys stand for must live as long as they
        self._notes: dict[int, tuple[str, ...]] = {}

    def widen(self) -> None:
        """Take in the dates of the product table, which is read only where an NDC asks for it."""
        if not self._wide:
            self._wide = True
            self._rebound(self.products.changes(self.reference.store.days(Product)))

    def detail(self) -> None:
        """Take in the dates of the tables that decide about containers, places and payers."""
        if not self._detailed:
            self._detailed = True
            rows = [row for kind in DECIDING for row in self.policy.rows(kind)]
            self._seasons = _numbers(_firsts((*rows, *self.reference.store.rows(Container))))
            self._rebound(_firsts(self.policy.rows(DrugClass)))

    def _rebound(self, days: set[dt.date]) -> None:
        more = _numbers(days)
        seasons = self._seasons if self._seasons is not None else more[:0]
        self.bounds = np.unique(np.concatenate([self.bounds, more, seasons]))
        self._bound_list, self._season_list = self.bounds.tolist(), seasons.tolist()
        self._kept += [list(self._cells.values())]  # numbers that were made of their identities stay theirs
        for memory in (self._targets, self._cells, self._notes, self._over_time, self._changing):
            memory.clear()

    def reviewed(self, on: dt.date) -> int:
        """Between which dates of the reviewed containers a day lies."""
        if self._reviews is None:
            self._reviews = sorted(_firsts(self.reference.store.rows(Container)))
        return bisect.bisect(self._reviews, on)

    def season(self, on: dt.date) -> int:
        """Between which dates of the deciding tables a day lies."""
        self.detail()
        return bisect.bisect(self._season_list, on.toordinal() - EPOCH)

    def stretch(self, on: dt.date) -> int:
        """Between which two boundaries a day lies."""
        return bisect.bisect(self._bound_list, on.toordinal() - EPOCH)

    def any_route(self, drug: Any, number: Any, day: dt.date) -> str:
        """A route to stand where none is given and none is asked for: one of those of the product, or of the drug."""
        for text in (number, drug):
            try:
                return a_route(convert.resolve(text, day, None, None, reference=self.reference)[0])
            except JcodeunitsError:
                continue
        return routes.NAMES[0]

    # -- single values

    def day_of(self, stretch: int) -> dt.date:
        """A day that stands for a stretch: its first, or the day before the first boundary."""
        at = int(self.bounds[stretch - 1]) if stretch else int(self.bounds[0]) - 1
        return dt.date.fromordinal(at + EPOCH)

    def route(self, written: Any) -> str | None:
        """The route's name; None where none is given. Raises `UnknownRoute` for an unknown one."""
        if written is None or (isinstance(written, str) and not written.strip()):
            return None
        return routes.canonical(written.strip() if isinstance(written, str) else written)

    def unit(self, written: Any, text: bool) -> Unit:
        """A unit as written, read as `Dose.of` reads it beside text or beside a number."""
        key = (written, text)
        if key not in self._units:
            try:
                given = "1" if text else 1
                blank = written is None or (isinstance(written, str) and not written.strip())
                one = Dose.of(given) if blank else Dose.of(given, written)
                # What written parts come to is known with the code, and one call knows it.
                self._units[key] = (
                    Unit(reason=IN_PARTS, rate=True) if one.parts else Unit(one.unit, one.amount, one.notes)
                )
            except JcodeunitsError as error:
                self._units[key] = Unit(reason=reason_of(error), rate="/" in str(written))
        return self._units[key]

    def target(self, drug: Any, number: Any, route: str | None, stretch: int) -> Meaning:
        """The row that a drug as written, beside the NDC of what was opened, means on a stretch of days."""
        key = (drug, number, route, stretch)
        found = self._targets.get(key)
        if found is None:
            day = self.day_of(stretch)
            found = self._by_drug(drug, route, day)
            item = self._product(number if is_number(number) else drug, day)
            if item is not None:
                found = self._beside(found, item, drug, number, route, day)
            by_day = _expires(drug) or _expires(number)
            if found.row is not None and (by_day or self._moves(found.row, route)):
                # The payer or the day decides: one call answers.
                found = attrs.evolve(found, row=None, by_dose=True, by_day=by_day)
            self._targets[key] = found
        return found

    def _moves(self, row: Drug, route: str | None) -> bool:
        """Whether some payer bills a drug by this route with another code."""
        return route is not None and bool(self.policy.route_codes(row.ingredient, route))

    def _beside(
        self, alone: Meaning, item: Product, drug: Any, number: Any, route: str | None, day: dt.date
    ) -> Meaning:
        """The target beside a product; the same for all days on which neither row changes."""
        live = tuple(id(row) for code in item.codes for row in self.book.rows(code) if row.period.holds(day))
        means = (id(alone.row), alone.reason, alone.by_dose, alone.notes)
        days = bisect.bisect(self._spans, day)
        listed = item.period.holds(day), self.products.is_marketed(item.ndc, day)
        key = (drug, number, route, means, id(item), listed, days, live)
        if key not in self._paired:
            found = alone
            if is_number(number) and isinstance(drug, str) and drug.strip():
                found = self._by_product(alone, drug, number, route, day)
            if found.row is not None:
                reach = tuple(note.rule for note in self._noted(number if is_number(number) else drug, day))
                found = attrs.evolve(found, item=item, reach=reach)
            self._kept.append((alone, item))
            self._paired[key] = found
        return self._paired[key]

    def _noted(self, number: str, day: dt.date) -> Findings:
        """What is said of how a product's row answers on a day."""
        try:
            return self.products.find(number, day)[1]
        except JcodeunitsError:
            return ()

    def is_code(self, drug: Any) -> bool:
        """Whether a drug is written as a code that has rows."""
        return bool(self._of_code(drug))

    def _of_code(self, drug: Any) -> tuple[Drug, ...]:
        """The rows of what is written as a code; none for a name."""
        if drug not in self._coded:
            code = isinstance(drug, str) and hcpcs.is_valid(drug.strip())
            self._coded[drug] = self.book.rows(drug.strip().upper()) if code else ()
        return self._coded[drug]

    def _product(self, number: Any, day: dt.date) -> Product | None:
        """The product's row on a day, the nearest where none is in effect; None for what is no product."""
        if not is_number(number):
            return None
        rows = self._listed(number, day)
        if len(rows) == 1:
            return rows[0]
        try:
            item = self.products.find(number, day)[0]
        except JcodeunitsError:
            return None
        return self._others.setdefault(item, item) if isinstance(item, AnotherPackage) else item

    def _listed(self, number: str, day: dt.date) -> tuple[Product, ...]:
        """Every row of an NDC as written; none for what is no product."""
        key = (number, day >= TWELVE_DIGITS_FROM)
        if key not in self._rows:
            try:
                self._rows[key] = self.products.rows(self.products.resolve(number, day))
            except JcodeunitsError:
                self._rows[key] = ()
        return self._rows[key]

    def _by_drug(self, drug: Any, route: str | None, day: dt.date) -> Meaning:
        for row in self._of_code(drug):
            if row.effective <= day and (row.ends is None or day <= row.ends) and stands_by(row, route):
                return self._alone.setdefault(id(row), Meaning(row))
        if self._says_more(drug):
            return Meaning(by_dose=True)
        try:
            row, notes = convert.resolve(drug, day, None, route, reference=self.reference)
        except AmbiguousDrug as error:
            told = self._dose_may_tell(
                error, lambda dose: convert.resolve(drug, day, dose, route, reference=self.reference)
            )
            return Meaning(reason=reason_of(error, day), by_dose=told)
        except JcodeunitsError as error:
            return Meaning(reason=reason_of(error, day))
        # A dose may be rather that of another code; of an NDC nobody asks that.
        alike = not is_number(drug) and (
            others(self.book, row, day) or joined_elsewhere(self.book.ingredients, row, day)
        )
        return Meaning(by_dose=True) if alike else Meaning(row, notes)

    def _says_more(self, drug: Any) -> bool:
        """Whether a drug's text holds a strength or a route, which count beside the dose of its row."""
        if not isinstance(drug, str) or is_number(drug):
            return False
        try:
            reading = read(self.book, drug)
        except JcodeunitsError:
            return False
        return reading is not None and bool(reading.strengths or reading.routes)

    def _by_product(self, alone: Meaning, drug: str, number: str, route: str | None, day: dt.date) -> Meaning:
        """What the drug means beside a product: the product may settle it, or contradict it."""
        own = alone.row if self._of_code(drug) or is_number(drug) else None
        way = route or (a_route(own) if own is not None else self.any_route(drug, number, day))
        given = {"drug": drug, "dose": "1 mg", "route": way, "ndc": number}
        one = Administration.from_dict(given)
        coding = DrugCoding(Encounter(day, ""), self.reference)
        found = look_up(one, False, day, self.reference)
        if alone.by_dose or all(item.item is None for item in found):
            return alone
        try:
            row, notes = coding.row(one, found, Dose.of("1 mg"))
        except AmbiguousDrug as error:
            told = self._dose_may_tell(error, lambda dose: coding.row(one, found, dose))
            return Meaning(reason=reason_of(error, day), by_dose=told)
        except NotInEffect as error:
            # Its words count the units of the dose, which stood for any: those without one hold for the row.
            return Meaning(reason=alone.reason or reason_of(error, day))
        except JcodeunitsError as error:
            return Meaning(reason=reason_of(error, day))
        return Meaning(row, notes)

    def _dose_may_tell(self, error: AmbiguousDrug, ask: Callable[[Dose], object]) -> bool:
        """Whether there is a dose at which one of the candidates is chosen: each is asked at its own amount."""
        for row in (row for code in error.candidates for row in self.book.rows(code)):
            amount = row.through or (row.above + 1 if row.above is not None else row.size)
            amounts = [(amount, row.unit)] if amount is not None and row.unit else []
            listed = [(dose.amount, dose.unit) for dose in listed_doses(self.book, row.code)]
            for given, unit in (*amounts, *row.equivalents, *listed):
                try:
                    ask(Dose(given, unit))
                except JcodeunitsError:
                    continue
                return True
        return False

    def refusal(self, reason: str, first: bool) -> Cell:
        """The cell of rows whose date, route or unit cannot be read; `first` for what is read before the dose."""
        key = (reason, first)
        if key not in self._refusals:
            self._refusals[key] = Cell(REFUSED, reason=reason, first=first)
        return self._refusals[key]

    def over_time(self, pair: tuple[Any, Any], route: str | None) -> Any:
        """The targets of a drug and an NDC as written, by stretch: numbers in `targets`, -1 where not asked yet."""
        if (pair, route) not in self._over_time:
            asked = self._asked(pair, route)
            self._over_time[pair, route] = (
                self._laid_out(pair, route) if asked == route else self.over_time(pair, asked)
            )
        return self._over_time[pair, route]

    def _laid_out(self, pair: tuple[Any, Any], route: str | None) -> Any:
        made = np.full(len(self.bounds) + 1, -1, np.int32)
        for row in self._of_code(pair[0]) if pair[1] is None else ():
            if self._moves(row, route) or not stands_by(row, route):
                continue
            known = self._numbered(self._alone.setdefault(id(row), Meaning(row)))
            days = [row.effective.toordinal() - EPOCH, (row.ends or dt.date.max).toordinal() - EPOCH]
            first, last = np.searchsorted(self.bounds, days, "right").tolist()
            made[first : last + 1] = known
        return made

    def ask(self, pair: tuple[Any, Any], route: str | None, stretch: int) -> None:
        """Find the target of a drug on a stretch of days, and on those beside it on which nothing of it changes."""
        asked = self._asked(pair, route)
        found = self.target(*pair, asked, stretch)
        target = self._numbered(found)
        # A refusal for the route names what other codes of the ingredient there are, which change by themselves.
        changes = None if found.reason and asked is not None else self._changes(pair)
        first, last = stretch, stretch + 1
        if changes is not None:
            at = bisect.bisect(changes, stretch)
            first = changes[at - 1] if at else 0
            last = changes[at] if at < len(changes) else len(self.bounds) + 1
        self.over_time(pair, route)[first:last] = target

    def _asked(self, pair: tuple[Any, Any], route: str | None) -> str | None:
        """The route, where it may tell what a drug means: beside a name, or where it moves or refuses a code."""
        if route is None or (known := self._known(pair)) is None:
            return route
        rows = (row for code in known[1] for row in self.book.rows(code))
        return route if any(self._moves(row, route) or not stands_by(row, route) for row in rows) else None

    def _changes(self, pair: tuple[Any, Any]) -> list[int] | None:
        """The stretches of days with which something changes for a code or an NDC; None for a name."""
        if pair not in self._changing:
            known = self._known(pair)
            self._changing[pair] = None if known is None else self._firsts_of(*known)
        return self._changing[pair]

    def _known(self, pair: tuple[Any, Any]) -> tuple[list[Product], list[str]] | None:
        """The products and codes of a code or an NDC as written and of what was opened; None for a name."""
        if pair not in self._written:
            rows: list[Product] = []
            codes = [pair[0].strip().upper()] if self._of_code(pair[0]) else []
            for text in pair:
                listed = self._listed_ever(text)
                rows += listed
                codes += [code for row in listed for code in row.codes]
            known = all(self._of_code(text) or text is None or self._listed_ever(text) for text in pair)
            self._written[pair] = (rows, list(dict.fromkeys(codes))) if known else None
        return self._written[pair]

    def _listed_ever(self, text: Any) -> list[Product]:
        """Every row of an NDC as written, of ten or of twelve digits; none for what is none."""
        days = (EPOCH_DAY, TWELVE_DIGITS_FROM) if is_number(text) else ()
        return [row for day in days for row in self._listed(text, day)]

    def _firsts_of(self, products: list[Product], codes: list[str]) -> list[int]:
        """The stretches with which the rows of products and codes, and of the codes beside them, begin and end."""
        every = dict.fromkeys(codes)
        for code in codes:
            every |= dict.fromkeys(s.successor for s in self.book.successors_of(code))
            every |= dict.fromkeys(s.code for s in self.book.predecessors_of(code))
        days = _firsts(row for code in every for row in self.book.rows(code))
        listed: dict[str, list[Period]] = {}
        for item in dict.fromkeys(products):
            listed.setdefault(item.number, []).append(item.period)
        days |= self.products.changes(listed)
        for first, last in (self.book.reach, self.products.reach):
            days |= {first, last + dt.timedelta(1)}
        return sorted({self.stretch(day) for day in days})

    def _numbered(self, target: Meaning) -> int:
        """The number of a target; those that say the same have one."""
        said = (target.reason, target.by_dose, target.by_day, target.reach, tuple(note.rule for note in target.notes))
        key = (id(target.row), id(target.item), *said)
        if key not in self._places:
            self._places[key] = len(self.targets)
            self.targets.append(target)
        return self._places[key]

    def reach(self, stretch: int) -> tuple[str, ...]:
        """The notes on how far the data reach, on a stretch of days."""
        if stretch not in self._notes:
            self._notes[stretch] = tuple(note.rule for note in convert.reach_note(self.day_of(stretch), self.reference))
        return self._notes[stretch]

    def cell(self, target: Meaning, unit: Unit, reach: tuple[str, ...]) -> Cell:
        """Everything that can be known of a combination before the amount is known."""
        if unit.reason:
            # A dose by weight or surface may be worked out by what else the row says.
            return self.refusal(unit.reason, first=False) if not unit.rate else self._slow
        if target.row is None:
            key: tuple[Any, ...] = (target.by_dose, target.by_day, target.reason)
            if key not in self._cells:
                self._cells[key] = (
                    Cell(SLOW, by_day=target.by_day) if target.by_dose else Cell(REFUSED, reason=target.reason)
                )
            return self._cells[key]
        plain = not target.notes and target.item is None
        key = (id(target.row if plain else target), id(unit), reach)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._measured(target, unit)
            if reach and cell.state != REFUSED:
                cell = attrs.evolve(cell, findings=(*cell.findings, *reach))
            self._cells[key] = cell
            self._kept.append((target, unit))
        return cell

    def _measured(self, target: Meaning, unit: Unit) -> Cell:
        row = target.row
        assert row is not None
        if any(one.alone != "total" for one in self.book.combined_ever(row.code)):
            return Cell(SLOW)  # what one amount is depends on the amount
        try:
            measure, ratio = self._ratio(row, unit, target.item)
        except JcodeunitsError as error:
            # A named strength or a container may tell how much a volume is: one call knows.
            slow = isinstance(error, UnitMismatch) and not _is_amount(unit.symbol)
            return Cell(SLOW) if slow else Cell(REFUSED, row, reason=reason_of(error))
        said = convert.notes(row, unit.notes, self.reference.drugs.reach[1], measure, target.notes, self.reference)
        findings = tuple(note.rule for note in said)
        ratio *= unit.scale
        low = high = None
        if row.above is not None or row.through is not None:
            one = _of_limits(row, unit, measure, ratio)
            if one is None:
                return Cell(SLOW)  # of a volume, or by an equivalence: one call knows
            low, high = (None if limit is None else limit / one for limit in (row.above, row.through))
        return Cell(FAST, row, ratio, low, high, "", findings, target.item, unit.symbol, unit.scale)

    def _ratio(self, row: Drug, unit: Unit, item: Product | None) -> tuple[convert.Measure, Fraction]:
        """Billing units in one of a unit; a volume counts by the concentration of the product opened."""
        try:
            measure = convert.measured(row, unit.symbol)
            return measure, measure.ratio
        except UnitMismatch:
            if dimension(unit.symbol) != "volume" or item is None or item.concentration is None:
                raise
            measure = convert.measured(row, item.unit)
            return measure, measure.ratio * item.concentration * factor(unit.symbol, "mL")

    def numbers(self, cell: Cell, scale: int) -> tuple[int, int, int, int]:
        """P, Q, least and largest scaled amount of a cell; nothing fits where the largest is 0."""
        key = (id(cell), scale)
        if key not in self._scaled:
            self._kept.append(cell)
            self._scaled[key] = self._numbers_of(cell, scale)
        return self._scaled[key]

    def _numbers_of(self, cell: Cell, scale: int) -> tuple[int, int, int, int]:
        if cell.state != FAST:
            return 0, 1, 1, 0
        top, bottom, most = whole_numbers(cell.ratio, scale) if cell.ratio else (1, _WHOLE, _WHOLE)
        low = 1 if cell.low is None else int(cell.low * 10**scale // 1) + 1
        high = _MOST * 10**scale if cell.high is None else int(cell.high * 10**scale // 1)
        return top, bottom, min(low, 2**62), min(most, high, _MOST * 10**scale)
