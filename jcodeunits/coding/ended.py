"""Codes that the caller lists and that are not in effect on the day."""

from __future__ import annotations

import attrs

from jcodeunits.encounter import Encounter
from jcodeunits.facts.policy_rows import Procedure
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding, Findings, declare, softened

FINDINGS = declare(__name__, {"code-ended": ("A listed code that is not in effect on the day", "stop, warn")})


def in_effect(encounter: Encounter, reference: Reference) -> tuple[Encounter, Findings]:
    """The encounter without listed codes that were in effect at another time only, and a finding for each of them."""
    found = {service.code: _ended(service.code, encounter, reference) for service in encounter.services}
    kept = tuple(service for service in encounter.services if found[service.code] is None)
    return attrs.evolve(encounter, services=kept), tuple(said for said in found.values() if said is not None)


def _ended(code: str, encounter: Encounter, reference: Reference) -> Finding | None:
    on, drugs = encounter.on, reference.drugs.rows(code)
    services = [row for row in reference.policy.store.starting(Procedure, code) if row.code == code]
    if any(row.period.holds(on) for row in (*drugs, *services)):
        return None
    if drugs:
        says = str(reference.drugs.not_in_effect(drugs, on)).rstrip(".")
    elif services and (last := services[-1].ends) is not None and last < on:
        says = f"{code} ended on {last}; the date of service is {on}"
    else:
        return None
    cited = tuple(row.citation for row in (drugs or services)[-1:])
    fix = "List the code of that day, or give the drug as an administration."
    return Finding("code-ended", softened("stop", cited), f"{says}. The listed line is withheld.", fix, cited)
