"""Bulk work on Arrow tables: amounts of every type are exact, dates and bands meet their boundaries, nothing is lost."""

from __future__ import annotations

import datetime as dt
import math
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_columns import ODD_COLUMNS

import jcodeunits as jc
from jcodeunits.amount import MOST_UNITS, quotient_up
from jcodeunits.batch import OPTIONAL, REQUIRED, columns
from jcodeunits.errors import BatchError
from jcodeunits.recipes.cells import whole_numbers

DAY = "2026-03-02"
PLAIN = ("hcpcs", "units", "status", "reason")


def bill(rows: list[dict[str, Any]], outputs: tuple[str, ...] = PLAIN) -> list[dict[str, Any]]:
    return list(jc.batch.bill(pa.Table.from_pylist(rows), outputs=outputs).to_pylist())


def doses(values: Any, drug: str = "J1885", unit: str = "mg", outputs: tuple[str, ...] = PLAIN) -> list[Any]:
    """The rows of one drug at these doses; `values` is an Arrow array."""
    count = len(values)
    table = pa.table({"drug": [drug] * count, "dose": values, "unit": [unit] * count, "on": [DAY] * count})
    return list(jc.batch.bill(table, outputs=outputs).to_pylist())


def fifteens(amount: Fraction) -> int:
    """Ketorolac is billed by 15 mg."""
    return math.ceil(amount / 15)


# --- amounts ----------------------------------------------------------------------------------------

decimals = st.decimals("0.000001", "4499999999", places=6)


@given(st.lists(decimals, min_size=1, max_size=30))
def test_decimal_text_is_exact(amounts: list[Decimal]) -> None:
    written = [format(amount.normalize(), "f") for amount in amounts]
    made = doses(pa.array(written))
    assert [row["units"] for row in made] == [fifteens(Fraction(text)) for text in written]


@given(st.lists(st.floats(1e-7, 1e12), min_size=1, max_size=30))
def test_float64_is_taken_at_its_shortest_text(amounts: list[float]) -> None:
    made = doses(pa.array(amounts, pa.float64()))
    assert [row["units"] for row in made] == [fifteens(Fraction(str(amount))) for amount in amounts]


@given(st.lists(st.integers(1, 2**62), min_size=1, max_size=30))
def test_whole_numbers_are_exact(amounts: list[int]) -> None:
    made = doses(pa.array(amounts, pa.int64()))
    assert [row["units"] for row in made] == [fifteens(Fraction(a)) if a <= 10**18 else None for a in amounts]


@given(
    st.lists(st.decimals("0.000000001", "99999999", places=9), min_size=1, max_size=30),
    st.sampled_from([(18, 9), (38, 12)]),
)
def test_decimal_columns_are_exact(amounts: list[Decimal], shape: tuple[int, int]) -> None:
    made = doses(pa.array(amounts, pa.decimal128(*shape)))
    assert [row["units"] for row in made] == [fifteens(Fraction(amount)) for amount in amounts]


@pytest.mark.parametrize(
    "kind",
    [
        pa.int8(),
        pa.int32(),
        pa.uint64(),
        pa.float64(),
        pa.decimal128(10, 2),
        pa.decimal256(40, 3),
        pa.decimal64(10, 1),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int16(), pa.string()),
        pa.dictionary(pa.int32(), pa.float64()),
    ],
    ids=str,
)
def test_every_column_type_gives_the_same_units(kind: Any) -> None:
    values = [30, 100, 7, 30]
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    texts = pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner)
    made_of = [str(value) for value in values] if texts else values
    array = (
        pa.array(made_of, pa.string()).cast(inner)
        if texts
        else pa.array([Decimal(v) for v in values], inner)
        if pa.types.is_decimal(inner)
        else pa.array(values, inner)
    )
    array = array.dictionary_encode() if pa.types.is_dictionary(kind) else array
    assert [row["units"] for row in doses(array)] == [2, 7, 1, 2]


@pytest.mark.parametrize("kind", [pa.float32(), pa.float16()], ids=str)
def test_narrow_floats_are_refused_with_help(kind: Any) -> None:
    with pytest.raises(BatchError, match="no longer holds the decimals") as caught:
        doses(pa.array(np.array([0.1], np.float32)).cast(kind))
    assert caught.value.place == "dose"


def test_what_float_arithmetic_bills_too_high_is_exact() -> None:
    # 0.035 g at 5 mg, 16.1 mg at 1 mcg and 4.03 g at 10 mg: binary division gives one unit more.
    rows = [("J0462", "0.07", "mg"), ("J2405", "16.1", "mg"), ("J9035", "4.03", "g")]
    for drug, dose, unit in rows:
        number = doses(pa.array([float(dose)]), drug, unit)[0]
        text = doses(pa.array([dose]), drug, unit)[0]
        one = None
        try:
            one = jc.billing_units(drug, f"{dose} {unit}", on=DAY).count
        except jc.JcodeunitsError:
            assert number["status"] == text["status"] == "refused"
        assert number["units"] == text["units"] == one
    assert doses(pa.array([4.03]), "J9035", "g")[0]["units"] == 403


