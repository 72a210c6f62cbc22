"""Products by NDC: what one container holds, under which codes, and how an NDC line counts it.

The table has a row for every NDC of CMS's quarterly crosswalk. One NDC is looked up without reading the
others. The date finds the row; before the first and after the last edition the nearest row answers, with a
note.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import attrs

from . import hcpcs, ndc, tables, units
from .amount import decimal_text
from .cite import Citation
from .dose import Dose
from .errors import TableError, UnknownProduct
from .finding import Finding
from .period import Period, as_date
from .tables import choice, column, day, optional, optional_amount, optional_day, text, words
from .trace import Step

KINDS = ("single-dose", "multi-dose", "bulk")
FORMS = ("liquid", "powder", "kit", "cream")

# What counts each form on an NDC line.
QUALIFIER_OF = {"liquid": "ML", "powder": "UN", "kit": "UN", "cream": "GR"}

# How a qualifier was proved, for people.
PROOFS = {
    "fda-volume": "the FDA list gives the same volume as the package size",
    "same-concentration": "same concentration as a proved liquid of the code",
    "fda-mass-only": "a mass without a volume in the FDA list, and no liquid under the code or a second witness",
    "one-per-container": "every package size of the code is 1, and the amounts differ",
    "whole-package": "a state's conversion file counts the whole package as one",
    "reviewed": "reviewed container",
}

# What a mark on a row means, for people.
MARKS = {
    "cms-contradicts": "CMS's own figures for this NDC do not multiply out, so its amount is not used",
    "editions-disagree": "CMS lists different amounts for this NDC in different quarters, so none is used",
    "codes-disagree": "the codes of this NDC give different amounts, so none is used",
    "placeholder": "CMS lists a placeholder for this NDC; the amount stands on the container",
    "fda-differs": "the FDA list gives another amount for this NDC, and the difference has not been reviewed",
    "ceiling": "CMS lists one billing unit, which counts up to an amount: the container may hold less",
    "rounded": "CMS prints the billing units of this NDC rounded",
    "reviewed": "the lists differ on this NDC; its row was settled by review",
    "refused": "the lists differ on this NDC, and a review found no certain amount",
}


def _eleven(cell: str) -> str:
    if ndc.format(cell) != cell:
        raise ValueError("an NDC as 5-4-2 with hyphens is wanted")
    return ndc.compact(cell)


def _codes(cell: str) -> tuple[str, ...]:
    return tuple(hcpcs.compact(code) for code in words(cell))


@attrs.frozen
class Product:
    """One dated row of an NDC.

    `ndc` 11 digits; `codes` the HCPCS codes it is listed under; `amount` of drug in one container in `unit`
    (None where it is not known; the unit `billing unit` where the code counts no single amount); `containers`
    in the package; `qualifier` and `quantity` of one container on an NDC line where `proof` proves them;
    `size` the package size that counts as mL or grams once somebody says what the form is; `shape`, `kind`
    (single-dose, multi-dose, bulk: a pharmacy bulk package) and `form` of the container where known; `label`
    and `maker` for people; `marks` what is wrong with the published row.
    """

    TABLE: ClassVar[str] = "products"
    KEY: ClassVar[tuple[str, ...]] = ("ndc",)

    ndc: str = column(_eleven)
    codes: tuple[str, ...] = column(_codes)
    amount: Fraction | None = column(optional_amount)
    unit: str = column(units.canonical)
    containers: Fraction = column(tables.amount)
    qualifier: str = column(choice("", "UN", "ML", "GR"))
    quantity: Fraction | None = column(optional_amount)
    proof: str = column(choice("", *PROOFS))
    size: Fraction | None = column(optional_amount)
    shape: str = column(optional)
    kind: str = column(choice("", *KINDS))
    form: str = column(choice("", *FORMS))
    label: str = column(text)
    maker: str = column(optional)
    marks: tuple[str, ...] = column(words)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(tables.confidence)
    verified: dt.date = column(day)

    def __attrs_post_init__(self) -> None:
        if bool(self.qualifier) != (self.quantity is not None) or bool(self.qualifier) != bool(self.proof):
            raise ValueError("qualifier, quantity and proof stand together or not at all")
        if not self.codes or not set(self.marks) <= set(MARKS):
            raise ValueError("at least one code, and only known marks")

    @property
    def dose(self) -> Dose | None:
        """The labelled amount of one container as a dose; None where it is not known."""
        return Dose(self.amount, self.unit) if self.amount is not None else None

    def drawn(self, dose: Dose) -> Dose:
        """A volume of this product as the amount of drug in it, where its volume is proved; else as it is.

        >>> print(find("00409-3795-01", on="2026-03-02")[0].drawn(Dose.of("0.5 mL")))
        15 mg
        """
        if units.dimension(dose.unit) != "volume" or self.qualifier != "ML" or not self.quantity:
            return dose
        if self.amount is None:
            return dose
        volume = dose.to("mL").amount
        amount = self.amount * volume / self.quantity
        told = f"{decimal_text(amount)} {units.label(self.unit)}"
        step = Step(
            f"{decimal_text(volume)} mL x {self.contents} = {told}", "volume x the product's concentration",
            self.citation,
        )  # fmt: skip
        return Dose(amount, self.unit, dose.written, dose.notes, (*dose.steps, step))

    @property
    def number(self) -> str:
        """The NDC as 5-4-2 with hyphens."""
        return ndc.format(self.ndc)

    @property
    def name(self) -> str:
        """Product, amount in a container and the container, for people."""
        return " ".join(part for part in (self.label, self.contents, self.shape) if part)

    @property
    def contents(self) -> str:
        """The amount in one container as text, with its volume where it is proved; empty where not known."""
        if self.amount is None or self.unit == "billing unit":
            return ""
        volume = f"/{decimal_text(self.quantity)} mL" if self.qualifier == "ML" and self.quantity else ""
        return f"{self.dose}" + (volume if self.unit != "mL" else "")

    @property
    def period(self) -> Period:
        """The days on which the row is in effect."""
        return Period(self.effective, self.ends)

    @property
    def citation(self) -> Citation:
        """The crosswalk row that the amount comes from."""
        return tables.citation(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; exact numbers are text."""
        return {
            "ndc": self.ndc,
            "label": self.label,
            "maker": self.maker,
            "codes": list(self.codes),
            "amount": decimal_text(self.amount) if self.amount is not None else None,
            "unit": units.label(self.unit),
            "containers": decimal_text(self.containers),
            "ndc_qualifier": self.qualifier or None,
            "ndc_quantity": decimal_text(self.quantity) if self.quantity is not None else None,
            "proof": self.proof or None,
            "shape": self.shape or None,
            "kind": self.kind or None,
            "form": self.form or None,
            "marks": [MARKS[mark] for mark in self.marks],
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
class Container:
    """A reviewed container: an NDC, or all packages of a labeler's product (5-4), its kind and its form.

    `quantity` is what one container counts on an NDC line where the review found it: mL of a liquid, grams of
    a cream, the part of a kit (0.5 where a kit holds two).
    """

    TABLE: ClassVar[str] = "containers"
    KEY: ClassVar[tuple[str, ...]] = ("product",)

    product: str = column(text)
    kind: str = column(choice("", *KINDS))
    form: str = column(choice("", *FORMS))
    quantity: Fraction | None = column(optional_amount)
    note: str = column(optional)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(tables.confidence)
    verified: dt.date = column(day)

    @property
    def citation(self) -> Citation:
        """Where the review found it."""
        return tables.citation(self)


@attrs.frozen
class ProductReview:
    """An NDC on which the lists differ: what stands, and why.

    `verdict`: `keep` (CMS's amount), `set` (this amount), `refuse` (no amount is certain). `listed` is what
    the other list says.
    """

    TABLE: ClassVar[str] = "product_reviews"
    KEY: ClassVar[tuple[str, ...]] = ("ndc",)

    ndc: str = column(_eleven)
    verdict: str = column(choice("keep", "set", "refuse"))
    amount: Fraction | None = column(optional_amount)
    unit: str = column(optional)
    listed: str = column(optional)
    reason: str = column(text)
    note: str = column(optional)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(tables.confidence)
    verified: dt.date = column(day)

    def __attrs_post_init__(self) -> None:
        if (self.verdict == "set") != (self.amount is not None):
            raise ValueError("an amount stands with the verdict 'set' and no other")


@attrs.frozen(eq=False)
class Shelf:
    """The products and reviewed containers that answers are read from; `shipped()` is the package's own."""

    own_products: tuple[Product, ...] = ()
    own_containers: tuple[Container, ...] = ()

    def rows(self, number: str) -> tuple[Product, ...]:
        """Every dated row of an NDC (11 digits), oldest first; empty where there is none."""
        found = tables.rows_starting(Product, ndc.format(number))
        return tuple(sorted((*found, *(p for p in self.own_products if p.ndc == number)), key=_start))

    def resolve(self, number: object) -> str:
        """The 11 digits; a bare ten-digit number only where exactly one product has those digits."""
        return ndc.compact(number, settle=lambda readings: [r for r in readings if self.rows(r)])

    def find(self, number: object, on: object) -> tuple[Product, tuple[Finding, ...]]:
        """The row of an NDC on a day, and notes on how far the data reaches.

        Raises `InvalidNdc`, `AmbiguousNdc` or `UnknownProduct`.
        """
        date, digits = as_date(on), self.resolve(number)
        rows = self.rows(digits)
        if not rows:
            raise UnknownProduct(
                f"NDC {ndc.format(digits)} is in no edition of CMS's crosswalk from {_reach()[0]} to "
                f"{_reach()[1]}. Check it against the package; else give the drug's code and the amount "
                "in one container.",
                ndc=digits, on=date,
            )  # fmt: skip
        row = next((row for row in rows if row.period.holds(date)), None) or min(
            rows, key=lambda r: _away(r, date)
        )
        return row, (*_read_as(number, digits, row), *_reach_note(row, rows, date))

    def of_code(self, code: str, on: object) -> tuple[Product, ...]:
        """Every product listed under a code on a day; before and after the editions, in the nearest one."""
        first, last = _reach()
        date = min(max(as_date(on), first), last)
        found = (*tables.rows_with(Product, code), *self.own_products)
        return tuple(p for p in found if code in p.codes and p.period.holds(date))

    def container(self, number: str, on: object) -> Container | None:
        """The reviewed container of an NDC, else of its labeler and product, on a day."""
        date, written = as_date(on), ndc.format(number)
        for key in (written, written[:10]):
            for row in (*self.own_containers, *_containers().get(key, ())):
                if row.product == key and Period(row.effective, row.ends).holds(date):
                    return row
        return None

    def extend(self, path: str | Path) -> Shelf:
        """A new shelf with a site's own rows: a folder with `products.csv` or `containers.csv` in our shape.

        Nothing shipped is replaced: a period that overlaps a shipped row of the same key is a `TableError`.
        """
        place = Path(path)
        own: dict[type[Any], tuple[Any, ...]] = {}
        for row_class in (Product, Container):
            file = place / f"{row_class.TABLE}.csv"
            if file.is_file():
                own[row_class] = tables.load(row_class, file)
        if not own:
            raise TableError(
                f"{place} holds neither products.csv nor containers.csv.", file=str(place), problems=()
            )
        clashes = [p.number for p in own.get(Product, ()) if any(_overlap(p, q) for q in self.rows(p.ndc))]
        known = (*self.own_containers, *tables.load(Container))
        for c in own.get(Container, ()):
            clashes += [d.product for d in known if d.product == c.product and _overlap(c, d)]
        if clashes:
            raise TableError(
                f"{place}: rows would replace shipped ones: {', '.join(clashes)}.",
                file=str(place), problems=tuple(clashes),
            )  # fmt: skip
        return Shelf(
            (*self.own_products, *own.get(Product, ())), (*self.own_containers, *own.get(Container, ()))
        )


@cache
def shipped() -> Shelf:
    """The package's own products."""
    return Shelf()


def find(number: object, on: object) -> tuple[Product, tuple[Finding, ...]]:
    """The row of an NDC on a day, and notes; see `Shelf.find`."""
    return shipped().find(number, on)


def codes(number: object, on: object) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The HCPCS codes of an NDC on a day, and notes.

    >>> codes("0409-3795-01", "2026-03-02")
    (('J1885',), ())
    """
    row, notes = find(number, on)
    return row.codes, notes


def review(number: str) -> ProductReview | None:
    """The reviewed row of an NDC (11 digits) on which the lists differ."""
    rows = tables.rows_starting(ProductReview, ndc.format(number))
    return rows[-1] if rows else None


@cache
def _containers() -> dict[str, tuple[Container, ...]]:
    made: dict[str, tuple[Container, ...]] = {}
    for row in tables.load(Container):
        made[row.product] = (*made.get(row.product, ()), row)
    return made


def _start(product: Product) -> dt.date:
    return product.effective


def _overlap(one: Any, other: Any) -> bool:
    return Period(one.effective, one.ends).overlaps(Period(other.effective, other.ends))


def _away(row: Product, on: dt.date) -> int:
    """How many days a row's period lies from a day outside it."""
    return (row.effective - on).days if on < row.effective else (on - (row.ends or on)).days


@cache
def _reach() -> tuple[dt.date, dt.date]:
    return tables.reach("asp-xwalk-")


def _read_as(number: object, digits: str, row: Product) -> tuple[Finding, ...]:
    if not isinstance(number, str) or ndc.is_valid(number):
        return ()
    says = (
        f"{number.strip()!r} has ten digits without hyphens; read as {ndc.format(digits)}, the only product."
    )
    return (Finding("ndc-read-as", "note", says, "Write the NDC with its hyphens.", (row.citation,)),)


def _reach_note(row: Product, rows: Iterable[Product], on: dt.date) -> tuple[Finding, ...]:
    """A note where the day lies outside the editions, or where the NDC was not listed on it."""
    first, last = _reach()
    if first <= on <= last and row.period.holds(on):
        return ()
    if on > last and row.period.holds(on):
        says = f"CMS's crosswalk is known up to {last}; its row for NDC {row.number} answers for {on}."
    elif on < first:
        says = (
            f"CMS's crosswalk is known from {first}; its nearest row for NDC {row.number} answers for {on}."
        )
    else:
        listed = ", ".join(str(r.period) for r in rows)
        says = (
            f"NDC {row.number} was not in CMS's crosswalk on {on} (listed {listed}); the nearest row answers."
        )
    return (Finding("product-reach", "note", says, "Check the package.", (row.citation,)),)
