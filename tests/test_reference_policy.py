"""The policy tables against what CMS publishes and what the rules were read to say.

Values typed here come from `rules/injection.md` and the CMS files that it names, never from our own output.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from shipped import FOLDER, POLICY, REFERENCE, rows_of

from jcodeunits.facts.code_uses import code_use, needed_modifiers
from jcodeunits.facts.policy import in_effect
from jcodeunits.facts.policy_rows import (
    ANY,
    TABLES,
    AdministrationRule,
    CodeUse,
    Denial,
    DenialCode,
    Diagnosis,
    DiagnosisSide,
    DrugClass,
    Edit,
    Element,
    Fee,
    Heading,
    Limit,
    Modifier,
    NeededModifier,
    OptionKind,
    PayerOption,
    PayerWord,
    Place,
    PlaceRule,
    Procedure,
    RouteCode,
    Status,
    Topic,
    Unclassified,
    plays,
    unclassified,
)
from jcodeunits.finding import SEVERITIES
from jcodeunits.headings import meant
from jcodeunits.refresh import policy_tables

ON = "2026-03-02"
OFFICE_VISITS = ("99202", "99203", "99204", "99205", "99212", "99213", "99214", "99215")
PREVENTIVE = tuple(str(code) for code in (*range(99381, 99388), *range(99391, 99398)))


# --- places (POS24; injection.md, section 6) -----------------------------------------------------------

FACILITY = ["02", "06", "08", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"]
NON_FACILITY = [
    "01",
    "03",
    "04",
    "05",
    "07",
    "09",
    "10",
    "11",
    "12",
    "13",
    "14",
    "15",
    "16",
    "17",
    "18",
    "20",
    "25",
    "27",
    "32",
    "33",
    "49",
    "50",
    "54",
    "55",
    "57",
    "58",
    "60",
    "62",
    "65",
    "66",
    "71",
    "72",
    "81",
    "99",
]


def test_every_place_has_the_rate_of_the_cms_list() -> None:
    rates = {row.code: row.rate for row in rows_of(Place)}
    assert rates == dict.fromkeys(FACILITY, "facility") | dict.fromkeys(NON_FACILITY, "non-facility")


@pytest.mark.parametrize("place", FACILITY)
def test_medicare_pays_no_physician_for_an_injection_in_a_facility(place: str) -> None:
    rule = POLICY.place_rule(place, ON, "medicare")
    assert rule is not None
    assert rule.outcome == "withhold"
    assert set(rule.lines) == {"administration", "drug"}


@pytest.mark.parametrize("place", sorted(set(NON_FACILITY) - {"10", "50", "72"}))
def test_outside_a_facility_the_injection_is_billed(place: str) -> None:
    rule = POLICY.place_rule(place, ON, "medicare")
    assert rule is None or ANY not in rule.classes or (rule.outcome, rule.lines) == ("bill", ())


@pytest.mark.parametrize(
    ("place", "payer", "outcome", "reason"),
    [
        ("53", "medicare", "withhold", "place-by-payer"),
        ("53", "medicaid", "bill", "place-by-payer"),
        ("53", "commercial", "bill", "place-by-payer"),
        ("50", "medicare", "withhold", "clinic-rate"),
        ("72", "medicare-advantage", "withhold", "clinic-rate"),
        ("50", "commercial", "bill", "clinic-rate"),
        ("31", "commercial", "withhold", "nursing-place"),
        ("32", "medicare", "bill", "nursing-place"),
        ("12", "medicare", "bill", "home-place"),
        ("20", "medicare", "bill", "urgent-care-place"),
        ("02", "commercial", "withhold", "telehealth-place"),
        ("10", "commercial", "withhold", "telehealth-place"),
        ("24", "commercial", "withhold", "facility-place"),
    ],
)
def test_the_exceptions_by_place_are_rows(place: str, payer: str, outcome: str, reason: str) -> None:
    rule = POLICY.place_rule(place, ON, payer)
    assert rule is not None
    assert (rule.outcome, rule.reason) == (outcome, reason)


def test_general_knowledge_alone_never_stops_a_claim() -> None:
    for row in (*rows_of(PlaceRule), *rows_of(AdministrationRule)):
        assert row.severity != "stop" or row.confidence != "low", row


def test_what_is_withheld_or_asked_says_why_and_what_to_do() -> None:
    for rule in rows_of(PlaceRule):
        assert rule.outcome == "bill" or (rule.severity in ("warn", "stop") and rule.lines), rule
        assert rule.severity == "" or (rule.says and rule.fix), rule
    for row in rows_of(AdministrationRule):
        assert row.outcome != "ask" or (row.severity in ("warn", "stop") and row.fix), row
        assert row.says


# --- limits (injection.md, section 5) --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "practitioner", "outpatient"),
    [
        ("96372", 4, 5),
        ("96374", 1, 1),
        ("96375", 6, 6),
        ("96376", 0, 10),
        ("96377", 1, 1),
        ("96401", 3, 4),
        ("96402", 2, 2),
        ("99211", 1, 2),
        ("90472", 8, 8),
        ("J3262", 800, 800),
        ("J1200", 8, 8),
        ("J2405", 64, 64),
        ("J0897", 120, 120),
        ("J0561", 24, 24),
        ("J9260", 20, 20),
        ("J2357", 120, 120),
        ("J0696", 16, 16),
        ("J3420", 1, 1),
        ("J1885", 8, 8),
        ("J3301", 16, 16),
        ("J2315", 380, 380),
        ("J2270", 9, 15),
        ("J2272", 9, 15),
        ("J1700", 0, 0),
        ("J2790", 1, 3),
        ("J1815", 8, 200),
        ("J1817", 0, 0),
        ("J3030", 1, 2),
        ("J2550", 3, 3),
        ("J1071", 400, 400),
        ("J1050", 1000, 1000),
        ("J2426", 1560, 1560),
        ("J9217", 6, 6),
        ("J9202", 3, 3),
        ("J1950", 12, 12),
        ("J0780", 4, 10),
        ("J2311", 4, 10),
    ],
)
def test_limits_of_2024_q3(code: str, practitioner: int, outpatient: int) -> None:
    found = [POLICY.limit(code, "2024-08-01", claim) for claim in ("professional", "outpatient")]
    assert [row and (row.units, row.per) for row in found] == [(practitioner, "day"), (outpatient, "day")]


@pytest.mark.parametrize("code", ["90471", "Q2035", "Q2037", "Q2036", "Q2038", "Q2039", "90656", "90661", "90662"])
def test_limits_that_no_appeal_lifts(code: str) -> None:
    row = POLICY.limit(code, "2024-08-01")
    assert row is not None
    assert (row.units, row.per) == (1, "day-absolute")


@pytest.mark.parametrize(("code", "units"), [("J1010", 160), ("J2312", 1000), ("J0139", 160), ("J0165", 20)])
def test_a_limit_never_carries_over_to_a_successor(code: str, units: int) -> None:
    # In 2024 Q3 these have no row; J2310, before J2312, had 4.
    row = POLICY.limit(code, "2026-11-01")
    assert row is not None
    assert (row.units, row.source) == (units, "mue-rows-2026q4")
    assert POLICY.limit(code, "2024-08-01") is None


def test_the_predecessors_limit_is_its_own() -> None:
    found = [POLICY.limit("J2310", "2024-08-01", claim) for claim in ("professional", "outpatient")]
    assert [row and row.units for row in found] == [4, 10]


def test_zero_says_why() -> None:
    reasons = [POLICY.limit(code, ON) for code in ("J1700", "J1817")]
    assert [row and row.reason for row in reasons] == ["drug-discontinued", "cms-policy"]


# --- edits (PTP24Q3; injection.md, sections 0 and 3) ------------------------------------------------------


def _edit(one: str, other: str, claim: str = "professional", on: str = ON) -> tuple[str, int] | None:
    edit = POLICY.edit(one, other, on, claim)
    return edit and (edit.column_1, edit.indicator)


def test_the_nurse_visit_is_never_beside_the_injection_on_a_professional_claim() -> None:
    assert _edit("96372", "99211") == ("96372", 0)
    assert _edit("96372", "99211", "outpatient") == ("96372", 1)


@pytest.mark.parametrize("visit", OFFICE_VISITS)
def test_of_an_office_visit_and_the_injection_the_visit_is_denied_without_25(visit: str) -> None:
    assert _edit(visit, "96372") == _edit("96372", visit) == ("96372", 1)


@pytest.mark.parametrize(
    "visit",
    [
        *("99281", "99282", "99283", "99284", "99285", "99291"),
        *("99221", "99222", "99223", "99234", "99235", "99236", "99238", "99239"),
        *("99304", "99305", "99306", "99315", "99316"),
        *("99341", "99342", "99344", "99345", "99347", "99348", "99349", "99350"),
    ],
)
def test_of_a_visit_elsewhere_and_the_injection_the_injection_is_denied(visit: str) -> None:
    assert _edit(visit, "96372") == (visit, 1)


@pytest.mark.parametrize("visit", ["99231", "99232", "99233", "99307", "99308", "99309", "99310"])
def test_later_hospital_and_nursing_visits_never_go_with_the_injection(visit: str) -> None:
    assert _edit(visit, "96372") == (visit, 0)


@pytest.mark.parametrize("visit", ["99483", "99497", "99455", "99456", "G0463", "99358", "99359"])
def test_care_planning_and_clinic_visits_are_denied_without_a_modifier(visit: str) -> None:
    assert _edit(visit, "96372") == ("96372", 1)


@pytest.mark.parametrize("visit", [*PREVENTIVE, "G0438", "G0439", "G0402", "99401", "99404", "99406", "99412"])
def test_no_edit_pairs_a_preventive_visit_with_the_injection(visit: str) -> None:
    assert _edit(visit, "96372") is None
    assert _edit(visit, "96372", "outpatient") is None


@pytest.mark.parametrize("given", ["90460", "90471", "90472", "90473", "90474"])
@pytest.mark.parametrize("visit", [*PREVENTIVE, *OFFICE_VISITS])
def test_vaccine_administration_denies_the_visit_without_25(given: str, visit: str) -> None:
    assert _edit(visit, given) == (given, 1)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("90471", "96372", None),
        ("90472", "96372", None),
        ("G0008", "96372", None),
        ("96372", "96377", None),
        ("90460", "96372", ("90460", 1)),
        ("95115", "96372", ("95115", 1)),
        ("95117", "96372", ("95117", 1)),
        ("95180", "96372", ("95180", 1)),
        ("86580", "96372", ("86580", 1)),
        ("59400", "96372", ("59400", 1)),
        ("96401", "96372", ("96401", 1)),
        ("96402", "96372", ("96402", 1)),
        ("96360", "96372", ("96360", 1)),
        ("96365", "96372", ("96365", 1)),
        ("96369", "96372", ("96369", 1)),
        ("96374", "96372", ("96374", 1)),
        ("96409", "96372", ("96409", 1)),
        ("96413", "96372", ("96413", 1)),
        ("96416", "96372", ("96416", 1)),
        ("96420", "96372", ("96420", 1)),
        ("96422", "96372", ("96422", 1)),
        ("96425", "96372", ("96425", 1)),
        ("36591", "96372", ("96372", 0)),
        ("36592", "96372", ("96372", 0)),
        ("96523", "96372", ("96372", 0)),
        ("20526", "96372", ("20526", 1)),
        ("20553", "96372", ("20553", 1)),
        ("20610", "96372", ("20610", 1)),
        ("11900", "96372", ("11900", 1)),
        ("64450", "96372", ("64450", 1)),
        ("62322", "96372", ("62322", 1)),
        ("11983", "96372", ("11983", 1)),
        ("95115", "99395", ("95115", 1)),
        ("96377", "96401", ("96377", 1)),
        ("96377", "99211", ("96377", 0)),
        ("96377", "99213", ("96377", 1)),
        ("90471", "99211", ("90471", 1)),
        ("G0008", "99211", ("G0008", 1)),
        ("96401", "99211", ("96401", 0)),
        ("96413", "99214", ("96413", 1)),
        ("96372", "96372", None),
    ],
)
def test_other_pairs(one: str, other: str, found: tuple[str, int] | None) -> None:
    assert _edit(one, other) == found


def test_an_edit_that_was_deleted_answers_until_its_last_day() -> None:
    assert _edit("96372", "99241", on="2009-12-31") == ("96372", 1)
    assert _edit("96372", "99241", on="2010-01-01") is None


def test_no_pair_has_two_answers_for_one_kind_of_claim() -> None:
    rows: dict[tuple[str, str], list[Edit]] = {}
    for row in rows_of(Edit):
        one, other = sorted((row.column_1, row.column_2))
        rows.setdefault((one, other), []).append(row)
    for pair, edits in rows.items():
        for claim in ("professional", "outpatient"):
            for at in ("2019-12-31", "2024-08-01", ON):
                day = dt.date.fromisoformat(at)
                live = [
                    row
                    for row in edits
                    if row.claim in (ANY, claim) and row.effective <= day and (row.ends is None or day <= row.ends)
                ]
                assert len(live) <= 1, (pair, claim, at)


# --- administration and classes ---------------------------------------------------------------------------


def _codes(purpose: str, route: str, classes: Iterable[str] = (), payer: str = "medicare", **more: Any) -> set[str]:
    rule = POLICY.administration(route, purpose, classes, ON, payer=payer, **more)
    if rule.outcome == "none":
        return set()
    roles = rule.role.split("|") if rule.role else rule.alternatives
    return {row.code for role in roles for row in POLICY.procedures(ON, role=role)}


@pytest.mark.parametrize(
    ("purpose", "route", "classes", "payer", "codes"),
    [
        # the guide's exclusions, related codes and flowchart; injection.md, section 3
        ("therapeutic", "IM", (), "medicare", "96372"),
        ("prophylactic", "SC", (), "commercial", "96372"),
        ("diagnostic", "IM", (), "medicare", "96372"),
        ("vaccine", "IM", (), "commercial", "90471 90472"),
        ("vaccine", "intranasal", (), "commercial", "90473 90474"),
        ("vaccine", "oral", (), "commercial", "90473 90474"),
        ("therapeutic", "IM", ("vaccine",), "commercial", "90471 90472"),
        ("vaccine", "IM", ("vaccine-influenza",), "medicare", "G0008"),
        ("vaccine", "IM", ("vaccine-pneumococcal",), "medicare", "G0009"),
        ("vaccine", "IM", ("vaccine-hepatitis-b",), "medicare", "G0010"),
        ("vaccine", "IM", ("vaccine-influenza",), "commercial", "90471 90472"),
        ("vaccine", "IM", ("vaccine-covid",), "commercial", "90480"),
        ("prophylactic", "IM", ("rsv-antibody",), "commercial", "96381"),
        ("antineoplastic", "SC", (), "medicare", "96401"),
        ("therapeutic", "SC", ("antineoplastic-nonhormonal",), "medicare", "96401"),
        ("therapeutic", "IM", ("antineoplastic-hormonal",), "medicare", "96402"),
        ("therapeutic", "intra-arterial", (), "medicare", "96373"),
        ("therapeutic", "IV push", (), "medicare", "96374 96375 96376"),
        ("therapeutic", "IV infusion", (), "medicare", "96365 96366 96367 96368"),
        ("therapeutic", "IV infusion", ("antineoplastic-nonhormonal",), "medicare", "96413 96415 96416 96417"),
        ("therapeutic", "IV push", ("antineoplastic-nonhormonal",), "medicare", "96409 96411"),
        ("therapeutic", "intra-articular", (), "medicare", "20600 20604 20605 20606 20610 20611 27096"),
        ("allergen", "SC", (), "commercial", "95115 95117"),
        ("therapeutic", "on-body", (), "medicare", "96377"),
        ("diagnostic", "ID", (), "medicare", "86580"),
        ("therapeutic", "intravitreal", (), "medicare", "67028"),
        ("therapeutic", "soft tissue", (), "medicare", "20526 20550 20551 20552 20553"),
        ("diluent", "IM", (), "medicare", ""),
        ("flush", "IV push", (), "medicare", ""),
        ("anesthetic", "IM", (), "medicare", ""),
        ("self-administered", "SC", (), "medicare", ""),
        ("therapeutic", "oral", (), "medicare", ""),
        ("prophylactic", "IM", ("immune-globulin",), "medicare", "96372"),
        ("therapeutic", "SC", ("biologic-simple",), "medicare", "96372"),
        ("therapeutic", "SC", ("growth-factor",), "medicare", "96372"),
    ],
)
def test_what_the_administration_is(purpose: str, route: str, classes: tuple[str, ...], payer: str, codes: str) -> None:
    assert _codes(purpose, route, classes, payer) == set(codes.split())


def test_methotrexate_for_arthritis_is_billed_and_says_that_payers_differ() -> None:
    classes = [row.name for row in POLICY.classes("J9260", ON)]
    rule = POLICY.administration("SC", "therapeutic", classes, ON, payer="medicare", diagnoses=["M05.79"])
    assert (rule.outcome, rule.role, rule.alternatives, rule.severity) == (
        "bill",
        "antineoplastic-nonhormonal",
        ("injection-sc-im",),
        "warn",
    )
    cancer = POLICY.administration("SC", "therapeutic", classes, ON, payer="medicare", diagnoses=["C91.00"])
    assert (cancer.role, cancer.alternatives) == ("antineoplastic-nonhormonal", ())


@pytest.mark.parametrize("code", ["J0139", "J3262", "J0717", "J3357"])
def test_the_payer_dependent_biologics_are_asked_about(code: str) -> None:
    classes = [row.name for row in POLICY.classes(code, ON)]
    rule = POLICY.administration("SC", "therapeutic", classes, ON, payer="commercial")
    assert (rule.outcome, rule.severity) == ("ask", "warn")
    assert _codes("therapeutic", "SC", classes) == {"96372", "96401"}


@pytest.mark.parametrize("code", ["J0897", "Q5136", "J2357", "J3420", "J1815", "J2315", "J1050", "J0561", "J2790"])
def test_the_plain_injections_of_the_guide_are_96372(code: str) -> None:
    assert _codes("therapeutic", "SC", [row.name for row in POLICY.classes(code, ON)]) == {"96372"}


@pytest.mark.parametrize(
    ("code", "dx", "role"),
    [
        ("J9217", "C61", "antineoplastic-hormonal"),
        ("J9202", "C50.911", "antineoplastic-hormonal"),
        ("J9395", "C50.911", "antineoplastic-hormonal"),
        ("J1950", "N80.9", "injection-sc-im"),
        ("J3315", "E30.1", "injection-sc-im"),
    ],
)
def test_hormones_by_their_use(code: str, dx: str, role: str) -> None:
    classes = [row.name for row in POLICY.classes(code, ON)]
    assert POLICY.administration("IM", "therapeutic", classes, ON, diagnoses=[dx]).role == role


def test_every_code_of_the_antineoplastic_range_has_a_reviewed_class() -> None:
    with (FOLDER / "drugs.csv").open(newline="", encoding="utf-8") as file:
        codes = {row["code"] for row in csv.DictReader(file) if row["code"].startswith("J9")}
    assert len(codes) > 150
    classed = {row.code for row in rows_of(DrugClass)}
    assert codes - classed == set()


def test_a_class_names_only_codes_that_a_table_of_drugs_knows_or_vaccines_and_antibodies() -> None:
    with (FOLDER / "drugs.csv").open(newline="", encoding="utf-8") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    missing = {row.code for row in rows_of(DrugClass)} - codes
    assert all(code.startswith("9") for code in missing), sorted(missing)


def test_every_row_of_the_decision_table_is_reached() -> None:
    known = POLICY
    for row in rows_of(AdministrationRule):
        payer = row.payer if row.payer != ANY else "commercial"
        dx = {"neoplasm": ["C61"], "injury": ["S61.411A"], "exposure": ["Z20.3"], "other": ["M05.79"], ANY: []}[
            row.indication
        ]
        routes = ["moonlight" if route == ANY else route for route in row.routes]
        purpose = row.purpose if row.purpose != ANY else "therapeutic"
        for route in routes:
            if row.id == "140-sc-im" or route != "moonlight" or row.id.startswith(("0", "9")):
                found = known.administration(
                    route,
                    purpose,
                    [] if row.classes == (ANY,) else row.classes[:1],
                    row.ends or max(row.effective, dt.date.fromisoformat(ON)),
                    payer=payer,
                    diagnoses=dx,
                    services=row.beside[:1],
                )
                assert found.id == row.id, (row.id, route, found.id)


def test_every_class_has_a_reader() -> None:
    """A class is asked for by the decision table, by an option, by the unclassified codes, or by name in a step."""
    asked = {name for row in rows_of(AdministrationRule) for name in row.classes}
    asked |= {value for row in rows_of(PayerOption) for value in row.values}
    asked |= {name for row in rows_of(PlaceRule) for name in row.classes}
    asked |= {name for row in rows_of(Unclassified) for name in row.kinds}
    code = "\n".join(path.read_text("utf-8") for path in Path(str(policy_tables.__file__)).parents[1].rglob("*.py"))
    idle = {row.name for row in rows_of(DrugClass)} - asked
    assert [name for name in sorted(idle) if f'"{name}"' not in code] == []


def test_every_role_that_is_asked_for_has_codes() -> None:
    for row in rows_of(AdministrationRule):
        for role in (*row.role.split("|"), *row.alternatives):
            days = {row.ends, max(row.effective, dt.date.fromisoformat(ON))} - {None}
            codes = [found for on in days for found in POLICY.procedures(on) if plays(found.role, [role])]
            assert not role or codes, (row.id, role)


# --- payers, modifiers, documents -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "jw", "jz"),
    [
        # units.md, section 2.2
        ("2016-12-31", "optional", "none"),
        ("2017-01-01", "pair", "none"),
        ("2022-12-31", "pair", "none"),
        ("2023-01-01", "pair", "allowed"),
        ("2023-06-30", "pair", "allowed"),
        ("2023-07-01", "pair", "required"),
    ],
)
def test_jw_and_jz_begin_when_medicare_says(on: str, jw: str, jz: str) -> None:
    assert [POLICY.option("medicare", name, on).value for name in ("jw", "jz")] == [jw, jz]


def test_the_340b_modifier_is_tb_alone_from_2025() -> None:
    assert POLICY.option("medicare", "340b", "2024-12-31").values == ("JG", "TB")
    assert POLICY.option("medicare", "340b", "2025-01-01").values == ("TB",)
    assert POLICY.modifier("JG", "2025-01-01") is None


def test_supervision_by_video_is_permanent_from_2026() -> None:
    row = POLICY.option("medicare", "virtual-supervision", "2026-01-01")
    assert (row.value, row.ends, row.confidence) == ("yes", None, "medium")
    assert POLICY.option("medicare", "no-supervision", ON).value == "withhold"
    assert POLICY.option("bcbs-al", "no-supervision", ON).value == "nurse-visit"


def test_milligrams_are_no_ndc_unit_of_any_shipped_payer() -> None:
    for row in rows_of(PayerOption):
        assert row.option != "ndc-qualifiers" or "ME" not in row.values


def test_every_option_has_an_answer_for_every_payer_and_kind_of_claim() -> None:
    known = POLICY
    for payer in known.payers():
        for claim in ("professional", "outpatient"):
            for on in ("2010-01-01", "2022-12-31", "2024-03-15", ON):
                assert len(known.options(payer, on, claim)) == len(rows_of(OptionKind)) - 1


def test_modifier_25_stands_on_visits_only() -> None:
    row = POLICY.modifier("25", ON)
    assert row is not None
    assert row.lines == ("visit",)


def test_every_modifier_that_a_payer_row_names_is_a_row() -> None:
    known = {row.code for row in rows_of(Modifier)}
    kinds = {row.name: row.allowed for row in rows_of(OptionKind)}
    for row in rows_of(PayerOption):
        if "modifier" in kinds[row.option]:
            for value in row.values:
                assert value in known or value in kinds[row.option], row


def test_the_doubtful_pairs_of_the_guide_are_marked() -> None:
    doubtful = {(row.diagnosis, row.code) for row in rows_of(Diagnosis) if row.doubt}
    wanted = {("M54.42", "any"), ("O36.0190", "J2790"), ("M79.3", "J1885"), ("E11.65", "J1817")}
    assert wanted <= doubtful
    assert POLICY.diagnosis("O36.0190", ON)[0].instead == ("Z29.13",)


def test_the_pairs_of_the_guide_reach_the_codes_of_today() -> None:
    assert {row.diagnosis for row in POLICY.diagnoses_of("J3420", ON)} == {"D51.0", "E53.8"}
    assert {row.diagnosis for row in POLICY.diagnoses_of("J1010", ON)} == {"M05.79", "L50.0"}


def test_there_are_eight_reasons_for_denial_and_each_is_seen_by_rules() -> None:
    denials = POLICY.denials(ON)
    assert [row.number for row in denials] == list(range(1, 9))
    assert all(row.rules and row.fix for row in denials)
    found = POLICY.denial_of("unit-limit", ON)
    assert found is not None
    assert found.number == 5
    assert POLICY.denial_of("moonlight", ON) is None


def test_a_question_between_two_families_of_infusion_is_no_injection_billed_for_another() -> None:
    # The guide's sixth reason is about the plain injection in place of a vaccine's or an antineoplastic's code.
    asked = {row.reason for row in rows_of(AdministrationRule) if row.severity == "warn"}
    of_veins = {row.reason for row in rows_of(AdministrationRule) if row.severity == "warn" and "IV push" in row.routes}
    assert of_veins <= asked
    assert not {reason for reason in of_veins if (row := POLICY.denial_of(reason, ON)) is not None and row.number == 6}


def _said() -> set[str]:
    """Every text in the package's code, and every id that a row hands to a finding."""
    code = Path(str(policy_tables.__file__)).parents[1]
    words: set[str] = set()
    for path in code.rglob("*.py"):
        words |= set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', path.read_text("utf-8")))
    rows = (*rows_of(PlaceRule), *rows_of(AdministrationRule))
    return words | {row.reason for row in rows}


