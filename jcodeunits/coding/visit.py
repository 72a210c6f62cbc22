"""The visit of the day beside an injection: with 25, withheld, or a question.

25 stands on the visit only. Which of the two codes is denied without it is the edit's direction: in the
office the visit, in emergency, hospital and home visits the injection.
"""

from __future__ import annotations

from collections.abc import Sequence

from jcodeunits import tables
from jcodeunits.dated import Citation
from jcodeunits.facts.policy_rows import Edit, plays
from jcodeunits.finding import declare, softened
from jcodeunits.grouped import grouped

from .draft import Draft, Entry

FINDINGS = declare(
    __name__,
    {
        "visit-code": ("The visit's code is no visit, or none that is known", "stop, warn"),
        "visit-not-taken": ("A visit whose code the payer does not take", "warn"),
        "visit-place": ("A visit whose code belongs to other places", "warn"),
        "visit-not-separate": ("A visit that was not separate is part of the injection", "warn"),
        "visit-separate-unknown": ("Nobody said whether the visit was separate", "warn"),
        "nurse-visit": ("A nurse visit is never billed beside an injection", "warn"),
        "visit-included": ("A visit and an injection that are never paid together", "warn"),
        "vaccine-visit": ("A visit beside a vaccine takes 25", "note"),
        "preventive-visit": ("A preventive visit beside an injection", "warn, note"),
        "separate-encounter": ("A visit in another place has a claim of its own", "warn"),
    },
)
SEPARATE = "25"
_PREVENTIVE = ("visit-preventive", "visit-counseling", "visit-wellness")


def apply(draft: Draft) -> None:
    """Judge every visit against what else is billed that day."""
    for entry in draft.live("visit"):
        if not entry.role:
            _no_visit(draft, entry)
            continue
        _elsewhere(draft, entry)
        if not _withheld(draft, entry):
            _beside(draft, entry)


def _no_visit(draft: Draft, entry: Entry) -> None:
    row = draft.policy.procedure(entry.code, draft.on)
    if row is not None:
        draft.withhold([entry])
        says = f"{entry.code} is no visit: it is {row.label}. It is withheld."
        fix = "Give the visit's code, or list another service of the day under services."
        draft.say("visit-code", "stop", says, fix, row.citation)
        return
    past = [found for found in draft.policy.ever(entry.code) if found.kind == "visit"]
    if past and past[-1].ends is not None and past[-1].ends < draft.on:
        draft.withhold([entry])
        row = past[-1]
        says = f"{entry.code}, {row.label}, ended on {row.ends}; the date of service is {draft.on}. It is withheld."
        draft.say("visit-code", softened("stop", (row.citation,)), says, "Give the code of that day.", row.citation)
        return
    says = f"{entry.code} is no visit that the tables know: it stands as you gave it, and nothing sets 25 on it."
    fix = "Check the code. Another service of the day belongs under services."
    draft.say("visit-code", "warn", says, fix, tables.cited("ncci-manual-2026", "I.D"), about=entry)


def _elsewhere(draft: Draft, entry: Entry) -> None:
    """A question where the practitioner's visit is of a kind that is not made in the claim's place."""
    visit, encounter = draft.encounter.visit, draft.encounter
    place = encounter.place if visit is None or entry.listed else visit.place or encounter.place
    families = {
        "visit-ed": "visit-ed-places",
        "visit-home": "visit-home-places",
        "visit-hospital": "visit-hospital-places",
        "visit-nursing-facility": "visit-nursing-places",
    }
    name = next((name for family, name in families.items() if plays(entry.role, (family,))), "")
    if not name or encounter.claim != "professional":
        return
    option, row = draft.option(name), draft.policy.procedure(entry.code, draft.on)
    if not option.values or place in option.values or row is None:
        return
    found = draft.policy.place(place, draft.on)
    where = f"{place}, {found.name}" if found is not None else place
    says = f"{entry.code} is {row.label}: it is not made in place {where}."
    fix = "Correct the visit's code or the place; give visit.place where the visit was elsewhere."
    draft.say("visit-place", "warn", says, fix, option.citation, row.citation, about=entry, argument="visit.place")


