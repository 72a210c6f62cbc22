"""What stands around a drug's name in a text: its salt, form, route, package, strength, fluid, code and maker.

Each part is used as one of these, or the text is not read. Which run of words is the name is found in
`reading_names`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from functools import lru_cache

import attrs

from .. import units
from ..amount import decimal_text, exact
from ..dated import Step
from ..dose import Dose
from .around_names import LONGEST_PHRASE, Word, fluid, phrase
from .drug_rows import Brand, Drug, told_by_brand
from .drug_text import Kind, Part, Strength, parts_of
from .drugs import Catalog
from .strengths import is_of_salt, same
from .words import normal, squeezed

COMPOUNDED = "compounded"  # a drug that no maker sells
LONGEST_OTHER = 8  # words of a name beside another
_SMALL = frozenset({"in", "of", "or", "for", "by", "not", "to", "per", "than", "a", "the", "at", "on"})
_SHORTEST_PART = 3  # letters by which a salt may be cut short
_LEAST_CUT = 2  # letters: a word that lacks its last one is misspelt, not cut short


@attrs.frozen
class Named:
    """One name in a text: as it is looked up, as it stands there, the words that tell its rows apart, its salts."""

    key: str
    text: str
    own: frozenset[str] = frozenset()
    salts: frozenset[str] = frozenset()


@attrs.frozen
class DrugText:
    """The parts of a drug's text.

    `names`: the name and others that must mean the same (a brand in brackets). `codes`: HCPCS codes beside it.
    `routes`: the routes that it names. `forms`: for each form or package word, the ways of giving that it fits.
    `fluids`: the words of what it is mixed with, where products of the drug are sold so. `makers`: the words of the
    maker whose container it names. `labelled`: what one mL of a brand holds that comes in one strength alone, for a
    volume of which the text says nothing.
    """

    text: str
    names: tuple[Named, ...] = ()
    codes: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    forms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    strengths: tuple[Strength, ...] = ()
    compounded: bool = False
    fluids: tuple[frozenset[str], ...] = ()
    is_mixed: bool = False
    labelled: tuple[Strength, ...] = ()
    makers: tuple[frozenset[str], ...] = ()

    def of(self, kind: Kind) -> tuple[Strength, ...]:
        """The strengths of a kind."""
        return tuple(part for part in self.strengths if part.kind == kind)

    @property
    def concentration(self) -> Strength | None:
        """What one mL holds, where the text says it."""
        found = self.of("concentration")
        found = tuple(part for part in found if not is_of_salt(part)) or found or self._of_names() or self.labelled
        return found[0] if found and all(same(part, found[0]) for part in found) else None

    def _of_names(self) -> tuple[Strength, ...]:
        """The concentration that a name itself ends with ("albuterol 0.083%")."""
        ends = (parts_of(named.text)[-1].strength for named in self.names)
        return tuple(end for end in ends if end is not None and end.kind == "concentration")

    @property
    def is_bare(self) -> bool:
        """Whether the text is one name and nothing else."""
        around = (self.codes, self.routes, self.forms, self.strengths, self.is_mixed)
        return len(self.names) == 1 and not (any(around) or self.names[0].own or self.names[0].salts)

    def drawn(self, dose: Dose) -> Dose:
        """A dose by volume as the amount in it, where the text says the concentration; else the dose as it is."""
        found = self.concentration
        if found is None or units.dimension(dose.unit) != "volume":
            return dose
        volume = dose.to("mL").amount
        amount, per = volume * found.amount, f"{decimal_text(found.amount)} {units.label(found.unit)}/mL"
        says = f"{decimal_text(volume)} mL x {per} = {decimal_text(amount)} {units.label(found.unit)}"
        step = Step(says, "volume x concentration of the name")
        return Dose(amount, found.unit, f"{dose.written} of {found.written}", dose.notes, (*dose.steps, step))


@lru_cache(maxsize=8192)
def own_words(row: Drug) -> frozenset[str]:
    """The words that say a row's form, brand or maker, and its ingredient."""
    plain = normal(row.qualifier) in PLAIN and not row.qualifier.startswith("excludes")
    return frozenset(normal(f"{row.form} {'' if plain else row.qualifier}").split())


@lru_cache(maxsize=8192)
def _others_words(row: Drug) -> frozenset[str]:
    """The words of what a row's product is not equivalent to."""
    return frozenset(normal(row.qualifier.partition(" equivalent to ")[2].partition(";")[0]).split())


def is_called(row: Drug, words: Set[str]) -> bool:
    """Whether words say a row's form, brand or maker: those of what it is not equivalent to alone say another's."""
    return words <= own_words(row) and not (words and words <= _others_words(row))


