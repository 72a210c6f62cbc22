"""What decides about a drug's lines besides its amounts: its classes and payments, and what payers ask of such drugs.

Nothing here names a drug: drugs with equal facts are judged alike, one at a time and in bulk.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import attrs

from jcodeunits.facts.code_uses import uses_of
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.policy import Policy
from jcodeunits.facts.policy_rows import LICENSED, NeededModifier
from jcodeunits.facts.site_policy import replacing_rows
from jcodeunits.tables import CLAIMS
from jcodeunits.vials import WasteRules


@attrs.frozen
class DrugFacts:
    """What decides about a drug's lines besides its amounts: equal ones are judged alike, whatever their names.

    `classes` and `kind` of its rows, its payment `status`, whether CMS pays it apart (None: not known) or as a
    supply, the claim forms on which its limit is none at all, and the ranges of codes it is in that not everybody
    takes. `own` is the code itself where its line needs modifiers of its own, `counted` where those hang on units;
    `replaced`: whether a site's row answered one of them in place of a shipped one.
    """

    classes: tuple[str, ...]
    kind: str
    status: str | None
    separately_paid: bool | None
    paid_as_supply: bool
    barred: tuple[str, ...]
    uses: tuple[tuple[str, str], ...]
    own: str
    counted: bool
    replaced: bool

    @classmethod
    def of(cls, drug: Drug, on: dt.date, policy: Policy) -> DrugFacts:
        """The facts of a drug on a day."""
        with replacing_rows() as replacing:
            status, needed = policy.status(drug.code, on), policy.store.starting(NeededModifier, drug.code)
            limits = {claim: policy.limit(drug.code, on, claim) for claim in CLAIMS}
            classes = tuple(row.name for row in policy.classes(drug.code, on))
            paid, supply = policy.separately_paid(drug.code, on), policy.paid_as_supply(drug.code, on)
        return cls(
            classes,
            drug.kind,
            None if status is None else status.status,
            paid,
            supply,
            tuple(claim for claim, limit in limits.items() if limit is not None and limit.units == 0),
            tuple((row.first, row.last) for row in uses_of(policy, drug.code)),
            drug.code if needed else "",
            any(row.least is not None or row.most is not None for row in needed),
            bool(replacing),
        )

    def on_claim(self, claim: str) -> tuple[object, ...]:
        """What of them decides which lines stand on a kind of claim; the rest is asked about discarded drug alone."""
        status = self.status if claim == "outpatient" else None
        return self.classes, self.kind, status, claim in self.barred, self.uses, self.own, self.replaced


def waste_rules(
    facts: DrugFacts, payer: str, claim: str, on: dt.date, policy: Policy, *, brought: bool = False
) -> WasteRules:
    """What payer, date, claim and drug ask about discarded drug; `brought`: the patient supplied it."""
    jw, jz, unrecorded, supplies = (
        policy.option(payer, name, on, claim) for name in ("jw", "jz", "waste-unrecorded", "waste-exempt")
    )
    rules = WasteRules(
        jw=jw.value in ("pair", "optional"),
        jz=jz.value or "none",
        unrecorded=unrecorded.value or "warn",
        citations=tuple(dict.fromkeys(row.citation for row in (jw, jz, unrecorded))),
    )
    supply = facts.kind in supplies.values and LICENSED not in facts.classes
    cited = (supplies.citation,)
    if "waste-exempt" in facts.classes:
        return attrs.evolve(rules, exempt="the vaccines of the Part B list take neither JW nor JZ")
    if "compounded" in facts.classes:
        return attrs.evolve(rules, exempt="a compounded drug comes in no container with an approved label")
    if supply and facts.paid_as_supply:
        exempt = f"since {supplies.effective} the product is paid as a supply, by what was applied"
        return attrs.evolve(rules, exempt=f"{exempt}, without JW and JZ", supply=True, citations=cited)
    scope = policy.option(payer, "waste-scope", on, claim)
    if scope.value == "separately-paid" and facts.separately_paid is False:
        return attrs.evolve(rules, exempt="the drug is packaged into the outpatient payment")
    if supply:
        doubt = (
            f"Since {supplies.effective} products of this kind are paid as supplies, without JW and JZ, unless "
            "they have a biologics license (section 351). Whether this one has is not known, so neither is on "
            "the line."
        )
        return attrs.evolve(rules, doubt=doubt, citations=cited)
    if any(name == "vaccine" or name.startswith("vaccine-") for name in facts.classes):
        doubt = "Whether JW and JZ apply to this vaccine is not settled, so neither is on the line."
        return attrs.evolve(rules, doubt=doubt)
    return attrs.evolve(rules, exempt="the patient brought the drug") if brought else rules


@lru_cache(maxsize=256)
def lenient(rules: WasteRules) -> WasteRules:
    """The rules where the container's kind is general knowledge, which stops nothing."""
    return attrs.evolve(rules, unrecorded="warn") if rules.unrecorded == "stop" else rules