def _withheld(draft: Draft, entry: Entry) -> bool:
    visit = draft.encounter.visit
    if SEPARATE in entry.modifiers and entry.separate is None:
        entry.separate = True
    if entry.separate is False:
        draft.withhold([entry])
        says = (
            f"{entry.code} was not significant and separately identifiable: it is part of the other service "
            "and is withheld."
        )
        fix = "Bill the visit only where the note shows work beyond the injection; then it takes 25."
        draft.say("visit-not-separate", "warn", says, fix, tables.cited("ncci-manual-2026", "I.D and XI.B.8"))
        return True
    taken = draft.option("visits-not-taken")
    if plays(entry.role, taken.values):
        draft.withhold([entry])
        row = draft.policy.procedure(entry.code, draft.on)
        says = (
            f"{entry.code}, {row.label if row is not None else 'a visit'}, is not taken by this payer; it is withheld."
        )
        fix = "Bill the office or hospital visit that the record supports."
        draft.say("visit-not-taken", "warn", says, fix, taken.citation)
        return True
    covered = draft.option("preventive-visit")
    if entry.role == "visit-preventive" and covered.value == "not-covered":
        draft.withhold([entry])
        says = f"{entry.code} is not covered by this payer and is withheld."
        fix = "Use the payer's own wellness visit codes where they fit, or bill the patient."
        draft.say("preventive-visit", "warn", says, fix, covered.citation)
        return True
    if visit is not None and not entry.listed and visit.place not in (None, draft.encounter.place):
        says = f"{entry.code} took place in {visit.place}, the injection in {draft.encounter.place}."
        fix = f"Bill the visit on a claim of its own with place {visit.place}."
        draft.say("separate-encounter", "warn", says, fix, tables.cited("ncci-manual-2026", "XI.B.8"), about=entry)
    return False


def _beside(draft: Draft, entry: Entry) -> None:
    others = grouped(draft.live("administration", "service"), lambda other: other.code)
    edits = [
        edit
        for code in others
        if (edit := draft.policy.edit(entry.code, code, draft.on, draft.encounter.claim)) is not None
    ]
    for edit in edits:
        if edit.indicator == 0:
            if draft.option("edits").value != "enforced":
                _advised(draft, entry, edit)
            elif edit.column_2 == entry.code:
                _never(draft, entry, edit)
                return
            else:
                _injection_never(draft, entry, others[edit.column_2], edit)
    bypassed = [edit for edit in edits if edit.indicator == 1]
    if bypassed:
        _by_edit(draft, entry, bypassed)
    else:
        live = [other for rows in others.values() for other in rows if not other.withheld]
        # Their own work includes a look at the patient.
        looks = [other for other in live if other.administers or other.part == "procedure"]
        if looks:
            _by_custom(draft, entry, looks[0])


def _advised(draft: Draft, entry: Entry, edit: Edit) -> None:
    """A payer whose own edits are not known: said, not acted on."""
    says = (
        f"By the edits of CMS {edit.column_2} is never paid beside {edit.column_1} (indicator 0); this "
        "payer's own edits are not known."
    )
    fix = "Ask the payer, or add its row for edits."
    draft.say("visit-included", "warn", says, fix, edit.citation, draft.option("edits").citation, about=entry)


def _never(draft: Draft, entry: Entry, edit: Edit) -> None:
    draft.withhold([entry])
    nurse = entry.role == "visit-nurse"
    says = f"{entry.code} is never paid beside {edit.column_1} (indicator 0): no modifier helps, and it is withheld."
    fix = (
        "If a practitioner's separate work is documented, bill that visit's own level with 25."
        if nurse
        else "Bill the injection alone."
    )
    draft.say("nurse-visit" if nurse else "visit-included", "warn", says, fix, edit.citation)


