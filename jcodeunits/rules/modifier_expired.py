"""A modifier outside its dates."""

from __future__ import annotations

from jcodeunits.facts.policy_rows import Modifier

from ._registry import Case, Yields, rule


@rule("modifier-expired", "stop", "warn", cites=(("hcpcs-2026q3", "modifiers"),))
def modifier_expired(case: Case) -> Yields:
    """Modifiers have dates as codes have: JG ended with 2024, JZ began with 2023.

    Sources: HCPCS Level II, modifier records.
    """
    for number, line in case.numbered():
        for code in line.modifiers:
            if case.policy.modifier(code, case.on) is not None:
                continue
            rows = [row for row in case.policy.rows(Modifier) if row.code == code]
            if not rows:
                continue
            row = rows[-1] if rows[-1].effective <= case.on else rows[0]
            when = f"ended {row.ends}" if row.ends and row.ends < case.on else f"begins {row.effective}"
            says = f"{code} on {line.code} {when}; the date of service is {case.on}."
            fix = "Use the modifier in effect on that day, or none."
            yield modifier_expired.finding("stop", says, fix, row.citation, line=number)
