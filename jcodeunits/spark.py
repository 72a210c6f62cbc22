"""The bulk kernel on Spark: a DataFrame of any size billed partition by partition, the same answers as `batch`.

The package must be installed on every worker (its reference tables travel with it), and `PYSPARK_PYTHON` must
name the Python that has it. Nothing is shuffled and nothing collected: the plan stays lazy, and a task holds one
Arrow batch at a time.

    frame = spark.read.parquet("s3://bucket/administrations/")
    bill(frame).write.parquet("s3://bucket/lines/")
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .batch.frames import renamed
from .batch.table import OUTPUTS, check_columns
from .facts.reference import Reference


def bill(frame: Any, outputs: Sequence[str] = OUTPUTS, reference: Reference | None = None) -> Any:
    """A Spark DataFrame of administrations with the answers appended, row by row.

    Columns in and out are those of `batch.bill`; rows of a partition keep their order. `outputs` names the
    columns wanted; a `reference` travels as its folders, which must lie at the same places on every worker. Raises
    `BatchError` at once where a column is missing or taken, and, when a task runs, for a
    dose of type float.
    """
    names, wanted, book = list(frame.columns), tuple(outputs), Reference.of(reference)
    check_columns(names, book, wanted)
    given = zip(renamed(names, wanted), frame.schema.fields, strict=True)
    passed = [type(field)(name, field.dataType, field.nullable, field.metadata) for name, field in given]
    schema = type(frame.schema)([*passed, *_fields(wanted)])

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        return billed(batches, wanted, book)

    return frame.mapInArrow(work, schema)


def billed(
    batches: Iterable[Any], outputs: Sequence[str] = OUTPUTS, reference: Reference | None = None
) -> Iterator[Any]:
    """Arrow record batches billed one after the other; what a Spark task does."""
    import pyarrow as pa

    from .batch import bill_stream

    rest = iter(batches)
    first = next(rest, None)
    if first is not None:
        source = pa.RecordBatchReader.from_batches(first.schema, itertools.chain([first], rest))
        yield from bill_stream(source, outputs=outputs, reference=reference)


def _fields(outputs: Sequence[str]) -> list[Any]:
    """The answers as Spark's own column types."""
    from pyspark.sql.types import DecimalType, LongType, StringType, StructField

    own = {"units": LongType(), "waste_units": LongType(), "ndc_quantity": DecimalType(38, 6)}
    return [StructField(name, own.get(name, StringType()), True) for name in outputs]
