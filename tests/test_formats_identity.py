"""All names that a message gives a drug mean one drug; two drugs are a contradiction, and a mixture is taken apart."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from read_messages import lines
from shipped import REFERENCE, rows_of

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError
from jcodeunits.facts.drug_rows import Brand
from jcodeunits.facts.product_rows import Product
from jcodeunits.formats import _names, fhir, hl7v2
from jcodeunits.formats._drugs import drug_name, identity

NDC, RXNORM = fhir.NDC, "http://www.nlm.nih.gov/research/umls/rxnorm"
TEXTS = list(csv.DictReader((Path(__file__).parent / "cases" / "drug_texts.csv").read_text("utf-8").splitlines()))


def coding(*codes: tuple[str, str], text: str = "", display: str = "") -> dict[str, Any]:
    each = [{"system": system, "code": code, **({"display": display} if display else {})} for system, code in codes]
    return {"coding": each, **({"text": text} if text else {})}


def read(concept: dict[str, Any], *, day: str = "2026-03-02", **beside: Any) -> Encounter:
    resource = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": concept,
        "effectiveDateTime": day,
        "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
    }
    found = fhir.read(json.dumps(resource), place="11", **beside)
    assert isinstance(found, Encounter)
    return found


@pytest.mark.book
def test_every_product_with_its_own_label_is_silent() -> None:
    """But two NDCs that CMS lists under the code of another cephalosporin than their label's."""
    alarms = set()
    for row in rows_of(Product):
        try:
            identity([row.ndc], [], [row.label], REFERENCE, "fhir", "product")
        except FormatError:
            alarms.add((row.codes, row.label))
    assert alarms == {(("J0697",), "Ceftriaxone")}


@pytest.mark.parametrize(
    "shape", ["{0} ({1}) injection 10 mg", "{0} 10 MG/ML [{1}]", "{0} ({1}) 1 g in dextrose 5 % IVPB"]
)
def test_every_brand_in_brackets_after_its_generic_reads(shape: str) -> None:
    unread = []
    for row in rows_of(Brand):
        generic = row.ingredient or REFERENCE.drugs.rows(row.code)[0].ingredient
        name = drug_name(shape.format(generic, row.brand.upper()), REFERENCE)
        if not _names.codes(name, REFERENCE):
            unread.append(row.brand)
    assert unread == []


def test_every_brand_in_brackets_after_another_generic_is_asked() -> None:
    read_all_the_same = []
    for row in rows_of(Brand):
        generic = row.ingredient or REFERENCE.drugs.rows(row.code)[0].ingredient
        other = "ceftriaxone" if "ketorolac" in generic else "ketorolac"
        try:
            drug_name(f"{other} ({row.brand}) injection 10 mg", REFERENCE)
            read_all_the_same.append(row.brand)
        except ValueError:
            pass
    assert read_all_the_same == []


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row["text"])
def test_drug_texts_as_the_large_systems_print_them(row: dict[str, str]) -> None:
    name = drug_name(row["text"], REFERENCE)
    assert row["code"] in _names.codes(name, REFERENCE)
    assert jc.billing_units(name, row["dose"], on="2026-03-02", route=row["route"] or None).code == row["code"]


@pytest.mark.parametrize(
    "concept",
    [
        coding((NDC, "0409-3795-01"), text="ceftriaxone 1 g injection"),
        coding((NDC, "0409-3795-01"), display="cefTRIAXone (ROCEPHIN) injection 1 g"),
        coding((fhir.HCPCS, "J0696"), (RXNORM, "1"), display="ketorolac 30 MG/ML Injection"),
        coding((fhir.HCPCS, "J1885"), (fhir.HCPCS, "J0696")),
        coding((NDC, "0409-3795-01"), (NDC, "00143-9678-01")),
        coding((fhir.HCPCS, "J9354"), text="trastuzumab"),
        coding((fhir.HCPCS, "J9035"), text="Mvasi"),
        {"text": "ketorolac (ROCEPHIN) injection 30 mg"},
    ],
    ids=[
        "ndc and text",
        "ndc and display",
        "code and name",
        "two codes",
        "two ndcs",
        "conjugate",
        "biosimilar",
        "brand",
    ],
)
def test_two_drugs_contradict_each_other(concept: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="contradict"):
        read(concept)


