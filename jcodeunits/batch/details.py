"""Containers, JW and JZ, modifiers, findings and the NDC for all rows at once: the parts joined, over arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pyarrow.compute as pc

from ..coding.opened import filled_whole
from ..errors import JcodeunitsError
from ..recipes.cells import blank, is_number
from ..recipes.lines import SAFE, Coefficients, Judgment, Parts, Setting, Way, withheld
from ..rules.unit_limit import counted_to, unit_limit
from ..tables import CLAIMS
from ..vials import COMPARISONS, comparison, thrown_away, waste_units
from . import columns
from .columns import Keys
from .figures import OPENED, UNKNOWN, Evaluated, Figures
from .joints import BITS, Bits, distinct, in_blocks, joint, numbered
from .plan import Plan, optional
from .record import Row, amount_text, container_of, count_of, form_of, time_of


class Discards:
    """The discarded amounts: int64 multiples of 10^-scale of a unit; -1 where none is recorded, -2 where slow."""

    def __init__(self, table: Any, plan: Plan) -> None:
        self.units: list[str | None] = [None]
        self.unit = np.zeros(plan.length, np.int32)
        self.scale = columns.SCALE
        self.column: Any = columns.whole(table["discarded"]) if "discarded" in table.column_names else None
        if self.column is None:
            self.amount = np.broadcast_to(np.int64(-1), plan.length)
        elif columns.is_text(self.column.type):
            self._read_text(columns.keys(self.column))
        else:
            self._read_numbers(plan)

    def _read_numbers(self, plan: Plan) -> None:
        read = columns.amounts(self.column, "discarded")
        self.scale = read.scale
        made = np.concatenate([*in_blocks(plan.length, read.scaled, plan.pool), np.empty(0, np.int64)])
        zero = pc.fill_null(pc.equal(self.column.cast("float64", safe=False), 0), False).to_numpy(zero_copy_only=False)
        made = np.where(made > 0, made, np.where(zero, 0, -2))
        self.amount = np.where(self.column.is_null().to_numpy(zero_copy_only=False), -1, made)

    def _read_text(self, keys: Keys) -> None:
        """Each distinct text once: a bare number is in the dose's unit, everything else carries its own."""
        read = [self._one(value) for value in keys.values]
        units, self.units = distinct(unit for _, unit in read)
        self.amount = np.array([amount for amount, _ in read], np.int64)[keys.index]
        self.unit = units[keys.index]

    def _one(self, value: Any) -> tuple[int, str | None]:
        if blank(value):
            return -1, None
        bare = amount_text(value, "mg") != value.strip()
        try:
            dose = thrown_away(amount_text(value, "mg"))
        except JcodeunitsError:
            return -2, None
        scaled = dose.amount * columns.MICRO
        if scaled.denominator != 1 or scaled > SAFE or dose.notes:
            return -2, None
        return int(scaled), None if bare else dose.unit


@attrs.define(eq=False)
class Details:
    """The details of some rows: texts by number, discarded units, NDC quantities in millionths where `counted`.

    `slow` are the rows that the arrays cannot hold; `reason` is "" (number 0) for a row that is billed.
    """

    texts: dict[str, tuple[Any, list[str]]]
    waste: Any
    quantity: Any
    counted: Any
    slow: Any
    refused: Any

    def take(self, index: Any) -> Details:
        """The same for rows that each have the details of one of these."""
        texts = {name: (_taken(numbers, index), words) for name, (numbers, words) in self.texts.items()}
        return Details(texts, *(_taken(getattr(self, f.name), index) for f in attrs.fields(Details)[1:]))


def _taken(values: Any, index: Any) -> Any:
    return values[index] if values.any() else np.zeros(len(index), values.dtype)


# What a row of the one-call path holds besides its cell, its dose and what was discarded.
_SAID = [f.name for f in attrs.fields(Row) if f.name not in ("drug", "dose", "unit", "on", "route", "ndc", "discarded")]
# What a judgment reads besides drug, route and times.
_SETTING = ("place", "payer", "claim", "site")


