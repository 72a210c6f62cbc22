"""Doses: exact amounts with a unit, and how they were written.

The grammar is our own and small: a number, perhaps `million` or `billion`, and an accepted unit. Spellings
that are known to be misread are refused, or read with a note that names the safe spelling.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import attrs

from . import units
from .amount import decimal_text, exact, read_decimal
from .dated import Step
from .errors import LONGEST, DoseError, UnknownUnit, UnreadableDose, quoted
from .finding import Finding, declare
from .tables import cited

FINDINGS = declare(__name__, {"dose-notation": ("A dose written in a way that is easily misread", "note")})

_SCALES = {
    "thousand": 10**3,
    "million": 10**6,
    "MILLION": 10**6,
    "Million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_NUMBER = re.compile(r"(?P<whole>[1-9]\d{0,2}(?:,\d{3})+|0|[1-9]\d*)?(?:\.(?P<part>\d+))?", re.ASCII)
_TEXT = re.compile(r"(?P<number>[\d.,]+) ?(?P<rest>[^\d.,\s+/-].*)", re.ASCII | re.DOTALL)
_LONGEST = 40  # characters; a dose in vector genomes has 15 digits, no dose has more than 20

# Read, with a note: spellings that the safety lists name, and what to write.
_UNSAFE = {"ug": "mcg", "µg": "mcg", "μg": "mcg", "cc": "mL", "U": "units", "µCi": "microcuries", "μCi": "microcuries"}

_GENERAL_HELP = "Write a number, a space and a unit: 30 mg, 0.5 mL, 1,000 mcg, 2.4 million units."


def _refused(given: object, why: str, instead: str = "", what: str = "no dose") -> UnreadableDose:
    return UnreadableDose(f"{quoted(given)} is {what}: {why} {instead or _GENERAL_HELP}", given=given, instead=instead)


def _note(written: str, safe: str, source: str) -> Finding:
    says = f"{written!r} is written in a way that is often misread."
    return Finding("dose-notation", "note", says, f"Write {safe!r}.", (cited(source),))


def _explain_refusal(text: str) -> UnreadableDose:
    """The error for text outside the grammar: what is wrong with it, and what to write instead."""
    bare = text.strip()
    if not bare:
        return _refused(text, "it is empty.")
    if len(bare) > _LONGEST:
        return _refused(text, f"it has {len(bare)} characters.")
    checks: tuple[tuple[str, str, str], ...] = (
        (r"[-−–+].*", "a sign stands before the number.", "Write the amount without a sign, above zero."),
        (r"(?i)(nan|inf|infinity)\b.*", "that is no number.", ""),
        (r".*[½¼¾⅓⅔⅛⅜⅝⅞].*|.*\d ?/ ?\d.*", "a fraction is easily misread.", "Write a decimal: 0.5 mg."),
        (r"\d{1,3}( \d{3})+\D.*", "a space stands inside the number.", "Write 1,000 mg or 1000 mg."),
        (r"\d+,\d{1,2}\D.*|0,\d+.*|\d+,\d{4,}.*", "the comma can be a decimal sign.", "Write 0.5 mg or 1,000 mg."),
        (r"[\d.,]+ ?%.*", "a percentage is a concentration.", "Give the volume too: 2 mL of 1%."),
        (r"[\d.,]+", "the unit is missing.", "Write the unit: 30 mg."),
        (r"0\d.*", "a zero stands before it; is a decimal point missing?", "Write 0.5 mg or 5 mg."),
        (r"\d+\. ?\D.*", "nothing follows the decimal point.", "Write 5 mg."),
        (
            r"[\d.,]+ ?[^\d\s]+(/| per ).*",
            "it is a rate or a concentration.",
            "Give the weight, the body surface or the volume beside it.",
        ),
        (r"\d[\d.,]*[eE][+-]?\d+.*", "doses are not written with an exponent.", "Write 0.001 mg or 10 million units."),
        (r"[\d.,]+ ?[^\d.,]+[\d.,]+ ?\D+", "it holds two amounts.", "Write one: 1.5 g instead of 1 g 500 mg."),
    )
    for pattern, why, instead in checks:
        if re.fullmatch(pattern, bare, re.ASCII | re.DOTALL):
            return _refused(text, why, instead)
    return _refused(text, "it is not a number followed by a unit.")


def _read_number(text: str, number: str) -> tuple[Fraction, str]:
    """The exact value, and the safe way to write it where the writing was unsafe (else empty)."""
    match = _NUMBER.fullmatch(number)
    if match is None or (match["whole"] is None and match["part"] is None):
        raise _explain_refusal(text)
    whole, part = (match["whole"] or "0").replace(",", ""), match["part"] or ""
    try:
        value = exact(f"{whole}.{part or 0}")
    except ValueError:
        raise _refused(text, "no dose has so many digits.") from None
    unsafe = match["whole"] is None or part.endswith("0")
    return value, decimal_text(value) if unsafe else ""


@lru_cache(maxsize=4096)
def _read_unit(rest: str) -> tuple[int, str, str]:
    """Scale, unit symbol and the spelling used, from the text behind the number."""
    head, _, tail = rest.partition(" ")
    scale = 1
    if head in _SCALES and tail:
        scale, rest = _SCALES[head], tail
    if rest == "MU":
        return scale * 10**6, "unit", rest
    return scale, units.canonical(rest), rest


def _read(text: str) -> Dose:
    """One text to one dose; what is longer than any dose is refused before it is read."""
    if len(text) > LONGEST:
        raise _refused(text, f"it has {len(text)} characters.")
    return _read_short(text)


@lru_cache(maxsize=16384)
def _read_short(text: str) -> Dose:
    """One text to one dose; remembered, because the same doses come again and again."""
    bare = text.strip().replace("\xa0", " ")
    match = _TEXT.fullmatch(bare)
    if match is None or len(bare) > _LONGEST:
        raise _explain_refusal(text)
    value, safe_number = _read_number(text, match["number"])
    try:
        scale, symbol, spelling = _read_unit(match["rest"])
    except UnknownUnit as error:
        refusal = _explain_refusal(text)
        raise (error if refusal.instead == "" else refusal) from None
    if value == 0:
        raise _refused(text, "the amount is zero.", "Write the amount that was given, above zero.")
    notes: tuple[Finding, ...] = ()
    safe_unit = _UNSAFE.get(spelling, "")
    if safe_number or safe_unit:
        safe = f"{safe_number or match['number']} {safe_unit or spelling}"
        notes = (_note(bare, safe, "ismp-error-prone" if safe_unit else "tjc-do-not-use"),)
    return Dose(value * scale, symbol, bare, notes)


def _exact(value: object) -> Fraction:
    """An exact amount from a number; a float is taken at its text, never at its binary value."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        raise _refused(value, f"an amount must be a number, not {type(value).__name__}.")
    try:
        made = exact(value)
    except ValueError:
        unread = isinstance(value, float | Decimal) and not Decimal(str(value)).is_finite()
        raise _refused(value, "that is no number." if unread else "no dose has so many digits.") from None
    if made <= 0:
        raise _refused(value, "the amount is zero or below.", "Give the amount that was given, above zero.")
    return made


