"""The other modifiers of a line, and all of them in claim order, four at most."""

from __future__ import annotations

from jcodeunits import tables
from jcodeunits.claim import SIDES
from jcodeunits.dated import Step
from jcodeunits.facts.code_uses import needed_modifiers
from jcodeunits.facts.policy_rows import Modifier, NeededModifier
from jcodeunits.finding import declare
from jcodeunits.grouped import grouped, only

from .draft import Draft, Entry, GivenDrug
from .procedures import side_of

FINDINGS = declare(
    __name__,
    {
        "resident": ("A resident took part: the modifier stands on the practitioner's own service", "note"),
        "supply-340b": ("A drug bought under the 340B program", "warn, note"),
        "route-modifier": ("A code that is given by two routes says which", "note"),
        "needed-modifier": ("A modifier without which the payer returns the code", "warn, note"),
        "modifier-unknown": ("A modifier that the tables do not know", "warn"),
        "waste-of-the-day": ("Of a drug with discarded units no other line of the day carries JZ", "note"),
        "modifier-by-record": ("JW and JZ follow from the record, not from what the caller marks", "warn"),
        "department-modifier": ("PO or PN stands on every line of an off-campus department", "note"),
        "modifier-limit": ("More modifiers than a line can hold", "warn"),
    },
)

_WASTE = ("JW", "JZ")
_TEACHING = {"GC", "GE"}  # a resident with the teaching physician, or under the exception: never both
_DEPARTMENT = ("PO", "PN")


def apply(draft: Draft) -> None:
    """Department, resident, 340B, route and what the code needs; then sort and cut."""
    _department(draft)
    if draft.encounter.resident:
        _resident(draft)
    for item in draft.given:
        entries = [entry for entry in item.entries if not entry.withheld]
        if entries:
            _said(draft, item, entries)
            _purchased(draft, item, entries)
            _route(draft, item, entries)
            _needed(draft, item, entries)
    if len(draft.given) > 1:
        _sides(draft)
    _beside_waste(draft)
    most = draft.option("modifiers-most")
    for entry in draft.live():
        if entry.modifiers:
            _sort(draft, entry, int(most.value))


def _department(draft: Draft) -> None:
    """PO or PN, where the caller put it on a line of the hospital's claim, on all of them."""
    live = draft.live()
    said = {code for entry in live for code in entry.modifiers if code in _DEPARTMENT}
    bare = [entry for entry in live if not said & set(entry.modifiers)]
    row = draft.policy.modifier(min(said), draft.on) if len(said) == 1 else None
    if draft.encounter.claim != "outpatient" or row is None or not bare:
        return
    for entry in bare:
        entry.mark(row.code, "the caller says it of another line of the department", row.citation)
    says = f"{row.code} stands on every line, as you gave it on one: {row.label}."
    draft.say("department-modifier", "note", says, "Put what was given elsewhere on a claim of its own.", row.citation)


def _said(draft: Draft, item: GivenDrug, entries: list[Entry]) -> None:
    """What the caller put on the drug line: known to the table, and never JW or JZ, which the record decides."""
    said = list(dict.fromkeys(code for index in item.members for code in draft.administration(index).modifiers))
    rows = draft.policy.rows(Modifier)
    unknown = [code for code in said if not any(row.code == code for row in rows)]
    if unknown:
        says = (
            f"{', '.join(unknown)} on {entries[0].code} is no modifier that the tables know; it stays as you gave it."
        )
        fix = "Check it with the payer, or add its row to the site's modifiers."
        draft.say("modifier-unknown", "warn", says, fix, rows[0].citation, about=entries[0])
    waste = [code for code in said if code in _WASTE]
    for entry in entries:
        entry.modifiers = [code for code in entry.modifiers if code not in waste or code in entry.line.modifiers]
    left_off = [code for code in waste if not any(code in entry.modifiers for entry in entries)]
    if left_off:
        draft.say(
            "modifier-by-record",
            "warn",
            f"{' and '.join(left_off)} on {entries[0].code} is left off: what was opened and discarded decides it.",
            "Give container, containers and discarded.",
            next(row.citation for row in rows if row.code == left_off[0]),
            about=entries[0],
        )


