"""The refresh: files as published in, tables out, all or none; and files that come from a stranger."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import openpyxl
import pytest
from shipped import rows_of

from jcodeunits import tables
from jcodeunits.errors import TableError
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.folder import open_folder
from jcodeunits.refresh import asp, files, fold, hcpcs, lint, place
from jcodeunits.refresh import report as reports
from jcodeunits.refresh.dating import edition_of
from jcodeunits.refresh.family import Asked
from jcodeunits.refresh.files import Published

HEADER = (
    "HCPC",
    "SEQNUM",
    "RECID",
    "LONG DESCRIPTION",
    "SHORT DESCRIPTION",
    "BETOS",
    "ADD DT",
    "ACT EFF DT",
    "TERM DT",
    "ACTION CD",
)
# Numbers that no edition uses yet, in the range of injected drugs.
CODES = [
    ("J0001", "Injection, exemplin sodium, per 250 mg", "Exemplin", "20200101", "20200101", ""),
    ("J0002", "Injection, otherin, up to 10 mg", "Otherin", "20100101", "20250101", "20241231"),
    ("J0003", "Injection, otherin, not otherwise specified, 1 mg", "Otherin nos", "20250101", "20250101", ""),
    ("E9998", "Wheelchair, per week", "Wheelchair", "19990101", "19990101", ""),
]
NDC_HEADER = (
    "_2030_CODE,Short Description,LABELER NAME,NDC2,Drug Name,HCPCS dosage,PKG SIZE,PKG QTY,BILLUNITS,BILLUNITSPKG,,,"
)
NDC_ROWS = [
    'J0001,Exemplin,"MAKER, INC",00001-0001-01,Exemplin,250 MG,1,10,4,40,,,',
    "J0003,Otherin,MAKER,00001-0002-01,Otherin,1 MG,2,25,50,1250,,,",
]
Rows = Iterable[tuple[str, ...]]


def workbook(path: Path, rows: Rows = CODES, lines_before: int = 0, header: tuple[str, ...] = HEADER) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for _ in range(lines_before):
        sheet.append(["A note about coverage"])
    sheet.append(list(header))
    for code, long, short, added, acted, ended in rows:
        values = dict(zip(HEADER, (code, "0010", "3", long, short, "O1E", added, acted, ended, "N"), strict=True))
        sheet.append([values.get(name, "") for name in header])
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def fixed_width(path: Path, rows: Rows = CODES) -> Path:
    lines = ["A note about coverage", "", "   A1001007Dressing".ljust(320)]
    for code, long, short, added, acted, ended in rows:
        first, *more = textwrap.wrap(long, 80)
        head = f"{code}001003{first:<80}{short:<28}"
        lines.append(f"{head:<268}{added}{acted}{ended:<8}N".ljust(320))
        lines += [f"{code}{number:03}004{part:<80}".ljust(320) for number, part in enumerate(more, start=2)]
    path.write_text("\n".join(lines) + "\n", encoding="cp1252")
    return path


def crosswalk(path: Path, rows: Iterable[str] = NDC_ROWS, header: str = NDC_HEADER) -> Path:
    head = ["January 2030 ASP NDC - HCPCS Crosswalk,,,", '"  Effective January 1, 2030 through March 31, 2030",,,']
    text = "\r\n".join([*head, ",,,", header, *rows, ",,,,,,,,,,,,", ",,,,,,,,,,,,", ""])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("cp1252"))
    return path


def limits(path: Path, rows: Iterable[str] = ("J0001,Exemplin,250 MG,1.234,20.000",)) -> Path:
    head = [
        "Payment Allowance Limits,,,",
        '"Effective January 1, 2030 through March 31, 2030",,,',
        "HCPCS Code,Short Description,HCPCS Code Dosage,Payment Limit,Co-insurance Percentage",
    ]
    path.write_bytes("\r\n".join([*head, *rows, ""]).encode("cp1252"))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "files"
    place.mkdir()
    workbook(place / "HCPC2030_JAN_ANWEB.xlsx")
    crosswalk(place / "asp_ndc_hcpcs_2030Q1.csv")
    limits(place / "payment_limits_2030Q1.csv")
    return place


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "facts"


def refreshed(folder: Path, target: Path) -> reports.RefreshReport:
    """The files of a folder alone, folded into a new folder."""
    return fold.refresh([folder], target, anew=True)


def table(target: Path, name: str) -> list[dict[str, str]]:
    file = open_folder(target).file(f"{name}.csv")
    assert file is not None
    with Path(file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def drug_rows(target: Path) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in table(target, "drugs"):
        found.setdefault(row["code"], []).append(row)
    return found


def state(target: Path) -> dict[str, bytes]:
    if not target.exists():
        return {}
    return {str(path): path.read_bytes() for path in sorted(target.rglob("*")) if path.is_file()}


def entries(path: Path) -> dict[str, hcpcs.ListedCode]:
    return hcpcs.entries_of(Published(path))


# --- what it makes ---


def test_a_folder_of_files_becomes_dated_rows_with_their_source(folder: Path, target: Path) -> None:
    report = refreshed(folder, target)
    rows = drug_rows(target)
    (row,) = rows["J0001"]
    assert (row["ingredient"], row["size"], row["unit"], row["basis"]) == ("exemplin sodium", "250", "mg", "per")
    assert (row["effective"], row["ends"]) == ("2020-01-01", "")
    assert (row["source"], row["cite"], row["verified"]) == ("hcpcs-2030q1", "J0001", "2030-01-01")
    (ended,) = rows["J0002"]
    assert (ended["basis"], ended["effective"], ended["ends"]) == ("up to", "2010-01-01", "2024-12-31")
    assert "E9998" not in rows
    assert "drugs" in report.written
    assert set(report.read) == {"HCPCS 2030 Q1", "ASP NDC-HCPCS crosswalk 2030 Q1", "Part B payment limits 2030 Q1"}


def test_the_sources_table_names_each_edition_by_what_was_read(folder: Path, target: Path, tmp_path: Path) -> None:
    refreshed(folder, target)
    made = {row["id"]: row for row in table(target, "sources")}["asp-xwalk-2030q1"]
    assert (made["first_day"], made["last_day"]) == ("2030-01-01", "2030-03-31")
    # The same rows in another order and under another name are the same edition.
    (folder / "asp_ndc_hcpcs_2030Q1.csv").unlink()
    crosswalk(folder / "downloaded (3).csv", reversed(NDC_ROWS))
    refreshed(folder, tmp_path / "other")
    assert table(tmp_path / "other", "sources") == table(target, "sources")


@pytest.mark.parametrize("lines_before", [0, 1, 10])
def test_the_header_may_stand_below_notes(tmp_path: Path, lines_before: int) -> None:
    found = entries(workbook(tmp_path / "hcpcs_2030Q2.xlsx", lines_before=lines_before))
    assert found["J0002"].ended == dt.date(2024, 12, 31)


def test_fixed_width_text_says_the_same_as_a_workbook(tmp_path: Path) -> None:
    long = ("J0009", "Injection, " + "very long exemplin name " * 6 + "per 5 mg", "E", "20200101", "20200101", "")
    rows = [*CODES, long]
    text = entries(fixed_width(tmp_path / "hcpcs_2030Q4_fixed_width.txt", rows))
    book = entries(workbook(tmp_path / "hcpcs_2030Q4.xlsx", rows))
    assert text == book
    assert text["J0009"].long.endswith("name per 5 mg")


def test_a_continued_row_of_a_workbook_is_one_descriptor(tmp_path: Path) -> None:
    path = workbook(tmp_path / "hcpcs_2030Q1.xlsx", CODES[:1])
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    sheet.append(["J0001", "0020", "4", "and more"])
    book.save(path)
    assert entries(path)["J0001"].long == "Injection, exemplin sodium, per 250 mg and more"


def test_a_change_of_amount_between_editions_makes_two_dated_rows(folder: Path, target: Path) -> None:
    was = ("J0001", "Injection, exemplin sodium, per 500 mg", "Exemplin", "20200101", "20200101", "")
    now = ("J0001", "Injection, exemplin sodium, per 250 mg", "Exemplin", "20200101", "20290401", "")
    workbook(folder / "HCPC2028_OCT_ANWEB.xlsx", [was])
    workbook(folder / "HCPC2030_JAN_ANWEB.xlsx", [now])
    report = refreshed(folder, target)
    first, second = drug_rows(target)["J0001"]
    assert (first["size"], first["effective"], first["ends"]) == ("500", "2020-01-01", "2029-03-31")
    assert (second["size"], second["effective"], second["ends"]) == ("250", "2029-04-01", "")
    assert (first["source"], second["source"]) == ("hcpcs-2028q4", "hcpcs-2030q1")
    (item,) = [item for item in report.lint if item.kind == "changed"]
    assert item.place == "J0001"


def test_a_change_seen_only_after_the_end_holds_for_the_last_day_at_low_confidence(folder: Path, target: Path) -> None:
    was = ("J0001", "Injection, exemplin, 10 mg", "Exemplin", "20281001", "20281001", "")
    now = ("J0001", "Injection, exemplin, 2.5 mg", "Exemplin", "20281001", "20290101", "20281231")
    workbook(folder / "HCPC2028_OCT_ANWEB.xlsx", [was])
    workbook(folder / "HCPC2030_JAN_ANWEB.xlsx", [now])
    refreshed(folder, target)
    first, second = drug_rows(target)["J0001"]
    assert (first["size"], first["ends"]) == ("10", "2028-12-30")
    assert (second["size"], second["effective"], second["ends"]) == ("2.5", "2028-12-31", "2028-12-31")
    assert first["confidence"] == second["confidence"] == "low"


def test_new_wording_that_means_the_same_makes_no_new_row(folder: Path, target: Path) -> None:
    was = ("J0001", "Injection exemplin sodium, 250mg", "Exemplin", "20200101", "20200101", "")
    workbook(folder / "HCPC2028_OCT_ANWEB.xlsx", [was])
    refreshed(folder, target)
    assert len(drug_rows(target)["J0001"]) == 1


# --- all the makers together ---

OWN_CODES = ("J0001", "J0003")


def whole(folder: Path) -> Path:
    """The folder with the policy files and the FDA list beside the codes, each as CMS or openFDA lays it out."""
    (folder / "payment_limits_2030Q1.csv").unlink()
    (folder / "payment_limits").mkdir()
    limits(folder / "payment_limits" / "payment_limits_2030Q1.csv")
    files = {
        "pos/pos_2030-01.csv": [
            "pos_code,pos_type,pos_name,pos_description",
            "11,Non-Facility,Office,x",
            "21,Facility,Inpatient Hospital,x",
            "10,Unassigned,Unassigned,x",
        ],
        "mue/mue_practitioner_2030Q1.csv": [
            "hcpcs_code,mue_units,mue_mai,mue_rationale,mue_service",
            "J0001,8,3,Clinical: Data,Practitioner",
        ],
        "mue/mue_outpatient_2030Q1.csv": [
            "hcpcs_code,mue_units,mue_mai,mue_rationale,mue_service",
            "J0001,12,3,Clinical: Data,Outpatient Hospital",
        ],
        "mue/mue_2030Q2_selected_rows.csv": [
            "hcpcs_code,practitioner_mue,practitioner_mai,practitioner_rationale,hospital_mue,hospital_mai,"
            "hospital_rationale,dme_mue,dme_mai,dme_rationale",
            "J0003,50,2,Clinical: Data,50,2,Clinical: Data,,,",
        ],
        "ptp/ptp_practitioner_96372_2030Q1.csv": [
            "column_1,column_2,deletion_date,modifier_indicator,rationale",
            "20610,96372,9999-12-31,1,Other",
        ],
        "ptp/ptp_outpatient_96372_2030Q1.csv": [
            "column_1,column_2,deletion_date,modifier_indicator,rationale",
            "20610,96372,2030-02-28,1,Other",
        ],
        "opps/status_2030Q1.csv": ["hcpcs,status_indicator,payment_rate", "J0001,K,1.5", "J0003,N,"],
        "fda/injectable_ndc_2030-01.csv": [
            "NDC,RXCUI,QUMI Code,Package Count,Supplier,Description,Dosage Form,Dosage Route,Strength,Measure,ANDA,"
            "Generic Description,DEA",
            "00001-0002-01,1,x,25,MAKER,2 ML otherin 25 mg/mL Vial,Vial,INJECTABLE,50,mg,NDA1,OTHERIN,",
        ],
    }
    for name, lines in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


def made(target: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table that a made-up quarter is the source of."""
    return [row for row in table(target, name) if "2030" in row["source"]]


