"""Reference tables: CSV files to validated rows. The only reader of `reference/`.

A table is an attrs class: its field names are the header, its converters the validation. `TABLE` names the
file, `KEY` the fields that together with the period make a row unique. Loading is strict: every problem of a
file is collected and raised together, each with its line, column, value and reason.
"""

from __future__ import annotations

import csv
import datetime as dt
import os.path
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

import attrs

from .amount import read_decimal
from .cite import Citation
from .errors import TableError

if TYPE_CHECKING:
    from pathlib import Path


class RowClass(Protocol):
    """What a table's row class must have."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]


Row = TypeVar("Row")

# --- converters ------------------------------------------------------------------------------------


def text(cell: str) -> str:
    """Text that must not be empty."""
    if not cell or cell != cell.strip():
        raise ValueError("text is wanted, without spaces at its ends")
    return cell


def optional(cell: str) -> str:
    """Text, or empty."""
    if cell != cell.strip():
        raise ValueError("spaces at the ends")
    return cell


@lru_cache(maxsize=8192)
def words(cell: str) -> tuple[str, ...]:
    """Values separated by `|`; an empty cell is no value."""
    if not cell:
        return ()
    parts = tuple(cell.split("|"))
    if any(not part or part != part.strip() for part in parts) or len(set(parts)) != len(parts):
        raise ValueError("values separated by single bars are wanted, each once")
    return parts


def amount(cell: str) -> Fraction:
    """An exact decimal amount above zero."""
    value = read_decimal(cell)
    if value <= 0:
        raise ValueError("an amount above zero is wanted")
    return value


def optional_amount(cell: str) -> Fraction | None:
    """An exact decimal amount above zero, or empty."""
    return amount(cell) if cell else None


def number(cell: str) -> Fraction:
    """An exact decimal, zero allowed."""
    return read_decimal(cell)


def optional_number(cell: str) -> Fraction | None:
    """An exact decimal, zero allowed, or empty."""
    return read_decimal(cell) if cell else None


def integer(cell: str) -> int:
    """A whole number, zero allowed."""
    if not cell.isascii() or not cell.isdigit():
        raise ValueError("a whole number is wanted")
    return int(cell)


def optional_integer(cell: str) -> int | None:
    """A whole number, or empty."""
    return integer(cell) if cell else None


@lru_cache(maxsize=8192)
def day(cell: str) -> dt.date:
    """An ISO day."""
    if len(cell) != 10:
        raise ValueError("a day such as 2026-03-02 is wanted")
    return dt.date.fromisoformat(cell)


def optional_day(cell: str) -> dt.date | None:
    """An ISO day, or empty while the row is open."""
    return day(cell) if cell else None


def flag(cell: str) -> bool:
    """`yes` or `no`."""
    if cell not in ("yes", "no"):
        raise ValueError("yes or no is wanted")
    return cell == "yes"


def choice(*allowed: str) -> Callable[[str], str]:
    """One of the values named."""
    known = frozenset(allowed)

    def one_of(cell: str) -> str:
        if cell not in known:
            raise ValueError(f"one of {', '.join(repr(value) for value in allowed)} is wanted")
        return cell

    return one_of


confidence = choice("high", "medium", "low")


@cache
def _once(converter: Callable[[str], Any]) -> Any:
    """A converter as attrs keeps it: attrs inspects each one, which is most of what a row class costs."""
    return attrs.Converter(converter)


def column(converter: Callable[[str], Any]) -> Any:
    """A field of a row class, read from its cell by a converter."""
    return attrs.field(converter=_once(converter))


# --- sources ---------------------------------------------------------------------------------------


@attrs.frozen
class Source:
    """One source: a file, a manual, a page."""

    TABLE: ClassVar[str] = "sources"
    KEY: ClassVar[tuple[str, ...]] = ("id",)

    id: str = column(text)
    title: str = column(text)
    publisher: str = column(text)
    kind: str = column(choice("primary", "secondary", "own"))
    published: dt.date | None = column(optional_day)
    first_day: dt.date | None = column(optional_day)
    last_day: dt.date | None = column(optional_day)
    sha256: str = column(optional)
    note: str = column(optional)


# --- where the files are ----------------------------------------------------------------------------


@cache
def folder() -> Path:
    """The reference folder: inside an installed package, else at the top of the checkout."""
    from pathlib import Path

    return Path(_folder())


@cache
def _folder() -> str:
    """The same as text: a command that answers from one table does without `pathlib`, which loads slowly."""
    here = os.path.dirname(os.path.realpath(__file__))
    for place in (os.path.join(here, "_reference"), os.path.join(os.path.dirname(here), "reference")):
        if os.path.isfile(os.path.join(place, "sources.csv")):
            return place
    raise TableError("The reference tables are missing: reinstall jcodeunits.", file=here, problems=())


def _file(name: str) -> str:
    return os.path.join(_folder(), name)


@lru_cache(maxsize=4)
def _bytes(file: str) -> bytes:
    with open(file, "rb") as content:
        return content.read()


def lines_of(name: str) -> list[str]:
    """The lines of a reference file that is no table."""
    return _bytes(_file(name)).decode("utf-8").splitlines()


def file_names() -> tuple[str, ...]:
    """The names of the reference files that answers are read from, sorted."""
    return tuple(sorted(p.name for p in folder().iterdir() if p.suffix in (".csv", ".txt")))


@cache
def fingerprint() -> str:
    """SHA-256 over all reference files: the same text means the same answers."""
    import hashlib

    digest = hashlib.sha256()
    for name in file_names():
        data = (folder() / name).read_bytes()
        digest.update(f"{name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def fingerprint_with(before: str, files: Iterable[Path]) -> str:
    """A fingerprint that also covers a site's own files."""
    import hashlib

    digest = hashlib.sha256(before.encode())
    for file in sorted(files):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def sources() -> dict[str, Source]:
    """Every source by id."""
    return {row.id: row for row in load(Source)}


