"""A table of administrations to a table of drug lines: the same rows in the same order, answers appended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from .. import convert
from ..catalog import Catalog
from ..dose import Dose
from ..errors import BatchError, JcodeunitsError
from . import columns, kernel
from .plan import Plan
from .resolve import BANDED, REFUSED, Resolver, joined, reason_of

REQUIRED = ("drug", "dose", "unit", "on")
OPTIONAL = (
    "id", "route", "place", "payer", "claim", "ndc", "container", "containers", "container_amount", "discarded",
)  # fmt: skip
OUTPUTS = (
    "hcpcs", "units", "modifier", "waste_units", "ndc11", "ndc_qualifier", "ndc_quantity", "status", "reason",
    "findings",
)  # fmt: skip
# Columns that are read from Parquet as dictionaries: few distinct values in many rows.
KEYED = ("drug", "unit", "on", "route", "place", "payer", "claim", "ndc", "container", "container_amount", "discarded")
# The types of the answers, as a file keeps them.
TYPES = {
    "hcpcs": pa.string(), "units": pa.int64(), "modifier": pa.string(), "waste_units": pa.int64(),
    "ndc11": pa.string(), "ndc_qualifier": pa.string(), "ndc_quantity": pa.decimal128(18, 6),
    "status": pa.string(), "reason": pa.string(), "findings": pa.string(),
}  # fmt: skip
STATUS = ("billed", "refused")
THREADS = 2
_REMEMBERED = 1 << 16


class Words:
    """Texts as they come up, each with its number; the dictionary of an output column."""

    def __init__(self, *first: str) -> None:
        self.texts: list[str] = list(first)
        self._at = {text: n for n, text in enumerate(first)}

    def __call__(self, text: str) -> int:
        """The number of a text."""
        at = self._at.get(text)
        if at is None:
            at = self._at[text] = len(self.texts)
            self.texts.append(text)
        return at

    def column(self, index: Any, missing: Any | None = None) -> Any:
        """A dictionary-encoded column from numbers (int32); `missing` marks the rows without a value."""
        return pa.DictionaryArray.from_arrays(
            pa.array(index, pa.int32(), mask=missing), pa.array(self.texts, pa.string()), safe=False
        )


@attrs.frozen(eq=False)
class One:
    """The answer of the one-call path to a single row."""

    code: str = ""
    units: int = 0
    findings: str = ""
    reason: str = ""


@attrs.define(eq=False)
class Answers:
    """Units (0 where refused) and what speaks about them, by row: numbers into `Words`, -1 for the cell's own."""

    plan: Plan
    units: Any
    refused: Any  # bool by row
    unsafe: Any | None  # bool by row: the number is written in a way that is read with a note
    single: dict[int, One]  # rows that the one-call path answered


def solve(plan: Plan) -> Answers:
    """Units for every row: the integer kernel where it holds the amount, the one-call path for the rest."""
    top, bottom, least, most = plan.numbers()
    banded = bool((least > 1).any())
    units = np.empty(plan.length, np.int64)
    dose = plan.dose

    def block(start: int, stop: int) -> tuple[Any, Any]:
        amount, cell = dose.scaled(start, stop), plan.cell[start:stop]
        good = amount <= most[cell]
        good &= amount >= least[cell] if banded else amount > 0
        made = kernel.ceiling(amount, top[cell], bottom[cell])
        if good.all():
            units[start:stop] = made
            return _NONE, _NONE
        units[start:stop] = np.where(good, made, 0)
        rest = np.flatnonzero(~good)
        return rest + start, amount[rest] > 0

    parts = plan.each(block)
    rest = np.concatenate([part for part, _ in parts]) if parts else _NONE
    held = np.concatenate([part for _, part in parts]) if parts else _NONE
    refused = np.zeros(plan.length, bool)
    refused[rest] = True
    answers = Answers(plan, units, refused, _unsafe(plan), {})
    if len(rest):
        state = plan.spread(np.array([cell.state for cell in plan.cells], np.int8))[plan.cell[rest]]
        settled = held.astype(bool) & ((state == REFUSED) | (state == BANDED))
        _one_by_one(answers, rest[~settled])
    return answers


