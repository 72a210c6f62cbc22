"""Drug lines: the code from the product, the NDC on the line, several products, orders, refusals."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import DRUGS, REFERENCE, rows_of, with_own

from jcodeunits import tables
from jcodeunits.amount import decimal_text
from jcodeunits.coding.drug_lines import DrugLines, drug_lines
from jcodeunits.dated import as_date
from jcodeunits.dose import Dose
from jcodeunits.encounter import Encounter
from jcodeunits.errors import JcodeunitsError
from jcodeunits.facts.choosing import rows_meant
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.policy_rows import Status
from jcodeunits.facts.product_rows import Container, Product

ON = "2026-03-02"


def build(*administrations: dict[str, Any], on: str = ON, **more: Any) -> tuple[DrugLines, ...]:
    given_here = [{"route": "IM", **administration} for administration in administrations]
    encounter = {"on": on, "place": "11", "administrations": given_here, **more}
    return drug_lines(Encounter.from_dict(encounter), REFERENCE)


def one(administration: dict[str, Any], **more: Any) -> DrugLines:
    (answer,) = build(administration, **more)
    return answer


def shown(answer: DrugLines) -> list[tuple[str, tuple[str, ...], int]]:
    return [(line.code, line.modifiers, line.units) for line in answer.lines]


def ndcs(answer: DrugLines) -> list[tuple[str | None, str | None, str]]:
    return [(line.ndc, line.ndc_qualifier, str(line.ndc_quantity)) for line in answer.lines]


def rules(answer: DrugLines) -> set[tuple[str, str]]:
    return {(finding.rule, finding.severity) for finding in answer.findings}


# --- the code from the product ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ndc", "dose", "on", "line"),
    [
        ("00409-3795-01", "30 mg", ON, ("J1885", 2)),
        ("00009-3073-01", "40 mg", "2024-03-31", ("J1030", 1)),
        ("00009-3073-01", "40 mg", "2024-04-01", ("J1010", 40)),
        ("00409-1215-01", "0.4 mg", "2025-06-30", ("J2310", 1)),
        ("00409-1215-01", "0.4 mg", "2025-07-01", ("J2312", 40)),
        ("61314-0240-63", "60 mg", ON, ("Q5136", 60)),
    ],
)
def test_an_ndc_as_the_drug_picks_its_code_of_the_day(ndc: str, dose: str, on: str, line: tuple[str, int]) -> None:
    answer = one({"drug": ndc, "dose": dose, "container": "multi-dose"}, on=on)
    assert [(x.code, x.units) for x in answer.lines] == [line]
    assert answer.lines[0].ndc == ndc.replace("-", "")


@pytest.mark.parametrize("drug", ["epinephrine", "Epinephrine"])
def test_a_name_beside_a_product_means_the_makers_code(drug: str) -> None:
    alone = one({"drug": drug, "dose": "0.3 mg"})
    assert [line.code for line in alone.lines] == ["J0165"]
    answer = one({"drug": drug, "dose": "0.3 mg", "ndc": "42023-0159-25", "container": "multi-dose"})
    assert [line.code for line in answer.lines] == ["J0169"]


def test_a_biosimilar_is_reached_by_its_ndc() -> None:
    answer = one({"drug": "denosumab", "dose": "60 mg", "ndc": "61314-0240-63", "container": "multi-dose"})
    assert [(line.code, line.units) for line in answer.lines] == [("Q5136", 60)]


@pytest.mark.parametrize("drug", ["J0897", "Prolia"])
def test_a_drug_and_a_product_of_another_code_stop(drug: str) -> None:
    answer = one({"drug": drug, "dose": "60 mg", "ndc": "61314-0240-63"})
    assert answer.lines == ()
    (finding,) = answer.findings
    assert (finding.rule, finding.severity) == ("drug-product-mismatch", "stop")
    assert "J0897" in finding.says
    assert "Q5136" in finding.says


def test_a_doubtful_amount_makes_no_doubt_about_the_code() -> None:
    answer = one({"drug": "J1885", "dose": "30 mg", "ndc": "00574-0872-05"})
    assert rules(answer) == {("drug-product-mismatch", "stop")}


def test_look_alike_names_are_told_apart_by_the_product() -> None:
    answer = one({"drug": "naloxone", "dose": "380 mg", "ndc": "65757-0300-01"})
    assert answer.lines == ()
    assert rules(answer) == {("drug-product-mismatch", "stop")}


def test_an_ndc_with_several_codes_is_asked_about_and_a_code_settles_it() -> None:
    epogen = {"dose": "4000 units", "ndc": "55513-0148-10", "containers": 1}
    asked = one({"drug": "epoetin alfa", **epogen})
    assert asked.lines == ()
    assert "Q4081" in asked.findings[0].says
    assert shown(one({"drug": "J0885", **epogen})) == [("J0885", ("JZ",), 4)]
    assert shown(one({"drug": "Q4081", **epogen})) == [("Q4081", ("JZ",), 40)]


def test_outside_the_editions_a_code_beside_the_listed_one_is_accepted() -> None:
    # The crosswalk begins in 2024; before that, the product was under the code that came before.
    answer = one({"drug": "J2505", "dose": "6 mg", "ndc": "55513-0190-01", "containers": 1}, on="2021-06-01")
    assert [(line.code, line.units) for line in answer.lines] == [("J2505", 1)]
    assert ("product-reach", "note") in rules(answer)


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("administration", "says"),
    [
        ({"drug": "J1030", "dose": "40 mg"}, "40 units"),
        ({"drug": "nosuchdrug", "dose": "40 mg"}, "nosuchdrug"),
        ({"drug": "J0696", "dose": "1 000 mg"}, "1,000 mg"),
        ({"drug": "J0696", "dose": "5 mEq"}, "counted in mg"),
        ({"drug": "J9035", "dose": "15 mg/kg"}, "weight"),
        ({"drug": "J9190", "dose": "75 mg/m2"}, "surface"),
        ({"drug": "9999379502", "dose": "40 mg"}, "ten digits"),
        ({"drug": "J1885", "dose": "30 mg", "container_amount": "30 ml mg", "containers": 1}, "30 ml mg"),
        ({"drug": "J1885", "dose": "30 mg", "container_amount": "1 mL", "containers": 1}, "counted in mg"),
    ],
)
def test_what_cannot_be_answered_is_a_stop_and_no_line(administration: dict[str, Any], says: str) -> None:
    answer = one(administration)
    assert answer.lines == ()
    assert answer.drug is None
    (finding,) = answer.findings
    assert finding.severity == "stop"
    assert says in finding.says
    assert finding.citations


@pytest.mark.parametrize("ndc", ["1234-1234-1", "9999379502", "J1885"])
def test_an_ndc_that_cannot_be_read_stays_off_the_claim(ndc: str) -> None:
    answer = one({"drug": "J1885", "dose": "30 mg", "ndc": ndc, "container": "multi-dose"})
    assert ndcs(answer) == [(None, None, "None")]
    assert ("ndc-invalid", "stop") in rules(answer)


def test_an_ndc_that_nobody_lists_is_asked_about_and_stands_on_the_line() -> None:
    answer = one({"drug": "J1050", "dose": "150 mg", "ndc": "99999-9999-30", "container": "multi-dose"})
    assert ndcs(answer) == [("99999999930", None, "None")]
    assert ("ndc-unknown", "warn") in rules(answer)


@pytest.mark.parametrize(("form", "count"), [("powder", ("UN", "2")), ("kit", ("UN", "2"))])
def test_an_unlisted_product_is_counted_as_the_caller_says(form: str, count: tuple[str, str]) -> None:
    answer = one(
        {
            "drug": "J1050",
            "dose": "300 mg",
            "ndc": "99999-9999-30",
            "form": form,
            "containers": 2,
            "container_amount": "150 mg",
            "container": "single-dose",
        }
    )
    assert ndcs(answer) == [("99999999930", *count)]
    assert shown(answer) == [("J1050", ("JZ",), 300)]


def test_an_unlisted_liquid_is_counted_by_its_volume() -> None:
    given_volume = {"drug": "J1050", "dose": "1 mL", "concentration": "150 mg/mL", "form": "liquid"}
    answer = one({**given_volume, "ndc": "99999-9999-30", "container": "multi-dose"})
    assert ndcs(answer) == [("99999999930", "ML", "1")]
    assert shown(answer) == [("J1050", (), 150)]


@pytest.mark.parametrize("purpose", ["diluent", "flush", "anesthetic"])
def test_what_is_included_elsewhere_has_no_line_and_no_finding(purpose: str) -> None:
    answer = one({"drug": "lidocaine", "dose": "1 mL", "concentration": "1%", "purpose": purpose})
    assert (answer.lines, answer.findings) == ((), ())
    assert one({"drug": "nosuchdrug", "dose": "1 mL", "purpose": purpose}).findings == ()


# --- doses ------------------------------------------------------------------------------------------------


def test_a_dose_by_weight_uses_the_patient() -> None:
    answer = one({"drug": "J9035", "dose": "5 mg/kg"}, patient={"weight": "70 kg"})
    assert [line.units for line in answer.lines] == [35]


def test_a_dose_by_surface_uses_the_patient() -> None:
    answer = one({"drug": "J9190", "dose": "500 mg/m2"}, patient={"surface": "1.7 m2"})
    assert [line.units for line in answer.lines] == [2]


def test_a_volume_is_turned_into_drug_by_the_product() -> None:
    answer = one({"drug": "J1885", "dose": "0.5 mL", "ndc": "00409-3795-01", "container": "multi-dose"})
    assert shown(answer) == [("J1885", (), 1)]
    assert ndcs(answer) == [("00409379501", "ML", "0.5")]
    assert "0.5 mL x 30 mg/1 mL = 15 mg" in answer.lines[0].trace.text()


def test_a_volume_of_a_powder_is_refused() -> None:
    answer = one({"drug": "J0696", "dose": "2 mL", "ndc": "00409-7332-01"})
    assert rules(answer) == {("drug-unanswered", "stop")}


_LIQUID = {"container": "single-dose", "containers": 1, "container_amount": "100 mg", "container_volume": "4 mL"}
_VIALS = [{"containers": 1, "amount": "400 mg", "volume": "16 mL"}, {"containers": 1, "amount": "100 mg"}]


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        # 100 mg in 4 mL are 25 mg in 1 mL; ten mg are a unit
        ({"dose": "70 mg", "discarded": "1.2 mL", **_LIQUID}, [("J9035", (), 7), ("J9035", ("JW",), 3)]),
        ({"dose": "2.8 mL", "discarded": "1.2 mL", **_LIQUID}, [("J9035", (), 7), ("J9035", ("JW",), 3)]),
        ({"dose": "2.8 mL", "discarded": "30 mg", **_LIQUID}, [("J9035", (), 7), ("J9035", ("JW",), 3)]),
        ({"dose": "4 mL", "discarded": "0 mL", **_LIQUID}, [("J9035", ("JZ",), 10)]),
        ({"dose": "2.8 mL", "discarded": "1.2 mL", "ndc": "99999-0060-01", **_LIQUID}, None),
        ({"dose": "20 mL", "products": [_VIALS[0], {**_VIALS[1], "volume": "4 mL"}]}, [("J9035", (), 50)]),
    ],
)
def test_a_volume_is_turned_into_drug_by_what_the_record_says_a_container_holds(
    given: dict[str, Any], lines: list[Any] | None
) -> None:
    answer = one({"drug": "J9035", "route": "IV infusion", **given})
    assert shown(answer) == (lines or [("J9035", (), 7), ("J9035", ("JW",), 3)])
    assert not {rule for rule, severity in rules(answer) if severity == "stop"}


@pytest.mark.parametrize(
    "given",
    [
        {"products": [_VIALS[0], {**_VIALS[1], "volume": "2 mL"}]},  # two concentrations
        {"form": "powder", **_LIQUID},  # what a powder holds after mixing is not its label
        {"container_amount": "100 mg", "containers": 1},
    ],
)
def test_a_volume_of_what_holds_no_one_concentration_is_refused(given: dict[str, Any]) -> None:
    assert ("drug-unanswered", "stop") in rules(one({"drug": "J9035", "dose": "2 mL", "route": "IV infusion", **given}))


@pytest.mark.parametrize("amount", [{}, {"container_amount": "1000 mL"}, {"container_amount": "9 g"}])
def test_of_a_code_that_counts_a_volume_the_volume_of_the_container_is_its_amount(amount: dict[str, Any]) -> None:
    bag = {"container": "single-dose", "containers": 1, "container_volume": "1000 mL", "discarded": "0 mL", **amount}
    assert shown(one({"drug": "J7030", "dose": "1000 mL", "route": "IV infusion", **bag})) == [("J7030", ("JZ",), 1)]


@pytest.mark.parametrize(("dose", "code"), [("50 mL", "P9047"), ("20 mL", "P9046")])
@pytest.mark.parametrize("concentration", [None, "25%", "250 mg/mL"])
def test_codes_that_differ_by_their_container_are_told_by_the_volume(
    dose: str, code: str, concentration: str | None
) -> None:
    given = {"drug": "albumin 25%", "dose": dose, "route": "IV infusion"}
    answer = one(given | ({} if concentration is None else {"concentration": concentration}))
    assert [(line.code, line.units) for line in answer.lines] == [(code, 1)]


# --- NDC on the lines -------------------------------------------------------------------------------------


def test_the_ndc_of_a_jw_pair_is_split_between_the_lines() -> None:
    answer = one(
        {
            "drug": "J0696",
            "dose": "770 mg",
            "ndc": "00409-7332-01",
            "containers": 1,
            "discarded": "230 mg",
            "container": "single-dose",
        }
    )
    assert shown(answer) == [("J0696", ("JZ",), 4)]
    assert ndcs(answer) == [("00409733201", "UN", "1")]
    pair = one(
        {
            "drug": "J1885",
            "dose": "15 mg",
            "ndc": "00409-3796-01",
            "containers": 1,
            "discarded": "45 mg",
            "container": "single-dose",
        }
    )
    assert shown(pair) == [("J1885", (), 1), ("J1885", ("JW",), 3)]
    assert ndcs(pair) == [("00409379601", "ML", "0.5"), ("00409379601", "ML", "1.5")]


@given(st.integers(1, 59))
def test_the_quantities_of_a_pair_add_up_to_what_was_opened(milligrams: int) -> None:
    answer = one(
        {
            "drug": "J2405",
            "dose": f"{milligrams} mg",
            "ndc": "00409-4759-01",
            "containers": 2,
            "discarded": f"{80 - milligrams} mg",
            "container": "single-dose",
        }
    )
    assert [line.modifiers for line in answer.lines] == [(), ("JW",)]
    assert sum(line.units for line in answer.lines) == 80
    assert sum(line.ndc_quantity or 0 for line in answer.lines) == Decimal(40)


def test_a_jz_line_carries_the_containers_whole() -> None:
    answer = one(
        {
            "drug": "J9035",
            "dose": "95 mg",
            "route": "IV",
            "ndc": "50242-0060-01",
            "containers": 1,
            "discarded": "5 mg",
            "container": "single-dose",
        }
    )
    assert shown(answer) == [("J9035", ("JZ",), 10)]
    assert ndcs(answer) == [("50242006001", "ML", "4")]


def test_a_multi_dose_vial_counts_what_was_given() -> None:
    answer = one({"drug": "J1010", "dose": "40 mg", "ndc": "00009-0280-02", "containers": 1})
    assert shown(answer) == [("J1010", (), 40)]
    assert ndcs(answer) == [("00009028002", "ML", "1")]


def test_what_nothing_proves_is_asked_and_the_answer_is_used() -> None:
    duplex = {"drug": "J0696", "dose": "1 g", "ndc": "00264-3153-11", "container": "single-dose", "containers": 1}
    assert ("ndc-form", "warn") in rules(one(duplex))
    assert ndcs(one({**duplex, "form": "powder"})) == [("00264315311", "UN", "1")]


def test_a_kit_of_several_containers_is_asked_for_what_it_holds() -> None:
    # Hepzato: CMS lists five containers of 50 mg; one kit holds all of them.
    kit = {"drug": "J9248", "dose": "50 mg", "ndc": "75833-0601-01", "containers": 1, "form": "kit"}
    answer = one(kit)
    assert ndcs(answer) == [("75833060101", None, "None")]
    (asked,) = (finding for finding in answer.findings if finding.rule == "ndc-form")
    assert "container_amount" in asked.fix
    assert ndcs(one({**kit, "container_amount": "250 mg"})) == [("75833060101", "UN", "0.2")]


def test_containers_count_a_product_whose_amount_is_not_known() -> None:
    answer = one(
        {
            "drug": "J7185",
            "dose": "12000 units",
            "ndc": "58394-0012-01",
            "containers": 4,
            "form": "kit",
            "container": "multi-dose",
        }
    )
    assert [(line.units, line.ndc_qualifier, line.ndc_quantity) for line in answer.lines] == [(12000, "UN", 4)]


def test_a_quantity_that_does_not_follow_is_said() -> None:
    answer = one({"drug": "J2790", "dose": "300 mcg", "ndc": "00562-7805-01", "containers": 1, "form": "liquid"})
    assert ("ndc-quantity-unknown", "warn") in rules(answer)
    assert ndcs(answer) == [("00562780501", None, "None")]


# --- several products, one rounding -----------------------------------------------------------------------


ACTEMRA = {
    "drug": "J3262",
    "dose": "280 mg",
    "route": "IV infusion",
    "container": "single-dose",
    "products": [{"ndc": "50242-0135-01", "containers": 1}, {"ndc": "50242-0136-01", "containers": 1}],
}


def test_two_products_of_one_drug_are_one_line_for_medicare() -> None:
    answer = one(ACTEMRA)
    assert shown(answer) == [("J3262", ("JZ",), 280)]
    assert ndcs(answer) == [("50242013501", "ML", "4")]
    (extra,) = answer.lines[0].extra_ndcs
    assert (extra.ndc, extra.qualifier, extra.quantity) == ("50242013601", "ML", 10)


def test_two_products_are_a_line_each_where_the_payer_wants_it() -> None:
    payer = "wv-medicaid"
    answer = one(ACTEMRA, payer=payer)
    assert [(line.units, line.modifiers, line.ndc, line.ndc_quantity) for line in answer.lines] == [
        (80, ("KP",), "50242013501", 4),
        (200, ("KQ",), "50242013601", 10),
    ]


def test_the_units_of_several_lines_add_up_to_one_rounding() -> None:
    remicade = {"ndc": "57894-0030-01", "containers": 1}
    answer = one(
        {
            "drug": "J1745",
            "dose": "155 mg",
            "route": "IV infusion",
            "container": "single-dose",
            "products": [
                {**remicade, "discarded": "0 mg"},
                {"ndc": "57894-0160-01", "containers": 1, "discarded": "45 mg"},
            ],
        },
        payer="wv-medicaid",
    )
    given_lines = [line for line in answer.lines if "JW" not in line.modifiers]
    assert sum(line.units for line in given_lines) == 16
    assert [(line.units, line.ndc) for line in given_lines] == [(10, "57894003001"), (6, "57894016001")]
    assert [(line.units, line.ndc) for line in answer.lines if "JW" in line.modifiers] == [(4, "57894016001")]


def test_what_is_left_over_belongs_to_the_last_product_opened() -> None:
    answer = one(
        {
            "drug": "J3262",
            "dose": "250 mg",
            "route": "IV infusion",
            "container": "single-dose",
            "products": [
                {"ndc": "50242-0136-01", "containers": 1},
                {"ndc": "50242-0135-01", "containers": 1, "discarded": "30 mg"},
            ],
        }
    )
    assert shown(answer) == [("J3262", (), 250), ("J3262", ("JW",), 30)]
    assert ndcs(answer)[0] == ("50242013601", "ML", "10")
    assert answer.lines[0].extra_ndcs[0].quantity == Decimal("2.5")
    assert ndcs(answer)[1] == ("50242013501", "ML", "1.5")


def test_administrations_of_one_order_are_rounded_together() -> None:
    half = {"drug": "J0696", "dose": "375 mg", "order": "7", "container": "multi-dose"}
    (together,) = build(half, half)
    assert together.administrations == (0, 1)
    assert [(line.units, line.administration) for line in together.lines] == [(3, 0)]
    assert "1.5 + 1.5 = 3" in together.lines[0].trace.text()
    apart = build({**half, "order": "7"}, {**half, "order": "8"})
    assert [line.units for answer in apart for line in answer.lines] == [2, 2]


def test_one_product_shared_by_the_parts_of_an_order_stands_once() -> None:
    part = {"drug": "J1885", "dose": "15 mg", "ndc": "00409-3795-01", "order": "A", "container": "multi-dose"}
    (answer,) = build(part, part)
    assert ndcs(answer) == [("00409379501", "ML", "1.0")] or ndcs(answer) == [("00409379501", "ML", "1")]
    assert answer.lines[0].extra_ndcs == ()


def test_what_the_patient_brought_of_an_order_is_not_rounded_with_what_the_practice_bought() -> None:
    half = {"drug": "J1885", "dose": "20 mg", "order": "1"}
    brought, bought = build({**half, "supplied_by": "patient"}, half)
    assert [line.units for answer in (brought, bought) for line in answer.lines] == [2, 2]


def test_different_drugs_of_one_order_stay_apart() -> None:
    answers = build({"drug": "J0696", "dose": "1 g", "order": "1"}, {"drug": "J1885", "dose": "30 mg", "order": "1"})
    assert [answer.administrations for answer in answers] == [(0,), (1,)]


@pytest.mark.parametrize("other", ["Toradol", "J1885", "toradol ", "00409-3795-01"])
def test_one_order_under_two_names_of_a_drug_is_one_dose(other: str) -> None:
    half = {"dose": "7.5 mg", "route": "IM", "order": "1"}
    (answer,) = build({"drug": "ketorolac", **half}, {"drug": other, **half})
    assert [(line.code, line.units) for line in answer.lines] == [("J1885", 1)]


def _names() -> dict[str, list[str]]:
    """The names under which each code that counts an amount is found on the day, a product's NDC among them."""
    book, day = DRUGS, dt.date.fromisoformat(ON)
    names = {row.code: [row.code] for row in book.drugs if row.size and row.period.holds(day)}
    words = {row.ingredient for row in book.drugs} | {row.brand for row in book.brands}
    for word in sorted(words | {row.name for row in book.names}):
        try:
            meant = rows_meant(book, word)
        except JcodeunitsError:
            continue
        for row in meant:
            names.get(row.code, []).append(word)
    for item in rows_of(Product):
        if len(item.codes) == 1 and item.period.holds(day):
            names.get(item.codes[0], []).append(item.ndc)
    return names


