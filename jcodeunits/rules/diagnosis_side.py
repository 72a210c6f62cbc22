"""A procedure and a diagnosis of different sides."""

from __future__ import annotations

from jcodeunits.claim import SIDES
from jcodeunits.dated import Citation
from jcodeunits.facts.policy_rows import SIDED, DiagnosisSide, plays

from ._registry import Case, Yields, rule

_WORDS = {"RT": "right", "LT": "left"}


@rule("diagnosis-side", "warn", cites=(("ncci-manual-2026", "I.E.1"),))
def diagnosis_side(case: Case) -> Yields:
    """Many diagnoses of joints and eyes name their side. A procedure marked for the other one is denied, or was
    done on the wrong side; one that says no side is asked for it, and never given it.

    Sources: the rows of sided diagnoses, which follow the digits of ICD-10-CM.
    """
    for number, line in case.numbered("service"):
        row = case.procedure(line)
        if row is None or not plays(row.role, SIDED):
            continue
        told = _told(case, line.diagnoses)
        marked = SIDES & set(line.modifiers)
        if len(told) != 1 or told.keys() == marked or (len(marked) > 1 and "50" not in marked):
            continue
        ((side, (diagnosis, citation)),) = told.items()
        if diagnosis != line.diagnoses[0]:
            continue  # what the line leads with may be of both sides
        if not marked:
            says = f"{line.code} says no side, and {diagnosis} is of the {_WORDS[side]}."
            fix = f"Give the side with the site or as {side} of the service, if that side was treated."
        else:
            stands = f"{line.code} stands with {' and '.join(sorted(marked))}"
            says = f"{stands}, and {diagnosis} is of the {_WORDS[side]} alone."
            fix = "Correct the side or the diagnosis; a service has the diagnosis that it treats."
        yield diagnosis_side.finding("warn", says, fix, citation, line=number)


def _told(case: Case, diagnoses: tuple[str, ...]) -> dict[str, tuple[str, Citation]]:
    """The sides that diagnoses name, each with the first diagnosis that does."""
    rows = [row for row in case.policy.rows(DiagnosisSide) if row.period.holds(case.on)]
    told: dict[str, tuple[str, Citation]] = {}
    for diagnosis in diagnoses:
        for row in rows:
            if side := row.side(diagnosis):
                told.setdefault(side, (diagnosis, row.citation))
    return told
