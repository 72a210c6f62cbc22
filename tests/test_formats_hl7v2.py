"""HL7 v2: administrations in by position and status, charges out as FT1, and what comes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_charges import FIELDS, STOP, assert_same, charge_of, charges, drug_line, injection_line

from jcodeunits.claim import Charge, ExtraNdc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import EncounterError, FormatError
from jcodeunits.formats import hl7v2

MSH = r"MSH|^~\&|BCMA|CLINIC|EHR|CLINIC|20260302101600||RAS^O17^RAS_O17|1|P|2.5.1"
RXA = {
    1: "0",
    2: "1",
    3: "20260302101500",
    4: "20260302101500",
    5: "0409-3795-01^KETOROLAC 30 MG/ML^NDC",
    6: "30",
    7: "mg^milligram^UCUM",
    13: "30",
    14: "mg/mL^^UCUM",
    15: "XYZ2025",
    16: "20270331",
    20: "CP",
    21: "A",
}
RXR = {1: "IM^Intramuscular^HL70162", 2: "LD^Left deltoid^HL70163"}


def segment(name: str, values: dict[int, str]) -> str:
    return "|".join([name, *(values.get(n, "") for n in range(1, max(values) + 1))])


def ras(*, rxr: dict[int, str] | None = None, head: str = MSH, **rxa: str) -> str:
    """A message of one administration; a keyword such as f20="RE" changes that RXA field."""
    changed = {**RXA, **{int(name[1:]): value for name, value in rxa.items()}}
    return "\r".join([head, "PID|1||MRN1", "ORC|RE|ORD1", segment("RXA", changed), segment("RXR", rxr or RXR)])


def read(text: str, **beside: Any) -> Encounter:
    found = hl7v2.read(text, place="11", **beside)
    assert isinstance(found, Encounter)
    return found


# --- in --------------------------------------------------------------------------------------------


def test_an_administration_is_read_by_position() -> None:
    found = read(ras(f10="99^SMITH"))
    given = found.administrations[0]
    assert str(found.on) == "2026-03-02"
    assert (given.drug, given.dose, given.route, given.site) == ("0409-3795-01", "30 mg", "IM", "Left deltoid")
    assert (given.products[0].ndc, given.time, given.performer) == ("0409-3795-01", "10:15", "99")
    assert given.order is None  # two doses of one order are not one dose in two places


def test_lot_and_expiry_are_kept_and_an_expired_product_is_reported() -> None:
    found = hl7v2.reading(ras(), place="11")
    assert found.batches[0] is not None
    assert (found.batches[0].lot, str(found.batches[0].expiry)) == ("XYZ2025", "2027-03-31")
    assert found.findings == ()
    late = hl7v2.reading(ras(f16="20260301"), place="11")
    assert [(one.rule, one.severity) for one in late.findings] == [("product-expired", "warn")]
    assert hl7v2.reading(ras(f16="20260302"), place="11").findings == ()


REFUSED = {
    "refused": ({"f20": "RE"}, "completion status is RE"),
    "not administered": ({"f20": "NA"}, "completion status is NA"),
    "in part": ({"f20": "PA"}, r"in part \(PA\).*partial=True"),
    "status not said": ({"f20": ""}, "does not say whether it was given.*completed=True"),
    "an unknown status": ({"f20": "XX"}, "'XX', which is no completion status"),
    "an action in the place of the status": ({"f20": "A"}, "'A', which is no completion status"),
    "refusal in RXA-19": ({"f19": "RE", "f20": "", "f21": ""}, "RE .refused. stands in RXA-19 and RXA-20 is empty"),
    "completion in RXA-21": ({"f20": "", "f21": "CP"}, "CP .complete. stands in RXA-21 and RXA-20 is empty"),
    "completion in RXA-18": ({"f18": "CP", "f20": "A"}, "stands in RXA-18 and RXA-20 is A"),
    "deleted": ({"f21": "D"}, "deletes an administration"),
    "updated": ({"f21": "U"}, "updates an administration"),
    "an unknown action": ({"f21": "Q"}, "has the action 'Q'"),
    "historical": ({"f9": "01^Historical^NIP001"}, r"historical record \(01\)"),
    "no amount": ({"f6": ""}, "amount given is not said"),
    "unknown amount": ({"f6": "999"}, "999 stands for an unknown amount"),
    "zero": ({"f6": "0"}, "above 0"),
    "a word for an amount": ({"f6": "thirty"}, "'thirty' is no amount"),
    "no unit": ({"f7": ""}, "RXA-7: 30 has no unit"),
    "an unknown unit": ({"f7": "puffs^^L"}, "'puffs' is no unit"),
    "unit and text disagree": ({"f7": "mg^microgram^UCUM"}, "code says mg and its text says microgram"),
    "no drug": ({"f5": "^^NDC"}, "no NDC, HCPCS code or text"),
    "no day": ({"f3": "2026"}, "'2026' names no day"),
    "ends before it starts": ({"f4": "20260302091500"}, "ends .* before it starts"),
    "lasts two days": ({"f4": "20260304091500"}, "lasts a day or more"),
    "an unknown route": ({"rxr": {1: "ZZ^by pigeon"}}, "'ZZ' / 'by pigeon' is no known route"),
}


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_billed_says_why(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        read(ras(**changes))


def test_the_callers_word_lets_a_part_and_an_unsaid_status_through() -> None:
    assert read(ras(f20="PA", f6="15"), partial=True).administrations[0].dose == "15 mg"
    assert read(ras(f20=""), completed=True).administrations[0].dose == "30 mg"
    assert read(ras(f9="00^Administered^NIP001")).administrations[0].dose == "30 mg"


@pytest.mark.parametrize(
    "astray", [{"f19": "CP", "f20": "", "f21": ""}, {"f20": "", "f21": "Given"}, {"f19": "CP", "f20": "A"}]
)
def test_a_completion_in_another_field_counts_on_the_callers_word(astray: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"stands in RXA-\d\d .*completed=True"):
        read(ras(**astray))
    assert read(ras(**astray), completed=True).administrations[0].dose == "30 mg"


@pytest.mark.parametrize("astray", [{"f20": "", "f21": "Refused"}, {"f19": "NA", "f20": "A"}, {"f17": "PA", "f20": ""}])
def test_a_refusal_in_another_field_stays_one(astray: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"stands in RXA-\d\d"):
        read(ras(**astray), completed=True, partial=True)


@pytest.mark.parametrize(
    "said", ["01^Historical^NIP0001", "05^^L", "^Historical information", "06", "00^Historical^NIP001"]
)
def test_a_historical_record_is_known_by_code_or_word_whoever_vouches(said: str) -> None:
    with pytest.raises(FormatError, match="historical record"):
        read(ras(f9=said, f20=""), completed=True)


def test_the_callers_word_does_not_turn_a_refusal_round() -> None:
    with pytest.raises(FormatError, match="stands in RXA-19"):
        read(ras(f19="RE", f20=""), completed=True, partial=True)


@pytest.mark.parametrize(
    ("kind", "what"),
    [("RDE^O11", "an encoded order"), ("OMP^O09", "an order"), ("RDS^O13", "a dispense"), ("RGV^O15", "a dose")],
)
def test_an_order_or_a_dispense_is_never_billed(kind: str, what: str) -> None:
    with pytest.raises(FormatError, match=f"is {what}.*never billed"):
        hl7v2.read(ras(head=MSH.replace("RAS^O17", kind)), place="11")


def test_an_order_without_its_header_is_known_by_its_segments() -> None:
    with pytest.raises(FormatError, match="RDE is an encoded order"):
        hl7v2.read("RXE|^Q24H|X^ceftriaxone|2||g\rRXR|IM", place="11")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no HL7 text"),
        ("MSH|^", "too short"),
        ("PID|1||MRN1", "no message of administrations"),
        (MSH + "\r" + ras(), "2 messages"),
        (MSH.replace("RAS^O17", "ADT^A01"), "ADT is no message"),
        (MSH, "holds no administration"),
    ],
)
def test_what_is_no_message_is_refused(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        hl7v2.read(text, place="11")


def test_place_and_route_must_stand_somewhere() -> None:
    with pytest.raises(FormatError, match="does not say where: give place="):
        hl7v2.read(ras())
    bare = ras().rsplit("\r", 1)[0]
    with pytest.raises(FormatError, match="does not say the route: give route="):
        read(bare)
    assert read(bare, route="IM").administrations[0].route == "IM"
    with pytest.raises(FormatError, match="does not say when"):
        read(ras(f3="", f4=""))
    assert str(read(ras(f3="", f4=""), on="2026-03-02").on) == "2026-03-02"


def test_what_stands_beside_the_message_joins_it() -> None:
    visit = {"code": "99213", "separate": True}
    found = read(ras(), payer="medicaid", containers=1, discarded="0 mg", visit=visit)
    product = found.administrations[0].products[0]
    assert (product.ndc, product.containers, product.discarded) == ("0409-3795-01", 1, "0 mg")
    assert found.payer == "medicaid"
    assert found.visit is not None
    assert found.visit.code == "99213"


def test_what_contradicts_the_message_is_refused() -> None:
    with pytest.raises(FormatError, match="says dose '30 mg' and '60 mg' was given"):
        read(ras(), dose="60 mg")
    with pytest.raises(FormatError, match="says route 'IM'"):
        read(ras(), route="SC")
    with pytest.raises(FormatError, match="says 2026-03-02 and on= says 2026-03-03"):
        read(ras(), on="2026-03-03")
    with pytest.raises(FormatError, match="names the NDC 0409-3795-01, which products= does not hold"):
        read(ras(), products=[{"ndc": "0409-3796-01"}])
    with pytest.raises(FormatError, match="Did you mean 'place'"):
        hl7v2.read(ras(), plaec="11")


def test_what_is_more_exact_than_the_message_is_taken() -> None:
    intravenous = ras(rxr={1: "IV^Intravenous^HL70162"})
    assert read(intravenous).administrations[0].route == "IV"
    assert read(intravenous, route="IV push").administrations[0].route == "IV push"
    assert read(ras(), drug="J1885").administrations[0].drug == "J1885"


def test_a_method_makes_iv_exact_and_a_device_does_not() -> None:
    # IVP is IV push in the method (table 0165) and an IV pump in the device (table 0164).
    assert read(ras(rxr={1: "IV", 4: "IVP"})).administrations[0].route == "IV push"
    assert read(ras(rxr={1: "IV", 4: "IVPB"})).administrations[0].route == "IV infusion"
    assert read(ras(rxr={1: "IV", 3: "IVP"})).administrations[0].route == "IV"


@pytest.mark.parametrize(
    ("coded", "drug"),
    [
        ("J1885^ketorolac^HCPCS", "J1885"),
        ("1665459^1 ML ketorolac tromethamine 30 MG/ML Injection^RxNorm", "ketorolac tromethamine"),
        ("32592^Oxaliplatin^RxNorm", "Oxaliplatin"),
        ("X1^local name^L^00409-3795-01^KETOROLAC^NDC", "00409-3795-01"),
        ("^Toradol 30 mg/mL", "Toradol"),
        ("X1^local name^L^35827^ketorolac^RxNorm^^^^00409-3795-01^KETOROLAC^NDC", "00409-3795-01"),
        ("X1^^L^^^^^^ketorolac 30 mg/mL injection", "ketorolac"),
    ],
)
def test_the_drug_has_its_most_exact_name(coded: str, drug: str) -> None:
    assert read(ras(f5=coded)).administrations[0].drug == drug


@pytest.mark.parametrize(
    "changes",
    [
        {"f5": "35827^ketorolac^RxNorm^^^^^^ceftriaxone 1 g injection"},
        {"f5": "35827^ketorolac^RxNorm^^^^^^^00409-7332-01^ceftriaxone^NDC"},
        {"rxr": {1: "IM^^HL70162^^^^^^IV push"}},
        {"rxr": {1: "IM^^HL70162^^^^^^^34206005^^SCT"}},
        {"rxr": {1: "IM", 2: "LD^left deltoid~RD^right deltoid"}},
    ],
)
def test_the_last_components_of_a_coded_element_are_compared_too(changes: dict[str, Any]) -> None:
    """The text that was coded (9) and from v2.7 a second alternate code (10 to 12)."""
    with pytest.raises(FormatError, match="contradict"):
        read(ras(**changes))


@pytest.mark.parametrize(
    ("amount", "unit", "dose"),
    [
        ("30.0", "mg^^UCUM", "30 mg"),
        (".5", "mL", "0.5 mL"),
        ("+2", "g", "2 g"),
        ("100", "ug^^UCUM", "100 mcg"),
        ("5000", "[USP'U]^^UCUM", "5000 USP units"),
        ("40", "[iU]^^UCUM", "40 IU"),
        ("10", "meq^^UCUM", "10 mEq"),
        ("1.5", "mg/kg^^UCUM", "1.5 mg/kg"),
        ("30", "^mg", "30 mg"),
    ],
)
def test_amounts_are_exact_and_units_are_of_a_closed_list(amount: str, unit: str, dose: str) -> None:
    assert read(ras(f6=amount, f7=unit)).administrations[0].dose == dose


def test_a_volume_brings_its_strength() -> None:
    assert read(ras(f6="1", f7="mL^^UCUM")).administrations[0].concentration == "30 mg/mL"
    fields = {"f6": "1", "f7": "mL^^UCUM", "f13": "250", "f14": "mg^^UCUM", "f23": "5", "f24": "mL^^UCUM"}
    split = ras(f5="^ketorolac", **fields)
    assert read(split).administrations[0].concentration == "250 mg/5 mL"
    assert read(ras()).administrations[0].concentration is None
    bare = {"f6": "1", "f7": "mL", "f13": "", "f14": ""}
    assert read(ras(f5="0409-3795-01^KETOROLAC^NDC", **bare)).administrations[0].concentration is None
    assert read(ras(**bare)).administrations[0].concentration == "30 mg/mL"  # the drug's own text says it


def test_a_strength_that_the_drugs_text_contradicts_is_asked() -> None:
    against = ras(f5="^ketorolac 30 MG/ML injection", f6="1", f7="mL", f13="15", f14="mg/mL")
    with pytest.raises(FormatError, match=r"its strength is '15 mg/mL' and its drug's text says '30 mg/mL'.*give conc"):
        read(against)
    assert read(against, concentration="15 mg/mL").administrations[0].concentration == "15 mg/mL"


def test_a_day_that_the_calendar_lacks_and_a_modifier_that_is_none_are_refused() -> None:
    with pytest.raises(FormatError, match="FT1-4 '20260230' names no day"):
        hl7v2.read(segment("FT1", {**FT1, 4: "20260230"}))
    with pytest.raises(FormatError, match="'JZJW': a modifier has two letters or digits"):
        hl7v2.read(segment("FT1", {**FT1, 26: "JZJW"}))


def test_start_and_stop_are_kept_over_midnight() -> None:
    given = read(ras(f3="20260302233000", f4="20260303004500", rxr={1: "IV"})).administrations[0]
    assert (given.start, given.stop, given.minutes) == ("23:30", "00:45", 75)


def test_two_rxa_of_one_group_share_the_route_that_follows() -> None:
    rxa = segment("RXA", RXA)
    text = "\r".join([MSH, "PID|1||MRN1", rxa, segment("RXA", {**RXA, 6: "15"}), segment("RXR", RXR)])
    found = read(text)
    assert [(one.dose, one.route) for one in found.administrations] == [("30 mg", "IM"), ("15 mg", "IM")]
    with pytest.raises(FormatError, match="2 administrations: give administrations="):
        read(text, discarded="0 mg")
    told = read(text, administrations=[{"discarded": "0 mg"}, {"discarded": "15 mg"}])
    assert [one.products[0].discarded for one in told.administrations] == ["0 mg", "15 mg"]


def test_what_was_refused_beside_what_was_given_is_a_finding() -> None:
    rows = [MSH, "PID|1||MRN1", segment("RXA", RXA), segment("RXR", RXR)]
    text = "\r".join([*rows, "ORC|RE|2", segment("RXA", {**RXA, 20: "RE"}), segment("RXR", RXR)])
    found = hl7v2.reading(text, place="11")
    assert len(found.encounter.administrations) == 1
    assert [(one.rule, one.severity) for one in found.findings] == [("not-administered", "warn")]
    assert found.findings[0].citations
    with pytest.raises(FormatError, match=r"RXA in line 6: its completion status is RE.*reading\(\)"):
        read(text)


def test_two_patients_or_two_days_are_two_encounters() -> None:
    rows = [segment("RXA", RXA), segment("RXR", RXR)]
    with pytest.raises(FormatError, match=r"several patients \(2\)"):
        read("\r".join([MSH, "PID|1||A", *rows, "PID|2||B", *rows]))
    other = segment("RXA", {**RXA, 3: "20260303", 4: ""})
    with pytest.raises(FormatError, match="several days"):
        read("\r".join([MSH, "PID|1||A", *rows, other, segment("RXR", RXR)]))


def test_separators_line_ends_and_wrappers_are_the_senders() -> None:
    other = ras().replace("|", "#").replace("^", "@")
    assert read(other).administrations[0].dose == "30 mg"
    assert read("\x0b" + ras().replace("\r", "\r\n") + "\r\x1c\r").administrations[0].dose == "30 mg"
    assert hl7v2.read(ras().encode(), place="11") == read(ras())


def test_escapes_are_undone() -> None:
    found = read(ras(rxr={1: "IM", 2: r"X^arm \T\ hand\X0D\\.br\ left \Z9\ "}))
    assert found.administrations[0].site == "arm & hand\r\n left \\Z9\\"


@pytest.mark.parametrize("text", [r"\H\ketorolac\N\ 30 mg", r"ketorolac\.sp\30 mg", r"\.in+2\ketorolac\.sk3\injection"])
def test_how_a_text_is_shown_is_no_part_of_it(text: str) -> None:
    assert read(ras(f5=f"^{text}")).administrations[0].drug == "ketorolac"


def test_a_wrong_place_is_the_encounters_own_error() -> None:
    with pytest.raises(EncounterError, match="place"):
        hl7v2.read(ras(), place="office")


# --- out -------------------------------------------------------------------------------------------


def fields(text: str, number: int = 0) -> list[str]:
    return text.split("\r")[number].split("|")


def test_an_ft1_has_each_fact_in_its_position() -> None:
    row = fields(hl7v2.write(charge_of(injection_line(), drug_line())), 1)
    assert row[0] == "FT1"
    assert {n: row[n] for n in range(1, len(row)) if row[n]} == {
        1: "2",
        4: "20260302",
        6: "CG",
        7: "J1885^ketorolac^HCPCS",
        10: "2",
        11: "10&USD",
        19: "M54.50^^I10",
        25: "J1885^ketorolac^HCPCS",
        26: "JZ^^HCPCS",
        29: "00409379501^^NDC",
    }


def test_cpt_and_numeric_modifiers_name_their_own_system() -> None:
    row = fields(hl7v2.write(charge_of(injection_line(modifiers=("59", "RT")))))
    assert row[25] == "96372^^C4"
    assert row[26] == "59^^C4~RT^^HCPCS"
    assert len(row) == 27  # no NDC on a line without drug


@pytest.mark.parametrize("version", ["2.7", "2.7.1", "2.8", "2.8.2"])
def test_the_ndc_quantity_has_its_field_from_2_7(version: str) -> None:
    row = fields(hl7v2.write(charge_of(drug_line(ndc_quantity=Decimal("1.50"))), version=version))
    assert row[43] == "1.5^ML&&X12DE355"
    assert {loss.field for loss in hl7v2.losses(charge_of(drug_line()), version=version)} == {"place"}


@pytest.mark.parametrize("version", ["2.5", "2.5.1", "2.6"])
def test_before_2_7_it_is_lost_and_reported_or_rides_on_a_segment_of_the_hosts(version: str) -> None:
    charge = charge_of(drug_line(ndc_quantity=Decimal("1.50")))
    assert len(fields(hl7v2.write(charge, version=version))) == 30
    lost = {loss.field for loss in hl7v2.losses(charge, version=version)}
    assert lost == {"place", "ndc_quantity", "ndc_qualifier"}
    text = hl7v2.write(charge, version=version, z_segment="ZND")
    assert fields(text, 1) == ["ZND", "1", "NDC", "00409379501", "1.5", "ML"]
    assert_same(charge, hl7v2.read(text).lines, [f for f in FIELDS if f != "description"])
    assert {loss.field for loss in hl7v2.losses(charge, version=version, z_segment="ZND")} == {"place"}


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(FormatError, match=r"'2\.3' is no version"):
        hl7v2.write(charge_of(drug_line()), version="2.3")
    with pytest.raises(FormatError, match="'XND' is no Z segment"):
        hl7v2.write(charge_of(drug_line()), z_segment="XND")


def test_a_charge_that_stops_leaves_only_when_told() -> None:
    charge = charge_of(drug_line(), findings=(STOP,))
    with pytest.raises(FormatError, match="unit-limit stops this claim"):
        hl7v2.write(charge)
    assert fields(hl7v2.write(charge, allow_stops=True))[10] == "2"


def test_an_amount_is_not_required_here() -> None:
    assert fields(hl7v2.write(charge_of(drug_line(charge_amount=None))))[11] == ""


def test_text_is_escaped() -> None:
    charge = charge_of(drug_line(label="a|b^c&d~e\\f"))
    assert fields(hl7v2.write(charge))[7] == r"J1885^a\F\b\S\c\T\d\R\e\E\f^HCPCS"
    assert hl7v2.read(hl7v2.write(charge)).lines[0].label == "a|b^c&d~e\\f"


def test_further_ndcs_stand_in_a_note() -> None:
    text = hl7v2.write(charge_of(drug_line(extra_ndcs=(ExtraNdc("50242013601", "ML", Decimal(10)),))))
    assert fields(text, 1) == ["NTE", "1", "", "N450242013601 ML10"]


def test_units_of_seven_digits_become_two_segments() -> None:
    found = hl7v2.read(hl7v2.write(charge_of(drug_line(units=1_500_000, modifiers=("JW",)))))
    assert [line.units for line in found.lines] == [999_999, 500_001]
    assert {line.modifiers for line in found.lines} == {("JW",)}


@given(charges(most=9_999_999))
def test_what_left_at_2_8_comes_back(charge: Charge) -> None:
    found = hl7v2.read(hl7v2.write(charge, version="2.8"))
    assert_same(charge, found.lines, [field for field in FIELDS if field != "description"])
    assert found.losses == ()


@given(charges(most=9_999_999))
def test_what_left_at_2_5_1_comes_back_without_its_ndc_quantity(charge: Charge) -> None:
    kept = [field for field in FIELDS if field not in ("description", "ndc_qualifier", "ndc_quantity")]
    assert_same(charge, hl7v2.read(hl7v2.write(charge)).lines, kept)


FT1 = {1: "1", 4: "20260302", 6: "CG", 7: "J1885^ketorolac^HCPCS", 10: "2", 29: "00409379501^^NDC"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({6: "CR"}, "FT1-6 is 'CR'"),
        ({10: ""}, "FT1-10 is ''"),
        ({10: "2.5"}, "FT1-10 is '2.5'"),
        ({10: "0"}, "FT1-10 is '0'"),
        ({10: "30^mg"}, "FT1-10 is '30 mg', which is no count"),
        ({4: "March"}, "FT1-4 'March' names no day"),
        ({7: "CDM12^x^L"}, "neither FT1-25 nor FT1-7"),
        ({29: "0409379501^^NDC"}, "FT1-29"),
    ],
)
def test_a_broken_charge_is_refused_with_its_field(changes: dict[int, str], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        hl7v2.read(segment("FT1", {**FT1, **changes}))


def test_a_charge_that_is_no_drug_is_no_error_of_the_drug_lines() -> None:
    room = segment("FT1", {1: "2", 4: "20260302", 6: "CG", 7: "R1^Room^L", 10: "1"})
    visit = segment("FT1", {1: "3", 4: "20260302", 6: "CG", 25: "99213^Visit^C4"})
    found = hl7v2.read("\r".join([segment("FT1", FT1), room, visit]))
    assert [line.code for line in found.lines] == ["J1885"]
    assert [(loss.field, loss.value) for loss in found.losses] == [("FT1 in line 2", "R1"), ("FT1 in line 3", "99213")]
    with pytest.raises(FormatError, match="FT1 in line 1: no drug line: FT1-10 counts no units"):
        hl7v2.read(visit)
    credit = segment("FT1", {1: "2", 4: "20260302", 6: "CD", 7: "R1^Room^L", 10: "1"})
    with pytest.raises(FormatError, match="a credit"):
        hl7v2.read("\r".join([segment("FT1", FT1), credit]))


def test_what_a_line_cannot_hold_is_listed() -> None:
    coded = {19: "29857009^Chest pain^SCT~R52^^I10~M5450^^ICD10", 43: "5^385049006&Capsule&SCT"}
    row = segment("FT1", {**FT1, **coded})
    found = hl7v2.read("\r".join([row, "NTE|1||call Ann"]))
    assert found.lines[0].diagnoses == ("R52", "M54.50")
    assert [loss.field for loss in found.losses] == ["ndc_quantity", "diagnoses", "NTE"]


def test_a_broken_z_segment_and_facts_beside_charges_are_refused() -> None:
    row = segment("FT1", FT1)
    with pytest.raises(FormatError, match="is no NDC quantity"):
        hl7v2.read(f"{row}\rZND|1|NDC|00409379501|one|ML")
    with pytest.raises(FormatError, match="place= has no place beside it"):
        hl7v2.read(row, place="11")


@settings(max_examples=200)
@given(st.lists(st.text("RXAMSHFT1PID|^~&\\0123456789CPmg", max_size=60), max_size=4).map("\r".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = hl7v2.read(text, place="11")
    except (FormatError, EncounterError):
        found = None
    assert found is None or found.administrations or found.lines  # type: ignore[union-attr]


def test_the_same_segment_twice_is_not_two_doses() -> None:
    rxa = segment("RXA", RXA)
    with pytest.raises(FormatError, match="RXA in line 4: it repeats RXA in line 3"):
        read("\r".join([MSH, "PID|1||A", rxa, rxa, segment("RXR", RXR)]))
    two = read("\r".join([MSH, "PID|1||A", rxa, segment("RXA", {**RXA, 2: "2"}), segment("RXR", RXR)]))
    assert len(two.administrations) == 2


def test_times_in_utc_ask_for_the_day_at_the_place() -> None:
    # 02:15 UTC on 3 March is still 2 March in every place from New York to Honolulu.
    stamp = {"f3": "20260303021500+0000", "f4": ""}
    found = hl7v2.reading(ras(**stamp), place="11")
    assert [(one.rule, one.severity) for one in found.findings] == [("utc-day", "warn")]
    assert str(found.encounter.on) == "2026-03-03"
    assert str(read(ras(**stamp), on="2026-03-02").on) == "2026-03-02"
    moved = hl7v2.reading(ras(**stamp), place="11", zone="America/New_York")
    assert (str(moved.encounter.on), moved.encounter.administrations[0].time) == ("2026-03-02", "21:15")
    assert moved.findings == ()
    noon = hl7v2.reading(ras(f3="20260303170000+0000", f4=""), place="11")
    assert noon.findings == ()
    assert hl7v2.reading(ras(f3="20260303021500-0500", f4=""), place="11").findings == ()
    with pytest.raises(FormatError, match="'Atlantis' is no time zone"):
        read(ras(**stamp), zone="Atlantis")
    with pytest.raises(FormatError, match="is no time"):
        read(ras(f3="20260303990000+0000", f4=""), zone="America/New_York")


def test_a_unit_said_to_be_ucum_is_ucum() -> None:
    with pytest.raises(FormatError, match="'mcg' is no unit"):
        read(ras(f6="100", f7="mcg^^UCUM"))
    assert read(ras(f6="100", f7="mcg")).administrations[0].dose == "100 mcg"


def test_msh_may_leave_out_the_subcomponent_mark() -> None:
    assert read(ras(head=MSH.replace(r"^~\&", "^~\\"))).administrations[0].dose == "30 mg"


@pytest.mark.parametrize("field", ["f17", "f18", "f19", "f21", "f22"])
def test_a_status_next_to_its_field_is_reported(field: str) -> None:
    with pytest.raises(FormatError, match=rf"PA \(partially administered\) stands in RXA-{field[1:]} and RXA-20"):
        read(ras(**{"f21": "", "f20": "", field: "PA"}))


def test_a_route_may_stand_in_the_alternate_code() -> None:
    assert read(ras(rxr={1: "J7^into the muscle^L^IM^Intramuscular^HL70162"})).administrations[0].route == "IM"
    assert read(ras(rxr={1: "J7^into the muscle^L^X^Intramuscular^L"})).administrations[0].route == "IM"


def test_a_charge_code_is_no_procedure_unless_it_says_so() -> None:
    # FT1-7 may hold the house's own charge code; FT1-25 is a procedure by definition.
    with pytest.raises(FormatError, match="neither FT1-25 nor FT1-7"):
        hl7v2.read(segment("FT1", {**FT1, 7: "J1885"}))
    assert hl7v2.read(segment("FT1", {**FT1, 7: "12345", 25: "J1885"})).lines[0].code == "J1885"
    assert hl7v2.read(segment("FT1", {**FT1, 7: "J0696^^HCPCS", 25: "J1885^^HCPCS"})).lines[0].code == "J1885"


def test_amounts_are_read_from_ft1_11() -> None:
    assert hl7v2.read(segment("FT1", {**FT1, 11: "10.50&USD"})).lines[0].charge_amount == Decimal("10.50")
    assert hl7v2.read(segment("FT1", {**FT1, 11: "free"})).lines[0].charge_amount is None


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("202603021000", "202603021130", ("10:00", "11:30")),
        ("202603022330", "202603032329", ("23:30", "23:29")),
        ("202603022330", "202603032330", None),
        ("202603022330", "20260303", None),
        ("20260302", "202603031000", None),
        ("202603022330", "202603040100", None),
    ],
)
def test_an_administration_lasts_less_than_a_day(start: str, end: str, kept: tuple[str, str] | None) -> None:
    text = ras(f3=start, f4=end, rxr={1: "IV"})
    if kept is None:
        with pytest.raises(FormatError, match="lasts a day or more"):
            read(text)
    else:
        given_one = read(text).administrations[0]
        assert (given_one.start, given_one.stop) == kept


def test_noon_in_utc_is_the_same_day_everywhere_west_of_it() -> None:
    assert hl7v2.reading(ras(f3="202603031200+0000", f4=""), place="11").findings == ()
    assert len(hl7v2.reading(ras(f3="202603031159+0000", f4=""), place="11").findings) == 1
    assert hl7v2.reading(ras(f3="20260303+0000", f4=""), place="11").findings == ()


def test_an_amount_for_a_time_is_a_rate_and_no_dose() -> None:
    with pytest.raises(FormatError, match=r"RXA-12.*a rate.*give dose="):
        read(ras(f12="h^hour^ISO+"))
    assert read(ras(f12="h^hour^ISO+"), dose="30 mg").administrations[0].dose == "30 mg"


def test_an_indication_is_a_diagnosis() -> None:
    found = read(ras(f19="M54.50^Low back pain^I10~29857009^Pain^SCT"))
    assert found.administrations[0].diagnoses == ("M54.50",)


def test_the_second_coding_of_a_charge_is_read_and_two_that_differ_are_refused() -> None:
    both = {7: "", 25: "4500123^KETOROLAC 30^CDM^J1885^ketorolac^HCPCS", 29: "77^^L^00409379501^^NDC"}
    both |= {19: "3^back^L^M54.50^^I10"}
    found = hl7v2.read(segment("FT1", {**FT1, **both}))
    assert [(line.code, line.ndc, line.diagnoses) for line in found.lines] == [("J1885", "00409379501", ("M54.50",))]
    assert found.losses == ()
    for changes, says in (
        ({25: "J1885^^HCPCS^J0696^^HCPCS"}, "FT1-25 names"),
        ({29: "00409379501^^NDC^00409379601^^NDC"}, "FT1-29 names"),
    ):
        with pytest.raises(FormatError, match=says):
            hl7v2.read(segment("FT1", {**FT1, **changes}))
