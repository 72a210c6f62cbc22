"""What a dose of a combination counts: its parts as written out, or one amount, the whole unless it may be a part.

A label names a combination by its parts (600 mg/600 mg), by their sum, or both. The rows of `combined_doses` say how a
combination is given whose code counts one amount; of the others the code's own row says what one unit holds of each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

import attrs

from .. import units
from ..amount import decimal_text, round_up
from ..dated import Step
from ..dose import IN_PARTS, Dose
from ..errors import BasisNeeded, DoseError, JcodeunitsError, UnreadableDose, quoted
from ..finding import Finding, declare
from .agreement import counts_volume, ratio
from .drug_rows import CombinedDose, Component, Drug
from .drugs import Catalog
from .product_rows import Product

FINDINGS = declare(
    __name__, {"dose-of-parts": ("One amount of a combination that may be the whole or a part of it", "warn")}
)

_ROUNDED = 200  # labels round a part to less than half a percent


def settled(
    catalog: Catalog, row: Drug, dose: Dose, on: dt.date, basis: str | None = None, items: Sequence[Product] = ()
) -> tuple[Dose, str | None]:
    """The dose as the code counts it, and its basis; a dose of a code that is no combination as it is.

    Parts that are written out are added up, where they are those of the combination. One amount is taken as the code's
    rows say; of the product opened it is what a container holds. Raises `DoseError` for parts that do not fit, and for
    one amount that may as well be a part of another dose.
    """
    listed = _of_products(catalog.combined(row.code, on), row, items)
    if dose.unit == IN_PARTS and dose.parts:
        return _added_up(row, listed, dose, basis)
    if dose.parts or not listed or basis is not None or counts_volume(row):
        return dose, basis
    return _alone(row, listed, dose), basis


def _of_products(listed: Sequence[CombinedDose], row: Drug, items: Sequence[Product]) -> Sequence[CombinedDose]:
    """The ways that the products opened hold, where they are among those listed."""
    held = {_amount(row, item.dose) for item in items if item.dose is not None} if listed else ()
    return [one for one in listed if one.total(row.unit) in held] or listed


# --- parts that are written out ---------------------------------------------------------------------


def _added_up(row: Drug, listed: Sequence[CombinedDose], dose: Dose, basis: str | None) -> tuple[Dose, str | None]:
    if basis is not None:
        says = f"{quoted(dose.written)} says every part of {row.code} ({row.name}), so nothing is left for a basis."
        raise DoseError(f"{says} Leave it out.", given=dose.written, code=row.code, argument="basis")
    if not listed and not row.components:
        parted = " / " in row.ingredient
        why = "how its parts are counted is not listed" if parted else "it has one part"
        way = "Give the amount that the code counts." if parted else f"Write one amount: {dose.parts[0]}."
        says = f"{quoted(dose.written)} is no dose of {row.code} ({row.name}): {why}. {way}"
        raise UnreadableDose(says, given=dose.written, argument="dose", code=row.code)
    if not listed:
        return _of_components(row, dose)
    for one in listed:
        for parts in (one.parts, one.adding):
            amounts = _in_order(parts, dose)
            if amounts is not None:
                counted = [each for part, each in zip(parts, amounts, strict=True) if part in one.adding]
                return _sum(dose, counted, counted[0].unit), None
    raise _other_shares(row, [str(one) for one in listed], dose)


def _of_components(row: Drug, dose: Dose) -> tuple[Dose, str | None]:
    amounts = _in_order(row.components, dose)
    if amounts is None:
        shown = [f"{decimal_text(part.amount)} {units.label(part.unit)}" for part in row.components]
        raise _other_shares(row, ["/".join(shown)], dose)
    times = {_times(part, each) for part, each in zip(row.components, amounts, strict=True)}
    if len(times) == 1 and len({units.dimension(part.unit) for part in row.components}) == 1:
        return _sum(dose, amounts, row.unit or row.components[0].unit), "total"
    return _sum(dose, amounts[:1], amounts[0].unit), row.components[0].name  # a part that the label rounds


def _in_order(parts: Sequence[Component], dose: Dose) -> tuple[Dose, ...] | None:
    """The amounts of a dose in the order of a combination's parts, where they share as those do; else None."""
    if len(parts) != len(dose.parts):
        return None
    for amounts in permutations(dose.parts):
        times = [_times(part, each) for part, each in zip(parts, amounts, strict=True)]
        known = [one for one in times if one is not None]
        if len(known) == len(times) and all(abs(one - known[0]) * _ROUNDED <= known[0] for one in known):
            return amounts
    return None


def _times(part: Component, given: Dose) -> Fraction | None:
    """How many times the amount of a part a given one is; None where the two are measured otherwise."""
    if given.unit == "unit" and units.is_activity(part.unit):
        return given.amount / part.amount
    if units.dimension(given.unit) != units.dimension(part.unit):
        return None
    return given.amount * units.factor(given.unit, part.unit) / part.amount


