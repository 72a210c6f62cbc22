"""What was given and what else happened that day: the encounter, its reader and its schema.

An encounter is read strictly: a key or a value that is not known is an error that names the path and
the allowed ones, because a misspelt `place` that is ignored becomes a wrong claim.

>>> encounter = Encounter.from_dict({
...     "on": "2026-03-02", "place": "11",
...     "administrations": [{"drug": "ketorolac", "dose": "30 mg", "route": "intramuscular"}]})
>>> encounter.payer, encounter.administrations[0].route
('medicare', 'IM')
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NoReturn, cast

import attrs

from . import routes
from .amount import MOST_COUNTED, money
from .dated import as_date
from .dose import Dose
from .errors import DateError, EncounterError, quoted
from .facts.product_rows import KINDS
from .finding import Finding

CLAIMS = ("professional", "outpatient")
SUPERVISION = ("direct", "virtual", "general", "none")
PURPOSES = (
    "therapeutic",
    "prophylactic",
    "diagnostic",
    "vaccine",
    "allergen",
    "antineoplastic",
    "diluent",
    "flush",
    "anesthetic",
)
CONTAINERS = KINDS
FORMS = ("liquid", "powder", "kit", "cream")
PERFORMERS = ("staff", "practitioner")
SUPPLIERS = ("practice", "patient", "340b")
DOCUMENTED = (
    "order",
    "drug",
    "dose",
    "route",
    "site",
    "lot",
    "expiry",
    "ndc",
    "time",
    "performer",
    "necessity",
    "consent",
    "monitoring",
    "waste",
)

_CODE = re.compile(r"[0-9A-Z]\d{3}[0-9A-Z]", re.ASCII)
_MODIFIER = re.compile(r"[0-9A-Z]{2}", re.ASCII)
_DIAGNOSIS = re.compile(r"([A-Z]\d[0-9A-Z])\.?([0-9A-Z]{0,4})", re.ASCII)


def _refuse(path: str, given: object, expected: str, allowed: Iterable[str] = ()) -> NoReturn:
    allowed = tuple(allowed)
    message = f"{path}: {quoted(given)} is not {expected}."
    if allowed:
        message += f" Allowed: {', '.join(allowed)}."
    raise EncounterError(message, path=path, given=given, allowed=allowed)


def _text(path: str, value: object, expected: str = "text") -> str:
    if not isinstance(value, str) or not value.strip():
        _refuse(path, value, expected)
    return value.strip()


def _match(path: str, value: object, pattern: re.Pattern[str], expected: str) -> str:
    text = _text(path, value, expected).upper()
    if not pattern.fullmatch(text):
        _refuse(path, value, expected)
    return text


def _one_of(path: str, value: object, allowed: tuple[str, ...]) -> str:
    if isinstance(value, str):
        text = value.strip().casefold()
        if text in allowed:
            return text
    _refuse(path, value, "one of the known values", allowed)


def _flag(path: str, value: object) -> bool:
    if not isinstance(value, bool):
        _refuse(path, value, "true or false", ("true", "false"))
    return value


def _sequence(path: str, value: object) -> tuple[Any, ...]:
    if value is None or isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        _refuse(path, value, "a list")
    return tuple(value)


def route(value: object, path: str = "route") -> str:
    """The canonical route for a route as written: usual spelling, HL7 table 0162 or SNOMED CT code.

    Raises `EncounterError` naming the allowed ones.

    >>> route("subcutaneous"), route("78421000"), route("IVP")
    ('SC', 'IM', 'IV push')
    """
    if isinstance(value, str):
        found = routes.find(value)
        if found is not None:
            return found
    _refuse(path, value, "a known route", routes.NAMES)


def _code(path: str, value: object) -> str:
    return _match(path, value, _CODE, "a HCPCS or CPT code of five characters")


def _modifier(path: str, value: object) -> str:
    return _match(path, value, _MODIFIER, "a modifier of two characters")


def _diagnosis(path: str, value: object) -> str:
    text = _match(path, value, _DIAGNOSIS, "an ICD-10-CM code such as D51.0").replace(".", "")
    return f"{text[:3]}.{text[3:]}" if text[3:] else text


def _money(path: str, value: object) -> Decimal:
    expected = 'an amount of money such as "25.00"'
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        _refuse(path, value, expected)
    try:
        return money(value)
    except ValueError:
        _refuse(path, value, expected)


def _count(path: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_COUNTED:
        _refuse(path, value, "a whole number above 0")
    return value


def _known(allowed: tuple[str, ...]) -> Any:
    """A validator for values given straight to a type: the same refusal as `from_dict` gives."""

    def check(_: object, field: Any, value: object) -> None:
        if value is not None and value not in allowed:
            _refuse(field.name, value, "one of the known values", allowed)

    return check


def _dose(path: str, value: object) -> str | Dose:
    """Text and `Dose` stay as given; a Pint quantity becomes a `Dose`. What it says is judged later."""
    if isinstance(value, Dose):
        return value
    if hasattr(value, "magnitude") and hasattr(value, "units"):
        return Dose.of(value)
    return _text(path, value, 'a dose with its unit as text, such as "30 mg"')


def _given_dose(value: Any) -> str | Dose:
    return _dose("dose", value)


def _amount(path: str, value: object) -> str:
    if hasattr(value, "magnitude") and hasattr(value, "units"):
        return f"{value.magnitude} {value.units}"
    if isinstance(value, Dose):
        return str(value)
    return _text(path, value, 'an amount with its unit as text, such as "35 mg"')


def _keys(path: str, data: object, allowed: tuple[str, ...], required: tuple[str, ...]) -> Mapping[str, Any]:
    """A JSON object with known keys only; says which key is meant where one is nearly right."""
    where = path or "the encounter"
    if not isinstance(data, Mapping):
        _refuse(where, data, "a JSON object", allowed)
    for key in data:
        if key not in allowed:
            import difflib

            near = difflib.get_close_matches(str(key), allowed, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise EncounterError(
                f"{where}: unknown key {quoted(key)}.{hint} Allowed: {', '.join(allowed)}.",
                path=f"{path}.{key}".lstrip("."),
                given=key,
                allowed=allowed,
            )
    for key in required:
        if data.get(key) is None:
            raise EncounterError(
                f"{where}: {quoted(key)} is missing.", path=f"{path}.{key}".lstrip("."), given=None, allowed=allowed
            )
    return data


@attrs.frozen
class OpenedProduct:
    """One product that was opened for an administration.

    `ndc` as written; `containers` opened, a count; `amount` the labelled amount of one container and
    `discarded` the amount that the record shows as thrown away, both with their unit as text ("0 mg" means
    recorded that nothing was; None means not recorded, and is never billed).
    """

    ndc: str | None = None
    containers: int | None = None
    amount: str | None = None
    discarded: str | None = None

    @classmethod
    def from_dict(cls, data: object, path: str = "product") -> OpenedProduct:
        """From the contract's JSON; `EncounterError` for an unknown key or value."""
        return cls(**_read(cls, data, path))


