"""FHIR: MedicationAdministration in (R4, R4B, R5), Claim items and ChargeItems out.

An order (MedicationRequest) is never an administration. Only `completed` is billed; `stopped` on the
caller's word (`partial=True`) that the dose is what was given. A dose needs a unit: UCUM by a closed table.

>>> encounter = read('''{"resourceType": "MedicationAdministration", "status": "completed",
...   "medicationCodeableConcept": {"text": "ketorolac"}, "effectiveDateTime": "2026-03-02T10:15:00-05:00",
...   "dosage": {"route": {"coding": [{"system": "http://snomed.info/sct", "code": "78421000"}]},
...              "dose": {"value": 30, "system": "http://unitsofmeasure.org", "code": "mg"}}}''', place="11")
>>> given = encounter.administrations[0]
>>> given.drug, given.dose, given.route, given.time
('ketorolac', '30 mg', 'IM', '10:15')
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError, JcodeunitsError, quoted
from jcodeunits.facts.reference import Reference
from jcodeunits.hcpcs import is_level_two, is_valid

from . import _drugs, _elements, _fhir_batch, _fhir_given, _incoming, _outgoing, _units
from ._claim_lines import ClaimLines, FoundLines, for_charges, line_of
from ._fhir_json import CPT, HCPCS, ICD10, NDC, UCUM, Message, codes, decimal, dump, parse, turned, words
from ._fhir_performers import subject
from ._incoming import Reading
from ._outgoing import Leaving, Loss, Rules, number, side
from ._quoting import coded

PLACES = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
REVENUE = "https://www.nubc.org/CodeSystem/RevenueCodes"
MODIFIER = "urn:jcodeunits:procedure-modifier"  # our own extension: ChargeItem has no modifier element
_NDC_UNITS = {"ML": "mL", "ME": "mg", "GR": "g", "F2": "[IU]", "UN": "[arb'U]"}
# By UCUM, by its own name and as a thing that is counted, all in small letters.
_NDC_QUALIFIERS = {
    **{name.casefold(): unit for unit, ucum in _NDC_UNITS.items() for name in (unit, ucum)},
    **dict.fromkeys(("each", "{each}", "ea"), "UN"),
}
MODIFIER_CODE = "[A-Z0-9]{2}"
RELEASES = ("R4", "R4B", "R5")

CARRIES = {
    "code": "Claim.item.productOrService; ChargeItem.code",
    "modifiers": "Claim.item.modifier; in ChargeItem only as an extension",
    "units": "Claim.item.quantity; ChargeItem.quantity",
    "charge_amount": "Claim.item.net",
    "revenue_code": "Claim.item.revenue",
    "diagnoses": "Claim.item.diagnosisSequence; ChargeItem.reason",
    "description": "Claim.item.productOrService.text; ChargeItem.code.text",
    "ndc": "Claim.item.detail.productOrService; ChargeItem.product[x]",
    "ndc_quantity": "Claim.item.detail.quantity",
    "ndc_qualifier": "Claim.item.detail.quantity, as a UCUM unit",
    "extra_ndcs": "Claim.item.detail",
}
_CHARGE_ITEM_CANNOT = {
    "ndc_quantity": "ChargeItem has no quantity of the product",
    "charge_amount": "a price of a ChargeItem overrides the price list: the host owns it",
    "revenue_code": "ChargeItem has no revenue code",
    "extra_ndcs": "ChargeItem names one product",
}
# --- reading: what was given -----------------------------------------------------------------------


def read(text: object, *, reference: Reference | None = None, **beside: Any) -> Encounter | ClaimLines:
    """An encounter from administrations, or the lines of a Claim or of ChargeItems.

    `text`: JSON text, or the resource as a dict: a MedicationAdministration, a Bundle, a Claim, a ChargeItem.
    `beside`: what the message cannot say, by the names of the contract's encounter (`place`, `payer`,
    `visit`, `discarded`, ...; `administrations=[...]` where the message holds several); `partial=True` bills
    a stopped administration or one of less than the full dose, `completed=True` one whose status is unknown;
    `medications=[...]` gives Medication resources that it only points to; `zone` (such as America/New_York)
    moves the message's times to the place's own clock. What the message does not say, or says in words that
    nobody knows, is taken from beside it with a note; another drug, dose, route or day than the message's is
    refused.

    Raises `FormatError` (an order, a status that may not bill, no unit, no place), `EncounterError`.
    """
    message = parse(text)
    if _is_charge(message):
        return _lines(message, **for_charges(beside, "fhir"))
    return _incoming.only(_fhir_given.reading(message, reference=Reference.of(reference), **beside), "fhir")


def reading(text: object, *, reference: Reference | None = None, **beside: Any) -> Reading:
    """Like `read`, but what was not given, and a day that UTC leaves open, become findings.

    Lots and expiries are kept in `.batches`.
    """
    return _fhir_given.reading(parse(text), reference=Reference.of(reference), **beside)


def read_all(
    text: object, *, reference: Reference | None = None, **beside: Any
) -> tuple[Encounter | JcodeunitsError, ...]:
    """One encounter or one error for each record, in order, so that a bad one hides no good one.

    `text`: NDJSON (one resource a line), a list of resources, or a Bundle, which gives one encounter for each
    patient and day; resources that others point to (Medication, Condition, Patient ...) are no records. What
    was not given stands as an error in its place. `beside` holds for every record, see `read`; a drug, dose, route,
    concentration or stop for each administration that leaves it open. An error of NDJSON or of a list names its line
    or record, and an exact copy of an earlier one asks.

    Raises `FormatError` only where there is nothing to read.
    """
    facts = Reference.of(reference)
    all_of = _incoming.beside_all(beside)
    return _fhir_batch.read_all(text, lambda message: _fhir_given.reading(message, reference=facts, **all_of))


def _is_charge(message: Message) -> bool:
    root = message.root
    return not message.given and (
        bool(message.kinds & {"Claim", "ChargeItem"}) or ("item" in root and "resourceType" not in root)
    )


# --- reading: what was charged ---------------------------------------------------------------------


def _lines(message: Message, diagnoses: Sequence[str] = ()) -> ClaimLines:
    """Lines of a Claim (or its item fragment) or of ChargeItems; every problem is said at once."""
    found = FoundLines("fhir", lost=_earlier(message))
    seen: set[str] = set()
    bodies: set[str] = set()
    for at, (_, resource) in enumerate(message.every, 1):
        name = f"{resource.get('resourceType')} {resource.get('id')}"
        if name in seen and resource.get("id") and name.startswith(("Claim ", "ChargeItem ")):
            found.wrong(name, "it stands twice in the message, and would be billed twice")
        seen.add(name)
        if resource.get("resourceType") in ("Claim", "ChargeItem"):
            body = _body(resource)
            if body in bodies:
                found.lose(None, name, "", "it says what an earlier one of the message says, and may be billed twice")
            bodies.add(body)
        if resource.get("resourceType") == "ChargeItem":
            _charge_item(resource, at, found)
        elif resource.get("resourceType", "Claim") == "Claim" and "item" in resource:
            _stands(resource, f"Claim {resource.get('id') or at}", found)
            found.unread(resource.items(), _elements.CLAIM_ELEMENTS, None, "Claim.")
            listed = _listed(resource, found) or dict(enumerate(diagnoses, 1))
            charged = [decimal((one.get("net") or {}).get("value")) for one in resource["item"]]
            total = resource.get("total")
            said = decimal(total.get("value")) if isinstance(total, dict) else None
            found.total("Claim.total", said, charged)
            period = resource.get("billablePeriod")
            for item in (_dated(_as_now(one), period) for one in resource["item"]):
                has_ndc = any(codes(one.get("productOrService") or {}, NDC) for one in item.get("detail") or [])
                if why := _no_drug(item.get("productOrService") or {}, item.get("quantity"), has_ndc):
                    found.no_drug(*_outside(item, at), why)
                else:
                    _item(item, listed, at, found)
    found.lost.sort(key=lambda loss: loss.line is not None)  # what is of no line stands first
    return found.lines("These FHIR charges", "item")


# What tells a charge that is sent again from the first one, and nothing else of it.
_OF_A_COPY = ("id", "identifier", "meta", "text", "created", "enteredDate")


def _body(charge: Mapping[str, Any]) -> str:
    """What a charge says, without that."""
    return json.dumps({name: charge[name] for name in charge if name not in _OF_A_COPY}, sort_keys=True, default=str)


def _as_now(item: dict[str, Any]) -> dict[str, Any]:
    """An item by the names of R4: STU3 has the code in `service`, a concept, and DSTU2 a coding; both a LinkId."""
    if "diagnosisLinkId" in item and "diagnosisSequence" not in item:
        item = {**item, "diagnosisSequence": item["diagnosisLinkId"]}
        del item["diagnosisLinkId"]
    said = item.get("service")
    if not isinstance(said, dict) or "productOrService" in item:
        return item
    rest = {key: value for key, value in item.items() if key != "service"}
    return {**rest, "productOrService": said if said.keys() & {"coding", "text"} else {"coding": [said]}}


def _dated(item: dict[str, Any], period: object) -> dict[str, Any]:
    """An item with the claim's period where it has no day of its own."""
    if not isinstance(period, dict) or not item.keys().isdisjoint(("servicedDate", "servicedPeriod")):
        return item
    return {**item, "servicedPeriod": period}


