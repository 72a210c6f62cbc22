"""FHIR: administrations of R4 and R5 in, Claim items and ChargeItems out, and what comes back."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_charges import FIELDS, STOP, assert_same, charge_of, charges, drug_line, injection_line

from jcodeunits.charging import charge
from jcodeunits.claim import Charge, ExtraNdc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError
from jcodeunits.formats import fhir

UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"


def coded(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def quantity(value: Any, code: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code, **more}


MEDICATION: dict[str, Any] = {
    "resourceType": "Medication",
    "id": "m",
    "code": coded(fhir.NDC, "0409-3795-01"),
    "amount": {"numerator": quantity(30, "mg"), "denominator": quantity(1, "mL")},
    "batch": {"lotNumber": "L1", "expirationDate": "2027-03"},
}
R4: dict[str, Any] = {
    "resourceType": "MedicationAdministration",
    "id": "ma1",
    "status": "completed",
    "contained": [MEDICATION],
    "medicationReference": {"reference": "#m"},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2026-03-02T10:15:00-05:00",
    "performer": [{"actor": {"reference": "Practitioner/7"}}],
    "reasonCode": [coded(fhir.ICD10, "M54.50"), coded(SNOMED, "29857009")],
    "dosage": {
        "route": coded(SNOMED, "78421000"),
        "site": {"text": "left deltoid"},
        "dose": quantity(30, "mg", unit="mg"),
    },
}
R5: dict[str, Any] = {
    **{key: R4[key] for key in ("resourceType", "id", "status", "contained", "subject", "dosage")},
    "medication": {"reference": {"reference": "#m"}},
    "occurenceDateTime": "2026-03-02T10:15:00-05:00",
    "performer": [{"actor": {"reference": {"reference": "Practitioner/7"}}}],
    "reason": [{"concept": coded(fhir.ICD10, "M54.50")}],
}


def changed(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one value changed; None takes it away."""
    made = copy.deepcopy(base)
    *way, last = path.split(".")
    spot = made
    for step in way:
        spot = spot[int(step)] if isinstance(spot, list) else spot[step]
    if value is None:
        del spot[last]
    else:
        spot[last] = value
    return made


def read(message: dict[str, Any], **beside: Any) -> Encounter:
    found = fhir.read(json.dumps(message), place="11", **beside)
    assert isinstance(found, Encounter)
    return found


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": one} for n, one in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


# --- in --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [R4, R5], ids=["R4", "R5"])
def test_both_releases_say_the_same(message: dict[str, Any]) -> None:
    found = read(message)
    given_one = found.administrations[0]
    assert str(found.on) == "2026-03-02"
    assert (given_one.drug, given_one.dose, given_one.route) == ("0409-3795-01", "30 mg", "IM")
    assert (given_one.site, given_one.time, given_one.performer) == ("left deltoid", "10:15", "Practitioner/7")
    assert given_one.diagnoses == ("M54.50",)
    assert given_one.products[0].ndc == "0409-3795-01"


@pytest.mark.parametrize(
    "status", ["in-progress", "not-done", "on-hold", "entered-in-error", "unknown", "stopped", None]
)
def test_only_completed_is_billed(status: str | None) -> None:
    with pytest.raises(FormatError, match=f"MedicationAdministration ma1: its status is {status or 'not said'}"):
        read(changed(R4, "status", status))


def test_a_stopped_one_is_billed_on_the_callers_word() -> None:
    stopped = changed(R4, "status", "stopped")
    assert read(stopped, partial=True).administrations[0].dose == "30 mg"
    with pytest.raises(FormatError, match="read it with partial=True"):
        read(stopped)
    with pytest.raises(FormatError, match="not-done"):
        read(changed(R4, "status", "not-done"), partial=True)


