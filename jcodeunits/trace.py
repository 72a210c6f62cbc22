"""The steps of an answer, each with what it read."""

from __future__ import annotations

import attrs

from .cite import Citation

_WIDEST = 46  # characters of a step that still set the column of the reasons


@attrs.frozen
class Step:
    """One step: what was done, why, and the source of the rule or fact where there is one.

    >>> print(Step("1000 mg / 250 mg = 4", "exact").text())
    1000 mg / 250 mg = 4  exact
    """

    says: str
    why: str = ""
    citation: Citation | None = None

    def text(self, width: int = 0, why_width: int = 0) -> str:
        """One line: what, why, and the source in brackets; widths align the steps of a trace."""
        line = f"{self.says:<{width}}  {self.why}" if self.why else self.says
        if self.citation is not None:
            line = f"{line:<{width + 2 + why_width}}  [{self.citation}]"
        return line

    def as_dict(self) -> dict[str, str]:
        """Plain text fields."""
        return {"says": self.says, "why": self.why, "citation": str(self.citation or "")}


@attrs.frozen
class Trace:
    """The steps in order. Traces add up.

    >>> len(Trace((Step("a"),)) + Trace((Step("b"),)))
    2
    """

    steps: tuple[Step, ...] = ()

    def __add__(self, other: Trace) -> Trace:
        return Trace(self.steps + other.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def text(self) -> str:
        """The steps as aligned lines; a long step does not push the others apart."""
        width = max((len(step.says) for step in self.steps if len(step.says) <= _WIDEST), default=0)
        whys = max((len(step.why) for step in self.steps), default=0)
        return "\n".join(step.text(width, whys) for step in self.steps)

    def as_list(self) -> list[dict[str, str]]:
        """Plain JSON types."""
        return [step.as_dict() for step in self.steps]
