"""NDCs that no crosswalk lists, from a state's conversion file: the code, and the drug in one unit of the NDC line.

They are typed by hand, so a row is made only where every line of the NDC says the same, and another file's name for
the NDC has the code's ingredient or one of its brands. What a container holds is never told; its shape and kind are,
where another file has them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from jcodeunits.amount import decimal_text
from jcodeunits.facts.drug_rows import Brand, Drug
from jcodeunits.grouped import grouped

from .evidence import PER_VIAL, Evidence, amounts_in
from .family import Row
from .marketed import in_base, piece
from .witnesses import kind, strengths_of

_NEAR = Fraction(1, 100)
_FIRST = dt.date(2016, 1, 1)  # the oldest line of the state's file


def rows(
    known: Iterable[str],
    evidence: Evidence,
    drugs: Sequence[Drug],
    brands: Iterable[Brand],
    source: tuple[str, dt.date],
    listed: Iterable[Mapping[str, str]] = (),
) -> list[Row]:
    """The rows of products.csv for NDCs of the state's file that are not `known`; `source` is its newest edition.

    The state counts in the billing units of its own day: what a code counted later changes no amount. Lines are now and
    then typed into each other's place: an amount that no package of the product shares, of those `listed` by CMS, is
    none.
    """
    dense = concentrations(listed)
    names = names_of(drugs, brands)
    by_code = grouped(drugs, lambda drug: drug.code)
    made = []
    for number in sorted(set(evidence.state) - set(known)):
        told = _told(number, evidence, by_code, source[1])
        if told is None or not _may_hold(told[2], told[0].unit, dense.get(number[:10], ())):
            continue
        texts = texts_of(number, evidence)
        said = " ".join(f" {plain(text)} " for text in texts)
        if not any(f" {word} " in said for word in names.get(told[0].code, ())):
            continue
        row = _row(number, *told, texts, evidence, source[0])
        # Lines of a code that has ended were often rounded: only those that another file confirms.
        made += [row] if row["qualifier"] or not row["ends"] else []
    return made


def concentrations(listed: Iterable[Mapping[str, str]]) -> dict[str, set[tuple[Fraction, str]]]:
    """The drug in one mL, in mg or the drug's units, of each labeler's product of which rows prove it."""
    found: dict[str, set[tuple[Fraction, str]]] = {}
    for row in listed:
        if row["qualifier"] == "ML" and row["amount"] and row["quantity"]:
            one = in_base(Fraction(row["amount"]) / Fraction(row["quantity"]), row["unit"])
            found.setdefault(row["ndc"][:10], set()).add(one)
    return found


def _may_hold(amount: Fraction, unit: str, dense: Iterable[tuple[Fraction, str]]) -> bool:
    """Whether an amount is the concentration that other packages of the product have, where one is known."""
    value, base = in_base(amount, unit)
    known = {one for one, its in dense if its == base}
    return not known or any(abs(value / one - 1) < _NEAR for one in known)


def _told(
    number: str, evidence: Evidence, by_code: Mapping[str, Sequence[Drug]], on: dt.date
) -> tuple[Drug, dt.date | None, Fraction, str] | None:
    """The code's row on the state's day, its last day, the drug in one NDC unit, the line; None where lines differ."""
    lines = evidence.state[number]
    factors = {row.billed / row.counted for row in lines if not row.code}
    codes = {row.code for row in lines if row.code}
    if len(codes) != 1 or len(factors) > 1:
        return None
    code = codes.pop()
    drug = next((one for one in by_code.get(code, ()) if one.period.holds(on)), None)
    size = drug.size if drug is not None else None
    if drug is None or size is None or drug.basis != "per" or not drug.unit:
        return None
    factor = factors.pop() if factors else Fraction(1)
    said = [(row.billed / (row.counted * factor), row) for row in lines if row.code]
    if any(abs(each / said[0][0] - 1) > _NEAR for each, _ in said):
        return None
    row, amount = said[0][1], said[0][0] * size
    if (amount * 10**6).denominator != 1:
        return None  # typed rounded: what it holds exactly is not said
    return drug, by_code[code][-1].ends, amount, f"{code} {decimal_text(row.billed)} as {decimal_text(row.counted)}"


def _row(
    number: str,
    drug: Drug,
    ends: dt.date | None,
    amount: Fraction,
    cite: str,
    texts: Sequence[str],
    evidence: Evidence,
    source: str,
) -> Row:
    qualifier = _qualifier(number, drug, amount, texts, evidence)
    return {
        "ndc": number,
        "codes": drug.code,
        "amount": decimal_text(amount),
        "unit": drug.unit,
        "containers": "1",
        "qualifier": qualifier,
        "quantity": "1" if qualifier else "",
        "proof": "per-unit" if qualifier else "",
        "shape": evidence.shape(number),
        "kind": kind(number, evidence),
        "form": {"ML": "liquid"}.get(qualifier, ""),
        "label": drug.ingredient[:1].upper() + drug.ingredient[1:],
        "marks": "per-unit",
        "effective": max(drug.effective, _FIRST).isoformat(),
        "ends": ends.isoformat() if ends is not None else "",
        "source": source,
        "cite": cite,
        "confidence": "medium",
    }


def _qualifier(number: str, drug: Drug, amount: Fraction, texts: Sequence[str], evidence: Evidence) -> str:
    """What counts it: the survey's unit, or a name whose concentration, or vial, holds what the state counts as one."""
    unit = evidence.unit(number)
    if unit:
        return unit if unit in ("ML", "UN") else ""
    if piece(drug.form) and evidence.shape(number) in ("", "implant"):
        return "UN"
    wanted = in_base(amount, drug.unit)
    ready = [text for text in texts if not re.search(r"\b(?:powder|kit)\b", text)]
    liquid = wanted in amounts_in(ready, Fraction(1))
    vial = any(PER_VIAL.search(price.generic) for price in evidence.prices.get(number, ()))
    if liquid and not vial:
        return "ML"
    named = [
        price.generic.replace("/VIAL", " VIAL").replace("/VIL", " VIL") for price in evidence.prices.get(number, ())
    ]
    whole = vial and any(wanted in strengths_of(name) for name in named)
    return "UN" if whole and not liquid else ""


