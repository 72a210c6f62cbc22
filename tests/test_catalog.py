"""The catalog: dates, histories, a site's own rows, and rows that say what they are."""

import datetime as dt
import json
import pickle
import sys

import pytest
from shipped import DRUGS, with_own

import jcodeunits as jc
from jcodeunits import errors
from jcodeunits.facts.drug_rows import Drug

HEADER = (
    "code,ingredient,qualifier,specific,form,routes,kind,size,unit,basis,components,equivalents,above,through,refuses,"
    "effective,ends,source,cite,confidence,verified\n"
)


def row(code="X0001", size="5", unit="mg", basis="per", refuses="", effective="2020-01-01", ends="", **other):
    cells = {
        "code": code,
        "ingredient": "testazine",
        "qualifier": "",
        "specific": "no",
        "form": "",
        "routes": "injection",
        "kind": "drug",
        "size": size,
        "unit": unit,
        "basis": basis,
        "components": "",
        "equivalents": "",
        "above": "",
        "through": "",
        "refuses": refuses,
        "effective": effective,
        "ends": ends,
        "source": "own-review",
        "cite": "test",
        "confidence": "high",
        "verified": "2026-11-23",
        **other,
    }
    return Drug(*cells.values())


# --- dates -------------------------------------------------------------------------------------------------


def test_a_code_answers_from_its_first_to_its_last_day():
    assert jc.drug("J1030", on="1992-01-01").code == "J1030" or jc.drug("J1030", on="2024-03-31")
    assert jc.drug("J1030", on="2024-03-31").ends == dt.date(2024, 3, 31)
    assert jc.drug("J1010", on="2024-04-01").effective == dt.date(2024, 4, 1)
    for code, on in (("J1030", "2024-04-01"), ("J1010", "2024-03-31"), ("J3140", "2015-01-01")):
        with pytest.raises(errors.NotInEffect) as caught:
            jc.drug(code, on=on)
        assert on in str(caught.value)


def test_the_day_of_every_ended_row_and_the_day_after():
    for drug in DRUGS.drugs:
        if drug.ends is None:
            continue
        assert DRUGS.on(drug.code, drug.ends) is drug
        later = drug.ends + dt.timedelta(1)
        if not any(r.period.holds(later) for r in DRUGS.rows(drug.code)):
            with pytest.raises(errors.NotInEffect):
                DRUGS.on(drug.code, later)


def test_case_and_spaces_of_a_code_do_not_matter():
    assert jc.drug(" j0696 ", on="2026-03-02").code == "J0696"


@pytest.mark.parametrize("name", [None, "", " ", 5])
def test_no_drug_is_named(name):
    with pytest.raises(errors.UnknownDrug):
        jc.drug(name, on="2026-03-02")


def test_history_shows_rows_successors_and_predecessors():
    ended = jc.history("J1030")
    assert [r.code for r in ended] == ["J1030"]
    assert len(ended) == 1
    assert [s.successor for s in ended.successors] == ["J1010"]
    begun = jc.history("J1010")
    assert {s.code for s in begun.predecessors} == {"J1020", "J1030", "J1040"}
    made = ended.as_dict()
    assert json.loads(json.dumps(made)) == made
    assert made["successors"][0]["ndcs_moved"] == 22
    with pytest.raises(errors.UnknownDrug):
        jc.history("J0000")


def test_an_amount_that_changed_is_two_dated_rows():
    rows = jc.history("C9066").rows
    assert len(rows) == 2
    assert rows[0].ends + dt.timedelta(1) == rows[1].effective
    assert (rows[0].size, rows[0].unit) != (rows[1].size, rows[1].unit)


# --- rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (row(), "per 5 mg"),
        (row(basis="up to"), "up to 5 mg"),
        (row(size="1", unit="each", basis="each"), "each"),
        (row(size="1", unit="implant", basis="each"), "per implant"),
        (row(size="100", unit="IU"), "per 100 units"),
        (row(size="", basis="band", through="100"), "up to 100 mg"),
        (row(size="", basis="band", above="3", through="6"), "above 3 mg, up to 6 mg"),
        (row(size="", basis="band", above="10"), "above 10 mg"),
        (row(size="", unit="", components="a=5 mg|b=1 mg"), "per a 5 mg and b 1 mg"),
    ],
)
def test_a_billing_unit_reads_as_words(made, said):
    assert str(made.billing_unit) == said
    assert made.label == f"testazine, {said}"


