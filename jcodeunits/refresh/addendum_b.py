"""OPPS Addendum B: how the hospital outpatient system treats each code, and its rate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from .amounts import plain
from .byhand import ByHand
from .family import (
    Asked,
    Edition,
    Family,
    FileReading,
    Tally,
    body,
    code_of,
    dated,
    has,
    has_one,
    header_row,
    is_partial,
    said,
    words_of,
)
from .files import Published, problem

_PUBLISHED = ("hcpcs code", "short descriptor", "ci", "si", "apc")
_SHORT = ("hcpcs", "status indicator", "payment rate")
_RATE = re.compile(r"\$? ?(\d[\d,]{0,11}(?:\.\d{1,4})?)")


def read(file: Published, asked: Asked, byhand: ByHand) -> Iterable[FileReading]:
    """One quarter: status and rate of the codes that are or may be ours."""
    when, tally = dated(file, asked), Tally()
    if has(*_PUBLISHED)(file):
        header = words_of(file.head[header_row(file, _PUBLISHED) or 0])
        rate = next((name for name in header if name.startswith("payment rate")), "")
        wanted: tuple[str, ...] = _PUBLISHED
        code_column, status, price = "hcpcs code", "si", rate
    else:
        wanted = _SHORT
        code_column, status, price = _SHORT
    for line, cells in body(file, wanted):
        code = code_of(file, line, cells[code_column])
        rate = tally.price(cells.get(price, ""), _RATE)
        told = said(status=cells[status], rate=plain(Decimal(rate)) if rate else "")
        tally.add(f"{code}|{told}", code if cells[status] and byhand.may_be_ours(code) else None, told)
    if not tally.statements:
        raise problem(file.name, "it holds no code of ours below its header.")
    name = "opps-rows" if is_partial(file, asked) else "opps"
    yield tally.reading(Edition(name, when, f"OPPS Addendum B {when.words}"))


FAMILY = Family(
    name="outpatient statuses (OPPS Addendum B)",
    files=("opps", "opps-rows"),
    table="status_evidence",
    recognises=has_one((_PUBLISHED, _SHORT)),
    read=read,
    page="cms.gov, 'Addendum A and Addendum B Updates' of the hospital outpatient system",
    cannot="rates of a place: they are national",
    closes=True,
    named=r"addendum[ _.-]*b(?![a-z])",
)
