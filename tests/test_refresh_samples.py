"""A small made file of every family, in its published layout: the same from a ZIP and plain, and never read when broken."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import published
import pytest
from test_refresh_fold import BYHAND

from jcodeunits.errors import TableError
from jcodeunits.refresh import fold
from jcodeunits.refresh.dating import edition_of
from jcodeunits.refresh.families import families_of
from jcodeunits.refresh.family import Asked, FileReading
from jcodeunits.refresh.ptp import EditReading

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
    ((_, family),) = families_of(found)
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


# ---- the same table as publishers write it in other quarters ----------------------------------------

Rows = list[list[str]]


def cells(path: Path) -> Rows:
    text = path.read_text("cp1252")
    tab = text.count("\t") > text.count(",")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if tab else ",", quoting=3 if tab else 0))


def as_text(path: Path, rows: Rows) -> Path:
    tab = path.suffix.lower() == ".txt"
    out = io.StringIO(newline="")
    csv.writer(out, delimiter="\t" if tab else ",", quoting=3 if tab else 0, quotechar=None if tab else '"').writerows(
        rows
    )
    path.write_bytes(out.getvalue().encode("cp1252"))
    return path


def as_workbook(path: Path, *sheets: tuple[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
        for row in rows:
            sheet.append(row)
    path.unlink()
    made = path.with_suffix(".xlsx")
    book.save(made)
    return made


def zip_in_zip(path: Path) -> Path:
    inner = published.zipped(path)
    outer = inner.with_name(f"all {inner.name}")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, inner.name)
    inner.unlink()
    return outer


def with_footnote(path: Path) -> Path:
    rows = cells(path)
    width = max(map(len, rows))
    return as_text(path, [*rows, [""] * width, ["End of table", *[""] * (width - 1)]])


def with_a_word_below(path: Path) -> Path:
    """Words alone in a last line of one cell, as a person's program writes them."""
    with path.open("ab") as file:
        file.write(b"End of table\r\n")
    return path


def between(mark: str) -> Callable[[Path], Path]:
    """The cells with another mark between them; a text of tabs keeps them."""

    def write(path: Path) -> Path:
        if path.suffix.lower() == ".txt":
            return path
        rows, out = cells(path), io.StringIO(newline="")
        csv.writer(out, delimiter=mark).writerows(rows)
        path.write_bytes(out.getvalue().encode("cp1252"))
        return path

    return write


def as_a_spreadsheets_text(path: Path) -> Path:
    """What a spreadsheet saves as Unicode text: UTF-16, tabs, and quotes about a cell with a comma, quote or line end."""
    out = io.StringIO(newline="")
    for row in cells(path):
        line = "\t".join('"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n') else cell for cell in row)
        out.write(line + "\r\n")
    path.unlink()
    path = path.with_suffix(".txt")
    path.write_bytes(out.getvalue().encode("utf-16"))
    return path


def with_spaces(path: Path) -> Path:
    return as_text(path, [[f"{cell}  " if cell else "" for cell in row] for row in cells(path)])


def with_underscores(path: Path) -> Path:
    rows = cells(path)
    at = max(range(len(rows)), key=lambda i: sum(map(bool, rows[i][:8])) - i / 9)
    rows[at] = [cell.replace(" ", "_") for cell in rows[at]]
    return as_text(path, rows)


def a_sheet_behind_notes(path: Path) -> Path:
    notes = [["About this file"], ["The table stands on the next sheet."]]
    return as_workbook(path, ("Read me", notes), ("Table", [list(row) for row in cells(path)]))


def a_sheet_before_a_hidden_one(path: Path) -> Path:
    rows = cells(path)
    older = [list(row) for row in rows[:-1]]
    return as_workbook(path, ("Older", older), ("Table", [list(row) for row in rows]), hidden=("Older",))


