"""Damaged files at every door that takes one: a refusal in words, or an answer, and never a crash or a hang."""

from __future__ import annotations

import gzip
import io
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hostile import NUMBERS, TEXTS, check_message
from published import SAMPLES
from shipped import REFERENCE
from test_refresh_fold import BYHAND

from jcodeunits.cli import main
from jcodeunits.errors import JcodeunitsError, escaped
from jcodeunits.refresh import fold
from jcodeunits.refresh.dating import edition_of
from jcodeunits.refresh.family import Asked

pa = pytest.importorskip("pyarrow")

GIVEN = [
    {"id": 1, "drug": "ketorolac", "dose": "30", "unit": "mg", "on": "2026-03-02", "route": "IM", "discarded": "0 mg"},
    {"id": 2, "drug": "J9035", "dose": "77", "unit": "mg", "on": "2026-03-02", "route": None, "discarded": "23 mg"},
]
BILLED = [
    {"claim": 1, "line": 1, "code": "J1885", "units": "2", "modifiers": "JZ", "on": "2026-03-02", "dose": "30 mg"},
    {"claim": 1, "line": 2, "code": "J0696", "units": "1", "modifiers": None, "on": "2026-03-02", "dose": "1 g"},
]
ITEMS = [{"id": 1, "description": "KETOROLAC 30 MG/ML", "ndc": "0409-3795-01", "code": "J1885", "charge_unit": "1 mL"}]
OWN = b"name,code\nhouse mix,J1885\n"
SECONDS = 20  # what hung did so for minutes


def _text(rows: list[dict[str, object]]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(str(cell or "") for cell in row.values()) for row in rows), ""]
    return "\n".join(lines).encode()


def _parquet(rows: list[dict[str, object]]) -> bytes:
    import pyarrow.parquet as pq

    kept = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), kept)
    return kept.getvalue()


def _workbook(rows: list[dict[str, object]]) -> bytes:
    book, kept = openpyxl.Workbook(), io.BytesIO()
    for row in [tuple(rows[0]), *(tuple(row.values()) for row in rows)]:
        book.active.append(row)
    book.save(kept)
    return kept.getvalue()


KINDS: dict[str, Callable[[list[dict[str, object]]], bytes]] = {
    ".csv": _text,
    ".csv.gz": lambda rows: gzip.compress(_text(rows)),
    ".parquet": _parquet,
    ".xlsx": _workbook,
}
MESSAGES = Path(__file__).parent / "samples"


def damaged(rng: random.Random, whole: bytes) -> bytes:
    """The bytes with some of them changed, cut, doubled, or replaced by hostile text."""
    made = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        at = rng.randrange(len(made) + 1)
        how = rng.randrange(5)
        if how == 0 and at < len(made):
            made[at] = rng.randrange(256)
        elif how == 1:
            del made[at : at + rng.choice((1, 7, 400, 10**6))]
        elif how == 2:
            made[at:at] = rng.choice((*TEXTS, *NUMBERS)).encode("utf-8", "surrogatepass")
        elif how == 3:
            made[at:at] = made[at : at + rng.choice((1, 40, 3000))] * rng.choice((1, 2, 30))
        else:
            made[at:at] = rng.choice((b"\r", b"\n", b'"', b",", b"\0", b"\xff\xfe", b"\x1b[2J", b"|", b"~"))
    return bytes(made)


def _doors(folder: Path) -> list[tuple[str, bytes, Callable[[Path], None]]]:
    """Every kind of file that a verb or a family reads: the end of its name, the whole one, and who reads it."""
    out = str(folder / "out.csv")

    def verb(*words: str) -> Callable[[Path], None]:
        return lambda path: _run([word.replace("FILE", str(path)) for word in words])

    doors = []
    for end, kind in KINDS.items():
        doors += [
            (end, kind(GIVEN), verb("batch", "FILE", "-o", out, "--quiet")),
            (end, kind(BILLED), verb("audit", "FILE", "-o", out, "--quiet")),
            (end, kind(ITEMS), verb("audit", "--chargemaster", "FILE", "-o", out, "--quiet")),
        ]
    for message in sorted(MESSAGES.glob("*")):
        if message.name != "public.json":
            form = "hl7v2" if message.suffix == ".hl7" else "json" if "encounter" in message.name else "fhir"
            doors.append((message.suffix, message.read_bytes(), verb("charge", "FILE", "--from", form)))
    doors.append((".csv", OWN, lambda path: _own(folder, path)))
    for name, makers in SAMPLES.items():
        for number, make in enumerate(makers):
            place = folder / f"{name.replace(' ', '_').replace('/', '_')}{number}"
            place.mkdir()
            made = make(place)
            for file in made if isinstance(made, list) else [made]:
                doors.append((file.name, file.read_bytes(), _published))
    return doors


def _run(words: list[str]) -> None:
    assert main(words) in (0, 1, 2)


def _own(folder: Path, path: Path) -> None:
    tables = folder / "own"
    tables.mkdir(exist_ok=True)
    (tables / "brands.csv").write_bytes(path.read_bytes())
    _run(["units", "house mix", "30 mg", "--on", "2026-03-02", "--tables", str(tables)])


def _published(path: Path) -> None:
    try:
        fold.read_all(fold.find([path]), Asked(edition_of("2026-10")), BYHAND)
    except JcodeunitsError as error:
        check_message(str(error))
        print(error, file=sys.stderr)


@pytest.mark.hour
def test_damaged_files_for_an_hour(seconds: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert REFERENCE.edition
    rng, seen, end = random.Random(), Counter[str](), time.monotonic() + seconds
    doors = _doors(tmp_path)
    place = tmp_path / "given"
    place.mkdir()
    while time.monotonic() < end:
        name, whole, read = rng.choice(doors)
        content = damaged(rng, whole)
        path = place / (f"x{name}" if name.startswith(".") else name)
        path.write_bytes(content)
        start = time.process_time()
        try:
            read(path)
            said = capsys.readouterr()
            assert time.process_time() - start < SECONDS
            assert "not foreseen" not in said.err
            assert "Traceback" not in said.err
            assert all(escaped(line) == line for line in said.err.split("\n"))
        except BaseException as why:
            why.add_note(f"{name}: {content!r}"[:4000])
            raise
        path.unlink()
        seen["refused" if said.err else "read"] += 1
    print(dict(seen))
    assert seen["refused"]
