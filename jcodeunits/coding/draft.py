"""The claim while it is being built: entries that may still be withheld, and what was said about them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

from jcodeunits.claim import Line
from jcodeunits.dated import Citation, Step, Trace
from jcodeunits.encounter import Administration, Encounter
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.policy import Policy
from jcodeunits.facts.policy_rows import AdministrationRule, PayerOption, Procedure, plays
from jcodeunits.finding import Finding, Findings, Severity, softened

from .drug_lines import DrugLines
from .nameless import UNCLASSIFIED

_AMOUNT = re.compile(r"\d")  # where the words of a description end and its amounts begin


@attrs.define(eq=False)
class Entry:
    """One line to be: `line` is what it starts from; a withheld entry stays, so that findings can name it.

    `role` and `position` say which part the code plays; `members` are the administrations behind the line,
    in the order of the encounter; `separate` whether the caller says that the service stands on its own.
    """

    line: Line
    role: str = ""
    position: str = ""
    members: tuple[int, ...] = ()
    separate: bool | None = None
    modifiers: list[str] = attrs.field(factory=list)
    steps: list[Step] = attrs.field(factory=list)
    withheld: bool = False
    listed: bool = False  # a service that the caller bills, as the caller bills it
    part: str = ""  # what the procedure table calls a listed code: administration, procedure, ...

    @property
    def code(self) -> str:
        """The code of the line."""
        return self.line.code

    @property
    def kind(self) -> str:
        """The kind of the line."""
        return self.line.kind

    @property
    def administers(self) -> bool:
        """Whether the line is an administration, derived or listed."""
        return self.kind == "administration" or self.part == "administration"

    def mark(self, modifier: str, why: str, citation: Citation | None = None) -> None:
        """Put a modifier on the line, once, and say why in its trace."""
        if modifier not in self.modifiers:
            self.modifiers.append(modifier)
            self.steps.append(Step(f"modifier {modifier}", why, citation))


@attrs.define(eq=False)
class GivenDrug:
    """One drug of the encounter: its administrations, its row, its lines, what was said about them."""

    members: tuple[int, ...]
    drug: Drug | None
    entries: list[Entry]
    findings: Findings
    classes: tuple[str, ...] = ()
    written: str = ""  # the drug as the encounter names it
    meant: tuple[tuple[str, ...], ...] = ()  # of a refused drug: the classes of each code that it may be
    not_so: bool = False  # of a refused drug: not given by the route, or nothing of it was: no giving is known
    dropped: bool = False  # nothing of it is billed, so that what was said about its container is moot

    @property
    def code(self) -> str | None:
        """The drug's code, None where it was refused."""
        return self.drug.code if self.drug is not None else None

    @property
    def product(self) -> str:
        """What tells it from another drug: its code; under a code that names no drug also the words of its line."""
        if self.drug is None:
            return self.written.strip().casefold()
        if self.drug.refuses != UNCLASSIFIED or self.line is None:
            return self.drug.code
        line = self.line.line
        words = _AMOUNT.split(line.description or "")[0].strip().casefold()
        return f"{self.drug.code} {words or line.ndc or ''}".rstrip()

    @property
    def substance(self) -> str:
        """The drug whatever its maker's code, as a new drug into a vein is counted."""
        return self.product if self.drug is None or self.drug.refuses == UNCLASSIFIED else self.drug.ingredient

    @property
    def line(self) -> Entry | None:
        """The drug's first line, which a finding about it names; None where it has none."""
        return self.entries[0] if self.entries else None


@attrs.frozen(eq=False)
class Decision:
    """One administration that has a code of its own: its index, its drug, the row that decided, the role."""

    index: int
    given: GivenDrug
    row: AdministrationRule
    role: str


