"""The registry: every spelling, no prefixes, no conversion between kinds."""

from fractions import Fraction

import pytest

from jcodeunits import units
from jcodeunits.errors import UnitMismatch, UnknownUnit


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("g", "mg", "1000"),
        ("mg", "g", "1/1000"),
        ("mcg", "mg", "1/1000"),
        ("ng", "mcg", "1/1000"),
        ("kg", "g", "1000"),
        ("L", "mL", "1000"),
        ("Ci", "mCi", "1000"),
        ("microcurie", "mCi", "1/1000"),
        ("MBq", "mCi", "1/37"),
        ("GBq", "mCi", "1000/37"),
        ("mg", "mg", "1"),
    ],
)
def test_factors_are_exact(given, wanted, factor):
    value = units.factor(given, wanted)
    assert value == Fraction(factor)
    assert isinstance(value, Fraction)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("unit", "IU"),
        ("IU", "USP unit"),
        ("unit", "mg"),
        ("mEq", "mmol"),
        ("mL", "mg"),
        ("each", "dose"),
        ("vector genome", "cell"),
        ("cm2", "m2"),
        ("dose", "study dose"),
        ("unit", "each"),
    ],
)
def test_kinds_are_never_turned_into_each_other(given, wanted):
    with pytest.raises(UnitMismatch):
        units.factor(given, wanted)


@pytest.mark.parametrize("spelling", ["Mg", "mG", "MILLIgram", "kilomg", "mmg", "µ", "oz", "stone", "megagauss", ""])
def test_no_other_spelling_is_accepted(spelling):
    with pytest.raises(UnknownUnit):
        units.canonical(spelling)
    assert not units.is_known(spelling)


def test_every_spelling_leads_to_a_unit_that_pint_knows():
    for spelling, symbol in units.spellings().items():
        assert units.canonical(spelling) == symbol
        assert units.quantity(Fraction(1), symbol).magnitude == 1


def test_our_dimensions_are_those_of_pint():
    symbols = sorted(set(units.spellings().values()))
    registry = units.registry()
    for a in symbols:
        for b in symbols:
            ours = units.dimension(a) == units.dimension(b)
            one, other = units.quantity(Fraction(1), a), units.quantity(Fraction(1), b)
            assert ours == one.is_compatible_with(other), (a, b)
    assert registry.Quantity(Fraction(1), "gram").to("milligram").magnitude == 1000


def test_prefixes_of_the_default_registry_are_gone():
    registry = units.registry()
    assert "megagauss" not in registry
    assert "kilomilligram" not in registry


@pytest.mark.parametrize(
    ("symbol", "one", "many"),
    [
        ("unit", "unit", "units"),
        ("IU", "unit", "units"),
        ("USP unit", "unit", "units"),
        ("mg", "mg", "mg"),
        ("day", "day", "days"),
        ("dose", "dose", "doses"),
        ("patch", "patch", "patches"),
        ("study dose", "study dose", "study doses"),
        ("each", "each", "each"),
        ("mL", "mL", "mL"),
        ("vector genome", "vector genome", "vector genomes"),
        ("microcurie", "microcurie", "microcuries"),
    ],
)
def test_labels_are_the_safe_spellings(symbol, one, many):
    assert (units.label(symbol, plural=False), units.label(symbol)) == (one, many)


def test_symbols_have_no_plural_and_words_have_one():
    for symbol in set(units.spellings().values()):
        is_word = symbol in ("day", "kit", "bag", "pen") or (
            symbol.islower() and len(symbol) > 3 and symbol not in ("mmol", "each")
        )
        if not units.is_activity(symbol):
            assert (units.label(symbol) != symbol) == is_word, symbol


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("milligram(s)", "mg"),
        ("{mg}", "mg"),
        ("unit(s)", "unit"),
        ("{Units}", "unit"),
        ("[iU]", "IU"),
        ("dose(s)", "dose"),
    ],
)
def test_a_unit_as_exports_write_it_is_refused_with_the_one_that_is_meant(written: str, meant: str) -> None:
    with pytest.raises(UnknownUnit, match=f"Did you mean {meant}[?]"):
        units.canonical(written)


@pytest.mark.parametrize("word", ["milligram", "microgram", "gram", "kilogram", "nanogram", "milliliter", "liter"])
def test_the_words_of_measures_are_read_in_small_and_large_letters(word: str) -> None:
    spelt = {units.canonical(form(one)) for one in (word, f"{word}s") for form in (str.lower, str.title, str.upper)}
    assert len(spelt) == 1
