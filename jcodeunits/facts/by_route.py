"""Which rows of a drug answer for a route, and whether what is for one route may have been given by another."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping

from ..routes import NAMES
from ..tables import words
from .drug_rows import INJECTED, Drug
from .words import normal

_SUFFIX = re.compile(r"-[a-z]{4}$")  # what tells one maker's protein from another's

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


def _fits_words(covered: tuple[str, ...], route: str) -> bool:
    key = route.casefold()
    words = _ROUTE_WORDS.get(key, () if key in _NOT_INJECTED else ("injection",))
    return not {key, *words}.isdisjoint(covered)


# Into a vein, a muscle or the skin: what is for one of them is for no other.
_APART = frozenset({"im", "sc", "id", "iv"})


def may_be(route: str, other: str) -> bool:
    """Whether what is for one route may have been given by another: a tablet under the tongue, never into a muscle.

    >>> may_be("oral", "sublingual"), may_be("oral", "IM"), may_be("IV", "IV push"), may_be("IV", "IM")
    (True, False, True, False)
    >>> may_be("intravitreal", "intraocular")
    True
    """
    one, two = (name.casefold().partition(" ")[0] for name in (route, other))
    if {one, two} <= _APART:
        return one == two
    return (route.casefold() in _NOT_INJECTED) == (other.casefold() in _NOT_INJECTED)


def answers_for(row: Drug, route: str) -> bool:
    """Whether a row answers for a route: a row that names routes of its own answers for those only."""
    own = row.routes if route.casefold() == "implant" else own_routes(row)
    return not row.routes or _fits_words(own or row.routes, route)


def a_route(row: Drug) -> str:
    """A route that a row answers for, to stand where none is given and none is asked for."""
    return next((name for name in NAMES if answers_for(row, name)), NAMES[0])


def stands_by(row: Drug, route: str | None) -> bool:
    """Whether a code may stand beside a route: it answers for it, or its own way (the middle ear) has no name here."""
    own = route is None or answers_for(row, route) or not answers_for(row, a_route(row))
    return own or (route == "otic" and answers_for(row, "intratympanic"))


def own_routes(row: Drug) -> tuple[str, ...]:
    """The routes that a row names besides being injected, infused or implanted in general."""
    return tuple(word for word in row.routes if word not in ("injection", "infusion", "implant"))


_NOT_INJECTED = frozenset(
    words(
        "oral|inhaled|topical|intranasal|rectal|vaginal|sublingual|buccal|transdermal|ophthalmic|otic|"
        "intrauterine|implant"
    )
)
_ANYWHERE = frozenset({"intramuscular", "subcutaneous", "intravenous", "intradermal"})


def is_local(row: Drug) -> bool:
    """Whether an injected row is for one place of the body only (an eye, a joint, the spine)."""
    own = own_routes(row)
    return row.is_injected and bool(own) and _ANYWHERE.isdisjoint(own)


def joined_elsewhere(ingredients: Mapping[str, Collection[Drug]], row: Drug, on: dt.date) -> tuple[Drug, ...]:
    """The products that join a row's drug with another and are given elsewhere: of an antibody its form under the skin.

    `ingredients`: the catalog's rows by ingredient, as names are compared.
    """
    if not (own := own_routes(row)):
        return ()
    begins = f"{normal(_SUFFIX.sub('', row.ingredient))} "
    found = (other for name, rows in ingredients.items() if name.startswith(begins) for other in rows)
    return tuple(
        other
        for other in found
        if " / " in other.ingredient
        and other.period.holds(on)
        and own_routes(other)
        and set(own).isdisjoint(own_routes(other))
    )


def is_made_for(properties: Collection[str], row: Drug, route: str | None) -> bool:
    """Whether a row's form only says that it is fit for the very route, as preservative-free is for the spine.

    `properties`: the words of a form that products of the plain code have too.
    """
    form = set(normal(row.form).split())
    return bool(form) and form <= set(properties) and route is not None and route.casefold() in own_routes(row)


def said_for(routes: tuple[str, ...], route: str | None) -> bool:
    """Whether a brand row's routes fit the route; without one, whether it is injected."""
    if not routes:
        return True
    return not INJECTED.isdisjoint(routes) if route is None else _fits_words(routes, route)
