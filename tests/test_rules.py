"""Rules: found by themselves, cited, blind to each other, each heard and each silent in some case."""

from __future__ import annotations

import datetime as dt
import inspect
import random
import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from shipped import POLICY
from test_encounters import CASES, encounter_of

from jcodeunits import charging, rules, tables
from jcodeunits.claim import Charge, Line
from jcodeunits.encounter import Encounter
from jcodeunits.facts.policy_rows import AdministrationRule, PlaceRule
from jcodeunits.finding import Finding
from jcodeunits.lookup import findings
from jcodeunits.rules import Case, Rule
from jcodeunits.rules._registry import rule

RULES = rules.registry()
CHARGES = {name: charging.charge(encounter_of(case)) for name, case in CASES.items()}


def case_of(made: Charge) -> Case:
    return Case(made.encounter, made.lines, POLICY)


def test_every_file_of_the_folder_holds_one_rule() -> None:
    files = [p for p in Path(rules.__file__).parent.glob("*.py") if not p.name.startswith("_")]
    assert len(files) == len(RULES) >= 20
    assert len({r.id for r in RULES}) == len(RULES)


@pytest.mark.parametrize("one", RULES, ids=lambda r: r.id)
def test_a_rule_documents_itself(one: Rule) -> None:
    text = inspect.getdoc(one.check) or ""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.id)
    assert text.splitlines()[0].endswith((".", ":")) or text.splitlines()[1] != ""
    assert "Sources:" in text
    assert one.title
    assert one.cites
    assert all(citation.source in tables.sources() for citation in one.citations())


@pytest.mark.parametrize("one", RULES, ids=lambda r: r.id)
def test_a_rule_speaks_in_one_case_and_is_silent_in_another(one: Rule) -> None:
    heard = [name for name, made in CHARGES.items() if one(case_of(made))]
    assert heard, f"no case makes {one.id} speak"
    assert len(heard) < len(CHARGES), f"{one.id} speaks in every case"


@pytest.mark.parametrize("one", RULES, ids=lambda r: r.id)
def test_a_rule_gives_only_its_own_id_and_severities_and_always_cites(one: Rule) -> None:
    for made in CHARGES.values():
        for finding in one(case_of(made)):
            assert finding.rule == one.id
            assert finding.severity in one.severities
            assert finding.line is None or 1 <= finding.line <= len(made.lines)
            assert finding.citations
            assert finding.says.endswith((".", "?"))
            assert finding.fix.endswith((".", "?"))


def test_every_citation_of_every_finding_resolves() -> None:
    for made in CHARGES.values():
        for finding in made.findings:
            for citation in finding.citations:
                assert citation.source in tables.sources(), finding


def test_a_fact_of_low_confidence_never_stops_a_claim() -> None:
    for made in CHARGES.values():
        for finding in made.findings:
            if finding.severity == "stop":
                assert any(citation.confidence != "low" for citation in finding.citations), finding


def test_the_order_of_the_rules_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shuffled = list(RULES)
    random.Random(7).shuffle(shuffled)
    assert [r.id for r in shuffled] != [r.id for r in RULES]
    monkeypatch.setattr(rules, "registry", lambda: tuple(shuffled))
    for name, case in CASES.items():
        assert charging.charge(encounter_of(case)) == CHARGES[name]


