"""X12 5010 claim lines: 837P loops 2400 and 2410 (SV1, LIN, CTP) and their 837I twins (SV2).

Fragments, not envelopes: the host owns ISA to HI, and numbers that a line points to (`diagnoses`). Segments
are built from a map of position to value. Two counts stand on one drug line: SV104 counts HCPCS units, CTP04
the NDC quantity in packages or millilitres.

>>> import datetime as dt
>>> from decimal import Decimal
>>> from jcodeunits.claim import Charge, Line
>>> from jcodeunits.encounter import Encounter
>>> line = Line("J1885", ("JZ",), 2, "00409379501", "ML", Decimal("1"), ("M54.50",), kind="drug")
>>> charge = Charge((line,), (), Encounter("2026-03-02", "11", diagnoses=("M54.50",)))
>>> print(write(charge, amounts={"J1885": "5.00"}))
LX*1~
SV1*HC:J1885:JZ*10*UN*2*11**1~
DTP*472*D8*20260302~
LIN**N4*00409379501~
CTP****1*ML~
<BLANKLINE>
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Unpack

import attrs

from jcodeunits.amount import decimal
from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.errors import FormatError
from jcodeunits.keys import dotted
from jcodeunits.tables import words

from . import _elements, _outgoing
from ._claim_lines import ClaimLines, FoundLines, is_count, is_day, line_of, unread
from ._json import plain_text, refuse_other_formats
from ._outgoing import Leaving, Loss, Rules, number
from ._quoting import coded, refused
from ._times import iso
from ._x12_envelope import Envelopes

DESCRIPTION_MOST = 80  # SV101-7 and NTE02, element 352
_LINES_MOST = {"SV1": 50, "SV2": 999}  # repeats of loop 2400

CARRIES = {
    "code": "SV101-2, SV202-2",
    "modifiers": "SV101-3 to -6, SV202-3 to -6",
    "units": "SV104, SV205",
    "charge_amount": "SV102, SV203",
    "revenue_code": "SV201 (837I)",
    "diagnoses": "SV107 (837P), as positions in the claim's list",
    "description": "SV101-7, SV202-7",
    "ndc": "2410 LIN03",
    "ndc_quantity": "2410 CTP04",
    "ndc_qualifier": "2410 CTP05-1",
    "extra_ndcs": "2400 NTE02 (837P)",
}
_CANNOT = {
    "SV1": {"revenue_code": "an 837P line has no revenue code"},
    "SV2": {"diagnoses": "an 837I line points to no diagnosis: they stand in the claim's HI"},
}


@attrs.frozen
class Delimiters:
    """The separators of an interchange, as its ISA names them; `repetition` is empty where it names none."""

    element: str = "*"
    component: str = ":"
    segment: str = "~"
    repetition: str = "^"

    def __attrs_post_init__(self) -> None:
        marks = tuple(mark for mark in attrs.astuple(self) if mark or mark is not self.repetition)
        if len(set(marks)) != len(marks) or any(len(mark) != 1 or mark.isalnum() or mark == " " for mark in marks):
            raise FormatError(
                f"{marks!r} are no delimiters: four different characters, no letter, digit or space.", format="x12"
            )


PLAIN = Delimiters()

diagnoses = _outgoing.diagnoses


def _rules(segment: str) -> Rules:
    professional = segment == "SV1"
    return Rules.of_837(
        professional,
        format="x12",
        title="X12 837P" if professional else "X12 837I",
        fields={
            "charge_amount": "SV102" if professional else "SV203",
            "diagnoses": "SV107",
            "revenue_code": "SV201",
            "ndc_quantity": "CTP04",
            "description": "SV101-7" if professional else "SV202-7",
        },
        lines_most=_LINES_MOST[segment],
        pointers=professional,
    )


def _kind(charge: Charge, loop: str) -> str:
    """SV1 or SV2: what the caller asks for, else what the encounter's claim is."""
    kinds = {"professional": "SV1", "outpatient": "SV2", "institutional": "SV2"}
    asked = loop or charge.encounter.claim
    if asked not in kinds:
        raise FormatError(
            f"{asked!r} is no kind of 837. Allowed: professional, institutional.", format="x12", place="loop"
        )
    return kinds[asked]


