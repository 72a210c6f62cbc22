"""Doses: what the grammar reads, what it refuses, and that every number stays exact."""

import pickle
from decimal import Decimal
from fractions import Fraction

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jcodeunits import units
from jcodeunits.dose import Dose
from jcodeunits.errors import AmbiguousUnit, DoseError, UnitMismatch, UnknownUnit, UnreadableDose

# (as written, exact amount, unit): the rows of the dose table that are read as they stand
READ = [
    ("30 mg", "30", "mg"),
    ("30mg", "30", "mg"),
    ("1 g", "1", "g"),
    ("1,000 mcg", "1000", "mcg"),
    ("1,000,000 units", "1000000", "unit"),
    ("0.5 mL", "0.5", "mL"),
    ("2.4 million units", "2400000", "unit"),
    ("2.4 MU", "2400000", "unit"),
    ("100 units", "100", "unit"),
    ("100 UNITS", "100", "unit"),
    ("15 MG", "15", "mg"),
    ("5 MCG", "5", "mcg"),
    ("1 GM", "1", "g"),
    ("2 ML", "2", "mL"),
    ("1 CC", "1", "mL"),
    ("2 MEQ", "2", "mEq"),
    ("1500 IU", "1500", "IU"),
    ("1500 I.U.", "1500", "IU"),
    ("1 USP UNIT", "1", "USP unit"),
    ("3 SQ CM", "3", "cm2"),
    ("20 millicuries", "20", "mCi"),
    ("1 million\xa0PFU", "1000000", "PFU"),
    ("  30 mg  ", "30", "mg"),
    ("0.001 mg", "0.001", "mg"),
]

# (as written, exact amount, unit, the safe spelling that the note names)
READ_WITH_NOTE = [
    ("30.0 mg", "30", "mg", "30 mg"),
    ("2.50 mg", "2.5", "mg", "2.5 mg"),
    (".5 mg", "0.5", "mg", "0.5 mg"),
    (".625 GM", "0.625", "g", "0.625 GM"),
    ("10 ug", "10", "mcg", "10 mcg"),
    ("10 µg", "10", "mcg", "10 mcg"),
    ("10 μg", "10", "mcg", "10 mcg"),
    ("5 cc", "5", "mL", "5 mL"),
    ("10 U", "10", "unit", "10 units"),
    (".5 cc", "0.5", "mL", "0.5 mL"),
]

# (as written, a word of the help that must come)
REFUSED = [
    ("1 Mg", "mg"),
    ("1 000 mg", "1,000 mg"),
    ("1 000 mg", "1,000 mg"),
    ("0,5 mg", "0.5 mg"),
    ("1,00 mg", "comma"),
    ("0,500 mg", "0.5 mg"),
    ("1,0000 mg", "comma"),
    ("½ mg", "decimal"),
    ("1/2 mg", "decimal"),
    ("1½ mg", "decimal"),
    ("1 g 500 mg", "1.5 g"),
    ("30", "unit"),
    ("30.5", "unit"),
    ("MS", "number"),
    ("MSO4", "number"),
    ("MgSO4", "number"),
    ("", "empty"),
    ("   ", "empty"),
    ("0 mg", "zero"),
    ("0.00 mg", "zero"),
    ("-5 mg", "sign"),
    ("−5 mg", "sign"),
    ("+5 mg", "sign"),
    ("nan mg", "number"),
    ("inf mg", "number"),
    ("Infinity mg", "number"),
    ("1e3 mg", "mg"),
    ("05 mg", "zero"),
    ("5. mg", "decimal point"),
    ("1.5 mg/kg", "weight"),
    ("40 mg/mL", "volume"),
    ("5%", "concentration"),
    ("9" * 400 + " mg", "characters"),
    ("😀", "number"),
    ("30 😀", "unit"),
    ("٣ mg", "number"),
    ("３０ mg", "number"),
    ("30 mg mg", "unit"),
    ("30 xyz", "unit"),
    ("5 M units", "unit"),
    ("30 mG", "mg"),
    ("30 MCg", "mcg"),
    ("thirty mg", "number"),
    ("1..5 mg", "dose"),
    ("30 mg\n40 mg", "dose"),
]


