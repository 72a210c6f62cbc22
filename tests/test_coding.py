"""The lines of a claim: every row of the rule tables reached, and what holds for any encounter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import POLICY, rows_of
from test_encounters import CASES, encounter_of

from jcodeunits import tables
from jcodeunits.charging import charge
from jcodeunits.claim import Charge
from jcodeunits.convert import billing_units
from jcodeunits.encounter import PURPOSES
from jcodeunits.errors import JcodeunitsError
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.policy import Policy, in_effect
from jcodeunits.facts.policy_rows import (
    OTHER_DRUG,
    OTHER_SERVICE,
    AdministrationRule,
    Diagnosis,
    DrugClass,
    Element,
    Modifier,
    PayerOption,
    Place,
    PlaceRule,
    plays,
)
from jcodeunits.routes import NAMES as ROUTES

ON = "2026-03-02"
INJECTION = "96372"


def bill(*administrations: dict[str, Any], **more: Any) -> Charge:
    data = {"on": ON, "place": "11", "payer": "medicare", "diagnoses": ["R52"], **more}
    return charge({**data, "administrations": list(administrations)})


def give(drug: str = "J1885", dose: str = "30 mg", route: str = "IM", **more: Any) -> dict[str, Any]:
    return {"drug": drug, "dose": dose, "route": route, **more}


def said(made: Charge) -> set[str]:
    return {finding.rule for finding in made.findings}


def codes(made: Charge) -> list[str]:
    return [line.code for line in made.lines]


# --- rows of the tables -------------------------------------------------------------------------------


WRITTEN = ("1 mg", "1 mL", "1 dose", "1 mcg", "10 units", "1 g", "1 implant", "1 each", "1 mCi", "1 infusion")
ATTEMPTS = 40
ALL = rows_of(Drug)


def _day(row: AdministrationRule) -> dt.date:
    return row.ends or max(row.effective, dt.date.fromisoformat(ON))


def _codes_of(classes: tuple[str, ...], on: dt.date) -> list[str]:
    """Codes of the catalog of these classes or kinds on a day."""
    kinds = [drug.code for drug in ALL if drug.kind in classes and drug.period.holds(on)]
    classed = [row.code for row in POLICY.rows(DrugClass) if row.name in classes and row.period.holds(on)]
    return list(dict.fromkeys([*classed, *kinds]))


def _dose_of(code: str, on: dt.date) -> str | None:
    """A dose that the code's row counts."""
    for dose in (*WRITTEN, *(f"1 {drug.unit}" for drug in ALL if drug.code == code)):
        try:
            billing_units(code, dose, on=on)
        except JcodeunitsError:
            continue
        return dose
    return None


def _service_of(role: str, on: dt.date) -> str:
    if role in (OTHER_DRUG, OTHER_SERVICE):
        return "11900"
    return next(found.code for found in POLICY.procedures(on) if plays(found.role, [role]))


def _encounters_for(row: AdministrationRule) -> Iterator[dict[str, Any]]:
    """Encounters that the row is written for, drug by drug."""
    on = _day(row)
    codes = ["J1885", "J8501"] if row.classes == ("any",) else _codes_of(row.classes, on)
    purpose = "therapeutic" if row.purpose in ("any", "self-administered") else row.purpose
    routes = ["IM", "oral", "intrathecal", "intraosseous"] if row.routes == ("any",) else row.routes
    for code in codes[:ATTEMPTS]:
        dose = _dose_of(code, on)
        for route in routes if dose else ():
            administration = give(code, dose, route, purpose=purpose)
            if row.purpose == "self-administered":
                administration["self_administered"] = True
            yield {
                "on": str(on),
                "place": "11",
                "payer": "commercial" if row.payer == "any" else row.payer,
                "claim": "professional" if row.claim == "any" else row.claim,
                "diagnoses": {
                    "neoplasm": ["C61"],
                    "injury": ["S61.411A"],
                    "exposure": ["Z20.3"],
                    "other": ["M05.79"],
                    "any": [],
                }[row.indication],
                "services": [_service_of(role, on) for role in row.beside[:1]],
                "administrations": [administration],
            }