@pytest.mark.parametrize(
    "text",
    [
        "0.1234567",
        "1234567890.123456",
        "00.5",
        "1,000",
        ".5",
        "5.",
        " 30",
        "30 ",
        "1e3",
        "+5",
        "-5",
        "0",
        "",
        "NaN",
        "½",
        "5 mg",
        "1.2.3",
    ],
)
def test_text_that_is_no_plain_decimal_gets_the_answer_of_one_call(text: str) -> None:
    made = doses(pa.array([text, "30"]))
    try:
        wanted: Any = jc.billing_units("J1885", jc.Dose.of(text, "mg"), on=DAY).count
    except jc.JcodeunitsError as error:
        wanted = type(error).__name__
    assert (made[0]["units"] or made[0]["reason"].partition(":")[0]) == wanted
    assert made[1]["units"] == 2


def test_gaps_and_odd_floats_are_refused_and_the_rest_stays() -> None:
    made = doses(pa.array([30.0, None, float("nan"), float("inf"), -3.0, 0.0, 45.0]))
    assert [row["units"] for row in made] == [2, None, None, None, None, None, 3]
    assert {row["reason"].partition(":")[0] for row in made if row["reason"]} == {"UnreadableDose"}


def test_gaps_in_whole_numbers_decimals_and_dictionaries_refuse_their_rows_only() -> None:
    for values in (
        pa.array([30, None, 45], pa.int64()),
        pa.array([Decimal(30), None, Decimal(45)], pa.decimal128(9, 2)),
        pa.array(["30", None, "45"]).dictionary_encode(),
        pa.array([30, None, 45], pa.uint64()),
    ):
        assert [row["units"] for row in doses(values)] == [2, None, 3]


def test_what_was_answered_is_forgotten_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from jcodeunits.batch import table

    monkeypatch.setattr(table, "_REMEMBERED", 3)
    made = doses(pa.array([f"{n},000" for n in range(1, 20)] * 2))
    assert [row["units"] for row in made] == [fifteens(Fraction(n * 1000)) for n in range(1, 20)] * 2


def test_an_amount_beyond_the_integers_goes_the_long_way_and_is_right() -> None:
    # vector genomes: 15 digits and more
    made = doses(pa.array([Decimal("1e15"), Decimal("123456789012345678")], pa.decimal128(38, 0)))
    assert [row["units"] for row in made] == [fifteens(Fraction(10**15)), fifteens(Fraction(123456789012345678))]


@given(st.integers(1, 10**12), st.fractions(Fraction(1, 10**6), 10**6, max_denominator=10**6), st.integers(0, 6))
def test_the_kernel_rounds_up_what_its_cell_accepts(amount: int, ratio: Fraction, scale: int) -> None:
    top, bottom, most = whole_numbers(ratio, scale)
    if amount <= most:
        made = quotient_up(np.array([amount]) * np.array([top]), np.array([bottom]))[0]
        assert made == math.ceil(ratio * Fraction(amount, 10**scale))


def test_a_cell_accepts_no_amount_that_would_leave_64_bits() -> None:
    for ratio in (Fraction(1, 3), Fraction(10**12, 7), Fraction(1, 10**15), Fraction(10**30)):
        top, _, most = whole_numbers(ratio, 6)
        assert most * top <= MOST_UNITS
        assert most == 0 or (most + 1) * top > MOST_UNITS


# --- names, units, dates ----------------------------------------------------------------------------


def test_names_brands_codes_and_ndcs_mean_what_they_mean_in_one_call() -> None:
    drugs = ["J0696", "j0696", "ceftriaxone", "Rocephin", "0409-3795-01", "naltrexone", "naloxon"]
    made = bill([{"drug": drug, "dose": "1", "unit": "g", "on": DAY} for drug in drugs])
    assert [row["hcpcs"] for row in made] == ["J0696", "J0696", "J0696", "J0696", "J1885", "J2315", None]
    assert made[-1]["reason"].startswith("UnknownDrug: ")
    assert "naloxone" in made[-1]["reason"]


def test_a_code_is_billed_to_its_last_day_and_refused_on_the_next() -> None:
    days = ["2024-03-30", "2024-03-31", "2024-04-01", "2024-04-02"]
    made = bill([{"drug": "J1030", "dose": 40, "unit": "mg", "on": day} for day in days])
    assert [row["units"] for row in made] == [1, 1, None, None]
    assert made[2]["reason"] == made[3]["reason"]
    assert "J1010" in made[2]["reason"]
    after = bill([{"drug": "J1010", "dose": 40, "unit": "mg", "on": day} for day in days])
    assert [row["units"] for row in after] == [None, None, 40, 40]


