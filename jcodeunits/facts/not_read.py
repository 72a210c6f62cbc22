"""Why a drug's text is not read, and what to write instead."""

from __future__ import annotations

import datetime as dt
import re

from ..errors import LONGEST, AmbiguousDrug, UnknownDrug, quoted
from ..grouped import only
from .agreement import listed
from .beside_names import Named, is_small, sizes
from .drug_text import often, parts_of
from .drugs import Catalog
from .makers import of_maker
from .reading_names import bare_names, read
from .words import squeezed, too_long

_MOST_CANDIDATES = 10
_BRACKETED = re.compile(r"[(\[]([^()\[\]]+)[)\]]")  # the brand behind a drug's name
_CODE = re.compile(r"\b[A-Za-z]\d{4}\b", re.ASCII)


def by_others(catalog: Catalog, named: Named, on: dt.date) -> AmbiguousDrug:
    """The refusal of a name that has no code by itself, with the drugs that it may be or be a part of."""
    codes = catalog.public[named.key].means.split("|")
    rows = [row for code in codes for row in catalog.rows(code) if row.period.holds(on)]
    shown = listed(rows)
    return AmbiguousDrug(
        f"{quoted(named.text)} has no code by itself: {shown}. Give the whole drug, or its code.",
        given=named.text,
        candidates=tuple(row.code for row in rows) or tuple(codes),
        on=on,
        listed=shown,
    )


def why_not_read(catalog: Catalog, name: str, on: dt.date) -> UnknownDrug | AmbiguousDrug:
    """The error of a text that is not read; the first words of several names are asked about."""
    again, rest = often(name)
    if again and rest.strip() and read(catalog, rest) is not None:
        says = f"{again!r} in {quoted(name)} says how often it is given, not how much was."
        return AmbiguousDrug(f"{says} Leave it out, and give the amount that was given.", given=name, candidates=())
    said = [(text, bare) for text in (name, *_BRACKETED.findall(name)) for bare in bare_names(catalog, text)]
    for text, bare in said:
        made = _of_sizes(catalog, name, text, bare) or _begun(catalog, name, text, bare, on)
        if made is not None:
            return made
    for text, bare in said:
        made = of_maker(catalog, text, bare, on)
        if made is not None:
            return made
    says = f"No drug is called {quoted(name)} in {catalog.edition}."
    return _unknown(catalog, name, says, "Check the spelling, or give the code.")


def _of_sizes(catalog: Catalog, name: str, text: str, bare: str) -> AmbiguousDrug | None:
    """The error of a brand that is listed by its strengths, with another; None for any other text."""
    key = squeezed(bare)
    sized = sizes(catalog, key) if catalog.knows(key) else {}
    other = next((one.strength for one in parts_of(text) if one.strength and one.strength.kind in sized), None)
    if other is None:
        return None
    every = sorted(sized[other.kind].values(), key=lambda one: one.amount)
    listed_by = ", ".join(dict.fromkeys(one.written for one in every))
    says = f"{other.written!r} in {quoted(text)} is none of the strengths by which {bare} is listed: {listed_by}."
    way = "Leave it out and give the dose beside the name, or give the code."
    return AmbiguousDrug(f"{says} {way}", given=name, candidates=())


def _begun(catalog: Catalog, name: str, text: str, bare: str, on: dt.date) -> AmbiguousDrug | None:
    """The error of the first words of several names, with those and their codes; None for any other text."""
    key = squeezed(bare)
    is_word = is_small(key) or (text != name and set(bare.split()) <= catalog.shared_words)  # "(human)"
    begun = () if is_word or catalog.knows(key) else catalog.beginnings.get(key, ())
    meant: dict[tuple[str, ...], str] = {}
    for begins in begun:
        rows = [row for row in catalog.meant_by(squeezed(begins)) if row.period.holds(on)]
        coded = any(row.code for row in catalog.named.get(squeezed(begins), ()))
        general = [row for row in rows if coded or not row.specific] or rows
        codes = tuple(sorted({row.code for row in general}))
        if codes and (codes not in meant or len(begins) < len(meant[codes])):
            meant[codes] = begins
    if not meant:
        return None
    shown = [f"{begins} ({', '.join(codes[:4])})" for codes, begins in meant.items()][:_MOST_CANDIDATES]
    return AmbiguousDrug(
        f"{quoted(text)} is no whole name: it may be {'; '.join(shown)}. Write the whole name, or the code.",
        given=name,
        candidates=tuple(dict.fromkeys(code for codes in meant for code in codes))[:_MOST_CANDIDATES],
        on=on,
    )


def with_code(catalog: Catalog, name: str) -> None:
    """Refuse what is longer than any name; a code in it is named. Raises `UnknownDrug`."""
    says = too_long(name)
    if says:
        raise _unknown(catalog, name, says, "Give the name alone, or the code.")


def _unknown(catalog: Catalog, name: str, says: str, way: str) -> UnknownDrug:
    """The error of a text that is no name: the way out is the one code of the catalog in it, where there is one."""
    code = only((one.upper() for one in _CODE.findall(name[:LONGEST]) if catalog.rows(one.upper())), "")
    if code:
        says = f"{says} {code} in it is a code: give that alone."
        return UnknownDrug(says, given=name, near=(), argument="drug", instead=code)
    return UnknownDrug(f"{says} {way}", given=name, near=())
