"""The envelopes of X12 (ISA, GS, ST and their ends): whether an interchange is whole, live and a claim.

An end that has another control number than its beginning is a joined text and refused; an end that is missing
and a count that does not fit are losses, because senders leave ends out and miscount. Source: 005010X222A1,
appendix on control segments.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ._claim_lines import FoundLines
from ._quoting import coded


@attrs.frozen
class _Level:
    """One kind of envelope: where its beginning and its end have the control number; what its end counts."""

    end: str
    number: int
    counts: str


_LEVELS = {
    "ISA": _Level("IEA", 13, "groups"),
    "GS": _Level("GE", 6, "transaction sets"),
    "ST": _Level("SE", 2, "segments"),
}
_BEGINS = {level.end: name for name, level in _LEVELS.items()}
# Where an envelope names the implementation guide that it follows, and the dental ones.
_GUIDES = {"GS": 8, "ST": 3}
DENTAL = ("005010X224", "004010X097")
TEST = "T"
CLAIM = "837"


@attrs.define
class _Envelope:
    name: str
    control: str
    held: int = 0


@attrs.define
class Envelopes:
    """Follows the control segments, and notes what is wrong with them."""

    found: FoundLines
    _open: list[_Envelope] = attrs.field(factory=list)

    def segment(self, name: str, values: Mapping[int, str], where: str) -> None:
        if self._open and self._open[-1].name == "ST":
            self._open[-1].held += 1
        if name in _LEVELS:
            self._begin(name, values, where)
        elif name in _BEGINS:
            self._end(name, values, where)

    def _begin(self, name: str, values: Mapping[int, str], where: str) -> None:
        if self._open and _LEVELS[self._open[-1].name].counts != "segments":
            self._open[-1].held += 1
        self._open.append(_Envelope(name, values.get(_LEVELS[name].number, "").strip(), int(name == "ST")))
        if name == "ISA" and values.get(15) == TEST:
            self.found.lose(None, "ISA15", TEST, "the interchange is test data, which is never billed")
        in_group = any(one.name == "GS" for one in self._open[:-1])
        if name in _GUIDES and not in_group and (guide := values.get(_GUIDES[name], "")).startswith(DENTAL):
            self.found.wrong(where, f"{coded(guide)} is a dental claim (837D), which is not read here")
        if name == "ST" and values.get(1) != CLAIM:
            self.found.wrong(where, f"ST01 is {coded(values.get(1, ''))}, and a claim is {CLAIM}")

    def _end(self, name: str, values: Mapping[int, str], where: str) -> None:
        opened = self._open.pop() if self._open else _Envelope("", "")
        if opened.name != _BEGINS[name]:
            self.found.wrong(where, f"it ends no {_BEGINS[name]}: the interchange was cut or joined")
        elif values.get(2, "").strip() != opened.control:
            self.found.wrong(where, f"{name}02 is not the control number of its {opened.name}: it was cut or joined")
        elif (said := values.get(1, "").strip()) != str(opened.held):
            what = f"it holds {opened.held} {_LEVELS[opened.name].counts}: something may be missing or twice"
            self.found.lose(None, f"{name}01", said, what)

    def close(self) -> None:
        """Say which envelopes have no end."""
        for one in reversed(self._open):
            why = "the envelope has no end: what follows may be missing"
            self.found.lose(None, _LEVELS[one.name].end, "", why)
        self._open.clear()
