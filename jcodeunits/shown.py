"""What an answer has in common: its table as text and in a notebook, and itself in one line."""

from __future__ import annotations

from typing import Any

from .errors import shortened


class Shown:
    """A type whose `str` is the text that people read, and whose `repr` is one line of at most 200 characters."""

    __slots__ = ()

    @property
    def brief(self) -> str:
        """What it is, in a few words: a code, a count, a day."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return shortened(f"<{type(self).__name__} {self.brief}>")

    def __str__(self) -> str:
        from . import show

        return show.text(self)

    def _repr_html_(self) -> str:
        from . import show

        return show.html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - the notebook's own call
        from . import show

        printer.text(show.text(self))
