"""Files in and out: CSV, Parquet and spreadsheets as streams of Arrow tables, written aside and moved into place.

Reading, billing and writing run in threads of their own with short queues between them, so that memory does not
grow with the file. What goes wrong is a `BatchError` that names the file and the place; the earlier output stays
as it was until the new one is complete.
"""

from __future__ import annotations

import base64
import codecs
import contextlib
import csv
import functools
import io
import json
import os
import re
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ..errors import BatchError, quoted
from . import columns, workbook
from .workbook import why_of

ROWS = 1 << 19  # rows in one step of a stream, and in one row group of the output
_NARROW = 7  # columns of a Parquet file, of which twice as many rows are held at a time
_CSV_BLOCK = 1 << 24
_LONGEST_LINE = 1 << 25
FORMATS = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".parquet", ".xlsx")
_OTHERS = {
    (".xls", ".xlsb", ".ods", ".numbers"): "Save it as .xlsx or .csv",
    (".zip", ".7z", ".rar", ".tar"): "Unpack it, and name the file in it",
    (".txt", ".dat", ".tab"): "Rename it: .csv where commas part its cells, .tsv where tabs do",
}
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
# What a CSV cell must be quoted for.
_QUOTED = r'[",\r\n]'
_JOINED = 1 << 16  # rows joined to one text
# What a spreadsheet takes for a formula. A plain number is none, whatever its sign.
_FORMULA = r"^[=+\-@\t\r]"
_NUMBER = r"^[+\-]?[0-9]+(?:\.[0-9]+)?$"


@attrs.frozen(eq=False)
class OpenedInput:
    """An opened input: its name, its schema, its tables one after the other, and how many rows it has.

    `rows` is None where that is not known before the end; `done()` is then the part read, between 0 and 1, and
    None where even that is not known. `more` are sheets of a workbook behind the first, which are not read.
    """

    name: str
    schema: Any
    tables: Iterator[Any]
    rows: int | None
    done: Callable[[], float | None]
    more: tuple[str, ...] = ()


@contextlib.contextmanager
def _told(what: str, file: str, does: str, behind: str = "") -> Iterator[None]:
    """Name what cannot be read or written; a reader that has gone (`| head`) is no fault."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as why:
        says = f"{what} cannot be {does}: {why_of(why)}.{behind}"
        raise BatchError(says, file=file, place="file") from None


def kind_of(name: str) -> str:
    """The format that a file's name says: one of `FORMATS`. Raises `BatchError` for another."""
    lower = re.sub(r"\.xlsm$", ".xlsx", name.lower())  # the same, with macros that nobody here runs
    for ending in FORMATS:
        if lower.endswith(ending):
            return ending
    way = next((f"{way}. Read or written are" for ends, way in _OTHERS.items() if lower.endswith(ends)), "Use")
    says = f"{name}: its name says no format that is read or written here. {way} {', '.join(FORMATS)}."
    raise BatchError(says, file=name, place="name")


def open_source(source: str | Path, keys: Sequence[str] = (), encoding: str = "utf-8") -> OpenedInput:
    """Open a file, or standard input for `-`; `keys`: Parquet columns read as dictionaries. Raises `BatchError`."""
    name = "standard input" if str(source) == "-" else str(source)
    with _told(name, name, "read"):
        if str(source) == "-":
            return _standard_input(name, keys, encoding)
        path = Path(source)
        kind = kind_of(path.name)
        if kind in (".parquet", ".xlsx"):
            _in_one_piece(path, name, kind)
        if kind == ".parquet":
            return _parquet(path, name, keys)
        if kind == ".xlsx":
            schema, sheet, more = workbook.opened(path, name, ROWS)
            return OpenedInput(f"{name} (its first sheet)" if more else name, schema, sheet, None, lambda: None, more)
        codec = _COMPRESSED.get(path.suffix.lower())
        return _csv(_CountedStream(path.open("rb")), name, codec, encoding, path.stat().st_size)


