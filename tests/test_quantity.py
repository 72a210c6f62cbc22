"""The NDC side of a line: qualifier and quantity, proved or asked, never from milligrams."""

from __future__ import annotations

import csv
import pickle
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import rows_of

import jcodeunits as jc
from jcodeunits import quantity
from jcodeunits.errors import (
    AmbiguousNdc,
    ContainerError,
    ContradictedProduct,
    FormNeeded,
    InvalidNdc,
    UnitMismatch,
    UnknownProduct,
)
from jcodeunits.facts.product_rows import Product

CASES = list(csv.DictReader((Path(__file__).parent / "cases" / "ndc_quantity.csv").open(encoding="utf-8", newline="")))
ON = "2026-03-02"
IDS = [case["id"] for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_worked_example_has_its_quantity(case: dict[str, str]) -> None:
    answer = jc.ndc_quantity(case["ndc"], case["dose"], on=case["on"], form=case["form"] or None)
    assert (answer.qualifier, answer.quantity) == (case["qualifier"], Decimal(case["quantity"]))
    assert answer.ndc == case["ndc"].replace("-", "")
    assert answer.as_dict()["ndc_quantity"] == case["quantity"]
    assert str(answer) == case["qualifier"] + case["quantity"]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_units_of_the_code_are_another_count(case: dict[str, str]) -> None:
    units = jc.billing_units(case["ndc"], case["dose"], on=case["on"])
    assert (units.code, units.count) == (case["code"], int(case["units"]))


def test_the_steps_say_why_and_where_from() -> None:
    answer = jc.ndc_quantity("0409-3795-01", "15 mg", on=ON)
    said = answer.trace.text()
    assert "15 mg of 30 mg a container = 0.5 mL" in said
    assert "the FDA list gives the same volume" in said
    assert "ASP NDC-HCPCS crosswalk 2026 Q1" in said


@pytest.mark.parametrize(
    ("ndc", "dose"),
    [("00264-3153-11", "1 g"), ("00562-7805-01", "300 mcg")],
    ids=["duplex bag", "syringe of immune globulin"],
)
def test_what_nothing_proves_is_asked(ndc: str, dose: str) -> None:
    with pytest.raises(FormNeeded) as asked:
        jc.ndc_quantity(ndc, dose, on=ON)
    assert asked.value.choices == ("liquid", "powder", "kit", "cream")
    assert asked.value.ndc == ndc.replace("-", "")


def test_a_form_that_is_none_is_refused() -> None:
    with pytest.raises(ContainerError, match="liquid, powder, kit, cream"):
        jc.ndc_quantity("00264-3153-11", "1 g", on=ON, form="bag")


def test_a_liquid_of_unknown_volume_is_counted_only_by_volume() -> None:
    # RhoGAM: the package size 1 may be a count, so a liquid's millilitres must be given.
    with pytest.raises(FormNeeded, match="volume"):
        jc.ndc_quantity("00562-7805-01", "300 mcg", on=ON, form="liquid")
    answer = jc.ndc_quantity("00562-7805-01", "1.3 mL", on=ON, form="liquid")
    assert (answer.qualifier, answer.quantity) == ("ML", Decimal("1.3"))


def test_the_callers_form_never_overrules_a_proof() -> None:
    assert str(jc.ndc_quantity("0409-3795-01", "30 mg", on=ON, form="powder")) == "ML1"


def test_a_powder_counts_containers() -> None:
    assert str(jc.ndc_quantity("00264-3153-11", "1 g", on=ON, form="powder")) == "UN1"
    assert str(jc.ndc_quantity("00264-3153-11", "500 mg", on=ON, form="powder")) == "UN0.5"
    # A frozen bag of 1 g in 50 mL is proved to be a liquid, whatever the caller says.
    assert str(jc.ndc_quantity("00338-5002-41", "1 g", on=ON, form="powder")) == "ML50"


def test_a_kit_of_several_containers_asks_what_one_kit_holds() -> None:
    with pytest.raises(FormNeeded, match="24 containers of 1000 mg") as asked:
        jc.ndc_quantity("00264-3153-11", "1 g", on=ON, form="kit")
    assert asked.value.choices == ("container_amount", "powder")
    held = jc.ndc_quantity("00264-3153-11", "1 g", on=ON, form="kit", container_amount="2 g")
    assert str(held) == "UN0.5"
    # A package of one container is one kit.
    assert jc.product("00562-7805-01", on=ON).containers == 1
    assert str(jc.ndc_quantity("00562-7805-01", "300 mcg", on=ON, form="kit")) == "UN1"


def test_a_cream_counts_grams() -> None:
    rows = [p for p in rows_of(Product) if not p.ends and p.size and p.size != 1 and not p.qualifier]
    cream = next(p for p in rows if "Ameluz" in p.label)
    answer = jc.ndc_quantity(cream.number, cream.dose, on=ON, form="cream")
    assert (answer.qualifier, answer.exact) == ("GR", cream.size)


def test_milligrams_and_activity_are_never_chosen_and_only_where_the_payer_takes_them() -> None:
    with pytest.raises(ContainerError, match="ME was asked for"):
        jc.ndc_quantity("0409-3795-01", "30 mg", on=ON, qualifier="ME")
    allowed = ("UN", "ML", "GR", "ME", "F2")
    me = jc.ndc_quantity("0409-3795-01", "30 mg", on=ON, qualifier="ME", allowed=allowed)
    assert str(me) == "ME30"
    f2 = jc.ndc_quantity("58394-0012-01", "1500 units", on=ON, qualifier="F2", allowed=allowed)
    assert str(f2) == "F21500"
    with pytest.raises(UnitMismatch):
        jc.ndc_quantity("0409-3795-01", "30 mg", on=ON, qualifier="F2", allowed=allowed)


def test_a_qualifier_that_is_not_the_products_is_refused() -> None:
    with pytest.raises(ContainerError, match="counted as ML"):
        jc.ndc_quantity("0409-3795-01", "30 mg", on=ON, qualifier="UN")
    with pytest.raises(ContainerError, match="counted as ML"):
        jc.ndc_quantity("0409-3795-01", "30 mg", on=ON, allowed=("UN", "GR"))


@pytest.mark.parametrize(
    ("exact", "decimals", "minimum", "printed"),
    [
        (Fraction(1, 3), 3, None, "0.333"),
        (Fraction(2, 3), 3, None, "0.667"),
        (Fraction(1, 2), 0, None, "1"),
        (Fraction(1, 8), 2, None, "0.13"),
        (Fraction(1, 10000), 3, None, "0.001"),
        (Fraction(1, 10000), 2, "0.01", "0.01"),
        (Fraction(3, 2), 3, None, "1.5"),
        (Fraction(602, 1000), 3, None, "0.602"),
        (Fraction(4), 3, "0.01", "4"),
    ],
)
def test_a_quantity_is_rounded_half_up_and_never_to_zero(
    exact: Fraction, decimals: int, minimum: str | None, printed: str
) -> None:
    answer, trace = quantity.rounded(exact, decimals, minimum)
    assert f"{answer:f}" == printed
    assert ("rounded" in trace.text()) == (Fraction(printed) != exact)


@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10**6), st.integers(0, 4))
def test_rounding_stays_within_half_a_step_and_above_zero(exact: Fraction, decimals: int) -> None:
    answer = Fraction(quantity.rounded(exact, decimals)[0])
    step = Fraction(1, 10**decimals)
    assert answer > 0
    assert abs(answer - exact) <= step / 2 or answer == step


