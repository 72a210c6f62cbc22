"""A charge table judged: each planted error found with its cause, nothing else called wrong.

Expected multipliers are arithmetic by hand from the descriptors: J1885 counts 15 mg, J0696 250 mg, J9035 10 mg,
J1010 1 mg (J1030 counted 40 mg until 2024-03-31), J2405 1 mg, J1050 1 mg.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import json
import re
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import planted_charges
import pyarrow as pa
import pytest
from shipped import DRUGS, REFERENCE

import jcodeunits as jc
from jcodeunits import cli
from jcodeunits.amount import decimal_text
from jcodeunits.audit import causes, chargemaster, chargemaster_file, described
from jcodeunits.errors import BatchError

ON = "2026-03-02"
DAY = dt.date.fromisoformat(ON)
KETOROLAC, ONDANSETRON, CEFTRIAXONE = "00409-3795-01", "00409-4755-03", "00409-7332-01"


def judged(*rows: dict[str, str]) -> list[dict[str, Any]]:
    names = sorted({name for row in rows for name in row} | {"item", "code", "units_per_charge", "charge_unit"})
    table = pa.table({name: pa.array([row.get(name, "1") for row in rows], pa.string()) for name in names})
    if "ndc" in names:
        table = table.set_column(names.index("ndc"), "ndc", pa.array([row.get("ndc") for row in rows], pa.string()))
    for blank in ("payer", "claim_type", "on", "volume", "ndc_qualifier", "ndc_quantity"):
        if blank in names:
            cells = pa.array([row.get(blank) for row in rows], pa.string())
            table = table.set_column(names.index(blank), blank, cells)
    return chargemaster(table, on=ON).to_pylist()


def row(code: str, units: str, unit: str, **more: str) -> dict[str, str]:
    return {"code": code, "units_per_charge": units, "charge_unit": unit, **more}


RIGHT = [
    row("J1885", "1", "15 mg"),
    row("J1885", "2", "30 mg"),
    row("J1885", "0.667", "10 mg"),
    row("J1885", "2", "1 mL", ndc=KETOROLAC, ndc_qualifier="ML", ndc_quantity="1"),
    row("J1885", "2", "1 vial", ndc=KETOROLAC, ndc_qualifier="ML", ndc_quantity="1"),
    row("J1885", "2", "each", ndc=KETOROLAC),
    row("J0696", "4", "1 g"),
    row("J0696", "4", "1 vial", ndc=CEFTRIAXONE, ndc_qualifier="UN", ndc_quantity="1"),
    row("J0696", "0.4", "100 mg"),
    row("J9035", "10", "100 mg"),
    row("J1010", "40", "40 mg"),
    row("J1030", "1", "40 mg", on="2024-03-31"),
    row("J2405", "2", "1 mL", ndc=ONDANSETRON),
    row("J7298", "1", "each"),
]


@pytest.mark.parametrize("cell", ["J1885-JZ", "HCPCS J1885", "J1885 59", "0636 J1885", "j1885 KETOROLAC 15 MG"])
def test_a_code_is_read_with_what_a_table_writes_around_it(cell: str) -> None:
    made = judged(row(cell, "2", "30 mg"), row(cell, "1", "30 mg"))
    assert [(one["verdict"], one["cause"], one["expected_code"]) for one in made] == [
        ("agrees", None, "J1885"),
        ("differs", "wrong-multiplier", "J1885"),
    ]


@pytest.mark.parametrize("one", RIGHT, ids=lambda one: "-".join(one.values()))
def test_a_right_row_is_left_alone(one: dict[str, str]) -> None:
    (made,) = judged(one)
    assert (made["verdict"], made["cause"]) == ("agrees", None), made
    assert made["expected_code"] == one["code"]
    assert made["citation"]


PLANTED = [
    # what stands in the table, its cause, the right code and multiplier
    (row("J1885", "20", "30 mg"), "multiplier-by-ten", "J1885", "2"),
    (row("J0696", "1", "1 g"), "wrong-multiplier", "J0696", "4"),
    (row("J1885", "1", "10 mg"), "rounded-multiplier", "J1885", "2/3"),
    (row("J1030", "1", "40 mg"), "dead-code", "J1010", "40"),
    (row("J1010", "1", "40 mg"), "old-multiplier", "J1010", "40"),
    (row("J0696", "2", "1 mL", ndc=KETOROLAC), "wrong-product", "J1885", "2"),
    (row("J1885", "2", "1 mL", ndc=KETOROLAC, ndc_qualifier="UN"), "ndc-qualifier", "J1885", "2"),
    (row("J1885", "2", "1 mL", ndc=KETOROLAC, ndc_quantity="30"), "ndc-quantity", "J1885", "2"),
    (row("J1885", "50", "1 vial", ndc=KETOROLAC), "package-for-container", "J1885", "2"),
    (row("J1885", "2", "15 mg", ndc=KETOROLAC), "waste-in-multiplier", "J1885", "1"),
    (row("J2405", "1", "2 mg", ndc=ONDANSETRON), "milligrams-for-millilitres", "J2405", "2"),
    (row("J9035", "10", "100 mg", ndc="55513-0206-01"), "brand-code", "Q5107", "10"),
    (row("C9254", "200", "200 mg", claim_type="professional"), "code-not-taken", "C9254", "200"),
    (row("J1885", "2", "30 mg", payer="medicaid"), "missing-ndc", "J1885", "2"),
]


@pytest.mark.parametrize(("one", "cause", "code", "per_charge"), PLANTED, ids=[cause for _, cause, _, _ in PLANTED])
def test_a_planted_error_is_found_with_its_cause(one: dict[str, str], cause: str, code: str, per_charge: str) -> None:
    (made,) = judged(one)
    assert made["verdict"] == "differs"
    assert made["cause"].split("|")[0] == cause
    assert (made["expected_code"], made["expected_units_per_charge"]) == (code, per_charge)
    assert cause in causes.DIFFERS


def test_all_rows_at_once_are_judged_as_each_alone() -> None:
    every = [*RIGHT, *(one for one, *_ in PLANTED)]
    together = judged(*every)
    assert [made["cause"] for made in together] == [judged(one)[0]["cause"] for one in every]


OPEN = [
    (row("J1885", "2", "1 mL"), "unit-mismatch"),
    (row("J1885", "two", "30 mg"), "unreadable-units"),
    (row("J1885", "2", "a bit"), "unreadable-dose"),
    (row("X9999", "2", "30 mg"), "not-a-drug"),
    (row("J3490", "1", "30 mg"), "no-unit"),
    (row("J1885", "2", "30 mg", ndc="99999-9999-99"), "product"),
    (row("J1885", "2", "30 mg", payer="nobody"), "setting"),
    (row("J1885", "2", "30 mg", on="yesterday"), "date-error"),
]


@pytest.mark.parametrize(("one", "cause"), OPEN, ids=[f"{one['code']}-{cause}" for one, cause in OPEN])
def test_what_cannot_be_judged_is_unjudged_never_wrong(one: dict[str, str], cause: str) -> None:
    (made,) = judged(one)
    assert (made["verdict"], made["cause"]) == ("unjudged", cause)
    assert cause in causes.UNJUDGED


def test_the_money_is_the_difference_at_the_payment_limit_for_the_volume() -> None:
    limit = REFERENCE.policy.fee("J0696", "payment-limit", ON)
    (made,) = judged(row("J0696", "1", "1 g", volume="1000"))
    assert abs(float(made["difference_amount"]) - float(-3000 * limit.amount)) <= 0.005
    (past,) = judged(row("J0696", "1", "1 g", volume="1000", on="2027-06-01"))
    assert past["difference_amount"] is None


@pytest.mark.parametrize(
    "drug",
    [drug for drug in REFERENCE.drugs.drugs if drug.size and drug.basis == "per" and drug.period.holds(DAY)][::40],
)
def test_one_billing_unit_a_charge_is_right_for_every_code(drug: Any) -> None:
    size = jc.Dose(drug.size, drug.unit)
    (made,) = judged(row(drug.code, "1", str(size)))
    assert made["cause"] in (None, "code-not-taken", "not-a-drug"), made
    (tenfold,) = judged(row(drug.code, "10", str(size)))
    assert tenfold["verdict"] == "differs"


def test_an_extract_with_other_names_is_read_and_a_missing_column_is_named() -> None:
    table = pa.table({"CDM Code": ["1"], "HCPCS Code": ["J1885"], "Multiplier": ["2"], "UOM": ["30 mg"]})
    assert chargemaster(table, on=ON)["verdict"].to_pylist() == ["agrees"]
    with pytest.raises(BatchError, match="charge_unit"):
        chargemaster(pa.table({"item": ["1"], "code": ["J1885"], "units_per_charge": ["2"]}), on=ON)
    with pytest.raises(BatchError, match="twice"):
        chargemaster(table.append_column("cpt", pa.array(["J1885"])), on=ON)


def test_the_command_judges_a_charge_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, out = tmp_path / "charges.csv", tmp_path / "judged.csv"
    given.write_text("item,code,units_per_charge,charge_unit\n1,J1885,2,30 mg\n2,J0696,1,1 g\n", "utf-8")
    status = cli.main(["audit", "--chargemaster", str(given), "-o", str(out), "--on", ON, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (status, said["lines"], said["agrees"], said["differs"]) == (1, 2, 1, 1)
    assert "wrong-multiplier" in out.read_text("utf-8")


@pytest.mark.parametrize("seed", [1, 2])
def test_each_error_planted_in_five_thousand_rows_is_found_with_its_cause_and_nothing_else_is(
    shared: Path, seed: int
) -> None:
    """Right multipliers are CMS's BILLUNITS; what is planted is told by a column that the audit passes through."""
    rows = planted_charges.Maker(shared, seed).table()
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in planted_charges.COLUMNS}
    judged = chargemaster(pa.table(columns), on=planted_charges.DAY).to_pylist()
    short = ("code", "ndc", "charge_unit", "units_per_charge", "right", "planted", "cause", "expected_units_per_charge")
    called_wrong = [row for row in judged if not row["planted"] and row["verdict"] == "differs"]
    missed = [row for row in judged if row["planted"] and row["verdict"] == "agrees"]
    otherwise = [
        row
        for row in judged
        if row["planted"] and row["verdict"] == "differs" and row["cause"].partition("|")[0] != row["planted"]
    ]
    for found in (called_wrong, missed, otherwise):
        assert not found, [[row[name] for name in short] for row in found[:5]]
    for row in judged:
        if row["verdict"] != "unjudged":
            assert Fraction(row["right"]) == Fraction(row["expected_units_per_charge"]), row
            assert row["expected_code"] == row["right_code"] or not row["right_code"], row
    # What cannot be judged (a container of which our tables prove no amount) is a small part, and said.
    assert sum(row["verdict"] == "unjudged" for row in judged) < len(judged) / 100


