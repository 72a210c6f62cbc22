"""A change that is wrong or half made is noticed, whoever makes it: each law is about all of a kind."""

from __future__ import annotations

import ast
import contextlib
import csv
import doctest
import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import published
import pytest
from made_charges import STOP, charge_of, drug_line, injection_line
from shipped import POLICY, rows_of
from test_formats import FIELDS, SAID

import jcodeunits as jc
from jcodeunits import cli, formats, lookup, refresh
from jcodeunits.cli import refusals
from jcodeunits.encounter import Administration, Encounter, OpenedProduct, Patient, Service, Visit
from jcodeunits.errors import FormatError, TableError
from jcodeunits.facts.policy_rows import OptionKind, PayerOption
from jcodeunits.facts.reference import table_classes
from jcodeunits.finding import SEVERITIES, declare
from jcodeunits.keys import flags_of
from jcodeunits.refresh import families, fold
from jcodeunits.refresh.byhand import ByHand
from jcodeunits.refresh.dating import edition_of
from jcodeunits.refresh.family import Asked, Family
from jcodeunits.refresh.files import Published

PACKAGE = Path(formats.__file__).parent.parent
BYHAND = ByHand(jc.Reference.shipped().store)
CASES = Path(__file__).parent / "cases"
TREES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}


def _texts(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _calls(node: ast.AST, *names: str) -> Iterator[ast.Call]:
    for n in ast.walk(node):
        if isinstance(n, ast.Call) and getattr(n.func, "attr", getattr(n.func, "id", "")) in names:
            yield n


# --- payers -------------------------------------------------------------------------------------------


def _options_read() -> set[str]:
    """What the code asks a payer for: the texts of each function that asks."""
    functions = [n for tree in TREES.values() for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    asking = [f for f in functions if next(_calls(f, "option", "_option", "_options"), None) is not None]
    said = {text for f in asking for text in _texts(ast.Module(f.body[bool(ast.get_docstring(f)) :], []))}
    return said | {"follows"}  # who is asked in whose place


def test_every_option_of_a_payer_is_read_by_some_code() -> None:
    assert {row.name for row in rows_of(OptionKind)} - _options_read() == set()


def test_every_payers_row_names_an_option_and_one_of_its_values() -> None:
    POLICY.check_options()
    for row in rows_of(PayerOption):
        assert row.option != "follows" or {*row.values} <= {*POLICY.payers()} - {row.payer}, row


def test_what_a_payer_does_stands_in_a_document_that_was_read() -> None:
    """`payer_documents.csv` is the reader's own list of what a place of a document says; nothing else is cited."""
    listed = list(csv.DictReader((CASES / "payer_documents.csv").read_text("utf-8").splitlines()))
    read = {(row["payer"], row["option"], row["value"], row["source"], row["cite"]) for row in listed}
    rows = [row for row in rows_of(PayerOption) if row.source != "own-review"]
    said = {(row.payer, row.option, "|".join(row.values), row.source, row.cite) for row in rows}
    assert said - read == set()
    assert read - said == set(), "a statement that no row holds any more"


def test_a_payers_row_without_a_document_is_never_certain() -> None:
    assert [row for row in rows_of(PayerOption) if row.source == "own-review" and row.confidence == "high"] == []


def _values(kind: Any) -> list[str]:
    """Two values of an option, or one where it has one."""
    known = {"number": ["1", "45"], "modifier": ["XU"], "text": ["vaccine", "11"]}
    return [value for one in kind.allowed for value in known.get(one, [one])][:3]


GIVEN = {"unit": "mg", "on": "2026-03-02", "place": "11", "claim": "professional"}
ROWS = (
    {"drug": "J1885", "dose": "37.0625", "route": "IM", "ndc": "0409-3795-01", "containers": 2, "discarded": "22.9375"},
    {"drug": "J0129", "dose": "125", "route": "SC", "ndc": None, "containers": None, "discarded": None},
    {"drug": "J9035", "dose": "77", "route": "IV infusion", "ndc": None, "containers": None, "discarded": None},
    {"drug": "Q4101", "dose": "1", "route": "topical", "ndc": None, "containers": None, "discarded": None},
)


def test_two_payers_that_differ_in_one_matter_never_share_an_answer_in_bulk(tmp_path: Path) -> None:
    """Whatever the matter is called: each payer of a pair has its own rows in one file, and each row is a charge's."""
    pa = pytest.importorskip("pyarrow")
    options = {kind.name: _values(kind) for kind in rows_of(OptionKind) if kind.name != "follows"}
    payers = [(f"p-{name}-{n}", name, value) for name, values in options.items() for n, value in enumerate(values)]
    said = [f"{payer},{name},{value}" for payer, name, value in payers]
    text = ["payer,option,values", *said, *(f"{payer},follows,medicare" for payer, _, _ in payers)]
    (tmp_path / "payers.csv").write_text("\n".join([*text, ""]), "utf-8")
    ours = jc.Reference.shipped().with_tables(tmp_path)
    rows = [{**GIVEN, **row, "container": "single-dose", "payer": payer} for row in ROWS for payer, _, _ in payers]
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    differ = set()
    for row, got in zip(rows, jc.batch.bill(pa.table(columns), reference=ours).to_pylist(), strict=True):
        given = {name: row[name] for name in ("drug", "route", "ndc", "containers", "container") if row[name]}
        given["dose"] = f"{row['dose']} {row['unit']}"
        if row["discarded"]:
            given["discarded"] = f"{row['discarded']} mg"
        day_of = {name: row[name] for name in ("on", "place", "claim", "payer")}
        made = jc.charge({**day_of, "administrations": [given]}, reference=ours)
        drug = next((line for line in made.lines if line.kind == "drug"), None)
        waste = sum(line.units for line in made.lines if line.kind == "waste")
        expected = (drug.units, "|".join(drug.modifiers) or None, waste, drug.ndc_quantity) if drug else None
        answer = (got["units"], got["modifier"], got["waste_units"], got["ndc_quantity"])
        assert (answer if got["status"] == "billed" else None) == expected, row
        differ.add((row["drug"], row["payer"].rpartition("-")[0], answer))
    assert len(differ) > len({(drug, name) for drug, name, _ in differ}), "some matter changes a drug line"


# --- findings -----------------------------------------------------------------------------------------


def _given(calls: Iterable[ast.Call], at: int, module: ast.AST) -> set[str]:
    """The severities that stand in calls; where a row or a variable says it, all that the module writes."""
    said = [call.args[at] for call in calls if len(call.args) > at]
    found = {text for node in said for text in _texts(node)} & set(SEVERITIES)
    return found | (_texts(module) if any(not _texts(node) & set(SEVERITIES) for node in said) else set())


def _with_softer(severities: set[str]) -> set[str]:
    """A stop that only general knowledge holds is a warning."""
    return severities & set(SEVERITIES) | ({"warn"} if "stop" in severities else set())


@pytest.mark.parametrize("name", [name for name in TREES if name.startswith("rules/") and "/_" not in name])
def test_a_rule_gives_every_severity_that_it_declares(name: str) -> None:
    (declared,) = (call for call in _calls(TREES[name], "rule") if len(call.args) > 1)
    texts = [n for n in ast.walk(TREES[name]) if isinstance(n, ast.Constant) and n not in declared.args]
    given = {n.value for n in texts if n.value in SEVERITIES}
    assert {ast.literal_eval(arg) for arg in declared.args[1:]} - _with_softer(given) == set()


@pytest.mark.parametrize("name", [name for name, tree in TREES.items() if next(_calls(tree, "declare"), None)])
def test_a_step_gives_every_severity_that_it_declares(name: str) -> None:
    kinds = {text: says for call in _calls(TREES[name], declare.__name__) for text, says in _kinds(call)}
    for kind, (_, severities) in kinds.items():
        made = [call for call in _calls(TREES[name], "Finding", "say", "_finding", "_said") if call.args]
        of_kind = [call for call in made if kind in _texts(call.args[0])]
        rest = ast.Module([n for n in TREES[name].body if not _is_declaration(n)], [])
        given, stated = _given(of_kind, 1, rest), set(severities.split(", "))
        assert not of_kind or stated - _with_softer(given) - _raised_by(kind) == set(), kind
        assert any(not _texts(call.args[1]) for call in of_kind) or given & set(SEVERITIES) <= stated, kind


def _raised_by(kind: str) -> set[str]:
    """The severities that a later step gives a finding of another module."""
    return {severity for texts, severity in _evolved() if kind in texts}


@cache
def _evolved() -> list[tuple[set[str], str]]:
    """For each severity that is set anew the texts of the module that does it."""
    parts = [(tree, part) for tree in TREES.values() for call in _calls(tree, "evolve") for part in call.keywords]
    return [(_texts(tree), text) for tree, part in parts if part.arg == "severity" for text in _texts(part)]


def _is_declaration(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and next(_calls(node, "declare"), None) is not None


def _kinds(call: ast.Call) -> Iterator[tuple[str, tuple[str, str]]]:
    if len(call.args) == 2 and isinstance(call.args[1], ast.Dict):
        yield from ast.literal_eval(call.args[1]).items()


def test_every_finding_can_be_looked_up() -> None:
    for finding in lookup.findings():
        assert finding["id"] in {hit.key for hit in lookup.look_up(finding["id"], "2026-03-02")}


# --- formats ------------------------------------------------------------------------------------------

# What a format's text looks like in which a fact stands that its plain one has no place for.
FULLER: dict[str, list[dict[str, Any]]] = {"hl7v2": [{"version": "2.7"}], "fhir": [{"resource": "ChargeItem"}]}


def _charge(claim: str, field: str) -> Any:
    revenue = {"revenue_code": "0510"} if claim == "outpatient" else {}
    drug = {**({"revenue_code": "0250"} if revenue else {}), **SAID[field]}
    if field == "description":
        drug |= {"ndc": None, "ndc_qualifier": None, "ndc_quantity": None}
    return charge_of(injection_line(**revenue), drug_line(**drug), claim=claim)


def _comes_back(name: str, claim: str, field: str, **options: Any) -> bool | None:
    """Whether a drug line's fact is the same after writing and reading; None where the format refuses it."""
    module: Any = formats.module(name)
    made = _charge(claim, field)
    try:
        text = module.write(made, **options)
    except FormatError:
        return None
    takes = "diagnoses" in module.read.__kwdefaults__ if module.read.__kwdefaults__ else False
    back = module.read(text, **({"diagnoses": formats.x12.diagnoses(made)} if takes else {})).lines[-1]
    line = made.lines[-1]
    return getattr(back, field) == getattr(line, field) or (field == "description" and line.description in back.label)


@pytest.mark.parametrize("name", [name for name in formats.NAMES if name != "json"])
@pytest.mark.parametrize("field", FIELDS)
def test_a_format_carries_what_it_says_and_nothing_else_unsaid(name: str, field: str) -> None:
    ways = [{}, *FULLER.get(name, [])]
    came = [_comes_back(name, claim, field, **way) for claim in ("professional", "outpatient") for way in ways]
    if field in formats.module(name).CARRIES:
        assert True in came
    else:
        assert True not in came
        lost = {loss.field for loss in formats.module(name).losses(_charge("outpatient", field))}
        assert None in came or field in lost


@pytest.mark.parametrize("name", [name for name in formats.NAMES if name != "json"])
def test_a_claim_that_stops_leaves_only_on_the_callers_word(name: str) -> None:
    claim = "outpatient" if name == "ub04" else "professional"
    stopped = attrs.evolve(_charge(claim, "charge_amount"), findings=(STOP,))
    with pytest.raises(FormatError, match=STOP.rule):
        formats.write(name, stopped)
    assert formats.write(name, stopped, allow_stops=True)


# A row on paper and our own JSON have no place for what turns a message round.
WITHOUT_STANDING = {"cms1500", "json", "ub04"}


def test_every_format_that_is_read_has_its_cases_of_what_turns_a_message_round() -> None:
    rows = list(csv.DictReader((CASES / "standing.csv").read_text("utf-8").splitlines()))
    names = {"hl7": "hl7v2", "clearing": "claimjson"}
    forms = [names.get(form, form) for form in (row["reader"].partition(" ")[0] for row in rows)]
    assert set(forms) == set(formats.NAMES) - WITHOUT_STANDING
    never = {form for form, row in zip(forms, rows, strict=True) if row["follows"] == "never"}
    given = {name for name in formats.NAMES if hasattr(formats.module(name), "reading")}
    assert given <= never, "what was not given is refused"


# --- an encounter's keys ---


@pytest.mark.parametrize("kind", [Administration, Encounter, OpenedProduct, Patient, Service, Visit])
def test_every_key_of_an_encounter_is_read_and_says_what_it_is(kind: Any) -> None:
    outside = [tree for name, tree in TREES.items() if name not in ("encounter.py", "keys.py")]
    read = {n.attr for tree in outside for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert {field.name for field in attrs.fields(kind) if "kind" in field.metadata} - read == set()
    spoken = flags_of(kind) if kind in (Encounter, Administration) else ()
    assert [flag.name for flag in spoken if not (flag.says or flag.kind.allowed or flag.default)] == []


# --- tables, columns, families, verbs -------------------------------------------------------------------------


def test_every_column_of_a_table_is_read_by_some_code() -> None:
    nodes = [n for tree in TREES.values() for n in ast.walk(tree)]
    read = {n.attr for n in nodes if isinstance(n, ast.Attribute)} | set().union(*map(_texts, TREES.values()))
    columns = {(name, field.name) for name, rows in table_classes().items() for field in attrs.fields(rows)}
    assert {pair for pair in columns if pair[1] not in read} == set()


@pytest.mark.parametrize("name", ["batch/table.py", "audit/__init__.py", "audit/chargemaster.py"])
def test_every_column_in_bulk_is_read_by_some_code(name: str) -> None:
    def listed(node: ast.stmt) -> bool:
        return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("REQUIRED", "OPTIONAL")

    bulk = {file: tree for file, tree in TREES.items() if file.split("/")[0] in ("batch", "recipes", "audit")}
    given = set().union(*(_texts(node) for node in TREES[name].body if listed(node)))
    read = set().union(*(_texts(node) for tree in bulk.values() for node in tree.body if not listed(node)))
    assert given - read <= {"id", "description", "item", "price"}  # the caller's own


def test_every_answer_of_a_batch_has_its_type() -> None:
    pytest.importorskip("pyarrow")
    from jcodeunits.batch import table

    assert tuple(table.TYPES) == tuple(table.OUTPUTS)


@pytest.mark.parametrize("family", families.FAMILIES, ids=lambda family: family.name)
def test_every_family_has_a_sample_that_is_read_and_whose_changed_header_is_not(family: Any, tmp_path: Path) -> None:
    for n, make in enumerate(published.SAMPLES[family.name]):
        path = make(tmp_path / str(n))
        assert [f for _, f in families.families_of(Published(path))] == [family]
        readings, left_out = fold.read_all([Published(path)], Asked(edition_of("2026-10")), BYHAND)
        if not family.leaves:
            assert left_out == []
            assert {families.of_source(reading.edition.id) for _, reading in readings} == {family}
            assert all(reading.statements or family.table == "" for _, reading in readings)
        text = path.read_text("cp1252")
        path.write_text(re.sub("[eEoO]", "3", text), "cp1252", newline="")
        with contextlib.suppress(TableError):  # a name that promises the family is refused
            assert family not in [f for _, f in families.families_of(Published(path))]


def test_every_family_has_its_place() -> None:
    files = [import_module(f"{refresh.__name__}.{found.name}") for found in pkgutil.iter_modules(refresh.__path__)]
    made = {one.name for file in files for one in vars(file).values() if isinstance(one, Family)}
    assert made == {family.name for family in families.FAMILIES}


def test_no_sample_is_of_a_family_that_is_none() -> None:
    assert set(published.SAMPLES) == {family.name for family in families.FAMILIES}


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_answers_machines_too(verb: str) -> None:
    flags = refusals.arguments_of(verb)._option_string_actions
    assert {"--json", "--reference", "--tables"} <= set(flags)


# --- public names ---


def test_a_type_checker_sees_the_public_names_and_where_they_are() -> None:
    checked = next(node for node in TREES["__init__.py"].body if isinstance(node, ast.If))
    seen = {
        (alias.name, node.module) for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen == {*jc._HOMES.items(), *((name, None) for name in jc._MODULES)}


# --- tests that can fail ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in TREES if ">>>" in (PACKAGE / name).read_text("utf-8")])
def test_every_example_expects_something(name: str) -> None:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(TREES[name]) if isinstance(node, kinds)]
    for text in texts:
        examples = doctest.DocTestParser().get_examples(text)
        assert not examples or examples[-1].want or any(one.exc_msg for one in examples), text


def test_no_test_asks_what_day_it_is() -> None:
    """What holds today holds in ten years; the command's own default is tested against the command's clock."""
    for path in Path(__file__).parent.rglob("test_*.py"):
        calls = _calls(ast.parse(path.read_text("utf-8")), "today", "now", "utcnow")
        assert [ast.unparse(call) for call in calls] == [], path.name
