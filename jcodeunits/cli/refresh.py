"""The verb refresh: published files to a reference folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import terminal
from .arguments import AsOf, Parser, add_facts, add_json, asked, parser

if TYPE_CHECKING:
    from jcodeunits.facts.reference import Reference


def refresh(words: Sequence[str]) -> tuple[int, str]:
    """Fold published files into a reference folder, with a report of what changed and what does not fit.

    Any files as their publishers publish them, ZIP or plain, and folders of them. A folder that exists is the base;
    one that does not is made from the reference in use. All tables are written or none.

    examples:
      jcodeunits refresh downloads --into facts
      jcodeunits refresh downloads --into facts --check
      jcodeunits refresh ndctext.zip --into facts --edition 2026-11
      jcodeunits refresh --into facts --check --reference facts-of-last-year
      jcodeunits refresh --coverage --reference facts
    """
    made = arguments()
    args = made.read(words)
    on = asked(args)
    if args.coverage:
        return 0, _coverage(args.json, on)
    if not args.into:
        made.error("--into FOLDER is missing: the reference folder to fold into")
    if not args.paths and not args.check:
        made.error("the published files are missing")
    if not all(args.paths):
        made.error("an empty path")
    report = _fold(args, on.reference)
    if args.json:
        return 0, terminal.as_json(on.named(report.as_dict()))
    return 0, str(report.text(limit=10**9 if args.all else 12))


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(refresh)
    made.add_argument("paths", nargs="*", metavar="PATH", help="published files, ZIPs, and folders of them")
    made.add_argument("--into", metavar="FOLDER", help="the reference folder; made where it is not there")
    made.add_argument("--check", action="store_true", help="write nothing, only report")
    made.add_argument("--edition", metavar="2026Q4", help="of files that nothing dates: a quarter, or a month 2026-11")
    made.add_argument("--partial", action="store_true", help="the files hold selected rows: what they lack goes on")
    made.add_argument(
        "--whole", action="store_true", help="a file that lacks or differs from most that was known is meant so"
    )
    made.add_argument("--corrected", action="store_true", help="a file takes the place of the same edition read before")
    made.add_argument("--anew", action="store_true", help="forget what was folded before: these files only")
    made.add_argument(
        "--coverage", action="store_true", help="what the reference holds, and how far each family reaches"
    )
    made.add_argument("--on", metavar="DATE", help="the date that coverage is asked for; today if left out")
    made.add_argument("--all", action="store_true", help="every line of the report, not only the first of each kind")
    add_json(made)
    add_facts(made)
    return made


def _fold(args: Any, reference: Reference) -> Any:
    from jcodeunits.facts.folder import MANIFEST
    from jcodeunits.facts.reference import Reference as Facts
    from jcodeunits.facts.store import Store
    from jcodeunits.refresh.dating import edition_of
    from jcodeunits.refresh.family import Asked
    from jcodeunits.refresh.fold import refresh as folded

    into = Path(args.into)
    told = Asked(edition_of(args.edition) if args.edition else None, args.partial, args.whole, args.corrected)
    # Beside a folder that exists, --reference is what the result is compared with.
    compare = reference if args.reference and (into / MANIFEST).is_file() else None
    own = frozenset(
        word for made in reference.store.own for rows in made.rows.values() for one in rows for word in _named(one)
    )
    return folded(
        [Path(path) for path in args.paths],
        into,
        Facts(Store(reference.store.folder)),
        asked=told,
        check=args.check,
        anew=args.anew,
        compare=compare,
        own=own,
    )


def _named(one: Any) -> set[str]:
    """The codes and NDCs that a site's row names."""
    row = one.row
    return {one.first, getattr(row, "code", "") or "", *getattr(row, "codes", ())} - {""}


def _coverage(json: bool, on: AsOf) -> str:
    from jcodeunits.refresh.lint import coverage
    from jcodeunits.refresh.reaches import reaches

    book = on.reference.drugs
    counts = coverage(book.drugs, book.successors)
    far = reaches(on.reference.store.sources.values(), on.date)
    if json:
        known = {"edition": on.reference.edition, "fingerprint": on.reference.fingerprint}
        families = [reach.as_dict() for reach in far]
        return terminal.as_json(on.named({**counts.as_dict(), "on": str(on.date), "families": families, **known}))
    room = max(len(f"{count:,}") for _, count in counts.rows())
    lines = [line for name, count in counts.rows() for line in terminal.wrapped(name, f"{count:>{room},}  ")]
    lines += ["", f"how far each family reaches, on {on.date}"]
    lines += [line for reach in far for line in terminal.wrapped(str(reach), "  ")]
    return "\n".join([*lines, "", on.reference.edition, *on.folders])
