"""The code for visits of continuing care beside a visit with 25."""

from __future__ import annotations

from ._registry import Case, Yields, rule

_PREVENTION = ("vaccine", "visit-wellness", "visit-preventive")


@rule("visit-complexity", "warn", cites=(("cms-visit-complexity", "beside modifier 25"),))
def visit_complexity(case: Case) -> Yields:
    """Such a code is not paid beside a visit with 25; since 2025 it is where a vaccine or a preventive visit is why.

    Sources: the physician fee schedule rules of 2024 and 2025, Transmittal 13015.
    """
    option = case.option("visit-complexity")
    if option.value not in ("without-25", "with-prevention"):
        return
    roles = {number: row.role for number, line in case.numbered() if (row := case.procedure(line)) is not None}
    marked = [line.code for _, line in case.numbered("visit") if "25" in line.modifiers]
    if option.value == "with-prevention" and any(role.startswith(_PREVENTION) for role in roles.values()):
        return
    for number, role in roles.items():
        if role == "visit-complexity" and marked:
            says = f"{case.lines[number - 1].code} stands beside {marked[0]}-25: this payer does not pay it then" + (
                ", unless 25 is for a vaccine or a preventive visit." if option.value == "with-prevention" else "."
            )
            fix = "Leave it out, or the 25 if nothing else of the day needs it."
            yield visit_complexity.finding("warn", says, fix, option.citation, line=number)
