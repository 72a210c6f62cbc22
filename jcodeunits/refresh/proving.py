"""What counts each package of CMS's crosswalk on a claim, proved: in mL, or by the container.

What the FDA's list, the code and the other packages say together stands here; what one other file says of one
package, in `witnesses`. Nothing is guessed: a package that nothing proves is asked about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction

import attrs

from jcodeunits.facts.drug_rows import Drug
from jcodeunits.grouped import only

from . import witnesses
from .containers import shape_of
from .crosswalk import Listing
from .evidence import Evidence
from .fda import Injectable
from .marketed import form_of, piece
from .witnesses import Package, Proof

UNCOUNTED = frozenset({"billing unit", "each"})
_NOT_POWDER = frozenset({"syringe", "auto-injector", "pen", "cartridge", "ampule", "bag", "bottle", "container"})


@attrs.frozen
class Settled:
    """What one container holds, and what is wrong with the published row."""

    amount: Fraction | None
    unit: str
    marks: tuple[str, ...] = ()
    confidence: str = "medium"


@attrs.frozen
class Codes:
    """What the descriptors say: codes up to an amount or a band (`ceilings`), `oral` ones, and the `forms` named."""

    ceilings: Collection[str] = ()
    oral: Collection[str] = ()
    forms: Mapping[str, str] = attrs.field(factory=dict)

    @staticmethod
    def of(rows: Iterable[Drug]) -> Codes:
        """From the catalog; the newest row of a code says its form."""
        listed = sorted(rows, key=lambda row: row.effective)
        return Codes(
            {row.code for row in listed if row.basis in ("up to", "band")},
            {row.code for row in listed if "oral" in row.routes},
            {row.code: form for row in listed if (form := form_of(row.form) or piece(row.form))},
        )

    def form(self, listings: Iterable[Listing]) -> str:
        """The form that the descriptors of all codes of an NDC say; empty where they do not."""
        return only((self.forms.get(listing.code, "") for listing in listings), "")


NO_CODES = Codes()


def codes_of(listings: Iterable[Listing]) -> tuple[str, ...]:
    """The codes of an NDC."""
    return tuple(sorted({listing.code for listing in listings}))


def strength(settled: Settled, size: Fraction) -> set[Fraction]:
    """The drug in one of `size`, if it is known."""
    return {settled.amount / size} if settled.amount and size and settled.unit not in UNCOUNTED else set()


def prove(
    latest: Mapping[str, Sequence[Listing]],
    amounts: Mapping[str, Settled],
    evidence: Evidence,
    reviewed: Mapping[str, Proof | None],
    said: Codes = NO_CODES,
) -> dict[str, Proof]:
    """For each NDC that can be proved: qualifier, quantity of one container, proof.

    A proof falls where CMS's price survey prints another unit for the NDC. `reviewed` are the proofs that a
    reviewed container gives: a liquid among them tells a concentration of its code. `said`: what the descriptors say.
    """
    by_code: dict[str, list[str]] = defaultdict(list)
    for number, listings in latest.items():
        for code in codes_of(listings):
            by_code[code].append(number)
    size = {number: listings[0].size for number, listings in latest.items()}
    proofs: dict[str, Proof] = {}
    strengths: dict[str, set[Fraction]] = defaultdict(set)
    for number in latest:
        liquid = reviewed.get(number)
        if _volume_proved(size[number], evidence.fda.get(number)):
            liquid = proofs[number] = ("ML", size[number], "fda-volume")
        if liquid is not None and liquid[0] == "ML":
            for code in codes_of(latest[number]):
                strengths[code] |= strength(amounts[number], liquid[1])
    for number, listings in latest.items():
        known = set().union(*(strengths[code] for code in codes_of(listings)))
        listed = evidence.fda.get(number)
        one = size[number] == 1 and not (listed is not None and listed.volume == 1)
        if number not in proofs and not one and strength(amounts[number], size[number]) & known:
            proofs[number] = ("ML", size[number], "same-concentration")
    counted = _Counted(latest, amounts, evidence, strengths)
    for code, numbers in by_code.items():
        proofs = counted.prove(code, numbers) | proofs
    proofs |= {n: proof for n in latest if (proof := counted.whole_package(n)) is not None}
    # What the printed unit contradicts is no proof; the files that print it may prove another.
    proofs = {n: proof for n, proof in proofs.items() if evidence.unit(n) in ("", proof[0])}
    packages = {n: counted.package(n, said) for n in latest if n not in proofs}
    proofs |= {n: proof for n, package in packages.items() if (proof := witnesses.proof(package, evidence)) is not None}
    proofs |= _by_siblings(packages, proofs, amounts)
    return {n: proof for n, proof in proofs.items() if evidence.unit(n) in ("", proof[0])}


def _by_siblings(
    packages: Mapping[str, Package], proofs: Mapping[str, Proof], amounts: Mapping[str, Settled]
) -> dict[str, Proof]:
    """What the proved packages of a labeler's product prove of its others."""
    decided: dict[str, list[tuple[str, Fraction, Fraction | None, str]]] = defaultdict(list)
    for number, (qualifier, quantity, _) in proofs.items():
        decided[number[:10]].append((qualifier, quantity, amounts[number].amount, amounts[number].unit))
    found = {n: witnesses.by_siblings(p, decided[n[:10]]) for n, p in packages.items() if n not in proofs}
    return {number: proof for number, proof in found.items() if proof is not None}


