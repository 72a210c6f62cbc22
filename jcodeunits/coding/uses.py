"""Codes that this payer or this claim does not take: the drug line is withheld, or warned about."""

from __future__ import annotations

from jcodeunits.facts.code_uses import code_use, unclassified
from jcodeunits.facts.policy_rows import CodeUse
from jcodeunits.finding import declare

from .draft import Draft, GivenDrug, named, sentence

FINDINGS = declare(__name__, {"code-not-taken": ("A code that this payer or this claim does not take", "warn")})


def apply(draft: Draft) -> None:
    """Ask for every drug line whether its code is taken; its administration is judged by itself."""
    encounter = draft.encounter
    for item in draft.given:
        if item.drug is None or all(entry.withheld for entry in item.entries):
            continue
        row = code_use(draft.policy, item.drug.code, draft.on, encounter.payer, encounter.claim)
        if row is not None:
            _say(draft, item, row)


def _say(draft: Draft, item: GivenDrug, row: CodeUse) -> None:
    citations = [row.citation]
    fix = row.fix.rstrip(".")
    if "{codes}" in fix:
        route = draft.administration(item.members[0]).route
        other = unclassified(draft.policy, item.classes, route, draft.on, draft.encounter.claim)
        citations += [other.citation] if other is not None else []
        fix = fix.format(codes=" or ".join(other.codes) if other is not None else "the payer's code")
    about = item.entries[0]
    if row.outcome == "withhold":
        draft.drop(item)
    withheld = " Its line is withheld." if row.outcome == "withhold" else ""
    says = f"{named(item)}: {row.says.rstrip('.')}.{withheld}"
    draft.say("code-not-taken", "warn", says, sentence(fix), *citations, about=about)