class Work:
    """The details of one table."""

    def __init__(self, table: Any, plan: Plan, parts: Parts) -> None:
        self.plan, self.parts, self.resolver = plan, parts, parts.resolver
        self.bits = Bits()
        self.keys = {name: optional(table, name) for name in _SAID}
        self.discards = Discards(table, plan)
        self.slow = np.zeros(plan.length, bool)
        self.count = self._numbers("containers", count_of)
        self.form, self.container = self._read("form", form_of), self._read("container", container_of)
        self.times = self._times()
        # What a cell does not know: it changes an answer, and lifts the refusal that asks for it.
        self.told = np.zeros(plan.length, bool)
        for name in ("basis", "container_volume"):
            self.told |= self.keys[name].of([not blank(value) for value in self.keys[name].values], bool)
        self.slow |= self.told
        named = ("ndc", "container", "container_amount", "containers", "discarded")
        self.opened = any(name in table.column_names for name in named) or any(cell.item for cell in plan.cells)

    def _read(self, name: str, read: Callable[[Any], Any]) -> Keys:
        """A column of few values as they are meant; rows that cannot be read go the one-call way."""
        keys, made, bad = self.keys[name], [], []
        for value in keys.values:
            try:
                made.append(read(value))
                bad.append(False)
            except JcodeunitsError:
                made.append(None)
                bad.append(True)
        self.slow |= keys.of(bad, bool)
        index, values = distinct(made)
        return Keys(keys.of(index), values)

    def _numbers(self, name: str, read: Callable[[Any], int | None]) -> Any:
        """A column of few whole numbers above 0, 0 where there is none."""
        keys = self._read(name, read)
        return keys.of([value or 0 for value in keys.values], np.int64)

    def _times(self) -> Keys:
        """Start and stop as the decision reads them: which of them is said, and how many minutes lie between."""
        both = [self._read(name, _minute) for name in ("start", "stop")]
        pair, pairs = joint([(keys.index, len(keys.values)) for keys in both])
        start, stop = (np.array([m or 0 for m in k.values], np.int64)[at] for k, at in zip(both, pairs.T, strict=True))
        said, ended = start > 0, stop > 0
        index, used = numbered(np.where(said & ended, 3 + (stop - start) % 1440, said + 2 * ended))
        last = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440)]
        ways = [(None, None), ("00:00", None), (None, "00:00"), *(("00:00", text) for text in last)]
        return Keys(index[pair], [ways[n] for n in used.tolist()])

    def row(self, at: int, dose: Any) -> Row:
        """A row as it is written."""
        plan, discards = self.plan, self.discards
        drug, number = plan.drug.values[plan.drug.index[at]]
        said = {name: keys.values[keys.index[at]] for name, keys in self.keys.items()}
        return Row(
            drug,
            dose,
            plan.unit.values[plan.unit.index[at]],
            plan.days.of(at),
            plan.routes[plan.route.index[at]],
            ndc=number,
            discarded=None if discards.column is None else discards.column[at].as_py(),
            **said,
        )

    def key(self, at: int) -> tuple[Any, ...]:
        """All that tells a row from another besides its dose."""
        said = None if self.discards.column is None else self.discards.column[at].as_py()
        return (int(self.plan.cell[at]), *(int(keys.index[at]) for keys in self.keys.values()), said)

    # -- the parts of the rows

    def _combinations(self) -> None:
        """For each combination of drug, route, unit and days in use: what its parts are, as numbers."""
        plan, parts, first = self.plan, self.parts, self.plan.days.first
        drug, route, _, stretch = plan.parts
        own, self.codes = distinct(cell.row for cell in plan.cells)
        self._code = own[plan.cell_of]
        held = np.minimum(stretch, plan.days.stretches - 1)
        index, pairs = joint([(self._code, len(self.codes)), (held, plan.days.stretches)])
        number, review, *limits = parts.standings(self.codes, first, plan.days.stretches, *pairs.T)
        # The NDC on the line: that of what was opened, else the one that names the drug.
        which, self.numbers = distinct(
            number if not blank(number) else text if is_number(text) else None for text, number in plan.drug.values
        )
        valid = np.array([self._valid(text) for text in self.numbers], np.int32)
        self._class = number[index] * 2 + valid[which[drug]]
        names = [not (is_number(text) or self.resolver.is_code(text)) for text, _ in plan.drug.values]
        self._named, self._route = np.array(names, bool)[drug], route
        self._limits = [most[index] for most in limits]
        seasons = int(review.max(initial=0)) + 1
        self._base, self.bases = joint(
            [(plan.cell_of, len(plan.cells)), (which[drug], len(self.numbers)), (review[index], seasons)]
        )
        self._lead = np.unique(self._base, return_index=True)[1]  # a combination that stands for the base

    def _valid(self, number: Any) -> bool:
        """Whether an NDC stands on the line: what is none is left off."""
        if number is None:
            return False
        try:
            self.resolver.products.resolve(str(number).strip(), self.resolver.day_of(self.plan.days.first))
        except JcodeunitsError:
            return False
        return True

    def _judgments(self, rows: Any) -> tuple[Any, list[Judgment | None], list[str], Any]:
        """For each row the number of its judgment; the judgments, why a setting is refused, and the claim form."""
        plan, parts = self.plan, self.parts
        cell = plan.cell[rows]
        line, combined = joint(
            [
                (self._class[cell], 2 * len(parts.classes)),
                (self._route[cell], len(plan.routes)),
                *(self._of(name, rows) for name in _SETTING),
                (self.times.index[rows], len(self.times.values)),
            ]
        )
        made: list[Judgment | None] = []
        self._asked: list[Any] = [None] * len(combined)
        reasons: list[str] = []
        claims = []
        for klass, route, *setting, time in combined.tolist():
            drug, on = parts.classes[klass // 2]
            place, payer, claim, site = (self.keys[name].values[n] for name, n in zip(_SETTING, setting, strict=True))
            said = parts.setting(place, payer, claim, on)
            reasons.append(said.reason)
            claims.append(CLAIMS.index(said.claim))
            if said.reason:
                made.append(None)
                continue
            try:
                way = Way(plan.routes[route], None if blank(site) else str(site), *self.times.values[time])
                asked: Any = (drug, way, said, on, bool(klass % 2))
                made.append(parts.judgment(*asked))
                self._asked[len(made) - 1] = (asked, made[-1])
            except JcodeunitsError:
                made.append(None)  # the row itself is answered by one call
                reasons[-1] = ""
        return line, made, reasons, np.array(claims, np.int8)

    def _of(self, name: str, rows: Any) -> tuple[Any, int]:
        keys = self.keys[name]
        return keys.index[rows], len(keys.values)

    def _products(self, rows: Any, line: Any, judgments: list[Judgment | None]) -> tuple[Any, list[Coefficients]]:
        """For each row the number of what was opened, and the products."""
        plan, parts = self.plan, self.parts
        option, stand = distinct(judgments, lambda judgment: judgment and judgment.wanted)
        opened, combined = joint(
            [
                (self._base[plan.cell[rows]], len(self.bases)),
                (option[line], len(stand)),
                self._of("container_amount", rows),
                (self.discards.unit[rows], len(self.discards.units)),
                (self.form.index[rows], len(self.form.values)),
            ]
        )
        scales = (plan.dose.scale, self.discards.scale)
        amounts = self.keys["container_amount"].values
        bases, leads = self.bases.tolist(), plan.parts[2:, self._lead].T.tolist()
        made = []
        for base, wanted, amount, unit, form in combined.tolist():
            found = stand[wanted]
            if found is None:
                made.append(_NOTHING)
                continue
            cell, number, season = bases[base]
            measure, stretch = leads[base]
            said = (amounts[amount], plan.unit.values[measure])
            told = (said, self.discards.units[unit], self.form.values[form], scales)
            what = plan.cells[cell]
            seen = (id(what), self.numbers[number], season, told, found.wanted)
            product = parts.products.get(seen)
            if product is None:
                on = self.resolver.day_of(stretch + plan.days.first)
                product = parts.products[seen] = parts.product(
                    what, self.numbers[number], amount_text(*said), *told[1:], found, on
                )
            made.append(product)
        return opened, made

    def solve(self, units: Any, amount: Any, rows: Any, unsafe: Any | None) -> Details:
        """The details of these rows, and which of them must go the one-call way."""
        self._combinations()
        marks = None if unsafe is None else unsafe[rows]
        if self.opened or any(keys.values != [None] for keys in self.keys.values()):
            return self._solved(units, amount, rows, marks)
        # Rows that say no more than drug, route, dose, unit and day have the same details where their combination,
        # what the limit makes of their units and how their dose is written are the same: one stands for all.
        cell, first = self.plan.cell[rows], 2 * CLAIMS.index(Setting().claim)
        above = units > np.minimum(*self._limits[first : first + 2])[cell]
        parts = [(cell, self.plan.parts.shape[1]), (above, 2), *([] if marks is None else [(marks, 2)])]
        case, cases = joint(parts, self.plan.pool)
        lead = np.empty(len(cases), np.int64)
        lead[case] = np.arange(len(case))
        of = rows[lead] if isinstance(rows, np.ndarray) else lead
        return self._solved(units[lead], amount[lead], of, None if marks is None else marks[lead]).take(case)

    def _solved(self, units: Any, amount: Any, rows: Any, marks: Any | None) -> Details:
        line, judgments, settings, claims = self._judgments(rows)
        opened, products = self._products(rows, line, judgments)
        whole = Figures(products)
        if self.opened:
            made = self._opened(whole, opened, line, judgments, amount, rows)
        else:
            made = self._unopened(whole, opened, line, judgments)
        cells = self.plan.cell[rows]
        findings = self.plan.spread(self.bits.masks(cell.findings for cell in self.plan.cells))[cells]
        if marks is not None:
            findings |= marks * np.int64(self.bits.mask(("dose-notation",)))
        findings |= self.bits.masks(product.findings for product in products)[opened] | made.findings
        findings |= self.bits.masks(j.findings if j is not None else () for j in judgments)[line]
        findings |= self._beside_waste(line, made.waste > 0, made.rated)
        findings |= self._above(cells, claims[line], units, made.waste)
        reasons = self._reasons(cells, line, judgments, settings, made)
        refused = reasons[0] > 0
        gone = self.bits.masks(j.findings if j is not None and j.reason else () for j in judgments)
        dropped = refused & ~made.withheld
        findings = np.where(dropped, gone[line], findings)
        # A plain name far above the day's limit may mean another form: one call knows.
        slow = made.slow | self.slow[rows] | (self._named[cells] & self._over(cells, claims[line], units, 0))
        slow |= findings >= 1 << BITS
        refused &= ~slow
        billed = ~refused
        texts = {
            "reason": reasons,
            "modifier": self._modifiers(line, judgments, made.jz & billed, billed),
            "ndc11": whole.text("ndc", opened, billed),
            "ndc_qualifier": whole.text("qualifier", opened, billed & made.counted),
            "findings": self._texts(findings),
        }
        return Details(texts, made.waste, made.quantity, made.counted & billed, slow, refused)

    def _beside_waste(self, line: Any, waste: Any, rated: Any) -> Any:
        """The bits of what is found where a JW line stands beside the administered one, with its NDC or without."""
        made = np.zeros(len(line), np.int64)
        rows = np.flatnonzero(waste)
        index, pairs = joint([(line[rows], len(self._asked)), (rated[rows], 2)])
        found = []
        for n, known in pairs.tolist():
            asked, judgment = self._asked[n]
            if not known and judgment.ndc_waste == "split":
                judgment = self.parts.judgment(*asked, beside=False)
            found.append(judgment.beside)
        made[rows] = self.bits.masks(found)[index]
        return made

    def _texts(self, masks: Any) -> tuple[Any, list[str]]:
        index, used = numbered(masks)
        return index, [self.bits.text(mask) for mask in used.tolist()]

    def _above(self, cells: Any, claims: Any, units: Any, waste: Any) -> Any:
        """The bit of the day's limit, where the line or both lines together are above it."""
        return self._over(cells, claims, units, waste) * np.int64(self.bits.mask((unit_limit.id,)))

    def _over(self, cells: Any, claims: Any, units: Any, waste: Any) -> Any:
        over = np.zeros(len(cells), bool)
        for n, limits in enumerate(self._limits):
            if (limits < SAFE).any():
                over |= (counted_to(("day", "line")[n % 2], units, waste) > limits[cells]) & (claims == n // 2)
        return over

    def _reasons(
        self, cells: Any, line: Any, judgments: list[Judgment | None], settings: list[str], made: Evaluated
    ) -> tuple[Any, list[str]]:
        """Why rows are withheld: their setting, their amounts, or what is made of their line."""
        words = [""]
        reason = np.zeros(len(line), np.int32)
        bars = np.array(
            [1 if why else 2 if j is not None and j.reason else 0 for j, why in zip(judgments, settings, strict=True)]
        )
        if bars.any():
            barred = np.flatnonzero(bars[line] > 0)
            which, pairs = joint([(self._code[cells[barred]], len(self.codes)), (line[barred], len(judgments))])
            for code, n in pairs.tolist():
                judgment, row = judgments[n], self.codes[code]
                words.append(settings[n] or (judgment.says(row) if judgment is not None and row is not None else ""))
            reason[barred] = which + 1
        if made.withheld.any():
            plain = np.array([not why for why in settings], bool)[line] & made.withheld
            made.withheld = plain
            words.append(made.why)
            reason[plain] = len(words) - 1
        return reason, words

    def _modifiers(self, line: Any, judgments: list[Judgment | None], jz: Any, billed: Any) -> tuple[Any, list[str]]:
        """The modifiers of the administered line in claim order."""
        words = [""]
        for judgment in judgments:
            for own in ((), ("JZ",)):
                known = judgment and self.parts.modifiers((*own, *judgment.modifiers), judgment.on)
                words.append(known or "")
        return np.where(billed, 1 + line * 2 + jz, 0), words

    def _outcomes(self, whole: Figures, opened: Any, line: Any, judgments: list[Judgment | None], rows: Any) -> Any:
        """For each row its line of the table of outcomes, and the table: finding bits, JZ, JW, withheld."""
        said = self.container
        ruled, stand = distinct(judgments, lambda judgment: judgment and judgment.waste)
        container = said.index[rows] if isinstance(rows, np.ndarray | slice) else np.zeros(len(opened), np.int64)
        table, combined = joint(
            [
                (ruled[line], len(stand)),
                (whole.kind[opened], int(whole.kind.max(initial=0)) + 1),
                (container, len(said.values)),
            ]
        )
        made = np.zeros((4, len(combined), COMPARISONS), np.int64)
        why = ""
        for n, (rule, kind, word) in enumerate(combined.tolist()):
            judgment = stand[rule]
            if judgment is None or not kind:
                continue
            which, notes, memory = self.parts.container(kind, said.values[word])
            for at, outcome in enumerate(self.parts.outcomes(judgment, which, memory)):
                found = (*notes, *((outcome.finding,) if outcome.finding else ()))
                made[:, n, at] = self.bits.mask(found), outcome.modifier == "JZ", outcome.jw, outcome.withheld
                why = withheld(outcome) or why
        return table.astype(np.int64) * COMPARISONS, made.reshape(4, -1), why

    def _unopened(self, whole: Figures, opened: Any, line: Any, judgments: list[Judgment | None]) -> Evaluated:
        """Rows of which nothing is known but the dose: no label, no record, no product."""
        row, table, _ = self._outcomes(whole, opened, line, judgments, None)
        at = row + comparison(1, -1, -1, 1)
        nothing = np.zeros(len(opened), np.int64)
        none = nothing.astype(bool)
        return Evaluated(table[0][at], table[1][at] > 0, none, nothing, nothing, none, whole.slow[opened], none, "")

    def _opened(
        self, whole: Figures, opened: Any, line: Any, judgments: list[Judgment | None], amount: Any, rows: Any
    ) -> Evaluated:
        """The figures of rows with containers, records or products."""
        count, thrown = self.count[rows], self.discards.amount[rows]
        each, given_by, thrown_by, size = (
            figures[opened] for figures in (whole.each, whole.given, whole.thrown, whole.size)
        )
        slow = whole.slow[opened] | (thrown == -2) | ((thrown > 0) & (thrown_by < 0))
        slow |= (
            (amount > whole.most_given[opened])
            | (thrown > whole.most_thrown[opened])
            | (count > whole.most_each[opened])
        )
        amount, count = np.where(slow, 0, amount), np.where(slow, 0, count)
        given = amount * given_by
        lost = np.where(slow | (thrown < 0), -1, thrown * np.maximum(thrown_by, 0))
        filled = filled_whole(given, lost, np.maximum(each, 1))
        count = np.where((count == 0) & (each > 0) & (lost > 0), filled, count)
        label = np.where((count > 0) & (each > 0), count * each, -1)
        size = np.where(whole.band[opened], np.maximum(np.where(label > 0, label, given), 1), size)
        row, table, why = self._outcomes(whole, opened, line, judgments, rows)
        at = row + comparison(given, label, lost, size)
        findings, jz, above = table[0][at], table[1][at] > 0, table[3][at] > 0
        waste = np.where(table[2][at] > 0, waste_units(given, lost, label, size), 0)
        full = np.array([j is not None and j.ndc_waste == "full" for j in judgments], bool)[line]
        figure = np.where(count > 0, whole.with_count[opened], whole.without[opened])
        counted = figure != UNKNOWN
        opening = (jz | ((waste > 0) & full)) & (count > 0) & whole.has_per[opened] & counted
        figure = np.where(opening, OPENED, figure)
        quantity, large = whole.quantities(figure, opened, amount, count)
        rated = counted & whole.rated[opened]
        unknown = whole.counted[opened] & ~counted
        findings = findings | unknown * np.int64(self.bits.mask(("ndc-quantity-unknown",)))
        return Evaluated(findings, jz, above & ~slow, waste, quantity, counted, slow | large, rated, why)


_NOTHING = Coefficients()


def _minute(value: Any) -> int | None:
    """The minute of the day, counted from 1; None where no time is said."""
    text = time_of(value)
    return None if text is None else int(text[:2]) * 60 + int(text[3:]) + 1
