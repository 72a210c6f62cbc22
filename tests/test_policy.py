"""Look-ups in the policy tables: which row answers on a date, whose row, and how far the data reaches."""

from __future__ import annotations

import csv
import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import POLICY, rows_of, with_own

from jcodeunits import tables
from jcodeunits.allowed import allowed, unpriced
from jcodeunits.errors import CodeError, DateError, EncounterError, TableError
from jcodeunits.facts.policy import Policy, in_effect, reach
from jcodeunits.facts.policy_rows import TABLES, AdministrationRule, Fee, Limit, Modifier, PayerOption, PlaceRule
from jcodeunits.lookup import search

ON = "2026-03-02"
DAYS = st.dates(dt.date(1980, 1, 1), dt.date(2040, 12, 31))


def _limit(effective: str, ends: str = "", units: str = "4") -> Limit:
    return Limit("96372", "any", units, "day", "data", effective, ends, "own-review", "made up", "low", ON)


def _modifier(effective: str, ends: str = "") -> Modifier:
    return Modifier("ZZ", "label", "drug", "10", "use", effective, ends, "own-review", "made", "low", ON)


# --- which row answers ------------------------------------------------------------------------------


def test_a_row_answers_on_its_first_and_its_last_day() -> None:
    row = _modifier("2024-01-01", "2024-03-31")
    assert in_effect([row], "2024-01-01") is row
    assert in_effect([row], "2024-03-31") is row


def test_a_row_with_a_real_period_is_silent_outside_it() -> None:
    row = _modifier("2024-01-01", "2024-03-31")
    assert in_effect([row], "2023-12-31") is None
    assert in_effect([row], "2024-04-01") is None


def test_a_row_from_an_edition_answers_before_it_because_its_beginning_is_unknown() -> None:
    first, second = _limit("2024-07-01", "2026-09-30"), _limit("2026-10-01", units="5")
    assert in_effect([first, second], "2020-01-01") is first
    assert in_effect([second], "2026-03-02") is second


def test_a_row_from_an_edition_that_ended_never_answers_again() -> None:
    assert in_effect([_limit("2024-07-01", "2024-09-30")], "2024-10-01") is None


@given(on=DAYS)
def test_the_row_that_answers_is_in_effect_or_the_first_after_the_date(on: dt.date) -> None:
    rows = [_limit("2010-01-01", "2012-12-31"), _limit("2015-01-01", "2019-12-31"), _limit("2024-07-01")]
    found = in_effect(rows, on)
    assert found is not None
    if on < found.effective:
        earlier = [row for row in rows if row.effective < found.effective]
        assert all(row.ends is not None and row.ends < on for row in earlier)
    else:
        assert found.ends is None or on <= found.ends


def test_reach_is_silent_inside_an_edition_and_speaks_outside() -> None:
    # MUE 2024 Q3 begins in July 2024, 2026 Q2 ends in June 2026 and has the same limit (cms/README.md).
    row = POLICY.limit("J0696", "2024-08-15")
    assert row is not None
    assert row.source == "mue-practitioner-2026q2"
    assert reach(row, "2024-07-01") == reach(row, "2026-06-30") == ""
    assert "to 2026-06-30" in reach(row, "2026-07-01")
    assert reach(row, "2024-06-30") == "no edition older than 2024-07-01 was read"


def test_reach_never_speaks_of_a_row_with_a_real_period() -> None:
    row = POLICY.modifier("JZ", ON)
    assert row is not None
    assert reach(row, "1990-01-01") == ""


def test_two_editions_that_agree_are_bridged_without_a_note_between_them() -> None:
    # 96372 is 4 for practitioners in 2024 Q3 and again in 2026 Q4.
    row = POLICY.limit("96372", "2025-06-30")
    assert row is not None
    assert (row.units, row.effective, row.ends) == (4, dt.date(2024, 7, 1), None)
    assert reach(row, "2025-06-30") == ""


def test_a_date_is_never_left_out() -> None:
    with pytest.raises(DateError):
        POLICY.place("11", None)


# --- payers -----------------------------------------------------------------------------------------


def test_an_unknown_payer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EncounterError) as raised:
        POLICY.option("blue moon", "jz", ON)
    assert "'blue moon'" in str(raised.value)
    assert "medicare" in raised.value.allowed


