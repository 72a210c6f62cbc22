"""What price files, a state's file, the FDA's notices and its directory print about a package, read as witnesses.

None of these files gives an amount or a unit by itself: each says something about one NDC that a proof of
`products.py` may lean on or fall over. A file that is not there is no witness.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import attrs

from jcodeunits import units

from . import fda, marketed
from .amounts import printed
from .crosswalk import Listing
from .family import facts
from .fda import Injectable
from .marketed import UNIT_OF, Marketed
from .notices import WORDS

DIFFER = "?"  # the unit of an NDC for which two files print two
PER_VIAL = re.compile(r"/VI(?:A)?L\b")
BARE_COUNT = re.compile(r"\d+(?: VI)?")
_STRENGTH = re.compile(r"(?<![\d.,])([\d.,]+) ?(MG|MCG|GM?|UNITS?|UNT)/(?:([\d.]+) ?)?ML\b", re.IGNORECASE)
_KIT = re.compile(r"\bKI?TS?\b", re.IGNORECASE)
_NEAR = Fraction(1, 20)  # the state types 0.33 for a third


@attrs.frozen
class Price:
    """One row of the price schedule: the package, the generic name with its form, the trade name."""

    package: str
    generic: str
    trade: str

    @property
    def name(self) -> str:
        """Generic and trade name together."""
        return f"{self.generic} {self.trade}"


@attrs.frozen
class Converted:
    """One row of the state's file: `code` is empty on a pharmacy row; `billed` units are `counted` units."""

    code: str
    billed: Fraction
    counted: Fraction


_UNLISTED = Marketed()


@attrs.frozen
class Evidence:
    """What the files say by NDC (5-4-2 with hyphens); of a notice its words, as `notices.WORDS` names them.

    `directory` is what the FDA's directory and NSDE say of each package, `fda` what its list of injectables does.
    """

    prices: Mapping[str, tuple[Price, ...]] = attrs.field(factory=dict)
    survey: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    state: Mapping[str, tuple[Converted, ...]] = attrs.field(factory=dict)
    notices: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    directory: Mapping[str, Marketed] = attrs.field(factory=dict)
    fda: Mapping[str, Injectable] = attrs.field(factory=dict)

    def marketed(self, number: str) -> Marketed:
        """What the directory and NSDE say of a package; nothing where they lack it."""
        return self.directory.get(number, _UNLISTED)

    def shape(self, number: str) -> str:
        """The container of a package, as the list of injectables says it, else the directory."""
        return (self.fda[number].shape if number in self.fda else "") or self.marketed(number).shape

    def unit(self, number: str) -> str:
        """The unit that NSDE and CMS's price survey print (UN, ML, GR): empty where none does, `DIFFER` for two."""
        found = {self.survey.get(number, ("", ""))[0], self.marketed(number).unit} - {""}
        return DIFFER if len(found) > 1 else found.pop() if found else ""

    def quantities(self, number: str, listings: Iterable[Listing]) -> set[Fraction]:
        """What one container counts by the state's file; a pharmacy row turns its units into the claim's."""
        return {one * factor for factor in self._factors(number) for one in self._counted(number, listings)}

    def _counted(self, number: str, listings: Iterable[Listing]) -> set[Fraction]:
        """What one container counts in the state's own units."""
        units_of = {listing.code: listing.billing_units for listing in listings}
        return {
            row.counted / row.billed * units_of[row.code] for row in self.state.get(number, ()) if row.code in units_of
        }

    def against(self, number: str, listings: Sequence[Listing], quantity: Fraction) -> frozenset[Fraction]:
        """What one container counts by the state's file, where no reading of its lines gives `quantity`.

        A pharmacy row may be typed the other way round, or count for rebates alone; of a container that is no whole
        number of billing units the state rounds those.
        """
        if any(listing.billing_units.denominator != 1 for listing in listings):
            return frozenset()
        ways = {way for factor in self._factors(number) for way in (Fraction(1), factor, 1 / factor)}
        read = {one * way for one in self._counted(number, listings) for way in ways}
        known = any(abs(one / quantity - 1) < _NEAR for one in read)
        return frozenset() if known else frozenset(self.quantities(number, listings))

    def _factors(self, number: str) -> set[Fraction]:
        found = {row.billed / row.counted for row in self.state.get(number, ()) if not row.code}
        return found if len(found) == 1 else {Fraction(1)}

    def counts(self, number: str, listings: Iterable[Listing], quantity: Fraction) -> bool:
        """Whether the state's file counts one container as `quantity`, and says nothing else."""
        said = self.quantities(number, listings)
        return bool(said) and all(abs(one / quantity - 1) < _NEAR for one in said)

    def is_container(self, number: str, listings: Iterable[Listing]) -> bool:
        """Whether a second witness says that a mass in a container of size 1 is counted by the container."""
        return self.unit(number) == "UN" or self.counts(number, listings, Fraction(1)) or self.is_powder(number)

    def _powder(self, number: str) -> bool:
        """Every notice of the NDC says a powder word, or the price file does and gives no volume."""
        said, priced = self.notices.get(number, ()), self.prices.get(number, ())
        listed = self.fda.get(number)
        return (
            (bool(said) and all("powder" in words for words in said))
            or (listed is not None and bool(WORDS["powder"].search(listed.description)))
            or self.marketed(number).form == "powder"
            or (bool(priced) and all(WORDS["powder"].search(p.name) and "ML" not in p.package for p in priced))
        )

    def _by_vial(self, number: str) -> bool:
        """The price file names the vial and only counts; not where the FDA list knows a liquid's container."""
        priced, listed = self.prices.get(number, ()), self.fda.get(number)
        if listed is not None and (listed.leads or listed.shape not in ("", "vial", "kit", "bottle")):
            return False
        return bool(priced) and all(PER_VIAL.search(p.generic) and BARE_COUNT.fullmatch(p.package) for p in priced)

    def is_carton(self, number: str, containers: Fraction) -> bool:
        """Whether the price file names the vial and counts as many as CMS has in the package."""
        priced = self.prices.get(number, ())
        count = re.compile(rf"(?:1X)?{containers}(?:X[\d.]+ ?(?:GM|MG|ML)| VI)?", re.IGNORECASE)
        return bool(priced) and all(PER_VIAL.search(p.generic) and count.fullmatch(p.package) for p in priced)

    def is_powder(self, number: str) -> bool:
        """Whether a file calls it a powder, or the price file counts its vials."""
        return self._powder(number) or self._by_vial(number)

    def is_kit(self, number: str) -> bool:
        """Whether a name of the NDC calls it a kit: that proves no unit, only that somebody has to look."""
        named = [self.survey.get(number, ("", ""))[1]]
        named += [p.name for p in self.prices.get(number, ())]
        return any(_KIT.search(name) for name in named)

    def liquids(self, known: Mapping[str, set[Fraction]]) -> set[str]:
        """The codes of which the state counts an NDC by something smaller or larger than any container.

        `known` are the billing units of the containers of each code. The opposite of a container's figure is
        a slip (50 units for one vial, typed the other way round), not a count in mL.
        """
        factors: dict[str, set[Fraction]] = defaultdict(lambda: {Fraction(1)})
        for number, rows in self.state.items():
            # The factor of one package holds for every package of the labeler's product.
            factors[number[:10]] |= {row.billed / row.counted for row in rows if not row.code}
        found = set()
        for number, rows in self.state.items():
            for row in rows:
                each = {row.billed / row.counted / factor for factor in factors[number[:10]]}
                both = each | {1 / one for one in each}
                if row.code in known and not any(abs(a / b - 1) < _NEAR for a in both for b in known[row.code]):
                    found.add(row.code)
        return found

    def printed(self, number: str, size: Fraction) -> set[tuple[Fraction, str]]:
        """The amounts that the survey's name prints for the volume of a container."""
        return amounts_in([self.survey.get(number, ("", ""))[1]], size)

    def confirms(self, number: str, size: Fraction, amount: Fraction, unit: str) -> bool:
        """Whether the price file's name gives the same amount; it is never the source of an amount."""
        names = [p.name for p in self.prices.get(number, ())]
        return (amount, unit) in amounts_in(names, size)


