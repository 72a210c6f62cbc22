"""The National Drug Code: read in every shape that the FDA uses, refused in every other."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jcodeunits as jc
from jcodeunits import ndc
from jcodeunits.errors import AmbiguousNdc, IdentifierError, InvalidNdc

CASES = list(csv.DictReader((Path(__file__).parent / "cases" / "ndc.csv").open(encoding="utf-8", newline="")))

ELEVEN = st.from_regex(r"[0-9]{11}", fullmatch=True)


@pytest.mark.parametrize("case", CASES, ids=[case["source"] for case in CASES])
def test_an_ndc_is_read_as_people_write_it(case: dict[str, str]) -> None:
    assert ndc.compact(case["written"]) == case["claim"]
    assert ndc.is_valid(case["written"])
    assert ndc.validate(case["written"]) == case["claim"]
    assert ndc.looks_like(case["written"])  # and not taken for a drug's name


@given(ELEVEN)
def test_formatting_and_compacting_round_trip(digits: str) -> None:
    shown = ndc.format(digits)
    assert ndc.compact(shown) == digits
    assert ndc.format(shown) == shown
    assert [len(part) for part in shown.split("-")] == [5, 4, 2]


@given(ELEVEN)
def test_the_ten_digit_forms_of_one_ndc_agree(digits: str) -> None:
    labeler, product, package = digits[:5], digits[5:9], digits[9:]
    shorter = [
        (labeler[1:], product, package, "0" + labeler[1:] + product + package),
        (labeler, product[1:], package, labeler + "0" + product[1:] + package),
        (labeler, product, package[1:], labeler + product + "0" + package[1:]),
    ]
    for *parts, eleven in shorter:
        assert ndc.compact("-".join(parts)) == eleven
        assert eleven in ndc.readings("".join(parts))


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_ten_digits_without_hyphens_are_refused_with_their_readings(digits: str) -> None:
    with pytest.raises(AmbiguousNdc) as refused:
        ndc.compact(digits)
    readings = refused.value.readings
    assert readings == (f"0{digits}", f"{digits[:5]}0{digits[5:]}", f"{digits[:9]}0{digits[9:]}")
    assert all(ndc.format(reading) in str(refused.value) for reading in readings)
    assert not ndc.is_valid(digits)


def test_ten_digits_are_settled_where_exactly_one_reading_exists() -> None:
    known = {"00409379501"}
    assert ndc.compact("0409379501", settle=lambda readings: known & set(readings)) == "00409379501"


@pytest.mark.parametrize("known", [set(), {"00409379501", "04093795001"}])
def test_ten_digits_stay_ambiguous_where_none_or_two_readings_exist(known: set[str]) -> None:
    with pytest.raises(AmbiguousNdc):
        ndc.compact("0409379501", settle=lambda readings: known & set(readings))


def test_settling_is_not_asked_for_what_is_clear() -> None:
    asked: list[tuple[str, ...]] = []
    ndc.compact("0409-3795-01", settle=lambda readings: asked.append(readings) or ())
    assert asked == []


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("1234-1234-1", "the labeler segment is short (4 of 5) and the package segment is short (1 of 2)"),
        ("0409-379-01", "the product segment is short (3 of 4)"),
        ("409-3795-01", "the labeler segment is short (3 of 5)"),
        ("00409-37951-01", "the product segment is long (5 of 4)"),
        ("00409-3795-011", "the package segment is long (3 of 2)"),
        ("0409-3795", "2 segments"),
        ("00409-3795-01-1", "4 segments"),
        ("000409-3795-01", "6-4-2 begins on 2033-03-07"),
    ],
)
def test_other_segment_lengths_are_refused_naming_the_segment(written: str, says: str) -> None:
    with pytest.raises(InvalidNdc) as refused:
        ndc.compact(written)
    assert says in str(refused.value)
    assert refused.value.given == written
    assert refused.value.reason == "segments"


@pytest.mark.parametrize("digits", ["", "NDC", "1", "123456789", "123456789012", "0" * 40])
def test_other_numbers_of_digits_are_refused(digits: str) -> None:
    with pytest.raises(InvalidNdc):
        ndc.compact(digits)


@pytest.mark.parametrize(
    "junk",
    [
        "J1885",
        "0409-3795-0A",
        "00409379501 ML1",
        "٠٤٠٩-٣٧٩٥-٠١",
        "-",
        "--",
        "a-b-c",
        "123456789.01",
        "50016-091623",
        "0409~3795~01",
        "*00409379501",
    ],
)
def test_what_is_no_ndc_is_refused(junk: str) -> None:
    with pytest.raises(IdentifierError):
        ndc.compact(junk)
    assert not ndc.is_valid(junk)


@pytest.mark.parametrize("number", [None, 409379501, 4.09, b"00409379501", ["00409379501"]])
def test_a_number_is_refused_because_it_loses_its_zeros(number: object) -> None:
    with pytest.raises(InvalidNdc, match="not text"):
        ndc.compact(number)


@given(st.text())
def test_any_text_is_read_or_refused_but_never_crashes(text: str) -> None:
    if ndc.is_valid(text):
        assert len(ndc.compact(text)) == 11
    else:
        with pytest.raises(IdentifierError):
            ndc.compact(text)


def test_the_parts_are_kept_at_the_width_of_2033() -> None:
    number = ndc.Ndc.of("0409-3795-01")
    assert (number.labeler, number.product, number.package) == ("000409", "3795", "01")
    assert number.text("6-4-2") == "000409-3795-01"
    assert number.text(hyphens=False) == "00409379501"
    assert ndc.Ndc.of(number) is number


def test_the_twelve_digit_shape_is_read_from_its_first_day() -> None:
    with pytest.raises(InvalidNdc, match="6-4-2 begins"):
        ndc.Ndc.of("123456-7890-12", on="2033-03-06")
    number = ndc.Ndc.of("123456-7890-12", on="2033-03-07")
    assert str(number) == "123456-7890-12"


def test_a_labeler_of_six_digits_never_becomes_eleven_digits() -> None:
    number = ndc.Ndc.of("123456-7890-12", on="2040-01-01")
    with pytest.raises(InvalidNdc, match="six digits"):
        number.text("5-4-2")


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(IdentifierError, match="6-4-2"):
        ndc.format("0409-3795-01", "5-5-1")


def test_the_errors_travel_between_processes() -> None:
    with pytest.raises(AmbiguousNdc) as refused:
        ndc.compact("0409379501")
    again = pickle.loads(pickle.dumps(refused.value))
    assert again.readings == refused.value.readings
    assert str(again) == str(refused.value)


@pytest.mark.parametrize("written", ["3 0409-3795-01 2", "3 0409-3795-01 0"])
def test_a_wrong_check_digit_beside_the_hyphens_is_a_misread(written: str) -> None:
    with pytest.raises(InvalidNdc, match="misread"):
        ndc.compact(written)


@pytest.mark.parametrize("written", ["N400409379501ML1", "N4 00409379501 UN0.5", "00409379501ML1"])
def test_the_line_of_a_claim_is_no_ndc_and_its_ndc_is_named(written: str) -> None:
    with pytest.raises(InvalidNdc, match="write 00409379501 alone"):
        ndc.compact(written)


@pytest.mark.parametrize("written", ["GTIN 00304093795011", "UPC: 304093795011"])
def test_a_barcode_is_read_with_its_name_in_front(written: str) -> None:
    assert jc.product(written, on="2026-03-02").ndc == "00409379501"
