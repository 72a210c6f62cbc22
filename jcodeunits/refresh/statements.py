"""What all editions read so far say, kept as rows: for each subject, file and statement the editions that say it.

Adding an edition is a union, so the order in which editions come does not matter; the tables are derived from
these rows alone, beside those reviewed by hand.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs

from jcodeunits.errors import TableError

from .family import Statements, facts

COLUMNS = ("subject", "file", "says", "editions")
Key = tuple[str, str, str]


@attrs.define
class Kept:
    """One table of evidence."""

    rows: dict[Key, tuple[str, ...]] = attrs.field(factory=dict)

    @staticmethod
    def load(name: str, text: str) -> Kept:
        """The table from its text. Raises `TableError`."""
        lines = csv.reader(io.StringIO(text, newline=""))
        if tuple(next(lines, ())) != COLUMNS:
            says = f"{name}.csv: its header must be {','.join(COLUMNS)}."
            raise TableError(says, file=f"{name}.csv", problems=())
        return Kept({(row[0], row[1], row[2]): tuple(row[3].split("|")) for row in lines})

    def text(self) -> str:
        """The table as text, sorted."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((*key, "|".join(self.rows[key])) for key in sorted(self.rows))
        return out.getvalue()

    def of(self, file: str, edition: str) -> Statements:
        """What one edition says."""
        return {(key[0], key[2]) for key, editions in self.rows.items() if key[1] == file and edition in editions}

    def with_edition(self, file: str, edition: str, statements: Statements) -> Kept:
        """The table with one more edition."""
        rows = dict(self.rows)
        for subject, told in statements:
            key = (subject, file, told)
            rows[key] = tuple(sorted({*rows[key], edition})) if key in rows else (edition,)
        return Kept(rows)

    def without(self, file: str, edition: str) -> Kept:
        """The table without one edition."""
        left = {
            key: tuple(name for name in names if key[1] != file or name != edition) for key, names in self.rows.items()
        }
        return Kept({key: names for key, names in left.items() if names})

    def by_edition(self, file: str) -> dict[str, list[tuple[str, str]]]:
        """Subject and statement by edition, sorted."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for (subject, its, told), editions in self.rows.items():
            if its == file:
                for edition in editions:
                    found[edition].append((subject, told))
        return {edition: sorted(rows) for edition, rows in found.items()}

    def by_source(self, *files: str) -> dict[str, list[tuple[str, str]]]:
        """Subject and statement by source id, of every edition of these files."""
        return {f"{file}-{name}": rows for file in files for name, rows in self.by_edition(file).items()}

    def newest(self, file: str, days: Mapping[str, object]) -> list[tuple[str, str]]:
        """What the newest edition that has a subject says of it, sorted; `days` are those of the editions' ids."""
        mine = [(subject, told, editions) for (subject, its, told), editions in self.rows.items() if its == file]
        day = {name: str(days[f"{file}-{name}"]) for name in {name for *_, editions in mine for name in editions}}
        last: dict[str, str] = {}
        for subject, _, editions in mine:
            newest = max(editions, key=day.__getitem__)
            if subject not in last or day[last[subject]] < day[newest]:
                last[subject] = newest
        return sorted((subject, told) for subject, told, editions in mine if last[subject] in editions)


def subjects(statements: Iterable[tuple[str, str]]) -> set[str]:
    """The subjects of statements."""
    return {subject for subject, _ in statements}


def codes_of(statements: Iterable[tuple[str, str]]) -> set[str]:
    """The codes that statements are about: of an NDC the code under which it stands.

    >>> sorted(codes_of([("00409-3795-01", "code=J1885|units=2"), ("J1010", "units=4")]))
    ['J1010', 'J1885']
    """
    return {facts(told).get("code", subject) for subject, told in statements}


def fuller(one: Statements, other: Statements) -> Statements:
    """Of what two twins of an edition say, that which says more; the order in which they come does not matter."""
    return one if one == other else max(one, other, key=lambda said: (sum(len(told) for _, told in said), sorted(said)))
