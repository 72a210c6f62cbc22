"""HCPCS Level II editions as CMS publishes them: workbooks of any year, and fixed-width text.

ADD DT is a code's first day, TERM DT its last. ACT EFF DT is the last action on the record, not the start.
Ended codes stay in the file: the newest edition carries the history of codes, older ones that of their words.
What is kept of a descriptor is what we read out of it, never its sentence. What followed a code, and what a drug is
for, no edition says.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

import attrs

from .amounts import plain
from .byhand import ByHand
from .dating import day_in, no_day
from .descriptor import DescriptorReading, parse
from .family import Asked, Edition, Family, FileReading, Tally, said
from .files import Published, problem
from .findings import Lint

_ONE_NAME = ("skin-substitute", "radiopharmaceutical")  # kinds whose name stands whole in the descriptor
_CROSS = ("xref1", "xref2", "xref3", "xref4", "xref5")
_COLUMNS = ("hcpc", "recid", "long description", "short description", "add dt", "act eff dt", "term dt")
_CODE = re.compile(r"[A-Z]\d{4}")
_RECORD = re.compile(r"([A-Z]\d{4})\d{5}([34])")
_DIGITS = 20  # of a number in a descriptor; the longest published has ten
_ENDLESS = re.compile(rf"[\d.,]{{{_DIGITS}}}")
_LONGEST = 10_000  # letters of a descriptor; the longest published has 3,398


@attrs.frozen
class ListedCode:
    """One code of one edition: its words, its days, and the codes that it refers to."""

    code: str
    long: str
    short: str
    added: dt.date
    acted: dt.date | None
    ended: dt.date | None
    refers: tuple[str, ...] = ()


def recognises(file: Published) -> bool:
    """Whether a file is an edition: a table that begins with HCPC, or text whose records have fixed places."""
    if file.header_row(("hcpc", "recid", "add dt")) is not None:
        return True
    return (
        file.is_text
        and sum(bool(_RECORD.match(line)) for line in file.start.decode("cp1252", "replace").splitlines()) > 2
    )


def entries_of(file: Published) -> dict[str, ListedCode]:
    """Every code of an edition. Raises `TableError` for a changed header, a cut file, or dates that are none."""
    found = _from_text(file) if file.header_row(("hcpc",)) is None else _from_rows(file)
    if not found:
        raise problem(file.name, "it holds no code.")
    return found


def read(file: Published, asked: Asked, byhand: ByHand) -> Iterable[FileReading]:
    """One edition: for each drug code what its descriptor says, and its days."""
    when = asked.when(file)
    tally = Tally()
    lint: list[Lint] = []
    for code, entry in entries_of(file).items():
        tally.add(f"{code}|{entry.long}|{entry.added}|{entry.ended}")
        scope = byhand.scope_of(code)
        if scope is None:
            lint += _outside(entry)
        elif scope.drug:
            words = parse(entry.long, scope.routes, scope.kind in _ONE_NAME)
            tally.statements.add((code, _said_of(entry, words)))
            if words.left_over and code not in byhand.reviewed:
                says = f"unknown words {', '.join(words.left_over)!r} are taken for a qualifier."
                lint.append(Lint("words", code, says))
    edition = Edition(asked.named(file, "hcpcs"), when, f"HCPCS {when.words}")
    yield tally.reading(edition, lint)


def _said_of(entry: ListedCode, words: DescriptorReading) -> str:
    """What an entry says of its code: the days, and each fact that its descriptor states."""
    days = {"added": entry.added, "acted": entry.acted, "ended": entry.ended}
    told = {name: str(day) for name, day in days.items() if day}
    return said(**told, **facts_of(words), refers=",".join(entry.refers))


def facts_of(words: DescriptorReading) -> dict[str, str]:
    """The facts that a descriptor states, as text."""
    return {
        "ingredient": words.ingredient,
        "qualifier": "; ".join(words.qualifier),
        "specific": "yes" if words.specific else "no",
        "form": ", ".join(words.form),
        "routes": "|".join(words.routes),
        "size": plain(words.size) if words.size is not None else "",
        "unit": words.unit,
        "basis": words.basis,
        "components": "|".join(f"{name}={plain(size)} {unit}" for name, size, unit in words.components),
        "equivalents": "|".join(f"{plain(size)} {unit}" for size, unit in words.equivalents),
        "above": plain(words.above) if words.above is not None else "",
        "through": plain(words.through) if words.through is not None else "",
        "refuses": words.refuses,
    }


def _outside(entry: ListedCode) -> list[Lint]:
    """A code in no range of scope.csv whose words look like a drug's: a person must decide."""
    drug_words = re.match(r"(injection|inj,|infusion,|instillation)", entry.long.lower())
    if drug_words and not parse(entry.long).refuses:
        says = f"reads like a drug but is in no range of scope.csv: {entry.short}."
        return [Lint("outside", entry.code, says)]
    return []


def _day(file: Published, line: int, text: str) -> dt.date | None:
    written = text.strip().removesuffix(".0")
    if not written:
        return None
    day = day_in(written)
    if day is None or not "1900" < day < "2100":
        raise problem(file.name, f"{no_day(written)}.", line=line)
    return dt.date.fromisoformat(day)


