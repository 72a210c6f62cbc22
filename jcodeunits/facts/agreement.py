"""Whether what a drug's text says besides its name, and its dose, agree with the row that was chosen."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

import attrs

from .. import units
from ..amount import decimal_text, round_up
from ..dated import Step
from ..dose import Dose
from ..errors import AmbiguousDrug
from ..grouped import grouped
from .beside_names import DrugText, is_called, own_words
from .by_route import a_route, answers_for, joined_elsewhere
from .drug_rows import Brand, Drug
from .drug_text import Strength, is_bag
from .drugs import Catalog
from .strengths import fits, is_beside, is_otherwise_measured
from .words import normal, squeezed

_LASTING = frozenset({"implant", "intrauterine", "transdermal", "vaginal"})  # of which labels say what a day releases
_MANY = 4  # units: fewer are likely of every code
_LITTLE = Fraction(1, 10)  # of a unit
_BAG = 50  # mL: less is a vial or a syringe
_BAGS = ("bag", "container")
_WEAKER = 100  # times: the units of a code that counts what a weak solution holds


def check(catalog: Catalog, reading: DrugText, row: Drug, dose: Dose | None, on: dt.date, route: str | None) -> None:
    """Raise `AmbiguousDrug` where a strength, a fluid or the dose is rather that of another drug or code."""
    _check_strengths(catalog, reading, row, dose, on)
    _check_fluid(catalog, reading, row, on)
    _check_maker(catalog, reading, row, on)
    _check_bag(catalog, reading, row, on)
    if dose is not None:
        _check_kin(catalog, reading, row, dose, on, route)
        _check_dose(catalog, reading, row, dose, on)


def called(catalog: Catalog, key: str) -> tuple[Drug, ...]:
    """Rows of an ingredient, by its full name or without its salt; those of the full name first."""
    fulls = sorted(catalog.moieties.get(key, ()), key=lambda full: full.replace(" ", "") != key)
    return tuple(row for full in fulls for row in catalog.ingredients[full])


def ratio(row: Drug, dose: Dose) -> Fraction | None:
    """The dose in units of a row, also by the row's own equivalences; None where the kinds differ."""
    ways: list[tuple[Fraction, str]] = list(row.equivalents)
    if row.unit:  # some codes count nothing
        ways.insert(0, (row.size or Fraction(1), row.unit))
    for amount, unit in ways:
        if units.dimension(dose.unit) == units.dimension(unit):
            return dose.amount * units.factor(dose.unit, unit) / amount
    if dose.unit == "unit":
        return next((dose.amount / amount for amount, unit in ways if units.is_activity(unit)), None)
    return None


def counts_volume(row: Drug) -> bool:
    """Whether a row counts a volume, by its unit or an equivalence."""
    return any(unit and units.dimension(unit) == "volume" for unit in (row.unit, *(u for _, u in row.equivalents)))


def as_volume(row: Drug, given: Dose) -> Dose:
    """A dose as the volume that it was worked out from, where the code counts a volume and not what is in it."""
    counted = {units.dimension(unit) for unit in (row.unit, *(unit for _, unit in row.equivalents)) if unit}
    if given.volume is None or "volume" not in counted or units.dimension(given.unit) in counted:
        return given
    step = Step(f"{decimal_text(given.volume)} mL", "the code counts the volume")
    return attrs.evolve(given, amount=given.volume, unit="mL", steps=(*given.steps, step))


def listed(rows: Iterable[Drug]) -> str:
    """The first rows of several, for a sentence; those that read alike with what tells them apart."""
    rows = tuple(rows)
    shown = [f"{row.code} {row.label}{told(row, rows)}" for row in rows]
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return "; ".join(shown[:6]) + more


def ambiguous(
    name: str, says: str, rows: Sequence[Drug], way: str, on: dt.date, route: str | None = None
) -> AmbiguousDrug:
    """The refusal of a name that leaves no row or several, with the rows that it had; `route`: where that is why."""
    shown, codes = listed(rows), tuple(row.code for row in rows)
    says = f"{name!r} {says}: {shown}. {way}"
    return AmbiguousDrug(says, given=name, candidates=codes, on=on, listed=shown, route=route)


def told(row: Drug, rows: Sequence[Drug]) -> str:
    """What tells a row from those that read alike, in brackets: what one unit holds, else how it is given."""
    alike = [other for other in rows if other.label == row.label]
    if len(alike) == 1:
        return ""
    held = " or ".join(f"{decimal_text(amount)} {units.label(unit)}" for amount, unit in row.equivalents)
    if held and len({other.equivalents for other in alike}) == len(alike):
        return f" ({held})"
    return f" ({', '.join(row.routes)})" if len({other.routes for other in alike}) > 1 else ""


