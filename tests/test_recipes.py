"""The recipes for other engines: each gives what `batch.bill` gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bulk_rows
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import jcodeunits as jc
from jcodeunits.errors import BatchError

PLAIN = ("hcpcs", "units", "status")


@pytest.fixture(scope="module")
def given() -> Any:
    rows = bulk_rows.simple(500, 21)
    return pa.Table.from_pylist([row | {"row": n} for n, row in enumerate(rows)])


@pytest.fixture(scope="module")
def wanted(given: Any) -> list[dict[str, Any]]:
    return list(jc.batch.bill(given).select(["row", *PLAIN]).to_pylist())


def test_pandas(given: Any, wanted: list[dict[str, Any]]) -> None:
    pytest.importorskip("pandas")
    frame = given.to_pandas()
    made = jc.batch.bill(frame)
    assert list(made["hcpcs"].astype(object).where(made["hcpcs"].notna(), None)) == [row["hcpcs"] for row in wanted]
    assert made["units"].sum() == sum(row["units"] or 0 for row in wanted)
    assert len(made) == len(frame)


def test_polars(given: Any, wanted: list[dict[str, Any]]) -> None:
    pl = pytest.importorskip("polars")
    made = jc.batch.bill(pl.from_arrow(given))
    assert made.select("row", *PLAIN).to_dicts() == wanted


def test_polars_lazy_and_streaming(given: Any, wanted: list[dict[str, Any]], tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    pq.write_table(given, tmp_path / "given.parquet", row_group_size=100)
    answers = {"hcpcs": pl.String, "units": pl.Int64, "status": pl.String}

    def billed(frame: Any) -> Any:
        return jc.batch.bill(frame, outputs=PLAIN)

    lazy = pl.scan_parquet(tmp_path / "given.parquet")
    made = lazy.map_batches(billed, schema={**lazy.collect_schema(), **answers}, streamable=True)
    assert made.select("row", *PLAIN).collect(engine="streaming").sort("row").to_dicts() == wanted
    made.sink_parquet(tmp_path / "billed.parquet")
    assert pq.read_table(tmp_path / "billed.parquet").sort_by("row").select(["row", *PLAIN]).to_pylist() == wanted


def test_duckdb(given: Any, wanted: list[dict[str, Any]]) -> None:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.register("given", given)
    lines = jc.batch.bill_stream(connection.sql("from given").to_arrow_reader(100), outputs=PLAIN)
    other = duckdb.connect()
    other.register("lines", lines)
    made = other.sql("select row, hcpcs, units, status from lines order by row").to_arrow_table()
    assert made.to_pylist() == wanted


def test_a_stream_of_batches_is_billed_as_it_is_read(given: Any, wanted: list[dict[str, Any]]) -> None:
    taken = []

    def batches() -> Any:
        for batch in given.to_batches(max_chunksize=100):
            taken.append(batch.num_rows)
            yield batch

    made = jc.batch.bill_stream(pa.RecordBatchReader.from_batches(given.schema, batches()))
    assert taken == []
    first = made.read_next_batch()
    assert (first.num_rows, len(taken)) == (100, 1)
    rest = pa.Table.from_batches([first, *made])
    assert rest.select(["row", *PLAIN]).to_pylist() == wanted
    with pytest.raises(BatchError, match="lacks the column"):
        jc.batch.bill_stream(given.select(["drug", "dose", "unit"]))
