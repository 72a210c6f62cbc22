"""The verb refresh: published files to a reference folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import terminal
from .arguments import Asked, Parser, add_facts, asked, parser


def refresh(words: Sequence[str]) -> tuple[int, str]:
    """Make the reference tables that come from CMS and FDA files, with a report of what does not fit.

    All tables are written or none. The report ends with how to get the next quarter's files.

    examples:
      jcodeunits refresh downloads
      jcodeunits refresh downloads --check
      jcodeunits refresh downloads --into mytables --on 2026-10-01
      jcodeunits refresh --coverage
    """
    made = arguments()
    args = made.read(words)
    on = asked(args)
    if args.coverage:
        return 0, _coverage(args.json, on)
    if args.folder is None:
        made.error("the folder with the published files is missing")

    from jcodeunits.refresh.run import refresh as refreshed

    report = refreshed(Path(args.folder), Path(args.into) if args.into else None, on=on.date, check=args.check)
    if args.json:
        return 0, terminal.as_json(report.as_dict())
    return 0, str(report.text(limit=10**9 if args.all else 12))


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(refresh)
    made.add_argument("folder", nargs="?", metavar="FOLDER", help="where the published files lie")
    made.add_argument("--into", metavar="FOLDER", help="the reference folder; the package's own if left out")
    made.add_argument("--check", action="store_true", help="write nothing, only report")
    made.add_argument("--coverage", action="store_true", help="count what the catalog holds and can compute")
    made.add_argument("--on", metavar="DATE", help="the day on which new rows are verified; today if left out")
    made.add_argument("--all", action="store_true", help="every line of the lint, not only the first of each kind")
    made.add_argument("--json", action="store_true", help="print one JSON document")
    add_facts(made)
    return made


def _coverage(json: bool, on: Asked) -> str:
    from jcodeunits.refresh.lint import coverage

    book = on.reference.drugs
    counts = coverage(book.drugs, book.successors)
    if json:
        known = {"edition": on.reference.edition, "fingerprint": on.reference.fingerprint}
        return terminal.as_json(on.named({**counts.as_dict(), **known}))
    room = max(len(f"{count:,}") for _, count in counts.rows())
    lines = [line for name, count in counts.rows() for line in terminal.wrapped(name, f"{count:>{room},}  ")]
    return "\n".join([*lines, on.reference.edition, *on.folders])
