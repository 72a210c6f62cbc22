"""`Reference`: the one book of facts, with the edition and the fingerprint that every answer carries.

>>> ours = Reference.shipped()
>>> ours is Reference.shipped(), len(ours.fingerprint)
(True, 64)
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import Any, NamedTuple

import attrs

from ..errors import TableError, quoted
from .book import Book
from .folder import open_folder
from .store import Store, read_own_tables


@attrs.frozen(eq=False, repr=False)
class Reference(Book):
    """The drugs, the products, the policy, their sources and the units: frozen, and read when it is asked.

    `shipped()` is what the package carries, `load(folder)` a folder that a refresh made, `with_tables(folder)` the
    same with a site's own rows on top. Every public function that reads facts takes it as `reference`.
    """

    @staticmethod
    def shipped() -> Reference:
        """What the package carries; the same object each time."""
        return _shipped()

    @staticmethod
    def load(folder: str | os.PathLike[str]) -> Reference:
        """The reference of a folder that `refresh --into` made, beside our reviewed tables. Raises `TableError`."""
        return Reference(Store(open_folder(path_of(folder))))

    @staticmethod
    def of(reference: Reference | None) -> Reference:
        """The reference given, or the shipped one where none is. Raises `TableError` for anything else."""
        if reference is None:
            return _shipped()
        if not isinstance(reference, Reference):
            says = (
                f"{quoted(reference)} is no Reference: give what `Reference.load` or `with_tables` returned, or none."
            )
            raise TableError(says, file="", problems=())
        return reference

    def with_tables(self, folder: str | os.PathLike[str]) -> Reference:
        """The same reference with a site's own rows: a folder with any of the tables, each under its own name.

        A row needs only the columns that it says something in. One that meets a shipped row is refused unless it
        says `replaces=yes`; every answer that uses it then says so. Raises `TableError`.
        """
        from .own import check

        rows = read_own_tables(path_of(folder), table_classes(), self.store)
        made = Reference(Store(self.store.folder, (*self.store.own, rows)))
        made.policy.check_options()
        check(self, made, rows)
        return made

    def __repr__(self) -> str:
        folder = self.store.folder
        where = folder.path if folder is not None else "shipped"
        own = "".join(f" + {made.path}" for made in self.store.own)
        return f"<Reference {self.edition}, {self.fingerprint[:12]}: {where}{own}>"

    def __reduce__(self) -> tuple[Any, ...]:
        folder = self.store.folder
        own = tuple(made.path for made in self.store.own)
        return _opened, (folder.path if folder is not None else None, own, self.fingerprint)


class Stamp(NamedTuple):
    """What names a reference that is not at hand."""

    edition: str = ""
    fingerprint: str = ""


class FromReference:
    """An answer that keeps the reference it was made from, and says which one that is."""

    __slots__ = ()
    reference: Reference | Stamp

    @property
    def edition(self) -> str:
        """The edition of the reference that was used."""
        return self.reference.edition

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the reference that was used, a site's own rows included."""
        return self.reference.fingerprint


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST = 4096  # characters: no system has a longer path


def path_of(folder: Any) -> str:
    """A folder's path as text. Raises `TableError` for what is no path, an empty one included."""
    path = os.fspath(folder) if isinstance(folder, str | os.PathLike) else None
    if not isinstance(path, str) or not path or len(path) > _LONGEST or _CONTROL.search(path):
        raise TableError(f"{quoted(folder)} is no folder: give its path.", file="", problems=())
    return path


def _opened(folder: str | None, own: tuple[str, ...], fingerprint: str) -> Reference:
    """The reference that was pickled, read again where it is needed, as a worker does."""
    where = ", ".join([folder or "the package", *own])
    try:
        made = Reference.load(folder) if folder is not None else Reference.shipped()
        for path in own:
            made = made.with_tables(path)
    except TableError as why:
        says = (
            f"The reference of {where} cannot be read on this machine: {why.message} Put the same folders at the "
            "same places on every worker."
        )
        raise TableError(says, file=where, problems=(why.message,)) from why
    if made.fingerprint != fingerprint:
        says = (
            f"The reference of {where} is another one on this machine (fingerprint {made.fingerprint[:12]}, wanted "
            f"{fingerprint[:12]}). Put the same folders and the same version of jcodeunits on every worker."
        )
        raise TableError(says, file=where, problems=())
    return made


@cache
def _shipped() -> Reference:
    return Reference(Store())


@cache
def table_classes() -> dict[str, Any]:
    """The row class of every table that a site may have rows in, by the table's name."""
    from . import drug_rows, policy_rows, product_rows

    return {row.TABLE: row for rows in (drug_rows, product_rows, policy_rows) for row in rows.TABLES}
