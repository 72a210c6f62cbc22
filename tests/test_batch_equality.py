"""Bulk and one call at a time give the same drug lines, refusals included, on randomly made rows."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import re
from decimal import Decimal
from typing import Any

import attrs
import bulk_rows
import pyarrow as pa
import pytest
from shipped import DRUGS, REFERENCE

import jcodeunits as jc
from jcodeunits import convert, routes, spark, vials
from jcodeunits.amount import decimal_text
from jcodeunits.batch.record import amount_text
from jcodeunits.coding.drug_lines import drug_lines
from jcodeunits.dated import as_date
from jcodeunits.errors import JcodeunitsError
from jcodeunits.recipes import lines as recipe

PLAIN = ("hcpcs", "units", "status", "reason")
BILLED = ("hcpcs", "units", "modifier", "waste_units", "ndc11", "ndc_qualifier", "ndc_quantity")


def one_call(row: dict[str, Any]) -> tuple[Any, ...]:
    """The row by `billing_units`, or the kind of its refusal."""
    try:
        on = as_date(row["on"])
        unit = row["unit"]
        dose = jc.Dose.of(row["dose"], unit) if unit and unit.strip() else jc.Dose.of(row["dose"])
        made = jc.billing_units(row["drug"], dose, on)
    except JcodeunitsError as error:
        return None, None, "refused", type(error).__name__
    if made.count > 2**63 - 1:
        return None, None, "refused", "UnreadableDose"  # more than the column holds
    return made.code, made.count, "billed", None


def kind(reason: str | None) -> str | None:
    return reason.partition(":")[0] if reason else None


@pytest.mark.parametrize("seed", range(1))
def test_rows_of_every_kind_equal_billing_units(seed: int) -> None:
    rows = bulk_rows.simple(5_000, seed)
    table = pa.Table.from_pylist(rows)
    made = jc.batch.bill(table, outputs=PLAIN)
    assert made.num_rows == len(rows)
    assert made.select(table.column_names).equals(table)
    for row, got in zip(rows, made.select(PLAIN).to_pylist(), strict=True):
        answer = (got["hcpcs"], got["units"], got["status"], kind(got["reason"]))
        assert answer == one_call(row), row


def test_every_limit_of_a_code_holds_as_for_one_call() -> None:
    rows = []
    for row in (row for row in DRUGS.drugs if row.above is not None or row.through is not None):
        sizes = [(limit, row.unit) for limit in (row.above, row.through) if limit is not None]
        for amount, unit in (*sizes, *row.equivalents):
            for dose in (amount / 2, amount, amount + 1, amount * 3):
                rows.append({"drug": row.code, "dose": decimal_text(dose), "unit": unit, "on": "2026-03-02"})
    made = jc.batch.bill(pa.Table.from_pylist(rows), outputs=PLAIN).to_pylist()
    answers = [(got["hcpcs"], got["units"], got["status"], kind(got["reason"])) for got in made]
    assert answers == [one_call(row) for row in rows]
    assert {"billed", "refused"} == {row["status"] for row in made}


def encounter(row: dict[str, Any]) -> dict[str, Any]:
    """The row as `charge` reads it: a bare amount is in the dose's unit."""
    given: dict[str, Any] = {"drug": row["drug"], "dose": f"{row['dose']} {row['unit']}", "route": row["route"]}
    given |= {key: row[key] for key in ("ndc", "container") if row[key]}
    if row["containers"] is not None:
        given["containers"] = row["containers"]
    for key in ("container_amount", "discarded"):
        if row[key]:
            given[key] = amount_text(row[key], row["unit"])
    made = {"on": row["on"], "place": row["place"], "administrations": [given]}
    return made | {key: row[key] for key in ("payer", "claim") if row[key]}


def charged(row: dict[str, Any], findings: bool = False) -> tuple[Any, ...]:
    """The row's drug lines by `charge`, with what is found about them where asked; a refused row has none."""
    try:
        made = jc.charge(encounter(row))
    except JcodeunitsError:
        return ("refused",)
    lines = [line for line in made.lines if line.kind == "drug"]
    if not lines:
        return ("refused",)
    assert len({line.administration for line in lines}) == 1
    line, parts = lines[0], [one.ndc_quantity for one in lines if one.ndc_quantity is not None]
    waste = sum(other.units for other in made.lines if other.kind == "waste")
    modifiers = "|".join(line.modifiers) or None
    # A limit of the line may divide a dose over lines of the claim; a row of a batch holds the whole of it.
    units, quantity = sum(one.units for one in lines), sum(parts) if parts else None
    answer = ("billed", line.code, units, modifiers, waste, line.ndc, line.ndc_qualifier, quantity)
    return (*answer, found(made)) if findings else answer


