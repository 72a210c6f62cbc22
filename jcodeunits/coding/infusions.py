"""Pushes and infusions into a vein: by minutes, with one first code for the day.

The first code is that of the highest kind given (antineoplastic before other drugs, infusion before push,
hydration last), of one kind the longest; everything else of the day is an add-on to it. An infusion shorter
than the payer's minimum is a push. Hours beyond the first count once more than half of them has passed. All
infusions of one drug are counted by their time together, and so is hydration, whatever the fluids. A push of
a drug that was pushed or infused already is no new drug, whatever its maker's code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from jcodeunits import tables
from jcodeunits.dated import Citation
from jcodeunits.encounter import Administration
from jcodeunits.facts.policy_rows import PayerOption, Procedure
from jcodeunits.finding import Severity, declare
from jcodeunits.grouped import grouped

from .draft import Decision, Draft, Entry, GivenDrug, named

FINDINGS = declare(
    __name__,
    {
        "second-access": ("Drugs that ran through another access have a first code of their own", "note"),
        "pump-listed": ("A long infusion by pump that the caller lists is not billed twice", "note"),
        "infusion-times": ("An infusion without start and stop", "warn"),
        "infusion-overnight": ("An infusion that would have run for most of a day, over midnight", "warn"),
        "infusion-too-short": ("A short infusion is a push", "warn, note"),
        "push-too-long": ("A push is recorded as long as an infusion", "warn"),
        "infusion-same-drug": ("Infusions of one drug are counted by their time together", "note"),
        "infusion-overlap": ("Of an infusion that ran partly beside another the rest is counted", "note"),
        "antineoplastic-beside": ("An antineoplastic infusion beside another one has no code", "warn"),
        "infusion-beside-again": ("Infusions beside another are billed once a day", "warn"),
        "hydration-too-short": ("Hydration that is too short is not billed", "warn"),
        "hydration-beside-drug": ("Hydration beside a drug infusion is not billed", "warn, note"),
        "repeat-push": ("A push of a drug that was given into the vein before is billed by facilities only", "warn"),
        "repeat-push-interval": ("The same drug pushed again within half an hour is not billed", "warn"),
    },
)
# From the highest down; and what a drug becomes when its infusion was short.
RANKS = ("antineoplastic-infusion", "antineoplastic-push", "infusion", "iv-push", "hydration")
_SHORT = {"infusion": "iv-push", "antineoplastic-infusion": "antineoplastic-push"}
_PUMP = "pump"  # the role of the codes for pumps that are begun or refilled here and run on elsewhere
_FIRST = ("initial", "prolonged")
_NO_PROCEDURES = ("8", "99")  # how the codes of the laboratory and of special services begin
_HARMLESS = ("blood-draw", "visit-complexity")
_HOUR = 60
_PROLONGED = 8 * _HOUR
_DAY = 24 * _HOUR
_HALF_DAY = 12 * _HOUR


@attrs.frozen(eq=False)
class _Run:
    """One push or infusion: its role by its minutes, its times if known, whether through a `further` access."""

    role: str
    decisions: tuple[Decision, ...]
    spans: tuple[tuple[int, int], ...]
    start: int | None
    further: bool

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(decision.index for decision in self.decisions)

    @property
    def given(self) -> GivenDrug:
        """The first of its drugs, by which findings name it."""
        return self.decisions[0].given

    @property
    def drugs(self) -> frozenset[str]:
        """The drugs, whatever their makers' codes; one that was refused is what is written."""
        return frozenset(decision.given.substance for decision in self.decisions)

    @property
    def minutes(self) -> int | None:
        """Minutes during which anything of it ran, what ran at the same time once; None where no times are known."""
        return self.minutes_beside() if self.spans else None

    def minutes_beside(self, *others: _Run) -> int:
        """Its minutes during which none of the others ran."""
        taken = [span for other in others for span in other.spans]
        return _covered((*self.spans, *taken)) - _covered(taken)

    def overlaps(self, other: _Run) -> bool:
        return any(one[0] < two[1] and two[0] < one[1] for one in self.spans for two in other.spans)

    def carries_on(self, other: _Run) -> bool:
        """Whether it begins before the other has ended, or as it ends: the next bag."""
        return any(one[0] <= two[1] and two[0] <= one[1] for one in self.spans for two in other.spans)

    def joins(self, other: _Run) -> bool:
        """Whether both are infusions of the same drugs; of fluids it does not matter which."""
        alike = self.role == "hydration" or self.drugs == other.drugs
        return alike and self.role == other.role and not self.role.endswith("push")

    def with_(self, other: _Run) -> _Run:
        """Both as one."""
        decisions = sorted((*self.decisions, *other.decisions), key=lambda decision: decision.index)
        starts = [run.start for run in (self, other) if run.start is not None]
        return _Run(self.role, tuple(decisions), (*self.spans, *other.spans), min(starts, default=None), self.further)


