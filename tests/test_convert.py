"""Billing units: the cases that a pharmacist can read, and the properties that hold over the whole catalog."""

import csv
import datetime as dt
import json
import pickle
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import DRUGS, REFERENCE, reference_of, with_own

import jcodeunits as jc
from jcodeunits import convert, errors, tables, units
from jcodeunits.convert import billing_units, measured
from jcodeunits.facts.drug_rows import REFUSALS, Drug

CASES = list(csv.DictReader((Path(__file__).parent / "cases" / "doses.csv").open(encoding="utf-8")))
ROWS = [row for row in DRUGS.drugs if not row.refuses]
SINGLE = [row for row in ROWS if row.size is not None and row.above is None and row.through is None]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['drug']}-{c['dose']}-{c['on']}".replace(" ", "_"))
def test_case(case):
    def ask():
        return billing_units(case["drug"], case["dose"], on=case["on"], route=case["route"] or None)

    kind = getattr(errors, case["answer"], None)
    if kind is None:
        answer = ask()
        assert (answer.code, answer.count) == (case["answer"], int(case["units"]))
        assert int(answer) == answer.count
    else:
        with pytest.raises(kind) as caught:
            ask()
        assert case["units"] in str(caught.value)


def test_an_ended_code_names_its_successor_and_the_rescaled_units():
    with pytest.raises(errors.NotInEffect) as caught:
        billing_units("J1030", "40 mg", on="2026-03-02")
    error = caught.value
    assert error.code == "J1030"
    assert str(error.period.ends) == "2024-03-31"
    assert error.successors == ("J1010",)
    assert error.units == {"J1010": 40}
    assert "40 mg is 40 units of J1010" in str(error)


def test_a_hundredfold_change_is_rescaled():
    with pytest.raises(errors.NotInEffect) as caught:
        billing_units("J2310", "0.4 mg", on="2025-07-01")
    assert caught.value.units["J2312"] == 40


@pytest.mark.parametrize(
    ("basis", "dose", "units_wanted"), [("ceftolozane", "1 g", 20), ("tazobactam", "0.5 g", 20), ("total", "1.5 g", 20)]
)
def test_a_combination_is_counted_by_the_part_that_is_named(basis, dose, units_wanted):
    # 50 mg of ceftolozane and 25 mg of tazobactam in one unit: 1.5 g of the pair is 1 g and 0.5 g
    assert int(billing_units("J0695", dose, on="2026-03-02", basis=basis)) == units_wanted


def test_a_basis_that_names_no_part():
    with pytest.raises(errors.BasisNeeded) as caught:
        billing_units("J0695", "1 g", on="2026-03-02", basis="ceftazidime")
    assert len(caught.value.choices) == 2
    with pytest.raises(errors.DoseError):
        billing_units("J1885", "30 mg", on="2026-03-02", basis="tromethamine")


@pytest.mark.parametrize("dose", [None, "", "0 mg", "-1 mg", "nan mg", "30", 30, float("inf"), [], "9" * 400, "😀 mg"])
def test_a_bad_dose_is_a_typed_refusal(dose):
    with pytest.raises(errors.JcodeunitsError):
        billing_units("J1885", dose, on="2026-03-02")


@pytest.mark.parametrize("drug", [None, "", "  ", 5, [], "😀", "x" * 400, "J18855", "ketorolac tromethamine acetate"])
def test_a_bad_drug_is_a_typed_refusal(drug):
    with pytest.raises(errors.JcodeunitsError):
        billing_units(drug, "30 mg", on="2026-03-02")


@pytest.mark.parametrize("on", [None, "", "yesterday", "2026-02-30", 20260302, "02/03/2026"])
def test_a_bad_date_is_a_typed_refusal(on):
    with pytest.raises(errors.DateError):
        billing_units("J1885", "30 mg", on=on)


def test_a_date_beyond_the_data_is_answered_with_a_note():
    answer = billing_units("J1885", "30 mg", on="2031-01-01")
    assert answer.count == 2
    assert "data-reach" in [finding.rule for finding in answer.findings]
    early = billing_units("J1885", "30 mg", on="2010-01-01")
    assert "data-reach" in [finding.rule for finding in early.findings]
    assert billing_units("J1885", "30 mg", on="2026-03-02").findings == ()


