"""Pushes and infusions into a vein: by minutes, with one first code for the day.

The first code is that of the highest kind given (antineoplastic before other drugs, infusion before push,
hydration last), of one kind the longest; everything else of the day is an add-on to it. An infusion shorter
than the payer's minimum is a push. Hours beyond the first count once more than half of them has passed.
"""

from __future__ import annotations

import attrs

from jcodeunits.dated import Step
from jcodeunits.encounter import Administration
from jcodeunits.facts.policy_rows import Procedure
from jcodeunits.finding import declare

from .draft import Decision, Draft, Entry, named

FINDINGS = declare(
    __name__,
    {
        "infusion-times": ("An infusion without start and stop", "warn"),
        "infusion-too-short": ("A short infusion is a push", "note"),
        "hydration-too-short": ("Hydration that is too short is not billed", "warn"),
        "hydration-beside-drug": ("Hydration beside a drug infusion is not billed", "warn"),
        "repeat-push": ("The same drug pushed again is billed by facilities only", "warn"),
        "repeat-push-interval": ("The same drug pushed again within half an hour is not billed", "warn"),
    },
)
# From the highest down; and what a drug becomes when its infusion was short.
_RANKS = ("antineoplastic-infusion", "antineoplastic-push", "infusion", "iv-push", "hydration")
_SHORT = {"infusion": "iv-push", "antineoplastic-infusion": "antineoplastic-push"}
_HOUR = 60
_PROLONGED = 8 * _HOUR


@attrs.frozen(eq=False)
class _Run:
    """One push or infusion: its decisions, the role after its minutes were looked at, minutes if known."""

    role: str
    decisions: tuple[Decision, ...]
    minutes: int | None
    start: int | None
    note: str = ""

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(decision.index for decision in self.decisions)

    def overlaps(self, other: _Run) -> bool:
        if self.start is None or other.start is None or self.minutes is None or other.minutes is None:
            return False
        return self.start < other.start + other.minutes and other.start < self.start + self.minutes


def apply(draft: Draft) -> None:
    """The first code, then the add-ons; codes that repeat are one line with their units."""
    runs = sorted(_runs(draft), key=_precedence)
    if not runs:
        return
    opened: set[str] = set()
    for run in runs:
        if run.role == "hydration":
            _hydrate(draft, run, runs, bool(opened))
        else:
            _bill(draft, run, runs, not opened)
        opened.add(run.role)


def _precedence(run: _Run) -> tuple[int, int, int, str, tuple[int, ...]]:
    """Kind, then the longest, then the earliest: never the order in which they were written down."""
    drugs = "|".join(sorted(str(code) for code in _drugs(run)))
    start = run.start if run.start is not None else 24 * _HOUR
    return _RANKS.index(run.role), -(run.minutes or 0), start, drugs, run.members


def _runs(draft: Draft) -> list[_Run]:
    joined: dict[tuple[object, ...], list[Decision]] = {}
    for decision in draft.decisions:
        if decision.row.outcome == "bill" and decision.role in _RANKS:
            joined.setdefault(_bag(draft, decision), []).append(decision)
    return [_run(draft, decisions) for decisions in joined.values()]


def _bag(draft: Draft, decision: Decision) -> tuple[object, ...]:
    """What runs together: the drugs of one bag or syringe, the parts of one order."""
    given = draft.administration(decision.index)
    if given.syringe:
        return ("bag", decision.role, given.syringe)
    if given.order:
        return ("order", decision.role, given.order, id(decision.given))
    return ("own", decision.index)


def _run(draft: Draft, decisions: list[Decision]) -> _Run:
    given = [draft.administration(decision.index) for decision in decisions]
    starts = [_clock(text) for one in given if (text := one.start or one.time) is not None]
    role, total, start = decisions[0].role, _lasted(given), min(starts, default=None)
    shortest = draft.option("infusion-minutes-least")
    if role in _SHORT and total is not None and total < int(shortest.value):
        draft.say(
            "infusion-too-short",
            "note",
            f"{named(decisions[0].given)} ran for {total} minutes: below {shortest.value} it is a push.",
            "Check the recorded start and stop.",
            shortest.citation,
            about=_drug_line(decisions[0]),
        )
        role = _SHORT[role]
    elif total is None and not role.endswith("push"):
        draft.say(
            "infusion-times",
            "warn",
            f"{named(decisions[0].given)}: start and stop are not both recorded, so only the first code is "
            "billed, without further hours; a payer may read it as a push.",
            "Give start and stop.",
            shortest.citation,
            about=_drug_line(decisions[0]),
        )
    return _Run(role, tuple(decisions), total, start)


def _clock(text: str) -> int:
    return int(text[:2]) * _HOUR + int(text[3:])


def _lasted(given: list[Administration]) -> int | None:
    """Minutes during which anything ran, what ran at the same time once; None where no times are known."""
    spans = sorted(
        (_clock(one.start), _clock(one.start) + one.minutes)
        for one in given
        if one.start is not None and one.minutes is not None
    )
    if not spans:
        return None
    total, until = 0, spans[0][0]
    for first, last in spans:
        total += max(0, last - max(first, until))
        until = max(until, last)
    return total


def _drug_line(decision: Decision) -> Entry | None:
    return decision.given.entries[0] if decision.given.entries else None


