"""What price files, a state's file and notices prove about a package that no other proof reaches.

Each rule was measured on packages that are decided otherwise; only those without a disagreement stand here.
Every rule leans on CMS's package size: what a file prints is a proof only where it meets that size. Files that
say different units of one package prove nothing about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

import attrs

from jcodeunits.amount import decimal_text
from jcodeunits.grouped import only

from .evidence import BARE_COUNT, PER_VIAL, Evidence, Price, amounts_in, in_base
from .fda import Injectable
from .marketed import Marketed

# Qualifier, quantity of one container, proof.
Proof = tuple[str, Fraction, str]

_VOLUME = re.compile(r"(?:\d+X)*([\d.]+) ?ML")
_MADE_UP = re.compile(r"\b(?:powder|kit)\b")
_POWDER = re.compile(r"LYPHL|LYOPHIL|PWDR|POWDER")
_SOLID = re.compile(r"\b(?:TAB|TABS|TABLET|TABLETS|CAP|CAPS|CAPSULE|CAPSULES)\b")
_MASS = re.compile(r"(?<![\d.,])([\d.,]*\d) ?(MG|MCG|GM|UNITS?|UNT)\b(?! ?/)")
_LIQUID_SHAPES = frozenset({"syringe", "auto-injector", "pen", "cartridge", "ampule"})
_NOT_COUNTED = _LIQUID_SHAPES | {"bag", "container"}
_NEAR = Fraction(1, 100)

# What a text says of a container. `bulk` is neither: a pharmacy bulk package serves many.
_KINDS = {
    "single-dose": re.compile(r"\bsingle[- ](?:dose|use)(?! applicator)|\bSDV\b", re.IGNORECASE),
    "multi-dose": re.compile(r"\bmulti(?:ple)?[- ](?:dose|use)|\bMDV\b", re.IGNORECASE),
}
_BULK = re.compile(r"\bbulk\b", re.IGNORECASE)


@attrs.frozen
class Package:
    """One NDC as CMS lists it: the size and the containers that it prints, the drug in one, and what else is known.

    `oral`: its codes are of drugs by mouth; `carton`: each container of the package is counted by itself;
    `like_liquid`: one mL of a liquid that is proved under its code holds as much; `form` what the descriptors say;
    `whole`: it is a whole number of billing units.
    """

    number: str
    size: Fraction
    amount: Fraction | None
    unit: str
    oral: bool
    carton: bool
    quantities: frozenset[Fraction] = frozenset()
    listed: Injectable | None = None
    containers: Fraction = Fraction(1)
    like_liquid: bool = False
    form: str = ""
    whole: bool = True


def proof(package: Package, evidence: Evidence) -> Proof | None:
    """What all files together prove, NSDE's unit above all; None where none does, or two contradict each other."""
    nsde = evidence.marketed(package.number).unit
    found = [one for one in _all(package, evidence) if nsde in ("", one[0])]
    unit = evidence.unit(package.number)
    return found[0] if len({one[:2] for one in found}) == 1 and unit in ("", found[0][0]) else None


def _all(package: Package, evidence: Evidence) -> list[Proof]:
    """What each file proves by itself."""
    by_files = [*_by_prices(package, evidence), *_by_survey(package, evidence), *_by_notices(package, evidence)]
    by_code = [*_by_millilitres(package), *_by_descriptor(package, evidence)]
    return [*by_directory(package, evidence), *by_files, *_by_state(package), *by_code]


def by_directory(package: Package, evidence: Evidence) -> list[Proof]:
    """NSDE's unit and the directory's description: what a container holds is CMS's size, or is counted by it.

    NSDE says what is counted, not how much; the directory how much, and what counts it only for a plain liquid or
    powder. CMS's size of one may be a count, so there the description must say that it is one mL.
    """
    listed = evidence.marketed(package.number)
    proof, unit = ("nsde-unit", listed.unit) if listed.unit else ("directory", listed.counted)
    if unit == "UN":
        return [("UN", share, proof) for share in _counted(package, listed)]
    if unit not in ("ML", "GR"):
        return []
    measured = listed.holds if listed.holds is not None and listed.holds[1] == {"ML": "mL", "GR": "g"}[unit] else None
    if measured is None:
        known = listed.holds is None and proof == "nsde-unit" and package.size != 1
        return [(unit, package.size, proof)] if known else []
    if measured[0] == package.size:
        return [(unit, package.size, proof)]
    # CMS counts containers, and the strength gives its amount for the volume that the directory names.
    strength = listed.per_ml
    same = strength is not None and package.amount is not None and strength[1] == package.unit
    fits = same and strength is not None and strength[0] * measured[0] == package.amount
    return [(unit, measured[0], proof)] if package.size == 1 and unit == "ML" and fits else []


