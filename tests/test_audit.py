"""An audit finds the errors planted in a claim file, each with its cause, and nothing else."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import bulk_rows
import numpy as np
import planted_lines
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import POLICY
from test_chargemaster import PLANTED as CHARGES

import jcodeunits as jc
from jcodeunits import audit
from jcodeunits.audit import causes
from jcodeunits.batch import files as batch_files
from jcodeunits.errors import BatchError

NAMES = (*audit.REQUIRED, *audit.OPTIONAL)
DAY = "2026-03-02"
# 77 mg of a 100 mg single-dose vial, 10 mg a unit: 8 administered, 2 discarded.
VIAL = {
    "code": "J9035",
    "dose": "77",
    "unit": "mg",
    "container": "single-dose",
    "containers": "1",
    "container_amount": "100 mg",
    "discarded": "23 mg",
}


def lines(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Lines with a claim number each, unless they name one."""
    return [{"claim": f"C{n}", "line": 1, "on": DAY, **row} for n, row in enumerate(rows)]


def judged(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    made = lines(*rows)
    return list(audit.judge(pa.table({name: pa.array([row.get(name) for row in made]) for name in NAMES})).to_pylist())


def one(**row: Any) -> dict[str, Any]:
    return judged(row)[0]


# (what is on the line, its cause, expected code and units, difference): figures by hand from the descriptors.
PLANTED = [
    ({"code": "J0696", "units": 1, "dose": "1", "unit": "g"}, "wrong-multiplier", ("J0696", 4), -3),
    ({"code": "J0696", "units": 1000, "dose": "1", "unit": "g"}, "wrong-multiplier", ("J0696", 4), 996),
    ({"code": "J1885", "units": 2, "dose": "40", "unit": "mg"}, "rounded-down", ("J1885", 3), -1),
    ({"code": "J1885", "units": 3, "dose": "30", "unit": "mg"}, "rounded-up-twice", ("J1885", 2), 1),
    ({"code": "J1885", "units": "1.5", "dose": "22.5", "unit": "mg"}, "fractional-units", ("J1885", 2), None),
    ({"code": "J1030", "units": 1, "dose": "40", "unit": "mg"}, "dead-code", ("J1010", 40), -39),
    ({"code": "J1010", "units": 40, "dose": "40", "unit": "mg", "on": "2024-03-31"}, "dead-code", None, None),
    (
        {"code": "J2310", "units": 380, "dose": "380", "unit": "mg", "drug": "Vivitrol", "on": "2024-05-01"},
        "wrong-code",
        ("J2315", 380),
        0,
    ),
    ({"code": "Q9991", "units": 1, "dose": "300", "unit": "mg"}, "wrong-band", ("Q9992", 1), 0),
    # Each USP unit up to 999 has a code, each 1,000 another one; an mL up to 10, and all of more; and so on.
    ({"code": "J3471", "units": 1680, "dose": "1680", "unit": "units"}, "wrong-band", ("J3472", 2), 1678),
    (
        {"code": "J3471", "units": 1680, "dose": "1680", "unit": "units", "ndc": "24208-0002-02"},
        "wrong-band",
        ("J3472", 2),
        1678,
    ),
    ({"code": "J1560", "units": 1, "dose": "9", "unit": "mL"}, "wrong-band", ("J1460", 9), -8),
    ({"code": "J1460", "units": 11, "dose": "11", "unit": "mL"}, "wrong-band", ("J1560", 1), 10),
    ({"code": "A9516", "units": 15, "dose": "1.5", "unit": "mCi"}, "wrong-band", ("A9509", 2), 13),
    (
        {"code": "J0696", "units": 4, "dose": "1", "unit": "g", "ndc": "0409-3795-01"},
        "wrong-product",
        ("J1885", 67),
        -63,
    ),
    ({**VIAL, "units": 8}, "missing-jw", ("J9035", 8), -2),
    ({**VIAL, "units": 10}, "waste-in-units", ("J9035", 8), 0),
    ({**VIAL, "units": 8, "modifiers": "JZ"}, "jz-with-waste", ("J9035", 8), -2),
    ({**VIAL, "units": 10, "dose": "100", "discarded": "0 mg"}, "missing-jz", ("J9035", 10), 0),
    ({**VIAL, "units": 8, "container": "multi-dose", "modifiers": "JZ"}, "unexpected-jz", ("J9035", 8), 0),
    (
        {
            "code": "J1885",
            "units": 2,
            "dose": "30",
            "unit": "mg",
            "ndc": "0409-3795-01",
            "container": "multi-dose",
            "ndc_qualifier": "ME",
            "ndc_quantity": "30",
        },
        "ndc-in-milligrams",
        ("J1885", 2),
        0,
    ),
    (
        {
            "code": "J1885",
            "units": 2,
            "dose": "30",
            "unit": "mg",
            "ndc": "0409-3795-01",
            "container": "multi-dose",
            "ndc_qualifier": "ML",
            "ndc_quantity": "30",
        },
        "ndc-in-milligrams",
        ("J1885", 2),
        0,
    ),
    (
        {
            "code": "J1885",
            "units": 2,
            "dose": "30",
            "unit": "mg",
            "ndc": "0409-3795-01",
            "container": "multi-dose",
            "ndc_qualifier": "UN",
            "ndc_quantity": "1",
        },
        "ndc-qualifier",
        ("J1885", 2),
        0,
    ),
    (
        {
            "code": "J1885",
            "units": 2,
            "dose": "30",
            "unit": "mg",
            "ndc": "0409-3795-01",
            "container": "multi-dose",
            "ndc_qualifier": "ML",
            "ndc_quantity": "2",
        },
        "ndc-quantity",
        ("J1885", 2),
        0,
    ),
    ({**VIAL, "units": 8, "dose": "177", "modifiers": "JZ"}, "dose-above-containers", None, None),
    ({"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "place": "21"}, "facility-place", ("J1885", 0), 2),
]


@pytest.mark.parametrize(("line", "cause", "expected", "difference"), PLANTED, ids=lambda value: str(value)[:40])
def test_a_planted_error_is_found_with_its_cause(
    line: dict[str, Any], cause: str, expected: tuple[str, int] | None, difference: int | None
) -> None:
    made = one(**line)
    assert made["verdict"] == "differs"
    assert made["cause"].split("|")[0] == cause
    assert made["citation"]
    if expected is not None:
        assert (made["expected_code"], made["expected_units"]) == expected
    assert made["difference_units"] == difference


RIGHT = [
    {"code": "J0696", "units": 4, "dose": "1", "unit": "g"},
    {"code": "J0696", "units": 4, "dose": "1", "unit": "g", "drug": "Rocephin", "modifiers": "59"},
    {"code": "J1030", "units": 1, "dose": "40", "unit": "mg", "on": "2024-03-31"},
    {"code": "J1030", "units": 2, "dose": "80", "unit": "mg", "drug": "methylprednisolone acetate", "on": "2024-03-31"},
    {"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "drug": "KETOROLAC 30MG/ML INJ (OUR OWN NAME)"},
    {"code": "Q9992", "units": 1, "dose": "300", "unit": "mg"},
    {**VIAL, "units": 10, "dose": "100", "discarded": "0 mg", "modifiers": "JZ"},
    {**VIAL, "units": 8, "container": "multi-dose"},
    {
        "code": "J1885",
        "units": 2,
        "dose": "30",
        "unit": "mg",
        "ndc": "0409-3795-01",
        "container": "multi-dose",
        "ndc_qualifier": "ML",
        "ndc_quantity": "1",
    },
]


@pytest.mark.parametrize("line", RIGHT, ids=lambda value: f"{value['code']} x {value['units']}")
def test_a_right_line_agrees(line: dict[str, Any]) -> None:
    made = one(**line)
    assert (made["verdict"], made["cause"], made["difference_units"]) == ("agrees", None, 0)


OPEN = [
    ({"code": "99213", "units": 1}, "not-a-drug"),
    ({"code": "J1885", "units": 2}, "dose-missing"),
    ({"code": "J1885", "units": 2, "dose": "some", "unit": "mg"}, "unreadable-dose"),
    ({"code": "J1885", "units": "two", "dose": "30", "unit": "mg"}, "unreadable-units"),
    ({"code": "J1885", "units": 2, "dose": "1", "unit": "mL"}, "unit-mismatch"),
    ({"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "on": "03/02/2026"}, "date-error"),
    ({"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "place": "xx"}, "setting"),
    ({"code": "J3490", "units": 1, "dose": "30", "unit": "mg"}, "no-unit"),
    # An NDC of which a spreadsheet has dropped the zeros, or made a number with an exponent.
    ({"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "ndc": "409379501", "ndc_quantity": "1"}, "product"),
    ({"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "ndc": "4.09380E+08"}, "product"),
    ({"code": "J9035", "units": 2, "dose": "77", "unit": "mg", "modifiers": "JW"}, "jw-alone"),
    # What is no code is not read as the name of a drug, of which another code would be right.
    ({"code": "ketorolac", "units": 2, "dose": "30", "unit": "mg"}, "not-a-drug"),
    ({"code": "J1885-0", "units": 2, "dose": "30", "unit": "mg"}, "not-a-drug"),
    ({"code": "J1885 or J0696, ketorolac", "units": 2, "dose": "30", "unit": "mg"}, "not-a-drug"),
    # A drug that has no code of its own, on the line of another drug.
    ({"code": "J2405", "units": 4, "dose": "4", "unit": "mg", "drug": "rocuronium 50 mg"}, "description"),
    ({"code": "J3010", "units": 1, "dose": "0.1", "unit": "mg", "drug": "sufentanil"}, "description"),
    # A tablet, on the line of the injection, that has no code of its own.
    ({"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "drug": "KETOROLAC 10 MG ORAL TAB"}, "ambiguous-drug"),
    # A name that is not read, with a word of another drug.
    ({"code": "J2405", "units": 4, "dose": "4", "unit": "mg", "drug": "HC KETOROLAC PER UNIT"}, "unknown-drug"),
]


@pytest.mark.parametrize(("line", "cause"), OPEN, ids=[cause for _, cause in OPEN])
def test_what_cannot_be_judged_is_unjudged(line: dict[str, Any], cause: str) -> None:
    made = one(**line)
    assert (made["verdict"], made["cause"]) == ("unjudged", cause)
    assert made["difference_amount"] is None


# Lines that only a route, or who takes the code, makes right or wrong: a claim file says no route.
WITHOUT_A_ROUTE = [
    ("by_another_route", {"code": "Q0162", "units": 8, "dose": "8", "unit": "mg", "drug": "Zofran"}, "agrees", None),
    (
        "for_the_eye",
        {"code": "J7999", "units": 1, "dose": "1.25", "unit": "mg", "drug": "Avastin"},
        "unjudged",
        "no-unit",
    ),
    (
        "not_for_the_eye",
        {"code": "J7999", "units": 1, "dose": "30", "unit": "mg", "drug": "ketorolac"},
        "differs",
        "wrong-code",
    ),
    (
        "drug_outside_the_bundle",
        {"code": "J3420", "units": 1, "dose": "1000", "unit": "mcg", "place": "58"},
        "agrees",
        None,
    ),
    (
        "drug_of_the_bundle",
        {"code": "J2315", "units": 380, "dose": "380", "unit": "mg", "place": "58"},
        "differs",
        "withheld",
    ),
    (
        "hospitals_code",
        {"code": "C9254", "units": 200, "dose": "200", "unit": "mg", "place": "11"},
        "differs",
        "code-not-taken",
    ),
    (
        "hospitals_code_there",
        {"code": "C9254", "units": 200, "dose": "200", "unit": "mg", "claim_type": "outpatient", "place": "22"},
        "agrees",
        None,
    ),
]


# Names that leave open which of a drug's codes is meant, and names that do not.
NAMED = [
    ("J2251", "1 mg", "Midazolam HCl", "agrees"),  # of one maker, whose code CMS names without the salt
    ("J2250", "1 mg", "Midazolam HCl", "agrees"),
    ("Q0162", "1 mg", "Ondansetron HCl", "agrees"),  # by mouth
    ("J7502", "100 mg", "Sandimmune", "agrees"),
    ("J7517", "250 mg", "CellCept", "agrees"),
    ("J1817", "50 units", "Humalog", "agrees"),  # for a pump
    ("J1811", "50 units", "Fiasp", "agrees"),
    ("J2919", "5 mg", "methylprednisolone acetate", "differs"),  # another salt is another drug
    ("J1010", "1 mg", "Solu-Medrol", "differs"),
    ("J1745", "10 mg", "Inflectra", "differs"),
    ("J3301", "10 mg", "Triesence", "differs"),
    ("J0696", "250 mg", "cefazolin sodium 1 g", "differs"),
    ("J2405", "1 mg", "HC ZOFRAN PER UNIT", "agrees"),  # not read, but a word of it is this drug's
    ("J2405", "1 mg", "house antiemetic", "agrees"),
]


@pytest.mark.parametrize(("code", "dose", "drug", "verdict"), NAMED)
def test_a_name_is_held_against_its_code_as_far_as_it_says(code: str, dose: str, drug: str, verdict: str) -> None:
    made = one(code=code, units=1, dose=dose, unit=None, drug=drug, payer="commercial")
    assert (made["verdict"], made["cause"]) == (verdict, None if verdict == "agrees" else "wrong-code")


@pytest.mark.parametrize(
    ("line", "verdict", "cause"), [case[1:] for case in WITHOUT_A_ROUTE], ids=[n for n, *_ in WITHOUT_A_ROUTE]
)
def test_without_a_route_a_line_is_judged_by_what_holds_for_every_route(
    line: dict[str, Any], verdict: str, cause: str | None
) -> None:
    made = one(**line)
    assert (made["verdict"], made["cause"]) == (verdict, cause)


@pytest.mark.parametrize("said", [None, "", "none", "N/A", "0", "-", "99999-9999-99"])
def test_a_word_for_no_ndc_and_a_product_that_is_not_known_leave_the_units_judged(said: str | None) -> None:
    made = one(code="J1885", units=2, dose="30", unit="mg", ndc=said)
    assert (made["verdict"], made["expected_units"]) == ("agrees", 2)


def test_a_dose_without_remainder_takes_no_jz_beside_the_jw_line_of_another_dose() -> None:
    whole = {**VIAL, "claim": "A", "line": 1, "units": 10, "dose": "100", "discarded": "0 mg"}
    pair = [
        {**VIAL, "claim": "A", "line": 2, "units": 8},
        {**VIAL, "claim": "A", "line": 3, "units": 2, "modifiers": "JW"},
    ]
    assert [row["verdict"] for row in judged(whole, *pair)] == ["agrees", "agrees", "agrees"]
    assert judged({**whole, "modifiers": "JZ"}, *pair)[0]["cause"] == "jz-with-waste"


def test_a_jw_line_and_its_administered_line_are_one_judgment() -> None:
    pair = [
        {**VIAL, "claim": "A", "line": 1, "units": 8},
        {**VIAL, "claim": "A", "line": 2, "units": 2, "modifiers": "JW"},
    ]
    assert [row["verdict"] for row in judged(*pair)] == ["agrees", "agrees"]
    wrong = judged(pair[0], {**pair[1], "units": 3})
    assert [(row["verdict"], row["cause"], row["difference_units"]) for row in wrong] == [
        ("agrees", None, 0),
        ("differs", "jw-units", 1),
    ]
    multi = judged(*({**row, "container": "multi-dose"} for row in pair))
    assert [(row["verdict"], row["cause"]) for row in multi] == [("agrees", None), ("differs", "jw-unsupported")]
    unknown = judged(*({**row, "discarded": None} for row in pair))
    assert [(row["verdict"], row["cause"]) for row in unknown] == [("agrees", None), ("unjudged", "waste-unknown")]
    ended = judged(
        *({"code": "J1030", "claim": "B", "units": 1, "dose": "40", "unit": "mg", "modifiers": m} for m in ("", "JW"))
    )
    assert {row["cause"] for row in ended} == {"dead-code"}


def test_lines_of_one_claim_are_found_wherever_they_stand() -> None:
    pair = [
        {**VIAL, "claim": "A", "line": 1, "units": 8},
        {**VIAL, "claim": "A", "line": 2, "units": 2, "modifiers": "JW"},
    ]
    between = [{"code": "J0696", "units": 4, "dose": "1", "unit": "g", "claim": f"B{n}"} for n in range(5)]
    made = judged(pair[1], *between, pair[0])
    assert [row["verdict"] for row in made] == ["agrees"] * 7
    assert [row["claim"] for row in made] == ["A", "B0", "B1", "B2", "B3", "B4", "A"]


def test_lines_without_a_claim_number_are_judged_one_by_one() -> None:
    rows = [
        {"claim": claim, "code": "J0696", "units": units, "dose": "1", "unit": "g"}
        for claim in (None, "")
        for units in (3, 1, 4)
    ]
    assert [row["verdict"] for row in judged(*rows)] == ["differs", "differs", "agrees"] * 2


def test_what_agrees_at_once_agrees_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lines(*RIGHT, *(line for line, *_ in PLANTED), *(line for line, _ in OPEN))
    planted = pa.table(
        {name: pa.array([None if row.get(name) is None else str(row[name]) for row in rows]) for name in NAMES}
    )
    tables = [planted, as_lines(changed(billed_lines(1500, 12), 5))]
    fast = [audit.judge(table).to_pylist() for table in tables]
    monkeypatch.setattr(audit, "agreeing", lambda bench, *_: (np.zeros(bench.table.num_rows, bool), {}))
    for table, quick in zip(tables, fast, strict=True):
        for row, one in zip(quick, audit.judge(table).to_pylist(), strict=True):
            assert row == one
    assert {row["verdict"] for row in fast[1]} == {"agrees", "differs", "unjudged"}


def changed(rows: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Lines of which a third says something else: other units, modifiers, codes, NDC quantities; some are gone."""
    rng = random.Random(seed)
    said: list[dict[str, Any]] = [
        *({"units": units} for units in ("1", "2", "0", "4.0", "x", None)),
        *({"modifiers": text} for text in ("JZ", "JW", "JZ 59", "rt", None, "jz", "JW,JZ")),
        *({"code": text} for text in ("J0696", "j1885", "", "99213")),
        *({"ndc_quantity": text} for text in ("1", "0.005", "1E+1", "", "x")),
        *({"ndc_qualifier": text} for text in ("UN", "ml", "ME", None)),
        *({"claim": text} for text in ("1", None)),
    ]
    kept = [row for row in rows if rng.random() < 0.95]
    return [row | rng.choice(said) if rng.random() < 0.35 else row for row in kept]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_file_in_which_claims_stand_together_goes_through_bit_by_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    rows = [row for row in changed(billed_lines(600, 14), 6) if row["claim"] != "1"]
    apart = [*rows[300:], *rows[:300], rows[-1] | {"claim": rows[0]["claim"], "line": 9}]
    monkeypatch.setattr(batch_files, "ROWS", 64)
    monkeypatch.setattr(batch_files, "_CSV_BLOCK", 4096)
    reads = []
    judge_one = audit._judge
    monkeypatch.setattr(audit, "_judge", lambda table, *rest: reads.append(table.num_rows) or judge_one(table, *rest))
    for listed, whole in ((rows, False), (apart, True)):
        table = as_lines(listed)
        source, target = tmp_path / f"lines{ending}", tmp_path / "judged.parquet"
        pq.write_table(table, source) if ending == ".parquet" else pa_csv.write_csv(table, source)
        reads.clear()
        report = audit.judge_file(source, target)
        assert (len(listed) in reads) == whole
        assert report.lines == len(listed)
        assert max(reads) < 300 or whole
        wanted = judge_one_table(source)
        assert pq.read_table(target).select(audit.OUTPUTS).to_pylist() == wanted


def judge_one_table(source: Path) -> list[dict[str, Any]]:
    """The answers to a file that is read as one table."""
    table = pa.concat_tables(batch_files.open_source(source).tables)
    answers: list[dict[str, Any]] = audit.judge(table).select(audit.OUTPUTS).to_pylist()
    return answers


def test_a_dose_billed_on_two_lines_agrees_where_the_sum_does() -> None:
    split = judged(*({"claim": "A", "code": "J0696", "units": units, "dose": "1", "unit": "g"} for units in (3, 1)))
    assert [row["verdict"] for row in split] == ["agrees", "agrees"]
    wrong = judged(*({"claim": "A", "code": "J0696", "units": units, "dose": "1", "unit": "g"} for units in (3, 2)))
    assert [row["verdict"] for row in wrong] == ["differs", "differs"]


def test_money_is_counted_only_on_days_whose_payment_limit_is_known() -> None:
    limit = POLICY.fee("J0696", "payment-limit", "2026-03-02")
    assert limit is not None
    row = {"code": "J0696", "units": 1, "dose": "1", "unit": "g"}
    known, later, earlier = judged(row, {**row, "on": "2026-11-02"}, {**row, "on": "2025-03-02"})
    cents = math.floor(limit.amount * 3 * 100 + Fraction(1, 2))
    assert known["difference_amount"] == -Decimal(cents) / 100
    assert later["difference_amount"] is None
    assert earlier["difference_amount"] is None


def billed_lines(count: int, seed: int) -> list[dict[str, Any]]:
    """The lines that we bill ourselves for some administrations, a claim each."""
    given_rows = [row for row in bulk_rows.detailed(count, seed) if row["claim"] != "outpatient"]
    kinds = {"containers": pa.int64()}
    table = pa.table(
        {
            name: pa.array([row[name] for row in given_rows], kinds.get(name, pa.string()))
            for name in given_rows[0]
            if name != "claim"
        }
    )
    rows = []
    for n, row in enumerate(jc.batch.bill(table).to_pylist()):
        if row["status"] != "billed":
            continue
        base = {
            name: row[name]
            for name in (
                "drug",
                "dose",
                "unit",
                "on",
                "payer",
                "place",
                "ndc",
                "container",
                "container_amount",
                "discarded",
            )
        }
        base |= {
            "claim": str(n),
            "line": 1,
            "code": row["hcpcs"],
            "containers": None if row["containers"] is None else str(row["containers"]),
        }
        quantity = None if row["ndc_quantity"] is None else str(row["ndc_quantity"].normalize())
        rows.append(
            base
            | {
                "units": row["units"],
                "modifiers": row["modifier"],
                "ndc_qualifier": row["ndc_qualifier"],
                "ndc_quantity": quantity,
            }
        )
        if row["waste_units"]:
            rows.append(base | {"line": 2, "units": row["waste_units"], "modifiers": "JW"})
    return rows


def as_lines(rows: list[dict[str, Any]]) -> Any:
    """Lines as a table of text."""
    return pa.table(
        {
            name: pa.array([None if (v := row.get(name)) is None else str(v) for row in rows], pa.string())
            for name in NAMES
        }
    )


def test_nothing_that_we_bill_ourselves_is_called_wrong() -> None:
    made = audit.judge(as_lines(billed_lines(1500, 11))).to_pylist()
    assert len(made) > 500
    wrong = [row for row in made if row["verdict"] == "differs"]
    assert wrong == []


@given(st.integers(1, 5000), st.integers(1, 200))
def test_the_difference_is_what_was_billed_less_what_is_right(dose: int, billed: int) -> None:
    made = one(code="J1885", units=billed, dose=str(dose), unit="mg")
    right = -(-dose // 15)
    assert made["difference_units"] == billed - right
    assert (made["verdict"] == "agrees") == (billed == right)


def test_the_report_counts_by_cause_and_by_drug() -> None:
    rows = lines(*(line for line, *_ in PLANTED), *RIGHT, *(line for line, _ in OPEN))
    table = audit.judge(
        pa.table(
            {name: pa.array([None if row.get(name) is None else str(row[name]) for row in rows]) for name in NAMES}
        )
    )
    made = audit.report(table, "march.csv")
    assert (made.lines, made.agrees, made.differs) == (len(rows), len(RIGHT), len(PLANTED))
    assert {row.name for row in made.by_cause} == {cause for _, cause, *_ in PLANTED}
    assert {row.name for row in made.unjudged} == {cause for _, cause in OPEN}
    assert not made.ok
    text = made.text()
    assert all(row.name in text for row in made.by_cause)
    assert max(map(len, text.splitlines())) <= 80
    assert made.as_dict()["differs"] == len(PLANTED)
    assert "<table>" in made._repr_html_()
    assert [len(axes.patches) for axes in made.plot().axes] == [len(made.by_cause)] * 2


CHARGED = {cause for _, cause, *_ in CHARGES}


def test_the_report_tells_what_was_too_little_from_what_was_too_much() -> None:
    # J0696 is 250 mg, so 1 g is 4 units: one line has 3 too few, one 6 too many; J9035 has 2 units without their JW.
    given = [
        {"code": "J0696", "units": 1, "dose": "1", "unit": "g"},
        {"code": "J0696", "units": 10, "dose": "1", "unit": "g"},
        {"code": "J0696", "units": 4, "dose": "1", "unit": "g"},
        VIAL | {"units": 8},
        VIAL | {"units": 10, "dose": "100", "discarded": "0 mg"},  # a JZ that is missing is neither
    ]
    table = audit.judge(pa.Table.from_pylist([dict.fromkeys(NAMES) | row for row in lines(*given)]))
    made = audit.report(table)
    assert {row.name: (row.lines, row.units) for row in made.by_way} == {"too little": (2, -5), "too much": (1, 6)}
    worth = {row.name: row.amount for row in made.by_way}
    assert sum(filter(None, worth.values())) == sum(row.amount or 0 for row in made.by_cause)
    assert "too little" in made.text()
    assert "too little" in made.page()


@pytest.mark.parametrize("kind", ["pandas", "polars", "csv"])
def test_a_judged_table_is_summed_up_as_a_frame_and_read_from_its_file_too(kind: str, tmp_path: Path) -> None:
    rows = [
        dict.fromkeys(NAMES) | row
        for row in lines(*RIGHT, *(line for line, *_ in PLANTED), *(line for line, _ in OPEN))
    ]
    table = audit.judge(as_lines(rows))
    pa_csv.write_csv(table, tmp_path / "judged.csv")
    if kind == "polars":
        frame = pytest.importorskip("polars").from_arrow(table)
    else:
        pandas = pytest.importorskip("pandas")
        frame = table.to_pandas() if kind == "pandas" else pandas.read_csv(tmp_path / "judged.csv")
    assert audit.report(frame) == audit.report(table)


@pytest.mark.parametrize("table", [3, None, pa.table({"a": [1]})], ids=str)
def test_what_is_no_judged_table_is_not_summed_up(table: Any) -> None:
    with pytest.raises(BatchError):
        audit.report(table)


def test_every_cause_is_spoken_and_explained() -> None:
    spoken = {cause for _, cause, *_ in PLANTED} | {cause for _, cause in OPEN} | CHARGED
    spoken |= {"jw-units", "jw-unsupported", "waste-unknown"}
    rare = {
        "kit-counted-twice",
        "ended-ndc",
        "withheld",
        "basis-needed",
        "ambiguous-drug",
        "unknown-drug",
        "description",
        "product",
        "low-confidence",
        "other",
    }
    assert spoken | rare == set(causes.ALL)
    assert set(causes.OF_REFUSAL.values()) <= set(causes.UNJUDGED)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ({"code": "J0741", "units": 1, "dose": "5", "unit": "mg"}, "basis-needed"),
        ({"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "place": "50", "ndc": None}, "withheld"),
    ],
)
def test_rarer_causes(line: dict[str, Any], cause: str) -> None:
    assert one(**line)["cause"] == cause


def test_a_file_is_judged_and_written_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "billed.csv", tmp_path / "judged.csv"
    source.write_text(
        "claim,line,code,units,modifiers,on,dose,unit\n1,1,J0696,4,,2026-03-02,1,g\n2,1,J0696,1,,2026-03-02,1,g\n"
    )
    made = audit.judge_file(source, target)
    assert (made.lines, made.agrees, made.differs, made.ok) == (2, 1, 1, False)
    header, *rows = target.read_text().splitlines()
    assert header.startswith("claim,line,code,units,modifiers,on,dose,unit,verdict,expected_code")
    assert [row.split(",")[8] for row in rows] == ["agrees", "differs"]
    assert audit.judge_file(source).differs == 1


@pytest.mark.parametrize(
    ("claim_type", "verdict", "cause"),
    [
        (None, "differs", "facility-place"),  # a practice does not bill the hospital's drug
        ("professional", "differs", "facility-place"),
        ("outpatient", "agrees", None),
        ("paper", "unjudged", "setting"),
    ],
)
def test_a_hospitals_line_is_judged_as_a_hospitals(claim_type: str | None, verdict: str, cause: str | None) -> None:
    given = {"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "place": "22", "claim_type": claim_type}
    made = one(**given)
    assert (made["verdict"], made["cause"]) == (verdict, cause)


def test_a_place_that_a_sites_row_withholds_is_named_as_one(tmp_path: Path) -> None:
    header = "payer,place,outcome,lines,severity,reason,says,fix"
    row = (
        "our-plan,49,withhold,administration|drug,stop,our-annex,is our annex: the plan pays it by the day,bill the day"
    )
    (tmp_path / "place_rules.csv").write_text(f"{header}\n{row}\n", "utf-8")
    (tmp_path / "payers.csv").write_text("payer,option,values\nour-plan,follows,commercial\n", "utf-8")
    ours = jc.Reference.shipped().with_tables(tmp_path)
    given = {"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "place": "49", "payer": "our-plan"}
    table = pa.table({name: pa.array([row.get(name) for row in lines(given)]) for name in NAMES})
    made = audit.judge(table, reference=ours).to_pylist()[0]
    assert (made["verdict"], made["cause"], made["expected_units"]) == ("differs", "withheld", 0)
    assert "place_rules.csv" in made["citation"]


def test_the_findings_and_errors_that_an_audit_knows_exist() -> None:
    from jcodeunits import errors
    from jcodeunits.audit import verdicts
    from jcodeunits.finding import DECLARED

    known = {*DECLARED, *vars(errors)}
    assert {*verdicts._OPEN, *causes.OF_REFUSAL} - known == set()


def test_columns_that_are_missing_or_taken_are_named() -> None:
    with pytest.raises(BatchError, match="lacks the columns claim, line"):
        audit.judge(pa.table({name: ["1"] for name in audit.REQUIRED[2:]}))
    with pytest.raises(BatchError, match="verdict"):
        audit.judge(pa.table({name: ["1"] for name in (*audit.REQUIRED, "verdict")}))


def test_modifiers_may_be_a_list_and_codes_in_small_letters() -> None:
    columns = {name: pa.array(["1"]) for name in ("claim", "line", "unit")}
    columns |= {
        "code": pa.array(["j0696"]),
        "units": pa.array([4]),
        "modifiers": pa.array([["59", "JW"]]),
        "on": pa.array([DAY]),
    }
    columns |= {"dose": pa.array([1.0]), "unit": pa.array(["g"])}
    assert audit.judge(pa.table(columns))["cause"].to_pylist() == ["jw-alone"]


CODE_CELLS = (
    "J1885", "j1885 ", "HCPCS J1885", "hcpcs: j1885", "CPT/HCPCS J1885", "0636 J1885", "'J1885", "J1885.",
    "J1885 - KETOROLAC INJ 15MG", "J1885 ketorolac tromethamine, per 15 mg", "J1885 (IM)",
)  # fmt: skip


@pytest.mark.parametrize("cell", CODE_CELLS)
def test_a_code_is_read_from_its_cell_with_what_an_export_writes_around_it(cell: str) -> None:
    row = {"units": 2, "dose": "30", "unit": "mg"}
    assert one(**row, code=cell)["verdict"] == "agrees"
    low = one(**(row | {"units": 1}), code=cell)
    assert (low["expected_code"], low["expected_units"], low["cause"]) == ("J1885", 2, "wrong-multiplier")
    assert low["code"] == cell
    report = jc.audit.report(
        audit.judge(pa.Table.from_pylist(lines(row | {"units": 1, "code": cell, "modifiers": ""})))
    )
    assert [drug.name for drug in report.by_drug] == ["J1885"]


@pytest.mark.parametrize("apart", ["-", " ", ":", "/", ",", " - ", ""])
def test_modifiers_may_stand_behind_the_code_and_in_columns_of_their_own(apart: str) -> None:
    pair = [
        {**VIAL, "claim": "A", "line": 1, "units": 8},
        {**VIAL, "claim": "A", "line": 2, "units": 2, "code": f"J9035{apart}JW"},
    ]
    assert [row["verdict"] for row in judged(*pair)] == ["agrees", "agrees"]
    assert [row["cause"] for row in judged(pair[0], pair[1] | {"units": 3})] == [None, "jw-units"]
    whole = VIAL | {"units": 10, "dose": "100", "discarded": "0 mg", "modifiers": "59"}
    assert one(**whole)["cause"] == "missing-jz"
    assert one(**whole | {"code": f"J9035{apart}JZ"})["expected_modifiers"] == "59|JZ"


@pytest.mark.parametrize("heads", [("MOD1", "MOD2"), ("Modifier 1", "modifier_2"), ("modifiers", "Modifier 2")])
def test_modifiers_in_several_columns_are_all_read(heads: tuple[str, str], tmp_path: Path) -> None:
    whole = VIAL | {"units": 10, "dose": "100", "discarded": "0 mg"}
    rows = [whole | dict(zip(heads, said, strict=True)) for said in (("59", "JZ"), ("59", None), (None, None))]
    made = lines(*rows)
    names = [name for name in NAMES if name != "modifiers"] + list(heads)
    table = pa.table(
        {name: pa.array([row.get(name) for row in made], pa.string() if name in heads else None) for name in names}
    )
    judged_rows = audit.judge(table)
    assert judged_rows.select(table.column_names).equals(table)
    assert judged_rows["cause"].to_pylist() == [None, "missing-jz", "missing-jz"]
    assert judged_rows["expected_modifiers"].to_pylist() == ["59|JZ", "59|JZ", "JZ"]
    pq.write_table(table, tmp_path / "lines.parquet")
    assert audit.judge_file(tmp_path / "lines.parquet").differs == 2


@pytest.mark.parametrize(
    "cell", ["N400409379501ML1", "N400409379501 ML 1.000", "N4 00409-3795-01 ML1", "00409379501ml1"]
)
def test_an_ndc_with_its_quantity_in_one_cell_is_read_as_a_claim_prints_it(cell: str) -> None:
    # 30 mg in 1 mL (the label)
    row = {"code": "J1885", "units": 2, "dose": "30", "unit": "mg"}
    assert [made["cause"] for made in judged(row | {"ndc": cell}, row | {"ndc": "00409379501"})] == [None, None]
    assert one(**row, ndc=cell.replace("1.000", "1")[:-1] + "30")["cause"] == "ndc-in-milligrams"
    made = one(**row, ndc=cell, ndc_quantity="2")  # a column of its own counts
    assert (made["cause"], made["ndc"], made["expected_ndc"]) == ("ndc-quantity", cell, "ML1")


def test_units_above_the_limit_of_a_day_are_counted_over_its_lines_and_make_no_verdict() -> None:
    # 60 mg are 4 units of 15 mg; Medicare's limit is 8 a day (CMS's MUE table), a commercial payer has its own.
    line = {"code": "J1885", "claim": "A", "units": 4, "dose": "60", "unit": "mg"}
    above = [[row["units_above_limit"] for row in judged(*[line] * count)] for count in (2, 3)]
    assert above == [[None, None], [4, None, None]]
    assert [row["units_above_limit"] for row in judged(*[line | {"payer": "commercial"}] * 3)] == [None] * 3
    # 8 administered and 2 discarded of 10 mg each are far from J9035's limit of 230; 231 are one too many.
    much = VIAL | {"claim": "B", "containers": "24", "dose": "2310", "discarded": "90 mg"}
    pair = much | {"units": 231}, much | {"units": 9, "modifiers": "JW"}
    assert [(row["verdict"], row["units_above_limit"]) for row in judged(*pair)] == [("agrees", 10), ("agrees", None)]
    one_line = line | {"units": 10, "dose": "150"}
    table = audit.judge(pa.Table.from_pylist(lines(one_line | {"modifiers": "59"})))
    assert table["verdict"].to_pylist() == ["agrees"]
    assert "units_above_limit: 1" in jc.audit.report(table).text()


def test_a_line_that_differs_says_first_by_what() -> None:
    made = one(**VIAL | {"units": "many", "container": "multi-dose", "discarded": None, "modifiers": "JZ"})
    assert (made["verdict"], made["cause"]) == ("differs", "unexpected-jz|unreadable-units")


def test_a_drug_named_by_ndc_is_judged_by_its_product() -> None:
    row = {"code": "J1885", "units": 2, "dose": "30", "unit": "mg", "drug": "0409-3795-01"}
    assert one(**row)["verdict"] == "agrees"
    wrong = one(**{**row, "code": "J0696"})
    assert (wrong["cause"], wrong["expected_code"], wrong["expected_units"]) == ("wrong-code", "J1885", 2)


def test_an_ended_code_with_a_jw_line_is_dead_on_both() -> None:
    base = {**VIAL, "claim": "A", "code": "J1030", "dose": "40", "discarded": "60 mg"}
    made = judged({**base, "units": 1}, {**base, "units": 1, "modifiers": "JW", "line": 2})
    assert [row["cause"].split("|")[0] for row in made] == ["dead-code", "jw-units"]
    assert {row["expected_code"] for row in made} == {"J1010"}


def test_no_lines_are_no_judgment() -> None:
    made = audit.judge(pa.table({name: pa.array([], pa.string()) for name in audit.REQUIRED}))
    assert made.num_rows == 0
    assert audit.report(made).ok


def test_a_report_is_the_same_text_where_a_terminal_and_where_a_shell_of_python_shows_it() -> None:
    class Printer:
        said = ""

        def text(self, text: str) -> None:
            self.said += text

    wrong = lines({"code": "J0696", "units": 1, "modifiers": None, "dose": "1", "unit": "g"})
    made, printer = audit.report(audit.judge(pa.Table.from_pylist(wrong))), Printer()
    made._repr_pretty_(printer, cycle=False)
    assert printer.said == str(made)


def test_each_error_planted_in_claims_of_both_kinds_is_found_with_its_cause_and_nothing_else_is(shared: Path) -> None:
    """Units are CMS's figures divided by hand, discarded ones BILLUNITS less those; no row is made by the package."""
    rows = planted_lines.LineMaker(shared, 1).claims(40, 1_000)
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in planted_lines.COLUMNS}
    judged = audit.judge(pa.table(columns)).to_pylist()
    short = ("code", "units", "modifiers", "dose", "unit", "claim_type", "planted", "verdict", "cause")
    wrong = [
        [row[name] for name in short]
        for row in judged
        if row["verdict"] == "differs" and (row["cause"] or "").partition("|")[0] != row["planted"]
    ]
    missed = [[row[name] for name in short] for row in judged if row["planted"] and row["verdict"] == "agrees"]
    assert (wrong, missed) == ([], [])
    found = {row["planted"] for row in judged if row["verdict"] == "differs"}
    assert found == set(planted_lines.KINDS)
    for kind in ("professional", "outpatient"):
        assert any(row["claim_type"] == kind and row["verdict"] == "differs" for row in judged)
    assert sum(row["verdict"] == "unjudged" for row in judged) < len(judged) / 100
