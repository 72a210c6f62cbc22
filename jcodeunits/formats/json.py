"""The contract's own JSON: an encounter in, a charge out.

>>> read('{"on": "2026-03-02", "place": "11", "administrations": []}').place
'11'
"""

from __future__ import annotations

import json
from typing import Any

from jcodeunits.claim import Charge
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.facts.reference import Reference

from ._json import load
from ._outgoing import Loss, in_use

_FIELDS = (
    "code modifiers units ndc ndc_qualifier ndc_quantity diagnoses charge_amount revenue_code description extra_ndcs"
)
CARRIES = {name: name for name in _FIELDS.split()}  # by their own names


def read(text: object, **beside: Any) -> Encounter:
    """The encounter that JSON text (or a dict) describes; `beside` adds what it does not say.

    Raises `FormatError` for text that is no JSON object, `EncounterError` for what it holds, both for a
    key that stands twice.
    """
    data = load(text, "json", "An encounter")
    for key, value in beside.items():
        if key in data and data[key] != value:
            raise FormatError(f"The encounter says {key} {data[key]!r} and {value!r} was given.", format="json")
    return Encounter.from_dict({**data, **beside})


def write(charge: Charge, *, indent: int | None = 1, reference: Reference | None = None) -> str:
    """The whole charge, findings and all; nothing is refused, because `ok` says what stops it."""
    if not isinstance(charge, Charge):
        raise FormatError(f"A {type(charge).__name__} is no charge.", format="json")
    in_use(charge, reference, "json")
    return json.dumps(charge.as_dict(), indent=indent, ensure_ascii=False)


def losses(_: Charge) -> tuple[Loss, ...]:
    """Nothing: the contract's JSON is the charge."""
    return ()
