"""A state's conversion file, for the shipped book: claim units for rebate units by NDC and code, never an amount."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from .byhand import ByHand
from .dating import month_in
from .family import Asked, Edition, Family, FileReading, Headed, Tally, number_of, said
from .files import Published

_COLUMNS = ("ndc", "claim type", "hcpcs", "provider billed units", "cms units - invoiced units")


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """Every row whose NDC and units can be read; a pharmacy row has no code."""
    when, tally = asked.when(file, month_in), Tally()
    when = attrs.evolve(when, name=when.name[:7])
    for _line, cells in file.body(_COLUMNS):
        billed, counted = (cells[name].replace(",", "") for name in _COLUMNS[3:])
        told = said(code=cells["hcpcs"], billed=billed, counted=counted)
        number = number_of(cells["ndc"]) if billed and counted else None
        tally.add(f"{cells['ndc']}|{cells['claim type']}|{told}|{cells.get('last update', '')}", number, told)
    edition = Edition(
        "state-conversion", when, f"Units of drug claims as billed and as invoiced, {when.name}", "a state agency"
    )
    yield tally.reading(edition)


FAMILY = Family(
    name="a state's conversion of NDC units",
    files=("state-conversion",),
    table="evidence",
    recognises=Headed(_COLUMNS),
    read=read,
    page="",
)
