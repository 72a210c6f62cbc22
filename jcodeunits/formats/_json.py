"""JSON, read strictly: exact numbers, each key once, and every element in its shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from jcodeunits.amount import json_number
from jcodeunits.errors import FormatError


def plain_text(text: object, form: str) -> str:
    """Text, or bytes in UTF-8, without a byte order mark; `FormatError` for anything else."""
    if isinstance(text, (bytes, bytearray)):
        try:
            text = bytes(text).decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError("These bytes are no UTF-8 text.", format=form) from None
    if not isinstance(text, str):
        raise FormatError(f"Text is wanted, not {type(text).__name__}.", format=form)
    return text.removeprefix("\ufeff")


def exact(text: str | bytes | bytearray, form: str) -> Any:
    """The value of a JSON text, its numbers exact and each key once; `FormatError` for what is no JSON."""
    try:
        return json.loads(
            plain_text(text, form),
            parse_float=json_number,
            parse_int=_whole,
            parse_constant=_no_number,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError) as why:
        raise FormatError(f"This is no JSON that can be read: {why}.", format=form) from None


def load(text: object, form: str, what: str) -> dict[str, Any]:
    """The JSON object in a text, or the dict as it is; `FormatError` for anything else."""
    value: object = exact(text, form) if isinstance(text, (str, bytes, bytearray)) else text
    if not isinstance(value, dict):
        raise FormatError(f"{what} is a JSON object, not {type(value).__name__}.", format=form)
    return value


def _whole(text: str) -> int:
    return int(json_number(text))


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return made


@attrs.frozen
class Shapes:
    """What the elements of a format are, by name.

    `lists` of objects, `objects`, `texts`, lists of texts (`words`), whole numbers (`counts`, and lists of
    them in `listed_counts`). `objects_in`: an object in these parents, elsewhere what it is else, or text;
    `either_in`: in these parents an object or text. A name that is not here may be anything, and is not read.
    """

    form: str
    lists: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    counts: frozenset[str] = frozenset()
    listed_counts: frozenset[str] = frozenset()
    objects_in: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    either_in: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)

    def check(self, value: Mapping[str, Any], path: str = "", parent: str = "") -> None:
        """Refuse the first element that is not what the format has there."""
        for key, item in value.items():
            here = f"{path}.{key}".lstrip(".")
            if key in self.objects or self._is_object(key, item, parent):
                self._want(isinstance(item, dict), here, "an object")
                self.check(item, here, key)
            elif key in self.lists:
                self._want(_each(item, dict), here, "a list of objects")
                for n, one in enumerate(item):
                    self.check(one, f"{here}[{n}]", key)
            elif key in self.texts or key in self.objects_in or key in self.either_in:
                self._want(isinstance(item, str), here, "text")
            elif key in self.words:
                self._want(_each(item, str), here, "a list of texts")
            elif key in self.counts:
                self._want(type(item) is int, here, "a whole number")
            elif key in self.listed_counts:
                self._want(_each(item, int), here, "a list of whole numbers")

    def _is_object(self, key: str, item: object, parent: str) -> bool:
        if parent in self.either_in.get(key, ()):
            return isinstance(item, dict)
        return parent in self.objects_in.get(key, ())

    def _want(self, right: bool, here: str, what: str) -> None:
        if not right:
            raise FormatError(f"{here} must be {what}.", format=self.form, place=here)


def _each(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(type(one) is kind for one in value)
