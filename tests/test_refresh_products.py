"""How the product table is made: periods over missing quarters, amounts settled, qualifiers proved."""

from __future__ import annotations

import csv
import datetime as dt
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from shipped import load, rows_of

import jcodeunits as jc
from jcodeunits.amount import decimal_text
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.product_rows import Container, Product, ProductReview
from jcodeunits.refresh import asp, crosswalk, evidence, fda, products
from jcodeunits.refresh.byhand import ByHand
from jcodeunits.refresh.dating import When
from jcodeunits.refresh.family import Asked
from jcodeunits.refresh.files import Published
from jcodeunits.refresh.marketed import Marketed
from jcodeunits.refresh.proving import Codes

VERIFIED = dt.date(2026, 11, 23)
QUARTERS = {
    "2024q1": (dt.date(2024, 1, 1), dt.date(2024, 3, 31)),
    "2024q2": (dt.date(2024, 4, 1), dt.date(2024, 6, 30)),
    "2024q4": (dt.date(2024, 10, 1), dt.date(2024, 12, 31)),
}
ONE, TWO, THREE = "00001-0001-01", "00001-0002-01", "00001-0003-01"


def row(
    number: str = ONE,
    code: str = "J1111",
    dosage: str = "15 MG",
    size: str = "1",
    containers: str = "10",
    units: str = "2",
    package: str | None = None,
    name: str = "Newdrug",
    line: int = 9,
) -> asp.CrosswalkRow:
    """One printed row; the package's units follow unless they are given."""
    total = package if package is not None else decimal_text(Fraction(units) * Fraction(containers))
    return asp.CrosswalkRow(line, code, "Maker", number, name, dosage, size, containers, units, total)


def quarter(name: str, *rows: asp.CrosswalkRow) -> crosswalk.CrosswalkEdition:
    first, last = QUARTERS[name]
    return crosswalk.edition(When(first, last, name), rows)


def listed(number: str, description: str, strength: str, measure: str, form: str = "Vial") -> dict[str, Any]:
    """One row of the FDA list, as the file has it."""
    return {"NDC": number, "Description": description, "Strength": strength, "Measure": measure, "Dosage Form": form}


def fda_list(tmp_path: Path, *rows: dict[str, Any]) -> dict[str, fda.Injectable]:
    file = tmp_path / "injectable_ndc_2023-10.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.DictWriter(out, ["NDC", "Description", "Strength", "Measure", "Dosage Form"])
        writer.writeheader()
        writer.writerows(rows)
    (reading,) = fda.read(Published(file), Asked(), ByHand(jc.Reference.shipped().store))
    return fda.listed(reading.statements)


def review(number: str, verdict: str, amount: str = "", unit: str = "") -> ProductReview:
    cells = (number, verdict, amount, unit, "", "reason", "note", "2024-01-01", "", "own-review", "x", "medium")
    return ProductReview(*cells, "2026-11-23")


def container(product: str, kind: str = "", form: str = "", quantity: str = "") -> Container:
    tail = ("2024-01-01", "", "own-review", "x", "low", "2026-11-23")
    return Container(product, kind, form, quantity, "", *tail)


def make(
    *editions: crosswalk.CrosswalkEdition,
    known: Any = None,
    reviews: Any = None,
    containers: Any = None,
    lives: Any = None,
    witnesses: evidence.Evidence | None = None,
    ceilings: Any = (),
) -> products.Made:
    said = attrs.evolve(witnesses or evidence.Evidence(), fda=known or {})
    return products.make(
        editions, reviews or {}, containers or {}, lives or {}, VERIFIED, said, Codes(ceilings=ceilings)
    )


def periods(made: products.Made, number: str = ONE) -> list[tuple[str, str, str]]:
    return [(r["codes"], r["effective"], r["ends"]) for r in made.rows if r["ndc"] == number]


def only(made: products.Made, number: str = ONE) -> dict[str, str]:
    (found,) = (r for r in made.rows if r["ndc"] == number)
    return found


