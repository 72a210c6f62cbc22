"""A site's own rows answer on every way in, with the fingerprint of the book that was used."""

from __future__ import annotations

import ast
import csv
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from shipped import REFERENCE

import jcodeunits as jc
from jcodeunits import cli, spark
from jcodeunits.facts import policy
from jcodeunits.facts.folder import write_folder
from jcodeunits.facts.own import wrong_in
from jcodeunits.facts.reference import Reference, table_classes
from jcodeunits.facts.site_policy import SitePolicy, replacing_rows
from jcodeunits.lookup import look_up

ON = "2026-03-02"

# A drug, its brand, its product, its class, a payer and what the payer makes of a place: as a site writes them.
# 30 mg of a code of 5 mg are 6 units; the class is given with 96401; at place 20 our plan pays no administration.
TABLES = {
    "drugs": "code,ingredient,size,unit\nX0001,house mixture,5,mg\n",
    "brands": "brand,code\nHousebrand,X0001\n",
    "products": "ndc,codes,amount,unit,qualifier,quantity,kind\n99999-0001-01,X0001,40,mg,ML,2,single-dose\n",
    "classes": "code,name\nX0001,antineoplastic-nonhormonal\n",
    "payers": "payer,option,values\nour-plan,follows,commercial\n",
    "place_rules": "payer,place,outcome,lines,severity,reason,says\n"
    "our-plan,20,withhold,administration,warn,place-by-payer,is not paid by our plan\n",
}
GIVEN = {"drug": "Housebrand", "dose": "30 mg", "route": "IM", "diagnoses": ["C50.911"]}
OPENED = {**GIVEN, "ndc": "99999-0001-01", "containers": 1, "discarded": "10 mg"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("our") / "tables"
    place.mkdir()
    for name, text in TABLES.items():
        (place / f"{name}.csv").write_text(text, "utf-8")
    return place


@pytest.fixture(scope="module")
def own(folder: Path) -> Reference:
    return REFERENCE.with_tables(folder)


def encounter(place: str = "11", **given: Any) -> dict[str, Any]:
    return {"on": ON, "place": place, "payer": "our-plan", "administrations": [{**OPENED, **given}]}


def command(folder: Path, *words: str) -> Any:
    """What the command prints as JSON with the site's tables."""
    return json.loads(_printed(*words, "--tables", str(folder), "--json"))


def _printed(*words: str) -> str:
    said = io.StringIO()
    import contextlib

    with contextlib.redirect_stdout(said):
        cli.main(list(words))
    return said.getvalue()


# --- one way after the other ---------------------------------------------------------------------------


def units(own: Reference, _: Path) -> tuple[Any, str]:
    for drug in ("X0001", "house mixture", "Housebrand", "99999-0001-01"):
        made = jc.billing_units(drug, "30 mg", ON, reference=own)
        assert (made.code, made.count) == ("X0001", 6)
    return (made.code, made.count), made.fingerprint


def units_by_command(_: Reference, folder: Path) -> tuple[Any, str]:
    made = command(folder, "units", "Housebrand", "30", "mg", "--on", ON)
    return (made["code"], made["units"]), made["fingerprint"]


def find(own: Reference, folder: Path) -> tuple[Any, str]:
    assert [row.code for row in jc.find("housebr", on=ON, reference=own)] == ["X0001"]
    assert jc.drug("Housebrand", ON, reference=own).code == "X0001"
    assert jc.history("X0001", reference=own).rows[0].ingredient == "house mixture"
    made = command(folder, "find", "Housebrand", "--on", ON)
    return (made["drugs"][0]["code"], 6), made["fingerprint"]


def ndc(own: Reference, folder: Path) -> tuple[Any, str]:
    assert jc.product("99999-0001-01", ON, reference=own).codes == ("X0001",)
    quantity = jc.ndc_quantity("99999-0001-01", "30 mg", ON, reference=own)
    assert (str(quantity), quantity.fingerprint) == ("ML1.5", own.fingerprint)
    made = command(folder, "ndc", "99999-0001-01", "--dose", "30 mg", "--on", ON)
    assert made["quantity"]["ndc_quantity"] == "1.5"
    return (made["codes"][0]["code"], made["codes"][0]["units"]), made["fingerprint"]


def vials(_: Reference, folder: Path) -> tuple[Any, str]:
    made = command(folder, "vials", "Housebrand", "30", "mg", "--on", ON)
    assert [line["code"] for line in made["choices"][0]["lines"]] == ["X0001", "X0001"]
    return (made["code"], made["units"]), made["fingerprint"]


def charge(own: Reference, _: Path) -> tuple[Any, str]:
    made = jc.charge(encounter(), reference=own)
    shown = [(line.code, line.modifiers, line.units) for line in made.lines]
    assert shown == [("96401", (), 1), ("X0001", (), 6), ("X0001", ("JW",), 2)]
    assert (made.lines[1].ndc_qualifier, made.lines[1].ndc_quantity) == ("ML", 1.5)
    away = jc.charge(encounter("20"), reference=own)
    assert "96401" not in {line.code for line in away.lines}
    assert "place-by-payer" in {finding.rule for finding in away.findings}
    return (made.lines[1].code, made.lines[1].units), made.fingerprint


def charge_by_command(_: Reference, folder: Path, tmp: str = "encounter.json") -> tuple[Any, str]:
    file = folder.parent / tmp
    file.write_text(json.dumps(encounter()), "utf-8")
    made = command(folder, "charge", str(file))
    return (made["lines"][1]["code"], made["lines"][1]["units"]), made["fingerprint"]


def lookup(own: Reference, folder: Path) -> tuple[Any, str]:
    assert any("our-plan" in hit.title for hit in look_up("our plan", ON, own))
    made = command(folder, "lookup", "our-plan", "--on", ON)
    assert made["hits"]
    return ("X0001", 6), made["fingerprint"]


ROW = {"drug": "Housebrand", "dose": "30", "unit": "mg", "on": ON, "route": "IM", "place": "11"}
ROW |= {"payer": "our-plan", "ndc": "99999-0001-01", "containers": "1", "discarded": "10 mg"}


def batch(own: Reference, _: Path) -> tuple[Any, str]:
    (made,) = jc.batch.bill(pa.table({name: [cell] for name, cell in ROW.items()}), reference=own).to_pylist()
    assert (made["waste_units"], made["ndc_qualifier"], float(made["ndc_quantity"])) == (2, "ML", 1.5)
    return (made["hcpcs"], made["units"]), own.fingerprint


def batch_by_command(_: Reference, folder: Path) -> tuple[Any, str]:
    given, billed = folder.parent / "given.csv", folder.parent / "billed.csv"
    given.write_text(f"{','.join(ROW)}\n{','.join(ROW.values())}\n", "utf-8")
    made = command(folder, "batch", str(given), "-o", str(billed), "--quiet")
    (row,) = csv.DictReader(billed.open(encoding="utf-8"))
    return (row["hcpcs"], int(row["units"])), made["fingerprint"]


LINE = {"claim": "1", "line": "1", "code": "X0001", "units": "5", "modifiers": "", "on": ON, "dose": "30", "unit": "mg"}


def audit(own: Reference, _: Path) -> tuple[Any, str]:
    (made,) = jc.audit.judge(pa.table({name: [cell] for name, cell in LINE.items()}), reference=own).to_pylist()
    assert made["verdict"] == "differs"
    return (made["expected_code"], made["expected_units"]), own.fingerprint


def audit_by_command(_: Reference, folder: Path) -> tuple[Any, str]:
    given, judged = folder.parent / "claims.csv", folder.parent / "judged.csv"
    given.write_text(f"{','.join(LINE)}\n{','.join(LINE.values())}\n", "utf-8")
    made = command(folder, "audit", str(given), "-o", str(judged), "--quiet")
    (row,) = csv.DictReader(judged.open(encoding="utf-8"))
    return (row["expected_code"], int(row["expected_units"])), made["fingerprint"]


def on_a_spark_worker(own: Reference, _: Path) -> tuple[Any, str]:
    there = pickle.loads(pickle.dumps(own))
    batches = pa.table({name: [cell] for name, cell in ROW.items()}).to_batches()
    (made,) = [row for part in spark.billed(batches, reference=there) for row in part.to_pylist()]
    return (made["hcpcs"], made["units"]), there.fingerprint


WAYS = (
    units,
    units_by_command,
    find,
    ndc,
    vials,
    charge,
    charge_by_command,
    lookup,
    batch,
    batch_by_command,
    audit,
    audit_by_command,
    on_a_spark_worker,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_sites_rows_answer_on_every_way(
    own: Reference, folder: Path, way: Callable[[Reference, Path], tuple[Any, str]]
) -> None:
    assert way(own, folder) == (("X0001", 6), own.fingerprint)


@pytest.mark.parametrize("form", ["json", "x12", "hl7v2", "fhir", "cms1500", "ub04", "claimjson"])
def test_a_format_is_written_with_the_facts_that_made_the_charge(own: Reference, form: str) -> None:
    made = jc.charge(encounter(), reference=own)
    options = {} if form == "json" else {"amounts": {"96401": "90.00", "X0001": "4.00"}}
    options |= {"revenue_codes": {"96401": "0335", "X0001": "0636"}} if form == "ub04" else {}
    assert "X0001" in jc.formats.write(form, made, reference=own, **options)
    for other in ({}, {"reference": REFERENCE}):
        with pytest.raises(jc.JcodeunitsError, match="other facts") as caught:
            jc.formats.write(form, made, **options, **other)
        assert own.fingerprint[:12] in str(caught.value)


def test_a_layout_by_payer_is_that_of_a_sites_payer(own: Reference) -> None:
    made = jc.charge(encounter(), reference=own)
    amounts = {"96401": "90.00", "X0001": "4.00"}
    assert "X0001" in jc.formats.cms1500.write(made, layout="payer", amounts=amounts, reference=own)


@pytest.mark.parametrize("form", ["fhir", "hl7v2"])
def test_a_message_is_read_with_a_sites_names(own: Reference, form: str) -> None:
    beside = {"place": "11", "drug": "X0001", "on": ON}
    texts = {
        "fhir": json.dumps(
            {
                "resourceType": "MedicationAdministration",
                "status": "completed",
                "medicationCodeableConcept": {"text": "Housebrand"},
                "subject": {"reference": "Patient/1"},
                "effectiveDateTime": ON,
                "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
            }
        ),
        "hl7v2": "MSH|^~\\&|A|B|C|D|20260302||RAS^O17|1|P|2.5.1\rPID|1||1\rORC|RE\r"
        "RXA|0|1|20260302|20260302|Housebrand^Housebrand|30|mg|||||||||||||CP\rRXR|IM\r",
    }
    module = jc.formats.module(form)
    assert module.read(texts[form], reference=own, **beside).administrations[0].drug == "X0001"


def test_nothing_of_it_is_known_without_the_rows() -> None:
    with pytest.raises(jc.JcodeunitsError):
        jc.billing_units("Housebrand", "30 mg", ON)
    with pytest.raises(jc.JcodeunitsError):
        jc.charge(encounter())


# --- what a site's folder may hold ----------------------------------------------------------------------


def _folder(place: Path, **files: str) -> Path:
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / f"{name}.csv").write_text(text, "utf-8")
    return place


def test_two_sites_never_share_an_answer(tmp_path: Path) -> None:
    found = {}
    for site, size in (("one", "5"), ("two", "10")):
        own = REFERENCE.with_tables(
            _folder(tmp_path / site, drugs=f"code,ingredient,size,unit\nX0001,house mixture,{size},mg\n")
        )
        found[site] = (int(jc.billing_units("X0001", "30 mg", ON, reference=own)), own.fingerprint)
    assert (found["one"][0], found["two"][0]) == (6, 3)
    assert len({REFERENCE.fingerprint, found["one"][1], found["two"][1]}) == 3


def test_a_row_of_another_book_is_refused(own: Reference) -> None:
    row = jc.drug("Housebrand", ON, reference=own)
    assert int(jc.billing_units(row, "30 mg", ON, reference=own)) == 6
    with pytest.raises(jc.errors.UnknownDrug, match="not in the reference in use"):
        jc.billing_units(row, "30 mg", ON)


REPLACED = {
    # Each in place of a shipped row: a dose of 30 mg ketorolac is 2 units of 15 mg, 3 of 10 mg.
    "drugs": "code,ingredient,size,unit,replaces\nJ1885,ketorolac tromethamine,10,mg,yes\n",
    "payers": "payer,option,values,replaces\nmedicare,jz,none,yes\n",
    "products": "ndc,codes,amount,unit,qualifier,quantity,kind,replaces\n00409-3795-01,J1885,60,mg,ML,2,single-dose,yes\n",
}


@pytest.mark.parametrize("table", REPLACED)
def test_a_row_in_place_of_a_shipped_one_says_so_in_every_answer_that_uses_it(tmp_path: Path, table: str) -> None:
    silent = _folder(tmp_path / "silent", **{table: REPLACED[table].replace(",replaces", "").replace(",yes", "")})
    with pytest.raises(jc.errors.TableError, match="replaces=yes") as caught:
        REFERENCE.with_tables(silent)
    assert "line 2" in str(caught.value)
    own = REFERENCE.with_tables(_folder(tmp_path / "said", **{table: REPLACED[table]}))
    given = {"drug": "J1885", "dose": "30 mg", "route": "IM", "ndc": "0409-3795-01", "containers": 1}
    given |= {"discarded": "0 mg", "container": "single-dose"}
    made = jc.charge({"on": ON, "place": "11", "diagnoses": ["R52"], "administrations": [given]}, reference=own)
    said = [finding for finding in made.findings if finding.rule == "own-row"]
    assert len(said) == 1
    assert f"{table}.csv, line 2" in said[0].says
    untouched = jc.charge(
        {
            "on": ON,
            "place": "11",
            "diagnoses": ["R52"],
            "administrations": [{**given, "drug": "J3420", "dose": "1 mg", "ndc": "0517-0031-25"}],
        },
        reference=own,
    )
    if table != "payers":
        assert "own-row" not in {finding.rule for finding in untouched.findings}
    if table == "drugs":
        assert jc.billing_units("J1885", "30 mg", ON, reference=own).findings[-1].rule == "own-row"
        assert int(jc.billing_units("J1885", "30 mg", ON, reference=own)) == 3


IN_PLACE = {
    **REPLACED,
    "brands": "brand,code,replaces\nToradol,J1885,yes\n",
    "containers": "product,kind,replaces\n00409-3795-01,multi-dose,yes\n",
    "classes": "code,name\nJ1885,antineoplastic-nonhormonal\n",
    "limits": "code,units,replaces\nJ1885,1,yes\n",
    "places": "code,name,rate,replaces\n11,office,facility,yes\n",
    "place_rules": "payer,place,outcome,lines,severity,reason,says,replaces\n"
    "medicare,50,withhold,drug,warn,place-by-payer,is not paid here,yes\n",
    "needed_modifiers": "code,modifier,diagnoses,says,replaces\nJ1885,KX,R52,wanted,yes\n",
    "code_uses": "first,outcome,says,fix,replaces\nJ1885,withhold,is not taken,Ask,yes\n",
    "administration": "id,outcome,role,replaces\n000,bill,antineoplastic-nonhormonal,yes\n",
}


@pytest.mark.parametrize("table", IN_PLACE)
@pytest.mark.parametrize("place", ["11", "50"])
def test_bulk_says_with_charge_that_a_sites_row_stands_in_place_of_a_shipped_one(
    tmp_path: Path, table: str, place: str
) -> None:
    own = REFERENCE.with_tables(_folder(tmp_path / "own", **{table: IN_PLACE[table]}))
    drug = "Toradol" if table == "brands" else "J1885"
    given = {"drug": drug, "dose": "30 mg", "route": "IM"}
    if table != "brands":
        given |= {"ndc": "0409-3795-01", "containers": 1, "discarded": "0 mg"}
    encounter = {"on": ON, "place": place, "administrations": [given]}
    first, again = (jc.charge(encounter, reference=own).findings for _ in range(2))
    assert first == again
    one = "own-row" in {finding.rule for finding in first}
    row = {name: str(cell) for name, cell in given.items()} | {"on": ON, "place": place}
    billed = jc.batch.bill(pa.table({name: [cell] * 2 for name, cell in row.items()}), reference=own).to_pylist()
    assert [("own-row" in (made["findings"] or "").split("|")) for made in billed] == [one, one]
    assert one or place != ("50" if table == "place_rules" else "11")


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("payers", "payer,option,values,replaces\nany,neoplasm-prefixes,C|D0,yes\n"),
        ("limits", "code,units,replaces\n96372,1,yes\n"),
    ],
)
def test_what_is_asked_on_the_way_to_an_answer_is_said_each_time(tmp_path: Path, table: str, text: str) -> None:
    own = REFERENCE.with_tables(_folder(tmp_path, **{table: text}))
    for _ in range(2):
        with replacing_rows() as rows:
            own.policy.administration("IM", "therapeutic", ["drug"], ON, diagnoses=["R52"])
            own.policy.has_room("96372", ON, "professional")
        assert table in {row.TABLE for row in rows}