def _in_one_piece(path: Path, name: str, kind: str) -> None:
    """Refuse what cannot be read from its end, where these formats have their index, before it is waited for."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        says = f"{name} is a pipe or a device, and a {kind} file is read from its end."
        way = "Save it as a file first" + (", or give it on standard input (-)." if kind == ".parquet" else ".")
        raise BatchError(f"{says} {way}", file=name, place="file")


def _standard_input(name: str, keys: Sequence[str], encoding: str) -> OpenedInput:
    """CSV, plain or compressed, as it comes; Parquet is laid aside first, because its index stands at its end."""
    stream = _binary(sys.stdin, name)
    head = stream.read(4)
    if head == b"PAR1":
        spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process, read until then
        spool.write(head)
        while chunk := stream.read(_CSV_BLOCK):
            spool.write(chunk)
        spool.seek(0)
        return _parquet(spool, name, keys)
    codec = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
    return _csv(_CountedStream(stream, head), name, codec, encoding, None)


def _binary(stream: TextIO | None, name: str) -> BinaryIO:
    """The bytes of a standard stream, which a caller may have closed."""
    if stream is None:
        raise BatchError(f"{name.capitalize()} is closed. Give the name of a file.", file=name, place="file")
    return stream.buffer


def _parquet(place: Any, name: str, keys: Sequence[str]) -> OpenedInput:
    try:
        plain = pq.read_schema(place)
        if hasattr(place, "seek"):
            place.seek(0)
        encoded = [f.name for f in plain if f.name in keys and columns.is_text(f.type)]
        file = pq.ParquetFile(place, read_dictionary=encoded, pre_buffer=False)
    except (pa.ArrowException, ValueError) as why:
        says = f"{name} is no Parquet file that can be read: {why_of(why)}."
        raise BatchError(says, file=name, place="file") from None

    step = ROWS if len(plain) > _NARROW else 2 * ROWS

    def tables() -> Iterator[Any]:
        row, held = 0, list[Any]()
        try:
            for batch in file.iter_batches(step):  # a batch ends with its row group, however small that is
                held.append(batch)
                row += batch.num_rows
                if sum(map(len, held)) >= step // 2:
                    yield pa.Table.from_batches(held).unify_dictionaries()
                    held = []
            if held:
                yield pa.Table.from_batches(held).unify_dictionaries()
        except (pa.ArrowException, OSError) as why:
            says = f"{name} is damaged after row {row:,}: {why_of(why)}. Nothing was written."
            raise BatchError(says, file=name, place=f"row {row + 1}") from None

    return OpenedInput(name, plain, tables(), file.metadata.num_rows, lambda: None)


class _CountedStream:
    """A binary stream that counts what is read, with some bytes put back before it."""

    def __init__(self, stream: Any, head: bytes = b"") -> None:
        self.stream, self.head, self.taken = stream, head, 0

    closed = False

    def read(self, size: int = -1) -> bytes:
        if self.head and size >= 0:
            made, self.head = self.head[:size], self.head[size:]
        else:
            made, self.head = self.head + self.stream.read(size), b""
        self.taken += len(made)
        return made

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
        if self.stream is not getattr(sys.stdin, "buffer", None):
            with contextlib.suppress(Exception):
                self.stream.close()


def _csv(file: _CountedStream, name: str, codec: str | None, encoding: str, size: int | None) -> OpenedInput:
    """A CSV stream (of a .tsv, parted by tabs): each column as text; only an empty cell without quotes is missing.

    Blocks that end with a line are parsed one after the other, each to its end, so that no thread of the parser is
    left when a line is refused (a process that ended while one was reading was aborted).
    """
    try:
        is_plain = codecs.lookup(encoding).name == "utf-8"
        " ".encode(encoding)  # what packs bytes (base64, zlib) is refused
    except (LookupError, TypeError, ValueError):
        says = f"{quoted(encoding)} is no encoding. Write utf-8, windows-1252, latin-1 or utf-16."
        raise BatchError(says, file=name, place="encoding") from None
    try:
        stream = pa.PythonFile(file, "r")
        if codec:
            stream = pa.CompressedInputStream(stream, codec)
        if not is_plain:
            stream = pa.transcoding_input_stream(stream, encoding, "utf-8")
        mark = "\t" if name.lower().endswith(".tsv") else ","
        names, rest = _header(stream, name, encoding, mark)
    except (UnicodeError, AttributeError):  # the second of punycode, which reads no stream
        raise _not_in(name, encoding) from None
    schema = pa.schema([(column, pa.string()) for column in names])
    parse = pa_csv.ParseOptions(delimiter=mark, newlines_in_values=True)
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )

    def tables() -> Iterator[Any]:
        row = 0
        try:
            for block in _blocks(stream, rest, name):
                table = _parsed(block, names, parse, convert)
                row += table.num_rows
                yield table
        except UnicodeError:
            raise _not_in(name, encoding) from None
        except (pa.ArrowException, OSError) as why:
            raise _csv_error(name, why, row) from None
        finally:
            file.close()

    return OpenedInput(name, schema, tables(), None, lambda: file.taken / size if size else None)


def _not_in(name: str, encoding: str) -> BatchError:
    says = f"{name} is not written in {encoding}. Name its encoding: windows-1252, utf-16 ..."
    return BatchError(says, file=name, place="encoding")


def _parsed(block: bytes, names: list[str], parse: Any, convert: Any) -> Any:
    """A table from a block of lines. What is wrong is looked for again by one thread, which counts the rows."""
    for threads in (True, False):
        read = pa_csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=threads)
        try:
            return pa_csv.read_csv(pa.BufferReader(block), read, parse, convert)
        except pa.ArrowInvalid:
            if not threads:
                raise
    raise AssertionError("unreachable")  # pragma: no cover - one of the two has returned or raised


def _blocks(stream: Any, held: bytes, name: str) -> Iterator[bytes]:
    """A CSV stream, and what is held of it, in pieces that end with a line outside quotes and with no blank one."""
    ended = False
    while not ended:
        chunk = stream.read(_CSV_BLOCK)
        held, ended = held + chunk, not chunk
        end = len(held)
        while (end := held.rfind(b"\n", 0, end)) >= 0 and held.count(b'"', 0, end) % 2:
            continue
        block, held = held[: end + 1], held[end + 1 :]
        if block.strip():
            yield block
        if len(held) > _LONGEST_LINE:
            says = f"{name}: a line is longer than {_LONGEST_LINE >> 20} MB, or its quotes never close. Mend the line."
            raise BatchError(says, file=name, place="line")
    if held.strip():
        yield held


_ROW = re.compile(r"Row #(\d+): (Expected \d+ columns, got \d+)")


def _csv_error(name: str, why: BaseException, row: int) -> BatchError:
    """What is wrong with a line, and where; what stands in it is nobody's to read here."""
    match = _ROW.search(str(why))
    row += int(match[1]) if match else 1
    at = f"in row {row + 1:,} (the header is row 1)" if match else f"in or after row {row:,}"
    if match:
        said = f"a line has more or fewer cells than the header ({match[2]}). Mend the line: no row is skipped"
    elif "UTF8" in str(why) or "UTF-8" in str(why):
        said = "a character is not in the encoding expected. Save it as UTF-8, or name its encoding (windows-1252 ...)"
    else:
        said = why_of(why).partition(":")[0]
    return BatchError(f"{name} cannot be read {at}: {said}.", file=name, place=f"row {row + 1}")


