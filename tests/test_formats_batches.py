"""Batches: one encounter or one error for each record, in order; a bad one hides no good one."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError, TableError
from jcodeunits.formats import fhir, hl7v2

KETOROLAC, NO_UNIT, DEXAMETHASONE = ("ketorolac", "30", "mg"), ("ketorolac", "30", ""), ("dexamethasone", "4", "mg")


def message(drug: tuple[str, str, str], patient: str = "P1", status: str = "CP", at: str = "20260302101500") -> str:
    name, amount, unit = drug
    return "\r".join(
        [
            "MSH|^~\\&|M|C|B|C|20260302||RAS^O17^RAS_O17|1|P|2.5.1",
            f"PID|1||{patient}",
            f"RXA|0|1|{at}||^{name}|{amount}|{unit}|||||||||||||{status}|A",
            "RXR|IM",
        ]
    )


def resource(
    number: int, drug: tuple[str, str, str] = KETOROLAC, patient: str = "1", day: str = "02"
) -> dict[str, Any]:
    name, amount, unit = drug
    return {
        "resourceType": "MedicationAdministration",
        "id": f"a{number}",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationCodeableConcept": {"text": name},
        "effectiveDateTime": f"2026-03-{day}T10:15:00-05:00",
        "dosage": {"route": {"text": "IM"}, "dose": {"value": int(amount), **({"unit": unit} if unit else {})}},
    }


def bundle(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources], **more}


def seen(found: tuple[Any, ...]) -> list[Any]:
    """The drugs of each encounter, or the kind of each error."""
    return [
        type(one).__name__ if isinstance(one, JcodeunitsError) else [given.drug for given in one.administrations]
        for one in found
    ]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_messages_of_a_text_in_order(end: str) -> None:
    every = (message(KETOROLAC), message(NO_UNIT, "P2"), message(DEXAMETHASONE, "P3"))
    whole = ["FHS|^~\\&|M|C", "BHS|^~\\&|M|C", *every, "BTS|3", "FTS|1"]
    for text in ("\r".join(every), "\r".join(whole)):
        found = hl7v2.read_all(text.replace("\r", end), place="11")
        assert seen(found) == [["ketorolac"], "FormatError", ["dexamethasone"]]
        assert "unit" in str(found[1])


def test_a_batch_that_was_cut_says_so() -> None:
    found = hl7v2.read_all("\r".join(["BHS|^~\\&|M", message(KETOROLAC), "BTS|2"]), place="11")
    assert seen(found) == [["ketorolac"], "FormatError"]
    assert "counts 2 messages and the batch holds 1" in str(found[1])


def test_a_refused_message_keeps_its_place_and_a_refused_dose_hides_no_other() -> None:
    both = message(KETOROLAC) + "\r" + "\r".join(message(DEXAMETHASONE, status="RE").split("\r")[2:])
    found = hl7v2.read_all("\r".join([message(KETOROLAC, status="NA"), both]), place="11")
    assert seen(found) == ["FormatError", ["ketorolac"]]
    assert "not-administered" in {one.rule for one in found[1].findings}  # type: ignore[union-attr]


def test_what_is_no_message_is_an_error_in_its_place() -> None:
    found = hl7v2.read_all("PID|1||P9\r" + message(KETOROLAC), place="11")
    assert seen(found) == ["FormatError", ["ketorolac"]]
    with pytest.raises(FormatError, match="no HL7 text"):
        hl7v2.read_all("", place="11")
    with pytest.raises(FormatError, match=r"2 messages.*read_all"):
        hl7v2.read("\r".join([message(KETOROLAC)] * 2), place="11")


def test_one_message_is_a_batch_of_one() -> None:
    assert hl7v2.read_all(message(KETOROLAC), place="11") == (hl7v2.read(message(KETOROLAC), place="11"),)
    assert fhir.read_all(json.dumps(resource(1)), place="11") == (fhir.read(resource(1), place="11"),)


@pytest.mark.parametrize("wrong", [5, "x", [], ""])
def test_a_batch_is_read_by_a_reference_and_by_nothing_else(wrong: Any) -> None:
    for module, text in ((hl7v2, message(KETOROLAC)), (fhir, json.dumps(resource(1)))):
        with pytest.raises(TableError, match="is no Reference"):
            module.read_all(text, place="11", reference=wrong)


def test_lines_of_an_export_in_order() -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": {"text": "dexamethasone"}}
    pointing = {**resource(3), "medicationReference": {"reference": "Medication/m"}}
    del pointing["medicationCodeableConcept"]
    order = {"resourceType": "MedicationRequest", "id": "r"}
    lines = [json.dumps(one) for one in (resource(1), resource(2, NO_UNIT), pointing, order, medication)]
    lines.insert(1, "{ no JSON")
    for text in ("\n".join(lines), "\r\n".join(lines) + "\r\n", "\ufeff" + "\n".join(lines)):
        found = fhir.read_all(text, place="11")
        assert seen(found) == [["ketorolac"], "FormatError", "FormatError", ["dexamethasone"], "FormatError"]
        assert "line 2" in str(found[1])
        assert "never billed" in str(found[4])


def test_a_list_of_resources_is_the_same() -> None:
    every = [resource(1), resource(2, DEXAMETHASONE)]
    assert seen(fhir.read_all(every, place="11")) == [["ketorolac"], ["dexamethasone"]]
    assert fhir.read_all(json.dumps(every), place="11") == fhir.read_all(every, place="11")


def test_a_bundle_gives_one_for_each_patient_and_day() -> None:
    found = fhir.read_all(
        json.dumps(
            bundle(
                resource(1),
                resource(2, DEXAMETHASONE, "2"),
                resource(3, NO_UNIT),
                resource(4, DEXAMETHASONE),
                resource(5, KETOROLAC, "1", "03"),
                {**resource(6), "status": "not-done"},
            )
        ),
        place="11",
    )
    assert seen(found) == [
        ["ketorolac", "dexamethasone"],
        ["dexamethasone"],
        "FormatError",
        ["ketorolac"],
        "FormatError",
    ]
    assert [str(one.on) for one in found if isinstance(one, Encounter)] == ["2026-03-02", "2026-03-02", "2026-03-03"]


def test_a_page_with_a_next_one_says_that_the_rest_is_missing() -> None:
    page = bundle(resource(1), link=[{"relation": "next", "url": "https://ehr.example/fhir?page=2"}])
    for made in (fhir.read(page, place="11"), *fhir.read_all(page, place="11")):
        assert isinstance(made, Encounter)
        assert "page-incomplete" in {one.rule for one in jc.charge(made).findings}


@pytest.mark.parametrize(
    ("charge", "asked"),
    [
        ({"resourceType": "Claim", "status": "active", "use": "claim"}, True),
        ({"resourceType": "Claim", "status": "active", "billablePeriod": {"start": "2026-03-01T10:00:00Z"}}, False),
        ({"resourceType": "Claim", "status": "active", "item": [{"servicedDate": "2026-03-02"}]}, True),
        ({"resourceType": "Claim", "status": "cancelled", "use": "claim"}, False),
        ({"resourceType": "Claim", "status": "active", "use": "preauthorization"}, False),
        ({"resourceType": "Claim", "status": "active", "patient": {"reference": "Patient/another"}}, False),
        ({"resourceType": "ChargeItem", "status": "billed", "occurrenceDateTime": "2026-03-02"}, True),
        ({"resourceType": "ChargeItem", "status": "planned"}, False),
        ({"resourceType": "ExplanationOfBenefit", "status": "active", "use": "claim"}, True),
    ],
)
def test_a_charge_beside_what_was_given_asks_whether_it_bills_it(charge: dict[str, Any], asked: bool) -> None:
    both = bundle(resource(1), charge)
    for made in (fhir.read(both, place="11"), *fhir.read_all(both, place="11")):
        assert isinstance(made, Encounter)
        assert ("charged-beside" in {one.rule for one in jc.charge(made).findings}) is asked
        assert "J1885" in [line.code for line in jc.charge(made).lines]


@pytest.mark.parametrize(("total", "missing"), [(1, False), (2, True), (0, False), (None, False)])
def test_a_search_that_counts_more_than_it_holds_says_that_the_rest_is_missing(
    total: int | None, missing: bool
) -> None:
    page = bundle(resource(1), {"resourceType": "Patient", "id": "P1"}, type="searchset", total=total)
    page["entry"][1]["search"] = {"mode": "include"}
    made = fhir.read(page, place="11")
    assert ("page-incomplete" in {one.rule for one in made.findings}) is missing


def test_two_patients_of_one_message_are_two_records() -> None:
    both = message(KETOROLAC) + "\r" + "\r".join(message(DEXAMETHASONE, "P2").split("\r")[1:])
    assert seen(hl7v2.read_all(both, place="11")) == [["ketorolac"], ["dexamethasone"]]


def test_a_first_line_that_is_broken_hides_no_other() -> None:
    found = fhir.read_all("{ broken\n" + json.dumps(resource(1)), place="11")
    assert seen(found) == ["FormatError", ["ketorolac"]]
    assert seen(fhir.read_all(json.dumps(bundle(resource(1)), indent=1), place="11")) == [["ketorolac"]]


def test_a_message_of_several_days_gives_one_encounter_for_each() -> None:
    text = message(KETOROLAC).replace("\rRXR|IM", "")
    rows = [text, "RXR|IM", "RXA|0|1|20260303101500||^dexamethasone|4|mg|||||||||||||CP|A", "RXR|IM"]
    rows += ["RXA|0|2|20260302121500||^ketorolac|15|mg|||||||||||||CP|A", "RXR|IM"]
    whole = "\r".join(rows)
    with pytest.raises(FormatError, match=r"several days.*read_all\(\)"):
        hl7v2.read(whole, place="11")
    found = hl7v2.read_all(whole, place="11")
    assert [str(one.on) for one in found if isinstance(one, Encounter)] == ["2026-03-02", "2026-03-03"]
    assert seen(found) == [["ketorolac", "ketorolac"], ["dexamethasone"]]


def test_a_file_that_counts_more_batches_than_it_holds_ends_with_an_error() -> None:
    batch = f"BHS|^~\\&|\r{message(KETOROLAC)}\rBTS|1\r"
    for said, more in ((1, []), (2, ["FormatError"])):
        assert seen(hl7v2.read_all(f"FHS|^~\\&|\r{batch}FTS|{said}\r", place="11")) == [["ketorolac"], *more]


def test_charges_beside_administrations_are_read_as_they_stand() -> None:
    charge = "MSH|^~\\&|M|C|B|C|20260302||DFT^P03|9|P|2.5.1\rPID|1||P1\rFT1|1|||20260302||CG||||2" + "|" * 15 + "J1885"
    found = hl7v2.read_all(f"{message(KETOROLAC)}\r{charge}", place="11")
    assert [type(one).__name__ for one in found] == ["Encounter", "ClaimLines"]
    [alone] = hl7v2.read_all(charge, place="11")
    assert "place= has no place beside it" in str(alone)


def test_of_several_lots_the_first_to_expire_is_asked_about() -> None:
    for lots, last in (("A1~B2", "20270101~20260101"), ("B2~A1", "20260101~20270101")):
        rxa = f"RXA|0|1|20260302||^ketorolac|30|mg||||||||{lots}|{last}||||CP|A\rRXR|IM"
        found = hl7v2.reading(rxa, place="11")
        assert [one.rule for one in found.findings] == ["product-expired"]
        assert "lot B2" in found.findings[0].says


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dosage": "30 mg"}, "dosage must be an object"),
        ({"meta": {"security": [{"code": "HTEST"}]}}, "test data"),
        ({"whenGiven": {}}, "whenGiven"),
    ],
)
def test_a_record_of_no_shape_hides_no_other_of_its_bundle(change: dict[str, Any], says: str) -> None:
    page = bundle(resource(1), {**resource(2), "id": "a2", **change}, resource(3, day="03"))
    with pytest.raises(FormatError, match=says):
        fhir.read(page, place="11")
    found = fhir.read_all(page, place="11")
    assert [type(one).__name__ for one in found] == ["Encounter", "FormatError", "Encounter"]
    assert says in str(found[1])
    assert str(found[1]).startswith("MedicationAdministration")
    other = bundle(resource(1), {"resourceType": "Medication", "code": "ketorolac"})
    [one] = fhir.read_all(other, place="11")
    assert isinstance(one, FormatError)


def test_a_record_of_a_large_bundle_takes_no_longer_than_one_of_a_small() -> None:
    """A hospital's day is one Bundle: what is asked of the whole is not asked again for each of its records."""

    def steps(records: int) -> int:
        text, count = json.dumps(bundle(*(resource(n, patient=str(n)) for n in range(records)))), 0

        def step(_frame: Any, event: str, _arg: Any) -> None:
            nonlocal count
            count += event == "call"

        sys.setprofile(step)
        try:
            found = fhir.read_all(text, place="11", payer="medicare")
        finally:
            sys.setprofile(None)
        assert [type(one) for one in found] == [Encounter] * records
        return count

    steps(20)  # what is kept for further calls is looked up once
    assert steps(400) < 5 * steps(100)


