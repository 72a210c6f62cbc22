"""Choosing one code for what a person calls a drug.

`reading_names` takes a text apart; a name in it is looked up exactly (case, hyphens and spaces aside): a brand,
another name, an ingredient, or an ingredient without its salt where that leaves one. Names that merely look alike
are never taken for each other. Where several codes fit, the rules of `choose` decide or refuse.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Sequence, Set
from fractions import Fraction
from functools import lru_cache

import attrs

from .. import hcpcs, units
from ..amount import several
from ..dated import Citation, Step
from ..dose import Dose
from ..errors import AmbiguousDrug
from ..routes import agree
from .agreement import ambiguous, brands_by_strength, brands_of_dose, called, check, counts_volume, listed, ratio
from .beside_names import COMPOUNDED, DrugText, Named, codes_called, spelt
from .by_dose import is_plain, one_of
from .by_route import answers_for, is_local, is_made_for, joined_elsewhere, own_routes, said_for, stands_by
from .drug_rows import Brand, Drug, OtherName
from .drug_text import Strength, drawn_parts, strength_in
from .drugs import Catalog
from .makers import before_own
from .not_read import by_others, why_not_read, with_code
from .reading_names import read
from .strengths import fits
from .words import normal, squeezed

_LOOSE = frozenset({"suspension", "solution", "granules", "powder"})  # forms that are no tablet and no capsule


@attrs.frozen
class Choice:
    """The row chosen for what the caller named, and the notes on how."""

    drug: Drug
    citation: Citation | None = None  # of the brand or name row, where one was used
    siblings: tuple[str, ...] = ()  # codes of other forms of the ingredient that were not asked for
    otherwise: tuple[str, ...] = ()  # where the code is for one use only: the ingredient's codes for others
    reading: DrugText | None = None  # what the text says besides the name


@lru_cache(maxsize=16384)
def rows_meant(catalog: Catalog, text: str, dose: Dose | None = None) -> tuple[Drug, ...]:
    """Every dated row that a drug's text may mean, on any date and by any route; none for what is not read.

    A bare number in it is read only where it is the dose that stands behind it; so is an amount of the dose's kind.
    Raises `AmbiguousDrug` for a name that is unsafe or parts that contradict each other.
    """
    reading = read(catalog, text)
    if reading is None or not all(_is_dose(part, dose) for part in reading.strengths):
        return ()
    sets = [tuple(row for code in reading.codes for row in catalog.rows(code))] if reading.codes else []
    way = reading.routes[0] if len(reading.routes) == 1 else None
    sets += [_of_name(catalog, named, way, None)[0] for named in reading.names]
    codes = set.intersection(*({row.code for row in rows} for rows in sets)) if sets else set()
    return tuple(row for row in sets[-1] if row.code in codes) if sets else ()


def _is_dose(part: Strength, dose: Dose | None) -> bool:
    if part.kind == "number":
        return dose is not None and part.amount == dose.amount
    if dose is None or part.kind != "amount" or units.dimension(part.unit) != units.dimension(dose.unit):
        return True
    return part.amount * units.factor(part.unit, dose.unit) == dose.amount


def _of_name(
    catalog: Catalog, named: Named, route: str | None, on: dt.date | None
) -> tuple[tuple[Drug, ...], tuple[Brand | OtherName, ...]]:
    """Every dated row that a name may mean, on any date, and the brand or name rows that say so.

    Words for the form or the maker beside the name ("octreotide depot", "vasopressin American Regent") leave only
    such rows. Where a brand means different things by route, the rows of the route count, and without a route
    those injected. Raises `AmbiguousDrug` for a name that is unsafe.
    """
    found = catalog.named.get(named.key, ())
    unsafe = [row for row in found if isinstance(row, OtherName) and row.kind == "unsafe"]
    if unsafe:
        meant = tuple(dict.fromkeys(row.ingredient for row in unsafe))
        says = (
            f"{named.text!r} is an abbreviation that has been misread: it can mean {' or '.join(meant)}. "
            "Write the name out."
        )
        raise AmbiguousDrug(says, given=named.text, candidates=meant)
    dated = tuple(row for row in found if on is None or row.period.holds(on))
    found = dated or found
    if not found:
        return _told_apart(catalog, called(catalog, named.key), named, route, on), ()
    way = tuple(row for row in found if said_for(row.routes, route)) or found
    # What the words beside a name say goes before the ways that its rows are for ("Humalog pump").
    said = next((rows for rows in (way, found) if _told_apart(catalog, catalog.said_by(rows), named, route, on)), way)
    return _told_apart(catalog, catalog.said_by(said), named, route, on), said


def _told_apart(
    catalog: Catalog, rows: tuple[Drug, ...], named: Named, route: str | None, on: dt.date | None
) -> tuple[Drug, ...]:
    """The rows that words beside the name tell from the others: by their salt, then by form, else by brand or maker.

    A property that products of the plain code have too ("preservative free") does not tell a code that is for some
    routes alone: there the route tells.
    """
    rows = tuple(row for row in rows if named.salts <= set(normal(row.ingredient).split()))
    own = named.own
    if not own:
        return rows
    formed = {row.code for row in _formed(rows, own)}
    by_form = tuple(row for row in rows if row.code in formed)
    live = _live(by_form, on)
    if live and own <= catalog.properties and all(own_routes(row) for row in live):
        plain = tuple(row for row in rows if not row.form and not row.specific)
        return (*plain, *live) if route is None else tuple(row for row in live if answers_for(row, route)) or plain
    if live and not any(own <= set(normal(row.form).split()) for row in live):
        # Where an older descriptor named the form, those in effect name brands: any of them may be meant.
        branded = {row.code for row in _live(rows, on) if row.specific}
        by_form = tuple(row for row in rows if row.code in formed | branded)
    called_so = codes_called(_live(rows, on), own) or codes_called(rows, own)
    return by_form or tuple(row for row in rows if row.code in called_so)


def _live(rows: Iterable[Drug], on: dt.date | None) -> tuple[Drug, ...]:
    """The rows in effect on a day; without one those that have no end."""
    return tuple(row for row in rows if (row.ends is None if on is None else row.period.holds(on)))


def choose(catalog: Catalog, name: str, on: dt.date, dose: Dose | None = None, route: str | None = None) -> Choice:
    """The one row that a code or a drug's text means on a day.

    A plain ingredient means its general code. Among codes of the same ingredient, form and qualifier that
    differ only in size: the least excess over the dose, then the fewest units. Bands of one product: the
    band that holds the dose. Everything else that leaves two codes is refused as ambiguous, and so is a text whose
    parts do not fit each other, the route or the dose.

    Raises `UnknownDrug`, `AmbiguousDrug` or `NotInEffect`.
    """
    wanted = name.strip()
    with_code(catalog, wanted)
    if hcpcs.is_valid(wanted):
        return Choice(given_so(catalog, wanted, catalog.on(hcpcs.compact(wanted), on), on, route))
    reading = read(catalog, wanted)
    if reading is None:
        raise why_not_read(catalog, wanted, on)
    uncoded = [named for named in reading.names if _is_uncoded(catalog, named)]
    if uncoded:
        kind = catalog.kind_without_code(uncoded[0].key)
        if not kind:
            raise by_others(catalog, uncoded[0], on)
        none = catalog.no_code(uncoded[0].text, on, COMPOUNDED if reading.compounded else kind)
        if len(reading.codes) == 1 and reading.codes[0] in none.candidates:
            return Choice(catalog.on(reading.codes[0], on), None, (), (), reading)
        raise none
    route = _way(reading, route)
    ways = reading.routes if route is None and len(reading.routes) > 1 else (route,)
    found = {choice.drug.code: choice for choice in [_of_way(catalog, reading, way, dose, on) for way in ways]}
    if len(found) > 1:
        rows = [choice.drug for choice in found.values()]
        says = f"names the routes {' and '.join(reading.routes)}, which have codes of their own"
        raise ambiguous(reading.text, says, rows, "Give one route.", on)
    choice = next(iter(found.values()))
    check(catalog, reading, choice.drug, dose, on, route)
    return attrs.evolve(choice, reading=reading)


def _of_way(catalog: Catalog, reading: DrugText, route: str | None, dose: Dose | None, on: dt.date) -> Choice:
    """The one row that the names and codes of a text mean, given in one way."""
    chosen = [_choose(catalog, named, reading, on, dose, route) for named in reading.names]
    choice = chosen[0] if len(chosen) == 1 and not reading.codes else _agreed(catalog, reading, chosen, on)
    if isinstance(choice, AmbiguousDrug):
        raise choice
    return choice


def _is_uncoded(catalog: Catalog, named: Named) -> bool:
    """Whether a name is listed as a drug without a code, or in a public list as no drug by itself."""
    return named.key not in catalog.named and (named.key in catalog.uncoded or not catalog.knows(named.key))


def _way(reading: DrugText, route: str | None) -> str | None:
    """The route of the text where none is given; one that is given must be one of those in the text."""
    if not reading.routes:
        return route
    if route is None:
        return reading.routes[0] if len(reading.routes) == 1 else None
    if any(one == route or route.startswith(f"{one} ") for one in reading.routes):
        return route
    wider = [one for one in reading.routes if one.startswith(f"{route} ")]
    if wider:
        return wider[0] if len(wider) == 1 else route
    says = f"{reading.text!r} names the route {' or '.join(reading.routes)}, but {route} is given. Give one route."
    raise AmbiguousDrug(says, given=reading.text, candidates=())


def _choose(
    catalog: Catalog, named: Named, reading: DrugText, on: dt.date, dose: Dose | None, route: str | None
) -> Choice | AmbiguousDrug:
    """The row that one name means; what is ambiguous is handed back, because another name may tell."""
    try:
        candidates, said, siblings = _narrow(catalog, named, reading.forms, on, route)
        if len(candidates) > 1 and route is not None and agree(route, "IV"):
            left = _into_vein(catalog, named, candidates)
            siblings += tuple(row.code for row in candidates if row not in left)
            candidates = left
        if len(candidates) == 1:
            drug = candidates[0]
        else:
            # A brand whose rows say what tells them apart is several products, not sizes of one.
            apart = len({row.qualifier for row in said if isinstance(row, Brand)}) > 1
            counting = [row for row in candidates if dose is not None and ratio(row, dose) is not None]
            listed = _of_strength(catalog, named, counting, dose, on)
            if len(listed) == 1 and len(counting) > 1:
                drug = listed[0]  # only one of them comes so
            elif apart and len(counting) == 1:
                drug = counting[0]  # only one of its products is counted so
            else:
                drug = one_of(named.text, candidates, None if apart else _counted(reading, dose, candidates), on, apart)
    except AmbiguousDrug as why:
        return why
    citation = said[0].citation if said else None
    others = tuple(code for code in siblings if code != drug.code)
    return Choice(drug, citation, others, otherwise(catalog, drug, on, route))


def _into_vein(catalog: Catalog, named: Named, rows: tuple[Drug, ...]) -> tuple[Drug, ...]:
    """Of several salts those that may be given into a vein; all, where none may, or another such has no code."""
    never = catalog.of_class("never-into-vein")
    left = tuple(row for row in rows if row.code not in never)
    uncoded = (row.name for row in catalog.public.values() if not row.is_name and row.kind)
    return rows if any(squeezed(name).startswith(named.key) for name in uncoded) else left or rows


def _of_strength(catalog: Catalog, named: Named, rows: list[Drug], dose: Dose | None, on: dt.date) -> list[Drug]:
    """The rows whose products are listed by the strength that is the dose: of a brand, or of a drug in a form."""
    listed = {
        brand.code
        for brand in brands_of_dose(catalog, dose, on)
        if squeezed(brand.brand).startswith(named.key) or (named.own and squeezed(brand.ingredient) == named.key)
    }
    return [row for row in rows if row.code in listed]


def listed_doses(catalog: Catalog, code: str) -> tuple[Dose, ...]:
    """The amounts by which products of a code are listed, so that they may tell what a name means."""
    return tuple(dose for dose, brands in brands_by_strength(catalog).items() for one in brands if one.code == code)


def _counted(reading: DrugText, dose: Dose | None, rows: Sequence[Drug]) -> Dose | None:
    """The dose as the rows count it: a volume as the amount in it, where they count no volume themselves."""
    if dose is None or any(counts_volume(row) for row in rows):
        return dose
    return reading.drawn(dose)


def way_of(catalog: Catalog, text: str, route: str | None) -> str | None:
    """The route by which a drug was given: the one given, or that of its text. Raises `AmbiguousDrug` for two."""
    reading = None if hcpcs.is_valid(text) else read(catalog, text)
    return route if reading is None else _way(reading, route)


def drawn(catalog: Catalog, text: str, dose: Dose, row: Drug) -> Dose:
    """A dose by volume as the amount in it, where the drug's text says the concentration and the row counts none.

    Of a code that counts doses: as the containers of the brand that it is.
    """
    is_dose = (row.basis, row.unit) == ("each", "dose")
    if not is_dose and units.dimension(dose.unit) != "volume":
        return dose  # as most are
    reading = None if hcpcs.is_valid(text) or counts_volume(row) else read(catalog, text)
    if reading is None:
        return dose
    if is_dose:
        return _in_doses(catalog, reading, dose)
    if " / " in row.ingredient:
        return _drawn_of_several(reading, dose, row)
    return reading.drawn(dose)


def _in_doses(catalog: Catalog, reading: DrugText, dose: Dose) -> Dose:
    """What whole containers of a brand hold as so many doses; any other dose as it is."""
    for named in reading.names:
        held = strength_in(catalog.brand_strengths.get(named.key, ""))
        if held is None or not held.volume:
            continue
        whole = (Dose(held.amount * held.volume, held.unit), Dose(held.volume, "mL"))
        one = next((one for one in whole if units.dimension(one.unit) == units.dimension(dose.unit)), None)
        if one is not None and (count := dose.to(one.unit).amount / one.amount).denominator == 1:
            says = f"{dose} / {one} = {several(int(count), 'dose')}"
            step = Step(says, f"a container of {named.text} is one")
            return attrs.evolve(dose, amount=count, unit="dose", steps=(*dose.steps, step))
    return dose


def _drawn_of_several(reading: DrugText, dose: Dose, row: Drug) -> Dose:
    """A volume of a combination: each part as the text says it, else the one amount, where the row counts such."""
    parted = [part for part in reading.of("part") if part.volume]
    if len(parted) == 1 and parted[0].volume:
        return drawn_parts(parted[0].parts, parted[0].volume, dose)
    each = [Dose(part.amount, part.unit) for part in reading.of("concentration") if not part.is_ratio]
    if len(each) > 1:
        return drawn_parts(each, Fraction(1), dose)
    made = reading.drawn(dose)
    return made if any(fits(row, part) for part in reading.of("concentration")) else dose


def otherwise(catalog: Catalog, drug: Drug, on: dt.date, route: str | None = None) -> tuple[str, ...]:
    """Codes of the ingredient, given the same way, that are not bound to the one use of a row."""
    if not drug.use:
        return ()
    alike = called(catalog, squeezed(drug.ingredient))
    return tuple(
        row.code
        for row in alike
        if row.period.holds(on)
        and row.use != drug.use
        and not row.specific
        and (answers_for(row, route) if route else row.is_injected == drug.is_injected)
    )


def _agreed(
    catalog: Catalog, reading: DrugText, chosen: Sequence[Choice | AmbiguousDrug], on: dt.date
) -> Choice | AmbiguousDrug:
    """The one row on which all names and codes of a text agree, as in "naltrexone (Vivitrol)"; else refused."""
    fitting = {code: {code} for code in reading.codes}
    picked = {code: Choice(catalog.on(code, on)) for code in reading.codes}
    for named, choice in zip(reading.names, chosen, strict=True):
        rows = _of_name(catalog, named, None, on)[0]
        fitting[named.text] = {row.code for row in rows if row.period.holds(on)}
        if isinstance(choice, Choice):
            picked.setdefault(choice.drug.code, choice)
    common = set.intersection(*fitting.values())
    agreed = [choice for code, choice in picked.items() if code in common]
    if len(agreed) == 1:
        return agreed[0]
    if not agreed and len(common) == 1:
        return Choice(catalog.on(common.pop(), on))
    if not reading.names and len(agreed) > 1:
        common = set(picked)
    meant = {
        text: sorted({choice.drug.code} if isinstance(choice, Choice) else set(choice.candidates))
        for text, choice in (*zip((n.text for n in reading.names), chosen, strict=True),)
    } | {code: [code] for code in reading.codes}
    says = " and ".join(
        repr(text) if text.upper() in codes else f"{text!r} ({', '.join(codes)})" for text, codes in meant.items()
    )
    what = "several codes" if common else "two drugs"
    return AmbiguousDrug(
        f"{reading.text!r} names {what}: {says}. Give one name, or the code.",
        given=reading.text,
        candidates=tuple(sorted(common or {code for codes in meant.values() for code in codes})),
        on=on,
    )


def _spelt_as(row: Drug, name: str, own: frozenset[str]) -> str:
    """A name and the words beside it, in the order in which a row has them: in sodium chloride."""
    said = [word for word in normal(row.name).split() if word in own]
    return " ".join([name, *dict.fromkeys([*said, *sorted(own)])])


@lru_cache(maxsize=65536)
def _narrow(
    catalog: Catalog, named: Named, forms: tuple[tuple[str, tuple[str, ...]], ...], on: dt.date, route: str | None
) -> tuple[tuple[Drug, ...], tuple[Brand | OtherName, ...], tuple[str, ...]]:
    """The rows left for a name on a day by route; the rows that said so; codes of other forms."""
    name = named.text
    rows, said = _of_name(catalog, named, route, on)
    live = tuple(row for row in rows if row.period.holds(on))
    if not rows:
        words = " ".join(sorted(named.own | named.salts))
        raise ambiguous(name, f"has no code as {words!r}", catalog.meant_by(named.key), "Give the code.", on)
    if not live:
        last = max(rows, key=lambda row: (row.effective <= on, row.effective))
        gone = catalog.not_in_effect(catalog.rows(last.code), on)
        if not any(row.period.holds(on) for code in gone.successors for row in catalog.rows(code)):
            spelt_out = _spelt_as(last, name, named.own)
            before = before_own(catalog, spelt_out, named.key, rows, on) if named.own else None
            if before is not None:
                raise before
            raise catalog.no_code_then(_spelt_as(last, name, named.salts | named.own), rows, on)
        raise gone
    by_code = frozenset(row.code for row in said if row.code)
    if named.own:
        # The name itself told these from the others; one maker's only where it told no code for every maker.
        by_code = frozenset(row.code for row in live if not row.specific) or frozenset(row.code for row in live)
    branded = bool(said or by_code)
    fitting = _given(
        catalog, name, live, _without_salt(catalog, live, on) if not said else (), forms, route, branded, on
    )
    fitting = _of_form(catalog, _as_made(name, fitting, named, on), forms)
    # A code for one use is meant only where that use is all that there is, or is said.
    fit, fitting = fitting, tuple(row for row in fitting if not row.use or named.own) or fitting
    general = _covering(catalog, name, fitting, by_code, on)
    national = _national(general, by_code)
    if by_code:
        return national, said, ()
    made_for = tuple(row.code for row in fitting if row not in general and is_local(row))
    meant = {squeezed(row.ingredient) for row in said} or {named.key}
    plain = tuple(row for row in national if not row.form and is_plain(row) and (route or not is_local(row)))
    exact = tuple(row for row in national if squeezed(row.ingredient) in meant)
    left = tuple(row for row in plain if row in exact) or plain or exact or national
    if not named.own and not forms:
        _check_plain(catalog, name, rows, left, on)
    made = tuple(row for row in national if is_made_for(catalog.properties, row, route))
    if made:
        return made, said, ()
    others = tuple(row.code for row in national if row not in left)
    others += (
        tuple(row.code for row in left[:1] for row in joined_elsewhere(catalog.ingredients, row, on))
        if route is None
        else ()
    )
    others += tuple(row.code for row in fit if row not in fitting and not row.code.startswith(hcpcs.OF_SOME))
    # A brand made for the very place of the body is named, though a plain name never means it.
    others = tuple(
        sorted(others, key=lambda code: code.startswith(hcpcs.OF_SOME))
    )  # what every payer takes is named first
    return left, said, others + (made_for if route else ())


def _national(rows: tuple[Drug, ...], by_code: frozenset[str]) -> tuple[Drug, ...]:
    """The rows but those of a hospital or another payer for which a national code of the same form stands."""
    forms = {row.form for row in rows if not row.code.startswith(hcpcs.OF_SOME)}
    return tuple(
        row for row in rows if row.code in by_code or not row.code.startswith(hcpcs.OF_SOME) or row.form not in forms
    )


def _check_plain(catalog: Catalog, name: str, rows: tuple[Drug, ...], left: tuple[Drug, ...], on: dt.date) -> None:
    """Raise where a plain name is left with a special form alone, because the plain one has no code on that day."""
    if not all(row.form and row.is_injected for row in left):
        return
    plain = tuple(row for row in rows if not row.form and is_plain(row) and row.is_injected)
    near = {code for row in plain for code in _around(catalog, row.code)}
    if plain and near.isdisjoint(row.code for row in left):
        raise catalog.no_code_then(name, plain, on)


def _around(catalog: Catalog, code: str) -> Iterable[str]:
    """The codes that came before and after a code."""
    yield from (row.successor for row in catalog.successors_of(code))
    yield from (row.code for row in catalog.predecessors_of(code))


def _without_salt(catalog: Catalog, rows: tuple[Drug, ...], on: dt.date) -> tuple[Drug, ...]:
    """The rows of the same drug that name no salt: their codes cover each."""
    bare = catalog.without_salts(rows[0].ingredient)
    one = len({row.ingredient for row in rows}) == 1 and bare != normal(rows[0].ingredient)
    return tuple(row for row in catalog.ingredients.get(bare, ()) if row.period.holds(on)) if one else ()


def _given(
    catalog: Catalog,
    name: str,
    rows: tuple[Drug, ...],
    instead: tuple[Drug, ...],
    forms: tuple[tuple[str, tuple[str, ...]], ...],
    route: str | None,
    branded: bool,
    on: dt.date,
) -> tuple[Drug, ...]:
    """The rows that are given as the forms and the route say; where none is, others in their place."""
    try:
        formed = _given_so(catalog, name, rows, forms, on)
        return _fitting(catalog, name, formed, route, branded or len(formed) < len(rows), on)
    except AmbiguousDrug:
        if not instead:
            raise
        with contextlib.suppress(AmbiguousDrug):
            return _given(catalog, name, instead, (), forms, route, True, on)
        raise


def _fitting(
    catalog: Catalog, name: str, live: tuple[Drug, ...], route: str | None, branded: bool, on: dt.date
) -> tuple[Drug, ...]:
    """The rows for the route; without one, those injected, unless a brand or the name says the form."""
    if route is not None:
        fitting = tuple(row for row in live if answers_for(row, route))
        missing = f"has no code for the route {route}"
    else:
        fitting = tuple(row for row in live if row.is_injected)
        if not fitting and branded:
            fitting = live
        missing = "has no code as an injection"
    if not fitting and route == "ophthalmic" and {row.code for row in live} & catalog.of_class("eye-only"):
        says = f"{name!r} is injected into the eye, and {route} is the route of drops. Give the route intravitreal."
        codes = tuple(row.code for row in live)
        raise AmbiguousDrug(says, given=name, candidates=codes, on=on, argument="route", instead="intravitreal")
    if not fitting:
        joined = [
            row
            for row in joined_elsewhere(catalog.ingredients, live[0], on)
            if route is None or answers_for(row, route)
        ]
        if joined:
            way = "Give that brand or its code, if it was that."
            raise ambiguous(name, f"{missing}: another product has, with a code of its own", joined, way, on, route)
        _, bill = catalog.instead_for(live[0], on, route)
        raise ambiguous(name, missing, live, f"If it was given so, {bill}.", on, route)
    return fitting


def given_so(catalog: Catalog, given: str, row: Drug, on: dt.date, route: str | None) -> Drug:
    """The row of a code or an NDC, if it may stand beside the route; else refused with the codes for the route."""
    if route is None or stands_by(row, route):
        return row
    own = normal(row.ingredient)
    alike = dict.fromkeys(full for fulls in catalog.moieties.values() if own in fulls for full in fulls)
    rows = [one for full in alike for one in catalog.ingredients[full] if one.period.holds(on)]
    rows += joined_elsewhere(catalog.ingredients, row, on)
    fitting = tuple(one for one in rows if answers_for(one, route))
    written = given if hcpcs.is_valid(given) else f"{given} ({row.code})"
    says = f"{written}, {row.label}, is not for the route {route}"
    if fitting:
        says = f"{says}; for that there is {listed(fitting)}. Give the code or the route of what was given."
        raise AmbiguousDrug(
            says, given=given, candidates=tuple(one.code for one in fitting), on=on, listed=listed(fitting), route=route
        )
    _, bill = catalog.instead_for(row, on, route)
    raise AmbiguousDrug(f"{says}. If it was given so, {bill}.", given=given, candidates=(), on=on, route=route)


def _as_made(name: str, rows: tuple[Drug, ...], named: Named, on: dt.date) -> tuple[Drug, ...]:
    """The rows of drugs that a maker sells: a compounded drug's code answers only where that is said."""
    if COMPOUNDED in named.own:
        return rows
    made = tuple(row for row in rows if COMPOUNDED not in row.form)
    if not made:
        raise ambiguous(name, "has only codes for a compounded drug", rows, "Write compounded, or give the code.", on)
    return made


