"""Codes that the caller lists and that follow from the administrations too: billed once."""

from __future__ import annotations

from jcodeunits.finding import declare

from .draft import Draft, Entry

FINDINGS = declare(__name__, {"already-listed": ("A code that the caller lists is not billed twice", "note")})


def apply(draft: Draft) -> None:
    """Let a listed administration code hold as many derived ones as it has units."""
    derived: dict[str, list[Entry]] = {}
    for entry in draft.live("administration"):
        derived.setdefault(entry.code, []).append(entry)
    for service in draft.live("service"):
        same = [entry for entry in derived.get(service.code, ()) if not entry.withheld]
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
