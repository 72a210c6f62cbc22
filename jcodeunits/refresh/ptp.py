"""Procedure-to-procedure edits (PTP): millions of pairs, streamed; kept are those that concern our codes.

A pair is kept where one code is an administration code of ours, or both stand or may stand in our tables. The
published files carry each edit's first and last day, and edits that were deleted; the reshaped ones have lost the
first day, so there an edit is known from the first day of the edition, and a published file that has the pair
takes its place. The table itself is what is folded, as text, line by line, and is never loaded whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

import attrs

from .byhand import ByHand
from .dating import Days, day_in, no_day, quarter
from .family import Asked, Edition, Family, FileReading, Headed
from .files import CODE, Published, is_footnote, problem
from .mue import slug

_PUBLISHED = ("column 1", "column 2")
_SHORT = ("column 1", "column 2", "deletion date", "modifier indicator", "rationale")
_PART = re.compile(r"(?<![a-z])f(\d{1,2})(?!\d)", re.IGNORECASE)
_OPEN = ("*", "", "9999-12-31", "99991231")
_REASONS = {
    "Standards of medical/surgical practice": "standard-practice",
    "Misuse of Column Two code with Column One code": "column-two-misused",
    "Standard preparation/monitoring services for anesthesia": "anesthesia-preparation",
    "CPT Manual or CMS manual coding instruction": "coding-instruction",
    "Anesthesia service included in surgical procedure": "anesthesia-by-surgeon",
    "More extensive procedure": "more-extensive",
    "HCPCS/CPT procedure code definition": "code-definition",
}
_TITLES = {"professional": ("practitioner", "practitioner"), "outpatient": ("outpatient", "outpatient hospital")}


@attrs.frozen
class EditReading(FileReading):
    """A reading of edits: the lines of the table that it gives, sorted."""

    lines: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """A part may hold none of our pairs, and was read."""
        return True


def _claim(file: Published) -> str:
    names = " ".join((*file.names, file.path.parent.name)).lower()
    outpatient = re.search(r"ccioph|outpatient|hospital|oph(?![a-z])", names)
    practitioner = re.search(r"ccipra|practitioner|pra(?![a-z])", names)
    if bool(outpatient) == bool(practitioner):
        raise problem(
            file.name,
            "nothing says whether its pairs are those of practitioners or of outpatient hospitals: name it as its "
            "publisher does (ccipra, ccioph), or with the word practitioner or outpatient.",
        )
    return "outpatient" if outpatient else "professional"


def read(file: Published, asked: Asked, byhand: ByHand) -> Iterable[FileReading]:
    """One file of pairs: a part of an edition."""
    when, claim = asked.when(file), _claim(file)
    named, words = _TITLES[claim]
    if file.has(_SHORT):
        edition = Edition(f"ptp-{named}", when, f"PTP edits {when.words}, {words}")
        found, digest = _reshaped(file, edition, claim, byhand)
    else:
        part = next((f"f{match[1]}" for name in file.names if (match := _PART.search(name))), "f1")
        title = f"PTP edits {when.words}, {words}, part {part.removeprefix('f')}"
        edition = Edition(f"ptp-{named}", attrs.evolve(when, name=f"{when.name}-{part}"), title)
        found, digest = _published(file, edition, claim, byhand)
    lines = tuple(sorted(found))
    _check_apart(file, lines)
    yield EditReading(edition, set(), digest, (), lines)


def _keeps(byhand: ByHand, one: str, other: str) -> bool:
    given = byhand.administrations
    return one in given or other in given or (byhand.may_be_ours(one) and byhand.may_be_ours(other))


def _rows(file: Published) -> Iterator[tuple[int, list[str]]]:
    if file.is_workbook or file.delimiter != "\t":
        yield from file.rows()
        return
    for number, line in enumerate(file.lines(), start=1):
        row = line.rstrip("\r\n").split("\t")
        # Millions of rows: the cells are stripped only where a code's own are not bare.
        yield number, row if len(row[0]) == 5 == len(row[1 % len(row)]) else [cell.strip() for cell in row]


def _published(file: Published, edition: Edition, claim: str, byhand: ByHand) -> tuple[set[str], str]:
    start = file.header_row(_PUBLISHED) or 0
    if tuple(file.header(_PUBLISHED)[:2]) != _PUBLISHED:
        says = "its columns are not in the order in which they are published: column 1 and column 2 first."
        raise problem(file.name, says, line=start + 1)
    found, digest, rows = set(), hashlib.sha256(), 0
    for number, row in _rows(file):
        if number <= start + 1 or (not rows and not CODE.fullmatch(row[0])) or not any(row):
            continue
        if len(row) < 7 or not row[6]:
            if is_footnote(row) and (len(row) >= 7 or file.is_ended):
                continue
            raise problem(file.name, f"the row has {len(row)} cells, not 7: it is cut off.", line=number)
        rows += 1
        digest.update("\t".join(row).encode())
        one, other, _old, first, last, indicator, reason = row[:7]
        if not _keeps(byhand, one, other) or indicator == "9":
            continue
        begins, ends = day_in(first), "" if last in _OPEN else day_in(last)
        if not (CODE.fullmatch(one) and CODE.fullmatch(other) and begins and indicator in ("0", "1")):
            why = "the row is no edit" if begins else no_day(first)
            raise problem(file.name, f"{one[:9]!r} and {other[:9]!r}: {why}.", line=number)
        if ends is None or (ends and ends < begins):
            raise problem(file.name, f"{one} and {other}: it ends {last[:12]!r}.", line=number)
        found.add(_line(edition, claim, one, other, indicator, reason, begins, ends))
    if not rows:
        raise problem(file.name, "it holds no pair below its header.")
    return found, digest.hexdigest()


def _check_apart(file: Published, lines: Iterable[str]) -> None:
    """A pair that was deleted and added again has periods that do not meet. Raises `TableError` where two do."""
    for (one, other), group in groupby(lines, key=lambda line: tuple(line.split(",", 2)[:2])):
        days = sorted(_days_of(line) for line in group)
        if any(begins <= ends for (_, ends), (begins, _) in pairwise(days)):
            says = f"{one} and {other} stand in two rows whose days meet, and the two differ: leave out the wrong one."
            raise problem(file.name, says)


def _line(
    edition: Edition, claim: str, one: str, other: str, indicator: str, reason: str, first: str, ends: str
) -> str:
    """One line of the table."""
    why = _REASONS.get(reason) or slug(reason)
    days = f"{first},{ends},{edition.id},{one} and {other},high,{edition.when.first}"
    return f"{one},{other},{claim},{indicator},table,{why},{days}\n"


def _reshaped(file: Published, edition: Edition, claim: str, byhand: ByHand) -> tuple[set[str], str]:
    """Pairs without first days: known from the edition on; a deleted one from the quarter in which it ended."""
    found, digest = set(), hashlib.sha256()
    for number, cells in file.body(_SHORT):
        one, other, last, indicator, reason = (cells[name] for name in _SHORT)
        digest.update("|".join((one, other, last, indicator, reason)).encode())
        if indicator == "9" or not _keeps(byhand, one, other):
            continue
        first, ends = edition.when.first, ""
        if last not in _OPEN:
            try:
                ended = dt.date.fromisoformat(last)
            except ValueError as wrong:
                raise problem(file.name, f"{no_day(last)}.", line=number) from wrong
            first, ends = quarter(ended.year, (ended.month + 2) // 3)[0], last
        found.add(_line(edition, claim, one, other, indicator, reason, str(first), ends))
    return found, digest.hexdigest()


# ---- the table, merged as text --------------------------------------------------------------------

_BEFORE = "0000-00-00"


def merged(streams: Iterable[Iterable[str]], days: Days) -> Iterator[str]:
    """The lines of the table from sorted streams of its lines, the rows of one pair and claim settled.

    A row by hand stays and takes the place of those that it meets. Of the others the newest edition that has the
    pair is right from its first day of the pair on; an older one keeps what lies before. `days` are the first
    days of the editions by source id.
    """
    for _key, group in groupby(heapq.merge(*streams), key=lambda line: line.split(",", 3)[:3]):
        lines = list(dict.fromkeys(group))
        yield from lines if len(lines) == 1 else _settled(lines, days)


def by_hand(line: str) -> bool:
    """Whether a line of the table was written by a person."""
    return ",ptp-" not in line


def _settled(lines: list[str], days: Days) -> list[str]:
    hand = [line for line in lines if by_hand(line)]
    rows = [line.split(",") for line in lines if not by_hand(line)]
    kept: list[str] = []
    until = ""  # days from here on are those of newer editions
    for _day, of_edition in groupby(
        sorted(rows, key=lambda r: (days[r[8]], r), reverse=True), key=lambda r: days[r[8]]
    ):
        here = list(of_edition)
        for row in here:
            if not until or row[6] < until:
                before = str(dt.date.fromisoformat(until) - dt.timedelta(days=1)) if until else ""
                ends = min(filter(None, (row[7], before)), default="")
                kept.append(",".join([*row[:7], ends, *row[8:]]))
        until = min(filter(None, (until, *(row[6] for row in here))))
    found = [line for line in _apart(sorted(kept)) if not any(_meets(line, other) for other in hand)]
    return sorted([*hand, *found], key=lambda line: line.split(",")[6] if not by_hand(line) else _days_of(line)[0])


def _apart(lines: list[str]) -> Iterator[str]:
    """Rows of one pair that do not overlap; of two that do, the later in the order of their days is left out."""
    reached = _BEFORE
    for line in sorted(lines, key=lambda line: line.split(",")[6:8]):
        starts, ends = line.split(",")[6:8]
        if starts > reached:
            yield line
            reached = ends or "9999-12-31"


def _days_of(line: str) -> tuple[str, str]:
    found = re.search(r",(\d{4}-\d\d-\d\d),(\d{4}-\d\d-\d\d)?,", line)
    assert found is not None
    return found[1], found[2] or "9999-12-31"


def _meets(line: str, other: str) -> bool:
    (one, last), (first, ends) = _days_of(line), _days_of(other)
    return one <= ends and first <= last


FAMILY = Family(
    name="pairs of codes (PTP)",
    files=("ptp-practitioner", "ptp-outpatient"),
    table="",
    recognises=Headed(_PUBLISHED, _SHORT),
    read=read,
    page="cms.gov, 'Medicare NCCI Procedure to Procedure (PTP) Edits': four files of practitioners, four of hospitals",
    named=r"ccipra|ccioph|(?<![a-z])ptp(?![a-z])",
)
