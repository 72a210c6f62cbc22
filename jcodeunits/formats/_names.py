"""Whether two names of a drug, one in a message and one beside it, can mean the same drug.

Names are compared by the HCPCS codes that they may mean on any date; nothing is chosen or guessed here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from jcodeunits import hcpcs, ndc
from jcodeunits.errors import LONGEST, AmbiguousDrug, IdentifierError, JcodeunitsError, UnknownDrug, quoted
from jcodeunits.facts.choosing import choose, rows_meant
from jcodeunits.facts.drug_rows import INJECTED, Brand, Drug
from jcodeunits.facts.reference import Reference
from jcodeunits.facts.words import normal, squeezed

from ._quoting import refused

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
    except (AmbiguousDrug, UnknownDrug, IdentifierError):
        return frozenset()


def words(text: str, reference: Reference) -> frozenset[str]:
    """The codes of every single word of a text that is a drug's name by itself."""
    if len(text) > LONGEST:
        return frozenset()
    return frozenset(code for word in re.findall(r"[^\W\d_]{4,}", text) for code in codes(word, reference))


_LETTERS = re.compile(r"[^\W\d_]{3,}")
_PLAIN = frozenset({"injection", "for", "human", "recombinant", "with"})


@lru_cache(maxsize=4096)
def parts(name: str, reference: Reference) -> frozenset[frozenset[str]]:
    """The words of each ingredient that a name may mean by any route, without salts where another word is left."""
    named, rows = reference.drugs.named.get(squeezed(name), ()), _rows(name, reference)
    each = {part for row in rows for part in row.ingredient.split(" / ")} | {c.name for r in rows for c in r.components}
    each |= {row.ingredient for row in named if row.ingredient}
    return frozenset(_bare(part, reference) for part in each)


def rows(name: str, reference: Reference) -> list[Drug]:
    """The rows of every code that a name may mean, by code, so that a sentence that names one is the same each time."""
    return [row for code in sorted(codes(name, reference)) for row in reference.drugs.rows(code)]


def _rows(name: str, reference: Reference) -> list[Drug]:
    """The rows of every code that a name or a brand of it may mean."""
    named = reference.drugs.named.get(squeezed(name), ())
    found = {*codes(name, reference), *(row.code for row in named if isinstance(row, Brand))}
    return [row for code in found for row in reference.drugs.rows(code)]


def _bare(part: str, reference: Reference) -> frozenset[str]:
    written = frozenset(_LETTERS.findall(normal(part)))
    return written - reference.drugs.salt_words - _PLAIN or written


@lru_cache(maxsize=4096)
def contradicts(one: str, other: str, reference: Reference) -> bool:
    """Whether two names of a message surely mean two drugs; what nobody knows contradicts nothing.

    The first is the more exact one. Codes of one ingredient do not contradict each other: another salt, size,
    maker or form of it is asked about where it is billed. A biosimilar is another product than its original. An
    NDC is so exact that a text beside it may be vaguer, or list a solution's parts.

    >>> facts = Reference.shipped()
    >>> [contradicts("0409-3795-01", text, facts) for text in ("Toradol", "ceftriaxone", "house mixture 7")]
    [False, True, False]
    >>> contradicts("J9354", "trastuzumab", facts), contradicts("J1817", "Humalog", facts)
    (True, False)
    """
    mine, theirs = codes(one, reference), codes(other, reference)
    if one == other or _unclassified(mine, reference):
        return False
    if not theirs:
        theirs = words(other, reference)
        return bool(theirs) and not mine & theirs and not mentions(other, one, reference)
    if _unclassified(theirs, reference) or relation(one, other, reference) != "other":
        return False
    salts, others = (frozenset(_LETTERS.findall(normal(name))) & reference.drugs.salt_words for name in (one, other))
    if salts and others and not salts & others:
        return True  # acetate and sodium succinate: two products with a code each
    named = parts(other, reference) | ({_bare(other, reference)} - {frozenset()})
    pairs = [(mine, theirs) for mine in parts(one, reference) for theirs in named]
    if ndc.looks_like(one) and any(b <= a for a, b in pairs):
        return False
    return not any(a <= b and not (len(b - a) == 1 and _SUFFIX.fullmatch("".join(b - a))) for a, b in pairs)


