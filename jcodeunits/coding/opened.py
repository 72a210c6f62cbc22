"""What was opened for a dose: products, their labelled amounts in billing units, and their NDC quantities."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

from jcodeunits import ndc, units
from jcodeunits.amount import decimal_text, round_up
from jcodeunits.convert import listed_units, measured
from jcodeunits.dated import Citation, Step
from jcodeunits.dose import IN_PARTS, Dose
from jcodeunits.encounter import Administration, OpenedProduct
from jcodeunits.errors import (
    ContainerError,
    ContradictedProduct,
    FormNeeded,
    IdentifierError,
    JcodeunitsError,
    UnitMismatch,
    UnknownProduct,
    quoted,
)
from jcodeunits.facts.agreement import counts_volume
from jcodeunits.facts.combined import settled
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.product_rows import FORMS, AnotherPackage, Product
from jcodeunits.facts.products import expired
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding, Findings, declare, softened
from jcodeunits.quantity import (
    Counting,
    NdcWanted,
    as_the_payer_counts,
    by_form,
    counting,
    from_memory,
    rounded,
    unlabelled,
    volume_of,
)
from jcodeunits.vials import thrown_away

FINDINGS = declare(
    __name__,
    {
        "container-amount-differs": ("A container's recorded amount is not its product row's", "stop, warn"),
        "container-volume-differs": ("A container's recorded volume is not its product row's", "stop, warn"),
        "package-of-several": ("Containers are counted one by one, and the package of the NDC holds several", "note"),
        "container-from-memory": ("The container kind is general knowledge", "note"),
        "container-differs": ("The container kind said is not that of the product row", "warn"),
        "ndc-form": ("The NDC quantity depends on what the container holds", "warn"),
        "ndc-invalid": ("What was given as NDC is none", "stop"),
        "ndc-made-up": ("The payer counts the powder by the volume made up", "note"),
        "ndc-qualifier": ("A unit of measure that the payer does not take", "warn"),
        "ndc-quantity-unknown": ("The NDC quantity is not known", "warn"),
        "ndc-unknown": ("No product row knows the NDC", "warn"),
        "product-amount-unknown": ("CMS's row of the product contradicts itself", "warn"),
    },
)


@attrs.frozen
class Opened:
    """One product that was opened: its NDC (11 digits), its row where one is known, and the record about it.

    `each` is the labelled amount of one container in billing units, `label` of all of them, `discarded`
    what is recorded as thrown away; None is not known. `given` is the part of the dose that came from it. `told`:
    the record itself says the amount in one container; `volume`: the mL that it says one holds. `per_ml`: the
    billing units in one mL, or one of what counts it, where that is known and the container is not.
    """

    number: str | None
    item: Product | None
    containers: int | None
    each: Fraction | None
    discarded: Fraction | None
    given: Fraction | None = None
    told: bool = False
    volume: Fraction | None = None
    per_ml: Fraction | None = None

    @property
    def label(self) -> Fraction | None:
        """The labelled amount of all its containers, in billing units."""
        return None if self.each is None or self.containers is None else self.each * self.containers


@attrs.frozen
class Found:
    """The product row behind an entry, read before the code is known, and what was said on the way."""

    entry: OpenedProduct
    number: str | None
    item: Product | None
    findings: Findings


def look_up(administration: Administration, drug_is_ndc: bool, on: dt.date, reference: Reference) -> tuple[Found, ...]:
    """The product row of every NDC opened. What is no NDC is a stop; what nobody lists, a question."""
    entries = administration.products
    if drug_is_ndc and not any(entry.ndc for entry in entries):
        first = entries[0] if entries else OpenedProduct()
        entries = (attrs.evolve(first, ndc=administration.drug), *entries[1:])
    return tuple(_found(entry, on, reference) for entry in entries)


def _found(entry: OpenedProduct, on: dt.date, reference: Reference) -> Found:
    if entry.ndc is None:
        return Found(entry, None, None, ())
    try:
        item, notes = reference.products.find(entry.ndc, on)
    except IdentifierError as error:
        fix, cited = "Correct the NDC; it is left off the claim.", (reference.products.newest,)
        return Found(entry, None, None, (Finding("ndc-invalid", "stop", str(error), fix, cited),))
    except UnknownProduct as error:
        cite = reference.products.newest
        said = Finding("ndc-unknown", "warn", str(error), "Check the NDC against the package.", (cite,))
        late = expired(ndc.format(error.ndc), entry.lot, entry.expires, on, cite)
        return Found(entry, error.ndc, None, (said, *late))
    if not any(note.rule == "product-expired" for note in notes):
        notes = (*notes, *expired(item.number, entry.lot, entry.expires, on, item.citation))
    return Found(entry, item.ndc, item, notes)


def weigh(
    found: Found,
    drug: Drug,
    basis: str | None,
    reference: Reference,
    on: dt.date,
    drawn: Callable[[Dose, Found], Dose] = lambda volume, _: volume,
) -> tuple[Opened, Findings]:
    """One product's labelled and discarded amounts in billing units of the code, and what is odd about them.

    Of a combination either may be said by its parts, as a dose may. A discarded volume counts as the amount in it:
    `drawn` tells it.
    Raises `ContainerError` for an amount that cannot be read or counted.
    """
    entry, said = found.entry, list(found.findings)
    listed = _listed_amount(found, drug, basis)
    each = listed

    def counted(amount: Dose) -> Fraction:
        own = settled(reference.drugs, drug, amount, on) if amount.unit == IN_PARTS else (amount, basis)
        return in_units(own[0], drug, own[1])

    written = _labelled(entry, listed, drug, counted)
    if written is not None:
        each = _read("the amount in one container", Dose.of, written, counted)
        if listed is not None and listed != each and found.item is not None:
            said.append(_amounts_differ(found.item, written))
    elif found.item is not None and listed is None:
        said += _no_amount(found.item, reference)
    discarded = None
    if entry.discarded is not None:
        discarded = _read("the discarded amount", _amount_thrown(found, drug, drawn), entry.discarded, counted)
    told = written is not None
    volume = None if entry.volume is None else volume_of(entry.volume)
    per_ml = _per_ml(found.item, drug, basis)
    return Opened(found.number, found.item, entry.containers, each, discarded, None, told, volume, per_ml), tuple(said)


def _labelled(
    entry: OpenedProduct, listed: Fraction | None, drug: Drug, counted: Callable[[Dose], Fraction]
) -> str | None:
    """What the record says of one container: its volume where the code counts one and no amount of it is known."""
    if entry.volume is None or not counts_volume(drug):
        return entry.amount
    if entry.amount is None:
        return entry.volume if listed is None else None
    try:
        counted(Dose.of(entry.amount))
    except UnitMismatch:
        return entry.volume
    except JcodeunitsError:
        pass  # what cannot be read is named where it is used
    return entry.amount


def _amount_thrown(found: Found, drug: Drug, drawn: Callable[[Dose, Found], Dose]) -> Callable[[object], Dose]:
    """Reads a discarded amount; a volume as the amount of drug in it, where the code counts no volume."""

    def read(written: object) -> Dose:
        thrown = thrown_away(written)
        if units.dimension(thrown.unit) != "volume" or not thrown.amount or counts_volume(drug):
            return thrown
        return drawn(thrown, found)

    return read


def measured_rest(discarded: Fraction, rest: Fraction, given: Sequence[Administration], drug: Drug) -> Fraction:
    """The recorded discard beside a dose worked out from weight or surface: the rest, as far as it was measured.

    A syringe shows fewer digits than the sum does: the record may be off by less than one of its last digit.
    """
    digits = []
    for entry in (entry for one in given for entry in one.products if entry.discarded):
        amount = thrown_away(entry.discarded)
        written = re.search(r"\.(\d+)", str(entry.discarded))
        last = Fraction(1, 10 ** len(written[1])) if written else Fraction(1)
        if amount.amount:
            digits.append(in_units(Dose(last, amount.unit), drug, given[0].basis))
    return rest if rest >= 0 and digits and abs(discarded - rest) < max(digits) else discarded


def counts_whole(drug: Drug, unit: str) -> bool:
    """Whether a dose in a unit is counted, not measured, of what the code counts up to an amount of."""
    if drug.basis != "up to" or not drug.unit or not units.is_count(unit):
        return False
    return units.dimension(unit) != units.dimension(drug.unit)


def held_whole(opened: Opened, drug: Drug, unit: str) -> Opened:
    """The opened product as a dose in a unit takes it: of what is counted whole, less than the amount is one too."""
    if opened.each is None or opened.containers is None or not counts_whole(drug, unit):
        return opened
    return attrs.evolve(opened, each=Fraction(round_up(opened.each * opened.containers), opened.containers))


def _per_ml(item: Product | None, drug: Drug, basis: str | None) -> Fraction | None:
    """The billing units in one mL, or one of what counts it, of a package whose container is not known."""
    if not isinstance(item, AnotherPackage) or item.per_counted is None:
        return None
    return countable(Dose(item.per_counted, item.unit), drug, basis)


def _read(what: str, read: Callable[[object], Dose], written: str, counted: Callable[[Dose], Fraction]) -> Fraction:
    """An amount of the record in billing units; the error names which amount cannot be used."""
    try:
        amount = read(written)
        return counted(amount) if amount.amount else Fraction(0)
    except JcodeunitsError as error:
        says = f"{what.capitalize()}, {quoted(written)}, cannot be used: {error}"
        raise ContainerError(says, given=written) from None


def in_units(amount: Dose, drug: Drug, basis: str | None) -> Fraction:
    """An amount in billing units of a code, before any rounding; a band's amounts stay as they are."""
    if amount.unit == "billing unit":
        return amount.amount
    measure = measured(drug, amount.unit, basis)
    if measure.way == "band":
        return amount.amount * units.factor(amount.unit, measure.unit)
    return amount.amount * measure.ratio


