"""HL7 version 2: RAS (an administration) in, FT1 segments of DFT^P03 out.

Only RXA-20 `CP` is billed; `PA` on the caller's word (`partial=True`). A status that stands in another field
is reported, and an order (RDE, OMP, ORM), a dispense or a give message is never billed. Segments are built
from a map of position to value, and read by position.

>>> encounter = read('''MSH|^~\\\\&|BCMA|CLINIC|EHR|CLINIC|20260302101600||RAS^O17^RAS_O17|1|P|2.5.1
... RXA|0|1|20260302101500|20260302101500|^ketorolac|30|mg^^UCUM|||||||||||||CP|A
... RXR|IM^Intramuscular^HL70162''', place="11")
>>> given = encounter.administrations[0]
>>> given.drug, given.dose, given.route, given.time
('ketorolac', '30 mg', 'IM', '10:15')
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from jcodeunits import ndc as ndc_codes
from jcodeunits.amount import decimal
from jcodeunits.claim import Charge, Encounter, Line
from jcodeunits.errors import FormatError, IdentifierError, quoted
from jcodeunits.finding import Finding
from jcodeunits.hcpcs import is_level_two, is_valid

from . import _incoming, _outgoing
from ._incoming import Batch, Given, Moment, Reading
from ._outgoing import ClaimLines, Loss, Rules, number

QUANTITY_DIGITS = 6  # FT1-10, NM of length 6 in v2.5.1
NDC_QUANTITY_FROM = (2, 7)  # FT1-43 begins with v2.7
VERSIONS = ("2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")

CARRIES = {
    "code": "FT1-7 and FT1-25",
    "modifiers": "FT1-26",
    "units": "FT1-10",
    "charge_amount": "FT1-11",
    "diagnoses": "FT1-19",
    "description": "FT1-25, second component (read back as the label)",
    "ndc": "FT1-29",
    "ndc_quantity": "FT1-43, from v2.7; before, a Z segment by option",
    "ndc_qualifier": "FT1-43, from v2.7; before, a Z segment by option",
    "extra_ndcs": "NTE-3 after the FT1",
}
_SOURCE = "hl7-v2-pharmacy"
_ORDERS = {
    "RDE": "an encoded order", "RDS": "a dispense", "RGV": "a dose to be given", "OMP": "an order",
    "ORM": "an order", "RRE": "an order response", "OML": "an order", "RDR": "a dispense report",
}  # fmt: skip
_COMPLETION = {"CP": "complete", "PA": "partially administered", "RE": "refused", "NA": "not administered"}
# Table 0119 in ORC-1 and 0038 in ORC-5: an order that these end, change or deny says nothing of a dose that was
# given. True: the order was only stopped, held or changed, and the caller may vouch for the dose.
ORDER_CONTROL = {
    "CA": ("cancels the order", False), "OC": ("says that the order was cancelled", False),
    "CR": ("says that the order was cancelled as asked", False),
    "DE": ("reports data in error", False), "UA": ("says that the order was not accepted", False),
    "DC": ("discontinues the order", True), "OD": ("says that the order was discontinued", True),
    "DR": ("says that the order was discontinued as asked", True),
    "HD": ("holds the order", True), "OH": ("says that the order was held", True),
    "HR": ("says that the order was held as asked", True),
    "RP": ("replaces the order", True), "RO": ("is the order that replaces another", True),
    "RQ": ("says that the order was replaced as asked", True),
    "RU": ("says that the order was replaced", True),
}  # fmt: skip
ORDER_STATUS = {
    "CA": ("says that the order was cancelled", False), "ER": ("says that the order is in error", False),
    "DC": ("says that the order was discontinued", True), "HD": ("says that the order is on hold", True),
    "RP": ("says that the order was replaced", True), "SC": ("says that the order is only scheduled", True),
}  # fmt: skip
# Tables 0103 and 0207 in MSH-11: only a message in production, of what happens now, is billed.
PROCESSING = {
    "T": "a training message", "D": "a debugging message", "A": "a message from an archive",
    "R": "a message restored from an archive", "I": "a message of an initial load",
}  # fmt: skip
# Table 0017 in FT1-6: what is no charge.
TRANSACTIONS = {"CD": "a credit", "PY": "a payment", "AJ": "an adjustment", "CO": "a copayment"}
HISTORICAL = ("01", "02", "03", "04", "05", "06", "07", "08")  # NIP001: given elsewhere, or not known where
_CODES = ("HCPCS", "HPC", "HCPC", "C4", "CPT", "CPT4", "CPT-4")
_NDC_UNITS = {"ml": "ML", "g": "GR", "[iu]": "F2", "ea": "UN", "each": "UN"}


# --- segments --------------------------------------------------------------------------------------


@attrs.frozen
class Marks:
    """The separators that MSH-1 and MSH-2 name."""

    field: str = "|"
    component: str = "^"
    repeat: str = "~"
    escape: str = "\\"
    sub: str = "&"


PLAIN = Marks()
_REPEATS_MOST = 100  # a charge points to a dozen diagnoses
_LETTERS = {"F": "field", "S": "component", "R": "repeat", "E": "escape", "T": "sub"}


@attrs.frozen
class _Segment:
    name: str
    fields: tuple[str, ...]
    marks: Marks
    at: int

    def raw(self, position: int) -> str:
        return self.fields[position] if position < len(self.fields) else ""

    def get(self, position: int, component: int = 1, repeat: int = 0) -> str:
        """One component of one repetition, without its escapes; empty where there is none."""
        repeats = self._repeats(position)
        parts = repeats[repeat].split(self.marks.component) if repeat < len(repeats) else []
        text = parts[component - 1] if component <= len(parts) else ""
        return _unescape(text, self.marks).strip()

    def repeats(self, position: int) -> int:
        return len(self._repeats(position)) if self.raw(position) else 0

    def _repeats(self, position: int) -> list[str]:
        written = self.raw(position)
        count = written.count(self.marks.repeat) + 1
        if count > _REPEATS_MOST:
            raise _refused(f"{self.where}, field {position}", f"{count} repetitions, and no field has so many")
        return written.split(self.marks.repeat)

    @property
    def where(self) -> str:
        return f"{self.name} in line {self.at}"


def _unescape(text: str, marks: Marks) -> str:
    if marks.escape not in text:
        return text
    mark = re.escape(marks.escape)

    def plain(match: re.Match[str]) -> str:
        code = match[1]
        if code in _LETTERS:
            return str(getattr(marks, _LETTERS[code]))
        if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", code):
            return bytes.fromhex(code[1:]).decode("latin-1")
        return "\n" if code == ".br" else match[0]

    return re.sub(f"{mark}([^{mark}]*){mark}", plain, text)


def _escape(text: str, marks: Marks) -> str:
    plain = {getattr(marks, name): letter for letter, name in _LETTERS.items()}
    out = []
    for char in text:
        if char in plain:
            out.append(f"{marks.escape}{plain[char]}{marks.escape}")
        elif char < " ":
            out.append(f"{marks.escape}X{ord(char):02X}{marks.escape}")
        else:
            out.append(char)
    return "".join(out)


def _segments(text: object) -> list[_Segment]:
    if isinstance(text, (bytes, bytearray)):
        text = text.decode("utf-8", "replace")
    if not isinstance(text, str) or not text.strip():
        raise FormatError("There is no HL7 text to read.", format="hl7v2")
    rows = [row for row in re.split(r"[\r\n]+", text.strip("\x0b\x1c\ufeff \t\r\n")) if row.strip()]
    marks = PLAIN
    if rows[0].startswith("MSH"):
        if len(rows[0]) < 8:
            raise FormatError("MSH is too short to name its separators.", format="hl7v2", place="MSH")
        marks = Marks(rows[0][3], *rows[0][4:8])
        if marks.sub == marks.field:
            marks = attrs.evolve(marks, sub="&")
    made = []
    for at, row in enumerate(rows, 1):
        name, *fields = row.split(marks.field)
        # MSH-1 is the separator itself, so that MSH's fields stand one place further.
        made.append(_Segment(name, ("", *([marks.field] if name == "MSH" else []), *fields), marks, at))
    return made


def _kind(segments: list[_Segment]) -> str:
    """The message's type (MSH-9.1), or for a fragment what its segments say."""
    heads = [segment for segment in segments if segment.name == "MSH"]
    if len(heads) > 1:
        raise FormatError(f"{len(heads)} messages in one text: read them one at a time.", format="hl7v2")
    if heads:
        _in_production(heads[0])
        return heads[0].get(9, 1)
    names = {segment.name for segment in segments}
    for name, kind in (("RXA", "RAS"), ("FT1", "DFT"), ("RXE", "RDE"), ("RXO", "OMP"), ("RXD", "RDS")):
        if name in names:
            return kind
    return ""


