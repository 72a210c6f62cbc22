"""What a record says that it does not know, leaves out, or says in words and elements that are no one dose and time."""

from __future__ import annotations

from typing import Any

import pytest
from read_messages import lines, read, rules

from jcodeunits.errors import FormatError
from jcodeunits.formats import fhir

ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
DOSE = {"value": 30, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
DOSAGE: dict[str, Any] = {"route": {"text": "IM"}, "dose": DOSE}
GIVEN: dict[str, Any] = {
    "resourceType": "MedicationAdministration",
    "id": "a1",
    "status": "completed",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"text": "ketorolac"},
    "effectiveDateTime": "2026-03-02T10:15:00-05:00",
    "dosage": DOSAGE,
}
TIMELESS = {key: value for key, value in GIVEN.items() if key != "effectiveDateTime"}
VACCINE: dict[str, Any] = {
    "resourceType": "Immunization",
    "id": "i1",
    "status": "completed",
    "vaccineCode": {"coding": [{"system": fhir.CPT, "code": "90656"}]},
    "patient": {"reference": "Patient/p1"},
    "occurrenceDateTime": "2026-03-02",
    "primarySource": True,
    "route": {"text": "IM"},
    "doseQuantity": {"value": 0.5, "code": "mL", "system": "http://unitsofmeasure.org"},
}
BILLED = [("96372", 1), ("J1885", 2)]


# --- what is not known ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"_status": ABSENT},
        {"_effectiveDateTime": ABSENT},
        {"dosage": DOSAGE | {"dose": DOSE | {"_value": ABSENT}}},
        {"dosage": DOSAGE | {"dose": DOSE | {"_unit": ABSENT}}},
        {"dosage": DOSAGE | {"dose": DOSE | ABSENT}},
    ],
)
def test_a_value_beside_the_reason_why_there_is_none_is_not_taken(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="data-absent-reason beside its"):
        read(GIVEN | change)


@pytest.mark.parametrize("name", ["_status", "_effectiveDateTime"])
def test_another_extension_of_a_value_and_a_reason_where_there_is_none_change_nothing(name: str) -> None:
    other = {"extension": [{"url": "urn:x", "valueString": "y"}]}
    assert lines(read(GIVEN | {name: other})) == lines(read(GIVEN | {"_language": ABSENT})) == BILLED
    assert lines(read(TIMELESS | {"_effectiveDateTime": ABSENT}, on="2026-03-02")) == BILLED
    with pytest.raises(FormatError, match="when"):
        read(TIMELESS | {"_effectiveDateTime": ABSENT})


def test_a_record_of_which_elements_were_left_out_asks() -> None:
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    encounter = read(GIVEN | {"meta": {"tag": [tag]}})
    assert (lines(encounter), rules(encounter)) == (BILLED, ["page-incomplete"])
    assert rules(read(GIVEN | {"meta": {"tag": [{"code": "reviewed"}]}})) == []


@pytest.mark.parametrize(
    ("issue", "asks"),
    [
        ({"severity": "error", "code": "throttled"}, True),
        ({"severity": "warning", "code": "incomplete"}, True),
        ({"severity": "information", "code": "informational"}, False),
    ],
)
def test_a_search_that_failed_in_part_says_that_the_rest_is_missing(issue: dict[str, str], asks: bool) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": GIVEN}, {"resource": outcome}]}
    assert rules(read(bundle)) == (["page-incomplete"] if asks else [])


# --- what turns a record round --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "change"),
    [
        ("bundle", {"implicitRules": "urn:x"}),
        ("entry", {"modifierExtension": [{"url": "urn:x"}]}),
        ("record", {"meta": {"profile": ["http://x.org/qicore-medicationadministrationnotdone"]}}),
    ],
)
def test_a_bundle_or_profile_that_turns_its_records_round_is_refused(of: str, change: dict[str, Any]) -> None:
    record = GIVEN | (change if of == "record" else {})
    entry = {"resource": record} | (change if of == "entry" else {})
    with pytest.raises(FormatError, match="not known here"):
        read({"resourceType": "Bundle", "type": "collection", "entry": [entry]} | (change if of == "bundle" else {}))


