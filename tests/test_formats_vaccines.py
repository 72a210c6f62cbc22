"""Vaccines as systems report them: VXU and Immunization, each with its own administration code, never an injection's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from shipped import DRUGS, REFERENCE

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError
from jcodeunits.formats import fhir, hl7v2
from jcodeunits.formats._vaccine_names import against, of_cvx

MSH = "MSH|^~\\&|IIS|C|B|C|20260302||VXU^V04^VXU_V04|1|P|2.5.1"
FLU = "140^Influenza, split virus, trivalent, PF^CVX^90656^Flu^C4"
CVX, CPT = "http://hl7.org/fhir/sid/cvx", "http://www.ama-assn.org/go/cpt"


def vxu(code: str = FLU, amount: str = "0.5|mL^^UCUM", source: str = "00^New^NIP001", **more: str) -> str:
    f18, f20, route = more.get("f18", ""), more.get("f20", "CP"), more.get("route", "C28161^Intramuscular^NCIT")
    rxa = f"RXA|0|1|20260302||{code}|{amount}||{source}||||||L1|20261231|SKB^GSK^MVX|{f18}||{f20}|A"
    return "\r".join([MSH, "PID|1||P1", "ORC|RE||V1", rxa, f"RXR|{route}", *filter(None, [more.get("obx", "")])])


def immunization(**more: Any) -> str:
    record = {
        "resourceType": "Immunization",
        "id": "i1",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX, "code": "140"}, {"system": CPT, "code": "90656"}]},
        "patient": {"reference": "Patient/p1"},
        "occurrenceDateTime": "2026-03-02T10:15:00-05:00",
        "primarySource": True,
        "lotNumber": "L1",
        "expirationDate": "2026-12",
        "route": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration", "code": "IM"}]
        },
        "doseQuantity": {"value": 0.5, "system": "http://unitsofmeasure.org", "code": "mL"},
        **more,
    }
    return json.dumps({key: value for key, value in record.items() if value is not None})


def billed(module: Any, text: str, payer: str = "commercial", **beside: Any) -> list[tuple[str, int]]:
    found = module.read(text, place="11", payer=payer, diagnoses=["Z23"], **beside)
    assert isinstance(found, Encounter)
    return [(line.code, line.units) for line in jc.charge(found).lines]


BOTH = [(hl7v2, vxu()), (fhir, immunization())]


@pytest.mark.parametrize(("module", "text"), BOTH, ids=["VXU", "Immunization"])
def test_a_vaccine_has_its_own_administration(module: Any, text: str) -> None:
    assert billed(module, text) == [("90471", 1), ("90656", 1)]
    assert billed(module, text, "medicare") == [("G0008", 1), ("90656", 1)]
    reading = module.reading(text, place="11")
    assert (reading.batches[0].lot, str(reading.batches[0].expiry)) == ("L1", "2026-12-31")


def test_an_antibody_in_a_vaccine_record_is_an_injection() -> None:
    code = "34^RIG^CVX^90375^rabies immune globulin^C4"
    assert ("96372", 1) in billed(hl7v2, vxu(code, "300|[iU]^IU^UCUM"))


def test_a_vaccine_that_is_not_in_the_catalog_is_no_injection() -> None:
    assert "96372" not in [code for code, _ in billed(hl7v2, vxu("03^MMR^CVX^90707^MMR^C4"))]


NOT_BILLED = {
    "historical": (hl7v2, vxu(source="01^Historical^NIP001"), "historical"),
    "refused": (hl7v2, vxu(f20="RE"), "refused"),
    "not administered": (hl7v2, vxu(f20="NA"), "not administered"),
    "a reason of refusal": (hl7v2, vxu(f18="00^Parental decision^NIP002"), "reason for refusal"),
    "no vaccine": (hl7v2, vxu("998^no vaccine administered^CVX", "999|"), "998"),
    "not done": (fhir, immunization(status="not-done"), "not-done"),
    "in error": (fhir, immunization(status="entered-in-error"), "entered-in-error"),
    "not the source": (fhir, immunization(primarySource=False), "primarySource"),
    "reported (DSTU2)": (fhir, immunization(reported=True, primarySource=None), "reported"),
    "not given (STU3)": (fhir, immunization(notGiven=True), "notGiven"),
    "not given (DSTU2)": (fhir, immunization(wasNotGiven=True), "wasNotGiven"),
    "a reason beside it": (fhir, immunization(statusReason={"text": "declined"}), "statusReason"),
    "a reason (STU3)": (fhir, immunization(explanation={"reasonNotGiven": [{"text": "x"}]}), "reasonNotGiven"),
    "less than a dose": (fhir, immunization(isSubpotent=True), "full dose"),
    "a reason for less (R4)": (fhir, immunization(subpotentReason=[{"text": "partial"}]), "full dose"),
    "another's report (R4)": (fhir, immunization(reportOrigin={"text": "record"}), "reportOrigin"),
    "another's report (R5)": (
        fhir,
        immunization(primarySource=None, informationSource={"concept": {"text": "recall"}}),
        "informationSource",
    ),
    "a test": (fhir, immunization(meta={"security": [{"code": "HTEST"}]}), "HTEST"),
}


@pytest.mark.parametrize("name", NOT_BILLED)
def test_what_is_not_billed_is_said(name: str) -> None:
    module, text, says = NOT_BILLED[name]
    with pytest.raises(FormatError, match=says):
        module.read(text, place="11")


@pytest.mark.parametrize("primary", [True, None])
def test_who_told_of_a_vaccine_that_was_given_here_is_of_no_matter(primary: bool | None) -> None:
    told = {"reference": {"reference": "Practitioner/7"}}
    assert billed(fhir, immunization(primarySource=primary, informationSource=told))


def test_the_product_of_a_vaccine_is_one_more_name_of_it() -> None:
    for text, right in (("Fluarix", True), ("Boostrix", False)):
        product = {"resourceType": "Medication", "id": "m", "code": {"text": text}}
        record = immunization(contained=[product], administeredProduct={"reference": {"reference": "#m"}})
        if right:
            assert ("90656", 1) in billed(fhir, record)
        else:
            with pytest.raises(FormatError, match="contradict each other"):
                fhir.read(record, place="11")


@pytest.mark.parametrize("value", [True, False])
def test_a_senders_field_that_says_historical(value: bool) -> None:
    text = immunization(extension=[{"url": "http://x.org/isHistorical", "valueBoolean": value}])
    if value:
        with pytest.raises(FormatError, match="historical record"):
            fhir.read(text, place="11")
    else:
        assert billed(fhir, text)


def test_cvx_that_fixes_one_code_is_read_as_it() -> None:
    """Tdap is one CPT code; a trivalent split influenza vaccine is one by its 0.5 mL."""
    assert billed(hl7v2, vxu("115^Tdap^CVX")) == [("90471", 1), ("90715", 1)]
    assert billed(hl7v2, vxu("8^Hep B, adolescent or pediatric^CVX"), "medicare") == [("G0010", 1), ("90744", 1)]
    assert billed(hl7v2, vxu("140^Influenza, split virus, trivalent, PF^CVX")) == [("90471", 1), ("90656", 1)]
    coding = [{"system": CVX, "code": "150", "display": "Influenza, quadrivalent, PF"}]
    given = fhir.read(immunization(vaccineCode={"coding": coding}), place="11").administrations[0]
    assert (given.drug, given.purpose) == ("90686", "vaccine")


def test_a_package_that_nobody_knows_leaves_the_cvx_beside_it() -> None:
    found = hl7v2.read(vxu("94^MMRV^CVX~00006-9999-99^^NDC"), place="11").administrations[0]
    assert (found.drug, found.products[0].ndc) == ("90710", "00006-9999-99")


def test_cvx_that_fixes_no_code_asks_for_the_one_that_is_billed() -> None:
    several = {"coding": [{"system": CVX, "code": "43", "display": "Hep B, adult"}]}
    for module, text in (
        (hl7v2, vxu("140^Influenza, split virus, trivalent, PF^CVX", "999|")),
        (hl7v2, vxu("45^Hep B, unspecified formulation^CVX")),
        (hl7v2, vxu("141^Influenza, split virus, trivalent^CVX")),
        (fhir, immunization(vaccineCode=several)),
    ):
        with pytest.raises(FormatError, match=r"CVX '\d+' alone.*give drug='its CPT code'"):
            module.read(text, place="11", dose="0.5 mL") if "999" in text else module.read(text, place="11")
    assert billed(fhir, immunization(vaccineCode=several), drug="90746")[1] == ("90746", 1)


def test_cvx_against_a_brand_beside_it_is_refused() -> None:
    """CVX 120 is DTaP, Hib and IPV; Pediarix holds hepatitis B in place of Hib."""
    with pytest.raises(FormatError, match="contradict"):
        hl7v2.read(vxu("120^DTaP-Hep B-IPV (Pediarix)^CVX"), place="11")
    assert billed(hl7v2, vxu("110^DTaP-Hep B-IPV (Pediarix)^CVX")) == [("90471", 1), ("90723", 1)]


def test_cvx_against_the_text_beside_it_is_refused() -> None:
    """03 is MMR, 21 varicella, 09 Td, 10 polio: a text that names another disease means one of the two is wrong."""
    for coding in ("03^Hep B, adolescent or pediatric", "21^MMR", "9^Tdap", "10^Influenza, seasonal", "115^pneumo"):
        with pytest.raises(FormatError, match="its text names another vaccine") as refused:
            hl7v2.read(vxu(f"{coding}^CVX"), place="11")
        assert refused.value.message.startswith(f"{refused.value.fields['place']}: ")
    concept = {"coding": [{"system": CVX, "code": "03"}], "text": "varicella vaccine"}
    with pytest.raises(FormatError, match="its text names another vaccine"):
        fhir.read(immunization(vaccineCode=concept), place="11")


def test_the_usual_texts_of_cvx_are_silent() -> None:
    """Short and full names as the CDC's list and registries have them, of the code that they stand for."""
    for coding, code in {
        "03^M/M/R": "90707",
        "03^measles, mumps and rubella virus vaccine": "90707",
        "94^ProQuad": "90710",
        "189^HepB-CpG": "90739",
        "48^Hib (PRP-T)": "90648",
        "48^Haemophilus influenzae type b vaccine, PRP-T conjugate": "90648",
        "20^Infanrix": "90700",
        "93^RSV-MAb": "90378",
        "306^RSV, mAb, nirsevimab-alip, 0.5 mL, neonate to 24 months": "90380",
        "165^HPV9": "90651",
        "33^Pneumovax 23": "90732",
        "203^Meningococcal polysaccharide (groups A, C, Y, W-135) TT conjugate": "90619",
        "309^SARS-COV-2 (COVID-19) vaccine, mRNA, 30 mcg/0.3 mL": "91320",
        "20^diphtheria, tetanus toxoids and acellular pertussis vaccine": "90700",
        "120^diphtheria, tetanus toxoids, acellular pertussis, Haemophilus influenzae type b conjugate, poliovirus": (
            "90698"
        ),
        "115^tetanus toxoid, reduced diphtheria toxoid, and acellular pertussis vaccine, adsorbed": "90715",
        "113^tetanus and diphtheria toxoids, adsorbed, preservative free, for adult use": "90714",
        "114^meningococcal polysaccharide (groups A, C, Y and W-135) diphtheria toxoid conjugate (MCV4P)": "90734",
        "52^Hep A, adult": "90632",
        "83^Havrix Pediatric": "90633",
        "08^Engerix-B": "90744",
        "104^Hep A-Hep B (Twinrix)": "90636",
        "146^DTaP-IPV-Hib-HepB (Vaxelis)": "90697",
        "130^Kinrix": "90696",
        "206^Vaccinia, smallpox monkeypox vaccine live, PF": "90611",
        "305^RSV, bivalent, protein subunit RSVpreF, diluent reconstituted": "90678",
        "21^Chickenpox vaccine": "90716",
        "187^Shingles (Shingrix)": "90750",
        "216^Prevnar 20": "90677",
    }.items():
        found = hl7v2.read(vxu(f"{coding}^CVX"), place="11").administrations[0]
        assert found.drug == code, coding


