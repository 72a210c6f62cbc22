"""A drug that often needs authorization first."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("prior-authorization", "note", cites=(("guide", "payers and scenario 4"),))
def prior_authorization(case: Case) -> Yields:
    """Plans outside fee-for-service Medicare often ask for authorization before costly injectables.

    Sources: the payer's row; the drug's class row.
    """
    option = case.option("prior-authorization")
    if option.value != "check":
        return
    for number, line, row in case.of_class("prior-authorization"):
        says = f"{line.code} often needs prior authorization with this payer."
        fix = "Make sure that it is in place before the drug is given."
        yield prior_authorization.finding("note", says, fix, option.citation, row.citation, line=number)
