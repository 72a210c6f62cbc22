"""Encounters as cases: what must come out, by the rules and not by our own output."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jcodeunits.charging import charge
from jcodeunits.claim import Charge
from jcodeunits.errors import JcodeunitsError

FILES = sorted((Path(__file__).parent / "cases").glob("encounters_*.json"))
CASES = {f"{path.stem}-{case['id']}": case for path in FILES for case in json.loads(path.read_text("utf-8"))}


def encounter_of(case: dict[str, Any]) -> dict[str, Any]:
    """A whole encounter, or one administration in the office."""
    if "encounter" in case:
        return case["encounter"]
    on = case.get("on", "2026-03-02")
    return {"on": on, "place": "11", "payer": "medicare", "administrations": [case["admin"]]}


def problems(case: dict[str, Any], made: Charge) -> list[str]:
    """What a charge lacks, or has beside what the case wants; empty when all is well."""
    lines = [(line.code, set(line.modifiers), line.units) for line in made.lines]
    findings = made.as_dict()["findings"]
    said = [f"{f['rule']} {f['says']} {f['fix']}" for f in findings]
    wrong = [
        f"lacks {code} {mods} x {units}"
        for code, mods, units in case.get("has", ())
        if not _has(lines, code, mods, units)
    ]
    wrong += [
        f"{code} does not total {units}"
        for code, units in case.get("total", ())
        if sum(u for c, _, u in lines if c == code) != units
    ]
    wrong += [
        f"{code} has none of {mods}"
        for code, mods in case.get("one_of", ())
        if not any(c == code and m & set(mods) for c, m, _ in lines)
    ]
    wrong += [f"has {code}" for code in case.get("lacks", ()) if any(c == code for c, _, _ in lines)]
    wrong += [
        f"{code} carries {mod}"
        for code, mod in case.get("without", ())
        if any(c == code and mod in m for c, m, _ in lines)
    ]
    wrong += [
        f"nothing says {text}" for text in case.get("says", ()) if not any(re.search(text, s, re.I) for s in said)
    ]
    wrong += [f"{rule} speaks" for rule in case.get("silent", ()) if any(f["rule"] == rule for f in findings)]
    if "stop" in case and case["stop"] is made.ok:
        wrong.append(f"stop is not {case['stop']}")
    if "lines" in case:
        wrong += _drug_lines(case, lines)
    if "bills" in case:
        wrong += _whole(case["bills"], lines)
    wrong += [f"{f['rule']} cites nothing" for f in findings if not all(f["citations"]) or not f["citations"]]
    return wrong


def _has(lines: list[tuple[str, set[str], int]], code: str, mods: list[str], units: int | None) -> bool:
    return any(
        c == code and set(mods) <= m and ("JW" in m) == ("JW" in mods) and units in (None, u) for c, m, u in lines
    )


def _whole(wanted: list[list[Any]], lines: list[tuple[str, set[str], int]]) -> list[str]:
    """Whether exactly these lines are billed, in whatever order."""
    mine = sorted([code, sorted(mods), units] for code, mods, units in lines)
    want = sorted([code, sorted(mods), units] for code, mods, units in wanted)
    return [] if mine == want else [f"bills {mine}, not {want}"]


def _drug_lines(case: dict[str, Any], lines: list[tuple[str, set[str], int]]) -> list[str]:
    mine = [(c, sorted(m & {"JW", "JZ"}), u) for c, m, u in lines if c == case["admin"]["drug"]]
    want = [(c, [m] if m else [], u) for c, m, u in case["lines"]]
    return [] if mine == want else [f"{mine} is not {want}"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_encounter_bills_what_its_case_says(case: dict[str, Any]) -> None:
    assert problems(case, charge(encounter_of(case))) == []


def test_ids_are_used_once_and_every_case_says_why_and_what() -> None:
    assert len(CASES) == sum(len(json.loads(path.read_text("utf-8"))) for path in FILES)
    for case in CASES.values():
        assert case["why"]
        assert {"has", "total", "lacks", "says", "without", "silent", "one_of", "stop", "bills"} & set(case)


@pytest.mark.parametrize("name", ["encounters.json", "waste.json"])
def test_the_shared_cases_hold(shared: Path, name: str) -> None:
    for case in json.loads((shared / "cases" / name).read_text("utf-8")):
        assert (case["id"], _shared_problems(case)) == (case["id"], [])


def _shared_problems(case: dict[str, Any]) -> list[str]:
    """The same judgment, for cases that may also want the encounter refused."""
    refusal = case.get("expect_refusal")
    try:
        made = charge(encounter_of(case))
    except JcodeunitsError as error:
        return [] if refusal and refusal in str(error) else [str(error)]
    if refusal:
        return [] if not made.ok and refusal in made.explain() else ["it is not refused"]
    return problems(case, made)


def test_the_judge_sees_what_is_wrong() -> None:
    case = {
        "has": [["96372", ["25"], 1], ["J1885", [], 3]],
        "total": [["96372", 2]],
        "lacks": ["96372"],
        "one_of": [["96372", ["59"]]],
        "without": [["J1885", "XX"]],
        "says": ["no such words"],
        "silent": ["unit-limit"],
        "stop": True,
        "bills": [["J1885", [], 2]],
    }
    made = charge(
        {
            "on": "2026-03-02",
            "place": "11",
            "diagnoses": ["R52"],
            "administrations": [{"drug": "ketorolac", "dose": "30 mg", "route": "IM"}],
        }
    )
    assert len(problems(case, made)) == 8