@pytest.mark.parametrize("row", POLICY.rows(AdministrationRule), ids=lambda row: row.id)
def test_every_row_of_the_decision_table_decides_an_encounter(
    row: AdministrationRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[AdministrationRule] = []
    real = Policy.administration

    def spy(self: Any, *args: Any, **kwargs: Any) -> AdministrationRule:
        asked.append(real(self, *args, **kwargs))
        return asked[-1]

    monkeypatch.setattr(Policy, "administration", spy)
    for data in _encounters_for(row):
        asked.clear()
        made = charge(data)
        not_so = any("no administration is billed" in finding.fix for finding in made.findings)
        if row not in asked or (row.outcome == "bill" and not_so):
            continue
        if row.outcome in ("none", "ask"):
            assert not [line for line in made.lines if line.kind == "administration"]
        if row.drug == "withhold":
            assert not [line for line in made.lines if line.kind == "drug"]
        if row.outcome == "bill":
            lines = [line for line in made.lines if line.kind == "administration"]
            assert row.role in {found.role for line in lines if (found := POLICY.procedure(line.code, data["on"]))}
        return
    pytest.fail(f"no drug of {row.classes} reaches the row")


@pytest.mark.parametrize("row", POLICY.rows(Place), ids=lambda row: row.code)
def test_every_place_bills_or_withholds_as_its_rate_says(row: Place) -> None:
    made = bill(give("J3420", "1000 mcg"), place=row.code, diagnoses=["D51.0"])
    rule = POLICY.place_rule(row.code, ON, "medicare")
    if rule is not None and rule.classes != ("any",):
        rule = None  # a rule about other drugs
    withheld = rule is not None and rule.outcome == "withhold"
    assert withheld or not row.facility  # no facility is billed by a practitioner under Medicare
    assert (INJECTION in codes(made)) is not withheld
    assert ("J3420" in codes(made)) is not withheld
    if rule is not None and rule.severity:
        assert any(f.rule == rule.reason and row.code in f.says for f in made.findings)


@pytest.mark.parametrize("row", POLICY.rows(PlaceRule), ids=lambda r: f"{r.payer}-{r.place}-{r.claim}")
def test_every_place_rule_speaks_in_its_place(row: PlaceRule) -> None:
    place = "22" if row.place == "facility" else row.place
    payer = "medicare" if row.payer == "any" else row.payer
    claim = "professional" if row.claim == "any" else row.claim
    drug = {"any": give("J3420", "1000 mcg"), "opioid-use-drug": give("J2315", "380 mg")}.get(
        row.classes[0], give("J0606", "5 mg", "IV push")
    )
    day = ON if row.ends is None else str(row.ends)
    made = bill(drug, place=place, payer=payer, claim=claim, on=day)
    answered = POLICY.place_rule(place, day, payer, claim)
    assert answered is not None
    if answered == row or row.payer != "any":
        assert answered == row
        assert {row.reason} <= said(made) or not row.severity
        assert any(row.says[:20] in f.says for f in made.findings)


@pytest.mark.parametrize("payer", POLICY.payers())
def test_every_payer_answers_every_option_and_bills_an_injection(payer: str) -> None:
    assert {option.option for option in POLICY.options(payer, ON)} == {
        row.option for row in POLICY.rows(PayerOption) if row.option != "follows"
    }
    made = bill(give(), payer=payer)
    assert [(line.code, line.units) for line in made.lines] == [(INJECTION, 1), ("J1885", 2)]


@pytest.mark.parametrize("row", POLICY.rows(Modifier), ids=lambda row: row.code)
def test_every_modifier_is_judged_by_its_row(row: Modifier) -> None:
    """On a line of a kind that it is not for, it stops; outside its dates too."""
    on = max(row.effective, dt.date(2015, 1, 1))
    made = bill(on=str(on), services=[{"code": INJECTION, "modifiers": [row.code]}], diagnoses=["R52"])
    found = [f for f in made.findings if f.rule == "modifier-line" and f" {row.code} " in f" {f.says} "]
    assert bool(found) is ("administration" not in row.lines)
    if row.ends is not None:
        late = bill(on=str(row.ends + dt.timedelta(1)), services=[{"code": INJECTION, "modifiers": [row.code]}])
        assert any(f.rule == "modifier-expired" for f in late.findings)


@pytest.mark.parametrize("row", POLICY.rows(Element), ids=lambda row: row.element)
def test_every_documentation_element_is_missed_when_it_is_missing(row: Element) -> None:
    everything = [element.element for element in POLICY.rows(Element)]
    waste = {"container": "single-dose", "container_amount": "60 mg", "containers": 1, "discarded": "30 mg"}
    held = bill(give(documented=everything, **waste))
    assert "documentation" not in said(held)
    lacking = bill(give(documented=[e for e in everything if e != row.element], **waste))
    (finding,) = [f for f in lacking.findings if f.rule == "documentation"]
    assert row.title in finding.says
    assert finding.severity == row.severity
    assert row.holds in finding.fix


@pytest.mark.parametrize("row", POLICY.rows(Diagnosis), ids=lambda row: f"{row.diagnosis}-{row.code}")
def test_every_diagnosis_row_marks_or_accepts_its_pair(row: Diagnosis) -> None:
    drug = "J1885" if row.code == "any" else row.code
    rows = in_effect
    assert rows is not None
    from jcodeunits.claim import Line
    from jcodeunits.encounter import Encounter
    from jcodeunits.rules import Case, registry

    on = str(row.effective) if row.ends else ON
    encounter = Encounter.from_dict({"on": on, "place": "11", "administrations": []})
    case = Case(encounter, (Line(drug, diagnoses=(row.diagnosis,), kind="drug"),), POLICY)
    heard = {one.id for one in registry() if one(case)}
    assert ("diagnosis-doubt" in heard) is bool(row.doubt)
    assert "diagnosis-pair" not in heard or row.code == "any"


# --- what holds for any encounter -----------------------------------------------------------------------

DRUGS = [
    ("J1885", "30 mg", "IM"),
    ("J3420", "1000 mcg", "IM"),
    ("J0696", "1 g", "IM"),
    ("J1200", "50 mg", "IM"),
    ("J2550", "25 mg", "IM"),
    ("J1071", "200 mg", "IM"),
    ("J2405", "4 mg", "IV push"),
    ("J0696", "2 g", "IV infusion"),
    ("J9217", "7.5 mg", "IM"),
    ("90656", "0.5 mL", "IM"),
    ("J3301", "40 mg", "intra-articular"),
    ("J0897", "60 mg", "SC"),
    ("J1030", "40 mg", "IM"),
    ("J7030", "1000 mL", "IV infusion"),
    ("J2315", "380 mg", "IM"),
]


@st.composite
def administrations(draw: st.DrawFn) -> dict[str, Any]:
    drug, dose, route = draw(st.sampled_from(DRUGS))
    made = give(drug, dose, route)
    if draw(st.booleans()):
        made["site"] = draw(st.sampled_from(["left deltoid", "right knee", "abdomen"]))
    if draw(st.integers(0, 3)) == 0:
        made["time"] = draw(st.sampled_from(["09:00", "15:00"]))
    if draw(st.integers(0, 4)) == 0:
        made["supplied_by"] = draw(st.sampled_from(["patient", "340b"]))
    if draw(st.integers(0, 4)) == 0:
        made["purpose"] = draw(st.sampled_from(PURPOSES))
    if draw(st.integers(0, 4)) == 0:
        made["diagnoses"] = draw(st.sampled_from([["R52"], ["C61", "R52"]]))
    return made


encounters = st.fixed_dictionaries(
    {
        "on": st.sampled_from(["2024-03-15", "2025-06-02", ON]),
        "place": st.sampled_from(["11", "12", "20", "22", "32", "50", "53"]),
        "payer": st.sampled_from(["medicare", "medicaid", "commercial", "noridian"]),
        "claim": st.sampled_from(["professional", "professional", "outpatient"]),
        "diagnoses": st.lists(st.sampled_from(["R52", "D51.0", "C61", "M17.11"]), max_size=2, unique=True),
        "administrations": st.lists(administrations(), max_size=4),
    },
    optional={
        "visit": st.fixed_dictionaries(
            {"code": st.sampled_from(["99213", "99211", "99395", "99349", "99232", "G0463"])},
            optional={"separate": st.booleans()},
        ),
        "services": st.lists(st.sampled_from(["20610", "90471", "96523", "36415", "59400"]), max_size=2, unique=True),
        "supervision": st.sampled_from(["direct", "virtual", "general", "none"]),
        "resident": st.booleans(),
    },
)


@settings(max_examples=120)
@given(encounters)
def test_any_encounter_bills_clean_lines_in_claim_order(data: dict[str, Any]) -> None:
    made = charge(data)
    order = [{"visit": 0, "service": 1}.get(line.kind, 2) for line in made.lines]
    assert order == sorted(order)
    for line in made.lines:
        assert line.units >= 1
        assert len(line.modifiers) <= 4
        assert len(set(line.modifiers)) == len(line.modifiers)
        assert "25" not in line.modifiers or line.kind == "visit"
        assert line.trace.steps or line.kind in ("visit", "service")
        assert line.ndc is None or line.kind in ("drug", "waste")
    for before, after in zip(made.lines, made.lines[1:], strict=False):
        if after.kind == "waste":
            assert (before.kind, before.code) == ("drug", after.code)
    for finding in made.findings:
        assert finding.line is None or 1 <= finding.line <= len(made.lines)
        assert all(citation.source in tables.sources() for citation in finding.citations)


@settings(max_examples=120)
@given(encounters)
def test_units_on_drug_lines_are_those_of_billing_units(data: dict[str, Any]) -> None:
    made = charge(data)
    for line in made.lines:
        if line.kind == "drug":
            given_ = made.encounter.administrations[line.administration]
            assert line.units == int(billing_units(given_.drug, given_.dose, on=data["on"], route=given_.route))


@settings(max_examples=120)
@given(encounters, st.randoms(use_true_random=False))
def test_the_order_of_administrations_changes_no_unit(data: dict[str, Any], random: Any) -> None:
    made = charge(data)
    shuffled = list(data["administrations"])
    random.shuffle(shuffled)
    again = charge({**data, "administrations": shuffled})
    assert _units(again) == _units(made)


def _lines(made: Charge) -> list[tuple[Any, ...]]:
    return sorted((line.code, line.modifiers, line.units, sorted(line.diagnoses)) for line in made.lines)


@settings(max_examples=120)
@given(encounters, st.randoms(use_true_random=False))
def test_the_order_in_which_things_were_written_down_changes_no_line(data: dict[str, Any], random: Any) -> None:
    shuffled = {**data, "administrations": list(data["administrations"]), "services": list(data.get("services", []))}
    random.shuffle(shuffled["administrations"])
    random.shuffle(shuffled["services"])
    # Which of several injections at no known time is the second one is as they were written down.
    assert [line[:3] for line in _lines(charge(shuffled))] == [line[:3] for line in _lines(charge(data))]


@pytest.mark.parametrize("again", [("J1885", "76"), ("J3420", "59")])
def test_the_later_injection_is_the_second_one_however_they_were_written_down(again: tuple[str, str]) -> None:
    drug, modifier = again
    early = give("J1885", "30 mg", time="09:00", diagnoses=["R52"])
    late = give(drug, {"J1885": "30 mg", "J3420": "1000 mcg"}[drug], time="15:00", diagnoses=["D51.0"])
    for written in ([early, late], [late, early]):
        made = bill(*written)
        told = {line.diagnoses: line.modifiers for line in made.lines if line.code == INJECTION}
        assert told == {("R52",): (), ("D51.0",): (modifier,)}


@settings(max_examples=120)
@given(encounters)
def test_the_encounters_diagnoses_said_of_each_administration_change_no_line(data: dict[str, Any]) -> None:
    each = [{"diagnoses": data["diagnoses"], **one} for one in data["administrations"]]
    assert _lines(charge({**data, "administrations": each})) == _lines(charge(data))


@settings(max_examples=120)
@given(encounters)
def test_a_service_that_has_to_do_with_nothing_changes_no_other_line(data: dict[str, Any]) -> None:
    more = charge({**data, "services": [*data.get("services", []), "99000"]})
    assert [line for line in _lines(more) if line[0] != "99000"] == _lines(charge(data))


def test_a_line_of_several_administrations_has_the_diagnoses_of_each() -> None:
    # Two pushes beside a first one: one for pain of its own, one for what the day was about.
    first = give("J2405", "4 mg", "IV push", time="09:00")
    pain = give("J1885", "30 mg", "IV push", time="09:05", diagnoses=["R52"])
    made = bill(first, pain, give("J1200", "25 mg", "IV push", time="09:10"), diagnoses=["D51.0"])
    (line,) = [line for line in made.lines if line.code == "96375"]
    assert (line.units, line.diagnoses) == (2, ("R52", "D51.0"))


def _units(made: Charge) -> dict[str, int]:
    total: dict[str, int] = {}
    for line in made.lines:
        total[line.code] = total.get(line.code, 0) + line.units
    return total


# About the claim as a whole, or about a code that the caller listed: another drug may well answer them.
ABOUT_THE_CLAIM = {"nothing-to-bill", "drug-missing", "wrong-administration", "already-listed", "limits-reach"}


@settings(max_examples=120)
@given(encounters)
def test_an_unrelated_administration_removes_no_finding_about_another(data: dict[str, Any]) -> None:
    # A visit, a listed service and the nurse visit in place of the injections are related to all of them.
    related = ("visit", "services", "supervision")
    data = {key: value for key, value in data.items() if key not in related}
    before = charge(data)
    unrelated = give("J1100", "4 mg", "IM", site="left thigh", diagnoses=["L50.0"])
    after = charge({**data, "administrations": [*data["administrations"], unrelated]})
    kept = {(f.rule, f.severity) for f in after.findings}
    lost = {(f.rule, f.severity) for f in before.findings} - kept
    assert not {one for one in lost if one[0] not in ABOUT_THE_CLAIM}


@settings(max_examples=100)
@given(encounters)
def test_what_is_not_billed_is_named_by_a_finding(data: dict[str, Any]) -> None:
    made = charge(data)
    text = " ".join(f"{f.says} {f.fix}" for f in made.findings if f.severity != "note")
    billed = {line.administration for line in made.lines if line.kind == "drug"}
    for index, administration in enumerate(made.encounter.administrations):
        if index not in billed:
            assert administration.drug in text
    visit = made.encounter.visit
    if visit is not None and visit.code not in codes(made):
        assert visit.code in text


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("claim", ["professional", "outpatient"])
@pytest.mark.parametrize("payer", ["medicare", "commercial"])
def test_every_route_has_an_answer(route: str, claim: str, payer: str) -> None:
    made = bill(give("J1885", "30 mg", route), payer=payer, claim=claim, place="22" if claim == "outpatient" else "11")
    drug = [line for line in made.lines if line.kind == "drug"]
    assert drug or any(f.severity == "stop" for f in made.findings)
    injected = [line for line in made.lines if line.code == INJECTION]
    assert bool(injected) is (bool(drug) and route in ("IM", "SC"))


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("route", ["IM", "SC", "IV push", "IV infusion", "IV"])
def test_every_purpose_has_an_answer(purpose: str, route: str) -> None:
    made = bill(give(purpose=purpose, route=route))
    withheld = purpose in ("diluent", "flush", "anesthetic", "allergen")
    assert withheld is not ("J1885" in codes(made))
    if withheld:
        assert {f"{purpose}-included", f"{purpose}-injection"} & said(made)


# --- single steps, at their edges -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "first", "hours"),
    [(15, 0, 0), (16, 1, 0), (60, 1, 0), (90, 1, 0), (91, 1, 1), (150, 1, 1), (151, 1, 2), (211, 1, 3)],
)
def test_infusion_hours_count_from_31_minutes(minutes: int, first: int, hours: int) -> None:
    stop = f"{9 + minutes // 60:02d}:{minutes % 60:02d}"
    units = _units(bill(give("J0696", "1 g", "IV infusion", start="09:00", stop=stop)))
    assert (units.get("96365", 0), units.get("96366", 0)) == (first, hours)
    assert units.get("96374", 0) == 1 - first


