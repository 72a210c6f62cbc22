"""From an encounter to a charge: the coding steps in their fixed order, then the rules.

>>> made = charge({"on": "2026-03-02", "place": "11", "diagnoses": ["R52"],
...     "visit": {"code": "99213", "separate": True},
...     "administrations": [{"drug": "ketorolac", "dose": "30 mg", "route": "IM", "site": "left deltoid"}]})
>>> [(line.code, line.modifiers, line.units) for line in made.lines]
[('99213', ('25',), 1), ('96372', (), 1), ('J1885', (), 2)]
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import attrs

from . import rules
from .claim import Charge, Line
from .coding import (
    administration,
    bundling,
    clocks,
    drug_lines,
    infusions,
    injections,
    line_limits,
    listed,
    modifiers,
    order,
    place,
    procedures,
    repeats,
    supervision,
    supply,
    uses,
    vaccines,
    visit,
)
from .coding.draft import Draft, finished
from .coding.drug_lines import DrugLines
from .coding.ended import in_effect
from .dated import Citation
from .encounter import Encounter
from .errors import EncounterError, quoted
from .facts.policy import Policy
from .facts.policy_rows import Denial, Place, PolicyRow
from .facts.reference import Reference
from .facts.site_policy import replacing_rows
from .finding import SEVERITIES, Finding, Findings, with_own_rows

# What each administration is, where, by whom, how often, beside what; then the modifiers, the order, limits of lines.
STEPS = (
    administration,
    procedures,
    place,
    supervision,
    supply,
    uses,
    injections,
    infusions,
    vaccines,
    listed,
    bundling,
    visit,
    repeats,
    modifiers,
    order,
    line_limits,
)
# What takes a drug's line off however the drug was given: the place, and who takes the code.
BY_ANY_ROUTE = (place, uses)


def charge(encounter: Encounter | dict[str, Any], *, reference: Reference | None = None) -> Charge:
    """The lines of an encounter's claim, and everything that would get them denied.

    `encounter` is an `Encounter` or a dict of the contract's form. A drug that has no answer is a finding,
    the other lines stay; `EncounterError` or `DateError` where the encounter itself cannot be read, an
    unknown place or payer included.
    """
    read = encounter if isinstance(encounter, Encounter) else Encounter.from_dict(encounter)
    book = Reference.of(reference)
    policy = book.policy
    policy.lineage(read.payer)
    check_place(read.place, read.on, policy)
    with replacing_rows() as replacing:
        listed, ended = in_effect(read, book)
        drugs = drug_lines.drug_lines(listed, book)
        lines, found, withheld = coded(listed, drugs, policy)
    wasted = {line.code for line in lines if line.kind == "waste"}
    advice = (note for item in drugs if item.drug is not None and item.drug.code in wasted for note in item.advice)
    told = with_sites_rows(lines, (*ended, *found, *advice, *clocks.left_out(listed, policy)), replacing)
    return Charge(lines, _sorted(told, read.on, policy), read, book, withheld + len(ended))


def coded(
    encounter: Encounter, drugs: Iterable[DrugLines], policy: Policy, steps: Iterable[Any] = STEPS
) -> tuple[tuple[Line, ...], list[Finding], int]:
    """The claim's lines that the steps make with the drugs' lines, what steps and rules find, how many are withheld."""
    draft = Draft.start(encounter, drugs, policy)
    for step in steps:
        step.apply(draft)
    lines, said = finished(draft)
    case = rules.Case(encounter, lines, policy)
    told = any(finding.rule == "product-expired" for finding in encounter.findings)  # by the message itself
    said = tuple(finding for finding in said if not told or finding.rule != "product-expired")
    found = [*encounter.findings, *said, *(finding for rule in rules.registry() for finding in rule(case))]
    return lines, found, draft.barred + sum(entry.withheld for entry in draft.entries)


def with_sites_rows(lines: Iterable[Line], found: Sequence[Finding], replacing: Iterable[PolicyRow]) -> Findings:
    """The findings, with a note of the site's rows that are cited, or answered, in place of shipped ones."""
    return with_own_rows(found, (*_cited(lines, found), *(row.citation for row in replacing)))


def _cited(lines: Iterable[Line], found: Iterable[Finding]) -> Iterator[Citation | None]:
    """Everything that an answer cites."""
    yield from (step.citation for line in lines for step in line.trace.steps)
    yield from (citation for finding in found for citation in finding.citations)


def check_place(place: str, on: dt.date, policy: Policy) -> None:
    """Raise `EncounterError` for what is no place of service on a day."""
    if policy.place(place, on) is None:
        codes = tuple(row.code for row in policy.rows(Place))
        says = f"{quoted(place)} is no place-of-service code in use. Allowed: {', '.join(codes)}."
        raise EncounterError(f"place: {says}", path="place", given=place, allowed=codes, says=says)


_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}


def _sorted(findings: Iterable[Finding], on: dt.date, policy: Policy) -> Findings:
    """The gravest first, then by line; each once, whatever the order in which the rules were asked."""
    named = [_named(finding, on, policy) for finding in dict.fromkeys(findings)]
    named.sort(key=lambda finding: (_RANK[finding.severity], finding.line or 0, finding.rule, finding.says))
    return tuple(named)


def _named(finding: Finding, on: dt.date, policy: Policy) -> Finding:
    """The finding with the reason for denial that it sees beforehand; notes deny nothing."""
    denial = None if finding.severity == "note" else _denial(policy, finding.rule, finding.severity, on)
    if denial is None:
        return finding
    return attrs.evolve(finding, says=f"{finding.says} (Denial reason {denial.number}: {denial.title}.)")


@lru_cache(maxsize=1024)
def _denial(policy: Policy, rule: str, severity: str, on: dt.date) -> Denial | None:
    return policy.denial_of(rule, on, severity)
