"""The verbs at the counter that need no file: units, find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jcodeunits.errors import LONGEST, EncounterError, JcodeunitsError, UnknownDrug, UnreadableDose, quoted

from . import terminal
from .arguments import Day, add_json, add_on, add_tables, day, document, own_tables, parser

if TYPE_CHECKING:
    import argparse

    from jcodeunits.catalog import History
    from jcodeunits.convert import BilledUnits
    from jcodeunits.dose import Dose

# --- units ------------------------------------------------------------------------------------------


def units(words: Sequence[str]) -> tuple[int, str]:
    """How many billing units of which code a dose is, on a date of service.

    examples:
      jcodeunits units ketorolac 30 mg
      jcodeunits units J0696 1 g --on 2026-03-02 --explain
      jcodeunits units penicillin G benzathine 2.4 million units
      jcodeunits units J9000 60 mg/m2 --surface 1.7
      jcodeunits units Kenalog 0.5 mL --concentration "40 mg/mL"
    """
    made = parser(
        units,
        "DRUG DOSE... [--on DATE] [--route ROUTE]\n"
        "         [--weight KG | --surface M2 | --concentration C] [--explain] [--json]",
    )
    made.add_argument("words", nargs="+", metavar="DRUG DOSE", help="a code, name or NDC, then the dose")
    add_on(made)
    made.add_argument("--route", help="how it was given (IM, SC, oral ...), where a name needs it")
    how = made.add_mutually_exclusive_group()
    how.add_argument("--weight", metavar="KG", help="body weight, for a dose such as 1.5 mg/kg")
    how.add_argument("--surface", metavar="M2", help="body surface, for a dose such as 75 mg/m2")
    how.add_argument("--concentration", metavar="C", help="for a dose by volume: 40 mg/mL, 1%%, 1:1000")
    made.add_argument("--basis", help="the part of a combination that the dose counts")
    add_tables(made)
    made.add_argument("--explain", action="store_true", help="show every step and its source")
    add_json(made)
    args = made.parse_intermixed_args(words)

    from jcodeunits.convert import billing_units

    on = day(args.on)
    drug, dose = split(args.words, lambda text: _dose(text, args))
    own = own_tables(args.tables)
    billed = billing_units(drug, dose, on.date, _route(args.route), args.basis, own.catalog)
    status = int(any(finding.severity == "stop" for finding in billed.findings))
    if args.json:
        return status, terminal.as_json(billed.as_dict())
    return status, "\n".join(_told(billed, on, args.explain)).rstrip()


def _dose(text: str, args: argparse.Namespace) -> Dose:
    from jcodeunits.dose import Dose

    if args.weight:
        return Dose.by_weight(text, _measure(args.weight, "kg"))
    if args.surface:
        return Dose.by_surface(text, _measure(args.surface, "m2"))
    if args.concentration:
        return Dose.by_volume(text, args.concentration)
    return Dose.of(text)


def _measure(text: str, unit: str) -> str:
    """A bare number of the option means the option's own unit."""
    bare = text.strip()
    return f"{bare} {unit}" if bare.replace(".", "", 1).isdigit() else bare


def _route(text: str | None) -> str | None:
    if text is None:
        return None
    from jcodeunits import routes

    known = routes.find(text)
    if known is None:
        raise EncounterError(
            f"--route: {quoted(text)} is not a known route. Allowed: {', '.join(routes.NAMES)}.",
            path="--route", given=text, allowed=routes.NAMES,
        )  # fmt: skip
    return known


def split(words: Sequence[str], read: Callable[[str], Dose]) -> tuple[str, Dose]:
    """Drug and dose out of unquoted words: the dose begins at the first word that is no word.

    A later one is tried only where what stands before it is a drug's name ("factor 8 500 units"); else
    "ketorolac 1 500 mg" would lose its 1.
    """
    written = " ".join(words)
    if len(written) > 2 * LONGEST:
        raise UnreadableDose(
            f"{quoted(written)} is no drug and dose: it has {len(written)} characters. Write the drug, then a "
            "number and a unit, such as 30 mg.", given=written, instead="30 mg",
        )  # fmt: skip
    pieces = words[0].split() if len(words) == 1 else list(words)
    starts = [1] if len(pieces) == 2 else [i for i in range(1, len(pieces)) if not pieces[i][:1].isalpha()]
    if not starts:
        raise UnreadableDose(
            f"{quoted(' '.join(pieces))} holds no dose. Write the drug, then a number and a unit, such as 30 mg.",
            given=" ".join(pieces), instead="30 mg",
        )  # fmt: skip
    drug, text = " ".join(pieces[: starts[0]]), " ".join(pieces[starts[0] :])
    try:
        return drug, read(text)
    except JcodeunitsError:
        for start in starts[1:]:
            longer = " ".join(pieces[:start])
            if _is_named(longer):
                return longer, read(" ".join(pieces[start:]))
        raise