WRITTEN: dict[str, Callable[[Path], Path]] = {
    "a mark of its encoding": lambda path: (
        path.write_bytes(b"\xef\xbb\xbf" + path.read_text("cp1252").encode()) and path
    ),
    "UTF-16": lambda path: path.write_bytes(path.read_text("cp1252").encode("utf-16")) and path,
    "UTF-16 without its mark": lambda path: path.write_bytes(path.read_text("cp1252").encode("utf-16-le")) and path,
    "UTF-16 of the other order": lambda path: path.write_bytes(path.read_text("cp1252").encode("utf-16-be")) and path,
    "semicolons": between(";"),
    "bars": between("|"),
    "spaces behind its cells": with_spaces,
    "a word below": with_a_word_below,
    "a spreadsheet's text": as_a_spreadsheets_text,
    "other line ends": lambda path: path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n")) and path,
    "a ZIP in a ZIP": zip_in_zip,
    "a footnote": with_footnote,
    "underscores in its header": with_underscores,
    "a sheet behind notes": a_sheet_behind_notes,
    "a sheet before a hidden one": a_sheet_before_a_hidden_one,
}
TABLES = [one for one in EVERY if one != ("places of service", 1)]  # that one is a page


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize(("name", "n"), TABLES, ids=[f"{name} {n}" for name, n in TABLES])
def test_a_table_says_the_same_however_it_is_written(tmp_path: Path, name: str, n: int, how: str) -> None:
    plain, _ = read(made(name, n, tmp_path / "a"))
    other, left_out = read(WRITTEN[how](made(name, n, tmp_path / "b")))
    assert [(one.edition.id, one.statements, one.digest) for one in other] == [
        (one.edition.id, one.statements, one.digest) for one in plain
    ]
    if how == "a sheet behind notes" and plain:
        assert any("'Read me'" in said for said in left_out)


def test_the_columns_of_a_table_may_stand_in_any_order(tmp_path: Path) -> None:
    for name in ("HCPCS Level II", "NDC-HCPCS crosswalk", "payment limits", "unit limits (MUE)", "NSDE", "VA prices"):
        plain, _ = read(made(name, 0, tmp_path / "a"))
        file = made(name, 0, tmp_path / "b")
        rows = cells(file)
        width = max(map(len, rows))
        wide = [[*row, *[""] * (width - len(row))] for row in rows]
        turned, _ = read(as_text(file, [row[3:] + row[:3] for row in wide]))
        assert [(one.edition.id, one.statements) for one in turned] == [
            (one.edition.id, one.statements) for one in plain
        ]


DAYS = {
    "ISO": lambda day: f"{day[:4]}-{day[4:6]}-{day[6:]}",
    "US": lambda day: f"{int(day[4:6])}/{int(day[6:])}/{day[:4]}",
    "a spreadsheet's": lambda day: dt.datetime(int(day[:4]), int(day[4:6]), int(day[6:])),  # noqa: DTZ001
}


@pytest.mark.parametrize("how", DAYS)
@pytest.mark.parametrize("name", ["HCPCS Level II", "pairs of codes (PTP)", "NSDE", "NDC directory"])
def test_a_day_says_the_same_however_it_is_written(tmp_path: Path, name: str, how: str) -> None:
    def lines_of(found: list[FileReading]) -> list[object]:
        return [(one.statements, getattr(one, "lines", ())) for one in found]

    plain, _ = read(made(name, 0, tmp_path / "a"))
    file = made(name, 0, tmp_path / "b")
    written = [[DAYS[how](cell) if cell.isdigit() and len(cell) == 8 else cell for cell in row] for row in cells(file)]
    other, _ = read(as_workbook(file, ("Table", written)) if how.startswith("a ") else as_text(file, written))
    assert lines_of(other) == lines_of(plain)


@pytest.mark.parametrize("price", ["3.105", "$3.105", "$ 3.105"])
def test_a_price_says_the_same_however_it_is_written(tmp_path: Path, price: str) -> None:
    (reading,), _ = read(published.limits(tmp_path, 2026, 4, {"J9260": price}))
    assert reading.statements == {("J9260", "limit=3.105|dosage=1 MG")}


def test_a_price_that_is_none_is_told(tmp_path: Path) -> None:
    (limits,), _ = read(published.limits(tmp_path, 2026, 4, {"J9260": "3.1O5", "J9250": "N/A", "J1885": "0.5"}))
    (rates,), _ = read(
        published.addendum_b(tmp_path, 2026, "October", {"J9260": ("K", "see note"), "J1885": ("N", "")})
    )
    for reading, odd in ((limits, "'3.1O5'"), (rates, "'see note'")):
        assert [item.says for item in reading.lint if item.kind == "price"] == [
            f"1 prices are none, for example {odd}: their codes have no price."
        ]


def test_a_price_of_thousands_is_read(tmp_path: Path) -> None:
    (reading,), _ = read(published.limits(tmp_path, 2026, 4, {"J9260": '"$1,234,567.125"'}))
    assert reading.statements == {("J9260", "limit=1234567.125|dosage=1 MG")}


def test_prices_of_drugs_without_a_code_are_no_payment_limits(tmp_path: Path) -> None:
    file = published.limits(tmp_path, 2026, 4, {"J3490": "3.1"}).rename(tmp_path / "October 2026 NOC Pricing File.csv")
    readings, (left_out,) = read(file)
    assert not readings
    assert "another list" in left_out


