"""Columns of a table as integers: keys, days and scaled amounts, with everything else left to the one-call path.

Amounts become whole numbers of 10^-scale of the row's unit. Text and float64 go through a float rounding that is
proved exact in its range (see `_exact_micro`); a value outside that range, or written in any other way than as a
plain decimal, is marked with 0 and answered by the one-call path.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..dated import day_as
from ..errors import BatchError

SCALE = 6
MICRO = 10**SCALE
# Above this a multiple of 10^-6 no longer has a float64 of its own.
_FLOAT_LIMIT = 4.5e9
# Text with at most this many characters has at most 15 digits: decimal to float64 and back loses nothing.
_TEXT_LIMIT = 15
_PLAIN = r"^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$"


def whole(column: Any) -> Any:
    """A chunked column as one array; no copy where it already is one."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def readable(table: Any, names: Iterable[str], dates: str = "") -> Any:
    """The table with these columns as single values: encodings undone, bytes as the text that they are.

    `dates` is how the days of `on` are written where not as ISO (`date_pattern`): they become days, and so does a day
    with a time of the place behind it. Raises `BatchError`
    for a column whose type holds no single value, or none that a row could say.
    """
    for name in names:
        if name in table.column_names:
            column = table[name]
            made = _single(column, name)
            is_number = pa.types.is_integer(made.type) or pa.types.is_floating(made.type)
            if name == "on" and (is_text(made.type) or (dates and is_number)):
                made = _as_days(made, dates)
            if made is not column:
                table = table.set_column(table.column_names.index(name), name, made)
    return table


def _single(column: Any, name: str) -> Any:
    kind = column.type
    inner = kind.value_type if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind) else kind
    misplaced = pa.types.is_temporal(inner) and name not in ("on", "start", "stop")
    if misplaced or any(holds(inner) for holds in _NO_VALUE) or (pa.types.is_time(inner) and name == "on"):
        raise BatchError(
            f"Column {name!r} is {kind}: no row can be read from it. Give text, numbers or dates.", place=name
        )
    if pa.types.is_run_end_encoded(kind):
        return _single(pa.chunked_array([pc.run_end_decode(part) for part in column.chunks], inner), name)
    if pa.types.is_decimal(inner) and inner.bit_width < 128:
        return column.cast(pa.decimal128(inner.precision, inner.scale))
    if pa.types.is_dictionary(kind) and pa.types.is_string_view(inner):
        return pa.chunked_array([p.dictionary.cast(pa.string()).take(p.indices) for p in column.chunks], pa.string())
    is_text = pa.types.is_string(inner)
    if is_text or any(holds(inner) for holds in _BYTES):
        try:
            if not is_text:
                return text_of(column)
            column.validate(full=True)  # a damaged file may call any bytes a text
        except pa.ArrowInvalid:
            says = f"Column {name!r} is {inner}, and its bytes are no text in UTF-8. Give text."
            raise BatchError(says, place=name) from None
    return _in_calendar(column, inner, name) if pa.types.is_date(inner) or pa.types.is_timestamp(inner) else column


# A day, and the time behind it; one in UTC leaves the day at the place open.
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?: ?[AaPp][Mm])?(?:[+-]\d\d:?\d\d)?"
_STAMPED = rf"^\s*([-/. \w]{{6,11}}?)(?:[T ]{_TIME})?\s*$"


def _as_days(column: Any, written: str) -> Any:
    """A column of text (or numbers: 20260302) with the days as ISO, without their time; what is none stays."""
    words = whole(column).dictionary if pa.types.is_dictionary(column.type) else column
    if (pc.max(pc.binary_length(pc.cast(words, pa.string()))).as_py() or 0) > len("2026-03-02"):
        column = pc.replace_substring_regex(pc.cast(column, pa.string()), _STAMPED, r"\1")
    if not written:
        return column

    def iso(value: object) -> str | None:
        text = None if value is None else str(value).removesuffix(".0")  # a column of numbers with gaps holds floats
        with contextlib.suppress(ValueError):
            return str(day_as((text or "").strip(), written))
        return text

    found = keys(column)
    return pa.chunked_array([found.texts(map(iso, found.values))])


