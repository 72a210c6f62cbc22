"""Choosing one code for what a person calls a drug.

A name is looked up exactly (case, hyphens and spaces aside): a brand, another name, an ingredient, or an
ingredient without its salt where that leaves one. Names that merely look alike are never taken for each other.
Where several codes fit, the rules of `choose` decide or refuse.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from .. import hcpcs, units
from ..dated import Citation
from ..errors import AmbiguousDrug, UnitMismatch, UnknownDrug, quoted
from .drug_rows import INJECTED, Brand, Drug, OtherName
from .drugs import Catalog
from .words import check_length, normal, squeezed

if TYPE_CHECKING:
    from ..dose import Dose

# A route of administration and the words of the catalog that cover it, besides its own name. An injection
# covers every route into the body but the ones in _NOT_INJECTED.
_ROUTE_WORDS = {
    "im": ("intramuscular", "injection"),
    "sc": ("subcutaneous", "injection", "implant"),
    "id": ("intradermal", "injection"),
    "iv": ("intravenous", "infusion", "injection"),
    "iv push": ("intravenous", "injection"),
    "iv infusion": ("intravenous", "infusion", "injection"),
    "on-body": ("subcutaneous", "injection"),
    "intranasal": ("nasal",),
    "transdermal": ("topical",),
    "intraocular": ("intracameral", "suprachoroidal", "injection"),
}

_TWO_NAMES = re.compile(r"([^()]*[^()\s])\s*\(([^()]+)\)")  # "naltrexone (Vivitrol)"
# Words about the package, which tell no drug from another.
_PACKAGING = frozenset({"kit", "novaplus", "pfs", "prefilled", "syringe", "syringes", "usp", "vial", "vials"})


@attrs.frozen
class Choice:
    """The row chosen for what the caller named, and the notes on how."""

    drug: Drug
    citation: Citation | None = None  # of the brand or name row, where one was used
    siblings: tuple[str, ...] = ()  # codes of other forms of the ingredient that were not asked for
    otherwise: tuple[str, ...] = ()  # where the code is for one use only: the ingredient's codes for others


def rows_named(
    catalog: Catalog, name: str, route: str | None = None, on: dt.date | None = None
) -> tuple[tuple[Drug, ...], tuple[Brand | OtherName, ...]]:
    """Every dated row that a name may mean, on any date, and the brand or name rows that say so.

    A name may carry words for the form, the route or the maker ("octreotide depot", "oral methotrexate",
    "vasopressin (American Regent)"); then only such rows are meant. Where a brand means different things
    by route, the rows of the route count, and without a route those injected. Raises `AmbiguousDrug` for
    a name that is unsafe; an unknown name gives nothing.
    """
    check_length(name)
    found = catalog.named.get(squeezed(name), ())
    unsafe = [row for row in found if isinstance(row, OtherName) and row.kind == "unsafe"]
    if unsafe:
        meant = tuple(dict.fromkeys(row.ingredient for row in unsafe))
        raise AmbiguousDrug(
            f"{name!r} is an abbreviation that has been misread: it can mean {' or '.join(meant)}. Write the name out.",
            given=name,
            candidates=meant,
        )
    dated = tuple(row for row in found if on is None or row.period.holds(on))
    found = dated or found
    found = tuple(row for row in found if _said_for(row.routes, route)) or found
    if found:
        rows: list[Drug] = []
        for row in found:
            general = () if row.code else catalog.ingredients.get(normal(row.ingredient), ())
            rows.extend(catalog.rows(row.code) if row.code else general)
        return tuple(dict.fromkeys(rows)), found
    return _called(catalog, squeezed(name)) or _told_apart(catalog, name), ()


def _called(catalog: Catalog, key: str) -> tuple[Drug, ...]:
    """Rows of an ingredient, by its full name or without its salt; those of the full name first."""
    fulls = sorted(catalog.moieties.get(key, ()), key=lambda full: full.replace(" ", "") != key)
    return tuple(row for full in fulls for row in catalog.ingredients[full])


def _told_apart(catalog: Catalog, name: str) -> tuple[Drug, ...]:
    """Rows of an ingredient or brand that the name tells from its others by words before or after it."""
    said = [word for word in normal(name).split() if word not in _PACKAGING]
    spans = [(i, j) for i in range(len(said)) for j in range(i + 1, len(said) + 1) if said]
    for i, j in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        key = "".join(said[i:j])
        rows = _called(catalog, key) or _branded(catalog, key)
        more = frozenset(said[:i] + said[j:])
        by_form = tuple(row for row in rows if more <= _form_words(row))
        general = tuple(row for row in by_form if not row.specific)
        found = general or by_form or tuple(row for row in rows if more <= _all_words(row))
        if found:
            return found
    return ()


def _branded(catalog: Catalog, key: str) -> tuple[Drug, ...]:
    """Rows of a brand, whatever their route."""
    rows: list[Drug] = []
    for row in catalog.named.get(key, ()):
        if isinstance(row, Brand):
            rows.extend(catalog.rows(row.code) if row.code else _called(catalog, squeezed(row.ingredient)))
    return tuple(dict.fromkeys(rows))


# -- choosing


def choose(catalog: Catalog, name: str, on: dt.date, dose: Dose | None = None, route: str | None = None) -> Choice:
    """The one row that a code or a name means on a day.

    A plain ingredient means its general code. Among codes of the same ingredient, form and qualifier that
    differ only in size: the least excess over the dose, then the fewest units. Bands of one product: the
    band that holds the dose. Everything else that leaves two codes is refused as ambiguous.

    Raises `UnknownDrug`, `AmbiguousDrug` or `NotInEffect`.
    """
    check_length(name)
    wanted = name.strip()
    if hcpcs.is_valid(wanted):
        code = hcpcs.compact(wanted)
        return Choice(catalog.on(code, on))
    try:
        candidates, said, siblings = _narrow(catalog, wanted, on, route)
    except UnknownDrug:
        both = _TWO_NAMES.fullmatch(wanted)
        if both is None:
            raise
        return _agreed(catalog, wanted, both.groups(), on, dose, route)
    if len(candidates) == 1:
        drug = candidates[0]
    else:
        # A brand whose rows say what tells them apart is several products, not sizes of one.
        apart = len({row.qualifier for row in said if isinstance(row, Brand)}) > 1
        drug = _one(wanted, candidates, None if apart else dose, on, apart)
    citation = said[0].citation if said else None
    others = tuple(code for code in siblings if code != drug.code)
    return Choice(drug, citation, others, otherwise(catalog, drug, on, route))


def otherwise(catalog: Catalog, drug: Drug, on: dt.date, route: str | None = None) -> tuple[str, ...]:
    """Codes of the ingredient, given the same way, that are not bound to the one use of a row."""
    if not drug.use:
        return ()
    alike = _called(catalog, squeezed(drug.ingredient))
    return tuple(
        row.code
        for row in alike
        if row.period.holds(on)
        and row.use != drug.use
        and not row.specific
        and (_fits(row, route) if route else row.is_injected == drug.is_injected)
    )


def _agreed(
    catalog: Catalog, name: str, sides: Sequence[str], on: dt.date, dose: Dose | None, route: str | None
) -> Choice:
    """The one row on which two names agree, as in "naltrexone (Vivitrol)"; refused where they do not."""
    chosen: dict[str, Choice] = {}
    fitting: list[set[str]] = []
    for side in sides:
        try:
            choice = choose(catalog, side, on, dose, route)
        except AmbiguousDrug as why:
            fitting.append(set(why.candidates))
        else:
            chosen[choice.drug.code] = choice
            fitting.append({choice.drug.code})
    common = fitting[0] & fitting[1]
    if len(common) == 1:
        code = common.pop()
        return chosen.get(code) or Choice(catalog.on(code, on))
    named = " and ".join(f"{sides[i]!r} ({', '.join(sorted(fitting[i]))})" for i in range(2))
    what = "several codes" if common else "two drugs"
    raise AmbiguousDrug(
        f"{name!r} names {what}: {named}. Give one name, or the code.",
        given=name,
        candidates=tuple(sorted(common or fitting[0] | fitting[1])),
        on=on,
    )


@lru_cache(maxsize=65536)
def _narrow(
    catalog: Catalog, name: str, on: dt.date, route: str | None
) -> tuple[tuple[Drug, ...], tuple[Brand | OtherName, ...], tuple[str, ...]]:
    """The rows left for a name on a day by route; the rows that said so; codes of other forms."""
    rows, said = rows_named(catalog, name, route, on)
    if not rows:
        raise UnknownDrug(
            f"No drug is called {quoted(name)} in {catalog.edition}. Check the spelling, or give the code.",
            given=name,
            near=(),
        )
    live = tuple(row for row in rows if row.period.holds(on))
    if not live:
        last = max(rows, key=lambda row: (row.effective <= on, row.effective))
        raise catalog.not_in_effect(catalog.rows(last.code), on)
    by_code = frozenset(row.code for row in said if row.code)
    if not said and squeezed(name) not in catalog.moieties:
        by_code = frozenset(row.code for row in live)  # the name itself told these from the others
    fitting = _fitting(name, live, route, bool(said or by_code), on)
    general = _covering(catalog, name, fitting, by_code, on)
    national = tuple(row for row in general if row.code in by_code or row.code[0] not in "CS") or general
    if by_code:
        return national, said, ()
    made_for = tuple(row.code for row in fitting if row not in general and _is_local(row))
    meant = {squeezed(row.ingredient) for row in said} or {squeezed(name)}
    plain = tuple(row for row in national if not row.form and _is_plain(row) and (route or not _is_local(row)))
    exact = tuple(row for row in national if squeezed(row.ingredient) in meant)
    left = tuple(row for row in plain if row in exact) or plain or exact or national
    others = tuple(row.code for row in national if row not in left)
    # A brand made for the very place of the body is named, though a plain name never means it.
    return left, said, others + (made_for if route else ())


def _fitting(name: str, live: tuple[Drug, ...], route: str | None, branded: bool, on: dt.date) -> tuple[Drug, ...]:
    """The rows for the route; without one, those injected, unless a brand or the name says the form."""
    if route is not None:
        fitting = tuple(row for row in live if _fits(row, route))
        missing = f"has no code for the route {route}"
    else:
        fitting = tuple(row for row in live if row.is_injected)
        if not fitting and branded:
            fitting = live
        missing = "has no code as an injection"
    if not fitting:
        raise AmbiguousDrug(
            f"{name!r} {missing}: {_listed(live)}. Give the route it was given by, or the HCPCS code.",
            given=name,
            candidates=tuple(row.code for row in live),
            on=on,
        )
    return fitting


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
    raise AmbiguousDrug(
        f"{name!r} has only codes for one brand or maker on {on}: {_listed(rows)}. "
        "Give the brand, the code or the NDC.",
        given=name,
        candidates=tuple(row.code for row in rows),
        on=on,
    )


def _one(name: str, rows: tuple[Drug, ...], dose: Dose | None, on: dt.date, apart: bool = False) -> Drug:
    """One of several rows by the dose, or refused."""
    same = {(row.ingredient, row.form, _product_of(row), _own_routes(row)) for row in rows}
    if len(same) == 1:
        computable = [row for row in rows if not row.refuses]
        if dose is not None and any(row.above or row.through for row in computable):
            computable = [row for row in computable if holds(row, dose)]
        if dose is not None and computable and all(row.basis == "band" for row in computable):
            held = [row for row in computable if holds(row, dose)]
            if len(held) == 1:
                return held[0]
        elif dose is not None and computable and all(row.basis != "band" for row in computable):
            ranked = sorted((_excess(row, dose), row.code, row) for row in computable)
            if len(ranked) == 1 or ranked[0][0] != ranked[1][0]:
                return ranked[0][2]
    ways = "Say which: give the code, the full name with its salt or form, the brand, or the NDC."
    if len(same) == 1 and dose is None and not apart:
        ways = "They differ in size: give the dose, or the code."
    raise AmbiguousDrug(
        f"{name!r} fits several codes on {on}: {_listed(rows)}. {ways}",
        given=name,
        candidates=tuple(row.code for row in rows),
        on=on,
    )


def _fits_words(covered: tuple[str, ...], route: str) -> bool:
    key = route.casefold()
    words = _ROUTE_WORDS.get(key, () if key in _NOT_INJECTED else ("injection",))
    return not {key, *words}.isdisjoint(covered)


def _fits(row: Drug, route: str) -> bool:
    """Whether a row answers for a route: a row that names routes of its own answers for those only."""
    own = row.routes if route.casefold() == "implant" else _own_routes(row)
    return not row.routes or _fits_words(own or row.routes, route)


def _own_routes(row: Drug) -> tuple[str, ...]:
    """The routes that a row names besides being injected, infused or implanted in general."""
    return tuple(word for word in row.routes if word not in ("injection", "infusion", "implant"))


_NOT_INJECTED = frozenset(
    {
        "oral",
        "inhaled",
        "topical",
        "intranasal",
        "rectal",
        "vaginal",
        "sublingual",
        "buccal",
        "transdermal",
        "ophthalmic",
        "otic",
        "intrauterine",
        "implant",
    }
)
_ANYWHERE = frozenset({"intramuscular", "subcutaneous", "intravenous", "intradermal"})


def _is_local(row: Drug) -> bool:
    """Whether an injected row is for one place of the body only (an eye, a joint, the spine)."""
    own = _own_routes(row)
    return row.is_injected and bool(own) and _ANYWHERE.isdisjoint(own)


def _said_for(routes: tuple[str, ...], route: str | None) -> bool:
    """Whether a brand row's routes fit the route; without one, whether it is injected."""
    if not routes:
        return True
    return not INJECTED.isdisjoint(routes) if route is None else _fits_words(routes, route)


