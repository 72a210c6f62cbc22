"""The dose of one administration, worked out from weight, body surface or volume where it was ordered by them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from jcodeunits import routes, units
from jcodeunits.dose import Dose
from jcodeunits.encounter import Administration, Patient
from jcodeunits.errors import UnreadableDose, quoted
from jcodeunits.facts.choosing import drawn
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.drugs import Catalog
from jcodeunits.quantity import volume_of

from .opened import Found

_BY_WEIGHT = re.compile(r"/\s*kg\b")
_MEASURED = re.compile(r"(?:[x×*] ?|(?<=\w) )[\d.]+ ?\w+")  # the measure stands in the text of the dose
_BY_SURFACE = re.compile(r"/\s*(?:m2|m²|sq m)\b")


def dose_of(administration: Administration, patient: Patient) -> Dose:
    """The dose; a route behind it must be that of the administration."""
    dose = _worked_out(administration, patient)
    if dose.route is not None and not routes.agree(dose.route, administration.route):
        says = (
            f"The dose {quoted(dose.written)} names the route {dose.route}, and the administration says "
            f"{administration.route}. Correct one of them."
        )
        raise UnreadableDose(says, given=dose.written, argument="dose", instead=str(dose))
    return attrs.evolve(dose, route=None)


def is_worked_out(dose: Dose) -> bool:
    """Whether a dose was worked out from the patient's weight or surface, so that it may have many digits."""
    return any(step.why in ("dose by weight", "dose by body surface") for step in dose.steps)


def by_record(administration: Administration, row: Drug, catalog: Catalog) -> Callable[[Dose, Found], Dose]:
    """A volume as the amount in it: by the record's concentration, the strength in the drug's name, or the product."""

    def amount(volume: Dose, found: Found) -> Dose:
        if administration.concentration is not None:
            return Dose.by_volume(str(volume), administration.concentration)
        return by_product(drawn(catalog, administration.drug.strip(), volume, row), [found], administration.form)

    return amount


def by_product(dose: Dose, found: Sequence[Found], form: str | None) -> Dose:
    """A volume as an amount of drug, where what was opened holds one concentration, proved or said; else as it is."""
    if units.dimension(dose.unit) != "volume":
        return dose
    known = [made for made in (_out_of(one, dose, form) for one in found) if made is not dose]
    return known[0] if len({(made.amount, made.unit) for made in known}) == 1 else dose


def _out_of(found: Found, dose: Dose, form: str | None) -> Dose:
    item, entry = found.item, found.entry
    if item is not None:
        return item.drawn(dose, volume_of(entry.volume) if entry.volume is not None and form == "liquid" else None)
    if entry.amount is None or entry.volume is None or form not in (None, "liquid"):
        return dose
    made = Dose.by_volume(str(dose), f"{entry.amount}/{entry.volume}")
    return attrs.evolve(made, written=dose.written, notes=dose.notes, route=dose.route)


def _worked_out(administration: Administration, patient: Patient) -> Dose:
    """The dose, worked out from weight, body surface or volume where it was ordered by them."""
    written = administration.dose
    if isinstance(written, Dose):
        return written
    for pattern, measure, name, make in (
        (_BY_WEIGHT, patient.weight, "weight", Dose.by_weight),
        (_BY_SURFACE, patient.surface, "surface", Dose.by_surface),
    ):
        if pattern.search(written):
            if measure is None and _MEASURED.search(written):
                return Dose.of(written)
            if measure is None:
                says = (
                    f"The dose {quoted(written)} needs the patient's {name}, which is not given. "
                    f"Give {name}, or the dose in all."
                )
                raise UnreadableDose(says, given=written, argument=name.rpartition(" ")[2])
            return make(written, measure)
    if administration.concentration is not None:
        return Dose.by_volume(written, administration.concentration)
    return Dose.of(written)