def texts_of(number: str, evidence: Evidence) -> list[str]:
    """How other files name the NDC."""
    found = [price.name for price in evidence.prices.get(number, ())]
    found += [evidence.survey[number][1]] if number in evidence.survey else []
    found += [evidence.marketed(number).name] if evidence.marketed(number).name else []
    found += [words for words in evidence.notices.get(number, ()) if "several NDCs" not in words]
    return found + ([evidence.fda[number].description] if number in evidence.fda else [])


def names_of(drugs: Iterable[Drug], brands: Iterable[Brand]) -> dict[str, set[str]]:
    """The words that name each code: its ingredient, by the first word where no other begins so, and its brands."""
    codes: dict[str, set[str]] = {}
    found: dict[str, set[str]] = {}
    alike: dict[str, set[str]] = {}
    for drug in drugs:
        codes.setdefault(drug.ingredient, set()).add(drug.code)
        alike.setdefault(plain(drug.ingredient).split(" ")[0], set()).add(drug.ingredient)
    for drug in drugs:
        whole = plain(drug.ingredient)
        first = whole.split(" ")[0]
        found.setdefault(drug.code, set()).add(first if len(alike[first]) == 1 else whole)
    for brand in brands:
        for code in {brand.code} if brand.code else codes.get(brand.ingredient, ()):
            found.setdefault(code, set()).add(plain(brand.brand))
    return {code: {word for word in words if len(word) > 4} for code, words in found.items()}


def plain(text: str) -> str:
    """Letters and figures in lower case, one space between them."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
