"""Containers and waste: what was opened, given and discarded, and which modifier says so.

The rule stands once, in `administered_units` and `waste_units`, written with integer operators only, so
that the same lines serve one dose and an array of a million. The rest reads the record around it: discarded
drug is billed only where the record says so, and a remainder that nobody accounts for takes no modifier.

>>> waste(given="77 mg", per="10 mg", opened=["100 mg"], discarded="23 mg", kind="single-dose").as_text()
'8, and 2 with JW'
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import attrs

from . import tables, units
from .amount import decimal_text, quotient_up, round_up, several
from .dated import Citation, Step, Trace
from .dose import Dose
from .errors import ContainerError, UnitMismatch, quoted, shortened
from .facts.product_rows import KINDS
from .finding import Finding, Findings, declare, softened

FINDINGS = declare(
    __name__,
    {
        "container-unknown": ("Nobody said whether the container was single-dose or multi-dose", "warn"),
        "containers-missing": ("How many containers were opened is not recorded", "warn"),
        "dose-above-containers": ("More was given than the containers hold", "stop"),
        "multi-dose-waste": ("What is left in a multi-dose container is never billed", "note"),
        "shared-container": ("A vial shared by several patients", "warn"),
        "waste-doubt": ("Whether discarded drug may be billed here is not settled", "warn"),
        "waste-exempt": ("Neither JW nor JZ here", "note"),
        "waste-unaccounted": ("A remainder that the record does not mention", "stop, warn"),
    },
)

# Kinds of container whose remainder stays in use, for other patients or other days: never JW or JZ.
IN_USE = ("multi-dose", "bulk")
ABOVE_FIX = "Correct the dose, the number of containers or the amount in one."
# A recorded amount of nothing: a zero and an accepted unit.
_NOTHING = re.compile(r"0+(?:\.0*)? ?([^\d.,\s].*)")


# --- the rule, for numbers and arrays alike ---------------------------------------------------------


def administered_units(dose: Any, size: Any) -> Any:
    """Billing units of the dose, rounded up: the smallest whole number not below dose / size.

    Whole numbers or integer arrays of one scale (both in the same smallest unit).

    >>> administered_units(77, 10), administered_units(7, 10)
    (8, 1)
    """
    return quotient_up(dose, size)


def waste_units(dose: Any, discarded: Any, label: Any, size: Any) -> Any:
    """Billing units of discarded drug, rounded down, and never above the label together with the dose's.

    `label` is the labelled amount of all containers opened. Written without a comparison, so that integer
    arrays pass through; exact as long as the figures stay below 2**62.

    >>> waste_units(77, 23, 100, 10), waste_units(75, 25, 100, 100), waste_units(115, 10, 125, 10)
    (2, 0, 0)
    """
    thrown, room = discarded // size, label // size - administered_units(dose, size)
    least = (thrown + room - abs(thrown - room)) // 2
    return (least + abs(least)) // 2  # not below zero


# --- one administration's record --------------------------------------------------------------------


@attrs.frozen
class WasteRules:
    """What payer, date, setting and drug ask for.

    `jw`: whether discarded drug has a line of its own. `jz`: `required`, `allowed` or `none`. `unrecorded`:
    how grave a remainder is that the record does not account for (`stop`, `warn`, `none`). `exempt`: why
    neither applies although the container is single-dose (empty: they apply); `supply`: the reason is that
    the product is paid by what was applied, which is said even where nothing was left over; `doubt`: why
    nobody can say. `citations`: where it stands, first for JW, then for JZ, then for the rest.
    """

    jw: bool = True
    jz: str = "required"
    unrecorded: str = "stop"
    exempt: str = ""
    supply: bool = False
    doubt: str = ""
    citations: tuple[Citation, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether either modifier can stand on the claim at all."""
        return not self.exempt and (self.jw or self.jz != "none")


@attrs.frozen
class Waste:
    """Units administered and discarded, and the modifier of the administered line (`JZ` or none).

    A JW line stands where `discarded` is above zero. `remainder` is what the containers held beyond the dose,
    in billing units (None where their label is not known). `withheld` tells that no line can be billed.
    """

    administered: int
    discarded: int
    modifier: str
    remainder: Fraction | None = None
    findings: Findings = ()
    trace: Trace = attrs.field(default=Trace())
    withheld: bool = False

    def as_text(self) -> str:
        """One line for people."""
        line = f"{self.administered}" + (f" with {self.modifier}" if self.modifier else "")
        return line + (f", and {self.discarded} with JW" if self.discarded else "")


