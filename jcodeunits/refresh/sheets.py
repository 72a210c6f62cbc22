"""Files from outside, read safely: spreadsheets within limits, text in the encoding it really has.

A spreadsheet is a ZIP of XML. Before anything is unpacked its directory is checked against limits; XML goes
through defusedxml, which refuses entities; a formula is text here and never evaluated, and where a plain
value is wanted it is refused.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from pathlib import Path

from jcodeunits.errors import TableError

_LIMIT_FILE = 200_000_000
_LIMIT_UNPACKED = 500_000_000
_LIMIT_RATIO = 100  # real editions reach 10
_LIMIT_MEMBERS = 1_000


def problem(path: Path, says: str, *, line: int | None = None) -> TableError:
    """The error for a file that cannot be used, with its place and the way out."""
    where = f"{path.name}, line {line}" if line else path.name
    message = f"{where}: {says} The tables are left as they were."
    return TableError(message, file=str(path), problems=(says,))


def rows_of_workbook(path: Path) -> tuple[str, list[list[str]]]:
    """Title and cells of a workbook's first sheet, every cell as text.

    Raises `TableError` for a file that is no workbook, breaks the limits, or holds formulas.
    """
    _check_zip(path)
    try:
        import openpyxl
    except ImportError as why:
        says = "Reading spreadsheets needs an extra: pip install 'jcodeunits[refresh]'."
        raise TableError(says, file=str(path), problems=()) from why
    if not openpyxl.DEFUSEDXML:
        raise TableError(
            "Reading spreadsheets safely needs defusedxml: pip install 'jcodeunits[refresh]'.",
            file=str(path),
            problems=(),
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # headers and footers of print pages that openpyxl cannot read
            book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # the declared size is the writer's claim, not a fact
            rows = [
                [_text(path, number, value) for value in row]
                for number, row in enumerate(sheet.iter_rows(values_only=True), start=1)
            ]
            title = str(sheet.title)
            book.close()
    except TableError:
        raise
    except Exception as why:
        raise problem(path, f"it does not open as a spreadsheet ({type(why).__name__}: {why}).") from why
    return title, rows


def _text(path: Path, line: int, value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    if text.startswith("=") or type(value).__name__ in ("ArrayFormula", "DataTableFormula"):
        raise problem(path, "a cell holds a formula where a value is wanted.", line=line)
    return text.replace("\xa0", " ")


def _check_zip(path: Path) -> None:
    size = path.stat().st_size
    if size == 0:
        raise problem(path, "it is empty.")
    if size > _LIMIT_FILE:
        raise problem(path, f"it has {size:,} bytes, more than the limit of {_LIMIT_FILE:,}.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as why:
        raise problem(path, f"it does not open as a spreadsheet ({why}); download it again.") from why
    unpacked = sum(member.file_size for member in members)
    if len(members) > _LIMIT_MEMBERS or unpacked > _LIMIT_UNPACKED or unpacked > size * _LIMIT_RATIO:
        says = f"it would unpack to {unpacked:,} bytes in {len(members)} parts; no CMS file does."
        raise problem(path, says)
    for member in members:
        if member.filename.startswith("/") or ".." in member.filename.split("/"):
            raise problem(path, f"its part {member.filename!r} points outside the file.")


def text_of(path: Path) -> str:
    """A text file, UTF-8 or the Windows code page that CMS uses."""
    size = path.stat().st_size
    if size == 0:
        raise problem(path, "it is empty.")
    if size > _LIMIT_FILE:
        raise problem(path, f"it has {size:,} bytes, more than the limit of {_LIMIT_FILE:,}.")
    data = path.read_bytes()
    if b"\x00" in data:
        raise problem(path, "it is no text file.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def rows_of_csv(path: Path) -> list[list[str]]:
    """The cells of a CSV file, stripped."""
    try:
        cells = list(csv.reader(io.StringIO(text_of(path), newline=""), strict=True))
    except csv.Error as why:
        raise problem(path, f"it is no well-formed CSV ({why}).") from why
    return [[cell.replace("\xa0", " ").strip() for cell in row] for row in cells]
