"""Units of dose: the registry of `reference/units.txt`. The only module that imports Pint.

Pint decides what a unit is worth and which units may be compared. Every accepted spelling is written in
the file; there are no prefixes, and text from outside never reaches Pint's own parser. Spellings are read
from the file without Pint, so that nothing heavy is imported until two different units meet.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import Any

import attrs

from . import tables
from .errors import LONGEST, AmbiguousUnit, UnitMismatch, UnknownUnit, quoted
from .tables import words

# Spellings that mean two things; refused with both readings.
_AMBIGUOUS = {
    "gr": ("g (gram)", "grain"),
    "GR": ("g (gram)", "grain"),
    "mu": ("units", "million units"),
    "mU": ("units", "million units"),
    "M": ("million", "thousand"),
    "MM": ("million", "millimole"),
    "mc": ("mcg", "microcurie"),
    "m": ("mg", "mL"),
}


# What exports write around a unit: brackets and braces of UCUM, an ending in brackets.
_AROUND = re.compile(r"\(e?s\)$|[][{}]")

# Symbols, which have no plural; all other units are words.
_WITHOUT_PLURAL = frozenset(words("mg|mg PE|kg|g|mcg|ng|mL|L|mEq|mmol|mCi|Ci|MBq|GBq|PFU|cm2|m2|lb|each"))


@attrs.frozen
class UnitDefinition:
    """One unit of the file: Pint's name, the symbol that the tables use, and the dimension's name."""

    name: str
    symbol: str
    dimension: str


@cache
def _definitions() -> tuple[dict[str, str], dict[str, UnitDefinition]]:
    """Spelling to symbol, and symbol to definition."""
    spellings: dict[str, str] = {}
    units: dict[str, UnitDefinition] = {}
    dimensions: dict[str, str] = {}
    for line in _lines("="):
        parts = [part.strip() for part in line.split("=")]
        name, meaning = parts[0], parts[1]
        dimension = meaning.strip("[]") if meaning.startswith("[") else dimensions[meaning.split()[-1]]
        dimensions[name] = dimension
        symbol = parts[2].replace("_", " ")
        units[symbol] = UnitDefinition(name, symbol, dimension)
        for spelling in parts[2:]:
            spellings[spelling.replace("_", " ")] = symbol
        spellings.setdefault(name.replace("_", " "), symbol)
    return spellings, units


def _lines(sign: str) -> list[str]:
    """The lines of the file that define (`=`), or that say what a word may count (`>`)."""
    return [line for line in tables.lines_of("units.txt") if sign in line and not line.startswith("#")]


@cache
def _counted() -> dict[str, frozenset[str]]:
    """Of each word that counts things, the things that one of it may be."""
    pairs = [line.split(">") for line in _lines(">")]
    return {word.strip(): frozenset(thing.strip() for thing in things.split(",")) for word, things in pairs}


def counts(word: str, thing: str) -> bool:
    """Whether one `word` is one of what a code counts: a dose is a study dose, each is a device.

    >>> counts("dose", "study dose"), counts("each", "device"), counts("dose", "vial")
    (True, True, False)
    """
    return thing in _counted().get(word, ())


def canonical(spelling: str) -> str:
    """The unit's symbol in the tables, for an accepted spelling.

    Raises `AmbiguousUnit` for one that means two things and `UnknownUnit` for all others, with what to write.

    >>> canonical("MCG"), canonical("cc"), canonical("SQ CM")
    ('mcg', 'mL', 'cm2')
    >>> canonical("Mg")
    Traceback (most recent call last):
    jcodeunits.errors.UnknownUnit: 'Mg' is not an accepted unit. Did you mean mg?
    """
    if not isinstance(spelling, str):
        says = f"{quoted(spelling)} is not an accepted unit: write it as text, for example mg, mL or units."
        raise UnknownUnit(says, given=spelling, near=())
    return _canonical(spelling)


@cache
def _canonical(spelling: str) -> str:
    spellings, _ = _definitions()
    if spelling in spellings:
        return spellings[spelling]
    if spelling in _AMBIGUOUS:
        readings = _AMBIGUOUS[spelling]
        says = f"{spelling!r} can be read as {' or '.join(readings)}: write the unit out."
        raise AmbiguousUnit(says, given=spelling, readings=readings)
    low = _AROUND.sub("", spelling).lower() if len(spelling) <= LONGEST else ""
    near = tuple(dict.fromkeys(spellings[s] for s in spellings if s.lower() == low))
    if not near:
        says = f"{quoted(spelling)} is not an accepted unit. Use for example mg, mcg, g, mL, units or mEq."
        raise UnknownUnit(says, given=spelling, near=())
    raise UnknownUnit(
        f"{spelling!r} is not an accepted unit. Did you mean {' or '.join(near)}?", given=spelling, near=near
    )


def is_known(spelling: str) -> bool:
    """Whether the spelling is accepted."""
    return spelling in _definitions()[0]


def spellings() -> dict[str, str]:
    """Every accepted spelling with its unit's symbol."""
    return dict(_definitions()[0])


