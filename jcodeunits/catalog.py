"""The drug catalog: dated HCPCS rows, brands, other names, successors; and choosing one code.

A code is looked up on a date of service. A name is looked up exactly (case, hyphens and spaces aside): a
brand, another name, an ingredient, or an ingredient without its salt where that leaves one. Names that merely
look alike are never taken for each other. Where several codes fit, the rules of `choose` decide or refuse.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from itertools import permutations
from typing import TYPE_CHECKING, Any, ClassVar, cast

import attrs

from . import hcpcs, routes, tables, units
from .amount import decimal_text, read_decimal
from .cite import Citation
from .errors import (
    LONGEST,
    AmbiguousDrug,
    CodeError,
    JcodeunitsError,
    NotInEffect,
    TableError,
    UnitMismatch,
    UnknownDrug,
    quoted,
)
from .period import Period, as_date
from .tables import choice, column, day, flag, optional, optional_amount, optional_day, text, words
from .trace import Step

if TYPE_CHECKING:
    from pathlib import Path

    from .dose import Dose

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
    {"injection", "intramuscular", "subcutaneous", "intravenous", "intradermal", "intravitreal",
     "intra-articular", "intrathecal", "intra-arterial", "intralesional", "intraocular", "intracavernous",
     "intraperitoneal", "intrapleural", "epidural", "perineural", "intraosseous", "infusion", "intravesical",
     "intratumoral"}
)  # fmt: skip

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

# A route of administration and the words of the catalog that cover it, besides its own name. An injection
# covers every route into the body but the ones in _NOT_INJECTED.
_ROUTE_WORDS = {
    "im": ("intramuscular", "injection"),
    "sc": ("subcutaneous", "injection", "implant"),
    "id": ("intradermal", "injection"),
    "iv": ("intravenous", "infusion", "injection"),
    "iv push": ("intravenous", "injection"),
    "iv infusion": ("intravenous", "infusion", "injection"),
    "on-body": ("subcutaneous", "injection"),
    "intranasal": ("nasal",),
    "transdermal": ("topical",),
    "intraocular": ("intracameral", "suprachoroidal", "injection"),
}

_WORD = re.compile(r"[^\W_]+|\+")
_SPELT_OUT = {"hcl": "hydrochloride", "hbr": "hydrobromide"}
_JOINING = frozenset({"and", "with"})
_TWO_NAMES = re.compile(r"([^()]*[^()\s])\s*\(([^()]+)\)")  # "naltrexone (Vivitrol)"
_WORDS_MOST = 20
# Words about the package, which tell no drug from another.
_PACKAGING = frozenset({"kit", "novaplus", "pfs", "prefilled", "syringe", "syringes", "usp", "vial", "vials"})


@lru_cache(maxsize=65536)
def normal(name: str) -> str:
    """A name as it is compared: lower-case words of letters and digits, without "and" and "with".

    "non-depot" stays one word, so that it never means "depot".

    >>> normal("Bicillin C-R"), normal("Rho(D) immune globulin"), normal("imipenem and cilastatin")
    ('bicillin c r', 'rho d immune globulin', 'imipenem cilastatin')
    """
    found = _WORD.findall(name.casefold().replace("non-", "non"))
    return " ".join([_SPELT_OUT.get(word, word) for word in found if word not in _JOINING])


def check_length(name: str) -> None:
    """Refuse what is longer than any name of a drug, before it is taken apart. Raises `UnknownDrug`.

    >>> check_length("note " * 21)
    Traceback (most recent call last):
    jcodeunits.errors.UnknownDrug: 'note note note note note note note note note note note note… is no name of a drug: \
it has 105 characters in 21 words. Give the name alone, or the code.
    """
    words = len(normal(name).split()) if len(name) <= LONGEST else 0
    if len(name) > LONGEST or words > _WORDS_MOST:
        says = f"{len(name)} characters" + (f" in {words} words" if words else "")
        raise UnknownDrug(
            f"{quoted(name)} is no name of a drug: it has {says}. Give the name alone, or the code.",
            given=name, near=(),
        )  # fmt: skip


def squeezed(name: str) -> str:
    """A name with its spaces and hyphens taken out, as the look-up compares it.

    >>> squeezed("Solu-Medrol") == squeezed("solumedrol")
    True
    """
    return normal(name).replace(" ", "")


# --- rows -------------------------------------------------------------------------------------------


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


def _optional_unit(cell: str) -> str:
    return _unit(cell) if cell else ""


def _equivalents(cell: str) -> tuple[tuple[Fraction, str], ...]:
    return tuple(_amount_unit(part) for part in words(cell))


@attrs.frozen
class Component:
    """One named part of a combination, and how much of it one billing unit holds."""

    name: str
    amount: Fraction
    unit: str


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
        made: dict[str, Any] = {
            "size": decimal_text(self.size) if self.size is not None else None,
            "unit": units.label(self.unit) if self.unit else None,
            "basis": self.basis,
        }
        if self.components:
            made["components"] = [
                {"name": c.name, "amount": decimal_text(c.amount), "unit": units.label(c.unit)}
                for c in self.components
            ]
        if self.equivalents:
            made["equivalents"] = [f"{decimal_text(a)} {u}" for a, u in self.equivalents]
        if self.basis == "band":
            made["above"] = decimal_text(self.above) if self.above is not None else None
            made["through"] = decimal_text(self.through) if self.through is not None else None
        return made


@attrs.frozen(cache_hash=True)
class Drug:
    """One dated row of the catalog: a code, what it means, and the days on which it was in effect."""

    TABLE: ClassVar[str] = "drugs"
    KEY: ClassVar[tuple[str, ...]] = ("code",)

    code: str = column(text)
    ingredient: str = column(text)
    qualifier: str = column(optional)
    specific: bool = column(flag)
    form: str = column(optional)
    routes: tuple[str, ...] = column(words)
    kind: str = column(text)
    size: Fraction | None = column(optional_amount)
    unit: str = column(_optional_unit)
    basis: str = column(choice("per", "up to", "each", "band", ""))
    components: tuple[Component, ...] = column(_components)
    equivalents: tuple[tuple[Fraction, str], ...] = column(_equivalents)
    above: Fraction | None = column(optional_amount)
    through: Fraction | None = column(optional_amount)
    refuses: str = column(choice("", *REFUSALS))
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(tables.confidence)
    verified: dt.date = column(day)

    def __attrs_post_init__(self) -> None:
        banded = self.basis == "band" and (self.above is not None or self.through is not None)
        computable = bool(self.basis) and (
            (banded and bool(self.unit))
            or (self.size is not None and bool(self.unit))
            or bool(self.components)
        )
        if computable == bool(self.refuses):
            raise ValueError(f"{self.code}: a row has either a billing unit or a reason why it has none")

    @property
    def billing_unit(self) -> BillingUnit:
        """What one unit stands for."""
        return BillingUnit(
            self.size, self.unit, self.basis, self.components, self.equivalents, self.above, self.through
        )

    @property
    def period(self) -> Period:
        """The days in effect."""
        return Period(self.effective, self.ends)

    @property
    def citation(self) -> Citation:
        """The source of the row."""
        return tables.citation(self)

    @property
    def name(self) -> str:
        """Ingredient with its form and qualifier, for people."""
        extra = ", ".join(part for part in (self.form, self.qualifier) if part)
        return f"{self.ingredient} ({extra})" if extra else self.ingredient

    @property
    def use(self) -> str:
        """The only use that the descriptor leaves the code, in words; empty where it names none.

        >>> shipped().on("J0739", dt.date(2026, 3, 2)).use
        'HIV prevention before exposure'
        """
        said = (*self.qualifier.split("; "), *self.form.split(", "))
        return " and ".join(USES[word] for word in said if word in USES)

    @property
    def one_unit(self) -> str:
        """What one unit stands for in words, or why nothing does."""
        return f"no unit: {REFUSALS[self.refuses]}" if self.refuses else str(self.billing_unit)

    @property
    def label(self) -> str:
        """One line: the name and what one unit stands for."""
        return f"{self.name}, {self.billing_unit}" if not self.refuses else self.name

    @property
    def is_injected(self) -> bool:
        """Whether the code is for something injected (also where it names no route)."""
        return not self.routes or not INJECTED.isdisjoint(self.routes)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "code": self.code,
            "ingredient": self.ingredient,
            "qualifier": self.qualifier,
            "form": self.form,
            "routes": list(self.routes),
            "kind": self.kind,
            "billing_unit": self.billing_unit.as_dict() if not self.refuses else None,
            "refuses": REFUSALS.get(self.refuses),
            "effective": self.effective.isoformat(),
            "ends": self.ends.isoformat() if self.ends else None,
            "citation": str(self.citation),
            "confidence": self.confidence,
        }

    def _repr_html_(self) -> str:
        from . import show

        return show.html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - the notebook's own call
        from . import show

        printer.text(show.text(self))


@attrs.frozen
class Brand:
    """One meaning of a brand name: an ingredient's general codes, or exactly one code."""

    TABLE: ClassVar[str] = "brands"
    KEY: ClassVar[tuple[str, ...]] = ("brand", "ingredient", "code")

    brand: str = column(text)
    ingredient: str = column(text)
    code: str = column(optional)
    qualifier: str = column(optional)
    routes: tuple[str, ...] = column(words)
    note: str = column(optional)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(tables.confidence)
    verified: dt.date = column(day)


