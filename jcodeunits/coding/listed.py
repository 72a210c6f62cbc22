"""Codes that the caller lists and that follow from the administrations too: billed once."""

from __future__ import annotations

from jcodeunits.finding import declare
from jcodeunits.grouped import grouped

from .draft import Draft, Entry

FINDINGS = declare(
    __name__,
    {
        "already-listed": ("A code that the caller lists is not billed twice", "note"),
        "hours-listed": ("More hours of an infusion are listed than the record shows", "warn"),
        "drug-listed": ("A drug given that the caller lists among the services too", "warn"),
    },
)


def apply(draft: Draft) -> None:
    """Let a listed administration code hold as many derived ones as it has units; a drug given is billed once."""
    for service in draft.live("service"):
        if service.listed:
            _drug(draft, service)
    derived = grouped(draft.live("administration"), lambda entry: entry.code)
    for service in draft.live("service"):
        same = [entry for entry in derived.get(service.code, ()) if not entry.withheld]
        if service.listed and service.position == "additional-hour":
            _hours(draft, service, sum(entry.line.units for entry in same))
        if not same or not service.listed:
            continue
        held = 0
        for entry in same:
            if held + entry.line.units > service.line.units:
                break
            held += entry.line.units
            entry.withheld = True
            service.members = tuple(dict.fromkeys((*service.members, *entry.members)))
        if held:
            row = draft.policy.procedure(service.code, draft.on)
            assert row is not None  # the code was derived from its row
            draft.say(
                "already-listed",
                "note",
                f"{service.code} is listed among the services: it is not derived a second time.",
                "Leave the code out of services to have it derived.",
                row.citation,
                about=service,
            )


def _hours(draft: Draft, service: Entry, derived: int) -> None:
    """Say where more hours are listed than the times of all that was infused come to."""
    given = [one for one in draft.encounter.administrations if one.route == "IV infusion"]
    row = draft.policy.procedure(service.code, draft.on)
    if not given or any(one.minutes is None for one in given) or derived >= service.line.units or row is None:
        return
    draft.say(
        "hours-listed",
        "warn",
        f"{service.code} x {service.line.units} is listed, and the recorded times come to {derived}.",
        "Correct the times, or leave the code out to have it derived.",
        row.citation,
        about=service,
    )


def _drug(draft: Draft, service: Entry) -> None:
    """Take a listed drug off where the same drug was given: what was given decides its lines."""
    kind = "waste" if "JW" in service.modifiers else "drug"
    same = [entry for entry in draft.live(kind) if entry.code == service.code]
    item = next((item for item in draft.given if item.drug is not None and item.code == service.code), None)
    if not same or item is None or item.drug is None:
        return
    service.withheld = True
    draft.say(
        "drug-listed",
        "warn",
        f"{service.code} x {service.line.units} is listed among the services, and {service.code} x "
        f"{sum(entry.line.units for entry in same)} follows from what was given: the listed line is withheld.",
        "Leave the code out of services; give a further dose as an administration of its own.",
        item.drug.citation,
        about=same[0],
    )
