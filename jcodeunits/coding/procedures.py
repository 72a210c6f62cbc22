"""Drugs that a procedure gives: the injection is inside the procedure's code, which the caller lists.

A joint that the site names has one code; where nobody lists it, it is billed and the caller is told. For
every other procedure the caller is asked.
"""

from __future__ import annotations

import re

import attrs

from jcodeunits.claim import SIDES, Line
from jcodeunits.dated import Step
from jcodeunits.facts.policy_rows import SIDED, Procedure, plays
from jcodeunits.finding import declare
from jcodeunits.grouped import grouped, only

from .draft import Decision, Draft, Entry, named, sentence

FINDINGS = declare(
    __name__,
    {
        "procedure-included": ("Giving the drug is part of a procedure that is billed", "note"),
        "procedure-missing": ("The procedure that gave the drug is not listed", "warn"),
        "joint-by-site": ("A joint injection is billed by the joint that the site names", "warn"),
        "both-sides": ("A procedure on both sides that is listed once and without 50", "warn"),
        "other-side": ("A procedure that is listed for another side than the record names", "warn"),
    },
)
_NO_MARK = ("none", "units")  # how a payer says that further lines of a code take no modifier
_INJECTED = ("joint", "soft-tissue", "intralesional", "nerve-block", "epidural")  # a needle into a part of the body


def apply(draft: Draft) -> None:
    """Tie each drug that a procedure gives to the procedure's line."""
    left = []
    for decision in draft.decisions:
        if decision.row.outcome != "procedure":
            continue
        lines = _listed(draft, _roles(decision.role))
        if lines:
            _include(draft, decision, lines)
        else:
            left.append(decision)
    free = [entry for entry in _listed(draft, _INJECTED) if not entry.members]
    # Both sides of a part of the body come together, in whatever order they were written down.
    for decision in sorted(left, key=lambda one: sorted(draft.administration(one.index).part)):
        _without(draft, decision, free)
    _tell_apart(draft)
    for entry in draft.live("service", "administration"):
        _sides(draft, entry)


def _listed(draft: Draft, roles: tuple[str, ...]) -> list[Entry]:
    held = draft.live("service", "administration")
    return [entry for entry in held if entry.listed and plays(entry.role, roles)]


def _without(draft: Draft, decision: Decision, free: list[Entry]) -> None:
    """A drug whose own procedure nobody lists: the joint of its site, else a listed injection that has no drug yet."""
    roles = _roles(decision.role)
    plain = [row for row in _by_site(draft, decision, roles) if not row.position.endswith("guided")]
    if len(plain) == 1:
        _at(draft, decision, plain[0])
    elif free and any(plays(role, _INJECTED) for role in roles):
        _include(draft, decision, free)
    else:
        _missing(draft, decision, roles)


def _sides(draft: Draft, entry: Entry) -> None:
    """The side that the record names on the procedure's line; of both sides the caller is told."""
    held = [one for one in draft.decisions if one.index in entry.members and one.row.outcome == "procedure"]
    named_by = {side: one for one in held for side in draft.administration(one.index).sides}
    marked = SIDES & set(entry.modifiers)
    if len(marked) == 1 and "50" not in marked and named_by.keys() - marked:
        _say_other(draft, entry, *marked, *(named_by.keys() - marked))
        return
    if not named_by or marked or not entry.role.startswith(SIDED):
        return
    side, decision = next(iter(named_by.items()))
    if len(named_by) == 1:
        entry.mark(side, "the side that the record names", decision.row.citation)
        return
    draft.say(
        "both-sides",
        "warn",
        f"The record names both sides, and {entry.code} says neither.",
        f"List {entry.code} once with 50 as Medicare wants it, or twice with RT and LT where the payer does.",
        *(row.citation for code in ("50", "RT") if (row := draft.policy.modifier(code, draft.on)) is not None),
        about=entry,
    )


def _say_other(draft: Draft, entry: Entry, marked: str, side: str) -> None:
    rows = (draft.policy.modifier(code, draft.on) for code in (marked, side))
    says = f"{entry.code} is listed with {marked}, and the record names a site of the other side: {side}."
    fix = "Correct the modifier or the site; list what was done on each side."
    draft.say("other-side", "warn", says, fix, *(row.citation for row in rows if row is not None), about=entry)


def _roles(text: str) -> tuple[str, ...]:
    """A role as the table names it stands for the whole family: joint for joint-small, joint-medium, ..."""
    return tuple(re.split(r"[|\s]+", text))


def _codes(draft: Draft, roles: tuple[str, ...]) -> list[Procedure]:
    return [row for row in draft.policy.procedures(draft.on) if plays(row.role, roles)]


def _include(draft: Draft, decision: Decision, lines: list[Entry]) -> None:
    entry = _best(draft, decision, lines)
    entry.members = tuple(dict.fromkeys((*entry.members, decision.index)))
    says = f"{named(decision.given)}: giving it is part of {entry.code}; no administration code stands beside it."
    fix = "Nothing, unless another drug was given elsewhere."
    draft.say(decision.row.reason, "note", says, fix, decision.row.citation, about=entry)
    _other_joint(draft, decision, entry)