def test_two_infusions_one_after_the_other_and_one_beside_the_other() -> None:
    one = give("J0696", "1 g", "IV infusion", start="09:00", stop="10:00")
    after = give("J1885", "30 mg", "IV infusion", start="10:00", stop="10:30")
    beside = give("J1885", "30 mg", "IV infusion", start="09:30", stop="10:00")
    assert _units(bill(one, after)) | {"J0696": 4, "J1885": 2} == {"96365": 1, "96367": 1, "J0696": 4, "J1885": 2}
    assert "96368" in codes(bill(one, beside))


def test_an_antineoplastic_opens_the_day_and_the_rest_are_add_ons() -> None:
    made = bill(
        give("J2405", "4 mg", "IV push"),
        give("J9035", "100 mg", "IV infusion", start="10:00", stop="11:31"),
        give("J0696", "1 g", "IV infusion", start="09:00", stop="09:40"),
        diagnoses=["C18.9"],
    )
    assert {"96413": 1, "96415": 1, "96367": 1, "96375": 1}.items() <= _units(made).items()
    assert not {"96365", "96374"} & set(codes(made))


def test_a_short_hydration_a_long_one_and_one_beside_a_drug() -> None:
    fluid = give("J7030", "1000 mL", "IV infusion", start="09:00", stop="10:31")
    assert {"96360": 1, "96361": 1}.items() <= _units(bill(fluid)).items()
    drug = give("J0696", "1 g", "IV infusion", start="09:00", stop="10:00")
    assert "hydration-beside-drug" in said(bill(fluid, drug))
    later = give("J0696", "1 g", "IV infusion", start="11:00", stop="12:00")
    assert {"96365": 1, "96361": 2}.items() <= _units(bill(fluid, later)).items()


