"""Millions of rows: Arrow in, Arrow out, the same answers as one call at a time.

>>> import pyarrow as pa
>>> table = pa.table({"drug": ["J0696", "ketorolac"], "dose": ["1", "30"], "unit": ["g", "mg"],
...     "on": ["2026-03-02", "2026-03-02"]})
>>> bill(table).select(["hcpcs", "units", "status"]).to_pylist()
[{'hcpcs': 'J0696', 'units': 4, 'status': 'billed'}, {'hcpcs': 'J1885', 'units': 2, 'status': 'billed'}]

Amounts are whole numbers of one scale, rounded by integer division; names, units and dates are resolved once for
each distinct value. What the integers cannot hold is answered by one call, row by row. Modifiers and findings are
asked of the one-call path once for each case that rows share, and its figures are compared with the arrays'.

Every engine that speaks Arrow uses the same kernel:

    pandas     jc.batch.bill(frame).to_pandas()
    Polars     lazy.map_batches(lambda frame: pl.from_arrow(jc.batch.bill(frame)), schema=..., streamable=True)
    DuckDB     lines = jc.batch.bill_stream(connection.sql("from given").to_arrow_reader()), then: from lines
    Spark      jcodeunits.spark.bill(frame)
"""

from __future__ import annotations

from .stream import Summary, bill_file, bill_stream
from .table import OPTIONAL, OUTPUTS, REQUIRED, bill

__all__ = ["OPTIONAL", "OUTPUTS", "REQUIRED", "Summary", "bill", "bill_file", "bill_stream"]