def _no_drug(concept: Mapping[str, Any], quantity: Mapping[str, Any] | None, has_ndc: bool) -> str:
    """Why a charge is of no drug, where it is none and nothing bills it by itself: no error of the drug lines."""
    said = [str(one.get("code")) for one in concept.get("coding") or []]
    if has_ndc or any(is_valid(code) and is_level_two(code) for code in said):
        return ""
    if not codes(concept, HCPCS) and not codes(concept, CPT):
        return "no HCPCS or CPT code with its system"
    return "" if quantity else "its quantity counts no units"


def _products(resource: Mapping[str, Any]) -> list[str]:
    """The NDCs of a charge item, in the element of R4 or of R5, each as first written."""
    concepts = [resource.get("productCodeableConcept") or {}]
    products = resource.get("product") or []
    concepts += [one.get("concept") or {} for one in (products if isinstance(products, list) else [products])]
    return _drugs.same_ndcs(str(code["code"]) for concept in concepts for code in codes(concept, NDC))


def _first(concept: Mapping[str, Any] | None) -> str:
    return next(iter(words(concept)), "")


def _outside(item: Mapping[str, Any], at: int) -> tuple[str, str]:
    """An item as a loss says it: its number; what it names and its charge."""
    charge = (item.get("net") or {}).get("value")
    said = [_first(item.get("revenue")), _first(item.get("productOrService"))]
    said += [] if charge is None else [f"charge {charge}"]
    return f"claim {at}, item {item.get('sequence', '')}".rstrip(), " ".join(filter(None, said))


