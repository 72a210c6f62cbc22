"""837 claim lines: what they say, position by position, what never leaves, and what comes back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_charges import FIELDS, STOP, assert_same, charge_of, charges, drug_line, injection_line

import jcodeunits as jc
from jcodeunits import formats
from jcodeunits.claim import ExtraNdc, Line
from jcodeunits.errors import FormatError
from jcodeunits.formats import x12


def segments(text: str) -> list[list[str]]:
    return [piece.strip().split("*") for piece in text.split("~") if piece.strip()]


def named(text: str, name: str) -> list[list[str]]:
    return [segment for segment in segments(text) if segment[0] == name]


def test_an_injection_with_its_drug_is_two_loops_and_the_ndc_stands_on_the_drug() -> None:
    text = x12.write(charge_of(injection_line(), drug_line()))
    assert [segment[0] for segment in segments(text)] == ["LX", "SV1", "DTP", "LX", "SV1", "DTP", "LIN", "CTP"]
    injection, drug = named(text, "SV1")
    assert injection == ["SV1", "HC:96372", "35", "UN", "1", "11", "", "1"]
    assert drug == ["SV1", "HC:J1885:JZ", "10", "UN", "2", "11", "", "1"]
    assert named(text, "DTP") == [["DTP", "472", "D8", "20260302"]] * 2
    assert named(text, "LIN") == [["LIN", "", "N4", "00409379501"]]
    assert named(text, "CTP") == [["CTP", "", "", "", "1", "ML"]]


def test_the_guides_drug_example_counts_56_units_and_7_vials_on_one_line() -> None:
    # The implementation guide's home infusion: 14 g of ceftriaxone from seven 2 g vials, per 250 mg.
    line = Line(
        "J0696", (), 56, "00004196501", "UN", Decimal("7.00"), ("J06.9",), kind="drug", charge_amount=Decimal("682.50")
    )
    text = x12.write(charge_of(line, on="2004-02-01", place="12"), first=2)
    assert named(text, "LX") == [["LX", "2"]]
    assert named(text, "SV1") == [["SV1", "HC:J0696", "682.5", "UN", "56", "12", "", "1"]]
    assert named(text, "LIN") == [["LIN", "", "N4", "00004196501"]]
    assert named(text, "CTP") == [["CTP", "", "", "", "7", "UN"]]


def test_a_jw_pair_is_two_lines_with_the_quantities_that_were_used_and_thrown_away() -> None:
    used = drug_line(code="J0585", modifiers=(), units=155, ndc_qualifier="UN", ndc_quantity=Decimal("0.775"))
    waste = drug_line(
        code="J0585", modifiers=("JW",), units=45, ndc_qualifier="UN", ndc_quantity=Decimal("0.225"), kind="waste"
    )
    text = x12.write(charge_of(used, waste))
    assert [segment[1] for segment in named(text, "SV1")] == ["HC:J0585", "HC:J0585:JW"]
    assert [segment[4] for segment in named(text, "CTP")] == ["0.775", "0.225"]


@pytest.mark.parametrize(
    ("quantity", "printed"), [("1.5", "1.5"), ("2.00", "2"), ("0.5", "0.5"), (".5", "0.5"), ("1E+3", "1000")]
)
def test_decimals_are_exact_and_never_naked(quantity: str, printed: str) -> None:
    text = x12.write(charge_of(drug_line(ndc_quantity=Decimal(quantity))))
    assert named(text, "CTP")[0][4] == printed


def test_an_unclassified_code_carries_its_description_in_the_seventh_place() -> None:
    line = drug_line(code="J3490", modifiers=("KX",), description="Sod Chl 0.9% see NDC#")
    assert named(x12.write(charge_of(line)), "SV1")[0][1] == "HC:J3490:KX::::Sod Chl 0.9% see NDC#"


def test_further_ndcs_of_one_line_stand_in_its_note() -> None:
    line = drug_line(
        code="J3262",
        units=280,
        ndc="50242013501",
        ndc_quantity=Decimal(4),
        extra_ndcs=(ExtraNdc("50242013601", "ML", Decimal("10")),),
    )
    text = x12.write(charge_of(line))
    assert named(text, "NTE") == [["NTE", "ADD", "N450242013601 ML10"]]
    assert [segment[0] for segment in segments(text)] == ["LX", "SV1", "DTP", "NTE", "LIN", "CTP"]


def test_pointers_count_in_the_claims_list_and_stop_at_four() -> None:
    codes = ("M54.50", "R52", "E11.9", "J18.9", "A41.9")
    charge = charge_of(drug_line(diagnoses=codes), diagnoses=codes)
    assert named(x12.write(charge), "SV1")[0][7] == "1:2:3:4"
    assert x12.diagnoses(charge) == codes
    assert [loss.value for loss in x12.losses(charge)] == ["A41.9"]


def test_an_outpatient_line_has_its_revenue_code_and_no_pointer() -> None:
    charge = charge_of(drug_line(revenue_code="0636"), claim="outpatient")
    assert named(x12.write(charge), "SV2") == [["SV2", "0636", "HC:J1885:JZ", "10", "UN", "2"]]
    assert {loss.field for loss in x12.losses(charge)} == {"diagnoses"}


def test_a_revenue_code_is_asked_for_and_may_be_given_by_code() -> None:
    charge = charge_of(drug_line(), claim="outpatient")
    with pytest.raises(FormatError, match=r"line 1 \(J1885\) has no revenue code \(SV201\)"):
        x12.write(charge)
    assert named(x12.write(charge, revenue_codes={"J1885": "0636"}), "SV2")[0][1] == "0636"


def test_an_amount_is_asked_for_and_is_the_price_of_one_unit() -> None:
    charge = charge_of(drug_line(charge_amount=None))
    with pytest.raises(FormatError, match=r"line 1 \(J1885\) has no charge \(SV102\)"):
        x12.write(charge)
    assert named(x12.write(charge, amounts={"J1885": "4.25"}), "SV1")[0][2] == "8.5"
    kept = charge_of(drug_line(charge_amount=None), charge_amounts=(("J1885", Decimal(3)),))
    assert named(x12.write(kept), "SV1")[0][2] == "6"


WRONG = {
    "a quantity of zero": ({"ndc_quantity": Decimal(0)}, "must be above 0"),
    "a negative quantity": ({"ndc_quantity": Decimal(-1)}, "must be above 0"),
    "a quantity that is no number": ({"ndc_quantity": Decimal("NaN")}, "must be above 0"),
    "a ten-digit NDC": ({"ndc": "0409379501"}, "11 digits without hyphens"),
    "an NDC with hyphens": ({"ndc": "00409-3795-01"}, "11 digits without hyphens"),
    "an NDC without quantity": ({"ndc_quantity": None, "ndc_qualifier": None}, "without quantity"),
    "a quantity without unit": ({"ndc_qualifier": None}, "half an NDC quantity"),
    "a quantity without NDC": ({"ndc": None}, "without its NDC"),
    "milligrams": ({"ndc_qualifier": "ME"}, "NDC unit 'ME'"),
    "MG": ({"ndc_qualifier": "MG"}, "NDC unit 'MG'"),
    "an NDC on a visit": ({"kind": "visit"}, "drug lines only"),
    "zero units": ({"units": 0}, "whole units above 0"),
    "fractional units": ({"units": 1.5}, "whole units above 0"),
    "true units": ({"units": True}, "whole units above 0"),
    "five modifiers": ({"modifiers": ("25", "59", "RT", "LT", "JZ")}, "5 modifiers"),
    "a long modifier": ({"modifiers": ("JZX",)}, "no modifier of two characters"),
    "a code of four characters": ({"code": "J188"}, "no HCPCS or CPT code"),
    "a negative charge": ({"charge_amount": Decimal(-1)}, "a charge that cannot be"),
    "a charge in tenths of a cent": ({"charge_amount": Decimal("1.001")}, "a charge that cannot be"),
    "no diagnosis": ({"diagnoses": ()}, r"no diagnosis \(SV107\)"),
    "a revenue code of three digits": ({"revenue_code": "636"}, "no revenue code of four digits"),
    "a description with a bell": ({"description": "a\x07"}, "no printable text"),
    "a quantity longer than CTP04": ({"ndc_quantity": Decimal("123456789")}, "holds 8 digits"),
}


@pytest.mark.parametrize(("changes", "says"), WRONG.values(), ids=WRONG)
def test_what_never_leaves(changes: dict[str, object], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        x12.write(charge_of(drug_line(**changes)))


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(FormatError) as caught:
        x12.write(charge_of(drug_line(ndc="1"), injection_line(units=0)))
    assert len(caught.value.problems) == 2
    assert caught.value.format == "x12"
    assert caught.value.place == "line 1"


def test_a_charge_that_stops_leaves_only_when_told() -> None:
    charge = charge_of(drug_line(), findings=(STOP,))
    with pytest.raises(FormatError, match="unit-limit stops this claim"):
        x12.write(charge)
    assert named(x12.write(charge, allow_stops=True), "SV1")[0][1] == "HC:J1885:JZ"


def test_telling_it_to_leave_does_not_make_a_bad_line_good() -> None:
    with pytest.raises(FormatError, match="11 digits"):
        x12.write(charge_of(drug_line(ndc="1"), findings=(STOP,)), allow_stops=True)


def test_a_charge_without_lines_and_what_is_no_charge_are_refused() -> None:
    with pytest.raises(FormatError, match="no line to bill"):
        x12.write(charge_of())
    with pytest.raises(FormatError, match="Encounter is no charge"):
        x12.write(charge_of(drug_line()).encounter)  # type: ignore[arg-type]


def test_milligrams_leave_only_on_request() -> None:
    charge = charge_of(drug_line(ndc_qualifier="ME"))
    assert named(x12.write(charge, allow_me=True), "CTP")[0][5] == "ME"


@pytest.mark.parametrize("text", ["1:1000", "5*3", "a~b", "up^down", "½ vial"])
def test_a_description_that_x12_cannot_hold_is_refused_and_not_changed(text: str) -> None:
    with pytest.raises(FormatError, match="which X12 cannot hold"):
        x12.write(charge_of(drug_line(description=text)))


def test_other_delimiters_let_a_colon_through() -> None:
    marks = x12.Delimiters(component=">")
    text = x12.write(charge_of(drug_line(code="J3490", description="1:1000")), delimiters=marks)
    assert "HC>J3490>JZ>>>>1:1000" in text
    assert x12.read(text, delimiters=marks, diagnoses=("M54.50",)).lines[0].description == "1:1000"


@pytest.mark.parametrize("marks", [{"component": "*"}, {"element": "A"}, {"segment": "~~"}, {"repetition": " "}])
def test_delimiters_are_four_different_marks(marks: dict[str, str]) -> None:
    with pytest.raises(FormatError, match="are no delimiters"):
        x12.Delimiters(**marks)


def test_units_too_long_for_sv104_become_more_lines_that_add_up() -> None:
    line = drug_line(units=150_000_000, ndc_quantity=Decimal("30"), modifiers=("JW",), kind="waste")
    found = x12.read(x12.write(charge_of(line)), diagnoses=("M54.50",)).lines
    assert [one.units for one in found] == [99_999_999, 50_000_001]
    assert [one.ndc_quantity for one in found] == [Decimal(20), Decimal(10)]
    assert {one.modifiers for one in found} == {("JW",)}


def test_lines_are_even_where_a_full_one_would_leave_no_quantity_for_the_last() -> None:
    line = drug_line(units=100_000_001, ndc_quantity=Decimal("30"))
    found = x12.read(x12.write(charge_of(line)), diagnoses=("M54.50",)).lines
    assert [one.units for one in found] == [50_000_001, 50_000_000]
    assert [one.ndc_quantity for one in found] == [Decimal(15), Decimal(15)]


def test_a_quantity_too_small_to_divide_is_refused() -> None:
    line = drug_line(units=100_000_001, ndc_quantity=Decimal("0.001"))
    with pytest.raises(FormatError, match="quantity of 0 after the units are divided"):
        x12.write(charge_of(line))


def test_units_that_need_more_lines_than_a_claim_holds_are_refused() -> None:
    with pytest.raises(FormatError, match="51 lines"):
        x12.write(charge_of(drug_line(units=99_999_999 * 50 + 1, ndc_quantity=Decimal(1000))))


def test_more_than_fifty_lines_are_more_than_one_claim() -> None:
    with pytest.raises(FormatError, match="51 lines, and one claim holds 50"):
        x12.write(charge_of(*[injection_line()] * 51))
    assert len(named(x12.write(charge_of(*[injection_line()] * 50)), "LX")) == 50


def test_thirteen_diagnoses_are_more_than_a_claim_holds() -> None:
    codes = tuple(f"M{n}.1" for n in range(10, 23))
    with pytest.raises(FormatError, match="13 diagnoses"):
        x12.write(charge_of(injection_line(diagnoses=codes[:1]), diagnoses=codes))


def test_several_ndcs_do_not_fit_an_institutional_line() -> None:
    line = drug_line(revenue_code="0636", extra_ndcs=(ExtraNdc("50242013601", "ML", Decimal(1)),))
    with pytest.raises(FormatError, match="one line for each NDC"):
        x12.write(charge_of(line, claim="outpatient"))


def test_the_loop_may_be_chosen_and_the_place_left_to_the_claim() -> None:
    charge = charge_of(drug_line(revenue_code="0636"))
    assert named(x12.write(charge, loop="institutional"), "SV2")[0][1] == "0636"
    assert named(x12.write(charge, place=False), "SV1")[0][5] == ""
    with pytest.raises(FormatError, match="no kind of 837"):
        x12.write(charge, loop="dental")


@given(charges())
def test_what_left_comes_back(charge: object) -> None:
    found = x12.read(x12.write(charge), diagnoses=x12.diagnoses(charge))  # type: ignore[arg-type]
    assert_same(charge, found.lines)  # type: ignore[arg-type]
    assert set(found.dates) == {"2026-03-02"}
    assert set(found.places) == {"11"}
    assert found.losses == ()


@given(charges(extras=False, claim="outpatient"))
def test_what_left_for_a_hospital_comes_back_without_its_diagnoses(charge: object) -> None:
    found = x12.read(x12.write(charge))  # type: ignore[arg-type]
    fields = {*FIELDS, "revenue_code"} - {"diagnoses"}
    assert_same(charge, found.lines, sorted(fields))  # type: ignore[arg-type]


# --- reading ---------------------------------------------------------------------------------------

LINE = "LX*1~SV1*HC:J1885:JZ*10*UN*2*11**1~DTP*472*D8*20260302~LIN**N4*00409379501~CTP****1*ML~"
BROKEN = {
    "SV1 outside a line": (LINE.removeprefix("LX*1~"), "stands outside a line"),
    "CTP03 in use": (LINE.replace("****1*ML", "***2*1*ML"), "CTP03 is not used here"),
    "no unit": (LINE.replace("*1*ML~", "*1~"), "'' in CTP05 is no NDC unit"),
    "a wrong unit": (LINE.replace("*ML~", "*MG~"), "'MG' in CTP05"),
    "no quantity": (LINE.replace("****1*ML", "*****ML"), "'' is no NDC quantity"),
    "quantity zero": (LINE.replace("****1*ML", "****0*ML"), "an NDC quantity of 0"),
    "a short NDC": (LINE.replace("00409379501", "0409379501"), "not the 11 digits"),
    "an NDC with hyphens": (LINE.replace("00409379501", "00409-3795-01"), "not the 11 digits"),
    "two NDCs": (LINE.replace("CTP", "LIN**N4*00409379502~CTP"), "a second NDC"),
    "LIN without CTP": (LINE.replace("CTP****1*ML~", ""), "LIN without its CTP"),
    "CTP without LIN": (LINE.replace("LIN**N4*00409379501~", ""), "CTP without LIN"),
    "fractional units": (LINE.replace("*UN*2*", "*UN*2.5*"), "2.5 units"),
    "zero units": (LINE.replace("*UN*2*", "*UN*0*"), "0 units"),
    "minutes": (LINE.replace("*UN*2*", "*MJ*2*"), "counts 'MJ'"),
    "units that are no number": (LINE.replace("*UN*2*", "*UN*1e3*"), "'1e3' is no unit count"),
    "a fifth modifier": (LINE.replace(":JZ", ":JZ:59:RT:LT:GY"), "a fifth modifier 'GY'"),
    "another code set": (LINE.replace("HC:", "WK:"), "'WK' is not HC"),
    "two services": (LINE.replace("DTP", "SV1*HC:96372*1*UN*1***1~DTP"), "a second service"),
    "a pointer by letter": (LINE.replace("**1~DTP", "**A~DTP"), "SV107 points with 'A'"),
    "no such month": (LINE.replace("20260302", "20261302"), "'20261302' is no date of service"),
    "LX without SV1": ("LX*1~" + LINE, "LX without SV1"),
    "nothing": ("ST*837*1~SE*2*1~", "there is no service line"),
    "no text": ("  ", "no X12 text"),
    "a cut text": (LINE[:-1], "was cut"),
    "a short ISA": ("ISA*00*~", "106 characters"),
}


@pytest.mark.parametrize("price", ["0", "0.00"])
def test_a_price_of_zero_in_the_drugs_quantity_says_nothing(price: str) -> None:
    """Texas Medicaid wants CTP03 to be 0."""
    (line,) = x12.read(LINE.replace("****1*ML", f"***{price}*1*ML")).lines
    assert (line.ndc, line.ndc_quantity, line.ndc_qualifier) == ("00409379501", 1, "ML")


@pytest.mark.parametrize(("text", "says"), BROKEN.values(), ids=BROKEN)
def test_broken_text_is_refused_with_its_segment(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        x12.read(text)


def test_what_a_line_cannot_hold_is_listed() -> None:
    text = LINE + "REF*XZ*123~REF*VY*9~DTP*471*D8*20260301~NTE*ADD*call Ann~NM1*DK*1*WELBY~"
    found = x12.read(text)
    assert [(loss.field, loss.value) for loss in found.losses] == [
        ("prescription number", "123"),
        ("reference VY", "9"),
        ("DTP", "20260301"),
        ("NTE", "call Ann"),
        ("NM1", "NM1*DK*1*WELBY"),
        ("diagnoses", "1"),
    ]
    assert str(found.losses[0]).startswith("line 1: prescription number '123' is not carried")


def test_a_supply_is_listed_and_its_count_is_no_ndc_quantity() -> None:
    found = x12.read(LINE.replace("N4*00409379501", "UP*012345678905"))
    assert found.lines[0].ndc is None
    assert found.lines[0].ndc_quantity is None
    assert found.losses[0].field == "LIN"


def test_a_whole_claim_brings_delimiters_place_and_diagnoses() -> None:
    head = "ISA|00|          |00|          |ZZ|A              |ZZ|B              |260302|1017|^|00501|000000001|0|T|>'"
    body = (
        "ST|837|1'CLM|X|45|||23>B>1'HI|ABK>M5450|ABF>R52|BK>E8889|BF>4659'"
        "LX|1'SV1|HC>J1885>JZ|10|UN|2|||1>2>3>4'DTP|472|RD8|20260302-20260304'SE|5|1'"
    )
    found = x12.read(head + body)
    assert found.lines[0].diagnoses == ("M54.50", "R52", "E888.9", "465.9")
    assert found.places == ("23",)
    assert found.dates == ("2026-03-02/2026-03-04",)


@settings(max_examples=200)
@given(st.text("LXSV1HCDTPINM4*:~^0123456789.J ", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        units = [line.units for line in x12.read(text).lines]
    except FormatError:
        units = [1]
    assert min(units) >= 1


@pytest.mark.parametrize("form", ["x12", "cms1500", "claimjson"])
def test_an_unclassified_code_without_words_is_refused_and_they_may_be_given(form: str) -> None:
    charge = charge_of(drug_line(code="J3490"))
    with pytest.raises(FormatError, match=r"line 1 \(J3490\) is an unclassified code without description"):
        formats.write(form, charge)
    told = {"J3490": "Sodium chloride 0.9% 10 mL", "J1885": "never used"}
    text = formats.write(form, charge_of(drug_line(code="J3490"), drug_line()), descriptions=told)
    assert "Sodium chloride 0.9% 10 mL" in text


def test_the_limits_themselves_are_allowed() -> None:
    exact = charge_of(drug_line(ndc_quantity=Decimal("12345678")))
    assert named(x12.write(exact), "CTP")[0][4] == "12345678"
    free = charge_of(drug_line(charge_amount=Decimal(0)))
    assert named(x12.write(free), "SV1")[0][2] == "0"
    fifty = charge_of(drug_line(units=99_999_999 * 50, ndc_quantity=Decimal(1000)))
    assert len(named(x12.write(fifty), "LX")) == 50
    four = charge_of(drug_line(diagnoses=("M54.50", "R52", "E11.9", "J18.9")))
    assert x12.losses(four) == ()
    assert named(x12.write(charge_of(drug_line(units=99_999_999))), "SV1")[0][4] == "99999999"
    twelve = tuple(f"M{n}.1" for n in range(10, 22))
    assert named(x12.write(charge_of(injection_line(diagnoses=twelve[11:]), diagnoses=twelve)), "SV1")[0][7] == "12"


def test_the_line_that_is_wrong_is_named() -> None:
    small = drug_line(units=100_000_001, ndc_quantity=Decimal("0.001"))
    with pytest.raises(FormatError, match=r"line 2 \(J1885\) would carry an NDC quantity of 0"):
        x12.write(charge_of(injection_line(), small))
    with pytest.raises(FormatError, match=r"half an NDC quantity \(ML\)"):
        x12.write(charge_of(drug_line(ndc_quantity=None)))
    with pytest.raises(FormatError, match=r"half an NDC quantity \(1\)"):
        x12.write(charge_of(drug_line(ndc_qualifier=None)))
    with pytest.raises(FormatError, match=r"amounts: 'ten' is no amount of money \(J1885\)"):
        x12.write(charge_of(drug_line(charge_amount=None)), amounts={"J1885": "ten"})
    with pytest.raises(FormatError, match="is no amount of money"):
        x12.write(charge_of(drug_line(charge_amount=None)), amounts={"J1885": True})


def test_text_of_eighty_characters_is_the_most() -> None:
    line = drug_line(code="J3490", description="x" * 80)
    assert "x" * 80 in x12.write(charge_of(line))
    with pytest.raises(FormatError, match=r"line 2 \(J3490\): the text 'x+' is not 1 to 80 characters"):
        x12.write(charge_of(injection_line(), drug_line(code="J3490", description="x" * 81)), first=7)


def test_an_isa_of_105_characters_is_cut() -> None:
    isa = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'A':15}*ZZ*{'B':15}*260302*1017*^*00501*000000001*0*T*:~"
    assert len(isa) == 106
    assert x12.read(isa + LINE).lines[0].code == "J1885"
    with pytest.raises(FormatError, match="106 characters"):
        x12.read(isa.replace("*T*", "*T") + LINE)


ENVELOPE = (
    f"ISA*00*{'':10}*00*{'':10}*ZZ*{'A':15}*ZZ*{'B':15}*260302*1017*^*00501*000000001*0*P*:~GS*HC*A*B*20260302*1017*1*X*005010X222A1~"
    "ST*837*0001*005010X222A1~CLM*C1*10***11:B:1*Y*A*Y*Y~LX*1~SV1*HC:J1885*10*UN*2*11**1~DTP*472*D8*20260302~"
    "SE*6*0001~GE*1*1~IEA*1*000000001~"
)


def test_a_whole_interchange_loses_nothing() -> None:
    assert [loss.field for loss in x12.read(ENVELOPE).losses] == ["diagnoses"]


@pytest.mark.parametrize(
    ("was", "now", "field"),
    [
        ("*0*P*:~", "*0*T*:~", "ISA15"),
        ("SE*6*", "SE*7*", "SE01"),
        ("GE*1*", "GE*2*", "GE01"),
        ("IEA*1*", "IEA*9*", "IEA01"),
        ("GE*1*1~IEA*1*000000001~", "", "GE"),
        ("IEA*1*000000001~", "", "IEA"),
    ],
)
def test_test_data_and_counts_that_do_not_fit_are_said(was: str, now: str, field: str) -> None:
    assert field in [loss.field for loss in x12.read(ENVELOPE.replace(was, now)).losses]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("SE*6*0001", "SE*6*0002", "SE02 is not the control number of its ST"),
        ("GE*1*1~", "GE*1*7~", "GE02 is not the control number of its GS"),
        ("*000000001~", "*000000009~", "IEA02 is not the control number of its ISA"),
        ("SE*6*0001~", "", "ends no GS"),
        ("ST*837*", "ST*835*", "ST01 is '835', and a claim is 837"),
    ],
)
def test_an_interchange_that_was_joined_or_is_no_claim_is_refused(was: str, now: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        x12.read(ENVELOPE.replace(was, now))


@pytest.mark.parametrize("claim", ["professional", "outpatient"])
def test_a_new_drug_without_a_code_leaves_with_what_was_opened(claim: str) -> None:
    given = {"drug": "J3490", "description": "newdrug 20 mg/2 mL", "dose": "20 mg", "route": "IV push"}
    given |= {"ndc": "99999-0739-12", "containers": 1}
    day = {"on": "2026-03-02", "place": "11" if claim == "professional" else "22", "claim": claim, "diagnoses": ["R52"]}
    beside = {"revenue_codes": {"drug": "0636", "administration": "0510"}} if claim == "outpatient" else {}
    amounts = {"J3490": "10", "96374": "90"}

    def write(**more: str) -> str:
        made = jc.charge(jc.Encounter.from_dict({**day, "administrations": [{**given, **more}]}))
        return x12.write(made, amounts=amounts, **beside)

    with pytest.raises(FormatError, match="form, containers, container_amount, container_volume"):
        write()
    text = write(form="liquid", container_amount="20 mg", container_volume="2 mL")
    assert named(text, "CTP") == [["CTP", "", "", "", "2", "ML"]]
    assert "newdrug 20 mg/2 mL" in text


@pytest.mark.parametrize("guides", [("005010X224A2", "005010X224A2"), ("004010X097A1", ""), ("005010X224A3", "")])
def test_a_dental_claim_is_refused_as_what_it_is(guides: tuple[str, str]) -> None:
    group = f"GS*HC*A*B*20260302*1200*1*X*{guides[0]}~ST*837*0001*{guides[1]}~"
    line = "CLM*1*100***11:B:1*Y*A*Y*Y~LX*1~SV1*HC:J1885*10*UN*2*11~DTP*472*D8*20260302~"
    with pytest.raises(FormatError, match=r"dental claim \(837D\)"):
        x12.read(group + line)


def test_a_dental_service_is_no_error_of_the_drug_lines() -> None:
    drug = "LX*1~SV1*HC:J1885*10*UN*2*11~DTP*472*D8*20260302~"
    found = x12.read(drug + "LX*2~SV3*AD:D9612*40****1~DTP*472*D8*20260302~")
    assert [line.code for line in found.lines] == ["J1885"]
    assert any("D9612" in str(loss) and "dental" in str(loss) for loss in found.losses)


def test_a_hospitals_bill_has_no_place_and_a_number_that_comes_again_is_said() -> None:
    line = "LX*1~SV2*0636*HC:J1885*10*UN*2~DTP*472*D8*20260302~"
    claim = f"CLM*C1*10***13:A:1**A*Y*Y~{line}"
    found = x12.read(claim + claim.replace("13:A", "22:B").replace("C1", "C2"))
    assert found.places == ("", "22")
    assert not [loss for loss in found.losses if loss.field == "CLM01"]
    [again] = [loss for loss in x12.read(claim + claim).losses if loss.field == "CLM01"]
    assert "claim 2" in str(again)
    assert "C1" not in str(again)


def test_a_claims_total_that_its_lines_do_not_add_up_to_is_said() -> None:
    """CLM02 is the sum of the service lines, those that are no drug too; the total of a hospital's bill is no line."""

    def claim(total: str, *services: str) -> str:
        lines = "".join(f"LX*{at}~{one}~DTP*472*D8*20260302~" for at, one in enumerate(services, 1))
        return f"CLM*C1*{total}***11:B:1*Y*A*Y*Y~HI*ABK:R52~{lines}"

    def said(text: str) -> list[tuple[str, str]]:
        return [(loss.value, loss.reason) for loss in x12.read(text).losses if loss.field == "CLM02"]

    drug, room, total = "SV1*HC:J1885*10*UN*2*11**1", "SV2*0120**90.50*DA*1", "SV2*0001**10*UN*1"
    assert said(claim("10", drug)) == said(claim("10.00", drug)) == said(claim("20", drug, drug)) == []
    assert said(claim("10", "SV2*0636*HC:J1885*10*UN*2", total)) == said(claim("100.5", drug, room)) == []
    [(value, reason)] = said(claim("50", drug, room))
    assert value == "50"
    assert "add up to 100.5" in reason
    both = said(claim("10", drug) + claim("30", drug).replace("C1", "C2"))
    assert [value for value, _ in both] == ["30"]
    assert said(claim("", drug)) == []


@pytest.mark.parametrize(
    ("segment", "lost"),
    [
        ("LIN**N4*00409379501*LT*LOT1~CTP****1*ML", ["LIN04 'LT'", "LIN05 'LOT1'"]),
        ("LIN**N4*00409379501*N4*00409733201~CTP****1*ML", ["LIN04 'N4'", "LIN05 '00409733201'"]),
        ("LIN**N4*00409379501~CTP****1*ML:2:10", ["CTP '2'", "CTP '10'"]),
        ("LIN**N4*00409379501~CTP****1*ML*DIS*0.5", ["CTP 'DIS'", "CTP '0.5'"]),
        ("LIN**N4*00409379501~CTP****1*ML:", []),
    ],
)
def test_what_stands_behind_an_ndc_or_its_quantity_is_a_loss(segment: str, lost: list[str]) -> None:
    found = x12.read(f"LX*1~SV1*HC:J1885*10*UN*2*11**1~DTP*472*D8*20260302~{segment}~", diagnoses=["R52"])
    assert [(line.ndc, line.ndc_quantity) for line in found.lines] == [("00409379501", Decimal(1))]
    said = [str(loss) for loss in found.losses]
    assert len(said) == len(lost)
    assert all(any(one in text for text in said) for one in lost)
