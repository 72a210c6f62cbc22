"""A table of administrations to a table of drug lines: the same rows in the same order, answers appended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import attrs
import numpy as np
import pyarrow as pa

from .. import mar
from ..amount import quotient_up
from ..dated import date_pattern
from ..errors import BatchError, need_kind, quoted
from ..facts.reference import Reference
from ..headings import need_columns, need_free, need_once, warn_unread
from ..recipes.cells import REFUSED, Cell
from ..recipes.lines import Parts
from ..recipes.resolver import Resolver
from . import columns, frames
from .details import Details, Work
from .frames import GIVEN, renamed
from .joints import distinct, in_blocks
from .plan import Plan
from .record import Clerk, One

REQUIRED = ("drug", "dose", "on")
OPTIONAL = (
    "unit",
    "id",
    "route",
    "place",
    "payer",
    "claim",
    "ndc",
    "container",
    "containers",
    "container_amount",
    "container_volume",
    "discarded",
    "start",
    "stop",
    "form",
    "basis",
    "weight",
    "site",
    "action",
)
# Columns that are read from Parquet as dictionaries: few distinct values in many rows.
KEYED = (*(name for name in OPTIONAL if name not in ("id", "containers", "weight")), "drug", "on")
# Columns that say more than a dose: with one of them a row is judged like a charge, whatever is asked for.
DETAILS = frozenset(OPTIONAL) - {"id", "action", "unit"}
_PLAIN = frozenset({"hcpcs", "units", "status", "reason"})
# The types of the answers, as a file keeps them.
TYPES = {
    "hcpcs": pa.string(),
    "units": pa.int64(),
    "modifier": pa.string(),
    "waste_units": pa.int64(),
    "ndc11": pa.string(),
    "ndc_qualifier": pa.string(),
    "ndc_quantity": pa.decimal128(38, 6),
    "status": pa.string(),
    "reason": pa.string(),
    "findings": pa.string(),
}
OUTPUTS = tuple(TYPES)
STATUS = ("billed", "refused")
Frame = TypeVar("Frame")
THREADS = 2
_REMEMBERED = 1 << 16


@attrs.define(eq=False)
class Answers:
    """Units by row (0 where refused), the scaled doses behind them, and the rows that one call answered each."""

    plan: Plan
    units: Any
    amounts: Any
    refused: Any  # bool by row
    unsafe: Any | None  # bool by row: the number is written in a way that is read with a note
    left: Any  # rows that neither the kernel nor their cell could answer
    single: dict[int, One] = attrs.field(factory=dict)


_NONE = np.empty(0, np.int64)


def solve(plan: Plan, detailed: bool) -> Answers:
    """Units for every row that the integer kernel holds; what a cell refuses is refused; the rest is `left`."""
    top, bottom, least, most = plan.numbers()
    limited = bool((least > 1).any())
    units = np.empty(plan.length, np.int64)
    amounts = np.empty(plan.length if detailed else 0, np.int64)
    dose = plan.dose

    def block(part: slice) -> tuple[Any, Any]:
        amount, cell = dose.scaled(part), plan.cell[part]
        if detailed:
            amounts[part] = amount
        good = amount <= most[cell]
        good &= amount >= least[cell] if limited else amount > 0
        made = quotient_up(amount * top[cell], bottom[cell])
        if good.all():
            units[part] = made
            return _NONE, _NONE
        units[part] = np.where(good, made, 0)
        rest = np.flatnonzero(~good)
        return rest + part.start, amount[rest]

    parts = in_blocks(plan.length, block, plan.pool)
    rest = np.concatenate([_NONE, *(part for part, _ in parts)])
    held = np.concatenate([_NONE, *(part for _, part in parts)])
    refused = np.zeros(plan.length, bool)
    refused[rest] = True
    if len(rest):
        state = plan.spread(np.array([cell.state for cell in plan.cells], np.int8))[plan.cell[rest]]
        rest = rest[(held <= 0) | (state != REFUSED)]
    return Answers(plan, units, amounts, refused, _unsafe(plan), rest)


def _unsafe(plan: Plan) -> Any | None:
    if not plan.dose.text:
        return None
    parts = in_blocks(plan.length, plan.dose.unsafe, plan.pool)
    return np.concatenate(parts) if parts and parts[0] is not None else None


def one_by_one(answers: Answers, work: Work, clerk: Clerk, rows: Any) -> None:
    """Rows that the arrays do not hold: each distinct case is answered by one call."""
    plan = answers.plan
    known: dict[tuple[Any, ...], One] = {}
    for row, raw in zip(rows.tolist(), plan.dose.raw(rows), strict=True):
        cell = plan.cell_at(row)
        key = (raw if raw == raw else None, *work.key(row), plan.days.of(row) if cell.by_day else None)
        one = known.get(key)
        if one is None:
            if len(known) > _REMEMBERED:
                known.clear()
            one = known[key] = One(reason=cell.reason) if cell.first else clerk.answer(work.row(row, raw))
        answers.single[row] = one
        answers.units[row] = one.units
        answers.refused[row] = bool(one.reason)


def not_given(answers: Answers, table: Any) -> None:
    """Refuse the rows whose `action`, the word of an administration record, does not say that they were given here.

    Whatever its action is, a row is refused whose word in a column of a like name says that it was not given (what
    nobody knows there is about something else), or that has a reason why, or a yes or no that says so.
    """
    for name, kind in zip(table.schema.names, table.schema.types, strict=True):
        doubt = mar.doubt(name)
        if doubt and not (pa.types.is_nested(kind) or pa.types.is_temporal(getattr(kind, "value_type", kind))):
            _refuse_where(answers, table, name, doubt)
    if "action" not in table.column_names:
        return
    said = columns.keys(table["action"])
    ended = _present(table, "stop") & _present(table, "start")
    reasons = [mar.why_not(word) for word in said.values]
    bags = np.array([mar.meaning(str(word)) == "bag" for word in said.values])[said.index] & ~ended
    against = np.array([bool(why) for why in reasons])[said.index]
    for row in np.flatnonzero(against | bags).tolist():
        word = said.values[said.index[row]]
        why = reasons[said.index[row]] or f"NotGiven: action {quoted(word)}: {mar.MEANINGS['bag']}"
        _refuse(answers, row, why)


def _refuse_where(answers: Answers, table: Any, name: str, why: Callable[[str], str]) -> None:
    """Refuse the rows whose value in a column says that nothing was given here."""
    said = columns.keys(table[name])
    reasons = ["" if value is None else why(str(value).strip()) for value in said.values]
    for row in np.flatnonzero(np.array([bool(reason) for reason in reasons], bool)[said.index]).tolist():
        _refuse(answers, row, f"NotGiven: {name} {reasons[said.index[row]]}")


def _refuse(answers: Answers, row: int, why: str) -> None:
    answers.single[row] = One(reason=why)
    answers.refused[row], answers.units[row] = True, 0


def _present(table: Any, name: str) -> Any:
    if name not in table.column_names:
        return np.zeros(table.num_rows, bool)
    keys = columns.keys(table[name])
    return np.array([value is not None and str(value).strip() != "" for value in keys.values])[keys.index]


def bill(
    table: Frame,
    *,
    reference: Reference | None = None,
    outputs: Sequence[str] = OUTPUTS,
    date_format: str | None = None,
) -> Frame:
    """Bill every row of a table: an Arrow table, a pandas or Polars frame, or what gives an Arrow stream.

    Back comes the same kind of table (of an Arrow stream, an Arrow table) with the answers appended; see
    `jcodeunits.batch`. `date_format` is how dates of service are written where not as ISO: `MM/DD/YYYY`.
    Raises `BatchError` where a column is missing, and for a lazy frame.
    """
    book = Reference.of(reference)

    def wanted(names: Sequence[str]) -> list[str]:
        check_columns(names, book, outputs)
        warn_unread(names, (*REQUIRED, *OPTIONAL), "administrations", book, stacklevel=5)
        return [name for name in names if name in (*REQUIRED, *OPTIONAL) or mar.doubt(name) is not None]

    given, back = frames.opened(table, wanted)
    with ThreadPoolExecutor(THREADS) as pool:
        made = Biller(Resolver(book), pool, outputs, date_format).bill(given)
    return cast("Frame", back(made, outputs))


def check_columns(
    names: Sequence[str], reference: Reference, outputs: Sequence[str] = OUTPUTS, file: str = "The table"
) -> None:
    """Raise `BatchError` where a column is missing or doubled, or has the name that another is given."""
    need_kind(outputs, (list, tuple), "outputs", "a list of names")
    unknown = [quoted(name) for name in outputs if name not in OUTPUTS]
    if unknown:
        raise BatchError(f"{', '.join(unknown)} is no output. There are: {', '.join(OUTPUTS)}.", place="outputs")
    need_columns(names, REQUIRED, OPTIONAL, file, "administrations", reference)
    need_once(names, file)
    need_free(names, [f"{GIVEN}{name}" for name in outputs if name in names], file)


def schema_of(given: Any, outputs: Sequence[str]) -> Any:
    """The schema of the output for an input's schema."""
    passed = [field.with_name(name) for field, name in zip(given, renamed(given.names, outputs), strict=True)]
    return pa.schema([*passed, *(pa.field(name, TYPES[name]) for name in outputs)], given.metadata)