def test_the_code_and_units_after_the_day_are_told_for_each_change() -> None:
    """J1030 (40 mg) ended on 2024-03-31 and J1010 (1 mg) came; J2310 (1 mg) ended on 2025-06-30, J2312 counts 0.01 mg.

    Both days are CMS's (HCPCS file of July 2026).
    """
    old, naloxone, today = judged(
        row("J1030", "1", "40 mg", on="2024-03-31"),
        row("J2310", "0.4", "0.4 mg", on="2025-01-01"),
        row("J1885", "2", "30 mg", on=ON),
    )
    assert old["expected_later"] == "2024-04-01 J1010 x 40"
    assert naloxone["expected_later"] == "2025-07-01 J2312 x 40"
    assert today["expected_later"] is None


def test_a_code_for_drugs_without_one_that_describes_a_drug_with_one_is_a_wrong_code() -> None:
    """Lacosamide has C9254 on a hospital's claim only; ketorolac has J1885 everywhere."""
    hospital, office, plain, other = judged(
        row("J3490", "1", "200 mg", description="lacosamide", claim_type="outpatient"),
        row("J3490", "1", "200 mg", description="lacosamide", claim_type="professional"),
        row("J3490", "1", "30 mg", description="ketorolac", claim_type="professional"),
        row("J3490", "1", "30 mg", description="house blend", claim_type="professional"),
    )
    assert (hospital["cause"], hospital["expected_code"], hospital["expected_units_per_charge"]) == (
        "wrong-code",
        "C9254",
        "200",
    )
    assert (plain["cause"], plain["expected_code"], plain["expected_units_per_charge"]) == ("wrong-code", "J1885", "2")
    assert [r["verdict"] for r in (office, other)] == ["unjudged", "unjudged"]


