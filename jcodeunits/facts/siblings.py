"""What the packages of one labeler's product share, so that another package of a known product is answered.

Measured on CMS's crosswalk: packages of a product have one code, one unit on an NDC line and one concentration,
but not one amount or number of containers, and not one kind of container. So only the former are shared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from .. import ndc, tables
from ..grouped import grouped, only
from .product_rows import QUALIFIER_OF, AnotherPackage, Container, Product

Review = Callable[[str], Container | None]


def nearest(rows: Sequence[Product], on: dt.date) -> Product:
    """The row of an NDC in effect on a day, else the nearest."""
    return min(rows, key=lambda row: max(row.effective - on, on - (row.ends or on)))


def another_package(
    number: str, rows: Iterable[Product], on: dt.date, review: Review, named: Product | None = None
) -> AnotherPackage | None:
    """What every known package of the product shares; None where none is known or their codes differ.

    `number` are the 11 digits, `rows` all rows of the labeler's product, `review` the reviewed container of an NDC.
    `named` is what files say of the NDC itself, without a code; where that differs, nothing counts it.
    """
    every = [nearest(each, on) for each in grouped(rows, lambda row: row.ndc).values()]
    known = [row for row in every if row.codes] or every
    now = [row for row in known if row.period.holds(on)] or known  # of the others a code may have ended since
    if not known or len({row.codes for row in now}) > 1:
        return None
    counted = [_counted(row, review(row.ndc)) for row in known]
    qualifier = only((qualifier for qualifier, _ in counted if qualifier), None)
    dense = only(((per, row.unit) for row, (_, per) in zip(known, counted, strict=True) if per is not None), None)
    first = next((row for row in now if row.qualifier), now[0])
    per_ml, unit = dense if dense is not None and qualifier == "ML" else (None, "billing unit")
    form = only((row.form for row in known if row.form), None)
    proof = "another-package" if qualifier else ""
    if named is not None and named.qualifier:
        if qualifier not in (None, named.qualifier):
            qualifier, proof, form, per_ml, unit = "", "", "", None, "billing unit"
        elif per_ml is None and named.amount is not None:
            per_ml, unit = named.amount / (named.quantity or 1), named.unit
        if qualifier is None:
            qualifier, proof, form = named.qualifier, named.proof, form or named.form
    return _package(first, number, qualifier or "", proof, unit, form or "", per_ml, first.ndc, named)


def own(row: Product) -> Product:
    """A row as it stands; one that knows at most the drug in one unit of the NDC line as a package of its own."""
    if "per-unit" not in row.marks:
        return row
    return _package(row, row.ndc, row.qualifier, row.proof, row.unit, row.form, row.amount, "", row)


def _package(
    first: Product,
    number: str,
    qualifier: str,
    proof: str,
    unit: str,
    form: str,
    per_unit: Fraction | None,
    sibling: str,
    mine: Product | None,
) -> AnotherPackage:
    cells: dict[str, Any] = {name: tables.cell_text(getattr(first, name)) for name in tables.header(Product)}
    cells |= {
        "ndc": ndc.format(number),
        "amount": "",
        "unit": unit,
        "containers": "1",
        "qualifier": qualifier,
        "quantity": "",
        "proof": proof,
        "size": "",
        "shape": mine.shape if mine is not None else "",
        "kind": mine.kind if mine is not None else "",
        "form": form,
        "marks": "|".join(mark for mark in first.marks if not sibling or mark == "uncoded"),
    }
    made = AnotherPackage(**cells, sibling=sibling, per_unit=per_unit)
    object.__setattr__(made, "origin", first.origin)
    return made


def _counted(row: Product, reviewed: Container | None) -> tuple[str, Fraction | None]:
    """What counts a package on an NDC line, and how much drug one mL of it holds; "" and None where not known."""
    qualifier, volume = row.qualifier, row.quantity
    if reviewed is not None and reviewed.form and (not qualifier or QUALIFIER_OF[reviewed.form] != qualifier):
        qualifier, volume = QUALIFIER_OF[reviewed.form], reviewed.quantity or row.size
    if qualifier != "ML" or not volume or row.amount is None or row.unit == "billing unit":
        return qualifier, None
    return qualifier, row.amount / volume
