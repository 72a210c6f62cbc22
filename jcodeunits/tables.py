"""Reference tables: CSV files to validated rows. The only reader of table files.

A table is an attrs class: its field names are the header, its converters the validation. `table` names the
file and the fields that together with the period make a row unique; the first column is the key's first
field, so that one key is answered without reading the rest. Shipped and refreshed tables load strictly: every
problem of a file is collected and raised together, each with its line, column, value and reason. A site's own
rows need only the columns that they say something in.
"""

from __future__ import annotations

import csv
import datetime as dt
import os.path
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

import attrs

from .amount import decimal_text, read_decimal
from .dated import Citation, Period, beginnings, day
from .errors import TableError

Row = TypeVar("Row")


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


def integer(cell: str) -> int:
    """A whole number, zero allowed."""
    if not cell.isascii() or not cell.isdigit():
        raise ValueError("a whole number is wanted")
    return int(cell)


def optional_integer(cell: str) -> int | None:
    """A whole number, or empty."""
    return integer(cell) if cell else None


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


def column(converter: Callable[[str], Any], own: str | Callable[[Mapping[str, str]], str] | None = None) -> Any:
    """A field of a row class, read from its cell by a converter.

    `own` is the cell of a site's own row that leaves the column out: a text, or what makes one of the other
    cells. Without it an empty cell stands there, and the column must be given where the converter takes none.
    """
    return attrs.field(converter=_once(converter), metadata={"own": own} if own is not None else {})


# --- rows -------------------------------------------------------------------------------------------


@attrs.frozen
class Source:
    """One source: a file, a manual, a page. `begins`: the first day of the oldest edition of its family."""

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
    begins: dt.date | None = attrs.field(init=False, default=None, eq=False)


def by_id(rows: Iterable[Source], read_here: Iterable[Source] | None = None) -> dict[str, Source]:
    """Sources by id; each edition knows with which day its family begins, among those that were `read_here`."""
    found = {row.id: copy(row) for row in rows}
    for key, first in beginnings({row.id: row.first_day for row in read_here or found.values()}).items():
        object.__setattr__(found[key], "begins", first)
    return found


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(column,))
def table(name: str, *key: str, usual: tuple[str, ...] = (), nearest: bool = False) -> Callable[[type[Row]], type[Row]]:
    """Makes a class of `Dated` the rows of a table: its name, and the columns that make a row unique in its days.

    `usual` are columns that a site's own row gives besides those that it must, `nearest` says that the table is made
    from editions. The columns are those of the class, then those that every dated row ends with.
    """

    def own_first(_class: type, fields: list[Any]) -> list[Any]:
        return sorted(fields, key=lambda field: field.inherited)

    def made(row_class: type[Row]) -> type[Row]:
        frozen: Any = attrs.frozen(eq=False, repr=False, field_transformer=own_first)(row_class)
        frozen.TABLE, frozen.KEY, frozen.USUAL, frozen.NEAREST = name, key, usual, nearest
        return cast(type[Row], frozen)

    return made


def classes_of(names: Mapping[str, Any]) -> tuple[type[Any], ...]:
    """The row classes among the names of a module."""
    return tuple(row for row in names.values() if isinstance(row, type) and "TABLE" in vars(row))


CLAIMS = ("professional", "outpatient")  # the kinds of claim that a row may be about
USUAL_PAYER = "medicare"  # where none is said
OWN = "site"  # the source of a site's own rows
ALWAYS = "1900-01-01"


@cache
def _compared(row_class: type[Any]) -> tuple[str, ...]:
    """The fields by which two rows of a class are the same."""
    return tuple(field.name for field in attrs.fields(row_class) if field.eq)


_citation = lru_cache(maxsize=16384)(Citation)
_period = lru_cache(maxsize=16384)(Period)


