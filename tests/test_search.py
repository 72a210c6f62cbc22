"""Searching: what a person types finds what it says, and nothing that only looks like it."""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import DRUGS, with_own

import jcodeunits as jc
from jcodeunits.errors import DateError, JcodeunitsError, UnknownDrug
from jcodeunits.facts.choosing import choose
from jcodeunits.facts.search import Drugs, find, suggest
from jcodeunits.facts.store import Store
from jcodeunits.facts.words import normal

ON = "2026-03-02"
BOOK = DRUGS


def _codes(text: str, on: object = ON) -> list[str]:
    return [row.code for row in find(text, on=on)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("J1885", "J1885"),
        (" j1885 ", "J1885"),
        ("toradol", "J1885"),
        ("TORADOL", "J1885"),
        ("ketorolac", "J1885"),
        ("ketorolac tromethamine", "J1885"),
        ("Rocephin", "J0696"),
        ("naloxone", "J2312"),
        ("naltrexone", "J2315"),
        ("b12", "J3420"),
        ("cyanocobalamin", "J3420"),
        ("depo-provera", "J1050"),
        ("depo provera", "J1050"),
        ("depoprovera", "J1050"),
        ("solumedrol", "J2919"),
        ("methylprednisolone acet", "J1010"),
        ("insulin", "J1815"),
        ("heparin", "J1644"),
        ("penicillin g benz", "J0561"),
        ("octreotide depot", "J2353"),
        ("epinephrine", "J0165"),
        ("0409-3795-01", "J1885"),
        ("00409379501", "J1885"),
        ("NDC 0409-3795-01", "J1885"),
    ],
)
def test_what_is_typed_finds_its_code_first(typed: str, first: str) -> None:
    assert _codes(typed)[0] == first


def test_an_exact_name_comes_before_names_that_begin_with_it() -> None:
    assert _codes("Eylea") == ["J0178", "J0177"]
    assert _codes("Opdivo")[0] == "J9299"
    assert set(_codes("Opdivo")) == {"J9299", "J9289"}


def test_the_code_for_every_maker_comes_before_a_makers_own() -> None:
    codes = _codes("bortezomib")
    assert codes[0] == "J9041"
    assert "J9048" in codes[1:]


def test_what_a_plain_name_is_billed_with_comes_first_but_for_a_few() -> None:
    on = dt.date(2026, 8, 15)
    rows = (row for row in BOOK.drugs if row.period.holds(on) and row.kind in ("drug", "biological"))
    others = []
    for name in sorted({BOOK.without_salts(row.ingredient) for row in rows if " / " not in row.ingredient}):
        with contextlib.suppress(JcodeunitsError):
            code = choose(BOOK, name, on).drug.code
            if find(name, on=on)[0].code != code:
                others.append(name)
    # Of these the words name an ingredient of another form in full, or a number of CPT beside a code.
    assert set(others) <= {"betamethasone", "hyaluronidase", "rabies immune globulin", "tetanus immune globulin"}


def test_a_route_behind_a_brand_shows_the_product_that_is_given_so() -> None:
    assert [row.code for row in find("Keytruda SC", on="2026-08-15")] == ["J9277"]
    assert [row.code for row in find("Keytruda IV", on="2026-08-15")] == ["J9271"]


def test_an_ambiguous_brand_shows_all_its_codes() -> None:
    assert set(_codes("Lupron Depot")) == {"J1950", "J9217"}


def test_all_words_must_be_found() -> None:
    assert set(_codes("hepatitis immune globulin")) >= {"90371", "J1571", "J1573"}
    assert _codes("hepatitis immune ketorolac") == []


def test_a_short_word_is_taken_whole() -> None:
    # "G" alone must not find every name with a word that begins with it.
    assert "J0561" in _codes("penicillin g")
    assert all("penicillin g" in row.ingredient for row in find("penicillin g", on=ON))


def test_a_code_cut_short_finds_the_codes_that_begin_so() -> None:
    assert _codes("J188") == ["J1885"]
    assert set(_codes("q999")) == {"Q9991", "Q9992", "Q9996", "Q9997", "Q9998", "Q9999"}


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "💊",
        "toradl",
        "ketoralac",
        "MS",
        "MSO4",
        "MgSO4",
        "J9998",
        "X0000",
        "00000-0000-00",
        "-",
        "0409-3795",
        "12345678901",
        "1234567890",
        "nothing of the kind",
        "'; drop table drugs",
        "%",
        "\x00",
    ],
)
def test_what_matches_nothing_gives_nothing(typed: str) -> None:
    assert find(typed, on=ON) == ()


def test_a_row_that_has_ended_is_found_on_its_days_only() -> None:
    assert _codes("J1030", "2024-03-31") == ["J1030"]
    assert _codes("J1030", "2024-04-01") == []
    assert set(_codes("Depo-Medrol", "2024-03-31")) == {"J1020", "J1030", "J1040"}
    assert _codes("Depo-Medrol", "2024-04-01") == ["J1010"]


def test_without_a_date_every_row_is_found_live_ones_first() -> None:
    rows = find("Depo-Medrol")
    assert rows[0].code == "J1010"
    assert {row.code for row in rows} == {"J1010", "J1020", "J1030", "J1040"}
    assert "(ended 2024-03-31)" in str(rows)


def test_a_limit_keeps_the_best() -> None:
    assert find("immune globulin", on=ON, limit=3) == find("immune globulin", on=ON)[:3]
    assert len(find("injection", on=ON, limit=None)) > 500


