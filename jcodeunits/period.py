"""Periods in effect, and the one place where a date of service is read."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

import attrs

from .errors import DateError, quoted

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@lru_cache(maxsize=4096)
def _read(text: str) -> dt.date:
    if not _ISO.fullmatch(text):
        raise DateError(
            f"{quoted(text)} is not a date of service. Write it as year-month-day, for example 2026-03-02.",
            given=text,
        )
    try:
        return dt.date.fromisoformat(text)
    except ValueError as why:
        raise DateError(f"{quoted(text)} is not a day of the calendar ({why}).", given=text) from None


def as_date(value: object) -> dt.date:
    """The date of service as a `datetime.date`, from ISO text, a date or a datetime.

    Raises `DateError` for anything else, a missing date included: no answer depends on today.

    >>> as_date("2026-03-02")
    datetime.date(2026, 3, 2)
    >>> as_date("2026-02-30")
    Traceback (most recent call last):
    jcodeunits.errors.DateError: '2026-02-30' is not a day of the calendar (day is out of range for month).
    """
    if isinstance(value, str):
        return _read(value)
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if value is None:
        raise DateError("The date of service is missing. Give on='2026-03-02'.", given=None)
    raise DateError(
        f"{quoted(value)} is not a date of service. Give text such as '2026-03-02' or a datetime.date.", given=value
    )


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

    def overlaps(self, other: Period) -> bool:
        """Whether the two share a day."""
        return (other.ends is None or self.effective <= other.ends) and (
            self.ends is None or other.effective <= self.ends
        )

    def __str__(self) -> str:
        return f"{self.effective} to {self.ends}" if self.ends else f"since {self.effective}"
