"""What every fact and every answer carries: the days in effect, where it stands, and the steps that used it.

The one place where a date of service is read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache

import attrs

from .errors import BatchError, DateError, need_kind, quoted, shortened

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@lru_cache(maxsize=8192)
def day(text: str) -> dt.date:
    """The day of an ISO text; `ValueError` says in our own words, whatever Python's are, why there is none.

    >>> day("2026-03-02")
    datetime.date(2026, 3, 2)
    >>> day("2026-W01-1")
    Traceback (most recent call last):
    ValueError: a day such as 2026-03-02 is wanted
    """
    if not _ISO.fullmatch(text):
        raise ValueError("a day such as 2026-03-02 is wanted")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError("not a day of the calendar") from None


def _read(text: str) -> dt.date:
    try:
        return day(text)
    except ValueError:
        wanted = f"a date of service. {_counted(text) or 'Write it as year-month-day, for example 2026-03-02.'}"
        says = "a day of the calendar." if _ISO.fullmatch(text) else wanted
        raise DateError(f"{quoted(text)} is not {says}", given=text, argument="on") from None


def as_date(value: object) -> dt.date:
    """The date of service as a `datetime.date`, from ISO text, a date or a datetime.

    Raises `DateError` for anything else, a missing date included: no answer depends on today.

    >>> as_date("2026-03-02")
    datetime.date(2026, 3, 2)
    >>> as_date("2026-02-30")
    Traceback (most recent call last):
    jcodeunits.errors.DateError: '2026-02-30' is not a day of the calendar.
    """
    if type(value) is dt.date:  # as nearly always, and the quickest to see
        return value
    if isinstance(value, str):
        return _read(value)
    if isinstance(value, dt.datetime) and type(value.date()) is dt.date:
        return value.date()
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if value is None:
        raise DateError("The date of service is missing. Give ‹on='2026-03-02'›.", given=None)
    is_short = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 10**5
    way = (_counted(str(value)) if is_short else "") or "Give text such as '2026-03-02' or a datetime.date."
    raise DateError(f"{quoted(value)} is not a date of service. {way}", given=value, argument="on")


# A day, and the part of it that has gone, as a spreadsheet counts them: from the end of 1899, with a day too many in
# 1900. Five digits are the days of 1927 to 2173.
_COUNT = re.compile(r"([1-9][0-9]{4})(?:\.[0-9]+)?")
_COUNTED_FROM = dt.date(1899, 12, 30)
_EXCEL = "excel"


def _counted(text: str) -> str:
    """What to do with a count of days; empty for another text."""
    if not _COUNT.fullmatch(text):
        return ""
    return "It looks like a spreadsheet's count of days: write the day, or read a table with the date format excel."


_PART = r"(YYYY|YY|MON|MM|DD)"
_FORM = re.compile(rf"{_PART}([-/. ]?){_PART}\2{_PART}")
_PARTS = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "MON": "%b", "DD": "%d"}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(r"[A-Za-z]{3}")


def date_pattern(form: str | None) -> str:
    """How dates are written, from a form such as MM/DD/YYYY, DD.MM.YYYY, M/D/YY or DD-MON-YY.

    `excel` are the numbers of days that a spreadsheet counts. A year of two digits is one of 1969 to 2068. Raises
    `BatchError` for what is no such form.

    >>> date_pattern("DD.MM.YYYY"), date_pattern("dd-mon-yy")
    ('%d.%m.%Y', '%d-%b-%y')
    """
    need_kind(form or "", str, "date_format", "text such as MM/DD/YYYY")
    if not form or form.strip().casefold() == _EXCEL:
        return _EXCEL if form else ""
    found = _FORM.fullmatch(re.sub(r"\bM\b", "MM", re.sub(r"\bD\b", "DD", form.strip().upper()[:20])))
    parts = (found[1], found[3], found[4]) if found is not None else ()
    if found is None or {part[0] for part in parts} != {"Y", "M", "D"}:
        says = f"{quoted(form)} is no form of a date. Write year, month and day: MM/DD/YYYY, DD-MON-YY ...; or excel."
        raise BatchError(says, place="date_format")
    return found[2].join(_PARTS[part] for part in parts)


def day_as(text: str, pattern: str) -> dt.date:
    """The day of a text that is written so (`date_pattern`); months are named in English. `ValueError` for another.

    >>> str(day_as("02-MAR-26", "%d-%b-%y")), str(day_as("3/2/2026", "%m/%d/%Y")), str(day_as("46083", "excel"))
    ('2026-03-02', '2026-03-02', '2026-03-02')
    """
    if not text.isascii():
        raise ValueError("digits of another script")
    if pattern == _EXCEL:
        counted = _COUNT.fullmatch(text)
        if counted is None:
            raise ValueError("no count of days")
        return _COUNTED_FROM + dt.timedelta(int(counted[1]))
    if "%b" in pattern:  # the names that the standard library knows are those of the machine's language
        named = _MONTH.search(text)
        if named is None or named[0].casefold() not in MONTHS:
            raise ValueError("no month of this name")
        text = f"{text[: named.start()]}{MONTHS.index(named[0].casefold()) + 1}{text[named.end() :]}"
    return dt.datetime.strptime(text, pattern.replace("%b", "%m")).date()  # noqa: DTZ007 - a day has no zone


def zone(name: str) -> dt.tzinfo | None:
    """The time zone of a name such as America/New_York; None for one that this computer does not know.

    >>> zone("no such place") is None
    True
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # few answers need it, and it is slow to load

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        return None


