"""A line without a diagnosis."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("diagnosis-missing", "warn", cites=(("guide", "denial reason 7"),))
def diagnosis_missing(case: Case) -> Yields:
    """Every line of a professional claim points at a diagnosis; without one it is returned.

    Said once for the whole claim, at its first such line.

    Sources: the guide's denial reason 7.
    """
    bare = [(number, line) for number, line in case.numbered() if not line.diagnoses]
    if bare:
        codes = ", ".join(dict.fromkeys(line.code for _, line in bare))
        fix = "Give the diagnoses of the encounter or of the administration."
        yield diagnosis_missing.finding("warn", f"No diagnosis for {codes}.", fix, line=bare[0][0])
