"""The shipped book of facts, as tests ask it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jcodeunits import tables
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
