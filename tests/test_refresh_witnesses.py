"""What other files prove of a package: each rule by the packages that it was measured on, and its traps."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from fractions import Fraction

import pytest
from shipped import FOLDER, PRODUCTS, REFERENCE, rows_of

import jcodeunits as jc
from jcodeunits.errors import ContradictedProduct
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.product_rows import Product
from jcodeunits.facts.reference import Reference
from jcodeunits.facts.store import Store
from jcodeunits.refresh import asp, crosswalk, fda, fold
from jcodeunits.refresh.byhand import ByHand
from jcodeunits.refresh.dating import When
from jcodeunits.refresh.evidence import Converted, Evidence, Price
from jcodeunits.refresh.family import said
from jcodeunits.refresh.notices import words_in
from jcodeunits.refresh.proving import Codes
from jcodeunits.refresh.witnesses import Package, by_siblings, differing, is_other_strength, kind, proof

NDC = "00000-0000-01"
ON = "2026-03-02"


def package(size: str, amount: str | None, unit: str = "mg", **more: object) -> Package:
    made = {"oral": False, "carton": True, **more}
    return Package(NDC, Fraction(size), None if amount is None else Fraction(amount), unit, **made)  # type: ignore[arg-type]


def prices(*rows: tuple[str, str]) -> Evidence:
    return Evidence(prices={NDC: tuple(Price(package, generic, generic) for package, generic in rows)})


@pytest.mark.parametrize(
    ("size", "amount", "printed", "generic", "answer"),
    [
        ("2", "60", "25X2ML", "KETOROLAC 30MG/ML INJ", ("ML", 2)),
        ("1", "30", "25X1ML", "KETOROLAC 30MG/ML INJ", ("ML", 1)),
        ("2", "60", "25", "KETOROLAC 30MG/ML INJ", ("ML", 2)),
        ("100", "1000", "100ML", "IMMUNE GLOBULIN INJ", ("ML", 100)),
        ("1", "500", "10", "CEFTRIAXONE 500MG/VIL INJ", ("UN", 1)),
        ("1", "500", "1", "CEFTRIAXONE INJ,LYPHL", ("UN", 1)),
        ("1", "5", "100", "TACROLIMUS 5MG CAP", ("UN", 1)),
        ("100", "500", "100", "TACROLIMUS 5MG CAP", ("UN", 100)),
        # what proves nothing
        (
            "1",
            "0.3",
            "1",
            "RHO (D) IMMUNE GLOBULIN 300MCG/ML INJ,SYRINGE,1ML",
            None,
        ),  # the concentration may be the strength
        ("10", "100", "20ML", "DRUG 10MG/ML INJ", None),  # the whole carton, or another size
        ("10", "100", "10ML", "DRUG 25MG/ML INJ", None),  # typed from the strength
        ("1", "10", "10ML", "DRUG 10MG/VIL INJ,LYPHL", None),  # made up with its diluent
        ("1", "500", "500MG", "DRUG 500MG/VIL INJ", None),
        ("14", "420", "1", "PERTUZUMAB 420MG/VIL INJ", None),  # a liquid named by the vial
        ("1", "200", "1", "CERTOLIZUMAB 200MG KIT", None),
        ("100", "100", "100", "TACROLIMUS 5MG CAP", None),
    ],
)
def test_the_price_schedule_proves_only_what_meets_the_package_size(
    size: str, amount: str, printed: str, generic: str, answer: tuple[str, int] | None
) -> None:
    found = proof(package(size, amount), prices((printed, generic)))
    assert (found and found[:2]) == answer


def test_a_vial_of_a_set_is_not_counted_by_itself() -> None:
    assert proof(package("1", "200", carton=False), prices(("2", "DRUG 200MG/VIL INJ"))) is None


@pytest.mark.parametrize(
    ("size", "amount", "unit", "name", "answer"),
    [
        ("2", None, "ML", "BUDESONIDE 0.25 MG/2 ML SUSP", ("ML", 2)),
        ("1", "150", "ML", "MEDROXYPROGESTERONE 150 MG/ML", ("ML", 1)),
        ("1", "150", "ML", "MEDROXYPROGESTERONE", None),
        ("1", "40", "UN", "DRUG 40 MG VIAL", ("UN", 1)),
        ("60", "300", "UN", "TACROLIMUS 5 MG CAPSULE", ("UN", 60)),
        ("60", "60", "UN", "TACROLIMUS 5 MG CAPSULE", None),
        ("30", "1500", "UN", "CYCLOSPORINE MODIFIED 50 MG", ("UN", 30)),  # counted by pieces of which one holds as much
        ("30", "1000", "UN", "CYCLOSPORINE MODIFIED 50 MG", None),
    ],
)
def test_the_cost_survey_prints_the_unit_and_the_size_must_fit_it(
    size: str, amount: str | None, unit: str, name: str, answer: tuple[str, int] | None
) -> None:
    found = proof(package(size, amount), Evidence(survey={NDC: (unit, name)}))
    assert (found and found[:2]) == answer


def test_the_states_quantity_counts_only_where_it_is_the_size_and_not_one() -> None:
    def said(size: str, quantity: str, oral: bool = False) -> object:
        return proof(package(size, "50", oral=oral, quantities=frozenset({Fraction(quantity)})), Evidence())

    assert said("10", "10") == ("ML", 10, "state-quantity")
    assert said("10", "1") is said("1", "1") is said("500", "500", oral=True) is None


def test_a_code_that_counts_millilitres_proves_the_volume() -> None:
    assert proof(package("200", "200", "mL"), Evidence()) == ("ML", 200, "counted-in-ml")
    assert proof(package("1", "1", "mL"), Evidence()) is None  # a size of one may be a count


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Drug Injectable Suspension, 80 mg/mL, 1 mL Single-Dose Vial (NDC 0703-0051-01)", ("ML", 1)),
        ("Drug for Injection, 80 mg/mL, 1 mL (NDC 0703-0051-01)", None),
        ("Drug kit, 80 mg/mL, 1 mL (NDC 0703-0051-01)", None),
        ("Drug 40 mg/mL, 1 mL vial (NDC 0703-0051-01)", None),
        ("Drug 80 mg/mL, 10 mL vial (NDC 0703-0051-01)", None),
    ],
)
def test_a_notice_that_names_one_package_proves_its_volume(text: str, answer: tuple[str, int] | None) -> None:
    found = proof(package("1", "80"), Evidence(notices={NDC: ("|".join(words_in(text, [NDC])),)}))
    assert (found and found[:2]) == answer
    two = words_in(text, [NDC, "00000-0000-02"])
    assert proof(package("1", "80"), Evidence(notices={NDC: ("|".join(two),)})) is None


def test_files_that_contradict_each_other_prove_nothing() -> None:
    both = Evidence(
        prices={NDC: (Price("1", "BUDESONIDE 0.5MG/VIL INJ", ""),)}, survey={NDC: ("ML", "BUDESONIDE 0.5 MG/ML")}
    )
    assert proof(package("1", "0.5"), both) is None


def listed(description: str, shape: str = "Vial", strength: str = "", measure: str = "mg") -> fda.Injectable:
    told = said(description=description, shape=shape, strength=strength, measure=measure)
    return fda.listed([(NDC, told)])[NDC]


def test_an_implant_is_counted_by_itself_and_what_is_given_through_one_is_not() -> None:
    # One piece, whatever CMS prints as its size: of Ozurdex the 0.7 mg; ten inserts in a carton are ten.
    assert proof(package("1", "0.4", form="piece", carton=False), Evidence()) == ("UN", 1, "descriptor")
    implant = listed("Dexamethasone 0.7 mg Implant", shape="Implant", strength="0.7")
    assert proof(package("0.7", "0.7", form="piece", listed=implant), Evidence()) == ("UN", 1, "descriptor")
    assert proof(package("0.1", "10", form="piece"), Evidence()) is None  # a liquid for an implant
    codes = Codes.of(rows_of(Drug))
    assert {codes.forms.get(code) for code in ("J7312", "J1096", "J7298", "J9226", "J1073", "J9183")} == {"piece"}
    for number, dose, quantity in (
        ("00023-3348-07", "0.7 mg", "1"),  # Ozurdex
        ("70382-0204-10", "0.4 mg", "1"),  # Dextenza, ten in a carton
        ("00023-9652-01", "10 mcg", "1"),  # Durysta
        ("67979-0002-01", "50 mg", "1"),  # Supprelin LA
        ("50419-0423-01", "52 mg", "1"),  # Mirena
        ("50242-0078-55", "2 mg", "0.02"),  # Susvimo fills an implant: mL
    ):
        line = jc.ndc_quantity(number, dose, on=ON)
        assert (line.qualifier, str(line.quantity)) == ("ML" if number[:5] == "50242" else "UN", quantity)


def test_a_descriptor_that_names_the_form_proves_what_the_size_counts() -> None:
    assert proof(package("3", "300", form="liquid"), Evidence()) == ("ML", 3, "descriptor")
    assert proof(package("1", "5000", form="powder"), Evidence()) == ("UN", 1, "descriptor")
    assert proof(package("1", "300", form="liquid"), Evidence()) is None  # a size of one may be a count
    assert proof(package("1", "5000", form="powder", carton=False), Evidence()) is None
    assert proof(package("3", "0.625", form="liquid", whole=False), Evidence()) is None  # CMS rounds it: 0.63 mg
    # CMS prints 110 for a bottle of 100 mL
    other = listed("Immunoglobulin G, human 100 mg/mL Vial", strength="10000")
    assert proof(package("110", "10000", form="liquid", listed=other), Evidence()) is None
    assert proof(package("110", "10000", form="liquid"), prices(("100ML", "GLOBULIN,IMMUNE (IV) INJ"))) is None


def test_what_the_price_schedule_and_the_states_file_count_otherwise_is_said() -> None:
    row = ("ML", Fraction(2), "fda-volume")
    vial = differing(package("1", "80"), row, prices(("10", "TOBRAMYCIN 80MG/VIL INJ")))
    assert vial == [f"{NDC}: the federal price schedule counts it as UN, the row as ML 2 (fda-volume)."]
    one = differing(package("2", "80", quantities=frozenset({Fraction(1)})), row, Evidence())
    assert one == [f"{NDC}: a state's file counts a container as 1, the row as ML 2 (fda-volume)."]
    assert not differing(package("2", "80"), row, prices(("25X2ML", "TOBRAMYCIN 40MG/ML INJ")))
    assert not differing(package("2", "80", quantities=frozenset({Fraction(1)})), None, Evidence())


@pytest.mark.parametrize(
    ("units", "lines", "quantity", "answer"),
    [
        ("4", [("J1111", "4", "2")], "2", set()),
        ("4", [("J1111", "4", "1")], "2", {1}),
        # a pharmacy line: in the claim's units, the other way round, or for rebates alone
        ("4", [("J1111", "4", "1"), ("", "0.4", "1")], "0.4", set()),
        ("4", [("J1111", "4", "1"), ("", "2", "1")], "0.5", set()),
        ("4", [("J1111", "4", "2"), ("", "50", "1")], "2", set()),
        ("1.25", [("J1111", "2", "3")], "3", set()),  # the state rounds 1.25 units up
    ],
)
def test_the_states_file_contradicts_a_row_only_if_no_reading_of_it_agrees(
    units: str, lines: list[tuple[str, str, str]], quantity: str, answer: set[int]
) -> None:
    rows = tuple(Converted(code, Fraction(billed), Fraction(counted)) for code, billed, counted in lines)
    printed = asp.CrosswalkRow(9, "J1111", "Maker", NDC, "Newdrug", "15 MG", "1", "1", units, units)
    quarter = crosswalk.edition(When(dt.date(2026, 1, 1), dt.date(2026, 3, 31), "2026q1"), (printed,))
    assert Evidence(state={NDC: rows}).against(NDC, quarter.listings, Fraction(quantity)) == answer


# Each was read: the state's line is a slip, or the evidence's README settles it.
AGAINST_THE_STATE = {
    "00074-3012-07": "a cassette of 100 mL typed as one on both lines",
    **dict.fromkeys(("00093-6815-55", "00093-6815-73", "00186-1988-04", "00487-9601-01", "16714-0018-30"),
                    "the state doubles a vial of 0.25 mg to the code's 0.5 mg"),
    "00338-0505-48": "gentamicin bags: millilitres of another strength",
    "00338-0507-48": "gentamicin bags: millilitres of another strength",
    "00338-0511-41": "gentamicin bags: millilitres of another strength",
    "00409-3578-01": "80 mg in 2 mL typed as one; ours by the list's volume",
    "00944-2510-02": "the state adds the hyaluronidase of the second vial",
    "00944-2513-02": "the state adds the hyaluronidase of the second vial",
    "25021-0143-30": "the carton of ten counted for one vial",
    "55150-0177-05": "five times the concentration",
    "63323-0137-20": "CMS counts one unit for the vial of two; the amount is reviewed",
    "63323-0173-02": "four times the volume of the smaller strength",
    "68180-0984-30": "the vial of 2 mL typed as one; the survey prints ML",
    "69639-0103-01": "ten times the volume",
}  # fmt: skip


@pytest.mark.book
def test_no_decided_package_contradicts_two_printed_sources() -> None:
    _texts, lint = fold.derive(fold.state_of(REFERENCE.store), ByHand(Reference(Store()).store))
    said = Counter(one.place for one in lint if ", the row as " in one.says)
    assert set(said) == set(AGAINST_THE_STATE)
    assert max(said.values()) == 1
    assert not any("price schedule" in one.says or "survey counts" in one.says for one in lint)


def test_siblings_prove_a_unit_never_an_amount() -> None:
    liquid = [("ML", Fraction(2), Fraction(4), "mg")]
    assert by_siblings(package("10", "20"), liquid) == ("ML", 10, "another-package")
    assert by_siblings(package("10", "30"), liquid) is None  # another concentration
    assert by_siblings(package("10", None), liquid) is None
    powder = [("UN", Fraction(1), Fraction(500), "mg")]
    assert by_siblings(package("1", "1000"), powder) == ("UN", 1, "another-package")
    assert by_siblings(package("1", "1000", carton=False), powder) is None
    assert by_siblings(package("1", "1000"), [*powder, *liquid]) is None


def test_a_tablet_holds_a_strength_that_is_printed_for_it() -> None:
    named = prices(("100", "TACROLIMUS 5MG CAP"))
    assert is_other_strength(package("100", "100"), named)
    assert not is_other_strength(package("100", "500"), named)
    assert not is_other_strength(package("100", "5"), named)
    assert not is_other_strength(package("100", "100"), prices(("100", "DRUG 5MG/ML INJ")))
    # The bottle's figure of CMS is not the tablet's: asked, and right with what the label says.
    with pytest.raises(ContradictedProduct, match="strength"):
        jc.ndc_quantity("00469-0657-73", "5 mg", on=ON, form="powder")
    assert jc.ndc_quantity("00469-0657-73", "5 mg", on=ON, form="powder", container_amount="5 mg").quantity == 1


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (("1 mL Single-Dose Vial",), "single-dose"),
        (("10 mL multiple-dose vial", "10 mL multi-dose vial"), "multi-dose"),
        (("1 mL SDV", "5 mL MDV"), ""),
        (("Single-dose and multiple dose vials",), ""),
        (("Pharmacy bulk package, not for single-dose use",), ""),
        (("single-use applicator",), ""),
        (("MULTIHANCE MULTIPACK",), ""),
        ((), ""),
    ],
)
def test_the_kind_is_what_every_text_says(texts: tuple[str, ...], answer: str) -> None:
    assert kind(NDC, Evidence(notices={NDC: texts})) == answer


def test_files_that_differ_about_the_kind_leave_it_open() -> None:
    both = Evidence(notices={NDC: ("single-dose vial",)}, prices={NDC: (Price("1", "DRUG INJ MDV", ""),)})
    assert kind(NDC, both) == ""


# --- the shipped table


def _open() -> dict[str, Product]:
    """The open rows of the crosswalk."""
    return {row.number: row for row in rows_of(Product) if row.ends is None and "per-unit" not in row.marks}


def test_the_conflicts_between_the_files_stay_as_they_were_read() -> None:
    rows = _open()
    for number, quantity in (
        ("50242-0145-01", 14),
        ("63323-0103-51", 50),
        ("63323-0103-64", 200),
        ("00409-3578-01", 2),
    ):
        assert (rows[number].qualifier, rows[number].quantity) == ("ML", quantity)
    for number in ("00054-3176-44", "00054-3722-63", "13925-0166-04", "59762-1205-06", "68180-0984-30"):
        assert rows[number].qualifier == "ML"
    for number in ("68727-0950-02", "81298-8110-01"):
        assert rows[number].qualifier == ""
    # A liquid now, whatever the price schedule still calls it: a review decides, no file.
    assert (rows["00078-0734-61"].qualifier, rows["00078-0734-61"].proof) == ("ML", "reviewed")
    for number in ("61703-0350-38", "63323-0165-01", "63323-0466-17"):
        assert rows[number].kind == ""
    assert PRODUCTS.container("68727095002", ON) is not None


def test_most_packages_are_decided_and_their_kinds_known() -> None:
    rows = _open().values()
    assert sum(not row.qualifier for row in rows) <= 1530
    assert sum(bool(row.kind) for row in rows) >= 1390
    assert {row.proof for row in rows} > {"va-prices", "nadac-unit", "state-quantity", "fda-notice", "counted-in-ml"}


def test_no_decided_row_contradicts_two_printed_sources() -> None:
    """The survey's unit, and a vial that the price schedule counts, by our own short reading of the evidence."""
    with (FOLDER / "evidence.csv").open(encoding="utf-8", newline="") as lines:
        told = [(row["subject"], row["file"], row["says"]) for row in csv.DictReader(lines)]
    units = {number: says.split("unit=")[1][:2] for number, file, says in told if file == "nadac"}
    vials = {number for number, file, says in told if file == "va-fss" and "/VI" in says and "ML" not in says}
    qualifiers = {"EA": "UN", "ML": "ML", "GM": "GR"}
    rows = [row for number, row in _open().items() if row.qualifier and number in units]
    assert len(rows) > 150
    assert [row.number for row in rows if row.qualifier != qualifiers[units[row.number]]] == []
    both = [row for row in rows if row.number in vials and row.qualifier == "ML"]
    assert [row.number for row in both if qualifiers[units[row.number]] == "UN"] == []