def test_the_first_and_the_last_day_of_the_data_need_no_note():
    for on in ("2020-01-01", "2026-09-30"):
        assert billing_units("J1885", "30 mg", on=on).findings == ()
    for on in ("2019-12-31", "2026-10-01"):
        answer = billing_units("J1885", "30.0 mg", on=on)
        assert [finding.rule for finding in answer.findings] == ["dose-notation", "data-reach"]


def test_units_of_another_name_are_noted():
    answer = billing_units("J7192", "1500 units", on="2026-03-02")
    assert answer.count == 1500
    assert [finding.rule for finding in answer.findings] == ["unit-name"]


def test_the_answer_as_plain_types():
    made = billing_units("ceftriaxone", "1 g", on="2026-03-02").as_dict()
    assert json.loads(json.dumps(made)) == made
    assert (made["code"], made["exact"], made["units"], made["on"]) == ("J0696", "4", 4, "2026-03-02")
    assert made["billing_unit"] == {"size": "250", "unit": "mg", "basis": "per"}
    assert made["dose"] == {"amount": "1", "unit": "g"}
    assert len(made["fingerprint"]) == 64
    assert made["edition"] == "HCPCS 2026 Q3"


def test_the_explanation_reads_as_the_arithmetic():
    lines = billing_units("J0696", "1 g", on="2026-03-02").explain().splitlines()
    assert lines[0].startswith("J0696 ceftriaxone sodium, per 250 mg")
    assert "1 g = 1000 mg" in lines[1]
    assert "1000 mg / 250 mg = 4" in lines[2]
    assert "4 -> 4" in lines[3]
    assert "no rounding needed" in lines[3]
    assert "rounded up" in billing_units("J0696", "1.1 g", on="2026-03-02").explain()


def test_the_answer_pickles():
    answer = billing_units("J0696", "1 g", on="2026-03-02")
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_a_drug_row_is_a_drug():
    row = jc.drug("J0696", on="2026-03-02")
    assert billing_units(row, "1 g", on="2026-03-02").count == 4
    ended = jc.drug("J1030", on="2024-03-31")
    with pytest.raises(errors.NotInEffect):
        billing_units(ended, "40 mg", on="2026-03-02")


def test_the_answer_has_the_keys_of_the_contract_and_no_others():
    assert set(billing_units("J1030", "40 mg", on="2024-03-31").as_dict()) == {
        "code",
        "drug",
        "billing_unit",
        "dose",
        "exact",
        "units",
        "on",
        "effective",
        "ends",
        "findings",
        "trace",
        "edition",
        "fingerprint",
    }
    made = billing_units("J1030", "40.0 mg", on="2024-03-31").as_dict()
    assert (made["drug"], made["effective"], made["ends"]) == ("methylprednisolone acetate", "1982-01-01", "2024-03-31")
    assert [finding["rule"] for finding in made["findings"]] == ["dose-notation"]
    assert [step["says"] for step in made["trace"]][-1] == "1 -> 1"
    assert billing_units("J1010", "40 mg", on="2026-03-02").as_dict()["ends"] is None


# --- which drug: route, product, general knowledge ------------------------------------------------------


def test_the_route_decides_between_codes_by_route():
    assert billing_units("ustekinumab", "90 mg", on="2026-03-02", route="SC").code == "J3357"
    assert billing_units("ustekinumab", "90 mg", on="2026-03-02", route="intravenous").code == "J3358"
    with pytest.raises(errors.AmbiguousDrug):
        billing_units("ustekinumab", "90 mg", on="2026-03-02")
    with pytest.raises(errors.UnknownRoute):
        billing_units("ustekinumab", "90 mg", on="2026-03-02", route="by pigeon")


@pytest.mark.parametrize(
    "ndc", ["0409-3795-01", "00409-3795-01", "00409379501", " NDC 00409-3795-01 ", "N400409379501"]
)
def test_an_ndc_is_a_drug(ndc):
    # 30 mg in one vial of ketorolac, per 15 mg
    assert str(billing_units(ndc, "30 mg", on="2026-03-02")) == "J1885 x 2"


