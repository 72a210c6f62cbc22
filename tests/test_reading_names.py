"""Names as records and clinics write them: every part is read as what it is, and no word makes a wrong code."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import re
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import DRUGS, REFERENCE, billed_as, code_of

import jcodeunits as jc
from jcodeunits import routes, units
from jcodeunits.dose import Dose
from jcodeunits.errors import AmbiguousDrug, CodeError, JcodeunitsError, NoCode, NotInEffect, UnknownDrug
from jcodeunits.facts.by_route import answers_for
from jcodeunits.facts.choosing import choose
from jcodeunits.facts.drug_rows import Brand, BrandStrength, NameWord, OtherName, PublicName, RxNorm, Uncoded
from jcodeunits.facts.drug_text import parts_of, strength_in
from jcodeunits.facts.policy_rows import Unclassified
from jcodeunits.facts.product_rows import Product
from jcodeunits.facts.reading_names import read
from jcodeunits.facts.words import normal, squeezed
from jcodeunits.refresh import hcpcs
from jcodeunits.refresh.files import Published

ON = dt.date(2026, 8, 15)
CASES = Path(__file__).parent / "cases" / "phrases.csv"
NAMES = sorted(
    {row.ingredient for row in DRUGS.drugs}
    | {row.brand for row in DRUGS.brands}
    | {row.name for row in DRUGS.names if row.kind != "unsafe"}
)
WORDS = [row for row in DRUGS.store.rows(NameWord) if row.kind in ("route", "solid", "form", "package", "maker")]


@cache
def answer(text: str, route: str | None = None, dose: str = "") -> str:
    """The code, or nothing where it is refused."""
    return code_of(text, ON, dose, route)


def phrases() -> list[dict[str, str]]:
    lines = CASES.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@pytest.mark.parametrize("case", phrases(), ids=lambda case: f"{case['typed']}-{case['dose']}")
def test_a_phrase_of_a_record_or_a_clinic_gives_its_code_or_is_refused(case: dict[str, str]) -> None:
    got = billed_as(case, ON)
    assert got.startswith(case["answer"]), got
    for code in case["names"].split():
        assert code in got


# --- drugs without a code ---------------------------------------------------------------------------


@pytest.mark.parametrize("row", DRUGS.store.rows(Uncoded), ids=lambda row: row.name)
def test_a_drug_without_a_code_is_said_to_have_none_and_what_it_is_billed_with(row: Uncoded) -> None:
    for text in (row.name, row.name.upper(), f"{row.name} IV", f"{row.name} 10 mg/mL vial"):
        with pytest.raises(NoCode, match="no HCPCS code of its own on 2026-08-15") as caught:
            jc.billing_units(text, "1 mg", on=ON)
        assert "spelling" not in str(caught.value)
        known = {code for one in DRUGS.store.rows(Unclassified) for code in one.codes}
        assert caught.value.candidates
        assert set(caught.value.candidates) <= known


def test_a_name_before_its_first_day_never_sends_the_asker_round_in_a_circle() -> None:
    for name, on, code in (("Briumvi", "2023-03-01", "J3590"), ("Esperoct", "2020-03-01", "J7199")):
        with pytest.raises(NotInEffect, match=f"no HCPCS code of its own on {on}.*bill {code}") as caught:
            jc.billing_units(name, "150 mg", on=on)
        assert "look the drug up" not in str(caught.value)


COMBINED = sorted(
    {
        row.ingredient
        for row in DRUGS.drugs
        if " / " in row.ingredient and row.period.holds(ON) and row.kind != "solution"
    }
)


@pytest.mark.parametrize("ingredient", COMBINED)
def test_the_parts_of_a_combination_with_their_strengths_in_any_order_are_the_combination(ingredient: str) -> None:
    parts = ingredient.split(" / ")
    codes = {row.code for row in DRUGS.ingredients[normal(ingredient)]}
    for order in (parts, parts[::-1]):
        text = " / ".join(f"{part} 10 mg" for part in order)
        try:
            said = {choose(DRUGS, text, ON).drug.code}
        except AmbiguousDrug as asked:
            said = set(asked.candidates)
        assert codes & said


def test_a_vaccine_without_that_word_is_its_vaccine_only_where_nothing_else_begins_so() -> None:
    for full, rows in DRUGS.ingredients.items():
        stem, _, last = full.rpartition(" ")
        if last == "vaccine" and any(row.period.holds(ON) for row in rows) and squeezed(stem) not in DRUGS.named:
            others = [name for name in DRUGS.ingredients if name.startswith(f"{stem} ") and name != full]
            fulls = DRUGS.moieties.get(squeezed(stem), ())
            assert fulls == (full,) or others, stem
            assert not fulls or all(DRUGS.ingredients[name][0].kind == "vaccine" for name in others), stem


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "A2001 - Innovamatrix ac, per square centimeter (add-on, list separately in addition to the procedure)",
            "A2001",
        ),
        ("J0129 Injection, abatacept, 10 mg (code may be used " + "when somebody supervises, " * 8 + ")", "J0129"),
    ],
)
def test_a_code_in_words_that_are_not_read_is_the_way_out(text: str, code: str) -> None:
    with pytest.raises(UnknownDrug, match=f"{code} in it is a code: give that alone") as caught:
        jc.billing_units(text, "10 mg", on=ON)
    assert (caught.value.argument, caught.value.instead) == ("drug", code)


def test_a_suggestion_survives_the_words_around_the_name() -> None:
    for text, name in (
        ("rocefin IM", "Rocephin"),
        ("INJ ROCEFIN 1 G SOLR", "Rocephin"),
        ("ketoralac 30 mg/mL prefilled syringe", "ketorolac tromethamine"),
        ("ketamin 50 mg/mL vial", "ketamine"),
    ):
        with pytest.raises(UnknownDrug) as caught:
            jc.billing_units(text, "30 mg", on=ON)
        assert name in caught.value.near


def test_every_ingredient_of_the_list_of_injectables_is_answered_asked_about_or_said_to_have_no_code(
    shared: Path,
) -> None:
    with (shared / "fda" / "injectable_ndc_2023-10.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = {part.strip() for row in csv.DictReader(file) for part in row["Generic Description"].split(";")}
    unknown = set()
    for text in texts - {""}:
        try:
            jc.billing_units(text, "1 mg", on=ON)
        except JcodeunitsError as why:
            if isinstance(why, UnknownDrug) or "spelling" in str(why):
                unknown.add(text)
    assert len(texts) > 1500
    assert unknown == set()


def test_a_public_name_stands_for_what_is_known_here() -> None:
    kinds = {kind for row in DRUGS.store.rows(Unclassified) for kind in row.kinds} | {"drug", "biological"}
    for row in DRUGS.store.rows(PublicName):
        assert bool(row.means) != bool(row.kind), row
        assert not DRUGS.knows(squeezed(row.name)), row
        if row.kind:
            assert row.kind in kinds, row
        elif row.is_name:
            assert read(DRUGS, row.means) is not None, row
        else:
            assert all(DRUGS.rows(code) for code in row.means.split("|")), row


def test_the_short_name_of_a_code_beside_it_is_that_code_and_never_another(shared: Path) -> None:
    """A line of a charge master is the code and CMS's own short name, cut as CMS cuts it."""
    refused, billed = [], 0
    for code, entry in hcpcs.entries_of(Published(shared / "cms" / "hcpcs" / "hcpcs_2026Q3.xlsx")).items():
        if not any(row.period.holds(ON) for row in DRUGS.rows(code)):
            continue
        try:
            assert choose(DRUGS, f"{code} {entry.short}", ON).drug.code == code
            billed += 1
        except CodeError:
            refused.append(code)
    assert billed > 1800
    assert len(refused) <= 16, refused


