"""A charge that a claim's line cannot hold."""

from __future__ import annotations

from ._registry import Case, Yields, marked_with, rule


@rule("amount-limit", "warn", cites=(("fcso-high-dollar", "single-use vials"),))
def amount_limit(case: Case) -> Yields:
    """An amount of so many dollars is split over claims of their own, each with its part of the units.

    Contractors mark the further claims in different ways: by a modifier, or by a narrative alone.

    Sources: First Coast on claims of high amounts; CGS and Palmetto likewise.
    """
    most = case.option("amount-split-from")
    if not most.value.isdigit():
        return
    dollars = int(most.value) * 1000
    for number, line in case.numbered():
        if line.charge_amount is not None and line.charge_amount >= dollars:
            split = case.option("limit-split")
            says = (
                f"{line.code} is charged with ${line.charge_amount:,.2f}; from ${dollars:,} on the amount does "
                "not fit this payer's claim."
            )
            fix = (
                "Split the units over claims of their own, and say in the narrative why; this payer "
                f"{marked_with(split.value)}."
            )
            yield amount_limit.finding("warn", says, fix, most.citation, split.citation, line=number)