@attrs.frozen
class Dose:
    """An amount of drug: exact amount, unit symbol, how it was written, and notes on the way.

    Make one with `Dose.of`, `Dose.by_weight`, `Dose.by_surface` or `Dose.by_volume`.

    >>> Dose.of("1 g").to("mg").amount
    Fraction(1000, 1)
    >>> print(Dose.of("2.4 million units"))
    2400000 units
    >>> Dose.of("30.0 mg").notes[0].fix
    "Write '30 mg'."
    """

    amount: Fraction
    unit: str
    written: str = attrs.field(default="", eq=False)
    notes: tuple[Finding, ...] = attrs.field(default=(), eq=False, repr=False)
    steps: tuple[Step, ...] = attrs.field(default=(), eq=False, repr=False)

    @classmethod
    def of(cls, value: object, unit: str | None = None) -> Dose:
        """A dose from text, from a number and a unit, from a Pint quantity, or from a dose.

        Raises `UnreadableDose`, `UnknownUnit` or `AmbiguousUnit`.

        >>> Dose.of(0.035, "g") == Dose.of("0.035 g")
        True
        """
        if unit is not None:
            if not isinstance(unit, str):
                raise _refused(unit, "the unit must be text.")
            if len(unit) > LONGEST:
                raise _refused(unit, f"it has {len(unit)} characters.", "Write the unit: mg.", "no unit")
            if isinstance(value, str):
                return _read(f"{value} {unit}")
            made = _exact(value)
            scale, symbol, spelling = _read_unit(unit.strip())
            written = f"{value} {unit}"
            safe = _UNSAFE.get(spelling)
            notes = (_note(written, f"{value} {safe}", "ismp-error-prone"),) if safe else ()
            return cls(made * scale, symbol, written, notes)
        if isinstance(value, str):
            return _read(value)
        if isinstance(value, Dose):
            return value
        if hasattr(value, "magnitude") and hasattr(value, "units"):
            quantity: Any = value
            amount = _exact(_plain(quantity.magnitude))
            return cls(amount, units.symbol_of_quantity(quantity), f"{quantity.magnitude} {quantity.units}")
        if isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool):
            raise _refused(value, "the unit is missing.", "Give text such as '30 mg', or Dose.of(30, 'mg').")
        raise _refused(value, f"a {type(value).__name__} holds no dose.")

    @classmethod
    def by_weight(cls, rate: str, weight: str) -> Dose:
        """A dose ordered by body weight: `Dose.by_weight("1.5 mg/kg", "70 kg")` is 105 mg."""
        return _by_measure(rate, weight, "kg", "weight")

    @classmethod
    def by_surface(cls, rate: str, surface: str) -> Dose:
        """A dose ordered by body surface: `Dose.by_surface("75 mg/m2", "1.7 m2")` is 127.5 mg."""
        return _by_measure(rate, surface, "m2", "body surface")

    @classmethod
    def by_volume(cls, volume: str, concentration: str) -> Dose:
        """A dose given as a volume: mass or activity is volume times concentration.

        The concentration is an amount in a volume ("40 mg/mL", "250 mg/5 mL"), a percentage (1% is 10 mg/mL,
        grams in 100 mL) or a ratio (1:1000 is 1 mg/mL, grams to mL).

        >>> print(Dose.by_volume("0.5 mL", "40 mg/mL"), Dose.by_volume("0.3 mL", "1:1000"))
        20 mg 0.3 mg
        """
        drawn = cls.of(volume)
        per_ml, symbol, reading = _concentration(concentration)
        if units.dimension(drawn.unit) != "volume":
            raise _refused(volume, "a concentration stands beside it.", "Write the volume: 0.5 mL.", "no volume")
        amount = drawn.to("mL").amount * per_ml
        step = Step(f"{drawn} x {reading} = {decimal_text(amount)} {units.label(symbol)}", "volume x concentration")
        return cls(amount, symbol, f"{drawn.written} of {concentration.strip()}", drawn.notes, (step,))

    def to(self, unit: str) -> Dose:
        """The same dose in another unit of its dimension; `UnitMismatch` otherwise."""
        symbol = units.canonical(unit)
        return attrs.evolve(self, amount=self.amount * units.factor(self.unit, symbol), unit=symbol)

    @property
    def quantity(self) -> Any:
        """The dose as a Pint quantity of the package's registry, its magnitude a `Fraction`."""
        return units.quantity(self.amount, self.unit)

    def as_dict(self) -> dict[str, str]:
        """Amount and unit as exact text."""
        return {"amount": decimal_text(self.amount), "unit": units.label(self.unit)}

    def __str__(self) -> str:
        return f"{decimal_text(self.amount)} {units.label(self.unit, plural=self.amount != 1)}"


