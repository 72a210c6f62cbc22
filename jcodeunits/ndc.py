"""NDC, the National Drug Code: labeler, product and package of a drug as it is sold.

The FDA assigns ten digits in three shapes (4-4-2, 5-3-2, 5-4-1); claims carry eleven (5-4-2), made by
padding the short segment with a zero. Which segment is short shows only in the hyphens, so a bare
ten-digit number fits up to three products and is refused unless the caller can settle it. From
2033-03-07 the uniform shape is 6-4-2 (91 FR 10749, 21 CFR 207): here it is a format of the same three
parts, and it is not read on earlier dates.

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

from .dated import as_date
from .errors import LONGEST, AmbiguousNdc, IdentifierError, InvalidNdc, quoted

# What is meant as an NDC, well formed or not: ten digits or more, with or without hyphens and prefixes.
_LIKE = re.compile(r"(?i)(?:ndc|n4)?[:#\s]*\d[\d-]{8,14}\d", re.ASCII)

TWELVE_DIGITS_FROM = dt.date(2033, 3, 7)

_WIDTHS = {"5-4-2": (5, 4, 2), "6-4-2": (6, 4, 2)}
_SHORT = {(4, 4, 2): "labeler", (5, 3, 2): "product", (5, 4, 1): "package"}
_NOISE = re.compile(r"""^[="'`‘’“”(\s]*(?:NDC|N4)?[\s:#.]*["'`‘’“”]*|["'`‘’“”)\s,;.]+$""", re.IGNORECASE)
_HYPHENS = re.compile(r"\s*[-‐‑‒–—−]\s*|(?<=\d)\s+(?=\d)")
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
        if form not in _WIDTHS:
            raise IdentifierError(
                f"{form!r} is not a shape of an NDC here. Ask for {' or '.join(_WIDTHS)}.", given=form
            )
        if form == "5-4-2" and not self.labeler.startswith("0"):
            raise InvalidNdc(
                f"The labeler {self.labeler} needs six digits and has no 5-4-2 form. Ask for 6-4-2.",
                given=self.labeler,
                reason="six-digit labeler",
            )
        labeler = self.labeler[1:] if form == "5-4-2" else self.labeler
        return ("-" if hyphens else "").join((labeler, self.product, self.package))

    def __str__(self) -> str:
        return self.text("5-4-2" if self.labeler.startswith("0") else "6-4-2")


def compact(number: object, *, settle: Callable[[tuple[str, ...]], Iterable[str]] | None = None) -> str:
    """The 11 digits that a claim carries, from any accepted way of writing an NDC.

    Read: 5-4-2, 4-4-2, 5-3-2, 5-4-1 with hyphens, 11 digits without, and noise that people paste around
    (spaces, quotes, `NDC`, `N4`). `settle` may decide a bare ten-digit number: it is given the readings and
    returns those that exist; the number is accepted only where exactly one does.
    Raises `InvalidNdc`, or `AmbiguousNdc` with the readings.

    >>> compact("50242-040-62"), compact("60575-4112-1"), compact(" N400002759701 ")
    ('50242004062', '60575411201', '00002759701')
    >>> compact("0409379501", settle=lambda readings: {"00409379501"} & set(readings))
    '00409379501'
    """
    try:
        return _read(number).text(hyphens=False)
    except AmbiguousNdc as ambiguous:
        known = sorted(set(settle(ambiguous.readings))) if settle else []
        if len(known) != 1:
            raise
        return known[0]


def format(number: object, form: str = "5-4-2") -> str:
    """The NDC with hyphens, in the 5-4-2 shape or, for dates from 2033-03-07, in 6-4-2.

    >>> format("0409-3795-01", "6-4-2")
    '000409-3795-01'
    """
    return _read(number).text(form)


def validate(number: object) -> str:
    """The 11 digits, or the error that says what is wrong: `InvalidNdc`, `AmbiguousNdc`.

    >>> validate("1234-1234-1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jcodeunits.errors.InvalidNdc: '1234-1234-1' has segments of 4-4-1 digits, and no NDC has that shape: ...
    """
    return compact(number)


def looks_like(text: object) -> bool:
    """Whether something is meant as an NDC and not as a code or a name, well formed or not.

    >>> looks_like("NDC 0409-3795-01"), looks_like("1234567890123"), looks_like("J1885")
    (True, True, False)
    """
    return isinstance(text, str) and len(text) <= LONGEST and _is_like(text)


@lru_cache(maxsize=65536)
def _is_like(text: str) -> bool:
    return _LIKE.fullmatch(text.strip()) is not None


def is_valid(number: object) -> bool:
    """Whether `number` can be read as exactly one NDC.

    >>> is_valid("0409-3795-01"), is_valid("J1885")
    (True, False)
    """
    try:
        _read(number)
    except IdentifierError:
        return False
    return True


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
        raise InvalidNdc(
            f"{quoted(number)} is not text, and a number loses the leading zeros of an NDC. {_HELP}",
            given=number,
            reason="not text",
        )
    if len(number) > LONGEST:
        says = f"{quoted(number)} is not an NDC: it has {len(number)} characters. {_HELP}"
        raise InvalidNdc(says, given=number, reason="too long")
    bare = _NOISE.sub("", number)
    segments = _HYPHENS.split(bare)
    if not all(re.fullmatch("[0-9]+", segment) for segment in segments):
        raise InvalidNdc(
            f"{quoted(number)} is not an NDC: it is not made of digits. {_HELP}", given=number, reason="not digits"
        )
    if len(segments) == 1:
        return _from_digits(number, segments[0])
    return _from_segments(number, segments, on)


def _from_digits(number: str, digits: str) -> Ndc:
    if len(digits) == 11:
        return Ndc("0" + digits[:5], digits[5:9], digits[9:])
    if len(digits) == 10:
        found = readings(digits)
        shown = ", ".join(f"{r[:5]}-{r[5:9]}-{r[9:]}" for r in found)
        raise AmbiguousNdc(
            f"{quoted(number)} has ten digits and no hyphens, so it may be {shown}. "
            "Copy the hyphens from the package, or give the 11 digits.",
            given=number,
            readings=found,
        )
    raise InvalidNdc(
        f"{quoted(number)} has {len(digits)} digits; an NDC has 10 with hyphens or 11 without. {_HELP}",
        given=number,
        reason="number of digits",
    )


def _from_segments(number: str, segments: list[str], on: object) -> Ndc:
    widths = tuple(map(len, segments))
    uniform = widths == (6, 4, 2) and on is not None and as_date(on) >= TWELVE_DIGITS_FROM
    if widths == (5, 4, 2) or widths in _SHORT or uniform:
        labeler, product, package = segments
        return Ndc(labeler.zfill(6), product.zfill(4), package.zfill(2))
    raise InvalidNdc(
        f"{quoted(number)} has segments of {'-'.join(map(str, widths))} digits, and no NDC has that shape: "
        f"{_why_not(widths)} {_HELP}",
        given=number,
        reason="segments",
    )


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
