"""Doses: exact amounts with a unit, and how they were written.

The grammar is our own and small. An amount is a number, perhaps `million` or `billion`, and an accepted unit;
a dose is an amount, or one worked out from what stands beside it (a volume and a concentration, so much for
each kg or m2, a whole number of times), perhaps with the route behind it. Spellings that are known to be
misread are refused, or read with a note that names the safe spelling.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import attrs

from . import routes, units
from .amount import decimal_text, exact, read_decimal
from .dated import Step
from .errors import LONGEST, DoseError, UnknownUnit, UnreadableDose, quoted
from .finding import Finding, Findings, declare
from .tables import cited
from .unread import GENERAL_HELP, NO_UNIT, mistake, refused

FINDINGS = declare(
    __name__,
    {
        "dose-in-volume": ("A dose written as an amount in a volume", "note"),
        "dose-notation": ("A dose written in a way that is easily misread", "note"),
        "dose-repeated": ("A dose written as an amount several times", "warn, note"),
    },
)

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
_LONGEST = 40  # characters of one amount; a dose in vector genomes has 15 digits, no dose has more than 20
_LONGEST_TEXT = 100  # characters of a whole dose: rate, measure, times and route

# Read, with a note: spellings that the safety lists name, and what to write.
_UNSAFE = {
    "ug": "mcg",
    "µg": "mcg",
    "μg": "mcg",
    "cc": "mL",
    "U": "units",
    "u": "units",
    "µCi": "microcuries",
    "μCi": "microcuries",
}


def _note(written: str, safe: str, source: str) -> Finding:
    says = f"{written!r} is written in a way that is often misread."
    return Finding("dose-notation", "note", says, f"Write {safe!r}.", (cited(source),))


def _said(rule: str, written: str, reading: str, fix: str) -> Finding:
    """The note on a dose that was worked out from how it was written."""
    return Finding(rule, "note", f"{written!r} was read as {reading}.", fix, (cited("own-review", "dose notation"),))


_HALVES = {"½": "0.5", "¼": "0.25", "¾": "0.75"}


def _explain_refusal(text: str) -> UnreadableDose:
    """The error for text outside the grammar: what is wrong with it, and what to write instead."""
    bare = text.strip()
    if not bare:
        return refused(text, "it is empty.")
    if len(bare) > _LONGEST_TEXT or max(map(len, bare.split())) > _LONGEST:
        return refused(text, f"it has {len(bare)} characters.")
    why, advice, asked = mistake(bare, bare[0].isdigit() and routes.find(re.sub(r"^[\d., ]+", "", bare)) is not None)
    if why:
        return refused(text, why, advice, argument=asked, instead=_mended(bare))
    return refused(text, "it is not a number followed by a unit.")


def _mended(bare: str) -> str | None:
    """The same amount in accepted writing, where only one amount can be meant; None where it is a guess."""
    number, rest = re.match(r"([½¼¾]|\d+\.(?=\s*[a-zA-Z]))?(.*)", bare, re.DOTALL).groups()  # type: ignore[union-attr]
    if number is None:
        return None
    text = f"{_HALVES.get(number, number.rstrip('.'))} {rest.strip()}"
    return text if _is_dose(text) else None


def _is_dose(text: str) -> bool:
    try:
        return bool(_read(text))
    except DoseError:
        return False


def _read_number(text: str, number: str) -> tuple[Fraction, str]:
    """The exact value, and the safe way to write it where the writing was unsafe (else empty)."""
    match = _NUMBER.fullmatch(number)
    if match is None or (match["whole"] is None and match["part"] is None):
        raise _explain_refusal(text)
    whole, part = (match["whole"] or "0").replace(",", ""), match["part"] or ""
    try:
        value = exact(f"{whole}.{part or 0}")
    except ValueError:
        raise refused(text, "no dose has so many digits.") from None
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
        raise refused(text, f"it has {len(text)} characters.")
    return _read_short(text)


@lru_cache(maxsize=16384)
def _read_short(text: str) -> Dose:
    """One text to one dose; remembered, because the same doses come again and again."""
    try:
        return _plain_amount(text)
    except DoseError as why:
        bare = text.strip().replace("\xa0", " ")
        made = _worked_out(bare) if len(bare) <= _LONGEST_TEXT else None
        if made is None:
            raise why from None
        return made


def _of_drug(given: object, symbol: str) -> None:
    """Raise where a unit measures a body and never a drug."""
    if symbol in _ONLY_WEIGHTS:
        why = f"a dose of a drug is not in {units.label(symbol)}, the weight of a body is."
        raise refused(given, why, "Write the dose in g, mg or mcg.")


def _with_one_unit(text: str, held: str, beside: str) -> str:
    """An amount that holds its unit, where the same stands beside it ("25 mg" in mg)."""
    if held.casefold() != beside.casefold():
        says = f"it holds the unit {quoted(held)}, and {quoted(beside)} stands beside it."
        raise refused(text, says, "Write one unit: the one that the number counts.")
    return text


def _plain_amount(text: str, of_body: bool = False) -> Dose:
    """A number and a unit, and nothing else; pounds only where it is a weight of the body."""
    if len(text) > LONGEST:
        raise refused(text, f"it has {len(text)} characters.")
    bare = text.strip().replace("\xa0", " ")
    match = _TEXT.fullmatch(bare)
    if match is None or len(bare) > _LONGEST:
        raise _explain_refusal(text)
    value, safe_number = _read_number(text, match["number"])
    try:
        scale, symbol, spelling = _read_unit(match["rest"])
    except UnknownUnit as error:
        refusal: DoseError = _explain_refusal(text)
        if str(refusal).endswith(GENERAL_HELP):
            near = f"{match['number']} {error.near[0]}" if len(error.near) == 1 else None
            refusal = UnknownUnit(error.message, **{**error.fields, "argument": "dose", "instead": near})
        raise refusal from None
    if value == 0:
        raise refused(text, "the amount is zero.", "Write the amount that was given, above zero.")
    if not of_body:
        _of_drug(text, symbol)
    notes: Findings = ()
    safe_unit = _UNSAFE.get(spelling, "")
    if safe_number or safe_unit:
        safe = f"{safe_number or match['number']} {safe_unit or spelling}"
        notes = (_note(bare, safe, "ismp-error-prone" if safe_unit else "tjc-do-not-use"),)
    return Dose(value * scale, symbol, bare, notes)


# --- a dose worked out from what stands beside the amount -------------------------------------------

_ONLY_WEIGHTS = frozenset({"kg", "lb"})  # units of the body, never of a drug
# "x" before a number: how many times, or the measure of a dose by weight.
_TIMES = re.compile(r"(?P<left>.*\S)(?:\s+[xX×*]\s*|(?<=\d)[xX×*]\s*)(?P<right>[\d.].*)", re.ASCII)
_WHOLE = re.compile(r"[1-9]\d{0,3}", re.ASCII)
_BRACKETED = re.compile(r"(?P<left>[^()]*[^()\s])\s*\((?P<right>[^()]+)\)")
_BESIDE = re.compile(r"(?P<left>.+?)\s+(?P<word>of|in)\s+(?P<right>[\d.].*)", re.ASCII)
_IN_VOLUME = re.compile(r"(?P<left>[^/]+)/\s*(?P<right>[\d.][^/]*)", re.ASCII)
_RATE = re.compile(r"(?P<amount>[^/]+?)\s*/\s*(?P<each>kg|KG|Kg|m2|M2|m²|sq m)", re.ASCII)
IN_PARTS = "combined dose"  # the unit of a dose whose parts are written out
_MOST_PARTS = 3
_PARTS = re.compile(r"\s*/\s*|(?<=[A-Za-z])\s*-\s*(?=[\d.])", re.ASCII)
_VOLUME = re.compile(r"[\d.]\s*(?:mL|ml|ML|cc)", re.ASCII)
_UNIT_BEHIND = re.compile(r"[\d.,]+\s?(?P<unit>[^\d\s.,].*)", re.ASCII)
_FRACTION = re.compile(r"([1-9])\s*/\s*([1-9]\d*)\s*[^\d\s./].*", re.ASCII)  # 1/2 g, and 3/125 mg with it
_TIMED = re.compile(
    r"(?P<left>.*\S)\s+over\s+\d{1,3}(?:\.\d)?(?:\s?-\s?\d{1,3})?\s?(?:minutes?|mins?|hours?|hrs?|h)\.?",
    re.ASCII | re.IGNORECASE,
)
_NO_ROUTES = frozenset({"in", "it", "NS", "ns"})  # words, and a diluent, behind an amount


def _worked_out(bare: str) -> Dose | None:
    """The dose in text that is no plain amount; None where it has none of the forms."""
    for read in (_timed, _with_route, _multiplied, _bracketed, _beside, _amount_in_volume, _side_by_side, _in_parts):
        made = read(bare)
        if made is not None:
            return attrs.evolve(made, written=bare)
    return None


def _timed(bare: str) -> Dose | None:
    """`200 mg IV over 15 min`: how long it ran changes no amount."""
    match = _TIMED.fullmatch(bare)
    return None if match is None else _read_short(match["left"].rstrip(","))


def _with_route(bare: str) -> Dose | None:
    """`1 g IM`: the route behind the dose."""
    words = bare.split(" ")
    for n in (3, 2, 1):
        tail = " ".join(words[-n:])
        way = routes.find(tail) if len(words) > n + (not words[0][-1:].isalpha()) else None
        if way is None or units.is_known(tail) or tail in _NO_ROUTES or not tail[:1].isalpha():
            continue
        dose = _read_short(" ".join(words[:-n]).rstrip(","))
        if dose.route not in (None, way):
            raise refused(bare, f"it names two routes, {dose.route} and {way}.", "Write one.")
        return attrs.evolve(dose, route=way)
    return None


def _multiplied(bare: str) -> Dose | None:
    """`30 mg x 2`, `2 x 30 mg`, `5 mg/kg x 70 kg`, `0.5 mL x 40 mg/mL`."""
    match = _TIMES.fullmatch(bare)
    if match is None:
        return None
    left, right = match["left"], match["right"]
    for times, each in ((right, left), (left, right)):
        if _WHOLE.fullmatch(times):
            return None if _WHOLE.fullmatch(each) else _several(bare, int(times), _read_short(each))
    return _by_rate(left, right) or _of_concentration(left, right)


def _by_rate(left: str, right: str) -> Dose | None:
    """So much for each kg or m2, and the weight or surface beside it, in either order; None where neither is one."""
    for rate, measure in ((left, right), (right, left)):
        by = _RATE.fullmatch(rate)
        if by is not None:
            return Dose.by_weight(rate, measure) if by["each"].casefold() == "kg" else Dose.by_surface(rate, measure)
    return None


def _several(bare: str, times: int, each: Dose) -> Dose:
    """One amount given several times, as one amount: exact, and with a note that asks."""
    amount, volume = each.amount * times, None if each.volume is None else each.volume * times
    total = attrs.evolve(each, amount=amount, written=bare, volume=volume)
    note = _said("dose-repeated", bare, f"{total} in all", "Check that it was one administration.")
    step = Step(f"{times} x {each} = {total}", "given several times")
    return total if times == 1 else attrs.evolve(total, notes=(*each.notes, note), steps=(*each.steps, step))


def _bracketed(bare: str) -> Dose | None:
    """`1 mL (40 mg)` and `40 mg (1 mL)`; `3 g (2 g/1 g)`, a sum and its parts."""
    match = _BRACKETED.fullmatch(bare)
    return None if match is None else _stated(bare, match["left"], match["right"]) or _sum_of(bare, *match.groups())


def _beside(bare: str) -> Dose | None:
    """`0.5 mL of 40 mg/mL`, `40 mg in 1 mL`."""
    match = _BESIDE.fullmatch(bare)
    if match is None:
        return None
    if _is_concentration(match["right"]):
        return _of_concentration(match["left"], match["right"])
    return _stated(bare, match["left"], match["right"], either=False) if match["word"] == "in" else None


def _amount_in_volume(bare: str) -> Dose | None:
    """`80 mg/2 mL`; without the second number it is a concentration, and none is a dose."""
    match = _IN_VOLUME.fullmatch(bare)
    return None if match is None else _stated(bare, match["left"], match["right"], either=False)


def _in_parts(bare: str) -> Dose | None:
    """`600 mg/600 mg`, `1,200/600 mg`, `1 g-0.5 g`, `600 mg/600 mg/10 mL`: the parts of a combination."""
    pieces = _PARTS.split(bare)
    held = pieces.pop() if len(pieces) > 2 and _VOLUME.search(pieces[-1]) else ""
    last, fraction = _UNIT_BEHIND.fullmatch(pieces[-1]), _FRACTION.fullmatch(bare)
    if not 2 <= len(pieces) <= _MOST_PARTS or last is None or (fraction and int(fraction[1]) < int(fraction[2])):
        return None
    try:
        parts = [_plain_amount(piece if piece[-1:].isalpha() else f"{piece} {last['unit']}") for piece in pieces]
        volume = _plain_amount(held).to("mL").amount if held else None
    except DoseError:
        return None
    if any(units.dimension(part.unit) != "mass" and not units.is_activity(part.unit) for part in parts):
        return None
    notes = tuple(note for part in parts for note in part.notes)
    return Dose(Fraction(1), IN_PARTS, bare, notes, volume=volume, parts=tuple(parts))


def _sum_of(bare: str, left: str, right: str) -> Dose | None:
    """A dose by its parts, beside which their sum stands; None for anything else."""
    try:
        whole, made = _read_short(left.strip()), _read_short(right.strip())
    except DoseError:
        return None
    if made.unit != IN_PARTS or {units.dimension(one.unit) for one in made.parts} != {units.dimension(whole.unit)}:
        return None
    total = sum((one.to(whole.unit).amount for one in made.parts), Fraction(0))
    if total != whole.amount:
        raise refused(bare, f"{made} is not {whole}.", "Write the parts alone.", instead=str(made))
    return made


def _side_by_side(bare: str) -> Dose | None:
    """`1% 5 mL`, `30mg/mL 1mL`, `5 mcg/kg 70 kg`: a concentration and a volume, or a rate and its measure."""
    for gap in re.finditer(r" (?=[\d.])", bare):
        left, right = bare[: gap.start()], bare[gap.end() :]
        made = _by_rate(left, right)
        if made is not None:
            return made
        if _is_concentration(left) != _is_concentration(right):
            return _of_concentration(left, right)
    return None


def _of_concentration(left: str, right: str) -> Dose | None:
    """A volume of a concentration, or an amount of one, in either order; None where neither is one."""
    for drawn, concentration in ((left, right), (right, left)):
        if not _is_concentration(concentration) or _is_concentration(drawn):
            continue
        given = _read_short(drawn)
        if units.dimension(given.unit) == "volume":
            return Dose.by_volume(drawn, concentration)
        per_ml, symbol, _ = _concentration(concentration)
        return attrs.evolve(given, volume=given.amount * units.factor(given.unit, symbol) / per_ml)
    return None


def _stated(bare: str, left: str, right: str, either: bool = True) -> Dose | None:
    """An amount beside the volume that it stands in; None where they are not such a pair."""
    try:
        first, second = _read_short(left.strip()), _read_short(right.strip())
    except DoseError:
        return None
    if either and units.dimension(first.unit) == "volume":
        first, second = second, first
    if units.dimension(second.unit) != "volume" or units.dimension(first.unit) == "volume":
        return None
    fix = f"Write {str(first)!r}."
    note = _said("dose-in-volume", bare, f"{first} in {second}", fix)
    return attrs.evolve(first, notes=(*first.notes, *second.notes, note), volume=second.to("mL").amount)


def _is_concentration(text: str) -> bool:
    bare = text.strip()
    if bare.endswith("%") or ":" in bare:
        return True
    top, slash, bottom = bare.partition("/")
    unit = re.sub(r"^[\d.,\s]+", "", bottom.strip())
    return bool(slash and top and units.is_known(unit)) and units.dimension(units.canonical(unit)) == "volume"


def _exact(value: object) -> Fraction:
    """An exact amount from a number; a float is taken at its text, never at its binary value."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        raise refused(value, f"an amount must be a number, not {type(value).__name__}.")
    try:
        made = exact(value)
    except ValueError:
        unread = isinstance(value, float | Decimal) and not Decimal(str(value)).is_finite()
        raise refused(value, "that is no number." if unread else "no dose has so many digits.") from None
    if made <= 0:
        raise refused(value, "the amount is zero or below.", "Give the amount that was given, above zero.")
    return made


