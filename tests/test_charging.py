"""From an encounter to a charge: refusals, a site's own payer, estimates, and the same answer every time."""

from __future__ import annotations

import json
import pickle
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from shipped import POLICY, REFERENCE, with_own

import jcodeunits as jc
from jcodeunits.allowed import allowed, expected
from jcodeunits.amount import cents
from jcodeunits.charging import charge
from jcodeunits.encounter import Encounter
from jcodeunits.errors import EncounterError, TableError
from jcodeunits.facts.reference import Reference
from jcodeunits.lookup import findings

KETOROLAC = {"drug": "ketorolac", "dose": "30 mg", "route": "IM"}
B12 = {"drug": "J3420", "dose": "1000 mcg", "route": "IM"}


def encounter(*administrations: dict[str, Any], **more: Any) -> dict[str, Any]:
    data = {"on": "2026-03-02", "place": "11", "payer": "medicare", "diagnoses": ["R52"], **more}
    return {**data, "administrations": list(administrations)}


def test_a_dict_and_an_encounter_give_the_same_charge_and_the_face_is_this_function() -> None:
    data = encounter(KETOROLAC)
    assert charge(data) == charge(Encounter.from_dict(data)) == jc.charge(data)


def test_a_charge_names_the_data_that_it_came_from() -> None:
    made = charge(encounter(KETOROLAC))
    assert made.edition == REFERENCE.edition == jc.edition
    assert made.fingerprint == REFERENCE.fingerprint == jc.fingerprint


def test_a_charge_survives_pickling_and_prints_as_json() -> None:
    made = charge(encounter(KETOROLAC, B12, visit={"code": "99213"}))
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made.lines) == hash(pickle.loads(pickle.dumps(made)).lines)


def test_a_charge_is_read_where_its_reference_is_not(tmp_path: Path) -> None:
    rows = "payer,option,values\nhouse,jz,none\n"
    (tmp_path / "payers.csv").write_text(rows, "utf-8")
    ours = jc.Reference.shipped().with_tables(tmp_path)
    made = charge(encounter(KETOROLAC), reference=ours)
    carried = pickle.dumps(made)
    (tmp_path / "payers.csv").unlink()
    there = pickle.loads(carried)
    assert there == made
    assert there.fingerprint == ours.fingerprint != jc.Reference.shipped().fingerprint
    assert json.loads(json.dumps(made.as_dict()))["ok"] is True


def test_an_explanation_holds_every_line_every_finding_and_its_source() -> None:
    made = charge(encounter(KETOROLAC, B12, visit={"code": "99213"}))
    text = made.explain()
    for line in made.lines:
        assert line.code in text
    for finding in made.findings:
        assert finding.rule in text
        assert finding.says in text
        assert all(str(citation) in text for citation in finding.citations)


@pytest.mark.parametrize("place", ["29", "00", "37", "98"])
def test_an_unassigned_place_is_refused_with_the_places_there_are(place: str) -> None:
    with pytest.raises(EncounterError, match="place-of-service") as caught:
        charge(encounter(KETOROLAC, place=place))
    assert caught.value.path == "place"
    assert "11" in caught.value.allowed
    assert place not in caught.value.allowed


def test_an_unknown_payer_is_refused_with_the_payers_there_are() -> None:
    with pytest.raises(EncounterError, match="medicare") as caught:
        charge(encounter(KETOROLAC, payer="nobody"))
    assert caught.value.path == "payer"


HEADER = "payer,option,claim,values,effective,ends,source,cite,confidence,verified\n"


def site(folder: Path, *rows: str) -> Reference:
    lines = [f"{row},2020-01-01,,site,our contract,high,2026-01-02\n" for row in sorted(rows)]
    (folder / "payers.csv").write_text(HEADER + "".join(lines), encoding="utf-8")
    return with_own(folder)


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("XS", [((), 1), (("XS",), 1)]),
        ("76", [((), 1), (("76",), 1)]),
        ("none", [((), 1), ((), 1)]),
        ("units", [((), 2)]),
    ],
)
def test_a_site_adds_its_own_payer_and_its_second_injection(
    tmp_path: Path, value: str, lines: list[tuple[tuple[str, ...], int]]
) -> None:
    own = site(tmp_path, "acme,follows,any,commercial", f"acme,second-injection,any,{value}")
    made = charge(encounter(KETOROLAC, B12, payer="acme"), reference=own)
    assert [(line.modifiers, line.units) for line in made.lines if line.code == "96372"] == lines
    assert [line.code for line in made.lines if line.kind == "drug"] == ["J1885", "J3420"]
    with pytest.raises(EncounterError):
        charge(encounter(KETOROLAC, payer="acme"))  # only where the site's rows were given


