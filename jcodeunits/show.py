"""Tables for people: text for a terminal, HTML for a notebook. The only `import tabulate`.

Colour only repeats what a word already says (`stop`, `warn`, `note`), and everything that came from outside
is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import attrs

from .amount import decimal_text, several
from .dated import Citation
from .facts.drug_rows import Drug, Successor
from .facts.drugs import History

# White on these holds 4.5:1, and so on a light and on a dark theme.
_COLOURS = {"stop": "#b00020", "warn": "#8a5a00", "note": "#1a5276"}
_BADGE = "color:#fff;font-weight:bold;padding:0 .4em;border-radius:.2em;background:"
_LEAST = 6  # no column of text is narrowed below this many characters
_PADDING = 2  # what tabulate adds to the width of a head
_GAP = "  "  # what it sets between two columns


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
    cells = [["" if cell is None else " ".join(str(cell).split()) for cell in row] for row in rows]
    widths = _widths(head, cells, width)
    folded = [[_folded(cell, room) for cell, room in zip(row, widths, strict=True)] for row in cells]
    return _tabulated(head, folded, right, "simple")


def _tabulated(head: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[str], form: str) -> str:
    import tabulate

    align = ["right" if name in right else "left" for name in head] if cells else None
    return str(tabulate.tabulate(cells, list(head), tablefmt=form, colalign=align, disable_numparse=True))


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
    pictures: tuple[Callable[[], str], ...] = ()  # drawn as SVG where HTML is shown


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
    return View(history.code, tuple(tables), pictures=(partial(timeline, history),))


def evidence(link: Successor) -> str:
    """How a successor is known."""
    moved = f", {link.ndcs_moved} NDCs moved" if link.ndcs_moved else ""
    return f"by {link.evidence}{moved}; confidence {link.confidence}"


def _units(billed: Any) -> View:
    count = several(billed.count, "billing unit")
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
    codes = report.by_drug[:20]
    tables = (
        _subtotals("billed", report.by_way),
        _subtotals("cause", report.by_cause),
        _subtotals("code", codes),
        _subtotals("not judged", report.unjudged),
    )
    drawn = (
        ("dollars by cause", [(row.name, row.amount) for row in report.by_cause if row.amount]),
        ("dollars by code", [(f"{row.name} {row.label}", row.amount) for row in codes if row.amount]),
    )
    pictures = tuple(partial(bars, what, rows) for what, rows in drawn if rows)
    said = [f"{says[0].upper()}{says[1:]}." for says in report.notes]
    note = " ".join(([NATIONAL] if pictures else []) + said + [report.edition])
    return View(report.headline, tuple(t for t in tables if t.rows), (), note, pictures)


def _subtotals(name: str, rows: Sequence[Any]) -> Table:
    """Lines, units and dollars by cause or code, without the columns that no row uses."""
    head = (name, "what", "lines", "units", "dollars", "sources")
    cells = [(row.name, row.label, *row.figures, row.sources[:3]) for row in rows]
    return _used(head, cells, ("lines", "units", "dollars"))


# The same sentence wherever the money of an audit is shown.
NATIONAL = "Dollars are an estimate at Medicare's national payment limits of the day, where one is known."


def line_table(lines: Iterable[Any]) -> Table:
    """Claim lines, without the columns that no line uses."""
    head = ("#", "code", "mod", "units", "NDC", "diagnoses", "what")
    rows = [
        (number, line.code, " ".join(line.modifiers), line.units, ndc_text(line), " ".join(line.diagnoses), line.label)
        for number, line in enumerate(lines, 1)
    ]
    return _used(head, rows, ("#", "units"))


def _used(head: Sequence[str], rows: Sequence[tuple[Any, ...]], right: tuple[str, ...]) -> Table:
    """A table without the columns in which no row says anything."""
    used = [i for i in range(len(head)) if not rows or any(row[i] not in ("", None, ()) for row in rows)]
    return Table(tuple(head[i] for i in used), tuple(tuple(row[i] for i in used) for row in rows), right)


_VIEWS: dict[str, Callable[[Any], View]] = {
    "Drug": _drug,
    "Drugs": _drugs,
    "History": _history,
    "BilledUnits": _units,
    "Product": _product,
    "NdcQuantity": _quantity,
    "Charge": _charge,
    "Line": lambda line: View("", (line_table((line,)),)),
    "Encounter": _given,
    "Administration": _administration,
    "Report": _report,
}


def _view(value: object) -> View:
    way = next((_VIEWS[kind.__name__] for kind in type(value).__mro__ if kind.__name__ in _VIEWS), None)
    if way is None:
        raise TypeError(f"nothing here shows a {type(value).__name__}")
    return way(value)


def text(value: object, width: int = 80) -> str:
    """Any of the package's answers as plain text, no wider than `width` columns where a table allows it."""
    import textwrap

    view = _view(value)
    parts = [view.title] if view.title else []
    parts += [text_table(table.head, table.rows, table.right, width) for table in view.tables if table.rows]
    for finding in view.findings:
        parts.append(textwrap.fill(str(finding), width, subsequent_indent="  ", break_long_words=False))
    return "\n".join([*parts, *([view.note] if view.note else [])])


