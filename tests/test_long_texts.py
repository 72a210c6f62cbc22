"""A text longer than anything of its kind is refused before it is read, and no text takes long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from shipped import DRUGS, REFERENCE

import jcodeunits as jc
from jcodeunits import dose, lookup, ndc, routes, units
from jcodeunits.cli.units import split
from jcodeunits.errors import LONGEST, JcodeunitsError
from jcodeunits.facts import search
from jcodeunits.facts.choosing import rows_meant
from jcodeunits.facts.words import check_length
from jcodeunits.formats import fhir, hl7v2

ON = "2026-03-02"
LONG = {
    "words": "ketorolac " * 1200,
    "letters": "x" * 8000,
    "brackets": "(" * 8000,
    "brand brackets": "[x" * 4000,
    "strengths": "x 1 MG / " * 900,
    "a space inside": "a" + " " * 8000 + "b",
    "an NDC with spaces": "0409" + " " * 60_000 + "3795-01",
    "digits": "9" * 8000,
    "numbers and words": "1 mg " * 2000,
    "slashes": "1 mg/ " * 2000,
}
# Of a length that is read: what takes longest of it.
READ = {
    "twenty words": " ".join(["depot"] * 20),
    "letters": "x" * LONGEST,
    "brackets": "a(" * (LONGEST // 2),
    "hyphens": "1-" * (LONGEST // 2),
    "spaces": "a" + " " * (LONGEST - 2) + "b",
    "numbers and words": "1 mg " * (LONGEST // 5),
}


def charge(given: dict[str, Any], **more: Any) -> None:
    plain = {"drug": "J1885", "dose": "30 mg", "route": "IM"}
    made = jc.charge({"on": ON, "place": "11", **more, "administrations": [plain | given]})
    stops = [finding.says for finding in made.findings if finding.severity != "note"]
    assert stops
    assert max(map(len, stops)) < 1000


RXA = "RXA|0|1|20260302|20260302|{}|{}|mg^^UCUM||{}" + "|" * 11 + "CP"
FT1 = "FT1|1|||20260302||CG|x|||1|||||||||{}||||||J1885^k^C4|{}|||{}"


def rxa(drug: str = "J1885^^HCPCS", amount: str = "30", notes: str = "") -> None:
    hl7v2.read("\r".join([RXA.format(drug, amount, notes), "RXR|IM"]), place="11")


def given_as_fhir(drug: str, route: str, unit: str) -> None:
    fhir.read(
        {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "effectiveDateTime": ON,
            "medicationCodeableConcept": {"text": drug},
            "dosage": {"text": drug, "route": {"text": route}, "dose": {"value": 30, "unit": unit}},
        },
        place="11",
    )


DOORS: dict[str, Callable[[str], Any]] = {
    "drug": lambda text: jc.billing_units(text, "30 mg", ON),
    "dose": lambda text: jc.billing_units("J1885", text, ON),
    "route": lambda text: jc.billing_units("ketorolac", "30 mg", ON, text),
    "date": lambda text: jc.billing_units("J1885", "30 mg", text),
    "unit": units.canonical,
    "unit of a number": lambda text: dose.Dose.of(3, text),
    "dose by weight": lambda text: dose.Dose.by_weight(text, "70 kg"),
    "weight": lambda text: dose.Dose.by_weight("1 mg/kg", text),
    "concentration": lambda text: dose.Dose.by_volume("1 mL", text),
    "known route": routes.canonical,
    "find": search.find,
    "lookup": lambda text: lookup.look_up(text, ON),
    "suggest": lambda text: search.suggest(text, DRUGS),
    "one drug": lambda text: jc.drug(text, ON),
    "rows of a name": lambda text: rows_meant(DRUGS, text),
    "NDC": ndc.compact,
    "product": lambda text: jc.product(text, ON),
    "words of a command": lambda text: split(text.split(), dose.Dose.of, REFERENCE),
    "charge: drug": lambda text: charge({"drug": text}),
    "charge: dose": lambda text: charge({"dose": text}),
    "charge: route": lambda text: charge({"route": text}),
    "charge: NDC": lambda text: charge({"ndc": text}),
    "charge: container": lambda text: charge({"container_amount": text}),
    "charge: discarded": lambda text: charge({"discarded": text}),
    "charge: place": lambda text: charge({}, place=text),
    "charge: payer": lambda text: charge({}, payer=text),
    "charge: diagnosis": lambda text: charge({}, diagnoses=[text]),
    "HL7: drug": lambda text: rxa(drug=f"^{text}"),
    "HL7: amount": lambda text: rxa(amount=text),
    "HL7: drugs": lambda _: rxa(drug="~".join(["J1885^^HCPCS"] * 30_000)),
    "HL7: notes": lambda _: rxa(notes="~".join(["00^new^X"] * 30_000)),
    "HL7: diagnoses": lambda _: hl7v2.read(FT1.format("~".join(["M54.5^^I10"] * 30_000), "", "")),
    "HL7: modifiers": lambda _: hl7v2.read(FT1.format("", "~".join(["RT"] * 30_000), "")),
    "HL7: NDC": lambda text: hl7v2.read(FT1.format("", "", text)),
    "FHIR: drug": lambda text: given_as_fhir(text, "IM", "mg"),
    "FHIR: route": lambda text: given_as_fhir("ketorolac", text, "mg"),
    "FHIR: unit": lambda text: given_as_fhir("ketorolac", "IM", text),
}


def asked(ask: Callable[[str], Any], text: str) -> tuple[float, str | None]:
    """Seconds that the answer takes, the least of three, and the refusal."""
    took, refusal = [], None
    for _ in range(3):
        began = time.process_time()
        try:
            ask(text)
        except JcodeunitsError as error:
            refusal = error.message
        took.append(time.process_time() - began)
    return min(took), refusal


@pytest.mark.parametrize("text", LONG)
@pytest.mark.parametrize("door", DOORS)
def test_a_long_text_is_refused_at_once(door: str, text: str) -> None:
    seconds, refusal = asked(DOORS[door], LONG[text])
    assert seconds < 0.05  # some ten times what it takes here
    assert refusal is not None or door in (
        "charge: drug",
        "charge: dose",
        "charge: NDC",
        "charge: container",
        "charge: discarded",
        "HL7: drug",
        "FHIR: drug",
    )
    if refusal is not None:
        assert LONG[text][:70] not in refusal
        assert len(refusal) < 1500


@pytest.mark.parametrize("text", READ)
@pytest.mark.parametrize("door", DOORS)
def test_no_text_that_is_read_takes_long(door: str, text: str) -> None:
    seconds, _ = asked(DOORS[door], READ[text])
    assert seconds < 0.05


def test_every_name_of_the_catalog_is_short_enough() -> None:
    book = DRUGS
    names = {row.ingredient for row in book.drugs} | {row.name for row in book.drugs}
    names |= {row.brand for row in book.brands} | {row.name for row in book.names}
    for name in names:
        check_length(name)
    for spelling in units.spellings():
        assert len(spelling) < LONGEST


def test_a_brand_in_brackets_is_found_in_however_long_a_text() -> None:
    from jcodeunits.facts.reference import Reference
    from jcodeunits.formats._drugs import drug_name as read

    book = Reference.shipped()

    assert read("serotype 0.0044 MG/ML / " * 40 + "conjugate 0.5 MG/ML [Prevnar 13]", book) == "Prevnar 13"
    assert read("alemtuzumab 10 MG/ML [Lemtrada] ", book) == "Lemtrada"
    assert read("alemtuzumab []", book) == "alemtuzumab"