@attrs.frozen(cache_hash=True)
class Dose:
    """An amount of drug: exact amount, unit symbol, how it was written, and notes on the way.

    `volume`: the mL that the amount stands in, where the text or a concentration says it; `route`: the route
    behind the dose, where one was written; `parts`: the amounts of a combination's parts, where they were written
    out: what they come to is known with the code (`facts.combined`). Make one with `Dose.of`, `Dose.by_weight`,
    `Dose.by_surface` or `Dose.by_volume`.

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
    notes: Findings = attrs.field(default=(), eq=False, repr=False)
    steps: tuple[Step, ...] = attrs.field(default=(), eq=False, repr=False)
    volume: Fraction | None = attrs.field(default=None, eq=False, repr=False)
    route: str | None = attrs.field(default=None, eq=False, repr=False)
    parts: tuple[Dose, ...] = attrs.field(default=(), repr=False)

    @classmethod
    def of(cls, value: object, unit: str | None = None) -> Dose:
        """A dose from text, from a number and a unit, from a Pint quantity, or from a dose.

        Text is an amount (`30 mg`), or one worked out: `0.5 mL of 40 mg/mL`, `1% 5 mL`, `5 mg/kg x 70 kg`,
        `30 mg x 2`, `1 mL (40 mg)`, `80 mg/2 mL`; a route may stand behind it (`1 g IM`). Raises
        `UnreadableDose`, `UnknownUnit` or `AmbiguousUnit`.

        >>> Dose.of(0.035, "g") == Dose.of("0.035 g")
        True
        >>> print(Dose.of("0.5 mL of 40 mg/mL"), Dose.of("30 mg x 2"), Dose.of("80mg/2mL"), Dose.of("1 gm IM").route)
        20 mg 60 mg 80 mg IM
        """
        if unit is not None:
            if not isinstance(unit, str):
                raise refused(unit, "the unit must be text.")
            if len(unit) > LONGEST:
                raise refused(unit, f"it has {len(unit)} characters.", "Write the unit: mg.", "no unit")
            if isinstance(value, str):
                written = f"{value} {unit}"
                if (held := _UNIT_BEHIND.fullmatch(value.strip()[:LONGEST])) and units.is_known(held["unit"]):
                    return _read(_with_one_unit(value.strip(), held["unit"], unit.strip()))
                return (_in_parts(written) if "/" in value or "-" in value else None) or _plain_amount(written)
            made = _exact(value)
            scale, symbol, spelling = _read_unit(unit.strip())
            written = f"{value} {unit}"
            _of_drug(written, symbol)
            safe = _UNSAFE.get(spelling)
            notes = (_note(written, f"{value} {safe}", "ismp-error-prone"),) if safe else ()
            return cls(made * scale, symbol, written, notes)
        if isinstance(value, str):
            return _read(value)
        if isinstance(value, Dose):
            return value
        if is_quantity(value):
            quantity: Any = value
            amount = _exact(_plain(quantity.magnitude))
            return cls(amount, units.symbol_of_quantity(quantity), f"{quantity.magnitude} {quantity.units}")
        if isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool):
            raise refused(value, NO_UNIT, "Write the unit: 30 mg.")
        raise refused(value, f"a {type(value).__name__} holds no dose.")

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
            raise refused(volume, "a concentration stands beside it.", "Write the volume: 0.5 mL.", "no volume")
        amount = drawn.to("mL").amount * per_ml
        step = Step(f"{drawn} x {reading} = {decimal_text(amount)} {units.label(symbol)}", "volume x concentration")
        written = f"{drawn.written} of {concentration.strip()}"
        return cls(amount, symbol, written, drawn.notes, (step,), drawn.to("mL").amount, drawn.route)

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
        if self.unit == IN_PARTS and self.parts:
            times = f"{decimal_text(self.amount)} x " if self.amount != 1 else ""
            return times + "/".join(map(str, self.parts))
        return f"{decimal_text(self.amount)} {units.label(self.unit, plural=self.amount != 1)}"


def is_quantity(value: object) -> bool:
    """Whether a value is a Pint quantity, or as good as one."""
    return hasattr(value, "magnitude") and hasattr(value, "units")


def _plain(magnitude: object) -> object:
    """A magnitude as a plain number: NumPy scalars give theirs, other types are left to be refused."""
    if type(magnitude).__module__ == "numpy" and getattr(magnitude, "shape", None) == ():
        return Decimal(str(magnitude))
    return magnitude


_EXAMPLES = {"kg": ("1.5 mg/kg", "70 kg"), "m2": ("75 mg/m2", "1.7 m2")}


def _by_measure(rate: str, measure: str, unit: str, name: str) -> Dose:
    example, usual = _EXAMPLES[unit]
    argument = name.rpartition(" ")[2]
    for given, wanted, which in ((rate, example, "dose"), (measure, usual, argument)):
        if not isinstance(given, str):
            raise refused(given, f"a dose by {name} is text.", f"Write {wanted!r}.", "no text", which)
        if len(given) > LONGEST:
            raise refused(given, f"it has {len(given)} characters.", f"Write {wanted!r}.", argument=which)
    top, slash, bottom = rate.partition("/")
    if not slash or not units.is_known(bottom.strip()) or units.canonical(bottom.strip()) != unit:
        raise refused(rate, f"it is not for each {unit}.", f"Write it as {example}.", f"no dose by {name}")
    each = _plain_amount(top)
    try:
        size = _plain_amount(measure, of_body=True)
    except DoseError as why:
        raise type(why)(why.message, **{**why.fields, "argument": argument}) from None
    if units.dimension(size.unit) != units.dimension(unit):
        raise refused(measure, f"it is not in {unit}.", f"Write {usual}.", f"no {name}", argument)
    amount = each.amount * size.to(unit).amount
    total = f"{decimal_text(amount)} {units.label(each.unit)}"
    step = Step(f"{each}/{unit} x {decimal_text(size.to(unit).amount)} {unit} = {total}", f"dose by {name}")
    written = f"{each.written}/{unit} x {size.written}"
    return Dose(amount, each.unit, written, each.notes + size.notes, (step,))


def weighed(measure: str) -> tuple[str, str]:
    """A body weight in kilograms and in pounds, to one digit behind the point.

    >>> weighed("176 lb"), weighed("80 kg")
    (('79.8', '176'), ('80', '176.4'))
    """
    size = _plain_amount(measure, of_body=True)
    shown = (round(size.to(unit).amount, 1) for unit in ("kg", "lb"))
    kg, pounds = (decimal_text(Fraction(amount)) for amount in shown)
    return kg, pounds


_CONCENTRATIONS = "Write 40 mg/mL, 250 mg/5 mL, 1% or 1:1000."


def _concentration(text: str) -> tuple[Fraction, str, str]:
    """Amount in one mL, its unit, and how it reads."""
    if not isinstance(text, str):
        raise refused(text, "it is not text.", _CONCENTRATIONS, "no concentration", "concentration")
    if len(text) > LONGEST:
        raise refused(text, f"it has {len(text)} characters.", _CONCENTRATIONS, "no concentration", "concentration")
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
        raise refused(text, "it cannot be read.", _CONCENTRATIONS, "no concentration", "concentration") from None
    if per_ml <= 0:
        raise refused(text, "it is zero.", _CONCENTRATIONS, "no concentration", "concentration")
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