def test_the_whole_folder_makes_every_table_that_comes_from_files(folder: Path, target: Path) -> None:
    report = refreshed(whole(folder), target)
    assert report.left_out == ()
    assert {"drugs", "edits", "fees", "limits", "places", "products", "sources", "statuses"} <= set(report.written)
    products = {row["ndc"]: row for row in made(target, "products")}
    assert (products["00001-0001-01"]["codes"], products["00001-0001-01"]["amount"]) == ("J0001", "1000")
    assert (products["00001-0002-01"]["amount"], products["00001-0002-01"]["unit"]) == ("50", "mg")
    allowed = {(row["code"], row["claim"]): row["units"] for row in made(target, "limits")}
    assert allowed == {("J0001", "professional"): "8", ("J0001", "outpatient"): "12", ("J0003", "any"): "50"}
    assert {(row["code"], row["status"]) for row in made(target, "statuses")} == {("J0001", "K"), ("J0003", "N")}
    (fee,) = made(target, "fees")
    assert (fee["code"], fee["amount"]) == ("J0001", "1.234")
    assert {row["code"] for row in made(target, "places")} == {"11", "21"}
    assert {row["column_1"] for row in made(target, "edits")} == {"20610"}


def test_every_row_of_the_whole_folder_has_its_source(folder: Path, target: Path) -> None:
    refreshed(whole(folder), target)
    sources = {row["id"]: row for row in table(target, "sources")}
    for name in ("drugs", "edits", "fees", "limits", "places", "products", "statuses"):
        rows = made(target, name)
        assert rows
        assert {row["source"] for row in rows} <= sources.keys()
    limit = sources["mue-practitioner-2030q1"]
    assert (limit["title"], limit["first_day"], limit["last_day"]) == (
        "MUE 2030 Q1, practitioner",
        "2030-01-01",
        "2030-03-31",
    )
    assert sources["pos-2030-01"]["last_day"] == ""
    assert "fda-ndc-2030-01" in sources