# --- one printed row ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dosage", "size", "unit"),
    [
        ("1 MG", "1", "mg"),
        (".625 GM", "625", "mg"),
        ("0.01 mg", "1/100", "mg"),
        ("25 MCG", "1/40", "mg"),
        ("UP TO 0.50 MG", "1/2", "mg"),
        ("up to 80 MG", "80", "mg"),
        ("1000 CC", "1000", "mL"),
        ("100,000 UNITS", "100000", "unit"),
        ("600000 UNITS", "600000", "unit"),
        ("5 Unit", "5", "unit"),
        ("1 IU", "1", "unit"),
        ("1 I.U. VWF:RCO", "1", "unit"),
        ("PER FACTOR VIII IU", "1", "unit"),
        ("1 USP UNIT", "1", "unit"),
        ("2 MEQ", "2", "mEq"),
        ("300 MCG (1500 IU)", "3/10", "mg"),
        ("10 MG (rituximab)", "10", "mg"),
        ("75mg (50mg cft/25mg taz)", "75", "mg"),
        ("1 SQ CM", "1", "cm2"),
        ("1 million\xa0PFU", "1000000", "PFU"),
        ("1mg", "1", "mg"),
        ("1  MG", "1", "mg"),
        ("1 EA", "1", "each"),
    ],
)
def test_every_spelling_of_a_dosage_is_read(dosage: str, size: str, unit: str) -> None:
    assert crosswalk.read_dosage(dosage) == (Fraction(size), unit)


@pytest.mark.parametrize(
    "dosage",
    [
        "2.5 MG/0.5 MG",
        "5MG-1MG",
        "3 MG & 3 MG",
        "1 MG/2.27 MG",
        "LESS THAN OR EQUAL TO 100 MG",
        "Greater than 100 MG",
        "PER VIAL",
        "per dose",
        "PER IMPLANT",
        "Per Therapeutic Dose",
        "UP TO 600 million CAR-positive viable T cells",
        "Per 3.2 MG single-use applicator",
        "",
        "banana",
        "Less than or equal to 7 days of therapy",
    ],
)
def test_a_dosage_that_is_no_single_amount_is_counted_in_billing_units(dosage: str) -> None:
    assert crosswalk.read_dosage(dosage) is None
    (listing,) = quarter("2024q1", row(dosage=dosage, units="3")).listings
    assert (listing.amount, listing.unit) == (3, "billing unit")


@pytest.mark.parametrize(
    ("units", "slack"),
    [("2", 0), ("0.5", 0), ("12.5", 0), ("0.25", 0), ("0.125", 0), ("8.33", "0.075"), ("33.3333", "0.00075")],
)
def test_a_rounded_figure_leaves_room_for_the_true_one(units: str, slack: object) -> None:
    (listing,) = quarter("2024q1", row(units=units)).listings
    assert listing.amount == Fraction(units) * 15
    assert listing.slack == Fraction(str(slack))


@pytest.mark.parametrize(
    ("units", "containers", "package", "contradicts"),
    [
        ("2", "10", "20", False),
        ("0.25", "10", "3", False),
        ("8.33", "10", "84", False),
        ("1", "1", "5", True),
        ("10", "10", "10", True),
        ("6.7", "1", "7", False),
        ("5", "1", "20", True),
        ("2", "25", "25", True),
    ],
)
def test_a_row_whose_figures_do_not_multiply_out_is_marked(
    units: str, containers: str, package: str, contradicts: bool
) -> None:
    (listing,) = quarter("2024q1", row(units=units, containers=containers, package=package)).listings
    assert bool(listing.problem) == contradicts


def test_ids_that_are_no_ndc_are_counted_and_unreadable_figures_named() -> None:
    made = quarter("2024q1", row(), row("GG100"), row(TWO, units="21.3125?", package="5"), row(THREE, units="0"))
    assert [listing.ndc for listing in made.listings] == [ONE]
    assert made.without_ndc == 1
    assert [line.split(":")[0] for line in made.unreadable] == ["line 9", "line 9"]
    assert len(products.make([made], {}, {}, {}, VERIFIED).lint) == 2


# --- periods -----------------------------------------------------------------------------------------------


def test_a_row_stays_open_and_bridges_a_missing_quarter() -> None:
    made = make(quarter("2024q1", row()), quarter("2024q2", row()), quarter("2024q4", row()))
    assert periods(made) == [("J1111", "2024-01-01", "")]
    assert only(made)["source"] == "asp-xwalk-2024q4"


def test_a_row_ends_the_day_before_the_edition_that_lacks_it() -> None:
    made = make(quarter("2024q2", row(), row(TWO)), quarter("2024q4", row(TWO)))
    assert periods(made) == [("J1111", "2024-04-01", "2024-09-30")]


