"""NDC, the National Drug Code: labeler, product and package of a drug as it is sold.

The FDA assigns ten digits in three shapes (4-4-2, 5-3-2, 5-4-1); claims carry eleven (5-4-2), made by
padding the short segment with a zero. Which segment is short shows only in the hyphens, so a bare
ten-digit number fits up to three products and is refused unless the caller can settle it. So does a barcode:
a US drug's trade item number is an indicator, 03, the ten digits and a check digit. From 2033-03-07 the
uniform shape is 6-4-2 (91 FR 10749, 21 CFR 207): here it is a format of the same three parts, and it is not
read on earlier dates. This is the one place that knows how long an NDC is.

>>> compact("0409-3795-01")
'00409379501'
>>> format("NDC 00409379501")
'00409-3795-01'
>>> is_valid("0409379501")
False
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import attrs

from . import gs1
from .dated import as_date
from .errors import LONGEST, AmbiguousNdc, IdentifierError, InvalidNdc, quoted

# What stands around an NDC: marks, and what names it.
_NAMED = (
    r"NDC[ -]?1[01](?=[\s:#=])|NDC(?:[ -]?(?:number|num|code|no)\b)?|N4|N(?=3\s)|GTIN(?:[ -]?1[234]\b)?|UPC(?:-A)?|EAN|"
    r"https?://hl7\.org/fhir/sid/ndc\|"
)
_OPENS, _CLOSES = "[=\"'`‘’“”(\\[<{\\s\ufeff]*", "[\"'`‘’“”)\\]>}\\s,;.]*"
_AROUND = re.compile(
    rf"^{_OPENS}(?:(?:{_NAMED})[\s:#.=)-]*{_OPENS})?|(?<=\d{{7}})\.0$|{_CLOSES}(?:\(?\bNDC{_CLOSES})?$", re.IGNORECASE
)
# What is meant as an NDC, well formed or not, besides a barcode: ten digits or more, with or without hyphens, three
# groups with one mark between, or the digits that a spreadsheet leaves of eleven.
_LIKE = re.compile(
    r"\d[\d-]{8,14}\d|\d{7,9}|3[ -][\d-]{12}[ -]\d|\*?\d{4,6}( ?[-‐‑‒–—−._/] ?| )\*?\d{3,4}\1\*?\d{1,2}", re.ASCII
)
# Trade item numbers of US drugs: the indicator, the prefix of the NDC, its ten digits, the check digit.
_ITEM = re.compile(r"\d03(\d{10})\d", re.ASCII)

TWELVE_DIGITS_FROM = dt.date(2033, 3, 7)

_WIDTHS = {"5-4-2": (5, 4, 2), "6-4-2": (6, 4, 2)}
_SHORT = {(4, 4, 2): "labeler", (5, 3, 2): "product", (5, 4, 1): "package"}
# The NDC of a claim's line, with qualifier and quantity behind it.
_LINE = re.compile(r"(?:N4)?\s*(\d{11})\s*[A-Z][A-Z\d]\s*\d*\.?\d+", re.IGNORECASE | re.ASCII)
_BETWEEN = re.compile(r"\s*[-‐‑‒–—−._/]\s*|(?<=\d)\s+(?=[*\d])")
_HELP = "Write it with its hyphens as on the package (5-4-2, 4-4-2, 5-3-2 or 5-4-1), or as 11 digits."


@attrs.frozen(order=True)
class Ndc:
    """The three parts of one NDC, each at its full width: labeler (6), product (4), package (2).

    The labeler is kept at six digits, the width of 2033, so that neither shape loses anything.

    >>> Ndc.of("0409-3795-01")
    Ndc(labeler='000409', product='3795', package='01')
    >>> print(Ndc.of("0409-3795-01"))
    00409-3795-01
    """

    labeler: str
    product: str
    package: str

    @classmethod
    def of(cls, number: object, *, on: object = None) -> Ndc:
        """The parts of an NDC as written; see `compact` for what is read and refused."""
        return _read(number, on)

    def text(self, form: str = "5-4-2", *, hyphens: bool = True) -> str:
        """The NDC as `5-4-2` (claims today) or `6-4-2` (from 2033-03-07), with or without hyphens."""
        if not isinstance(form, str) or form not in _WIDTHS:
            raise IdentifierError(
                f"{quoted(form)} is not a shape of an NDC here. Ask for {' or '.join(_WIDTHS)}.", given=form
            )
        if form == "5-4-2" and not self.labeler.startswith("0"):
            says = (
                f"The labeler {self.labeler} needs six digits, and claims carry eleven, 5-4-2: the number has no such "
                "form. Ask for 6-4-2, and the payer how to report it."
            )
            raise InvalidNdc(says, given=self.labeler, reason="six-digit labeler")
        labeler = self.labeler[1:] if form == "5-4-2" else self.labeler
        return ("-" if hyphens else "").join((labeler, self.product, self.package))

    def __str__(self) -> str:
        return self.text("5-4-2" if self.labeler.startswith("0") else "6-4-2")


def compact(
    number: object, *, settle: Callable[[tuple[str, ...]], Iterable[str]] | None = None, on: object = None
) -> str:
    """The 11 digits that a claim carries, from any accepted way of writing an NDC.

    Read: 5-4-2, 4-4-2, 5-3-2, 5-4-1 with hyphens (or dots, slashes, spaces), 11 digits without, a star for the zero
    that makes eleven, noise that people paste around (quotes, `NDC`, `N4`), a scanned barcode, and `on` 2033-03-07
    and later 6-4-2. `settle` may decide digits with
    several readings: it is given the readings and returns those that exist; exactly one is accepted.
    Raises `InvalidNdc`, or `AmbiguousNdc` with the readings.

    >>> compact("50242-040-62"), compact("60575-4112-1"), compact(" N400002759701 ")
    ('50242004062', '60575411201', '00002759701')
    >>> compact("(01)00304093795011", settle=lambda readings: {"00409379501"} & set(readings))
    '00409379501'
    """
    try:
        return _read(number, on).text(hyphens=False)
    except AmbiguousNdc as ambiguous:
        known = sorted(set(settle(ambiguous.readings))) if settle else []
        if len(known) != 1:
            raise
        return known[0]


def format(number: object, form: str = "5-4-2", *, on: object = None) -> str:
    """The NDC with hyphens, in the 5-4-2 shape or, for dates from 2033-03-07, in 6-4-2.

    >>> format("0409-3795-01", "6-4-2")
    '000409-3795-01'
    >>> format("000409379501", on="2033-03-07")
    '00409-3795-01'
    """
    return _read(number, on).text(form)


def validate(number: object, *, on: object = None) -> str:
    """The 11 digits, or the error that says what is wrong: `InvalidNdc`, `AmbiguousNdc`.

    >>> validate("1234-1234-1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jcodeunits.errors.InvalidNdc: '1234-1234-1' has segments of 4-4-1 digits, and no NDC has that shape: ...
    """
    return compact(number, on=on)


def looks_like(text: object) -> bool:
    """Whether something is meant as an NDC and not as a code or a name, well formed or not.

    >>> looks_like("NDC 0409-3795-01"), looks_like("(01)00304093795011"), looks_like("J1885")
    (True, True, False)
    """
    return isinstance(text, str) and len(text) <= LONGEST and _is_like(text)


@lru_cache(maxsize=65536)
def _is_like(text: str) -> bool:
    return _LIKE.fullmatch(_bare(text)) is not None or gs1.is_scanned(text)


def _bare(text: str) -> str:
    """A number without what stands around it; the barcode of a label (Code 39) stands between two stars."""
    bare = _AROUND.sub("", text)
    return bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] == "*" else bare


def is_valid(number: object, *, on: object = None) -> bool:
    """Whether `number` can be read as exactly one NDC.

    >>> is_valid("0409-3795-01"), is_valid("J1885")
    (True, False)
    """
    try:
        _read(number, on)
    except IdentifierError:
        return False
    return True


def in_item(gtin: str, given: str) -> str:
    """The ten digits of the NDC in a trade item number (GTIN, 14 digits) that was read out of `given`.

    Raises `InvalidNdc` where it holds none.

    >>> in_item("00304093795011", "304093795011")
    '0409379501'
    """
    found = _ITEM.fullmatch(gtin)
    if found is None:
        says = f"{quoted(given)} holds no NDC: the trade item number of a US drug has 03 behind its first digit."
        raise _invalid(given, says, "no drug's item")
    return found[1]


def readings(digits: str) -> tuple[str, ...]:
    """The 11-digit numbers that a bare ten-digit NDC may stand for: 4-4-2, 5-3-2, 5-4-1.

    >>> readings("0409379501")
    ('00409379501', '04093079501', '04093795001')
    """
    return ("0" + digits, digits[:5] + "0" + digits[5:], digits[:9] + "0" + digits[9:])


def _read(number: object, on: object = None) -> Ndc:
    if isinstance(number, Ndc):
        return number
    if not isinstance(number, str):
        lost = number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**9 else None
        says = f"{quoted(number)} is not text, and a number loses the leading zeros of an NDC."
        raise _invalid(number, says, "not text", None if lost is None else _restored(str(int(lost))))
    if len(number) > LONGEST:
        raise _invalid(number, f"{quoted(number)} is not an NDC: it has {len(number)} characters.", "too long")
    return _read_text(number, on is not None and as_date(on) >= TWELVE_DIGITS_FROM)


@lru_cache(maxsize=65536)
def _read_text(number: str, later: bool) -> Ndc:
    bare = _bare(number)
    if len(bare) == 12 and bare.isascii() and bare.isdigit():
        return _from_twelve(number, bare, later)
    for text in (number, bare):
        if gs1.is_scanned(text):
            return _one_of(number, in_item(gs1.read(text).gtin, text))
    segments = _BETWEEN.split(bare)
    if (line := _LINE.fullmatch(bare)) is not None:
        says = f"{quoted(number)} is an NDC with what a claim's line says behind it: write {line[1]} alone."
        raise InvalidNdc(says, given=number, reason="a claim's line")
    if list(map(len, segments))[::4] == [1, 1] and segments[0] == "3" and len("".join(segments)) == 12:
        gs1.read("".join(segments))  # as it is printed below a UPC-A: 3, the NDC with its hyphens, the check digit
        segments = segments[1:4]
    segments = _filled(segments)
    if not all(re.fullmatch("[0-9]+", segment) for segment in segments):
        raise _invalid(number, f"{quoted(number)} is not an NDC: it is not made of digits.", "not digits")
    if len(segments) == 1:
        return _from_digits(number, segments[0])
    return _from_segments(number, segments, later)


def _filled(segments: list[str]) -> list[str]:
    """Segments of 5-4-2 in which a star holds the place of the zero that the FDA's number lacks: 50242-*040-62."""
    if tuple(map(len, segments)) != _WIDTHS["5-4-2"] or "".join(segments).count("*") != 1:
        return segments
    return [re.sub(r"^\*", "0", segment) for segment in segments]


def _invalid(number: object, says: str, reason: str, instead: str | None = None) -> InvalidNdc:
    """A refusal; `instead` are the eleven digits of a number that has lost its zeros."""
    if instead is not None:
        says += f" With them it is {instead[:5]}-{instead[5:9]}-{instead[9:]}, if that stands on the package."
    return InvalidNdc(f"{says} {_HELP}", given=number, reason=reason, instead=instead)


def _restored(digits: str) -> str | None:
    """Eleven digits from a number whose leading zeros a spreadsheet ate; None where too many are missing."""
    return digits.zfill(11) if 7 <= len(digits) < 10 and digits.isascii() and digits.isdigit() else None


def _from_twelve(number: str, digits: str, later: bool) -> Ndc:
    """Twelve digits: the UPC-A of a drug and, from 2033-03-07, 6-4-2. Where they may be both, two readings."""
    upc = digits[0] == "3" and gs1.check_digit(digits[:-1]) == digits[-1]
    if later:
        full = Ndc(digits[:6], digits[6:10], digits[10:])
        if not upc:
            return full
        found = (digits, *readings(digits[1:-1]))
        raise _ambiguous(number, f"{quoted(number)} may be a 6-4-2 number or the UPC-A of", found)
    if upc or digits[0] == "3":
        return _one_of(number, in_item(gs1.read(digits).gtin, number))
    says = (
        f"{quoted(number)} has 12 digits. 6-4-2 begins on {TWELVE_DIGITS_FROM}, and the UPC-A of a drug begins with 3."
    )
    raise _invalid(number, says, "number of digits")


def _one_of(number: str, digits: str) -> Ndc:
    """Ten digits fit several NDCs, which only a table can settle."""
    raise _ambiguous(number, f"{quoted(number)} holds {digits}, which may be", readings(digits))


def _ambiguous(number: str, says: str, found: tuple[str, ...]) -> AmbiguousNdc:
    shown = ", ".join(f"{r[:-6]}-{r[-6:-2]}-{r[-2:]}" for r in found)
    help_ = "Copy the hyphens from the package, or give the 11 digits."
    return AmbiguousNdc(f"{says} {shown}. {help_}", given=number, readings=found)


def _from_digits(number: str, digits: str) -> Ndc:
    if len(digits) == 11:
        return Ndc("0" + digits[:5], digits[5:9], digits[9:])
    if len(digits) == 10:
        says = f"{quoted(number)} has ten digits and no hyphens, so it may be"
        raise _ambiguous(number, says, readings(digits))
    restored = _restored(digits)
    says = f"{quoted(number)} has {len(digits)} digits; an NDC has 10 with hyphens or 11 without."
    if restored is not None:
        says += " A spreadsheet eats leading zeros."
    raise _invalid(number, says, "number of digits" if restored is None else "zeros lost", restored)


def _from_segments(number: str, segments: list[str], later: bool) -> Ndc:
    widths = tuple(map(len, segments))
    if widths == (5, 4, 2) or widths in _SHORT or (widths == (6, 4, 2) and later):
        labeler, product, package = segments
        return Ndc(labeler.zfill(6), product.zfill(4), package.zfill(2))
    shape = "-".join(map(str, widths))
    says = f"{quoted(number)} has segments of {shape} digits, and no NDC has that shape: {_why_not(widths)}"
    raise _invalid(number, says, "segments")


def _why_not(widths: tuple[int, ...]) -> str:
    """What is wrong with the segments, naming those that are short or long."""
    if len(widths) != 3:
        return f"there are {len(widths)} segments, not three (labeler, product, package)."
    if widths == (6, 4, 2):
        return f"6-4-2 begins on {TWELVE_DIGITS_FROM}."
    wrong = []
    for name, width, needed in zip(("labeler", "product", "package"), widths, (5, 4, 2), strict=True):
        if width != needed:
            wrong.append(f"the {name} segment is {'short' if width < needed else 'long'} ({width} of {needed})")
    more = " An NDC is short in one segment at most, by one digit." if len(wrong) > 1 else ""
    return f"{' and '.join(wrong)}.{more}"
