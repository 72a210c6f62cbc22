"""An edition held against the one beside it: whether it is whole, and every column is in its place.

A file that was cut off, sorted or filled by a spreadsheet looks like any other; what it says of codes that the
edition beside it has shows it. Refused is what no quarter of a publisher has been; what one may be is told.
"""

from __future__ import annotations

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


def check(state: State, family: Family, reading: FileReading, asked: Asked) -> list[Lint]:
    """Hold an edition against the one beside it; what a person should look at.

    Raises `TableError` where it lacks most of that one, or its end, or says most otherwise, and nobody said that it is
    meant so.
    """
    near = _beside(state, reading.edition)
    if near is None:
        return []
    closes = family.closes and reading.edition.complete
    before = _kept(state, family, reading.edition, near) if closes or family.lasts else set()
    if not asked.whole:
        if closes:
            _check_whole(state, family, reading, near, before)
        _check_alike(state, family, reading, near, before)
    ends = _ends(state, reading, near, before) if closes else []
    return [*ends, *_far(state, family, reading, near, before)]


def _far(state: State, family: Family, reading: FileReading, near: str, before: Statements) -> list[Lint]:
    """Prices that are another by far than in the edition beside it: a slip of one cell, or a new price."""
    names = (family.price,) if family.price else ()
    known, told = _facts_of(before, names), _facts_of(reading.statements, names)
    shared = sorted(told.keys() & known.keys())
    far = [one for one in shared if all(family.differs(one[1], a, b) for a in told[one] for b in known[one])]
    if not far:
        return []
    shown = ", ".join(f"{one[0]} from {min(known[one])} to {min(told[one])}" for one in far[:_SHOWN])
    more = f" and {len(far) - _SHOWN} more" if len(far) > _SHOWN else ""
    says = f"of {len(far):,} codes the price is four times that of {state.sources[near]['title']} or a quarter: "
    return [Lint("price", reading.edition.title, f"{says}{shown}{more}.")]


def _ends(state: State, reading: FileReading, near: str, before: Statements) -> list[Lint]:
    """The codes behind the last one of a complete edition, which it closes: a text may be cut off between two lines."""
    last, behind = _behind(reading, before)
    if not behind:
        return []
    shown = ", ".join(behind[:_SHOWN]) + (f" and {len(behind) - _SHOWN} more" if len(behind) > _SHOWN else "")
    goes_on = f"it ends with {last}, and {state.sources[near]['title']} goes on with {shown}"
    return [Lint("file", reading.edition.title, f"{goes_on}: it is cut off, if they have not ended.")]


def _check_whole(state: State, family: Family, reading: FileReading, near: str, before: Statements) -> None:
    """An edition that lacks most of what the one beside it has, or its end, is cut off, or selected rows."""
    edition = reading.edition
    title, other = edition.title, state.sources[near]["title"]
    known, listed = subjects(before), subjects(reading.statements)
    lacking = known - listed
    bare = sorted(key for key in lacking if key.replace("-", "").lstrip("0") in listed)
    if bare:
        says = (
            f"{title} has {len(bare):,} NDCs without their first zeros ({bare[0]} is one): a spreadsheet has dropped "
            "them. Take the file as its publisher has it."
        )
        raise untouched(says, edition.id)
    _, behind = _behind(reading, before)
    if len(known) >= _FEW and len(lacking) * _MOST_LACKING > len(known):
        says = f"{title} lacks {len(lacking):,} of {len(known):,} that {other} has"
    elif len(behind) > (max(_LAST, len(codes_of(before)) // 100) if reading.is_ended else 0):
        says = f"{title} ends before {behind[0]}, and {other} has {len(behind):,} codes from there on"
    else:
        return
    of_rows = not all(map(is_complete, family.files))
    ways = "If it holds selected rows only, say --partial; then it ends nothing. If" if of_rows else "If"
    says = f"{says}: it may be cut off. {ways} it is whole and ends what it lacks, say --whole."
    raise untouched(says, edition.id)


def _behind(reading: FileReading, before: Statements) -> tuple[str, list[str]]:
    """The last code of an edition, and those behind it that the one beside it has."""
    last = max(codes_of(reading.statements), default="")
    return last, sorted(code for code in codes_of(before) if code > last)


def _check_alike(state: State, family: Family, reading: FileReading, near: str, before: Statements) -> None:
    """An edition that says most otherwise than the one beside it: a column is out of its place, or sorted alone."""
    known, told = _facts_of(before, family.lasts), _facts_of(reading.statements, family.lasts)
    for name in family.lasts:
        shared = sorted(key for key in told.keys() & known.keys() if key[1] == name)
        other = [one for one in shared if all(family.differs(name, a, b) for a in told[one] for b in known[one])]
        if len(shared) >= _FEW and len(other) * _MOST_OTHER > len(shared):
            others = f"{len(other):,} of {len(shared):,}, for example for {other[0][0]}"
            says = (
                f"{reading.edition.title} has another {name} than {state.sources[near]['title']} for {others}: a "
                "column may be out of its place, or sorted. Take the file as its publisher has it; if it is meant "
                "so, say --whole."
            )
            raise untouched(says, reading.edition.id)


def _facts_of(statements: Statements, names: tuple[str, ...]) -> dict[tuple[str, str], set[str]]:
    """What is said, by subject and fact."""
    found: dict[tuple[str, str], set[str]] = {}
    for subject, told in statements if names else ():
        its = facts(told)
        for name in names:
            if name in its:
                found.setdefault((subject, name), set()).add(its[name])
    return found


def _beside(state: State, edition: Edition) -> str | None:
    """The edition of the same file that is nearest in time; None where there is none."""
    days = state.days
    ids = [key for key in days if file_of(key) == edition.file]
    return min(ids, key=lambda key: (abs((days[key] - edition.when.first).days), key), default=None)


def _kept(state: State, family: Family, edition: Edition, source: str) -> Statements:
    """What an edition of the same file says."""
    return state.kept[family.table].of(edition.file, source.removeprefix(f"{edition.file}-"))