def _in_production(msh: _Segment) -> None:
    """Refuse a message that MSH-11 marks as a test, or as a copy of what was sent before."""
    for said, plain in ((msh.get(11, 1), "P"), (msh.get(11, 2), "T")):
        if said not in ("", plain):
            what = PROCESSING.get(said, "no processing ID that is read here")
            raise FormatError(
                f"MSH-11 (processing ID) is {msh.raw(11)!r}: {what}, and is never billed.",
                format="hl7v2", place="MSH-11",
            )  # fmt: skip


def _ordered(orc: _Segment | None) -> tuple[str, str, bool] | None:
    """What an ORC says against a dose or a charge under it: the field, the words, whether one may vouch."""
    for position, table in ((1, ORDER_CONTROL), (5, ORDER_STATUS)):
        if orc is not None and (row := table.get(orc.get(position))):
            field = f"ORC-{position}"
            return field, f"{field} {orc.get(position)} {row[0]}", row[1]
    return None


# --- reading: what was given -----------------------------------------------------------------------


def read(text: object, **beside: Any) -> Encounter | ClaimLines:
    """An encounter from RAS, or the lines of DFT's FT1 segments (a fragment without MSH is read too).

    `beside`: what the message cannot say, by the names of the contract's encounter (`place`, `payer`,
    `visit`, `discarded`, ...; `administrations=[...]` where there are several RXA). `partial=True` bills PA,
    `completed=True` says for a sender who leaves RXA-20 empty that the record shows the dose as given, `zone`
    (such as America/New_York) moves the message's times to the place's own clock. What the message does not
    say, or says in words that nobody knows, is taken from beside it with a note; another drug, dose, route or
    day than the message's is refused.

    Raises `FormatError` (an order, not given, a status in the wrong field, no unit, no place).
    """
    segments = _segments(text)
    kind = _kind(segments)
    if kind == "DFT":
        _outgoing.for_charges(beside, "hl7v2", ())
        return _lines(segments)
    return _incoming.only(_reading(segments, kind, **beside), "hl7v2")


