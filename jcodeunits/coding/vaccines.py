"""Vaccines, RSV antibodies and allergen extracts: counted over the day, not needle by needle."""

from __future__ import annotations

from jcodeunits.amount import several
from jcodeunits.facts.policy_rows import Procedure
from jcodeunits.finding import declare

from .draft import Decision, Draft, Entry

FINDINGS = declare(
    __name__,
    {
        "vaccine-listed": ("A vaccine administration that the caller lists is not billed twice", "note"),
        "allergen-count": ("A listed code for another number of allergen injections than the record has", "warn"),
        "vaccine-at-home": ("A vaccine given at the patient's home has a further code", "note"),
        "vaccine-not-at-home": ("The code for a vaccine at home, in a place that is none", "warn"),
    },
)
_FIRSTS = ("vaccine", "vaccine-oral-nasal", "vaccine-counseling")
# What a general vaccine code on the caller's list may stand for: the payer's own codes too.
_PART_B = ("vaccine-influenza-medicare", "vaccine-pneumococcal-medicare", "vaccine-hepatitis-b-medicare")
_GENERAL = (*_FIRSTS, *_PART_B)


def apply(draft: Draft) -> None:
    """One entry for each code, with its units; the first vaccine of the day has a code of its own."""
    wanted = [d for d in draft.decisions if d.row.outcome == "bill" and d.role.startswith(("vaccine", "rsv"))]
    listed = [entry for entry in draft.live("service") if entry.role.startswith(("vaccine", "rsv"))]
    _at_home(draft, {*(d.role for d in wanted), *(entry.role for entry in listed)})
    wanted = _without_listed(draft, wanted, listed)
    # Injected vaccines come first: where one opens the day, a vaccine by mouth or nose is a further one.
    wanted.sort(key=lambda decision: (decision.role not in _FIRSTS, decision.role != "vaccine", decision.index))
    opened = any(entry.role in _FIRSTS for entry in listed)
    for decision in wanted:
        if decision.role in _FIRSTS:
            position = "additional" if opened else "first"
            opened = True
        else:
            position = ""
        _count(draft, decision, draft.policy.code_for(decision.role, draft.on, position))
    _allergens(draft)


def _at_home(draft: Draft, roles: set[str]) -> None:
    """The code that Medicare pays beside a vaccine of Part B at home, which only the caller can claim."""
    option = draft.option("home-vaccine-places")
    rows = draft.policy.procedures(draft.on, role="vaccine-home")
    if rows and "vaccine-home" in roles and option.values and draft.encounter.place not in option.values:
        says = f"{rows[0].code} is listed, and place {draft.encounter.place} is no patient's home."
        fix = "Take it off, or correct the place."
        draft.say("vaccine-not-at-home", "warn", says, fix, rows[0].citation, option.citation)
        return
    if draft.encounter.place not in option.values or not rows or "vaccine-home" in roles:
        return
    if roles.isdisjoint((*_PART_B, "vaccine-covid")):
        return
    says = (
        f"Given at the patient's home: {rows[0].code} may stand beside the administration, once a home and day, where "
        "the vaccine was the only reason to come."
    )
    fix = f"List {rows[0].code} under services where that holds."
    draft.say("vaccine-at-home", "note", says, fix, rows[0].citation, option.citation)


def _without_listed(draft: Draft, wanted: list[Decision], listed: list[Entry]) -> list[Decision]:
    """What the caller's own vaccine lines do not hold yet: each holds as many vaccines as it has units."""
    rest = list(wanted)
    for entry in listed:
        fitting = [d for d in rest if _stands_for(entry, d)]
        fitting.sort(key=lambda d: (d.role != entry.role, d.role, d.given.code or d.given.written, d.index))
        for decision in fitting[: max(entry.line.units - len(entry.members), 0)]:
            rest.remove(decision)
            entry.members += (decision.index,)
            says = f"{entry.code} is listed among the services: no second line for the same vaccine."
            fix = "Leave the code out of services to have it derived."
            draft.say("vaccine-listed", "note", says, fix, decision.row.citation, about=entry)
    return rest


def _stands_for(entry: Entry, decision: Decision) -> bool:
    """Whether a listed code is, or stands for, that of the vaccine: a payer's own code is of its kind alone."""
    if entry.role in _FIRSTS and decision.role in _GENERAL:
        return True
    own = entry.role in _PART_B and decision.role in _FIRSTS
    return decision.role == entry.role or (own and entry.role.removesuffix("-medicare") in decision.given.classes)


def _count(draft: Draft, decision: Decision, row: Procedure) -> None:
    entry = next((e for e in draft.live("administration") if e.code == row.code and e.role == row.role), None)
    if entry is None:
        draft.administer([decision], row)
        return
    entry.members += (decision.index,)
    entry.line = draft.administration_line(entry.members, row, entry.line.units + 1)


def _allergens(draft: Draft) -> None:
    """One code for the day's injections of extracts: how many there were decides which."""
    decisions = [d for d in draft.decisions if d.row.outcome == "bill" and d.role == "allergen"]
    if not decisions:
        return
    row = draft.policy.code_for("allergen", draft.on, "single" if len(decisions) == 1 else "multiple")
    listed = next((entry for entry in draft.live("service") if entry.role == "allergen"), None)
    if listed is None:
        draft.administer(decisions, row)
        return
    listed.members += tuple(decision.index for decision in decisions)
    if listed.code != row.code:
        says = (
            f"{listed.code} is listed, and {several(len(decisions), 'injection')} of extract "
            f"{'are' if len(decisions) > 1 else 'is'} recorded: that is {row.code}."
        )
        fix = "Correct the service, or list every injection."
        draft.say("allergen-count", "warn", says, fix, row.citation, about=listed)
