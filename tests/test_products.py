"""Products: one NDC found without the others, dated, with what the lists say against each other."""

from __future__ import annotations

import csv
import datetime as dt
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import DRUGS, PRODUCTS, load, rows_of, with_own

import jcodeunits as jc
from jcodeunits import ndc, tables
from jcodeunits.errors import AmbiguousNdc, TableError, UnknownProduct
from jcodeunits.facts.product_rows import Container, Product, ProductReview
from jcodeunits.facts.siblings import own

ON = "2026-03-02"
HEADER = ",".join(tables.header(Product))
CONTAINER_HEADER = ",".join(tables.header(Container))


@pytest.fixture(scope="module")
def every() -> tuple[Product, ...]:
    """The rows of the crosswalk."""
    return tuple(row for row in rows_of(Product) if "per-unit" not in row.marks)


# --- one NDC ---------------------------------------------------------------------------------------------


@given(st.data())
def test_the_partial_reader_gives_the_rows_of_the_strict_load(data: st.DataObject) -> None:
    loaded = rows_of(Product)
    number = data.draw(st.sampled_from([row for row in loaded if row.codes])).ndc
    assert PRODUCTS.rows(number) == tuple(own(row) for row in loaded if row.ndc == number)


@pytest.mark.parametrize("place", [0, -1])
def test_the_partial_reader_finds_the_first_and_the_last_row(every: tuple[Product, ...], place: int) -> None:
    assert every[place] in PRODUCTS.rows(every[place].ndc)


def test_an_ndc_is_found_without_reading_the_table_into_rows() -> None:
    script = (
        "import jcodeunits as jc\n"
        "from jcodeunits.facts import store\n"
        "print(jc.product('0409-3795-01', on='2026-03-02').codes[0])\n"
        "print(store._shipped.cache_info().currsize)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    code, loaded = run.stdout.split()
    assert code == "J1885", run.stderr
    assert int(loaded) == 0


def test_a_product_says_what_a_container_holds() -> None:
    item = jc.product("0409-3795-01", on=ON)
    assert (item.amount, item.unit, item.containers) == (30, "mg", 25)
    assert (item.qualifier, item.quantity, item.proof) == ("ML", 1, "fda-volume")
    assert item.contents == "30 mg/1 mL"
    assert item.number == "00409-3795-01"
    assert item.as_dict()["amount"] == "30"
    assert item.period.holds(dt.date(2026, 3, 2))
    assert "00409-3795-01" in item._repr_html_()


def test_a_placeholder_is_no_amount() -> None:
    item = jc.product("58394-0012-01", on=ON)
    assert (item.amount, item.dose, item.contents) == (None, None, "")
    assert item.name == "Xyntha vial"
    assert "placeholder" in item.as_dict()["marks"][0]


@pytest.mark.parametrize(
    ("number", "on", "codes"),
    [
        ("00009-3073-01", "2024-03-31", ("J1030",)),
        ("00009-3073-01", "2024-04-01", ("J1010",)),
        ("00409-1215-01", "2025-06-30", ("J2310",)),
        ("00409-1215-01", "2025-07-01", ("J2312",)),
        ("63323-0280-02", "2025-03-31", ("J1940",)),
        ("63323-0280-02", "2025-04-01", ("J1938",)),
        ("55513-0148-10", ON, ("J0885", "Q4081")),
        ("50242-0135-01", "2024-05-01", ("J3262", "Q0249")),
    ],
)
def test_the_codes_of_an_ndc_are_those_of_the_day(number: str, on: str, codes: tuple[str, ...]) -> None:
    assert PRODUCTS.codes(number, on) == (codes, ())


def test_a_replaced_code_leaves_the_amount_as_it_was(every: tuple[Product, ...]) -> None:
    moved = [rows for rows in _by_ndc(every).values() if len({row.codes for row in rows}) > 1]
    changed = [
        rows[0].number
        for rows in moved
        if len({(row.amount, row.unit) for row in rows if row.unit == rows[-1].unit}) > 1
        and len({(row.amount or 0) * row.containers for row in rows if row.unit == rows[-1].unit}) > 1
    ]
    assert len(moved) > 400
    assert changed == []


def _by_ndc(rows: tuple[Product, ...]) -> dict[str, list[Product]]:
    made: dict[str, list[Product]] = {}
    for row in rows:
        made.setdefault(row.ndc, []).append(row)
    return made


# --- how far the data reaches -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "on", "says"),
    [("0409-3795-01", "2019-05-01", "known from 2024-01-01"), ("0409-3795-01", "2031-05-01", "known up to 2026-03-31")],
)
def test_outside_the_editions_the_nearest_row_answers_and_says_so(number: str, on: str, says: str) -> None:
    item, (note,) = PRODUCTS.find(number, on)
    assert item.codes == ("J1885",)
    assert (note.rule, note.severity) == ("product-reach", "warn" if on > "2026-07-01" else "note")
    assert says in note.says


