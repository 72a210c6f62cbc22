"""What the drug tables hold: codes, brands, other names, salts, successors."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

import attrs

from .. import tables, units
from ..amount import decimal_text, plain, read_decimal, told
from ..errors import JcodeunitsError, shortened
from ..shown import Shown
from ..tables import Dated, choice, column, flag, optional, optional_amount, table, text, words
from .words import normal

# Why a code that is in the catalog has no units that follow from a dose.
REFUSALS = {
    "no-amount": "its descriptor names no amount",
    "unclassified": "it is for drugs without a code of their own: the payer says how units are counted",
    "course": "it counts a course or days of therapy, not an amount",
    "potency-on-label": "its amount stands on each container's label only",
    "service": "it is a service or a supply, not an amount of drug",
    "two-amounts": "its descriptor names several amounts that do not add up",
    "other": "its descriptor cannot be turned into one amount",
}

# Where a code's route words are given, what counts as an injection in general.
INJECTED = frozenset(
    words(
        "injection|intramuscular|subcutaneous|intravenous|intradermal|intravitreal|intra-articular|"
        "intrathecal|intra-arterial|intralesional|intraocular|intracavernous|intraperitoneal|intrapleural|"
        "epidural|perineural|intraosseous|infusion|intravesical|intratumoral"
    )
)


# What a qualifier or a form limits the use of a code to, as its descriptor says it, in our words.
USES = {
    "anti-emetic with chemotherapy": "a dose by mouth that replaces an anti-emetic into a vein in full at the "
    "time of chemotherapy",
    "catheter lock": "locking a catheter",
    "compounded": "a compounded drug",
    "covid-19 in hospital": "COVID-19 in hospital",
    "covid-19 prevention": "the prevention of COVID-19 before exposure",
    "diluent or flush": "a diluent or a flush",
    "for esrd on dialysis": "end-stage renal disease (ESRD) on dialysis",
    "for non-esrd use": "use outside end-stage renal disease (ESRD) on dialysis",
    "for non-tumor identification": "imaging that looks for no tumor",
    "for tumor identification": "imaging that looks for a tumor",
    "hiv prevention": "HIV prevention before exposure",
    "hiv treatment": "HIV treatment",
    "imaging": "imaging",
    "in hospital": "COVID-19 in hospital",
    "iron deficiency": "iron deficiency anemia",
    "lock flush": "flushing a lock",
    "pump": "use in a pump",
    "pump loading dose": "loading a pump",
}


@lru_cache(maxsize=4096)
def _amount_unit(cell: str) -> tuple[Fraction, str]:
    number, space, unit = cell.partition(" ")
    if not space:
        raise ValueError("an amount, a space and a unit are wanted")
    return read_decimal(number), _unit(unit)


@lru_cache(maxsize=512)
def _unit(cell: str) -> str:
    try:
        return units.canonical(cell)
    except JcodeunitsError as why:
        raise ValueError(str(why)) from None


@attrs.frozen
class Component:
    """One named part of a combination, and how much of it one billing unit holds."""

    name: str
    amount: Fraction
    unit: str

    def __str__(self) -> str:
        return f"{self.name}={decimal_text(self.amount)} {self.unit}"


def _components(cell: str) -> tuple[Component, ...]:
    made = []
    for part in words(cell):
        name, equals, rest = part.partition("=")
        if not equals or not name:
            raise ValueError("name=amount unit is wanted for each component")
        made.append(Component(name, *_amount_unit(rest)))
    return tuple(made)


@attrs.frozen
class BillingUnit:
    """What one unit of a code stands for.

    `basis` is `per` (that amount), `up to` (at most that amount), `each` (one thing) or `band` (one code for
    all doses above `above` and up to `through`). `size` is None where only components are named.
    """

    size: Fraction | None
    unit: str
    basis: str
    components: tuple[Component, ...] = ()
    equivalents: tuple[tuple[Fraction, str], ...] = ()
    above: Fraction | None = None
    through: Fraction | None = None

    def __str__(self) -> str:
        if self.basis == "band":
            low = f"above {decimal_text(self.above)} {units.label(self.unit)}" if self.above else ""
            high = f"up to {decimal_text(self.through)} {units.label(self.unit)}" if self.through else ""
            return ", ".join(part for part in (low, high) if part)
        if self.size is None:
            return "per " + " and ".join(
                f"{c.name} {decimal_text(c.amount)} {units.label(c.unit)}" for c in self.components
            )
        if self.basis == "each" and self.size == 1:
            return f"per {units.label(self.unit, plural=False)}".replace("per each", "each")
        said = f"{decimal_text(self.size)} {units.label(self.unit, plural=self.size != 1)}"
        return f"{'up to' if self.basis == 'up to' else 'per'} {said}"

    def as_dict(self) -> dict[str, Any]:
        """Size and unit as text, and the basis."""
        made = {"size": plain(self.size), "unit": units.label(self.unit) if self.unit else None, "basis": self.basis}
        if self.components:
            made["components"] = [
                {"name": c.name, "amount": decimal_text(c.amount), "unit": units.label(c.unit)} for c in self.components
            ]
        if self.equivalents:
            made["equivalents"] = [f"{decimal_text(a)} {u}" for a, u in self.equivalents]
        return {**made, **(told(self, "above", "through") if self.basis == "band" else {})}


@lru_cache(maxsize=4096)
def _use(qualifier: str, form: str) -> str:
    said = (*qualifier.split("; "), *form.split(", "))
    return " and ".join(USES[word] for word in said if word in USES)


@table("drugs", "code", usual=("size", "unit"))
class Drug(Shown, Dated):
    """One dated row of the catalog: a code, what it means, and the days on which it was in effect."""

    code: str = column(text)
    ingredient: str = column(text)
    qualifier: str = column(optional)
    specific: bool = column(flag, own="no")
    form: str = column(optional)
    routes: tuple[str, ...] = column(words)
    kind: str = column(text, own="drug")
    size: Fraction | None = column(optional_amount)
    unit: str = column(lambda cell: _unit(cell) if cell else "")
    basis: str = column(
        choice("per", "up to", "each", "band", ""), own=lambda given: "" if given.get("refuses") else "per"
    )
    components: tuple[Component, ...] = column(_components)
    equivalents: tuple[tuple[Fraction, str], ...] = column(lambda cell: tuple(map(_amount_unit, words(cell))))
    above: Fraction | None = column(optional_amount)
    through: Fraction | None = column(optional_amount)
    refuses: str = column(choice("", *REFUSALS))

    def __attrs_post_init__(self) -> None:
        banded = self.basis == "band" and (self.above is not None or self.through is not None)
        computable = bool(self.basis) and (
            (banded and bool(self.unit)) or (self.size is not None and bool(self.unit)) or bool(self.components)
        )
        if computable == bool(self.refuses):
            raise ValueError(
                f"{self.code}: a row has either a billing unit or a reason why it has none: size and unit, or refuses"
            )

    @property
    def billing_unit(self) -> BillingUnit:
        """What one unit stands for."""
        return BillingUnit(
            self.size, self.unit, self.basis, self.components, self.equivalents, self.above, self.through
        )

    @property
    def name(self) -> str:
        """Ingredient with its form and qualifier, for people."""
        extra = ", ".join(part for part in (self.form, self.qualifier) if part)
        return f"{self.ingredient} ({extra})" if extra else self.ingredient

    @property
    def use(self) -> str:
        """The only use that the descriptor leaves the code, in words; empty where it names none."""
        return _use(self.qualifier, self.form)

    @property
    def use_words(self) -> frozenset[str]:
        """The words of that use as the qualifier has them."""
        said = (word for word in self.qualifier.split("; ") if word in USES)
        return frozenset(word for one in said for word in normal(one).split())

    @property
    def one_unit(self) -> str:
        """What one unit stands for in words, or why nothing does."""
        return f"no unit: {REFUSALS[self.refuses]}" if self.refuses else str(self.billing_unit)

    @property
    def label(self) -> str:
        """One line: the name and what one unit stands for."""
        return f"{self.name}, {self.billing_unit}" if not self.refuses else self.name

    @property
    def brief(self) -> str:
        """Code, name and the days in effect."""
        return f"{self.code} {self.label}, {self.period}"

    def __str__(self) -> str:
        routes = f"{', '.join(self.routes)}; " if self.routes else ""
        return f"{self.code} {self.label}\n{routes}in effect {self.period}"

    @property
    def is_injected(self) -> bool:
        """Whether the code is for something injected (also where it names no route)."""
        return not self.routes or not INJECTED.isdisjoint(self.routes)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            **told(self, "code", "ingredient", "qualifier", "form", "routes", "kind"),
            "billing_unit": self.billing_unit.as_dict() if not self.refuses else None,
            "refuses": REFUSALS.get(self.refuses),
            **told(self, "effective", "ends", "citation", "confidence"),
        }


def told_by_brand(rows: Sequence[Drug]) -> bool:
    """Whether brands alone tell the live codes of a drug, of which no word for the form picks one."""
    live = [row for row in rows if row.ends is None and not row.use]
    return len({row.code for row in live}) > 1 and all(row.specific and not row.form for row in live)


@table("brands", "brand", "ingredient", "code", usual=("code",))
class Brand(Dated):
    """One meaning of a brand name: an ingredient's general codes, or exactly one code."""

    PLACE: ClassVar[str] = "brand"

    brand: str = column(text)
    ingredient: str = column(text, own=lambda given: given.get("brand", "") if given.get("code") else "")
    code: str = column(optional)
    qualifier: str = column(optional)
    routes: tuple[str, ...] = column(words)
    note: str = column(optional)


