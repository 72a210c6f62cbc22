"""Amounts of messages as the dose grammar reads them: UCUM codes by a small closed grammar, else spellings.

A number `10*n.`, a prefix where the unit takes one, the unit, an annotation that changes nothing. UCUM has no code
for a drug's own unit, so senders take the nearest arbitrary one: beside the text "units" it means units.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, lru_cache

import attrs

from jcodeunits import tables, units
from jcodeunits.errors import LONGEST
from jcodeunits.tables import Dated, column, table, text

from ._outgoing import number
from ._quoting import Unread
from ._quoting import coded as quote

# A quantity that counts billing units: UCUM's unity, or a word for it; every measure is another thing.
COUNTS = re.compile(
    r"1|un|ea|each|count|\{?(?:(?:hcpcs|billing|service)[ _-]?)?units?\}?|\{(?:each|count)\}", re.IGNORECASE
)


@table("ucum", "code")
class UcumUnit(Dated):
    """A code of UCUM, or an annotation that senders use as one, and the unit as the dose grammar reads it.

    `metric`: it takes the prefixes k, m and M here. `arbitrary`: defined by a procedure, converts into nothing.
    """

    code: str = column(text)
    unit: str = column(text)
    metric: bool = column(tables.flag)
    arbitrary: bool = column(tables.flag)


@cache
def ucum() -> Mapping[str, UcumUnit]:
    """Every code that is read."""
    return {row.code: row for row in tables.packaged(UcumUnit)}


_PER = ("/kg", "/m2")
_CODE = re.compile(r"(?:10[*^](?P<power>[1-9]|1[0-2])\.?)?(?P<rest>.*?)(?P<note>(?<=.)\{[^{}]*\})?")
_PREFIXES = {"k": Decimal(1000), "m": Decimal("0.001"), "M": Decimal(10) ** 6}
# What a text says of a multiple of an arbitrary unit.
_MULTIPLES = {
    Decimal(1000): ("thousand units", "thousand unit", "thousand", "kilo units", "kilounits", "k units", "kunits"),
    Decimal(10) ** 6: ("million units", "million unit", "million", "mu", "mill units", "miu", "million iu"),
}


@attrs.frozen
class _Unit:
    """A unit as the dose grammar reads it, how many of it the code means, and whether it is arbitrary."""

    name: str
    factor: Decimal = Decimal(1)
    arbitrary: bool = False


def _of_code(code: str) -> _Unit | None:
    top, per = next(((code.removesuffix(tail), tail) for tail in _PER if code.endswith(tail)), (code, ""))
    known = ucum()
    if (row := known.get(top)) is not None:
        return _Unit(row.unit + per, arbitrary=row.arbitrary)
    match = _CODE.fullmatch(top)
    if match is None or not match["rest"]:
        return None
    factor = Decimal(10) ** int(match["power"] or 0)
    rest = match["rest"]
    row = known.get(rest)
    if row is None and rest[0] in _PREFIXES and (row := known.get(rest[1:])) is not None:
        factor, row = factor * _PREFIXES[rest[0]], row if row.metric else None
    return _Unit(row.unit + per, factor, row.arbitrary) if row is not None else None


def measured(value: Decimal, code: str, said: str, form: str, where: str, *, coded: bool, fills: str = "dose") -> str:
    """An amount as text: exact, in the unit of its code (a UCUM one where it is `coded`) that its text agrees with.

    `FormatError`: a unit that is not read (with the field `fills`), or a text that says another one.

    >>> measured(Decimal("2.4"), "10*6.[iU]", "million units", "fhir", "dose", coded=True)
    '2400000 units'
    >>> measured(Decimal(5), "k[iU]", "", "fhir", "dose", coded=True)
    '5000 IU'
    >>> measured(Decimal("2.4"), "Million Units", "", "fhir", "dose", coded=False)
    '2400000 units'
    >>> measured(Decimal("30.0"), "mg{total}", "mg", "fhir", "dose", coded=True)
    '30 mg'
    """
    unit = _meant(code, said, coded, fills)
    if isinstance(unit, Unread):
        raise unit.at(where, form)
    return f"{number(value if unit.factor == 1 else value * unit.factor)} {unit.name}"


@lru_cache(maxsize=4096)
def _meant(code: str, said: str, coded: bool, fills: str) -> _Unit | Unread:
    """What code and text mean together."""
    is_long = max(len(code), len(said)) > LONGEST
    word = "" if is_long else _bare(said)
    unit = _of_code(code) if code and not is_long else None
    if unit is None and not coded and not is_long:
        spelt = next((one for one in (code, _bare(code), word) if one and units.is_known(one)), "")
        unit = _Unit(spelt) if spelt else _of_code(word) or _multiple(word or _bare(code))
    if unit is None:
        shown = quote(code or said) if any(map(str.isalpha, code or said)) else "what stands there"
        return Unread(f"{shown} is no unit that is read here. Allowed: {', '.join(ucum())}.", fills)
    return _agreed(unit, word)


def _multiple(word: str) -> _Unit | None:
    """So many thousand or million units, where the words say units: "million" alone counts nothing."""
    said = word.casefold()
    factors = (factor for factor, words in _MULTIPLES.items() if "unit" in said and said in words)
    return next((_Unit("units", factor) for factor in factors), None)


def _bare(spelling: str) -> str:
    """A vendor's spelling without its brackets or a point: "milliliter (iso1000)", "milligram(s)", "mg."."""
    return re.sub(r"\s*\([^()]*\)$|\.$", "", spelling.strip())


def _agreed(unit: _Unit, word: str) -> _Unit | Unread:
    """The unit that code and text mean together; refused where they differ, a tenfold error or worse."""
    if unit.arbitrary and word.casefold() in _MULTIPLES.get(unit.factor, ()):
        return attrs.evolve(unit, name="units")
    if not word or not units.is_known(word) or not units.is_known(unit.name):
        return unit
    one, other = units.canonical(unit.name), units.canonical(word)
    if unit.arbitrary and unit.factor == 1 and units.is_activity(other) and "unit" in (one, other):
        return attrs.evolve(unit, name="units")
    if one == other and unit.factor == 1:
        return unit
    says = unit.name if unit.factor == 1 else f"a multiple of {unit.name}"
    return Unread(f"the unit's code says {says} and its text says {word}. Correct the message.")