def reading(text: object, **beside: Any) -> Reading:
    """Like `read`, but what was not given, and a day that UTC leaves open, become findings.

    Lots and expiries are kept in `.batches`.
    """
    segments = _segments(text)
    return _reading(segments, _kind(segments), **beside)


def _reading(
    segments: list[_Segment],
    kind: str,
    *,
    partial: bool = False,
    completed: bool = False,
    zone: str | None = None,
    **beside: Any,
) -> Reading:
    if kind in _ORDERS:
        raise FormatError(
            f"{kind} is {_ORDERS[kind]}: it does not say what was given, and is never billed. Send the RAS.",
            format="hl7v2", place="MSH-9",
        )  # fmt: skip
    if kind != "RAS":
        raise FormatError(
            f"{kind or 'This text'} is no message of administrations (RAS) or charges (DFT).",
            format="hl7v2", place="MSH-9",
        )  # fmt: skip
    given: list[Given] = []
    withheld: list[Finding] = []
    seen: dict[tuple[str, ...], str] = {}
    for patient, orc, rxa, rxr in _administrations(segments):
        before = seen.setdefault((patient, *rxa.fields), rxa.where)
        if before != rxa.where:
            raise _refused(
                rxa.where, f"it repeats {before}, and would be billed twice (RXA-2 tells two doses apart)"
            )
        finding = _status(rxa, partial, completed) or _of_order(orc, rxa, completed)
        if finding is not None:
            withheld.append(finding)
        else:
            given.append(_given(patient, rxa, rxr, zone))
    return _incoming.reading(given, withheld, beside, "hl7v2", (_SOURCE, "RXA-16"))


_Group = tuple[str, "_Segment | None", _Segment, "_Segment | None"]