def test_a_kept_answer_asks_no_question_whose_rows_are_noted() -> None:
    noted = {name for name, asked in vars(SitePolicy).items() if callable(asked)}
    assert {"option", "limit", "procedures"} <= noted
    for function in ast.walk(ast.parse(Path(policy.__file__).read_text(encoding="utf-8"))):
        kept = isinstance(function, ast.FunctionDef) and any(
            "_kept" in ast.unparse(mark) or "cache" in ast.unparse(mark) for mark in function.decorator_list
        )
        if kept and function.name != "_code_for":  # whose answer, noted itself, is the row that was asked for
            calls = (one.func for one in ast.walk(function) if isinstance(one, ast.Call))
            assert noted.isdisjoint(call.attr for call in calls if isinstance(call, ast.Attribute)), function.name


OWN_PRODUCT = "ndc,codes,amount,unit,qualifier,quantity,kind,replaces\n00409-3795-01,J1885,60,mg,ML,2,single-dose,yes\n"
OWN_KIND = "product,kind,replaces\n00409-3795-01,multi-dose,yes\n"


@pytest.mark.parametrize(
    ("table", "text", "words"),
    [
        ("drugs", REPLACED["drugs"], "find J1885"),
        ("drugs", REPLACED["drugs"], "find J1885 --history"),
        ("drugs", REPLACED["drugs"], "units J1885 30 mg"),
        ("drugs", REPLACED["drugs"], "vials J1885 30 mg"),
        ("products", OWN_PRODUCT, "ndc 0409-3795-01 --dose 30mg"),
        ("products", OWN_PRODUCT, "units 0409-3795-01 30 mg"),
        ("products", OWN_PRODUCT, "vials 0409-3795-01 30 mg"),
        ("containers", OWN_KIND, "ndc 0409-3795-01 --dose 30mg"),
        ("containers", OWN_KIND, "charge --drug J1885 --dose 30mg --route IM --place 11 --ndc 0409-3795-01"),
    ],
)
def test_the_command_says_where_a_row_stands_in_place_of_a_shipped_one(
    tmp_path: Path, table: str, text: str, words: str
) -> None:
    _folder(tmp_path, **{table: text})
    told = command(tmp_path, *words.split(), "--on", ON)
    assert [note["rule"] for note in told["findings"]].count("own-row") == 1