# --- what it notices ---


def noticed(report: reports.RefreshReport, kind: str) -> list[str]:
    return [str(item) for item in report.lint if item.kind == kind]


def test_the_lint_names_a_likely_successor_by_the_day_after(folder: Path, target: Path) -> None:
    report = refreshed(folder, target)
    assert "J0002: may be followed by J0003: same substance, next day." in noticed(report, "successor")


def test_the_lint_names_a_likely_successor_by_products_that_moved(folder: Path, target: Path) -> None:
    later = [row.replace("J0003", "J0001") for row in NDC_ROWS[1:]]
    path = crosswalk(folder / "asp_ndc_hcpcs_2030Q2.csv", later)
    path.write_bytes(path.read_bytes().replace(b"January 1, 2030 through March 31", b"April 1, 2030 through June 30"))
    ended = [CODES[0], (*CODES[2][:4], "20300401", "20300331")]
    workbook(folder / "HCPC2030_JAN_ANWEB.xlsx", ended)
    report = refreshed(folder, target)
    assert "J0003: may be followed by J0001: 1 products moved." in noticed(report, "successor")


def test_the_lint_names_dosages_that_disagree_with_the_descriptor(folder: Path, target: Path) -> None:
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", [NDC_ROWS[0].replace("250 MG", "500 MG"), NDC_ROWS[1]])
    report = refreshed(folder, target)
    assert noticed(report, "dosage") == [
        "J0001, asp-xwalk-2030q1: CMS prints '500 MG', the descriptor says per 250 mg."
    ]


