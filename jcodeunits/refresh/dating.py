"""Which edition a file is, read from its name or its first lines: a quarter, a month or a day; nothing is guessed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

import attrs

from jcodeunits.dated import MONTHS
from jcodeunits.errors import TableError, quoted

_MONTH = "|".join(MONTHS)
_YEAR = r"(20[0-4]\d)"
_QUARTER = (
    re.compile(rf"(?<!\d){_YEAR}[ _-]*q([1-4])(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<![a-z\d])q([1-4])[ _-]*{_YEAR}(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<!\d)([1-4])q[ _-]*{_YEAR}(?!\d)", re.IGNORECASE),
)
_RELEASE = re.compile(r"(?<![a-z])rvu(\d\d)([a-d])(?![a-z])", re.IGNORECASE)  # rvu26d: the fourth of 2026
_VERSION = re.compile(r"(?<![a-z\d])v([2-9]\d)([0-3])r\d", re.IGNORECASE)  # v323: the fourth quarter of 2026
_WORD = (
    re.compile(rf"(?<![a-z])({_MONTH})[a-z]*[ _-]+(?:\d{{1,2}},? )?{_YEAR}(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<!\d){_YEAR}[ _-]+({_MONTH})[a-z]*(?![a-z])", re.IGNORECASE),
)
_ISO = re.compile(rf"(?<!\d){_YEAR}-?(0[1-9]|1[0-2])(?:-?(0[1-9]|[12]\d|3[01]))?(?!\d)")
_US = re.compile(rf"(?<!\d)(0?[1-9]|1[0-2])[-._/](0?[1-9]|[12]\d|3[01])[-._/]({_YEAR}|\d\d)(?!\d)")
_ONE_DAY = re.compile(
    rf"(?:(?P<name>{_MONTH})[a-z]{{0,6}}\.? (?P<of>\d\d?)(?:st|nd|rd|th)?(?:,? ?(?P<year>20\d\d))?"
    r"|(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<whole>20\d\d))",
    re.IGNORECASE,
)
_A_DAY = re.sub(r"\?P<\w+>", "?:", _ONE_DAY.pattern)
_TWO_DAYS = re.compile(rf"Effective:? ?{_A_DAY} ?(?:through|thru|to|-|\N{{EN DASH}}) ?{_A_DAY}", re.IGNORECASE)

_MEANT = re.compile(r"Effective:? ?\w+ \d\d?, ?\d{4} ?(?:through|thru) ?\w+ \d\d?, ?\d{4}", re.IGNORECASE)


@attrs.frozen(order=True)
class When:
    """The days of an edition and its name in a source's id: `2026q4`, or a month or day such as `2026-11`."""

    first: dt.date
    last: dt.date | None
    name: str

    @property
    def words(self) -> str:
        """The name for people: `2026 Q4`."""
        return self.name.upper().replace("Q", " Q")


Days = Mapping[str, dt.date]  # first day of each edition by source id