def _administrations(segments: list[_Segment]) -> list[_Group]:
    """Patient, ORC, RXA and RXR of each administration: one RXR stands after all RXA that share it."""
    patient = ""
    orc: _Segment | None = None
    found: list[_Group] = []
    waiting: list[_Segment] = []

    def close(rxr: _Segment | None) -> None:
        found.extend((patient, orc, rxa, rxr) for rxa in waiting)
        waiting.clear()

    for segment in segments:
        if segment.name in ("PID", "ORC"):
            close(None)
        if segment.name == "PID":
            patient, orc = _patient(segment), None
        elif segment.name == "ORC":
            orc = segment
        elif segment.name == "RXA":
            waiting.append(segment)
        elif segment.name == "RXR" and waiting:
            close(segment)
    close(None)
    return found


def _patient(pid: _Segment) -> str:
    return pid.get(3) or pid.get(2) or pid.where


def _of_order(orc: _Segment | None, rxa: _Segment, completed: bool) -> Finding | None:
    """The finding for a dose whose order was cancelled or changed."""
    said = _ordered(orc)
    if said is None or (said[2] and completed):
        return None
    fix = "If the record shows it as given, read it with completed=True." if said[2] else "It is not billed."
    return _incoming.not_given(rxa.where, said[1], fix, _SOURCE, said[0])


def _status(rxa: _Segment, partial: bool, completed: bool) -> Finding | None:
    """The finding for an administration that may not be billed; None for one that may."""
    status, action = rxa.get(20), rxa.get(21)

    def refuse(why: str, fix: str, cite: str = "RXA-20") -> Finding:
        return _incoming.not_given(rxa.where, why, fix, _SOURCE, cite)

    astray = [n for n in (17, 18, 19, 21, 22) if rxa.get(n) in _COMPLETION]
    if astray and status not in _COMPLETION:
        at, code = astray[0], rxa.get(astray[0])
        return refuse(
            f"the completion status {code} ({_COMPLETION[code]}) stands in RXA-{at} and RXA-20 is "
            f"{status or 'empty'}",
            "Completion status belongs in RXA-20: have the sender correct the message.",
        )
    if rxa.get(18) or rxa.get(18, 2):
        return refuse(
            f"RXA-18 gives a reason for refusal ({rxa.get(18) or rxa.get(18, 2)}), so it was not taken",
            "Nothing was given to bill; where it was, have the sender correct RXA-18.", "RXA-18",
        )  # fmt: skip
    said = {word for n in range(rxa.repeats(20)) for word in _completions(rxa, n)}
    if len(said) > 1:
        fix = "Have the sender correct the message."
        return refuse(f"RXA-20 contradicts itself: {rxa.raw(20)}", fix)
    if status in ("RE", "NA"):
        return refuse(
            f"its completion status is {status} ({_COMPLETION[status]})", "Nothing was given to bill."
        )
    if status == "PA" and not partial:
        return refuse("it was given in part (PA)", "If RXA-6 is what was given, read it with partial=True.")
    if not status and not completed:
        return refuse(
            "RXA-20 does not say whether it was given",
            "If the record shows it as given, read it with completed=True.",
        )
    if status and status not in _COMPLETION:
        return refuse(f"RXA-20 is {status!r}, which is no completion status", "CP, PA, RE and NA are.")
    if action not in ("", "A"):
        what = {"D": "deletes", "U": "updates"}.get(action, f"has the action {action!r} for")
        fix = "Take back what was billed from the first message, and bill the new one by hand."
        return refuse(f"it {what} an administration that was sent before", fix, "RXA-21")
    return _historical(rxa)


def _completions(rxa: _Segment, repeat: int) -> set[str]:
    """The completion statuses that the code and the text of one repetition of RXA-20 name."""
    words = {word: code for code, word in _COMPLETION.items()}
    text = rxa.get(20, 2, repeat).casefold()
    named = words.get(text.removesuffix("d") if text == "completed" else text)
    return {code for code in (rxa.get(20, 1, repeat), named) if code}


def _historical(rxa: _Segment) -> Finding | None:
    """RXA-9 of an immunization record: anything but 00 was given elsewhere."""
    for repeat in range(rxa.repeats(9)):
        code, system = rxa.get(9, 1, repeat), rxa.get(9, 3, repeat)
        if (system == "NIP001" and code != "00") or (not system and code in HISTORICAL):
            fix = "Only what was given here is billed here."
            return _incoming.not_given(
                rxa.where, f"it is a historical record ({code})", fix, _SOURCE, "RXA-9"
            )
    return None