@pytest.mark.parametrize("code", ["67028", "20610"])
@pytest.mark.parametrize("waste", [False, True])
def test_a_payer_may_want_the_sides_on_the_lines_of_a_drug(tmp_path: Path, code: str, waste: bool) -> None:
    own = site(tmp_path, "acme,drug-sides,any,mark", "acme,follows,any,medicare")
    drug, dose, route, place = (
        ("J0178", "2 mg", "intravitreal", "eye") if code == "67028" else ("J3301", "40 mg", "intra-articular", "knee")
    )
    held = {"container": "single-dose", "containers": 1, "container_amount": "4 mg" if code == "67028" else "80 mg"}
    held |= {"discarded": "2 mg" if code == "67028" else "40 mg"} if waste else {"container_amount": dose}
    both = [
        {"drug": drug, "dose": dose, "route": route, "site": f"{side} {place}", "discarded": "0 mg", **held}
        for side in ("right", "left")
    ]
    services = [{"code": code, "modifiers": ["50"]}]

    def drug_lines(payer: str, *given: dict[str, Any]) -> tuple[list[set[str]], set[str]]:
        made = charge(encounter(*given, payer=payer, services=services), reference=own)
        sides = [set(line.modifiers) & {"RT", "LT"} for line in made.lines if line.code == drug]
        return sides, {finding.rule for finding in made.findings}

    marked = [{"RT"}, {"RT"}, {"LT"}, {"LT"}] if waste else [{"RT"}, {"LT"}]
    assert drug_lines("acme", *both)[0] == marked
    assert "duplicate-line" not in drug_lines("acme", *both)[1]
    assert drug_lines("acme", both[0])[0] == [set()] * (2 if waste else 1)  # one side has nothing to be told from
    # Without such a row the question, and both answers to it.
    sides, rules = drug_lines("medicare", *both)
    assert not set().union(*sides)
    assert "duplicate-line" in rules
    said = [{**one, "modifiers": [side]} for one, side in zip(both, ("RT", "LT"), strict=True)]
    assert (drug_lines("medicare", *said)[0], "duplicate-line" in drug_lines("medicare", *said)[1]) == (marked, False)
    together = drug_lines("medicare", *({**one, "order": "1"} for one in both))
    assert (len(together[0]), "duplicate-line" in together[1]) == (2 if waste else 1, False)


@pytest.mark.parametrize(
    ("services", "given"),
    [
        ([{"code": "64483"}, {"code": "20552", "units": 2}], ("J3301", "40 mg", "intralesional", "R shoulder")),
        ([{"code": "64493"}, {"code": "64493", "units": 2}], ("J3301", "10 mg", "epidural", "left deltoid")),
        ([{"code": "20550"}, {"code": "20605"}], ("J1885", "30 mg", "perineural", "trapezius")),
        (
            [{"code": "96413"}, {"code": "96366"}, {"code": "96367", "modifiers": ["59"], "units": 3}],
            ("J1745", "400 mg", "IV infusion", "left arm"),
        ),
    ],
)
def test_the_order_in_which_services_are_listed_changes_no_line(services: list[Any], given: tuple[str, ...]) -> None:
    one = dict(zip(("drug", "dose", "route", "site"), given, strict=True))
    both = [
        charge(encounter(one, {**KETOROLAC, "site": "left deltoid"}, services=listed))
        for listed in (services, services[::-1])
    ]
    lines = [sorted((line.code, line.modifiers, line.units) for line in made.lines) for made in both]
    assert lines[0] == lines[1]


def test_the_sides_of_plain_injections_tell_no_lines_apart() -> None:
    both = [{**KETOROLAC, "site": f"{side} deltoid"} for side in ("right", "left")]
    (alike,) = (f for f in charge(encounter(*both)).findings if f.rule == "duplicate-line")
    assert "one order" in alike.fix
    assert "RT" not in alike.fix


def test_injections_that_look_alike_are_told_what_makes_them_one_line(tmp_path: Path) -> None:
    three = [KETOROLAC, B12, {"drug": "J2550", "dose": "25 mg", "route": "IM"}]
    (alike,) = (f for f in charge(encounter(*three)).findings if f.rule == "duplicate-line")
    assert "units of one line" in alike.fix
    assert "NDC" not in alike.fix
    own = site(tmp_path, "acme,follows,any,commercial", "acme,second-injection,any,units")
    made = charge(encounter(*three, payer="acme"), reference=own)
    assert [line.units for line in made.lines if line.code == "96372"] == [3]
    assert "duplicate-line" not in {f.rule for f in made.findings}