def countable(amount: Dose, drug: Drug, basis: str | None = None) -> Fraction | None:
    """The same; None for an amount in another measure than the code counts, or of a part of it."""
    try:
        return in_units(amount, drug, basis)
    except JcodeunitsError:
        return None


def _listed_amount(found: Found, drug: Drug, basis: str | None) -> Fraction | None:
    if found.item is None or found.item.dose is None:
        return None
    if found.item.unit == "billing unit" and drug.basis == "band":
        return None  # one unit for any dose of the band: that is no amount
    try:
        if drug.components:
            return listed_units(drug, found.item.dose, basis)
        return in_units(found.item.dose, drug, basis)
    except JcodeunitsError:
        return None  # listed in another measure than this code counts


def _amounts_differ(item: Product, written: str) -> Finding:
    says = f"A container of NDC {item.number} holds {item.dose} by CMS's crosswalk; the record says {written}."
    fix, cited = "Check the NDC and the amount on the label.", (item.citation,)
    return Finding("container-amount-differs", "stop" if item.confidence == "high" else "warn", says, fix, cited)


def _no_amount(item: Product, reference: Reference) -> Findings:
    if item.amount is not None:
        return ()  # listed in another measure than the code counts
    says, fix = unlabelled(item, reference), "Give the amount in one container."
    return (Finding("product-amount-unknown", "warn", str(says), fix, (item.citation,)),)


