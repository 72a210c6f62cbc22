"""The drug table: what it holds, row by row where a row is easy to get wrong."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from shipped import DRUGS, REFERENCE, rows_of

from jcodeunits import units
from jcodeunits.amount import decimal_text
from jcodeunits.errors import NotInEffect
from jcodeunits.facts.drug_rows import Drug, Salt, Successor
from jcodeunits.refresh import hcpcs, successors
from jcodeunits.refresh.byhand import ByHand, Reviewed, Scope
from jcodeunits.refresh.files import Published
from jcodeunits.refresh.fold import state_of
from jcodeunits.refresh.lint import Disagreement

CASES = Path(__file__).parent / "cases" / "drug_rows.csv"
ROWS = rows_of(Drug)
CODES = {row.code for row in ROWS}


def cases() -> list[dict[str, str]]:
    lines = [line for line in CASES.read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def said(pairs: Iterable[tuple[object, str]]) -> str:
    return "|".join(f"{decimal_text(amount)} {unit}" for amount, unit in pairs)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['code']} {case['why']}")
def test_a_row_that_is_easy_to_misread(case: dict[str, str]) -> None:
    row = DRUGS.on(case["code"], dt.date.fromisoformat(case["on"]))
    canonical = units.canonical(case["unit"]) if case["unit"] else ""
    assert (decimal_text(row.size) if row.size else "", row.unit, row.basis) == (case["size"], canonical, case["basis"])
    assert "|".join(f"{c.name}={decimal_text(c.amount)} {c.unit}" for c in row.components) == case["components"]
    assert said(row.equivalents) == case["equivalents"]
    assert (decimal_text(row.above) if row.above else "") == case["above"]
    assert (decimal_text(row.through) if row.through else "") == case["through"]
    assert row.refuses == case["refuses"]


def test_a_dose_in_one_unit_counts_in_one_way() -> None:
    # A second equivalence in mL would never be read: 1.5 mL of a vaccine were two doses of 1 mL.
    for row in ROWS:
        kinds = [units.dimension(unit) for _, unit in row.equivalents if row.basis != "band"]
        assert len(kinds) == len(set(kinds)), row.code


def test_the_grams_of_a_percentage_of_protein_are_those_of_its_volume() -> None:
    named = [(row, re.search(r"(\d+)%$", row.ingredient)) for row in ROWS if row.unit == "mL" and row.equivalents]
    found = [(row, int(percent[1])) for row, percent in named if percent is not None and row.size is not None]
    assert {row.code for row, _ in found} >= {"P9041", "P9045", "P9046", "P9047"}
    for row, percent in found:
        assert row.equivalents == ((row.size * percent / 100, "g"),), row.code


def test_a_size_of_a_label_is_of_one_band_of_its_product() -> None:
    bands = [row for row in ROWS if row.basis == "band" and row.equivalents]
    assert {row.code for row in bands} >= {"J0577", "J0578"}
    for row in bands:
        for other in bands:
            if other.code != row.code and other.qualifier == row.qualifier:
                assert set(row.equivalents).isdisjoint(other.equivalents), (row.code, other.code)


def test_every_kind_of_code_is_there() -> None:
    first = {code[0] for code in CODES}
    assert set("ACJPQS9") <= first
    kinds = {row.kind for row in ROWS}
    assert kinds == {
        "drug",
        "biological",
        "vaccine",
        "contrast",
        "radiopharmaceutical",
        "blood",
        "skin-substitute",
        "solution",
        "device",
    }


def test_no_label_of_a_number_is_the_wording_of_the_ama() -> None:
    numbers = [row for row in ROWS if row.code[0].isdigit()]
    assert len(numbers) >= 38
    for row in numbers:
        assert row.ingredient != f"product of code {row.code}", "a label of ours is missing"
        assert not {"im", "vacc", "yrs", "sol"} & set(row.ingredient.replace(",", "").split())


def test_brand_and_maker_codes_are_marked_and_general_codes_are_not() -> None:
    on = dt.date(2026, 3, 2)
    specific = {code: DRUGS.on(code, on).specific for code in CODES if _lives(code, on)}
    for code in ("J0134", "J0162", "J2313", "Q5103", "J1072", "J7201", "J7318", "J2601", "J0177"):
        assert specific[code], code
    for code in ("J0131", "J0165", "J2312", "J1745", "J1071", "J7192", "J0885", "J0696", "J9041", "J9260"):
        assert not specific[code], code


def _lives(code: str, on: dt.date) -> bool:
    return any(row.period.holds(on) for row in DRUGS.rows(code))


def test_a_brand_code_that_became_general_is_both_by_date() -> None:
    assert DRUGS.on("J9041", dt.date(2022, 12, 31)).specific
    assert not DRUGS.on("J9041", dt.date(2023, 1, 1)).specific


@pytest.mark.parametrize("row", rows_of(Successor), ids=lambda row: f"{row.code}-{row.successor}")
def test_a_successor_follows_a_code_that_ended_and_begins_by_then(row: Successor) -> None:
    before, after = DRUGS.rows(row.code), DRUGS.rows(row.successor)
    assert before[-1].ends is not None
    assert row.effective > before[-1].ends
    assert any(r.effective <= row.effective and (r.ends is None or row.effective <= r.ends) for r in after)
    assert (row.ndcs_moved is not None) == (row.evidence == "ndc")


def test_the_successors_that_cms_files_prove() -> None:
    wanted = {
        "J1020": {"J1010"},
        "J1030": {"J1010"},
        "J1040": {"J1010"},
        "J2310": {"J2312"},
        "J2311": {"J2313"},
        "J0171": {f"J016{n}" for n in range(2, 10)},
        "J0173": {"J0166"},
        "J0135": {"J0139"},
        "J9250": {"J9260"},
        "J2001": {"J2002", "J2003"},
        "J2505": {"J2506"},
        "J0610": {"J0612"},
        "J2920": {"J2919"},
        "J2930": {"J2919"},
        "J1940": {"J1938"},
        "J1170": {"J1171"},
        "J9070": {"J9073", "J9074", "J9075", "J9076"},
        "J3370": {"J3373", "J3374", "J3376"},
        "J3140": set(),
    }
    for code, expected in wanted.items():
        assert {row.successor for row in DRUGS.successors_of(code)} == expected, code


@pytest.mark.parametrize(("code", "leads_to"), [("C9441", "J1439"), ("S1090", "S1091"), ("C9349", "Q4195")])
def test_a_chain_of_successors_leads_to_the_code_in_effect(code: str, leads_to: str) -> None:
    with pytest.raises(NotInEffect) as caught:
        DRUGS.on(code, dt.date(2026, 3, 2))
    assert leads_to in caught.value.successors


def test_a_split_names_which_products_go_where() -> None:
    conditions = {row.successor: row.condition for row in DRUGS.successors_of("J0171")}
    assert all(conditions.values())
    assert conditions["J0167"] == "hospira"


def test_every_reviewed_field_decides_a_row_and_every_range_holds_a_code() -> None:
    assert {row.code for row in rows_of(Reviewed)} <= CODES
    codes = CODES | {row.first for row in rows_of(Scope) if not row.drug}
    for scope in rows_of(Scope):
        assert any(scope.first <= code <= scope.last for code in codes), scope.first
    assert {row.code for row in rows_of(Disagreement)} <= CODES


def test_a_number_of_cpt_has_its_label_its_days_its_kind_and_a_unit_or_a_reason() -> None:
    """No file of CMS says them of a CPT number; left out, they would be made up: a first day in 1900, a name."""
    for row in (row for row in ROWS if row.code[0].isdigit()):
        said = {decided.field for decided in rows_of(Reviewed) if decided.code == row.code}
        assert {"effective", "ingredient", "kind"} <= said, row.code
        assert "refuses" in said or (row.unit and not row.refuses), row.code


# --- with the published files ---

FOLDED = state_of(REFERENCE.store)


def test_every_product_that_moved_speaks_for_a_successor_in_the_table() -> None:
    ended = {row.code for row in ROWS} - {row.code for row in ROWS if row.ends is None}
    known = {(row.code, row.successor) for row in rows_of(Successor)}
    moved = {pair for pair in successors.moves(FOLDED.kept["evidence"], FOLDED.days) if pair[0] in ended}
    assert len(moved) >= 25
    assert moved <= known


def test_every_transition_of_the_nine_quarters_is_in_the_table(shared: Path) -> None:
    path = shared / "cms" / "transitions" / "code_transitions_by_ndc.csv"
    known = {(row.code, row.successor): row for row in rows_of(Successor)}
    ended = {row.code for row in ROWS} - {row.code for row in ROWS if row.ends is None}
    with path.open(encoding="utf-8", newline="") as lines:
        seen = [row for row in csv.DictReader(lines) if row["old_code"] in ended]
    for row in seen:
        assert known[row["old_code"], row["new_code"]].ndcs_moved == int(row["ndcs_moved"])
    assert len(seen) >= 30


def test_every_ended_code_with_a_candidate_was_judged() -> None:
    salts = frozenset(row.word for row in rows_of(Salt))
    found = successors.candidates(FOLDED.kept["evidence"], FOLDED.days, ROWS, salts)
    open_ones = {item.code for item in found} - {row.code for row in rows_of(Successor)}
    # Testosterone suspension and propionate: other esters began on the day after, none is the same drug.
    assert open_ones == {"J3140", "J3150"}


def test_every_code_of_the_editions_that_the_ranges_hold_has_its_first_and_last_day(shared: Path) -> None:
    counted, byhand = 0, ByHand(REFERENCE.store)
    for code, entry in hcpcs.entries_of(Published(shared / "cms" / "hcpcs" / "hcpcs_2026Q3.xlsx")).items():
        scope = byhand.scope_of(code)
        if scope is None or not scope.drug:
            assert code not in CODES
            continue
        rows = DRUGS.rows(code)
        assert (rows[0].effective, rows[-1].ends) == (entry.added, entry.ended), code
        counted += 1
    assert counted == 2269
