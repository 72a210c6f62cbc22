"""Tables of other libraries in and out: read as Arrow, given back as they came with the answers appended."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any

import pyarrow as pa

from ..errors import BatchError
from ..recipes.cells import number_text

Back = Callable[[Any, Sequence[str]], Any]
GIVEN = "given_"  # before the name of a given column that is named like an answer


def renamed(names: Sequence[str], outputs: Sequence[str]) -> list[str]:
    """The names of passed columns: one that is named like an answer is what was given.

    >>> renamed(["drug", "status"], ["hcpcs", "status"])
    ['drug', 'given_status']
    """
    return [f"{GIVEN}{name}" if name in outputs else name for name in names]


def opened(table: Any, wanted: Callable[[Sequence[str]], Collection[str]]) -> tuple[Any, Back]:
    """A table as Arrow, and what makes of the answers a table of the same kind.

    `wanted` says which of all columns are read, or raises: of a pandas or Polars frame only those are taken, and the
    others stay as they are. Raises `BatchError` for a lazy frame and for what is no table.
    """
    for library, back in (("pandas", _pandas), ("polars", _polars)):
        if _is_frame(table, library):
            read = _table(table, wanted([str(name) for name in table.columns]))
            return read, partial(back, sys.modules[library], table)
    given = arrow(table)
    wanted(given.column_names)
    return given, lambda made, _: made


def arrow(table: Any) -> Any:
    """An Arrow table from a table, a record batch, or any data frame that speaks Arrow. Raises `BatchError`."""
    if isinstance(table, pa.Table):
        return table
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    if hasattr(table, "collect") and hasattr(table, "collect_schema"):
        says = "is a plan that was not run: give its rows, .collect(), or bill it in parts with map_batches"
        raise BatchError(f"A {type(table).__name__} {says}.", place="table")
    if _is_frame(table, "polars"):  # whose stream has views of texts
        return _table(table, table.columns)
    if hasattr(table, "__arrow_c_stream__"):
        try:
            return pa.table(table)
        except (pa.ArrowException, TypeError, ValueError):  # what they say shows a value, which is nobody's to read
            if _is_frame(table, "pandas") and table.columns.is_unique:
                return _table(table, list(map(str, table.columns)))
            says = f"A {type(table).__name__} cannot be read as a table: give one with each column once, of one kind."
            raise BatchError(says, place="table") from None
    says = f"A {type(table).__name__} is no table. Give a pyarrow table, or a Polars, pandas or DuckDB frame."
    raise BatchError(says, place="table")


def _is_frame(table: Any, library: str) -> bool:
    module = sys.modules.get(library)
    return module is not None and isinstance(table, module.DataFrame)


def _table(frame: Any, names: Collection[str]) -> Any:
    """The columns of a frame of these names as Arrow. Raises `BatchError` for one that Arrow does not hold."""
    return pa.table({str(name): _column(frame[name], name) for name in frame.columns if str(name) in names})


def _column(column: Any, name: Any) -> Any:
    """A column as Arrow; one of texts, numbers and days, as a spreadsheet has it, as text."""
    try:
        return column.to_arrow() if hasattr(column, "to_arrow") else pa.Array.from_pandas(column)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        cells = column.where(column.notna(), None).tolist() if hasattr(column, "notna") else [column]
        if all(cell is None or (isinstance(cell, _SINGLE) and not isinstance(cell, bool)) for cell in cells):
            return pa.array([None if cell is None else number_text(cell) for cell in cells], pa.string())
        says = f"The column {name} holds values of several kinds. Make them all text, or all numbers."
        raise BatchError(says, place=str(name)) from None


_SINGLE = (str, Real, Decimal, dt.date)


def _answers(made: Any, outputs: Sequence[str]) -> Any:
    """The answers alone, their texts plain."""
    table = made.select(list(outputs))
    for n, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(n, field.name, table[n].cast(field.type.value_type))
    return table


def _pandas(pandas: Any, frame: Any, made: Any, outputs: Sequence[str]) -> Any:
    kinds = {pa.int64(): pandas.Int64Dtype(), pa.string(): pandas.StringDtype()}
    whole = frame.rename(columns=dict(zip(frame.columns, renamed(list(frame.columns), outputs), strict=True)))
    for field in (answers := _answers(made, outputs)).schema:
        kind = kinds.get(field.type) or pandas.ArrowDtype(field.type)
        whole[field.name] = pandas.Series(
            answers[field.name].to_pandas(types_mapper=lambda _, kind=kind: kind).array, index=frame.index
        )
    return whole


def _polars(polars: Any, frame: Any, made: Any, outputs: Sequence[str]) -> Any:
    whole = frame.rename(dict(zip(frame.columns, renamed(frame.columns, outputs), strict=True)))
    return whole.with_columns(polars.from_arrow(_answers(made, outputs)).get_columns())