@attrs.frozen
class OtherName:
    """A name that is no brand: a synonym, an abbreviation in use, or an unsafe one that is refused."""

    TABLE: ClassVar[str] = "names"
    KEY: ClassVar[tuple[str, ...]] = ("name", "ingredient", "code")

    name: str = column(text)
    kind: str = column(choice("synonym", "abbreviation", "unsafe"))
    ingredient: str = column(optional)
    code: str = column(optional)
    note: str = column(optional)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(tables.confidence)
    verified: dt.date = column(day)

    routes: ClassVar[tuple[str, ...]] = ()


@attrs.frozen
class Salt:
    """A word that names a salt, ester or hydrate; `bare` words are no drug when they stand alone."""

    TABLE: ClassVar[str] = "salts"
    KEY: ClassVar[tuple[str, ...]] = ("word",)

    word: str = column(text)
    kind: str = column(choice("salt", "bare"))
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(tables.confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Successor:
    """What came after a code, on which evidence, and for which products where a code split."""

    TABLE: ClassVar[str] = "successors"
    KEY: ClassVar[tuple[str, ...]] = ("code", "successor")

    code: str = column(text)
    successor: str = column(text)
    condition: str = column(optional)
    evidence: str = column(choice("ndc", "descriptor"))
    ndcs_moved: int | None = column(tables.optional_integer)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(tables.confidence)
    verified: dt.date = column(day)


@attrs.frozen
class History:
    """Every dated row of a code, oldest first, what came after it and what came before."""

    code: str
    rows: tuple[Drug, ...]
    successors: tuple[Successor, ...]
    predecessors: tuple[Successor, ...]

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "code": self.code,
            "rows": [row.as_dict() for row in self.rows],
            "successors": [_successor_dict(row, row.successor) for row in self.successors],
            "predecessors": [_successor_dict(row, row.code) for row in self.predecessors],
        }

    def _repr_html_(self) -> str:
        from . import show

        return show.html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - the notebook's own call
        from . import show

        printer.text(show.text(self))


