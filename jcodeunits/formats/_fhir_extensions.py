"""What an extension of a sender says by its name and value: that nothing was given, or what its yes is of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jcodeunits import mar

from ._fhir_json import NOT_DONE, flag, objects, words

_WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+[A-Z]?")


def _name(url: str) -> list[str]:
    """The words of the last part of an address.

    >>> _name("http://x.org/ext/isPatientSupplied"), _name("urn:x:is-340B")
    (['is', 'Patient', 'Supplied'], ['is', '340B'])
    """
    return _WORD.findall(re.split("[/:#]", url)[-1])


def says_not(extension: Mapping[str, Any]) -> bool:
    """Whether an extension, or one in it, says that nothing was given: a profile's own, or a sender's by its name.

    The sender's is read like a column of an extract of administration records.
    """
    url = str(extension.get("url"))
    if NOT_DONE in url.casefold() and flag(extension.get("valueBoolean")) is not False:
        return True
    ask = mar.doubt("".join(_name(url)))
    if ask is not None and any(map(ask, _values(extension))):
        return True
    return any(map(says_not, objects(extension.get("extension"))))


def _values(extension: Mapping[str, Any]) -> Iterator[str]:
    """What an extension says, as texts."""
    for key, value in extension.items():
        if key.startswith("value") and isinstance(value, dict):
            yield from words(value) or [str(one) for one in (value.get("code"), value.get("display")) if one]
        elif key.startswith("value") and isinstance(value, (str, bool)):
            yield str(value).casefold() if isinstance(value, bool) else value


def flags(extensions: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The names, in words, of extensions that say yes, and of those in them."""
    for one in extensions:
        if any(value.casefold() in ("true", "y", "yes") for value in _values(one)):
            yield " ".join(_name(str(one.get("url"))))
        yield from flags(objects(one.get("extension")))