def test_a_row_that_comes_back_has_two_periods() -> None:
    made = make(quarter("2024q1", row()), quarter("2024q2", row(TWO)), quarter("2024q4", row()))
    assert periods(made) == [("J1111", "2024-01-01", "2024-03-31"), ("J1111", "2024-10-01", "")]


def test_a_code_that_changed_between_two_editions_makes_two_rows() -> None:
    made = make(quarter("2024q1", row()), quarter("2024q2", row(code="J2222", dosage="1 MG", units="30")))
    assert periods(made) == [("J1111", "2024-01-01", "2024-03-31"), ("J2222", "2024-04-01", "")]
    assert {r["amount"] for r in made.rows} == {"30"}


def test_a_code_that_changed_inside_a_missing_quarter_changed_on_the_codes_own_day() -> None:
    lives = {"J1111": [(dt.date(2010, 1, 1), dt.date(2024, 6, 30))], "J2222": [(dt.date(2024, 7, 1), None)]}
    made = make(quarter("2024q2", row()), quarter("2024q4", row(code="J2222", dosage="1 MG", units="30")), lives=lives)
    assert periods(made) == [("J1111", "2024-04-01", "2024-06-30"), ("J2222", "2024-07-01", "")]


def test_without_the_codes_own_days_the_old_code_lasts_until_the_new_edition() -> None:
    made = make(quarter("2024q2", row()), quarter("2024q4", row(code="J2222", dosage="1 MG", units="30")))
    assert periods(made) == [("J1111", "2024-04-01", "2024-09-30"), ("J2222", "2024-10-01", "")]


def test_an_ended_code_closes_its_row_in_the_newest_edition() -> None:
    lives = {"J1111": [(dt.date(2010, 1, 1), dt.date(2024, 12, 31))]}
    assert periods(make(quarter("2024q4", row()), lives=lives)) == [("J1111", "2024-10-01", "2024-12-31")]


def test_several_codes_of_one_ndc_stand_in_one_row() -> None:
    made = make(quarter("2024q1", row(), row(code="J2222", dosage="1 MG", units="30")))
    assert periods(made) == [("J1111|J2222", "2024-01-01", "")]
    assert only(made)["amount"] == "30"


def test_a_code_that_joins_later_begins_a_row() -> None:
    second = row(code="J2222", dosage="1 MG", units="30")
    made = make(quarter("2024q1", row()), quarter("2024q2", row(), second), quarter("2024q4", row()))
    assert periods(made) == [
        ("J1111", "2024-01-01", "2024-03-31"),
        ("J1111|J2222", "2024-04-01", "2024-09-30"),
        ("J1111", "2024-10-01", ""),
    ]


# --- amounts -----------------------------------------------------------------------------------------------


def test_the_units_of_the_package_are_never_used() -> None:
    made = make(quarter("2024q1", row(units="0.25", containers="10", package="3")))
    assert only(made)["amount"] == "3.75"