@attrs.define(eq=False)
class Draft:
    """Everything that the steps share: what was read, the entries, the findings with the entry they name."""

    encounter: Encounter
    policy: Policy
    given: list[GivenDrug]
    of: dict[int, GivenDrug]
    entries: list[Entry] = attrs.field(factory=list)
    barred: int = 0  # administrations of which a rule made no line
    findings: list[tuple[Finding, Entry | None]] = attrs.field(factory=list)
    decisions: list[Decision] = attrs.field(factory=list)

    @classmethod
    def start(cls, encounter: Encounter, drugs: Iterable[DrugLines], policy: Policy) -> Draft:
        """A draft that holds the visit, the other services and the drug lines."""
        given = [_given(item, encounter, policy) for item in drugs]
        of = {index: item for item in given for index in item.members}
        draft = cls(encounter, policy, given, of)
        draft.entries += _visits(encounter, policy)
        draft.entries += [entry for item in given for entry in item.entries]
        return draft

    @property
    def on(self) -> dt.date:
        """The date of service."""
        return self.encounter.on

    def administration(self, index: int) -> Administration:
        """The administration as it was given."""
        return self.encounter.administrations[index]

    def option(self, name: str) -> PayerOption:
        """What the encounter's payer does in one matter."""
        return self.policy.option(self.encounter.payer, name, self.encounter.on, self.encounter.claim)

    def live(self, *kinds: str) -> list[Entry]:
        """The entries that are still to be billed, of these kinds."""
        return [entry for entry in self.entries if not entry.withheld and (not kinds or entry.line.kind in kinds)]

    def diagnoses(self, members: Iterable[int]) -> tuple[str, ...]:
        """The diagnoses of these administrations; for one that names none, or no one, those of the encounter behind."""
        return _diagnoses((self.administration(index) for index in members), self.encounter)

    def administration_line(self, members: tuple[int, ...], row: Procedure, units: int) -> Line:
        """The line of an administration code for these administrations."""
        return Line(
            row.code,
            units=units,
            diagnoses=self.diagnoses(members),
            kind="administration",
            label=row.label,
            administration=members[0],
        )

    def administer(self, decisions: Sequence[Decision], row: Procedure, units: int = 1, lasted: str = "") -> Entry:
        """A new line of an administration code for what these decisions are about."""
        members, first = tuple(decision.index for decision in decisions), decisions[0]
        line = self.administration_line(members, row, units)
        entry = Entry(line, row.role, row.position, members, steps=[self.step_to(first, row, lasted)])
        self.entries.append(entry)
        return entry

    def separate(self, members: Iterable[int]) -> bool | None:
        """Whether the caller says that what was given stands on its own; None where nobody says."""
        said = (self.administration(index).separate for index in members)
        return next((value for value in said if value is not None), None)

    def step_to(self, decision: Decision, row: Procedure, lasted: str) -> Step:
        """The step from how it was given to the code of giving it."""
        given = self.administration(decision.index)
        return Step(f"{given.purpose}, {given.route}{lasted}", f"{row.code}, {row.label}", decision.row.citation)

    def say(
        self,
        rule: str,
        severity: Severity,
        says: str,
        fix: str,
        *citations: Citation,
        about: Entry | None = None,
        argument: str | None = None,
    ) -> None:
        """A finding; where every source is general knowledge, a stop becomes a warning."""
        made = Finding(rule, softened(severity, citations), says, fix, citations, argument=argument)
        self.findings.append((made, about))

    def names(self, entry: Entry) -> str:
        """The drugs that a line is for."""
        return " and ".join(dict.fromkeys(named(self.of[index]) for index in entry.members))

    def held(self, roles: Sequence[str]) -> list[str]:
        """The codes of the listed services and the visit that play one of these roles."""
        return [entry.code for entry in self.live("service", "visit") if plays(entry.role, roles)]

    def code_of(self, decision: Decision) -> str:
        """The code that a decision leads to, the first one where its role has several."""
        rows = self.policy.procedures(self.on, role=decision.role)
        first = [row for row in rows if row.position in ("single", "initial", "first")]
        return (first or rows)[0].code

    def withhold(self, entries: Iterable[Entry]) -> None:
        """Take lines off the claim; the caller says why with a finding."""
        for entry in entries:
            entry.withheld = True

    def drop(self, item: GivenDrug) -> None:
        """Take a drug's lines off the claim, and with them what was said about its container."""
        self.withhold(item.entries)
        item.dropped = True


def sentence(words: str) -> str:
    """Words of a table as a sentence."""
    return f"{words[:1].upper()}{words[1:]}."


def named(item: GivenDrug) -> str:
    """A drug as findings name it."""
    return f"{item.drug.name} ({item.drug.code})" if item.drug is not None else item.written


def _diagnoses(given: Iterable[Administration], encounter: Encounter) -> tuple[str, ...]:
    own = [one.diagnoses for one in given]
    named = [code for codes in own for code in codes]
    return tuple(dict.fromkeys(named if own and all(own) else (*named, *encounter.diagnoses)))


