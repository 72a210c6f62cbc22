"""The NDC side of a drug line: which qualifier counts a product, and how much of it was given.

It is another count than the billing units: seven vials of a powder (UN 7) beside 56 units of its code. The
qualifier is read from the product's row, where it is proved, or asked of the caller; it never follows from
milligrams.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

from . import ndc, tables, units
from .amount import decimal_text, half_up, plain, read_decimal, told
from .dated import Citation, Step, Trace, as_date
from .dose import IN_PARTS, Dose
from .errors import (
    ContainerError,
    ContradictedProduct,
    FormNeeded,
    JcodeunitsError,
    UnitMismatch,
    UnreadableDose,
    quoted,
)
from .facts.combined import settled
from .facts.policy import Policy
from .facts.policy_rows import PayerOption
from .facts.product_rows import FORMS, MARKS, PROOFS, QUALIFIER_OF, AnotherPackage, Product
from .facts.reference import FromReference, Reference
from .finding import Finding, Findings, declare, with_own_rows
from .shown import Shown

FINDINGS = declare(__name__, {"ndc-form-from-memory": ("How the NDC is counted is general knowledge", "note")})

# What each qualifier counts.
QUALIFIERS = {"UN": "containers or pieces", "ML": "mL", "GR": "grams", "F2": "units of activity", "ME": "mg"}
USUAL = ("UN", "ML", "GR")


@attrs.frozen
class NdcWanted:
    """How a payer wants the NDC of a line counted.

    `allowed` are the qualifiers that it takes, `decimals` those of the quantity, `made_up` its row of powders that it
    counts by the volume made up.
    """

    allowed: tuple[str, ...]
    decimals: int
    made_up: PayerOption

    @classmethod
    def of(cls, policy: Policy, payer: str, on: dt.date, claim: str = "professional") -> NdcWanted:
        """As the payer's rows say on a day."""
        allowed, decimals, made_up = (
            policy.option(payer, name, on, claim) for name in ("ndc-qualifiers", "ndc-decimals", "ndc-made-up")
        )
        return cls(allowed.values, int(decimals.value or 3), made_up)


@attrs.frozen(repr=False)
class NdcQuantity(Shown, FromReference):
    """An NDC line's count: `ndc`, `qualifier`, `quantity` as printed, `exact` before the payer's decimals."""

    ndc: str
    qualifier: str
    quantity: Decimal
    exact: Fraction
    findings: Findings = attrs.field(default=(), repr=False)
    trace: Trace = attrs.field(default=Trace(), repr=False)
    reference: Reference = attrs.field(kw_only=True, repr=False, eq=False)

    @property
    def brief(self) -> str:
        """NDC and quantity."""
        return f"{self.ndc} {self}"

    def __str__(self) -> str:
        return f"{self.qualifier}{self.quantity:f}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; exact numbers are text."""
        named = {"ndc": self.ndc, "ndc_qualifier": self.qualifier, "ndc_quantity": plain(self.quantity)}
        return {**named, **told(self, "exact", "findings", "trace", "edition", "fingerprint")}


def product(number: object, on: object, reference: Reference | None = None) -> Product:
    """The product of an NDC on a date of service.

    Raises `InvalidNdc`, `AmbiguousNdc` or `UnknownProduct`.

    >>> print(product("0409-3795-01", on="2026-03-02").name)
    Ketorolac Tromethamine 30 mg/1 mL vial
    """
    return Reference.of(reference).products.find(number, on)[0]


@attrs.frozen
class Counting:
    """How an NDC line counts one product: the qualifier, how much of it one container is, and why.

    `per_container` is None where the container's volume is not known: then only a dose by volume can be
    counted. `made_up`: a powder that the payer counts by the volume it is made up to.
    """

    qualifier: str
    per_container: Fraction | None
    why: str
    citation: Citation | None = None
    made_up: bool = False


