"""A dose that is another form's: a plain name by which far more was given than a day's limit of its code."""

from __future__ import annotations

from jcodeunits import hcpcs, ndc
from jcodeunits.encounter import Encounter
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding, Findings, declare

FINDINGS = declare(__name__, {"another-form": ("A dose that is usual for another form of the drug", "warn")})


def another_form(written: str, drug: Drug, count: int, encounter: Encounter, reference: Reference) -> Findings:
    """A warning that names the codes of other forms, where a name was given and the limit is passed."""
    if hcpcs.is_valid(written) or ndc.looks_like(written):
        return ()
    limit = reference.policy.limit(drug.code, encounter.on, encounter.claim)
    if limit is None or not limit.units or count <= limit.units:
        return ()
    others = [
        f"{row.code} ({row.name})"
        for row in reference.drugs.drugs
        if row.code != drug.code
        and row.is_injected
        and row.period.holds(encounter.on)
        and (row.ingredient == drug.ingredient or row.ingredient.startswith(f"{drug.ingredient} "))
        and " / " not in row.ingredient
    ]
    if not others:
        return ()
    says = (
        f"{written} was read as {drug.code} ({drug.name}), and {count} units are above its limit of {limit.units} a "
        f"day: the dose may be of another form, such as an extended-release one. Other codes: {', '.join(others[:6])}."
    )
    fix = "Check which product was given, and name it by its brand, code or NDC."
    return (Finding("another-form", "warn", says, fix, (limit.citation, drug.citation), 1),)
