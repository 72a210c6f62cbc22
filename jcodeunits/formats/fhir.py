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

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from jcodeunits.claim import Charge, Encounter, ExtraNdc, Line
from jcodeunits.errors import FormatError
from jcodeunits.finding import Finding
from jcodeunits.hcpcs import is_level_two

from . import _incoming, _outgoing
from ._incoming import Batch, Given, Reading
from ._outgoing import ClaimLines, Loss, Rules, number

NDC = "http://hl7.org/fhir/sid/ndc"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
PLACES = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
REVENUE = "https://www.nubc.org/CodeSystem/RevenueCodes"
MODIFIER = "urn:jcodeunits:procedure-modifier"  # our own extension: ChargeItem has no modifier element

# Other names of the same code systems, as they are met.
_SYSTEMS = {
    NDC: (NDC, "urn:oid:2.16.840.1.113883.6.69"),
    RXNORM: (RXNORM, "urn:oid:2.16.840.1.113883.6.88"),
    HCPCS: (
        HCPCS,
        "http://terminology.hl7.org/CodeSystem/HCPCS",
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "urn:oid:2.16.840.1.113883.6.285",
    ),
    CPT: (CPT, "https://www.ama-assn.org/go/cpt", "urn:oid:2.16.840.1.113883.6.12"),
    ICD10: (ICD10, "urn:oid:2.16.840.1.113883.6.90"),
}  # fmt: skip
_NDC_UNITS = {"ML": "mL", "ME": "mg", "GR": "g", "F2": "[IU]", "UN": "[arb'U]"}
_NDC_QUALIFIERS = {ucum: unit for unit, ucum in _NDC_UNITS.items()} | {"[iU]": "F2", "ml": "ML"}
_ORDERS = (
    "MedicationRequest",
    "MedicationDispense",
    "MedicationStatement",
    "MedicationUsage",
    "ServiceRequest",
)
_SOURCE = "fhir-medication-administration"
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


def read(text: object, **beside: Any) -> Encounter | ClaimLines:
    """An encounter from administrations, or the lines of a Claim or of ChargeItems.

    `text`: JSON text, or the resource as a dict: a MedicationAdministration, a Bundle, a Claim, a ChargeItem.
    `beside`: what the message cannot say, by the names of the contract's encounter (`place`, `payer`,
    `visit`, `discarded`, ...; `administrations=[...]` where the message holds several); `partial=True` bills
    a stopped administration; `medications=[...]` gives Medication resources that it only points to.

    Raises `FormatError` (an order, a status that may not bill, no unit, no place), `EncounterError`.
    """
    message = _parse(text)
    if _is_charge(message):
        return _lines(message, **_outgoing.for_charges(beside, "fhir"))
    return _incoming.only(_reading(message, **beside), "fhir")


def reading(text: object, **beside: Any) -> Reading:
    """Like `read`, but what was not given becomes a finding, and lots and expiries are kept."""
    return _reading(_parse(text), **beside)


def _parse(text: object) -> dict[str, Any]:
    message: object = text
    if isinstance(text, (str, bytes, bytearray)):
        try:
            message = json.loads(
                text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once
            )
        except (ValueError, RecursionError) as why:
            raise FormatError(f"This is no JSON that can be read: {why}.", format="fhir") from None
    if not isinstance(message, dict):
        raise FormatError(f"A FHIR resource is a JSON object, not {type(message).__name__}.", format="fhir")
    return message


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"a key stands twice: {next(name for name in names if names.count(name) > 1)}")
    return made


