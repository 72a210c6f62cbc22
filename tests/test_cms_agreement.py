"""Agreement with CMS: every plain dosage of every crosswalk quarter found, billed.

A row whose dosage is one plain amount bills 1, 3, 3 and 1 units for 1, 3, 2.5 and 0.4 times it. Rows that do
not agree stand in disagreements.csv with the reason; nothing else may disagree, in quarters to come either.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from shipped import DRUGS, rows_of

import jcodeunits as jc
from jcodeunits import units
from jcodeunits.errors import JcodeunitsError
from jcodeunits.refresh import asp, lint
from jcodeunits.refresh.amounts import dosage, plain
from jcodeunits.refresh.dating import When
from jcodeunits.refresh.family import Asked
from jcodeunits.refresh.files import Published
from jcodeunits.refresh.lint import Disagreement

TIMES = [(Decimal("1"), 1), (Decimal("3"), 3), (Decimal("2.5"), 3), (Decimal("0.4"), 1)]
LISTED = {(row.code, row.cms_dosage): row for row in rows_of(Disagreement)}
SIX = {"2024Q1", "2024Q2", "2024Q4", "2025Q2", "2025Q4", "2026Q1"}


@pytest.fixture(scope="module")
def printed(shared: Path) -> list[tuple[str, str, When]]:
    found = set()
    for path in sorted((shared / "cms" / "asp_crosswalk").glob("*.csv")):
        file = Published(path)
        when = asp.when_of(file, Asked(), asp.CROSSWALK_COLUMNS)
        found |= {(row.code, row.dosage, when) for row in asp.crosswalk_rows(file)}
    return sorted(found)


def agrees(code: str, words: str, quarter: When) -> bool:
    """Whether the row in effect has the unit that CMS prints; a code that is not in effect has none."""
    row = next((r for r in DRUGS.rows(code) if r.period.holds(quarter.first)), None)
    return row is not None and lint.agrees(row, words) is True


def test_the_six_quarters_hold_as_many_triples_as_they_do(printed: list[tuple[str, str, When]]) -> None:
    quarters = {quarter.name.upper() for _code, _words, quarter in printed}
    assert quarters >= SIX
    assert sum(quarter.name.upper() in SIX for _code, _words, quarter in printed) == 5338


def test_every_plain_dosage_bills_what_it_says(printed: list[tuple[str, str, When]]) -> None:
    wrong, agreeing = [], 0
    for code, words, quarter in printed:
        amount = dosage(words)
        if amount is None or ((code, words) in LISTED and not agrees(code, words, quarter)):
            continue
        for times, expected in TIMES:
            dose = f"{plain(amount[0] * times)} {units.label(amount[1])}"
            try:
                count = jc.billing_units(code, dose, on=quarter.first).count
            except JcodeunitsError as why:
                wrong.append(f"{code} {words!r} {quarter.name}: {why}")
                break
            if count != expected:
                wrong.append(f"{code} {words!r} {quarter.name}: {dose} bills {count}, not {expected}")
        else:
            agreeing += 1
    assert wrong == []
    assert agreeing >= 5180


def test_a_listed_disagreement_is_one_and_is_found_where_it_is_said(printed: list[tuple[str, str, When]]) -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    for code, words, quarter in printed:
        if (code, words) in LISTED and not agrees(code, words, quarter):
            seen.setdefault((code, words), set()).add(quarter.name.upper())
    assert {key: names & SIX for key, names in seen.items()} == {key: set(row.quarters) for key, row in LISTED.items()}


def test_the_dose_grammar_reads_the_dosages_that_cms_prints(printed: list[tuple[str, str, When]]) -> None:
    read = 0
    for _code, words, _quarter in printed:
        amount = dosage(words)
        if amount is None or not words[:1].isdigit() or words.upper() != words or "VWF" in words:
            continue
        dose = jc.Dose.of(" ".join(words.split()))
        assert dose.amount * units.factor(dose.unit, amount[1]) == Fraction(amount[0]), words
        read += 1
    assert read >= 4700


def test_the_list_is_short_and_each_row_has_its_reason() -> None:
    assert len({code for code, _words in LISTED}) <= 12
    assert all(len(row.reason) > 20 for row in LISTED.values())
