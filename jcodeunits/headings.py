"""What an extract calls the columns that are read here: ours in other letters, or a heading of `headings.csv`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator, Sequence

from . import units
from .errors import LONGEST, BatchError, quoted
from .facts.policy_rows import Heading
from .facts.reference import Reference
from .tables import parted_by


def meant(names: Collection[str], ours: Sequence[str], of: str, reference: Reference) -> dict[str, str]:
    """The names that mean a column of ours which is not there, each with that column; `of` is the kind of table.

    >>> meant(["NDC", "Charge Code", "room"], ["item", "ndc"], "charges", Reference.shipped())
    {'NDC': 'ndc', 'Charge Code': 'item'}
    """
    known = _known(ours, of, reference)
    lacking = set(ours).difference(names)
    return {name: known[_plain(name)] for name in names if name not in ours and known.get(_plain(name)) in lacking}


def in_several(names: Collection[str], column: str, of: str, reference: Reference) -> list[str]:
    """The names that a number makes one of several for a column of ours: MOD1 and Modifier 2 for modifiers.

    >>> in_several(["MOD1", "Modifier 2", "modifiers", "model 3"], "modifiers", "lines", Reference.shipped())
    ['MOD1', 'Modifier 2']
    """
    known = _known((column,), of, reference)
    stems = {name: re.fullmatch(r"(.*\D)[1-9]", _plain(name[:LONGEST])) for name in names}
    return [name for name, stem in stems.items() if stem is not None and known.get(stem[1]) == column]


def _known(ours: Sequence[str], of: str, reference: Reference) -> dict[str, str]:
    """What headings mean, by their plain spelling."""
    known = {row.heading: row.column for row in reference.policy.rows(Heading) if row.of == of}
    return known | {_plain(name): name for name in ours}


def unread(names: Collection[str], ours: Sequence[str], of: str, reference: Reference) -> tuple[str, ...]:
    """The columns that pass through unread but look like one of ours that is not there, each with its name here."""
    return tuple(f"{quoted(name)} (here {column})" for name, column in meant(names, ours, of, reference).items())


def warn_unread(
    names: Collection[str], ours: Sequence[str], of: str, reference: Reference, stacklevel: int = 3
) -> None:
    """Warn of the columns of a frame that are not read, as a summary does of those of a file."""
    for says in note_of(unread(names, ours, of, reference)):
        warnings.warn(says, UserWarning, stacklevel=stacklevel)


# What a summary says where a day could not be read.
OTHER_DAYS = (
    "days that are not written as 2026-03-02 need --date-format, such as MM/DD/YYYY, or excel for its counts of days"
)


def note_of(parts: Sequence[str]) -> tuple[str, ...]:
    """What a summary says of the columns, and the sheets of a workbook, that were not read, if there are any."""
    sheets = [part for part in parts if part.startswith(_SHEET)]
    columns = [part for part in parts if part not in sheets]
    said = (columns, "rename what was meant"), (sheets, "only the first sheet is read: save each as a file")
    return tuple(f"not read: {', '.join(found)}; {way}" for found, way in said if found)


_SHEET = "sheet "  # before the name of a sheet; that of a column stands in quotes


def need_columns(
    names: Sequence[str], required: Sequence[str], optional: Sequence[str], file: str, of: str, reference: Reference
) -> None:
    """Raise `BatchError` where a column that is required is missing, with those that look like it."""
    missing = [name for name in required if name not in names]
    if missing:
        first: dict[str, str] = {}  # of several columns that mean one of ours
        for name, column in meant(names, (*required, *optional), of, reference).items():
            first.setdefault(column, name)
        like = [f"{quoted(name)} to {column}" for column, name in first.items()]
        if "dose" in missing and "dose" not in first:
            measured = _measured(names, (*required, *optional), of, reference)
            like += [f"{quoted(name)} to dose, with a column unit that says {unit}" for name, unit in measured]
        rename = f" Rename {', '.join(like)}." if like else ""
        if parted := parted_by(names):
            rename = f" {parted.capitalize()}{', or name the file .tsv' * ('tabs' in parted)}."
        elif not like and len(missing) == len(required):
            rename = " Where a title stands above the column names, drop the lines before them."
        raise BatchError(
            f"{file} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; it has "
            f"{', '.join(names) or 'none'}.{rename} Wanted: {', '.join(required)}; optional: {', '.join(optional)}.",
            place=", ".join(missing),
        )


def _measured(names: Sequence[str], ours: Sequence[str], of: str, reference: Reference) -> Iterator[tuple[str, str]]:
    """The columns that are named for the dose and its unit (dose_mg, Dose (mg)), each with the unit.

    >>> list(_measured(["dose_mg", "Dose Unit", "Dose (mcg)"], ["dose", "unit"], "lines", Reference.shipped()))
    [('dose_mg', 'mg'), ('Dose (mcg)', 'mcg')]
    """
    known = _known(ours, of, reference)
    for name in names:
        *what, unit = re.findall(r"[^\W_]+", name[:LONGEST]) or [""]
        if what[-1:] == ["in"]:
            what.pop()
        if known.get(_plain("".join(what))) == "dose" and _plain(name) not in known and units.is_known(unit):
            yield name, unit


def need_once(names: Sequence[str], file: str, called: Sequence[str] = ()) -> None:
    """Raise `BatchError` where two columns have one name, or mean one; `called` is how the file calls them."""
    called = called or names
    places: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        places.setdefault(name, []).append(at)
    for name, found in places.items():
        if len(found) == 1:
            continue
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        listed = ", ".join(str(at + 1) for at in found[:5]) + more
        heads = list(dict.fromkeys(called[at] for at in found))
        if len(heads) > 1:
            says = f"the column {name} is there twice, as {' and '.join(map(quoted, heads))}: rename or drop one"
        elif not name.strip():
            says = f"the columns {listed} have no name: name or drop them"
        else:
            says = f"the column {quoted(heads[0])} is there twice (columns {listed}): rename or drop one"
        raise BatchError(f"{file}: {says}.", place=heads[0])


def need_free(names: Collection[str], outputs: Sequence[str], file: str) -> None:
    """Raise `BatchError` where a column has the name of one that is written."""
    wrong = [name for name in outputs if name in names]
    if wrong:
        says = f"{file}: the column {', '.join(wrong)} is named like an answer. Rename or drop it."
        raise BatchError(says, place=", ".join(wrong))


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
