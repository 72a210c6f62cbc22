"""Spark gives what batch gives, on a local session; skipped plainly where Spark or Java is not there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import bulk_rows
import pyarrow as pa
import pytest

import jcodeunits as jc
from jcodeunits.errors import BatchError

NAMES = (
    "drug",
    "dose",
    "unit",
    "on",
    "route",
    "place",
    "payer",
    "claim",
    "ndc",
    "container",
    "container_amount",
    "discarded",
)


def table(count: int) -> Any:
    rows = bulk_rows.detailed(count, 31)
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in NAMES})


def test_a_task_gives_what_batch_gives_whatever_the_size_of_its_batches() -> None:
    given = table(300)
    for size in (7, 100, 1000):
        made = pa.Table.from_batches(jc.spark.billed(given.to_batches(max_chunksize=size)))
        assert made.to_pylist() == jc.batch.bill(given).to_pylist()
        assert not any(pa.types.is_dictionary(field.type) for field in made.schema)


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    pytest.importorskip("pyspark", reason="needs pyspark: install jcodeunits[spark]")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("needs Java for a local Spark session")
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    made = (
        SparkSession.builder.master("local[2]")
        .appName("jcodeunits tests")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    yield made
    made.stop()


def test_spark_equals_batch(session: Any) -> None:
    given = table(2000)
    made = jc.spark.bill(session.createDataFrame(given).repartition(3)).collect()
    wanted = jc.batch.bill(given).to_pylist()
    assert sorted(map(str, (row.asDict() for row in made))) == sorted(map(str, wanted))


def test_rows_keep_their_order_over_partitions(session: Any) -> None:
    frame = session.range(1000).selectExpr(
        "id", "'J1885' as drug", "cast(id % 90 + 1 as double) as dose", "'mg' as unit", "date'2026-03-02' as on"
    )
    made = jc.spark.bill(frame, outputs=("hcpcs", "units", "status")).collect()
    assert [row["id"] for row in made] == list(range(1000))
    assert [row["units"] for row in made] == [-(-(n % 90 + 1) // 15) for n in range(1000)]
    assert {row["status"] for row in made} == {"billed"}


def test_a_missing_column_is_said_before_anything_runs(session: Any) -> None:
    with pytest.raises(BatchError, match="lacks the columns dose"):
        jc.spark.bill(session.range(3).selectExpr("'J1885' as drug"))
