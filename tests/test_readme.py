"""The README's examples run; the counts and the list of findings in `reference/README.md` are those of the tables.

`python tests/test_readme.py` writes them anew.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
from shipped import DRUGS, rows_of

from jcodeunits.facts.product_rows import Product

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
MADE = ROOT / "reference" / "README.md"  # the page that holds what is made
TEXT = README.read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def rules_table() -> str:
    """The findings of the code as a table."""
    from jcodeunits.lookup import findings

    rows = [f"| `{row['id']}` | {row['title']} | {row['severity']} |" for row in findings()]
    return "\n".join(["| rule | what it is about | severity |", "|---|---|---|", *rows]) + "\n"


def coverage_table() -> str:
    """What the catalog holds and can compute."""
    from jcodeunits.refresh.lint import coverage

    book = DRUGS
    counts = coverage(book.drugs, book.successors).rows()
    rows = [f"| {name.replace(DEEPER, '&emsp;')} | {count:,} |" for name, count in counts]
    return "\n".join(["| codes | |", "|---|--:|", *rows]) + "\n"


def products_table() -> str:
    """How the NDC quantity of the open NDCs is known."""

    rows = rows_of(Product)
    proofs = Counter(PROOFS[row.proof] for row in rows if row.ends is None)
    counted = [("NDCs known", len({row.ndc for row in rows})), *proofs.most_common()]
    shown = [f"| {name} | {count:,} |" for name, count in counted]
    return "\n".join(["| products | |", "|---|--:|", *shown]) + "\n"


def editions_table() -> str:
    """Of each published file the editions that the tables were made from."""
    from jcodeunits import tables
    from jcodeunits.refresh import families

    read: dict[tuple[str, str], list[str]] = {}
    for source in sorted(tables.sources()):
        family, file = families.of_source(source), families.file_of(source)
        if family is not None:
            read.setdefault((family.name, file), []).append(source.removeprefix(f"{file}-"))
    rows = [f"| {name} | `{file}` | {', '.join(editions)} |" for (name, file), editions in sorted(read.items())]
    return "\n".join(["| published file | its sources begin with | editions |", "|---|---|---|", *rows]) + "\n"


def columns_table() -> str:
    """The columns of a batch, an audit and a charge table."""
    from importlib import import_module

    made = []
    for title, name in {"Batch": "batch.table", "Audit": "audit", "Chargemaster": "audit.chargemaster"}.items():
        module = import_module(f"jcodeunits.{name}")
        parts = {"wanted": module.REQUIRED, "optional": module.OPTIONAL, "out": module.OUTPUTS}
        made += [f"### {title}", ""]
        made += [f"- **{kind}** {', '.join(f'`{one}`' for one in names)}" for kind, names in parts.items()]
        made.append("")
    return "\n".join(made)


def keys_table() -> str:
    """The keys of an encounter, with their flags and what they mean."""
    from jcodeunits.encounter import Administration, Encounter, OpenedProduct, Patient, Service, Visit
    from jcodeunits.keys import flags_of, keys_of

    flags = {(kind, key.path): key.name for kind in (Encounter, Administration) for key in flags_of(kind)}
    inside = {Visit: "visit", Patient: "patient"}
    made = []
    for kind in (Encounter, Visit, Service, Patient, Administration, OpenedProduct):
        rows = []
        for name, field in keys_of(kind).items():
            key, default = field.metadata["kind"], field.default
            known = [field.metadata["says"], ", ".join(f"`{one}`" for one in key.allowed)]
            known.append(f"`{default}` if left out" if isinstance(default, str) else "")
            place = (Encounter, (inside[kind], name)) if kind in inside else (kind, (name,))
            flag = flags.get(place, "")
            rows.append(f"| `{name}` | {f'`--{flag}`' if flag else ''} | {'; '.join(filter(None, known))} |")
        made += [f"**{kind.__name__}**", "", "| key | flag | what |", "|---|---|---|", *rows, ""]
    return "\n".join(made)


OF_A_SITE = {"manifest.json"}  # files that a page tells of and that stand in somebody's own folder
PROOFS = {
    "fda-volume": "open, mL: the FDA list gives the same volume as the package size",
    "same-concentration": "open, mL: same concentration as a proved liquid of the code",
    "fda-mass-only": "open, UN: a mass without a volume, and no liquid under the code or a second witness",
    "one-per-container": "open, UN: every package of the code counts as one",
    "whole-package": "open, UN: a state's file counts the whole package as one",
    "reviewed": "open: container reviewed by hand",
    "va-prices": "open: the federal price schedule names what the package size counts",
    "nadac-unit": "open: CMS's pharmacy cost survey prints the unit, and the package size fits it",
    "state-container": "open, UN: a state's file counts a container as one, and that is not one mL",
    "list-volume": "open, outside the crosswalk, mL: the FDA list names volume and concentration",
    "list-concentration": "open, outside the crosswalk, mL: the FDA list prints a concentration, and another witness",
    "list-mass": "open, outside the crosswalk, UN: a mass alone, and another file a powder",
    "state-quantity": "open, mL: a state's file counts a container as the package size",
    "fda-notice": "open, mL: an FDA notice names a volume and a concentration that fit",
    "counted-in-ml": "open, mL: the code counts millilitres",
    "another-package": "open: the other packages of the product are counted so",
    "descriptor": "open: the code's descriptor names a solution or a powder, and the package size fits it",
    "nsde-unit": "open: the FDA's NSDE prints the unit, and what a container holds follows from it",
    "directory": "open: the FDA's directory says what a container holds",
    "per-unit": "open, outside the crosswalk: another file's unit fits what a state's file counts as one",
    "": "open: not proved, so the caller says what the container holds",
}
DEEPER = "  "
BLOCKS_MADE = {
    "columns": columns_table,
    "keys": keys_table,
    "rules": rules_table,
    "coverage": coverage_table,
    "editions": editions_table,
    "products": products_table,
}


def _made(name: str) -> tuple[str, str]:
    """The marks around a part of the README that is made."""
    return f"<!-- {name} -->\n", f"<!-- /{name} -->"


def _console() -> list[tuple[str, str]]:
    """Commands with the output that the README shows."""
    found = []
    for language, block in BLOCKS:
        if language == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                found.append((command, shown.replace("<BLANKLINE>", "")))
    return found


def _python(holding: str) -> str:
    """The one Python block that holds some text."""
    (block,) = [block for language, block in BLOCKS if language == "python" and holding in block]
    return block


@pytest.mark.parametrize(("command", "shown"), _console(), ids=[command for command, _ in _console()])
def test_a_command_prints_what_the_readme_shows(command: str, shown: str) -> None:
    from jcodeunits import cli

    program, *words = shlex.split(command)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        cli.main(words)
    assert program == "jcodeunits"
    assert doctest.OutputChecker().check_output(shown, said.getvalue(), FLAGS), said.getvalue()


def test_the_lines_of_python_do_what_they_say() -> None:
    example = doctest.DocTestParser().get_doctest(_python(">>>"), {}, "README", str(README), 0)
    assert len(example.examples) >= 4
    result = doctest.DocTestRunner(optionflags=FLAGS | doctest.IGNORE_EXCEPTION_DETAIL).run(example)
    assert result.failed == 0


def _message(**changed: object) -> str:
    message = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "effectiveDateTime": "2026-03-02",
        "medicationCodeableConcept": {"text": "ketorolac"},
        "dosage": {
            "route": {"coding": [{"system": "http://snomed.info/sct", "code": "78421000"}]},
            "dose": {"value": 30, "system": "http://unitsofmeasure.org", "code": "mg"},
        },
    }
    return json.dumps(message | changed)


def test_the_example_charge_module_bills_and_asks() -> None:
    source = _python("def charge_lines")
    assert source[source.index("def ") :].count("\n") <= 20
    module: dict[str, object] = {}
    exec(compile(source, "README", "exec"), module)
    charge_lines = module["charge_lines"]
    beside = {"place": "11", "diagnoses": ["R52"], "ndc": "0409-3795-01", "containers": 1, "container": "single-dose"}
    billed = charge_lines(_message(), **beside)
    assert "SV1*HC:J1885:JZ*8*UN*2*" in billed["send"]
    assert "LIN**N4*00409379501" in billed["send"]
    assert charge_lines(_message())["send"] is None
    assert "place" in charge_lines(_message())["ask"][0]
    assert charge_lines(_message(resourceType="MedicationRequest"), **beside)["send"] is None
    ended = charge_lines(_message(medicationCodeableConcept={"text": "J1030"}), **beside)
    assert ended["send"] is None
    assert any("J1010" in question for question in ended["ask"])


def test_the_recipes_for_frames_run() -> None:
    for library in ("polars", "pandas", "duckdb", "pyarrow"):
        pytest.importorskip(library)
    names: dict[str, object] = {}
    exec(compile(_python("import polars"), "README", "exec"), names)
    assert names["billed"]["hcpcs"].to_list() == ["J1885", "J0696"]
    assert list(names["frame"]["units"]) == [2, 4]
    assert names["counted"] == [("J0696", 4), ("J1885", 2)]


def _own_tables() -> dict[str, str]:
    """The files of a site that the README shows, by name."""
    block = TEXT.split("<!-- own -->")[1].split("```text\n")[1].split("```")[0]
    files: dict[str, str] = {}
    for line in block.splitlines():
        place, _, row = line.rpartition("  ")
        name = place.strip().removeprefix("our_tables/") or list(files)[-1]
        files[name] = files.get(name, "") + f"{row.strip()}\n"
    return files


def test_a_sites_own_tables_are_used_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import jcodeunits as jc

    folder = tmp_path / "our_tables"
    folder.mkdir()
    for name, text in _own_tables().items():
        (folder / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    given = {"drug": "J1885", "dose": "30 mg", "route": "IM", "diagnoses": ["R52"]}
    house = {"drug": "Housebrand", "dose": "30 mg", "route": "IM", "diagnoses": ["R52"]}
    house |= {"ndc": "99999-0001-01", "containers": 1, "discarded": "0 mg"}
    names = {"jc": jc}
    names["encounter"] = {"on": "2026-03-02", "place": "11", "payer": "our-plan", "administrations": [given]}
    exec(compile(_python("with_tables"), "README", "exec"), names)
    assert [line.code for line in names["charge"].lines] == ["96372", "J1885"]
    made = jc.charge(names["encounter"] | {"administrations": [given, house]}, reference=names["reference"])
    assert [(line.code, line.modifiers, line.units) for line in made.lines] == [
        ("96372", (), 1),
        ("J1885", (), 2),
        ("96372", ("XS",), 1),
        ("X0001", (), 6),
    ]
    assert (made.lines[3].ndc, made.lines[3].ndc_qualifier, made.lines[3].ndc_quantity) == ("99999000101", "ML", 1)
    assert made.fingerprint == names["reference"].fingerprint != jc.fingerprint


@pytest.mark.parametrize("name", BLOCKS_MADE)
def test_what_is_made_is_up_to_date(name: str) -> None:
    start, end = _made(name)
    text = MADE.read_text("utf-8")
    assert text[text.index(start) + len(start) : text.index(end)] == BLOCKS_MADE[name]()


def test_every_file_that_the_readme_names_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_map_of_the_house_holds_every_module() -> None:
    rows = TEXT.split("## How the house is laid out")[1].split("\n## ")[0]
    found = {path.name + ("" if path.suffix else "/") for path in (ROOT / "jcodeunits").iterdir()}
    inside = {name for name in found if not name.startswith("__") and name != "py.typed"}
    assert inside - set(re.findall(r"`([^`]+)`", rows)) == set()


@pytest.mark.parametrize("page", [MADE, ROOT / ".github" / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_path_that_a_page_beside_it_names_is_there(page: Path) -> None:
    names = {name for text in re.findall(r"`([^`\n]+)`", page.read_text("utf-8")) for name in text.split()}
    paths = {
        name for name in names if re.fullmatch(r"[.\w*-]+(/[.\w*-]+)*(/|\.(csv|py|json|md|txt))", name)
    } - OF_A_SITE
    assert len(paths) > 5
    found = {name for name in paths if any(ROOT.glob(name)) or any((ROOT / "jcodeunits").rglob(name))}
    assert paths - found - {name for name in paths if any((ROOT / "reference").glob(name))} == set()


def test_both_commands_of_the_start_install_this_folder() -> None:
    commands = [block for language, block in BLOCKS if language == "sh"][:2]
    assert ".venv/bin/jcodeunits units ketorolac 30 mg" in commands[0]
    assert "'.[test]' && .venv/bin/pytest -q -n 2" in commands[1]


def test_the_readme_is_read_in_ten_minutes() -> None:
    assert len(TEXT.splitlines()) < 250


if __name__ == "__main__":
    text = MADE.read_text("utf-8")
    for name, make in BLOCKS_MADE.items():
        start, end = _made(name)
        before, _, rest = text.partition(start)
        text = before + start + make() + end + rest.partition(end)[2]
    MADE.write_text(text, "utf-8")
