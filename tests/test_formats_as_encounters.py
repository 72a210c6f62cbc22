"""An encounter that comes as a message is charged as the same encounter that is written out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import jcodeunits as jc
from jcodeunits import hcpcs, ndc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import JcodeunitsError
from jcodeunits.formats import fhir, hl7v2

FILES = sorted((Path(__file__).parent / "cases").glob("encounters_*.json"))
ENCOUNTERS = [
    case["encounter"] for file in FILES for case in json.loads(file.read_text("utf-8")) if "encounter" in case
]
_DOSE = re.compile(r"([\d,]*\.?\d+) ?([A-Za-z][A-Za-z ]*)")
_CLOCK = re.compile(r"\d\d:\d\d")
_SAID = ("drug", "dose", "route", "start", "stop", "time")  # by the message; the rest stands beside it


class _NotAsMessage(Exception):
    """An administration that no message says so: a dose of parts, a start without its stop."""


def _named(drug: str) -> tuple[dict[str, Any], str]:
    if hcpcs.is_valid(drug):
        system, name = (fhir.HCPCS, "HCPCS") if drug[0].isalpha() else (fhir.CPT, "CPT")
        return {"coding": [{"system": system, "code": drug.upper()}]}, f"{drug.upper()}^^{name}"
    if ndc.looks_like(drug):
        return {"coding": [{"system": fhir.NDC, "code": drug}]}, f"{drug}^^NDC"
    return {"text": drug}, f"^{hl7v2.escape(drug, hl7v2.PLAIN)}"


def _times(day: str, one: dict[str, Any]) -> tuple[dict[str, Any], str]:
    start, stop, time = (str(one.get(name) or "") for name in ("start", "stop", "time"))
    if start or stop:
        if not _CLOCK.fullmatch(start) or not _CLOCK.fullmatch(stop) or stop <= start:
            raise _NotAsMessage
        ends = [f"{day}T{clock}:00" for clock in (start, stop)]
        return {"effectivePeriod": {"start": ends[0], "end": ends[1]}}, "|".join(re.sub(r"\D", "", end) for end in ends)
    stamp = f"{day}T{time}:00" if time else day
    return {"effectiveDateTime": stamp}, re.sub(r"\D", "", stamp) + "|"


def _administration(at: int, day: str, one: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """One administration as FHIR has it, and as segments of HL7."""
    dose = _DOSE.fullmatch(one["dose"].strip()) if isinstance(one.get("dose"), str) else None
    if (
        dose is None
        or not isinstance(one.get("drug"), str)
        or not isinstance(one.get("route"), str)
        or "performer" in one
    ):
        raise _NotAsMessage
    amount = dose[1].replace(",", "")
    concept, named = _named(one["drug"].strip())
    when, stamps = _times(day, one)
    resource = {"resourceType": "MedicationAdministration", "id": f"a{at}", "status": "completed", **when}
    resource |= {"subject": {"reference": "Patient/1"}, "medicationCodeableConcept": concept}
    resource |= {"dosage": {"route": {"text": one["route"]}, "dose": {"value": float(amount), "unit": dose[2]}}}
    rxa = f"RXA|0|{at}|{stamps}|{named}|{amount}|{dose[2]}|||||||||||||CP|A"
    return resource, f"ORC|RE|{at}\r{rxa}\rRXR|^{one['route']}\r"


def _charged(make: Any) -> object:
    try:
        charge = jc.charge(make())
    except JcodeunitsError:
        return "refused"
    asked = {finding.rule for finding in charge.findings if finding.severity != "note"}
    return sorted(
        (line.code, line.modifiers, line.units, line.ndc, str(line.ndc_quantity)) for line in charge.lines
    ), asked


@pytest.mark.parametrize("form", ["fhir", "hl7v2"])
def test_an_encounter_is_charged_alike_written_out_and_as_a_message(form: str) -> None:
    differ, compared = [], 0
    for encounter in ENCOUNTERS:
        try:
            each = [_administration(n, encounter["on"], one) for n, one in enumerate(encounter["administrations"], 1)]
        except (_NotAsMessage, KeyError):
            continue
        if not each:
            continue
        beside = {key: value for key, value in encounter.items() if key not in ("on", "administrations")}
        beside["administrations"] = [
            {key: value for key, value in one.items() if key not in _SAID} for one in encounter["administrations"]
        ]
        entries = [{"resource": resource} for resource, _ in each]
        text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
        if form == "hl7v2":
            head = "MSH|^~\\&|A|B|C|D|20260302||RAS^O17|1|P|2.5.1\rPID|1||P1\r"
            text = head + "".join(segments for _, segments in each)
        reader = fhir if form == "fhir" else hl7v2
        compared += 1
        if (said := _charged(lambda e=encounter: Encounter.from_dict(e))) != (
            read := _charged(lambda r=reader, t=text, b=beside: r.read(t, **b))
        ):
            differ.append(([one["drug"] for one in encounter["administrations"]], said, read))
    assert differ == []
    assert compared > 500