def share(opened: tuple[Opened, ...], given: Fraction) -> tuple[Opened, ...]:
    """How much of the dose came from each product.

    One product gave all of it. Of several, each gave what its label holds less what is recorded as discarded;
    what is left over beyond the records belongs to the last ones opened.
    """
    if len(opened) == 1:
        return (_counted_by_the_record(attrs.evolve(opened[0], given=given)),)
    labels = [o.label for o in opened]
    if any(label is None for label in labels):
        return opened
    left = sum((label for label in labels if label is not None), Fraction(0)) - given
    left -= sum((o.discarded or Fraction(0) for o in opened), Fraction(0))
    shared: list[Opened] = []
    for o, label in zip(reversed(opened), reversed(labels), strict=True):
        room = (label or Fraction(0)) - (o.discarded or Fraction(0))
        kept = min(max(left, Fraction(0)), room)
        left -= kept
        shared.append(attrs.evolve(o, given=room - kept))
    return tuple(reversed(shared))


def _counted_by_the_record(o: Opened) -> Opened:
    """Containers that nobody counted, where the dose and what is recorded as discarded fill whole ones."""
    if o.containers is not None or not o.each or not o.discarded or o.given is None:
        return o
    filled = filled_whole(o.given, o.discarded, o.each)
    return attrs.evolve(o, containers=int(filled)) if filled else o


def filled_whole(given: Any, discarded: Any, each: Any) -> Any:
    """How many whole containers dose and discard fill together, else 0; exact amounts, or arrays of one scale."""
    filled, rest = divmod(given + discarded, each)
    return filled * (rest == 0)


