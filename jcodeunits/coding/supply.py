"""Who supplied the drug: what the patient brought is not the practice's to bill."""

from __future__ import annotations

from decimal import Decimal

import attrs

from jcodeunits.finding import declare

from .draft import Draft, named

FINDINGS = declare(__name__, {"supply-patient": ("The patient brought the drug", "warn")})
_PENNY = Decimal("0.01")


def apply(draft: Draft) -> None:
    """Withhold drug lines that the practice did not buy; the injection stays where the payer pays it."""
    brought = [
        item
        for item in draft.given
        if item.drug is not None and all(draft.administration(i).supplied_by == "patient" for i in item.members)
    ]
    if not brought:
        return
    rule, how = draft.option("supply-patient"), draft.option("supply-patient-line")
    for item in brought:
        says = f"{named(item)} was supplied by the patient: "
        if how.value == "penny" and item.entries:
            item.entries[0].line = attrs.evolve(item.entries[0].line, charge_amount=_PENNY)
            draft.withhold(item.entries[1:])
            says += "this payer wants its line at one cent."
        else:
            draft.drop(item)
            says += "its line is withheld; name the drug and dose in the claim's note."
        if rule.value == "none":
            draft.decisions = [one for one in draft.decisions if one.index not in item.members]
            says += " This payer does not pay the injection either."
        fix = "Bill a drug only where the practice bought it."
        draft.say("supply-patient", "warn", says, fix, rule.citation, how.citation)