def _successor_dict(row: Successor, code: str) -> dict[str, Any]:
    return {
        "code": code,
        "condition": row.condition,
        "evidence": row.evidence,
        "ndcs_moved": row.ndcs_moved,
        "effective": row.effective.isoformat(),
        "confidence": row.confidence,
        "citation": str(tables.citation(row)),
    }


@attrs.frozen
class Choice:
    """The row chosen for what the caller named, and the notes on how."""

    drug: Drug
    steps: tuple[Step, ...] = ()
    citation: Citation | None = None  # of the brand or name row, where one was used
    siblings: tuple[str, ...] = ()  # codes of other forms of the ingredient that were not asked for
    otherwise: tuple[str, ...] = ()  # where the code is for one use only: the ingredient's codes for others


# --- the catalog ------------------------------------------------------------------------------------


def _by(rows: Iterable[Any], *fields: str) -> dict[str, tuple[Any, ...]]:
    made: dict[str, list[Any]] = {}
    for row in rows:
        key = next((value for value in (getattr(row, field) for field in fields) if value), "")
        made.setdefault(key, []).append(row)
    return {key: tuple(values) for key, values in made.items()}


@attrs.frozen(eq=False)
class Catalog:
    """The tables that answer "which code": drugs, brands, other names, successors, salts.

    The shipped one is `catalog.shipped()`; `extend` gives a new one with a site's own rows. A table given as
    None is the shipped one, read when it is first asked for: a code alone needs no brand.
    """

    drugs: tuple[Drug, ...]
    _brands: tuple[Brand, ...] | None = ()
    _names: tuple[OtherName, ...] | None = ()
    _successors: tuple[Successor, ...] | None = ()
    _salts: tuple[Salt, ...] | None = ()
    _fingerprint: str = ""
    _codes: dict[str, tuple[Drug, ...]] = attrs.field(init=False, repr=False)
    _memo: dict[Any, Any] = attrs.field(init=False, repr=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_codes", _by(self.drugs, "code"))

    @property
    def brands(self) -> tuple[Brand, ...]:
        """What brand names mean."""
        return tables.load(Brand) if self._brands is None else self._brands

    @property
    def names(self) -> tuple[OtherName, ...]:
        """Synonyms, abbreviations in use and unsafe ones."""
        return tables.load(OtherName) if self._names is None else self._names

    @property
    def successors(self) -> tuple[Successor, ...]:
        """What came after the codes that ended."""
        return tables.load(Successor) if self._successors is None else self._successors

    @property
    def salts(self) -> tuple[Salt, ...]:
        """Words that name a salt."""
        return tables.load(Salt) if self._salts is None else self._salts

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the reference files and a site's own; computed when it is asked for."""
        return self._fingerprint or tables.fingerprint()

    # -- by code

    def rows(self, code: str) -> tuple[Drug, ...]:
        """Every dated row of a code, oldest first; empty when there is none."""
        return self._codes.get(code, ())

    def on(self, code: str, on: dt.date) -> Drug:
        """The row of a code on a day. Raises `UnknownDrug` or `NotInEffect` with the successors."""
        rows = self._codes.get(code)
        if rows is None:
            raise UnknownDrug(
                f"{code} is not in the catalog: no drug code of that name is known ({tables.edition()}). "
                "Check the code, or look it up by name.",
                given=code,
                near=(),
            )
        for row in rows:
            if row.effective <= on and (row.ends is None or on <= row.ends):
                return row
        raise self._not_in_effect(rows, on)

    def _not_in_effect(self, rows: Sequence[Drug], on: dt.date) -> NotInEffect:
        before = [row for row in rows if row.ends is not None and row.ends < on]
        row = before[-1] if before else rows[0]
        after, ahead = self.successors_of(row.code), self.predecessors_of(row.code)
        if before:
            live = self._followers(row.code, on)
            others = "; ".join(self._named(s.successor, s.condition, on) for s in live)
            way = f"bill {others}" if others else "no successor is known: look the drug up by name"
            says = f"{row.code} ended on {row.ends}; on {on} {way}."
            codes = tuple(s.successor for s in live or after)
        else:
            codes = tuple(s.code for s in ahead if any(r.period.holds(on) for r in self.rows(s.code)))
            others = "; ".join(self._named(code, "", on) for code in codes)
            way = f"bill {others}" if others else "look the drug up by name for what was in effect"
            says = f"{row.code} takes effect on {row.effective}; on {on} {way}."
        return NotInEffect(says, code=row.code, on=on, period=row.period, successors=codes)

    def _followers(self, code: str, on: dt.date) -> list[Successor]:
        """The successors in effect on a day; where one has ended too, what came after it."""
        found, seen, ended = [], {code}, [code]
        while ended:
            for after in self.successors_of(ended.pop(0)):
                if after.successor not in seen:
                    seen.add(after.successor)
                    lives = any(row.period.holds(on) for row in self.rows(after.successor))
                    found += [after] if lives else []
                    ended += [] if lives else [after.successor]
        return found

    def _named(self, code: str, condition: str, on: dt.date) -> str:
        row = next((r for r in self.rows(code) if r.period.holds(on)), None)
        size = f" ({row.billing_unit})" if row and not row.refuses else ""
        return f"{code}{size}{f' for {condition}' if condition else ''}"

    def successors_of(self, code: str) -> tuple[Successor, ...]:
        """What came after a code."""
        return cast(
            "tuple[Successor, ...]",
            self._remember("after", lambda: _by(self.successors, "code")).get(code, ()),
        )

    def predecessors_of(self, code: str) -> tuple[Successor, ...]:
        """The rows by which a code came after others."""
        before = self._remember("before", lambda: _by(self.successors, "successor"))
        return cast("tuple[Successor, ...]", before.get(code, ()))

    def history(self, code: str) -> History:
        """Every dated row of a code with its successors and predecessors. Raises `UnknownDrug`."""
        wanted = hcpcs.compact(code)
        rows = self.rows(wanted)
        if not rows:
            self.on(wanted, dt.date.max)
        return History(wanted, rows, self.successors_of(wanted), self.predecessors_of(wanted))

    # -- by name

    @property
    def ingredients(self) -> dict[str, tuple[Drug, ...]]:
        """Drug rows by normal ingredient name."""
        return cast("dict[str, tuple[Drug, ...]]", self._remember("ingredients", self._by_ingredient))

    def _by_ingredient(self) -> dict[str, tuple[Drug, ...]]:
        made: dict[str, list[Drug]] = {}
        for row in self.drugs:
            made.setdefault(normal(row.ingredient), []).append(row)
        return {name: tuple(rows) for name, rows in made.items()}

    @property
    def moieties(self) -> dict[str, tuple[str, ...]]:
        """Normal ingredient names by what they may be called: as they are, and without their salt.

        The parts of a combination may stand in any order.
        """
        return cast("dict[str, tuple[str, ...]]", self._remember("moieties", self._by_moiety))

    def _by_moiety(self) -> dict[str, tuple[str, ...]]:
        salts = {row.word for row in self.salts}
        bare = {row.word for row in self.salts if row.kind == "bare"}
        made: dict[str, list[str]] = {}
        for ingredient in dict.fromkeys(row.ingredient for row in self.drugs):
            full = normal(ingredient)
            parts = [normal(part).split() for part in ingredient.split(" / ")]
            kept = [[w for i, w in enumerate(p) if i == 0 or w not in salts] for p in parts]
            short = [" ".join(p) for p in kept if not (len(p) == 1 and p[0] in bare)]
            for said in (["".join(p) for p in parts], short if len(short) == len(parts) else []):
                alone = list(dict.fromkeys(part.replace(" ", "") for part in said))
                for order in permutations(alone) if len(alone) <= 4 else (alone,):
                    made.setdefault("".join(order), []).append(full)
        made.pop("", None)
        return {name: tuple(dict.fromkeys(full)) for name, full in made.items()}

    @property
    def named(self) -> dict[str, tuple[Brand | OtherName, ...]]:
        """Brand and other-name rows by squeezed name."""
        return cast("dict[str, tuple[Brand | OtherName, ...]]", self._remember("named", self._by_other_name))

    def _by_other_name(self) -> dict[str, tuple[Brand | OtherName, ...]]:
        made: dict[str, list[Brand | OtherName]] = {}
        for brand in self.brands:
            made.setdefault(squeezed(brand.brand), []).append(brand)
        for name in self.names:
            made.setdefault(squeezed(name.name), []).append(name)
        return {name: tuple(rows) for name, rows in made.items()}

    def _remember(self, key: Any, make: Any) -> Any:
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]

    def rows_named(
        self, name: str, route: str | None = None, on: dt.date | None = None
    ) -> tuple[tuple[Drug, ...], tuple[Brand | OtherName, ...]]:
        """Every dated row that a name may mean, on any date, and the brand or name rows that say so.

        A name may carry words for the form, the route or the maker ("octreotide depot", "oral methotrexate",
        "vasopressin (American Regent)"); then only such rows are meant. Where a brand means different things
        by route, the rows of the route count, and without a route those injected. Raises `AmbiguousDrug` for
        a name that is unsafe; an unknown name gives nothing.
        """
        check_length(name)
        found = self.named.get(squeezed(name), ())
        unsafe = [row for row in found if isinstance(row, OtherName) and row.kind == "unsafe"]
        if unsafe:
            meant = tuple(dict.fromkeys(row.ingredient for row in unsafe))
            raise AmbiguousDrug(
                f"{name!r} is an abbreviation that has been misread: it can mean {' or '.join(meant)}. "
                "Write the name out.",
                given=name, candidates=meant,
            )  # fmt: skip
        dated = tuple(row for row in found if on is None or Period(row.effective, row.ends).holds(on))
        found = dated or found
        found = tuple(row for row in found if _said_for(row.routes, route)) or found
        if found:
            rows: list[Drug] = []
            for row in found:
                general = () if row.code else self.ingredients.get(normal(row.ingredient), ())
                rows.extend(self.rows(row.code) if row.code else general)
            return tuple(dict.fromkeys(rows)), found
        return self._called(squeezed(name)) or self._told_apart(name), ()

    def _called(self, key: str) -> tuple[Drug, ...]:
        """Rows of an ingredient, by its full name or without its salt; those of the full name first."""
        fulls = sorted(self.moieties.get(key, ()), key=lambda full: full.replace(" ", "") != key)
        return tuple(row for full in fulls for row in self.ingredients[full])

    def _told_apart(self, name: str) -> tuple[Drug, ...]:
        """Rows of an ingredient or brand that the name tells from its others by words before or after it."""
        said = [word for word in normal(name).split() if word not in _PACKAGING]
        spans = [(i, j) for i in range(len(said)) for j in range(i + 1, len(said) + 1) if said]
        for i, j in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
            key = "".join(said[i:j])
            rows = self._called(key) or self._branded(key)
            more = frozenset(said[:i] + said[j:])
            by_form = tuple(row for row in rows if more <= _form_words(row))
            general = tuple(row for row in by_form if not row.specific)
            found = general or by_form or tuple(row for row in rows if more <= _all_words(row))
            if found:
                return found
        return ()

    def _branded(self, key: str) -> tuple[Drug, ...]:
        """Rows of a brand, whatever their route."""
        rows: list[Drug] = []
        for row in self.named.get(key, ()):
            if isinstance(row, Brand):
                rows.extend(self.rows(row.code) if row.code else self._called(squeezed(row.ingredient)))
        return tuple(dict.fromkeys(rows))

    # -- choosing

    def choose(self, name: str, on: dt.date, dose: Dose | None = None, route: str | None = None) -> Choice:
        """The one row that a code or a name means on a day.

        A plain ingredient means its general code. Among codes of the same ingredient, form and qualifier that
        differ only in size: the least excess over the dose, then the fewest units. Bands of one product: the
        band that holds the dose. Everything else that leaves two codes is refused as ambiguous.

        Raises `UnknownDrug`, `AmbiguousDrug` or `NotInEffect`.
        """
        check_length(name)
        wanted = name.strip()
        if hcpcs.is_valid(wanted):
            code = hcpcs.compact(wanted)
            return Choice(self.on(code, on))
        key = (normal(wanted), on, route)
        narrowed = self._memo.get(key)
        if narrowed is None:
            try:
                narrowed = self._narrow(wanted, on, route)
            except UnknownDrug:
                both = _TWO_NAMES.fullmatch(wanted)
                if both is None:
                    raise
                return self._agreed(wanted, both.groups(), on, dose, route)
            if len(self._memo) > 50_000:
                self._memo.clear()
            self._memo[key] = narrowed
        candidates, said, siblings = narrowed
        if len(candidates) == 1:
            drug = candidates[0]
        else:
            # A brand whose rows say what tells them apart is several products, not sizes of one.
            apart = len({row.qualifier for row in said if isinstance(row, Brand)}) > 1
            drug = self._one(wanted, candidates, None if apart else dose, on, apart)
        citation = tables.citation(said[0]) if said else None
        others = tuple(code for code in siblings if code != drug.code)
        return Choice(drug, (), citation, others, self.otherwise(drug, on, route))

    def otherwise(self, drug: Drug, on: dt.date, route: str | None = None) -> tuple[str, ...]:
        """Codes of the ingredient, given the same way, that are not bound to the one use of a row."""
        if not drug.use:
            return ()
        alike = self._called(squeezed(drug.ingredient))
        return tuple(
            row.code
            for row in alike
            if row.period.holds(on) and row.use != drug.use and not row.specific
            and (_fits(row, route) if route else row.is_injected == drug.is_injected)
        )  # fmt: skip

    def _agreed(
        self, name: str, sides: Sequence[str], on: dt.date, dose: Dose | None, route: str | None
    ) -> Choice:
        """The one row on which two names agree, as in "naltrexone (Vivitrol)"; refused where they do not."""
        chosen: dict[str, Choice] = {}
        fitting: list[set[str]] = []
        for side in sides:
            try:
                choice = self.choose(side, on, dose, route)
            except AmbiguousDrug as why:
                fitting.append(set(why.candidates))
            else:
                chosen[choice.drug.code] = choice
                fitting.append({choice.drug.code})
        common = fitting[0] & fitting[1]
        if len(common) == 1:
            code = common.pop()
            return chosen.get(code) or Choice(self.on(code, on))
        named = " and ".join(f"{sides[i]!r} ({', '.join(sorted(fitting[i]))})" for i in range(2))
        what = "several codes" if common else "two drugs"
        raise AmbiguousDrug(
            f"{name!r} names {what}: {named}. Give one name, or the code.",
            given=name, candidates=tuple(sorted(common or fitting[0] | fitting[1])), on=on,
        )  # fmt: skip

    def _narrow(
        self, name: str, on: dt.date, route: str | None
    ) -> tuple[tuple[Drug, ...], tuple[Brand | OtherName, ...], tuple[str, ...]]:
        """The rows left for a name on a day by route; the rows that said so; codes of other forms."""
        rows, said = self.rows_named(name, route, on)
        if not rows:
            raise UnknownDrug(
                f"No drug is called {quoted(name)} in {tables.edition()}. Check the spelling, or give the code.",
                given=name,
                near=(),
            )
        live = tuple(row for row in rows if row.period.holds(on))
        if not live:
            last = max(rows, key=lambda row: (row.effective <= on, row.effective))
            raise self._not_in_effect(self.rows(last.code), on)
        by_code = frozenset(row.code for row in said if row.code)
        if not said and squeezed(name) not in self.moieties:
            by_code = frozenset(row.code for row in live)  # the name itself told these from the others
        fitting = self._fitting(name, live, route, bool(said or by_code), on)
        general = self._covering(name, fitting, by_code, on)
        national = tuple(row for row in general if row.code in by_code or row.code[0] not in "CS") or general
        if by_code:
            return national, said, ()
        made_for = tuple(row.code for row in fitting if row not in general and _is_local(row))
        meant = {squeezed(row.ingredient) for row in said} or {squeezed(name)}
        plain = tuple(
            row for row in national if not row.form and _is_plain(row) and (route or not _is_local(row))
        )
        exact = tuple(row for row in national if squeezed(row.ingredient) in meant)
        left = tuple(row for row in plain if row in exact) or plain or exact or national
        others = tuple(row.code for row in national if row not in left)
        # A brand made for the very place of the body is named, though a plain name never means it.
        return left, said, others + (made_for if route else ())

    def _fitting(
        self, name: str, live: tuple[Drug, ...], route: str | None, branded: bool, on: dt.date
    ) -> tuple[Drug, ...]:
        """The rows for the route; without one, those injected, unless a brand or the name says the form."""
        if route is not None:
            fitting = tuple(row for row in live if _fits(row, route))
            missing = f"has no code for the route {route}"
        else:
            fitting = tuple(row for row in live if row.is_injected)
            if not fitting and branded:
                fitting = live
            missing = "has no code as an injection"
        if not fitting:
            raise AmbiguousDrug(
                f"{name!r} {missing}: {_listed(live)}. Give the route it was given by, or the HCPCS code.",
                given=name, candidates=tuple(row.code for row in live), on=on,
            )  # fmt: skip
        return fitting

    def _covering(
        self, name: str, rows: tuple[Drug, ...], by_code: frozenset[str], on: dt.date
    ) -> tuple[Drug, ...]:
        """The rows that cover every maker, or that a brand named; one brand's code only by that brand."""
        general = tuple(row for row in rows if row.code in by_code or not row.specific)
        if general:
            return general
        if len(rows) == 1 and all(row.specific for row in self.ingredients[normal(rows[0].ingredient)]):
            # An ingredient of one product alone (a biosimilar's suffix) names that product.
            return rows
        raise AmbiguousDrug(
            f"{name!r} has only codes for one brand or maker on {on}: {_listed(rows)}. "
            "Give the brand, the code or the NDC.",
            given=name, candidates=tuple(row.code for row in rows), on=on,
        )  # fmt: skip

    def _one(
        self, name: str, rows: tuple[Drug, ...], dose: Dose | None, on: dt.date, apart: bool = False
    ) -> Drug:
        """One of several rows by the dose, or refused."""
        same = {(row.ingredient, row.form, _product_of(row), _own_routes(row)) for row in rows}
        if len(same) == 1:
            computable = [row for row in rows if not row.refuses]
            if dose is not None and any(row.above or row.through for row in computable):
                computable = [row for row in computable if holds(row, dose)]
            if dose is not None and computable and all(row.basis == "band" for row in computable):
                held = [row for row in computable if holds(row, dose)]
                if len(held) == 1:
                    return held[0]
            elif dose is not None and computable and all(row.basis != "band" for row in computable):
                ranked = sorted((_excess(row, dose), row.code, row) for row in computable)
                if len(ranked) == 1 or ranked[0][0] != ranked[1][0]:
                    return ranked[0][2]
        ways = "Say which: give the code, the full name with its salt or form, the brand, or the NDC."
        if len(same) == 1 and dose is None and not apart:
            ways = "They differ in size: give the dose, or the code."
        raise AmbiguousDrug(
            f"{name!r} fits several codes on {on}: {_listed(rows)}. {ways}",
            given=name, candidates=tuple(row.code for row in rows), on=on,
        )  # fmt: skip

    def extend(self, path: str | Path) -> Catalog:
        """A new catalog with a site's own rows: a folder with `drugs.csv`, `brands.csv`, `names.csv` or
        `successors.csv` in the shipped shape.

        Nothing shipped is replaced: a row whose period overlaps a shipped row of the same key is refused with
        `TableError`.
        """
        from pathlib import Path

        place = Path(path)
        if not place.is_dir():
            raise TableError(f"{place} is no folder of tables.", file=str(place), problems=())
        made: dict[str, Any] = {}
        used = []
        for field, row_class in _TABLES.items():
            file = place / f"{row_class.TABLE}.csv"
            if file.is_file():
                own = tables.load(row_class, file)
                made[field] = _merged(row_class, getattr(self, field), own, file)
                used.append(file)
        if not used:
            known = ", ".join(f"{c.TABLE}.csv" for c in _TABLES.values())
            raise TableError(f"{place} holds none of {known}.", file=str(place), problems=())
        return attrs.evolve(self, **made, fingerprint=tables.fingerprint_with(self.fingerprint, used))


