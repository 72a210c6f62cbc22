"""What the rows of CMS's crosswalk (NDC to HCPCS) mean: exact amounts, and where a row contradicts itself.

BILLUNITS is the number of billing units in one container. BILLUNITSPKG is rounded up since 2025 Q3: it is
read for the lint and used for nothing. The form of a container and what an NDC line counts are in no row.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

import attrs

from jcodeunits import ndc, units
from jcodeunits.amount import decimal_text
from jcodeunits.errors import IdentifierError

from . import asp
from .amounts import dosage as plain_dosage
from .amounts import printed
from .asp import CrosswalkRow
from .byhand import ByHand
from .dating import When
from .family import MOST_ODD, Asked, Edition, Family, FileReading, Tally, number_of
from .files import Published as File
from .files import problem
from .findings import Lint

# An equivalence or a remark behind the amount: "300 MCG (1500 IU)", "10 MG (rituximab)", "1 I.U. VWF:RCO".
_REMARK = re.compile(r"(?<=[A-Za-z.]) ?(?:\(.*\)|vwf:rco)$", re.IGNORECASE)

# One code for all doses within limits: its amount is a limit, not what a container holds.
_BAND = re.compile(r"less than|greater than|over |minimum", re.IGNORECASE)


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
class CrosswalkEdition:
    """One quarter's crosswalk: its days, its rows, those that cannot be used and why, and how many ids are no NDC."""

    source: str
    first: dt.date
    last: dt.date
    listings: tuple[Listing, ...]
    unreadable: tuple[str, ...]
    without_ndc: int


def read_dosage(dosage: str) -> tuple[Fraction, str] | None:
    """The billing unit that CMS prints, as size and unit (mg, mL, unit); None where it is no single amount.

    >>> read_dosage(".625 GM"), read_dosage("UP TO 0.50 MG"), read_dosage("300 MCG (1500 IU)")
    ((Fraction(625, 1), 'mg'), (Fraction(1, 2), 'mg'), (Fraction(3, 10), 'mg'))
    >>> read_dosage("2.5 MG/0.5 MG") is None and read_dosage("GREATER THAN 100 MG") is None
    True
    """
    text = re.sub(r"^PER (?=FACTOR VIII IU$)", "1 ", dosage.strip().upper())
    if _BAND.match(text):
        return None
    found = plain_dosage(_REMARK.sub("", text))
    if found is None or not units.is_known(found[1]) or found[1] == "cell":
        return None
    size, symbol = Fraction(found[0]), units.canonical(found[1])
    for base in ("mg", "mL"):
        if units.dimension(symbol) == units.dimension(base):
            return size * units.factor(symbol, base), base
    if units.dimension(symbol).endswith("_count"):
        return None  # a vial or a dose is counted, not measured
    # CMS prints UNITS, IU and USP UNIT for the same drug: one word, the drug's own activity unit.
    return (size, "unit") if units.is_activity(symbol) else (size, symbol)


def edition(when: When, rows: Iterable[CrosswalkRow]) -> CrosswalkEdition:
    """One quarter's rows as exact amounts."""
    listings, unreadable, without_ndc = [], [], 0
    for row in rows:
        try:
            listings.append(_listing(row))
        except IdentifierError:
            without_ndc += 1
        except (ArithmeticError, ValueError) as why:
            unreadable.append(f"line {row.line}: {row.code} {row.ndc}: {why}")
    found = tuple(listings), tuple(unreadable), without_ndc
    return CrosswalkEdition(f"asp-xwalk-{when.name}", when.first, when.last or dt.date.max, *found)


def _listing(row: CrosswalkRow) -> Listing:
    units_printed = printed(row.billunits)
    billing_units, containers = Fraction(units_printed), Fraction(printed(row.package_quantity))
    if billing_units <= 0 or containers <= 0:
        raise ValueError("no billing units or no containers")
    size, unit = read_dosage(row.dosage) or (Fraction(1), "billing unit")
    # 12.5 and 0.25 are exact; a longer decimal such as 8.33 is taken as rounded at its last place.
    exponent = units_printed.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent <= -2 and (units_printed * 8) % 1 else 0
    return Listing(
        code=row.code,
        ndc=ndc.format(row.ndc),
        name=row.name,
        maker=row.labeler,
        dosage=re.sub(r"\s+", " ", row.dosage),
        size=Fraction(printed(row.package_size)),
        containers=containers,
        billing_units=billing_units,
        amount=billing_units * size,
        unit=unit,
        slack=size / (2 * 10**places) if places else Fraction(0),
        problem=contradiction(billing_units, containers, Fraction(printed(row.billunits_package))),
    )


