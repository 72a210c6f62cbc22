"""A maker beside a drug's name, by its name or by its container: never another maker's code, and always a way out."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from shipped import DRUGS, code_of

import jcodeunits as jc
from jcodeunits.errors import AmbiguousDrug, CodeError, NotInEffect
from jcodeunits.facts.beside_names import is_called
from jcodeunits.facts.choosing import choose
from jcodeunits.facts.drug_rows import Drug, NameWord
from jcodeunits.facts.search import find
from jcodeunits.facts.words import normal, squeezed

ON = dt.date(2026, 8, 15)
CONTAINERS = [row for row in DRUGS.store.rows(NameWord) if row.kind == "maker"]
OWN = [row for row in DRUGS.drugs if row.specific and "; not equivalent" in row.qualifier and not row.use]


def plain(row: Drug, on: dt.date) -> list[Drug]:
    """The rows for every maker of the drug of a maker's row, on a day."""
    return [
        one
        for one in DRUGS.ingredients[normal(row.ingredient)]
        if one.period.holds(on) and one.is_injected and not (one.specific or one.use)
    ]


def answer(text: str, on: dt.date = ON, dose: str = "") -> str:
    return code_of(text, on, dose)


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda row: row.word)
def test_a_container_that_one_maker_fills_is_never_billed_as_every_makers(container: NameWord) -> None:
    words = frozenset(normal(container.means).split())
    makers = [row for row in DRUGS.drugs if row.period.holds(ON) and row.is_injected and is_called(row, words)]
    assert makers, "a container without a code of its maker is a package like others"
    for row in makers:
        own = {one.code for one in makers if squeezed(one.ingredient) == squeezed(row.ingredient)}
        assert answer(f"{row.ingredient} {container.word}") in {"", *own}


def test_the_maker_named_beside_its_container_is_answered() -> None:
    assert answer("cefazolin baxter galaxy") == "J0689"
    assert answer("meropenem B. Braun Duplex") == "J2184"
    assert answer("vancomycin Galaxy") == "J3373"  # of which that maker has no code


def test_a_container_of_one_maker_beside_the_code_is_no_question() -> None:
    assert answer("J0690 cefazolin Galaxy") == "J0690"


@pytest.mark.parametrize("row", [row for row in OWN if DRUGS.rows(row.code)[0] is row], ids=lambda row: row.code)
def test_before_its_own_code_a_makers_product_has_that_of_every_maker(row: Drug) -> None:
    on = row.effective - dt.timedelta(days=1)
    maker = row.qualifier.partition(";")[0]
    general = {one.code for one in plain(row, on)}
    if not general or any(
        is_called(one, frozenset(normal(maker).split()))
        for one in DRUGS.drugs
        if one.period.holds(on) and one.ingredient == row.ingredient
    ):
        pytest.skip("on that day it had another code, or the drug had none")
    found = f"{row.ingredient} {maker}"
    if not answer(found, on):
        with pytest.raises(NotInEffect) as refused:
            choose(DRUGS, found, on)
        general |= {before.code for before in DRUGS.predecessors_of(row.code)}
        assert set(refused.value.successors) <= general
        found = refused.value.instead or refused.value.successors[0]
    assert answer(found, on) in general  # at once, where it is a brand of which that is known


@pytest.mark.parametrize("row", [row for row in OWN if row.ends is None], ids=lambda row: row.code)
def test_a_makers_code_that_has_ended_never_hides_the_one_in_effect(row: Drug) -> None:
    maker = row.qualifier.partition(";")[0]
    assert answer(f"{row.ingredient} {maker}", max(ON, row.effective)) in {row.code, ""}


def test_the_code_of_a_maker_in_effect_is_found_beside_its_ended_one() -> None:
    assert answer("calcium gluconate WG Critical Care") == "J0613"
    assert answer("calcium gluconate WG Critical Care", dt.date(2023, 3, 31)) == "J0611"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("docetaxel Accord", "J9171"),
        ("Accord docetaxel 20 mg/mL", "J9171"),
        ("ceftriaxone (Apotex)", "J0696"),
        ("cyclophosphamide Eugia", "J9071"),  # listed there, though the code names it as it was called
    ],
)
def test_a_maker_without_a_code_of_its_own_is_sent_to_that_of_its_products(text: str, code: str) -> None:
    with pytest.raises(AmbiguousDrug, match=code) as refused:
        choose(DRUGS, text, ON)
    assert (refused.value.argument, refused.value.instead) == ("drug", code)
    assert choose(DRUGS, code, ON).drug.code == code


