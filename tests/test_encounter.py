"""An encounter is read strictly, and what was read can be written and read again."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
from decimal import Decimal
from typing import Any

import attrs
import jsonschema
import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jcodeunits import encounter as reader
from jcodeunits import routes
from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.dated import Citation
from jcodeunits.dose import Dose
from jcodeunits.encounter import Administration, Encounter, OpenedProduct, Visit
from jcodeunits.errors import DateError, EncounterError
from jcodeunits.facts.reference import Stamp
from jcodeunits.finding import Finding
from jcodeunits.keys import route

SMALLEST: dict[str, Any] = {
    "on": "2026-03-02",
    "place": "11",
    "administrations": [{"drug": "ketorolac", "dose": "30 mg", "route": "IM"}],
}

FULL: dict[str, Any] = {
    "on": "2026-03-02",
    "place": "11",
    "payer": "medicare",
    "claim": "professional",
    "visit": {"code": "99213", "separate": True},
    "supervision": "direct",
    "services": ["20610", {"code": "93000", "units": 2, "modifiers": ["59"]}],
    "diagnoses": ["F11.20", "m5416"],
    "patient": {"weight": "70 kg", "surface": "1.7 m2"},
    "charge_amounts": {"99213": "120.00"},
    "revenue_codes": {"99213": "0510"},
    "administrations": [
        {
            "drug": "J2315",
            "dose": "380 mg",
            "route": "IM",
            "site": "left gluteal",
            "products": [{"ndc": "65757-0300-01", "containers": 1, "discarded": "0 mg"}],
            "container": "single-dose",
            "diagnoses": ["F11.20"],
            "time": "09:30",
            "order": "1",
            "documented": ["order", "lot"],
            "charge_amount": "1500.00",
            "revenue_code": "0636",
        }
    ],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """FULL with one value put at a dotted path."""
    data = copy.deepcopy(FULL)
    *way, last = path.split(".")
    here: Any = data
    for step in way:
        here = here[int(step)] if step.isdigit() else here[step]
    here[int(last) if last.isdigit() else last] = value
    return data


def test_defaults_are_those_of_the_contract() -> None:
    encounter = Encounter.from_dict(SMALLEST)
    assert (encounter.payer, encounter.claim, encounter.supervision) == ("medicare", "professional", "direct")
    assert encounter.visit is None
    assert encounter.resident is False
    given_ = encounter.administrations[0]
    assert (given_.purpose, given_.performed_by, given_.supplied_by) == ("therapeutic", "staff", "practice")
    assert (given_.self_administered, given_.shared) == (False, False)
    assert given_.documented is None  # not judged
    assert given_.products == ()


def test_every_value_lands_where_it_belongs() -> None:
    encounter = Encounter.from_dict(FULL)
    assert encounter.on == dt.date(2026, 3, 2)
    assert encounter.visit == Visit("99213", True)
    assert [(s.code, s.units, s.modifiers) for s in encounter.services] == [("20610", 1, ()), ("93000", 2, ("59",))]
    assert encounter.diagnoses == ("F11.20", "M54.16")
    assert encounter.charge_amounts == (("99213", Decimal("120.00")),)
    given_ = encounter.administrations[0]
    assert given_.products == (OpenedProduct("65757-0300-01", 1, None, "0 mg"),)
    assert given_.documented == ("order", "lot")
    assert given_.charge_amount == Decimal("1500.00")


def test_a_single_product_may_stand_in_the_administration() -> None:
    data = changed(
        "administrations.0",
        {
            "drug": "J9035",
            "dose": "77 mg",
            "route": "IV",
            "ndc": "50242-0060-01",
            "containers": 1,
            "container_amount": "100 mg",
            "discarded": "23 mg",
        },
    )
    products = Encounter.from_dict(data).administrations[0].products
    assert products == (OpenedProduct("50242-0060-01", 1, "100 mg", "23 mg"),)


def test_both_ways_to_name_the_product_at_once_are_refused() -> None:
    with pytest.raises(EncounterError, match="not in both"):
        Encounter.from_dict(changed("administrations.0.ndc", "65757-0300-01"))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("plase", "11", "'plase'.*Did you mean 'place'"),
        ("administrations.0.rout", "IM", "'rout'.*Did you mean 'route'"),
        ("administrations.0.products.0.colour", "1", r"administrations\[0\].products\[0\]: unknown key 'colour'"),
        ("visit.seperate", True, "Did you mean 'separate'"),
        ("patient.height", "2 m", "weight, surface"),
        ("place", 11, 'two digits as text, such as "11"'),
        ("place", "1", "two digits"),
        ("place", "١١", "two digits"),
        ("claim", "dental", "professional, outpatient"),
        ("supervision", "remote", "direct, virtual, general, none"),
        ("resident", "yes", "true, false"),
        ("visit.separate", 1, "true, false"),
        ("visit.code", "9921", "five characters"),
        ("visit", 99213, "not a JSON object"),
        ("services", "20610", "not a list"),
        ("services.1.units", 0, "above 0"),
        ("services.1.units", True, "above 0"),
        ("services.1.modifiers", ["XSS"], "two characters"),
        ("diagnoses", ["pain"], "ICD-10-CM"),
        ("diagnoses", {"F11.20": 1}, "not a list"),
        ("payer", "", "not text"),
        ("administrations", None, "'administrations' is missing"),
        ("administrations", {}, "not a list"),
        ("administrations.0.drug", "  ", "not text"),
        ("administrations.0.dose", 30, r"administrations\[0\].dose: 30 is not a dose with its unit"),
        ("administrations.0.dose", None, "'dose' is missing"),
        ("administrations.0.route", "IX", "IM, SC, ID"),
        ("administrations.0.route", 5, "IM, SC, ID"),
        ("administrations.0.purpose", "fun", "therapeutic, prophylactic"),
        ("administrations.0.container", "vial", "single-dose, multi-dose"),
        ("administrations.0.form", "gas", "liquid, powder, kit, cream"),
        ("administrations.0.products.0.containers", -1, "above 0"),
        ("administrations.0.products.0.containers", 1.5, "above 0"),
        ("administrations.0.products.0.discarded", 0, "amount with its unit"),
        ("administrations.0.time", "9:30", "time of day"),
        ("administrations.0.time", "25:00", "time of day"),
        ("administrations.0.performed_by", "robot", "staff, practitioner"),
        ("administrations.0.supplied_by", "friend", "practice, patient, 340b"),
        ("administrations.0.shared", "no", "true, false"),
        ("administrations.0.documented", ["mood"], "order, drug, dose"),
        ("administrations.0.charge_amount", "free", "amount of money"),
        ("administrations.0.charge_amount", "-1", "amount of money"),
        ("administrations.0.charge_amount", "1.005", "amount of money"),
        ("administrations.0.charge_amount", True, "amount of money"),
        ("administrations.0.charge_amount", "NaN", "amount of money"),
        ("administrations.0.revenue_code", "636", "four digits"),
        ("charge_amounts", ["99213"], "object by code"),
        ("charge_amounts.992", "1", "five characters"),
    ],
)
def test_an_unknown_key_or_value_is_named_with_what_is_allowed(path: str, value: object, says: str) -> None:
    with pytest.raises(EncounterError, match=says) as caught:
        Encounter.from_dict(changed(path, value))
    assert caught.value.path


@pytest.mark.parametrize("data", [None, [], "x", 3, SMALLEST["administrations"]])
def test_what_is_no_object_is_refused(data: object) -> None:
    with pytest.raises(EncounterError, match="not a JSON object"):
        Encounter.from_dict(data)


@pytest.mark.parametrize(
    ("key", "value", "told"), [("place", None, "'place' is missing"), ("plase", "11", "Did you mean 'place'")]
)
def test_what_is_wrong_outside_is_told_before_what_is_wrong_inside(key: str, value: object, told: str) -> None:
    given = {"on": "2026-03-02", key: value, "administrations": [{"drug": "ketorolac"}]}
    with pytest.raises(EncounterError, match=told):
        Encounter.from_dict(given)


@pytest.mark.parametrize("key", ["on", "place", "administrations"])
def test_what_is_required_is_missed(key: str) -> None:
    data = {name: value for name, value in SMALLEST.items() if name != key}
    with pytest.raises(EncounterError, match=f"'{key}' is missing"):
        Encounter.from_dict(data)


def test_a_date_that_is_none_names_the_key() -> None:
    with pytest.raises(DateError, match="on: '2026-02-30'"):
        Encounter.from_dict({**SMALLEST, "on": "2026-02-30"})


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("IM", "IM"),
        ("im", "IM"),
        ("Intramuscular", "IM"),
        ("78421000", "IM"),
        ("SQ", "SC"),
        ("subcut", "SC"),
        ("subcutaneous", "SC"),
        ("34206005", "SC"),
        ("47625008", "IV"),
        ("IV", "IV"),
        ("intravenous", "IV"),
        ("iv  push", "IV push"),
        ("IVP", "IV push"),
        ("IVPB", "IV infusion"),
        ("ID", "ID"),
        ("PO", "oral"),
        ("IA", "intra-arterial"),
    ],
)
def test_usual_spellings_and_codes_of_a_route_are_the_same(written: str, means: str) -> None:
    assert route(written) == means
    assert Administration("J1885", "30 mg", written).route == means


def test_types_built_directly_refuse_too() -> None:
    with pytest.raises(EncounterError, match="therapeutic"):
        Administration("J1885", "30 mg", "IM", purpose="fun")
    with pytest.raises(EncounterError, match="professional"):
        Encounter("2026-03-02", "11", claim="dental")
    with pytest.raises(EncounterError, match="known route"):
        Administration("J1885", "30 mg", "sideways")


def test_a_dose_and_a_pint_quantity_are_taken_as_they_are() -> None:
    quantity = pint.UnitRegistry().Quantity("30 mg")
    assert Administration("J1885", quantity, "IM").dose == Dose.of("30 mg")
    assert Administration("J1885", Dose.of("30 mg"), "IM").dose == Dose.of("30 mg")


@pytest.mark.parametrize(("start", "stop", "minutes"), [("09:00", "10:31", 91), ("23:50", "00:10", 20)])
def test_minutes_run_over_midnight(start: str, stop: str, minutes: int) -> None:
    assert Administration("J1745", "400 mg", "IV infusion", start=start, stop=stop).minutes == minutes
    assert Administration("J1745", "400 mg", "IV infusion", start=start).minutes is None


texts = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=12)
administrations = st.fixed_dictionaries(
    {"drug": texts, "dose": texts, "route": st.sampled_from(routes.NAMES)},
    optional={
        "purpose": st.sampled_from(reader.PURPOSES),
        "site": texts,
        "container": st.sampled_from(reader.CONTAINERS),
        "products": st.lists(st.fixed_dictionaries({"ndc": texts}, optional={"containers": st.integers(1, 9)})),
        "documented": st.lists(st.sampled_from(reader.DOCUMENTED), unique=True),
        "separate": st.booleans(),
        "time": st.times().map(lambda t: t.strftime("%H:%M")),
        "charge_amount": st.integers(0, 10**6).map(lambda cents: f"{cents / 100:.2f}"),
    },
)
encounters = st.fixed_dictionaries(
    {
        "on": st.dates(dt.date(2010, 1, 1), dt.date(2030, 1, 1)).map(str),
        "place": st.integers(0, 99).map("{:02d}".format),
        "administrations": st.lists(administrations, max_size=3),
    },
    optional={
        "payer": st.sampled_from(["medicare", "medicaid", "commercial"]),
        "claim": st.sampled_from(reader.CLAIMS),
        "visit": st.fixed_dictionaries({"code": st.just("99213")}, optional={"separate": st.booleans()}),
        "services": st.lists(st.sampled_from(["20610", {"code": "93000", "units": 2, "modifiers": ["59"]}])),
        "diagnoses": st.lists(st.sampled_from(["D51.0", "F1120", "Z23"])),
        "resident": st.booleans(),
        "patient": st.just({"weight": "70 kg"}),
        "revenue_codes": st.just({"99213": "0510"}),
    },
)


@settings(max_examples=60)
@given(encounters)
def test_what_is_written_reads_back_to_the_same_encounter(data: dict[str, Any]) -> None:
    encounter = Encounter.from_dict(data)
    again = Encounter.from_dict(json.loads(json.dumps(encounter.as_dict())))
    assert again == encounter
    assert hash(again) == hash(encounter)
    assert pickle.loads(pickle.dumps(encounter)) == encounter
    for made in (encounter, *encounter.administrations):  # its values are as its constructor would leave them
        constructed = attrs.evolve(made)
        assert vars(constructed) == vars(made)
        assert list(map(type, vars(constructed).values())) == [type(vars(made)[name]) for name in vars(constructed)]


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*FULL, *FULL["administrations"][0], "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_junk_is_refused_with_a_typed_error_and_never_a_traceback(data: object) -> None:
    with pytest.raises((EncounterError, DateError)) as caught:
        Encounter.from_dict(data)
    assert str(caught.value)


def test_the_schema_holds_every_key_that_is_read_and_no_other() -> None:
    schema = Encounter.schema()
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["on", "place", "administrations"]
    for key in schema["properties"]:
        with pytest.raises((EncounterError, DateError)) as caught:
            Encounter.from_dict({**SMALLEST, key: object()})
        assert "unknown key" not in str(caught.value)
    inner = schema["properties"]["administrations"]["items"]
    assert inner["required"] == ["drug", "dose", "route"]
    assert set(FULL["administrations"][0]) <= set(inner["properties"])
    assert inner["properties"]["purpose"]["default"] == "therapeutic"


def test_the_schema_accepts_what_is_read() -> None:
    jsonschema.validate(Encounter.from_dict(FULL).as_dict(), Encounter.schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**FULL, "plase": "11"}, Encounter.schema())


def test_a_charge_reads_as_the_contract_has_it() -> None:
    line = Line(
        "J1885",
        ("JZ",),
        2,
        "00409379501",
        "ML",
        Decimal("1"),
        ("R52",),
        kind="drug",
        label="ketorolac",
        extra_ndcs=(ExtraNdc("00409379601", "ML", Decimal("1.50")),),
        charge_amount=Decimal("7.10"),
        revenue_code="0636",
        description="what it stands for",
    )
    finding = Finding("x", "stop", "It is wrong.", "Right it.", (Citation("y", "z"),), 1)
    charge = Charge((line,), (finding,), Encounter.from_dict(SMALLEST), Stamp("HCPCS 2026 Q3", "abc"))
    plain = json.loads(json.dumps(charge.as_dict()))
    assert charge.ok is plain["ok"] is False
    assert {"lines", "findings", "edition", "fingerprint", "ok"} == set(plain)
    assert (
        plain["lines"][0]
        | {
            "code": "J1885",
            "modifiers": ["JZ"],
            "units": 2,
            "ndc": "00409379501",
            "ndc_qualifier": "ML",
            "ndc_quantity": "1",
            "diagnoses": ["R52"],
            "charge_amount": "7.10",
        }
        == plain["lines"][0]
    )
    assert plain["lines"][0]["extra_ndcs"] == [{"ndc": "00409379601", "ndc_qualifier": "ML", "ndc_quantity": "1.50"}]
    assert plain["findings"][0]["citations"] == ["y, z"]
    text = charge.explain()
    assert "1. J1885-JZ x 2  ketorolac" in text
    assert "stop: x (line 1)" in text
    assert Charge((line,), (), charge.encounter).ok