def counting(
    item: Product,
    on: object,
    form: str | None = None,
    told: bool = False,
    volume: Fraction | None = None,
    *,
    reference: Reference,
) -> Counting:
    """The qualifier of a product: from a reviewed row, from its proof, or from the caller's `form`.

    `told`: the caller says what one container or kit holds; `volume`: how many mL one container of a liquid
    holds. Raises `FormNeeded` where nothing proves the form and the caller did not say, or where a kit may hold
    several of the package's containers; `ContradictedProduct` where the volume is not the one that is known.
    """
    way = _way(item, on, form, told, reference)
    if isinstance(item, AnotherPackage):
        # A container is known only as far as the caller says it.
        way = attrs.evolve(way, per_container=Fraction(1) if way.qualifier == "UN" and told else None)
    if volume is None or way.qualifier != "ML":
        return way
    if way.per_container not in (None, volume):
        says = (
            f"NDC {item.number} ({item.label}): {decimal_text(volume)} mL in a container is said, and "
            f"{decimal_text(way.per_container or volume)} mL is known ({way.why}). Check the NDC and the label."
        )
        raise ContradictedProduct(says, ndc=item.ndc, reason="volume")
    return attrs.evolve(way, per_container=volume)


def _way(item: Product, on: object, form: str | None, told: bool, reference: Reference) -> Counting:
    if form is not None and (not isinstance(form, str) or form not in FORMS):
        raise ContainerError(f"{quoted(form)} is no form. Say one of {', '.join(FORMS)}.", given=form, allowed=FORMS)
    reviewed = reference.products.container(item.ndc, on)
    decides = item.proof in ("", "reviewed")
    if reviewed is not None and reviewed.form and (decides or QUALIFIER_OF[reviewed.form] != item.qualifier):
        if reviewed.quantity is None:
            _ask_for_kit(item, reviewed.form, told)
        way = by_form(reviewed.form, item.size)
        per = reviewed.quantity or way.per_container
        return Counting(way.qualifier, per, PROOFS["reviewed"], reviewed.citation)
    if item.qualifier:
        return Counting(item.qualifier, item.quantity, PROOFS[item.proof], item.citation)
    if form is None:
        says = (
            f"NDC {item.number} ({item.name}): nothing proves how its NDC line is counted. "
            f"Say what the container holds: {' or '.join(FORMS)} (‹form›)."
        )
        raise FormNeeded(says, ndc=item.ndc, choices=FORMS, argument="form")
    _ask_for_kit(item, form, told)
    return by_form(form, item.size)


def _ask_for_kit(item: Product, form: str, told: bool) -> None:
    """Ask what one kit holds where the package has several containers: it may be one kit or several."""
    if form != "kit" or item.containers == 1 or told:
        return
    each = f"{decimal_text(item.containers)} containers" + (f" of {item.contents}" if item.contents else "")
    says = (
        f"NDC {item.number} ({item.name}): its package has {each}, and one kit may hold several of them. "
        "Say what one kit holds (‹container_amount›), or that the ‹form› is powder where each container is "
        "counted by itself."
    )
    raise FormNeeded(says, ndc=item.ndc, choices=("container_amount", "powder"), argument="container_amount")


def as_the_payer_counts(
    way: Counting, number: str, codes: Collection[str], option: PayerOption | None, volume: Fraction | None
) -> Counting:
    """The count of a powder that the payer counts by the volume made up, which only the caller knows.

    `option` is the payer's row of `ndc-made-up`: codes, NDCs or their labeler and product (5-4), or `none`.
    """
    written = ndc.format(number)
    named = option is not None and any(
        one in codes or (one[:1].isdigit() and written.startswith(one)) for one in option.values
    )
    if option is None or not named or way.qualifier != "UN":
        return way
    return Counting("ML", volume, "the payer counts this powder by the volume it is made up to", option.citation, True)


def from_memory(number: str, way: Counting) -> Findings:
    """A count that stands on general knowledge alone is said."""
    if way.citation is None or way.citation.confidence != "low":
        return ()
    says = f"NDC {ndc.format(number)} is counted as {way.qualifier} by general knowledge of the product."
    return (Finding("ndc-form-from-memory", "note", says, "Check what the container holds.", (way.citation,)),)


def by_form(form: str, size: Fraction | None = None) -> Counting:
    """How a product is counted by what the caller says it is; `size` is its mL or grams where known."""
    qualifier = QUALIFIER_OF[form]
    per = Fraction(1) if qualifier == "UN" else size
    return Counting(qualifier, per, f"the caller says that it is a {form}")


