"""Millions of rows, the same answers as one call at a time.

>>> import pyarrow as pa
>>> table = pa.table({"drug": ["J0696", "ketorolac"], "dose": ["1", "30"], "unit": ["g", "mg"],
...     "on": ["2026-03-02", "2026-03-02"]})
>>> bill(table).select(["hcpcs", "units", "status"]).to_pylist()
[{'hcpcs': 'J0696', 'units': 4, 'status': 'billed'}, {'hcpcs': 'J1885', 'units': 2, 'status': 'billed'}]

Amounts are whole numbers of one scale, rounded by integer division. A drug line is decided in parts, each once for all
rows that share it (`parts`), by the steps that serve one call; the parts are joined and evaluated over arrays
(`details`). What the integers cannot hold is answered by one call, row by row.

A pandas or Polars frame comes back as it came, anything else that speaks Arrow as an Arrow table. In streams:

    Polars     lazy.map_batches(jc.batch.bill, schema=..., streamable=True)
    DuckDB     lines = jc.batch.bill_stream(connection.sql("from given").to_arrow_reader()), then: from lines
    Spark      jcodeunits.spark.bill(frame)
"""

from __future__ import annotations

from .stream import Summary, bill_file, bill_stream
from .table import OPTIONAL, OUTPUTS, REQUIRED, bill

__all__ = ["OPTIONAL", "OUTPUTS", "REQUIRED", "Summary", "bill", "bill_file", "bill_stream"]
