"""The verb audit: lines that were billed already, judged."""

from __future__ import annotations

from collections.abc import Sequence

from .arguments import facts, parser
from .batch import add_files, summed_up


def audit(words: Sequence[str]) -> tuple[int, str]:
    """Judge lines that were billed already: what ours would be, the difference, and why.

    Columns wanted: claim, line, code, units, modifiers, on, dose, unit. Lines of one claim, code and day are
    judged together; what cannot be judged is unjudged, never wrong.

    examples:
      jcodeunits audit claims.csv
      jcodeunits audit claims.parquet -o judged.parquet
    """
    made = parser(audit, "FILE [-o FILE] [--spreadsheet-safe] [--encoding NAME] [--quiet] [--json]")
    add_files(made, needed=False)
    args = made.parse_intermixed_args(words)

    from jcodeunits.audit import judge_file

    reference, folders = facts(args)
    report = judge_file(
        args.file,
        args.output,
        spreadsheet_safe=args.spreadsheet_safe,
        encoding=args.encoding,
        reference=reference,
        progress=False if args.quiet else None,
    )
    return int(not report.ok), summed_up(report, args, folders)
