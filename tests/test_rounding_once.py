"""The rounding rule stands in one place: where it is another rule, every path answers with that one."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import jcodeunits as jc
from jcodeunits import amount, cli

ON = "2026-03-02"
DOSE = "37.0625 mg"  # of a code of 15 mg: 3 units by the rule, 1003 by the other one; no other test gives it


def _another_rule(whole: Any, size: Any) -> Any:
    return -(-whole // size) + 1000


@pytest.fixture(params=[3, 1003], ids=["the-rule", "another-rule"])
def units(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    if request.param != 3:
        monkeypatch.setattr(amount.quotient_up, "__code__", _another_rule.__code__)
    return int(request.param)


def _command(*words: str) -> Any:
    said = io.StringIO()
    with redirect_stdout(said):
        cli.main([*words, "--on", ON, "--json"])
    return json.loads(said.getvalue())


def _encounter() -> dict[str, Any]:
    given = {"drug": "J1885", "dose": DOSE, "route": "IM"}
    return {"on": ON, "place": "11", "administrations": [given]}


def _row() -> Any:
    return pa.table({"drug": ["J1885"], "dose": ["37.0625"], "unit": ["mg"], "on": [ON]})


def _claim() -> Any:
    cells = {"claim": "1", "line": "1", "code": "J1885", "units": "5", "modifiers": "", "on": ON}
    return pa.table({name: [cell] for name, cell in {**cells, "dose": "37.0625", "unit": "mg"}.items()})


def _line(charge: Any) -> int:
    return int(next(line.units for line in charge.lines if line.code == "J1885"))


WAYS: dict[str, Callable[[], int]] = {
    "billing_units": lambda: int(jc.billing_units("J1885", DOSE, ON)),
    "by name": lambda: int(jc.billing_units("ketorolac", DOSE, ON)),
    "charge": lambda: _line(jc.charge(_encounter())),
    "batch": lambda: int(jc.batch.bill(_row())["units"][0].as_py()),
    "audit": lambda: int(jc.audit.judge(_claim())["expected_units"][0].as_py()),
    "units": lambda: int(_command("units", "J1885", *DOSE.split())["units"]),
    "vials": lambda: int(_command("vials", "J1885", *DOSE.split(), "--sizes", "60mg")["units"]),
    "ndc": lambda: int(_command("ndc", "0409-3795-01", "--dose", DOSE)["codes"][0]["units"]),
}


DETAILS = {"ndc": "0409-3795-01", "container": "single-dose", "containers": "2", "discarded": "22.9375 mg"}


def _opened() -> dict[str, Any]:
    opened = {**DETAILS, "containers": 2}
    return {**_encounter(), "administrations": [{"drug": "J1885", "dose": DOSE, "route": "IM", **opened}]}


def _several_places() -> dict[str, Any]:
    given = [
        {"drug": "J1885", "dose": dose, "route": "IM", "site": site, "order": "1"}
        for dose, site in (("30 mg", "left gluteal"), ("7.0625 mg", "right gluteal"))
    ]
    return {**_encounter(), "administrations": given}


def _bill(**more: str) -> Any:
    row = {"drug": "J1885", "dose": "37.0625", "unit": "mg", "on": ON, "route": "IM", "place": "11", **more}
    return jc.batch.bill(pa.table({name: [cell] for name, cell in row.items()}))


def _judged(**more: str) -> Any:
    cells = {"claim": "1", "line": "1", "code": "J1885", "units": "5", "modifiers": "", "on": ON, **more}
    return jc.audit.judge(pa.table({name: [cell] for name, cell in {**cells, "dose": "37.0625", "unit": "mg"}.items()}))


WAYS |= {
    "by NDC": lambda: int(jc.billing_units("0409-3795-01", DOSE, ON)),
    "charge of what was opened": lambda: _line(jc.charge(_opened())),
    "charge of one order": lambda: sum(
        line.units for line in jc.charge(_several_places()).lines if line.kind == "drug"
    ),
    "batch of what was opened": lambda: int(_bill(**DETAILS)["units"][0].as_py()),
    "audit of what was opened": lambda: int(_judged(**DETAILS)["expected_units"][0].as_py()),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_path_rounds_by_the_one_rule(units: int, way: str) -> None:
    assert WAYS[way]() == units


# 37.0625 mg of 30 mg in 1 mL are 1.23541... mL: 1.235 by the rule that rounds a quantity, 2.235 by the other one.


def _another_quantity_rule(whole: Any, size: Any) -> Any:
    return (2 * whole + size) // (2 * size) + 1000


@pytest.fixture(params=["1.235", "2.235"], ids=["the-rule", "another-rule"])
def quantity(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "1.235":
        monkeypatch.setattr(amount.half_up, "__code__", _another_quantity_rule.__code__)
    return str(request.param)


def _chargemaster() -> str:
    row = {"item": "1", "code": "J1885", "units_per_charge": "2", "charge_unit": DOSE, "ndc": "0409-3795-01"}
    made = jc.audit.chargemaster(pa.table({name: [cell] for name, cell in row.items()}), on=ON)
    return str(made["expected_ndc_quantity"][0].as_py())


def _plain(value: Any) -> str:
    return f"{value.normalize():f}"


QUANTITIES: dict[str, Callable[[], str]] = {
    "ndc_quantity": lambda: _plain(jc.ndc_quantity("0409-3795-01", DOSE, ON).quantity),
    "charge": lambda: _plain(next(line.ndc_quantity for line in jc.charge(_opened()).lines if line.ndc)),
    "batch": lambda: _plain(_bill(**{**DETAILS, "discarded": ""})["ndc_quantity"][0].as_py()),
    "audit": lambda: str(_judged(ndc="0409-3795-01", place="11")["expected_ndc"][0].as_py()).removeprefix("ML"),
    "ndc": lambda: str(_command("ndc", "0409-3795-01", "--dose", DOSE)["quantity"]["ndc_quantity"]),
    "chargemaster": _chargemaster,
}


@pytest.mark.parametrize("way", QUANTITIES)
def test_every_path_rounds_a_quantity_by_the_one_rule(quantity: str, way: str) -> None:
    assert QUANTITIES[way]() == quantity


# Counting lines of a claim and comparing packages are no rounding of units.
NO_UNITS = {"formats/_outgoing.py", "refresh/crosswalk.py"}


def test_nothing_else_rounds_up() -> None:
    package = Path(jc.__file__).parent
    wrong = [
        name
        for path in sorted(package.rglob("*.py"))
        if (name := path.relative_to(package).as_posix()) not in {"amount.py", *NO_UNITS}
        and re.search(r"\bceil\(|__ceil__|-\(-|\bROUND_(UP|CEILING)\b", path.read_text("utf-8"))
    ]
    assert wrong == []
