"""Reads the FDA list of injectable NDCs: amounts, volumes and containers that owe nothing to CMS.

The list is a check, never the only source of an amount: its strength is mostly the amount in the container,
but in some rows it is a concentration, a package total, another salt's weight, or rounded away; its
bracketed brands are relatives of the ingredient, not the label. Single-dose or multi-dose it does not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

import attrs

from jcodeunits.tables import words

from .byhand import ByHand
from .dating import month_in
from .family import Asked, Edition, Family, FileReading, Headed, Tally, facts, number_of, said
from .files import Published

_COLUMNS = ("ndc", "description", "dosage form", "strength", "measure")

_UNITS = {"mg": "mg", "[iu]": "unit", "[usp'u]": "unit", "u": "unit", "unt": "unit", "meq": "mEq", "ml": "mL"}
_APPLICATION = re.compile(r"^NDA\d+ ")
_LEADING = re.compile(r"^([\d.]+) mL ")
_PER_ML = re.compile(r" ([\d.]+) (mg|UNT|mEq)/mL", re.IGNORECASE)
_MASS = re.compile(r" ([\d.]+) (mg|UNT|mEq)(?![/\w])", re.IGNORECASE)
_SHAPES = {
    **{name: name for name in words("syringe|auto-injector|cartridge|ampule|vial|bag|bottle|implant|kit|container")},
    "prefilled syringe": "syringe",
    "pen injector": "pen",
    "drug implant": "implant",
}


@attrs.frozen
class Injectable:
    """One NDC of the list.

    `strengths` are the printed amounts (amount, unit), with their total where a combination's are in one
    unit; `derived` what the description says besides: masses, volume, volume times concentration. `volume`
    in mL is what the description begins with, else the strength in mL, else strength over concentration;
    `leads` tells the first. `per_ml` is the concentration, `mass_only` that the description names no
    millilitre (a volume in the strength alone is a diluent's). `ingredient` is the generic name. `shape` is
    the container in our words, empty where the list's word is none.
    """

    ndc: str
    description: str
    strengths: tuple[tuple[Fraction, str], ...]
    derived: tuple[tuple[Fraction, str], ...]
    volume: Fraction | None
    leads: bool
    per_ml: tuple[tuple[Fraction, str], ...]
    mass_only: bool
    ingredient: str
    shape: str


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """What the list says of each NDC."""
    when, tally = asked.when(file, month_in), Tally()
    for _line, cells in file.body(_COLUMNS):
        told = said(
            description=cells["description"],
            shape=cells["dosage form"],
            strength=cells["strength"],
            measure=cells["measure"],
        )
        tally.add(f"{cells['ndc']}|{told}", number_of(cells["ndc"]), told)
    yield tally.reading(Edition("fda-ndc", when, f"Injectable NDCs, {when.name}", "openFDA and RxNorm"))


def listed(statements: Iterable[tuple[str, str]]) -> dict[str, Injectable]:
    """The list by NDC (5-4-2 with hyphens), from what it says of each."""
    return {number: _injectable(number, facts(told)) for number, told in sorted(statements)}


def _injectable(number: str, row: Mapping[str, str]) -> Injectable:
    description = _APPLICATION.sub("", row.get("description", ""))
    strengths = _strengths(row)
    leading = _LEADING.match(description)
    per_ml = tuple((Fraction(n), _UNITS[u.lower()]) for n, u in _PER_ML.findall(description))
    masses = tuple((Fraction(n), _UNITS[u.lower()]) for n, u in _MASS.findall(description))
    volume = _volume(leading, strengths, per_ml)
    derived = _sums(masses)
    if volume is not None:
        derived += [(volume, "mL"), *((total * volume, unit) for total, unit in _sums(per_ml))]
    return Injectable(
        ndc=number,
        description=description,
        strengths=tuple(entry for entry in _sums(strengths) if entry[0]),
        derived=tuple(entry for entry in derived if entry[0]),
        volume=volume,
        leads=leading is not None,
        per_ml=per_ml,
        mass_only=bool(masses) and "mL" not in description,
        # as the description has it: the column of generic names is often empty
        ingredient=re.split(r" [\d.]+ ", _LEADING.sub("", description), maxsplit=1)[0].lower(),
        shape=_SHAPES.get(row.get("shape", "").lower(), ""),
    )


def _strengths(row: Mapping[str, str]) -> tuple[tuple[Fraction, str], ...]:
    """The printed strengths that are amounts; a strength per mL is none."""
    found = []
    for number, measure in zip(row.get("strength", "").split(";"), row.get("measure", "").split(";"), strict=False):
        unit = _UNITS.get(measure.strip().lower())
        if unit and re.fullmatch(r"\s*\d+(\.\d+)?\s*", number):
            found.append((Fraction(number.strip()), unit))
    return tuple(found)


def _volume(
    leading: re.Match[str] | None, strengths: tuple[tuple[Fraction, str], ...], per_ml: tuple[tuple[Fraction, str], ...]
) -> Fraction | None:
    if leading:
        return Fraction(leading[1])
    for amount, unit in strengths:
        if unit == "mL":
            return amount if per_ml else None  # a mass and a volume without concentration: the diluent's
    if len(strengths) == 1 and len(per_ml) == 1 and strengths[0][1] == per_ml[0][1] and per_ml[0][0]:
        return strengths[0][0] / per_ml[0][0]
    return None


def _sums(amounts: tuple[tuple[Fraction, str], ...]) -> list[tuple[Fraction, str]]:
    """The total of a combination in each unit, then each amount."""
    totals: dict[str, Fraction] = {}
    for amount, unit in amounts:
        totals[unit] = totals.get(unit, Fraction(0)) + amount
    return list(dict.fromkeys([*((total, unit) for unit, total in totals.items()), *amounts]))


FAMILY = Family(
    name="injectable NDCs", files=("fda-ndc",), table="evidence", recognises=Headed(_COLUMNS), read=read, page=""
)
