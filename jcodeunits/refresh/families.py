"""Every kind of published file that a refresh reads, in the order in which a file is tried."""

from __future__ import annotations

import re

from . import (
    addendum_b,
    asp,
    conversion,
    crosswalk,
    fda,
    hcpcs,
    mue,
    nadac,
    ndc_directory,
    notices,
    nsde,
    places,
    ptp,
    relative_values,
    va_prices,
)
from .family import Family
from .files import Published, problem

FAMILIES: tuple[Family, ...] = (
    hcpcs.FAMILY,
    crosswalk.FAMILY,
    asp.TWINS,
    asp.LIMITS,
    mue.FAMILY,
    ptp.FAMILY,
    relative_values.FAMILY,
    addendum_b.FAMILY,
    places.FAMILY,
    ndc_directory.FAMILY,
    nsde.FAMILY,
    nadac.FAMILY,
    va_prices.FAMILY,
    conversion.FAMILY,
    fda.FAMILY,
    notices.FAMILY,
)


def families_of(file: Published) -> list[tuple[Published, Family]]:
    """The tables of a file with their family, by the header. Raises `TableError` where its name alone promises one."""
    if file.is_workbook or file.is_text or file.is_page:
        found = [(one, family) for one in file.tables() if (family := _recognised(one)) is not None]
        if found:
            return found
    promised = next((f for f in FAMILIES if f.named and re.search(f.named, file.names[0], re.IGNORECASE)), None)
    if promised is not None and file.names[0].lower().endswith((".csv", ".txt", ".xlsx")):
        if file.why_none:
            raise problem(file.name, f"{file.why_none}.")
        nearest = promised.nearest(file)
        says = f"by its name it holds {promised.name}, but no row among its first ones is the header of that file: "
        raise problem(file.name, f"{says}{nearest or 'it was changed or is cut off'}.")
    return []


def _recognised(file: Published) -> Family | None:
    return next((family for family in FAMILIES if family.recognises(file)), None)


def of_source(source: str) -> Family | None:
    """The family that a source's id belongs to, or None for what no refresh reads."""
    return _BY_FILE.get(file_of(source))


def file_of(source: str) -> str:
    """The beginning of an edition's source id; empty for what is no edition."""
    match = EDITION_ID.fullmatch(source)
    return match[1] if match else ""


EDITION_ID = re.compile(r"([a-z][a-z-]*?)-(20\d\d(?:q[1-4]|-\d\d(?:-\d\d)?))(-f\w+)?")
_BY_FILE = {name: family for family in FAMILIES for name in family.files}
