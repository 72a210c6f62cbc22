"""Diagnoses that are not linked to their drugs."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("diagnosis-shared", "note", cites=(("guide", "scenario 3, where the steroid leads with the anemia"),))
def diagnosis_shared(case: Case) -> Yields:
    """Each drug line leads with the diagnosis that it treats; a shared list links the first to every drug.

    Sources: the guide's scenario 3, which shows the slip.
    """
    codes = {line.code for _, line in case.numbered("drug")}
    encounter = case.encounter
    unlinked = [given for given in encounter.administrations if not given.diagnoses]
    if len(codes) > 1 and len(encounter.diagnoses) > 1 and unlinked:
        says = f"{len(codes)} drugs share the encounter's {len(encounter.diagnoses)} diagnoses in one order."
        fix = "Give each administration its own diagnoses, the one it treats first."
        yield diagnosis_shared.finding("note", says, fix)
