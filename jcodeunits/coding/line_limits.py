"""Units above a limit that counts the line stand on several lines, the further ones marked.

A medically unlikely edit of indicator 1 looks at each line of the claim: true units above it are reported on
more lines, with the modifier that the contractor takes. Limits that count the day are met by no split. What
would need more lines than a paper claim has is left as it is, because it is more often a slip.

Source: NCCI policy manual, chapter I, section V; contractors' pages on clotting factors.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

import attrs

from jcodeunits.amount import decimal
from jcodeunits.claim import ExtraNdc, Line
from jcodeunits.dated import Step
from jcodeunits.facts.policy_rows import Limit
from jcodeunits.finding import declare

from .draft import Draft, Entry

FINDINGS = declare(__name__, {})
_MOST_LINES = 6
_CENT = Decimal("0.01")


def apply(draft: Draft) -> None:
    """Split the drug lines that are above the limit of a line, for a payer that applies it and takes a modifier."""
    above = {id(entry): limit for entry in draft.live("drug", "waste") if (limit := _above(draft, entry)) is not None}
    if above and draft.option("limits").value == "enforced" and draft.option("limit-split").value != "none":
        draft.entries = [
            part
            for entry in draft.entries
            for part in (_parts(draft, entry, above[id(entry)]) if id(entry) in above else [entry])
        ]


def _above(draft: Draft, entry: Entry) -> Limit | None:
    """The limit of a line that the entry is above, if it is above one."""
    limit = draft.policy.limit(entry.code, draft.on, draft.encounter.claim) if entry.line.units > 1 else None
    return limit if limit is not None and limit.per == "line" and 0 < limit.units < entry.line.units else None


def _parts(draft: Draft, entry: Entry, limit: Limit) -> Iterable[Entry]:
    whole, rest = divmod(entry.line.units, limit.units)
    counts = [limit.units] * whole + ([rest] if rest else [])
    option, full = draft.option("limit-split"), int(draft.option("modifiers-most").value)
    if len(counts) > _MOST_LINES or option.value in entry.modifiers or len(entry.modifiers) >= full:
        return [entry]
    entry.steps.append(
        Step(f"{entry.line.units} on {len(counts)} lines", f"at most {limit.units} on one", limit.citation)
    )
    decimals = int(draft.option("ndc-decimals").value)
    lines = _shared(entry.line, counts, Decimal(1).scaleb(-decimals))
    more = [
        attrs.evolve(entry, line=line, modifiers=list(entry.modifiers), steps=list(entry.steps)) for line in lines[1:]
    ]
    for part in more:
        part.mark(option.value, "a further line of one dose", option.citation)
        part.modifiers = list(draft.policy.ordered(part.modifiers, draft.on))
    entry.line = lines[0]
    return [entry, *more]


def _shared(line: Line, counts: list[int], least: Decimal) -> list[Line]:
    """The line over these units; amounts and quantities by units, and the first line has what rounding leaves."""
    amounts = _over(line.charge_amount, counts, _CENT)
    quantities = _over(line.ndc_quantity, counts, least)
    extra = [_over(item.quantity, counts, least) for item in line.extra_ndcs]
    return [
        attrs.evolve(
            line,
            units=count,
            charge_amount=amounts[n],
            ndc_quantity=quantities[n],
            extra_ndcs=tuple(ExtraNdc(item.ndc, item.qualifier, extra[k][n]) for k, item in enumerate(line.extra_ndcs)),
        )
        for n, count in enumerate(counts)
    ]


def _over(amount: Decimal | None, counts: list[int], least: Decimal) -> list[Decimal | None]:
    if amount is None:
        return [None] * len(counts)
    total = sum(counts)
    # A line of a very small part has the least that a claim can say, as no line is billed with nothing while all of
    # them can have that much.
    lowest = least if amount >= least * len(counts) else Decimal(0)
    parts = [max((amount * count / total).quantize(least, ROUND_DOWN), lowest) for count in counts[1:]]
    # As fractions they lose the zeros behind the point.
    return [decimal(Fraction(part)) for part in (amount - sum(parts, Decimal(0)), *parts)]
