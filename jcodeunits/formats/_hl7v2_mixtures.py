"""Admixtures of HL7: RXC (table 0166) says what is in the bag, additives (A) and the base (B)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

from jcodeunits import units
from jcodeunits.dose import Dose
from jcodeunits.errors import DoseError, FormatError
from jcodeunits.facts.reference import Reference

from . import _amounts, _incoming, _names, _noticed
from ._hl7v2_fields import amount_of, named, strength
from ._hl7v2_segments import SOURCE, Segment, refused
from ._incoming import Given
from ._outgoing import number


def taken_apart(given: Given, components: Sequence[Segment], facts: Reference) -> list[Given]:
    """The administrations of an RXA whose mixture the RXC segments (table 0166) take apart.

    The amount of an additive (A) is what is in the bag. The RXA says how much of the bag was given; it may also
    name the additive and its dose itself, and a base (B) alone changes nothing.
    """
    additives = [one for one in components if one.get(1).upper() == "A"]
    bases = [one for one in components if one.get(1).upper() == "B"]
    if unknown := [one for one in components if one not in additives and one not in bases]:
        raise refused(unknown[0].where, "RXC-1 does not say whether the component is an additive (A) or the base (B)")
    if not additives:
        return [given]
    drugs = [_component(one, facts) for one in additives]
    if len(drugs) == 1 and _is_the_drug(given, drugs[0][0], facts):
        held, dose = drugs[0][0].get("dose"), str(given.says["dose"])
        if held is None or _amounts.by_volume(held) or _amounts.one_dose(dose, held):
            return [given]
        asked = _noticed.component_differs(given.where, held, dose, SOURCE, "RXC-3")
        return [attrs.evolve(given, notes=(*given.notes, asked))]
    share = _share(given, bases, additives)
    return _incoming.together(given, [_part(says, gaps, share, given.where) for says, gaps in drugs])


_Said = tuple[dict[str, Any], dict[str, FormatError]]


def _component(rxc: Segment, facts: Reference) -> _Said:
    says: dict[str, Any] = {}
    gaps: dict[str, FormatError] = {}
    _incoming.take(says, gaps, named, rxc, 2, facts)
    _incoming.take(says, gaps, lambda: {"dose": amount_of(rxc, 3)})
    _incoming.take_strength(says, gaps, "hl7v2", rxc.where, strength, rxc, 5, 8)
    return says, gaps


def _is_the_drug(given: Given, additive: Mapping[str, Any], facts: Reference) -> bool:
    """Whether the RXA itself names the additive, with an amount of it and not of the bag."""
    mine, its = str(given.says.get("drug", "")), str(additive.get("drug", ""))
    dose = given.says.get("dose", "")
    return bool(mine and its and dose) and (
        not _amounts.by_volume(dose) and _names.relation(mine, its, facts) in ("same", "exact", "vague")
    )


def _share(given: Given, bases: Sequence[Segment], additives: Sequence[Segment]) -> Fraction | None:
    """How much of the bag was given, the additives' volumes counted in or not; None where the volumes do not say it."""
    dose = _volume(given.says.get("dose", ""))
    if dose is None:
        return None
    of_bases = [_said_volume(one) for one in bases]
    if not bases:
        return Fraction(1)  # the RXA is the bag
    if any(one is None for one in of_bases):
        return None
    bag = sum((one for one in of_bases if one is not None), Fraction(0))
    more = sum((one for additive in additives if (one := _said_volume(additive)) is not None), Fraction(0))
    if dose in (bag, bag + more):
        return Fraction(1)
    return dose / bag if dose < bag and not more else None


def _said_volume(rxc: Segment) -> Fraction | None:
    try:
        return _volume(amount_of(rxc, 3))
    except FormatError:
        return None


def _volume(dose: str) -> Fraction | None:
    """A dose in mL; None for what is no volume."""
    try:
        read = Dose.of(dose)
        return Fraction(read.to("mL").amount) if units.dimension(read.unit) == "volume" else None
    except DoseError:
        return None


def _part(says: dict[str, Any], gaps: dict[str, FormatError], share: Fraction | None, where: str) -> _Said:
    """What is said of a drug of which a share of the bag was given."""
    dose = says.get("dose")
    if share == 1 or dose is None:
        return says, gaps
    amount, _, unit = str(dose).partition(" ")
    part = None if share is None else Fraction(Decimal(amount)) * share
    if part is None or Fraction(exact := Decimal(part.numerator) / Decimal(part.denominator)) != part:
        says = {key: value for key, value in says.items() if key != "dose"}
        why = "the message does not say how much of the mixture was given, so the dose of each drug in it is not known"
        return says, {**gaps, "dose": refused(where, why, fills="dose")}
    return {**says, "dose": f"{number(exact)} {unit}"}, gaps
