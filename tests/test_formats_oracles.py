"""Independent checkers accept all that is emitted: pyx12 (837), hl7apy (FT1, v2.5.1), fhir.resources.

What they let through is checked by the package itself; that is shown here too, so that a better checker
would be noticed.
"""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_charges import charge_of, charges, drug_line, injection_line

from jcodeunits.claim import Charge
from jcodeunits.errors import FormatError
from jcodeunits.formats import fhir, hl7v2, x12

HOST = {"patient": "Patient/1", "provider": "Organization/1", "coverage": "Coverage/1", "created": "2026-03-03"}


# --- X12 -------------------------------------------------------------------------------------------


def claim(number: int, charge: Charge, loops: str) -> list[str]:
    """One claim around the emitted loops: what the host writes, as little as the guide allows."""
    institutional = "SV2*" in loops
    total = sum((line.charge_amount or Decimal(0) for line in charge.lines), Decimal(0))
    codes = [code.replace(".", "") for code in x12.diagnoses(charge)]
    place = "13:A:1" if institutional else f"{charge.encounter.place}:B:1"
    head = [f"CLM*A{number}*{total}***{place}*{'' if institutional else 'Y'}*A*Y*Y"]
    if institutional:
        head += ["DTP*434*RD8*20260302-20260302", "CL1*1*1*01"]
        head += [f"HI*ABK:{codes[0]}", *([f"HI*{'*'.join(f'ABF:{c}' for c in codes[1:])}"] if codes[1:] else [])]
        head += ["NM1*71*1*SMITH*ANN****XX*1234567893"]
    else:
        head += ["HI*" + "*".join(f"{'ABF' if n else 'ABK'}:{code}" for n, code in enumerate(codes))]
    return [*head, *(piece.strip() for piece in loops.split("~") if piece.strip())]


def interchange(made: list[Charge]) -> str:
    """A minimal file around the emitted loops of several claims."""
    loops = [x12.write(charge) for charge in made]
    guide = "005010X223A2" if "SV2*" in loops[0] else "005010X222A1"
    body = [
        f"ST*837*0001*{guide}",
        "BHT*0019*00*1*20260302*1017*CH",
        "NM1*41*2*CLINIC*****46*12345",
        "PER*IC*BILLING*TE*5555555555",
        "NM1*40*2*PAYER*****46*54321",
        "HL*1**20*1",
        "NM1*85*2*CLINIC*****XX*1234567893",
        "N3*1 MAIN ST",
        "N4*PORTLAND*OR*972051234",
        "REF*EI*123456789",
        "HL*2*1*22*0",
        "SBR*P*18*******MB",
        "NM1*IL*1*DOE*JANE****MI*1EG4TE5MK73",
        "N3*2 ELM ST",
        "N4*PORTLAND*OR*97205",
        "DMG*D8*19600401*F",
        "NM1*PR*2*MEDICARE*****PI*00123",
    ]
    for number, (charge, text) in enumerate(zip(made, loops, strict=True), 1):
        body += claim(number, charge, text)
    body.append(f"SE*{len(body) + 1}*0001")
    isa = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'12345':15}*ZZ*{'54321':15}*260302*1017*^*00501*000000001*0*T*:"
    return "~".join([isa, f"GS*HC*12345*54321*20260302*1017*1*X*{guide}", *body, "GE*1*1", "IEA*1*000000001", ""])


def pyx12_accepts(text: str) -> bool:
    document = pytest.importorskip("pyx12.x12n_document")
    params = pytest.importorskip("pyx12.params").params()
    answer = io.StringIO()
    return bool(document.x12n_document(params, io.StringIO(text), answer, None)) and "*R*" not in answer.getvalue()


@settings(max_examples=25)
@given(st.lists(charges(), min_size=1, max_size=10))
def test_pyx12_accepts_every_professional_line(made: list[Charge]) -> None:
    assert pyx12_accepts(interchange(made))


@settings(max_examples=15)
@given(st.lists(charges(extras=False, claim="outpatient"), min_size=1, max_size=10))
def test_pyx12_accepts_every_institutional_line(made: list[Charge]) -> None:
    assert pyx12_accepts(interchange(made))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("CTP****1*ML", "CTP***2*1*ML"), ("*UN*2*", "*XX*2*"), ("LIN**N4", "LIN*1*N4"), ("*ML~", "*MG~")],
)
def test_pyx12_does_refuse(right: str, wrong: str) -> None:
    text = interchange([charge_of(injection_line(), drug_line())])
    assert right in text
    assert not pyx12_accepts(text.replace(right, wrong))


# --- HL7 -------------------------------------------------------------------------------------------


def hl7apy_complaint(text: str) -> str:
    """What hl7apy at 2.5.1 has against the FT1 segments in a minimal DFT^P03; empty when nothing."""
    parser = pytest.importorskip("hl7apy.parser")
    consts = pytest.importorskip("hl7apy.consts")
    head = [
        r"MSH|^~\&|EHR|CLINIC|PB|BILL|20260302101700||DFT^P03^DFT_P03|1|P|2.5.1",
        "EVN|P03|20260302101700",
        "PID|1||MRN1^^^CLINIC^MR||DOE^JANE",
    ]
    from hl7apy.exceptions import HL7apyException

    try:
        level = consts.VALIDATION_LEVEL.STRICT
        parser.parse_message("\r".join([*head, text]), validation_level=level).validate()
    except (HL7apyException, ValueError) as why:  # it refuses a bad number with a plain ValueError
        return str(why) or type(why).__name__
    return ""