def found(made: jc.Charge) -> str | None:
    """The ids of what is said of the drug, and of what stands on its lines; the claim's own findings are none of them."""
    said = {finding.rule for finding in drug_lines(made.encounter, REFERENCE)[0].findings}
    numbers = {n for n, line in enumerate(made.lines, 1) if line.kind in ("drug", "waste")}
    said |= {finding.rule for finding in made.findings if finding.line in numbers}
    return "|".join(sorted(said - {"diagnosis-missing"})) or None


def as_table(rows: list[dict[str, Any]]) -> Any:
    kinds = {"containers": pa.int64()}
    return pa.table({name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in rows[0]})


@pytest.mark.parametrize("seed", range(1))
def test_rows_with_containers_places_and_payers_equal_charge(seed: int) -> None:
    rows = [row for row in bulk_rows.detailed(2_000, 100 + seed) if row["route"] and row["place"]]
    made = jc.batch.bill(as_table(rows))
    billed = 0
    for row, got in zip(rows, made.to_pylist(), strict=True):
        answer = ("billed", *(got[name] for name in (*BILLED, "findings")))
        assert (answer if got["status"] == "billed" else ("refused",)) == charged(row, findings=True), row
        assert (got["reason"] is None) == (got["status"] == "billed")
        billed += got["status"] == "billed"
    assert billed > len(rows) // 2


# Each of these may be another mistake of a row; of two mistakes either may be told.
MENDED: list[dict[str, Any]] = [
    {"place": "11"},
    {"payer": None},
    {"claim": None},
    {"containers": None},
    {"container": None},
]


def is_said(reason: str, row: dict[str, Any]) -> bool:
    """Whether a refusal's words are those of `charge` for the row, perhaps without its other mistakes."""
    text = bare(reason.partition(": ")[2], row)
    mended = (itertools.combinations(MENDED, count) for count in range(len(MENDED) + 1))
    return any(text in words(dict(collections.ChainMap(*some, row))) for some in itertools.chain(*mended))


def words(row: dict[str, Any]) -> set[str]:
    """What `charge` and `billing_units` say of a row without a line."""
    said = set()
    try:
        made = jc.charge(encounter(row))
    except JcodeunitsError as error:
        said.add(error.message)
    else:
        for finding in (*made.findings, *drug_lines(made.encounter, REFERENCE)[0].findings):
            says = finding.says.partition(" (Denial reason ")[0]
            said |= {says, finding.fix, f"{says} {finding.fix}"}
    for ask in (
        lambda: jc.billing_units(row["drug"], jc.Dose.of(row["dose"], row["unit"]), row["on"], row["route"]),
        lambda: routes.canonical(row["route"]),
    ):
        try:
            ask()
        except JcodeunitsError as error:
            said.add(error.message)
    return {bare(text, row) for text in said}


def bare(text: str, row: dict[str, Any]) -> str:
    """The words of a refusal without the place in an encounter, the row's date, and the units of its dose."""
    for place in ("administrations[0].", "administrations[0]: ", "on: "):
        text = text.removeprefix(place)
    text = text.replace(f" on {row['on']} ", " ").replace(f" on {row['on']}", "").removesuffix(".")
    return re.split(r": [0-9.,]+ [^:]+ is [0-9,]+ unit", text)[0]


def check_meeting(rows: list[dict[str, Any]]) -> None:
    """Each row equals `charge`, its refusal says the words of `charge`, and the table in reverse is the same."""
    made = jc.batch.bill(as_table(rows))
    backward = jc.batch.bill(as_table(rows[::-1])).to_pylist()[::-1]
    for row, got, again in zip(rows, made.to_pylist(), backward, strict=True):
        assert got == again, row
        if got["status"] == "billed":
            assert ("billed", *(got[name] for name in (*BILLED, "findings"))) == charged(row, findings=True), row
        else:
            assert charged(row) == ("refused",), row
            assert is_said(got["reason"], row), (got["reason"], row)


def test_rows_in_which_errors_and_good_rows_meet_equal_charge() -> None:
    rows = bulk_rows.meeting(1_000, 0)
    check_meeting(rows)
    statuses = jc.batch.bill(as_table(rows))["status"].to_pylist()
    assert len(rows) // 4 < statuses.count("billed") < len(rows) * 3 // 4