@lru_cache(maxsize=8192)
def _form_words(row: Drug) -> frozenset[str]:
    """The words that say a row's form and routes."""
    return frozenset(normal(" ".join((row.form, *row.routes))).split())


def _all_words(row: Drug) -> frozenset[str]:
    """The words that say a row's form and routes, and its brand or maker."""
    return _form_words(row) | frozenset(normal(row.qualifier).split())


_PLAIN = ("not otherwise specified", "nos", "excludes biosimilar", "excludes biosimilars")


def _product_of(row: Drug) -> str:
    """The qualifier as far as it tells products apart."""
    return "" if _is_plain(row) else row.qualifier


def _is_plain(row: Drug) -> bool:
    return not row.qualifier or normal(row.qualifier) in _PLAIN


def holds(row: Drug, dose: Dose) -> bool:
    """Whether a row's limits hold a dose; plain units are the drug's own, whichever kind CMS names."""
    own_units = dose.unit == "unit" and units.is_activity(row.unit)
    try:
        given = dose.amount * (Fraction(1) if own_units else units.factor(dose.unit, row.unit))
    except UnitMismatch:
        return False
    return (row.above is None or given > row.above) and (row.through is None or given <= row.through)


def _excess(row: Drug, dose: Dose) -> tuple[Fraction, int]:
    """How much more than the dose its units stand for, and how many units; for ranking sizes."""
    if row.size is None:
        return Fraction(10**30), 0
    ratio = _ratio(row, dose)
    if ratio is None:
        return Fraction(10**30), 0
    count = -(-ratio // 1)
    mass = units.factor(row.unit, "mg") if units.dimension(row.unit) == "mass" else Fraction(1)
    return (count - ratio) * row.size * mass, int(count)


def _ratio(row: Drug, dose: Dose) -> Fraction | None:
    """The dose in units of a row, also by the row's own equivalences; None where the kinds differ."""
    ways = ((row.size or Fraction(1), row.unit), *row.equivalents)
    for amount, unit in ways:
        if units.dimension(dose.unit) == units.dimension(unit):
            return dose.amount * units.factor(dose.unit, unit) / amount
    if dose.unit == "unit":
        return next((dose.amount / amount for amount, unit in ways if units.is_activity(unit)), None)
    return None


def _listed(rows: Iterable[Drug]) -> str:
    shown = [f"{row.code} {row.label}" for row in rows]
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return "; ".join(shown[:6]) + more
