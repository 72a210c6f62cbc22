"""Reading what people write for a drug: the name, and the parts that records and clinics put around it.

"Inj ketorolac (TORADOL) 30 mg/mL IM" is a name, the same drug's brand, a strength, a form and a route. Every word
is used as one of these or the text is not read; nothing is left out, and no name is taken for one that looks
like it. Which row the parts mean on a day is chosen in `choosing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import attrs

from ..amount import decimal_text
from ..errors import AmbiguousDrug
from .around_names import fluid, in_fluid, phrase
from .beside_names import LONGEST_OTHER, DrugText, Named, is_small, used_around
from .drug_rows import Brand
from .drug_text import Part, Strength, parts_of, strength_in
from .drugs import Catalog
from .strengths import contradict, same
from .words import check_length, normal, squeezed

_MOST_NAMES = 3
_DIGITS = 5  # of a code without a letter
_MOST_SPELT = 2  # times: "sod" is sodium, and "heparin sodium porcine" is heparin sodium
_MOST_TRIED = 4  # names of a text beside which another is looked for
_RXNORM = re.compile(r"(?:rxnorm|rxcui)[\s:#]*(\d{2,8})", re.IGNORECASE)


def read(catalog: Catalog, text: str) -> DrugText | None:
    """The parts of a drug's text, None where one is none. Raises `AmbiguousDrug` or (too long) `UnknownDrug`."""
    check_length(text)
    return _read(catalog, text)


@lru_cache(maxsize=65536)
def _read(catalog: Catalog, text: str) -> DrugText | None:
    found = _first_reading(catalog, text)
    return None if found is None else _agreeing(catalog, attrs.evolve(found, text=text))


def bare_names(catalog: Catalog, text: str) -> tuple[str, ...]:
    """What may be a name in a text that is not read: its words without routes, forms, packages and strengths."""
    parts = tuple(parts_of(text))
    made = []
    for spelt in (parts, *_spelt_out(catalog, parts)):
        words, _ = _without(catalog, spelt)
        made.append(" ".join([part.key for part in words]))
    return tuple(dict.fromkeys(name for name in made if name))


def _first_reading(catalog: Catalog, text: str) -> DrugText | None:
    named = _RXNORM.sub(lambda found: _by_rxnorm(catalog, found), in_fluid(catalog, text))
    parts = [_as_code(catalog, part) for part in parts_of(named)]
    for spelt in dict.fromkeys((tuple(parts), *_spelt_out(catalog, parts))):
        found = _taken_apart(catalog, spelt)
        if found is not None:
            return found
    return _of_public_list(catalog, text, tuple(parts))


def _of_public_list(catalog: Catalog, text: str, parts: tuple[Part, ...]) -> DrugText | None:
    """The reading of a text with a name that stands only in a public list: as it is called here, or as no drug."""
    words, rest = _without(catalog, parts)
    for key, around in ((squeezed(text), ()), ("".join([part.key for part in words]), rest)):
        row = catalog.public.get(key)
        if row is not None and row.is_name:
            return _taken_apart(catalog, (*parts_of(row.means), *around))
        if row is not None:
            found = used_around(catalog, Named(key, row.name), around)
            return found if isinstance(found, DrugText) else None
    made = _renamed(catalog, parts)
    return None if made == parts else _taken_apart(catalog, made)