def test_a_volume_of_an_ndc_is_the_amount_in_it():
    # 30 mg in 1 mL: half of it is 15 mg; Depo-Medrol 40 mg in 1 mL
    answer = billing_units("00409-3795-01", "0.5 mL", on="2026-03-02")
    assert (str(answer), str(answer.dose)) == ("J1885 x 1", "15 mg")
    assert answer.explain().splitlines()[1].startswith("0.5 mL x 30 mg/1 mL = 15 mg")
    assert str(billing_units("00009-3073-01", "1 mL", on="2026-03-02")) == "J1010 x 40"
    with pytest.raises(errors.UnitMismatch):
        billing_units("65757-0300-01", "4 mL", on="2026-03-02")


def test_an_ndc_bills_the_code_of_its_day():
    # Depo-Medrol 40 mg/mL, 1 mL: 22 NDCs moved from J1030 to J1010
    assert str(billing_units("00009-3073-01", "40 mg", on="2024-03-31")) == "J1030 x 1"
    assert str(billing_units("00009-3073-01", "40 mg", on="2024-04-01")) == "J1010 x 40"


def test_an_ndc_with_two_codes_asks_and_one_of_a_band_is_its_code():
    with pytest.raises(errors.AmbiguousDrug) as caught:
        billing_units("00069-1305-10", "4000 units", on="2026-03-02")
    error = caught.value
    assert (error.given, error.candidates, str(error.on)) == ("00069-1305-10", ("Q5105", "Q5106"), "2026-03-02")
    assert str(error).startswith("NDC 00069-1305-10 has several codes on 2026-03-02: Q5105 ")
    assert "; Q5106 " in str(error)
    assert str(billing_units("12496-0100-01", "100 mg", on="2026-03-02")) == "Q9991 x 1"
    assert str(billing_units("12496-0300-01", "300 mg", on="2026-03-02")) == "Q9992 x 1"


def test_a_bare_ten_digit_ndc_is_noted():
    answer = billing_units("0409379501", "30 mg", on="2026-03-02")
    assert answer.count == 2
    assert "00409-3795-01" in answer.findings[0].says


@pytest.mark.parametrize("ndc", ["99999-9999-99", "1234-1234-1", "1234567890123"])
def test_an_ndc_that_is_none_is_refused(ndc):
    with pytest.raises(errors.JcodeunitsError):
        billing_units(ndc, "30 mg", on="2026-03-02")


def test_a_name_by_general_knowledge_is_noted_and_one_from_a_source_is_not():
    by_level = {"low": "name-by-general-knowledge", "high": None}
    for level, rule in by_level.items():
        brands = [b for b in DRUGS.brands if b.confidence == level and b.code.startswith("J") and b.ends is None]
        seen = 0
        for brand in brands:
            rows = DRUGS.rows(brand.code)
            if len(rows) != 1 or rows[0] not in SINGLE or rows[0].ends is not None:
                continue
            try:
                answer = billing_units(brand.brand, jc.Dose(rows[0].size, rows[0].unit), on="2026-07-15")
            except errors.AmbiguousDrug:
                continue
            if answer.code != brand.code:
                continue  # the brand means another code where it is injected
            seen += 1
            assert (rule in [finding.rule for finding in answer.findings]) == (rule is not None)
            assert level == "low" or "name-by-general-knowledge" not in [f.rule for f in answer.findings]
        assert seen > 20


# What a descriptor can leave a code alone for, and a word that the answer then says.
ONE_USE = {
    "anti-emetic with chemotherapy": "chemotherapy",
    "for esrd on dialysis": "dialysis",
    "for non-esrd use": "outside",
    "hiv prevention": "HIV prevention",
    "hiv treatment": "HIV treatment",
    "covid-19 in hospital": "in hospital",
    "covid-19 prevention": "COVID-19",
    "catheter lock": "catheter",
    "imaging": "imaging",
    "iron deficiency": "iron deficiency",
    "pump": "pump",
    "lock flush": "lock",
    "pump loading dose": "pump",
    "compounded": "compounded",
    "in hospital": "in hospital",
    "diluent or flush": "flush",
}


def _said_to_limit(row):
    words = [*row.qualifier.split("; "), *row.form.split(", ")]
    return [said for word, said in ONE_USE.items() if word in words]


