"""A drug that contractors may exclude as usually self-administered."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("self-administered-list", "warn", cites=(("sad-a52527", "drugs excluded by the route under the skin"),))
def self_administered_list(case: Case) -> Yields:
    """Under the skin, some drugs stand on a contractor's list of usually self-administered drugs and are
    not paid.

    Membership differs by contractor and date, so this asks and never stops; the administration of a drug
    that is not covered is usually not paid either.

    Sources: exclusion articles of the contractors; the payer's own row.
    """
    option = case.option("self-administered")
    if option.value == "pay":
        return
    for number, line, row in case.of_class("self-administered", "SC", "on-body"):
        says = (
            f"{line.code} under the skin is on contractors' lists of usually self-administered drugs: it may "
            "be denied, and its administration with it."
        )
        fix = (
            "Check the contractor's list for the date; where the drug is excluded, tell the patient "
            "beforehand (GY, or GA with a waiver)."
        )
        yield self_administered_list.finding("warn", says, fix, row.citation, option.citation, line=number)