@table("names", "name", "ingredient", "code", usual=("code",))
class OtherName(Dated):
    """A name that is no brand: a synonym, an abbreviation in use, or an unsafe one that is refused."""

    PLACE: ClassVar[str] = "name"

    name: str = column(text)
    kind: str = column(choice("synonym", "abbreviation", "unsafe"), own="synonym")
    ingredient: str = column(optional)
    code: str = column(optional)
    note: str = column(optional)

    routes: ClassVar[tuple[str, ...]] = ()


@table("salts", "word")
class Salt(Dated):
    """A word that names a salt, ester or hydrate; `bare` words are no drug when they stand alone."""

    word: str = column(text)
    kind: str = column(choice("salt", "bare"), own="salt")


@table("combined_doses", "code", "parts", usual=("parts",))
class CombinedDose(Dated):
    """One way in which a combination whose code counts one amount is given: the amount of each of its parts.

    `counted`: the parts that the code's amount adds up, empty: all; `volume`: the mL that hold them. `alone`: what one
    amount, without parts, is taken for: `total` whatever it is; `no part` a total, unless it is a counted part of a
    listed dose and no total of one.
    """

    code: str = column(text)
    parts: tuple[Component, ...] = column(_components)
    counted: tuple[str, ...] = column(words)
    volume: Fraction | None = column(optional_amount)
    alone: str = column(choice("total", "no part"), own="total")

    def __attrs_post_init__(self) -> None:
        if not self.parts or not set(self.counted) <= {part.name for part in self.parts}:
            raise ValueError("parts: each part with its amount is wanted, and counted names some of them")

    @property
    def adding(self) -> tuple[Component, ...]:
        """The parts that the code's amount adds up."""
        return tuple(part for part in self.parts if part.name in self.counted or not self.counted)

    def total(self, unit: str) -> Fraction:
        """What the counted parts come to."""
        return sum((part.amount * units.factor(part.unit, unit) for part in self.adding), Fraction(0))

    def __str__(self) -> str:
        return "/".join(f"{decimal_text(part.amount)} {units.label(part.unit)}" for part in self.adding)