@pytest.mark.parametrize(
    "concept",
    [
        coding((NDC, "0409-3795-01"), text="Toradol"),
        coding((NDC, "0409-3795-01"), (NDC, "00409379501")),
        coding((NDC, "0409-3795-01"), (fhir.HCPCS, "J1885"), text="KETOROLAC TROMETHAMINE 30 MG/ML INJ"),
        coding((NDC, "0409-3795-01"), text="pain medication of ward 7"),
        coding((fhir.HCPCS, "J1885"), (RXNORM, "860092"), display="1 ML ketorolac tromethamine 30 MG/ML Injection"),
        coding((NDC, "99999-9999-99"), text="ketorolac"),
    ],
    ids=["brand", "one NDC twice", "NDC, code, text", "unknown text", "RxNorm", "an NDC that nobody knows"],
)
def test_names_of_one_drug_are_silent(concept: dict[str, Any]) -> None:
    made = jc.charge(read(concept, diagnoses=["R52"]))
    assert [(line.code, line.units) for line in made.lines] == [("96372", 1), ("J1885", 2)]


OF_A_CODE = [
    ("J9000", "Doxil", False),
    ("J9000", "doxorubicin", True),
    ("J9267", "Abraxane", False),
    ("J0290", "ampicillin-sulbactam (UNASYN) 3 g", False),
    ("J0295", "ampicillin 3 g", False),
    ("J0295", "ampicillin-sulbactam", True),
    ("J2919", "methylPREDNISolone acetate (DEPO-MEDROL)", False),
    ("J2919", "methylPREDNISolone", True),
    ("J1010", "SOLU-MEDROL", False),
    ("J0561", "Bicillin C-R", False),
    ("J0561", "Bicillin L-A", True),
    ("J1631", "haloperidol lactate", False),
    ("J1630", "haloperidol decanoate", False),
    ("J0401", "Aristada", False),
    ("J1561", "Privigen", False),
    ("J1561", "immune globulin", True),
    ("J1071", "testosterone enanthate", False),
    ("J1817", "Humalog", True),
    ("J3490", "ketorolac", True),
]


@pytest.mark.parametrize(("code", "text", "agrees"), OF_A_CODE)
def test_a_text_that_has_a_code_of_its_own_is_not_billed_as_another(code: str, text: str, agrees: bool) -> None:
    concept = coding((fhir.HCPCS, code), text=text)
    message = f"RXA|0|1|20260302||{code}^{text}^HCPCS|30|mg|||||||||||||CP|A\rRXR|IM"
    if agrees:
        assert read(concept).administrations[0].drug == code
        return
    with pytest.raises(FormatError, match=r"code of its own\. Or give drug=|contradict"):
        read(concept)
    with pytest.raises(FormatError, match=r"code of its own\. Or give drug=|contradict"):
        hl7v2.read(message, place="11")


OF_A_BRAND = [
    # code, text, day, whether the brand is one of the code's on the day
    ("J3300", "Kenalog-40", "2026-03-02", False),
    ("J3300", "triamcinolone acetonide (KENALOG-40) injection 40 mg", "2026-03-02", False),
    ("J3300", "Triesence", "2026-03-02", True),
    ("J3300", "triamcinolone acetonide", "2026-03-02", True),
    ("J3301", "triamcinolone acetonide (KENALOG-40) injection 40 mg", "2026-03-02", True),
    ("J2426", "Invega Trinza", "2026-03-02", False),
    ("J2426", "Invega Trinza", "2022-03-02", True),
    ("J2426", "Invega Sustenna", "2026-03-02", True),
    ("J2427", "paliperidone palmitate (INVEGA TRINZA) syringe 410 mg", "2026-03-02", True),
    ("J9354", "Kadcyla", "2026-03-02", True),
    ("J0666", "Marcaine", "2026-03-02", False),
    ("J9172", "docetaxel (TAXOTERE)", "2026-03-02", False),
    ("J0476", "Gablofen", "2026-03-02", True),  # a code for one use, which is of any brand
    ("J1817", "Humalog", "2026-03-02", True),
    ("J0688", "ceFAZolin (ANCEF) injection 1 g", "2026-03-02", True),  # a maker's code: brands are familiar names
]


@pytest.mark.parametrize(("code", "text", "day", "agrees"), OF_A_BRAND)
def test_a_code_beside_a_brand_that_has_another_one_on_the_day_is_asked_about(
    code: str, text: str, day: str, agrees: bool
) -> None:
    concept = coding((fhir.HCPCS, code), text=text)
    segments = f"RXA|0|1|{day.replace('-', '')}||{code}^{text}^HCPCS|30|mg|||||||||||||CP|A\rRXR|IM"
    if agrees:
        assert read(concept, day=day).administrations[0].drug == code
        return
    for tried in (lambda: read(concept, day=day), lambda: hl7v2.read(segments, place="11")):
        with pytest.raises(FormatError, match=f"which has a code of its own on {day}: give drug='{code}'"):
            tried()
    assert read(concept, day=day, drug=code).administrations[0].drug == code