def _resources(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The resources of a message with the address that references use."""
    if message.get("resourceType") != "Bundle":
        return [("", message)]
    entries = [entry for entry in message.get("entry") or [] if isinstance(entry.get("resource"), dict)]
    return [(entry.get("fullUrl") or "", entry["resource"]) for entry in entries]


def _is_charge(message: dict[str, Any]) -> bool:
    kinds = {resource.get("resourceType") for _, resource in _resources(message)}
    return "MedicationAdministration" not in kinds and (
        bool(kinds & {"Claim", "ChargeItem"}) or ("item" in message and "resourceType" not in message)
    )


def _reading(
    message: dict[str, Any],
    *,
    partial: bool = False,
    medications: Sequence[dict[str, Any]] = (),
    **beside: Any,
) -> Reading:
    resources = _resources(message)
    shelf = _shelf([*resources, *(("", medication) for medication in medications)])
    given: list[Given] = []
    withheld: list[Finding] = []
    for at, (_, resource) in enumerate(resources, 1):
        if resource.get("resourceType") == "MedicationAdministration":
            where = f"MedicationAdministration {resource.get('id') or at}"
            found = _status(resource, where, partial) or _given(resource, where, shelf)
            (given if isinstance(found, Given) else withheld).append(found)  # type: ignore[arg-type]
    if not given and not withheld:
        raise FormatError(_nothing(resources), format="fhir")
    return _incoming.reading(given, withheld, beside, "fhir", (_SOURCE, "Medication.batch.expirationDate"))


def _nothing(resources: Iterable[tuple[str, dict[str, Any]]]) -> str:
    kinds = sorted({str(resource.get("resourceType")) for _, resource in resources})
    orders = [kind for kind in kinds if kind in _ORDERS]
    if orders:
        return (
            f"{' and '.join(orders)} says what was ordered, dispensed or reported, not what was given, "
            "and is never billed. Send the MedicationAdministration."
        )
    return f"No MedicationAdministration in the message ({', '.join(kinds) or 'nothing'})."


def _shelf(resources: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    shelf: dict[str, dict[str, Any]] = {}
    for url, resource in resources:
        if resource.get("resourceType") == "Medication":
            shelf |= {key: resource for key in (url, f"Medication/{resource.get('id')}") if key}
    return shelf


def _status(resource: dict[str, Any], where: str, partial: bool) -> Finding | None:
    """The finding for a status that may not bill; None for one that may."""
    status = resource.get("status")
    if status == "completed" or (status == "stopped" and partial):
        return None
    if status == "stopped":
        fix = "If the dose recorded is what was given before it stopped, read it with partial=True."
    elif status in ("in-progress", "on-hold"):
        fix = "Bill it when it is completed."
    else:
        fix = "Only a completed administration is billed."
    return _incoming.not_given(where, f"its status is {status or 'not said'}", fix, _SOURCE, "status")


def _given(resource: dict[str, Any], where: str, shelf: Mapping[str, dict[str, Any]]) -> Given:
    for key in ("modifierExtension", "implicitRules"):
        if resource.get(key):
            raise _refused(
                where, f"it has a {key}, which changes its meaning in a way that is not known here"
            )
    concept, medication = _medication(resource, where, shelf)
    says: dict[str, Any] = {}
    if concept:
        says |= _drug(concept, where)
    dosage = resource.get("dosage") or {}
    says["dose"] = _dose(dosage, where)
    says |= _routed(dosage, where)
    if _incoming.by_volume(says["dose"]) and (strength := _strength(medication, where)):
        says["concentration"] = strength
    on, times = _times(resource, where)
    says |= times
    if codes := _reasons(resource):
        says["diagnoses"] = codes
    if actor := _performer(resource):
        says["performer"] = actor
    patient = (resource.get("subject") or {}).get("reference") or ""
    return Given(where, says, on, patient, _batch(medication, where))


def _refused(where: str, why: str) -> FormatError:
    return FormatError(f"{where}: {why}.", format="fhir", place=where)


def _medication(
    resource: dict[str, Any], where: str, shelf: Mapping[str, dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The concept that names the drug, and the Medication where there is one."""
    r5 = resource.get("medication") or {}
    concept = resource.get("medicationCodeableConcept") or r5.get("concept")
    if concept:
        return concept, {}
    pointer = (resource.get("medicationReference") or r5.get("reference") or {}).get("reference")
    if not pointer:
        return {}, {}
    inside = {f"#{one.get('id')}": one for one in resource.get("contained") or []}
    found = inside.get(pointer) or shelf.get(pointer) or shelf.get("/".join(pointer.split("/")[-2:]))
    if found is None:
        raise _refused(
            where, f"its drug is {pointer}, which the message does not hold; give it in medications=[...]"
        )
    return found.get("code") or {}, found


def _codes(concept: Mapping[str, Any], system: str) -> list[dict[str, Any]]:
    return [
        one
        for one in concept.get("coding") or []
        if one.get("system") in _SYSTEMS[system] and one.get("code")
    ]


def _drug(concept: dict[str, Any], where: str) -> dict[str, str]:
    """The drug by its most exact name: NDC, then code, then RxNorm's or the sender's text."""
    ndcs = {one["code"] for one in _codes(concept, NDC)}
    if len(ndcs) > 1:
        raise _refused(where, f"it names {len(ndcs)} NDCs ({', '.join(sorted(ndcs))}) for one drug")
    if ndcs:
        ndc = ndcs.pop()
        return {"drug": ndc, "ndc": ndc}
    for system in (HCPCS, CPT):
        if found := _codes(concept, system):
            return {"drug": found[0]["code"]}
    texts = [one.get("display") for one in _codes(concept, RXNORM)]
    texts += [concept.get("text"), *(one.get("display") for one in concept.get("coding") or [])]
    named = next((text for text in texts if text and text.strip()), None)
    if named is None:
        raise _refused(
            where, "its drug has no NDC, HCPCS code or text that can be read; give drug='...' beside it"
        )
    return {"drug": _incoming.drug_name(named)}


def _dose(dosage: dict[str, Any], where: str) -> str:
    dose = dosage.get("dose")
    if not dose or dose.get("value") is None:
        said = f" (only as text: {dosage['text']!r})" if dosage.get("text") else ""
        raise _refused(where, f"it has no dose{said}; the amount given must stand in dosage.dose")
    if dose.get("comparator"):
        raise _refused(where, f"its dose is {dose['comparator']} {dose['value']}, which is no exact amount")
    return _quantity(dose, f"{where}, dose")


def _quantity(quantity: Mapping[str, Any], where: str) -> str:
    """An amount with its unit as text: the UCUM code where there is one, else the unit as written."""
    raw = quantity.get("value")
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)):
        raise _refused(where, f"{raw!r} is no number")
    value = Decimal(str(raw))
    if not value.is_finite() or value <= 0:
        raise _refused(where, f"the amount is {raw}, and an amount that was given is above 0")
    code, text = quantity.get("code") or "", quantity.get("unit") or ""
    ucum = bool(code) and quantity.get("system", UCUM) == UCUM
    if not code and not text:
        raise _refused(where, f"{number(value)} has no unit, and 30 mg is not 30 mcg; the sender must add it")
    unit = _incoming.unit(code if ucum else text or code, "fhir", where, ucum=ucum)
    if ucum:
        _incoming.agree(unit, text, "fhir", where)
    return _incoming.amount(value, unit)


