"""The NDCs of a drug's lines: which number stands on which line, and the units that each stands for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

from jcodeunits.amount import round_up
from jcodeunits.claim import ExtraNdc, Line

from .opened import Opened, Quantities


@attrs.frozen
class LineNdc:
    """One NDC for a line: its quantity, and the part of the line's units that it stands for."""

    number: str
    qualifier: str | None
    quantity: Decimal | None
    part: Fraction | None

    def on(self, line: Line, count: int, marks: tuple[str, ...], extra: tuple[ExtraNdc, ...]) -> Line:
        """The line with this NDC on it."""
        return attrs.evolve(
            line,
            modifiers=(*line.modifiers, *marks),
            units=count,
            ndc=self.number,
            ndc_qualifier=self.qualifier,
            ndc_quantity=self.quantity,
            extra_ndcs=extra,
        )


def with_ndcs(line: Line, numbers: list[LineNdc], lines: bool, modifiers: Sequence[str]) -> tuple[Line, ...]:
    """One line with the further NDCs beside it; or, where `lines`, a line for each NDC with the units divided.

    `modifiers`: what the payer wants on the first of several lines, on the second, and so on.
    """
    if not numbers:
        return (line,)
    known = all(number.part is not None for number in numbers)
    first, *further = numbers
    if not further or not known or not lines:
        extra = tuple(ExtraNdc(more.number, more.qualifier, more.quantity) for more in further)
        return (first.on(line, line.units, (), extra),)
    made = []
    for n, (number, share_of) in enumerate(zip(numbers, _divided(line.units, numbers), strict=True)):
        mark = modifiers[min(n, len(modifiers) - 1)] if modifiers else "none"
        if share_of:
            made.append(number.on(line, share_of, () if mark == "none" else (mark,), ()))
    return tuple(made)


def _divided(total: int, numbers: list[LineNdc]) -> list[int]:
    """Whole units for each NDC, rounded up as the sum of their parts grows, so that they add up to the total."""
    parts = [number.part or Fraction(0) for number in numbers]
    whole = sum(parts, Fraction(0)) or Fraction(1)
    each = Fraction(1) if round_up(whole) == total else total / whole
    reached = [round_up(each * sum(parts[: n + 1], Fraction(0))) for n in range(len(parts))]
    return [after - before for before, after in zip([0, *reached], reached, strict=False)]


def merged(counted: list[tuple[Opened, Quantities]]) -> list[tuple[Opened, Quantities]]:
    """One entry for each NDC: what several administrations of an order took from one product, together."""
    made: dict[str, tuple[Opened, Quantities]] = {}
    for o, q in counted:
        if q.number not in made:
            made[q.number] = (o, q)
            continue
        p, r = made[q.number]
        made[q.number] = (
            attrs.evolve(p, given=_plus(p.given, o.given), discarded=_plus(p.discarded, o.discarded)),
            attrs.evolve(
                r,
                given=_plus(r.given, q.given),
                discarded=_plus(r.discarded, q.discarded),
                opened=_plus(r.opened, q.opened),
                steps=(*r.steps, *q.steps),
            ),
        )
    return list(made.values())


def _plus(one: Any, other: Any) -> Any:
    """A sum in which nothing is none, and an unknown part leaves the known one."""
    return other if one is None else one if other is None else one + other