def _plain(magnitude: object) -> object:
    """A magnitude as a plain number: NumPy scalars give theirs, other types are left to be refused."""
    if type(magnitude).__module__ == "numpy" and getattr(magnitude, "shape", None) == ():
        return Decimal(str(magnitude))
    return magnitude


_EXAMPLES = {"kg": ("1.5 mg/kg", "70 kg"), "m2": ("75 mg/m2", "1.7 m2")}


def _by_measure(rate: str, measure: str, unit: str, name: str) -> Dose:
    example, usual = _EXAMPLES[unit]
    for given, wanted in ((rate, example), (measure, usual)):
        if not isinstance(given, str):
            raise _refused(given, f"a dose by {name} is text.", f"Write {wanted!r}.", "no text")
        if len(given) > LONGEST:
            raise _refused(given, f"it has {len(given)} characters.", f"Write {wanted!r}.")
    top, slash, bottom = rate.partition("/")
    if not slash or not units.is_known(bottom.strip()) or units.canonical(bottom.strip()) != unit:
        raise _refused(rate, f"it is not for each {unit}.", f"Write it as {example}.", f"no dose by {name}")
    each, size = Dose.of(top), Dose.of(measure)
    if units.dimension(size.unit) != units.dimension(unit):
        raise _refused(measure, f"it is not in {unit}.", f"Write {usual}.", f"no {name}")
    amount = each.amount * size.to(unit).amount
    total = f"{decimal_text(amount)} {units.label(each.unit)}"
    step = Step(f"{each}/{unit} x {decimal_text(size.to(unit).amount)} {unit} = {total}", f"dose by {name}")
    written = f"{each.written}/{unit} x {size.written}"
    return Dose(amount, each.unit, written, each.notes + size.notes, (step,))


