"""Another package of a known product, and a container of which the caller says the volume."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import PRODUCTS, REFERENCE, rows_of

import jcodeunits as jc
from jcodeunits.cli import main
from jcodeunits.dated import as_date
from jcodeunits.errors import ContainerError, ContradictedProduct, FormNeeded, UnknownProduct
from jcodeunits.facts.product_rows import AnotherPackage, Product
from jcodeunits.facts.siblings import another_package
from jcodeunits.quantity import counting

ON = "2026-03-02"
DAY = as_date(ON)

OPEN = [row for row in rows_of(Product) if row.ends is None and row.codes]
BY_PRODUCT: dict[str, list[Product]] = defaultdict(list)
for _row in OPEN:
    BY_PRODUCT[_row.ndc[:9]].append(_row)


def unknown_package(product: str) -> str:
    """An NDC of a labeler's product (9 digits) that no table has."""
    return next(
        f"{product}{n:02}"
        for n in range(99, 0, -1)
        if not PRODUCTS.store.starting(Product, jc.ndc.format(f"{product}{n:02}"))
    )


# --- another package


def test_a_liquid_is_answered_by_what_its_packages_share() -> None:
    made = jc.ndc_quantity("00409-4755-18", "4 mg", on=ON)
    assert (made.ndc, made.qualifier, made.quantity) == ("00409475518", "ML", 2)
    assert [note.rule for note in made.findings] == ["another-package"]
    assert "00409-4755-03" in made.findings[0].says
    assert (jc.billing_units("00409-4755-18", "4 mg", ON).code, jc.find("00409-4755-18", on=ON)[0].code) == (
        "J2405",
        "J2405",
    )
    assert int(jc.billing_units("00409-4755-18", "2 mL", ON)) == 4


def test_a_powder_counts_only_by_what_the_caller_says_a_container_holds() -> None:
    assert int(jc.billing_units("00409-7332-11", "1 g", ON)) == 4
    with pytest.raises(ContradictedProduct, match="00409-7332-01"):
        jc.ndc_quantity("00409-7332-11", "1 g", on=ON)
    for held, count in (("1 g", "1"), ("2 g", "0.5")):
        made = jc.ndc_quantity("00409-7332-11", "1 g", on=ON, container_amount=held)
        assert (made.qualifier, made.quantity) == ("UN", Decimal(count))


def charged(**given: Any) -> Any:
    return jc.charge({"on": ON, "place": "11", "administrations": [{"route": "IM", **given}]})


def test_a_charge_has_units_and_quantity_and_asks_for_the_container_before_jw_or_jz() -> None:
    given = {"drug": "ondansetron", "dose": "2 mg", "ndc": "00409-4755-18", "containers": 1}
    made = charged(**given, container="single-dose")
    line = next(line for line in made.lines if line.kind == "drug")
    assert (line.units, line.modifiers, line.ndc_qualifier, line.ndc_quantity) == (2, (), "ML", 1)
    rules = {finding.rule for finding in made.findings}
    assert {"another-package", "containers-missing"} <= rules
    assert "ndc-unknown" not in rules
    told = charged(**given, container="single-dose", container_amount="4 mg", discarded="2 mg")
    lines = [(line.modifiers, line.units, line.ndc_quantity) for line in told.lines if line.code == "J2405"]
    assert lines == [((), 2, 1), (("JW",), 2, 1)]


def test_a_drug_named_otherwise_than_the_package_is_a_mismatch() -> None:
    made = charged(drug="ketorolac", dose="30 mg", ndc="00409-4755-18")
    assert {"drug-product-mismatch"} <= {finding.rule for finding in made.findings}