def _other_joint(draft: Draft, decision: Decision, entry: Entry) -> None:
    """A warning where the listed procedure is that of another joint than the one the site names."""
    named_by_site = _by_site(draft, decision, _roles(decision.role))
    if not entry.role.startswith("joint") or not named_by_site or entry.role in {row.role for row in named_by_site}:
        return
    codes = list(dict.fromkeys(row.code for row in named_by_site))
    says = f"{entry.code} is listed, but {draft.administration(decision.index).site!r} is a joint of {_few(codes)}."
    draft.say("joint-by-site", "warn", says, "Correct the service or the site.", named_by_site[0].citation, about=entry)


def _best(draft: Draft, decision: Decision, lines: list[Entry]) -> Entry:
    fitting = {row.code for row in _by_site(draft, decision, tuple(entry.role for entry in lines))}
    side = side_of(draft, decision)
    lines = sorted(lines, key=lambda entry: (entry.code, entry.modifiers, entry.line.units))  # not as they were listed
    return max(lines, key=lambda entry: (side in entry.modifiers, entry.code in fitting))


def _missing(draft: Draft, decision: Decision, roles: tuple[str, ...]) -> None:
    known = [row.codes for row in _codes(draft, roles)]
    given, fix = draft.administration(decision.index), decision.row.fix.rstrip(".")
    draft.say(
        "procedure-missing",
        "warn",
        f"{named(decision.given)}, {given.route}: {decision.row.says.rstrip('.')}. No such service is "
        "listed, and no administration line is billed.",
        sentence(f"{fix}: {_few(known)}" if known else fix),
        decision.row.citation,
        about=decision.given.line,
    )


def _at(draft: Draft, decision: Decision, row: Procedure) -> None:
    """The line of the joint that the site names: one for each site, and one for both sides of a pair."""
    given, alike = draft.administration(decision.index), [e for e in draft.live("service") if e.code == row.code]
    for entry in alike:
        first = draft.administration(entry.members[0])
        if given.site == first.site or (given.part == first.part and given.sides and first.sides):
            _join(draft, decision, entry)
            return
    _emit(draft, decision, row)


def _tell_apart(draft: Draft) -> None:
    """The payer's modifier on a further joint of one code, where the side does not tell it from an earlier one."""
    option = draft.option("second-injection")
    by_site = [entry for entry in draft.live("service") if not entry.listed and entry.members]
    for entries in grouped(by_site, lambda entry: entry.code).values() if option.value not in _NO_MARK else ():
        for n, entry in enumerate(entries):
            if any(_on(entry) == _on(other) or _on(entry) & _on(other) for other in entries[:n]):
                entry.mark(option.value, "another joint of the same kind", option.citation)


def _on(entry: Entry) -> set[str]:
    return {"RT", "LT"} if "50" in entry.modifiers else {"RT", "LT"} & set(entry.modifiers)


def _join(draft: Draft, decision: Decision, entry: Entry) -> None:
    """Another drug or the other side at the part of the body that a line stands for."""
    entry.members += (decision.index,)
    entry.line = attrs.evolve(entry.line, diagnoses=draft.diagnoses(entry.members))
    sides = {side for index in entry.members for side in draft.administration(index).sides}
    if len(sides) > 1 and "50" not in entry.modifiers:
        entry.modifiers = [code for code in entry.modifiers if code not in sides]
        entry.mark("50", "the record names both sides", decision.row.citation)


def _emit(draft: Draft, decision: Decision, row: Procedure) -> None:
    given = draft.administration(decision.index)
    entry = Entry(
        Line(
            row.code,
            diagnoses=draft.diagnoses((decision.index,)),
            kind="service",
            label=row.label,
            administration=decision.index,
        ),
        row.role,
        row.position,
        (decision.index,),
        part=row.kind,
        steps=[Step(f"site {given.site!r}", f"{row.code}, {row.label}", row.citation)],
    )
    sides = given.sides
    if sides:
        entry.mark("50" if len(sides) > 1 else min(sides), "the side that the record names", decision.row.citation)
    draft.entries.append(entry)
    guided = [
        other.code
        for other in draft.policy.procedures(draft.on, role=row.role)
        if other.position == f"{row.position}-guided"
    ]
    says = (
        f"{named(decision.given)}: {row.code} is billed for the injection into {given.site!r}; no service was listed."
    )
    fix = (
        f"List the service yourself; with ultrasound guidance it is {_few(guided)}."
        if guided
        else "List the service yourself."
    )
    draft.say("joint-by-site", "warn", says, fix, decision.row.citation, row.citation, about=entry)


def _by_site(draft: Draft, decision: Decision, roles: tuple[str, ...]) -> list[Procedure]:
    words = draft.administration(decision.index).site_words
    named_by = {*words, *(word.removesuffix("s") for word in words)}
    return [row for row in _codes(draft, roles) if named_by & set(row.sites)]


def side_of(draft: Draft, decision: Decision) -> str:
    """The modifier of the one side that the site of an administration names; empty where it names none, or both."""
    return only(draft.administration(decision.index).sides, "")


def _few(codes: list[str]) -> str:
    shown = ", ".join(codes[:6])
    return f"{shown} and others" if len(codes) > 6 else shown