@pytest.mark.parametrize("one", RULES, ids=lambda r: r.id)
def test_a_rule_is_blind_to_the_others(one: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "registry", lambda: tuple(r for r in RULES if r is not one))
    for name in list(CASES)[:: max(1, len(CASES) // 25)]:
        rest = [f for f in CHARGES[name].findings if f.rule != one.id]
        assert list(charging.charge(encounter_of(CASES[name])).findings) == rest


def test_the_eight_reasons_for_denial_are_seen_beforehand_and_named() -> None:
    said = [f.says for made in CHARGES.values() for f in made.findings]
    for denial in POLICY.denials("2026-03-02"):
        assert any(f"(Denial reason {denial.number}: " in text for text in said), denial.title
    assert {d.number for d in POLICY.denials("2026-03-02")} == set(range(1, 9))


def test_every_rule_that_a_denial_names_exists() -> None:
    known = {row["id"] for row in findings()} | {f.rule for made in CHARGES.values() for f in made.findings}
    for denial in POLICY.denials("2026-03-02"):
        assert known & set(denial.rules), denial.id


def test_every_finding_of_a_charge_is_listed_with_its_severity() -> None:
    listed: dict[str, set[str]] = {}
    for row in findings():
        listed.setdefault(row["id"], set()).update(row["severity"].split(", "))
    for row in POLICY.rows(AdministrationRule):
        kept = row.outcome == "bill" and row.drug == "withhold"  # a drug that has a code: more than the row says
        listed.setdefault(row.reason, set()).update({row.severity, "warn"} if kept else {row.severity})
    for made in CHARGES.values():
        for finding in made.findings:
            softened = {"warn"} if "stop" in listed[finding.rule] else set()
            assert finding.severity in listed[finding.rule] | softened, finding
    assert all(row["severity"] and row["title"] for row in findings())


def test_every_finding_of_the_steps_and_of_the_decision_table_is_heard_in_some_case() -> None:
    heard = {finding.rule for made in CHARGES.values() for finding in made.findings}
    steps = {name for step in charging.STEPS for name in step.FINDINGS}
    table = {row.reason for row in POLICY.rows(AdministrationRule) if row.severity}
    places = {row.reason for row in POLICY.rows(PlaceRule) if row.severity}
    assert steps | table | places <= heard


def test_a_rule_keeps_to_its_period_and_payers() -> None:
    @rule(
        "for-a-test",
        "note",
        cites=(("own-review", "test"),),
        payers=("medicaid",),
        since=dt.date(2025, 1, 1),
        ends=dt.date(2025, 12, 31),
    )
    def one(case: Case) -> list[Finding]:
        return [one.finding("note", f"{case.encounter.payer}.", "Nothing.")]

    def heard(**more: Any) -> bool:
        data = {"on": "2025-06-02", "place": "11", "payer": "medicaid", "administrations": [], **more}
        return bool(one(Case(Encounter.from_dict(data), (), POLICY)))

    assert heard()
    assert heard(on="2025-01-01")
    assert heard(on="2025-12-31")
    assert not heard(on="2024-12-31")
    assert not heard(on="2026-01-01")
    assert not heard(payer="medicare")
    assert heard(payer="tx-medicaid")  # follows medicaid


def test_an_unknown_severity_is_no_rule() -> None:
    with pytest.raises(ValueError, match="no-such"):
        rule("no-such", "grave", cites=())  # type: ignore[arg-type]


def test_a_stop_on_general_knowledge_alone_is_softened() -> None:
    @rule("for-a-test", "stop", cites=(("guide", "somewhere"),))
    def one(_: Case) -> list[Finding]:
        return [one.finding("stop", "It is.", "Nothing.")]

    empty = Case(Encounter.from_dict({"on": "2025-06-02", "place": "11", "administrations": []}), (), POLICY)
    assert one(empty)[0].severity == "warn"


def test_the_listing_tells_what_the_readme_prints() -> None:
    rows = rules.listing()
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert all(row["title"] and row["citations"] and row["severity"] for row in rows)


# --- single rules, at their edges ---------------------------------------------------------------------


def claim(*lines: Line, **more: Any) -> Case:
    data = {"on": "2026-03-02", "place": "11", "administrations": [], **more}
    return Case(Encounter.from_dict(data), lines, POLICY)


def named(rule_id: str) -> Rule:
    return next(one for one in RULES if one.id == rule_id)


@pytest.mark.parametrize(("units", "says"), [(3, 0), (4, 0), (5, 1)])
def test_the_limit_is_the_last_unit_that_passes(units: int, says: int) -> None:
    line = Line("96372", units=units, kind="administration")
    assert len(named("unit-limit")(claim(line))) == says


def test_a_limit_by_day_sums_lines_and_modifiers_do_not_help() -> None:
    lines = [Line("96372", ("59",) if n else (), 1, kind="administration") for n in range(5)]
    (finding,) = named("unit-limit")(claim(*lines))
    assert finding.severity == "warn"
    assert "96372 x 5" in finding.says
    assert "no modifier" in finding.fix


def test_an_absolute_limit_stops_and_one_by_line_asks_to_split() -> None:
    (finding,) = named("unit-limit")(claim(Line("90471", units=2), on="2024-08-01"))
    assert finding.severity == "stop"  # indicator 2: one first vaccine code a day
    assert "no appeal" in finding.fix
    assert not named("unit-limit")(claim(Line("90471", units=1), on="2024-08-01"))


def test_a_payer_that_does_not_apply_the_limits_is_only_told() -> None:
    lines = [Line("96372", units=5, kind="administration")]
    (finding,) = named("unit-limit")(claim(*lines, payer="commercial"))
    assert finding.severity == "note"


def test_59_and_an_x_modifier_do_not_stand_together() -> None:
    (finding,) = named("modifier-line")(claim(Line("20610", ("59", "XS"))))
    assert "together" in finding.says
    assert not named("modifier-line")(claim(Line("20610", ("59",))))


@pytest.mark.parametrize(("on", "stops"), [("2024-12-31", False), ("2025-01-01", True)])
def test_jg_ends_with_2024(on: str, stops: bool) -> None:
    found = named("modifier-expired")(claim(Line("J3420", ("JG",), kind="drug"), on=on))
    assert bool(found) is stops


def test_lines_that_differ_are_no_duplicates() -> None:
    one = Line("J3420", kind="drug")
    assert named("duplicate-line")(claim(one, one))
    for other in (
        attrs.evolve(one, modifiers=("76",)),
        attrs.evolve(one, ndc="00517003125"),
        Line("J1885", kind="drug"),
    ):
        assert not named("duplicate-line")(claim(one, other))


# What no encounter can show: it belongs to a message, to one verb, to a site's own rows or to files of a site.
ELSEWHERE = {
    "dose-or-rate": "formats_units",
    "element-unread": "formats_unsaid",
    "expiry-unread": "formats_times",
    "ingredient-unbilled": "formats_beside",
    "ndc-form-from-memory": "quantity",
    "ndc-made-up": "packages",
    "ndc-qualifier": "drug_lines",
    "not-administered": "formats_hl7v2",
    "not-marketed": "refresh_marketed",
    "own-row": "own_rows",
    "component-differs": "formats_orders",
    "dose-doubted": "formats_habits",
    "dose-in-text": "formats_identity",
    "order-differs": "formats_orders",
    "route-in-text": "formats_orders",
    "given-at-home": "formats_elements",
    "given-to-inpatient": "formats_orders",
    "charged-beside": "formats_batches",
    "page-incomplete": "formats_batches",
    "part-of-another": "formats_elements",
    "performer-not-staff": "formats_performers",
    "reason-unread": "formats_elements",
    "record-repeated": "formats_twice",
    "said-beside": "formats_beside",
    "supply-in-text": "formats_habits",
    "utc-day": "formats_times",
    "vaccine-funding": "formats_vaccines",
    "waste-noted": "formats_elements",
}


@pytest.mark.parametrize("row", findings(), ids=lambda row: row["id"])
def test_every_finding_speaks_in_one_case_and_is_silent_in_another(row: dict[str, str]) -> None:
    name = row["id"]
    if name in ELSEWHERE:
        text = (Path(__file__).parent / f"test_{ELSEWHERE[name]}.py").read_text("utf-8")
        assert text.count(f'"{name}"') or f"'{name}'" in text, f"{name} is in no test of {ELSEWHERE[name]}"
        return
    heard = sum(any(found.rule == name for found in made.findings) for made in CHARGES.values())
    assert 0 < heard < len(CHARGES), name


def test_no_finding_is_called_elsewhere_that_an_encounter_shows() -> None:
    heard = {found.rule for made in CHARGES.values() for found in made.findings}
    assert not heard & set(ELSEWHERE)
    assert set(ELSEWHERE) <= {row["id"] for row in findings()}
