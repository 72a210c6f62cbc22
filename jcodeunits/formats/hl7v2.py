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

import contextlib
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Unpack

import attrs

from jcodeunits import ndc as ndc_codes
from jcodeunits.amount import plain_number
from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, IdentifierError, JcodeunitsError
from jcodeunits.facts.reference import Reference
from jcodeunits.grouped import grouped
from jcodeunits.hcpcs import is_level_two, is_valid
from jcodeunits.keys import dotted

from . import _elements, _hl7v2_given, _incoming, _outgoing, _units
from ._claim_lines import ClaimLines, FoundLines, for_charges, is_day, line_of
from ._hl7v2_fields import STAMP, codings, number_of, patient_of
from ._hl7v2_segments import CODES, PLAIN, SOURCE, Marks, Segment, batch_of, escape, kind_of, ordered, segments_of
from ._incoming import Reading
from ._outgoing import Leaving, Loss, Rules, number
from ._quoting import coded
from ._times import iso

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
# Table 0017 in FT1-6: what is no charge.
TRANSACTIONS = {"CD": "a credit", "PY": "a payment", "AJ": "an adjustment", "CO": "a copayment"}
_NDC_UNITS = {"ml": "ML", "g": "GR", "[iu]": "F2", "ea": "UN", "each": "UN"}


def read(text: object, *, reference: Reference | None = None, **beside: Any) -> Encounter | ClaimLines:
    """An encounter from RAS, or the lines of DFT's FT1 segments (a fragment without MSH is read too).

    `beside`: what the message cannot say, by the names of the contract's encounter (`place`, `payer`,
    `visit`, `discarded`, ...; `administrations=[...]` where there are several RXA). `partial=True` bills PA,
    `completed=True` says for a sender who leaves RXA-20 empty that the record shows the dose as given,
    `actions={...}` what the sender's own words in RXA-20 mean (`given`, `not-given`, ...; those of the large
    systems are known), `zone`
    (such as America/New_York) moves the message's times to the place's own clock. What the message does not
    say, or says in words that nobody knows, is taken from beside it with a note; another drug, dose, route or
    day than the message's is refused.

    Raises `FormatError` (an order, not given, a status in the wrong field, no unit, no place).
    """
    segments = segments_of(text)
    kind = kind_of(segments)
    if kind == "DFT":
        for_charges(beside, "hl7v2", ())
        return _lines(segments)
    return _incoming.only(_hl7v2_given.reading(segments, kind, Reference.of(reference), **beside), "hl7v2")


def reading(text: object, *, reference: Reference | None = None, **beside: Any) -> Reading:
    """Like `read`, but what was not given, and days that UTC leaves open, become findings; lots stand in `.batches`."""
    segments = segments_of(text)
    return _hl7v2_given.reading(segments, kind_of(segments), Reference.of(reference), **beside)


def read_all(
    text: object, *, reference: Reference | None = None, **beside: Any
) -> tuple[Encounter | ClaimLines | JcodeunitsError, ...]:
    """One encounter (of DFT its lines) or one error for each message of a text or batch, in order.

    A message of several days gives one for each day, a message of several patients one for each of them.
    FHS, BHS, BTS and FTS are read as what they are; a batch that counts more messages than it holds ends with
    an error. A bad message hides no good one, and one that is a copy of an earlier one, or holds a dose of it once
    more, asks. `beside` holds for every message, see `read`; a drug, dose, route, concentration or stop for each
    administration that leaves it open, and `administrations=[...]` has a dict for each of a message.
    """
    facts = Reference.of(reference)
    made: list[Encounter | ClaimLines | JcodeunitsError] = []
    messages, missing = batch_of(text)
    parsed = [_parsed(message) for message in messages]
    before: set[tuple[str, ...]] = set()
    last = _changes(parsed)
    changed, until = {key: what for key, (_, what) in last.items()}, grouped(last, lambda key: last[key][0])
    all_of = _incoming.beside_all(beside)
    # What stands beside is of what was given alone, where a batch holds charges too.
    mixed = bool(beside) and len({_is_charge(segments) for segments in parsed}) > 1
    for at, (message, segments) in enumerate(zip(messages, parsed, strict=True), 1):
        again = _again(f"message {at}", message, segments, before)
        for key in until.get(at, ()):
            del changed[key]  # no later message changes it
        if isinstance(segments, FormatError):
            made.append(segments)
            continue
        try:
            kind = kind_of(segments)
            if kind == "DFT":
                for_charges({} if mixed else beside, "hl7v2", ())
                found = _lines(segments)
                made.append(
                    attrs.evolve(found, losses=(*found.losses, Loss(None, "FT1", "", again))) if again else found
                )
            else:
                read = _hl7v2_given.readings(segments, kind, facts, changed=changed, **all_of)
                each = [one if isinstance(one, JcodeunitsError) else one.encounter for one in read]
                made += [_incoming.repeated(one, again, SOURCE) for one in each] if again else each
        except JcodeunitsError as why:
            made.append(why)
    return (*made, *missing)