def codes_called(rows: Sequence[Drug], words: Set[str]) -> set[str]:
    """The codes whose rows words say: those of just these words ("aristada", beside "aristada initio"), if any."""
    exactly = [row for row in rows if frozenset(normal(row.qualifier).split()) == words]
    return {row.code for row in exactly or [row for row in rows if is_called(row, words)]}


PLAIN = (
    "",
    "not otherwise specified",
    "not otherwise classified",
    "nos",
    "excludes biosimilar",
    "excludes biosimilars",
)


@attrs.define
class _Use:
    """What the parts around a name came to so far."""

    rows: tuple[Drug, ...]
    is_uncoded: bool = False  # there is no code that a salt could change
    is_brand: bool = False  # of an ingredient: no word makes another product of it
    is_product: bool = False  # a brand of one code
    is_sheet: bool = False
    name: frozenset[str] = frozenset()  # its words: one said again says nothing new
    sizes: dict[str, dict[str, Strength]] = attrs.Factory(dict)  # those by which the name is listed, by their kind
    listed: str = ""  # the name with the one of them that is said
    own: set[str] = attrs.Factory(set)
    salts: set[str] = attrs.Factory(set)
    codes: list[str] = attrs.Factory(list)
    routes: list[str] = attrs.Factory(list)
    forms: list[tuple[str, tuple[str, ...]]] = attrs.Factory(list)
    strengths: list[Strength] = attrs.Factory(list)
    fluids: list[frozenset[str]] = attrs.Factory(list)
    makers: list[frozenset[str]] = attrs.Factory(list)
    is_mixed: bool = False


def used_around(catalog: Catalog, named: Named | None, parts: Sequence[Part]) -> DrugText | int:
    """The parts around a name, each used; or the place of the first that is nothing that stands around this name."""
    said = catalog.named.get(named.key, ()) if named else ()
    is_brand = bool(said) and all(isinstance(row, Brand) and not row.code for row in said)
    is_uncoded = named is not None and (named.key in catalog.uncoded or not catalog.knows(named.key))
    use = _Use(catalog.meant_by(named.key) if named else (), is_uncoded, is_brand)
    use.is_product = bool(said) and all(isinstance(row, Brand) and row.code for row in said)
    use.is_sheet = bool(use.rows) and all(row.kind == "skin-substitute" for row in use.rows)
    use.sizes = sizes(catalog, named.key) if named else {}
    use.name = frozenset(normal(named.text).split()) if named else frozenset()
    at = 0
    while at < len(parts):
        size = _use(catalog, use, parts, at)
        if not size:
            return at
        at += size
    _settle(use)
    if named is not None:
        key = named.key + use.listed if use.listed else _with_salts(catalog, named.key, use)
        named = attrs.evolve(named, key=key, own=frozenset(use.own), salts=frozenset(use.salts))
    return DrugText(
        "",
        (named,) if named else (),
        tuple(dict.fromkeys(use.codes)),
        tuple(dict.fromkeys(use.routes)),
        tuple(use.forms),
        tuple(use.strengths),
        COMPOUNDED in use.own,
        tuple(use.fluids),
        use.is_mixed,
        makers=tuple(use.makers),
    )


def _settle(use: _Use) -> None:
    """A fluid alone beside the name tells the product that is sold in it; with an amount it may be mixed by hand."""
    for said in () if use.strengths else tuple(use.fluids):
        told = tuple(row for row in use.rows if is_called(row, said))
        use.rows = told or use.rows
        use.own |= said if told else set()
        use.fluids.remove(said)


def _use(catalog: Catalog, use: _Use, parts: Sequence[Part], at: int) -> int:
    """How many parts from here are used as one thing; 0 where the next one is of no use."""
    part = parts[at]
    if part.code:
        use.codes.append(part.code)
        return 1
    if part.strength is not None:
        return int(_is_strength(use, part, part.strength))
    size, row = fluid(catalog, parts, at)
    if row is not None:
        return _mix(use, row, parts[at : at + size])
    if part.key == "in" and _is_held(use, parts, at):
        return 2
    size, row = phrase(catalog.around, parts, at)
    if row is not None and row.kind == "release" and not row.means and not told_by_brand(use.rows):
        row = None
    if row is None and use.is_uncoded and part.key in catalog.salt_words | {COMPOUNDED}:
        use.own |= {part.key} & {COMPOUNDED}
        return 1
    if row is None:
        own = _own(catalog, use, [one.key for one in parts[at : at + LONGEST_PHRASE]])
        return own or int(_is_salt(catalog, use, part.key) or part.key in use.name or _is_number(use, parts, at))
    if row.kind == "release":
        return size if _is_released(use, row) else 0
    if row.kind == "form" and _is_form(catalog, use, row):
        return size
    if use.is_sheet and row.means != "topical":
        return 0  # a sheet of tissue is neither injected nor in a vial: the word is a slip in its name
    _way(use, row)
    return size