_NONE = np.empty(0, np.int64)


def _unsafe(plan: Plan) -> Any | None:
    if not plan.dose.text:
        return None
    parts = plan.each(plan.dose.unsafe)
    return np.concatenate(parts) if parts and parts[0] is not None else None


def _one_by_one(answers: Answers, rows: Any) -> None:
    """Rows that the integers do not hold: each distinct case is answered by one call."""
    plan = answers.plan
    known: dict[tuple[int, Any], One] = {}
    for row, raw in zip(rows.tolist(), plan.dose.raw(rows), strict=True):
        key = (int(plan.cell[row]), raw if raw == raw else None)
        one = known.get(key)
        if one is None:
            if len(known) > _REMEMBERED:
                known.clear()
            one = known[key] = _one(plan, row, raw)
        answers.single[row] = one
        answers.units[row] = one.units
        answers.refused[row] = bool(one.reason)


def _one(plan: Plan, row: int, raw: Any) -> One:
    """One row by `billing_units`, its refusal as text."""
    cell = plan.cells[plan.position(row)]
    if cell.first:
        return One(reason=cell.reason)
    day = plan.days.of(row)
    try:
        dose = dose_of(raw, plan.unit.values[plan.unit.index[row]])
        route = plan.routes[plan.route.index[row]]
        billed = convert.billing_units(plan.drug.values[plan.drug.index[row]], dose, day, route, None, plan.resolver.book)
    except JcodeunitsError as error:
        return One(reason=reason_of(error, day))
    if billed.count > kernel.INT64:
        return One(reason="UnreadableDose: no dose comes to so many units. Check the amount and its unit.")
    return One(billed.code, billed.count, joined(note.rule for note in billed.findings))


def dose_of(raw: Any, unit: Any) -> Dose:
    """The dose of a row: text with its unit, or a number and a unit."""
    if unit is None or not str(unit).strip():
        return Dose.of(raw)
    return Dose.of(columns.plain(raw), unit)


# --- the output ---------------------------------------------------------------------------------------


def bill(table: Any, *, catalog: Catalog | None = None, outputs: Sequence[str] = OUTPUTS) -> Any:
    """Bill every row of an Arrow table; see `jcodeunits.batch`."""
    given = as_table(table)
    check_columns(given.column_names, outputs)
    with ThreadPoolExecutor(THREADS) as pool:
        return Biller(Resolver(catalog), pool, outputs).bill(given)


def as_table(table: Any) -> Any:
    """An Arrow table from a table, a record batch, or any data frame that speaks Arrow.

    Raises `BatchError` for anything else.
    """
    if isinstance(table, pa.Table):
        return table
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    if hasattr(table, "__arrow_c_stream__"):
        return pa.table(table)
    raise BatchError(
        f"A {type(table).__name__} is no table. Give a pyarrow table, or a Polars, pandas or DuckDB frame.",
        place="table",
    )


def check_columns(names: Sequence[str], outputs: Sequence[str] = OUTPUTS) -> None:
    """Raise `BatchError` where a column is missing or doubled, or an answer would overwrite one."""
    unknown = [name for name in outputs if name not in OUTPUTS]
    if unknown:
        raise BatchError(f"{', '.join(unknown)} is no output. There are: {', '.join(OUTPUTS)}.", place="outputs")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise BatchError(
            f"The table lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; it has "
            f"{', '.join(names) or 'none'}. Wanted: {', '.join(REQUIRED)}; optional: {', '.join(OPTIONAL)}.",
            place=", ".join(missing),
        )  # fmt: skip
    doubled = sorted({name for name in names if list(names).count(name) > 1})
    taken = [name for name in outputs if name in names]
    if doubled or taken:
        what = f"twice the column {', '.join(doubled)}" if doubled else f"already the column {', '.join(taken)}"
        raise BatchError(f"The table has {what}. Rename or drop it first.", place=", ".join(doubled or taken))