# The values of the elements that turn a charge round; what is not here is refused by its name. A fragment
# as `write` gives it has none of them. In DSTU2 and STU3 a whole claim says `complete` in `use`.
STANDING = {
    "Claim.status": ("active",),
    "Claim.use": ("claim", "complete"),
    "ChargeItem.status": ("billable", "billed"),
}


def _stands(resource: Mapping[str, Any], where: str, found: FoundLines) -> None:
    """Whether a Claim or ChargeItem is one that charges: not cancelled, planned, asked about or a test."""
    kind = resource.get("resourceType")
    for path, plain in STANDING.items():
        name = path.partition(".")[2]
        if path == f"{kind}.{name}" and resource.get(name) not in (None, *plain):
            said = coded(resource[name]).strip("'")
            found.wrong(where, f"its {name} is {said}, and only {' or '.join(plain)} is a charge")
    if (marked := turned(resource)) is not None:
        found.wrong(where, f"it has {marked}, which changes its meaning in a way that is not known here")


def _earlier(message: Message) -> list[Loss]:
    """The claims that a Claim names as coming before it: its lines may stand in for theirs."""
    claims = [one for _, one in message.every if one.get("resourceType", "Claim") == "Claim"]
    related = [one for claim in claims for one in claim.get("related") or []]
    reason = "an earlier claim of the same services: take that one back, or the lines are billed twice"
    return [Loss(None, "Claim.related", ", ".join(words(one.get("relationship"))), reason) for one in related]


