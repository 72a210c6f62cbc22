"""A small made file of every family, in its published layout: the same from a ZIP and plain, and never read when broken."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import published
import pytest
from test_refresh_fold import BYHAND

from jcodeunits.errors import TableError
from jcodeunits.refresh import fold
from jcodeunits.refresh.dating import edition_of
from jcodeunits.refresh.families import family_of
from jcodeunits.refresh.family import Asked, FileReading

EVERY = [(name, n) for name, makes in published.SAMPLES.items() for n in range(len(makes))]
NAMES = [f"{name} {n}" for name, n in EVERY]
ASKED = Asked(edition_of("2026-10"))


def made(name: str, n: int, place: Path) -> Path:
    return published.SAMPLES[name][n](place)


def read(path: Path) -> tuple[list[FileReading], list[str]]:
    readings, left_out = fold.read_all(fold.find([path]), ASKED, BYHAND)
    return [reading for _, reading in readings], left_out


@pytest.mark.parametrize(("name", "n"), EVERY, ids=NAMES)
def test_a_zip_says_what_the_file_says(tmp_path: Path, name: str, n: int) -> None:
    file = made(name, n, tmp_path)
    (found,) = fold.find([file])
    family = family_of(found)
    assert family is not None
    assert family.name == name
    plain, left_out = read(file)
    assert bool(plain) is not bool(family.leaves)
    zipped, others = read(published.zipped(file))
    assert [(r.edition.id, r.statements, r.digest) for r in zipped] == [
        (r.edition.id, r.statements, r.digest) for r in plain
    ]
    assert len(others) == len(left_out)


def _in_its_header(data: bytes) -> bytes:
    """Every second letter of the words that a header may hold, changed."""
    return b"\n".join(
        line.swapcase().replace(b"c", b"q").replace(b"C", b"Q").replace(b"d", b"x").replace(b"D", b"X")
        for line in data.split(b"\n")
    )


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "another header": _in_its_header,
    "no text": lambda data: b"\0".join([data[:40], data[40:]]),
    "a program": lambda data: b"MZ\x90\0" + data,
    "the header alone": lambda data: data[: data.find(b"\n") + 1],
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize(("name", "n"), EVERY, ids=NAMES)
def test_a_broken_file_is_never_read(tmp_path: Path, name: str, n: int, how: str) -> None:
    file = made(name, n, tmp_path)
    file.write_bytes(BROKEN[how](file.read_bytes()))
    try:
        readings, left_out = read(file)
    except TableError as why:
        said = str(why)
    else:
        assert [reading.statements for reading in readings if reading.statements] == []
        said = " ".join(left_out)
    assert file.name in said or how == "the header alone"


@pytest.mark.parametrize(
    "spoil", [lambda data: data[: len(data) // 2], lambda data: data.replace(b"PK\x01\x02", b"PK\x09\x09")]
)
@pytest.mark.parametrize(("name", "n"), EVERY[::3], ids=NAMES[::3])
def test_a_damaged_zip_is_named(tmp_path: Path, name: str, n: int, spoil: Callable[[bytes], bytes]) -> None:
    place = published.zipped(made(name, n, tmp_path))
    place.write_bytes(spoil(place.read_bytes()))
    with pytest.raises(TableError, match=place.stem[:5]):
        read(place)


def test_a_bomb_and_a_path_that_leads_outside_are_refused(tmp_path: Path) -> None:
    bomb, outside = tmp_path / "bomb.zip", tmp_path / "outside.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mue.csv", b"0" * 50_000_000)
    with zipfile.ZipFile(outside, "w") as archive:
        archive.writestr("../mue.csv", b"a,b\n")
    for path, says in ((bomb, "would unpack"), (outside, "points outside")):
        with pytest.raises(TableError, match=says):
            read(path)