@pytest.mark.parametrize(
    "on",
    [
        pa.array([dt.date(2026, 3, 2)]),
        pa.array(["2026-03-02"]),
        pa.array(["2026-03-02"]).dictionary_encode(),
        pa.array([dt.datetime.fromisoformat("2026-03-02T23:59")]),
        pa.array([dt.date(2026, 3, 2)]).cast(pa.date64()),
        pa.array([dt.datetime(2026, 3, 3, 3, 0, tzinfo=dt.UTC)], pa.timestamp("us", "America/New_York")),
    ],
    ids=lambda array: str(array.type),
)
def test_dates_of_every_type_are_the_day_that_they_show(on: Any) -> None:
    # J9999 has no unit, J0696 has one; the day shows in the summary of dates through the plan.
    table = pa.table({"drug": ["J0696"], "dose": ["1"], "unit": ["g"], "on": on})
    assert jc.batch.bill(table, outputs=PLAIN)["units"].to_pylist() == [4]
    made = columns.days(table["on"])
    shown = (
        made[0].tolist()
        if made[0] is not None
        else [v if isinstance(v, str) else v.isoformat() for v in made[1].values]
    )
    assert shown in ([20514], ["2026-03-02"])


def test_a_reason_speaks_to_the_reader_of_a_file() -> None:
    made = jc.batch.bill(pa.table({"drug": ["J1885"], "dose": ["30 mg"], "on": pa.array([None], pa.string())}))
    assert made["reason"].to_pylist() == ["DateError: The date of service is missing. Give on='2026-03-02'."]


def test_a_date_that_is_none_refuses_its_row_only() -> None:
    made = bill([{"drug": "J0696", "dose": 1, "unit": "g", "on": on} for on in (DAY, None, "", "2026-02-30", "3/2/26")])
    assert [row["units"] for row in made] == [4, None, None, None, None]
    assert {row["reason"].partition(":")[0] for row in made[1:]} == {"DateError"}


def test_bands_take_the_code_that_holds_the_dose() -> None:
    made = bill([{"drug": "Sublocade", "dose": dose, "unit": "mg", "on": DAY} for dose in ("100", "100.1", "300")])
    assert [(row["hcpcs"], row["units"]) for row in made] == [("Q9991", 1), ("Q9992", 1), ("Q9992", 1)]
    own = bill([{"drug": "Q9991", "dose": dose, "unit": "mg", "on": DAY} for dose in ("99.9", "100", "100.000001")])
    assert [row["units"] for row in own] == [1, 1, None]
    assert own[2]["reason"].startswith("OutsideBand: Q9991")
    above = bill([{"drug": "Q9992", "dose": dose, "unit": "g", "on": DAY} for dose in ("0.1", "0.100001", "9")])
    assert [row["units"] for row in above] == [None, 1, 1]


# A drug, its unit, doses and the units of its code, by hand from the descriptors; what is outside of the limits of the
# code has none, and says which code holds the dose.
LIMITED = [
    ("J3471", "units", {"0.5": 1, "999": 999, "999.000001": None, "1000": None, "1680": None}, "Bill J3472."),
    ("J3471", "million units", {"0.000999": 999, "0.001": None}, "Bill J3472."),
    ("24208-0002-02", "units", {"240": 240, "999": 999, "1000": None, "1680": None}, "Bill J3472."),
    ("24208-0002-02", "mL", {"1.2": 240, "4.995": 999, "5": None}, "Bill J3472."),  # 200 units in 1 mL
    ("J1460", "mL", {"0.2": 1, "10": 10, "10.1": None}, "Bill J1560."),
    ("J1560", "mL", {"10": None, "10.1": 1, "25": 1}, "Bill J1460."),
    ("A9516", "mCi", {"0.1": 1, "0.999": 10, "1": None}, "Bill A9509."),
    ("A9531", "microcuries", {"100": 100, "100.5": None}, "Bill A9528 or A9529."),
    ("J0573", "mg", {"3": None, "3.1": 1, "6": 1}, "Bill J0572."),
]


@pytest.mark.parametrize(("drug", "unit", "counted", "way"), LIMITED)
@pytest.mark.parametrize("kind", [pa.string(), pa.float64(), pa.decimal128(12, 6)])
def test_the_limits_of_a_code_hold_whatever_its_units_are(
    drug: str, unit: str, counted: dict[str, int | None], way: str, kind: Any
) -> None:
    made = doses(pa.array(counted).cast(kind), drug, unit, (*PLAIN, "modifier"))
    assert [row["units"] for row in made] == list(counted.values())
    refused = [row["reason"] for row in made if row["status"] == "refused"]
    assert refused
    assert all(why.startswith("OutsideBand: ") and why.endswith(way) for why in refused)


def test_a_refusal_says_its_kind_beside_an_ndc_also() -> None:
    row = {"drug": "J3471", "dose": "1680", "unit": "units", "on": DAY, "ndc": "24208-0002-02"}
    assert bill([row])[0]["reason"] == bill([row | {"ndc": None}])[0]["reason"]
    assert bill([row])[0]["reason"].startswith("OutsideBand: J3471 ")


