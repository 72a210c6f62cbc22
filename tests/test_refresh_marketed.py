"""What NSDE and the FDA's directory prove of a package: the printed unit, the description, the days of marketing."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from pathlib import Path

import published
import pytest
from test_refresh_products import ONE, make, only, quarter, row

import jcodeunits as jc
from jcodeunits.refresh import evidence, fold, marketed, named
from jcodeunits.refresh.byhand import ByHand
from jcodeunits.refresh.family import Asked, said

SOLUTION, POWDER = "INJECTION, SOLUTION", "INJECTION, POWDER, LYOPHILIZED, FOR SOLUTION"


def files(
    unit: str = "", package: str = "", form: str = "", strength: str = "", survey: str = "", per: str = "mg/mL"
) -> evidence.Evidence:
    """The files as far as they speak: NSDE's unit, the directory's description, form and strength, the survey."""
    told: dict[str, list[tuple[str, str]]] = {}
    if unit:
        told["nsde"] = [(ONE, said(unit=unit, form=form, began="2015-01-01"))]
    if package:
        told["ndc-package"] = [(ONE, said(package=package, began="2015-01-01"))]
    if form:
        told["ndc-product"] = [(ONE[:10], said(form=form, strength=strength, unit=per if strength else ""))]
    if survey:
        told["nadac"] = [(ONE, said(unit=survey, name="A DRUG"))]
    return evidence.of(told)


VIALS = "10 VIAL, SINGLE-DOSE in 1 CARTON/ {} in 1 VIAL, SINGLE-DOSE"


@pytest.mark.parametrize(
    ("size", "containers", "witnesses", "answer"),
    [
        # NSDE prints the unit; CMS's size or the description says how much one container holds.
        ("2", "10", files("ML"), ("ML", "2", "nsde-unit")),
        ("1", "10", files("ML"), ("", "", "")),  # a size of one may be a count
        ("1", "10", files("ML", VIALS.format("1 mL"), SOLUTION), ("ML", "1", "nsde-unit")),
        ("1", "10", files("ML", VIALS.format("2 mL"), SOLUTION, "15"), ("ML", "2", "nsde-unit")),  # 30 mg at 15 mg/mL
        ("1", "10", files("ML", VIALS.format("2 mL"), SOLUTION, "30"), ("", "", "")),  # the strength says another
        ("4", "10", files("ML", VIALS.format("2 mL"), SOLUTION), ("", "", "")),  # two sizes
        ("1", "1", files("EA"), ("UN", "1", "nsde-unit")),
        ("1", "10", files("EA"), ("", "", "")),  # ten vials, or a set of ten
        ("1", "10", files("EA", VIALS.format("1 INJECTION"), POWDER), ("UN", "1", "nsde-unit")),
        ("30", "1", files("GM"), ("GR", "30", "nsde-unit")),
        # kits: one unit is a kit, and a container is a part of it
        ("1", "2", files("EA", "1 KIT in 1 CARTON * 1 mL in 1 SYRINGE", "KIT"), ("UN", "0.5", "nsde-unit")),
        ("1", "6", files("EA", "3 KIT in 1 CARTON * 1 mL in 1 SYRINGE", "KIT"), ("UN", "0.5", "nsde-unit")),
        ("1", "1", files("EA", "1 KIT in 1 CARTON * 1 mL in 1 SYRINGE", "KIT"), ("UN", "1", "nsde-unit")),
        ("1.5", "1", files("ML", "1 KIT in 1 CARTON * 1.5 mL in 1 SYRINGE", "KIT"), ("ML", "1.5", "nsde-unit")),
        # the directory alone: a plain liquid, a plain powder
        ("2", "10", files("", VIALS.format("2 mL"), SOLUTION), ("ML", "2", "directory")),
        ("1", "10", files("", VIALS.format("1 INJECTION"), POWDER), ("UN", "1", "directory")),
        ("1", "10", files("", VIALS.format("10 mL"), POWDER), ("", "", "")),  # made up, or filled
        ("2", "10", files("", VIALS.format("2 mL"), "INJECTION"), ("", "", "")),  # "injection" is no form
        ("1", "25", files("", VIALS.format("1 INJECTION"), POWDER), ("", "", "")),  # another package than CMS's
        # two printed units that contradict leave it open
        ("2", "10", files("ML", survey="EA"), ("", "", "")),
        ("2", "10", files("ML", survey="ML"), ("ML", "2", "nsde-unit")),
    ],
)
def test_the_printed_unit_and_the_description_prove_what_fits_the_package(
    size: str, containers: str, witnesses: evidence.Evidence, answer: tuple[str, str, str]
) -> None:
    made = only(make(quarter("2024q4", row(size=size, containers=containers)), witnesses=witnesses))
    assert (made["qualifier"], made["quantity"], made["proof"]) == answer


def test_a_proof_falls_where_nsde_prints_another_unit_and_what_nsde_proves_takes_its_place() -> None:
    witnesses = files("EA", VIALS.format("1 INJECTION"), POWDER)
    with_volume = evidence.Evidence(
        survey={}, prices={ONE: (evidence.Price("10X1ML", "KETOROLAC 30MG/ML INJ", ""),)}, directory=witnesses.directory
    )
    made = only(make(quarter("2024q4", row()), witnesses=with_volume))
    assert (made["qualifier"], made["quantity"], made["proof"]) == ("UN", "1", "nsde-unit")


@pytest.mark.parametrize(
    ("text", "containers", "holds", "shape", "kind"),
    [
        ("25 VIAL, SINGLE-DOSE in 1 TRAY/ 1 mL in 1 VIAL, SINGLE-DOSE", 25, (1, "mL"), "vial", "single-dose"),
        ("10 mL in 1 VIAL, MULTI-DOSE", 1, (10, "mL"), "vial", "multi-dose"),
        (
            "1 VIAL, PHARMACY BULK PACKAGE in 1 CARTON > 100 mL in 1 VIAL, PHARMACY BULK PACKAGE",
            1,
            (100, "mL"),
            "vial",
            "bulk",
        ),
        (
            "2 CARTON in 1 CASE/ 10 SYRINGE, GLASS in 1 CARTON/ .4 mL in 1 SYRINGE, GLASS",
            20,
            (".4", "mL"),
            "syringe",
            "",
        ),
        ("100 TABLET, FILM COATED in 1 BOTTLE", 1, (100, "TABLET, FILM COATED"), "bottle", ""),
        ("30 g in 1 TUBE", 1, (30, "g"), "", ""),
        ("words of another kind", None, None, "", ""),
    ],
)
def test_a_description_nests_from_the_carton_in(
    text: str, containers: int | None, holds: tuple[object, str] | None, shape: str, kind: str
) -> None:
    made = marketed.of({"ndc-package": [(ONE, said(package=text))]})[ONE]
    wanted = None if holds is None else (Fraction(str(holds[0])), holds[1])
    assert (made.containers, made.holds, made.shape, made.kind) == (containers, wanted, shape, kind)


def test_the_directory_counts_a_package_that_cms_does_not_list() -> None:
    liquid = files("", VIALS.format("1 mL"), SOLUTION, "30")
    assert named.counted(ONE, liquid) == ("ML", (Fraction(30), "mg"), "directory")
    assert named.counted(ONE, files("EA", VIALS.format("1 mL"), SOLUTION, "30"))[0] == "UN"
    assert named.counted(ONE, files("", VIALS.format("1 mL"), "INJECTION", "30")) == ("", None, "")
    assert named.counted(ONE, files("", VIALS.format("1 mL"), POWDER)) == ("", None, "")


DESCRIBED: list[tuple[evidence.Evidence, tuple[str, ...]]] = [
    # amount and unit, containers, qualifier and quantity of one, and what is known at most
    (files("", VIALS.format("10 mL"), SOLUTION, "200"), ("2000", "mg", "10", "ML", "10", "uncoded")),
    (files("ML", VIALS.format("10 mL"), SOLUTION, "200"), ("2000", "mg", "10", "ML", "10", "uncoded")),
    (files("EA", VIALS.format("10 mL"), SOLUTION, "200"), ("", "billing unit", "1", "UN", "1", "per-unit|uncoded")),
    (files("", VIALS.format("1 INJECTION"), POWDER, "1", per="g/1"), ("1000", "mg", "10", "UN", "1", "uncoded")),
    (files("", VIALS.format("1 INJECTION"), POWDER), ("", "billing unit", "1", "UN", "1", "per-unit|uncoded")),
    (files("", VIALS.format("10 mL"), POWDER, "1", per="g/1"), ("", "billing unit", "1", "", "", "per-unit|uncoded")),
    (files("", VIALS.format("2 mL"), "INJECTION", "30"), ("", "billing unit", "1", "", "", "per-unit|uncoded")),
    (files("ML", "", SOLUTION, "30"), ("30", "mg", "1", "ML", "1", "per-unit|uncoded")),
]


@pytest.mark.parametrize(("witnesses", "answer"), DESCRIBED)
def test_the_directory_describes_the_container_of_a_package_that_cms_does_not_list(
    witnesses: evidence.Evidence, answer: tuple[str, ...]
) -> None:
    where = ("ndc-package-2026-11", dt.date(2026, 11, 1))
    made = named._row(ONE, ["A drug"], witnesses, where, named.Liquids())
    cells = ("amount", "unit", "containers", "qualifier", "quantity", "marks")
    assert tuple(made[name] for name in cells) == answer
    assert made["kind"] == ("single-dose" if witnesses.marketed(ONE).kind else "")


NESTED = "5 CARTON in 1 CASE (72999-301-05) / 25 VIAL, SINGLE-DOSE in 1 CARTON (72999-301-25) / 1 mL in 1 VIAL, {}"


@pytest.mark.parametrize(
    ("description", "inside"),
    [
        (NESTED.format("SINGLE-DOSE"), {"72999-0301-25"}),
        (NESTED.format("SINGLE-DOSE (72999-301-01) "), {"72999-0301-25", "72999-0301-01"}),
        ("1 KIT in 1 CARTON (72999-301-05) * 1 mL in 1 VIAL (72999-301-01)", set()),  # a part is no package
        ("1 mL in 1 VIAL (72999-301-05)", set()),
    ],
)
def test_a_container_with_an_ndc_of_its_own_inside_a_package_is_described(
    tmp_path: Path, description: str, inside: set[str]
) -> None:
    _, file = published.directory(tmp_path)
    head, line = file.read_text("cp1252").splitlines()
    cells = line.split("\t")
    cells[2:4] = ["72999-301-05", description]
    file.write_text(f"{head}\n" + "\t".join(cells) + "\n", "cp1252")
    ((_, reading),), _ = fold.read_all(fold.find([file]), Asked(), ByHand(jc.Reference.shipped().store))
    described = {number: dict(part.split("=") for part in told.split("|")) for number, told in reading.statements}
    assert set(described) == {"72999-0301-05", *inside}
    if "72999-0301-01" in described:
        assert described["72999-0301-01"] == {"package": "1 mL in 1 VIAL, SINGLE-DOSE", "began": "2026-10-05"}


def test_files_that_differ_are_named_for_review() -> None:
    made = make(quarter("2024q4", row(size="2")), witnesses=files("ML", VIALS.format("3 mL"), SOLUTION, survey="EA"))
    told = " ".join(made.lint)
    assert "NSDE counts it as ML, CMS's pharmacy cost survey as UN" in told
    assert "3 mL in a container, CMS's package size is 2" in told


def test_a_loaded_list_decides_unit_kind_and_days(tmp_path: Path) -> None:
    sold = "J9260,Methotrexate,Maker,{},Methotrexate,50 MG,2,10,1,10,,"
    numbers = ("72999-0301-25", "72998-0002-01")
    fold.refresh(
        [
            published.crosswalk(tmp_path, 2026, 4, [sold.format(number) for number in numbers]),
            published.nsde(tmp_path, {number.replace("-", ""): "ML" for number in numbers}, "_2026-11-20"),
            *published.directory(tmp_path),
        ],
        tmp_path / "facts",
        anew=True,
    )
    reference = jc.Reference.load(tmp_path / "facts")
    line = jc.ndc_quantity(numbers[1], "25 mg", on="2026-11-01", reference=reference)
    assert str(line) == "ML1"
    listed = jc.product(numbers[0], on="2026-11-01", reference=reference)
    assert (listed.shape, listed.kind) == ("vial", "single-dose")


@pytest.mark.book
def test_an_ndc_outside_its_days_of_marketing_is_a_finding_for_one_call_and_for_rows(tmp_path: Path) -> None:
    listed = published.nsde(tmp_path, {"00409379501": "ML"}, "_2026-11-20")
    listed.write_text(listed.read_text().replace("20150101,,", "20150101,20251031,"))
    fold.refresh([listed], tmp_path / "facts")
    reference = jc.Reference.load(tmp_path / "facts")
    days = ("2014-12-31", "2015-01-01", "2025-10-31", "2025-11-01")
    alone = ["not-marketed" in {f.rule for f in reference.products.find("0409-3795-01", on=day)[1]} for day in days]
    assert alone == [True, False, False, True]
    pa = pytest.importorskip("pyarrow")
    table = {"drug": ["0409-3795-01"] * 4, "dose": ["30"] * 4, "unit": ["mg"] * 4, "on": list(days)}
    rows = jc.batch.bill(pa.table(table), reference=reference)["findings"].to_pylist()
    assert ["not-marketed" in str(found).split("|") for found in rows] == alone