_TABLES: dict[str, Any] = {
    "drugs": Drug, "brands": Brand, "names": OtherName, "successors": Successor, "salts": Salt,
}  # fmt: skip


def _merged(row_class: Any, shipped: tuple[Any, ...], own: tuple[Any, ...], file: Path) -> tuple[Any, ...]:
    def key(row: Any) -> tuple[Any, ...]:
        return tuple(getattr(row, field) for field in row_class.KEY)

    known: dict[tuple[Any, ...], list[Any]] = {}
    for row in shipped:
        known.setdefault(key(row), []).append(row)
    clashes = [
        f"{'/'.join(key(row))} of {row.effective} overlaps a shipped row"
        for row in own
        for other in known.get(key(row), ())
        if Period(row.effective, row.ends).overlaps(Period(other.effective, other.ends))
    ]
    if clashes:
        raise TableError(
            f"{file.name} would replace shipped rows: {'; '.join(clashes)}.",
            file=str(file),
            problems=tuple(clashes),
        )
    return tuple(sorted((*shipped, *own), key=lambda row: (key(row), row.effective)))


def _fits_words(covered: tuple[str, ...], route: str) -> bool:
    key = route.casefold()
    words = _ROUTE_WORDS.get(key, () if key in _NOT_INJECTED else ("injection",))
    return not {key, *words}.isdisjoint(covered)


