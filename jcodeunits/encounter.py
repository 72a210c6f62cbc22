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
from functools import cache
from typing import Any, NoReturn, cast

import attrs

from . import routes
from .amount import MOST_COUNTED, money
from .barcode import scanned
from .dated import as_date
from .dose import Dose
from .errors import DateError, EncounterError, quoted
from .facts.product_rows import FORMS, KINDS
from .finding import Finding, as_tuple
from .shown import Shown

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
    says = f"{quoted(given)} is not {expected}."
    if allowed:
        says += f" Allowed: {', '.join(allowed)}."
    raise EncounterError(f"{path}: {says}", path=path, given=given, allowed=allowed, says=says)


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
                instead=near[0] if near else None,
            )
    for key in required:
        if data.get(key) is None:
            at = f"{path}.{key}".lstrip(".")
            says = f"{where}: {quoted(key)} is missing."
            raise EncounterError(says, path=at, given=None, allowed=allowed, says="is missing.")
    return data


@attrs.frozen
class _Kind:
    """How a value is read (path, value), and its JSON schema: one place for both."""

    read: Callable[[str, object], Any]
    schema: Callable[[], dict[str, Any]]
    allowed: tuple[str, ...] = ()


def _things(kind: Any) -> _Kind:
    def read(path: str, value: object) -> tuple[Any, ...]:
        return tuple(kind.from_dict(item, f"{path}[{n}]") for n, item in enumerate(_sequence(path, value)))

    return _Kind(read, lambda: {"type": "array", "items": _shape(kind)})


def _choice(allowed: tuple[str, ...]) -> _Kind:
    return _Kind(lambda path, value: _one_of(path, value, allowed), lambda: {"enum": list(allowed)}, allowed)


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
        raise DateError(f"{path}: {why}", path=path, given=value, says=str(why)) from None


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
_DOSE = _Kind(_dose, lambda: {"type": "string", "minLength": 1})
_ROUTE = _Kind(lambda path, value: route(value, path), lambda: {"type": "string", "examples": [*routes.NAMES]})
_RECORDED = _words(lambda path, value: _one_of(path, value, DOCUMENTED), {"enum": [*DOCUMENTED]})
_ON = _Kind(_date, lambda: {"type": "string", "format": "date", "description": "date of service"})
_DAY = _Kind(_date, lambda: {"type": "string", "format": "date"})
_PAYER = _Kind(lambda path, value: _text(path, value).casefold(), lambda: {"type": "string", "minLength": 1})


_SEVERAL = attrs.Converter(as_tuple)  # made once: attrs inspects each converter that it is given


def _key(kind: _Kind, default: Any = attrs.NOTHING, says: str = "", **more: Any) -> Any:
    """A key of the encounter: how it is read, its schema and what it means stand in its field alone.

    `says` is for the schema, where the key does not explain itself; a key without a default is needed.
    """
    if kind.allowed:
        more["validator"] = _known(kind.allowed)
    if default == ():
        more["converter"] = _SEVERAL
    return attrs.field(default=default, metadata={"kind": kind, "says": says}, **more)


def _thing(kind: Any) -> _Kind:
    return _Kind(lambda path, value: kind.from_dict(value, path), lambda: _shape(kind))


@attrs.frozen
class OpenedProduct:
    """One product that was opened for an administration.

    `ndc` as written or scanned; `containers` opened, a count; `amount` the labelled amount of one container,
    `volume` what it holds in mL and `discarded` the amount that the record shows as thrown away, all with their
    unit as text ("0 mg" means recorded that nothing was; None means not recorded, and is never billed). `lot`,
    `expires` (its last day) and `serial` are read out of a scanned `ndc` where nobody says them.
    """

    ndc: str | None = _key(_TEXT, None, "as on the package, or as scanned")
    containers: int | None = _key(_COUNT, None)
    amount: str | None = _key(_AMOUNT, None, "the labelled amount of one container")
    discarded: str | None = _key(_AMOUNT, None, "recorded as discarded; absent = not recorded, and never billed")
    volume: str | None = _key(_AMOUNT, None, "what one container of a liquid holds, such as 1 mL")
    lot: str | None = _key(_TEXT, None)
    expires: dt.date | None = _key(_DAY, None, "the last day of use", converter=attrs.converters.optional(as_date))
    serial: str | None = _key(_TEXT, None)

    def __attrs_post_init__(self) -> None:
        scan = scanned(self.ndc)
        for name in ("lot", "expires", "serial") if scan is not None else ():
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(scan, name))

    @classmethod
    def from_dict(cls, data: object, path: str = "product") -> OpenedProduct:
        """From the contract's JSON; `EncounterError` for an unknown key or value."""
        return cls(**_read(cls, data, path))


