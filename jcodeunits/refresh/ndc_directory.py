"""The FDA's NDC directory: products (form, routes, strength), packages (containers, shape, kind, volume); no codes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

import attrs

from jcodeunits.errors import TableError
from jcodeunits.tables import words

from .byhand import ByHand
from .dating import When, day_in, month_in, no_day
from .family import Asked, Edition, Family, FileReading, Headed, Statements, Tally, number_of, said
from .files import Cells, Published, problem
from .marketed import levels_of

_PRODUCT = ("productid", "productndc", "producttypename", "nonproprietaryname", "dosageformname", "routename")
_PACKAGE = ("productid", "productndc", "ndcpackagecode", "packagedescription")
_NUMBER = re.compile(r"\((\d+-\d+-\d+)\)")
PRESCRIPTION = frozenset(
    words(
        "HUMAN PRESCRIPTION DRUG|HUMAN PRESCRIPTION DRUG LABEL|HUMAN PRESCRIPTION DRUG LABEL WITH HIGHLIGHTS|"
        "VACCINE|PLASMA DERIVATIVE|CELLULAR THERAPY|LICENSED MINIMALLY MANIPULATED CELLS|STANDARDIZED ALLERGENIC"
    )
)


def day_of(file: Published, line: int, text: str) -> str:
    """A day written as YYYYMMDD, ISO or US, in ISO; empty where there is none. Raises `TableError`."""
    day = day_in(text) if text else ""
    if day is None:
        raise problem(file.name, f"{no_day(text)}.", line=line)
    return day


def newest_or_asked(file: Published, asked: Asked, newest: str) -> When:
    """The month that the person or the name states, else the newest day inside."""
    try:
        return attrs.evolve(asked.when(file, month_in), last=None)
    except TableError:
        return When(dt.date.fromisoformat(newest), None, newest)


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """Packages by NDC, or products by labeler and product (5-4)."""
    package = file.has(_PACKAGE)
    tally, newest = Tally(), ""
    for line, cells in file.body(_PACKAGE if package else _PRODUCT):
        start = day_of(file, line, cells.get("startmarketingdate", ""))
        newest = max(newest, start)
        ended = day_of(file, line, cells.get("endmarketingdate", ""))
        subject, told = _package(cells, start, ended) if package else _product(cells, start, ended)
        tally.add(f"{cells['productid']}|{subject}|{told}", subject, told)
        if package:
            tally.statements |= _inside(cells["packagedescription"], subject, start, ended)
    if not newest:
        raise problem(file.name, "it holds no row below its header.")
    when = newest_or_asked(file, asked, newest)
    kind = "package" if package else "product"
    yield tally.reading(Edition(f"ndc-{kind}", when, f"NDC directory, {kind}s, {when.name}", "FDA"))


def _inside(text: str, outer: str, start: str, ended: str) -> Statements:
    """What a description says of the containers in a package that have an NDC of their own, which a scanner reads.

    The number stands behind the container: `25 VIAL in 1 TRAY (0409-3795-01) / 1 mL in 1 VIAL (0409-3795-49)`.
    """
    levels, found = levels_of(text), set()
    for n, level in enumerate(levels[1:], 1):
        match = _NUMBER.search(level)
        number = number_of(match[1]) if match is not None else None
        if number is not None and number != outer:
            found.add((number, said(package=_bare(" / ".join(levels[n:])), began=start, ended=ended)))
    return found


def _bare(description: str) -> str:
    return re.sub(r" ?\((?:\d+-){1,2}\d+\) ?| ?\([\d-]+\)", "", " ".join(description.split()))


def _package(row: Cells, start: str, ended: str) -> tuple[str, str]:
    bare = _bare(row["packagedescription"])
    return number_of(row["ndcpackagecode"]) or "", said(package=bare, began=start, ended=ended)


def _product(row: Cells, start: str, ended: str) -> tuple[str, str]:
    if row["producttypename"].upper() not in PRESCRIPTION:
        return "", ""
    number = number_of(f"{row['productndc']}-00") or number_of(f"{row['productndc']}-0") or ""
    told = said(
        name=row.get("proprietaryname", ""),
        generic=row["nonproprietaryname"],
        form=row["dosageformname"],
        routes=row["routename"],
        strength=row.get("active numerator strength", ""),
        unit=row.get("active ingred unit", ""),
        maker=row.get("labelername", ""),
        began=start,
        ended=ended,
    )
    return number[:10], told


FAMILY = Family(
    name="NDC directory",
    files=("ndc-product", "ndc-package"),
    table="evidence",
    recognises=Headed(_PACKAGE, _PRODUCT),
    read=read,
    page="fda.gov, 'National Drug Code Directory': the ZIP of the text files",
)
