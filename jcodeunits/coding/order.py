"""Claim order: the visit, other services, then each administration code followed by its drug lines."""

from __future__ import annotations

from jcodeunits.finding import declare

from .draft import Draft, Entry

FINDINGS = declare(__name__, {})
_FIRST = {"visit": 0, "service": 1}


def apply(draft: Draft) -> None:
    """Put the entries in claim order; a discarded amount follows its administered line."""
    placed: set[int] = set()
    blocks: list[tuple[int, int, list[Entry]]] = []
    for entry in draft.live("administration"):
        block = [entry]
        for index in entry.members:
            item = draft.of[index]
            if id(item) not in placed:
                placed.add(id(item))
                block += item.entries
        blocks.append((entry.members[0], len(blocks), block))
    for item in draft.given:
        if id(item) not in placed:
            blocks.append((item.members[0], len(blocks), item.entries))
    blocks.sort(key=lambda block: block[:2])
    front = [entry for kind in _FIRST for entry in draft.live(kind)]
    draft.entries = front + [entry for _, _, block in blocks for entry in block]
