"""NDCs that CMS's crosswalk does not list, as far as a state's conversion file and another file's name prove them."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from shipped import DRUGS, FOLDER, PRODUCTS, REFERENCE, rows_of

import jcodeunits as jc
from jcodeunits.errors import ContradictedProduct, UnknownProduct
from jcodeunits.facts.drug_rows import Brand, Drug
from jcodeunits.facts.product_rows import AnotherPackage, Product
from jcodeunits.quantity import labelled
from jcodeunits.refresh import named, outside
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
        if "per-unit" not in row.marks or not row.codes or not row.period.holds(dt.date.fromisoformat(ON)):
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


def made(evidence: Evidence, drugs: Sequence[Drug] = (), listed: Sequence[dict[str, str]] = ()) -> list[dict[str, str]]:
    source = ("state-conversion-2024-05", dt.date(2024, 5, 2))
    return outside.rows([], evidence, drugs or rows_of(Drug), rows_of(Brand), source, listed)


def told(*lines: tuple[str, str, str], name: str = "KETOROLAC 30MG/ML INJ", package: str = "1") -> Evidence:
    rows = tuple(Converted(code, Fraction(billed), Fraction(counted)) for code, billed, counted in lines)
    return Evidence(prices={NDC: (Price(package, name, name),)}, state={NDC: rows})


def test_code_and_drug_of_one_unit_come_from_the_states_file() -> None:
    (row,) = made(told(("J1885", "2", "1")))
    assert (row["codes"], row["amount"], row["unit"], row["qualifier"]) == ("J1885", "30", "mg", "ML")
    assert DRUGS.rows("J1885")[-1].size == 15


def changed(row: Drug, **cells: object) -> Drug:
    made = copy.copy(row)
    for name, value in cells.items():
        object.__setattr__(made, name, value)
    return made


def counted_otherwise(code: str, first: str, size: str) -> list[Drug]:
    """The catalog in which a code counts another amount from a day on; an empty size: in which it ends before."""
    day = dt.date.fromisoformat(first)
    last = day - dt.timedelta(days=1)
    drugs = [changed(row, ends=last) if row.code == code and row.ends is None else row for row in rows_of(Drug)]
    then = [changed(row, ends=None, effective=day, size=Fraction(size)) for row in DRUGS.rows(code)[-1:] if size]
    return [*drugs, *then]


def test_what_a_code_counts_later_changes_no_amount_of_the_states_file() -> None:
    """30 mg are 2 units of 15 mg on the state's day, and 30 mg when the code counts 30 mg, too."""
    later = counted_otherwise("J1885", "2027-01-01", "30")
    (row,) = made(told(("J1885", "2", "1")), later)
    assert (row["codes"], row["amount"], row["qualifier"], row["ends"]) == ("J1885", "30", "ML", "")


def test_a_code_that_ends_later_keeps_its_answers_until_then_and_the_package_its_count() -> None:
    later = counted_otherwise("J1885", "2027-01-01", "")
    (row,) = made(told(("J1885", "2", "1")), later)
    assert (row["codes"], row["amount"], row["ends"]) == ("J1885", "30", "2026-12-31")
    (after,) = named.with_ended([], {NDC: row})
    assert (after["codes"], after["marks"], after["effective"], after["ends"]) == (
        "",
        "per-unit|uncoded",
        "2027-01-01",
        "",
    )
    assert (after["amount"], after["unit"], after["qualifier"]) == ("30", "mg", "ML")
    assert made(told(("J1885", "2", "1"), name="KETOROLAC INJ"), later) == []  # nothing confirms the amount


def test_what_files_prove_of_a_package_stands_after_its_code_has_ended() -> None:
    (coded,) = made(told(("J1885", "2", "1")), counted_otherwise("J1885", "2027-01-01", ""))
    known = {**coded, "codes": "", "marks": "uncoded", "qualifier": "UN", "ends": "", "label": "A vial"}
    other = {**known, "ndc": "99990-0002-01"}
    after = named.with_ended([known, other], {NDC: coded})
    assert [(row["ndc"], row["qualifier"], row["label"]) for row in after] == [
        (NDC, "UN", "A vial"),
        ("99990-0002-01", "UN", "A vial"),
    ]
    assert after[0]["effective"] == "2027-01-01"


@pytest.mark.parametrize(
    ("amount", "quantity", "unit", "known"),
    [("60", "2", "mg", True), ("0.06", "2", "g", True), ("60", "1", "mg", False)],
)
def test_an_amount_that_no_package_of_the_product_shares_is_none(
    amount: str, quantity: str, unit: str, known: bool
) -> None:
    """A state's lines are now and then typed into each other's place: ten grams of a 10 % liquid were 4 mL."""
    listed = {"ndc": "99990-0001-02", "qualifier": "ML", "amount": amount, "quantity": quantity, "unit": unit}
    assert bool(made(told(("J1885", "2", "1")), (), [listed])) is known
    assert made(told(("J1885", "2", "1")), (), [{**listed, "ndc": "99990-0002-02"}])


def test_gammagard_is_a_ten_percent_liquid_in_every_package() -> None:
    for package in ("02", "10", "12"):
        made_up = jc.ndc_quantity(f"00944-2700-{package}", "10 g", on="2026-07-15")
        assert (made_up.qualifier, made_up.quantity) == ("ML", Decimal(100))


_CONCENTRATION = re.compile(r"(\d[\d,]*\.?\d*) ?(mg|gm?|mcg|un(?:i)?ts?|iu)/ ?(\d*\.?\d*) ?ml", re.IGNORECASE)


def test_what_the_state_says_of_a_millilitre_another_file_prints() -> None:
    """Of every liquid that only the state's file bills: a concentration in a name or a list, or a percentage."""
    texts: dict[str, list[str]] = {}
    with (FOLDER / "evidence.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["file"] not in ("state-conversion", "asp-xwalk"):
                texts.setdefault(row["subject"], []).append(row["says"])
    checked = 0
    for item in rows_of(Product):
        if item.qualifier != "ML" or not item.source.startswith("state-conversion") or item.amount is None:
            continue
        said = {
            (Fraction(amount.replace(",", "")) / Fraction(volume or 1), unit.lower()[:2])
            for text in texts[item.number]
            for amount, unit, volume in _CONCENTRATION.findall(text)
            if volume not in ("0", ".")
        }
        said |= {
            (Fraction(one) * 10, "mg") for text in texts[item.number] for one in re.findall(r"(\d+\.?\d*) ?%", text)
        }
        scale = {"g": Fraction(1000), "gm": Fraction(1000), "mc": Fraction(1, 1000)}
        values = {value * scale.get(unit, Fraction(1)) for value, unit in said}
        mine = item.amount / (1000 if item.unit == "mcg" else 1)
        assert any(value and abs(mine / value - 1) < Fraction(3, 100) for value in values), item
        checked += 1
    assert checked > 140


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
