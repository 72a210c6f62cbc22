"""What an audit came to: lines by verdict, by cause and by drug, as text, JSON, HTML or a plot."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import attrs

from .. import show
from ..amount import told
from ..facts.reference import Reference
from ..shown import Shown
from . import causes


@attrs.frozen
class Subtotal:
    """Lines, units and dollars under one cause or drug. `units` and `amount` are billed less expected, None where
    no line tells."""

    name: str
    lines: int
    units: int | None
    amount: Decimal | None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; dollars as text."""
        return told(self, "name", "lines", "units", "amount")


@attrs.frozen(repr=False)
class Report(Shown):
    """The sum of an audit. `by_cause` and `by_drug` count the lines that differ, `unjudged` why the rest is open."""

    source: str
    target: str | None
    lines: int
    agrees: int
    differs: int
    unjudged: tuple[Subtotal, ...]
    by_cause: tuple[Subtotal, ...]
    by_drug: tuple[Subtotal, ...]
    edition: str
    fingerprint: str

    @property
    def ok(self) -> bool:
        """Whether no line differs."""
        return self.differs == 0

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return told(self, *(field.name for field in attrs.fields(Report)))

    def text(self, width: int = 80, most: int = 20) -> str:
        """The report for people: verdicts, then causes, then the `most` drugs with the most lines."""
        open_lines = self.lines - self.agrees - self.differs
        parts = [
            f"{self.source}: {self.lines:,} lines. {self.agrees:,} agree, {self.differs:,} differ, "
            f"{open_lines:,} cannot be judged."
        ]
        if self.by_cause:
            parts.append(_text("cause", self.by_cause, width, causes.ALL))
            parts.append(_text("code", self.by_drug[:most], width, {}))
            if len(self.by_drug) > most:
                parts.append(f"and {len(self.by_drug) - most} more codes")
        if self.unjudged:
            rows = [(row.name, row.lines, causes.ALL.get(row.name, "")) for row in self.unjudged]
            parts.append(show.text_table(("not judged", "lines", "because"), rows, ("lines",), width))
        return "\n\n".join((*parts, self.edition))

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


def _text(head: str, rows: tuple[Subtotal, ...], width: int, says: dict[str, str]) -> str:
    cells = [
        (
            row.name,
            f"{row.lines:,}",
            "" if row.units is None else f"{row.units:+,}",
            "" if row.amount is None else f"{row.amount:+,}",
            *((says.get(row.name, ""),) if says else ()),
        )
        for row in rows
    ]
    names = (head, "lines", "units", "dollars", *(("what",) if says else ()))
    return show.text_table(names, cells, ("lines", "units", "dollars"), width)


def report(
    judged: Any, source: str = "lines", target: str | None = None, *, reference: Reference | None = None
) -> Report:
    """Sum up a judged table."""
    book = Reference.of(reference)
    names = ("verdict", "code", "expected_code", "cause", "difference_amount")
    verdicts: Counter[str] = Counter()
    by_cause: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    by_drug: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    open_lines: Counter[str] = Counter()
    columns = [judged[name].to_pylist() for name in names]
    differences = "difference_units"  # a charge table has none: its multipliers are fractions of no one dose
    columns.append(judged[differences].to_pylist() if differences in judged.column_names else [None] * len(judged))
    for verdict, code, ours, cause, amount, units in zip(*columns, strict=True):
        verdicts[verdict] += 1
        if verdict == "differs":
            # Units of two codes are no difference that adds up.
            units = units if str(code).strip().upper() == ours else None
            by_cause[cause.partition("|")[0]].append((units, amount))
            by_drug[str(code).strip().upper()].append((units, amount))
        elif verdict == "unjudged":
            open_lines[cause.partition("|")[0]] += 1
    unjudged = tuple(Subtotal(name, count, None, None) for name, count in open_lines.most_common())
    return Report(
        source,
        target,
        judged.num_rows,
        verdicts["agrees"],
        verdicts["differs"],
        unjudged,
        _tallies(by_cause),
        _tallies(by_drug),
        book.edition,
        book.fingerprint,
    )


def _tallies(found: dict[str, list[tuple[Any, Any]]]) -> tuple[Subtotal, ...]:
    made = []
    for name, rows in found.items():
        amounts = [amount for _, amount in rows if amount is not None]
        units = [units for units, _ in rows if units is not None]
        made.append(
            Subtotal(name, len(rows), sum(units) if units else None, sum(amounts, Decimal(0)) if amounts else None)
        )
    return tuple(sorted(made, key=lambda row: (-row.lines, row.name)))
