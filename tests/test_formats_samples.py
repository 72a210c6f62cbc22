"""Whole messages: each that can be billed is billed, each that cannot is refused with its reason.

`samples/samples.json` names our own messages; `samples/public.json` says what must come of the public ones,
which are not kept here: give their folder with --shared.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from shipped import REFERENCE

from jcodeunits import formats
from jcodeunits.charging import charge
from jcodeunits.claim import Charge
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import x12

SAMPLES = Path(__file__).parent / "samples"
OWN = json.loads((SAMPLES / "samples.json").read_text("utf-8"))
PUBLIC = json.loads((SAMPLES / "public.json").read_text("utf-8"))


def holds(line: dict[str, Any], expected: dict[str, Any]) -> bool:
    return all(line.get(key) == value for key, value in expected.items())


def assert_judged(folder: Path, case: dict[str, Any]) -> None:
    text = (folder / case["file"]).read_bytes().decode("utf-8")
    if "refused" in case:
        with pytest.raises(FormatError) as caught:
            formats.read(case["format"], text, **case.get("beside", {}))
        assert case["refused"] in str(caught.value)
        return
    found = formats.read(case["format"], text, **case.get("beside", {}))
    made = charge(found) if isinstance(found, Encounter) else found
    lines = [line.as_dict() for line in made.lines]
    expected = case.get("lines") or case["charged"]
    assert len(lines) == len(expected), lines
    assert [line for line, wanted in zip(lines, expected, strict=True) if not holds(line, wanted)] == []
    if "charged" in case:
        assert list(dict.fromkeys(loss.field for loss in made.losses)) == case.get("losses", [])


@pytest.mark.parametrize("case", OWN, ids=lambda case: case["file"])
def test_our_own_messages(case: dict[str, Any]) -> None:
    assert_judged(SAMPLES, case)


@pytest.mark.parametrize("case", PUBLIC, ids=lambda case: case["file"])
def test_the_public_messages(shared: Path, case: dict[str, Any]) -> None:
    assert_judged(shared / "ehr", case)


def test_no_public_message_is_left_out(shared: Path) -> None:
    there = {str(path.relative_to(shared / "ehr")) for path in (shared / "ehr").glob("*/*")}
    assert there == {case["file"] for case in PUBLIC}


def test_every_own_message_is_judged() -> None:
    there = {path.name for path in SAMPLES.iterdir()} - {"samples.json", "public.json"}
    assert there == {case["file"] for case in OWN}


def _numbers(segment: str) -> list[str]:
    """A segment with its numbers in one spelling: 56.00 is 56."""
    parts = segment.split("*")
    return [
        part.rstrip("0").rstrip(".") if part.replace(".", "", 1).isdigit() and "." in part else part for part in parts
    ]


def test_the_guides_drug_example_comes_out_as_it_is_printed(shared: Path) -> None:
    text = (shared / "ehr/x12/lfh_837p_drug_example10.3.837").read_text("utf-8")
    found = x12.read(text)
    lines = tuple(attrs.evolve(line, diagnoses=("J06.9",)) for line in found.lines)
    encounter = Encounter("2004-02-01", "12", diagnoses=("J06.9",))
    written = x12.write(Charge(lines, (), encounter, REFERENCE))
    wanted = ("LX", "SV1", "LIN", "CTP")
    printed = [_numbers(row.strip()) for row in text.replace("\n", "").split("~") if row.startswith(wanted)]
    ours = [_numbers(row) for row in written.replace("\n", "").split("~") if row.startswith(wanted)]
    assert ours == printed
    assert ["SV1", "HC:J0696", "682.5", "UN", "56", "12", "", "1"] in ours
    assert ["CTP", "", "", "", "7", "UN"] in ours


def test_a_message_in_becomes_a_claim_out_in_every_format() -> None:
    text = (SAMPLES / "ras_ketorolac_vial.hl7").read_bytes().decode()
    beside = {"place": "11", "containers": 1, "discarded": "0 mg", "container": "single-dose", "diagnoses": ["R52"]}
    amounts = {"charge_amounts": {"96372": "35", "J1885": "5"}, "revenue_codes": {"96372": "0510", "J1885": "0636"}}
    made = charge(formats.hl7v2.read(text, **beside, **amounts))
    for name in formats.NAMES:
        out = formats.write(name, made)
        assert "J1885" in out
        if name != "json":
            back = formats.read(name, out)
            assert [(line.code, line.units, line.modifiers) for line in back.lines] == [
                ("96372", 1, ()),
                ("J1885", 2, ("JZ",)),
            ]