@attrs.frozen
class Administration:
    """One drug given once. Doses and amounts stay as written, so that what cannot be read is a finding.

    `drug`: code, name, brand or NDC. `dose`: text with its unit, or a `Dose`. `route`: canonical, one of
    `routes.NAMES`. `separate`: whether the injection was separate from another service of the day that would
    include it (None: not said). `basis`: the component that a combination's dose counts. `order` and
    `syringe` join administrations: of one order is one dose in several places, of one syringe one injection.
    The other fields are the contract's.
    """

    drug: str
    dose: str | Dose = attrs.field(converter=_given_dose)
    route: str = attrs.field(converter=route)
    purpose: str = attrs.field(default="therapeutic", validator=_known(PURPOSES))
    site: str | None = None
    products: tuple[OpenedProduct, ...] = attrs.field(default=(), converter=tuple)
    container: str | None = attrs.field(default=None, validator=_known(CONTAINERS))
    form: str | None = attrs.field(default=None, validator=_known(FORMS))
    basis: str | None = None
    concentration: str | None = None
    diagnoses: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    order: str | None = None
    syringe: str | None = None
    time: str | None = None
    start: str | None = None
    stop: str | None = None
    performed_by: str = attrs.field(default="staff", validator=_known(PERFORMERS))
    performer: str | None = None
    self_administered: bool = False
    supplied_by: str = attrs.field(default="practice", validator=_known(SUPPLIERS))
    shared: bool = False
    separate: bool | None = None
    documented: tuple[str, ...] | None = None
    charge_amount: Decimal | None = None
    revenue_code: str | None = None

    @classmethod
    def from_dict(cls, data: object, path: str = "administration") -> Administration:
        """From the contract's JSON; `EncounterError` names the path and what is allowed."""
        fields = _read(cls, data, path)
        given = cast(Mapping[str, Any], data)
        direct = {name: given[key] for key, name in _DIRECT.items() if given.get(key) is not None}
        if direct:
            if fields.get("products"):
                raise EncounterError(
                    f"{path}: give ndc, containers, container_amount and discarded either in 'products' or "
                    "directly in the administration, not in both.",
                    path=path,
                    given=sorted(direct),
                    allowed=("products",),
                )
            fields["products"] = (OpenedProduct.from_dict(direct, path),)
        return cls(**fields)

    @property
    def minutes(self) -> int | None:
        """Minutes from start to stop, over midnight too; None unless both are recorded.

        >>> Administration("J1745", "400 mg", "IV infusion", start="23:30", stop="00:45").minutes
        75
        """
        if self.start is None or self.stop is None:
            return None
        first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (self.start, self.stop))
        return (last - first) % (24 * 60)