@pytest.mark.parametrize(("written", "amount", "unit"), READ)
def test_reads_as_written(written, amount, unit):
    dose = Dose.of(written)
    assert (dose.amount, dose.unit, dose.notes) == (Fraction(amount), unit, ())


@pytest.mark.parametrize(("written", "amount", "unit", "safe"), READ_WITH_NOTE)
def test_reads_unsafe_spelling_with_a_note_that_names_the_safe_one(written, amount, unit, safe):
    dose = Dose.of(written)
    assert (dose.amount, dose.unit) == (Fraction(amount), unit)
    (note,) = dose.notes
    assert note.severity == "note"
    assert repr(safe) in note.fix
    assert note.citations


@pytest.mark.parametrize(("written", "help_word"), REFUSED)
def test_refuses_with_help(written, help_word):
    with pytest.raises(DoseError, match=r".") as caught:
        Dose.of(written)
    assert help_word in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [None, True, False, 30, 3.5, Decimal(3), [], {}, b"30 mg", object()])
def test_refuses_what_is_no_dose(value):
    with pytest.raises(UnreadableDose):
        Dose.of(value)


@pytest.mark.parametrize("written", ["5 gr", "5 GR", "5 mu", "3 mU"])
def test_refuses_a_unit_with_two_readings(written):
    with pytest.raises(AmbiguousUnit) as caught:
        Dose.of(written)
    assert len(caught.value.readings) == 2


def test_unknown_unit_names_the_near_one():
    with pytest.raises(UnknownUnit) as caught:
        Dose.of("1 Mg")
    assert caught.value.near == ("mg",)


@pytest.mark.parametrize(
    ("value", "unit", "amount"),
    [
        (1, "g", "1"),
        (0.035, "g", "0.035"),
        (0.1, "mg", "0.1"),
        (1e-7, "g", "0.0000001"),
        (Decimal("2.50"), "mg", "2.5"),
        (Fraction(1, 3), "mg", "1/3"),
        ("1.5", "mg", "1.5"),
        (2.4, "million units", "2400000"),
    ],
)
def test_a_number_and_a_unit(value, unit, amount):
    assert Dose.of(value, unit).amount == Fraction(amount)


@pytest.mark.parametrize("value", [0, -1, 0.0, float("nan"), float("inf"), -0.5, True, Decimal("NaN"), 10**30, None])
def test_a_number_that_is_no_amount(value):
    with pytest.raises(DoseError):
        Dose.of(value, "mg")


def test_a_unit_that_is_no_text():
    with pytest.raises(UnreadableDose):
        Dose.of(1, 5)


def test_a_dose_is_a_dose():
    dose = Dose.of("1 g")
    assert Dose.of(dose) is dose


def test_unsafe_unit_beside_a_number_is_noted():
    assert Dose.of(5, "cc").notes[0].fix == "Write '5 mL'."


# --- quantities -----------------------------------------------------------------------------------------


def test_gives_and_takes_quantities_of_our_registry():
    dose = Dose.of("0.035 g")
    assert dose.quantity.magnitude == Fraction(35, 1000)
    assert Dose.of(dose.quantity.to("milligram")) == Dose.of("35 mg")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1.5 gram", "g"),
        ("250 milligram", "mg"),
        ("0.1 microgram", "mcg"),
        ("2 milliliter", "mL"),
        ("3 cubic_centimeter", "mL"),
        ("70 kilogram", "kg"),
    ],
)
def test_takes_quantities_of_the_default_registry(text, unit):
    quantity = pint.UnitRegistry()(text)
    dose = Dose.of(quantity)
    assert (dose.amount, dose.unit) == (Fraction(text.split()[0]), unit)


