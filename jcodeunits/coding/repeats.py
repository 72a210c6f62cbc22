"""More than one injection of a kind on one day: what tells the second from a duplicate.

Another drug takes the payer's modifier for a second injection (59, XS, none) or is counted as units of one
line; the same drug again takes 76, by another practitioner 77. None of them raises the day's limit.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from jcodeunits import tables
from jcodeunits.claim import APART
from jcodeunits.finding import declare
from jcodeunits.grouped import grouped

from .draft import Draft, Entry

FINDINGS = declare(
    __name__,
    {
        "second-injection": ("A second injection of the day", "note"),
        "repeat-injection": ("The same drug injected again on one day", "warn, note"),
    },
)
BYPASS = APART | {"76", "77"}


def apply(draft: Draft) -> None:
    """Mark, merge or leave the injections after the first of each code."""
    billed = [entry for entry in draft.live("service") if entry.administers and entry.members]
    single = [
        entry
        for entry in (*billed, *draft.live("administration"))
        if entry.position == "single" and not entry.role.startswith(("vaccine", "rsv", "allergen"))
    ]
    for entries in grouped(single, lambda entry: entry.code).values():
        if len(entries) > 1 and not all(entry.listed for entry in entries):
            _several(draft, _by_time(draft, entries))


def _by_time(draft: Draft, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The injections as they were given where the record has every time, else as they were written down."""
    times = {id(entry): draft.administration(entry.members[0]).time for entry in entries}
    if None in times.values() or any(entry.listed for entry in entries):
        return entries
    return sorted(entries, key=lambda entry: str(times[id(entry)]))


def _several(draft: Draft, entries: Sequence[Entry]) -> None:
    option = draft.option("second-injection")
    if option.value == "units":
        _merge(draft, entries)
        return
    seen: dict[frozenset[str], Entry] = {_drugs(draft, entries[0]): entries[0]}
    for entry in entries[1:]:
        drugs = _drugs(draft, entry)
        earlier = seen.get(drugs)
        if entry.listed:  # the caller bills it as it is
            seen.setdefault(drugs, entry)
        elif earlier is not None:
            _repeat(draft, earlier, entry)
        else:
            seen[drugs] = entry
            _second(draft, entries[0], entry)


def _drugs(draft: Draft, entry: Entry) -> frozenset[str]:
    return frozenset(draft.of[index].product for index in entry.members)


def _second(draft: Draft, first: Entry, entry: Entry) -> None:
    option = draft.option("second-injection")
    set_ = option.value != "none" and not BYPASS & set(entry.modifiers)
    if set_:
        entry.mark(option.value, f"another injection than that of {draft.names(first)}", option.citation)
    how = f"takes {entry.modifiers[0]}" if entry.modifiers else "takes no modifier"
    draft.say(
        "second-injection",
        "note",
        f"{entry.code} for {draft.names(entry)} is a second injection and {how} for this payer: it tells "
        "the line from a duplicate. It does not raise the day's limit, and no edit pairs the code with "
        "itself, though the guide says so.",
        "Document drug, dose, site and reason of each injection.",
        option.citation,
        tables.guide("modifiers 59 and XS; scenario 3"),
        about=entry,
    )


def _repeat(draft: Draft, earlier: Entry, entry: Entry) -> None:
    before, now = draft.administration(earlier.members[0]), draft.administration(entry.members[0])
    other = None not in (before.performer, now.performer) and before.performer != now.performer
    option = draft.option("repeat-other" if other else "repeat-same")
    if option.value != "none" and not BYPASS & set(entry.modifiers):
        why = "the same drug again, by another practitioner" if other else "the same drug again"
        entry.mark(option.value, why, option.citation)
    timed = None not in (before.time, now.time) and before.time != now.time
    how = f"takes {entry.modifiers[0]}" if entry.modifiers else "takes no modifier"
    says = f"{entry.code} repeats {draft.names(entry)} on the same day and {how}" + (
        "." if timed else "; the record shows no other time: was it one dose in two places?"
    )
    fix = "Document why the drug was given again." if timed else "Give each its time, or both the same order."
    draft.say("repeat-injection", "note" if timed else "warn", says, fix, option.citation, about=entry)


def _merge(draft: Draft, entries: Sequence[Entry]) -> None:
    option = draft.option("second-injection")
    first = entries[0]
    more = [entry for entry in entries[1:] if not entry.listed]
    for entry in more:
        entry.withheld = True
        first.members += entry.members
    units = first.line.units + sum(entry.line.units for entry in more)
    first.line = attrs.evolve(first.line, units=units, diagnoses=draft.diagnoses(first.members))
    says = f"{first.code} x {units}: this payer counts the day's injections as units of one line."
    fix = "Document drug, dose, site and reason of each injection."
    draft.say("second-injection", "note", says, fix, option.citation, about=first)