class Biller:
    """Bills one table after another with one memory of names, units and dates: a stream's record batches.

    Keeps count of what came of the rows: `rows`, `billed`, `refusals()`, `dates`.
    """

    def __init__(self, resolver: Resolver, pool: ThreadPoolExecutor, outputs: Iterable[str] = OUTPUTS) -> None:
        self.resolver, self.pool, self.outputs = resolver, pool, tuple(outputs)
        self.rows = self.billed = 0
        self._refused: dict[str, int] = {}
        self.dates: tuple[dt.date | None, dt.date | None] = (None, None)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the tables that the answers were read from."""
        return self.resolver.fingerprint

    def schema(self, given: Any) -> Any:
        """The schema of the output for an input's schema."""
        for name in self.outputs:
            given = given.append(pa.field(name, TYPES[name]))
        return given

    def refusals(self) -> tuple[tuple[str, int], ...]:
        """Refused rows by kind, the most frequent first."""
        return tuple(sorted(self._refused.items(), key=lambda item: (-item[1], item[0])))

    def bill(self, table: Any) -> Any:
        """The table with the answers appended."""
        plan = Plan(table, self.resolver, self.pool)
        answers = solve(plan)
        reason = _reason(answers)
        self._count(answers, reason)
        made: dict[str, Callable[[], Any]] = {
            "hcpcs": lambda: _hcpcs(answers), "units": lambda: _units(answers), "status": lambda: _status(answers),
            "reason": lambda: reason, "findings": lambda: _findings(answers),
        }  # fmt: skip
        for name in self.outputs:
            if name in made:
                table = table.append_column(name, made[name]())
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
        days = [day for day in (*self.dates, *answers.plan.days.span()) if day is not None]
        self.dates = (min(days), max(days)) if days else (None, None)


def _by_cell(plan: Plan, texts: Iterable[str], words: Words) -> Any:
    """Numbers of a text of each cell, by row."""
    lookup = plan.spread(np.array([words(text) for text in texts], np.int32))
    made = np.empty(plan.length, np.int32)
    plan.each(lambda start, stop: made.__setitem__(slice(start, stop), lookup[plan.cell[start:stop]]))
    return made


def _hcpcs(answers: Answers) -> Any:
    words = Words("")
    index = _by_cell(answers.plan, (cell.row.code if cell.row else "" for cell in answers.plan.cells), words)
    for row, one in answers.single.items():
        index[row] = words(one.code)
    return words.column(index, _none(answers.refused))


def _none(mask: Any) -> Any | None:
    return mask if mask.any() else None


def _units(answers: Answers) -> Any:
    return pa.array(answers.units, pa.int64(), mask=_none(answers.refused))


def _status(answers: Answers) -> Any:
    return Words(*STATUS).column(answers.refused.astype(np.int32))


def _reason(answers: Answers) -> Any:
    if not answers.refused.any():
        return pa.nulls(answers.plan.length, pa.dictionary(pa.int32(), pa.string()))
    words = Words("")
    index = _by_cell(answers.plan, (cell.reason for cell in answers.plan.cells), words)
    for row, one in answers.single.items():
        index[row] = words(one.reason)
    return words.column(index, ~answers.refused)


def _findings(answers: Answers) -> Any:
    words = Words("")
    cells = answers.plan.cells
    index = _by_cell(answers.plan, (cell.findings[0] for cell in cells), words)
    if answers.unsafe is not None and answers.unsafe.any():
        noted = _by_cell(answers.plan, (cell.findings[1] for cell in cells), words)
        index = np.where(answers.unsafe, noted, index)
    for row, one in answers.single.items():
        index[row] = words(one.findings)
    index[answers.refused] = 0
    return words.column(index)
