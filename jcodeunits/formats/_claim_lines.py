"""What every reader of claim lines shares: the lines as they are found, what is wrong, and what no line holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from jcodeunits.claim import ExtraNdc, Line
from jcodeunits.errors import FormatError
from jcodeunits.hcpcs import MODIFIER, is_valid

from ._outgoing import ELEVEN, Loss, number
from ._quoting import coded

_NO_DRUG = "no drug line"  # how the reason of such a loss begins
_SHOWN = 10  # problems that a sentence names; all stand in the error's field
# Claim frequency, the third digit of the type of bill (CLM05-3): what a claim is that is not the original.
# True: it charges lines, and what it says of an earlier claim is a loss. False: it charges nothing.
FREQUENCIES = {
    "0": ("a claim without payment", False),
    "2": ("the first of several claims for one stay", True),
    "3": ("a further one of several claims for one stay", True),
    "4": ("the last of several claims for one stay", True),
    "5": ("late charges to an earlier claim", True),
    "7": ("a replacement: it takes the place of an earlier claim", True),
    "8": ("a void: it cancels an earlier claim", False),
    "": ("not said, though it must be: the claim may replace or void an earlier one", True),
}


@attrs.frozen
class ClaimLines:
    """The lines that a claim message holds.

    `lines`; for each its `dates` (ISO, a range as `first/last`, empty when not said) and `places` (empty
    when not said); `losses`, what the message says and a line cannot hold, or cannot be known from it.
    `claims`: for each line the claim (or in charges the patient) that it belongs to, counted from 1 in the
    order of the message, so that the lines of two are never one heap.
    """

    lines: tuple[Line, ...]
    dates: tuple[str, ...]
    places: tuple[str, ...]
    losses: tuple[Loss, ...] = ()
    claims: tuple[int, ...] = attrs.Factory(lambda self: (1,) * len(self.lines), takes_self=True)


def is_day(text: str) -> bool:
    """Whether eight digits name a day of the calendar.

    >>> is_day("20260228"), is_day("20260230")
    (True, False)
    """
    try:
        return bool(len(text) == 8 and text.isascii() and text.isdigit() and dt.date.fromisoformat(text))
    except ValueError:
        return False


def is_count(text: str) -> bool:
    """Whether a text is made of at most 18 digits 0 to 9; other scripts' digits and superscripts are not."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def for_charges(beside: Mapping[str, object], form: str, allowed: tuple[str, ...] = ("diagnoses",)) -> dict[str, Any]:
    """What may stand beside a message of charges: it is read as it is, not billed anew."""
    if unknown := [key for key in beside if key not in allowed]:
        says = f"The message holds charges, which are read as they stand: {unknown[0]}= has no place beside it."
        raise FormatError(says, format=form, place=unknown[0])
    return dict(beside)