def _listed(claim: Mapping[str, Any], found: FoundLines) -> dict[int, str]:
    rows: dict[int, str] = {}
    for row in claim.get("diagnosis") or []:
        concept = row.get("diagnosisCodeableConcept") or {"coding": [row.get("diagnosis") or {}]}  # DSTU2 has a coding
        coding = codes(concept, ICD10) or concept.get("coding") or []
        if coding and coding[0].get("code"):
            number, code = row.get("sequence"), coding[0]["code"]
            if rows.setdefault(number, code) != code:
                found.wrong(f"diagnosis {number}", f"{coded(rows[number])} and {coded(code)} stand under one number")
    return rows


def _item(item: dict[str, Any], listed: Mapping[int, str], owner: int, found: FoundLines) -> None:
    at = found.at
    where = f"item {item.get('sequence', at)}"
    found.unread(item.items(), _elements.ITEM_ELEMENTS, at)
    pointed = item.get("diagnosisSequence") or []
    if unknown := [str(n) for n in pointed if n not in listed]:
        found.lose(at, "diagnoses", ",".join(unknown), "the claim's list of diagnoses is not at hand")
    ndcs = [made for detail in item.get("detail") or [] if (made := _detail(detail, where, found))]
    for beside in () if ndcs else codes(item.get("productOrService") or {}, NDC):
        found.lose(at, "ndc", str(beside["code"]), "it stands beside the code, without a quantity of its own")
    place = _told(item.get("locationCodeableConcept"), r"\d\d", "place", where, found)
    told = [_told(one, MODIFIER_CODE, "modifier", where, found) for one in item.get("modifier") or []]
    line = line_of(
        _code(item.get("productOrService") or {}, where, found),
        filter(None, told),
        _count(item.get("quantity"), where, found),
        ndcs,
        (listed[n] for n in pointed if n in listed),
        charge_amount=_net(item, where, found),
        revenue_code=_told(item.get("revenue"), r"\d{3,4}", "revenue code", where, found),
        description=(item.get("productOrService") or {}).get("text"),
    )
    days = _days(item, "servicedDate", "servicedPeriod", where, found)
    found.add(line, days, place or "", owner=owner, where=where)


def _days(charge: Mapping[str, Any], of_day: str, of_period: str, where: str, found: FoundLines) -> str:
    """The day, or the first and the last one."""
    period = charge.get(of_period) or {}
    day = str(charge.get(of_day) or "")[:10]
    days = list(dict.fromkeys(str(one)[:10] for one in (period.get("start"), period.get("end")) if one))
    if day and days and days != [day]:
        found.wrong(where, f"{of_day} is {coded(day)} and {of_period} {coded('/'.join(days))}, which contradict")
    return "/".join(days) or day


def _told(concept: Mapping[str, Any] | None, pattern: str, what: str, where: str, found: FoundLines) -> str | None:
    """The one code of a concept that is written like what is meant, else its first word; several are a problem."""
    said = words(concept)
    meant = list(dict.fromkeys(one for one in said if re.fullmatch(pattern, one, re.ASCII)))
    if len(meant) > 1:
        found.wrong(where, f"its {what} is {' and '.join(map(coded, meant))}, which contradict each other")
    return next(iter((*meant, *said)), None)


def _net(item: dict[str, Any], where: str, found: FoundLines) -> Decimal | None:
    net, price = item.get("net") or {}, item.get("unitPrice") or {}
    if (value := net.get("value")) is not None:
        amount = decimal(value)
        if (currency := net.get("currency")) not in (None, _outgoing.CURRENCY):
            found.wrong(where, f"net is in {coded(currency)}, and a claim charges US dollars")
        if amount is None or amount < 0:
            found.wrong(where, f"net {coded(value)} is no amount that is charged")
        each, count = decimal(price.get("value")), decimal((item.get("quantity") or {}).get("value", 1))
        if amount is not None and each is not None and count is not None and each * count != amount:
            why = f"so many units at it are not the charge, {amount}"
            found.lose(found.at, "unitPrice", str(price["value"]), why)
        return amount
    if price.get("value") is not None:
        found.lose(found.at, "unitPrice", str(price["value"]), "a line holds its whole charge (net)")
    return None


