"""Tables for people: text for a terminal, HTML for a notebook. The only `import tabulate`.

Colour only repeats what a word already says (`stop`, `warn`, `note`), and everything that came from outside
is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from .amount import decimal_text
from .facts.drug_rows import Drug, Successor
from .facts.drugs import History

# White on these holds 4.5:1, and so on a light and on a dark theme.
_COLOURS = {"stop": "#b00020", "warn": "#8a5a00", "note": "#1a5276"}
_BADGE = "color:#fff;font-weight:bold;padding:0 .4em;border-radius:.2em;background:"
_LEAST = 6  # no column of text is narrowed below this many characters
_PADDING = 2  # what tabulate adds to the width of a head
_GAP = "  "  # what it sets between two columns


# --- text -------------------------------------------------------------------------------------------


def text_table(
    head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = (), width: int = 80
) -> str:
    """Rows as a ruled table no wider than `width` columns; long cells are wrapped, the widest first.

    `right` names the columns of counts, which are set to the right.

    >>> print(text_table(("code", "units"), [("J1885", 2)], right=("units",)))
    code      units
    ------  -------
    J1885         2
    """
    import tabulate

    cells = [["" if cell is None else " ".join(str(cell).split()) for cell in row] for row in rows]
    widths = _widths(head, cells, width)
    folded = [[_folded(cell, room) for cell, room in zip(row, widths, strict=True)] for row in cells]
    align = ["right" if name in right else "left" for name in head]
    return str(
        tabulate.tabulate(
            folded, list(head), tablefmt="simple", colalign=align if cells else None, disable_numparse=True
        )
    )


def _widths(head: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """The width of each column: what it needs, or less where the table would be too wide."""
    least = [len(name) + _PADDING for name in head]
    widths = [max([narrow, *(len(row[i]) for row in cells)]) for i, narrow in enumerate(least)]
    room = width - len(_GAP) * (len(head) - 1)
    while sum(widths) > room:
        wide = [i for i, at in enumerate(widths) if at > max(_LEAST, least[i])]
        if not wide:
            break
        widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _folded(cell: str, room: int) -> str:
    """A cell in lines. tabulate folds too, but takes text such as "-1,148.33" for a number and fails."""
    import textwrap

    return cell if len(cell) <= room else "\n".join(textwrap.wrap(cell, room))


def ndc_text(line: Any) -> str:
    """NDC, qualifier and quantity of a claim line as one cell; empty where the line has none."""
    if line.ndc is None:
        return ""
    quantity = format(line.ndc_quantity, "f") if line.ndc_quantity is not None else ""
    return " ".join(part for part in (line.ndc, line.ndc_qualifier, quantity) if part)


# --- what of each answer is shown -------------------------------------------------------------------


@attrs.frozen
class Table:
    """Rows under a head; `right` names the columns of counts."""

    head: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    right: tuple[str, ...] = ()


@attrs.frozen
class View:
    """An answer laid out: a title, tables, findings and where the data come from."""

    title: str
    tables: tuple[Table, ...] = ()
    findings: tuple[Any, ...] = ()
    note: str = ""


def _pairs(*pairs: tuple[str, object]) -> Table:
    """Names and values; what has no value is left out."""
    return Table(("", ""), tuple((name, value) for name, value in pairs if value not in (None, "")))


def _steps(trace: Any) -> Table:
    return Table(("step", "why", "source"), tuple((step.says, step.why, step.citation) for step in trace.steps))


def _drug(drug: Drug) -> View:
    routes = ", ".join(drug.routes)
    pairs = (("one unit", drug.one_unit), ("routes", routes), ("in effect", drug.period), ("source", drug.citation))
    return View(f"{drug.code} {drug.name}", (_pairs(*pairs),))


def _drugs(drugs: Sequence[Drug]) -> View:
    if not drugs:
        return View("no drug found")
    rows = tuple((row.code, row.name, row.one_unit, row.period) for row in drugs)
    return View("", (Table(("code", "drug", "one unit", "in effect"), rows),))


def _history(history: History) -> View:
    rows = tuple((row.code, row.period, row.one_unit, row.name) for row in history)
    links = [("after", link.successor, link) for link in history.successors]
    links += [("before", link.code, link) for link in history.predecessors]
    shown = tuple((when, code, link.effective, link.condition, evidence(link)) for when, code, link in links)
    tables = [Table(("code", "in effect", "one unit", "drug"), rows)]
    if shown:
        tables.append(Table(("", "code", "from", "for", "evidence"), shown))
    return View(history.code, tuple(tables))


def evidence(link: Successor) -> str:
    """How a successor is known."""
    moved = f", {link.ndcs_moved} NDCs moved" if link.ndcs_moved else ""
    return f"by {link.evidence}{moved}; confidence {link.confidence}"


def _units(billed: Any) -> View:
    count = f"{billed.count} billing unit{'s' * (billed.count != 1)}"
    return View(f"{count} of {billed.code} on {billed.on}", (_steps(billed.trace),), billed.findings)


def _product(product: Any) -> View:
    quantity = decimal_text(product.quantity) if product.quantity is not None else ""
    container = ", ".join(part for part in (product.shape, product.kind, product.form) if part)
    pairs = (
        ("codes", ", ".join(product.codes)),
        ("one container", product.contents),
        ("container", container),
        ("containers in a package", decimal_text(product.containers)),
        ("NDC quantity of one", f"{product.qualifier} {quantity}".strip()),
        ("maker", product.maker),
        ("in effect", product.period),
        ("source", product.citation),
    )
    return View(f"{product.number} {product.label}", (_pairs(*pairs),))


def _quantity(quantity: Any) -> View:
    title = f"{quantity.qualifier} {format(quantity.quantity, 'f')}"
    return View(title, (_steps(quantity.trace),), quantity.findings)


def _charge(charge: Any) -> View:
    title = f"{charge.encounter.on}, place {charge.encounter.place}, {charge.encounter.payer}: {charge.verdict}"
    return View(title, (line_table(charge.lines),), charge.findings, charge.edition)


def _line(line: Any) -> View:
    return View("", (line_table((line,)),))


def _given(encounter: Any) -> View:
    """What was given that day; nothing of the patient."""
    rows = tuple((n, one.drug, str(one.dose), one.route) for n, one in enumerate(encounter.administrations, 1))
    other = ", ".join([*([encounter.visit.code] if encounter.visit else []), *(one.code for one in encounter.services)])
    title = f"{encounter.on}, place {encounter.place}, {encounter.payer}" + (f"; beside it {other}" if other else "")
    return View(title, (Table(("#", "drug", "dose", "route"), rows, ("#",)),))


def _administration(one: Any) -> View:
    pairs = (("dose", str(one.dose)), ("route", one.route), ("site", one.site), ("container", one.container))
    return View(str(one.drug), (_pairs(*pairs),))


def _report(report: Any) -> View:
    counts = ("lines", "units", "dollars")

    def table(name: str, rows: Iterable[Any]) -> Table:
        return Table((name, *counts), tuple((row.name, row.lines, row.units, row.amount) for row in rows), counts)

    open_lines = report.lines - report.agrees - report.differs
    title = f"{report.source}: {report.lines:,} lines. {report.agrees:,} agree, {report.differs:,} differ, "
    unjudged = Table(("not judged", "lines"), tuple((row.name, row.lines) for row in report.unjudged), ("lines",))
    tables = (table("cause", report.by_cause), table("code", report.by_drug[:20]), unjudged)
    return View(f"{title}{open_lines:,} cannot be judged.", tuple(t for t in tables if t.rows), (), report.edition)


def line_table(lines: Iterable[Any]) -> Table:
    """Claim lines, without the columns that no line uses."""
    head = ("#", "code", "mod", "units", "NDC", "diagnoses", "what")
    rows = [
        (number, line.code, " ".join(line.modifiers), line.units, ndc_text(line), " ".join(line.diagnoses), line.label)
        for number, line in enumerate(lines, 1)
    ]
    used = [i for i in range(len(head)) if not rows or any(str(row[i]) for row in rows)]
    return Table(tuple(head[i] for i in used), tuple(tuple(row[i] for i in used) for row in rows), ("#", "units"))


_VIEWS: dict[str, Callable[[Any], View]] = {
    "Drug": _drug,
    "Drugs": _drugs,
    "History": _history,
    "BilledUnits": _units,
    "Product": _product,
    "NdcQuantity": _quantity,
    "Charge": _charge,
    "Line": _line,
    "Encounter": _given,
    "Administration": _administration,
    "Report": _report,
}


def _view(value: object) -> View:
    way = next((_VIEWS[kind.__name__] for kind in type(value).__mro__ if kind.__name__ in _VIEWS), None)
    if way is None:
        raise TypeError(f"nothing here shows a {type(value).__name__}")
    return way(value)


# --- as text ----------------------------------------------------------------------------------------


def text(value: object, width: int = 80) -> str:
    """Any of the package's answers as plain text, no wider than `width` columns where a table allows it."""
    import textwrap

    view = _view(value)
    parts = [view.title] if view.title else []
    parts += [text_table(table.head, table.rows, table.right, width) for table in view.tables if table.rows]
    for finding in view.findings:
        at = f" (line {finding.line})" if finding.line else ""
        says = f"{finding.severity}{at}: {finding.says} {finding.fix}"
        parts.append(textwrap.fill(says, width, subsequent_indent="  ", break_long_words=False))
    return "\n".join([*parts, *([view.note] if view.note else [])])


