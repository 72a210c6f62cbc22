"""Drugs without a code of their own: lines under a code that names no drug, and which code would fit a name.

Such a line counts the drug, not its amount: one unit, and a description that says what was given.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from fractions import Fraction

import attrs

from jcodeunits import hcpcs, units
from jcodeunits.dated import Citation
from jcodeunits.dose import Dose
from jcodeunits.encounter import Administration, Encounter
from jcodeunits.errors import JcodeunitsError, NotComputable, NotInEffect, UnknownDrug
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.policy import Policy
from jcodeunits.facts.policy_rows import Procedure, Unclassified, unclassified
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding, Findings, declare
from jcodeunits.quantity import volume_of
from jcodeunits.vials import thrown_away

from .opened import Found, Opened

FINDINGS = declare(__name__, {"unclassified": ("A code that names no drug: what its line must say", "warn, note")})
UNCLASSIFIED = "unclassified"  # the catalog's reason why such a code has no units


def nameless(error: NotComputable, on: dt.date, reference: Reference) -> Drug | None:
    """The row of the code, where it is one for drugs without a code of their own."""
    rows = [row for row in reference.drugs.rows(str(error.code)) if row.period.holds(on)]
    return rows[0] if rows and rows[0].refuses == UNCLASSIFIED else None


def as_dose(found: Found, dose: Dose) -> Opened:
    """A product opened, measured in the dose's own unit: no code says in what else."""
    entry, item = found.entry, found.item
    label, volume = item.dose if item is not None else None, None
    if entry.amount is not None:
        try:
            label = Dose.of(entry.amount)
        except JcodeunitsError:
            label = None
    if entry.volume is not None:
        with contextlib.suppress(JcodeunitsError):
            volume = volume_of(entry.volume)
    each = None if label is None else _in_unit_of(dose, label)
    discarded = None
    if entry.discarded is not None:
        with contextlib.suppress(JcodeunitsError):
            discarded = _in_unit_of(dose, thrown_away(entry.discarded))
    told = entry.amount is not None
    return Opened(found.number, item, entry.containers, each, discarded, told=told, volume=volume)


def _in_unit_of(dose: Dose, amount: Dose) -> Fraction | None:
    """An amount in the dose's unit; None where it has another dimension and is not nothing."""
    if units.dimension(amount.unit) == units.dimension(dose.unit):
        return amount.amount * units.factor(amount.unit, dose.unit)
    return None if amount.amount else Fraction(0)


def undescribed(row: Drug, administration: Administration, encounter: Encounter, reference: Reference) -> Findings:
    """What the line still lacks, and how it is counted."""
    lacks = [] if administration.description else ["a description (name, strength, dose, route)"]
    lacks += [] if any(entry.ndc for entry in administration.products) else ["the NDC"]
    cited = (row.citation, reference.policy.option(encounter.payer, "ndc", encounter.on, encounter.claim).citation)
    says = f"{row.code} names no drug: its line is one unit, unless the payer counts otherwise"
    if not lacks:
        return (Finding("unclassified", "note", f"{says}, and carries the description.", "Nothing.", cited, 1),)
    fix = "Give description and ndc; the claim carries the words in its narrative (SV101-7 or NTE, item 19 on paper)."
    return (Finding("unclassified", "warn", f"{says}. It lacks {' and '.join(lacks)}.", fix, cited, 1),)


def fitting(
    kinds: tuple[str, ...], route: str, encounter: Encounter, reference: Reference
) -> tuple[str, tuple[Citation, ...]]:
    """The codes that would fit a drug of these kinds and classes on the claim, in words; empty where none did."""
    row = unclassified(reference.policy.rows(Unclassified), kinds, route, encounter.on, encounter.claim)
    return (" or ".join(row.codes), (row.citation,)) if row is not None else ("", ())


def without_code(
    said: Finding, error: JcodeunitsError, given: Administration, encounter: Encounter, reference: Reference
) -> Finding:
    """The finding with the code that fits a drug which had none of its own that day."""
    if isinstance(error, NotInEffect):
        rows = reference.drugs.rows(str(error.code))
        if not rows or rows[0].effective <= encounter.on or error.successors or reference.drugs.is_first_read(rows[0]):
            return said
        row = rows[0]
        classes = tuple(found.name for found in reference.policy.classes(row.code, row.effective))
        codes, cited = fitting((*classes, row.kind), given.route, encounter, reference)
        says = f"{row.name} had no code of its own on {encounter.on}; {row.code} begins on {row.effective}."
    elif isinstance(error, UnknownDrug) and not hcpcs.is_valid(given.drug.strip()):
        codes, cited = fitting((), given.route, encounter, reference)
        says = f"{str(error).rstrip('.')}. A drug without a code of its own is not billed by name."
    elif isinstance(error, UnknownDrug) and (service := service_named(given.drug, encounter.on, reference.policy)):
        where = "as the visit" if service.kind == "visit" else "under services"
        says = f"{service.code} is no drug: it is {service.label}. It is not billed."
        fix = f"List it {where}, and what was given as the drug."
        return attrs.evolve(said, says=says, fix=fix, citations=(*said.citations, service.citation))
    else:
        return said
    if not codes:
        return said
    fix = f"Bill {codes} with name, dose and NDC in its description, if the drug had no other code that day."
    return attrs.evolve(said, says=says, fix=fix, citations=(*said.citations, *cited))


def service_named(drug: str, on: dt.date, policy: Policy) -> Procedure | None:
    """The row of a code of a service that stands where a drug belongs; None for anything else."""
    code = drug.strip().upper()
    return policy.procedure(code, on) if hcpcs.is_valid(code) else None