@pytest.mark.parametrize(
    "cells",
    [
        {"size": "", "unit": "", "basis": ""},
        {"refuses": "no-amount"},
        {"size": "0"},
        {"size": "-5"},
        {"size": "5.5.5"},
        {"unit": "Mg"},
        {"basis": "about"},
        {"refuses": "because"},
        {"components": "a 5 mg"},
        {"equivalents": "1500IU"},
        {"specific": "maybe"},
        {"effective": "1.1.2020"},
        {"confidence": "sure"},
    ],
)
def test_a_row_that_cannot_be(cells):
    with pytest.raises(ValueError):  # noqa: PT011 - the loader's own tests check each message
        row(**cells)


def test_every_row_is_hashable_picklable_and_plain():
    rows = DRUGS.drugs
    assert len(set(rows)) == len(rows)
    for drug in rows[::50]:
        assert pickle.loads(pickle.dumps(drug)) == drug
        assert json.loads(json.dumps(drug.as_dict())) == drug.as_dict()
        assert drug.ingredient in drug.label


# --- a site's own rows -----------------------------------------------------------------------------------------


def test_a_site_adds_a_drug_and_nothing_shipped_changes(tmp_path):
    (tmp_path / "drugs.csv").write_text(
        HEADER + "X0001,testazine,,no,,injection,drug,5,mg,per,,,,,,2020-01-01,,own-review,site,high,2026-11-23\n"
    )
    own = with_own(tmp_path)
    assert int(jc.billing_units("testazine", "12 mg", on="2026-03-02", reference=own)) == 3
    assert int(jc.billing_units("J0696", "1 g", on="2026-03-02", reference=own)) == 4
    assert own.fingerprint != jc.fingerprint
    with pytest.raises(errors.UnknownDrug):
        jc.billing_units("testazine", "12 mg", on="2026-03-02")


def test_a_shipped_row_is_never_replaced(tmp_path):
    (tmp_path / "drugs.csv").write_text(
        HEADER
        + "J0696,ceftriaxone sodium,,no,,injection,drug,1,g,per,,,,,,2020-01-01,,own-review,site,high,2026-11-23\n"
    )
    with pytest.raises(errors.TableError, match="J0696"):
        with_own(tmp_path)


def test_a_folder_without_tables_and_no_folder(tmp_path):
    with pytest.raises(errors.TableError, match=r"drugs\.csv"):
        with_own(tmp_path)
    with pytest.raises(errors.TableError, match="no folder"):
        with_own(tmp_path / "none")


def test_a_file_in_the_current_folder_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "drugs.csv").write_text("nonsense")
    monkeypatch.chdir(tmp_path)
    assert int(jc.billing_units("J0696", "1 g", on="2026-03-02")) == 4


def test_the_public_face():
    assert jc.edition == "HCPCS 2026 Q3"
    assert len(jc.fingerprint) == 64
    assert jc.__version__ == "0.1.0"
    assert callable(jc.charge)
    assert "billing_units" in dir(jc)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        jc.nonsense  # noqa: B018 - reading it is the test


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for name in [module for module in sys.modules if module.startswith(("jcodeunits.batch", "jcodeunits.audit"))]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("batch", "audit"):
        monkeypatch.delitem(vars(jc), name, raising=False)
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'jcodeunits\[batch\]'") as caught:
            getattr(jc, name)
        assert caught.value.name == "pyarrow"


@pytest.mark.parametrize("name", ["90670", "Prevnar 13", "90378", "Synagis", "Shingrix"])
def test_before_the_first_day_read_of_a_numeric_code_nobody_says_that_it_had_none(name: str) -> None:
    # 90670 is of 2010 and 90378 of 1998: the tables begin later, and no file of CMS has their first days.
    with pytest.raises(errors.NotInEffect, match="nothing here tells what was billed on 2019-10-01") as caught:
        jc.billing_units(name, "1 dose", on="2019-10-01", route="IM")
    assert "no HCPCS code of its own" not in str(caught.value)


def test_before_the_first_day_of_a_code_of_cms_the_drug_had_none() -> None:
    with pytest.raises(
        errors.NotInEffect, match="no HCPCS code of its own on 2019-10-01; J2329 takes effect on 2023-07-01"
    ):
        jc.billing_units("Briumvi", "150 mg", on="2019-10-01", route="IV infusion")
