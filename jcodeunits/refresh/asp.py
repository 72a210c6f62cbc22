"""The quarterly Part B drug files of CMS: the NDC-HCPCS crosswalk and the payment limits.

Both say which days they cover in words above their header; the first column's name changes every year, and
empty columns and rows pad the file. The dosage is the billing unit in one of many spellings. The ZIPs hold
further crosswalks (by wholesale price, for hospitals, for drugs without a code): their first line tells.
None says whether a drug is covered, or prices of drugs without a code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import attrs

from jcodeunits.errors import quoted
from jcodeunits.tables import words

from .byhand import ByHand
from .dating import When, days_above, of_quarter
from .family import Asked, Edition, Family, FileReading, Headed, Tally, facts, number_of, said
from .files import Published, problem

CROSSWALK_COLUMNS = words(
    "short description|labeler name|drug name|hcpcs dosage|pkg size|pkg qty|billunits|billunitspkg"
)
_LIMITS = ("hcpcs code", "short description", "hcpcs code dosage", "payment limit")
_CODES = re.compile(r"(\d{4} |hcpcs )?code|hcpcs")
_NDC = re.compile(r"\d{5}-\d{4}-\d{2}|\d{11}")
_OTHERS = re.compile(r"(?<![a-z])(awp|opps|noc)(?![a-z])", re.IGNORECASE)


@attrs.frozen
class CrosswalkRow:
    """One product of one quarter, as printed: amounts stay text until someone needs them exact."""

    line: int
    code: str
    labeler: str
    ndc: str
    name: str
    dosage: str
    package_size: str
    package_quantity: str
    billunits: str
    billunits_package: str

    @property
    def statement(self) -> tuple[str, str]:
        """The NDC, and what is said of it."""
        told = said(
            code=self.code,
            dosage=self.dosage,
            size=self.package_size,
            containers=self.package_quantity,
            units=self.billunits,
            package=self.billunits_package,
            name=self.name,
            maker=self.labeler,
        )
        return number_of(self.ndc) or self.ndc, told


def row_of(subject: str, told: str) -> CrosswalkRow:
    """The row that a statement was made from."""
    f = facts(told)
    cells = (f.get(key, "") for key in ("name", "dosage", "size", "containers", "units", "package"))
    return CrosswalkRow(0, f["code"], f.get("maker", ""), subject, *cells)


def _above(file: Published, wanted: Iterable[str]) -> list[str]:
    start = file.header_row(wanted) or 0
    return [cell for row in file.head[:start] for cell in row if cell]


def when_of(file: Published, asked: Asked, wanted: Iterable[str]) -> When:
    """The quarter that the words above the header state, else the file's names or the person."""
    try:
        days = days_above(_above(file, wanted))
    except ValueError as why:
        raise problem(file.name, f"the days above its header are none ({quoted(str(why))}).") from why
    if days is None:
        return asked.when(file)
    found = of_quarter(days[0].year, (days[0].month + 2) // 3)
    if days != (found.first, found.last):
        says = (
            f"the days above its header, {days[0]} to {days[1]}, are no quarter, such as {found.first} to {found.last}."
        )
        raise problem(file.name, says)
    return found


def _twin(file: Published, wanted: Iterable[str]) -> str:
    """Which of the other lists a file is, by its first line, else by its name; empty for the one wanted."""
    above = " ".join(_above(file, wanted)[:1])
    match = _OTHERS.search(above) or (None if re.search(r"\bASP\b", above) else _OTHERS.search(file.names[0]))
    return match[1].upper() if match else ""


# The crosswalk: by its columns, and by its first line not one of the others.
is_crosswalk = Headed(CROSSWALK_COLUMNS, unless=lambda file: bool(_twin(file, CROSSWALK_COLUMNS)))


def is_twin(file: Published) -> bool:
    """Whether a file is one of the lists that we do not read."""
    return any(file.has(wanted) and bool(_twin(file, wanted)) for wanted in (CROSSWALK_COLUMNS, _LIMITS))


def crosswalk_rows(file: Published) -> Iterator[CrosswalkRow]:
    """Every row of a crosswalk. Raises `TableError` for a changed header or a cut row."""
    start = file.header_row(CROSSWALK_COLUMNS)
    assert start is not None
    header = file.headers[start]
    first = next((name for name in header if _CODES.fullmatch(name)), None)
    if first is None:
        raise problem(
            file.name, f"no column of its header is the code; the first is {header[0][:40]!r}.", line=start + 1
        )
    number = _ndc_column(file, start, header)
    for line, cells in file.body(CROSSWALK_COLUMNS, (first, number, *CROSSWALK_COLUMNS)):
        code = file.code(line, cells[first])
        rest = (cells[n] for n in ("drug name", "hcpcs dosage", "pkg size", "pkg qty", "billunits", "billunitspkg"))
        yield CrosswalkRow(line, code, cells["labeler name"], cells[number], *rest)


def _ndc_column(file: Published, start: int, header: list[str]) -> str:
    """The column that holds NDCs: `NDC2` until 2026, `NDC` since; the one in which most cells are one."""
    below = file.head[start + 1 :]
    counts = {
        name: sum(bool(_NDC.fullmatch(row[i])) for row in below if i < len(row))
        for i, name in enumerate(header)
        if name
    }
    best = max(counts, key=lambda name: (counts[name], name.startswith("ndc")))
    if not counts[best] and not best.startswith("ndc"):
        raise problem(file.name, "none of its columns holds NDCs.", line=start + 1)
    return best


def read_limits(file: Published, asked: Asked, byhand: ByHand) -> Iterable[FileReading]:
    """One quarter's payment limits."""
    when, tally, rows = when_of(file, asked, _LIMITS), Tally(), 0
    for line, cells in file.body(_LIMITS):
        code, limit = file.code(line, cells["hcpcs code"]), cells["payment limit"]
        price, dosage = tally.price(limit), cells["hcpcs code dosage"]
        if not re.search("[A-Za-z]", dosage):
            raise problem(file.name, f"{code}: {dosage[:20]!r} is no dosage.", line=line)
        told = said(limit=price, dosage=dosage)
        tally.once(file, line, code, told)
        tally.add(f"{code}|{dosage}|{price or limit}", code if byhand.may_be_ours(code) else None, told)
        rows += 1
    if not rows:
        raise problem(file.name, "it holds no row below its header.")
    name = asked.named(file, "asp-limits")
    yield tally.reading(Edition(name, when, f"Part B payment limits {when.words}"))


TWINS = Family(
    name="other NDC-HCPCS crosswalks",
    files=(),
    table="",
    recognises=is_twin,
    read=lambda _file, _asked, _byhand: (),
    page="",
    leaves="another list (wholesale price, hospitals, drugs without a code), not that of ASP",
)
LIMITS = Family(
    name="payment limits",
    files=("asp-limits", "asp-limits-rows"),
    table="fee_evidence",
    recognises=Headed(_LIMITS, unless=lambda file: bool(_twin(file, _LIMITS))),
    read=read_limits,
    page="cms.gov, 'ASP Pricing Files': the ZIP of the payment limits",
    closes=True,
    price="limit",
    named=r"^(?!.*(?<![a-z])(?:noc|awp|opps)(?![a-z])).*(?:payment[ _-]*(?:allowance[ _-]*)?limit|asp[ _-]*pricing)",
)
