"""Two lines that a payer takes for one."""

from __future__ import annotations

from jcodeunits.claim import Line

from ._registry import Case, Yields, rule

_PLAIN = ("IM", "SC")  # of which right and left tell nothing apart


@rule("duplicate-line", "warn", cites=(("ncci-manual-2026", "I.V"),))
def duplicate_line(case: Case) -> Yields:
    """The same code with the same modifiers twice on one day is denied as a duplicate.

    Sources: NCCI policy manual, chapter I, section V, on reporting units.
    """
    seen: dict[tuple[object, ...], tuple[int, Line]] = {}
    said = set()
    for number, line in case.numbered():
        key = (line.code, line.modifiers, line.ndc, line.description)
        if key in seen and key not in said and not _one_dose(seen[key][1], line):
            said.add(key)
            why, fix = _words(case, seen[key][1], line)
            says = f"{line.code} stands on lines {seen[key][0]} and {number} {why}."
            yield duplicate_line.finding("warn", says, fix, line=number)
        seen.setdefault(key, (number, line))


def _one_dose(*lines: Line) -> bool:
    """Whether the lines are parts of one dose, which the limit of a line divides."""
    return len({(line.kind, line.administration) for line in lines}) == 1 and lines[0].administration is not None


def _words(case: Case, first: Line, line: Line) -> tuple[str, str]:
    """What is wrong with two lines alike, and what helps."""
    if line.kind == "administration":
        return (
            "with nothing to tell them apart",
            "Bill them as units of one line (the payer's row second-injection says units), or with the modifier that "
            "the payer takes. What was one order is one injection: give its administrations one order.",
        )
    if _sides(case, first, line):
        return (
            "once for each side, and neither says which",
            "Give the administrations the modifiers RT and LT, or both one order, which makes one line of both sides: "
            "contractors want it one way or the other.",
        )
    return (
        "with nothing to tell them apart",
        "If it was one order, give both administrations that order; else give what the claim shows apart: the product "
        "(NDC), or a modifier that the payer takes, such as 76.",
    )


def _sides(case: Case, *lines: Line) -> bool:
    """Whether the sites of the lines are the two sides of the body, and a procedure of each holds the drug."""
    given = [one for line in lines if (one := case.administration(line)) is not None and one.route not in _PLAIN]
    return len({side for one in given for side in one.sides}) > 1
