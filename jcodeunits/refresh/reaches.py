"""How far each family of published files reaches in a reference: newest edition, last day, days behind a date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from jcodeunits.tables import Source

from .families import FAMILIES, file_of
from .family import Family, is_complete


@attrs.frozen
class Reach:
    """One family: its newest edition, the day that it reaches, and how many days that lies behind the date asked.

    `newest` is empty where no edition was ever read; `days` is 0 where the edition holds the date.
    """

    family: str
    newest: str
    day: dt.date | None
    days: int | None

    def as_dict(self) -> dict[str, object]:
        """Plain JSON types."""
        day = self.day.isoformat() if self.day else None
        return {"family": self.family, "newest": self.newest or None, "reaches": day, "days_behind": self.days}

    def __str__(self) -> str:
        if self.day is None:
            return f"{self.family}: none loaded"
        behind = f", {self.days} days behind" if self.days else ""
        return f"{self.family}: {self.newest}, to {self.day}{behind}"


def reaches(sources: Iterable[Source], on: dt.date) -> list[Reach]:
    """Every family that a site refreshes, in the order in which files are tried; what was never loaded first."""
    editions = list(sources)
    found = [reach for family in FAMILIES if family.page for reach in _reaches(family, editions, on)]
    return sorted(found, key=lambda reach: reach.day is not None)


def _reaches(family: Family, sources: list[Source], on: dt.date) -> list[Reach]:
    """One for each kind of file of a family (practitioners, hospitals); selected rows reach nowhere by themselves."""
    found: dict[str, Source] = {}
    for source in sources:
        file = file_of(source.id)
        if file in family.files and is_complete(file) and source.first_day is not None:
            found[file] = max(found.get(file, source), source, key=lambda one: (_last(one), one.id))
    if not found:
        return [Reach(family.name, "", None, None)]
    days = {file: _last(newest) for file, newest in found.items()}
    return [Reach(family.name, found[f].title, days[f], max((on - days[f]).days, 0)) for f in sorted(found)]


def _last(source: Source) -> dt.date:
    return source.last_day or source.first_day or dt.date.min
