"""A dose to billing units: exact, dated, and shown step by step."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import attrs

from . import hcpcs, ndc, routes, tables, units
from .amount import MOST_UNITS, decimal_text, round_up, told
from .dated import Step, Trace, as_date
from .dose import Dose
from .errors import (
    AmbiguousDrug,
    BasisNeeded,
    DoseError,
    JcodeunitsError,
    NotComputable,
    NotInEffect,
    OutsideBand,
    UnitMismatch,
    UnknownDrug,
    UnreadableDose,
    quoted,
)
from .facts.agreement import as_volume
from .facts.by_dose import holds
from .facts.by_route import answers_for
from .facts.choosing import Choice, choose, drawn, given_so, otherwise, way_of
from .facts.combined import settled
from .facts.drug_rows import REFUSALS, BillingUnit, Drug
from .facts.makers import elsewhere
from .facts.not_read import with_code
from .facts.reference import FromReference, Reference
from .facts.search import with_near
from .facts.store import NEVER
from .facts.words import normal
from .finding import Finding, Findings, declare, own_rows, past_reach
from .shown import Shown
from .unread import lacks_unit

FINDINGS = declare(
    __name__,
    {
        "data-reach": ("A date outside the editions that were read", "warn, note"),
        "maker-elsewhere": ("A maker whose products of the drug have other codes too", "warn"),
        "limited-use": ("The code's descriptor leaves it one use only", "warn"),
        "name-by-general-knowledge": ("A name known from general knowledge only", "warn, note"),
        "one-brand": ("An ingredient's only code is for one brand or maker", "note"),
        "other-forms": ("A plain name was read as its plain form", "note"),
        "unit-name": ("Units by another name than the code's", "note"),
    },
)


@attrs.frozen
class Measure:
    """How doses in one unit count toward one code: billing units in one unit of dose, and by which way.

    `way`: `direct` (same kind of unit), `activity` (plain "units" for the code's own activity unit),
    `equivalent` (an equivalence of the code's row), `counted` (one of what the code counts), `component` (one
    named part), `total` (all parts), `band` (one code for the whole dose).
    """

    ratio: Fraction
    way: str
    size: Fraction
    unit: str


@attrs.frozen(repr=False)
class BilledUnits(Shown, FromReference):
    """The answer: code, `count` (whole units, as `int()`), `exact` (before rounding), and all that led to it."""

    drug: Drug
    dose: Dose
    exact: Fraction
    count: int
    on: dt.date
    measure: Measure = attrs.field(repr=False)
    findings: Findings = attrs.field(default=(), repr=False)
    basis: str | None = None
    reference: Reference = attrs.field(kw_only=True, repr=False, eq=False)

    @property
    def code(self) -> str:
        """The HCPCS code."""
        return self.drug.code

    def __int__(self) -> int:
        return self.count

    @property
    def trace(self) -> Trace:
        """The steps, built when asked for."""
        return Trace(tuple(_steps(self)))

    def explain(self) -> str:
        """The steps and findings as text, one line each."""
        lines = [self.trace.text()]
        lines += [f"{f} [{f.citations[0]}]" for f in self.findings]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types, in the contract's shape; exact numbers are text."""
        return {
            "code": self.code,
            "drug": self.drug.name,
            "billing_unit": self.drug.billing_unit.as_dict(),
            **told(self, "dose", "exact"),
            "units": self.count,
            "on": self.on.isoformat(),
            **told(self.drug, "effective", "ends"),
            **told(self, "findings", "trace", "edition", "fingerprint"),
        }

    @property
    def brief(self) -> str:
        """Code and units, the dose, the day."""
        return f"{self} for {self.dose} on {self.on}"

    def __str__(self) -> str:
        return f"{self.code} x {self.count}"


def billing_units(
    drug: str | Drug,
    dose: object,
    on: object,
    route: str | None = None,
    basis: str | None = None,
    reference: Reference | None = None,
) -> BilledUnits:
    """How many billing units of which code a dose is, on a date of service.

    `drug` is a HCPCS code, an ingredient or brand name, an NDC of 10 or 11 digits, or a `Drug`; `dose` text
    such as "1 g", a `Dose` or a Pint quantity; `on` ISO text or a date. `route` helps a name to its code;
    `basis` names the part of a combination that the dose counts.

    The dose is divided by the amount in the code's descriptor and rounded up to the next whole unit (Medicare
    Claims Processing Manual, chapter 17). Raises a `JcodeunitsError` where there is no certain answer.

    >>> units = billing_units("J0696", "1 g", on="2026-03-02")
    >>> units.code, units.count, units.exact
    ('J0696', 4, Fraction(4, 1))
    >>> int(billing_units("Toradol", "30 mg", on="2026-03-02"))
    2
    """
    book = Reference.of(reference)
    day = as_date(on)
    try:
        given = dose if isinstance(dose, Dose) else Dose.of(dose)
    except UnreadableDose as error:
        raise counted_in(error, drug, day, route, book) from None
    route = _one_route(given, route)
    try:
        row, findings = resolve(drug, day, given, route, reference=book)
    except NotInEffect as error:
        raise _with_units(error, given, basis, book) from None
    way = routes.find(route) if route is not None else None
    if isinstance(drug, str) and not ndc.looks_like(drug):
        way = way_of(book.drugs, drug, way)
    if way is not None:
        _stays(row, way, day, book)
    given = _drawn(drug, given, day, row, book)
    items = (book.products.find(drug, day)[0],) if isinstance(drug, str) and ndc.looks_like(drug) else ()
    given, basis = settled(book.drugs, row, given, day, basis, items)
    given = as_volume(row, given)
    measure = measured(row, given.unit, basis)
    if row.above is not None or row.through is not None:
        _within(row, given, day, book)
    exact = Fraction(1) if measure.way == "band" else given.amount * measure.ratio
    count = round_up(exact)
    if count > MOST_UNITS:
        says = "No dose comes to so much. Check the amount and its unit."
        raise UnreadableDose(says, given=given.written, argument="dose")
    said = notes(row, given.notes, day, measure, findings, book)
    return BilledUnits(row, given, exact, count, day, measure, said, basis, reference=book)


def counted_in(
    error: JcodeunitsError, drug: object, on: dt.date, route: str | None, reference: Reference
) -> JcodeunitsError:
    """The refusal of a number without a unit, with the unit that the drug's code counts; any other as it is."""
    if not lacks_unit(error) or (isinstance(drug, str) and ndc.looks_like(drug)):
        return error
    try:
        row = resolve(drug, on, None, route, reference=reference)[0]
    except JcodeunitsError:
        return error
    if row.refuses or not row.unit:
        return error
    says = f"{error.message} {row.code} ({row.name}) is counted in {units.label(row.unit)}."
    return UnreadableDose(says, **error.fields)


def _one_route(dose: Dose, route: str | None) -> str | None:
    """The route that was said beside the dose or behind it; where both are said, they must agree."""
    if route is None or dose.route is None:
        return dose.route if route is None or (isinstance(route, str) and not route) else route
    said = routes.canonical(route)
    if not routes.agree(said, dose.route):
        says = f"{quoted(dose.written)} names the route {dose.route}, and {said} is given as the route. Give one."
        raise UnreadableDose(says, given=dose.written, argument="dose", instead=str(dose))
    return route


def resolve(
    drug: object, on: dt.date, dose: Dose | None = None, route: str | None = None, *, reference: Reference
) -> tuple[Drug, Findings]:
    """The one row for what was named, and notes. Raises `UnknownDrug`, `AmbiguousDrug` or `NotInEffect`."""
    way = routes.canonical(route) if route is not None else None
    if isinstance(drug, Drug):
        return given_so(reference.drugs, drug.code, _same(drug, on, reference), on, way), ()
    if not isinstance(drug, str) or not drug.strip():
        raise UnknownDrug(
            f"{quoted(drug)} is no drug: give a HCPCS code, a name or an NDC as text.", given=drug, near=()
        )
    with_code(reference.drugs, drug)
    if ndc.looks_like(drug):
        return _by_ndc(drug, on, way, reference)
    return _named(drug, on, dose, way, reference)


@lru_cache(maxsize=16384)
def _named(drug: str, on: dt.date, dose: Dose | None, route: str | None, reference: Reference) -> tuple[Drug, Findings]:
    """What a code or a name means; remembered, because the same few drugs are asked all day."""
    try:
        choice = choose(reference.drugs, drug, on, dose, route)
    except UnknownDrug as error:
        raise with_near(error, drug, reference.drugs) from None
    if hcpcs.is_valid(drug.strip()):
        return choice.drug, ()
    return choice.drug, (*_choice_notes(drug, choice), *_of_maker(choice, on, reference))


def _same(drug: Drug, on: dt.date, reference: Reference) -> Drug:
    """A row that the caller holds, as the reference in use has it on the day; a stranger is refused."""
    if drug not in reference.drugs.rows(drug.code):
        says = (
            f"This row of {drug.code} ({drug.label}, {drug.period}) is not in the reference in use "
            f"({reference.edition}): look the drug up in that reference, or give the reference that the row is from."
        )
        raise UnknownDrug(says, given=drug.code, near=())
    return drug if drug.period.holds(on) else reference.drugs.on(drug.code, on)


def _drawn(drug: object, dose: Dose, on: dt.date, row: Drug, reference: Reference) -> Dose:
    """A volume of a named strength, a volume or containers of an NDC as the amount in it, if the code counts none."""
    if not isinstance(drug, str):
        return dose
    if not ndc.looks_like(drug):
        return drawn(reference.drugs, drug, dose, row)
    item = reference.products.find(drug, on)[0]
    item.agrees(dose)
    held = item.held(dose)
    counts_volume = row.unit and units.dimension(row.unit) == "volume"
    return held if counts_volume or units.dimension(held.unit) != "volume" else item.drawn(held)


def _by_ndc(text: str, on: dt.date, route: str | None, reference: Reference) -> tuple[Drug, Findings]:
    found, findings = reference.products.codes(text, on)
    rows = [reference.drugs.on(code, on) for code in found]
    if not rows:
        item = reference.products.find(text, on)[0]
        says = (
            f"NDC {item.number} is {item.label}, and no file that was read proves its code. Give the drug's code or "
            "name, and the NDC beside it."
        )
        raise UnknownDrug(says, given=text, near=())
    row, limits = of_product(text, text, rows, on, route, reference)
    return row, findings + limits


def of_product(
    number: str, given: str, rows: Sequence[Drug], on: dt.date, route: str | None, reference: Reference
) -> tuple[Drug, Findings]:
    """The one row of a product's codes that answers for the route; `given` is how the drug was named."""
    fit = [row for row in rows if answers_for(row, route)] if route else rows
    if len(fit or rows) == 1:
        row = given_so(reference.drugs, given, (fit or rows)[0], on, route)
        return row, limited(row, otherwise(reference.drugs, row, on))
    listed = "; ".join(f"{row.code} {row.label}" for row in fit or rows)
    says = f"NDC {number} has several codes on {on}: {listed}. Give the code that fits the use."
    raise AmbiguousDrug(says, given=given, candidates=tuple(row.code for row in fit or rows), on=on)


def _choice_notes(name: str, choice: Choice) -> Findings:
    notes = [*own_rows((choice.citation,))]
    if choice.citation is not None and choice.citation.confidence == "low":
        says, fix = f"{name!r} is known by general knowledge only.", "Check the label."
        notes.append(Finding("name-by-general-knowledge", "note", says, fix, (choice.citation,)))
    if choice.siblings:
        codes = ", ".join(choice.siblings[:6])
        says = f"{name!r} was read as its plain form; other forms or products have codes of their own: {codes}."
        fix = "Name the form if it was one of those."
        notes.append(Finding("other-forms", "note", says, fix, (choice.drug.citation,)))
    return (*notes, *limited(choice.drug, choice.otherwise), *_one_brand(name, choice))


def limited(row: Drug, codes: tuple[str, ...] = ()) -> Findings:
    """A warning where the descriptor leaves a code one use only; nobody who gave no code has seen it."""
    if not row.use:
        return ()
    others = f"For another use see {', '.join(codes)}, where the payer takes it." if codes else ""
    fix = others or f"Do not bill {row.code} for another use."
    return (Finding("limited-use", "warn", f"{row.code} is only for {row.use}.", fix, (row.citation,)),)


def _one_brand(name: str, choice: Choice) -> Findings:
    """A note where an ingredient's name led to the code of one brand or maker."""
    row = choice.drug
    brand = row.qualifier.partition("; ")[0]
    said = set(normal(name).split())
    if not row.specific or choice.citation is not None or said & set(normal(brand).split()):
        return ()
    says, fix = f"{row.code} is only for {brand}.", "Check that this product was given."
    return (Finding("one-brand", "note", says, fix, (row.citation,)),)


def _of_maker(choice: Choice, on: dt.date, reference: Reference) -> Findings:
    """A warning where a maker's own code answers, and other products of that maker are listed under others."""
    row = choice.drug
    others = elsewhere(reference.drugs, row, on) if row.specific and choice.citation is None else ()
    if not others:
        return ()
    says = f"Products of the maker named in {row.code} are listed under {', '.join(others)} too."
    return (Finding("maker-elsewhere", "warn", says, "Give the NDC, which says which it is.", (row.citation,)),)


def _with_units(error: NotInEffect, dose: Dose, basis: str | None, reference: Reference) -> NotInEffect:
    """The same error with the dose in units of each successor."""
    counts: dict[str, int] = {}
    for code in error.successors:
        try:
            row = reference.drugs.on(code, error.on)
            measure = measured(row, dose.unit, basis)
            counts[code] = 1 if measure.way == "band" else round_up(dose.amount * measure.ratio)
        except JcodeunitsError:
            continue
    if not counts:  # the successor counts this dose in another way
        return NotInEffect(error.message, **{**error.fields, "instead": None})
    if len(counts) > 1 and len(set(counts.values())) == 1:
        said = f"{dose} is {_units(next(iter(counts.values())))} of each"
    else:
        said = "; ".join(f"{dose} is {_units(count)} of {code}" for code, count in counts.items())
    return NotInEffect(f"{error.message[:-1]}: {said}.", **{**error.fields, "units": counts})


def _units(count: int) -> str:
    return f"{count} unit" if count == 1 else f"{count} units"


def _stays(row: Drug, route: str, on: dt.date, reference: Reference) -> None:
    """Raise where a drug by this route is not billed with the code of its name, and the payer says which."""
    other = reference.policy.route_code(row.ingredient, route, on)
    if other is not None and row.code not in other.codes:
        says = (
            f"{row.ingredient}, {route}, is not billed as {row.code}: {other.says}. It is one of "
            f"{', '.join(other.codes)}: ask the payer which, or `charge` it with the payer."
        )
        raise AmbiguousDrug(says, given=row.ingredient, candidates=other.codes, on=on)


def measured(row: Drug, unit: str, basis: str | None = None) -> Measure:
    """How a dose in `unit` counts toward a row.

    Raises `NotComputable` (the code's units do not follow from a dose), `BasisNeeded` (a combination whose
    descriptor prints no total) or `UnitMismatch`.
    """
    if basis is not None and not isinstance(basis, str):
        raise _basis_needed(row, f"{quoted(basis)} is no text.")
    return _measured(row, unit, basis)


def listed_units(row: Drug, held: Dose, basis: str | None) -> Fraction:
    """Billing units in the amount that a list gives a container, by all its parts or one. Raises as `measured`."""
    if held.unit == "billing unit":
        return held.amount
    for counted in ("total", *(part.name for part in row.components)) if basis not in (None, "total") else ():
        with contextlib.suppress(JcodeunitsError):
            count = held.amount * measured(row, held.unit, counted).ratio
            if count.denominator == 1:
                return count
    return held.amount * measured(row, held.unit, basis).ratio


@lru_cache(maxsize=16384)
def _measured(row: Drug, unit: str, basis: str | None) -> Measure:
    if row.refuses:
        says = (
            f"{row.code} ({row.name}) has no units that follow from a dose: {REFUSALS[row.refuses]}. "
            "Ask the payer how it is counted; bill nothing by amount."
        )
        raise NotComputable(says, code=row.code, reason=row.refuses)
    if row.basis == "band":
        listed = next((other for _, other in row.equivalents if units.dimension(unit) == units.dimension(other)), "")
        if not listed:
            _needs(row, unit, row.unit)
        size = row.through or row.above or Fraction(1)
        return Measure(Fraction(0), "band", size, listed or row.unit)
    ways = [(amount, other, "equivalent") for amount, other in row.equivalents if basis in (None, "total")]
    if not any(units.dimension(unit) == units.dimension(other) for _, other, _ in ways):
        ways.insert(0, _size_of(row, basis))
    elif row.size is not None:
        ways.insert(0, (row.size, row.unit, "direct"))
    for amount, other, how in ways:
        if units.dimension(unit) == units.dimension(other):
            return Measure(units.factor(unit, other) / amount, how, amount, other)
    for amount, other, _ in ways:
        if unit == "unit" and units.is_activity(other):
            return Measure(1 / amount, "activity", amount, other)
        if units.counts(unit, other):
            return Measure(1 / amount, "counted", amount, other)
    _needs(row, unit, ways[0][1])
    raise AssertionError("unreachable")  # pragma: no cover - _needs has raised


def _size_of(row: Drug, basis: str | None) -> tuple[Fraction, str, str]:
    """Amount and unit of one billing unit, counted as the caller says."""
    if basis is not None and basis != "total":
        wanted = normal(basis)
        named = [c for c in row.components if (normal(c.name) + " ").startswith(wanted + " ")]
        if len(named) != 1:
            raise _basis_needed(row, f"{quoted(basis)} names no part of it." if row.components else "it has one part.")
        return named[0].amount, named[0].unit, "component"
    if row.size is not None:
        return row.size, row.unit, "direct"
    if basis is None:
        raise _basis_needed(row, "its descriptor prints no total.")
    kinds = {units.dimension(c.unit) for c in row.components}
    if len(kinds) != 1:
        raise _basis_needed(row, "its parts are measured in different ways.")
    first = row.components[0].unit
    total = sum((c.amount * units.factor(c.unit, first) for c in row.components), Fraction(0))
    return total, first, "total"


def _basis_needed(row: Drug, why: str) -> BasisNeeded | DoseError:
    if not row.components:
        return DoseError(
            f"{row.code} ({row.name}) needs no basis: {why} Leave it out.", code=row.code, argument="basis"
        )
    choices = tuple(c.name for c in row.components)
    return BasisNeeded(
        f"{row.code} ({row.name}) is a combination and {why} Say what the dose counts: total, {' or '.join(choices)}.",
        code=row.code,
        choices=choices,
        argument="basis",
    )


def _needs(row: Drug, unit: str, needed: str) -> None:
    """Raise where the dose's unit is not of the kind that the code counts."""
    if units.dimension(unit) == units.dimension(needed):
        return
    want, kind = units.label(needed), units.dimension(needed)
    # A concentration tells the amount in a volume: none of what is counted by the piece or by its surface.
    drawn = units.dimension(unit) == "volume" and not kind.endswith("_count") and kind not in ("item", "area")
    if drawn:
        way = "Give the concentration as well (0.5 mL of 40 mg/mL), or the dose by amount."
    elif units.dimension(unit) == "body_surface":
        way = "Give the dose for each m2 and the body surface."
    else:
        way = f"Give the dose in {want}."
    given = unit if units.is_activity(unit) and unit != "unit" else units.label(unit)
    named = f" ({needed})" if units.is_activity(needed) and needed != "unit" else ""
    says = f"{row.code} ({row.name}) is counted in {want}{named}, and no equivalence to {given} is listed for it. {way}"
    raise UnitMismatch(says, given=unit, needed=needed, code=row.code, argument="concentration" if drawn else "dose")


def _within(row: Drug, dose: Dose, on: dt.date, reference: Reference) -> None:
    """Nothing where the code's limits hold the dose; else the error that names the code whose limits do."""
    if holds(row, dose):
        return
    others = [
        other
        for other in reference.drugs.ingredients.get(normal(row.ingredient), ())
        if other is not row
        and other.period.holds(on)
        and holds(other, dose)
        and other.qualifier == row.qualifier
        and (not row.form or other.form == row.form)
    ]
    way = f"Bill {' or '.join(o.code for o in others)}." if others else "No code of this drug holds that dose."
    limits = BillingUnit(None, row.unit, "band", above=row.above, through=row.through)
    sizes = ", ".join(f"{decimal_text(amount)} {units.label(unit)}" for amount, unit in row.equivalents)
    listed = f" ({sizes})" if sizes and units.dimension(dose.unit) != units.dimension(row.unit) else ""
    says = f"{row.code} ({row.name}) is for {limits}{listed}; {dose} is outside. {way}"
    raise OutsideBand(says, code=row.code, given=str(dose), candidates=tuple(o.code for o in others))


def reach_note(on: dt.date, reference: Reference) -> Findings:
    """A note where the date lies outside what the editions of the code set cover; a warning beyond a quarter."""
    first, last = reference.drugs.reach
    if first <= on <= last:
        return ()
    cites = (reference.drugs.newest,)
    if on < first:
        says = f"The amounts in the code set were read from editions since {first}; {on} is earlier."
        return (Finding("data-reach", "note", says, "Check the descriptor that was in effect then.", cites),)
    fix = "Load the newest quarter with `jcodeunits refresh`, or check the code with the payer."
    if last == NEVER:
        says, far = "No edition of the code set was read; the codes are those that people wrote down.", "none loaded"
        return (Finding("data-reach", "warn", says, fix, cites, reach=f"codes: {far}"),)
    says = f"The code set is known up to {last} ({reference.edition}); {on} is {(on - last).days} days later."
    return (Finding("data-reach", past_reach(on, last), says, fix, cites, reach=f"codes to {last}"),)


def notes(
    row: Drug, of_dose: Findings, on: dt.date, measure: Measure, before: Findings, reference: Reference
) -> Findings:
    """What is said of a dose in units of a row: how it was written, how the row was found, how far the data reach."""
    found = of_dose + before
    if measure.way == "activity" and measure.unit != "unit":
        says = f"'units' was read as what {row.code} counts ({measure.unit})."
        fix = "Check that the label's units are those."
        found += (Finding("unit-name", "note", says, fix, (row.citation,)),)
    return found + own_rows((row.citation,)) + reach_note(on, reference)


def _steps(billed: BilledUnits) -> list[Step]:
    row, dose, measure = billed.drug, billed.dose, billed.measure
    steps = [Step(f"{row.code} {row.label}", f"in effect {billed.on}", row.citation), *dose.steps]
    size = f"{decimal_text(measure.size)} {units.label(measure.unit, plural=measure.size != 1)}"
    if measure.way == "band":
        what = "is" if units.dimension(dose.unit) == units.dimension(row.unit) else "is a size for"
        steps.append(Step(f"{dose} {what} {row.billing_unit}", "one code for the whole dose, never divided"))
        steps.append(Step("1 unit", "a band is one unit", row.citation))
        return steps
    counted = billed.exact * measure.size
    shown = f"{decimal_text(counted)} {units.label(measure.unit, plural=counted != 1)}"
    if measure.way == "counted":
        steps.append(Step(f"{dose} is {shown}", f"the code counts each {measure.unit}"))
    elif measure.unit != dose.unit and measure.way != "activity":
        steps.append(Step(f"{dose} = {shown}", "dose in the code's unit"))
    if measure.way == "equivalent":
        steps.append(Step(f"{size} = 1 billing unit", "equivalence of the code's own row", row.citation))
    if measure.way in ("component", "total"):
        steps.append(Step(f"counted by {billed.basis}: {size} in one unit", "part of a combination", row.citation))
    steps.append(Step(f"{shown} / {size} = {decimal_text(billed.exact)}", "exact"))
    whole = billed.exact.denominator == 1
    why = "no rounding needed" if whole else "rounded up to the next whole unit"
    if row.basis == "up to" and billed.exact < 1:
        why = "one unit covers any dose up to its amount"
    steps.append(Step(f"{decimal_text(billed.exact)} -> {billed.count}", why, tables.cited("cpm-17", "rounding up")))
    return steps
