"""Randomly made administrations for the tests of bulk work: every kind of row that a file brings."""

from __future__ import annotations

import datetime as dt
import random
from fractions import Fraction
from functools import cache
from typing import Any

from shipped import DRUGS, rows_of

from jcodeunits import units
from jcodeunits.amount import decimal_text
from jcodeunits.facts.product_rows import Product

ODD_DRUGS = [None, "", "naltrexon", "MSO4", "J9999", "J3490", "Z1234", "J03O1", "iron", "0409379501", "12345-678"]
ODD_DOSES = [
    "0",
    "-5",
    "",
    "1,000",
    ".5",
    "30.0",
    "1e3",
    "NaN",
    "½",
    "0.1234567",
    "123456789012345678",
    "5 mg",
    "05",
    "7.",
]
ODD_UNITS = [None, "", "Mg", "MU", "gr", "ug", "cc", "mL", "units", "IU", "mEq", "million units", "mg/kg"]
ODD_DATES = [None, "", "2026-02-30", "03/02/2026", "1900-01-01", "2031-05-05", "2026-3-2"]
UNITS = ["mg", "MG", "mcg", "g", "gm", "ug", "mL", "units", "IU"]
PLACES = ["11", "11", "11", "12", "20"]
ODD_PLACES = ["22", "21", "50", "98", "", None]
ROUTES = ["IM", "SC", "IV push", "IV infusion", "intravenous", "IV"]
ODD_ROUTES = ["oral", "inhaled", "intravitreal", "by pigeon", "", None]


@cache
def _drugs() -> list[str]:
    book = DRUGS
    made = [row.code for row in book.drugs]
    made += [row.ingredient for row in book.drugs]
    made += [row.brand for row in book.brands] + [row.name for row in book.names]
    return sorted(set(made))


@cache
def _products() -> list[Product]:
    return list(rows_of(Product))


def _day(rng: random.Random) -> str:
    if rng.random() < 0.02:
        return rng.choice(ODD_DATES)
    start = dt.date(2019, 6, 1) if rng.random() < 0.3 else dt.date(2024, 1, 1)
    return (start + dt.timedelta(rng.randrange((dt.date(2026, 12, 31) - start).days))).isoformat()


def _dose(rng: random.Random) -> str:
    if rng.random() < 0.03:
        return rng.choice(ODD_DOSES)
    whole = rng.choice([rng.randrange(1, 20), rng.randrange(1, 1000), rng.randrange(1, 100_000)])
    places = rng.choice([0, 0, 1, 2, 3, 6])
    return decimal_text(Fraction(whole * 10**places + rng.randrange(10**places), 10**places))


