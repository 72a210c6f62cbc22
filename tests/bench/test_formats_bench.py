"""Messages a second, in and out: each beside `json` doing the least that could be done with as much text."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from jcodeunits import formats
from jcodeunits.claim import Charge, Line
from jcodeunits.encounter import Encounter
from jcodeunits.formats import fhir

LINES = (
    Line("96372", diagnoses=("M54.50",), kind="administration", charge_amount=Decimal(35), revenue_code="0510"),
    Line(
        "J1885",
        ("JZ",),
        2,
        "00409379501",
        "ML",
        Decimal("1.5"),
        ("M54.50",),
        kind="drug",
        charge_amount=Decimal(10),
        revenue_code="0636",
    ),
)
CHARGE = Charge(LINES, (), Encounter("2026-03-02", "11", diagnoses=("M54.50",)))
GIVEN = {
    "resourceType": "MedicationAdministration",
    "status": "completed",
    "subject": {"reference": "Patient/1"},
    "medicationCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "0409-3795-01"}]},
    "effectiveDateTime": "2026-03-02T10:15:00-05:00",
    "dosage": {
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": "78421000"}]},
        "dose": {"value": 30, "system": "http://unitsofmeasure.org", "code": "mg"},
    },
}
RAS = "\r".join(
    [
        r"MSH|^~\&|BCMA|CLINIC|EHR|CLINIC|20260302101600||RAS^O17^RAS_O17|1|P|2.5.1",
        "PID|1||MRN1",
        "RXA|0|1|20260302101500|20260302101500|0409-3795-01^KETOROLAC^NDC|30|mg^^UCUM|||||||||||||CP|A",
        "RXR|IM^^HL70162",
    ]
)
MANY = 200


def _rate(side_by_side: Callable[..., list[float]], one: Callable[[], object]) -> tuple[float, float]:
    """Messages a second, and how many times longer one takes than parsing its like as JSON."""
    plain = json.dumps(GIVEN)

    def many() -> None:
        for _ in range(MANY):
            one()

    def floor() -> None:
        for _ in range(MANY):
            json.loads(plain)

    ours, least = side_by_side(many, floor)
    return MANY / ours, ours / least


@pytest.mark.parametrize("name", [name for name in formats.NAMES if name != "json"])
def test_charges_out(name: str, benchmark, figure, side_by_side) -> None:
    assert "J1885" in benchmark(lambda: formats.write(name, CHARGE))
    rate, times = _rate(side_by_side, lambda: formats.write(name, CHARGE))
    figure(f"{name}: charges of two lines out, a second", rate, "reported")
    figure(f"{name}: out, times json.loads of one administration", times, "reported")


@pytest.mark.parametrize("name", [name for name in formats.NAMES if name != "json"])
def test_claim_lines_in(name: str, benchmark, figure, side_by_side) -> None:
    text = formats.write(name, CHARGE)
    assert len(benchmark(lambda: formats.read(name, text)).lines) == 2
    rate, times = _rate(side_by_side, lambda: formats.read(name, text))
    figure(f"{name}: claims of two lines in, a second", rate, "reported")
    figure(f"{name}: in, times json.loads of one administration", times, "reported")


@pytest.mark.parametrize(("name", "text"), [("fhir", json.dumps(GIVEN)), ("hl7v2", RAS)], ids=["fhir", "hl7v2"])
def test_administrations_in(name: str, text: str, benchmark, figure, side_by_side) -> None:
    found = benchmark(lambda: formats.read(name, text, place="11"))
    assert found.administrations[0].dose == "30 mg"
    rate, times = _rate(side_by_side, lambda: formats.read(name, text, place="11"))
    figure(f"{name}: administrations in, a second", rate, "reported")
    figure(f"{name}: an administration in, times json.loads of FHIR's", times, "20")


def test_a_bundle_of_many_patients(benchmark, figure, side_by_side) -> None:
    def bundle(count: int) -> str:
        each = [GIVEN | {"id": f"a{n}", "subject": {"reference": f"Patient/{n}"}} for n in range(count)]
        return json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in each]})

    small, large = bundle(100), bundle(1000)
    assert len(benchmark(lambda: fhir.read_all(small, place="11"))) == 100
    one, ten = side_by_side(lambda: fhir.read_all(small, place="11"), lambda: fhir.read_all(large, place="11"))
    figure("fhir: a Bundle ten times as long takes, times", ten / one, "10")