@pytest.mark.book
def test_no_two_names_of_one_code_make_two_doses_of_one_order() -> None:
    book, pairs = DRUGS, 0
    for code, names in _names().items():
        row = book.rows(code)[0]
        if row.size is None:
            continue
        part = {"dose": f"{decimal_text(row.size / 2)} {row.unit}", "order": "1"}
        for first, second in itertools.pairwise([*dict.fromkeys(names), code]):
            answers = build({"drug": first, **part}, {"drug": second, **part})
            codes = [answer.drug.code for answer in answers if answer.drug]
            assert len(set(codes)) == len(codes), (first, second)
            pairs += answers[0].administrations == (0, 1) and first != second
    assert pairs > 3000


# --- containers -------------------------------------------------------------------------------------------


def test_a_syringe_is_single_dose_by_its_shape() -> None:
    answer = one({"drug": "J0897", "dose": "60 mg", "ndc": "55513-0710-01", "containers": 1})
    assert shown(answer) == [("J0897", ("JZ",), 60)]
    assert answer.findings == ()


def test_a_kind_from_general_knowledge_is_said_and_stops_nothing() -> None:
    answer = one({"drug": "J1885", "dose": "15 mg", "ndc": "00409-3795-01", "containers": 1})
    assert shown(answer) == [("J1885", (), 1)]
    assert rules(answer) == {("container-from-memory", "note"), ("waste-unaccounted", "warn")}