def _covered(spans: Sequence[tuple[int, int]]) -> int:
    total, until = 0, 0
    for first, last in sorted(spans):
        total += max(0, last - max(first, until))
        until = max(until, last)
    return total


def apply(draft: Draft) -> None:
    """The first code of each access, then its add-ons; codes that repeat are one line with their units."""
    for further, decisions in enumerate(_accesses(draft)):
        _through_one(draft, sorted(_runs(draft, decisions, bool(further)), key=_precedence))


def _accesses(draft: Draft) -> list[list[Decision]]:
    """What ran through one access, then what the caller says ran through another: apart, at a site of its own.

    Where a procedure is listed, that was said of the procedure. What stands alone is the first.
    """
    billed = [one for one in draft.decisions if one.row.outcome == "bill" and one.role in RANKS]
    if any(_may_inject(draft, entry) for entry in draft.live("service")):
        return [billed]
    given = {one.index: draft.administration(one.index) for one in billed}
    sites = {item.site for item in given.values() if item.separate is not True}
    own = [one for one in billed if (it := given[one.index]).separate is True and it.site and it.site not in sites]
    return [group for group in ([one for one in billed if one not in own], own) if group]


def _may_inject(draft: Draft, entry: Entry) -> bool:
    """Whether something may have been apart from a listed service: from a procedure, a study, a code nobody knows."""
    harmless = (*_NO_PROCEDURES, *draft.option("edits-none").values)
    return not entry.administers and entry.role not in _HARMLESS and not entry.code.startswith(harmless)


def _through_one(draft: Draft, runs: list[_Run]) -> None:
    opened: set[str] = set()
    for run in runs:
        if run.role == "hydration":
            _hydrate(draft, run, runs, bool(opened))
        else:
            _bill(draft, run, runs, not opened)
        opened.add(run.role)


def _precedence(run: _Run) -> tuple[int, int, int, str, tuple[int, ...]]:
    """Kind, then the longest, then the earliest: never the order in which they were written down."""
    start = run.start if run.start is not None else 24 * _HOUR
    return RANKS.index(run.role), -(run.minutes or 0), start, "|".join(sorted(run.drugs)), run.members


def _runs(draft: Draft, billed: list[Decision], further: bool) -> list[_Run]:
    """Bag by bag, then the bags that carry on, then what was infused again."""
    bagged, daybreak = grouped(billed, lambda one: _bag(draft, one)), _daybreak(draft)
    bags = [_run(draft, decisions, further, daybreak) for decisions in bagged.values()]
    runs = [_timed(draft, run) for run in _not_by_pump(draft, _together(bags, _Run.carries_on))]
    made = _together(runs, _Run.joins)
    for run in made:
        _say_again(draft, run, [other for other in runs if set(other.members) <= set(run.members)])
    return made


def _not_by_pump(draft: Draft, runs: list[_Run]) -> list[_Run]:
    """The runs that no listed start or refill of a pump stands for: what runs on by pump has no end in the record.

    Where more infusions lack their times than such starts are listed, nobody knows which of them it is.
    """
    rest = list(runs)
    for entry in draft.live("service"):
        own = entry.role in _SHORT and entry.position == "prolonged"
        if not own and entry.role != _PUMP:
            continue
        fitting = [run for run in rest if run.role == entry.role or (not own and run.role in _SHORT)]
        long = [run for run in fitting if run.minutes is None or run.minutes > _PROLONGED]
        if not 0 < len(long) <= entry.line.units:
            continue
        for run in long:
            rest.remove(run)
            entry.members += run.members
        says = (
            f"{entry.code} is listed among the services: it is the long infusion by pump of "
            f"{' and '.join(named(run.given) for run in long)}, and no other code stands for that."
        )
        fix = "Give start and stop of what did not run on by pump."
        draft.say("pump-listed", "note", says, fix, long[0].decisions[0].row.citation, about=entry)
    return rest


