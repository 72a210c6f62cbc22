"""Which drug the description of a charge names, and whether that is another than the one that its code counts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from .. import units
from ..errors import LONGEST, AmbiguousDrug, JcodeunitsError, NoCode
from ..facts.by_route import a_route, may_be, stands_by
from ..facts.choosing import choose, way_of
from ..facts.drug_rows import Brand, Drug
from ..facts.drug_text import Part, parts_of
from ..facts.reading_names import read
from ..facts.reference import Reference
from ..facts.words import normal
from ..grouped import grouped
from .judged import row_of

_SHORTEST = 6  # letters of a word that tells a drug in a text that is not read
_MANY = 4  # a word that more drugs have in their names (vaccine, factor, alfa) tells none of them


def meant_by(description: str, on: dt.date, reference: Reference) -> Drug | None:
    """The row of the drug that a description names; None where it names none, or not one for certain."""
    told = _told(description, on, reference) if len(description) <= LONGEST else _Told()
    return told.rows[0] if told.certain else None


def may_mean(description: str, drug: Drug, on: dt.date, reference: Reference) -> bool:
    """Whether a description names the drug of a code, be it with others of its name: a salt, a size."""
    told = _told(description, on, reference) if len(description) <= LONGEST else _Told()
    return told.is_read and drug.code in {row.code for row in told.rows}


def names_another(description: str, drug: Drug, on: dt.date, reference: Reference) -> bool:
    """Whether a description names drugs that have no telling word of a code's drug, or a brand of another code, or
    says a way in which the code's is not given: a tablet of what is injected."""
    if not description or len(description) > LONGEST or drug.refuses == "unclassified":
        return False
    if _is_given_otherwise(description, drug, reference):
        return True
    told = _told(description, on, reference)
    if drug.code in {row.code for row in told.rows}:
        return False
    ours, theirs = _telling(drug, reference), [_telling(row, reference) for row in told.rows] or [told.uncoded]
    if not any(theirs):
        return False
    said = f" {normal(description)} "
    if ours.isdisjoint(said.split()) and ours.isdisjoint(frozenset().union(*theirs)):
        return True
    others = _brands(told.rows[0], reference) - _brands(drug, reference) if told.certain else ()
    return any(f" {brand} " in said for brand in others if brand != normal(told.rows[0].ingredient))


@lru_cache(maxsize=1 << 14)
def _is_given_otherwise(description: str, drug: Drug, reference: Reference) -> bool:
    try:
        way, reading = way_of(reference.drugs, description, None), read(reference.drugs, description)
    except JcodeunitsError:  # a text that is no name
        return False
    if way is None and reading is not None and {ways for _, ways in reading.forms} == {("injection",)}:
        return a_route(drug) == "oral"
    return way is not None and not stands_by(drug, way) and not may_be(way, a_route(drug))


class Contained(NamedTuple):
    """What a container holds, as a description says it, and which container; empty where it does not say that."""

    amount: Fraction
    unit: str
    word: str
    volume: Fraction | None = None  # the mL of it, where it says so


def contained(description: str) -> Contained | None:
    """What one container holds, where a description says so: its one strength and the container, or all of its volume.

    >>> contained("CEFTRIAXONE 1 G VIAL")
    Contained(amount=Fraction(1, 1), unit='g', word='vial', volume=None)
    >>> contained("ondansetron 4 mg/2 mL vial").amount
    Fraction(4, 1)
    >>> contained("heparin 1,000 units/mL vial 10 mL").amount, contained("morphine 10 mg/mL vial")
    (Fraction(10000, 1), None)
    """
    parts = parts_of(description[:LONGEST])
    said = [part.strength for part in parts if part.strength is not None]
    if not said or any(map(_is_packed, parts[_first_strength(parts) :])):
        return None
    words = [counted(part.key) for part in parts if part.strength is None]
    word = next(filter(None, words), "")
    kinds, first = [one.kind for one in said], said[0]
    if kinds[:2] == ["concentration", "volume"]:  # written in full, it needs no word for the container
        held = first.amount * said[1].amount
        if kinds[2:] not in ([], ["amount"]) or any(one.amount != held or one.unit != first.unit for one in said[2:]):
            return None
        return Contained(held, first.unit, word, said[1].amount)
    if kinds == ["volume"]:
        return Contained(first.amount, first.unit, word, first.amount)
    if len(said) > 1 or not (word or parts[-1].strength is None):
        return None
    if first.kind == "amount":
        return Contained(first.amount, first.unit, word)
    if first.kind == "concentration" and first.volume is not None:
        return Contained(first.amount * first.volume, first.unit, word)
    return None


_PACKED = frozenset({"x", "pack", "box", "case", "tray"})  # of several containers


def _first_strength(parts: Sequence[Part]) -> int:
    return next(at for at, part in enumerate(parts) if part.strength is not None)


def _is_packed(part: Part) -> bool:
    return part.strength is None and (part.key in _PACKED or part.key.isdigit())


def counted(word: str) -> str:
    """What a word counts, where that is containers of a product or each of them; empty for another."""
    try:
        unit = units.canonical(word)
    except JcodeunitsError:
        return ""
    return unit if unit == "each" or units.counts("container", unit) else ""


class _Told(NamedTuple):
    """What a description names: a drug, or several of which it may be one; or the words of one that has no code."""

    rows: tuple[Drug, ...] = ()
    certain: bool = False
    is_read: bool = False
    uncoded: frozenset[str] = frozenset()


@lru_cache(maxsize=1 << 14)
def _told(description: str, on: dt.date, reference: Reference) -> _Told:
    try:
        return _Told((choose(reference.drugs, description, on).drug,), certain=True, is_read=True)
    except AmbiguousDrug as why:
        rows = (row_of(code, on, reference) for code in why.candidates)
        return _Told(tuple(row for row in rows if row is not None), is_read=True)
    except NoCode as why:
        return _Told(uncoded=frozenset(_words(normal(why.given), reference)))
    except JcodeunitsError:
        known = _by_word(reference)
        return _Told(tuple(dict.fromkeys(row for word in normal(description).split() for row in known.get(word, ()))))


@lru_cache(maxsize=8)
def _by_word(reference: Reference) -> dict[str, tuple[Drug, ...]]:
    """The drugs that one word of a text may be about, the first of an ingredient or a brand: HC KETOROLAC PER UNIT."""
    made: defaultdict[str, list[Drug]] = defaultdict(list)
    for row in reference.drugs.drugs:
        if row.refuses or row.kind == "skin-substitute":  # whose names are words of the language: matrix, acellular
            continue
        first = normal(row.ingredient).split()[0]
        for name in _telling(row, reference) & {first, *_brands(row, reference)}:
            if len(name) >= _SHORTEST and name.isalpha():
                made[name].append(row)
    return {word: tuple(rows) for word, rows in made.items()}


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
    known = _branded(reference)
    rows = (*known.get(drug.code, ()), *known.get(drug.ingredient, ()))
    return frozenset(normal(row.brand) for row in rows)


@lru_cache(maxsize=8)
def _branded(reference: Reference) -> dict[str, tuple[Brand, ...]]:
    """Brands by the code, or else the ingredient, that they mean."""
    return grouped(reference.drugs.brands, lambda row: row.code or row.ingredient)
