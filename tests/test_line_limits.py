"""A limit that counts the line divides a dose over lines; nothing of it is lost or gained."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shipped import POLICY, rows_of

import jcodeunits as jc
from jcodeunits.facts.policy_rows import Limit

ON = "2026-03-02"


def charged(drug: str, dose: str, payer: str = "medicare", claim: str = "professional", **given: Any) -> jc.Charge:
    one = {"drug": drug, "dose": dose, "route": "IV push", "container": "single-dose", "discarded": "0 IU", **given}
    place = "11" if claim == "professional" else "22"
    return jc.charge(
        {"on": ON, "place": place, "payer": payer, "claim": claim, "diagnoses": ["D67"], "administrations": [one]}
    )


def drug_lines(made: jc.Charge) -> list[jc.Line]:
    return [line for line in made.lines if line.kind == "drug"]


def told(made: jc.Charge) -> list[tuple[tuple[str, ...], int]]:
    return [(line.modifiers, line.units) for line in drug_lines(made)]


# Noridian's page on clotting factors: 12,000 IU at 4,000 a line are three lines, 76 on the second and third.
def test_units_above_the_limit_of_a_line_stand_on_more_lines() -> None:
    made = charged("J7193", "12000 IU", payer="noridian")
    assert told(made) == [(("JZ",), 4000), (("JZ", "76"), 4000), (("JZ", "76"), 4000)]
    asked = [found for found in made.findings if found.severity == "warn"]
    assert {found.rule for found in asked} <= {"unit-limit", "limits-reach"}
    assert any("3 lines" in found.says for found in asked)


@pytest.mark.parametrize(
    ("payer", "wanted"),
    [
        ("cgs", [(("JZ",), 4000), (("59", "JZ"), 500)]),  # its page takes 59
        ("palmetto", [(("JZ",), 4500)]),  # and its page a narrative, which is the caller's
        ("commercial", [((), 4500)]),  # the limits are Medicare's
    ],
)
def test_the_payer_says_how_the_further_lines_are_told(payer: str, wanted: list[tuple[tuple[str, ...], int]]) -> None:
    made = charged("J7193", "4500 IU", payer=payer)
    assert [(tuple(sorted(modifiers)), units) for modifiers, units in told(made)] == wanted
    assert not any(found.severity == "stop" for found in made.findings)


def test_at_the_limit_nothing_is_divided() -> None:
    assert told(charged("J7193", "4000 IU")) == [(("JZ",), 4000)]


def test_what_would_fill_a_claim_is_asked_about_and_not_divided() -> None:
    made = charged("J7193", "120000 IU")
    assert told(made) == [(("JZ",), 120000)]
    assert any(found.rule == "unit-limit" and "split them" in found.fix for found in made.findings)


def test_discarded_units_are_no_part_of_the_limit_of_the_administered_line() -> None:
    opened = {"container_amount": "1000 IU", "containers": 5, "discarded": "500 IU"}
    lines = charged("J7193", "4500 IU", **opened).lines
    wanted = [("J7193", (), 4000), ("J7193", ("76",), 500), ("J7193", ("JW",), 500)]
    assert [(line.code, line.modifiers, line.units) for line in lines if line.code == "J7193"] == wanted


@pytest.mark.parametrize("dose", [4001, 7777, 12000, 13333, 23999])
def test_units_amount_and_ndc_quantity_of_the_parts_are_those_of_the_dose(dose: int) -> None:
    opened = {"ndc": "68516-3601-02", "containers": 7, "form": "powder", "charge_amount": "10000.01"}
    lines = drug_lines(charged("J7193", f"{dose} IU", **opened))
    limit = POLICY.limit("J7193", ON, "professional")
    assert limit is not None
    assert sum(line.units for line in lines) == dose
    assert all(0 < line.units <= limit.units for line in lines)
    assert sum((line.charge_amount or Decimal(0)) for line in lines) == Decimal("10000.01")
    quantities = {line.ndc_quantity is None for line in lines}
    assert len(quantities) == 1
    if quantities == {False}:
        assert sum((line.ndc_quantity or Decimal(0)) for line in lines) == 7
        assert all((line.ndc_quantity or 0) > 0 for line in lines)
        assert all("E" not in str(line.ndc_quantity) and not str(line.ndc_quantity).endswith(".0") for line in lines)


# One IU above the limit is no whole thousandth of a container, nor a cent of what was charged.
def test_no_part_is_billed_with_nothing() -> None:
    opened = {"ndc": "68516-3601-02", "containers": 3, "form": "powder", "charge_amount": "30"}
    lines = drug_lines(charged("J7193", "4001 IU", **opened))
    assert [line.units for line in lines] == [4000, 1]
    assert [line.ndc_quantity for line in lines] == [Decimal("2.999"), Decimal("0.001")]
    assert [line.charge_amount for line in lines] == [Decimal("29.99"), Decimal("0.01")]


# A drug may be charged with a cent or with nothing, where the claim only has to say that it was given.
@pytest.mark.parametrize("amount", ["0.00", "0.01", "0.02", "0.03"])
@pytest.mark.parametrize("dose", [4001, 12000])
def test_no_part_of_a_small_charge_is_below_zero(amount: str, dose: int) -> None:
    lines = drug_lines(charged("J7193", f"{dose} IU", charge_amount=amount))
    charges = [line.charge_amount for line in lines if line.charge_amount is not None]
    assert len(charges) == len(lines) > 1
    assert min(charges) >= 0
    assert sum(charges) == Decimal(amount)


def test_no_limit_of_a_day_divides_a_line() -> None:
    of_days = {row.code for row in rows_of(Limit) if row.per != "line"}
    assert {"J0696", "J1885"} <= of_days
    made = charged("J1885", "300 mg", discarded="0 mg")
    assert told(made) == [(("JZ",), 20)]
