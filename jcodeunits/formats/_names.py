"""Whether two names of a drug, one in a message and one beside it, can mean the same drug.

Names are compared by the HCPCS codes that they may mean on any date; nothing is chosen or guessed here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from jcodeunits import catalog, hcpcs, ndc, products
from jcodeunits.errors import LONGEST, AmbiguousDrug, IdentifierError

Relation = Literal["same", "exact", "vague", "other", "unknown"]
_SUFFIX = re.compile(r"[a-z]{4}")


@lru_cache(maxsize=4096)
def codes(name: str) -> frozenset[str]:
    """Every HCPCS code that a code, an NDC or a name may mean; none for what is unknown or unsafe.

    >>> sorted(codes("Toradol")), sorted(codes("0409-3795-01")), sorted(codes("water from the moon"))
    (['J1885'], ['J1885'], [])
    """
    if len(name) > LONGEST:
        return frozenset()
    if hcpcs.is_valid(name):
        return frozenset({hcpcs.compact(name)})
    try:
        if ndc.looks_like(name):
            shelf = products.shipped()
            return frozenset(code for row in shelf.rows(shelf.resolve(name)) for code in row.codes)
        return frozenset(row.code for row in catalog.shipped().rows_named(name)[0])
    except (AmbiguousDrug, IdentifierError):
        return frozenset()


def _words(text: str) -> frozenset[str]:
    """The codes of every single word of a text that is a drug's name by itself."""
    if len(text) > LONGEST:
        return frozenset()
    return frozenset(code for word in re.findall(r"[^\W\d_]{4,}", text) for code in codes(word))


def relation(said: str, value: str) -> Relation:
    """What a name given beside a message is to the name that the message says.

    `same` or more `exact`: it may stand in its place; `vague`: the message says more; `other`: another drug;
    `unknown`: the message's own name says nothing that is known.

    >>> relation("ketorolac", "J1885"), relation("ketorolac", "ceftriaxone"), relation("Mvasi", "bevacizumab")
    ('same', 'other', 'vague')
    >>> relation("methylprednisolone", "Depo-Medrol"), relation("Depo-Medrol", "methylprednisolone")
    ('exact', 'vague')
    """
    if catalog.squeezed(said) == catalog.squeezed(value):
        return "same"
    mine, theirs = codes(said), codes(value)
    if not mine:
        near = _words(said)
        return "other" if near and theirs and not near & theirs else "unknown"
    if mine == theirs:
        return "same"
    if not theirs:
        return "other"
    if theirs < mine or _is_biosimilar(said, theirs):
        return "exact"
    return "vague" if mine & theirs or _is_biosimilar(value, mine) else "other"


def _is_biosimilar(said: str, theirs: frozenset[str]) -> bool:
    """Whether the codes are of products whose names are the one said and a suffix of four letters."""
    start = f"{catalog.normal(said)} "
    rows = [catalog.normal(row.ingredient) for code in theirs for row in catalog.shipped().rows(code)]
    return bool(rows) and all(
        row.startswith(start) and _SUFFIX.fullmatch(row.removeprefix(start)) for row in rows
    )