def _together(runs: list[_Run], fits: Callable[[_Run, _Run], bool]) -> list[_Run]:
    """The runs, those of the same drugs that fit each other as one."""
    made: list[_Run] = []
    for run in sorted(runs, key=lambda one: (one.start is None, one.start or 0, one.members)):
        at = next((n for n, other in enumerate(made) if run.joins(other) and fits(other, run)), None)
        if at is None:
            made.append(run)
        else:
            made[at] = made[at].with_(run)
    return made


def _say_again(draft: Draft, run: _Run, parts: list[_Run]) -> None:
    if run.role == "hydration" or len(parts) < 2 or run.minutes is None:
        return
    row = draft.policy.code_for(run.role, draft.on, "additional-hour")
    says = (
        f"{named(run.given)} was infused {len(parts)} times, {run.minutes} minutes together: the same "
        f"drug again is no new one, its further hours are {row.code}."
    )
    fix = "Nothing, if it ran through one access; a second access is an encounter of its own."
    draft.say("infusion-same-drug", "note", says, fix, row.citation, about=run.given.line)


def _bag(draft: Draft, decision: Decision) -> tuple[object, ...]:
    """What runs together: the drugs of one bag or syringe, the parts of one order."""
    given = draft.administration(decision.index)
    if given.syringe:
        return ("bag", decision.role, given.syringe)
    if given.order:
        return ("order", decision.role, given.order, id(decision.given))
    return ("own", decision.index)


def _daybreak(draft: Draft) -> int:
    """The minute of the clock from which the times count: midnight, or where something ran over it the first start.

    What has an hour after midnight then follows what began before it. The first start is the one from which all
    took the least time.
    """
    given = draft.encounter.administrations
    spans = [(_clock(text), one.minutes or 0) for one in given if (text := one.start or one.time) is not None]
    if all(start + minutes <= _DAY for start, minutes in spans):
        return 0

    def whole(first: int) -> int:
        return max((start - first) % _DAY + minutes for start, minutes in spans)

    return min(sorted(start for start, _ in spans), key=whole)


def _run(draft: Draft, decisions: Sequence[Decision], further: bool, daybreak: int) -> _Run:
    given = [draft.administration(decision.index) for decision in decisions]
    starts = [(_clock(text) - daybreak) % _DAY for one in given if (text := one.start or one.time) is not None]
    spans = []
    for decision, one in zip(decisions, given, strict=True):
        if one.start is not None and one.minutes is not None and _is_believed(draft, one, decision):
            start = (_clock(one.start) - daybreak) % _DAY
            spans.append((start, start + one.minutes))
    return _Run(decisions[0].role, tuple(decisions), tuple(spans), min(starts, default=None), further)


def _is_believed(draft: Draft, given: Administration, decision: Decision) -> bool:
    """Whether times may be counted; an infusion over midnight for more than half a day is asked about.

    A stop before the start is more often a slip than the next day; only a hospital infuses through the night, and
    an antineoplastic may run on by pump.
    """
    if given.start is None or given.stop is None or given.stop >= given.start or (given.minutes or 0) <= _HALF_DAY:
        return True
    counted = draft.encounter.claim == "outpatient" or decision.role == "antineoplastic-infusion"
    draft.say(
        "infusion-overnight",
        "warn",
        f"{named(decision.given)} ran from {given.start} to {given.stop}: over midnight that is {given.minutes} minutes"
        + ("." if counted else ", and a practitioner's claim does not count them."),
        "Correct the times, or keep the record of the night.",
        draft.option("infusion-minutes-further").citation,
        about=decision.given.line,
    )
    return counted


