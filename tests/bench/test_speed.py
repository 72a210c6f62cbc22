"""One call, one command, one catalog: how fast, beside the same sum through Pint in the same run."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pint
from shipped import FOLDER

import jcodeunits as jc
from jcodeunits import tables
from jcodeunits.facts.drug_rows import TABLES
from jcodeunits.facts.reference import Reference

ON = "2026-03-02"
COMMAND = Path(sys.executable).with_name("jcodeunits")
CALLS = 1000

_numbers = itertools.count(1)


def _fresh() -> list[str]:
    """Dose texts that nobody has asked before."""
    return [f"{next(_numbers)}.5 mg" for _ in range(CALLS)]


def _run(*words: str) -> None:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(words, check=True, capture_output=True, env=env)


def test_one_call_from_fresh_text(benchmark, figure, side_by_side) -> None:
    registry = pint.UnitRegistry(non_int_type=Fraction)
    size = registry.Quantity(Fraction(250), "milligram")

    def ours(texts: list[str]) -> int:
        return sum(jc.billing_units("J0696", text, on=ON).count for text in texts)

    def through_pint(texts: list[str]) -> int:
        return sum(math.ceil((registry.Quantity(text) / size).to("").magnitude) for text in texts)

    texts = _fresh()
    assert ours(texts) == through_pint(texts)
    benchmark.pedantic(ours, setup=lambda: ((_fresh(),), {}), rounds=10)
    mine, theirs = side_by_side(lambda: ours(_fresh()), lambda: through_pint(_fresh()))
    figure("billing_units / the sum through Pint", mine / theirs, "at most 0.1")
    figure("billing_units, microseconds a call", mine / CALLS * 1e6, "at most 15")


def test_the_catalog_loads(benchmark, figure) -> None:
    known = tables.sources()

    def load() -> int:
        return sum(len(tables.read(row, f"{FOLDER}/{row.TABLE}.csv", known)) for row in TABLES)

    rows = benchmark.pedantic(load, rounds=10)
    assert rows == sum(len(Reference.shipped().store.rows(row)) for row in TABLES)
    figure("catalog loading, milliseconds", benchmark.stats.stats.min * 1e3, "at most 30")


def test_the_command_from_a_cold_start(benchmark, figure, side_by_side) -> None:
    def units() -> None:
        _run(str(COMMAND), "units", "J0696", "1", "g", "--on", ON)

    units()  # its byte code is written once
    benchmark.pedantic(units, rounds=5)
    with_pint, mine, short, found, product = side_by_side(
        lambda: _run(sys.executable, "-c", "import pint"),
        units,
        lambda: _run(str(COMMAND), "units", "ketorolac", "30", "mg", "--on", ON),
        lambda: _run(str(COMMAND), "find", "toradol", "--on", ON),
        lambda: _run(str(COMMAND), "ndc", "0409-3795-01", "--on", ON),
    )
    figure("units J0696 1 g / import pint", mine / with_pint, "at most 1.3")
    figure("units ketorolac 30 mg / import pint", short / with_pint, "at most 1.3")
    figure("find toradol / import pint", found / with_pint, "at most 0.6")
    figure("ndc / units", product / short, "at most 1.2")
    assert benchmark.stats.stats.rounds == 5


def test_encounters(benchmark, figure) -> None:
    encounter = jc.Encounter.from_dict(
        {
            "on": ON,
            "place": "11",
            "visit": {"code": "99213", "separate": True},
            "diagnoses": ["M54.16"],
            "administrations": [{"drug": "J1885", "dose": "30 mg", "route": "IM", "site": "left deltoid"}],
        }
    )

    def hundred() -> int:
        return sum(len(jc.charge(encounter).lines) for _ in range(100))

    assert benchmark.pedantic(hundred, rounds=10) == 300
    figure("ordinary encounters a second", 100 / benchmark.stats.stats.min, "at least 1000")