@pytest.mark.book
def test_an_answer_by_name_says_in_words_the_one_use_that_the_descriptor_leaves_the_code():
    book, on = DRUGS, dt.date(2026, 3, 2)
    names = {row.ingredient for row in book.drugs} | {b.brand for b in book.brands} | {n.name for n in book.names}
    reached = set()
    for name in names:
        for route in (None, "SC", "IV", "oral", "inhaled", "dialysis"):
            try:
                row, notes = convert.resolve(name, on, None, route, reference=REFERENCE)
            except errors.CodeError:
                continue
            said = [note for note in notes if note.rule == "limited-use"]
            for word in _said_to_limit(row):
                assert [note.severity for note in said] == ["warn"], (name, row.code)
                assert row.code in said[0].says
                assert word in said[0].says
                reached.add(row.code)
            assert bool(said) == bool(row.use)
    assert len(reached) > 30


@pytest.mark.parametrize(
    ("drug", "dose", "route", "code"), [("zofran", "8 mg", "oral", "Q0162"), ("benadryl", "50 mg", "oral", "Q0163")]
)
def test_an_anti_emetic_by_mouth_is_warned_about_in_units_and_in_a_charge(drug, dose, route, code):
    one = {"drug": drug, "dose": dose, "route": route}
    claim = jc.charge({"on": "2026-03-02", "place": "20", "administrations": [one]})
    for findings in (billing_units(drug, dose, on="2026-03-02", route=route).findings, claim.findings):
        said = next(f for f in findings if f.rule == "limited-use")
        assert said.severity == "warn"
        assert code in said.says
        assert "replaces" in said.says
        assert "chemotherapy" in said.says
    other = next(f for f in claim.findings if f.rule == "limited-use").fix
    assert ("S0119" in other) == (drug == "zofran")


def test_who_gives_the_code_has_read_its_descriptor():
    assert not [f for f in billing_units("Q0162", "8 mg", on="2026-03-02").findings if f.rule == "limited-use"]


def test_an_ingredient_whose_only_code_is_one_brands_says_so():
    found = billing_units("bevacizumab-maly", "100 mg", on="2026-03-02")
    assert [(f.rule, f.severity) for f in found.findings] == [("one-brand", "note")]
    assert "alymsys" in found.findings[0].says
    assert not billing_units("Alymsys", "100 mg", on="2026-03-02").findings


# --- combinations ---------------------------------------------------------------------------------------


def combination(components, size="", unit="", equivalents=""):
    cells = [
        "X0002",
        "a / b",
        "",
        "no",
        "",
        "injection",
        "drug",
        size,
        unit,
        "per",
        components,
        equivalents,
        "",
        "",
        "",
        "2020-01-01",
        "",
        "own-review",
        "test",
        "high",
        "2026-11-23",
    ]
    return Drug(*cells)


@pytest.mark.parametrize(
    ("row", "dose", "basis", "exact"),
    [
        (combination("a=50 mg|b=25 mg"), "150 mg", "total", 2),
        (combination("a=50 mg|b=25000 mcg"), "150 mg", "total", 2),
        (combination("a=50 mg|b=25 mg"), "100 mg", "a", 2),
        (combination("a=50 mg|b=25 mg"), "100 mg", "b", 4),
        (combination("a=1 g|b=0.125 g", "1.125", "g"), "2.25 g", None, 2),
        (combination("a=1 g|b=0.125 g", "1.125", "g"), "2.25 g", "total", 2),
        (combination("a=1 g|b=0.125 g", "1.125", "g"), "2 g", "a", 2),
        (combination("a=50 mg|b=25 mg", equivalents="1 dose"), "3 doses", None, 3),
        (combination("alpha beta=50 mg|alpha=10 mg"), "100 mg", "alpha beta", 2),
    ],
)
def test_parts_of_a_combination(row, dose, basis, exact):
    answer = billing_units(row, dose, on="2026-03-02", basis=basis, reference=reference_of(row))
    assert answer.exact == exact
    assert answer.basis == basis


@pytest.mark.parametrize(
    ("row", "basis", "says"),
    [
        (combination("a=50 mg|b=25 mg"), None, "prints no total"),
        (combination("a=50 mg|b=25 units"), "total", "measured in different ways"),
        (combination("a=50 mg|b=25 mg"), "c", "'c' names no part"),
        (combination("ab=50 mg|b=25 mg"), "a", "'a' names no part"),
        (combination("x a=50 mg|x b=25 mg"), "x", "'x' names no part"),
    ],
)
def test_parts_that_are_not_told_apart(row, basis, says):
    with pytest.raises(errors.BasisNeeded, match=says) as caught:
        billing_units(row, "100 mg", on="2026-03-02", basis=basis, reference=reference_of(row))
    assert caught.value.code == "X0002"
    assert caught.value.choices == tuple(part.name for part in row.components)


