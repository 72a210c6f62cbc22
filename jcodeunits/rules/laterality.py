"""A side on a plain injection."""

from __future__ import annotations

from jcodeunits.claim import SIDES

from ._registry import Case, Yields, rule


@rule("laterality", "note", cites=(("ncci-manual-2026", "I.V"),))
def laterality(case: Case) -> Yields:
    """Right and left do not separate plain injections: neither the edits nor the day's limit look at them.

    They belong on joint, eye and nerve procedures.

    Sources: NCCI policy manual, chapter I, section V; the modifier rows.
    """
    for number, line, _ in case.injections("administration", "service"):
        for code in line.modifiers:
            modifier = case.policy.modifier(code, case.on) if code in SIDES else None
            if modifier is not None:
                says = f"{code} on {line.code} separates nothing: the limit counts the day, both sides together."
                fix = f"Leave {code} off unless the payer asks for it; document the site."
                yield laterality.finding("note", says, fix, modifier.citation, line=number)
