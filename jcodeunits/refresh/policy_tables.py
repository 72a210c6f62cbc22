"""Makes the policy tables that come from CMS files: places, limits, edits, statuses and payment limits.

Rows reviewed by hand stand in the same tables, told apart by their source: a maker replaces the rows of its
own sources and keeps every other row as it is. CMS's sentences and procedure wording are dropped on the way.

An edition shows what was in force in one quarter. Editions that agree are bridged to one row that starts with
the oldest and stays open until a later complete edition changes or lacks it.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from jcodeunits.errors import TableError
from jcodeunits.facts.policy_rows import Edit, Fee, Limit, Place, Status
from jcodeunits.tables import header

OPEN = "9999-12-31"

_PER = {"1": "line", "2": "day-absolute", "3": "day"}
_EDIT_REASONS = {
    "Standards of medical/surgical practice": "standard-practice",
    "Misuse of Column Two code with Column One code": "column-two-misused",
    "Standard preparation/monitoring services for anesthesia": "anesthesia-preparation",
    "CPT Manual or CMS manual coding instruction": "coding-instruction",
    "Anesthesia service included in surgical procedure": "anesthesia-by-surgeon",
    "More extensive procedure": "more-extensive",
    "HCPCS/CPT procedure code definition": "code-definition",
}


@attrs.frozen
class Edition:
    """One published edition: the source's id, the days that it covers, and whether it lists every code."""

    source: str
    first_day: dt.date
    last_day: dt.date
    complete: bool = True


_PRICE = re.compile(r"\d+(\.\d+)?")

Cells = dict[str, str]
Run = tuple[tuple[str, ...], dt.date, dt.date | None, str]


