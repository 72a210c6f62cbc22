"""Files in bulk: nothing is lost on the way, and what goes wrong leaves the earlier output as it was."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import bulk_rows
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import jcodeunits as jc
import jcodeunits.audit
from jcodeunits.audit import chargemaster_file
from jcodeunits.batch import files
from jcodeunits.batch import workbook as workbooks
from jcodeunits.cli import main
from jcodeunits.errors import BatchError
from jcodeunits.tables import folder

HEADER = "drug,dose,unit,on,note\n"
ROWS = [
    "J0696,1,g,2026-03-02,first",
    "ketorolac,30,mg,2026-03-02,=SUM(A1)",
    "J1030,40,mg,2026-03-02,ended",
    'naltrexone,380,mg,2026-03-02,"a, b and ""c"""',
    "J0696,1.0,g,2026-03-02,",
]
UNITS = ["4", "2", "", "380", "4"]


@pytest.fixture
def given(tmp_path: Path) -> Path:
    path = tmp_path / "given.csv"
    path.write_text(HEADER + "\n".join(ROWS) + "\n", "utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def test_csv_to_csv_keeps_every_cell_as_it_was_written(given: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    summary = jc.batch.bill_file(given, target)
    lines = target.read_text("utf-8").splitlines()
    assert lines[0] == HEADER.strip() + "," + ",".join(jc.batch.OUTPUTS)
    assert all(line.startswith(row) for line, row in zip(lines[1:], ROWS, strict=True))
    assert [row["units"] for row in rows_of(target)] == UNITS
    assert (summary.rows, summary.billed, summary.refusals) == (5, 4, (("NotInEffect", 1),))
    assert (str(summary.oldest), str(summary.newest)) == ("2026-03-02", "2026-03-02")
    assert summary.edition == jc.edition
    assert summary.as_dict()["refused"] == 1
    assert not summary.ok


def test_parquet_to_parquet_keeps_types_order_and_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = bulk_rows.simple(1000, 5)
    schema = pa.schema(
        [
            ("drug", pa.string()),
            ("dose", pa.large_string()),
            ("unit", pa.dictionary(pa.int8(), pa.string())),
            ("on", pa.string()),
            ("n", pa.int16()),
        ]
    )
    table = pa.Table.from_pylist([row | {"n": n} for n, row in enumerate(rows)], schema=schema)
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=130)
    monkeypatch.setattr(files, "ROWS", 100)
    summary = jc.batch.bill_file(tmp_path / "in.parquet", tmp_path / "out.parquet")
    made = pq.read_table(tmp_path / "out.parquet")
    assert made.select(table.column_names).equals(table)
    assert made.select(jc.batch.OUTPUTS).to_pylist() == jc.batch.bill(table).select(jc.batch.OUTPUTS).to_pylist()
    assert pa.types.is_string(made.schema.field("hcpcs").type)
    assert (summary.rows, summary.billed + summary.refused) == (1000, 1000)


def test_small_row_groups_are_billed_and_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = bulk_rows.simple(1000, 6)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet", row_group_size=7)
    monkeypatch.setattr(files, "ROWS", 200)  # and twice as many of a narrow file
    jc.batch.bill_file(tmp_path / "in.parquet", tmp_path / "out.parquet")
    written = pq.ParquetFile(tmp_path / "out.parquet").metadata
    groups = [written.row_group(n).num_rows for n in range(written.num_row_groups)]
    assert all(200 <= count <= 400 for count in groups[:-1])
    assert sum(groups) == 1000
    drug = written.row_group(0).column(0)
    assert drug.dictionary_page_offset is not None
    assert "PLAIN" not in drug.encodings[1:]  # no page of it fell back from the dictionary
    assert pq.read_table(tmp_path / "out.parquet").select(rows[0]).to_pylist() == rows


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.zst", ".parquet"])
@pytest.mark.parametrize("source", [".csv", ".csv.gz", ".csv.zst", ".parquet"])
def test_every_format_goes_into_every_other(given: Path, tmp_path: Path, source: str, ending: str) -> None:
    first = tmp_path / f"again{source}"
    with files.open_target(first, files.open_source(given).schema) as write:
        for table in files.open_source(given).tables:
            write(table)
    target = tmp_path / f"out{ending}"
    assert jc.batch.bill_file(first, target).billed == 4
    with_text = pa.concat_tables(files.open_source(target).tables)
    assert [str(value) if value is not None else "" for value in with_text["units"].to_pylist()] == UNITS
    assert with_text["note"].to_pylist() == ["first", "=SUM(A1)", "ended", 'a, b and "c"', None]


