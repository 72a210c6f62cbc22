"""Puts tables into the reference folder of a checkout: how the shipped book is rebuilt.

For those who keep this package; `reference/README.md` says when. After a change by hand
`python -m jcodeunits.refresh.place reference` derives the tables anew from what is kept of the files, which it does
not need; after a refresh `python -m jcodeunits.refresh.place FOLDER reference` takes those of its folder. Sources that
people wrote down stay; those of editions are the folder's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from jcodeunits.errors import JcodeunitsError, TableError
from jcodeunits.facts.folder import open_folder
from jcodeunits.facts.reference import Reference
from jcodeunits.facts.store import Store

from .byhand import ByHand
from .families import of_source
from .fold import DERIVED, derive, state_of
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


def derive_anew(into: Path) -> tuple[str, ...]:
    """Write the tables that follow from the kept statements and those reviewed by hand; which of them changed."""
    store = Reference(Store()).store
    texts, _ = derive(state_of(store), ByHand(store))
    changed = tuple(name for name in DERIVED if (into / f"{name}.csv").read_text("utf-8") != texts[name])
    for name in changed:
        (into / f"{name}.csv").write_text(texts[name], "utf-8", newline="\n")
    return changed


def main(words: Sequence[str]) -> str:
    """What was done with one folder or two. Raises `JcodeunitsError` for a table that does not load."""
    folders = [Path(word) for word in words]
    if len(folders) not in (1, 2) or not all(map(Path.is_dir, folders)):
        raise TableError("give the reference folder of a checkout, or a refreshed folder and then that one.")
    if len(folders) == 2:
        place(*folders)
        return f"placed in {words[1]}: {words[0]}"
    return f"written: {', '.join(derive_anew(folders[0])) or 'nothing, every table is as it was'}"


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except JcodeunitsError as why:
        sys.exit(f"{why}")