def _counted(package: Package, listed: Marketed) -> list[Fraction]:
    """What one container counts where whole things are counted: one, its part of a kit, or the bottle of pieces."""
    if listed.kits is not None:
        return [listed.kits / package.containers] if package.size == 1 and package.containers >= listed.kits else []
    if package.size == 1:
        described = listed.containers == package.containers and listed.form not in ("kit", "")
        return [Fraction(1)] if package.carton or described else []
    pieces = listed.holds is not None and listed.holds == (package.size, listed.holds[1])
    solid = listed.holds is not None and bool(_SOLID.search(listed.holds[1].upper()))
    return [package.size] if pieces and solid else []


def _by_prices(package: Package, evidence: Evidence) -> list[Proof]:
    """The price file: a volume that is CMS's size, a vial that is counted, a tablet's strength."""
    prices = evidence.prices.get(package.number, ())
    found = {one for price in prices for one in _by_price(package, price)}
    return [(*one, "va-prices") for one in sorted(found)]


def _by_price(package: Package, price: Price) -> list[tuple[str, Fraction]]:
    if _SOLID.search(price.generic):
        return _pieces(package, price.name)
    strengths = amounts_in([price.name], package.size)
    volume, vial = _VOLUME.fullmatch(price.package), bool(PER_VIAL.search(price.generic))
    if volume is not None and (vial or _POWDER.search(price.name)):
        return []  # made up with its diluent, as often as not
    fits = package.amount is not None and (package.amount, package.unit) in strengths
    if volume is not None:
        free = not strengths or (package.amount is None and package.size != 1)
        return [("ML", package.size)] if Fraction(volume[1]) == package.size and (fits or free) else []
    if vial or _POWDER.search(price.name):
        bare = BARE_COUNT.fullmatch(price.package) if vial else "ML" not in price.package
        return [("UN", Fraction(1))] if bare and package.carton and _may_be_powder(package) else []
    # Of a container of one mL the concentration may have been typed from the strength.
    return [("ML", package.size)] if fits and package.size != 1 and BARE_COUNT.fullmatch(price.package) else []


def _may_be_powder(package: Package) -> bool:
    """CMS counts containers, and the FDA's list, where it has the NDC, knows no liquid's container."""
    listed = package.listed
    return package.size == 1 and (listed is None or not (listed.leads or listed.shape in _LIQUID_SHAPES))


def _by_survey(package: Package, evidence: Evidence) -> list[Proof]:
    """CMS's price survey: its unit, where the size is a volume or a count of one."""
    unit, name = evidence.survey.get(package.number, ("", ""))
    if unit == "ML":
        fits = package.amount is not None and (package.amount, package.unit) in amounts_in([name], package.size)
        return [("ML", package.size, "nadac-unit")] if package.size != 1 or fits else []
    if unit == "UN" and (package.size != 1 or _SOLID.search(name.upper())):
        return [(*one, "nadac-unit") for one in _pieces(package, name.upper())]
    if unit == "UN" and package.size == 1 and package.carton:
        return [("UN", Fraction(1), "nadac-unit")]
    return []


def _by_notices(package: Package, evidence: Evidence) -> list[Proof]:
    """The FDA's notices, by their words: a concentration and a volume that is CMS's size, of one NDC alone."""
    if package.amount is None:
        return []
    volume = re.compile(rf"(?<![\d.]){decimal_text(package.size)} ?mL\b", re.IGNORECASE)
    said = [
        (package.amount, package.unit) in amounts_in([text], package.size)
        for text in evidence.notices.get(package.number, ())
        if volume.search(text) and "several" not in text and not _MADE_UP.search(text)
    ]
    return [("ML", package.size, "fda-notice")] if said and all(said) else []