def test_an_unknown_option_is_an_error_that_names_it() -> None:
    with pytest.raises(CodeError, match="'moon-phase' of 'medicare' on 2026-03-02"):
        POLICY.option("medicare", "moon-phase", ON)


@pytest.mark.parametrize(
    ("payer", "line"),
    [
        ("medicare", ("medicare", "any")),
        ("medicare-advantage", ("medicare-advantage", "medicare", "any")),
        ("wv-medicaid", ("wv-medicaid", "medicaid", "any")),
        ("bcbs-al", ("bcbs-al", "commercial", "any")),
        ("any", ("any",)),
    ],
)
def test_a_payer_answers_itself_then_as_the_one_it_follows_then_by_default(payer: str, line: tuple[str, ...]) -> None:
    assert POLICY.lineage(payer) == line


def test_an_option_comes_from_the_nearest_payer_in_the_line() -> None:
    known = POLICY
    assert known.option("wv-medicaid", "ndc-several-modifiers", ON).values == ("KP", "KQ")
    assert known.option("wv-medicaid", "ndc-several", ON).payer == "medicaid"
    assert known.option("wv-medicaid", "modifiers-most", ON).payer == "any"


def test_an_option_may_differ_by_kind_of_claim() -> None:
    known = POLICY
    assert known.option("medicare", "waste-scope", ON, "professional").value == "all"
    assert known.option("medicare", "waste-scope", ON, "outpatient").value == "separately-paid"


def test_every_option_of_a_payer_can_be_listed() -> None:
    names = [row.option for row in POLICY.options("commercial", ON)]
    assert names == sorted(names)
    assert "ndc-several" in names


# --- a site's own rows -------------------------------------------------------------------------------


def _own(place: Path) -> Policy:
    """The shipped policy with the rows of a folder, or of the folder that holds a file."""
    return with_own(place if place.is_dir() else place.parent).policy


def _write(folder: Path, row_class: type, *rows: tuple[str, ...]) -> Path:
    file = folder / f"{row_class.TABLE}.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(tables.header(row_class))
        writer.writerows(rows)
    return file


END = ("2020-01-01", "", "site", "our contract", "medium", "2026-11-23")


def test_a_site_adds_a_payer_that_falls_back_to_the_one_it_follows(tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        PayerOption,
        ("acme", "follows", "any", "commercial", *END),
        ("acme", "second-injection", "any", "XS", *END),
    )
    own = _own(file)
    assert own.option("acme", "second-injection", ON).value == "XS"
    assert own.option("acme", "ndc-several", ON).value == "lines"
    assert "acme" in own.payers()
    assert "acme" not in POLICY.payers()


def test_a_site_adds_a_folder_of_tables(tmp_path: Path) -> None:
    _write(tmp_path, PayerOption, ("acme", "follows", "any", "medicare", *END))
    _write(
        tmp_path,
        PlaceRule,
        ("acme", "53", "professional", "any", "bill", "", "note", "place-by-payer", "is paid by contract", "", *END),
    )
    own = _own(tmp_path)
    rule, shipped_rule = own.place_rule("53", ON, "acme"), own.place_rule("53", ON, "medicare")
    assert rule is not None
    assert rule.outcome == "bill"
    assert shipped_rule is not None
    assert shipped_rule.outcome == "withhold"


def test_a_shipped_row_is_never_replaced_in_silence(tmp_path: Path) -> None:
    file = _write(tmp_path, PayerOption, ("medicare", "jz", "any", "none", *END))
    with pytest.raises(TableError, match="medicare/jz/any meets the row in effect 2023-01-01"):
        _own(file)


def test_a_row_for_one_kind_of_claim_beside_a_shipped_one_for_any_is_no_row_in_silence(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="medicare/jz/outpatient meets medicare/jz/any = required"):
        _own(_write(tmp_path, PayerOption, ("medicare", "jz", "outpatient", "none", *END)))
    (tmp_path / "payers.csv").write_text(
        "payer,option,claim,values,replaces\nmedicare,jz,outpatient,none,yes\n", "utf-8"
    )
    own = _own(tmp_path)
    assert own.option("medicare", "jz", ON, "outpatient").value == "none"
    assert own.option("medicare", "jz", ON, "professional").value == "required"