# What a dose and a charge are known by where the same is sent again: fields of RXA and of FT1.
_SAME = {"RXA": (2, 3, 4, 5, 6, 7), "FT1": (2, 4, 6, 7, 10, 25, 26)}


def _again(place: str, message: str, segments: list[Segment] | FormatError, before: set[tuple[str, ...]]) -> str:
    """How a message says what one `before` it in the batch said; empty where it is new. What it says is added there.

    A sender that is not answered sends anew, with another number and time in MSH.
    """
    said: set[tuple[str, ...]] = {(message,)}
    patient = ""
    for segment in segments if not isinstance(segments, FormatError) else ():
        if segment.name == "PID":
            patient = number_of(segment)
        elif segment.name in _SAME and patient and not (segment.name == "RXA" and _hl7v2_given.is_denied(segment)):
            said.add((patient, segment.name, *(segment.raw(position) for position in _SAME[segment.name])))
    known = said & before
    before |= said
    if (message,) in known:
        return f"{place} is an exact copy of a record before it in the batch, and would be billed twice"
    return f"{place} holds what a message before it in the batch holds, and it would be billed twice" if known else ""


def _parsed(message: str) -> list[Segment] | FormatError:
    try:
        return segments_of(message)
    except FormatError as why:
        return why


def _changes(parsed: Sequence[list[Segment] | FormatError]) -> dict[_hl7v2_given.Key, tuple[int, str]]:
    """The administrations that messages of a batch delete or update, with the number of the last one that does."""
    found: dict[_hl7v2_given.Key, tuple[int, str]] = {}
    for at, segments in enumerate(parsed, 1) if len(parsed) > 1 else ():
        if not isinstance(segments, FormatError):
            with contextlib.suppress(FormatError):
                found |= {key: (at, what) for key, what in _hl7v2_given.keys(segments) if what}
    return found


def _is_charge(segments: list[Segment] | FormatError) -> bool:
    try:
        return not isinstance(segments, FormatError) and kind_of(segments) == "DFT"
    except FormatError:
        return False


def _lines(segments: list[Segment]) -> ClaimLines:
    """The lines of the FT1 segments; every problem is said at once."""
    found = FoundLines("hl7v2")
    patient = ""
    for segment in segments:
        before = found.at - 1  # the number of the line that a segment belongs to
        if segment.name == "PID":
            patient = patient_of(segment)
        elif segment.name == "ORC" and (said := ordered(segment)):
            found.wrong(segment.where, said[1])
        elif segment.name == "FT1" and (why := _no_drug(segment)):
            found.no_drug(segment.where, segment.get(25) or segment.get(7), why)
        elif segment.name == "FT1":
            found.add(_line(segment, found), _days(segment, found), owner=patient)
            written = [(str(n), segment.raw(n)) for n in range(1, len(segment.fields))]
            found.unread(written, _elements.FT1_FIELDS, before + 1, "FT1-")
        elif segment.name in _elements.BESIDE_FT1:
            position, why = _elements.BESIDE_FT1[segment.name]
            found.lose(before or None, segment.name, segment.get(position), why)
        elif before and segment.name == "NTE":
            extras, rest = _outgoing.read_ndc_note(segment.get(3))
            found.last = attrs.evolve(found.last, extra_ndcs=(*found.last.extra_ndcs, *extras))
            if rest:
                found.lose(before, "NTE", segment.get(3), "a line has no note")
        elif before and segment.name.startswith("Z") and segment.get(2) == "NDC":
            unit, quantity = segment.get(5), plain_number(segment.get(4))
            if unit not in _outgoing.QUALIFIERS or quantity is None:
                found.wrong(segment.where, f"{coded(segment.get(4))} {coded(unit)} is no NDC quantity")
            found.last = attrs.evolve(found.last, ndc_qualifier=unit, ndc_quantity=quantity)
        elif segment.name not in _elements.DFT_SEGMENTS:
            found.lose(before or None, segment.name, "", "a line has no field for this segment")
    return found.lines("These HL7 charges", "FT1 segment")


def _no_drug(ft1: Segment) -> str:
    """Why a charge is of no drug, where it is none and nothing bills it by itself: no error of the drug lines."""
    said = [ft1.get(position) for position in (25, 7)]
    if ft1.get(6) != "CG" or ft1.get(29) or any(is_valid(code) and is_level_two(code) for code in said):
        return ""
    if not _procedure(ft1, FoundLines("hl7v2"))[0]:
        return "neither FT1-25 nor FT1-7 holds a HCPCS or CPT code"
    return "" if ft1.get(10) else "FT1-10 counts no units"


