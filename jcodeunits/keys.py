"""The keys of an encounter's JSON: one table gives the reader, the schema, the command's flags and the README's page.

A field made by `key` says how a value is read, what its JSON schema is, how the command asks for it and what it means.
An object is read strictly: a key or a value that is not known is an error that names the path and the allowed ones.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, NoReturn, Self

import attrs

from . import routes
from .amount import MOST_COUNTED, money
from .dated import as_date
from .dose import Dose, is_quantity
from .errors import DateError, EncounterError, quoted
from .hcpcs import CODE, MODIFIER

_DIAGNOSIS = re.compile(r"([A-Z]\d[0-9A-Z])\.?([0-9A-Z]{0,4})", re.ASCII)


@attrs.frozen
class Kind:
    """How a value is read (path, value), and its JSON schema.

    `allowed`: the values of a choice. `shape`: `text`, `flag`, `count`, `list` of words, `pairs` by code, `thing`
    (an object of class `of`) or `things`. `shown`: how the command's help names a value.
    """

    read: Callable[[str, object], Any]
    schema: Callable[[], dict[str, Any]]
    allowed: tuple[str, ...] = ()
    shape: str = attrs.field(default="text", kw_only=True)
    shown: str = attrs.field(default="", kw_only=True)
    of: Any = attrs.field(default=None, kw_only=True)


class Keyed:
    """An object of the contract's JSON, made of keys.

    `ALONE`: the one key that may stand as text in place of the object. `DIRECT`: keys of the one item of `products`
    that may stand here, with their names there. `NEEDED`: what must be given though the class has a default.
    """

    __slots__ = ()
    ALONE: ClassVar[str] = ""
    DIRECT: ClassVar[Mapping[str, str]] = {}
    NEEDED: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_dict(cls, data: object, path: str = "") -> Self:
        """Read from JSON types, strictly; `EncounterError` names the path and what is allowed, `DateError` a day."""
        return cls._of(cls._read(data, path))

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        """An object of values that were read, which need no second look by converters and validators."""
        kind: Any = cls
        made = object.__new__(cls)
        held = vars(made)
        held.update(_defaults(kind))
        held.update(values)
        return made

    @classmethod
    def _read(cls, data: object, path: str) -> dict[str, Any]:
        """The values by key; null is as good as absent."""
        kind: Any = cls
        readers, under = _readers(kind), f"{path}." if path else ""
        given = {cls.ALONE: data} if cls.ALONE and isinstance(data, str) else data
        if type(given) is not dict and not isinstance(given, Mapping):
            _refuse(path or "the encounter", given, "a JSON object", readers)
        for key in _needed(kind):
            if given.get(key) is None:
                raise _wrong_keys(path, given, kind)
        made: dict[str, Any] = {}
        for key, value in given.items():
            read = readers.get(key)
            if read is None:
                raise _wrong_keys(path, given, kind)
            if value is not None:
                made[key] = read(under + key, value)
        return made


@cache
def keys_of(kind: Any) -> Mapping[str, Any]:
    """The keys of a type with their fields, in the order of the contract."""
    found = {field.name: field for field in attrs.fields(kind) if "kind" in field.metadata}
    if kind.DIRECT:
        inner = keys_of(found["products"].metadata["kind"].of)
        found |= {key: inner[name] for key, name in kind.DIRECT.items()}
    return found


@cache
def _readers(kind: Any) -> Mapping[str, Callable[[str, object], Any]]:
    """How the value of each key is read."""
    return {key: field.metadata["kind"].read for key, field in keys_of(kind).items()}


@cache
def _defaults(kind: Any) -> Mapping[str, Any]:
    return {field.name: field.default for field in attrs.fields(kind) if field.default is not attrs.NOTHING}


@cache
def _needed(kind: Any) -> tuple[str, ...]:
    return (*(name for name, field in keys_of(kind).items() if field.default is attrs.NOTHING), *kind.NEEDED)


def _wrong_keys(path: str, given: Mapping[str, object], kind: Any) -> EncounterError:
    """The error of the first key that is not known, with the one that is nearly it, or that is missing."""
    where, allowed = path or "the encounter", tuple(_readers(kind))
    for key in given:
        if key not in allowed:
            import difflib

            near = difflib.get_close_matches(str(key), allowed, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            says = f"{where}: unknown key {quoted(key)}.{hint} Allowed: {', '.join(allowed)}."
            at = f"{path}.{key}".lstrip(".")
            return EncounterError(says, path=at, given=key, allowed=allowed, instead=near[0] if near else None)
    key = next(key for key in _needed(kind) if given.get(key) is None)
    says = f"{where}: {quoted(key)} is missing."
    return EncounterError(says, path=f"{path}.{key}".lstrip("."), given=None, allowed=allowed, says="is missing.")


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type."""
    fields = keys_of(kind)
    properties = {key: _property(field) for key, field in fields.items()}
    shape: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if needed := _needed(kind):
        shape["required"] = list(needed)
    return {"anyOf": [shape, fields[kind.ALONE].metadata["kind"].schema()]} if kind.ALONE else shape


