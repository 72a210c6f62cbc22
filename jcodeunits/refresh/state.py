"""What is folded so far, and what one refresh makes of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import attrs

from jcodeunits import tables

from .family import EVIDENCE, Edition, Row
from .findings import Lint
from .statements import Kept

SOURCE_COLUMNS = tuple(tables.header(tables.Source))


@attrs.frozen
class State:
    """What is folded: everything that was said, and the editions by source id, as rows of `sources.csv`."""

    kept: Mapping[str, Kept]
    sources: Mapping[str, Row]

    @property
    def days(self) -> dict[str, dt.date]:
        """The first day of each edition by source id; of one whose first day is that of its oldest row, the last."""
        return {key: dt.date.fromisoformat(row["published"]) for key, row in self.sources.items()}


@attrs.frozen
class FoldResult:
    """The state after a fold, the tables' `texts`, the file of the pairs (`edits`), and what was noticed."""

    state: State
    texts: Mapping[str, str]
    edits: Path
    read: tuple[Edition, ...]
    known: tuple[Edition, ...]
    left_out: tuple[str, ...]
    lint: tuple[Lint, ...]

    @property
    def contents(self) -> dict[str, bytes | Path]:
        """Every file of the folder by name."""
        made: dict[str, bytes | Path] = {f"{name}.csv": text.encode() for name, text in self.texts.items()}
        return made | {"edits.csv": self.edits}

    @property
    def edition(self) -> str:
        """The newest edition of the code set."""
        codes = [row for key, row in self.state.sources.items() if key.startswith("hcpcs-2")]
        return max(codes, key=lambda row: (row["last_day"], row["id"]))["title"] if codes else "no HCPCS edition"


NOTHING = State({name: Kept() for name in EVIDENCE}, {})