def _injection_never(draft: Draft, entry: Entry, injections: Sequence[Entry], edit: Edit) -> None:
    draft.withhold(injections)
    says = f"{edit.column_2} is never paid to the practitioner who bills {entry.code} (indicator 0); it is withheld."
    draft.say("visit-included", "warn", says, "No modifier helps.", edit.citation, about=entry)


def _by_edit(draft: Draft, entry: Entry, edits: list[Edit]) -> None:
    """Pairs that want 25 on the visit: a row of the edit table denies one code, the policy manual only expects it."""
    tabled = [edit for edit in edits if edit.basis == "table"]
    edits = tabled or edits
    others = sorted({edit.column_1 if edit.column_2 == entry.code else edit.column_2 for edit in edits})
    pairs, citations = ", ".join(others), [edit.citation for edit in edits]
    if entry.separate is None and not tabled and _vaccines(draft, others):
        says = (
            f"{entry.code} and {pairs} are both billed: no edit pairs them. The policy manual expects 25 on a visit "
            "that was separate."
        )
        fix = "Give separate: true where the payer wants 25."
        draft.say("vaccine-visit", "note", says, fix, *citations, about=entry)
        return
    if entry.separate is None:
        denied = " and ".join(sorted({edit.column_2 for edit in edits}))
        manual = f"the policy manual expects 25 on a separate visit beside {pairs}"
        _ask(draft, entry, f"without 25 the edit with {pairs} denies {denied}" if tabled else manual, citations)
        return
    entry.mark(SEPARATE, f"separate from {pairs}", edits[0].citation)
    if entry.role in _PREVENTIVE:
        why = "that pair is an edit (indicator 1)" if tabled else "the policy manual expects it, and no edit pairs them"
        draft.say(
            "vaccine-visit",
            "note",
            f"{entry.code} takes 25 because of {pairs}: {why}, though none stands with an injection of another drug.",
            "Keep the visit's own note.",
            *citations,
            tables.guide("preventive visits; its scenario 5 has no 25"),
            about=entry,
        )


def _vaccines(draft: Draft, codes: list[str]) -> bool:
    rows = [draft.policy.procedure(code, draft.on) for code in codes]
    return all(row is not None and row.role.startswith("vaccine") for row in rows)


def _by_custom(draft: Draft, entry: Entry, other: Entry) -> None:
    """No edit stands between the two: the manual's general rule, and for preventive visits the payer's."""
    general = tables.cited("ncci-manual-2026", "I.D and I.E.1.b")
    if entry.role not in _PREVENTIVE:
        if entry.separate is None:
            _ask(draft, entry, f"beside {other.code} it is billed with 25 only if it was", [general])
        else:
            entry.mark(SEPARATE, f"separate from {other.code}", general)
        return
    vaccine = other.role.startswith("vaccine")
    option = draft.option("preventive-25")
    if entry.separate is None and not vaccine:
        return
    if option.value == "append" or vaccine:
        entry.mark(SEPARATE, f"separate from {other.code}", general if vaccine else option.citation)
    says = f"No edit pairs {entry.code} with {other.code}: 25 is not required by the edit tables" + (
        ", but the manual's text expects it on a separate visit." if SEPARATE in entry.modifiers else "; none is set."
    )
    fix = "Check the payer's own rule."
    draft.say(
        "vaccine-visit" if vaccine else "preventive-visit", "note", says, fix, option.citation, general, about=entry
    )


def _ask(draft: Draft, entry: Entry, why: str, citations: list[Citation]) -> None:
    says = f"Was {entry.code} significant and separately identifiable? Nobody said, so it has no 25: {why}."
    fix = "Say whether it was separate: if it was, 25 is set; if not, the visit is withheld."
    draft.say("visit-separate-unknown", "warn", says, fix, *citations, about=entry, argument="visit.separate")
