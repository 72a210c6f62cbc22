"""What the product tables hold: NDCs, reviewed containers, reviews of NDCs on which the lists differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs

from .. import hcpcs, ndc, tables, units
from ..amount import decimal_text, plain, told
from ..dated import Step
from ..dose import Dose
from ..errors import ProductMismatch
from ..shown import Shown
from ..tables import Dated, choice, column, optional, optional_amount, table, text, words

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
    "per-unit": "another file's unit or concentration fits the drug that a state's conversion file counts as one",
    "va-prices": "the federal price schedule names what CMS's package size counts",
    "nadac-unit": "CMS's pharmacy cost survey prints the unit, and the package size fits it",
    "state-quantity": "a state's conversion file counts a container as CMS's package size",
    "state-container": "a state's conversion file counts a container as one, and by the FDA list that is not one mL",
    "fda-notice": "an FDA notice names the volume, the package size and the amount follow from it",
    "counted-in-ml": "the code counts millilitres, and the container holds as many as the package size",
    "descriptor": "the code's descriptor names a solution, a powder or an implant, and the package size fits it",
    "nsde-unit": "the FDA's NSDE prints the unit, and what a container holds follows from it",
    "directory": "the FDA's directory says what a container holds, and no other file contradicts it",
    "another-package": "every known package of the product is counted so",
    "list-volume": "the FDA list describes it by volume and concentration, and no file as a powder, syringe or kit",
    "list-concentration": "the FDA list prints a concentration: of a bag, or as another file or a liquid's entry does",
    "list-mass": "the FDA list names a mass alone, and another file a powder or the vial",
}

# What a mark on a row means, for people.
MARKS = {
    "cms-contradicts": "CMS's own figures for this NDC do not multiply out, so its amount is not used",
    "editions-disagree": "CMS lists different amounts for this NDC in different quarters, so none is used",
    "codes-disagree": "the codes of this NDC give different amounts, so none is used",
    "placeholder": "CMS lists a placeholder for this NDC; the amount stands on the container",
    "fda-differs": "the FDA list gives another amount for this NDC, and the difference has not been reviewed",
    "ceiling": "CMS lists one billing unit, which counts up to an amount: the container may hold less",
    "strength-differs": "another list prints a strength of the tablet or capsule that CMS's amount does not fit",
    "rounded": "CMS prints the billing units of this NDC rounded",
    "per-unit": "at most the drug in one unit of the NDC line is known, not what a container holds",
    "uncoded": "CMS does not list the NDC, and no file that was read proves its code",
    "reviewed": "the lists differ on this NDC; its row was settled by review",
    "refused": "the lists differ on this NDC, and a review found no certain amount",
}


def _eleven(cell: str) -> str:
    if not re.fullmatch(r"\d{5}-\d{4}-\d{2}", cell, re.ASCII):
        instead = f": write {ndc.format(cell)}" if ndc.is_valid(cell) else ""
        raise ValueError(f"an NDC as 5-4-2 with hyphens is wanted{instead}")
    return ndc.compact(cell)


def _is_powder(given: Mapping[str, str]) -> bool:
    """Whether a site's row says that its product is a powder, which is counted by the container."""
    return given.get("form") == "powder" and given.get("qualifier", "UN") in ("", "UN")


def _is_counted(given: Mapping[str, str]) -> bool:
    return bool(given.get("qualifier")) or _is_powder(given)


