"""Units against an independent reading of CMS's descriptors: another parser, which shares no line with the package.

It takes a descriptor that prints one amount alone and divides by hand; what prints none or several it leaves out.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest

import jcodeunits as jc
from jcodeunits.errors import JcodeunitsError

ON = "2026-08-03"  # within the quarter of the file
FILE = "cms/hcpcs/hcpcs_2026Q3.xlsx"

NUMBER = r"(?<![\w.,-])(\d[\d,]*\.?\d*|\.\d+)"
MEASURE = (
    r"mg|milligrams?|mcg|micrograms?|gm|grams?|g|ml|milliliters?|cc|meq|milliequivalents?|"
    r"(?:international |usp |iu )?units?|iu|i\.u\.|millicuries?|microcuries?|sq cm|square centimeters?"
)
AMOUNT = re.compile(rf"{NUMBER}\s*({MEASURE})(?![\w/])", re.IGNORECASE)
WRITTEN = {
    "mg": "mg", "milligram": "mg", "mcg": "mcg", "microgram": "mcg", "gm": "g", "gram": "g", "g": "g", "ml": "mL",
    "milliliter": "mL", "cc": "mL", "meq": "mEq", "milliequivalent": "mEq", "unit": "units", "international unit": "units",
    "usp unit": "units", "iu unit": "units", "iu": "units", "i.u.": "units",
}  # fmt: skip
# Words with which a descriptor counts something else than one amount of one drug.
OTHERWISE = re.compile(
    r"\d\s*%|\band (?:up to|over|above)|more than|greater than|over \d|at least|per dose|study dose|\d to \d|not otherwise|"
    r"m?g\s?/|less than|per treatment|compounded|nutrition|kit\b|\bwith \d|each|concentrat|not to exceed",
    re.IGNORECASE,
)


def descriptors(file: Path) -> dict[str, str]:
    """The long descriptor of each J, Q and C code that has not ended, its lines joined."""
    rows = openpyxl.load_workbook(file, read_only=True).worksheets[0].iter_rows(values_only=True)
    ends = next(rows).index("TERM DT")
    found: dict[str, str] = {}
    for row in rows:
        name, kind, text = str(row[0] or "").strip(), str(row[2]), row[3] or ""
        ended = str(row[ends] or "").strip() or "9"
        if re.fullmatch(r"[JQC]\d{4}", name) and kind in ("3", "4") and ended > ON.replace("-", ""):
            found[name] = f"{found.get(name, '')} {text}".strip()
    return found


def one_amount(text: str) -> tuple[Fraction, str] | None:
    """The amount of one billing unit where the descriptor prints one alone; None otherwise."""
    printed = AMOUNT.findall(text)
    if len(printed) != 1 or OTHERWISE.search(text):
        return None
    number, measure = printed[0]
    unit = WRITTEN.get(measure.lower().removesuffix("s") if measure.lower() != "i.u." else "i.u.")
    return None if unit is None else (Fraction(number.replace(",", "").rstrip(".")), unit)


def compared(known: dict[str, tuple[Fraction, str]], count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How many calls agree and are refused, and every one that differs."""
    rng, seen, wrong = random.Random(seed), Counter[str](), []
    codes = sorted(known)
    while seen.total() < count:
        code = rng.choice(codes)
        size, unit = known[code]
        dose = Decimal(rng.randrange(1, 10 ** rng.randrange(1, 8))).scaleb(-rng.randrange(0, 4))
        try:
            answer = jc.billing_units(code, f"{dose:f} {unit}", ON)
        except JcodeunitsError as why:
            seen["refused"] += 1
            seen[f"refused {code} {type(why).__name__}"] += 0
            continue
        right = math.ceil(Fraction(dose) / size)
        seen["agrees" if answer.count == right else "differs"] += 1
        if answer.count != right:
            wrong.append(f"{code} {dose:f} {unit}: {answer.count}, by hand {right}")
    return seen, wrong


@pytest.fixture(scope="module")
def known(shared: Path) -> dict[str, tuple[Fraction, str]]:
    read = {code: one_amount(text) for code, text in descriptors(shared / FILE).items()}
    return {code: amount for code, amount in read.items() if amount is not None}


def test_the_other_parser_reads_most_descriptors(known: dict[str, tuple[Fraction, str]]) -> None:
    assert len(known) > 900
    assert known["J0696"] == (250, "mg")
    assert known["J1885"] == (15, "mg")


def test_two_thousand_calls_agree_with_another_reading(known: dict[str, tuple[Fraction, str]]) -> None:
    seen, wrong = compared(known, 2000, 1)
    assert wrong == []
    assert seen["agrees"] > 0.97 * 2000, seen


@pytest.mark.hour
def test_two_hundred_thousand_calls_agree_with_another_reading(known: dict[str, tuple[Fraction, str]]) -> None:
    seen, wrong = compared(known, 200_000, random.randrange(10**9))
    print({name: seen[name] for name in ("agrees", "differs", "refused")})
    assert wrong == []