def _timed(draft: Draft, run: _Run) -> _Run:
    """The run, as a push where it was too short for an infusion; a warning where its times are not known."""
    total = run.minutes
    shortest = draft.option("infusion-minutes-least")
    if run.role in _SHORT.values() and total is not None and total >= int(shortest.value):
        says = (
            f"{named(run.given)} is a push of {total} minutes: from {shortest.value} it is one only where the one who "
            "gave it was present all the time."
        )
        fix = "Check route and times; where it ran by itself, give the route 'IV infusion'."
        draft.say("push-too-long", "warn", says, fix, shortest.citation, about=run.given.line)
        return run
    if run.role in _SHORT and total is not None and total < int(shortest.value):
        says = f"{named(run.given)} ran for {total} minutes: below {shortest.value} it is a push."
        fix = "Check the recorded start and stop."
        # No drug runs in for no time: more often one of the two was not recorded.
        severity: Severity = "note" if total else "warn"
        draft.say("infusion-too-short", severity, says, fix, shortest.citation, about=run.given.line)
        return attrs.evolve(run, role=_SHORT[run.role])
    recorded = all(draft.administration(decision.index).minutes is not None for decision in run.decisions)
    if total is None and not recorded and not run.role.endswith("push"):
        says = (
            f"{named(run.given)}: start and stop are not both recorded, so only the first code is "
            "billed, without further hours; a payer may read it as a push."
        )
        draft.say("infusion-times", "warn", says, "Give start and stop.", shortest.citation, about=run.given.line)
    return run


def _clock(text: str) -> int:
    return int(text[:2]) * _HOUR + int(text[3:])


def _bill(draft: Draft, run: _Run, runs: list[_Run], first: bool) -> None:
    if run.role.endswith("push"):
        _push(draft, run, runs, first)
        return
    position, minutes = "initial", run.minutes
    if run.role == "antineoplastic-infusion" and first and (minutes or 0) > _PROLONGED:
        position = "prolonged"
    elif not first:
        position = "sequential"
        before = runs[: runs.index(run)]  # of two beside each other the one has its code, the other ran beside it
        beside = [other for other in before if other.role in _SHORT and run.overlaps(other)]
        if beside:
            minutes = run.minutes_beside(*beside)
            if minutes < int(draft.option("infusion-minutes-least").value):
                _beside(draft, run)
                return
            _say_overlap(draft, run, minutes)
    _count(draft, run, run.role, position, 1)
    hours = _hours(draft, minutes) if position in ("initial", "sequential") else 0
    if hours:
        _count(draft, run, run.role, "additional-hour", hours)


def _beside(draft: Draft, run: _Run) -> None:
    """The code of an infusion beside another, which is reported once a day; antineoplastics have none."""
    if run.role != "infusion":
        row = draft.policy.code_for(run.role, draft.on, "sequential")
        says = (
            f"{named(run.given)} ran beside another antineoplastic infusion: {row.code} counts infusions after "
            "another, and no code stands for one beside it."
        )
        fix = "Correct the times; else ask the payer for the unlisted code by report."
        draft.say("antineoplastic-beside", "warn", says, fix, row.citation, about=run.given.line)
        return
    row = draft.policy.code_for("infusion", draft.on, "concurrent")
    if not any(entry.code == row.code for entry in draft.live("administration")):
        _count(draft, run, "infusion", "concurrent", 1)
        return
    says = (
        f"{named(run.given)} ran beside another infusion too: {row.code} is reported once a day, so no "
        "code stands for it."
    )
    fix = "Nothing, or correct the times."
    draft.say("infusion-beside-again", "warn", says, fix, row.citation, about=run.given.line)


def _say_overlap(draft: Draft, run: _Run, minutes: int) -> None:
    draft.say(
        "infusion-overlap",
        "note",
        f"{named(run.given)} ran partly beside another infusion: the other {minutes} minutes are counted "
        "as an infusion after it.",
        "Check the recorded times.",
        draft.policy.code_for(run.role, draft.on, "sequential").citation,
        about=run.given.line,
    )


