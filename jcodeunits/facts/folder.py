"""A folder that a refresh made: tables in a folder named by their digest, and one small manifest that names it.

The manifest is replaced last, so a folder is old or new, never mixed; to pin, to compare and to roll back are
that one file. Tables reviewed by hand are the package's and never lie there.
"""

from __future__ import annotations

import errno
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
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
FORMAT = 1  # of the folder; raised when an older folder must be folded again

_KEYS = {"format": int, "edition": str, "fingerprint": str, "tables": str, "digests": dict}


@attrs.frozen
class Folder:
    """What a manifest says: where the tables lie, their edition, and the SHA-256 of each file.

    `fingerprint` is that of `digests`; `path` is what the site names: the folder, or a manifest in it that was kept.
    """

    path: str
    edition: str
    tables: str
    digests: Mapping[str, str] = attrs.field(hash=False)
    fingerprint: str

    @property
    def place(self) -> str:
        """The folder in which the tables' folder lies."""
        return os.path.dirname(self.path) if self.path.endswith(".json") else self.path

    def file(self, name: str) -> str | None:
        """The file of a table, or None where the package's own answers."""
        return os.path.join(self.place, self.tables, name) if name in self.digests else None


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
    """The folder that a refresh made, or a copy of its manifest kept in it under another name. Raises `TableError`."""
    given = os.path.abspath(os.fspath(path))
    pinned = given.endswith(".json") and not os.path.isdir(given)
    place = os.path.dirname(given) if pinned else given
    file = given if pinned else os.path.join(place, MANIFEST)
    try:
        with open(file, encoding="utf-8") as stream:
            told = json.load(stream)
    except FileNotFoundError:
        says = (
            f"{place} holds no {os.path.basename(file)}: give a folder that `jcodeunits refresh PATH... --into FOLDER` "
            "made. A folder of a site's own rows goes beside it (`--tables`, `with_tables`)."
        )
        raise TableError(says, file=place, problems=()) from None
    except (OSError, ValueError, RecursionError) as why:
        raise TableError(f"{file} cannot be read as a manifest: {why}.", file=file, problems=()) from why
    _check(told, file, place)
    digests = {str(name): str(digest) for name, digest in told["digests"].items()}
    return Folder(given, told["edition"], told["tables"], digests, told["fingerprint"])


def _check(told: Any, file: str, place: str) -> None:
    known = isinstance(told, dict) and type(told.get("format")) is int
    if known and told["format"] != FORMAT:
        age = "an older" if told["format"] < FORMAT else "a newer"
        says = (
            f"{place} was made by {age} version (format {told['format']}, this one reads {FORMAT}): fold it again with "
            f"`jcodeunits refresh PATH... --into NEW_FOLDER`."
        )
        raise TableError(says, file=file, problems=())
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
        says = f"{file} names the tables {told['tables']!r}, which are not there. Restore the folder, or make it again."
        raise TableError(says, file=file, problems=())
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
    if os.path.islink(inside):
        raise OSError(errno.ELOOP, f"{made.tables} is a link, and nothing is written through one")
    os.makedirs(inside, exist_ok=True)
    _sweep(place)
    _sweep(inside)
    mode = _mode(os.path.join(place, MANIFEST))
    for name, data in contents.items():
        _write(os.path.join(inside, name), data, mode)
    manifest = {
        "format": FORMAT,
        "edition": edition,
        "fingerprint": made.fingerprint,
        "tables": made.tables,
        "digests": dict(sorted(made.digests.items())),
    }
    _write(os.path.join(place, MANIFEST), (json.dumps(manifest, indent=1) + "\n").encode(), mode)
    return made


def is_left_over(name: str) -> bool:
    """Whether a file or folder may be what a first run left that was killed before its manifest.

    >>> is_left_over(".lock"), is_left_over("tables-0123456789abcdef"), is_left_over("letters")
    (True, True, False)
    """
    return name == LOCK or bool(_TABLES.fullmatch(name) or _BESIDE.fullmatch(name))


def _mode(file: str) -> int | None:
    """The permissions of a file that stands, which those in its place keep; None where there is none."""
    try:
        return os.stat(file, follow_symlinks=False).st_mode & 0o777
    except FileNotFoundError:
        return None


_TABLES = re.compile("tables-[0-9a-f]{16}")
_BESIDE = re.compile(r"\.[a-z0-9_]+\.(?:csv|txt|json)\.[0-9a-f]{16}")


def _sweep(folder: str) -> None:
    """Remove what a run that was killed left half written; the lock says that no other one is at work."""
    for name in os.listdir(folder):
        if _BESIDE.fullmatch(name):
            os.unlink(os.path.join(folder, name))


def folder_of(place: str, contents: Mapping[str, bytes | os.PathLike[str]], edition: str) -> Folder:
    """What the manifest of these tables would say."""
    digests = {name: sha256_of(data) for name, data in contents.items()}
    fingerprint = digest_of(digests)
    return Folder(place, edition, f"tables-{fingerprint[:16]}", digests, fingerprint)


def sha256_of(data: bytes | str | os.PathLike[str]) -> str:
    """The SHA-256 of a table: its bytes, or a file. Raises `TableError` for a file that cannot be read."""
    import hashlib

    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    try:
        with open(data, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as why:
        raise TableError(f"{data} cannot be read: {why.strerror}.", file=str(data), problems=()) from why


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """The folder for one process at a time, by the system's lock; one that is new and not written to is gone after."""
    place = os.path.abspath(os.fspath(path))
    file = os.path.join(place, LOCK)
    held = _held(place, file)
    try:
        yield
    finally:
        if not os.path.exists(os.path.join(place, MANIFEST)):
            os.unlink(file)
            if not os.listdir(place):
                os.rmdir(place)
        os.close(held)


def _held(place: str, file: str) -> int:
    """The lock file, open and locked; never through a link, and never one that another process has taken away."""
    while True:
        os.makedirs(place, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT | _PLAIN, 0o666)
        _lock(handle)
        try:
            if os.path.samestat(os.fstat(handle), os.stat(file)):
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)


def _write(file: str, data: bytes | os.PathLike[str], mode: int | None) -> None:
    """A file whole or not at all: written beside under a name that nobody can know, then put in place."""
    import secrets
    import shutil

    beside = os.path.join(os.path.dirname(file), f".{os.path.basename(file)}.{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            if isinstance(data, bytes):
                stream.write(data)
            else:
                with open(data, "rb") as source:
                    shutil.copyfileobj(source, stream)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            os.chmod(beside, mode)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
