"""A pump's code for an injection."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("pump-only", "stop", "warn", cites=(("hcpcs-2026q3", "descriptors"),))
def pump_only(case: Case) -> Yields:
    """Some codes are for insulin through equipment; an injection in the office has another code.

    Sources: HCPCS Level II descriptors; the class rows.
    """
    for route in ("SC", "IM"):
        for number, line, row in case.of_class("pump-only", route):
            says = f"{line.code} is for a pump supplied as equipment, not for an injection by {route}."
            yield pump_only.finding("stop", says, "Use the code of the drug by injection.", row.citation, line=number)