# --- the report and the sample --------------------------------------------------------------------------

WRONG = [row("J1885", str(20 + n), "30 mg", volume="100") for n in range(9)] + [
    row("J1030", "1", "40 mg", volume="5"),
    row("J0696", "4", "1 g", volume="5"),
]


def _file(folder: Path, rows: list[dict[str, str]]) -> Path:
    names = ("item", "code", "units_per_charge", "charge_unit", "volume")
    lines = [",".join(row.get(name) or str(n) for name in names) for n, row in enumerate(rows)]
    path = folder / "charges.csv"
    path.write_text("\n".join([",".join(names), *lines]) + "\n", "utf-8")
    return path


def test_a_report_is_a_page_that_stands_alone(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    status = cli.main(
        ["audit", "--chargemaster", str(_file(tmp_path, WRONG)), "--on", ON, "--report", str(page), "--quiet"]
    )
    html = page.read_text("utf-8")
    assert status == 1
    assert html.startswith("<!doctype html>")
    assert "color-scheme:light dark" in html
    assert "multiplier-by-ten" in html
    assert "<svg" in html
    assert not re.search(r'(?:src|href)="(?!#)', html)  # nothing is fetched
    assert "<script" not in html


def test_the_dearest_cause_stands_first_and_a_dead_code_has_no_zero(tmp_path: Path) -> None:
    page = tmp_path / "report.md"
    made = chargemaster_file(_file(tmp_path, WRONG), on=ON, page=page)
    assert [cause.name for cause in made.by_cause][-1] == "dead-code"
    amounts = [abs(cause.amount or 0) for cause in made.by_cause]
    assert amounts == sorted(amounts, reverse=True)
    (dead,) = [line for line in page.read_text("utf-8").splitlines() if "dead-code" in line]
    assert "+0" not in dead


def test_a_sample_is_the_same_for_the_same_rows_in_any_order(tmp_path: Path) -> None:
    """At most two of each cause; which ones is told by what is in the rows."""
    rows = [{"volume": "5", **one, "item": f"i{n}"} for n, one in enumerate(WRONG)]
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    chargemaster_file(_file(tmp_path, rows), first, on=ON, sample=2)
    chargemaster_file(_file(tmp_path, rows[::-1]), second, on=ON, sample=2)
    drawn = [sorted(path.read_text("utf-8").splitlines()) for path in (first, second)]
    assert drawn[0] == drawn[1]
    causes_drawn = [line["cause"].partition("|")[0] for line in csv.DictReader(first.open(encoding="utf-8"))]
    assert all(causes_drawn.count(cause) <= 2 for cause in causes_drawn)
    assert {"dead-code"} < set(causes_drawn)


@pytest.mark.parametrize("name", ["report.pdf", "report"])
def test_a_report_of_another_kind_is_refused_before_anything_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(BatchError, match=r"\.html or \.md"):
        chargemaster_file(tmp_path / "missing.csv", on=ON, page=tmp_path / name)


def test_a_report_is_not_written_over_what_is_read(tmp_path: Path) -> None:
    charges = _file(tmp_path, WRONG)
    page = tmp_path / "report.html"
    page.symlink_to(charges)
    with pytest.raises(BatchError, match="is the file that is read"):
        chargemaster_file(charges, on=ON, page=page)


def test_a_sample_of_less_than_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="sample"):
        chargemaster_file(_file(tmp_path, WRONG), on=ON, sample=-1)


