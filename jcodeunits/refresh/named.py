"""NDCs that neither a crosswalk nor a state's file proves a code for: their name, and what counts them.

The FDA's list of injectables, price files and notices name packages that CMS does not pay by itself. A row says what
they prove, without a code. Each rule was measured on packages that are decided otherwise, and none here disagreed.
What one mL or one vial holds is taken from the FDA's list alone, and of a vial only where another file prints the same.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction

import attrs

from jcodeunits.amount import decimal_text
from jcodeunits.facts.drug_rows import Brand, Drug, Uncoded

from . import witnesses
from .evidence import Converted, Evidence, amounts_in
from .family import Row
from .fda import Injectable
from .outside import names_of, plain, texts_of

_INJECTED = re.compile(r"\b(?:INJ|VIA?L|AMP|SYR|CARTRIDGE|PEN\b|SINGLE-DOSE|MULTI-DOSE|BULK)|[0-9] ?ML\b(?!.*\bSUSP)")
_OTHERWISE = frozenset({"oral", "inhaled", "nasal", "implant", "intrauterine", "vaginal", "intravesical"})
_INJECTED_FROM = frozenset({"vial", "ampule", "syringe", "cartridge", "bag", "kit"})
_DEPOTS = frozenset({"syringe", "kit", "implant"})  # a syringe may hold a powder and its diluent
_DEVICES = frozenset({"syringe", "auto-injector", "pen"})
_VIALS = frozenset({"vial", "ampule", "bag", "bottle"})
_BAGS = frozenset({"bag", "container"})  # a powder is made up in neither by its concentration
_DAY = dt.timedelta(days=1)
_NEAR = Fraction(1, 50)  # the list rounds a concentration to two or three figures
_FILES = ("fda-ndc", "ndc-package", "nsde", "va-fss", "nadac", "fda-shortages", "fda-recalls", "state-conversion")

# Qualifier, the drug in one of what is counted with its unit, proof.
Counted = tuple[str, tuple[Fraction, str] | None, str]


@attrs.frozen
class Liquids:
    """What the list knows of liquids: the ingredients and concentrations that it describes with a volume.

    `apart` are the ingredients and containers of which another file counts one as a whole that the list measures.
    """

    described: Collection[tuple[str, tuple[tuple[Fraction, str], ...]]] = ()
    apart: Collection[tuple[str, str]] = ()

    @staticmethod
    def of(evidence: Evidence) -> Liquids:
        """From the list and the units that other files print."""
        measured = {number: entry for number, entry in evidence.fda.items() if entry.per_ml}
        return Liquids(
            frozenset((entry.ingredient, entry.per_ml) for entry in measured.values() if entry.leads),
            frozenset(Liquids.kind(entry) for number, entry in measured.items() if evidence.unit(number) == "UN"),
        )

    @staticmethod
    def kind(listed: Injectable) -> tuple[str, str]:
        """Ingredient and container; what injects by itself has one name here, because the list has several for it."""
        return listed.ingredient, "device" if listed.shape in _DEVICES else listed.shape


@attrs.frozen
class Names:
    """The words that name a drug given in a practice; `others` those not injected, `ingredients` those of the codes."""

    every: Collection[str]
    others: Collection[str]
    starts: Collection[str]
    ingredients: Mapping[str, str]

    @staticmethod
    def of(
        drugs: Sequence[Drug], brands: Iterable[Brand], uncoded: Iterable[Uncoded], listed: Iterable[Injectable]
    ) -> Names:
        """From the catalog, its brands, the drugs without a code of their own, and the list of injectables."""
        by_code = names_of(drugs, brands)
        codes = {drug.code for drug in drugs if _OTHERWISE & set(drug.routes)}
        every = {word for words in by_code.values() for word in words}
        every |= {word for row in uncoded for word in (plain(row.name), plain(row.ingredient)) if len(word) > 4}
        every |= {word for entry in listed if len(word := plain(entry.ingredient)) > 4}
        every |= {word for drug in drugs if len(word := plain(re.split(r"\d", drug.ingredient)[0])) > 4}
        others = {word for code in codes for word in by_code.get(code, ())}
        starts = frozenset(word.split(" ")[0] for word in every)
        return Names(frozenset(every), frozenset(others), starts, {drug.code: drug.ingredient for drug in drugs})

    def name(self, text: str, injected: bool = False) -> bool:
        """Whether a text names one; what is no injection by its words, one that is given otherwise."""
        words = plain(text).split(" ")
        known = self.every if injected or _INJECTED.search(text.upper()) else self.others
        return any(
            " ".join(words[start : start + length]) in known
            for start, word in enumerate(words)
            if word in self.starts
            for length in range(1, 6)
        )

    def billed(self, lines: Iterable[Converted]) -> list[str]:
        """The one ingredient of all codes under which a state's file bills an NDC."""
        said = {self.ingredients.get(line.code, "") for line in lines if line.code}
        return list(said) if len(said) == 1 and said != {""} else []