def _hours(draft: Draft, minutes: int | None) -> int:
    """Hours beyond the first; each counts once its last full half is passed (31 minutes of it)."""
    first = int(draft.option("infusion-minutes-first").value)
    least = int(draft.option("infusion-minutes-further").value)
    return max(0, ((minutes or 0) - first + (_HOUR - least)) // _HOUR)


def _push(draft: Draft, run: _Run, runs: list[_Run], first: bool) -> None:
    if first:
        _count(draft, run, run.role, "initial", 1)
        return
    antineoplastic = run.role == "antineoplastic-push"
    earlier = [other for other in runs[: runs.index(run)] if not antineoplastic or other.role == run.role]
    if not run.drugs <= frozenset().union(*(other.drugs for other in earlier)):
        _count(draft, run, run.role, "additional", 1)
        return
    if antineoplastic:
        row = draft.policy.code_for(run.role, draft.on, "additional")
        _say_no_new_drug(draft, run, f"{row.code} counts further drugs, so no code stands for that", row.citation)
        return
    row = draft.policy.code_for("iv-push", draft.on, "same-drug")
    again = draft.option("push-again-minutes")
    limit = draft.policy.limit(row.code, draft.on, draft.encounter.claim)
    apart = _apart(run, [other for other in earlier if other.role == run.role and run.drugs & other.drugs])
    if limit is not None and limit.units == 0:
        _say_no_new_drug(draft, run, f"{row.code} is for facilities only and is withheld", limit.citation)
    elif apart is not None and apart < int(again.value):
        says = f"{named(run.given)} was pushed again after {apart} minutes: {row.code} counts from {again.value}."
        fix = "Check the recorded times."
        draft.say("repeat-push-interval", "warn", says, fix, again.citation, about=run.given.line)
    else:
        _count(draft, run, "iv-push", "same-drug", 1)


def _say_no_new_drug(draft: Draft, run: _Run, why: str, citation: Citation) -> None:
    says = f"{named(run.given)} was given into the vein before and pushed again: {why}."
    fix = "Nothing: the drug's line holds what was given."
    draft.say("repeat-push", "warn", says, fix, citation, about=run.given.line)


def _apart(run: _Run, others: list[_Run]) -> int | None:
    """Minutes to the nearest of the others, over midnight too, where the record has them."""
    if run.start is None:
        return None
    between = (abs(run.start - other.start) for other in others if other.start is not None)
    return min((min(minutes, _DAY - minutes) for minutes in between), default=None)


def _hydrate(draft: Draft, run: _Run, runs: list[_Run], opened: bool) -> None:
    least = draft.option("hydration-minutes-least")
    what = named(run.given)
    beside = [other for other in runs if other.role in _SHORT and run.overlaps(other)]
    minutes = run.minutes_beside(*beside) if beside else run.minutes
    if beside:
        draft.say(
            "hydration-beside-drug",
            "note" if minutes else "warn",
            f"{what} ran beside a drug infusion: hydration is not billed then."
            + (f" {minutes} minutes without one are left." if minutes else ""),
            "Nothing, or correct the times. A fluid that carried the drug has the purpose diluent, and no line.",
            run.decisions[0].row.citation,
            about=run.given.line,
        )
    if minutes is not None and minutes < int(least.value):
        if minutes or not beside:
            _say_short(draft, run, minutes, least)
        return
    hours = _hours(draft, minutes)
    if opened:
        _count(draft, run, "hydration", "additional-hour", hours + 1)
    else:
        _count(draft, run, "hydration", "initial", 1)
        if hours:
            _count(draft, run, "hydration", "additional-hour", hours)


def _say_short(draft: Draft, run: _Run, minutes: int, least: PayerOption) -> None:
    says = f"{named(run.given)} ran for {minutes} minutes: hydration counts from {least.value}."
    fix = "Nothing, or correct the times."
    draft.say("hydration-too-short", "warn", says, fix, least.citation, about=run.given.line)


def _count(draft: Draft, run: _Run, role: str, position: str, units: int) -> None:
    row = draft.policy.code_for(role, draft.on, position)
    lasted = f", {run.minutes} minutes" if run.minutes is not None else ""
    entry = next((e for e in draft.live("administration") if e.code == row.code), None)
    if run.further and position in _FIRST:
        _first_again(draft, run, row, units, lasted)
    elif entry is not None:
        entry.members = tuple(dict.fromkeys((*entry.members, *run.members)))
        entry.line = draft.administration_line(entry.members, row, entry.line.units + units)
        entry.steps.append(draft.step_to(run.decisions[0], row, lasted))
    else:
        draft.administer(run.decisions, row, units, lasted).separate = draft.separate(run.members)


def _first_again(draft: Draft, run: _Run, row: Procedure, units: int, lasted: str) -> None:
    """The first code of a second access, marked as one."""
    option = draft.option("edit-modifier")
    entry = draft.administer(run.decisions, row, units, lasted)
    entry.separate = True
    entry.mark(option.value, "through an access of its own", option.citation)
    says = (
        f"{row.code} for {named(run.given)} is a first code again and takes {option.value}: it was said "
        "to be apart, at a site of its own."
    )
    fix = "Document both accesses and why both were needed."
    draft.say(
        "second-access", "note", says, fix, tables.cited("ncci-manual-2026", "XI.B.2"), option.citation, about=entry
    )