def test_one_part_needs_no_basis():
    with pytest.raises(errors.DoseError, match="needs no basis: it has one part") as caught:
        billing_units("J1885", "30 mg", on="2026-03-02", basis="tromethamine")
    assert caught.value.code == "J1885"


def test_a_mismatch_keeps_what_was_given_and_needed():
    with pytest.raises(errors.UnitMismatch) as caught:
        billing_units("J1885", "30 units", on="2026-03-02")
    assert (caught.value.given, caught.value.needed, caught.value.code) == ("unit", "mg", "J1885")


# --- a site's own catalog -------------------------------------------------------------------------------


def test_a_sites_own_rows_answer_also_in_refusals(tmp_path):
    head = ",".join(tables.header(Drug)) + "\n"
    tail = "own-review,site,high,2026-11-23\n"
    (tmp_path / "drugs.csv").write_text(
        head
        + f"X0001,testazine,,no,,injection,drug,5,mg,per,,,,,,2020-01-01,2024-12-31,{tail}"
        + f"X0002,testazine,,no,,injection,drug,1,mg,per,,,,,,2025-01-01,,{tail}"
        + f"X0003,testband,,no,,injection,drug,,mg,band,,,,10,,2020-01-01,,{tail}"
        + f"X0004,testband,,no,,injection,drug,,mg,band,,,10,,,2020-01-01,,{tail}"
        + f"X0005,testold,,no,,injection,drug,3,mg,per,,,,,,2020-01-01,2024-12-31,{tail}"
    )
    (tmp_path / "successors.csv").write_text(
        "code,successor,condition,evidence,ndcs_moved,effective,ends,source,cite,confidence,verified\n"
        f"X0001,X0002,,descriptor,,2025-01-01,,{tail}"
        f"X0005,X0002,as one,descriptor,,2025-01-01,,{tail}"
        f"X0005,X0004,as the other,descriptor,,2025-01-01,,{tail}"
    )
    own = with_own(tmp_path)
    with pytest.raises(errors.NotInEffect) as caught:
        billing_units("X0001", "10 mg", on="2026-03-02", reference=own)
    assert caught.value.units == {"X0002": 10}
    with pytest.raises(errors.OutsideBand, match=r"Bill X0004\.") as outside:
        billing_units("X0003", "11 mg", on="2026-03-02", reference=own)
    assert (outside.value.code, outside.value.candidates) == ("X0003", ("X0004",))
    with pytest.raises(errors.NotInEffect) as split:
        billing_units("X0005", "12 mg", on="2026-03-02", reference=own)
    assert split.value.units == {"X0002": 12, "X0004": 1}
    assert "12 mg is 12 units of X0002; 12 mg is 1 unit of X0004" in str(split.value)
    assert billing_units("testband", "11 mg", on="2026-03-02", reference=own).code == "X0004"
    with pytest.raises(errors.UnknownDrug) as near:
        billing_units("testazin", "11 mg", on="2026-03-02", reference=own)
    assert "testazine" in near.value.near


# --- what other programs get wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "dose", "wanted"),
    [("J2404", "16.1 mg", 161), ("J1010", "0.035 g", 35), ("J9035", "4.03 g", 403), ("J2312", "0.07 mg", 7)],
)
def test_exact_multiples_are_never_over_billed(code, dose, wanted):
    assert int(billing_units(code, dose, on="2026-03-02")) == wanted


def test_hundredths_of_a_milligram_all_agree():
    for hundredths in range(1, 5001):
        dose = jc.Dose.of(Decimal(hundredths) / 100, "mg")
        assert int(billing_units("J2312", dose, on="2026-03-02")) == hundredths


# --- properties over every computable row ---------------------------------------------------------------

amounts = st.integers(1, 10**7).flatmap(lambda n: st.integers(0, 4).map(lambda k: Fraction(n, 10**k)))


def plain(value):
    return format(Decimal(value.numerator) / Decimal(value.denominator), "f")


