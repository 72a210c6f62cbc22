"""Puts the tables of a refreshed folder into the reference folder of a checkout: how the shipped book is rebuilt.

`python -m jcodeunits.refresh.place FOLDER reference`, for those who keep this package; `reference/README.md` says
when. Sources that people wrote down stay; those of editions are the folder's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from jcodeunits.facts.folder import open_folder

from .families import of_source
from .policy_tables import as_csv, rows_of
from .state import SOURCE_COLUMNS


def place(folder: Path, into: Path) -> None:
    """Copy every table of a refreshed folder, and merge its sources with those that people wrote down."""
    made = open_folder(folder)
    for name in made.digests:
        file = made.file(name)
        assert file is not None
        data = Path(file).read_bytes()
        if name == "sources.csv":
            known = {
                row["id"]: row for row in rows_of((into / name).read_text("utf-8")) if of_source(row["id"]) is None
            }
            known |= {row["id"]: row for row in rows_of(data.decode())}
            data = as_csv(SOURCE_COLUMNS, [known[key] for key in sorted(known)]).encode()
        (into / name).write_bytes(data)


if __name__ == "__main__":
    place(Path(sys.argv[1]), Path(sys.argv[2]))
