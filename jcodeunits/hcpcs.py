"""HCPCS codes: a letter and four digits (Level II, CMS) or five characters (CPT, the AMA).

Only the form is judged here; whether a code exists on a date is the catalog's question.

>>> compact(" j0696 ")
'J0696'
>>> is_valid("J069")
False
"""

from __future__ import annotations

import re
from functools import lru_cache

from .errors import LONGEST, InvalidHcpcs, quoted

_LEVEL_TWO = re.compile("[A-Z][0-9]{4}")
CODE = re.compile(f"{_LEVEL_TWO.pattern}|[0-9]{{4}}[0-9A-Z]")  # as it stands on a claim: no spaces, capitals
MODIFIER = re.compile("[0-9A-Z]{2}")
OF_SOME = ("C", "S")  # how codes begin that a hospital or some payers alone take
_HELP = "A code is a letter and four digits, or five digits."


def compact(code: object) -> str:
    """The code in capitals without spaces around it; `InvalidHcpcs` for anything else.

    >>> compact("96372")
    '96372'
    >>> compact("JO696")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    jcodeunits.errors.InvalidHcpcs: 'JO696' is not a HCPCS code: it has the letter O where ...
    """
    if not isinstance(code, str):
        raise InvalidHcpcs(f"{quoted(code)} is not text. {_HELP}", given=code, reason="not text")
    text = _form(code) if len(code) <= LONGEST else ""
    if text:
        return text
    text = code.strip().upper()
    raise InvalidHcpcs(
        f"{quoted(code)} is not a HCPCS code: {_why_not(text)} {_HELP}", given=code, reason=_why_not(text)
    )


@lru_cache(maxsize=16384)
def _form(code: str) -> str:
    """The compact form of a code; empty for what has not the form."""
    text = code.strip().upper()
    return text if CODE.fullmatch(text) else ""


def _why_not(text: str) -> str:
    for letter in "OIL":
        if len(text) == 5 and letter in text[1:]:
            return f"it has the letter {letter} where a digit belongs."
    if len(text) != 5:
        return f"it has {len(text)} characters, not 5."
    return "its characters are in no order that a code has."


def validate(code: object) -> str:
    """The code, or the error that says what is wrong; the same as `compact`."""
    return compact(code)


def is_valid(code: object) -> bool:
    """Whether `code` has the form of a HCPCS code.

    >>> is_valid("J0696"), is_valid("0001A"), is_valid("JJ696")
    (True, True, False)
    """
    return isinstance(code, str) and len(code) <= LONGEST and bool(_form(code))


def format(code: object) -> str:
    """The code as it is printed, which is its compact form."""
    return compact(code)


def is_level_two(code: str) -> bool:
    """Whether a code is CMS's own (a letter first), not CPT.

    >>> is_level_two("J0696"), is_level_two("96372")
    (True, False)
    """
    return bool(_LEVEL_TWO.fullmatch(code))


def modifier(text: object) -> str:
    """A modifier's two characters in capitals; `InvalidHcpcs` for anything else.

    >>> modifier("jz")
    'JZ'
    """
    cleaned = text.strip().upper() if isinstance(text, str) else ""
    if not (MODIFIER.fullmatch(cleaned)):
        says = f"{quoted(text)} is not a modifier. A modifier has two characters, for example JZ or 25."
        raise InvalidHcpcs(says, given=text, reason="not a modifier")
    return cleaned
