"""What hospitals' programs write beside the standard: nulls, addresses, systems, doubled words, notes of an order."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from read_messages import lines, read, rules

from jcodeunits import formats, routes
from jcodeunits.claim import Charge, Line
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import claimjson, fhir, hl7v2, x12

NDC = "http://hl7.org/fhir/sid/ndc"
GIVEN: dict[str, Any] = {
    "resourceType": "MedicationAdministration",
    "id": "a1",
    "status": "completed",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"text": "ketorolac"},
    "effectiveDateTime": "2026-03-02T10:15:00-05:00",
    "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
}
BILLED = [("96372", 1), ("J1885", 2)]


# --- nulls ----------------------------------------------------------------------------------------

NAMES = ["id", "note", "performer", "reasonCode", "extension", "contained", "category", "meta", "partOf", "notGiven"]
NAMES += ["statusReason", "wasNotGiven", "isSubPotent", "modifierExtension", "implicitRules", "effectivePeriod"]


@given(st.sets(st.sampled_from(NAMES)))
def test_what_is_null_is_not_said(names: set[str]) -> None:
    resource = GIVEN | dict.fromkeys(names)
    assert lines(read(resource)) == lines(fhir.read(resource, place="11")) == BILLED


def test_nulls_inside_are_not_said_either_and_what_is_needed_is_asked() -> None:
    dosage = {"route": {"text": "IM", "coding": None}, "site": None, "dose": {"value": 30, "unit": "mg", "code": None}}
    assert lines(read(GIVEN | {"dosage": dosage})) == BILLED
    with pytest.raises(FormatError, match="status is not said"):
        read(GIVEN | {"status": None})
    with pytest.raises(FormatError, match="dose="):
        read(GIVEN | {"dosage": {"route": {"text": "IM"}, "dose": None}})


def test_nulls_of_a_clearing_house() -> None:
    service = {
        "procedureIdentifier": "HC",
        "procedureCode": "J1885",
        "procedureModifiers": None,
        "lineItemChargeAmount": "10",
        "measurementUnit": "UN",
        "serviceUnitCount": "2",
        "description": None,
    }
    line = {"serviceDate": "20260302", "professionalService": service, "drugIdentification": None}
    found = claimjson.read(json.dumps({"serviceLines": [line]}), diagnoses=["R52"])
    assert [(one.code, one.units) for one in found.lines] == [("J1885", 2)]


# --- addresses ------------------------------------------------------------------------------------

KETOROLAC = {"resourceType": "Medication", "id": "m1", "code": {"coding": [{"system": NDC, "code": "0409-3795-01"}]}}
OTHER = {"resourceType": "Medication", "id": "m1", "code": {"text": "ondansetron"}}
HERE, THERE = "https://here.org/fhir/Medication/m1", "https://there.org/fhir/Medication/m1"


def bundle(reference: str, *drugs: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    pointing = {key: value for key, value in GIVEN.items() if key != "medicationCodeableConcept"}
    entries: list[dict[str, Any]] = [{"resource": pointing | {"medicationReference": {"reference": reference}}}]
    entries += [{"fullUrl": url, "resource": drug} if url else {"resource": drug} for url, drug in drugs]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("Medication/m1", HERE),
        ("Medication/m1", ""),
        (HERE, HERE),
        (f"{HERE}/_history/3", HERE),
        (HERE, ""),
        ("urn:uuid:0C3151BD-1cbf-4d64-b04d-cd9187a4c6e0", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"),
    ],
)
def test_a_drug_is_found_at_each_address_that_is_its_own(reference: str, url: str) -> None:
    assert read(bundle(reference, (url, KETOROLAC))).administrations[0].drug == "0409-3795-01"


def test_a_drug_of_another_server_is_not_the_one_of_the_same_number() -> None:
    assert lines(read(bundle(THERE, (HERE, OTHER), (THERE, KETOROLAC)))) == BILLED
    with pytest.raises(FormatError, match=r"medications="):
        read(bundle(THERE, (HERE, OTHER)))
    assert lines(read(bundle(THERE, (HERE, OTHER)), medications=[KETOROLAC])) == BILLED


def test_an_address_that_two_drugs_share_names_neither() -> None:
    both = bundle("Medication/m1", (HERE, OTHER), (THERE, KETOROLAC))
    with pytest.raises(FormatError, match=r"drug="):
        read(both)
    assert lines(read(both, drug="ketorolac")) == BILLED
    assert lines(read(bundle("Medication/m1", (HERE, KETOROLAC), (THERE, KETOROLAC)))) == BILLED


def test_a_record_without_a_patient_is_not_pooled_with_one_that_has_one() -> None:
    nobody = {key: value for key, value in GIVEN.items() if key != "subject"} | {"id": "a2"}
    text = json.dumps({"resourceType": "Bundle", "entry": [{"resource": GIVEN}, {"resource": nobody}]})
    with pytest.raises(FormatError, match=r"2, one of them not named.*read_all"):
        read(text)
    assert len(fhir.read_all(text, place="11")) == 2


@pytest.mark.parametrize("system", ["https://hl7.org/fhir/sid/ndc", "HTTP://HL7.ORG/fhir/sid/ndc/", f" {NDC}/"])
def test_a_code_system_by_another_spelling_of_its_address(system: str) -> None:
    concept = {"coding": [{"system": system, "code": "0409-3795-01"}]}
    assert read(GIVEN | {"medicationCodeableConcept": concept}).administrations[0].drug == "0409-3795-01"


@pytest.mark.parametrize("method", ["DELETE", "delete"])
def test_a_deletion_is_seen_in_any_letters(method: str) -> None:
    request = {"method": method, "url": "MedicationAdministration/a1"}
    with pytest.raises(FormatError, match="deletes"):
        read({"resourceType": "Bundle", "entry": [{"resource": GIVEN, "request": request}]})


# --- times ----------------------------------------------------------------------------------------


def test_two_elements_that_name_one_instant_agree_on_any_clock() -> None:
    period = {"start": "2026-03-02T15:15:00Z", "end": "2026-03-02T15:20:00Z"}
    given = read(GIVEN | {"effectivePeriod": period}).administrations[0]
    assert (given.start, given.stop) == ("10:15", "10:20")
    with pytest.raises(FormatError, match="contradict each other"):
        read(GIVEN | {"effectivePeriod": {"start": "2026-03-02T10:15:00Z"}})


@pytest.mark.parametrize(("written", "asked"), [("2026-02", "2026-02-01"), ("2026-02-30", "2026-02-01")])
def test_a_day_that_is_asked_is_one_of_the_month_that_is_said(written: str, asked: str) -> None:
    with pytest.raises(FormatError, match=f"on='{asked}'"):
        read(GIVEN | {"effectiveDateTime": written})
    assert str(read(GIVEN | {"effectiveDateTime": written}, on=asked).on) == asked


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "route"),
    [
        ("Intramuscular (IM)", "IM"),
        ("IM (intramuscular)", "IM"),
        ("Intramuscularly", "IM"),
        ("Inj IM", "IM"),
        ("IM inj.", "IM"),
        ("Subcut.", "SC"),
        ("Sub Q", "SC"),
        ("subcutaneously", "SC"),
        ("IV (intravenous)", "IV"),
        ("IV push (intravenous)", "IV push"),
        ("Intravenous, Push", "IV push"),
        ("push, IV", "IV push"),
        ("I.V. push", "IV push"),
        ("IV Piggyback - Intravenous", "IV infusion"),
        ("orally", "oral"),
        ("IV Push, slow", "IV push"),
        ("IV push (slow)", "IV push"),
        ("Slow IV Push", "IV push"),
        ("IVPush", "IV push"),
        ("IV (infusion)", "IV infusion"),
        ("Intermittent IV", "IV infusion"),
        ("PICC", "IV"),
        ("IV - peripheral", "IV"),
        ("Deep IM", "IM"),
        ("Nebulization", "inhaled"),
        ("Inhalation (nebulizer)", "inhaled"),
        ("Each nostril", "intranasal"),
    ],
)
def test_a_route_said_twice_or_as_people_write_it(written: str, route: str) -> None:
    assert routes.find(written) == route
    assert read(GIVEN | {"dosage": GIVEN["dosage"] | {"route": {"text": written}}}).administrations[0].route == route


@pytest.mark.parametrize(
    "written", ["IM, SC", "IM (subcutaneous)", "IV push (IV infusion)", "IM (left arm)", "IM/IV", "IM or IV", "(IM) ?"]
)
def test_words_that_mean_two_routes_or_one_that_nobody_knows_are_asked(written: str) -> None:
    assert routes.find(written) is None
    with pytest.raises(FormatError, match="route="):
        read(GIVEN | {"dosage": GIVEN["dosage"] | {"route": {"text": written}}})


@pytest.mark.parametrize("unit", ["mg.", "mg (total)", "milligram(s)"])
def test_a_vendors_spelling_of_a_unit(unit: str) -> None:
    dosage = GIVEN["dosage"] | {"dose": {"value": 30, "unit": unit}}
    assert lines(read(GIVEN | {"dosage": dosage})) == BILLED


@pytest.mark.parametrize(("unit", "value"), [("million units", 2.4), ("Million Units", 2.4), ("thousand units", 2400)])
def test_a_multiple_of_units_in_words(unit: str, value: float) -> None:
    dosage = GIVEN["dosage"] | {"dose": {"value": value, "unit": unit}}
    found = read(GIVEN | {"dosage": dosage, "medicationCodeableConcept": {"text": "penicillin G benzathine"}})
    assert lines(found) == [("96372", 1), ("J0561", 24)]


def test_a_gap_of_one_of_several_is_asked_in_its_place_and_filled_there() -> None:
    each = [GIVEN | {"id": f"a{n}", "effectiveDateTime": f"2026-03-02T1{n}:15:00-05:00"} for n in range(3)]
    each[1] |= {"dosage": {"route": {"text": "IM"}}}
    text = json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in each]})
    with pytest.raises(FormatError) as refused:
        read(text)
    assert "give administrations=[{}, {'dose': '30 mg'}, {}] beside it" in str(refused.value)
    given = read(text, administrations=[{}, {"dose": "15 mg"}, {}])
    assert [one.dose for one in given.administrations] == ["30 mg", "15 mg", "30 mg"]
    with pytest.raises(FormatError, match=r"give 'dose': '30 mg' in dict 1 of administrations=\[...\]"):
        read({"resourceType": "Bundle", "entry": [{"resource": each[1] | {"id": f"b{n}"}} for n in range(9)]})


@pytest.mark.parametrize(
    "name",
    [
        "Product containing precisely ketorolac tromethamine 30 milligram/1 milliliter conventional release solution "
        "for injection (clinical drug)",
        "Product containing ketorolac (medicinal product)",
        "Ketorolac (substance)",
    ],
)
def test_a_name_of_snomed_written_out(name: str) -> None:
    coding = {"system": "http://snomed.info/sct", "code": "1", "display": name}
    assert lines(read(GIVEN | {"medicationCodeableConcept": {"coding": [coding]}})) == BILLED


# --- notes ----------------------------------------------------------------------------------------

WASTE = [
    "balance disposed of",
    "rest of vial thrown away",
    "Remaining drug destroyed",
    "residual 30 mg disposed",
    "threw out the rest",
    "30mg dumped",
    "disposed of 0.5 mL",
    "surplus wasted",
]
NO_WASTE = ["needle disposed of", "balance disorder", "patient has remained stable", "given in left deltoid", "haste"]


@pytest.mark.parametrize("note", WASTE)
def test_a_note_about_what_was_thrown_away_asks(note: str) -> None:
    assert rules(read(GIVEN | {"note": [{"text": note}]})) == ["waste-noted"]
    assert rules(read(GIVEN | {"note": [{"text": note}]}, discarded="0 mg")) == []


@pytest.mark.parametrize("note", NO_WASTE)
def test_a_note_about_something_else_asks_nothing(note: str) -> None:
    assert rules(read(GIVEN | {"note": [{"text": note}]})) == []


def test_a_field_of_waste_is_seen_inside_the_dose_and_inside_another_field() -> None:
    wasted = {"url": "http://x.org/amount-wasted", "valueQuantity": {"value": 30, "unit": "mg"}}
    dosage = GIVEN["dosage"]
    inside = dosage | {"dose": dosage["dose"] | {"extension": [wasted]}}
    assert rules(read(GIVEN | {"dosage": inside})) == ["waste-noted"]
    assert rules(read(GIVEN | {"extension": [{"url": "http://x.org/event", "extension": [wasted]}]})) == ["waste-noted"]
    assert rules(read(GIVEN | {"extension": [{"url": "http://x.org/event", "valueString": "x"}]})) == []


DOUBTS = [
    "Not given, patient refused",
    "Charted in error - dose not given",
    "pt declined",
    "dose held",
    "only half the dose, IV infiltrated",
    "partially infused",
    "duplicate entry",
    "documented on wrong patient",
    "DUPLICATE",
    "Error: wrong button",
    "This entry was voided",
    "charted twice",
    "gave only half",
    "only received 15 mg",
    "received only 15 of 30 mg",
    "Injection stopped after 15 mg due to pain",
    "infusion stopped early, 40 mL left in the bag",
    "patient left before completion",
    "Administered by EMS",
    "given at another facility",
    "given IV, not IM",
    "2 mg given instead of 4 mg",
    "DO NOT GIVE",
]
NO_DOUBTS = [
    "given in error-free technique",
    "held pressure for 2 min",
    "tolerated well",
    "given as ordered",
    "wrong arm",
    "patient voided 300 mL before discharge",
    "infusion stopped at 11:00, tolerated well",
    "infusion completed before lunch",
    "given in left arm, not painful",
    "0.5 mL left deltoid",
    "no errors on the pump",
    "do not give more than 4 doses a day",
    "consent given by patient at the other desk",
    "order received from an outside hospital",
    "error-prone abbreviation avoided",
    "pt instructed to discard sharps",
    "needle discarded in sharps container",
    "Sharps discarded",
    "patient received only 1 injection today",
    "rate increased before completion of the first hour",
    "home meds reviewed",
    "patient brought in by wife",
]


@pytest.mark.parametrize("note", DOUBTS)
def test_a_note_against_the_dose_asks(note: str) -> None:
    assert rules(read(GIVEN | {"note": [{"text": note}]})) == ["dose-doubted"]
    for segment in (f"NTE|1||{note}", f"OBX|1|ST|{note}^^L||Y"):
        assert rules(ras("ORC|RE|1", RXA.format(15), "RXR|IM", segment)) == ["dose-doubted"]
    assert rules(ras("ORC|RE|1", RXA.format(15), "RXR|IM", f"OBX|1|ST|{note}^^L||N")) == []


@pytest.mark.parametrize("note", NO_DOUBTS)
def test_a_note_about_how_it_went_asks_nothing(note: str) -> None:
    assert rules(read(GIVEN | {"note": [{"text": note}]})) == []


def extended(*fields: dict[str, Any]) -> list[str]:
    encounter = fhir.reading(GIVEN | {"extension": [*fields]}, place="11").encounter
    return rules(encounter)


AGAINST = [
    {"url": "http://x.org/is-not-given", "valueBoolean": True},
    {"url": "http://x.org/cancelled", "valueBoolean": True},
    {"url": "urn:x:given", "valueBoolean": False},
    {"url": "http://x.org/mar-action", "valueString": "Not Given"},
    {"url": "http://x.org/StructureDefinition/administration-status", "valueCode": "refused"},
    {"url": "http://x.org/marAction", "valueCodeableConcept": {"coding": [{"code": "7", "display": "Held"}]}},
    {"url": "http://x.org/mar-action", "valueCoding": {"code": "HELD"}},
    {"url": "http://x.org/event", "extension": [{"url": "refused", "valueBoolean": True}]},
]


@pytest.mark.parametrize("field", AGAINST)
def test_a_senders_field_that_says_that_nothing_was_given_is_read_like_a_column(field: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="an extension of it says that it was not done"):
        extended(field)


NOT_AGAINST = [
    {"url": "http://x.org/mar-action", "valueString": "Given"},
    {"url": "http://x.org/cancelled", "valueBoolean": False},
    {"url": "http://x.org/order-status", "valueCode": "discontinued"},
    {"url": "http://x.org/consentGiven", "valueBoolean": False},
    {"url": "http://x.org/nurse-station", "valueString": "refused"},
]


@pytest.mark.parametrize("field", NOT_AGAINST)
def test_another_field_of_a_sender_changes_nothing(field: dict[str, Any]) -> None:
    assert extended(field) == []


def test_a_flag_of_a_sender_is_asked_about_by_its_name() -> None:
    for name, rule in (
        ("patientSupplied", "supply-in-text"),
        ("is340B", "supply-in-text"),
        ("partial-dose", "dose-doubted"),
    ):
        assert extended({"url": f"http://x.org/{name}", "valueBoolean": True}) == [rule]
        assert extended({"url": f"http://x.org/{name}", "valueBoolean": False}) == []


@pytest.mark.parametrize(
    ("named", "said", "asks"),
    [("MARSTATUS^MAR status^L", "Refused", True), ("X1^Was given^L", "N", True), ("X2^MAR action^L", "Given", False)],
)
def test_an_observation_beside_a_dose_is_read_like_a_column(named: str, said: str, asks: bool) -> None:
    found = rules(ras("ORC|RE|1", RXA.format(15), "RXR|IM", f"OBX|1|ST|{named}||{said}||||||F"))
    assert found == (["dose-doubted"] if asks else [])


def test_a_units_code_of_no_system_may_be_the_senders_own() -> None:
    dose = {"value": 30, "unit": "Milligram", "code": "161553AAAAAA"}
    assert lines(read(GIVEN | {"dosage": GIVEN["dosage"] | {"dose": dose}})) == BILLED
    for wrong in ({"code": "mcg", "unit": "mg"}, {"code": "161553AAAAAA", "unit": "Milligram", "system": fhir.UCUM}):
        with pytest.raises(FormatError, match="unit"):
            read(GIVEN | {"dosage": GIVEN["dosage"] | {"dose": {"value": 30} | wrong}})


def test_two_contained_resources_of_one_name_are_neither() -> None:
    held = [{"resourceType": "Medication", "id": "m", "code": {"text": drug}} for drug in ("ketorolac", "ceftriaxone")]
    record = {key: value for key, value in GIVEN.items() if key != "medicationCodeableConcept"}
    record |= {"medicationReference": {"reference": "#m"}}
    assert lines(read(record | {"contained": held[:1]})) == BILLED
    with pytest.raises(FormatError, match="does not hold"):
        read(record | {"contained": held})


SUPPLIES = ["PATIENT OWN MED", "patient's own supply", "study drug", "placebo", "340B", "white bagged", "drug sample"]


@pytest.mark.parametrize("words", SUPPLIES)
def test_a_text_that_says_whose_supply_it_was_asks(words: str) -> None:
    named = f"ketorolac 30 mg ({words})"
    rxa = RXA.format(15).replace("^ketorolac|", f"^{named}|")
    for make in (
        lambda **beside: read(GIVEN | {"medicationCodeableConcept": {"text": named}}, **beside),
        lambda **beside: read(GIVEN | {"note": [{"text": words}]}, **beside),
    ):
        assert rules(make()) == ["supply-in-text"]
        assert rules(make(supplied_by="practice")) == []
    assert rules(ras("ORC|RE|1", rxa, "RXR|IM")) == ["supply-in-text"]
    assert rules(ras("ORC|RE|1", RXA.format(15), "RXR|IM", "NTE|1||blood sample taken at home")) == []


SNOMED = {"coding": [{"system": "http://snomed.info/sct", "code": "279039007", "display": "Low back pain"}]}
BOTH = {"coding": [*SNOMED["coding"], {"system": fhir.ICD10, "code": "M54.50"}]}


@pytest.mark.parametrize(("reason", "found"), [(SNOMED, ()), ({"text": "nausea"}, ()), (BOTH, ("M54.50",))])
def test_a_reason_without_a_diagnosis_is_noted(reason: dict[str, Any], found: tuple[str, ...]) -> None:
    given = read(GIVEN | {"reasonCode": [reason]})
    assert given.administrations[0].diagnoses == found
    assert rules(given) == ([] if found else ["reason-unread"])
    field = "279039007^Low back pain^SCT" + ("^M54.50^^I10" if found else "")
    of_hl7 = ras("ORC|RE|1", RXA.format(15).replace("|CP|", f"|{field}|CP|").replace("||27", "|27"), "RXR|IM")
    assert of_hl7.administrations[0].diagnoses == found
    assert rules(of_hl7) == ([] if found else ["reason-unread"])


WASTE_FIELDS = ["OBX|1|NM|WSTAMT^Amt Wstd^L||30|mg", "OBX|1|NM|WASTEAMT^^L||30|mg", "ZRX|1|DRUG_WASTED|30|mg"]


@pytest.mark.parametrize("segment", WASTE_FIELDS)
def test_a_senders_own_field_for_what_was_thrown_away_asks(segment: str) -> None:
    assert rules(ras("ORC|RE|1", RXA.format(15), "RXR|IM", segment)) == ["waste-noted"]
    for other in ("OBX|1|NM|PAIN^Pain score^L||3", "OBX|1|NM|WRIST^Waist^L||3", "ZRX|1|SCANNED|Y"):
        assert rules(ras("ORC|RE|1", RXA.format(15), "RXR|IM", other)) == []


RXA = "RXA|0|1|2026030210{}00||^ketorolac|30|mg|||||||||||||CP|A"


def ras(*segments: str) -> Encounter:
    head = ["MSH|^~\\&|B|C|E|C|1||RAS^O17|1|P|2.5.1", "PID|1||MRN1", "NTE|1||hates waste of time"]
    found = hl7v2.read("\r".join([*head, *segments]), place="11")
    assert isinstance(found, Encounter)
    return found


def test_a_note_of_the_order_is_of_the_dose_that_follows_it() -> None:
    assert rules(ras("ORC|RE|1", "NTE|1||wasted 30 mg", RXA.format(15), "RXR|IM")) == ["waste-noted"]
    two = ras(
        "ORC|RE|1",
        RXA.format(15),
        "RXR|IM",
        "ORC|RE|2",
        "NTE|1||wasted 30 mg",
        RXA.format(45).replace("|1|", "|2|", 1),
        "RXR|IM",
    )
    assert [finding.says.partition(":")[0] for finding in two.findings] == ["RXA in line 9"]
    assert rules(ras("ORC|RE|1", RXA.format(15), "RXR|IM")) == []


def test_segments_that_were_indented_are_the_same() -> None:
    text = "\r".join(["MSH|^~\\&|B|C|E|C|1||RAS^O17|1|P|2.5.1", "PID|1||M", RXA.format(15), "RXR|IM"])
    assert hl7v2.read(text.replace("\r", "\n   "), place="11") == hl7v2.read(text, place="11")


# --- claims ---------------------------------------------------------------------------------------

SERVICE = {
    "procedureIdentifier": "HC",
    "procedureCode": "J1885",
    "lineItemChargeAmount": "10",
    "measurementUnit": "UN",
    "serviceUnitCount": "2",
}


def clearing(*services: dict[str, Any]) -> Any:
    lines_ = [{"serviceDate": "20260302", "professionalService": SERVICE | one} for one in services]
    return claimjson.read(json.dumps({"serviceLines": lines_}), diagnoses=["R52"])


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"procedureIdentifier": "AD", "procedureCode": "D0120"}, "no HCPCS or CPT code"),
        ({"measurementUnit": "MJ"}, "it counts 'MJ'"),
    ],
)
def test_a_clearing_houses_line_that_is_no_drug_is_a_loss_and_alone_says_why(other: dict[str, str], why: str) -> None:
    found = clearing({}, other)
    assert [line.code for line in found.lines] == ["J1885"]
    assert why in " ".join(map(str, found.losses))
    with pytest.raises(FormatError, match=why):
        clearing(other)


def test_a_line_of_a_claim_has_four_modifiers_at_most() -> None:
    four = ["A1", "B2", "C3", "JZ"]
    assert clearing({"procedureModifiers": four}).lines[0].modifiers == tuple(four)
    with pytest.raises(FormatError, match="5 modifiers, and a line has at most 4"):
        clearing({"procedureModifiers": [*four, "RT"]})


@pytest.mark.parametrize("name", [name for name in formats.NAMES if name != "json"])
def test_each_format_reads_text_and_bytes_with_any_ends_of_lines_alike(name: str) -> None:
    given = Line("J1885", ("JZ",), 2, diagnoses=("R52",), charge_amount=Decimal(10), revenue_code="0636")
    charge = Charge((given,), (), Encounter(dt.date(2026, 3, 2), "11", diagnoses=("R52",)))
    text = formats.write(name, charge)
    found = formats.read(name, text)
    for other in (
        text.encode(),
        f"\ufeff{text}",
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
        b"\xfe\xff" + text.encode("utf-16-be"),
        text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n"),
    ):
        assert formats.module(name).read(other).lines == found.lines


# --- X12 ------------------------------------------------------------------------------------------

LOOP = "LX*1~SV1*HC:J1885*10*{}*2*11**1~DTP*472*D8*20260302~"


def test_a_second_date_of_service_of_one_line_is_refused() -> None:
    assert x12.read(f"{LOOP.format('UN')}DTP*472*D8*20260302~", diagnoses=["R52"]).dates == ("2026-03-02",)
    with pytest.raises(FormatError, match="second date of service"):
        x12.read(f"{LOOP.format('UN')}DTP*472*D8*20260305~", diagnoses=["R52"])


def test_a_claim_whose_every_line_is_no_drug_says_why() -> None:
    with pytest.raises(FormatError, match="counts 'MJ', and units"):
        x12.read(LOOP.format("MJ"), diagnoses=["R52"])
    with pytest.raises(FormatError, match="there is no service line"):
        x12.read("CLM*C1*10***11:B:1~", diagnoses=["R52"])


OTHERS = {
    "hl7v2": "MSH|^~\\&|MAR|C|B|C|20260302||RAS^O17|1|P|2.5.1\rPID|1||P1||TESTPERSON^ANN",
    "x12": "ISA*00*          *00*          *ZZ*TESTPERSON ",
    "fhir": '{"resourceType": "Patient", "name": [{"family": "TESTPERSON"}]}',
    "XML": "<ClinicalDocument><name>TESTPERSON</name></ClinicalDocument>",
}


@pytest.mark.parametrize("name", ["hl7v2", "x12", "fhir", "cms1500", "ub04"])
@pytest.mark.parametrize("of", OTHERS)
def test_a_text_of_another_format_is_sent_to_its_door_without_a_word_of_it(name: str, of: str) -> None:
    if of == name:
        return
    with pytest.raises(FormatError) as refusal:
        getattr(formats, name).read(OTHERS[of])
    says = str(refusal.value)
    assert (f"formats.{of}.read()" in says) if of != "XML" else ("This is XML" in says)
    assert "TESTPERSON" not in says
