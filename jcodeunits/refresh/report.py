"""What a person reads after a refresh, in five minutes: what was read, what changed for our codes, what does not fit.

A site's own codes and NDCs come first where they are given.
"""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from jcodeunits.amount import told
from jcodeunits.facts.folder import sha256_of
from jcodeunits.facts.store import Store
from jcodeunits.grouped import grouped

from . import edits
from .byhand import ByHand
from .drugs import unit_words
from .families import FAMILIES
from .family import Row
from .findings import Change, Lint
from .policy_tables import rows_of
from .state import FoldResult

NEXT_QUARTER = "Where the next files come from, each posted a few weeks before its quarter:"


# The kinds of change, in the order of the report: their heading, and how a line about a site's own code or NDC begins.
CHANGES = {
    "began": ("Codes that began", "began:"),
    "ended": ("Codes that ended", "ended:"),
    "changed": ("Codes that changed", "changed:"),
    "followed": ("Codes with a successor", "followed:"),
    "limit": ("Unit limits that changed", "unit limit of"),
    "edit": ("Edits of administration codes that changed", "edits of"),
    "status": ("Outpatient statuses that changed", "outpatient status of"),
    "came": ("NDCs that came", "NDC came:"),
    "went": ("NDCs that went", "NDC went:"),
    "moved": ("NDCs that changed codes or contents", "NDC changed:"),
}
# The kinds of lint.
LINT = {
    "vanished": "Codes that a later edition lacks",
    "successor": "Ended codes that may have a successor",
    "outside": "Codes that read like drugs and are in no range",
    "words": "Descriptors with unknown words",
    "label": "Numbers without a label of ours",
    "dosage": "Dosages that disagree with the descriptor",
    "priced": "Codes that CMS prices and the catalog lacks on that day",
    "contradicts": "Crosswalk rows that contradict themselves",
    "ndc": "Ids that are no NDC",
    "unit": "Billing units that are none",
    "price": "Prices to look at",
    "product": "Products to look at",
    "place": "Places without a rate",
    "parts": "Parts of an edition that are not loaded",
    "between": "Quarters between that are not loaded",
    "file": "Files that may not be the right ones",
}


@attrs.frozen
class RefreshReport:
    """What a refresh read, wrote and noticed."""

    edition: str
    read: tuple[str, ...]
    known: tuple[str, ...]
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    left_out: tuple[str, ...]
    tables: tuple[str, ...]
    changes: tuple[Change, ...]
    lint: tuple[Lint, ...]
    check: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            **told(self, "edition", "read", "known", "written", "unchanged", "left_out", "tables"),
            "changes": [attrs.asdict(item) for item in self.changes],
            "lint": [attrs.asdict(item) for item in self.lint],
            "next": [family.page for family in FAMILIES if family.page],
        }

    def text(self, limit: int = 12, width: int = 79) -> str:
        """The report for people, wrapped to `width`: a site's own lines all, of others at most `limit` of a kind."""
        told = [("edition", self.edition), ("read", ", ".join(self.read) or "nothing new")]
        told += [("known", "read before, unchanged: " + ", ".join(self.known))] if self.known else []
        differs = ", ".join(self.written)
        told.append(("differs" if self.check else "written", differs or "nothing: every table is as it was"))
        lines = [_wrapped(f"{name:<11}{words}", width, " " * 11) for name, words in told]
        mine = [f"{CHANGES[item.kind][1]} {item}" for item in self.changes if item.own]
        groups: list[tuple[str, Sequence[Any]]] = [("Your own codes and NDCs", mine)]
        groups += [
            (heading, [item for item in self.changes if item.kind == kind and not item.own])
            for kind, (heading, _) in CHANGES.items()
        ]
        groups += [(heading, [item for item in self.lint if item.kind == kind]) for kind, heading in LINT.items()]
        groups += [("Left out", self.left_out), ("Rows of the tables", self.tables)]
        for heading, found in groups:
            if found:
                lines += ["", f"{heading} ({len(found)})"]
                shown = found if found is mine else found[:limit]
                lines += [_wrapped(f"  {item}", width, "    ") for item in shown]
                lines += [f"  and {len(found) - limit} more (--all)"] if len(found) > len(shown) else []
        pages = dict.fromkeys(family.page for family in FAMILIES if family.page)
        return "\n".join([*lines, "", NEXT_QUARTER, *(_wrapped(f"  {page}", width, "    ") for page in pages)])