def test_a_site_payer_may_count_syringes_orders_and_the_patients_drug_otherwise(tmp_path: Path) -> None:
    own = site(
        tmp_path,
        "acme,follows,any,commercial",
        "acme,shared-syringe,any,each",
        "acme,split-order,any,each",
        "acme,supply-patient-line,any,penny",
    )

    def injections(*administrations: dict[str, Any], payer: str) -> int:
        made = charge(encounter(*administrations, payer=payer), reference=own)
        return sum(line.units for line in made.lines if line.code == "96372")

    mixed = [{**KETOROLAC, "syringe": "A"}, {**B12, "syringe": "A"}]
    split = [{**KETOROLAC, "order": "1"}, {**KETOROLAC, "order": "1"}]
    assert (injections(*mixed, payer="acme"), injections(*mixed, payer="commercial")) == (2, 1)
    assert (injections(*split, payer="acme"), injections(*split, payer="commercial")) == (2, 1)
    made = charge(encounter({**B12, "supplied_by": "patient"}, payer="acme"), reference=own)
    assert [(line.code, str(line.charge_amount)) for line in made.lines if line.kind == "drug"] == [("J3420", "0.01")]


def test_a_site_payer_that_pays_no_injection_of_the_patients_drug(tmp_path: Path) -> None:
    own = site(tmp_path, "acme,follows,any,commercial", "acme,supply-patient,any,none")
    made = charge(encounter({**B12, "supplied_by": "patient"}, payer="acme"), reference=own)
    assert made.lines == ()
    assert {"supply-patient", "nothing-to-bill"} <= {f.rule for f in made.findings}


def test_of_a_payer_that_nobody_asked_the_mark_of_340b_is_a_question_and_a_modifier_answers_it() -> None:
    bought = {**KETOROLAC, "supplied_by": "340b"}
    for payer, asked in (("medicaid", True), ("commercial", True), ("medicare", False), ("ma-medicaid", False)):
        found = [f for f in charge(encounter(bought, payer=payer)).findings if f.rule == "supply-340b"]
        assert [f.severity for f in found] == ["warn" if asked else "note"], payer
        made = charge(encounter({**bought, "modifiers": ["UD"]}, payer=payer))
        assert not [f for f in made.findings if f.rule == "supply-340b" and f.severity == "warn"], payer


def test_a_site_payer_may_bill_without_supervision(tmp_path: Path) -> None:
    own = site(tmp_path, "acme,follows,any,commercial", "acme,no-supervision,any,bill")
    made = charge(encounter(B12, payer="acme", supervision="none"), reference=own)
    assert [line.code for line in made.lines] == ["96372", "J3420"]


def test_a_payer_whose_edits_are_not_known_is_told_and_nothing_is_withheld(tmp_path: Path) -> None:
    own = site(tmp_path, "acme,second-injection,any,59")
    made = charge(encounter(B12, payer="acme", visit={"code": "99211"}, services=["96523"]), reference=own)
    assert {"99211", "96372", "96523", "J3420"} == {line.code for line in made.lines}
    assert {"visit-included", "bundled-services"} <= {f.rule for f in made.findings}
    assert all("not known" in f.says for f in made.findings if f.rule in ("visit-included", "bundled-services"))


def test_a_required_ndc_of_high_confidence_stops(tmp_path: Path) -> None:
    own = site(tmp_path, "acme,follows,any,commercial", "acme,ndc,any,required")
    made = charge(encounter(B12, payer="acme"), reference=own)
    assert [f.severity for f in made.findings if f.rule == "ndc-missing"] == ["stop"]


def test_a_site_never_replaces_a_shipped_row(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="medicare"):
        site(tmp_path, "medicare,second-injection,any,XS", "medicare,edits,any,advisory")


def test_findings_come_gravest_first_and_each_once() -> None:
    made = charge(encounter({"drug": "J1030", "dose": "40 mg", "route": "IM"}, KETOROLAC, visit={"code": "99213"}))
    rank = ["stop", "warn", "note"]
    ranks = [rank.index(f.severity) for f in made.findings]
    assert ranks == sorted(ranks)
    assert len(set(made.findings)) == len(made.findings)


def test_an_ended_code_leaves_the_other_lines_and_names_its_successor() -> None:
    dead = {"drug": "J1030", "dose": "40 mg", "route": "IM"}
    made = charge(encounter(dead, KETOROLAC, B12))
    assert not made.ok
    assert {line.code for line in made.lines} == {"96372", "J1885", "J3420"}
    (finding,) = [f for f in made.findings if f.severity == "stop"]
    assert "J1010" in finding.says
    assert "40 units" in finding.says


def test_an_empty_encounter_has_nothing_to_bill() -> None:
    made = charge(encounter())
    assert made.lines == ()
    assert [f.rule for f in made.findings] == ["nothing-to-bill"]


