"""Derives the policy tables: places, limits, statuses, fees, from what every edition says.

Rows reviewed by hand stand in the same tables, told apart by their source: they are the package's, and stay. An
edition shows what was in force in one quarter. Editions that agree are bridged to one row that starts with the
oldest and stays open until a later complete edition changes or lacks it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs

from jcodeunits.dated import Period
from jcodeunits.facts.reference import table_classes
from jcodeunits.grouped import grouped
from jcodeunits.tables import header

from .dating import Days
from .family import Row, facts, is_complete
from .statements import Kept

Run = tuple[tuple[str, ...], dt.date, dt.date | None, str]
ReadAs = Callable[[tuple[str, ...], tuple[str, ...]], tuple[str, ...]]
_DAY = dt.timedelta(days=1)


@attrs.frozen
class EditionTable:
    """What one edition says of each key: the source's id, its first day, whether it lists every key."""

    source: str
    first_day: dt.date
    values: Mapping[str, tuple[str, ...]]
    complete: bool = True


def bridged(
    tables: Iterable[EditionTable],
    read_as: ReadAs = lambda values, _before: values,
    yearly: Callable[[tuple[str, ...], tuple[str, ...]], bool] = lambda _before, _after: False,
) -> list[tuple[str, Run]]:
    """Values by key in several editions, as dated runs: (key, (values, effective, ends, source)).

    Of two editions of one day the complete one counts alone. `read_as` gives the values of an edition in the
    light of those before it. `yearly` tells of the values before and after whether the change comes with the
    year: one that lies between editions of two years is then of 1 January.

    >>> first = EditionTable("a", dt.date(2024, 1, 1), {"X": ("N",), "Y": ("K",)})
    >>> last = EditionTable("b", dt.date(2025, 10, 1), {"X": ("N",)})
    >>> [(key, values, str(start), str(end), source) for key, (values, start, end, source) in bridged([last, first])]
    [('X', ('N',), '2024-01-01', 'None', 'b'), ('Y', ('K',), '2024-01-01', '2025-09-30', 'a')]
    """
    ordered = sorted(tables, key=lambda table: (table.first_day, table.complete, table.source))
    whole = {table.first_day for table in ordered if table.complete}
    ordered = [table for table in ordered if table.complete or table.first_day not in whole]
    runs: list[tuple[str, Run]] = []
    for key in sorted({key for table in ordered for key in table.values}):
        runs += [(key, run) for run in _runs(key, ordered, read_as, yearly)]
    return runs


def _runs(key: str, ordered: Sequence[EditionTable], read_as: ReadAs, yearly: Callable[..., bool]) -> list[Run]:
    runs: list[Run] = []
    current: tuple[tuple[str, ...], dt.date, str] | None = None
    seen = dt.date.min  # the edition before
    for table in ordered:
        values = table.values.get(key)
        if values is None and not table.complete:
            continue
        if current is not None and values is not None:
            values = read_as(values, current[0])
        begins, january = table.first_day, dt.date(table.first_day.year, 1, 1)
        if current is not None and values != current[0]:
            if values is not None and seen < january and yearly(current[0], values):
                begins = january
            if current[1] < begins:
                runs.append((current[0], current[1], begins - _DAY, current[2]))
            current = None
        seen = table.first_day
        if values is not None:
            current = (values, current[1] if current is not None else begins, table.source)
    if current is not None:
        runs.append((current[0], current[1], None, current[2]))
    return runs


def tables_of(kept: Kept, files: Iterable[str], days: Days, names: Sequence[str], **only: str) -> list[EditionTable]:
    """The editions of some files as tables of the named facts, of statements that say `only` this."""
    made = []
    for file in files:
        for edition, statements in kept.by_edition(file).items():
            values: dict[str, tuple[str, ...]] = {}
            for subject, told in statements:
                row = facts(told)
                if all(row.get(name) == value for name, value in only.items()) and any(row.get(n) for n in names):
                    values[subject] = tuple(row.get(name, "") for name in names)
            source = f"{file}-{edition}"
            made.append(EditionTable(source, days[source], values, is_complete(file)))
    return made