def quarter(year: int, number: int) -> tuple[dt.date, dt.date]:
    """First and last day of a calendar quarter.

    >>> quarter(2024, 3)
    (datetime.date(2024, 7, 1), datetime.date(2024, 9, 30))
    """
    first = dt.date(year, 3 * number - 2, 1)
    after = dt.date(year + number // 4, 3 * number % 12 + 1, 1)
    return first, after - dt.timedelta(days=1)


def bridged(editions: Sequence[tuple[Edition, Mapping[str, tuple[str, ...]]]]) -> list[tuple[str, Run]]:
    """Values by key in several editions, as dated runs: (key, (values, effective, ends, source)).

    >>> first, last = (Edition("a", *quarter(2024, 1)), Edition("b", *quarter(2025, 4)))
    >>> runs = bridged([(first, {"X": ("N",), "Y": ("K",)}), (last, {"X": ("N",)})])
    >>> [(key, values, str(start), str(end), source) for key, (values, start, end, source) in runs]
    [('X', ('N',), '2024-01-01', 'None', 'b'), ('Y', ('K',), '2024-01-01', '2025-09-30', 'a')]
    """
    runs: list[tuple[str, Run]] = []
    for key in sorted({key for _, table in editions for key in table}):
        current: tuple[tuple[str, ...], dt.date, str] | None = None
        for edition, table in editions:
            values = table.get(key)
            if values is None and not edition.complete:
                continue
            if current is not None and values != current[0]:
                ends = edition.first_day - dt.timedelta(days=1)
                runs.append((key, (current[0], current[1], ends, current[2])))
                current = None
            if values is not None:
                start = current[1] if current is not None else edition.first_day
                current = (values, start, edition.source)
        if current is not None:
            runs.append((key, (current[0], current[1], None, current[2])))
    return runs


def read(file: Path) -> list[Cells]:
    """The rows of a reshaped CSV file by header name."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def places(file: Path, edition: Edition, names: Mapping[str, str]) -> list[Cells]:
    """Place-of-service rows: code, rate and a name of our own where `names` has one."""
    rows = []
    for row in read(file):
        rate = row["pos_type"].lower()
        if rate == "unassigned":
            continue
        name = names.get(row["pos_code"], row["pos_name"].replace("’", "'"))
        cells = {"code": row["pos_code"], "name": name, "rate": rate}
        rows.append(cells | _tail(edition.first_day, None, edition.source, f"place {row['pos_code']}"))
    return rows


def limits(files: Sequence[tuple[Path, Edition]], codes: Collection[str]) -> list[Cells]:
    """Unit limits of the codes named, over several editions, oldest first.

    A file for one kind of claim says so in its rows; a file of selected rows has both, and says nothing about
    the codes that it lacks. A code whose limits agree for both kinds of claim gets one row.
    """
    columns = {"professional": ("Practitioner", "practitioner_"), "outpatient": ("Outpatient Hospital", "hospital_")}
    by_claim = {}
    for claim, (service, prefix) in columns.items():
        tables = []
        for file, edition in files:
            rows = [row for row in read(file) if row["hcpcs_code"] in codes]
            if rows and "mue_service" in rows[0]:
                rows = [row for row in rows if row["mue_service"] == service]
                table = {row["hcpcs_code"]: _limit(row, "mue_", "units") for row in rows}
            else:
                table = {row["hcpcs_code"]: _limit(row, prefix) for row in rows}
            if table:
                tables.append((edition, table))
        by_claim[claim] = bridged(tables)
    return _merge_claims(by_claim, ("units", "per", "reason"), ("code",))


def _limit(row: Cells, prefix: str, units: str = "mue") -> tuple[str, ...]:
    return row[prefix + units], _PER[row[prefix + "mai"]], slug(row[prefix + "rationale"])


def edits(files: Mapping[str, tuple[Path, Edition]]) -> list[Cells]:
    """Procedure-to-procedure edits, from one file for each kind of claim.

    The files have lost the first day of each edit, so an edit is known from the first day of the edition;
    one that was deleted earlier, from the first day of the quarter it ended in. Indicator 9 (deleted on the
    day it began) is left out: such an edit was never in force.
    """
    by_claim = {
        claim: [_edit(row, edition) for row in read(file) if row["modifier_indicator"] != "9"]
        for claim, (file, edition) in files.items()
    }
    return _merge_claims(by_claim, ("indicator", "basis", "reason"), ("column_1", "column_2"))


def _edit(row: Cells, edition: Edition) -> tuple[str, Run]:
    reason = _EDIT_REASONS.get(row["rationale"], slug(row["rationale"]))
    values = (row["modifier_indicator"], "table", reason)
    key = f"{row['column_1']} {row['column_2']}"
    if row["deletion_date"] == OPEN:
        return key, (values, edition.first_day, None, edition.source)
    ends = dt.date.fromisoformat(row["deletion_date"])
    return key, (values, quarter(ends.year, (ends.month + 2) // 3)[0], ends, edition.source)


def statuses(files: Sequence[tuple[Path, Edition]], codes: Collection[str]) -> list[Cells]:
    """Hospital outpatient status of the codes named, over several editions."""
    tables = []
    for file, edition in files:
        table = {r["hcpcs"]: (r["status_indicator"],) for r in read(file) if r["hcpcs"] in codes}
        tables.append((edition, table))
    return [
        {"code": code, "status": values[0]} | _tail(starts, ends, source, f"code {code}")
        for code, (values, starts, ends, source) in bridged(tables)
    ]


def payment_limits(files: Sequence[tuple[Path, Edition]], codes: Collection[str]) -> list[Cells]:
    """Medicare's payment limit for one billing unit of the drug codes named, over several quarters."""
    tables = []
    for file, edition in files:
        lines = file.read_bytes().decode("cp1252").splitlines()
        start = next((at for at, line in enumerate(lines) if line.startswith("HCPCS Code,")), None)
        if start is None:
            says = f"{file.name} has no line that starts with 'HCPCS Code'."
            raise TableError(says, file=str(file), problems=())
        table = {r["HCPCS Code"].strip(): (r["Payment Limit"].strip(),) for r in csv.DictReader(lines[start:])}
        tables.append(
            (edition, {code: limit for code, limit in table.items() if code in codes and _PRICE.fullmatch(limit[0])})
        )
    return [
        {"code": code, "measure": "payment-limit", "amount": values[0]} | _tail(starts, ends, source, f"code {code}")
        for code, (values, starts, ends, source) in bridged(tables)
    ]


def slug(words: str) -> str:
    """A short id from a category label.

    >>> slug("Code Descriptor / CPT Instruction")
    'code-descriptor-cpt-instruction'
    """
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _merge_claims(
    by_claim: Mapping[str, Iterable[tuple[str, Run]]], names: Sequence[str], keys: Sequence[str]
) -> list[Cells]:
    # One row for both kinds of claim where values and days agree; its source is the practitioner file.
    seen: dict[tuple[Any, ...], dict[str, str]] = {}
    for claim, runs in by_claim.items():
        for key, (values, starts, ends, source) in runs:
            seen.setdefault((key, values, starts, ends), {})[claim] = source
    rows = []
    for (key, values, starts, ends), found in seen.items():
        claim = "any" if len(found) > 1 else next(iter(found))
        parts = key.split(" ")
        place = " and ".join(parts) + (", both claim types" if claim == "any" else "")
        source = found.get("professional") or found["outpatient"]
        cells = dict(zip(keys, parts, strict=True)) | {"claim": claim} | dict(zip(names, values, strict=True))
        rows.append(cells | _tail(starts, ends, source, place))
    return rows


def _tail(starts: dt.date, ends: dt.date | None, source: str, cite: str) -> Cells:
    return {
        "effective": starts.isoformat(),
        "ends": ends.isoformat() if ends else "",
        "source": source,
        "cite": cite,
        "confidence": "high",
    }


def merged(row_class: Any, made: Iterable[Cells], kept: Path, families: Collection[str], verified: str) -> str:
    """The text of a table: the rows made, beside those of `kept` whose source is of none of the families.

    A row made loses to a kept row of the same key and first day: a reviewed row says more than the file.
    """
    names = header(row_class)

    def key(row: Cells) -> tuple[str, ...]:
        return tuple(row[name] for name in (*row_class.KEY, "effective"))

    known = read(kept) if kept.is_file() else []
    by_hand = [row for row in known if not row["source"].startswith(tuple(families))]
    taken = {key(row) for row in by_hand}
    rows = by_hand + [row | {"verified": verified} for row in made if key(row) not in taken]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    rows.sort(key=key)
    writer.writerows(rows)
    return out.getvalue()


_QUARTER = re.compile(r"(\d{4})Q([1-4])")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def edition_of(file: Path, family: str) -> Edition:
    """The edition that a file's name states: `2024Q3`, or a month such as `2024-06` (open-ended).

    A file of selected rows is not complete: what it lacks goes on.
    """
    complete = "selected" not in file.name
    match = _QUARTER.search(file.name)
    if match:
        year, number = int(match[1]), int(match[2])
        return Edition(f"{family}{year}q{number}", *quarter(year, number), complete)
    month = _MONTH.search(file.name)
    if month is None:
        raise TableError(f"{file.name} names neither a quarter nor a month.", file=str(file), problems=())
    first = dt.date(int(month[1]), int(month[2]), 1)
    return Edition(f"{family}{month[0]}", first, dt.date.max, complete)


def digest(file: Path) -> str:
    """SHA-256 of a file, as sources.csv keeps it."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


# Where the files of a folder of CMS downloads are, and the family of source ids that each makes.
_FILES = {
    "pos-": "pos/pos_*.csv",
    "mue-practitioner-": "mue/mue_practitioner_*.csv",
    "mue-outpatient-": "mue/mue_outpatient_*.csv",
    "mue-rows-": "mue/mue_*_selected_rows.csv",
    "ptp-practitioner-": "ptp/ptp_practitioner_*.csv",
    "ptp-outpatient-": "ptp/ptp_outpatient_*.csv",
    "opps-": "opps/status_*.csv",
    "asp-limits-": "payment_limits/payment_limits_*.csv",
}


def editions(cms: Path) -> dict[str, list[tuple[Path, Edition]]]:
    """The files of a folder by family of sources, oldest first; a family without a file is refused."""
    found = {}
    for family, pattern in _FILES.items():
        files = [(file, edition_of(file, family)) for file in cms.glob(pattern)]
        if not files:
            raise TableError(f"{cms} holds no {pattern}.", file=str(cms), problems=())
        found[family] = sorted(files, key=lambda pair: pair[1].first_day)
    return found


def make(cms: Path, reference: Path, codes: Collection[str], verified: str) -> dict[str, str]:
    """The text of the five tables from a folder of CMS files, by table name.

    `codes` are the drug and procedure codes that are kept; `verified` the ISO day of this reading. Of the
    edit files the newest is enough: they keep what was deleted.
    """
    files = editions(cms)
    known = reference / "places.csv"
    names = {row["code"]: row["name"] for row in read(known)} if known.is_file() else {}
    mue = [pair for family, pairs in files.items() if family.startswith("mue-") for pair in pairs]
    ptp = {"professional": files["ptp-practitioner-"][-1], "outpatient": files["ptp-outpatient-"][-1]}
    made: list[tuple[Any, str, list[Cells]]] = [
        (Place, "pos-", places(*files["pos-"][-1], names)),
        (Limit, "mue-", limits(sorted(mue, key=lambda pair: pair[1].first_day), codes)),
        (Edit, "ptp-", edits(ptp)),
        (Status, "opps-", statuses(files["opps-"], codes)),
        (Fee, "asp-limits-", payment_limits(files["asp-limits-"], codes)),
    ]
    return {
        str(row_class.TABLE): merged(row_class, rows, reference / f"{row_class.TABLE}.csv", (family,), verified)
        for row_class, family, rows in made
    }