@cache
def dimension(symbol: str) -> str:
    """The name of the unit's dimension: `mass`, `volume`, `international_activity` ...

    >>> dimension("mcg"), dimension("IU")
    ('mass', 'international_activity')
    """
    return _definitions()[1][symbol].dimension


def is_activity(symbol: str) -> bool:
    """Whether the unit counts a drug's activity (units, IU, USP units): what plain "units" may stand for."""
    return dimension(symbol).endswith("_activity")


def is_count(symbol: str) -> bool:
    """Whether the unit counts things (vials, tablets, each) and measures nothing.

    >>> is_count("vial"), is_count("each"), is_count("mL")
    (True, True, False)
    """
    return dimension(symbol).endswith(("item", "_count"))


@cache
def registry() -> Any:
    """The Pint registry of the file: exact (fractions), without prefixes, without the default units."""
    import pint

    made: Any = pint.UnitRegistry(None, non_int_type=Fraction, cache_folder=None)
    definitions = [line.split("=") for line in _lines("=")]
    made.load_definitions([f"{name.strip()} = {meaning.strip()}" for name, meaning, *_ in definitions])
    return made


@cache
def factor(given: str, wanted: str) -> Fraction:
    """How many of the wanted unit one of the given unit is, exactly; asked of Pint once for each pair.

    Raises `UnitMismatch` where the two measure different things.

    >>> factor("g", "mg")
    Fraction(1000, 1)
    >>> factor("IU", "mg")
    Traceback (most recent call last):
    jcodeunits.errors.UnitMismatch: IU cannot be turned into mg: they measure different things.
    """
    if given == wanted:
        return Fraction(1)
    _, units = _definitions()
    if units[given].dimension != units[wanted].dimension:
        raise UnitMismatch(
            f"{given} cannot be turned into {wanted}: they measure different things.", given=given, needed=wanted
        )
    made = registry()
    value = made.convert(Fraction(1), units[given].name, units[wanted].name)
    return Fraction(value)


def quantity(amount: Fraction, symbol: str) -> Any:
    """A Pint quantity of our registry.

    >>> quantity(Fraction(1), "g").to("milligram").magnitude
    Fraction(1000, 1)
    """
    return registry().Quantity(amount, _definitions()[1][symbol].name)


def symbol_of_quantity(value: Any) -> str:
    """The symbol of a Pint quantity's unit by its full name (`MG` is megagauss there). Raises `UnknownUnit`."""
    name = str(value.units)
    for symbol, unit in _definitions()[1].items():
        if unit.name == name:
            return symbol
    if name in ("milliliter", "cubic_centimeter", "centimeter ** 3"):
        return "mL"
    says = f"The quantity's unit is {name!r}, which is no unit of dose here. Give text such as '30 mg'."
    raise UnknownUnit(says, given=name, near=())


def label(symbol: str, plural: bool = True) -> str:
    """How the unit is printed: the safe spelling, never IU, cc, U or a Greek letter.

    >>> label("IU"), label("unit", plural=False), label("mcg"), label("patch"), label("cm2")
    ('units', 'unit', 'mcg', 'patches', 'cm2')
    """
    if is_activity(symbol):
        return "units" if plural else "unit"
    if not plural or symbol in _WITHOUT_PLURAL:
        return symbol
    return symbol + ("es" if symbol.endswith("ch") else "s")
