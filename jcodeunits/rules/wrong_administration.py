"""A listed administration code that does not fit the drug."""

from __future__ import annotations

from jcodeunits.claim import Line
from jcodeunits.facts.policy_rows import AdministrationRule

from ._registry import Case, Yields, rule

_OWN = ("vaccine", "rsv", "antineoplastic", "allergen")
_VEIN = ("infusion", "push", "iv-push")
_PLAIN = "injection-sc-im"
_ADDED = "vaccine-home"  # stands beside the vaccine's own code, never in its place


@rule("wrong-administration", "stop", "warn", cites=(("guide", "denial reason 6"),))
def wrong_administration(case: Case) -> Yields:
    """The caller lists an administration code that belongs to another family than the drug given.

    A plain injection for a vaccine or an antineoplastic is returned as wrong coding and cannot be appealed; a
    vaccine has one code range for each payer. Derived lines are right by construction, so this reads listed
    ones.

    Sources: the decision table's row for the drug; the guide's denial reason 6.
    """
    listed = list(case.injections("service"))
    if not listed:
        return
    wanted = [item for _, drug in case.numbered("drug") if (item := _wanted(case, drug)) is not None]
    whole = len(wanted) == len(case.encounter.administrations)
    for number, line, procedure in listed:
        if not wanted or any(procedure.role in (row.role, *row.alternatives) for row in wanted):
            continue
        plain = procedure.role == _PLAIN
        own = plain and all(row.role.startswith(_OWN) for row in wanted)
        family = (
            procedure.role.startswith("vaccine")
            and procedure.role != _ADDED
            and any(row.role.startswith("vaccine") for row in wanted)
        )
        other = whole and _other_family(procedure.role, wanted)
        if plain or family or other:
            right = next(row for row in wanted if not family or row.role.startswith("vaccine"))
            named = [found.code for found in case.policy.procedures(case.on, role=right.role)]
            codes = " or ".join(c for c in named if case.policy.has_room(c, case.on, case.encounter.claim))
            says = f"{line.code} is listed, but for the drug given this payer's code is {codes}: {right.says}."
            fix = f"List {codes}, or leave the code out to have it derived."
            yield wrong_administration.finding("stop" if own else "warn", says, fix, right.citation, line=number)


def _other_family(role: str, wanted: list[AdministrationRule]) -> bool:
    """Whether a listed code is antineoplastic and no drug given is, or into a vein and no drug is, or all are."""
    ours = [row.role.startswith("antineoplastic") for row in wanted]
    if role.startswith("antineoplastic"):
        return not any(ours)
    into_vein = [row.role.endswith(_VEIN) or role in row.role for row in wanted]
    return role in _VEIN and (not any(into_vein) or (all(ours) and any(into_vein)))


def _wanted(case: Case, drug: Line) -> AdministrationRule | None:
    given = case.administration(drug)
    if given is None:
        return None
    row = case.policy.administration(
        given.route,
        given.purpose,
        case.classes(drug),
        case.on,
        payer=case.encounter.payer,
        claim=case.encounter.claim,
        diagnoses=drug.diagnoses,
    )
    return row if row.outcome == "bill" else None
