"""The fields of HL7 segments that hold a patient, drug, amount, strength or stamp, read alike wherever they stand."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal

import attrs

from jcodeunits import ndc
from jcodeunits.amount import decimal
from jcodeunits.errors import FormatError
from jcodeunits.facts.reference import Reference

from . import _amounts, _drugs, _names, _times, _units, _vaccine_names
from ._hl7v2_segments import CODES, CVX, RXNORM, Segment, refused
from ._outgoing import number
from ._quoting import amount, coded
from ._routes import Coding
from ._times import Moment

STAMP = re.compile(r"(\d{8})(?:(\d{2})(?:(\d{2})(?:\d{2}(?:\.\d+)?)?)?)?([+-]\d{4})?", re.ASCII)


_LONGEST_STAMP = 24
ORIGINAL = 9  # component of a coded element: the text that was coded


def patient_of(pid: Segment) -> str:
    return number_of(pid) or pid.where


def number_of(pid: Segment) -> str:
    """The number of a patient; empty where none is said, so that two are not known to be one."""
    return pid.get(3) or pid.get(2)


def offset_of(text: str) -> str:
    """The offset from UTC in a stamp: of the message's own time (MSH-7) that of every stamp in it without one."""
    match = STAMP.fullmatch(text)
    return (match[4] if match else None) or ""


def stamp(text: str, where: str, zone: str | None = None, offset: str = "") -> Moment:
    match = STAMP.fullmatch(text)
    try:
        day = dt.date.fromisoformat(match[1] if match else "")
    except ValueError:
        said = coded(text) if len(text) <= _LONGEST_STAMP and text.isascii() else f"a text of {len(text)} characters"
        raise refused(where, f"{said} names no day") from None
    time = f"{match[2]}:{match[3]}" if match and match[3] else ""
    own = offset_of(text)
    found = _times.moment(day, time, own or offset, zone, "hl7v2")
    # Many a sender's own time is in UTC and its others are the place's: where that makes another day, it is asked.
    return found if own or found.day == day else attrs.evolve(found, utc=True)


def named(segment: Segment, position: int, facts: Reference, dose: str = "") -> Mapping[str, str]:
    """The drug of a coded element by its most exact name: NDC, then code, then text; `dose` is of a vaccine."""
    found = [one for at in range(segment.repeats(position)) for one in codings(segment, position, at)]
    ndcs = [one.code for one in found if one.code and one.system.upper() in ("NDC", "NDA")]
    if segment.name == "RXA" and ndc.looks_like(scan := segment.get(25)) and _names.codes(scan, facts):
        ndcs.append(scan)  # the package that was scanned, where it is a known one
    codes = [one.code for one in found if one.code and one.system.upper() in CODES]
    cvx = [one.code for one in found if one.code and one.system.upper() in CVX]
    where = f"{segment.where}, {segment.name}-{position}"
    codes += _vaccine_names.of_cvx(cvx, dose, [*ndcs, *codes], facts, "hl7v2", where, [one.display for one in found])
    coded = [facts.drugs.rxnorm.get(one.code, "") for one in found if one.system.upper() in RXNORM]
    original = (segment.get(position, ORIGINAL, at) for at in range(segment.repeats(position)))
    texts = [*coded, *(one.display for one in found), *original]
    return _drugs.identity(ndcs, list(dict.fromkeys(codes)), texts, facts, "hl7v2", where)


def _decimal(text: str, where: str) -> Decimal:
    try:
        return decimal(Decimal(text if re.fullmatch(r"\+?(?:\d+\.?\d*|\.\d+)", text, re.ASCII) else "NaN"))
    except ValueError:
        raise refused(where, f"{coded(text)} is no amount", fills="dose") from None


def amount_of(segment: Segment, position: int, unit: int = 0) -> str:
    """The amount in a field, with the unit in the next one, or in the field `unit`."""
    unit = unit or position + 1
    where = f"{segment.where}, {segment.name}-{position}"
    written = segment.get(position)
    if not written:
        raise refused(where, "the amount given is not said", fills="dose")
    value = _decimal(written, where)
    if more := segment.get(position, 2):
        raise refused(where, f"it holds {coded(more)} beside its number, where nothing belongs", fills="dose")
    if value == 999:
        raise refused(where, "999 stands for an unknown amount; the amount given must be said", fills="dose")
    if value <= 0:
        raise refused(where, f"the amount is {written}, and an amount that was given is above 0")
    if not codings(segment, unit):
        said = amount(number(value))
        why = f"{said} has no unit, and 30 mg is not 30 mcg"
        raise refused(f"{segment.where}, {segment.name}-{unit}", why, fills="dose", said=said)
    return _measured(value, segment, unit)


def _measured(value: Decimal, segment: Segment, position: int) -> str:
    """An amount in the unit of a field, whose two codings must agree where both can be read."""
    where = f"{segment.where}, {segment.name}-{position}"
    found, unread = [], []
    for code, system, text in codings(segment, position):
        is_ucum = bool(code) and system.upper() == "UCUM"
        try:
            found.append(_units.measured(value, code, text, "hl7v2", where, coded=is_ucum))
        except FormatError as why:
            if "fills" not in why.fields:
                raise
            unread.append(why)
    if not found:
        raise unread[0]
    if any(one != found[0] and not _amounts.one_dose(found[0], one) for one in found):
        raise refused(where, f"its unit makes it {' and '.join(found)}, which contradict each other")
    return found[0]


def codings(segment: Segment, position: int, repeat: int = 0) -> list[Coding]:
    """The codings of a coded element: code, text and system, then the alternate ones, from v2.7 two."""
    return [
        Coding(code, segment.get(position, n + 2, repeat), segment.get(position, n + 1, repeat))
        for n in (1, 4, 10)
        if (code := segment.get(position, n, repeat)) or segment.get(position, n + 1, repeat)
    ]


def strength(segment: Segment, position: int, per: int) -> dict[str, str]:
    """A strength with its unit in the next field, over the fields at `per` where it stands in a volume of its own."""
    value, code = segment.get(position), segment.get(position + 1)
    top, _, bottom = code.partition("/")
    if not value or not code or not (bottom or (segment.get(per) and segment.get(per + 1))):
        return {}
    where = f"{segment.where}, {segment.name}-{position + 1}"

    def amount() -> str:
        return _units.measured(_decimal(value, where), top, "", "hl7v2", where, coded=False)

    def volume() -> str:
        if bottom:
            return _units.measured(Decimal(1), bottom, "", "hl7v2", where, coded=False)
        return _measured(_decimal(segment.get(per), where), segment, per + 1)

    try:
        found = _amounts.concentration(amount, volume)
    except FormatError as why:
        raise FormatError(why.message, **{**why.fields, "fills": "concentration"}) from None
    return {"concentration": found.replace("/1 ", "/") if bottom else found} if found else {}