@pytest.mark.parametrize(
    ("number", "text", "agrees"),
    [
        ("00065-0543-01", "Kenalog-40", False),
        ("00065-0543-01", "triamcinolone acetonide (TRIESENCE)", True),
        ("00065-0543-01", "triamcinolone acetonide", True),
        ("00003-0293-05", "triamcinolone acetonide (KENALOG-40)", True),
        ("50458-0560-01", "Invega Trinza", False),
        ("65250-0133-04", "Marcaine", False),
    ],
)
def test_a_package_beside_a_brand_that_has_another_code_is_asked_about(number: str, text: str, agrees: bool) -> None:
    concept = coding((NDC, number), text=text)
    if agrees:
        assert read(concept).administrations[0].drug == number
        return
    with pytest.raises(FormatError, match=f"which has a code of its own on 2026-03-02: give drug='{number}'"):
        read(concept)
    assert read(concept, drug=number).administrations[0].drug == number


@pytest.mark.book
def test_every_brand_is_silent_beside_a_code_of_its_own() -> None:
    """But where a descriptor of its own day named the brand, and a later code is for it now."""
    days = [dt.date(2026, 3, 2), dt.date(2024, 6, 1)]
    brands = [(brand, day) for brand in rows_of(Brand) for day in days if brand.code and brand.period.holds(day)]
    alarms = set()
    for brand, day in brands:
        try:
            _names.check_brands([(brand.code, brand.brand)], day, "fhir", "", REFERENCE)
        except FormatError:
            alarms.add((brand.code, brand.brand))
    assert len(brands) > 1500
    assert alarms == set()


OF_A_PACKAGE = [
    ("0009-0280-02", "Depo-Medrol", True),
    ("0009-0280-02", "Solu-Medrol", False),
    ("0009-0280-02", "methylprednisolone", True),
    ("0009-0039-28", "Depo-Medrol", False),
    ("68817-0134-50", "Taxol", False),
    ("68817-0134-50", "paclitaxel", True),
    ("0003-0494-20", "Kenalog-10", True),
    ("99999-9999-99", "Taxol", True),
]


@pytest.mark.parametrize(("number", "text", "agrees"), OF_A_PACKAGE)
def test_a_package_beside_the_name_of_another_product_is_asked_about(number: str, text: str, agrees: bool) -> None:
    if agrees:
        read(coding((NDC, number), text=text))
        return
    with pytest.raises(FormatError, match="code of its own"):
        read(coding((NDC, number), text=text))


def test_either_of_the_two_may_be_named_beside_it_and_no_third() -> None:
    concept = coding((fhir.HCPCS, "J9000"), text="Doxil")
    for drug in ("J9000", "Doxil", "Q2050"):
        assert read(concept, drug=drug).administrations[0].drug == drug
    with pytest.raises(FormatError, match="Correct the one that is wrong"):
        read(concept, drug="ketorolac")
    package = coding((NDC, "0009-0280-02"), text="Solu-Medrol")
    assert [(line.code, line.ndc) for line in jc.charge(read(package, drug="0009-0280-02")).lines][1:] == [
        ("J1010", "00009028002")
    ]
    made = jc.charge(read(package, drug="Solu-Medrol"))
    assert "drug-product-mismatch" in [one.rule for one in made.findings]


def test_a_code_beside_the_package_of_another_product_is_not_passed_over() -> None:
    """68817-0134-50 is Abraxane, J9267 is plain paclitaxel."""
    made = jc.charge(read(coding((NDC, "68817-0134-50"), (fhir.HCPCS, "J9267")), diagnoses=["C50.911"]))
    assert ("drug-product-mismatch", "stop") in [(one.rule, one.severity) for one in made.findings]
    made = jc.charge(read(coding((NDC, "68817-0134-50"), (fhir.HCPCS, "J9264")), diagnoses=["C50.911"]))
    assert ("J9264", 30) in [(line.code, line.units) for line in made.lines]


def test_nearly_every_products_label_agrees_with_its_code() -> None:
    """But labels without the word that their code is for: a pen's brand, a salt."""
    alarms = set()
    for row in rows_of(Product):
        for code in row.codes:
            if _names.is_apart(code, drug_name(row.label, REFERENCE), REFERENCE):
                alarms.add((code, row.label))
    assert len(alarms) < 15


def test_two_packages_of_one_drug_ask_which_was_opened() -> None:
    two = coding((NDC, "0409-3795-01"), (NDC, "0409-3796-01"))
    with pytest.raises(FormatError, match=r"names 2 NDCs.*Or give drug="):
        read(two)
    assert read(two, drug="0409-3796-01").administrations[0].drug == "0409-3796-01"


# --- mixtures --------------------------------------------------------------------------------------


