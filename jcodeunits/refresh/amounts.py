"""Amounts as CMS prints them: numbers, their unit in any of its spellings, and the word before them.

Serves descriptors ("up to 2.4 million units") and crosswalk dosages (".625 GM", "300 MCG (1500 IU)").
A dose that a person writes is read by `jcodeunits.dose` instead, which is strict where this is lenient.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

import attrs

_NUMBER = r"\d[\d,]*(?:\.\d+)?|\.\d+"
# Spelling -> canonical unit, tried in this order: longer spellings stand before their beginnings.
_SPELLINGS = {
    r"vector genomes?": "vector genome",
    r"plaque[- ]forming units?|pfu": "PFU",
    r"usp units?": "USP unit",
    r"milligrams?|mg": "mg",
    r"micrograms?|mcg": "mcg",
    r"kilograms?|kg": "kg",
    r"grams?|gm|g": "g",
    r"millilit(?:er|re)s?|ml|cubic centimet(?:er|re)s?|cc": "mL",
    r"square +ce(?:nti|nit)met(?:er|re)s?|sq\.? ?cm|cm2": "cm2",
    r"millicuries?|mci": "mCi",
    r"microcuries?|uci": "microcurie",
    r"meq": "mEq",
    r"(?:factor viii )?(?:i\.u\.|iu|international units?)": "IU",
    r"kiu": "unit",
    r"units?": "unit",
    r"capsules?": "capsule",
    r"tablets?": "tablet",
    r"each|ea": "each",
}
_UNIT = "|".join(f"(?:{spelling})" for spelling in _SPELLINGS)
_CELLS = r"[a-z][a-z0-9+() -]{0,80}?\bcells"
_CANONICAL = [(re.compile(spelling), unit) for spelling, unit in _SPELLINGS.items()]
_BASIS = "less than or equal to|greater than|minimum of|minimum|up to|containing nominal|over|per|each"
_AMOUNT = re.compile(
    rf"(?:\b(?P<basis>{_BASIS})\s+)?"
    rf"(?<![\w.%])(?<!\d,)(?P<number>{_NUMBER})"
    rf"(?:\s*(?P<scale>million|billion)\b|\s*x\s*10\^(?P<power>\d+))?"
    rf"\s*(?P<unit>{_UNIT}|(?:(?<=million ){_CELLS}))(?![a-z0-9-])"
)
_ONE_THING = re.compile(r"(?:per |1 )((?:therapeutic )?dose|vial|implant|treatment|infusion|patch)")
_BARE = re.compile(rf"\bper\s+(?P<unit>{_UNIT})(?![\w-])")


@attrs.frozen
class Amount:
    """One printed amount: number, canonical unit, the word before it, and where in the text it stands."""

    number: Decimal
    unit: str
    basis: str
    start: int
    end: int


def plain(number: Decimal) -> str:
    """A number without exponent or trailing zeros.

    >>> plain(Decimal("1E+3")), plain(Decimal("0.50"))
    ('1000', '0.5')
    """
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


_PRINTED = re.compile(r"\d{1,15}(?:\.\d{0,12})?|\.\d{1,12}|[1-9]\d{0,2}(?:,\d{3}){1,4}(?:\.\d{0,12})?")


@lru_cache(maxsize=1 << 14)
def printed(text: str) -> Decimal:
    """A number as a table prints it, of a length that numbers have there. Raises `ValueError`.

    A comma stands between thousands alone: that of a country which writes 12,5 for 12.5 is none.

    >>> printed("1,250"), printed("1.") == 1
    (Decimal('1250'), True)
    """
    if not _PRINTED.fullmatch(text):
        raise ValueError("no number")
    return Decimal(text.replace(",", ""))


def canonical(spelling: str) -> str:
    """The canonical name of a unit in any spelling of CMS; living cells of every kind are `cell`.

    >>> canonical("Milligrams"), canonical("i.u."), canonical("square cenitmeter")
    ('mg', 'IU', 'cm2')
    """
    text = spelling.lower().strip()
    for pattern, unit in _CANONICAL:
        if pattern.fullmatch(text):
            return unit
    return "cell" if text.endswith("cells") else text


def amounts(text: str) -> list[Amount]:
    """Every amount in a lower-case text, in order. A unit after `per` with no number counts 1.

    >>> [(plain(a.number), a.unit, a.basis) for a in amounts("up to 2.5 mg and up to 0.5 mg")]
    [('2.5', 'mg', 'up to'), ('0.5', 'mg', 'up to')]
    >>> [(plain(a.number), a.unit) for a in amounts("2.4 million units, per i.u., 5 x 10^3 pfu")]
    [('2400000', 'unit'), ('1', 'IU'), ('5000', 'PFU')]
    """
    found = [_amount(match) for match in _AMOUNT.finditer(text)]
    for match in _BARE.finditer(text):
        if not any(known.start <= match.start() < known.end for known in found):
            found.append(Amount(Decimal(1), canonical(match["unit"]), "per", *match.span()))
    return sorted(found, key=lambda amount: amount.start)


def _amount(match: re.Match[str]) -> Amount:
    number = Decimal(match["number"].replace(",", ""))
    if match["scale"]:
        number *= 10**6 if match["scale"] == "million" else 10**9
    if match["power"]:
        number *= 10 ** int(match["power"])
    return Amount(number, canonical(match["unit"]), match["basis"] or "", *match.span())


def dosage(text: str) -> tuple[Decimal, str] | None:
    """The one plain amount that a CMS dosage states, or None where it states another thing.

    >>> dosage("UP TO 1,000 MG"), dosage(".625 GM"), dosage("1 MG/2.27 MG")
    ((Decimal('1000'), 'mg'), (Decimal('0.625'), 'g'), None)
    """
    lowered = " ".join(text.lower().replace("\xa0", " ").split())
    lowered = lowered.removesuffix(" vwf:rco")
    counted = _ONE_THING.fullmatch(lowered)
    if counted:
        return Decimal(1), counted[1]
    bare = re.sub(r"^(?:up to|per) ", "", lowered)
    found = amounts(bare)
    if len(found) == 1 and (found[0].start, found[0].end) == (0, len(bare)):
        return found[0].number, found[0].unit
    return None
