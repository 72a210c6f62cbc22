"""JSON, read strictly: exact numbers, each key once, and every element in its shape."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from jcodeunits.amount import SHORT, json_number
from jcodeunits.errors import FormatError

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # by which bytes begin that are no UTF-8


def plain_text(text: object, form: str) -> str:
    """Text, or bytes in UTF-8, or in UTF-16 with its mark, without the mark; `FormatError` for anything else."""
    if isinstance(text, (bytes, bytearray)):
        try:
            text = bytes(text).decode("utf-16" if text[:2] in UTF16 else "utf-8")
        except UnicodeDecodeError:
            raise FormatError("These bytes are no UTF-8 text, nor UTF-16 with its mark.", format=form) from None
    if not isinstance(text, str):
        raise FormatError(f"Text is wanted, not {type(text).__name__}.", format=form)
    return text.removeprefix("\ufeff")


# What a text of another format begins with, what that is, and the door that reads it, if one does.
_BEGINNINGS = {
    "MSH": ("HL7 version 2", "hl7v2"),
    "FHS": ("HL7 version 2", "hl7v2"),
    "BHS": ("HL7 version 2", "hl7v2"),
    "ISA": ("X12", "x12"),
    "{": ("JSON", "fhir"),
    "[": ("JSON", "fhir"),
    "<": ("XML", ""),
}


def refuse_other_formats(text: str, form: str) -> None:
    """Refuse a text that is surely of another format, without a word of it."""
    start = text.lstrip("\ufeff\x0b \t\r\n")[:3]
    what, door = next((found for begin, found in _BEGINNINGS.items() if start.startswith(begin)), ("", form))
    if door != form:
        way = f"read it with jcodeunits.formats.{door}.read()" if door else "ask the sender for another encoding of it"
        raise FormatError(f"This is {what}, and no {form} text: {way}.", format=form)


def exact(text: str | bytes | bytearray, form: str) -> Any:
    """The value of a JSON text, its numbers exact and each key once; `FormatError` for what is no JSON."""
    try:
        return _read(plain_text(text, form))
    except (ValueError, RecursionError) as why:
        raise FormatError(f"This is no JSON that can be read: {why}.", format=form) from None


def _read(written: str) -> Any:
    """The value of a text, nearly always one object and nothing around it."""
    try:
        value, end = _SCAN(written, 0)
        if not written[end:].strip(_BLANKS):
            return value
    except StopIteration:
        pass  # blanks before it, or no value at all: the decoder says which
    return _DECODER.decode(written)


def load(text: object, form: str, what: str) -> dict[str, Any]:
    """The JSON object in a text, or a dict, without keys that are null; `FormatError` for anything else."""
    value: object = exact(text, form) if isinstance(text, (str, bytes, bytearray)) else text
    if not isinstance(value, dict):
        raise FormatError(f"{what} is a JSON object, not {type(value).__name__}.", format=form)
    return _said(value) if not isinstance(text, str) or "null" in text else value


def _said(value: dict[str, Any]) -> dict[str, Any]:
    """An object without the keys that are null, which many programs write for what they do not say.

    >>> _said({"status": None, "item": [{"code": "J1885", "net": None}, None]})
    {'item': [{'code': 'J1885'}, None]}
    """
    made: dict[str, Any] = {}
    waiting: list[tuple[Any, Any]] = [(value, made)]
    while waiting:
        found, target = waiting.pop()
        for key, one in found.items() if isinstance(found, dict) else enumerate(found):
            if isinstance(one, (dict, list)):
                target[key] = {} if isinstance(one, dict) else [None] * len(one)
                waiting.append((one, target[key]))
            elif one is not None:
                target[key] = one
    return made


def _whole(text: str) -> int:
    return int(text if len(text) < SHORT else json_number(text))


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return made


_BLANKS = " \t\n\r"  # of JSON
_DECODER = json.JSONDecoder(
    parse_float=json_number, parse_int=_whole, parse_constant=_no_number, object_pairs_hook=_once
)
_SCAN: Callable[[str, int], tuple[Any, int]] = vars(_DECODER)["scan_once"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@attrs.frozen
class Shapes:
    """What the elements of a format are, by name.

    Names apart by blanks: `lists` of objects, `objects`, `texts`, lists of texts (`words`), whole numbers (`counts`,
    and lists of them in `listed_counts`); `one_or_more`: an object or a list of them. `objects_in`: an object in these
    parents, elsewhere what it is else, or text; `either_in`: in these parents an object or text. A name that is not
    here may be anything, and is not read.
    """

    form: str
    lists: frozenset[str] = attrs.field(default="", converter=_names)
    objects: frozenset[str] = attrs.field(default="", converter=_names)
    texts: frozenset[str] = attrs.field(default="", converter=_names)
    words: frozenset[str] = attrs.field(default="", converter=_names)
    counts: frozenset[str] = attrs.field(default="", converter=_names)
    listed_counts: frozenset[str] = attrs.field(default="", converter=_names)
    one_or_more: frozenset[str] = attrs.field(default="", converter=_names)
    objects_in: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    either_in: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    _kinds: Mapping[str, Mapping[str, _Kind]] = attrs.field(
        init=False, repr=False, eq=False, default=attrs.Factory(lambda shapes: shapes._by_parent(), takes_self=True)
    )

    def _by_parent(self) -> dict[str, dict[str, _Kind]]:
        """The kind of each name, by the parent that it stands in; of the outermost object that is no name."""
        kinds: dict[_Kind, Iterable[str]] = {
            "count": self.counts,
            "counts": self.listed_counts,
            "words": self.words,
            str: (*self.texts, *self.objects_in, *self.either_in),
            list: self.lists,
            dict: self.objects,
            "more": self.one_or_more,
        }
        plain = {name: kind for kind, names in kinds.items() for name in names}
        made: dict[str, dict[str, _Kind]] = {}
        of_parents: tuple[tuple[_Kind, Mapping[str, tuple[str, ...]]], ...] = (
            (dict, self.objects_in),
            ("either", self.either_in),
        )
        for kind, known in of_parents:
            for name, parents in known.items():
                for parent in parents:
                    made.setdefault(parent, dict(plain))[name] = kind
        return {**dict.fromkeys(("", *plain), plain), **made}

    def check(self, value: Mapping[str, Any], parent: str = "") -> None:
        """Refuse the first element that is not what the format has there."""
        kinds = self._kinds[parent]
        for key, item in value.items():
            kind = kinds.get(key)
            if kind is None or (kind is str and type(item) is str):
                continue
            at: int | None = None
            try:
                if type(item) is not kind:
                    kind = _kind_of(item, kind)
                if kind is dict:
                    self.check(item, key)
                elif kind is list:
                    if not _OBJECTS.issuperset(map(type, item)):
                        raise _Wrong([], _SHAPE[list][1])
                    for at, one in enumerate(item):  # noqa: B007 - the path to what is wrong names it
                        self.check(one, key)
            except _Wrong as why:
                why.path.append(key if at is None else f"{key}[{at}]")
                raise

    def refuse(self, value: Mapping[str, Any]) -> None:
        """Refuse what is not in its shape: `FormatError` names the first such element."""
        try:
            self.check(value)
        except _Wrong as why:
            here = ".".join(reversed(why.path))
            raise FormatError(f"{here} must be {why.what}.", format=self.form, place=here) from None


class _Wrong(Exception):
    """An element that is not in its shape: the names on the way to it, the innermost first, and what is wanted."""

    def __init__(self, path: list[str], what: str) -> None:
        self.path, self.what = path, what


_OBJECTS = frozenset({dict})
_Kind = type | str  # the type of an element, of which a list holds objects, or a name for what is no type
_EITHER: Mapping[_Kind, _Kind] = {"either": str, "more": list}  # what is no object
_SHAPE: Mapping[_Kind, tuple[Callable[[object], bool], str]] = {
    dict: (lambda item: isinstance(item, dict), "an object"),
    list: (lambda item: isinstance(item, list), "a list of objects"),
    str: (lambda item: isinstance(item, str), "text"),
    "words": (lambda item: _each(item, str), "a list of texts"),
    "count": (lambda item: type(item) is int, "a whole number"),
    "counts": (lambda item: _each(item, int), "a list of whole numbers"),
}


def _each(value: object, kind: type) -> bool:
    return isinstance(value, list) and frozenset({kind}).issuperset(map(type, value))


def _kind_of(item: object, wanted: _Kind) -> _Kind:
    """What an element is of what it may be; refused where it is nothing of that."""
    kind = (dict if isinstance(item, dict) else _EITHER[wanted]) if wanted in _EITHER else wanted
    fits, what = _SHAPE[kind]
    if not fits(item):
        raise _Wrong([], what)
    return kind
