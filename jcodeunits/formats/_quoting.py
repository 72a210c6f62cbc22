"""What an error may quote of a message: coded values; never a person's name, number or address, and never prose.

Errors end in logs and tickets (HIPAA privacy rule: the safe harbor's identifiers, minimum necessary). Fields of
people and prose are not quoted at all; the words beside a code are, where they are as short as such words are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from jcodeunits.errors import FormatError, quoted

_LONGEST = 40
_MOST_WORDS = 4
_NUMBERED = re.compile(r"\d{5,}")
_IN_LETTERS = re.compile(r"[^\W\d_]\d{6,}|\d{7,}[^\W\d_]")
# A number in groups beside a word, as of a telephone or a day of birth; by itself it may be an NDC or a day.
_GROUPED = re.compile(r"(?:\d[-/. ]?){7,}")
_ALONE = re.compile(r"\d{3}-\d{2}-\d{4}|\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}")  # a social security or telephone number


def coded(value: object) -> str:
    """A coded value as an error quotes it: what is written like prose, or holds a long number beside words, is not.

    >>> coded("ZZ"), coded("by pigeon"), coded("78421000")
    ("'ZZ'", "'by pigeon'", "'78421000'")
    >>> coded("given by Ms Testperson in room 7"), coded("Testperson 77120034"), coded("555-12-3456")
    ('a text of 7 words', 'a text of 2 words', 'a text of 1 words')
    """
    if not isinstance(value, str):
        return quoted(value)
    text = value
    words = text.split()
    prose = len(text) > _LONGEST or len(words) > _MOST_WORDS
    prose = prose or bool((_NUMBERED if len(words) > 1 else _IN_LETTERS).search(text) or _ALONE.fullmatch(text))
    prose = prose or (any(word.isalpha() for word in words) and bool(_GROUPED.search(text)))
    return f"a text of {len(words)} words" if prose else quoted(text)


def amount(number: str) -> str:
    """A number as an error says it: one longer than any dose may be somebody's, out of its field.

    >>> amount("30"), amount("98761234509")
    ('30', 'a number of 11 digits')
    """
    return number if len(number) <= _LONGEST_AMOUNT else f"a number of {len(number)} digits"


_LONGEST_AMOUNT = 7


def refused(form: str, where: str, why: str, **fields: Any) -> FormatError:
    """The error of a place of a message."""
    return FormatError(f"{where}: {why}", format=form, place=where, **fields)


@attrs.frozen
class Unread:
    """Why what a message says cannot be read, apart from where it stands; `fills`: the fact that mends it.

    `more`: what else the error holds.
    """

    why: str
    fills: str = ""
    more: Mapping[str, Any] = attrs.field(factory=dict)

    def at(self, where: str, form: str) -> FormatError:
        """The error of it at a place of a message."""
        return refused(form, where, self.why, **({"fills": self.fills} if self.fills else {}), **self.more)
