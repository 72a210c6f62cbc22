"""Routes of administration: one name for each, and every spelling and code that is read as it.

Spellings for people are rows of `route_words.csv`, codes rows of `routes.csv`: a code is looked up in the
system that it names, because `IO` is the eye in one and the bone at a desk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import ClassVar

from . import tables
from .errors import LONGEST, UnknownRoute, quoted
from .tables import Dated, column, table, text

NAMES = tables.words(
    "IM|SC|ID|IV|IV push|IV infusion|intra-arterial|intra-articular|intravitreal|on-body|inhaled|oral|"
    "intranasal|intrathecal|epidural|perineural|intralesional|soft tissue|intravesical|intraperitoneal|"
    "intrapleural|intraocular|implant|topical|transdermal|ophthalmic|otic|rectal|vaginal|sublingual|"
    "buccal|intrauterine|intracavernous|intraosseous|intratympanic|dialysis"
)
SYSTEMS = ("snomed", "snomed-method", "hl7-0162", "hl7-0165", "ncit", "hl7-v3-route")


@table("routes", "system", "code")
class CodedRoute(Dated):
    """A code of a published list: `route` is empty where it is known by its display, but has no name here."""

    system: str = column(tables.choice(*SYSTEMS))
    code: str = column(text)
    display: str = column(text)
    route: str = column(tables.choice("", *NAMES))


@table("route_words", "word")
class RouteWord(Dated):
    """A spelling for people, as `plain` leaves it."""

    word: str = column(text)
    route: str = column(tables.choice(*NAMES))

    kind: ClassVar[str] = "route"

    @property
    def means(self) -> str:
        """The route, as for every word that may stand beside a drug's name."""
        return self.route


_LABEL = re.compile(
    r"\.|^inj(?:ection)?\.?,? | inj(?:ection)?\.?$| \(qualifier value\)$|(?: route| use)?(?: of administration)?$"
    r"| route\b"
)
_PARTS = re.compile(r"\s*[(),;]\s*|\s-\s")


@lru_cache(maxsize=4096)
def plain(spelling: str) -> str:
    """A spelling without what a published list puts around it.

    >>> plain("Intravenous central route (qualifier value)"), plain(" subQ "), plain("Injection, intravenous")
    ('intravenous central', 'subq', 'intravenous')
    >>> plain("I.M."), plain("IM inj.")
    ('im', 'im')
    """
    return " ".join(_LABEL.sub("", " ".join(spelling.split()).casefold()).split())


@cache
def words() -> tuple[RouteWord, ...]:
    """Every spelling for people, with the route that it is read as."""
    return tables.packaged(RouteWord)


@cache
def _words() -> Mapping[str, str]:
    """Spelling -> route."""
    return {**{row.word: row.route for row in words()}, **{name.casefold(): name for name in NAMES}}


@cache
def _coded() -> Mapping[tuple[str, str], CodedRoute]:
    return {(row.system, row.code.upper()): row for row in tables.packaged(CodedRoute)}


@cache
def _anywhere() -> tuple[Mapping[str, frozenset[CodedRoute]], Mapping[str, CodedRoute]]:
    """Every row by its code alone, and those without a name here by their display."""
    by_code: dict[str, set[CodedRoute]] = {}
    for (system, code), row in _coded().items():
        if system not in ("snomed-method", "hl7-0165"):
            by_code.setdefault(code, set()).add(row)
    named = {plain(row.display): row for row in _coded().values() if not row.route}
    return {code: frozenset(rows) for code, rows in by_code.items()}, named


def coded(system: str, code: str) -> CodedRoute | None:
    """The row of a code in the system that it names; None where the list has no such code.

    >>> coded("hl7-0162", "IO").route, coded("snomed", "372460008").route, coded("snomed", "IO")
    ('intraocular', '', None)
    """
    return _coded().get((system, code.upper())) if len(code) <= LONGEST else None


def meanings(spelling: str) -> frozenset[str]:
    """Every route that a word or code without its system may mean; empty text stands for one without a name here.

    >>> sorted(meanings("IO")), sorted(meanings("IM")), sorted(meanings("by pigeon"))
    (['intraocular', 'intraosseous'], ['IM'], [])
    """
    if len(spelling) > LONGEST:
        return frozenset()
    bare = plain(spelling)
    by_code, named = _anywhere()
    found = {row.route for row in by_code.get(spelling.strip().upper(), ())}
    found |= {_words()[bare]} if bare in _words() else _by_parts(bare)
    return frozenset(found | ({""} if bare in named else set()))


def _by_parts(bare: str) -> set[str]:
    """The route of a spelling whose parts together, or every one, mean it: "IV (infusion)", "IM (intramuscular)"."""
    parts = [part for part in _PARTS.split(bare) if part]
    if (together := _words().get(" ".join(parts))) is not None:
        return {together}
    ways = [_words().get(part) or _words().get(part.removesuffix("ly")) for part in parts]
    meant = set(filter(None, ways)) if None not in ways else set()
    exact = meant - {"IV"}
    return exact if len(exact) == 1 and min(exact).startswith("IV ") else meant if len(meant) == 1 else set()


def find(spelling: str) -> str | None:
    """The name of the route that a usual word, or a code that means one thing, stands for; None when none does.

    >>> find("intramuscular"), find(" subQ "), find("78421000"), find("by pigeon")
    ('IM', 'SC', 'IM', None)
    """
    if spelling in NAMES:  # as it is written here already, which reads no table
        return spelling
    if len(spelling) > LONGEST:
        return None
    if (word := _words().get(plain(spelling))) is not None:
        return word
    found = meanings(spelling)
    return min(found) or None if len(found) == 1 else None


def agree(one: str, other: str) -> bool:
    """Whether two routes can be one: the same, or one the other in general (IV and IV push).

    >>> agree("IV", "IV push"), agree("IV push", "IV infusion")
    (True, False)
    """
    return one == other or f"{one} ".startswith(f"{other} ") or f"{other} ".startswith(f"{one} ")


def codes(route: str) -> tuple[CodedRoute, ...]:
    """Every code of the published lists that means a route, list by list.

    >>> [row.code for row in codes("IM") if row.system == "snomed"]
    ['78421000']
    """
    return tuple(row for row in _coded().values() if row.route == route)


def canonical(spelling: object) -> str:
    """The name of the route; `UnknownRoute` with the known ones for anything else.

    >>> canonical("i.m.")
    'IM'
    """
    name = find(spelling) if isinstance(spelling, str) else None
    if name is None:
        raise UnknownRoute(
            f"{quoted(spelling)} is no known route. Known: {', '.join(NAMES)}.", given=spelling, allowed=NAMES
        )
    return name
