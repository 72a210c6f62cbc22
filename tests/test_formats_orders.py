"""What stands beside a dose and names it once more: its order, a bag's component, the text of its dosage."""

from __future__ import annotations

from typing import Any

import pytest
from read_messages import lines, rules

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import fhir, hl7v2

GIVEN: dict[str, Any] = {
    "resourceType": "MedicationAdministration",
    "status": "completed",
    "effectiveDateTime": "2026-03-02",
    "medicationCodeableConcept": {"text": "ketorolac"},
    "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
}
RXA = "RXA|0|1|20260302101500||^ketorolac|30|mg|||||||||||||CP|A"
BAG = "RXA|0|1|20260302101500|20260302105000|^cefazolin|1|g|||||||||||||CP|A"


def read(module: Any, message: Any, **beside: Any) -> Encounter:
    found = module.read(message, place="11", **beside)
    assert isinstance(found, Encounter)
    return found


def ordered(drug: str, **more: Any) -> dict[str, Any]:
    """A dose of ketorolac and the order that it points to."""
    order = {"resourceType": "MedicationRequest", "id": "r", "status": "completed", "intent": "order"}
    order |= {"medicationCodeableConcept": {"text": drug}, **more}
    given = GIVEN | {"request": {"reference": "MedicationRequest/r"}}
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": given}, {"resource": order}]}


@pytest.mark.parametrize(
    ("drug", "asks"),
    [
        ("ceftriaxone 1 g injection", True),
        ("ondansetron", True),
        ("ketorolac 60 mg injection", False),
        ("Toradol", False),
        ("J1885", False),
        ("pain protocol", False),
        ("sodium chloride 0.9%", False),
    ],
)
def test_an_order_that_names_another_drug_is_asked_about(drug: str, asks: bool) -> None:
    segments = ["ORC|RE|1", f"RXO|^{drug}|30||mg", f"RXE|^^^20260302|^{drug}|30||mg", f"RXD|1|^{drug}|20260302|1|g"]
    expected = ["order-differs"] if asks else []
    for segment in segments[1:]:
        found = read(hl7v2, "\r".join([segments[0], segment, RXA, "RXR|IM"]))
        assert rules(found) == expected
        assert [line.code for line in jc.charge(found).lines] == ["96372", "J1885"]
    assert rules(read(fhir, ordered(drug))) == expected
    inside = GIVEN | {"prescription": {"reference": "#r"}, "contained": [ordered(drug)["entry"][1]["resource"]]}
    assert rules(read(fhir, inside)) == expected


@pytest.mark.parametrize(
    ("amount", "unit", "asks"),
    [
        ("30", "mg", False),
        ("60", "mg", False),
        ("15", "mg", False),
        ("30", "g", True),
        ("30", "mcg", True),
        ("300", "mg", True),
        ("3", "mg", True),
        ("1", "mL", False),
        ("0.5", "mg/kg", False),
        ("", "", False),
    ],
)
def test_ten_times_another_dose_than_was_ordered_is_asked_about(amount: str, unit: str, asks: bool) -> None:
    """30 mg was given. Another dose of a range is no question; a unit that slipped is."""
    expected = ["order-differs"] if asks else []
    for order in (f"RXO|^ketorolac|{amount}||{unit}", f"RXE|^^^20260302|^ketorolac|{amount}||{unit}"):
        assert rules(read(hl7v2, "\r".join(["ORC|RE|1", order, RXA, "RXR|IM"]))) == expected
    assert rules(read(hl7v2, "\r".join(["ORC|RE|1", "RXO|^ketorolac|1|60|mg", RXA, "RXR|IM"]))) == []
    dose = {"value": float(amount), "unit": unit} if amount else {}
    for held in ({"doseAndRate": [{"doseQuantity": dose}]}, {"doseQuantity": dose}):
        assert rules(read(fhir, ordered("ketorolac", dosageInstruction=[held]))) == expected


