"""What each administration is: a code of its own, part of a procedure, nothing to bill, or a question.

Substance, route, purpose and payer meet in the decision table (`administration.csv`); this step asks it once
for every administration and says what the row says.
"""

from __future__ import annotations

from fractions import Fraction

from jcodeunits.amount import decimal_text
from jcodeunits.facts.policy_rows import ANY, OTHER_DRUG, OTHER_SERVICE, AdministrationRule, Procedure
from jcodeunits.finding import Severity, declare
from jcodeunits.hcpcs import is_level_two

from .draft import Decision, Draft, Entry, GivenDrug, named, sentence
from .infusions import RANKS
from .nameless import service_named

FINDINGS = declare(
    __name__,
    {
        "administration-code": ("No administration code is known for this substance, purpose and route", "warn"),
        "administration-listed": ("The caller settles a payer-dependent administration by listing its code", "note"),
    },
)

_BY_PAYER = "payer-dependent-administration"  # the reason of a row whose code the payer decides


def apply(draft: Draft) -> None:
    """Decide every administration; withhold what is not billed."""
    rows = {index: row for index, given in sorted(draft.of.items()) if (row := _row(draft, index, given)) is not None}
    billed = [row for row in rows.values() if row.outcome == "bill"]
    derived, certain = {row.role for row in billed}, {row.role for row in billed if row.severity != "warn"}
    for index, row in rows.items():
        given = draft.of[index]
        if row.drug == "withhold":
            draft.drop(given)
        elif given.drug is None and (given.not_so or (row.classes == (ANY,) and row.purpose == ANY)):
            # The finding that refused the drug speaks; without its class or its way nobody knows which code fits.
            continue
        if row.outcome == "bill" and not draft.policy.procedures(draft.on, role=row.role):
            _too_early(draft, given, row)
            continue
        if _answered(draft, index, given, row, derived, certain):
            continue
        if row.outcome in ("bill", "procedure"):
            draft.decisions.append(Decision(index, given, row, row.role))
        # What a procedure holds is said beside the procedure's line.
        if row.severity and row.outcome != "procedure":
            _say(draft, given, row)


def _too_early(draft: Draft, given: GivenDrug, row: AdministrationRule) -> None:
    known = [found for found in draft.policy.rows(Procedure) if found.role == row.role]
    later = [found for found in known if found.effective > draft.on]
    code = min(later or known, key=lambda found: (found.effective, found.code))
    when = f"begins on {code.effective}" if later else f"ended on {code.ends}"
    says = (
        f"{named(given)}: {code.code}, {code.label}, {when}, and no other code of the tables stands for it on "
        f"{draft.on}."
    )
    fix = "List the code of that time under services."
    draft.say("administration-code", "warn", says, fix, row.citation, about=given.line)


def _answered(
    draft: Draft, index: int, given: GivenDrug, row: AdministrationRule, derived: set[str], certain: set[str]
) -> bool:
    """Whether the caller settles the row by listing one of its codes, which no other drug needs.

    `derived`: the roles that the drugs of the day lead to, `certain` those of them that no payer decides.
    """
    fitting = [entry for entry in draft.live("service") if _settles(entry, row, derived, certain)]
    # The row's own code before another one, a first code before its add-ons: not as they were listed.
    entry = min(fitting, key=lambda one: (one.role != row.role, one.position != "initial", one.code), default=None)
    if entry is None:
        return False
    if len(entry.members) >= entry.line.units and any(other.role == row.role for other in draft.live("service")):
        return False  # it is used up, and the row's own code is listed beside it
    if row.outcome == "bill" and (entry.role in RANKS or entry.role == row.role):
        # The steps of the code's own family count its hours and injections.
        draft.decisions.append(Decision(index, given, row, entry.role))
    else:
        entry.members = (*entry.members, index)
    says = f"{named(given)}: {row.says}; {entry.code} is listed among the services and stands."
    fix = "Nothing, if the payer wants that code for this drug."
    draft.say("administration-listed", "note", says, fix, row.citation, about=entry)
    return True