def _bill(draft: Draft, run: _Run, runs: list[_Run], first: bool) -> None:
    if run.role.endswith("push"):
        _push(draft, run, runs, first)
        return
    position = "initial"
    if run.role == "antineoplastic-infusion" and first and (run.minutes or 0) > _PROLONGED:
        position = "prolonged"
    elif not first:
        beside = [other for other in runs if other is not run and other.role in _SHORT and run.overlaps(other)]
        concurrent = run.role == "infusion" and beside and _none_beside_yet(draft)
        position = "concurrent" if concurrent else "sequential"
    _count(draft, run, run.role, position, 1)
    hours = _hours(draft, run.minutes) if position in ("initial", "sequential") else 0
    if hours:
        _count(draft, run, run.role, "additional-hour", hours)


def _none_beside_yet(draft: Draft) -> bool:
    """Whether this is the first drug to run beside another: the code for it is reported once a day."""
    code = draft.policy.code_for("infusion", draft.on, "concurrent").code
    return not any(entry.code == code for entry in draft.live("administration"))


def _hours(draft: Draft, minutes: int | None) -> int:
    """Hours beyond the first; each counts once its last full half is passed (31 minutes of it)."""
    first = int(draft.option("infusion-minutes-first").value)
    least = int(draft.option("infusion-minutes-further").value)
    return max(0, ((minutes or 0) - first + (_HOUR - least)) // _HOUR)


def _push(draft: Draft, run: _Run, runs: list[_Run], first: bool) -> None:
    if first:
        _count(draft, run, run.role, "initial", 1)
        return
    earlier = [other for other in runs[: runs.index(run)] if other.role == run.role]
    same = [other for other in earlier if _drugs(other) == _drugs(run)]
    if not same or run.role != "iv-push":
        _count(draft, run, run.role, "additional", 1)
        return
    row = draft.policy.code_for("iv-push", draft.on, "same-drug")
    again = draft.option("push-again-minutes")
    limit = draft.policy.limit(row.code, draft.on, draft.encounter.claim)
    apart = _apart(run, same)
    if limit is not None and limit.units == 0:
        draft.say(
            "repeat-push",
            "warn",
            f"{named(run.decisions[0].given)} was pushed again: {row.code} is for facilities only and is withheld.",
            "Nothing: the drug's line holds what was given.",
            limit.citation,
            about=_drug_line(run.decisions[0]),
        )
    elif apart is not None and apart < int(again.value):
        draft.say(
            "repeat-push-interval",
            "warn",
            f"{named(run.decisions[0].given)} was pushed again after {apart} minutes: {row.code} counts from "
            f"{again.value}.",
            "Check the recorded times.",
            again.citation,
            about=_drug_line(run.decisions[0]),
        )
    else:
        _count(draft, run, "iv-push", "same-drug", 1)


def _apart(run: _Run, others: list[_Run]) -> int | None:
    """Minutes to the nearest of the others, where the record has them."""
    if run.start is None:
        return None
    return min((abs(run.start - other.start) for other in others if other.start is not None), default=None)


def _drugs(run: _Run) -> frozenset[str | None]:
    return frozenset(decision.given.code for decision in run.decisions)


def _hydrate(draft: Draft, run: _Run, runs: list[_Run], opened: bool) -> None:
    least = draft.option("hydration-minutes-least")
    what = named(run.decisions[0].given)
    if any(other is not run and other.role in _SHORT and run.overlaps(other) for other in runs):
        draft.say(
            "hydration-beside-drug",
            "warn",
            f"{what} ran beside a drug infusion: hydration is not billed then.",
            "Nothing, or correct the times.",
            run.decisions[0].row.citation,
            about=_drug_line(run.decisions[0]),
        )
        return
    if run.minutes is not None and run.minutes < int(least.value):
        draft.say(
            "hydration-too-short",
            "warn",
            f"{what} ran for {run.minutes} minutes: hydration counts from {least.value}.",
            "Nothing, or correct the times.",
            least.citation,
            about=_drug_line(run.decisions[0]),
        )
        return
    hours = _hours(draft, run.minutes)
    if opened:
        _count(draft, run, "hydration", "additional-hour", hours + 1)
    else:
        _count(draft, run, "hydration", "initial", 1)
        if hours:
            _count(draft, run, "hydration", "additional-hour", hours)


def _count(draft: Draft, run: _Run, role: str, position: str, units: int) -> None:
    row = draft.policy.code_for(role, draft.on, position)
    entry = next((e for e in draft.live("administration") if e.code == row.code), None)
    if entry is not None:
        entry.members = tuple(dict.fromkeys((*entry.members, *run.members)))
        entry.line = draft.administration_line(entry.members, row, entry.line.units + units)
        entry.steps.append(_step(draft, run, row))
        return
    line = draft.administration_line(run.members, row, units)
    said = (draft.administration(index).separate for index in run.members)
    separate = next((value for value in said if value is not None), None)
    entry = Entry(line, role, position, run.members, separate, steps=[_step(draft, run, row)])
    draft.entries.append(entry)


def _step(draft: Draft, run: _Run, row: Procedure) -> Step:
    given = draft.administration(run.members[0])
    lasted = f", {run.minutes} minutes" if run.minutes is not None else ""
    return Step(f"{given.purpose}, {given.route}{lasted}", f"{row.code}, {row.label}", run.decisions[0].row.citation)