@lru_cache(maxsize=4096)
def is_apart(exact: str, name: str, reference: Reference) -> bool:
    """Whether a name means products with codes of their own, and the code or NDC of what is injected is none of them.

    A name is so exact where it is a brand, or says another salt, form or parts than the code's own. Beside an NDC it
    may be vaguer, or stand in the product's label.

    >>> facts = Reference.shipped()
    >>> [is_apart("J9000", name, facts) for name in ("Doxil", "doxorubicin", "Adriamycin", "house mixture 7")]
    [True, False, False, False]
    >>> [is_apart("68817-0134-50", name, facts) for name in ("Taxol", "paclitaxel", "Abraxane")]
    [True, False, False]
    """
    mine, theirs = rows(exact, reference), _rows(name, reference)
    found = {row.code for row in theirs}
    if not mine or not found or found & {row.code for row in mine} or any(row.refuses for row in (*mine, *theirs)):
        return False
    if not all(INJECTED & {*row.routes} for row in mine) or any(row.kind == "vaccine" for row in mine):
        return False
    is_package = ndc.looks_like(exact)
    if is_package and _is_printed(name, exact, reference):
        return False
    words_ = reference.drugs.salt_words
    salts, own = (frozenset(_LETTERS.findall(normal(one))) & words_ for one in (name, mine[0].ingredient))
    is_another_form = {row.form for row in mine}.isdisjoint(row.form for row in theirs)
    if _is_brand(name, reference) or (salts and salts != own):
        return True
    return not is_package and (is_another_form or parts(name, reference) != parts(exact, reference))


def may_be_apart(exact: str, name: str, reference: Reference) -> bool:
    """Whether a name is a brand and a code, or the one of a package, has its own, so that the day tells which they are.

    >>> facts = Reference.shipped()
    >>> [may_be_apart("J3300", name, facts) for name in ("Kenalog-40", "Triesence", "triamcinolone acetonide")]
    [True, False, False]
    """
    code = _only_code(exact, reference)
    if code != exact and _is_printed(name, exact, reference):
        return False
    own = {squeezed(brand.brand) for brand in reference.drugs.brands_of.get(code, ()) if brand.ends is None}
    return bool(own) and _is_brand(name, reference) and not squeezed(name).startswith(tuple(own))


@lru_cache(maxsize=4096)
def _is_of_another_brand(code: str, name: str, on: dt.date, reference: Reference) -> bool:
    """Whether a brand means another code on a day than the one beside it, which has its own and is not for one use."""
    own = [brand for brand in reference.drugs.brands_of.get(code, ()) if brand.period.holds(on)]
    try:
        meant, row = choose(reference.drugs, name, on).drug, reference.drugs.on(code, on)
    except JcodeunitsError:
        return False
    is_injected = all(INJECTED & {*one.routes} and one.kind != "vaccine" for one in (meant, row))
    return bool(own) and is_injected and meant.code != code and meant.use == row.use


def check_brands(pairs: Iterable[tuple[str, str]], on: dt.date, form: str, where: str, reference: Reference) -> None:
    """Refuse a code beside a brand that has another code on the day."""
    for exact, name in pairs:
        if _is_of_another_brand(_only_code(exact, reference), name, on, reference):
            why = f"its drug is {quoted(exact)} and {quoted(name)}, which has a code of its own on {on}"
            raise refused(form, where, f"{why}: give ‹drug={exact!r}› beside it, or the code of what was given.")


def _only_code(exact: str, reference: Reference) -> str:
    """A code itself, or the one of a package; empty where it has several."""
    found = codes(exact, reference)
    return next(iter(found)) if len(found) == 1 else ""


def _is_brand(name: str, reference: Reference) -> bool:
    return any(isinstance(row, Brand) for row in reference.drugs.named.get(squeezed(name), ()))


def _is_printed(name: str, number: str, reference: Reference) -> bool:
    """Whether a name stands in a label of a package."""
    known = reference.products
    return any(squeezed(name) in squeezed(row.label) for row in known.rows(known.resolve(number, dt.date.max)))


def are_two(given: str, ordered: str, reference: Reference) -> bool:
    """Whether what was given and what was ordered are surely two drugs: no names of one, nor a drug and its base."""
    return (
        contradicts(given, ordered, reference)
        and contradicts(ordered, given, reference)
        and not mentions(ordered, given, reference)
        and not is_solution(ordered, reference)
    )


@lru_cache(maxsize=4096)
def is_solution(name: str, reference: Reference) -> bool:
    """Whether a name means a base solution, which carries what is put into it."""
    rows = _rows(name, reference)
    for other in reference.drugs.named.get(squeezed(name), ()) if not rows else ():
        rows = [*rows, *_rows(other.ingredient, reference)]  # a word for it that names no code by itself: dextrose
    return bool(rows) and all(row.kind == "solution" for row in rows)


def mentions(text: str, name: str, reference: Reference, *, whole: bool = False) -> bool:
    """Whether a text of several parts holds a word (or the `whole`) of an ingredient, whatever else it names."""
    said = frozenset(_LETTERS.findall(normal(text[:LONGEST])))
    return any(part <= said if whole else part & said for part in parts(name, reference))


def _unclassified(found: frozenset[str], reference: Reference) -> bool:
    """Whether nothing is known of the codes, or none of them is one drug's."""
    return all(row.refuses == "unclassified" for code in found for row in reference.drugs.rows(code))


@lru_cache(maxsize=4096)
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
        near = words(said, reference)
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
