"""Who gave it: the performer, in every release; who only verified or witnessed it gave nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

import jcodeunits as jc
from jcodeunits.encounter import Administration, Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import fhir, hl7v2

NURSE, OTHER = {"reference": "Practitioner/n1"}, {"reference": "Practitioner/n2"}
FUNCTIONS = "http://terminology.hl7.org/CodeSystem/med-admin-perform-function"


def by(function: str, actor: dict[str, Any]) -> dict[str, Any]:
    return {"function": {"coding": [{"system": FUNCTIONS, "code": function}]}, "actor": actor}


def read(performers: Any, key: str = "performer", **more: Any) -> tuple[Administration, Encounter]:
    resource = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": {"text": "ketorolac"},
        "effectiveDateTime": "2026-03-02",
        "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
        key: performers,
        **more,
    }
    found = fhir.read(json.dumps(resource), place="11", payer="commercial")
    assert isinstance(found, Encounter)
    return found.administrations[0], found


@pytest.mark.parametrize(
    "performers",
    [
        [{"actor": NURSE}],
        [by("verifier", OTHER), by("performer", NURSE)],
        [by("witness", OTHER), {"actor": NURSE}],
        [{"actor": OTHER}, by("performer", NURSE)],
        [by("verifier", OTHER), {"function": {"text": "Verifier"}, "actor": OTHER}, {"actor": {"reference": NURSE}}],
        [{"actor": {"identifier": {"value": "n0"}}, "function": {"text": "witness"}}, {"actor": NURSE}],
    ],
    ids=["alone", "function", "witness first", "function before none", "R5 reference", "identifier"],
)
def test_the_performer_is_who_carried_it_out(performers: list[dict[str, Any]]) -> None:
    given, _ = read(performers)
    assert (given.performer, given.self_administered) == ("Practitioner/n1", False)


def test_who_only_verified_gave_nothing() -> None:
    given, _ = read([by("verifier", OTHER), by("witness", NURSE)])
    assert given.performer is None


def test_the_second_release_calls_it_practitioner() -> None:
    assert read(NURSE, "practitioner")[0].performer == "Practitioner/n1"


@pytest.mark.parametrize(
    ("actor", "more"),
    [
        ({"reference": "Patient/p1"}, {}),
        ({"reference": "https://ehr.example/fhir/Patient/p1/_history/2"}, {}),
        ({"reference": {"reference": "Patient/p1"}}, {}),
        ({"type": "Patient", "display": "self"}, {}),
        ({"reference": "#me"}, {"contained": [{"resourceType": "Patient", "id": "me"}]}),
        ({"reference": "RelatedPerson/r1"}, {}),
    ],
)
def test_no_administration_where_the_patient_or_a_relative_gave_it(actor: dict[str, Any], more: dict[str, Any]) -> None:
    given, found = read([{"actor": actor}], **more)
    made = jc.charge(found)
    assert given.self_administered
    assert [line.code for line in made.lines] == ["J1885"]
    assert {"self-administered", "performer-not-staff"} <= {one.rule for one in made.findings}


def test_a_relative_is_named_as_one() -> None:
    _, found = read([{"actor": {"reference": "RelatedPerson/r1"}}])
    assert "relative" in " ".join(one.says for one in found.findings)


def test_a_message_that_says_the_patient_gave_it_is_not_overruled_from_beside() -> None:
    text = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "ketorolac"},
        "effectiveDateTime": "2026-03-02",
        "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
        "performer": [{"actor": {"reference": "Patient/p1"}}],
    }
    with pytest.raises(FormatError, match="self_administered"):
        fhir.read(json.dumps(text), place="11", self_administered=False)


def test_the_first_person_named_in_rxa_10_gave_it() -> None:
    text = "RXA|0|1|20260302||^ketorolac|30|mg|||{}||||||||||CP|A\rRXR|IM"
    for said, who in (("99^SMITH", "99"), ("~99^SMITH", "99"), ("^SMITH^ANN", "SMITH"), ("", None)):
        found = hl7v2.read(text.format(said), place="11")
        assert isinstance(found, Encounter)
        assert found.administrations[0].performer == who


def test_who_is_the_subject_of_the_record_is_the_patient() -> None:
    """An address that says no type (urn:uuid) is the patient's where the record is about the same."""
    given, _ = read([{"actor": {"reference": "urn:uuid:7"}}], subject={"reference": "urn:uuid:7"})
    assert given.self_administered
    assert not read([{"actor": {"reference": "urn:uuid:8"}}], subject={"reference": "urn:uuid:7"})[0].self_administered


# --- who the patient is ----------------------------------------------------------------------------


def _of(subject: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "ketorolac"},
        "effectiveDateTime": "2026-03-02T10:00:00-05:00",
        "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
        "subject": subject,
        **more,
    }


PATIENTS = {
    "identifier": [{"identifier": {"system": "urn:mrn", "value": n}} for n in "12"],
    "name": [{"display": n} for n in ("ALPHA", "BETA")],
    "address": [{"reference": f"Patient/{n}"} for n in "12"],
}


@pytest.mark.parametrize("known_by", PATIENTS)
def test_two_patients_are_never_pooled_however_they_are_known(known_by: str) -> None:
    one, other = PATIENTS[known_by]
    two = [_of(one, id="a1"), _of(other, id="a2", effectiveDateTime="2026-03-02T18:00:00-05:00")]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": each} for each in two]}
    with pytest.raises(FormatError, match="several patients"):
        fhir.read(bundle, place="11")
    assert [len(each.administrations) for each in fhir.read_all(bundle, place="11")] == [1, 1]
    two[1]["subject"] = one
    assert len(fhir.read(bundle, place="11").administrations) == 2
    code = {"coding": [{"system": fhir.HCPCS, "code": "J1885"}]}
    charges = [
        {
            "resourceType": "ChargeItem",
            "id": n,
            "status": "billable",
            "code": code,
            "quantity": {"value": 2},
            "subject": who,
        }
        for n, who in (("c1", one), ("c2", other))
    ]
    assert fhir.read({"resourceType": "Bundle", "entry": [{"resource": each} for each in charges]}).claims == (1, 2)


def test_two_contained_patients_of_one_local_name_are_two() -> None:
    two = [
        _of(
            {"reference": "#p"},
            id=f"a{n}",
            contained=[{"resourceType": "Patient", "id": "p", "identifier": [{"value": n}]}],
        )
        for n in "12"
    ]
    with pytest.raises(FormatError, match="several patients"):
        fhir.read({"resourceType": "Bundle", "entry": [{"resource": each} for each in two]}, place="11")


def test_a_patient_who_is_known_by_identifier_and_performs_is_no_staff() -> None:
    who = {"identifier": {"system": "urn:mrn", "value": "1"}}
    found = fhir.read({**_of(who), "performer": [{"actor": who}]}, place="11")
    assert found.administrations[0].self_administered
    odd = fhir.read({**_of(who), "performer": [{"actor": {"identifier": ["x"]}}]}, place="11")
    assert not odd.administrations[0].self_administered
