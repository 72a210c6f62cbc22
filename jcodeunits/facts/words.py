"""Names as they are compared."""

from __future__ import annotations

import re
from functools import lru_cache

from ..errors import LONGEST, UnknownDrug, quoted

_WORD = re.compile(r"\d+\.\d+(?![^\W_])|[^\W_]+|\+")
_SPELT_OUT = {"hcl": "hydrochloride", "hbr": "hydrobromide"}
_JOINING = frozenset({"and", "with"})
_WORDS_MOST = 20


@lru_cache(maxsize=65536)
def normal(name: str) -> str:
    """A name as it is compared: lower-case words of letters and digits, without "and" and "with".

    A number keeps its point, so that 2.5% is never 25%.

    "non-depot" stays one word, so that it never means "depot".

    >>> normal("Bicillin C-R"), normal("Rho(D) immune globulin"), normal("imipenem and cilastatin")
    ('bicillin c r', 'rho d immune globulin', 'imipenem cilastatin')
    >>> normal("albumin 2.5%")
    'albumin 2.5'
    """
    found = _WORD.findall(name.casefold().replace("non-", "non"))
    return " ".join([_SPELT_OUT.get(word, word) for word in found if word not in _JOINING])


@lru_cache(maxsize=65536)
def _words_in(name: str) -> int:
    return len(normal(name).split())


def check_length(name: str) -> None:
    """Refuse what is longer than any name of a drug, before it is taken apart. Raises `UnknownDrug`.

    >>> check_length("note " * 21)
    Traceback (most recent call last):
    jcodeunits.errors.UnknownDrug: 'note note note note note note note note note note note note… is no name of a drug: \
it has 105 characters in 21 words. Give the name alone, or the code.
    """
    says = too_long(name)
    if says:
        raise UnknownDrug(f"{says} Give the name alone, or the code.", given=name, near=())


def too_long(name: str) -> str:
    """What is said of a text that is longer than any name of a drug; empty of any other."""
    words = _words_in(name) if len(name) <= LONGEST else 0
    if len(name) <= LONGEST and words <= _WORDS_MOST:
        return ""
    says = f"{len(name)} characters" + (f" in {words} words" if words else "")
    return f"{quoted(name)} is no name of a drug: it has {says}."


def squeezed(name: str) -> str:
    """A name with its spaces and hyphens taken out, as the look-up compares it.

    >>> squeezed("Solu-Medrol") == squeezed("solumedrol")
    True
    """
    return normal(name).replace(" ", "")