@pytest.mark.parametrize(("payer", "modifier"), [("medicare", "59"), ("commercial", "59")])
def test_a_second_injection_takes_what_the_payer_row_says(payer: str, modifier: str) -> None:
    made = bill(give(), give("J3420", "1000 mcg"), payer=payer)
    marks = [line.modifiers for line in made.lines if line.code == INJECTION]
    assert marks == [(), (modifier,)]


def test_diagnoses_stand_on_the_lines_that_they_belong_to() -> None:
    made = bill(give(diagnoses=["M54.16"]), give("J3420", "1000 mcg"), diagnoses=["D51.0", "M54.16"])
    assert [line.diagnoses for line in made.lines] == [
        ("M54.16",),
        ("M54.16",),
        ("D51.0", "M54.16"),
        ("D51.0", "M54.16"),
    ]


def test_amounts_are_shared_over_a_waste_pair_to_the_cent() -> None:
    vial = {"container": "single-dose", "container_amount": "100 mg", "containers": 1, "discarded": "23 mg"}
    money = {"charge_amount": "1000.01", "revenue_code": "0636"}
    made = bill(
        give("J9035", "77 mg", "IV infusion", start="09:00", stop="10:00", **vial, **money),
        charge_amounts={"96413": "210.50"},
        revenue_codes={"96413": "0335"},
        diagnoses=["C18.9"],
    )
    amounts = {(line.code, line.kind): (str(line.charge_amount), line.revenue_code) for line in made.lines}
    assert amounts == {
        ("96413", "administration"): ("210.50", "0335"),
        ("J9035", "drug"): ("800.01", "0636"),
        ("J9035", "waste"): ("200.00", "0636"),
    }