def test_the_rules_that_see_a_denial_exist() -> None:
    said = _said()
    named = [name.partition(":") for row in rows_of(Denial) for name in row.rules]
    assert [rule for rule, _, _ in named if rule not in said] == []
    assert {severity for _, _, severity in named} <= {"", *SEVERITIES}


def test_another_code_of_giving_is_the_sixth_reason_only_where_it_stands_for_a_vaccine_or_an_antineoplastic() -> None:
    stopped, asked = (POLICY.denial_of("wrong-administration", ON, severity) for severity in ("stop", "warn"))
    assert stopped is not None
    assert stopped.number == 6
    assert asked is None


def test_what_the_guide_table_names_exists() -> None:
    text = (FOLDER / "README.md").read_text("utf-8").split("## The guide, statement by statement")[1]
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", text))
    known = _said()
    known |= {row.id for row in rows_of(AdministrationRule)} | {row.name for row in rows_of(OptionKind)}
    known |= {row.role for row in rows_of(Procedure)} | {row.name for row in rows_of(DrugClass)}
    known |= {row.id for row in rows_of(Denial)} | {row.payer for row in rows_of(PayerOption)}
    assert len(named) > 50
    assert sorted(named - known) == []


def test_every_table_and_every_column_is_described() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    missing = []
    for file in sorted(FOLDER.glob("*.csv")):
        header = file.read_text("utf-8").split("\n", 1)[0].split(",")
        words = [f"`{file.name}`", f"**{file.stem}**", *(f"`{name}`" for name in header)]
        missing += [f"{file.stem}: {word}" for word in words if word not in text]
    assert missing == []


