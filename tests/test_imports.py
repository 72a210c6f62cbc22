"""What is loaded when: nothing heavy before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "pint",
    "tabulate",
    "rapidfuzz",
    "pyarrow",
    "numpy",
    "pandas",
    "polars",
    "openpyxl",
    "fhir",
    "matplotlib",
    "tqdm",
)


def _loaded(statement: str) -> set[str]:
    """The top-level modules in memory after a statement, in an interpreter of its own."""
    return {name.split(".")[0] for name in _modules(statement)}


def _modules(statement: str) -> set[str]:
    tell = "sys.stdout = sys.__stdout__\nprint(' '.join(sys.modules))"
    script = f"import sys, io\n{statement}\n{tell}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def _command(*words: str) -> str:
    return f"sys.stdout = io.StringIO()\nfrom jcodeunits.cli import main\nassert main({list(words)!r}) == 0"


@pytest.mark.parametrize(
    "statement",
    [
        "import jcodeunits",
        _command("--help"),
        _command("find", "toradol", "--on", "2026-03-02"),
        _command("find", "J1030", "--history"),
        _command("units", "ketorolac", "30", "mg", "--on", "2026-03-02"),
    ],
    ids=["import", "help", "find", "history", "units-without-conversion"],
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    assert _loaded(statement).isdisjoint(HEAVY)


def test_units_of_a_code_that_everybody_takes_load_no_rules_of_payers_and_no_links() -> None:
    loaded = _modules(_command("units", "J1885", "30 mg", "--on", "2026-03-02"))
    assert loaded.isdisjoint({"jcodeunits.facts.policy", "jcodeunits.facts.policy_rows", "urllib.parse"})


@pytest.mark.parametrize(
    ("verb", "text", "unasked"), [("find", "ketorolac", "jcodeunits.facts.product_rows"), ("lookup", "JZ", "zoneinfo")]
)
def test_a_search_loads_neither_products_nor_the_zones_of_clocks(verb: str, text: str, unasked: str) -> None:
    assert unasked not in _modules(_command(verb, text, "--on", "2026-03-02"))


def test_the_package_alone_loads_nothing_but_the_standard_library() -> None:
    own = _loaded("import jcodeunits") - _loaded("pass")
    assert own <= {"jcodeunits"} | set(sys.stdlib_module_names)


def test_pint_is_loaded_when_two_units_meet() -> None:
    assert "pint" in _loaded(
        "import jcodeunits as jc\nassert int(jc.billing_units('J0696', '1 g', on='2026-03-02')) == 4"
    )


def test_every_public_name_is_there() -> None:
    import jcodeunits

    missing = [name for name in jcodeunits.__all__ if not hasattr(jcodeunits, name)]
    assert missing == []
    assert set(jcodeunits.__all__) <= set(dir(jcodeunits))


def test_an_unknown_name_is_an_attribute_error() -> None:
    import jcodeunits

    with pytest.raises(AttributeError, match="no attribute 'bill'"):
        jcodeunits.bill  # noqa: B018 - asking is the test
