"""What a folder of downloaded files holds, found by name and read once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import attrs

from jcodeunits.errors import TableError
from jcodeunits.facts.reference import Reference
from jcodeunits.tables import Dated, choice, column, columns_last, flag, optional, text, words

from . import asp, hcpcs


@attrs.frozen
class Lint:
    """One thing that a person should look at: what, where, and what it says."""

    kind: str
    place: str
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}"


@attrs.frozen(field_transformer=columns_last)
class Scope(Dated):
    """A range of HCPCS numbers, whether they are drugs, and of what kind. The narrowest range decides."""

    TABLE: ClassVar[str] = "scope"
    KEY: ClassVar[tuple[str, ...]] = ("first", "last")

    first: str = column(text)
    last: str = column(text)
    drug: bool = column(flag)
    kind: str = column(optional)
    routes: tuple[str, ...] = column(words)
    note: str = column(optional)

    @property
    def width(self) -> int:
        """How many numbers the range holds."""
        return int(self.last[1:]) - int(self.first[1:])


_FIELDS = (
    "ingredient",
    "qualifier",
    "specific",
    "form",
    "routes",
    "kind",
    "size",
    "unit",
    "basis",
    "components",
    "equivalents",
    "above",
    "through",
    "refuses",
    "effective",
)


@attrs.frozen(field_transformer=columns_last)
class Reviewed(Dated):
    """One field of one drug row that a person decided, and why."""

    TABLE: ClassVar[str] = "reviewed"
    KEY: ClassVar[tuple[str, ...]] = ("code", "field")

    code: str = column(text)
    field: str = column(choice(*_FIELDS))
    value: str = column(optional)
    why: str = column(text)


@attrs.frozen
class Inputs:
    """The files of a folder, read: HCPCS editions, crosswalks and payment limits, oldest first.

    `root` is the folder, for makers that read further files of their own; `on` is the day of the refresh.
    """

    root: Path
    on: dt.date
    reference: Reference
    editions: tuple[hcpcs.Edition, ...] = ()
    crosswalks: tuple[asp.Quarter, ...] = ()
    limits: tuple[asp.Quarter, ...] = ()
    scope: tuple[Scope, ...] = ()
    reviewed: tuple[Reviewed, ...] = ()

    def scope_of(self, code: str) -> Scope | None:
        """The narrowest range that holds a code, or None."""
        fitting = [row for row in self.scope if row.first[0] == code[0] and row.first <= code <= row.last]
        return min(fitting, key=lambda row: row.width, default=None)

    def reviewed_of(self, code: str) -> dict[str, Reviewed]:
        """The fields of a code that were decided by hand."""
        return {row.field: row for row in self.reviewed if row.code == code}

    def files(self) -> tuple[Any, ...]:
        """Everything read, for the sources table."""
        return (*self.editions, *self.crosswalks, *self.limits)


def read_inputs(root: Path, on: dt.date, reference: Reference) -> Inputs:
    """Find and read the files below a folder. Raises `TableError` when one of them cannot be used."""
    if (root / "cms").is_dir():
        root = root / "cms"
    paths = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    if not root.exists() or not paths:
        raise TableError(f"{root} holds no files. {NEXT_QUARTER}", file=str(root), problems=())
    editions = [hcpcs.read_edition(p) for p in paths if hcpcs.looks_like_edition(p)]
    crosswalks = [asp.read_crosswalk(p) for p in paths if asp.looks_like_crosswalk(p)]
    limits = [asp.read_limits(p) for p in paths if asp.looks_like_limits(p)]
    for family in (editions, crosswalks, limits):
        _once(family)
    if not editions:
        raise TableError(
            f"{root} holds no HCPCS edition (a file such as hcpcs_2026Q3.xlsx). {NEXT_QUARTER}",
            file=str(root),
            problems=(),
        )
    return Inputs(
        root,
        on,
        reference,
        tuple(sorted(editions, key=lambda e: e.first_day)),
        tuple(sorted(crosswalks, key=lambda q: q.first_day)),
        tuple(sorted(limits, key=lambda q: q.first_day)),
        reference.store.rows(Scope),
        reference.store.rows(Reviewed),
    )


def _once(family: Iterable[Any]) -> None:
    seen: dict[str, Path] = {}
    for file in family:
        if file.id in seen:
            names = f"{seen[file.id].name} and {file.path.name}"
            raise TableError(
                f"{names} are both {file.title}: keep one of them.", file=str(file.path), problems=(names,)
            )
        seen[file.id] = file.path


def sha256(path: Path) -> str:
    """The digest that sources.csv keeps of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


NEXT_QUARTER = (
    "Where the files come from: cms.gov, 'HCPCS Quarterly Update' (a ZIP with the code workbook) and "
    "'Medicare Part B Drug Average Sales Price' (ZIPs with the NDC-HCPCS crosswalk and the payment limits), "
    "each posted a few weeks before its quarter. Unzip them into one folder, beside those of earlier "
    "quarters, and run `jcodeunits refresh FOLDER`."
)