def test_the_record_holds_the_elements_of_the_contract() -> None:
    elements = {row.element for row in POLICY.documentation(ON)}
    assert elements == {
        "order",
        "drug",
        "dose",
        "route",
        "site",
        "lot",
        "expiry",
        "ndc",
        "time",
        "performer",
        "necessity",
        "consent",
        "monitoring",
        "waste",
    }


# --- every row is read by something -----------------------------------------------------------------------


def _payer(row: Any) -> str:
    return "commercial" if row.payer == ANY else str(row.payer)


def _claim(row: Any) -> str:
    return "professional" if row.claim == ANY else str(row.claim)


# What asking for a row's own key on its own first day must give back.
ASK: dict[type, Any] = {
    Place: lambda p, r: p.place(r.code, r.effective) == r,
    PlaceRule: lambda p, r: (
        p.place_rule({"facility": "22"}.get(r.place, r.place), r.ends or dt.date(2024, 6, 1), r.payer, _claim(r)) == r
    ),
    Procedure: lambda p, r: p.procedure(r.code, r.effective) == r,
    DrugClass: lambda p, r: r in p.classes(r.code, r.effective),
    Modifier: lambda p, r: p.modifier(r.code, r.effective) == r,
    Limit: lambda p, r: p.limit(r.code, r.effective, _claim(r)) == r,
    Edit: lambda p, r: p.edit(r.column_1, r.column_2, r.effective, _claim(r)) == r,
    PayerOption: lambda p, r: p.option(r.payer, r.option, r.effective, _claim(r)) == r,
    Fee: lambda p, r: p.fee(r.code, r.measure, r.effective) == r,
    Status: lambda p, r: p.status(r.code, r.effective) == r,
    RouteCode: lambda p, r: all(
        p.route_code(r.ingredient, way, r.effective, r.payer, _claim(r)) == r for way in r.routes
    ),
    Diagnosis: lambda p, r: r in p.diagnosis(r.diagnosis, r.effective) and r in p.diagnoses_of(r.code, r.effective),
    DiagnosisSide: lambda _, r: (
        [r.side(f"{r.begins}{'9' * r.skip}{digit}") for digit in "0123"] == ["", "RT", "LT", ""] and r.skip in (0, 1)
    ),
    Denial: lambda p, r: r in p.denials(r.effective),
    DenialCode: lambda p, r: r in p.rows(DenialCode),
    Element: lambda p, r: r in p.documentation(r.effective),
    OptionKind: lambda _, r: r.name in {option.option for option in rows_of(PayerOption)},
    AdministrationRule: lambda _, r: in_effect([r], r.effective) is r,
    CodeUse: lambda p, r: (
        code_use(p, r.first, r.effective, _payer(r), _claim(r))
        in (r, *(row for row in rows_of(CodeUse) if row.payer == _payer(r)))
    ),
    Heading: lambda _, r: meant([r.heading], [r.column], r.of, REFERENCE) == {r.heading: r.column},
    PayerWord: lambda p, r: r.payer in p.payers(),
    Topic: lambda _, r: in_effect([r], r.effective) is r,
    Unclassified: lambda p, r: unclassified(p.rows(Unclassified), r.kinds, r.routes[0], ON, _claim(r)) == r,
    NeededModifier: lambda p, r: r in needed_modifiers(p, r.code, r.effective, _payer(r), _claim(r)),
}