# What one charge is, as charge tables say it; ketorolac 00409-3795-01: a vial of 30 mg in 1 mL, so 2 units of J1885.
@pytest.mark.parametrize(
    ("said", "units"),
    [
        ("1 vial", "2"),
        ("Vial", "2"),
        ("VIAL(S)", "2"),
        ("1VIAL", "2"),
        ("SDV", "2"),
        ("per vial", "2"),
        ("each vial", "2"),
        ("EACH", "2"),
        ("2 vials", "4"),
        ("30 mg vial", "2"),
        ("1 mL vial", "2"),
        ("per 15 mg", "1"),
        ("PER ML", "2"),
        ("60 mg vial", None),  # not this product's
        ("1 syringe", None),
        ("PFS", None),
        ("package", None),  # of 25 vials
        ("dose", None),
        ("1", None),
    ],
)
def test_what_one_charge_is_is_read_as_charge_tables_say_it(said: str, units: str | None) -> None:
    charge = {"item": "1", "code": "J1885", "units_per_charge": "2", "charge_unit": said, "ndc": "00409-3795-01"}
    (row,) = chargemaster(pa.table({name: [cell] for name, cell in charge.items()}), on=ON).to_pylist()
    assert row["expected_units_per_charge"] == units
    assert (row["verdict"] == "unjudged") == (units is None)


