"""A file billed from end to end: read, bill and write at the same time, with progress and a closing summary."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa

from ..amount import told
from ..errors import DateError, shortened
from ..facts.reference import Reference
from ..headings import OTHER_DAYS, note_of, unread, warn_unread
from ..recipes.resolver import Resolver
from .files import OpenedInput, open_source, open_target
from .table import KEYED, OPTIONAL, OUTPUTS, REQUIRED, THREADS, Biller, check_columns, schema_of
from .targets import keep_apart


@attrs.frozen(repr=False)
class Summary:
    """What came of a file: rows, how many were billed, how many refused and why, the dates and the data used.

    `refusals` counts rows by kind of refusal, the most frequent first; `oldest` and `newest` are dates of
    service; `seconds` is the time it took; `unread` are columns that passed through but look like one that is read.
    """

    source: str
    target: str
    rows: int
    billed: int
    refusals: tuple[tuple[str, int], ...]
    oldest: dt.date | None
    newest: dt.date | None
    seconds: float
    edition: str
    fingerprint: str
    unread: tuple[str, ...] = ()

    @property
    def refused(self) -> int:
        """How many rows were not billed."""
        return sum(count for _, count in self.refusals)

    @property
    def ok(self) -> bool:
        """Whether every row was billed."""
        return not self.refusals

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            **told(self, "source", "target", "rows", "billed", "refused"),
            "refusals": dict(self.refusals),
            **told(self, "oldest", "newest"),
            "seconds": round(self.seconds, 3),
            **told(self, "edition", "fingerprint", "unread"),
        }

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return shortened(f"<Summary {self.source}: {self.rows} rows, {self.refused} refused>")

    def text(self) -> str:
        """The summary for people, a few short lines.

        >>> print(Summary("in.csv", "out.csv", 3, 2, (("NotInEffect", 1),), dt.date(2024, 3, 1),
        ...     dt.date(2026, 3, 2), 0.5, "HCPCS 2026 Q3", "0").text())
        in.csv -> out.csv: 3 rows in 0.5 s
          billed         2
          refused        1
            NotInEffect  1
        dates of service 2024-03-01 to 2026-03-02
        HCPCS 2026 Q3
        """
        counts = [("  billed", self.billed), ("  refused", self.refused)]
        counts += [(f"    {kind}", count) for kind, count in self.refusals]
        width = max(len(label) for label, _ in counts)
        digits = max(len(f"{count:,}") for _, count in counts)
        lines = [f"{self.source} -> {self.target}: {self.rows:,} rows in {self.seconds:,.1f} s"]
        lines += [f"{label:<{width}}  {count:>{digits},}" for label, count in counts]
        if self.oldest and self.newest:
            lines.append(f"dates of service {self.oldest} to {self.newest}")
        if any(kind == DateError.__name__ for kind, _ in self.refusals):
            lines.append(OTHER_DAYS)
        return "\n".join((*lines, *note_of(self.unread), self.edition))


def bill_file(
    source: str | Path,
    target: str | Path,
    *,
    reference: Reference | None = None,
    spreadsheet_safe: bool = False,
    encoding: str = "utf-8",
    date_format: str | None = None,
    progress: bool | None = None,
) -> Summary:
    """Bill a file row by row into another, CSV or Parquet by their names (`.csv`, `.csv.gz`, `.csv.zst`,
    `.parquet`, and `.xlsx` to read); `-` is standard input or output.

    The output appears under its name when it is complete; until then what stood there stays. Memory does not
    grow with the file. `progress` shows a bar on standard error (None: only on a terminal);
    `spreadsheet_safe` puts an apostrophe before CSV cells that a spreadsheet would run as a formula.
    `date_format` is how dates of service are written where not as ISO: `MM/DD/YYYY`.
    Raises `BatchError` for a file that cannot be read or written.
    """
    began = time.monotonic()
    book = Reference.of(reference)
    keep_apart(source, target, book)
    opened = open_source(source, KEYED, encoding)
    check_columns(opened.schema.names, book, file=opened.name)
    with ThreadPoolExecutor(THREADS) as pool:
        biller = Biller(Resolver(book), pool, date_format=date_format)
        run_stream(opened, target, biller.bill, schema_of(opened.schema, OUTPUTS), spreadsheet_safe, progress)
    oldest, newest = biller.dates
    return Summary(
        str(source),
        str(target),
        biller.rows,
        biller.billed,
        biller.refusals(),
        oldest,
        newest,
        time.monotonic() - began,
        biller.reference.edition,
        biller.reference.fingerprint,
        (*unread(opened.schema.names, (*REQUIRED, *OPTIONAL), "administrations", book), *opened.more),
    )


def bill_stream(source: Any, *, reference: Reference | None = None, outputs: Sequence[str] = OUTPUTS) -> Any:
    """Bill an Arrow stream batch by batch: a `pyarrow.RecordBatchReader` in (or a frame or query result that
    gives one), another out. Nothing is read before it is asked for, and one batch is held at a time.

    Text answers are plain text, so that every engine takes them. Raises `BatchError` at once where a column is
    missing or taken.
    """
    opened = source if isinstance(source, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(source)
    book = Reference.of(reference)
    check_columns(opened.schema.names, book, outputs)
    warn_unread(opened.schema.names, (*REQUIRED, *OPTIONAL), "administrations", book)
    schema = schema_of(opened.schema, outputs)
    return pa.RecordBatchReader.from_batches(schema, _billed(opened, schema, book, outputs))


def _billed(batches: Iterable[Any], schema: Any, reference: Reference, outputs: Sequence[str]) -> Iterator[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        biller = Biller(Resolver(reference), pool, outputs)
        for batch in batches:
            yield from biller.bill(pa.Table.from_batches([batch])).cast(schema).to_batches()


def run_stream(
    source: OpenedInput,
    target: str | Path | None,
    work: Callable[[Any], Any],
    schema: Any,
    spreadsheet_safe: bool = False,
    progress: bool | None = None,
) -> None:
    """Every table of a source through `work`, into a target where there is one.

    The next table is read and the last one is written meanwhile. A bar on standard error shows rows, speed and time
    left (None: only on a terminal); where the number of rows is not known, it is reckoned from the part read.
    """
    from tqdm import tqdm

    off = None if progress is None else not progress
    kept = None if target is None else open_target(target, schema, spreadsheet_safe=spreadsheet_safe)
    with (
        kept or nullcontext(lambda _: None) as write,
        tqdm(total=source.rows, unit=" rows", unit_scale=True, disable=off, file=sys.stderr) as bar,
        ThreadPoolExecutor(1) as reader,
        ThreadPoolExecutor(1) as writer,
    ):
        ahead: Future[Any] = reader.submit(next, source.tables, None)
        behind: Future[Any] = writer.submit(str)
        while (table := ahead.result()) is not None:
            ahead = reader.submit(next, source.tables, None)
            made = work(table)
            behind.result()
            behind = writer.submit(write, made)
            part = None if source.rows is not None else source.done()
            if part:
                bar.total = max(int((bar.n + table.num_rows) / part), bar.n + table.num_rows)
            bar.update(table.num_rows)
        behind.result()
