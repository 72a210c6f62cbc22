"""CMS-1500 (02/12), item 24: the shaded line above and the service line below it, in fixed columns.

The shaded line carries N4 and the NDC, one space, unit and quantity, with no space inside either. Payers
print it otherwise too: `layout=` says how.

>>> from decimal import Decimal
>>> from jcodeunits.claim import Charge, Line
>>> from jcodeunits.encounter import Encounter
>>> line = Line("J1885", ("JZ",), 2, "00409379501", "ML", Decimal("1.50"), ("M54.50",), kind="drug")
>>> print(write(Charge((line,), (), Encounter("2026-03-02", "11")), amounts={"J1885": "5.00"}))
N400409379501 ML1.5
03 02 26 03 02 26 11    J1885   JZ          A       10 00   2
<BLANKLINE>
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Unpack

from jcodeunits.amount import decimal
from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.errors import FormatError
from jcodeunits.facts.reference import Reference

from . import _outgoing
from ._claim_lines import ClaimLines, FoundLines, is_count, line_of
from ._json import plain_text, refuse_other_formats
from ._outgoing import Leaving, Loss, Rules, number
from ._quoting import coded

# First and last column of each box of item 24, as Medicare's print specification counts them.
COLUMNS = {
    "from": (1, 8),
    "to": (10, 17),
    "place": (19, 20),
    "code": (25, 30),
    "modifiers": (33, 43),
    "pointers": (45, 48),
    "amount": (50, 57),
    "units": (59, 61),
}
SHADED_WIDTH = 61  # 24A to 24G
UNIT_DIGITS = 3  # 24G, columns 59 to 61
DOLLAR_DIGITS = 6  # 24F: eight columns, two of them cents
QUANTITY_DIGITS = (8, 3)  # the form's instructions: eight digits, a point, three decimals
LEGACY_QUANTITY = 6  # columns 19 to 24 after the unit
IMPLIED_DIGITS = (7, 3)  # ten digits, the last three decimals, no point
ITEM_19_WIDTH = 71
UNIT_COLUMN = 17  # of the legacy layout
IMPLIED_COLUMN = 25  # 24D
# one space | fixed columns, three spaces | ten digits with implied decimals in 24D | NDC in item 19
LAYOUTS = ("nucc", "legacy", "implied-decimal", "item-19")
_GAP = "   "  # between two items of one shaded line
_ITEM_19 = "ITEM 19: "
_LETTERS = "ABCDEFGHIJKL"

CARRIES = {
    "code": "24D",
    "modifiers": "24D, four",
    "units": "24G",
    "charge_amount": "24F",
    "diagnoses": "24E, as letters of item 21",
    "description": "24 shaded, ZZ",
    "ndc": "24 shaded, N4",
    "ndc_quantity": "24 shaded",
    "ndc_qualifier": "24 shaded",
    "extra_ndcs": "24 shaded, three spaces between",
}

diagnoses = _outgoing.diagnoses


def write(charge: Charge, *, layout: str = "nucc", blank_amounts: bool = False, **how: Unpack[Leaving]) -> str:
    """The charge as rows of item 24, two for each line (the shaded one may be empty).

    `layout`: one of `LAYOUTS`, or `payer` for what the payer's row says; `blank_amounts=True` leaves 24F to the
    host; `how`: see `Leaving`.
    Units above 999 become more lines, because 24G has three digits. Letters in 24E count in
    `diagnoses(charge)`. Raises `FormatError` listing all that is in the way. Sources: NUCC's instructions
    for item 24; Medicare's column specification.
    """
    style = _layout(charge, layout, how.get("reference"))
    lines = _outgoing.prepare(charge, _rules(style, blank_amounts), **how)
    listed = diagnoses(charge)
    rows: list[str] = []
    if style == "item-19" and (ndcs := [_ndc(one, style) for line in lines for one in line.ndcs]):
        rows.append(_ITEM_19 + _fits(_GAP.join(dict.fromkeys(ndcs)), ITEM_19_WIDTH, "Item 19"))
    for at, line in enumerate(lines, 1):
        spot = f"line {at} ({line.code})"
        parts = [] if style == "item-19" else [_ndc(one, style) for one in line.ndcs]
        parts += [f"ZZ{line.description}"] if line.description else []
        rows.append(_fits(_GAP.join(parts), SHADED_WIDTH, f"{spot}: the shaded part of item 24"))
        rows.append(_service(charge, line, listed))
    return "".join(f"{row}\n" for row in rows)


def _layout(charge: Charge, layout: str, reference: Reference | None) -> str:
    if layout == "payer" and isinstance(charge, Charge):
        policy = _outgoing.in_use(charge, reference, "cms1500").policy
        layout = policy.option(charge.encounter.payer, "paper-layout", charge.encounter.on).value
    if layout not in LAYOUTS:
        says = f"{layout!r} is no layout here. Allowed: {', '.join((*LAYOUTS, 'payer'))}."
        raise FormatError(says, format="cms1500", place="layout")
    return layout


def _rules(style: str, blank_amounts: bool) -> Rules:
    return Rules(
        "cms1500",
        "CMS-1500",
        UNIT_DIGITS,
        ("ndc_quantity", "diagnoses", "description", *(() if blank_amounts else ("charge_amount",))),
        {
            "charge_amount": "24F",
            "diagnoses": "24E",
            **dict.fromkeys(("ndc_quantity", "description"), "the shaded part of item 24"),
        },
        IMPLIED_DIGITS if style == "implied-decimal" else QUANTITY_DIGITS,
        LEGACY_QUANTITY if style == "legacy" else None,
        DOLLAR_DIGITS,
        pointers=True,
    )


def _fits(text: str, width: int, where: str) -> str:
    if len(text) > width:
        says = (
            f"{where} holds {width} characters, and {text!r} has {len(text)}. Shorten the description, or "
            "bill further NDCs on lines of their own."
        )
        raise FormatError(says, format="cms1500", place=where)
    return text


def _ndc(one: ExtraNdc, style: str) -> str:
    head, unit = f"N4{one.ndc}", one.qualifier or ""
    quantity = one.quantity or Decimal(0)
    if style == "legacy":
        return f"{head:<{UNIT_COLUMN - 1}}{unit}{number(quantity)}"
    if style == "implied-decimal":
        digits = int(quantity.scaleb(IMPLIED_DIGITS[1]))
        return f"{head:<{IMPLIED_COLUMN - 1}}{unit}{digits:0{sum(IMPLIED_DIGITS)}}"
    return f"{head} {unit}{number(quantity)}"


def _service(charge: Charge, line: Line, listed: tuple[str, ...]) -> str:
    day = f"{charge.encounter.on:%m %d %y}"
    boxes = {
        "from": day,
        "to": day,
        "place": charge.encounter.place,
        "code": line.code,
        "modifiers": " ".join(line.modifiers),
        "pointers": "".join(_LETTERS[n - 1] for n in _outgoing.pointers(line, listed)),
        "amount": "" if line.charge_amount is None else _money(line.charge_amount),
        "units": f"{line.units:>{UNIT_DIGITS}}",
    }
    row = ""
    for name, (first, last) in COLUMNS.items():
        row = f"{row:<{first - 1}}{boxes[name]:<{last - first + 1}}"
    return row.rstrip()


def _money(amount: Decimal) -> str:
    """Dollars and cents without a point; the form's own line stands between them."""
    dollars, cents = divmod(int(amount * 100), 100)
    return f"{dollars:>5} {cents:02}" if dollars < 10**5 else f"{dollars}{cents:02}"