def _way(use: _Use, row: Word) -> None:
    """What a word says of the way in which the drug was given: its route, or that of its form or container."""
    if row.kind in ("route", "solid"):
        use.routes.append(row.means)
        use.forms += [(row.word, (row.means,))] if row.kind == "solid" else []
    elif row.kind == "maker":
        use.forms.append((row.word, ("injection",)))
        use.makers.append(frozenset(normal(row.means).split()))
    else:
        use.forms.append((row.word, tuple(row.means.split("|")) if row.means else ()))


def _is_strength(use: _Use, part: Part, strength: Strength) -> bool:
    """Whether a strength may stand beside the name: one that is listed by its strengths has no other."""
    if strength.kind in use.sizes:
        listed = use.sizes[strength.kind]
        use.listed = part.key if part.key in listed else next((k for k in listed if same(listed[k], strength)), "")
        one = use.is_product and strength.kind == "amount" and any(_is_unit(row, strength) for row in use.rows)
        if not use.listed and not one:
            return False
    if not _is_percent(use, part):
        use.strengths.append(strength)
    return True


def _is_unit(row: Drug, strength: Strength) -> bool:
    """Whether an amount is one billing unit of a row, as CMS prints it behind a name."""
    alike = bool(row.unit) and units.dimension(row.unit) == units.dimension(strength.unit)
    return alike and row.size == strength.amount * units.factor(strength.unit, row.unit)


def _is_held(use: _Use, parts: Sequence[Part], at: int) -> bool:
    """Whether an amount is said to be in a volume ("40 mg in 0.4 mL"): both are used as the concentration."""
    before = parts[at - 1].strength if at else None
    held = parts[at + 1].strength if at + 1 < len(parts) else None
    if (
        before not in use.strengths
        or before is None
        or held is None
        or (before.kind, held.kind) != ("amount", "volume")
    ):
        return False
    written, amount = f"{before.written} in {held.written}", before.amount / held.amount
    use.strengths[use.strengths.index(before)] = Strength(written, "concentration", amount, before.unit)
    return True


def _mix(use: _Use, row: Word, parts: Sequence[Part]) -> int:
    """The parts by which a drug is in a fluid, used; 0 where the drug is a fluid itself, or a sheet of tissue."""
    if use.is_sheet or (use.rows and all(one.kind == "solution" for one in use.rows)):
        return 0
    said = {frozenset(part.key for part in parts if part.strength is None or part.text.endswith("%"))}
    said.add(frozenset({"in", *normal(row.means).split()}))
    told = [words for words in said if any(is_called(one, words) for one in use.rows)]
    use.fluids += sorted(told, key=len)[-1:]
    use.strengths += [part.strength for part in parts if part.strength is not None and part.strength.kind == "volume"]
    use.is_mixed = True
    return len(parts)


def _own(catalog: Catalog, use: _Use, keys: Sequence[str]) -> int:
    """How many words tell the rows of the name apart by form, brand or maker; a small word only before another."""
    if use.is_brand and not all(row.use for row in use.rows):
        return 0  # a brand is one product, and only where each of its codes is for one use does the use tell
    for size in range(1, len(keys) + 1):
        said = set(keys[:size])
        if is_small(keys[size - 1]):
            continue
        rows = [row for row in use.rows if (said <= row.use_words if use.is_brand else is_called(row, said))]
        told = tuple(row for row in rows if use.is_brand or _tells(catalog, row, use.own | said))
        if told and not _is_wider(catalog, "".join(keys[:size]), told):
            use.rows = told
            use.own |= said
            return size
        if not rows:
            return 0
    return 0


def _is_wider(catalog: Catalog, key: str, told: Sequence[Drug]) -> bool:
    """Whether words are, or begin, brands of more codes than the rows that they tell: then a brand is looked up."""
    if key in catalog.shared_words:
        return False
    names = [key, *(squeezed(name) for name in catalog.beginnings.get(key, ()))]
    brands = [name for name in names if any(isinstance(row, Brand) for row in catalog.named.get(name, ()))]
    live = {row.code for brand in brands for row in catalog.meant_by(brand) if row.ends is None}
    return not live <= {row.code for row in told}


def _tells(catalog: Catalog, row: Drug, words: Set[str]) -> bool:
    """Whether words tell a row: all of one thing that it says ("gel-one"), or one that no drug shares ("sustenna")."""
    return not words <= catalog.shared_words or any(said <= words for said in _said_of(row))


