"""Containers: the one rule of waste, what a record supports, and the fit that leaves least over."""

from __future__ import annotations

import itertools
import math
import time
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jcodeunits as jc
from jcodeunits import vials
from jcodeunits.dated import Citation
from jcodeunits.errors import ContainerError, DoseError, UnitMismatch
from jcodeunits.vials import Record, Waste, WasteRules, decide

WHOLE = st.integers(1, 10**6)
SIZE = st.integers(1, 2000)
AMOUNT = st.fractions(min_value=0, max_value=1000, max_denominator=60)
DOSE = st.fractions(min_value=Fraction(1, 60), max_value=1000, max_denominator=60)


# --- the rule ------------------------------------------------------------------------------------------


@given(WHOLE, WHOLE, WHOLE, SIZE)
def test_administered_and_discarded_units_stay_within_the_label(
    dose: int, discarded: int, label: int, size: int
) -> None:
    units, waste = vials.administered_units(dose, size), vials.waste_units(dose, discarded, label, size)
    assert units * size >= dose > (units - 1) * size
    assert waste >= 0
    assert waste * size <= discarded
    assert waste == 0 or units + waste <= label // size


@given(WHOLE, WHOLE, WHOLE, SIZE)
def test_the_discarded_units_are_all_that_the_record_and_the_label_allow(
    dose: int, discarded: int, label: int, size: int
) -> None:
    room = label // size - math.ceil(Fraction(dose, size))
    assert vials.waste_units(dose, discarded, label, size) == max(0, min(discarded // size, room))


@given(WHOLE, WHOLE, WHOLE, SIZE, st.integers(1, 1000))
def test_the_scale_of_the_figures_changes_nothing(dose: int, discarded: int, label: int, size: int, scale: int) -> None:
    plain = vials.waste_units(dose, discarded, label, size)
    assert vials.waste_units(dose * scale, discarded * scale, label * scale, size * scale) == plain
    assert vials.administered_units(dose * scale, size * scale) == vials.administered_units(dose, size)


@given(st.lists(st.tuples(WHOLE, WHOLE, WHOLE, SIZE), min_size=1, max_size=30))
def test_arrays_get_the_answers_of_single_numbers(rows: list[tuple[int, int, int, int]]) -> None:
    numpy = pytest.importorskip("numpy")
    columns = [numpy.array(column, dtype=numpy.int64) for column in zip(*rows, strict=True)]
    dose, discarded, label, size = columns
    units = vials.administered_units(dose, size)
    waste = vials.waste_units(dose, discarded, label, size)
    assert units.tolist() == [vials.administered_units(d, s) for d, _, _, s in rows]
    assert waste.tolist() == [vials.waste_units(*row) for row in rows]


# --- what a record supports ----------------------------------------------------------------------------


@st.composite
def records(draw: st.DrawFn) -> Record:
    given_units = draw(DOSE)
    label = draw(st.none() | st.builds(lambda more: given_units + more, AMOUNT) | AMOUNT)
    return Record(
        given_units,
        label,
        draw(st.none() | AMOUNT),
        draw(st.sampled_from(["single-dose", "multi-dose", ""])),
        draw(st.booleans()),
    )


RULES = st.builds(
    WasteRules,
    jw=st.booleans(),
    jz=st.sampled_from(["required", "allowed", "none"]),
    unrecorded=st.sampled_from(["stop", "warn", "none"]),
    exempt=st.sampled_from(["", "packaged"]),
    doubt=st.sampled_from(["", "not settled."]),
)


@given(records(), RULES)
def test_waste_is_billed_only_where_a_single_dose_record_adds_up(record: Record, rules: WasteRules) -> None:
    answer = decide(record, rules)
    assert answer.administered == math.ceil(record.given)
    if answer.discarded:
        assert record.kind == "single-dose"
        assert record.discarded is not None
        assert record.label is not None
        assert answer.discarded <= record.discarded
        assert answer.administered + answer.discarded <= record.label
        assert answer.modifier == ""
        assert rules.jw
        assert not rules.exempt


@given(records(), RULES)
def test_jz_stands_only_where_nothing_is_unaccounted_for(record: Record, rules: WasteRules) -> None:
    answer = decide(record, rules)
    if answer.modifier:
        assert answer.modifier == "JZ"
        assert (record.kind, rules.jz, rules.exempt) == ("single-dose", "required", "")
        assert answer.findings == ()
        if record.label is None:
            assert record.discarded == 0
        else:
            left = record.label - record.given - (record.discarded or 0)
            assert left == 0 or (record.shared and left > 0 and record.discarded is not None)


@given(st.integers(1, 500), st.integers(0, 500), st.integers(1, 50))
def test_a_smaller_billing_unit_multiplies_whole_units(given_units: int, left: int, times: int) -> None:
    def answer(scale: int) -> Waste:
        amounts = (given_units * scale, (given_units + left) * scale, left * scale)
        return decide(Record(*map(Fraction, amounts), "single-dose"), WasteRules())

    assert answer(times).administered == answer(1).administered * times == given_units * times
    assert answer(times).discarded == answer(1).discarded * times == left * times
    assert answer(times).modifier == answer(1).modifier == ("" if left else "JZ")


@given(records(), st.fractions(min_value=Fraction(1, 60), max_value=100, max_denominator=60))
def test_a_dose_above_the_label_is_withheld(record: Record, more: Fraction) -> None:
    label = record.label if record.label is not None else Fraction(1)
    answer = decide(attrs.evolve(record, given=label + more, label=label), WasteRules())
    assert answer.withheld
    assert [(f.rule, f.severity) for f in answer.findings] == [("dose-above-containers", "stop")]


def _record(given: object, label: object, discarded: object, kind: str = "single-dose", shared: bool = False) -> Record:
    def units(value: object) -> Fraction | None:
        return None if value is None else Fraction(str(value))

    return Record(units(given) or Fraction(0), units(label), units(discarded), kind, shared)


@pytest.mark.parametrize(
    ("record", "rules", "says", "severity"),
    [
        (_record("7.7", 10, None), WasteRules(), "does not say that they were discarded", "stop"),
        (_record("7.7", 10, 0), WasteRules(), "2.3 billing units are not accounted for", "stop"),
        (_record("7.7", 10, 3), WasteRules(), "only 2.3 billing units remained", "stop"),
        (_record("7.7", 10, None), WasteRules(unrecorded="warn"), "does not say", "warn"),
        (_record(40, 100, None, shared=True), WasteRules(), "served several patients", "warn"),
        (_record(4, 20, 16, "multi-dose"), WasteRules(), "multi-dose container is never billed", "note"),
        (_record(4, 10, 6, ""), WasteRules(), "JW or JZ depends on it", "warn"),
        (_record(4, 10, 6, ""), WasteRules(jz="none"), ": JW depends on it", "warn"),
        (_record(4, None, None), WasteRules(), "what was opened is not known", "warn"),
        (_record(4, 10, 6), WasteRules(exempt="it is packaged"), "not billed here: it is packaged", "note"),
        (_record(4, 10, 6), WasteRules(doubt="Nobody knows."), "Nobody knows.", "warn"),
        (_record(11, 10, None), WasteRules(), "overfill is never billed", "stop"),
    ],
)
def test_what_cannot_be_billed_is_said(record: Record, rules: WasteRules, says: str, severity: str) -> None:
    answer = decide(record, rules)
    (finding,) = answer.findings
    assert says in finding.says
    assert finding.severity == severity
    assert finding.citations
    assert (answer.modifier, answer.discarded) == ("", 0)


@pytest.mark.parametrize(
    ("record", "rules"),
    [
        (_record("7.7", 10, None), WasteRules(unrecorded="none")),
        (_record(4, 10, 0, "multi-dose"), WasteRules()),
        (_record(4, None, None, ""), WasteRules(jz="none")),
        (_record(4, 4, None, ""), WasteRules(jz="none")),
        (_record(4, 10, None), WasteRules(jw=False, jz="none")),
        (_record(4, 10, None), WasteRules(exempt="it is packaged")),
    ],
)
def test_what_no_rule_asks_about_passes_in_silence(record: Record, rules: WasteRules) -> None:
    answer = decide(record, rules)
    assert (answer.findings, answer.modifier, answer.discarded) == ((), "", 0)


def test_general_knowledge_alone_stops_no_claim() -> None:
    rules = WasteRules(citations=(Citation("own-review", "x", "low"),))
    (finding,) = decide(_record("7.7", 10, None), rules).findings
    assert (finding.rule, finding.severity) == ("waste-unaccounted", "warn")


def test_a_payer_without_jw_gets_no_second_line() -> None:
    answer = decide(_record(7, 10, 3), WasteRules(jw=False))
    assert answer == Waste(7, 0, "JZ", Fraction(3), (), answer.trace)


@pytest.mark.parametrize(
    ("given", "label", "discarded", "says"),
    [
        ("7.7", 10, "2.3", "JW x 2"),
        ("9.5", 10, "0.5", "one unit covers the rest"),
        ("0.7", 1, "0.3", "one unit covers the rest"),
        ("11.5", "12.5", 1, "one unit covers the rest"),
        (40, 40, None, "no discarded unit to bill"),
    ],
)
def test_the_steps_say_how_the_modifier_came_about(given: object, label: object, discarded: object, says: str) -> None:
    assert says in decide(_record(given, label, discarded), WasteRules()).trace.text()


def test_less_than_a_unit_discarded_is_said() -> None:
    said = decide(_record(40, 100, "0.5", shared=True), WasteRules()).trace.text()
    assert "less than one unit was discarded" in said


# --- from text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dose", "per", "opened", "discarded", "lines"),
    [
        ("77 mg", "10 mg", ["100 mg"], "23 mg", "8, and 2 with JW"),
        ("0.077 g", "10 mg", ["100 mg"], "23000 mcg", "8, and 2 with JW"),
        ("280 mg", "1 mg", ["80 mg", "200 mg"], None, "280 with JZ"),
        ("95 units", "1 units", ["100 units"], "5 units", "95, and 5 with JW"),
        ("400 mg", "10 mg", ["400 mg"], "0 mg", "40 with JZ"),
    ],
)
def test_amounts_are_read_in_any_unit(
    dose: str, per: str, opened: list[str], discarded: str | None, lines: str
) -> None:
    assert vials.waste(dose, per, opened, discarded).as_text() == lines


def test_amounts_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(UnitMismatch):
        vials.waste("77 mg", "10 units", ["100 mg"], "23 mg")
    with pytest.raises(ContainerError, match="No container"):
        vials.waste("77 mg", "10 mg", [])


@pytest.mark.parametrize("zero", ["0 mg", "0mg", "0.0 mL", " 0 units ", "00 mcg"])
def test_nothing_discarded_is_a_record(zero: str) -> None:
    assert vials.thrown_away(zero).amount == 0


@pytest.mark.parametrize("junk", ["0", "none", "", "-1 mg", "0 bananas", "0,5 mg"])
def test_what_is_no_amount_is_refused(junk: str) -> None:
    with pytest.raises(DoseError):
        vials.thrown_away(junk)


# --- the best fit --------------------------------------------------------------------------------------


def _brute_force(sizes: list[int], need: int) -> tuple[int, int]:
    """The least total and then the fewest containers, by trying every combination."""
    ranges = [range(need // size + 2) for size in sizes]
    return min(
        (total, sum(counts))
        for counts in itertools.product(*ranges)
        if (total := sum(n * size for n, size in zip(counts, sizes, strict=True))) >= need
    )


@given(st.lists(st.integers(2, 25), min_size=1, max_size=4, unique=True), st.integers(1, 40))
def test_the_best_fit_is_never_beaten_by_brute_force(sizes: list[int], need: int) -> None:
    fit = vials.best_fit(f"{need} mg", [f"{size} mg" for size in sizes])
    assert (int(fit.total.amount), fit.count) == _brute_force(sizes, need)
    assert fit.waste.amount == fit.total.amount - need


@given(
    st.lists(st.integers(1, 25), min_size=1, max_size=3, unique=True),
    st.integers(1, 70),
    st.fractions(min_value=Fraction(1, 50), max_value=50, max_denominator=50),
)
def test_the_best_fit_does_not_depend_on_the_scale(sizes: list[int], need: int, scale: Fraction) -> None:
    plain = vials.best_fit(vials.Dose(Fraction(need), "mg"), [vials.Dose(Fraction(s), "mg") for s in sizes])
    scaled = vials.best_fit(vials.Dose(need * scale, "mg"), [vials.Dose(s * scale, "mg") for s in sizes])
    assert scaled.waste.amount == plain.waste.amount * scale
    assert [count for _, count in scaled.containers] == [count for _, count in plain.containers]


@pytest.mark.parametrize(
    ("dose", "sizes", "shown"),
    [
        ("305 mg", ["100 mg", "400 mg"], "1 x 400 mg = 400 mg, 95 mg left over"),
        ("300 mg", ["100 mg", "400 mg"], "3 x 100 mg = 300 mg, 0 mg left over"),
        ("280 mg", ["80 mg", "200 mg", "400 mg"], "1 x 200 mg + 1 x 80 mg = 280 mg, 0 mg left over"),
        ("120000 units", ["2000 units", "10000 units"], "12 x 10000 units = 120000 units, 0 units left over"),
        ("120000 units", ["1 units", "7 units", "40000 units"], "3 x 40000 units = 120000 units, 0 units left over"),
        ("0.35 mg", ["0.1 mg", "0.25 mg"], "1 x 0.25 mg + 1 x 0.1 mg = 0.35 mg, 0 mg left over"),
        ("1 g", ["250 mg", "2 g"], "4 x 250 mg = 1 g, 0 g left over"),
        ("1 mg", ["100 mg"], "1 x 100 mg = 100 mg, 99 mg left over"),
        ("1000000000 units", ["100003 units", "50021 units"], None),
    ],
)
def test_a_fit_is_exact_for_any_amount(dose: str, sizes: list[str], shown: str | None) -> None:
    fit = vials.best_fit(dose, sizes)
    assert shown is None or str(fit) == shown
    assert fit.total.amount >= fit.dose.amount
    assert fit.as_dict()["waste"] == str(fit.waste)


@pytest.mark.parametrize(
    ("dose", "sizes"),
    [
        ("77 mg", ["100.0000001 mg", "400 mg"]),
        ("77777 mg", [f"{size} mg" for size in range(1, 1001)]),
        ("99999999999 mg", ["9973 mg", "9967 mg", "9949 mg", "9941 mg", "9931 mg"]),
    ],
)
def test_sizes_that_would_take_for_ever_to_compare_are_refused_at_once(dose: str, sizes: list[str]) -> None:
    began = time.process_time()
    with pytest.raises(ContainerError, match=r"no common measure|More than 50"):
        vials.best_fit(dose, sizes)
    assert time.process_time() - began < 10


def test_the_alternatives_say_what_each_size_alone_would_waste() -> None:
    best, *others = vials.fits("350 mg", ["100 mg", "400 mg", "150 mg"])
    assert str(best) == "1 x 150 mg + 2 x 100 mg = 350 mg, 0 mg left over"
    assert [str(fit) for fit in others] == [
        "1 x 400 mg = 400 mg, 50 mg left over",
        "4 x 100 mg = 400 mg, 50 mg left over",
        "3 x 150 mg = 450 mg, 100 mg left over",
    ]


def test_the_best_fit_stands_once_when_it_is_a_single_size() -> None:
    fits = vials.fits("400 mg", ["400 mg", "100 mg"])
    assert [str(fit).split(" = ")[0] for fit in fits] == ["1 x 400 mg", "4 x 100 mg"]


def test_sizes_that_cannot_hold_the_dose_are_refused() -> None:
    with pytest.raises(ContainerError, match="cannot hold"):
        vials.best_fit("100 mg", ["10 mL"])
    with pytest.raises(ContainerError, match="No container size"):
        vials.best_fit("100 mg", [])


# --- kinds of container -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["multi-dose", "bulk"])
def test_what_stays_in_use_is_never_wasted(kind: str) -> None:
    for discarded in (None, "0 mg", "1800 mg"):
        found = vials.waste("200 mg", per="1 mg", opened=["2000 mg"], discarded=discarded, kind=kind)
        assert (found.administered, found.discarded, found.modifier) == (200, 0, "")


@pytest.mark.parametrize("kind", ["Multi-Dose", "multi dose", "MDV", "single", "SINGLE-DOSE", "vial"])
def test_a_kind_outside_the_closed_list_is_refused(kind: str) -> None:
    with pytest.raises(ContainerError, match="single-dose, multi-dose, bulk") as why:
        vials.waste("200 mg", per="1 mg", opened=["2000 mg"], discarded="1800 mg", kind=kind)
    assert kind in str(why.value)


def test_a_pharmacy_bulk_package_in_a_charge_takes_neither_jw_nor_jz() -> None:
    one = {
        "drug": "J0696",
        "dose": "1 g",
        "route": "IM",
        "container": "bulk",
        "containers": 1,
        "container_amount": "10 g",
        "discarded": "9 g",
    }
    claim = jc.charge({"on": "2026-03-02", "place": "11", "administrations": [one]})
    assert [(n.code, n.modifiers, n.units) for n in claim.lines if n.code == "J0696"] == [("J0696", (), 4)]
    assert "multi-dose-waste" in {f.rule for f in claim.findings}
