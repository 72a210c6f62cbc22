"""What a scanner hands over is read wherever an NDC is, and answers as the number on the package does."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import rows_of

import jcodeunits as jc
from jcodeunits import barcode, gs1, ndc
from jcodeunits.cli import main
from jcodeunits.encounter import Encounter
from jcodeunits.errors import AmbiguousNdc, InvalidNdc, JcodeunitsError
from jcodeunits.facts.product_rows import Product

ON = "2026-03-02"
GS = "\x1d"
FULL = f"010030409379501117270331{'10A1B2'}"

SCANNED = [
    ("(01)00304093795011", None, None, None),
    ("00304093795011", None, None, None),
    ("0304093795011", None, None, None),
    ("304093795011", None, None, None),
    ("3 04093 79501 1", None, None, None),
    ("(01)50304093795016", None, None, None),  # the carton: another first digit, another check digit
    (FULL, "2027-03-31", "A1B2", None),
    (f"]d2{FULL}", "2027-03-31", "A1B2", None),
    (f"{GS}{FULL}", "2027-03-31", "A1B2", None),
    (f"]d2{GS}{FULL}{GS}", "2027-03-31", "A1B2", None),
    (f"]C110A1B2{GS}21S-7{GS}172703000100304093795011", "2027-03-31", "A1B2", "S-7"),
    ("(01)00304093795011(17)271231(10)A1", "2027-12-31", "A1", None),
    ("(01) 00304093795011 (21) 1000 (17) 280229 (10) A/1", "2028-02-29", "A/1", "1000"),
    (f"0100304093795011112501013025{GS}10A1B2", None, "A1B2", None),  # made on, count: passed over
    ("01003040937950111727033110A1B2<GS>21X", "2027-03-31", "A1B2", "X"),
    ("https://id.gs1.org/01/00304093795011", None, None, None),
    ("https://example.com/drugs/01/00304093795011/10/A%2F1/21/S-7?17=270331", "2027-03-31", "A/1", "S-7"),
    ("HTTPS://ID.GS1.ORG/01/00304093795011?17=270300&linkType=gs1:pip#top", "2027-03-31", None, None),
]


@pytest.mark.parametrize(("text", "expires", "lot", "serial"), SCANNED)
def test_a_barcode_of_a_drug_is_read_as_it_was_scanned(
    text: str, expires: str | None, lot: str | None, serial: str | None
) -> None:
    scan = jc.barcode.parse(text)
    assert scan.digits == "0409379501"
    assert scan.readings == ("00409379501", "04093079501", "04093795001")
    assert scan.gtin in ("00304093795011", "50304093795016")
    assert (scan.expires and str(scan.expires), scan.lot, scan.serial) == (expires, lot, serial)
    assert ndc.looks_like(text)
    assert jc.product(text, on=ON).ndc == "00409379501"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(01)00304093795010", "check digit"),
        ("(01)00304093795012(17)271231(10)A1", "check digit"),
        ("00304093795010", "check digit"),
        ("304093795014", "check digit"),
        ("(01)08717648200274", "no drug's item"),  # a device
        ("]d20100304093795", "cut off"),
        (f"{FULL[:20]}", "cut off"),
        ("(01)0030409379501", "length"),
        ("(17)271231(10)A1", "no trade item number"),
        ("(01)00304093795011(17)271331(10)A1", "expiry"),
        (f"(01)00304093795011(10){'A' * 21}", "lot"),
        ("(01)00304093795011(01)50304093795016", "twice"),
        (f"{FULL}{GS}lot", "no identifier"),
        ("https://id.gs1.org/01/00304093795012", "check digit"),
        ("https://id.gs1.org/01/08717648200274", "no drug's item"),
        ("https://id.gs1.org/01/00304093795011?17=271331", "expiry"),
    ],
)
def test_what_is_misread_or_no_drug_is_refused_by_name(text: str, reason: str) -> None:
    for read in (jc.barcode.parse, ndc.compact, lambda text: jc.product(text, on=ON)):
        with pytest.raises(InvalidNdc) as refused:
            read(text)
        assert refused.value.reason == reason


@pytest.mark.parametrize("text", ["0409-3795-01", "00409379501", "0409379501", "J1885", "A1B2", "", 304093795011, None])
def test_what_is_no_barcode_is_not_parsed(text: object) -> None:
    with pytest.raises(InvalidNdc):
        barcode.parse(text)


@given(st.text())
def test_any_text_is_read_or_refused_but_never_crashes(text: str) -> None:
    with contextlib.suppress(JcodeunitsError):
        assert len(barcode.parse(text).gtin) == 14


@given(st.from_regex(r"[0-8]03[0-9]{10}", fullmatch=True), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen(item: str, off: int) -> None:
    right = gs1.check_digit(item)
    assert barcode.parse(item + right).digits == item[3:]
    wrong = str((int(right) + off) % 10)
    with pytest.raises(InvalidNdc):
        barcode.parse(f"(01){item}{wrong}")


def spellings(number: str) -> list[str]:
    """Every scanned way to write the NDC of 11 digits that its package can have."""
    labeler, product, package = number[:5], number[5:9], number[9:]
    tens = [labeler[1:] + product + package] * (labeler[0] == "0")
    tens += [labeler + product[1:] + package] * (product[0] == "0")
    tens += [labeler + product + package[1:]] * (package[0] == "0")
    made = []
    for ten in tens:
        upc = f"3{ten}{gs1.check_digit('3' + ten)}"
        carton = f"503{ten}{gs1.check_digit('503' + ten)}"
        made += [upc, f"0{upc}", f"00{upc}", f"(01)00{upc}", f"]d20100{upc}", f"01{carton}17991231"]
    return made


def _is_known(number: str) -> bool:
    try:
        return bool(jc.product(ndc.format(number), on=ON))
    except jc.JcodeunitsError:
        return False


PRODUCTS = sorted({row.ndc for row in rows_of(Product) if row.ends is None})


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PRODUCTS))
def test_a_scanned_ndc_answers_as_its_hyphenated_form(number: str) -> None:
    item = jc.product(ndc.format(number), on=ON)
    for text in spellings(number):
        try:
            assert jc.product(text, on=ON) == item
        except AmbiguousNdc as two:
            known = sum(_is_known(reading) for reading in two.readings)  # another package of a known product too
            assert known != 1


def test_every_product_comes_back_from_its_barcode() -> None:
    lost = 0
    for number in PRODUCTS:
        first = spellings(number)[:1]
        assert first, f"{number} has no ten-digit form"
        readings = barcode.parse(first[0]).readings
        lost += number not in readings
    assert lost == 0


# --- the last day of use, lot and serial number


def test_lot_expiry_and_serial_number_travel_to_the_encounter() -> None:
    scan = "(01)00304093795011(17)271231(10)A1(21)77"
    given = {"drug": "ketorolac", "dose": "30 mg", "route": "IM"}
    for more in ({"ndc": scan}, {"products": [{"ndc": scan}]}):
        read = Encounter.from_dict({"on": ON, "place": "11", "administrations": [{**given, **more}]})
        opened = read.administrations[0].products[0]
        assert (opened.lot, str(opened.expires), opened.serial) == ("A1", "2027-12-31", "77")
        assert Encounter.from_dict(json.loads(json.dumps(read.as_dict()))) == read


@pytest.mark.parametrize(("day", "late"), [("2026-02-28", False), ("2026-03-01", True)])
@pytest.mark.parametrize(
    "opened",
    [
        {"ndc": "(01)00304093795011(17)260228(10)A1"},
        {"ndc": "0409-3795-01", "lot": "A1", "expires": "2026-02-28"},
        {"drug": "(01)00304093795011(17)260200(10)A1"},
    ],
)
def test_an_expiry_before_the_date_of_service_is_found(day: str, late: bool, opened: dict[str, str]) -> None:
    given = {"drug": "ketorolac", "dose": "30 mg", "route": "IM", **opened}
    made = jc.charge({"on": day, "place": "11", "administrations": [given]})
    said = [finding for finding in made.findings if finding.rule == "product-expired"]
    assert len(said) == late
    assert all(finding.severity == "warn" and "A1" in finding.says and "2026-02-28" in finding.says for finding in said)
    assert [line.ndc for line in made.lines if line.kind == "drug"] == ["00409379501"]


def test_the_lot_of_a_message_is_on_the_encounter() -> None:
    text = (
        "MSH|^~\\&|A|B|C|D|20260302093000||RAS^O17^RAS_O17|1|P|2.5.1\r"
        "PID|1||123\r"
        "ORC|RE|1\r"
        "RXA|0|1|20260302093000|20260302093000|00409-3795-01^ketorolac^NDC|30|mg^^UCUM|||||||"
        "|A1|20260228||||CP\r"
        "RXR|IM^Intramuscular^HL70162\r"
    )
    found = jc.formats.hl7v2.reading(text, place="11")
    opened = found.encounter.administrations[0].products[0]
    assert (opened.lot, str(opened.expires)) == ("A1", "2026-02-28")
    said = [finding.rule for finding in jc.charge(found.encounter).findings]
    assert said.count("product-expired") == 1


# --- bulk


def bulk(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(jc.batch.bill(pa.Table.from_pylist(rows)).to_pylist())


def test_bulk_reads_scanned_text_and_judges_each_expiry_by_its_own_day() -> None:
    scan = "(01)00304093795011(17)260228(10)A1"
    rows = [
        {"drug": "J1885", "dose": "30", "unit": "mg", "on": day, "ndc": text, "containers": 1}
        for text in (scan, "0409-3795-01", "304093795011")
        for day in ("2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02")
    ]
    made = bulk(rows)
    assert {(row["status"], row["units"], row["ndc11"], row["ndc_quantity"]) for row in made} == {
        ("billed", 2, "00409379501", 1)
    }
    late = ["product-expired" in row["findings"].split("|") for row in made]
    assert late == [False, False, True, True] + [False] * 8


# --- numbers that have lost their zeros


@pytest.mark.parametrize("text", ["409379501", " 409379501 "])
def test_a_number_that_lost_its_zeros_is_refused_with_the_eleven_digits(text: str) -> None:
    for ask in (lambda: jc.product(text, on=ON), lambda: jc.billing_units(text.strip(), "30 mg", ON)):
        with pytest.raises(InvalidNdc, match="leading zeros") as refused:
            ask()
        assert refused.value.instead == "00409379501"
        assert jc.product(refused.value.instead, on=ON).number in str(refused.value)


def test_zeros_are_offered_only_for_a_product() -> None:
    with pytest.raises(InvalidNdc) as refused:
        jc.product("999999999", on=ON)
    assert refused.value.instead is None


# --- twelve digits


@pytest.mark.parametrize("text", ["000409-3795-01", "000409379501"])
def test_twelve_digits_are_read_on_and_after_their_day(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    day, before = "2033-03-07", "2033-03-06"
    line = jc.ndc_quantity(text, "30 mg", on=day)
    assert (line.ndc, line.qualifier, line.quantity) == ("00409379501", "ML", 1)
    assert (jc.billing_units(text, "30 mg", day).code, jc.find(text, on=day)[0].code) == ("J1885", "J1885")
    with pytest.raises(InvalidNdc, match=day):
        jc.ndc_quantity(text, "30 mg", on=before)
    with pytest.raises(InvalidNdc, match=day):
        jc.billing_units(text, "30 mg", before)
    given = {"drug": "ketorolac", "dose": "30 mg", "route": "IM", "ndc": text}
    for when, number in ((day, "00409379501"), (before, None)):
        made = jc.charge({"on": when, "place": "11", "administrations": [given]})
        assert [line.ndc for line in made.lines if line.kind == "drug"] == [number]
        row = {"drug": "J1885", "dose": "30", "unit": "mg", "on": when, "ndc": text}
        assert bulk([row])[0]["ndc11"] == number
    for words in (["ndc", text], ["find", text], ["units", text, "30 mg"], ["vials", "J1885", "30 mg", "--ndc", text]):
        assert main([*words, "--on", day]) == 0, words
        assert main([*words, "--on", before]) == 2, words
    capsys.readouterr()


@pytest.mark.parametrize("text", ["0409-3795-01", "00409379501", "(01)00304093795011", "304093795011"])
def test_older_forms_go_on_being_read(text: str) -> None:
    assert jc.product(text, on="2033-03-06").ndc == jc.product(text, on="2033-03-07").ndc == "00409379501"


def test_twelve_digits_that_are_a_upc_too_are_two_readings() -> None:
    with pytest.raises(AmbiguousNdc) as refused:
        ndc.compact("304093795011", on="2033-03-07")
    assert refused.value.readings == ("304093795011", "00409379501", "04093079501", "04093795001")


def test_a_labeler_of_six_digits_is_refused_in_a_claim() -> None:
    given = {"drug": "ketorolac", "dose": "30 mg", "route": "IM", "ndc": "123456-7890-12"}
    made = jc.charge({"on": "2034-01-02", "place": "11", "administrations": [given]})
    assert [line.ndc for line in made.lines if line.kind == "drug"] == [None]
    said = next(finding for finding in made.findings if finding.rule == "ndc-invalid")
    assert "six digits" in said.says
