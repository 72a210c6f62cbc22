"""Stamps of messages as moments at the place: an offset is part of the instant, and a length is between instants."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from functools import lru_cache

import attrs

from jcodeunits import dated
from jcodeunits.errors import FormatError, quoted

from ._quoting import refused

_UTC = ("Z", "+00:00", "-00:00", "+0000", "-0000")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)
_FURTHEST = dt.timedelta(hours=14)
_MONTH = re.compile(r"(\d{4})(?:-?(\d{2}))?", re.ASCII)
_BEGINNING = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?", re.ASCII)


def iso(stamp: str) -> str:
    """The day that a stamp of digits begins with.

    >>> iso("202603021015")
    '2026-03-02'
    """
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"


@attrs.define  # made for every record, and to freeze it would be half of the work
class Moment:
    """Day and time (`HH:MM`, or empty) at the place; `utc` where only UTC is known and the day is open.

    `instant` is the same with its offset, without one where the message has none; None where no time is said.
    """

    day: dt.date
    time: str = ""
    utc: bool = False
    instant: dt.datetime | None = attrs.field(default=None, eq=False, repr=False)


def moment(day: dt.date, time: str, offset: str, zone: str | None, form: str) -> Moment:
    """A stamp as a moment at the place: moved there if the zone is given, else as the sender wrote it.

    >>> moment(dt.date(2026, 3, 3), "02:15", "Z", "America/Los_Angeles", "fhir")
    Moment(day=datetime.date(2026, 3, 2), time='18:15', utc=False)
    >>> moment(dt.date(2026, 3, 3), "02:15", "+00:00", None, "fhir").utc
    True
    """
    if not time:
        return Moment(day)
    place = _zone(zone, form) if zone is not None else None
    try:
        at = dt.datetime.combine(day, _of_day(time), _clock(offset))
        if place is not None:
            at = at.replace(tzinfo=place) if at.tzinfo is None else at.astimezone(place)
            at = at.astimezone(dt.timezone(at.utcoffset() or dt.timedelta()))
    except (ValueError, OverflowError):
        raise FormatError(f"{day} {time}{offset} is no time.", format=form, place="time") from None
    early = zone is None and offset in _UTC and time < "12:00"
    return Moment(day, time, early, at) if place is None else Moment(at.date(), at.isoformat()[11:16], False, at)


@lru_cache(maxsize=24 * 60)
def _of_day(time: str) -> dt.time:
    return dt.time(int(time[:2]), int(time[3:]))


@lru_cache(maxsize=256)
def _clock(offset: str) -> dt.tzinfo | None:
    """The clock of an offset, at most 14 hours from UTC; `ValueError` for one that no place has."""
    if not offset or offset == "Z":
        return dt.UTC if offset else None
    match = _OFFSET.fullmatch(offset)
    away = dt.timedelta(hours=int(match[2]), minutes=int(match[3])) if match else _FURTHEST * 2
    if match is None or int(match[3]) > 59 or away > _FURTHEST:
        raise ValueError(offset)
    return dt.timezone(-away if match[1] == "-" else away)


def _zone(zone: str, form: str) -> dt.tzinfo:
    known = dated.zone(zone)
    if known is None:
        says = f"{quoted(zone)} is no time zone that is known here. Write one such as America/New_York."
        raise FormatError(says, format=form, place="zone")
    return known


def span(first: Moment, last: Moment | None, form: str, where: str) -> dict[str, str]:
    """`time`, or `start` and `stop` on the start's clock, of an administration that lasts less than a day."""
    if last is not None:
        last = _on_clock_of(first, last, form, where)
    if last is None or last == first:
        return {"time": first.time} if first.time else {}
    if (last.day, last.time) < (first.day, first.time):
        says = f"it ends ({last.day} {last.time}) before it starts ({first.day} {first.time})"
        raise _endless(f"{where}: {says}", first, form, where)
    days = (last.day - first.day).days
    if days > 1 or (days == 1 and (not first.time or not last.time or last.time >= first.time)):
        raise _endless(f"{where}: it lasts a day or more, and an encounter is one day", first, form, where)
    return {key: value for key, value in (("start", first.time), ("stop", last.time)) if value}


def one_moment(one: Moment, other: Moment) -> bool:
    """Whether two stamps can be one moment: instants where both have an offset, else what their clocks show.

    >>> here = moment(dt.date(2026, 3, 2), "10:15", "-05:00", None, "fhir")
    >>> [one_moment(here, moment(dt.date(2026, 3, 2), time, "Z", None, "fhir")) for time in ("15:15", "10:15", "")]
    [True, False, True]
    """
    instants = [at for at in (one.instant, other.instant) if at is not None and at.tzinfo is not None]
    if len(instants) == 2:
        return instants[0] == instants[1]
    return one.day == other.day and (not one.time or not other.time or one.time == other.time)


def unended(why: FormatError, first: Moment) -> FormatError:
    """The error of an end that names no moment, which `stop` beside the message may fill."""
    return _endless(why.message.removesuffix("."), first, why.fields["format"], why.fields["place"])


def _endless(says: str, first: Moment, form: str, where: str) -> FormatError:
    """The error of an end that cannot be right, which `stop` beside the message may fill; the start is kept."""
    kept = {"start": first.time} if first.time else {}
    return FormatError(f"{says}.", format=form, place=where, fills="stop", kept=kept)


def _on_clock_of(first: Moment, last: Moment, form: str, where: str) -> Moment:
    """The end as the start's clock shows it; two clocks of which one has no offset cannot be compared."""
    began, ended = first.instant, last.instant
    if began is None or ended is None or (began.tzinfo is None and ended.tzinfo is None):
        return last
    if began.tzinfo is None or ended.tzinfo is None:
        if last == first:
            return first
        why = "of its start and its end only one says the offset from UTC, so its length is not known; give "
        raise refused(form, where, f"{why}‹zone='America/New_York'› (the place's own) beside it.")
    try:
        shown = ended.astimezone(began.tzinfo)
    except OverflowError:
        raise refused(form, where, f"{ended} is no time on the start's clock.") from None
    return Moment(shown.date(), shown.isoformat()[11:16], last.utc, shown)


def undated(why: FormatError, text: str) -> FormatError:
    """The error of a time that names no day as a gap for `on`, which must agree with the part that it names."""
    match = _BEGINNING.match(text)
    parts = [part for part in match.groups() if part] if match else []
    try:
        dt.date.fromisoformat("-".join(parts))
    except ValueError:
        parts = parts[:2]  # a day that the calendar lacks
    part = {"said": "-".join(parts)} if parts else {}
    return FormatError(why.message, **why.fields, fills="on", **part)


def last_day(text: str) -> dt.date | None:
    """The last day of an expiry that may end with its month or year; None for what is no date.

    >>> [str(last_day(text)) for text in ("202702", "2028-02", "2027", "20270331", "soon")]
    ['2027-02-28', '2028-02-29', '2027-12-31', '2027-03-31', 'None']
    """
    match = _MONTH.fullmatch(text)
    try:
        if match is None:
            return dt.date.fromisoformat(text[:10] if "-" in text else text[:8])
        year, month = int(match[1]), int(match[2] or 12)
        return dt.date(year, month, calendar.monthrange(year, month)[1])
    except ValueError:
        return None
