"""How the hospital outpatient system pays the lines."""

from __future__ import annotations

from collections.abc import Iterable

from jcodeunits.facts.policy import reach
from jcodeunits.finding import Finding

from ._registry import Case, rule

_SAYS = {
    "Q1": "is paid inside another service of the day where there is one",
    "N": "is packaged: it is reported and not paid on its own",
    "B": "is not recognized on hospital outpatient claims",
}


@rule(
    "hospital-packaging",
    "Hospital outpatient lines that are packaged",
    "note",
    "warn",
    cites=(("ncci-manual-2026", "XI.B.7"),),
)
def hospital_packaging(case: Case) -> Iterable[Finding]:
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
            "warn" if row.status == "B" else "note",
            f"{line.code} has status {row.status}: it {_SAYS[row.status]}" + (f" ({far})." if far else "."),
            "Use the hospital's own code for the service." if row.status == "B" else "Nothing: report it all the same.",
            row.citation,
            line=number,
        )
