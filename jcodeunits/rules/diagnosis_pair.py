"""A diagnosis outside the usual ones of the drug."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("diagnosis-pair", "note", cites=(("guide", "diagnosis pairs and denial reason 7"),))
def diagnosis_pair(case: Case) -> Yields:
    """The diagnosis table knows a few pairs of drug and diagnosis; another category may be asked about.

    The list is short and no coverage policy: it is a note, and a diagnosis of the same category is enough. Only a
    row that marks a doubt warns (`diagnosis-doubt`).

    Sources: the guide's table of pairs.
    """
    seen = set()
    for number, line in case.numbered("drug"):
        if not line.diagnoses or (line.code, line.diagnoses) in seen:
            continue
        seen.add((line.code, line.diagnoses))
        rows = case.policy.diagnoses_of(line.code, case.on)
        if all(row.doubt for row in rows) or {row.diagnosis[:3] for row in rows} & {
            code[:3] for code in line.diagnoses
        }:
            continue
        usual = ", ".join(sorted(row.diagnosis for row in rows if not row.doubt))
        says = f"{line.code} stands with {', '.join(line.diagnoses)}" + f"; diagnoses often seen with it: {usual}."
        fix = "Nothing, if the note says why this drug by injection; else link the diagnosis that it treats."
        yield diagnosis_pair.finding("note", says, fix, rows[0].citation, line=number)
