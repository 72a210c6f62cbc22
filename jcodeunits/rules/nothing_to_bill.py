"""A claim on which no line is left."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("nothing-to-bill", "warn", cites=(("ncci-manual-2026", "I.A"),))
def nothing_to_bill(case: Case) -> Yields:
    """Everything was withheld, or nothing was given: there is no claim to send.

    It stops nothing by itself: whatever is certain to be denied says so in its own finding.

    Sources: the findings beside this one say why each line was withheld.
    """
    if not case.lines:
        yield nothing_to_bill.finding(
            "warn", "No line is left to bill.", "Read the other findings: each says what was withheld and why."
        )
