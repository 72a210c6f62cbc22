"""A diagnosis that is doubtful, or doubtful with this drug."""

from __future__ import annotations

from ._registry import ANY, Case, Yields, rule


@rule("diagnosis-doubt", "warn", cites=(("guide", "diagnosis pairs"),))
def diagnosis_doubt(case: Case) -> Yields:
    """Codes that are valid and yet say the wrong thing: antibodies present for prophylaxis against them,
    sciatica for radiculopathy, a pump's insulin for an injection.

    The diagnosis is never changed: the caller is asked.

    Sources: the doubtful rows of the diagnosis table, each with its source.
    """
    seen = set()
    for number, line in case.numbered():
        for diagnosis in line.diagnoses:
            for row in case.policy.diagnosis(diagnosis, case.on):
                fits = row.code == line.code or row.code == ANY
                if not row.doubt or not fits or (diagnosis, row.code) in seen:
                    continue
                seen.add((diagnosis, row.code))
                instead = f" Perhaps {', '.join(row.instead)}." if row.instead else ""
                says = f"{diagnosis} on {line.code}: {row.doubt}."
                yield diagnosis_doubt.finding("warn", says, f"Check the note.{instead}", row.citation, line=number)
