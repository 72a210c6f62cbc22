"""One thing that a refresh changed, for its report."""

from __future__ import annotations

import attrs


@attrs.frozen
class Change:
    """One thing that changed: of what kind, of which code or NDC, and what it says."""

    kind: str
    subject: str
    says: str
    own: bool = False

    def __str__(self) -> str:
        return f"{self.subject}: {self.says}"
