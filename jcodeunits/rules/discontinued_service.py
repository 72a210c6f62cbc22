"""An injection marked as reduced or discontinued."""

from __future__ import annotations

from ._registry import Case, Yields, rule

_REDUCED = ("52", "53")


@rule("discontinued-service", "warn", cites=(("guide", "modifiers 52 and 53"),))
def discontinued_service(case: Case) -> Yields:
    """53 is for procedures that were stopped; an injection that was not given is usually not billed at all.

    A drug counts as discarded only where it was drawn up for the patient from a single-dose container.

    Sources: the modifier rows; the guide's paragraph on 52 and 53.
    """
    for number, line, _ in case.injections("administration", "service"):
        for code in line.modifiers:
            if code in _REDUCED:
                modifier = case.policy.modifier(code, case.on)
                says = f"{line.code} carries {code}: if nothing was injected, the administration is usually not billed."
                fix = "Bill what was given; record why it was stopped and what was discarded."
                yield discontinued_service.finding(
                    "warn", says, fix, *([modifier.citation] if modifier else []), line=number
                )