def amounts_in(names: Iterable[str], size: Fraction) -> set[tuple[Fraction, str]]:
    """The amounts in a container of `size` mL by the concentrations that names print, in mg or units."""
    found = set()
    for name in names:
        for amount, word, volume in _STRENGTH.findall(name):
            per_ml = Fraction(amount.replace(",", "")) / (Fraction(volume) if volume else 1)
            found.add(in_base(per_ml * size, word))
    return found


def in_base(amount: Fraction, word: str) -> tuple[Fraction, str]:
    """An amount in mg, or in units, whose unit is spelled as names of packages spell it."""
    symbol = units.canonical({"GM": "g", "UNT": "unit"}.get(word.upper(), word.lower().rstrip("s")))
    return marketed.in_base(amount, symbol)


def of(statements: Mapping[str, Sequence[tuple[str, str]]]) -> Evidence:
    """The witnesses from what each file says: by the beginning of its source ids, NDC and statement, oldest first."""
    survey = {number: facts(told) for number, told in statements.get("nadac", ())}
    state: dict[str, list[Converted]] = defaultdict(list)
    for number, told in statements.get("state-conversion", ()):
        row = facts(told)
        try:
            billed, counted = Fraction(printed(row["billed"])), Fraction(printed(row["counted"]))
        except ValueError:
            continue
        if billed > 0 and counted > 0:
            state[number].append(Converted(row.get("code", ""), billed, counted))
    prices: dict[str, list[Price]] = defaultdict(list)
    for number, told in statements.get("va-fss", ()):
        row = facts(told)
        prices[number].append(Price(row.get("package", ""), row.get("generic", ""), row.get("trade", "")))
    notices: dict[str, list[str]] = defaultdict(list)
    for kind in ("fda-recalls", "fda-shortages"):
        for number, told in statements.get(kind, ()):
            notices[number].append(facts(told).get("words", ""))
    return Evidence(
        {number: tuple(rows) for number, rows in prices.items()},
        {number: (UNIT_OF[row["unit"]], row.get("name", "")) for number, row in survey.items()},
        {number: tuple(rows) for number, rows in state.items()},
        {number: tuple(rows) for number, rows in notices.items()},
        marketed.of(statements),
        fda.listed(statements.get("fda-ndc", ())),
    )
