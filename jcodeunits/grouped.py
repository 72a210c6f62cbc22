"""Things put together by what they have in common, and the one thing that all are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
N = TypeVar("N")


def grouped(things: Iterable[V], by: Callable[[V], K]) -> dict[K, tuple[V, ...]]:
    """The things of each key, both in the order in which they come.

    >>> grouped(["J1885", "J0696", "Q5103"], lambda code: code[0])
    {'J': ('J1885', 'J0696'), 'Q': ('Q5103',)}
    """
    made: dict[K, list[V]] = {}
    for thing in things:
        made.setdefault(by(thing), []).append(thing)
    return {key: tuple(group) for key, group in made.items()}


def only(values: Iterable[V], otherwise: N) -> V | N:
    """The one value among all; `otherwise` where there is none, or they differ.

    >>> only(["mL", "mL"], ""), only(["mL", "g"], "")
    ('mL', '')
    """
    found = set(values)
    return found.pop() if len(found) == 1 else otherwise
