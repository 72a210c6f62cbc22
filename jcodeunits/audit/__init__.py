"""Already-billed lines judged: what ours would be, the difference in units and money, the cause and its source.

Each line of a claim file is billed again from the dose that stands beside it. Lines of one claim, code and date
are judged together, so that a JW line and its administered line are one judgment. What cannot be judged is
`unjudged`, never wrong. The causes are a closed list: `causes.ALL`.

>>> import pyarrow as pa
>>> made = judge(pa.table({"claim": ["1"], "line": [1], "code": ["J0696"], "units": [1], "modifiers": [None],
...     "on": ["2026-03-02"], "dose": ["1"], "unit": ["g"]}))
>>> made.select(["verdict", "expected_units", "difference_units", "cause"]).to_pylist()
[{'verdict': 'differs', 'expected_units': 4, 'difference_units': -3, 'cause': 'wrong-multiplier'}]
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from ..batch import columns, files
from ..batch.frames import arrow
from ..batch.joints import numbered
from ..batch.stream import run_stream
from ..batch.table import KEYED, THREADS, Biller
from ..dated import date_pattern
from ..facts.reference import Reference
from ..headings import in_several, need_columns, need_free, need_once, unread, warn_unread
from ..recipes.resolver import Resolver
from . import causes
from .agreement import agreeing
from .billed import as_billed, modifiers_of
from .chargemaster import chargemaster, chargemaster_file
from .claims import ScatteredClaims, at_once, together
from .expected import ANSWERS, Bench
from .report import Report, Sum, check_files, report
from .verdicts import BilledLine, Judge, Verdict, units_of

REQUIRED = ("claim", "line", "code", "units", "modifiers", "on", "dose", "unit")
OPTIONAL = (
    "drug",
    "ndc",
    "ndc_qualifier",
    "ndc_quantity",
    "container",
    "containers",
    "container_amount",
    "discarded",
    "payer",
    "place",
    "claim_type",
)
# Column of an answer: its type, and what of a verdict it holds.
_COLUMNS = {
    "verdict": (pa.string(), "verdict"),
    "expected_code": (pa.string(), "code"),
    "expected_units": (pa.int64(), "units"),
    "expected_modifiers": (pa.string(), "modifiers"),
    "expected_ndc": (pa.string(), "ndc"),
    "difference_units": (pa.int64(), "difference"),
    "difference_amount": (pa.decimal128(38, 2), "amount"),
    "units_above_limit": (pa.int64(), "above"),
    "cause": (pa.string(), "cause"),
    "citation": (pa.string(), "citation"),
}
TYPES = {name: kind for name, (kind, _) in _COLUMNS.items()}
OUTPUTS = tuple(TYPES)
# The same as they are made: texts that many rows share, once each.
_MADE = {
    name: pa.dictionary(pa.int32(), kind) if kind == pa.string() and name != "expected_ndc" else kind
    for name, kind in TYPES.items()
}
_MOST = 2**62
_OURS = tuple(name for name in (*REQUIRED, *OPTIONAL) if name != "line")


def judge(table: Any, *, reference: Reference | None = None, date_format: str | None = None) -> Any:
    """Judge the lines of an Arrow table (or of a frame that speaks Arrow); the same rows, in the same order.

    Columns wanted: claim, line, code, units, modifiers, on, dose, unit; optional: drug, ndc, ndc_qualifier,
    ndc_quantity, container, containers, container_amount, discarded, payer, place, claim_type. Modifiers may stand in
    columns of their own (modifier_1 to modifier_4, MOD1), and behind the code (J1885-JZ); an NDC may have its quantity
    behind it (N400409379501ML1). Appended: verdict (`agrees`, `differs`, `unjudged`), expected_code, expected_units,
    expected_modifiers, expected_ndc, difference_units, difference_amount (dollars, where a payment limit of the date
    is known), units_above_limit (above the MUE of a line, or on the first line those of all the day's; the units may
    follow from the dose all the same, so it makes no verdict), cause (ids, the gravest first, separated
    by bars), citation. `date_format` is how dates of service are written where not as ISO: `MM/DD/YYYY`. Raises
    `BatchError` where a column is missing or doubled.
    """
    given, book = arrow(table), Reference.of(reference)
    check_columns(given.column_names, book)
    warn_unread(given.column_names, (*REQUIRED, *OPTIONAL), "lines", book)
    with _biller(book) as biller:
        made = _judge(given, biller, date_pattern(date_format))
    for name, kind in TYPES.items():
        made = made.set_column(made.column_names.index(name), name, made[name].cast(kind))
    return made


@contextlib.contextmanager
def _biller(reference: Reference) -> Iterator[Biller]:
    with ThreadPoolExecutor(THREADS) as pool:
        yield Biller(Resolver(reference), pool, ANSWERS)


def _judge(given: Any, biller: Biller, dates: str) -> Any:
    """A table with the answers appended, in its own order."""
    marks = in_several(given.column_names, "modifiers", "lines", biller.reference)
    ours = [name for name in (*_OURS, *marks) if name in given.column_names]
    made = columns.readable(given.select(ours), (n for n in ours if not _is_list(given, n)), dates)
    made = as_billed(made, marks)
    order, starts = _groups(made)
    made = made if _ascends(order) else made.take(pa.array(order))
    parts = []
    for first, last in _chunks(starts, given.num_rows):
        inside = starts[(starts >= first) & (starts < last)] - first
        parts.append(_judged(made.slice(first, last - first), inside, biller))
    answers = pa.concat_tables(parts) if parts else pa.schema(list(_MADE.items())).empty_table()
    if not _ascends(order):
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        answers = answers.take(pa.array(back))
    for name in OUTPUTS:
        given = given.append_column(name, answers[name])
    return given


def _is_list(table: Any, name: str) -> bool:
    """Whether a column holds lists, as one of modifiers may."""
    kind = table[name].type
    return name == "modifiers" and pa.types.is_nested(kind) and not pa.types.is_run_end_encoded(kind)


def _ascends(order: Any) -> bool:
    return bool((order[1:] > order[:-1]).all())


def judge_file(
    source: str | Path,
    target: str | Path | None = None,
    *,
    reference: Reference | None = None,
    spreadsheet_safe: bool = False,
    encoding: str = "utf-8",
    date_format: str | None = None,
    progress: bool | None = None,
    sample: int = 0,
    by: str = "cause",
    page: str | Path | None = None,
) -> Report:
    """Judge a file of billed lines (CSV, Parquet or spreadsheet; `-` is standard input) and sum it up.

    With a target the judged lines are written there, whole or not at all. Where the lines of a claim stand together
    the file goes through line by line; where they do not, or on standard input, it is held in memory. `date_format` as
    for `judge`. `progress` shows a bar on standard error (None: only on a terminal). With `sample` above 0 the target
    holds a sample for a reviewer instead: at most so many lines of each cause, code or verdict (`by`), the same for the
    same file. `page` (.html or .md) is the report with plots, sources and the sample. Raises `BatchError`.
    """
    book, dates = Reference.of(reference), date_pattern(date_format)
    check_files(source, target, page, book)

    def summed(way: Callable[[files.OpenedInput], Iterator[Any]]) -> Sum:
        """Everything once through, in the tables that `way` makes of the file."""
        sums = Sum(book, sample, by)
        opened = files.open_source(source, (*KEYED, "code", "modifiers", "ndc_qualifier"), encoding)
        check_columns(opened.schema.names, book, opened.name)
        sums.unread = (*unread(opened.schema.names, (*REQUIRED, *OPTIONAL), "lines", book), *opened.more)
        schema = opened.schema
        for name, kind in TYPES.items():
            schema = schema.append(pa.field(name, kind))
        opened = attrs.evolve(opened, tables=way(opened))
        with _biller(book) as biller:
            run_stream(
                opened, None if sample else target, _counted(biller, sums, dates), schema, spreadsheet_safe, progress
            )
        if sample and target is not None:
            with files.open_target(target, schema, spreadsheet_safe=spreadsheet_safe) as write:
                write(pa.Table.from_pylist(list(sums.sample()), schema))
        return sums

    try:
        sums = summed(at_once if str(source) == "-" else together)
    except ScatteredClaims:
        sums = summed(at_once)
    return sums.finish(source, target, page)


def _counted(biller: Biller, sums: Sum, dates: str) -> Callable[[Any], Any]:
    """Judges a table and counts what came of it."""

    def work(table: Any) -> Any:
        made = _judge(table, biller, dates)
        sums.add(made)
        return made.unify_dictionaries()

    return work


def check_columns(names: Sequence[str], reference: Reference, file: str = "The table") -> None:
    """Raise `BatchError` where a column is missing, doubled, or named like an answer."""
    several = bool(in_several(names, "modifiers", "lines", reference))
    required = [name for name in REQUIRED if name != "modifiers" or not several]
    need_columns(names, required, OPTIONAL, file, "lines", reference)
    need_once(names, file)
    need_free(names, OUTPUTS, file)


def _groups(table: Any) -> tuple[Any, Any]:
    """The rows sorted by claim, code and date, and where each group starts; a line without a claim stands alone."""
    rows = table.num_rows
    claim, size = columns.numbers(table["claim"])
    made = np.where(columns.blanks(columns.whole(table["claim"])), size + np.arange(rows), claim)
    size += rows
    for name in ("on", "code"):
        index, count = columns.numbers(table[name])
        if size * count > _MOST:
            made, size = numbered(made)[0].astype(np.int64), rows
        made, size = made * count + index, size * count
    made = numbered(made)[0]
    order = np.argsort(made, kind="stable")
    sorted_groups = made[order]
    starts = np.flatnonzero(np.concatenate([[True], sorted_groups[1:] != sorted_groups[:-1]]))
    return order, starts[:rows]


def _chunks(starts: Any, rows: int) -> Iterator[tuple[int, int]]:
    """Stretches of about as many rows as a file is read by, that cut no group."""
    first = 0
    while first < rows:
        at = int(np.searchsorted(starts, first + files.ROWS))
        last = int(starts[at]) if at < len(starts) else rows
        yield first, last
        first = last


def _judged(table: Any, starts: Any, biller: Biller) -> Any:
    """The answers to a table whose groups stand together: those that plainly agree at once, the others one by one."""
    bench = Bench(table, biller)
    plain, agreed = agreeing(bench, starts)
    rest = np.flatnonzero(~plain)
    place = np.cumsum(~plain) - 1
    others = _one_by_one(bench.take(rest), place[starts[~plain[starts]]])
    first = pa.table([agreed.get(name, pa.nulls(int(plain.sum()), kind)) for name, kind in _MADE.items()], OUTPUTS)
    back = np.empty(table.num_rows, np.int64)
    back[np.concatenate([np.flatnonzero(plain), rest])] = np.arange(table.num_rows)
    return pa.concat_tables([first, others]).unify_dictionaries().combine_chunks().take(pa.array(back))


def _one_by_one(bench: Bench, starts: Any) -> Any:
    """The answers to lines whose groups stand together, each group judged by itself."""
    rows = bench.table.num_rows
    if not rows:
        return pa.schema(list(_MADE.items())).empty_table()
    judge_of = Judge(bench)
    said = bench.codes, bench.cells("units", units_of), bench.cells("modifiers", modifiers_of)
    lines = list(map(BilledLine, range(rows), *said))
    made: dict[int, Verdict] = {}
    for first, last in itertools.pairwise([*starts.tolist(), rows]):
        made.update(judge_of.group(lines[first:last]))
    return _table([made[row] for row in range(rows)])


def _table(verdicts: list[Verdict]) -> Any:
    made = {name: pa.array([getattr(v, of) for v in verdicts], kind) for name, (kind, of) in _COLUMNS.items()}
    return pa.table(
        [made[name].dictionary_encode() if kind != TYPES[name] else made[name] for name, kind in _MADE.items()], OUTPUTS
    )


__all__ = [
    "OPTIONAL",
    "OUTPUTS",
    "REQUIRED",
    "Report",
    "causes",
    "chargemaster",
    "chargemaster_file",
    "judge",
    "judge_file",
    "report",
]