def losses(charge: Charge, *, layout: str = "nucc", reference: Reference | None = None) -> tuple[Loss, ...]:
    """What of the charge item 24 does not carry."""
    lost = _outgoing.losses(charge.lines, {"revenue_code": "a CMS-1500 line has no revenue code"})
    if _layout(charge, layout, reference) == "item-19":
        reason = "item 19 names the products of the whole form, not of a line"
        lost += _outgoing.losses(charge.lines, {"ndc": reason})
    return lost + _outgoing.lost_pointers(charge.lines, "24E")


_ROW = re.compile(r"\d\d \d\d \d\d \d\d \d\d \d\d \d\d", re.ASCII)
_SHADED = re.compile(rf"N4(\d{{11}})( +)({_outgoing.UNIT})(\d+(?:\.\d+)?)(?: {{3}}|$)", re.ASCII)


def read(text: str | bytes, *, diagnoses: Sequence[str] = ()) -> ClaimLines:
    """The lines of rows as `write` prints them, in any layout; `diagnoses`: item 21. Raises `FormatError`."""
    written = plain_text(text, "cms1500")
    refuse_other_formats(written, "cms1500")
    if not written.strip():
        raise FormatError("There is no CMS-1500 text to read.", format="cms1500")
    rows = written.replace("\r\n", "\n").removesuffix("\n").split("\n")
    found = FoundLines("cms1500")
    if rows[0].startswith(_ITEM_19):
        found.lose(None, "ndc", rows.pop(0).removeprefix(_ITEM_19), "item 19 names no line")
    while len(rows) > 1 and not rows[-1].strip():
        rows.pop()
    if len(rows) % 2:
        found.problems.append(f"{len(rows)} rows, and each line of item 24 has two")
    # A form has six lines, and those that are not used are blank.
    for shaded, row in zip(rows[::2], rows[1::2], strict=False):
        if shaded.strip() or row.strip():
            _read_pair(shaded, row, tuple(diagnoses), found)
    return found.lines("This CMS-1500 text", "line of item 24")