def test_a_rounded_amount_becomes_the_exact_one_that_the_list_gives(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 5000000 UNT Vial", "5000000", "[IU]"))
    rounded = row(dosage="600000 UNITS", units="8.33", package="84")
    made = make(quarter("2024q1", rounded, row(TWO, dosage="600000 UNITS", units="8.33", package="84")), known=known)
    assert (only(made)["amount"], only(made)["confidence"]) == ("5000000", "high")
    # The sibling is in no list, but within its rounding stands one known amount of the code.
    assert only(made, TWO)["amount"] == "5000000"


def test_a_rounded_amount_with_nothing_beside_it_stays_and_is_marked() -> None:
    made = make(quarter("2024q1", row(units="0.31", package="3.1")))
    assert (only(made)["amount"], only(made)["marks"]) == ("4.65", "rounded")


def test_a_row_that_contradicts_itself_has_no_amount_unless_the_list_confirms_it(tmp_path: Path) -> None:
    odd = row(units="2", containers="10", package="10")
    assert (only(make(quarter("2024q1", odd)))["amount"], only(make(quarter("2024q1", odd)))["marks"]) == (
        "",
        "cms-contradicts",
    )
    known = fda_list(tmp_path, listed(ONE, "Newdrug 30 mg Vial", "30", "mg"))
    assert only(make(quarter("2024q1", odd), known=known))["amount"] == "30"


def test_quarters_that_disagree_leave_no_amount() -> None:
    made = make(quarter("2024q1", row()), quarter("2024q2", row(units="20")))
    assert [r["amount"] for r in made.rows] == [""]
    assert only(made)["marks"] == "editions-disagree"
    assert any("different amounts" in line for line in made.lint)


def test_a_slip_of_one_quarter_takes_no_answer_from_the_quarters_that_the_list_confirms(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 30 mg Vial", "30", "mg"))
    made = make(quarter("2024q1", row()), quarter("2024q2", row(units="20")), quarter("2024q4", row()), known=known)
    assert [(r["amount"], r["marks"], r["effective"], r["ends"]) for r in made.rows] == [
        ("30", "", "2024-01-01", "2024-03-31"),
        ("", "editions-disagree", "2024-04-01", "2024-09-30"),
        ("30", "", "2024-10-01", ""),
    ]


def test_a_newest_quarter_that_disagrees_takes_neither_amount_nor_unit_from_those_before_it() -> None:
    """A price file's name prints 30 mg in 2 mL; a quarter later CMS has 300 mg."""
    prices = evidence.Evidence(prices={ONE: (evidence.Price("10X2ML", "NEWDRUG 15MG/ML INJ", ""),)})
    before, after = row(size="2"), row(size="2", units="20")
    made = make(quarter("2024q1", before), quarter("2024q2", after), witnesses=prices)
    assert [(r["amount"], r["qualifier"], r["quantity"], r["effective"]) for r in made.rows] == [
        ("30", "ML", "2", "2024-01-01"),
        ("", "ML", "2", "2024-04-01"),
    ]
    assert made.rows[1]["marks"] == "editions-disagree"


def test_quarters_that_only_count_the_package_otherwise_keep_their_amounts() -> None:
    made = make(quarter("2024q1", row(units="2", containers="5")), quarter("2024q2", row(units="10", containers="1")))
    assert [(r["amount"], r["containers"], r["effective"]) for r in made.rows] == [
        ("30", "5", "2024-01-01"),
        ("150", "1", "2024-04-01"),
    ]


def test_codes_that_disagree_leave_no_amount() -> None:
    made = make(quarter("2024q1", row(), row(code="J2222", dosage="1 MG", units="31")))
    assert (only(made)["amount"], only(made)["marks"]) == ("", "codes-disagree")


def test_one_unit_of_activity_is_a_placeholder() -> None:
    made = make(quarter("2024q1", row(dosage="1 IU", units="1")))
    assert (only(made)["amount"], only(made)["marks"]) == ("", "placeholder")


def test_a_list_that_differs_is_marked_until_somebody_reviews_it(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 40 mg Vial", "40", "mg"))
    made = make(quarter("2024q1", row()), known=known)
    assert (only(made)["amount"], only(made)["marks"], only(made)["confidence"]) == ("30", "fda-differs", "low")
    for verdict, amount, kept in (("keep", "", "30"), ("set", "40", "40"), ("refuse", "", "")):
        settled = make(
            quarter("2024q1", row()),
            known=known,
            reviews={"00001000101": review(ONE, verdict, amount, "mg" if amount else "")},
        )
        mark = "refused" if verdict == "refuse" else "reviewed"
        assert (only(settled)["amount"], only(settled)["marks"]) == (kept, mark)
        assert settled.lint == ()


# --- the FDA list ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("description", "strength", "measure", "strengths", "volume"),
    [
        ("1 mL newdrug 30 mg/mL Vial", "30", "mg", [(30, "mg")], 1),
        ("Newdrug 4 mg/mL Vial", "40", "mg", [(40, "mg")], 10),
        ("0.6 mL newdrug 10 mg/mL Prefilled Syringe", "10", "mg/mL", [], Fraction(3, 5)),
        ("Newdrug 380 mg Vial", "4", "mL", [(4, "mL")], None),
        (
            "2 mL one 300000 UNT/mL / two 300000 UNT/mL Syringe",
            "600000; 600000",
            "[IU]; [IU]",
            [(1200000, "unit"), (600000, "unit")],
            2,
        ),
        ("Newdrug 10 mg Vial", "", "", [], None),
    ],
)
def test_the_list_is_read_for_what_it_says(
    tmp_path: Path, description: str, strength: str, measure: str, strengths: list[Any], volume: Any
) -> None:
    item = fda_list(tmp_path, listed(ONE, description, strength, measure))[ONE]
    assert list(item.strengths) == strengths
    assert item.volume == volume


def test_the_list_skips_what_is_no_ndc(tmp_path: Path) -> None:
    assert fda_list(tmp_path, listed("NOT-AN-NDC", "Newdrug 1 mg Vial", "1", "mg")) == {}


# --- qualifiers --------------------------------------------------------------------------------------------


def _proof(made: products.Made, number: str = ONE) -> tuple[str, str, str]:
    found = only(made, number)
    return found["qualifier"], found["quantity"], found["proof"]


def test_a_volume_of_the_list_that_is_the_package_size_proves_millilitres(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "2 mL newdrug 15 mg/mL Vial", "30", "mg"))
    assert _proof(make(quarter("2024q1", row(size="2")), known=known)) == ("ML", "2", "fda-volume")
    assert _proof(make(quarter("2024q1", row(size="1")), known=known)) == ("", "", "")


def test_the_same_concentration_as_a_proved_liquid_proves_millilitres(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "2 mL newdrug 15 mg/mL Vial", "30", "mg"))
    made = make(
        quarter("2024q1", row(size="2"), row(TWO, size="4", units="4"), row(THREE, size="4", units="2")), known=known
    )
    assert _proof(made, TWO) == ("ML", "4", "same-concentration")
    assert _proof(made, THREE) == ("", "", "")
    # Not proved, but the size is a volume once somebody says that it is a liquid.
    assert only(made, THREE)["size"] == "4"