def bag(*components: str, rxa: str = "^dextrose 5% in water|50|mL", after: bool = False, **beside: Any) -> Encounter:
    rows = ["ORC|RE|1", f"RXA|0|1|20260302101500|20260302105000|{rxa}|||||||||||||CP|A", "RXR|IVPB"]
    rows[3 if after else 1 : 3 if after else 1] = list(components)
    found = hl7v2.read("\r".join(rows), place="11", diagnoses=["R52"], **beside)
    assert isinstance(found, Encounter)
    return found


BASE, CEFAZOLIN, ONDANSETRON = "RXC|B|^dextrose 5% in water|50|mL", "RXC|A|^cefazolin|1|g", "RXC|A|^ondansetron|4|mg"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "components", [(CEFAZOLIN,), (BASE, CEFAZOLIN), (CEFAZOLIN, BASE)], ids=["additive", "base first", "base last"]
)
def test_the_additive_is_the_drug_and_never_hydration(components: tuple[str, ...], after: bool) -> None:
    assert lines(bag(*components, after=after)) == [("96365", 1), ("J0690", 2)]


def test_an_rxa_that_names_the_additive_or_the_mixture() -> None:
    assert lines(bag(BASE, CEFAZOLIN, rxa="^cefazolin|1|g")) == [("96365", 1), ("J0690", 2)]
    assert lines(bag(BASE, rxa="^cefazolin|1|g")) == [("96365", 1), ("J0690", 2)]
    assert lines(bag(BASE, CEFAZOLIN, rxa="M7^cefazolin IVPB of the house^L|50|mL")) == [("96365", 1), ("J0690", 2)]


def test_several_additives_are_one_infusion_with_a_line_each() -> None:
    found = bag(BASE, CEFAZOLIN, ONDANSETRON)
    assert lines(found) == [("96365", 1), ("J0690", 2), ("J2405", 4)]


def test_a_part_of_the_bag_gives_a_part_of_each_drug() -> None:
    found = bag(BASE, CEFAZOLIN, rxa="^dextrose 5% in water|25|mL")
    assert found.administrations[0].dose == "0.5 g"


@pytest.mark.parametrize("volume", ["75|mL", "1|bag", "17|mL"])
def test_a_part_that_is_no_exact_amount_or_not_known_is_asked(volume: str) -> None:
    base = "RXC|B|^dextrose 5% in water|60|mL"
    with pytest.raises(FormatError, match=r"how much of the mixture.*give dose="):
        bag(base, CEFAZOLIN, rxa=f"^dextrose 5% in water|{volume}")
    assert lines(bag(base, CEFAZOLIN, rxa=f"^dextrose 5% in water|{volume}", dose="1 g")) == [
        ("96365", 1),
        ("J0690", 2),
    ]


def test_a_component_that_says_neither_additive_nor_base_is_refused() -> None:
    with pytest.raises(FormatError, match="RXC-1"):
        bag("RXC||^cefazolin|1|g")


def medication(code: dict[str, Any] | None, *ingredients: tuple[str, Any, str, Any, str]) -> dict[str, Any]:
    return {
        "resourceType": "Medication",
        "id": "m",
        **({"code": code} if code else {}),
        "ingredient": [
            {
                "itemCodeableConcept": {"text": name},
                "isActive": True,
                "strength": {"numerator": {"value": top, "unit": unit}, "denominator": {"value": low, "unit": per}},
            }
            for name, top, unit, low, per in ingredients
        ],
    }


def infused(drug: dict[str, Any], dose: dict[str, Any], route: str = "IV infusion") -> Encounter:
    resource = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "contained": [drug],
        "medicationReference": {"reference": "#m"},
        "effectivePeriod": {"start": "2026-03-02T10:15:00-05:00", "end": "2026-03-02T10:50:00-05:00"},
        "dosage": {"route": {"text": route}, "dose": dose},
    }
    found = fhir.read(json.dumps(resource), place="11", diagnoses=["R52"])
    assert isinstance(found, Encounter)
    return found


DEXTROSE = ("dextrose 5% in water", 50, "mL", 50, "mL")
ML50 = {"value": 50, "unit": "mL"}


@pytest.mark.parametrize("code", [None, {"text": "dextrose 5% in water"}, {"text": "house bag 7"}])
def test_a_medication_of_a_base_and_drugs_is_its_drugs(code: dict[str, Any] | None) -> None:
    cefazolin, ondansetron = ("cefazolin", 1, "g", 50, "mL"), ("ondansetron", 4, "mg", 50, "mL")
    assert lines(infused(medication(code, DEXTROSE, cefazolin), ML50)) == [("96365", 1), ("J0690", 2)]
    assert lines(infused(medication(code, DEXTROSE, cefazolin, ondansetron), ML50)) == [
        ("96365", 1),
        ("J0690", 2),
        ("J2405", 4),
    ]