def _beside_waste(draft: Draft) -> None:
    """JZ off the other doses of a drug of which units were discarded that day: JW or JZ stands, never both."""
    wasted = {entry.code for entry in draft.live("waste")}
    for entry in draft.live("drug"):
        if entry.code not in wasted or "JZ" not in entry.modifiers:
            continue
        entry.modifiers.remove("JZ")
        row = next(row for row in draft.policy.rows(Modifier) if row.code == "JZ")
        entry.steps.append(Step("JZ left off", "of another dose of the day drug was discarded", row.citation))
        says = (
            f"{entry.code} x {entry.line.units} carries no JZ: of another dose of the day drug was discarded, and JW "
            "and JZ do not stand together for one drug and day."
        )
        fix = "Nothing, if the discarded amount is right."
        draft.say("waste-of-the-day", "note", says, fix, row.citation, about=entry)


def _sides(draft: Draft) -> None:
    """RT and LT on the lines of a drug that procedures of both sides took, for a payer that wants them there."""
    option = draft.option("drug-sides")
    if option.value != "mark":
        return
    taken = {one.index: side_of(draft, one) for one in draft.decisions if one.row.outcome == "procedure"}
    for items in grouped((item for item in draft.given if item.drug is not None), lambda item: item.code).values():
        told = [(item, {taken.get(index, "") for index in item.members}) for item in items]
        if not {"RT", "LT"} <= set().union(*(sides for _, sides in told)):
            continue
        for item, sides in told:
            side = only(sides, "")
            for entry in item.entries if side else ():
                if not SIDES & set(entry.modifiers):
                    entry.mark(side, "the drug was given on both sides", option.citation)


def _resident(draft: Draft) -> None:
    option = draft.option("resident-modifier")
    own = [
        entry
        for entry in draft.live("visit", "administration")
        if (entry.kind == "visit" and entry.role != "visit-nurse")
        or (entry.members and all(draft.administration(i).performed_by == "practitioner" for i in entry.members))
    ]
    if option.value == "none":
        says = "A resident took part; this payer's row sets no modifier for it."
        fix = "Check whether the payer wants the teaching physician marked."
        draft.say("resident", "note", says, fix, option.citation)
        return
    if own and all(_TEACHING & set(entry.modifiers) for entry in own):
        return  # the caller said which of the two holds
    own = [entry for entry in own if not _TEACHING & set(entry.modifiers)]
    for entry in own:
        entry.mark(option.value, "a resident took part", option.citation)
    codes = ", ".join(dict.fromkeys(entry.code for entry in own))
    says = (
        f"A resident took part: {option.value} stands on {codes}, not on what a nurse gave or on drugs."
        if own
        else f"A resident took part, but only staff injected: {option.value} has no line to stand on."
    )
    fix = "The teaching physician's presence must be in the note; under the primary care exception it is GE."
    draft.say("resident", "note", says, fix, option.citation, about=own[0] if own else None)


def _purchased(draft: Draft, item: GivenDrug, entries: list[Entry]) -> None:
    if not any(draft.administration(index).supplied_by == "340b" for index in item.members):
        return
    option = draft.option("340b")
    if any(name.startswith("vaccine") for name in item.classes):
        says = f"{entries[0].code} is a vaccine, which is no covered outpatient drug: 340B does not apply, no modifier."
        cited = tables.cited("ssa-1927", "section 1927(k)(2)(B)", "medium")
        draft.say("supply-340b", "note", says, "Check how it was bought.", cited, about=entries[0])
        return
    if option.value in ("", "none"):
        if option.citation.confidence == "low" and not any(draft.administration(n).modifiers for n in item.members):
            says = f"{entries[0].code} was bought under 340B, and whether this payer wants that marked is not known."
            fix = (
                "Ask the payer: state programs commonly do, against a second rebate. Give its modifier under modifiers."
            )
            draft.say("supply-340b", "warn", says, fix, option.citation, about=entries[0])
        return
    said = [value for value in option.values if value in entries[0].modifiers]
    modifier = said[0] if said else option.values[0]
    for entry in entries:
        entry.mark(modifier, "bought under 340B", option.citation)
    others = " or ".join(value for value in option.values if value != modifier)
    says = f"{entries[0].code} was bought under 340B: {modifier} on its lines."
    fix = (
        f"Check the covered entity's own list. Where it reports {others} instead, give that under modifiers."
        if others and not said
        else "Check the covered entity's own list."
    )
    draft.say("supply-340b", "note", says, fix, option.citation, about=entries[0])


