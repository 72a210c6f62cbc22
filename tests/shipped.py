"""The shipped book of facts, as tests ask it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import jcodeunits as jc
from jcodeunits import tables
from jcodeunits.dose import Dose
from jcodeunits.errors import CodeError, JcodeunitsError
from jcodeunits.facts.choosing import choose
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.reference import Reference
from jcodeunits.facts.store import Store

REFERENCE = Reference.shipped()
DRUGS, PRODUCTS, POLICY = REFERENCE.drugs, REFERENCE.products, REFERENCE.policy
FOLDER = Path(tables.folder())


def rows_of(row_class: Any) -> tuple[Any, ...]:
    """Every shipped row of a table."""
    return REFERENCE.store.rows(row_class)


def load(row_class: Any, file: Path) -> tuple[Any, ...]:
    """A file of a table's shape, read as strictly as a shipped one."""
    return tables.read(row_class, str(file), REFERENCE.store.sources)


def with_own(folder: Path) -> Reference:
    """The shipped book with a site's own rows."""
    return REFERENCE.with_tables(folder)


def reference_of(*rows: Drug) -> Reference:
    """A book that holds made drug rows beside the shipped ones."""
    store = Store()
    store._memo[Drug] = tuple(sorted((*rows_of(Drug), *rows), key=lambda row: (row.code, row.effective)))
    return Reference(store)


def code_of(text: str, on: dt.date, dose: str = "", route: str | None = None) -> str:
    """The code that a drug's text means, or nothing where it is refused."""
    try:
        return choose(DRUGS, text, on, Dose.of(dose) if dose else None, route).drug.code
    except CodeError:
        return ""


def billed_as(case: dict[str, str], on: object) -> str:
    """Code and units of a case's `typed`, `dose` and `route`, or why they are refused."""
    try:
        billed = jc.billing_units(case["typed"], case["dose"], on=on, route=case["route"] or None)
        return f"{billed.code} x {billed.count}"
    except JcodeunitsError as why:
        return f"refused: {why}"
