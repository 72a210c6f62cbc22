"""The place-of-service code set, saved as a table: code, name, and in some copies the rate that is paid there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .byhand import ByHand
from .dating import month_in
from .family import Asked, Edition, Family, FileReading, Tally, body, dated, has, said
from .files import Published, problem

_SHORT = ("pos_code", "pos_type", "pos_name")
_CODE = re.compile(r"\d\d")


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """One edition of the code set."""
    when, tally, statements = dated(file, asked, month_in), Tally(), set()
    for line, cells in body(file, _SHORT):
        code, rate = cells["pos_code"], cells["pos_type"].lower()
        if not _CODE.fullmatch(code) or rate not in ("facility", "non-facility", "unassigned"):
            raise problem(file.name, f"{code[:20]!r}, {rate[:20]!r} is no place.", line=line)
        tally.add(f"{code}|{rate}")
        if rate != "unassigned":
            statements.add(
                (code, said(rate=rate, name=cells["pos_name"].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))
            )
    yield FileReading(Edition("pos", when, f"Place-of-service code set, {when.name}"), statements, tally.digest)


FAMILY = Family(
    name="places of service",
    files=("pos",),
    table="place_evidence",
    makes=("places",),
    recognises=has(*_SHORT),
    read=read,
    page="cms.gov, 'Place of Service Code Set'",
    cannot="what a payer makes of a place",
)