def _words(concept: Mapping[str, Any] | None) -> list[str]:
    concept = concept or {}
    coding = concept.get("coding") or []
    return [
        *(str(one["code"]) for one in coding if one.get("code")),
        *(str(one["display"]) for one in coding if one.get("display")),
        *([str(concept["text"])] if concept.get("text") else []),
    ]


def _routed(dosage: dict[str, Any], where: str) -> dict[str, str]:
    """Route and site; a method such as IV push makes a plain IV exact."""
    says: dict[str, str] = {}
    if words := _words(dosage.get("route")):
        says["route"] = _incoming.route(words, "fhir", f"{where}, route")
    if says.get("route") == "IV" and (method := _words(dosage.get("method"))):
        try:
            exact = _incoming.route(method, "fhir", where)
        except FormatError:
            exact = ""
        if exact.startswith("IV "):
            says["route"] = exact
    if site := _words(dosage.get("site")):
        says["site"] = site[-1]
    return says


def _strength(medication: dict[str, Any], where: str) -> str | None:
    """The strength of the product as a concentration, where exactly one ingredient has one."""
    ratios = [medication["amount"]] if isinstance(medication.get("amount"), dict) else []
    for item in medication.get("ingredient") or []:
        ratio = item.get("strength") or item.get("strengthRatio")
        ratios += [ratio] if isinstance(ratio, dict) else []
    texts = {
        f"{_quantity(ratio['numerator'], where)}/{_quantity(ratio['denominator'], where)}"
        for ratio in ratios
        if ratio.get("numerator") and ratio.get("denominator")
    }
    volumes = sorted(text for text in texts if text.endswith((" mL", " L")))
    return volumes[0] if len(volumes) == 1 else None


_WHEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?")


def _moment(text: str, where: str) -> tuple[dt.date, str]:
    """Day and time as the sender wrote them: the place's own clock, never moved to another zone."""
    match = _WHEN.fullmatch(text)
    try:
        return dt.date.fromisoformat(match[1] if match else ""), (match[2] or "") if match else ""
    except ValueError:
        raise _refused(where, f"{text!r} names no day") from None


def _times(resource: dict[str, Any], where: str) -> tuple[dt.date | None, dict[str, str]]:
    # R5 was published with one r in "occurence"; R6 and hand-written messages have two.
    names = ("effective", "occurence", "occurrence")
    for name in names:
        if moment := resource.get(f"{name}DateTime"):
            day, time = _moment(str(moment), where)
            return day, {"time": time} if time else {}
        period = resource.get(f"{name}Period")
        if period and period.get("start"):
            return _period(period, where)
    return None, {}


def _period(period: dict[str, Any], where: str) -> tuple[dt.date, dict[str, str]]:
    day, start = _moment(str(period["start"]), where)
    says = {"start": start} if start else {}
    if period.get("end"):
        last, stop = _moment(str(period["end"]), where)
        if last < day or (last == day and start and stop and stop < start):
            raise _refused(where, f"it ends ({period['end']}) before it starts ({period['start']})")
        if (last - day).days > 1 or (last > day and start and stop and stop >= start):
            raise _refused(where, "it lasts a day or more, and an encounter is one day")
        says |= {"stop": stop} if stop else {}
    return day, says


def _reasons(resource: dict[str, Any]) -> list[str]:
    """ICD-10-CM codes among the reasons (R4 reasonCode, R5 reason.concept)."""
    concepts = [*(resource.get("reasonCode") or [])]
    concepts += [one.get("concept") or {} for one in resource.get("reason") or [] if isinstance(one, dict)]
    return [code["code"] for concept in concepts for code in _codes(concept, ICD10)]


def _performer(resource: dict[str, Any]) -> str:
    """The first performer: R4 has a reference, R5 a reference inside one that may also hold a concept."""
    for one in resource.get("performer") or []:
        found = (one.get("actor") or {}).get("reference")
        if isinstance(found, dict):
            found = found.get("reference")
        if found:
            return str(found)
    return ""


def _batch(medication: dict[str, Any], where: str) -> Batch | None:
    batch = medication.get("batch")
    if not batch:
        return None
    text = str(batch.get("expirationDate") or "")
    last = None
    if text:
        # A month or a year runs to its last day.
        first, _ = _moment((text + "-01-01")[:10] if len(text) < 10 else text, where)
        last = {4: first.replace(month=12, day=31), 7: _month_end(first)}.get(len(text), first)
    return Batch(batch.get("lotNumber"), last)


def _month_end(day: dt.date) -> dt.date:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)


# --- reading: what was charged ---------------------------------------------------------------------