def _code(concept: Mapping[str, Any], where: str, found: FoundLines) -> str:
    named = list(dict.fromkeys(str(one["code"]).strip() for system in (HCPCS, CPT) for one in codes(concept, system)))
    if len(named) > 1:
        found.wrong(where, f"its code is {' and '.join(map(coded, named))}, which contradict each other")
    if named:
        found.code(named[0], where)
        return named[0].upper()
    said = ", ".join(map(coded, words(concept))) or "nothing"
    found.wrong(where, f"no HCPCS or CPT code with its system ({said})")
    return ""


def _count(quantity: Mapping[str, Any] | None, where: str, found: FoundLines) -> int:
    given = (quantity or {}).get("value")
    said = [str((quantity or {}).get(name) or "") for name in ("code", "unit", "comparator")]
    if measured := [word for word in said if word and not _units.COUNTS.fullmatch(word)]:
        found.wrong(where, f"quantity {given} {measured[0]} is no count of billing units")
        return 0
    return found.units(decimal(given), f"{where}: quantity {coded(given) if isinstance(given, str) else given}")


def _detail(detail: Mapping[str, Any], where: str, found: FoundLines) -> ExtraNdc | None:
    ndcs = codes(detail.get("productOrService") or {}, NDC)
    found.unread(detail.items(), _elements.DETAIL_ELEMENTS, found.at, "detail.")
    if not ndcs:
        found.lose(found.at, "detail", str(detail.get("sequence", "")), "no NDC")
        return None
    ndc, quantity = str(ndcs[0]["code"]), detail.get("quantity") or {}
    found.ndc(ndc, where)
    if quantity.get("value") is None:
        return ExtraNdc(ndc)
    said = [str(quantity[name]) for name in ("comparator", "code", "unit") if quantity.get(name)]
    units = {unit for one in said if (unit := _NDC_QUALIFIERS.get(one.casefold()))}
    value = decimal(quantity["value"])
    if len(units) != 1 or quantity.get("comparator") or value is None or value <= 0:
        shown = quoted(quantity["value"]) if value is None else number(value)
        shown = " ".join([shown, *map(coded, said)])
        found.wrong(where, f"{shown} is no NDC quantity: a number above 0 in one of {', '.join(_NDC_UNITS)}")
        return ExtraNdc(ndc)
    return ExtraNdc(ndc, units.pop(), Decimal(number(value)))


def _charge_item(resource: dict[str, Any], number: int, found: FoundLines) -> None:
    ndcs, concept = _products(resource), resource.get("code") or {}
    if why := _no_drug(concept, resource.get("quantity"), bool(ndcs)):
        where = f"ChargeItem {resource.get('id') or number}"
        _stands(resource, where, found)
        found.no_drug(where, _first(concept), why)
        return
    at = found.at
    where = f"ChargeItem {resource.get('id') or at}"
    for ndc in ndcs:
        found.ndc(ndc, where)
    modifiers = [
        said[0]
        for one in resource.get("extension") or []
        if one.get("url") == MODIFIER and (said := words(one.get("valueCodeableConcept")))
    ]
    line = line_of(
        _code(concept, where, found),
        modifiers,
        _count(resource.get("quantity"), where, found),
        list(map(ExtraNdc, ndcs)),
        (code["code"] for reason in resource.get("reason") or [] for code in codes(reason, ICD10)),
        description=concept.get("text"),
    )
    days = _days(resource, "occurrenceDateTime", "occurrencePeriod", where, found)
    found.add(line, days, owner=subject(resource), where=where)
    _stands(resource, where, found)
    found.unread(resource.items(), _elements.CHARGE_ITEM_ELEMENTS, at, "ChargeItem.")
    urls = [str(one.get("url")) for one in resource.get("extension") or [] if one.get("url") != MODIFIER]
    for url in urls:
        found.lose(at, "ChargeItem.extension", url, "an extension that is not known here")


