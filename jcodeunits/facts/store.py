"""Where the rows of a reference come from: the package's tables, those of a refreshed folder, a site's own rows.

One behaviour for all tables. A site's row stands beside the others; where it meets one of the same key on the
same days it must say `replaces=yes`, and the other row then holds only on the days that are left.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from itertools import compress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from .. import tables
from ..dated import Citation, Period
from ..errors import TableError
from ..tables import Dated, Source
from .folder import Folder, digest_of, sha256_of

if TYPE_CHECKING:
    from .own_tables import OwnRow, OwnTables

D = TypeVar("D", bound=Dated)

EVERY_CLAIM = ("claim", "any")  # a column and its word for all kinds of claim
NEVER = dt.date.min  # the last day of a family of which no edition was read


@attrs.frozen(eq=False)
class Store:
    """The tables of one reference, read when first asked for: a refresh's `folder` if any, a site's `own` on top."""

    folder: Folder | None = None
    own: tuple[OwnTables, ...] = ()
    _memo: dict[type[Any], tuple[Any, ...]] = attrs.field(init=False, repr=False, factory=dict)
    _folded_rows: dict[type[Any], tuple[Any, ...]] = attrs.field(init=False, repr=False, factory=dict)
    _days: dict[type[Any], dict[str, list[Period]]] = attrs.field(init=False, repr=False, factory=dict)
    _seen: set[str] = attrs.field(init=False, repr=False, factory=set)

    def file(self, name: str) -> str:
        """Where a file of facts lies: in the refreshed folder where it holds it, else in the package."""
        found = self.folder.file(name) if self.folder is not None else None
        return found or os.path.join(tables.folder(), name)

    def whole(self, name: str) -> str:
        """The same file; one of a refreshed folder must be what its manifest says. Raises `TableError`."""
        file = self.file(name)
        wanted = self.folder.digests.get(name) if self.folder is not None else None
        if wanted is not None and file not in self._seen:
            if sha256_of(file) != wanted:
                says = (
                    f"{file} is not the file that its manifest names: it was changed. Restore the folder, or make it "
                    "again with `jcodeunits refresh PATH... --into NEW_FOLDER`."
                )
                raise TableError(says, file=file, problems=())
            self._seen.add(file)
        return file

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder that is read from."""
        made = (self.folder.place,) if self.folder is not None else ()
        return (tables.folder(), *made, *(own.path for own in self.own))

    def file_names(self) -> tuple[str, ...]:
        """The names of the files that answers are read from, sorted; what only a refresh reads is none of them."""
        shipped = (name for name in os.listdir(tables.folder()) if name.endswith((".csv", ".txt")))
        found = {*shipped, *(self.folder.digests if self.folder else ())}
        return tuple(sorted(name for name in found if not name.endswith("evidence.csv")))

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Every source by id, those of a refreshed folder in front."""
        rows = self._folded
        return tables.sources() if rows is None else tables.by_id([*tables.sources().values(), *rows], rows)

    @cached_property
    def _folded(self) -> tuple[Source, ...] | None:
        """The editions of a refreshed folder; None where the package's own answer."""
        within = self.folder is not None and self.folder.file("sources.csv") is not None
        return tables.read(Source, self.whole("sources.csv"), {}) if within else None

    @cached_property
    def edition(self) -> str:
        """The newest edition of the code set in the tables, for example `HCPCS 2026 Q3`."""
        return self.newest("hcpcs-").title if self.family("hcpcs-") else "no HCPCS edition"

    @cached_property
    def fingerprint(self) -> str:
        """One SHA-256 over all files of facts, own rows included: the same text means the same answers."""
        made = self.folder.digests if self.folder is not None else {}
        digests = {name: made.get(name) or sha256_of(self.file(name)) for name in self.file_names()}
        before = digest_of(digests)
        for own in self.own:
            before = digest_of({"": before, **own.digests})
        return before

    def newest(self, prefix: str) -> Source:
        """The newest source of a family (`hcpcs-`, `asp-xwalk-`, `mue-` ...) by the last day that it covers.

        Of a family of which no edition was read, the package's is what its reviewed rows cite.
        """
        family = self.family(prefix) or [s for s in self.sources.values() if s.id.startswith(prefix)]
        return max(family, key=lambda s: (s.last_day or dt.date.min, s.id))

    def reach(self, prefix: str) -> tuple[dt.date, dt.date]:
        """First and last day that the editions of this family cover; `NEVER` twice where none was read."""
        family = self.family(prefix)
        firsts = [s.first_day for s in family if s.first_day]
        lasts = [s.last_day for s in family if s.last_day]
        return min(firsts, default=NEVER), max(lasts, default=NEVER)

    def family(self, prefix: str) -> list[Source]:
        """The editions of a family that the tables were made from: a refreshed folder's own, else the package's."""
        known = self.sources.values() if self._folded is None else self._folded
        return [s for s in known if s.id.startswith(prefix)]

    def cited(self, source: str, cite: str = "", level: str = "high") -> Citation:
        """A citation of a source by id."""
        return Citation(source, cite, level, self.sources[source].title)

    def rows(self, row_class: type[D]) -> tuple[D, ...]:
        """Every row of a table, sorted by key and first day."""
        if row_class not in self._memo:
            self._memo[row_class] = self._overlaid(self._filed(row_class), self._own(row_class))
        return self._memo[row_class]

    def _filed(self, row_class: type[D]) -> tuple[D, ...]:
        """Every row of a table's file, in the order of its lines, without a site's own."""
        if self.folder is None or self.folder.file(f"{row_class.TABLE}.csv") is None:
            return _shipped(cast("Any", row_class))
        if row_class not in self._folded_rows:
            file = self.whole(f"{row_class.TABLE}.csv")
            self._folded_rows[row_class] = tables.read(row_class, file, self.sources)
        return self._folded_rows[row_class]

    def days(self, row_class: type[D]) -> Mapping[str, list[Period]]:
        """The days of every row, by its first cell; of a table without own rows no row is made."""
        if row_class not in self._days:
            made: dict[str, list[Period]] = {}
            if self.has_read(row_class) or any(self._own(row_class)):
                listed = [(row.first_cell, row.period) for row in self.rows(row_class)]
            else:
                listed = tables.days(self.whole(f"{row_class.TABLE}.csv"))
            for first, period in listed:
                made.setdefault(first, []).append(period)
            self._days[row_class] = made
        return self._days[row_class]

    def has_read(self, row_class: type[Any]) -> bool:
        """Whether a table has been read whole."""
        return row_class in self._memo

    def starting(self, row_class: type[D], first_cell: str, whole: bool = True) -> tuple[D, ...]:
        """The rows whose first cell is this text, or not `whole` begins with it; the rest unread."""
        return _starting(self, cast("Any", row_class), first_cell, whole)

    def cells(self, row_class: type[Any], column: str) -> frozenset[str]:
        """What stands in a column of a table, in small letters; of one without own rows no row is made."""
        if self.has_read(row_class) or any(self._own(row_class)):
            return frozenset(str(getattr(row, column)).casefold() for row in self.rows(row_class))
        at = tables.header(row_class).index(column)
        _, small = tables.lines_in_small(self.whole(f"{row_class.TABLE}.csv"))
        return frozenset(row[at] for row in csv.reader(small))

    def mentioning(self, row_class: type[D], says: Callable[[str], bool]) -> tuple[D, ...]:
        """The rows whose line, in small letters, says what is wanted, and every own row; the caller sifts them.

        The others are not made; where a quarter of the lines does, the table is read whole, and kept.
        """
        lines, small = tables.lines_in_small(self.whole(f"{row_class.TABLE}.csv"))
        asked = [says(low) for low in small]
        if self.has_read(row_class) or 4 * sum(asked) > len(asked):
            self.rows(row_class)
            found = tuple(compress(self._filed(row_class), asked))
        else:
            found = tables.rows_of(row_class, compress(lines, asked), self.sources)
        return self._overlaid(found, self._own(row_class))

    def _own(self, row_class: type[Any], first: str = "", whole: bool = False) -> list[tuple[OwnRow, ...]]:
        """The own rows of a table, folder by folder; those whose first cell is or begins so."""
        made = [own.rows.get(row_class, ()) for own in self.own]
        return [
            tuple(one for one in rows if one.first == first or (not whole and one.first.startswith(first)))
            for rows in made
            if rows
        ]

    @staticmethod
    def _overlaid(rows: tuple[D, ...], own: list[tuple[OwnRow, ...]]) -> tuple[D, ...]:
        for folder in own:
            rows = overlaid(rows, [one.row for one in folder])
        return rows