def _lines(message: dict[str, Any], diagnoses: Sequence[str] = ()) -> ClaimLines:
    """Lines of a Claim (or its item fragment) or of ChargeItems; every problem is said at once."""
    problems: list[str] = []
    rows: list[tuple[Line, str, str, list[Loss]]] = []
    for _, resource in _resources(message):
        if resource.get("resourceType") == "ChargeItem":
            rows.append(_charge_item(resource, len(rows) + 1, problems))
        elif "item" in resource:
            listed = _listed(resource) or dict(enumerate(diagnoses, 1))
            for item in resource["item"]:
                rows.append(_item(item, len(rows) + 1, listed, problems))
    if problems or not rows:
        raise FormatError(
            f"These FHIR charges cannot be read: {'; '.join(problems) or 'there is no item'}.",
            format="fhir", place=(problems or [""])[0].partition(":")[0], problems=tuple(problems),
        )  # fmt: skip
    lines, dates, places, losses = zip(*rows, strict=True)
    return ClaimLines(lines, dates, places, tuple(loss for each in losses for loss in each))


def _listed(claim: Mapping[str, Any]) -> dict[int, str]:
    rows = {}
    for row in claim.get("diagnosis") or []:
        concept = row.get("diagnosisCodeableConcept") or {}
        coding = _codes(concept, ICD10) or concept.get("coding") or []
        if coding and coding[0].get("code"):
            rows[row.get("sequence")] = coding[0]["code"]
    return rows


def _item(
    item: dict[str, Any], at: int, listed: Mapping[int, str], problems: list[str]
) -> tuple[Line, str, str, list[Loss]]:
    where, lost = f"item {item.get('sequence', at)}", []
    pointed = item.get("diagnosisSequence") or []
    if unknown := [str(n) for n in pointed if n not in listed]:
        lost.append(Loss(at, "diagnoses", ",".join(unknown), "the claim's list of diagnoses is not at hand"))
    ndcs = [
        made for detail in item.get("detail") or [] if (made := _detail(detail, where, at, lost, problems))
    ]
    first = ndcs[0] if ndcs else ExtraNdc("")
    place = _words(item.get("locationCodeableConcept"))
    line = Line(
        _code(item.get("productOrService") or {}, where, problems),
        tuple(_words(one)[0] for one in item.get("modifier") or [] if _words(one)),
        _count(item.get("quantity"), where, problems),
        first.ndc or None, first.qualifier, first.quantity,
        tuple(listed[n] for n in pointed if n in listed),
        kind="drug" if ndcs else "service",
        charge_amount=_net(item, at, lost),
        revenue_code=next(iter(_words(item.get("revenue"))), None),
        description=(item.get("productOrService") or {}).get("text"),
        extra_ndcs=tuple(ndcs[1:]),
    )  # fmt: skip
    period = item.get("servicedPeriod") or {}
    date = item.get("servicedDate") or "/".join(filter(None, (period.get("start"), period.get("end"))))
    return line, str(date)[:21], place[0] if place else "", lost


def _net(item: dict[str, Any], at: int, lost: list[Loss]) -> Decimal | None:
    net, price = item.get("net") or {}, item.get("unitPrice") or {}
    if net.get("value") is not None:
        return Decimal(str(net["value"]))
    if price.get("value") is not None:
        lost.append(Loss(at, "unitPrice", str(price["value"]), "a line holds its whole charge (net)"))
    return None


def _code(concept: Mapping[str, Any], where: str, problems: list[str]) -> str:
    for system in (HCPCS, CPT):
        if found := _codes(concept, system):
            return str(found[0]["code"])
    said = ", ".join(_words(concept)) or "nothing"
    problems.append(f"{where}: no HCPCS or CPT code with its system ({said})")
    return ""


def _count(quantity: Mapping[str, Any] | None, where: str, problems: list[str]) -> int:
    value = (quantity or {}).get("value")
    number_given = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    if not number_given or Decimal(str(value)) % 1 or Decimal(str(value)) < 1:
        problems.append(f"{where}: quantity {value!r}, and a line counts whole units above 0")
        return 0
    return int(Decimal(str(value)))


