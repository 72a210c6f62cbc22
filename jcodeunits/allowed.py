"""What Medicare allows nationally for a line: an estimate, partial by nature, and none past its last day."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs

from .amount import cents, decimal_text, told
from .claim import Charge, Line
from .dated import Citation, as_date
from .facts.policy import Policy
from .facts.policy_rows import PayerOption, PolicyRow, Status
from .facts.reference import Reference


@attrs.frozen
class Allowed:
    """What Medicare allows nationally for one unit of a line on the date, in dollars; `how` it was worked out."""

    amount: Fraction
    how: str
    citations: tuple[Citation, ...]


def past(row: PolicyRow, on: object) -> str:
    """How far a figure of money goes, where the date lies outside; its edition's last day ends it too."""
    date, source = as_date(on), row.origin
    if date < row.effective:
        return f"no edition older than {row.effective} was read"
    last = source.last_day if source is not None else None
    if source is not None and last is not None and date > last:
        return f"the figure read last is of {source.title}, to {last}"
    return ""


def allowed(policy: Policy, code: str, on: object, claim: str = "professional") -> Allowed | None:
    """What Medicare allows nationally for one unit of a code; None where no figure of the date is known.

    Professional claims: relative value units times the conversion factor (no locality adjustment); drugs:
    the payment limit of the quarter. Outpatient: the rate, and nothing for a drug that is packaged. A
    figure never answers past its edition's last day; `unpriced` says then how far it goes.

    >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
    >>> allowed(policy, "96372", on="2026-03-02").how
    '0.46 RVU x $33.4009'
    >>> allowed(policy, "J1885", on="2026-04-01") is None
    True
    """
    rows = figures(policy, code, on, claim)
    if not rows or unpriced(policy, code, on, claim):
        return None
    cites = tuple(row.citation for row in rows)
    first, *further = rows
    if isinstance(first, Status):
        return Allowed(Fraction(0), "packaged into another service (status N)", cites)
    shown = decimal_text(first.amount)
    if further:
        factor = further[0].amount
        return Allowed(first.amount * factor, f"{shown} RVU x ${decimal_text(factor)}", cites)
    if first.measure == "opps-rate":
        return Allowed(first.amount, f"rate ${shown}", cites)
    return Allowed(first.amount, f"payment limit ${shown} for one billing unit", cites)


def unpriced(policy: Policy, code: str, on: object, claim: str = "professional") -> str:
    """How far the figures of a code go, where they do not reach the date; empty where they do.

    >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
    >>> unpriced(policy, "J1885", on="2026-04-01")
    'the figure read last is of Part B payment limits 2026 Q1, to 2026-03-31'
    """
    return next(filter(None, (past(row, on) for row in figures(policy, code, on, claim))), "")


def figures(policy: Policy, code: str, on: object, claim: str) -> tuple[Any, ...]:
    """The rows that make an amount, whether or not they reach the date; () where there are none."""
    status = policy.status(code, on) if claim == "outpatient" else None
    if status is not None and status.status == "N":
        return (status,)
    limit = policy.fee(code, "payment-limit", on)
    if limit is not None:
        return (limit,)
    if claim == "outpatient":
        rate = policy.fee(code, "opps-rate", on)
        return () if rate is None else (rate,)
    total, factor = policy.fee(code, "total-rvu", on), policy.fee("all", "conversion-factor", on)
    return () if total is None or factor is None else (total, factor)


@attrs.frozen
class AllowedAmount:
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
    """The expected national amounts of a charge's lines: no locality, sequestration, deductible or payer's rates."""

    rows: tuple[AllowedAmount, ...]

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
        rows = [
            {
                **told(row, "line", "code", "units"),
                "amount": None if row.amount is None else str(cents(row.amount)),
                **told(row, "how", "note", "citations"),
            }
            for row in self.rows
        ]
        return {
            "estimate": "partial: national Medicare amounts without locality, deductible or sequestration",
            "lines": rows,
            "total": str(cents(self.total)) if any(row.amount is not None for row in self.rows) else None,
            "complete": self.complete,
        }


def expected(made: Charge, *, reference: Reference | None = None) -> Estimate:
    """What Medicare allows nationally for the charge's lines, on its date.

    Relative value units times the conversion factor, payment limits times units.

    >>> import jcodeunits
    >>> made = jcodeunits.charge({"on": "2026-03-02", "place": "11", "diagnoses": ["R52"],
    ...     "administrations": [{"drug": "ketorolac", "dose": "30 mg", "route": "IM"}]})
    >>> expected(made).as_dict()["lines"][0]["amount"]
    '15.36'
    """
    policy = Reference.of(reference).policy
    rows = [_expected(number, line, made, policy) for number, line in enumerate(made.lines, 1)]
    return Estimate(tuple(rows))


def _expected(number: int, line: Line, made: Charge, policy: Policy) -> AllowedAmount:
    found = allowed(policy, line.code, made.encounter.on, made.encounter.claim)
    if found is None:
        far = unpriced(policy, line.code, made.encounter.on, made.encounter.claim)
        return AllowedAmount(number, line.code, line.units, None, "no figure known for the date", far, ())
    amount, how, cites = found.amount, found.how, tuple(found.citations)
    share = _off_campus(line, made, policy)
    if share is not None:
        amount, how, cites = amount * int(share.value) / 100, f"{how} x {share.value}%", (*cites, share.citation)
    return AllowedAmount(number, line.code, line.units, amount * line.units, how, "", cites)


def _off_campus(line: Line, made: Charge, policy: Policy) -> PayerOption | None:
    """The part of the rate that an off-campus department is paid for giving a drug; None where it is the whole."""
    encounter = made.encounter
    row = policy.procedure(line.code, encounter.on)
    if encounter.claim != "outpatient" or row is None or row.kind != "administration":
        return None
    name = "off-campus-share-not-excepted" if "PN" in line.modifiers else "off-campus-share"
    places, share = (
        policy.option(encounter.payer, one, encounter.on, encounter.claim) for one in ("off-campus-places", name)
    )
    return share if encounter.place in places.values and share.value != "100" else None