def _volume_proved(size: Fraction, listed: Injectable | None) -> bool:
    """FDA volume equals package size; a size of 1 may be a count, so there the volume must lead."""
    if listed is None or listed.volume != size or listed.shape in ("kit", "implant"):
        return False
    return size != 1 or listed.leads


class _Counted:
    """Which products are counted by the container, and which by the package."""

    def __init__(
        self,
        latest: Mapping[str, Sequence[Listing]],
        amounts: Mapping[str, Settled],
        evidence: Evidence,
        strengths: Mapping[str, set[Fraction]],
    ) -> None:
        self.latest, self.amounts, self.evidence, self.strengths = latest, amounts, evidence, strengths
        self.fda = evidence.fda
        # Ingredients that the FDA list also knows as a liquid: there a mass alone proves nothing.
        self.dissolved = {
            x.ingredient for x in self.fda.values() if x.leads and x.shape in ("vial", "ampule", "syringe")
        }
        known: dict[str, set[Fraction]] = defaultdict(set)
        # The makers and package counts of each amount of a code, where CMS counts containers.
        self.packs: dict[tuple[str, Fraction | None], set[tuple[str, Fraction]]] = defaultdict(set)
        self.liquids, self.kits = set(), set()
        for number, listings in latest.items():
            kit = evidence.is_kit(number) or shape_of(listings[0], evidence) == "kit"
            for x in listings:
                known[x.code].add(x.billing_units)
                if x.size == 1:
                    self.packs[x.code, amounts[number].amount].add((number[:5], x.containers))
                if kit:
                    self.kits.add(x.code)
                listed = self.fda.get(number)
                if x.size != 1 or evidence.unit(number) == "ML" or (listed and listed.volume in (x.size, 1)):
                    self.liquids.add(x.code)
        self.liquids |= evidence.liquids(known) | {code for code, told in strengths.items() if told}

    def prove(self, code: str, numbers: Sequence[str]) -> dict[str, Proof]:
        """The NDCs of a code that a mass alone, or sizes of one, prove to be counted by the container.

        Both stand on an absence: so only where no file counts an NDC of the code in mL, or where a witness
        says so of this NDC. A package of several must be proved to be a carton and not a set.
        """
        found = {}
        size = {n: self.latest[n][0].size for n in numbers}
        different = len({self.amounts[n].amount for n in numbers} - {None}) > 1
        of_list = [self.fda[n] for n in numbers if n in self.fda]
        every_one = different and all(one == 1 for one in size.values())
        every_one &= not any(x.ingredient in self.dissolved or x.volume == 1 for x in of_list)
        for number in numbers:
            listed = self.fda.get(number)
            if size[number] != 1 or not self._is_carton(number):
                continue
            if listed and (listed.shape in _NOT_POWDER or listed.ingredient in self.dissolved):
                continue
            if code in self.liquids and not self._witnessed(code, number):
                continue
            if listed and listed.mass_only and self.amounts[number].confidence == "high":
                found[number] = ("UN", Fraction(1), "fda-mass-only")
            elif every_one:
                found[number] = ("UN", Fraction(1), "one-per-container")
        return found

    def _witnessed(self, code: str, number: str) -> bool:
        """A second witness; not where the container may be one mL of a liquid of the code."""
        like = strength(self.amounts[number], Fraction(1)) & self.strengths.get(code, set())
        return not like and self.evidence.is_container(number, self.latest[number])

    def _is_carton(self, number: str) -> bool:
        """Whether each container of the package is counted by itself.

        One container is. Of several, the state's file counts one; or several makers pack the same amount in
        different numbers; or the price file counts the vials as CMS does, and no name of the code is a kit's.
        """
        listings = self.latest[number]
        containers = listings[0].containers
        if containers <= 1 or self.evidence.counts(number, listings, Fraction(1)):
            return True
        amount = self.amounts[number].amount
        packs = set().union(*(self.packs[x.code, amount] for x in listings)) if amount else set()
        if len({maker for maker, _ in packs}) > 1 and len({count for _, count in packs}) > 1:
            return True
        return not any(x.code in self.kits for x in listings) and self.evidence.is_carton(number, containers)

    def package(self, number: str, said: Codes) -> Package:
        """What the witnesses of other files are measured by."""
        listings, settled = self.latest[number], self.amounts[number]
        return Package(
            number,
            listings[0].size,
            settled.amount,
            settled.unit,
            all(x.code in said.oral for x in listings),
            self._is_carton(number),
            frozenset(self.evidence.quantities(number, listings)),
            self.fda.get(number),
            listings[0].containers,
            any(strength(settled, Fraction(1)) & self.strengths.get(x.code, set()) for x in listings),
            said.form(listings),
            all(x.billing_units.denominator == 1 for x in listings),
        )

    def whole_package(self, number: str) -> Proof | None:
        """A package of several parts that the state's file counts as one: a container is a part of that."""
        listings = self.latest[number]
        containers = listings[0].containers
        if containers <= 1 or listings[0].size != 1:
            return None
        share = 1 / containers
        return ("UN", share, "whole-package") if self.evidence.counts(number, listings, share) else None