def _days(ft1: Segment, found: FoundLines) -> str:
    """The day of FT1-4, or its first and last day."""
    stamps = [stamp for stamp in (ft1.get(4), ft1.get(4, 2)) if stamp]
    if not stamps or not all(STAMP.fullmatch(stamp) and is_day(stamp[:8]) for stamp in stamps):
        found.wrong(ft1.where, f"FT1-4 {coded(ft1.get(4))} names no day")
    elif [stamp[:8] for stamp in stamps] != sorted(stamp[:8] for stamp in stamps):
        found.wrong(ft1.where, f"FT1-4 ends ({coded(stamps[1])}) before it begins ({coded(stamps[0])})")
    return "/".join(dict.fromkeys(map(iso, stamps)))


ONCE = (4, 6, 7, 10, 11, 25, 29, 43)  # fields of FT1 of which one is read


def _line(ft1: Segment, found: FoundLines) -> Line:
    where = ft1.where
    if (twice := ft1.said_twice(ONCE)) is not None:
        found.wrong(where, f"FT1-{twice} says several things, and one line is one charge")
    if ft1.get(6) != "CG":
        what = TRANSACTIONS.get(ft1.get(6), "no transaction that is read here")
        found.wrong(where, f"FT1-6 is {coded(ft1.get(6))} ({what}), and only a charge (CG) is a line")
    written = ft1.get(10)
    count = plain_number(written.removeprefix("+").removesuffix("."))
    units = found.units(count, f"{where}: FT1-10 is {coded(written)}")
    if (unit := ft1.get(10, 2)) and not _units.COUNTS.fullmatch(unit):
        found.wrong(where, f"FT1-10 is {coded(f'{written} {unit}')}, which is no count of billing units")
    ndc = _ndc(ft1, found)
    ndcs = [_with_quantity(ft1, ndc, found)] if ndc else []
    modifiers = [code for n in range(ft1.repeats(26)) if (code := ft1.get(26, 1, n))]
    found.modifiers(modifiers, f"{where}: FT1-26")
    amount, *rest = ft1.get(11).split(ft1.marks.sub)
    charged = plain_number(amount)
    if rest and rest[0] not in ("", _outgoing.CURRENCY):
        found.wrong(where, f"FT1-11 is in {coded(rest[0])}, and a claim charges US dollars")
    if amount.startswith("-"):
        found.wrong(where, f"FT1-11 is {coded(amount)}, and an amount below 0 is a credit and no charge")
    elif amount and charged is None and not amount.isdigit():
        found.lose(found.at, "FT1-11", amount, "no amount, written in digits and a point")
    elif amount and charged is None:
        found.wrong(where, f"FT1-11 is {coded(amount)}, which is no amount")
    code, text = _procedure(ft1, found)
    if (other := ft1.get(7)).upper() != code and is_valid(other) and ft1.get(7, 3).upper() in CODES:
        why = f"FT1-25 names another code, {code}: the two contradict each other"
        found.lose(found.at, "FT1-7", other, why)
    return line_of(code, modifiers, units, ndcs, _diagnoses(ft1, found), label=text, charge_amount=charged)


def _procedure(ft1: Segment, found: FoundLines) -> tuple[str, str]:
    """FT1-25, the procedure; or FT1-7 where that is said to be a procedure and no charge code."""
    for position in (25, 7):
        named = {
            code.upper(): text
            for code, system, text in reversed(codings(ft1, position))
            if is_valid(code) and (system.upper() in CODES or (position == 25 and not system))
        }
        if len(named) > 1:
            found.wrong(ft1.where, f"FT1-{position} names {' and '.join(named)}, and one line has one code")
        if named:
            return list(named.items())[-1]
    why = "neither FT1-25 nor FT1-7 holds a HCPCS or CPT code"
    if is_valid(said := ft1.get(7)) and not ft1.get(7, 3):
        why += f": FT1-7, {coded(said)}, has no coding system and may be a charge code of the sender's own"
    found.wrong(ft1.where, why)
    return "", ""


def _ndc(ft1: Segment, found: FoundLines) -> str | None:
    """The NDC of FT1-29, by its system where the field has two codings."""
    said = codings(ft1, 29)
    named = [code for code, system, _ in said if system.upper() == "NDC"] or [code for code, _, _ in said if code]
    try:
        ndcs = list(dict.fromkeys(map(ndc_codes.compact, named)))
    except IdentifierError:
        found.wrong(ft1.where, f"FT1-29: {coded(named[0])} is no NDC of 11 digits, or 10 with hyphens")
        return None
    if len(ndcs) > 1:
        found.wrong(ft1.where, f"FT1-29 names {' and '.join(map(coded, ndcs))}, and one line has one NDC")
    return ndcs[0] if ndcs else None


