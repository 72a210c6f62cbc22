"""RAS: what was given, by RXA with its RXR and its order."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from jcodeunits.amount import decimal
from jcodeunits.errors import FormatError, quoted
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding

from . import _incoming, _routes, _times
from ._hl7v2_segments import CODES, Segment, ordered, refused
from ._incoming import Given, Reading
from ._outgoing import number
from ._routes import Coding
from ._times import Moment

_SOURCE = "hl7-v2-pharmacy"
_ORDERS = {
    "RDE": "an encoded order",
    "RDS": "a dispense",
    "RGV": "a dose to be given",
    "OMP": "an order",
    "ORM": "an order",
    "RRE": "an order response",
    "OML": "an order",
    "RDR": "a dispense report",
}
_COMPLETION = {"CP": "complete", "PA": "partially administered", "RE": "refused", "NA": "not administered"}
HISTORICAL = ("01", "02", "03", "04", "05", "06", "07", "08")  # NIP001: given elsewhere, or not known where


def reading(
    segments: list[Segment],
    kind: str,
    reference: Reference,
    *,
    partial: bool = False,
    completed: bool = False,
    zone: str | None = None,
    **beside: Any,
) -> Reading:
    if kind in _ORDERS:
        raise FormatError(
            f"{kind} is {_ORDERS[kind]}: it does not say what was given, and is never billed. Send the RAS.",
            format="hl7v2",
            place="MSH-9",
        )
    if kind != "RAS":
        raise FormatError(
            f"{kind or 'This text'} is no message of administrations (RAS) or charges (DFT).",
            format="hl7v2",
            place="MSH-9",
        )
    given: list[Given] = []
    withheld: list[Finding] = []
    seen: dict[tuple[str, ...], str] = {}
    for patient, orc, rxa, rxr in _administrations(segments):
        before = seen.setdefault((patient, *rxa.fields), rxa.where)
        if before != rxa.where:
            raise refused(rxa.where, f"it repeats {before}, and would be billed twice (RXA-2 tells two doses apart)")
        finding = _status(rxa, partial, completed) or _of_order(orc, rxa, completed)
        if finding is not None:
            withheld.append(finding)
        else:
            given.append(_given(patient, rxa, rxr, zone))
    return _incoming.reading(given, withheld, beside, "hl7v2", (_SOURCE, "RXA-16"), reference)


_Group = tuple[str, "Segment | None", Segment, "Segment | None"]


def _administrations(segments: list[Segment]) -> list[_Group]:
    """Patient, ORC, RXA and RXR of each administration: one RXR stands after all RXA that share it."""
    patient = ""
    orc: Segment | None = None
    found: list[_Group] = []
    waiting: list[Segment] = []

    def close(rxr: Segment | None) -> None:
        found.extend((patient, orc, rxa, rxr) for rxa in waiting)
        waiting.clear()

    for segment in segments:
        if segment.name in ("PID", "ORC"):
            close(None)
        if segment.name == "PID":
            patient, orc = patient_of(segment), None
        elif segment.name == "ORC":
            orc = segment
        elif segment.name == "RXA":
            waiting.append(segment)
        elif segment.name == "RXR" and waiting:
            close(segment)
    close(None)
    return found


def patient_of(pid: Segment) -> str:
    return pid.get(3) or pid.get(2) or pid.where


def _of_order(orc: Segment | None, rxa: Segment, completed: bool) -> Finding | None:
    """The finding for a dose whose order was cancelled or changed."""
    said = ordered(orc)
    if said is None or (said[2] and completed):
        return None
    fix = "If the record shows it as given, read it with completed=True." if said[2] else "It is not billed."
    return _incoming.not_given(rxa.where, said[1], fix, _SOURCE, said[0])


def _status(rxa: Segment, partial: bool, completed: bool) -> Finding | None:
    """The finding for an administration that may not be billed; None for one that may."""
    status, action = rxa.get(20), rxa.get(21)

    def refuse(why: str, fix: str, cite: str = "RXA-20") -> Finding:
        return _incoming.not_given(rxa.where, why, fix, _SOURCE, cite)

    astray = [n for n in (17, 18, 19, 21, 22) if rxa.get(n) in _COMPLETION]
    if astray and status not in _COMPLETION:
        at, code = astray[0], rxa.get(astray[0])
        return refuse(
            f"the completion status {code} ({_COMPLETION[code]}) stands in RXA-{at} and RXA-20 is {status or 'empty'}",
            "Completion status belongs in RXA-20: have the sender correct the message.",
        )
    if rxa.get(18) or rxa.get(18, 2):
        return refuse(
            f"RXA-18 gives a reason for refusal ({rxa.get(18) or rxa.get(18, 2)}), so it was not taken",
            "Nothing was given to bill; where it was, have the sender correct RXA-18.",
            "RXA-18",
        )
    said = {word for n in range(rxa.repeats(20)) for word in _completions(rxa, n)}
    if len(said) > 1:
        fix = "Have the sender correct the message."
        return refuse(f"RXA-20 contradicts itself: {rxa.raw(20)}", fix)
    if status in ("RE", "NA"):
        return refuse(f"its completion status is {status} ({_COMPLETION[status]})", "Nothing was given to bill.")
    if status == "PA" and not partial:
        return refuse("it was given in part (PA)", "If RXA-6 is what was given, read it with partial=True.")
    if not status and not completed:
        return refuse(
            "RXA-20 does not say whether it was given", "If the record shows it as given, read it with completed=True."
        )
    if status and status not in _COMPLETION:
        return refuse(f"RXA-20 is {status!r}, which is no completion status", "CP, PA, RE and NA are.")
    if action not in ("", "A"):
        what = {"D": "deletes", "U": "updates"}.get(action, f"has the action {action!r} for")
        fix = "Take back what was billed from the first message, and bill the new one by hand."
        return refuse(f"it {what} an administration that was sent before", fix, "RXA-21")
    return _historical(rxa)


def _completions(rxa: Segment, repeat: int) -> set[str]:
    """The completion statuses that the code and the text of one repetition of RXA-20 name."""
    words = {word: code for code, word in _COMPLETION.items()}
    text = rxa.get(20, 2, repeat).casefold()
    named = words.get(text.removesuffix("d") if text == "completed" else text)
    return {code for code in (rxa.get(20, 1, repeat), named) if code}


def _historical(rxa: Segment) -> Finding | None:
    """RXA-9 of an immunization record: anything but 00 was given elsewhere."""
    for repeat in range(rxa.repeats(9)):
        code, system = rxa.get(9, 1, repeat), rxa.get(9, 3, repeat)
        if (system == "NIP001" and code != "00") or (not system and code in HISTORICAL):
            fix = "Only what was given here is billed here."
            return _incoming.not_given(rxa.where, f"it is a historical record ({code})", fix, _SOURCE, "RXA-9")
    return None


def _given(patient: str, rxa: Segment, rxr: Segment | None, zone: str | None) -> Given:
    says: dict[str, Any] = {}
    gaps: dict[str, FormatError] = {}
    _incoming.take(says, gaps, lambda: _drug(rxa))
    _incoming.take(says, gaps, lambda: {"dose": _dose(rxa)})
    if rxr is not None:
        _incoming.take(says, gaps, lambda: _routed(rxr))
    if _incoming.by_volume(says.get("dose", "")):
        _incoming.take(says, gaps, lambda: _strength(rxa))
    first: list[Moment] = []
    _incoming.take(says, gaps, lambda: _stamps(rxa, zone, first))
    if performer := next(filter(None, (rxa.get(10, n, at) for at in range(rxa.repeats(10)) for n in (1, 2))), ""):
        says["performer"] = performer
    batch = _incoming.batch(rxa.get(15), rxa.get(16))
    on, utc = (first[0].day, first[0].utc) if first else (None, False)
    return Given(rxa.where, says, gaps, on, patient, batch, utc)


def _drug(rxa: Segment) -> dict[str, Any]:
    """RXA-5 by its most exact name: NDC, then code, then RxNorm's or the sender's text."""
    named = [(rxa.get(5, n), rxa.get(5, n + 1), rxa.get(5, n + 2).upper()) for n in (1, 4)]
    for code, _, system in named:
        if code and system == "NDC":
            return {"drug": code, "ndc": code}
    for code, _, system in named:
        if code and system in CODES:
            return {"drug": code}
    for _, text, _system in named:
        if text:
            return {"drug": _incoming.drug_name(text)}
    raise refused(f"{rxa.where}, RXA-5", "the drug has no NDC, HCPCS code or text that can be read", fills="drug")


def _decimal(text: str, where: str) -> Decimal:
    try:
        return decimal(Decimal(text if re.fullmatch(r"\+?(?:\d+\.?\d*|\.\d+)", text, re.ASCII) else "NaN"))
    except ValueError:
        raise refused(where, f"{quoted(text)} is no amount", fills="dose") from None


def plain_number(text: str) -> Decimal | None:
    """A number of digits and perhaps a point; None for anything else."""
    try:
        return decimal(text)
    except ValueError:
        return None


def _dose(rxa: Segment) -> str:
    where = f"{rxa.where}, RXA-6"
    if not rxa.get(6):
        raise refused(where, "the amount given is not said", fills="dose")
    value = _decimal(rxa.get(6), where)
    if value == 999:
        raise refused(where, "999 stands for an unknown amount; the amount given must be said", fills="dose")
    if value <= 0:
        raise refused(where, f"the amount is {rxa.get(6)}, and an amount that was given is above 0")
    if not (rxa.get(7) or rxa.get(7, 2)):
        why = f"{number(value)} has no unit, and 30 mg is not 30 mcg"
        raise refused(f"{rxa.where}, RXA-7", why, fills="dose", said=number(value))
    return _incoming.amount(value, _unit(rxa, 7))


def _unit(rxa: Segment, position: int) -> str:
    where = f"{rxa.where}, RXA-{position}"
    code, text, system = (rxa.get(position, n) for n in (1, 2, 3))
    unit = _incoming.unit(code or text, "hl7v2", where, ucum=bool(code) and system.upper() == "UCUM")
    _incoming.agree(unit, text, "hl7v2", where)
    return unit


def _routed(rxr: Segment) -> dict[str, str]:
    """Route (RXR-1), site (RXR-2) and the method (RXR-4) that makes a plain IV exact.

    RXR-3 is a device, and IVP there is an IV pump: it says nothing about a push.
    """
    route = _routes.said(_codings(rxr, 1), (), "hl7v2", f"{rxr.where}, RXR-1")
    method = _method(rxr)
    says = {"route": _routes.refined(route, method, "hl7v2", rxr.where)} if route else {}
    if site := rxr.get(2, 2) or rxr.get(2, 1):
        says["site"] = site
    return says


def _codings(segment: Segment, position: int) -> list[Coding]:
    """The two codings of a coded element: code, text and system, then the alternate ones."""
    return [
        Coding(code, segment.get(position, n + 2), segment.get(position, n + 1))
        for n in (1, 4)
        if (code := segment.get(position, n)) or segment.get(position, n + 1)
    ]


def _method(rxr: Segment) -> str:
    try:
        return _routes.said(_codings(rxr, 4), (), "hl7v2", f"{rxr.where}, RXR-4", method=True)
    except FormatError as why:
        if "fills" not in why.fields:
            raise
        return ""


def _strength(rxa: Segment) -> dict[str, str]:
    """RXA-13 and 14, over RXA-23 and 24 where the strength stands in a volume of its own."""
    value, code = rxa.get(13), rxa.get(14)
    top, _, bottom = code.partition("/")
    if not value or not code or not (bottom or (rxa.get(23) and rxa.get(24))):
        return {}
    where = f"{rxa.where}, RXA-14"

    def amount() -> str:
        return f"{number(_decimal(value, where))} {_incoming.unit(top, 'hl7v2', where, ucum=False)}"

    def volume() -> str:
        if bottom:
            return f"1 {_incoming.unit(bottom, 'hl7v2', where, ucum=False)}"
        return f"{number(_decimal(rxa.get(23), f'{rxa.where}, RXA-23'))} {_unit(rxa, 24)}"

    try:
        found = _incoming.concentration(amount, volume)
    except FormatError as why:
        raise FormatError(why.message, **{**why.fields, "fills": "concentration"}) from None
    return {"concentration": found.replace("/1 ", "/") if bottom else found} if found else {}


STAMP = re.compile(r"(\d{8})(?:(\d{2})(?:(\d{2})(?:\d{2}(?:\.\d+)?)?)?)?([+-]\d{4})?", re.ASCII)


def _moment(text: str, where: str, zone: str | None = None) -> Moment:
    match = STAMP.fullmatch(text)
    try:
        day = dt.date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise refused(where, f"{text!r} names no day") from None
    time = f"{match[2]}:{match[3]}" if match and match[3] else ""
    return _times.moment(day, time, (match[4] if match else "") or "", zone, "hl7v2")


def _stamps(rxa: Segment, zone: str | None, first: list[Moment]) -> dict[str, str]:
    """`time`, or `start` and `stop`; the first moment, where there is one, goes into `first`."""
    if not rxa.get(3):
        return {}
    try:
        began = _moment(rxa.get(3), f"{rxa.where}, RXA-3", zone)
    except FormatError as why:
        raise _times.undated(why, rxa.get(3)) from None
    first.append(began)
    last = _moment(rxa.get(4), f"{rxa.where}, RXA-4", zone) if rxa.get(4) else None
    return _times.span(began, last, "hl7v2", rxa.where)