def _beside(row: str) -> str:
    """What stands outside the columns that are read: an emergency, EPSDT, who rendered it."""
    for first, last in COLUMNS.values():
        row = f"{row[: first - 1]}{' ' * (last - first + 1)}{row[last:]}"
    return " ".join(row.split())


def _box(row: str, name: str) -> str:
    first, last = COLUMNS[name]
    return row[first - 1 : last].strip()


def _read_pair(shaded: str, row: str, listed: tuple[str, ...], found: FoundLines) -> None:
    where = f"line {found.at}"
    if not _ROW.match(row):
        found.wrong(where, f"{coded(row)} does not begin with two dates and a place")
        found.add(Line(""), "")
        return
    count, letters = _box(row, "units"), _box(row, "pointers")
    found.code(_box(row, "code"), where)
    units = found.units(Decimal(count) if is_count(count) else None, f"{where}: {coded(count)} units")
    places = [_LETTERS.find(letter) for letter in letters]
    if unknown := [letter for letter, n in zip(letters, places, strict=True) if not 0 <= n < len(listed)]:
        found.lose(found.at, "diagnoses", "".join(unknown), "item 21 is not at hand")
    ndcs, narrative = _read_shaded(shaded, where, found)
    money = _box(row, "amount").replace(" ", "")
    if money and not is_count(money):
        said = f"{coded(_box(row, 'amount'))} in 24F is no amount of dollars and cents, without a point"
        found.wrong(where, said)
    if said := _beside(row):
        found.lose(found.at, "24", said, "a line has no field for what stands between its boxes and behind 24G")
    line = line_of(
        _box(row, "code").upper(),
        _box(row, "modifiers").split(),
        units,
        ndcs,
        (listed[n] for n in places if 0 <= n < len(listed)),
        charge_amount=Decimal(money).scaleb(-2) if is_count(money) else None,
        description=narrative,
    )
    written = [_box(row, name).split() for name in ("from", "to")]
    days = "/".join(dict.fromkeys(f"20{year}-{month}-{day}" for month, day, year in written))
    found.add(line, days, _box(row, "place"), where=where)


def _read_shaded(shaded: str, where: str, found: FoundLines) -> tuple[list[ExtraNdc], str | None]:
    ndcs: list[ExtraNdc] = []
    rest = shaded.rstrip()
    while match := _SHADED.match(rest):
        try:
            quantity = decimal(Decimal(match[4]))
        except ValueError:
            break
        if len(match[2]) == IMPLIED_COLUMN - 1 - 13:
            quantity = quantity.scaleb(-IMPLIED_DIGITS[1])
        ndcs.append(ExtraNdc(match[1], match[3], Decimal(number(quantity))))
        rest = rest[match.end() :]
    if rest.startswith("ZZ"):
        return ndcs, rest[2:]
    if rest:
        found.wrong(where, f"{coded(rest)} in the shaded part is neither an NDC with its quantity nor ZZ")
    return ndcs, None