def _route(draft: Draft, item: GivenDrug, entries: list[Entry]) -> None:
    if "route-both" not in item.classes:
        return
    option = draft.option("route-modifiers")
    route = draft.administration(item.members[0]).route
    modifier = "JA" if route.startswith("IV") else "JB" if route in ("SC", "on-body") else ""
    if option.value != "yes" or not modifier:
        return
    for entry in entries:
        entry.mark(modifier, f"given by {route}; the code has two routes", option.citation)
    says = f"{entries[0].code} is given into a vein and under the skin: {modifier} says which."
    draft.say("route-modifier", "note", says, "Nothing, if the route is right.", option.citation, about=entries[0])


def _needed(draft: Draft, item: GivenDrug, entries: list[Entry]) -> None:
    """One of the modifiers without which the payer returns the code: by diagnosis and dose, or a question."""
    encounter, first = draft.encounter, entries[0]
    rows = needed_modifiers(draft.policy, first.code, draft.on, encounter.payer, encounter.claim)
    if not rows:
        return
    names, cited = [row.modifier for row in rows], tuple(dict.fromkeys(row.citation for row in rows))
    given = [name for name in names if name in first.modifiers]
    fix = "Nothing, if that is the use; else give the other modifier."
    if not given:
        called = _called(rows, draft.diagnoses(item.members), first.line.units)
        if len(called) == 1:
            given = [called[0].modifier]
            for entry in entries:
                entry.mark(given[0], called[0].says, called[0].citation)
    says = "; ".join(f"{row.modifier}: {row.says}" for row in rows if not given or row.modifier in given)
    if len(given) != 1:
        wrong = "carries several" if given else "lacks one"
        fix = f"Give one of {', '.join(names)} under modifiers of the administration: the diagnoses do not tell which."
        if given:
            fix = f"Keep the one of {', '.join(given)} that holds, and take the others off."
        says = f"This payer returns {first.code} without exactly one of its modifiers, and the line {wrong}: {says}."
    else:
        says = f"{first.code} carries {says}."
    draft.say("needed-modifier", "note" if len(given) == 1 else "warn", says, fix, *cited, about=first)


def _called(rows: tuple[NeededModifier, ...], diagnoses: tuple[str, ...], count: int) -> list[NeededModifier]:
    """The rows that diagnoses and units call for; else the row for everything else, where anything is known."""
    fitting = [row for row in rows if (row.least or 0) <= count and (row.most is None or count <= row.most)]
    by_diagnosis = [row for row in fitting if any(code.startswith(row.diagnoses) for code in diagnoses)]
    otherwise = [row for row in fitting if row.when == "otherwise" and diagnoses]
    return by_diagnosis or otherwise


def _sort(draft: Draft, entry: Entry, most: int) -> None:
    ordered = draft.policy.ordered(entry.modifiers, draft.on)
    entry.modifiers = list(ordered[:most])
    if len(ordered) > most:
        says = f"{entry.code} has {len(ordered)} modifiers; a line holds {most}. Left out: {', '.join(ordered[most:])}."
        fix = "Decide which four the payer needs most."
        draft.say("modifier-limit", "warn", says, fix, draft.option("modifiers-most").citation, about=entry)