def test_a_row_for_one_kind_of_claim_comes_before_the_row_for_any(tmp_path: Path) -> None:
    file = _write(
        tmp_path, PayerOption, ("acme", "ndc", "any", "optional", *END), ("acme", "ndc", "outpatient", "required", *END)
    )
    own = _own(file)
    assert own.option("acme", "ndc", ON, "outpatient").value == "required"
    assert own.option("acme", "ndc", ON, "professional").value == "optional"


def test_a_site_settles_what_its_payer_wants_for_one_kind_of_claim(tmp_path: Path) -> None:
    _write(tmp_path, PayerOption, ("acme", "follows", "any", "commercial", *END))
    _write(
        tmp_path,
        AdministrationRule,
        (
            "129-acme",
            "acme",
            "outpatient",
            "any",
            "complex-biologic",
            "SC|IM",
            "any",
            "",
            "bill",
            "antineoplastic-nonhormonal",
            "",
            "bill",
            "note",
            "complex-biologic",
            "our contract",
            "",
            *END,
        ),
    )
    own = _own(tmp_path)
    outcomes = [
        own.administration("SC", "therapeutic", ["complex-biologic"], ON, payer=payer, claim=claim).outcome
        for payer, claim in (("acme", "outpatient"), ("acme", "professional"), ("commercial", "outpatient"))
    ]
    assert outcomes == ["bill", "ask", "ask"]


def test_an_option_that_does_not_exist_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    file = _write(tmp_path, PayerOption, ("acme", "jx", "any", "none", *END))
    with pytest.raises(TableError, match="acme, jx: no such option; known are"):
        _own(file)


def test_a_value_outside_the_option_is_refused(tmp_path: Path) -> None:
    file = _write(tmp_path, PayerOption, ("acme", "jz", "any", "sometimes", *END))
    with pytest.raises(TableError, match="'sometimes' is none of required, allowed, none"):
        _own(file)


@pytest.mark.parametrize(("option", "value"), [("ndc-decimals", "2"), ("second-injection", "XE"), ("jz", "none")])
def test_numbers_modifiers_and_words_are_told_apart(tmp_path: Path, option: str, value: str) -> None:
    own = _own(_write(tmp_path, PayerOption, ("acme", option, "any", value, *END)))
    assert own.option("acme", option, ON).value == value


@pytest.mark.parametrize(("option", "value"), [("ndc-decimals", "two"), ("second-injection", "X"), ("jz", "59")])
def test_a_value_of_another_kind_is_refused(tmp_path: Path, option: str, value: str) -> None:
    with pytest.raises(TableError):
        _own(_write(tmp_path, PayerOption, ("acme", option, "any", value, *END)))


def test_a_file_of_another_name_is_no_policy_table(tmp_path: Path) -> None:
    file = tmp_path / "druggs.csv"
    file.write_text("a\n", "utf-8")
    with pytest.raises(TableError, match=r"druggs\.csv: no such table"):
        _own(file)


def test_an_empty_folder_adds_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="holds no table"):
        _own(tmp_path)


def test_payers_that_follow_each_other_in_a_ring_are_refused(tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        PayerOption,
        ("a-plan", "follows", "any", "b-plan", *END),
        ("b-plan", "follows", "any", "a-plan", *END),
    )
    with pytest.raises(TableError, match="line 2: a-plan follows itself"):
        _own(file)


# --- places, codes, modifiers -------------------------------------------------------------------------


def test_an_unassigned_place_has_no_row() -> None:
    assert POLICY.place("28", ON) is None
    assert POLICY.place_rule("28", ON, "medicare") is None


def test_the_row_of_a_place_comes_before_the_row_for_all_facilities() -> None:
    rules = [POLICY.place_rule(place, ON, "medicare") for place in ("21", "53")]
    assert [rule and rule.place for rule in rules] == ["facility", "53"]


def test_a_hospitals_own_claim_is_not_withheld() -> None:
    rule = POLICY.place_rule("22", ON, "medicare", "outpatient")
    assert rule is not None
    assert rule.outcome == "bill"


def test_a_role_without_one_code_is_an_error_that_lists_what_there_is() -> None:
    with pytest.raises(CodeError, match="it has 90471, 90472"):
        POLICY.code_for("vaccine", ON)
    with pytest.raises(CodeError, match=r"dancing \(twice\) on 2026-03-02; it has none"):
        POLICY.code_for("dancing", ON, "twice")


