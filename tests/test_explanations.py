"""The explanation, line by line, for one case of each way that a dose is counted."""

import json
from pathlib import Path

import pytest

from jcodeunits.convert import billing_units
from jcodeunits.dose import Dose

CASES = json.loads((Path(__file__).parent / "cases" / "explanations.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['ask'][0]}-{case['ask'][1]}")
def test_an_explanation_shows_each_step_with_its_source(case):
    drug, asked, on, basis = case["ask"]
    if isinstance(asked, dict):
        ((way, parts),) = asked.items()
        asked = getattr(Dose, way)(*parts)
        assert asked.written == case["written"]
    assert billing_units(drug, asked, on=on, basis=basis).explain().splitlines() == case["explains"]
