"""Whether smaller containers would have left less of a drug: advice, since the claim carries what was opened."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from functools import lru_cache

from jcodeunits import tables
from jcodeunits.dose import Dose
from jcodeunits.errors import JcodeunitsError
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding, Findings, declare
from jcodeunits.vials import IN_USE, best_fit, waste_units

from .opened import countable, listed_kind

FINDINGS = declare(
    __name__, {"smaller-containers": ("Smaller containers of the drug would have left less to discard", "note")}
)
_UNIT = "each"  # amounts here are billing units


def smaller_containers(drug: Drug, given: Fraction, discarded: int, on: dt.date, reference: Reference) -> Findings:
    """A note where a dose of so many billing units fits the sizes listed under its code with less left over."""
    sizes = _sizes(drug, on, reference)
    if not sizes or given <= 0:
        return ()
    try:
        fit = best_fit(Dose(given, _UNIT), [Dose(size, _UNIT) for size in sizes])
    except JcodeunitsError:
        return ()  # too many sizes, or without a common measure
    left = waste_units(given, fit.waste.amount, fit.total.amount, Fraction(1))
    if left >= discarded:
        return ()
    opened = " + ".join(f"{count} x {sizes[size.amount]}" for size, count in fit.containers)
    says = (
        f"{drug.code}: {opened} would have left {left or 'no'} billing units, where {discarded} were discarded. "
        "Contractors want the smallest containers that are sold."
    )
    fix = "Nothing, if those were not to be had; bill what was opened."
    return (Finding("smaller-containers", "note", says, fix, (tables.cited("mac-cgs-jw-jz", "smallest vial"),)),)


@lru_cache(maxsize=1024)
def _sizes(drug: Drug, on: dt.date, reference: Reference) -> dict[Fraction, Dose]:
    """The single-dose sizes listed under a code, in billing units, with the amount on the label."""
    found: dict[Fraction, Dose] = {}
    for item in reference.products.of_code(drug.code, on):
        if item.dose is None or listed_kind(item, on, reference)[0] in IN_USE:
            continue
        if (size := countable(item.dose, drug)) is not None:
            found.setdefault(size, item.dose)
    return found