def whole_label(labels: Iterable[Fraction | None]) -> Fraction | None:
    """The labelled amount of all containers together; None where that of one is not known."""
    known = list(labels)
    if not known or any(label is None for label in known):
        return None
    return sum((label for label in known if label is not None), Fraction(0))


def not_recorded(opened: tuple[Opened, ...]) -> str:
    """What would tell the labelled amount opened."""
    counts = not opened or any(o.containers is None for o in opened)
    amounts = not opened or any(o.each is None for o in opened)
    wanted = [word for word, lacks in (("containers", counts), ("the amount in one container", amounts)) if lacks]
    return " and ".join(wanted)


def several_in_a_package(opened: Iterable[Opened]) -> Findings:
    """That the packages of what was opened hold several containers; said where the dose is above what was counted."""
    said = []
    for item in dict.fromkeys(o.item for o in opened):
        if item is not None and item.dose is not None and item.containers > 1:
            number = decimal_text(item.containers)
            says = f"A package of NDC {item.number} holds {number} containers of {item.dose}: containers counts those."
            fix = f"Give containers: {number} for a whole package."
            said.append(Finding("package-of-several", "note", says, fix, (item.citation,)))
    return tuple(said)


@attrs.frozen
class Quantities:
    """One product's NDC fields: the qualifier, and the quantity given, discarded and opened in all."""

    number: str
    qualifier: str | None = None
    given: Decimal | None = None
    discarded: Decimal | None = None
    opened: Decimal | None = None
    steps: tuple[Step, ...] = ()


def counted_as(
    o: Opened, form: str | None, on: dt.date, reference: Reference, wanted: NdcWanted, codes: Collection[str]
) -> tuple[Counting | None, Findings]:
    """How the NDC opened is counted on the line (made up: by NDC or the drug's `codes`), or why that is not known."""
    number, item, volume = o.number, o.item, o.volume
    if number is None or (item is None and form is None):
        return None, ()  # that nobody lists it has been said
    cite = item.citation if item is not None else reference.products.newest
    try:
        if item is not None:
            way = counting(item, on, form, o.told, volume, reference=reference)
        else:
            way = by_form(form or "", volume)
        way = as_the_payer_counts(way, number, item.codes if item is not None else codes, wanted.made_up, volume)
    except FormNeeded as error:
        what = "form: " if error.choices == FORMS else ""
        fix = f"Say {what}{', '.join(error.choices[:-1])} or {error.choices[-1]}."
        return None, (Finding("ndc-form", "warn", str(error), fix, (cite,), argument=error.argument),)
    except ContradictedProduct as error:
        fix = "Check the NDC and the volume on the label."
        said = Finding("container-volume-differs", softened("stop", (cite,)), str(error), fix, (cite,))
        return None, (said,)
    if way.qualifier not in wanted.allowed:
        says = f"NDC {ndc.format(number)} is counted as {way.qualifier}, which the payer does not take."
        fix = f"Ask the payer how to report it; it takes {', '.join(wanted.allowed)}."
        return None, (Finding("ndc-qualifier", "warn", says, fix, (cite,)),)
    return way, (*from_memory(number, way), *_made_up(number, way))


def _made_up(number: str, way: Counting) -> Findings:
    if not way.made_up or way.citation is None:
        return ()
    says = f"NDC {ndc.format(number)} is a powder that the payer counts in mL made up; others count the container."
    return (Finding("ndc-made-up", "note", says, "Say the volume that one container makes.", (way.citation,)),)


# Which figure is the quantity of what was given: a volume as it is, the dose's part of a container, the containers.
VOLUME, PART, CONTAINERS, UNKNOWN = "volume", "part", "containers", ""


def rated(o: Opened, way: Counting) -> tuple[Fraction | None, Counting]:
    """What one billing unit counts on the NDC line (None: not known), and by what: a container, else one mL of it."""
    if way.per_container is not None and o.each:
        return way.per_container / o.each, way
    if o.per_ml and not way.made_up:
        # One mL, or one of what is counted, stands for the container, which is not known.
        return 1 / o.per_ml, attrs.evolve(way, per_container=Fraction(1))
    return None, way


