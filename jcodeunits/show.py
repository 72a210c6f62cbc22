"""Tables for people: text for a terminal, HTML for a notebook. The only `import tabulate`.

Colour only repeats what a word already says (`stop`, `warn`, `note`), and everything that came from outside
is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .amount import decimal_text
from .catalog import REFUSALS, Drug, History, Successor

_COLOURS = {"stop": "#b00020", "warn": "#8a5a00", "note": "#1a5276"}
_LEAST = 6  # no column of text is narrowed below this many characters


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
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(head)]
    room = width - 2 * (len(head) - 1) - 2
    while sum(widths) > room and max(widths) > _LEAST:
        widths[widths.index(max(widths))] -= 1
    align = ["right" if name in right else "left" for name in head]
    return str(
        tabulate.tabulate(
            cells, list(head), tablefmt="simple", colalign=align if cells else None, disable_numparse=True,
            maxcolwidths=list(widths) if cells else None,
        )
    )  # fmt: skip


def drug_unit(drug: Drug) -> str:
    """What one unit of a row stands for, or why nothing does."""
    return f"no unit: {REFUSALS[drug.refuses]}" if drug.refuses else str(drug.billing_unit)


def ndc_text(line: Any) -> str:
    """NDC, qualifier and quantity of a claim line as one cell; empty where the line has none."""
    if line.ndc is None:
        return ""
    quantity = format(line.ndc_quantity, "f") if line.ndc_quantity is not None else ""
    return " ".join(part for part in (line.ndc, line.ndc_qualifier, quantity) if part)


def line_rows(lines: Iterable[Any]) -> list[tuple[object, ...]]:
    """Claim lines as rows of `LINE_HEAD`."""
    return [
        (
            number,
            line.code,
            " ".join(line.modifiers),
            line.units,
            ndc_text(line),
            " ".join(line.diagnoses),
            line.label,
        )
        for number, line in enumerate(lines, 1)
    ]


LINE_HEAD = ("#", "code", "mod", "units", "NDC", "diagnoses", "what")


# --- HTML -------------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Text that is safe inside HTML."""
    from html import escape as escaped  # its table of entities is large, and a terminal needs none

    return escaped(text)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> str:
    """An HTML table; cells are escaped here unless they are `_Markup`."""
    import tabulate

    cells = [
        [cell if isinstance(cell, _Markup) else escape("" if cell is None else str(cell)) for cell in row]
        for row in rows
    ]
    align = ["right" if name in right else "left" for name in head]
    return str(
        tabulate.tabulate(
            cells, [escape(name) for name in head], tablefmt="unsafehtml", colalign=align if cells else None,
            disable_numparse=True,
        )
    )  # fmt: skip


class _Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _titled(title: str, *parts: str) -> str:
    return f"<div><strong>{escape(title)}</strong>{''.join(parts)}</div>"


def _pairs(pairs: Iterable[tuple[str, object]]) -> str:
    return _table(("", ""), [(name, value) for name, value in pairs if value not in (None, "")])


def _findings(findings: Iterable[Any]) -> str:
    rows = [
        (
            _Markup(
                f'<span style="color:{_COLOURS[f.severity]};font-weight:bold">{escape(f.severity)}</span>'
            ),
            f.line or "",
            _Markup(f"{escape(f.says)}<br><em>{escape(f.fix)}</em>"),
            _Markup(f"{escape(f.rule)}<br><small>{escape('; '.join(map(str, f.citations)))}</small>"),
        )
        for f in findings
    ]
    return _table(("severity", "line", "what is wrong, what to do", "rule and source"), rows) if rows else ""


def html_of_drug(drug: Drug) -> str:
    """One dated row of the catalog."""
    return _titled(
        f"{drug.code} {drug.name}",
        _pairs(
            (
                ("one unit", drug_unit(drug)),
                ("routes", ", ".join(drug.routes)),
                ("in effect", drug.period),
                ("source", drug.citation),
            )
        ),
    )