@pytest.mark.parametrize(
    ("name", "number"), [("NSDE", "9.9999E+10"), ("VA prices", "N/A"), ("pharmacy prices (NADAC)", "9.9999E+10")]
)
def test_a_file_whose_ids_are_none_is_refused(tmp_path: Path, name: str, number: str) -> None:
    file = made(name, 0, tmp_path)
    text = file.read_text("cp1252").replace("99999030125", number).replace("99999-0301-25", number)
    file.write_text(text, "cp1252")
    with pytest.raises(TableError, match="no NDC"):
        read(file)


def test_ids_that_are_no_ndc_and_units_that_are_none_are_counted(tmp_path: Path) -> None:
    (reading,), _ = read(published.nsde(tmp_path, {"99999030125": "ML", "1E+10": "EA", "99999030126": "XX"}))
    assert {(item.kind, item.says) for item in reading.lint} == {
        ("ndc", "1 ids are no NDC, for example 0000001E+10."),
        ("unit", "1 billing units are none, for example 'XX'."),
    }


def test_a_place_that_a_spreadsheet_took_for_a_number_is_two_digits(tmp_path: Path) -> None:
    file = as_text(tmp_path / "places 2026-10.csv", [["Code", "Name"], ["2", "Telehealth"], ["11", "Office"]])
    (reading,), _ = read(file)
    assert reading.statements == {("02", "name=Telehealth"), ("11", "name=Office")}


def test_a_sheet_that_names_another_quarter_than_its_file_is_asked_about(tmp_path: Path) -> None:
    def written(sheet: str) -> Path:
        file = published.mue(tmp_path, 2027, 1, {"J9260": 9})
        return as_workbook(file, (sheet, [list(row) for row in cells(file)]))

    for sheet in ("Sheet1", "MUE Eff 01-01-2027"):
        ((reading,), _) = read(written(sheet))
        assert reading.edition.when.name == "2027q1"
    file = written("MUE Eff 10-01-2026")
    with pytest.raises(TableError, match=r"its name says 2027 Q1, its sheet 2026 Q4.*--edition 2027q1"):
        fold.read_all(fold.find([file]), Asked(), BYHAND)
    readings, _ = fold.read_all(fold.find([file]), Asked(edition_of("2027Q1")), BYHAND)
    assert [reading.edition.when.name for _, reading in readings] == ["2027q1"]


# ---- what is refused, or told, and what to do ---------------------------------------------------------


ANSWERS = {
    "a page": ("<!DOCTYPE html><html><body>Accept the licence</body></html>", "web page.*save the file itself"),
    "a compressed file": ("\x1f\x8b\x08", "gzip.*unpack it first"),
    "an answer": ('{"error": "not found"}', "what a server answers.*download it again"),
    "an answer in XML": ('<?xml version="1.0"?><Error/>', "what a server answers.*download it again"),
}


