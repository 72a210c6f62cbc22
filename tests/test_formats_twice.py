"""What a message says twice: choices, fields, records and copies that agree are silent, and others ask or are refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import fhir, hl7v2

GIVEN: dict[str, Any] = {
    "resourceType": "MedicationAdministration",
    "id": "a1",
    "status": "completed",
    "medicationCodeableConcept": {"text": "ketorolac"},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2026-03-02T10:15:00-05:00",
    "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
}
CEFTRIAXONE = {"resourceType": "Medication", "id": "m", "code": {"text": "ceftriaxone"}}
KETOROLAC = {"resourceType": "Medication", "id": "m", "code": {"text": "Toradol"}}


def read(message: dict[str, Any]) -> Encounter:
    found = fhir.read(json.dumps(message), place="11", diagnoses=["R52"])
    assert isinstance(found, Encounter)
    return found


@pytest.mark.parametrize(
    "more",
    [
        {"contained": [CEFTRIAXONE], "medicationReference": {"reference": "#m"}},
        {"medicationReference": {"reference": "Medication/9", "display": "ceftriaxone 1 g injection"}},
        {"medication": {"concept": {"text": "ceftriaxone"}}},
        {"medication": {"reference": {"reference": "Medication/9", "display": "ceftriaxone"}}},
        {"occurenceDateTime": "2026-03-05T10:15:00-05:00"},
        {"effectivePeriod": {"start": "2026-03-02T11:15:00-05:00"}},
    ],
)
def test_a_choice_of_fhir_that_is_made_twice_must_agree(more: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="contradict each other"):
        read({**GIVEN, **more})


@pytest.mark.parametrize(
    "more",
    [
        {"contained": [KETOROLAC], "medicationReference": {"reference": "#m"}},
        {"medication": {"concept": {"text": "ketorolac tromethamine"}}},
        {"occurenceDateTime": "2026-03-02T10:15:00-05:00"},
        {"occurrenceDateTime": "2026-03-02"},
    ],
)
def test_two_elements_that_say_the_same_are_read(more: dict[str, Any]) -> None:
    found = read({**GIVEN, **more})
    assert [(line.code, line.units) for line in jc.charge(found).lines] == [("96372", 1), ("J1885", 2)]
    assert found.administrations[0].time == "10:15"


def test_a_medication_whose_only_ingredient_is_another_drug_asks() -> None:
    made = {**KETOROLAC, "ingredient": [{"itemCodeableConcept": {"text": "ceftriaxone"}}]}
    message = {key: value for key, value in GIVEN.items() if key != "medicationCodeableConcept"}
    found = read({**message, "contained": [made], "medicationReference": {"reference": "#m"}})
    assert "ingredient-unbilled" in {one.rule for one in found.findings}


RXA = "RXA|0|1|20260302101500||^ketorolac|30|mg|||||||||||||CP|A"
MSH = "MSH|^~\\&|M|C|B|C|20260302||RAS^O17|1|P|2.5.1\rPID|1||P1"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("IM", "IM~IV", "RXR-1"),
        ("|30|", "|30~60|", "RXA-6"),
        ("|mg|", "|mg~g|", "RXA-7"),
        ("20260302101500", "20260302101500~20260303101500", "RXA-3"),
    ],
)
def test_a_field_that_is_said_once_is_not_read_in_part(old: str, new: str, field: str) -> None:
    text = f"{RXA}\rRXR|IM"
    assert hl7v2.read(text, place="11").administrations[0].route == "IM"
    with pytest.raises(FormatError, match=f"{field} says several things"):
        hl7v2.read(text.replace(old, new), place="11")
    assert hl7v2.read(text.replace("IM", "IM~IM"), place="11").administrations[0].route == "IM"


@pytest.mark.parametrize("field", hl7v2.ONCE)
def test_of_a_charge_no_field_is_read_in_part(field: int) -> None:
    row = ["FT1", *[""] * 43]
    row[4], row[6], row[10], row[25] = "20260302", "CG", "2", "J1885"
    row[field] = f"{row[field]}~X"
    with pytest.raises(FormatError, match=f"FT1-{field} "):
        hl7v2.read("|".join(row if row[field] != "~X" else [*row[:field], "Y~X", *row[field + 1 :]]))


def bundle(*entries: dict[str, Any], kind: str = "collection") -> str:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)})


@pytest.mark.parametrize("name", ["MedicationAdministration", "Claim", "ChargeItem"])
def test_a_record_that_a_bundle_deletes_or_keeps_an_earlier_version_of_is_not_billed(name: str) -> None:
    gone = {"request": {"method": "DELETE", "url": f"{name}/a1"}}
    for text in (bundle(gone, {"resource": GIVEN}, kind="transaction"), bundle({"resource": GIVEN}, kind="history")):
        for call in (fhir.read, fhir.reading):
            with pytest.raises(FormatError, match=r"deletes a|earlier versions"):
                call(text, place="11")
        [said] = fhir.read_all(text, place="11")
        assert isinstance(said, FormatError)
    other = {"request": {"method": "DELETE", "url": "Appointment/7"}}
    assert fhir.read(bundle(other, {"resource": GIVEN}), place="11").administrations[0].dose == "30 mg"


def test_of_a_record_that_stands_twice_in_a_bundle_one_is_billed_and_of_two_versions_none() -> None:
    copies = fhir.read_all(bundle({"resource": GIVEN}, {"resource": GIVEN}), place="11")
    assert [type(one).__name__ for one in copies] == ["Encounter", "FormatError"]
    changed = {**GIVEN, "status": "entered-in-error"}
    for versions in ((GIVEN, changed), (changed, GIVEN), (GIVEN, {**GIVEN, "effectiveDateTime": "2026-03-04"})):
        found = fhir.read_all(bundle(*({"resource": one} for one in versions)), place="11")
        assert all("stands twice" in str(one) for one in found), found


def test_an_exact_copy_in_a_batch_asks_and_another_dose_does_not() -> None:
    later = json.dumps({**GIVEN, "id": "a2", "effectiveDateTime": "2026-03-02T14:15:00"})
    text = f"{json.dumps(GIVEN)}\n{later}\n{json.dumps(GIVEN)}"
    hl7 = f"{MSH}\r{RXA}\rRXR|IM\r"
    for made in (fhir.read_all(text, place="11"), hl7v2.read_all(hl7 + hl7.replace("1015", "1415") + hl7, place="11")):
        asked = [["record-repeated" in {one.rule for one in each.findings}] for each in made]
        assert asked == [[False], [False], [True]]


@pytest.mark.parametrize(
    ("change", "asks"),
    [
        ({}, True),
        ({"effectiveDateTime": "2026-03-02T14:15:00-05:00"}, False),
        ({"subject": {"reference": "Patient/p2"}}, False),
        ({"medicationCodeableConcept": {"text": "ondansetron"}}, False),
        ({"dosage": GIVEN["dosage"] | {"site": {"text": "left arm"}}}, False),
    ],
)
def test_the_same_dose_under_another_id_asks(change: dict[str, Any], asks: bool) -> None:
    first = GIVEN | {"subject": {"reference": "Patient/p1"}}
    for records in (
        [first, first | {"id": "a2"} | change],
        [{"resourceType": "Bundle", "entry": [{"resource": first}]}, first | {"id": "a2"} | change],
    ):
        text = "\n".join(map(json.dumps, records))
        asked = [["record-repeated" in {one.rule for one in each.findings}] for each in fhir.read_all(text, place="11")]
        assert asked == [[False], [asks]]


def test_what_was_not_given_at_first_is_no_dose_before() -> None:
    first = GIVEN | {"subject": {"reference": "Patient/p1"}}
    made = fhir.read_all([first | {"status": "not-done"}, first | {"id": "a2"}], place="11")
    assert isinstance(made[0], FormatError)
    assert "record-repeated" not in {one.rule for one in made[1].findings}
    for status in ("NA", "RE", "Not Given"):
        first, second = (f"{MSH}\r{RXA.replace('|CP|', f'|{one}|')}\rRXR|IM\r" for one in (status, "CP"))
        sent: Any = hl7v2.read_all(first + second + second.replace("|1|P|", "|2|P|"), place="11")
        assert isinstance(sent[0], FormatError)
        assert [[one.rule for one in each.findings] for each in sent[1:]] == [[], ["record-repeated"]]


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (RXA.replace("|CP|", "|NA|"), "denies"),
        (RXA.replace("|CP|", "|RE|"), "denies"),
        (RXA.replace("|CP|", "|Charted in Error|"), "denies"),
        (RXA.replace("|CP|", "|Canceled Entry|"), "denies"),
        (f"ORC|CA|1\r{RXA}", "cancels the order of"),
        (f"ORC|DE|1\r{RXA}", "cancels the order of"),
    ],
)
def test_what_a_later_message_of_a_batch_says_against_a_dose_is_heard(later: str, says: str) -> None:
    first, second = f"{MSH}\r{RXA}\rRXR|IM\r", f"{MSH}\r{later}\rRXR|IM\r"
    found = hl7v2.read_all(first + second, place="11")
    assert [type(one).__name__ for one in found] == ["FormatError", "FormatError"]
    assert f"a later message of the batch {says} it" in str(found[0])
    assert [type(one).__name__ for one in hl7v2.read_all(second + first, place="11")] == ["FormatError", "Encounter"]


def test_a_dose_that_is_sent_again_in_another_message_asks() -> None:
    """Another number and time in MSH, another order, a note more: the dose is the same."""
    first = f"{MSH}\r{RXA}\rRXR|IM\r"
    for other in (
        first.replace("|1|P|", "|2|P|").replace("|20260302||", "|20260303||"),
        first.replace("RXA|", "ORC|RE|9\rRXA|"),
        f"{first}NTE|1||tolerated well\r",
    ):
        made: Any = hl7v2.read_all(first + other, place="11")
        assert [[one.rule for one in each.findings] for each in made] == [[], ["record-repeated"]]
    for other in (
        first.replace("1015", "1415"),
        first.replace("0|1", "0|2"),
        first.replace("PID|1||P1", "PID|1||P2"),
        first.replace("|30|", "|60|"),
        first.replace("ketorolac|30", "ondansetron|4"),
    ):
        made = hl7v2.read_all(first + other, place="11")
        assert [[one.rule for one in each.findings] for each in made] == [[], []]
    unnamed = first.replace("PID|1||P1\r", "")
    made = hl7v2.read_all(unnamed + unnamed.replace("|1|P|", "|2|P|"), place="11")
    assert [[one.rule for one in each.findings] for each in made] == [[], []]


def test_a_charge_beside_what_was_given_asks() -> None:
    charge = "FT1|1|||20260302||CG|J1885^^HCPCS|||2"
    assert [one.rule for one in hl7v2.reading(f"{MSH}\r{RXA}\rRXR|IM\r{charge}", place="11").findings] == [
        "charged-beside"
    ]


def test_a_charge_that_is_sent_again_is_a_loss() -> None:
    row = ["FT1", *[""] * 25]
    row[2], row[4], row[6], row[10], row[25] = "T1", "20260302", "CG", "2", "J1885"
    first = f"{MSH.replace('RAS^O17', 'DFT^P03')}\r{'|'.join(row)}\r"
    made: Any = hl7v2.read_all(first + first.replace("|1|P|", "|2|P|") + first.replace("|T1|", "|T2|"))
    assert [any("billed twice" in str(loss) for loss in each.losses) for each in made] == [False, True, False]


def test_an_error_of_a_batch_names_its_line() -> None:
    bad = {**GIVEN, "id": "a2", "dosage": {"route": {"text": "IM"}}}
    for text, place in ((f"{json.dumps(GIVEN)}\n{json.dumps(bad)}", "line 2"), (json.dumps([GIVEN, bad]), "record 2")):
        found = fhir.read_all(text, place="11")[1]
        assert isinstance(found, FormatError)
        assert str(found).startswith(f"{place}: MedicationAdministration a2: ")
        assert found.fields["record"] == place


@pytest.mark.parametrize("kind", ["Claim", "ChargeItem"])
def test_a_claim_that_stands_twice_in_a_message_is_refused(kind: str) -> None:
    code = {"coding": [{"system": fhir.HCPCS, "code": "J1885"}]}
    one = {"resourceType": "ChargeItem", "id": "c", "status": "billable", "code": code, "quantity": {"value": 2}}
    item = {"sequence": 1, "productOrService": code, "quantity": {"value": 2}}
    two = {"resourceType": "Claim", "id": "c", "status": "active", "use": "claim", "item": [item]}
    record = {"ChargeItem": one, "Claim": two}[kind]
    with pytest.raises(FormatError, match=f"{kind} c: it stands twice"):
        fhir.read(bundle({"resource": record}, {"resource": record}))
    found = fhir.read(bundle({"resource": record}, {"resource": {**record, "id": "d"}}))
    assert (len(found.lines), ["billed twice" in str(loss) for loss in found.losses]) == (2, [True])
    more: dict[str, Any] = {"quantity": {"value": 3}}
    more = more if kind == "ChargeItem" else {"item": [item | more]}
    assert fhir.read(bundle({"resource": record}, {"resource": {**record, "id": "d", **more}})).losses == ()
    code["coding"].append({"system": fhir.HCPCS, "code": "J0696"})
    with pytest.raises(FormatError, match="'J1885' and 'J0696', which contradict each other"):
        fhir.read(bundle({"resource": record}))


@pytest.mark.parametrize("unit", ["VIAL", "EA", "DOSE"])
def test_a_dose_that_counts_things_is_made_exact_by_what_was_in_them(unit: str) -> None:
    text = f"{RXA}\rRXR|IM".replace("|30|mg|", f"|1|{unit}|")
    beside: dict[str, Any] = {"place": "11", "diagnoses": ["R52"]}
    found = hl7v2.read(text, dose="30 mg", **beside)
    assert [(line.code, line.units) for line in jc.charge(found).lines] == [("96372", 1), ("J1885", 2)]
    assert "said-beside" in {one.rule for one in found.findings}
    with pytest.raises(FormatError, match="Correct the one that is wrong"):
        hl7v2.read(text, dose=f"2 {unit}", **beside)


def test_a_bundle_in_a_bundle_holds_its_records_too() -> None:
    later = {**GIVEN, "id": "a2", "effectiveDateTime": "2026-03-02T18:15:00-05:00"}
    page = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": later}]}
    answers = json.loads(bundle({"resource": GIVEN}, {"resource": page}, kind="batch-response"))
    assert [one.time for one in read(answers).administrations] == ["10:15", "18:15"]
    page["link"] = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    answers["entry"][1]["resource"] = page
    assert "page-incomplete" in {one.rule for one in read(answers).findings}
    page["type"] = "history"
    with pytest.raises(FormatError, match="earlier versions"):
        read(answers)
    deep: dict[str, Any] = {"resourceType": "Bundle", "entry": []}
    for _ in range(5000):
        deep = {"resourceType": "Bundle", "entry": [{"resource": deep}]}
    with pytest.raises(FormatError, match="nested deeper"):
        fhir.read(deep, place="11")


def test_two_salts_that_have_a_code_each_are_two_drugs() -> None:
    concept = {"coding": [{"display": "methylprednisolone acetate"}], "text": "methylprednisolone sodium succinate"}
    with pytest.raises(FormatError, match="contradict each other"):
        read({**GIVEN, "medicationCodeableConcept": concept})
    concept = {"coding": [{"display": "methylprednisolone"}], "text": "methylprednisolone acetate"}
    assert read({**GIVEN, "medicationCodeableConcept": concept}).administrations[0].drug.endswith("acetate")


@pytest.mark.parametrize(
    "service", [{"coding": [{"system": fhir.HCPCS, "code": "J1885"}]}, {"system": fhir.HCPCS, "code": "J1885"}]
)
def test_a_claim_of_an_earlier_release_has_its_code_in_service(service: dict[str, Any]) -> None:
    item = {"sequence": 1, "service": service, "quantity": {"value": 2}}
    found = fhir.read({"resourceType": "Claim", "use": "complete", "item": [item]})
    assert [(line.code, line.units) for line in found.lines] == [("J1885", 2)]
    assert found.losses == ()


def test_of_a_record_that_stands_in_a_batch_in_versions_that_differ_none_is_billed() -> None:
    other_patient = {**GIVEN, "subject": {"reference": "Patient/2"}}
    for second, billed in (
        ({**GIVEN, "status": "entered-in-error"}, []),
        ({**GIVEN, "dosage": {**GIVEN["dosage"], "dose": {"value": 60, "unit": "mg"}}}, []),
        ({**GIVEN, "effectiveDateTime": "2026-03-04"}, ["Encounter", "Encounter"]),
        ({**GIVEN, "medicationCodeableConcept": {"text": "ondansetron"}}, ["Encounter", "Encounter"]),
        (other_patient, ["Encounter", "Encounter"]),
        ({**GIVEN, "id": "a2"}, ["Encounter", "Encounter"]),
    ):
        for text in (f"{json.dumps(GIVEN)}\n{json.dumps(second)}", [GIVEN, second], [second, GIVEN]):
            found = fhir.read_all(text, place="11")
            assert [type(one).__name__ for one in found if isinstance(one, Encounter)] == billed
            assert billed or all("versions that differ" in str(one) for one in found)


@pytest.mark.parametrize(("action", "says"), [("D", "deletes it"), ("U", "updates it")])
def test_what_a_later_message_of_a_batch_takes_back_is_not_billed(action: str, says: str) -> None:
    first = f"{MSH}\r{RXA}\rRXR|IM\r"
    assert RXA.endswith("|CP|A")
    later = first.replace("|CP|A", f"|CP|{action}")
    found = hl7v2.read_all(first + later, place="11")
    assert [type(one).__name__ for one in found] == ["FormatError", "FormatError"]
    assert f"a later message of the batch {says}" in str(found[0])
    assert [type(one).__name__ for one in hl7v2.read_all(later + first, place="11")] == ["FormatError", "Encounter"]
    another = later.replace("1015", "1415")
    assert [type(one).__name__ for one in hl7v2.read_all(first + another, place="11")] == ["Encounter", "FormatError"]


def test_a_message_that_goes_on_in_another_asks() -> None:
    assert [one.rule for one in hl7v2.read(f"{MSH}\r{RXA}\rRXR|IM\rDSC|4711|F", place="11").findings] == [
        "page-incomplete"
    ]
    assert hl7v2.read(f"{MSH}\r{RXA}\rRXR|IM\rDSC|", place="11").findings == ()


def test_many_charges_are_compared_in_a_time_that_grows_with_their_number() -> None:
    code = {"coding": [{"system": fhir.CPT, "code": "96372"}]}
    one = {"resourceType": "ChargeItem", "status": "billable", "code": code, "quantity": {"value": 1}}
    many = [{"resource": {**one, "id": f"c{n}", "enterer": {"reference": f"Practitioner/{n}"}}} for n in range(6000)]
    bundle = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": many})
    began = time.process_time()
    assert fhir.read(bundle).losses == ()
    assert time.process_time() - began < 2.5  # each with each of the others, it was more than twice that


def test_many_events_of_one_order_are_read_in_a_time_that_grows_with_their_number() -> None:
    day = [RXA.replace("20260302101500", f"20260302{n // 60:02}{n % 60:02}00") for n in range(1400)]
    began = time.process_time()
    found = hl7v2.read("\r".join([MSH, *(f"{one}\rRXR|IM" for one in day)]), place="11", diagnoses=["R52"])
    assert isinstance(found, Encounter)
    assert len(found.administrations) == 1400
    assert time.process_time() - began < 1.5  # each with all of its order, it was twice that