@pytest.mark.parametrize("said", ["1 dose", "treatment", "1 package", "tablet"])
def test_a_dose_or_a_package_is_no_container_also_where_the_shape_is_not_known(said: str) -> None:
    # Botox 00023-1145-01: 100 units in a container whose shape is not listed.
    charge = {"item": "1", "code": "J0585", "units_per_charge": "100", "charge_unit": said, "ndc": "00023-1145-01"}
    (row,) = chargemaster(pa.table({name: [cell] for name, cell in charge.items()}), on=ON).to_pylist()
    assert (row["verdict"], row["cause"]) == ("unjudged", "unit-mismatch")


def test_counts_may_be_written_with_their_thousands_parted() -> None:
    # Botox: one unit of J0585 each; 1,000 units too many at the limit of the day, 1,200 times a year.
    charge = {
        "item": "1",
        "code": "J0585",
        "units_per_charge": "2,000",
        "charge_unit": "1,000 units",
        "volume": "1,200",
    }
    plain = {**charge, "units_per_charge": "2000", "charge_unit": "1000 units", "volume": "1200"}
    tables = [pa.table({name: [cell] for name, cell in row.items()}) for row in (charge, plain)]
    (made,), (other,) = (
        chargemaster(table, on=ON).select(["verdict", "difference_amount"]).to_pylist() for table in tables
    )
    assert made == other
    assert (made["verdict"], made["difference_amount"] > 0) == ("differs", True)
    for volume in ("-5", "1,20", "many"):  # what the volume is nobody knows: no dollars
        (row,) = chargemaster(
            pa.table({name: [cell] for name, cell in {**plain, "volume": volume}.items()}), on=ON
        ).to_pylist()
        assert (row["verdict"], row["difference_amount"]) == ("differs", None)


@pytest.mark.parametrize(
    ("code", "units", "said", "description", "verdict", "expected"),
    [
        # the description's concentration: 4 mg in 2 mL is 4 x 1 mg; 30 mg in 1 mL is 2 x 15 mg; 1 % is 10 mg in 1 mL
        ("J2405", "4", "2 mL", "ONDANSETRON 4MG/2ML", "agrees", "4"),
        ("J2405", "2", "2 mL", "ONDANSETRON 4MG/2ML", "differs", "4"),
        ("J1885", "2", "1 mL", "KETOROLAC 30 MG/ML INJ 1 ML VIAL", "agrees", "2"),
        ("J1644", "5", "1 mL", "HEPARIN 5000 UNITS/ML 10ML VIAL", "agrees", "5"),
        ("J2003", "100", "10 mL", "LIDOCAINE 1% 10 ML", "agrees", "100"),
        ("J2405", "4", "2 mL", "ONDANSETRON", "unjudged", None),
        ("J2405", "4", "2 mL", "KETOROLAC 30 MG/ML", "unjudged", None),  # of another drug
        ("J2405", "4", "1 EA", "ONDANSETRON 4MG/2ML", "unjudged", None),  # what one is nobody says
    ],
)
def test_a_volume_is_the_amount_that_the_description_of_the_codes_drug_tells(
    code: str, units: str, said: str, description: str, verdict: str, expected: str | None
) -> None:
    charge = {"item": "1", "code": code, "units_per_charge": units, "charge_unit": said, "description": description}
    (row,) = chargemaster(pa.table({name: [cell] for name, cell in charge.items()}), on=ON).to_pylist()
    assert (row["verdict"], row["expected_units_per_charge"]) == (verdict, expected)