def test_one_coefficient_serves_one_call_and_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"drug": "J0696", "dose": "1", "unit": "g", "on": "2026-03-02"}
    line = {"claim": "1", "line": "1", "code": "J0696", "units": "4", "modifiers": None} | row

    def units() -> list[Any]:
        given = {"drug": "J0696", "dose": "1 g", "route": "IM"}
        one = jc.charge({"on": row["on"], "place": "11", "administrations": [given]})
        batches = pa.Table.from_pylist([row]).to_batches()
        return [
            next(made.units for made in one.lines if made.code == "J0696"),
            jc.batch.bill(pa.Table.from_pylist([row]))["units"][0].as_py(),
            next(iter(spark.billed(batches)))["units"][0].as_py(),
            jc.audit.judge(pa.Table.from_pylist([line]))["expected_units"][0].as_py(),
        ]

    assert units() == [4] * 4
    measured = convert.measured
    monkeypatch.setattr(convert, "measured", lambda *said: attrs.evolve(made := measured(*said), ratio=made.ratio * 3))
    assert units() == [12] * 4


@pytest.mark.parametrize(
    "outcome", [vials.Outcome("multi-dose-waste"), vials.Outcome(modifier="JZ"), vials.Outcome(jw=True)]
)
def test_one_decision_about_waste_serves_one_call_and_all_rows(
    outcome: vials.Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What 77 mg of 100 mg with 23 mg discarded comes to is asked in one place.
    row = {"drug": "J9035", "dose": "77", "unit": "mg", "on": "2026-03-02", "route": "IV infusion", "place": "11"}
    row |= {"container": "single-dose", "containers": "1", "container_amount": "100 mg", "discarded": "23 mg"}
    row |= {"ndc": None, "payer": None, "claim": None}
    monkeypatch.setattr(vials, "judge", lambda *_: outcome)
    monkeypatch.setattr(recipe, "judge", lambda *_: outcome)
    (got,) = jc.batch.bill(as_table([row | {"containers": 1}])).to_pylist()
    assert ("billed", *(got[name] for name in (*BILLED, "findings"))) == charged(row | {"containers": 1}, findings=True)
    assert (got["modifier"] == "JZ") == (outcome.modifier == "JZ")
    assert got["waste_units"] == (2 if outcome.jw else 0)


@pytest.mark.parametrize("rows_at_a_time", [1, 7, 64, 1000])
def test_batches_of_any_size_give_the_same_rows_in_the_same_order(rows_at_a_time: int) -> None:
    table = as_table(bulk_rows.detailed(min(400, 100 * rows_at_a_time), 7))
    whole = jc.batch.bill(table)
    parts = [jc.batch.bill(table.slice(n, rows_at_a_time)) for n in range(0, table.num_rows, rows_at_a_time)]
    assert pa.concat_tables(parts).to_pylist() == whole.to_pylist()


def many(row: dict[str, Any], count: int = 60) -> list[dict[str, Any]]:
    """The same kind of row again and again, on other days and at other doses, so that rows share a case."""
    start = dt.date(2024, 1, 5)
    return [row | {"on": (start + dt.timedelta(11 * n)).isoformat(), "dose": f"{35 + n}"} for n in range(count)]


def test_rows_that_share_a_case_have_figures_of_their_own() -> None:
    # 100 mg vials of infliximab at 10 mg: given rounded up, discarded rounded down, never above the label.
    base = {
        "drug": "J1745",
        "unit": "mg",
        "route": "IV infusion",
        "place": "11",
        "payer": None,
        "claim": None,
        "ndc": None,
        "container": "single-dose",
        "containers": 1,
        "container_amount": "100 mg",
    }
    rows = [row | {"discarded": f"{100 - int(row['dose'])} mg"} for row in many(base)]
    made = jc.batch.bill(as_table(rows)).to_pylist()
    for row, got in zip(rows, made, strict=True):
        dose = int(row["dose"])
        given, waste = -(-dose // 10), max(0, min((100 - dose) // 10, 10 - -(-dose // 10)))
        assert (got["units"], got["waste_units"]) == (given, waste)
        assert got["modifier"] == (None if waste else "JZ")


def test_the_quantity_of_a_liquid_follows_each_rows_own_dose() -> None:
    rows = [
        {
            "drug": "J1885",
            "dose": dose,
            "unit": "mg",
            "on": "2026-03-02",
            "ndc": "0409-3795-01",
            "container": "multi-dose",
        }
        for dose in ("15", "30", "7.5", "1", "60")
    ]
    made = jc.batch.bill(pa.Table.from_pylist(rows))
    assert made["ndc11"].to_pylist() == ["00409379501"] * 5
    assert made["ndc_qualifier"].to_pylist() == ["ML"] * 5
    # 30 mg in 1 mL, three decimals, half up
    assert made["ndc_quantity"].to_pylist() == [Decimal(q) for q in ("0.5", "1", "0.25", "0.033", "2")]
    assert made["units"].to_pylist() == [1, 2, 1, 1, 4]


def test_skin_substitutes_of_both_years_are_judged_as_charge_judges_them() -> None:
    # Paid as supplies by Medicare since 2026-01-01: the rows of one code stand on both sides of the day.
    shared = {
        "dose": "4",
        "unit": "cm2",
        "route": "topical",
        "ndc": None,
        "container": "single-dose",
        "containers": 1,
        "container_amount": "5",
    }
    rows = [
        {"drug": drug, "on": on, "place": place, "payer": payer, "claim": claim, "discarded": "1"} | shared
        for drug in ("Q4101", "Q4186", "A2001", "C9354")
        for on in ("2025-12-31", "2026-01-01", "2026-04-01")
        for payer in ("medicare", "palmetto", "commercial", "tricare")
        for place, claim in (("11", "professional"), ("22", "outpatient"))
    ]
    made = jc.batch.bill(as_table(rows)).to_pylist()
    for row, got in zip(rows, made, strict=True):
        answer = ("billed", *(got[name] for name in BILLED)) if got["status"] == "billed" else ("refused",)
        assert answer == charged(row), row
        if row["drug"] == "Q4101" and row["claim"] == "professional":
            as_drug = row["on"] < "2026" or row["payer"] in ("commercial", "tricare")
            assert got["waste_units"] == (1 if as_drug else 0), row


def test_a_counted_dose_out_of_a_smaller_container_is_that_of_charge() -> None:
    shared = {"on": "2026-03-02", "place": "11", "payer": "medicare", "claim": "professional", "ndc": None}
    rows = [
        {"drug": drug, "dose": "1", "unit": unit, "route": route, "container": "single-dose", "containers": containers}
        | {"container_amount": amount, "discarded": discarded}
        | shared
        for drug, unit, route, amounts in (
            ("90662", "dose", "IM", ("0.5 mL", "0.7 mL", "1.4 mL", None)),
            ("90681", "dose", "oral", ("1 mL", "1.5 mL")),
            ("Q2041", "therapeutic dose", "IV infusion", ("80000000 cells", "300000000 cells")),
        )
        for amount in amounts
        for containers in (1, 2)
        for discarded in ("0", None)
    ]
    for row, got in zip(rows, jc.batch.bill(as_table(rows)).to_pylist(), strict=True):
        answer = ("billed", *(got[name] for name in BILLED)) if got["status"] == "billed" else ("refused",)
        assert answer == charged(row), row


def test_a_code_that_depends_on_the_route_is_the_one_of_charge() -> None:
    # 10 mg is one unit of J9035, and one administration one unit of J7999: the figures agree, the codes do not.
    shared = {
        "unit": "mg",
        "on": "2026-03-02",
        "ndc": None,
        "container": None,
        "containers": None,
        "container_amount": None,
        "discarded": None,
    }
    rows = [
        {"drug": drug, "dose": dose, "route": route, "place": place, "payer": payer, "claim": claim} | shared
        for drug in ("J9035", "Avastin", "Q5107", "C9257", "J0178")
        for dose in ("1.25", "10")
        for route in ("intravitreal", "intracameral", "IV infusion")
        for payer in ("medicare", "noridian", "commercial")
        for place, claim in (("11", "professional"), ("22", "outpatient"))
    ]
    for detailed in (rows, [{key: row[key] for key in row if key not in shared or row[key]} for row in rows]):
        for row, whole, got in zip(detailed, rows, jc.batch.bill(as_table(detailed)).to_pylist(), strict=True):
            answer = ("billed", *(got[name] for name in BILLED)) if got["status"] == "billed" else ("refused",)
            assert answer == charged(whole), row
            if row["drug"] in ("J9035", "Avastin", "Q5107") and row["route"] != "IV infusion":
                assert got["hcpcs"] not in ("J9035", "Q5107"), row
    plain = pa.table(
        {
            "drug": ["J9035"] * 2,
            "dose": ["1.25 mg"] * 2,
            "unit": [None] * 2,
            "on": ["2026-03-02"] * 2,
            "route": ["intravitreal", "IV infusion"],
        }
    )
    made = jc.batch.bill(plain, outputs=PLAIN).to_pylist()
    assert [(row["hcpcs"], kind(row["reason"])) for row in made] == [(None, "AmbiguousDrug"), ("J9035", None)]
