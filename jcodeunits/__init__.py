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
    "Administration": "encounter",
    "BilledUnits": "convert",
    "BillingUnit": "facts.drug_rows",
    "Charge": "claim",
    "Dose": "dose",
    "Drug": "facts.drug_rows",
    "Drugs": "facts.search",
    "Encounter": "encounter",
    "Finding": "finding",
    "JcodeunitsError": "errors",
    "Line": "claim",
    "NdcQuantity": "quantity",
    "Product": "facts.product_rows",
    "Reference": "facts.reference",
    "best_fit": "vials",
    "billing_units": "convert",
    "charge": "charging",
    "drug": "facts.search",
    "find": "facts.search",
    "history": "facts.search",
    "ndc_quantity": "quantity",
    "product": "quantity",
}
_MODULES = ("audit", "barcode", "batch", "errors", "formats", "hcpcs", "ndc", "refresh", "spark", "vials")

if TYPE_CHECKING:
    from . import audit as audit
    from . import barcode as barcode
    from . import batch as batch
    from . import errors as errors
    from . import formats as formats
    from . import hcpcs as hcpcs
    from . import ndc as ndc
    from . import refresh as refresh
    from . import spark as spark
    from . import vials as vials
    from .charging import charge as charge
    from .claim import Charge as Charge
    from .claim import Line as Line
    from .convert import BilledUnits as BilledUnits
    from .convert import billing_units as billing_units
    from .dose import Dose as Dose
    from .encounter import Administration as Administration
    from .encounter import Encounter as Encounter
    from .errors import JcodeunitsError as JcodeunitsError
    from .facts.drug_rows import BillingUnit as BillingUnit
    from .facts.drug_rows import Drug as Drug
    from .facts.product_rows import Product as Product
    from .facts.reference import Reference as Reference
    from .facts.search import Drugs as Drugs
    from .facts.search import drug as drug
    from .facts.search import find as find
    from .facts.search import history as history
    from .finding import Finding as Finding
    from .quantity import NdcQuantity as NdcQuantity
    from .quantity import ndc_quantity as ndc_quantity
    from .quantity import product as product
    from .vials import best_fit as best_fit

    edition: str
    fingerprint: str

__all__ = [*_HOMES, *_MODULES, "__version__", "edition", "fingerprint"]  # noqa: PLE0604 - texts, from one table


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
        value = getattr(import_module(".facts.reference", __name__).Reference.shipped(), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
