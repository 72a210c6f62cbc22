"""Messages in, claim lines out: one module for each format, loaded when it is used.

Every module has `write(charge)` and `read(text)`. `read` of a message of administrations gives an
`Encounter`, of a message of charges the `ClaimLines`. Each says in `CARRIES` what the format holds and in
`losses(charge)` what of a charge it does not.

>>> sorted(NAMES)
['claimjson', 'cms1500', 'fhir', 'hl7v2', 'json', 'ub04', 'x12']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jcodeunits.errors import FormatError

if TYPE_CHECKING:
    from . import claimjson, cms1500, encounter_json, fhir, hl7v2, ub04, x12
    from ._incoming import Batch, Reading
    from ._outgoing import ClaimLines, Loss

# Name of the format -> its module.
_MODULES = {
    "json": "encounter_json",
    "x12": "x12",
    "hl7v2": "hl7v2",
    "fhir": "fhir",
    "cms1500": "cms1500",
    "ub04": "ub04",
    "claimjson": "claimjson",
}
NAMES = tuple(_MODULES)
_TYPES = {"Batch": "_incoming", "Reading": "_incoming", "ClaimLines": "_outgoing", "Loss": "_outgoing"}

__all__ = [
    "NAMES",
    "Batch",
    "ClaimLines",
    "Loss",
    "Reading",
    "claimjson",
    "cms1500",
    "encounter_json",
    "fhir",
    "hl7v2",
    "module",
    "read",
    "ub04",
    "write",
    "x12",
]


def module(name: str) -> Any:
    """The module of a format by its name; `FormatError` lists the names."""
    if name not in _MODULES:
        raise FormatError(f"{name!r} is no format. Allowed: {', '.join(NAMES)}.", format=name)
    return import_module(f".{_MODULES[name]}", __name__)


def read(name: str, text: str, **beside: Any) -> Any:
    """Read a message in the named format, with what it cannot say beside it."""
    return module(name).read(text, **beside)


def write(name: str, charge: Any, **options: Any) -> str:
    """Write a charge in the named format; the options are those of the format's own `write`."""
    return str(module(name).write(charge, **options))


def __getattr__(name: str) -> Any:
    if name in _MODULES.values():
        return import_module(f".{name}", __name__)
    if name in _TYPES:
        return getattr(import_module(f".{_TYPES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
