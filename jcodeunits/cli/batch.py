"""The verb batch: every row of a file billed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import terminal
from .arguments import Parser, add_facts, add_json, facts, parser

if TYPE_CHECKING:
    from jcodeunits.facts.reference import Reference


def batch(words: Sequence[str]) -> tuple[int, str]:
    """Bill every row of a CSV or Parquet file: the same rows out, in the same order, none dropped.

    Columns wanted: drug, dose, unit (or with the dose), on. A row that cannot be billed is refused, with its reason.

    A file is written whole or not at all. On standard output the rows before a fault in the input are written already:
    keep them only with exit status 0 or 1.

    examples:
      jcodeunits batch given.csv -o billed.csv
      jcodeunits batch given.parquet -o billed.parquet --quiet
      jcodeunits batch - -o - < given.csv > billed.csv
    """
    args = arguments().read(words)

    from jcodeunits.batch import bill_file

    reference, folders = facts(args)
    summary = bill_file(progress=shown(args), **files_of(args, reference))
    return int(not summary.ok), summed_up(summary, args, folders)


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(batch)
    add_files(made, needed=True)
    return made


def add_files(made: Parser, needed: bool) -> None:
    """What the verbs in bulk share."""
    read = "CSV, CSV.gz, CSV.zst, Parquet or spreadsheet; - is standard input"
    made.add_argument("file", metavar="FILE", help=read)
    written = "what is written; - is standard output"
    made.add_argument("-o", "--output", metavar="FILE", required=needed, help=written)
    safe = "an apostrophe before CSV cells that look like formulas"
    made.add_argument("--spreadsheet-safe", action="store_true", help=safe)
    add_facts(made)
    made.add_argument("--encoding", default="utf-8", help="of a CSV file; utf-8 if left out")
    written = "of dates that are not ISO: MM/DD/YYYY, DD.MM.YYYY, DD-MON-YY ...; excel: days as Excel counts them"
    made.add_argument("--date-format", metavar="FORM", help=written)
    made.add_argument("--quiet", action="store_true", help="no progress bar")
    add_json(made)


def files_of(args: Any, reference: Reference) -> dict[str, Any]:
    """What the verbs in bulk hand over: the files, how they are written, the facts."""
    named = {"source": args.file, "target": args.output, "encoding": args.encoding}
    how = {"date_format": args.date_format, "spreadsheet_safe": args.spreadsheet_safe}
    return {**named, **how, "reference": reference}


def shown(args: Any) -> bool | None:
    """Whether a progress bar is shown; None: on a terminal."""
    return False if args.quiet else None


def summed_up(summary: Any, args: Any, folders: Sequence[str]) -> str:
    """The closing summary; on standard error where standard output carries the rows."""
    if args.json:
        text = terminal.as_json({**summary.as_dict(), **({"facts": list(folders)} if folders else {})})
    else:
        text = "\n".join([str(summary.text()), *folders])
    if args.output != "-":
        return text
    sys.stderr.write(f"{text}\n")
    return ""
