"""Findings: declared where they are made, collected by one registry, none forgotten on either side."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import POLICY

import jcodeunits as jc
from jcodeunits import rules
from jcodeunits.dated import Citation
from jcodeunits.facts.policy_rows import AdministrationRule, PlaceRule
from jcodeunits.finding import DECLARED, Finding, declare, softened
from jcodeunits.lookup import declared, findings

PACKAGE = Path(__file__).parent.parent / "jcodeunits"
SOURCES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
OF_ROWS = {
    row.reason for row_class in (AdministrationRule, PlaceRule) for row in POLICY.rows(row_class) if row.severity
}


def _texts(node: ast.expr) -> Iterator[str]:
    return (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def _named(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _of_self(call: ast.Call) -> bool:
    """A method of the same name makes no finding."""
    return isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "self"


def _raised(tree: ast.Module) -> set[str]:
    """Every id that a module writes where it makes a finding."""
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.args]
    made = [call for call in calls if _named(call) in ("Finding", "say", "_finding", "_said") and not _of_self(call)]
    return {text for call in made for text in _texts(call.args[0])}


def _declared(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FINDINGS":
            assert isinstance(node.value, ast.Call)
            return set(ast.literal_eval(node.value.args[1]))
    return set()


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_declares_what_it_raises_and_raises_what_it_declares(module: str) -> None:
    raised, said = _raised(SOURCES[module]), _declared(SOURCES[module])
    assert raised - said == set()
    # What a row of a table decides carries the row's own reason.
    assert said - raised <= OF_ROWS


def test_the_registry_holds_every_declaration_and_every_rule_once() -> None:
    every = set().union(*(_declared(tree) for tree in SOURCES.values()))
    assert {kind.id for kind in declared()} == every
    listed = [row["id"] for row in findings()]
    assert len(listed) == len(set(listed))
    assert set(listed) >= every | {rule.id for rule in rules.registry()}
    assert all(row["title"] and row["severity"] for row in findings())


def test_an_id_means_one_thing() -> None:
    known = declared()[0]
    assert declare("somewhere", {known.id: (known.title, known.severities)})
    with pytest.raises(ValueError, match="declared otherwise"):
        declare("somewhere", {known.id: ("another thing", known.severities)})
    assert DECLARED[known.id].module != "somewhere"


@pytest.mark.parametrize("kind", declared(), ids=lambda kind: kind.id)
def test_a_declaration_says_its_severities(kind: object) -> None:
    assert set(kind.severities.split(", ")) <= {"stop", "warn", "note"}  # type: ignore[attr-defined]


def test_general_knowledge_never_stops_a_claim() -> None:
    low, high = Citation("guide", confidence="low"), Citation("cpm-17")
    assert softened("stop", (low,)) == "warn"
    assert softened("stop", (low, high)) == "stop"
    assert softened("note", (low,)) == "note"
    with pytest.raises(ValueError, match="general knowledge"):
        Finding("x", "stop", "says", "fix", (low,))


# --- how far the data reach ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "on", "far"),
    [
        ("IM", "2024-09-01", []),
        ("IM", "2024-12-31", [("note", "edits to 2024-09-30")]),
        ("IM", "2025-01-01", [("warn", "edits to 2024-09-30")]),
        ("IV push", "2026-03-02", [("note", "pairs of 96374: none loaded")]),
        (
            "IM",
            "2026-11-26",
            [("note", "codes to 2026-09-30"), ("warn", "edits to 2024-09-30"), ("warn", "products to 2026-03-31")],
        ),
    ],
)
def test_a_family_past_its_reach_is_named_where_the_answer_used_it(route: str, on: str, far: list[object]) -> None:
    given = {"drug": "ketorolac", "dose": "30 mg", "route": route, "ndc": "0409-3795-01", "containers": 1}
    made = jc.charge(
        {
            "on": on,
            "place": "11",
            "visit": {"code": "99213", "separate": True},
            "diagnoses": ["R52"],
            "administrations": [given],
        }
    )
    assert sorted((f.severity, f.reach) for f in made.findings if f.reach) == far


def test_on_the_command_line_reach_is_one_line_and_what_was_never_loaded_stands_first() -> None:
    from jcodeunits.cli.terminal import finding_lines

    cite = (Citation("cpm-17"),)
    findings = [
        Finding("data-reach", "note", "Codes.", "", cite, reach="codes to 2026-09-30"),
        Finding("limits-reach", "warn", "Pairs.", "", cite, reach="pairs of 96374: none loaded"),
        Finding("limits-reach", "warn", "Limits.", "", cite, reach="limits to 2026-09-30"),
    ]
    (line,) = finding_lines(findings, plain=True, room=5)[:1]
    assert line.startswith("warn: data: pairs of 96374: none loaded, ")
    assert len(finding_lines(findings, plain=True, cited=True)) > len(finding_lines(findings, plain=True))
