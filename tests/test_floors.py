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
    "amount": 1,
    "dated": 1,
    "finding": 2,
    "gs1": 1,
    "hcpcs": 2,
    "shown": 1,
    "grouped": 0,
    "ndc": 2,
    "barcode": 3,
    "tables": 2,
    "mar": 3,
    "routes": 3,
    "units": 3,
    "unread": 3,
    "dose": 4,
    "facts": 5,
    "facts.folder": 5,
    "facts.words": 5,
    "facts.drug_rows": 6,
    "facts.own_tables": 6,
    "facts.policy_rows": 6,
    "facts.product_rows": 6,
    "facts.siblings": 7,
    "facts.by_route": 7,
    "facts.store": 7,
    "facts.drugs": 8,
    "facts.policy": 8,
    "facts.products": 8,
    "facts.site_policy": 9,
    "facts.drug_text": 8,
    "facts.strengths": 8,
    "facts.around_names": 9,
    "facts.beside_names": 9,
    "facts.reading_names": 9,
    "facts.agreement": 9,
    "facts.makers": 9,
    "facts.not_read": 9,
    "facts.by_dose": 9,
    "facts.choosing": 9,
    "facts.combined": 9,
    "facts.code_uses": 9,
    "facts.book": 9,
    "facts.own": 9,
    "facts.reference": 10,
    "facts.search": 10,
    "headings": 11,
    "convert": 11,
    "encounter": 11,
    "keys": 5,
    "quantity": 11,
    "claim": 12,
    "vials": 12,
    "allowed": 13,
    "coding": 14,
    "rules": 14,
    "charging": 15,
    "recipes": 16,
    "batch": 17,
    "formats": 16,
    "refresh": 16,
    "show": 16,
    "audit": 18,
    "lookup": 17,
    "spark": 18,
    "cli.terminal": 19,
    "cli.arguments": 20,
    "cli": 21,
    "cli.units": 21,
    "cli.batch": 21,
    "__main__": 22,
}

# Inside a package its files may use each other, never in a circle; a rule knows none but the registry.
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
    here = ["jcodeunits", *module.split(".")] if path.name == "__init__.py" else ["jcodeunits", *module.split(".")[:-1]]
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
        if isinstance(f, ast.FunctionDef) and f.name in ("__str__", "_repr_html_", "_repr_pretty_")
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


def test_the_house_has_no_circle() -> None:
    left = {
        module: {name for name in _imports(module, path) - {module} if name in SOURCES and not _is_shown(module, name)}
        for module, path in SOURCES.items()
    }
    while free := {module for module, below in left.items() if not below & set(left)}:
        left = {module: below for module, below in left.items() if module not in free}
    assert left == {}


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_fits_on_some_screens(module: str) -> None:
    assert len(SOURCES[module].read_text("utf-8").splitlines()) <= 600


def test_a_class_name_means_one_thing() -> None:
    """One name, one class: who reads `Product` need not ask which."""
    homes: dict[str, list[str]] = {}
    for module, path in SOURCES.items():
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def _names_shipped(called: ast.Attribute) -> bool:
    of_class = isinstance(called.value, ast.Name) and called.value.id == "Reference"
    return called.attr == "shipped" or (of_class and called.attr == "of")


def test_only_a_public_function_names_the_shipped_reference() -> None:
    """The shipped reference is named only where a public function takes its default, and in the command."""
    wrong = []
    for module, path in SOURCES.items():
        for function in ast.walk(_tree(path)):
            if not isinstance(function, ast.FunctionDef):
                continue
            called = [n for n in ast.walk(function) if isinstance(n, ast.Attribute) and _names_shipped(n)]
            names = {arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)}
            if called and ("reference" not in names or function.name.startswith("_")):
                wrong.append(f"{module}.{function.name}")
    assert set(wrong) == {"cli._version", "cli.arguments.facts", "facts.reference._opened"}


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


@pytest.mark.parametrize(("library", "home"), [("pint", "units"), ("tabulate", "show"), ("rapidfuzz", "facts.search")])
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
