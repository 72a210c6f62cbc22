"""The descriptor parser: the vocabulary of HCPCS, on made-up drugs; and words it never saw."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jcodeunits import units
from jcodeunits.facts.drug_rows import REFUSALS
from jcodeunits.refresh.amounts import amounts, canonical, dosage, plain
from jcodeunits.refresh.descriptor import DescriptorReading, parse
from jcodeunits.refresh.hcpcs import facts_of

CASES = Path(__file__).parent / "cases" / "descriptors.csv"


def cases() -> list[dict[str, str]]:
    lines = [line for line in CASES.read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def as_row(reading: DescriptorReading) -> dict[str, str]:
    row = facts_of(reading) | {"kind": "drug"}
    return row | (dict.fromkeys(("size", "unit", "basis"), "") if row["refuses"] else {})


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["text"][:60])
def test_a_descriptor_is_read_as_a_coder_reads_it(case: dict[str, str]) -> None:
    row = as_row(parse(case["text"]))
    assert {field: row[field] for field in case if field != "text"} == {
        field: value for field, value in case.items() if field != "text"
    }


def test_the_cases_use_every_reason_that_the_parser_gives() -> None:
    assert {case["refuses"] for case in cases()} == {"", "unclassified", "no-amount"}
    assert {"unclassified", "no-amount"} <= REFUSALS.keys()


def test_the_words_of_a_product_stay_one_name() -> None:
    assert parse("Somegraft, somegraft plus or othergraft, per square centimeter", (), True).ingredient == (
        "somegraft somegraft plus or othergraft"
    )
    assert parse("Lutetium lu 177, exemplin, therapeutic, 1 mci", (), True).ingredient == "lutetium lu-177 exemplin"


NUMBERS = st.decimals("0.001", 1_000_000, places=3).map(lambda n: Decimal(plain(n))).filter(bool)
MASSES = st.sampled_from(["mg", "mcg", "gm", "milligrams", "gram", "ml", "units", "i.u.", "usp units", "meq"])


@given(NUMBERS, MASSES, st.sampled_from(["", "per ", "up to "]))
def test_a_plain_amount_is_found_whatever_its_size_unit_and_basis(n: Decimal, unit: str, basis: str) -> None:
    reading = parse(f"Injection, exemplin, {basis}{plain(n)} {unit}")
    assert (reading.size, reading.unit) == (n, canonical(unit))
    assert reading.basis == ("up to" if basis == "up to " else "per")
    assert reading.ingredient == "exemplin"


@given(NUMBERS, NUMBERS, MASSES)
def test_a_concentration_in_percent_is_never_the_unit(percent: Decimal, n: Decimal, unit: str) -> None:
    reading = parse(f"Injection, exemplin, {plain(percent)}% solution, {plain(n)} {unit}")
    assert (reading.size, reading.unit) == (n, canonical(unit))


@given(NUMBERS, MASSES, st.integers(0, 9999))
def test_a_code_in_the_text_is_never_an_amount(n: Decimal, unit: str, digits: int) -> None:
    text = f"Injection, exemplin (m), not therapeutically equivalent to j{digits:04}, {plain(n)} {unit}"
    reading = parse(text)
    assert (reading.size, reading.unit, reading.specific) == (n, canonical(unit), True)


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    reading = parse(text)
    computable = reading.size is not None or reading.components or reading.basis == "band"
    assert bool(computable) != bool(reading.refuses)


@given(st.sampled_from(cases()), st.sampled_from([str.upper, str.title, "  ".join]))
def test_case_and_spacing_change_no_amount(case: dict[str, str], change: object) -> None:
    text = case["text"]
    changed = text.replace(" ", "  ") if change == "  ".join else change(text)  # type: ignore[operator]
    assert parse(changed).amount == parse(text).amount


@pytest.mark.parametrize(
    ("printed", "amount"),
    [
        ("250 MG", ("250", "mg")),
        (".625 GM", ("0.625", "g")),
        ("1,000 UNITS", ("1000", "unit")),
        ("UP TO 1000 CC", ("1000", "mL")),
        ("2 MEQ", ("2", "mEq")),
        ("1 SQ CM", ("1", "cm2")),
        ("0.1mg", ("0.1", "mg")),
        ("500  ML", ("500", "mL")),
        ("1 USP UNIT", ("1", "USP unit")),
        ("1 I.U. VWF:RCO", ("1", "IU")),
        ("1 million\xa0PFU", ("1000000", "PFU")),
        ("1 microCurie", ("1", "microcurie")),
        ("Per Dose", ("1", "dose")),
        ("PER THERAPEUTIC DOSE", ("1", "therapeutic dose")),
        ("1 EA", ("1", "each")),
        ("up to 200 million CAR T cells", ("200000000", "cell")),
    ],
)
def test_a_cms_dosage_is_one_plain_amount(printed: str, amount: tuple[str, str]) -> None:
    read = dosage(printed)
    assert read is not None
    assert (plain(read[0]), read[1]) == amount
    assert units.canonical(amount[1]) == amount[1]


@pytest.mark.parametrize(
    "printed", ["2.5 MG/0.5 MG", "300 MCG (1500 IU)", "3 MG & 3 MG", "5 MG/20 MG 100 ML", "", "MG", "twelve mg"]
)
def test_a_dosage_of_several_amounts_or_none_is_not_plain(printed: str) -> None:
    assert dosage(printed) is None


def test_amounts_keep_their_place_and_their_governing_word() -> None:
    text = "up to 2.5 mg and 1,234.5 mcg"
    assert [(plain(a.number), a.unit, a.basis, text[a.start : a.end]) for a in amounts(text)] == [
        ("2.5", "mg", "up to", "up to 2.5 mg"),
        ("1234.5", "mcg", "", "1,234.5 mcg"),
    ]