@pytest.mark.parametrize(
    "coding",
    [
        "03^MMRV",
        "94^M-M-R II",
        "03^measles, mumps, rubella, and varicella",
        "52^Hep B",
        "08^HepA",
        "52^Twinrix",
        "52^Hep A-Hep B",
        "104^Hepatitis A",
        "20^DTaP-IPV",
        "20^Pentacel",
        "133^PCV20",
        "216^Prevnar 13",
        "113^Tdap",
        "120^DTaP-Hep B-IPV",
        "187^Varivax",
        "10^Hib (PRP-T)",
    ],
)
def test_a_further_part_or_another_strain_is_another_vaccine(coding: str) -> None:
    with pytest.raises(FormatError, match=r"names another vaccine|contradict"):
        hl7v2.read(vxu(f"{coding}^CVX"), place="11")


OF_A_CODE = [
    ("90707", "MMRV", False),
    ("90707", "M-M-R II", True),
    ("90632", "Hep B, adult", False),
    ("90632", "Twinrix", False),
    ("90632", "Hep A, adult", True),
    ("90744", "Hep A", False),
    ("90700", "DTaP-IPV", False),
    ("90714", "Tdap", False),
    ("90670", "PCV20", False),
    ("90677", "Prevnar 13", False),
    ("90620", "Menveo", False),
    ("90750", "Varicella", False),
    ("90750", "varicella zoster vaccine, recombinant", True),
    ("90746", "Hepatitis B vaccine (Engerix-B), adult", True),
    ("90723", "DTaP-HepB-IPV (Pediarix)", True),
    ("90656", "Afluria", True),
    ("90707", "live vaccine", True),
]


