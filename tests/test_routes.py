"""A route's code is read in the list that it names; what nobody can place in the body is asked, never guessed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from shipped import rows_of

import jcodeunits as jc
from jcodeunits import routes
from jcodeunits.errors import FormatError, UnknownRoute
from jcodeunits.formats import fhir, hl7v2
from jcodeunits.routes import CodedRoute, RouteWord

CODES: tuple[CodedRoute, ...] = rows_of(CodedRoute)
WORDS: tuple[RouteWord, ...] = rows_of(RouteWord)
SNOMED, V3 = "http://snomed.info/sct", "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration"
# Table 0162 of version 2.5.1, whole.
TABLE_0162 = [
    "AP",
    "B",
    "DT",
    "EP",
    "ET",
    "GTT",
    "GU",
    "IA",
    "IB",
    "IC",
    "ICV",
    "ID",
    "IH",
    "IHA",
    "IM",
    "IMR",
    "IN",
    "IO",
    "IP",
    "IS",
    "IT",
    "IU",
    "IV",
    "MM",
    "MTH",
    "NG",
    "NP",
    "NS",
    "NT",
    "OP",
    "OT",
    "OTH",
    "PF",
    "PO",
    "PR",
    "RM",
    "SC",
    "SD",
    "SL",
    "TD",
    "TL",
    "TP",
    "TRA",
    "UR",
    "VG",
    "VM",
    "WND",
]


def ras(rxr: str, **beside: Any) -> Any:
    text = f"RXA|0|1|20260302||J3301^triamcinolone^HCPCS|40|mg|||||||||||||CP|A\rRXR|{rxr}"
    return hl7v2.read(text, place="11", **beside).administrations[0].route


def administered(said: Any, method: Any = None, **beside: Any) -> Any:
    dosage = {"dose": {"value": 40, "unit": "mg"}, "route": said, **({"method": method} if method else {})}
    resource = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "J3301"},
        "effectiveDateTime": "2026-03-02",
        "dosage": dosage,
    }
    return fhir.read(json.dumps(resource), place="11", **beside).administrations[0].route


def coded(code: str, system: str = SNOMED, display: str = "", text: str = "") -> dict[str, Any]:
    one = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"coding": [one], **({"text": text} if text else {})}


def test_table_0162_is_whole() -> None:
    assert [row.code for row in CODES if row.system == "hl7-0162"] == sorted(TABLE_0162)


@pytest.mark.parametrize("row", [row for row in CODES if row.route], ids=lambda row: f"{row.system}-{row.code}")
def test_a_codes_display_is_a_word_of_its_route(row: CodedRoute) -> None:
    words = {word.word: word.route for word in WORDS} | {name.casefold(): name for name in routes.NAMES}
    assert words[routes.plain(row.display)] == row.route


@pytest.mark.parametrize("row", [row for row in CODES if not row.route], ids=lambda row: f"{row.system}-{row.code}")
def test_a_display_without_a_route_here_is_no_word_of_another(row: CodedRoute) -> None:
    assert routes.plain(row.display) not in {word.word for word in WORDS}
    with pytest.raises(UnknownRoute):
        routes.canonical(row.display)


def test_words_are_kept_as_they_are_looked_up() -> None:
    assert [word.word for word in WORDS if routes.plain(word.word) != word.word] == []
    assert not {name.casefold() for name in routes.NAMES} & {word.word for word in WORDS}


@pytest.mark.parametrize("row", [row for row in CODES if row.system == "hl7-0162"], ids=lambda row: row.code)
def test_every_code_of_table_0162_is_read_or_asked(row: CodedRoute) -> None:
    if row.route:
        assert ras(f"{row.code}^^HL70162") == row.route
        assert ras(f"{row.code}^{row.display}^HL70162") == row.route
    else:
        with pytest.raises(FormatError, match=re.escape(row.display)):
            ras(f"{row.code}^^HL70162")
        assert ras(f"{row.code}^^HL70162", route="IM") == "IM"


@pytest.mark.parametrize("row", [row for row in CODES if row.system == "snomed"], ids=lambda row: row.code)
def test_every_code_of_snomed_is_read_or_asked(row: CodedRoute) -> None:
    if row.route:
        assert administered(coded(row.code, display=f"{row.display} (qualifier value)")) == row.route
    else:
        with pytest.raises(FormatError, match="give route="):
            administered(coded(row.code))


@pytest.mark.parametrize(
    ("rxr", "route"),
    [
        ("IO^Intraosseous^L", "intraosseous"),  # a sender's own list: its words count
        ("IO^^HL70162", "intraocular"),
        ("IVP^IV Push^99MAR", "IV push"),
        ("17^Intramuscular^99MAR", "IM"),
        ("IM", "IM"),
        ("IV^Intravenous^HL70162||||", "IV"),
        ("IV^Intravenous^HL70162|||IVP^IV Push^HL70165", "IV push"),
        ("IV^Intravenous^HL70162|||IVPB", "IV infusion"),
        ("IV^Intravenous^HL70162||IVP", "IV"),  # RXR-3 is a device: a pump
        ("C28161^Intramuscular^NCIT^IM^Intramuscular^HL70162", "IM"),
        ("IM^Intramuscular^HL70162|||WA^Wash^HL70165", "IM"),
    ],
)
def test_what_a_route_segment_says(rxr: str, route: str) -> None:
    assert ras(rxr) == route


@pytest.mark.parametrize(
    "rxr", ["IO", "IC", "IO^^L", "OTH^Other^HL70162", "ZZ^^HL70162", "IVP^^HL70162", "IC^Intramuscular^HL70162"]
)
def test_a_code_that_may_mean_two_places_or_none_is_asked(rxr: str) -> None:
    with pytest.raises(FormatError, match="Or give route="):
        ras(rxr)
    assert ras(rxr, route="SC") == "SC"


@pytest.mark.parametrize(
    "rxr",
    [
        "IM^IV push^HL70162",
        "IO^Intraosseous^HL70162",
        "IM^Intramuscular^HL70162^SC^Subcutaneous^HL70162",
        "IM^Intramuscular^HL70162|||IVP",
    ],
)
def test_a_code_against_a_word_is_refused_whoever_vouches(rxr: str) -> None:
    for beside in ({}, {"route": "IM"}):
        with pytest.raises(FormatError, match="contradict"):
            ras(rxr, **beside)


def test_a_method_makes_a_vein_exact() -> None:
    vein = coded("47625008")
    assert administered(vein, coded("420620005")) == "IV push"
    assert administered(vein, coded("764794000")) == "IV infusion"
    assert administered(vein, {"text": "IV push"}) == "IV push"
    assert administered(vein, {"text": "slowly"}) == "IV"
    assert administered(coded("47625008", text="IV push")) == "IV push"
    assert administered({"text": "IM"}, {"text": "deep injection"}) == "IM"


def test_a_central_vein_for_an_hour_is_no_push() -> None:
    assert administered(coded("418114005")) == "IV"
    assert administered(coded("418114005"), route="IV infusion") == "IV infusion"


@pytest.mark.parametrize("route", [coded("78421000", text="IV push"), coded("IM", V3, display="Oral"), {"text": "IC"}])
def test_codes_and_words_of_a_resource_must_agree(route: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        administered(route)


def test_a_cavity_that_is_asked_is_asked_by_its_own_display_too() -> None:
    said = coded("372461007", display="Intracavernous route (qualifier value)")
    with pytest.raises(FormatError, match="give route="):
        administered(said)
    assert administered(said, route="intracavernous") == "intracavernous"


def test_at_a_desk_a_code_without_its_system_is_read_where_it_means_one_thing() -> None:
    given = [routes.canonical(word) for word in ("78421000", "C28161", "IVINJ", "SQ", "IO", "bursa")]
    assert given == ["IM", "IM", "IV", "SC", "intraosseous", "intra-articular"]
    for word in ("IC", "424494006", "OTH", "intradiscal"):
        with pytest.raises(UnknownRoute):
            routes.canonical(word)


def test_the_bursa_is_asked_for_the_codes_of_a_joint() -> None:
    made = jc.charge(
        hl7v2.read(
            "RXA|0|1|20260302||J3301^triamcinolone^HCPCS|40|mg|||||||||||||CP|A\rRXR|IB^Intrabursal^HL70162", place="11"
        )
    )
    said = " ".join(f"{finding.says} {finding.fix}" for finding in made.findings)
    assert "20610" in said
    assert "20553" not in said
