"""Combinations: their parts as they are written out, and one amount that may be the whole or a part."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest
from shipped import DRUGS, PRODUCTS, rows_of

import jcodeunits as jc
from jcodeunits import units
from jcodeunits.cli import main
from jcodeunits.dose import Dose
from jcodeunits.errors import DoseError, JcodeunitsError
from jcodeunits.facts.agreement import ratio
from jcodeunits.facts.drug_rows import CombinedDose
from jcodeunits.facts.product_rows import Product
from jcodeunits.quantity import ndc_quantity

with (Path(__file__).parent / "cases" / "combined.csv").open(encoding="utf-8", newline="") as lines:
    CASES = list(csv.DictReader(lines))
LISTED = rows_of(CombinedDose)


def _ids(case):
    return f"{case['drug']} {case['dose']}" if isinstance(case, dict) else str(case)


@pytest.mark.parametrize("case", CASES, ids=_ids)
def test_one_call(case):
    if case["expect"] == "ask":
        with pytest.raises(DoseError):
            jc.billing_units(case["drug"], case["dose"], on=case["on"], route=case["route"])
    else:
        assert str(jc.billing_units(case["drug"], case["dose"], on=case["on"], route=case["route"])) == case["expect"]


@pytest.mark.parametrize("case", CASES, ids=_ids)
def test_a_claim_says_the_same(case):
    given = {"drug": case["drug"], "dose": case["dose"], "route": case["route"], "container": "single-dose"}
    try:
        charge = jc.charge({"on": case["on"], "place": "11", "diagnoses": ["Z00.00"], "administrations": [given]})
    except DoseError:
        assert case["expect"] == "ask"
        return
    code = DRUGS.on("J1885", charge.encounter.on).code if case["drug"] == "ketorolac" else case["expect"][:5]
    found = {f"{line.code} x {line.units}" for line in charge.lines if line.code == code or case["expect"] == "ask"}
    if case["expect"] == "ask":
        assert not {line for line in found if line[0] == "J"}
        assert any(finding.severity == "stop" for finding in charge.findings)
    else:
        assert found == {case["expect"]}


@pytest.mark.parametrize("apart", [False, True], ids=["text", "unit apart"])
def test_a_batch_says_the_same(apart):
    rows = [{name: case[name] for name in ("drug", "dose", "on", "route")} for case in CASES]
    if apart:
        for row in rows:
            amount, _, unit = row["dose"].rpartition(" ")
            row |= (
                {"dose": amount, "unit": unit}
                if amount and " in " not in amount and "(" not in amount
                else {"unit": None}
            )
    made = jc.batch.bill(pa.Table.from_pylist(rows)).to_pylist()
    for case, row in zip(CASES, made, strict=True):
        said = f"{row['hcpcs']} x {row['units']}" if row["hcpcs"] else "ask"
        assert said == case["expect"], (case, row["reason"])


def test_one_amount_that_is_the_whole_of_one_dose_and_a_part_of_another_is_said():
    (said,) = [f for f in jc.billing_units("phesgo", "1200 mg", on="2026-08-15").findings if f.rule == "dose-of-parts"]
    assert said.severity == "warn"
    assert "1800 mg" in str(said)


@pytest.mark.parametrize("listed", LISTED, ids=lambda row: f"{row.code} {row}")
def test_the_written_parts_are_the_amount_that_the_code_counts(listed):
    """The sum is what CMS's list gives as the billing units of such a container, where it lists one."""
    row = DRUGS.on(listed.code, listed.effective)
    whole = Dose(listed.total(row.unit), row.unit)
    every = "/".join(f"{float(part.amount):g} {units.label(part.unit)}" for part in listed.parts)
    for written in dict.fromkeys((str(listed), every)):
        if "/" in written:
            assert jc.billing_units(listed.code, written, on=listed.effective).exact == ratio(row, whole)
    held = {item.amount * units.factor(item.unit, row.unit) for item in rows_of(Product) if row.code in item.codes}
    assert whole.amount in held or not held