def test_two_drugs_of_which_only_one_dose_is_said_are_asked() -> None:
    two = medication({"text": "house mix"}, ("ketorolac", 30, "mg", 1, "mL"), ("ondansetron", 4, "mg", 1, "mL"))
    with pytest.raises(FormatError, match=r"how much .* was given"):
        infused(two, {"value": 30, "unit": "mg"}, "IV push")


def test_a_combination_with_a_code_of_its_own_is_one_drug() -> None:
    zosyn = medication(
        {"text": "piperacillin / tazobactam"}, ("piperacillin", 4, "g", 100, "mL"), ("tazobactam", 0.5, "g", 100, "mL")
    )
    assert len(infused(zosyn, {"value": 4.5, "unit": "g"}).administrations) == 1


def test_a_strength_in_the_drugs_text_answers_a_volume() -> None:
    def given(text: str, route: str = "IM") -> Any:
        dose = {"route": {"text": route}, "dose": {"value": 1, "unit": "mL"}}
        resource = {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "medicationCodeableConcept": {"text": text},
            "effectiveDateTime": "2026-03-02",
            "dosage": dose,
        }
        found = fhir.read(json.dumps(resource), place="11")
        assert isinstance(found, Encounter)
        return found.administrations[0]

    assert given("ketorolac 30 mg/mL injectable solution").concentration == "30 mg/mL"
    assert given("ketorolac (TORADOL) injection").concentration is None
    assert given("dextrose 5% in water", "IV infusion").concentration is None


@pytest.mark.parametrize(
    ("text", "drug"),
    [
        ("Acetaminophen 325 MG / Oxycodone Hydrochloride 5 MG Oral Tablet", "Acetaminophen / Oxycodone Hydrochloride"),
        ("ketorolac 30 MG / ondansetron 4 MG Injection", "ketorolac / ondansetron"),
        ("sodium chloride 9 MG/ML / vancomycin 5 MG/ML Injection", "vancomycin"),
        ("vancomycin 5 MG/ML / dextrose 50 MG/ML Injection", "vancomycin"),
        ("ampicillin 2000 MG / sulbactam 1000 MG Injection [Unasyn]", "Unasyn"),
    ],
)
def test_one_of_several_ingredients_is_not_the_drug(text: str, drug: str) -> None:
    """A tablet of two drugs was billed as an injection of the first, and a bag of saline in place of vancomycin."""
    assert drug_name(text, REFERENCE) == drug


@pytest.mark.parametrize("join", [" + ", " and ", " & ", ", ", "; ", " plus ", "+ "])
def test_a_text_that_joins_two_drugs_is_asked(join: str) -> None:
    """The second was left out of the bill, and the dose may be its own."""
    text = f"ketorolac 30 mg{join}ondansetron 4 mg"
    with pytest.raises(FormatError, match=r"'ketorolac' and 'ondansetron'.*drug="):
        read({"text": text})
    assert read({"text": text}, drug="ketorolac").administrations[0].drug == "ketorolac"


@pytest.mark.parametrize(
    ("text", "drug"),
    [
        ("HYALURONIDASE (HUMAN RECOMBINANT); TRASTUZUMAB", ""),
        ("Triamcinolone acetonide, lidocaine HCl, bupivacaine HCl 1 mL Vial [Mlk F4 Kit]", ""),
        ("Ketorolac 2.88 mg/mL / phenylephrine 10.16 mg/mL Ophthalmic Irrigation Solution [Omidria]", "Omidria"),
        ("ceftriaxone 1 g in lidocaine 1%", "ceftriaxone"),
        ("cefazolin 1 g; sodium chloride 0.9% 50 mL", "cefazolin"),
        ("Injection, ketorolac tromethamine, per 15 mg", "ketorolac tromethamine"),
        ("penicillin G benzathine and penicillin G procaine", "penicillin G benzathine and penicillin G procaine"),
    ],
)
def test_a_combination_a_kit_and_a_base_each_as_what_they_are(text: str, drug: str) -> None:
    if drug:
        assert _names.codes(drug_name(text, REFERENCE), REFERENCE) == _names.codes(drug, REFERENCE)
        return
    with pytest.raises(ValueError, match=" and "):
        drug_name(text, REFERENCE)


