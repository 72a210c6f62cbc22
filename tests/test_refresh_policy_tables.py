"""How the policy tables follow from editions: bridged, closed, merged over claims, beside the rows by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jcodeunits.facts.policy_rows import Fee, Limit
from jcodeunits.refresh import policy_tables as made
from jcodeunits.refresh.dating import days_above, month_in, quarter, quarter_in
from jcodeunits.refresh.policy_tables import EditionTable
from jcodeunits.refresh.statements import Kept

Q3, Q4 = dt.date(2024, 7, 1), dt.date(2024, 10, 1)


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
    assert [day.isoformat() for day in quarter(year, number)] == [first, last]


@given(st.dates(dt.date(1990, 1, 1), dt.date(2050, 1, 1)))
def test_every_day_lies_in_its_quarter(day: dt.date) -> None:
    first, last = quarter(day.year, (day.month + 2) // 3)
    assert first <= day <= last


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        ("HCPC2026_OCT_ANWEB_09232026.xlsx", "2026q4"),
        ("october-2026-alpha-numeric-hcpcs-file.zip", "2026q4"),
        ("section 508 version of October 2026 ASP NDC-HCPCS Crosswalk 091526.csv", "2026q4"),
        ("MCR_MUE_PractitionerServices_Eff_10-01-2026.csv", "2026q4"),
        ("medicare-ncci-2026q3-practitioner-ptp-edits-ccipra-v322r0-f1.zip", "2026q3"),
        ("ccioph-v300r0-f4.TXT", "2024q1"),
        ("rvu26d.zip", "2026q4"),
        ("PPRRVU2026_Oct_nonQPP.csv", "2026q4"),
        ("508 version of October 2025 Web Addendum B.10.31.25.csv", "2025q4"),
        ("2025 4Q.csv", None),
        ("download (1).csv", None),
    ],
)
def test_a_name_dates_a_quarterly_file(name: str, edition: str | None) -> None:
    found = quarter_in(name)
    assert (found.name if found else None) == edition


def test_a_name_or_nothing_dates_a_file_without_quarters() -> None:
    assert [month_in(name) for name in ("ndctext.zip", "Comprehensive_NDC_SPL_Data_Elements_File.csv")] == [None, None]
    found = month_in("vaFssPharmPrices_2026-07.xlsx")
    assert found is not None
    assert found.name == "2026-07"


@pytest.mark.parametrize(
    "words",
    [
        "  Effective October 1, 2026 through December 31, 2026",
        "REVISED - Effective: Oct. 1, 2026  to  Dec 31, 2026 (posted 11/2/2026)",
        "EFFECTIVE OCTOBER 1ST THROUGH DECEMBER 31ST, 2026",
        "Effective 10/01/2026 - 12/31/2026",
        "Effective 10/1/2026 thru December 31, 2026",
    ],
)
def test_the_words_above_a_header_say_the_days(words: str) -> None:
    assert days_above(["a", words]) == (dt.date(2026, 10, 1), dt.date(2026, 12, 31))


@pytest.mark.parametrize(
    "words",
    [
        "Effective October 32, 2026 through 12/31/2026",
        "Effective 10/1/2026 to May 1",
        "Effective May 1, 2026 through Smay 1, 2026",
    ],
)
def test_days_above_a_header_that_are_none_are_no_days(words: str) -> None:
    with pytest.raises(ValueError, match=r"day|year"):
        days_above([words])


# --- bridging ---------------------------------------------------------------------------------------


def table(day: dt.date, source: str, complete: bool = True, **values: str) -> EditionTable:
    return EditionTable(source, day, {key: (value,) for key, value in values.items()}, complete)


def test_editions_that_agree_make_one_open_row_of_the_newest_source() -> None:
    assert made.bridged([table(Q3, "a", X="4"), table(Q4, "b", X="4")]) == [("X", (("4",), Q3, None, "b"))]


def test_a_change_ends_the_row_on_the_day_before() -> None:
    runs = made.bridged([table(Q4, "b", X="5"), table(Q3, "a", X="4")])
    assert [run[:3] for _, run in runs] == [(("4",), Q3, dt.date(2024, 9, 30)), (("5",), Q4, None)]


def test_a_complete_edition_that_lacks_a_code_ends_it_and_selected_rows_do_not() -> None:
    assert dict(made.bridged([table(Q3, "a", X="4"), table(Q4, "b", Y="1")]))["X"][2] == dt.date(2024, 9, 30)
    assert dict(made.bridged([table(Q3, "a", X="4"), table(Q4, "b", complete=False, Y="1")]))["X"][2] is None


def test_of_two_editions_of_one_day_the_complete_one_counts_alone() -> None:
    runs = made.bridged([table(Q4, "b", complete=False, X="9", Y="1"), table(Q4, "a", X="5")])
    assert runs == [("X", (("5",), Q4, None, "a"))]


@given(st.lists(st.sampled_from([None, "1", "2"]), min_size=1, max_size=6))
def test_on_the_first_day_of_each_edition_exactly_its_value_is_in_force(values: list[str | None]) -> None:
    days = [quarter(2020 + n // 4, n % 4 + 1)[0] for n in range(len(values))]
    tables = [
        table(day, f"e{n}", **({"X": v} if v else {})) for n, (day, v) in enumerate(zip(days, values, strict=True))
    ]
    runs = made.bridged(tables)
    for day, value in zip(days, values, strict=True):
        live = [run[0][0] for _, run in runs if run[1] <= day and (run[2] is None or day <= run[2])]
        assert live == ([value] if value else [])


# --- limits of both claims --------------------------------------------------------------------------


def test_limits_of_both_claims_share_a_row_where_they_agree() -> None:
    kept = Kept(
        {
            ("J0001", "mue-practitioner", "claim=professional|units=4|per=day|reason=data"): ("2024q3",),
            ("J0001", "mue-outpatient", "claim=outpatient|units=4|per=day|reason=data"): ("2024q3",),
            ("J0002", "mue-practitioner", "claim=professional|units=4|per=day|reason=data"): ("2024q3",),
            ("J0002", "mue-outpatient", "claim=outpatient|units=5|per=day|reason=data"): ("2024q3",),
            ("J0003", "mue-outpatient", "claim=outpatient|units=5|per=day|reason=data"): ("2024q3",),
        }
    )
    days = {"mue-practitioner-2024q3": Q3, "mue-outpatient-2024q3": Q3}
    rows = made.limits(kept, days, {"J0001", "J0002"})
    assert sorted((row["code"], row["claim"], row["units"]) for row in rows) == [
        ("J0001", "any", "4"),
        ("J0002", "outpatient", "5"),
        ("J0002", "professional", "4"),
    ]


def test_a_reason_that_an_edition_does_not_print_is_no_change() -> None:
    told = "claim=professional|units=4|per=day|reason={}"
    kept = Kept(
        {
            ("J0001", "mue-practitioner", told.format("data")): ("2024q3",),
            ("J0001", "mue-practitioner-rows", told.format("not-printed")): ("2024q4",),
        }
    )
    days = {"mue-practitioner-2024q3": Q3, "mue-practitioner-rows-2024q4": Q4}
    (row,) = made.limits(kept, days, {"J0001"})
    assert (row["reason"], row["effective"], row["ends"]) == ("data", "2024-07-01", "")


# --- beside the rows by hand --------------------------------------------------------------------------


def cells(effective: str, ends: str = "", **more: str) -> dict[str, str]:
    base = {"code": "J0001", "claim": "any", "measure": "payment-limit", "effective": effective, "ends": ends}
    return base | more


def spans(rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(row["source"], row["effective"], row["ends"]) for row in rows]


def test_a_row_by_hand_takes_its_days_from_what_the_files_say() -> None:
    rows = made.beside(Limit, [cells("2024-07-01", source="f")], [cells("2025-01-01", "2025-01-31", source="h")])
    assert spans(rows) == [
        ("f", "2024-07-01", "2024-12-31"),
        ("h", "2025-01-01", "2025-01-31"),
        ("f", "2025-02-01", ""),
    ]


def test_a_published_relative_value_takes_the_days_of_a_typed_one() -> None:
    published = cells("2027-01-01", "2027-12-31", source="f", measure="total-rvu")
    typed = cells("2026-01-01", source="h", measure="total-rvu")
    assert spans(made.beside(Fee, [published], [typed])) == [
        ("h", "2026-01-01", "2026-12-31"),
        ("f", "2027-01-01", "2027-12-31"),
        ("h", "2028-01-01", ""),
    ]