def test_a_label_that_was_read_stops_what_is_unaccounted_for() -> None:
    answer = one({"drug": "J1010", "dose": "20 mg", "ndc": "00009-3073-01", "containers": 1})
    assert ("waste-unaccounted", "stop") in rules(answer)


def test_a_kind_that_the_list_denies_is_asked_about() -> None:
    answer = one({"drug": "J1010", "dose": "40 mg", "ndc": "00009-0280-02", "container": "single-dose"})
    assert ("container-differs", "warn") in rules(answer)


def test_an_amount_that_the_list_denies_is_a_stop() -> None:
    answer = one(
        {"drug": "J1885", "dose": "30 mg", "ndc": "00409-3795-01", "container_amount": "60 mg", "containers": 1}
    )
    assert ("container-amount-differs", "stop") in rules(answer)


def test_an_amount_that_cms_contradicts_is_asked_about() -> None:
    answer = one({"drug": "J1380", "dose": "40 mg", "ndc": "00574-0872-05", "containers": 1})
    assert ("product-amount-unknown", "warn") in rules(answer)
    said = one(
        {
            "drug": "J1380",
            "dose": "40 mg",
            "ndc": "00574-0872-05",
            "containers": 1,
            "container_amount": "200 mg",
            "container": "multi-dose",
        }
    )
    assert rules(said) == {("ndc-form", "warn")}


