"""What a kind of published file is: how it is recognised, dated and read, to which table it contributes, what it lacks.

A `Family` is one value; each has a file of its own in this folder, and `families.py` lists them. Reading a file
gives statements: for each subject (an NDC, a code) what the file says of it, as `name=value` pairs. Statements of all
editions are kept as they are; the tables are derived from them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

import attrs

from jcodeunits import ndc
from jcodeunits.errors import IdentifierError, quoted

from .amounts import printed
from .byhand import ByHand
from .dating import When, first_in, month_in, of_quarter, quarter_in
from .files import Published, problem, untouched
from .findings import Lint

# Evidence table -> what it holds; one row for each thing said of a subject, with the editions that say it.
EVIDENCE = {
    "evidence": "NDCs",
    "drug_evidence": "HCPCS codes",
    "limit_evidence": "unit limits",
    "fee_evidence": "payment limits and relative values",
    "status_evidence": "outpatient statuses and rates",
    "place_evidence": "places of service",
}


@attrs.frozen
class Edition:
    """One edition of a family in `sources.csv`; `file` begins its id, of `-rows` nothing has ended."""

    file: str
    when: When
    title: str
    publisher: str = "CMS"

    @property
    def id(self) -> str:
        """The source id."""
        return f"{self.file}-{self.when.name}"

    @property
    def complete(self) -> bool:
        """Whether what it lacks has ended."""
        return is_complete(self.file)


def is_complete(file: str) -> bool:
    """Whether editions of this name list everything of their kind."""
    return not file.endswith("-rows")


Statements = set[tuple[str, str]]  # subject, what is said
Row = dict[str, str]  # of a table, by column name


@attrs.frozen
class FileReading:
    """What one file says, a digest of all its rows, the lint; `is_ended`: its last line is, so it is not cut off."""

    edition: Edition
    statements: Statements
    digest: str
    lint: tuple[Lint, ...] = ()
    is_ended: bool = attrs.field(default=True, kw_only=True)

    @property
    def says_something(self) -> bool:
        """Whether any row of it is about a code or an NDC of ours."""
        return bool(self.statements)


class Tally:
    """The rows of one file: one digest of all, whatever their order and the file's format, and what is kept of them.

    >>> one, other = Tally(), Tally()
    >>> one.add("a"), one.add("b"), other.add("b"), other.add("a")
    (None, None, None, None)
    >>> one.digest == other.digest
    True
    """

    def __init__(self) -> None:
        self._sum = 0
        self._no_ndc: list[str] = []
        self._no_price: list[str] = []
        self._priced: Counter[str] = Counter()
        self._unpriced: Counter[str] = Counter()
        self._marks: set[str] = set()
        self._once: dict[str, tuple[int, str]] = {}
        self.statements: Statements = set()

    def add(self, row: str, subject: str | None = None, told: str = "") -> None:
        """Count one row, and keep what it says of a subject, if it is about one."""
        self._sum += int.from_bytes(hashlib.sha256(row.encode()).digest(), "big")
        if subject:
            self.statements.add((subject, told))

    @property
    def digest(self) -> str:
        """The digest as 64 hexadecimal digits."""
        return f"{self._sum % 2**256:064x}"

    def once(self, file: Published, line: int, key: str, told: str) -> None:
        """Hold a row against one of the same code or NDC. Raises `TableError` where it says something else."""
        first, before = self._once.setdefault(key, (line, told))
        if before != told:
            says = f"{key} stands here and in line {first}, and the two differ: leave out the one that is wrong."
            raise problem(file.name, says, line=line)

    def ndc(self, written: str) -> str | None:
        """The NDC as 5-4-2; None for an id that is none, which is counted."""
        number = number_of(written)
        if number is None:
            self._no_ndc.append(written)
        return number

    def number(self, written: str) -> Decimal | None:
        """A number as a table prints it; None for what is none. How its column writes numbers is remembered."""
        self._marks |= {mark for mark in ".," if mark in written}
        try:
            return printed(written)
        except ValueError:
            return None

    def price(self, written: str, kind: str = "") -> str:
        """A price without sign and commas, with three decimals at least, which a spreadsheet drops; empty for none.

        What is no price is counted, and so is what has none among others of its `kind` that have one.
        """
        bare = written.removeprefix("$").strip()
        if bare.upper() in ("", "NA", "N/A"):
            self._unpriced[kind] += 1
            return ""
        price = self.number(bare)
        if price is None:
            self._no_price.append(written)
            return ""
        self._priced[kind] += 1
        return f"{price:.3f}" if Decimal(f"{price:.3f}") == price else f"{price:f}"

    def reading(self, edition: Edition, lint: Iterable[Lint] = ()) -> FileReading:
        """What the file says. Raises `TableError` where its ids are no NDCs, or its numbers none."""
        if self._no_ndc:
            says = f"{len(self._no_ndc):,} ids are no NDC, for example {', '.join(self._no_ndc[:3])}."
            if not self.statements:
                raise untouched(f"{edition.title}: {says}", edition.id)
            lint = [Lint("ndc", edition.title, says), *lint]
        if self._marks == {","}:
            says = (
                "its numbers have commas and none has a point: 3,100 may be 3.1 or 3100. Take it as it was published."
            )
            raise untouched(f"{edition.title}: {says}", edition.id)
        if sum(self._unpriced.values()) > MOST_ODD and not self._priced:
            raise untouched(f"{edition.title}: none of its rows has a price. Take it as it was published.", edition.id)
        if len(self._no_price) > MOST_ODD:
            says = f"{self._no_prices}. Take it as it was published."
            raise untouched(f"{edition.title}: {says}", edition.id)
        lint = [*(Lint("price", edition.title, says) for says in self._odd_prices()), *lint]
        return FileReading(edition, self.statements, self.digest, tuple(lint))

    @property
    def _no_prices(self) -> str:
        return f"{len(self._no_price):,} prices are none, for example {', '.join(map(quoted, self._no_price[:3]))}"

    def _odd_prices(self) -> Iterator[str]:
        """What is told of prices that are none, and of empty cells where most others of their kind hold a price."""
        if self._no_price:
            yield f"{self._no_prices}: their codes have no price."
        for kind, count in sorted(self._unpriced.items()):
            if count > MOST_ODD and (count <= self._priced[kind] or {kind} == set(self._priced)):
                of_kind = f" of status {kind}" if kind else ""
                yield f"{count:,} codes{of_kind} have no price, {self._priced[kind]:,} have one: is the column whole?"


MOST_ODD = 5  # cells of a file that are none, which a publisher's own slip explains; six editions have one


def said(**facts: str) -> str:
    """What is said of a subject as one text; what is empty is left out.

    >>> said(units="4", per="day", reason="")
    'units=4|per=day'
    """
    return "|".join(f"{name}={value.replace('|', _BAR)}" for name, value in facts.items() if value)


def facts(text: str) -> dict[str, str]:
    """The facts of what was said.

    >>> facts("units=4|per=day")
    {'units': '4', 'per': 'day'}
    """
    pairs = (part.partition("=") for part in text.split("|") if part)
    return {name: value.replace(_BAR, "|") for name, _, value in pairs}


_BAR = "\N{BROKEN BAR}"


@attrs.frozen
class Asked:
    """What the person said about the files: the edition of those that nothing dates; that they are partial, or whole.

    `whole`: an edition that lacks most of what was known, or says it otherwise, is meant so. `corrected`: one that was
    read before with other content takes its place.
    """

    edition: When | None = None
    partial: bool = False
    whole: bool = False
    corrected: bool = False

    def when(self, file: Published, by: Callable[[str], When | None] = quarter_in) -> When:
        """The edition that a file's names state, else the one that the person gave.

        A workbook's sheet has a name of its own, which may be left from another quarter: where it and the file's differ
        the person says which holds. Raises `TableError`.
        """
        told = first_in(file.names, by)
        inside = by(file.title) if file.is_workbook else None
        if told is not None and inside is not None and told.first != inside.first:
            says = (
                f"its name says {told.words}, its sheet {inside.words}: say which it is, such as --edition {told.name}."
            )
        elif (found := inside or told) is not None:
            return found
        else:
            example = "2026-11" if by is month_in else "2026Q4"
            says = f"nothing in its name or its first lines says which edition it is: --edition {example}."
        if self.edition is None:
            raise problem(file.name, says)
        first = self.edition.first
        return of_quarter(first.year, (first.month + 2) // 3) if by is quarter_in else self.edition

    def named(self, file: Published, name: str) -> str:
        """The beginning of a source id, `-rows` behind it where the person or the file's name says: selected rows."""
        selected = re.search(r"selected|partial|_rows|_drugs\b", " ".join(file.names), re.IGNORECASE)
        return f"{name}-rows" if self.partial or selected else name


