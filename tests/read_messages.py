"""A FHIR record as tests of its reading ask it: what it reads as, what is billed of it, and what is asked."""

from __future__ import annotations

import json
from typing import Any

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.formats import fhir


def read(resource: object, **beside: Any) -> Encounter:
    """The encounter of a text, or of a record that is written as one."""
    found = fhir.read(resource if isinstance(resource, str) else json.dumps(resource), place="11", **beside)
    assert isinstance(found, Encounter)
    return found


def lines(encounter: object) -> list[tuple[str, int]]:
    """The code and units of each line that it is billed with."""
    assert isinstance(encounter, Encounter)
    return [(line.code, line.units) for line in jc.charge(encounter).lines]


def rules(encounter: Encounter) -> list[str]:
    """The findings that it carries to its charge."""
    return [finding.rule for finding in encounter.findings]