# --- as HTML ----------------------------------------------------------------------------------------


class _Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(value: object) -> str:
    """Any of the package's answers as HTML.

    >>> html(3)
    Traceback (most recent call last):
    TypeError: nothing here shows a int
    """
    view = _view(value)
    parts = [f"<strong>{_escaped(view.title)}</strong>"] if view.title else []
    parts += [_html_table(table) for table in view.tables]
    if view.findings:
        parts.append(_html_table(_finding_table(view.findings)))
    if view.note:
        parts.append(f"<small>{_escaped(view.note)}</small>")
    return f"<div>{''.join(parts)}</div>"


def _escaped(value: object) -> str:
    from html import escape  # its table of entities is large, and a terminal needs none

    return value if isinstance(value, _Markup) else escape("" if value is None else str(value))


def _html_table(table: Table) -> str:
    import tabulate

    cells = [[_escaped(cell) for cell in row] for row in table.rows]
    align = ["right" if name in table.right else "left" for name in table.head]
    made = tabulate.tabulate(
        cells,
        [_escaped(name) for name in table.head],
        tablefmt="unsafehtml",
        colalign=align if cells else None,
        disable_numparse=True,
    )
    # tabulate writes no style for the left, and a notebook then sets the cell to the right
    return re.sub(r"<(t[hd])>", r'<\1 style="text-align: left;">', str(made))


def _finding_table(findings: Iterable[Any]) -> Table:
    rows = tuple(
        (
            _Markup(f'<span style="{_BADGE}{_COLOURS[f.severity]}">{_escaped(f.severity)}</span>'),
            f.line or "",
            _Markup(f"{_escaped(f.says)}<br><em>{_escaped(f.fix)}</em>"),
            _Markup(f"{_escaped(f.rule)}<br><small>{_escaped('; '.join(map(str, f.citations)))}</small>"),
        )
        for f in findings
    )
    return Table(("severity", "line", "what is wrong, what to do", "rule and source"), rows)