def test_a_spreadsheet_is_read_as_staff_sees_it(tmp_path: Path) -> None:
    import datetime as dt

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["drug", "dose", "unit", "on"],
        ["J0696", 1, "g", dt.datetime.fromisoformat("2026-03-02T00:00")],
        ["ketorolac", 0.5, "mg", "2026-03-02"],
        [None, None, None, None],
        ["J1885", 45.0, "mg", dt.date(2026, 3, 2)],
    ):
        sheet.append(row)
    book.save(tmp_path / "given.xlsx")
    jc.batch.bill_file(tmp_path / "given.xlsx", tmp_path / "out.csv")
    assert [row["units"] for row in rows_of(tmp_path / "out.csv")] == ["4", "1", "3"]
    shutil.copy(tmp_path / "given.xlsx", tmp_path / "given.XLSM")
    jc.batch.bill_file(tmp_path / "given.XLSM", tmp_path / "out.csv")
    assert [row["units"] for row in rows_of(tmp_path / "out.csv")] == ["4", "1", "3"]
    sheet.append(["J1885", 45.0, "mg", "2026-03-02", "beyond"])
    book.save(tmp_path / "given.xlsx")
    with pytest.raises(BatchError, match="row 6: there is a cell in column E, which has no name"):
        jc.batch.bill_file(tmp_path / "given.xlsx", tmp_path / "out.csv")
    (tmp_path / "no.xlsx").write_text("not a workbook")
    with pytest.raises(BatchError, match="no workbook"):
        jc.batch.bill_file(tmp_path / "no.xlsx", tmp_path / "out.csv")
    with pytest.raises(BatchError, match="read, not written"):
        jc.batch.bill_file(tmp_path / "given.xlsx", tmp_path / "out.xlsx")


def test_a_file_parted_by_tabs_is_read_by_its_name(tmp_path: Path) -> None:
    source, target = tmp_path / "given.TSV", tmp_path / "out.csv"
    given = [["drug", "dose", "unit", "on", '"a note"'], ["J0696", "1,000", "mg", "2026-03-02", '"in 1\t2, or\n3"']]
    source.write_text("".join("\t".join(row) + "\n" for row in given))
    jc.batch.bill_file(source, target)
    (row,) = rows_of(target)
    assert (row["dose"], row["units"], row["a note"]) == ("1,000", "4", "in 1\t2, or\n3")
    source.write_text("drug\tdose\tunit\ton\nJ0696\t1\tg\n")
    with pytest.raises(BatchError, match=r"in row 2 .* a line has more or fewer cells than the header"):
        jc.batch.bill_file(source, target)
    with pytest.raises(BatchError, match=r"\.tsv is read, not written\. Write \.csv"):
        jc.batch.bill_file(source, tmp_path / "out.tsv")


VIAL = ["drug", "dose", "unit", "on", "container", "containers", "container_amount", "discarded"]
GIVEN = ["J9035", 77, "mg", "2026-03-02", "single-dose", 1, "100 mg", "23 mg"]


def workbook(path: Path, *sheets: list[list[Any]]) -> Any:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(path)
    return book