def rows(
    known: Iterable[str], evidence: Evidence, names: Names, sources: Mapping[str, tuple[str, dt.date]]
) -> list[Row]:
    """The rows of products.csv for NDCs not `known`; `sources`: id and day of the newest edition of each file."""
    listed = frozenset(known)
    said = {
        "fda-ndc": evidence.fda.keys(),
        "ndc-package" if "ndc-package" in sources else "nsde": evidence.directory.keys(),
        "va-fss": evidence.prices.keys(),
        "nadac": evidence.survey.keys(),
        "fda-shortages": evidence.notices.keys(),
        "state-conversion": evidence.state.keys(),
    }
    files: dict[str, str] = {}
    for file in _FILES:
        for number in said.get(file, ()):
            files.setdefault(number, file)
    liquids = Liquids.of(evidence)
    made = []
    for number, file in sorted(files.items()):
        if number in listed or not any(part.startswith("0") for part in number.split("-")):
            continue  # an NDC of eleven figures comes from ten; others in a text may be none
        texts = texts_of(number, evidence)
        injected = number in evidence.fda or evidence.marketed(number).shape in _INJECTED_FROM
        told = [text for text in texts if names.name(text, injected)] or texts * (number in evidence.fda)
        if not told:
            told, file = names.billed(evidence.state.get(number, ())), "state-conversion"
        if told:
            where = sources[file] if file in sources else sources["fda-recalls"]
            made.append(_row(number, told, evidence, where, liquids))
    return made


def with_ended(rows: Iterable[Row], ended: Mapping[str, Mapping[str, str]]) -> list[Row]:
    """The rows, and one for each NDC whose code has `ended`, from the day after: it is still counted as it was."""
    found = {row["ndc"]: row for row in rows}
    for number, coded in ended.items():
        row = found.setdefault(number, {**coded, "codes": "", "marks": "per-unit|uncoded", "ends": ""})
        row["effective"] = (dt.date.fromisoformat(coded["ends"]) + _DAY).isoformat()
        if not row["qualifier"]:
            row |= {name: coded[name] for name in ("amount", "unit", "qualifier", "quantity", "proof", "form")}
    return list(found.values())


def _row(number: str, texts: Sequence[str], evidence: Evidence, where: tuple[str, dt.date], liquids: Liquids) -> Row:
    qualifier, drug, proof = counted(number, evidence, liquids)
    directory, listed = evidence.marketed(number), evidence.fda.get(number)
    each, marks = Fraction(1), "per-unit|uncoded"
    if directory.drug is not None and qualifier and qualifier == directory.counted:
        # The directory describes the container itself.
        drug, each, marks = directory.drug, directory.volume or each, "uncoded"
    whole = directory.containers if marks == "uncoded" and directory.containers else Fraction(1)
    return {
        "ndc": number,
        "codes": "",
        "amount": decimal_text(drug[0]) if drug is not None else "",
        "unit": drug[1] if drug is not None else "billing unit",
        "containers": decimal_text(whole),
        "qualifier": qualifier,
        "quantity": decimal_text(each) if qualifier else "",
        "proof": proof,
        "shape": evidence.shape(number),
        "kind": witnesses.kind(number, evidence),
        "form": {"ML": "liquid"}.get(qualifier, "") or directory.form * (qualifier == "UN"),
        "label": _label(texts, listed),
        "maker": " ".join(directory.maker.split()),
        "marks": marks,
        "effective": where[1].isoformat(),
        "source": where[0],
        "cite": number,
        "confidence": "low" if where[0].startswith("state-conversion") else "medium",
    }