@table("products", "ndc", usual=("codes", "amount", "unit"))
class Product(Shown, Dated):
    """One dated row of an NDC.

    `ndc` 11 digits; `codes` the HCPCS codes it is listed under; `amount` of drug in one container in `unit`
    (None where it is not known; the unit `billing unit` where the code counts no single amount); `containers`
    in the package; `qualifier` and `quantity` of one container on an NDC line where `proof` proves them;
    `size` the package size that counts as mL or grams once somebody says what the form is; `shape`, `kind`
    (single-dose, multi-dose, bulk: a pharmacy bulk package) and `form` of the container where known; `label`
    and `maker` for people; `marks` what is wrong with the published row.
    """

    ndc: str = column(_eleven)
    codes: tuple[str, ...] = column(lambda cell: tuple(map(hcpcs.compact, words(cell))))
    amount: Fraction | None = column(optional_amount)
    unit: str = column(units.canonical, own="billing unit")
    containers: Fraction = column(tables.amount, own="1")
    qualifier: str = column(choice("", "UN", "ML", "GR"), own=lambda given: "UN" if _is_powder(given) else "")
    quantity: Fraction | None = column(optional_amount, own=lambda given: "1" if _is_powder(given) else "")
    proof: str = column(choice("", *PROOFS), own=lambda given: "reviewed" if _is_counted(given) else "")
    size: Fraction | None = column(optional_amount)
    shape: str = column(optional)
    kind: str = column(choice("", *KINDS))
    form: str = column(choice("", *FORMS))
    label: str = column(text, own=lambda given: given.get("ndc", ""))
    maker: str = column(optional)
    marks: tuple[str, ...] = column(words)

    def __attrs_post_init__(self) -> None:
        if bool(self.qualifier) != (self.quantity is not None) or bool(self.qualifier) != bool(self.proof):
            raise ValueError("qualifier and quantity (what one container counts) stand together or not at all")
        if bool(self.codes) == ("uncoded" in self.marks) or not set(self.marks) <= set(MARKS):
            raise ValueError("at least one code, or the mark uncoded, and only known marks")

    @property
    def dose(self) -> Dose | None:
        """The labelled amount of one container as a dose; None where it is not known."""
        return Dose(self.amount, self.unit) if self.amount is not None else None

    @property
    def concentration(self) -> Fraction | None:
        """How much drug, in `unit`, one mL holds; None where that is not proved."""
        if self.qualifier != "ML" or not self.quantity or self.amount is None:
            return None
        return self.amount / self.quantity

    @property
    def per_counted(self) -> Fraction | None:
        """How much drug, in `unit`, one mL of a liquid holds, of which no container need be known."""
        return self.concentration

    def drawn(self, dose: Dose, said: Fraction | None = None) -> Dose:
        """A volume of this product as the amount of drug in it, where its volume is proved; else as it is.

        `said`: the mL in a container by the caller, for a liquid of which nothing is proved.
        """
        concentration, contents = self.concentration, self.contents
        if said is not None and self.amount is not None and not self.qualifier:
            concentration, contents = self.amount / said, f"{self.dose}/{decimal_text(said)} mL"
        if units.dimension(dose.unit) != "volume" or concentration is None:
            return dose
        volume = dose.to("mL").amount
        amount = concentration * volume
        told = f"{decimal_text(amount)} {units.label(self.unit)}"
        step = Step(
            f"{decimal_text(volume)} mL x {contents} = {told}", "volume x the product's concentration", self.citation
        )
        return Dose(amount, self.unit, dose.written, dose.notes, (*dose.steps, step), volume, dose.route)

    @property
    def brief(self) -> str:
        """NDC, what it is and its codes."""
        return f"{self.number} {self.name}: {', '.join(self.codes) or 'no code is proved'}"

    def agrees(self, dose: Dose) -> None:
        """Raise `ProductMismatch` where the volume beside an amount is another concentration than the proved one."""
        stated = any(note.rule == "dose-in-volume" for note in dose.notes)
        if not stated or not dose.volume or self.qualifier != "ML" or not self.quantity or self.amount is None:
            return
        if units.dimension(dose.unit) != units.dimension(self.unit):
            return
        if dose.to(self.unit).amount * self.quantity != self.amount * dose.volume:
            says = (
                f"{dose.written!r} is another concentration than NDC {self.number} holds ({self.contents}). Correct "
                "the dose or the NDC."
            )
            raise ProductMismatch(
                says, ndc=self.ndc, code="|".join(self.codes), codes=self.codes, citation=self.citation, argument="dose"
            )

    def held(self, dose: Dose) -> Dose:
        """A count of this product's containers, or of kits that the line counts, as their amount; else as it is."""
        each = self._containers_in(dose.unit)
        if self.dose is None or each is None or self.unit == "billing unit":
            return dose
        amount = self.dose.amount * dose.amount * each
        told = f"{decimal_text(amount)} {units.label(self.unit)}"
        several = f"{decimal_text(each)} x " if each != 1 else ""
        step = Step(f"{dose} of {several}{self.contents} = {told}", "containers x the amount in one", self.citation)
        volume = self.quantity * dose.amount if self.qualifier == "ML" and self.quantity else None
        return Dose(amount, self.unit, dose.written, dose.notes, (*dose.steps, step), volume, dose.route)

    def _containers_in(self, unit: str) -> Fraction | None:
        """How many of the product's containers one of a unit is; None where it is none of them."""
        if self.shape and unit == self.shape:
            return Fraction(1)
        is_kit = unit == self.form == "kit" and self.qualifier == "UN" and self.quantity is not None
        return self.containers if is_kit and self.containers * (self.quantity or 0) == 1 else None

    @property
    def first_cell(self) -> str:
        """The NDC as the table writes it."""
        return self.number

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

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; exact numbers are text."""
        return {
            **told(self, "ndc", "label", "maker", "codes", "amount"),
            "unit": units.label(self.unit),
            "containers": decimal_text(self.containers),
            "ndc_qualifier": self.qualifier or None,
            "ndc_quantity": plain(self.quantity),
            **{name: getattr(self, name) or None for name in ("proof", "shape", "kind", "form")},
            "marks": [MARKS[mark] for mark in self.marks],
            **told(self, "effective", "ends", "citation", "confidence"),
        }


@attrs.frozen(eq=False, repr=False)
class AnotherPackage(Product):
    """An NDC of which a container is not known: what all packages of the product share, or a file says of one unit.

    Codes, what counts it, the form, `per_unit` (the drug, in `unit`, in one mL or whatever counts it); `sibling` is
    the NDC of a known package (11 digits), empty where the row is the NDC's own. Never an amount, a number of
    containers or a container's size; shape and kind only of the NDC itself: packages of one product differ in those.
    """

    sibling: str = attrs.field(kw_only=True)
    per_unit: Fraction | None = attrs.field(kw_only=True)

    def __attrs_post_init__(self) -> None:
        """A qualifier stands here without the quantity of a container."""

    @property
    def concentration(self) -> Fraction | None:
        """How much drug, in `unit`, one mL holds; None for what is not counted by volume."""
        return self.per_unit if self.qualifier == "ML" else None

    @property
    def per_counted(self) -> Fraction | None:
        """How much drug, in `unit`, one unit of the NDC line holds."""
        return self.per_unit

    @property
    def contents(self) -> str:
        """The concentration as text, or the drug in one counted unit: all that is known of what a container holds."""
        if self.per_unit is None or (self.qualifier == "ML" and self.unit == "mL"):
            return ""
        if self.qualifier == "ML" and "/" in decimal_text(self.per_unit):  # no decimal says a third
            return f"{Dose(Fraction(self.per_unit.numerator), self.unit)}/{self.per_unit.denominator} mL"
        return f"{Dose(self.per_unit, self.unit)}{'/mL' if self.qualifier == 'ML' else ' in one'}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types, with the NDC of a known package."""
        return {**Product.as_dict(self), "containers": None, "another_package": self.sibling or None}


