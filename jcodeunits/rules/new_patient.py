"""A new patient's visit beside an injection."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("new-patient", "note", cites=(("ncci-manual-2026", "I.D"),))
def new_patient(case: Case) -> Yields:
    """That the patient is new does not make the visit separate: the note must show its own work.

    Sources: NCCI policy manual, chapter I, section D.
    """
    for number, line in case.numbered("visit"):
        row = case.procedure(line)
        if row is not None and row.role == "visit-office-new" and "25" in line.modifiers:
            says = f"{line.code} is billed with 25 for a new patient: being new is not by itself enough."
            fix = "Keep the visit's own history, examination and decision in the note."
            yield new_patient.finding("note", says, fix, line=number)
