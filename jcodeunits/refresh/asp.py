"""The quarterly Part B drug files of CMS: the NDC-HCPCS crosswalk and the payment limits.

Both say which days they cover in words above their header; the first column's name changes every year, and
empty columns and rows pad the file. The dosage is the billing unit in one of many spellings.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import attrs

from .sheets import problem, rows_of_csv, rows_of_workbook

_CROSSWALK = (
    "Short Description",
    "LABELER NAME",
    "NDC2",
    "Drug Name",
    "HCPCS dosage",
    "PKG SIZE",
    "PKG QTY",
    "BILLUNITS",
    "BILLUNITSPKG",
)
_LIMITS = ("HCPCS Code", "Short Description", "HCPCS Code Dosage", "Payment Limit")
_FIRST = re.compile(r"_?\d{4}_CODE|HCPCS( CODE)?|CODE", re.IGNORECASE)
_CODE = re.compile(r"[A-Z0-9]\d{4}")
_DAYS = re.compile(r"Effective (\w+ \d{1,2}, \d{4})(?: through |\s*-\s*)(\w+ \d{1,2}, \d{4})", re.IGNORECASE)


@attrs.frozen
class CrosswalkRow:
    """One product of one quarter, as printed: amounts stay text until someone needs them exact."""

    line: int
    code: str
    short: str
    labeler: str
    ndc: str
    name: str
    dosage: str
    package_size: str
    package_quantity: str
    billunits: str
    billunits_package: str


@attrs.frozen
class LimitRow:
    """One code's payment limit of one quarter."""

    line: int
    code: str
    short: str
    dosage: str
    limit: str


@attrs.frozen
class Quarter:
    """One published file: its kind (`asp-xwalk`, `asp-limits`), its days, its rows."""

    kind: str
    path: Path
    first_day: dt.date
    last_day: dt.date
    crosswalk: tuple[CrosswalkRow, ...] = ()
    limits: tuple[LimitRow, ...] = ()

    @property
    def name(self) -> str:
        """Year and quarter, `2026Q1`."""
        return f"{self.first_day.year}Q{(self.first_day.month + 2) // 3}"

    @property
    def id(self) -> str:
        """The source id."""
        return f"{self.kind}-{self.name.lower()}"

    @property
    def title(self) -> str:
        """The name for people."""
        words = "NDC-HCPCS crosswalk" if self.kind == "asp-xwalk" else "Part B payment limits"
        return f"{words} {self.name[:4]} {self.name[4:]}"


# The ZIPs hold further crosswalks and prices: by wholesale price, for hospitals, for drugs without a code.
_OTHERS = re.compile(r"awp|opps|(?<![a-z])noc(?![a-z])")


def _table_name(path: Path) -> str:
    """A file's name with single underscores, or "" for what is no table of this kind."""
    name = re.sub(r"[ _-]+", "_", path.name.lower())
    return name if path.suffix.lower() in (".csv", ".xlsx") and not _OTHERS.search(name) else ""


def looks_like_crosswalk(path: Path) -> bool:
    """Whether a file's name says that it is the crosswalk of NDC to HCPCS."""
    return bool(re.search(r"ndc_?hcpcs|hcpcs_?ndc|crosswalk", _table_name(path)))


def looks_like_limits(path: Path) -> bool:
    """Whether a file's name says that it holds the payment limits."""
    return bool(re.search(r"payment_(?:allowance_)?limit|asp_pricing", _table_name(path)))


def read_crosswalk(path: Path) -> Quarter:
    """Read one quarter's crosswalk. Raises `TableError` for a changed header or a cut row."""
    rows, start, first, last = _open(path, "HCPCS dosage", _CROSSWALK)
    header = rows[start]
    at = [0, *(header.index(name) for name in _CROSSWALK)]
    made = []
    for line, cells in _body(path, rows, start, at):
        made.append(CrosswalkRow(line, *cells))
    if not made:
        raise problem(path, "it holds no row below its header.")
    return Quarter("asp-xwalk", path, first, last, crosswalk=tuple(made))


def read_limits(path: Path) -> Quarter:
    """Read one quarter's payment limits. Raises `TableError` for a changed header or a cut row."""
    rows, start, first, last = _open(path, "HCPCS Code Dosage", _LIMITS)
    at = [rows[start].index(name) for name in _LIMITS]
    made = tuple(LimitRow(line, *cells) for line, cells in _body(path, rows, start, at))
    if not made:
        raise problem(path, "it holds no row below its header.")
    return Quarter("asp-limits", path, first, last, limits=made)


def _open(path: Path, mark: str, wanted: tuple[str, ...]) -> tuple[list[list[str]], int, dt.date, dt.date]:
    raw = rows_of_workbook(path)[1] if path.suffix.lower() == ".xlsx" else rows_of_csv(path)
    rows = [[cell.strip() for cell in row] for row in raw]
    start = next((i for i, row in enumerate(rows[:40]) if mark in row), None)
    if start is None:
        says = f"no row among its first 40 is the header with {mark!r}: CMS changed it, or it is cut."
        raise problem(path, says)
    missing = [name for name in wanted if name not in rows[start]]
    if missing:
        raise problem(path, f"its header lacks {', '.join(repr(name) for name in missing)}.", line=start + 1)
    if wanted is _CROSSWALK and not _FIRST.fullmatch(rows[start][0]):
        raise problem(path, f"its first column is {rows[start][0]!r}, not the code.", line=start + 1)
    above = " ".join(cell for row in rows[:start] for cell in row if cell)
    match = _DAYS.search(above)
    if match is None:
        says = "no line above its header says which days it covers ('Effective ... through ...')."
        raise problem(path, says)
    first, last = (_day(path, words) for words in match.groups())
    return rows, start, first, last


def _day(path: Path, words: str) -> dt.date:
    try:
        return dt.datetime.strptime(words, "%B %d, %Y").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as why:
        raise problem(path, f"{words!r} is no date.") from why


def _body(path: Path, rows: list[list[str]], start: int, at: list[int]) -> list[tuple[int, list[str]]]:
    made = []
    for line, row in enumerate(rows[start + 1 :], start=start + 2):
        if not any(row) or _is_footnote(row):
            continue
        if len(row) <= max(at):
            says = f"the row has {len(row)} cells, not {len(rows[start])}: it is cut off."
            raise problem(path, says, line=line)
        cells = [row[i] for i in at]
        if not _CODE.fullmatch(cells[0].upper()):
            raise problem(path, f"{cells[0]!r} is no HCPCS code.", line=line)
        made.append((line, [cells[0].upper(), *cells[1:]]))
    return made


def _is_footnote(row: list[str]) -> bool:
    """One long sentence in the first cell and nothing beside it."""
    return len(row[0]) > 12 and not any(row[1:])
