"""The verb units: a dose to billing units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from jcodeunits import hcpcs, ndc
from jcodeunits.amount import several
from jcodeunits.errors import LONGEST, JcodeunitsError, UnreadableDose, quoted
from jcodeunits.facts.words import squeezed
from jcodeunits.finding import Finding, declare
from jcodeunits.tables import USUAL_PAYER

from . import terminal
from .arguments import AsOf, Parser, add_answer, add_words, asked, dose_of, measure, parser, route_of

if TYPE_CHECKING:
    from jcodeunits.convert import BilledUnits
    from jcodeunits.dose import Dose
    from jcodeunits.facts.reference import Reference

_LINES = 5  # of a plain answer
FINDINGS = declare(__name__, {"code-not-taken": ("A code that this payer or this claim does not take", "warn")})


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(units)
    add_words(made)
    made.add_argument("--explain", action="store_true", help="show every step and its source")
    add_answer(made, dose=True)
    return made


def units(words: Sequence[str]) -> tuple[int, str]:
    """How many billing units of which code a dose is, on a date of service.

    examples:
      jcodeunits units ketorolac 30 mg
      jcodeunits units J0696 1 g --on 2026-03-02 --explain
      jcodeunits units penicillin G benzathine 2.4 million units
      jcodeunits units J9000 60 mg/m2 --surface 1.7
      jcodeunits units Kenalog 0.5 mL --concentration "40 mg/mL"
    """
    args = arguments().read(words)

    from jcodeunits.convert import billing_units

    on = asked(args)
    drug, dose = split(args.words, lambda text: dose_of(text, args), on.reference, on.date)
    billed = billing_units(drug, dose, on.date, route_of(args.route), args.basis, on.reference)
    billed = attrs.evolve(billed, findings=(*billed.findings, *_not_taken(billed, args.route)))
    status = int(any(finding.severity == "stop" for finding in billed.findings))
    if args.json:
        return status, terminal.as_json(on.named(billed.as_dict()))
    return status, on.text(_told(billed, on, args.explain, args.weight))


def split(
    words: Sequence[str], read: Callable[[str], Dose], reference: Reference, on: dt.date | None = None
) -> tuple[str, Dose]:
    """Drug and dose out of unquoted words: the dose begins at the first word that is no word.

    Words behind an amount may be the drug's (a route, a fluid); a later amount is tried only where what stands before
    it is a drug's name ("factor 8 500 units"); else "ketorolac 1 500 mg" would lose its 1.
    """
    written = " ".join(words)
    if len(written) > 2 * LONGEST:
        says = (
            f"{quoted(written)} is no drug and dose: it has {len(written)} characters. Write the drug, then a "
            "number and a unit, such as 30 mg."
        )
        raise UnreadableDose(says, given=written, argument="dose")
    pieces = words[0].split() if len(words) == 1 else list(words)
    starts = [i for i in range(1, len(pieces)) if len(pieces) == 2 or _may_begin(pieces[i], reference)]
    if not starts:
        says = f"{quoted(' '.join(pieces))} holds no dose. Write the drug, then a number and a unit, such as 30 mg."
        raise UnreadableDose(says, given=" ".join(pieces), argument="dose")
    spaced = next((n for n in (4, 3) if ndc.looks_like(" ".join(pieces[:n]))), 0)  # an NDC's parts, and its prefix
    starts = [start for start in starts if start >= spaced] or starts
    for start in starts[1:] if not hcpcs.is_valid(pieces[0]) else ():
        if reference.drugs.knows(squeezed(" ".join(pieces[:start]))):  # "albumin 25% 50 mL": the name holds it
            starts = [start, *starts]
    drug, text = " ".join(pieces[: starts[0]]), " ".join(pieces[starts[0] :])
    if "/" in text:  # "albuterol 2.5 mg/3 mL" is a name, and says what was given
        ends = (" ".join(pieces[:end]) for end in range(len(pieces), starts[0], -1))
        drug = next((one for one in ends if "/" in one and reference.drugs.knows(squeezed(one))), drug)
    try:
        return drug, read(text)
    except JcodeunitsError as why:
        for other, behind in _otherwise(pieces, starts):
            try:
                dose = read(behind)
            except JcodeunitsError:
                continue
            if _is_named(other, dose, reference):
                return other, dose
        if on is None:
            raise
        from jcodeunits.convert import counted_in

        raise counted_in(why, drug, on, None, reference) from None


def _may_begin(piece: str, reference: Reference) -> bool:
    """Whether a dose may begin with a word: it is none of letters, and no number of the code set ("CPT 90715")."""
    is_code = hcpcs.is_valid(piece) and bool(reference.drugs.rows(piece))
    return not piece.lstrip("([")[:1].isalpha() and not is_code


def _otherwise(pieces: Sequence[str], starts: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Other ways to part the words into drug and dose.

    Words of the drug's text behind the dose ("1 g in 100 mL NS", "30 mg IM once"), then a dose behind a number that is
    the drug's own.
    """
    first = starts[0]
    for end in range(min(len(pieces) - 1, first + 3), first, -1):
        text = " ".join(pieces[first:end])
        if "/" in text:  # a strength by which it is listed, or a bag: its volume stays beside the name
            yield " ".join(pieces), text
        yield " ".join([*pieces[:first], *pieces[end:]]), text
    for start in starts[1:]:
        yield " ".join(pieces[:start]), " ".join(pieces[start:])


