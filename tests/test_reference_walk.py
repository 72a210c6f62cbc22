"""Every row of every reference table: it loads, its source stands, its periods make sense."""

from __future__ import annotations

import ast
import csv
import datetime as dt
import importlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from shipped import rows_of

from jcodeunits import tables, units
from jcodeunits.dated import Period
from jcodeunits.refresh.family import EVIDENCE
from jcodeunits.refresh.statements import Kept

ROOT = Path(__file__).parent.parent
PACKAGE, REFERENCE = ROOT / "jcodeunits", ROOT / "reference"


def _row_classes() -> dict[str, Any]:
    """Every class of the package that names a table, by that name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any(
                _names_a_table(line) for line in (*node.decorator_list, *node.body)
            ):
                module = ".".join(("jcodeunits", *path.relative_to(PACKAGE).with_suffix("").parts))
                row_class = getattr(importlib.import_module(module), node.name)
                found[row_class.TABLE] = row_class
    return found


def _names_a_table(line: ast.AST) -> bool:
    if isinstance(line, ast.Call):
        return getattr(line.func, "id", "") == "table"
    return isinstance(line, ast.AnnAssign) and getattr(line.target, "id", "") == "TABLE" and line.value is not None


ROW_CLASSES = _row_classes()
EVIDENCE_FILES = sorted(path.stem for path in REFERENCE.glob("*evidence.csv"))
FILES = sorted({path.stem for path in REFERENCE.glob("*.csv")} - set(EVIDENCE_FILES))


def _rows(table: str) -> tuple[Any, ...]:
    return rows_of(ROW_CLASSES[table])


def test_every_file_is_a_table_and_every_table_a_file() -> None:
    assert set(FILES) == set(ROW_CLASSES)
    others = {path.name for path in REFERENCE.iterdir() if path.suffix != ".csv"}
    assert others == {"README.md", "units.txt"}


EMPTY = {"rxnorm", "marketing"}  # no file that is read for the package has them


def test_what_refresh_keeps_of_the_files_is_sorted_and_nothing_else() -> None:
    assert set(EVIDENCE_FILES) == set(EVIDENCE)
    for table in EVIDENCE_FILES:
        text = (REFERENCE / f"{table}.csv").read_text("utf-8")
        assert Kept.load(table, text).text() == text


@pytest.mark.parametrize("table", FILES)
def test_a_table_loads(table: str) -> None:
    rows = _rows(table)
    with (REFERENCE / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        assert len(rows) == sum(1 for _ in csv.reader(file)) - 1
    assert rows or table in EMPTY


@pytest.mark.parametrize("table", sorted(set(FILES) - {"sources"}))
def test_a_row_cites_a_source_and_says_when_it_was_verified(table: str) -> None:
    ends = ("effective", "ends", "source", "cite", "confidence", "verified")
    assert tuple(tables.header(ROW_CLASSES[table]))[-6:] == ends
    for row in _rows(table):
        assert row.source in tables.sources()
        assert row.cite
        assert row.confidence in ("high", "medium", "low")
        assert row.verified >= dt.date(2020, 1, 1)


@pytest.mark.parametrize("table", sorted(set(FILES) - {"sources"}))
def test_periods_of_one_key_do_not_overlap(table: str) -> None:
    by_key: dict[tuple[Any, ...], list[Period]] = {}
    for row in _rows(table):
        key = tuple(getattr(row, name) for name in row.KEY)
        by_key.setdefault(key, []).append(Period(row.effective, row.ends))
    for key, periods in by_key.items():
        for one, two in pairwise(periods):
            assert not one.overlaps(two), (table, key)
            assert one.ends is not None
            assert one.ends < two.effective


def test_a_source_that_is_a_file_has_its_hash_and_its_days() -> None:
    for source in tables.sources().values():
        assert source.sha256 == "" or (len(source.sha256) == 64 and int(source.sha256, 16) >= 0), source.id
        if source.first_day and source.last_day:
            assert source.first_day <= source.last_day, source.id


def test_every_source_is_cited_by_some_row_or_rule() -> None:
    cited = {row.source for table in FILES if table != "sources" for row in _rows(table)}
    for table in EVIDENCE_FILES:
        kept = Kept.load(table, (REFERENCE / f"{table}.csv").read_text("utf-8"))
        cited |= {f"{file}-{edition}" for (_, file, _), editions in kept.rows.items() for edition in editions}
    code = "\n".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    idle = [name for name in tables.sources() if name not in cited and f'"{name}"' not in code]
    assert idle == []


def test_the_unit_file_holds_no_spelling_twice() -> None:
    seen: dict[str, str] = {}
    for line in (REFERENCE / "units.txt").read_text("utf-8").splitlines():
        if "=" not in line or line.startswith("#"):
            continue
        name, _, *spellings = [part.strip() for part in line.split("=")]
        for spelling in spellings:
            written = spelling.replace("_", " ")
            assert seen.setdefault(written, name) == name, f"{written!r} is {seen[written]} and {name}"
    assert len(seen) >= 100


def test_every_unit_of_the_file_is_one_of_pints() -> None:
    for symbol in dict.fromkeys(units.spellings().values()):
        assert units.factor(symbol, symbol) == 1
        assert units.quantity(units.factor(symbol, symbol), symbol).magnitude == 1


def test_reference_files_are_utf_8_with_line_feeds() -> None:
    for path in REFERENCE.iterdir():
        content = path.read_bytes()
        assert b"\r" not in content, path.name
        assert content.endswith(b"\n"), path.name
        assert not content.startswith(b"\xef\xbb\xbf"), path.name
