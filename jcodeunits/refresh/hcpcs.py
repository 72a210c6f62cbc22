"""HCPCS Level II editions as CMS publishes them: workbooks of any year, and fixed-width text.

ADD DT is a code's first day, TERM DT its last. ACT EFF DT is the last action on the record, not the start.
Ended codes stay in the file: the newest edition carries the history of codes, older ones that of their words.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import attrs

from .sheets import problem, rows_of_workbook, text_of

_COLUMNS = ("HCPC", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "ADD DT", "ACT EFF DT", "TERM DT")
_CODE = re.compile(r"[A-Z]\d{4}")
_RECORD = re.compile(r"([A-Z]\d{4})\d{5}([34])")
_QUARTERS = {"JAN": 1, "APR": 2, "JUL": 3, "OCT": 4}
_NAMED = re.compile(r"(20\d\d)[ _-]*(?:Q([1-4])|(JAN|APR|JUL|OCT))?", re.IGNORECASE)


@attrs.frozen
class Entry:
    """One code of one edition: its words and its days."""

    code: str
    long: str
    short: str
    added: dt.date
    acted: dt.date | None
    ended: dt.date | None


@attrs.frozen
class Edition:
    """One published edition: the year and quarter, and every code in it by number."""

    year: int
    quarter: int
    path: Path
    entries: dict[str, Entry]

    @property
    def id(self) -> str:
        """The source id."""
        return f"hcpcs-{self.year}q{self.quarter}"

    @property
    def title(self) -> str:
        """The name for people."""
        return f"HCPCS {self.year} Q{self.quarter}"

    @property
    def first_day(self) -> dt.date:
        """The first day of its quarter."""
        return dt.date(self.year, 3 * self.quarter - 2, 1)

    @property
    def last_day(self) -> dt.date:
        """The last day of its quarter."""
        following = dt.date(self.year + self.quarter // 4, self.quarter % 4 * 3 + 1, 1)
        return following - dt.timedelta(days=1)


def looks_like_edition(path: Path) -> bool:
    """Whether a file's name says that it is a HCPCS edition."""
    name = path.name.upper()
    return path.suffix.lower() in (".xlsx", ".txt") and "HCPC" in name and "NDC" not in name


def read_edition(path: Path) -> Edition:
    """Read one edition. Raises `TableError` for a changed header, a cut file, or dates that are none."""
    if path.suffix.lower() == ".xlsx":
        title, rows = rows_of_workbook(path)
        entries = _from_rows(path, rows)
    else:
        title, entries = "", _from_text(path)
    if not entries:
        raise problem(path, "it holds no code.")
    year, quarter = _when(path, title)
    return Edition(year, quarter, path, entries)


def _when(path: Path, title: str) -> tuple[int, int]:
    for name in (title, path.stem):
        match = _NAMED.search(name)
        if match:
            quarter = int(match[2]) if match[2] else _QUARTERS.get((match[3] or "JAN").upper(), 1)
            return int(match[1]), quarter
    raise problem(path, "neither its sheet nor its name says which edition it is, as in hcpcs_2026Q3.xlsx.")


def _day(path: Path, line: int, text: str) -> dt.date | None:
    if not text.strip():
        return None
    try:
        return dt.datetime.strptime(text.strip()[:8], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as why:
        raise problem(path, f"{text!r} is no date.", line=line) from why


def _entry(path: Path, line: int, code: str, texts: tuple[str, str], days: tuple[str, str, str]) -> Entry:
    added = _day(path, line, days[0])
    if added is None:
        raise problem(path, f"{code} has no first day (ADD DT).", line=line)
    acted, ended = _day(path, line, days[1]), _day(path, line, days[2])
    long, short = (" ".join(text.split()) for text in texts)
    if not long:
        raise problem(path, f"{code} has no description.", line=line)
    return Entry(code, long, short, added, acted, ended)


def _from_rows(path: Path, rows: list[list[str]]) -> dict[str, Entry]:
    start = next((i for i, row in enumerate(rows[:60]) if row and row[0].strip() == "HCPC"), None)
    if start is None:
        raise problem(path, "no row among its first 60 is the header that begins with HCPC.")
    header = [cell.strip() for cell in rows[start]]
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise problem(path, f"its header lacks {', '.join(missing)}.", line=start + 1)
    at = {name: header.index(name) for name in _COLUMNS}
    needed = max(at[name] for name in _COLUMNS if name != "TERM DT") + 1
    entries: dict[str, Entry] = {}
    for line, row in enumerate(rows[start + 1 :], start=start + 2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {name: row[i] if i < len(row) else "" for name, i in at.items()}
        code, record = cells["HCPC"].strip(), cells["RECID"].strip()
        if not record or (record == "3" and len(row) < needed):
            raise problem(path, f"the row has {len(row)} cells, not {len(header)}: it is cut off.", line=line)
        if record == "4" and code in entries:
            entries[code] = _longer(entries[code], cells["LONG DESCRIPTION"])
        elif record == "3":
            if not _CODE.fullmatch(code):
                raise problem(path, f"{code!r} is no HCPCS code.", line=line)
            texts = (cells["LONG DESCRIPTION"], cells["SHORT DESCRIPTION"])
            days = (cells["ADD DT"], cells["ACT EFF DT"], cells["TERM DT"])
            entries[code] = _entry(path, line, code, texts, days)
    return entries


def _longer(entry: Entry, more: str) -> Entry:
    return attrs.evolve(entry, long=" ".join(f"{entry.long} {more}".split()))


def _from_text(path: Path) -> dict[str, Entry]:
    """Fixed width: description in 12-91, short in 92-119, ADD 269-276, ACT EFF 277-284, TERM 285-292."""
    entries: dict[str, Entry] = {}
    for line, text in enumerate(text_of(path).splitlines(), start=1):
        match = _RECORD.match(text)
        if not match:
            continue
        code, record = match[1], match[2]
        if record == "4":
            if code not in entries:
                raise problem(path, f"{code} goes on, but did not begin.", line=line)
            entries[code] = _longer(entries[code], text[11:91])
            continue
        if len(text) < 293:
            raise problem(path, f"the record of {code} has {len(text)} characters: it is cut off.", line=line)
        days = (text[268:276], text[276:284], text[284:292])
        entries[code] = _entry(path, line, code, (text[11:91], text[91:119]), days)
    return entries
