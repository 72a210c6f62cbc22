"""A record that lacks an element."""

from __future__ import annotations

from jcodeunits.encounter import DOCUMENTED, Administration
from jcodeunits.facts.policy_rows import Element
from jcodeunits.finding import Finding, Severity

from ._registry import Case, Yields, rule


@rule("documentation", "warn", "note", cites=(("guide", "documentation"),))
def documentation(case: Case) -> Yields:
    """An encounter that says what is recorded is checked against what a compliant note holds.

    Absent means not judged. The amount discarded belongs to the record where a container was not used up.

    Sources: the documentation table; the guide's side-by-side examples.
    """
    judged = [(i, given) for i, given in enumerate(case.encounter.administrations) if given.documented is not None]
    if not judged:
        return
    elements = [row for row in case.policy.documentation(case.on) if row.element in DOCUMENTED]
    wasted = {line.administration for _, line in case.numbered("waste")}
    numbers = {line.administration: n for n, line in reversed(case.numbered("drug"))}
    for index, given in judged:
        lacking = [row for row in elements if row.element not in (given.documented or ())]
        missing = [row for row in lacking if _needed(row, given, index in wasted)]
        for severity in ("warn", "note"):
            rows = [row for row in missing if row.severity == severity]
            if rows:
                yield _lacks(severity, rows, given, numbers.get(index))


def _needed(row: Element, given: Administration, wasted: bool) -> bool:
    if row.needed == "waste":
        return wasted or any(product.discarded is not None for product in given.products)
    return row.needed == "always"


def _lacks(severity: Severity, rows: list[Element], given: Administration, number: int | None) -> Finding:
    says = f"The record of {given.drug} lacks: {', '.join(row.title for row in rows)}."
    fix = "A compliant note holds " + "; ".join(f"{row.title}: {row.holds}" for row in rows) + "."
    return documentation.finding(severity, says, fix, *dict.fromkeys(row.citation for row in rows), line=number)