def test_a_code_is_silent_before_it_was_there() -> None:
    # On-body injectors have had their code since 2017; before 2009 the plain injection had another.
    known = POLICY
    assert known.procedure("96372", "2008-12-31") is None
    assert known.procedure("96372", "2009-01-01") is not None


@given(codes=st.lists(st.sampled_from(["25", "59", "JW", "JZ", "JB", "TB", "RT", "76", "Q9"]), max_size=6))
def test_ordering_modifiers_neither_adds_nor_loses_one(codes: list[str]) -> None:
    ordered = POLICY.ordered(codes, ON)
    assert sorted(ordered) == sorted(set(codes))
    assert POLICY.ordered(reversed(codes), ON) == ordered


def test_payment_modifiers_stand_before_informational_ones() -> None:
    assert POLICY.ordered(("TB", "JZ", "JB"), ON) == ("JZ", "JB", "TB")
    assert POLICY.ordered(("ZZ", "RT", "59"), ON) == ("59", "RT", "ZZ")


# --- the decision table ---------------------------------------------------------------------------------


def test_payer_rows_serve_the_payers_that_follow() -> None:
    known = POLICY
    roles = [
        known.administration("IM", "vaccine", ["vaccine-influenza"], ON, payer=payer).role
        for payer in ("medicare", "medicare-advantage", "commercial", "wv-medicaid")
    ]
    assert roles == ["vaccine-influenza-medicare", "vaccine-influenza-medicare", "vaccine", "vaccine"]


def test_a_neoplasm_among_the_diagnoses_decides_for_a_drug_with_two_uses() -> None:
    def role(*diagnoses: str) -> str:
        return POLICY.administration("IM", "therapeutic", ["hormonal-dual-use"], ON, diagnoses=diagnoses).role

    assert role("C61") == role("N40.0", "C61") == "antineoplastic-hormonal"
    assert role("N80.9") == role("D25.9") == "injection-sc-im"
    assert role() == "antineoplastic-hormonal"


@given(
    route=st.sampled_from(["IM", "SC", "IV", "oral", "intra-articular", "moonlight"]),
    purpose=st.sampled_from(["therapeutic", "vaccine", "diluent", "antineoplastic", "self-administered"]),
    classes=st.sets(
        st.sampled_from(["vaccine", "complex-biologic", "antineoplastic-nonhormonal", "self-administered"])
    ),
    payer=st.sampled_from(["medicare", "commercial", "tx-medicaid"]),
)
def test_the_decision_table_always_answers_and_what_it_bills_has_a_code(
    route: str, purpose: str, classes: set[str], payer: str
) -> None:
    rule = POLICY.administration(route, purpose, classes, "2026-03-02", payer=payer)
    assert rule == POLICY.administration(route, purpose, sorted(classes), ON, payer=payer)
    if rule.outcome == "bill":
        assert POLICY.procedures(ON, role=rule.role)
    assert purpose not in ("diluent", "self-administered") or rule.outcome == "none"
    if route == "moonlight" and purpose == "therapeutic" and "vaccine" not in classes:
        assert rule.outcome == "ask"


def test_before_the_table_begins_there_is_no_decision() -> None:
    with pytest.raises(CodeError, match="neoplasm-prefixes"):
        POLICY.administration("IM", "therapeutic", [], "1880-01-01")


# --- money ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "dollars"),
    [
        # rules/injection.md, section 7: relative value units times the conversion factor of the day.
        ("2022-06-30", "14.53"),
        ("2023-06-30", "14.23"),
        ("2024-03-08", "14.08"),
        ("2024-03-09", "14.31"),
        ("2025-06-30", "13.91"),
        ("2026-03-02", "15.36"),
    ],
)
def test_the_injection_is_paid_as_the_fee_schedule_of_the_day_says(on: str, dollars: str) -> None:
    found = allowed(POLICY, "96372", on)
    assert found is not None
    assert found.amount.limit_denominator(10**9) == found.amount
    assert f"{float(found.amount):.2f}" == dollars
    assert len(found.citations) == 2


def test_the_vendor_page_that_mixed_two_years_is_not_repeated() -> None:
    found = allowed(POLICY, "96372", ON)
    assert found is not None
    assert found.amount == Fraction("0.46") * Fraction("33.4009")
    assert found.amount != Fraction("0.43") * Fraction("33.4009")