def _given(patient: str, rxa: _Segment, rxr: _Segment | None, zone: str | None) -> Given:
    says: dict[str, Any] = {}
    gaps: dict[str, FormatError] = {}
    _incoming.take(says, gaps, lambda: _drug(rxa))
    _incoming.take(says, gaps, lambda: {"dose": _dose(rxa)})
    if rxr is not None:
        _incoming.take(says, gaps, lambda: _routed(rxr))
    if _incoming.by_volume(says.get("dose", "")):
        _incoming.take(says, gaps, lambda: _strength(rxa))
    first: list[Moment] = []
    _incoming.take(says, gaps, lambda: _times(rxa, zone, first))
    if performer := rxa.get(10):
        says["performer"] = performer
    lot, expiry = rxa.get(15), rxa.get(16)
    last = _moment(expiry, f"{rxa.where}, RXA-16").day if expiry else None
    batch = Batch(lot or None, last) if lot or expiry else None
    on, utc = (first[0].day, first[0].utc) if first else (None, False)
    return Given(rxa.where, says, gaps, on, patient, batch, utc)


def _refused(where: str, why: str, **fields: str) -> FormatError:
    return FormatError(f"{where}: {why}.", format="hl7v2", place=where, **fields)


def _drug(rxa: _Segment) -> dict[str, Any]:
    """RXA-5 by its most exact name: NDC, then code, then RxNorm's or the sender's text."""
    named = [(rxa.get(5, n), rxa.get(5, n + 1), rxa.get(5, n + 2).upper()) for n in (1, 4)]
    for code, _, system in named:
        if code and system == "NDC":
            return {"drug": code, "ndc": code}
    for code, _, system in named:
        if code and system in _CODES:
            return {"drug": code}
    for _, text, _system in named:
        if text:
            return {"drug": _incoming.drug_name(text)}
    raise _refused(f"{rxa.where}, RXA-5", "the drug has no NDC, HCPCS code or text that can be read", fills="drug")


def _decimal(text: str, where: str) -> Decimal:
    try:
        return decimal(Decimal(text if re.fullmatch(r"\+?(?:\d+\.?\d*|\.\d+)", text, re.ASCII) else "NaN"))
    except ValueError:
        raise _refused(where, f"{quoted(text)} is no amount", fills="dose") from None


def _plain(text: str) -> Decimal | None:
    """A number of digits and perhaps a point; None for anything else."""
    try:
        return decimal(text)
    except ValueError:
        return None


def _dose(rxa: _Segment) -> str:
    where = f"{rxa.where}, RXA-6"
    if not rxa.get(6):
        raise _refused(where, "the amount given is not said", fills="dose")
    value = _decimal(rxa.get(6), where)
    if value == 999:
        raise _refused(where, "999 stands for an unknown amount; the amount given must be said", fills="dose")
    if value <= 0:
        raise _refused(where, f"the amount is {rxa.get(6)}, and an amount that was given is above 0")
    if not (rxa.get(7) or rxa.get(7, 2)):
        why = f"{number(value)} has no unit, and 30 mg is not 30 mcg"
        raise _refused(f"{rxa.where}, RXA-7", why, fills="dose", said=number(value))
    return _incoming.amount(value, _unit(rxa, 7))


def _unit(rxa: _Segment, position: int) -> str:
    where = f"{rxa.where}, RXA-{position}"
    code, text, system = (rxa.get(position, n) for n in (1, 2, 3))
    unit = _incoming.unit(code or text, "hl7v2", where, ucum=bool(code) and system.upper() == "UCUM")
    _incoming.agree(unit, text, "hl7v2", where)
    return unit


def _routed(rxr: _Segment) -> dict[str, str]:
    """Route (RXR-1), site (RXR-2) and the method (RXR-4) that makes a plain IV exact.

    RXR-3 is a device, and IVP there is an IV pump: it says nothing about a push.
    """
    words = [rxr.get(1, n) for n in (1, 2, 4, 5)]
    says = {"route": _incoming.route(words, "hl7v2", f"{rxr.where}, RXR-1")} if any(words) else {}
    if says.get("route") == "IV":
        exact = {"IVP": "IV push", "IVPB": "IV infusion"}.get(rxr.get(4).upper())
        says["route"] = exact or "IV"
    if site := rxr.get(2, 2) or rxr.get(2, 1):
        says["site"] = site
    return says


