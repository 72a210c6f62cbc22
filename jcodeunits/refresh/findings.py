"""One thing in the published files that a person should look at."""

from __future__ import annotations

import attrs


@attrs.frozen
class Lint:
    """What kind of thing, where, and what it says."""

    kind: str
    place: str
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}"
