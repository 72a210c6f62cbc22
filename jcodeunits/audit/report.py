"""What an audit came to: lines by verdict, by cause and by drug, as text, JSON, HTML or a plot."""

from __future__ import annotations

import hashlib
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from .. import show
from ..amount import told
from ..batch import columns, files
from ..batch.frames import arrow
from ..batch.targets import keep_apart
from ..errors import BatchError, need_kind, quoted
from ..facts.reference import Reference
from ..headings import OTHER_DAYS, note_of
from ..shown import Shown
from . import causes
from .billed import code_of


@attrs.frozen
class Subtotal:
    """Lines, units and dollars under one cause or drug. `units` and `amount` are billed less expected, None where
    no line tells. `label` says what the cause or the code is, `sources` where the rule stands."""

    name: str
    lines: int
    units: int | None
    amount: Decimal | None
    label: str = ""
    sources: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[str, str, str]:
        """Lines, units and dollars as they are printed; empty where no line tells."""
        units = "" if self.units is None else f"{self.units:+,}"
        return f"{self.lines:,}", units, "" if self.amount is None else f"{self.amount:+,}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; dollars as text."""
        return told(self, "name", "lines", "units", "amount")


@attrs.frozen(repr=False)
class Report(Shown):
    """The sum of an audit. `by_cause` and `by_drug` count the lines that differ, `by_way` those of too little and of
    too much, `priced` those with dollars, `unjudged` why the rest is open."""

    source: str
    target: str | None
    lines: int
    agrees: int
    differs: int
    unjudged: tuple[Subtotal, ...]
    by_way: tuple[Subtotal, ...]
    by_cause: tuple[Subtotal, ...]
    by_drug: tuple[Subtotal, ...]
    edition: str
    fingerprint: str
    sample: tuple[dict[str, Any], ...] = ()
    unread: tuple[str, ...] = ()
    low_prices: int = 0
    above_limit: int = 0
    priced: int = 0

    @property
    def ok(self) -> bool:
        """Whether no line differs."""
        return self.differs == 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not read of the file and looks as if it was meant, how other days are read, and low prices."""
        is_open = any(row.name == "date-error" for row in self.unjudged)
        above = f"lines above Medicare's limit of units (MUE), column {_ABOVE}: {self.above_limit:,}"
        low = f"rows whose price is below Medicare's payment limit, column {_LOW}: {self.low_prices:,}"
        some = f"of {self.differs:,} lines that differ, {self.priced:,} have dollars"
        told = (
            (some, 0 < self.priced < self.differs),
            (OTHER_DAYS, is_open),
            (above, self.above_limit),
            (low, self.low_prices),
        )
        return (*note_of(self.unread), *(says for says, holds in told if holds))

    @property
    def headline(self) -> str:
        """The verdicts in one line."""
        open_lines = self.lines - self.agrees - self.differs
        return (
            f"{self.source}: {self.lines:,} lines. {self.agrees:,} agree, {self.differs:,} differ, "
            f"{open_lines:,} cannot be judged."
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return told(self, *(field.name for field in attrs.fields(Report) if field.name != "sample"))

    def text(self, width: int = 80, most: int = 20) -> str:
        """The report for people: verdicts, then too little and too much, causes, and the `most` drugs worth most."""
        parts = [self.headline]
        if self.by_cause:
            parts += [_text("billed", self.by_way, width)] if self.by_way else []
            parts.append(_text("cause", self.by_cause, width))
            parts.append(_text("code", self.by_drug[:most], width))
            if len(self.by_drug) > most:
                parts.append(f"and {len(self.by_drug) - most} more codes")
        if self.unjudged:
            rows = [(row.name, row.lines, row.label) for row in self.unjudged]
            parts.append(show.text_table(("not judged", "lines", "because"), rows, ("lines",), width))
        if any(row.amount is not None for row in self.by_cause):
            parts.append(textwrap.fill(show.NATIONAL, width))
        parts += [textwrap.fill(says, width) for says in self.notes]
        return "\n\n".join((*parts, self.edition))

    def page(self) -> str:
        """The report as an HTML page that stands alone, with its plots, its sources and the sample."""
        return show.page(self, show.rows_as_html(*self._sampled())) if self.sample else show.page(self)

    def markdown(self) -> str:
        """The report as Markdown, with the sample."""
        return show.markdown(self) + (f"\n{show.markdown_table(*self._sampled())}\n" if self.sample else "")

    def _sampled(self) -> tuple[list[str], list[list[Any]]]:
        names = [name for name in self.sample[0] if any(row[name] is not None for row in self.sample)]
        return names, [[row[name] for name in names] for row in self.sample]

    def plot(self) -> Any:
        """A bar chart of the lines that differ by cause, and of their units; a matplotlib figure."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 0.6 + 0.4 * max(len(self.by_cause), 2)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        names = [row.name for row in reversed(self.by_cause)]
        left.barh(names, [row.lines for row in reversed(self.by_cause)], color="#1a5276")
        left.set_xlabel("lines")
        right.barh(names, [row.units or 0 for row in reversed(self.by_cause)], color="#8a5a00")
        right.set_xlabel("units billed less units expected")
        figure.suptitle(f"{self.source}: {self.differs:,} of {self.lines:,} lines differ")
        return figure

    @property
    def brief(self) -> str:
        """Lines, and how many differ."""
        return f"{self.source}: {self.lines} lines, {self.differs} differ"

    def __str__(self) -> str:
        return self.text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - the notebook's own call
        printer.text(self.text())