def test_a_mass_without_a_volume_proves_containers_only_without_liquids(tmp_path: Path) -> None:
    powder = listed(ONE, "Newdrug 30 mg Vial", "30", "mg")
    assert _proof(make(quarter("2024q1", row(containers="1")), known=fda_list(tmp_path, powder))) == (
        "UN",
        "1",
        "fda-mass-only",
    )
    liquid = listed(TWO, "2 mL newdrug 15 mg/mL Vial", "30", "mg")
    known = fda_list(tmp_path, powder, liquid)
    assert _proof(make(quarter("2024q1", row(), row(TWO, size="2")), known=known)) == ("", "", "")
    # The same ingredient is a liquid elsewhere: a mass alone proves nothing.
    assert _proof(make(quarter("2024q1", row()), known=known)) == ("", "", "")


@pytest.mark.parametrize("form", ["Prefilled Syringe", "Bag", "Container", "Ampule", "Pen Injector"])
def test_a_container_of_liquid_is_never_counted_by_its_mass(tmp_path: Path, form: str) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 30 mg Container", "30", "mg", form))
    assert _proof(make(quarter("2024q1", row()), known=known)) == ("", "", "")


def test_package_sizes_of_one_with_different_amounts_prove_containers() -> None:
    made = make(quarter("2024q1", row(containers="1"), row(TWO, units="4", containers="1")))
    assert _proof(made) == _proof(made, TWO) == ("UN", "1", "one-per-container")
    assert _proof(make(quarter("2024q1", row(), row(TWO)))) == ("", "", "")
    assert _proof(make(quarter("2024q1", row(), row(TWO, units="4", size="5")))) == ("", "", "")


def test_a_liquid_that_may_be_one_millilitre_blocks_the_count(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 30 mg/mL Vial", "30", "mg"))
    made = make(quarter("2024q1", row(), row(TWO, units="4")), known=known)
    assert _proof(made) == _proof(made, TWO) == ("", "", "")


def test_a_size_of_one_with_the_concentration_of_a_liquid_serves_once_it_is_said(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "2 mL newdrug 15 mg/mL Vial", "30", "mg"))
    made = make(quarter("2024q1", row(size="2"), row(TWO, units="1"), row(THREE, units="2")), known=known)
    assert (_proof(made, TWO), only(made, TWO)["size"]) == (("", "", ""), "1")
    assert only(made, THREE)["size"] == ""


# --- witnesses of other files ------------------------------------------------------------------------------

FOUR = "00001-0004-01"


