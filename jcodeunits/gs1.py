"""GS1 barcodes as scanners hand them over: element strings, trade item numbers, check digits.

Read: element strings with or without brackets, with FNC1 (character 29) between elements and a symbology
identifier in front (`]d2`, `]C1`), the same as a link (GS1 Digital Link), and the bare numbers of linear codes
(GTIN-14, GTIN-13, UPC-A). Nothing here knows what an NDC is, and nothing is asked of a table (GS1 General
Specifications, sections 3, 5.4, 7.9).

>>> scanned = read("(01)00304093795011(17)271231(10)A1")
>>> scanned.gtin, str(scanned.expires), scanned.lot
('00304093795011', '2027-12-31', 'A1')
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache

import attrs

from .errors import LONGEST, InvalidNdc, quoted

FNC1 = "\x1d"
_AROUND = " \t\r\n"  # str.strip() alone would take FNC1 too
_SHOWN_FNC1 = re.compile("\u241d|<GS>|<FNC1>|\\{GS\\}", re.IGNORECASE)
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_ELEMENTS = "CdeJQ"  # symbologies that hold elements, never a bare number
_BRACKETED = re.compile(r"\((\d{2,4})\)")
# Unbracketed text that leads to a trade item number: days and variants may stand before it.
_LEADS = re.compile(r"(?:1[1-7]\d{6}|20\d\d)*01\d{14}", re.ASCII)
_PRINTED_UPC = re.compile(r"\d \d{5} \d{5} \d", re.ASCII)
_LINEAR = re.compile(r"\d{12,14}", re.ASCII)
# The same as a link of the web (GS1 Digital Link): item, then lot and serial number, and days behind the question mark.
_LINK = re.compile(
    r"https?://[^/?#\s]+(?:/[^/?#\s]+)*?/(?:01|gtin)/(\d{12,14})((?:/\d\d/[^/?#\s]+)*)/?(?:\?([^#\s]*))?(?:#\S*)?",
    re.ASCII | re.IGNORECASE,
)
_VALUE = re.compile(r"[!-~]{1,20}", re.ASCII)

# Characters of elements whose length is fixed, identifier included, by its first two digits.
_FIXED = {
    "00": 20,
    **dict.fromkeys(("01", "02", "03"), 16),
    "04": 18,
    **dict.fromkeys((str(n) for n in range(11, 20)), 8),
    "20": 4,
    **dict.fromkeys((str(n) for n in range(31, 37)), 10),
    "41": 16,
}
# Digits of the identifier itself, where they are not two.
_IDENTIFIER = {
    **dict.fromkeys(("23", "24", "25", "40", "41", "42", "71"), 3),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36", "39", "43", "70", "72", "80", "81", "82"), 4),
}


@attrs.frozen
class Scanned:
    """What a barcode says: the trade item number as 14 digits, the last day of use, lot and serial number."""

    gtin: str
    expires: dt.date | None = None
    lot: str | None = None
    serial: str | None = None


def check_digit(digits: str) -> str:
    """The check digit that belongs behind the digits of a GTIN, of any length.

    >>> check_digit("0030409379501"), check_digit("30409379501")
    ('1', '1')
    """
    total = sum(int(digit) * (3 if n % 2 == 0 else 1) for n, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def is_scanned(text: object) -> bool:
    """Whether a text is meant as a barcode, well read or not.

    >>> is_scanned("]d20100304093795011"), is_scanned("304093795011"), is_scanned("0409-3795-01")
    (True, True, False)
    """
    return isinstance(text, str) and 12 <= len(text) <= LONGEST and _is_scanned(text)


@lru_cache(maxsize=65536)
def _is_scanned(text: str) -> bool:
    """The same of a text that is as long as a barcode; the packages of a site are few, and come again."""
    bare = _plain(text)
    return bool(
        _SYMBOLOGY.match(bare)
        or _LINK.fullmatch(bare)
        or (FNC1 in bare and bare.lstrip(FNC1)[:2].isdigit())
        or re.match(r"\(\d{2,4}\)\s*\S", bare)
        or _LINEAR.fullmatch(bare)
        or _PRINTED_UPC.fullmatch(bare)
        or re.fullmatch(r"\d{16,}", bare, re.ASCII)
        or _LEADS.match(bare)
    )


def read(text: str) -> Scanned:
    """The elements of a barcode. Raises `InvalidNdc` with the reason, a wrong check digit by name."""
    if not is_scanned(text):
        raise _refused(text, "is no barcode that holds a trade item number", "no barcode")
    bare = _plain(text)
    symbology = _SYMBOLOGY.match(bare)
    bare = bare[3:] if symbology else bare
    bare = bare.strip(FNC1 + _AROUND)
    if _PRINTED_UPC.fullmatch(bare):
        bare = bare.replace(" ", "")
    if _LINEAR.fullmatch(bare) and (symbology is None or symbology[0][1] not in _ELEMENTS):
        return Scanned(_checked(bare, text))
    elements = dict(_bracketed(bare, text) if bare.startswith("(") else _unbracketed(bare, text))
    if "01" not in elements:
        raise _refused(text, "holds no trade item number (01)", "no trade item number")
    day, lot, serial = (elements.get(name) for name in ("17", "10", "21"))
    for name, value in (("lot", lot), ("serial number", serial)):
        if value is not None and not _VALUE.fullmatch(value):
            raise _refused(text, f"has a {name} that no barcode holds", name)
    return Scanned(_checked(elements["01"], text), None if day is None else _day(day, text), lot, serial)


def _plain(text: str) -> str:
    bare = _SHOWN_FNC1.sub(FNC1, text).strip(_AROUND)
    link = _LINK.fullmatch(bare)
    return bare if link is None else _elements_of(*link.groups(""))


def _elements_of(item: str, path: str, query: str) -> str:
    """The elements of a link, with brackets; words of the query that are no identifiers are the web's own.

    >>> _elements_of("00304093795011", "/10/A%2F1", "17=271231&linkType=gs1:pip")
    '(01)00304093795011(10)A/1(17)271231'
    """
    from urllib.parse import unquote  # few numbers are links

    parts = path.split("/")[1:]
    found = [*zip(parts[::2], parts[1::2], strict=True), *(pair.partition("=")[::2] for pair in query.split("&"))]
    elements = "".join(f"({name}){unquote(value)}" for name, value in found if re.fullmatch(r"\d{2,4}", name, re.ASCII))
    return f"(01){item.zfill(14)}{elements}"


def _refused(text: str, why: str, reason: str) -> InvalidNdc:
    return InvalidNdc(
        f"{quoted(text)} {why}. Scan it again, or copy the NDC with its hyphens.", given=text, reason=reason
    )


def _bracketed(bare: str, text: str) -> Iterator[tuple[str, str]]:
    marks = list(_BRACKETED.finditer(bare))
    ends = [mark.start() for mark in marks[1:]] + [len(bare)]
    seen: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=True):
        name, value = mark[1], bare[mark.end() : end].strip(FNC1 + _AROUND)
        if name[:2] in _FIXED:
            value = value.replace(" ", "")
            if len(name) + len(value) != _FIXED[name[:2]]:
                raise _refused(text, f"has {len(value)} characters behind ({name})", "length")
        yield _once(name, value, seen, text)


def _unbracketed(bare: str, text: str) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    while bare := bare.lstrip(FNC1):
        if not bare[:2].isdigit():
            raise _refused(text, "is no GS1 text: an element begins without its identifier", "no identifier")
        width = _IDENTIFIER.get(bare[:2], 2)
        end = _FIXED.get(bare[:2])
        if end is None:
            end = bare.index(FNC1) if FNC1 in bare else len(bare)
        elif len(bare) < end or FNC1 in bare[:end]:
            raise _refused(text, f"is cut off: the element {bare[:width]} is too short", "cut off")
        yield _once(bare[:width], bare[width:end], seen, text)
        bare = bare[end:]


def _once(name: str, value: str, seen: dict[str, str], text: str) -> tuple[str, str]:
    if seen.setdefault(name, value) != value:
        raise _refused(text, f"says ({name}) twice and differently", "twice")
    return name, value


def _checked(digits: str, text: str) -> str:
    if not re.fullmatch("[0-9]{12,14}", digits):
        raise _refused(text, "has a trade item number that is not made of digits", "not digits")
    if check_digit(digits[:-1]) != digits[-1]:
        says = f"is misread: the check digit of {digits[:-1]} is {check_digit(digits[:-1])}, not {digits[-1]}"
        raise _refused(text, says, "check digit")
    return digits.zfill(14)


def _day(value: str, text: str) -> dt.date:
    """YYMMDD of this century; day 00 is the last of its month."""
    try:
        year, month, day = 2000 + int(value[:2]), int(value[2:4]), int(value[4:])
        return dt.date(year, month, day) if day else dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(1)
    except ValueError:
        raise _refused(text, f"says that it expires on {value!r}, which is no day", "expiry") from None
