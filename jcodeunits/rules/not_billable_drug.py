"""A code whose limit is 0."""

from __future__ import annotations

from jcodeunits.facts.policy import reach
from jcodeunits.hcpcs import is_level_two

from ._registry import Case, Yields, rule

# What CMS's reason for a limit of 0 means, and what to do.
_WHY = {
    "drug-discontinued": ("the drug is no longer made", "Check the product given: it has another code."),
    "oral-medication-not-payable": (
        "a drug by mouth is not paid on this claim",
        "Bill nothing for it here; what Medicare covers by mouth a supplier bills to the equipment contractor.",
    ),
    "compounded-drug-policy": (
        "a compounded drug is not paid by this code",
        "Ask the contractor which code it wants for a compounded drug.",
    ),
    "cms-policy": (
        "Medicare does not cover it on this claim",
        "Bill nothing for it here, or see who bills it: an equipment supplier, or another payer.",
    ),
    "": ("it is not billable here", "Check the product given: another code fits, or nothing is billable here."),
}


@rule("not-billable-drug", "stop", "warn", cites=(("ncci-manual-2026", "I.V"),))
def not_billable_drug(case: Case) -> Yields:
    """A limit of 0 units: the drug is discontinued, or the code is for another setting.

    That a code has not ended does not make it billable. Where the table read is older or newer than the date
    of service the finding warns instead of stopping.

    Sources: the MUE tables, with CMS's reason; NCCI policy manual, chapter I, section V.
    """
    for number, line in case.numbered("drug", "service"):
        row = case.procedure(line)
        if not is_level_two(line.code) and (row is None or row.kind != "administration"):
            continue
        limit = case.policy.limit(line.code, case.on, case.encounter.claim)
        if limit is None or limit.units != 0:
            continue
        if case.option("limits").value != "enforced":
            return  # that Medicare pays none says nothing of another payer
        far = reach(limit, case.on)
        enforced = not far
        why, fix = _WHY.get(limit.reason, _WHY[""])
        says = f"{line.code} has an MUE of 0 on {case.encounter.claim} claims: {why}" + (f"; {far}." if far else ".")
        yield not_billable_drug.finding("stop" if enforced else "warn", says, fix, limit.citation, line=number)
