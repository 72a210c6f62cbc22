"""Exact amounts and the rounding rule."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jcodeunits.amount import decimal_text, read_decimal, round_up

ratios = st.fractions(min_value=Fraction(1, 10**6), max_value=10**9)


@pytest.mark.parametrize(
    ("exact", "units"), [("4", 4), ("4.0001", 5), ("0.01", 1), ("1", 1), ("8/10", 1), ("7.7", 8), ("35/5", 7)]
)
def test_rounds_up_to_the_next_whole_unit(exact, units):
    assert round_up(Fraction(exact)) == units


@given(ratios)
def test_rounding_covers_the_dose_and_no_more(exact):
    assert round_up(exact) - 1 < exact <= round_up(exact)


@given(st.integers(0, 10**18), st.integers(0, 12))
def test_decimal_text_is_exact_and_short(n, places):
    value = Fraction(n, 10**places)
    text = decimal_text(value)
    assert Fraction(text) == value
    assert not text.startswith(".")
    assert "." not in text or not text.endswith(("0", "."))
    assert read_decimal(text) == value


def test_decimal_text_of_what_has_no_decimal():
    assert decimal_text(Fraction(1, 3)) == "1/3"
    assert decimal_text(Fraction(-5, 2)) == "-2.5"
    assert decimal_text(Fraction(1, 8)) == "0.125"
    assert decimal_text(Fraction(1, 50)) == "0.02"
    assert decimal_text(7) == "7"


@pytest.mark.parametrize("text", ["", "1.", ".5", "-1", "+1", "1e3", "1,000", " 1", "٣", "1/2", "nan"])
def test_read_decimal_is_strict(text):
    with pytest.raises(ValueError, match="plain decimal"):
        read_decimal(text)


@given(st.decimals(min_value=0, max_value=10**12, places=6, allow_nan=False))
def test_read_decimal_agrees_with_decimal(value):
    assert read_decimal(format(value, "f")) == Fraction(Decimal(value))