@cache
def edition() -> str:
    """The newest edition of the code set in the tables, for example `HCPCS 2026 Q3`."""
    newest = max((s for s in sources().values() if s.id.startswith("hcpcs-") and s.last_day), key=_last)
    return newest.title


def _last(source: Source) -> dt.date:
    return source.last_day or dt.date.min


@cache
def reach(prefix: str) -> tuple[dt.date, dt.date]:
    """First and last day that the sources of this family cover (`hcpcs-`, `asp-xwalk-`, `mue-` ...)."""
    family = [s for s in sources().values() if s.id.startswith(prefix)]
    firsts = [s.first_day for s in family if s.first_day]
    lasts = [s.last_day for s in family if s.last_day]
    return min(firsts), max(lasts)


def citation(row: Any) -> Citation:
    """The citation of a row: its source's title, its place, its confidence."""
    known = sources().get(row.source)
    return Citation(row.source, row.cite, row.confidence, known.title if known else row.source)


def cited(source: str, cite: str = "", level: str = "high") -> Citation:
    """A citation of a source by id."""
    known = sources()[source]
    return Citation(source, cite, level, known.title)


# --- loading ----------------------------------------------------------------------------------------


@cache
def load(row_class: type[Row], path: Path | None = None) -> tuple[Row, ...]:
    """All rows of a table, validated together; `path` names another file of the same shape.

    Raises `TableError` with every problem found.
    """
    spec = cast(RowClass, row_class)
    file = str(path or _file(f"{spec.TABLE}.csv"))
    name = os.path.basename(file)
    try:
        with open(file, "rb") as lines:
            content = lines.read().decode("utf-8")
    except OSError as why:
        raise TableError(f"{name} cannot be read: {why.strerror}.", file=file, problems=()) from why
    except UnicodeDecodeError as why:
        raise TableError(f"{name} is not UTF-8: {why}.", file=file, problems=()) from why
    try:
        cells = list(
            csv.reader([f"{line}\n" for line in content.removesuffix("\n").split("\n")] if content else [])
        )
    except csv.Error as why:
        raise TableError(f"{name} is no CSV: {why}.", file=file, problems=()) from why
    rows, problems = _convert(row_class, cells, content)
    if not problems:
        problems = _check_order(row_class, cells, rows)
    if problems:
        shown = "\n".join(f"  {problem}" for problem in problems[:20])
        more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise TableError(f"{name} does not load:\n{shown}{more}", file=file, problems=tuple(problems))
    return tuple(rows)


def _convert(row_class: type[Row], cells: list[list[str]], content: str) -> tuple[list[Row], list[str]]:
    names = [field.name for field in attrs.fields(cast(Any, row_class))]
    if not cells:
        return [], [f"line 1: the file is empty; its header must be {','.join(names)}"]
    if cells[0] != names:
        return [], [_header_problem(cells[0], names)]
    problems = []
    if "\r" in content or not content.endswith("\n"):
        problems.append("line ends: LF after every line is wanted")
    known = None if row_class is Source else sources()
    at = names.index("source") if "source" in names else -1
    rows: list[Row] = []
    for line, row in enumerate(cells[1:], start=2):
        if len(row) != len(names):
            problems.append(f"line {line}: {len(row)} cells where the header has {len(names)}")
            continue
        try:
            rows.append(row_class(*row))
        except (ValueError, TypeError) as why:
            problems.extend(_cell_problems(row_class, line, row) or [f"line {line}: {why}"])
        if known is not None and at >= 0 and row[at] not in known:
            problems.append(f"line {line}, column source: {row[at]!r} stands in no row of sources.csv")
    return rows, problems


