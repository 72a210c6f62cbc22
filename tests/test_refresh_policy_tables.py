"""Makers of the policy tables, on files as small as the case that they show."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jcodeunits.errors import TableError
from jcodeunits.facts.policy_rows import Limit
from jcodeunits.refresh import policy_tables as made
from jcodeunits.refresh.policy_tables import Edition

Q3, Q4 = Edition("mue-a-2024q3", *made.quarter(2024, 3)), Edition("mue-a-2024q4", *made.quarter(2024, 4))
LATER = Edition("mue-rows-2026q4", *made.quarter(2026, 4), complete=False)
TAIL = "effective,ends,source,cite,confidence,verified"


def _file(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("year", "number", "first", "last"),
    [
        (2024, 1, "2024-01-01", "2024-03-31"),
        (2024, 2, "2024-04-01", "2024-06-30"),
        (2023, 3, "2023-07-01", "2023-09-30"),
        (2025, 4, "2025-10-01", "2025-12-31"),
    ],
)
def test_a_quarter_has_its_days(year: int, number: int, first: str, last: str) -> None:
    assert [day.isoformat() for day in made.quarter(year, number)] == [first, last]


@given(st.dates(dt.date(1990, 1, 1), dt.date(2050, 1, 1)))
def test_every_day_lies_in_its_quarter(day: dt.date) -> None:
    first, last = made.quarter(day.year, (day.month + 2) // 3)
    assert first <= day <= last


# --- bridging ---------------------------------------------------------------------------------------


def test_editions_that_agree_make_one_open_row_of_the_newest_source() -> None:
    runs = made.bridged([(Q3, {"X": ("4",)}), (Q4, {"X": ("4",)})])
    assert runs == [("X", (("4",), dt.date(2024, 7, 1), None, "mue-a-2024q4"))]


def test_a_change_ends_the_row_on_the_day_before() -> None:
    runs = made.bridged([(Q3, {"X": ("4",)}), (Q4, {"X": ("5",)})])
    assert [(run[0], run[1], run[2]) for _, run in runs] == [
        (("4",), dt.date(2024, 7, 1), dt.date(2024, 9, 30)),
        (("5",), dt.date(2024, 10, 1), None),
    ]


def test_a_complete_edition_that_lacks_a_code_ends_it() -> None:
    runs = made.bridged([(Q3, {"X": ("4",)}), (Q4, {"Y": ("1",)})])
    assert dict(runs)["X"][2] == dt.date(2024, 9, 30)
    assert dict(runs)["Y"][1:3] == (dt.date(2024, 10, 1), None)


def test_selected_rows_say_nothing_about_what_they_lack() -> None:
    runs = made.bridged([(Q3, {"X": ("4",)}), (LATER, {"Y": ("1",)})])
    assert dict(runs)["X"][2] is None


@given(st.lists(st.sampled_from([None, "1", "2"]), min_size=1, max_size=6))
def test_on_the_first_day_of_each_edition_exactly_its_value_is_in_force(values: list[str | None]) -> None:
    editions = [Edition(f"e{n}", *made.quarter(2020 + n // 4, n % 4 + 1)) for n in range(len(values))]
    runs = made.bridged([(e, {"X": (v,)} if v else {}) for e, v in zip(editions, values, strict=True)])
    for edition, value in zip(editions, values, strict=True):
        live = [
            run[0][0]
            for _, run in runs
            if run[1] <= edition.first_day and (run[2] is None or edition.first_day <= run[2])
        ]
        assert live == ([value] if value else [])


# --- files ------------------------------------------------------------------------------------------


def test_an_edition_is_read_from_the_name(tmp_path: Path) -> None:
    assert made.edition_of(tmp_path / "mue_x_2024Q3.csv", "mue-x-") == Edition(
        "mue-x-2024q3", dt.date(2024, 7, 1), dt.date(2024, 9, 30)
    )
    month = made.edition_of(tmp_path / "pos_2024-06.csv", "pos-")
    assert (month.source, month.first_day, month.complete) == ("pos-2024-06", dt.date(2024, 6, 1), True)
    assert not made.edition_of(tmp_path / "mue_2026Q4_selected_rows.csv", "mue-rows-").complete


def test_a_name_without_a_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="names neither a quarter nor a month"):
        made.edition_of(tmp_path / "mue.csv", "mue-")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"holds no pos/pos_\*\.csv"):
        made.editions(tmp_path)


def test_places_keep_our_name_and_skip_the_unassigned(tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        "pos_2024-06.csv",
        "pos_code,pos_type,pos_name,pos_description",
        "11,Non-Facility,Office,x",
        "24,Facility,Patient’s Center,x",
        "28,Unassigned,Unassigned,Unassigned",
    )
    rows = made.places(file, made.edition_of(file, "pos-"), {"11": "the office"})
    assert [(row["code"], row["name"], row["rate"]) for row in rows] == [
        ("11", "the office", "non-facility"),
        ("24", "Patient's Center", "facility"),
    ]


MUE = "hcpcs_code,mue_units,mue_mai,mue_rationale,mue_service"
ROWS = (
    "hcpcs_code,practitioner_mue,practitioner_mai,practitioner_rationale,"
    "hospital_mue,hospital_mai,hospital_rationale,dme_mue,dme_mai,dme_rationale"
)


def test_limits_of_both_claims_share_a_row_where_they_agree(tmp_path: Path) -> None:
    office = _file(tmp_path, "p.csv", MUE, "X1,4,3,Clinical: Data,Practitioner", "X2,1,2,CMS Policy,Practitioner")
    ward = _file(
        tmp_path,
        "o.csv",
        MUE,
        "X1,5,3,Clinical: Data,Outpatient Hospital",
        "X2,1,2,CMS Policy,Outpatient Hospital",
        "X3,1,1,CMS Policy,Outpatient Hospital",
    )
    rows = made.limits([(office, Q3), (ward, Edition("mue-b", *made.quarter(2024, 3)))], {"X1", "X2"})
    assert [(r["code"], r["claim"], r["units"], r["per"], r["reason"]) for r in rows] == [
        ("X1", "professional", "4", "day", "clinical-data"),
        ("X2", "any", "1", "day-absolute", "cms-policy"),
        ("X1", "outpatient", "5", "day", "clinical-data"),
    ]


def test_selected_rows_add_to_the_full_files(tmp_path: Path) -> None:
    office = _file(tmp_path, "p.csv", MUE, "X1,4,3,Clinical: Data,Practitioner")
    selected = _file(tmp_path, "s.csv", ROWS, "X1,6,3,Clinical: Data,6,3,Clinical: Data,,,")
    rows = made.limits([(office, Q3), (selected, LATER)], {"X1"})
    assert [(r["claim"], r["units"], r["effective"], r["ends"]) for r in rows] == [
        ("professional", "4", "2024-07-01", "2026-09-30"),
        ("any", "6", "2026-10-01", ""),
    ]


PTP = "column_1,column_2,deletion_date,modifier_indicator,rationale"


def test_edits_keep_direction_indicator_and_last_day(tmp_path: Path) -> None:
    office = _file(
        tmp_path,
        "p.csv",
        PTP,
        "00001,96372,9999-12-31,0,Standards of medical/surgical practice",
        "96372,00002,2019-11-30,1,Something new",
        "96372,00003,9999-12-31,9,More extensive procedure",
    )
    ward = _file(tmp_path, "o.csv", PTP, "00001,96372,9999-12-31,0,Standards of medical/surgical practice")
    rows = made.edits({"professional": (office, Q3), "outpatient": (ward, Q3)})
    assert [(r["column_1"], r["column_2"], r["claim"], r["indicator"], r["effective"], r["ends"]) for r in rows] == [
        ("00001", "96372", "any", "0", "2024-07-01", ""),
        ("96372", "00002", "professional", "1", "2019-10-01", "2019-11-30"),
    ]
    assert [row["reason"] for row in rows] == ["standard-practice", "something-new"]


def test_statuses_are_kept_for_the_codes_named(tmp_path: Path) -> None:
    file = _file(tmp_path, "status.csv", "hcpcs,status_indicator,payment_rate", "X1,K,1.2", "X9,N,")
    assert [(r["code"], r["status"]) for r in made.statuses([(file, Q3)], {"X1"})] == [("X1", "K")]


def test_payment_limits_are_found_below_the_prose(tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        "limits.csv",
        "Payment Allowance Limits,,",
        "Note 1: text,,",
        "HCPCS Code,Short Description,HCPCS Code Dosage,Payment Limit",
        "X1 ,a,1 MG,0.638",
        "X2,b,1 MG,N/A",
        "X9,c,1 MG,5",
    )
    rows = made.payment_limits([(file, Q3)], {"X1", "X2"})
    assert [(r["code"], r["measure"], r["amount"]) for r in rows] == [("X1", "payment-limit", "0.638")]


def test_a_payment_file_without_a_header_is_refused(tmp_path: Path) -> None:
    file = _file(tmp_path, "limits.csv", "Payment Allowance Limits")
    with pytest.raises(TableError, match="no line that starts with 'HCPCS Code'"):
        made.payment_limits([(file, Q3)], {"X1"})


def test_rows_reviewed_by_hand_stay_and_win(tmp_path: Path) -> None:
    kept = _file(
        tmp_path,
        "limits.csv",
        f"code,claim,units,per,reason,{TAIL}",
        "A1,any,1,day,old,2024-01-01,,mue-a-2024q1,x,high,2026-01-01",
        "B1,any,2,day,by-hand,2024-07-01,,own-review,x,low,2026-01-01",
    )
    new = [
        {
            "code": code,
            "claim": "any",
            "units": "9",
            "per": "day",
            "reason": "made",
            "effective": "2024-07-01",
            "ends": "",
            "source": "mue-a-2024q3",
            "cite": "x",
            "confidence": "high",
        }
        for code in ("C1", "B1")
    ]
    text = made.merged(Limit, new, kept, ("mue-",), "2026-11-23")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["code"], row["reason"], row["verified"]) for row in rows] == [
        ("B1", "by-hand", "2026-01-01"),
        ("C1", "made", "2026-11-23"),
    ]
    assert "\r" not in text


def test_a_table_that_is_not_there_yet_is_made_whole(tmp_path: Path) -> None:
    assert (
        made.merged(Limit, [], tmp_path / "none.csv", ("mue-",), "2026-11-23")
        == f"code,claim,units,per,reason,{TAIL}\n"
    )
