"""What a person reads after a refresh: a site's own codes first, then what began, ended, changed, and what is missing."""

from __future__ import annotations

import re
from pathlib import Path

import published
import pytest

from jcodeunits.refresh import edits, fold
from jcodeunits.refresh import report as reports
from jcodeunits.refresh.families import FAMILIES
from jcodeunits.refresh.family import Asked

SOLD = "J9260,Methotrexate,Maker,{},Methotrexate,50 MG,2,10,1,10,,"
PAIRS = [("96372", "36410", "20200101", "*", "0"), ("96372", "69210", "20200101", "*", "1")]
LATER = [("96372", "36410", "20200101", "*", "1"), ("96372", "69210", "20200101", "20260930", "1")]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a quarter after another."""
    place = tmp_path_factory.mktemp("report")
    numbers = [SOLD.format(f"72998-000{n}-01") for n in range(1, 5)]
    before = [
        published.mue(place, 2026, 3, {"J9260": 9, "J9035": 16, "96372": 4}),
        published.crosswalk(place, 2026, 3, numbers[:3]),
        published.ptp(place, "v322r0", PAIRS),
    ]
    after = [
        published.mue(place, 2026, 4, {"J9260": 12, "J9035": 16, "96372": 4}),
        published.crosswalk(place, 2026, 4, numbers[1:]),
        published.ptp(place, "v323r0", [*LATER, ("96372", "99211", "20261001", "*", "0")]),
    ]
    fold.refresh(before, place / "facts", anew=True)
    report = fold.refresh(after, place / "facts", own=frozenset({"J9260"}))
    return report.text()


def test_what_concerns_a_site_stands_first(told: str) -> None:
    heads = re.findall(r"^([A-Z][^\n(]+) \(\d+\)$", told, re.MULTILINE)
    assert heads[0] == "Your own codes and NDCs"
    own = told[: told.index("Edits of administration codes")]
    assert "unit limit of J9260: professional: 9 a day to 12 a day." in own
    assert "NDC came: 72998-0004-01" in own
    assert "NDC went: 72998-0001-01: last listed 2026-09-30" in own
    assert "J9035" not in told


def test_edits_are_counted_by_administration_code(told: str) -> None:
    line = next(line for line in told.replace("\n    ", " ").splitlines() if line.startswith("  96372: "))
    assert line == "  96372: professional: 1 pair began (99211); 1 pair changed (36410); 1 pair ended (69210)."


def test_a_code_whose_words_changed_is_told_with_them(tmp_path: Path) -> None:
    head = "HCPC,RECID,LONG DESCRIPTION,SHORT DESCRIPTION,ADD DT,ACT EFF DT,TERM DT"
    row = 'J1200,3,"Injection, diphenhydramine hcl, up to 50 mg{}",Words,19820101,{},'
    unit = 'J1885,3,"Injection, ketorolac tromethamine, per {} mg",Words,19930101,{},'
    quarters = [
        ("HCPC2026_OCT_ANWEB.csv", row.format("", "20250101"), unit.format(15, "20250101")),
        ("HCPC2027_JAN_ANWEB.csv", row.format(" (acme)", "20270101"), unit.format(30, "20270101")),
    ]
    files = [published.plain(name, head, *rows)(tmp_path) for name, *rows in quarters]
    fold.refresh(files[:1], tmp_path / "facts", anew=True)
    report = fold.refresh(files[1:], tmp_path / "facts", check=True)
    assert [str(change) for change in report.changes if change.kind == "changed"] == [
        "J1200: qualifier none to acme from 2027-01-01; up to 50 mg as before.",
        "J1885: per 15 mg until now, per 30 mg from 2027-01-01.",
    ]


def test_parts_that_are_missing_and_the_publishers_pages_are_named(told: str) -> None:
    assert "part 1: of four parts 2, 3, 4 are not loaded." in told.replace("\n    ", " ")
    pages = told.replace("\n    ", " ")
    assert all(family.page in pages for family in FAMILIES if family.page)


def test_tables_of_pairs_are_compared_without_being_loaded(tmp_path: Path) -> None:
    head = "column_1,column_2,claim,indicator,basis,reason,effective,ends,source,cite,confidence,verified\n"
    tail = ",table,x,2024-01-01,{},s,c,high,2024-01-01\n"
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text(head + "11111,96372,professional,0" + tail.format("") + "96372,99211,any,1" + tail.format(""))
    other.write_text(head + "96372,99211,any,1" + tail.format("2024-06-30") + "96372,99213,any,1" + tail.format(""))
    assert [str(change) for change in edits.changes(one, other, {"96372"})] == [
        "96372: any: 1 pair began (99213); 1 pair ended (99211).",
        "96372: professional: 1 pair ended (11111).",
    ]
    assert edits.changes(one, one, {"96372"}) == []


def test_what_a_correction_takes_away_is_told(tmp_path: Path) -> None:
    head = "HCPC,RECID,LONG DESCRIPTION,SHORT DESCRIPTION,ADD DT,ACT EFF DT,TERM DT"
    row = 'J{},3,"Injection, ketorolac tromethamine, per 15 mg",Words,19930101,20260101,{}'

    def files(place: Path, numbers: list[str], *rows: str) -> list[Path]:
        place.mkdir()
        code_set = place / "HCPC2026_OCT_ANWEB.csv"
        code_set.write_text("\n".join([head, *rows, ""]))
        return [code_set, published.crosswalk(place, 2026, 4, numbers)]

    numbers = [SOLD.format(f"72998-000{n}-01") for n in range(1, 5)]
    rows = [row.format("1885", "20260930"), row.format("1886", "20260930"), row.format("1887", "")]
    fold.refresh(files(tmp_path / "a", numbers, *rows), tmp_path / "facts", anew=True)
    rows = [row.format("1885", "20261231"), row.format("1886", "")]
    asked = Asked(corrected=True)
    told = fold.refresh(files(tmp_path / "b", numbers[1:], *rows), tmp_path / "facts", asked=asked)
    gone = "no edition has it any longer, and its rows are gone"
    assert {(change.kind, change.subject): change.says.partition(":")[0] for change in told.changes} == {
        ("ended", "J1885"): "last day 2026-12-31, not 2026-09-30",
        ("changed", "J1886"): "open again, not ended 2026-09-30",
        ("ended", "J1887"): gone,
        ("went", "72998-0001-01"): gone,
    }


def test_a_product_without_a_code_is_called_so_when_it_comes_and_when_it_goes() -> None:
    row = {"ndc": "72998-0001-01", "label": "Methotrexate", "codes": "", "effective": "2026-07-01", "ends": ""}
    for pair in (([], [row]), ([row], [])):
        (change,) = reports._products(pair)
        assert change.says.endswith(": Methotrexate, no code is known.")