def measured_by(way: Counting, volume: bool, each: bool, containers: bool) -> str:
    """Which figure counts what was given; told by whether the dose is a volume, and what else is known.

    >>> measured_by(Counting("UN", Fraction(1), ""), volume=True, each=True, containers=False)
    'part'
    """
    if volume and way.qualifier == "ML":
        return VOLUME
    if way.per_container is None:
        return UNKNOWN
    if each:
        return PART
    return CONTAINERS if containers else UNKNOWN


def count(
    o: Opened,
    form: str | None,
    volume: Fraction | None,
    on: dt.date,
    reference: Reference,
    wanted: NdcWanted,
    codes: Collection[str] = (),
) -> tuple[Quantities | None, Findings]:
    """The NDC quantities of one product, or why they are not known; `volume` is a dose given in mL."""
    if o.number is None:
        return None, ()
    way, said = counted_as(o, form, on, reference, wanted, codes)
    if way is None:
        return Quantities(o.number), said
    cite = o.item.citation if o.item is not None else reference.products.newest
    made, more = _quantities(o, o.number, way, volume, wanted.decimals, cite)
    return made, (*said, *more)


def _quantities(
    o: Opened, number: str, way: Counting, volume: Fraction | None, decimals: int, cite: Citation
) -> tuple[Quantities, Findings]:
    per, name = way.per_container, f" ({o.item.name})" if o.item is not None else ""
    rate, one = rated(o, way)
    whole = None if per is None or o.containers is None else o.containers * per
    figures = {VOLUME: volume, CONTAINERS: whole, PART: None if rate is None or o.given is None else o.given * rate}
    alone = o.label is None and bool(o.containers)  # the amount is not known, so the containers are what can be counted
    each = bool(o.each) or one is not way
    given = figures.get(measured_by(one, volume is not None, each and o.given is not None, alone))
    if given is None:
        says = f"The NDC quantity of {ndc.format(number)}{name} does not follow from what is known."
        fix = "Give the number of containers, the amount and the volume of one, or the dose by volume."
        return Quantities(number), (Finding("ndc-quantity-unknown", "warn", says, fix, (cite,)),)
    thrown = None if rate is None or not o.discarded else o.discarded * rate
    quantity, how = rounded(given, decimals)
    says = f"NDC {ndc.format(number)}{name}: {way.qualifier} {decimal_text(given)}"
    made = Quantities(
        number,
        way.qualifier,
        quantity,
        None if thrown is None else rounded(thrown, decimals)[0],
        None if whole is None else rounded(whole, decimals)[0],
        (Step(says, way.why, way.citation or cite), *how.steps),
    )
    return made, ()


def kind_of(
    said: str | None, items: Sequence[Product | None], on: dt.date, reference: Reference
) -> tuple[str, Findings, bool]:
    """Single-dose or multi-dose, what is to be said about it, and whether it is general knowledge alone.

    The kind is what the caller says, else what the rows of all products say; else empty.
    """
    listed = [listed_kind(item, on, reference) for item in items]
    if said:
        return said, _kind_differs(said, items, listed), False
    if len({kind for kind, _ in listed}) != 1:
        return "", (), False
    kind, source = min(listed, key=lambda found: found[1] is not None and found[1].confidence != "low")
    if source is None or source.confidence != "low":
        return kind, (), False
    says = f"The container is taken as {kind} by general knowledge of the product."
    fix = "Check the label and say which it is."
    return kind, (Finding("container-from-memory", "note", says, fix, (source,), argument="container"),), True


def listed_kind(item: Product | None, on: dt.date, reference: Reference) -> tuple[str, Citation | None]:
    """What the reviewed container or the product's shape says, and where; empty where nothing does."""
    if item is None:
        return "", None
    reviewed = None if isinstance(item, AnotherPackage) else reference.products.container(item.ndc, on)
    if reviewed is not None and reviewed.kind:
        return reviewed.kind, reviewed.citation
    return item.kind, item.citation if item.kind else None


def _kind_differs(
    said: str, items: Sequence[Product | None], listed: Sequence[tuple[str, Citation | None]]
) -> Findings:
    """A question where the caller's container kind is not the one that the product's row has."""
    for item, (kind, citation) in zip(items, listed, strict=True):
        if item is not None and citation and said != kind:
            says = f"NDC {item.number} is listed as {kind}; the record says {said}."
            return (Finding("container-differs", "warn", says, "Check the label.", (citation,)),)
    return ()
