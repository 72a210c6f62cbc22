"""A site's own rows as its files say them: any of a table's columns, the rest by default."""

from __future__ import annotations

import csv
import io
import os.path
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

import attrs

from .. import tables
from ..tables import Dated, Source

D = TypeVar("D", bound=Dated)


@attrs.frozen
class OwnRow:
    """A site's row, the text of its first cell, the line of the file that it stands on."""

    first: str
    row: Any
    line: int


@attrs.frozen(eq=False)
class OwnTables:
    """One folder of a site's own rows, read: by table, and the SHA-256 of each file."""

    path: str
    rows: Mapping[type[Any], tuple[OwnRow, ...]]
    digests: Mapping[str, str]


def read_own(
    row_class: type[D], file: str, known: Mapping[str, Source], rows: Callable[[], Iterable[D]]
) -> tuple[OwnRow, ...]:
    """A site's own rows: any of the table's columns, in any order, and `replaces` (yes or no).

    What is left out has its default: the row is the site's own and holds always. Raises `TableError` that
    names the line, what is missing and a row that would load.
    """
    name = os.path.basename(file)
    cells = tables.cells_of(io.StringIO(tables.file_text(file, name, "utf-8-sig"), newline=""), file, name)
    names = tables.header(row_class)
    written = [column.strip() for column in cells[0]] if cells else []
    given = [column.lower() for column in written]
    unknown = [column for column in written if column.lower() not in (*names, "replaces")]
    if not given or unknown or len(set(given)) != len(given):
        wrong = ", ".join(repr(column) for column in unknown)
        says = f"no such column: {wrong}" if unknown else "a header that names each column once is wanted"
        says = tables.parted_by(given) or says
        way = f"Its columns: {', '.join(names)}, replaces."
        raise tables.refuse(name, file, [f"line 1: {says}"], way, _example(row_class, rows))
    found: list[OwnRow] = []
    problems: list[str] = []
    for line, row in enumerate(cells[1:], start=2):
        if not any(row):
            continue
        if len(row) != len(given):
            problems.append(f"line {line}: {len(row)} cells where the header has {len(given)}")
            continue
        said = {column: cell.strip() for column, cell in zip(given, row, strict=True)}
        if not all(cell.isprintable() for cell in said.values()):
            problems.append(f"line {line}: a control character stands in it")
            continue
        made, wrong_cells = _own(row_class, said, known, f"{name}, line {line}")
        problems += [f"line {line}{says}" for says in wrong_cells]
        if made is not None:
            found.append(OwnRow(made.first_cell, made, line))
    if problems:
        raise tables.refuse(name, file, problems, "", _example(row_class, rows))
    return tuple(found)


def _own(
    row_class: type[D], said: Mapping[str, str], known: Mapping[str, Source], place: str
) -> tuple[D | None, list[str]]:
    """One own row with its defaults, or what is wrong with it."""
    cells, problems = [], []
    for field in attrs.fields(cast(Any, row_class)):
        if not field.init:
            continue
        cell = said.get(field.name, "") or _default(field, said, place)
        cells.append(cell)
        try:
            tables.converted(field, cell)
        except (ValueError, TypeError) as why:
            if not cell:
                problems.append(f": column {field.name} is missing")
            elif said.get(field.name):  # a default is made of another cell, which is wrong itself
                problems.append(f", column {field.name}: {cell!r}: {why}")
    try:
        replaces = tables.flag(said.get("replaces", "") or "no")
    except ValueError as why:
        problems.append(f", column replaces: {said['replaces']!r}: {why}")
    if problems:
        return None, problems
    try:
        row: D = cast(Any, row_class)(*cells)
    except (ValueError, TypeError) as why:
        return None, [f": {why}"]
    if row.ends is not None and row.ends < row.effective:
        return None, [f": ends {row.ends} before it takes effect {row.effective}"]
    return tables.sourced(row, known.get(row.source), replaces), []


def _default(field: Any, said: Mapping[str, str], place: str) -> str:
    if field.name == "cite":
        return place
    own = field.metadata.get("own", "")
    return str(own(said)) if callable(own) else str(own)


def needed(row_class: type[Dated]) -> list[str]:
    """The columns that a site's own row gives: those that it cannot leave out, and the usual ones."""
    wanted = []
    for field in attrs.fields(cast(Any, row_class)):
        if not field.init or field.name == "cite":
            continue
        if field.name in row_class.USUAL or ("own" not in field.metadata and not _takes_empty(field)):
            wanted.append(field.name)
    return wanted


def _takes_empty(field: Any) -> bool:
    try:
        tables.converted(field, "")
    except (ValueError, TypeError):
        return False
    return True


def _example(row_class: type[D], rows: Callable[[], Iterable[D]]) -> list[str]:
    """A file of one row that loads in place of a shipped row: the columns that a site's row gives."""
    names = needed(row_class)
    cells: list[str] = []
    for row in rows():
        cells = [row.first_cell if name == names[0] else tables.cell_text(getattr(row, name)) for name in names]
        if all(cells):
            break
    if not cells:
        return []
    shown = io.StringIO()
    csv.writer(shown, lineterminator="\n").writerows(([*names, "replaces"], [*cells, "yes"]))
    return shown.getvalue().splitlines()