@pytest.mark.parametrize("on", ["2021-12-31", "2027-01-01"])
def test_no_fee_is_guessed_for_a_year_without_figures(on: str) -> None:
    assert allowed(POLICY, "96372", on) is None


def test_a_drug_is_paid_by_its_payment_limit_in_its_quarter_alone() -> None:
    # Payment limit file 2026 Q1: J3420 is 0.638 a unit. CMS replaces the limits each quarter.
    for on in ("2026-01-01", "2026-03-31"):
        inside = allowed(POLICY, "J3420", on)
        assert inside is not None
        assert (inside.amount, unpriced(POLICY, "J3420", on)) == (Fraction("0.638"), "")
    days = {"2025-12-31": "older than 2026-01-01", "2026-04-01": "to 2026-03-31", "2027-06-01": "to 2026-03-31"}
    for on, says in days.items():
        for code in ("J3420", "J9035"):
            assert allowed(POLICY, code, on) is None
            assert says in unpriced(POLICY, code, on)
        assert allowed(POLICY, "J9035", on, "outpatient") is None  # status K: paid on its own


def test_every_amount_has_a_last_day() -> None:
    last = {id: source.last_day for id, source in tables.sources().items()}
    for row in rows_of(Fee):
        assert row.ends is not None or last[row.source] is not None, row


@given(
    on=st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31)),
    fee=st.sampled_from(rows_of(Fee)),
    claim=st.sampled_from(["professional", "outpatient"]),
)
def test_no_amount_answers_outside_the_days_of_the_edition_that_printed_it(on: dt.date, fee: Fee, claim: str) -> None:
    found = allowed(POLICY, fee.code, on, claim)
    for citation in found.citations if found is not None else ():
        source = tables.sources()[citation.source]
        assert source.last_day is None or on <= source.last_day
    assert found is None or not unpriced(POLICY, fee.code, on, claim)


def test_a_look_up_past_the_last_day_says_how_far_the_figures_go_and_no_amount() -> None:
    fees = [hit for hit in search(POLICY, "J1885", "2027-06-01") if hit.kind == "fee"]
    assert [hit.title for hit in fees] == [
        f"{claim} claim: no amount of the date is known" for claim in ("professional", "outpatient")
    ]
    assert all("to 2026-03-31" in hit.detail for hit in fees)


def test_the_hospital_is_paid_by_rate() -> None:
    rates = [allowed(POLICY, "96372", on, "outpatient") for on in ("2025-12-31", "2026-05-01")]
    assert [rate and rate.amount for rate in rates] == [Fraction("71.17"), Fraction("73.56")]
    assert allowed(POLICY, "99213", "2026-05-01", "outpatient") is None


def test_a_packaged_drug_adds_nothing_to_the_hospitals_claim() -> None:
    packaged = allowed(POLICY, "J0696", "2026-05-01", "outpatient")
    paid = allowed(POLICY, "J9035", "2026-02-01", "outpatient")
    assert packaged is not None
    assert paid is not None
    assert (packaged.amount, packaged.how) == (0, "packaged into another service (status N)")
    assert packaged.citations[0].source == "opps-2026q2"
    assert paid.amount > 0


@pytest.mark.parametrize(
    ("code", "on", "paid"),
    [
        # OPPS Addendum B: J1885 is packaged in 2024 and paid as a non-opioid for pain by 2025 Q4.
        ("J9035", "2026-05-01", True),
        ("J1200", "2026-05-01", False),
        ("J0178", "2026-05-01", True),
        ("J1885", "2024-02-01", False),
        ("J1885", "2025-11-01", True),
    ],
)
def test_drugs_are_paid_separately_or_packaged_by_their_status(code: str, on: str, paid: bool) -> None:
    assert POLICY.separately_paid(code, on) is paid


def test_a_code_without_a_status_is_neither() -> None:
    assert POLICY.separately_paid("X9999", ON) is None


# --- look-up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind", "key"),
    [
        ("11", "place", "11"),
        ("JW", "modifier", "JW"),
        ("96372", "administration", "96372"),
        ("99211", "visit", "99211"),
        ("site", "documentation", "site"),
        ("nurse-visit", "denial", "nurse-visit"),
        ("J0897", "drug class", "J0897"),
        ("wv-medicaid ndc-several-modifiers", "payer option", "wv-medicaid ndc-several-modifiers"),
        ("second-injection", "option", "second-injection"),
        ("M54.42", "diagnosis", "M54.42"),
    ],
)
def test_a_key_is_found_first(words: str, kind: str, key: str) -> None:
    first = search(POLICY, words, ON)[0]
    assert (first.kind, first.key) == (kind, key)
    assert str(first.citation)