@table("containers", "product")
class Container(Dated):
    """A reviewed container: an NDC, or all packages of a labeler's product (5-4), its kind and its form.

    `quantity` is what one container counts on an NDC line where the review found it: mL of a liquid, grams of
    a cream, the part of a kit (0.5 where a kit holds two).
    """

    product: str = column(text)
    kind: str = column(choice("", *KINDS))
    form: str = column(choice("", *FORMS))
    quantity: Fraction | None = column(optional_amount)
    note: str = column(optional)


@table("product_reviews", "ndc")
class ProductReview(Dated):
    """An NDC on which the lists differ: `keep` CMS's amount, `set` this one, or `refuse`; `listed`: the other's."""

    ndc: str = column(_eleven)
    verdict: str = column(choice("keep", "set", "refuse"))
    amount: Fraction | None = column(optional_amount)
    unit: str = column(optional)
    listed: str = column(optional)
    reason: str = column(text)
    note: str = column(optional)

    def __attrs_post_init__(self) -> None:
        if (self.verdict == "set") != (self.amount is not None):
            raise ValueError("an amount stands with the verdict 'set' and no other")


@table("marketing", "ndc")
class Marketing(Dated):
    """The days from the first to the last on which an NDC is marketed, as the FDA's newest list has them."""

    ndc: str = column(_eleven)

    @property
    def first_cell(self) -> str:
        """The NDC as the table writes it."""
        return ndc.format(self.ndc)


TABLES: tuple[type[Any], ...] = (Product, Container, Marketing)