def _by_state(package: Package) -> list[Proof]:
    """The state's file: a quantity that is CMS's size, of a drug that is not by mouth, where it may count pieces.

    A quantity of one is a container only where that is not one mL.
    """
    if package.oral or package.quantities != {package.size}:
        return []
    if package.size != 1:
        return [("ML", package.size, "state-quantity")]
    return [("UN", Fraction(1), "state-container")] if package.carton and _is_no_millilitre(package) else []


def _is_no_millilitre(package: Package) -> bool:
    """Whether the FDA's list has the amount as a mass alone, or with a concentration of which one mL is another."""
    listed = package.listed
    if listed is None or listed.leads or listed.shape in _NOT_COUNTED or package.like_liquid:
        return False
    mine = (package.amount, package.unit)
    if mine not in listed.strengths:
        return False
    return listed.mass_only or (len(listed.per_ml) == 1 and listed.per_ml[0][1] == mine[1] and listed.per_ml[0] != mine)


def _by_millilitres(package: Package) -> list[Proof]:
    """A code that counts millilitres, and a container that holds as many as CMS's size; one may be a count."""
    fits = package.unit == "mL" and package.amount == package.size != 1
    return [("ML", package.size, "counted-in-ml")] if fits else []


def _by_descriptor(package: Package, evidence: Evidence) -> list[Proof]:
    """A code whose descriptor says that its drug is a solution, a powder, or a piece; a size of one is no volume.

    An implant has a size of its own at CMS now and then, which is its milligrams; the FDA's list says what it is.
    Of a container that is no whole number of billing units CMS prints the amount rounded: 0.625 mg for 0.63 mg.
    """
    if package.form == "powder" and package.size == 1 and package.carton:
        return [("UN", Fraction(1), "descriptor")]
    shape = package.listed.shape if package.listed is not None else ""
    if package.form == "piece" and (package.size == 1 or shape == "implant"):
        return [("UN", Fraction(1), "descriptor")]
    volumes = {package.listed.volume} if package.listed is not None else set()
    said = [_VOLUME.fullmatch(price.package) for price in evidence.prices.get(package.number, ())]
    volumes |= {Fraction(volume[1]) for volume in said if volume is not None}
    fits = package.form == "liquid" and package.size != 1 and package.whole and volumes <= {None, package.size}
    return [("ML", package.size, "descriptor")] if fits else []


def by_siblings(package: Package, decided: Iterable[tuple[str, Fraction, Fraction | None, str]]) -> Proof | None:
    """What the decided packages of the same labeler's product prove: qualifier, quantity, amount, unit of each.

    The size is the package's own: a liquid's must give their concentration, a counted container's must be one.
    """
    known = list(decided)
    if len({qualifier for qualifier, *_ in known}) != 1:
        return None
    if known[0][0] == "ML":
        dense = {(amount / quantity, unit) for _, quantity, amount, unit in known if amount is not None}
        own = None if package.amount is None or not package.size else (package.amount / package.size, package.unit)
        return ("ML", package.size, "another-package") if own in dense else None
    one = all(quantity == 1 for _, quantity, *_ in known) and package.size == 1 and package.carton
    return ("UN", Fraction(1), "another-package") if known[0][0] == "UN" and one else None


def _pieces(package: Package, name: str) -> list[tuple[str, Fraction]]:
    """A tablet or capsule: one, or the bottle, by the strength that its name prints."""
    if package.amount is None:
        return []
    found = set()
    for strength, unit in strengths_of(name):
        if unit == package.unit and strength == package.amount:
            found.add(("UN", Fraction(1)))
        elif unit == package.unit and strength * package.size == package.amount:
            found.add(("UN", package.size))
    return sorted(found)