def test_a_band_without_end_has_none() -> None:
    assert doses(pa.array([5 * 10**17, 4 * 10**18], pa.int64()), "Q9992")[0]["units"] == 1
    assert doses(pa.array(["5000000000000"]), "Q9992", "g")[0]["units"] == 1


def test_sizes_of_one_drug_are_chosen_by_each_rows_dose() -> None:
    rows = [
        {"drug": "methylprednisolone acetate", "dose": dose, "unit": "mg", "on": "2024-03-01"}
        for dose in (20, 40, 80, 60, 120)
    ]
    wanted = [jc.billing_units(row["drug"], f"{row['dose']} mg", on=row["on"]) for row in rows]
    assert [(row["hcpcs"], row["units"]) for row in bill(rows)] == [(one.code, one.count) for one in wanted]
    assert len({one.code for one in wanted}) == 3


def test_a_name_that_no_dose_settles_is_refused_whatever_the_dose() -> None:
    made = bill(
        [{"drug": "leuprolide acetate", "dose": dose, "unit": "mg", "on": DAY} for dose in ("3.75", "7.5", "1000")]
    )
    assert {row["reason"].partition(":")[0] for row in made} == {"AmbiguousDrug"}
    assert len({row["reason"] for row in made}) == 1


def test_places_and_ndcs_may_be_numbers() -> None:
    base = {"drug": "J2315", "dose": 380.0, "unit": "mg", "on": DAY}
    places = [base | {"place": place} for place in (11, 21, None)]
    assert [row["status"] for row in bill(places, ("status",))] == ["billed", "refused", "billed"]
    assert [
        row["status"] for row in bill([row | {"place": float(row["place"] or 12)} for row in places], ("status",))
    ] == ["billed", "refused", "billed"]
    made = bill([base | {"ndc": 65757030001}], ("ndc11", "ndc_qualifier", "ndc_quantity"))[0]
    assert (made["ndc11"], made["ndc_qualifier"], made["ndc_quantity"]) == ("65757030001", "UN", 1)


def test_units_as_they_are_written_count_as_in_one_call() -> None:
    made = bill(
        [
            {"drug": "J0561", "dose": dose, "unit": unit, "on": DAY}
            for dose, unit in (
                ("2.4", "million units"),
                ("2.4", "MU"),
                ("100000", "units"),
                ("100001", "UNITS"),
                ("1", "mg"),
            )
        ]
    )
    assert [row["units"] for row in made] == [24, 24, 1, 2, None]
    assert made[-1]["reason"].startswith("UnitMismatch")


def test_findings_name_the_rules_that_spoke() -> None:
    made = bill(
        [
            {"drug": drug, "dose": dose, "unit": unit, "on": on}
            for drug, dose, unit, on in (
                ("J0696", "1", "g", DAY),
                ("J0696", "1.0", "g", DAY),
                ("J0696", "1", "gm", DAY),
                ("J1885", "30000", "ug", DAY),
                ("J0696", "1", "g", "2031-01-01"),
            )
        ],
        ("findings",),
    )
    said = [set((row["findings"] or "").split("|")) for row in made]
    assert "dose-notation" not in said[0]
    assert "dose-notation" in said[1]
    assert "dose-notation" in said[3]
    assert "data-reach" in said[4]
    assert "data-reach" not in said[0]


def test_routes_choose_among_the_codes_of_a_name_and_an_unknown_route_is_refused() -> None:
    rows = [
        {"drug": "cabotegravir", "dose": "600", "unit": "mg", "on": DAY, "route": route}
        for route in ("IM", "by pigeon", None)
    ]
    made = bill(rows)
    assert made[1]["reason"].startswith("UnknownRoute")
    assert made[0]["units"] == made[2]["units"] == jc.billing_units("cabotegravir", "600 mg", on=DAY).count


# --- what an encounter would say --------------------------------------------------------------------


def test_a_facility_place_withholds_the_drug_from_a_practitioners_claim() -> None:
    made = bill(
        [
            {"drug": "J1885", "dose": "30", "unit": "mg", "on": DAY, "place": place, "claim": claim}
            for place, claim in (("11", None), ("21", None), ("22", "outpatient"), ("xx", None))
        ]
    )
    assert [row["status"] for row in made] == ["billed", "refused", "billed", "refused"]
    assert made[1]["reason"].startswith("facility-place: ")
    assert made[3]["reason"].startswith("EncounterError: place")


@pytest.mark.parametrize(
    ("dose", "label", "discarded", "units", "waste", "modifier"),
    [
        ("7", "10", "3", 1, 0, "JZ"),
        ("70", "100", "30", 7, 3, None),
        ("77", "100", "23", 8, 2, None),
        ("100", "100", "0", 10, 0, "JZ"),
        ("115", "125", "10", 12, 0, "JZ"),
        ("77", "100", None, 8, 0, None),
    ],
)
def test_published_waste_examples(
    dose: str, label: str, discarded: str | None, units: int, waste: int, modifier: str | None
) -> None:
    base = {"drug": "J9035", "unit": "mg", "on": DAY, "container": "single-dose", "containers": 1}
    row = base | {"dose": dose, "container_amount": f"{label} mg", "discarded": discarded and f"{discarded} mg"}
    bare = base | {"dose": float(dose), "container_amount": float(label), "discarded": discarded and float(discarded)}
    for one in (row, bare):
        made = bill([one], ("units", "waste_units", "modifier"))[0]
        assert (made["units"], made["waste_units"], made["modifier"]) == (units, waste, modifier)