def limits(kept: Kept, days: Days, codes: Collection[str]) -> list[Row]:
    """Unit limits of the codes named. A code whose limits agree for both kinds of claim gets one row."""
    by_claim = {}
    for claim, file in (("professional", "mue-practitioner"), ("outpatient", "mue-outpatient")):
        files = (file, f"{file}-rows", "mue-rows")
        tables = tables_of(kept, files, days, ("units", "per", "reason"), claim=claim)
        # A limit whose reason an edition does not print keeps the reason that it had.
        runs = bridged(tables, lambda now, was: was if now[2] == "not-printed" and now[:2] == was[:2] else now)
        by_claim[claim] = [(key, run) for key, run in runs if key in codes]
    return _merge_claims(by_claim, ("units", "per", "reason"), days)


def _merge_claims(by_claim: Mapping[str, Iterable[tuple[str, Run]]], names: Sequence[str], days: Days) -> list[Row]:
    # One row for both kinds of claim where values and days agree: its source is the practitioner file, and it names the
    # hospital's beside it.
    seen: dict[tuple[Any, ...], dict[str, str]] = {}
    for claim, runs in by_claim.items():
        for code, (values, starts, ends, source) in runs:
            seen.setdefault((code, values, starts, ends), {})[claim] = source
    rows = []
    for (code, values, starts, ends), found in seen.items():
        claim = "any" if len(found) > 1 else next(iter(found))
        cite = f"{code}, and {found['outpatient']}" if claim == "any" else code
        source = found.get("professional") or found["outpatient"]
        cells = {"code": code, "claim": claim} | dict(zip(names, values, strict=True))
        rows.append(cells | _tail(starts, ends, source, cite, days))
    return rows


_OPPS = ("opps", "opps-rows")
_OF_DRUGS = frozenset({"G", "K", "K1"})  # what a quarter may bring to a drug


def statuses(kept: Kept, days: Days, codes: Collection[str]) -> list[Row]:
    """Hospital outpatient status of the codes named."""
    tables = tables_of(kept, _OPPS, days, ("status",))
    # Statuses change with the year's rule; only whether a drug is paid on its own may change with a quarter.
    runs = bridged(tables, yearly=lambda before, after: _OF_DRUGS.isdisjoint((*before, *after)))
    return [
        {"code": code, "status": values[0]} | _tail(starts, ends, source, f"code {code}", days)
        for code, (values, starts, ends, source) in runs
        if code in codes
    ]


def fees(priced: Kept, hospital: Kept, days: Days, codes: Collection[str], procedures: Collection[str]) -> list[Row]:
    """Payment limits of drugs, hospital rates and relative values of procedures, and the conversion factors."""
    limit = bridged(tables_of(priced, ("asp-limits", "asp-limits-rows"), days, ("limit",)))
    rate = bridged(tables_of(hospital, _OPPS, days, ("rate",)), yearly=lambda _before, _after: True)
    rows = [_fee(code, "payment-limit", run, days) for code, run in limit if code in codes and run[0][0]]
    rows += [_fee(code, "opps-rate", run, days) for code, run in rate if code in procedures and run[0][0]]
    for file, factor in (("rvu", "conversion-factor"), ("rvu-qp", "conversion-factor-qp")):
        for name, measure in (*_RVU, ("factor", factor)):
            runs = _by_year(tables_of(priced, (file,), days, (name,)))
            rows += [_fee(code, measure, run, days) for code, run in runs if code in procedures or code == "all"]
    return rows


_RVU = (("work", "work-rvu"), ("practice", "practice-rvu"), ("malpractice", "malpractice-rvu"), ("total", "total-rvu"))


def _by_year(tables: Iterable[EditionTable]) -> list[tuple[str, Run]]:
    """Relative values hold for a calendar year: its first release from January on, its last to December."""
    runs: list[tuple[str, Run]] = []
    for year, of_year in grouped(tables, lambda table: table.first_day.year).items():
        first, *more = sorted(of_year, key=lambda table: table.first_day)
        whole = [attrs.evolve(first, first_day=dt.date(year, 1, 1)), *more]
        for key, (values, starts, ends, source) in bridged(whole):
            runs.append((key, (values, starts, ends or dt.date(year, 12, 31), source)))
    return runs


