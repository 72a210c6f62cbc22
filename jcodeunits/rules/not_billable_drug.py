"""A code that is alive in HCPCS and still cannot be billed there: its limit is 0."""

from __future__ import annotations

from collections.abc import Iterable

from jcodeunits.facts.policy import reach
from jcodeunits.finding import Finding
from jcodeunits.hcpcs import is_level_two

from ._registry import Case, rule


@rule("not-billable-drug", "A code whose limit is 0", "stop", "warn", cites=(("ncci-manual-2026", "I.V"),))
def not_billable_drug(case: Case) -> Iterable[Finding]:
    """A limit of 0 units: the drug is discontinued, or the code is for another setting.

    That a code has not ended does not make it billable. Where the table read is older or newer than the date
    of service the finding warns instead of stopping.

    Sources: the MUE tables, with CMS's reason; NCCI policy manual, chapter I, section V.
    """
    for number, line in case.numbered("drug", "service"):
        if not is_level_two(line.code):
            continue
        limit = case.policy.limit(line.code, case.on, case.encounter.claim)
        if limit is None or limit.units != 0:
            continue
        far = reach(limit, case.on)
        enforced = case.option("limits").value == "enforced" and not far
        yield not_billable_drug.finding(
            "stop" if enforced else "warn",
            f"{line.code} has an MUE of 0 on {case.encounter.claim} claims ({limit.reason.replace('-', ' ')})"
            + (f"; {far}." if far else "."),
            "Check the product given: another code fits, or nothing is billable here.",
            limit.citation,
            line=number,
        )
