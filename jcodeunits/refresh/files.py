"""Files from outside, read safely: any number of paths and folders, ZIP or plain, text or workbook.

A ZIP's directory is checked against limits before anything is unpacked, and nothing is unpacked to disk. XML goes
through defusedxml, which refuses entities; a formula is never evaluated, and where a value is wanted it is
refused. Text is UTF-8, or UTF-16 with or without its mark; what is neither is the Windows code page of CMS.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import os
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

import attrs

from jcodeunits.errors import TableError

from .pages import page_rows

_LIMIT_FILE = 1_000_000_000
_LIMIT_UNPACKED = 2_000_000_000
_LIMIT_RATIO = 200  # real files reach 30
_LIMIT_MEMBERS = 1_000
_LIMIT_ROWS = 5_000_000
_LIMIT_LINE = 10_000_000
_LIMIT_CELL = 32_767  # what a cell of a workbook can hold; the longest description has 4,501
_START = 262_144  # bytes in which a file shows what it is; notes may stand before its first row
HEAD = 60  # lines among which a header is looked for
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOK = "[Content_Types].xml"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1f]")  # bytes that no letter of a text in UTF-16 has in Latin words
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


Cells = Mapping[str, str]  # of a row, by the column's name
CODE = re.compile(r"[A-Z0-9]\d{3}[A-Z0-9]")  # of HCPCS, of either level
_WORDS = 20  # characters of a cell, which more than a code or a number has

# A column's name as somebody may write it out or cut it short, and as it is published.
_ALSO = {
    "package size": "pkg size",
    "package qty": "pkg qty",
    "package quantity": "pkg qty",
    "pkg quantity": "pkg qty",
    "bill units": "billunits",
    "billing units": "billunits",
    "bill units pkg": "billunitspkg",
    "billunits pkg": "billunitspkg",
    "billing units pkg": "billunitspkg",
    "billing units package": "billunitspkg",
    "long desc": "long description",
    "short desc": "short description",
    "add date": "add dt",
    "action effective date": "act eff dt",
    "act eff date": "act eff dt",
    "term date": "term dt",
    "termination date": "term dt",
}


def words_of(cells: Iterable[str]) -> list[str]:
    """The cells of a header without case, line breaks, doubled spaces, underscores, and spaces about a slash.

    >>> words_of(["HCPCS/\\nCPT Code", "Effective_Date", "Package Size"])
    ['hcpcs/cpt code', 'effective date', 'pkg size']
    """
    words = (re.sub(r" ?/ ?", "/", " ".join(cell.replace("_", " ").split())).lower() for cell in cells)
    return [_ALSO.get(word, word) for word in words]


def is_footnote(row: list[str]) -> bool:
    """Whether a row is words about the table: several words, or a long text, in its first cell alone."""
    return not any(row[1:]) and (len(row[0]) > _WORDS or " " in row[0])


def _part(archive: Path | IO[bytes], name: str) -> IO[bytes]:
    return zipfile.ZipFile(archive).open(name)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("jcodeunits-windows", _as_windows)


def problem(name: str, says: str, *, line: int | None = None) -> TableError:
    """The error for a file that cannot be used, with its place."""
    where = f"{name}, line {line}" if line else name
    return untouched(f"{where}: {says}", name, (says,))


def untouched(says: str, file: str = "", problems: Sequence[str] = ()) -> TableError:
    """The error for files that make no tables: nothing was written."""
    return TableError(f"{says} The tables are left as they were.", file=file, problems=tuple(problems) or (says,))


@attrs.frozen
class Published:
    """A published file: plain, a member of a ZIP or of a ZIP in it, or one sheet of a workbook.

    `name` is shown; it dates the file, and nothing else. `inner` is the part of a `member` that is a ZIP, `sheet` one
    of several sheets.
    """

    path: Path
    member: str = ""
    inner: str = ""
    sheet: str = ""

    @property
    def name(self) -> str:
        """The file's own name, with the archive's in front where it lies in one, and the sheet's behind."""
        sheet = f", sheet {self.sheet[:31]!r}" if self.sheet else ""
        return ": ".join(reversed(self.names)) + sheet

    @property
    def names(self) -> tuple[str, ...]:
        """The names that may date it, the nearest first."""
        return (*(os.path.basename(part) for part in (self.inner, self.member) if part), self.path.name)

    def open(self) -> IO[bytes]:
        """Its bytes."""
        if not self.member:
            return self.path.open("rb")
        stream = _part(self.path, self.member)
        return _part(stream, self.inner) if self.inner else stream

    def tables(self) -> tuple[Published, ...]:
        """The sheets that a person sees of a workbook that has several, else the file itself."""
        if not self.is_workbook or len(self._seen) == 1:
            return (self,)
        return tuple(attrs.evolve(self, sheet=sheet.title) for sheet in self._seen)

    @cached_property
    def start(self) -> bytes:
        """Its first bytes; of a text in UTF-16 as UTF-8."""
        if not self._encoding.startswith("utf-16"):
            return self._begin
        return self._begin.decode(self._encoding, "ignore").removeprefix("\ufeff").encode()

    @cached_property
    def _encoding(self) -> str:
        """UTF-16 has a mark, or an empty byte beside each letter."""
        if self._begin.startswith(_UTF16):
            return "utf-16"
        empty = [self._begin[n::2].count(0) * 20 > len(self._begin) * 9 for n in (0, 1)]  # nine in ten of every other
        if empty[0] is empty[1] or _CONTROL.search(self._begin):
            return "utf-8-sig"
        return "utf-16-be" if empty[0] else "utf-16-le"

    @cached_property
    def _begin(self) -> bytes:
        try:
            with self.open() as stream:
                return stream.read(_START)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as why:
            raise problem(self.name, f"it cannot be read ({why}); download it again.") from why

    @cached_property
    def is_workbook(self) -> bool:
        """Whether it is a spreadsheet of today's kind, or says so by its name; a text document in a ZIP is none."""
        if not self.start.startswith(b"PK"):
            return False
        if self.names[0].lower().endswith(".xlsx"):
            return True
        try:
            with self.open() as stream, zipfile.ZipFile(io.BytesIO(stream.read())) as archive:
                return "xl/workbook.xml" in archive.namelist()
        except (OSError, zipfile.BadZipFile, EOFError):
            return False

    @property
    def is_text(self) -> bool:
        """Whether it may be a table as text."""
        return bool(self.start) and b"\0" not in self.start and not self.start.startswith((b"%PDF", b"{\\rtf", b"<"))

    @property
    def is_page(self) -> bool:
        """Whether it may be a page that a browser saved."""
        return self.start.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<!doctype html", b"<html"))

    @property
    def is_old_workbook(self) -> bool:
        """Whether it is a spreadsheet of the old kind, which is not read."""
        return self.start.startswith(_OLD_WORKBOOK)

    @property
    def why_none(self) -> str:
        """Why it is no table that can be read, and what to do; empty where it may be one."""
        if not self.start:
            return "it is empty"
        if self.is_old_workbook:
            return "a spreadsheet of the old kind (.xls); its text or .xlsx twin is read"
        if self.start.startswith(b"%PDF") or self.names[0].lower().endswith((".docx", ".doc")):
            return "it is a document (PDF, Word) and no table; the publisher's text, CSV or workbook of it is read"
        if self.is_page:
            return (
                "it is a web page and not the file: publishers answer so for a licence to accept or a file that has "
                "moved. Open their page and save the file itself"
            )
        if self.start.startswith(b"\x1f\x8b"):
            return "it is compressed (gzip): unpack it first"
        if self.start.lstrip()[:1] in (b"<", b"{", b"["):
            return "it is what a server answers, and no table: download it again"
        return "" if self.is_workbook or self.is_text else "it is no text file and no spreadsheet"

    @cached_property
    def is_ended(self) -> bool:
        """Whether the last line of a plain text has its end: one that broke off has not. A ZIP has a checksum."""
        if self.member or not self.is_text:
            return True
        with self.path.open("rb") as stream:
            stream.seek(-min(4, self.path.stat().st_size), os.SEEK_END)
            return stream.read().strip(b"\0\x1a").endswith((b"\n", b"\r"))

    @cached_property
    def delimiter(self) -> str:
        """Comma, tab, semicolon or bar, whichever the first lines hold most of."""
        return max(",\t;|", key=lambda mark: self.start.count(mark.encode()))

    def lines(self) -> Iterator[str]:
        """The lines of a text, line ends kept."""
        yield from self._text(self.open(), self._encoding)

    def _text(self, stream: IO[bytes], encoding: str) -> Iterator[str]:
        try:
            with io.TextIOWrapper(stream, encoding, "jcodeunits-windows", newline="") as text:
                for number, line in enumerate(iter(partial(text.readline, _LIMIT_LINE), ""), start=1):
                    if "\0" in line:
                        raise problem(self.name, "it is no text file.")
                    if len(line) == _LIMIT_LINE:
                        raise problem(self.name, f"it has {_LIMIT_LINE:,} characters or more.", line=number)
                    yield line
        except (OSError, zipfile.BadZipFile, EOFError) as why:
            raise problem(self.name, f"it is damaged ({why}); download it again.") from why

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells of every row, in order; of a workbook's sheet, of the tables of a saved page."""
        if self.is_workbook:
            found = self._workbook_rows()
        else:
            found = self._page_rows() if self.is_page else self._text_rows(self.lines())
        yield from self._of_measure(found)

    def _of_measure(self, rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        """The rows, until one holds a text that no published file does: what is read out of it would take long."""
        for line, row in rows:
            if max(map(len, row), default=0) > _LIMIT_CELL:
                raise problem(self.name, f"a cell has more than {_LIMIT_CELL:,} characters.", line=line)
            yield line, row

    def _page_rows(self) -> Iterator[tuple[int, list[str]]]:
        page = "".join(self.lines())
        try:
            yield from page_rows(page)
        except ValueError as why:
            raise problem(self.name, f"it is no well-formed page ({why}): it may be cut off; save it again.") from why

    def _text_rows(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        tabs = self.delimiter == "\t"
        quoting: Any = csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
        reader = csv.reader(lines, delimiter=self.delimiter, quoting=quoting, strict=not tabs)
        opened: list[str] = []
        try:
            for row in reader:
                if reader.line_num > _LIMIT_ROWS:
                    raise problem(self.name, f"it has more than {_LIMIT_ROWS:,} lines; no published file does.")
                joined = _joined(opened, row)
                opened = joined if tabs and _is_open(joined) else []
                if opened:
                    continue
                cells = [cell.replace("\xa0", " ").strip() for cell in joined]
                if tabs:
                    cells = [_without_quotes(cell).strip() for cell in cells]
                elif self.delimiter == ";":
                    self._check_points(reader.line_num, cells)
                yield reader.line_num, cells
            if opened:
                raise problem(self.name, f"a quoted cell does not end: {opened[-1][:40]!r}.", line=reader.line_num)
        except csv.Error as why:
            raise problem(self.name, f"it is no well-formed table ({why}): it may be cut off.") from why

    def _check_points(self, line: int, cells: Sequence[str]) -> None:
        """Semicolons are of a country that writes 3,1 for 3.1, and CMS writes 3,100 for 3100. Raises `TableError`."""
        odd = next((cell for cell in cells if _DECIMAL_COMMA.fullmatch(cell)), None)
        if odd is not None:
            says = (
                f"{odd[:20]!r} may be a decimal or a thousand. Save it with points in numbers, or as it was published."
            )
            raise problem(self.name, says, line=line)

    @cached_property
    def head(self) -> list[list[str]]:
        """The cells of its first rows, read without reading the rest."""
        if self.is_workbook:
            rows = self._workbook_rows(HEAD)
        elif self.is_page:
            rows = self._page_rows()
        else:
            last = max(map(self.start.rfind, (b"\n", b"\r"))) + 1
            whole = self.start if len(self._begin) < _START else self.start[:last]
            rows = self._text_rows(self._text(io.BytesIO(whole), "utf-8-sig"))
        found = []
        try:
            for _, row in self._of_measure(rows):
                found.append(row)
                if len(found) == HEAD:
                    break
        except TableError:
            if self.is_workbook:
                raise
        return found

    @cached_property
    def headers(self) -> list[list[str]]:
        """Each of its first rows as the columns' names that it would be."""
        return [words_of(row) for row in self.head]

    def header_row(self, wanted: Iterable[str]) -> int | None:
        """The place of the first row among the first ones that holds all these columns; None where none does."""
        needed = set(wanted)
        return next((i for i, names in enumerate(self.headers) if needed <= set(names)), None)

    def header(self, wanted: Iterable[str]) -> list[str]:
        """The columns' names of that row; none where there is none."""
        start = self.header_row(wanted)
        return [] if start is None else self.headers[start]

    def has(self, wanted: Iterable[str]) -> bool:
        """Whether a row among the first ones is the header with all these columns."""
        return self.header_row(wanted) is not None

    def body(self, wanted: Iterable[str], needed: Iterable[str] = ()) -> Iterator[tuple[int, Cells]]:
        """The rows below the header by column name; empty rows and footnotes are passed over.

        Raises `TableError` for a row that is too short to hold the columns `needed`, or wanted: the file is cut off.
        """
        wanted = list(wanted)
        start = self.header_row(wanted)
        if start is None:
            raise problem(self.name, f"no row among its first ones is the header with {', '.join(map(repr, wanted))}.")
        names = self.headers[start]
        at = {name: i for i, name in reversed(list(enumerate(names))) if name}
        least = max(at[name] for name in (needed or wanted)) + 1
        for line, row in self.below(start, least, len(names)):
            yield line, {name: row[i] if i < len(row) else "" for name, i in at.items()}

    def below(self, header: int, least: int, width: int) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header that are no footnote, and not empty; `least` cells are wanted, of its `width`.

        Raises `TableError` for a row with fewer, and where words stand alone in a last line that has no end.
        """
        beside, last = "the row has {} cells, not {}: it is cut off.", 0
        for line, row in islice(self.rows(), header + 1, None):
            if not any(row):
                continue
            if is_footnote(row):
                last = line if len(row) < least and len(row[0]) <= _WORDS else 0
                continue
            if len(row) < least and not self.is_workbook:
                raise problem(self.name, beside.format(len(row), width), line=line)
            last = 0
            yield line, row
        if last and not self.is_ended:
            raise problem(self.name, beside.format(1, width), line=last)

    def code(self, line: int, cell: str) -> str:
        """A code of HCPCS, of either level, in a cell. Raises `TableError`."""
        code = cell.upper()
        if not CODE.fullmatch(code):
            raise problem(self.name, f"{code[:40]!r} is no HCPCS code.", line=line)
        return code

    @cached_property
    def title(self) -> str:
        """The name of a workbook's sheet; empty for a text."""
        return str(self._sheet.title) if self.is_workbook else ""

    @cached_property
    def _seen(self) -> list[Any]:
        sheets = self._book.worksheets
        return [sheet for sheet in sheets if sheet.sheet_state == "visible"] or sheets

    @property
    def _sheet(self) -> Any:
        return next((sheet for sheet in self._seen if sheet.title == self.sheet), self._seen[0])

    @cached_property
    def _book(self) -> Any:
        return _opened_book(self)

    def _workbook_rows(self, most: int | None = None) -> Iterator[tuple[int, list[str]]]:
        try:
            sheet = self._sheet
            sheet.reset_dimensions()  # the declared size is the writer's claim, not a fact
            before, name = 0, self.name
            for number, row in enumerate(sheet.iter_rows(values_only=True, max_row=most), start=1):
                if number > _LIMIT_ROWS or len(row) > 20_000:
                    raise problem(self.name, "it has more rows or columns than any published file.", line=number)
                before += not row
                if before > 100_000:
                    raise problem(self.name, "its rows are numbered past what any published file holds.", line=number)
                yield number, [_text_of(name, number, value) for value in row]
        except TableError:
            raise
        except Exception as why:
            raise problem(self.name, f"it does not open as a spreadsheet ({type(why).__name__}: {why}).") from why


def _is_open(cells: Sequence[str]) -> bool:
    """Whether the last cell of a line of tabs goes on in the next: a spreadsheet has put its line break in quotes."""
    return bool(cells) and cells[-1].startswith('"') and cells[-1].count('"') % 2 == 1


def _joined(opened: list[str], cells: list[str]) -> list[str]:
    """The cells of a line behind those of the line before it, whose last cell goes on."""
    if not opened:
        return cells
    joined = [*opened[:-1], "\n".join((opened[-1], *cells[:1])), *cells[1:]]
    if len(joined[-1]) > _LIMIT_CELL:
        raise csv.Error("a quoted cell does not end")
    return joined


def _without_quotes(cell: str) -> str:
    """A cell of a text of tabs, which a spreadsheet puts into quotes where it holds a comma, and the FDA never."""
    if len(cell) < 2 or not cell[0] == cell[-1] == '"':
        return cell
    return cell[1:-1].replace('""', '"')


def _opened_book(file: Published) -> Any:
    try:
        import openpyxl
    except ImportError as why:
        says = "Reading spreadsheets needs an extra: pip install 'jcodeunits[refresh]'."
        raise TableError(says, file=file.name, problems=()) from why
    if not openpyxl.DEFUSEDXML:
        says = "Reading spreadsheets safely needs defusedxml: pip install 'jcodeunits[refresh]'."
        raise TableError(says, file=file.name, problems=())
    with file.open() as stream:
        data = io.BytesIO(stream.read())
    _check_members(file.name, data, len(data.getbuffer()))
    try:
        # Headers and footers of print pages that openpyxl cannot read, told while the rows are.
        warnings.filterwarnings("ignore", module="openpyxl")
        book = openpyxl.load_workbook(data, read_only=True, data_only=False, keep_links=False)
        if not book.worksheets:
            raise problem(file.name, "it has no sheet.")
        return book
    except TableError:
        raise
    except Exception as why:
        raise problem(file.name, f"it does not open as a spreadsheet ({type(why).__name__}: {why}).") from why


def _text_of(name: str, line: int, value: object) -> str:
    if value is None:
        return ""
    text = str(value).removesuffix(" 00:00:00") if isinstance(value, dt.datetime) else str(value)
    if text.startswith("=") or type(value).__name__ in ("ArrayFormula", "DataTableFormula"):
        raise problem(name, "a cell holds a formula where a value is wanted.", line=line)
    return text.replace("\xa0", " ").strip()


# ---- paths and archives ---------------------------------------------------------------------------


def _check_members(name: str, data: Any, size: int) -> list[zipfile.ZipInfo]:
    """The parts of a ZIP, within limits. Raises `TableError` for a bomb or a part that points outside."""
    try:
        with zipfile.ZipFile(data) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as why:
        raise problem(name, f"it does not open as a spreadsheet or an archive ({why}); download it again.") from why
    unpacked = sum(member.file_size for member in members)
    if len(members) > _LIMIT_MEMBERS or unpacked > _LIMIT_UNPACKED or unpacked > max(size, 10_000) * _LIMIT_RATIO:
        raise problem(name, f"it would unpack to {unpacked:,} bytes in {len(members)} parts; no published file does.")
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if member.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise problem(name, f"its part {member.filename[:60]!r} points outside the file.")
        if member.flag_bits & 1:
            raise problem(name, "it is locked with a password.")
    return members


def find(paths: Iterable[Path]) -> Iterator[Published]:
    """Every file below the paths, those in ZIPs included, in the order of their names, one at a time.

    Raises `TableError` for a path that is not there, is empty, or an archive that breaks the limits.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise TableError(f"{path} does not exist.", file=str(path), problems=())
        if path.is_dir():
            below = [one for one in path.rglob("*") if one.is_file() and not _hidden(one.relative_to(path))]
            found |= dict.fromkeys(sorted(below))
        elif path.is_file():
            found[path] = None
        else:
            raise problem(path.name, "it is no file.")
    for path in found:
        yield from _opened(path)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX", "~$")) for part in path.parts)


def _opened(path: Path) -> list[Published]:
    size = path.stat().st_size
    if size > _LIMIT_FILE:
        raise problem(path.name, f"it has {size:,} bytes, more than the limit of {_LIMIT_FILE:,}.")
    plain = Published(path)
    if not plain.start.startswith(b"PK"):
        if path.suffix.lower() in (".zip", ".xlsx") and not plain.is_old_workbook:
            raise problem(path.name, f"{plain.why_none or 'it does not open as a spreadsheet or an archive'}.")
        return [plain]
    members = _check_members(path.name, path, size)
    if any(member.filename == _WORKBOOK for member in members):
        return [plain]  # a workbook, or a document
    names = [member.filename for member in members if not member.is_dir()]
    if not names or path.suffix.lower() == ".xlsx":
        raise problem(path.name, "it does not open as a spreadsheet or an archive; download it again.")
    return [one for name in _read_of(names) for one in _parts_of(path, name, size)]


def _read_of(names: list[str]) -> list[str]:
    """The parts of an archive that are looked at, in the order of their names."""
    return [name for name in sorted(names) if not _hidden(Path(name)) and not _is_twin(name, names)]


def _parts_of(path: Path, member: str, size: int) -> list[Published]:
    """A part of an archive, or the parts of the archive that it is."""
    if not member.lower().endswith(".zip"):
        return [Published(path, member)]
    archive = Published(path, member)
    if not archive.start:
        raise problem(archive.name, "it is empty.")
    try:
        with archive.open() as stream:
            members = _check_members(archive.name, stream, size)
    except RuntimeError as why:
        raise problem(archive.name, f"it cannot be read ({why}); download it again.") from why
    return [Published(path, member, name) for name in _read_of([one.filename for one in members if not one.is_dir()])]


def _is_twin(name: str, names: list[str]) -> bool:
    """Whether a spreadsheet stands beside the same table as text, which is read in its place."""
    stem, end = os.path.splitext(name.lower())
    beside = {other.lower() for other in names}
    return end == ".xlsx" and (f"{stem}.csv" in beside or ("cci" in stem and f"{stem}.txt" in beside))
