"""From a drug that was given to the line that can be billed, and why.

>>> import jcodeunits as jc
>>> units = jc.billing_units("J0696", "1 g", on="2026-03-02")
>>> int(units)
4

Nothing is loaded until it is used: importing the package reads no table and no library but the standard one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> the module that holds it.
_HOMES = {
    "billing_units": "convert",
    "BilledUnits": "convert",
    "Dose": "dose",
    "find": "search",
    "Drugs": "search",
    "drug": "search",
    "history": "catalog",
    "Drug": "catalog",
    "BillingUnit": "catalog",
    "Catalog": "catalog",
    "product": "quantity",
    "ndc_quantity": "quantity",
    "NdcQuantity": "quantity",
    "Product": "products",
    "best_fit": "vials",
    "charge": "charging",
    "Charge": "claim",
    "Encounter": "claim",
    "Administration": "claim",
    "Line": "claim",
    "Finding": "finding",
    "JcodeunitsError": "errors",
}
_MODULES = frozenset(
    {"audit", "batch", "catalog", "errors", "formats", "hcpcs", "ndc", "policy", "refresh", "spark", "vials"}
)

if TYPE_CHECKING:
    from . import audit, batch, catalog, errors, formats, hcpcs, ndc, policy, spark, vials
    from .catalog import BillingUnit, Catalog, Drug, history
    from .charging import charge
    from .claim import Administration, Charge, Encounter, Line
    from .convert import BilledUnits, billing_units
    from .dose import Dose
    from .errors import JcodeunitsError
    from .finding import Finding
    from .products import Product
    from .quantity import NdcQuantity, ndc_quantity, product
    from .search import Drugs, drug, find

    edition: str
    fingerprint: str

__all__ = [
    "Administration", "BilledUnits", "BillingUnit", "Catalog", "Charge", "Dose", "Drug", "Drugs", "Encounter",
    "Finding", "JcodeunitsError", "Line", "NdcQuantity", "Product", "__version__", "billing_units", "charge",
    "drug", "edition", "find", "fingerprint", "history", "ndc_quantity", "product",
]  # fmt: skip


def _module(name: str) -> Any:
    """A module of the package; where a library of an extra is missing, the error says which extra."""
    try:
        return import_module(f".{name}", __name__)
    except ModuleNotFoundError as why:
        if (why.name or "").partition(".")[0] == __name__:
            raise
        extra = "batch" if name == "audit" else name
        raise ModuleNotFoundError(
            f"jcodeunits.{name} needs {why.name}: pip install 'jcodeunits[{extra}]'", name=why.name
        ) from why


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    elif name in _MODULES:
        return _module(name)
    elif name in ("edition", "fingerprint"):
        value = getattr(import_module(".tables", __name__), name)()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
