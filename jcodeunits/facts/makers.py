"""A maker's name beside a drug's, where that maker has no code of its own for the drug, or has none on the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import AmbiguousDrug, NotInEffect, quoted
from ..grouped import only
from .agreement import listed
from .drug_rows import Brand, Drug
from .drugs import Catalog, beside
from .words import normal, squeezed

if TYPE_CHECKING:
    from .product_rows import Product

_SHORTEST = 3  # letters of a maker's name
_MOST_WORDS = 4  # of one
_NOT_EQUIVALENT = "; not equivalent"


def of_maker(catalog: Catalog, text: str, bare: str, on: dt.date) -> AmbiguousDrug | None:
    """The refusal of a drug's name and a maker's that no code has so; None for any other text.

    The codes are those under which the maker's products are listed, else the one for every maker without its own.
    """
    words = bare.split()
    for size in range(len(words) - 1, 0, -1):
        for head, tail in ((words[:size], words[size:]), (words[-size:], words[:-size])):
            named, maker = "".join(head), "".join(tail)
            may = len(tail) <= _MOST_WORDS and len(maker) >= _SHORTEST
            rows = _plain_rows(catalog, named, on) if may else ()
            products = _products(catalog, tail) if rows else None
            if products is not None:
                return _refused(text, tail, rows, _listed_under(catalog, rows, products, on), on)
    return None


def before_own(catalog: Catalog, name: str, key: str, rows: Iterable[Drug], on: dt.date) -> NotInEffect | None:
    """The refusal of a maker's product on a day on which its own code is not in effect, and the plain code is."""
    rows = tuple(row for row in rows if row.specific)
    plain = tuple(row for row in _plain_rows(catalog, key, on) if row.form in {one.form for one in rows})
    if not rows or not plain:
        return None
    row, when = beside(rows, on)
    codes = tuple(one.code for one in plain)
    says = f"{quoted(name)} has no code of its own on {on}; {row.code} {when}."
    way = f"For every maker without its own there is {listed(plain)}: give that code, or the NDC."
    return NotInEffect(f"{says} {way}", code=row.code, on=on, period=row.period, successors=codes, candidates=codes)


def elsewhere(catalog: Catalog, row: Drug, on: dt.date) -> tuple[str, ...]:
    """Other codes of the drug under which products of the maker of a row's own code are listed on a day."""
    name = normal(row.qualifier.partition(";")[0])
    products = _products(catalog, name.split()) if name else None
    found = _listed_under(catalog, (row,), products or (), on)
    return tuple(sorted({one.code for one in found} - {row.code}))


def _listed_under(catalog: Catalog, rows: Iterable[Drug], products: Iterable[Product], on: dt.date) -> tuple[Drug, ...]:
    """The rows of a drug, whichever salt they name, under which products are listed on a day."""
    codes = {code for one in products if one.period.holds(on) for code in one.codes}
    bare = dict.fromkeys(catalog.without_salts(row.ingredient).replace(" ", "") for row in rows)
    alike = (one for key in bare for full in catalog.moieties.get(key, ()) for one in catalog.ingredients[full])
    return tuple(dict.fromkeys(one for one in alike if one.period.holds(on) and one.code in codes))


def _plain_rows(catalog: Catalog, key: str, on: dt.date) -> tuple[Drug, ...]:
    """The injected rows of an ingredient, not of a brand, that are for every maker on a day.

    Of biologicals there are none: those of other makers are other drugs.
    """
    if any(isinstance(said, Brand) for said in catalog.named.get(key, ())):
        return ()
    rows = tuple(
        row
        for row in catalog.meant_by(key)
        if row.period.holds(on) and row.is_injected and not (row.specific or row.use or row.kind == "biological")
    )
    return tuple(row for row in rows if not row.form) or rows


def _products(catalog: Catalog, words: list[str]) -> tuple[Product, ...] | None:
    """The products of a maker whose name begins so; None where no maker's does."""
    maker = "".join(words)
    found = tuple(row for row in _begun(catalog, words[0]) if squeezed(row.maker).startswith(maker))
    return found if found or any(name.startswith(maker) for name in _with_own(catalog)) else None


@lru_cache(maxsize=256)
def _begun(catalog: Catalog, word: str) -> tuple[Product, ...]:
    """The products of every maker whose name begins with a word, or with its letters."""
    if not any(maker.startswith(word) for maker in _makers(catalog)):
        return ()  # as of most words, and quicker to see than in every line
    from .product_rows import Product

    rows = catalog.store.mentioning(Product, lambda line: word in line)
    return tuple(row for row in rows if row.maker and squeezed(row.maker).startswith(word))


@lru_cache(maxsize=4)
def _makers(catalog: Catalog) -> frozenset[str]:
    """Every maker of a product, as names are compared."""
    from .product_rows import Product  # few texts have a word behind the drug's name

    return frozenset(map(squeezed, catalog.store.cells(Product, "maker")))


@lru_cache(maxsize=4)
def _with_own(catalog: Catalog) -> frozenset[str]:
    """The makers that have a code of their own for some drug, as names are compared."""
    named = (row.qualifier.partition(_NOT_EQUIVALENT) for row in catalog.drugs)
    return frozenset(squeezed(name) for name, other, _ in named if other)


def _refused(text: str, tail: list[str], rows: tuple[Drug, ...], own: tuple[Drug, ...], on: dt.date) -> AmbiguousDrug:
    maker = f"{quoted(' '.join(tail))} in {quoted(text)}"
    found, shown = tuple(row.code for row in own or rows), listed(own or rows)
    if own:
        says = f"{maker} is a maker whose products of it are listed under {shown}."
    else:
        says = (
            f"{maker} is a maker of which no such product is listed; for all without their own code there is {shown}."
        )
    return AmbiguousDrug(
        f"{says} Give that code, or the NDC.",
        given=text,
        candidates=found,
        on=on,
        listed=shown,
        argument="drug",
        instead=only(found, None) if own else None,
    )