def _text(head: str, rows: tuple[Subtotal, ...], width: int) -> str:
    cells = [(row.name, *row.figures, row.label) for row in rows]
    names = (head, "lines", "units", "dollars", "what")
    return show.text_table(names, cells, ("lines", "units", "dollars"), width)


BY = ("cause", "code", "verdict")


class Sum:
    """An audit summed up part by part, with a sample for a reviewer.

    The sample holds at most `sample` rows of each cause, code or verdict (`by`), of those that differ or cannot be
    judged (by verdict: of all). Which rows is told by what is in them, so that the same file gives the same sample.
    """

    def __init__(self, reference: Reference, sample: int = 0, by: str = "cause") -> None:
        need_kind(sample, int, "sample", "a whole number")
        need_kind(by, str, "by", " or ".join(BY))
        if sample < 0 or by not in BY:
            says = f"A sample is taken by {', '.join(BY)}, of 1 row or more each; {sample} by {quoted(by)} is none."
            raise BatchError(says, place="sample")
        self.reference, self.size, self.by = reference, sample, by
        self.unread: tuple[str, ...] = ()
        self.counted = dict.fromkeys((_LOW, _ABOVE, _PRICED), 0)
        self.verdicts: Counter[str] = Counter()
        self._unjudged: Counter[str] = Counter()
        self._causes: dict[str, _Tally] = defaultdict(_Tally)
        self._codes: dict[str, _Tally] = defaultdict(_Tally)
        self._ways: dict[str, _Tally] = defaultdict(_Tally)
        self._sampled: dict[str, list[tuple[bytes, dict[str, Any]]]] = defaultdict(list)

    def add(self, judged: Any) -> None:
        """Count the rows of a judged table."""
        for found in pc.value_counts(judged["verdict"]).to_pylist():
            self.verdicts[found["values"]] += found["counts"]
        for name in (_LOW, _ABOVE):
            if name in judged.column_names:
                self.counted[name] += judged.num_rows - judged[name].null_count
        by_verdict = self.size and self.by == "verdict"
        names = judged.column_names if self.size else [name for name in _COUNTED if name in judged.column_names]
        rest = _filterable(judged.select(names))
        rest = rest if by_verdict else rest.filter(pc.not_equal(rest["verdict"], "agrees"))
        for cells in zip(*(columns.cells(rest[name]) for name in names), strict=True):
            row = dict(zip(names, cells, strict=True))
            self._count(row)
            if self.size:
                self._draw(row)

    def _count(self, row: dict[str, Any]) -> None:
        if row["verdict"] == "agrees":
            return
        cause, code = row["cause"].partition("|")[0], code_of(row["code"])[0]
        if row["verdict"] == "unjudged":
            self._unjudged[cause] += 1
            return
        units = row.get("difference_units")  # a charge table has none: its multipliers are fractions
        amount = row["difference_amount"]
        way = amount or units or 0
        if way:
            self._ways[_WAYS[way > 0]].add(units, amount, None)
        for tally in (self._causes[cause], self._codes[code]):
            tally.add(units, amount, row["citation"])
        self.counted[_PRICED] += amount is not None

    def _draw(self, row: dict[str, Any]) -> None:
        key = str(row[self.by] or "").partition("|")[0]
        mark = hashlib.blake2b(repr(sorted((name, str(cell)) for name, cell in row.items())).encode()).digest()
        drawn = self._sampled[key]
        drawn.append((mark, row))
        if len(drawn) >= 2 * self.size:
            self._cut(drawn)

    def _cut(self, drawn: list[tuple[bytes, dict[str, Any]]]) -> None:
        drawn.sort(key=lambda one: one[0])
        del drawn[self.size :]

    def sample(self) -> tuple[dict[str, Any], ...]:
        """The rows drawn so far, by cause, code or verdict."""
        for drawn in self._sampled.values():
            self._cut(drawn)
        return tuple(row for key in sorted(self._sampled) for _, row in self._sampled[key])

    def report(self, source: str = "lines", target: str | None = None) -> Report:
        """What was added so far."""
        book = self.reference
        unjudged = [Subtotal(name, n, None, None, causes.ALL.get(name, "")) for name, n in self._unjudged.most_common()]
        return Report(
            source,
            target,
            sum(self.verdicts.values()),
            self.verdicts["agrees"],
            self.verdicts["differs"],
            tuple(unjudged),
            _ranked(self._ways, lambda way: _WORTH[_WAYS.index(way)]),
            _ranked(self._causes, lambda name: causes.ALL.get(name, "")),
            _ranked(self._codes, lambda code: next((row.name for row in book.drugs.rows(code)), "")),
            book.edition,
            book.fingerprint,
            self.sample(),
            self.unread,
            self.counted[_LOW],
            self.counted[_ABOVE],
            self.counted[_PRICED],
        )

    def finish(self, source: str | Path, target: str | Path | None, page: str | Path | None) -> Report:
        """What was added, written as a page where one is asked for."""
        made = self.report(str(source), str(target) if target is not None else None)
        if page is not None:
            _write(made, page)
        return made


