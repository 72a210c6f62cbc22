"""What a message observes of a vaccine's funding: rows of `observations.csv`."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from functools import cache
from typing import ClassVar

import attrs

from jcodeunits import tables
from jcodeunits.tables import Dated, column, columns_last, text, words


@attrs.frozen(eq=False, repr=False, field_transformer=columns_last)
class Observation(Dated):
    """A LOINC code about a vaccine's funding, and the values that say it was the practice's own."""

    TABLE: ClassVar[str] = "observations"
    KEY: ClassVar[tuple[str, ...]] = ("code",)

    code: str = column(text)
    about: str = column(text)
    private: tuple[str, ...] = column(words)


@cache
def observations() -> Mapping[str, Observation]:
    """Every code that is known, by itself."""
    rows = tables.read(Observation, os.path.join(tables.folder(), "observations.csv"), tables.sources())
    return {row.code: row for row in rows}
