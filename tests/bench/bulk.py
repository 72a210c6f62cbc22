"""The figures of bulk work on this machine: `python tests/bench/bulk.py [--rows 10000000] [--folder /tmp]`.

Each is a ratio within one run, so that a busy machine changes both sides: billing a Parquet file against reading
and writing the same columns with Arrow alone; the units in memory against the bare integer kernel; beside them a
loop through Pint, one call of `billing_units` after the other, and a query in DuckDB that computes the units only.
Memory is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent))  # what the tests share
from shipped import DRUGS, rows_of

import jcodeunits as jc
import jcodeunits.audit
from jcodeunits import units
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.product_rows import Product

FIRST = dt.date(2024, 4, 1)
REALISTIC = dt.date(2025, 1, 1)
PART = 1_000_000
UNITS = ("mg", "mcg", "g")


def drugs(count: int = 850) -> list[Drug]:
    """Rows with a billing unit of mass that count any dose, in effect on all days of the file."""
    last = FIRST + dt.timedelta(699)
    found = {
        row.code: row
        for row in DRUGS.drugs
        if row.basis in ("per", "up to") and row.unit in UNITS and row.period.holds(FIRST) and row.period.holds(last)
        if all(one.alone == "total" for one in DRUGS.combined_ever(row.code))
    }
    return [found[code] for code in sorted(found)][:count]


def table(rows: int, seed: int, codes: list[str]) -> Any:
    """Administrations: about 850 drugs, 700 dates, decimals of three places, mg, mcg and g."""
    rng = np.random.default_rng(seed)
    first = (FIRST - dt.date(1970, 1, 1)).days
    days = pa.array(rng.integers(first, first + 700, rows, dtype=np.int32)).view(pa.date32())
    return pa.table(
        {
            "id": np.arange(seed * PART, seed * PART + rows),
            "drug": pa.DictionaryArray.from_arrays(rng.integers(0, len(codes), rows, dtype=np.int32), codes),
            "dose": rng.integers(1, 10**6, rows) / 1000,
            "unit": pa.DictionaryArray.from_arrays(rng.integers(0, 3, rows, dtype=np.int32), list(UNITS)),
            "on": days,
        }
    )


def opened(count: int = 4000) -> list[Product]:
    """Products whose codes are in effect in the middle of the realistic file, and whose amount is known."""
    day = REALISTIC + dt.timedelta(270)
    live = {row.code for row in DRUGS.drugs if row.period.holds(day)}
    return [
        item
        for item in rows_of(Product)
        if item.period.holds(day)
        and item.amount is not None
        and (item.amount * 1000).denominator == 1
        and item.codes
        and item.codes[0] in live
        and units.is_known(item.unit)
        and units.dimension(item.unit) != "volume"
    ][:count]


def realistic(rows: int, seed: int, items: list[Product]) -> Any:
    """Administrations as records have them: all doses different, and everything that a row may say beside.

    About 4,000 NDCs, half of the rows named by theirs, 440 days, doses to three decimals, single- and multi-dose and
    unknown containers, waste recorded for six in ten, three payers, four places, two routes.
    """
    rng = np.random.default_rng(seed)

    def drawn(words: list[str | None]) -> Any:
        return pa.array(words, pa.string()).take(pa.array(rng.integers(0, len(words), rows)))

    at = rng.integers(0, len(items), rows)
    containers = rng.integers(1, 4, rows)
    label = np.array([int(item.dose.amount * 1000) for item in items if item.dose is not None])[at] * containers
    dose = rng.integers(0, 1 << 62, rows) % label + 1
    numbers, codes = pa.array([item.number for item in items]), pa.array([item.codes[0] for item in items])
    by_number = pa.array(rng.random(rows) < 0.5)
    first = (REALISTIC - dt.date(1970, 1, 1)).days
    ndc = numbers.take(pa.array(at))
    return pa.table(
        {
            "id": np.arange(seed * PART, seed * PART + rows),
            "drug": pc.if_else(by_number, ndc, codes.take(pa.array(at))),
            "dose": dose / 1000,
            "unit": pa.array([item.unit for item in items]).take(pa.array(at)),
            "on": pa.array(rng.integers(first, first + 440, rows, dtype=np.int32)).view(pa.date32()),
            "route": drawn(["IV infusion", "IM"]),
            "place": drawn(["11", "12", "20", "22"]),
            "payer": drawn(["medicare", "medicaid", "commercial"]),
            "ndc": ndc,
            "container": drawn(["single-dose", "multi-dose", None]),
            "containers": containers,
            "discarded": pa.array((label - dose) / 1000, mask=rng.random(rows) < 0.4),
        }
    )


def write_realistic(path: Path, rows: int) -> None:
    """A Parquet file of realistic rows."""
    items = opened()
    with pq.ParquetWriter(path, realistic(1, 0, items).schema) as writer:
        for start in range(0, rows, PART):
            writer.write_table(realistic(min(PART, rows - start), start // PART, items))


def billed_lines(rows: int, seed: int, items: list[Product]) -> Any:
    """Billed lines of realistic rows, two or three to a claim: JW lines beside theirs, 3 in 100 with wrong units."""
    made = jc.batch.bill(realistic(rows, seed, items))
    made = made.filter(pc.equal(made["status"].cast(pa.string()), "billed"))
    rng, count = np.random.default_rng(seed), made.num_rows
    waste, counted = made["waste_units"].to_numpy(), made["units"].to_numpy()
    counted = np.where(rng.random(count) < 0.03, counted * 10, counted)
    claim = np.cumsum(rng.random(count) < 0.4) + seed * PART
    at = np.repeat(np.arange(count), 1 + (waste > 0))
    second = np.concatenate([[False], at[1:] == at[:-1]])
    lines = made.take(pa.array(at))
    own = {name: lines[name] for name in ("on", "dose", "unit", "drug", "ndc", "container", "containers", "discarded")}
    quantity = lines["ndc_quantity"].cast(pa.string())
    return pa.table(
        {
            "claim": claim[at],
            "line": np.arange(len(at)),
            "code": lines["hcpcs"].cast(pa.string()),
            "units": np.where(second, waste[at], counted[at]),
            "modifiers": pc.if_else(pa.array(second), "JW", lines["modifier"].cast(pa.string())),
            **own,
            "ndc_qualifier": lines["ndc_qualifier"].cast(pa.string()),
            "ndc_quantity": pc.if_else(pa.array(second), None, quantity),
            "payer": lines["payer"],
            "place": lines["place"],
        }
    )


def write_lines(path: Path, rows: int) -> None:
    """A Parquet file of billed lines of so many administrations."""
    items, writer = opened(), None
    for start in range(0, rows, PART):
        lines = billed_lines(min(PART, rows - start), start // PART, items)
        writer = writer or pq.ParquetWriter(path, lines.schema)
        writer.write_table(lines)
    if writer is not None:
        writer.close()


def write_file(path: Path, rows: int) -> None:
    """A Parquet file of administrations with plain text columns."""
    codes = [row.code for row in drugs()]
    writer = None
    for start in range(0, rows, PART):
        part = table(min(PART, rows - start), start // PART, codes)
        plain = part.cast(
            pa.schema(
                [
                    ("id", pa.int64()),
                    ("drug", pa.string()),
                    ("dose", pa.float64()),
                    ("unit", pa.string()),
                    ("on", pa.date32()),
                ]
            )
        )
        writer = writer or pq.ParquetWriter(path, plain.schema)
        writer.write_table(plain)
    if writer is not None:
        writer.close()


def best(work: Callable[[], Any], times: int = 3) -> float:
    """Seconds of the fastest of several runs."""
    made = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        made.append(time.perf_counter() - begun)
    return min(made)


def arrow_alone(source: Path, billed: Path, target: Path) -> float:
    """Seconds of Arrow alone, by its own defaults: reading the input's columns, writing the output's."""
    made = pq.read_table(billed)
    return best(lambda: pq.read_table(source), 1) + best(lambda: pq.write_table(made, target), 1)


def in_memory(rows: int, times: int = 5) -> tuple[float, float]:
    """Seconds of the units alone in memory, and of the bare kernel on the same figures."""
    listed = drugs()
    made = table(rows, 1, [row.code for row in listed])
    milli = np.rint(made["dose"].to_numpy() * 1000).astype(np.int64)
    given = made.set_column(2, "dose", pa.array(milli))
    factors = {"mg": Fraction(1), "mcg": Fraction(1, 1000), "g": Fraction(1000)}
    ratios = [factors[u] / (row.size * factors[row.unit]) for row in listed for u in UNITS]
    top = np.array([ratio.numerator for ratio in ratios], np.int64)
    bottom = np.array([ratio.denominator for ratio in ratios], np.int64)
    drug = made["drug"].combine_chunks().indices.to_numpy()
    unit = made["unit"].combine_chunks().indices.to_numpy()

    def bare() -> Any:
        cell = drug * np.int32(3) + unit
        size = bottom[cell]
        return (milli * top[cell] + (size - 1)) // size

    def bulk() -> Any:
        return jc.batch.bill(given, outputs=("units",))

    assert np.array_equal(bulk()["units"].to_numpy(), bare())
    pairs = [(best(bulk, 1), best(bare, 1)) for _ in range(times)]
    return min(a for a, _ in pairs), min(b for _, b in pairs)


def one_by_one(rows: int) -> float:
    """Seconds of `billing_units`, called for one row after the other."""
    made = table(rows, 1, [row.code for row in drugs()]).to_pylist()

    def loop() -> None:
        for row in made:
            jc.billing_units(row["drug"], jc.Dose.of(row["dose"], row["unit"]), row["on"])

    return best(loop, 1)


def pint_loop(rows: int) -> float:
    """Seconds of a loop that divides Pint quantities of Pint's default registry."""
    import pint

    registry: Any = pint.UnitRegistry()
    listed = {row.code: row for row in drugs()}
    sizes = {
        code: registry.Quantity(float(row.size or 1), row.unit.replace("mcg", "microgram"))
        for code, row in listed.items()
    }
    names = {"mg": "milligram", "mcg": "microgram", "g": "gram"}
    made = table(rows, 1, list(listed)).to_pylist()

    def loop() -> None:
        for row in made:
            dose = registry.Quantity(row["dose"], names[row["unit"]])
            math.ceil((dose / sizes[row["drug"]]).to("dimensionless").magnitude)

    return best(loop, 1)


