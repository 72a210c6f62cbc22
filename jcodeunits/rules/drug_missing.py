"""An injection without its drug on the claim."""

from __future__ import annotations

from collections.abc import Iterable

from jcodeunits.finding import Finding

from ._registry import Case, rule

_WITHOUT_DRUG = ("allergen", "visit")


@rule("drug-missing", "An administration without a drug line", "warn", cites=(("guide", "denial reason 3"),))
def drug_missing(case: Case) -> Iterable[Finding]:
    """An administration code alone does not say what was given: payers return it.

    An injection whose drug the patient brought stands alone rightly, and so do allergen injections.

    Sources: the guide's denial reason 3.
    """
    if any(True for _ in case.numbered("drug")):
        return
    brought = [given.supplied_by == "patient" for given in case.encounter.administrations]
    if brought and all(brought):
        return
    for number, line in case.numbered("administration", "service"):
        row = case.procedure(line)
        if row is None or row.kind != "administration" or row.role.startswith(_WITHOUT_DRUG):
            continue
        if line.kind == "administration":
            continue  # its drug was listed: what withheld or refused it has said so
        yield drug_missing.finding(
            "warn",
            f"{line.code} stands without any drug line.",
            "List what was given among the administrations, with its dose.",
            line=number,
        )