@attrs.frozen
class Record:
    """What the record says, in exact billing units of the code.

    `given` the dose; `label` the labelled amount of all containers opened (None: not known); `discarded` what
    is recorded as thrown away (None: not recorded); `kind` one of `products.KINDS` or "" (not
    known); `shared` the container served several patients. `missing` says what would tell the label.
    Raises `ContainerError` for another kind.
    """

    given: Fraction
    label: Fraction | None
    discarded: Fraction | None
    kind: str
    shared: bool = False
    missing: str = "containers and the amount in one container"

    def __attrs_post_init__(self) -> None:
        if self.kind and self.kind not in KINDS:
            says = f"{self.kind!r} is no kind of container. Allowed: {', '.join(KINDS)}, or '' where it is not known."
            raise ContainerError(says, given=self.kind)


# How a record compares, as `comparison` numbers it: the label against the dose, the recorded discard against the rest.
_NO_LABEL, _OVER, _EMPTIED, _LEFT = range(4)
_NOT_RECORDED, _NOTHING_LOST, _LESS, _ALL, _MORE = range(5)
COMPARISONS = 40


def comparison(given: Any, label: Any, discarded: Any, size: Any) -> Any:
    """How dose, label and recorded discard compare: a number below `COMPARISONS`, equal for all that are judged alike.

    Whole numbers or integer arrays of one scale; a label or a discard below zero is not known.

    >>> comparison(77, 100, 23, 10) == comparison(71, 100, 29, 10), comparison(77, 100, -1, 10)
    (True, 30)
    """
    left = label - given
    filled = (label >= 0) * (_OVER + 1 * (left >= 0) + 1 * (left > 0))
    against = _ALL - _NOTHING_LOST + 1 * (discarded > left) - 1 * (discarded < left)
    recorded = (discarded >= 0) * (_NOTHING_LOST + (discarded > 0) * against)
    return (filled * 5 + recorded) * 2 + 1 * (waste_units(given, discarded, label, size) > 0)


@attrs.frozen
class Outcome:
    """What a comparison comes to: the finding it brings, the modifier of the administered line, a JW line or none.

    `accounted`: everything in the container is accounted for; `withheld`: no line can be billed.
    """

    finding: str = ""
    modifier: str = ""
    jw: bool = False
    accounted: bool = False
    withheld: bool = False


def judge(compared: int, kind: str, shared: bool, rules: WasteRules) -> Outcome:
    """What a record comes to, by how it compares (`comparison`): the one decision about JW and JZ.

    >>> judge(comparison(77, 100, 23, 10), "single-dose", False, WasteRules())
    Outcome(finding='', modifier='', jw=True, accounted=True, withheld=False)
    """
    rest, whole = divmod(compared, 2)
    filled, recorded = divmod(rest, 5)
    lost = recorded > _NOTHING_LOST
    if filled == _OVER:
        return Outcome("dose-above-containers", withheld=True)
    if not rules.asked:
        return Outcome("waste-exempt" if rules.exempt and (lost or rules.supply) else "")
    if rules.doubt:
        return Outcome("waste-doubt" if lost or filled == _LEFT or rules.jz == "required" else "")
    if kind in IN_USE:
        return Outcome("multi-dose-waste" if lost else "")
    if not kind:
        return Outcome("container-unknown" if rules.jz == "required" or lost or filled == _LEFT else "")
    if shared and recorded == _NOT_RECORDED and filled != _NO_LABEL:
        return Outcome("shared-container")
    problem = _open(filled, recorded, shared)
    if problem:
        return Outcome("" if problem == "waste-unaccounted" and rules.unrecorded == "none" else problem)
    if whole and rules.jw:
        return Outcome(jw=True, accounted=True)
    return Outcome(modifier="JZ" if rules.jz == "required" else "", accounted=True)


def _open(filled: int, recorded: int, shared: bool) -> str:
    """What is open about a single-dose container; everything in it must be accounted for."""
    if filled == _NO_LABEL:
        return "" if recorded == _NOTHING_LOST else "containers-missing"
    if recorded == _NOT_RECORDED:
        return "" if filled == _EMPTIED else "waste-unaccounted"
    short = recorded == _LESS or (recorded == _NOTHING_LOST and filled == _LEFT)
    return "waste-unaccounted" if recorded == _MORE or (short and not shared) else ""