def _is_named(drug: str, dose: Dose, reference: Reference) -> bool:
    from jcodeunits.facts.choosing import rows_meant

    try:
        return bool(rows_meant(reference.drugs, drug, dose))
    except JcodeunitsError:  # an unsafe abbreviation is a name too; the answer will say so
        return True


def _not_taken(billed: BilledUnits, route: str | None) -> Iterator[Finding]:
    """A warning where a claim that names no payer does not take the code: `charge` withholds its line."""
    if not billed.code.startswith(hcpcs.OF_SOME):
        return
    from jcodeunits.facts.code_uses import code_use

    reference = billed.reference
    row = code_use(reference.policy, billed.code, billed.on, USUAL_PAYER)
    if row is None or row.outcome != "withhold":
        return
    general = reference.drugs.instead_for(billed.drug, billed.on, route)[0]
    others = "".join(f" {note.says}" for note in billed.findings if note.rule == "other-forms")
    fix = row.fix.format(codes=general[0] if general else "the payer's code")
    yield Finding(
        "code-not-taken",
        "warn",
        f"{billed.code}: {row.says.rstrip('.')}.{others}",
        f"{fix[:1].upper()}{fix[1:]}.",
        (row.citation,),
    )


def _both(weight: str) -> str:
    """A weight in kilograms and pounds, so that a slip between the two is seen."""
    from jcodeunits.dose import weighed

    kg, pounds = weighed(measure(weight, "kg"))
    return f"{kg} kg, {pounds} lb"


def _told(billed: BilledUnits, on: AsOf, explain: bool, weight: str | None) -> list[str]:
    """The answer in a few lines: what to bill, the sum, the day; or every step with its source."""
    steps = billed.trace.steps
    sum_of = "; ".join([step.says for step in steps[1:-1]] + [steps[-1].why])
    count = several(billed.count, "billing unit")  # never plain "units", which a drug's own activity is measured in
    lines = terminal.fields(
        (
            (billed.code, f"{count} of {billed.drug.label}"),
            ("dose", "" if explain else sum_of),
            ("weight", _both(weight) if weight else ""),
            ("on", f"{on}; code in effect {billed.drug.period}"),
        )
    )
    lines[0] = lines[0].replace(count, terminal.styled(count, "bold"), 1)
    if explain:
        lines += ["", *terminal.steps(steps), ""]
        return lines + terminal.finding_lines(billed.findings, cited=True)
    return lines + terminal.finding_lines(billed.findings, room=_LINES - len(lines) - len(on.notes))