def _property(field: Any) -> dict[str, Any]:
    made = dict(field.metadata["kind"].schema())
    if field.metadata["says"]:
        made["description"] = field.metadata["says"]
    return {**made, "default": field.default} if isinstance(field.default, (str, bool)) else made


# --- the command's flags ----------------------------------------------------------------------------


@attrs.frozen
class Flag:
    """A key that one flag of the command says: its `path` in the object, the `argument`, the flag's `name`."""

    path: tuple[str, ...]
    argument: str
    name: str
    kind: Kind
    says: str
    default: Any


def flags_of(kind: Any, path: tuple[str, ...] = ()) -> Iterator[Flag]:
    """The keys that the command can say, objects inside opened; a list of objects has no flag."""
    for key, field in keys_of(kind).items():
        one, name = field.metadata["kind"], field.metadata["flag"]
        if one.shape == "thing":
            yield from flags_of(one.of, (*path, key))
        elif one.shape != "things" and name != "":
            argument = path[-1] if path and key == kind.ALONE else key
            yield Flag(
                (*path, key), argument, name or argument.replace("_", "-"), one, field.metadata["says"], field.default
            )


# --- how values are read ----------------------------------------------------------------------------


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
    if type(value) is str and pattern.fullmatch(value):
        return value  # as nearly always: no pattern matches small letters or blanks
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
    if type(value) is list:
        return tuple(value)
    if value is None or isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        _refuse(path, value, "a list")
    try:
        return tuple(value)
    except Exception:  # noqa: BLE001 - an object that says it can be listed, and cannot
        _refuse(path, value, "a list")


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
    return _match(path, value, CODE, "a HCPCS or CPT code of five characters")


def dotted(code: str, cut: int = 3) -> str:
    """A diagnosis as printed: messages carry it without its point.

    >>> dotted("M545"), dotted("M54.50"), dotted("R52")
    ('M54.5', 'M54.50', 'R52')
    """
    return f"{code[:cut]}.{code[cut:]}" if len(code) > cut and "." not in code else code


def _diagnosis(path: str, value: object) -> str:
    return dotted(_match(path, value, _DIAGNOSIS, "an ICD-10-CM code such as D51.0").replace(".", ""))


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


def given_dose(value: object, path: str = "dose") -> str | Dose:
    """Text and `Dose` stay as given; a Pint quantity becomes a `Dose`. What it says is judged later."""
    if isinstance(value, str) and (bare := value.strip()):
        return bare
    if isinstance(value, Dose):
        return value
    if is_quantity(value):
        return Dose.of(value)
    return _text(path, value, 'a dose with its unit as text, such as "30 mg"')


def _amount(path: str, value: Any) -> str:
    if is_quantity(value):
        return f"{value.magnitude} {value.units}"
    if isinstance(value, Dose):
        return str(value)
    return _text(path, value, 'an amount with its unit as text, such as "35 mg"')


def _date(path: str, value: object) -> dt.date:
    try:
        return as_date(value)
    except DateError as why:
        raise DateError(f"{path}: {why}", path=path, given=value, says=str(why)) from None


def things(kind: Any) -> Kind:
    """A list of objects; where one key may stand for the object, also a list of words."""

    def read(path: str, value: object) -> tuple[Any, ...]:
        return tuple([kind.from_dict(item, f"{path}[{n}]") for n, item in enumerate(_sequence(path, value))])

    shape, shown = ("list", "CODE") if kind.ALONE else ("things", "")
    return Kind(read, lambda: {"type": "array", "items": schema_of(kind)}, shape=shape, shown=shown, of=kind)


def thing(kind: Any) -> Kind:
    """An object."""
    return Kind(lambda path, value: kind.from_dict(value, path), lambda: schema_of(kind), shape="thing", of=kind)