UNITLESS = changed(R4, "dosage.dose", {"value": 30})
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no unit": (UNITLESS, "30 has no unit"),
    "an unknown UCUM code": (changed(R4, "dosage.dose.code", "mcg"), "'mcg' is no unit"),
    "code and text disagree": (changed(R4, "dosage.dose.unit", "g"), "code says mg and its text says g"),
    "zero": (changed(R4, "dosage.dose.value", 0), "above 0"),
    "a negative dose": (changed(R4, "dosage.dose.value", -3), "above 0"),
    "a dose as text": (changed(R4, "dosage.dose.value", "30"), "'30' is no number"),
    "true": (changed(R4, "dosage.dose.value", True), "True is no number"),
    "less than": (changed(R4, "dosage.dose.comparator", "<"), "no exact amount"),
    "only as text": (changed(R4, "dosage", {"text": "30 mg IM"}), r"only as text, in dosage\.text"),
    "no dosage": (changed(R4, "dosage", None), "it has no dose"),
    "an external drug": (
        changed(R4, "medicationReference.reference", "Medication/9"),
        "a Medication that the message does not hold",
    ),
    "a drug without name": (changed(R4, "contained.0.code", coded("urn:x", "1")), "no NDC, HCPCS code or text"),
    "two NDCs": (
        changed(R4, "contained.0.code.coding", [{"system": fhir.NDC, "code": "1"}, {"system": fhir.NDC, "code": "2"}]),
        r"2 NDCs \(1, 2\)",
    ),
    "a modifier extension": (changed(R4, "modifierExtension", [{"url": "urn:x"}]), "has a modifierExtension"),
    "a month": (changed(R4, "effectiveDateTime", "2026-03"), "'2026-03' names no day"),
    "no such day": (changed(R4, "effectiveDateTime", "2026-02-30"), "'2026-02-30' names no day"),
    "an unknown route": (changed(R4, "dosage.route", {"text": "by pigeon"}), "'by pigeon' is no known route"),
    "an end before its start": (
        changed(
            changed(R4, "effectiveDateTime", None),
            "effectivePeriod",
            {"start": "2026-03-02T10:00:00Z", "end": "2026-03-02T09:00:00Z"},
        ),
        "before it starts",
    ),
    "two days long": (
        changed(
            changed(R4, "effectiveDateTime", None), "effectivePeriod", {"start": "2026-03-02", "end": "2026-03-04"}
        ),
        "a day or more",
    ),
}


