"""Messages in, claim lines out: one module for each format, loaded when it is used.

A module of this folder without an underscore is a format, and its name is the format's. Each is a `Format`: `write`
and `losses` of a charge, `CARRIES` that says what the format holds, and `read`: of a message of administrations it
gives an `Encounter`, of a message of charges the `ClaimLines`; one whose messages hold administrations has `reading`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from jcodeunits.errors import FormatError, quoted

if TYPE_CHECKING:
    from ._claim_lines import ClaimLines
    from ._incoming import Batch, Reading
    from ._outgoing import Loss


class Format(Protocol):
    """What the module of a format must have; its own options stand beside these as keywords."""

    CARRIES: Mapping[str, str]

    def write(self, charge: Any, **options: Any) -> str:
        """The charge as text. Raises `FormatError` that lists all that is in the way."""

    def losses(self, charge: Any, **options: Any) -> tuple[Any, ...]:
        """What of the charge the format does not carry."""

    def read(self, text: Any, **beside: Any) -> Any:
        """The encounter or the claim lines that a text holds. Raises `FormatError` or `EncounterError`."""


NAMES = tuple(sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_")))
_TYPES = {"Batch": "_incoming", "Reading": "_incoming", "ClaimLines": "_claim_lines", "Loss": "_outgoing"}

__all__ = ["NAMES", "Batch", "ClaimLines", "Format", "Loss", "Readable", "Reading", "module", "read", "write"]


class Readable(Collection[str]):
    """The formats that an encounter is read from; a module is loaded only when it is asked about.

    >>> "hl7v2" in Readable(), "x12" in Readable()
    (True, False)
    """

    def __contains__(self, name: object) -> bool:
        return name == "json" or (name in NAMES and hasattr(module(str(name)), "reading"))

    def __iter__(self) -> Iterator[str]:
        return (name for name in NAMES if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def module(name: str) -> Format:
    """The module of a format by its name; `FormatError` lists the names."""
    if name not in NAMES:
        raise FormatError(f"{quoted(name)} is no format. Allowed: {', '.join(NAMES)}.", format=name)
    found: Format = _loaded(name)
    return found


@cache
def _loaded(name: str) -> Any:
    return import_module(f".{name}", __name__)


def read(name: str, text: str, **beside: Any) -> Any:
    """Read a message in the named format, with what it cannot say beside it."""
    return module(name).read(text, **beside)


def write(name: str, charge: Any, **options: Any) -> str:
    """Write a charge in the named format; the options are those of the format's own `write`."""
    return module(name).write(charge, **options)


def __getattr__(name: str) -> Any:
    if name in NAMES:
        return _loaded(name)
    if name in _TYPES:
        return getattr(_loaded(_TYPES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