@pytest.mark.parametrize(("code", "text", "agrees"), OF_A_CODE)
def test_the_text_beside_a_vaccines_code_is_of_that_vaccine(code: str, text: str, agrees: bool) -> None:
    concept = {"coding": [{"system": CPT, "code": code, "display": text}]}
    for module, message in ((hl7v2, vxu(f"{code}^{text}^CPT")), (fhir, immunization(vaccineCode=concept))):
        if agrees:
            assert module.read(message, place="11").administrations[0].drug == code
        else:
            with pytest.raises(FormatError, match="contradict each other"):
                module.read(message, place="11")


def test_a_label_of_a_vaccine_against_something_else_never_stands_beside_a_code_of_cvx() -> None:
    rows = [row for each in DRUGS.vaccines.values() for row in each]
    for row in rows:
        for other in rows:
            if against(row.display, REFERENCE) != against(other.display, REFERENCE):
                with pytest.raises(FormatError, match="names another vaccine"):
                    of_cvx([row.cvx], row.dose, [row.code], REFERENCE, "hl7v2", "RXA-5", [other.display])


def test_every_label_of_cvx_is_of_its_own_vaccine() -> None:
    for cvx, rows in DRUGS.vaccines.items():
        for row in rows:
            known = [row.code]
            assert of_cvx([cvx], row.dose, known, REFERENCE, "hl7v2", "RXA-5", [row.display]), row