def choice(allowed: tuple[str, ...]) -> Kind:
    """One of some values."""
    return Kind(lambda path, value: _one_of(path, value, allowed), lambda: {"enum": list(allowed)}, allowed)


def mapping(item: Kind, example: str) -> Kind:
    """An object by HCPCS code."""

    def read(path: str, value: object) -> tuple[tuple[str, Any], ...]:
        if not isinstance(value, Mapping):
            _refuse(path, value, f"an object by code, such as {example}")
        return tuple((_code(path, code), item.read(f"{path}.{code}", one)) for code, one in value.items())

    schema = {"type": "object", "additionalProperties": item.schema()}
    return Kind(read, lambda: schema, shape="pairs", shown=f"CODE={item.shown}")


def words(item: Callable[[str, object], str], schema: dict[str, Any], shown: str) -> Kind:
    """A list of words, each once."""

    def read(path: str, value: object) -> tuple[str, ...]:
        found = (item(f"{path}[{n}]", one) for n, one in enumerate(_sequence(path, value)))
        return tuple(dict.fromkeys(found))

    return Kind(read, lambda: {"type": "array", "items": schema}, shape="list", shown=shown)


def _pattern(pattern: re.Pattern[str], expected: str, shown: str = "", **more: str) -> Kind:
    schema = {"type": "string", "pattern": f"^(?:{pattern.pattern})$", **more}
    return Kind(lambda path, value: _match(path, value, pattern, expected), lambda: schema, shown=shown)


def recorded(allowed: tuple[str, ...]) -> Kind:
    """A list of known words."""
    return words(lambda path, value: _one_of(path, value, allowed), {"enum": [*allowed]}, "WORD")


TEXT = Kind(_text, lambda: {"type": "string", "minLength": 1})
FLAG = Kind(_flag, lambda: {"type": "boolean"}, shape="flag")
COUNT = Kind(_count, lambda: {"type": "integer", "minimum": 1}, shape="count")
AMOUNT = Kind(_amount, lambda: {"type": "string", "minLength": 1})
TIME = _pattern(re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII), 'a time of day such as "09:30"', "HH:MM")
MONEY = Kind(_money, lambda: {"type": ["string", "number"]}, shown="DOLLARS")
REVENUE = _pattern(re.compile(r"\d{4}", re.ASCII), "a revenue code of four digits, such as 0636", "0636")
HCPCS = Kind(_code, lambda: {"type": "string", "pattern": f"^(?:{CODE.pattern})$"}, shown="CODE")
PLACE = _pattern(re.compile(r"\d{2}", re.ASCII), 'a place-of-service code of two digits as text, such as "11"')
DIAGNOSES = words(_diagnosis, {"type": "string", "pattern": f"^{_DIAGNOSIS.pattern}$"}, "ICD10")
MODIFIERS = words(
    lambda path, value: _match(path, value, MODIFIER, "a modifier of two characters"),
    {"type": "string", "pattern": f"^{MODIFIER.pattern}$"},
    "EA",
)
DOSE = Kind(lambda path, value: given_dose(value, path), lambda: {"type": "string", "minLength": 1})
ROUTE = Kind(lambda path, value: route(value, path), lambda: {"type": "string", "examples": [*routes.NAMES]})
DAY = Kind(_date, lambda: {"type": "string", "format": "date"}, shown="DATE")
PAYER = Kind(lambda path, value: _text(path, value).casefold(), lambda: {"type": "string", "minLength": 1})


_SEVERAL: Any = attrs.Converter(tuple)  # made once: attrs inspects each converter that it is given


def key(kind: Kind, default: Any = attrs.NOTHING, says: str = "", *, flag: str | None = None, **more: Any) -> Any:
    """A key: how it is read, its schema, its flag and what it means stand in its field alone.

    A key without a default is needed. `flag` is the command's, where it is not the key; empty where there is none.
    """
    if kind.allowed:
        more["validator"] = _known(kind.allowed)
    if default == ():
        more["converter"] = _SEVERAL
    return attrs.field(default=default, metadata={"kind": kind, "says": says, "flag": flag}, **more)


def _known(allowed: tuple[str, ...]) -> Any:
    """A validator for values given straight to a type: the same refusal as `from_dict` gives."""

    def check(_: object, field: Any, value: object) -> None:
        if value is not None and value not in allowed:
            _refuse(field.name, value, "one of the known values", allowed)

    return check