def test_a_dose_above_the_label_is_withheld() -> None:
    made = bill(
        [
            {
                "drug": "J9035",
                "dose": "101",
                "unit": "mg",
                "on": DAY,
                "container": "single-dose",
                "containers": "1",
                "container_amount": "100",
                "discarded": "0",
            }
        ],
        ("status", "reason", "units", "waste_units"),
    )[0]
    assert (made["status"], made["units"], made["waste_units"]) == ("refused", None, None)
    assert made["reason"].startswith("dose-above-containers")


def test_discarded_amounts_in_another_unit_and_of_other_types() -> None:
    base = {
        "drug": "J9035",
        "dose": "77",
        "unit": "mg",
        "on": DAY,
        "container": "single-dose",
        "containers": 1,
        "container_amount": "0.1 g",
    }
    for said in ("23 mg", "0.023 g", "23"):
        assert bill([base | {"discarded": said}], ("waste_units",))[0]["waste_units"] == 2
    for value in (23, 23.0, Decimal("23.0")):
        assert bill([base | {"discarded": value}], ("waste_units",))[0]["waste_units"] == 2
    table = pa.Table.from_pylist([base | {"discarded": "a little"}])
    assert jc.batch.bill(table)["status"].to_pylist() == ["refused"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("containers", "0"),
        ("containers", "1.5"),
        ("container", "vial"),
        ("payer", "nobody"),
        ("claim", "inpatient"),
        ("container_amount", "much"),
    ],
)
def test_a_cell_that_cannot_be_read_refuses_its_row_only(column: str, value: str) -> None:
    base = {
        "drug": "J9035",
        "dose": "77",
        "unit": "mg",
        "on": DAY,
        "container": "single-dose",
        "containers": "1",
        "container_amount": "100",
        "discarded": "23",
        "payer": None,
        "claim": None,
    }
    made = bill([base, base | {column: value}], ("status", "reason"))
    assert [row["status"] for row in made] == ["billed", "refused"]
    assert made[1]["reason"]


# --- tables -----------------------------------------------------------------------------------------


def test_columns_that_are_missing_doubled_or_taken_are_named() -> None:
    table = pa.table({"drug": ["J0696"], "dose": [1], "unit": ["g"], "on": [DAY]})
    with pytest.raises(BatchError, match="lacks the columns dose, on"):
        jc.batch.bill(table.select(["drug", "unit"]))
    both = table.append_column("units", pa.array([1]))
    with pytest.raises(BatchError, match="column given_units is named like an answer"):
        jc.batch.bill(both.append_column("given_units", pa.array([1])))
    with pytest.raises(BatchError, match=r"column 'drug' is there twice \(columns 1, 5\)"):
        jc.batch.bill(table.append_column("drug", pa.array(["J1885"])))
    with pytest.raises(BatchError, match="no output"):
        jc.batch.bill(table, outputs=("price",))
    with pytest.raises(BatchError, match="no table"):
        jc.batch.bill([{"drug": "J0696"}])


def test_other_columns_pass_through_untouched_and_outputs_follow() -> None:
    table = pa.table(
        {"note": pa.array([["a"], None]), "drug": ["J0696", "x"], "dose": [1, 1], "unit": ["g", "g"], "on": [DAY, DAY]}
    )
    made = jc.batch.bill(table)
    assert made.column_names == ["note", "drug", "dose", "unit", "on", *jc.batch.OUTPUTS]
    assert made.select(table.column_names).equals(table)


@pytest.mark.parametrize(
    "make", [lambda table: table.to_batches()[0], lambda table: table.to_reader()], ids=["record batch", "reader"]
)
def test_anything_that_speaks_arrow_is_a_table(make: Any) -> None:
    table = pa.table({"drug": ["J0696"], "dose": ["1"], "unit": ["g"], "on": [DAY]})
    assert jc.batch.bill(make(table))["units"].to_pylist() == [4]


FRAME = {"drug": ["J0696", "nothing", "J1885"], "dose": ["1", "1", "30"], "unit": ["g", "g", "mg"], "on": [DAY] * 3}


def test_a_pandas_frame_comes_back_with_its_index_and_nullable_answers() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(FRAME | {"status": [1, 2, 3], "note": [{"a": 1}, None, "x"]}, index=[7, 7, 9])
    made = jc.batch.bill(frame)
    assert (type(made), list(made.index)) == (pandas.DataFrame, [7, 7, 9])
    assert list(made.columns) == ["drug", "dose", "unit", "on", "given_status", "note", *jc.batch.OUTPUTS]
    assert made["units"].tolist() == [4, pandas.NA, 2]
    assert (str(made["units"].dtype), str(made["hcpcs"].dtype)) == ("Int64", "string")
    assert str(made["ndc_quantity"].dtype) == "decimal128(38, 6)[pyarrow]"
    assert made["note"].tolist() == frame["note"].tolist()
    assert list(frame.columns) == ["drug", "dose", "unit", "on", "status", "note"]


