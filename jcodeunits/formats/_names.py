"""Whether two names of a drug, one in a message and one beside it, can mean the same drug.

Names are compared by the HCPCS codes that they may mean on any date; nothing is chosen or guessed here.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Literal

from jcodeunits import hcpcs, ndc
from jcodeunits.errors import LONGEST, AmbiguousDrug, IdentifierError
from jcodeunits.facts.choosing import rows_meant
from jcodeunits.facts.reference import Reference
from jcodeunits.facts.words import normal, squeezed

Relation = Literal["same", "exact", "vague", "other", "unknown"]
_SUFFIX = re.compile(r"[a-z]{4}")


@lru_cache(maxsize=4096)
def codes(name: str, reference: Reference) -> frozenset[str]:
    """Every HCPCS code that a code, an NDC or a name may mean; none for what is unknown or unsafe.

    >>> facts = Reference.shipped()
    >>> [sorted(codes(name, facts)) for name in ("Toradol", "0409-3795-01", "water from the moon")]
    [['J1885'], ['J1885'], []]
    """
    if len(name) > LONGEST:
        return frozenset()
    if hcpcs.is_valid(name):
        return frozenset({hcpcs.compact(name)})
    try:
        if ndc.looks_like(name):
            known = reference.products
            return frozenset(code for row in known.rows(known.resolve(name, dt.date.max)) for code in row.codes)
        return frozenset(row.code for row in rows_meant(reference.drugs, name))
    except (AmbiguousDrug, IdentifierError):
        return frozenset()


def _words(text: str, reference: Reference) -> frozenset[str]:
    """The codes of every single word of a text that is a drug's name by itself."""
    if len(text) > LONGEST:
        return frozenset()
    return frozenset(code for word in re.findall(r"[^\W\d_]{4,}", text) for code in codes(word, reference))


def relation(said: str, value: str, reference: Reference) -> Relation:
    """What a name given beside a message is to the name that the message says.

    `same` or more `exact`: it may stand in its place; `vague`: the message says more; `other`: another drug;
    `unknown`: the message's own name says nothing that is known.

    >>> facts = Reference.shipped()
    >>> [relation("ketorolac", beside, facts) for beside in ("J1885", "ceftriaxone")]
    ['same', 'other']
    >>> relation("Mvasi", "bevacizumab", facts), relation("methylprednisolone", "Depo-Medrol", facts)
    ('vague', 'exact')
    """
    if squeezed(said) == squeezed(value):
        return "same"
    mine, theirs = codes(said, reference), codes(value, reference)
    if not mine:
        near = _words(said, reference)
        return "other" if near and theirs and not near & theirs else "unknown"
    if mine == theirs:
        return "same"
    if not theirs:
        return "other"
    if theirs < mine or _is_biosimilar(said, theirs, reference):
        return "exact"
    return "vague" if mine & theirs or _is_biosimilar(value, mine, reference) else "other"


def _is_biosimilar(said: str, theirs: frozenset[str], reference: Reference) -> bool:
    """Whether the codes are of products whose names are the one said and a suffix of four letters."""
    start = f"{normal(said)} "
    rows = [normal(row.ingredient) for code in theirs for row in reference.drugs.rows(code)]
    return bool(rows) and all(row.startswith(start) and _SUFFIX.fullmatch(row.removeprefix(start)) for row in rows)
