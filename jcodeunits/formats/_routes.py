"""A route as a message says it: codes in the systems that they name, and the words beside them.

Codes and words must mean one route. A plain vein is made exact by a word or a method that says push or
infusion; what is known but has no name here, or may mean two things, is a gap that `route=` fills.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import attrs

from jcodeunits import routes
from jcodeunits.tables import words

from ._quoting import Unread, coded, refused

# The names that messages give to the published lists, in capitals.
_NAMES = {
    "snomed": ("HTTP://SNOMED.INFO/SCT", "URN:OID:2.16.840.1.113883.6.96", "SCT", "SNM", "SNOMED", "SNOMED CT"),
    "hl7-0162": words(
        "HL70162|HL7 0162|0162|HTTP://TERMINOLOGY.HL7.ORG/CODESYSTEM/V2-0162|HTTP://HL7.ORG/FHIR/V2/0162|"
        "URN:OID:2.16.840.1.113883.12.162"
    ),
    "hl7-0165": ("HL70165", "HL7 0165", "0165", "HTTP://TERMINOLOGY.HL7.ORG/CODESYSTEM/V2-0165"),
    "ncit": words(
        "NCIT|NCI|HTTP://NCITHESAURUS-STAGE.NCI.NIH.GOV|HTTP://NCITHESAURUS.NCI.NIH.GOV|"
        "HTTP://NCICB.NCI.NIH.GOV/XML/OWL/EVS/THESAURUS.OWL|URN:OID:2.16.840.1.113883.3.26.1.1"
    ),
    "hl7-v3-route": (
        "HTTP://TERMINOLOGY.HL7.ORG/CODESYSTEM/V3-ROUTEOFADMINISTRATION",
        "HTTP://HL7.ORG/FHIR/V3/ROUTEOFADMINISTRATION",
        "HTTP://HL7.ORG/FHIR/V3/ROUTE",
        "URN:OID:2.16.840.1.113883.5.112",
    ),
}
_SYSTEM = {name: system for system, names in _NAMES.items() for name in names}


class Coding(NamedTuple):
    """A code, the system that it names, and its display; each may be empty."""

    code: str = ""
    system: str = ""
    display: str = ""


@attrs.frozen
class _Heard:
    """The routes that one element may mean (empty text: known, without a name here), and its words."""

    meant: frozenset[str]
    words: str


_UNNAMED = frozenset({""})


def _of_coding(coding: Coding, method: bool) -> Iterable[_Heard]:
    system = _SYSTEM.get(coding.system.strip().rstrip("/").upper())
    if system and method:
        system = {"snomed": "snomed-method"}.get(system, system)
    if coding.code and system:
        row = routes.coded(system, coding.code)
        yield _Heard(
            frozenset() if row is None else frozenset({row.route}), coding.code if row is None else row.display
        )
    elif coding.code and not coding.system:
        row = routes.coded("snomed-method", coding.code) or routes.coded("hl7-0165", coding.code) if method else None
        yield _Heard(frozenset({row.route}) if row else routes.meanings(coding.code), coding.code)
    display = _of_text(coding.display)
    if coding.display:
        yield display
    if coding.code and coding.system and system is None and not display.meant:  # a sender's own code, as a word
        heard = routes.meanings(coding.code)
        yield _Heard(heard if len(heard) == 1 else frozenset(), coding.code)


def _of_text(text: str) -> _Heard:
    return _Heard(routes.meanings(text), text)


def said(codings: Iterable[Coding], texts: Iterable[str], form: str, where: str) -> str:
    """The route that codes and words agree on, empty where nothing is said.

    `FormatError`: two of them contradict each other, or (with the field `fills`) nobody knows what is meant.
    """
    found = _said(tuple(codings), tuple(texts), False)
    if isinstance(found, Unread):
        raise found.at(where, form)
    return found


def by_method(codings: Iterable[Coding], texts: Iterable[str], form: str, where: str) -> str:
    """What a method says of the route: a push or an infusion; nothing where nobody knows it. Raises `FormatError`."""
    found = _said(tuple(codings), tuple(texts), True)
    if not isinstance(found, Unread):
        return found
    if found.fills:
        return ""
    raise found.at(where, form)


@lru_cache(maxsize=4096)
def _said(codings: tuple[Coding, ...], texts: tuple[str, ...], method: bool) -> str | Unread:
    """The route wherever it stands: senders have a few ways to say one, and repeat them."""
    heard = [one for coding in codings for one in _of_coding(coding, method)]
    heard += [_of_text(text) for text in texts if text]
    if not heard:
        return ""
    known = [one for one in heard if one.meant]
    found = _agreed([one for one in known if one.meant != _UNNAMED])
    if isinstance(found, Unread) or (found and not any(one.meant == _UNNAMED for one in known)):
        return found
    shown = " / ".join(dict.fromkeys(coded(one.words) for one in heard))
    if not known:
        why = "is no known route"
    elif any(one.meant == _UNNAMED for one in known):
        why = "is known, but no administration code is decided by it here"
    else:
        why = "may mean several routes"
    return Unread(f"{shown} {why}. Allowed: {', '.join(routes.NAMES)}.", "route")


def _agreed(known: Iterable[_Heard]) -> str | Unread:
    """What all elements can mean together; empty where that is not one route."""
    meant: frozenset[str] | None = None
    before: list[str] = []
    for one in known:
        both = one.meant if meant is None else _both(meant, one.meant)
        if not both:
            named = " and ".join(map(coded, [*before, one.words]))
            return Unread(f"its route is {named}, which contradict each other. Correct the message.")
        meant = both
        before.append(one.words)
    return min(meant) if meant and len(meant) == 1 else ""


def _both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The routes in both, where a push or an infusion makes a plain vein exact."""
    exact = {way for way in one | other if way.startswith("IV ")}
    wide = {way for pair in ((one, other), (other, one)) if "IV" in pair[0] for way in exact & pair[1]}
    return (one & other) | wide


def refined(route: str, method: str, form: str, where: str) -> str:
    """A route with its method: push or infusion makes a plain vein exact, and contradicts any other route."""
    if not method.startswith("IV ") or route == method:
        return route
    if route not in ("IV", ""):
        why = f"its route is {route} and its method {method}, which contradict each other. Correct the message."
        raise refused(form, where, why)
    return method if route else ""