def _detail(
    detail: Mapping[str, Any], where: str, at: int, lost: list[Loss], problems: list[str]
) -> ExtraNdc | None:
    codes = _codes(detail.get("productOrService") or {}, NDC)
    if not codes:
        lost.append(Loss(at, "detail", str(detail.get("sequence", "")), "no NDC"))
        return None
    ndc, quantity = str(codes[0]["code"]), detail.get("quantity") or {}
    if not re.fullmatch(r"\d{11}", ndc, re.ASCII):
        problems.append(f"{where}: {ndc!r} has not the 11 digits of an NDC")
    if quantity.get("value") is None:
        return ExtraNdc(ndc)
    unit = _NDC_QUALIFIERS.get(quantity.get("code") or quantity.get("unit") or "")
    value = Decimal(str(quantity["value"]))
    if unit is None or not value.is_finite() or value <= 0:
        problems.append(f"{where}: {value} {quantity.get('code')} is no NDC quantity")
    return ExtraNdc(ndc, unit, Decimal(number(value)) if value.is_finite() else value)


def _charge_item(resource: dict[str, Any], at: int, problems: list[str]) -> tuple[Line, str, str, list[Loss]]:
    where = f"ChargeItem {resource.get('id') or at}"
    products = [resource.get("productCodeableConcept") or {}]
    products += [one.get("concept") or {} for one in resource.get("product") or []]
    ndc = next((code["code"] for product in products for code in _codes(product, NDC)), None)
    if ndc is not None and not re.fullmatch(r"\d{11}", ndc, re.ASCII):
        problems.append(f"{where}: {ndc!r} has not the 11 digits of an NDC")
    concept = resource.get("code") or {}
    modifiers = [
        words[0]
        for one in resource.get("extension") or []
        if one.get("url") == MODIFIER and (words := _words(one.get("valueCodeableConcept")))
    ]
    line = Line(
        _code(concept, where, problems),
        tuple(modifiers),
        _count(resource.get("quantity"), where, problems),
        ndc,
        diagnoses=tuple(
            code["code"] for reason in resource.get("reason") or [] for code in _codes(reason, ICD10)
        ),
        kind="drug" if ndc else "service",
        description=concept.get("text"),
    )
    if resource.get("status") in ("not-billable", "aborted", "entered-in-error"):
        problems.append(f"{where}: its status is {resource['status']}")
    return line, str(resource.get("occurrenceDateTime") or "")[:10], "", []


# --- writing ---------------------------------------------------------------------------------------

diagnoses = _outgoing.diagnoses


def write(
    charge: Charge,
    *,
    allow_stops: bool = False,
    amounts: Mapping[str, object] | None = None,
    revenue_codes: Mapping[str, str] | None = None,
    resource: str = "Claim",
    release: str = "R4",
    allow_me: bool = False,
    indent: int | None = 1,
    **host: Any,
) -> str:
    """The charge as JSON: `Claim` (its diagnosis and item) or `ChargeItem` (a Bundle of them).

    A Claim is a fragment, `{"diagnosis", "item"}`, unless the host's part is given: `patient`, `provider`,
    `coverage` (references) and `created` (ISO date) make it whole. A ChargeItem needs `patient`; `encounter`
    and `administrations` (a reference for each administration) are added where given. Amounts are written
    where known. Raises `FormatError` listing all that is in the way.
    """
    return _dump(
        build(
            charge, allow_stops=allow_stops, amounts=amounts, revenue_codes=revenue_codes, resource=resource,
            release=release, allow_me=allow_me, **host,
        ),
        indent,
    )  # fmt: skip


