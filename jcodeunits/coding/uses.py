"""Codes that this payer or this claim does not take: the line is withheld, or warned about."""

from __future__ import annotations

from jcodeunits.facts.code_uses import code_use
from jcodeunits.facts.policy_rows import CodeUse, Unclassified, unclassified
from jcodeunits.finding import declare

from .draft import Draft, Entry, GivenDrug, named, sentence

FINDINGS = declare(__name__, {"code-not-taken": ("A code that this payer or this claim does not take", "warn")})

_OTHER = "list the code that this claim takes for the service"


def apply(draft: Draft) -> None:
    """Ask for every drug line and every listed code whether it is taken; administrations are judged by themselves."""
    encounter = draft.encounter
    for entry in draft.live("visit", "service"):
        row = code_use(draft.policy, entry.code, draft.on, encounter.payer, encounter.claim)
        if row is not None:
            _listed(draft, entry, row)
    for item in draft.given:
        if item.drug is None or all(entry.withheld for entry in item.entries):
            continue
        row = code_use(draft.policy, item.drug.code, draft.on, encounter.payer, encounter.claim)
        if row is not None:
            _say(draft, item, row)


def _listed(draft: Draft, entry: Entry, row: CodeUse) -> None:
    fix = _OTHER if "{codes}" in row.fix else row.fix
    withheld = " Its line is withheld." if row.outcome == "withhold" else ""
    says = f"{entry.code}: {row.says.rstrip('.')}.{withheld}"
    draft.say("code-not-taken", "warn", says, sentence(fix), row.citation, about=entry)
    if withheld:
        draft.withhold([entry])


def _say(draft: Draft, item: GivenDrug, row: CodeUse) -> None:
    citations = [row.citation]
    fix = row.fix.rstrip(".")
    if "{codes}" in fix:
        route = draft.administration(item.members[0]).route
        other = unclassified(draft.policy.rows(Unclassified), item.classes, route, draft.on, draft.encounter.claim)
        citations += [other.citation] if other is not None else []
        fix = fix.format(codes=" or ".join(other.codes) if other is not None else "the payer's code")
    about = item.entries[0]
    if row.outcome == "withhold":
        draft.drop(item)
    withheld = " Its line is withheld." if row.outcome == "withhold" else ""
    says = f"{named(item)}: {row.says.rstrip('.')}.{withheld}"
    draft.say("code-not-taken", "warn", says, sentence(fix), *citations, about=about)