def _fits(row: Drug, route: str) -> bool:
    """Whether a row answers for a route: a row that names routes of its own answers for those only."""
    own = row.routes if route.casefold() == "implant" else _own_routes(row)
    return not row.routes or _fits_words(own or row.routes, route)


def _own_routes(row: Drug) -> tuple[str, ...]:
    """The routes that a row names besides being injected, infused or implanted in general."""
    return tuple(word for word in row.routes if word not in ("injection", "infusion", "implant"))


_NOT_INJECTED = frozenset(
    {"oral", "inhaled", "topical", "intranasal", "rectal", "vaginal", "sublingual", "buccal", "transdermal",
     "ophthalmic", "otic", "intrauterine", "implant"}
)  # fmt: skip
_ANYWHERE = frozenset({"intramuscular", "subcutaneous", "intravenous", "intradermal"})


def _is_local(row: Drug) -> bool:
    """Whether an injected row is for one place of the body only (an eye, a joint, the spine)."""
    own = _own_routes(row)
    return row.is_injected and bool(own) and _ANYWHERE.isdisjoint(own)


def _said_for(routes: tuple[str, ...], route: str | None) -> bool:
    """Whether a brand row's routes fit the route; without one, whether it is injected."""
    if not routes:
        return True
    return not INJECTED.isdisjoint(routes) if route is None else _fits_words(routes, route)