@attrs.frozen(eq=False, repr=False)
class Dated:
    """The common part of every row of facts: the days in effect, and where the fact stands.

    `origin` is the source's own row and `replaces` says that a site's row stands here in place of a shipped
    one; both are set by the reader and are no columns.
    """

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    USUAL: ClassVar[tuple[str, ...]]
    NEAREST: ClassVar[bool]

    effective: dt.date = column(day, own=ALWAYS)
    ends: dt.date | None = column(optional_day)
    source: str = column(text, own=OWN)
    cite: str = column(text)
    confidence: str = column(confidence, own="high")
    verified: dt.date = column(day, own=lambda given: given.get("effective") or ALWAYS)
    origin: Source | None = attrs.field(init=False, eq=False, repr=False, default=None)
    replaces: bool = attrs.field(init=False, eq=False, repr=False, default=False)

    # Written once for every row class: what attrs would write for each of forty takes most of a start.
    def __eq__(self, other: object) -> bool:
        if self is other or other.__class__ is not self.__class__:
            return self is other
        if self.effective != other.effective:  # the rows of one key differ by it
            return False
        return all(getattr(self, name) == getattr(other, name) for name in _compared(cast(Any, self.__class__)))

    def __hash__(self) -> int:
        return hash((self.effective, *[getattr(self, name) for name in self.KEY]))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in _compared(cast(Any, self.__class__)))
        return f"{type(self).__name__}({fields})"

    @property
    def period(self) -> Period:
        """The days in effect."""
        return _period(self.effective, self.ends)

    @property
    def citation(self) -> Citation:
        """Where the row stands: its source's title, the place in it, how far it is to be trusted."""
        title = self.origin.title if self.origin is not None else self.source
        return _citation(self.source, self.cite, self.confidence, title, self.replaces)

    def during(self: D, period: Period) -> D:
        """The same row for other days."""
        made = copy(self)
        object.__setattr__(made, "effective", period.effective)
        object.__setattr__(made, "ends", period.ends)
        return made

    @property
    def first_cell(self) -> str:
        """The text of the row's first column, by which a key is found."""
        return cell_text(getattr(self, self.KEY[0]))


D = TypeVar("D", bound=Dated)


def sourced(row: D, origin: Source | None, replaces: bool) -> D:
    """The row with its source's own row, and whether it stands in place of a shipped one."""
    object.__setattr__(row, "origin", origin)
    object.__setattr__(row, "replaces", replaces)
    return row


def parted_by(names: Sequence[str]) -> str:
    """What to say of one heading that holds several, parted by another mark than a comma; empty of others."""
    marks = {";": "semicolons", "\t": "tabs", "|": "bars"}
    found = [said for mark, said in marks.items() if len(names) == 1 and mark in names[0]]
    return f"its cells are parted by {found[0]}: write commas" if found else ""


def header(row_class: type[Any]) -> list[str]:
    """The columns of a table, in order."""
    return [field.name for field in attrs.fields(row_class) if field.init]


# --- the package's own folder -----------------------------------------------------------------------


@cache
def folder() -> str:
    """The reference folder: inside an installed package, else at the top of the checkout."""
    here = os.path.dirname(os.path.realpath(__file__))
    for place in (os.path.join(here, "_reference"), os.path.join(os.path.dirname(here), "reference")):
        if os.path.isfile(os.path.join(place, "sources.csv")):
            return place
    raise TableError("The reference tables are missing: reinstall jcodeunits.", file=here, problems=())


def lines_of(name: str) -> list[str]:
    """The lines of a file of the package that is no table."""
    return file_text(os.path.join(folder(), name), name).splitlines()


@cache
def sources() -> dict[str, Source]:
    """Every source of the package by id; those of editions that a site read later stand in its folder."""
    return by_id(read(Source, os.path.join(folder(), "sources.csv"), {}))


def cited(source: str, cite: str = "", level: str = "high") -> Citation:
    """A citation of a source of the package by id."""
    return Citation(source, cite, level, sources()[source].title)


@cache
def guide(cite: str) -> Citation:
    """A place in the guide that the project started from; general knowledge where nothing else says it."""
    source = next(name for name in sources() if name.startswith("guide-"))
    return cited(source, cite, "low")