@pytest.mark.parametrize("verb", ["ndc", "find", "units"])
def test_every_verb_knows_the_package(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = {"units": ["00409-4755-18", "4 mg"]}.get(verb, ["00409-4755-18"])
    assert main([verb, *words, "--on", ON]) == 0
    assert "J2405" in capsys.readouterr().out


def test_vials_asks_for_the_container(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vials", "ondansetron", "4 mg", "--ndc", "00409-4755-18", "--on", ON]) == 2
    assert "packages differ in what they hold" in " ".join(capsys.readouterr().err.split())


def test_bulk_and_audit_answer_as_charge_does() -> None:
    row = {"drug": "J2405", "dose": "2", "unit": "mg", "on": ON, "ndc": "00409-4755-18", "containers": 1}
    made = jc.batch.bill(pa.Table.from_pylist([row, {**row, "drug": "00409-4755-18"}])).to_pylist()
    assert [(one["units"], one["ndc11"], one["ndc_qualifier"], one["ndc_quantity"]) for one in made] == [
        (2, "00409475518", "ML", 1)
    ] * 2
    assert all("another-package" in one["findings"].split("|") for one in made)
    billed = {"claim": "A", "line": "1", "code": "J2405", "units": "2", "modifiers": "", **row}
    billed |= {"ndc_qualifier": "ML", "ndc_quantity": "3"}
    table = pa.Table.from_pylist([{name: billed[name] for name in billed if name != "drug"}])
    verdict = jc.audit.judge(table).to_pylist()[0]
    assert (verdict["verdict"], verdict["cause"], verdict["expected_ndc"]) == ("differs", "ndc-quantity", "ML1")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(BY_PRODUCT)))
def test_a_sibling_never_yields_an_amount_a_container_or_a_kind(product: str) -> None:
    number = unknown_package(product)
    try:
        item = jc.product(number, on=ON)
    except UnknownProduct:
        assert len({row.codes for row in BY_PRODUCT[product]}) > 1 or not PRODUCTS.packages(number)
        return
    assert isinstance(item, AnotherPackage)
    assert (item.amount, item.dose, item.quantity, item.size, item.kind, item.shape) == (None, None, None, None, "", "")
    plain = item.as_dict()
    assert (plain["amount"], plain["containers"], plain["ndc_quantity"], plain["kind"]) == (None, None, None, None)
    try:
        assert counting(item, ON, reference=REFERENCE).per_container is None
    except FormNeeded:
        assert item.qualifier == ""
    assert item.sibling[:9] == product


def test_what_siblings_share_is_what_each_package_has() -> None:
    """Each NDC beside others is asked as if it were not known; its own row says whether the answer is right."""
    agree: dict[str, list[bool]] = defaultdict(list)
    for rows in BY_PRODUCT.values():
        for row in rows:
            others = [other for other in rows if other.ndc != row.ndc]
            made = another_package(row.ndc, others, DAY, lambda number: PRODUCTS.container(number, DAY))
            if made is None:
                continue
            agree["code"].append(made.codes == row.codes)
            if made.qualifier and row.qualifier:
                agree["qualifier"].append(made.qualifier == row.qualifier)
            if made.concentration is not None and row.concentration is not None:
                agree["concentration"].append(
                    (made.concentration, made.unit) == (row.concentration, row.unit)
                    or abs(made.concentration / row.concentration - 1) < Fraction(1, 100)
                )
    assert len(agree["code"]) > 1500
    assert sum(agree["code"]) / len(agree["code"]) > 0.995
    assert all(agree["qualifier"])
    assert len(agree["concentration"]) > 300
    assert sum(agree["concentration"]) / len(agree["concentration"]) > 0.99


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([row for row in OPEN if row.concentration is not None and row.unit != "billing unit"]),
    st.integers(1, 400),
)
def test_quantity_times_concentration_is_the_dose_of_every_liquid(row: Product, part: int) -> None:
    assert row.concentration is not None
    dose = jc.Dose(row.concentration * part / 100, row.unit)
    way = counting(row, ON, reference=REFERENCE)
    if way.qualifier == "ML" and way.per_container == row.quantity:
        assert jc.ndc_quantity(row, dose, on=ON).exact * row.concentration == dose.amount


# --- the volume of a container