def test_a_fact_beside_a_batch_fills_what_any_of_its_administrations_leaves_open() -> None:
    several = bundle(
        resource(1, NO_UNIT), resource(2, DEXAMETHASONE), resource(3, NO_UNIT, "2"), resource(4, KETOROLAC, "3")
    )
    assert "give dose='30 mg' beside it" in str(fhir.read_all(several, place="11")[0])
    found = fhir.read_all(several, place="11", dose="30 mg")
    doses = [[str(given.dose) for given in one.administrations] for one in found if isinstance(one, Encounter)]
    assert doses == [["30 mg", "4 mg"], ["30 mg"], ["30 mg"]]  # 4 mg is what its record says
    text = message(NO_UNIT) + "\r" + "\r".join(message(DEXAMETHASONE).split("\r")[2:])
    assert seen(hl7v2.read_all(text, place="11", dose="30 mg")) == [["ketorolac", "dexamethasone"]]
    with pytest.raises(FormatError, match="holds 2 administrations"):
        hl7v2.read(text, place="11", dose="30 mg")


def test_a_fact_beside_a_batch_contradicts_none_of_its_administrations() -> None:
    named = {"medicationCodeableConcept": {"text": "ketorolac or dexamethasone"}}
    several = [resource(1), {**resource(2), **named}, resource(3, NO_UNIT, day="03")]
    assert seen(fhir.read_all(several, place="11", drug="dexamethasone", dose="60 mg", route="IV"))[0] == ["ketorolac"]
    found = fhir.read_all(several, place="11", dose="60 mg")[2]
    assert "30" in str(found), "the number that the record says is no other one's"
    assert isinstance(found, FormatError)