@attrs.frozen(repr=False)
class Administration(Shown):
    """One drug given once. Doses and amounts stay as written, so that what cannot be read is a finding.

    `drug`: code, name, brand or NDC. `dose`: text with its unit, or a `Dose`. `route`: canonical, one of
    `routes.NAMES`. `separate`: whether the injection was separate from another service of the day that would
    include it (None: not said). `basis`: the component that a combination's dose counts. `order` and
    `syringe` join administrations: of one order is one dose in several places, of one syringe one injection.
    `modifiers` are of the drug line; `description` is of a code that names no drug.
    The other fields are the contract's.
    """

    drug: str = _key(_TEXT)
    dose: str | Dose = _key(_DOSE, converter=_given_dose)
    route: str = _key(_ROUTE, converter=route)
    purpose: str = _key(_choice(PURPOSES), "therapeutic")
    site: str | None = _key(_TEXT, None)
    products: tuple[OpenedProduct, ...] = _key(_things(OpenedProduct), ())
    container: str | None = _key(_choice(CONTAINERS), None)
    form: str | None = _key(_choice(FORMS), None)
    basis: str | None = _key(_TEXT, None, "the component that a combination's dose counts, or total")
    concentration: str | None = _key(_AMOUNT, None, "with a dose by volume: 40 mg/mL, 1%, 1:1000")
    diagnoses: tuple[str, ...] = _key(_DIAGNOSES, ())
    modifiers: tuple[str, ...] = _key(_MODIFIERS, (), "of the drug line, what only the caller can know: EA, RT, KX")
    description: str | None = _key(_TEXT, None, "of an unclassified code: name, dose and what the payer wants")
    order: str | None = _key(_TEXT, None, "administrations of one order are one dose in several places")
    syringe: str | None = _key(_TEXT, None, "administrations of one syringe or bag are one injection or infusion")
    time: str | None = _key(_TIME, None)
    start: str | None = _key(_TIME, None)
    stop: str | None = _key(_TIME, None)
    performed_by: str = _key(_choice(PERFORMERS), "staff")
    performer: str | None = _key(_TEXT, None)
    self_administered: bool = _key(_FLAG, False)
    supplied_by: str = _key(_choice(SUPPLIERS), "practice")
    shared: bool = _key(_FLAG, False)
    separate: bool | None = _key(_FLAG, None, "apart from another service of the day that would include the injection")
    documented: tuple[str, ...] | None = _key(_RECORDED, None, "what the record holds; absent = not judged")
    charge_amount: Decimal | None = _key(_MONEY, None, "the site's price of the drug given, shared over its lines")
    revenue_code: str | None = _key(_REVENUE, None)

    @property
    def brief(self) -> str:
        """Drug, dose and route."""
        return f"{self.drug} {self.dose} {self.route}"

    @classmethod
    def from_dict(cls, data: object, path: str = "administration") -> Administration:
        """From the contract's JSON; `EncounterError` names the path and what is allowed."""
        fields = _read(cls, data, path)
        given = cast(Mapping[str, Any], data)
        direct = {name: given[key] for key, name in _DIRECT.items() if given.get(key) is not None}
        if direct:
            if fields.get("products"):
                raise EncounterError(
                    f"{path}: give {', '.join(_DIRECT)} either in 'products' or directly in the administration, "
                    "not in both.",
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

    code: str = _key(_HCPCS)
    separate: bool | None = _key(_FLAG, None, "significant and separately identifiable; absent = nobody said")
    place: str | None = _key(_PLACE, None, "where the visit took place, if not where the drugs were given")
    modifiers: tuple[str, ...] = _key(_MODIFIERS, ())
    diagnoses: tuple[str, ...] = _key(_DIAGNOSES, ())
    charge_amount: Decimal | None = _key(_MONEY, None)
    revenue_code: str | None = _key(_REVENUE, None)

    @classmethod
    def from_dict(cls, data: object, path: str = "visit") -> Visit:
        """From `{"code", "separate"}` or the code as text."""
        return cls(**_read(cls, data, path))


@attrs.frozen
class Service:
    """Another service of the same day, as the caller bills it."""

    code: str = _key(_HCPCS)
    units: int = _key(_COUNT, 1)
    modifiers: tuple[str, ...] = _key(_MODIFIERS, ())
    diagnoses: tuple[str, ...] = _key(_DIAGNOSES, ())
    description: str | None = _key(_TEXT, None, "of an unclassified code")
    charge_amount: Decimal | None = _key(_MONEY, None)
    revenue_code: str | None = _key(_REVENUE, None)

    @classmethod
    def from_dict(cls, data: object, path: str = "service") -> Service:
        """From `{"code", "units", "modifiers"}` or the code as text."""
        return cls(**_read(cls, data, path))


@attrs.frozen
class Patient:
    """What a dose by weight or body surface needs, as text with units: `70 kg`, `1.7 m2`."""

    weight: str | None = _key(_AMOUNT, None)
    surface: str | None = _key(_AMOUNT, None)

    @classmethod
    def from_dict(cls, data: object, path: str = "patient") -> Patient:
        """From `{"weight", "surface"}`."""
        return cls(**_read(cls, data, path))


@attrs.frozen(repr=False)
class Encounter(Shown):
    """One patient, one day, one place: what was given and what else happened.

    `on`: date of service. `place`: place-of-service code of two digits. `payer`: a payer of payers.csv or
    the site's own. `charge_amounts`: the site's price of one unit of a code, `revenue_codes` the revenue
    code of a code, both for the formats that require them. `findings`: what was found while a message was
    read into it; they stand among the charge's findings, and are no part of the contract's JSON.
    """

    on: dt.date = _key(_ON, converter=as_date)
    place: str = _key(_PLACE)
    payer: str = _key(_PAYER, "medicare", kw_only=True)
    claim: str = _key(_choice(CLAIMS), "professional", kw_only=True)
    visit: Visit | None = _key(_thing(Visit), None, kw_only=True)
    supervision: str = _key(_choice(SUPERVISION), "direct", kw_only=True)
    resident: bool = _key(_FLAG, False, kw_only=True)
    patient: Patient = _key(_thing(Patient), attrs.Factory(Patient), kw_only=True)
    services: tuple[Service, ...] = _key(_things(Service), (), "codes billed the same day", kw_only=True)
    diagnoses: tuple[str, ...] = _key(_DIAGNOSES, (), kw_only=True)
    administrations: tuple[Administration, ...] = _key(_things(Administration), ())
    charge_amounts: tuple[tuple[str, Decimal], ...] = _key(
        _mapping(_MONEY, '{"<code>": "120.00"}'), (), "the site's price of one unit of a code", kw_only=True
    )
    revenue_codes: tuple[tuple[str, str], ...] = _key(
        _mapping(_REVENUE, '{"<code>": "0510"}'), (), "the revenue code of a code's lines", kw_only=True
    )
    findings: tuple[Finding, ...] = attrs.field(default=(), eq=False, repr=False, kw_only=True)

    @property
    def brief(self) -> str:
        """Day, place, payer and what was given; nothing of the patient."""
        given = "; ".join(one.brief for one in self.administrations)
        return f"{self.on}, place {self.place}, {self.payer}: {given or 'nothing given'}"

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
        plain = _plain(attrs.evolve(self, findings=()))
        return {**plain, "administrations": [_plain(item) for item in self.administrations]}

    @staticmethod
    def schema() -> dict[str, Any]:
        """The JSON schema (2020-12) of what `from_dict` reads."""
        title = "An injection encounter, as `jcodeunits charge` reads it"
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_shape(Encounter)}


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


