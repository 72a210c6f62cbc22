"""A CSV with a ragged line, billed again and again under load: `python tests/bench/ragged.py [--runs 400] [--at-once 5]`.

Each run must end with status 2, say which line it is, and leave the earlier output as it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main() -> None:
    """Run and count how the runs ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "ragged.csv"
        good = "J0696,1,g,2026-03-02,a note that makes the line as long as lines are\n"
        source.write_text("drug,dose,unit,on,note\n" + good * 200_000 + "J0696,1\n" + good * 1000, "utf-8")

        def run(number: int) -> tuple[int, bool, bool]:
            target = folder / f"out{number}.csv"
            target.write_text("earlier", "utf-8")
            done = subprocess.run(
                [sys.executable, "-m", "jcodeunits", "batch", str(source), "-o", str(target)],
                capture_output=True,
                text=True,
            )
            return done.returncode, "row 200,002" in done.stderr, target.read_text("utf-8") == "earlier"

        with ThreadPoolExecutor(args.at_once) as pool:
            ends = Counter(pool.map(run, range(args.runs)))
    for (status, told, kept), count in ends.most_common():
        print(f"{count:4} runs: status {status}, the line {'named' if told else 'not named'}, output kept: {kept}")


if __name__ == "__main__":
    main()