@pytest.mark.parametrize(
    ("code", "said", "description", "right"),
    [
        ("J0696", "1 vial", "CEFTRIAXONE 1 G VIAL", "4"),
        ("J0696", "2 vials", "CEFTRIAXONE 500 MG VL", "4"),
        ("J0696", "EA", "CEFTRIAXONE 1 G VIAL", "4"),
        ("J1885", "each", "KETOROLAC 30MG/ML 2 ML VIAL", "4"),
        ("J2405", "1 vial", "ONDANSETRON 4 MG/2 ML VIAL", "4"),
        ("J2270", "each", "MORPHINE 10 MG SYRINGE", "1"),
        ("J1644", "1 vial", "HEPARIN 5,000 UNITS/ML 10 ML VIAL", "50"),
        ("J2003", "each", "LIDOCAINE 1% 20 ML VIAL", "200"),
        # In another order, with all of the volume, or with both and the amount.
        ("J1885", "each", "KETOROLAC 30MG/ML VIAL 1 ML", "2"),
        ("J1885", "EA", "KETOROLAC 30MG/ML INJ 1ML", "2"),
        ("J1885", "VL", "KETOROLAC 30MG SDV", "2"),
        ("J0696", "each", "CEFTRIAXONE VIAL 1 G", "4"),
        ("J9035", "each", "BEVACIZUMAB 25MG/ML 4ML (100MG) VIAL", "10"),
        # Codes that count the volume, and a name that the code tells from another of its name.
        ("J7120", "each", "LACTATED RINGERS 1000ML", "1"),
        ("J7030", "each", "NS 0.9% 1000ML", "1"),
        ("J7050", "1 bag", "SODIUM CHLORIDE 0.9% 1000ML BAG", "4"),
        ("J2919", "each", "METHYLPREDNISOLONE 40MG VIAL", "8"),
        # Nothing says how much one charge holds.
        ("J1885", "each", "KETOROLAC 30MG/ML 1ML X 25", None),
        ("J1885", "each", "KETOROLAC 30MG/ML 1ML 25'S", None),
        ("J1885", "each", "KETOROLAC 30MG/ML 25X1ML", None),
        ("J9035", "each", "BEVACIZUMAB 25MG/ML 4ML (400MG) VIAL", None),
        ("J9035", "each", "BEVACIZUMAB 100MG/4ML", None),
        ("J0696", "each", "CEFTRIAXONE", None),
        ("J0696", "each", "CEFTRIAXONE 1 G", None),
        ("J0696", "1 bag", "CEFTRIAXONE 1 G VIAL", None),
        ("J0696", "each", "CEFTRIAXONE 1 G VIAL 10 PACK", None),
        ("J2270", "each", "MORPHINE 10 MG/ML VIAL", None),
        ("J1745", "each", "INFLIXIMAB 100 MG VIAL 10 MG/ML", None),
        ("J0696", "1 vial", "CEFAZOLIN 1 G VIAL", None),
        ("J0696", "1 vial", "HOUSE STOCK 1 G VIAL", None),
    ],
)
def test_a_container_holds_what_the_description_of_the_codes_drug_says(
    code: str, said: str, description: str, right: str | None
) -> None:
    units = right or "4"
    found, wrong = judged(
        row(code, units, said, description=description), row(code, "7", said, description=description)
    )
    assert (found["verdict"], found["expected_units_per_charge"]) == ("agrees" if right else "unjudged", right)
    assert wrong["verdict"] == ("differs" if right else "unjudged")