def text_of(column: Any) -> Any:
    """Text or bytes of any encoding as plain text. Raises `ArrowInvalid` for bytes that are none in UTF-8."""
    return column.cast(pa.large_binary()).cast(pa.large_string()).cast(pa.string())


_FIRST, _LAST = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31 in days since 1970
_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def _in_calendar(column: Any, kind: Any, name: str) -> Any:
    """Dates and timestamps; as text where one lies outside the years 1 to 9999, so that its row alone is refused."""
    column = column.cast(kind)
    numbers = column.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64()).cast(pa.int64())
    zone = 1 if pa.types.is_timestamp(kind) and kind.tz else 0  # a day for the clock of the place
    a_day = 1 if pa.types.is_date32(kind) else _A_DAY["ms" if pa.types.is_date64(kind) else kind.unit]
    low, high = (_FIRST + zone) * a_day, min((_LAST + 1 - zone) * a_day, 2**63) - 1
    ends = pc.min_max(numbers).as_py()
    if ends["min"] is None or (ends["min"] >= low and ends["max"] <= high):
        return column
    inside = pc.and_(pc.greater_equal(numbers, max(low, -(2**63))), pc.less_equal(numbers, high))
    held = pc.if_else(inside, column, pa.scalar(None, kind))
    if name == "on" and pa.types.is_timestamp(kind):
        held = (pc.local_timestamp(held) if zone else held).cast(pa.date32(), safe=False)
    return pc.coalesce(held.cast(pa.string()), pc.if_else(inside, None, "a day outside the years 1 to 9999"))


_BINARY = ("binary", "large_binary", "fixed_size_binary", "binary_view", "string_view")
_BYTES = tuple(getattr(pa.types, f"is_{kind}") for kind in _BINARY)
_NO_VALUE = (
    pa.types.is_nested,
    pa.types.is_boolean,
    pa.types.is_duration,
    pa.types.is_interval,
    lambda kind: isinstance(kind, pa.BaseExtensionType),
)


@attrs.frozen(eq=False)
class Keys:
    """A column as indices (int32) into its distinct values; a missing value is None among them."""

    index: Any
    values: list[Any]

    def of(self, values: Sequence[Any], kind: Any = None) -> Any:
        """What each row has of an array with an element for each of the values."""
        made = np.array(values, kind)
        return made[self.index] if len(self.values) > 1 else np.broadcast_to(made, len(self.index))

    def texts(self, values: Iterable[str | None]) -> Any:
        """A text for each row, of an Arrow array, out of one for each of the values."""
        return pa.array(values, pa.string()).take(pa.array(self.index))

    def cells(self, read: Callable[[Any], Any] = lambda value: value) -> list[Any]:
        """What each row says, each distinct value read once."""
        said = [read(value) for value in self.values]
        return [said[at] for at in self.index.tolist()]


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is text, in whichever encoding."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def encoded(column: Any) -> tuple[Any, Any]:
    """For each row of a column which distinct value it has (int32), and those values; a missing one stands behind."""
    array = whole(column)
    if not pa.types.is_dictionary(array.type):
        array = pc.dictionary_encode(array)
    indices, distinct = array.indices, array.dictionary
    if indices.null_count:
        indices = pc.fill_null(indices.cast(pa.int32()), len(distinct))
        distinct = pa.concat_arrays([distinct, pa.nulls(1, distinct.type)])
    index = indices.to_numpy(zero_copy_only=False)
    return (index if index.dtype == np.int32 else index.astype(np.int32)), distinct


def numbers(column: Any) -> tuple[Any, int]:
    """A number (int64) for each row, equal where the values are, and one above all; no number or day is hashed."""
    array = whole(column)
    if (pa.types.is_int64(array.type) or pa.types.is_date32(array.type)) and len(array) and not array.null_count:
        values = array.cast(pa.int32() if pa.types.is_date32(array.type) else pa.int64()).to_numpy()
        low, high = int(values.min()), int(values.max())
        if high - low < 2**31:
            return values.astype(np.int64) - low, high - low + 1
    index, distinct = encoded(array)
    return index.astype(np.int64), len(distinct)