def _with_quantity(ft1: Segment, ndc: str, found: FoundLines) -> ExtraNdc:
    """The NDC with what FT1-43 says of it."""
    if not ft1.get(43):
        return ExtraNdc(ndc)
    amount, unit = ft1.get(43), ft1.get(43, 2).split(ft1.marks.sub)[0]
    known = unit if unit in _outgoing.UNITS else _NDC_UNITS.get(unit.casefold())
    quantity = plain_number(amount)
    if known is None or quantity is None:
        found.lose(found.at, "ndc_quantity", ft1.raw(43), "FT1-43 is no amount in UN, ML, GR or F2")
        return ExtraNdc(ndc)
    return ExtraNdc(ndc, known, Decimal(number(quantity)))


def _diagnoses(ft1: Segment, found: FoundLines) -> Iterable[str]:
    for n in range(ft1.repeats(19)):
        said = codings(ft1, 19, n)
        known = [code for code, system, _ in said if code and system.upper().startswith(("I10", "ICD10", "ICD-10"))]
        yield from dict.fromkeys(map(dotted, known))
        if said and not known:
            code, system, _ = said[0]
            found.lose(found.at, "diagnoses", code, f"{system.upper() or 'no system'} is not ICD-10-CM")


def write(
    charge: Charge,
    *,
    version: str = "2.5.1",
    z_segment: str = "",
    first: int = 1,
    marks: Marks = PLAIN,
    newline: str = "\r",
    **how: Unpack[Leaving],
) -> str:
    """The charge as FT1 segments of DFT^P03, one for each line; the host owns MSH, EVN, PID and PV1.

    `version`: from 2.7 the NDC quantity stands in FT1-43. Before, v2 has no place for it: `z_segment`
    (such as `ZND`) writes `ZND|n|NDC|ndc|quantity|unit` after the FT1, for hosts that agreed on one.
    `how`: see `Leaving`; FT1-11 is written where an amount is known. Segments end with a
    carriage return, as HL7 wants; `newline` changes it. Raises `FormatError` listing all in the way.
    """
    if version not in VERSIONS:
        raise FormatError(f"{version!r} is no version here. Allowed: {', '.join(VERSIONS)}.", format="hl7v2")
    if z_segment and not re.fullmatch(r"Z[A-Z0-9]{2}", z_segment):
        raise FormatError(f"{z_segment!r} is no Z segment, such as ZND.", format="hl7v2", place="z_segment")
    rules = Rules("hl7v2", "HL7 FT1", units_digits=QUANTITY_DIGITS)
    lines = _outgoing.prepare(charge, rules, **how)
    rows: list[str] = []
    for at, line in enumerate(lines, first):
        rows.append(_segment("FT1", _ft1(charge, line, at, version), marks))
        if line.extra_ndcs:
            rows.append(_segment("NTE", {1: "1", 3: _outgoing.ndc_note(line.extra_ndcs)}, marks))
        if z_segment and line.ndc and line.ndc_quantity is not None and not _holds_quantity(version):
            values: _Values = {
                1: str(at),
                2: "NDC",
                3: line.ndc,
                4: number(line.ndc_quantity),
                5: line.ndc_qualifier or "",
            }
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
    procedure = _coded(line.code, line.description or line.label, "HCPCS" if is_level_two(line.code) else "C4")
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
        return escape(value, marks)
    if isinstance(value, list):
        return marks.repeat.join(_field(one, marks) for one in value)
    parts = [_part(value.get(n, ""), marks) for n in range(1, max(value) + 1)]
    return marks.component.join(parts).rstrip(marks.component)


def _part(value: str | list[str], marks: Marks) -> str:
    texts = [value] if isinstance(value, str) else value
    return marks.sub.join(escape(text, marks) for text in texts).rstrip(marks.sub)


def losses(charge: Charge, *, version: str = "2.5.1", z_segment: str = "") -> tuple[Loss, ...]:
    """What of the charge the FT1 segments do not carry."""
    cannot = {"revenue_code": "FT1 has no revenue code"}
    if not _holds_quantity(version) and not z_segment:
        cannot |= dict.fromkeys(("ndc_quantity", "ndc_qualifier"), f"FT1 of v{version} has no NDC quantity")
    place = Loss(None, "place", charge.encounter.place, "FT1 has no place-of-service code")
    return (*_outgoing.losses(charge.lines, cannot), place)