def test_a_replacing_row_leaves_the_shipped_one_the_other_days(tmp_path: Path) -> None:
    text = "code,ingredient,size,unit,effective,ends,replaces\nJ1885,ketorolac tromethamine,10,mg,2025-01-01,2025-12-31,yes\n"
    own = REFERENCE.with_tables(_folder(tmp_path, drugs=text))
    counts = [int(jc.billing_units("J1885", "30 mg", on, reference=own)) for on in ("2024-12-31", "2025-06-01", ON)]
    assert counts == [2, 3, 2]


@pytest.mark.parametrize(
    ("table", "text", "says"),
    [
        ("drugs", "code,ingredient\n,house\n", "line 2: column code is missing"),
        ("drugs", "code,ingredient,size,unit\nX1,house,five,mg\n", "column size: 'five'"),
        ("drugs", "code,ingredient,size,unit\nX1,house,5,megagram\n", "column unit: 'megagram'"),
        ("drugs", "code,ingredient,dose\nX1,house,5\n", "no such column: 'dose'"),
        ("brands", "brand\nHousebrand\n", "column ingredient is missing"),
        ("payers", "payer,option,values\nour-plan,jz,sometimes\n", "'sometimes' is none of"),
        ("products", "ndc,codes\n1234,J1885\n", "column ndc"),
        ("classes", "code,name\nX0001\n", "1 cells where the header has 2"),
        ("drugs", "code,ingredient,size,unit\nX0001,a,5,mg\nX0001,b,6,mg\n", "line 3: X0001 meets line 2"),
    ],
)
def test_a_wrong_row_is_named_with_its_line_and_a_row_that_would_load(
    tmp_path: Path, table: str, text: str, says: str
) -> None:
    with pytest.raises(jc.errors.TableError) as caught:
        REFERENCE.with_tables(_folder(tmp_path, **{table: text}))
    assert says in str(caught.value)
    assert f"{table}.csv" in str(caught.value)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize("table", sorted(name for name, row in table_classes().items() if REFERENCE.store.rows(row)))
