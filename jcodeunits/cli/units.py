"""The verb units: a dose to billing units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jcodeunits.errors import LONGEST, EncounterError, JcodeunitsError, UnreadableDose, quoted

from . import terminal
from .arguments import Asked, add_facts, add_json, add_on, asked, parser

if TYPE_CHECKING:
    import argparse

    from jcodeunits.convert import BilledUnits
    from jcodeunits.dose import Dose
    from jcodeunits.facts.reference import Reference


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
    add_facts(made)
    made.add_argument("--explain", action="store_true", help="show every step and its source")
    add_json(made)
    args = made.parse_intermixed_args(words)

    from jcodeunits.convert import billing_units

    on = asked(args)
    drug, dose = split(args.words, lambda text: _dose(text, args), on.reference)
    billed = billing_units(drug, dose, on.date, _route(args.route), args.basis, on.reference)
    status = int(any(finding.severity == "stop" for finding in billed.findings))
    if args.json:
        return status, terminal.as_json(on.named(billed.as_dict()))
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
            path="--route",
            given=text,
            allowed=routes.NAMES,
        )
    return known


def split(words: Sequence[str], read: Callable[[str], Dose], reference: Reference) -> tuple[str, Dose]:
    """Drug and dose out of unquoted words: the dose begins at the first word that is no word.

    A later one is tried only where what stands before it is a drug's name ("factor 8 500 units"); else
    "ketorolac 1 500 mg" would lose its 1.
    """
    written = " ".join(words)
    if len(written) > 2 * LONGEST:
        raise UnreadableDose(
            f"{quoted(written)} is no drug and dose: it has {len(written)} characters. Write the drug, then a "
            "number and a unit, such as 30 mg.",
            given=written,
            instead="30 mg",
        )
    pieces = words[0].split() if len(words) == 1 else list(words)
    starts = [1] if len(pieces) == 2 else [i for i in range(1, len(pieces)) if not pieces[i][:1].isalpha()]
    if not starts:
        raise UnreadableDose(
            f"{quoted(' '.join(pieces))} holds no dose. Write the drug, then a number and a unit, such as 30 mg.",
            given=" ".join(pieces),
            instead="30 mg",
        )
    drug, text = " ".join(pieces[: starts[0]]), " ".join(pieces[starts[0] :])
    try:
        return drug, read(text)
    except JcodeunitsError:
        for start in starts[1:]:
            longer = " ".join(pieces[:start])
            try:
                dose = read(" ".join(pieces[start:]))
            except JcodeunitsError:
                continue
            if _is_named(longer, dose, reference):
                return longer, dose
        raise


def _is_named(drug: str, dose: Dose, reference: Reference) -> bool:
    from jcodeunits.facts.choosing import rows_meant

    try:
        return bool(rows_meant(reference.drugs, drug, dose))
    except JcodeunitsError:  # an unsafe abbreviation is a name too; the answer will say so
        return True


def counted(count: int) -> str:
    """How many billing units: never plain "units", which a drug's own activity is measured in."""
    return f"{count} billing unit{'s' * (count != 1)}"


def _told(billed: BilledUnits, on: Asked, explain: bool) -> list[str]:
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