def _sum(dose: Dose, amounts: Sequence[Dose], unit: str) -> Dose:
    total = sum((each.amount * units.factor(each.unit, unit) for each in amounts), Fraction(0))
    made = attrs.evolve(dose, amount=total * dose.amount, unit=unit)
    times = f"{decimal_text(dose.amount)} x " if dose.amount != 1 else ""
    of = f" of {'/'.join(map(str, dose.parts))}" if len(amounts) == 1 else ""
    whole = f"{decimal_text(made.amount)} {units.label(unit)}"
    step = Step(f"{times}{' + '.join(map(str, amounts))}{of} = {whole}", "what the code counts of the parts")
    return attrs.evolve(made, steps=(*dose.steps, step))


def _other_shares(row: Drug, shares: Sequence[str], dose: Dose) -> DoseError:
    return DoseError(
        f"{quoted(dose.written)} is no dose of {row.code} ({row.name}): it comes as {' or '.join(shares)}, and as "
        "multiples of that. Check the parts, or give the NDC.",
        given=dose.written,
        code=row.code,
        argument="dose",
    )


# --- one amount -------------------------------------------------------------------------------------


def _alone(row: Drug, listed: Sequence[CombinedDose], dose: Dose) -> Dose:
    """One amount as the total, where the rows let it be one; a volume as what it holds."""
    dense = {one.total(row.unit) / one.volume for one in listed if one.volume is not None}
    if units.dimension(dose.unit) == "volume":
        volume = dose.to("mL").amount
        whole = {
            one.total(row.unit) / one.volume for one in listed if one.volume and (volume / one.volume).denominator == 1
        }  # whole containers hold what their labels say, whatever one mL of another comes to
        if len(whole or dense) != 1 or not all(one.volume for one in listed):
            return dose
        per_ml = next(iter(whole or dense))
        total = f"{decimal_text(volume * per_ml)} {units.label(row.unit)}"
        step = Step(
            f"{decimal_text(volume)} mL x {decimal_text(per_ml)} {units.label(row.unit)}/mL = {total}",
            "volume x all parts in one mL",
            listed[0].citation,
        )
        return attrs.evolve(dose, amount=volume * per_ml, unit=row.unit, volume=volume, steps=(*dose.steps, step))
    if listed[0].alone == "total" or (given := _amount(row, dose)) is None:
        return dose
    if dose.volume is not None and given / dose.volume in dense:
        return dose  # as much of all parts together as that volume holds
    totals = [one for one in listed if one.total(row.unit) == given]
    others = [
        one
        for one in listed
        if one not in totals and any(part.amount * units.factor(part.unit, row.unit) == given for part in one.adding)
    ]
    if dose.volume is None and totals:
        known = attrs.evolve(dose, parts=tuple(Dose(part.amount, part.unit) for part in totals[0].adding))
        return _noted(row, known, totals[0], others[0]) if others else known
    if not others:
        return dose
    raise _which(row, listed, dose)


def _amount(row: Drug, dose: Dose) -> Fraction | None:
    """An amount in the unit that a row counts; None where it is measured otherwise."""
    try:
        return dose.amount * units.factor(dose.unit, row.unit)
    except JcodeunitsError:
        return None


def _noted(row: Drug, dose: Dose, taken: CombinedDose, other: CombinedDose) -> Dose:
    """A total that is a part of another dose too: a label means the whole, and the note says so."""
    says = f"{dose.written!r} was read as {taken} together; {other} is {_counted(row, other)}."
    note = Finding("dose-of-parts", "warn", says, f"Write {str(taken)!r}, or give the NDC.", (taken.citation,))
    return attrs.evolve(dose, notes=(*dose.notes, note))


def _which(row: Drug, listed: Sequence[CombinedDose], dose: Dose) -> DoseError:
    names = " and ".join(part.name for part in listed[0].adding)
    shown = "; ".join(f"{one} is {_counted(row, one)}" for one in sorted(listed, key=lambda one: one.total(row.unit)))
    taken = f"{row.code} counts {names} together, and {dose.written or dose} may be one part"
    says = f"{taken}: {shown}. Write the parts of the dose."
    if row.components:
        choices = tuple(part.name for part in row.components)
        says = f"{says[:-1]}, or say what it counts: total, {' or '.join(choices)}."
        return BasisNeeded(says, code=row.code, choices=choices, argument="basis")
    return DoseError(says, given=dose.written, code=row.code, argument="dose")


def _counted(row: Drug, one: CombinedDose) -> str:
    """What a listed dose comes to, in the code's own amount and in billing units."""
    whole = Dose(one.total(row.unit), row.unit)
    return f"{whole} ({round_up(ratio(row, whole) or Fraction(0))} billing units)"