def decide(record: Record, rules: WasteRules) -> Waste:
    """The units and modifiers that a record supports.

    >>> one_vial = Record(Fraction(77, 10), Fraction(10), Fraction(23, 10), "single-dose")
    >>> decide(one_vial, WasteRules()).as_text()
    '8, and 2 with JW'
    """
    known = [record.given, record.label or Fraction(0), record.discarded or Fraction(0)]
    scale = math.lcm(*(amount.denominator for amount in known))
    given, label, thrown = (int(amount * scale) for amount in known)
    label = -1 if record.label is None else label
    said = -1 if record.discarded is None else thrown
    outcome = judge(comparison(given, label, said, scale), record.kind, record.shared, rules)
    count = administered_units(given, scale)
    discarded = waste_units(given, said, label, scale) if outcome.jw else 0
    steps: tuple[Step, ...] = ()
    if outcome.accounted and record.label is None:
        steps = (Step("JZ", "recorded that nothing was discarded"),)
    elif outcome.accounted:
        steps = _steps(record.label or Fraction(0), record.given, known[2], discarded, count, rules)
    found = (_WORDS[outcome.finding](record, rules),) if outcome.finding else ()
    remainder = None if record.label is None else record.label - record.given
    return Waste(count, discarded, outcome.modifier, remainder, found, Trace(steps), outcome.withheld)


def _unaccounted(record: Record) -> tuple[str, str]:
    """What is wrong between label, dose and recorded discard, and what to do."""
    remainder, said = (record.label or Fraction(0)) - record.given, record.discarded
    if said is None:
        return (
            f"{_units(remainder)} remained in the single-dose containers after the dose, and the record "
            "does not say that they were discarded.",
            "Record the amount discarded; it may then be billed. Until then neither JW nor JZ stands.",
        )
    if said > remainder:
        return (
            f"{_units(said)} are recorded as discarded, but only {_units(remainder)} remained by the label. "
            "Overfill is neither billed nor counted.",
            "Correct the dose, the containers or the discarded amount.",
        )
    return (
        f"{_units(remainder)} remained by the label, but {_units(said)} are recorded as discarded: "
        f"{_units(remainder - said)} {'is' if remainder - said == 1 else 'are'} not accounted for.",
        "Correct the record, or say that the container was shared.",
    )


def _units(value: Fraction) -> str:
    return several(value, "billing unit")


def _steps(
    label: Fraction, given: Fraction, thrown: Fraction, discarded: int, count: int, rules: WasteRules
) -> tuple[Step, ...]:
    jw_source, jz_source = (*rules.citations, None, None)[:2]
    shown = f"label {decimal_text(label)} = given {decimal_text(given)} + discarded {decimal_text(thrown)}"
    steps = [Step(shown, "in billing units")]
    room = math.floor(label) - count
    if discarded and rules.jw:
        steps.append(Step(f"JW x {discarded}", "discarded, rounded down, within the label", jw_source))
    elif thrown and rules.jw:
        why = "one unit covers the rest" if room <= 0 else "less than one unit was discarded"
        steps.append(Step("no JW line", why, jw_source))
    if rules.jz == "required" and not (discarded and rules.jw):
        steps.append(Step("JZ", "no discarded unit to bill", jz_source))
    return tuple(steps)


def _finding(rule: str, severity: Any, says: str, fix: str, rules: WasteRules, argument: str | None = None) -> Finding:
    citations = rules.citations or (tables.cited("mac-noridian-jwjz"),)
    return Finding(rule, softened(severity, citations), says, fix, citations, argument=argument)


# The words of each finding, from the figures of one record.
_WORDS: dict[str, Callable[[Record, WasteRules], Finding]] = {
    "dose-above-containers": lambda record, _: _finding(
        "dose-above-containers",
        "stop",
        f"The dose is {_units(record.given)}, the containers opened hold {_units(record.label or Fraction(0))} by "
        "their label; overfill is never billed.",
        ABOVE_FIX,
        WasteRules(),
    ),
    "waste-exempt": lambda _, rules: _finding(
        "waste-exempt", "note", f"Discarded drug is not billed here: {rules.exempt}.", "Nothing to do.", rules
    ),
    "waste-doubt": lambda _, rules: _finding("waste-doubt", "warn", rules.doubt, "Ask the payer.", rules),
    "multi-dose-waste": lambda record, rules: _finding(
        "multi-dose-waste",
        "note",
        f"What is discarded of a {record.kind} container is never billed; the line takes neither JW nor JZ.",
        "Bill the dose only.",
        rules,
    ),
    "container-unknown": lambda _, rules: _finding(
        "container-unknown",
        "warn",
        "Nobody said whether the container was single-dose or multi-dose: "
        f"{'JW or JZ depends' if rules.jz != 'none' else 'JW depends'} on it.",
        "Look at the label and say which.",
        rules,
        "container",
    ),
    "shared-container": lambda _, rules: _finding(
        "shared-container",
        "warn",
        "The container served several patients, and nothing says what of it was discarded for this one.",
        "Record '0 mg', or the amount discarded if this was the last patient.",
        rules,
    ),
    "waste-unaccounted": lambda record, rules: _finding(
        "waste-unaccounted", rules.unrecorded, *_unaccounted(record), rules
    ),
    "containers-missing": lambda record, rules: _finding(
        "containers-missing",
        "warn",
        f"The container is single-dose, but what was opened is not known ({record.missing}): nothing shows "
        "whether drug was left over.",
        f"Give {record.missing}.",
        rules,
    ),
}


