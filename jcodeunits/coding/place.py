"""Where the drug was given: what the payer makes of an injection in that place."""

from __future__ import annotations

from jcodeunits.finding import Severity

from .draft import Draft, cite

FINDINGS = {
    "facility-place": ("A practitioner does not bill the injection in a facility", "warn"),
    "clinic-rate": ("A clinic's rate may hold the injection", "warn, note"),
    "place-by-payer": ("A place that payers read differently", "warn"),
    "nursing-place": ("Nursing homes: with and without a stay under Part A", "warn, note"),
    "home-place": ("An injection at home needs supervision there", "note"),
    "urgent-care-place": ("Urgent care is paid like an office", "note"),
    "telehealth-place": ("Nobody can inject over a link", "warn"),
    "hospital-claim": ("The hospital's own claim", "note"),
}


def apply(draft: Draft) -> None:
    """Withhold what the place bars, and say why."""
    encounter = draft.encounter
    rule = draft.policy.place_rule(encounter.place, draft.on, encounter.payer, encounter.claim)
    if rule is None:
        return
    place = draft.policy.place(encounter.place, draft.on)
    billed = [entry for entry in draft.live() if entry.members or entry.administers]
    if not billed and not any(given.drug is None for given in draft.given):
        return
    if rule.outcome == "withhold":
        if "drug" in rule.lines:
            for given in draft.given:
                if given.drug is not None:
                    draft.drop(given)
        if "administration" in rule.lines:
            draft.withhold(entry for entry in draft.live() if entry.administers)
    if not rule.severity:
        return
    severity: Severity = rule.severity  # type: ignore[assignment]
    name = place.name if place is not None else "unknown"
    kept = [entry.code for entry in billed if entry.withheld and entry.kind != "waste"]
    codes = ", ".join(dict.fromkeys(kept))
    says = f"Place {encounter.place}, {name}, {rule.says}." + (f" Withheld: {codes}." if codes else "")
    citations = [cite(rule)] if place is None else [cite(rule), cite(place)]
    draft.say(
        rule.reason, severity, says, f"{rule.fix[:1].upper()}{rule.fix[1:]}.", *dict.fromkeys(citations)
    )