@pytest.mark.parametrize("scan", ["00409379501", "0409-3795-01", "(01)00304093795011"])
def test_the_package_that_was_scanned_is_one_more_name_of_the_drug(scan: str) -> None:
    rxa = "RXA|0|1|20260302||{}|30|mg|||||||||||||CP|A||||{}\rRXR|IM"
    found = hl7v2.read(rxa.format("^ketorolac", scan), place="11")
    assert found.administrations[0].products[0].ndc == scan
    with pytest.raises(FormatError, match="contradict each other"):
        hl7v2.read(rxa.format("^ceftriaxone", scan), place="11")
    house = hl7v2.read(rxa.format("^ketorolac", "771234567"), place="11")
    assert house.administrations[0].products == ()


@pytest.mark.parametrize(
    ("text", "route", "agrees"),
    [
        ("ketorolac 10 mg tablet", "IM", False),
        ("ketorolac 0.5 % ophthalmic solution", "IM", False),
        ("dexamethasone 4 mg tablet", "IV push", False),
        ("diphenhydrAMINE (BENADRYL) capsule 25 mg", "IM", False),
        ("ketorolac (TORADOL) IV 30 mg", "IM", False),
        ("ketorolac (TORADOL) IV 30 mg", "IV push", True),
        ("ketorolac 30 mg/mL IM/IV injection", "IM", True),
        ("ceFAZolin (ANCEF) IVPB 1 g", "IV push", True),
        ("dexamethasone 4 mg tablet", "oral", True),
        ("ketorolac 30 mg/mL injectable solution", "IM", True),
        ("buprenorphine 8 mg tablet", "sublingual", True),
        ("misoprostol 200 mcg tablet", "vaginal", True),
        ("ketorolac 30 mg/mL solution for injection or infusion", "IM", True),
        ("ketorolac 30 mg/mL solution for injection/infusion", "IM", True),
        ("aflibercept (EYLEA) 2 mg intravitreal injection", "intraocular", True),
        ("aflibercept (EYLEA) 2 mg intravitreal injection", "ophthalmic", False),
    ],
)
def test_the_route_that_a_drugs_text_names_is_the_route(text: str, route: str, agrees: bool) -> None:
    hl7 = f"RXA|0|1|20260302101500||^{text}|30|mg|||||||||||||CP|A\rRXR|^{route}"
    one = {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-03-02"}
    one |= {"medicationCodeableConcept": {"text": text}, "dosage": {"dose": {"value": 30, "unit": "mg"}}}
    said = {**one, "dosage": {**one["dosage"], "route": {"text": route}}}
    for made in (
        lambda: hl7v2.read(hl7, place="11"),
        lambda: fhir.read(said, place="11"),
        lambda: fhir.read(one, place="11", route=route),
    ):
        if agrees:
            assert made().administrations[0].route == route
        else:
            with pytest.raises(FormatError, match="drug's text or form is of what is given by the route"):
                made()


@pytest.mark.parametrize(
    ("form", "agrees"),
    [
        ("Tablet", False),
        ("TAB", False),
        ("Oral Capsule", False),
        ("Solution for injection or infusion", True),
        ("Prefilled Syringe", True),
        ("Vial", True),
    ],
)
def test_the_form_in_a_field_of_its_own_is_compared_with_the_route(form: str, agrees: bool) -> None:
    """A tablet was not given into a muscle: RXA-8, and the form of a Medication in R4, R5 and DSTU2."""
    one = {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-03-02"}
    one |= {"dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}}}
    one |= {"medicationReference": {"reference": "#m"}}
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "ketorolac"}}
    forms = [
        {"form": {"text": form}},
        {"doseForm": {"coding": [{"display": form}]}},
        {"product": {"form": {"text": form}}},
    ]
    hl7 = f"RXA|0|1|20260302101500||^ketorolac|30|mg|{form}^{form}||||||||||||CP|A\rRXR|IM^Intramuscular^HL70162"
    for made in (
        lambda: hl7v2.read(hl7, place="11"),
        *(lambda more=more: fhir.read({**one, "contained": [{**drug, **more}]}, place="11") for more in forms),
    ):
        if agrees:
            assert made().administrations[0].route == "IM"
        else:
            with pytest.raises(FormatError, match="drug's text or form is of what is given by the route oral"):
                made()


@pytest.mark.parametrize("text", ["sodium chloride 0.9 % flush syringe 10 mL", "heparin lock flush 100 unit/mL"])
def test_what_its_text_calls_a_flush_is_one_unless_another_purpose_is_given(text: str) -> None:
    one = {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-03-02"}
    one |= {"medicationCodeableConcept": {"text": text}}
    one |= {"dosage": {"route": {"text": "IV push"}, "dose": {"value": 10, "unit": "mL"}}}
    charge = jc.charge(fhir.read(one, place="11"))
    assert charge.lines == ()
    assert "flush-included" in [finding.rule for finding in charge.findings]
    assert all(finding.severity != "stop" for finding in charge.findings)
    assert fhir.read(one, place="11", purpose="therapeutic").administrations[0].purpose == "therapeutic"


@pytest.mark.parametrize(
    ("text", "volume", "code", "units"),
    [("gadobutrol (GADAVIST) 1 mmol/mL injection", 7.5, "A9585", 75), ("iopamidol (ISOVUE-370) 76 %", 80, "Q9967", 80)],
)
def test_a_code_that_counts_a_volume_asks_no_strength(text: str, volume: float, code: str, units: int) -> None:
    one = {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-03-02"}
    one |= {"medicationCodeableConcept": {"text": text}}
    one |= {"dosage": {"route": {"text": "IV push"}, "dose": {"value": volume, "unit": "mL"}}}
    assert (code, units) in [(line.code, line.units) for line in jc.charge(fhir.read(one, place="11")).lines]


PHRASES = [
    line
    for line in (Path(__file__).parent / "cases" / "phrases.csv").read_text("utf-8").splitlines()
    if line[:1] != "#"
]


def test_a_text_of_a_message_is_answered_as_at_the_counter_or_asked() -> None:
    """Forms, fluids and the strengths of several parts tell codes and units apart there as here."""
    differ = []
    for row in csv.DictReader(PHRASES):
        number, _, unit = row["dose"].partition(" ")
        code, _, count = row["answer"].partition(" x ")
        if not count or not re.fullmatch(r"[\d.]+", number):
            continue
        one = {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-08-15"}
        dosage = {"route": {"text": row["route"] or "IM"}, "dose": {"value": float(number), "unit": unit}}
        one |= {"medicationCodeableConcept": {"text": row["typed"]}, "dosage": dosage}
        try:
            lines = jc.charge(fhir.read(one, place="11", payer="commercial")).lines
        except JcodeunitsError:
            continue
        if drugs := [(line.code, str(line.units)) for line in lines if line.kind == "drug"]:
            differ += [(row["typed"], drugs)] if drugs != [(code, count)] else []
    assert differ == []


def test_the_product_of_a_medication_in_dstu2_is_read() -> None:
    """Its form, ingredients and batches stand in `product`; of several batches the one that expires first is kept."""
    strength = {"numerator": {"value": 30, "unit": "mg"}, "denominator": {"value": 1, "unit": "mL"}}
    ingredients = [{"item": {"display": "ketorolac"}, "amount": strength}]
    batches = [{"lotNumber": "B", "expirationDate": "2027-05-31"}, {"lotNumber": "A", "expirationDate": "2026-12-31"}]
    drug = {"resourceType": "Medication", "id": "m", "product": {"ingredient": ingredients, "batch": batches}}
    one = {"resourceType": "MedicationAdministration", "status": "completed", "wasNotGiven": False}
    one |= {"effectiveTimeDateTime": "2026-03-02", "medicationReference": {"reference": "#m"}, "contained": [drug]}
    one |= {"dosage": {"route": {"text": "IM"}, "quantity": {"value": 2, "unit": "mL"}}}
    found = fhir.read(one, place="11")
    assert lines(found) == [("96372", 1), ("J1885", 4)]
    [opened] = found.administrations[0].products
    assert (opened.lot, str(opened.expires)) == ("A", "2026-12-31")


@pytest.mark.parametrize("text", ["D5W in NS", "NS in D5W", "lactated ringers in D5W", "D5W in LR"])
def test_a_fluid_in_another_one_is_neither(text: str) -> None:
    one = {"resourceType": "MedicationAdministration", "status": "completed"}
    one |= {"effectivePeriod": {"start": "2026-03-02T10:00:00-05:00", "end": "2026-03-02T12:00:00-05:00"}}
    one |= {"medicationCodeableConcept": {"text": text}}
    one |= {"dosage": {"route": {"text": "IV infusion"}, "dose": {"value": 500, "unit": "mL"}}}
    charge = jc.charge(fhir.read(one, place="11"))
    assert [finding.rule for finding in charge.findings if finding.severity == "stop"] == ["drug-unanswered"]
    mended = jc.charge(fhir.read(one, place="11", drug="J7042"))
    assert ("J7042", 1) in [(line.code, line.units) for line in mended.lines]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("60 mg IM once", True),
        ("Give 15mg now", True),
        ("30 mg IM", False),
        ("0.03 g intramuscular", False),
        ("1 mL IM", False),
        ("30 mg IM, 30 mg wasted", False),
        ("up to 60 mg a day", False),
        ("ketorolac 60 mg/2 mL", False),
        ("as ordered", False),
    ],
)
def test_another_amount_in_the_text_of_a_dosage_is_asked_about(text: str, asks: bool) -> None:
    one = {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-03-02"}
    one |= {"medicationCodeableConcept": {"text": "ketorolac"}}
    one |= {"dosage": {"text": text, "route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}}}
    charge = jc.charge(fhir.read(one, place="11"))
    assert ("dose-in-text" in [finding.rule for finding in charge.findings]) is asks
    assert text not in " ".join(f"{finding.says} {finding.fix}" for finding in charge.findings)


def test_a_strength_that_cannot_be_read_is_refused_in_whole_sentences() -> None:
    amount = {"numerator": {"value": 60, "unit": "mg"}, "denominator": {"value": 1}}
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "ketorolac"}, "amount": amount}
    one = {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-03-02"}
    one |= {"medicationReference": {"reference": "#m"}, "contained": [drug]}
    one |= {"dosage": {"route": {"text": "IM"}, "dose": {"value": 1, "unit": "mL"}}}
    with pytest.raises(FormatError, match=r"its strength cannot be read: .*[^.]\. Or give concentration="):
        fhir.read(one, place="11")
    found = fhir.read(one, place="11", concentration="30 mg/mL")
    assert ("J1885", 2) in lines(found)


@pytest.mark.parametrize("amount", [{"value": 25, "unit": "mL"}, None])
def test_a_volume_of_a_bag_is_no_volume_of_each_drug_in_it(amount: dict[str, Any] | None) -> None:
    """100 mL of sodium chloride with some dextrose in it is not 100 mL of dextrose."""
    names = ("Sodium Chloride 0.154 MEQ/ML Injectable Solution", "Glucose 50 MG/ML Injectable Solution")
    parts = [{"item": {"display": name}, **({"amount": {"numerator": amount}} if amount else {})} for name in names]
    record = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "contained": [{"resourceType": "Medication", "id": "m1", "product": {"ingredient": parts}}],
        "medicationReference": {"reference": "#m1"},
        "effectiveTimeDateTime": "2026-03-02T10:15:00-05:00",
        "dosage": {"route": {"text": "IV infusion"}, "quantity": {"value": 100, "unit": "mL"}},
    }
    with pytest.raises(FormatError, match=r"how much 'Sodium Chloride.*' was given, one of several drugs in it"):
        fhir.read(json.dumps(record), place="11")
    volumes = [{"dose": "100 mL"}, {"dose": "25 mL"}]
    found = fhir.read(json.dumps(record), place="11", administrations=volumes)
    assert isinstance(found, Encounter)
    assert [str(given.dose) for given in found.administrations] == ["100 mL", "25 mL"]


def rxa(code: str) -> str:
    return "\r".join(
        [
            "MSH|^~\\&|M|C|B|C|20260302||RAS^O17^RAS_O17|1|P|2.5.1",
            "PID|1||P1",
            f"RXA|0|1|20260302101500||{code}|30|mg|||||||||||||CP|A",
            "RXR|IM",
        ]
    )


@pytest.mark.parametrize("number", ["1191", "12345", "90656", "0409-3795"])
def test_a_number_that_is_no_ndc_is_neither_the_drug_nor_a_code(number: str) -> None:
    found = hl7v2.read(rxa(f"{number}^Ketorolac^NDC"), place="11", diagnoses=["R52"])
    assert isinstance(found, Encounter)
    charge = jc.charge(found)
    assert [(line.code, line.units) for line in charge.lines if line.code.startswith("J")] == [("J1885", 2)]
    assert "ndc-invalid" in {finding.rule for finding in charge.findings if finding.severity == "stop"}
    with pytest.raises(FormatError, match=f"its NDC '{number}' is none.*give drug="):
        hl7v2.read(rxa(f"{number}^^NDC"), place="11")


def test_a_text_for_any_drug_that_has_several_codes_is_refused_by_the_same_one_each_time() -> None:
    first = {"compounded drug": "J7999", "radiopharmaceutical": "A4641", "prescription drug": "J8499"}
    for text, code in first.items():
        with pytest.raises(FormatError, match=f"names none: {code} is for drugs"):
            hl7v2.read(rxa(f"^{text}"), place="11")


@pytest.mark.parametrize("text", ["Chemotherapy drug", "Unclassified drugs"])
def test_a_text_for_any_drug_names_none(text: str) -> None:
    with pytest.raises(FormatError, match=f"its drug is '{text}', which names none: .*give drug="):
        hl7v2.read(rxa(f"^{text}"), place="11")
    with pytest.raises(FormatError, match="which names none"):
        read({"text": text})
    assert hl7v2.read(rxa(f"^{text}"), place="11", drug="ketorolac").administrations[0].drug == "ketorolac"
    assert hl7v2.read(rxa(f"J9999^{text}^HCPCS"), place="11").administrations[0].drug == "J9999"