class Biller:
    """Bills one table of a stream after another, keeping names and units, and counts what came of the rows."""

    def __init__(
        self,
        resolver: Resolver,
        pool: ThreadPoolExecutor,
        outputs: Iterable[str] = OUTPUTS,
        date_format: str | None = None,
    ) -> None:
        self.dates_written = date_pattern(date_format)
        self.resolver, self.pool, self.outputs = resolver, pool, tuple(outputs)
        self.parts = Parts(resolver)
        self.clerk = Clerk(self.parts)
        self.rows = self.billed = 0
        self._refused: dict[str, int] = {}
        self.dates: tuple[dt.date | None, dt.date | None] = (None, None)

    @property
    def reference(self) -> Reference:
        """The facts that the answers were read from."""
        return self.resolver.reference

    def refusals(self) -> tuple[tuple[str, int], ...]:
        """Refused rows by kind, the most frequent first."""
        return tuple(sorted(self._refused.items(), key=lambda item: (-item[1], item[0])))

    def bill(self, table: Any) -> Any:
        """The table with the answers appended."""
        detailed = not _PLAIN.issuperset(self.outputs) or any(name in table.column_names for name in DETAILS)
        if detailed:
            self.resolver.detail()
        given = columns.readable(table, (name for name in (*REQUIRED, *OPTIONAL) if name != "id"), self.dates_written)
        dose, unit = columns.apart(given["dose"], given["unit"] if "unit" in given.column_names else None)
        read = given.set_column(given.column_names.index("dose"), "dose", dose)
        read = read.drop_columns(["unit"] if "unit" in given.column_names else []).append_column("unit", unit)
        plan = Plan(read, self.resolver, self.pool)
        answers = solve(plan, detailed)
        work = Work(given, plan, self.parts) if detailed or len(answers.left) else None
        details = _detail(answers, work) if detailed and work is not None else None
        if work is not None:
            answers.left = np.union1d(answers.left, np.flatnonzero(answers.refused & work.told))
            one_by_one(answers, work, self.clerk, answers.left)
        not_given(answers, given)
        result = Result(answers, details)
        reason = result.reason()
        self._count(answers, reason)
        metadata = table.schema.metadata  # of pandas: which column is the index
        table = table.rename_columns(renamed(table.column_names, self.outputs)).replace_schema_metadata(metadata)
        for name in self.outputs:
            table = table.append_column(name, reason if name == "reason" else result.column(name))
        return table

    def _count(self, answers: Answers, reason: Any) -> None:
        length = answers.plan.length
        self.rows += length
        billed = length - int(answers.refused.sum())
        self.billed += billed
        if billed < length:
            codes = reason.indices.to_numpy(zero_copy_only=False)[answers.refused].astype(np.int64)
            counts = np.bincount(codes, minlength=len(reason.dictionary))
            for text, count in zip(reason.dictionary.to_pylist(), counts.tolist(), strict=True):
                if count:
                    kind = text.partition(":")[0]
                    self._refused[kind] = self._refused.get(kind, 0) + count
        days = [day for day in (*self.dates, *answers.plan.days.span) if day is not None]
        self.dates = (min(days), max(days)) if days else (None, None)