def test_a_record_that_is_historical_in_the_senders_own_words_is_not_billed() -> None:
    for written in ("Historical", "H1^Historical record^L", "9^elsewhere^L^01^Historical information^NIP001"):
        with pytest.raises(JcodeunitsError, match="historical"):
            hl7v2.read(vxu("115^Tdap^CVX", source=written), place="11")


def test_cvx_against_the_code_beside_it_is_refused() -> None:
    with pytest.raises(FormatError, match="contradict"):
        hl7v2.read(vxu("115^Tdap^CVX^90707^MMR^C4"), place="11")


def test_every_row_of_cvx_means_a_known_vaccine_or_antibody() -> None:
    for rows in DRUGS.vaccines.values():
        for row in rows:
            known = DRUGS.rows(row.code)
            assert known, row
            assert all(one.kind in ("vaccine", "biological") for one in known), row
        assert len({row.dose for row in rows}) == len(rows), rows


def test_every_vaccine_that_cvx_names_has_a_dose_in_millilitres() -> None:
    """Vaccine records give a volume; a row without one could not be billed from them."""
    by_mouth = ["90690"]  # capsules
    for rows in DRUGS.vaccines.values():
        for drug in (DRUGS.rows(row.code)[-1] for row in rows):
            volumes = drug.unit == "mL" or any(unit == "mL" for _, unit in drug.equivalents)
            assert volumes or drug.code in (*by_mouth, "90378") or drug.unit == "mcg" or drug.refuses, drug.code