def _renamed(catalog: Catalog, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The same parts with names of public lists as they are called here, the longest first."""
    made: list[Part] = []
    at = 0
    while at < len(parts):
        size, row = 1, None
        for wide in range(min(LONGEST_OTHER, len(parts) - at), 0, -1):
            row = catalog.public.get("".join([part.key for part in parts[at : at + wide]]))
            if row is not None and row.is_name:
                size = wide
                break
            row = None
        made += parts_of(row.means) if row is not None else parts[at : at + 1]
        at += size
    return tuple(made)


def _as_code(catalog: Catalog, part: Part) -> Part:
    """A number that is a code of the code set, as that code ("Tdap 90715")."""
    is_code = part.strength is None and len(part.key) == _DIGITS and part.key.isdigit() and catalog.rows(part.key)
    return attrs.evolve(part, code=part.key) if is_code else part


def _by_rxnorm(catalog: Catalog, found: re.Match[str]) -> str:
    named = catalog.rxnorm.get(found[1])
    return f" {named} " if named else found[0]


def _spelt_out(catalog: Catalog, parts: Sequence[Part]) -> Iterator[tuple[Part, ...]]:
    """The same parts with words cut short written out, as often as that is needed: "pcn g" as "penicillin g"."""
    for _ in range(_MOST_SPELT):
        made: list[Part] = []
        at = 0
        while at < len(parts):
            size, row = phrase(catalog.cut_short, parts, at)
            made += parts[at : at + 1] if row is None else [Part(word, word) for word in normal(row.means).split()]
            at += size
        if made == list(parts):
            return
        parts = tuple(made)
        yield parts


def _taken_apart(catalog: Catalog, parts: tuple[Part, ...]) -> DrugText | None:
    """One reading of all parts: the longest name with the rest around it, a name around the rest, two names."""
    left: list[tuple[Named, tuple[Part, ...], int]] = []
    for i, j, named in _known_spans(catalog, parts):
        rest = parts[:i] + parts[j:]
        found = used_around(catalog, named, rest)
        if isinstance(found, DrugText):
            return found
        left.append((named, rest, found))
    words, rest = _without(catalog, parts)
    key = "".join([part.key for part in words])
    if rest and catalog.knows(key):
        found = used_around(catalog, Named(key, " ".join([part.text for part in words])), rest)
        if isinstance(found, DrugText):
            return found
    for named, rest, at in left[:_MOST_TRIED]:
        several = _several(catalog, (named,), rest, at)
        if several is not None:
            return several
    coded = used_around(catalog, None, parts) if any(part.code for part in parts) else 0
    return coded if isinstance(coded, DrugText) else None


def _known_spans(catalog: Catalog, parts: Sequence[Part], at: int | None = None) -> Iterator[tuple[int, int, Named]]:
    """Every run of parts that is a name, the longest first; only those that hold one part, where it is given."""
    count, keys = len(parts), [part.key for part in parts]
    for size in range(count if at is None else min(count, LONGEST_OTHER), 0, -1):
        first, last = (0, count - size) if at is None else (max(0, at - size + 1), min(at, count - size))
        for i in range(first, last + 1):
            key = "".join(keys[i : i + size])
            known = catalog.knows(key)
            if not known and size > 1 and keys[i + size - 1][0].isdigit() and is_small(keys[i + size - 1]):
                key += "mg"  # "Lupron Depot 3.75" is the kit that is named by its milligrams
                known = catalog.knows(key)
            if not known and size > 1 and (number := _per_ml(parts[i + size - 1])):
                key = "".join([*keys[i : i + size - 1], number])  # "Omnipaque 300 mg/mL"
                known = key in catalog.named
            if known:
                yield i, i + size, Named(key, " ".join([part.text for part in parts[i : i + size]]))


def _per_ml(part: Part) -> str:
    """The number of a concentration that is written in mg/mL."""
    strength = part.strength
    if strength is None or strength.kind != "concentration" or strength.unit != "mg" or not part.text[-1].isalpha():
        return ""
    return decimal_text(strength.amount)


def _without(catalog: Catalog, parts: Sequence[Part]) -> tuple[list[Part], tuple[Part, ...]]:
    """The parts that can only be a name's, and all others."""
    words: list[Part] = []
    rest: list[Part] = []
    at = 0
    while at < len(parts):
        size, row = fluid(catalog, parts, at)
        if row is None:
            size, row = phrase(catalog.around, parts, at)
        plain = row is None and parts[at].strength is None and not parts[at].code
        (words if plain else rest).extend(parts[at : at + size])
        at += size
    return words, tuple(rest)


def _several(catalog: Catalog, names: tuple[Named, ...], rest: tuple[Part, ...], at: int) -> DrugText | None:
    """A reading with further names among the rest, each of which must mean the same; one holds the part at `at`."""
    if len(names) == _MOST_NAMES:
        return None
    for i, j, other in _known_spans(catalog, rest, at):
        left = rest[:i] + rest[j:]
        used = used_around(catalog, names[0], left)
        if isinstance(used, DrugText):
            return attrs.evolve(used, names=(*used.names, *names[1:], other))
        found = _several(catalog, (*names, other), left, used)
        if found is not None:
            return found
    return None


# -- what its parts say together


def _agreeing(catalog: Catalog, reading: DrugText) -> DrugText:
    """The reading, where its strengths do not contradict each other; its brand's own number is one of them."""
    reading = _joined(catalog, reading)
    reading = attrs.evolve(reading, strengths=tuple(_as_labelled(catalog, reading, part) for part in reading.strengths))
    for named in reading.names:
        written = catalog.brand_strengths.get(named.key)
        strength = strength_in(written) if written else None
        if strength is not None and any(letter.isdigit() for letter in named.key):
            reading = attrs.evolve(reading, strengths=(*reading.strengths, strength))
        elif strength is not None:
            reading = attrs.evolve(reading, labelled=(*reading.labelled, strength))
    said = reading.of("concentration")
    if any(contradict(one, other) for one in said for other in said) and not _are_parts(catalog, reading):
        shown = " and ".join(part.written for part in said)
        raise AmbiguousDrug(
            f"{reading.text!r} names two strengths: {shown}. Give one.", given=reading.text, candidates=()
        )
    return reading


def _joined(catalog: Catalog, reading: DrugText) -> DrugText:
    """The reading with the names of a combination's parts as its one name, whatever stands between them."""
    brands = {named for named in reading.names if any(isinstance(r, Brand) for r in catalog.named.get(named.key, ()))}
    parts = tuple(named for named in reading.names if named not in brands and not (named.own or named.salts))
    key = "".join([named.key for named in parts])
    if len(parts) < 2 or key not in catalog.moieties:
        return reading
    said = {word for named in reading.names for word in normal(named.text).split()}
    if set(normal(reading.text).split()) & catalog.altering_words - said:  # a part alone may have left it out
        return reading
    whole = Named(key, " / ".join([named.text for named in parts]))
    return attrs.evolve(reading, names=(whole, *(named for named in reading.names if named not in parts)))


def _as_labelled(catalog: Catalog, reading: DrugText, part: Strength) -> Strength:
    """A strength as the label means it: a rounded one in full; a ratio in a combination is its other part's."""
    for named in reading.names if part.kind == "concentration" else ():
        written = catalog.brand_strengths.get(named.key + squeezed(part.written))
        if written is not None:
            return attrs.evolve(strength_in(written) or part, written=part.written)
        held = strength_in(catalog.brand_strengths.get(named.key, ""))
        if held is not None and same(part, held):  # 114.3 mg/mL is 8 mg in 0.07 mL, and not a trace more
            return attrs.evolve(held, written=part.written)
    if not part.is_ratio:
        return part
    rows = [row for named in reading.names for row in catalog.meant_by(named.key)]
    several = len(reading.names) > 1 and len(reading.of("concentration")) > 1
    if several or any(" / " in row.ingredient for row in rows):
        return attrs.evolve(part, kind="part")
    return part


def _are_parts(catalog: Catalog, reading: DrugText) -> bool:
    """Whether each strength may be that of one part: the names mean combinations of as many parts."""
    rows = [row for named in reading.names for row in catalog.meant_by(named.key)]
    return bool(rows) and all(row.ingredient.count(" / ") + 1 == len(reading.of("concentration")) for row in rows)