def survey(**unit_of: str) -> evidence.Evidence:
    """CMS's price survey with one name for each NDC."""
    return evidence.Evidence(survey={number: (unit, name) for number, (unit, name) in unit_of.items()})


def state(*rows: tuple[str, str, str, str]) -> evidence.Evidence:
    """The state's file: NDC, code (empty on a pharmacy row), units as billed, units as invoiced."""
    found: dict[str, tuple[evidence.Converted, ...]] = {}
    for number, code, billed, counted in rows:
        one = evidence.Converted(code, Fraction(billed), Fraction(counted))
        found[number] = (*found.get(number, ()), one)
    return evidence.Evidence(state=found)


def prices(**rows: tuple[str, str, str]) -> evidence.Evidence:
    return evidence.Evidence(prices={number: (evidence.Price(*cells),) for number, cells in rows.items()})


def test_a_size_is_no_volume_where_the_list_has_the_amount_in_another(tmp_path: Path) -> None:
    """30 mg at 15 mg/mL are 2 mL: a size of 5 would count a vial that somebody calls a liquid as ML 5."""
    known = fda_list(tmp_path, listed(ONE, "Newdrug 15 mg/mL Vial", "30", "mg"))
    assert only(make(quarter("2024q1", row(size="5")), known=known))["size"] == ""
    assert only(make(quarter("2024q1", row(size="5"))))["size"] == "5"
    for volume, size in (("2", ""), ("5", "5")):
        described = evidence.Evidence(directory={ONE: Marketed(holds=(Fraction(volume), "mL"))})
        assert only(make(quarter("2024q1", row(size="5")), witnesses=described))["size"] == size


def test_a_proof_falls_where_the_survey_prints_another_unit(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "1 mL newdrug 30 mg/mL Syringe", "30", "mg", "Syringe"))
    sold = quarter("2024q1", row(containers="2"))
    assert _proof(make(sold, known=known)) == ("ML", "1", "fda-volume")
    each = survey(**{ONE: ("UN", "NEWDRUG 2X30 MG/ML SYRINGE KIT")})
    assert _proof(make(sold, known=known, witnesses=each)) == ("", "", "")


def test_a_package_that_the_state_counts_as_one_is_the_unit() -> None:
    sold = quarter("2024q1", row(containers="4"))
    made = make(sold, witnesses=state((ONE, "J1111", "8", "1")))
    assert _proof(made) == ("UN", "0.25", "whole-package")
    assert only(made)["form"] == "kit"
    # In rebate units of its own; the pharmacy row turns them into the claim's.
    turned = state((ONE, "J1111", "8", "10"), (ONE, "", "1", "10"))
    assert _proof(make(sold, witnesses=turned)) == ("UN", "0.25", "whole-package")
    assert _proof(make(sold, witnesses=state((ONE, "J1111", "2", "3")))) == ("", "", "")