def _label(texts: Sequence[str], listed: Injectable | None) -> str:
    """The drug's name: the list's, else the first words of the first text, up to a figure or the form."""
    first = listed.ingredient if listed is not None else texts[0].rpartition("|")[2].lower()
    first = re.sub(r"^(?:(?:a?nda|ndc|rx) )+", "", first)
    bare = re.split(r"\d|,|\b(?:inj(?:ection)?|soln|usp|vial)\b", first)[0].strip(" ,-/.")
    return f"{bare[:1].upper()}{bare[1:60].strip()}" or first[:60].strip()


def counted(number: str, evidence: Evidence, liquids: Liquids = Liquids()) -> Counted:
    """What counts an NDC on a claim, and the drug in one of that; empty where nothing, `liquids` too, proves it."""
    printed, directory = evidence.unit(number), evidence.marketed(number)
    found: list[Counted] = []
    if directory.form == "liquid" and (directory.per_ml is not None or directory.volume is not None):
        found.append(("ML", directory.per_ml, "directory" if directory.volume is not None else ""))
    if directory.counted == "UN":
        found.append(("UN", directory.drug, "directory"))
    found += [one for one in (_liquid(number, evidence, liquids), _vial(number, evidence)) if one is not None]
    if printed:
        drug = next((one[1] for one in found if one[0] == printed), None)
        proof = "nsde-unit" if directory.unit else "nadac-unit"
        return (printed, drug, proof) if printed in ("ML", "UN", "GR") else ("", None, "")
    found = [one for one in found if one[2]]
    return found[0] if len({one[0] for one in found}) == 1 else ("", None, "")


def _liquid(number: str, evidence: Evidence, liquids: Liquids) -> Counted | None:
    """What the list describes by its concentration, but a syringe or kit, and no file as a powder.

    The list writes a powder that is made up so, too: its own volume tells them apart, or that of the same ingredient
    and concentration elsewhere, a bag, or another file.
    """
    listed = evidence.fda.get(number)
    if listed is None or not listed.per_ml or listed.shape in _DEPOTS:
        return None
    if not evidence.unit(number) and Liquids.kind(listed) in liquids.apart:
        return None
    prices, notices = evidence.prices.get(number, ()), evidence.notices.get(number, ())
    if evidence.is_powder(number) or any("powder" in words or "kit" in words for words in notices):
        return None
    one = len(listed.per_ml) == 1
    if listed.leads:
        return ("ML", _dense(listed) if one else None, "list-volume")
    if listed.shape in _BAGS or (listed.ingredient, listed.per_ml) in liquids.described:
        return ("ML", listed.per_ml[0] if one else None, "list-concentration")
    if not one or listed.shape not in _VIALS:
        return None
    dense = listed.per_ml[0]
    names = [price.name for price in prices]
    by_price = dense[1] == "mg" and dense in amounts_in(names, Fraction(1)) and not any("/VI" in name for name in names)
    return ("ML", dense, "list-concentration") if by_price or dense in amounts_in(notices, Fraction(1)) else None


def _dense(listed: Injectable) -> tuple[Fraction, str] | None:
    """The drug in one mL: the strength over the volume where they give the printed concentration, as it is rounded."""
    per_ml, unit = listed.per_ml[0]
    if listed.volume and len(listed.strengths) == 1 and listed.strengths[0][1] == unit:
        exact = listed.strengths[0][0] / listed.volume
        short = (exact * 10**6).denominator == 1
        return (exact, unit) if per_ml and short and abs(exact / per_ml - 1) < _NEAR else None
    return per_ml, unit


def _vial(number: str, evidence: Evidence) -> Counted | None:
    """A vial of which the list names a mass alone, and another file that it is a powder, or counts the vial."""
    listed = evidence.fda.get(number)
    if listed is None or not listed.mass_only or listed.shape not in ("vial", "bottle", ""):
        return None
    if not evidence.is_powder(number):
        return None
    names = [price.generic.replace("/", " ") for price in evidence.prices.get(number, ())]
    same = set().union(*map(witnesses.strengths_of, names)) & set(listed.strengths) if names else set()
    return ("UN", same.pop() if len(same) == 1 and len(listed.strengths) == 1 else None, "list-mass")