@pytest.mark.parametrize(
    ("code", "description", "cause"),
    [
        ("J2405", "KETOROLAC 30 MG", "description"),
        ("J2405", "ONDANSETRON 30 MG", None),
        ("J2405", "ZOFRAN 30 MG", None),
        ("Q5107", "BEVACIZUMAB 30 MG", None),  # the ingredient of a biosimilar names it too
        ("J2405", "ANTIEMETIC, HOSPITAL STOCK", None),  # which names no drug that is known
        # A salt, and what many drugs are called, make no two drugs one.
        ("J2405", "PROMETHAZINE HYDROCHLORIDE 25 MG", "description"),
        ("J0696", "CEFAZOLIN SODIUM 1 G", "description"),
        ("J0696", "CEFTRIAXONE SODIUM 1 G", None),
        ("J0612", "CALCIUM CHLORIDE 10%", "description"),
        ("J0612", "CALCIUM GLUCONATE 10%", None),
        ("J1756", "IRON DEXTRAN", "description"),
        # A brand with a code of its own, or one of the reference product's under a biosimilar's code.
        ("J9035", "MVASI 400 MG", "description"),
        ("Q5107", "AVASTIN 400 MG", "description"),
        ("Q5107", "MVASI 400 MG", None),
        ("J9035", "AVASTIN 400 MG", None),
        ("J3301", "TRIESENCE 40 MG/ML", "description"),
        ("J3301", "KENALOG-40", None),
        # A drug that has no code of its own, and a name that fits several codes of another drug.
        ("J3010", "SUFENTANIL CITRATE", "description"),
        ("J2405", "ROCURONIUM 10 MG/ML", "description"),
        ("J2405", "PENICILLIN G", "description"),
        ("J0561", "PENICILLIN G", None),
        # A tablet, drops or a syrup of what the code has injected, and what is injected of an oral drug.
        ("J2405", "ONDANSETRON 4 MG TAB", "description"),
        ("J2405", "ONDANSETRON ODT 4 MG", "description"),
        ("J2405", "KETOROLAC 0.5% OPHTH SOLN", "description"),
        ("J2250", "MIDAZOLAM 2 MG/ML ORAL SYRUP", "description"),
        ("J8540", "DEXAMETHASONE 4 MG/ML INJ", "description"),
        ("J8540", "DEXAMETHASONE 4 MG TABLET", None),
        ("J7613", "ALBUTEROL 2.5 MG/3 ML NEB SOLN", None),
        ("J2405", "ONDANSETRON 4 MG/2 ML IV", None),
        # A text that is not read, with one word that is a drug's.
        ("J2405", "HC KETOROLAC PER UNIT", "description"),
        ("J2405", "HC ZOFRAN PER UNIT", None),
        ("J2405", "HC ONDANSETRON PER UNIT IN KETOROLAC TRAY", None),
        ("Q4201", "ALLOGRAFT PLACENTAL MATRIX", None),
    ],
)
def test_a_description_of_another_drug_leaves_the_row_unjudged(code: str, description: str, cause: str | None) -> None:
    (made,) = judged(one_unit(code, description=description))
    assert (made["cause"], made["verdict"]) == (cause, "unjudged" if cause else "agrees")


@pytest.mark.parametrize(
    ("code", "units", "said", "verdict", "expected"),
    [
        # Buprenorphine: up to 100 mg and above (Q9991, Q9992), weekly and monthly sizes (J0577, J0578), one unit each.
        ("Q9991", "1", "100 mg", "agrees", ("Q9991", "1")),
        ("Q9992", "300", "300 mg", "differs", ("Q9992", "1")),
        ("Q9991", "1", "300 mg", "differs", ("Q9992", "1")),
        ("J0577", "1", "96 mg", "differs", ("J0578", "1")),
        ("J0578", "1", "96 mg", "agrees", ("J0578", "1")),
        ("J1560", "1", "12 mL", "agrees", ("J1560", "1")),
        ("J1460", "12", "12 mL", "differs", ("J1560", "1")),
        ("Q9991", "1", "1 mg", "unjudged", ("Q9991", None)),  # of which 100 mg would make 100 units
    ],
)
def test_a_band_is_one_unit_for_a_whole_dose_and_holds_no_other(
    code: str, units: str, said: str, verdict: str, expected: tuple[str, str | None]
) -> None:
    (made,) = judged(row(code, units, said))
    assert (made["verdict"], made["expected_code"], made["expected_units_per_charge"]) == (verdict, *expected)
    assert (made["cause"] or "").startswith("wrong-band") == (expected[0] != code)


@pytest.mark.parametrize("said", ["1 mg", "300 mg", "1 mL", "1000 units", "each"])
def test_a_row_of_any_code_is_judged(said: str) -> None:
    codes = sorted({drug.code for drug in DRUGS.drugs})
    made = judged(*(row(code, "7", said, description=f"{code} 40 MG/2 ML VIAL") for code in codes))
    assert {one["verdict"] for one in made} >= {"differs", "unjudged"}