# --- writing ---------------------------------------------------------------------------------------
diagnoses = _outgoing.diagnoses


def write(charge: Charge, *, resource: str = "Claim", release: str = "R4", indent: int | None = 1, **more: Any) -> str:
    """The charge as JSON: `Claim` (its diagnosis and item) or `ChargeItem` (a Bundle of them).

    A Claim is a fragment, `{"diagnosis", "item"}`, unless the host's part is given: `patient`, `provider`,
    `coverage` (references) and `created` (ISO date) make it whole. A ChargeItem needs `patient`; `encounter`
    and `administrations` (a reference for each administration) are added where given. Amounts are written
    where known. `more`: also see `Leaving`. Raises `FormatError` listing all that is in the way.
    """
    return dump(build(charge, resource=resource, release=release, **more), indent)


def build(charge: Charge, *, resource: str = "Claim", release: str = "R4", **more: Any) -> dict[str, Any]:
    """What `write` writes, as a dict whose exact numbers are `Decimal`."""
    if release not in RELEASES:
        raise FormatError(f"{release!r} is no release here. Allowed: {', '.join(RELEASES)}.", format="fhir")
    needs: tuple[str, ...] = ()
    if getattr(getattr(charge, "encounter", None), "claim", "") == "outpatient" and resource == "Claim":
        needs = ("revenue_code",)
    rules = Rules("fhir", f"FHIR {resource}", needs=needs, fields={"revenue_code": "Claim.item.revenue"})
    how = {name: more.pop(name) for name in Leaving.__annotations__ if name in more}
    lines = _outgoing.prepare(charge, rules, **how)
    if resource == "Claim":
        return _claim(charge, lines, more)
    if resource == "ChargeItem":
        return _charge_items(charge, lines, release, more)
    raise FormatError(f"{resource!r} is not written here. Allowed: Claim, ChargeItem.", format="fhir")


def resource(charge: Charge, *, release: str = "R4B", **options: Any) -> Any:
    """The same as a typed, validated `fhir.resources` object (extra `fhir`); R4 is checked as R4B.

    A Claim needs the host's part: `patient`, `provider`, `coverage`, `created`.
    """
    try:
        from importlib import import_module

        package = "fhir.resources.R4B" if release in ("R4", "R4B") else "fhir.resources"
        made = build(charge, release=release, **options)
        kind = made.get("resourceType")
        if kind is None:
            raise FormatError(
                "A typed Claim is whole: give patient=, provider=, coverage= and created=.", format="fhir"
            )
        module = import_module(f"{package}.{kind.lower()}")
    except ImportError:
        raise FormatError(
            "Typed resources need the fhir.resources library: pip install 'jcodeunits[fhir]'.", format="fhir"
        ) from None
    return getattr(module, kind).model_validate(made)


def _concept(system: str, code: str, text: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"coding": [{"system": system, "code": code}]}
    return {**made, "text": text} if text else made


def _procedure(code: str, text: str | None = None) -> dict[str, Any]:
    return _concept(HCPCS if is_level_two(code) else CPT, code, text)


def _modifier(code: str) -> dict[str, Any]:
    return _concept(CPT if code.isdigit() else HCPCS, code)


_HOST = ("patient", "provider", "coverage", "created")


def _claim(charge: Charge, lines: tuple[Line, ...], host: Mapping[str, Any]) -> dict[str, Any]:
    _known(host, _HOST)
    listed = diagnoses(charge)
    made: dict[str, Any] = {}
    missing = [name for name in _HOST if not host.get(name)]
    if len(missing) < len(_HOST):
        if missing:
            raise FormatError(f"A whole Claim needs {', '.join(missing)} too.", format="fhir", place=missing[0])
        made = {
            "resourceType": "Claim",
            "status": "active",
            "type": _concept("http://terminology.hl7.org/CodeSystem/claim-type", side(charge)),
            "use": "claim",
            "patient": {"reference": host["patient"]},
            "created": str(host["created"]),
            "provider": {"reference": host["provider"]},
            "priority": _concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": host["coverage"]}}],
        }
    if listed:
        made["diagnosis"] = [
            {"sequence": n, "diagnosisCodeableConcept": _concept(ICD10, code)} for n, code in enumerate(listed, 1)
        ]
    made["item"] = [_written_item(charge, line, n, listed) for n, line in enumerate(lines, 1)]
    return made