def _check_strengths(catalog: Catalog, reading: DrugText, row: Drug, dose: Dose | None, on: dt.date) -> None:
    """Raise where a strength in the text is not one of this drug, or a bare number not the dose."""
    for part in reading.strengths:
        if part.kind == "number":
            fine = dose is not None and dose.amount == part.amount
            why = "it is read only where it is the dose" if dose is not None else "give the dose"
        elif part.kind == "billing unit":
            fine = row.size is not None and _is_one(row, part)
            why = f"{row.code} counts {row.one_unit}"
        elif part.kind == "by time":
            fine, why = not _LASTING.isdisjoint(row.routes), "a rate is no strength of it"
        elif part.kind == "part":
            fine = " / " in row.ingredient or row.kind == "vaccine"
            why = f"{row.code} ({row.name}) has one part"
            if fine and dose is not None and (total := _whole(catalog, row, part, on)) is not None:
                fine = _is_total(dose, total)
                why = f"{dose.written} is no whole dose of it: all its parts that {row.code} counts are {total}"
        elif part.kind == "concentration" and counts_volume(row) and not row.components:
            own = f"{part.written.removesuffix('%').strip()}%" in row.qualifier.split("; ")
            fine, why = own or not _is_of_one_strength(catalog, row), f"{row.code} is {row.label}"
        else:
            of_antigen = row.kind == "vaccine" and counts_volume(row)  # a dose is one volume, whatever it holds
            fine = of_antigen or fits(row, part) or is_beside(row, part, reading.strengths)
            is_counted = dose is not None and ratio(row, dose) is not None  # the strength is not needed for it
            fine = fine or (is_counted and is_otherwise_measured(row, part))
            why = f"{row.code} ({row.name}) is counted in {units.label(row.unit or 'each')}"
        if not fine:
            says = f"{part.written!r} in {reading.text!r} does not fit: {why}. Leave it out, or give the code."
            raise AmbiguousDrug(says, given=reading.text, candidates=(row.code,), on=on)


def _whole(catalog: Catalog, row: Drug, part: Strength, on: dt.date) -> Dose | None:
    """What the parts of a text come to, where they are those of a dose whose one amount may be a part of it."""
    said = sorted((each.unit, each.amount) for each in part.parts)
    for one in catalog.combined(row.code, on):
        for listed in (one.parts, one.adding):
            if one.alone != "total" and sorted((each.unit, each.amount) for each in listed) == said:
                return Dose(one.total(row.unit), row.unit)
    return None


def _is_total(dose: Dose, total: Dose) -> bool:
    """Whether a dose that is one amount is such a total; of what is measured otherwise nothing is known here."""
    if dose.parts or units.dimension(dose.unit) != units.dimension(total.unit):
        return True
    return dose.to(total.unit).amount == total.amount


def _is_one(row: Drug, part: Strength) -> bool:
    """Whether a text's billing unit is that of a row, by the amount or as one thing that it counts."""
    counted = [unit for amount, unit in ((row.size, row.unit), *row.equivalents) if amount == 1 and unit]
    is_thing = part.amount == 1 and any(units.counts(part.unit, unit) for unit in counted)
    return is_thing or ratio(row, Dose(part.amount, part.unit)) == 1


def _is_of_one_strength(catalog: Catalog, row: Drug) -> bool:
    """Whether a code that counts a volume is for one strength, which its name says: fluids, albumin, iodine."""
    if row.kind in ("solution", "blood") or "%" in row.ingredient or re.search(r"\d%", row.qualifier):
        return True
    return any("mg/ml" in other.qualifier for other in catalog.ingredients[normal(row.ingredient)])


def _meant(catalog: Catalog, reading: DrugText, on: dt.date) -> tuple[Drug, ...]:
    """Every row in effect on a day that a name of the text may mean."""
    every = dict.fromkeys(row for named in reading.names for row in catalog.meant_by(named.key))
    return tuple(row for row in every if row.period.holds(on))


def _check_fluid(catalog: Catalog, reading: DrugText, row: Drug, on: dt.date) -> None:
    """Raise where a drug in a fluid may be mixed by hand, or be the bag that has a code of its own."""
    meant = _meant(catalog, reading, on) if reading.fluids else ()
    sold = tuple(other for other in meant if any(fluid <= own_words(other) for fluid in reading.fluids))
    if sold and row not in sold:
        says = "may be mixed by hand or the bag as it is sold"
        raise ambiguous(reading.text, says, (row, *sold), "Give the code, the maker or the NDC.", on)


