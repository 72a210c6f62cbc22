"""What came after an ended code: the code set's references and NDCs that moved make rows, a likeness does not."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from test_refresh import HEADER, NDC_HEADER, crosswalk, table

import jcodeunits as jc
from jcodeunits.refresh import fold
from jcodeunits.refresh.dating import edition_of
from jcodeunits.refresh.family import Asked

CROSS = (*HEADER[:6], "XREF1", "XREF2", *HEADER[6:])
OLD = ("J0002", "Injection, otherin, up to 10 mg", "", "20100101", "20300101", "20291231")
NEW = ("J0003", "Injection, otherin, 1 mg", "", "20300101", "20300101", "")
SOLD = "{},Otherin,MAKER,00001-000{}-01,Otherin,1 MG,2,25,50,1250,,,"


def code_set(path: Path, refers: dict[str, str], *more: tuple[str, ...]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(CROSS))
    for code, long, _, added, acted, ended in (OLD, NEW, *more):
        cells = {"HCPC": code, "SEQNUM": "0010", "RECID": "3", "LONG DESCRIPTION": long, "SHORT DESCRIPTION": "Words"}
        cells |= {"XREF1": refers.get(code, ""), "ADD DT": added, "ACT EFF DT": acted, "TERM DT": ended}
        sheet.append([cells.get(name, "") for name in CROSS])
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def fixed(path: Path, refers: dict[str, str]) -> Path:
    lines = []
    for code, long, _, added, acted, ended in (OLD, NEW, NEW):
        head = f"{code}001003{long:<80}{'Words':<28}".ljust(204) + refers.get(code, "").ljust(64)
        lines.append(f"{head}{added}{acted}{ended:<8}N".ljust(320))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "cp1252")
    return path


def quarter(path: Path, first: str, last: str, *rows: str) -> Path:
    crosswalk(path, rows, NDC_HEADER)
    path.write_bytes(
        path.read_bytes().replace(b"January 1, 2030 through March 31, 2030", f"{first} through {last}".encode())
    )
    return path


def found(target: Path) -> list[tuple[str, str, str, str, str]]:
    columns = ("code", "successor", "evidence", "ndcs_moved", "effective")
    return [tuple(row[name] for name in columns) for row in table(target, "successors") if row["code"] == "J0002"]  # type: ignore[misc]


@pytest.mark.parametrize("layout", [code_set, fixed])
def test_a_reference_of_the_code_set_to_a_code_in_effect_is_a_successor(tmp_path: Path, layout: object) -> None:
    assert callable(layout)
    fold.refresh(
        [layout(tmp_path / "in" / "HCPC2030_JAN_ANWEB.txt", {"J0002": "J0003"})]
        if layout is fixed
        else [layout(tmp_path / "in" / "HCPC2030_JAN_ANWEB.xlsx", {"J0002": "J0003"})],
        tmp_path / "facts",
        anew=True,
    )
    assert found(tmp_path / "facts") == [("J0002", "J0003", "cross-reference", "", "2030-01-01")]
    reference = jc.Reference.load(tmp_path / "facts")
    with pytest.raises(jc.JcodeunitsError, match="J0003"):
        jc.billing_units("J0002", "5 mg", on="2030-02-01", reference=reference)


@pytest.mark.parametrize(
    ("refers", "more"),
    [
        ({"J0002": "J0009"}, ()),  # a code that the set lacks
        ({"J0002": "J0004"}, (("J0004", "Injection, thirdin, 1 mg", "", "20310101", "20310101", ""),)),  # begins later
        ({"J0003": "J0002"}, ()),  # from the code that goes on
        ({"J0002": "99999"}, ()),
    ],
)
def test_a_reference_that_leads_nowhere_on_the_day_after_makes_no_row(
    tmp_path: Path, refers: dict[str, str], more: tuple[tuple[str, ...], ...]
) -> None:
    fold.refresh([code_set(tmp_path / "in" / "HCPC2030_JAN_ANWEB.xlsx", refers, *more)], tmp_path / "facts", anew=True)
    assert found(tmp_path / "facts") == []


def test_products_that_move_from_an_ended_code_around_its_end_name_its_successor(tmp_path: Path) -> None:
    before = quarter(
        tmp_path / "before.csv",
        "October 1, 2029",
        "December 31, 2029",
        SOLD.format("J0002", 1),
        SOLD.format("J0002", 2),
    )
    after = quarter(
        tmp_path / "after.csv", "January 1, 2030", "March 31, 2030", SOLD.format("J0003", 1), SOLD.format("J0003", 2)
    )
    codes = code_set(tmp_path / "in" / "HCPC2030_JAN_ANWEB.xlsx", {})
    fold.refresh([codes, before, after], tmp_path / "facts", anew=True)
    assert found(tmp_path / "facts") == [("J0002", "J0003", "crosswalk", "2", "2030-01-01")]


def test_a_likeness_alone_is_left_to_a_person(tmp_path: Path) -> None:
    told = fold.refresh([code_set(tmp_path / "in" / "HCPC2030_JAN_ANWEB.xlsx", {})], tmp_path / "facts", anew=True)
    assert found(tmp_path / "facts") == []
    assert any(item.kind == "successor" and item.place == "J0002" for item in told.lint)


def test_what_people_settled_is_not_touched(tmp_path: Path) -> None:
    fold.refresh([code_set(tmp_path / "in" / "HCPC2030_JAN_ANWEB.xlsx", {})], tmp_path / "facts", anew=True)
    kept = [row for row in table(tmp_path / "facts", "successors") if row["code"] == "J1030"]
    assert [row["successor"] for row in kept] == ["J1010"]


def test_a_twin_that_says_more_is_taken_whichever_comes_first(tmp_path: Path) -> None:
    bare = fixed(tmp_path / "text" / "HCPC2030_JAN_ANWEB.txt", {})
    full = code_set(tmp_path / "book" / "HCPC2030_JAN_ANWEB.xlsx", {"J0002": "J0003"})
    results = []
    for name, steps in (("a", [[bare, full]]), ("b", [[bare], [full]]), ("c", [[full], [bare]])):
        fold.refresh(steps[0], tmp_path / name, anew=True, asked=Asked(edition_of("2030Q1")))
        for paths in steps[1:]:
            fold.refresh(paths, tmp_path / name)
        results.append(found(tmp_path / name))
    assert results == [[("J0002", "J0003", "cross-reference", "", "2030-01-01")]] * 3
