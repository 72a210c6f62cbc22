"""A refresh of the sizes that publishers publish: CPU seconds and peak memory of a process of its own, and fifty kills."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
import published

from jcodeunits.facts.folder import open_folder
from jcodeunits.refresh import fold

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and resource use as POSIX has them")

REFRESH = "import sys; from pathlib import Path; from jcodeunits.refresh import fold; "
REFRESH += "fold.refresh([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]))"
SLOW = "import os, sys, time; real = os.replace; "
SLOW += "os.replace = lambda *a: (print('.', flush=True), time.sleep(0.05), real(*a)); " + REFRESH


def measured(place: Path, *paths: Path) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a refresh in a process of its own."""
    told = "; import resource as r; u = r.getrusage(r.RUSAGE_SELF); print(u.ru_utime + u.ru_stime, u.ru_maxrss / 1024)"
    run = subprocess.run(
        [sys.executable, "-c", REFRESH + told, str(place), *map(str, paths)], capture_output=True, text=True, check=True
    )
    seconds, megabytes = map(float, run.stdout.split())
    return seconds, megabytes


LOOK_UP = """
import resource, sys, time
from jcodeunits.facts.reference import Reference
import jcodeunits as jc
book = Reference.load(sys.argv[1]) if len(sys.argv) > 1 else Reference.shipped()
jc.ndc_quantity("00409-3795-01", "30 mg", "2026-11-26", reference=book)
used = resource.getrusage(resource.RUSAGE_SELF)
numbers = [row.number for row in book.products.of_code("J1885", "2026-01-15")][:50]
began = time.process_time()
for number in numbers:
    book.products.find(number, "2026-11-26")
print(used.ru_utime + used.ru_stime, (time.process_time() - began) / len(numbers))
"""


def looked_up(*place: str) -> tuple[float, float]:
    """CPU seconds of the first look-up in a process of its own, with all that it reads, and of one more."""
    run = subprocess.run([sys.executable, "-c", LOOK_UP, *place], capture_output=True, text=True, check=True)
    first, more = map(float, run.stdout.split())
    return first, more


def pairs(count: int, part: int) -> Iterator[published.Pair]:
    """Made pairs, of which about a fifth concern codes of ours."""
    ours = ("96372", "96374", "96365", "96413", "96361", "90471")
    for n in range(count):
        one, other = f"{10000 + (n * 7 + part) % 89999:05}", f"{10000 + (n * 13 + n // 1000) % 89999:05}"
        yield ours[n % 6] if n % 5 == 0 else one, other, "20050101", "*", "1"


def test_two_million_and_six_hundred_thousand_pairs(tmp_path: Path, figure, benchmark) -> None:
    files = [published.ptp(tmp_path, "v323r0", pairs(650_000, part), part) for part in (1, 2, 3, 4)]
    seconds, megabytes = benchmark.pedantic(measured, (tmp_path / "facts", *files), rounds=1)
    figure("PTP of 2.6 million rows, CPU seconds", seconds, "at most 60")
    figure("PTP of 2.6 million rows, MB at most", megabytes, "at most 400")


def test_nsde_of_two_hundred_and_fifty_thousand_rows(tmp_path: Path, figure, benchmark) -> None:
    numbers = {f"{50000 + n // 1000:05}{n % 1000:04}01": ("ML", "EA", "GM")[n % 3] for n in range(250_000)}
    place, file = tmp_path / "facts", published.nsde(tmp_path, numbers, "_2026-11-20")
    seconds, megabytes = benchmark.pedantic(measured, (place, file), rounds=1)
    figure("NSDE of 250,000 rows, CPU seconds", seconds, "at most 60")
    figure("NSDE of 250,000 rows, MB at most", megabytes, "")
    rounds = [(looked_up(), looked_up(str(place))) for _ in range(9)]  # in turn
    for at, what in enumerate(("the first look-up in a process", "one more look-up")):
        before, after = (min(each[side][at] for each in rounds) for side in (0, 1))
        figure(f"{what}, with NSDE / shipped", after / before, "at most 1.2")


def test_fifty_kills(tmp_path: Path, figure, benchmark) -> None:
    place, days = tmp_path / "facts", random.Random(13)
    fold.refresh([published.mue(tmp_path, 2026, 1, {"J9260": 8})], place, anew=True)
    new = kept = 0

    def kill(moment: int) -> None:
        nonlocal new, kept
        before = open_folder(place)
        path = published.mue(tmp_path, 2027 + moment // 4, moment % 4 + 1, {"J9260": 10 + moment % 7})
        run = subprocess.Popen([sys.executable, "-c", SLOW, str(place), str(path)], stdout=subprocess.PIPE)
        assert run.stdout is not None
        if moment % 5:  # four of five while it writes, the others at any time before
            run.stdout.readline()
            time.sleep(days.uniform(0, 1.2))
        else:
            time.sleep(days.uniform(0.3, 4))
        run.send_signal(signal.SIGKILL)
        run.wait(60)
        now = open_folder(place)
        for name, digest in now.digests.items():
            assert fold.folder_of("", {name: Path(str(now.file(name)))}, "").digests[name] == digest
        new, kept = new + (now.fingerprint != before.fingerprint), kept + (now.fingerprint == before.fingerprint)
        fold.refresh([path], place)

    benchmark.pedantic(lambda: [kill(moment) for moment in range(50)], rounds=1)
    figure("fifty kills: old afterwards", kept, "")
    figure("fifty kills: new afterwards", new, "")
    figure("fifty kills: mixed", 50 - new - kept, "none")