def keys(column: Any) -> Keys:
    """The distinct values of a column, and for each row which one it is."""
    index, distinct = encoded(column)
    return Keys(index, distinct.to_pylist())


def cells(column: Any, read: Callable[[Any], Any] = lambda value: value) -> list[Any]:
    """What each row of a column says; of one with single values each distinct one is read once."""
    nested = pa.types.is_nested(column.type)
    return [read(value) for value in column.to_pylist()] if nested else keys(column).cells(read)


def blanks(values: Any) -> Any:
    """Which values say nothing."""
    if not is_text(values.type):
        return values.is_null().to_numpy(zero_copy_only=False)
    return pc.equal(pc.utf8_trim_whitespace(pc.fill_null(values.cast(pa.string()), "")), "").to_numpy(
        zero_copy_only=False
    )


# A dose with its unit behind it, as a record writes both in one cell.
_BOTH = r"^\s*(?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?) ?(?P<unit>[A-Za-z]+)\s*$"


def apart(dose: Any, unit: Any | None) -> tuple[Any, Any]:
    """Doses and their units as two columns, where a dose holds its unit ("40 mg") and no other is given."""
    dose, unit = whole(dose), pa.nulls(len(dose), pa.string()) if unit is None else whole(unit)
    if not is_text(dose.type) or not is_text(unit.type):
        return dose, unit
    said = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(unit.cast(pa.string())), ""), False)
    if pc.all(said, min_count=0).as_py():
        return dose, unit
    read = pc.extract_regex(dose.cast(pa.string()), _BOTH)
    number, own = (pc.if_else(said, None, pc.struct_field(read, n)) for n in (0, 1))
    return pc.coalesce(number, dose.cast(pa.string())), pc.coalesce(own, unit.cast(pa.string()))


def days(column: Any) -> tuple[Any, Keys | None]:
    """Days since 1970 (int32; of a moment the day it shows) for a column without gaps; else keys, read one by one."""
    array = whole(column)
    if pa.types.is_timestamp(array.type):
        array = pc.local_timestamp(array) if array.type.tz else array
        array = array.cast(pa.date32(), safe=False)
    elif pa.types.is_date64(array.type):
        array = array.cast(pa.date32())
    if pa.types.is_date32(array.type) and array.null_count == 0:
        return array.view(pa.int32()).to_numpy(), None
    return None, keys(array)


class Amounts(ABC):
    """A column of amounts, whole numbers of 10^-scale; `text` says whether they are text, whose spelling matters."""

    scale = 0
    text = False

    def __init__(self, array: Any) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @abstractmethod
    def scaled(self, part: slice) -> Any:
        """The amounts of these rows as int64 multiples of 10^-scale, 0 where not held."""

    def unsafe(self, part: slice) -> Any | None:  # noqa: ARG002 - text needs them
        """Which of these rows are written with a trailing zero, which is read with a note; None where none can be."""
        return None

    def raw(self, rows: Any) -> list[Any]:
        """The values of these rows as Python values, for the one-call path."""
        return list(self.array.take(pa.array(rows)).to_pylist())


class _Whole(Amounts):
    def scaled(self, part: slice) -> Any:
        cells = self.array[part]
        if cells.null_count:
            cells = pc.fill_null(cells, 0)
        values = cells.to_numpy(zero_copy_only=False)
        if values.dtype == np.uint64:
            return np.where(values < 2**63, values, 0).astype(np.int64)
        return values if values.dtype == np.int64 else values.astype(np.int64)


class _Decimal(Amounts):
    def __init__(self, array: Any) -> None:
        super().__init__(array)
        self.scale = array.type.scale

    def scaled(self, part: slice) -> Any:
        cells = self.array[part]
        words = np.frombuffer(cells.buffers()[1], np.int64)[2 * cells.offset : 2 * (cells.offset + len(cells))]
        low, high = words[::2], words[1::2]
        held = (high == 0) & (low > 0)
        if cells.null_count:
            held &= cells.is_valid().to_numpy(zero_copy_only=False)
        return np.where(held, low, 0)