def _strength(rxa: _Segment) -> dict[str, str]:
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


_STAMP = re.compile(r"(\d{8})(?:(\d{2})(\d{2})(?:\d{2}(?:\.\d+)?)?)?([+-]\d{4})?", re.ASCII)


def _moment(text: str, where: str, zone: str | None = None) -> Moment:
    match = _STAMP.fullmatch(text)
    try:
        day = dt.date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise _refused(where, f"{text!r} names no day") from None
    time = f"{match[2]}:{match[3]}" if match and match[2] else ""
    return _incoming.moment(day, time, (match[4] if match else "") or "", zone, "hl7v2")


def _times(rxa: _Segment, zone: str | None, first: list[Moment]) -> dict[str, str]:
    """`time`, or `start` and `stop`; the first moment, where there is one, goes into `first`."""
    if not rxa.get(3):
        return {}
    try:
        began = _moment(rxa.get(3), f"{rxa.where}, RXA-3", zone)
    except FormatError as why:
        raise _incoming.undated(why, rxa.get(3)) from None
    first.append(began)
    last = _moment(rxa.get(4), f"{rxa.where}, RXA-4", zone) if rxa.get(4) else None
    return _incoming.span(began, last, "hl7v2", rxa.where)


# --- reading: what was charged ---------------------------------------------------------------------


def _lines(segments: list[_Segment]) -> ClaimLines:
    """The lines of the FT1 segments; every problem is said at once."""
    problems: list[str] = []
    lines: list[Line] = []
    dates: list[str] = []
    lost: list[Loss] = []
    patients: list[str] = []
    patient = ""
    for segment in segments:
        if segment.name == "PID":
            patient = _patient(segment)
        elif segment.name == "ORC" and (said := _ordered(segment)):
            problems.append(f"{segment.where}: {said[1]}")
        elif segment.name == "FT1":
            lines.append(_line(segment, len(lines) + 1, problems, lost))
            patients.append(patient)
            day = _STAMP.fullmatch(segment.get(4))
            if day is None:
                problems.append(f"{segment.where}: FT1-4 {segment.get(4)!r} names no day")
            dates.append(f"{segment.get(4)[:4]}-{segment.get(4)[4:6]}-{segment.get(4)[6:8]}")
        elif lines and segment.name == "NTE":
            lines[-1] = _noted(lines[-1], segment, len(lines), lost)
        elif lines and segment.name.startswith("Z") and segment.get(2) == "NDC":
            lines[-1] = _zed(lines[-1], segment, problems)
    if problems or not lines:
        raise FormatError(
            f"These HL7 charges cannot be read: {'; '.join(problems) or 'there is no FT1 segment'}.",
            format="hl7v2", place=(problems or [""])[0].partition(":")[0], problems=tuple(problems),
        )  # fmt: skip
    claims = _outgoing.counted(patients)
    return ClaimLines(tuple(lines), tuple(dates), ("",) * len(lines), tuple(lost), claims)


def _line(ft1: _Segment, at: int, problems: list[str], lost: list[Loss]) -> Line:
    if ft1.get(6) != "CG":
        what = TRANSACTIONS.get(ft1.get(6), "no transaction that is read here")
        problems.append(f"{ft1.where}: FT1-6 is {ft1.get(6)!r} ({what}), and only a charge (CG) is a line")
    written = ft1.get(10)
    units = _plain(written.removeprefix("+").removesuffix(".")) or Decimal(0)
    if units < 1 or units % 1:
        problems.append(f"{ft1.where}: FT1-10 is {quoted(written)}, and a line counts whole units above 0")
    ndc = _ndc(ft1, problems)
    qualifier, quantity = _ndc_quantity(ft1, at, lost) if ndc else (None, None)
    modifiers = [ft1.get(26, 1, n) for n in range(ft1.repeats(26))]
    amount = ft1.get(11).split(ft1.marks.sub)[0]
    charged = _plain(amount)
    if amount.startswith("-"):
        problems.append(f"{ft1.where}: FT1-11 is {quoted(amount)}, and an amount below 0 is a credit and no charge")
    elif charged is None and amount.isdigit():
        problems.append(f"{ft1.where}: FT1-11 is {quoted(amount)}, which is no amount")
    code, text = _procedure(ft1, problems)
    return Line(
        code, tuple(filter(None, modifiers)), int(units), ndc, qualifier, quantity,
        tuple(_diagnoses(ft1, at, lost)),
        kind="drug" if ndc else "service", label=text,
        charge_amount=charged,
    )  # fmt: skip