def build(
    charge: Charge,
    *,
    allow_stops: bool = False,
    amounts: Mapping[str, object] | None = None,
    revenue_codes: Mapping[str, str] | None = None,
    resource: str = "Claim",
    release: str = "R4",
    allow_me: bool = False,
    **host: Any,
) -> dict[str, Any]:
    """What `write` writes, as a dict whose exact numbers are `Decimal`."""
    if release not in RELEASES:
        raise FormatError(f"{release!r} is no release here. Allowed: {', '.join(RELEASES)}.", format="fhir")
    needs: tuple[str, ...] = ()
    if getattr(getattr(charge, "encounter", None), "claim", "") == "outpatient" and resource == "Claim":
        needs = ("revenue_code",)
    rules = Rules("fhir", f"FHIR {resource}", needs=needs, fields={"revenue_code": "Claim.item.revenue"})
    lines = _outgoing.prepare(
        charge,
        rules,
        allow_stops=allow_stops,
        amounts=amounts,
        revenue_codes=revenue_codes,
        allow_me=allow_me,
    )
    if resource == "Claim":
        return _claim(charge, lines, host)
    if resource == "ChargeItem":
        return _charge_items(charge, lines, release, host)
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
            raise FormatError(
                f"A whole Claim needs {', '.join(missing)} too.", format="fhir", place=missing[0]
            )
        made = {
            "resourceType": "Claim",
            "status": "active",
            "type": _concept("http://terminology.hl7.org/CodeSystem/claim-type", _claim_type(charge)),
            "use": "claim",
            "patient": {"reference": host["patient"]},
            "created": str(host["created"]),
            "provider": {"reference": host["provider"]},
            "priority": _concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": host["coverage"]}}],
        }
    if listed:
        made["diagnosis"] = [
            {"sequence": n, "diagnosisCodeableConcept": _concept(ICD10, code)}
            for n, code in enumerate(listed, 1)
        ]
    made["item"] = [_written_item(charge, line, n, listed) for n, line in enumerate(lines, 1)]
    return made


def _claim_type(charge: Charge) -> str:
    return "institutional" if charge.encounter.claim == "outpatient" else "professional"


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
    ndcs = [(line.ndc, line.ndc_qualifier, line.ndc_quantity)] if line.ndc else []
    ndcs += [(extra.ndc, extra.qualifier, extra.quantity) for extra in line.extra_ndcs]
    if ndcs:
        made["detail"] = [_written_detail(n, *ndc) for n, ndc in enumerate(ndcs, 1)]
    return made


def _written_detail(at: int, ndc: str, unit: str | None, quantity: Decimal | None) -> dict[str, Any]:
    made: dict[str, Any] = {"sequence": at, "productOrService": _concept(NDC, ndc)}
    if unit is not None and quantity is not None:
        ucum = _NDC_UNITS[unit]
        made["quantity"] = {"value": Decimal(number(quantity)), "unit": ucum, "system": UCUM, "code": ucum}
    return made


def _charge_items(
    charge: Charge, lines: tuple[Line, ...], release: str, host: Mapping[str, Any]
) -> dict[str, Any]:
    _known(host, ("patient", "encounter", "administrations"))
    if not host.get("patient"):
        raise FormatError(
            "A ChargeItem names its patient: give patient='Patient/1'.", format="fhir", place="subject"
        )
    items = [_written_charge_item(charge, line, release, host) for line in lines]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in items]}


def _written_charge_item(charge: Charge, line: Line, release: str, host: Mapping[str, Any]) -> dict[str, Any]:
    r5 = release == "R5"
    made: dict[str, Any] = {"resourceType": "ChargeItem"}
    if line.modifiers:
        made["extension"] = [
            {"url": MODIFIER, "valueCodeableConcept": _modifier(code)} for code in line.modifiers
        ]
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
            f"{unknown[0]!r} is no option here. Allowed: {', '.join(allowed)}.",
            format="fhir",
            place=unknown[0],
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


def _dump(value: Any, indent: int | None) -> str:
    """JSON text whose decimals are exact: json itself would turn them into floats."""
    exact: list[str] = []

    def mark(item: Any) -> str:
        exact.append(format(item, "f"))
        return f"\x00{len(exact) - 1}\x00"

    text = json.dumps(value, indent=indent, default=mark, ensure_ascii=False)
    return re.sub(r'"\\u0000(\d+)\\u0000"', lambda match: exact[int(match[1])], text)