NAMED = {row.TABLE: row for row in TABLES}


@pytest.mark.parametrize("table", sorted(NAMED))
def test_every_row_answers_for_itself(table: str) -> None:
    known = POLICY
    row_class = NAMED[table]
    silent = [row for row in rows_of(row_class) if not ASK[row_class](known, row)]
    assert silent == []


# --- the tables against the files they were made from ------------------------------------------------------


def read(file: Path) -> list[dict[str, str]]:
    return policy_tables.rows_of(file.read_text("utf-8"))


def test_every_active_edit_of_the_files_answers(shared: Path) -> None:
    counted = 0
    for claim, name in (("professional", "practitioner"), ("outpatient", "outpatient")):
        for row in read(shared / "cms" / "ptp" / f"ptp_{name}_96372_2024Q3.csv"):
            if row["deletion_date"] == "9999-12-31":
                edit = POLICY.edit(row["column_1"], row["column_2"], ON, claim)
                assert edit is not None
                assert edit.column_1 == row["column_1"]
                assert str(edit.indicator) == row["modifier_indicator"]
                counted += 1
    assert counted == 6553 + 6529


def test_every_limit_of_the_newest_rows_answers(shared: Path) -> None:
    for row in read(shared / "cms" / "mue" / "mue_2026Q4_selected_rows.csv"):
        for claim, column in (("professional", "practitioner_mue"), ("outpatient", "hospital_mue")):
            limit = POLICY.limit(row["hcpcs_code"], "2026-10-01", claim)
            assert limit is not None
            assert str(limit.units) == row[column], row


# --- a change with the year -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "on", "rate"),
    [("96372", "2024-12-31", "67.12"), ("96372", "2025-01-01", "71.17"), ("96372", "2026-03-02", "73.56")],
)
def test_a_hospital_rate_changes_on_the_first_of_january(code: str, on: str, rate: str) -> None:
    found = POLICY.fee(code, "opps-rate", on)
    assert found is not None
    assert found.amount == Fraction(rate)


@pytest.mark.parametrize(("on", "status"), [("2025-12-31", "N"), ("2026-01-01", "S1"), ("2026-03-02", "S1")])
def test_a_status_that_comes_with_the_year_begins_on_the_first_of_january(on: str, status: str) -> None:
    found = POLICY.status("Q4101", on)
    assert found is not None
    assert found.status == status


def test_a_modifier_stands_on_kinds_of_line_that_a_claim_has() -> None:
    lines = {line for row in rows_of(Modifier) for line in row.lines}
    assert lines <= {"visit", "administration", "service", "drug", "waste"}