_COUNTED = ("verdict", "code", "expected_code", "cause", "citation", "difference_amount", "difference_units")
_LOW, _ABOVE = "price_below_limit", "units_above_limit"  # of a charge table, of lines
_PRICED = "difference_amount"
_WAYS = "too little", "too much"
_WORTH = "money that nobody has asked for", "money to give back where it was paid"
_MOST_SOURCES = 5


class _Tally:
    """Lines, units, dollars and sources of one cause or code."""

    def __init__(self) -> None:
        self.lines = 0
        self.units: int | None = None
        self.amount: Decimal | None = None
        self.sources: dict[str, None] = {}

    def add(self, units: int | None, amount: Decimal | None, citation: str | None) -> None:
        self.lines += 1
        if units is not None:
            self.units = (self.units or 0) + units
        if amount is not None:
            self.amount = (self.amount or Decimal(0)) + amount
        if citation and len(self.sources) < _MOST_SOURCES:
            self.sources |= dict.fromkeys(citation.split("; "))


def _filterable(table: Any) -> Any:
    """A table whose views of texts, which Arrow does not filter, are plain texts."""
    for n, field in enumerate(table.schema):
        if pa.types.is_string_view(field.type):
            table = table.set_column(n, field.name, columns.text_of(table[n]))
    return table


def _ranked(found: dict[str, _Tally], label: Callable[[str], str]) -> tuple[Subtotal, ...]:
    """What is worth most first; then by lines."""
    made = [
        Subtotal(name, one.lines, one.units, one.amount, label(name), tuple(one.sources)[:_MOST_SOURCES])
        for name, one in found.items()
    ]
    return tuple(sorted(made, key=lambda row: (-abs(row.amount or Decimal(0)), -row.lines, row.name)))


def report(
    judged: Any, source: str = "lines", target: str | None = None, *, reference: Reference | None = None
) -> Report:
    """Sum up a judged table, or a frame of one, or some of its rows. Raises `BatchError` where it is none."""
    made, given = Sum(Reference.of(reference)), arrow(judged)
    missing = [name for name in ("verdict", "code", "cause", "citation", _PRICED) if name not in given.column_names]
    if missing:
        says = f"The table lacks {', '.join(missing)}: give what judge, chargemaster or the command has judged."
        raise BatchError(says, place=missing[0])
    for name, kind in (("difference_units", pa.int64()), (_PRICED, pa.decimal128(38, 2)), (_ABOVE, pa.int64())):
        if name in given.column_names:
            given = given.set_column(given.column_names.index(name), name, _as(given[name], kind, name))
    made.add(given)
    return made.report(source, target)


def _as(column: Any, kind: Any, name: str) -> Any:
    """A column of answers as it was made, where it was written to a file and read again."""
    try:
        return column.cast(kind)
    except pa.ArrowException:
        raise BatchError(f"Column {name!r} holds no numbers: it is not as an audit made it.", place=name) from None


def check_files(source: str | Path, target: str | Path | None, page: str | Path | None, reference: Reference) -> None:
    """Refuse what cannot be written before anything is read. Raises `BatchError`."""
    for written in (target, page):
        keep_apart(source, "-" if written is None else written, reference)
    if page is not None and Path(page).suffix.casefold() not in _PAGES:
        raise BatchError(
            f"{quoted(page)}: a report is written as .html or .md. Name the file so.", file=str(page), place="report"
        )


_PAGES = {".html": Report.page, ".htm": Report.page, ".md": Report.markdown}


def _write(made: Report, path: str | Path) -> None:
    """Write a report as a page (.html) or as Markdown (.md), as its name says, whole or not at all."""
    with files.whole(Path(path)) as file:
        file.write(_PAGES[Path(path).suffix.casefold()](made).encode())
