"""NADAC, what pharmacies pay by CMS: the unit in which each NDC is priced, not how many are in a box, and its name."""

from __future__ import annotations

from collections.abc import Iterable

from .byhand import ByHand
from .family import Asked, Edition, Family, FileReading, Headed, Tally, number_of, said
from .files import Published, problem
from .marketed import UNIT_OF
from .ndc_directory import day_of, newest_or_asked

_PUBLISHED = ("ndc description", "ndc", "effective date", "pricing unit")
_SHORT = ("ndc", "drug name", "pricing unit", "effective date")


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """The newest row of each NDC."""
    short = file.has(_SHORT)
    name, unit, day = _SHORT[1:] if short else ("ndc description", "pricing unit", "effective date")
    tally = Tally()
    newest: dict[str, tuple[str, str]] = {}
    last = ""
    for line, cells in file.body(_SHORT if short else _PUBLISHED):
        number, effective = number_of(cells["ndc"].zfill(11)), day_of(file, line, cells[day][:10])
        if cells[unit] not in UNIT_OF:
            raise problem(file.name, f"{cells[unit][:20]!r} is no pricing unit.", line=line)
        if not effective:
            raise problem(file.name, "the row has no day.", line=line)
        told = said(unit=cells[unit], name=cells[name])
        tally.add(f"{cells['ndc']}|{told}|{effective}")
        last = max(last, effective)
        if number is not None:
            tally.once(file, line, f"{number} of {effective}", cells[unit])
            newest[number] = max(newest.get(number, ("", "")), (effective, told))
    if not newest:
        raise problem(file.name, "it holds no NDC below its header.")
    when = newest_or_asked(file, asked, last)
    tally.statements |= {(number, told) for number, (_, told) in newest.items()}
    yield tally.reading(Edition("nadac", when, f"Pricing units of the pharmacy cost survey (NADAC), {when.name}"))


FAMILY = Family(
    name="pharmacy prices (NADAC)",
    files=("nadac",),
    table="evidence",
    recognises=Headed(_PUBLISHED, _SHORT),
    read=read,
    page="CMS's open data of drug prices, 'NADAC (National Average Drug Acquisition Cost)'",
    alike=("unit",),
    named=r"nadac",
)
