"""An edition held against the one beside it: whether it is whole, and every column is in its place.

A file that was cut off, sorted or filled by a spreadsheet looks like any other; what it says of codes that the
edition beside it has shows it. Refused is what no quarter of a publisher has been; what one may be is told.
"""

from __future__ import annotations

from functools import cached_property

import attrs

from .families import file_of
from .family import Asked, Edition, Family, FileReading, Statements, facts, is_complete
from .files import untouched
from .findings import Lint
from .state import State
from .statements import codes_of, subjects

_MOST_LACKING = 3  # an edition may lack one in three of what the one beside it has, if that has not a few only
_MOST_OTHER = 4  # one in four may be otherwise: of hospital statuses one in five was, once
_FEW = 30
_LAST = 3  # codes at the end that an edition may lack, or one in a hundred: real ones lack four in a thousand
_SHOWN = 6
Facts = dict[str, dict[str, set[str]]]  # what is said, by fact and subject


def check(state: State, family: Family, reading: FileReading, asked: Asked) -> list[Lint]:
    """Hold an edition against the one beside it; what a person should look at.

    Raises `TableError` where it lacks most of that one, or its end, or says most otherwise, and nobody said that it is
    meant so.
    """
    near = _nearest(state, reading.edition)
    closes = family.closes and reading.edition.complete
    if near is None or not (closes or family.lasts):
        return []
    two = _Two(family, reading, state.sources[near]["title"], _kept(state, family, reading.edition, near))
    if not asked.whole:
        if closes:
            two.check_whole()
        two.check_alike()
    return [*(two.ends() if closes else ()), *two.far()]


@attrs.frozen
class _Two:
    """An edition, and the one beside it: its title (`other`), and what it says (`before`)."""

    family: Family
    reading: FileReading
    other: str
    before: Statements

    @cached_property
    def codes(self) -> set[str]:
        """The codes of the one beside it."""
        return codes_of(self.before)

    @cached_property
    def last(self) -> str:
        """The last code of the edition."""
        return max(codes_of(self.reading.statements), default="")

    @cached_property
    def behind(self) -> list[str]:
        """The codes behind that one that the one beside it has."""
        return sorted(code for code in self.codes if code > self.last)

    @cached_property
    def known(self) -> Facts:
        """What the one beside it says of the facts that last."""
        return _facts_of(self.before, self.family.lasts)

    @cached_property
    def told(self) -> Facts:
        """What the edition says of them."""
        return _facts_of(self.reading.statements, self.family.lasts)

    def otherwise(self, name: str) -> tuple[list[str], int]:
        """The subjects of which the two say a fact otherwise, sorted, and the number of those of which both say it."""
        known, told = self.known[name], self.told[name]
        shared = sorted(told.keys() & known.keys())
        differs = self.family.differs
        return [one for one in shared if all(differs(name, a, b) for a in told[one] for b in known[one])], len(shared)

    def far(self) -> list[Lint]:
        """Prices that are another by far than in the edition beside it: a slip of one cell, or a new price."""
        price = self.family.price
        far = self.otherwise(price)[0] if price else []
        if not far:
            return []
        known, told = self.known[price], self.told[price]
        shown = ", ".join(f"{one} from {min(known[one])} to {min(told[one])}" for one in far[:_SHOWN])
        says = f"of {len(far):,} codes the price is four times that of {self.other} or a quarter: {shown}{_more(far)}."
        return [Lint("price", self.reading.edition.title, says)]

    def ends(self) -> list[Lint]:
        """The codes behind the last one of a complete edition, which it closes: a text may be cut between two lines."""
        if not self.behind:
            return []
        goes_on = f"it ends with {self.last}, and {self.other} goes on with {', '.join(self.behind[:_SHOWN])}"
        says = f"{goes_on}{_more(self.behind)}: it is cut off, if they have not ended."
        return [Lint("file", self.reading.edition.title, says)]

    def check_whole(self) -> None:
        """An edition that lacks most of what the one beside it has, or its end, is cut off, or selected rows."""
        edition, other, behind = self.reading.edition, self.other, self.behind
        known, listed = subjects(self.before), subjects(self.reading.statements)
        lacking = known - listed
        bare = sorted(key for key in lacking if key.replace("-", "").lstrip("0") in listed)
        if bare:
            says = (
                f"{edition.title} has {len(bare):,} NDCs without their first zeros ({bare[0]} is one): a spreadsheet "
                "has dropped them. Take the file as its publisher has it."
            )
            raise untouched(says, edition.id)
        if len(known) >= _FEW and len(lacking) * _MOST_LACKING > len(known):
            says = f"{edition.title} lacks {len(lacking):,} of {len(known):,} that {other} has"
        elif len(behind) > (max(_LAST, len(self.codes) // 100) if self.reading.is_ended else 0):
            says = f"{edition.title} ends before {behind[0]}, and {other} has {len(behind):,} codes from there on"
        else:
            return
        of_rows = not all(map(is_complete, self.family.files))
        ways = "If it holds selected rows only, say --partial; then it ends nothing. If" if of_rows else "If"
        says = f"{says}: it may be cut off. {ways} it is whole and ends what it lacks, say --whole."
        raise untouched(says, edition.id)

    def check_alike(self) -> None:
        """An edition that says most otherwise than the one beside it: a column is out of its place, or sorted alone."""
        edition = self.reading.edition
        for name in self.family.lasts:
            other, shared = self.otherwise(name)
            if shared >= _FEW and len(other) * _MOST_OTHER > shared:
                says = (
                    f"{edition.title} has another {name} than {self.other} for {len(other):,} of {shared:,}, for "
                    f"example for {other[0]}: a column may be out of its place, or sorted. Take the file as its "
                    "publisher has it; if it is meant so, say --whole."
                )
                raise untouched(says, edition.id)


def _more(found: list[str]) -> str:
    return f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""


def _facts_of(statements: Statements, names: tuple[str, ...]) -> Facts:
    """What is said of each fact, by subject."""
    found: Facts = {name: {} for name in names}
    for subject, told in statements if names else ():
        its = facts(told)
        for name in names:
            if name in its:
                found[name].setdefault(subject, set()).add(its[name])
    return found


def _nearest(state: State, edition: Edition) -> str | None:
    """The edition of the same file that is nearest in time; None where there is none."""
    days = state.days
    ids = [key for key in days if file_of(key) == edition.file]
    return min(ids, key=lambda key: (abs((days[key] - edition.when.first).days), key), default=None)


def _kept(state: State, family: Family, edition: Edition, source: str) -> Statements:
    """What an edition of the same file says."""
    return state.kept[family.table].of(edition.file, source.removeprefix(f"{edition.file}-"))
