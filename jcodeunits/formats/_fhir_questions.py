"""What is asked of a FHIR record whose elements beside the dose may change what is billed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jcodeunits.dose import Dose
from jcodeunits.errors import LONGEST, JcodeunitsError
from jcodeunits.facts.around_names import ways
from jcodeunits.facts.by_route import may_be
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding

from . import _elements, _noticed
from ._fhir_extensions import flags
from ._fhir_json import Message, decimal, objects
from ._fhir_performers import subject

SOURCE = "fhir-medication-administration"
COMMUNITY, INPATIENT = "community", "inpatient"


_ASKED = ("extension", "note", "partOf", "category")
_RATES = ("rateRatio", "rateQuantity", "rateSimpleQuantity")
_PLAIN = _elements.DOSAGE_ELEMENTS - {"extension", "text", *_RATES}  # of a dosage, which ask nothing


def asked(
    resource: Mapping[str, Any], dosage: Mapping[str, Any], says: Mapping[str, Any], where: str, facts: Reference
) -> Iterable[Finding]:
    """What is asked of a record whose elements beside what it `says` may change what is billed."""
    dose = dosage.get("dose") or {}
    if resource.keys().isdisjoint(_ASKED) and dosage.keys() <= _PLAIN and "extension" not in dose:
        return ()  # as nearly always, and the quickest to see
    return _asked(resource, dosage, says, where, facts)


def _asked(
    resource: Mapping[str, Any], dosage: Mapping[str, Any], says: Mapping[str, Any], where: str, facts: Reference
) -> Iterator[Finding]:
    known, dose = _elements.DOSAGE_ELEMENTS, dosage.get("dose") or {}
    if unread := [name for name in dosage if name.lstrip("_") not in known]:
        yield _noticed.unread_elements(where, unread, SOURCE, "dosage")
    start, stop = says.get("start"), says.get("stop")
    if _is_rate(dosage) if start is None or stop is None else _ran_otherwise(dosage, start, stop):
        yield _noticed.dose_or_rate(where, SOURCE, "dosage.rate[x]")
    fields = [name for held in (resource, dosage, dose) for name in _extensions(held)]
    prose = [*_prose(resource), *flags(objects(resource.get("extension")))]
    yield from _noticed.wasted(where, prose, SOURCE, "note", fields)
    yield from _noticed.doubted(where, prose, SOURCE, "note")
    yield from _noticed.supplied(where, prose, SOURCE, "note")
    if text := str(dosage.get("text") or ""):
        yield from _in_text(text, says, where, facts)
    parts = objects(resource["partOf"]) if "partOf" in resource else ()
    if any("MedicationAdministration/" in str(one.get("reference")) for one in parts):
        yield _noticed.part_of_another(where, SOURCE, "partOf")
    said = _category(resource["category"]) if "category" in resource else ()
    if COMMUNITY in said:
        yield _noticed.at_home(where, SOURCE, "category")
    if INPATIENT in said:
        yield _noticed.to_inpatient(where, SOURCE, "category")


def reasons(resource: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """The question whether it was given, where its reason is a code of the lists of reasons why a drug was not."""
    concepts = [*objects(resource.get("reasonCode")), *objects(resource.get("reasonGiven"))]
    concepts += [one.get("concept") or {} for one in objects(resource.get("reason"))]
    if any("not-given" in str(one.get("system")) for concept in concepts for one in objects(concept.get("coding"))):
        yield _noticed.doubted_by(where, "a reason why a drug was not given", SOURCE, "reason")


# An amount by itself: no strength, no rate, no limit, nothing that was left or thrown away.
_AMOUNT = re.compile(
    r"(?<![\d.,/])(\d+(?:\.\d+)?)\s?(mg|mcg|g|mL|mEq|units?)\b(?!\s?(?:/|per\b|vial|syringe|amp|x\b))", re.IGNORECASE
)
_LIMITED = re.compile(
    r"\b(?:max\w*|up to|limit|total|per|wast\w*|discard\w*|remain\w*|every|of|in|order\w*)\b|[-/%]", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def _says_another(dose: str, text: str) -> bool:
    """Whether a text says one amount of the dose's kind and nothing else of amounts, and it is another one.

    >>> [_says_another("30 mg", text) for text in ("60 mg IM once", "0.03 g", "2 mL", "max 60 mg", "30 mg of 60 mg")]
    [True, False, False, False, False]
    >>> _says_another("30 mg", "2 mL (60 mg)"), _says_another("30 mg", "1 mL (30 mg)")
    (True, False)
    """
    if len(text) > LONGEST or _LIMITED.search(text):
        return False
    try:
        given = Dose.of(dose)
    except JcodeunitsError:
        return False
    found = set()
    for match in _AMOUNT.finditer(text):
        with contextlib.suppress(JcodeunitsError):  # of another kind, such as a volume beside a mass
            found.add(Dose.of(" ".join(match.groups())).to(given.unit).amount)
    return len(found) == 1 and given.amount not in found


def _in_text(text: str, says: Mapping[str, Any], where: str, facts: Reference) -> Iterator[Finding]:
    """The questions which dose and which route was it, where the text of a dosage says others than its fields."""
    dose, route = says.get("dose", ""), says.get("route", "")
    if dose and _says_another(dose, text):
        yield _noticed.dose_in_text(where, SOURCE, "dosage.text")
    said = _ways_in(text, facts) if route else frozenset()
    if said and not any(_is_way(one, route) for one in said):
        yield _noticed.route_in_text(where, said, SOURCE, "dosage.text")


@lru_cache(maxsize=4096)
def _ways_in(text: str, facts: Reference) -> frozenset[str]:
    """The routes that the text of a dosage says; the texts of a batch are few."""
    return ways(facts.drugs, text) if len(text) <= LONGEST else frozenset()


def _is_way(said: str, route: str) -> bool:
    """Whether a text may say the route: a push is no infusion, and a plain vein may be either."""
    if said.startswith("IV") and route.startswith("IV"):
        return said == route or "IV" in (said, route)
    return may_be(said, route)


def charged(message: Message, day: str) -> set[str]:
    """The kinds of charges beside what was given, of its patients and day or of nobody knows whom and when."""
    patients = {"", *(subject(one) for _, one in message.given)}
    held = (one for patient in patients for one in message.charges.get(patient, ()))
    return {one.kind for one in held if not one.days or min(one.days) <= day <= max(one.days)}


def _extensions(held: Mapping[str, Any]) -> Iterator[str]:
    """The names of the further fields of an element, and of those inside them."""
    for one in objects(held.get("extension")):
        yield str(one.get("url"))
        yield from _extensions(one)


def _category(said: object) -> list[str]:
    """Codes and words of the category: a concept, from R5 several."""
    codings = [
        one for concept in objects(said if isinstance(said, list) else [said]) for one in objects(concept.get("coding"))
    ]
    return [str(one.get("code")) for one in codings]


def _is_rate(dosage: Mapping[str, Any]) -> bool:
    """Whether the dose is the number of the rate, in the same unit: so much in one minute or hour."""
    rate, _ = _rate(dosage)
    return rate is not None and rate == decimal((dosage.get("dose") or {}).get("value"))


def _rate(dosage: Mapping[str, Any]) -> tuple[Decimal | None, str]:
    """How much of the dose's unit ran in one of a unit of time, and that unit; None where the rate is of another."""
    dose, ratio = dosage.get("dose") or {}, dosage.get("rateRatio") or {}
    rate = dosage.get("rateQuantity") or dosage.get("rateSimpleQuantity") or ratio.get("numerator")  # the second: STU3
    per = ratio.get("denominator") or {}
    if not rate or decimal(per.get("value", 1)) != 1:
        return None, ""
    (unit, _, _), (top, _, time) = (_unit(one).partition("/") for one in (dose, rate))
    return (decimal(rate.get("value")) if unit == top else None), time or _unit(per)


