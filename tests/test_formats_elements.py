"""Every element of a claim is read, passed over by a written list, or listed as lost; lines that are no drug too."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import _elements, claimjson, fhir, hl7v2, x12

DFT = "PID|1||P1\rFT1|{}"
FT1 = {4: "20260302", 6: "CG", 10: "2", 25: "J1885^ketorolac^HCPCS"}


def ft1(**more: str) -> str:
    values = {**FT1, **{int(name[1:]): value for name, value in more.items()}}
    return DFT.format("|".join(values.get(n, "") for n in range(1, max(values) + 1)))


def losses(claim: Any) -> str:
    return " ".join(str(loss) for loss in claim.losses)


@pytest.mark.parametrize("position", range(1, 60))
def test_each_field_of_ft1_alone(position: int) -> None:
    known = _elements.FT1_FIELDS.get(str(position), "")
    if known == "read":
        return
    claim = hl7v2.read(ft1(**{f"f{position}": "X7"}))
    assert [line.code for line in claim.lines] == ["J1885"]
    assert (f"FT1-{position} " in losses(claim)) is (known != "passed")


def test_a_range_of_days_and_the_diagnoses_of_the_visit() -> None:
    assert hl7v2.read(ft1(f4="20260302^20260304")).dates == ("2026-03-02/2026-03-04",)
    claim = hl7v2.read(f"{ft1()}\rDG1|1||M54.50^Low back pain^I10\rPR1|1||20610^^C4")
    assert "DG1 'M54.50'" in losses(claim)
    assert "PR1 '20610'" in losses(claim)


SERVICE = {
    "procedureIdentifier": "HC",
    "procedureCode": "J1885",
    "lineItemChargeAmount": "10",
    "measurementUnit": "UN",
    "serviceUnitCount": "2",
}


def clearing(service: dict[str, Any], row: dict[str, Any] | None = None, claim: dict[str, Any] | None = None) -> Any:
    line = {"serviceDate": "20260302", "professionalService": {**SERVICE, **service}, **(row or {})}
    coded = [{"diagnosisTypeCode": "ABK", "diagnosisCode": "R52"}]
    return claimjson.read(json.dumps({"healthCareCodeInformation": coded, "serviceLines": [line], **(claim or {})}))


def test_the_clearing_houses_line() -> None:
    assert clearing({}, {"serviceDateEnd": "20260304"}).dates == ("2026-03-02/2026-03-04",)
    assert clearing({}, claim={"placeOfServiceCode": "22"}).places == ("22",)
    assert clearing({"placeOfServiceCode": "11"}, claim={"placeOfServiceCode": "22"}).places == ("11",)
    assert clearing({"procedureModifiers": ["JZ", "", " "]}).lines[0].modifiers == ("JZ",)
    assert clearing({"diagnosisCodePointers": ["1"]}).lines[0].diagnoses == ("R52",)
    for name in ("emergencyIndicator", "epsdtIndicator", "copayStatusCode", "whatNobodyKnows"):
        assert f"{name} 'Y'" in losses(clearing({name: "Y"}))
        assert f"{name} 'Y'" in losses(clearing({}, {name: "Y"}))
    assert losses(clearing({}, {"providerControlNumber": "7"}, {"patientControlNumber": "7"})) == ""


@pytest.mark.parametrize("qualifier", ["UP", "EN", "UK", "HI"])
def test_a_supplys_number_is_no_ndc(qualifier: str) -> None:
    drug = {"serviceIdQualifier": qualifier, "nationalDrugCode": "00409379501"}
    claim = clearing({}, {"drugIdentification": drug})
    assert (claim.lines[0].ndc, qualifier in losses(claim)) == (None, True)


def test_a_line_without_a_code_hides_no_drug_line() -> None:
    other = {"institutionalService": {"serviceLineRevenueCode": "0250", "lineItemChargeAmount": "48.10"}}
    claim = claimjson.read(json.dumps({"serviceLines": [other, {"professionalService": SERVICE}]}))
    assert [line.code for line in claim.lines] == ["J1885"]
    assert "revenue code 0250" in losses(claim)
    assert "48.10" in losses(claim)


# --- X12 -------------------------------------------------------------------------------------------

HEAD, TAIL = "CLM*C1*10***11:B:1*Y*A*Y*Y~HI*ABK:R52~", "DTP*472*D8*20260302~"
LINE = f"LX*1~SV1*HC:J1885*10*UN*2*11**1~{TAIL}"


@pytest.mark.parametrize("position", range(8, 22))
def test_each_element_of_sv1_alone(position: int) -> None:
    service = "SV1*HC:J1885*10*UN*2*11**1" + "*" * (position - 7) + "Y"
    claim = x12.read(f"{HEAD}LX*1~{service}~{TAIL}")
    assert [line.code for line in claim.lines] == ["J1885"]
    assert f"SV1{position:02}" in losses(claim)


@pytest.mark.parametrize("segment", ["NTE*ADD*words", "AMT*F5*10", "K3*words", "HI*BG:17", "CRC*ZZ*Y*AV"])
def test_each_segment_of_the_claim_alone(segment: str) -> None:
    claim = x12.read(f"{HEAD}{segment}~{LINE}")
    assert segment.split("*")[0] in losses(claim)
    assert claim.lines[0].diagnoses == ("R52",)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("SV2*0250**48.1*UN*28", "0250.*48.1"),
        ("SV1*HC:00142*800*MJ*61*11**1", "00142.*MJ.*800"),
        ("SV2*0120**900*DA*3", "0120.*DA.*900"),
        ("SV1*WK:ABC*5*UN*1*11**1", "WK"),
    ],
)
def test_a_line_that_is_no_drug_is_listed_by_number_code_and_amount(other: str, said: str) -> None:
    total = 10 + Decimal(other.split("*")[3 if other.startswith("SV2") else 2])
    head = HEAD.replace("C1*10*", f"C1*{total}*")
    claim = x12.read(f"{head}LX*1~{other}~{TAIL}LX*2~SV1*HC:J1885:JZ*10*UN*2*11**1~{TAIL}")
    assert [(line.code, line.modifiers, line.units) for line in claim.lines] == [("J1885", ("JZ",), 2)]
    [loss] = [str(loss) for loss in claim.losses]
    assert loss.startswith("line 1 (SV1 or SV2)")
    assert all(part in loss for part in said.split(".*"))


def test_an_ndc_under_no_code_claims_to_be_a_drug_and_is_broken() -> None:
    with pytest.raises(FormatError, match=r"an NDC, and it counts 'MJ'"):
        x12.read(f"{HEAD}LX*1~SV1*HC:J1885*10*MJ*2*11**1~{TAIL}LIN**N4*00409379501~CTP****1*ML~")


def envelope(repeats: str, end: str = "~") -> str:
    isa = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260302*1200*"
    return f"{isa}{repeats}*00501*000000001*0*P*:{end}" + f"{HEAD}{LINE}".replace("~", end)


@pytest.mark.parametrize("repeats", ["U", "^", " ", "0", ":", "~"])
def test_what_isa11_says_keeps_nobody_from_reading(repeats: str) -> None:
    claim = x12.read(envelope(repeats))
    assert [(line.code, line.units, line.diagnoses) for line in claim.lines] == [("J1885", 2, ("R52",))]


# --- small doors -----------------------------------------------------------------------------------

ADMINISTRATION = {
    "resourceType": "MedicationAdministration",
    "status": "completed",
    "medicationCodeableConcept": {"text": "ketorolac"},
    "effectiveDateTime": "2026-03-02",
    "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
}
RAS = "MSH|^~\\&|M|C|B|C|20260302||RAS^O17^RAS_O17|1|P|2.5.1\rPID|1||P1\rRXA|0|1|20260302||^ketorolac|30|mg|||||||||||||CP|A\rRXR|IM"
DOORS = {
    "fhir": (fhir, json.dumps(ADMINISTRATION, indent=1).replace("\n", "\r"), {"place": "11"}),
    "hl7v2": (hl7v2, RAS, {"place": "11"}),
    "x12": (x12, (HEAD + LINE).replace("~", "~\r"), {}),
    "claimjson": (
        claimjson,
        json.dumps({"serviceLines": [{"professionalService": SERVICE}]}, indent=1).replace("\n", "\r"),
        {},
    ),
}


@pytest.mark.parametrize("form", DOORS)
def test_text_and_bytes_marks_and_line_ends_are_alike(form: str) -> None:
    module, text, beside = DOORS[form]
    plain = module.read(text, **beside)
    for end in ("\r", "\n", "\r\n"):
        same = text.replace("\r", end)
        for written in (same, same.encode(), "\ufeff" + same, ("\ufeff" + same).encode(), same + end):
            assert module.read(written, **beside) == plain


# --- beside an administration ----------------------------------------------------------------------


@pytest.mark.parametrize("note", ["30 mg of 60 mg wasted, witnessed", "Wastage 30mg", "discarded the rest"])
def test_a_note_of_wastage_asks_and_is_never_billed_from(note: str) -> None:
    messages = [
        (fhir, json.dumps({**ADMINISTRATION, "note": [{"text": note}]})),
        (fhir, json.dumps({**ADMINISTRATION, "dosage": {**ADMINISTRATION["dosage"], "text": note}})),
        (hl7v2, f"{RAS}\rNTE|1||{note}"),
        (hl7v2, f"{RAS}\rOBX|1|ST|1^note||{note}"),
    ]
    for module, text in messages:
        found = module.read(text, place="11", diagnoses=["R52"])
        assert isinstance(found, Encounter)
        made = jc.charge(found)
        [asked] = [one for one in made.findings if one.rule == "waste-noted"]
        assert "discarded=" in asked.fix
        assert note not in asked.says
        assert not any("JW" in line.modifiers for line in made.lines)
        answered = module.read(text, place="11", discarded="0 mg")
        assert isinstance(answered, Encounter)
        assert "waste-noted" not in {one.rule for one in answered.findings}


@pytest.mark.parametrize("name", ["wasted-amount", "drugWastage", "amountDiscarded"])
def test_an_extension_about_wastage_asks(name: str) -> None:
    said = {"extension": [{"url": f"http://vendor.example/{name}", "valueQuantity": {"value": 15, "unit": "mg"}}]}
    for message in ({**ADMINISTRATION, **said}, {**ADMINISTRATION, "dosage": {**ADMINISTRATION["dosage"], **said}}):
        found = fhir.read(json.dumps(message), place="11")
        assert isinstance(found, Encounter)
        assert [one.rule for one in found.findings] == ["waste-noted"]
        assert "a further field of it speaks of wasted drug" in found.findings[0].says
    other = {**ADMINISTRATION, "extension": [{"url": "http://vendor.example/pump", "valueString": "7"}]}
    assert fhir.read(json.dumps(other), place="11").findings == ()


def test_other_notes_ask_nothing() -> None:
    found = hl7v2.read(f"{RAS}\rNTE|1||tolerated well, no waiting", place="11")
    assert isinstance(found, Encounter)
    assert found.findings == ()


@pytest.mark.parametrize("key", ["reasonReference", "reason"])
def test_a_reason_is_read_from_the_condition_that_it_points_to(key: str) -> None:
    code = {"coding": [{"system": fhir.ICD10, "code": "M54.50"}]}
    condition = {"resourceType": "Condition", "id": "d1", "code": code}
    pointer: dict[str, Any] = {"reference": "Condition/d1"}
    given = {**ADMINISTRATION, key: [pointer if key == "reasonReference" else {"reference": pointer}]}

    def read(*resources: dict[str, Any]) -> Encounter:
        bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}
        found = fhir.read(json.dumps(bundle), place="11")
        assert isinstance(found, Encounter)
        return found

    assert read(given, condition).administrations[0].diagnoses == ("M54.50",)
    alone = read(given)
    assert [one.rule for one in alone.findings] == ["reason-unread"]
    refuted = {**condition, "verificationStatus": {"coding": [{"code": "refuted"}]}}
    assert read(given, refuted).administrations[0].diagnoses == ()


@pytest.mark.parametrize("code", ["NOPE", "724.5", "M54.5 pain", "HISTORY"])
def test_a_diagnosis_that_is_no_icd_10_code_is_noted_and_given_beside(code: str) -> None:
    concept = {"coding": [{"system": fhir.ICD10, "code": code}]}
    for module, text in (
        (fhir, json.dumps({**ADMINISTRATION, "reasonCode": [concept]})),
        (hl7v2, RAS.replace("|CP|", f"|{code}^^I10|CP|").replace("||||||||||||" + code, "|||||||||||" + code)),
    ):
        found = module.read(text, place="11", diagnoses=["R52"])
        assert isinstance(found, Encounter)
        assert [one.rule for one in found.findings] == ["reason-unread"]
        assert found.administrations[0].diagnoses == ()
        assert {line.diagnoses for line in jc.charge(found).lines} == {("R52",)}


def test_a_part_of_another_administration_asks_and_of_a_procedure_does_not() -> None:
    for kind, rules in (("MedicationAdministration", ["part-of-another"]), ("Procedure", [])):
        part = {**ADMINISTRATION, "partOf": [{"reference": f"{kind}/7"}]}
        found = fhir.read(json.dumps(part), place="11")
        assert isinstance(found, Encounter)
        assert [one.rule for one in found.findings] == rules


@pytest.mark.parametrize("several", [False, True])
def test_what_is_given_at_home_asks_for_its_place(several: bool) -> None:
    concept = {"coding": [{"code": "community"}]}
    record = json.dumps({**ADMINISTRATION, "category": [concept] if several else concept})
    for place, rules in (("11", ["given-at-home"]), ("12", [])):
        found = fhir.read(record, place=place)
        assert isinstance(found, Encounter)
        assert [one.rule for one in found.findings] == rules


@pytest.mark.parametrize("field", [4, 9, 12, 13, 14, 15, 16, 18, 19, 21])
def test_the_null_of_hl7_is_as_good_as_no_value(field: int) -> None:
    rows = RAS.split("\r")
    rxa = rows[2].split("|")
    rxa[field] = "" if field == 21 else rxa[field]
    plain = hl7v2.read("\r".join([*rows[:2], "|".join(rxa), rows[3]]), place="11")
    for null in ('""', '""^""'):
        rxa[field] = null
        found = hl7v2.read("\r".join([*rows[:2], "|".join(rxa), rows[3]]), place="11")
        assert found == plain
        assert found.findings == ()


def test_the_null_of_hl7_in_what_is_needed_asks_for_it() -> None:
    for old, new, wanted in (("|30|", '|""|', "dose="), ("IM", '""', "route="), ("^ketorolac", '""', "drug=")):
        with pytest.raises(FormatError, match=wanted):
            hl7v2.read(RAS.replace(old, new), place="11")


def test_an_amount_in_another_currency_is_refused() -> None:
    code = {"coding": [{"system": fhir.HCPCS, "code": "J1885"}]}
    item = {"sequence": 1, "productOrService": code, "quantity": {"value": 2}, "net": {"value": 10, "currency": "EUR"}}
    for module, text in (
        (fhir, json.dumps({"item": [item]})),
        (hl7v2, ft1(f11="25.00&EUR")),
        (x12, f"CUR*85*EUR~{HEAD}{LINE}"),
    ):
        with pytest.raises(FormatError, match=r"'EUR', and a claim charges US dollars"):
            module.read(text)
        module.read(text.replace("EUR", "USD"))
