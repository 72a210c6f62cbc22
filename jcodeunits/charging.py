"""From an encounter to a charge: the coding steps in their fixed order, then the rules.

>>> made = charge({"on": "2026-03-02", "place": "11", "diagnoses": ["R52"],
...     "visit": {"code": "99213", "separate": True},
...     "administrations": [{"drug": "ketorolac", "dose": "30 mg", "route": "IM", "site": "left deltoid"}]})
>>> [(line.code, line.modifiers, line.units) for line in made.lines]
[('99213', ('25',), 1), ('96372', (), 1), ('J1885', (), 2)]
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import Any, cast

import attrs

from . import policy as policies
from . import rules, tables
from .catalog import Catalog
from .cite import Citation
from .claim import Charge, Encounter, Line
from .coding import (
    administration,
    bundling,
    drug_lines,
    infusions,
    injections,
    listed,
    modifiers,
    order,
    place,
    procedures,
    repeats,
    supervision,
    supply,
    vaccines,
    visit,
)
from .coding.draft import Draft, finished
from .errors import EncounterError, quoted
from .finding import SEVERITIES, Finding, Severity
from .policy import Denial, Policy
from .products import Shelf

# What was found while a message was read; the encounter brings it.
READING = {
    "not-administered": ("The message does not say that this was given", "warn"),
    "product-expired": ("The lot ended before the day it was given", "warn"),
    "said-beside": ("A fact that the message does not say was taken from beside it", "note"),
    "utc-day": ("A time in UTC leaves the day of service open", "warn"),
}
# What each administration is, where, by whom, how often, beside what; then the modifiers and the order.
STEPS = (
    administration,
    procedures,
    place,
    supervision,
    supply,
    injections,
    infusions,
    vaccines,
    listed,
    bundling,
    visit,
    repeats,
    modifiers,
    order,
)


def charge(
    encounter: Encounter | dict[str, Any],
    *,
    catalog: Catalog | None = None,
    policy: Policy | None = None,
    shelf: Shelf | None = None,
) -> Charge:
    """The lines of an encounter's claim, and everything that would get them denied.

    `encounter` is an `Encounter` or a dict of the contract's form. A drug that has no answer is a finding,
    the other lines stay; `EncounterError` or `DateError` where the encounter itself cannot be read, an
    unknown place or payer included. `catalog`, `policy` and `shelf` carry a site's own rows.
    """
    read = encounter if isinstance(encounter, Encounter) else Encounter.from_dict(encounter)
    book = policy or policies.shipped()
    _known(read, book)
    draft = Draft.start(read, drug_lines.drug_lines(read, catalog=catalog, policy=book, shelf=shelf), book)
    for step in STEPS:
        step.apply(draft)
    lines, said = finished(draft)
    case = rules.Case(read, lines, book)
    found = [*read.findings, *said, *(finding for rule in rules.registry() for finding in rule(case))]
    return Charge(lines, _sorted(found, read.on, book), read, tables.edition(), tables.fingerprint())


def _known(encounter: Encounter, policy: Policy) -> None:
    policy.lineage(encounter.payer)
    if policy.place(encounter.place, encounter.on) is None:
        codes = tuple(row.code for row in policy.rows(policies.Place))
        raise EncounterError(
            f"place: {quoted(encounter.place)} is no place-of-service code in use. Allowed: {', '.join(codes)}.",
            path="place",
            given=encounter.place,
            allowed=codes,
        )


_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}


def _sorted(findings: Iterable[Finding], on: dt.date, policy: Policy) -> tuple[Finding, ...]:
    """The gravest first, then by line; each once, whatever the order in which the rules were asked."""
    named = [_named(finding, on, policy) for finding in dict.fromkeys(findings)]
    named.sort(key=lambda finding: (_RANK[finding.severity], finding.line or 0, finding.rule, finding.says))
    return tuple(named)


def _named(finding: Finding, on: dt.date, policy: Policy) -> Finding:
    """The finding with the reason for denial that it sees beforehand; notes deny nothing."""
    denial = None if finding.severity == "note" else _denial(policy, finding.rule, on)
    if denial is None:
        return finding
    return attrs.evolve(finding, says=f"{finding.says} (Denial reason {denial.number}: {denial.title}.)")


@lru_cache(maxsize=1024)
def _denial(policy: Policy, rule: str, on: dt.date) -> Denial | None:
    return policy.denial_of(rule, on)


def listing() -> tuple[dict[str, str], ...]:
    """Every finding that a charge can carry: of doses, containers and coding steps by id, then the rules.

    >>> sorted(listing()[0])
    ['citations', 'id', 'payers', 'period', 'severity', 'title']
    """
    found = {row.reason: (f"{row.says[:1].upper()}{row.says[1:]}", row.severity) for row in _deciding()}
    for step in (drug_lines, *STEPS):
        found |= step.FINDINGS
    found |= READING
    blank = {"payers": "any", "period": "always", "citations": "the row that decided"}
    steps = [
        {"id": name, "title": title, "severity": severity, **blank}
        for name, (title, severity) in sorted(found.items())
        if severity
    ]
    return (*steps, *rules.listing())


def _deciding() -> list[policies.AdministrationRule]:
    """The rows of the decision table, the gravest of each reason last."""
    rows = policies.shipped().rows(policies.AdministrationRule)
    return sorted(rows, key=lambda row: -_RANK.get(cast("Severity", row.severity), len(_RANK)))


# --- what Medicare allows ---------------------------------------------------------------------------


@attrs.frozen
class Expected:
    """What Medicare allows nationally for one line: dollars and cents are rounded only where they are shown.

    `amount` is None where no figure of the date is known. `how` is the sum in words, `note` how far the
    figures go that do not reach the date.
    """

    line: int
    code: str
    units: int
    amount: Fraction | None
    how: str
    note: str
    citations: tuple[Citation, ...]


@attrs.frozen
class Estimate:
    """The expected national amounts of a charge's lines: partial, an estimate, no promise of payment.

    Locality, sequestration, deductible, coinsurance and the payer's own rates are not in it.
    """

    rows: tuple[Expected, ...]

    @property
    def total(self) -> Fraction:
        """The sum of the lines that have a figure."""
        return sum((row.amount for row in self.rows if row.amount is not None), Fraction(0))

    @property
    def complete(self) -> bool:
        """Whether every line has a figure."""
        return all(row.amount is not None for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; amounts as text to the cent, the total None where no line has a figure."""
        return {
            "estimate": "partial: national Medicare amounts without locality, deductible or sequestration",
            "lines": [
                {
                    "line": row.line,
                    "code": row.code,
                    "units": row.units,
                    "amount": None if row.amount is None else _cents(row.amount),
                    "how": row.how,
                    "note": row.note,
                    "citations": [str(citation) for citation in row.citations],
                }
                for row in self.rows
            ],
            "total": _cents(self.total) if any(row.amount is not None for row in self.rows) else None,
            "complete": self.complete,
        }