@given(st.sampled_from(SINGLE), amounts)
def test_the_units_cover_the_dose_and_one_less_does_not(row, amount):
    answer = billing_units(row, jc.Dose(amount, row.unit), on=row.effective)
    assert answer.count * row.size >= amount > (answer.count - 1) * row.size


@given(st.sampled_from(SINGLE), amounts, amounts)
def test_more_dose_is_never_fewer_units(row, one, other):
    less, more = sorted((one, other))
    counts = [billing_units(row, jc.Dose(a, row.unit), on=row.effective).count for a in (less, more)]
    assert counts[0] <= counts[1]


MASS = [row for row in SINGLE if units.dimension(row.unit) == "mass"]


@given(st.sampled_from(MASS), st.integers(1, 10**6))
def test_the_same_mass_in_any_unit_and_as_a_quantity_is_the_same_count(row, mcg):
    asked = [
        jc.Dose.of(f"{mcg} mcg"),
        jc.Dose.of(f"{plain(Fraction(mcg, 1000))} mg"),
        jc.Dose.of(f"{plain(Fraction(mcg, 10**6))} g"),
        jc.Dose.of(f"{mcg} mcg").quantity,
        jc.Dose.of(f"{mcg} mcg").quantity.to("gram"),
    ]
    counts = {billing_units(row, dose, on=row.effective).count for dose in asked}
    assert len(counts) == 1


@given(st.sampled_from(MASS), st.integers(1, 10**6), st.integers(0, 4))
def test_a_float_never_changes_a_count(row, n, places):
    text = plain(Fraction(n, 10**places))
    from_float = billing_units(row, jc.Dose.of(float(text), "mg"), on=row.effective).count
    from_pint = billing_units(row, units.registry().Quantity(float(text), "milligram"), on=row.effective).count
    assert from_float == from_pint == billing_units(row, f"{text} mg", on=row.effective).count


@given(st.sampled_from(SINGLE), amounts)
def test_what_the_explanation_prints_gives_the_same_answer(row, amount):
    answer = billing_units(row, jc.Dose(amount, row.unit), on=row.effective)
    made = answer.as_dict()["dose"]
    assert str(answer.dose) in answer.explain()
    for printed in (str(answer.dose), f"{made['amount']} {made['unit']}"):
        assert billing_units(row, printed, on=row.effective).count == answer.count


