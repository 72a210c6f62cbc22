"""Where a fact stands: the source (a row of sources.csv) and the place in it."""

from __future__ import annotations

import attrs


@attrs.frozen
class Citation:
    """A source's id, the place in it, and how far it is to be trusted.

    `title` is the source's own title when the reader of the tables knows it.

    >>> print(Citation("hcpcs-2026q3", "J0696", title="HCPCS 2026 Q3"))
    HCPCS 2026 Q3, J0696
    """

    source: str
    cite: str = ""
    confidence: str = "high"
    title: str = ""

    def __str__(self) -> str:
        name = self.title or self.source
        return f"{name}, {self.cite}" if self.cite else name