def test_a_dosage_in_another_spelling_or_scale_agrees(folder: Path, target: Path) -> None:
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", [NDC_ROWS[0].replace("250 MG", "UP TO .25 GM"), NDC_ROWS[1]])
    assert noticed(refreshed(folder, target), "dosage") == []


def test_the_lint_names_rows_that_contradict_themselves_and_ids_that_are_no_ndc(folder: Path, target: Path) -> None:
    wrong = NDC_ROWS[0].replace(",4,40,", ",4,4,")
    no_ndc = NDC_ROWS[1].replace("00001-0002-01", "GG400")
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", [wrong, no_ndc])
    report = refreshed(folder, target)
    assert noticed(report, "contradicts") == [
        "crosswalk 2030Q1, line 5: J0001 00001-0001-01: 4 units x 10 containers is not 4."
    ]
    assert noticed(report, "ndc") == ["crosswalk 2030Q1: 1 ids are no NDC, for example J0003 GG400."]


@pytest.mark.parametrize(("size", "count", "whole"), [("0.5", "3", "2"), ("8.33", "10", "84"), ("0.5", "1", "1")])
def test_a_package_rounded_up_is_no_contradiction(
    folder: Path, target: Path, size: str, count: str, whole: str
) -> None:
    row = f"J0001,Exemplin,MAKER,00001-0001-01,Exemplin,250 MG,1,{count},{size},{whole},,,"
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", [row])
    assert noticed(refreshed(folder, target), "contradicts") == []