@attrs.frozen
class Visit:
    """The visit of the day. `separate`: significant and separately identifiable; None means unknown.

    `place`: where the visit took place, if not where the drugs were given.
    """

    code: str
    separate: bool | None = None
    place: str | None = None
    modifiers: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    charge_amount: Decimal | None = None
    revenue_code: str | None = None

    @classmethod
    def from_dict(cls, data: object, path: str = "visit") -> Visit:
        """From `{"code", "separate"}` or the code as text."""
        return cls(**_read(cls, data, path))


@attrs.frozen
class Service:
    """Another service of the same day, as the caller bills it."""

    code: str
    units: int = 1
    modifiers: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    charge_amount: Decimal | None = None
    revenue_code: str | None = None

    @classmethod
    def from_dict(cls, data: object, path: str = "service") -> Service:
        """From `{"code", "units", "modifiers"}` or the code as text."""
        return cls(**_read(cls, data, path))


@attrs.frozen
class Patient:
    """What a dose by weight or body surface needs, as text with units: `70 kg`, `1.7 m2`."""

    weight: str | None = None
    surface: str | None = None

    @classmethod
    def from_dict(cls, data: object, path: str = "patient") -> Patient:
        """From `{"weight", "surface"}`."""
        return cls(**_read(cls, data, path))