@given(st.integers(1, 400), st.integers(1, 20))
def test_the_quantity_grows_with_the_dose(milligrams: int, times: int) -> None:
    one = jc.ndc_quantity("0409-3796-01", f"{milligrams} mg", on=ON).exact
    many = jc.ndc_quantity("0409-3796-01", f"{milligrams * times} mg", on=ON).exact
    assert many == one * times
    assert one == Fraction(milligrams, 30)


@given(st.integers(1, 10**6))
def test_the_unit_of_the_dose_changes_nothing(micrograms: int) -> None:
    in_mcg = jc.ndc_quantity("0409-3795-01", f"{micrograms} mcg", on=ON)
    in_mg = jc.ndc_quantity("0409-3795-01", jc.Dose.of(Fraction(micrograms, 1000), "mg"), on=ON)
    assert in_mcg.exact == in_mg.exact
    assert in_mcg.quantity == in_mg.quantity


def test_a_volume_of_a_liquid_is_its_quantity() -> None:
    assert str(jc.ndc_quantity("0409-3795-01", "0.5 mL", on=ON)) == "ML0.5"


def test_a_dose_that_the_container_does_not_measure_is_refused() -> None:
    with pytest.raises(UnitMismatch, match="30 mg"):
        jc.ndc_quantity("0409-3795-01", "30 mEq", on=ON)


def test_units_of_activity_are_the_drugs_own_whatever_their_name() -> None:
    assert str(jc.ndc_quantity("60793-0702-10", "2400000 IU", on=ON)) == "ML4"


def test_a_product_that_contradicts_itself_is_refused_with_the_reason() -> None:
    with pytest.raises(ContradictedProduct, match="do not multiply out") as refused:
        jc.ndc_quantity("00574-0872-05", "40 mg", on=ON, form="liquid")
    assert refused.value.ndc == "00574087205"
    with pytest.raises(ContradictedProduct, match="each lot prints its own amount"):
        jc.ndc_quantity("13533-0705-01", "1 g", on=ON, form="powder")


def test_an_ndc_that_nobody_lists_is_refused() -> None:
    with pytest.raises(UnknownProduct, match="99999-9999-99"):
        jc.ndc_quantity("99999-9999-99", "30 mg", on=ON)
    with pytest.raises(InvalidNdc):
        jc.ndc_quantity("J1885", "30 mg", on=ON)
    with pytest.raises(AmbiguousNdc):
        jc.ndc_quantity("9999999999", "30 mg", on=ON)


def test_a_product_row_answers_without_a_second_look_up() -> None:
    item = jc.product("0409-3795-01", on=ON)
    answer = jc.ndc_quantity(item, "30 mg", on=ON)
    assert (str(answer), answer.findings) == ("ML1", ())
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert "ML" in answer._repr_html_()


def test_bare_ten_digits_are_answered_where_one_product_has_them_and_say_so() -> None:
    answer = jc.ndc_quantity("0409379501", "30 mg", on=ON)
    assert str(answer) == "ML1"
    assert [finding.rule for finding in answer.findings] == ["ndc-read-as"]


def test_a_count_from_general_knowledge_is_said() -> None:
    answer = jc.ndc_quantity("50458-0307-11", "37.5 mg", on=ON)
    assert str(answer) == "UN1"
    assert [(finding.rule, finding.severity) for finding in answer.findings] == [("ndc-form-from-memory", "note")]
    # A kit whose source was read needs no such note.
    assert jc.ndc_quantity("00078-0818-81", "20 mg", on=ON).findings == ()


def test_a_kit_of_which_nothing_says_what_it_holds_is_no_amount() -> None:
    """Two vials that are counted by themselves, and a box of three sets: one kit may be either."""
    for number in ("55566-8403-01", "50474-0710-81"):
        with pytest.raises(UnitMismatch):
            jc.ndc_quantity(number, "1 kit", on="2026-03-02")