def _wrapped(line: str, width: int, indent: str = "") -> str:
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def of(
    result: FoldResult, before: Store, digests: Mapping[str, str], own: frozenset[str], byhand: ByHand
) -> RefreshReport:
    """The report of a result beside the reference before it; `digests` are those of the files made."""
    names = {name.removesuffix(".csv") for name in digests}
    old = {name: _text(before, name) for name in names - {"edits"}}
    written = {name for name, text in old.items() if name != "sources" and text != result.texts[name]}
    written |= {"sources"} if result.read else set()
    was = sha256_of(before.file("edits.csv"))
    written |= {"edits"} if was != digests["edits.csv"] else set()
    changes = [
        change
        for name in sorted(written & _CHANGES.keys())
        for change in _CHANGES[name]((rows_of(old[name]), rows_of(result.texts[name])))
    ]
    if "edits" in written:
        changes += edits.changes(Path(before.file("edits.csv")), result.edits, byhand.administrations | own)
    named = [{change.subject, *re.findall(r"[\w-]+", change.says)} for change in changes]
    changes = [attrs.evolve(one, own=not own.isdisjoint(words)) for one, words in zip(changes, named, strict=True)]
    touched = {change.subject for change in changes}
    lint = [item for item in result.lint if item.kind not in _DERIVED or re.split("[, ]", item.place)[0] in touched]
    return RefreshReport(
        result.edition,
        tuple(edition.title for edition in result.read),
        tuple(edition.title for edition in result.known),
        tuple(sorted(written)),
        tuple(sorted(names - written)),
        result.left_out,
        tuple(filter(None, (_difference(name, old, result) for name in sorted(written - {"edits", "sources"})))),
        tuple(sorted(changes, key=lambda c: (not c.own, c.kind, c.subject))),
        tuple(lint),
    )


_DERIVED = frozenset({"changed", "product", "dosage", "label", "successor"})


def _text(store: Store, name: str) -> str:
    file = Path(store.file(f"{name}.csv"))
    return file.read_text("utf-8") if file.is_file() else ""


Pair = tuple[list[Row], list[Row]]


def _difference(name: str, old: Mapping[str, str], result: FoldResult) -> str:
    """How many rows a table gained and lost, apart from a newer edition that says the same; "" where none."""
    before, after = (
        {tuple(cell for column, cell in row.items() if column not in _PROVENANCE) for row in rows_of(text)}
        for text in (old[name], result.texts[name])
    )
    gained, lost = len(after - before), len(before - after)
    return f"{name}.csv: {gained:,} rows new or changed, {lost:,} gone or changed" if gained or lost else ""


_PROVENANCE = frozenset({"source", "cite", "verified", "editions"})


def _drugs(pair: Pair) -> Iterator[Change]:
    before, after = (grouped(rows, lambda row: row["code"]) for rows in pair)
    for code, rows in after.items():
        last, old = rows[-1], before.get(code)
        name = last["ingredient"]
        if old is None:
            yield Change("began", code, f"from {rows[0]['effective']}: {name}, {_unit(last)}.")
        elif last["ends"] != old[-1]["ends"]:
            kind = "ended" if last["ends"] else "changed"
            yield Change(kind, code, f"{_another_end(old[-1], last, 'last day')}: {name}.")
        elif _unit(last) != _unit(old[-1]):
            yield Change("changed", code, f"{_unit(old[-1])} until now, {_unit(last)} from {last['effective']}.")
        elif len(rows) != len(old):
            words = _differing(old[-1], last, ("ingredient", "qualifier", "form", "routes", "equivalents"))
            says = f"{words} from {last['effective']}" if words else "other words in an earlier period"
            yield Change("changed", code, f"{says}; {_unit(last)} as before.")
    for code in sorted(before.keys() - after.keys()):
        yield Change("ended", code, f"{_NOWHERE}: {before[code][-1]['ingredient']}.")