def test_what_an_error_of_a_batch_names_mends_every_record_when_it_is_followed() -> None:
    def vaccine(number: int, code: str, day: str) -> dict[str, Any]:
        return {
            "resourceType": "Immunization",
            "id": f"i{number}",
            "status": "completed",
            "patient": {"reference": "Patient/1"},
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": code}]},
            "occurrenceDateTime": f"2026-03-{day}",
            "primarySource": True,
        }

    several = bundle(vaccine(1, "08", "02"), vaccine(2, "10", "02"), vaccine(3, "08", "03"), vaccine(4, "03", "03"))
    beside: dict[str, Any] = {"place": "11"}
    for key in ("dose", "route"):
        for one in fhir.read_all(several, **beside):
            assert isinstance(one, FormatError)
            assert f"‹{key}=" in one.message
        beside[key] = {"dose": "1 dose", "route": "IM"}[key]
    assert seen(fhir.read_all(several, **beside)) == [["90744", "90713"], ["90744", "90707"]]


def test_a_message_of_several_days_has_a_dict_beside_it_for_each_of_its_administrations() -> None:
    first, second = message(NO_UNIT), message(("dexamethasone", "4", ""), at="20260303101500")
    text = first + "\r" + "\r".join(second.split("\r")[2:])
    found = hl7v2.read_all(text, place="11", administrations=[{"dose": "30 mg"}, {"dose": "4 mg"}])
    doses = [(str(one.on), [str(it.dose) for it in one.administrations]) for one in found if isinstance(one, Encounter)]
    assert doses == [("2026-03-02", ["30 mg"]), ("2026-03-03", ["4 mg"])]