def test_a_volume_that_the_caller_says_counts_the_container() -> None:
    for dose, quantity in (("3 g", "60"), ("1.5 g", "30")):
        made = jc.ndc_quantity("00143-9530-01", dose, on=ON, form="liquid", container_volume="60 mL")
        assert (made.qualifier, made.quantity) == ("ML", Decimal(quantity))
    with pytest.raises(FormNeeded, match="container_volume"):
        jc.ndc_quantity("00143-9530-01", "3 g", on=ON, form="liquid")


def test_a_volume_beside_a_proved_one_must_be_the_same() -> None:
    assert jc.ndc_quantity("0409-3795-01", "30 mg", on=ON, container_volume="1 mL").quantity == 1
    with pytest.raises(ContradictedProduct, match="2 mL"):
        jc.ndc_quantity("0409-3795-01", "30 mg", on=ON, container_volume="2 mL")
    made = charged(drug="ketorolac", dose="30 mg", ndc="0409-3795-01", container_volume="2 mL")
    line = next(line for line in made.lines if line.kind == "drug")
    assert (line.units, line.ndc, line.ndc_qualifier) == (2, "00409379501", None)
    assert "container-volume-differs" in {finding.rule for finding in made.findings}


@pytest.mark.parametrize("volume", ["1 mg", "1", "one mL", "0 mL"])
def test_a_volume_that_is_none_is_refused(volume: str) -> None:
    with pytest.raises(ContainerError, match="volume"):
        jc.ndc_quantity("00143-9530-01", "3 g", on=ON, form="liquid", container_volume=volume)


def test_the_volume_of_an_encounter_is_no_amount_given() -> None:
    given = {"drug": "J9208", "dose": "1.5 g", "form": "liquid", "ndc": "00143-9530-01"}
    for more in ({"container_volume": "60 mL"}, {"products": [{"ndc": given["ndc"], "volume": "60 mL"}], "ndc": None}):
        made = charged(**{**given, **more})
        line = next(line for line in made.lines if line.kind == "drug")
        assert (line.units, line.ndc_qualifier, line.ndc_quantity) == (2, "ML", Decimal("30"))


def test_a_dose_by_volume_is_drawn_from_the_volume_said() -> None:
    given = {"drug": "J9208", "dose": "30 mL", "form": "liquid", "ndc": "00143-9530-01", "container_volume": "60 mL"}
    line = next(line for line in charged(**given).lines if line.kind == "drug")
    assert (line.units, line.ndc_qualifier, line.ndc_quantity) == (2, "ML", Decimal("30"))


