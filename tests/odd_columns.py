"""Two rows of every kind of column that a table may hold, the ends of its range among them."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pyarrow as pa

ODD_COLUMNS = [
    pa.array([None] * 2),
    pa.array([True, False]),
    pa.array([11, 12], pa.uint64()),
    pa.array([5.0, 6.0]),
    pa.array([Decimal("5.00"), Decimal("6.00")], pa.decimal128(10, 2)),
    pa.array([Decimal("5.00"), Decimal("6.00")], pa.decimal256(50, 2)),
    pa.array(["abc", "11"], pa.large_string()),
    pa.array(["abc", "11"], pa.string_view()),
    pa.array([b"abc", b"11"]),
    pa.array([b"ab\xff", b"11"]),
    pa.array([b"abc", b"abd"], pa.binary(3)),
    pa.array([dt.date(2026, 3, 2)] * 2),
    pa.array([20514 * 86400] * 2, pa.timestamp("s")),
    pa.array([dt.time(9, 30)] * 2),
    pa.array([dt.timedelta(1)] * 2),
    pa.array([["a"], ["b"]]),
    pa.array([[("a", "b")]] * 2, pa.map_(pa.string(), pa.string())),
    pa.array([{"a": 1}] * 2),
    pa.array(["abc", "11"]).dictionary_encode(),
    pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["11"])),
    pa.array([2**64 - 1, 1], pa.uint64()),
    pa.array([2**63 - 1, -(2**63)]),
    pa.array([math.nan, math.inf]),
    pa.array([Decimal("1.5"), None], pa.decimal128(38, 37)),
    pa.array([2**62, -(2**62)], pa.timestamp("s")),
    pa.array([30, 40]).dictionary_encode(),
]
