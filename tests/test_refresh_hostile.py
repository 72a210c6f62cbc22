"""A refresh under attack: killed runs, planted links, two at once, file modes, figures without end, cut files."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import openpyxl
import published
import pytest
from test_refresh import HEADER, workbook
from test_refresh_fold import tables

import jcodeunits as jc
from jcodeunits.cli import main
from jcodeunits.errors import TableError
from jcodeunits.facts import folder as folders
from jcodeunits.facts.folder import LOCK, MANIFEST, open_folder, write_folder
from jcodeunits.refresh import (
    amounts,
    containers,
    crosswalk,
    dating,
    descriptor,
    evidence,
    fold,
    marketed,
    naming,
    notices,
    witnesses,
)
from jcodeunits.refresh.family import Asked

ONE, TWO = {"drugs.csv": b"a\n"}, {"drugs.csv": b"b\n"}
links = pytest.mark.skipif(os.name != "posix", reason="links and modes as POSIX has them")


# --- the folder ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", range(7))
def test_a_first_run_that_is_killed_leaves_a_folder_that_the_next_one_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    contents = {f"t{n}.csv": bytes([65 + n]) for n in range(6)}
    calls = 0
    real = os.replace

    def killed(source: str, target: str) -> None:
        nonlocal calls
        calls += 1
        if calls > moment:
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        patch.setattr(os, "unlink", lambda _: None)  # as when nothing runs any more
        with pytest.raises(KeyboardInterrupt):
            write_folder(tmp_path, contents, "x")
    assert not (tmp_path / MANIFEST).exists()
    assert fold.base_of(tmp_path, jc.Reference.shipped()) is jc.Reference.shipped()
    made = write_folder(tmp_path, contents, "x")
    assert {path.name for path in Path(tmp_path, made.tables).iterdir()} == set(contents)
    assert {path.name for path in tmp_path.iterdir()} == {MANIFEST, made.tables}


@links
def test_nothing_is_written_through_a_planted_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = tmp_path / "facts"
    first = write_folder(place, ONE, "x")
    later = folders.folder_of(str(place), TWO, "x")
    (place / later.tables).symlink_to(outside)
    with pytest.raises(OSError, match="link"):
        write_folder(place, TWO, "x")
    assert list(outside.iterdir()) == []
    assert open_folder(place).fingerprint == first.fingerprint
    (place / later.tables).unlink()
    target = outside / "secret"
    target.write_text("kept")
    (place / MANIFEST).unlink()
    (place / MANIFEST).symlink_to(target)
    write_folder(place, TWO, "x")
    assert target.read_text() == "kept"
    assert open_folder(place).fingerprint == later.fingerprint


@links
def test_a_planted_link_for_the_lock_is_refused(tmp_path: Path) -> None:
    place, outside = tmp_path / "facts", tmp_path / "outside"
    place.mkdir()
    (place / LOCK).symlink_to(outside)
    with pytest.raises(TableError, match="cannot be written"):
        fold.refresh([published.mue(tmp_path, 2027, 4, {"J9260": 9})], place, asked=Asked(partial=True))
    assert not outside.exists()


@links
def test_a_folder_keeps_its_modes_and_a_new_one_has_the_users(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        place = tmp_path / "facts"
        made = write_folder(place, ONE, "x")
        files = [place / MANIFEST, place / made.tables / "drugs.csv"]
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o640, 0o640]
        os.umask(0o077)
        (place / MANIFEST).chmod(0o664)
        made = write_folder(place, TWO, "x")
        files = [place / MANIFEST, place / made.tables / "drugs.csv"]
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o664, 0o664]
    finally:
        os.umask(before)


@pytest.mark.book
def test_a_folder_whose_tables_were_changed_is_no_base(tmp_path: Path) -> None:
    place = tmp_path / "facts"
    fold.refresh([published.mue(tmp_path, 2027, 4, {"J9260": 9})], place, asked=Asked(partial=True))
    made = open_folder(place)
    file = Path(str(made.file("limit_evidence.csv")))
    file.write_text(file.read_text().replace("units=9", "units=99"))
    with pytest.raises(TableError, match="not the file that its manifest names"):
        fold.refresh([published.mue(tmp_path, 2028, 1, {"J9260": 9})], place, asked=Asked(partial=True))


# --- figures without end -------------------------------------------------------------------------------


def test_a_row_numbered_without_end_is_named(tmp_path: Path) -> None:
    import zipfile

    book = workbook(tmp_path / "HCPC2030_JAN_ANWEB.xlsx")
    with zipfile.ZipFile(book) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'<row r="3"', b'<row r="1000000000000"').replace(
        b'r="A3"', b'r="A1000000000000"'
    )
    with zipfile.ZipFile(book, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(TableError, match=r"HCPC2030_JAN_ANWEB\.xlsx"):
        fold.refresh([book], tmp_path / "facts", anew=True)


@pytest.mark.parametrize(
    ("long", "added"),
    [
        (f"Injection, otherin, {'9' * 30_000} mg", "20300101"),
        (f"Injection, otherin, {'9' * 300} mg", "20300101"),
        (f"Injection, otherin, 0.{'0' * 5_000}1 mg", "20300101"),
        ("Injection, otherin, 1 mg", "99990101"),
        ("Injection, otherin, 1 mg", "00000101"),
    ],
)
def test_a_descriptor_or_a_day_without_measure_is_refused_with_its_place(tmp_path: Path, long: str, added: str) -> None:
    book = workbook(tmp_path / "HCPC2030_JAN_ANWEB.xlsx", [("J0003", long, "Words", added, added, "")])
    with pytest.raises(TableError, match=r"HCPC2030_JAN_ANWEB\.xlsx, line 2") as caught:
        fold.refresh([book], tmp_path / "facts", anew=True)
    assert len(str(caught.value)) < 400
    assert not (tmp_path / "facts").exists()


@pytest.mark.parametrize("cell", [32_768, 10_000_000])
def test_a_text_longer_than_any_published_is_refused_before_it_is_read(tmp_path: Path, cell: int) -> None:
    start = time.process_time()
    rows = [SOLD, SOLD.replace("Maker", "1 mg " * (cell // 5) + "x" * (cell % 5))]
    file = published.crosswalk(tmp_path, 2027, 1, rows)
    with pytest.raises(TableError, match=r"crosswalk 2027 1\.csv") as caught:
        fold.refresh([file], tmp_path / "facts")
    assert len(str(caught.value)) < 400
    (short,) = fold.find([published.crosswalk(tmp_path, 2027, 1, [SOLD.replace("Maker", "1 mg " * 4_000)])])
    assert list(short.rows())
    assert time.process_time() - start < 5


READERS: dict[str, Callable[[str], object]] = {
    "a description of CMS": descriptor.parse,
    "substances": naming.substances,
    "amounts": amounts.amounts,
    "a dosage": crosswalk.read_dosage,
    "a concentration": lambda text: marketed.per_ml("1", text),
    "a package": lambda text: marketed.of({"00409379501": [("description", text)]}),
    "a notice": lambda text: notices.words_in(text, ["0409-3795-01"]),
    "strengths of a name": witnesses.strengths_of,
    "a name's label": containers.label_of,
    "amounts of a name": lambda text: evidence.amounts_in([text], Fraction(1)),
    "days above a table": lambda text: dating.days_above([text]),
    "a quarter": dating.quarter_in,
}
REPEATED = (
    "(",
    "1, ",
    "1.1 ",
    "- ",
    "x/",
    "per ",
    "1X",
    "a, ",
    "in ",
    " -1",
    "(a = 1 unit",
    "1 MG/",
    "1 > ",
    "or ",
    "q1 ",
)


@pytest.mark.parametrize("reader", READERS)
def test_no_text_of_a_file_takes_longer_than_its_size_explains(reader: str) -> None:
    for part in REPEATED:
        text = (part * 20_000)[:20_000]
        start = time.process_time()
        with contextlib.suppress(ValueError):
            READERS[reader](text)
        assert time.process_time() - start < 1, part


def test_a_power_in_a_descriptor_is_a_word(tmp_path: Path) -> None:
    book = workbook(
        tmp_path / "HCPC2030_JAN_ANWEB.xlsx",
        [("J0003", "Injection, otherin, 1e999999999 mg", "Words", "20300101", "20300101", "")],
    )
    fold.refresh([book], tmp_path / "facts", anew=True)
    (row,) = [row for row in tables(tmp_path / "facts")["drugs.csv"].decode().splitlines() if "J0003" in row]
    assert len(row) < 1_000


@pytest.mark.parametrize("day", ["00000101", "20261399", "1" * 5_000])
def test_a_day_of_the_fda_that_is_none_is_named(tmp_path: Path, day: str) -> None:
    file = published.nsde(tmp_path, {"00409379501": "ML"}, "_2026-11-20")
    file.write_text(file.read_text().replace("20150101", day))
    with pytest.raises(TableError, match="is no date") as caught:
        fold.refresh([file], tmp_path / "facts")
    assert len(str(caught.value)) < 400


@pytest.mark.book
def test_a_day_that_never_comes_begins_nothing_today(tmp_path: Path) -> None:
    file = published.nsde(tmp_path, {"00409379501": "ML"}, "_2026-11-20")
    file.write_text(file.read_text().replace("20150101", "99991231"))
    fold.refresh([file], tmp_path / "facts")
    found = jc.Reference.load(tmp_path / "facts").products.find("0409-3795-01", on="2026-11-26")[1]
    assert "not-marketed" in {note.rule for note in found}


def test_an_empty_path_is_refused_and_no_folder_is_walked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refresh", "", "--into", "facts", "--check"]) == 2
    assert "empty path" in capsys.readouterr().err


# --- pages ---------------------------------------------------------------------------------------------

UNREAD = {
    "a tag of one word": "<td " + "a" * 400_000,
    "a tag of many lines": "<td " + "a\n" * 200_000,
    "many tags in one": "<a" * 200_000,
    "many opened quotes": "<td a='" * 60_000,
    "comments": "<!--" * 100_000,
    "a comment of hyphens": "<!--" + "-" * 400_000,
    "declarations": "<!" * 200_000,
    "instructions": "<?" * 200_000,
    "sections": "<![CDATA[" * 40_000,
    "scripts": "<script>" * 50_000,
    "a script whose ends have none": "<script>" + "</script" * 50_000,
    "styles": "<style></styl" * 30_000,
    "titles": "<title>" * 50_000,
    "fields of text": "<textarea \n" * 40_000,
    "ends of cells": "</td\n" * 80_000,
    "a number": "<tr><td>&#" + "9" * 400_000,
    "names of letters": "<tr><td>" + "&" * 200_000 + "&a" * 100_000 + "&" + "a" * 200_000,
    "numbers of letters": "<tr><td>&#x" + "f" * 200_000 + "&#" * 100_000,
    "one line": " " * 10_000_000,
}
READ = {
    "attributes": "<td " + "a=1\n" * 100_000 + ">",
    "attributes that are quoted": "<td " + 'a="<td"\n' * 50_000 + ">",
    "signs": "<td " + "=   " * 100_000 + "=" + " " * 400_000 + ">",
    "opening brackets": "<" * 400_000 + "\n",
    "closing brackets": "<a>" * 100_000 + "</>" * 100_000,
    "cells": "<tr>" + "<td>" * 100_000,
    "rows": "<tr><td>\n" * 20_000,
    "tables": "<table>" * 60_000,
    "lines": "\n" * 400_000,
}


@pytest.mark.parametrize("name", [*UNREAD, *READ])
def test_no_page_takes_longer_than_its_size_explains(tmp_path: Path, name: str) -> None:
    page = tmp_path / "places 2027-01.html"
    head = "<!doctype html>\n<table><tr><th>Code<th>Name</tr><tr><td>11<td>Office</tr>"
    page.write_text(head + (UNREAD | READ)[name])
    start = time.process_time()
    (file,) = fold.find([page])
    assert file.head[:2] == ([] if name == "one line" else [["Code", "Name"], ["11", "Office"]])
    if name in UNREAD:
        with pytest.raises(TableError, match=r"places 2027-01\.html.* The tables are left as they were"):
            list(file.rows())
    else:
        assert list(file.rows())
    assert time.process_time() - start < 2  # a tag that does not end took minutes


# --- files that lack most ------------------------------------------------------------------------------

SOLD = "J9260,Methotrexate,Maker,72998-0001-01,Methotrexate,50 MG,2,10,1,10,,"
CUT: dict[str, Callable[[Path], Path]] = {
    "crosswalk": lambda place: published.crosswalk(place, 2027, 1, [SOLD]),
    "code set": lambda place: workbook(
        place / "HCPC2027_JAN_ANWEB.xlsx",
        [("J1885", "Injection, ketorolac tromethamine, per 15 mg", "Ketorolac", "19930101", "19930101", "")],
    ),
    "older code set": lambda place: workbook(
        place / "HCPC2019_JAN_ANWEB.xlsx",
        [("J1885", "Injection, ketorolac tromethamine, per 15 mg", "Ketorolac", "19930101", "19930101", "")],
    ),
    "limits": lambda place: published.mue(place, 2027, 1, {"J9260": 9}),
    "payment limits": lambda place: published.limits(place, 2027, 1, {"J9260": "1"}),
    "statuses": lambda place: published.addendum_b(place, 2027, "January", {"J9260": ("N", "")}),
    "places": lambda place: published.page(place, "place of service 2027-01.html", {"11": "Office"}),
}


@pytest.mark.parametrize("name", CUT)
def test_an_edition_that_lacks_most_changes_nothing_and_says_how_it_is_meant(tmp_path: Path, name: str) -> None:
    with pytest.raises(TableError, match="it may be cut off") as caught:
        fold.refresh([CUT[name](tmp_path)], tmp_path / "facts")
    assert "--whole" in str(caught.value)
    assert not (tmp_path / "facts").exists()
    assert ("--partial" in str(caught.value)) is (name not in ("crosswalk", "places"))


SAMPLE = [
    f"J{1000 + n // 2:04},Words,Maker,{10001 + n // 2:05}-{n:04}-01,Drug,1 MG,1,1,1,1,," for n in range(400)
]  # 200 codes, two NDCs each


@pytest.mark.parametrize(("left", "read"), [(400, True), (394, True), (390, False), (300, False)])
def test_an_edition_that_ends_early_is_cut_off(tmp_path: Path, left: int, read: bool) -> None:
    facts = tmp_path / "facts"
    fold.refresh([published.crosswalk(tmp_path / "a", 2026, 4, SAMPLE)], facts, anew=True)
    cut = published.crosswalk(tmp_path / "b", 2027, 1, SAMPLE[:left])
    if read:
        fold.refresh([cut], facts)
        return
    with pytest.raises(TableError, match=r"ends before J1.*it may be cut off.*--whole"):
        fold.refresh([cut], facts)
    fold.refresh([cut], facts, asked=Asked(whole=True))


def test_codes_that_ended_here_and_there_are_no_cut(tmp_path: Path) -> None:
    facts = tmp_path / "facts"
    fold.refresh([published.crosswalk(tmp_path / "a", 2026, 4, SAMPLE)], facts, anew=True)
    told = fold.refresh([published.crosswalk(tmp_path / "b", 2027, 1, [*SAMPLE[:200:3], *SAMPLE[200:]])], facts)
    assert told.read == ("ASP NDC-HCPCS crosswalk 2027 Q1",)
    assert [item for item in told.lint if "cut off" in item.says] == []


def test_numbers_whose_first_zeros_a_spreadsheet_dropped_end_nothing(tmp_path: Path) -> None:
    facts = tmp_path / "facts"
    rows = [row.replace(",10001-", ",00409-") for row in SAMPLE]
    fold.refresh([published.crosswalk(tmp_path / "a", 2026, 4, rows)], facts, anew=True)
    cells = [row.split(",") for row in rows]
    dropped = [",".join([*row[:3], row[3].replace("-", "").lstrip("0"), *row[4:]]) for row in cells]
    with pytest.raises(TableError, match=r"2 NDCs without their first zeros \(00409-0000-01 is one\)"):
        fold.refresh([published.crosswalk(tmp_path / "b", 2027, 1, dropped)], facts)


@pytest.mark.book
def test_selected_rows_of_the_code_set_end_nothing(tmp_path: Path) -> None:
    told = fold.refresh([CUT["code set"](tmp_path)], tmp_path / "facts", asked=Asked(partial=True), check=True)
    assert [change for change in told.changes if change.kind == "ended"] == []


@pytest.mark.book
def test_an_edition_that_is_said_to_be_whole_ends_what_it_lacks(tmp_path: Path) -> None:
    fold.refresh([CUT["crosswalk"](tmp_path)], tmp_path / "facts", asked=Asked(whole=True))
    reference = jc.Reference.load(tmp_path / "facts")
    listed = reference.products.rows("00409379501")
    assert str(listed[-1].ends) == "2026-12-31"


# --- what is no table ----------------------------------------------------------------------------------


def test_a_workbook_that_is_cut_off_or_renamed_is_named(tmp_path: Path) -> None:
    book = workbook(tmp_path / "HCPC2030_JAN_ANWEB.xlsx")
    data = book.read_bytes()
    for cut in (data[: len(data) // 2], data[:-30]):
        book.write_bytes(cut)
        with pytest.raises(TableError, match=r"HCPC2030_JAN_ANWEB\.xlsx"):
            fold.refresh([book], tmp_path / "facts", anew=True)
    other = openpyxl.Workbook()
    sheet = other.active
    assert sheet is not None
    sheet.append([name.replace("ADD DT", "BEGINS") for name in HEADER])
    other.save(book)
    with pytest.raises(TableError, match=r"HCPC2030_JAN_ANWEB\.xlsx"):
        fold.refresh([book], tmp_path / "facts", anew=True)
    assert not (tmp_path / "facts").exists()


@pytest.mark.parametrize("named", ["x.csv", ""])
def test_files_of_which_none_is_read_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "x.csv").write_text("hello,world\n")
    assert main(["refresh", str(downloads / named), "--into", str(tmp_path / "facts")]) == 2
    assert "x.csv: no kind of file" in capsys.readouterr().err
    assert not (tmp_path / "facts").exists()