def overlaid(rows: Sequence[D], own: Sequence[D]) -> tuple[D, ...]:
    """Rows with a site's own: one that replaces leaves another of its key only the days that it does not take."""
    if not own:
        return tuple(rows)
    left: list[D] = list(rows)
    for mine in own:
        if mine.replaces:
            left = [part for row in left for part in _outside(row, mine)]
    return tuple(sorted((*left, *own), key=lambda row: (key_of(row), row.effective)))


def _outside(row: D, mine: D) -> Iterable[D]:
    if not stands_in_place(mine, row) or not row.period.overlaps(mine.period):
        return (row,)
    return [row.during(period) for period in row.period.without(mine.period)]


def stands_in_place(mine: Any, row: Any) -> bool:
    """Whether a site's row has the place of another: its key, of a name the name alone, of any claim each claim."""
    name = getattr(mine, "PLACE", None)
    if name is not None:
        return bool(getattr(mine, name).casefold() == getattr(row, name).casefold())
    same = [getattr(mine, part) == getattr(row, part) or (part, getattr(mine, part)) == EVERY_CLAIM for part in row.KEY]
    return all(same)


def key_of(row: Any) -> tuple[Any, ...]:
    """What together with the days makes a row unique."""
    return tuple([getattr(row, name) for name in row.KEY])