def test_an_unlikely_pair_of_cases_is_still_the_same_twice() -> None:
    for name in list(CASES)[::20]:
        one, other = charge(encounter_of(CASES[name])), charge(encounter_of(CASES[name]))
        assert one == other
        assert attrs.asdict(one, recurse=False).keys() == attrs.asdict(other, recurse=False).keys()


@settings(max_examples=80)
@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2031, 12, 31)),
    st.sampled_from(ROUTES),
    st.sampled_from(["J1885", "J0696", "J9217", "90656", "J7030", "J9035", "J1745"]),
    st.sampled_from(["professional", "outpatient"]),
)
def test_every_date_has_an_answer(on: dt.date, route: str, drug: str, claim: str) -> None:
    dose = {"90656": "0.5 mL", "J7030": "1000 mL"}.get(drug, "100 mg")
    visit = {"code": "99213", "separate": True}
    made = bill(give(drug, dose, route, start="09:00", stop="11:00"), on=str(on), claim=claim, visit=visit)
    assert made.lines or not made.ok


def test_before_its_code_existed_an_administration_asks() -> None:
    made = bill(give("J0696", "1 g"), on="2005-03-02")
    assert [line.code for line in made.lines] == ["J0696"]
    assert "administration-code" in said(made)


def test_a_refused_drug_whose_class_is_known_keeps_its_administration() -> None:
    made = bill(give("90656", "3 stones", purpose="vaccine"), payer="commercial")
    assert codes(made) == ["90471"]
    assert not made.ok
    assert codes(bill(give("no such drug", "30 mg"))) == []