@pytest.mark.parametrize("text", ["1 MG", "1 unit", "1 meter", "5 dimensionless", "1 mg/kg"])
def test_refuses_quantities_that_are_no_dose(text):
    # In the default registry MG is megagauss and unit is micronit.
    with pytest.raises(DoseError):
        Dose.of(pint.UnitRegistry()(text))


@pytest.mark.parametrize("text", ["0.1", "0.035", "2.5", "1e-05"])
def test_a_numpy_scalar_is_taken_at_its_text(text):
    numpy = pytest.importorskip("numpy")
    quantity = units.registry().Quantity(numpy.float64(text), "milligram")
    assert Dose.of(quantity).amount == Fraction(text)
    assert Dose.of(units.registry().Quantity(numpy.int64(3), "milligram")).amount == 3
    with pytest.raises(DoseError):
        Dose.of(units.registry().Quantity(numpy.array([1.0, 2.0]), "milligram"))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (True, "an amount must be a number, not bool"),
        ("five", "not a number followed by a unit"),
        (float("nan"), "that is no number"),
        (10**18 + 1, "so many digits"),
        (-3, "zero or below"),
    ],
)
def test_a_number_is_refused_with_its_reason(value, says):
    with pytest.raises(UnreadableDose, match=says):
        Dose.of(value, "mg")


def test_the_largest_and_the_finest_number():
    assert Dose.of(10**18, "mg").amount == 10**18
    assert Dose.of(Fraction(1, 10**40), "mg").amount == Fraction(1, 10**40)
    with pytest.raises(UnreadableDose, match="so many digits"):
        Dose.of(Fraction(1, 10**40 + 1), "mg")


def test_a_quantity_of_another_kind_is_named():
    with pytest.raises(UnknownUnit, match="megagauss") as caught:
        Dose.of(pint.UnitRegistry()("1 MG"))
    assert (caught.value.given, caught.value.near) == ("megagauss", ())


# --- weight, surface, volume ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "amount", "unit"),
    [
        (lambda: Dose.by_weight("1.5 mg/kg", "70 kg"), "105", "mg"),
        (lambda: Dose.by_weight("50,000 units/kg", "10 kg"), "500000", "unit"),
        (lambda: Dose.by_weight("10 mcg/kg", "3,500 g"), "35", "mcg"),
        (lambda: Dose.by_surface("75 mg/m2", "1.7 m2"), "127.5", "mg"),
        (lambda: Dose.by_volume("0.5 mL", "40 mg/mL"), "20", "mg"),
        (lambda: Dose.by_volume("5 mL", "250 mg/5 mL"), "250", "mg"),
        (lambda: Dose.by_volume("5 mL", "10 mg/.5 mL"), "100", "mg"),
        (lambda: Dose.by_volume("1 mL", "1%"), "10", "mg"),
        (lambda: Dose.by_volume("10 mL", "0.25 %"), "25", "mg"),
        (lambda: Dose.by_volume("0.3 mL", "1:1000"), "0.3", "mg"),
        (lambda: Dose.by_volume("10 mL", "1:10,000"), "1", "mg"),
        (lambda: Dose.by_volume("0.01 L", "100 units/mL"), "1000", "unit"),
    ],
)
def test_doses_by_weight_surface_and_volume(made, amount, unit):
    dose = made()
    assert (dose.amount, dose.unit) == (Fraction(amount), unit)
    assert len(dose.steps) == 1


@pytest.mark.parametrize(
    "made",
    [
        lambda: Dose.by_weight("1.5 mg", "70 kg"),
        lambda: Dose.by_weight("1.5 mg/m2", "70 kg"),
        lambda: Dose.by_weight("1.5 mg/kg", "70 mL"),
        lambda: Dose.by_weight("1.5 mg/kg", "70"),
        lambda: Dose.by_weight("1.5 mg/kg", None),
        lambda: Dose.by_weight("1.5 mg/kg/day", "70 kg"),
        lambda: Dose.by_surface("75 mg/kg", "1.7 m2"),
        lambda: Dose.by_volume("5 mg", "40 mg/mL"),
        lambda: Dose.by_volume("5 mL", "40 mg"),
        lambda: Dose.by_volume("5 mL", "40 mg/kg"),
        lambda: Dose.by_volume("5 mL", "0%"),
        lambda: Dose.by_volume("5 mL", "1:0"),
        lambda: Dose.by_volume("5 mL", "x:y"),
        lambda: Dose.by_volume("5 mL", ""),
        lambda: Dose.by_volume("5 mL", None),
    ],
)
def test_refuses_measures_that_do_not_fit(made):
    with pytest.raises(DoseError):
        made()