_OF_ANOTHER = {"C9257": "J9035"}  # bevacizumab by 0.25 mg: only the amount of one unit tells it


def test_a_descriptor_of_the_code_set_as_a_name_is_its_own_code_or_asked_about(shared: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(shared / "cms" / "hcpcs" / "hcpcs_2026Q3.xlsx", read_only=True).worksheets[0]
    described: dict[str, list[str]] = {}
    for row in sheet.iter_rows(min_row=2, values_only=True):
        described.setdefault(str(row[0]).strip(), []).append(str(row[3] or "").strip())
    wrong, read_, of = {}, 0, 0
    for code, lines in described.items():
        text = " ".join(lines)
        live = any(row.period.holds(ON) for row in DRUGS.rows(code))
        if not live or DRUGS.rows(code)[0].kind == "skin-substitute" or len(text) > 190 or len(text.split()) > 19:
            continue
        of += 1
        try:
            got = jc.drug(text, on=ON).code
        except UnknownDrug:
            continue
        except JcodeunitsError as why:
            read_ += code in str(why) or code in getattr(why, "candidates", ())
            continue
        read_ += got == code
        if got != code and _OF_ANOTHER.get(code) != got:
            wrong[code] = got
    assert wrong == {}
    assert read_ > 0.85 * of


# --- no word makes a wrong code ---------------------------------------------------------------------


@given(st.sampled_from(NAMES), st.sampled_from(WORDS), st.booleans())
def test_a_form_or_package_word_leaves_the_code_and_a_route_word_is_the_route(
    name: str, word: NameWord, before: bool
) -> None:
    text = f"{word.word} {name}" if before else f"{name} {word.word}"
    got = answer(text)
    if not got:
        return
    if word.kind in ("route", "solid"):
        other = answer(name, word.means)  # a tablet may tell what the route leaves open
        assert got == other or (word.kind == "solid" and not other) or normal(text).replace(" ", "") in DRUGS.named
        return
    row = next(row for row in DRUGS.rows(got) if row.period.holds(ON))
    named = set(normal(word.word).split()) & set(normal(f"{row.form} {row.qualifier}").split())
    listed = DRUGS.knows(normal(text).replace(" ", ""))
    assert got == answer(name) or named or listed


@given(st.sampled_from(NAMES), st.sampled_from([word for word in WORDS if word.means]), st.booleans())
def test_a_word_that_does_not_fit_how_the_drug_is_given_is_refused(name: str, word: NameWord, before: bool) -> None:
    text = f"{word.word} {name}" if before else f"{name} {word.word}"
    got = answer(text)
    if not got or DRUGS.knows(squeezed(text)):
        return
    row = next(row for row in DRUGS.rows(got) if row.period.holds(ON))
    told = set(normal(word.word).split()) <= set(normal(f"{row.form} {row.qualifier} {name}").split())
    if word.kind in ("route", "solid"):
        assert answers_for(row, word.means), row
    elif not told:
        ways = ["injection"] if word.kind == "maker" else word.means.split("|")
        assert any(row.is_injected if way == "injection" else not row.routes or way in row.routes for way in ways), row


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_two_names_together_mean_what_both_mean_or_nothing(one: str, other: str) -> None:
    got = answer(f"{one} ({other})")
    reading = None
    try:
        reading = read(DRUGS, f"{one} ({other})")
    except JcodeunitsError:
        return
    if got and reading is not None and len(reading.names) == 2:
        for named in reading.names:
            assert got in {row.code for row in DRUGS.meant_by(named.key)}


@pytest.mark.book
@pytest.mark.parametrize("word", ["liposomal", "protein-bound", "decanoate", "extended-release", "with epinephrine"])
def test_a_name_with_one_word_more_never_answers_as_the_name_without_it(word: str) -> None:
    wrong = []
    for name in NAMES:
        longer = answer(f"{name} {word}")
        if longer and longer == answer(name):
            row = next(row for row in DRUGS.rows(longer) if row.period.holds(ON))
            forms = {row.form for row in DRUGS.rows(longer)}
            if word == "extended-release" and forms & {"depot", "extended release"}:
                continue  # one form under two names, or said in an older row of the code
            if not set(normal(word).split()) <= set(
                normal(f"{row.name} {name}").replace("liposome", "liposomal").split()
            ):
                wrong.append((name, longer))
    assert wrong == []


@given(st.sampled_from(NAMES), st.integers(1, 999))
def test_a_bare_number_beside_a_name_is_read_only_where_it_is_the_dose(name: str, number: int) -> None:
    text = f"{name} {number}"
    if str(number) in normal(name).split() or DRUGS.knows(normal(text).replace(" ", "")):
        return  # a number of the name itself says nothing more
    assert answer(text) == ""
    assert answer(text, None, f"{number + 1} mg") == ""


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_a_word_that_is_nothing_here_is_never_left_out(name: str, other: str) -> None:
    strange = f"{name} {normal(other)[:3]}zq"
    assert answer(strange) == ""


@pytest.mark.parametrize(
    ("text", "route"),
    [("ketorolac IM", "IV push"), ("ketorolac oral", None), ("ketorolac IM SC", "IV"), ("Zofran injection", "oral")],
)
def test_parts_that_contradict_each_other_are_refused(text: str, route: str | None) -> None:
    with pytest.raises((AmbiguousDrug, UnknownDrug)):
        choose(DRUGS, text, ON, None, route)


def test_a_strength_of_another_kind_is_refused() -> None:
    for text in ("ketorolac 30 units/mL", "heparin 5 mg/mL", "ketorolac 30 mg/mL 15 mg/mL", "D5W 10 mg/mL"):
        with pytest.raises(AmbiguousDrug):
            choose(DRUGS, text, ON, Dose.of("1 mL"))


# --- the tables of words ----------------------------------------------------------------------------


def test_every_concept_of_rxnorm_stands_for_a_name_that_is_known() -> None:
    for row in DRUGS.store.rows(RxNorm):
        assert DRUGS.knows(squeezed(row.name)), row
        assert row.rxcui.isdigit()


def test_a_spelling_of_a_route_is_read_in_a_drugs_text_too() -> None:
    wrong = []
    for spelling, route in ((row.word, row.route) for row in routes.words()):
        if len(spelling) < 5 or "implant" in spelling or spelling in ("patch", "aerosol"):
            continue  # a short one is another word in a text; an implant, a patch and an aerosol are forms
        reading = read(DRUGS, f"lidocaine {spelling}")
        if reading is None or not any(route.startswith(said) for said in reading.routes):
            wrong.append((spelling, reading and reading.routes))
    assert wrong == []


def test_what_a_word_is_short_for_is_words_of_names_and_a_route_is_a_route() -> None:
    known = {word for name in NAMES for word in normal(name).split()}
    known |= {word for row in DRUGS.drugs for word in normal(f"{row.form} {row.qualifier}").split()}
    known |= {word for row in DRUGS.store.rows(Uncoded) for word in normal(row.name).split()}
    for row in DRUGS.store.rows(NameWord):
        if row.kind in ("spelling", "maker"):
            assert set(normal(row.means).split()) <= known | DRUGS.salt_words, row
        elif row.kind in ("route", "solid"):
            assert row.means in routes.NAMES, row
        elif row.kind not in ("isotope", "fluid", "release"):
            assert set(row.means.split("|")) <= {"", "injection", "inhaled", "implant"}, row


def test_a_number_of_a_brand_is_a_strength_only_by_a_reviewed_row() -> None:
    wrong = []
    for row in DRUGS.brands:
        number = re.search(r"\d", row.brand)
        if number and squeezed(row.brand) not in DRUGS.brand_strengths:
            reading = read(DRUGS, row.brand)
            if reading is not None and reading.strengths:
                wrong.append(row.brand)
    assert wrong == []
    for row in DRUGS.store.rows(BrandStrength):
        assert DRUGS.knows(squeezed(re.sub(r" [\d.]+%$", "", row.brand))), row


_REVIEWED = ("printed name", "strength of the product", "listed by strength")


def words_around(name: str) -> list[str]:
    """The words and strengths in a name that are a form, a route, a package, a fluid or a strength."""
    parts, found, at = parts_of(name), [], 0
    while at < len(parts):
        keys = [part.key for part in parts[at:]]
        table = DRUGS.around | {f"in {word}": row for word, row in DRUGS.fluids.items()}
        size = next((n for n in range(min(5, len(keys)), 0, -1) if " ".join(keys[:n]) in table), 0)
        if size or parts[at].strength is not None:
            found.append(" ".join(keys[: size or 1]))
        at += size or 1
    return found


@pytest.mark.parametrize("row", [*DRUGS.brands, *DRUGS.names], ids=lambda row: getattr(row, "brand", None) or row.name)
def test_a_brand_or_name_holds_no_word_of_form_route_package_or_strength_but_by_review(row: Brand | OtherName) -> None:
    found = words_around(row.brand if isinstance(row, Brand) else row.name)
    if getattr(row, "kind", "") != "unsafe":
        reviewed = [why for why in row.note.split("; ") if why in _REVIEWED]
        assert len(reviewed) == bool(found), found


def test_the_number_of_a_brand_is_what_its_products_hold() -> None:
    compared = set()
    for row in DRUGS.store.rows(BrandStrength):
        said = strength_in(row.concentration)
        assert said is not None
        names = {squeezed(row.brand), squeezed(re.sub(r"[\d.]+%?$", "", row.brand))}
        held = {
            product.amount * units.factor(product.unit, said.unit) / product.quantity
            for product in REFERENCE.store.rows(Product)
            if squeezed(product.label) in names and product.amount and product.qualifier == "ML" and product.quantity
        }
        if held:
            compared.add(row.brand)
            assert any(abs(one - said.amount) * 200 <= said.amount for one in held), (row.brand, held)
    assert len(compared) >= 8


# --- every door reads the same ----------------------------------------------------------------------


def test_bulk_reads_a_name_as_the_counter_does() -> None:
    pa = pytest.importorskip("pyarrow")
    from jcodeunits import batch

    cases = [case for case in phrases() if case["dose"].split()[0].replace(".", "").isdigit()]
    table = pa.table(
        {
            "drug": [case["typed"] for case in cases],
            "dose": [case["dose"].partition(" ")[0] for case in cases],
            "unit": [case["dose"].partition(" ")[2] for case in cases],
            "on": [ON.isoformat()] * len(cases),
            "route": [case["route"] or None for case in cases],
        }
    )
    made = batch.bill(table).to_pylist()
    for case, row in zip(cases, made, strict=True):
        got = "refused" if row["status"] != "billed" else f"{row['hcpcs']} x {row['units']}"
        assert got.startswith(case["answer"]), (case["typed"], row)


@pytest.mark.parametrize("case", phrases(), ids=lambda case: f"{case['typed']}-{case['dose']}")
def test_find_lists_the_code_that_a_phrase_is_billed_with(case: dict[str, str]) -> None:
    found = [row.code for row in jc.find(case["typed"], on=ON)]
    if case["answer"] != "refused" and not re.search(r"[-\s]\d+$|rxcui", case["typed"].casefold()):
        assert case["answer"].split()[0] in found


def test_no_name_with_a_code_is_listed_as_one_without() -> None:
    for row in DRUGS.store.rows(Uncoded):
        assert squeezed(row.name) not in DRUGS.named, row
        assert squeezed(row.name) not in DRUGS.moieties, row


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("surgraft sc", "surgraft ac"),  # a sheet with a route is a slip in its name
        ("Cygnus Sol", "Cygnus Solo"),
        ("AlloPatch uD", "AlloPatch HD"),
        ("iv-aflibercept", "ziv-aflibercept"),  # a drug for the eye is not given into a vein
        ("heparin sodiu", "heparin sodium"),  # a word that lacks its last letter is no word cut short
        ("Lupron Depot-Ped 5 mg", "Lupron Depot-Ped 15 mg"),  # a brand listed by its strengths has no others
        ("Octagam 1%", "Octagam 10%"),
    ],
)
def test_a_text_one_slip_from_a_listed_name_is_not_read_as_another_with_words_around_it(text: str, near: str) -> None:
    assert answer(near)
    assert answer(text) == ""


