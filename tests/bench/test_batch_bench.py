"""Bulk work beside Arrow alone, the bare kernel, DuckDB, Pint and one call at a time, in the same run.

`python tests/bench/bulk.py` prints the same figures, for any number of rows.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import jcodeunits as jc

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
import bulk
import bulk_rows
from test_batch_equality import BILLED, as_table, charged, check_meeting

ROWS = 10_000_000


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("bulk") / "in.parquet"
    bulk.write_file(path, ROWS)
    return path


def test_parquet_to_parquet_beside_arrow_alone(benchmark, figure, source) -> None:
    target, other = source.with_name("out.parquet"), source.with_name("arrow.parquet")
    summary = jc.batch.bill_file(source, target)
    assert (summary.rows, summary.billed) == (ROWS, ROWS)
    assert pq.read_metadata(target).num_columns == 5 + len(jc.batch.OUTPUTS)
    benchmark.pedantic(lambda: jc.batch.bill_file(source, target), rounds=3)
    pairs = [
        (bulk.best(lambda: jc.batch.bill_file(source, target), 1), bulk.arrow_alone(source, target, other))
        for _ in range(3)
    ]
    ours, arrow = min(mine for mine, _ in pairs), min(theirs for _, theirs in pairs)
    figure("batch FILE -o FILE / Arrow alone", ours / arrow, "at most 2")
    figure("batch FILE -o FILE / DuckDB, units alone", ours / bulk.duckdb_query(source, other), "beside it")


def test_units_in_memory_beside_the_bare_kernel(benchmark, figure) -> None:
    made = bulk.table(ROWS, 1, [row.code for row in bulk.drugs()])
    benchmark.pedantic(lambda: jc.batch.bill(made, outputs=("units",)), rounds=5)
    ours, bare = bulk.in_memory(ROWS)
    figure("units in memory / the bare kernel", ours / bare, "at most 3")
    few = 5000
    figure("one call at a time / units in memory", bulk.one_by_one(few) / few / ours * ROWS, "beside it")
    figure("Pint row by row / units in memory", bulk.pint_loop(few) / few / ours * ROWS, "beside it")


def test_memory_does_not_grow_with_the_file(benchmark, figure, source) -> None:
    target = source.with_name("out.parquet")
    larger = source.with_name("larger.parquet")
    bulk.write_file(larger, 4 * ROWS)
    small = benchmark.pedantic(lambda: bulk.memory(source, target), rounds=1)
    large = bulk.memory(larger, target)
    figure("peak memory in MB", large, "below 1000")
    figure("peak memory at four times the rows", large / small, "about 1")


def test_realistic_rows_beside_arrow_alone(benchmark, figure, tmp_path) -> None:
    source, target, other = tmp_path / "real.parquet", tmp_path / "lines.parquet", tmp_path / "arrow.parquet"
    bulk.write_realistic(source, ROWS)
    benchmark.pedantic(lambda: jc.batch.bill_file(source, target), rounds=1)
    pairs = [
        (bulk.best(lambda: jc.batch.bill_file(source, target), 1), bulk.arrow_alone(source, target, other))
        for _ in range(3)
    ]
    ours, arrow = (sorted(figures)[1] for figures in zip(*pairs, strict=True))
    figure("realistic rows, batch FILE -o FILE / Arrow alone", ours / arrow, "at most 4")
    figure("peak memory in MB, realistic rows", bulk.memory(source, target), "below 1000")


@pytest.mark.parametrize("seed", range(40))
def test_two_hundred_thousand_rows_equal_charge(seed: int) -> None:
    rows = [row for row in bulk_rows.detailed(2_500, 1000 + seed) if row["route"] and row["place"]]
    for row, got in zip(rows, jc.batch.bill(as_table(rows)).to_pylist(), strict=True):
        answer = ("billed", *(got[name] for name in (*BILLED, "findings")))
        assert (answer if got["status"] == "billed" else ("refused",)) == charged(row, findings=True), row
    check_meeting(bulk_rows.meeting(2_500, 1000 + seed))
