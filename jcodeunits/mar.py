"""Words of an administration record (MAR) for what was done, and what each means for a claim.

The words are rows of `mar_words.csv`; a sender's own stand beside its messages.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping
from functools import cache
from typing import ClassVar

import attrs

from . import tables
from .errors import LONGEST
from .tables import Dated, column, columns_last, text

# What a word means, and how a refusal says it.
MEANINGS = {
    "given": "given",
    "bag": "a bag or syringe was hung: the amount is what was hung, given where its end is recorded",
    "self-administered": "the patient gave it",
    "patient-supplied": "given, of the patient's own supply",
    "other": "given, but by somebody else",
    "not-given": "it was not given",
    "no-dose": "no new dose was given",
}


@attrs.frozen(eq=False, repr=False, field_transformer=columns_last)
class MarWord(Dated):
    """One word in small letters."""

    TABLE: ClassVar[str] = "mar_words"
    KEY: ClassVar[tuple[str, ...]] = ("word",)

    word: str = column(text)
    means: str = column(tables.choice(*MEANINGS))


_REASON = re.compile(r"\s[-\u2013:]\s|\s*[:(;,]")  # between a word and the reason for it
_BETWEEN = re.compile("[-_]")  # between the words of a code: not-done, ENTERED_IN_ERROR


@cache
def _words() -> Mapping[str, str]:
    rows = tables.read(MarWord, os.path.join(tables.folder(), "mar_words.csv"), tables.sources())
    return {row.word: row.means for row in rows}


def meaning(word: str) -> str | None:
    """What a word of the record means, one of `MEANINGS`; None for a word that nobody knows.

    A reason may stand behind a word that says that nothing was given, and changes nothing.

    >>> [meaning(word) for word in ("Given", "new  bag", "Held by Provider", "not-done", "Verabreicht")]
    ['given', 'bag', 'not-given', 'not-given', None]
    >>> meaning("Not Given - Patient Refused"), meaning("Held (NPO)"), meaning("Given - Partial Dose")
    ('not-given', 'not-given', None)
    """
    if len(word) > LONGEST:
        return None
    if (found := _words().get(_plain(word))) is None:
        before = _words().get(_plain(_REASON.split(word, maxsplit=1)[0]))
        return before if before in ("not-given", "no-dose") else None
    return found


def _plain(word: str) -> str:
    return " ".join(_BETWEEN.sub(" ", word).split()).casefold()
