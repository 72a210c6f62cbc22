"""Which drug the description of a charge names, and whether that is another than the one that its code counts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from ..errors import AmbiguousDrug, JcodeunitsError, NoCode
from ..facts.choosing import choose
from ..facts.drug_rows import Drug
from ..facts.reference import Reference
from ..facts.words import normal
from .judged import row_of

_MANY = 4  # a word that more drugs have in their names (vaccine, factor, alfa) tells none of them


def meant_by(description: str, on: dt.date, reference: Reference) -> Drug | None:
    """The row of the drug that a description names; None where it names none, or not one for certain."""
    told = _told(description, on, reference)
    return told.rows[0] if told.certain else None


def names_another(description: str, drug: Drug, on: dt.date, reference: Reference) -> bool:
    """Whether a description names drugs that have no telling word of a code's drug, or a brand of another code."""
    if not description or drug.refuses == "unclassified":
        return False
    told, ours = _told(description, on, reference), _telling(drug, reference)
    theirs = [_telling(row, reference) for row in told.rows] or [told.uncoded]
    if drug.code in {row.code for row in told.rows} or not any(theirs):
        return False
    said = f" {normal(description)} "
    if ours.isdisjoint(said.split()) and ours.isdisjoint(frozenset().union(*theirs)):
        return True
    others = _brands(told.rows[0], reference) - _brands(drug, reference) if told.certain else ()
    return any(f" {brand} " in said for brand in others if brand != normal(told.rows[0].ingredient))


class _Told(NamedTuple):
    """What a description names: a drug, or several of which it may be one; or the words of one that has no code."""

    rows: tuple[Drug, ...] = ()
    certain: bool = False
    uncoded: frozenset[str] = frozenset()


@lru_cache(maxsize=1 << 14)
def _told(description: str, on: dt.date, reference: Reference) -> _Told:
    try:
        return _Told((choose(reference.drugs, description, on).drug,), certain=True)
    except AmbiguousDrug as why:
        return _Told(tuple(row for code in why.candidates if (row := row_of(code, on, reference)) is not None))
    except NoCode as why:
        return _Told(uncoded=frozenset(_words(normal(why.given), reference)))
    except JcodeunitsError:
        return _Told()


@lru_cache(maxsize=1 << 12)
def _telling(drug: Drug, reference: Reference) -> frozenset[str]:
    """What tells a drug: its brands, its ingredient, and the words of that but for salts and those of many drugs."""
    name = normal(drug.ingredient)
    return frozenset(_words(name, reference)) - _of_many(reference) | {name} | _brands(drug, reference)


def _words(name: str, reference: Reference) -> list[str]:
    """The words of a name but for its salt; a name that begins with one (calcium chloride) is whole."""
    words, salts = name.split(), reference.drugs.salt_words
    if words[:1] and words[0] in salts:
        return [name]
    return [word for word in words if len(word) > 1 and word.isalpha() and word not in salts]


@lru_cache(maxsize=8)
def _of_many(reference: Reference) -> frozenset[str]:
    """The words that the names of many drugs have."""
    held: defaultdict[str, set[str]] = defaultdict(set)
    for name in {normal(row.ingredient) for row in reference.drugs.drugs}:
        for word in _words(name, reference):
            held[word].add(name.split()[0].partition("-")[0])
    return frozenset(word for word, drugs in held.items() if len(drugs) > _MANY)


def _brands(drug: Drug, reference: Reference) -> frozenset[str]:
    """The brands of a code, and of its ingredient where they mean no other code."""
    known, none = _branded(reference), frozenset[str]()
    return known.get(drug.code, none) | known.get(drug.ingredient, none)


@lru_cache(maxsize=8)
def _branded(reference: Reference) -> dict[str, frozenset[str]]:
    """Brands by the code, or else the ingredient, that they mean."""
    made: defaultdict[str, set[str]] = defaultdict(set)
    for row in reference.drugs.brands:
        made[row.code or row.ingredient].add(normal(row.brand))
    return {meant: frozenset(brands) for meant, brands in made.items()}
