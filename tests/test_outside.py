"""NDCs that CMS's crosswalk does not list, as far as a state's conversion file and another file's name prove them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from shipped import DRUGS, PRODUCTS, REFERENCE, rows_of

import jcodeunits as jc
from jcodeunits.errors import ContradictedProduct, UnknownProduct
from jcodeunits.facts.drug_rows import Brand, Drug
from jcodeunits.facts.product_rows import AnotherPackage, Product
from jcodeunits.quantity import labelled
from jcodeunits.refresh import outside
from jcodeunits.refresh.evidence import Converted, Evidence, Price

ON = "2026-03-02"
NDC = "99990-0001-01"


@pytest.mark.parametrize(
    ("ndc", "dose", "code", "count", "quantity"),
    [
        ("00009-0746-30", "150 mg", "J1050", 150, "1"),
        ("00009-7376-11", "150 mg", "J1050", 150, "1"),
        ("16714-0981-01", "75 mg", "J1050", 75, "0.5"),
        ("00641-6042-01", "30 mg", "J1885", 2, "1"),
    ],
)
def test_a_package_outside_the_crosswalk_is_answered(ndc: str, dose: str, code: str, count: int, quantity: str) -> None:
    units = jc.billing_units(ndc, dose, ON)
    assert (units.code, units.count) == (code, count)
    assert "outside-crosswalk" in {note.rule for note in units.findings}
    made = jc.ndc_quantity(ndc, dose, on=ON)
    assert (made.qualifier, made.quantity) == ("ML", Decimal(quantity))
    given = {"drug": code, "dose": dose, "route": "IM", "ndc": ndc, "containers": 1, "container": "single-dose"}
    charged = jc.charge({"on": ON, "place": "11", "administrations": [given]})
    line = next(line for line in charged.lines if line.kind == "drug")
    assert (line.code, line.units, line.ndc_qualifier, line.ndc_quantity) == (code, count, "ML", Decimal(quantity))
    assert line.modifiers == ()  # what the container holds is not known, so neither JW nor JZ


def test_what_a_container_holds_is_never_told() -> None:
    for row in rows_of(Product):
        if "per-unit" not in row.marks or not row.codes:
            continue
        item = jc.product(row.number, on=ON)
        assert isinstance(item, AnotherPackage)
        assert (item.amount, item.quantity, item.size) == (None, None, None)
        assert (item.kind, item.shape) == (row.kind, row.shape)
        assert item.per_unit == row.amount
        assert row.confidence == "medium"
        assert not any(other.ndc == row.ndc for code in row.codes for other in PRODUCTS.of_code(code, ON))


def test_the_refusal_names_what_was_searched() -> None:
    with pytest.raises(UnknownProduct, match="conversion file"):
        jc.product("99999-9999-99", on=ON)


def made(evidence: Evidence) -> list[dict[str, str]]:
    return outside.rows([], evidence, {}, rows_of(Drug), rows_of(Brand), "state-conversion-2024-05")


def told(*lines: tuple[str, str, str], name: str = "KETOROLAC 30MG/ML INJ", package: str = "1") -> Evidence:
    rows = tuple(Converted(code, Fraction(billed), Fraction(counted)) for code, billed, counted in lines)
    return Evidence(prices={NDC: (Price(package, name, name),)}, state={NDC: rows})


def test_code_and_drug_of_one_unit_come_from_the_states_file() -> None:
    (row,) = made(told(("J1885", "2", "1")))
    assert (row["codes"], row["amount"], row["unit"], row["qualifier"]) == ("J1885", "30", "mg", "ML")
    assert DRUGS.rows("J1885")[-1].size == 15


def test_the_kind_is_that_which_a_text_about_the_ndc_itself_says() -> None:
    evidence = told(("J1885", "2", "1"), name="KETOROLAC 30MG/ML SDV")
    (row,) = made(evidence)
    assert (row["kind"], row["shape"], row["amount"]) == ("single-dose", "", "30")
    (row,) = made(told(("J1885", "2", "1")))
    assert (row["kind"], row["shape"]) == ("", "")


def test_a_pharmacy_line_turns_rebate_units_into_those_of_a_claim() -> None:
    # 4 units of 10 mg are one syringe, of which the pharmacy bills 0.4 mL.
    (row,) = made(told(("J1650", "4", "1"), ("", "0.4", "1"), name="ENOXAPARIN NA 100MG/ML INJ"))
    assert (row["amount"], row["qualifier"]) == ("100", "ML")


@pytest.mark.parametrize(
    "evidence",
    [
        told(("J1885", "2", "1"), name="CEFTRIAXONE 1GM/VIL INJ"),  # another drug
        told(("J1885", "2", "1"), ("J1885", "4", "1")),  # lines that differ
        told(("J1885", "2", "1"), ("J0696", "4", "1")),  # two codes
        told(("J1885", "1", "7")),  # rounded
        Evidence(state={NDC: (Converted("J1885", Fraction(2), Fraction(1)),)}),  # no other file names it
    ],
    ids=["another drug", "lines differ", "two codes", "rounded", "one file alone"],
)
def test_no_row_is_made_of_doubtful_lines(evidence: Evidence) -> None:
    assert made(evidence) == []


def test_without_a_unit_the_form_is_asked() -> None:
    (row,) = made(told(("J1885", "2", "1"), name="KETOROLAC INJ"))
    assert (row["qualifier"], row["quantity"], row["proof"]) == ("", "", "")


def test_a_vial_counts_what_the_state_counts_as_one() -> None:
    (row,) = made(told(("J0696", "4", "1"), name="CEFTRIAXONE 1GM/VIL INJ"))
    assert (row["amount"], row["qualifier"]) == ("1000", "UN")


def test_a_container_of_a_known_unit_is_still_asked_for_its_amount() -> None:
    item: Any = jc.product("00009-0746-30", on=ON)
    with pytest.raises(ContradictedProduct, match="one unit of its NDC line"):
        labelled(item, REFERENCE)