def _header_problem(found: Sequence[str], names: Sequence[str]) -> str:
    missing = [name for name in names if name not in found]
    unknown = [name for name in found if name not in names]
    says = [f"missing column {name!r}" for name in missing] + [f"unknown column {name!r}" for name in unknown]
    return f"line 1: {'; '.join(says) or 'columns in another order'}; the header must be {','.join(names)}"


def _cell_problems(row_class: type[Any], line: int, row: Sequence[str]) -> list[str]:
    problems = []
    for field, cell in zip(attrs.fields(row_class), row, strict=True):
        try:
            if field.converter is not None:
                getattr(field.converter, "converter", field.converter)(cell)
        except (ValueError, TypeError) as why:
            problems.append(f"line {line}, column {field.name}: {cell!r}: {why}")
    return problems


def _check_order(row_class: type[Row], cells: list[list[str]], rows: Iterable[Any]) -> list[str]:
    spec = cast(RowClass, row_class)
    names = cells[0]
    at = [names.index(name) for name in spec.KEY]
    dated = "effective" in names
    when = names.index("effective") if dated else -1
    problems: list[str] = []
    before: tuple[str, ...] | None = None
    last: Any = None
    for line, (row, made) in enumerate(zip(cells[1:], rows, strict=True), start=2):
        key = tuple([row[i] for i in at])
        if before is not None:
            problems.extend(_pair_problems(line, key, before, row[when] if dated else "", made, last, dated))
        if dated and made.ends is not None and made.ends < made.effective:
            problems.append(f"line {line}: ends {made.ends} before it takes effect {made.effective}")
        before, last = key, made
    return problems


def _pair_problems(
    line: int, key: tuple[str, ...], before: tuple[str, ...], starts: str, made: Any, last: Any, dated: bool
) -> list[str]:
    if key < before:
        return [f"line {line}: {'/'.join(key)} is not sorted after {'/'.join(before)}"]
    if key > before:
        return []
    if not dated:
        return [f"line {line}: {'/'.join(key)} stands twice"]
    if last.effective.isoformat() >= starts:
        return [
            f"line {line}: {'/'.join(key)} of {starts} is not sorted after {last.effective}, or stands twice"
        ]
    if last.ends is None or last.ends >= made.effective:
        return [f"line {line}: {'/'.join(key)} overlaps the row before: it ends {last.ends or 'never'}"]
    return []


@lru_cache(maxsize=16384)
def rows_starting(row_class: type[Row], first_cell: str, path: Path | None = None) -> tuple[Row, ...]:
    """The rows whose first cell is this text, without reading the rest into rows.

    For large tables: the file is sorted by its first column, so the lines are found by halving, and only they
    are converted, by the same converters. The first column must never need quotes.
    """
    spec = cast(RowClass, row_class)
    data, wanted = _bytes(str(path or _file(f"{spec.TABLE}.csv"))), first_cell.encode() + b","
    start = _first_line(data, wanted)
    end = start
    while data.startswith(wanted, end):
        end = data.find(b"\n", end) + 1 or len(data)
    lines = data[start:end].decode("utf-8").split("\n")
    return tuple(row_class(*row) for row in csv.reader(lines) if row)


def rows_with(row_class: type[Row], text: str, path: Path | None = None) -> tuple[Row, ...]:
    """The rows in whose line this text stands anywhere, the rest unread; the caller sifts them."""
    spec = cast(RowClass, row_class)
    data, wanted = _bytes(str(path or _file(f"{spec.TABLE}.csv"))), text.encode()
    lines = [line.decode("utf-8") for line in data.split(b"\n")[1:] if wanted in line]
    return tuple(row_class(*row) for row in csv.reader(lines))


def _first_line(data: bytes, wanted: bytes) -> int:
    """Where the first line starts whose first cell is not below the one wanted (given with its comma)."""
    low, high = data.find(b"\n") + 1, len(data)
    while low < high:
        middle = (low + high) // 2
        start = max(data.rfind(b"\n", 0, middle) + 1, low)
        if data[start : data.find(b",", start)] < wanted[:-1]:
            low = data.find(b"\n", middle) + 1 or len(data)
        else:
            high = start
    return low
