"""The other modifiers of a line, and all of them in claim order, four at most."""

from __future__ import annotations

from jcodeunits.finding import declare

from .draft import Draft, Entry, Given

FINDINGS = declare(
    __name__,
    {
        "resident": ("A resident took part: the modifier stands on the practitioner's own service", "note"),
        "supply-340b": ("A drug bought under the 340B program", "note"),
        "route-modifier": ("A code that is given by two routes says which", "note"),
        "contraceptive": ("A contraceptive injection that a program wants marked", "note"),
        "modifier-limit": ("More modifiers than a line can hold", "warn"),
    },
)


def apply(draft: Draft) -> None:
    """Resident, 340B, route and family planning; then sort and cut."""
    if draft.encounter.resident:
        _resident(draft)
    for item in draft.given:
        entries = [entry for entry in item.entries if not entry.withheld]
        if entries:
            _purchased(draft, item, entries)
            _route(draft, item, entries)
            _contraceptive(draft, item, entries)
    most = draft.option("modifiers-most")
    for entry in draft.live():
        if entry.modifiers:
            _sort(draft, entry, int(most.value))


def _resident(draft: Draft) -> None:
    option = draft.option("resident-modifier")
    own = [
        entry
        for entry in draft.live("visit", "administration")
        if (entry.kind == "visit" and entry.role != "visit-nurse")
        or (entry.members and all(draft.administration(i).performed_by == "practitioner" for i in entry.members))
    ]
    if option.value == "none":
        draft.say(
            "resident",
            "note",
            "A resident took part; this payer's row sets no modifier for it.",
            "Check whether the payer wants the teaching physician marked.",
            option.citation,
        )
        return
    for entry in own:
        entry.mark(option.value, "a resident took part", option.citation)
    codes = ", ".join(dict.fromkeys(entry.code for entry in own))
    draft.say(
        "resident",
        "note",
        f"A resident took part: {option.value} stands on {codes}, not on what a nurse gave or on drugs."
        if own
        else f"A resident took part, but only staff injected: {option.value} has no line to stand on.",
        "The teaching physician's presence must be in the note; under the primary care exception it is GE.",
        option.citation,
        about=own[0] if own else None,
    )


def _purchased(draft: Draft, item: Given, entries: list[Entry]) -> None:
    if not any(draft.administration(index).supplied_by == "340b" for index in item.members):
        return
    option = draft.option("340b")
    if option.value in ("", "none"):
        return
    for entry in entries:
        entry.mark(option.value, "bought under 340B", option.citation)
    draft.say(
        "supply-340b",
        "note",
        f"{entries[0].code} was bought under 340B: {option.value} on its lines.",
        "Check the covered entity's own list.",
        option.citation,
        about=entries[0],
    )


def _route(draft: Draft, item: Given, entries: list[Entry]) -> None:
    if "route-both" not in item.classes:
        return
    option = draft.option("route-modifiers")
    route = draft.administration(item.members[0]).route
    modifier = "JA" if route.startswith("IV") else "JB" if route in ("SC", "on-body") else ""
    if option.value != "yes" or not modifier:
        return
    for entry in entries:
        entry.mark(modifier, f"given by {route}; the code has two routes", option.citation)
    draft.say(
        "route-modifier",
        "note",
        f"{entries[0].code} is given into a vein and under the skin: {modifier} says which.",
        "Nothing, if the route is right.",
        option.citation,
        about=entries[0],
    )


def _contraceptive(draft: Draft, item: Given, entries: list[Entry]) -> None:
    option = draft.option("contraceptive-modifier")
    if "contraceptive" not in item.classes or option.value == "none":
        return
    for entry in entries:
        entry.mark(option.value, "a contraceptive, for this payer", option.citation)
    draft.say(
        "contraceptive",
        "note",
        f"{entries[0].code} as a contraceptive takes {option.value} for this payer.",
        "For another use take the payer's other modifier.",
        option.citation,
        about=entries[0],
    )


def _sort(draft: Draft, entry: Entry, most: int) -> None:
    ordered = draft.policy.ordered(entry.modifiers, draft.on)
    entry.modifiers = list(ordered[:most])
    if len(ordered) > most:
        draft.say(
            "modifier-limit",
            "warn",
            f"{entry.code} has {len(ordered)} modifiers; a line holds {most}. Left out: {', '.join(ordered[most:])}.",
            "Decide which four the payer needs most.",
            draft.option("modifiers-most").citation,
            about=entry,
        )