@pytest.mark.parametrize(("on", "codes"), [("2021-01-01", ("J1030",)), ("2035-01-01", ("J1010",))])
def test_of_several_rows_the_nearest_one_answers(on: str, codes: tuple[str, ...]) -> None:
    assert PRODUCTS.find("00009-3073-01", on)[0].codes == codes


def test_an_ndc_that_left_the_list_is_answered_by_its_last_row(every: tuple[Product, ...]) -> None:
    gone = next(rows[-1] for rows in _by_ndc(every).values() if rows[-1].ends == dt.date(2024, 9, 30))
    item, (note,) = PRODUCTS.find(gone.ndc, ON)
    assert item == gone
    assert f"was not in CMS's crosswalk on {ON}" in note.says


def test_inside_the_editions_nothing_is_noted() -> None:
    assert PRODUCTS.find("0409-3795-01", "2024-08-15")[1] == ()


def test_an_unknown_ndc_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnknownProduct, match="Check it against the package") as refused:
        PRODUCTS.find("11111-1111-11", ON)
    assert refused.value.ndc == "11111111111"


def test_ten_digits_are_settled_by_a_product_row() -> None:
    item, (note,) = PRODUCTS.find("0409379501", ON)
    assert (item.number, note.rule) == ("00409-3795-01", "ndc-read-as")
    with pytest.raises(AmbiguousNdc):
        PRODUCTS.find("1111111111", ON)


def test_ten_digits_that_fit_two_products_stay_ambiguous(every: tuple[Product, ...]) -> None:
    known = {row.ndc for row in every}
    shortened = Counter(short for number in known for short in _ten_digit_forms(number))
    twice = [short for short, count in shortened.items() if count > 1]
    for short in twice[:20]:
        with pytest.raises(AmbiguousNdc):
            PRODUCTS.resolve(short, "2026-03-02")
    once = [short for short, count in shortened.items() if count == 1][:20]
    for short in once:
        assert PRODUCTS.resolve(short, "2026-03-02") in known


def _ten_digit_forms(number: str) -> set[str]:
    parts = (number[:5], number[5:9], number[9:])
    return {"".join((*parts[:n], part[1:], *parts[n + 1 :])) for n, part in enumerate(parts) if part.startswith("0")}


# --- the tables -------------------------------------------------------------------------------------------


def test_a_qualifier_never_stands_without_its_proof(every: tuple[Product, ...]) -> None:
    assert all(bool(row.qualifier) == bool(row.proof) == (row.quantity is not None) for row in every)
    # A container of a set counts as its part: so many parts are one unit. A bottle counts its pieces.
    counted = [row.quantity for row in every if row.qualifier == "UN" and row.quantity]
    assert all(1 in (count.numerator, count.denominator) for count in counted)
    whole = [row for row in every if row.proof == "whole-package"]
    assert whole
    assert all(row.quantity == 1 / row.containers for row in whole)


def test_a_row_without_an_amount_says_why(every: tuple[Product, ...]) -> None:
    empty = [row for row in every if row.amount is None]
    assert empty
    assert all(row.marks for row in empty)
    assert all(row.confidence == "low" for row in empty if row.marks != ("placeholder",))


def test_a_pierced_vial_never_calls_itself_single_dose_by_its_shape(every: tuple[Product, ...]) -> None:
    kinds = {row.kind for row in every if row.shape == "vial" and PRODUCTS.container(row.ndc, ON) is None}
    assert kinds == {"single-dose", "multi-dose", ""}  # as texts of the very NDC say, else not known
    sealed = [row for row in every if row.shape in ("syringe", "ampule", "auto-injector")]
    assert all(row.kind for row in sealed)


