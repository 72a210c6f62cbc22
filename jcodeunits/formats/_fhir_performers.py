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
    """The reference to the patient; empty where there is none."""
    return (resource.get("subject") or resource.get("patient") or {}).get("reference") or ""


def performer(resource: Mapping[str, Any], around: Around) -> tuple[str, str]:
    """Who gave it, and what kind of resource that is: who has the function, else the first without one.

    Who only verified or witnessed it gave nothing. R4 has a reference, R5 a reference inside one that may also
    hold a concept; DSTU2 calls it practitioner.
    """
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
        name = pointer.get("reference") or (pointer.get("identifier") or {}).get("value") or pointer.get("display")
        if name:
            return str(name), "Patient" if name == subject(resource) else _kind(pointer, around)
    return "", ""


def _kind(pointer: Mapping[str, Any], around: Around) -> str:
    """The type of resource that a reference points to; empty where it does not say."""
    if pointer.get("type"):
        return str(pointer["type"]).rpartition("/")[2]
    address = str(pointer.get("reference") or "")
    if (found := around.find(address)) is not None:
        return str(found.get("resourceType"))
    steps = address.partition("/_history/")[0].split("/")
    return steps[-2] if len(steps) > 1 else ""