# A single product may stand directly in the administration: its key there, and in the product.
_DIRECT = {
    "ndc": "ndc",
    "containers": "containers",
    "container_amount": "amount",
    "container_volume": "volume",
    "discarded": "discarded",
    "lot": "lot",
    "expires": "expires",
    "serial": "serial",
}
# The one key of a type that may stand alone as text; what must be given though an object may lack it.
_ALONE: dict[type, str] = {Visit: "code", Service: "code"}
_NEEDED: dict[type, tuple[str, ...]] = {Encounter: ("administrations",)}


@cache
def keys_of(kind: type) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The keys of a type with their fields, in the order of the contract, and those that it needs."""
    found = {field.name: field for field in attrs.fields(cast(Any, kind)) if "kind" in field.metadata}
    needed = [name for name, field in found.items() if field.default is attrs.NOTHING]
    return found, (*needed, *_NEEDED.get(kind, ()))


def _read(kind: type, data: object, path: str) -> dict[str, Any]:
    """The fields of a type from a JSON object, strictly; null is as good as absent."""
    fields, needed = keys_of(kind)
    alone = _ALONE.get(kind)
    allowed = (*fields, *(key for key in _DIRECT if kind is Administration))
    given = _keys(path, {alone: data} if alone and isinstance(data, str) else data, allowed, needed)
    under = f"{path}." if path else ""
    return {
        key: fields[key].metadata["kind"].read(f"{under}{key}", value)
        for key, value in given.items()
        if value is not None and key in fields
    }


def _shape(kind: type) -> dict[str, Any]:
    """The JSON schema of a type."""
    fields, needed = keys_of(kind)
    properties = {key: _property(field) for key, field in fields.items()}
    if kind is Administration:
        of_product, _ = keys_of(OpenedProduct)
        properties |= {key: _property(of_product[name]) for key, name in _DIRECT.items()}
    shape: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if needed:
        shape["required"] = list(needed)
    return {"anyOf": [shape, _HCPCS.schema()]} if kind in _ALONE else shape


def _property(field: Any) -> dict[str, Any]:
    made = dict(field.metadata["kind"].schema())
    if field.metadata["says"]:
        made["description"] = field.metadata["says"]
    return {**made, "default": field.default} if isinstance(field.default, (str, bool)) else made