def test_mixed_kinds_are_asked_about() -> None:
    answer = one(
        {
            "drug": "J1010",
            "dose": "80 mg",
            "products": [{"ndc": "00009-3073-01", "containers": 1}, {"ndc": "00009-0280-02", "containers": 1}],
        }
    )
    assert ("container-unknown", "warn") in rules(answer)


def test_a_patients_own_drug_takes_neither_modifier() -> None:
    answer = one({"drug": "J0897", "dose": "60 mg", "ndc": "55513-0710-01", "containers": 1, "supplied_by": "patient"})
    assert shown(answer) == [("J0897", (), 60)]


@pytest.mark.parametrize(
    ("drug", "rule"),
    [("90656", None), ("90658", None), ("90632", "waste-doubt")],
    ids=["flu", "flu vial", "hepatitis A"],
)
def test_vaccines_of_the_part_b_list_take_neither_and_others_are_doubtful(drug: str, rule: str | None) -> None:
    answer = one({"drug": drug, "dose": "0.5 mL", "container": "single-dose", "purpose": "vaccine"})
    if answer.drug is None:
        pytest.skip(f"{drug} is not in the catalog")
    assert [line.modifiers for line in answer.lines] == [()]
    assert {finding.rule for finding in answer.findings} & {"waste-doubt"} == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("drug", "route", "dose", "containers", "amount"),
    [
        ("90662", "IM", "1 dose", 1, "0.5 mL"),  # 0.7 mL in former seasons
        ("90662", "IM", "1 dose", 1, "0.7 mL"),
        ("90681", "oral", "1 dose", 1, "1 mL"),  # 1.5 mL in its liquid form
        ("90681", "oral", "1 mL", 1, "1 mL"),
        ("90681", "oral", "1.5 mL", 1, "1.5 mL"),
        ("Q2041", "IV infusion", "1 therapeutic dose", 1, "80000000 cells"),
        ("Q2041", "IV infusion", "1 therapeutic dose", 2, "40000000 cells"),
        ("A9503", "IV push", "1 study dose", 1, "25 mCi"),
    ],
)
def test_a_dose_of_what_a_code_counts_up_to_an_amount_may_come_in_a_smaller_container(
    drug: str, route: str, dose: str, containers: int, amount: str
) -> None:
    held = {"containers": containers, "container_amount": amount, "container": "single-dose", "discarded": "0 mL"}
    answer = one({"drug": drug, "dose": dose, "route": route, **held})
    assert [(line.code, line.units) for line in answer.lines] == [(drug, 1)]
    assert not [finding for finding in answer.findings if finding.severity == "stop"]