def test_the_command_takes_the_volume(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ndc", "00143-9530-01", "--dose", "1.5 g", "--form", "liquid", "--volume", "60 mL", "--on", ON]
    assert main(words) == 0
    assert "ML 30" in capsys.readouterr().out
    words = ["vials", "J9208", "1.5 g", "--ndc", "00143-9530-01", "--form", "liquid", "--volume", "60 mL"]
    assert main([*words, "--on", ON]) == 0
    assert "ML 30" in capsys.readouterr().out


# --- a payer that counts a powder by the volume made up


def _trastuzumab(payer: str, **more: object) -> jc.Charge:
    """Half of the 440 mg vial, as the state's manual of 2016 bills it."""
    given = {"drug": "J9355", "dose": "220 mg", "route": "IV push", "ndc": "50242-0134-68", "form": "powder"}
    given |= {"containers": 1, "container_amount": "440 mg", "container": "multi-dose", **more}
    encounter = {"on": "2026-03-02", "place": "11", "payer": payer, "administrations": [given]}
    return jc.charge({**encounter, "diagnoses": ["C50.911"]})


@pytest.mark.parametrize(
    ("payer", "more", "quantity"),
    [
        ("tx-medicaid", {"container_volume": "20 mL"}, ("ML", Decimal(10))),
        ("tx-medicaid", {"dose": "10 mL", "concentration": "22 mg/mL"}, ("ML", Decimal(10))),
        ("tx-medicaid", {}, (None, None)),
        ("medicaid", {"container_volume": "20 mL"}, ("UN", Decimal("0.5"))),
        ("medicare", {}, ("UN", Decimal("0.5"))),
    ],
)
def test_a_payer_that_counts_a_powder_made_up_takes_the_volume_from_the_caller(
    payer: str, more: dict[str, object], quantity: tuple[str | None, Decimal | None]
) -> None:
    made = _trastuzumab(payer, **more)
    (line,) = [line for line in made.lines if line.code == "J9355"]
    assert (line.units, (line.ndc_qualifier, line.ndc_quantity)) == (22, quantity)
    rules = {finding.rule for finding in made.findings}
    assert ("ndc-made-up" in rules) == (payer == "tx-medicaid")
    assert ("ndc-quantity-unknown" in rules) == (quantity[0] is None)


def test_a_batch_counts_a_powder_made_up_as_a_charge_does() -> None:
    row = {"drug": "J9355", "dose": "220", "unit": "mg", "on": "2026-03-02", "route": "IV push", "place": "11"}
    row |= {"ndc": "50242-0134-68", "form": "powder", "containers": "1", "container_amount": "440 mg"}
    row |= {"container": "multi-dose"}
    rows = [
        row | {"payer": payer, "container_volume": v} for payer in ("tx-medicaid", "medicare") for v in ("20 mL", "")
    ]
    made = jc.batch.bill(pa.Table.from_pylist(rows)).to_pylist()
    assert [(r["ndc_qualifier"], r["ndc_quantity"] and float(r["ndc_quantity"])) for r in made] == [
        ("ML", 10.0),
        (None, None),
        ("UN", 0.5),
        ("UN", 0.5),
    ]
    assert "ndc-made-up" in made[1]["findings"]


def test_a_sites_payer_names_a_powder_by_code_by_product_or_by_ndc(tmp_path: Path) -> None:
    for n, named in enumerate(("J0696", "00409-7332", "00409-7332-01", "none", "00409-7332-02")):
        folder = tmp_path / str(n)
        folder.mkdir()
        (folder / "payers.csv").write_text(
            f"payer,option,values\nour-plan,follows,medicaid\nour-plan,ndc-made-up,{named}\n"
        )
        book = REFERENCE.with_tables(folder)
        option = book.policy.option("our-plan", "ndc-made-up", ON)
        answer = jc.ndc_quantity(
            "00409-7332-01", "500 mg", ON, container_volume="10 mL", made_up=option, reference=book
        )
        assert str(answer) == ("ML5" if n < 3 else "UN0.5")


def test_a_concentration_that_no_decimal_says_is_written_as_amount_in_volume() -> None:
    item = jc.product("51759-0410-11", on=ON)  # of 75 mg in 0.21 mL
    assert item.contents == "2500 mg/7 mL"
    assert jc.product("00409-4755-18", on=ON).contents == "2 mg/mL"
    assert jc.product("00338-0049-11", on=ON).contents == ""  # of saline by the mL there is none


@pytest.mark.parametrize(
    ("words", "line", "counted"),
    [
        (("J7336", "560 cm2", "--ndc", "72512-0929-01"), "J7336 x 560", "72512092901 UN 1"),
        (("J8610", "10 mg", "--ndc", "00555-0572-35"), "J8610 x 4", "00555057235 UN 4"),
        (("J7682", "300 mg"), "J7682 x 1", ""),
        (("J1453", "150 mg", "--ndc", "00143-9384-01"), "J1453 x 150", "00143938401 UN 1"),
    ],
    ids=["patch", "tablet", "inhaled", "injection"],
)
def test_vials_makes_the_lines_of_what_is_not_injected_too(
    words: tuple[str, ...], line: str, counted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vials", *words, "--on", ON]) == 0
    shown = capsys.readouterr().out
    assert line in shown
    assert counted in shown
