"""Codes that the caller lists and that follow from the administrations too: billed once."""

from __future__ import annotations

from jcodeunits.finding import declare
from jcodeunits.grouped import grouped

from .draft import Draft, Entry

FINDINGS = declare(
    __name__,
    {
        "already-listed": ("A code that the caller lists is not billed twice", "note"),
        "listed-short": ("Less of an administration is listed than what was given under it", "warn"),
        "listed-beyond": ("More of an administration is listed than what was given comes to", "warn"),
        "drug-listed": ("A drug given that the caller lists among the services too", "warn"),
    },
)

# Codes that stand for more than the first push or infusion into a vein.
_FURTHER = ("additional-hour", "additional", "sequential", "concurrent", "same-drug")
_ONE_EACH = ("single", "first")
_VEIN = ("IV", "IV push", "IV infusion")


def apply(draft: Draft) -> None:
    """Let a listed administration code hold as many derived ones as it has units; a drug given is billed once."""
    for service in draft.live("service"):
        if service.listed:
            _drug(draft, service)
    derived = grouped(draft.live("administration"), lambda entry: entry.code)
    for service in draft.live("service"):
        same = [entry for entry in derived.get(service.code, ()) if not entry.withheld]
        if service.listed and service.administers:
            if service.members:
                _short(draft, service)
            else:
                _beyond(draft, service, sum(entry.line.units for entry in same))
        if not same or not service.listed:
            continue
        held = 0
        # The one of its own diagnoses, else by the drug's name: not as they were written down.
        same.sort(key=lambda entry: (entry.line.diagnoses != service.line.diagnoses, draft.names(entry)))
        for entry in same:
            if held + entry.line.units > service.line.units:
                break
            held += entry.line.units
            entry.withheld = True
            service.members = tuple(dict.fromkeys((*service.members, *entry.members)))
        if held:
            row = draft.policy.procedure(service.code, draft.on)
            assert row is not None  # the code was derived from its row
            says = f"{service.code} is listed among the services: it is not derived a second time."
            fix = "Leave the code out of services to have it derived."
            draft.say("already-listed", "note", says, fix, row.citation, about=service)


def _short(draft: Draft, service: Entry) -> None:
    """Say where one injection is listed and several were given under it; those of one syringe or order are one."""
    given = [draft.administration(index) for index in service.members]
    several = {one.syringe or one.order or id(one) for one in given if one.route not in _VEIN}
    row = draft.policy.procedure(service.code, draft.on)
    if service.position not in _ONE_EACH or len(several) <= service.line.units or row is None:
        return
    says = (
        f"{service.code} x {service.line.units} is listed, and {len(several)} were given under it; no other line "
        "stands for the rest."
    )
    fix = "Raise its units, or list the code of the others."
    draft.say("listed-short", "warn", says, fix, row.citation, about=service)


def _beyond(draft: Draft, service: Entry, derived: int) -> None:
    """Say where more is listed than follows from all that was given; of a code that nothing leads to others speak."""
    row = draft.policy.procedure(service.code, draft.on)
    further = service.position in _FURTHER
    if derived >= service.line.units or row is None or not (derived or further):
        return
    ways = [one for one in draft.encounter.administrations if one.route in _VEIN]
    unknown = service.position == "additional-hour" and any(one.minutes is None for one in ways)
    if further and (unknown or not ways):
        return
    says = f"{service.code} x {service.line.units} is listed, and what was given comes to {derived}."
    fix = "Give all that was given, with its times, or leave the code out to have it derived."
    draft.say("listed-beyond", "warn", says, fix, row.citation, about=service)


def _drug(draft: Draft, service: Entry) -> None:
    """Take a listed drug off where the same drug was given: what was given decides its lines."""
    kind = "waste" if "JW" in service.modifiers else "drug"
    same = [entry for entry in draft.live(kind) if entry.code == service.code]
    item = next((item for item in draft.given if item.drug is not None and item.code == service.code), None)
    if not same or item is None or item.drug is None:
        return
    service.withheld = True
    says = (
        f"{service.code} x {service.line.units} is listed among the services, and {service.code} x "
        f"{sum(entry.line.units for entry in same)} follows from what was given: the listed line is withheld."
    )
    fix = "Leave the code out of services; give a further dose as an administration of its own."
    draft.say("drug-listed", "warn", says, fix, item.drug.citation, about=same[0])