def _given_so(
    catalog: Catalog, name: str, rows: tuple[Drug, ...], forms: tuple[tuple[str, tuple[str, ...]], ...], on: dt.date
) -> tuple[Drug, ...]:
    """The rows that are given as each form and package word of the text says."""
    for word, ways in forms:
        left = tuple(row for row in rows if not ways or any(_goes(row, way) for way in ways))
        if not left:
            _, bill = catalog.instead_for(rows[0], on, next((one for one in ways if one != "injection"), None))
            way = f"If it was given so, {bill}; else leave the word out."
            raise ambiguous(name, f"has no code as {word!r}", rows, way, on)
        rows = left
    return rows


def _of_form(
    catalog: Catalog, rows: tuple[Drug, ...], forms: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[Drug, ...]:
    """The rows whose form a word of the text says, where there are such among those given so ("oral suspension")."""
    for word, _ in forms:
        kind = catalog.around[normal(word)].kind
        if kind == "solid":
            rows = tuple(row for row in rows if _LOOSE.isdisjoint(normal(row.form).split())) or rows
        for said in spelt(catalog, word) if kind != "package" else ():
            rows = _formed(rows, said) or rows
    return rows


def _formed(rows: tuple[Drug, ...], said: Set[str]) -> tuple[Drug, ...]:
    """The rows whose form is just these words, else those of whose form they are a part."""
    just = tuple(row for row in rows if said == set(normal(row.form).split()))
    return just or tuple(row for row in rows if said <= set(normal(row.form).split()))


def _goes(row: Drug, way: str) -> bool:
    return row.is_injected if way == "injection" else not row.routes or way in row.routes


def _covering(
    catalog: Catalog, name: str, rows: tuple[Drug, ...], by_code: frozenset[str], on: dt.date
) -> tuple[Drug, ...]:
    """The rows that cover every maker, or that a brand named; one brand's code only by that brand."""
    general = tuple(row for row in rows if row.code in by_code or not row.specific)
    if general:
        return general
    if len(rows) == 1 and all(row.specific for row in catalog.ingredients[normal(rows[0].ingredient)]):
        # An ingredient of one product alone (a biosimilar's suffix) names that product.
        return rows
    says = f"has only codes for one brand or maker on {on}"
    raise ambiguous(name, says, rows, "Give the brand, the code or the NDC.", on)
