"""HCPCS codes: their form, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jcodeunits import hcpcs
from jcodeunits.errors import IdentifierError, InvalidHcpcs


@pytest.mark.parametrize(
    ("written", "code"),
    [("J0696", "J0696"), (" j0696 ", "J0696"), ("96372", "96372"), ("0001a", "0001A"), ("q9991", "Q9991")],
)
def test_a_code_is_read_in_capitals(written: str, code: str) -> None:
    assert hcpcs.compact(written) == hcpcs.validate(written) == hcpcs.format(written) == code
    assert hcpcs.is_valid(written)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("JO696", "the letter O where a digit belongs"),
        ("J069l", "the letter L where a digit belongs"),
        ("J069", "4 characters"),
        ("J06966", "6 characters"),
        ("", "0 characters"),
        ("J-696", "no order"),
        ("JJ696", "no order"),
        ("Ｊ０６９６", "no order"),
    ],
)
def test_what_has_not_the_form_is_refused_with_the_reason(written: str, says: str) -> None:
    with pytest.raises(InvalidHcpcs) as refused:
        hcpcs.compact(written)
    assert says in str(refused.value)
    assert not hcpcs.is_valid(written)


@pytest.mark.parametrize("value", [None, 96372, b"J0696"])
def test_what_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(InvalidHcpcs, match="not text"):
        hcpcs.compact(value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        code = hcpcs.compact(text)
    except IdentifierError:
        assert not hcpcs.is_valid(text)
    else:
        assert hcpcs.compact(code) == code
        assert len(code) == 5


def test_level_two_is_told_from_cpt() -> None:
    assert hcpcs.is_level_two("J0696")
    assert not hcpcs.is_level_two("96372")
    assert not hcpcs.is_level_two("0001A")


@pytest.mark.parametrize(("written", "modifier"), [("JZ", "JZ"), (" jw ", "JW"), ("25", "25"), ("xs", "XS")])
def test_a_modifier_has_two_characters(written: str, modifier: str) -> None:
    assert hcpcs.modifier(written) == modifier


@pytest.mark.parametrize("written", ["", "J", "JZZ", "J-", "ＪＺ", None, 25])
def test_what_is_no_modifier_is_refused(written: object) -> None:
    with pytest.raises(InvalidHcpcs):
        hcpcs.modifier(written)
