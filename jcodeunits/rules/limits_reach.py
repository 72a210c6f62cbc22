"""A date outside the editions that were read."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

from jcodeunits.claim import Line
from jcodeunits.dated import Citation
from jcodeunits.facts.policy import reach
from jcodeunits.facts.policy_rows import PolicyRow
from jcodeunits.finding import Finding, past_reach
from jcodeunits.tables import Source

from ._registry import Case, Yields, rule


@rule("limits-reach", "note", "warn", cites=(("ncci-manual-2026", "I.A"),))
def limits_reach(case: Case) -> Yields:
    """Limits, edits and outpatient statuses come from quarterly editions; outside those read the nearest one
    answers, and this says so: a note, beyond a quarter past the last day a warning, as for what was never read.

    Sources: the editions named.
    """
    yield from _unread(case)
    found: dict[tuple[str, str], tuple[PolicyRow, list[str]]] = {}
    for family, subject, row in itertools.chain(_limits(case), _edits(case), _statuses(case)):
        if far := reach(row, case.on):
            found.setdefault((family, far), (row, []))[1].append(subject)
    for (family, far), (row, subjects) in found.items():
        named = ", ".join(dict.fromkeys(subjects))
        last = row.origin.last_day if row.origin is not None else None
        past = last is not None and last < case.on
        yield limits_reach.finding(
            past_reach(case.on, last) if past and last is not None else "note",
            f"{family.capitalize()} of {named}: {far}.",
            "Load the newest quarter with `jcodeunits refresh`, or check the current edition.",
            row.citation,
            reach=f"{family} to {last}" if past else "",
        )


Used = Iterator[tuple[str, str, PolicyRow]]


def _limits(case: Case) -> Used:
    """The limits of what is given and of giving it."""
    for code in dict.fromkeys(line.code for _, line in case.numbered("administration", "drug")):
        row = case.policy.limit(code, case.on, case.encounter.claim)
        if row is not None:
            yield "limits", code, row


def _pairs(case: Case) -> Iterator[tuple[Line, Line]]:
    """Every pair of different codes that is looked up among visits, services and administrations."""
    lines = {line.code: line for _, line in case.numbered("visit", "service", "administration")}
    yield from itertools.combinations([lines[code] for code in sorted(lines)], 2)


def _edits(case: Case) -> Used:
    for one, other in _pairs(case):
        row = case.policy.edit(one.code, other.code, case.on, case.encounter.claim)
        if row is not None:
            yield "edits", f"{one.code} with {other.code}", row


def _statuses(case: Case) -> Used:
    if case.encounter.claim == "outpatient":
        for code in dict.fromkeys(line.code for _, line in case.numbered()):
            row = case.policy.status(code, case.on)
            if row is not None:
                yield "statuses", code, row


def _unread(case: Case) -> Iterator[Finding]:
    """Pairs that no edition was read for, and pairs known to be free only by an edition that has ended.

    What was never read is a warning where the manual has no row either. A pair with a listed service is
    `edits-unread`, which asks for it.
    """
    never: dict[str, list[str]] = {"warn": [], "note": []}
    free: dict[dt.date, tuple[Citation, list[str]]] = {}
    for one, other in _pairs(case):
        edit = case.policy.edit(one.code, other.code, case.on, case.encounter.claim)
        if edit is not None and edit.basis == "table":
            continue
        read = max(filter(None, (_read(case, one), _read(case, other))), key=lambda s: str(s.last_day), default=None)
        given = [line.code for line in (one, other) if line.kind == "administration"]
        if read is None and "service" not in (one.kind, other.kind):
            never["warn" if edit is None else "note"] += given
        elif edit is None and read is not None and read.last_day is not None and read.last_day < case.on:
            cite = Citation(read.id, "pairs", "high", read.title)
            free.setdefault(read.last_day, (cite, []))[1].append(f"{one.code} with {other.code}")
    codes = ", ".join(dict.fromkeys([*never["warn"], *never["note"]]))
    if codes:
        says = f"No edition of CMS's edits was read for pairs of {codes}; what the manual says of them is applied."
        fix = "Load the PTP files of the quarter with `jcodeunits refresh`, or look the pairs up."
        unread = f"pairs of {codes}: none loaded"
        yield limits_reach.finding("warn" if never["warn"] else "note", says, fix, reach=unread)
    for last, (cite, pairs) in free.items():
        says = f"Edits of {', '.join(pairs)}: none in the newest edition read, {cite.title}, to {last}."
        fix = "Load the newest quarter with `jcodeunits refresh`, or check the current edition."
        yield limits_reach.finding(past_reach(case.on, last), says, fix, cite, reach=f"edits to {last}")


def _read(case: Case, line: Line) -> Source | None:
    """The edition from which every pair of a line's code was read."""
    return case.policy.pairs_read(line.code, case.on, case.encounter.payer, case.encounter.claim)