def test_a_polars_frame_comes_back_and_a_lazy_one_says_how_to_run_it() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(FRAME | {"status": [1, 2, 3]})
    made = jc.batch.bill(frame)
    assert isinstance(made, polars.DataFrame)
    assert made.columns == ["drug", "dose", "unit", "on", "given_status", *jc.batch.OUTPUTS]
    assert (made["units"].to_list(), made["hcpcs"].dtype) == ([4, None, 2], polars.String)
    with pytest.raises(BatchError, match=r"\.collect\(\)"):
        jc.batch.bill(frame.lazy())


def test_a_duckdb_relation_gives_an_arrow_table() -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql(f"select 'J0696' as drug, '1' as dose, 'g' as unit, date '{DAY}' as \"on\"")
    made = jc.batch.bill(relation)
    assert (type(made), made["units"].to_pylist()) == (pa.Table, [4])


def test_a_column_of_several_kinds_is_named() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(BatchError, match="column dose holds values of several kinds"):
        jc.batch.bill(pandas.DataFrame(FRAME | {"dose": [1, "1", object()]}))


def test_a_column_of_texts_and_numbers_is_read_as_a_spreadsheet_shows_it() -> None:
    pandas = pytest.importorskip("pandas")
    pandas_day = pandas.Timestamp(DAY)
    frame = pandas.DataFrame(
        {
            "drug": ["J1885", 90715, "ketorolac", "J1885", "J1885"],
            "dose": ["30", 1, 30.0, Decimal("30.5"), None],
            "unit": ["mg", "dose", "mg", "mg", "mg"],
            "on": [DAY, pandas_day, pandas_day.date(), DAY, 20260302],
            "note": [1, "x", 2.5, None, True],
        }
    )
    made = jc.batch.bill(frame, date_format=None)
    assert [None if pandas.isna(units) else int(units) for units in made["units"]] == [2, 1, 2, 3, None]
    assert made["note"].tolist() == frame["note"].tolist()
    lines = pandas.DataFrame({"claim": [1, "A", None], "line": [1, 1, 1], "code": ["J1885", 90715, "J1885"]})
    lines = lines.assign(units=[2, "1", "two"], modifiers=[59, "JZ", None], on=DAY, dose=["30", 1, 30], unit="mg")
    assert jc.audit.judge(lines.assign(unit=["mg", "dose", "mg"]))["verdict"].to_pylist() == [
        "agrees",
        "agrees",
        "unjudged",
    ]


def test_the_index_of_a_frame_comes_back_from_an_arrow_table_of_it() -> None:
    pandas = pytest.importorskip("pandas")
    index = pandas.Index(["a", "b", "c"], name="visit")
    table = pa.Table.from_pandas(pandas.DataFrame(FRAME, index=index))
    for outputs in (jc.batch.OUTPUTS, ("units",)):
        assert jc.batch.bill(table, outputs=outputs).to_pandas().index.equals(index)


def one_call(dose: str | None) -> Any:
    """The units of a dose of ketorolac, or the kind of its refusal."""
    try:
        return jc.billing_units("J1885", dose, on=DAY).count
    except jc.JcodeunitsError as error:
        return type(error).__name__


def test_the_unit_may_stand_with_the_dose() -> None:
    doses = ["40 mg", "1.5 g", "40mg", "1,000 mg", "40", None, "2.4 million units", "30.0 mg"]
    made = bill([{"drug": "J1885", "dose": dose, "on": DAY} for dose in doses], ("units", "reason"))
    for dose, got in zip(doses, made, strict=True):
        assert (got["units"] or (got["reason"] or "").partition(":")[0]) == one_call(dose), dose
    mixed = bill(
        [{"drug": "J1885", "dose": "40", "unit": "mg", "on": DAY}, {"drug": "J1885", "dose": "40 mg", "on": DAY}]
    )
    assert [row["units"] for row in mixed] == [3, 3]