def test_a_payer_that_marks_no_resident_says_so() -> None:
    made = bill(give(), payer="commercial", resident=True, visit={"code": "99213", "separate": True})
    assert [line.modifiers for line in made.lines if line.kind == "visit"] == [("25",)]
    assert "resident" in said(made)


def test_a_listed_administration_obeys_place_and_supervision_too() -> None:
    assert codes(bill(place="21", services=["96372"])) == []
    assert codes(bill(supervision="none", services=["96372"])) == []
    assert codes(bill(place="21", services=["93000"])) == ["93000"]


def test_listed_units_hold_as_many_derived_injections_and_no_more() -> None:
    three = [give(), give("J3420", "1000 mcg"), give("J1200", "50 mg")]
    made = bill(*three, services=[{"code": INJECTION, "units": 2}])
    assert _units(made)[INJECTION] == 3
    assert "already-listed" in said(made)
    assert _units(bill(*three, services=[{"code": INJECTION, "units": 3}]))[INJECTION] == 3


def test_one_bag_or_one_order_is_one_infusion() -> None:
    timed = {"start": "09:00", "stop": "10:00"}
    bag = [give("J0696", "1 g", "IV infusion", syringe="A", **timed), give("J2405", "4 mg", "IV infusion", syringe="A")]
    assert _units(bill(*bag))["96365"] == 1
    assert not {"96367", "96368"} & set(codes(bill(*bag)))
    order = [give("J0696", "1 g", "IV infusion", order="1", **timed) for _ in range(2)]
    made = bill(*order)
    assert (_units(made)["96365"], _units(made)["J0696"]) == (1, 8)


