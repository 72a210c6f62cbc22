"""Whether a FHIR record says that something was given: its status, what speaks against it, its order and its visit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jcodeunits.finding import Finding

from . import _noticed
from ._fhir_extensions import says_not
from ._fhir_json import NEGATIONS, Around, flag, objects
from ._fhir_performers import of_another
from ._fhir_questions import SOURCE
from ._quoting import coded as quote

# Why it was not given (DSTU2 and STU3, then R4 and R5): beside a completed administration one of the two is wrong.
REASONS = ("reasonNotGiven", "statusReason")
# Not the full dose (R5): the dose that is recorded is a question.
SUBPOTENT = ("isSubPotent", "subPotentReason")
_CORRECT = "One of the two contradicts the record: have it corrected."
_AGAINST = (*NEGATIONS, *REASONS, *SUBPOTENT, "extension")


def against(resource: dict[str, Any], where: str, partial: bool, completed: bool) -> Finding | None:
    """The finding for a status that may not bill; None for one that may."""
    status = resource.get("status")
    if status == "completed" and resource.keys().isdisjoint(_AGAINST) and "extension" not in _concept(resource):
        return None  # as nearly always, and the quickest to see
    for name in NEGATIONS:
        if flag(resource.get(name, False)) is not False:
            return _noticed.not_given(
                where, f"{name} says that it was not given", "Nothing was given to bill.", SOURCE, name
            )
    unsaid = status in (None, "", "unknown")
    if status == "completed" or (status == "stopped" and partial) or (unsaid and completed):
        return _doubted(resource, where, partial)
    if status == "stopped":
        fix = "If the dose recorded is what was given before it stopped, read it with partial=True."
    elif unsaid:
        fix = "If the record shows it as given, read it with completed=True."
    elif status in ("in-progress", "on-hold"):
        fix = "Bill it when it is completed."
    else:
        fix = "Only a completed administration is billed."
    said = quote(status).strip("'") if status else "not said"
    return _noticed.not_given(where, f"its status is {said}", fix, SOURCE, "status")


def _concept(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """The concept that names the drug; a profile says there of which drugs none was given."""
    return resource.get("medicationCodeableConcept") or (resource.get("medication") or {}).get("concept") or {}


def _doubted(resource: dict[str, Any], where: str, partial: bool) -> Finding | None:
    """The finding for an administration whose other elements say something else than its status."""
    said = [*objects(resource.get("extension")), *objects(_concept(resource).get("extension"))]
    if any(map(says_not, said)):
        why = "an extension of it says that it was not done"
        return _noticed.not_given(where, why, "Nothing was given to bill.", SOURCE, "extension")
    for name in REASONS:
        if resource.get(name) and resource.get("status") != "stopped":
            why = f"it has a {name} (the reason why it was not given) beside a status that bills"
            return _noticed.not_given(where, why, _CORRECT, SOURCE, name)
    for name in SUBPOTENT:
        if flag(resource.get(name, False)) is not False and not partial:
            fix = "If the dose recorded is what was given, read it with partial=True."
            why = f"{name} says that less than the full dose was given"
            return _noticed.not_given(where, why, fix, SOURCE, name)
    return None


_TO_ORDER = ("request", "prescription")  # R4's and R5's name, and the one before
_TO_VISIT = ("context", "encounter")  # STU3's and R4's name, and the others'
_ORDERS = ("MedicationRequest", "MedicationOrder", "MedicationPrescription")
_VISITS = ("Encounter", "EpisodeOfCare")
# An order or visit that these withdraw says that nothing was given by it; one that was stopped may have been before.
WITHDRAWN = ("cancelled", "entered-in-error")
# Classes of a visit: codes of ActCode, and words of the releases before R4.
_STAYS = ("IMP", "ACUTE", "NONAC", "inpatient")
_AT_HOME = ("HH", "home")


def order_of(resource: Mapping[str, Any], around: Around) -> dict[str, Any] | None:
    """The order, where the record points to one that the message holds."""
    return _pointed(resource, around, _TO_ORDER, _ORDERS)


def _pointed(
    resource: Mapping[str, Any], around: Around, names: tuple[str, ...], kinds: tuple[str, ...]
) -> dict[str, Any] | None:
    pointers = [resource.get(name) for name in names]
    held = (around.find(str(one.get("reference") or "")) for one in pointers if isinstance(one, dict))
    return next((one for one in held if one is not None and one.get("resourceType") in kinds), None)


def by_others(resource: Mapping[str, Any], around: Around, where: str) -> Finding | None:
    """The finding for what was given by an order, or in a visit, that was withdrawn, or that says not to give it."""
    order, visit = order_of(resource, around), _pointed(resource, around, _TO_VISIT, _VISITS)
    for name, held, cite in (("order", order, "request"), ("visit", visit, "context")):
        why = "" if held is None else "is of another patient" if of_another(resource, held) else _withdrawn(held)
        if why:
            return _noticed.not_given(where, f"its {name} {why}", _CORRECT, SOURCE, cite)
    return None


def _withdrawn(held: Mapping[str, Any]) -> str:
    if flag(held.get("doNotPerform", False)) is not False:
        return "says not to give it (doNotPerform)"
    return f"has the status {held['status']}" if held.get("status") in WITHDRAWN else ""


def of_visit(resource: Mapping[str, Any], around: Around, where: str) -> Iterator[Finding]:
    """The question where it was given, by the class of the visit: a stay, or a home."""
    visit = _pointed(resource, around, _TO_VISIT, _VISITS)
    said = _class(visit.get("class")) if visit is not None else []
    if any(one in _STAYS for one in said):
        yield _noticed.to_inpatient(where, SOURCE, "context")
    elif any(one in _AT_HOME for one in said):
        yield _noticed.at_home(where, SOURCE, "context")


def _class(said: object) -> list[str]:
    """The codes of a visit's class: a code before STU3, then a coding, from R5 concepts."""
    if isinstance(said, list):
        return [str(one.get("code")) for concept in objects(said) for one in objects(concept.get("coding"))]
    return [str(said.get("code") if isinstance(said, dict) else said)]


def ordered_doses(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The doses of an order, each one dose; before R4 they stand in the instruction itself."""
    held = objects(order.get("dosageInstruction"))
    held += [one for each in held for one in objects(each.get("doseAndRate"))]
    return [one["doseQuantity"] for one in held if isinstance(one.get("doseQuantity"), dict)]