def quarter(year: int, number: int) -> tuple[dt.date, dt.date]:
    """First and last day of a calendar quarter.

    >>> quarter(2024, 3)
    (datetime.date(2024, 7, 1), datetime.date(2024, 9, 30))
    """
    after = dt.date(year + number // 4, 3 * number % 12 + 1, 1)
    return dt.date(year, 3 * number - 2, 1), after - dt.timedelta(days=1)


def quarters_between(one: dt.date, other: dt.date) -> list[str]:
    """The names of the quarters between those of two days.

    >>> quarters_between(dt.date(2026, 7, 1), dt.date(2027, 4, 1))
    ['2026 Q4', '2027 Q1']
    """
    first, last = (day.year * 4 + (day.month - 1) // 3 for day in (one, other))
    return [f"{n // 4} Q{n % 4 + 1}" for n in range(first + 1, last)]


def of_quarter(year: int, number: int) -> When:
    """A quarter as an edition."""
    return When(*quarter(year, number), f"{year}q{number}")


def days_above(lines: Iterable[str]) -> tuple[dt.date, dt.date] | None:
    """The days that a preamble names: 'Effective October 1, 2026 through December 31, 2026'; None where it names none.

    Raises `ValueError` for days that are none.

    >>> days_above(["Effective: Jan. 1 through 3/31/2027"])
    (datetime.date(2027, 1, 1), datetime.date(2027, 3, 31))
    """
    text = " ".join(" ".join(lines).split())
    match = _TWO_DAYS.search(text)
    if match is None:
        if meant := _MEANT.search(text):
            raise ValueError(f"{meant[0][:60]}: no days")
        return None
    one, other = _ONE_DAY.finditer(match[0])
    last = _day_of(other, None)
    return _day_of(one, last.year), last


def _day_of(match: re.Match[str], year: int | None) -> dt.date:
    """The day of one match; a first day without a year has that of the last."""
    if match["whole"]:
        return dt.date(int(match["whole"]), int(match["month"]), int(match["day"]))
    of = int(match["year"]) if match["year"] else year
    if of is None:
        raise ValueError(f"{match[0]} has no year")
    return dt.date(of, MONTHS.index(match["name"].lower()) + 1, int(match["of"]))


def quarter_in(text: str) -> When | None:
    """The quarter that a name states in any of the publishers' ways; None where it states none.

    >>> [quarter_in(name).name for name in ("mue_2024Q3.csv", "HCPC2026_OCT_ANWEB", "ccipra-v323r0-f1", "rvu26d",
    ...     "MUE_Eff_10-01-2026", "July 2026 ASP Pricing File 062026", "Addendum B.10.31.25")]
    ['2024q3', '2026q4', '2026q4', '2026q4', '2026q4', '2026q3', '2025q4']
    """
    for i, pattern in enumerate(_QUARTER):
        if match := pattern.search(text):
            year, number = (match[1], match[2]) if i == 0 else (match[2], match[1])
            return of_quarter(int(year), int(number))
    if match := _RELEASE.search(text):
        return of_quarter(2000 + int(match[1]), "abcd".index(match[2].lower()) + 1)
    if match := _VERSION.search(text):
        return of_quarter(1994 + int(match[1]), int(match[2]) + 1)
    day = _day_in(text)
    return of_quarter(day[0], (day[1] + 2) // 3) if day is not None else None


def month_in(text: str) -> When | None:
    """The month or day that a name states; None where it states none.

    >>> month_in("ndctext_2026-11-20.zip").name, month_in("pos_2024-06.csv").name, month_in("ndctext.zip")
    ('2026-11-20', '2024-06', None)
    """
    found = _day_in(text)
    if found is None:
        return None
    year, month, day = found
    name = f"{year}-{month:02}-{day:02}" if day else f"{year}-{month:02}"
    return When(dt.date(year, month, day or 1), None, name)


def first_in(names: Iterable[str], by: Callable[[str], When | None] = quarter_in) -> When | None:
    """The edition that the first of some names states which states one; None where none does.

    >>> first_in(["notes.csv", "July 2026 crosswalk.zip"])
    When(first=datetime.date(2026, 7, 1), last=datetime.date(2026, 9, 30), name='2026q3')
    """
    return next((found for name in names if (found := by(name)) is not None), None)


@lru_cache(maxsize=1 << 14)
def day_in(text: str) -> str | None:
    """A day written as YYYYMMDD, ISO or US, in ISO; None for what is none. A list of 250,000 names some thousand.

    >>> day_in("20261001"), day_in("2026-10-01"), day_in("10/1/2026"), day_in("2026-13-01")
    ('2026-10-01', '2026-10-01', '2026-10-01', None)
    """
    for form in ("%Y%m%d", "%Y-%m-%d", "%m/%d/%Y"):
        try:
            return dt.datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007
        except ValueError:
            continue
    return None


def no_day(text: str) -> str:
    """What is said of a cell that should hold a day; a spreadsheet counts days from 1900, or from 1904.

    >>> no_day("20261301"), no_day("46300")
    ("'20261301' is no date", "'46300' is no date but a spreadsheet's count of days: write the column as YYYYMMDD")
    """
    is_count = re.fullmatch(r"[2-7]\d{4}", text)
    says = " but a spreadsheet's count of days: write the column as YYYYMMDD" if is_count else ""
    return f"{text[:40]!r} is no date{says}"


def edition_of(text: str) -> When:
    """The edition that a person names: a quarter, a month or a day. Raises `TableError`.

    >>> edition_of("2026Q4").first, edition_of("2026-11").name
    (datetime.date(2026, 10, 1), '2026-11')
    """
    words = text.strip()
    if re.fullmatch(r"20[0-4]\d ?[qQ][1-4]", words):
        found = quarter_in(words)
    else:
        found = month_in(words) if re.fullmatch(r"20[0-4]\d-\d\d(-\d\d)?", words) else None
    if found is None:
        says = f"{quoted(text)} names no edition: a quarter such as 2026Q4, or a month such as 2026-11, is wanted."
        raise TableError(says, file="", problems=(says,))
    return found


def _day_in(text: str) -> tuple[int, int, int] | None:
    for pattern in _WORD:
        if match := pattern.search(text):
            month, year = (match[1], match[2]) if match[2].isdigit() else (match[2], match[1])
            return int(year), MONTHS.index(month.lower()[:3]) + 1, 0
    found = None
    if match := _ISO.search(text):
        found = int(match[1]), int(match[2]), int(match[3] or 0)
    elif match := _US.search(text):
        year = int(match[3]) if len(match[3]) == 4 else 2000 + int(match[3])
        found = year, int(match[1]), int(match[2])
    if found is None:
        return None
    try:
        dt.date(found[0], found[1], found[2] or 1)
    except ValueError:
        return None
    return found