def simple(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows with a drug, a dose, a unit and a date only."""
    rng = random.Random(seed)
    listed = _products()
    made = []
    for _ in range(count):
        drug: str | None = rng.choice(_drugs())
        chance = rng.random()
        if chance < 0.02:
            drug = rng.choice(ODD_DRUGS)
        elif chance < 0.1:
            drug = rng.choice(listed).number
        unit = rng.choice(ODD_UNITS) if rng.random() < 0.03 else rng.choice(UNITS)
        if drug and sum(map(str.isdigit, drug)) > 9 and unit in ("mL", "cc"):
            unit = "mg"  # a volume of a product is counted by `charge`, from the product's concentration
        made.append({"drug": drug, "dose": _dose(rng), "unit": unit, "on": _day(rng)})
    return made


def detailed(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows with a place, a route, what was opened and what was discarded; most of them make sense."""
    rng = random.Random(seed)
    listed = [item for item in _products() if item.codes and item.dose is not None and units.is_known(item.unit)]
    pool = rng.sample([row for row in listed if row.codes], 400)
    return [_detailed(rng, rng.choice(pool)) for _ in range(count)]


def _detailed(rng: random.Random, item: Product) -> dict[str, Any]:
    containers = rng.choice([1, 1, 2, 3, 10])
    label = (item.amount or Fraction(1)) * containers
    part = Fraction(rng.choice([1, 3, 5, 7, 9, 10, 10, 10, 11]), 10)
    dose = label * part
    left = label - dose
    amount = item.amount or Fraction(1)
    odd = rng.random
    row: dict[str, Any] = {
        "drug": rng.choice([rng.choice(item.codes), item.number, item.label.lower()]),
        "dose": decimal_text(dose),
        "unit": item.unit,
        "on": _day(rng),
        "route": rng.choice(ODD_ROUTES if odd() < 0.03 else ROUTES),
        "place": rng.choice(ODD_PLACES if odd() < 0.03 else PLACES),
        "payer": rng.choice(["acme", "VA"] if odd() < 0.02 else ["medicare", "medicare", "Medicaid", "commercial", ""]),
        "claim": rng.choice(["inpatient"] if odd() < 0.01 else ["professional", "professional", "outpatient", ""]),
        "ndc": _number(rng, item),
        "container": rng.choice(["vial"] if odd() < 0.02 else ["single-dose", "single-dose", "multi-dose", "", None]),
        "containers": 0 if odd() < 0.02 else rng.choice([containers, containers, None]),
        "container_amount": rng.choice([decimal_text(amount), None, f"{decimal_text(amount)} {item.unit}"]),
        "discarded": _discarded(rng, max(left, Fraction(0)), item.unit),
    }
    if odd() < 0.05:
        row.update(dose=_dose(rng), unit=rng.choice(UNITS))
    return row


def _number(rng: random.Random, item: Product) -> str | None:
    if rng.random() < 0.05:
        return rng.choice(["1234-1234-1", "00000-0000-00", rng.choice(_products()).number])
    return rng.choice([item.number, item.ndc, item.number, None, ""])


def _discarded(rng: random.Random, left: Fraction, unit: str) -> str | None:
    if rng.random() < 0.05:
        return rng.choice(["3", "-1", "a little", "0.0000001"])
    said = decimal_text(left)
    return rng.choice([None, "", said, f"{said} {unit}", "0"])


# --- errors and good rows of few drugs ------------------------------------------------------------

# What one cell of a row may say instead: mistakes, gaps, and other good words.
SAID: list[dict[str, Any]] = [
    *({"discarded": text} for text in ("a little", "", None, "0", "1 mg", "-3", "5", "2 mL", "1e9", "500 mg")),
    *({"containers": text} for text in (0, None, 2, 7)),
    *({"container": text} for text in ("a bag", "multi-dose", "bulk", None)),
    *({"container_amount": text} for text in ("full", None, "50 mg", "10", "1 L")),
    *({"place": text} for text in ("22", "21", "98", "00", "12", "20")),
    *({"payer": text} for text in ("nobody", "medicaid", "commercial", "al-medicaid", "")),
    *({"claim": text} for text in ("institutional", "outpatient")),
    *({"dose": text} for text in ("0", "none", "7.50", "123456789012345678901", "0.001", "99999")),
    *({"unit": text} for text in ("mcg", "stone", "mL", "g")),
    *({"on": text} for text in ("2019-03-02", "2026-02-30", "2025-12-31", "2024-03-31", "0000-00-00")),
    *({"ndc": text} for text in ("00409379501", "99999999999", "12", None)),
    *({"route": text} for text in ("by pigeon", "SC", "IV push", "IM", "intravitreal", "IV")),
]


@cache
def _few() -> tuple[list[Product], list[Product]]:
    """The products of twenty drugs that have several: those whose container is known, and the others."""
    known: dict[str, list[Product]] = {}
    for item in _products():
        if units.is_known(item.unit) and item.unit != "billing unit" and len(item.codes) == 1:
            known.setdefault(item.codes[0], []).append(item)
    several = sorted(code for code, items in known.items() if len({item.ndc for item in items}) > 3)
    codes = several[:: len(several) // 20][:20]
    chosen = [item for code in codes for item in known[code]]
    return [item for item in chosen if item.amount is not None], [item for item in chosen if item.amount is None]


def meeting(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows of twenty drugs, good ones and such as hold one or two mistakes, in an order of their own.

    A third is of packages whose container is not known: another file's, or of which only the product is known.
    """
    rng = random.Random(seed)
    amounts, others = _few()
    made = []
    for _ in range(count):
        item = rng.choice(others if others and rng.random() < 0.2 else amounts)
        number = item.number if rng.random() < 0.8 else f"{item.number[:11]}{rng.randrange(100):02}"
        label = (item.amount or Fraction(100)) * (opened := rng.choice([1, 1, 2, 3]))
        dose = Fraction(rng.randrange(1, int(label * 1000) + 1), 1000) if rng.random() < 0.7 else label
        left = decimal_text(label - dose)
        row = {
            "drug": rng.choice([item.codes[0], number, item.codes[0], item.label.lower()]),
            "dose": decimal_text(dose),
            "unit": item.unit,
            "on": (dt.date(2025, 1, 1) + dt.timedelta(rng.randrange(450))).isoformat(),
            "route": rng.choice(["IV infusion", "IM"]),
            "place": "11",
            "payer": rng.choice(["medicare", "medicaid", "commercial", None]),
            "claim": None,
            "ndc": rng.choice([number, number, None]),
            "container": rng.choice(["single-dose", "single-dose", "multi-dose", None]),
            "containers": rng.choice([opened, opened, None]),
            "container_amount": rng.choice([None, None, decimal_text(item.amount or label)]),
            "discarded": rng.choice([left, left, f"{left} {item.unit}", None]),
        }
        for said in rng.sample(SAID, rng.choice([0, 0, 0, 1, 1, 2])):
            row |= said
        made.append(row)
    return made