def _check_maker(catalog: Catalog, reading: DrugText, row: Drug, on: dt.date) -> None:
    """Raise where the container is one that a maker alone fills whose product of the drug has a code of its own."""
    meant = _meant(catalog, reading, on) if reading.makers else ()
    own = tuple(other for other in meant if any(is_called(other, maker) for maker in reading.makers))
    if own and row not in own and not reading.codes:
        says = "names a container of one maker, whose product has a code of its own"
        raise ambiguous(reading.text, says, (row, *own), "Say which: give the code, the maker or the NDC.", on)


def _check_bag(catalog: Catalog, reading: DrugText, row: Drug, on: dt.date) -> None:
    """Raise where a drug in a bag of fluid may be that of one maker who sells it so and has a code of its own."""
    if not reading.is_mixed or row.specific or reading.codes or not is_bag(reading.text):
        return
    makers = tuple(
        other
        for other in _meant(catalog, reading, on)
        if "; not equivalent" in other.qualifier
        and not catalog.knows(squeezed(other.qualifier.partition(";")[0]))
        and _comes_large(catalog, other.code)
    )
    if makers:
        says = "may be the bag of one maker, which has a code of its own"
        raise ambiguous(reading.text, says, (row, *makers), "Say which: give the code, the maker or the NDC.", on)


@lru_cache(maxsize=256)
def _comes_large(catalog: Catalog, code: str) -> bool:
    """Whether a code's products are bags, as far as their contents are known."""
    from .product_rows import Product  # few doses come from a bag

    low = code.casefold()
    rows = [row for row in catalog.store.mentioning(Product, lambda line: low in line) if code in row.codes]
    large = any(row.shape in _BAGS or (row.qualifier == "ML" and (row.quantity or 0) >= _BAG) for row in rows)
    return large or not any(row.shape or row.qualifier for row in rows)


def others(catalog: Catalog, row: Drug, on: dt.date) -> tuple[Drug, ...]:
    """The rows of the same drug in another size or form, given as the row is, for which its dose may be meant."""
    return tuple(
        other
        for full in dict.fromkeys((normal(row.ingredient), catalog.without_salts(row.ingredient)))
        for other in catalog.ingredients.get(full, ())
        if other.period.holds(on)
        and other.is_injected == row.is_injected
        and other.basis not in ("band", "each")
        and not _is_makers(other, row)
    )


def _is_makers(other: Drug, row: Drug) -> bool:
    """Whether a row is the same thing of one maker: in the same units, and told from it by the maker alone."""
    alike = (other.size, other.unit, other.form) == (row.size, row.unit, row.form)
    return other.code == row.code or (alike and (not other.specific or "not equivalent" in other.qualifier))


@lru_cache(maxsize=4)
def brands_by_strength(catalog: Catalog) -> Mapping[Dose, tuple[Brand, ...]]:
    """The brands that are listed once for each amount that a container holds ("Lupron Depot 22.5 mg")."""
    listed = [brand for brand in catalog.brands if "listed by strength" in brand.note and not brand.brand.endswith("%")]
    return grouped(listed, lambda brand: Dose.of(" ".join(brand.brand.split()[-2:])))


def brands_of_dose(catalog: Catalog, dose: Dose | None, on: dt.date) -> list[Brand]:
    """The brands of which a container of just this amount is listed on a day."""
    listed = brands_by_strength(catalog).get(dose, ()) if dose is not None else ()
    return [brand for brand in listed if brand.period.holds(on)]


def _check_kin(catalog: Catalog, reading: DrugText, row: Drug, dose: Dose, on: dt.date, route: str | None) -> None:
    """Raise where the dose is what a container of a brand of the same family holds, which has a code of its own.

    A family of brands has its first word in common: Aristada and its Initio, Darzalex and its Faspro under the skin.
    """
    kin = [
        brand
        for brand in brands_of_dose(catalog, dose, on)
        if any(_is_kin(catalog, brand, named.key, named.text) for named in reading.names)
    ]
    if not kin or row.code in {brand.code for brand in kin} or reading.codes:
        return
    elsewhere = (one for one in joined_elsewhere(catalog.ingredients, row, on) if not route or answers_for(one, route))
    meant = [one for one in (*others(catalog, row, on), *elsewhere) if one.code in {brand.code for brand in kin}]
    if meant:
        shown = " or ".join(dict.fromkeys(" ".join(brand.brand.split()[:-2]) for brand in kin))
        says = f"may be {shown}, of which a container holds just the {dose.written} given"
        way = "Say which: give the code, the whole brand or the NDC"
        way += ", or the route." if route is None and not any(answers_for(one, a_route(row)) for one in meant) else "."
        raise ambiguous(reading.text, says, (row, *meant), way, on)