def test_the_lint_names_priced_codes_that_are_not_in_the_catalog(folder: Path, target: Path) -> None:
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", [*NDC_ROWS, NDC_ROWS[0].replace("J0001", "J0009")])
    assert [says[:5] for says in noticed(refreshed(folder, target), "priced")] == ["J0009"]


def test_a_number_that_is_priced_gets_a_row_without_wording_and_is_named_for_review(folder: Path, target: Path) -> None:
    number = "99999,AMA wording here,MAKER,00001-0003-01,Brandix,0.5 ML,0.5,10,1,10,,,"
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", [*NDC_ROWS, number])
    report = refreshed(folder, target)
    (row,) = drug_rows(target)["99999"]
    assert (row["ingredient"], row["size"], row["unit"]) == ("product of code 99999", "0.5", "mL")
    assert (row["effective"], row["source"]) == ("2030-01-01", "asp-xwalk-2030q1")
    assert not any("wording" in content.decode().lower() for content in state(target).values())
    assert [says[:5] for says in noticed(report, "label")] == ["99999"]


def test_a_code_outside_every_range_that_reads_like_a_drug_is_named(folder: Path, target: Path) -> None:
    workbook(
        folder / "HCPC2030_JAN_ANWEB.xlsx",
        [*CODES, ("K9999", "Injection, exemplin, 5 mg", "Ex", "20300101", "20300101", "")],
    )
    report = refreshed(folder, target)
    assert [says[:5] for says in noticed(report, "outside")] == ["K9999"]


def test_the_lint_names_a_row_whose_amounts_are_none(folder: Path, target: Path) -> None:
    rows = [NDC_ROWS[0].replace(",4,40,", ",four,40,"), NDC_ROWS[1].replace(",50,1250,", ",0,0,")]
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", rows)
    assert [says.partition(": ")[2] for says in noticed(refreshed(folder, target), "contradicts")] == [
        "J0001 00001-0001-01: an amount is no number.",
        "J0003 00001-0002-01: an amount is not above zero.",
    ]


def test_the_lint_names_words_that_no_vocabulary_knows(folder: Path, target: Path) -> None:
    strange = ("J0005", "Injection, exemplin, wobbly, 5 mg", "Ex", "20300101", "20300101", "")
    workbook(folder / "HCPC2030_JAN_ANWEB.xlsx", [*CODES, strange])
    report = refreshed(folder, target)
    assert noticed(report, "words") == ["J0005: unknown words 'wobbly' are taken for a qualifier."]
    assert drug_rows(target)["J0005"][0]["qualifier"] == "wobbly"


def test_a_number_with_two_dosages_takes_the_common_one_and_is_named(folder: Path, target: Path) -> None:
    number = "99999,x,MAKER,00001-0003-0{},Brandix,{},0.5,10,1,10,,,"
    rows = [
        number.format(1, "0.5 ML"),
        number.format(2, "0.5 ML"),
        number.format(3, "1 ML"),
        number.format(4, "1 EACH"),
    ]
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", [*NDC_ROWS, *rows])
    report = refreshed(folder, target)
    (row,) = drug_rows(target)["99999"]
    assert (row["size"], row["unit"], row["equivalents"]) == ("0.5", "mL", "1 each|1 dose")
    assert "99999: CMS prints both 0.5 and 1 mL for it." in noticed(report, "dosage")


def test_a_number_without_a_plain_dosage_refuses(folder: Path, target: Path) -> None:
    number = "99999,x,MAKER,00001-0003-01,Brandix,2 MG/3 MG,0.5,10,1,10,,,"
    crosswalk(folder / "asp_ndc_hcpcs_2030Q1.csv", [*NDC_ROWS, number])
    refreshed(folder, target)
    (row,) = drug_rows(target)["99999"]
    assert (row["refuses"], row["size"], row["basis"]) == ("no-amount", "", "")


