"""No person in an error: marks in every field of people and prose, every refusal, and nothing of the marks is said."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import JcodeunitsError
from jcodeunits.formats import claimjson, fhir, hl7v2, x12

NAME, NUMBER, STREET = "Zebedea Markworth", "77120034", "9 Marked Lane"
PROSE = f"30 mg wasted, given to {NAME}, MRN {NUMBER}, {STREET}"
MARKS = ("Zebedea", "Markworth", "77120034", "Marked Lane")


def check(module: Any, text: Any, **beside: Any) -> bool:
    """Whether it was refused; nothing that is said of it, then or in its charge, may hold a mark."""
    said: list[str] = []
    try:
        found = module.read(text, **beside)
    except JcodeunitsError as why:
        said += [str(why), repr(why.fields)]
        found = None
    if isinstance(found, Encounter):
        made = jc.charge(found)
        said += [made.explain(), *(f"{one.says} {one.fix}" for one in made.findings)]
    held = [mark for mark in MARKS if any(mark in one for one in said)]
    assert held == [], said
    return found is None


# --- HL7 version 2 ---------------------------------------------------------------------------------


def ras(patient: str = NUMBER, second: str = "", **rxa: str) -> str:
    fields = {0: "RXA", 1: "0", 2: "1", 3: "20260302", 5: "^ketorolac", 6: "30", 7: "mg", 20: "CP", 21: "A"}
    fields |= {9: f"00^{PROSE}^NIP001", 10: f"{NUMBER}^{NAME}", 11: f"{STREET}^^^{NAME}", 27: STREET}
    fields |= {int(key[1:]): value for key, value in rxa.items()}
    route = fields.pop(99, "IM")
    rows = [
        "MSH|^~\\&|MAR|C|B|C|20260302||RAS^O17^RAS_O17|1|P|2.5.1",
        f"PID|1|{NUMBER}|{patient}^^^C^MR||{NAME.replace(' ', '^')}||19800101|F|||{STREET}||555-{NUMBER}",
        f"PV1|1|O|{STREET}||||{NUMBER}^{NAME}|||||||||||{NUMBER}",
        f"ORC|{fields.pop(98, 'RE')}|{NUMBER}|{NUMBER}|||||||{NUMBER}^{NAME}||{NUMBER}^{NAME}",
        "|".join(fields.get(n, "") for n in range(max(fields) + 1)),
        f"RXR|{route}",
        f"NTE|1|{NAME}|{PROSE}",
        f"OBX|1|ST|1^{PROSE}||{PROSE}",
    ]
    return "\r".join([*rows, *([f"PID|2||{second}", rows[4], rows[5]] if second else [])])


HL7 = {
    "read": {},
    "refused": {"f20": "RE"},
    "unknown status": {"f20": PROSE},
    "reason of refusal": {"f18": PROSE},
    "historical": {"f9": f"01^{PROSE}^NIP001"},
    "action": {"f21": PROSE},
    "no dose": {"f6": ""},
    "dose in words": {"f6": PROSE},
    "unit in words": {"f7": PROSE},
    "unit against text": {"f7": f"mg^mcg given to {NAME}^UCUM"},
    "no drug": {"f5": ""},
    "two drugs": {"f5": "J1885^ketorolac^HCPCS^J0696^ceftriaxone^HCPCS"},
    "date in words": {"f3": PROSE},
    "expiry in words": {"f15": "L1", "f16": PROSE},
    "end before start": {"f3": "20260302101500", "f4": "20260302091500"},
    "route in words": {"f99": PROSE},
    "route text in words": {"f99": f"ZZ^{PROSE}^L"},
    "route contradicts": {"f99": "IM^Intravenous^HL70162"},
    "cancelled": {"f98": "CA"},
}


@pytest.mark.parametrize("case", HL7)
def test_messages_of_version_2(case: str) -> None:
    text = ras(**HL7[case])
    check(hl7v2, text, place="11")
    check(hl7v2, text)
    for beside in ({"dose": "7 g"}, {"drug": "vancomycin"}, {"route": "SC"}, {"on": "2025-01-01"}):
        check(hl7v2, text, place="11", **beside)


def test_several_patients_are_counted() -> None:
    assert check(hl7v2, ras(second=f"{NUMBER}9"), place="11")


@pytest.mark.parametrize("field", [4, 6, 7, 10, 11, 19, 25, 26, 29, 43])
def test_charges_of_version_2(field: int) -> None:
    values = {4: "20260302", 6: "CG", 10: "2", 25: "J1885^^HCPCS", field: PROSE}
    check(hl7v2, f"PID|1||{NUMBER}||{NAME}\rFT1|" + "|".join(values.get(n, "") for n in range(1, 44)))


# --- FHIR ------------------------------------------------------------------------------------------

RESOURCE: dict[str, Any] = {
    "resourceType": "MedicationAdministration",
    "id": "a1",
    "status": "completed",
    "text": {"status": "generated", "div": f"<div>{PROSE}</div>"},
    "identifier": [{"system": "urn:mrn", "value": NUMBER}],
    "subject": {"reference": f"Patient/{NUMBER}", "display": NAME, "identifier": {"value": NUMBER}},
    "performer": [{"actor": {"reference": f"Practitioner/{NUMBER}", "display": NAME}}],
    "medicationCodeableConcept": {"text": "ketorolac"},
    "effectiveDateTime": "2026-03-02",
    "note": [{"text": PROSE, "authorString": NAME}],
    "extension": [{"url": "urn:x", "valueString": PROSE}],
    "dosage": {"text": PROSE, "route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
}
FHIR: dict[str, tuple[str, Any]] = {
    "read": ("id", "a1"),
    "not done": ("status", "not-done"),
    "unknown status": ("status", PROSE),
    "reason": ("statusReason", [{"text": PROSE}]),
    "negated": ("notGiven", PROSE),
    "no dose": ("dosage.dose", None),
    "dose in words": ("dosage.dose.value", PROSE),
    "unit in words": ("dosage.dose.unit", PROSE),
    "route in words": ("dosage.route.text", PROSE),
    "method in words": ("dosage.method", {"text": PROSE}),
    "no drug": ("medicationCodeableConcept", {}),
    "a drug elsewhere": ("medicationReference", {"reference": f"Medication/{NUMBER}", "display": NAME}),
    "date in words": ("effectiveDateTime", PROSE),
    "wrong shape": ("note", PROSE),
    "wrong shape of dosage": ("dosage", PROSE),
    "unknown modifier": ("modifierExtension", [{"url": "urn:x", "valueString": PROSE}]),
    "a reason elsewhere": ("reasonReference", [{"reference": f"Condition/{NUMBER}", "display": NAME}]),
    "a test": ("meta", {"security": [{"code": "HTEST", "display": PROSE}]}),
}


def changed(path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(RESOURCE)
    *way, last = path.split(".")
    at: Any = made
    for part in way:
        at = at[part]
    at[last] = value
    if path == "medicationReference":
        del made["medicationCodeableConcept"]
    return made


@pytest.mark.parametrize("case", FHIR)
def test_resources(case: str) -> None:
    resource = changed(*FHIR[case])
    check(fhir, json.dumps(resource), place="11")
    check(fhir, json.dumps(resource))
    for beside in ({"dose": "7 g"}, {"drug": "vancomycin"}, {"route": "SC"}, {"on": "2025-01-01"}):
        check(fhir, json.dumps(resource), place="11", **beside)
    other = {**resource, "id": "a2", "subject": {"reference": f"Patient/{NUMBER}9"}}
    check(fhir, {"resourceType": "Bundle", "entry": [{"resource": resource}, {"resource": other}]}, place="11")
    check(fhir, json.dumps(resource)[:-20], place="11")


# --- claims ----------------------------------------------------------------------------------------

SEGMENTS = [
    f"NM1*IL*1*Markworth*Zebedea****MI*{NUMBER}",
    f"N3*{STREET}",
    f"CLM*{NUMBER}*10***11:B:1*Y*A*Y*Y",
    f"REF*D9*{NUMBER}",
    f"NTE*ADD*{PROSE}",
    "HI*ABK:R52",
    "LX*1",
    f"SV1*HC:J1885:::::{PROSE}*10*UN*2*11**1",
    "DTP*472*D8*20260302",
    f"REF*6R*{NUMBER}",
    f"NTE*ADD*{PROSE}",
    "LIN**N4*00409379501",
    "CTP****1*ML",
]


@pytest.mark.parametrize("at", range(len(SEGMENTS)))
def test_a_claim_that_is_cut_or_broken_anywhere(at: int) -> None:
    for cut in range(1, len(SEGMENTS[at])):
        check(x12, "~".join([*SEGMENTS[:at], SEGMENTS[at][:cut]]))
        check(x12, "~".join([*SEGMENTS[:at], SEGMENTS[at][:cut], *SEGMENTS[at + 1 :], ""]))
    name, *elements = SEGMENTS[at].split("*")
    for n in range(len(elements)):
        broken = "*".join([name, *elements[:n], PROSE, *elements[n + 1 :]])
        check(x12, "~".join([*SEGMENTS[:at], broken, *SEGMENTS[at + 1 :], ""]))


@pytest.mark.parametrize(
    "key", ["procedureCode", "procedureIdentifier", "lineItemChargeAmount", "measurementUnit", "serviceUnitCount"]
)
def test_the_clearing_houses_claim(key: str) -> None:
    service = {
        "procedureIdentifier": "HC",
        "procedureCode": "J1885",
        "lineItemChargeAmount": "10",
        "measurementUnit": "UN",
        "serviceUnitCount": "2",
        "description": PROSE,
        key: PROSE,
    }
    claim = {
        "subscriber": {"lastName": NAME, "memberId": NUMBER, "address": {"address1": STREET}},
        "serviceLines": [{"serviceDate": "20260302", "professionalService": service, "additionalNotes": PROSE}],
    }
    assert check(claimjson, json.dumps(claim))
