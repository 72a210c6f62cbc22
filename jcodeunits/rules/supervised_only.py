"""A code for drugs given under direct supervision only."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("supervised-only", "note", cites=(("hcpcs-2026q3", "descriptors"),))
def supervised_only(case: Case) -> Yields:
    """Some descriptors say that the code is for Medicare when the drug is given under a physician's direct
    supervision, and not for use when the patient gives it himself.

    Sources: HCPCS Level II descriptors; the class rows.
    """
    for number, line, row in case.of_class("supervised-only"):
        says = f"{line.code} is for a drug given under direct supervision, never for one that the patient gives."
        yield supervised_only.finding("note", says, "Record who supervised.", row.citation, line=number)