def ndc_quantity(
    item: object,
    dose: object,
    on: object,
    form: str | None = None,
    *,
    container_amount: object = None,
    container_volume: object = None,
    qualifier: str | None = None,
    allowed: Collection[str] = USUAL,
    decimals: int = 3,
    minimum: str | None = None,
    made_up: PayerOption | None = None,
    reference: Reference | None = None,
) -> NdcQuantity:
    """The NDC quantity of a dose: millilitres of a liquid, containers of a powder or kit, grams of a cream.

    `item` is an NDC or a `Product`; `dose` an amount of drug or a volume; `form` what the container holds,
    where nothing proves it; `container_amount` what one counted container or kit holds, where that is not
    known or a kit may hold several containers; `container_volume` the volume of one container of a liquid, where
    that is not known. `qualifier` asks for F2 (activity) or ME (mg), which are never
    chosen, and only where the payer takes them (`allowed`). The quantity is rounded half up to `decimals`,
    never to zero; `minimum` is the payer's smallest quantity, `made_up` its row of powders that it counts by the
    volume made up. Raises `FormNeeded`, `ContradictedProduct`,
    `UnitMismatch` and what the look-up raises.

    >>> print(ndc_quantity("0409-3795-01", "30 mg", on="2026-03-02"))
    ML1
    >>> print(ndc_quantity("65757-0300-01", "380 mg", on="2026-03-02"))
    UN1
    """
    day, given = as_date(on), dose if isinstance(dose, Dose) else Dose.of(dose)
    book = Reference.of(reference)
    if qualifier is not None and not (isinstance(qualifier, str) and qualifier in QUALIFIERS):
        known = tuple(QUALIFIERS)
        says = f"{quoted(qualifier)} is no qualifier. Say one of {', '.join(known)}."
        raise ContainerError(says, given=qualifier, allowed=known)
    found, notes = (item, ()) if isinstance(item, Product) else book.products.find(item, day)
    if qualifier in ("F2", "ME"):
        way = Counting(qualifier, None, "asked for by the caller")
        exact, step = _by_measure(found, given, qualifier)
    else:
        held = None
        if container_amount is not None:
            held = _settled(found, Dose.of(container_amount), day, book, "container_amount")
        volume = None if container_volume is None else volume_of(container_volume)
        way = counting(found, day, form, held is not None, volume, reference=book)
        way = as_the_payer_counts(way, found.ndc, found.codes, made_up, volume)
        exact, step = _by_container(found, _settled(found, given, day, book), way, held, book)
    wanted = way.qualifier if qualifier is None else qualifier
    if wanted not in allowed or wanted != way.qualifier:
        says = (
            f"NDC {found.number} is counted as {way.qualifier} ({QUALIFIERS[way.qualifier]}); "
            f"the payer takes {', '.join(allowed)}, and {wanted} was asked for."
        )
        raise ContainerError(says, given=wanted, allowed=tuple(allowed))
    notes = with_own_rows((*notes, *from_memory(found.ndc, way)), (found.citation, way.citation))
    steps = (Step(f"NDC {found.number} {found.name}", way.why, way.citation or found.citation), step)
    quantity, how = rounded(exact, decimals, minimum)
    return NdcQuantity(found.ndc, way.qualifier, quantity, exact, notes, Trace(steps) + how, reference=book)


def volume_of(written: object) -> Fraction:
    """The volume of one container in mL, as the caller says it. Raises `ContainerError` for anything else."""
    try:
        return Dose.of(written).to("mL").amount
    except JcodeunitsError as why:
        raise ContainerError(
            f"The volume of a container, {quoted(written)}, cannot be used: {why}", given=written, instead="1 mL"
        ) from None


def rounded(exact: Fraction, decimals: int = 3, minimum: str | None = None) -> tuple[Decimal, Trace]:
    """An exact quantity as it is printed, and the step: half up, never zero or below the payer's minimum."""
    scale = 10**decimals
    whole = half_up(exact.numerator * scale, exact.denominator)
    try:
        if minimum is not None and not isinstance(minimum, str):
            raise ValueError("text is wanted")
        least = max(Fraction(1, scale), read_decimal(minimum) if minimum else Fraction(0))
    except ValueError:
        raise ContainerError(
            f"minimum: {quoted(minimum)} is no quantity. Write it as 0.001.", given=minimum, allowed=()
        ) from None
    value = max(Fraction(whole, scale), least)
    steps: tuple[Step, ...] = ()
    if value != exact:
        how = tables.cited("nucc-1500", "quantity")
        says = f"{decimal_text(exact)} -> {decimal_text(value)}"
        steps = (Step(says, f"rounded to {decimals} decimals", how),)
    return Decimal(decimal_text(value)), Trace(steps)