Read = Callable[[Published, Asked, ByHand], Iterable[FileReading]]


@attrs.frozen
class Family:
    """One kind of published file.

    `recognises` looks at the first rows, never at the name. `files` are the beginnings of its source ids, `table`
    the evidence table that takes its statements, `page` the title of the publisher's page.
    What a file does not say stands in the head of its module.
    """

    name: str
    files: tuple[str, ...]
    table: str
    recognises: Callable[[Published], bool]
    read: Read
    page: str
    closes: bool = False  # whether a complete edition closes what it lacks
    has_days: bool = False  # whether its rows carry first and last days of their own
    leaves: str = ""  # why a recognised file is left out
    alike: tuple[str, ...] = ()  # facts that few rows say otherwise in the next edition
    price: str = ""  # a fact that changes in each edition, by less than `_FAR` times
    named: str = ""  # a name (pattern) that promises this family: a file of it that is not recognised is refused

    @property
    def lasts(self) -> tuple[str, ...]:
        """The facts that an edition is held to by the one beside it."""
        return (*self.alike, self.price) if self.price else self.alike

    def differs(self, name: str, one: str, other: str) -> bool:
        """Whether one edition says a fact otherwise than another: of a price, whether it is another by far."""
        if name != self.price:
            return one != other
        low, high = sorted(map(Decimal, (one, other)))
        return high > low * _FAR

    def nearest(self, file: Published) -> str:
        """The row that comes nearest to the header of this family, and what it lacks; empty where none does."""
        headers = self.recognises.headers if isinstance(self.recognises, Headed) else ()
        ways = [
            (len(set(header) & set(row)) / len(header), line, [name for name in header if name not in row])
            for header in headers
            for line, row in enumerate(file.headers, start=1)
        ]
        most, line, lacking = max(ways, key=lambda way: way[0], default=(0, 0, []))
        if most < _NEAR:
            return ""
        return f"line {line} lacks {', '.join(map(repr, lacking))}. Write the columns' names as they were published"


_FAR = 4  # times that a price may rise or fall; of hospital rates one in a hundred does
_NEAR = 0.5  # of the columns of a header, that a row has which is meant as one


class Headed:
    """A test for files whose header holds all columns of one of these; `unless` tells those that only look like it."""

    def __init__(self, *headers: tuple[str, ...], unless: Callable[[Published], bool] = lambda _: False) -> None:
        self.headers, self.unless = headers, unless

    def __call__(self, file: Published) -> bool:
        """Whether a file is one of them."""
        return any(map(file.has, self.headers)) and not self.unless(file)


def number_of(text: str) -> str | None:
    """The NDC as 5-4-2 with hyphens; None for an id that is none.

    >>> number_of("0409-3795-01"), number_of("GG400")
    ('00409-3795-01', None)
    """
    try:
        return ndc.format(text)
    except IdentifierError:
        return None
