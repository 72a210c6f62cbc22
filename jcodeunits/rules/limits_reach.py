"""How far the tables behind this claim reach."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import attrs

from jcodeunits.dated import Citation
from jcodeunits.facts.policy import reach
from jcodeunits.facts.policy_rows import PolicyRow
from jcodeunits.finding import Finding

from ._registry import Case, rule


@rule("limits-reach", "A date outside the editions that were read", "note", cites=(("ncci-manual-2026", "I.A"),))
def limits_reach(case: Case) -> Iterable[Finding]:
    """Limits and edits come from quarterly editions; outside those read the nearest one answers, and this
    says so.

    Sources: the editions named.
    """
    found: dict[str, tuple[Citation, str, list[str]]] = {}
    codes = tuple(dict.fromkeys(line.code for _, line in case.numbered("administration", "drug")))
    for code in codes:
        limit = case.policy.limit(code, case.on, case.encounter.claim)
        if limit is not None and (far := reach(limit, case.on)):
            found.setdefault(far, (limit.citation, _until("limits", limit), []))[2].append(code)
    for one, other in itertools.combinations(
        sorted({line.code for _, line in case.numbered("visit", "service", "administration")}), 2
    ):
        edit = case.policy.edit(one, other, case.on, case.encounter.claim)
        if edit is not None and (far := reach(edit, case.on)):
            found.setdefault(far, (edit.citation, _until("edits", edit), []))[2].append(f"{one} with {other}")
    for far, (source, until, named) in found.items():
        said = limits_reach.finding(
            "note",
            f"Limits and edits of {', '.join(named)}: {far}.",
            "Check the current edition before a large claim.",
            source,
        )
        yield attrs.evolve(said, reach=until)


def _until(what: str, row: PolicyRow) -> str:
    """How far the editions go, in three words; nothing for a day before the oldest."""
    return f"{what} to {row.origin.last_day}" if row.origin is not None and row.origin.last_day else ""
