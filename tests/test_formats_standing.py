"""What turns a message round: negated, cancelled, corrected, voided, or a test.

`cases/standing.csv` lists for each reader the elements and values of the published definitions, and what
follows when one of them stands alone in a message that is billed without it: `never`, only on the caller's
word (`partial`, `completed`), read with a `loss`, or `read` as before.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import _claim_lines, _fhir_json, _fhir_standing, _hl7v2_segments, claimjson, fhir, hl7v2, x12

ROWS = list(csv.DictReader((Path(__file__).parent / "cases" / "standing.csv").read_text("utf-8").splitlines()))
HCPCS = [{"system": fhir.HCPCS, "code": "J1885"}]
ADMINISTRATION = {
    "resourceType": "MedicationAdministration",
    "id": "a1",
    "status": "completed",
    "contained": [{"resourceType": "Medication", "id": "m1", "code": {"text": "ketorolac"}}],
    "medicationReference": {"reference": "#m1"},
    "effectiveDateTime": "2026-03-02",
    "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
}
CLAIM = {
    "resourceType": "Claim",
    "status": "active",
    "use": "claim",
    "patient": {"reference": "Patient/1"},
    "item": [{"sequence": 1, "productOrService": {"coding": HCPCS}, "quantity": {"value": 2}}],
}
CHARGE_ITEM = {"resourceType": "ChargeItem", "status": "billable", "code": {"coding": HCPCS}, "quantity": {"value": 2}}
RAS = [
    "MSH|^~\\&|MAR|C|B|C|20260302||RAS^O17^RAS_O17|1|P|2.5.1",
    "PID|1||P1",
    "ORC|RE",
    "RXA|0|1|20260302||^ketorolac|30|mg|||||||||||||CP|A",
    "RXR|IM",
]
DFT = [
    "MSH|^~\\&|MAR|C|B|C|20260302||DFT^P03^DFT_P03|1|P|2.5.1",
    "PID|1||P1",
    "ORC|RE",
    "FT1|1|||20260302||CG||||2|||||||||||||||J1885^^HCPCS",
]
X12 = [
    "BHT*0019*00*1*20260302*1015*CH",
    "CLM*C1*10***11:B:1*Y*A*Y*Y",
    "HI*ABK:R52",
    "LX*1",
    "SV1*HC:J1885*10*UN*2*11**1",
    "DTP*472*D8*20260302",
]
SERVICE = {
    "procedureIdentifier": "HC",
    "procedureCode": "J1885",
    "lineItemChargeAmount": "10",
    "measurementUnit": "UN",
    "serviceUnitCount": "2",
    "placeOfServiceCode": "11",
}


def put(resource: dict[str, Any], path: str, value: Any) -> str:
    made = json.loads(json.dumps(resource))
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    at: Any = made
    for part in way:
        at = at[part]
    at[last] = value
    return json.dumps(made)


def put_field(rows: list[str], mark: str, element: str, value: str) -> list[str]:
    name, _, position = element.partition("-") if "-" in element else (element[:-2], "", element[-2:])
    made = []
    for row in rows:
        fields = row.split(mark)
        if fields[0] == name:
            at = int(position) - (name == "MSH")
            fields += [""] * (at + 1 - len(fields))
            fields[at] = value
        made.append(mark.join(fields))
    return made


def read(reader: str, element: str, value: str, **word: bool) -> Any:
    form, _, kind = reader.partition(" ")
    if form == "fhir":
        base = {"administration": ADMINISTRATION, "Claim": CLAIM, "ChargeItem": CHARGE_ITEM}[kind]
        return fhir.read(put(base, element, json.loads(value)), **({} if kind[0] == "C" else {"place": "11"}), **word)
    if form == "hl7":
        rows = put_field(RAS if kind == "administration" else DFT, "|", element, value)
        return hl7v2.read("\r".join(rows), **({"place": "11"} if kind == "administration" else {}), **word)
    if form == "x12":
        return x12.read("~".join([*put_field(X12, "*", element, value), ""]))
    line = {"serviceDate": "20260302", "professionalService": SERVICE}
    return claimjson.read(json.dumps({"claimInformation": {element: value, "serviceLines": [line]}}))


def billed(found: Any) -> list[Any]:
    """What is billed of it, and that nothing was lost on the way."""
    if isinstance(found, Encounter):
        return [(one.drug, one.dose) for one in found.administrations]
    assert found.losses == () or [loss.field for loss in found.losses] == ["diagnoses"]
    return [(line.code, line.units) for line in found.lines]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['reader']} {row['element']} {row['value']}")
def test_each_element_alone_does_what_its_row_says(row: dict[str, str]) -> None:
    said = row["reader"], row["element"], row["value"]
    if row["follows"] == "loss":
        lines = read(*said)
        assert [(line.code, line.units) for line in lines.lines] == [("J1885", 2)]
        assert row["says"] in " ".join(map(str, lines.losses))
    elif row["follows"] == "read":
        assert billed(read(*said)) in ([("ketorolac", "30 mg")], [("J1885", 2)])
    else:
        with pytest.raises(FormatError) as caught:
            read(*said)
        assert row["says"] in str(caught.value)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row["reader"].endswith("administration") and row["follows"] != "read"],
    ids=lambda row: f"{row['reader']} {row['element']} {row['value']}",
)
def test_only_the_callers_word_for_just_this_opens_it(row: dict[str, str]) -> None:
    said = row["reader"], row["element"], row["value"]
    for word in ("partial", "completed") if row["reader"].startswith("hl7") else ("partial",):
        if word == row["follows"]:
            assert billed(read(*said, **{word: True})) == [("ketorolac", "30 mg")]
        else:
            with pytest.raises(FormatError):
                read(*said, **{word: True})


def test_the_readers_know_no_value_that_the_list_does_not_have() -> None:
    listed = {(row["element"], row["value"]) for row in ROWS}
    elements = {row["element"] for row in ROWS}
    assert {*_fhir_json.NEGATIONS, *_fhir_standing.REASONS, *_fhir_standing.SUBPOTENT} <= elements
    assert {("ORC-1", code) for code in _hl7v2_segments.ORDER_CONTROL} <= listed
    assert {("ORC-5", code) for code in _hl7v2_segments.ORDER_STATUS} <= listed
    assert {("FT1-6", code) for code in hl7v2.TRANSACTIONS} <= listed
    assert {("CLM05", f"11:B:{code}") for code in _claim_lines.FREQUENCIES} <= listed
    for path, values in fhir.STANDING.items():
        assert {(path.partition(".")[2], json.dumps(value)) for value in values} <= listed


def test_dstu2_calls_the_same_things_otherwise() -> None:
    old = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "wasNotGiven": False,
        "medicationCodeableConcept": {"text": "ketorolac"},
        "patient": {"reference": "Patient/1"},
        "practitioner": {"reference": "Practitioner/7"},
        "effectiveTimeDateTime": "2026-03-02T10:15:00-05:00",
        "dosage": {"route": {"text": "IM"}, "quantity": {"value": 30, "unit": "mg"}},
    }
    found = fhir.read(old, place="11")
    assert isinstance(found, Encounter)
    given = found.administrations[0]
    assert (str(found.on), given.dose, given.time, given.performer) == (
        "2026-03-02",
        "30 mg",
        "10:15",
        "Practitioner/7",
    )
    other = {**old, "patient": {"reference": "Patient/2"}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": old}, {"resource": {**other, "id": "2"}}]}
    with pytest.raises(FormatError, match="several patients"):
        fhir.read(bundle, place="11")


def test_the_lines_of_two_claims_or_patients_are_told_apart() -> None:
    two = ["HL*2*1*22*0", *X12[1:], "HL*3*1*22*0", *X12[1:]]
    assert x12.read("~".join([*two, ""])).claims == (1, 2)
    patients = [*DFT, "PID|2||P2", *DFT[2:], "PID|3||P1", *DFT[2:]]
    assert hl7v2.read("\r".join(patients)).claims == (1, 2, 1)
    for one, claims in ((CLAIM, (1, 2)), (CHARGE_ITEM, (1, 2))):
        both = [{**one, "id": str(n), "subject": {"reference": f"Patient/{n}"}} for n in (1, 2)]
        bundle = {"resourceType": "Bundle", "entry": [{"resource": each} for each in both]}
        assert fhir.read(bundle).claims == claims
    assert fhir.read(CLAIM).claims == (1,)


def test_an_answer_to_a_claim_is_no_further_claim() -> None:
    answer = {**CLAIM, "resourceType": "ExplanationOfBenefit"}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": CLAIM}, {"resource": answer}]}
    assert len(fhir.read(bundle).lines) == 1
