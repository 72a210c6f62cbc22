"""Immunization as an administration: the same facts under other names, and what else keeps a vaccine from a bill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jcodeunits import tables
from jcodeunits.finding import Finding

from . import _noticed
from ._fhir_extensions import flags
from ._fhir_json import NEGATIONS, flag, objects, words

SOURCE = "fhir-immunization"
# Immunization -> MedicationAdministration, by release: STU3 and DSTU2 have a plain `date`, DSTU2 `requester`.
_TIMES = ("occurrenceDateTime", "date")
_OTHERWISE = {"isSubpotent": "isSubPotent", "subpotentReason": "subPotentReason"}  # R4's names, with another capital
# What both call the same, but for what speaks against it.
_SAME = tables.words(
    "resourceType|id|status|statusReason|performer|note|encounter|occurrenceString|reasonCode|reasonReference|"
    "contained|reasonNotGiven|isSubPotent|subPotentReason|modifierExtension|implicitRules|extension"
)
_OWN_VACCINE = ("private", "phc70", "not vfc eligible", "v01", "ineligible")


def as_administration(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The record by the names of a MedicationAdministration; what both call the same stays."""
    dosage = {name: resource[name] for name in ("route", "site") if resource.get(name)}
    if resource.get("doseQuantity"):
        dosage["dose"] = resource["doseQuantity"]
    concept = dict(resource.get("vaccineCode") or {})
    administered = resource.get("administeredProduct") or {}
    product = administered.get("concept") or {}
    if product.get("coding"):
        concept["coding"] = [*(concept.get("coding") or []), *product["coding"]]
    day = next((resource[name] for name in _TIMES if resource.get(name)), None)
    explained = resource.get("explanation") or {}
    kept = {name: resource[name] for name in (*_SAME, *NEGATIONS) if name in resource}
    kept |= (
        {"medicationReference": administered["reference"]} if isinstance(administered.get("reference"), dict) else {}
    )
    kept |= {_OTHERWISE[name]: resource[name] for name in _OTHERWISE if name in resource}
    kept |= {"reasonNotGiven": explained["reasonNotGiven"]} if explained.get("reasonNotGiven") else {}
    kept |= {"practitioner": resource["practitioner"]} if isinstance(resource.get("practitioner"), dict) else {}
    if isinstance(kept.get("performer"), dict):
        kept["practitioner"] = kept.pop("performer")
    if isinstance(said := resource.get("practitioner"), list):
        kept["performer"] = [{"function": one.get("role"), "actor": one.get("actor")} for one in said]
    if isinstance(resource.get("reason"), list):
        kept["reason"] = resource["reason"]
    batch = {"lotNumber": resource.get("lotNumber"), "expirationDate": resource.get("expirationDate")}
    return {
        **kept,
        "medicationCodeableConcept": concept,
        "subject": resource.get("patient"),
        "dosage": dosage,
        **({"effectiveDateTime": day} if day else {}),
        "batch": {key: value for key, value in batch.items() if value},
    }


def reported(resource: Mapping[str, Any], where: str) -> Finding | None:
    """The finding for a vaccine that was only reported: it was given elsewhere."""
    for name, against in (("primarySource", False), ("reported", True)):
        if flag(resource.get(name, not against)) is not (not against):
            why = f"{name} says that it was reported, and not given here (a historical record)"
            return _noticed.not_given(where, why, "Only what was given here is billed here.", SOURCE, name)
    if any("histor" in name.casefold() for name in flags(objects(resource.get("extension")))):
        why = "an extension of it says that it is a historical record"
        return _noticed.not_given(where, why, "Only what was given here is billed here.", SOURCE, "extension")
    said = resource.get("informationSource") or {}  # R5: a concept or who said it; before, of a report alone
    of_another = flag(resource.get("primarySource")) is not True and words(said.get("concept") or said)
    for name, there in (("reportOrigin", resource.get("reportOrigin")), ("informationSource", of_another)):
        if there:
            why = f"{name} says that another one's record or memory was taken down, and not what was given here"
            fix = "Where it was given here, have the sender say so in primarySource and leave the origin out."
            return _noticed.not_given(where, why, fix, SOURCE, name)
    return None


def funding(resource: Mapping[str, Any], where: str) -> tuple[Finding, ...]:
    """A question where the vaccine may come from a public program."""
    said = [*words(resource.get("fundingSource"))]
    for one in resource.get("programEligibility") or []:
        said += words(one.get("program") or one)
    if not said or any(word.casefold() in _OWN_VACCINE for word in said):
        return ()
    return (_noticed.public_vaccine(where, SOURCE, "fundingSource"),)


def uncounted(resource: Mapping[str, Any], where: str) -> tuple[Finding, ...]:
    """A question where a dose does not count, such as one from a broken cold chain (STU3)."""
    each = objects(resource.get("vaccinationProtocol"))
    if not any("nocount" in words(one.get("doseStatus")) for one in each):
        return ()
    return (_noticed.doubted_by(where, "its doseStatus (it does not count)", SOURCE, "vaccinationProtocol"),)