def _header(stream: Any, name: str, encoding: str, mark: str) -> tuple[list[str], bytes]:
    """The column names, and what was read of the rows behind them."""
    data = b""
    while b"\n" not in data and len(data) < _CSV_BLOCK:
        chunk = stream.read(1 << 16)
        if not chunk:
            break
        data += chunk
    for sign, other in _ENCODINGS.items():
        if data.startswith(sign):
            says = f"{name} is written in {other}. Save it as UTF-8, or say encoding utf-16."
            raise BatchError(says, file=name, place="encoding")
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if b"\x00" in lines[0]:
        says = "is no CSV file: its first line holds bytes that are no text. In UTF-16, say encoding utf-16-le"
        raise BatchError(f"{name} {says}.", file=name, place="header")
    reader = csv.reader((f"{line.decode()}\n" for line in lines), delimiter=mark)  # a quoted name may have several
    try:
        names = next((row for row in reader if row), [])
    except UnicodeDecodeError:
        says = f"The header of {name} is not {encoding}. Save it as UTF-8, or name its encoding (windows-1252 ...)."
        raise BatchError(says, file=name, place="header") from None
    except csv.Error:
        says = (
            f"The first line of {name} is no header: it has a column name above 131,072 characters, or its lines end "
            "in CR alone. Save it as CSV with a line for each row."
        )
        raise BatchError(says, file=name, place="header") from None
    if not names:
        raise BatchError(f"{name} is empty: a header line with the column names is wanted.", file=name, place="header")
    return names, b"\n".join(lines[reader.line_num :])


