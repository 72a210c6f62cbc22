"""Strict loading: one broken file for each failure, each with the message that it must give."""

from __future__ import annotations

import datetime as dt
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from shipped import REFERENCE, load, rows_of

from jcodeunits import tables
from jcodeunits.errors import TableError
from jcodeunits.facts.drug_rows import Drug, Salt

BROKEN = Path(__file__).parent / "broken"
EXPECTED: dict[str, dict[str, Any]] = json.loads((BROKEN / "expected.json").read_text("utf-8"))
ROW_CLASSES: dict[str, Any] = {"salts": Salt, "drugs": Drug}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_file_says_what_is_wrong_and_where(name: str) -> None:
    expected = EXPECTED[name]
    with pytest.raises(TableError) as caught:
        load(ROW_CLASSES[expected["table"]], BROKEN / f"{name}.csv")
    assert list(caught.value.problems) == expected["problems"]
    assert f"{name}.csv" in str(caught.value)
    assert expected.get("message", "does not load" if expected["problems"] else None) in str(caught.value)
    assert all(problem in str(caught.value) for problem in expected["problems"])
    unsorted = any("is not sorted after" in problem for problem in expected["problems"])
    assert "Its rows are sorted by " in str(caught.value) or not unsorted


def test_every_broken_file_is_expected() -> None:
    assert {path.stem for path in BROKEN.glob("*.csv")} == set(EXPECTED)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"gone\.csv cannot be read: No such file"):
        load(Salt, tmp_path / "gone.csv")


def test_only_the_first_problems_are_printed_and_all_are_kept(tmp_path: Path) -> None:
    header, row = (BROKEN / "unknown-choice.csv").read_text("utf-8").splitlines()
    file = tmp_path / "many.csv"
    file.write_text("\n".join([header, *[row] * 25]) + "\n", "utf-8")
    with pytest.raises(TableError, match="and 20 more") as caught:
        load(Salt, file)
    assert len(caught.value.problems) == 25


def test_a_good_file_becomes_exact_rows(tmp_path: Path) -> None:
    header, row = (BROKEN / "zero-amount.csv").read_text("utf-8").splitlines()
    file = tmp_path / "drugs.csv"
    file.write_text(f"{header}\n{row.replace(',0,mg,', ',0.625,g,')}\n", "utf-8")
    (drug,) = load(Drug, file)
    assert (drug.size, drug.unit, drug.effective, drug.ends) == (Fraction(5, 8), "g", dt.date(2020, 1, 1), None)
    assert drug.routes == ("injection",)
    assert drug.specific is False


def test_periods_that_touch_do_not_overlap(tmp_path: Path) -> None:
    text = (BROKEN / "overlapping-periods.csv").read_text("utf-8")
    file = tmp_path / "salts.csv"
    file.write_text(text.replace("1983-01-01,1990-01-01", "1983-01-01,1989-12-31"), "utf-8")
    assert [row.ends for row in load(Salt, file)] == [dt.date(1989, 12, 31), None]


@pytest.mark.parametrize(
    ("convert", "cell", "value"),
    [
        (tables.optional_amount, "", None),
        (tables.number, "0", 0),
        (tables.integer, "12", 12),
        (tables.optional_integer, "", None),
        (tables.optional_day, "", None),
        (tables.flag, "yes", True),
        (tables.words, "", ()),
        (tables.words, "a|b", ("a", "b")),
        (tables.optional, "", ""),
    ],
)
def test_a_cell_becomes_its_value(convert: Any, cell: str, value: object) -> None:
    assert convert(cell) == value


@pytest.mark.parametrize("cell", ["-1", "1.5", "", "٣", "1 000"])
def test_a_count_is_digits_only(cell: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        tables.integer(cell)


def test_rows_of_one_key_are_found_without_loading_the_rest() -> None:
    first, last = rows_of(Salt)[0], rows_of(Salt)[-1]
    assert REFERENCE.store.starting(Salt, first.word) == (first,)
    assert REFERENCE.store.starting(Salt, last.word) == (last,)
    assert REFERENCE.store.starting(Salt, "no such word") == ()
    assert REFERENCE.store.starting(Salt, last.word[:3]) == ()


def test_a_citation_carries_the_title_of_its_source() -> None:
    citation = tables.cited("cpm-17", "section 10")
    assert str(citation) == "Medicare Claims Processing Manual, ch. 17, section 10"
    assert citation.confidence == "high"


def test_the_fingerprint_is_of_all_files_and_moves_with_a_site_s_own(tmp_path: Path) -> None:
    own = tmp_path / "salts.csv"
    found = {REFERENCE.fingerprint}
    for word in ("oneate", "twoate"):
        own.write_text(f"word\n{word}\n", "utf-8")
        found.add(REFERENCE.with_tables(tmp_path).fingerprint)
    assert len(REFERENCE.fingerprint) == 64
    assert len(found) == 3


def test_no_first_cell_of_a_table_needs_quotes() -> None:
    """The lines of one key are found by halving the file, which a quoted cell would lead astray."""
    wrong = [
        (path.name, line[:40])
        for path in sorted(Path(tables.folder()).glob("*.csv"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith('"') and path.name != "route_words.csv"  # read whole, and a comma is part of a spelling
    ]
    assert wrong == []
