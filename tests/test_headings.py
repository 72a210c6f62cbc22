"""Columns under the names that extracts give them: read in a charge table, named in a refusal, said where unread."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import openpyxl
import polars
import pyarrow as pa
import pytest
from shipped import rows_of, with_own

import jcodeunits as jc
import jcodeunits.batch.table
from jcodeunits import audit
from jcodeunits.audit import chargemaster
from jcodeunits.cli import main
from jcodeunits.errors import BatchError, TableError
from jcodeunits.facts.policy_rows import Heading

COLUMNS = {
    "administrations": (*jcodeunits.batch.table.REQUIRED, *jcodeunits.batch.table.OPTIONAL),
    "lines": (*audit.REQUIRED, *audit.OPTIONAL),
    "charges": (*chargemaster.__globals__["REQUIRED"], *chargemaster.__globals__["OPTIONAL"]),
}

# Ketorolac: 30 mg in 1 mL, the code counts 15 mg, so a charge of 1 mL is 2 units and 1 mL on the NDC line.
CHARGE = {
    "item": "1001",
    "code": "J1885",
    "units_per_charge": "2",
    "charge_unit": "1 mL",
    "ndc": "00409-3795-01",
    "ndc_qualifier": "UN",
    "ndc_quantity": "1",
}
DAY = "2026-03-02"

LINE = {
    "claim": "1",
    "line": "1",
    "code": "J1885",
    "units": "2",
    "modifiers": "",
    "on": "2026-03-02",
    "dose": "30",
    "unit": "mg",
}
EXTRACTS = [
    ("Item", "Code", "Units Per Charge", "Charge Unit", "NDC", "NDC Qualifier", "NDC Quantity"),
    ("CDM Code", "HCPCS", "Billing Units", "Unit of Measure", "NDC", "NDC UOM", "NDC Qty"),
    ("CHARGE_CODE", "HCPCS_CODE", "HCPCS_UNITS", "UOM", "NDC_NUMBER", "NDC_UNIT", "NDC_UNITS"),
    ("EAP ID", "CPT/HCPCS", "Billing Multiplier", "Dispense Unit", "NDC Code", "NDC Unit of Measure", "NDC Qty"),
    ("Charge #", "CPT Code", "Conversion Factor", "Charge UOM", "NDC 11", "NDC Unit", "NDC Units"),
]


def test_every_heading_means_a_column_that_is_read() -> None:
    assert [row for row in rows_of(Heading) if row.column not in COLUMNS[row.of]] == []


@pytest.mark.parametrize("names", EXTRACTS[:4], ids=lambda names: names[0])
def test_a_charge_table_is_judged_under_the_names_of_an_extract(names: tuple[str, ...]) -> None:
    table = pa.table({name: [cell] for name, cell in zip(names, CHARGE.values(), strict=True)})
    (row,) = chargemaster(table, on="2026-03-02").to_pylist()
    assert (row["verdict"], row["expected_ndc_qualifier"], row["cause"]) == ("differs", "ML", "ndc-qualifier")


def test_a_name_that_nobody_knows_is_asked_for_beside_those_that_are_meant() -> None:
    table = pa.table({name: [cell] for name, cell in zip(EXTRACTS[4], CHARGE.values(), strict=True)})
    with pytest.raises(BatchError, match="lacks the column item; it has Charge #, code, units_per_charge"):
        chargemaster(table, on="2026-03-02")


def test_a_heading_of_the_site_is_read(tmp_path: Path) -> None:
    (tmp_path / "headings.csv").write_text("heading,of,column\ncharge,charges,item\n")
    table = pa.table({name: [cell] for name, cell in zip(EXTRACTS[4], CHARGE.values(), strict=True)})
    (row,) = chargemaster(table, on="2026-03-02", reference=with_own(tmp_path)).to_pylist()
    assert row["cause"] == "ndc-qualifier"


def test_two_columns_that_mean_one_are_refused() -> None:
    table = pa.table(
        {**{name: [cell] for name, cell in CHARGE.items() if name != "item"}, "CDM": ["1"], "Item ID": ["2"]}
    )
    with pytest.raises(BatchError, match="the column item is there twice, as 'CDM' and 'Item ID'"):
        chargemaster(table, on="2026-03-02")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("note", "note"), "the column 'note' is there twice"),
        (("", ""), "have no name: name or drop them"),
        (("", " "), ""),
    ],
)
def test_two_columns_of_one_name_are_refused_at_every_door(
    names: tuple[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dose = {"drug": "ketorolac", "dose": "30", "unit": "mg", "on": "2026-03-02"}
    judge = partial(chargemaster, on="2026-03-02")
    for verb, row, door in (
        (["batch"], dose, jc.batch.bill),
        (["audit"], LINE, audit.judge),
        (["audit", "--chargemaster"], CHARGE, judge),
    ):
        file = tmp_path / "given.csv"
        file.write_text(f"{','.join((*row, *names))}\n{','.join(row.values())},x,y\n")
        main([*verb, str(file), "-o", "-", "--quiet"])
        out = capsys.readouterr()
        assert (said in out.err, out.out == "") == (True, bool(said))
        table = pa.table([[cell] for cell in (*row.values(), "x", "y")], names=[*row, *names])
        if said:
            with pytest.raises(BatchError, match=said):
                door(table)
        else:
            assert door(table).num_rows == 1


def test_a_frame_with_a_column_that_looks_like_ours_is_warned_of() -> None:
    given = pa.table({"drug": ["ketorolac"], "dose": ["30"], "unit": ["mg"], "on": ["2026-03-02"], "NDC": ["1"]})
    lines = pa.table({name: [cell] for name, cell in {**LINE, "NDC": "1"}.items()})
    doors = [partial(jc.batch.bill, one) for one in (given, given.to_pandas(), polars.from_arrow(given))]
    for door in (*doors, lambda: jc.batch.bill_stream(given.to_reader()), lambda: audit.judge(lines)):
        with pytest.warns(UserWarning, match=r"not read: 'NDC' \(here ndc\)") as warned:
            door()
        assert [Path(one.filename).name for one in warned] == ["test_headings.py"]


def test_a_column_that_would_be_renamed_to_another_is_refused_in_every_frame() -> None:
    row = {"drug": ["ketorolac"], "dose": ["30"], "unit": ["mg"], "on": ["2026-03-02"]}
    table = pa.table({**row, "units": ["2"], "given_units": ["2"]})
    for one in (table, table.to_pandas(), polars.from_arrow(table)):
        with pytest.raises(BatchError, match="given_units is named like an answer"):
            jc.batch.bill(one)


def test_a_refusal_says_how_to_rename_and_renamed_so_it_is_billed() -> None:
    given = pa.table({"Medication": ["ketorolac"], "Dose": ["30"], "Dose Unit": ["mg"], "Admin Date": ["2026-03-02"]})
    with pytest.raises(BatchError) as why:
        jc.batch.bill(given)
    said = "Rename 'Medication' to drug, 'Dose' to dose, 'Dose Unit' to unit, 'Admin Date' to on."
    assert said in str(why.value)
    names = dict(pair.split(" to ") for pair in said.removeprefix("Rename ").replace("'", "").rstrip(".").split(", "))
    made = jc.batch.bill(given.rename_columns([names[name] for name in given.column_names]))
    assert made.select(["hcpcs", "units"]).to_pylist() == [{"hcpcs": "J1885", "units": 2}]


def test_a_column_that_passes_through_but_looks_like_ours_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "given.csv"
    given.write_text("drug,dose,unit,on,NDC,Wasted,room\nketorolac,30,mg,2026-03-02,0409-3795-01,,4\n")
    assert main(["batch", str(given), "-o", str(tmp_path / "billed.csv"), "--quiet"]) == 0
    assert "not read: 'NDC' (here ndc), 'Wasted' (here discarded); rename what was meant" in capsys.readouterr().out
    billed = tmp_path / "lines.csv"
    billed.write_text("claim,line,code,units,modifiers,on,dose,unit,NDC\n1,1,J1885,2,,2026-03-02,30,mg,0409-3795-01\n")
    assert main(["audit", str(billed), "--quiet"]) == 0
    assert "not read: 'NDC' (here ndc); rename what was meant" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "unit"),
    [("dose_mg", "mg"), ("Dose (MG)", "MG"), ("Admin Dose in mcg", "mcg"), ("dose mL", "mL"), ("given_dose_mg", "")],
)
def test_a_dose_with_its_unit_in_the_heading_is_told_to_be_two_columns(name: str, unit: str) -> None:
    given = pa.table({"drug": ["J1885"], name: ["30"], "on": ["2026-03-02"]})
    with pytest.raises(BatchError) as told:
        jc.batch.bill(given)
    said = f"Rename '{name}' to dose, with a column unit that says {unit}."
    assert (said in str(told.value)) == bool(unit)
    if unit:  # what it says to do is billed
        mended = given.rename_columns(["drug", "dose", "on"]).append_column("unit", pa.array([unit]))
        assert jc.batch.bill(mended)["status"].null_count == 0


def test_a_summary_says_how_other_days_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, billed = tmp_path / "given.csv", tmp_path / "billed.csv"
    given.write_text("drug,dose,unit,on\nketorolac,30,mg,03/02/2026\n")
    assert main(["batch", str(given), "-o", str(billed), "--quiet"]) == 1
    assert "need --date-format, such as MM/DD/YYYY" in capsys.readouterr().out
    assert main(["batch", str(given), "-o", str(billed), "--quiet", "--date-format", "MM/DD/YYYY"]) == 0
    assert "--date-format" not in capsys.readouterr().out


def test_a_heading_from_outside_is_printed_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "given.csv"
    given.write_text("drug,dose,unit,on,N\x1bDC\nketorolac,30,mg,2026-03-02,1\n")
    assert main(["batch", str(given), "-o", str(tmp_path / "billed.csv"), "--quiet"]) == 0
    assert "not read: 'N\\x1bDC' (here ndc)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("form", "day"), [("MM/DD/YYYY", "03/02/2026"), ("DD.MM.YYYY", "02.03.2026"), ("YYYY-DD-MM", "2026-02-03")]
)
def test_audits_read_days_as_they_are_said_to_be_written(form: str, day: str) -> None:
    line = {"claim": "1", "line": "1", "code": "J1885", "units": "2", "modifiers": None, "dose": "30", "unit": "mg"}
    table = pa.table({name: [cell] for name, cell in {**line, "on": day}.items()})
    (row,) = audit.judge(table, date_format=form).to_pylist()
    assert (row["verdict"], row["on"], row["expected_units"]) == ("agrees", day, 2)
    item = pa.table({name: [cell] for name, cell in {**CHARGE, "ndc_qualifier": "ML", "on": day}.items()})
    (row,) = chargemaster(item, on="2020-01-01", date_format=form).to_pylist()
    assert (row["verdict"], row["on"]) == ("agrees", day)


def test_a_day_of_another_month_is_told_apart_by_its_form() -> None:
    # J1030 (per 40 mg) is billed until 2024-03-31: 04/03/2024 is the 3rd of April or the 4th of March.
    line = {"claim": "1", "line": "1", "code": "J1030", "units": "1", "modifiers": None, "dose": "40", "unit": "mg"}
    table = pa.table({name: [cell] for name, cell in {**line, "on": "04/03/2024"}.items()})
    causes = [audit.judge(table, date_format=form)["cause"].to_pylist()[0] for form in ("MM/DD/YYYY", "DD/MM/YYYY")]
    assert [bool(cause and cause.startswith("dead-code")) for cause in causes] == [True, False]


@pytest.mark.parametrize(
    ("day", "form"),
    [
        ("2026-03-02 14:30:00", None),
        ("2026-03-02T14:30:00.000", None),
        (" 2026-03-02 ", None),
        ("03/02/2026 14:30", "MM/DD/YYYY"),
        ("3/2/2026 2:30 PM", "MM/DD/YYYY"),
        ("20260302", "YYYYMMDD"),
        (20260302, "YYYYMMDD"),
        ("3/2/26", "MM/DD/YY"),
        ("3/2/26 14:30", "M/D/YY"),
        ("02-MAR-26", "DD-MON-YY"),
        ("02-Mar-2026 14:30:00", "DD-MON-YYYY"),
        ("Mar 02 2026", "MON DD YYYY"),
        (20260302.0, "YYYYMMDD"),
        # 46,083 days behind 1899-12-30, as a spreadsheet counts; behind the point is the part of the day that has gone.
        ("46083", "excel"),
        (46083, "Excel"),
        (46083.0, "excel"),
        (46083.6041667, "excel"),
        ("2026-03-02", "excel"),
    ],
)
def test_a_day_with_a_time_behind_it_is_the_day_that_it_shows(day: object, form: str | None) -> None:
    given = pa.table({"drug": ["J1885"], "dose": ["30"], "unit": ["mg"], "on": [day]})
    assert jc.batch.bill(given, date_format=form)["units"].to_pylist() == [2]
    lines = pa.table({name: [cell] for name, cell in {**LINE, "on": day}.items()})
    assert audit.judge(lines, date_format=form)["verdict"].to_pylist() == ["agrees"]
    charges = pa.table({name: [cell] for name, cell in {**CHARGE, "ndc_qualifier": "ML", "on": day}.items()})
    assert chargemaster(charges, on="2020-01-01", date_format=form)["verdict"].to_pylist() == ["agrees"]


@pytest.mark.parametrize(
    ("day", "form"),
    [
        ("3/2/26", "MM/DD/YYYY"),
        ("3/2/2026", "MM/DD/YY"),
        ("02-MRZ-26", "DD-MON-YY"),
        ("31-FEB-26", "DD-MON-YY"),
        ("02-MAR", "DD-MON-YY"),
        ("٠٣/٠٢/٢٠٢٦", "MM/DD/YYYY"),
        ("4608", "excel"),
        ("46083 days", "excel"),
        ("03/02/2026", "excel"),
        ("46083", "MM/DD/YYYY"),
        ("46083", None),
        (46083, None),
    ],
)
def test_a_day_that_is_written_otherwise_than_it_is_said_refuses_its_row(day: object, form: str | None) -> None:
    given = pa.table({"drug": ["J1885"], "dose": ["30"], "unit": ["mg"], "on": [day]})
    (reason,) = jc.batch.bill(given, date_format=form)["reason"].to_pylist()
    assert reason.startswith("DateError")
    assert ("with the date format excel" in reason) == (str(day) == "46083")


@pytest.mark.parametrize("day", ["2026-03-02Z", "2026-03-02T14:30:00Z", "2026-03-02 25:00", "2026-03-02 14:30 or so"])
def test_what_stands_behind_a_day_and_is_no_time_refuses_the_row(day: str) -> None:
    given = pa.table({"drug": ["J1885"], "dose": ["30"], "unit": ["mg"], "on": [day]})
    assert jc.batch.bill(given)["reason"].to_pylist()[0].startswith("DateError")


def test_a_dose_that_holds_its_unit_may_stand_beside_it_and_beside_no_other() -> None:
    given = pa.table({"drug": ["J1885"] * 3, "dose": ["30 mg", "30 MG", "1 mL"], "unit": ["mg"] * 3, "on": [DAY] * 3})
    made = jc.batch.bill(given)
    assert made["units"].to_pylist() == [2, 2, None]
    assert "it holds the unit 'mL', and 'mg' stands beside it" in made["reason"].to_pylist()[2]
    lines = pa.table({name: [cell] for name, cell in {**LINE, "dose": "30 mg"}.items()})
    assert audit.judge(lines)["verdict"].to_pylist() == ["agrees"]


def test_an_ndc_in_a_column_of_numbers_with_gaps_is_its_digits() -> None:
    # Vivitrol 65757-0300-01: 380 mg in one kit, so 380 units and UN 1; a gap makes a column of floats.
    ndc = pa.array([65757030001.0, None])
    given = pa.table({"drug": ["J2315"] * 2, "dose": ["380"] * 2, "unit": ["mg"] * 2, "on": [DAY] * 2, "ndc": ndc})
    for one in (given, given.to_pandas()):
        made = jc.batch.bill(one)
        assert (str(made["ndc11"][0]), str(made["ndc_qualifier"][0])) == ("65757030001", "UN")
    charge = {"item": "1", "code": "J2315", "units_per_charge": "380", "charge_unit": "1 kit"}
    charges = pa.table({**{name: [cell] * 2 for name, cell in charge.items()}, "ndc": ndc})
    made = chargemaster(charges, on=DAY)
    assert made["expected_ndc_qualifier"].to_pylist()[0] == "UN"


def test_a_sheet_that_is_not_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = openpyxl.Workbook()
    first, second, empty = book.active, book.create_sheet("March"), book.create_sheet("Sheet3")
    assert (first is not None, empty.title) == (True, "Sheet3")
    rows = {"batch": {"drug": "ketorolac", "dose": "30", "unit": "mg", "on": DAY}, "audit": LINE, "charges": CHARGE}
    for verb, row in rows.items():
        for sheet in (first, second):
            sheet.delete_rows(1, 2)
            sheet.append(list(row))
            sheet.append(list(row.values()))
        book.save(file := tmp_path / f"{verb}.xlsx")
        said = ["audit", "--chargemaster", "--on", DAY] if verb == "charges" else [verb]
        main([*said, str(file), "-o", str(tmp_path / "made.csv"), "--quiet"])
        assert "not read: sheet 'March'; only the first sheet is read" in capsys.readouterr().out


@pytest.mark.parametrize("title", ["Pharmacy report", "Pharmacy report,,,", "sep=,"])
def test_a_title_above_the_column_names_is_said(title: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb, row in (
        (["batch"], {"drug": "J1885", "dose": "30", "unit": "mg", "on": DAY}),
        (["audit"], LINE),
        (["audit", "--chargemaster"], CHARGE),
    ):
        file = tmp_path / "given.csv"
        file.write_text(f"{title}\n{','.join(row)}\n{','.join(row.values())}\n")
        assert main([*verb, str(file), "-o", "-", "--quiet"]) == 2
        assert "Where a title stands above the column names, drop the lines before them." in capsys.readouterr().err


@pytest.mark.parametrize(("mark", "said"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_cells_parted_by_another_mark_are_told_alike_of_a_file_and_of_own_tables(
    mark: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "headings.csv").write_text(f"{mark.join(('heading', 'of', 'column'))}\n{mark.join('abc')}\n")
    with pytest.raises(TableError, match=f"ts cells are parted by {said}: write commas"):
        with_own(tmp_path)
    with pytest.raises(BatchError, match=f"ts cells are parted by {said}: write commas"):
        jc.batch.bill(pa.table({mark.join(("drug", "dose", "on")): ["x"]}))


def test_a_report_says_what_was_not_read_and_shows_it_as_text(tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text(f"{','.join(LINE)},N<DC\n{','.join(LINE.values())},1\n")
    for ending, shown in ("html", "N&lt;DC"), ("md", "N\\<DC"):
        page = tmp_path / f"report.{ending}"
        assert main(["audit", str(file), "--report", str(page), "--quiet"]) == 0
        assert "Not read: " in page.read_text()
        assert shown in page.read_text()


def test_an_audits_report_says_how_other_days_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for row, said in (LINE, ["audit"]), (CHARGE | {"ndc_qualifier": "ML"}, ["audit", "--chargemaster"]):
        file, page = tmp_path / "given.csv", tmp_path / "report.md"
        cells = row | {"on": "03/02/2026"}
        file.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n")
        main([*said, str(file), "--report", str(page), "--quiet"])
        assert "need --date-format, such as MM/DD/YYYY" in capsys.readouterr().out
        assert "need --date-format, such as MM/DD/YYYY" in page.read_text().replace("\\", "")
        main([*said, str(file), "--report", str(page), "--quiet", "--date-format", "MM/DD/YYYY"])
        assert "--date-format" not in capsys.readouterr().out + page.read_text()
