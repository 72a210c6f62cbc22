"""Where an output may be written: over nothing that is read."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from ..errors import BatchError, need_kind
from ..facts.reference import Reference


def keep_apart(source: str | Path, target: str | Path, reference: Reference) -> None:
    """Refuse (`BatchError`) to write over what is read, or the tables of facts, by whatever name or link."""
    for value, name in (source, "source"), (target, "target"):
        need_kind(value, (str, os.PathLike), name, "the name of a file")
    if str(target) == "-":
        return
    if _is_read(source, target):
        says = f"{target} is the file that is read: its rows would be lost. Write to another name."
        raise BatchError(says, file=str(target), place="file")
    for folder in reference.folders:
        if _lies_in(target, folder):
            says = (
                f"{target} lies in {folder}, a folder of the tables that the answers are read from: a file there would "
                "be taken for a table, or lost with them. Write to another folder."
            )
            raise BatchError(says, file=str(target), place="file")


def _is_read(source: str | Path, target: str | Path) -> bool:
    try:
        read = os.fstat(sys.stdin.fileno() if sys.stdin else -1) if str(source) == "-" else os.stat(source)
        return stat.S_ISREG(read.st_mode) and os.path.samestat(read, os.stat(target))
    except (OSError, ValueError):
        return False  # one of them is not there, or standard input is no file or closed


def _lies_in(target: str | Path, folder: str) -> bool:
    """Whether a file, where its links lead, lies in a folder or below it."""
    try:
        place = os.path.realpath(target)
    except (OSError, ValueError):
        return False  # no name of a file: opening it says so
    return os.path.join(place, "").startswith(os.path.join(os.path.realpath(folder), ""))
