"""Codes that not everybody takes: who refuses one, what stands in its place, and which modifier it needs."""

from __future__ import annotations

from functools import lru_cache

from ..dated import as_date
from .policy import Policy
from .policy_rows import ANY, CodeUse, NeededModifier


@lru_cache(maxsize=16384)
def uses_of(policy: Policy, code: str) -> tuple[CodeUse, ...]:
    """Every row, of whichever payer and day, whose range holds a code; the narrowest first."""
    rows = [row for row in policy.rows(CodeUse) if row.covers(code)]
    return tuple(sorted(rows, key=lambda row: (row.last != row.first, row.claim == ANY)))


def code_use(policy: Policy, code: str, on: object, payer: str, claim: str = "professional") -> CodeUse | None:
    """Why a payer or a kind of claim does not take a code; None where no row says so.

    >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
    >>> code_use(policy, "S0119", "2026-03-02", "medicare").outcome
    'withhold'
    >>> code_use(policy, "J1885", "2026-03-02", "medicare") is None
    True
    """
    rows = uses_of(policy, code)
    for who in policy.lineage(payer) if rows else ():
        for row in rows:
            if row.payer == who and row.claim in (ANY, claim) and row.period.holds(as_date(on)):
                return row
    return None


def needed_modifiers(
    policy: Policy, code: str, on: object, payer: str, claim: str = "professional"
) -> tuple[NeededModifier, ...]:
    """The modifiers of which this payer wants one on a code; () where it wants none.

    >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
    >>> [row.modifier for row in needed_modifiers(policy, "J0885", "2026-03-02", "medicare")]
    ['EA', 'EB', 'EC']
    """
    rows = [row for row in policy.store.starting(NeededModifier, code) if row.claim in (ANY, claim)]
    for who in policy.lineage(payer) if rows else ():
        found = tuple(row for row in rows if row.payer == who and row.period.holds(as_date(on)))
        if found:
            return found
    return ()
