"""The place-of-service code set: CMS's page as a browser saved it, a workbook, or a table with the rate paid there.

CMS's own has codes and names, not the rate: a place keeps the rate that an edition or our table has for it, and a
new place without one is named for review.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .byhand import ByHand
from .dating import month_in
from .family import Asked, Edition, Family, FileReading, Tally, said
from .files import Cells, Published, problem

_SHORT = ("pos code", "pos type", "pos name")
_CODE = re.compile(r"\d\d")
_CODE_COLUMN = re.compile(r"(?:place of service |pos )?codes?(?: ?\(s\))?")
_NAME_COLUMN = re.compile(r"(?:place of service |pos )?name")
_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """One edition of the code set."""
    when, tally = asked.when(file, month_in), Tally()
    if file.has(_SHORT):
        code_column, rate_column, name_column = _SHORT
        needed: tuple[str, ...] = _SHORT
    else:
        code_column, name_column = needed = _columns(file)
        rate_column = ""
    for line, cells in file.body(needed):
        code, name = cells[code_column].zfill(2), cells[name_column].replace(_APOSTROPHE, "'")
        rate = cells.get(rate_column, "").lower()
        if name.lower() == "unassigned" or rate == "unassigned":
            tally.add(f"{code}|unassigned")
            continue
        if not _CODE.fullmatch(code) or rate not in (("facility", "non-facility") if rate_column else ("",)):
            raise problem(file.name, f"{code[:20]!r}, {rate[:20]!r} is no place.", line=line)
        tally.add(f"{code}|{rate}", code, said(rate=rate, name=name))
    if not tally.statements:
        raise problem(file.name, "it holds no place below its header.")
    yield tally.reading(Edition("pos", when, f"Place-of-service code set, {when.name}"))


def _columns(file: Published) -> tuple[str, ...]:
    """The columns of code and name in CMS's own table; empty where the file holds none."""
    for at, names in enumerate(file.headers):
        code = next((name for name in names if _CODE_COLUMN.fullmatch(name)), None)
        name = next((name for name in names if _NAME_COLUMN.fullmatch(name)), None)
        if code is not None and name is not None:
            below: list[Cells] = [dict(zip(names, cells, strict=False)) for cells in file.head[at + 1 :]]
            office = any((one.get(code), one.get(name, "").lower()) == ("11", "office") for one in below)
            return (code, name) if office else ()
    return ()


FAMILY = Family(
    name="places of service",
    files=("pos",),
    table="place_evidence",
    recognises=lambda file: file.has(_SHORT) or bool(_columns(file)),
    read=read,
    page="cms.gov, 'Place of Service Code Set': the page saved, or its table as a workbook",
    closes=True,
)