def test_two_containers_for_one_counted_dose_are_still_more_than_it() -> None:
    held = {"containers": 2, "container_amount": "25 mCi", "container": "single-dose", "discarded": "0 mL"}
    answer = one({"drug": "A9503", "dose": "1 study dose", "route": "IV push", **held})
    assert ("waste-unaccounted", "stop") in rules(answer)


def test_a_band_is_one_unit_and_its_vial_is_accounted_for() -> None:
    answer = one({"drug": "Sublocade", "dose": "300 mg", "ndc": "12496-0300-01", "containers": 1})
    assert shown(answer) == [("Q9992", ("JZ",), 1)]
    assert ndcs(answer) == [("12496030001", "ML", "1.5")]


# --- tables of a site -------------------------------------------------------------------------------------


def test_a_sites_own_shelf_is_used(tmp_path: Path) -> None:
    header = ",".join(tables.header(Container))
    row = "00264-3153,single-dose,kit,1,,2024-01-01,,own-review,our shelf,medium,2026-11-23"
    (tmp_path / "containers.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    shelf = with_own(tmp_path)
    encounter = Encounter.from_dict(
        {
            "on": ON,
            "place": "11",
            "administrations": [
                {"drug": "J0696", "dose": "1 g", "route": "IM", "ndc": "00264-3153-11", "containers": 1}
            ],
        }
    )
    (answer,) = drug_lines(encounter, reference=shelf)
    assert shown(answer) == [("J0696", ("JZ",), 4)]
    assert ndcs(answer) == [("00264315311", "UN", "1")]


# --- what is seldom asked ---------------------------------------------------------------------------------


def test_a_dose_of_the_librarys_own_type_is_taken_as_it_is() -> None:
    encounter = Encounter.from_dict(
        {"on": ON, "place": "11", "administrations": [{"drug": "J0696", "dose": Dose.of("1 g"), "route": "IM"}]}
    )
    (answer,) = drug_lines(encounter, REFERENCE)
    assert shown(answer) == [("J0696", (), 4)]


def test_a_dose_by_weight_is_counted_on_the_ndc_line_too() -> None:
    answer = one(
        {
            "drug": "J9035",
            "dose": "5 mg/kg",
            "route": "IV infusion",
            "ndc": "50242-0061-01",
            "containers": 1,
            "discarded": "50 mg",
        },
        patient={"weight": "70 kg"},
    )
    assert shown(answer) == [("J9035", (), 35), ("J9035", ("JW",), 5)]
    assert ndcs(answer) == [("50242006101", "ML", "14"), ("50242006101", "ML", "2")]


def test_parts_of_an_order_that_fall_under_two_codes_are_refused() -> None:
    part = {"drug": "methylprednisolone acetate", "order": "1"}
    (answer,) = build({**part, "dose": "40 mg"}, {**part, "dose": "80 mg"}, on="2024-03-15")
    assert answer.lines == ()
    assert "J1030" in answer.findings[0].says
    assert "J1040" in answer.findings[0].says


def test_products_of_unknown_number_are_not_divided() -> None:
    answer = one(
        {
            "drug": "J2790",
            "dose": "600 mcg",
            "products": [{"ndc": "00562-7805-01"}, {"ndc": "00562-7805-05", "containers": 1}],
        }
    )
    assert [line.units for line in answer.lines] == [2]
    assert {line.ndc_quantity for line in answer.lines} == {None}


def _at_our_plan(tmp_path: Path, option: str, value: str, administration: dict[str, Any]) -> DrugLines:
    """An administration billed to a payer of a site's own, which follows Medicare but for one option."""
    header = "payer,option,claim,values,effective,ends,source,cite,confidence,verified"
    rows = [
        "ourplan,follows,any,medicare,1992-01-01,,site,our contract,high,2026-11-23",
        f"ourplan,{option},any,{value},1992-01-01,,site,our contract,high,2026-11-23",
    ]
    (tmp_path / "payers.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    encounter = {"on": ON, "place": "11", "payer": "ourplan", "administrations": [{"route": "IM", **administration}]}
    (answer,) = drug_lines(Encounter.from_dict(encounter), reference=with_own(tmp_path))
    return answer


PAIR = {
    "drug": "J1885",
    "dose": "15 mg",
    "ndc": "00409-3796-01",
    "containers": 1,
    "discarded": "45 mg",
    "container": "single-dose",
}


@pytest.mark.parametrize(
    ("how", "quantities"),
    [
        ("split", [("ML", Decimal("0.5")), ("ML", Decimal("1.5"))]),
        ("full", [("ML", Decimal("2")), (None, None)]),
        ("none", [("ML", Decimal("0.5")), (None, None)]),
    ],
)
def test_the_quantity_on_a_jw_pair_is_the_payers_choice(tmp_path: Path, how: str, quantities: list[Any]) -> None:
    answer = _at_our_plan(tmp_path, "ndc-waste", how, PAIR)
    assert shown(answer) == [("J1885", (), 1), ("J1885", ("JW",), 3)]
    assert [(line.ndc_qualifier, line.ndc_quantity) for line in answer.lines] == quantities
    assert ("all that was opened" in answer.lines[0].trace.text()) == (how == "full")


@pytest.mark.parametrize(("decimals", "printed"), [("3", "0.667"), ("2", "0.67"), ("0", "1")])
def test_the_decimals_are_the_payers(tmp_path: Path, decimals: str, printed: str) -> None:
    twenty = {"drug": "J1885", "dose": "20 mg", "ndc": "00409-3795-01", "container": "multi-dose"}
    answer = _at_our_plan(tmp_path, "ndc-decimals", decimals, twenty)
    assert ndcs(answer) == [("00409379501", "ML", printed)]


def test_a_payer_that_does_not_take_the_qualifier_is_asked(tmp_path: Path) -> None:
    thirty = {"drug": "J1885", "dose": "30 mg", "ndc": "00409-3795-01"}
    answer = _at_our_plan(tmp_path, "ndc-qualifiers", "UN", thirty)
    assert ("ndc-qualifier", "warn") in rules(answer)
    assert ndcs(answer) == [("00409379501", None, "None")]


def test_an_ndc_without_a_unit_of_its_own_has_no_line() -> None:
    answer = one(
        {
            "drug": "J0696",
            "dose": "250 mg",
            "container": "single-dose",
            "products": [
                {"ndc": "00143-9859-25", "containers": 1, "discarded": "249 mg"},
                {"ndc": "00409-7337-01", "containers": 1, "discarded": "1 mg"},
            ],
        },
        payer="wv-medicaid",
    )
    assert [line.units for line in answer.lines if "JW" not in line.modifiers] == [1]


def test_a_band_without_an_amount_on_its_container_asks_for_it() -> None:
    answer = one({"drug": "J0577", "dose": "24 mg", "ndc": "58284-0224-24", "containers": 1})
    assert [(line.code, line.units) for line in answer.lines] == [("J0577", 1)]
    assert ("product-amount-unknown", "warn") in rules(answer)


def test_a_size_of_the_other_band_is_withheld_and_the_code_for_it_is_named() -> None:
    answer = one({"drug": "J0577", "dose": "64 mg", "ndc": "58284-0224-24", "containers": 1})
    assert answer.lines == ()
    assert rules(answer) == {("drug-unanswered", "stop")}
    assert "J0578" in answer.findings[0].says


def test_a_container_of_a_combination_is_measured_in_billing_units() -> None:
    # The code counts 1 mg beside 2.27 mg: no single amount, but the vial is 44 units of it.
    answer = one(
        {
            "drug": "J9153",
            "dose": "44 mg",
            "basis": "daunorubicin",
            "ndc": "68727-0745-02",
            "containers": 1,
            "container": "single-dose",
            "route": "IV infusion",
        }
    )
    assert shown(answer) == [("J9153", ("JZ",), 44)]


def test_a_product_listed_in_another_measure_than_the_code_asks_for_its_amount() -> None:
    tice = {"dose": "1 each", "ndc": "00052-0602-02", "containers": 1, "container": "single-dose"}
    answer = one({"drug": "90586", **tice, "route": "intravesical", "form": "powder"})
    assert shown(answer) == [("90586", (), 1)]
    assert rules(answer) == {("containers-missing", "warn")}
    assert ndcs(answer) == [("00052060202", "UN", "1")]


def test_a_band_and_a_container_of_one_billing_unit_asks_for_the_amount(tmp_path: Path) -> None:
    header = ",".join(tables.header(Product))
    row = (
        "99999-0001-01,Q9992,1,billing unit,1,,,,,syringe,single-dose,,Own kit,Us,,2024-01-01,,own-review,x,medium,"
        "2026-11-23"
    )
    (tmp_path / "products.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    kit = {"drug": "Q9992", "dose": "300 mg", "route": "SC", "ndc": "99999-0001-01", "containers": 1}
    encounter = Encounter.from_dict({"on": ON, "place": "11", "administrations": [kit]})
    (answer,) = drug_lines(encounter, reference=with_own(tmp_path))
    assert shown(answer) == [("Q9992", (), 1)]
    assert ("containers-missing", "warn") in rules(answer)


@pytest.mark.parametrize(
    ("dose", "discards", "quantities"),
    [
        ("250 mg", (None, None), ("10", "2.5")),
        ("150 mg", (None, None), ("7.5",)),
        ("250 mg", ("10 mg", "20 mg"), ("9.5", "3")),
        ("250 mg", (None, "10 mg"), ("10", "2.5")),
    ],
)
def test_the_dose_is_divided_by_what_each_product_held(
    dose: str, discards: tuple[str | None, ...], quantities: tuple[str, ...]
) -> None:
    # 200 mg in 10 mL and 80 mg in 4 mL; what nobody accounts for was left in the last one opened.
    opened = [
        {"ndc": ndc, "containers": 1} | ({"discarded": discard} if discard else {})
        for ndc, discard in zip(("50242-0136-01", "50242-0135-01"), discards, strict=True)
    ]
    answer = one({"drug": "J3262", "dose": dose, "container": "single-dose", "products": opened})
    line = answer.lines[0]
    given_amounts = [line.ndc_quantity, *(extra.quantity for extra in line.extra_ndcs)]
    assert given_amounts == [Decimal(quantity) for quantity in quantities]


def test_a_volume_is_measured_by_the_products_own_concentration() -> None:
    answer = one({"drug": "J1885", "dose": "1.5 mL", "ndc": "00409-3796-01", "container": "multi-dose"})
    assert shown(answer) == [("J1885", (), 3)]
    assert "1.5 mL x 60 mg/2 mL = 45 mg" in answer.lines[0].trace.text()


def test_a_band_covers_its_containers_with_one_unit() -> None:
    twice = {"drug": "Q9992", "dose": "300 mg", "ndc": "12496-0300-01", "containers": 2}
    assert shown(one({**twice, "discarded": "300 mg"})) == [("Q9992", ("JZ",), 1)]
    assert ("waste-unaccounted", "stop") in rules(one(twice))


# --- skin substitutes: paid as supplies by Medicare since 2026 ------------------------------------------------


LAST_AS_DRUGS, FIRST_AS_SUPPLIES = "2025-12-31", "2026-01-01"
SHEETS = [row for row in rows_of(Drug) if row.kind == "skin-substitute" and not row.refuses]
CMS_PAYS_AS_SUPPLY = {row.code for row in rows_of(Status) if row.status == "S1"}


def applied(row: Drug, on: str, left: int, **more: Any) -> DrugLines:
    """Four billing units applied of a piece of five, of which so many were left over."""
    assert row.size is not None
    size, unit = row.size, row.unit
    piece = {"container": "single-dose", "container_amount": Dose((4 + left) * size, unit), "containers": 1}
    return one(
        {"drug": row.code, "dose": Dose(4 * size, unit), "route": "topical", "discarded": Dose(left * size, unit)}
        | piece,
        on=on,
        **more,
    )


def live_sheets(on: str) -> list[Drug]:
    return [row for row in SHEETS if row.period.holds(as_date(on))]


@pytest.mark.book
def test_until_2025_what_is_left_of_a_skin_substitute_is_discarded_drug() -> None:
    for row in live_sheets(LAST_AS_DRUGS):
        assert shown(applied(row, LAST_AS_DRUGS, 1)) == [(row.code, (), 4), (row.code, ("JW",), 1)]
        assert shown(applied(row, LAST_AS_DRUGS, 0)) == [(row.code, ("JZ",), 4)]


@pytest.mark.book
@pytest.mark.parametrize("on", [FIRST_AS_SUPPLIES, "2026-03-31", "2026-04-01", "2026-11-26"])
@pytest.mark.parametrize("payer", ["medicare", "noridian", "medicare-advantage"])
def test_since_2026_medicare_takes_neither_jw_nor_jz_on_a_skin_substitute_and_says_why(on: str, payer: str) -> None:
    for row in live_sheets(on):
        for left in (0, 1):
            made = applied(row, on, left, payer=payer)
            assert shown(made) == [(row.code, (), 4)], row.code
            said = ("waste-exempt", "note") if row.code in CMS_PAYS_AS_SUPPLY else ("waste-doubt", "warn")
            assert said in rules(made), row.code
            assert any("CMS-1832-F" in str(f.citations[0]) for f in made.findings), row.code
            hospital = applied(row, on, left, payer=payer, claim="outpatient")
            assert shown(hospital) == [(row.code, (), 4)], row.code
            if row.code in CMS_PAYS_AS_SUPPLY:
                assert ("waste-exempt", "note") in rules(hospital), row.code


@pytest.mark.parametrize("payer", ["commercial", "medicaid", "tricare"])
def test_other_payers_take_a_skin_substitute_as_before(payer: str) -> None:
    row = next(row for row in SHEETS if row.code == "Q4101")
    before, after = (applied(row, on, 1, payer=payer) for on in (LAST_AS_DRUGS, FIRST_AS_SUPPLIES))
    assert shown(before) == shown(after) == [("Q4101", (), 4), ("Q4101", ("JW",), 1)]


def test_a_site_may_say_that_a_skin_substitute_is_a_licensed_biologic(tmp_path: Path) -> None:
    licensed = "Q4112,licensed-biologic,a product of the site,,2026-01-01,,site,the license,high,2026-11-26"
    file = tmp_path / "classes.csv"
    file.write_text(f"code,name,drug,note,effective,ends,source,cite,confidence,verified\n{licensed}\n", "utf-8")
    given = {
        "drug": "Q4112",
        "dose": "4 mL",
        "route": "topical",
        "discarded": "1 mL",
        "container": "single-dose",
        "container_amount": "5 mL",
        "containers": 1,
    }
    encounter = Encounter.from_dict({"on": ON, "place": "11", "administrations": [given]})
    (answer,) = drug_lines(encounter, reference=with_own(tmp_path))
    assert shown(answer) == [("Q4112", (), 4), ("Q4112", ("JW",), 1)]


def test_a_biologic_by_needle_keeps_jw_and_jz_in_2026() -> None:
    vial = {"drug": "J9035", "dose": "77 mg", "container": "single-dose", "container_amount": "100 mg", "containers": 1}
    assert shown(one(vial | {"discarded": "23 mg"})) == [("J9035", (), 8), ("J9035", ("JW",), 2)]


# --- a code by route: bevacizumab into the eye -----------------------------------------------------------------


FOR_THE_EYE = sorted(
    {row.code for row in rows_of(Drug) if row.ingredient.startswith("bevacizumab") and row.period.holds(as_date(ON))}
)
INTO_THE_EYE = ["intravitreal", "418401004", "intracameral"]


def into_the_eye(drug: str, payer: str, claim: str, route: str = "intravitreal", **more: Any) -> DrugLines:
    return one({"drug": drug, "dose": "1.25 mg", "route": route}, payer=payer, claim=claim, **more)


@pytest.mark.parametrize("route", INTO_THE_EYE)
@pytest.mark.parametrize("drug", [*FOR_THE_EYE, "Avastin", "bevacizumab", "Mvasi", "Zirabev"])
def test_bevacizumab_into_the_eye_is_billed_as_the_payer_wants_it_never_by_its_name(drug: str, route: str) -> None:
    # Noridian A53008: J7999 once on a practitioner's claim, C9257 (per 0.25 mg) on a hospital's.
    noridian = into_the_eye(drug, "noridian", "professional", route)
    assert shown(noridian) == [("J7999", (), 1)]
    assert ("code-by-route", "warn") in rules(noridian)
    assert shown(into_the_eye(drug, "noridian", "outpatient", route)) == [("C9257", (), 5)]
    assert shown(into_the_eye(drug, "medicare", "outpatient", route)) == [("C9257", (), 5)]


@pytest.mark.parametrize("payer", ["medicare", "palmetto", "commercial", "medicaid"])
@pytest.mark.parametrize("drug", [code for code in FOR_THE_EYE if code != "C9257"])
def test_where_no_row_says_which_code_is_asked_for_and_no_line_is_made(drug: str, payer: str) -> None:
    made = into_the_eye(drug, payer, "professional")
    assert made.lines == ()
    (asked,) = made.findings
    assert (asked.rule, asked.severity) == ("code-by-route", "warn")
    assert all(code in asked.says for code in (drug, "J7999", "J3590", "C9257"))
    settled = into_the_eye(drug, payer, "professional", services=["67028", "J7999"])
    assert (settled.lines, rules(settled)) == ((), {("code-by-route", "note")})


def test_a_code_listed_among_the_services_is_not_billed_twice() -> None:
    assert into_the_eye("J9035", "noridian", "professional", services=["67028", "J7999"]).lines == ()


def test_before_its_row_a_payer_is_asked_among_the_codes_of_that_day() -> None:
    made = into_the_eye("J9035", "noridian", "professional", on="2015-12-31")
    assert made.lines == ()
    assert "J3590" in made.findings[0].says
    assert "J7999" not in made.findings[0].says  # begins on 2016-01-01


def test_the_product_drawn_from_stays_on_the_line_whatever_code_it_has() -> None:
    vial = {
        "drug": "bevacizumab",
        "dose": "1.25 mg",
        "route": "intravitreal",
        "ndc": "50242-0060-01",
        "container": "single-dose",
        "containers": 1,
        "discarded": "98.75 mg",
    }
    for claim, code in (("professional", "J7999"), ("outpatient", "C9257")):
        made = one(vial, payer="noridian", claim=claim)
        assert (made.lines[0].code, made.lines[0].ndc) == (code, "50242006001")


def test_by_vein_bevacizumab_keeps_the_code_of_its_name() -> None:
    assert shown(one({"drug": "Avastin", "dose": "100 mg", "route": "IV infusion"}, payer="noridian"))[0][0] == "J9035"


@pytest.mark.parametrize(
    ("code", "dose", "stops"),
    [
        ("91320", "0.5 mL", True),  # its dose is 0.3 mL
        ("91320", "0.3 mL", False),
        ("91320", "0.15 mL", False),  # a part of a dose is billed as the dose
        ("91320", "1 dose", False),
        ("90656", "2 doses", True),
        ("90746", "1 mL", False),
        ("90371", "3 mL", False),  # an antibody is counted by the mL
    ],
)
def test_a_vaccine_is_given_one_dose_at_a_time(code: str, dose: str, stops: bool) -> None:
    answer = one({"drug": code, "dose": dose, "purpose": "vaccine" if code != "90371" else "therapeutic"})
    assert (("vaccine-dose", "stop") in rules(answer)) is stops
