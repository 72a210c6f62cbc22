"""The verb find: drugs by code, name, brand or NDC; a code's history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jcodeunits.dated import Citation
from jcodeunits.finding import own_rows

from . import terminal
from .arguments import AsOf, Parser, add_answer, asked, parser

if TYPE_CHECKING:
    from jcodeunits.facts.drug_rows import Drug
    from jcodeunits.facts.drugs import History


def find(words: Sequence[str]) -> tuple[int, str]:
    """Drugs by code, ingredient, brand or NDC, in effect on a date; a code's whole history.

    examples:
      jcodeunits find toradol
      jcodeunits find "rho(d)" --on 2024-03-31
      jcodeunits find J1030 --history
      jcodeunits find 0409-3795-01
    """
    args = arguments().read(words)
    text, on = " ".join(args.words), asked(args)
    return _histories(text, on, args.json) if args.history else _drugs(text, on, args.json)


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(find)
    made.add_argument("words", nargs="+", metavar="TEXT", help="a code, a name or part of one, or an NDC")
    made.add_argument("--history", action="store_true", help="every dated row, and what came after")
    add_answer(made)
    return made


def _drugs(text: str, on: AsOf, json: bool) -> tuple[int, str]:
    from jcodeunits.facts.search import find as find_drugs

    found = find_drugs(text, on=on.date, reference=on.reference) or _read(text, on)
    said, own = _own(drug.citation for drug in found)
    if json:
        return 0, on.document(text=text, drugs=[drug.as_dict() for drug in found], **said)
    rows = [(drug.code, drug.name, drug.one_unit, drug.period) for drug in found]
    lines = terminal.table(("code", "drug", "one unit", "in effect"), rows)
    return 0, on.text([*lines, *own, f"on {on}"])


def _own(citations: Iterable[Citation]) -> tuple[dict[str, Any], list[str]]:
    """What JSON and what a reader is told where a site's rows answer in place of shipped ones."""
    notes = own_rows(citations)
    return {"findings": [note.as_dict() for note in notes]} if notes else {}, [note.says for note in notes]


def _read(text: str, on: AsOf) -> tuple[Drug, ...]:
    """The one drug that a text means where it is no part of a name: words around it, a brand in brackets.

    Raises what `billing_units` says of it: near names, or the days of a code that lived at another time.
    """
    from jcodeunits.convert import resolve

    return (resolve(text, on.date, reference=on.reference)[0],)


def _histories(text: str, on: AsOf, json: bool) -> tuple[int, str]:
    from jcodeunits import hcpcs
    from jcodeunits.facts.choosing import rows_meant
    from jcodeunits.facts.search import find as find_drugs

    book = on.reference.drugs
    if hcpcs.is_valid(text):
        codes = [hcpcs.compact(text)]
    else:
        codes = sorted({row.code for row in rows_meant(book, text)})
        codes = codes or sorted({drug.code for drug in find_drugs(text, reference=on.reference)})
    histories = [book.history(code) for code in codes]
    histories = histories or [book.history(row.code) for row in _read(text, on)]
    said, own = _own(row.citation for one in histories for row in (*one.rows, *one.successors, *one.predecessors))
    if json:
        return 0, on.document(text=text, histories=[history.as_dict() for history in histories], **said)
    told = "\n\n".join("\n".join(_history(history)) for history in histories)
    return 0, on.text([told, *own, *on.folders])


def _history(history: History) -> list[str]:
    from jcodeunits.show import evidence

    rows = [(row.code, row.period, row.one_unit, row.name) for row in history]
    lines = terminal.table(("code", "in effect", "one unit", "drug"), rows)
    for word, links in (("then", history.successors), ("before", history.predecessors)):
        for link in links:
            code = link.successor if word == "then" else link.code
            condition = f" for {link.condition}" if link.condition else ""
            says = f"{code}{condition} from {link.effective} ({evidence(link)})"
            lines += terminal.wrapped(says, f"{word:<7}", " " * 7)
    return lines
