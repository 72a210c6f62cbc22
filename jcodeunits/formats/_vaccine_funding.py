"""What a message observes of a vaccine's funding: rows of `observations.csv`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from jcodeunits import tables
from jcodeunits.tables import Dated, column, table, text, words


@table("observations", "code")
class Observation(Dated):
    """A LOINC code about a vaccine's funding, and the values that say it was the practice's own."""

    code: str = column(text)
    about: str = column(text)
    private: tuple[str, ...] = column(words)


@cache
def observations() -> Mapping[str, Observation]:
    """Every code that is known, by itself."""
    return {row.code: row for row in tables.packaged(Observation)}