def test_a_record_without_an_amount_is_one_dose_on_the_callers_word() -> None:
    """Synthea and many registries say no amount; a dose of 30 mg would be no answer."""
    for module, text in ((hl7v2, vxu("115^Tdap^CVX", "999|")), (fhir, immunization(doseQuantity=None))):
        with pytest.raises(FormatError, match="give dose='1 dose' beside it"):
            module.read(text, place="11")
        assert len(billed(module, text, dose="1 dose")) == 2


def test_an_unknown_amount_is_asked() -> None:
    with pytest.raises(FormatError, match=r"999 stands for an unknown amount.*give dose="):
        hl7v2.read(vxu(amount="999|"), place="11")
    assert billed(hl7v2, vxu(amount="999|"), dose="0.5 mL") == [("90471", 1), ("90656", 1)]


@pytest.mark.parametrize(
    ("obx", "asks"),
    [
        ("OBX|1|CE|64994-7^Eligibility^LN|1|V01^Not VFC eligible^HL70064", False),
        ("OBX|1|CE|64994-7^Eligibility^LN|1|V02^Medicaid^HL70064", True),
        ("OBX|1|CE|30963-3^Funding^LN|1|VXC51^Public^CDCPHINVS", True),
        ("OBX|1|CE|30963-3^Funding^LN|1|VXC50^Private^CDCPHINVS", False),
    ],
)
def test_a_vaccine_of_a_public_program_is_asked_about(obx: str, asks: bool) -> None:
    found = hl7v2.read(vxu(obx=obx), place="11")
    assert isinstance(found, Encounter)
    assert ("vaccine-funding" in {one.rule for one in found.findings}) is asks


@pytest.mark.parametrize(("source", "asks"), [("public", True), ("private", False)])
def test_the_same_of_an_immunization(source: str, asks: bool) -> None:
    found = fhir.read(immunization(fundingSource={"coding": [{"code": source}]}), place="11")
    assert isinstance(found, Encounter)
    assert ("vaccine-funding" in {one.rule for one in found.findings}) is asks


def test_who_ordered_a_vaccine_did_not_give_it() -> None:
    function = "http://terminology.hl7.org/CodeSystem/v2-0443"
    performers = [
        {"function": {"coding": [{"system": function, "code": code}]}, "actor": {"reference": f"Practitioner/{code}"}}
        for code in ("OP", "AP")
    ]
    found = fhir.read(immunization(performer=performers), place="11")
    assert isinstance(found, Encounter)
    assert found.administrations[0].performer == "Practitioner/AP"


