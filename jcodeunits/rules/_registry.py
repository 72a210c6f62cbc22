"""What a rule is: one function over finished lines, with its id, title, sources, payers and period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from typing import Any

import attrs

from jcodeunits import tables
from jcodeunits.claim import Line
from jcodeunits.dated import Citation, Period
from jcodeunits.encounter import Administration, Encounter
from jcodeunits.facts.policy import Policy
from jcodeunits.facts.policy_rows import DrugClass, PayerOption, Procedure
from jcodeunits.finding import SEVERITIES, Finding, Severity, softened

ANY = "any"
GUIDE = "guide"  # in a rule's `cites`: the source whose id begins so
SINCE = dt.date(1900, 1, 1)
Yields = Iterable[Finding]  # what a rule gives


@attrs.define(eq=False, slots=False)
class Case:
    """What a rule reads: the encounter, the finished lines, the dated tables. Nothing of it is changed."""

    encounter: Encounter
    lines: tuple[Line, ...]
    policy: Policy

    @property
    def on(self) -> dt.date:
        """The date of service."""
        return self.encounter.on

    def numbered(self, *kinds: str) -> list[tuple[int, Line]]:
        """The lines of these kinds with their numbers, counted from 1."""
        return [(n, line) for n, line in enumerate(self.lines, 1) if not kinds or line.kind in kinds]

    def option(self, name: str) -> PayerOption:
        """What the encounter's payer does in one matter."""
        return self.policy.option(self.encounter.payer, name, self.encounter.on, self.encounter.claim)

    def procedure(self, line: Line) -> Procedure | None:
        """What the line's code is, where the procedure table knows it."""
        return self.policy.procedure(line.code, self.on)

    def administration(self, line: Line) -> Administration | None:
        """The administration behind a line."""
        return None if line.administration is None else self.encounter.administrations[line.administration]

    def classes(self, line: Line) -> frozenset[str]:
        """The classes of a drug line's code."""
        return frozenset(self._classes.get(line.code, ()))

    def of_class(self, name: str, *routes: str) -> Iterator[tuple[int, Line, DrugClass]]:
        """The drug lines of a class, given by one of these routes where any are named, with the row of the class."""
        for number, line in self.numbered("drug"):
            row, given = self._classes[line.code].get(name), self.administration(line)
            if row is not None and (not routes or (given is not None and given.route in routes)):
                yield number, line, row

    def injections(self, *kinds: str) -> Iterator[tuple[int, Line, Procedure]]:
        """The lines of these kinds whose code is an administration, with the row of the code."""
        for number, line in self.numbered(*kinds):
            row = self.procedure(line)
            if row is not None and row.kind == "administration":
                yield number, line, row

    @cached_property
    def _classes(self) -> dict[str, dict[str, DrugClass]]:
        codes = {line.code for line in self.lines if line.kind == "drug"}
        return {code: {row.name: row for row in self.policy.classes(code, self.on)} for code in codes}


@cache
def _citations(cites: tuple[tuple[str, str], ...]) -> tuple[Citation, ...]:
    return tuple(tables.guide(cite) if source == GUIDE else tables.cited(source, cite) for source, cite in cites)


@attrs.frozen
class Rule:
    """A rule: `check` yields findings. `severities` are those it may give, `payers` whom it is about."""

    id: str
    title: str
    severities: tuple[Severity, ...]
    cites: tuple[tuple[str, str], ...]
    payers: tuple[str, ...]
    period: Period
    check: Callable[[Case], Yields]

    def __call__(self, case: Case) -> tuple[Finding, ...]:
        """The findings of the rule; none where its period or payers do not fit."""
        if not self.period.holds(case.on):
            return ()
        if ANY not in self.payers and not set(self.payers) & set(case.policy.lineage(case.encounter.payer)):
            return ()
        return tuple(self.check(case))

    def citations(self) -> tuple[Citation, ...]:
        """The sources of the reasoning, besides the rows that a finding cites."""
        return _citations(self.cites)

    def finding(
        self, severity: Severity, says: str, fix: str, *citations: Citation, line: int | None = None, reach: str = ""
    ) -> Finding:
        """A finding of this rule, with the rule's own sources behind the rows it read."""
        cites = tuple(dict.fromkeys((*citations, *self.citations())))
        return Finding(self.id, softened(severity, citations or cites), says, fix, cites, line, reach=reach)


def marked_with(modifier: str) -> str:
    """How a payer wants the further parts of a split told.

    >>> marked_with("76"), marked_with("none")
    ('marks the further ones with 76', 'tells the further ones by a narrative (1 of 3), without a modifier')
    """
    if modifier in ("", "none"):
        return "tells the further ones by a narrative (1 of 3), without a modifier"
    return f"marks the further ones with {modifier}"


def rule(
    id: str,
    *severities: Severity,
    cites: tuple[tuple[str, str], ...],
    payers: tuple[str, ...] = (ANY,),
    since: dt.date = SINCE,
    ends: dt.date | None = None,
) -> Callable[[Callable[[Case], Iterable[Any]]], Rule]:
    """Make a rule of a function; its title is the head of its file. Ids are kebab-case and never used again."""
    if not set(severities) <= set(SEVERITIES) or not severities:
        raise ValueError(f"{id}: {severities} are not severities")

    def made(function: Callable[[Case], Yields]) -> Rule:
        title = (function.__globals__["__doc__"] or id).partition("\n")[0].rstrip(".")
        return Rule(id, title, severities, cites, payers, Period(since, ends), function)

    return made