def waste(
    given: object,
    per: object,
    opened: Sequence[object],
    discarded: object = None,
    kind: str = "single-dose",
    *,
    shared: bool = False,
    rules: WasteRules | None = None,
) -> Waste:
    """Units, discarded units and modifier for one dose, from amounts as text or `Dose`.

    `given` the dose; `per` the amount of one billing unit; `opened` the labelled amount of each container
    opened; `discarded` what the record shows as thrown away (None: not recorded; "0 mg": recorded that
    nothing was); `kind` of the containers: one of `products.KINDS`, or "" where nobody knows. Raises a
    `DoseError`, `UnitMismatch` or `ContainerError` for what cannot be compared and for an unknown kind.

    >>> waste("70 mg", per="100 mg", opened=["100 mg"], discarded="30 mg").as_text()
    '1 with JZ'
    """
    one = Dose.of(per)
    if not opened:
        raise ContainerError("No container was opened: give the amount of at least one.", given=opened)
    record = Record(
        _in_units(Dose.of(given), one),
        sum((_in_units(Dose.of(each), one) for each in opened), Fraction(0)),
        None if discarded is None else _in_units(thrown_away(discarded), one),
        kind,
        shared,
    )
    return decide(record, rules or WasteRules())


def thrown_away(amount: object) -> Dose:
    """A discarded amount, which unlike a dose may be zero, whatever its unit: "0 mg", "23 mg" or a `Dose`.

    >>> thrown_away("0 mg").amount
    Fraction(0, 1)
    """
    if isinstance(amount, str):
        nothing = _NOTHING.fullmatch(amount.strip())
        if nothing is not None:
            return Dose(Fraction(0), units.canonical(nothing[1]), amount.strip())
    return Dose.of(amount)


def _in_units(dose: Dose, one: Dose) -> Fraction:
    if not dose.amount:
        return Fraction(0)
    return dose.amount * units.factor(dose.unit, one.unit) / one.amount


# --- the best fit -----------------------------------------------------------------------------------


@attrs.frozen(repr=False)
class Fit:
    """Containers that hold a dose: each size with its count, largest first, and what would be left over."""

    containers: tuple[tuple[Dose, int], ...]
    dose: Dose
    total: Dose
    waste: Dose

    @property
    def count(self) -> int:
        """How many containers."""
        return sum(count for _, count in self.containers)

    def __str__(self) -> str:
        shown = " + ".join(f"{count} x {size}" for size, count in self.containers)
        return f"{shown} = {self.total}, {self.waste} left over"

    def __repr__(self) -> str:
        return shortened(f"<Fit {self}>")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "containers": [{"size": str(size), "count": count} for size, count in self.containers],
            "total": str(self.total),
            "waste": str(self.waste),
        }


def best_fit(dose: object, sizes: Iterable[object]) -> Fit:
    """The containers that leave least over; among those, the fewest.

    Exact for any amounts: the sizes become whole numbers of their common measure. Advice only: the claim
    carries what was opened. The rule (smallest waste, then fewest containers) follows Medicare's
    contractors.

    >>> print(best_fit("305 mg", ["100 mg", "400 mg"]))
    1 x 400 mg = 400 mg, 95 mg left over
    >>> print(best_fit("300 mg", ["100 mg", "400 mg"]))
    3 x 100 mg = 300 mg, 0 mg left over
    """
    return fits(dose, sizes)[0]


def fits(dose: object, sizes: Iterable[object]) -> tuple[Fit, ...]:
    """The best fit first, then the best fit that uses each single size alone, with what it would waste."""
    given = Dose.of(dose)
    kinds = _sizes(given, sizes)
    alone = [_fit(given, ((size, round_up(given.amount / amount)),)) for size, amount in kinds]
    best = _fit(given, _least_waste(given, kinds))
    others = sorted((f for f in alone if f.containers != best.containers), key=lambda f: (f.waste.amount, f.count))
    return (best, *others)


