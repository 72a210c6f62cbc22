"""More units than the day's limit."""

from __future__ import annotations

from typing import Any

from jcodeunits import tables
from jcodeunits.facts.policy import reach
from jcodeunits.facts.policy_rows import Limit
from jcodeunits.finding import Finding, Severity

from ._registry import Case, Yields, marked_with, rule


@rule("unit-limit", "stop", "warn", "note", cites=(("ncci-manual-2026", "I.V"),))
def unit_limit(case: Case) -> Yields:
    """The units of a code above its medically unlikely edit (MUE).

    How the edit is adjudicated decides what counts: by line (indicator 1), by day and never more (2), or by
    day, reviewed against the record (3). Only the first can be met by splitting lines; a modifier does not
    lift a limit that counts the day, whatever the guide says. A limit never carries over to a code's
    successor.

    Sources: NCCI policy manual, chapter I, section V; the MUE tables.
    """
    totals: dict[str, int] = {}
    first: dict[str, int] = {}
    for number, line in case.numbered():
        totals[line.code] = totals.get(line.code, 0) + line.units
        first.setdefault(line.code, number)
    for code, total in totals.items():
        limit = case.policy.limit(code, case.on, case.encounter.claim)
        if limit is None or limit.units == 0:
            continue
        if limit.per == "line":
            yield from _by_line(case, code, limit)
        elif total > limit.units:
            yield _by_day(case, code, limit, total, first[code])


def counted_to(per: str, units: Any, waste: Any) -> Any:
    """What of an administered line and its JW line counts against a limit `per` line or day; numbers or arrays.

    >>> counted_to("line", 8, 2), counted_to("day", 8, 2)
    (8, 10)
    """
    return (units + waste + abs(units - waste)) // 2 if per == "line" else units + waste


def _by_line(case: Case, code: str, limit: Limit) -> Yields:
    split = case.option("limit-split")
    lines = [(number, line) for number, line in case.numbered() if line.code == code]
    given = [line for _, line in lines if line.kind != "waste"]
    total = sum(line.units for line in given)
    if total > limit.units and any(split.value in line.modifiers for line in given):
        says = (
            f"{code} x {total} is above the MUE of {limit.units} for one line (indicator 1): it stands on "
            f"{len(given)} lines, and this payer {marked_with(split.value)}."
        )
        fix = "Check the units, and keep the record of them."
        severity = _softened(case, limit, "warn")
        yield unit_limit.finding(severity, says, fix, limit.citation, split.citation, line=lines[0][0])
    for number, line in lines:
        if line.units > limit.units:
            says = f"{code} x {line.units} is above the MUE of {limit.units} for one line (indicator 1)."
            fix = f"If the units are true, split them over lines; this payer {marked_with(split.value)}."
            yield unit_limit.finding(
                _softened(case, limit, "warn"), says, fix, limit.citation, split.citation, line=number
            )


def _by_day(case: Case, code: str, limit: Limit, total: int, number: int) -> Finding:
    absolute = limit.per == "day-absolute"
    how = "2, never more" if absolute else "3, all lines of the day together"
    far = reach(limit, case.on)
    return unit_limit.finding(
        _softened(case, limit, "stop" if absolute else "warn"),
        f"{code} x {total} is above the MUE of {limit.units} for one day (indicator {how})"
        + (f"; {far}." if far else "."),
        "Check the units. "
        + (
            "This limit follows from law or from the code's own words: no modifier and no appeal lifts it."
            if absolute
            else "If they are true, send the record and appeal: no modifier lifts a limit that counts the day, though "
            "the guide says 59 or XS does."
        ),
        limit.citation,
        tables.guide("limits and denial reason 5"),
        line=number,
    )


def _softened(case: Case, limit: Limit, severity: Severity) -> Severity:
    """A payer that does not apply CMS's limits is only told; an edition of another time only warns."""
    if case.option("limits").value != "enforced":
        return "note" if severity == "warn" else "warn"
    return "warn" if severity == "stop" and reach(limit, case.on) else severity
