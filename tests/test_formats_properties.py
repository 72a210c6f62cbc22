"""Laws of all messages: what is negated is never billed, one shift of all times changes no minutes, the unknown adds
nothing but losses."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError
from jcodeunits.formats import claimjson, fhir, hl7v2, x12

SAMPLES = Path(__file__).parent / "samples"
BESIDE = {"place": "11", "diagnoses": ["R52"]}
HEAD = "MSH|^~\\&|M|C|B|C|20260302||{}|1|P|2.5.1\rPID|1||P1\rORC|RE|1"
INFUSED: dict[str, Any] = {
    "resourceType": "MedicationAdministration",
    "id": "a1",
    "status": "completed",
    "subject": {"reference": "Patient/1"},
    "contained": [
        {
            "resourceType": "Medication",
            "id": "m",
            "code": {"text": "ceftriaxone"},
            "ingredient": [
                {
                    "itemCodeableConcept": {"text": "ceftriaxone"},
                    "strength": {"numerator": {"value": 1, "unit": "g"}, "denominator": {"value": 50, "unit": "mL"}},
                }
            ],
            "batch": {"lotNumber": "L1", "expirationDate": "2027-01"},
        }
    ],
    "medicationReference": {"reference": "#m"},
    "effectivePeriod": {"start": "2026-03-02T10:15:00-05:00", "end": "2026-03-02T11:00:00-05:00"},
    "performer": [{"actor": {"reference": "Practitioner/7"}}],
    "dosage": {"route": {"text": "IV infusion"}, "site": {"text": "left arm"}, "dose": {"value": 50, "unit": "mL"}},
}
VACCINE = {
    "resourceType": "Immunization",
    "id": "i1",
    "status": "completed",
    "vaccineCode": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "90656"}]},
    "patient": {"reference": "Patient/1"},
    "occurrenceDateTime": "2026-03-02T10:15:00-05:00",
    "primarySource": True,
    "route": {"text": "IM"},
    "doseQuantity": {"value": 0.5, "unit": "mL"},
}


def _samples() -> Iterator[tuple[str, Any, str, dict[str, Any]]]:
    """Every message of administrations that is billed as it stands."""
    made = [
        ("an infusion", fhir, json.dumps(INFUSED)),
        ("an immunization", fhir, json.dumps(VACCINE)),
        (
            "RAS",
            hl7v2,
            f"{HEAD.format('RAS^O17')}\rRXA|0|1|20260302101500|20260302105000|^cefazolin|1|g|||||||||||||CP|A\rRXR|IVPB",
        ),
        (
            "a mixture",
            hl7v2,
            f"{HEAD.format('RAS^O17')}\rRXA|0|1|20260302101500|20260302105000|^dextrose 5% in water|50|mL|||||||||||||CP|A\rRXR|IVPB\rRXC|A|^cefazolin|1|g",
        ),
        (
            "a MAR's word",
            hl7v2,
            f"{HEAD.format('RAS^O17')}\rRXA|0|1|20260302101500||^ketorolac|30|mg|||||||||||||Given|A\rRXR|IM",
        ),
        (
            "VXU",
            hl7v2,
            f"{HEAD.format('VXU^V04')}\rRXA|0|1|20260302||140^Flu^CVX^90656^Flu^C4|0.5|mL||00^New^NIP001|||||||||||CP|A\rRXR|IM",
        ),
    ]
    made += [
        (path.name, hl7v2 if path.suffix == ".hl7" else fhir, path.read_text("utf-8"))
        for path in sorted(SAMPLES.glob("r*.*"))
    ]
    for name, module, text in made:
        beside = {**BESIDE, "on": "2026-03-02"} if "r5" in name else BESIDE
        try:
            found = module.read(text, **beside)
        except JcodeunitsError:
            continue
        if isinstance(found, Encounter):
            yield name, module, text, beside


EVERY = list(_samples())
FHIR = [one for one in EVERY if one[1] is fhir]
HL7 = [one for one in EVERY if one[1] is hl7v2]


def test_there_are_samples_of_each() -> None:
    assert len(FHIR) >= 3
    assert len(HL7) >= 4


def administrations(message: dict[str, Any]) -> list[dict[str, Any]]:
    each = [entry["resource"] for entry in message.get("entry", [])] or [message]
    return [one for one in each if one.get("resourceType") in ("MedicationAdministration", "Immunization")]


NEGATIONS: list[dict[str, Any]] = [
    *(
        {"status": word}
        for word in ("not-done", "entered-in-error", "in-progress", "on-hold", "stopped", "unknown", "x")
    ),
    {"notGiven": True},
    {"wasNotGiven": True},
    {"notGiven": "true"},
    {"doNotPerform": True},
    {"statusReason": [{"text": "refused"}]},
    {"reasonNotGiven": [{"text": "refused"}]},
    {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
    {"meta": {"security": [{"code": "HTEST"}]}},
]


@pytest.mark.parametrize("sample", FHIR, ids=lambda one: one[0])
@pytest.mark.parametrize("negation", NEGATIONS, ids=json.dumps)
def test_a_negated_resource_is_never_billed(sample: Any, negation: dict[str, Any]) -> None:
    _, module, text, beside = sample
    message = json.loads(text)
    for one in administrations(message):
        one |= negation
    with pytest.raises(FormatError):
        module.read(json.dumps(message), **beside)


SEGMENTS = {
    **{
        f"RXA-20 {word}": ("RXA", 20, word)
        for word in ("RE", "NA", "PA", "Not Given", "Refused", "Held", "Stopped", "")
    },
    "RXA-18": ("RXA", 18, "00^Refused"),
    "RXA-21 D": ("RXA", 21, "D"),
    "RXA-9": ("RXA", 9, "01^Historical^NIP001"),
    "ORC-1 CA": ("ORC", 1, "CA"),
    "MSH-11 T": ("MSH", 10, "T"),
}


@pytest.mark.parametrize("sample", HL7, ids=lambda one: one[0])
@pytest.mark.parametrize("negation", SEGMENTS)
def test_a_negated_segment_is_never_billed(sample: Any, negation: str) -> None:
    _, module, text, beside = sample
    name, position, value = SEGMENTS[negation]
    rows, changed = re.split(r"[\r\n]+", text.strip()), 0
    for at, row in enumerate(rows):
        if row.startswith(name):
            fields = row.split("|")
            fields += [""] * (position + 1 - len(fields))
            fields[position], changed = value, changed + 1
            rows[at] = "|".join(fields)
    if not changed:
        pytest.skip(f"the sample has no {name}")
    with pytest.raises(FormatError):
        module.read("\r".join(rows), **beside)


STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d:\d\d|Z)")


@given(st.integers(-600, 600))
def test_one_shift_of_all_times_changes_no_minutes(minutes: int) -> None:
    for _, module, text, beside in FHIR:
        if "on" in beside:
            continue
        moved = STAMP.sub(lambda m: (dt.datetime.fromisoformat(m[0]) + dt.timedelta(minutes=minutes)).isoformat(), text)
        before, after = module.read(text, **beside), module.read(moved, **beside)
        assert [one.minutes for one in before.administrations] == [one.minutes for one in after.administrations]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in list(value.values()):
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


@settings(max_examples=60)
@given(st.data())
def test_an_unknown_extension_anywhere_changes_nothing(data: st.DataObject) -> None:
    _, module, text, beside = data.draw(st.sampled_from(FHIR), label="sample")
    message = json.loads(text)
    spot = data.draw(st.sampled_from(list(_objects(copy.deepcopy(message)))), label="where")
    for one in _objects(message):
        if one == spot:
            one["extension"] = [*one.get("extension", []), {"url": "urn:unknown", "valueString": "x"}]
            break
    one, other = module.read(text, **beside), module.read(json.dumps(message), **beside)
    assert (one, one.findings) == (other, other.findings)


@settings(max_examples=60)
@given(st.data())
def test_an_unknown_segment_anywhere_changes_nothing(data: st.DataObject) -> None:
    _, module, text, beside = data.draw(st.sampled_from(HL7), label="sample")
    rows = re.split(r"[\r\n]+", text.strip())
    at = data.draw(st.integers(1, len(rows)), label="where")
    segment = data.draw(st.sampled_from(["ZXY|1|what|ever", "PD1||||x", "TQ1|1||BID", "ZNT|1|30 mg"]), label="segment")
    more = module.read("\r".join([*rows[:at], segment, *rows[at:]]), **beside)
    plain = module.read(text, **beside)
    where = re.compile(r"in line \d+")
    assert json.loads(where.sub("", json.dumps(more.as_dict()))) == json.loads(
        where.sub("", json.dumps(plain.as_dict()))
    )


CLAIMS = [
    (hl7v2, "PID|1||P1\rFT1|1|||20260302||CG||||2|||||||||||||||J1885^^HCPCS", "\r", "ZZZ|1|x"),
    (x12, "CLM*C1*10***11:B:1*Y*A*Y*Y~HI*ABK:R52~LX*1~SV1*HC:J1885*10*UN*2*11**1~DTP*472*D8*20260302~", "~", "ZZZ*1*x"),
]


@pytest.mark.parametrize(("module", "text", "end", "segment"), CLAIMS, ids=["hl7v2", "x12"])
def test_an_unknown_segment_of_a_claim_is_at_most_a_loss(module: Any, text: str, end: str, segment: str) -> None:
    plain = module.read(text)
    rows = text.split(end)
    for at in range(1, len(rows)):
        more = module.read(end.join([*rows[:at], segment, *rows[at:]]))
        assert (more.lines, more.dates, more.places) == (plain.lines, plain.dates, plain.places)


def test_an_unknown_key_of_a_claim_is_a_loss() -> None:
    service = {
        "procedureIdentifier": "HC",
        "procedureCode": "J1885",
        "measurementUnit": "UN",
        "serviceUnitCount": "2",
        "lineItemChargeAmount": "1",
    }
    plain = {"serviceLines": [{"serviceDate": "20260302", "professionalService": service}]}
    more = copy.deepcopy(plain)
    for one in _objects(more):
        one["whatNobodyKnows"] = "x"
    one, other = claimjson.read(json.dumps(plain)), claimjson.read(json.dumps(more))
    assert one.lines == other.lines
    assert sum("whatNobodyKnows" in str(loss) for loss in other.losses) == 3