def test_several_containers_are_a_carton_only_where_something_says_so(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 30 mg Vial", "30", "mg"))
    ten = quarter("2024q1", row())
    assert _proof(make(ten, known=known)) == ("", "", "")
    proved = ("UN", "1", "fda-mass-only")
    assert _proof(make(ten, known=known, witnesses=state((ONE, "J1111", "2", "1")))) == proved
    vials = prices(**{ONE: ("10", "NEWDRUG 30MG/VIL INJ", "NEWDRUG")})
    assert _proof(make(ten, known=known, witnesses=vials)) == proved
    kit = prices(**{ONE: ("10", "NEWDRUG 30MG/VIL INJ", "NEWDRUG KIT")})
    assert _proof(make(ten, known=known, witnesses=kit)) == ("", "", "")
    half = prices(**{ONE: ("5", "NEWDRUG 30MG/VIL INJ", "NEWDRUG")})
    assert _proof(make(ten, known=known, witnesses=half)) == ("", "", "")
    # Another maker packs the same vial in another number; the same maker's proves nothing.
    other = row("00002-0001-01", containers="25")
    assert _proof(make(quarter("2024q1", row(), other), known=known)) == proved
    assert _proof(make(quarter("2024q1", row(), row(TWO, containers="25")), known=known)) == ("", "", "")


@pytest.mark.parametrize(
    "witnesses",
    [
        survey(**{ONE: ("UN", "NEWDRUG 30 MG VIAL")}),
        state((ONE, "J1111", "2", "1")),
        prices(**{ONE: ("1", "NEWDRUG 30MG/VIL INJ", "NEWDRUG")}),
        prices(**{ONE: ("1", "NEWDRUG INJ,LYPHL", "NEWDRUG")}),
        evidence.Evidence(notices={ONE: ("powder|single-dose",)}),
    ],
    ids=["each", "the state's 1", "vial", "lyophilised", "for injection"],
)
def test_a_mass_beside_a_liquid_of_the_code_needs_a_witness(tmp_path: Path, witnesses: evidence.Evidence) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 30 mg Vial", "30", "mg"))
    both = quarter("2024q1", row(containers="1"), row(TWO, size="4", units="8", containers="1"))
    assert _proof(make(both, known=known)) == ("", "", "")
    assert _proof(make(both, known=known, witnesses=witnesses)) == ("UN", "1", "fda-mass-only")


def test_the_newest_descriptor_says_the_form_of_a_code() -> None:
    codes = Codes.of(rows_of(Drug))
    assert codes.forms["J7614"] == "liquid"
    assert codes.forms["J1566"] == "powder"
    assert "J1885" not in codes.forms
    assert {"J7614", "J1566"}.isdisjoint(codes.oral)


def test_an_ndc_outside_the_crosswalk_that_the_state_counts_in_millilitres_asks(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 60 mg Vial", "60", "mg"))
    one = quarter("2024q1", row(containers="1", units="4"))
    assert _proof(make(one, known=known))[2] == "fda-mass-only"
    assert _proof(make(one, known=known, witnesses=state((FOUR, "J1111", "4", "8")))) == ("", "", "")
    vial = state((FOUR, "J1111", "4", "1"))
    assert _proof(make(one, known=known, witnesses=vial))[2] == "fda-mass-only"


def test_a_reviewed_liquid_gives_its_concentration_to_the_code() -> None:
    liquid = {ONE: container(ONE, "", "liquid", "4")}
    sold = quarter("2024q1", row(containers="1"), row(TWO, size="8", units="4", containers="1"))
    made = make(sold, containers=liquid)
    assert _proof(made) == ("ML", "4", "reviewed")
    assert _proof(made, TWO) == ("ML", "8", "same-concentration")


def test_a_reviewed_kit_of_several_containers_says_their_part_or_proves_nothing(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "1 mL newdrug 30 mg/mL Syringe", "30", "mg", "Syringe"))
    sold = quarter("2024q1", row(containers="6"))
    made = make(sold, known=known, containers={ONE: container(ONE, "", "kit")})
    assert _proof(made) == ("", "", "")
    made = make(sold, known=known, containers={ONE: container(ONE, "", "kit", "0.5")})
    assert _proof(made) == ("UN", "0.5", "reviewed")


# --- amounts that are a ceiling ----------------------------------------------------------------------------


@pytest.mark.parametrize(("dosage", "codes"), [("15 MG", ("J1111",)), ("UP TO 15 MG", ())])
def test_one_unit_of_a_code_that_counts_up_to_an_amount_is_no_amount(
    tmp_path: Path, dosage: str, codes: tuple[str, ...]
) -> None:
    one = quarter("2024q1", row(dosage=dosage, units="1", size="2"))
    made = only(make(one, ceilings=codes))
    assert (made["amount"], made["marks"], made["confidence"]) == ("", "ceiling", "low")
    # Two units are more than the most of one: that is what the container holds.
    assert only(make(quarter("2024q1", row(dosage=dosage, units="2")), ceilings=codes))["amount"] == "30"
    # The survey's name says what it holds; the price file and the FDA list only agree or do not.
    named = survey(**{ONE: ("ML", "NEWDRUG 7.5 MG/2 ML SUSP")})
    assert only(make(one, ceilings=codes, witnesses=named))["amount"] == "7.5"
    agreed = prices(**{ONE: ("30X2ML", "NEWDRUG 7.5MG/ML INHL", "NEWDRUG")})
    assert only(make(one, ceilings=codes, witnesses=agreed))["amount"] == "15"
    other = prices(**{ONE: ("30X2ML", "NEWDRUG 2.5MG/ML INHL", "NEWDRUG")})
    assert only(make(one, ceilings=codes, witnesses=other))["amount"] == ""
    known = fda_list(tmp_path, listed(ONE, "2 mL newdrug 7.5 mg/mL Vial", "15", "mg"))
    assert only(make(one, ceilings=codes, known=known))["amount"] == "15"
    assert only(make(quarter("2024q1", row(units="1"))))["amount"] == "15"


def test_a_volume_that_is_the_package_size_is_no_mere_ceiling() -> None:
    bag = row(dosage="UP TO 1000 CC", units="1", size="1000")
    assert only(make(quarter("2024q1", bag)))["amount"] == "1000"
    assert only(make(quarter("2024q1", attrs.evolve(bag, package_size="500"))))["amount"] == ""


# --- containers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "shape", "kind"),
    [
        ("Prefilled Syringe", "syringe", "single-dose"),
        ("Ampule", "ampule", "single-dose"),
        ("Auto-Injector", "auto-injector", "single-dose"),
        ("Pen Injector", "pen", ""),
        ("Vial", "vial", ""),
        ("Cartridge", "cartridge", ""),
        ("Bag", "bag", ""),
        ("Swab", "", ""),
    ],
)
def test_the_shape_tells_single_dose_only_where_it_must_be(tmp_path: Path, form: str, shape: str, kind: str) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 30 mg Thing", "30", "mg", form))
    made = only(make(quarter("2024q1", row()), known=known))
    assert (made["shape"], made["kind"]) == (shape, kind)