def _given(item: DrugLines, encounter: Encounter, policy: Policy) -> GivenDrug:
    given = [encounter.administrations[index] for index in item.administrations]
    named = _diagnoses(given, encounter)
    amounts = [one.charge_amount for one in given if one.charge_amount is not None]
    shares = _shares(sum(amounts, Decimal(0)), item.lines) if amounts else (None,) * len(item.lines)
    revenue = next((one.revenue_code for one in given if one.revenue_code is not None), None)
    entries = [
        Entry(
            attrs.evolve(line, diagnoses=named, charge_amount=share, revenue_code=revenue),
            role=line.kind,
            members=item.administrations,
            modifiers=list(line.modifiers),
            steps=list(line.trace.steps),
        )
        for line, share in zip(item.lines, shares, strict=True)
    ]
    # A code that the catalog refuses may still be classed, so that its administration is known.
    code = item.drug.code if item.drug is not None else given[0].drug.strip().upper()
    classes = tuple(row.name for row in policy.classes(code, encounter.on))
    if item.drug is not None:
        classes += (item.drug.kind,)
    for entry in entries:
        for modifier in dict.fromkeys(code for one in given for code in one.modifiers):
            row = policy.modifier(modifier, encounter.on)
            # What is wrong on both lines is said once, of the administered one.
            if entry.kind == "drug" or row is None or entry.kind in row.lines:
                entry.mark(modifier, "said by the caller")
    meant = tuple(tuple(row.name for row in policy.classes(code, encounter.on)) for code in item.meant)
    written = given[0].drug
    return GivenDrug(item.administrations, item.drug, entries, item.findings, classes, written, meant, item.not_so)


def _shares(amount: Decimal, lines: tuple[Line, ...]) -> tuple[Decimal, ...]:
    """The amount of a drug over its administered and discarded line, by units, to the cent, nothing lost."""
    total = sum(line.units for line in lines)
    parts: list[Decimal] = []
    for line in lines[1:]:
        parts.append((amount * line.units / total).quantize(Decimal("0.01")))
    return (amount - sum(parts, Decimal(0)), *parts) if lines else ()


def _visits(encounter: Encounter, policy: Policy) -> list[Entry]:
    """The visit and the listed services; a visit code among them is a visit that nobody calls separate."""
    entries = []
    visit = encounter.visit
    if visit is not None:
        row = policy.procedure(visit.code, encounter.on)
        line = Line(
            visit.code,
            diagnoses=visit.diagnoses or encounter.diagnoses,
            kind="visit",
            label=row.label if row else "visit",
            charge_amount=visit.charge_amount,
            revenue_code=visit.revenue_code,
        )
        role = row.role if row and row.kind == "visit" else ""
        entries.append(Entry(line, role, separate=visit.separate, modifiers=list(visit.modifiers)))
    for service in encounter.services:
        row = policy.procedure(service.code, encounter.on)
        line = Line(
            service.code,
            units=service.units,
            diagnoses=service.diagnoses or encounter.diagnoses,
            kind="visit" if row and row.kind == "visit" else "service",
            label=row.label if row else "service of the day",
            description=service.description,
            charge_amount=service.charge_amount,
            revenue_code=service.revenue_code,
        )
        separate = True if line.kind == "visit" and "25" in service.modifiers else None
        role, position = (row.role, row.position) if row else ("", "")
        entry = Entry(line, role, position, (), separate, list(service.modifiers), listed=True)
        entry.part = row.kind if row else ""
        entries.append(entry)
    return entries


def finished(draft: Draft) -> tuple[tuple[Line, ...], Findings]:
    """The lines as they will be billed, and every finding with the number of its line."""
    number: dict[int, int] = {}
    lines: list[Line] = []
    for entry in draft.live():
        number[id(entry)] = len(lines) + 1
        lines.append(_line(entry, draft.encounter))
    findings = [
        attrs.evolve(finding, line=number.get(id(about))) if about is not None else finding
        for finding, about in draft.findings
    ]
    for item in draft.given:
        if not item.dropped:
            several = len(draft.given) > 1
            findings += [_placed(finding, item, several, number) for finding in item.findings]
    return tuple(lines), tuple(findings)


def _placed(finding: Finding, item: GivenDrug, several: bool, number: dict[int, int]) -> Finding:
    """A finding with its line's number; among several drugs, one about a drug that has no line says which."""
    if finding.line is not None:
        finding = attrs.evolve(finding, line=number.get(id(item.entries[finding.line - 1])))
    if not several or item.entries or item.written.casefold() in finding.says.casefold():
        return finding
    return attrs.evolve(finding, says=f"{item.written}: {finding.says}")


def _line(entry: Entry, encounter: Encounter) -> Line:
    line = entry.line
    amount, revenue = line.charge_amount, line.revenue_code
    if amount is None:
        price = dict(encounter.charge_amounts).get(line.code)
        amount = None if price is None else Decimal(line.units) * price
    if revenue is None:
        revenue = dict(encounter.revenue_codes).get(line.code)
    return attrs.evolve(
        line,
        modifiers=tuple(entry.modifiers),
        trace=Trace(tuple(entry.steps)),
        charge_amount=amount,
        revenue_code=revenue,
    )