def _exact_micro(values: Any) -> Any:
    """Floats as whole millionths, 0 where that is not exact.

    k = round(x * 10^6) is kept only if k / 10^6, correctly rounded, is x again. Below 4.5e9 two multiples of
    10^-6 lie further apart than two floats, so no other decimal of six places reads as x: k / 10^6 is the
    value that was written, and its shortest text.
    """
    with np.errstate(all="ignore"):
        micro = np.rint(values * MICRO)
        held = (micro / MICRO == values) & (values < _FLOAT_LIMIT) & (values > 0)
        return np.where(held, micro, 0).astype(np.int64)


class _Float(Amounts):
    scale = SCALE

    def scaled(self, part: slice) -> Any:
        return _exact_micro(self.array[part].to_numpy(zero_copy_only=False))


class _Text(Amounts):
    """Decimal text. What is not a plain decimal of at most 15 characters is left to the one-call path."""

    scale = SCALE
    text = True

    def scaled(self, part: slice) -> Any:
        cells = self.array[part]
        plain = pc.and_(pc.match_substring_regex(cells, _PLAIN), pc.less_equal(pc.binary_length(cells), _TEXT_LIMIT))
        kept = pc.if_else(pc.fill_null(plain, False), cells, "0")
        return _exact_micro(pc.cast(kept, pa.float64()).to_numpy(zero_copy_only=False))

    def unsafe(self, part: slice) -> Any | None:
        cells = self.array[part]
        marked = pc.and_(pc.ends_with(cells, "0"), pc.match_substring(cells, "."))
        return pc.fill_null(marked, False).to_numpy(zero_copy_only=False)


class _Distinct(Amounts):
    """A dictionary-encoded column: each distinct amount is read once."""

    def __init__(self, array: Any) -> None:
        super().__init__(array)
        inner = amounts(array.dictionary, "dose")
        self.scale, self.text = inner.scale, inner.text
        every = slice(0, len(inner))
        self._values, marks = np.append(inner.scaled(every), 0), inner.unsafe(every)
        self._marks = None if marks is None else np.append(marks, False)

    def _indices(self, part: slice) -> Any:
        cells = self.array.indices[part]
        if cells.null_count:
            cells = pc.fill_null(cells.cast(pa.int64()), len(self._values) - 1)
        return cells.to_numpy(zero_copy_only=False)

    def scaled(self, part: slice) -> Any:
        return self._values[self._indices(part)]

    def unsafe(self, part: slice) -> Any | None:
        return None if self._marks is None else self._marks[self._indices(part)]


class _Unread(Amounts):
    """A type whose values are not numbers of their own: every row goes the one-call way."""

    def scaled(self, part: slice) -> Any:
        return np.zeros(part.stop - part.start, np.int64)


def amounts(column: Any, name: str) -> Amounts:
    """A column of amounts by its type. Raises `BatchError` for float32 and float16, which have lost digits."""
    array = whole(column)
    kind = array.type
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        raise BatchError(
            f"Column {name!r} is {kind}: it no longer holds the decimals that were written (0.1 is 0.10000000149). "
            "Read it as text, decimal or float64 from the source.",
            place=name,
        )
    if pa.types.is_dictionary(kind):
        return _Distinct(array)
    if is_text(kind):
        return _Text(array if pa.types.is_string(kind) else array.cast(pa.string()))
    if pa.types.is_float64(kind):
        return _Float(array)
    if pa.types.is_integer(kind):
        return _Whole(array)
    if pa.types.is_decimal(kind):
        if pa.types.is_decimal256(kind):
            return _Unread(array)
        made = array if pa.types.is_decimal128(kind) else array.cast(pa.decimal128(18, kind.scale))
        return _Decimal(made) if 0 <= made.type.scale <= 18 else _Unread(array)
    return _Unread(array)


def plain(value: Any) -> Any:
    """A raw value as `Dose.of` takes it: text, int, float or Decimal stay."""
    return value if isinstance(value, str | int | float | Decimal) else str(value)
