"""Facts beside a message: what it does not say, or says in words that nobody knows, is filled and noted.

What it does say may only become more exact: another drug, dose, route, day or concentration is refused.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest
from shipped import REFERENCE

from jcodeunits.charging import charge
from jcodeunits.claim import Charge
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import fhir, hl7v2
from jcodeunits.formats._names import relation

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SAYS: dict[str, Any] = {"drug": "ketorolac", "dose": ("30", "mg"), "route": "IM", "on": "20260302", "status": "CP"}


def message(form: str, **other: Any) -> str:
    says = {**SAYS, **other}
    value, unit = says["dose"]
    if form == "hl7v2":
        return "\r".join(
            [
                "MSH|^~\\&|MAR|C|B|C|20260302||RAS^O17^RAS_O17|1|P|2.5.1",
                "PID|1||P1",
                f"RXA|0|1|{says['on']}||{says.get('code') or '^' + says['drug']}|{value}|{unit}|||||||||||||{says['status']}|A",
                f"RXR|{says['route']}",
            ]
        )
    on = says["on"]
    day = "-".join(part for part in (on[:4], on[4:6], on[6:]) if part)
    concept = {"coding": [{"system": RXNORM, "code": "35827"}]} if says.get("code") else {"text": says["drug"]}
    quantity = {"value": json.loads(value), "unit": unit} if value else {}
    return json.dumps(
        {
            "resourceType": "MedicationAdministration",
            "id": "a1",
            "status": {"CP": "completed", "": "unknown"}[says["status"]],
            "medicationCodeableConcept": concept,
            "effectiveDateTime": day,
            "dosage": {"route": {"text": says["route"]} if says["route"] else {}, "dose": quantity},
        }
    )


def read(form: str, text: str, **beside: Any) -> Encounter:
    found = {"fhir": fhir, "hl7v2": hl7v2}[form].read(text, place="11", diagnoses=["R52"], **beside)
    assert isinstance(found, Encounter)
    return found


def billed(made: Charge) -> list[tuple[str, int]]:
    return [(line.code, line.units) for line in made.lines]


# What the message has instead, the fact beside it that fills it, and one that what it does say contradicts.
GAPS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]] = {
    "a drug by a code alone": ({"code": "35827^^RXNORM"}, {"drug": "ketorolac"}, None),
    "a drug that nobody knows": ({"drug": "house mixture 7"}, {"drug": "ketorolac"}, None),
    "a text with a known drug in it": (
        {"drug": "ketorolac syringe of ward 7"},
        {"drug": "Toradol"},
        {"drug": "ceftriaxone"},
    ),
    "no dose": ({"dose": ("", "")}, {"dose": "30 mg"}, None),
    "no unit": ({"dose": ("30", "")}, {"dose": "30 mg"}, {"dose": "60 mg"}),
    "a unit that nobody knows": ({"dose": ("1", "AMP")}, {"dose": "30 mg"}, None),
    "no route": ({"route": ""}, {"route": "IM"}, None),
    "a route that nobody knows": ({"route": "OTH"}, {"route": "IM"}, None),
    "a month": ({"on": "202603"}, {"on": "2026-03-02"}, {"on": "2026-04-02"}),
    "a year": ({"on": "2026"}, {"on": "2026-03-02"}, {"on": "2025-03-02"}),
    "no status": ({"status": ""}, {"completed": True}, None),
}


@pytest.mark.parametrize("form", ["fhir", "hl7v2"])
@pytest.mark.parametrize("gap", GAPS)
def test_what_is_not_known_is_asked_by_its_keyword_and_filled_by_it(form: str, gap: str) -> None:
    other, fills, contradicts = GAPS[gap]
    text = message(form, **other)
    key = next(iter(fills))
    if "drug" not in other:
        with pytest.raises(FormatError, match=rf"{key}="):
            read(form, text)
    made = charge(read(form, text, **fills))
    assert billed(made) == [("96372", 1), ("J1885", 2)]
    unread = bool(text) and not gap.startswith(("no route", "no status"))
    assert ("said-beside" in {finding.rule for finding in made.findings}) is unread
    if contradicts is not None:
        with pytest.raises(FormatError, match="says"):
            read(form, text, **contradicts)


@pytest.mark.parametrize("form", ["fhir", "hl7v2"])
@pytest.mark.parametrize(
    "beside",
    [
        {"drug": "ketorolac"},
        {"drug": "J1885"},
        {"drug": "Toradol"},
        {"drug": "0409-3795-01"},
        {"dose": "30 mg"},
        {"dose": "30.0 mg"},
        {"dose": "0.03 g"},
        {"route": "intramuscular"},
        {"on": "2026-03-02"},
    ],
    ids=str,
)
def test_the_same_fact_and_a_more_exact_one_are_read(form: str, beside: dict[str, str]) -> None:
    made = charge(read(form, message(form), **beside))
    assert billed(made) == [("96372", 1), ("J1885", 2)]
    assert "said-beside" not in {finding.rule for finding in made.findings}


@pytest.mark.parametrize("form", ["fhir", "hl7v2"])
@pytest.mark.parametrize(
    "beside",
    [
        {"drug": "ceftriaxone"},
        {"drug": "J0696"},
        {"drug": "Rocephin"},
        {"drug": "J3490"},
        {"drug": "ketorolak"},
        {"dose": "60 mg"},
        {"dose": "30 mcg"},
        {"route": "SC"},
        {"on": "2026-03-03"},
    ],
    ids=str,
)
def test_another_fact_is_a_contradiction_and_never_billed(form: str, beside: dict[str, str]) -> None:
    with pytest.raises(FormatError, match="says"):
        read(form, message(form), **beside)


@pytest.mark.parametrize("form", ["fhir", "hl7v2"])
def test_an_ndc_beside_of_another_drug_stops_the_line(form: str) -> None:
    made = charge(read(form, message(form), ndc="00781-3208-85"))
    assert "J1885" not in {line.code for line in made.lines} or not made.ok


# Name in the message, name beside it, what the second is to the first.
NAMES = [
    ("bevacizumab", "Q5107", "exact"),
    ("Mvasi", "bevacizumab", "vague"),
    ("Mvasi", "Zirabev", "other"),
    ("bevacizumab", "infliximab-dyyb", "other"),
    ("epoetin alfa", "Q4081", "exact"),
    ("J0885", "Q4081", "other"),
    ("0409-3795-01", "ketorolac", "same"),
    ("0409-3795-01", "ceftriaxone", "other"),
    ("piperacillin / tazobactam", "Zosyn", "same"),
    ("naltrexone (Vivitrol)", "J2315", "same"),
    ("ketorolac (TORADOL) injection 30 mg", "ceftriaxone", "other"),
    ("MS", "morphine", "unknown"),
]


@pytest.mark.parametrize(("said", "value", "is_"), NAMES)
def test_names_are_one_drug_or_two(said: str, value: str, is_: str) -> None:
    assert relation(said, value, REFERENCE) == is_


def test_the_more_exact_drug_of_the_message_stays() -> None:
    made = charge(read("fhir", message("fhir", drug="Mvasi", dose=("100", "mg"), route="IV push"), drug="bevacizumab"))
    assert ("Q5107", 10) in billed(made)


# --- whose strength it is ---------------------------------------------------------------------------


def strength(top: str, bottom: str) -> dict[str, Any]:
    pairs = [
        dict(zip(("value", "unit"), (json.loads(n), unit), strict=True)) for n, unit in (top.split(), bottom.split())
    ]
    return {"strength": {"numerator": pairs[0], "denominator": pairs[1]}}


def part(name: str, *ratio: str, **more: Any) -> dict[str, Any]:
    return {"itemCodeableConcept": {"text": name}, **(strength(*ratio) if ratio else {}), **more}


LIDOCAINE = part("lidocaine", "10 mg", "1 mL", isActive=False)
DEXTROSE = part("dextrose 5% in water", "50 mL", "50 mL")
STRENGTHS: dict[str, tuple[dict[str, Any], str | None]] = {
    "its own": ({"ingredient": [part("ceftriaxone", "250 mg", "1 mL")]}, "250 mg/1 mL"),
    "its own by brand": (
        {"ingredient": [part("Rocephin", "250 mg", "1 mL"), part("lidocaine", "10 mg", "1 mL")]},
        "250 mg/1 mL",
    ),
    "its own by the name of a reference": (
        {"ingredient": [{"itemReference": {"display": "ceftriaxone"}, **strength("250 mg", "1 mL")}, LIDOCAINE]},
        "250 mg/1 mL",
    ),
    "R5's reference": (
        {
            "ingredient": [
                {
                    "item": {"reference": {"display": "ceftriaxone"}},
                    "strengthRatio": strength("250 mg", "1 mL")["strength"],
                },
                LIDOCAINE,
            ]
        },
        "250 mg/1 mL",
    ),
    "of a vial, beside a diluent in mL": ({"ingredient": [part("ceftriaxone", "1 g", "1 vial"), LIDOCAINE]}, None),
    "the same, the diluent not marked": (
        {"ingredient": [part("ceftriaxone", "1 g", "1 vial"), part("lidocaine", "10 mg", "1 mL")]},
        None,
    ),
    "of a diluent alone": ({"ingredient": [LIDOCAINE]}, None),
    "of a dose": ({"ingredient": [part("ceftriaxone", "1 g", "1 dose")]}, None),
    "beside a base": ({"ingredient": [part("ceftriaxone", "1 g", "50 mL"), DEXTROSE]}, "1 g/50 mL"),
    "a base's": ({"ingredient": [part("ceftriaxone"), DEXTROSE]}, None),
    "a base's in mg": ({"ingredient": [part("ceftriaxone"), part("dextrose", "50 mg", "1 mL")]}, None),
    "a volume in a volume": ({"ingredient": [part("ceftriaxone", "10 mL", "50 mL")]}, None),
    "of another drug alone": ({"ingredient": [part("lidocaine", "10 mg", "1 mL")]}, None),
    "of a second active drug": (
        {"ingredient": [part("house mix", "2 mg", "1 mL"), part("house mix 2", "2 mg", "1 mL")]},
        None,
    ),
    "less than": (
        {
            "ingredient": [
                part(
                    "ceftriaxone",
                    strength={
                        "numerator": {"value": 1, "unit": "g", "comparator": "<"},
                        "denominator": {"value": 1, "unit": "mL"},
                    },
                )
            ]
        },
        None,
    ),
    "of the product": ({"amount": strength("1 g", "4 mL")["strength"]}, "1 g/4 mL"),
    "of the product, beside a diluent": (
        {"amount": strength("1 g", "4 mL")["strength"], "ingredient": [part("ceftriaxone"), LIDOCAINE]},
        "1 g/4 mL",
    ),
    "of a mixture": (
        {"amount": strength("1 g", "4 mL")["strength"], "ingredient": [part("ceftriaxone"), part("lidocaine")]},
        None,
    ),
    "STU3's amount of the ingredient": (
        {"ingredient": [part("ceftriaxone", amount=strength("1 g", "4 mL")["strength"]), LIDOCAINE]},
        "1 g/4 mL",
    ),
    "R5's whole volume": (
        {
            "totalVolume": {"value": 4, "unit": "mL"},
            "ingredient": [part("ceftriaxone", strengthQuantity={"value": 1, "unit": "g"})],
        },
        "1 g/4 mL",
    ),
    "R5's amount without a volume": (
        {"ingredient": [part("ceftriaxone", strengthQuantity={"value": 1, "unit": "g"})]},
        None,
    ),
}


def in_millilitres(medication: dict[str, Any]) -> str:
    given = json.loads(message("fhir", dose=("4", "mL")))
    del given["medicationCodeableConcept"]
    product = {"resourceType": "Medication", "id": "m1", "code": {"text": "ceftriaxone"}, **medication}
    return json.dumps({**given, "contained": [product], "medicationReference": {"reference": "#m1"}})


@pytest.mark.parametrize("name", STRENGTHS)
def test_a_strength_counts_only_for_the_drug_that_is_billed(name: str) -> None:
    medication, concentration = STRENGTHS[name]
    text = in_millilitres(medication)
    assert read("fhir", text).administrations[0].concentration == concentration
    if concentration is None:
        made = charge(read("fhir", text))
        assert not made.ok
        assert "concentration" in " ".join(f"{one.says} {one.fix}" for one in made.findings)
        made = charge(read("fhir", text, concentration="250 mg/mL"))
        assert ("J0696", 4) in billed(made)
    else:
        with pytest.raises(FormatError, match="says concentration"):
            read("fhir", text, concentration="10 mg/mL")


def test_one_strength_in_two_spellings_is_no_contradiction() -> None:
    text = in_millilitres({"ingredient": [part("ceftriaxone", "1 g", "4 mL")]})
    assert ("J0696", 4) in billed(charge(read("fhir", text, concentration="250 mg/mL")))


@pytest.mark.parametrize(
    ("fields", "concentration"),
    [
        ({13: "30", 14: "mg/mL"}, "30 mg/mL"),
        ({13: "60", 14: "mg", 23: "2", 24: "mL"}, "60 mg/2 mL"),
        ({13: "60", 14: "mg"}, None),
        ({13: "60", 14: "mg", 23: "1", 24: "vial"}, None),
        ({13: "60", 14: "mg/vial"}, None),
        ({13: "5", 14: "mL/mL"}, None),
        ({13: "5", 14: "mL", 23: "50", 24: "mL"}, None),
    ],
)
def test_rxa_strengths_go_through_the_same_door(fields: dict[int, str], concentration: str | None) -> None:
    rows = message("hl7v2", dose=("1", "mL")).split("\r")
    rxa = rows[2].split("|")
    for at, value in fields.items():
        rxa += [""] * (at + 1 - len(rxa))
        rxa[at] = value
    rows[2] = "|".join(rxa)
    assert read("hl7v2", "\r".join(rows)).administrations[0].concentration == concentration


# --- findings of reading ----------------------------------------------------------------------------


def test_what_was_found_while_reading_stands_among_the_charges_findings() -> None:
    rows = message("hl7v2").split("\r")
    rxa = rows[2].split("|")
    rxa[15:17] = ["L1", "20260228"]
    text = "\r".join([*rows[:2], "|".join(rxa), *rows[3:]])
    found = read("hl7v2", text)
    assert [one.rule for one in found.findings] == ["product-expired"]
    assert "product-expired" in {one.rule for one in charge(found).findings}
    assert hl7v2.reading(text, place="11").findings == found.findings
    assert Encounter.from_dict(found.as_dict()) == found


@pytest.mark.parametrize(
    "pointer", [{"medicationReference": {"reference": "Medication/x"}}, {"medication": {"reference": "Medication/x"}}]
)
def test_a_medication_that_is_not_in_the_message_is_named_beside_it(pointer: dict[str, Any]) -> None:
    record = {key: value for key, value in json.loads(message("fhir")).items() if not key.startswith("medication")}
    with pytest.raises(FormatError, match=r"does not hold; give it in medications=\[\.\.\.\]\. Or give drug="):
        fhir.read(json.dumps({**record, **pointer}), place="11")
    found = fhir.read(json.dumps({**record, **pointer}), place="11", drug="ketorolac")
    assert (found.administrations[0].drug, [one.rule for one in found.findings]) == ("ketorolac", ["said-beside"])
    named = {"medicationReference": {"reference": "Medication/x", "display": "ketorolac 30 MG/ML injection"}}
    assert fhir.read(json.dumps({**record, **named}), place="11").administrations[0].drug == "ketorolac"


def test_an_end_that_cannot_be_right_is_given_beside_the_message() -> None:
    period = {"effectivePeriod": {"start": "2026-03-02T10:00:00-05:00", "end": "2026-03-05T10:00:00-05:00"}}
    record = {key: value for key, value in json.loads(message("fhir")).items() if not key.startswith("effective")}
    with pytest.raises(FormatError, match=r"lasts a day or more.*give stop="):
        fhir.read(json.dumps({**record, **period}), place="11")
    one = fhir.read(json.dumps({**record, **period}), place="11", stop="10:45").administrations[0]
    assert (one.start, one.stop) == ("10:00", "10:45")


def test_a_number_without_unit_says_which_dose_to_give() -> None:
    record = json.loads(message("fhir"))
    record["dosage"]["dose"] = {"value": 40}
    with pytest.raises(FormatError, match="give dose='40 mg' beside it"):
        fhir.read(json.dumps(record), place="11")


def test_a_further_drug_in_the_syringe_is_asked_about() -> None:
    def ingredient(name: str, amount: int) -> dict[str, Any]:
        strength = {"numerator": {"value": amount, "unit": "mg"}, "denominator": {"value": 1, "unit": "mL"}}
        return {"itemCodeableConcept": {"text": name}, "strength": strength}

    record = {key: value for key, value in json.loads(message("fhir")).items() if not key.startswith("medication")}
    parts = [ingredient("ketorolac", 30), ingredient("ondansetron", 2)]
    held = {"resourceType": "Medication", "id": "m", "code": {"text": "ketorolac"}, "ingredient": parts}
    found = fhir.read({**record, "contained": [held], "medicationReference": {"reference": "#m"}}, place="11")
    assert [(one.rule, "ondansetron" in one.says) for one in found.findings] == [("ingredient-unbilled", True)]
    alone = {**held, "ingredient": parts[:1]}
    assert not fhir.read(
        {**record, "contained": [alone], "medicationReference": {"reference": "#m"}}, place="11"
    ).findings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("administrations", 5),
        ("administrations", ["IM"]),
        ("medications", 5),
        ("partial", "yes"),
        ("completed", 1),
        ("zone", 5),
    ],
)
def test_what_stands_beside_and_is_of_another_kind_is_refused(name: str, value: Any) -> None:
    with pytest.raises(FormatError):
        read("fhir", message("fhir", on="20260302").replace("2026-03-02", "2026-03-02T10:00:00Z"), **{name: value})


@pytest.mark.parametrize("value", [5, "given", ["Given"]])
def test_a_senders_words_are_a_table(value: Any) -> None:
    with pytest.raises(FormatError, match="actions= must be an object"):
        read("hl7v2", message("hl7v2"), actions=value)


@pytest.mark.parametrize("form", ["fhir", "hl7v2"])
def test_a_number_longer_than_any_dose_is_not_shown(form: str) -> None:
    """A telephone number that slipped into the amount would stand in a log."""
    with pytest.raises(FormatError, match="a number of 11 digits has no unit") as why:
        read(form, message(form, dose=("98761234509", "")))
    assert "98761234509" not in f"{why.value} {why.value.fields}"
    assert read(form, message(form, dose=("98761234509", "")), dose="30 mg").administrations[0].dose == "30 mg"


GOOD = {
    "resourceType": "MedicationAdministration",
    "id": "a1",
    "status": "completed",
    "medicationCodeableConcept": {"text": "ketorolac"},
    "effectiveDateTime": "2026-03-02",
    "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
}
IN_ERROR = {"resourceType": "Medication", "id": "m", "status": "entered-in-error", "code": {"text": "ondansetron"}}
LACKING: list[dict[str, Any]] = [
    {"dosage": {}},
    {"dosage": {"route": {"text": "by pigeon"}}},
    {"dosage": {"route": {"text": "IM"}}, "effectiveDateTime": "2026-03"},
    {"dosage": {}, "medicationCodeableConcept": {"coding": [{"system": "urn:local", "code": "1"}]}},
    {"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-02T10:00:00", "end": "soon"}},
    {"medicationCodeableConcept": None, "contained": [IN_ERROR], "medicationReference": {"reference": "#m"}},
]


def followed(text: str, most: int = 8) -> Encounter:
    """The message with what each refusal names beside it, until it is read."""
    beside: dict[str, Any] = {}
    for _ in range(most):
        try:
            found = fhir.read(text, **beside)
            assert isinstance(found, Encounter)
            return found
        except FormatError as why:
            name, value = re.findall(r"\b([a-z]+)=('[^']*'|\[[^\]]*\])", str(why))[0]
            beside[name] = ast.literal_eval(value)
    raise AssertionError(f"not read with {beside}")


@pytest.mark.parametrize("lacking", LACKING, ids=str)
def test_what_each_refusal_names_mends_the_message_also_beside_another_record(lacking: dict[str, Any]) -> None:
    bad, other = {**GOOD, **lacking}, {**GOOD, "id": "a2", "effectiveDateTime": "2026-03-02T14:00:00"}
    assert len(followed(json.dumps(bad)).administrations) == 1
    for pair in ((bad, other), (other, bad)):
        entries = [{"resource": one} for one in pair]
        text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
        assert len(followed(text).administrations) == 2


def test_an_end_of_hl7_that_names_no_time_is_given_beside_it() -> None:
    text = "RXA|0|1|20260302101500|later|^ketorolac|30|mg|||||||||||||CP|A\rRXR|IM"
    with pytest.raises(FormatError, match=r"RXA-4: 'later' names no day\. Or give stop='11:30'"):
        hl7v2.read(text, place="11")
    assert hl7v2.read(text, place="11", stop="10:45").administrations[0].stop == "10:45"


@pytest.mark.parametrize("form", ["hl7v2", "fhir"])
@pytest.mark.parametrize("said", ["", "somehow"])
def test_an_error_names_a_route_that_the_drugs_text_allows(form: str, said: str) -> None:
    text = message(form, drug="dexamethasone 4 mg tablet", dose=("4", "mg"), route=said)
    with pytest.raises(FormatError) as caught:
        read(form, text)
    assert "‹route='oral'›" in caught.value.message
    assert read(form, text, route="oral").administrations[0].route == "oral"