@pytest.mark.parametrize("row", [r for r in ROWS if r.above is not None or r.through is not None], ids=lambda r: r.code)
def test_limits_hold_the_dose_or_refuse_it(row):
    inside = row.through if row.through is not None else row.above + 1
    one = 1 if row.basis == "band" else -(-inside // row.size)
    assert billing_units(row, jc.Dose(inside, row.unit), on=row.effective).count == one
    if row.above is not None:
        with pytest.raises(errors.OutsideBand):
            billing_units(row, jc.Dose(row.above, row.unit), on=row.effective)
    if row.through is not None:
        with pytest.raises(errors.OutsideBand):
            billing_units(row, jc.Dose(row.through + 1, row.unit), on=row.effective)


@pytest.mark.parametrize("row", [r for r in DRUGS.drugs if r.refuses], ids=lambda r: f"{r.code}-{r.effective}")
def test_a_row_without_a_billing_unit_refuses_with_its_reason(row):
    with pytest.raises(errors.NotComputable) as caught:
        measured(row, "mg", None)
    assert REFUSALS[row.refuses] in str(caught.value)


@pytest.mark.parametrize(
    ("code", "dose", "units_wanted"),
    [
        ("Q9991", "0.1 g", 1),
        ("Q9992", "0.3 g", 1),
        ("J3471", "500 units", 500),
        ("J3471", "999 units", 999),
        ("J0572", "2000 mcg", 1),
    ],
)
def test_limits_hold_a_dose_in_another_unit(code, dose, units_wanted):
    assert billing_units(code, dose, on="2026-03-02").count == units_wanted


@pytest.mark.parametrize(
    ("code", "dose", "way"),
    [
        ("Q9991", "0.3 g", "Bill Q9992."),
        ("Q9992", "0.1 g", "Bill Q9991."),
        ("J3471", "1000 units", "Bill J3472."),
        ("J0572", "4000 mcg", "Bill J0573."),
    ],
)
def test_limits_refuse_a_dose_in_another_unit(code, dose, way):
    with pytest.raises(errors.OutsideBand) as caught:
        billing_units(code, dose, on="2026-03-02")
    assert str(caught.value).endswith(way)
    assert (caught.value.code, caught.value.given) == (code, str(jc.Dose.of(dose)))


def test_a_dose_that_no_code_of_the_drug_holds():
    row = Drug(
        "X0009",
        "alone",
        "",
        "no",
        "",
        "injection",
        "drug",
        "",
        "mg",
        "band",
        "",
        "",
        "",
        "10",
        "",
        "2020-01-01",
        "",
        "own-review",
        "test",
        "high",
        "2026-11-23",
    )
    with pytest.raises(errors.OutsideBand, match=r"11 mg is outside\. No code of this drug holds that dose\.$"):
        billing_units(row, "11 mg", on="2026-03-02", reference=reference_of(row))


def test_the_notes_on_how_a_name_was_read():
    (other,) = billing_units("bupivacaine", "50 mg", on="2026-03-02").findings
    assert (other.rule, other.severity) == ("other-forms", "note")
    assert other.says == (
        "'bupivacaine' was read as its plain form; other forms or products have codes of their own: J0666."
    )
    (low,) = billing_units("Lasix", "4 mg", on="2026-03-02").findings
    assert low.as_dict()["says"] == "'Lasix' is known by general knowledge only."
    assert (low.rule, low.fix) == ("name-by-general-knowledge", "Check the label.")


def test_every_computable_row_bills_one_and_three_of_its_own_size():
    for row in SINGLE:
        for times in (1, 3):
            assert billing_units(row, jc.Dose(row.size * times, row.unit), on=row.effective).count == times


def test_a_drug_that_its_route_moves_to_another_code_is_refused_with_the_codes() -> None:
    for drug in ("J9035", "Avastin", "bevacizumab", "Q5107", "Q5118", "Q5126", "Q5129", "Q5160"):
        for route in ("intravitreal", "subconjunctival"):
            with pytest.raises(errors.AmbiguousDrug) as refused:
                billing_units(drug, "1.25 mg", on="2026-03-02", route=route)
            assert refused.value.candidates == ("J7999", "J3590", "C9257")
    assert billing_units("J9035", "100 mg", on="2026-03-02", route="IV infusion").count == 10
    assert billing_units("C9257", "1.25 mg", on="2026-03-02", route="intravitreal").count == 5  # per 0.25 mg


def test_what_a_refused_volume_asks_for_would_answer() -> None:
    """A concentration is asked for only where it tells what the code counts; else the dose in what it counts."""
    asked = set()
    for row in DRUGS.drugs:
        if row.ends is not None or row.refuses or not row.unit or row.basis == "band":
            continue
        on = max(row.effective, dt.date(2026, 3, 2))
        try:
            jc.billing_units(row, jc.Dose.of("2 mL"), on)
        except errors.UnitMismatch as error:
            asked.add(error.argument)
            concentrated = jc.Dose.by_volume("2 mL", f"1 {row.unit}/mL") if error.argument == "concentration" else None
            dose = concentrated or jc.Dose.of(f"1 {row.unit}")
            assert jc.billing_units(row, dose, on).count >= 1
        except errors.JcodeunitsError:
            continue
    assert asked == {"concentration", "dose"}


@pytest.mark.parametrize(
    ("drug", "dose", "unit"),
    [("Prolia", "60", "mg"), ("insulin", "10", "units"), ("Solu-Medrol", "125 IVP", "mg"), ("J0585", "155", "units")],
)
def test_a_number_without_a_unit_is_refused_with_the_unit_that_the_code_counts(drug: str, dose: str, unit: str) -> None:
    with pytest.raises(errors.UnreadableDose, match=rf"the unit is missing\..* is counted in {unit}\.$") as refused:
        billing_units(drug, dose, on="2026-08-15")
    assert refused.value.instead is None  # the number may be meant in another unit


@pytest.mark.parametrize("drug", ["depo", "00009-0417-01", "aranesp"])
def test_a_number_without_a_unit_of_no_one_drug_names_no_unit(drug: str) -> None:
    with pytest.raises(errors.UnreadableDose) as refused:
        billing_units(drug, "150", on="2026-08-15")
    assert "is counted in" not in str(refused.value)