def test_a_maker_whose_products_have_several_codes_or_none_is_asked_about() -> None:
    with pytest.raises(AmbiguousDrug) as several:
        choose(DRUGS, "vancomycin Sagent", ON)
    assert {"J3373", "J3374"} <= set(several.value.candidates)
    assert several.value.instead is None
    with pytest.raises(AmbiguousDrug, match="is a maker") as unknown:
        choose(DRUGS, "gemcitabine Hospira", ON)
    assert unknown.value.candidates == ("J9201",)
    assert unknown.value.instead is None


@pytest.mark.parametrize("text", ["pegfilgrastim Sandoz", "trastuzumab Pfizer", "infliximab Amgen"])
def test_another_maker_of_a_biological_is_never_sent_to_the_originators_code(text: str) -> None:
    with pytest.raises(CodeError) as refused:
        choose(DRUGS, text, ON)
    assert not getattr(refused.value, "candidates", ())


@pytest.mark.parametrize("spelt", ["Dr Reddys", "Dr. Reddy's", "dr. reddys"])
def test_a_makers_name_is_read_with_and_without_its_apostrophe(spelt: str) -> None:
    assert answer(f"bortezomib {spelt}") == "J9046"


@pytest.mark.parametrize(
    ("text", "dose", "on", "code"),
    [
        ("heparin 100 units/mL syringe", "5 mL", ON, ""),  # the weak solution keeps a line open
        ("heparin", "5 mL of 100 units/mL", ON, ""),
        ("heparin lock flush 100 units/mL", "5 mL", ON, "J1642"),
        ("heparin 1000 units/mL", "0.5 mL", ON, "J1644"),
        ("heparin 25,000 units/250 mL D5W", "250 mL", ON, "J1644"),
        ("Kenalog-10", "0.5 mL", ON, "J3301"),
        ("mannitol 25%", "50 mL", ON, "J2151"),
        ("mannitol 25%", "50 mL", dt.date(2025, 9, 30), "J2150"),
        ("mannitol 20%", "250 mL", dt.date(2025, 9, 30), ""),  # the code of that day is for one strength
    ],
)
def test_a_strength_tells_or_excludes_a_code(text: str, dose: str, on: dt.date, code: str) -> None:
    assert answer(text, on, dose) == code


def test_looking_up_a_container_of_one_maker_finds_both_codes() -> None:
    assert {"J0690", "J0689"} <= {row.code for row in find("cefazolin Galaxy", on=ON)}
    assert [row.code for row in find("cefazolin Baxter Galaxy", on=ON)] == ["J0689"]


@pytest.mark.parametrize(
    ("drug", "dose", "billed", "others"),
    [
        ("bortezomib Dr. Reddy's", "2.3 mg", "J9046 x 23", "J9041"),
        ("heparin Pfizer", "5000 units", "J1643 x 5", "J1644"),
        ("epinephrine Endo", "1 mg", "J0163 x 10", "J0165"),
    ],
)
def test_a_maker_with_products_under_several_codes_is_warned_about(
    drug: str, dose: str, billed: str, others: str
) -> None:
    answered = jc.billing_units(drug, dose, on=ON)
    assert str(answered) == billed
    said = [note for note in answered.findings if note.rule == "maker-elsewhere"]
    assert len(said) == 1
    assert others in said[0].says


@pytest.mark.parametrize("drug", ["cefazolin Baxter", "J9046", "Velcade", "bortezomib"])
def test_a_maker_with_one_code_a_code_and_a_brand_are_not(drug: str) -> None:
    dose = "2 g" if drug.startswith("cef") else "3.5 mg"
    assert "maker-elsewhere" not in {note.rule for note in jc.billing_units(drug, dose, on=ON).findings}


# One whose own code is told by another part of its name, and one of the others: the text holds of both.
@pytest.mark.parametrize("maker", ["Fresenius Kabi USA", "Sandoz"])
def test_a_refusal_of_a_maker_says_of_no_code_that_it_is_not_the_makers_own(maker: str) -> None:
    with pytest.raises(AmbiguousDrug, match=r"is a maker whose products of it are listed under J013\d") as caught:
        jc.billing_units(f"acetaminophen {maker}", "10 mg", on=ON)
    assert "code of its own" not in caught.value.message


def test_the_words_of_a_name_without_a_code_stand_in_their_order() -> None:
    with pytest.raises(NotInEffect, match="'diltiazem in sodium chloride' has no code of its own"):
        jc.billing_units("diltiazem in sodium chloride", "10 mg", on="2026-02-01")


def test_words_that_are_no_makers_are_not_looked_for_in_every_product() -> None:
    began = time.process_time()
    for n in range(1000):
        with pytest.raises(CodeError):
            choose(DRUGS, "ketorolac " + "".join("bcdfghjklm"[int(digit)] for digit in f"{n:06}"), ON)
    assert time.process_time() - began < 2  # with each line of the products for each word, it was more than that
