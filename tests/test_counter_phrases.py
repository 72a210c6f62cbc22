"""What pharmacists, nurses and billers type, with the answer that CMS's descriptors and a sum by hand give.

`on`: the day; `answer`: the code and its billing units, or refused; `names`: what a refusal names.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from shipped import billed_as

CASES = Path(__file__).parent / "cases" / "counter_phrases.csv"


def phrases() -> list[dict[str, str]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("case", phrases(), ids=lambda case: f"{case['typed']}-{case['dose']}-{case['on']}")
def test_what_is_typed_at_a_counter_gives_its_code_and_units_or_is_refused(case: dict[str, str]) -> None:
    got = billed_as(case, case["on"])
    assert got == case["answer"] or (case["answer"] == "refused" and got.startswith("refused")), got
    for code in case["names"].split():
        assert code in got