@settings(max_examples=40)
@given(charges(most=5_000_000, lines=3))
def test_hl7apy_accepts_every_ft1(charge: Charge) -> None:
    assert hl7apy_complaint(hl7v2.write(charge)) == ""


def test_hl7apy_does_refuse() -> None:
    text = hl7v2.write(charge_of(drug_line()))
    assert hl7apy_complaint(text.replace("|20260302|", "||")) != ""
    assert hl7apy_complaint(text.replace("|2|", "|two|")) != ""


# --- FHIR ------------------------------------------------------------------------------------------

_json_charges = charges(most=10**9, lines=3)


@pytest.mark.parametrize("release", ["R4", "R4B", "R5"])
@settings(max_examples=25)
@given(charge=_json_charges | charges(claim="outpatient", lines=3))
def test_fhir_resources_accepts_every_claim(charge: Charge, release: str) -> None:
    pytest.importorskip("fhir.resources")
    made = fhir.resource(charge, release=release, **HOST)
    assert [item.quantity.value for item in made.item] == [line.units for line in charge.lines]
    ndcs = [item.detail[0].quantity.value for item in made.item if item.detail]
    assert ndcs == [line.ndc_quantity for line in charge.lines if line.ndc]


@pytest.mark.parametrize("release", ["R4", "R4B", "R5"])
@settings(max_examples=25)
@given(charge=_json_charges)
def test_fhir_resources_accepts_every_charge_item(charge: Charge, release: str) -> None:
    package = "fhir.resources" if release == "R5" else "fhir.resources.R4B"
    kind = pytest.importorskip(f"{package}.chargeitem").ChargeItem
    host = {"patient": "Patient/1", "encounter": "Encounter/1"}
    text = fhir.write(charge, resource="ChargeItem", release=release, **host)
    bundle = json.loads(text, parse_float=Decimal)
    made = [kind.model_validate(entry["resource"]) for entry in bundle["entry"]]
    assert [one.quantity.value for one in made] == [line.units for line in charge.lines]
    assert [one.code.coding[0].code for one in made] == [line.code for line in charge.lines]


def test_a_typed_charge_item_comes_in_a_bundle_of_its_release() -> None:
    pytest.importorskip("fhir.resources")
    made = fhir.resource(charge_of(drug_line()), resource="ChargeItem", release="R5", patient="Patient/1")
    assert made.entry[0].resource.product[0].concept.coding[0].code == "00409379501"


def test_fhir_resources_does_refuse() -> None:
    kind = pytest.importorskip("fhir.resources.R4B.claim").Claim
    made = fhir.build(charge_of(drug_line()), **HOST)
    with pytest.raises(ValueError, match="provider"):
        kind.model_validate({key: value for key, value in made.items() if key != "provider"})


# --- what they miss --------------------------------------------------------------------------------

MISSED: dict[str, dict[str, Any]] = {
    "a ten-digit NDC": {"ndc": "0409379501"},
    "an NDC with hyphens": {"ndc": "00409-3795-01"},
    "fractional units": {"units": 2.5},
    "negative units": {"units": -2},
    "a fifth modifier": {"modifiers": ("25", "59", "RT", "LT", "JZ")},
    "milligrams": {"ndc_qualifier": "ME"},
}


@pytest.mark.parametrize("changes", MISSED.values(), ids=MISSED)
@pytest.mark.parametrize("form", ["x12", "hl7v2", "fhir", "cms1500", "ub04", "claimjson"])
def test_every_writer_refuses_what_the_checkers_let_through(form: str, changes: dict[str, Any]) -> None:
    from jcodeunits import formats

    with pytest.raises(FormatError, match=r"line 1 \(J1885\)"):
        formats.write(form, charge_of(drug_line(revenue_code="0636", **changes)))


def test_pyx12_would_have_let_them_through() -> None:
    text = interchange([charge_of(drug_line())])
    for wrong in ("0409379501", "00409-3795-01"):
        assert pyx12_accepts(text.replace("00409379501", wrong))
    assert pyx12_accepts(text.replace("*UN*2*", "*UN*2.5*"))
    assert pyx12_accepts(text.replace("HC:J1885:JZ", "HC:J1885:25:59:RT:LT:JZ"))


def test_the_vaccine_records_that_are_read_are_valid_ones() -> None:
    """The samples of the vaccine tests pass the checkers, so that what is read is what systems send."""
    import json

    from test_formats_vaccines import immunization, vxu

    kind = pytest.importorskip("fhir.resources.R4B.immunization").Immunization
    record = json.loads(immunization())
    assert kind.model_validate(record).vaccineCode.coding[1].code == "90656"
    parser = pytest.importorskip("hl7apy.parser")
    consts = pytest.importorskip("hl7apy.consts")
    message = parser.parse_message(vxu(), validation_level=consts.VALIDATION_LEVEL.TOLERANT, find_groups=False)
    assert message.rxa.rxa_5.to_er7().endswith("90656^Flu^C4")