_MOST_SIZES = 50
_MOST_STEPS = 3_000_000  # of one comparison: some seconds
_TOO_FINE = "These container sizes have no common measure coarse enough to compare. Give those of the labels: '100 mg'."


def _listed(sizes: Iterable[object]) -> tuple[object, ...]:
    """The sizes, where they can be listed at all."""
    try:
        return tuple(sizes)
    except Exception:  # noqa: BLE001 - an object that says it can be listed, and cannot
        raise ContainerError(f"{quoted(sizes)} is no list of container sizes.", given=sizes) from None


def _sizes(given: Dose, sizes: Iterable[object]) -> tuple[tuple[Dose, Fraction], ...]:
    """The different sizes, largest first, each with its amount in the dose's unit."""
    found: dict[Fraction, Dose] = {}
    if isinstance(sizes, str | bytes | Mapping) or not isinstance(sizes, Iterable):
        says = f"{quoted(sizes)} is no list of container sizes. Give sizes such as ['100 mg', '400 mg']."
        raise ContainerError(says, given=sizes)
    for written in _listed(sizes):
        size = Dose.of(written)
        try:
            found.setdefault(size.amount * units.factor(size.unit, given.unit), size)
        except UnitMismatch as why:
            raise ContainerError(f"A container of {size} cannot hold a dose of {given}: {why}", given=written) from None
        if len(found) > _MOST_SIZES:
            raise ContainerError(f"More than {_MOST_SIZES} container sizes. Give those in stock.", given=written)
    if not found:
        raise ContainerError("No container size was given. Give sizes such as '100 mg'.", given=())
    return tuple((found[amount], amount) for amount in sorted(found, reverse=True))


def _fit(given: Dose, chosen: Iterable[tuple[Dose, int]]) -> Fit:
    kept = tuple((size, count) for size, count in chosen if count)
    total = sum((size.amount * units.factor(size.unit, given.unit) * count for size, count in kept), Fraction(0))
    return Fit(kept, given, Dose(total, given.unit), Dose(total - given.amount, given.unit))


def _least_waste(given: Dose, kinds: tuple[tuple[Dose, Fraction], ...]) -> list[tuple[Dose, int]]:
    """Counts of each size with the least total not below the dose, then the fewest containers."""
    scale = math.lcm(*(amount.denominator for _, amount in kinds))
    whole = [int(amount * scale) for _, amount in kinds]
    measure = math.gcd(*whole)
    parts = [size // measure for size in whole]
    total = _least_total(parts, round_up(given.amount * scale / measure))
    counts = _fewest(parts, total)
    return [(size, count) for (size, _), count in zip(kinds, counts, strict=True)]


def _least_total(parts: list[int], need: int) -> int:
    """The least sum of `parts` (largest first) that is not below `need`.

    For each remainder modulo the smallest part, the least sum of the others that leaves it; every larger
    sum with that remainder follows by adding smallest parts. Each part walks its cycles of remainders once.
    """
    smallest = parts[-1]
    if smallest * len(parts) > _MOST_STEPS:
        raise ContainerError(_TOO_FINE)
    least: list[int | None] = [0, *[None] * (smallest - 1)]
    for part in parts[:-1]:
        cycles = math.gcd(smallest, part)
        for cycle in range(cycles):
            known = [value for value in least[cycle::cycles] if value is not None]
            if not known:
                continue
            value = min(known)
            for _ in range(smallest // cycles - 1):
                value += part
                there = least[value % smallest]
                value = value if there is None else min(value, there)
                least[value % smallest] = value
    return min(max(value, need + (value - need) % smallest) for value in least if value is not None)


def _fewest(parts: list[int], total: int) -> list[int]:
    """Counts of `parts` (largest first) that make `total` with the fewest pieces; hopeless branches are left early."""
    best: list[int] = []
    steps = itertools.count()

    def search(level: int, left: int, used: tuple[int, ...]) -> None:
        part = parts[level]
        if level == len(parts) - 1:
            if left % part == 0 and (not best or sum(used) + left // part < sum(best)):
                best[:] = [*used, left // part]
            return
        for count in range(left // part, -1, -1):
            if next(steps) > _MOST_STEPS:
                raise ContainerError(_TOO_FINE)
            rest = left - count * part
            bound = sum(used) + count - (-rest // parts[level + 1])
            if best and bound >= sum(best):
                return
            search(level + 1, rest, (*used, count))

    search(0, total, ())
    return best