def test_every_part_of_a_listed_dose_asks_or_counts_as_the_whole_where_only_wholes_are_given():
    for listed in LISTED:
        if listed.alone != "whole":
            continue
        row = DRUGS.on(listed.code, listed.effective)
        every = [one for one in LISTED if one.code == listed.code]
        totals = {one.total(row.unit) for one in every}
        for part in listed.adding:
            for times in (Fraction(1, 2), 1, 2):
                dose = Dose(part.amount * times, part.unit)
                if dose.amount in totals:
                    continue
                with pytest.raises(DoseError, match="together"):
                    jc.billing_units(listed.code, dose, on=listed.effective)


def test_an_ndc_line_asks_too():
    with pytest.raises(DoseError):
        ndc_quantity("50242-0260-01", "600 mg", on="2026-03-02")
    assert str(ndc_quantity("50242-0260-01", "600 mg/600 mg", on="2026-03-02")) == "ML10"
    assert PRODUCTS.find("50242-0260-01", jc.dated.as_date("2026-03-02"))[0].amount == 1200


def test_a_charge_of_a_chargemaster_that_is_a_part_is_not_judged():
    rows = [
        {"item": unit, "code": "J9316", "charge_unit": unit, "units_per_charge": count, "on": "2026-03-02"}
        for unit, count in (("600 mg", "60"), ("1800 mg", "180"))
    ]
    made = jc.audit.chargemaster(pa.Table.from_pylist(rows), on="2026-03-02").to_pylist()
    assert [row["expected_units_per_charge"] for row in made] == [None, "180"]


def test_the_sum_in_a_combined_dose_is_checked():
    with pytest.raises(JcodeunitsError, match=r"is not 3\.2 g"):
        Dose.of("3.2 g (2 g/1 g)")
    assert Dose.of("3 g (2 g/1 g)") == Dose.of("2 g/1 g")
    assert Dose.of("2 g/1 g") != Dose.of("1 g/2 g")


@pytest.fixture
def run(capsys, monkeypatch):
    """A command as typed: what it prints."""
    monkeypatch.setenv("COLUMNS", "120")

    def typed(*words):
        assert main(list(words)) == 0
        return capsys.readouterr().out

    return typed


@pytest.mark.parametrize("given", [("2 g", "ceftazidime"), ("2.5 g", "total"), ("2 g/0.5 g", None)])
def test_a_vial_that_is_listed_with_all_its_parts_is_used_up_by_the_dose_of_one(run, given):
    """A 2.5 g vial of Avycaz is 2 g of ceftazidime: one vial on the NDC line, nothing left over."""
    dose, basis = given
    one = {"drug": "J0714", "dose": dose, "route": "IV infusion", "basis": basis, "ndc": "00456-2700-10"}
    one |= {"container": "single-dose", "containers": 1}
    charge = jc.charge({"on": "2026-03-02", "place": "11", "diagnoses": ["N39.0"], "administrations": [one]})
    (line,) = [line for line in charge.lines if line.code == "J0714"]
    assert (line.units, line.modifiers, str(line.ndc_quantity)) == (4, ("JZ",), "1")
    words = ["--basis", basis] if basis else []
    assert "UN 1\n" in run("ndc", "00456-2700-10", "--dose", dose, *words, "--on", "2026-03-02")
    assert "nothing" in run("vials", "J0714", dose, *words, "--on", "2026-03-02")


def test_kits_that_are_listed_in_billing_units_are_sizes(run):
    assert "1 x 600 mg  nothing" in run("vials", "Cabenuva", "600 mg", "--basis", "cabotegravir", "--on", "2026-03-02")
    assert "2 x 320 mg  nothing" in run("vials", "Opdualag", "480 mg/160 mg", "--on", "2026-03-02")
