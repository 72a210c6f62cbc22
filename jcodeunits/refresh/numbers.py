"""NDCs as the published files write them."""

from __future__ import annotations

from jcodeunits import ndc
from jcodeunits.errors import IdentifierError


def number_of(text: str) -> str | None:
    """The NDC as 5-4-2 with hyphens; None for an id that is none.

    >>> number_of("0409-3795-01"), number_of("GG400")
    ('00409-3795-01', None)
    """
    try:
        return ndc.format(text)
    except IdentifierError:
        return None