def _is_kin(catalog: Catalog, brand: Brand, key: str, text: str) -> bool:
    """Whether a brand goes on from a name, or is another of the family of the brand that the name is."""
    if squeezed(brand.brand).startswith(key):
        return True
    said = catalog.named.get(key, ())
    return bool(said) and isinstance(said[0], Brand) and normal(brand.brand).split()[0] == normal(text).split()[0]


def _check_dose(catalog: Catalog, reading: DrugText, row: Drug, dose: Dose, on: dt.date) -> None:
    """Raise where the dose is unlikely of the code, and likely of another code of the same drug."""
    alike = others(catalog, row, on) if row.basis not in ("band", "each") and row.size is not None else ()
    alike += _salted(catalog, reading, row, on) if row.size is not None else ()
    given = dose if counts_volume(row) else reading.drawn(dose)
    counted = ratio(row, given) if alike else None
    if counted is None:
        return
    whole = tuple(
        other
        for other in alike
        if counted < 1 == ratio(other, given) and (other.qualifier, other.form) == (row.qualifier, row.form)
    )
    weak = _of_weaker(row, alike, given) if counted < 1 and _is_weak(row, reading, dose) else ()
    if _LITTLE <= counted <= _MANY and not (whole or weak):
        return
    if whole or weak:
        better = whole or weak
    elif counted < _LITTLE:
        better = tuple(other for other in alike if (ratio(other, given) or 0) >= 1)
    elif not row.specific and _is_likely(catalog, row, counted) is False:
        better = tuple(other for other in alike if not other.use and _is_likely(catalog, other, ratio(other, given)))
    else:
        better = ()
    if better and not reading.codes:
        rows = (row, *better)
        says = (
            f"{dose.written} of {reading.text!r} would be {round_up(counted)} of {row.code}, which is unlikely: "
            f"{listed(rows)}. Say which: give the code, the brand or the NDC."
        )
        raise AmbiguousDrug(
            says, given=reading.text, candidates=tuple(one.code for one in rows), on=on, listed=listed(rows)
        )


def _is_weak(row: Drug, reading: DrugText, dose: Dose) -> bool:
    """Whether one mL, as the text or the dose says it, holds little of what a row counts."""
    said = reading.concentration
    per_ml = Dose(said.amount, said.unit) if said is not None else None
    if dose.volume:
        per_ml = Dose(dose.amount / dose.volume, dose.unit)
    held = ratio(row, per_ml) if per_ml is not None else None
    return held is not None and held <= _LITTLE


def _of_weaker(row: Drug, alike: Sequence[Drug], given: Dose) -> tuple[Drug, ...]:
    """The codes that count a hundredth of a row's unit, as those of a weak solution do (to keep a line open)."""
    one = ratio(row, given) or 0
    return tuple(other for other in alike if (ratio(other, given) or 0) >= one * _WEAKER)


def _salted(catalog: Catalog, reading: DrugText, row: Drug, on: dt.date) -> tuple[Drug, ...]:
    """The salts of a plain drug that the name leaves open: a hundred milligrams of Haldol may be the decanoate."""
    key = squeezed(row.ingredient)
    for named in reading.names:
        is_brand = any(isinstance(said, Brand) for said in catalog.named.get(named.key, ()))
        if named.salts or named.own or (named.key != key and not is_brand):
            return ()
    return tuple(
        other
        for full in catalog.moieties.get(key, ())
        if full != normal(row.ingredient)
        for other in catalog.ingredients[full]
        if other.period.holds(on) and other.is_injected == row.is_injected and other.basis not in ("band", "each")
    )


def _is_likely(catalog: Catalog, row: Drug, counted: Fraction | None) -> bool | None:
    """Whether so many units of a code are likely on a day in any edition; None where none says so."""
    from .policy_rows import Limit  # few doses are so large

    said = [one.units for one in catalog.store.starting(Limit, row.code) if one.units]
    return None if counted is None or not said else counted >= _LITTLE and round_up(counted) <= max(said)