def _cents(amount: Fraction) -> str:
    cents = (amount * 100 + Fraction(1, 2)).__floor__()
    return f"{cents // 100}.{cents % 100:02d}"


def expected(made: Charge, *, policy: Policy | None = None) -> Estimate:
    """What Medicare allows nationally for the charge's lines, on its date.

    Relative value units times the conversion factor, payment limits times units.

    >>> made = charge({"on": "2026-03-02", "place": "11", "diagnoses": ["R52"],
    ...     "administrations": [{"drug": "ketorolac", "dose": "30 mg", "route": "IM"}]})
    >>> expected(made).as_dict()["lines"][0]["amount"]
    '15.36'
    """
    book = policy or policies.shipped()
    rows = [_expected(number, line, made, book) for number, line in enumerate(made.lines, 1)]
    return Estimate(tuple(rows))


def _expected(number: int, line: Line, made: Charge, policy: Policy) -> Expected:
    found = policy.allowed(line.code, made.encounter.on, made.encounter.claim)
    if found is None:
        past = policy.unpriced(line.code, made.encounter.on, made.encounter.claim)
        return Expected(number, line.code, line.units, None, "no figure known for the date", past, ())
    return Expected(
        number,
        line.code,
        line.units,
        found.amount * line.units,
        found.how,
        "",
        tuple(found.citations),
    )