@given(st.sampled_from(NAMES), st.data())
def test_a_text_one_edit_from_a_listed_name_has_no_other_names_code(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz "))
    edits = (name[:at] + name[at + 1 :], name[:at] + letter + name[at + 1 :], name[:at] + letter + name[at:])
    for text in edits:
        got = answer(text)
        if got and not DRUGS.knows(squeezed(text)):
            reading = read(DRUGS, text)
            assert reading is not None
            assert got == answer(name) or all(named.key != squeezed(name) for named in reading.names)
            assert {one.code for named in reading.names for one in DRUGS.meant_by(named.key)} >= {got}


def test_any_text_is_read_or_refused_within_five_milliseconds() -> None:
    texts = (
        " ".join(["lidocaine", "1%", "ketorolac", "IM"] * 5),
        "sodium chloride " * 9 + "q",
        "ketorolac " * 20,
        "penicillin g " * 6 + "x",
        "testosterone " * 10 + "cyp",
        "ringer saline dextrose morphine atropine ketorolac toradol zofran lasix ativan haldol decadron benadryl",
    )
    for text in texts:
        taken = []
        for n in range(7):
            begun = time.process_time()
            with contextlib.suppress(JcodeunitsError):
                jc.billing_units(text + " " * n, "30 mg", on=ON)
            taken.append(time.process_time() - begun)
        assert min(taken) < 0.005, (text, taken)


@pytest.mark.parametrize(
    "often", ["q6h", "q4-6h", "every 8 hours", "BID", "t.i.d.", "daily", "once a day", "every morning", "3 times daily"]
)
def test_how_often_a_drug_is_given_is_refused_by_name_and_left_out_it_is_read(often: str) -> None:
    typed = f"ketorolac 15 mg IV {often} PRN pain"
    with pytest.raises(AmbiguousDrug, match=f"{often!r} .* how often it is given.* Leave it out"):
        jc.billing_units(typed, "15 mg", on=ON)
    assert str(jc.billing_units(typed.replace(often, ""), "15 mg", on=ON)) == "J1885 x 1"
