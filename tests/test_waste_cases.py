"""Every worked example of discarded drug, as drug lines: the right ones, and the wrong ones with our side."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from shipped import REFERENCE

from jcodeunits.coding.drug_lines import DrugLines, drug_lines
from jcodeunits.encounter import Encounter

FOLDER = Path(__file__).parent / "cases"
CASES = list(csv.DictReader((FOLDER / "waste.csv").open(encoding="utf-8", newline="")))


def lines_of(
    on: str, administration: dict[str, Any], payer: str = "medicare", claim: str = "professional"
) -> DrugLines:
    encounter = {"on": on, "place": "11", "payer": payer, "claim": claim, "administrations": [administration]}
    (answer,) = drug_lines(Encounter.from_dict(encounter), REFERENCE)
    return answer


_ROUTES = {"J0178": "intravitreal"}  # the others go into a vein, or their way changes nothing here


def _administration(case: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "drug": case["drug"],
        "dose": case["dose"],
        "route": _ROUTES.get(case["drug"], "IV infusion"),
    }
    for key, column in (("container", "container"), ("container_amount", "amount"), ("discarded", "discarded")):
        if case[column]:
            made[key] = case[column]
    if case["containers"]:
        made["containers"] = int(case["containers"])
    if case["shared"]:
        made["shared"] = True
    return made


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_worked_example_gives_the_lines_that_its_source_or_our_side_says(case: dict[str, str]) -> None:
    answer = lines_of(case["on"], _administration(case), case["payer"], case["claim"])
    wanted = []
    if case["units"]:
        wanted.append((case["drug"], (case["modifier"],) if case["modifier"] else (), int(case["units"])))
    if case["jw"] != "0":
        wanted.append((case["drug"], ("JW",), int(case["jw"])))
    assert [(line.code, line.modifiers, line.units) for line in answer.lines] == wanted
    said = {finding.rule for finding in answer.findings}
    assert {case["says"]} - {""} <= said
    assert any(finding.severity == "stop" for finding in answer.findings) == (case["stop"] == "yes")
    assert all(finding.citations for finding in answer.findings)


@pytest.mark.parametrize("case", [c for c in CASES if c["amount"]], ids=lambda c: c["id"])
def test_administered_and_discarded_units_never_exceed_the_label_rounded_up(case: dict[str, str]) -> None:
    answer = lines_of(case["on"], _administration(case), case["payer"], case["claim"])
    opened = lines_of(
        case["on"], {"drug": case["drug"], "route": "IV infusion", "container": "multi-dose", "dose": case["amount"]}
    )
    if answer.lines and opened.drug is not None and opened.drug.basis != "band":
        each = opened.lines[0].units
        assert sum(line.units for line in answer.lines) <= each * int(case["containers"] or 2)
