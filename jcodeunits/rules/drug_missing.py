"""An administration without a drug line."""

from __future__ import annotations

from ._registry import Case, Yields, rule

_WITHOUT_DRUG = ("allergen", "visit")
_PRODUCTS = ("vaccine", "rsv")  # what a vaccine's administration and its product are called


@rule("drug-missing", "warn", cites=(("guide", "denial reason 3"),))
def drug_missing(case: Case) -> Yields:
    """An administration code alone does not say what was given: payers return it.

    An injection whose drug the patient brought stands alone rightly, and so do allergen injections.

    Sources: the guide's denial reason 3.
    """
    yield from _vaccines(case)
    if any(True for _ in case.numbered("drug")):
        return
    brought = [given.supplied_by == "patient" for given in case.encounter.administrations]
    if brought and all(brought):
        return
    # A derived line's drug was listed: what withheld or refused it has said so.
    for number, line, row in case.injections("service"):
        if not row.role.startswith((*_WITHOUT_DRUG, *_PRODUCTS)):
            fix = "List what was given among the administrations, with its dose."
            yield drug_missing.finding("warn", f"{line.code} stands without any drug line.", fix, line=number)


def _vaccines(case: Case) -> Yields:
    """A listed administration of a vaccine beside which no vaccine stands, listed, given or brought."""
    if any(given.purpose == "vaccine" or given.supplied_by == "patient" for given in case.encounter.administrations):
        return
    codes = {line.code for _, line in case.numbered("drug", "service")}
    if any(row.name.startswith(_PRODUCTS) for code in codes for row in case.policy.classes(code, case.on)):
        return
    for number, line, row in case.injections("service"):
        if row.role.startswith(_PRODUCTS):
            fix = "List the vaccine among the administrations, with its dose."
            yield drug_missing.finding("warn", f"{line.code} stands without any vaccine.", fix, line=number)