def _written_item(charge: Charge, line: Line, at: int, listed: tuple[str, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {"sequence": at}
    if line.diagnoses:
        made["diagnosisSequence"] = [listed.index(code) + 1 for code in line.diagnoses]
    if line.revenue_code:
        made["revenue"] = _concept(REVENUE, line.revenue_code)
    made["productOrService"] = _procedure(line.code, line.description)
    if line.modifiers:
        made["modifier"] = [_modifier(code) for code in line.modifiers]
    made["servicedDate"] = str(charge.encounter.on)
    made["locationCodeableConcept"] = _concept(PLACES, charge.encounter.place)
    made["quantity"] = {"value": line.units}
    if line.charge_amount is not None:
        made["net"] = {"value": line.charge_amount, "currency": "USD"}
    if line.ndcs:
        made["detail"] = [_written_detail(n, one) for n, one in enumerate(line.ndcs, 1)]
    return made


def _written_detail(at: int, one: ExtraNdc) -> dict[str, Any]:
    made: dict[str, Any] = {"sequence": at, "productOrService": _concept(NDC, one.ndc)}
    if one.qualifier is not None and one.quantity is not None:
        ucum = _NDC_UNITS[one.qualifier]
        made["quantity"] = {"value": Decimal(number(one.quantity)), "unit": ucum, "system": UCUM, "code": ucum}
    return made


def _charge_items(charge: Charge, lines: tuple[Line, ...], release: str, host: Mapping[str, Any]) -> dict[str, Any]:
    _known(host, ("patient", "encounter", "administrations"))
    if not host.get("patient"):
        raise FormatError("A ChargeItem names its patient: give patient='Patient/1'.", format="fhir", place="subject")
    items = [_written_charge_item(charge, line, release, host) for line in lines]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in items]}


def _written_charge_item(charge: Charge, line: Line, release: str, host: Mapping[str, Any]) -> dict[str, Any]:
    r5 = release == "R5"
    made: dict[str, Any] = {"resourceType": "ChargeItem"}
    if line.modifiers:
        made["extension"] = [{"url": MODIFIER, "valueCodeableConcept": _modifier(code)} for code in line.modifiers]
    made |= {
        "status": "billable",
        "code": _procedure(line.code, line.description),
        "subject": {"reference": host["patient"]},
        "occurrenceDateTime": str(charge.encounter.on),
        "quantity": {"value": line.units},
    }
    if host.get("encounter"):
        made["encounter" if r5 else "context"] = {"reference": host["encounter"]}
    if line.diagnoses:
        made["reason"] = [_concept(ICD10, code) for code in line.diagnoses]
    given = host.get("administrations") or ()
    if line.administration is not None and line.administration < len(given):
        reference = {"reference": given[line.administration]}
        made["service"] = [{"reference": reference}] if r5 else [reference]
    if line.ndc:
        product = _concept(NDC, line.ndc)
        made |= {"product": [{"concept": product}]} if r5 else {"productCodeableConcept": product}
    return made


def _known(host: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    if unknown := [key for key in host if key not in allowed]:
        raise FormatError(
            f"{unknown[0]!r} is no option here. Allowed: {', '.join(allowed)}.", format="fhir", place=unknown[0]
        )


def losses(charge: Charge, *, resource: str = "Claim") -> tuple[Loss, ...]:
    """What of the charge the resource does not carry; a Claim carries all of a line."""
    if resource == "Claim":
        return ()
    reason = f"ChargeItem has no modifier element; written as the extension {MODIFIER}"
    native = tuple(
        Loss(at, "modifiers", ", ".join(line.modifiers), reason)
        for at, line in enumerate(charge.lines, 1)
        if line.modifiers
    )
    place = Loss(None, "place", charge.encounter.place, "ChargeItem has no place of service")
    return (*native, *_outgoing.losses(charge.lines, _CHARGE_ITEM_CANNOT), place)
