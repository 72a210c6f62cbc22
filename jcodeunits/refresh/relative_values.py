"""The physician fee schedule's relative values, as the quarterly ZIP has them, with the conversion factor in each row.

The names of the columns are wrapped over several lines; the last of them begins with HCPCS. Rows with a modifier
(26, TC, 53) are parts of a service and are not kept. Figures are national.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from .byhand import ByHand
from .family import MOST_ODD, Asked, Edition, Family, FileReading, Tally, said
from .files import CODE, Published, problem
from .findings import Lint

_HEADER = ("hcpcs", "mod", "description")
_PARTS = ("work", "practice", "malpractice")
_ROUNDED = Decimal("0.02")  # three parts and their sum are rounded to cents
_LEAST, _MOST = 10, 100  # dollars
_NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,5})?")


def recognises(file: Published) -> bool:
    """Whether a file holds relative values by code."""
    start = file.header_row(_HEADER)
    return start is not None and any("CONV" in name for name in _names(file, start))


def _names(file: Published, start: int) -> list[str]:
    """The columns' names, put together from the lines over which they are wrapped."""
    width = len(file.head[start])
    lines = [row for row in file.head[max(start - 4, 0) : start + 1] if sum(map(bool, row)) > 1]
    return [" ".join(row[i].upper() for row in lines if i < len(row) and row[i]) for i in range(width)]


def _columns(file: Published, start: int) -> dict[str, int]:
    names = _names(file, start)

    def at(*words: str, without: str = "-") -> int:
        found = [i for i, name in enumerate(names) if all(w in name for w in words) and without not in name.split()]
        if not found:
            raise problem(file.name, f"no column of its header is {' '.join(words)}.", line=start + 1)
        return found[0]

    totals = [i for i, name in enumerate(names) if name.endswith("TOTAL")]
    practice = [i for i, name in enumerate(names) if "PE" in name.split() and "RVU" in name.split()]
    if not totals or not practice:
        raise problem(file.name, "no column of its header is a total, or a practice expense.", line=start + 1)
    return {
        "work": at("WORK", "RVU"),
        "practice": practice[0],  # the first is that of the office, the second that of a facility
        "malpractice": at("MP", "RVU"),
        "total": totals[0],
        "factor": at("CONV"),
    }


def read(file: Published, asked: Asked, byhand: ByHand) -> Iterable[FileReading]:
    """One release: the values of the procedures that we know, and the conversion factor."""
    when, start = asked.when(file), file.header_row(_HEADER)
    assert start is not None
    at, tally, factors = _columns(file, start), Tally(), set()
    unlike: list[str] = []
    for line, row in file.rows():
        if line <= start + 1 or not row or not CODE.fullmatch(row[0]):
            continue
        if len(row) <= max(at.values()):
            raise problem(file.name, f"the row has {len(row)} cells: it is cut off.", line=line)
        values = {name: row[i] for name, i in at.items()}
        wrong = [name for name, value in values.items() if not _NUMBER.fullmatch(value)]
        if wrong:
            raise problem(file.name, f"{row[0]}: {', '.join(wrong)} is no number.", line=line)
        ours = not row[1] and row[0] in byhand.procedures and values["total"].strip("0.")
        told = said(**{name: values[name] for name in at if name != "factor"})
        if not row[1]:
            tally.once(file, line, row[0], told)
        if ours and abs(sum(Decimal(values[name]) for name in _PARTS) - Decimal(values["total"])) > _ROUNDED:
            unlike.append(f"{row[0]}: {', '.join(f'{name} {values[name]}' for name in (*_PARTS, 'total'))}")
        tally.add(f"{row[0]}|{row[1]}|{'|'.join(values.values())}", row[0] if ours else None, told)
        if values["factor"].strip("0.") and row[0] not in ("", "0"):
            factors.add(values["factor"])
    # Anesthesia has a factor of its own, in other files; here all rows print one.
    if len(factors) != 1 or not tally.statements:
        raise problem(file.name, f"one conversion factor is wanted, its rows print {sorted(factors)[:3]}.")
    (factor,) = factors
    if not _LEAST < Decimal(factor) < _MOST:
        raise problem(file.name, f"{factor} is no conversion factor, which is of tens of dollars.")
    odd = f"{len(unlike)} totals are not the sum of their parts, for example {unlike[0]}" if unlike else ""
    if len(unlike) > MOST_ODD:
        raise problem(file.name, f"{odd}: a column is out of its place.")
    qualifying = not re.search(r"non[ _-]?qpp?", " ".join(file.names), re.IGNORECASE) and bool(
        re.search(r"qpp?", " ".join(file.names[:1]), re.IGNORECASE)
    )
    kind, who = ("rvu-qp", ", qualifying participants") if qualifying else ("rvu", "")
    tally.statements = {("all", said(factor=factor)), *(() if qualifying else tally.statements)}
    title = f"Relative value files {when.words}{who}"
    yield tally.reading(Edition(kind, when, title), [Lint("price", title, f"{odd}.")] if odd else ())


FAMILY = Family(
    name="relative values",
    files=("rvu", "rvu-qp"),
    table="fee_evidence",
    recognises=recognises,
    read=read,
    page="cms.gov, 'PFS Relative Value Files': the ZIP of the quarter",
    named=r"pprrvu",
)
