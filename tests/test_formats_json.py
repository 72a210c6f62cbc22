"""The clearing-house JSON and the contract's own, and the door to all formats."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_charges import FIELDS, STOP, assert_same, charge_of, charges, drug_line, injection_line

from jcodeunits import formats
from jcodeunits.claim import Charge, ExtraNdc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import EncounterError, FormatError
from jcodeunits.formats import claimjson
from jcodeunits.formats import json as contract_json


def written(charge: Charge, **options: Any) -> dict[str, Any]:
    return dict(json.loads(claimjson.write(charge, **options)))


def test_a_service_line_has_its_numbers_as_text() -> None:
    made = written(charge_of(injection_line(), drug_line(ndc_quantity=Decimal("1.50"))))
    assert made["healthCareCodeInformation"] == [{"diagnosisTypeCode": "ABK", "diagnosisCode": "M5450"}]
    injection, drug = made["serviceLines"]
    assert "drugIdentification" not in injection
    assert drug == {
        "serviceDate": "20260302",
        "professionalService": {
            "procedureIdentifier": "HC",
            "procedureCode": "J1885",
            "procedureModifiers": ["JZ"],
            "lineItemChargeAmount": "10",
            "measurementUnit": "UN",
            "serviceUnitCount": "2",
            "placeOfServiceCode": "11",
            "compositeDiagnosisCodePointers": {"diagnosisCodePointers": ["1"]},
        },
        "drugIdentification": {
            "serviceIdQualifier": "N4",
            "nationalDrugCode": "00409379501",
            "nationalDrugUnitCount": "1.5",
            "measurementUnitCode": "ML",
        },
    }


def test_an_outpatient_line_has_its_revenue_code() -> None:
    charge = charge_of(drug_line(revenue_code="0636", description="x y"), claim="outpatient")
    service = written(charge)["serviceLines"][0]["institutionalService"]
    assert service["serviceLineRevenueCode"] == "0636"
    assert service["description"] == "x y"
    assert {loss.field for loss in claimjson.losses(charge)} == {"diagnoses"}
    with pytest.raises(FormatError, match="serviceLineRevenueCode"):
        claimjson.write(charge_of(drug_line(), claim="outpatient"))


def test_keys_come_in_snake_case_on_request() -> None:
    made = written(charge_of(drug_line()), keys="snake")
    assert made["service_lines"][0]["drug_identification"]["national_drug_code"] == "00409379501"
    with pytest.raises(FormatError, match="no way to write keys"):
        claimjson.write(charge_of(drug_line()), keys="kebab")


def test_further_ndcs_stand_in_the_notes() -> None:
    line = drug_line(extra_ndcs=(ExtraNdc("50242013601", "ML", Decimal(10)),))
    assert written(charge_of(line))["serviceLines"][0]["additionalNotes"] == "N450242013601 ML10"


@given(charges(), st.sampled_from(("camel", "snake")))
def test_what_left_comes_back(charge: Charge, keys: str) -> None:
    found = claimjson.read(claimjson.write(charge, keys=keys))
    assert_same(charge, found.lines)
    assert set(found.dates) == {"2026-03-02"}
    assert set(found.places) == {"11"}
    assert found.losses == ()


@given(charges(claim="outpatient"))
def test_what_left_for_a_hospital_comes_back_without_its_diagnoses(charge: Charge) -> None:
    kept = [*(field for field in FIELDS if field != "diagnoses"), "revenue_code"]
    assert_same(charge, claimjson.read(claimjson.write(charge)).lines, kept)


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ('"HC"', '"ER"', "'ER' is not HC"),
        ('"UN"', '"MJ"', "'MJ' is not UN"),
        ('"serviceUnitCount": "2"', '"serviceUnitCount": "2.5"', "2.5 units"),
        ('"serviceUnitCount": "2"', '"serviceUnitCount": "two"', "'two', which is no amount"),
        ("00409379501", "0409379501", "not the 11 digits"),
        ('"ML"', '"MG"', "'MG' is no NDC unit"),
        ('"nationalDrugUnitCount": "1"', '"nationalDrugUnitCount": "0"', "an NDC quantity of 0"),
        ("serviceLines", "lines", "holds no serviceLines"),
        ("{", "", "no JSON"),
    ],
)
def test_broken_lines_are_refused(right: str, wrong: str, says: str) -> None:
    text = claimjson.write(charge_of(drug_line()))
    assert right in text
    with pytest.raises(FormatError, match=says):
        claimjson.read(text.replace(right, wrong, 1))


def test_a_whole_call_is_read_and_what_a_line_cannot_hold_is_listed() -> None:
    made = written(charge_of(drug_line()))
    del made["healthCareCodeInformation"]
    made["serviceLines"][0]["additionalNotes"] = "call Ann"
    found = claimjson.read({"claimInformation": made})
    assert [loss.field for loss in found.losses] == ["diagnoses", "additionalNotes"]
    assert claimjson.read(made, diagnoses=["R52"]).lines[0].diagnoses == ("R52",)


# --- the contract's own ----------------------------------------------------------------------------

ENCOUNTER = (
    '{"on": "2026-03-02", "place": "11", "administrations": [{"drug": "J1885", "dose": "30 mg", "route": "IM"}]}'
)


def test_the_contracts_json_is_an_encounter() -> None:
    found = contract_json.read(ENCOUNTER)
    assert found == Encounter.from_dict(json.loads(ENCOUNTER))
    assert contract_json.read(ENCOUNTER, payer="medicaid").payer == "medicaid"
    assert contract_json.read(json.loads(ENCOUNTER), place="11") == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[]", "a JSON object, not list"),
        (ENCOUNTER.replace('"place"', '"on": "2026-03-03", "place"'), "'on' stands twice"),
        (ENCOUNTER.replace('"11"', "Infinity"), "Infinity is no number"),
    ],
)
def test_what_is_no_encounter_is_refused(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        contract_json.read(text)


def test_what_contradicts_the_encounter_is_refused() -> None:
    with pytest.raises(FormatError, match="says place '11' and '22' was given"):
        contract_json.read(ENCOUNTER, place="22")
    with pytest.raises(EncounterError, match="plase"):
        contract_json.read(ENCOUNTER, plase="22")


def test_the_whole_charge_is_written_even_when_it_stops() -> None:
    charge = charge_of(drug_line(), findings=(STOP,))
    assert json.loads(contract_json.write(charge)) == charge.as_dict()
    assert contract_json.losses(charge) == ()
    with pytest.raises(FormatError, match="str is no charge"):
        contract_json.write("x")  # type: ignore[arg-type]


# --- the door --------------------------------------------------------------------------------------


def test_every_format_has_the_same_names() -> None:
    for name in formats.NAMES:
        module = formats.module(name)
        assert callable(module.read)
        assert callable(module.write)
        assert callable(module.losses)


def test_formats_are_reached_by_name() -> None:
    charge = charge_of(drug_line())
    assert formats.write("x12", charge) == formats.x12.write(charge)
    assert formats.read("x12", formats.write("x12", charge)).lines[0].code == "J1885"
    with pytest.raises(FormatError, match=r"'edifact' is no format\. Allowed: claimjson, cms1500"):
        formats.write("edifact", charge)
    assert isinstance(formats.read("x12", formats.write("x12", charge)), formats.ClaimLines)
    with pytest.raises(AttributeError, match="edifact"):
        formats.edifact  # noqa: B018


def test_what_a_format_carries_is_a_field_of_a_line() -> None:
    for name in formats.NAMES:
        if name != "json":
            assert set(formats.module(name).CARRIES) <= {*FIELDS, "revenue_code"}


# --- shapes ----------------------------------------------------------------------------------------

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("a", "procedureCode")), inner),
    max_leaves=4,
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, one in inner for path in paths(one, (*at, key)))]


CALL = json.loads(claimjson.write(charge_of(injection_line(), drug_line(description="x y"))))


@settings(max_examples=300)
@given(data=st.data(), value=_values)
def test_any_value_in_any_place_is_read_or_refused(data: st.DataObject, value: Any) -> None:
    made: Any = json.loads(json.dumps(CALL))
    *way, last = data.draw(st.sampled_from(paths(CALL)[1:]))
    spot = made
    for step in way:
        spot = spot[step]
    spot[last] = value
    try:
        found = claimjson.read(made)
    except FormatError as why:
        assert str(why)  # noqa: PT017 - either ending is right, and both are checked
    else:
        assert all(isinstance(line.code, str) and line.units >= 1 for line in found.lines)
        assert all(isinstance(text, str) for line in found.lines for text in (*line.modifiers, *line.diagnoses))