@pytest.mark.parametrize(("message", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_billed_says_why(message: dict[str, Any], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        read(message)


@pytest.mark.parametrize(
    ("value", "code", "dose"),
    [
        ("932.590", "mg", "932.59 mg"),
        ("0.1", "g", "0.1 g"),
        ("1E+3", "ug", "1000 mcg"),
        ("2", "mL", "2 mL"),
        ("2", "ml", "2 mL"),
        ("100", "[iU]", "100 IU"),
        ("100", "[IU]", "100 IU"),
        ("100", "[USP'U]", "100 USP units"),
        ("100", "{unit}", "100 units"),
        ("10", "meq", "10 mEq"),
        ("10", "mmol", "10 mmol"),
        ("75", "mg/m2", "75 mg/m2"),
    ],
)
def test_doses_keep_every_digit_and_units_their_kind(value: str, code: str, dose: str) -> None:
    text = json.dumps(changed(R4, "dosage.dose", quantity(12345, code))).replace("12345", value)
    found = fhir.read(text, place="11")
    assert isinstance(found, Encounter)
    assert found.administrations[0].dose == dose


def test_a_unit_as_text_is_read_where_no_code_stands() -> None:
    assert read(changed(R4, "dosage.dose", {"value": 30, "unit": "mg"})).administrations[0].dose == "30 mg"
    other = {"value": 30, "unit": "mg", "system": SNOMED, "code": "258684004"}
    assert read(changed(R4, "dosage.dose", other)).administrations[0].dose == "30 mg"


@pytest.mark.parametrize(
    ("concept", "drug"),
    [
        (
            coded(
                "http://www.nlm.nih.gov/research/umls/rxnorm",
                "1665459",
                "1 ML ketorolac tromethamine 30 MG/ML Injection",
            ),
            "ketorolac tromethamine",
        ),
        (
            coded("http://www.nlm.nih.gov/research/umls/rxnorm", "1594660", "alemtuzumab 10 MG/ML [Lemtrada]"),
            "Lemtrada",
        ),
        ({"text": "ketorolac"}, "ketorolac"),
        (coded("http://terminology.hl7.org/CodeSystem/HCPCS", "J1885"), "J1885"),
        (coded("urn:oid:2.16.840.1.113883.6.69", "00409-3795-01"), "00409-3795-01"),
        (coded(fhir.CPT, "90632"), "90632"),
    ],
)
def test_the_drug_has_its_most_exact_name(concept: dict[str, Any], drug: str) -> None:
    message = changed(changed(R4, "medicationReference", None), "medicationCodeableConcept", concept)
    assert read(message).administrations[0].drug == drug
    assert read(changed(R5, "medication", {"concept": concept})).administrations[0].drug == drug


def test_a_medication_may_stand_in_the_bundle_or_beside_the_message() -> None:
    apart = changed(changed(R4, "contained", None), "medicationReference.reference", "urn:uuid:1")
    assert read(bundle(apart, MEDICATION)).administrations[0].drug == "0409-3795-01"
    apart["medicationReference"]["reference"] = "Medication/m"
    assert read(bundle(apart, MEDICATION)).administrations[0].drug == "0409-3795-01"
    apart["medicationReference"]["reference"] = "https://ehr.example/fhir/Medication/m"
    assert read(apart, medications=[MEDICATION]).administrations[0].drug == "0409-3795-01"


def test_a_resource_of_another_kind_with_items_is_no_claim() -> None:
    with pytest.raises(FormatError, match="No MedicationAdministration"):
        fhir.read({"resourceType": "Invoice", "item": []}, place="11")


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationDispense", "MedicationStatement"])
def test_an_order_is_never_billed(kind: str) -> None:
    order = {"resourceType": kind, "status": "completed"}
    for message in (order, bundle(order)):
        with pytest.raises(FormatError, match=f"{kind} says what was ordered.*never billed"):
            read(message)
    assert len(read(bundle(order, R4)).administrations) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[1]", "a JSON object, not list"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"status": "completed", "status": "stopped"}', "the key 'status' stands twice"),
        ('{"resourceType": "Patient"}', r"No MedicationAdministration in the message \(Patient\)"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_resource_is_refused(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        fhir.read(text, place="11")


def test_lots_and_expiries_are_kept_to_the_last_day_of_their_month() -> None:
    found = fhir.reading(R4, place="11")
    assert found.batches[0] is not None
    assert (found.batches[0].lot, str(found.batches[0].expiry)) == ("L1", "2027-03-31")
    for text, last in (
        ("2026", "2026-12-31"),
        ("2028-02", "2028-02-29"),
        ("2026-12", "2026-12-31"),
        ("2026-03-02", "2026-03-02"),
    ):
        batch = fhir.reading(changed(R4, "contained.0.batch.expirationDate", text), place="11").batches[0]
        assert batch is not None
        assert str(batch.expiry) == last
    late = fhir.reading(changed(R4, "contained.0.batch.expirationDate", "2026-02"), place="11")
    assert [one.rule for one in late.findings] == ["product-expired"]
    assert "L1 expired on 2026-02-28" in late.findings[0].says


def test_what_was_not_given_beside_what_was_is_a_finding() -> None:
    message = bundle(R4, {**R4, "id": "ma2", "status": "not-done"})
    found = fhir.reading(message, place="11")
    assert len(found.encounter.administrations) == 1
    assert [one.says for one in found.findings] == ["MedicationAdministration ma2: its status is not-done."]
    with pytest.raises(FormatError, match="ma2: its status is not-done"):
        read(message)


def test_two_patients_are_two_encounters() -> None:
    other = {**R4, "id": "ma2", "subject": {"reference": "Patient/2"}}
    with pytest.raises(FormatError, match="several patients"):
        read(bundle(R4, other))


def test_a_period_gives_start_and_stop_and_a_method_makes_iv_exact() -> None:
    message = changed(changed(R4, "effectiveDateTime", None), "dosage.route", coded(SNOMED, "47625008"))
    message["effectivePeriod"] = {"start": "2026-03-02T23:30:00-05:00", "end": "2026-03-03T00:45:00-05:00"}
    given_one = read(message).administrations[0]
    assert (given_one.route, given_one.start, given_one.stop, given_one.minutes) == ("IV", "23:30", "00:45", 75)
    message["dosage"]["method"] = {"text": "IV Push"}
    assert read(message).administrations[0].route == "IV push"
    message["dosage"]["method"] = {"text": "slowly"}
    assert read(message).administrations[0].route == "IV"
    del message["effectivePeriod"]["end"]
    assert read(message).administrations[0].stop is None


def test_a_volume_brings_its_strength() -> None:
    volume = changed(R4, "dosage.dose", quantity(1, "mL"))
    assert read(volume).administrations[0].concentration == "30 mg/1 mL"
    strength = {"numerator": quantity(500, "mg"), "denominator": quantity(10, "mL")}
    bare = changed(volume, "contained.0.amount", None)
    bare["contained"][0]["ingredient"] = [{"strength": {"numerator": quantity(500, "mg")}}]
    assert read(bare).administrations[0].concentration is None
    bare["contained"][0]["ingredient"] = [{"strength": strength}]
    assert read(bare).administrations[0].concentration == "500 mg/10 mL"
    bare["contained"][0]["ingredient"] = [{"strengthRatio": strength}, {"strengthRatio": MEDICATION["amount"]}]
    assert read(bare).administrations[0].concentration is None  # two ingredients: whose strength?
    assert read(R4).administrations[0].concentration is None


def test_no_date_asks_for_one_and_no_place_asks_for_one() -> None:
    with pytest.raises(FormatError, match="does not say when"):
        read(changed(R4, "effectiveDateTime", None))
    with pytest.raises(FormatError, match="does not say where: give place="):
        fhir.read(R4)


def test_floats_of_a_dict_are_taken_at_their_text() -> None:
    assert read(changed(R4, "dosage.dose.value", 0.035)).administrations[0].dose == "0.035 mg"
    made = fhir.read(changed(R4, "dosage.dose.value", 0.1), place="11")
    assert isinstance(made, Encounter)
    assert made.administrations[0].dose == "0.1 mg"


# --- out -------------------------------------------------------------------------------------------


def written(charge: Charge, **options: Any) -> dict[str, Any]:
    return dict(json.loads(fhir.write(charge, **options), parse_float=str))


def test_a_claim_item_has_each_fact_in_its_element() -> None:
    made = written(charge_of(injection_line(), drug_line(ndc_quantity=Decimal("1.50"))))
    assert list(made) == ["diagnosis", "item"]
    assert made["diagnosis"] == [{"sequence": 1, "diagnosisCodeableConcept": coded(fhir.ICD10, "M54.50")}]
    injection, drug = made["item"]
    assert injection["productOrService"] == coded("http://www.ama-assn.org/go/cpt", "96372")
    assert "detail" not in injection
    assert drug == {
        "sequence": 2,
        "diagnosisSequence": [1],
        "productOrService": coded("http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "J1885"),
        "modifier": [coded("http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "JZ")],
        "servicedDate": "2026-03-02",
        "locationCodeableConcept": coded(fhir.PLACES, "11"),
        "quantity": {"value": 2},
        "net": {"value": 10, "currency": "USD"},
        "detail": [
            {
                "sequence": 1,
                "productOrService": coded("http://hl7.org/fhir/sid/ndc", "00409379501"),
                "quantity": {"value": "1.5", "unit": "mL", "system": UCUM, "code": "mL"},
            }
        ],
    }


@pytest.mark.parametrize(("unit", "ucum"), [("ML", "mL"), ("GR", "g"), ("F2", "[IU]"), ("UN", "[arb'U]")])
def test_ndc_units_are_ucum(unit: str, ucum: str) -> None:
    detail = written(charge_of(drug_line(ndc_qualifier=unit)))["item"][0]["detail"][0]
    assert detail["quantity"]["code"] == ucum


def test_an_outpatient_item_needs_its_revenue_code() -> None:
    charge = charge_of(drug_line(), claim="outpatient")
    with pytest.raises(FormatError, match=r"no revenue code \(Claim.item.revenue\)"):
        fhir.write(charge)
    made = written(charge, revenue_codes={"J1885": "0636"})
    assert made["item"][0]["revenue"]["coding"][0]["code"] == "0636"


def test_a_whole_claim_has_the_hosts_part() -> None:
    host = {"patient": "Patient/1", "provider": "Organization/1", "coverage": "Coverage/1", "created": "2026-03-03"}
    made = written(charge_of(drug_line()), **host)
    assert (made["resourceType"], made["status"], made["use"]) == ("Claim", "active", "claim")
    assert made["type"]["coding"][0]["code"] == "professional"
    with pytest.raises(FormatError, match="needs provider, coverage, created too"):
        fhir.write(charge_of(drug_line()), patient="Patient/1")
    with pytest.raises(FormatError, match="'patiant' is no option here"):
        fhir.write(charge_of(drug_line()), patiant="Patient/1")


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_a_charge_item_carries_its_modifier_only_as_an_extension(release: str) -> None:
    charge = charge_of(drug_line(administration=0))
    made = written(
        charge,
        resource="ChargeItem",
        release=release,
        patient="Patient/1",
        encounter="Encounter/1",
        administrations=["MedicationAdministration/ma1"],
    )
    item = made["entry"][0]["resource"]
    assert item["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == "JZ"
    assert item["quantity"] == {"value": 2}
    product = item["productCodeableConcept"] if release == "R4" else item["product"][0]["concept"]
    assert product["coding"][0]["code"] == "00409379501"
    assert item["context" if release == "R4" else "encounter"] == {"reference": "Encounter/1"}
    service = item["service"][0]
    assert (service if release == "R4" else service["reference"]) == {"reference": "MedicationAdministration/ma1"}
    lost = {loss.field for loss in fhir.losses(charge, resource="ChargeItem")}
    assert lost == {"modifiers", "ndc_quantity", "charge_amount", "place"}
    assert fhir.losses(charge) == ()


def test_options_that_cannot_be_are_refused() -> None:
    charge = charge_of(drug_line())
    with pytest.raises(FormatError, match="names its patient"):
        fhir.write(charge, resource="ChargeItem")
    with pytest.raises(FormatError, match="'STU3' is no release"):
        fhir.write(charge, release="STU3")
    with pytest.raises(FormatError, match="'Invoice' is not written here"):
        fhir.write(charge, resource="Invoice")
    with pytest.raises(FormatError, match="A typed Claim is whole"):
        fhir.resource(charge)


def test_a_charge_that_stops_leaves_only_when_told() -> None:
    charge = charge_of(drug_line(), findings=(STOP,))
    with pytest.raises(FormatError, match="unit-limit stops this claim"):
        fhir.write(charge)
    assert written(charge, allow_stops=True)["item"][0]["quantity"] == {"value": 2}


def test_exact_numbers_survive_json() -> None:
    text = fhir.write(charge_of(drug_line(ndc_quantity=Decimal("1.10"), charge_amount=Decimal("932.590"))))
    assert '"value": 1.1,' in text
    assert '"value": 932.590,' in text


@given(charges(most=10**9))
def test_what_left_as_a_claim_comes_back(charge: Charge) -> None:
    found = fhir.read(fhir.write(charge))
    assert_same(charge, found.lines)
    assert set(found.places) == {"11"}
    assert found.losses == ()


@given(charges(most=10**9), st.sampled_from(fhir.RELEASES))
def test_what_left_as_charge_items_comes_back_but_for_what_is_listed(charge: Charge, release: str) -> None:
    text = fhir.write(charge, resource="ChargeItem", release=release, patient="Patient/1")
    kept = [f for f in FIELDS if f not in ("ndc_qualifier", "ndc_quantity", "charge_amount", "extra_ndcs")]
    found = fhir.read(text)
    assert_same(charge, found.lines, kept)
    assert set(found.dates) == {"2026-03-02"}


def test_further_ndcs_are_further_details() -> None:
    line = drug_line(extra_ndcs=(ExtraNdc("50242013601", "ML", Decimal(10)),))
    made = written(charge_of(line))["item"][0]["detail"]
    assert [one["productOrService"]["coding"][0]["code"] for one in made] == ["00409379501", "50242013601"]


ITEM = {
    "sequence": 1,
    "productOrService": coded(fhir.HCPCS, "J1885"),
    "quantity": {"value": 2},
    "detail": [{"sequence": 1, "productOrService": coded(fhir.NDC, "00409379501"), "quantity": quantity(1, "mL")}],
}


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("productOrService", {"coding": [{"code": "1200"}]}, r"no HCPCS or CPT code with its system \('1200'\)"),
        ("productOrService", {"coding": [{"code": "J1885"}]}, r"no HCPCS or CPT code with its system \('J1885'\)"),
        ("quantity", None, "quantity None"),
        ("quantity.value", 1.5, "quantity 1.5"),
        ("quantity.value", 0, "quantity 0"),
        ("detail.0.productOrService", coded(fhir.NDC, "0409-3795-01"), "not the 11 digits"),
        ("detail.0.quantity.code", "mg/mL", "no NDC quantity"),
        ("detail.0.quantity.value", 0, "no NDC quantity"),
    ],
)
def test_a_broken_item_is_refused(path: str, value: Any, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        fhir.read({"item": [changed(ITEM, path, value)]})


def test_an_item_that_is_no_drug_is_no_error_of_the_drug_lines() -> None:
    visit = {"sequence": 2, "productOrService": coded(fhir.CPT, "99213"), "net": {"value": 90}}
    supply = {"sequence": 3, "productOrService": {"coding": [{"code": "1200"}]}, "revenue": {"text": "0270"}}
    found = fhir.read({"resourceType": "Claim", "item": [ITEM, visit, supply]})
    assert [line.code for line in found.lines] == ["J1885"]
    assert [(loss.field, loss.value) for loss in found.losses] == [
        ("claim 1, item 2", "99213 charge 90"),
        ("claim 1, item 3", "0270 1200"),
    ]
    with pytest.raises(FormatError, match="item 3: no drug line: no HCPCS or CPT code with its system"):
        fhir.read({"resourceType": "Claim", "item": [supply]})


def test_what_a_line_cannot_hold_is_listed() -> None:
    item = {
        **ITEM,
        "diagnosisSequence": [3],
        "unitPrice": {"value": 5, "currency": "USD"},
        "servicedPeriod": {"start": "2026-03-02", "end": "2026-03-04"},
        "detail": [{"sequence": 1, "productOrService": coded("urn:x", "1")}],
    }
    found = fhir.read({"item": [item]})
    assert [loss.field for loss in found.losses] == ["diagnoses", "detail", "unitPrice"]
    assert found.dates == ("2026-03-02/2026-03-04",)
    assert fhir.read({"item": [{**item, "diagnosisSequence": [1]}]}, diagnoses=["R52"]).lines[0].diagnoses == ("R52",)


def test_charge_items_that_were_taken_back_are_refused() -> None:
    made = written(charge_of(drug_line()), resource="ChargeItem", patient="Patient/1")
    made["entry"][0]["resource"]["status"] = "entered-in-error"
    with pytest.raises(FormatError, match="its status is entered-in-error"):
        fhir.read(made)
    with pytest.raises(FormatError, match="there is no item"):
        fhir.read({"resourceType": "Claim"})
    with pytest.raises(FormatError, match="place= has no place beside it"):
        fhir.read(made, place="11")


# --- shapes ----------------------------------------------------------------------------------------

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("coding", "code", "value")), inner),
    max_leaves=4,
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, one in inner for path in paths(one, (*at, key)))]


def put(message: dict[str, Any], path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(message)
    spot: Any = made
    for step in path[:-1]:
        spot = spot[step]
    if not path:
        return value
    spot[path[-1]] = value
    return made


CLAIM = json.loads(fhir.write(charge_of(injection_line(), drug_line(revenue_code="0636", description="x"))))
BUNDLE = bundle(R4, MEDICATION)
MESSAGES = (R4, R5, BUNDLE, CLAIM)


@settings(max_examples=400)
@given(data=st.data(), message=st.sampled_from(MESSAGES), value=_values)
def test_any_value_in_any_place_is_read_or_refused(data: st.DataObject, message: dict[str, Any], value: Any) -> None:
    path = data.draw(st.sampled_from(paths(message)))
    broken = put(message, path, value)
    try:
        found = fhir.read(broken) if message is CLAIM else fhir.read(broken, place="11")
    except JcodeunitsError as why:
        assert str(why)  # noqa: PT017 - either ending is right, and both are checked
    else:
        assert found.administrations if isinstance(found, Encounter) else found.lines


def test_the_same_administration_twice_is_not_two_doses() -> None:
    with pytest.raises(FormatError, match="ma1: it stands twice in the message"):
        read(bundle(R4, R4))
    assert len(read(bundle(R4, {**R4, "id": "ma2"})).administrations) == 2


def test_times_in_utc_ask_for_the_day_at_the_place() -> None:
    early = changed(R4, "effectiveDateTime", "2026-03-03T02:15:00Z")
    found = fhir.reading(early, place="11")
    assert [(one.rule, one.severity) for one in found.findings] == [("utc-day", "warn")]
    assert str(read(early, on="2026-03-02").on) == "2026-03-02"
    with pytest.raises(FormatError, match="says 2026-03-03 and on= says 2026-03-01"):
        read(early, on="2026-03-01")
    moved = read(early, zone="America/New_York")
    assert (str(moved.on), moved.administrations[0].time) == ("2026-03-02", "21:15")


def test_a_medication_without_code_is_its_only_ingredient() -> None:
    bare = changed(R4, "contained.0.code", None)
    bare["contained"][0]["ingredient"] = [{"itemCodeableConcept": {"text": "ketorolac"}}]
    assert read(bare).administrations[0].drug == "ketorolac"
    bare["contained"][0]["ingredient"] = [{"item": {"concept": {"text": "ketorolac"}}}]
    assert read(bare).administrations[0].drug == "ketorolac"
    bare["contained"][0]["ingredient"] *= 2
    with pytest.raises(FormatError, match="does not say the drug"):
        read(bare)
    assert read(bare, drug="ketorolac").administrations[0].drug == "ketorolac"


@pytest.mark.parametrize(
    ("message", "path", "says"),
    [
        (R4, "contained.0.code", r"contained\[0\].code must be an object"),
        (R5, "medication", "medication must be an object"),
        (R4, "dosage", "dosage must be an object"),
        (R4, "contained", "contained must be a list of objects"),
        (R4, "effectiveDateTime", None),
        (R4, "dosage.dose.code", None),
    ],
)
def test_a_wrong_shape_is_named(message: dict[str, Any], path: str, says: str | None) -> None:
    with pytest.raises(FormatError, match=says or f"{path} must be text"):
        read(changed(message, path, "0" if says else [0]))


@pytest.mark.parametrize("text", ["<MedicationAdministration/>", b"  <?xml version='1.0'?>"])
def test_xml_is_refused_with_a_word_about_json(text: str | bytes) -> None:
    with pytest.raises(FormatError, match="XML, and FHIR is read as JSON"):
        fhir.read(text, place="11")


def test_what_is_nested_deeper_than_any_message_is_refused() -> None:
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(5000):
        inner["contained"] = [{}]
        inner = inner["contained"][0]
    with pytest.raises(FormatError, match="nested deeper"):
        fhir.read({**R4, "contained": [deep]}, place="11")
    extension: dict[str, Any] = {}
    inner = extension
    for _ in range(5000):
        inner["x"] = {}
        inner = inner["x"]
    assert fhir.read({**R4, "x": extension}, place="11")


def test_half_a_character_in_a_drugs_name_is_no_crash() -> None:
    record = {**R4, "medicationCodeableConcept": {"text": "\ud800 of the house"}}
    found = fhir.read({key: value for key, value in record.items() if key != "contained"}, place="11")
    assert isinstance(found, Encounter)
    assert not charge(found).ok


@pytest.mark.parametrize(
    "beside",
    [
        {"resourceType": "Observation", "contained": 5},
        {"resourceType": "Patient", "meta": {"security": 5}},
        {"resourceType": "Patient", "meta": {"tag": "HTEST"}},
    ],
)
def test_the_shape_of_a_resource_that_is_not_read_is_of_no_matter(beside: dict[str, object]) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in (beside, R4)]}
    assert fhir.read(bundle, place="11").administrations[0].dose == "30 mg"
    with pytest.raises(FormatError, match="No MedicationAdministration"):
        fhir.read(beside, place="11")


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ({"code": "mL", "unit": "ML"}, "ML"),
        ({"unit": "ML"}, "ML"),
        ({"unit": "UN"}, "UN"),
        ({"unit": "each"}, "UN"),
        ({"unit": "GR"}, "GR"),
        ({"unit": "F2"}, "F2"),
        ({"code": "ME"}, "ME"),
        ({"code": "7", "unit": "mL"}, "ML"),
        ({"code": "g", "unit": "mL"}, ""),
        ({"code": "mL", "comparator": "<"}, ""),
        ({"unit": "units"}, ""),
        ({}, ""),
    ],
)
def test_an_ndc_quantity_is_in_one_of_the_units_of_claims(quantity: dict[str, Any], unit: str) -> None:
    detail = {"sequence": 1, "productOrService": {"coding": [{"system": fhir.NDC, "code": "00409379501"}]}}
    code = {"coding": [{"system": fhir.HCPCS, "code": "J1885"}]}
    item = {"sequence": 1, "productOrService": code, "quantity": {"value": 2}}
    text = json.dumps({"item": [{**item, "detail": [{**detail, "quantity": {"value": 1.5, **quantity}}]}]})
    if not unit:
        with pytest.raises(FormatError, match="is no NDC quantity: a number above 0 in one of ML, ME, GR, F2, UN"):
            fhir.read(text)
        return
    line = fhir.read(text).lines[0]
    assert (line.ndc_qualifier, line.ndc_quantity) == (unit, Decimal("1.5"))