# --- reading ----------------------------------------------------------------------------------------


def file_text(file: str, name: str, encoding: str = "utf-8") -> str:
    """The text of a file of facts. Raises `TableError`."""
    try:
        with open(file, "rb") as stream:
            return stream.read().decode(encoding)
    except OSError as why:
        raise TableError(f"{name} cannot be read: {why.strerror}.", file=file, problems=()) from why
    except UnicodeDecodeError as why:
        line = why.object.count(b"\n", 0, why.start) + 1
        raise TableError(f"{name} is not UTF-8 (line {line}): save it as CSV UTF-8.", file=file, problems=()) from why


def cells_of(lines: Iterable[str], file: str, name: str) -> list[list[str]]:
    """The cells of a file's lines. Raises `TableError`."""
    try:
        return list(csv.reader(lines))
    except csv.Error as why:
        raise TableError(f"{name} is no CSV: {why}.", file=file, problems=()) from why


SHOWN = 5  # problems of a file that its error shows; the rest are counted


def refuse(name: str, file: str, problems: Sequence[str], way: str = "", example: Sequence[str] = ()) -> TableError:
    """The error that shows the first problems of a file and counts the others; `example` is a file that loads."""
    shown = "\n".join(f"  {problem}" for problem in problems[:SHOWN])
    more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    way = f"\n  {way}" if way else ""
    last = "\n  For example:\n" + "\n".join(f"  {line}" for line in example) if example else ""
    says = f"{name} does not load:\n{shown}{more}{way}{last}"
    return TableError(says, file=file, problems=tuple(problems), example=tuple(example))


def read(row_class: type[Row], file: str, known: Mapping[str, Source]) -> tuple[Row, ...]:
    """All rows of a table, their sources among the `known`. Raises `TableError` with every problem found."""
    name = os.path.basename(file)
    told = file_text(file, name)
    lines = [f"{line}\n" for line in told.removesuffix("\n").split("\n")] if told else []
    cells = cells_of(lines, file, name)
    rows, problems = _convert(row_class, cells, told, known)
    way = ""
    if not problems:
        problems = _check_order(row_class, cells, rows)
        by = [*cast(Any, row_class).KEY, *(name for name in ("effective",) if name in cells[0])]
        way = f"Its rows are sorted by {', '.join(by)}."
    if problems:
        raise refuse(name, file, problems, way)
    return tuple(rows)


def packaged(row_class: type[Row]) -> tuple[Row, ...]:
    """All rows of one of the package's tables."""
    return read(row_class, os.path.join(folder(), f"{cast(Any, row_class).TABLE}.csv"), sources())


def days(file: str) -> list[tuple[str, Period]]:
    """The first cell of each row of a table, and its days; the rest is unread."""
    name = os.path.basename(file)
    head, *rows = cells_of(file_text(file, name).splitlines(), file, name)
    first, last = head.index("effective"), head.index("ends")
    return [(row[0], Period(day(row[first]), optional_day(row[last]))) for row in rows]


def _convert(
    row_class: type[Row], cells: list[list[str]], told: str, known: Mapping[str, Source]
) -> tuple[list[Row], list[str]]:
    names = header(row_class)
    if not cells:
        return [], [f"line 1: the file is empty; its header must be {','.join(names)}"]
    if cells[0] != names:
        return [], [_header_problem(cells[0], names)]
    problems = []
    if "\r" in told or not told.endswith("\n"):
        problems.append("line ends: LF after every line is wanted")
    dated = issubclass(row_class, Dated)
    at = names.index("source") if dated else -1
    rows: list[Row] = []
    for line, row in enumerate(cells[1:], start=2):
        if len(row) != len(names):
            problems.append(f"line {line}: {len(row)} cells where the header has {len(names)}")
            continue
        try:
            made: Any = row_class(*row)
        except (ValueError, TypeError) as why:
            problems.extend(_cell_problems(row_class, line, row) or [f"line {line}: {why}"])
        else:
            rows.append(sourced(made, known.get(row[at]), False) if dated else made)
        if dated and row[at] not in known:
            problems.append(f"line {line}, column source: {row[at]!r} stands in no row of sources.csv")
    return rows, problems