def named(row: Any) -> str:
    """A row by its key, for people."""
    return "/".join(tables.cell_text(part) for part in key_of(row))


def read_own_tables(path: str | os.PathLike[str], known: Mapping[str, Any], store: Store) -> OwnTables:
    """A site's rows in any of the tables `known` by name, each in a file named like it. Raises `TableError`."""
    from .own_tables import OwnTables, read_own

    place = os.path.abspath(os.fspath(path))
    if not os.path.isdir(place):
        way = f": give the folder that it stands in, {os.path.dirname(place)}" if os.path.isfile(place) else ""
        raise TableError(f"{place} is no folder of tables{way}.", file=place, problems=())
    seen = sorted(name for name in os.listdir(place) if not name.startswith((".", "~$")))
    files = [name for name in seen if name.endswith(".csv")]
    _check_saved(place, seen, known)
    names = ", ".join(f"{name}.csv" for name in sorted(known))
    strangers = [
        name
        for name in files
        if name.removesuffix(".csv") not in known or not os.path.isfile(os.path.join(place, name))
    ]
    if strangers or not files:
        says = f"{', '.join(strangers)}: no such table" if strangers else "it holds no table"
        raise TableError(f"{place}: {says}. Name each file after one of: {names}.", file=place, problems=())
    rows: dict[type[Any], tuple[OwnRow, ...]] = {}
    for name in files:
        row_class = known[name.removesuffix(".csv")]
        shipped = partial(store.rows, row_class)
        rows[row_class] = read_own(row_class, os.path.join(place, name), store.sources, shipped)
    digests = {name: sha256_of(os.path.join(place, name)) for name in files}
    return OwnTables(place, rows, digests)


def _check_saved(place: str, seen: Sequence[str], known: Mapping[str, Any]) -> None:
    """Raise `TableError` for a table that is saved as something else, and would be passed over without a word."""
    for stem, end in map(os.path.splitext, seen):
        table = f"{stem.lower()}.csv"
        if stem.lower() in known and end.lower() in _TABLE_LIKE and table not in seen:
            says = f"{place}: {stem}{end} is not read: save it as CSV UTF-8 under the name {table}."
            raise TableError(says, file=os.path.join(place, f"{stem}{end}"), problems=())


_TABLE_LIKE = (".csv", ".xlsx", ".xls", ".ods", ".txt", ".tsv")


@lru_cache(maxsize=16)
def _mapped(file: str) -> bytes:
    """The bytes of a file of facts, of which only those are read that are looked at: for one key of a table."""
    import mmap

    with open(file, "rb") as stream:
        return cast("bytes", mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


_shipped = lru_cache(maxsize=64)(tables.packaged)  # remembered once for every reference


@lru_cache(maxsize=16384)
def _starting(store: Store, row_class: Any, first_cell: str, whole: bool) -> tuple[Any, ...]:
    data = _mapped(store.whole(f"{row_class.TABLE}.csv"))
    found = tables.starting(row_class, data, first_cell, store.sources, whole)
    return store._overlaid(found, store._own(row_class, first_cell, whole))
