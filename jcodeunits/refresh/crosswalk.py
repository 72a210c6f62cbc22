"""Reads CMS's quarterly ASP crosswalk (NDC to HCPCS), and says where a row contradicts itself.

The files are cp1252 with some lines of prose before the header, empty columns and rows, a first column whose
name changes every year, and identifiers that are no NDC (skin substitutes). BILLUNITS is the number of billing
units in one container. BILLUNITSPKG is rounded up since 2025 Q3: it is read for the lint and used for nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

import attrs

from .. import ndc, units
from ..errors import DoseError, IdentifierError, TableError

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_DATES = re.compile(r"Effective (\w+) (\d+), (\d{4}) through (\w+) (\d+), (\d{4})")
_COLUMNS = {
    "name": "drug name",
    "maker": "labeler name",
    "ndc": "ndc2",
    "dosage": "hcpcs dosage",
    "size": "pkg size",
    "containers": "pkg qty",
    "billing_units": "billunits",
    "package_units": "billunitspkg",
}
_AMOUNT = re.compile(r"([\d,]*\.?\d+) ?(MILLION )?([A-Z. ]+?)(?: ?\(.*\)| VWF:RCO)?")


@attrs.frozen
class Listing:
    """One row: an NDC under a code in one quarter.

    `size` is CMS's package size (a volume only where something else proves it), `containers` those in a
    package, `billing_units` those in one container, all exact; `amount` the drug in one container in `unit`,
    or the billing units where the dosage text names no single amount; `slack` how far the printed rounding
    lets the true amount lie away; `problem` what the row says against itself.
    """

    code: str
    ndc: str
    name: str
    maker: str
    dosage: str
    size: Fraction
    containers: Fraction
    billing_units: Fraction
    amount: Fraction
    unit: str
    slack: Fraction
    problem: str


@attrs.frozen
class Edition:
    """One quarter's crosswalk: its days in effect, its rows, and the rows that cannot be used, with the reason."""

    source: str
    first: dt.date
    last: dt.date
    listings: tuple[Listing, ...]
    unreadable: tuple[str, ...]


def read_dosage(dosage: str) -> tuple[Fraction, str] | None:
    """The billing unit that CMS prints, as size and unit; None where it is no single amount.

    >>> read_dosage(".625 GM"), read_dosage("UP TO 0.50 MG"), read_dosage("300 MCG (1500 IU)")
    ((Fraction(625, 1), 'mg'), (Fraction(1, 2), 'mg'), (Fraction(3, 10), 'mg'))
    >>> read_dosage("2.5 MG/0.5 MG") is None and read_dosage("GREATER THAN 100 MG") is None
    True
    """
    text = re.sub(r"\s+", " ", dosage.upper()).strip().removeprefix("UP TO ")
    if text == "PER FACTOR VIII IU":
        text = "1 IU"
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None
    try:
        symbol = units.canonical(match[3].strip())
    except DoseError:
        return None
    size = Fraction(match[1].replace(",", "").lstrip("0") or "0") * (10**6 if match[2] else 1)
    for base in ("mg", "mL"):
        if units.dimension(symbol) == units.dimension(base):
            return size * units.factor(symbol, base), base
    # CMS prints UNITS, IU and USP UNIT for the same drug: one word, the drug's own activity unit.
    return (size, "unit") if units.is_activity(symbol) else (size, symbol)


def read(path: Path) -> Edition:
    """One crosswalk file. Raises `TableError` where the header or its dates are not found."""
    rows = list(csv.reader(path.read_text("cp1252").splitlines()))
    head = next((n for n, row in enumerate(rows) if "BILLUNITS" in row), None)
    dates = next((m for row in rows[:head] for cell in row if (m := _DATES.search(cell))), None)
    if head is None or dates is None:
        raise TableError(
            f"{path.name} is no crosswalk: no header with BILLUNITS or no dates in effect above it.",
            file=str(path),
            problems=(),
        )
    names = [cell.strip().lower() for cell in rows[head]]
    at = {"code": 0} | {field: names.index(title) for field, title in _COLUMNS.items()}
    first, last = _day(*dates.groups()[:3]), _day(*dates.groups()[3:])
    listings, unreadable = [], []
    for line, row in enumerate(rows[head + 1 :], start=head + 2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {field: row[n].strip() for field, n in at.items()}
        try:
            listings.append(_listing(cells))
        except (IdentifierError, InvalidOperation, ValueError) as why:
            unreadable.append(f"line {line}: {cells['code']} {cells['ndc']}: {why}")
    source = f"asp-xwalk-{first.year}q{(first.month + 2) // 3}"
    return Edition(source, first, last, tuple(listings), tuple(unreadable))


def _day(month: str, day: str, year: str) -> dt.date:
    return dt.date(int(year), _MONTHS.index(month) + 1, int(day))


def _listing(cells: dict[str, str]) -> Listing:
    printed = Decimal(cells["billing_units"])
    billing_units, containers = Fraction(printed), Fraction(cells["containers"])
    dosage = read_dosage(cells["dosage"])
    size, unit = dosage or (Fraction(1), "billing unit")
    # 12.5 and 0.25 are exact; a longer decimal such as 8.33 is taken as rounded at its last place.
    exponent = printed.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent <= -2 and (printed * 8) % 1 else 0
    slack = size / (2 * 10**places) if places else Fraction(0)
    if billing_units <= 0 or containers <= 0:
        raise ValueError("no billing units or no containers")
    return Listing(
        code=cells["code"],
        ndc=ndc.format(cells["ndc"]),
        name=cells["name"],
        maker=cells["maker"],
        dosage=re.sub(r"\s+", " ", cells["dosage"]),
        size=Fraction(cells["size"]),
        containers=containers,
        billing_units=billing_units,
        amount=billing_units * size,
        unit=unit,
        slack=slack,
        problem=_contradiction(billing_units, containers, Fraction(cells["package_units"])),
    )


def _contradiction(billing_units: Fraction, containers: Fraction, package: Fraction) -> str:
    """Whether the units of the package follow from those of a container, rounded in any way that CMS used."""
    total = billing_units * containers
    slack = containers / 100
    if abs(total - package) <= max(slack, Fraction(1, 2)) or math.ceil(total - slack) <= package <= math.ceil(
        total + slack
    ):
        return ""
    return f"{_plain(billing_units)} units x {_plain(containers)} containers is not {_plain(package)}"


def _plain(value: Fraction) -> str:
    return format(float(value), ".6g") if value.denominator != 1 else str(value)