def test_every_word_must_occur() -> None:
    assert search(POLICY, "urgent moonlight", ON) == ()
    assert search(POLICY, "   ", ON) == ()


def test_a_word_is_found_by_its_beginning_and_a_number_only_whole() -> None:
    assert "20" in {hit.key for hit in search(POLICY, "urg", ON) if hit.kind == "place"}
    assert "20" not in {hit.key for hit in search(POLICY, "gent", ON) if hit.kind == "place"}
    assert {hit.key for hit in search(POLICY, "53", ON)} == {"53"}
    assert "drug class" not in {hit.kind for hit in search(POLICY, "96401", ON)}


def test_what_has_ended_is_shown_as_ended() -> None:
    hit = search(POLICY, "jg", "2025-01-01")[0]
    assert hit.detail == "ended 2024-12-31: not in effect on 2025-01-01"
    assert search(POLICY, "JZ", "2020-01-01")[0].detail == "starts 2023-01-01: not in effect on 2020-01-01"
    assert search(POLICY, "JG", "2017-12-31")[0].detail == "starts 2018-01-01: not in effect on 2017-12-31"
    assert search(POLICY, "jg", "2024-12-31")[0].detail.startswith("on drug, waste lines")


def test_a_code_brings_its_limits_and_its_fee() -> None:
    titles = [hit.title for hit in search(POLICY, "96372", ON)]
    assert "professional claim: 4 units, day" in titles
    assert "outpatient claim: 5 units, day" in titles
    assert "professional claim: 0.46 RVU x $33.4009" in titles


def test_two_codes_bring_the_edit_between_them() -> None:
    titles = [hit.title for hit in search(POLICY, "99213 96372", ON)]
    assert titles == [
        "professional claim: 96372 is paid, 99213 with a modifier where separate",
        "outpatient claim: 96372 is paid, 99213 with a modifier where separate",
    ]


def test_a_hit_is_plain_json() -> None:
    hit = search(POLICY, "JG", "2024-01-01")[0].as_dict()
    assert hit["effective"] == "2018-01-01"
    assert hit["ends"] == "2024-12-31"
    assert hit["citation"] == "HCPCS 2026 Q3, modifier JG"
    assert search(POLICY, "JZ", ON)[0].as_dict()["ends"] is None


# --- the whole --------------------------------------------------------------------------------------


def test_every_table_of_the_policy_is_listed_by_name() -> None:
    assert {row.TABLE for row in TABLES} == {
        "administration",
        "classes",
        "code_uses",
        "denial_codes",
        "denials",
        "diagnoses",
        "diagnosis_sides",
        "documentation",
        "edits",
        "fees",
        "headings",
        "limits",
        "modifiers",
        "needed_modifiers",
        "options",
        "payer_words",
        "payers",
        "place_rules",
        "places",
        "procedures",
        "route_codes",
        "statuses",
        "topics",
        "unclassified",
    }
    for row_class in TABLES:
        assert POLICY.rows(row_class) == rows_of(row_class)


@pytest.mark.parametrize(
    ("named", "near"),
    [
        ("Aetna", "commercial"),
        ("BCBS of Texas", "commercial"),
        ("novitas", "medicare"),
        ("Humana Medicare Advantage", "medicare-advantage"),
        ("Texas Medicaid", "medicaid"),
        ("MassHealth", "ma-medicaid"),
        ("TRICARE East", "tricare"),
    ],
)
def test_a_payer_without_rows_is_refused_with_the_one_that_comes_nearest(named: str, near: str) -> None:
    with pytest.raises(EncounterError, match=f"Say {near}, or add rows") as caught:
        POLICY.lineage(named.lower())
    assert (caught.value.instead, caught.value.argument) == (near, "payer")
    assert POLICY.lineage(near)


def test_a_payer_that_no_word_knows_is_refused_without_a_guess() -> None:
    with pytest.raises(EncounterError, match="Allowed: ") as caught:
        POLICY.lineage("xyzzy")
    assert caught.value.instead is None