# --- the value itself -----------------------------------------------------------------------------------


def test_equality_is_amount_and_unit_and_not_the_writing():
    assert Dose.of("30 mg") == Dose.of("30.0 mg")
    assert Dose.of("1 g") != Dose.of("1000 mg")
    assert Dose.of("1 g").to("mg") == Dose.of("1000 mg")
    assert hash(Dose.of("30 mg")) == hash(Dose.of("30.0 mg"))


def test_pickles_with_its_notes():
    dose = Dose.of("30.0 mg")
    again = pickle.loads(pickle.dumps(dose))
    assert again == dose
    assert again.notes == dose.notes


def test_no_conversion_between_kinds():
    with pytest.raises(UnitMismatch):
        Dose.of("100 IU").to("units")
    with pytest.raises(UnitMismatch):
        Dose.of("2 mEq").to("mmol")


def test_prints_the_safe_spelling():
    assert [str(Dose.of(t)) for t in ("30.0 mg", ".5 mg", "10 µg", "5 cc", "10 U", "1500 IU", "1 unit", "1 patch")] == [
        "30 mg",
        "0.5 mg",
        "10 mcg",
        "5 mL",
        "10 units",
        "1500 units",
        "1 unit",
        "1 patch",
    ]
    assert Dose.of("0.50 mg").as_dict() == {"amount": "0.5", "unit": "mg"}


exact = st.integers(1, 10**9).flatmap(lambda n: st.integers(0, 9).map(lambda k: Fraction(n, 10**k)))


def plain(value: Fraction) -> str:
    return format(Decimal(value.numerator) / Decimal(value.denominator), "f")


@given(exact)
def test_any_plain_decimal_is_read_exactly(value):
    text = plain(value)
    assert Dose.of(f"{text} mg").amount == Fraction(text) == value


@given(exact)
def test_grams_milligrams_and_micrograms_agree(value):
    assert Dose.of(f"{plain(value)} mg").to("mcg").amount == value * 1000
    assert Dose.of(f"{plain(value)} g").to("mg").amount == value * 1000
    assert Dose.of(f"{plain(value)} mcg").to("g").amount == value / 10**6


@given(exact)
def test_what_is_printed_is_read_again(value):
    dose = Dose.of(f"{plain(value)} mg")
    assert Dose.of(str(dose)) == dose


@given(st.floats(min_value=1e-6, max_value=1e6))
def test_a_float_is_taken_at_its_text(value):
    assert Dose.of(value, "mg").amount == Fraction(str(value))


@given(st.text(max_size=30))
def test_any_text_is_a_dose_or_a_typed_refusal(text):
    try:
        dose = Dose.of(text)
    except DoseError as error:
        assert str(error)  # noqa: PT017 - a refusal is one of two right outcomes
    else:
        assert dose.amount > 0


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("2-4 mg", "it is a range"),
        ("0.5 to 1 mg", "it is a range"),
        ("15 mg q6h", "how often"),
        ("40 mg BID", "how often"),
        ("30 mg IM for pain", "for what"),
        ("5 mg IV PRN agitation", "for what"),
        ("1 g 500 mg", "two amounts"),
        ("30 mg 60 mg", "two amounts"),
    ],
)
def test_what_an_order_says_beside_the_amount_is_told_for_what_it_is(written, why):
    with pytest.raises(UnreadableDose, match=why):
        Dose.of(written)