def _unit(quantity: Mapping[str, Any]) -> str:
    return str(quantity.get("code") or quantity.get("unit") or "")


_MINUTES = {"min": 1, "minute": 1, "h": 60, "hr": 60, "hour": 60}
_CHANGED = 2  # times as much as the rate gives, or a half of it: a rate may be changed on the way


def _ran_otherwise(dosage: Mapping[str, Any], start: str, stop: str) -> bool:
    """Whether the rate gives another amount than the dose in the time that it ran.

    >>> hour = {"dose": {"value": 1000, "code": "mL"}, "rateQuantity": {"value": 100, "code": "mL/h"}}
    >>> _ran_otherwise(hour, "10:00", "11:00"), _ran_otherwise(hour, "22:00", "08:00")
    (True, False)
    """
    rate, unit = _rate(dosage)
    dose, minutes = decimal((dosage.get("dose") or {}).get("value")), _MINUTES.get(unit)
    if rate is None or dose is None or minutes is None:
        return False
    began, ended = (int(one[:2]) * 60 + int(one[3:5]) for one in (start, stop))
    ran = rate * ((ended - began) % (24 * 60)) / minutes
    return ran > 0 and not ran / _CHANGED <= dose <= ran * _CHANGED


def _prose(resource: Mapping[str, Any]) -> list[str]:
    """The free texts of an administration, to be asked about and never read."""
    notes = resource.get("note") or []
    each = [one.get("text") for one in notes if isinstance(one, dict)] if isinstance(notes, list) else [notes]
    return [str(text) for text in (*each, (resource.get("dosage") or {}).get("text")) if text]
