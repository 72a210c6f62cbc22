"""A drug's barcode: the NDC in it, and the last day of use, lot and serial number beside it.

Ten digits stand in the barcode, and which segment of the NDC they leave short is not said: `readings` are the
NDCs that they may be, and a product table settles which (`jcodeunits.product`).

>>> scan = parse("(01)00304093795011(17)271231(10)A1")
>>> scan.digits, scan.readings, scan.lot
('0409379501', ('00409379501', '04093079501', '04093795001'), 'A1')
"""

from __future__ import annotations

import datetime as dt

import attrs

from . import gs1, ndc
from .errors import InvalidNdc, quoted
from .gs1 import is_scanned


@attrs.frozen
class Scan:
    """What the barcode of a drug says.

    `gtin` the trade item number (14 digits), `digits` the ten of the NDC, `readings` the NDCs that they may be
    (11 digits each), `expires` the last day of use, `lot` and `serial` as printed; None where not said.
    """

    gtin: str
    digits: str
    readings: tuple[str, ...]
    expires: dt.date | None = None
    lot: str | None = None
    serial: str | None = None

    def __str__(self) -> str:
        said = (("lot", self.lot), ("expires", self.expires), ("serial", self.serial))
        return ", ".join([f"NDC {' or '.join(self.readings)}", *(f"{name} {value}" for name, value in said if value)])


def parse(text: object) -> Scan:
    """What stands in a barcode, as scanned: GS1 with or without brackets, GTIN-14, UPC-A. No table is asked.

    GS1 elements are 01 (item), 17 (expiry), 10 (lot) and 21 (serial), in any order, with FNC1 or `]d2` where
    the scanner sends them; others are passed over. Raises `InvalidNdc`: a wrong check digit, a text that is cut
    off, an item that is no US drug, anything that is no barcode.

    >>> parse("304093795011").digits
    '0409379501'
    >>> parse("00304093795012")
    Traceback (most recent call last):
    jcodeunits.errors.InvalidNdc: '00304093795012' is misread: the check digit of 0030409379501 is 1, not 2. \
Scan it again, or copy the NDC with its hyphens.
    """
    if not isinstance(text, str):
        raise InvalidNdc(f"{quoted(text)} is not text, so it is no barcode.", given=text, reason="not text")
    found = gs1.read(text)
    digits = ndc.in_item(found.gtin, text)
    return Scan(found.gtin, digits, ndc.readings(digits), found.expires, found.lot, found.serial)


def scanned(text: object) -> Scan | None:
    """The barcode of a drug, or None for any other way to write an NDC and for what cannot be read."""
    try:
        return parse(text) if is_scanned(text) else None
    except InvalidNdc:
        return None
