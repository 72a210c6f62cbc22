"""Facts are rows: the package's code holds no drug code, procedure code, NDC or payer name."""

from __future__ import annotations

import ast
import csv
import re
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "jcodeunits"
REFERENCE = Path(__file__).parent.parent / "reference"
SOURCES = sorted(PACKAGE.rglob("*.py"))

DRUG_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Z]\d{4}(?![A-Za-z0-9])")
PROCEDURE = re.compile(r"(?<![\dA-Za-z.,])\d{4}[0-9TFU](?![\dA-Za-z])")
NDC = re.compile(r"(?<!\d)\d{4,6}-\d{3,4}-\d{1,2}(?!\d)")
LONG_NUMBER = re.compile(r"(?<![\d.])\d{10,11}(?!\d)")


@cache
def _strings(path: Path) -> list[tuple[int, str]]:
    """Text constants of a file, docstrings left out."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


@cache
def _values(table: str, column: str) -> set[str]:
    path = REFERENCE / f"{table}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {row[column] for row in csv.DictReader(file)}


def _found(path: Path, pattern: re.Pattern[str]) -> list[str]:
    return [f"{path.name}:{line}: {match[0]}" for line, text in _strings(path) for match in pattern.finditer(text)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_source_holds_no_code_of_a_drug_a_procedure_or_a_package(path: Path) -> None:
    found = [hit for pattern in (DRUG_CODE, PROCEDURE, NDC, LONG_NUMBER) for hit in _found(path, pattern)]
    assert found == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_source_names_no_payer(path: Path) -> None:
    # "medicare" alone is the contract's default value of an encounter, and stands where that default is.
    payers = _values("payers", "payer") - {"any", "medicare"}
    named = re.compile(rf"(?i)(?<![\w-])(?:{'|'.join(map(re.escape, sorted(payers)))})(?![\w-])")
    found = [f"{path.name}:{line}: {text!r}" for line, text in _strings(path) if named.search(text)]
    assert found == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_source_names_no_brand(path: Path) -> None:
    brands = {brand for brand in _values("brands", "brand") if len(brand) >= 5}
    words = {(line, word) for line, text in _strings(path) for word in re.findall(r"[A-Z][a-z]{4,}", text)}
    assert {hit for hit in words if hit[1] in brands} == set()


def test_the_patterns_see_what_they_look_for(tmp_path: Path) -> None:
    source = tmp_path / "bad.py"
    source.write_text(
        '"""J0696 in a docstring."""\nA = "J1885"\nB = f"{A} 96372"\nC = "0409-3795-01"\nD = "00409379501"\n'
    )
    assert _found(source, DRUG_CODE) == ["bad.py:2: J1885"]
    assert _found(source, PROCEDURE) == ["bad.py:3: 96372"]
    assert _found(source, NDC) == ["bad.py:4: 0409-3795-01"]
    assert _found(source, LONG_NUMBER) == ["bad.py:5: 00409379501"]
