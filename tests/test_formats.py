"""All formats at once: the registry is the folder, and what leaves comes back or is listed as lost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from made_charges import charge_of, drug_line, injection_line

from jcodeunits import formats
from jcodeunits.claim import ExtraNdc, Line
from jcodeunits.errors import FormatError

FOLDER = Path(formats.__file__).parent
# What every line has besides what a format holds: our own words about it.
OURS = {"trace", "kind", "label", "administration"}
FIELDS = tuple(field.name for field in attrs.fields(Line) if field.name not in OURS)
# Each fact of a line, said in a way that no default says.
SAID: dict[str, dict[str, Any]] = {
    "code": {"code": "J0696"},
    "modifiers": {"modifiers": ("JZ", "TB")},
    "units": {"units": 7},
    "ndc": {"ndc": "00409733201"},
    "ndc_qualifier": {"ndc_qualifier": "UN"},
    "ndc_quantity": {"ndc_quantity": Decimal("2.5")},
    "diagnoses": {"diagnoses": ("F11.20", "R52")},
    "charge_amount": {"charge_amount": Decimal("12.30")},
    "revenue_code": {"revenue_code": "0636"},
    "description": {"description": "test drug 30 mg"},
    "extra_ndcs": {"extra_ndcs": (ExtraNdc("00409379601", "ML", Decimal("1")),)},
}
OPTIONS: dict[str, dict[str, Any]] = {"cms1500": {"amounts": {}}, "ub04": {}}


def test_the_registry_is_the_folder() -> None:
    files = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")}
    assert set(formats.NAMES) == files
    with pytest.raises(FormatError, match=r"is no format. Allowed: claimjson, cms1500"):
        formats.module("morse")


@pytest.mark.parametrize("name", formats.NAMES)
def test_a_format_has_what_every_format_has(name: str) -> None:
    module = formats.module(name)
    for what in ("write", "read", "losses"):
        assert callable(getattr(module, what)), what
    assert set(module.CARRIES) <= {*FIELDS, "place", "on"}
    assert all(where for where in module.CARRIES.values())


def _charge(name: str, **said: Any) -> Any:
    claim = "outpatient" if name == "ub04" else "professional"
    revenue = {"revenue_code": "0510"} if claim == "outpatient" else {}
    drug = {**({"revenue_code": "0250"} if revenue else {}), **said}
    return charge_of(injection_line(**revenue), drug_line(**drug), claim=claim)


@pytest.mark.parametrize("name", [name for name in formats.NAMES if name != "json"])
@pytest.mark.parametrize("field", FIELDS)
def test_a_fact_of_a_line_comes_back_or_is_listed_as_lost_or_is_refused(name: str, field: str) -> None:
    assert set(SAID) == set(FIELDS), "a new field of a line is said here too"
    module = formats.module(name)
    charge = _charge(name, **SAID[field])
    try:
        text = module.write(charge)
    except FormatError:
        if field != "extra_ndcs":  # a format may want such a line divided, and says so
            raise
        return
    lost = {loss.field for loss in module.losses(charge)}
    back = module.read(text)
    pairs = zip(charge.lines[1:], back.lines[-1:], strict=True)
    came = all(getattr(line, field) == getattr(again, field) for line, again in pairs)
    pointed = field == "diagnoses" and any("diagnos" in loss.field for loss in (*module.losses(charge), *back.losses))
    read_as = field == "description" and any(SAID[field][field] in line.label for line in back.lines)
    pointers = field == "diagnoses" and name in ("x12", "cms1500", "claimjson")  # numbers of the claim's own list
    assert came or field in lost or pointed or read_as or pointers, (text, sorted(lost))


def test_the_contracts_own_json_holds_everything() -> None:
    module = formats.module("json")
    assert set(module.CARRIES) == set(FIELDS)
    assert module.losses(_charge("json")) == ()
