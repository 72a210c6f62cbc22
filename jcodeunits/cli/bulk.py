"""The verbs in bulk: batch, audit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from . import terminal
from .arguments import Parser, add_json, add_tables, own_tables, parser


def batch(words: Sequence[str]) -> tuple[int, str]:
    """Bill every row of a CSV or Parquet file: the same rows out, in the same order, none dropped.

    Columns wanted: drug, dose, unit, on. A row that cannot be billed is marked refused, with its reason.

    examples:
      jcodeunits batch given.csv -o billed.csv
      jcodeunits batch given.parquet -o billed.parquet --quiet
      jcodeunits batch - -o - < given.csv > billed.csv
    """
    made = parser(batch, "FILE -o FILE [--spreadsheet-safe] [--encoding NAME] [--quiet] [--json]")
    _add_files(made, needed=True)
    args = made.parse_intermixed_args(words)

    from jcodeunits.batch import bill_file

    own = own_tables(args.tables)
    summary = bill_file(
        args.file, args.output, spreadsheet_safe=args.spreadsheet_safe, encoding=args.encoding,
        catalog=own.catalog, policy=own.policy, progress=False if args.quiet else None,
    )  # fmt: skip
    return int(not summary.ok), _summed_up(summary, args)


def _add_files(made: Parser, needed: bool) -> None:
    read = "CSV, CSV.gz, CSV.zst, Parquet or spreadsheet; - is standard input"
    made.add_argument("file", metavar="FILE", help=read)
    written = "what is written; - is standard output"
    made.add_argument("-o", "--output", metavar="FILE", required=needed, help=written)
    safe = "an apostrophe before CSV cells that look like formulas"
    made.add_argument("--spreadsheet-safe", action="store_true", help=safe)
    add_tables(made)
    made.add_argument("--encoding", default="utf-8", help="of a CSV file; utf-8 if left out")
    made.add_argument("--quiet", action="store_true", help="no progress bar")
    add_json(made)


def _summed_up(summary: Any, args: Any) -> str:
    """The closing summary; on standard error where standard output carries the rows."""
    text = terminal.as_json(summary.as_dict()) if args.json else str(summary.text())
    if args.output != "-":
        return text
    sys.stderr.write(f"{text}\n")
    return ""


def audit(words: Sequence[str]) -> tuple[int, str]:
    """Judge lines that were billed already: what ours would be, the difference, and why.

    Columns wanted: claim, line, code, units, modifiers, on, dose, unit. Lines of one claim, code and day are
    judged together; what cannot be judged is unjudged, never wrong.

    examples:
      jcodeunits audit claims.csv
      jcodeunits audit claims.parquet -o judged.parquet
    """
    made = parser(audit, "FILE [-o FILE] [--spreadsheet-safe] [--encoding NAME] [--quiet] [--json]")
    _add_files(made, needed=False)
    args = made.parse_intermixed_args(words)

    from jcodeunits.audit import judge_file

    own = own_tables(args.tables)
    report = judge_file(
        args.file, args.output, spreadsheet_safe=args.spreadsheet_safe, encoding=args.encoding,
        catalog=own.catalog, policy=own.policy, progress=False if args.quiet else None,
    )  # fmt: skip
    return int(not report.ok), _summed_up(report, args)