_CONCENTRATIONS = "Write 40 mg/mL, 250 mg/5 mL, 1% or 1:1000."


def _concentration(text: str) -> tuple[Fraction, str, str]:
    """Amount in one mL, its unit, and how it reads."""
    if not isinstance(text, str):
        raise _refused(text, "it is not text.", _CONCENTRATIONS, "no concentration")
    if len(text) > LONGEST:
        raise _refused(text, f"it has {len(text)} characters.", _CONCENTRATIONS, "no concentration")
    bare = text.strip()
    try:
        if bare.endswith("%"):
            per_ml, symbol = read_decimal(bare[:-1].strip()) * 10, "mg"
        elif ":" in bare:
            one, _, parts = bare.partition(":")
            per_ml = read_decimal(one.strip()) * 1000 / read_decimal(parts.strip().replace(",", ""))
            symbol = "mg"
        else:
            per_ml, symbol = _per_volume(bare)
    except (DoseError, ValueError, ZeroDivisionError):
        raise _refused(text, "it cannot be read.", _CONCENTRATIONS, "no concentration") from None
    if per_ml <= 0:
        raise _refused(text, "it is zero.", _CONCENTRATIONS, "no concentration")
    return per_ml, symbol, f"{decimal_text(per_ml)} {units.label(symbol)}/mL"


def _per_volume(text: str) -> tuple[Fraction, str]:
    top, slash, bottom = text.partition("/")
    if not slash:
        raise ValueError("no volume")
    amount, below = Dose.of(top), bottom.strip()
    volume = Dose.of(below if below[:1].isdigit() or below[:1] == "." else f"1 {below}")
    if units.dimension(volume.unit) != "volume":
        raise ValueError("no volume")
    return amount.amount / volume.to("mL").amount, amount.unit
