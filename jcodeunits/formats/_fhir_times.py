"""When something was given by a FHIR record: a moment, a period, or a timing of one event."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from jcodeunits.errors import FormatError

from . import _times
from ._fhir_json import refused
from ._quoting import coded as quote
from ._times import Moment

_WHEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)


def _moment(text: object, where: str, zone: str | None) -> Moment:
    match = _WHEN.fullmatch(str(text))
    try:
        day = dt.date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise refused(where, f"{quote(text)} names no day") from None
    time, offset = (match[2] or "", match[3] or "") if match else ("", "")
    return _times.moment(day, time, offset, zone, "fhir")


# R5 was published with one r in "occurence"; later builds and hand-written messages have two. The last is
# DSTU2's.
_WHENS = tuple(
    f"{name}{kind}"
    for name in ("effective", "occurence", "occurrence", "effectiveTime")
    for kind in ("DateTime", "Period")
)


_TIMINGS = ("occurenceTiming", "occurrenceTiming", "effectiveTiming")


def _otherwise_timed(resource: dict[str, Any], where: str, zone: str | None, first: list[Moment]) -> dict[str, str]:
    """The same of a record without a moment: of a timing with one event alone, else no time or a gap."""
    for name in _TIMINGS:
        if (timing := resource.get(name)) is None:
            continue
        events = timing.get("event") if isinstance(timing, dict) else None
        if not isinstance(events, list) or len(events) != 1 or len(timing) > 1:
            raise refused(where, f"it has {name}, which may be several times, and each is a dose of its own")
        return stamps({"effectiveDateTime": events[0]}, where, zone, first)
    if resource.get("occurrenceString"):
        raise refused(where, "its time is a text (occurrenceString) and no date", fills="on")
    ends = (period.get("end") for name in _WHENS if isinstance(period := resource.get(name), dict))
    if (end := next(filter(None, ends), None)) is not None:
        raise _times.undated(refused(where, "its period has an end and no start"), end)
    return {}


def stamps(resource: dict[str, Any], where: str, zone: str | None, first: list[Moment]) -> dict[str, str]:
    """`time`, or `start` and `stop`; the first moment, where there is one, goes into `first`."""
    found: list[tuple[str, str | None, bool]] = []
    for name in _WHENS:
        if said := resource.get(name):
            if not isinstance(said, dict):
                found.append((said, None, False))
            elif start := said.get("start"):
                found.append((start, said.get("end"), True))
    if not found:
        return _otherwise_timed(resource, where, zone, first)
    try:
        began = _moment(found[0][0], where, zone)
    except FormatError as why:
        raise _times.undated(why, found[0][0]) from None
    first.append(began)
    if len(found) == 1 and not found[0][2]:
        return _times.span(began, None, "fhir", where)
    for other, _, _ in found[1:]:
        moment = _moment(other, where, zone)
        if not _times.one_moment(began, moment):
            says = f"its time is {quote(found[0][0])} and {quote(other)}, which contradict each other"
            raise refused(where, says)
    end = next((end for _, end, _ in found if end), None)
    if end is None and any(is_period for _, _, is_period in found):
        return {"start": began.time} if began.time else {}
    try:
        last = _moment(end, where, zone) if end else None
    except FormatError as why:
        raise _times.unended(why, began) from None
    return _times.span(began, last, "fhir", where)
