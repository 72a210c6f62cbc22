"""UB-04 (CMS-1450): form locators 42 to 47 of each line, the NDC in FL43 without a space in it.

>>> from decimal import Decimal
>>> from jcodeunits.claim import Charge, Line
>>> from jcodeunits.encounter import Encounter
>>> line = Line("J1885", ("JZ",), 2, "00409379501", "ML", Decimal("1.50"), kind="drug", revenue_code="0636")
>>> charge = Charge((line,), (), Encounter("2026-03-02", "22", claim="outpatient"))
>>> print(write(charge, amounts={"J1885": "5.00"}))
0636 N400409379501ML1.5       J1885JZ        030226       2      1000
<BLANKLINE>
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Unpack

from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.errors import FormatError
from jcodeunits.hcpcs import is_valid

from . import _outgoing
from ._claim_lines import ClaimLines, FoundLines, is_count, line_of
from ._json import plain_text, refuse_other_formats
from ._outgoing import Leaving, Loss, Rules, number
from ._quoting import coded

# Form locator -> width; one blank between two of them.
WIDTHS = {"42": 4, "43": 24, "44": 14, "45": 6, "46": 7, "47": 9}
_WIDTH = sum(WIDTHS.values()) + len(WIDTHS) - 1
UNIT_DIGITS = WIDTHS["46"]
DOLLAR_DIGITS = WIDTHS["47"] - 2
QUANTITY_MOST = WIDTHS["43"] - len("N4") - 11 - len("ML")  # what FL43 leaves, the point included
LINES_MOST = 22  # of one page; line 23 is the host's total
PAGE = "\f"  # between two pages

CARRIES = {
    "code": "FL44",
    "modifiers": "FL44, after the code",
    "units": "FL46",
    "charge_amount": "FL47",
    "revenue_code": "FL42",
    "description": "FL43, on a line without NDC",
    "ndc": "FL43, after N4",
    "ndc_quantity": "FL43",
    "ndc_qualifier": "FL43",
}


def write(charge: Charge, *, blank_amounts: bool = False, **how: Unpack[Leaving]) -> str:
    """The charge as rows of FL42 to FL47, 22 on a page, with a form feed between two pages.

    FL43 of a drug line holds N4, the NDC, the unit and the quantity with a floating point, 24 characters in
    all. `blank_amounts=True` leaves FL47 to the host; `how`: see `Leaving`.
    Raises `FormatError` listing all that is in the way. Source: NUBC's rule for FL43.
    """
    rules = Rules(
        "ub04",
        "UB-04",
        UNIT_DIGITS,
        ("revenue_code", "ndc_quantity", *(() if blank_amounts else ("charge_amount",))),
        {"charge_amount": "FL47", "revenue_code": "FL42", "ndc_quantity": "FL43"},
        None,
        QUANTITY_MOST,
        DOLLAR_DIGITS,
    )
    lines = _outgoing.prepare(charge, rules, **how)
    several = [f"line {at} ({line.code})" for at, line in enumerate(lines, 1) if line.extra_ndcs]
    if several:
        says = (
            f"Not written as UB-04: {', '.join(several)} has several NDCs, and FL43 holds one: one line for "
            "each NDC is needed."
        )
        raise FormatError(says, format="ub04", place=several[0])
    rows = [f"{_row(charge, line)}\n" for line in lines]
    pages = ["".join(rows[at : at + LINES_MOST]) for at in range(0, len(rows), LINES_MOST)]
    return PAGE.join(pages)


def _fl43(line: Line) -> str:
    if line.ndc is not None and line.ndc_quantity is not None:
        return f"N4{line.ndc}{line.ndc_qualifier}{number(line.ndc_quantity)}"
    words = line.description or ""
    return words if len(words) <= WIDTHS["43"] and not words.startswith("N4") else ""


def _row(charge: Charge, line: Line) -> str:
    cents = "" if line.charge_amount is None else str(int(line.charge_amount * 100))
    boxes = {
        "42": line.revenue_code or "",
        "43": f"{_fl43(line):<{WIDTHS['43']}}",
        "44": f"{line.code + ''.join(line.modifiers):<{WIDTHS['44']}}",
        "45": f"{charge.encounter.on:%m%d%y}",
        "46": f"{line.units:>{WIDTHS['46']}}",
        "47": f"{cents:>{WIDTHS['47']}}",
    }
    return " ".join(boxes.values()).rstrip()


def losses(charge: Charge) -> tuple[Loss, ...]:
    """What of the charge these rows do not carry."""
    lost = _outgoing.losses(charge.lines, {"diagnoses": "a UB-04 line points to no diagnosis"})
    lost += tuple(
        Loss(at, "description", line.description, "FL43 holds the NDC, or 24 characters")
        for at, line in enumerate(charge.lines, 1)
        if line.description and line.description != _fl43(line)
    )
    return (*lost, Loss(None, "place", charge.encounter.place, "the form has a type of bill, no place code"))


_NDC = re.compile(rf"N4(\d{{11}})({_outgoing.UNIT})(\d+(?:\.\d+)?)", re.ASCII)


def read(text: str | bytes) -> ClaimLines:
    """The lines of rows as `write` prints them; `FormatError` names the rows that are wrong."""
    written = plain_text(text, "ub04")
    refuse_other_formats(written, "ub04")
    if not written.strip():
        raise FormatError("There is no UB-04 text to read.", format="ub04")
    found = FoundLines("ub04")
    why = "a line has no field for what stands behind FL47, such as what is not covered (FL48)"
    for at, row in enumerate(written.replace(PAGE, "").rstrip().splitlines(), 1):
        boxes = _boxes(row)
        if not boxes["44"] and not boxes["43"].startswith("N4"):  # a room, drugs without a code, the total
            found.no_drug(f"row {at}", f"{boxes['42']}, charge {boxes['47']}", "no code in FL44")
            continue
        if said := row[_WIDTH:].strip():
            found.lose(found.at, "48", said, why)
        _read_row(boxes, f"row {at}", found)
    return found.lines("This UB-04 text", "row with a code in FL44")


def _boxes(row: str) -> dict[str, str]:
    boxes, start = {}, 0
    for name, width in WIDTHS.items():
        boxes[name] = row[start : start + width].strip()
        start += width + 1
    return boxes


def _read_row(boxes: dict[str, str], where: str, found: FoundLines) -> None:
    code, modifiers = boxes["44"][:5], boxes["44"][5:]
    if not is_valid(code) or len(modifiers) % 2:
        found.wrong(where, f"{coded(boxes['44'])} in FL44 is no code with modifiers")
    if boxes["47"] and not is_count(boxes["47"]):
        found.wrong(where, f"{coded(boxes['47'])} in FL47 is no amount in cents without a point")
    count = Decimal(boxes["46"]) if is_count(boxes["46"]) else None
    units = found.units(count, f"{where}: {coded(boxes['46'])} in FL46")
    drug = _NDC.fullmatch(boxes["43"])
    if drug is None and boxes["43"].startswith("N4"):
        found.wrong(where, f"{coded(boxes['43'])} in FL43 is no NDC with its quantity")
    day = boxes["45"]
    line = line_of(
        code.upper(),
        (modifiers[n : n + 2] for n in range(0, len(modifiers), 2)),
        units,
        [ExtraNdc(drug[1], drug[2], Decimal(number(Decimal(drug[3]))))] if drug else [],
        (),
        charge_amount=Decimal(boxes["47"]).scaleb(-2) if is_count(boxes["47"]) else None,
        revenue_code=boxes["42"] or None,
        description=boxes["43"] if boxes["43"] and not drug else None,
    )
    on = f"20{day[4:]}-{day[:2]}-{day[2:4]}" if re.fullmatch(r"\d{6}", day, re.ASCII) else ""
    if not on:
        found.wrong(where, f"{coded(day)} in FL45 is no date")
    found.add(line, on, where=where)
