"""Who gave what a FHIR record says was given, and whether that is staff of the practice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._fhir_json import Around, words

# Who gave it, where that is no staff: no service of the practice.
NOT_STAFF = {"Patient": "the patient", "RelatedPerson": "a relative or friend of the patient"}
# Functions of a performer (FHIR's own list, and version 3's) who checks what another one gives.
CHECKS = ("verifier", "witness", "vrf", "wit", "author", "aut", "op")
PERFORMS = ("ap", "performer", "pprf", "prf", "sprf")


def subject(resource: Mapping[str, Any]) -> str:
    """Who the patient is: an address (if contained, what it holds), else identifier or name; empty where unsaid."""
    pointer = resource.get("subject") or resource.get("patient") or {}
    address = str(pointer.get("reference") or "")
    if address.startswith("#"):
        inside = (one for one in resource.get("contained") or () if f"#{one.get('id')}" == address)
        return next((f"{address} {one.get('identifier') or one}" for one in inside), address)
    return address or _known_by(pointer)


def of_another(resource: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two resources are surely of two patients: by addresses of one kind, relative or whole.

    >>> of_another({"subject": {"reference": "Patient/1"}}, {"patient": {"reference": "http://x.org/fhir/Patient/1"}})
    False
    >>> of_another({"subject": {"reference": "Patient/1"}}, {"subject": {"reference": "Patient/2"}})
    True
    """
    pointers = [one.get("subject") or one.get("patient") for one in (resource, other)]
    addresses = [str(one.get("reference") or "") if isinstance(one, dict) else "" for one in pointers]
    ends = ["/".join(address.partition("/_history/")[0].split("/")[-2:]) for address in addresses]
    return all(end.startswith("Patient/") for end in ends) and ends[0] != ends[1]


def _known_by(pointer: Mapping[str, Any]) -> str:
    """What a reference without an address says of whom it means."""
    identifier = pointer.get("identifier")
    value = identifier.get("value") if isinstance(identifier, dict) else None
    return str(value or pointer.get("display") or "")


def performer(resource: Mapping[str, Any], around: Around) -> tuple[str, str]:
    """Who gave it, and what kind of resource that is: who has the function, else the first without one.

    Who only verified or witnessed it gave nothing. R4 has a reference, R5 a reference inside one that may also
    hold a concept; DSTU2 calls it practitioner.
    """
    if resource.keys().isdisjoint(("performer", "practitioner")):
        return "", ""
    ranked: list[tuple[int, Mapping[str, Any]]] = []
    for one in resource.get("performer") or []:
        said = {word.casefold() for word in words(one.get("function"))}
        if not said & {*CHECKS}:
            ranked.append((0 if said & {*PERFORMS} else 1, one.get("actor") or {}))
    if resource.get("practitioner"):
        ranked.append((0, resource["practitioner"]))
    for _, actor in sorted(ranked, key=lambda pair: pair[0]):
        inner = actor.get("reference")
        pointer = inner if isinstance(inner, dict) else actor
        if name := pointer.get("reference") or _known_by(pointer):
            return str(name), "Patient" if _is_patient(str(name), resource) else _kind(pointer, around)
    return "", ""


def _is_patient(name: str, resource: Mapping[str, Any]) -> bool:
    pointer = resource.get("subject") or resource.get("patient") or {}
    return name == (pointer.get("reference") or _known_by(pointer))


def _kind(pointer: Mapping[str, Any], around: Around) -> str:
    """The type of resource that a reference points to; empty where it does not say."""
    if pointer.get("type"):
        return str(pointer["type"]).rpartition("/")[2]
    address = str(pointer.get("reference") or "")
    if (found := around.find(address)) is not None:
        return str(found.get("resourceType"))
    steps = address.partition("/_history/")[0].split("/")
    return steps[-2] if len(steps) > 1 else ""