@pytest.mark.parametrize(
    ("charge", "below"),
    [
        # J1885: the payment limit of 2026 Q1 is $0.333 for 15 mg, of J9035 $73.632 for 10 mg (CMS's file).
        (row("J1885", "2", "30 mg", price="0.50"), "0.17"),
        (row("J1885", "2", "30 mg", price="$0.50", payer="medicare"), "0.17"),
        (row("J1885", "2", "30 mg", price="0.67"), None),
        (row("J9035", "10", "100 mg", price="70.03"), "666.29"),  # the price of one unit beside a charge of ten
        (row("J9035", "10", "100 mg", price="1,000"), None),
        (row("J9035", "1", "100 mg", price="70.03"), "666.29"),  # by the units that one charge should make
        (row("J1885", "2", "30 mg", price="0.50", payer="commercial"), None),
        (row("J1885", "2", "30 mg", price="0.50", claim_type="outpatient"), None),
        (row("J1885", "2", "30 mg", price="0.50", on="2026-04-01"), None),  # no limit of the day is known
        (row("J1885", "2", "30 mg", price="low"), None),
        (row("J1030", "1", "40 mg", price="0.01"), None),  # J1010 is another code
    ],
)
def test_a_price_below_what_medicare_pays_for_the_units_of_a_charge_is_told(
    charge: dict[str, str], below: str | None
) -> None:
    (made,) = judged(charge)
    assert made["price_below_limit"] == (None if below is None else Decimal(below))
    (bare,) = judged({name: cell for name, cell in charge.items() if name != "price"})
    assert (made["verdict"], made["cause"]) == (bare["verdict"], bare["cause"])


def test_a_summary_counts_low_prices() -> None:
    made = chargemaster(pa.Table.from_pylist([{"item": "1", **row("J1885", "2", "30 mg", price="0.5")}] * 3), on=ON)
    assert "price is below Medicare's payment limit, column price_below_limit: 3" in str(jc.audit.report(made))
    assert "price" not in str(jc.audit.report(made.drop_columns(["price_below_limit"])))


def one_unit(code: str, **more: str) -> dict[str, str]:
    """A right charge of one billing unit."""
    of = DRUGS.on(code, DAY)
    return row(code, "1", f"{decimal_text(of.size)} {of.unit}", **more)


def test_no_ingredient_names_another_drug_than_its_code_and_one_of_the_same_salt_does() -> None:
    live = [
        drug for drug in DRUGS.drugs if drug.period.holds(DAY) and drug.size and not (drug.refuses or drug.components)
    ]
    assert not [
        one
        for one in judged(*(one_unit(drug.code, description=drug.ingredient) for drug in live))
        if one["cause"] == "description"
    ]
    salts = defaultdict(dict)
    for drug in live:
        first, *rest = drug.ingredient.split()
        if len(rest) == 1 and rest[0] in DRUGS.salt_words and first not in DRUGS.salt_words:
            salts[rest[0]].setdefault(first, drug)
    pairs = [pair for alike in salts.values() for pair in itertools.pairwise(alike.values())]
    made = judged(*(one_unit(drug.code, description=other.ingredient) for drug, other in pairs))
    assert len(pairs) > 150
    wrong = [(one["code"], one["description"]) for one in made if "description" not in (one["cause"] or "")]
    assert wrong == []


def test_a_description_without_end_is_not_read() -> None:
    kept = described._told.cache_info().currsize
    (made,) = judged(one_unit("J2405", description="KETOROLAC " * 100_000))
    assert (made["verdict"], described._told.cache_info().currsize) == ("agrees", kept)


def test_a_dead_code_of_several_successors_differs_and_its_description_chooses() -> None:
    # J0171 ended on 2025-06-30; J0165 is for every maker without a code of its own.
    charge = {"item": "1", "code": "J0171", "units_per_charge": "10", "charge_unit": "1 mg"}
    for description, expected in ("", None), ("EPINEPHRINE 1 MG/ML", "J0165"), ("KETOROLAC", None):
        table = pa.table({name: [cell] for name, cell in {**charge, "description": description}.items()})
        (row,) = chargemaster(table, on=ON).to_pylist()
        assert (row["verdict"], row["cause"], row["expected_code"]) == ("differs", "dead-code", expected)