def markdown(value: object) -> str:
    """Any of the package's answers as Markdown."""
    view = _view(value)
    parts = [f"**{_line_of(view.title)}**"] if view.title else []
    parts += [markdown_table(table.head, table.rows, table.right) for table in view.tables]
    if view.findings:
        parts.append("\n".join(f"- **{f.severity}**: {_line_of(f'{f.says} {f.fix}')}" for f in view.findings))
    return "\n\n".join([*parts, *([_line_of(view.note)] if view.note else [])]) + "\n"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> str:
    """Rows as a Markdown table."""
    return _tabulated(head, [[_line_of(cell) for cell in row] for row in rows], right, "github")


def _line_of(value: object) -> str:
    """A cell in one line, with nothing in it that Markdown or HTML would read."""
    says = "; ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
    return re.sub(r"([\\`*_|<>#\[\]])", r"\\\1", " ".join(says.split()))


class _Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


class _Sources:
    """The sources of one display: numbered as they come up, linked where they are cited, listed at its end."""

    def __init__(self, of: str) -> None:
        self.of = of
        self.numbers: dict[str, int] = {}

    def link(self, says: object) -> _Markup:
        """The number of a source, as a link to its place in the list."""
        text = str(says)
        number = self.numbers.setdefault(text, len(self.numbers) + 1)
        return _Markup(f'<a href="#{self._anchor(text)}" title="{_escaped(text)}">[{number}]</a>')

    def listed(self) -> str:
        """All of them, folded."""
        if not self.numbers:
            return ""
        items = "".join(f'<li id="{self._anchor(text)}">{_escaped(text)}</li>' for text in self.numbers)
        many = several(len(self.numbers), "source")
        return f"<details><summary>{many}</summary><ol>{items}</ol></details>"

    def _anchor(self, text: str) -> str:
        from hashlib import blake2b

        return "source-" + blake2b(f"{self.of} {text}".encode(), digest_size=5).hexdigest()


def html(value: object) -> str:
    """Any of the package's answers as HTML.

    >>> html(3)
    Traceback (most recent call last):
    TypeError: nothing here shows a int
    """
    view = _view(value)
    sources = _Sources(view.title)
    parts = [f"<strong>{_escaped(view.title)}</strong>"] if view.title else []
    parts += [_html_table(table, sources) for table in view.tables]
    parts += [draw() for draw in view.pictures]
    if view.findings:
        parts.append(_html_table(_finding_table(view.findings, sources), sources))
    parts.append(sources.listed())
    if view.note:
        parts.append(f"<small>{_escaped(view.note)}</small>")
    return f"<div>{''.join(parts)}</div>"


_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;"
    "padding:0 1rem}table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25em .7em;vertical-align:top;"
    "border-bottom:1px solid GrayText}svg{max-width:100%}.wide{overflow-x:auto;font-size:.85rem}"
)


def page(value: object, *more: str) -> str:
    """Any of the package's answers as a page that stands alone, in the reader's theme; `more` follows it as HTML."""
    title = _escaped(_view(value).title)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{html(value)}{"".join(more)}</body></html>\n'