def test_an_activity_that_cms_names_otherwise_is_an_equivalent(folder: Path, target: Path) -> None:
    units = ("J0006", "Injection, exemplitoxin, 5 units", "Ex", "20300101", "20300101", "")
    workbook(folder / "HCPC2030_JAN_ANWEB.xlsx", [*CODES, units])
    crosswalk(
        folder / "asp_ndc_hcpcs_2030Q1.csv",
        [*NDC_ROWS, NDC_ROWS[0].replace("J0001", "J0006").replace("250 MG", "5 IU")],
    )
    report = refreshed(folder, target)
    (row,) = drug_rows(target)["J0006"]
    assert (row["size"], row["unit"], row["equivalents"], row["kind"]) == ("5", "unit", "5 IU", "biological")
    assert noticed(report, "dosage") == []


# --- coverage ---


def drug(code: str, **cells: str) -> Drug:
    base = dict.fromkeys(tables.header(Drug), "")
    base |= {
        "code": code,
        "ingredient": "exemplin",
        "specific": "no",
        "kind": "drug",
        "size": "1",
        "unit": "mg",
        "basis": "per",
        "effective": "2020-01-01",
        "source": "own-review",
        "cite": "made up",
        "confidence": "high",
        "verified": "2026-01-01",
    }
    return Drug(**(base | cells))


NO_UNIT = {"size": "", "unit": "", "basis": ""}


@pytest.mark.parametrize(
    ("cells", "printed", "answer"),
    [
        ({}, "1 MG", True),
        ({}, "1000 MCG", True),
        ({}, "UP TO 1 MG", True),
        ({}, "2 MG", False),
        ({}, "1 ML", False),
        ({}, "1 MG/2 MG", None),
        ({"equivalents": "0.5 mL"}, "0.5 ML", True),
        ({"unit": "unit"}, "1 IU", True),
        ({"unit": "IU"}, "1 USP UNIT", True),
        ({"unit": "IU"}, "2 IU", False),
        (NO_UNIT | {"refuses": "no-amount"}, "1 MG", False),
        ({"size": "", "basis": "band", "through": "1"}, "1 MG", False),
        (NO_UNIT | {"basis": "per", "components": "a=1 mg|b=2 mg"}, "3 MG", False),
    ],
)
def test_a_dosage_agrees_when_it_is_the_same_amount(cells: dict[str, str], printed: str, answer: object) -> None:
    assert lint.agrees(drug("J0001", **cells), printed) is answer


def test_coverage_counts_codes_by_their_newest_row() -> None:
    rows = [
        drug("J0001", ends="2024-12-31"),
        drug("J0001", effective="2025-01-01"),
        drug("J0002", ends="2024-12-31"),
        drug("J0003", refuses="unclassified", **NO_UNIT),
        drug("J0004", refuses="no-amount", kind="device", **NO_UNIT),
    ]
    counted = lint.coverage(rows, [])
    assert counted.as_dict() == {
        "catalogued": 4,
        "computable": 2,
        "refusing": {"no-amount": 1, "unclassified": 1},
        "ended": 1,
        "with_successor": 0,
        "by_kind": {"device": 1, "drug": 3},
    }
    assert ("refusing", 2) in counted.rows()


def test_the_shipped_catalog_is_counted_without_a_rest() -> None:
    rows = rows_of(Drug)
    counted = lint.coverage(rows, ())
    assert counted.catalogued == len({row.code for row in rows}) >= 2266 + 38
    assert counted.computable + sum(counted.refusing.values()) == counted.catalogued
    assert sum(counted.by_kind.values()) == counted.catalogued


# --- what stops it ---


def cut(path: Path, part: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 300_000_000)


def with_part(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Rewrite one part of a workbook."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            data = old.read(item)
            new.writestr(item, change(data) if item == name else data)
    path.write_bytes(out.getvalue())


def entities(path: Path) -> None:
    laughs = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha" * 10}">' for i in range(10))
    with_part(
        path,
        "xl/worksheets/sheet1.xml",
        lambda data: (
            b"<?xml version='1.0'?><!DOCTYPE x [" + laughs.encode() + b"]>" + data.replace(b"</t>", b"&a9;</t>")
        ),
    )


def outside(path: Path) -> None:
    secret = b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY s SYSTEM 'file:///etc/hostname'>]>"
    with_part(path, "xl/worksheets/sheet1.xml", lambda data: secret + data)