@pytest.mark.parametrize("said", ["A1:D3", "A1:D1000", "A1"])
def test_how_far_a_sheet_says_that_it_reaches_is_not_believed(tmp_path: Path, said: str) -> None:
    source, target = tmp_path / "given.xlsx", tmp_path / "out.csv"
    workbook(source, [VIAL, *[GIVEN] * 10])
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = next(name for name in parts if name.startswith("xl/worksheets/"))
    parts[sheet] = re.sub(rb'<dimension ref="[^"]*"', f'<dimension ref="{said}"'.encode(), parts[sheet])
    with zipfile.ZipFile(source, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    jc.batch.bill_file(source, target)
    assert [(row["units"], row["waste_units"]) for row in rows_of(target)] == [("8", "2")] * 10


def test_a_column_without_a_heading_moves_no_other(tmp_path: Path) -> None:
    source, target = tmp_path / "given.xlsx", tmp_path / "out.csv"
    workbook(source, [[*VIAL[:4], None, *VIAL[4:]], [*GIVEN[:4], None, *GIVEN[4:]]])
    jc.batch.bill_file(source, target)
    assert [(row["units"], row["waste_units"]) for row in rows_of(target)] == [("8", "2")]
    workbook(source, [[*VIAL[:7], None, "note"], [*GIVEN, "a note"]])
    with pytest.raises(BatchError, match="row 2: there is a cell in column H, which has no name"):
        jc.batch.bill_file(source, target)


def test_the_sheet_that_is_seen_is_billed(tmp_path: Path) -> None:
    source, target = tmp_path / "given.xlsx", tmp_path / "out.csv"
    book = workbook(source, [VIAL, [*GIVEN[:1], 500, *GIVEN[2:]]], [VIAL, GIVEN])
    book.worksheets[0].sheet_state = "hidden"
    book.active = 1
    book.save(source)
    jc.batch.bill_file(source, target)
    assert [row["units"] for row in rows_of(target)] == ["8"]


def test_a_stored_float_is_the_number_that_is_shown(tmp_path: Path) -> None:
    source, target = tmp_path / "given.xlsx", tmp_path / "out.csv"
    doses = [0.1 + 0.2, 1.1 * 3, 1e-7, 250.0, 0.1]
    workbook(source, [VIAL[:4], *(["J0696", dose, "g", "2026-03-02"] for dose in doses)])
    jc.batch.bill_file(source, target)
    assert [row["dose"] for row in rows_of(target)] == ["0.3", "3.3", "0.0000001", "250", "0.1"]
    assert [row["units"] for row in rows_of(target)] == ["2", "14", "1", "1000", "1"]  # of 250 mg


def test_a_cell_that_shows_more_than_it_holds_is_named(tmp_path: Path) -> None:
    # A program writes formulas without their values, and of a merged cell only the first row holds the value.
    source, target = tmp_path / "given.xlsx", tmp_path / "out.csv"
    book = workbook(source, [VIAL, [*GIVEN[:7], "=100-B2"], GIVEN])
    with pytest.raises(BatchError, match=r"the cell H2 holds a formula .* Open and save it") as told:
        jc.batch.bill_file(source, target)
    assert told.value.place == "row 2"
    workbook(source, [VIAL, [*GIVEN, "=A2"]])  # under no heading
    jc.batch.bill_file(source, target)
    for cells, said in ("E2:E3", "E2:E3"), ("H2:I3", "H2:I3"), ("A1:A2", "A1:A2"), ("I2:I3", ""), ("A4:H4", ""):
        book = workbook(source, [VIAL, GIVEN, GIVEN])
        book.worksheets[0].merge_cells(cells)
        book.save(source)
        if said:
            with pytest.raises(BatchError, match=rf"the cell {said} is merged\. Unmerge it"):
                jc.batch.bill_file(source, target)
        else:
            jc.batch.bill_file(source, target)
            assert [row["waste_units"] for row in rows_of(target)] == ["2", "2"]


def test_the_value_of_a_formula_is_read_whatever_it_is(tmp_path: Path) -> None:
    source, target = tmp_path / "given.xlsx", tmp_path / "out.csv"
    workbook(source, [VIAL, [*GIVEN[:7], "=100-B2"], [*GIVEN[:7], "=IF(B3>100,1,2)"]])
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = next(name for name in parts if name.startswith("xl/worksheets/"))
    made = parts[sheet].replace(b"</f><v /></c></row>", b"</f><v>23 mg</v></c></row>", 1)
    made = re.sub(rb"<c r=\"H3\"(.*?)<v />", rb'<c r="H3" t="str"\1<v></v>', made)  # an empty text
    parts[sheet] = re.sub(rb'<c r="H2"', b'<c r="H2" t="str"', made)
    with zipfile.ZipFile(source, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    jc.batch.bill_file(source, target)
    assert [row["waste_units"] for row in rows_of(target)] == ["2", "0"]


def test_empty_rows_before_the_headings_are_none(tmp_path: Path) -> None:
    source, target = tmp_path / "given.xlsx", tmp_path / "out.csv"
    workbook(source, [[None], [None, None], VIAL, [None], GIVEN])
    jc.batch.bill_file(source, target)
    assert [(row["units"], row["waste_units"]) for row in rows_of(target)] == [("8", "2")]


def test_a_row_beyond_the_last_of_a_sheet_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "_SHEET_ROWS", 5)
    workbook(tmp_path / "given.xlsx", [VIAL, *[GIVEN] * 9])
    with pytest.raises(BatchError, match="a row beyond 5, the last one"):
        jc.batch.bill_file(tmp_path / "given.xlsx", tmp_path / "out.csv")


def test_a_text_of_any_encoding_stands_in_one_cell_of_a_csv(tmp_path: Path) -> None:
    texts, source, target = ["DOE, JOHN", '=a "b"'], tmp_path / "given.parquet", tmp_path / "out.csv"
    kinds = {
        "bytes": pa.array([text.encode() for text in texts]),
        "large": pa.array(texts, pa.large_string()),
        "fixed": pa.array([b"a,bc", b'"abc'], pa.binary(4)),
        "list": pa.array([["a", "b"], []]),
        "struct": pa.array([{"a": "x, y"}, None]),
    }
    made = {"drug": ["J0696"] * 2, "dose": ["1"] * 2, "unit": ["g"] * 2, "on": ["2026-03-02"] * 2, **kinds}
    pq.write_table(pa.table(made), source)
    jc.batch.bill_file(source, target)
    rows = rows_of(target)
    assert [row["bytes"] for row in rows] == [row["large"] for row in rows] == texts
    assert [row["fixed"] for row in rows] == ["a,bc", '"abc']
    assert [(row["list"], row["struct"]) for row in rows] == [('["a", "b"]', '{"a": "x, y"}'), ("[]", "")]
    assert [row["units"] for row in rows] == ["4", "4"]
    view = pa.table(made).select(["drug", "dose", "unit", "on"]).append_column("v", pa.array(texts, pa.string_view()))
    pq.write_table(view, source)
    jc.batch.bill_file(source, target, spreadsheet_safe=True)
    assert [row["v"] for row in rows_of(target)] == [texts[0], f"'{texts[1]}"]


def test_cells_that_a_spreadsheet_would_run_are_defused_only_when_asked(tmp_path: Path) -> None:
    cells = ["=1+1", "+cmd", "-x", "@x", "-5", "+5.5", "plain", '="a"']
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    with source.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["drug", "dose", "unit", "on", "=note"])
        writer.writerows(["J0696", "1", "g", "2026-03-02", cell] for cell in cells)
    jc.batch.bill_file(source, target)
    assert [row["=note"] for row in rows_of(target)] == cells
    jc.batch.bill_file(source, target, spreadsheet_safe=True)
    assert [row["'=note"] for row in rows_of(target)] == [
        "'=1+1",
        "'+cmd",
        "'-x",
        "'@x",
        "-5",
        "+5.5",
        "plain",
        '\'="a"',
    ]