def rows_as_html(head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> str:
    """Rows of a file as an HTML table."""
    table = Table(tuple(head), tuple(tuple(row) for row in rows), tuple(right))
    return f'<div class="wide">{_html_table(table, _Sources(""))}</div>'


def _escaped(value: object) -> str:
    from html import escape  # its table of entities is large, and a terminal needs none

    return value if isinstance(value, _Markup) else escape("" if value is None else str(value))


def _cell(value: object, sources: _Sources) -> str:
    """A cell as HTML: sources as links."""
    if isinstance(value, Citation):
        return sources.link(value)
    if isinstance(value, tuple):
        return " ".join(sources.link(one) for one in value)
    return _escaped(value)


def _html_table(table: Table, sources: _Sources) -> str:
    cells = [[_cell(cell, sources) for cell in row] for row in table.rows]
    head, right = ([_escaped(name) for name in names] for names in (table.head, table.right))
    made = _tabulated(head, cells, right, "unsafehtml")
    # tabulate writes no style for the left, and a notebook then sets the cell to the right
    return re.sub(r"<(t[hd])>", r'<\1 style="text-align: left;">', made)


_LONG = 160  # characters of a finding that are shown unfolded


def _folded_finding(says: str, fix: str) -> _Markup:
    """What is wrong and what to do; a long one opens at a click."""
    whole = f"{_escaped(says)}<br><em>{_escaped(fix)}</em>"
    if len(says) + len(fix) <= _LONG:
        return _Markup(whole)
    import textwrap

    short = textwrap.shorten(says, _LONG // 2, placeholder=" …")
    return _Markup(f"<details><summary>{_escaped(short)}</summary>{whole}</details>")


def _finding_table(findings: Iterable[Any], sources: _Sources) -> Table:
    rows = tuple(
        (
            _Markup(f'<span style="{_BADGE}{_COLOURS[f.severity]}">{_escaped(f.severity)}</span>'),
            f.line or "",
            _folded_finding(f.says, f.fix),
            _Markup(" ".join((_escaped(f.rule), *map(sources.link, f.citations)))),
        )
        for f in findings
    )
    return Table(("severity", "line", "what is wrong, what to do", "rule and source"), rows)


# --- drawn -------------------------------------------------------------------------------------------

_BAR = "#5b7fb8"  # 3:1 and more on white and on black
_ROW, _WIDTH, _LABEL = 22, 860, 380


def _svg(title: str, height: int, parts: Iterable[str]) -> str:
    """A drawing whose text has the colour of the text around it."""
    return (
        f'<svg role="img" aria-label="{_escaped(title)}" xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" '
        f'height="{height}" font-size="13" fill="currentColor">{"".join(parts)}</svg>'
    )


def bars(title: str, rows: Sequence[tuple[str, Any]]) -> str:
    """Amounts as bars, the label before each and the figure behind it."""
    most = max([abs(float(value)) for _, value in rows] or [1]) or 1
    room = _WIDTH - _LABEL - 110
    parts = [f'<text x="0" y="14" font-weight="bold">{_escaped(title)}</text>']
    for n, (label, value) in enumerate(rows, 1):
        y, long = n * _ROW, max(1.0, abs(float(value)) / most * room)
        parts.append(f'<text x="0" y="{y + 15}">{_escaped(label[:54])}</text>')
        parts.append(f'<rect x="{_LABEL}" y="{y + 3}" width="{long:.1f}" height="14" fill="{_BAR}"/>')
        parts.append(f'<text x="{_LABEL + long + 6:.1f}" y="{y + 15}">{_escaped(f"{value:+,}")}</text>')
    return _svg(title, (len(rows) + 1) * _ROW, parts)


def timeline(history: History) -> str:
    """When each row of a code was in effect, on one line of years; a row without an end is open to the right."""
    rows = [(row.code, row.one_unit, row.period.effective, row.period.ends) for row in history]
    if not rows:
        return ""
    first = int(min(begins for _, _, begins, _ in rows).year)
    last = int(max((ends or begins).year for _, _, begins, ends in rows)) + 2
    room = _WIDTH - _LABEL - 20

    def at(year: float) -> float:
        return _LABEL + (year - first) / (last - first) * room

    title = f"when {history.code} was in effect"
    parts = [f'<text x="0" y="14" font-weight="bold">{_escaped(title)}</text>']
    for n, (code, unit, begins, ends) in enumerate(rows, 1):
        y = n * _ROW
        left = at(begins.year + (begins.month - 1) / 12)
        right = at(ends.year + ends.month / 12) if ends else float(_LABEL + room)
        parts.append(f'<text x="0" y="{y + 15}">{_escaped(f"{code} {unit}"[:54])}</text>')
        parts.append(
            f'<rect x="{left:.1f}" y="{y + 3}" width="{max(2.0, right - left):.1f}" height="14" fill="{_BAR}"/>'
        )
        if ends is None:
            parts.append(f'<text x="{right + 3:.1f}" y="{y + 15}">→</text>')
    y, step = (len(rows) + 1) * _ROW, max(1, (last - first) // 8)
    parts += [f'<text x="{at(year):.1f}" y="{y + 15}">{year}</text>' for year in range(first, last, step)]
    return _svg(title, y + _ROW, parts)