def test_the_products_were_made_with_the_reviewed_containers(every: tuple[Product, ...]) -> None:
    shelf = PRODUCTS
    read = 0
    for row in every:
        reviewed = shelf.container(row.ndc, ON)
        if reviewed is not None:
            read += 1
            assert reviewed.kind in ("", row.kind), row.number
            assert reviewed.form in ("", row.form), row.number
    assert read > 200


def test_every_reviewed_row_is_of_a_listed_product(every: tuple[Product, ...]) -> None:
    numbers = {row.number for row in every}
    prefixes = numbers | {number[:10] for number in numbers}
    assert [row.product for row in rows_of(Container) if row.product not in prefixes] == []
    assert [row.ndc for row in rows_of(ProductReview) if ndc.format(row.ndc) not in numbers] == []


def test_a_review_is_found_by_its_ndc() -> None:
    review = PRODUCTS.review("68135002001")
    assert review is not None
    assert (review.verdict, review.amount, review.unit) == ("set", 5, "mg")
    assert jc.product("68135-0020-01", on=ON).amount == 5
    assert PRODUCTS.review("00409379501") is None


def test_every_review_is_what_the_products_say(every: tuple[Product, ...]) -> None:
    for review in rows_of(ProductReview):
        rows = [row for row in every if row.ndc == review.ndc]
        mark = "refused" if review.verdict == "refuse" else "reviewed"
        assert all(row.marks == (mark,) for row in rows), review.ndc
        if review.verdict == "set":
            assert {(row.amount, row.unit) for row in rows} == {(review.amount, review.unit)}
        elif review.verdict == "refuse":
            assert {row.amount for row in rows} == {None}


def test_the_products_of_a_code_are_found_for_the_best_fit() -> None:
    sizes = {item.contents for item in PRODUCTS.of_code("J3262", ON)}
    assert sizes == {"80 mg/4 mL", "200 mg/10 mL", "400 mg/20 mL"}


@pytest.mark.parametrize(("on", "edition"), [("2019-01-01", "2024-01-01"), ("2031-01-01", "2026-03-31")])
def test_outside_the_editions_the_products_of_a_code_are_those_of_the_nearest(on: str, edition: str) -> None:
    shelf = PRODUCTS
    assert shelf.of_code("J3301", on) == shelf.of_code("J3301", edition) != ()


@pytest.mark.parametrize("code", ["J1885", "J7030", "Q4081"])
def test_the_products_of_a_code_are_all_of_them(every: tuple[Product, ...], code: str) -> None:
    day = dt.date(2026, 3, 2)
    wanted = tuple(row for row in every if code in row.codes and row.period.holds(day))
    assert PRODUCTS.of_code(code, ON) == wanted


@pytest.mark.parametrize(
    ("cell", "value", "says"),
    [
        ("ndc", "0409-3795-01", "5-4-2"),
        ("codes", "J188", "4 characters"),
        ("amount", "thirty", "decimal"),
        ("amount", "0", "above zero"),
        ("unit", "MEGAGRAM", "not an accepted unit"),
        ("qualifier", "", "stand together"),
        ("proof", "guess", "one of"),
        ("marks", "odd", "only known marks"),
        ("kind", "triple-dose", "one of"),
    ],
)
def test_a_broken_row_is_refused_with_its_column(tmp_path: Path, cell: str, value: str, says: str) -> None:
    row = dict(zip(HEADER.split(","), _good_row(), strict=True)) | {cell: value}
    file = tmp_path / "products.csv"
    file.write_text(f"{HEADER}\n{','.join(row.values())}\n", encoding="utf-8")
    with pytest.raises(TableError, match=says):
        load(Product, file)


def _good_row(number: str = "99999-0001-01") -> list[str]:
    return [
        number,
        "J1885",
        "30",
        "mg",
        "1",
        "ML",
        "1",
        "reviewed",
        "1",
        "vial",
        "",
        "liquid",
        "Own ketorolac",
        "Us",
        "",
        "2024-01-01",
        "",
        "own-review",
        "our shelf",
        "medium",
        "2026-11-23",
    ]


def test_a_review_sets_an_amount_or_none(tmp_path: Path) -> None:
    header = ",".join(tables.header(ProductReview))
    row = "99999-0001-01,keep,5,mg,,reason,,2024-01-01,,own-review,x,low,2026-11-23"
    file = tmp_path / "product_reviews.csv"
    file.write_text(f"{header}\n{row}\n", encoding="utf-8")
    with pytest.raises(TableError, match="verdict 'set'"):
        load(ProductReview, file)


