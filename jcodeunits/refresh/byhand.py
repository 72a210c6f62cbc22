"""The tables reviewed by hand, as a refresh needs them: they are the package's, and are in no folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import attrs

from jcodeunits.facts.policy_rows import DrugClass, Procedure
from jcodeunits.facts.store import Store
from jcodeunits.tables import Dated, choice, column, flag, optional, table, text, words


@table("scope", "first", "last")
class Scope(Dated):
    """A range of HCPCS numbers, whether they are drugs, and of what kind. The narrowest range decides."""

    first: str = column(text)
    last: str = column(text)
    drug: bool = column(flag)
    kind: str = column(optional)
    routes: tuple[str, ...] = column(words)
    note: str = column(optional)

    @property
    def width(self) -> int:
        """How many numbers the range holds."""
        return int(self.last[1:]) - int(self.first[1:])


# The facts of a drug row that a descriptor, a dosage or a person says.
DRUG_FACTS = words(
    "ingredient|qualifier|specific|form|routes|kind|size|unit|basis|components|equivalents|above|through|refuses"
)


@table("reviewed", "code", "field")
class Reviewed(Dated):
    """One field of one drug row that a person decided, and why."""

    code: str = column(text)
    field: str = column(choice(*DRUG_FACTS, "effective"))
    value: str = column(optional)
    why: str = column(text)


@attrs.frozen(eq=False)
class ByHand:
    """What people decided: which codes are drugs, fields of drug rows, the procedures that we know."""

    store: Store

    @cached_property
    def scope(self) -> tuple[Scope, ...]:
        """Every range."""
        return self.store.rows(Scope)

    @cached_property
    def reviewed(self) -> Mapping[str, Mapping[str, Reviewed]]:
        """The decided fields by code."""
        found: dict[str, dict[str, Reviewed]] = {}
        for row in self.store.rows(Reviewed):
            found.setdefault(row.code, {})[row.field] = row
        return found

    def scope_of(self, code: str) -> Scope | None:
        """The narrowest range that holds a code, or None."""
        if code not in self._scopes:
            fitting = [row for row in self.scope if row.first[0] == code[0] and row.first <= code <= row.last]
            self._scopes[code] = min(fitting, key=lambda row: row.width, default=None)
        return self._scopes[code]

    _scopes: dict[str, Scope | None] = attrs.field(init=False, repr=False, factory=dict)

    @cached_property
    def procedures(self) -> frozenset[str]:
        """Codes of visits, administrations and services that we know."""
        return frozenset(row.code for row in self.store.rows(Procedure))

    @cached_property
    def administrations(self) -> frozenset[str]:
        """Codes of giving a drug: injections, pushes, infusions, hydration, chemotherapy, vaccines."""
        return frozenset(row.code for row in self.store.rows(Procedure) if row.kind == "administration")

    @cached_property
    def classes(self) -> frozenset[str]:
        """Codes with a class."""
        return frozenset(row.code for row in self.store.rows(DrugClass))

    def may_be_ours(self, code: str) -> bool:
        """Whether a code stands in our tables or may come to stand there: what is kept of lists of all codes."""
        if code not in self._ours:
            scope = self.scope_of(code)
            self._ours[code] = (
                (scope is not None and scope.drug)
                or code in self.procedures
                or code in self.classes
                or code in self.reviewed
            )
        return self._ours[code]

    _ours: dict[str, bool] = attrs.field(init=False, repr=False, factory=dict)
