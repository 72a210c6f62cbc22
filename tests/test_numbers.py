"""Every door through which a number comes in refuses at once what no amount can be, and in the same way everywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jcodeunits as jc
from jcodeunits import formats, vials
from jcodeunits.amount import DIGITS, LARGEST, decimal_text, exact, money
from jcodeunits.audit import judge
from jcodeunits.dose import Dose
from jcodeunits.errors import JcodeunitsError
from jcodeunits.quantity import ndc_quantity

ON = "2026-03-02"
HANG = 20  # seconds of the processor: far above a crowded machine, far below what hung for minutes
WRITTEN = ["1e999999999", "1e-999999999", "9" * 5000, "0." + "0" * 5000 + "1", "1" + "0" * 21, "-5", "1_0", "nan"]
NUMBERS = [
    Decimal("1e999999999"),
    Decimal("1e-999999999"),
    Decimal("9" * 5000),
    10**5000,
    10**21,
    -5,
    float("inf"),
    float("nan"),
    1e300,
    Decimal("sNaN"),
    Fraction(1, 3 * 10**60),
]
GIVEN = {"drug": "J1885", "dose": "30 mg", "route": "IM"}


def charge(administration: dict[str, Any], **more: Any) -> Any:
    return jc.charge({"on": ON, "place": "11", "administrations": [GIVEN | administration], **more})


def billed(made: Any) -> bool:
    return any(line.kind == "drug" for line in made.lines)


def row(**cells: Any) -> dict[str, Any]:
    """One row of a table: its answer."""
    plain = {"drug": "J1885", "dose": "30", "unit": "mg", "on": ON, "container_amount": "30 mg"}
    made: dict[str, Any] = jc.batch.bill(pa.Table.from_pylist([plain | cells])).to_pylist()[0]
    return made


# Each door answers None for a refusal.
TEXT: dict[str, Callable[[str], Any]] = {
    "dose": lambda n: Dose.of(f"{n} mg"),
    "dose and unit": lambda n: Dose.of(n, "mg"),
    "weight": lambda n: Dose.by_weight("1 mg/kg", f"{n} kg"),
    "rate": lambda n: Dose.by_weight(f"{n} mg/kg", "70 kg"),
    "surface": lambda n: Dose.by_surface("1 mg/m2", f"{n} m2"),
    "volume": lambda n: Dose.by_volume(f"{n} mL", "40 mg/mL"),
    "concentration": lambda n: Dose.by_volume("1 mL", f"{n} mg/mL"),
    "percentage": lambda n: Dose.by_volume("1 mL", f"{n}%"),
    "ratio": lambda n: Dose.by_volume("1 mL", f"1:{n}"),
    "vial size": lambda n: vials.best_fit("30 mg", [f"{n} mg"]),
    "smallest NDC quantity": lambda n: ndc_quantity("0409-3795-01", "30 mg", ON, minimum=n),
    "charge amount": lambda n: charge({}, charge_amounts={"J1885": n}),
    "charge of an administration": lambda n: charge({"charge_amount": n}),
    "charge dose": lambda n: billed(charge({"dose": f"{n} mg"})) or None,
    "charge container": lambda n: billed(charge({"container_amount": f"{n} mg", "containers": 1})) or None,
    "batch dose": lambda n: row(dose=n)["hcpcs"] if row(dose=n)["status"] == "billed" else None,
    "batch containers": lambda n: row(containers=n)["units"],
    "batch container": lambda n: row(container_amount=n, containers="1")["units"],
    "batch discarded": lambda n: row(discarded=n, containers="1")["units"],
}
OBJECTS: dict[str, Callable[[Any], Any]] = {
    "dose": lambda n: Dose.of(n, "mg"),
    "containers": lambda n: charge({"containers": n}),
    "units of a service": lambda n: charge({}, services=[{"code": "20610", "units": n}]),
    "charge amount": lambda n: charge({}, charge_amounts={"J1885": n}),
    "charge of an administration": lambda n: charge({"charge_amount": n}),
}


def answer(ask: Callable[[Any], Any], value: Any) -> Any:
    began, said = time.process_time(), ""
    try:
        made = ask(value)
    except JcodeunitsError as error:
        made, said = None, error.message
    assert time.process_time() - began < HANG
    assert len(said) < 700
    return made


@pytest.mark.parametrize("number", WRITTEN, ids=lambda text: text[:12])
@pytest.mark.parametrize("door", TEXT)
def test_no_door_takes_a_text_that_is_no_amount(door: str, number: str) -> None:
    assert answer(TEXT[door], number) is None


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: type(number).__name__)
@pytest.mark.parametrize("door", OBJECTS)
def test_no_door_takes_a_number_that_is_no_amount(door: str, number: Any) -> None:
    assert answer(OBJECTS[door], number) is None


@pytest.mark.parametrize("number", WRITTEN, ids=lambda text: text[:12])
@pytest.mark.parametrize("column", ["units", "ndc_quantity", "dose", "containers", "discarded", "container_amount"])
def test_an_audit_judges_no_number_that_is_none(column: str, number: str) -> None:
    line = {
        "claim": "1",
        "line": 1,
        "code": "J1885",
        "units": "2",
        "modifiers": None,
        "on": ON,
        "dose": "30",
        "unit": "mg",
        "ndc": "00409379501",
        "ndc_qualifier": "ML",
        "ndc_quantity": "1",
        "container_amount": "30 mg",
    }
    began = time.process_time()
    (made,) = judge(pa.Table.from_pylist([line | {column: number}])).to_pylist()
    assert time.process_time() - began < HANG
    assert made["verdict"] != "agrees" or column == "containers"
    if column == "units":
        assert (made["verdict"], made["cause"]) == ("unjudged", "unreadable-units")


@pytest.mark.parametrize("units", ["-5", "0", "1_0", "+2", "1e1", "1/2", "two", "", "99999999999999999999"])
def test_billed_units_are_digits(units: str) -> None:
    line = {"claim": "1", "line": 1, "code": "J1885", "units": units, "modifiers": None, "on": ON}
    (made,) = judge(pa.Table.from_pylist([line | {"dose": "30", "unit": "mg"}])).to_pylist()
    assert (made["verdict"], made["cause"]) == ("unjudged", "unreadable-units")


@pytest.mark.parametrize("dose", ["1" + "0" * 21, "1" + "0" * 18, "9" * 18, "1" + "0" * 15])
@pytest.mark.parametrize("unit", ["g", "kg", "mcg"])
def test_a_table_and_one_call_take_the_same_doses(dose: str, unit: str) -> None:
    try:
        alone: Any = jc.billing_units("J1885", Dose.of(dose, unit), ON).count
    except JcodeunitsError as error:
        alone = type(error).__name__
    for given_as in (dose, Decimal(dose), *([int(dose)] if len(dose) < 19 else [])):
        made = row(dose=given_as, unit=unit, container_amount=None)
        assert (made["units"] or made["reason"].partition(":")[0]) == alone


@pytest.mark.parametrize("number", ["1e999999999", "1e399991235231991235959", "9" * 5000, "-1e-999999999"])
@pytest.mark.parametrize("form", ["json", "fhir", "claimjson"])
def test_json_numbers_out_of_range_are_refused(form: str, number: str) -> None:
    messages = {
        "fhir": '{"resourceType": "ChargeItem", "status": "billable", "quantity": {"value": NUMBER}}',
        "claimjson": '{"claimInformation": {"serviceLines": [{"lineItemChargeAmount": NUMBER}]}}',
        "json": json.dumps({"on": ON, "place": "11", "administrations": [GIVEN]})[:-1] + ', "x": NUMBER}',
    }
    began = time.process_time()
    with pytest.raises(JcodeunitsError):
        formats.read(form, messages[form].replace("NUMBER", number))
    assert time.process_time() - began < HANG


@given(st.decimals("-1000000000000000000", "1000000000000000000", places=6))
def test_what_lies_in_the_range_is_taken_exactly(amount: Decimal) -> None:
    assert exact(amount) == Fraction(amount)
    if amount >= 0:
        assert exact(decimal_text(Fraction(amount))) == Fraction(amount)


@pytest.mark.parametrize(
    "value", [LARGEST + 1, Fraction(1, 10 ** (DIGITS + 1)), Decimal("1e41"), True, None, "", "1 0", "٣", [1], 1j]
)
def test_anything_else_is_no_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"number|range"):
        exact(value)


@pytest.mark.parametrize("value", ["25.001", "-1", "1e2", "$25", Decimal("0.001"), -1])
def test_money_has_cents(value: object) -> None:
    with pytest.raises(ValueError, match="no amount of money"):
        money(value)