def _fee(code: str, measure: str, run: Run, days: Days) -> Row:
    values, starts, ends, source = run
    cite = f"code {code}" if code != "all" else measure.replace("-", " ")
    return {"code": code, "measure": measure, "amount": values[0]} | _tail(starts, ends, source, cite, days)


def places(kept: Kept, days: Days, names: Mapping[str, str]) -> list[Row]:
    """Place-of-service rows: code, rate and a name of our own where `names` has one."""
    told = {subject: facts(says).get("name", "") for subject, says in kept.newest("pos", days)}
    kept = _rated(kept, days)
    return [
        {"code": code, "name": names.get(code) or told[code], "rate": values[0]}
        | _tail(starts, ends, source, f"place {code}", days)
        for code, (values, starts, ends, source) in bridged(tables_of(kept, ("pos",), days, ("rate",)))
    ]


def _rated(kept: Kept, days: Days) -> Kept:
    """What is said of places that have a rate: of editions that print none, the newest one printed for the place."""
    known: dict[str, tuple[str, str]] = {}
    for (subject, file, says), editions in kept.rows.items():
        rate = facts(says).get("rate", "")
        newest = max(str(days[f"{file}-{name}"]) for name in editions)
        if rate:
            known[subject] = max(known.get(subject, ("", "")), (newest, rate))
    rows: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for (subject, file, says), editions in kept.rows.items():
        if subject in known:
            key = (subject, file, says if "rate" in facts(says) else f"rate={known[subject][1]}|{says}")
            rows[key] = tuple(sorted({*rows.get(key, ()), *editions}))
    return Kept(rows)


def unrated(kept: Kept) -> list[str]:
    """The places for which no edition prints a rate."""
    told: dict[str, bool] = {}
    for subject, _, says in kept.rows:
        told[subject] = told.get(subject, False) or "rate" in facts(says)
    return sorted(subject for subject, rated in told.items() if not rated)


def _tail(starts: dt.date, ends: dt.date | None, source: str, cite: str, days: Days) -> Row:
    return {
        "effective": starts.isoformat(),
        "ends": ends.isoformat() if ends else "",
        "source": source,
        "cite": cite,
        "confidence": "high",
        "verified": days[source].isoformat(),
    }


# ---- beside the rows reviewed by hand -------------------------------------------------------------

# Of these measures the published figure is right and a typed one only fills in; else what a person says is.
_PUBLISHED_WINS = frozenset({"conversion-factor", "conversion-factor-qp", *(measure for _, measure in _RVU)})


def beside(row_class: Any, made: Iterable[Row], by_hand: Iterable[Row]) -> list[Row]:
    """The rows made and those by hand, sorted: where two of one key meet, one leaves the other its other days."""
    hand: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in by_hand:
        hand[_key(row_class, row)].append(row)
    rows = []
    for row in made:
        others = hand[_key(row_class, row)]
        if row.get("measure") in _PUBLISHED_WINS:
            hand[_key(row_class, row)] = [part for other in others for part in _without(other, row)]
            rows.append(row)
        else:
            parts = [row]
            for other in others:
                parts = [left for part in parts for left in _without(part, other)]
            rows += parts
    rows += [row for group in hand.values() for row in group]
    return sorted(rows, key=lambda row: (*_key(row_class, row), row["effective"]))


def _key(row_class: Any, row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in row_class.KEY)


def _without(row: Row, other: Row) -> list[Row]:
    """The parts of a row's days that the other row does not take."""
    left = _period(row).without(_period(other))
    return [row | {"effective": str(one.effective), "ends": str(one.ends or "")} for one in left]


def _period(row: Row) -> Period:
    return Period(dt.date.fromisoformat(row["effective"]), dt.date.fromisoformat(row["ends"]) if row["ends"] else None)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Rows as the text of a table: header, LF line ends, empty for what a row lacks."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def rows_of(text: str) -> list[Row]:
    """The rows of a table's text by column name."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def text_of(name: str, made: Iterable[Row], by_hand: Iterable[Row]) -> str:
    """The text of one of the tables."""
    row_class = table_classes()[name]
    return as_csv(header(row_class), beside(row_class, made, by_hand))