def test_the_row_that_an_error_shows_loads(tmp_path: Path, table: str) -> None:
    """Every table's example, written as it is shown."""
    with pytest.raises(jc.errors.TableError) as caught:
        REFERENCE.with_tables(_folder(tmp_path / "wrong", **{table: "nonsense\n1\n"}))
    assert "\\n" not in str(caught.value)
    example = str(caught.value).split("For example:\n")[1]
    head, row = (line.strip() for line in example.splitlines()[:2])
    own = REFERENCE.with_tables(_folder(tmp_path / "right", **{table: f"{head}\n{row}\n"}))
    assert own.fingerprint != REFERENCE.fingerprint


# --- what a site's row may not do in silence ------------------------------------------------------------

SILENT = [
    # a row of another key that would change what a shipped row answers: refused, unless it says replaces=yes
    ("payers", "payer,option,claim,values\nmedicare,jz,professional,none\n"),
    ("payers", "payer,option,values\nnoridian,jz,none\n"),
    ("brands", "brand,code\nketorolac,J0696\n"),
    ("brands", "brand,code\nmorphine,J1885\n"),
    ("brands", "brand,code\ntoradol,J0696\n"),
    ("names", "name,code\nKetorolac,J0696\n"),
    ("drugs", "code,ingredient,size,unit\nX9001,ketorolac tromethamine,30,mg\n"),
    ("containers", "product,kind\n00409-3795-01,multi-dose\n"),
    ("place_rules", "payer,place,outcome\nmedicare,21,bill\n"),
    ("administration", "id,classes,outcome,role\n000-ours,any,none,\n"),
    ("route_codes", "ingredient,routes,codes,says\nketorolac tromethamine,intraocular,J0696,ours\n"),
]