def _settled(found: Product, given: Dose, on: dt.date, reference: Reference, argument: str = "dose") -> Dose:
    """The dose of a combination as its code counts it, where the product has one code."""
    rows = [row for code in found.codes for row in reference.drugs.rows(code) if row.period.holds(on)]
    if len(rows) == 1:
        return settled(reference.drugs, rows[0], given, on, None, (found,))[0]
    if given.unit != IN_PARTS:
        return given
    says = f"{quoted(given.written)} names every part, and no code says how those of NDC {found.number} are counted."
    raise UnreadableDose(f"{says} Write one amount, their sum.", given=given.written, argument=argument)


def _by_container(
    found: Product, given: Dose, way: Counting, held: Dose | None, reference: Reference
) -> tuple[Fraction, Step]:
    """The part of a container that the dose is, in what the qualifier counts."""
    found.agrees(given)
    given = found.held(given)
    if way.qualifier == "ML" and units.dimension(given.unit) == "volume":
        volume = given.to("mL").amount
        return volume, Step(f"{given} given", "the dose is a volume")
    dense, each = found.per_counted, "a container"
    if dense is not None and not way.made_up and (way.per_container is None or (held is None and not found.amount)):
        # One mL, or one of what is counted, stands for the container.
        held, way, each = Dose(dense, found.unit), attrs.evolve(way, per_container=Fraction(1)), "in one"
    label = labelled(found, reference) if held is None else held
    if units.dimension(given.unit) != units.dimension(label.unit) and not _both_activity(given.unit, label.unit):
        holds = f"holds {label} in a container" if each == "a container" else f"is measured in {label.unit}"
        says = f"NDC {found.number} {holds}; a dose of {given} cannot be measured by it."
        raise UnitMismatch(says, given=given.unit, needed=label.unit, code="|".join(found.codes))
    factor = Fraction(1) if _both_activity(given.unit, label.unit) else units.factor(given.unit, label.unit)
    part = given.amount * factor / label.amount
    if way.per_container is None:
        says = (
            f"NDC {found.number} ({found.name}): the volume of a container is not known. "
            "Give it (‹container_volume›), or the dose by volume, such as '1.7 mL'."
        )
        raise FormNeeded(says, ndc=found.ndc, choices=("container_volume", "a dose in mL"), argument="container_volume")
    exact = part * way.per_container
    what = QUALIFIERS[way.qualifier]
    return exact, Step(f"{given} of {label} {each} = {decimal_text(exact)} {what}", "exact")


def _both_activity(one: str, other: str) -> bool:
    """Plain "units" mean the drug's own activity unit, whichever name CMS prints."""
    return units.is_activity(one) and units.is_activity(other) and "unit" in (one, other)


def _by_measure(found: Product, given: Dose, qualifier: str) -> tuple[Fraction, Step]:
    if qualifier == "ME":
        amount = given.to("mg").amount
    elif units.is_activity(given.unit):
        amount = given.amount
    else:
        says = f"F2 counts units of activity; the dose of NDC {found.number} is {given}."
        raise UnitMismatch(says, given=given.unit, needed="unit", code="|".join(found.codes))
    return amount, Step(f"{decimal_text(amount)} {QUALIFIERS[qualifier]}", "asked for by the caller")


def labelled(found: Product, reference: Reference) -> Dose:
    """The labelled amount of one container; `ContradictedProduct` where the published row gives none."""
    if found.dose is None:
        raise unlabelled(found, reference)
    return found.dose


def unlabelled(found: Product, reference: Reference) -> ContradictedProduct:
    """Why the amount in one container is not known, and what to give instead."""
    why = "; ".join(MARKS[mark] for mark in found.marks) or "no amount is listed"
    if isinstance(found, AnotherPackage):
        other = f"another package, {ndc.format(found.sibling)}," if found.sibling else "one unit of its NDC line"
        why = f"only {other} is known, and packages differ in what they hold"
    reviewed = reference.products.review(found.ndc)
    if reviewed is not None and reviewed.note:
        why = reviewed.note
    return ContradictedProduct(
        f"NDC {found.number} ({found.label}): {why}. Give the amount on the label of one container.",
        ndc=found.ndc,
        reason=why,
    )