@lru_cache(maxsize=8192)
def _said_of(row: Drug) -> tuple[frozenset[str], ...]:
    """The words of each thing that a row's form and qualifier say beside its ingredient."""
    said = (frozenset(normal(one).split()) for one in re.split(r"[;,/]| or ", f"{row.form};{row.qualifier}"))
    return tuple(one for one in said if not one <= set(normal(row.ingredient).split()))


@lru_cache(maxsize=8192)
def sizes(catalog: Catalog, key: str) -> dict[str, dict[str, Strength]]:
    """The strengths by which a brand is listed besides its name alone ("Lupron Depot 7.5 mg"), by their kind."""
    made: dict[str, dict[str, Strength]] = {}
    for name in catalog.beginnings.get(key, ()):
        last = parts_of(name)[-1]
        if last.strength is not None and squeezed(name) == key + last.key:
            made.setdefault(last.strength.kind, {})[last.key] = last.strength
    return made


def is_small(key: str) -> bool:
    """Whether a word is a number or a little word, which says nothing alone."""
    return key in _SMALL or key.replace(".", "", 1).isdigit()


def _is_percent(use: _Use, part: Part) -> bool:
    """Whether a percentage is that by which the code set itself tells rows of the name apart."""
    if not part.text.endswith("%"):
        return False
    rows = [row for row in use.rows if row.is_injected] or use.rows
    told = tuple(row for row in rows if f"{part.key}%" in row.qualifier.split("; "))
    if use.is_brand or all(row.ends is not None for row in told):
        return False  # a percentage by which codes are no longer told is a strength like others
    use.rows = told
    use.own.add(part.key)
    return True


def _is_form(catalog: Catalog, use: _Use, word: Word) -> bool:
    """Whether a word for the physical form tells apart the rows that are injected, or those that are not."""
    injected = [row for row in use.rows if row.is_injected] or use.rows
    for said in spelt(catalog, word.word):
        told = tuple(row for row in injected if said <= set(normal(row.form).split()))
        if not told and len(said) > 1:  # a word alone ("solution") may be of a form that its row does not name
            told = tuple(row for row in use.rows if said <= set(normal(row.form).split()))
        if told and not use.is_brand:
            use.rows = told
            use.own |= said
            return True
    return False


def _is_released(use: _Use, word: Word) -> bool:
    """Whether a word for slow release fits: a product's own name, or a drug of which it tells such rows."""
    if (use.is_product and word.means) or told_by_brand(use.rows):
        return True
    said = [frozenset(normal(words).split()) for words in word.means.split("|")]
    told = tuple(row for row in use.rows if any(words <= set(normal(row.form).split()) for words in said))
    use.rows = told or use.rows
    use.own |= {word for words in said for word in words if any(words <= set(normal(r.form).split()) for r in told)}
    return bool(told)


def spelt(catalog: Catalog, word: str) -> tuple[frozenset[str], ...]:
    """A word of a form as it stands, and written out where it is cut short."""
    key = normal(word)
    long = catalog.cut_short.get(key)
    return (frozenset(key.split()), *((frozenset(normal(long.means).split()),) if long is not None else ()))


def _is_salt(catalog: Catalog, use: _Use, key: str) -> bool:
    """Whether a word is, or begins, exactly one salt of the very ingredient; then only its rows are meant."""
    if key in use.salts or is_small(key):
        return False  # said twice, or a number
    held = {word for row in use.rows for word in normal(row.ingredient).split()}
    said = {word for word in held if word == key} or {
        word
        for word in held & catalog.salt_words
        if word.startswith(key) and _SHORTEST_PART <= len(key) <= len(word) - _LEAST_CUT
    }
    if len(said) != 1:
        return False
    word = said.pop()
    use.rows = tuple(row for row in use.rows if word in normal(row.ingredient).split())
    use.salts.add(word)
    return True


def _is_number(use: _Use, parts: Sequence[Part], at: int) -> bool:
    """Whether a part is a number: of the ingredient behind the word before it (F-18), else a bare one."""
    key = parts[at].key
    if at and any(f" {parts[at - 1].key} {key} " in f" {normal(row.ingredient)} " for row in use.rows):
        return True
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,4})?", key):
        return False
    use.strengths.append(Strength(key, "number", exact(key)))
    return True


def _with_salts(catalog: Catalog, key: str, use: _Use) -> str:
    """The key of the full ingredient, where words around the name said which of its salts is meant."""
    fulls = {normal(row.ingredient) for row in use.rows}
    if not use.salts or key in catalog.named or len(fulls) != 1:
        return key
    return fulls.pop().replace(" ", "")
