"""Codes for drugs that go through a pump supplied as equipment."""

from __future__ import annotations

from collections.abc import Iterable

from jcodeunits.finding import Finding

from ._registry import Case, rule


@rule("pump-only", "A pump's code for an injection", "stop", "warn", cites=(("hcpcs-2026q3", "descriptors"),))
def pump_only(case: Case) -> Iterable[Finding]:
    """Some codes are for insulin through equipment; an injection in the office has another code.

    Sources: HCPCS Level II descriptors; the class rows.
    """
    for number, line in case.numbered("drug"):
        given = case.administration(line)
        if given is None or given.route not in ("SC", "IM") or "pump-only" not in case.classes(line):
            continue
        row = next(r for r in case.policy.classes(line.code, case.on) if r.name == "pump-only")
        says = f"{line.code} is for a pump supplied as equipment, not for an injection by {given.route}."
        yield pump_only.finding("stop", says, "Use the code of the drug by injection.", row.citation, line=number)
