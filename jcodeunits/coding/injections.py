"""Injections counted: one line for each needle that was ordered as an injection of its own.

Drugs in one syringe are one injection; administrations of one order are one dose in several places. Where a
payer counts otherwise, its row says so.
"""

from __future__ import annotations

from jcodeunits.finding import declare
from jcodeunits.grouped import grouped

from .draft import Decision, Draft, named

FINDINGS = declare(
    __name__,
    {
        "shared-syringe": ("Drugs in one syringe are one injection", "note"),
        "infused-in-parts": ("Several parts of an infusion whose code holds all of it", "note"),
        "split-order": ("One order given in several places is one injection", "note"),
    },
)
_ELSEWHERE = ("iv-push", "infusion", "antineoplastic-push", "antineoplastic-infusion", "hydration", "allergen")


def apply(draft: Draft) -> None:
    """One entry for each injection that has a code of its own."""
    syringes, orders = draft.option("shared-syringe"), draft.option("split-order")
    billed = [one for one in draft.decisions if one.row.outcome == "bill" and one.role not in _ELSEWHERE]
    billed = [one for one in billed if not one.role.startswith(("vaccine", "rsv"))]
    joined = grouped(billed, lambda one: _key(draft, one, syringes.value == "one", orders.value == "one"))
    for key, decisions in joined.items():
        entry = draft.administer(decisions, draft.policy.procedures(draft.on, role=decisions[0].role)[0])
        entry.separate = draft.separate(entry.members)
        if len(decisions) > 1:
            drugs = " and ".join(dict.fromkeys(named(decision.given) for decision in decisions))
            if key[0] == "vein":
                says = f"{drugs} ran in {len(decisions)} parts: {entry.code} holds the whole of it and stands once."
                fix = "Nothing, if it was one treatment."
                draft.say("infused-in-parts", "note", says, fix, decisions[0].row.citation, about=entry)
            elif key[0] == "syringe":
                says = f"{drugs} from one syringe: one injection, {entry.code} once; each drug has its line."
                fix = "Nothing, if one needle gave them all."
                draft.say("shared-syringe", "note", says, fix, syringes.citation, about=entry)
            else:
                says = f"{drugs}: one order in {len(decisions)} places is one injection for this payer."
                fix = "Where each place was ordered as an injection of its own, give each its own order."
                draft.say("split-order", "note", says, fix, orders.citation, about=entry)


def _key(draft: Draft, decision: Decision, syringes: bool, orders: bool) -> tuple[object, ...]:
    given = draft.administration(decision.index)
    if given.route.startswith("IV"):  # a code that names the drug holds all its bags
        return ("vein", decision.role, decision.given.code or decision.given.written)
    if given.syringe is not None and syringes:
        return ("syringe", decision.role, given.syringe)
    if given.order is not None and orders:
        return ("order", decision.role, given.order, id(decision.given))
    return ("own", decision.role, decision.index)
