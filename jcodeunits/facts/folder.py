"""A folder that a refresh made: tables in a folder named by their digest, and one small manifest that names it.

The manifest is replaced last, so a folder is old or new, never mixed; to pin, to compare and to roll back are
that one file. Tables reviewed by hand are the package's and never lie there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from ..errors import TableError, quoted

MANIFEST = "manifest.json"
LOCK = ".lock"
FORMAT = 1  # of the folder; raised when an older folder must be folded again

_KEYS = {"format": int, "edition": str, "fingerprint": str, "tables": str, "digests": dict}


@attrs.frozen
class Folder:
    """What a manifest says: where the tables lie, their edition, and the SHA-256 of each file.

    `fingerprint` is that of `digests`; `path` is the folder that the site names.
    """

    path: str
    edition: str
    tables: str
    digests: Mapping[str, str] = attrs.field(hash=False)
    fingerprint: str

    def file(self, name: str) -> str | None:
        """The file of a table, or None where the package's own answers."""
        return os.path.join(self.path, self.tables, name) if name in self.digests else None


_FILE = re.compile(r"[a-z0-9_]+\.(csv|txt)")
_DIGEST = re.compile("[0-9a-f]{64}")


def digest_of(digests: Mapping[str, str]) -> str:
    """One SHA-256 for a set of files: the same names and contents, the same text.

    >>> digest_of({"a.csv": "1", "b.csv": "2"}) == digest_of({"b.csv": "2", "a.csv": "1"})
    True
    """
    import hashlib

    lines = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def open_folder(path: str | os.PathLike[str]) -> Folder:
    """The folder that a refresh made. Raises `TableError` with what to do where it is none."""
    place = os.path.abspath(os.fspath(path))
    file = os.path.join(place, MANIFEST)
    try:
        with open(file, encoding="utf-8") as stream:
            told = json.load(stream)
    except FileNotFoundError:
        raise TableError(
            f"{place} holds no {MANIFEST}: give a folder that `jcodeunits refresh PATH... --into FOLDER` made. "
            "A folder of a site's own rows goes beside it (`--tables`, `with_tables`).",
            file=place,
            problems=(),
        ) from None
    except (OSError, ValueError, RecursionError) as why:
        raise TableError(f"{file} cannot be read as a manifest: {why}.", file=file, problems=()) from why
    _check(told, file, place)
    digests = {str(name): str(digest) for name, digest in told["digests"].items()}
    return Folder(place, told["edition"], told["tables"], digests, told["fingerprint"])


def _check(told: Any, file: str, place: str) -> None:
    known = isinstance(told, dict) and type(told.get("format")) is int
    if known and told["format"] != FORMAT:
        age = "an older" if told["format"] < FORMAT else "a newer"
        raise TableError(
            f"{place} was made by {age} version (format {told['format']}, this one reads {FORMAT}): fold it again with "
            f"`jcodeunits refresh PATH... --into NEW_FOLDER`.",
            file=file,
            problems=(),
        )
    wrong = [key for key, kind in _KEYS.items() if not known or not isinstance(told.get(key), kind)]
    if wrong:
        raise TableError(f"{file} is no manifest: {', '.join(wrong)} missing or wrong.", file=file, problems=())
    digests = told["digests"]
    strange = [
        name for name, digest in digests.items() if not _FILE.fullmatch(name) or not _DIGEST.fullmatch(str(digest))
    ]
    if strange or not digests:
        says = f"{quoted(strange[0])} is no table with its SHA-256" if strange else "it names no table"
        raise TableError(f"{file} is no manifest: {says}.", file=file, problems=())
    inside = os.path.basename(told["tables"])
    if inside != told["tables"] or inside in ("", ".", "..") or not os.path.isdir(os.path.join(place, inside)):
        raise TableError(
            f"{file} names the tables {told['tables']!r}, which are not there. Restore the folder, or make it again.",
            file=file,
            problems=(),
        )
    if digest_of(told["digests"]) != told["fingerprint"]:
        raise TableError(f"{file}: its fingerprint is not that of its digests.", file=file, problems=())


def write_folder(
    path: str | os.PathLike[str], contents: Mapping[str, bytes | os.PathLike[str]], edition: str
) -> Folder:
    """Write all tables of a folder, by file name, and the manifest last; what was there stays until then.

    A table is its bytes, or a file that is copied. The same contents give the same folder, and nothing is written
    where it holds them. Raises `OSError` as the system does; the folder is then as it was.
    """
    place = os.path.abspath(os.fspath(path))
    made = folder_of(place, contents, edition)
    inside = os.path.join(place, made.tables)
    os.makedirs(inside, exist_ok=True)
    for name, data in contents.items():
        _write(os.path.join(inside, name), data)
    manifest = {
        "format": FORMAT,
        "edition": edition,
        "fingerprint": made.fingerprint,
        "tables": made.tables,
        "digests": dict(sorted(made.digests.items())),
    }
    _write(os.path.join(place, MANIFEST), (json.dumps(manifest, indent=1) + "\n").encode())
    return made


def folder_of(place: str, contents: Mapping[str, bytes | os.PathLike[str]], edition: str) -> Folder:
    """What the manifest of these tables would say."""
    digests = {name: _digest(data) for name, data in contents.items()}
    fingerprint = digest_of(digests)
    return Folder(place, edition, f"tables-{fingerprint[:16]}", digests, fingerprint)


def _digest(data: bytes | os.PathLike[str]) -> str:
    import hashlib

    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    with open(data, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """The folder for one process at a time: the operating system's lock, which dies with its process.

    A folder that was not there and is not written to is gone afterwards.
    """
    place = os.path.abspath(os.fspath(path))
    os.makedirs(place, exist_ok=True)
    file = os.path.join(place, LOCK)
    with open(file, "a+b") as held:
        _lock(held.fileno())
        try:
            yield
        finally:
            if not os.path.exists(os.path.join(place, MANIFEST)):
                os.unlink(file)
                if not os.listdir(place):
                    os.rmdir(place)


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)


def _write(file: str, data: bytes | os.PathLike[str]) -> None:
    """A file whole or not at all: written beside under a name of its own, then put in place."""
    import shutil
    import tempfile

    handle, beside = tempfile.mkstemp(dir=os.path.dirname(file), prefix=f".{os.path.basename(file)}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            if isinstance(data, bytes):
                stream.write(data)
            else:
                with open(data, "rb") as source:
                    shutil.copyfileobj(source, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
