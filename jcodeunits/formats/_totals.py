"""The total that a claim says of itself, beside the charges of its lines."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ._outgoing import Loss, number


def differs(field: str, total: Decimal | None, charges: Iterable[Decimal | None]) -> list[Loss]:
    """The loss of a total, where the charges of all lines are known and add up to another one.

    >>> print(*differs("CLM02", Decimal(50), [Decimal("10.50")]))
    CLM02 '50' is not carried: the charges of its lines add up to 10.5: a line is missing, or one of them is wrong
    >>> differs("CLM02", Decimal(50), [Decimal(10), None]), differs("CLM02", Decimal("10.0"), [Decimal(10)])
    ([], [])
    """
    each = list(charges)
    known = [charge for charge in each if charge is not None]
    added = sum(known, Decimal(0))
    if total is None or not each or len(known) < len(each) or added == total:
        return []
    why = f"the charges of its lines add up to {number(added)}: a line is missing, or one of them is wrong"
    return [Loss(None, field, number(total), why)]
