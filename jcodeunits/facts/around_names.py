"""What stands around a drug's name in a text: words of routes and forms, and the fluid that the drug is in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..routes import RouteWord
from .drug_rows import NameWord
from .drug_text import Part, of_fluids, parts_of
from .drugs import Catalog

Word = NameWord | RouteWord  # one that stands around a name

LONGEST_PHRASE = 4  # words of a form, route or package
_HYPHEN = re.compile(r"(?<=[A-Za-z)])-(?=[A-Za-z\d])")


def phrase(table: Mapping[str, Word], parts: Sequence[Part], at: int) -> tuple[int, Word | None]:
    """The longest phrase of a table that begins at a part, and how many parts it takes."""
    for size in range(min(LONGEST_PHRASE, len(parts) - at), 0, -1):
        found = table.get(" ".join([part.key for part in parts[at : at + size]]))
        if found is not None:
            return size, found
    return 1, None


def fluid(catalog: Catalog, parts: Sequence[Part], at: int) -> tuple[int, Word | None]:
    """A fluid that something is in ("in 100 mL dextrose 5 %", "400 mg/200 mL D5W"), and how many parts say so."""
    first = at + 1
    if parts[at].key != "in":
        before = parts[at - 1].strength if at else None
        if before is None or not before.is_by_volume:
            return 1, None
        first = at
    elif first < len(parts) and (held := parts[first].strength) is not None and held.kind == "volume":
        first += 1
    if first >= len(parts):
        return 1, None
    size, row = phrase(catalog.fluids, parts, first)
    if row is None and _is_percent(parts, first) and first + 1 < len(parts):
        size, row = phrase(catalog.fluids, parts, first + 1)  # "in 0.7% NaCl", a percentage that no row lists
        size += 1
    elif row is not None and _is_percent(parts, first + size):
        said = any(part.strength and part.strength.kind == "concentration" for part in parts[first + size + 1 :])
        size += said  # "in dextrose 4% 2 GM/100ML": one alone may be the drug's
    return (first - at + size, row) if row is not None else (1, None)


def _is_percent(parts: Sequence[Part], at: int) -> bool:
    return at < len(parts) and parts[at].strength is not None and parts[at].text.endswith("%")


def in_fluid(catalog: Catalog, text: str) -> str:
    """The text, where a fluid that a hyphen joins to the drug (ceftazidime-dextrose) is what the drug is in."""
    text = of_fluids(text)
    for found in _HYPHEN.finditer(text):
        behind = parts_of(text[found.end() :])
        if behind and phrase(catalog.fluids, behind, 0)[1] is not None:
            return f"{text[: found.start()]} in {text[found.end() :]}"
    return text


def ways(catalog: Catalog, text: str) -> frozenset[str]:
    """Every route that the words of a text name, or that a solid form in it is for; whatever drug it is of.

    >>> from .reference import Reference
    >>> book = Reference.shipped().drugs
    >>> sorted(ways(book, "ketorolac 10 mg tablet")), sorted(ways(book, "ketorolac 30 mg/mL IM/IV injection"))
    (['oral'], ['IM', 'IV'])
    """
    parts = parts_of(text)
    found: set[str] = set()
    at = 0
    while at < len(parts):
        size, row = phrase(catalog.around, parts, at)
        if row is not None and row.kind in ("route", "solid"):
            found.add(row.means)
        at += size
    return frozenset(found)