@lru_cache(maxsize=8192)
def _form_words(row: Drug) -> frozenset[str]:
    """The words that say a row's form and routes."""
    return frozenset(normal(" ".join((row.form, *row.routes))).split())


def _all_words(row: Drug) -> frozenset[str]:
    """The words that say a row's form and routes, and its brand or maker."""
    return _form_words(row) | frozenset(normal(row.qualifier).split())


_PLAIN = ("not otherwise specified", "nos", "excludes biosimilar", "excludes biosimilars")


def _product_of(row: Drug) -> str:
    """The qualifier as far as it tells products apart."""
    return "" if _is_plain(row) else row.qualifier


def _is_plain(row: Drug) -> bool:
    return not row.qualifier or normal(row.qualifier) in _PLAIN


def holds(row: Drug, dose: Dose) -> bool:
    """Whether a row's limits hold a dose; plain units are the drug's own, whichever kind CMS names."""
    own_units = dose.unit == "unit" and units.is_activity(row.unit)
    try:
        given = dose.amount * (Fraction(1) if own_units else units.factor(dose.unit, row.unit))
    except UnitMismatch:
        return False
    return (row.above is None or given > row.above) and (row.through is None or given <= row.through)


def _excess(row: Drug, dose: Dose) -> tuple[Fraction, int]:
    """How much more than the dose its units stand for, and how many units; for ranking sizes."""
    if row.size is None:
        return Fraction(10**30), 0
    ratio = _ratio(row, dose)
    if ratio is None:
        return Fraction(10**30), 0
    count = -(-ratio // 1)
    mass = units.factor(row.unit, "mg") if units.dimension(row.unit) == "mass" else Fraction(1)
    return (count - ratio) * row.size * mass, int(count)


def _ratio(row: Drug, dose: Dose) -> Fraction | None:
    """The dose in units of a row, also by the row's own equivalences; None where the kinds differ."""
    ways = ((row.size or Fraction(1), row.unit), *row.equivalents)
    for amount, unit in ways:
        if units.dimension(dose.unit) == units.dimension(unit):
            return dose.amount * units.factor(dose.unit, unit) / amount
    if dose.unit == "unit":
        return next((dose.amount / amount for amount, unit in ways if units.is_activity(unit)), None)
    return None


def _listed(rows: Iterable[Drug]) -> str:
    shown = [f"{row.code} {row.label}" for row in rows]
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return "; ".join(shown[:6]) + more


# --- module functions -------------------------------------------------------------------------------


@cache
def shipped() -> Catalog:
    """The catalog that comes with the package."""
    return Catalog(tables.load(Drug), None, None, None, None)


def extend(path: str | Path) -> Catalog:
    """The shipped catalog with a site's own rows; see `Catalog.extend`."""
    return shipped().extend(path)


def drug(name: str, on: object, route: str | None = None, catalog: Catalog | None = None) -> Drug:
    """One drug row by code or name on a date of service.

    Raises `UnknownDrug`, `AmbiguousDrug` or `NotInEffect`.
    """
    if not isinstance(name, str) or not name.strip():
        raise UnknownDrug(f"{quoted(name)} is no drug: give a HCPCS code or a name as text.", given=name, near=())
    way = routes.canonical(route) if route else None
    return (catalog or shipped()).choose(name, as_date(on), None, way).drug


def history(code: str, catalog: Catalog | None = None) -> History:
    """Every dated row of a code, with its successors and predecessors."""
    return (catalog or shipped()).history(code)


__all__ = [
    "REFUSALS", "BillingUnit", "Brand", "Catalog", "Choice", "CodeError", "Component", "Drug", "History",
    "OtherName", "Salt", "Successor", "drug", "extend", "history", "normal", "shipped", "squeezed",
]  # fmt: skip
