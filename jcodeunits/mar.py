"""Words of an administration record (MAR) for what was done, and what each means for a claim.

The words are rows of `mar_words.csv`; a sender's own stand beside its messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from . import tables
from .errors import LONGEST, quoted
from .tables import Dated, column, table, text

# What a word means, and how a refusal says it.
MEANINGS = {
    "given": "given",
    "bag": "a bag or syringe was hung: the amount is what was hung, given where its end is recorded",
    "self-administered": "the patient gave it",
    "patient-supplied": "given, of the patient's own supply",
    "other": "given, but by somebody else",
    "not-given": "it was not given",
    "no-dose": "no new dose was given",
    "running": "what was hung ran on, and no new dose was given",
    "end": "what was hung ended, and no new dose was given",
    "waste": "drug was thrown away",
}


@table("mar_words", "word")
class MarWord(Dated):
    """One word in small letters."""

    word: str = column(text)
    means: str = column(tables.choice(*MEANINGS))


_REASON = re.compile(r"\s[-\u2013:]\s|\s*[:(;,]")  # between a word and the reason for it
_BETWEEN = re.compile("[-_]")  # between the words of a code: not-done, ENTERED_IN_ERROR


@cache
def _words() -> Mapping[str, str]:
    return {row.word: row.means for row in tables.packaged(MarWord)}


def meaning(word: str) -> str | None:
    """What a word of the record means, one of `MEANINGS`; None for a word that nobody knows.

    A reason, or who said so, may stand behind a word against a dose of one's own, and changes nothing.

    >>> [meaning(word) for word in ("Given", "new  bag", "NewBag", "Held by Provider", "not-done", "Verabreicht")]
    ['given', 'bag', 'bag', 'not-given', 'not-given', None]
    >>> meaning("Not Given - Patient Refused"), meaning("Held for low BP"), meaning("Given - Partial Dose")
    ('not-given', 'not-given', None)
    """
    if len(word) > LONGEST:
        return None
    known, said = _words(), _plain(word)
    if said in known:
        return known[said]
    parts = _plain(_REASON.split(word, maxsplit=1)[0]).split()
    before = (known.get(" ".join(parts[:most])) for most in range(len(parts), 0, -1))
    found = next(filter(None, before), None)
    return found if found not in ("given", "bag") else None


_JOINED = re.compile("(?<=[a-z])(?=[A-Z])")  # NewBag: words of which each begins with a large letter


def _plain(word: str) -> str:
    return " ".join(_BETWEEN.sub(" ", _JOINED.sub(" ", word)).split()).casefold()


# --- what a column of an extract says against a dose --------------------------------------------------

# Names of columns in small letters and digits alone, as extracts of administration records call them: other names of
# what was done, of a reason why nothing was given, and of what says by yes or no whether it was.
_ACTIONS = re.compile(
    r"(?:(?:mar|med|medication|admin|administration|dose|event|result|task|documented|charted|charting|completion)?"
    r"(?:status|action|actiontaken|eventtype)c?"
    r"(?:name|desc|description|display)?|mar(?:event|result))"
)
_NOT = r"not(?:given|administered|done|taken)|refus(?:ed|al)|held|hold|missed|omi(?:tted|ssion)"
_NO_MORE = r"void(?:ed)?|cancel(?:l?ed|lation)?|deleted|reversed|(?:entered|charted|documented|given)?inerror"
_REASONS = re.compile(rf"(?:mar|med|admin)?(?:reason(?:for)?(?:{_NOT}|{_NO_MORE})|(?:{_NOT}|{_NO_MORE})reason)")
_DONE = re.compile(r"(?:is|was)?(?:given|administered|completed)(?:flag|yn)?")
_UNDONE = re.compile(rf"(?:is|was)?(?:{_NOT}|{_NO_MORE})(?:flag|yn)?")
_YES, _NO = ("y", "yes", "true", "t", "1", "x"), ("n", "no", "false", "f", "0")
_NO_REASON = ("", "none", "n/a", "na", "-", "null")


def doubt(column: str) -> Callable[[str], str] | None:
    """How the values of a column of this name may say that nothing was given; None where they do not.

    A reason why it was not given says so, a yes or a no, and a word of the record where the column is named for it; of
    a value it is said how, and nothing where it is no such thing.

    >>> ask = doubt("MAR_Action")
    >>> ask("Held"), ask("Given"), doubt("OrderStatus"), doubt("given?")("N")
    ("'Held': it was not given", '', None, "'N': it was not given")
    """
    name = re.sub(r"[\W_]+", "", column).casefold()
    if _REASONS.fullmatch(name):
        return lambda said: "" if said.casefold() in _NO_REASON else "gives a reason why nothing was given"
    against = _NO if _DONE.fullmatch(name) else _YES if _UNDONE.fullmatch(name) else ()
    if against:
        return lambda said: f"{quoted(said)}: {MEANINGS['not-given']}" if _flag(said) in against else ""
    return _by_word if column != "action" and _ACTIONS.fullmatch(name) else None


def _flag(said: str) -> str:
    """A yes or a no in small letters; a column of floats writes 1 as 1.0."""
    return said.casefold().removesuffix(".0")


def _by_word(said: str) -> str:
    """What a word, or a part of it, says against a dose; empty for one that was given, or nothing that is known."""
    parts = [said] if meaning(said) is not None else _REASON.split(said)
    against = (means for part in parts if (means := meaning(part)) not in (None, "given", "bag"))
    means = next(against, None)
    return f"{quoted(said)}: {MEANINGS[means]}" if means else ""


def why_not(word: Any) -> str:
    """Why a word bills nothing; empty where it says that the drug was given, or that a bag was hung."""
    if word is None or not str(word).strip():
        return "NotGiven: the action is not said"
    if meaning(str(word)) is None:
        return f"NotGiven: action {quoted(word)} is no word that is known here; write Given for what was given"
    said = _by_word(str(word))
    return f"NotGiven: action {said}" if said else ""