def test_the_result_is_a_tuple_that_displays_itself() -> None:
    rows = find("toradol", on=ON)
    assert isinstance(rows, Drugs)
    assert isinstance(rows, tuple)
    assert str(rows) == "J1885  ketorolac tromethamine, per 15 mg"
    assert str(find("toradl", on=ON)) == "no drug found"
    assert rows.as_list()[0]["code"] == "J1885"
    assert "J1885" in rows._repr_html_()


def test_a_site_finds_its_own_rows(tmp_path: Path) -> None:
    (tmp_path / "brands.csv").write_text("brand,code\nHousebrand,J1885\n", "utf-8")
    assert [row.code for row in find("housebrand", on=ON, reference=with_own(tmp_path))] == ["J1885"]
    assert find("housebrand", on=ON) == ()


@pytest.mark.parametrize("wrong", [None, 7, 1.5, b"toradol", ["toradol"]])
def test_what_is_no_text_is_a_typed_error(wrong: object) -> None:
    with pytest.raises(UnknownDrug, match="is no text"):
        find(wrong, on=ON)  # type: ignore[arg-type]


def test_an_impossible_date_is_a_typed_error() -> None:
    with pytest.raises(DateError):
        find("toradol", on="2026-02-30")


@given(st.text(max_size=30))
def test_no_text_breaks_the_search(text: str) -> None:
    day = dt.date(2026, 3, 2)
    assert all(row.period.holds(day) for row in find(text, on=day))


@given(st.sampled_from([row.ingredient for row in BOOK.drugs if row.period.holds(dt.date(2026, 3, 2))]))
def test_every_ingredient_finds_a_row_of_its_own_first_words(name: str) -> None:
    rows = find(name, on=ON, limit=None)
    assert any(row.ingredient == name for row in rows)
    words = normal(name).split()
    named = {normal(row.ingredient) for row in rows if row.ingredient == name}
    assert all(word in " ".join(named) for word in words)


# --- near matches: suggestions only -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("ketoralac", "ketorolac tromethamine"),
        ("toradl", "Toradol"),
        ("ceftriaxon", "ceftriaxone sodium"),
        ("naltrexon", "naltrexone"),
        ("naloxon", "naloxone hydrochloride"),
        ("Solumedrul", "Solu-Medrol"),
        ("J188S", "J1885"),
        ("JO696", "J0696"),
    ],
)
def test_a_slip_is_suggested(typed: str, near: str) -> None:
    assert near in suggest(typed, BOOK)


def test_suggestions_are_few_and_nearest_first() -> None:
    assert suggest("toradl", BOOK)[0] == "Toradol"
    assert len(suggest("interferon beta", BOOK, limit=3)) <= 3
    assert suggest("qqqqqqqq", BOOK) == ()
    assert suggest("  ", BOOK) == ()


def test_the_error_for_an_unknown_name_suggests_and_does_not_use() -> None:
    with pytest.raises(UnknownDrug) as caught:
        jc.billing_units("naltrexon", "380 mg", on=ON)
    assert "naltrexone" in caught.value.near
    assert "not used" in str(caught.value)


def test_one_drug_or_an_error_that_helps() -> None:
    assert jc.drug("Toradol", on=ON).code == "J1885"
    with pytest.raises(UnknownDrug) as caught:
        jc.drug("toradl", on=ON)
    assert caught.value.near[0] == "Toradol"
    with pytest.raises(UnknownDrug) as caught:
        jc.drug("J9998", on=ON)
    assert caught.value.near == ()
    with pytest.raises(UnknownDrug, match="give a HCPCS code or a name"):
        jc.drug(None, on=ON)  # type: ignore[arg-type]


def test_no_fuzzy_matching_is_loaded_to_find() -> None:
    script = (
        "import sys, jcodeunits as jc\n"
        "jc.find('toradol', on='2026-03-02'); jc.find('toradl', on='2026-03-02')\n"
        "print('rapidfuzz' in sys.modules, 'pint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]


def _read_whole(monkeypatch: pytest.MonkeyPatch, text: str) -> list[Any]:
    """What a search finds that looks at every row of every table."""
    with monkeypatch.context() as patch:
        patch.setattr(Store, "mentioning", lambda self, row_class, _says: self.rows(row_class))
        return list(find(text, limit=None))


@pytest.mark.parametrize(
    "text",
    ["toradol", "Solu-Medrol", "depo med", "vitamin b12", "in", "hydrochloride", "hcl", "a", "vit", "immune globulin"]
    + [
        "non-depot",
        "ketorolac tromethamine injection",
        'say "no"',
        "tc99m",
        "2.5%",
        "é",
        "iron|sucrose",
        "insulin glargine",
    ]
    + [row.brand for row in BOOK.brands[::97]]
    + [row.ingredient for row in BOOK.drugs[::131]],
)
def test_a_search_finds_what_a_look_at_every_row_finds(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert list(find(text, limit=None)) == _read_whole(monkeypatch, text)


def test_a_search_for_one_name_makes_no_row_of_the_others() -> None:
    says = "import jcodeunits as jc; from jcodeunits.facts.drug_rows import Brand, Drug; jc.find('toradol'); "
    says += "store = jc.Reference.shipped().store; print(store.has_read(Drug), store.has_read(Brand))"
    assert (
        subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, check=True).stdout
        == "False False\n"
    )
