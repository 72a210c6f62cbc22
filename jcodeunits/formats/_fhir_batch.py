"""Several records of FHIR in one text: NDJSON, lists of resources, and Bundles of several patients or days."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError
from jcodeunits.grouped import grouped

from . import _incoming
from ._fhir_json import Message, addressed, lines_of, parse, refused
from ._fhir_performers import subject
from ._fhir_questions import SOURCE
from ._incoming import Reading
from ._json import exact, load, plain_text

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


_Part = tuple[str, Message | FormatError]  # where it stands in the text, and what it is


def read_all(text: object, read: Read) -> tuple[Encounter | JcodeunitsError, ...]:
    """One encounter or one error for each record, in order: of a Bundle for each patient and day."""
    parts = list(_parts(text))
    if not parts:
        raise FormatError("There is no FHIR record to read.", format="fhir")
    around = addressed(("", one.root) for _, one in parts if isinstance(one, Message) and _is_beside(one))
    records = [part for part in parts if not _is_beside(part[1])] or parts[:1]
    several = _several_versions(one for _, one in records if isinstance(one, Message))
    before: dict[str, list[dict[str, Any]]] = {}
    given: set[tuple[str, ...]] = set()
    made: list[Encounter | JcodeunitsError] = []
    for place, one in records:
        if isinstance(one, JcodeunitsError):
            made.append(_placed(one, place))
            continue
        held = attrs.evolve(one, known=ChainMap(around, {**one.known})) if around else one
        if several and (wrong := {at: _unsettled(it) for at, it in one.given if _name(it) in several}):
            held = attrs.evolve(held, wrong={**one.wrong, **wrong})
        found = [_placed(each, place) for each in _records(held, read)]
        copies = before.setdefault(f"{one.root.get('resourceType')} {one.root.get('id') or place}", [])
        why = f"{place} is an exact copy of a record before it in the batch, and would be billed twice"
        doses = {_dose(record) for _, record in one.given if subject(record) and record.get("status") == "completed"}
        if one.root in copies:
            found = [_incoming.repeated(each, why, SOURCE) for each in found]
        elif doses & given:
            again = f"{place} holds what a record before it in the batch holds, and it would be billed twice"
            found = [_incoming.repeated(each, again, SOURCE) for each in found]
        copies.append(one.root)
        given |= doses
        made += found
    return tuple(made)


# The elements of a drug and of the time that it was given, of every version of FHIR.
_SAME = re.compile("medication|vaccineCode|effective|occurr?ence|date$")


def _name(record: dict[str, Any]) -> tuple[str, ...]:
    """What one record is known by in a batch: kind, id, patient, drug and time; ids of two servers may be one."""
    return str(record.get("id") or ""), *_dose(record, ())


_AMOUNT = ("dosage", "doseQuantity", "route", "site", "device")


def _dose(record: dict[str, Any], more: tuple[str, ...] = _AMOUNT) -> tuple[str, ...]:
    """What one dose is known by under another id: patient, drug, time and amount."""
    same = {key: record[key] for key in sorted(record) if _SAME.match(key) or key in more}
    return str(record["resourceType"]), subject(record), str(same)


def _several_versions(messages: Iterator[Message]) -> set[tuple[str, ...]]:
    """The records of a batch of which several versions stand in it."""
    first: dict[tuple[str, ...], dict[str, Any]] = {}
    each = (record for message in messages for _, record in message.given if record.get("id"))
    return {_name(record) for record in each if first.setdefault(_name(record), record) != record}


def _unsettled(record: dict[str, Any]) -> FormatError:
    says = "it stands twice in the batch, in versions that differ, and which of the two holds is not said"
    return refused(f"{record['resourceType']} {record['id']}", says)


def _is_beside(part: Message | FormatError) -> bool:
    return isinstance(part, Message) and part.root.get("resourceType") in BESIDE


def _parts(text: object) -> Iterator[_Part]:
    """The resources of a text, each with its place: one, a list, or one a line."""
    if isinstance(text, (str, bytes, bytearray)):
        written = plain_text(text, "fhir")
        text = written
        if lines := lines_of(written):
            yield from ((f"line {at}", _parsed(line)) for at, line in enumerate(lines, 1))
            return
        if written.lstrip().startswith("["):
            text = exact(written, "fhir")
    if isinstance(text, (list, tuple)):
        yield from ((f"record {at}", _parsed(one)) for at, one in enumerate(text, 1))
        return
    found = _parsed(text)
    if isinstance(found, FormatError):
        load(text, "fhir", "A FHIR resource")  # what is none at all is no record either
    yield "", found


def _parsed(text: object) -> Message | FormatError:
    try:
        return parse(text, apart=True)
    except FormatError as why:
        return why


def _placed(found: Encounter | JcodeunitsError, place: str) -> Encounter | JcodeunitsError:
    """An error with its place in a text of several records."""
    if not place or not isinstance(found, JcodeunitsError):
        return found
    fields = {**found.fields, "record": place, "place": found.fields.get("place", place)}
    return type(found)(f"{place}: {found.message}", **fields)


def _twice(message: Message) -> dict[int, FormatError]:
    """The records of a message that stand in it several times, by their place, with what to say of each.

    Of exact copies the first one holds; of versions that differ nobody said which one does.
    """
    named = [one for one in message.given if one[1].get("id")]
    same = grouped(named, lambda one: f"{one[1]['resourceType']} {one[1]['id']}")
    found: dict[int, FormatError] = {}
    for name, each in same.items():
        are_copies = all(record == each[0][1] for _, record in each)
        for at, _ in each[1:] if are_copies else each:
            says = "would be billed twice" if are_copies else "which of the two holds is not said"
            found[at] = refused(name, f"it stands twice in the message, and {says}")
    return found


def _records(message: Message, read: Read) -> Iterator[Encounter | JcodeunitsError]:
    """The records of one message, its administrations by patient and day in the order of their first one."""
    if not message.given:
        yield _tried(read, message)
        return
    wrong = {**_twice(message), **message.wrong}
    groups: dict[object, list[tuple[int, dict[str, Any]]]] = {}
    alone: dict[object, Encounter | JcodeunitsError] = {}
    for one in message.given:
        at, record = one
        found = wrong.get(at) or _tried(read, attrs.evolve(message, given=[one]))
        key: object = at if isinstance(found, JcodeunitsError) else (subject(record), str(found.on))
        groups.setdefault(key, []).append(one)
        alone[key] = found
    for key, group in groups.items():
        yield alone[key] if len(group) == 1 else _tried(read, attrs.evolve(message, given=group))


def _tried(read: Read, message: Message) -> Encounter | JcodeunitsError:
    try:
        return read(message).encounter
    except JcodeunitsError as why:
        return why