def test_two_thousand_administrations_are_one_claim() -> None:
    drugs = [("J1885", "30 mg"), ("J3420", "1000 mcg"), ("J0696", "1 g"), ("J1200", "50 mg")]
    many = [{"drug": drugs[n % 4][0], "dose": drugs[n % 4][1], "route": "IM"} for n in range(2000)]
    made = charge(encounter(*many))
    assert sum(line.units for line in made.lines if line.code == "J1885") == 1000
    assert sum(line.units for line in made.lines if line.code == "96372") == 2000
    assert any(f.rule == "unit-limit" and "96372 x 2000" in f.says for f in made.findings)


def test_the_listing_holds_steps_and_rules_once_each() -> None:
    ids = [row["id"] for row in findings()]
    assert len(ids) == len(set(ids))
    assert {"facility-place", "nurse-visit", "second-injection", "unit-limit"} <= set(ids)


# --- what Medicare allows -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "amount"),
    [  # relative value units times the factor of the date, by hand
        ("2022-06-01", "14.53"),
        ("2023-06-01", "14.23"),
        ("2024-03-08", "14.08"),
        ("2024-03-09", "14.31"),
        ("2025-06-02", "13.91"),
        ("2026-03-02", "15.36"),
    ],
)
def test_the_expected_amount_of_an_injection_by_date(on: str, amount: str) -> None:
    rows = expected(charge(encounter(KETOROLAC, on=on))).as_dict()["lines"]
    assert next(row["amount"] for row in rows if row["code"] == "96372") == amount


@pytest.mark.parametrize(
    ("on", "injection", "drug"),
    [  # limits are of a quarter, relative values of a year
        ("2026-03-31", "15.36", "0.67"),
        ("2026-04-01", "15.36", None),
        ("2026-12-31", "15.36", None),
        ("2027-01-01", None, None),
        ("2027-06-01", None, None),
        ("2025-12-31", "13.91", None),
    ],
)
def test_no_amount_is_expected_outside_the_days_of_its_figure_and_the_line_says_so(
    on: str, injection: str | None, drug: str | None
) -> None:
    estimate = expected(charge(encounter(KETOROLAC, on=on)))
    plain = estimate.as_dict()
    assert [row["amount"] for row in plain["lines"]] == [injection, drug]
    assert all(bool(row["note"]) == (row["amount"] is None) for row in plain["lines"])
    assert (plain["total"] is None) == (injection is None)
    assert estimate.complete == (drug is not None)


def test_an_estimate_multiplies_units_and_says_that_it_is_partial() -> None:
    made = charge(encounter(KETOROLAC, {"drug": "J9999", "dose": "1 mg", "route": "IM"}, visit={"code": "99213"}))
    estimate = expected(made)
    by_code = {row.code: row for row in estimate.rows}
    unit = allowed(POLICY, "J1885", "2026-03-02")
    assert unit is not None
    assert by_code["J1885"].amount == unit.amount * 2
    assert by_code["99213"].amount is None
    assert not estimate.complete
    assert estimate.total == sum((row.amount or Fraction(0) for row in estimate.rows), Fraction(0))
    plain = json.loads(json.dumps(estimate.as_dict()))
    assert "partial" in plain["estimate"]
    assert plain["lines"][0]["amount"] is None
    assert all(row["citations"] for row in plain["lines"] if row["amount"] is not None)


def test_cents_are_rounded_half_up_and_only_when_shown() -> None:
    assert str(cents(Fraction(15365, 1000))) == "15.37"
    assert str(cents(Fraction(15364, 1000))) == "15.36"
    assert str(cents(Fraction(0))) == "0.00"


PLACES = "payer,place,claim,outcome,lines,severity,reason,says,fix,effective,ends,source,cite,confidence,verified\n"


def test_a_site_may_have_its_own_rule_for_a_place(tmp_path: Path) -> None:
    (tmp_path / "place_rules.csv").write_text(
        PLACES + "acme,11,professional,withhold,administration,,place-by-payer,pays no "
        "injection,ask,2020-01-01,,site,x,high,2026-01-02\n",
        encoding="utf-8",
    )
    own = site(tmp_path, "acme,follows,any,commercial")
    made = charge(encounter(B12, payer="acme"), reference=own)
    assert [line.code for line in made.lines] == ["J3420"]
    assert "place-by-payer" not in {f.rule for f in made.findings}  # the row has nothing to say


def test_one_more_charge_looks_up_and_scans_no_table() -> None:
    """Its calls are counted, not timed: a scan of one table of rules would make hundreds more."""
    one = Encounter.from_dict(
        encounter({**KETOROLAC, "ndc": "0409-3795-01", "containers": 1, "discarded": "0 mg"}, visit={"code": "99213"})
    )
    charge(one)
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        charge(one)
    finally:
        sys.setprofile(None)
    assert calls < 1500
