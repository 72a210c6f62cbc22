"""The notebooks run, and what they show is what was committed.

`python tests/test_notebooks.py` runs them and writes their outputs anew.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = ("a_code_change", "a_days_charges", "a_dose", "two_audits", "vials_and_waste")
PLOTS = {"a_code_change": 2, "a_days_charges": 1, "a_dose": 0, "two_audits": 2, "vials_and_waste": 3}


def _read(name: str) -> Any:
    nbformat = pytest.importorskip("nbformat")
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def _run(name: str) -> Any:
    """The notebook run from top to bottom in a kernel of its own."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    book = _read(name)
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    return book


def _cells(book: Any) -> list[Any]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def _shown(cell: Any) -> list[str]:
    """The text of a cell's outputs; a picture by its kind, because its bytes depend on the fonts."""
    shown: list[str] = []
    for before, output in zip([None, *cell.outputs], cell.outputs, strict=False):
        if before is not None and output.output_type == before.output_type == "stream":
            shown[-1] += output.text  # a kernel sends what is printed in one part or in several
            continue
        data = output.get("data", {})
        said = output.get("text") or data.get("text/html") or data.get("text/plain", "")
        shown.append("picture" if "image/png" in data else re.sub(r"0x[0-9a-f]+", "", said))
    return shown


def test_there_are_these_notebooks() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_committed(name: str) -> None:
    book = _read(name)
    cells = _cells(book)
    assert all(cell.execution_count == number for number, cell in enumerate(cells, 1))
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert sum("image/png" in o.get("data", {}) for cell in cells for o in cell.outputs) == PLOTS[name]
    assert not any(output.get("name") == "stderr" for cell in cells for output in cell.outputs)  # no warning
    assert book.cells[0].cell_type == "markdown"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_found_and_opens_without_a_question(name: str) -> None:
    assert f"](notebooks/{name}.ipynb)" in (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert _read(name).metadata["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_shows_what_was_committed(name: str) -> None:
    again = [_shown(cell) for cell in _cells(_run(name))]
    assert again == [_shown(cell) for cell in _cells(_read(name))]


if __name__ == "__main__":
    import nbformat

    for name in NAMES:
        made = _run(name)
        made.metadata["language_info"] = {"name": "python"}  # not the interpreter of this machine
        for cell in _cells(made):
            cell.metadata = {}
        nbformat.write(made, FOLDER / f"{name}.ipynb")
