"""Workbooks of staff as text columns, as a person sees them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..errors import BatchError, quoted

_SHEET_ROWS = 1 << 20  # of a sheet, by its format
_OF_A_CELL = (ValueError, TypeError, KeyError, IndexError)


def why_of(error: BaseException) -> str:
    """What went wrong in a file, in one short line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:300].rstrip(".")


def opened(path: Path, name: str, step: int) -> tuple[Any, Iterator[Any], tuple[str, ...]]:
    """The schema of the first sheet that a person sees, all text, its tables of `step` rows, and what else holds rows.

    Dates are ISO days, numbers are as they are shown. How far a sheet says that it reaches is not believed, and a
    heading stands over its own column only.
    """
    import openpyxl

    if not openpyxl.DEFUSEDXML:
        says = "Reading workbooks safely needs defusedxml: pip install 'jcodeunits[batch]', and do not switch it off."
        raise BatchError(says, file=name, place="file")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheet, *others = (one for one in book.worksheets if one.sheet_state == "visible")
        more = tuple(f"sheet {quoted(one.title)}" for one in others if any(one.iter_rows(values_only=True, max_row=99)))
        sheet.reset_dimensions()
        rows = enumerate(sheet.iter_rows(values_only=True), 1)
        first = next((row for _, row in rows if any(cell is not None for cell in row)), ())
        heads = [str(cell).strip() if cell is not None else "" for cell in first]
        named = [at for at, head in enumerate(heads) if head]
        lacks, row = _valueless(sheet, [openpyxl.utils.get_column_letter(at + 1) for at in named])
    except Exception as why:  # noqa: BLE001 - openpyxl raises what its parts raise: zip, XML, key errors
        raise BatchError(f"{name} is no workbook that can be read: {why_of(why)}.", file=name, place="file") from None
    if lacks:
        raise BatchError(f"{name}: the cell {lacks}.", file=name, place=f"row {row}")
    if not named:
        raise BatchError(f"{name} is empty: a first row with the column names is wanted.", file=name, place="header")
    schema = pa.schema([(heads[at], pa.string()) for at in named])

    def kept() -> Iterator[list[str | None]]:
        for number, row in _sheet_rows(rows, name):
            cells = dict(enumerate(map(_cell, row)))
            bare = [at for at, cell in cells.items() if cell is not None and at not in named]
            if bare:
                letter = openpyxl.utils.get_column_letter(bare[0] + 1)
                says = (
                    f"{name}, row {number}: there is a cell in column {letter}, which has no name. Name it or clear it."
                )
                raise BatchError(says, file=name, place=f"row {number}")
            if any(cell is not None for cell in cells.values()):
                yield [cells.get(at) for at in named]

    def tables() -> Iterator[Any]:
        lines = kept()
        while held := list(itertools.islice(lines, step)):
            yield pa.table([pa.array(column, pa.string()) for column in zip(*held, strict=True)], schema=schema)

    return schema, tables(), more


# A formula without its value (one that made an empty text is kept as a text), and a merged cell.
_BARE = rb'<c r="([A-Z]+)(\d+)"(?: s="\d+")?(?: t="n")?><f(?:[^>]*/>|[^>]*>[^<]*</f>)(?:<v ?/>|<v></v>)?</c>'
_VALUELESS = re.compile(_BARE + rb'|<mergeCell ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')


def _valueless(sheet: Any, letters: list[str]) -> tuple[str, str]:
    """The first cell under a heading that has no value of its own, though a person sees one, and its row."""
    with sheet._get_source() as xml:
        held = b""
        while chunk := xml.read(1 << 20):
            held = held[-(1 << 14) :] + chunk  # a cell with its formula is shorter
            for found in _VALUELESS.finditer(held):
                cell, at, left, top, right, bottom = (part.decode() if part else "" for part in found.groups())
                if cell in letters:
                    says = "holds a formula that was never worked out. Open and save it in a spreadsheet"
                    return f"{cell}{at} {says}", at
                if top != bottom and any((len(left), left) <= (len(of), of) <= (len(right), right) for of in letters):
                    return f"{left}{top}:{right}{bottom} is merged. Unmerge it, and fill each of its rows", top
    return "", ""


def _sheet_rows(rows: Iterator[Any], name: str) -> Iterator[Any]:
    """The rows of a sheet with their numbers; what cannot be read is named by its row."""
    number = 1
    while True:
        try:
            number, row = next(rows, (0, None))
        except Exception as why:  # noqa: BLE001 - openpyxl raises what its parts raise: zip, XML, key errors
            # What the language says of a value shows the value, which is nobody's to read here.
            kind = "a cell is not of the kind that it says" if type(why) in _OF_A_CELL else why_of(why)
            says = f"{name} cannot be read behind row {number}: {kind}. Mend the cell, or save it as CSV."
            raise BatchError(says, file=name, place=f"row {number + 1}") from None
        if row is None:
            return
        if number > _SHEET_ROWS:
            says = f"{name} has a row beyond {_SHEET_ROWS:,}, the last one of a sheet. Save the workbook again."
            raise BatchError(says, file=name, place=f"row {number}")
        yield number, row


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if hasattr(value, "hour") and hasattr(value, "year"):
        return str(value.date() if not (value.hour or value.minute or value.second) else value)
    if isinstance(value, float):
        # A sheet keeps floats and shows 15 digits of them at most: 0.1 + 0.2 is 0.3.
        return format(Decimal(format(value, ".15g")).normalize(), "f") if math.isfinite(value) else str(value)
    return str(value)