def test_dates_in_another_form_are_read_where_it_is_said_and_never_guessed() -> None:
    written = ["03/02/2026", "2026-03-02", "13/02/2026", "3/2/2026"]
    table = pa.table({"drug": ["J0696"] * 4, "dose": ["1"] * 4, "unit": ["g"] * 4, "on": written})
    assert jc.batch.bill(table)["units"].to_pylist() == [None, 4, None, None]
    assert jc.batch.bill(table, date_format="MM/DD/YYYY")["units"].to_pylist() == [4, 4, None, 4]
    assert jc.batch.bill(table, date_format="DD/MM/YYYY")["units"].to_pylist() == [4, 4, 4, 4]
    assert jc.batch.bill(table, date_format="DD/MM/YYYY")["on"].to_pylist() == written
    with pytest.raises(BatchError, match="no form of a date"):
        jc.batch.bill(table, date_format="%m/%d/%Y")


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC")], ids=str)
def test_a_form_of_dates_is_of_those_that_are_written_and_leaves_a_column_of_dates_as_it_is(kind: pa.DataType) -> None:
    days = pa.array([dt.date(2026, 3, 2)]).cast(pa.timestamp("us")).cast(kind)
    table = pa.table({"drug": ["J0696"], "dose": ["1"], "unit": ["g"], "on": days})
    for form in (None, "MM/DD/YYYY", "excel"):
        assert jc.batch.bill(table, date_format=form)["units"].to_pylist() == [4], form


@pytest.mark.parametrize(
    ("said", "encounter"),
    [
        ({"basis": "total"}, {"basis": "total"}),
        ({"form": "liquid", "ndc": "0409-3795-01"}, {"form": "liquid", "ndc": "0409-3795-01"}),
        (
            {"start": "2026-03-02T09:00:00", "stop": "10:45", "route": "IV infusion"},
            {"start": "09:00", "stop": "10:45"},
        ),
        ({"site": "left deltoid"}, {"site": "left deltoid"}),
        ({"unit": "mg/kg", "dose": "0.5", "weight": "70"}, {"dose": "0.5 mg/kg"}),
        ({"unit": None, "dose": "0.5 mg/kg", "weight": "70 kg"}, {"dose": "0.5 mg/kg"}),
    ],
    ids=str,
)
def test_what_else_a_row_says_counts_as_in_an_encounter(said: dict[str, Any], encounter: dict[str, Any]) -> None:
    row = {"drug": "J1885", "dose": "30", "unit": "mg", "on": DAY, "route": "IM", "place": "11"} | said
    given = {"drug": "J1885", "dose": "30 mg", "route": row["route"]} | encounter
    made = jc.charge({"on": DAY, "place": "11", "patient": {"weight": "70 kg"}, "administrations": [given]})
    names = ("hcpcs", "units", "ndc_qualifier", "ndc_quantity")
    (got,) = bill([row], names)
    line = [line for line in made.lines if line.kind == "drug"]
    wanted = [(one.code, one.units, one.ndc_qualifier, one.ndc_quantity) for one in line] or [(None,) * 4]
    assert tuple(got[name] for name in names) == wanted[0]


@pytest.mark.parametrize("drug", ["J1885", "ketorolac", "0409-3795-01"])
@pytest.mark.parametrize("dose", [("0.5", "mg/kg"), ("0.5 mg/kg", None)])
def test_a_dose_by_weight_needs_no_route(drug: str, dose: tuple[str, str | None]) -> None:
    row = {"drug": drug, "dose": dose[0], "unit": dose[1], "on": DAY}
    made = bill([row | {"weight": "60"}, row | {"weight": "60 kg"}, row | {"weight": None}], ("hcpcs", "units"))
    # 0.5 mg/kg x 60 kg = 30 mg, 15 mg a unit
    assert [tuple(one.values())[-2:] for one in made] == [("J1885", 2), ("J1885", 2), (None, None)]


def test_the_part_that_a_dose_counts_lifts_the_refusal_that_asks_for_it() -> None:
    row = {"drug": "J0741", "dose": "400", "unit": "mg", "on": DAY, "route": "IM", "place": "11"}
    asked, said = bill([row | {"basis": None}, row | {"basis": "cabotegravir"}], ("hcpcs", "units", "reason"))
    assert str(asked["reason"]).startswith("BasisNeeded")
    assert (said["hcpcs"], said["units"], said["reason"]) == ("J0741", 200, None)  # 2 mg of it a unit


@pytest.mark.parametrize("route", [None, "IM"])
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"drug": "J3420", "dose": "1000 mcg", "place": "58"}, None),
        ({"drug": "J2315", "dose": "380 mg", "place": "58"}, "opioid-program"),
        ({"drug": "J3420", "dose": "1000 mcg", "place": "22"}, "facility-place"),
    ],
    ids=str,
)
def test_a_place_bars_the_same_drugs_with_a_route_and_without(
    row: dict[str, Any], reason: str | None, route: str | None
) -> None:
    (made,) = bill([row | {"on": DAY, "route": route}], ("reason",))
    assert (made["reason"] or "").partition(":")[0] == (reason or "")


def test_a_refusal_for_the_route_names_the_codes_of_its_own_day() -> None:
    # Methylprednisolone acetate was J1020, J1030 and J1040 until 2024-03-31, and is J1010 since; the tablet is J7509.
    row = {"drug": "J7509", "dose": "40", "unit": "mg", "route": "IV"}
    for days in (("2024-02-02", "2024-10-16"), ("2024-10-16", "2024-02-02")):
        made = bill([row | {"on": day} for day in days])
        named = {day: "J1010" in str(one["reason"]) for day, one in zip(days, made, strict=True)}
        assert named == {"2024-02-02": False, "2024-10-16": True}