def test_the_words_of_an_order_are_not_quoted_where_they_are_prose() -> None:
    order = "RXO|^call Ms Testperson 77120034 about her ceftriaxone|1||g"
    found = read(hl7v2, "\r".join(["ORC|RE|1", order, RXA, "RXR|IM"]))
    assert "Testperson" not in " ".join(finding.says for finding in found.findings)
    drug = "RXA|0|1|20260302||J1885^call Ms Testperson 77120034 about her ceftriaxone^HCPCS|30|mg|||||||||||||CP|A"
    with pytest.raises(FormatError, match="contradict each other") as refused:
        read(hl7v2, f"{drug}\rRXR|IM")
    assert "Testperson" not in str(refused.value)
    vaccine = "RXA|0|1|20260302||03^MMRV for Ms Testperson 77120034^CVX|0.5|mL|||||||||||||CP|A"
    with pytest.raises(FormatError, match="names another vaccine") as refused:
        read(hl7v2, f"{vaccine}\rRXR|SC")
    assert "Testperson" not in str(refused.value)


def test_an_order_is_compared_with_the_dose_under_it_alone() -> None:
    two = ["ORC|RE|1", "RXO|^ondansetron|4||mg", RXA.replace("ketorolac|30", "ondansetron|4"), "RXR|IM"]
    two += ["ORC|RE|2", "RXO|^ketorolac|30||mg", RXA.replace("0|1", "0|2"), "RXR|IM"]
    assert rules(read(hl7v2, "\r".join(two))) == []


@pytest.mark.parametrize("order", [{"status": "cancelled"}, {"status": "entered-in-error"}, {"doNotPerform": True}])
def test_what_a_withdrawn_order_gave_is_not_billed(order: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="its order"):
        read(fhir, ordered("ketorolac", **order))
    assert rules(read(fhir, ordered("ketorolac", status="stopped"))) == []


@pytest.mark.parametrize(
    "where",
    [
        {
            "extension": [
                {"url": "http://hl7.org/fhir/us/qicore/StructureDefinition/qicore-notDone", "valueBoolean": True}
            ]
        },
        {"extension": [{"url": "http://hl7.org/fhir/us/qicore/StructureDefinition/qicore-notDoneReason"}]},
        {"medicationCodeableConcept": {"text": "ketorolac", "extension": [{"url": "http://x.org/notDoneValueSet"}]}},
    ],
)
def test_a_profiles_extension_says_that_nothing_was_done(where: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="not done"):
        read(fhir, GIVEN | where)
    done = {"extension": [{"url": "http://x.org/notDone", "valueBoolean": False}, {"url": "http://x.org/recorded"}]}
    assert rules(read(fhir, GIVEN | done)) == []


@pytest.mark.parametrize(
    ("held", "asks"), [("2|g", True), ("0.5|g", True), ("1|g", False), ("1000|mg", False), ("|", False)]
)
def test_a_bag_that_holds_another_amount_than_was_given_is_asked_about(held: str, asks: bool) -> None:
    rows = ["ORC|RE|1", BAG, "RXR|IVPB", f"RXC|A|^cefazolin|{held}", "RXC|B|^dextrose 5% in water|50|mL"]
    found = read(hl7v2, "\r".join(rows))
    assert rules(found) == (["component-differs"] if asks else [])
    assert ("J0690", 2) in lines(found)


@pytest.mark.parametrize(
    ("text", "route", "asks"),
    [
        ("30 mg IM once", "IM", False),
        ("Inject 30 mg into the muscle", "IM", False),
        ("30 mg in the left deltoid", "IM", False),
        ("30 mg IV or IM", "IM", False),
        ("30 mg IV", "IV push", False),
        ("30 mg IV push", "IM", True),
        ("give subcutaneously", "IM", True),
        ("30 mg by mouth", "IM", True),
        ("30 mg IVPB over 30 minutes", "IV push", True),
        ("as ordered", "IM", False),
    ],
)
def test_another_route_in_the_text_of_a_dosage_is_asked_about(text: str, route: str, asks: bool) -> None:
    found = read(fhir, GIVEN | {"dosage": GIVEN["dosage"] | {"text": text, "route": {"text": route}}})
    assert rules(found) == (["route-in-text"] if asks else [])


@pytest.mark.parametrize(("text", "units"), [("30 mg/mL", 2), ("60 mg/2 mL", 2), ("15 mg/mL", 1)])
def test_the_fifth_releases_strength_in_words_answers_a_volume(text: str, units: int) -> None:
    part = {"item": {"concept": {"text": "ketorolac"}}, "strengthCodeableConcept": {"text": text}}
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "ketorolac"}, "ingredient": [part]}
    one = GIVEN | {"medication": {"reference": {"reference": "#m"}}, "contained": [drug]}
    one |= {"dosage": {"route": {"text": "IM"}, "dose": {"value": 1, "unit": "mL"}}}
    del one["medicationCodeableConcept"]
    assert ("J1885", units) in lines(read(fhir, one))
    drug["code"] = {"text": "ketorolac 10 mg/mL injection"}
    with pytest.raises(FormatError, match="strength"):
        read(fhir, one)