@pytest.mark.parametrize("name", ["HCPC2026_OCT_ANWEB.csv", "HCPC2026_OCT_ANWEB.xlsx", "ndctext.zip"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_what_a_server_answers_in_place_of_a_file_is_called_so(tmp_path: Path, name: str, answer: str) -> None:
    text, says = ANSWERS[answer]
    (tmp_path / name).write_text(text, "latin-1")
    with pytest.raises(TableError, match=says):
        read(tmp_path / name)


def test_columns_written_out_are_those_cut_short(tmp_path: Path) -> None:
    path = made("NDC-HCPCS crosswalk", 0, tmp_path)
    plain, _ = read(path)
    text = path.read_text().replace("PKG SIZE,PKG QTY,BILLUNITS,", "Package Size,Package Quantity,Billing Units,")
    path.write_text(text, newline="")
    (other,), _ = read(path)
    assert (other.statements, other.digest) == (plain[0].statements, plain[0].digest)


def test_a_header_that_is_nearly_one_says_what_it_lacks(tmp_path: Path) -> None:
    path = made("NDC-HCPCS crosswalk", 0, tmp_path)
    path.write_text(path.read_text().replace("PKG SIZE", "SIZE"), newline="")
    with pytest.raises(TableError, match=r"line 4 lacks 'pkg size'\. Write the columns' names as they were published"):
        read(path)


def test_a_comma_in_a_number_is_not_guessed_at_where_semicolons_stand_between_cells(tmp_path: Path) -> None:
    path = made("payment limits", 0, tmp_path)
    rows = [["3,105" if cell == "3.105" else cell for cell in row] for row in cells(path)]
    path.write_text("".join(";".join(row) + "\n" for row in rows))
    with pytest.raises(TableError, match="'3,105' may be a decimal or a thousand"):
        read(path)


def test_days_that_a_spreadsheet_counts_are_named(tmp_path: Path) -> None:
    path = made("HCPCS Level II", 0, tmp_path)
    path.write_text(path.read_text().replace("19930101", "33970"))
    with pytest.raises(TableError, match=r"'33970' is no date but a spreadsheet's count of days.*YYYYMMDD"):
        read(path)


CODES = [f"J{1000 + n}" for n in range(400)]


def _limits(place: Path, quarter: int, codes: list[str]) -> Path:
    return published.mue(place, 2026, quarter, dict.fromkeys(codes, 9))


def test_a_text_that_broke_off_in_its_last_line_is_told_and_one_that_lacks_a_code_behind_is_refused(
    tmp_path: Path,
) -> None:
    facts = tmp_path / "facts"
    fold.refresh([_limits(tmp_path / "a", 3, CODES)], facts, anew=True)
    whole = _limits(tmp_path / "b", 4, CODES)
    whole.write_bytes(whole.read_bytes()[:-4])  # inside the last cell
    told = fold.refresh([whole], facts, check=True)
    assert [item.place for item in told.lint if item.kind == "file"] == [whole.name]
    short = _limits(tmp_path / "c", 4, CODES[:-1])
    assert fold.refresh([short], facts, check=True).read  # a code may end
    short.write_bytes(short.read_bytes()[:-4])
    with pytest.raises(TableError, match=r"ends before J1399.*it may be cut off.*--whole"):
        fold.refresh([short], facts)
    assert fold.refresh([short], facts, asked=Asked(whole=True), check=True).read


@pytest.mark.parametrize("name", ["NDC-HCPCS crosswalk", "unit limits (MUE)", "pairs of codes (PTP)"])
def test_a_last_row_of_words_without_its_end_is_cut_off(tmp_path: Path, name: str) -> None:
    path = made(name, 0, tmp_path)
    path.write_bytes(path.read_bytes() + b"J92 60")
    with pytest.raises(TableError, match="cut off"):
        read(path)


def test_a_code_with_a_space_behind_it_is_the_code(tmp_path: Path) -> None:
    pairs = [("96372", "99211", "20050101", "*", "0"), ("96372 ", "99212", "20050101", "*", "0")]
    (reading,), _ = read(published.ptp(tmp_path, "v323r0", pairs))
    assert isinstance(reading, EditReading)
    assert [line[:12] for line in reading.lines] == ["96372,99211,", "96372,99212,"]


def test_a_name_that_says_another_quarter_than_the_file_is_told(tmp_path: Path) -> None:
    path = made("NDC-HCPCS crosswalk", 0, tmp_path).rename(tmp_path / "July 2026 crosswalk.csv")
    readings, _ = fold.read_all(fold.find([path]), Asked(), BYHAND)
    ((_, reading),) = readings
    assert reading.edition.id == "asp-xwalk-2026q4"
    assert [str(item) for item in reading.lint if item.kind == "file"] == [
        f"{path.name}: its name says 2026 Q3, what stands in it 2026 Q4, which holds: is it the right file?"
    ]


def test_a_quarter_that_says_what_another_says_is_told(tmp_path: Path) -> None:
    facts = tmp_path / "facts"
    fold.refresh([_limits(tmp_path / "a", 3, CODES)], facts, anew=True)
    told = fold.refresh([_limits(tmp_path / "b", 4, CODES)], facts, check=True)
    assert [str(item) for item in told.lint if item.kind == "file"] == [
        "MUE 2026 Q4, practitioner: it says the same as MUE 2026 Q3, practitioner, row by row: is it that file under "
        "another name?"
    ]


@pytest.mark.parametrize("days", ["Effective April 1, 2027 - March 31, 2027", "Effective 1/1/2027 to 6/30/2027"])
def test_days_that_are_no_quarter_date_nothing(tmp_path: Path, days: str) -> None:
    path = published.limits(tmp_path, 2027, 1, {"J9260": "5.290"})
    text = path.read_text("cp1252").replace("Effective January 1, 2027 through March 31, 2027", days)
    path.write_bytes(text.encode("cp1252"))
    with pytest.raises(TableError, match=r"are no quarter, such as 2027-0[14]-01 to"):
        read(path)


def test_a_document_is_called_one(tmp_path: Path) -> None:
    document = tmp_path / "HCPCS update.docx"
    with zipfile.ZipFile(document, "w") as archive:
        for name in ("[Content_Types].xml", "word/document.xml"):
            archive.writestr(name, "<a/>")
    (tmp_path / "MUE.pdf").write_bytes(b"%PDF-1.7\n")
    _, left_out = fold.read_all(fold.find([tmp_path]), ASKED, BYHAND)
    assert [line.partition(": ")[2] for line in left_out] == [
        "it is a document (PDF, Word) and no table; the publisher's text, CSV or workbook of it is read"
    ] * 2