@attrs.frozen
class Encounter:
    """One patient, one day, one place: what was given and what else happened.

    `on`: date of service. `place`: place-of-service code of two digits. `payer`: a payer of payers.csv or
    the site's own. `charge_amounts`: the site's price of one unit of a code, `revenue_codes` the revenue
    code of a code, both for the formats that require them. `findings`: what was found while a message was
    read into it; they stand among the charge's findings, and are no part of the contract's JSON.
    """

    on: dt.date = attrs.field(converter=as_date)
    place: str
    administrations: tuple[Administration, ...] = attrs.field(default=(), converter=tuple)
    payer: str = "medicare"
    claim: str = attrs.field(default="professional", validator=_known(CLAIMS))
    visit: Visit | None = None
    supervision: str = attrs.field(default="direct", validator=_known(SUPERVISION))
    resident: bool = False
    patient: Patient = attrs.field(factory=Patient)
    services: tuple[Service, ...] = attrs.field(default=(), converter=tuple)
    diagnoses: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    charge_amounts: tuple[tuple[str, Decimal], ...] = ()
    revenue_codes: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = attrs.field(default=(), eq=False, repr=False)

    @classmethod
    def from_dict(cls, data: object) -> Encounter:
        """Read the contract's JSON strictly.

        Raises `EncounterError` (unknown key or value, with its path and the allowed ones) or `DateError`.

        >>> Encounter.from_dict({"on": "2026-03-02", "plase": "11"})
        Traceback (most recent call last):
        jcodeunits.errors.EncounterError: the encounter: unknown key 'plase'. Did you mean 'place'? \
Allowed: on, place, payer, claim, visit, supervision, resident, patient, services, diagnoses, \
administrations, charge_amounts, revenue_codes.
        """
        return cls(**_read(cls, data, ""))

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON again; `Encounter.from_dict` reads it back to an equal encounter."""
        plain: dict[str, Any] = _plain(attrs.evolve(self, findings=()))
        plain["administrations"] = [_plain(item) for item in self.administrations]
        return plain

    @staticmethod
    def schema() -> dict[str, Any]:
        """The JSON schema (2020-12) of what `from_dict` reads."""
        title = "An injection encounter, as `jcodeunits charge` reads it"
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_shape(Encounter)}


@attrs.frozen
class _Kind:
    """How a value is read (path, value), and its JSON schema: one place for both."""

    read: Callable[[str, object], Any]
    schema: Callable[[], dict[str, Any]]


def _is_default(value: Any, field: Any) -> bool:
    default = field.default
    return bool(getattr(value, field.name) == (default.factory() if hasattr(default, "factory") else default))


def _plain(value: Any) -> Any:
    if attrs.has(type(value)) and not isinstance(value, Dose):
        fields = attrs.fields(type(value))
        kept = {f.name: getattr(value, f.name) for f in fields if not _is_default(value, f)}
        return {
            name: dict(_plain(item)) if name in ("charge_amounts", "revenue_codes") else _plain(item)
            for name, item in kept.items()
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (Dose, Decimal, dt.date)):
        return str(value)
    return value


def _things(kind: Any) -> _Kind:
    def read(path: str, value: object) -> tuple[Any, ...]:
        return tuple(kind.from_dict(item, f"{path}[{n}]") for n, item in enumerate(_sequence(path, value)))

    return _Kind(read, lambda: {"type": "array", "items": _shape(kind)})


def _choice(allowed: tuple[str, ...]) -> _Kind:
    return _Kind(lambda path, value: _one_of(path, value, allowed), lambda: {"enum": list(allowed)})


def _mapping(item: _Kind, example: str) -> _Kind:
    def read(path: str, value: object) -> tuple[tuple[str, Any], ...]:
        if not isinstance(value, Mapping):
            _refuse(path, value, f"an object by code, such as {example}")
        return tuple((_code(path, code), item.read(f"{path}.{code}", one)) for code, one in value.items())

    return _Kind(read, lambda: {"type": "object", "additionalProperties": item.schema()})


def _words(item: Callable[[str, object], str], schema: dict[str, Any]) -> _Kind:
    def read(path: str, value: object) -> tuple[str, ...]:
        words = (item(f"{path}[{n}]", one) for n, one in enumerate(_sequence(path, value)))
        return tuple(dict.fromkeys(words))

    return _Kind(read, lambda: {"type": "array", "items": schema})


def _date(path: str, value: object) -> dt.date:
    try:
        return as_date(value)
    except DateError as why:
        raise DateError(f"{path}: {why}", path=path, given=value) from None


def _pattern(pattern: re.Pattern[str], expected: str, **more: str) -> _Kind:
    schema = {"type": "string", "pattern": f"^(?:{pattern.pattern})$", **more}
    return _Kind(lambda path, value: _match(path, value, pattern, expected), lambda: schema)


_TEXT = _Kind(_text, lambda: {"type": "string", "minLength": 1})
_FLAG = _Kind(_flag, lambda: {"type": "boolean"})
_COUNT = _Kind(_count, lambda: {"type": "integer", "minimum": 1})
_AMOUNT = _Kind(_amount, lambda: {"type": "string", "minLength": 1})
_TIME = _pattern(re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII), 'a time of day such as "09:30"')
_MONEY = _Kind(_money, lambda: {"type": ["string", "number"]})
_REVENUE = _pattern(re.compile(r"\d{4}", re.ASCII), "a revenue code of four digits, such as 0636")
_HCPCS = _Kind(_code, lambda: {"type": "string", "pattern": f"^(?:{_CODE.pattern})$"})
_PLACE = _pattern(
    re.compile(r"\d{2}", re.ASCII),
    'a place-of-service code of two digits as text, such as "11"',
    description="place-of-service code",
)
_DIAGNOSES = _words(_diagnosis, {"type": "string", "pattern": f"^{_DIAGNOSIS.pattern}$"})
_MODIFIERS = _words(_modifier, {"type": "string", "pattern": "^[0-9A-Z]{2}$"})
_ON_LINE = {"modifiers": _MODIFIERS, "diagnoses": _DIAGNOSES, "charge_amount": _MONEY, "revenue_code": _REVENUE}

_PRODUCT = {"ndc": _TEXT, "containers": _COUNT, "amount": _AMOUNT, "discarded": _AMOUNT}
# A single product may stand directly in the administration: its key there, and in the product.
_DIRECT = {"ndc": "ndc", "containers": "containers", "container_amount": "amount", "discarded": "discarded"}
_ADMINISTRATION = {
    "drug": _TEXT,
    "dose": _Kind(_dose, lambda: {"type": "string", "minLength": 1}),
    "route": _Kind(lambda path, value: route(value, path), lambda: {"type": "string", "examples": [*routes.NAMES]}),
    "purpose": _choice(PURPOSES),
    "site": _TEXT,
    "products": _things(OpenedProduct),
    "container": _choice(CONTAINERS),
    "form": _choice(FORMS),
    "basis": _TEXT,
    "concentration": _AMOUNT,
    "diagnoses": _DIAGNOSES,
    "order": _TEXT,
    "syringe": _TEXT,
    "time": _TIME,
    "start": _TIME,
    "stop": _TIME,
    "performed_by": _choice(PERFORMERS),
    "performer": _TEXT,
    "self_administered": _FLAG,
    "supplied_by": _choice(SUPPLIERS),
    "shared": _FLAG,
    "separate": _FLAG,
    "documented": _words(lambda path, value: _one_of(path, value, DOCUMENTED), {"enum": [*DOCUMENTED]}),
    "charge_amount": _MONEY,
    "revenue_code": _REVENUE,
}
_VISIT = {"code": _HCPCS, "separate": _FLAG, "place": _PLACE, **_ON_LINE}
_SERVICE = {"code": _HCPCS, "units": _COUNT, **_ON_LINE}
_PATIENT = {"weight": _AMOUNT, "surface": _AMOUNT}
_ENCOUNTER = {
    "on": _Kind(_date, lambda: {"type": "string", "format": "date", "description": "date of service"}),
    "place": _PLACE,
    "payer": _Kind(lambda path, value: _text(path, value).casefold(), lambda: {"type": "string", "minLength": 1}),
    "claim": _choice(CLAIMS),
    "visit": _Kind(lambda path, value: Visit.from_dict(value, path), lambda: _shape(Visit)),
    "supervision": _choice(SUPERVISION),
    "resident": _FLAG,
    "patient": _Kind(lambda path, value: Patient.from_dict(value, path), lambda: _shape(Patient)),
    "services": _things(Service),
    "diagnoses": _DIAGNOSES,
    "administrations": _things(Administration),
    "charge_amounts": _mapping(_MONEY, '{"<code>": "120.00"}'),
    "revenue_codes": _mapping(_REVENUE, '{"<code>": "0510"}'),
}
# What the readers of each type know, which keys it needs, and the one key that may stand alone as text.
_READERS: dict[type, tuple[dict[str, _Kind], tuple[str, ...], str]] = {
    OpenedProduct: (_PRODUCT, (), ""),
    Administration: (_ADMINISTRATION, ("drug", "dose", "route"), ""),
    Visit: (_VISIT, ("code",), "code"),
    Service: (_SERVICE, ("code",), "code"),
    Patient: (_PATIENT, (), ""),
    Encounter: (_ENCOUNTER, ("on", "place", "administrations"), ""),
}


def _read(kind: type, data: object, path: str) -> dict[str, Any]:
    """The fields of a type from a JSON object, strictly; null is as good as absent."""
    readers, required, alone = _READERS[kind]
    allowed = (*readers, *(key for key in _DIRECT if kind is Administration))
    given = _keys(path, {alone: data} if alone and isinstance(data, str) else data, allowed, required)
    under = f"{path}." if path else ""
    return {
        key: readers[key].read(f"{under}{key}", value)
        for key, value in given.items()
        if value is not None and key in readers
    }


# What the keys mean that do not explain themselves; for the schema.
_MEANS = {
    (Visit, "separate"): "significant and separately identifiable; absent = nobody said",
    (Visit, "place"): "where the visit took place, if not where the drugs were given",
    (Administration, "separate"): "apart from another service of the day that would include the injection",
    (Administration, "basis"): "the component that a combination's dose counts, or total",
    (Administration, "order"): "administrations of one order are one dose in several places",
    (Administration, "syringe"): "administrations of one syringe or bag are one injection or infusion",
    (Administration, "discarded"): "recorded as discarded; absent = not recorded, and never billed",
    (Administration, "concentration"): "with a dose by volume: 40 mg/mL, 1%, 1:1000",
    (Administration, "documented"): "what the record holds; absent = not judged",
    (Administration, "charge_amount"): "the site's price of the drug given, shared over its lines",
    (Encounter, "charge_amounts"): "the site's price of one unit of a code",
    (Encounter, "revenue_codes"): "the revenue code of a code's lines",
    (Encounter, "services"): "codes billed the same day",
    (OpenedProduct, "amount"): "the labelled amount of one container",
    (OpenedProduct, "discarded"): "recorded as discarded; absent = not recorded, and never billed",
}


def _shape(kind: type) -> dict[str, Any]:
    readers, required, alone = _READERS[kind]
    properties = {key: reader.schema() for key, reader in readers.items()}
    if kind is Administration:
        properties |= {key: _PRODUCT[name].schema() for key, name in _DIRECT.items()}
    for key, shape_of in properties.items():
        if (kind, key) in _MEANS:
            properties[key] = {**shape_of, "description": _MEANS[kind, key]}
    for field in attrs.fields(kind):
        if isinstance(field.default, (str, bool)) and field.name in properties:
            properties[field.name] = {**properties[field.name], "default": field.default}
    shape: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        shape["required"] = list(required)
    return {"anyOf": [shape, _HCPCS.schema()]} if alone else shape
