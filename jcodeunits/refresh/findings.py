"""What a refresh noticed: a thing in the published files that a person should look at, a thing that changed."""

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


@attrs.frozen
class Change:
    """One thing that changed: of what kind, of which code or NDC, and what it says."""

    kind: str
    subject: str
    says: str
    own: bool = False

    def __str__(self) -> str:
        return f"{self.subject}: {self.says}"
