"""A row's answer is its own: whatever other rows stand in the file, before it, behind it or in another batch."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from shipped import REFERENCE

import jcodeunits as jc
from jcodeunits.batch.table import OUTPUTS, Biller
from jcodeunits.recipes.resolver import Resolver

GOOD: dict[str, Any] = {
    "drug": "J9035",
    "dose": "77",
    "unit": "mg",
    "on": "2026-03-02",
    "route": "IV infusion",
    "place": "11",
    "payer": None,
    "claim": None,
    "ndc": None,
    "container": "single-dose",
    "containers": "1",
    "container_amount": "100 mg",
    "discarded": "23 mg",
}
DRUGS: list[dict[str, Any]] = [
    {},
    {"drug": "J1885", "dose": "15", "route": "IM", "container_amount": "30 mg", "discarded": "15 mg"},
    {"drug": "J0696", "dose": "250", "route": "IM", "container_amount": "500 mg", "discarded": ""},
    {"drug": "J2405", "dose": "4", "route": "IM", "container_amount": "4 mg", "discarded": None},
]
# One thing that a row may say otherwise: mistakes, gaps, and other good words.
SAID: list[dict[str, Any]] = [
    {},
    *({"discarded": text} for text in ("a little", "", None, "0", "1 mg", "-3", "5", "2 mL", "1e9", "500 mg")),
    *({"containers": text} for text in ("some", "0", None, "2", "1.5")),
    *({"container": text} for text in ("a bag", "multi-dose", "single-patient", None)),
    *({"container_amount": text} for text in ("full", None, "50 mg", "10", "1 L")),
    *({"place": text} for text in ("22", "21", "98", "00", None)),
    *({"payer": text} for text in ("nobody", "medicaid", "")),
    *({"claim": text} for text in ("institutional", "verbal")),
    *({"dose": text} for text in ("0", "none", "7.50", "123456789012345678901")),
    *({"unit": text} for text in ("mcg", "stone", "mL")),
    *({"on": text} for text in ("2019-03-02", "2026-02-30", "2025-12-31")),
    *({"ndc": text} for text in ("00409379501", "99999999999", "12")),
    {"route": "by pigeon"},
]


def rows(seed: int, changes: int) -> list[dict[str, Any]]:
    """Every drug with every word, or `changes` of them at once, in an order of their own."""
    rng = random.Random(seed)
    made = [GOOD | drug | said for drug, said in itertools.product(DRUGS, SAID)]
    for row in made:
        for said in rng.sample(SAID, changes):
            row |= said
    rng.shuffle(made)
    return made


def table(listed: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in listed], pa.string()) for name in GOOD})


def answers(made: pa.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made.select(OUTPUTS).to_pylist()
    return found


@pytest.mark.parametrize(("seed", "changes"), [(1, 0), (2, 1), (3, 2)])
def test_rows_in_reverse_have_their_answers_in_reverse(seed: int, changes: int) -> None:
    listed = rows(seed, changes)
    forward = answers(jc.batch.bill(table(listed)))
    backward = answers(jc.batch.bill(table(listed[::-1])))
    for row, first, second in zip(listed, forward, backward[::-1], strict=True):
        assert first == second, row


@pytest.mark.parametrize("seed", [1, 2])
def test_a_row_is_answered_as_if_it_stood_alone_also_in_a_stream(seed: int) -> None:
    listed = rows(seed, seed - 1)
    together = answers(jc.batch.bill(table(listed)))
    with ThreadPoolExecutor(1) as pool:
        stream = Biller(Resolver(REFERENCE), pool)
        known = Resolver(REFERENCE)
        for row, one in zip(listed, together, strict=True):
            alone = answers(Biller(known, pool).bill(table([row])))[0]
            assert one == alone, row
            assert answers(stream.bill(table([row])))[0] == alone, row


@pytest.mark.parametrize("kind", [pa.string(), pa.float64()])
def test_a_column_that_says_nothing_changes_no_answer(kind: Any) -> None:
    # Rows that say no more than drug, dose, unit and day may be answered together where they are alike: some doses
    # above the day's limit and some below it, some written with a note, and the same drug by names and by numbers.
    listed = [
        {"drug": drug, "dose": dose, "unit": unit, "on": on}
        for drug in ("J0696", "j0696 ", "ceftriaxone", "Rocephin", "J3471", "J1885", "00409379501", "J9999", None)
        for dose in ("1", "1.0", "250", "250.0", "99999", "0", "1680")
        for unit in ("mg", "g", "units", None)
        for on in ("2024-02-01", "2026-03-02", "2026-03-03")
    ]
    made = pa.Table.from_pylist(listed)
    made = made.set_column(1, "dose", made["dose"].cast(kind))
    assert made.num_rows > 500
    plain = answers(jc.batch.bill(made))
    said = {rule for one in plain for rule in (one["findings"] or "").split("|")}
    assert said >= ({"unit-limit", "dose-notation"} if kind == pa.string() else {"unit-limit"})
    for name in ("containers", "place", "start"):
        assert answers(jc.batch.bill(made.append_column(name, pa.nulls(made.num_rows, pa.string())))) == plain
    for n in range(0, made.num_rows, 31):
        assert answers(jc.batch.bill(made.slice(n, 1))) == plain[n : n + 1], listed[n]


def test_a_good_row_behind_an_unreadable_one_is_billed() -> None:
    pair = [GOOD | {"discarded": "a little"}, GOOD | {"discarded": ""}]
    assert [one["status"] for one in answers(jc.batch.bill(table(pair)))] == ["refused", "billed"]
    assert [one["status"] for one in answers(jc.batch.bill(table(pair[::-1])))] == ["billed", "refused"]


def test_a_refusal_names_the_drug_of_its_own_row() -> None:
    plain = {"container": None, "containers": None, "container_amount": None, "discarded": None, "place": "22"}
    listed = [GOOD | drug | plain for drug in DRUGS]
    for row, one in zip(listed, answers(jc.batch.bill(table(listed))), strict=True):
        assert row["drug"] in one["reason"]
