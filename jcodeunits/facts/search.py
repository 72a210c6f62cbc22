"""Names, codes and NDCs to drugs: what a person types, and what comes near it.

`find` lists what matches and never guesses; choosing one code is the catalog's work. `suggest` names what
looks similar, for an error's text only: naltrexone and naloxone are different drugs, so nothing
here ever takes one name for another.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from .. import hcpcs, ndc, routes
from ..dated import as_date
from ..errors import LONGEST, AmbiguousDrug, IdentifierError, JcodeunitsError, ProductError, UnknownDrug, quoted
from ..shown import Shown
from .by_route import answers_for, is_local
from .choosing import choose, rows_meant
from .drug_rows import Brand, Drug, OtherName
from .drugs import Catalog, History
from .reading_names import bare_names, read
from .reference import Reference
from .words import check_length, normal, squeezed

_CODE_START = re.compile(r"[A-Za-z][0-9]{1,3}|[0-9]{3,4}")
_CODE_LIKE = re.compile(r"[A-Za-z]?[0-9OIloi]{3,5}[A-Za-z]?")

_SPELT_OUT = frozenset({"hydrochloride", "hydrobromide"})  # also written HCl and HBr

_MOST_WORDS, _SHORTEST_START = 3, 4

# How a row was found, best first.
_EXACT, _FULL, _BEGINS, _WORDS = range(4)


class Drugs(Shown, tuple[Drug, ...]):
    """Drugs found, best first: a tuple that displays itself.

    >>> print(find("toradol", on="2026-03-02"))
    J1885  ketorolac tromethamine, per 15 mg
    """

    __slots__ = ()

    @property
    def brief(self) -> str:
        """How many, and the codes."""
        return f"{len(self)}: {', '.join(row.code for row in self)}"

    def __str__(self) -> str:
        if not self:
            return "no drug found"
        return "\n".join(f"{row.code:<6} {row.label}{f' (ended {row.ends})' if row.ends else ''}" for row in self)

    def as_list(self) -> list[dict[str, Any]]:
        """Every drug as plain JSON types."""
        return [row.as_dict() for row in self]


def find(text: str, on: object = None, reference: Reference | None = None, limit: int | None = 50) -> Drugs:
    """Drugs by code, ingredient, brand or other name, or NDC, best first; empty when nothing matches.

    `on` keeps the rows in effect on that date of service; without it every dated row counts, newest first.
    A word may be cut short ("methylpred", "depo med"), a code too ("J18"); a misspelt word matches nothing.
    Raises `UnknownDrug` for what is no text, `DateError` for what is no date.

    >>> [row.code for row in find("naloxone", on="2026-03-02")][0]
    'J2312'
    >>> len(find("naloxon hydrochlorid acid", on="2026-03-02"))
    0
    """
    if not isinstance(text, str):
        raise UnknownDrug(f"{quoted(text)} is no text: give a code, a name or an NDC.", given=text, near=())
    check_length(text)
    day, book = as_date(on) if on is not None else None, Reference.of(reference)
    ranked: dict[Drug, int] = {}
    for rank, row in _matches(text.strip(), day, book):
        if day is None or row.period.holds(day):
            ranked[row] = min(rank, ranked.get(row, rank))
    if _FULL not in ranked.values() and _EXACT not in ranked.values():
        for row in _in_parts(text, book.drugs, day, bool(ranked)):
            ranked.setdefault(row, _FULL)
    found = sorted(ranked.items(), key=lambda item: (item[1], *_order(item[0])))
    return Drugs(row for row, _ in found[:limit])


def _in_parts(text: str, book: Catalog, day: dt.date | None, known: bool) -> list[Drug]:
    """What a text means that is a name with its form, route, strength or code; those for every maker, if any."""
    try:
        reading = read(book, text)
        if reading is None or (known and reading.is_bare and reading.names[0].key == squeezed(text)):
            return []  # a plain name that was found already
        rows = [row for row in rows_meant(book, text) if day is None or row.period.holds(day)]
    except AmbiguousDrug:
        return []
    asked: list[Drug] = []
    try:  # what it is billed with, of another name where the route tells
        rows = [choose(book, text, day or dt.date.max).drug, *rows]
    except AmbiguousDrug as why:
        candidates = (row for code in why.candidates for row in book.rows(code))
        asked = [row for row in candidates if day is None or row.period.holds(day)]
        rows = [*asked, *rows]
    except JcodeunitsError:
        pass  # the names found stand for themselves
    given = [row for row in rows if any(answers_for(row, way) for way in reading.routes)]
    return given or [row for row in rows if row.is_injected and (row in asked or not row.specific)] or rows


def _order(row: Drug) -> tuple[Any, ...]:
    """What a person more likely wants first: live, injected, for every maker, national, for any use, plain, newest."""
    return (
        row.ends is not None,
        not row.is_injected,
        row.specific,
        row.code.startswith(hcpcs.OF_SOME),
        is_local(row) or bool(row.use),
        bool(row.form),
        len(row.ingredient),
        -row.effective.toordinal(),
        row.code,
    )


def _matches(text: str, day: dt.date | None, reference: Reference) -> Iterator[tuple[int, Drug]]:
    book = reference.drugs
    if not text:
        return
    if hcpcs.is_valid(text) and book.rows(hcpcs.compact(text)):
        yield from ((_EXACT, row) for row in book.rows(hcpcs.compact(text)))
        return
    if ndc.looks_like(text):
        yield from ((_EXACT, row) for row in _by_ndc(text, day, reference))
        return
    if _CODE_START.fullmatch(text):
        yield from ((_BEGINS, row) for row in book.drugs if row.code.startswith(text.upper()))
    yield from _by_name(text, book)


def _by_ndc(text: str, day: dt.date | None, reference: Reference) -> Iterable[Drug]:
    try:
        codes, _ = reference.products.codes(text, day or dt.date.max)
    except (IdentifierError, ProductError):
        return ()
    return [row for code in codes for row in reference.drugs.rows(code)]


def _by_name(text: str, book: Catalog) -> Iterator[tuple[int, Drug]]:
    key, wanted = squeezed(text), list(dict.fromkeys(normal(text).split()))
    if not key or any(row.kind == "unsafe" and squeezed(row.name) == key for row in book.names):
        return
    begins = max((word[:4] for word in wanted if word not in _SPELT_OUT), key=len, default="")

    def may(low: str) -> bool:  # all that `_rank` finds, and others: before any word is taken apart
        return begins in low or key[:3] in low

    for row in book.store.mentioning(Drug, may):
        held = f"{row.ingredient} {row.form} {row.qualifier} {' '.join(row.routes)}"
        rank = _rank(key, wanted, held, row.ingredient) if may(held.casefold()) else None
        if rank == _BEGINS and squeezed(book.without_salts(row.ingredient)) == key:
            rank = _FULL  # the plain name of a salt
        if rank is not None:
            yield rank, row
    of_ingredient: dict[str, int] = {}
    named: tuple[Brand | OtherName, ...] = (*book.store.mentioning(Brand, may), *book.names)
    for said in named:
        called = said.brand if isinstance(said, Brand) else said.name
        rank = _rank(key, wanted, called, called) if may(called.casefold()) else None
        if rank is None or getattr(said, "kind", "") == "unsafe":
            continue
        if said.code:
            yield from ((rank, row) for row in book.rows(said.code))
        else:
            of_ingredient[said.ingredient] = min(rank, of_ingredient.get(said.ingredient, rank))
    for ingredient, rows in book.of_ingredients(of_ingredient).items():
        yield from ((of_ingredient[ingredient], row) for row in _plain(rows))


def _plain(rows: tuple[Drug, ...]) -> tuple[Drug, ...]:
    """The rows that a name of an ingredient means: those for every maker, if there are any."""
    return tuple(row for row in rows if not row.specific and row.is_injected) or rows


def _rank(key: str, wanted: list[str], held: str, name: str) -> int | None:
    """How the words wanted are found in the words held: each begins one of them; short words are whole."""
    squeezed_name = squeezed(name)
    if squeezed_name == key:
        return _FULL
    if len(key) >= 3 and squeezed_name.startswith(key):
        return _BEGINS
    words = normal(held).split()
    for word in wanted:
        if word not in words and (len(word) < 3 or not any(other.startswith(word) for other in words)):
            return None
    return _WORDS


def drug(name: str, on: object, route: str | None = None, reference: Reference | None = None) -> Drug:
    """The one drug row that a code or a name means on a date of service; nothing else is ever returned.

    `route` helps a name to its code. Raises `UnknownDrug` with similar names (which are not used),
    `AmbiguousDrug` with the candidates, or `NotInEffect` with the successors.

    >>> drug("Toradol", on="2026-03-02").label
    'ketorolac tromethamine, per 15 mg'
    >>> drug("J1030", on="2026-03-02")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jcodeunits.errors.NotInEffect: J1030 ended on 2024-03-31; on 2026-03-02 bill J1010 (per 1 mg)...
    """
    if not isinstance(name, str) or not name.strip():
        raise UnknownDrug(f"{quoted(name)} is no drug: give a HCPCS code or a name as text.", given=name, near=())
    book = (Reference.of(reference)).drugs
    way = routes.canonical(route) if route else None
    try:
        return choose(book, name, as_date(on), None, way).drug
    except UnknownDrug as error:
        raise with_near(error, name, book) from None


def history(code: str, reference: Reference | None = None) -> History:
    """Every dated row of a code, with its successors and predecessors. Raises `UnknownDrug`."""
    return (Reference.of(reference)).drugs.history(code)


def with_near(error: UnknownDrug, name: object, book: Catalog) -> UnknownDrug:
    """The same error with the names that look similar; a code that does not exist gets none."""
    near = () if not isinstance(name, str) or len(name) > LONGEST or hcpcs.is_valid(name) else suggest(name, book)
    if not near:
        return error
    return UnknownDrug(
        f"{error.message} Similar names, not used: {', '.join(near)}.", **{**error.fields, "given": name, "near": near}
    )


def suggest(text: str, book: Catalog, limit: int = 5) -> tuple[str, ...]:
    """Names or codes that look like `text`, the most similar first: for a person to read, never to be used.

    >>> suggest("ketoralac", Reference.shipped().drugs)[0]
    'ketorolac tromethamine'
    """
    if not isinstance(text, str) or not text.strip():
        return ()
    check_length(text)
    wanted = text.strip()
    if _CODE_LIKE.fullmatch(wanted):
        return _nearest(wanted.upper(), {row.code: row.code for row in book.drugs}, 79, limit)
    bare = bare_names(book, wanted)
    found = [name for one in bare for name in _begun(squeezed(one), book)]
    for one in dict.fromkeys((squeezed(wanted), *map(squeezed, bare))):
        found += _nearest(one, _called(book), 70, limit)
    if not found:  # a word may be wrong beside the name: the longest ones are looked up alone
        said = sorted({word for one in bare for word in one.split() if len(word) > 4}, key=lambda word: -len(word))
        found = [_called(book)[word] for word in said if word in _called(book)]
        found = found or [name for word in said[:_MOST_WORDS] for name in _nearest(word, _called(book), 80, limit)]
    return tuple(dict.fromkeys(found))[:limit]


def _begun(key: str, book: Catalog) -> list[str]:
    """The names that a text of some length begins, the shortest first."""
    if len(key) < _SHORTEST_START:
        return []
    found = [(len(other), name) for other, name in _called(book).items() if other.startswith(key)]
    return [name for _, name in sorted(found)][:_MOST_WORDS]


@lru_cache(maxsize=4)
def _called(book: Catalog) -> dict[str, str]:
    """Every name in the catalog as it is compared, and as it is written."""
    made: dict[str, str] = {}
    written = {normal(row.ingredient): row.ingredient for row in book.drugs}
    for key, fulls in book.moieties.items():
        made[key] = written[fulls[0]]
    for name in book.names:
        if name.kind != "unsafe":
            made[squeezed(name.name)] = name.name
    for brand in book.brands:
        made[squeezed(brand.brand)] = brand.brand
    for key, row in book.uncoded.items():
        made.setdefault(key, row.name)
    return made


def _nearest(wanted: str, names: dict[str, str], least: float, limit: int) -> tuple[str, ...]:
    from rapidfuzz import fuzz, process

    found = process.extract(wanted, names.keys(), scorer=fuzz.ratio, score_cutoff=least, limit=4 * limit)
    ranked = sorted(found, key=lambda hit: (-hit[1], names[hit[0]].casefold()))
    return tuple(dict.fromkeys(names[key] for key, _, _ in ranked))[:limit]
