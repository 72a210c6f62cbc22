"""The paper forms, column by column: CMS-1500 item 24 and UB-04 form locators 42 to 47."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_charges import FIELDS, STOP, assert_same, charge_of, charges, drug_line, injection_line

from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import cms1500, ub04

# --- CMS-1500 --------------------------------------------------------------------------------------


def shaded(text: str) -> list[str]:
    return text.split("\n")[:-1:2]


def service(text: str) -> list[str]:
    return text.split("\n")[1::2]


def test_a_service_line_stands_in_its_columns() -> None:
    row = service(cms1500.write(charge_of(drug_line(modifiers=("JZ", "TB", "RT", "KX")))))[0]
    assert row[0:17] == "03 02 26 03 02 26"
    assert row[18:20] == "11"
    assert row[24:30] == "J1885 "
    assert row[32:43] == "JZ TB RT KX"
    assert row[44:48] == "A   "
    assert row[49:57] == "   10 00"
    assert row[58:61] == "  2"
    assert len(row) == 61


def test_the_ndc_stands_shaded_above_the_drug_only() -> None:
    text = cms1500.write(charge_of(injection_line(), drug_line()))
    assert shaded(text) == ["", "N400409379501 ML1"]


@pytest.mark.parametrize(
    ("quantity", "nucc", "legacy", "implied"),
    [
        ("1.50", "N400409379501 ML1.5", "N400409379501   ML1.5", "N400409379501           ML0000001500"),
        ("0.5", "N400409379501 ML0.5", "N400409379501   ML0.5", "N400409379501           ML0000000500"),
        ("2.00", "N400409379501 ML2", "N400409379501   ML2", "N400409379501           ML0000002000"),
        ("1234.56", "N400409379501 ML1234.56", None, "N400409379501           ML0001234560"),
    ],
)
def test_every_layout_keeps_the_point_where_it_is(quantity: str, nucc: str, legacy: str | None, implied: str) -> None:
    charge = charge_of(drug_line(ndc_quantity=Decimal(quantity)))
    assert shaded(cms1500.write(charge)) == [nucc]
    assert shaded(cms1500.write(charge, layout="implied-decimal")) == [implied]
    if legacy is None:
        with pytest.raises(FormatError, match="holds 6 characters"):
            cms1500.write(charge, layout="legacy")
    else:
        assert shaded(cms1500.write(charge, layout="legacy")) == [legacy]


def test_item_19_names_the_products_once_and_leaves_the_shaded_lines_empty() -> None:
    waste = drug_line(modifiers=("JW",), kind="waste")
    text = cms1500.write(charge_of(injection_line(), drug_line(), waste), layout="item-19")
    first, rest = text.split("\n", 1)
    assert first == "ITEM 19: N400409379501 ML1"
    assert shaded(rest) == ["", "", ""]
    found = cms1500.read(text, diagnoses=("M54.50",))
    assert [line.ndc for line in found.lines] == [None, None, None]
    assert [(loss.line, loss.value) for loss in found.losses] == [(None, "N400409379501 ML1")]
    assert [loss.field for loss in cms1500.losses(charge_of(drug_line()), layout="item-19")] == ["ndc"]


def test_1500_units_survive_as_lines_that_add_up() -> None:
    line = drug_line(code="J9271", units=1500, ndc_quantity=Decimal("60"), charge_amount=Decimal("100.01"))
    text = cms1500.write(charge_of(line))
    assert [row[58:61] for row in service(text)] == ["999", "501"]
    assert shaded(text) == ["N400409379501 ML39.96", "N400409379501 ML20.04"]
    assert [row[49:57] for row in service(text)] == ["   66 61", "   33 40"]
    assert [row[32:34] for row in service(text)] == ["JZ", "JZ"]


@pytest.mark.parametrize("units", [999, 1000, 1998, 1999, 12_000])
def test_any_number_of_units_survives(units: int) -> None:
    text = cms1500.write(charge_of(drug_line(units=units, ndc_quantity=Decimal(40))))
    counted = [int(row[58:61]) for row in service(text)]
    assert sum(counted) == units
    assert max(counted) <= 999
    assert len(counted) == -(-units // 999)


def test_an_unclassified_code_has_its_words_after_the_ndc() -> None:
    line = drug_line(code="J3490", description="Sodium chloride 0.9%")
    assert shaded(cms1500.write(charge_of(line))) == ["N400409379501 ML1   ZZSodium chloride 0.9%"]
    with pytest.raises(FormatError, match="holds 61 characters"):
        cms1500.write(charge_of(drug_line(description="x" * 43)))


def test_further_ndcs_stand_three_spaces_away() -> None:
    line = drug_line(extra_ndcs=(ExtraNdc("50242013601", "ML", Decimal(10)),))
    assert shaded(cms1500.write(charge_of(line))) == ["N400409379501 ML1   N450242013601 ML10"]


def test_letters_point_into_item_21() -> None:
    codes = ("M54.50", "R52", "E11.9", "J18.9", "A41.9")
    charge = charge_of(drug_line(diagnoses=("R52", "A41.9")), diagnoses=codes)
    assert service(cms1500.write(charge))[0][44:48] == "BE  "
    many = charge_of(drug_line(diagnoses=codes))
    assert service(cms1500.write(many))[0][44:48] == "ABCD"
    assert [loss.value for loss in cms1500.losses(many)] == ["A41.9"]


def test_the_amount_is_asked_for_or_left_to_the_host() -> None:
    charge = charge_of(drug_line(charge_amount=None))
    with pytest.raises(FormatError, match=r"no charge \(24F\)"):
        cms1500.write(charge)
    assert service(cms1500.write(charge, blank_amounts=True))[0][49:57] == " " * 8
    assert service(cms1500.write(charge, amounts={"J1885": "1234.50"}))[0][49:57] == " 2469 00"
    large = charge_of(drug_line(charge_amount=Decimal("123456.78")))
    assert service(cms1500.write(large))[0][49:57] == "12345678"
    with pytest.raises(FormatError, match="6 digits of dollars"):
        cms1500.write(charge_of(drug_line(charge_amount=Decimal(1_000_000))))


@pytest.mark.parametrize("digits", ["123456789", "1.2345"])
def test_a_quantity_longer_than_the_form_allows_is_refused(digits: str) -> None:
    with pytest.raises(FormatError, match="holds 8 digits and 3 decimals"):
        cms1500.write(charge_of(drug_line(ndc_quantity=Decimal(digits))))


def test_the_layout_is_known_and_may_be_the_payers() -> None:
    with pytest.raises(FormatError, match="'fancy' is no layout"):
        cms1500.write(charge_of(drug_line()), layout="fancy")
    text = cms1500.write(charge_of(drug_line(), payer="commercial"), layout="payer")
    assert shaded(text) == ["N400409379501 ML1"]


def test_a_stopped_charge_leaves_only_when_told() -> None:
    charge = charge_of(drug_line(), findings=(STOP,), revenue_codes=(("J1885", "0636"),))
    for module in (cms1500, ub04):
        with pytest.raises(FormatError, match="unit-limit stops this claim"):
            module.write(charge)
        assert "J1885" in module.write(charge, allow_stops=True)


_FIT = [field for field in FIELDS if field != "extra_ndcs"]


@given(charges(most=40_000, extras=False), st.sampled_from(("nucc", "implied-decimal")))
def test_what_was_printed_is_read_again(charge: Charge, layout: str) -> None:
    text = cms1500.write(charge, layout=layout)
    assert all(len(row) <= 61 for row in text.split("\n"))
    found = cms1500.read(text, diagnoses=cms1500.diagnoses(charge))
    assert_same(charge, found.lines, _FIT)
    assert set(found.dates) == {"2026-03-02"}
    assert found.losses == ()


@given(charges(most=999))
def test_further_ndcs_are_read_again(charge: Charge) -> None:
    bare = tuple(line for line in charge.lines if line.description is None)
    found = cms1500.read(cms1500.write(charge_of(*bare, injection_line())))
    assert [one.extra_ndcs for one in found.lines[:-1]] == [one.extra_ndcs for one in bare]


ROW = "03 02 26 03 02 26 11    J1885   JZ          A       10 00   2"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no CMS-1500 text"),
        ("N400409379501 ML1\n", "1 rows"),
        (f"N400409379501 ML1\n{ROW[:59]}\n", "'' units"),
        ("\nX" + ROW, "does not begin with two dates"),
        (f"N40040937950 ML1\n{ROW}", "neither an NDC"),
        (f"N400409379501 MG1\n{ROW}", "neither an NDC"),
        (f"N400409379501 ML\n{ROW}", "neither an NDC"),
    ],
)
def test_broken_rows_are_refused(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        cms1500.read(text)


def test_letters_without_item_21_are_listed() -> None:
    assert [loss.value for loss in cms1500.read(f"\n{ROW}\n").losses] == ["A"]


# --- UB-04 -----------------------------------------------------------------------------------------


def outpatient(**changes: Any) -> Charge:
    return charge_of(drug_line(**{"revenue_code": "0636", **changes}), claim="outpatient", place="22")


def test_form_locators_stand_in_their_columns() -> None:
    row = ub04.write(outpatient(ndc_quantity=Decimal("1.50"), modifiers=("JZ", "TB", "RT", "KX"))).rstrip("\n")
    assert row[0:4] == "0636"
    assert row[5:29] == "N400409379501ML1.5      "
    assert row[30:44] == "J1885JZTBRTKX "
    assert row[45:51] == "030226"
    assert row[52:59] == "      2"
    assert row[60:69] == "     1000"


@pytest.mark.parametrize(
    ("quantity", "printed"), [("1.5", "ML1.5"), ("0.5", "ML0.5"), ("2.00", "ML2"), ("12345.678", "ML12345.678")]
)
def test_fl43_has_no_space_and_a_floating_point(quantity: str, printed: str) -> None:
    row = ub04.write(outpatient(ndc_quantity=Decimal(quantity)))
    assert row[5:29].rstrip() == f"N400409379501{printed}"


def test_fl43_is_never_cut() -> None:
    with pytest.raises(FormatError, match="FL43 holds 9 characters"):
        ub04.write(outpatient(ndc_quantity=Decimal("123456.789")))


def test_revenue_code_and_amount_are_asked_for() -> None:
    with pytest.raises(FormatError, match=r"no revenue code \(FL42\)"):
        ub04.write(outpatient(revenue_code=None))
    with pytest.raises(FormatError, match=r"no charge \(FL47\)"):
        ub04.write(outpatient(charge_amount=None))
    assert ub04.write(outpatient(charge_amount=None), blank_amounts=True).rstrip("\n")[59:] == ""
    told = ub04.write(outpatient(revenue_code=None), revenue_codes={"J1885": "0250"})
    assert told.startswith("0250 ")


def test_eight_digits_of_units_become_two_rows() -> None:
    found = ub04.read(ub04.write(outpatient(units=15_000_000, ndc_quantity=Decimal(30))))
    assert [line.units for line in found.lines] == [9_999_999, 5_000_001]


def test_words_stand_in_fl43_where_there_is_room() -> None:
    plain = injection_line(code="C9399", description="new drug", revenue_code="0636")
    charge = charge_of(plain, drug_line(description="other", revenue_code="0636"), claim="outpatient")
    assert ub04.write(charge).split("\n")[0][5:13] == "new drug"
    assert [(loss.line, loss.field) for loss in ub04.losses(charge)] == [
        (1, "diagnoses"),
        (2, "diagnoses"),
        (2, "description"),
        (None, "place"),
    ]


def test_several_ndcs_need_several_rows() -> None:
    with pytest.raises(FormatError, match="one line for each NDC"):
        ub04.write(outpatient(extra_ndcs=(ExtraNdc("50242013601", "ML", Decimal(1)),)))


_UB = ["code", "modifiers", "units", "ndc", "ndc_qualifier", "ndc_quantity", "charge_amount", "revenue_code"]


@given(charges(most=40_000_000, extras=False, claim="outpatient"))
def test_what_was_printed_for_a_hospital_is_read_again(charge: Charge) -> None:
    text = ub04.write(charge)
    assert all(len(row) <= 69 for row in text.split("\n"))
    found = ub04.read(text)
    assert_same(charge, found.lines, _UB)
    assert set(found.dates) == {"2026-03-02"}


UB = "0636 N400409379501ML1.5       J1885JZ        030226       2      1000"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no UB-04 text"),
        (UB.replace("J1885JZ ", "J1885JZX"), "no code with modifiers"),
        (UB.replace("      2 ", "    2.5 "), r"'2\.5' in FL46"),
        (UB.replace("ML1.5", "MG1.5"), "no NDC with its quantity"),
        (UB.replace("030226", "3/2/26"), "no date"),
    ],
)
def test_broken_ub_rows_are_refused(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        ub04.read(text)


def test_a_payers_layout_comes_from_its_row() -> None:
    medicaid = charge_of(drug_line(), payer="medicaid")
    assert shaded(cms1500.write(medicaid, layout="payer")) == ["N400409379501   ML1"]
    medicare = cms1500.write(charge_of(drug_line()), layout="payer")
    assert medicare.startswith("ITEM 19: N400409379501 ML1\n")
    with pytest.raises(FormatError, match="'indicator' is no layout here"):
        cms1500.write(charge_of(drug_line(), payer="tricare"), layout="payer")


def test_the_widths_themselves_are_allowed() -> None:
    # 17 characters of the NDC, 3 spaces, ZZ: 39 are left of 61.
    with pytest.raises(FormatError, match="holds 61 characters"):
        cms1500.write(charge_of(drug_line(description="x" * 40)))
    row = shaded(cms1500.write(charge_of(drug_line(description="x" * 39))))[0]
    assert len(row) == 61
    assert len(ub04.write(outpatient(charge_amount=Decimal("9999999.99"))).rstrip("\n")) == 69
    with pytest.raises(FormatError, match="FL47 holds 7 digits of dollars"):
        ub04.write(outpatient(charge_amount=Decimal(10_000_000)))


def test_words_that_do_not_fit_or_look_like_an_ndc_stay_out_of_fl43() -> None:
    for words, printed in (("x" * 24, "x" * 24), ("x" * 25, ""), ("N4 like", "")):
        charge = charge_of(injection_line(description=words, revenue_code="0510"), claim="outpatient")
        row = ub04.write(charge)
        assert row[5:29].rstrip() == printed
        assert ub04.read(row).lines[0].description == (printed or None)
        assert [loss.field for loss in ub04.losses(charge)] == [
            "diagnoses",
            *([] if printed else ["description"]),
            "place",
        ]


def test_the_broken_row_is_counted_from_one() -> None:
    with pytest.raises(FormatError, match=r"row 2: 'X' in FL44"):
        ub04.read(f"{UB}\n{UB.replace('J1885JZ', 'X      ')}")
    with pytest.raises(FormatError, match="line 2: '' units"):
        cms1500.read(f"\n{ROW}\n\n{ROW[:59]}")


@settings(max_examples=200)
@given(st.lists(st.text("N4UMLJ18850639 .²٣ZZ", max_size=70) | st.sampled_from((ROW, UB, "")), max_size=4))
def test_any_rows_are_read_or_refused(rows: list[str]) -> None:
    for module in (cms1500, ub04):
        try:
            units = [line.units for line in module.read("\n".join(rows)).lines]
        except FormatError:
            units = [1]
        assert min(units) >= 1


@pytest.mark.parametrize("count", ["²", "٣", " ", "-1"])
def test_only_plain_digits_count(count: str) -> None:
    with pytest.raises(FormatError, match="units, and a line counts whole units"):
        cms1500.read(f"\n{ROW[:58]}{count:>3}")
    with pytest.raises(FormatError, match="in FL46"):
        ub04.read(UB[:52] + f"{count:>7}" + UB[59:])


def test_a_page_of_the_hospitals_paper_holds_22_lines() -> None:
    lines = tuple(Line("J1885", units=n + 1, kind="drug") for n in range(45))
    made = Charge(lines, (), Encounter("2026-03-02", "22", claim="outpatient"))
    text = ub04.write(made, amounts={"J1885": "1"}, revenue_codes={"drug": "0636"})
    assert [page.count("\n") for page in text.split("\f")] == [22, 22, 1]
    assert [line.units for line in ub04.read(text).lines] == list(range(1, 46))


def test_revenue_codes_are_asked_and_given_by_the_kind_of_line() -> None:
    lines = (Line("96372", kind="administration"), Line("J1885", kind="drug"), Line("J1885", ("JW",), kind="waste"))
    made = Charge(lines, (), Encounter("2026-03-02", "22", claim="outpatient"))
    amounts = {"J1885": "1", "96372": "2"}
    with pytest.raises(FormatError, match=r"every administration line.*every drug line"):
        ub04.write(made, amounts=amounts)
    text = ub04.write(made, amounts=amounts, revenue_codes={"administration": "0510", "drug": "0636", "96372": "0940"})
    assert [line.revenue_code for line in ub04.read(text).lines] == ["0940", "0636", "0636"]


def test_rows_without_a_code_are_losses_and_no_error_of_the_drug_lines() -> None:
    drug = "0636 N400409379501ML1         J1885JZ        030226       2      1000"
    room = "0120 ROOM                                    030226       2     90000"
    total = "0001 PAGE 1 OF 1                                                91000"
    found = ub04.read("\n".join((room, drug, total)))
    assert [(line.code, line.units) for line in found.lines] == [("J1885", 2)]
    assert [(loss.line, loss.value) for loss in found.losses] == [
        (None, "0120, charge 90000"),
        (None, "0001, charge 91000"),
    ]
    with pytest.raises(FormatError, match=r"row 1: no drug line: no code in FL44"):
        ub04.read(room)


def test_the_blank_lines_of_a_form_are_none() -> None:
    service = "03 02 26 03 02 26 11    J1885   JZ          A       10 00   2"
    for blanks in ("", "\n", "\n\n\n", f"{' ' * 60}\n" * 4):
        assert [line.units for line in cms1500.read(f"N400409379501 ML1\n{service}\n{blanks}").lines] == [2]
    with pytest.raises(FormatError, match=r"no line of item 24"):
        cms1500.read("ITEM 19: N400409379501 ML1\n")