def _settles(entry: Entry, row: AdministrationRule, derived: set[str], certain: set[str]) -> bool:
    """Whether a listed code stands for the drug of the row.

    An encounter has one first code for its pushes and infusions, that of the highest family given: one that is
    listed says that no family above it was, and stands for nothing beside a drug that certainly is of one.
    """
    top = next((role for role in RANKS if role in certain), "")
    first = entry.role in RANKS and entry.position == "initial"
    if first and top and RANKS.index(entry.role) > RANKS.index(top):
        return False
    by_payer = row.reason == _BY_PAYER and row.severity == "warn"
    if by_payer and entry.role == row.role:
        return entry.role not in certain
    return entry.role in row.alternatives and (entry.role not in derived or (by_payer and first and entry.role == top))


def _row(draft: Draft, index: int, given: GivenDrug) -> AdministrationRule | None:
    """The row that decides; None where a refused drug would be withheld for reasons that differ by its code."""
    if given.drug is None and given.meant:
        meant = {row.id: row for row in (_asked(draft, index, classes) for classes in given.meant)}
        if any(row.drug == "withhold" for row in meant.values()):
            return next(iter(meant.values())) if len(meant) == 1 else None
    return _asked(draft, index, given.classes)


def _asked(draft: Draft, index: int, classes: tuple[str, ...]) -> AdministrationRule:
    administration, encounter = draft.administration(index), draft.encounter
    return draft.policy.administration(
        administration.route,
        "self-administered" if administration.self_administered else administration.purpose,
        classes,
        draft.on,
        payer=encounter.payer,
        claim=encounter.claim,
        diagnoses=draft.diagnoses((index,)),
        services={entry.role for entry in draft.live("service", "visit") if entry.role} | _others(draft, index),
    )


def _others(draft: Draft, index: int) -> set[str]:
    """That another drug was given, or another service done, as a row names it among what it stands beside."""
    drugs = any(given is not draft.of[index] for given in draft.of.values())
    services = any(not entry.administers for entry in draft.live("service"))
    return ({OTHER_DRUG} if drugs else set()) | ({OTHER_SERVICE} if services else set())


def _say(draft: Draft, given: GivenDrug, row: AdministrationRule) -> None:
    says = f"{named(given)}: {row.says.rstrip('.')}."
    if row.beside and row.outcome == "none":
        held = draft.held(row.beside)
        says += f" Inside {', '.join(dict.fromkeys(held))}." if held else ""
    codes = [found.code for role in row.alternatives for found in draft.policy.procedures(draft.on, role=role)]
    codes = [code for code in codes if draft.policy.has_room(code, draft.on, draft.encounter.claim)]
    if row.outcome == "bill":
        billed = draft.policy.procedures(draft.on, role=row.role)
        says += f" Billed with {billed[0].code}." if len(billed) == 1 else ""
    if codes:
        says += f" Other codes: {', '.join(dict.fromkeys(codes))}."
    severity: Severity = row.severity  # type: ignore[assignment]
    if row.beside and row.outcome == "none" and (wrong := _other_size(draft, given, row)):
        severity, says = "warn", f"{says} {wrong}"
    fix = sentence(row.fix.rstrip(".")) if row.fix else "Nothing."
    service = service_named(given.written, draft.on, draft.policy)
    coded = given.entries or service is not None or is_level_two(given.written)
    if row.outcome == "bill" and row.drug == "withhold" and coded:
        # Given on its own and yet taken off, though it has a code: more than a note.
        severity, says = "warn", f"{says} {given.code or given.written} is withheld."
        fix = fix if service is None else f"List {service.code} under services."
    draft.say(row.reason, severity, says, fix, row.citation, about=given.line)


def _other_size(draft: Draft, given: GivenDrug, row: AdministrationRule) -> str:
    """What is wrong where the visit that holds the drug is for another amount of it; empty where nothing is."""
    if given.drug is None or given.drug.size is None or not given.entries:
        return ""
    amount = given.entries[0].line.units * given.drug.size
    codes = [found for role in row.beside for found in draft.policy.procedures(draft.on, role=role)]
    fitting = [found.code for found in codes if _holds(found.position, amount)]
    if not fitting or set(draft.held(row.beside)) <= set(fitting):
        return ""
    return f"{decimal_text(amount)} {given.drug.unit} were given: that is {' or '.join(fitting)}."


def _holds(position: str, amount: Fraction) -> bool:
    """Whether a position such as up-to-56 or above-56 holds an amount."""
    words, _, limit = position.rpartition("-")
    return limit.isdigit() and (amount > int(limit)) is (words == "above")