@pytest.mark.parametrize(("table", "text"), SILENT, ids=[f"{table}-{i}" for i, (table, _) in enumerate(SILENT)])
def test_no_row_changes_a_shipped_answer_in_silence(tmp_path: Path, table: str, text: str) -> None:
    with pytest.raises(jc.errors.TableError, match="replaces=yes") as caught:
        REFERENCE.with_tables(_folder(tmp_path / "silent", **{table: text}))
    assert f"{table}.csv does not load:\n  line 2: " in str(caught.value)
    head, row = text.splitlines()
    REFERENCE.with_tables(_folder(tmp_path / "said", **{table: f"{head},replaces\n{row},yes\n"}))


def test_a_class_more_of_a_shipped_drug_is_said(tmp_path: Path) -> None:
    own = REFERENCE.with_tables(_folder(tmp_path, classes="code,name\nJ1885,vaccine\n"))
    given = {"drug": "J1885", "dose": "30 mg", "route": "IM"}
    made = jc.charge({"on": ON, "place": "11", "administrations": [given]}, reference=own)
    assert "own-row" in {finding.rule for finding in made.findings}


def test_a_brand_that_is_replaced_means_one_thing(tmp_path: Path) -> None:
    own = REFERENCE.with_tables(_folder(tmp_path, brands="brand,code,replaces\nToradol,J0696,yes\n"))
    assert jc.billing_units("Toradol", "1 g", ON, reference=own).code == "J0696"