def strengths_of(name: str) -> set[tuple[Fraction, str]]:
    """The strengths of a piece that a name prints, in mg or units."""
    found = set()
    for amount, word in _MASS.findall(name.upper()):
        value = Fraction(amount.replace(",", "").strip(".") or "0")
        if value:
            found.add(in_base(value, word))
    return found


def is_other_strength(package: Package, evidence: Evidence) -> bool:
    """Whether a tablet or capsule has a printed strength that CMS's amount fits neither for one nor for all."""
    told = {value for value, unit in solid_strengths(package.number, evidence) if unit == package.unit}
    if not told or package.amount is None:
        return False
    return not any(abs(package.amount / (value * n) - 1) < _NEAR for value in told for n in (1, package.size) if n)


def solid_strengths(number: str, evidence: Evidence) -> set[tuple[Fraction, str]]:
    """The strengths that files print for a tablet or capsule; empty for what is none, or has none printed."""
    names = [p.name for p in evidence.prices.get(number, ()) if _SOLID.search(p.generic)]
    name = evidence.survey.get(number, ("", ""))[1].upper()
    names += [name] if _SOLID.search(name) else []
    names = [name for name in names if "/" not in name]  # of a combination the parts are printed
    return set().union(*map(strengths_of, names)) if names else set()


def differing(package: Package, settled: Proof | None, evidence: Evidence) -> list[str]:
    """What the printed units and the directory say against each other, CMS's package, or what was decided of it.

    The price schedule and the state's file are typed by hand and print no unit: what their words and figures count.
    `package.quantities` are those of the state's file that differ from the row.
    """
    number, listed = package.number, evidence.marketed(package.number)
    survey, said = evidence.survey.get(number, ("", ""))[0], []
    if survey and listed.unit and survey != listed.unit:
        said.append(f"NSDE counts it as {listed.unit}, CMS's pharmacy cost survey as {survey}.")
    for who, unit in (("NSDE", listed.unit), ("CMS's pharmacy cost survey", survey)):
        if settled is not None and unit not in ("", settled[0]):
            said.append(f"{who} counts it as {unit}, the row as {settled[0]} ({settled[2]}).")
    if settled is not None:
        counted = f"the row as {settled[0]} {decimal_text(settled[1])} ({settled[2]})."
        priced = {qualifier for qualifier, *_ in _by_prices(package, evidence)}
        if priced and settled[0] not in priced:
            said.append(f"the federal price schedule counts it as {' or '.join(sorted(priced))}, {counted}")
        if package.quantities:
            each = " or ".join(sorted(map(decimal_text, package.quantities)))
            said.append(f"a state's file counts a container as {each}, {counted}")
    volume = listed.volume
    if volume is not None and listed.form == "liquid" and package.size not in (1, volume):
        sizes = f"{decimal_text(volume)} mL in a container, CMS's package size is {decimal_text(package.size)}"
        said.append(f"the FDA's directory says {sizes}.")
    if listed.containers is not None and listed.containers != package.containers:
        counts = f"{decimal_text(listed.containers)} containers, CMS {decimal_text(package.containers)}"
        said.append(f"the FDA's directory says {counts}.")
    return [f"{number}: {says}" for says in said]


def kind(number: str, evidence: Evidence) -> str:
    """The kind, where the texts of each file agree and no two files differ; else empty. The directory names all."""
    texts = [evidence.notices.get(number, ()), [price.name for price in evidence.prices.get(number, ())]]
    said = {one for found in texts if (one := _kind_of(found)) is not None}
    said |= {listed} if (listed := evidence.marketed(number).kind) else set()
    return only(said, "")


def _kind_of(texts: Iterable[str]) -> str | None:
    """What texts say: a kind, "" where they differ or one says both, None where none says any."""
    found = [one for text in texts if (one := _said(text)) is not None]
    return only(found, "") if found else None


def _said(text: str) -> str | None:
    if _BULK.search(text):
        return ""
    found = [name for name, pattern in _KINDS.items() if pattern.search(text)]
    return only(found, "") if found else None


def kinds(numbers: Iterable[str], evidence: Evidence) -> Mapping[str, str]:
    """The kinds that are told, by NDC."""
    return {number: told for number in numbers if (told := kind(number, evidence))}
