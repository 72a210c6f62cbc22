"""NSDE, the FDA's list of NDCs with their billing unit: what an NDC line counts. It has no codes and no amounts."""

from __future__ import annotations

from collections.abc import Iterable

from jcodeunits.errors import quoted

from .byhand import ByHand
from .family import MOST_ODD, Asked, Edition, Family, FileReading, Headed, Tally, said
from .files import Published, problem
from .findings import Lint
from .marketed import UNIT_OF
from .ndc_directory import PRESCRIPTION, day_of, newest_or_asked

_COLUMNS = ("ndc11", "marketing start date", "billing unit", "proprietary name", "dosage form")

_MOST_UNREAD = 4  # one in four units may be a word that is not known here


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """Unit, form and days of each NDC of a prescription drug."""
    tally, newest, rows, unread = Tally(), "", 0, []
    for line, cells in file.body(_COLUMNS):
        rows += 1
        start = day_of(file, line, cells["marketing start date"])
        newest = max(newest, start)
        told = said(
            unit=cells["billing unit"].upper(),
            form=cells["dosage form"],
            name=cells["proprietary name"],
            began=start,
            ended=day_of(file, line, cells.get("marketing end date", "")),
            inactive=day_of(file, line, cells.get("inactivation date", "")),
            active=day_of(file, line, cells.get("reactivation date", "")),
        )
        if cells["billing unit"] and cells["billing unit"].upper() not in UNIT_OF:
            unread.append(cells["billing unit"])
        prescribed = cells.get("product type", "").upper() in PRESCRIPTION
        tally.add(f"{cells['ndc11']}|{told}", tally.ndc(cells["ndc11"].zfill(11)) if prescribed else None, told)
    if not newest:
        raise problem(file.name, "it holds no NDC below its header.")
    when = newest_or_asked(file, asked, newest)
    edition = Edition("nsde", when, f"NSDE, {when.name}", "FDA")
    says = f"{len(unread):,} billing units are none, for example {', '.join(map(quoted, unread[:3]))}."
    if len(unread) > MOST_ODD and len(unread) * _MOST_UNREAD > rows:
        raise problem(file.name, f"{says} A column is out of its place.")
    yield tally.reading(edition, [Lint("unit", edition.title, says)] if unread else ())


FAMILY = Family(
    name="NSDE",
    files=("nsde",),
    table="evidence",
    recognises=Headed(_COLUMNS),
    read=read,
    page="fda.gov, 'NDC SPL Data Elements File (NSDE)'",
    alike=("unit",),
    named=r"comprehensive_ndc|nsde",
)
