"""The policy of a reference that holds a site's rows: a charge says which of them answered in place of shipped ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from ..tables import words
from .policy import Policy
from .policy_rows import PolicyRow

_replacing: ContextVar[list[PolicyRow] | None] = ContextVar("rows of a site that answered", default=None)


@contextmanager
def replacing_rows() -> Iterator[list[PolicyRow]]:
    """Every row of a site that answers a question in place of a shipped one, as long as the block lasts."""
    rows: list[PolicyRow] = []
    token = _replacing.set(rows)
    try:
        yield rows
    finally:
        _replacing.reset(token)
        around = _replacing.get()
        if around is not None:
            around += rows


def _noting(question: Callable[..., Any]) -> Callable[..., Any]:
    """A question whose rows are noted where they stand in place of shipped ones."""

    @wraps(question)
    def asked(*args: Any, **words: Any) -> Any:
        found = question(*args, **words)
        rows = _replacing.get()
        if rows is not None:
            rows += [row for row in (found if isinstance(found, tuple) else (found,)) if row and row.replaces]
        return found

    return asked


class SitePolicy(Policy):
    """A policy that holds a site's rows: each that answers in place of a shipped one is noted for the charge."""


for _name in words(
    "place|place_rule|procedure|procedures|code_for|administration|classes|modifier|limit|edit|option|"
    "status|fee|diagnosis|diagnoses_of|documentation|route_code"
):
    setattr(SitePolicy, _name, _noting(getattr(Policy, _name)))
