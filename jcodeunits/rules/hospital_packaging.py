"""Hospital outpatient lines that are packaged."""

from __future__ import annotations

from jcodeunits.claim import Line
from jcodeunits.facts.policy import reach

from ._registry import Case, Yields, rule

_SAYS = {
    "Q1": "is paid inside another service of the day where there is one",
    "N": "is packaged: it is reported and not paid on its own",
    "B": "is not recognized on hospital outpatient claims",
    "C": "is paid for inpatients only",
    "E1": "is not paid by Medicare on an outpatient claim",
    "E2": "is not paid by Medicare, because no price is known for it",
    "M": "is not billable to the hospital's contractor",
    "Q2": "is paid inside a surgical service of the day where there is one",
    "Q3": "is paid inside a group of services where it is complete",
    "Y": "is billed by an equipment supplier to another contractor",
}
# Statuses that mean no payment at all, and what to do.
_UNPAID = {
    "B": "Use the hospital's own code for the service.",
    "C": "Bill it on an inpatient claim.",
    "E1": "Do not expect payment: a notice to the patient, or another code, may be due.",
    "E2": "Ask the contractor how it prices the code.",
    "M": "Leave it to the practitioner's claim, where it is covered.",
    "Y": "Leave it to the equipment supplier.",
}


@rule("hospital-packaging", "note", "warn", cites=(("ncci-manual-2026", "XI.B.7"),))
def hospital_packaging(case: Case) -> Yields:
    """On its own claim the hospital reports the injection; whether it is paid apart depends on the status
    indicator.

    Sources: OPPS Addendum B, status indicator of the code.
    """
    if case.encounter.claim != "outpatient":
        return
    seen = set()
    for number, line in case.numbered():
        row = case.policy.status(line.code, case.on)
        if row is None or row.status not in _SAYS or line.code in seen:
            continue
        seen.add(line.code)
        far = reach(row, case.on)
        yield hospital_packaging.finding(
            "warn" if row.status in _UNPAID else "note",
            f"{line.code} has status {row.status}: it {_SAYS[row.status]}" + (f" ({far})." if far else "."),
            _instead(case, line) or _UNPAID.get(row.status, "Nothing: report it all the same."),
            row.citation,
            line=number,
        )


def _instead(case: Case, line: Line) -> str:
    """The hospital's own visit code in place of an office visit; empty for other lines."""
    row = case.procedure(line)
    if row is None or not row.role.startswith("visit-office"):
        return ""
    codes = " or ".join(found.code for found in case.policy.procedures(case.on, role="visit-hospital-clinic"))
    return f"For a clinic visit the hospital lists {codes}." if codes else ""
