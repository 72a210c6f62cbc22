"""Routes of administration: one name for each, and every spelling and code that is read as it."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import ClassVar

import attrs

from . import tables
from .tables import day, optional_day, text, words


@attrs.frozen
class Route:
    """A route of administration: our name, the spellings read as the same, SNOMED and HL7 codes."""

    TABLE: ClassVar[str] = "routes"
    KEY: ClassVar[tuple[str, ...]] = ("name",)
    NEAREST: ClassVar[bool] = True

    name: str = attrs.field(converter=text)
    label: str = attrs.field(converter=text)
    spellings: tuple[str, ...] = attrs.field(converter=words)
    snomed: tuple[str, ...] = attrs.field(converter=words)
    hl7: tuple[str, ...] = attrs.field(converter=words)
    effective: dt.date = attrs.field(converter=day)
    ends: dt.date | None = attrs.field(converter=optional_day)
    source: str = attrs.field(converter=text)
    cite: str = attrs.field(converter=text)
    confidence: str = attrs.field(converter=tables.confidence)
    verified: dt.date = attrs.field(converter=day)


@cache
def _by_spelling() -> dict[str, str]:
    return {
        word.casefold(): row.name
        for row in tables.load(Route)
        for word in (row.name, row.label, *row.spellings, *row.snomed, *row.hl7)
    }


def names() -> tuple[str, ...]:
    """The names of all routes, in the table's order."""
    return tuple(row.name for row in tables.load(Route))


def find(spelling: str) -> str | None:
    """The name of the route that a spelling, a SNOMED or an HL7 code means; None when it is unknown.

    >>> find("intramuscular"), find("78421000"), find("by pigeon")
    ('IM', 'IM', None)
    """
    return _by_spelling().get(spelling.strip().casefold())