@attrs.frozen(order=True)
class Period:
    """Days in effect, both ends included; `ends` is None while it is open.

    >>> Period(dt.date(2024, 4, 1)).holds(dt.date(2026, 3, 2))
    True
    >>> print(Period(dt.date(1994, 1, 1), dt.date(2024, 3, 31)))
    1994-01-01 to 2024-03-31
    """

    effective: dt.date
    ends: dt.date | None = None

    def holds(self, on: dt.date) -> bool:
        """Whether the day lies in the period."""
        return self.effective <= on and (self.ends is None or on <= self.ends)

    @property
    def changes(self) -> tuple[dt.date, ...]:
        """The first day, and the day after the last one."""
        if self.ends is None or self.ends == dt.date.max:
            return (self.effective,)
        return self.effective, self.ends + dt.timedelta(1)

    def overlaps(self, other: Period) -> bool:
        """Whether the two share a day."""
        return (other.ends is None or self.effective <= other.ends) and (
            self.ends is None or other.effective <= self.ends
        )

    def without(self, other: Period) -> tuple[Period, ...]:
        """What is left of the period outside another: none, one or two periods.

        >>> [str(p) for p in Period(dt.date(2024, 1, 1)).without(Period(dt.date(2025, 1, 1), dt.date(2025, 12, 31)))]
        ['2024-01-01 to 2024-12-31', 'since 2026-01-01']
        """
        if not self.overlaps(other):
            return (self,)
        day = dt.timedelta(days=1)
        left = []
        if self.effective < other.effective:
            left.append(Period(self.effective, other.effective - day))
        if other.ends is not None and (self.ends is None or self.ends > other.ends):
            left.append(Period(other.ends + day, self.ends))
        return tuple(left)

    def __str__(self) -> str:
        return f"{self.effective} to {self.ends}" if self.ends else f"since {self.effective}"


@attrs.frozen
class Citation:
    """Where a fact stands: a source's id, the place in it, and how far it is to be trusted.

    `title` is the source's own title when the reader of the tables knows it; `replaces` says that a site's own
    row stands here in place of the shipped one.

    >>> print(Citation("hcpcs-2026q3", "J0696", title="HCPCS 2026 Q3"))
    HCPCS 2026 Q3, J0696
    """

    source: str
    cite: str = ""
    confidence: str = "high"
    title: str = ""
    replaces: bool = False

    def __str__(self) -> str:
        name = self.title or self.source
        said = f"{name}, {self.cite}" if self.cite else name
        return f"{said}; replaces a shipped row" if self.replaces else said


_WIDEST = 46  # characters of a step that still set the column of the reasons


@attrs.frozen(repr=False)
class Step:
    """One step: what was done, why, and the source of the rule or fact where there is one.

    >>> print(Step("1000 mg / 250 mg = 4", "exact").text())
    1000 mg / 250 mg = 4  exact
    """

    says: str
    why: str = ""
    citation: Citation | None = None

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return shortened(f"<Step {self.text()}>")

    def text(self, width: int = 0, why_width: int = 0) -> str:
        """One line: what, why, and the source in brackets; widths align the steps of a trace."""
        line = f"{self.says:<{width}}  {self.why}" if self.why else self.says
        if self.citation is not None:
            line = f"{line:<{width + 2 + why_width}}  [{self.citation}]"
        return line

    def as_dict(self) -> dict[str, str]:
        """Plain text fields."""
        return {"says": self.says, "why": self.why, "citation": str(self.citation or "")}


@attrs.frozen(repr=False)
class Trace:
    """The steps of an answer in order. Traces add up.

    >>> len(Trace((Step("a"),)) + Trace((Step("b"),)))
    2
    """

    steps: tuple[Step, ...] = ()

    def __add__(self, other: Trace) -> Trace:
        return Trace(self.steps + other.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return shortened(f"<Trace {len(self.steps)} steps: {'; '.join(step.says for step in self.steps)}>")

    def text(self) -> str:
        """The steps as aligned lines; a long step does not push the others apart."""
        width = max((len(step.says) for step in self.steps if len(step.says) <= _WIDEST), default=0)
        whys = max((len(step.why) for step in self.steps), default=0)
        return "\n".join(step.text(width, whys) for step in self.steps)

    def as_list(self) -> list[dict[str, str]]:
        """Plain JSON types."""
        return [step.as_dict() for step in self.steps]


_EDITION = re.compile(r"(.+?)(?:-rows)?-20\d\d(?:q[1-4]|-\d\d(?:-\d\d)?)(?:-f\w+)?")


def beginnings(first_days: Mapping[str, dt.date | None]) -> dict[str, dt.date]:
    """For each edition among these source ids the first day of the oldest of its family, selected rows included.

    >>> beginnings({"mue-2024q3": dt.date(2024, 7, 1), "mue-2026q4": dt.date(2026, 10, 1), "guide": None})["mue-2026q4"]
    datetime.date(2024, 7, 1)
    """
    families = {key: match[1] for key in first_days if (match := _EDITION.fullmatch(key))}
    firsts: dict[str, dt.date] = {}
    for key, family in families.items():
        first = first_days[key]
        if first is not None:
            firsts[family] = min(firsts.get(family, first), first)
    return {key: firsts[family] for key, family in families.items() if family in firsts}