@contextlib.contextmanager
def open_target(target: str | Path, schema: Any, *, spreadsheet_safe: bool = False) -> Iterator[Callable[[Any], None]]:
    """Write tables to a file, or to standard output as CSV for `-`; the file appears when all went well.

    `schema` is what the columns are to be read back as: text columns may be handed over as dictionaries.
    Raises `BatchError` where it cannot be written.
    """
    if str(target) == "-":
        told = functools.partial(_told, "standard output", "-", "written")
        out = _binary(sys.stdout, "standard output")
        writer = _CsvWriter(out, schema, spreadsheet_safe)

        def write(table: Any) -> None:
            with told():
                writer.write(table)

        yield write
        with told():
            writer.close()
            out.flush()
        return
    path = Path(target)
    kind = kind_of(path.name)
    if kind in (".tsv", ".xlsx"):
        raise BatchError(f"{path}: {kind} is read, not written. Write .csv.", file=str(path), place="name")
    with whole(path) as file:
        stream: Any = file
        if path.suffix.lower() in _COMPRESSED:
            own = os.fdopen(os.dup(file.fileno()), "wb")  # closed with the stream, and the file is not
            stream = pa.CompressedOutputStream(pa.PythonFile(own, "w"), _COMPRESSED[path.suffix.lower()])
        made: Any
        made = _ParquetWriter(stream, schema) if kind == ".parquet" else _CsvWriter(stream, schema, spreadsheet_safe)
        try:
            yield made.write
        finally:
            made.close()  # also where the file is dropped, so that nothing writes to it later
        if stream is not file:
            stream.close()


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that stands under its name whole or not at all, with the permissions it had. Raises `BatchError`."""
    place = Path(os.path.realpath(path))
    aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    with _told(str(path), str(path), "written"):
        file, nameless = _opened_aside(aside)
    try:
        with _told(str(path), str(path), "written", " What stood there before is untouched."):
            yield file
            file.flush()
            number = file.fileno()
            os.fsync(number)
            if place.exists():
                os.fchmod(number, stat.S_IMODE(place.stat().st_mode))
            if nameless:
                # A folder's descriptor makes Python call linkat, which alone follows the link to the nameless file.
                os.link(f"/proc/self/fd/{number}", aside, src_dir_fd=number, follow_symlinks=True)
            os.replace(aside, place)
            file.close()
    finally:
        for ending in (file.close, aside.unlink):  # of a file that was moved there is nothing left
            with contextlib.suppress(OSError):
                ending()


def _opened_aside(aside: Path) -> tuple[BinaryIO, bool]:
    """A new file, and whether it has no name at all, as where the system can: a killed process leaves nothing then."""
    if hasattr(os, "O_TMPFILE") and Path("/proc/self/fd").is_dir():
        with contextlib.suppress(OSError):
            return os.fdopen(os.open(aside.parent, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b"), True
    return os.fdopen(os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), "w+b"), False


class _ParquetWriter:
    """One row group for each table. The schema kept in the file is the one asked for, not how it was handed over."""

    def __init__(self, stream: Any, schema: Any) -> None:
        self._stream, self._schema = stream, schema
        self._writer: Any = None

    def write(self, table: Any) -> None:
        """Write a row group."""
        if self._writer is None:
            self._handed = table.schema.remove_metadata()
            texts = [field.name for field in self._handed if pa.types.is_dictionary(field.type)]
            numbers = [name for name in self._handed.names if name not in texts]
            # The least and the most of encoded texts are dear to find, and tell little of rows in no order of them.
            self._writer = pq.ParquetWriter(
                self._stream,
                self._handed,
                store_schema=False,
                use_dictionary=texts + [name for name in numbers if _repeats(table[name])] or False,
                write_statistics=numbers or False,
            )
            own = base64.b64encode(self._schema.serialize().to_pybytes())
            self._writer.add_key_value_metadata({**(self._schema.metadata or {}), b"ARROW:schema": own})
        self._writer.write_table(table.cast(self._handed), row_group_size=max(table.num_rows, 1))

    def close(self) -> None:
        """Write the index, and an empty row group where there was no row."""
        if self._writer is None:
            self.write(self._schema.empty_table())
        self._writer.close()


def _repeats(column: Any) -> bool:
    """Whether a column's first values are so few that a Parquet dictionary makes it smaller."""
    if not (pa.types.is_primitive(column.type) or pa.types.is_decimal(column.type)):
        return True
    first = column.slice(0, _JOINED >> 2)
    return bool(pc.count_distinct(first).as_py() * 8 <= len(first))


