"""The JSON of the clearing houses: service lines as their claim calls take them.

One shape serves several of them; numbers are text. The names come in camelCase, and in snake_case from some
client libraries: both are read, and `keys="snake"` writes the second.

>>> from jcodeunits.claim import Charge, Line
>>> from jcodeunits.encounter import Encounter
>>> line = Line("J1885", ("JZ",), 2, diagnoses=("M54.50",), kind="drug")
>>> text = write(Charge((line,), (), Encounter("2026-03-02", "11")), amounts={"J1885": 5}, indent=None)
>>> text[text.index('"procedureCode"'):][:51]
'"procedureCode": "J1885", "procedureModifiers": ["J'
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Unpack

from jcodeunits.amount import plain_number
from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.errors import FormatError
from jcodeunits.keys import dotted

from . import _elements, _outgoing
from ._claim_lines import ClaimLines, FoundLines, is_count, line_of
from ._json import Shapes, load
from ._outgoing import Leaving, Loss, Rules, number, side
from ._quoting import coded
from ._times import iso

CARRIES = {
    "code": "professionalService.procedureCode, institutionalService.procedureCode",
    "modifiers": "procedureModifiers",
    "units": "serviceUnitCount",
    "charge_amount": "lineItemChargeAmount",
    "revenue_code": "institutionalService.serviceLineRevenueCode",
    "diagnoses": "compositeDiagnosisCodePointers (professional)",
    "description": "professionalService.description",
    "ndc": "drugIdentification.nationalDrugCode",
    "ndc_quantity": "drugIdentification.nationalDrugUnitCount",
    "ndc_qualifier": "drugIdentification.measurementUnitCode",
    "extra_ndcs": "additionalNotes",
}
_CANNOT = {
    "professional": {"revenue_code": "a professional line has no revenue code"},
    "institutional": {"diagnoses": "an institutional line points to no diagnosis"},
}

diagnoses = _outgoing.diagnoses


def write(charge: Charge, *, keys: str = "camel", indent: int | None = 1, **how: Unpack[Leaving]) -> str:
    """The charge as `healthCareCodeInformation` and `serviceLines`; `how`: `Leaving`. Raises `FormatError`."""
    if keys not in ("camel", "snake"):
        raise FormatError(f"{keys!r} is no way to write keys. Allowed: camel, snake.", format="claimjson")
    kind = side(charge) if isinstance(charge, Charge) else "professional"
    rules = Rules.of_837(
        kind == "professional",
        format="claimjson",
        title="clearing-house JSON",
        fields={
            "charge_amount": "lineItemChargeAmount",
            "ndc_quantity": "nationalDrugUnitCount",
            "diagnoses": "compositeDiagnosisCodePointers",
            "revenue_code": "serviceLineRevenueCode",
            "description": "the service's description",
        },
        pointers=True,
    )
    lines = _outgoing.prepare(charge, rules, **how)
    listed = diagnoses(charge)
    made: dict[str, Any] = {}
    if listed:
        made["healthCareCodeInformation"] = [
            {"diagnosisTypeCode": "ABF" if n else "ABK", "diagnosisCode": code.replace(".", "")}
            for n, code in enumerate(listed)
        ]
    made["serviceLines"] = [_service_line(charge, line, kind, listed) for line in lines]
    return json.dumps(_renamed(made, _snake) if keys == "snake" else made, indent=indent, ensure_ascii=False)


def _service_line(charge: Charge, line: Line, kind: str, listed: tuple[str, ...]) -> dict[str, Any]:
    service: dict[str, Any] = {"procedureIdentifier": "HC", "procedureCode": line.code}
    if line.modifiers:
        service["procedureModifiers"] = list(line.modifiers)
    service |= {
        "lineItemChargeAmount": number(line.charge_amount or Decimal(0)),
        "measurementUnit": "UN",
        "serviceUnitCount": str(line.units),
    }
    if line.description:
        service["description"] = line.description
    if kind == "institutional":
        service = {"serviceLineRevenueCode": line.revenue_code, **service}
    else:
        service["placeOfServiceCode"] = charge.encounter.place
        chosen = [str(n) for n in _outgoing.pointers(line, listed)]
        service["compositeDiagnosisCodePointers"] = {"diagnosisCodePointers": chosen}
    made: dict[str, Any] = {"serviceDate": f"{charge.encounter.on:%Y%m%d}", f"{kind}Service": service}
    if line.ndc is not None and line.ndc_quantity is not None:
        made["drugIdentification"] = {
            "serviceIdQualifier": "N4",
            "nationalDrugCode": line.ndc,
            "nationalDrugUnitCount": number(line.ndc_quantity),
            "measurementUnitCode": line.ndc_qualifier,
        }
    if line.extra_ndcs:
        made["additionalNotes"] = _outgoing.ndc_note(line.extra_ndcs)
    return made


def _snake(key: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(part.title() for part in rest)


def _renamed(value: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {rename(key): _renamed(item, rename) for key, item in value.items()}
    return [_renamed(item, rename) for item in value] if isinstance(value, list) else value


def losses(charge: Charge) -> tuple[Loss, ...]:
    """What of the charge these service lines do not carry."""
    kind = side(charge)
    lost = _outgoing.losses(charge.lines, _CANNOT[kind])
    where = "compositeDiagnosisCodePointers"
    return lost + (_outgoing.lost_pointers(charge.lines, where) if kind == "professional" else ())


_SHAPES = Shapes(
    "claimjson",
    lists="serviceLines healthCareCodeInformation",
    objects=(
        "claimInformation professionalService institutionalService compositeDiagnosisCodePointers drugIdentification"
    ),
    texts=(
        "procedureCode procedureIdentifier measurementUnit description serviceLineRevenueCode placeOfServiceCode "
        "serviceDate nationalDrugCode measurementUnitCode additionalNotes diagnosisCode"
    ),
    words="procedureModifiers diagnosisCodePointers",
)


def read(text: object, *, diagnoses: Sequence[str] = ()) -> ClaimLines:
    """The service lines of a claim call, or as `write` gives them, in either case. Raises `FormatError`."""
    around = _renamed(load(text, "claimjson", "A claim"), _camel)
    claim = around.get("claimInformation", around)
    _SHAPES.refuse({"claimInformation": claim})
    rows = claim.get("serviceLines")
    if not rows:
        raise FormatError("The JSON holds no serviceLines.", format="claimjson", place="serviceLines")
    coded = claim.get("healthCareCodeInformation") or []
    listed = tuple(diagnoses) or tuple(dotted(row.get("diagnosisCode", "")) for row in coded)
    found = FoundLines("claimjson")
    found.frequency(str(claim.get("claimFrequencyCode") or "1"), "claimFrequencyCode")
    for held in (claim,) if around is claim else (claim, around):
        found.unread(held.items(), _elements.CLEARING_CLAIM, None)
    if "T" in (around.get("usageIndicator"), claim.get("usageIndicator")):
        found.lose(None, "usageIndicator", "T", "the claim is test data, which is never billed")
    charged = [plain_number(_service_of(row).get("lineItemChargeAmount")) for row in rows]
    found.total("claimChargeAmount", plain_number(claim.get("claimChargeAmount")), charged)
    drugs = [row for at, row in enumerate(rows, 1) if not _no_drug(row, at, found)]
    for row in drugs:
        _read_line(row, listed, str(claim.get("placeOfServiceCode") or ""), found)
    return found.lines("These service lines", "service line")


def _decimal(value: object, where: str, found: FoundLines) -> Decimal | None:
    made = plain_number(value)
    if made is None or made < 0:
        found.problems.append(f"{where} is {coded(value)}, which is no amount")
        return None
    return Decimal(number(made))


def _service_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return row.get("professionalService") or row.get("institutionalService") or {}


def _no_drug(row: Mapping[str, Any], at: int, found: FoundLines) -> bool:
    """Whether a line has no HCPCS code or counts minutes or days, and no NDC: it is listed and not read."""
    service = _service_of(row)
    unit, kind = service.get("measurementUnit"), service.get("procedureIdentifier")
    why = f"it counts {coded(unit)}, and units (UN) are wanted" if unit in ("MJ", "DA") else ""
    if not service.get("procedureCode") or kind not in (None, "HC"):
        why = "it has no HCPCS or CPT code"
    if row.get("drugIdentification") or not why:
        return False
    what = service.get("procedureCode") or f"revenue code {service.get('serviceLineRevenueCode')}"
    says = f"{what} ({unit}), charge {service.get('lineItemChargeAmount')}"
    found.no_drug(f"serviceLines[{at}]", says, why)
    return True


def _read_line(row: Mapping[str, Any], listed: tuple[str, ...], place: str, found: FoundLines) -> None:
    at = found.at
    where = f"line {at}"
    service = _service_of(row)
    found.unread(row.items(), _elements.CLEARING_ROW, at)
    found.unread(service.items(), _elements.CLEARING_SERVICE, at)
    if row.get("professionalService") and row.get("institutionalService"):
        found.wrong(where, "it has a professionalService and an institutionalService, and one line is one service")
    found.code(service.get("procedureCode"), where)
    for name, wanted in (("procedureIdentifier", "HC"), ("measurementUnit", "UN")):
        if service.get(name) != wanted:
            found.wrong(where, f"{name} {coded(service.get(name))} is not {wanted}")
    modifiers = tuple(filter(None, map(str.strip, service.get("procedureModifiers") or ())))
    if len(modifiers) > _outgoing.MODIFIERS_MOST:
        found.wrong(where, f"{len(modifiers)} modifiers, and a line has at most {_outgoing.MODIFIERS_MOST}")
    written = _decimal(service.get("serviceUnitCount"), f"{where}: serviceUnitCount", found)
    units = 0 if written is None else found.units(written, f"{where}: {number(written)} units")
    composite = service.get("compositeDiagnosisCodePointers") or service
    pointed = composite.get("diagnosisCodePointers") or []
    known = [int(n) for n in pointed if is_count(str(n)) and 1 <= int(n) <= len(listed)]
    if len(known) < len(pointed):
        found.lose(at, "diagnoses", ",".join(map(str, pointed)), "the claim's list is not at hand")
    drug = _drug(row.get("drugIdentification") or {}, found)
    extras, rest = _outgoing.read_ndc_note(str(row.get("additionalNotes") or ""))
    if rest:
        found.lose(at, "additionalNotes", rest, "a line has no note")
    amount = service.get("lineItemChargeAmount")
    line = line_of(
        str(service.get("procedureCode") or "").strip().upper(),
        modifiers,
        units,
        [drug, *extras],
        (listed[n - 1] for n in known),
        charge_amount=_decimal(amount, f"{where}: lineItemChargeAmount", found),
        revenue_code=service.get("serviceLineRevenueCode"),
        description=service.get("description"),
    )
    days = [str(row[name]) for name in ("serviceDate", "serviceDateEnd") if row.get(name)]
    dates = [iso(day) if re.fullmatch(r"\d{8}", day) else day for day in days]
    found.add(line, "/".join(dict.fromkeys(dates)), str(service.get("placeOfServiceCode") or place), where=where)


def _drug(drug: Mapping[str, Any], found: FoundLines) -> ExtraNdc:
    where = f"line {found.at}"
    found.unread(drug.items(), _elements.CLEARING_DRUG, found.at)
    if (qualifier := drug.get("serviceIdQualifier") or "N4") != "N4":
        why = f"{qualifier!r} names no NDC"
        found.lose(found.at, "drugIdentification", str(drug.get("nationalDrugCode")), why)
        return ExtraNdc("")
    if not drug:
        return ExtraNdc("")
    ndc = str(drug.get("nationalDrugCode") or "")
    found.ndc(ndc, where)
    unit = str(drug.get("measurementUnitCode") or "")
    if unit not in _outgoing.UNITS:
        found.wrong(where, f"{coded(unit)} is no NDC unit")
    quantity = _decimal(drug.get("nationalDrugUnitCount"), f"{where}: nationalDrugUnitCount", found)
    if quantity is not None and quantity <= 0:
        found.wrong(where, "an NDC quantity of 0")
    return ExtraNdc(ndc, unit, quantity)
