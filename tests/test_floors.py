"""Values flow one way: a module imports only from floors below its own."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "jcodeunits"

# Floor of each module; the files of a package share its floor unless they are named.
FLOORS = {
    "errors": 0,
    "amount": 1, "cite": 1, "period": 1,
    "finding": 2, "hcpcs": 2, "ndc": 2, "tables": 2, "trace": 2,
    "routes": 3, "units": 3,
    "dose": 4,
    "catalog": 5, "policy": 5, "products": 5,
    "search": 6,
    "claim": 7, "convert": 7, "quantity": 7,
    "vials": 8,
    "coding": 9, "rules": 9,
    "charging": 10,
    "batch": 11, "formats": 11, "refresh": 11, "show": 11,
    "audit": 12, "spark": 12,
    "cli.terminal": 13,
    "cli.arguments": 14,
    "cli.counter": 15, "cli.knowledge": 15,
    "cli.bulk": 16, "cli.encounter": 16, "cli.quarter": 16, "cli.shelf": 16,
    "cli": 17,
    "__main__": 18,
}  # fmt: skip

# Inside a package its files may use each other; a rule knows none but the registry.
RULES_MAY_USE = {"rules._registry"}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _sources() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "__init__.py"
    }


SOURCES = _sources()


def _package(module: str) -> str:
    return module.split(".")[0]


def _floor(module: str) -> int:
    return FLOORS[module] if module in FLOORS else FLOORS[_package(module)]


def _imports(module: str, path: Path) -> set[str]:
    """The modules of the package that a file imports, at the top or inside a function."""
    here = (
        ["jcodeunits", *module.split(".")]
        if path.name == "__init__.py"
        else ["jcodeunits", *module.split(".")[:-1]]
    )
    found = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("jcodeunits.")}
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            home = ".".join([*base, *([node.module] if node.module else [])])
            if home == "jcodeunits" or home.startswith("jcodeunits."):
                names = {f"{home}.{alias.name}" for alias in node.names}
                found |= {name if name.removeprefix("jcodeunits.") in SOURCES else home for name in names}
    return {name.removeprefix("jcodeunits.") for name in found if name != "jcodeunits"}


def _shows(path: Path, imported: str) -> bool:
    """The one look upwards: `show` is imported only where a type displays itself."""
    tree = _tree(path)
    every = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and imported in _named(n)]
    inside = [
        n
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef) and f.name in ("_repr_html_", "_repr_pretty_")
        for n in ast.walk(f)
        if isinstance(n, ast.ImportFrom) and imported in _named(n)
    ]
    return len(every) == len(inside) > 0


def _named(node: ast.ImportFrom) -> set[str]:
    return {*(node.module or "").split("."), *(alias.name for alias in node.names)}


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_imports_only_from_floors_below(module: str) -> None:
    wrong = []
    for imported in _imports(module, SOURCES[module]) - {module}:
        below = _floor(imported) < _floor(module)
        if below or _is_of_one_package(module, imported) or _is_shown(module, imported):
            continue
        wrong.append(f"{module} (floor {_floor(module)}) imports {imported} (floor {_floor(imported)})")
    assert wrong == []


def _is_of_one_package(module: str, imported: str) -> bool:
    if _package(module) != _package(imported) or _floor(module) != _floor(imported):
        return False
    return _package(module) != "rules" or module == "rules" or imported in RULES_MAY_USE


def _is_shown(module: str, imported: str) -> bool:
    return imported == "show" and _shows(SOURCES[module], "show")


def test_every_module_has_a_floor() -> None:
    assert [module for module in SOURCES if module not in FLOORS and _package(module) not in FLOORS] == []


def test_no_floor_is_of_a_module_that_has_gone() -> None:
    assert [name for name in FLOORS if name not in SOURCES] == []


def test_coding_and_rules_do_not_know_each_other() -> None:
    crossing = [
        (module, imported)
        for module in SOURCES
        for imported in _imports(module, SOURCES[module])
        if {module.split(".")[0], imported.split(".")[0]} == {"coding", "rules"}
    ]
    assert crossing == []


@pytest.mark.parametrize(
    ("library", "home"), [("pint", "units"), ("tabulate", "show"), ("rapidfuzz", "search")]
)
def test_one_module_for_each_library(library: str, home: str) -> None:
    users = set()
    for module, path in SOURCES.items():
        for node in ast.walk(_tree(path)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            users |= {module for name in names if name.split(".")[0] == library}
    assert users <= {home}
    assert users, f"{library} is imported nowhere"


def test_only_the_command_asks_what_day_it_is() -> None:
    asking = [
        module
        for module, path in SOURCES.items()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("today", "now", "utcnow", "localtime", "time_ns")
    ]
    assert set(asking) == {"cli.arguments"}