def html_of_drugs(drugs: Sequence[Drug]) -> str:
    """Drugs found, best first."""
    if not drugs:
        return "<div>no drug found</div>"
    rows = [(row.code, row.name, drug_unit(row), row.period) for row in drugs]
    return _table(("code", "drug", "one unit", "in effect"), rows)


def html_of_history(history: History) -> str:
    """Every dated row of a code, what came after and what before."""
    rows = [(row.code, row.period, drug_unit(row), row.name) for row in history]
    links = [("after", link.successor, link) for link in history.successors]
    links += [("before", link.code, link) for link in history.predecessors]
    shown = [(when, code, link.effective, link.condition, evidence(link)) for when, code, link in links]
    after = _table(("", "code", "from", "for", "evidence"), shown) if shown else ""
    return _titled(history.code, _table(("code", "in effect", "one unit", "drug"), rows), after)


def evidence(link: Successor) -> str:
    """How a successor is known."""
    moved = f", {link.ndcs_moved} NDCs moved" if link.ndcs_moved else ""
    return f"by {link.evidence}{moved}; confidence {link.confidence}"


def html_of_units(billed: Any) -> str:
    """Billing units with the steps that lead to them."""
    steps = [(step.says, step.why, step.citation) for step in billed.trace.steps]
    count = f"{billed.count} unit{'s' * (billed.count != 1)}"
    return _titled(
        f"{count} of {billed.code} on {billed.on}",
        _table(("step", "why", "source"), steps),
        _findings(billed.findings),
    )


def html_of_product(product: Any) -> str:
    """One product: its codes, what one container holds, and how the claim counts it."""
    quantity = decimal_text(product.quantity) if product.quantity is not None else ""
    return _titled(
        f"{product.number} {product.label}",
        _pairs(
            (
                ("codes", ", ".join(product.codes)),
                ("one container", product.contents),
                (
                    "container",
                    ", ".join(part for part in (product.shape, product.kind, product.form) if part),
                ),
                ("containers in a package", decimal_text(product.containers)),
                ("NDC quantity of one", f"{product.qualifier} {quantity}".strip()),
                ("maker", product.maker),
                ("in effect", product.period),
                ("source", product.citation),
            )
        ),
    )


def html_of_quantity(quantity: Any) -> str:
    """An NDC quantity with its steps."""
    steps = [(step.says, step.why, step.citation) for step in quantity.trace.steps]
    return _titled(
        f"{quantity.qualifier} {format(quantity.quantity, 'f')}", _table(("step", "why", "source"), steps)
    )


def html_of_charge(charge: Any) -> str:
    """The claim's lines and what is wrong with them."""
    stops = sum(finding.severity == "stop" for finding in charge.findings)
    verdict = "nothing stops it" if charge.ok else f"stopped by {stops} finding{'s' * (stops != 1)}"
    title = f"{charge.encounter.on}, place {charge.encounter.place}, {charge.encounter.payer}: {verdict}"
    lines = _table(LINE_HEAD, line_rows(charge.lines), right=("#", "units"))
    return _titled(title, lines, _findings(charge.findings), f"<small>{escape(charge.edition)}</small>")


_WAYS: dict[str, Callable[[Any], str]] = {
    "Drug": html_of_drug,
    "Drugs": html_of_drugs,
    "History": html_of_history,
    "BilledUnits": html_of_units,
    "Product": html_of_product,
    "NdcQuantity": html_of_quantity,
    "Charge": html_of_charge,
}


def html(value: object) -> str:
    """Any of the package's answers as HTML.

    >>> html(3)
    Traceback (most recent call last):
    TypeError: nothing here shows a int
    """
    way = _WAYS.get(type(value).__name__)
    if way is None:
        raise TypeError(f"nothing here shows a {type(value).__name__}")
    return way(value)
