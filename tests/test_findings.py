"""Findings: declared where they are made, collected by one registry, none forgotten on either side."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import POLICY

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