_NOWHERE = "no edition has it any longer, and its rows are gone"


def _another_end(before: Row, after: Row, last: str) -> str:
    """The last day that a row has now; where it had another one, or has none any longer, that too."""
    if not before["ends"]:
        return f"{last} {after['ends']}"
    return (
        f"{last} {after['ends']}, not {before['ends']}" if after["ends"] else f"open again, not ended {before['ends']}"
    )


def _differing(before: Row, after: Row, columns: Iterable[str]) -> str:
    """What changed of these columns; empty where nothing did."""
    differs = [name for name in columns if before[name] != after[name]]
    return "; ".join(f"{name} {before[name] or 'none'} to {after[name] or 'none'}" for name in differs)


def _unit(row: Row) -> str:
    return unit_words(row) or f"no unit ({row['refuses']})"


def _successors(pair: Pair) -> Iterator[Change]:
    before = {(row["code"], row["successor"]) for row in pair[0]}
    for row in pair[1]:
        if (row["code"], row["successor"]) not in before:
            why = f"{row['ndcs_moved']} NDCs moved" if row["ndcs_moved"] else "by the code set"
            yield Change("followed", row["code"], f"{row['successor']} from {row['effective']} ({why}).")


def _of_code(kind: str, words: Callable[[Row], str], pair: Pair) -> Iterator[Change]:
    """What holds last for each code before and after, where that differs; claims that agree are one."""
    before, after = (_last(rows, words) for rows in pair)
    for code in sorted(before.keys() | after.keys()):
        was, now = before.get(code, {}), after.get(code, {})
        if set(was.values()) != set(now.values()):
            each = {name: (_or(was, name), _or(now, name)) for name in sorted(was.keys() | now.keys())}
            said = {name: f"{name}: {one} to {other}" for name, (one, other) in each.items()}
            differs = [said[name] for name, (one, other) in each.items() if one != other]
            yield Change(kind, code, "; ".join(differs or said.values()) + ".")


def _or(values: Mapping[str, str], name: str) -> str:
    return values.get(name) or values.get("any") or "none"


def _last(rows: Iterable[Row], words: Callable[[Row], str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if not row["ends"]:
            found[row["code"]][row.get("claim", "status")] = words(row)
    return found


def _products(pair: Pair) -> Iterator[Change]:
    before, after = (grouped(rows, lambda row: row["ndc"]) for rows in pair)
    for number, rows in after.items():
        last, old = rows[-1], before.get(number)
        name = _named(last)
        if old is None:
            yield Change("came", number, f"from {rows[0]['effective']}: {name}.")
        elif last["ends"] != old[-1]["ends"]:
            kind = "went" if last["ends"] else "moved"
            yield Change(kind, number, f"{_another_end(old[-1], last, 'last listed')}: {name}.")
        elif says := _differing(old[-1], last, ("codes", "amount", "unit", "qualifier", "quantity")):
            yield Change("moved", number, f"{last['label']}: {says}.")
    for number in sorted(before.keys() - after.keys()):
        yield Change("went", number, f"{_NOWHERE}: {_named(before[number][-1])}.")


def _named(row: Row) -> str:
    return f"{row['label']}, {row['codes'] or 'no code is known'}"


_CHANGES: Mapping[str, Any] = {
    "drugs": _drugs,
    "successors": _successors,
    "limits": partial(_of_code, "limit", lambda row: f"{row['units']} a {row['per']}"),
    "statuses": partial(_of_code, "status", lambda row: row["status"]),
    "products": _products,
}