def _entry(
    file: Published, line: int, code: str, texts: tuple[str, str], days: tuple[str, str, str], refers: Iterable[str]
) -> ListedCode:
    added = _day(file, line, days[0])
    if added is None:
        raise problem(file.name, f"{code} has no first day (ADD DT).", line=line)
    acted, ended = _day(file, line, days[1]), _day(file, line, days[2])
    long, short = (" ".join(text.split()) for text in texts)
    if not long:
        raise problem(file.name, f"{code} has no description.", line=line)
    if len(long) > _LONGEST:
        raise problem(file.name, f"the description of {code} has {len(long):,} characters.", line=line)
    if _ENDLESS.search(long):
        raise problem(file.name, f"the description of {code} has a number of {_DIGITS} digits or more.", line=line)
    if ended is not None and ended < added:
        raise problem(file.name, f"{code} ended {ended} before its first day {added}.", line=line)
    codes = tuple(dict.fromkeys(cell.strip() for cell in refers if _CODE.fullmatch(cell.strip())))
    return ListedCode(code, long, short, added, acted, ended, codes)


def _from_rows(file: Published) -> dict[str, ListedCode]:
    start = file.header_row(("hcpc",))
    assert start is not None
    header = file.headers[start]
    missing = [name.upper() for name in _COLUMNS if name not in header]
    if missing:
        raise problem(file.name, f"its header lacks {', '.join(missing)}.", line=start + 1)
    at = {name: header.index(name) for name in (*_COLUMNS, *_CROSS) if name in header}
    needed = max(at[name] for name in _COLUMNS if name != "term dt") + 1
    found: Found = {}
    for line, row in file.below(start, 2, len(header)):
        cells = {name: row[i] if i < len(row) else "" for name, i in at.items()}
        code, record = cells["hcpc"], cells["recid"].removesuffix(".0")
        if not record or (record == "3" and len(row) < needed):
            raise problem(file.name, f"the row has {len(row)} cells, not {len(header)}: it is cut off.", line=line)
        if record == "4" and code in found:
            _go_on(found, code, cells["long description"])
        elif record == "3":
            if not _CODE.fullmatch(code):
                raise problem(file.name, f"{code[:40]!r} is no HCPCS code.", line=line)
            texts = (cells["long description"], cells["short description"])
            days = (cells["add dt"], cells["act eff dt"], cells["term dt"])
            refers = (cells.get(name, "") for name in _CROSS)
            found.setdefault(code, []).append((line, _entry(file, line, code, texts, days, refers)))
    return _once(file, found)


# Each code's records as they stand in the file: the line of the first of them, and what they say together.
Found = dict[str, list[tuple[int, ListedCode]]]


def _go_on(found: Found, code: str, more: str) -> None:
    """A record in which the last one of its code goes on."""
    line, entry = found[code][-1]
    found[code][-1] = line, attrs.evolve(entry, long=" ".join(f"{entry.long} {more}".split()))


def _once(file: Published, found: Found) -> dict[str, ListedCode]:
    """Each code once, with all of its words. Raises `TableError` where it stands with other days or words."""
    entries = {}
    for code, ((_, entry), *again) in found.items():
        for line, other in again:
            short, long = sorted((entry.long, other.long), key=len)
            if (entry.added, entry.ended) != (other.added, other.ended) or not long.startswith(short):
                says = f"{code} stands here and above, and the two differ: leave out the one that is wrong."
                raise problem(file.name, says, line=line)
            entry = attrs.evolve(entry, long=long)
        entries[code] = entry
    return entries


def _from_text(file: Published) -> dict[str, ListedCode]:
    """Fixed width: description in 12-91, short 92-119, XREF 205-229, ADD 269-276, ACT EFF 277-284, TERM 285-292."""
    found: Found = {}
    for line, whole in enumerate(file.lines(), start=1):
        text = whole.rstrip("\r\n")
        match = _RECORD.match(text)
        if not match:
            continue
        code, record = match[1], match[2]
        if record == "4":
            if code not in found:
                raise problem(file.name, f"{code} goes on, but did not begin.", line=line)
            _go_on(found, code, text[11:91])
            continue
        if len(text) < 293:
            says = f"the record of {code} has {len(text)} characters: it is cut off."
            raise problem(file.name, says, line=line)
        days = (text[268:276], text[276:284], text[284:292])
        refers = (text[at : at + 5] for at in range(204, 229, 5))
        entry = _entry(file, line, code, (text[11:91], text[91:119]), days, refers)
        found.setdefault(code, []).append((line, entry))
    return _once(file, found)


FAMILY = Family(
    name="HCPCS Level II",
    files=("hcpcs", "hcpcs-rows"),
    table="drug_evidence",
    recognises=recognises,
    read=read,
    page="cms.gov, 'HCPCS Quarterly Update': the ZIP of the alpha-numeric file",
    closes=True,
    alike=("added", "ingredient"),
    has_days=True,
    named=r"anweb|alpha-?numeric",
)
