"""Several records of FHIR in one text: NDJSON, lists of resources, and Bundles of several patients or days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError

from ._fhir_given import GIVEN
from ._fhir_json import Message, lines_of, parse, resources
from ._incoming import Reading
from ._json import exact, plain_text

Read = Callable[[Message], Reading]
# Resources that others point to, and that are no record of their own.
BESIDE = (
    "Medication",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "Encounter",
    "Condition",
    "RelatedPerson",
    "Device",
    "Observation",
)


def read_all(text: object, read: Read) -> tuple[Encounter | JcodeunitsError, ...]:
    """One encounter or one error for each record, in order: of a Bundle for each patient and day."""
    parts = list(_parts(text))
    if not parts:
        raise FormatError("There is no FHIR record to read.", format="fhir")
    around = [one for one in parts if isinstance(one, dict) and one.get("resourceType") in BESIDE]
    records = [one for one in parts if not (isinstance(one, dict) and one.get("resourceType") in BESIDE)] or parts[:1]
    made: list[Encounter | JcodeunitsError] = []
    for one in records:
        made.extend([one] if isinstance(one, JcodeunitsError) else _records(one, around, read))
    return tuple(made)


def _parts(text: object) -> Iterator[dict[str, Any] | FormatError]:
    """The resources of a text: one, a list, or one a line."""
    if isinstance(text, (str, bytes, bytearray)):
        written = plain_text(text, "fhir")
        text = written
        if lines := lines_of(written):
            for at, line in enumerate(lines, 1):
                yield _parsed(line, f"line {at}")
            return
        if written.lstrip().startswith("["):
            text = exact(written, "fhir")
    if isinstance(text, (list, tuple)):
        for at, one in enumerate(text, 1):
            yield _parsed(one, f"record {at}")
        return
    yield parse(text).root


def _parsed(text: object, where: str) -> dict[str, Any] | FormatError:
    try:
        return parse(text).root
    except FormatError as why:
        return FormatError(f"{where}: {why.message}", **{**why.fields, "place": where})


def _records(
    message: dict[str, Any], around: Sequence[dict[str, Any]], read: Read
) -> Iterator[Encounter | JcodeunitsError]:
    """The records of one message, a Bundle's administrations by patient and day in the order of their first one."""
    every = [one for _, one in resources(message)]
    given = [one for one in every if one.get("resourceType") in GIVEN]
    if len(given) < 2:
        yield _tried(read, _bundle(message, every, around) if around else message)
        return
    places: dict[tuple[str, str], list[dict[str, Any]]] = {}
    found: list[list[dict[str, Any]] | JcodeunitsError] = []
    for one in given:
        alone = _tried(read, _without(message, given, [one], around))
        if isinstance(alone, JcodeunitsError):
            found.append(alone)
            continue
        subject = one.get("subject") or one.get("patient") or {}
        key = (str(subject.get("reference") or ""), str(alone.on))
        if key not in places:
            places[key] = []
            found.append(places[key])
        places[key].append(one)
    for group in found:
        yield group if isinstance(group, JcodeunitsError) else _tried(read, _without(message, given, group, around))


def _bundle(
    message: Mapping[str, Any], every: Iterable[dict[str, Any]], around: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    entries = message.get("entry") if message.get("resourceType") == "Bundle" else [{"resource": one} for one in every]
    link = {"link": message["link"]} if message.get("link") and message.get("resourceType") == "Bundle" else {}
    return {"resourceType": "Bundle", **link, "entry": [*(entries or []), *({"resource": one} for one in around)]}


def _without(
    message: Mapping[str, Any],
    given: Iterable[dict[str, Any]],
    kept: Iterable[dict[str, Any]],
    around: Iterable[dict[str, Any]],
) -> dict[str, Any]:
    """The Bundle without the administrations that are not kept."""
    left = {id(one) for one in kept}
    away = {id(one) for one in given} - left
    whole = _bundle(message, (), around)
    return {**whole, "entry": [entry for entry in whole["entry"] if id(entry.get("resource")) not in away]}


def _tried(read: Read, message: dict[str, Any]) -> Encounter | JcodeunitsError:
    try:
        return read(Message.of(message)).encounter
    except JcodeunitsError as why:
        return why