def _is_named(drug: str) -> bool:
    from jcodeunits.catalog import shipped

    try:
        return bool(shipped().rows_named(drug)[0])
    except JcodeunitsError:  # an unsafe abbreviation is a name too; the answer will say so
        return True


def counted(count: int) -> str:
    """How many billing units: never plain "units", which a drug's own activity is measured in."""
    return f"{count} billing unit{'s' * (count != 1)}"


def _told(billed: BilledUnits, on: Day, explain: bool) -> list[str]:
    """The answer in a few lines: what to bill, the sum, the day; or every step with its source."""
    steps = billed.trace.steps
    sum_of = "; ".join([step.says for step in steps[1:-1]] + [steps[-1].why])
    count = counted(billed.count)
    lines = terminal.fields(
        (
            (billed.code, f"{count} of {billed.drug.label}"),
            ("dose", "" if explain else sum_of),
            ("on", f"{on}; code in effect {billed.drug.period}"),
        )
    )
    lines[0] = lines[0].replace(count, terminal.styled(count, "bold"), 1)
    if explain:
        lines += ["", *terminal.steps(steps), ""]
    return lines + terminal.finding_lines(billed.findings)


# --- find -------------------------------------------------------------------------------------------


def find(words: Sequence[str]) -> tuple[int, str]:
    """Drugs by code, ingredient, brand or NDC, in effect on a date; a code's whole history.

    examples:
      jcodeunits find toradol
      jcodeunits find "rho(d)" --on 2024-03-31
      jcodeunits find J1030 --history
      jcodeunits find 0409-3795-01
    """
    made = parser(find, "TEXT [--on DATE] [--history] [--json]")
    made.add_argument("words", nargs="+", metavar="TEXT", help="a code, a name or part of one, or an NDC")
    add_on(made)
    made.add_argument("--history", action="store_true", help="every dated row, and what came after")
    add_json(made)
    args = made.parse_intermixed_args(words)
    text, on = " ".join(args.words), day(args.on)
    return _histories(text, on, args.json) if args.history else _drugs(text, on, args.json)


def _drugs(text: str, on: Day, json: bool) -> tuple[int, str]:
    from jcodeunits.search import find as find_drugs

    found = find_drugs(text, on=on.date)
    if not found:
        raise _nothing(text, on)
    if json:
        return 0, document(on, text=text, drugs=[drug.as_dict() for drug in found])
    rows = [(drug.code, drug.name, drug.one_unit, drug.period) for drug in found]
    lines = terminal.table(("code", "drug", "one unit", "in effect"), rows)
    return 0, "\n".join([*lines, f"on {on}"])


def _nothing(text: str, on: Day) -> JcodeunitsError:
    """Why nothing was found, with near names; a code that lived on other days says so itself."""
    from jcodeunits.convert import resolve

    try:
        row, _ = resolve(text, on.date)
    except JcodeunitsError as why:
        return why
    return UnknownDrug(
        f"Nothing is listed under {quoted(text)} on {on.date} but {row.code}.", given=text, near=(row.code,)
    )


def _histories(text: str, on: Day, json: bool) -> tuple[int, str]:
    from jcodeunits import catalog, hcpcs
    from jcodeunits.search import find as find_drugs

    book = catalog.shipped()
    if hcpcs.is_valid(text):
        codes = [hcpcs.compact(text)]
    else:
        codes = sorted({row.code for row in book.rows_named(text)[0]})
        codes = codes or sorted({drug.code for drug in find_drugs(text)})
    histories = [book.history(code) for code in codes]
    if not histories:
        raise _nothing(text, on)
    if json:
        return 0, document(on, text=text, histories=[history.as_dict() for history in histories])
    return 0, "\n\n".join("\n".join(_history(history)) for history in histories)


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