def duckdb_query(source: Path, target: Path) -> float:
    """Seconds of a hand-written query that computes the units alone, Parquet to Parquet."""
    import duckdb

    listed = drugs()
    factors = {"mg": 1_000, "mcg": 1, "g": 1_000_000}
    sizes = pa.table(
        {
            "code": [row.code for row in listed],
            "size": [int(row.size * factors[row.unit] * 1000) for row in listed if row.size],
        }
    )
    query = f"""
        copy (select a.*, cast(ceil(round(dose * 1000) * case unit when 'mg' then 1000 when 'g' then 1000000 else 1 end
                                    / size) as bigint) as units
              from '{source}' a join sizes on drug = code) to '{target}' (format parquet)
    """
    connection = duckdb.connect()
    connection.register("sizes", sizes)
    return best(lambda: connection.execute(query), 2)


def memory(source: Path, target: Path, work: str = "batch import bill_file") -> float:
    """Peak memory in MB of a process that bills the file, as the system has counted it for that process alone."""
    code = (
        f"import sys; from jcodeunits.{work} as work; work(sys.argv[1], sys.argv[2]);"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), str(target)], capture_output=True, text=True, check=True
    )
    return float(done.stdout) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--realistic-only", action="store_true", help="the file of realistic rows and nothing else")
    parser.add_argument("--audit-only", action="store_true", help="the audit of billed lines and nothing else")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        chosen = measure_realistic if args.realistic_only else measure_audit if args.audit_only else measure
        chosen(Path(name), args.rows, args.times)