@pytest.mark.parametrize("route", [None, "IV push"])
def test_a_code_for_hospitals_is_on_no_practitioners_claim_with_a_route_and_without(route: str | None) -> None:
    row = {"drug": "C9254", "dose": "200 mg", "on": DAY, "route": route}
    made = bill([row | {"claim": "professional"}, row | {"claim": "outpatient", "place": "22"}], ("reason",))
    assert [(one["reason"] or "").partition(":")[0] for one in made] == ["code-not-taken", ""]


def test_an_empty_table_has_all_columns() -> None:
    made = jc.batch.bill(pa.table({name: pa.array([], pa.string()) for name in jc.batch.REQUIRED}))
    assert (made.num_rows, made.column_names[3:]) == (0, list(jc.batch.OUTPUTS))


def test_a_table_in_many_chunks_with_dictionaries_of_their_own() -> None:
    def part(drug: str, dose: int) -> Any:
        return pa.table(
            {
                "drug": pa.array([drug]).dictionary_encode(),
                "dose": [dose],
                "unit": pa.array(["mg"]).dictionary_encode(),
                "on": [DAY],
            }
        )

    table = pa.concat_tables([part("J1885", 30), part("J0696", 1000), part("J1885", 31), part("nothing", 1)])
    assert jc.batch.bill(table, outputs=("units",))["units"].to_pylist() == [2, 4, 3, None]


def test_more_combinations_than_a_lookup_table_holds_are_numbered_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    from jcodeunits.batch import joints

    rows = [
        {"drug": drug, "dose": str(n + 1), "unit": unit, "on": f"20{y}-01-05"}
        for n, drug in enumerate(("J1885", "J0696", "x"))
        for unit in ("mg", "g", "mL")
        for y in (20, 24, 26)
    ]
    before = bill(rows, jc.batch.OUTPUTS)
    monkeypatch.setattr(joints, "_DENSE", 1)
    assert bill(rows, jc.batch.OUTPUTS) == before


def test_rows_of_an_administration_record_are_billed_only_where_the_drug_was_given() -> None:

    words = ["Given", "new bag", "Refused", "Rate Change", "Self Administered", "Verabreicht", "", None]
    rows = pa.table(
        {"drug": ["ketorolac"] * 8, "dose": ["30"] * 8, "unit": ["mg"] * 8, "on": ["2026-03-02"] * 8, "action": words}
    )
    made = jc.batch.bill(rows)
    assert made["status"].to_pylist() == ["billed", *(["refused"] * 7)]
    reasons = made["reason"].to_pylist()
    assert [word for word, why in zip(words[1:6], reasons[1:6], strict=True) if repr(word) not in why] == []
    assert made["units"].to_pylist() == [2, *([None] * 7)]
    timed = rows.append_column("start", pa.array(["10:00"] * 8)).append_column("stop", pa.array(["10:35"] * 8))
    assert jc.batch.bill(timed)["status"].to_pylist()[:3] == ["billed", "billed", "refused"]


# --- every type of column ---------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ODD_COLUMNS, ids=lambda column: str(column.type))
def test_a_column_of_any_type_is_read_or_refused_by_name_and_passes_where_it_is_not_read(odd: Any) -> None:
    given = {"drug": ["J1885"] * 2, "dose": ["15"] * 2, "unit": ["mg"] * 2, "on": [DAY] * 2}
    for name in (*REQUIRED, *OPTIONAL, "note", "status"):
        table = pa.table(given | {name: odd})
        try:
            made = jc.batch.bill(table)
        except BatchError as error:
            said = str(error)
        else:
            said = ""
        if said:
            assert {name} & {"note", "status", "id"} == set()
            assert repr(name) in said
            assert str(odd.type) in said
            continue
        assert made.num_rows == 2
        assert made.column(table.column_names.index(name)).type == odd.type


def test_one_date_outside_the_calendar_refuses_its_row_only() -> None:
    days = pa.array([20514, 2**31 - 1, -(2**31), 10**7, 20514], pa.int32()).view(pa.date32())
    given = {"drug": ["J1885"] * 5, "dose": ["15"] * 5, "unit": ["mg"] * 5}
    made = jc.batch.bill(pa.table(given | {"on": days})).select(["units", "status"]).to_pylist()
    assert [row["status"] for row in made] == ["billed", "refused", "refused", "refused", "billed"]


def test_a_table_of_thousands_of_columns_takes_time_with_its_width() -> None:
    row = {"drug": ["J0696"], "dose": ["1"], "unit": ["g"], "on": [DAY]}
    table = pa.table({**row, **{f"column {n}": ["x"] for n in range(8000)}})
    began = time.process_time()
    assert jc.batch.bill(table)["units"].to_pylist() == [4]
    assert jc.batch.bill_stream(table.to_reader()).read_all()["units"].to_pylist() == [4]
    assert time.process_time() - began < 5  # where each column was looked at for each, more than a minute