def test_odd_but_readable_csv(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(
        b'\xef\xbb\xbfdrug,dose,unit,on,"a ""b"", c"\r\nJ0696,1,g,2026-03-02,"two\nlines"\r\n"J0696","1","g","2026-03-02",""\r\n'
    )
    jc.batch.bill_file(source, target)
    made = rows_of(target)
    assert [row["units"] for row in made] == ["4", "4"]
    assert [row['a "b", c'] for row in made] == ["two\nlines", ""]
    source.write_bytes("drug,dose,unit,on,name\nJ0696,1,g,2026-03-02,Müller\n".encode("latin-1"))
    jc.batch.bill_file(source, target, encoding="latin-1")
    assert rows_of(target)[0]["name"] == "Müller"
    source.write_text(HEADER)
    assert jc.batch.bill_file(source, target).rows == 0
    assert target.read_text().count("\n") == 1
    jc.batch.bill_file(source, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def damaged(tmp_path: Path) -> dict[str, tuple[bytes, str, str]]:
    """Faults: what the file holds, its ending, what is said."""
    good = (HEADER + "\n".join(ROWS) + "\n").encode()
    rows = [{"drug": "J0696", "dose": str(n), "unit": "g", "on": "2026-03-02"} for n in range(1, 5000)]
    pq.write_table(
        pa.Table.from_pylist(rows),
        tmp_path / "whole.parquet",
        row_group_size=1000,
        compression="none",
        use_dictionary=False,
    )
    whole = (tmp_path / "whole.parquet").read_bytes()
    middle = bytearray(pq_page_broken(whole))
    return {
        "ragged line": (good + b"J0696,1,g\n", ".csv", "more or fewer cells"),
        "long line": (good + b"J0696,1,g,2026-03-02,a,b\n", ".csv", "more or fewer cells"),
        "encoding": (good + b"J0696,1,g,2026-03-02,\xff\xfe\n", ".csv", "encoding"),
        "utf-16": ((HEADER + ROWS[0]).encode("utf-16"), ".csv", "UTF-16"),
        "header encoding": (b"drug,\xff,unit,on\n", ".csv", "header"),
        "empty": (b"", ".csv", "empty"),
        "binary": (b"\x00\x01\x02\x00\n\x00", ".csv", "no CSV file"),
        "cut gzip": (gzip.compress(good * 50)[:-40], ".csv.gz", "cannot be read"),
        "no zstd": (good, ".csv.zst", "cannot be read"),
        "cut parquet": (whole[:-100], ".parquet", "no Parquet file"),
        "no parquet": (good, ".parquet", "no Parquet file"),
        "corrupt page": (bytes(middle), ".parquet", "damaged after row"),
        "no column": (b"drug,dose\nJ0696,1\n", ".csv", "lacks the column on"),
    }


def pq_page_broken(whole: bytes) -> bytes:
    """The same file with the header of a late page overwritten."""
    group = pq.read_metadata(io.BytesIO(whole)).row_group(3).column(0)
    made = bytearray(whole)
    made[group.data_page_offset : group.data_page_offset + 40] = b"\xff" * 40
    return bytes(made)


FAULTS = (
    "ragged line",
    "long line",
    "encoding",
    "utf-16",
    "header encoding",
    "empty",
    "binary",
    "cut gzip",
    "no zstd",
    "cut parquet",
    "no parquet",
    "corrupt page",
    "no column",
)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_the_earlier_output_is_untouched(tmp_path: Path, fault: str) -> None:
    content, ending, says = damaged(tmp_path)[fault]
    source, target = tmp_path / f"bad{ending}", tmp_path / "out.csv"
    source.write_bytes(content)
    target.write_text("earlier")
    with pytest.raises(BatchError, match=says) as caught:
        jc.batch.bill_file(source, target)
    assert str(source) in str(caught.value)
    assert target.read_text() == "earlier"
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_faults_through_the_command_have_exit_status_2_and_one_line(tmp_path: Path) -> None:
    content, ending, says = damaged(tmp_path)["ragged line"]
    source = tmp_path / f"bad{ending}"
    source.write_bytes(content)
    done = command("batch", str(source), "-o", str(tmp_path / "out.csv"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert says in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("ending", [".parquet", ".xlsx"])
def test_a_pipe_is_refused_where_a_file_is_read_from_its_end(tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"given{ending}"
    os.mkfifo(source)  # nobody writes to it: opening it would wait for ever
    with pytest.raises(BatchError, match=r"is a pipe or a device.* Save it as a file first"):
        jc.batch.bill_file(source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_the_help_says_that_standard_output_may_hold_rows_before_a_fault() -> None:
    content = (HEADER + f"{ROWS[0]}\n" * (files._CSV_BLOCK // len(ROWS[0]) + 10) + "J0696,1,g\n").encode()
    done = command("batch", "-", "-o", "-", input=content)
    assert done.returncode == 2
    assert done.stdout.count(b"\n") > 1
    said = " ".join(command("batch", "--help").stdout.decode().split())
    assert "On standard output the rows before a fault in the input are written already" in said


def command(*words: str, **how: Any) -> Any:
    return subprocess.run([sys.executable, "-m", "jcodeunits", *words], capture_output=True, **how)


def test_standard_input_and_output(given: Path, tmp_path: Path) -> None:
    plain = given.read_bytes()
    table = pa.concat_tables(files.open_source(given).tables)
    pq.write_table(table, tmp_path / "given.parquet")
    wanted = None
    for content in (plain, gzip.compress(plain), (tmp_path / "given.parquet").read_bytes()):
        done = command("batch", "-", "-o", "-", input=content)
        assert done.returncode == 1  # a row was not billed
        rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
        assert [row["units"] for row in rows] == UNITS
        wanted = wanted or done.stdout
        assert done.stdout == wanted
        assert "refused" in done.stderr.decode()


def test_a_full_disk_leaves_the_earlier_output(tmp_path: Path) -> None:
    # A limit on the size of files stands in for the disk: the write fails with an error of the system.
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(HEADER + "J0696,1,g,2026-03-02,n\n" * 200_000)
    target.write_text("earlier")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000));"
        "from jcodeunits.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", code, "batch", str(source), "-o", str(target)], capture_output=True)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr.decode()
    assert target.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("verb", ["batch", "audit"])
def test_a_full_standard_output_is_named(tmp_path: Path, verb: str) -> None:
    source = tmp_path / "in.csv"
    billed = "claim,line,code,units,modifiers,on,dose,unit\n1,1,J1885,2,,2026-03-02,30,mg\n"
    source.write_text(billed if verb == "audit" else HEADER + "J0696,1,g,2026-03-02,n\n")
    words = [sys.executable, "-m", "jcodeunits", verb, str(source), "-o", "-"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    said = "jcodeunits: standard output cannot be written: No space left on device.\n"
    assert done.stderr.decode() == said


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_leaves_no_half_file(tmp_path: Path, kill: signal.Signals) -> None:
    target = tmp_path / "out.csv"
    target.write_text("earlier")
    started = subprocess.Popen(
        [sys.executable, "-m", "jcodeunits", "batch", "-", "-o", str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert started.stdin is not None
    started.stdin.write((HEADER + "J0696,1,g,2026-03-02,n\n" * 400_000).encode())
    started.stdin.flush()
    time.sleep(1.5)
    started.send_signal(kill)
    started.stdin.close()
    started.wait(60)
    assert started.returncode != 0
    assert target.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_where_the_system_has_no_nameless_files_a_named_one_is_moved(
    given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    target = tmp_path / "out.csv"
    jc.batch.bill_file(given, target)
    assert len(rows_of(target)) == 5
    given.write_text(HEADER + "J0696,1,g\n")
    with pytest.raises(BatchError):
        jc.batch.bill_file(given, target)
    assert len(rows_of(target)) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given.csv", "out.csv"]


def test_the_output_keeps_the_permissions_of_what_it_replaces_and_follows_links(given: Path, tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("earlier")
    real.chmod(0o640)
    link.symlink_to(real)
    jc.batch.bill_file(given, link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert len(rows_of(real)) == 5


@pytest.mark.parametrize("way", ["itself", "another path", "a link", "a hard link", "the file by a link"])
@pytest.mark.parametrize("work", [jc.batch.bill_file, jc.audit.judge_file])
def test_nothing_is_written_over_the_file_that_is_read(
    given: Path, tmp_path: Path, way: str, work: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / f"other{given.suffix}"
    if way == "a hard link":
        other.hardlink_to(given)
    elif "link" in way:
        other.symlink_to(given)
    monkeypatch.chdir(given.parent)
    source, target = {
        "itself": (given, given),
        "another path": (given, Path("..") / given.parent.name / given.name),
        "the file by a link": (other, given),
    }.get(way, (given, other))
    before = given.read_bytes()
    with pytest.raises(BatchError, match="is the file that is read"):
        work(source, target)
    assert given.read_bytes() == before


@pytest.mark.parametrize("name", ["drugs.csv", "billed.csv", "below/billed.csv", "a link"])
@pytest.mark.parametrize("work", [jc.batch.bill_file, jc.audit.judge_file, partial(chargemaster_file, on="2026-03-02")])
def test_nothing_is_written_among_the_tables_that_answer(tmp_path: Path, name: str, work: Callable[..., Any]) -> None:
    """Refused before anything is read: the file to read need not even be there."""
    tables = tmp_path / "our_tables"
    (tables / "below").mkdir(parents=True)
    (tables / "drugs.csv").write_text("code,ingredient,size,unit\nX0001,house drug,10,mg\n")
    ours = jc.Reference.shipped().with_tables(tables)
    target = tables / name
    if name == "a link":
        target = tmp_path / "link.csv"
        target.symlink_to(tables / "drugs.csv")
    before = (tables / "drugs.csv").read_bytes()
    for reference, at in ((ours, target), (None, Path(folder()) / "drugs.csv")):
        kept = at.read_bytes() if at.exists() else None
        with pytest.raises(BatchError, match=r"lies in .*, a folder of the tables that the answers are read from"):
            work(tmp_path / "not there.csv", at, reference=reference)
        assert (at.read_bytes() if at.exists() else None) == kept
    assert (tables / "drugs.csv").read_bytes() == before
    assert sorted(path.name for path in tables.iterdir()) == ["below", "drugs.csv"]


def test_paths_that_cannot_be_are_named(given: Path, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"nowhere\.csv cannot be read: No such file"):
        jc.batch.bill_file(tmp_path / "nowhere.csv", tmp_path / "out.csv")
    with pytest.raises(BatchError, match="cannot be written"):
        jc.batch.bill_file(given, tmp_path / "nowhere" / "out.csv")
    with pytest.raises(BatchError, match="says no format"):
        jc.batch.bill_file(given, tmp_path / "out.txt")


@pytest.mark.parametrize(
    ("ending", "way"),
    [
        (".xls", "Save it as .xlsx"),
        (".ods", "Save it as .xlsx"),
        (".zip", "Unpack it"),
        (".txt", "Rename it: .csv where"),
    ],
)
def test_a_file_of_another_kind_is_told_how_to_come_in(ending: str, way: str, tmp_path: Path) -> None:
    path = tmp_path / f"given{ending}"
    path.write_text("drug,dose,unit,on\nJ1885,30,mg,2026-03-02\n")
    with pytest.raises(BatchError, match=f"no format that is read or written here. {way}"):
        jc.batch.bill_file(path, tmp_path / "out.csv")


def test_progress_is_shown_when_asked(given: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    jc.batch.bill_file(given, tmp_path / "out.csv", progress=True)
    assert "rows" in capfd.readouterr().err
    jc.batch.bill_file(given, tmp_path / "out.csv")
    assert capfd.readouterr() == ("", "")


def test_the_summary_reads_well(given: Path, tmp_path: Path) -> None:
    summary = jc.batch.bill_file(given, tmp_path / "out.csv")
    text = summary.text()
    assert "5 rows" in text
    assert "NotInEffect" in text
    assert jc.edition in text


def test_an_error_of_one_hand_ends_the_others(given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.csv"
    target.write_text("earlier")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files._CsvWriter, "write", full)
    with pytest.raises(BatchError, match="No space"):
        jc.batch.bill_file(given, target)
    assert target.read_text() == "earlier"


def test_a_ragged_line_ends_with_status_2_every_time(tmp_path: Path) -> None:
    # Twice as long as a block, so that a reader that works ahead would still be reading when the process ends.
    source, target = tmp_path / "given.csv", tmp_path / "out.csv"
    source.write_text(HEADER + "J0696,1\n" + f"{ROWS[0]}\n" * (2 * files._CSV_BLOCK // len(ROWS[0])))
    target.write_text("earlier")
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(command, "batch", str(source), "-o", str(target)) for _ in range(8)]
    assert [run.result().returncode for run in runs] == [2] * 8
    assert target.read_text() == "earlier"


def test_a_refused_line_shows_its_place_and_not_what_stands_in_it(tmp_path: Path) -> None:
    source = tmp_path / "given.csv"
    source.write_text(HEADER + f"{ROWS[0]}\n" * 5 + "DOE JANE,1\n" + ROWS[0])
    with pytest.raises(BatchError, match=r"in row 7 \(the header is row 1\): .*Expected 5 columns, got 2") as caught:
        jc.batch.bill_file(source, tmp_path / "out.csv")
    assert caught.value.place == "row 7"
    assert "DOE" not in str(caught.value)


def test_a_cell_of_a_workbook_that_cannot_be_read_is_named_by_its_row_and_not_shown(tmp_path: Path) -> None:
    whole, source = tmp_path / "whole.xlsx", tmp_path / "given.xlsx"
    book = openpyxl.Workbook()
    for cells in [HEADER.strip().split(","), [12345]]:
        book.worksheets[0].append(cells)
    book.save(whole)
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(source, "w") as made:
        for name in read.namelist():
            made.writestr(name, read.read(name).replace(b"<v>12345</v>", b"<v>DOE JANE</v>"))
    with pytest.raises(BatchError, match=r"behind row 1: a cell is not of the kind that it says") as caught:
        jc.batch.bill_file(source, tmp_path / "out.csv")
    assert "DOE" not in str(caught.value)


def test_a_workbook_that_is_damaged_far_behind_its_heading_is_refused_in_words(tmp_path: Path) -> None:
    whole, source = tmp_path / "whole.xlsx", tmp_path / "given.xlsx"
    book = openpyxl.Workbook()
    for cells in [HEADER.strip().split(","), *(["J0696", n, "mg", "2026-03-02"] for n in range(1, 20_000))]:
        book.worksheets[0].append(cells)
    book.save(whole)
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(source, "w", zipfile.ZIP_STORED) as made:
        for name in read.namelist():
            made.writestr(name, read.read(name))
    source.write_bytes(source.read_bytes().replace(b"<v>19999</v>", b"<v>19998</v>"))  # its check sum is another
    with pytest.raises(BatchError, match=r"given\.xlsx is no workbook that can be read: Bad CRC-32"):
        jc.batch.bill_file(source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("block", [7, 64, 1000])
def test_lines_are_cut_where_they_end_whatever_stands_in_quotes(
    tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = ["plain", "two\nlines", 'a "quoted" word', "comma, and\r\nmore", "", '"', "\n\n\n"] * 20
    source = tmp_path / "given.csv"
    with source.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["drug", "dose", "unit", "on", "note"])
        writer.writerows(["J0696", "1", "g", "2026-03-02", note] for note in notes)
    monkeypatch.setattr(files, "_CSV_BLOCK", block)
    read = pa.concat_tables(files.open_source(source).tables)
    assert [note or "" for note in read["note"].to_pylist()] == notes


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LONGEST_LINE", 1000)
    monkeypatch.setattr(files, "_CSV_BLOCK", 100)
    source = tmp_path / "given.csv"
    source.write_text(f'{HEADER}{ROWS[0]}\n"' + "x" * 5000)
    with pytest.raises(BatchError, match="quotes never close"):
        jc.batch.bill_file(source, tmp_path / "out.csv")


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "utf-16", "utf-8-sig", "cp437"])
def test_a_file_in_another_encoding_is_read_where_it_is_named(tmp_path: Path, encoding: str) -> None:
    text = "drug,dose,unit,on,note\nJ0696,1,g,2026-03-02,à jeun\n" * 1
    source, target = tmp_path / "given.csv", tmp_path / "out.csv"
    source.write_bytes(text.encode(encoding))
    summary = jc.batch.bill_file(source, target, encoding=encoding)
    assert (summary.billed, "à jeun" in target.read_text("utf-8")) == (1, True)


def test_an_encoding_that_is_none_or_another_says_what_to_do(tmp_path: Path) -> None:
    source = tmp_path / "given.csv"
    source.write_bytes("drug,dose,unit,on,note\nJ0696,1,g,2026-03-02,à jeun\n".encode("windows-1252"))
    for encoding in ("utf-8", "ascii"):
        with pytest.raises(BatchError, match="windows-1252"):
            jc.batch.bill_file(source, tmp_path / "out.csv", encoding=encoding)
    with pytest.raises(BatchError, match="is no encoding"):
        jc.batch.bill_file(source, tmp_path / "out.csv", encoding="ebcdic-or-so")


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        (pa.array(["DOE, JOHN"], pa.string_view()), '"DOE, JOHN"'),
        (pa.array([b'a,"b'], pa.binary()), '"a,""b"'),
        (pa.array([[1, 2]]), '"[1, 2]"'),
        (pa.array([{"a": 'x,"'}]), '"{""a"": ""x,\\""""}"'),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), '"[[""a"", 1]]"'),
        (pa.array(["x,y"], pa.large_string()), '"x,y"'),
        (pa.array(["x,y"]).dictionary_encode(), '"x,y"'),
        (pa.array([True]), "true"),
        (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
        (pa.array([5], pa.duration("s")), "5"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_further_column_of_any_type_stays_one_cell(tmp_path: Path, column: Any, cell: str) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.csv"
    plain = {"drug": ["J1885"], "dose": ["30"], "unit": ["mg"], "on": ["2026-03-02"]}
    pq.write_table(pa.table({**plain, "further": column}), source)
    assert main(["batch", str(source), "-o", str(target)]) == 0
    assert f"J1885,30,mg,2026-03-02,{cell},J1885,2," in target.read_text()


@pytest.mark.parametrize(
    "text", ["drug,dose,unit,on," + "x" * 140_000 + "\nJ1885,30,mg,2026-03-02,y\n", "drug,dose\rJ1885,30\r"]
)
def test_a_first_line_that_is_no_header_is_refused(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(text.encode())
    assert main(["batch", str(source), "-o", str(tmp_path / "out.csv")]) == 2
    assert "is no header" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("numbers", "billed"),
    [([-(2**31) + 1, 20514, 2**31 - 1], [0, 1, 0]), ([2**31 - 1], [0]), ([20514, -700_000], [1, 0])],
)
def test_days_outside_the_calendar_are_refused_rows(tmp_path: Path, numbers: list[int], billed: list[int]) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.csv"
    days = pa.array(numbers, pa.int32()).cast(pa.date32())
    plain = {name: [value] * len(numbers) for name, value in (("drug", "J1885"), ("dose", "30"), ("unit", "mg"))}
    pq.write_table(pa.table({**plain, "on": days}), source)
    assert main(["batch", str(source), "-o", str(target)]) == 1
    assert [line.count(",billed,") for line in target.read_text().splitlines()[1:]] == billed


@pytest.mark.parametrize(
    "on",
    [
        pa.array([20514, 9_000_000, None, -800_000], pa.date32()),
        pa.array([20514, 2**31 - 1, None, -(2**31)], pa.date32()).dictionary_encode(),
        pa.array([20514 * 86_400_000, 2**53, None, -(2**53)], pa.int64()).cast(pa.timestamp("ms")),
        pa.array([20514 * 86_400_000_000, 2**63 - 1, None, -(2**63) + 2], pa.timestamp("us", "America/New_York")),
        pa.array([20514 * 86_400, 2**32 * 86_400 + 20514 * 86_400, None, -(2**62)], pa.timestamp("s")),
    ],
    ids=lambda on: str(on.type)[:24],
)
def test_a_day_outside_the_calendar_refuses_its_own_row_and_no_other(on: pa.Array) -> None:
    given = {name: [value] * 4 for name, value in {"drug": "J1885", "dose": "30", "unit": "mg"}.items()}
    table = pa.table({**given, "on": on})
    assert jc.batch.bill(table)["status"].to_pylist() == ["billed", "refused", "refused", "refused"]
    billed = {
        name: [value] * 4 for name, value in {"line": "1", "code": "J1885", "units": "2", "modifiers": ""}.items()
    }
    lines = pa.table({**given, **billed, "claim": list("1234"), "on": on})
    assert jcodeunits.audit.judge(lines)["verdict"].to_pylist() == ["agrees", "unjudged", "unjudged", "unjudged"]


def test_a_text_column_of_a_damaged_file_that_holds_other_bytes_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = pa.table({"drug": ["J1885"], "dose": ["30"], "unit": ["mg"], "on": ["2026-03-02"]})
    damaged = pa.Array.from_buffers(pa.string(), 1, [None, whole["unit"].chunk(0).buffers()[1], pa.py_buffer(b"\xffg")])
    pq.write_table(whole.set_column(2, "unit", damaged), tmp_path / "x.parquet")
    assert main(["batch", str(tmp_path / "x.parquet"), "-o", str(tmp_path / "out.csv"), "--quiet"]) == 2
    assert "Column 'unit' is string, and its bytes are no text in UTF-8" in capsys.readouterr().err


def test_a_file_that_was_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "given.csv").write_text("drug,dose,unit,on\nJ1885,30,mg,2026-03-02\n")
    said = "import sys; from jcodeunits.batch import bill_file; bill_file(sys.argv[1], sys.argv[2], progress=False)"
    command = [sys.executable, "-W", "error", "-c", said, str(tmp_path / "given.csv"), str(tmp_path / "billed.csv")]
    made = subprocess.run(command, capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (0, "")


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ('"drug","dose","unit","on","Room\nnumber"', ["drug", "dose", "unit", "on", "Room\nnumber"]),
        ('drug,dose,unit,on,"Room\r\nnumber, ward\n"\r', ["drug", "dose", "unit", "on", "Room\r\nnumber, ward\n"]),
        ("\n\ndrug,dose,unit,on,room", ["drug", "dose", "unit", "on", "room"]),
        ('drug,dose,unit,on,5" needle', ["drug", "dose", "unit", "on", '5" needle']),
    ],
)
def test_a_heading_may_go_over_lines_and_blank_lines_may_stand_before_it(
    header: str, names: list[str], tmp_path: Path
) -> None:
    given, billed = tmp_path / "given.csv", tmp_path / "billed.csv"
    given.write_text(f"{header}\nJ1885,30,mg,2026-03-02,4\nJ0696,1,g,2026-03-02,5\n", newline="")
    made = jc.batch.bill_file(given, billed, progress=False)
    assert (made.rows, made.billed) == (2, 2)
    with billed.open(newline="") as file:
        first, *rows = csv.reader(file)
    assert first[:5] == names
    assert [row[4] for row in rows] == ["4", "5"]