def write(
    charge: Charge,
    *,
    loop: str = "",
    place: bool = True,
    first: int = 1,
    delimiters: Delimiters = PLAIN,
    newline: str = "\n",
    **how: Unpack[Leaving],
) -> str:
    """The charge as 2400 and 2410 loops.

    `how`: see `Leaving`. `loop`: `professional` (SV1) or `institutional` (SV2, with `revenue_codes`); the
    encounter's claim decides where it is not given.
    `place=False` leaves SV105 out, for hosts whose CLM05 says it. `first`: the first LX number. A further
    NDC of one line goes to its note (NTE).

    Raises `FormatError` listing all that is in the way. Source: 005010X222A1 and 005010X223A2; numbers by
    X12.6 section 3.5.1.
    """
    kind = _kind(charge, loop) if isinstance(charge, Charge) else "SV1"
    lines = _outgoing.prepare(charge, _rules(kind), **how)
    segments: list[str] = []
    listed = diagnoses(charge)
    for at, line in enumerate(lines, first):
        spot = f"line {at - first + 1} ({line.code})"
        for name, values in _loop(line, kind, at, charge, listed, place):
            segments.append(_segment(name, values, delimiters, spot))
    return "".join(segment + delimiters.segment + newline for segment in segments)


_Values = dict[int, "str | dict[int, str]"]


def _loop(
    line: Line, kind: str, at: int, charge: Charge, listed: tuple[str, ...], place: bool
) -> Iterator[tuple[str, _Values]]:
    """The segments of one line in the order of the implementation guide."""
    yield "LX", {1: str(at)}
    yield kind, _service(line, kind, charge, listed, place)
    yield "DTP", {1: "472", 2: "D8", 3: f"{charge.encounter.on:%Y%m%d}"}
    if line.extra_ndcs:
        if kind == "SV2":
            says = (
                f"line {at} ({line.code}) has several NDCs, and an 837I line has no note for them: "
                "one line for each NDC is needed."
            )
            raise FormatError(says, format="x12", place="NTE")
        yield "NTE", {1: "ADD", 2: _outgoing.ndc_note(line.extra_ndcs)}
    if line.ndc is not None and line.ndc_quantity is not None:
        yield "LIN", {2: "N4", 3: line.ndc}
        yield "CTP", {4: number(line.ndc_quantity), 5: line.ndc_qualifier or ""}


def _service(line: Line, kind: str, charge: Charge, listed: tuple[str, ...], place: bool) -> _Values:
    procedure: dict[int, str] = {1: "HC", 2: line.code, 7: line.description or ""}
    procedure |= dict(enumerate(line.modifiers, 3))
    amount = number(line.charge_amount or Decimal(0))
    if kind == "SV2":
        return {1: line.revenue_code or "", 2: procedure, 3: amount, 4: "UN", 5: str(line.units)}
    return {
        1: procedure,
        2: amount,
        3: "UN",
        4: str(line.units),
        5: charge.encounter.place if place else "",
        7: {n: str(pointer) for n, pointer in enumerate(_outgoing.pointers(line, listed), 1)},
    }


def _segment(name: str, values: _Values, marks: Delimiters, spot: str) -> str:
    elements = [name]
    for position in range(1, max(values) + 1):
        value = values.get(position, "")
        if isinstance(value, dict):
            parts = [_clean(value.get(n, ""), marks, spot) for n in range(1, max(value) + 1)]
            elements.append(marks.component.join(parts).rstrip(marks.component))
        else:
            elements.append(_clean(value, marks, spot))
    return marks.element.join(elements).rstrip(marks.element)


def _clean(text: str, marks: Delimiters, spot: str) -> str:
    """Text that X12 can hold: it has no escape, so a delimiter inside is refused and never replaced."""
    wrong = sorted({char for char in text if char in attrs.astuple(marks) or not " " <= char <= "~"})
    if wrong or len(text) > DESCRIPTION_MOST or text != text.strip():
        why = f"has {', '.join(map(repr, wrong))}" if wrong else f"is not 1 to {DESCRIPTION_MOST} characters"
        way = f"Write it otherwise{', or choose other delimiters' if wrong else ''}."
        raise refused("x12", spot, f"the text {text!r} {why}, which X12 cannot hold. {way}")
    return text