def _procedure(ft1: _Segment, problems: list[str]) -> tuple[str, str]:
    """FT1-25, the procedure; or FT1-7 where that is said to be a procedure and no charge code."""
    for position in (25, 7):
        code, text, system = (ft1.get(position, n) for n in (1, 2, 3))
        if is_valid(code) and (system.upper() in _CODES or (position == 25 and not system)):
            return code, text
    problems.append(f"{ft1.where}: neither FT1-25 nor FT1-7 holds a HCPCS or CPT code")
    return "", ""


def _ndc(ft1: _Segment, problems: list[str]) -> str | None:
    if not ft1.get(29):
        return None
    try:
        return ndc_codes.compact(ft1.get(29))
    except IdentifierError as why:
        problems.append(f"{ft1.where}: FT1-29: {why}")
        return None


def _ndc_quantity(ft1: _Segment, at: int, lost: list[Loss]) -> tuple[str | None, Decimal | None]:
    if not ft1.get(43):
        return None, None
    amount, unit = ft1.get(43), ft1.get(43, 2).split(ft1.marks.sub)[0]
    known = unit if unit in (*_outgoing.QUALIFIERS, "ME") else _NDC_UNITS.get(unit.casefold())
    quantity = _plain(amount)
    if known is None or quantity is None:
        lost.append(Loss(at, "ndc_quantity", ft1.raw(43), "FT1-43 is no amount in UN, ML, GR or F2"))
        return None, None
    return known, Decimal(number(quantity))


def _diagnoses(ft1: _Segment, at: int, lost: list[Loss]) -> Iterable[str]:
    for n in range(ft1.repeats(19)):
        code, system = ft1.get(19, 1, n), ft1.get(19, 3, n).upper()
        if system.startswith(("I10", "ICD10", "ICD-10")):
            yield f"{code[:3]}.{code[3:]}" if len(code) > 3 and "." not in code else code
        elif code:
            lost.append(Loss(at, "diagnoses", code, f"{system or 'no system'} is not ICD-10-CM"))


def _noted(line: Line, nte: _Segment, at: int, lost: list[Loss]) -> Line:
    """Further NDCs, as `write` notes them; any other note is listed as lost."""
    found, rest = _outgoing.read_ndc_note(nte.get(3))
    if rest:
        lost.append(Loss(at, "NTE", nte.get(3), "a line has no note"))
    return attrs.evolve(line, extra_ndcs=(*line.extra_ndcs, *found))


def _zed(line: Line, segment: _Segment, problems: list[str]) -> Line:
    unit, amount = segment.get(5), segment.get(4)
    quantity = _plain(amount)
    if unit not in _outgoing.QUALIFIERS or quantity is None:
        problems.append(f"{segment.where}: {quoted(amount)} {quoted(unit)} is no NDC quantity")
        return line
    return attrs.evolve(line, ndc_qualifier=unit, ndc_quantity=quantity)


# --- writing ---------------------------------------------------------------------------------------