@pytest.mark.parametrize(
    "entry",
    [
        {"request": {"method": "DELETE", "url": "http://x.org/fhir/MedicationAdministration/a1"}},
        {"request": {"method": "DELETE", "url": "MedicationAdministration?identifier=1"}},
        {
            "request": {"method": "PATCH", "url": "MedicationAdministration/a1"},
            "resource": {"resourceType": "Binary", "data": "eA=="},
        },
    ],
)
def test_a_change_of_a_record_by_its_address_is_not_passed_over(entry: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"entry\[1\]: it (?:deletes|changes) a MedicationAdministration"):
        read({"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": GIVEN}, entry]})


@pytest.mark.parametrize("element", ["reasonCode", "reasonGiven", "reason"])
def test_a_reason_of_the_list_of_reasons_why_not_asks(element: str) -> None:
    coding = {"system": "http://terminology.hl7.org/CodeSystem/reason-medication-not-given", "code": "a"}
    concept = {"coding": [coding]}
    encounter = read(GIVEN | {element: [{"concept": concept} if element == "reason" else concept]})
    assert "dose-doubted" in rules(encounter)


def test_a_vaccine_that_does_not_count_asks() -> None:
    for status, asks in (("nocount", True), ("count", False)):
        protocol = {"doseSequence": 1, "doseStatus": {"coding": [{"code": status}]}}
        assert ("dose-doubted" in rules(read(VACCINE | {"vaccinationProtocol": [protocol]}))) is asks


# --- several doses and times ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "element", ["doseQuantity", "doseRange", "doseAndRate", "maxDosePerPeriod", "timing", "whatNobodyKnows"]
)
def test_an_element_that_no_dosage_has_asks(element: str) -> None:
    encounter = read(GIVEN | {"dosage": DOSAGE | {element: {"value": 60, "unit": "mg"}}})
    assert (lines(encounter), rules(encounter)) == (BILLED, ["element-unread"])


def test_a_dose_and_a_quantity_of_a_dosage_must_agree() -> None:
    assert lines(read(GIVEN | {"dosage": DOSAGE | {"quantity": DOSE}})) == BILLED
    with pytest.raises(FormatError, match="contradict"):
        read(GIVEN | {"dosage": DOSAGE | {"quantity": DOSE | {"value": 60}}})


@pytest.mark.parametrize("element", ["occurenceTiming", "occurrenceTiming", "effectiveTiming"])
@pytest.mark.parametrize(
    ("timing", "reads"),
    [
        ({"event": ["2026-03-02T10:15:00-05:00"]}, True),
        ({"event": ["2026-03-02T10:15:00-05:00", "2026-03-02T16:15:00-05:00"]}, False),
        ({"event": ["2026-03-02T10:15:00-05:00"], "repeat": {"count": 2}}, False),
        ({"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}, False),
    ],
)
def test_a_timing_is_the_time_of_one_dose_only_where_it_has_one_event(
    element: str, timing: dict[str, Any], reads: bool
) -> None:
    record = TIMELESS | {element: timing}
    if reads:
        assert lines(read(record)) == BILLED
        return
    for beside in ({}, {"on": "2026-03-02"}):
        with pytest.raises(FormatError, match=f"{element}, which may be several times"):
            read(record, **beside)


def test_a_time_in_words_is_filled_by_a_day_beside_it_with_a_note() -> None:
    record = {key: value for key, value in VACCINE.items() if key != "occurrenceDateTime"}
    record["occurrenceString"] = "last fall"
    with pytest.raises(FormatError, match="occurrenceString"):
        read(record)
    assert rules(read(record, on="2026-03-02")) == ["said-beside"]


def test_a_period_without_a_start_is_of_the_day_of_its_end() -> None:
    record = TIMELESS | {"effectivePeriod": {"end": "2026-03-02T11:00:00-05:00"}}
    assert lines(read(record, on="2026-03-02")) == BILLED
    for beside in ({}, {"on": "2026-02-27"}):
        with pytest.raises(FormatError, match=r"2026-03-02|no start"):
            read(record, **beside)
