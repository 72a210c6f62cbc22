"""More than one first code of an encounter."""

from __future__ import annotations

from jcodeunits.claim import APART

from ._registry import Case, Yields, rule

_VEIN = ("antineoplastic-infusion", "antineoplastic-push", "infusion", "iv-push", "hydration")
_FIRST = ("initial", "prolonged")


@rule("first-code", "warn", cites=(("ncci-manual-2026", "XI.B.2"),))
def first_code(case: Case) -> Yields:
    """One first code stands for the pushes and infusions of an encounter; all else is an add-on to it.

    A second access, or another encounter of the day, is told by a modifier on the second one. Derived lines hold
    one by construction, so this is about codes on the caller's list.

    Sources: NCCI policy manual, chapter XI, section B.
    """
    firsts = [
        (number, line)
        for number, line in case.numbered("administration", "service")
        if (row := case.procedure(line)) is not None and row.role in _VEIN and row.position in _FIRST
    ]
    whole = sum(line.units for _, line in firsts if not APART & set(line.modifiers))
    if whole < 2:
        return
    codes = " and ".join(dict.fromkeys(line.code for _, line in firsts))
    says = f"{codes} are first codes, {whole} of them: an encounter has one, and the rest are add-ons to it."
    fix = (
        "Leave the listed code out to have all derived from what was given; a second access or encounter takes 59 or "
        "an X modifier on its code."
    )
    yield first_code.finding("warn", says, fix, line=firsts[-1][0])