VISITS = [
    ("IMP", "given-to-inpatient"),
    ("ACUTE", "given-to-inpatient"),
    ("HH", "given-at-home"),
    ("AMB", ""),
    ("EMER", ""),
]


@pytest.mark.parametrize(("code", "rule"), VISITS)
@pytest.mark.parametrize("shape", ["coding", "concepts", "code"])
def test_the_class_of_the_visit_asks_for_the_place(code: str, rule: str, shape: str) -> None:
    """A stay is paid as a whole: its drugs are no lines of a claim. DSTU2 has words, R4 a coding, R5 concepts."""
    words = {"IMP": "inpatient", "ACUTE": "inpatient", "HH": "home", "AMB": "ambulatory", "EMER": "emergency"}
    said: Any = {"coding": {"code": code}, "concepts": [{"coding": [{"code": code}]}], "code": words[code]}[shape]
    visit = {"resourceType": "Encounter", "id": "v", "status": "finished", "class": said}
    for name in ("context", "encounter"):
        given = GIVEN | {name: {"reference": "Encounter/v"}}
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": given}, {"resource": visit}]}
        assert rules(read(fhir, bundle)) == ([rule] if rule else [])
    bundle["entry"][1] = {"resource": visit | {"status": "entered-in-error"}}
    with pytest.raises(FormatError, match="its visit"):
        read(fhir, bundle)


@pytest.mark.parametrize(("of", "asks"), [("I", True), ("O", False), ("E", False), ("R", False), ("", False)])
def test_an_inpatients_record_asks_for_the_place_of_the_stay(of: str, asks: bool) -> None:
    rows = ["PID|1||M1", f"PV1|1|{of}|CLINIC", "ORC|RE|1", RXA, "RXR|IM"]
    assert rules(read(hl7v2, "\r".join(rows))) == (["given-to-inpatient"] if asks else [])
    stay = hl7v2.read("\r".join(rows), place="21")
    assert isinstance(stay, Encounter)
    assert rules(stay) == []
    several = [*rows, "PID|2||M2", "PV1|1|O", "ORC|RE|2", RXA.replace("0|1", "0|2"), "RXR|IM"]
    first, second = hl7v2.read_all("\r".join(several), place="11")
    assert isinstance(first, Encounter)
    assert isinstance(second, Encounter)
    assert (rules(first), rules(second)) == ((["given-to-inpatient"] if asks else []), [])
    category = {"category": {"coding": [{"code": "inpatient" if asks else "outpatient"}]}}
    assert rules(read(fhir, GIVEN | category)) == (["given-to-inpatient"] if asks else [])


def test_an_order_visit_or_reason_of_another_patient_is_not_this_ones() -> None:
    given = GIVEN | {"subject": {"reference": "Patient/1"}}
    for name, kind in (("request", "MedicationRequest"), ("context", "Encounter")):
        held: dict[str, Any] = {"resourceType": kind, "id": "x", "status": "finished"}
        held |= {"subject": {"reference": "https://ehr.example/fhir/Patient/2"}}
        given_by = given | {name: {"reference": f"{kind}/x"}}
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": given_by}, {"resource": held}]}
        with pytest.raises(FormatError, match="is of another patient"):
            read(fhir, bundle)
        held["subject"] = {"reference": "https://ehr.example/fhir/Patient/1"}
        assert rules(read(fhir, bundle)) == []
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]}
    reason: dict[str, Any] = {"resourceType": "Condition", "id": "c", "code": code}
    because = given | {"reasonReference": [{"reference": "Condition/c"}]}
    for patient, found in (("Patient/1", ("M54.50",)), ("Patient/2", ())):
        entries = [{"resource": because}, {"resource": reason | {"subject": {"reference": patient}}}]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        assert read(fhir, bundle).administrations[0].diagnoses == found