def _header_problem(found: Sequence[str], names: Sequence[str]) -> str:
    missing = [name for name in names if name not in found]
    unknown = [name for name in found if name not in names]
    says = [f"missing column {name!r}" for name in missing] + [f"unknown column {name!r}" for name in unknown]
    return f"line 1: {'; '.join(says) or 'columns in another order'}; the header must be {','.join(names)}"


def _cell_problems(row_class: type[Any], line: int, row: Sequence[str]) -> list[str]:
    problems = []
    for field, cell in zip([f for f in attrs.fields(row_class) if f.init], row, strict=True):
        try:
            converted(field, cell)
        except (ValueError, TypeError) as why:
            problems.append(f"line {line}, column {field.name}: {cell!r}: {why}")
    return problems


def converted(field: Any, cell: str) -> Any:
    """What a cell says in a column. Raises `ValueError`."""
    return field.converter.converter(cell) if field.converter is not None else cell


def _check_order(row_class: type[Row], cells: list[list[str]], rows: Iterable[Any]) -> list[str]:
    names, key_of = cells[0], cast(Any, row_class).KEY
    at = [names.index(name) for name in key_of]
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
        return [f"line {line}: {'/'.join(key)} of {starts} is not sorted after {last.effective}, or stands twice"]
    if last.ends is None or last.ends >= made.effective:
        return [f"line {line}: {'/'.join(key)} overlaps the row before: it ends {last.ends or 'never'}"]
    return []


# --- one key of a large table -----------------------------------------------------------------------


def starting(
    row_class: type[D], data: bytes, first_cell: str, known: Mapping[str, Source], whole: bool = True
) -> tuple[D, ...]:
    """The rows whose first cell is this text, or not `whole` begins with it, without reading the rest into rows.

    The file is sorted by its first column, which must never need quotes: the lines are found by halving.
    """
    wanted = first_cell.encode("utf-8", "surrogatepass")
    end = start = _first_line(data, wanted)
    wanted += b"," if whole else b""
    while data[end : end + len(wanted)] == wanted:
        end = data.find(b"\n", end) + 1 or len(data)
    return rows_of(row_class, data[start:end].decode("utf-8").split("\n"), known)


@lru_cache(maxsize=8)
def lines_in_small(file: str) -> tuple[list[str], list[str]]:
    """The lines of a table after its header, as they are and in small letters, for a search in them."""
    lines = file_text(file, os.path.basename(file)).removesuffix("\n").split("\n")[1:]
    return lines, [line.casefold() for line in lines]


def rows_of(row_class: type[D], lines: Iterable[str], known: Mapping[str, Source]) -> tuple[D, ...]:
    """The rows of some lines of a table."""
    made = [cast(Any, row_class)(*row) for row in csv.reader(lines) if row]
    return tuple(sourced(row, known.get(row.source), False) for row in made)


def _first_line(data: bytes, wanted: bytes) -> int:
    """Where the first line starts whose first cell is not below the one wanted."""
    low, high = data.find(b"\n") + 1, len(data)
    while low < high:
        middle = (low + high) // 2
        start = max(data.rfind(b"\n", 0, middle) + 1, low)
        if data[start : data.find(b",", start)] < wanted:
            low = data.find(b"\n", middle) + 1 or len(data)
        else:
            high = start
    return low


def cell_text(value: object) -> str:
    """A value of a row as the cell that it is read from.

    >>> cell_text(("IM", "SC")), cell_text(True), cell_text(None), cell_text(Fraction(5, 2))
    ('IM|SC', 'yes', '', '2.5')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "|".join(cell_text(part) for part in value)
    return decimal_text(value) if isinstance(value, Fraction) else str(value)