def formula(path: Path) -> None:
    rows = [("J0001", '=HYPERLINK("http://example.org","x")', *CODES[0][2:])]
    workbook(path, rows)


def cut_row(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    sheet.append(["J0007", "0010", "3", "Injection, exemplin, 1 mg"])
    book.save(path)


def escaping(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../outside.txt", "x")


EDITION, CROSSWALK, LIMITS = ("HCPC2030_JAN_ANWEB.xlsx", "asp_ndc_hcpcs_2030Q1.csv", "payment_limits_2030Q1.csv")
BROKEN: list[tuple[str, str, Callable[[Path], object], str]] = [
    ("an empty workbook", EDITION, lambda p: p.write_bytes(b""), "is empty"),
    ("an empty crosswalk", CROSSWALK, lambda p: p.write_bytes(b""), "is empty"),
    ("an empty limits file", LIMITS, lambda p: p.write_bytes(b""), "is empty"),
    ("a workbook cut off", EDITION, lambda p: cut(p, 0.6), "does not open as a spreadsheet"),
    ("a workbook that is none", EDITION, lambda p: p.write_text("hello"), "does not open as a spreadsheet"),
    ("a workbook without sheets", EDITION, lambda p: zipfile.ZipFile(p, "w").close(), "does not open as a"),
    ("a zip bomb", EDITION, bomb, "no published file does"),
    ("a part outside the file", EDITION, escaping, "points outside the file"),
    ("entities that grow", EDITION, entities, "does not open as a spreadsheet"),
    ("an entity that reads a file", EDITION, outside, "does not open as a spreadsheet"),
    ("a formula", EDITION, formula, "line 2: a cell holds a formula"),
    ("a row of a workbook cut off", EDITION, cut_row, "it is cut off"),
    ("an empty limits table", LIMITS, lambda p: limits(p, []), "holds no row below its header"),
    ("a workbook without codes", EDITION, lambda p: workbook(p, []), "holds no code"),
    (
        "another header",
        EDITION,
        lambda p: workbook(p, header=tuple("TERMINATED" if h == "TERM DT" else h for h in HEADER)),
        "lacks TERM DT",
    ),
    ("no header", EDITION, lambda p: workbook(p, header=("CODE", *HEADER[1:])), "is the header of that file"),
    (
        "a date that is none",
        EDITION,
        lambda p: workbook(p, [(*CODES[0][:3], "20209901", *CODES[0][4:])]),
        "line 2: '20209901' is no date",
    ),
    (
        "a code without a first day",
        EDITION,
        lambda p: workbook(p, [(*CODES[0][:3], "", *CODES[0][4:])]),
        "J0001 has no first day",
    ),
    (
        "a code without words",
        EDITION,
        lambda p: workbook(p, [("J0001", "", *CODES[0][2:])]),
        "J0001 has no description",
    ),
    ("a code that is none", EDITION, lambda p: workbook(p, [("JOOO1", *CODES[0][1:])]), "'JOOO1' is no HCPCS"),
    (
        "a column renamed",
        CROSSWALK,
        lambda p: crosswalk(p, header=NDC_HEADER.replace("PKG QTY", "QTY")),
        "is the header of that file",
    ),
    ("a header gone", CROSSWALK, lambda p: crosswalk(p, header="a,b,c"), "is the header of that file"),
    (
        "another first column",
        CROSSWALK,
        lambda p: crosswalk(p, header=NDC_HEADER.replace("_2030_CODE", "Labeler")),
        "the first is 'labeler'",
    ),
    ("a row cut off", CROSSWALK, lambda p: cut(p, 0.88), "it is cut off"),
    ("a crosswalk of nothing", CROSSWALK, lambda p: crosswalk(p, []), "holds no row below its header"),
    (
        "a month that is none",
        CROSSWALK,
        lambda p: p.write_bytes(p.read_bytes().replace(b"March 31", b"Smarch 31")),
        "the days above its header are none",
    ),
    (
        "a row without a code",
        CROSSWALK,
        lambda p: crosswalk(p, [NDC_ROWS[0].replace("J0001", "?")]),
        "'?' is no HCPCS code",
    ),
    ("binary rubbish", CROSSWALK, lambda p: p.write_bytes(b"\x00\x01" * 50), "is no text file"),
    ("a quote left open", CROSSWALK, lambda p: p.write_bytes(p.read_bytes() + b'"J0001,x'), "no well-formed table"),
    (
        "limits renamed",
        LIMITS,
        lambda p: p.write_bytes(p.read_bytes().replace(b"Payment Limit,", b"Limit,")),
        "is the header of that file",
    ),
]


@pytest.mark.parametrize(("name", "spoil", "says"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_file_that_cannot_be_used_stops_it_and_leaves_the_tables(
    folder: Path, target: Path, name: str, spoil: Callable[[Path], object], says: str
) -> None:
    before = state(target)
    spoil(folder / name)
    with pytest.raises(TableError) as caught:
        refreshed(folder, target)
    assert name in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.file.endswith(name)
    assert state(target) == before


def test_fixed_width_text_that_is_cut_off_names_the_line(tmp_path: Path) -> None:
    path = fixed_width(tmp_path / "hcpcs_2030Q1.txt", CODES[:2])
    path.write_text(path.read_text("cp1252")[:-150], encoding="cp1252")
    with pytest.raises(TableError, match=r"line 5: the record of J0002 has .* it is cut off"):
        entries(path)


def test_fixed_width_text_that_goes_on_without_beginning_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hcpcs_2030Q1.txt"
    path.write_text("J0001002004and so on".ljust(320) + "\n", encoding="cp1252")
    with pytest.raises(TableError, match="J0001 goes on, but did not begin"):
        entries(path)


@pytest.mark.parametrize("name", ["hcpcs.xlsx", "download (1).xlsx"])
def test_an_edition_that_nothing_names_is_asked_for(tmp_path: Path, target: Path, name: str) -> None:
    workbook(tmp_path / "files" / name)
    with pytest.raises(TableError, match="which edition it is: --edition 2026Q4"):
        refreshed(tmp_path / "files", target)
    told = Asked(edition_of("2030Q2"))
    assert fold.refresh([tmp_path / "files"], target, asked=told, anew=True).read == ("HCPCS 2030 Q2",)


def test_two_files_of_one_edition_that_differ_are_refused(folder: Path, target: Path) -> None:
    workbook(folder / "again" / "hcpcs_2030Q1.xlsx")
    assert refreshed(folder, target).edition == "HCPCS 2030 Q1"
    workbook(folder / "again" / "hcpcs_2030Q1.xlsx", CODES[:3])
    before = state(target)
    with pytest.raises(TableError, match="are both HCPCS 2030 Q1"):
        refreshed(folder, target)
    assert state(target) == before


def test_a_file_beyond_the_limit_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LIMIT_FILE", 10)
    with pytest.raises(TableError, match="more than the limit of 10"):
        list(files.find([workbook(tmp_path / "hcpcs_2030Q1.xlsx")]))


def test_text_in_the_code_page_of_cms_is_read(tmp_path: Path) -> None:
    path = crosswalk(tmp_path / "asp_ndc_hcpcs_2030Q1.csv", [NDC_ROWS[1].replace("MAKER", "Ræn’s\xa0Labs")])
    (row,) = asp.crosswalk_rows(Published(path))
    assert row.labeler == "Ræn’s Labs"


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "hcpcs_2030Q1.xlsx")
    monkeypatch.setattr(openpyxl, "DEFUSEDXML", False)
    with pytest.raises(TableError, match=r"jcodeunits\[refresh\]"):
        entries(path)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(TableError, match=r"jcodeunits\[refresh\]"):
        entries(path)


def test_a_crosswalk_may_come_as_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Effective January 1, 2030 through March 31, 2030"])
    sheet.append(NDC_HEADER.rstrip(",").split(","))
    sheet.append(["J0003", "Otherin", "MAKER", "00001-0002-01", "Otherin", "1 MG", 2, 25, 50, 1250])
    sheet.append(["A note in the first cell alone, which is no code"])
    book.save(tmp_path / "asp_ndc_hcpcs_2030Q1.xlsx")
    (row,) = asp.crosswalk_rows(Published(tmp_path / "asp_ndc_hcpcs_2030Q1.xlsx"))
    assert (row.code, row.dosage, row.billunits) == ("J0003", "1 MG", "50")


@pytest.mark.parametrize("words", [(), ("--help",), ("nowhere",), (".", "nowhere"), (".", ".", ".")])
def test_the_shipped_book_is_rebuilt_in_folders_that_are_there(words: tuple[str, ...]) -> None:
    with pytest.raises(TableError, match="give the reference folder of a checkout"):
        place.main(words)