# --- a site's own rows ------------------------------------------------------------------------------------


def _site(tmp_path: Path, product: list[str] | None = None, container: str = "") -> Path:
    if product:
        (tmp_path / "products.csv").write_text(f"{HEADER}\n{','.join(product)}\n", encoding="utf-8")
    if container:
        (tmp_path / "containers.csv").write_text(f"{CONTAINER_HEADER}\n{container}\n", encoding="utf-8")
    return tmp_path


def test_a_site_adds_its_own_product_and_container(tmp_path: Path) -> None:
    container = "00264-3153,single-dose,powder,,duplex bag,2024-01-01,,own-review,our shelf,medium,2026-11-23"
    shelf = with_own(_site(tmp_path, _good_row(), container))
    item = jc.product("99999-0001-01", on=ON, reference=shelf)
    assert item.label == "Own ketorolac"
    assert item in shelf.products.of_code("J1885", ON)
    answer = jc.ndc_quantity("00264-3153-11", "1 g", on=ON, reference=shelf)
    assert str(answer) == "UN1"
    assert "reviewed container" in answer.trace.text()
    with pytest.raises(UnknownProduct):
        jc.product("99999-0001-01", on=ON)


def test_a_sites_volume_counts_a_liquid(tmp_path: Path) -> None:
    container = "00562-7805-01,,liquid,1.3,syringe,2024-01-01,,own-review,our shelf,medium,2026-11-23"
    shelf = with_own(_site(tmp_path, container=container))
    assert str(jc.ndc_quantity("00562-7805-01", "300 mcg", on=ON, reference=shelf)) == "ML1.3"


def test_a_site_never_replaces_a_shipped_row(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="00409379501"):
        with_own(_site(tmp_path, _good_row("00409-3795-01")))
    container = "65757-0300,multi-dose,,,,2026-01-01,,own-review,x,medium,2026-11-23"
    (tmp_path / "products.csv").unlink()
    with pytest.raises(TableError, match="65757-0300"):
        with_own(_site(tmp_path, container=container))


def test_an_empty_folder_adds_nothing(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"holds no table"):
        with_own(tmp_path)


# --- against the published files --------------------------------------------------------------------------


def _published(shared: Path) -> list[dict[str, str]]:
    """The rows of every crosswalk in the folder, by our own short reading: code, NDC, billing units, quarter."""
    found = []
    for path in sorted((shared / "cms" / "asp_crosswalk").glob("*.csv")):
        rows = list(csv.reader(path.read_text("cp1252").splitlines()))
        head = next(n for n, row in enumerate(rows) if "BILLUNITS" in row)
        for row in rows[head + 1 :]:
            if row and row[0].strip() and ndc.is_valid(row[3]):
                named = dict(zip(["code", *rows[head][1:]], [cell.strip() for cell in row], strict=False))
                found.append(named | {"file": path.name})
    return found


def test_every_ndc_of_every_quarter_has_a_row_with_its_code(shared: Path) -> None:
    known = _by_ndc(rows_of(Product))
    rows = _published(shared)
    lost = {row["NDC2"] for row in rows if row["NDC2"] != "64281-0110-06"} - {ndc.format(n) for n in known}
    assert lost == set()
    without = [
        (row["NDC2"], row["code"], row["file"])
        for row in rows
        if not any(row["code"] in item.codes for item in known[ndc.compact(row["NDC2"])])
    ]
    assert without == []


def test_the_amounts_agree_with_the_independent_list_or_are_reviewed(shared: Path) -> None:
    listed = (shared / "fda" / "injectable_ndc_2023-10.csv").read_text("utf-8-sig").splitlines()
    units = {"mg": "mg", "[IU]": "unit", "[USP'U]": "unit", "U": "unit", "mEq": "mEq"}
    strengths = {
        row["NDC"]: (Fraction(row["Strength"]), units[row["Measure"]])
        for row in csv.DictReader(listed)
        if row["Measure"] in units and row["Strength"].replace(".", "", 1).isdigit()
    }
    reviewed = {ndc.format(row.ndc) for row in rows_of(ProductReview)}
    newest = {row.number: row for row in rows_of(Product) if "per-unit" not in row.marks}
    told = Counter()
    for number, (strength, unit) in strengths.items():
        item = newest.get(number)
        if item is None or item.amount is None or item.unit != unit or not strength:
            continue
        told["agrees" if item.amount == strength else "reviewed" if number in reviewed else number] += 1
    assert set(told) == {"agrees", "reviewed"}
    assert told["agrees"] > 3500