WRONG = [
    (
        "drugs",
        "code,ingredient,size,unit,replaces\nX9009,house mixture,5,mg,yes\n",
        "no shipped row stands in its place",
    ),
    ("brands", "brand,ingredient,replaces\nZebra,ketorolac tromethamine,yes\n", "no shipped row stands in its place"),
    ("drugs", "code,ingredient,size,unit\nOUR01,house mixture,5,mg\n", "a letter and four digits"),
    ("drugs", "code,ingredient,size,unit\nx9001,house mixture,5,mg\n", "in capitals"),
    ("drugs", "code,ingredient,size,unit\n96372,house mixture,5,mg\n", "is a service"),
    ("drugs", "code,ingredient,unit,basis\nX9001,house mixture,mg,band\n", "either a billing unit or a reason"),
    ("drugs", "code,ingredient,size,unit,routes\nX9001,house mixture,5,mg,shot\n", "'shot' is none of"),
    ("drugs", f"code,ingredient,size,unit\nX9001,{'long ' * 30}name,5,mg\n", "longer than any name"),
    ("drugs", "code,ingredient,size,unit\nX9001,house \x1b[31mmixture,5,mg\n", "a control character"),
    ("brands", "brand,code\nZebra,X9009\n", "in no row of drugs.csv"),
    ("payers", "payer,option,values\nour-plan,follows,comercial\n", "'comercial': one payer is wanted"),
    ("payers", "payer,option,values\nour-plan,follows,our-plan\n", "follows itself"),
    ("payers", "payer,option,values\na,follows,b\nb,follows,a\n", "follows itself"),
    ("payers", "payer,option,values\nour-plan,follows,medicare|commercial\n", "one payer is wanted"),
    ("payers", "payer,option,values,ends\nour-plan,follows,medicare,2025-12-31\n", "holds always"),
    ("payers", "payer,option,values\ncommercial,follows,medicare\n", "whom the shipped payer follows"),
    (
        "payers",
        "payer,option,values\nOur Plan,follows,medicare\n",
        "lower case without spaces is wanted: write our-plan",
    ),
    ("payers", "payer,option,values\nour-plan,second-injection,QQ\n", "'QQ' is none of"),
    ("payers", "payer,option,values\nour-plan,second-injection,xs\n", "'xs' is none of"),
    ("payers", "payer,option,values\nour-plan,second-injection,\n", "takes a value"),
    ("payers", "payer,option,values\nour-plan,second-injection,XS|59\n", "takes one value"),
    ("payers", "payer,option,values\nour-plan,ndc-decimals,999999999\n", "none of 0, 1, 2, 3"),
    ("payers", "payer,option,values\nour-plan,push-again-minutes,99999\n", "is none of"),
    ("containers", "product,kind\n0409-3795,single-dose\n", "5-4"),
    ("place_rules", "payer,place,outcome\nnobody,20,bill\n", "has no row in payers.csv"),
    # A word that no other row knows would never fit, a withheld nothing withholds nothing.
    ("drugs", "code,ingredient,size,unit,kind\nX9001,house mixture,5,mg,vacine\n", "'vacine' is none of"),
    ("drugs", "code,ingredient,size,unit\nX9001,J1885,5,mg\n", "is a code, no name"),
    ("drugs", "code,ingredient,size,unit\nX9001,***,5,mg\n", "no letter or digit"),
    ("brands", "brand,code\nJ0696,J1885\n", "is a code, no name"),
    ("brands", "brand,code\n---,J1885\n", "no letter or digit"),
    ("brands", "brand,ingredient,code\nZebra,naloxone hydrochloride,J1885\n", "is not that of J1885"),
    ("names", "name,kind\nzbr,unsafe\n", "give the code or the ingredient"),
    ("products", "ndc,codes,amount,unit\n99999-0001-01,X9009,40,mg\n", "X9009 is in no row of drugs.csv"),
    ("classes", "code,name\nX9009,antineoplastic-nonhormonal\n", "X9009 is in no row of drugs.csv"),
    ("classes", "code,name\nJ1885,antineoplastic-nonhormnal\n", "'antineoplastic-nonhormnal' is none of"),
    ("places", "code,name\nVN,our van\n", "two digits"),
    ("place_rules", "payer,place,outcome\nmedicare,ZZ,bill\n", "is in no row of places.csv"),
    ("place_rules", "payer,place,outcome\nmedicare,11,withhold\n", "lines is missing"),
    ("place_rules", "payer,place,outcome,lines,classes\nmedicare,11,withhold,drug,vacine\n", "'vacine' is none of"),
    ("place_rules", "payer,place,outcome,lines,reason\nmedicare,11,withhold,drug,My reason|x\n", "small letters"),
    ("limits", "code,claim,units\nJ1885,professional,1\n", "J1885/professional meets J1885/any"),
    ("edits", "column_1,column_2,indicator\nJ1885,96372,7\n", "0 (never together) or 1"),
    ("edits", "column_1,column_2,claim,indicator\n99211,96372,professional,1\n", "meets"),
    ("administration", "id,payer,outcome,role\n000,medicare,bill,shot\n", "no row of procedures.csv has that role"),
    ("administration", "id,payer,outcome\n000,medicare,bill\n", "role is missing"),
    ("needed_modifiers", "code,modifier,diagnoses,says\nJ1885,Q?,R52,ours\n", "is in no row of modifiers.csv"),
    ("modifiers", "code,label,lines\nzq,ours,drug\n", "two capitals or digits"),
    ("name_words", "word,kind,means\nshotty,route,by pigeon\n", "'by pigeon' is none of"),
    ("brand_strengths", "brand,concentration\nZebra,banana\n", "what one mL holds"),
    ("route_codes", "ingredient,routes,codes,says\nhouse mixture,IM,X9009,ours\n", "X9009 is in no row of drugs.csv"),
]