def _detail(answers: Answers, work: Work) -> tuple[Any, Details]:
    """The details of the rows that the kernel answered; those that the arrays cannot hold are left to one call each."""
    some = answers.refused.any()
    rows: Any = np.flatnonzero(~answers.refused) if some else slice(None)
    details = work.solve(answers.units[rows], answers.amounts[rows], rows, answers.unsafe)
    of: Any = rows if some else np.arange(answers.plan.length)
    answers.left = np.concatenate([answers.left, of[details.slow]])
    withheld = of[details.refused]
    answers.refused[withheld] = True
    answers.units[withheld] = 0
    return rows, details


class Result:
    """The answers as columns."""

    def __init__(self, answers: Answers, details: tuple[Any, Details] | None) -> None:
        self.answers, self.plan = answers, answers.plan
        self.rows: Any = None
        self.details: Details | None = None
        if details is not None:
            self.rows, self.details = details

    def column(self, name: str) -> Any:
        """An output by its name: what has no method of its own is a text of the details."""
        own = getattr(self, name, None)
        return self._text(name) if own is None else own()

    def _text(self, name: str, of_cell: Callable[[Cell], str] | None = None, missing: Any | None = None) -> Any:
        """A text by row: of its cell, of its details where it has some, of its own where one call answered it."""
        plan, single = self.plan, self.answers.single
        cells = [of_cell(cell) for cell in plan.cells] if of_cell is not None else []
        own, texts = self.details.texts.get(name, (None, [])) if self.details is not None else (None, [])
        numbers, words = distinct(["", *cells, *texts, *(getattr(one, name) for one in single.values())])
        of_cells, of_texts, of_single = np.split(numbers[1:], [len(cells), len(cells) + len(texts)])
        if len(words) == 1 and missing is None:
            return pa.nulls(plan.length, pa.dictionary(pa.int32(), pa.string()))
        index = np.zeros(plan.length, np.int32)
        if cells:
            lookup = plan.spread(of_cells)
            in_blocks(plan.length, lambda part: index.__setitem__(part, lookup[plan.cell[part]]), plan.pool)
        if own is not None and self.details is not None:
            index[self.rows] = of_texts[own] if of_cell is None else np.where(self.details.refused, of_texts[own], 0)
        index[list(single)] = of_single
        return _dictionary(index, words, index == 0 if missing is None else missing)

    def hcpcs(self) -> Any:
        """The code."""
        return self._text("hcpcs", lambda cell: cell.row.code if cell.row else "", self.answers.refused)

    def units(self) -> Any:
        """Billing units of the administered line."""
        return self._counted(self.answers.units)

    def waste_units(self) -> Any:
        """Units of the JW line, 0 where there is none."""
        made = np.zeros(self.plan.length, np.int64)
        if self.details is not None and self.details.waste.any():
            made[self.rows] = self.details.waste
        for row, one in self.answers.single.items():
            made[row] = one.waste_units
        return self._counted(made)

    def _counted(self, units: Any) -> Any:
        refused = self.answers.refused
        return pa.array(units, pa.int64(), mask=refused if refused.any() else None)

    def ndc_quantity(self) -> Any:
        """The NDC quantity of the administered line."""
        has = np.zeros(self.plan.length, bool)
        if self.details is not None:
            has[self.rows] = self.details.counted
        if not (has.any() or self.answers.single):
            return pa.nulls(self.plan.length, TYPES["ndc_quantity"])
        made = np.zeros((self.plan.length, 2), np.int64)
        if self.details is not None:
            made[self.rows, 0] = self.details.quantity
        for row, one in self.answers.single.items():
            has[row] = one.ndc_quantity is not None
            value = int(one.ndc_quantity * columns.MICRO) if one.ndc_quantity is not None else 0
            made[row] = np.array([value & (2**64 - 1), value >> 64], np.object_).astype(np.uint64).view(np.int64)
        has &= ~self.answers.refused
        bits = pa.py_buffer(np.packbits(has, bitorder="little"))
        return pa.Array.from_buffers(TYPES["ndc_quantity"], self.plan.length, [bits, pa.py_buffer(made)])

    def status(self) -> Any:
        """Billed or refused."""
        return _dictionary(self.answers.refused.astype(np.int32), STATUS)

    def reason(self) -> Any:
        """Why a row is refused."""
        refused = self.answers.refused
        if not refused.any():
            return pa.nulls(self.plan.length, pa.dictionary(pa.int32(), pa.string()))
        return self._text("reason", lambda cell: cell.reason, ~refused)


def _dictionary(index: Any, words: Sequence[str], missing: Any | None = None) -> Any:
    """A column of texts from their numbers (int32); `missing` marks the rows without a value."""
    return pa.DictionaryArray.from_arrays(
        pa.array(index, pa.int32(), mask=missing), pa.array(words, pa.string()), safe=False
    )