FOUND = ("cross-reference", "crosswalk")  # the evidence of successors that a refresh finds


@table("successors", "code", "successor")
class Successor(Dated):
    """What came after a code, on which evidence, and for which products where a code split.

    `evidence`: `ndc` and `descriptor` were judged by a person; `cross-reference` is the code set's own, `crosswalk`
    what NDCs did between two quarters, both found by refresh.
    """

    code: str = column(text)
    successor: str = column(text)
    condition: str = column(optional)
    evidence: str = column(choice("ndc", "descriptor", *FOUND), own="descriptor")
    ndcs_moved: int | None = column(tables.optional_integer)

    def __str__(self) -> str:
        condition = f" for {self.condition}" if self.condition else ""
        return f"{self.code}, then {self.successor}{condition} from {self.effective} (by {self.evidence})"

    def __repr__(self) -> str:
        return shortened(f"<Successor {self}>")


@table("name_words", "word", "kind")
class NameWord(Dated):
    """A word or phrase that stands in drug texts and is no drug itself.

    `means` is, by `kind`: `spelling` the words that it is short for; `route` the route; `solid` the
    route of what is no liquid, powder or granules; `form` and `package` the
    ways of giving that it fits, empty where it fits any (a form may tell the codes of a drug apart, a package
    never does; a `property` of a form tells them apart only where products of the plain code cannot have it too);
    `release` the forms of slow release, of which it tells the rows, empty where it may stand beside a drug whose codes
    brands alone tell;
    `maker` the maker, as codes name it, that alone fills such containers;
    `isotope` the symbol of a chemical element; `fluid`, behind "in", what the drug is mixed with, as codes name it;
    `shared`, empty: a word of many descriptors, which alone tells no code from another.
    """

    word: str = column(text)
    kind: str = column(choice(*words("spelling|route|solid|form|package|maker|property|release|isotope|fluid|shared")))
    means: str = column(optional)


@table("brand_strengths", "brand")
class BrandStrength(Dated):
    """A brand whose number is what one mL holds."""

    brand: str = column(text)
    concentration: str = column(text)


@table("rxnorm", "rxcui")
class RxNorm(Dated):
    """A concept of RxNorm and the words that it stands for here."""

    rxcui: str = column(text)
    name: str = column(text)


@table("cvx", "cvx", "dose")
class VaccineCode(Dated):
    """A code of CVX (CDC) that one CPT code stands for; `dose`: only where that much was given."""

    cvx: str = column(text)
    dose: str = column(optional)
    code: str = column(text)
    display: str = column(text)


@table("vaccine_words", "word")
class VaccineWord(Dated):
    """A word of vaccines' names, and each of the diseases that it says a vaccine is against."""

    word: str = column(text)
    against: tuple[str, ...] = column(words)


@table("uncoded", "name")
class Uncoded(Dated):
    """A drug that has no code of its own: its name, what it is where that is a brand, and its kind."""

    name: str = column(text)
    ingredient: str = column(optional)
    kind: str = column(text, own="drug")


@table("public_names", "name")
class PublicName(Dated):
    """A name in a public list of drugs that is written otherwise here, or is no drug with a code.

    `means`: the words that it stands for here, or codes joined by `|`, which it may be or be a part of. `kind`: of what
    has no code, as in `Uncoded`.
    """

    name: str = column(text)
    means: str = column(optional)
    kind: str = column(optional)

    @property
    def is_name(self) -> bool:
        """Whether it stands for a name, or a code that may be written in place of one."""
        return not self.kind and "|" not in self.means and not self.means.isdigit()


TABLES = tables.classes_of(vars())