def measure(folder: Path, rows: int, times: int) -> None:
    """All figures, one line each."""
    source, target, other = folder / "in.parquet", folder / "out.parquet", folder / "arrow.parquet"
    write_file(source, rows)
    print(f"{rows:,} rows, {len(drugs())} drugs, 700 dates; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    jc.batch.bill_file(source, target)
    pairs = []
    for _ in range(times):
        mine = best(lambda: jc.batch.bill_file(source, target), 1)
        pairs.append((mine, arrow_alone(source, target, other)))
    ours, arrow = min(a for a, _ in pairs), min(b for _, b in pairs)
    print(
        f"Parquet to Parquet, all columns   {ours:6.2f} s   Arrow alone {arrow:6.2f} s   ratio {ours / arrow:.2f} (at most 2)"
    )
    print(f"DuckDB, units alone               {duckdb_query(source, other):6.2f} s")
    bulk, bare = in_memory(rows)
    print(
        f"units in memory                   {bulk:6.3f} s   bare kernel {bare:6.3f} s   ratio {bulk / bare:.2f} (at most 3)"
    )
    few = max(rows // 500, 1000)
    single, pint = one_by_one(few) / few, pint_loop(few) / few
    print(
        f"billing_units, row by row         {single * rows:6.0f} s   for all rows, from {few:,}: {single / bulk * rows:,.0f} x the units in memory"
    )
    print(
        f"Pint, row by row                  {pint * rows:6.0f} s   for all rows, from {few:,}: {pint / bulk * rows:,.0f} x the units in memory"
    )
    measure_realistic(folder, rows, times)
    measure_audit(folder, rows, times)
    small = memory(source, target)
    source.unlink()
    write_file(source, 4 * rows)
    large = memory(source, target)
    print(f"peak memory                       {small:6.0f} MB   at {4 * rows:,} rows {large:.0f} MB (below 1000, flat)")


def measure_realistic(folder: Path, rows: int, times: int) -> None:
    """The ratio of realistic rows to reading and writing the very same table, in turn; memory, also at four times."""
    real, lines, other = folder / "real.parquet", folder / "lines.parquet", folder / "other.parquet"
    write_realistic(real, rows)
    begun = time.process_time()
    jc.batch.bill_file(real, lines)
    ours, begun = time.process_time() - begun, time.process_time()
    arrow_alone(real, lines, other)
    floor = time.process_time() - begun
    print(f"realistic rows, processor time    {ours:6.2f} s   Arrow alone {floor:6.2f} s   ratio {ours / floor:.2f}")
    pairs = [(best(lambda: jc.batch.bill_file(real, lines), 1), arrow_alone(real, lines, other)) for _ in range(times)]
    ours, floor = (sorted(figures)[times // 2] for figures in zip(*pairs, strict=True))
    print(
        f"realistic rows, all columns       {ours:6.2f} s   Arrow alone {floor:6.2f} s   ratio {ours / floor:.2f} (at most 4)"
    )
    small = memory(real, lines)
    write_realistic(real, 4 * rows)
    large = memory(real, lines)
    print(f"peak memory of realistic rows     {small:6.0f} MB   at {4 * rows:,} rows {large:.0f} MB (below 1000, flat)")


def measure_audit(folder: Path, rows: int, times: int) -> None:
    """The same of an audit of the lines of so many administrations, whose claims stand together."""
    lines, judged, other = folder / "lines.parquet", folder / "judged.parquet", folder / "other.parquet"
    write_lines(lines, rows)
    count = pq.read_metadata(lines).num_rows
    jc.audit.judge_file(lines, judged)
    pairs = [
        (best(lambda: jc.audit.judge_file(lines, judged), 1), arrow_alone(lines, judged, other)) for _ in range(times)
    ]
    ours, floor = (sorted(figures)[times // 2] for figures in zip(*pairs, strict=True))
    print(
        f"audit of {count:,} lines      {ours:6.2f} s   Arrow alone {floor:6.2f} s   ratio {ours / floor:.2f} (at most 4)"
    )
    print(f"peak memory of the audit          {memory(lines, judged, 'audit import judge_file'):6.0f} MB (below 2000)")


if __name__ == "__main__":
    main()
