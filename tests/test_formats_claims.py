"""Claims read back: what no line of a claim can be is refused by every door in the same words."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from made_charges import charge_of, drug_line

from jcodeunits import formats
from jcodeunits.errors import FormatError
from jcodeunits.formats import claimjson, cms1500, fhir, hl7v2, ub04, x12

CHARGE = charge_of(drug_line(modifiers=("JZ", "TB"), ndc_quantity=Decimal("1.5"), revenue_code="0636"))
# For each door a claim of one line, as its writer prints it.
DOORS: dict[str, tuple[str, str]] = {
    "x12 837P": ("x12", x12.write(CHARGE)),
    "x12 837I": ("x12", x12.write(CHARGE, loop="institutional")),
    "hl7v2 FT1": ("hl7v2", hl7v2.write(CHARGE)),
    "fhir Claim": ("fhir", fhir.write(CHARGE)),
    "fhir ChargeItem": ("fhir", fhir.write(CHARGE, resource="ChargeItem", patient="Patient/1")),
    "claimjson": ("claimjson", claimjson.write(CHARGE)),
    "cms1500": ("cms1500", cms1500.write(CHARGE)),
    "ub04": ("ub04", ub04.write(CHARGE)),
}
# A day as the doors write it, and one that the calendar lacks.
DAYS = {"20260302": "20260230", "2026-03-02": "2026-02-30", "03 02 26": "02 30 26", "030226": "023026"}


def no_day(text: str) -> str:
    for day, wrong in DAYS.items():
        text = text.replace(day, wrong)
    return text


# What is put into the text in place of what is right, and what the refusal says of it.
WRONG: dict[str, tuple[Callable[[str], str], str]] = {
    "a modifier": (lambda text: text.replace("TB", "T-"), "'T-': a modifier has two letters or digits"),
    "a code": (lambda text: text.replace("J1885", "J18X5"), "HCPCS or CPT code|no code with modifiers"),
    "a day": (no_day, "no day|no date of service"),
}


@pytest.mark.parametrize("door", DOORS)
def test_what_a_door_writes_it_reads(door: str) -> None:
    name, text = DOORS[door]
    found = formats.read(name, text)
    assert [(line.code, line.modifiers, line.units) for line in found.lines] == [("J1885", ("JZ", "TB"), 2)]
    assert found.dates == ("2026-03-02",)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("door", DOORS)
def test_what_no_line_can_be_is_refused_by_every_door(door: str, wrong: str) -> None:
    name, text = DOORS[door]
    change, says = WRONG[wrong]
    assert change(text) != text
    with pytest.raises(FormatError, match=says):
        formats.read(name, change(text))


@pytest.mark.parametrize("door", ["cms1500", "ub04"])
def test_an_amount_of_a_form_that_cannot_be_read_is_not_left_out(door: str) -> None:
    name, text = DOORS[door]
    with pytest.raises(FormatError, match="no amount"):
        formats.read(name, text.replace("10 00", "10.00").replace("     1000", "    10.00"))


def test_a_row_of_the_form_keeps_its_last_day_and_lists_the_boxes_that_a_line_has_no_field_for() -> None:
    shaded, row = DOORS["cms1500"][1].splitlines()
    assert cms1500.read(f"{shaded}\n{row[:9]}03 04 26{row[17:]}\n").dates == ("2026-03-02/2026-03-04",)
    emergency = f"{shaded}\n{row[:21]}Y{row[22:]} {'ZZ 1234567893':>12}\n"
    assert [(loss.line, loss.value) for loss in cms1500.read(emergency, diagnoses=("M54.50",)).losses] == [
        (1, "Y ZZ 1234567893")
    ]


def test_a_period_of_a_claim_item_is_two_days_whatever_its_times() -> None:
    item = json.loads(DOORS["fhir Claim"][1])["item"][0]
    period = {"start": "2026-03-02T10:00:00-05:00", "end": "2026-03-03T11:00:00-05:00"}
    item = {key: value for key, value in item.items() if key != "servicedDate"} | {"servicedPeriod": period}
    assert fhir.read({"item": [item]}).dates == ("2026-03-02/2026-03-03",)


CLAIM_837I = "CLM*C1*10***13:A:1*Y*A*Y*Y~{}LX*1~SV2*0636*HC:J1885*10*UN*2~{}"


@pytest.mark.parametrize(
    ("statement", "line", "day"),
    [
        ("DTP*434*D8*20260302~", "", "2026-03-02"),
        ("DTP*434*RD8*20260302-20260302~", "", "2026-03-02"),
        ("DTP*434*RD8*20260302-20260304~", "", "2026-03-02/2026-03-04"),
        ("DTP*434*RD8*20260302-20260304~", "DTP*472*D8*20260303~", "2026-03-03"),
        ("", "", ""),
    ],
)
def test_a_line_without_a_day_of_its_own_has_those_of_its_statement(statement: str, line: str, day: str) -> None:
    assert x12.read(CLAIM_837I.format(statement, line)).dates == (day,)


@pytest.mark.parametrize(
    ("segment", "field"), [("REF*F8*PAYER7~", "REF F8"), ("CAS*CO*45*5~", "CAS"), ("HI*ABK:R52~", "")]
)
def test_what_a_claim_says_of_another_claim_is_a_loss(segment: str, field: str) -> None:
    losses = x12.read(CLAIM_837I.format(segment, "")).losses
    assert [loss.field for loss in losses] == [field] * bool(field)


def test_a_range_of_codes_is_no_silent_part_of_a_service() -> None:
    text = CLAIM_837I.format("", "").replace("HC:J1885", "HC:J1885::::::J1890")
    assert [loss.value for loss in x12.read(text).losses] == ["J1890"]


def test_what_stands_behind_the_charge_on_a_ub_04_row_is_a_loss() -> None:
    row = DOORS["ub04"][1].rstrip("\n")
    assert [(loss.line, loss.value) for loss in ub04.read(f"{row}      5.00\n").losses] == [(1, "5.00")]


@pytest.mark.parametrize("amount", ["$25.00", "25,00", "(25.00)", "free"])
def test_an_amount_of_a_charge_that_is_no_number_is_listed(amount: str) -> None:
    row = DOORS["hl7v2 FT1"][1].split("|")
    row[11] = amount
    found = hl7v2.read("|".join(row))
    assert [(loss.field, loss.value) for loss in found.losses] == [("FT1-11", amount)]


def test_a_charge_code_that_is_another_procedure_is_listed() -> None:
    row = DOORS["hl7v2 FT1"][1].split("|")
    row[7] = "J0696^^HCPCS"
    found = hl7v2.read("|".join(row))
    assert [(line.code, loss.value) for line, loss in zip(found.lines, found.losses, strict=True)] == [
        ("J1885", "J0696")
    ]


def test_what_stands_around_a_claim_of_a_clearing_house_is_listed_too() -> None:
    claim = json.loads(DOORS["claimjson"][1])
    found = claimjson.read({"usageIndicator": "T", "submitter": {}, "payerPaid": 5, "claimInformation": claim})
    assert [loss.field for loss in found.losses] == ["payerPaid", "usageIndicator"]


@pytest.mark.parametrize("door", DOORS)
def test_a_code_in_small_letters_is_the_code(door: str) -> None:
    name, text = DOORS[door]
    assert [line.code for line in formats.read(name, text.replace("J1885", "j1885")).lines] == ["J1885"]


def test_two_services_on_one_line_of_a_clearing_house_are_refused() -> None:
    claim = json.loads(DOORS["claimjson"][1])
    line = claim["serviceLines"][0]
    line["institutionalService"] = line["professionalService"]
    with pytest.raises(FormatError, match="one line is one service"):
        claimjson.read(claim)


@pytest.mark.parametrize("door", ["x12 837P", "hl7v2 FT1", "fhir Claim", "fhir ChargeItem", "claimjson", "cms1500"])
def test_a_range_that_ends_before_it_begins_is_refused_by_every_door(door: str) -> None:
    name, text = DOORS[door]
    ranges = {
        "x12": ("D8*20260302", "RD8*20260304-20260302"),
        "hl7v2": ("20260302", "20260304^20260302"),
        "claimjson": ('"serviceDate": "20260302"', '"serviceDate": "20260304", "serviceDateEnd": "20260302"'),
        "cms1500": ("03 02 26 03 02 26", "03 04 26 03 02 26"),
    }
    if name == "fhir":
        period = '{"start": "2026-03-04", "end": "2026-03-02"}'
        text = text.replace('"servicedDate": "2026-03-02"', f'"servicedPeriod": {period}')
        text = text.replace('"occurrenceDateTime": "2026-03-02"', f'"occurrencePeriod": {period}')
    else:
        assert ranges[name][0] in text
        text = text.replace(*ranges[name])
    with pytest.raises(FormatError, match="before it begins"):
        formats.read(name, text)


CODE = {"coding": [{"system": fhir.HCPCS, "code": "J1885"}]}
ITEM = {"sequence": 1, "productOrService": CODE, "quantity": {"value": 2}}


def several(*said: str) -> dict[str, object]:
    return {"coding": [{"code": code} for code in said]}


@pytest.mark.parametrize(
    ("element", "value", "says"),
    [
        ("locationCodeableConcept", several("11", "22"), "its place is '11' and '22'"),
        ("modifier", [several("JZ", "JW")], "its modifier is 'JZ' and 'JW'"),
        ("revenue", several("0636", "0250"), "its revenue code is '0636' and '0250'"),
    ],
)
def test_a_concept_of_a_claim_that_says_two_things_is_refused(element: str, value: object, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        fhir.read({"item": [{**ITEM, element: value}]})


def test_a_concept_of_a_claim_is_read_by_the_code_that_is_written_like_one() -> None:
    place, modifier = several("office", "11"), [several("no waste", "JZ")]
    found = fhir.read({"item": [{**ITEM, "locationCodeableConcept": place, "modifier": modifier}]})
    assert (found.places, found.lines[0].modifiers) == (("11",), ("JZ",))


def test_a_day_and_a_period_of_a_charge_must_agree() -> None:
    for end, right in (("2026-03-02", True), ("2026-03-04", False)):
        item = {**ITEM, "servicedDate": "2026-03-02", "servicedPeriod": {"start": "2026-03-02", "end": end}}
        if right:
            assert fhir.read({"item": [item]}).dates == ("2026-03-02",)
        else:
            with pytest.raises(FormatError, match="which contradict"):
                fhir.read({"item": [item]})


def test_every_product_of_a_charge_item_is_kept() -> None:
    product = [{"concept": {"coding": [{"system": fhir.NDC, "code": ndc}]}} for ndc in ("00409379501", "00409379601")]
    item = {
        "resourceType": "ChargeItem",
        "status": "billable",
        "code": CODE,
        "quantity": {"value": 2},
        "product": product,
    }
    [line] = fhir.read(item).lines
    assert (line.ndc, [one.ndc for one in line.extra_ndcs]) == ("00409379501", ["00409379601"])


def test_a_part_of_another_charge_is_said() -> None:
    charge = {"resourceType": "ChargeItem", "status": "billable", "code": CODE, "quantity": {"value": 2}}
    [loss] = fhir.read({**charge, "partOf": [{"reference": "ChargeItem/7"}]}).losses
    assert (loss.field, loss.line) == ("ChargeItem.partOf", 1)


def test_what_an_item_leaves_to_its_claim_or_says_beside_its_code_is_kept_or_lost_by_name() -> None:
    hcpcs, ndc = {"system": fhir.HCPCS, "code": "J1885"}, {"system": fhir.NDC, "code": "00409379501"}
    item = {"sequence": 1, "productOrService": {"coding": [ndc, hcpcs]}, "quantity": {"value": 2}}
    priced = {**item, "unitPrice": {"value": 10}, "net": {"value": 50}}
    claim = {"resourceType": "Claim", "status": "active", "use": "claim", "billablePeriod": {"start": "2026-03-02"}}
    found = fhir.read({**claim, "item": [priced, {**item, "sequence": 2, "servicedDate": "2026-03-04"}]})
    assert found.dates == ("2026-03-02", "2026-03-04")
    assert [(loss.line, loss.field) for loss in found.losses] == [(1, "ndc"), (1, "unitPrice"), (2, "ndc")]
    same = {**priced, "net": {"value": 20}}
    assert [loss.field for loss in fhir.read({**claim, "item": [same]}).losses] == ["ndc"]
    codes = [
        {"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"system": fhir.ICD10, "code": code}]}}
        for code in ("R52", "M54.50")
    ]
    with pytest.raises(FormatError, match=r"diagnosis 1: 'R52' and 'M54\.50' stand under one number"):
        fhir.read({**claim, "item": [item], "diagnosis": codes})


def test_a_total_that_its_lines_do_not_add_up_to_is_said() -> None:
    """Of a clearing house's claim and of FHIR's: the sum of all lines, those that are no drug too."""
    service = {"procedureIdentifier": "HC", "measurementUnit": "UN", "serviceUnitCount": "2"}
    rows = [
        {"serviceDate": "20260302", "professionalService": {**service, **more}}
        for more in (
            {"procedureCode": "J1885", "lineItemChargeAmount": "10"},
            {"measurementUnit": "MJ", "procedureCode": "00142", "lineItemChargeAmount": "90.50"},
        )
    ]
    items = [
        {"sequence": 1, "productOrService": CODE, "quantity": {"value": 2}, "net": {"value": 10}},
        {"sequence": 2, "revenue": {"text": "room"}, "productOrService": {"text": "room"}, "net": {"value": 90.5}},
    ]
    for total, said in (("100.50", []), ("10", ["10"]), (None, [])):
        sent = {"claimInformation": {"claimChargeAmount": total, "serviceLines": rows}}
        found = claimjson.read(json.dumps(sent)).losses
        assert [loss.value for loss in found if loss.field == "claimChargeAmount"] == said
        claim = {"resourceType": "Claim", "status": "active", "use": "claim", "item": items}
        if total:
            claim["total"] = {"value": float(total), "currency": "USD"}
        assert [loss.value for loss in fhir.read(claim).losses if loss.field == "Claim.total"] == said


def test_a_claim_of_an_earlier_fhir_has_its_diagnoses() -> None:
    """DSTU2 has a coding where R4 has a concept, and DSTU2 and STU3 point to it by diagnosisLinkId."""
    coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "R52"}
    service = {"system": "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "J1885"}
    for row, code in (
        ({"diagnosis": coding}, service),
        ({"diagnosisCodeableConcept": {"coding": [coding]}}, {"coding": [service]}),
    ):
        item = {"sequence": 1, "service": code, "quantity": {"value": 2}, "diagnosisLinkId": [1]}
        claim = {"resourceType": "Claim", "use": "complete", "diagnosis": [{"sequence": 1, **row}], "item": [item]}
        found = fhir.read(json.dumps(claim))
        assert [(line.code, line.units, line.diagnoses) for line in found.lines] == [("J1885", 2, ("R52",))]
        assert not found.losses


def test_a_charge_code_that_may_be_a_procedures_is_named() -> None:
    text = "FT1|1|||20260302||CG|J0696|Antibiotic injection||2"
    with pytest.raises(FormatError, match="FT1-7, 'J0696', has no coding system and may be a charge code"):
        hl7v2.read(text)
