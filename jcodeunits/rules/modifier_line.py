"""A modifier on the wrong line."""

from __future__ import annotations

from jcodeunits.claim import X_MODIFIERS, Line

from ._registry import Case, Yields, rule


@rule("modifier-line", "stop", "warn", cites=(("ncci-manual-2026", "I.E.1"),))
def modifier_line(case: Case) -> Yields:
    """25 belongs to visits, JW and JZ to drugs, 59 to the service that an edit denies, never beside an X
    modifier.

    The modifier table says for each modifier which kinds of line it may stand on; this reads what the
    caller's own services carry as well as the derived lines.

    Sources: NCCI policy manual, chapter I, section E.1; HCPCS modifiers.
    """
    for number, line in case.numbered():
        if not line.modifiers:
            continue
        kind = _kind(case, line)
        for code in line.modifiers:
            row = case.policy.modifier(code, case.on)
            if row is not None and kind not in row.lines and not _divides(case, line, code):
                wanted = " or ".join(row.lines)
                says = f"{code} ({row.label}) stands on {line.code}, a line for the {kind}: it is for the {wanted}."
                fix = f"Take {code} off this line; put it on that of the {wanted} if it belongs there."
                yield modifier_line.finding("stop", says, fix, row.citation, line=number)
        if "59" in line.modifiers and X_MODIFIERS & set(line.modifiers):
            says = f"{line.code} carries 59 and {', '.join(sorted(X_MODIFIERS & set(line.modifiers)))} together."
            fix = "Keep the one that says more: the X modifiers stand in place of 59."
            yield modifier_line.finding("warn", says, fix, line=number)


def _divides(case: Case, line: Line, modifier: str) -> bool:
    """Whether the payer marks so the further lines of a dose that the limit of a line divides."""
    if line.kind not in ("drug", "waste") or modifier != case.option("limit-split").value:
        return False
    limit = case.policy.limit(line.code, case.on, case.encounter.claim)
    return limit is not None and limit.per == "line"


def _kind(case: Case, line: Line) -> str:
    """The caller's services by what their codes are."""
    if line.kind != "service":
        return line.kind
    row = case.procedure(line)
    if row is not None and row.kind in ("visit", "administration"):
        return row.kind
    return "drug" if line.code[0].isalpha() and case.policy.classes(line.code, case.on) else "service"