@pytest.mark.parametrize(
    ("name", "shape", "label"),
    [
        ("Prohance Prefilled Syringes", "syringe", "Prohance Prefilled Syringes"),
        ("Lucentis PFS", "syringe", "Lucentis PFS"),
        ("Humalog Kwikpen", "pen", "Humalog Kwikpen"),
        ("Kanjinti (Kit)", "kit", "Kanjinti (Kit)"),
        ("KENALOG-80", "", "Kenalog"),
        ("Alphanine®SD VF 1000 IU M2V USA", "", "AlphanineSD VF"),
        ("  Some   Drug ", "", "Some Drug"),
        ("TORADOL 30 MG/ML", "", "Toradol"),
        ("IVIG", "", "IVIG"),
        ("Kitabis PAK", "", "Kitabis PAK"),
    ],
)
def test_a_product_is_labelled_without_its_unsafe_strength(name: str, shape: str, label: str) -> None:
    made = only(make(quarter("2024q1", row(name=name))))
    assert (made["shape"], made["label"]) == (shape, label)


def test_a_reviewed_container_decides_kind_form_and_count(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "1 mL newdrug 30 mg/mL Prefilled Syringe", "30", "mg", "Prefilled Syringe"))
    kit = {"00001-0001": container("00001-0001", "multi-dose", "kit")}
    made = only(make(quarter("2024q1", row(containers="1")), known=known, containers=kit))
    assert (made["kind"], made["form"], made["qualifier"], made["proof"]) == ("multi-dose", "kit", "UN", "reviewed")
    liquid = {ONE: container(ONE, "", "liquid", "1.7")}
    made = only(make(quarter("2024q1", row()), containers=liquid))
    assert (made["qualifier"], made["quantity"], made["proof"]) == ("ML", "1.7", "reviewed")
    unknown = {ONE: container(ONE, "single-dose", "liquid")}
    made = only(make(quarter("2024q1", row()), containers=unknown))
    assert (made["kind"], made["form"], made["qualifier"]) == ("single-dose", "liquid", "")


def test_a_proof_that_a_review_repeats_stays_the_proof(tmp_path: Path) -> None:
    known = fda_list(tmp_path, listed(ONE, "Newdrug 30 mg Vial", "30", "mg"))
    powder = {ONE: container(ONE, "single-dose", "powder")}
    made = only(make(quarter("2024q1", row(containers="1")), known=known, containers=powder))
    assert (made["kind"], made["proof"]) == ("single-dose", "fda-mass-only")


def test_every_row_that_is_made_loads_as_a_product(tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    known = fda_list(tmp_path, listed(ONE, "2 mL newdrug 15 mg/mL Vial", "30", "mg"))
    made = make(
        quarter("2024q1", row(), row(TWO, units="4")), quarter("2024q4", row(size="2"), row(THREE)), known=known
    )
    lines = [",".join(products.COLUMNS), *(",".join(r.values()) for r in made.rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert [item.number for item in load(Product, file)] == [r["ndc"] for r in made.rows]