def write(
    charge: Charge,
    *,
    allow_stops: bool = False,
    amounts: Mapping[str, object] | None = None,
    version: str = "2.5.1",
    z_segment: str = "",
    first: int = 1,
    allow_me: bool = False,
    marks: Marks = PLAIN,
    newline: str = "\r",
) -> str:
    """The charge as FT1 segments of DFT^P03, one for each line; the host owns MSH, EVN, PID and PV1.

    `version`: from 2.7 the NDC quantity stands in FT1-43. Before, v2 has no place for it: `z_segment`
    (such as `ZND`) writes `ZND|n|NDC|ndc|quantity|unit` after the FT1, for hosts that agreed on one.
    `amounts`: price of one unit by code; FT1-11 is written where an amount is known. Segments end with a
    carriage return, as HL7 wants; `newline` changes it. Raises `FormatError` listing all in the way.
    """
    if version not in VERSIONS:
        raise FormatError(f"{version!r} is no version here. Allowed: {', '.join(VERSIONS)}.", format="hl7v2")
    if z_segment and not re.fullmatch(r"Z[A-Z0-9]{2}", z_segment):
        raise FormatError(f"{z_segment!r} is no Z segment, such as ZND.", format="hl7v2", place="z_segment")
    rules = Rules("hl7v2", "HL7 FT1", units_digits=QUANTITY_DIGITS)
    lines = _outgoing.prepare(charge, rules, allow_stops=allow_stops, amounts=amounts, allow_me=allow_me)
    rows: list[str] = []
    for at, line in enumerate(lines, first):
        rows.append(_segment("FT1", _ft1(charge, line, at, version), marks))
        if line.extra_ndcs:
            rows.append(_segment("NTE", {1: "1", 3: _outgoing.ndc_note(line.extra_ndcs)}, marks))
        if z_segment and line.ndc and line.ndc_quantity is not None and not _holds_quantity(version):
            values: _Values = {
                1: str(at), 2: "NDC", 3: line.ndc, 4: number(line.ndc_quantity), 5: line.ndc_qualifier or "",
            }  # fmt: skip
            rows.append(_segment(z_segment, values, marks))
    return "".join(row + newline for row in rows)


# Position -> text, a composite (component -> text or subcomponents), or repetitions of one.
_Composite = dict[int, "str | list[str]"]
_Values = dict[int, "str | _Composite | list[_Composite]"]


def _holds_quantity(version: str) -> bool:
    return tuple(int(part) for part in version.split(".")[:2]) >= NDC_QUANTITY_FROM


def _coded(code: str, text: str, system: str) -> _Composite:
    return {1: code, 2: text, 3: system}


def _ft1(charge: Charge, line: Line, at: int, version: str) -> _Values:
    day = f"{charge.encounter.on:%Y%m%d}"
    procedure = _coded(
        line.code, line.description or line.label, "HCPCS" if is_level_two(line.code) else "C4"
    )
    values: _Values = {1: str(at), 4: day, 6: "CG", 7: procedure, 10: str(line.units), 25: procedure}
    if line.charge_amount is not None:
        values[11] = {1: [number(line.charge_amount), "USD"]}
    if line.diagnoses:
        values[19] = [_coded(code, "", "I10") for code in line.diagnoses]
    if line.modifiers:
        values[26] = [_coded(code, "", "C4" if code.isdigit() else "HCPCS") for code in line.modifiers]
    if line.ndc:
        values[29] = _coded(line.ndc, "", "NDC")
        if line.ndc_quantity is not None and _holds_quantity(version):
            values[43] = {1: number(line.ndc_quantity), 2: [line.ndc_qualifier or "", "", "X12DE355"]}
    return values


def _segment(name: str, values: _Values, marks: Marks) -> str:
    fields = [name] + [_field(values.get(n, ""), marks) for n in range(1, max(values) + 1)]
    return marks.field.join(fields).rstrip(marks.field)


def _field(value: str | _Composite | list[_Composite], marks: Marks) -> str:
    if isinstance(value, str):
        return _escape(value, marks)
    if isinstance(value, list):
        return marks.repeat.join(_field(one, marks) for one in value)
    parts = [_part(value.get(n, ""), marks) for n in range(1, max(value) + 1)]
    return marks.component.join(parts).rstrip(marks.component)


def _part(value: str | list[str], marks: Marks) -> str:
    texts = [value] if isinstance(value, str) else value
    return marks.sub.join(_escape(text, marks) for text in texts).rstrip(marks.sub)


def losses(charge: Charge, *, version: str = "2.5.1", z_segment: str = "") -> tuple[Loss, ...]:
    """What of the charge the FT1 segments do not carry."""
    cannot = {"revenue_code": "FT1 has no revenue code"}
    if not _holds_quantity(version) and not z_segment:
        cannot |= dict.fromkeys(("ndc_quantity", "ndc_qualifier"), f"FT1 of v{version} has no NDC quantity")
    place = Loss(None, "place", charge.encounter.place, "FT1 has no place-of-service code")
    return (*_outgoing.losses(charge.lines, cannot), place)
