"""Prices of the Federal Supply Schedule (VA): how each package is described. Never the source of an amount."""

from __future__ import annotations

from collections.abc import Iterable

from .byhand import ByHand
from .dating import month_in
from .family import Asked, Edition, Family, FileReading, Headed, Tally, said
from .files import Published

_COLUMNS = ("ndcwithdashes", "packagedescription", "generic", "tradename")


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """Every description of every NDC."""
    when, tally = asked.when(file, month_in), Tally()
    for _line, cells in file.body(_COLUMNS):
        package, generic, trade = (cells[name].upper() for name in _COLUMNS[1:])
        told = said(package=package, generic=generic, trade=trade)
        tally.add(f"{cells['ndcwithdashes']}|{told}", tally.ndc(cells["ndcwithdashes"]), told)
    yield tally.reading(Edition("va-fss", when, f"Federal Supply Schedule prices of drugs, {when.name}", "VA"))


FAMILY = Family(
    name="VA prices",
    files=("va-fss",),
    table="evidence",
    recognises=Headed(_COLUMNS),
    read=read,
    page="va.gov, 'Pharmaceutical Prices' of the National Acquisition Center",
    named=r"fss.?pharm",
)
