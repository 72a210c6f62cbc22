"""Units of messages: UCUM by a closed grammar, arbitrary units beside the text "units", and nothing guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from shipped import rows_of

import jcodeunits as jc
from jcodeunits import units
from jcodeunits.dose import Dose
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import fhir, hl7v2
from jcodeunits.formats._units import UcumUnit

UCUM = "http://unitsofmeasure.org"


def dose(drug: str, value: Any, code: str = "", unit: str = "", **beside: Any) -> str:
    quantity = {"value": value, **({"system": UCUM, "code": code} if code else {}), **({"unit": unit} if unit else {})}
    resource = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": drug},
        "effectiveDateTime": "2026-03-02",
        "dosage": {"route": {"text": "SC"}, "dose": quantity},
    }
    found = fhir.read(json.dumps(resource), place="11", **beside)
    assert isinstance(found, Encounter)
    return str(found.administrations[0].dose)


@pytest.mark.parametrize("row", rows_of(UcumUnit), ids=lambda row: row.code)
def test_every_code_is_a_unit_of_the_dose_grammar(row: UcumUnit) -> None:
    assert Dose.of(f"2 {row.unit}").unit == units.canonical(row.unit)
    assert dose("heparin", 2, row.code) == f"2 {row.unit}"
    assert dose("heparin", 2, f"{row.code}{{total}}") == f"2 {row.unit}"


@pytest.mark.parametrize(
    ("code", "unit", "says"),
    [
        ("[iU]", "units", "5000 units"),
        ("[USP'U]", "units", "5000 units"),
        ("[arb'U]", "Units", "5000 units"),
        ("[iU]", "IU", "5000 IU"),
        ("k[iU]", "", "5000000 IU"),
        ("10*3.[iU]", "", "5000000 IU"),
        ("10*3.[iU]{total}", "", "5000000 IU"),
        ("m[iU]", "", "5 IU"),
        ("10*6.[iU]", "million units", "5000000000 units"),
        ("10*3.[iU]", "thousand units", "5000000 units"),
        ("{units}", "units", "5000 units"),
        ("mL", "milliliter (iso1000)", "5000 mL"),
    ],
)
def test_codes_and_texts_as_senders_write_them(code: str, unit: str, says: str) -> None:
    assert dose("heparin", 5000, code, unit) == says


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("ug", "mg"),
        ("g", "mg"),
        ("mg", "mcg"),
        ("k[iU]", "units"),
        ("10*6.[iU]", "units"),
        ("mg", "units"),
        ("[iU]", "mg"),
    ],
)
def test_a_code_against_its_text_is_refused(code: str, unit: str) -> None:
    with pytest.raises(FormatError, match=r"code says .* text says"):
        dose("heparin", 5, code, unit)


@pytest.mark.parametrize("code", ["k[USP'U]", "10*3", "kmg", "10*99.[iU]", "{foo}", "10*0.mg", "MLS", "UNT"])
def test_what_is_no_unit_here_names_the_keyword_that_helps(code: str) -> None:
    with pytest.raises(FormatError, match=r"is no unit that is read here.*give dose="):
        dose("heparin", 5, code)
    assert dose("heparin", 5, code, dose="5000 units") == "5000 units"


def test_international_units_of_a_drug_in_units_are_asked_by_the_word_that_helps() -> None:
    text = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "heparin"},
        "effectiveDateTime": "2026-03-02",
        "dosage": {"route": {"text": "SC"}, "dose": {"value": 5000, "system": UCUM, "code": "[iU]"}},
    }
    asked = jc.charge(fhir.read(json.dumps(text), place="11"))
    assert not asked.ok
    assert any("units" in one.says for one in asked.findings if one.severity == "stop")
    told = jc.charge(fhir.read(json.dumps(text), place="11", dose="5000 units"))
    assert ("J1644", 5) in [(line.code, line.units) for line in told.lines]
    with pytest.raises(FormatError, match=r"says dose"):
        fhir.read(json.dumps(text), place="11", dose="50 units")


def test_the_same_in_segments() -> None:
    text = "RXA|0|1|20260302||^heparin|{}|{}|||||||||||||CP|A\rRXR|SC"
    for value, unit, says in (
        ("5", "k[iU]^^UCUM", "5000 IU"),
        ("5000", "[USP'U]^units^UCUM", "5000 units"),
        ("2.4", "10*6.[iU]^million units^UCUM", "2400000 units"),
        ("5000", "units", "5000 units"),
    ):
        found = hl7v2.read(text.format(value, unit), place="11")
        assert isinstance(found, Encounter)
        assert found.administrations[0].dose == says


@pytest.mark.parametrize(
    ("rate", "asks"),
    [
        ({"rateQuantity": {"value": 4, "unit": "mg/h", "system": UCUM, "code": "mg/h"}}, True),
        ({"rateSimpleQuantity": {"value": 4, "unit": "mg/h", "system": UCUM, "code": "mg/h"}}, True),
        ({"rateRatio": {"numerator": {"value": 4, "unit": "mg"}, "denominator": {"value": 1, "unit": "h"}}}, True),
        ({"rateRatio": {"numerator": {"value": 4, "unit": "mg"}, "denominator": {"value": 15, "unit": "min"}}}, False),
        ({"rateQuantity": {"value": 4, "unit": "mL/h"}}, False),
        ({"rateQuantity": {"value": 8, "unit": "mg/h"}}, False),
        ({}, False),
    ],
)
def test_a_dose_that_is_the_number_of_the_rate_is_asked_about(rate: dict[str, Any], asks: bool) -> None:
    """A drip of 4 mg/h may be recorded as a dose of 4 mg, whatever ran in all."""
    resource = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "ondansetron"},
        "effectiveDateTime": "2026-03-02",
        "dosage": {"route": {"text": "IVPB"}, "dose": {"value": 4, "unit": "mg"}, **rate},
    }
    found = fhir.read(json.dumps(resource), place="11")
    assert isinstance(found, Encounter)
    assert ("dose-or-rate" in [one.rule for one in jc.charge(found).findings]) == asks
    hour = {"effectivePeriod": {"start": "2026-03-02T10:00:00-05:00", "end": "2026-03-02T11:00:00-05:00"}}
    timed = {key: value for key, value in resource.items() if key != "effectiveDateTime"} | hour
    assert not fhir.read(json.dumps(timed), place="11").findings


@pytest.mark.parametrize(
    ("dose", "rate", "stop", "asks"),
    [
        (1000, {"value": 100, "code": "mL/h"}, "11:00", True),  # one hour of ten
        (1000, {"value": 100, "code": "mL/h"}, "20:00", False),
        (1000, {"value": 100, "code": "mL/h"}, "18:30", False),
        (100, {"value": 1000, "code": "mL/h"}, "11:00", True),
        (60, {"value": 1, "code": "mL/min"}, "11:00", False),
        (600, {"value": 1, "code": "mL/min"}, "11:00", True),
        (1000, {"value": 4, "code": "mg/h"}, "11:00", False),
        (1000, {"value": 100, "code": "mL/kg"}, "11:00", False),
    ],
)
def test_a_dose_that_did_not_run_at_its_rate_in_its_time_is_asked_about(
    dose: int, rate: dict[str, Any], stop: str, asks: bool
) -> None:
    day = "2026-03-02T"
    resource = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "sodium chloride 0.9%"},
        "effectivePeriod": {"start": f"{day}10:00:00-05:00", "end": f"{day}{stop}:00-05:00"},
        "dosage": {"route": {"text": "IVPB"}, "dose": {"value": dose, "code": "mL"}, "rateQuantity": rate},
    }
    ratio = {"numerator": {"value": rate["value"], "code": "mL"}, "denominator": {"value": 1, "unit": "hour"}}
    found = fhir.read(json.dumps(resource), place="11")
    assert [one.rule for one in found.findings] == (["dose-or-rate"] if asks else [])
    if rate["code"] == "mL/h":
        dosage = {**resource["dosage"], "rateRatio": ratio}
        del dosage["rateQuantity"]
        assert fhir.read(json.dumps({**resource, "dosage": dosage}), place="11").findings == found.findings


@pytest.mark.parametrize(
    ("amount", "unit", "dose"),
    [
        ("30", "mg^milligram^UCUM^MG^milligram^L", "30 mg"),
        ("30", "12^^L^mg^milligram^UCUM", "30 mg"),
        ("30", "^^^mg^milligram^UCUM", "30 mg"),
        ("5000", "[iU]^^UCUM^units^^L", "5000 IU"),
        ("30", "mg^^UCUM^mcg^^L", "contradict"),
        ("30", "12^^L^13^^L", "no unit"),
        ("30^mcg", "mg", "beside its number"),
        ("10^20", "mg", "beside its number"),
    ],
)
def test_an_amount_of_hl7_is_one_number_in_one_unit_of_two_codings(amount: str, unit: str, dose: str) -> None:
    text = f"RXA|0|1|20260302||^ketorolac|{amount}|{unit}|||||||||||||CP|A\rRXR|IM"
    if dose[0].isdigit():
        assert hl7v2.read(text, place="11").administrations[0].dose == dose
    else:
        with pytest.raises(FormatError, match=dose):
            hl7v2.read(text, place="11")
