"""What the two kinds of audit share: how a judgment grows, which product an NDC names, and what money is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from typing import Any, Self

import attrs

from ..allowed import past
from ..dated import Citation
from ..errors import JcodeunitsError
from ..facts.drug_rows import Drug
from ..facts.policy_rows import Fee
from ..facts.product_rows import Product
from ..facts.reference import Reference
from ..recipes.cells import number_text

AGREES, DIFFERS, UNJUDGED = "agrees", "differs", "unjudged"


@lru_cache(maxsize=1 << 12)
def _cell(citations: tuple[Citation, ...]) -> str | None:
    return "; ".join(dict.fromkeys(map(str, citations))) or None


@attrs.define(eq=False)
class Judged:
    """The judgment of one row: causes are ids of `causes.ALL`, the gravest first."""

    verdict: str = AGREES
    code: str | None = None
    amount: Decimal | None = None
    causes: list[str] = attrs.field(factory=list)
    citations: list[Citation] = attrs.field(factory=list)

    @property
    def cause(self) -> str | None:
        """The causes as one cell."""
        return "|".join(self.causes) or None

    @property
    def citation(self) -> str | None:
        """The sources as one cell."""
        return _cell(tuple(self.citations))

    def differs(self, cause: str, *citations: Citation | None) -> None:
        """Note a difference, before what kept the row from being judged otherwise."""
        left, self.causes = (self.causes, []) if self.verdict == UNJUDGED else ([], self.causes)
        self.verdict = DIFFERS
        self._note(cause, citations)
        self.causes += left

    def unjudged(self, cause: str) -> Self:
        """Note why nothing can be said, unless something was said."""
        if self.verdict != DIFFERS:
            self.verdict = UNJUDGED
            self._note(cause, ())
        return self

    def _note(self, cause: str, citations: tuple[Citation | None, ...]) -> None:
        if cause not in self.causes:
            self.causes.append(cause)
        self.citations += [c for c in citations if c is not None and c not in self.citations]


def product_of(ndc: Any, on: Any, reference: Reference) -> Product | None:
    """The product that the cell of an NDC names on a day; None where it names none."""
    try:
        return reference.products.find(number_text(ndc), on)[0]
    except JcodeunitsError:
        return None


@lru_cache(maxsize=1 << 16)
def row_of(code: str | None, on: dt.date | None, reference: Reference) -> Drug | None:
    """The row of a code on a day; None where it has none."""
    rows = reference.drugs.rows(code or "")
    return next((row for row in rows if on is not None and row.period.holds(on)), None)


@lru_cache(maxsize=1 << 16)
def ended_row(code: str, on: dt.date | None, reference: Reference) -> Drug | None:
    """The row of a code that is not in effect on a day; None where it is, or is no drug code."""
    rows = reference.drugs.rows(code)
    if on is None or not rows or row_of(code, on, reference) is not None:
        return None
    before = [row for row in rows if row.effective <= on]
    return before[-1] if before else rows[0]


@lru_cache(maxsize=1 << 16)
def limit_of(code: str, on: dt.date, reference: Reference) -> Fee | None:
    """The payment limit of a code on a day; None where none is known any more."""
    found = reference.policy.fee(code, "payment-limit", on)
    return None if found is None or past(found, on) else found