def unread(
    given: Iterable[tuple[str, object]], known: Mapping[str, str], prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Field, value and reason of each element of a message that is there and is neither read nor passed over.

    `known`: the elements that the reader knows, by name: `read`; `passed`, which cannot change who, what, how much,
    how, when, whether or what it costs; or else why it is not carried.
    """
    for name, value in given:
        what = known.get(name, "a line has no field for it")
        if what not in ("read", "passed") and value not in ("", None, [], {}):
            yield f"{prefix}{name}", str(value)[:80], what


def line_of(
    code: str, modifiers: Iterable[str], units: int, ndcs: Sequence[ExtraNdc], diagnoses: Iterable[str], **more: Any
) -> Line:
    """The line that a message holds, of a drug where it names an NDC."""
    first = ndcs[0] if ndcs else ExtraNdc("")
    ndc, kind = (first.ndc or None, first.qualifier, first.quantity), "drug" if first.ndc else "service"
    more["extra_ndcs"] = tuple(ndcs[1:])
    return Line(code, tuple(modifiers), units, *ndc, tuple(diagnoses), kind=kind, **more)


@attrs.define
class FoundLines:
    """The lines of a message while it is read; `problems` keep it from being read, `lost` is what no line holds."""

    format: str
    problems: list[str] = attrs.field(factory=list)
    lost: list[Loss] = attrs.field(factory=list)
    _rows: list[tuple[Line, str, str, object]] = attrs.field(factory=list)

    @property
    def at(self) -> int:
        """The number of the line that is read."""
        return len(self._rows) + 1

    def wrong(self, where: str, why: str) -> None:
        """Note what is wrong, and where."""
        self.problems.append(f"{where}: {why}")

    def lose(self, at: int | None, field: str, value: str, reason: str) -> None:
        """Note what is not carried, of a line or of the whole message."""
        self.lost.append(Loss(at, field, value, reason))

    def no_drug(self, field: str, value: str, why: str) -> None:
        """Note a charge that is no drug line, and why: where the message holds no other, that is what is wrong."""
        self.lose(None, field, value, f"{_NO_DRUG}: {why}")

    def unread(
        self, given: Iterable[tuple[str, object]], known: Mapping[str, str], at: int | None, prefix: str = ""
    ) -> None:
        """Note each element that is neither read nor passed over."""
        self.lost += [Loss(at, *one) for one in unread(given, known, prefix)]

    def frequency(self, code: str, field: str, where: str = "") -> None:
        """Judge a claim's frequency code: an original (1) passes without a word."""
        says, charges = FREQUENCIES.get(code, ("no frequency that is read here", False))
        if charges:
            self.lose(None, f"claim frequency ({field})", code, f"this is {says}")
        elif code != "1":
            self.wrong(f"{where}claim frequency ({field}) {code!r}", f"this is {says}, and its lines are not billed")

    def total(self, field: str, total: Decimal | None, charges: Iterable[Decimal | None]) -> None:
        """Note the total of a claim, where the charges of all its lines are known and add up to another one.

        >>> found = FoundLines("x12")
        >>> found.total("CLM02", Decimal(50), [Decimal(10), None]), found.total("CLM02", Decimal("10.0"), [Decimal(10)])
        (None, None)
        >>> found.total("CLM02", Decimal(50), [Decimal("10.50")])
        >>> print(*found.lost)
        CLM02 '50' is not carried: the charges of its lines add up to 10.5: a line is missing, or one of them is wrong
        """
        each = list(charges)
        known = [charge for charge in each if charge is not None]
        if total is not None and each and len(known) == len(each) and (added := sum(known, Decimal(0))) != total:
            why = f"the charges of its lines add up to {number(added)}: a line is missing, or one of them is wrong"
            self.lose(None, field, number(total), why)

    def code(self, code: Any, where: str) -> None:
        """Note a code of no code set."""
        if not is_valid(code):
            self.wrong(where, f"{coded(code)} is no HCPCS or CPT code")

    def modifiers(self, codes: Iterable[str], where: str) -> None:
        """Note modifiers that are none."""
        if wrong := [code for code in codes if not MODIFIER.fullmatch(code)]:
            self.problems.append(f"{where} {', '.join(map(coded, wrong))}: a modifier has two letters or digits")

    def ndc(self, ndc: str, where: str) -> None:
        """Note an NDC that has not the eleven digits of a claim."""
        if not ELEVEN.fullmatch(ndc):
            self.wrong(where, f"{coded(ndc)} has not the 11 digits of an NDC")

    def units(self, units: Decimal | None, said: str) -> int:
        """The units that a message counts; noted, with what it says, where no line counts so."""
        if units is None or units % 1 or units < 1:
            self.problems.append(f"{said}, and a line counts whole units above 0")
            return 0
        return int(units)

    def add(self, line: Line, days: str, place: str = "", *, owner: object = 1, where: str = "") -> None:
        """Take a line; with `where` note what no line holds: modifiers that are none, a day that no calendar has."""
        self._rows.append((line, days, place, owner))
        if not where:
            return
        self.modifiers(line.modifiers, f"{where}:")
        said = days.split("/") if days else []
        if wrong_days := [day for day in said if len(day) != 10 or not is_day(day.replace("-", ""))]:
            self.wrong(where, f"{coded(wrong_days[0])} names no day")
        elif said != sorted(said):
            self.wrong(where, f"it ends ({said[-1]}) before it begins ({said[0]})")

    @property
    def last(self) -> Line:
        """The line that was taken last, of which a later part of the message may say more."""
        return self._rows[-1][0]

    @last.setter
    def last(self, line: Line) -> None:
        self._rows[-1] = (line, *self._rows[-1][1:])

    def lines(self, what: str, unit: str) -> ClaimLines:
        """What the message holds. Raises `FormatError` with everything that keeps it from being read.

        Of charges that hold no line (`unit`) it says why each one that is there is none.
        """
        problems = self.problems
        if not self._rows:
            why = [f"{loss.field}: {loss.reason}" for loss in self.lost if loss.reason.startswith(_NO_DRUG)]
            problems = problems or why or [f"there is no {unit}"]
        if problems:
            more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
            says = f"{what} cannot be read: {'; '.join(problems[:_SHOWN])}{more}."
            place = problems[0].partition(":")[0]
            raise FormatError(says, format=self.format, place=place, problems=tuple(problems))
        lines, dates, places, owners = zip(*self._rows, strict=True)
        seen: dict[object, int] = {}
        claims = tuple(seen.setdefault(owner, len(seen) + 1) for owner in owners)
        return ClaimLines(lines, dates, places, tuple(self.lost), claims)
