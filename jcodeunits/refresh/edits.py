"""What changed in the table of pairs, read beside the one before line by line: neither is ever loaded whole."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import groupby
from pathlib import Path

from .findings import Change

_NAMED = 4  # codes that a line names
Key = tuple[str, str, str]
Rows = tuple[tuple[str, str, str], ...]  # of one pair and claim: indicator, first and last day


def changes(before: Path, after: Path, codes: Collection[str]) -> list[Change]:
    """For each of these codes and kind of claim how many of its pairs began, ended or changed, and with which codes."""
    found: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (one, other, claim), was, now in _beside(_pairs(before), _pairs(after)):
        what = _what(was, now)
        if what:
            for code, beside in ((one, other), (other, one)):
                if code in codes:
                    found[code, claim][what].append(beside)
    return [
        Change("edit", code, f"{claim}: {'; '.join(_said(what, told[what]) for what in sorted(told))}.")
        for (code, claim), told in sorted(found.items())
    ]


def _said(what: str, codes: list[str]) -> str:
    named = ", ".join(codes[:_NAMED])
    more = f" and {len(codes) - _NAMED:,} more" if len(codes) > _NAMED else ""
    return f"{len(codes):,} pair{'s' * (len(codes) > 1)} {what} ({named}{more})"


def _what(was: Rows, now: Rows) -> str:
    """What became of a pair: began, ended, changed; empty where it stands as it stood."""
    live, lives = (tuple(row for row in rows if not row[2]) for rows in (was, now))
    if bool(live) != bool(lives):
        return "began" if lives else "ended"
    return "changed" if {row[0] for row in live} != {row[0] for row in lives} else ""


def _pairs(file: Path) -> Iterator[tuple[Key, Rows]]:
    """The rows of each pair, in the order of the table, which is sorted by pair and claim."""
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        names = next(reader, [])
        at = [names.index(name) for name in ("column_1", "column_2", "claim", "indicator", "effective", "ends")]
        cells = ([row[i] for i in at] for row in reader)
        for key, rows in groupby(cells, key=lambda row: (row[0], row[1], row[2])):
            yield key, tuple((row[3], row[4], row[5]) for row in rows)


def _beside(before: Iterator[tuple[Key, Rows]], after: Iterator[tuple[Key, Rows]]) -> Iterator[tuple[Key, Rows, Rows]]:
    """The pairs of two tables side by side, those that both hold alike left out."""
    old, new = next(before, None), next(after, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old[0] < new[0]):
            assert old is not None
            yield old[0], old[1], ()
            old = next(before, None)
        elif old is None or new[0] < old[0]:
            yield new[0], (), new[1]
            new = next(after, None)
        else:
            if old[1] != new[1]:
                yield old[0], old[1], new[1]
            old, new = next(before, None), next(after, None)
