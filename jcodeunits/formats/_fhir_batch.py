"""Several records of FHIR in one text: NDJSON, lists of resources, and Bundles of several patients or days."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError

from ._fhir_json import Message, addressed, lines_of, parse
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
    records = [one for one in parts if not _is_beside(one)]
    around = addressed(("", one.root) for one in parts if isinstance(one, Message) and _is_beside(one))
    made: list[Encounter | JcodeunitsError] = []
    for one in records or parts[:1]:
        if isinstance(one, JcodeunitsError):
            made.append(one)
        else:
            made += _records(attrs.evolve(one, known=ChainMap(around, {**one.known})) if around else one, read)
    return tuple(made)


def _is_beside(part: Message | FormatError) -> bool:
    return isinstance(part, Message) and part.root.get("resourceType") in BESIDE


def _parts(text: object) -> Iterator[Message | FormatError]:
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
    yield parse(text)


def _parsed(text: object, where: str) -> Message | FormatError:
    try:
        return parse(text)
    except FormatError as why:
        return FormatError(f"{where}: {why.message}", **{**why.fields, "place": where})


def _records(message: Message, read: Read) -> Iterator[Encounter | JcodeunitsError]:
    """The records of one message, its administrations by patient and day in the order of their first one."""
    if len(message.given) < 2:
        yield _tried(read, message)
        return
    groups: dict[object, list[tuple[int, dict[str, Any]]]] = {}
    alone: dict[object, Encounter | JcodeunitsError] = {}
    for one in message.given:
        found = _tried(read, attrs.evolve(message, given=[one]))
        subject = one[1].get("subject") or one[1].get("patient") or {}
        key: object = (
            one[0] if isinstance(found, JcodeunitsError) else (str(subject.get("reference") or ""), str(found.on))
        )
        groups.setdefault(key, []).append(one)
        alone[key] = found
    for key, group in groups.items():
        yield alone[key] if len(group) == 1 else _tried(read, attrs.evolve(message, given=group))


def _tried(read: Read, message: Message) -> Encounter | JcodeunitsError:
    try:
        return read(message).encounter
    except JcodeunitsError as why:
        return why