def losses(charge: Charge, *, loop: str = "") -> tuple[Loss, ...]:
    """What of the charge the loops do not carry (`CARRIES`); our own fields (kind, label, trace) ride on no claim."""
    kind = _kind(charge, loop)
    lost = _outgoing.losses(charge.lines, _CANNOT[kind])
    return lost + (_outgoing.lost_pointers(charge.lines, "SV107") if kind == "SV1" else ())


@attrs.define
class _Open:
    """A service line while its segments are read."""

    number: str
    code: str = ""
    modifiers: tuple[str, ...] = ()
    description: str | None = None
    units: int = 0
    amount: Decimal | None = None
    revenue_code: str | None = None
    place: str = ""
    pointers: tuple[int, ...] = ()
    date: str = ""
    lin: bool = False
    ndc: str | None = None
    qualifier: str | None = None
    quantity: Decimal | None = None
    extras: tuple[ExtraNdc, ...] = ()
    claim: tuple[str, ...] = ()
    of: int = 0
    no_drug: str = ""  # why it is no drug line: no HCPCS code, or counted in minutes or days
    written: str = ""
    losses: list[tuple[str, str, str]] = attrs.field(factory=list)


def read(text: str | bytes, *, diagnoses: Sequence[str] = (), delimiters: Delimiters | None = None) -> ClaimLines:
    """The service lines of an 837P or 837I, or of a fragment as `write` gives it.

    A whole interchange brings its delimiters (ISA), place (CLM05) and diagnoses (HI); a fragment has the
    plain delimiters, and `diagnoses` is the claim's list that its pointers count in. What a line cannot
    hold, pointers that nobody resolves, test data (ISA15) and counts that do not fit are listed in `.losses`.

    Raises `FormatError` naming every segment that is wrong: no LX before SV1, CTP03 in use, an NDC that has
    not 11 digits, fractional units, a fifth modifier in the place of the description, an end of another envelope.
    """
    body = plain_text(text, "x12").lstrip("\r\n\t ")
    refuse_other_formats(body, "x12")
    if not body:
        raise FormatError("There is no X12 text to read.", format="x12")
    marks = delimiters or _delimiters(body)
    reader = _Reader(marks, tuple(diagnoses))
    pieces = [piece.strip("\r\n\t ") for piece in body.split(marks.segment)]
    if pieces[-1]:
        says = f"The text does not end with {marks.segment!r}: it was cut in segment {len(pieces)}."
        raise FormatError(says, format="x12", place=f"segment {len(pieces)}")
    for at, piece in enumerate(pieces[:-1], 1):
        if piece:
            reader.segment(at, piece)
    return reader.result()


def _delimiters(text: str) -> Delimiters:
    if not text.startswith("ISA"):
        return PLAIN
    if len(text) < 106 or text.count(text[3], 0, 106) != 16:
        raise FormatError("The ISA segment has not 106 characters and 16 elements.", format="x12", place="ISA")
    # Until 00401 ISA11 was the standards identifier, and many a 5010 file still says U: no separator at all.
    repeats = text[82]
    plain = repeats.isalnum() or repeats == " " or repeats in (text[3], text[104], text[105])
    return Delimiters(text[3], text[104], text[105], "" if plain else repeats)


_DIAGNOSIS_KINDS = ("ABK", "ABF", "BK", "BF")
_TOTAL = "0001"  # SV201: the row of a hospital's bill that adds up the others
STATEMENT = "434"  # DTP01: the statement's dates of an 837I
_OUTSIDE = ("HL", "CLM", "SE", "ST", "GE", "IEA", "GS", "ISA")
_LONGEST_AMOUNT = 19  # characters: 18 digits and a point
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)


def _amount(text: str) -> Decimal | None:
    return Decimal(text) if len(text) <= _LONGEST_AMOUNT and _NUMBER.fullmatch(text) else None