def test_the_third_release_has_a_list_of_practitioners_and_a_date() -> None:
    practitioners = [
        {"role": {"coding": [{"code": code}]}, "actor": {"reference": f"Practitioner/{code}"}} for code in ("OP", "AP")
    ]
    text = immunization(occurrenceDateTime=None, date="2026-03-02", notGiven=False, practitioner=practitioners)
    found = fhir.read(text, place="11")
    assert isinstance(found, Encounter)
    assert (str(found.on), found.administrations[0].performer) == ("2026-03-02", "Practitioner/AP")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Comirnaty 2025-2026 (5-11y)(PF)", []),
        ("Comirnaty 2025-2026 (12y up)(PF)", ["91320"]),
        ("Engerix-B Pediatric 10 mcg/0.5 mL", ["90744"]),
        ("Engerix-B adult 20 mcg/mL", ["90746"]),
        ("Tdap (BOOSTRIX) vaccine", ["90715"]),
    ],
)
def test_the_age_in_a_vaccines_text_tells_its_code_or_asks(text: str, codes: list[str]) -> None:
    record = {"resourceType": "Immunization", "status": "completed", "vaccineCode": {"text": text}}
    record |= {"patient": {"reference": "Patient/1"}, "occurrenceDateTime": "2026-03-02", "primarySource": True}
    record |= {"doseQuantity": {"value": 1, "unit": "dose"}, "route": {"text": "IM"}}
    charge = jc.charge(fhir.read(record, place="11", payer="commercial", diagnoses=["Z23"]))
    assert [line.code for line in charge.lines if line.kind == "drug"] == codes


def test_the_second_release_has_one_performer_and_the_large_systems_own_offset() -> None:
    text = immunization(
        performer={"reference": "Practitioner/7"}, date="2026-03-02T11:41:00-0600", occurrenceDateTime=None
    )
    given = fhir.read(text, place="11")
    assert isinstance(given, Encounter)
    assert given.administrations[0].performer == "Practitioner/7"
    own = immunization(performer={"reference": "Patient/1"}, patient={"reference": "Patient/1"})
    found = fhir.read(own, place="11")
    assert isinstance(found, Encounter)
    assert "performer-not-staff" in {finding.rule for finding in found.findings}


@pytest.mark.parametrize("system", ["CVX", "cvx", "http://hl7.org/fhir/sid/cvx"])
def test_a_code_system_may_be_named_as_version_2_names_it(system: str) -> None:
    coding = {"system": system, "code": "115"}
    text = immunization(vaccineCode={"coding": [coding], "text": "DTaP"})
    with pytest.raises(FormatError, match="CVX '115' is Tdap, and its text names another vaccine"):
        fhir.read(text, place="11")
    assert fhir.read(immunization(vaccineCode={"coding": [coding]}), place="11").administrations[0].drug == "90715"


def test_true_and_false_as_texts_are_what_they_say() -> None:
    """As converters from XML write them, and the CareConnect samples of the United Kingdom."""
    found = fhir.read(immunization(notGiven="false", primarySource="true", isSubpotent="false"), place="11")
    assert found.administrations[0].drug == "90656"
    for name, value, says in (
        ("notGiven", "true", "not given"),
        ("notGiven", "perhaps", "not given"),
        ("primarySource", "false", "reported"),
        ("reported", "true", "reported"),
        ("isSubpotent", "true", "less than the full dose"),
    ):
        with pytest.raises(FormatError, match=says):
            fhir.read(immunization(**{"primarySource": None, name: value}), place="11")


def test_a_code_beside_a_vaccine_without_one_is_of_the_vaccine_that_its_text_names() -> None:
    text = immunization(vaccineCode={"coding": [{"system": CVX, "code": "208", "display": "COVID-19, mRNA, 30 mcg"}]})
    with pytest.raises(FormatError, match="give drug='its CPT code' beside it"):
        fhir.read(text, place="11")
    with pytest.raises(FormatError, match="is another one than '90656'"):
        fhir.read(text, place="11", drug="90656")
    assert fhir.read(text, place="11", drug="91320").administrations[0].drug == "91320"
    (open_still,) = fhir.read_all(text, place="11", drug="90656")
    assert isinstance(open_still, FormatError)
    message = vxu("208^COVID-19, mRNA, 30 mcg^CVX")
    with pytest.raises(FormatError, match="is another one than '90656'"):
        hl7v2.read(message, place="11", drug="90656")