@pytest.mark.parametrize(
    ("second", "minutes"), [(("09:00", "10:31"), 91), (("09:30", "10:31"), 91), (("10:31", "11:31"), 151)]
)
def test_what_runs_at_the_same_time_counts_once(second: tuple[str, str], minutes: int) -> None:
    first = give("J0696", "1 g", "IV infusion", syringe="A", start="09:00", stop="10:31")
    other = give("J2405", "4 mg", "IV infusion", syringe="A", start=second[0], stop=second[1])
    units = _units(bill(first, other))
    assert (units["96365"], units["96366"]) == (1, (minutes - 31) // 60)


def test_hydration_without_times_asks() -> None:
    made = bill(give("J7030", "1000 mL", "IV infusion"))
    assert _units(made)["96360"] == 1
    assert "infusion-times" in said(made)


def test_an_antineoplastic_over_eight_hours_by_pump_has_a_code_of_its_own() -> None:
    made = bill(give("J9190", "500 mg", "IV infusion", start="08:00", stop="16:01"), diagnoses=["C18.9"])
    assert _units(made)["96416"] == 1
    eight = bill(give("J9190", "500 mg", "IV infusion", start="08:00", stop="16:00"), diagnoses=["C18.9"])
    assert (_units(eight)["96413"], _units(eight)["96415"]) == (1, 7)


@pytest.mark.parametrize(("second", "billed"), [("09:30", 0), ("09:31", 1), (None, 1)])
def test_a_push_of_the_same_drug_counts_from_31_minutes_in_a_hospital(second: str | None, billed: int) -> None:
    first = give("J1885", "15 mg", "IV push", time="09:00")
    again = give("J1885", "15 mg", "IV push", **({"time": second} if second else {}))
    made = bill(first, again, place="22", claim="outpatient")
    assert _units(made).get("96376", 0) == billed
    assert ("repeat-push-interval" in said(made)) is (billed == 0)


def test_a_limit_by_line_asks_to_split() -> None:
    made = bill(give("J7175", "9100 units", "IV push"), on="2024-08-01", diagnoses=["D68.2"])
    (finding,) = [f for f in made.findings if f.rule == "unit-limit"]
    assert "for one line" in finding.says
    assert finding.severity == "warn"
    assert "unit-limit" not in said(bill(give("J7175", "9000 units", "IV push"), on="2024-08-01"))


def test_a_separate_injection_of_the_procedures_own_drug_is_asked_about() -> None:
    joint = give("J3301", "40 mg", "intra-articular", site="right knee")
    made = bill(joint, give("J3301", "40 mg", "IM", site="left gluteal"), services=["20610"])
    assert INJECTION not in codes(made)
    assert "bundled-services" in said(made)
    told = bill(joint, give("J3301", "40 mg", "IM", site="left gluteal", separate=True), services=["20610"])
    assert [line.modifiers for line in told.lines if line.code == INJECTION] == [("59",)]


def test_a_modifier_that_the_caller_set_settles_an_edit() -> None:
    made = bill(give(), services=["20610", {"code": "36415", "modifiers": ["59"]}], diagnoses=["M17.11"])
    assert "20610" in codes(made)
    listed = bill(services=["20610", {"code": INJECTION, "modifiers": ["59"]}])
    assert "bundled-services" not in said(listed)
    procedure = bill(give(), services=[{"code": "20610", "modifiers": ["59"]}])
    assert [line.modifiers for line in procedure.lines if line.code == INJECTION] == [()]
    bare = bill(services=["20610", INJECTION])
    assert "bundled-services" in said(bare)
    assert INJECTION in codes(bare)  # the caller's own line stays, with the question


def test_25_that_the_caller_set_says_separate() -> None:
    made = bill(give(), visit={"code": "99213", "modifiers": ["25"]})
    assert [line.modifiers for line in made.lines if line.code == "99213"] == [("25",)]
    assert "visit-separate-unknown" not in said(made)


def test_a_modifier_that_nobody_knows_is_left_alone() -> None:
    made = bill(services=[{"code": "20610", "modifiers": ["ZZ"]}])
    assert [line.modifiers for line in made.lines] == [("ZZ",)]
    assert not {"modifier-line", "modifier-expired"} & said(made)


@pytest.mark.parametrize(
    ("drug", "dose", "route", "listed", "instead_of"),
    [
        ("J0897", "60 mg", "SC", "96401", "96372"),
        ("J9260", "15 mg", "SC", "96372", "96401"),
        ("90656", "0.5 mL", "IM", "90460", "90471"),
        ("90380", "0.5 mL", "IM", "96380", "96381"),
        ("J0696", "1 g", "IV", "96374", "96365"),
    ],
)
def test_the_callers_own_code_stands_in_place_of_the_default(
    drug: str, dose: str, route: str, listed: str, instead_of: str
) -> None:
    made = bill(give(drug, dose, route), payer="commercial", services=[listed], diagnoses=["M05.79"])
    assert listed in codes(made)
    assert instead_of not in codes(made)
    assert "administration-listed" in said(made)
    assert "wrong-administration" not in said(made)


def test_a_code_listed_for_one_drug_is_not_lent_to_another() -> None:
    made = bill(
        give("J9260", "50 mg", "IM", diagnoses=["C50.911"]),
        give("J0897", "60 mg", "SC", diagnoses=["M81.0"]),
        services=["96401"],
    )
    assert {"96401": 1, "96372": 1}.items() <= _units(made).items()


def test_the_longest_infusion_is_the_first_whatever_the_order() -> None:
    short = give("J2405", "4 mg", "IV infusion", start="09:00", stop="09:20")
    long_ = give("J0696", "1 g", "IV infusion", start="10:00", stop="11:31")
    units = {"96365": 1, "96366": 1, "96367": 1, "J0696": 4, "J2405": 4}
    assert _units(bill(short, long_)) == _units(bill(long_, short)) == units


def test_a_push_of_staff_without_supervision_leaves_the_practitioners_a_first_code() -> None:
    staff = give("J2405", "4 mg", "IV push")
    own = give("J1885", "15 mg", "IV push", performed_by="practitioner")
    for pair in ((staff, own), (own, staff)):
        assert _units(bill(*pair, supervision="none")) == {"96374": 1, "J1885": 1}


def test_among_several_drugs_a_finding_without_a_line_says_which() -> None:
    made = bill(give(), give("ceftriaxone", "zero"))
    (finding,) = [f for f in made.findings if f.severity == "stop"]
    assert finding.says.startswith("ceftriaxone: ")
    assert "J0696" not in codes(made)


def test_a_listed_vaccine_code_holds_its_own_kind_first() -> None:
    flu, tetanus = give("90656", "0.5 mL"), give("90714", "0.5 mL")
    for pair in ((flu, tetanus), (tetanus, flu)):
        made = bill(*pair, services=["90471"])
        assert {"90471": 1, "G0008": 1}.items() <= _units(made).items()
        assert "90472" not in codes(made)


def test_two_refused_drugs_are_no_repeat_of_each_other() -> None:
    made = bill(give("J9035", "lots"), give("J9260", "some"))
    assert "repeat-injection" not in said(made)
    assert "repeat-injection" in said(bill(give("J9035", "lots"), give("j9035", "some")))
