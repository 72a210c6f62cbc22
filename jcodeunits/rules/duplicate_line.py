"""Two lines that look the same to a payer."""

from __future__ import annotations

from collections.abc import Iterable

from jcodeunits.finding import Finding

from ._registry import Case, rule


@rule("duplicate-line", "Two lines that a payer takes for one", "warn", cites=(("ncci-manual-2026", "I.V"),))
def duplicate_line(case: Case) -> Iterable[Finding]:
    """The same code with the same modifiers twice on one day is denied as a duplicate.

    Sources: NCCI policy manual, chapter I, section V, on reporting units.
    """
    seen: dict[tuple[object, ...], int] = {}
    said = set()
    for number, line in case.numbered():
        key = (line.code, line.modifiers, line.ndc)
        if key in seen and key not in said:
            said.add(key)
            yield duplicate_line.finding(
                "warn",
                f"{line.code} stands on lines {seen[key]} and {number} with nothing to tell them apart.",
                "If it was one order, give both administrations that order; else say what differs (time, "
                "product), or list the modifier that the payer takes.",
                line=number,
            )
        seen.setdefault(key, number)