def test_the_amount_is_billunits_times_the_billing_unit(shared: Path) -> None:
    """By whole billing units, which need no rounding, and the catalog's own size of the code."""
    reviewed = {row.ndc for row in rows_of(ProductReview)}
    book = DRUGS
    checked = 0
    for row in _published(shared):
        digits = ndc.compact(row["NDC2"])
        if digits in reviewed or not row["BILLUNITS"].isdigit() or "2026Q1" not in row["file"]:
            continue
        item, _ = PRODUCTS.find(digits, ON)
        drug = next((d for d in book.rows(row["code"]) if d.period.holds(dt.date(2026, 3, 2))), None)
        if item.amount is None or drug is None or drug.size is None or item.unit == "billing unit":
            continue
        try:
            counted = jc.billing_units(drug, item.dose, on=ON).exact
        except jc.errors.UnitMismatch:
            continue
        if drug.basis == "up to" and row["BILLUNITS"] == "1":
            assert counted <= 1, row  # the most that one unit holds
        elif drug.basis != "band":
            checked += 1
            assert counted == int(row["BILLUNITS"]), row
    assert checked > 5000


def _survey(shared: Path) -> dict[str, tuple[str, str]]:
    """Unit and name of each NDC (11 digits) in CMS's price survey."""
    lines = (shared / "evidence" / "nadac_units_2018-2026-06.csv").read_text("utf-8").splitlines()
    qualifier = {"EA": "UN", "ML": "ML", "GM": "GR"}
    return {row["ndc"]: (qualifier[row["pricing_unit"]], row["drug_name"]) for row in csv.DictReader(lines)}


def test_no_row_counts_otherwise_than_the_published_unit(shared: Path, every: tuple[Product, ...]) -> None:
    units = _survey(shared)
    told = [(row.number, row.qualifier, units[row.ndc]) for row in every if row.qualifier and row.ndc in units]
    assert len(told) > 100
    assert [entry for entry in told if entry[1] != entry[2][0]] == []


def test_no_part_of_a_set_that_the_state_counts_as_one_is_counted_alone(
    shared: Path, every: tuple[Product, ...]
) -> None:
    """Where the state's file has the package as 1 for all billing units of its containers."""
    lines = (shared / "evidence" / "nd_medicaid_conversion_2024-05-02.csv").read_text("utf-8-sig").splitlines()
    sets: dict[str, list[tuple[str, Fraction]]] = {}
    for line in csv.DictReader(lines):
        if line["Claim Type"] == "Medical" and line["CMS Units - Invoiced Units"] == "1":
            billed = Fraction(line["Provider Billed Units"].replace(",", ""))
            sets.setdefault(line["NDC"], []).append((line["HCPCS"], billed))
    book = DRUGS

    def whole(row: Product, code: str, billed: Fraction) -> bool:
        drug = book.rows(code)[-1]
        return drug.unit == row.unit and billed * (drug.size or 0) == (row.amount or 0) * row.containers

    seen = 0
    for row in every:
        said = [entry for entry in sets.get(row.number, ()) if entry[0] in row.codes]
        if row.containers > 1 and said and all(whole(row, *entry) for entry in said):
            seen += 1
            assert row.quantity == 1 / row.containers, row.number
    assert seen >= 3


def test_one_unit_of_a_code_that_counts_up_to_an_amount_never_gives_it_alone(
    shared: Path, every: tuple[Product, ...]
) -> None:
    """What the survey's name prints for the container is what the row holds, or it holds nothing."""
    named = {
        number: Fraction(found[1])
        for number, (_unit, name) in _survey(shared).items()
        if (found := re.search(r"BUDESONIDE ([\d.]+) MG/2 ML", name))
    }
    rows = [row for row in every if row.ndc in named]
    assert len(rows) > 20
    assert {row.number for row in rows if row.amount != named[row.ndc]} == set()
