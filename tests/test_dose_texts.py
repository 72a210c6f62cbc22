"""Doses as records and people write them: what is read, what stays refused, and that what we print is read back."""

import csv
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import DRUGS, rows_of

import jcodeunits as jc
from jcodeunits import units
from jcodeunits.amount import decimal_text
from jcodeunits.convert import billing_units
from jcodeunits.dose import Dose
from jcodeunits.errors import DoseError, JcodeunitsError, ProductMismatch
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.product_rows import Product
from jcodeunits.vials import fits

ON = "2026-03-02"
CASES = list(csv.DictReader((Path(__file__).parent / "cases" / "dose_texts.csv").open(encoding="utf-8")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["written"])
def test_a_dose_is_read_as_it_is_written(case):
    dose = Dose.of(case["written"])
    assert (dose.amount, dose.unit) == (Fraction(case["amount"]), case["unit"])
    assert dose.volume == (Fraction(case["volume"]) if case["volume"] else None)
    assert (dose.route or "") == case["route"]
    assert "|".join(note.rule for note in dose.notes) == case["notes"]


REFUSED = [
    "40 mg/mL",
    "1 mL of 40 mg",
    "40 mg 1 mL",
    "1 g 500 mg",
    "1 g + 500 mg",
    "1 500 mg",
    "0,5 g",
    "1/2 g",
    "5 lb",
    "30 mg x 0",
    "30 mg x 2.5",
    "30 mg x",
    "x 2",
    "3 x 2",
    "30 mg x 30 mg",
    "30 mg (30 mg)",
    "1 mL (2 mL)",
    "(40 mg)",
    "10 mL NS",
    "30 mg in",
    "1 g IM IV",
    "5 mg/kg",
    "5 mg/kg x 1.7 m2",
    "5 mg/kg 1.7 m2",
    "70 kg",
    "0.07 kg",
    "154 lb",
    "5 mg/m2 x 70 kg",
    "5 mg/kg/day x 70 kg",
    "1% 2%",
    "1:1000",
    "10 kBq",
    "MgSO4 2 g",
]


@pytest.mark.parametrize("written", REFUSED)
def test_what_can_be_read_in_two_ways_stays_refused(written):
    with pytest.raises(DoseError):
        Dose.of(written)


numbers = st.integers(1, 10**7).flatmap(lambda n: st.integers(0, 4).map(lambda k: Fraction(n, 10**k)))
masses = st.sampled_from(["mg", "mcg", "g", "unit", "mEq"])


@given(numbers, st.sampled_from(sorted(set(units.spellings().values()) - {"kg", "lb"})))
def test_every_dose_that_is_printed_is_read_back(amount, unit):
    dose = Dose(amount, unit)
    again = Dose.of(str(dose))
    assert (again.amount, units.is_activity(again.unit)) == (amount, units.is_activity(unit))
    assert again.unit == unit or units.is_activity(unit)


@given(numbers, numbers, masses)
def test_a_dose_by_volume_weight_or_surface_is_read_back_as_it_is_printed(one, other, unit):
    plain, measure = f"{decimal_text(one)} {units.label(unit)}", decimal_text(other)
    for made in (
        Dose.by_volume(f"{measure} mL", f"{plain}/mL"),
        Dose.by_weight(f"{plain}/kg", f"{measure} kg"),
        Dose.by_surface(f"{plain}/m2", f"{measure} m2"),
    ):
        assert Dose.of(made.written) == made
        left, _, right = made.steps[0].says.partition(" = ")
        assert Dose.of(left) == Dose.of(right)


@given(st.integers(2, 99), numbers, masses)
def test_several_times_an_amount_is_the_sum(times, amount, unit):
    each = f"{decimal_text(amount)} {units.label(unit)}"
    for written in (f"{times} x {each}", f"{each} x {times}", f"{each} x{times}"):
        assert Dose.of(written).amount == times * amount


def test_every_billing_unit_that_is_printed_is_read_back():
    for row in rows_of(Drug):
        if row.refuses or row.size is None or row.basis == "band":
            continue
        said = re.sub(r"^(per|up to) (?=\S)", "", str(row.billing_unit))
        again = Dose.of(said if said[:1].isdigit() else f"1 {said}")
        assert again.amount == row.size, said
        assert again.unit == row.unit or units.is_activity(row.unit), said


def test_every_container_that_is_printed_is_read_back():
    seen = set()
    for row in rows_of(Product):
        if not row.contents or row.contents in seen:
            continue
        seen.add(row.contents)
        assert Dose.of(row.contents).amount == row.amount, row.contents
    assert len(seen) > 200


@given(st.integers(1, 5000), st.lists(st.integers(1, 500), min_size=1, max_size=3))
def test_every_fit_that_is_printed_is_read_back(dose, sizes):
    for fit in fits(f"{dose} mg", [f"{size} mg" for size in sizes]):
        opened, _, said = str(fit).partition(" = ")
        total = sum((Dose.of(part).amount for part in opened.split(" + ")), Fraction(0))
        assert total == fit.total.amount == Dose.of(said.partition(",")[0]).amount


# --- beside a code, a product, a route --------------------------------------------------------------------


def test_a_route_behind_a_dose_is_the_route():
    assert billing_units("Zofran", "8 mg PO", on=ON).code == billing_units("Zofran", "8 mg", on=ON, route="oral").code
    assert billing_units("Rocephin", "1 g IM", on=ON, route="intramuscular").count == 4
    with pytest.raises(DoseError) as caught:
        billing_units("Rocephin", "1 g IM", on=ON, route="IV")
    assert (caught.value.argument, caught.value.instead) == ("dose", "1 g")


@pytest.mark.parametrize(
    ("drug", "dose", "count"),
    [("A9500", "1 dose", 1), ("J7298", "1 each", 1), ("J7307", "1 implant", 1), ("J7307", "1 device", 1)],
)
def test_one_of_what_a_code_counts_is_one_unit(drug, dose, count):
    assert billing_units(drug, dose, on=ON).count == count


@pytest.mark.parametrize(("drug", "dose"), [("J1885", "1 dose"), ("J1885", "1 each"), ("J9266", "1 dose")])
def test_a_word_that_counts_something_else_is_refused(drug, dose):
    with pytest.raises(JcodeunitsError):
        billing_units(drug, dose, on=DRUGS.rows(drug)[-1].effective)


def test_one_vial_of_a_product_is_what_it_holds():
    assert billing_units("0409-3795-01", "1 vial", on=ON).dose == Dose.of("30 mg")
    assert billing_units("0409-3795-01", "2 vials", on=ON).count == 4
    assert str(jc.ndc_quantity("0409-3795-01", "1 vial", on=ON)) == "ML1"
    for other in ("1 syringe", "1 dose"):
        with pytest.raises(JcodeunitsError):
            billing_units("0409-3795-01", other, on=ON)
    with pytest.raises(JcodeunitsError):
        billing_units("J1885", "1 vial", on=ON)


def test_an_amount_in_a_volume_must_be_the_product_s_concentration():
    assert billing_units("0409-3795-01", "30 mg/1 mL", on=ON).count == 2
    assert billing_units("0409-3795-01", "0.5 mL (15 mg)", on=ON).count == 1
    with pytest.raises(ProductMismatch):
        billing_units("0409-3795-01", "1 mL (40 mg)", on=ON)
    with pytest.raises(ProductMismatch):
        jc.ndc_quantity("0409-3795-01", "80 mg/2 mL", on=ON)


def charged(dose, **more):
    given = {"drug": "ketorolac", "route": "IM", "dose": dose, **more}
    return jc.charge({"on": ON, "place": "11", "diagnoses": ["R52"], "administrations": [given]})


def test_in_an_encounter_several_times_asks_whether_it_was_one_administration():
    made = charged("30 mg x 2")
    assert [line.units for line in made.lines if line.kind == "drug"] == [4]
    assert [f.severity for f in made.findings if f.rule == "dose-repeated"] == ["warn"]


def test_in_an_encounter_the_route_behind_the_dose_must_be_its_route():
    assert charged("30 mg IM").lines == charged("30 mg").lines
    assert not charged("30 mg IV").ok
    assert [f.rule for f in charged("1 mL (40 mg)", ndc="0409-3795-01").findings if f.severity == "stop"] == [
        "drug-product-mismatch"
    ]


def test_a_weight_beside_the_patient_or_in_the_dose_is_the_same():
    encounter = {"on": ON, "place": "11", "diagnoses": ["C18.9"]}
    given = {"drug": "J9035", "route": "IV infusion", "container": "multi-dose"}
    beside = jc.charge(
        {**encounter, "patient": {"weight": "154 lb"}, "administrations": [{**given, "dose": "5 mg/kg"}]}
    )
    within = jc.charge({**encounter, "administrations": [{**given, "dose": "5 mg/kg x 154 lb"}]})
    assert [line.units for line in beside.lines if line.kind == "drug"] == [35]
    assert [line.units for line in within.lines if line.kind == "drug"] == [35]


def test_a_weight_in_the_dose_and_another_beside_it_are_refused():
    given = {"drug": "J9035", "route": "IV infusion", "dose": "5 mg/kg x 70 kg"}
    made = jc.charge({"on": ON, "place": "11", "patient": {"weight": "80 kg"}, "administrations": [given]})
    assert not made.ok