def contradiction(billing_units: Fraction, containers: Fraction, package: Fraction) -> str:
    """Why the units of a package do not follow from those of a container, rounded in any way that CMS used.

    >>> contradiction(Fraction(10), Fraction(10), Fraction(10))
    '10 units x 10 containers is not 10'
    >>> contradiction(Fraction("8.33"), Fraction(10), Fraction(84))
    ''
    """
    total, slack = billing_units * containers, containers / 100
    near = abs(total - package) <= max(slack, Fraction(1, 2))
    if near or math.ceil(total - slack) <= package <= math.ceil(total + slack):
        return ""
    figures = (decimal_text(value) for value in (billing_units, containers, package))
    return "{} units x {} containers is not {}".format(*figures)


def read_crosswalk(file: File, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """One quarter's crosswalk, every row."""
    when = asp.when_of(file, asked, asp.CROSSWALK_COLUMNS)
    if asked.partial:
        says = "a crosswalk is read whole: of selected rows nobody knows which products are gone. Leave --partial out."
        raise problem(file.name, says)
    rows = tuple(asp.crosswalk_rows(file))
    if not rows:
        raise problem(file.name, "it holds no row below its header.")
    tally = Tally()
    odd = []
    for row in rows:
        cells = (row.billunits, row.package_quantity, row.package_size, row.billunits_package)
        amounts = list(map(tally.number, cells))
        if None in amounts or 0 in amounts:
            odd.append(f"line {row.line}: {row.code} {row.ndc}")
        tally.once(file, row.line, f"{row.code} {row.ndc}", "|".join(map(str, amounts)))
        statement = row.statement
        tally.add("|".join(statement), *statement)
    if len(odd) > MOST_ODD:
        says = f"{len(odd):,} rows lack an amount above zero, the first in {odd[0]}. Take it as it was published."
        raise problem(file.name, says)
    edition = Edition("asp-xwalk", when, f"ASP NDC-HCPCS crosswalk {when.words}")
    yield tally.reading(edition, crosswalk_lint(when, rows))


def crosswalk_lint(when: When, rows: Sequence[CrosswalkRow]) -> list[Lint]:
    """Rows that contradict themselves, and ids that are no NDC, counted."""
    lint, place = [], f"crosswalk {when.name.upper()}"
    no_ndc = [row for row in rows if number_of(row.ndc) is None]
    if no_ndc:
        first = ", ".join(dict.fromkeys(f"{row.code} {row.ndc}" for row in no_ndc[:3]))
        lint.append(Lint("ndc", place, f"{len(no_ndc)} ids are no NDC, for example {first}."))
    for row in rows:
        says = _contradiction(row)
        if says:
            lint.append(Lint("contradicts", f"{place}, line {row.line}", says))
    return lint


def _contradiction(row: CrosswalkRow) -> str:
    """Units of a container times containers must be the units of the package, or that rounded up."""
    numbers = (row.billunits, row.package_quantity, row.billunits_package)
    try:
        each, count, whole = (Fraction(printed(cell)) for cell in numbers)
    except (ValueError, ZeroDivisionError):
        return f"{row.code} {row.ndc}: an amount is no number."
    if each <= 0 or count <= 0:
        return f"{row.code} {row.ndc}: an amount is not above zero."
    says = contradiction(each, count, whole)
    return f"{row.code} {row.ndc}: {says}." if says else ""


FAMILY = Family(
    name="NDC-HCPCS crosswalk",
    files=("asp-xwalk",),
    table="evidence",
    recognises=asp.is_crosswalk,
    read=read_crosswalk,
    page="cms.gov, 'ASP Pricing Files': the ZIP of the NDC-HCPCS crosswalks",
    closes=True,
    alike=("code", "size", "containers", "units"),
    named=r"^(?!.*(?<![a-z])(?:noc|awp|opps)(?![a-z])).*(?:ndc[ _-]*hcpcs|crosswalk)",
)
