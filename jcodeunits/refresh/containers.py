"""What is known of a container besides its amount: shape, kind, form, as reviews, texts and names tell it."""

from __future__ import annotations

import re
from fractions import Fraction

from jcodeunits.facts.product_rows import QUALIFIER_OF, Container

from .crosswalk import Listing
from .evidence import Evidence
from .family import Row
from .witnesses import Proof

_SINGLE_DOSE = frozenset({"syringe", "ampule", "auto-injector"})


def shape_of(listing: Listing, evidence: Evidence) -> str:
    """The container: what CMS's product name says, else what the FDA list says."""
    name = listing.name.lower()
    for word, shape in (
        ("prefilled syringe", "syringe"),
        ("pfs", "syringe"),
        ("kwikpen", "pen"),
        ("flexpen", "pen"),
        ("pen", "pen"),
        ("kit", "kit"),
    ):
        if re.search(rf"(?<![a-z]){word}s?(?![a-z])", name):
            return shape
    listed = evidence.fda.get(listing.ndc)
    return listed.shape if listed else ""


def container_facts(
    listing: Listing, reviewed: Container | None, proof: Proof | None, told: str, evidence: Evidence
) -> Row:
    """Shape, kind and form: as reviewed, else as the directory, texts, names, lists and the proof tell."""
    directory = evidence.marketed(listing.ndc)
    shape = directory.shape or shape_of(listing, evidence)
    kind = told or ("single-dose" if shape in _SINGLE_DOSE else "")
    form = ""
    if proof is not None and proof[0] == "ML":
        form = "liquid"
    elif proof is not None and (proof[2] == "whole-package" or directory.form == "kit"):
        form = "kit"
    elif proof is not None and directory.form and QUALIFIER_OF[directory.form] == proof[0]:
        form = directory.form
    elif proof is not None and shape in ("kit", "vial") and proof[2] != "one-per-container":
        form = "kit" if shape == "kit" else "powder"
    if reviewed is not None:
        kind, form = reviewed.kind or kind, reviewed.form or form
    return {"shape": shape, "kind": kind, "form": form}


def by_review(reviewed: Container, containers: Fraction) -> Proof | None:
    """What a reviewed container proves; a kit of several containers only where the review says their part."""
    qualifier = QUALIFIER_OF.get(reviewed.form)
    quantity = reviewed.quantity
    if quantity is None and qualifier == "UN" and (reviewed.form != "kit" or containers == 1):
        quantity = Fraction(1)
    return (qualifier, quantity, "reviewed") if qualifier and quantity else None


def label_of(name: str) -> str:
    """A product's name without marks and without the strengths that CMS's names get wrong."""
    text = re.sub(r"[®™*]", "", name)
    text = re.sub(r"(?<![ -])[ -]+\(?[\d,.]+ ?(MG|MCG|GM|G|ML|IU|UNITS?|%|MEQ)\b.*$", "", text, flags=re.IGNORECASE)
    text = re.sub(r"-\d+$", "", text)
    text = re.sub(r"\s+", " ", text).strip(" ,-")
    return text.title() if text.isupper() and len(text) > 4 else text