class _CsvWriter:
    """Text joined column by column: a cell is quoted only where it must be, so what passes through stays as it was."""

    def __init__(self, stream: Any, schema: Any, safe: bool) -> None:
        self._stream, self._safe, self._started = stream, safe, False
        self._schema = schema

    def write(self, table: Any) -> None:
        """Write the rows, with the header before the first."""
        if not self._started:
            self._stream.write(self._header(table.column_names))
            self._started = True
        texts = [_as_text(columns.whole(table[name]), self._safe) for name in table.column_names]
        for start in range(0, table.num_rows, _JOINED):
            cells = [text.slice(start, _JOINED) for text in texts]
            lines = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")
            lines = pc.binary_join_element_wise(lines, "\n", "")
            self._stream.write(_bytes_of(lines))

    def _header(self, names: list[str]) -> bytes:
        text = io.StringIO(newline="")
        heads = _defused(pa.array(names, pa.string())).to_pylist() if self._safe else names
        csv.writer(text, lineterminator="\n").writerow(heads)
        return text.getvalue().encode()

    def close(self) -> None:
        """Write the header where there was no row."""
        if not self._started:
            self.write(self._schema.empty_table())


def _bytes_of(texts: Any) -> Any:
    """The texts of an array one after the other, as they lie in memory."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(texts.buffers()[2])[int(offsets[0]) : int(offsets[-1])]


def _as_text(column: Any, safe: bool) -> Any:
    """A column as the cells of a CSV file; decimals without trailing zeros."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.dictionary, safe).take(column.indices)
    if pa.types.is_decimal(kind):
        text = pc.replace_substring_regex(column.cast(pa.string()), r"(\.[0-9]*?)0+$", r"\1")
        return pc.utf8_rtrim(text, ".")
    if pa.types.is_run_end_encoded(kind):
        return _as_text(pc.run_end_decode(column), safe)
    if pa.types.is_primitive(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    text = column if pa.types.is_string(kind) else _written(column)
    if safe:
        text = _defused(text)
    risky = pc.fill_null(pc.or_(pc.match_substring_regex(text, _QUOTED), pc.equal(text, "")), False)
    if not pc.any(risky, min_count=0).as_py():
        return text
    doubled = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(risky, doubled, text)


def _written(column: Any) -> Any:
    """Texts of any encoding, bytes that are text, and what holds several values, as JSON has it, as plain texts."""
    if pa.types.is_nested(column.type):
        cells = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]
        return pa.array(cells, pa.string())
    try:
        return columns.text_of(column)
    except pa.ArrowInvalid:
        says = (
            f"A column of {column.type} holds bytes that are no text in UTF-8: a CSV cannot keep them. Write .parquet."
        )
        raise BatchError(says, place="column") from None
    except pa.ArrowNotImplementedError:
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())


def _defused(texts: Any) -> Any:
    """Texts that a spreadsheet would take for a formula, with an apostrophe before them."""
    risky = pc.and_(pc.match_substring_regex(texts, _FORMULA), pc.invert(pc.match_substring_regex(texts, _NUMBER)))
    return pc.if_else(risky, pc.binary_join_element_wise("'", texts, ""), texts)
