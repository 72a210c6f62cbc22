"""The verb audit: lines that were billed already, judged."""

from __future__ import annotations

from collections.abc import Sequence

from .arguments import Parser, add_on, asked, parser
from .batch import add_files, files_of, shown, summed_up


def audit(words: Sequence[str]) -> tuple[int, str]:
    """Judge lines that were billed already: what ours would be, the difference, and why.

    Columns wanted: claim, line, code, units, modifiers, on, dose, unit. Lines of one claim, code and day are
    judged together; what cannot be judged is unjudged, never wrong.

    With --chargemaster the file is a charge table without patients: item, code, units_per_charge, charge_unit.

    examples:
      jcodeunits audit claims.csv
      jcodeunits audit claims.parquet -o judged.parquet
      jcodeunits audit claims.csv --report report.html --sample 50 --by cause
      jcodeunits audit --chargemaster charges.csv -o judged.csv --on 2026-03-02
    """
    args = arguments().read(words)

    from jcodeunits.audit import chargemaster_file, judge_file

    on = asked(args)
    how = {**files_of(args, on.reference), "sample": args.sample, "by": args.by, "page": args.report}
    report = chargemaster_file(on=on.date, **how) if args.chargemaster else judge_file(progress=shown(args), **how)
    return int(not report.ok), summed_up(report, args, on.folders)


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(audit)
    add_files(made, needed=False)
    made.add_argument("--chargemaster", action="store_true", help="the file is a charge table, judged row by row")
    page = "the report as a page (.html) that stands alone, or as Markdown (.md)"
    made.add_argument("--report", metavar="FILE", help=page)
    drawn = "for a reviewer: at most N rows of each cause (or of each --by), in -o instead of all, and in the report"
    made.add_argument("--sample", metavar="N", type=int, default=0, help=drawn)
    made.add_argument("--by", choices=("cause", "code", "verdict"), default="cause", help="what the sample is taken by")
    add_on(made)
    return made
