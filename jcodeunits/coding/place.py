"""Where the drug was given: what the payer makes of an injection in that place."""

from __future__ import annotations

from jcodeunits.facts.policy_rows import ANY, PlaceRule
from jcodeunits.finding import Severity, declare

from .draft import Draft, sentence

FINDINGS = declare(
    __name__,
    {
        "facility-place": ("A practitioner does not bill the injection in a facility", "warn"),
        "clinic-rate": ("A clinic's rate may hold the injection", "warn, note"),
        "place-by-payer": ("A place that payers read differently", "warn"),
        "nursing-place": ("Nursing homes: with and without a stay under Part A", "warn, note"),
        "home-place": ("An injection at home needs supervision there", "note"),
        "urgent-care-place": ("Urgent care is paid like an office", "note"),
        "place-early": ("A place whose code began later", "warn"),
        "telehealth-place": ("Nobody can inject over a link", "warn"),
        "dialysis-place": ("A dialysis facility bills its drugs itself", "warn"),
        "opioid-program": ("A program that bills a bundle with drug and injection inside", "warn"),
        "hospital-claim": ("The own claim of a hospital, home or clinic", "warn, note"),
    },
)


def apply(draft: Draft) -> None:
    """Withhold what the place bars, and say why."""
    encounter = draft.encounter
    rule = draft.policy.place_rule(encounter.place, draft.on, encounter.payer, encounter.claim)
    if rule is None:
        return
    given = [item for item in draft.given if ANY in rule.classes or set(rule.classes) & set(item.classes)]
    decisions = [one for one in draft.decisions if one.row.outcome == "bill" and one.given in given]
    listed = [entry for entry in draft.live("service") if entry.administers and len(given) == len(draft.given)]
    if not given and not listed:
        return
    withheld: list[str] = []
    if rule.outcome == "withhold":
        if "administration" in rule.lines:
            withheld += [draft.code_of(one) for one in decisions] + [entry.code for entry in listed]
            draft.decisions = [one for one in draft.decisions if one not in decisions]
            draft.barred += len(decisions)
            draft.withhold(listed)
        if "drug" in rule.lines:
            withheld += [str(item.code) for item in given if item.entries]
            for item in given:
                if item.drug is not None:
                    draft.drop(item)
    if rule.severity:
        _say(draft, rule, list(dict.fromkeys(withheld)))


def _say(draft: Draft, rule: PlaceRule, withheld: list[str]) -> None:
    place = draft.policy.place(draft.encounter.place, draft.on)
    severity: Severity = rule.severity  # type: ignore[assignment]
    name = place.name if place is not None else "unknown"
    says = f"Place {draft.encounter.place}, {name}, {rule.says}."
    if withheld:
        says += f" Withheld: {', '.join(withheld)}."
    citations = [rule.citation] if place is None else [rule.citation, place.citation]
    draft.say(rule.reason, severity, says, sentence(rule.fix), *dict.fromkeys(citations))