class _Reader:
    """Reads segments one by one; problems are collected, and lines and losses built at the end."""

    def __init__(self, marks: Delimiters, listed: tuple[str, ...]) -> None:
        self.marks = marks
        self.listed = listed
        self.given = bool(listed)
        self.place = ""
        self.done: list[_Open] = []
        self.open: _Open | None = None
        self.found = FoundLines("x12")
        self.envelopes = Envelopes(self.found)
        self.claims = 0
        self.numbers: set[str] = set()  # of the claims before
        self.total = ""  # of the claim, as it says it
        self.charged: list[Decimal | None] = []  # by its lines
        self.statement = ""  # from and through dates of an institutional claim: of lines that have no day of their own

    def segment(self, at: int, piece: str) -> None:
        name, *elements = piece.split(self.marks.element)
        values = dict(enumerate(elements, 1))
        self.envelopes.segment(name, values, f"segment {at} ({name})")
        if name in _OUTSIDE:
            self.close()
        handler = _HANDLERS.get(name)
        if handler is not None:
            handler(self, f"segment {at} ({name})", values)
        elif self.open is not None:
            self.open.losses.append((name, piece, "a line has no field for this segment"))
        elif name in _elements.CLAIM_SEGMENTS:
            self.found.lose(None, name, piece, _elements.CLAIM_SEGMENTS[name])

    def close(self) -> None:
        line, self.open = self.open, None
        if line is None:
            return
        where = f"line {line.number}"
        if line.no_drug and not line.lin:
            self.found.no_drug(f"{where} (SV1 or SV2)", line.written, line.no_drug)
        elif line.no_drug:
            self.found.wrong(where, f"an NDC, and {line.no_drug}")
        elif line.code:
            self.done.append(line)
            if line.ndc is not None and line.quantity is None:
                self.found.wrong(where, "LIN without its CTP")
        else:
            self.found.wrong(where, "LX without SV1 or SV2")

    def _bht(self, _: str, values: dict[int, str]) -> None:
        if values.get(2) == "18":
            why = "a batch that was sent before: its claims may be billed already"
            self.found.lose(None, "BHT02", "18", why)
        if (purpose := values.get(6, "")) not in ("", "CH"):
            self.found.lose(None, "BHT06", purpose, "not sent to be paid: a report or another's claim")

    def _cur(self, where: str, values: dict[int, str]) -> None:
        if (currency := values.get(2, "")) != _outgoing.CURRENCY:
            self.found.wrong(where, f"amounts in {coded(currency)}, and a claim charges US dollars")

    def _clm(self, where: str, values: dict[int, str]) -> None:
        self._add_up()
        self.claims += 1
        self.total, self.charged = values.get(2, ""), []
        self.statement = ""
        where_given, kind, often = (*values.get(5, "").split(self.marks.component), "", "")[:3]
        self.place = "" if kind == "A" else where_given  # of a hospital it is the type of its bill
        at = where.partition(" (")[0]
        self.found.frequency(often, "CLM05-3", f"{at}: ")
        if (number := values.get(1, "")) in self.numbers and number:
            why = "the number of an earlier claim of the file too: the same may be billed twice"
            self.found.lose(None, "CLM01", f"claim {self.claims}", why)
        self.numbers.add(number)
        if values.get(19) == "PB":
            self.found.wrong(at, "CLM19 PB asks what would be paid, and charges nothing")
        self.listed = self.listed if self.given else ()
        written = [(f"{n:02}", value) for n, value in values.items()]
        self.found.unread(written, _elements.CLM_ELEMENTS, None, "CLM")

    def _add_up(self) -> None:
        """The claim that is read is whole: its total is compared with its lines."""
        self.found.total("CLM02", _amount(self.total), self.charged)

    def _hi(self, _: str, values: dict[int, str]) -> None:
        for value in values.values():
            kind, _sep, rest = value.partition(self.marks.component)
            code = rest.split(self.marks.component)[0]
            if kind in _DIAGNOSIS_KINDS and code:
                cut = 4 if kind in ("BK", "BF") and code.startswith("E") else 3  # an injury's cause in ICD-9
                self.listed += () if self.given else (dotted(code, cut),)
            elif code:
                self.found.lose(None, f"HI {kind}", code, "a code of the claim that is no diagnosis of a line")

    def _lx(self, _: str, values: dict[int, str]) -> None:
        self.close()
        self.open = _Open(values.get(1, ""), place=self.place, claim=self.listed, of=self.claims, date=self.statement)

    def _line(self, where: str, name: str) -> _Open:
        if self.open is None:
            self.found.wrong(where, f"{name} stands outside a line (no LX before it)")
            self.open = _Open("?", place=self.place, claim=self.listed, of=self.claims)
        return self.open

    def _sv1(self, where: str, values: dict[int, str]) -> None:
        line = self._line(where, "SV1")
        self._service(where, line, values, {"code": 1, "amount": 2, "unit": 3, "units": 4})
        self._unread(line, values, _elements.SV1_ELEMENTS, "SV1")
        line.place = values.get(5, "") or line.place
        chosen = [part for part in values.get(7, "").split(self.marks.component) if part]
        if not all(is_count(part) for part in chosen):
            self.found.wrong(where, f"SV107 points with {coded(values.get(7))}")
        line.pointers = tuple(int(part) for part in chosen if is_count(part))

    def _sv2(self, where: str, values: dict[int, str]) -> None:
        line = self._line(where, "SV2")
        self._service(where, line, values, {"code": 2, "amount": 3, "unit": 4, "units": 5})
        line.revenue_code = values.get(1) or None
        self._unread(line, values, _elements.SV2_ELEMENTS, "SV2")

    def _sv3(self, where: str, values: dict[int, str]) -> None:
        line = self._line(where, "SV3")
        line.written = f"SV3 {values.get(1, '')}, charge {values.get(2, '')}"
        line.code, line.no_drug = "?", "a dental service, whose code is of the CDT"

    def _unread(self, line: _Open, values: dict[int, str], known: Mapping[str, str], name: str) -> None:
        line.losses += unread([(f"{n:02}", value) for n, value in values.items()], known, name)

    def _service(self, where: str, line: _Open, values: dict[int, str], at: Mapping[str, int]) -> None:
        qualifier, *parts = values.get(at["code"], "").split(self.marks.component)
        if line.code:
            self.found.wrong(where, "a second service in one line")
        unit, charge = values.get(at["unit"], ""), values.get(at["amount"], "")
        line.written = f"{values.get(1, '')} {values.get(2, '') if at['code'] == 2 else ''} ({unit}), charge {charge}"
        if at["code"] != 2 or values.get(1) != _TOTAL:
            self.charged.append(_amount(charge))
        if qualifier != "HC" or not parts:
            line.no_drug = f"{coded(qualifier)} is not HC, so the code is no HCPCS or CPT code"
        elif unit in ("MJ", "DA"):
            line.no_drug = f"it counts {unit!r}, and units (UN) are wanted"
        if line.no_drug:
            line.code = "?"
            return
        line.code = parts[0].strip().upper() if parts else "?"
        self.found.code(line.code, where)
        line.modifiers = tuple(part for part in parts[1:5] if part)
        self.found.modifiers(line.modifiers, f"{where}:")
        if ends := [part for part in parts[6:] if part]:
            line.losses.append(
                (f"SV{1 if at['code'] == 1 else 2}0{at['code']}-8", ends[0], "a line has one code, no range of them")
            )
        described = parts[5] if len(parts) > 5 else ""
        if re.fullmatch(r"[A-Z0-9]{2}", described):
            self.found.wrong(where, f"a fifth modifier {described!r} in the place of the description")
        line.description = described or None
        line.amount = self._number(where, "charge", values.get(at["amount"], ""))
        if values.get(at["unit"]) != "UN":
            self.found.wrong(where, f"counts {coded(values.get(at['unit']))}, and units (UN) are wanted")
        units = self._number(where, "unit count", values.get(at["units"], ""))
        line.units = 0 if units is None else self.found.units(units, f"{where}: {number(units)} units")

    def _number(self, where: str, what: str, text: str) -> Decimal | None:
        try:
            return decimal(Decimal(text if _NUMBER.fullmatch(text) else "NaN"))
        except ValueError:
            self.found.wrong(where, f"{coded(text)} is no {what}")
            return None

    def _dtp(self, where: str, values: dict[int, str]) -> None:
        kind = values.get(1)
        if self.open is not None and kind != "472":
            self.open.losses.append(("DTP", values.get(3, ""), "only the date of service is kept"))
        elif self.open is not None or kind == STATEMENT:
            days = values.get(3, "").split("-") if values.get(2) == "RD8" else [values.get(3, "")]
            if not all(map(is_day, days)):
                self.found.wrong(where, f"{coded(values.get(3, ''))} is no date of service")
            elif days != sorted(days):
                self.found.wrong(where, f"it ends ({days[-1]}) before it begins ({days[0]})")
            said = "/".join(dict.fromkeys(map(iso, days)))
            if self.open is None:
                self.statement = said
            elif self.open.date not in ("", said, self.statement):
                self.found.wrong(where, "a second date of service in one line")
            else:
                self.open.date = said

    def _nte(self, _: str, values: dict[int, str]) -> None:
        text = values.get(2, "")
        if self.open is None:
            self.found.lose(None, "NTE", text, _elements.CLAIM_SEGMENTS["NTE"])
            return
        extras, rest = _outgoing.read_ndc_note(text)
        self.open.extras += extras
        if rest:
            self.open.losses.append(("NTE", text, "a line has no note"))

    def _lin(self, where: str, values: dict[int, str]) -> None:
        line = self._line(where, "LIN")
        if line.lin:
            self.found.wrong(where, "a second NDC in one line")
        line.lin = True
        line.losses += [(f"LIN{n:02}", value, "a line names one NDC") for n, value in values.items() if n > 3 and value]
        ndc = values.get(3, "")
        if values.get(2) != "N4":
            line.losses.append(("LIN", ndc, f"{values.get(2)!r} is no NDC qualifier"))
            return
        self.found.ndc(ndc, where)
        line.ndc = ndc

    def _ctp(self, where: str, values: dict[int, str]) -> None:
        line = self._line(where, "CTP")
        if not line.lin:
            self.found.wrong(where, "CTP without LIN")
        empty = (1, 2) if _amount(values.get(3, "")) == 0 else (1, 2, 3)  # some payers want a price of 0 in CTP03
        if used := [n for n in empty if values.get(n)]:
            why = f"CTP{used[0]:02} is not used here: the quantity belongs in CTP04, its unit in CTP05"
            self.found.wrong(where, why)
        if line.lin and line.ndc is None:
            return  # the quantity of a supply, which LIN has reported
        line.qualifier, *more = values.get(5, "").split(self.marks.component)
        more += [value for n, value in values.items() if n > 5]
        line.losses += [("CTP", value, "a quantity is one number in a plain unit") for value in more if value]
        if line.qualifier not in _outgoing.UNITS:
            self.found.wrong(where, f"{coded(line.qualifier)} in CTP05 is no NDC unit")
        quantity = self._number(where, "NDC quantity", values.get(4, ""))
        line.quantity = None if quantity is None else Decimal(number(quantity))
        if line.quantity is not None and line.quantity <= 0:
            self.found.wrong(where, f"an NDC quantity of {number(line.quantity)}")

    def _ref(self, _: str, values: dict[int, str]) -> None:
        if self.open is None and values.get(1) == "F8" and self.claims:
            why = "the payer's number of an earlier claim, which this one may replace or void"
            self.found.lose(None, "REF F8", values.get(2, ""), why)
        if self.open is not None:
            what = "prescription number" if values.get(1) == "XZ" else f"reference {values.get(1)}"
            self.open.losses.append((what, values.get(2, ""), "a line has no field for it"))

    def result(self) -> ClaimLines:
        self.close()
        self._add_up()
        self.envelopes.close()
        for line in self.done:
            self.found.lost += _lost(self.found.at, line)
            self.found.add(_line(line), line.date, line.place, owner=line.of)
        return self.found.lines("This X12 text", "service line (LX with SV1 or SV2)")


# Segment -> the method that reads it.
_HANDLERS: dict[str, Callable[[_Reader, str, dict[int, str]], None]] = {
    name: getattr(_Reader, f"_{name.casefold()}") for name in words("BHT|CUR|CLM|HI|LX|SV1|SV2|SV3|DTP|NTE|LIN|CTP|REF")
}


def _line(read: _Open) -> Line:
    return line_of(
        read.code,
        read.modifiers,
        read.units,
        [ExtraNdc(read.ndc or "", read.qualifier, read.quantity), *read.extras],
        (read.claim[n - 1] for n in read.pointers if 1 <= n <= len(read.claim)),
        charge_amount=read.amount,
        revenue_code=read.revenue_code,
        description=read.description,
    )


def _lost(at: int, line: _Open) -> Iterable[Loss]:
    for field, value, reason in line.losses:
        yield Loss(at, field, value, reason)
    if unknown := [str(n) for n in line.pointers if not 1 <= n <= len(line.claim)]:
        yield Loss(at, "diagnoses", ":".join(unknown), "the claim's list of diagnoses is not at hand")