@pytest.mark.parametrize(
    ("order", "asks"),
    [
        ("RXE||^ceftriaxone|1||g", True),
        ("RXO|^vancomycin|1||g", True),
        ("RXE||^cefazolin 1 g in dextrose 5 % 50 mL IVPB|50||mL", False),
        ("RXO|^dextrose 5 % in water|50||mL", False),
        ("RXE||^cefazolin|1||g", False),
        ("RXE||^cefazolin|100||mg", True),
        ("RXE||^surgical prophylaxis bag|50||mL", False),
    ],
)
def test_the_order_of_a_bag_is_held_against_what_is_in_it(order: str, asks: bool) -> None:
    bag = ["RXC|B|^dextrose 5% in water|50|mL", "RXC|A|^cefazolin|1|g"]
    for rxa in (BAG, BAG.replace("^cefazolin|1|g", "^dextrose 5% in water|50|mL")):
        found = read(hl7v2, "\r".join(["ORC|RE|1", order, *bag, rxa, "RXR|IVPB"]), diagnoses=["R52"])
        assert rules(found) == (["order-differs"] if asks else [])
        assert lines(found) == [("96365", 1), ("J0690", 2)]


@pytest.mark.parametrize(("drug", "asks"), [("thiamine", False), ("magnesium sulfate", False), ("ceftriaxone", True)])
def test_the_order_of_several_drugs_in_a_bag_may_name_one_of_them(drug: str, asks: bool) -> None:
    bag = ["RXC|B|^sodium chloride 0.9%|1000|mL", "RXC|A|^thiamine|100|mg", "RXC|A|^magnesium sulfate|2|g"]
    rxa = "RXA|0|1|20260302100000|20260302120000|^banana bag|1000|mL|||||||||||||CP|A"
    found = read(hl7v2, "\r".join(["ORC|RE|1", f"RXE||^{drug}|1||{'g' if asks else 'mL'}", *bag, rxa, "RXR|IV"]))
    assert rules(found) == (["order-differs"] if asks else [])


@pytest.mark.parametrize(
    ("orc", "withdrawn"),
    [
        ("ORC|CANCEL|1", True),
        ("ORC|ca|1", True),
        ("ORC|RE|1|||X^Discontinued", True),
        ("ORC|RE|1|||Cancelled", True),
        ("ORC|RE|1|||Entered in Error", True),
        ("ORC|RE|1||||||||||||||17^Duplicate order^L", True),
        ("ORC|RE|1|||CM", False),
        ("ORC|RE|1|||In Progress", False),
        ("ORC|RE|1|||Dispensed", False),
        ("ORC|NW|1|||Completed", False),
        ("ORC|RE|1||||||||||||||17^Pharmacy verified^L", False),
    ],
)
def test_an_order_that_is_withdrawn_in_the_senders_words_is_asked_about(orc: str, withdrawn: bool) -> None:
    text = f"{orc}\r{RXA}\rRXR|IM"
    if withdrawn:
        with pytest.raises(FormatError, match="ORC-"):
            read(hl7v2, text)
        if "|ca|" in orc:
            return
    billed = read(hl7v2, text, completed=True)
    assert [line.code for line in jc.charge(billed).lines] == ["96372", "J1885"]


@pytest.mark.parametrize(
    ("beside", "refused"),
    [
        ({"resourceType": "Composition", "status": "entered-in-error"}, True),
        ({"resourceType": "Composition", "status": "final"}, False),
        ({"resourceType": "Provenance", "activity": {"coding": [{"code": "NULLIFY"}]}}, True),
        ({"resourceType": "Provenance", "activity": {"text": "DELETE"}}, True),
        ({"resourceType": "Provenance", "activity": {"coding": [{"code": "CREATE"}]}}, False),
        ({"resourceType": "Provenance", "target": [{"reference": "Patient/1"}], "activity": {"text": "DELETE"}}, False),
    ],
)
def test_what_heads_a_bundle_or_tells_of_a_record_may_take_it_back(beside: dict[str, Any], refused: bool) -> None:
    target = (
        {"target": [{"reference": "MedicationAdministration/a1"}]} if beside["resourceType"] == "Provenance" else {}
    )
    entries = [{"resource": one} for one in (target | beside, GIVEN)]
    bundle = {"resourceType": "Bundle", "type": "document", "entry": entries}
    if refused:
        with pytest.raises(FormatError, match=r"entry\[0\]: "):
            read(fhir, bundle)
    else:
        assert [line.code for line in jc.charge(read(fhir, bundle)).lines] == ["96372", "J1885"]