def test_a_shipped_row_would_not_be_refused() -> None:
    """What is asked of a site's rows is so of the shipped ones; of the large tables every few hundredth is asked."""
    for name, row_class in table_classes().items():
        rows = REFERENCE.store.rows(row_class)
        for row in rows[:: max(1, len(rows) // 150)]:
            assert list(wrong_in(REFERENCE, REFERENCE, row)) == [], name


def test_the_way_out_is_that_of_the_problem(tmp_path: Path) -> None:
    for name, text, helps in (
        ("wrong", "code,ingredient,size,unit\nx9001,house mixture,5,mg\n", False),
        ("met", "code,ingredient,size,unit\nJ1885,ketorolac tromethamine,10,mg\n", True),
    ):
        with pytest.raises(jc.errors.TableError) as caught:
            REFERENCE.with_tables(_folder(tmp_path / name, drugs=text))
        assert ("says replaces=yes" in str(caught.value)) is helps


@pytest.mark.parametrize(
    ("table", "text", "says"),
    [
        # the way out, followed, must not lead to another refusal
        ("drugs", "code,ingredient,size,unit\nX9001,a mix,5,mg\nX9001,a mix,6,mg\n", "days that do not overlap"),
        ("drugs", "code,ingredient,size,unit,replaces\nX9001,a mix,5,mg,yes\n", "leave replaces out"),
        ("brands", "brand,ingredient\nHousebrand,ketorolac\n", "write ketorolac tromethamine"),
        ("payers", "payer,option,values\nour-plan,follow,commercial\n", "write follows"),
        ("drugs", "code,ingredient\nX9001,a mix\n", "size and unit, or refuses"),
    ],
)
def test_the_way_out_is_one_that_loads(tmp_path: Path, table: str, text: str, says: str) -> None:
    with pytest.raises(jc.errors.TableError) as caught:
        REFERENCE.with_tables(_folder(tmp_path, **{table: text}))
    assert says in str(caught.value)
    assert "says replaces=yes; else" not in str(caught.value)


def test_a_wrong_day_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(jc.errors.TableError) as caught:
        REFERENCE.with_tables(_folder(tmp_path, brands="brand,code,effective\nHousebrand,J1885,03/02/2026\n"))
    assert caught.value.problems == ("line 2, column effective: '03/02/2026': a day such as 2026-03-02 is wanted",)


def test_a_powder_of_a_site_is_counted_by_the_container(tmp_path: Path) -> None:
    own = REFERENCE.with_tables(
        _folder(tmp_path, products="ndc,codes,amount,unit,form\n99999-0001-01,J0696,1000,mg,powder\n")
    )
    assert str(jc.ndc_quantity("99999-0001-01", "2 g", on=ON, reference=own)) == "UN2"


def test_capitals_in_a_column_name_are_no_other_column(tmp_path: Path) -> None:
    own = REFERENCE.with_tables(_folder(tmp_path, drugs="Code,INGREDIENT,Size,Unit\nX9001,house mixture,5,mg\n"))
    assert int(jc.billing_units("house mixture", "30 mg", ON, reference=own)) == 6


@pytest.mark.parametrize("name", ["drugs.xlsx", "drugs.txt", "DRUGS.CSV", "Drugs.tsv"])
def test_a_table_that_is_saved_as_something_else_is_not_passed_over(tmp_path: Path, name: str) -> None:
    folder = _folder(tmp_path, brands="brand,code\nHousebrand,J1885\n")
    other = folder / name
    other.write_text("code,ingredient,size,unit\nX9001,house mixture,5,mg\n")
    with pytest.raises(jc.errors.TableError, match=rf"{name} is not read: save it as CSV UTF-8 .* drugs\.csv"):
        REFERENCE.with_tables(folder)
    if name == "drugs.xlsx":  # the workbook that the table was saved from, and what an open one leaves
        (folder / "drugs.csv").write_text(other.read_text())
        (folder / "~$drugs.csv").write_text("x")
        assert int(jc.billing_units("X9001", "30 mg", ON, reference=REFERENCE.with_tables(folder))) == 6


def test_a_file_in_place_of_its_folder_is_told_the_folder(tmp_path: Path) -> None:
    folder = _folder(tmp_path, brands="brand,code\nHousebrand,J1885\n")
    with pytest.raises(jc.errors.TableError, match="give the folder that it stands in"):
        REFERENCE.with_tables(folder / "brands.csv")


def test_spaces_around_a_column_name_are_no_other_column(tmp_path: Path) -> None:
    own = REFERENCE.with_tables(_folder(tmp_path, drugs="code, ingredient, size ,unit\nX9001, house mixture, 5 ,mg\n"))
    assert int(jc.billing_units("house mixture", "30 mg", ON, reference=own)) == 6


@pytest.mark.parametrize(("table", "text", "says"), WRONG, ids=[f"{table}-{says}" for table, _, says in WRONG])
def test_a_row_that_could_never_answer_is_refused(tmp_path: Path, table: str, text: str, says: str) -> None:
    with pytest.raises(jc.errors.TableError) as caught:
        REFERENCE.with_tables(_folder(tmp_path, **{table: text}))
    assert says in str(caught.value)


@pytest.mark.parametrize("wrong", [5, b"x", object(), [], ""])
def test_what_is_no_folder_and_what_is_no_reference_are_refused(wrong: Any) -> None:
    for call in (Reference.load, REFERENCE.with_tables):
        with pytest.raises(jc.errors.TableError, match="is no folder"):
            call(wrong)
    with pytest.raises(jc.errors.TableError, match="is no Reference"):
        jc.billing_units("J1885", "30 mg", ON, reference=wrong)


# --- a folder that a refresh made ------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with one table, in which J1885 counts 15 mg."""
    write_folder(tmp_path / "made", {"drugs.csv": Path(REFERENCE.store.file("drugs.csv")).read_bytes()}, "HCPCS")
    return tmp_path / "made"


def test_a_table_that_was_changed_after_the_manifest_is_refused(made: Path) -> None:
    assert jc.billing_units("J1885", "30 mg", ON, reference=Reference.load(made)) == jc.billing_units(
        "J1885", "30 mg", ON
    )
    late = Reference.load(made)
    (file,) = made.glob("tables-*/drugs.csv")
    text = file.read_text("utf-8")
    (line,) = [one for one in text.splitlines() if one.startswith("J1885,")]
    file.write_text(text.replace(line, line.replace(",15,", ",30,")), "utf-8")
    for reference in (late, Reference.load(made)):
        with pytest.raises(jc.errors.TableError, match="it was changed"):
            jc.billing_units("J1885", "30 mg", ON, reference=reference)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tables", ".."),
        ("tables", "."),
        ("tables", ""),
        ("format", True),
        ("digests", {}),
        ("digests", {"../x": "0" * 64}),
        ("digests", {"drugs.csv": 5}),
        ("digests", {"drugs.csv\ud800": "0" * 64}),
        ("fingerprint", "0" * 64),
    ],
)
def test_a_manifest_that_is_none_is_refused(made: Path, key: str, value: Any) -> None:
    told = json.loads((made / "manifest.json").read_text("utf-8"))
    (made / "manifest.json").write_text(json.dumps({**told, key: value}), "utf-8")
    with pytest.raises(jc.errors.TableError):
        Reference.load(made)


def test_a_manifest_without_bottom_is_refused(made: Path) -> None:
    (made / "manifest.json").write_text("[" * 100000, "utf-8")
    with pytest.raises(jc.errors.TableError, match="cannot be read as a manifest"):
        Reference.load(made)


def test_an_empty_folder_name_is_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("--tables", "--reference"):
        assert cli.main(["units", "J1885", "30 mg", flag, ""]) == 2
        assert "is no folder" in capsys.readouterr().err


def test_a_table_that_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "drugs.csv").mkdir()
    with pytest.raises(jc.errors.TableError, match=r"drugs\.csv"):
        REFERENCE.with_tables(tmp_path)


def test_an_ndc_in_another_form_is_told_as_it_is_written_here(tmp_path: Path) -> None:
    text = "ndc,codes,amount,unit\n9999-0001-01,J1885,40,mg\n"
    with pytest.raises(jc.errors.TableError, match="write 09999-0001-01"):
        REFERENCE.with_tables(_folder(tmp_path, products=text))


def test_a_sites_product_is_no_row_of_the_crosswalk(own: Reference) -> None:
    said = [note.rule for note in jc.billing_units("99999-0001-01", "30 mg", "2027-06-01", reference=own).findings]
    assert "product-reach" not in said
