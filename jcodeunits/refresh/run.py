"""The refresh: read a folder of files, make every table that comes from them, write all or none.

Each maker turns the inputs into the text of its tables; a table is written only after every maker has
succeeded and every row has loaded. The same inputs and the same tables before give the same bytes: a row that
did not change keeps the day on which it was verified.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs

from jcodeunits import tables
from jcodeunits.errors import TableError
from jcodeunits.facts.drug_rows import Drug, Salt, Successor
from jcodeunits.facts.policy_rows import Edit, Fee, Limit, Place, Status
from jcodeunits.facts.product_rows import Container, Product, ProductReview
from jcodeunits.facts.reference import Reference

from . import crosswalk, drugs, evidence, fda, lint, policy_tables, products, successors
from .inputs import NEXT_QUARTER, Inputs, Lint, read_inputs, sha256

Texts = dict[str, str]


@attrs.frozen
class Maker:
    """One kind of table: what it writes, when it can, and how.

    `make` gets the inputs and the texts made before it; it returns its own texts by table name, and the lint.
    `needs` says in words what is missing, or "" when all is there; without it the maker is left out, and the
    report says so.
    """

    name: str
    rows: Mapping[str, Any]
    make: Callable[[Inputs, Texts], tuple[Texts, list[Lint]]]
    needs: Callable[[Inputs], str] = lambda _inputs: ""


@attrs.frozen
class Report:
    """What a refresh read, wrote and noticed."""

    read: tuple[str, ...]
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    left_out: tuple[str, ...]
    changes: tuple[str, ...]
    lint: tuple[Lint, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "read": list(self.read),
            "written": list(self.written),
            "unchanged": list(self.unchanged),
            "left_out": list(self.left_out),
            "changes": list(self.changes),
            "lint": [attrs.asdict(item) for item in self.lint],
            "next": NEXT_QUARTER,
        }

    def text(self, limit: int = 12, width: int = 79) -> str:
        """The report for people, wrapped to `width`: what was read and written, then the lint by kind.

        At most `limit` lines of a kind are shown, and how many more there are.
        """
        said = [("read", ", ".join(self.read))]
        said.append(("written", ", ".join(self.written) or "nothing: every table is as it was"))
        said += [("unchanged", ", ".join(self.unchanged))] if self.unchanged else []
        said += [("left out", says) for says in self.left_out] + [("changes", says) for says in self.changes]
        lines = [_wrapped(f"{name:<11}{words}", width, " " * 11) for name, words in said]
        for kind, heading in KINDS.items():
            found = [item for item in self.lint if item.kind == kind]
            if found:
                lines += ["", f"{heading} ({len(found)})"]
                lines += [_wrapped(f"  {item}", width, "    ") for item in found[:limit]]
                lines += [f"  and {len(found) - limit} more"] if len(found) > limit else []
        return "\n".join([*lines, "", _wrapped(NEXT_QUARTER, width)])


def _wrapped(line: str, width: int, indent: str = "") -> str:
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


# The kinds of lint, in the order of the report.
KINDS = {
    "new": "Codes that appeared since the edition before",
    "ended": "Codes that ended",
    "reworded": "Codes that were reworded",
    "changed": "Codes whose billing unit changed",
    "vanished": "Codes that the newest edition lacks",
    "successor": "Ended codes that may have a successor",
    "outside": "Codes that read like drugs and are in no range",
    "words": "Descriptors with unknown words",
    "label": "Numbers without a label of ours",
    "dosage": "Dosages that disagree with the descriptor",
    "priced": "Codes that CMS prices and the catalog lacks on that day",
    "contradicts": "Crosswalk rows that contradict themselves",
    "ndc": "Ids that are no NDC",
    "product": "Products",
}


def refresh(
    inputs: Path, into: Path | None = None, *, on: dt.date, check: bool = False, reference: Reference | None = None
) -> Report:
    """Read the files below `inputs` and write the tables that come from them into `into`.

    `into` is the reference folder (the package's own by default); `on` the day that new rows are verified on;
    with `check` nothing is written. Raises `TableError` when a file cannot be used or a row made from it does
    not load; the tables are then as they were.
    """
    target = into if into is not None else Path(tables.folder())
    if not target.is_dir():
        raise TableError(f"{target} is no folder to write tables into.", file=str(target), problems=())
    read = read_inputs(Path(inputs), on, Reference.of(reference))
    made: Texts = {}
    found: list[Lint] = []
    left_out = [f"{path.name}: unzip it into the folder" for path in sorted(Path(inputs).rglob("*.zip"))]
    for maker in MAKERS:
        missing = maker.needs(read)
        if missing:
            left_out.append(f"{maker.name}: {missing}")
            continue
        texts, noticed = _made(maker, read, made)
        for name, content in texts.items():
            made[name] = _kept_days(content, _before(target, name), on)
            _check_rows(name, maker.rows[name], made[name])
        found += noticed
    found += _compared(read, made)
    made["sources"] = _sources(read, _before(target, "sources"))
    _check_sources(made)
    changes = [_difference(name, _before(target, name), content) for name, content in sorted(made.items())]
    written = _write(target, made) if not check else _differing(target, made)
    return Report(
        read=tuple(file.title for file in read.files()),
        written=tuple(written),
        unchanged=tuple(name for name in sorted(made) if name not in written),
        left_out=tuple(left_out),
        changes=tuple(says for says in changes if says),
        lint=tuple(found),
    )


def _made(maker: Maker, inputs: Inputs, made: Texts) -> tuple[Texts, list[Lint]]:
    """What a maker makes; whatever a strange file made it stumble over is a file that cannot be used."""
    try:
        return maker.make(inputs, made)
    except TableError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as why:
        says = f"{maker.name}: a file cannot be read as it was ({type(why).__name__}: {why})."
        raise TableError(f"{says} The tables are left as they were.", file=maker.name, problems=(says,)) from why


# ---- makers ---------------------------------------------------------------------------------------


def _make_drugs(inputs: Inputs, _made: Texts) -> tuple[Texts, list[Lint]]:
    rows, noticed = drugs.make(inputs)
    return {"drugs": as_csv(drugs.COLUMNS, rows)}, noticed


def _make_products(inputs: Inputs, made: Texts) -> tuple[Texts, list[Lint]]:
    listed = _fda_list(inputs)
    lives: dict[str, list[tuple[dt.date, dt.date | None]]] = {}
    codes = _loaded(Drug, made["drugs"])
    for row in codes:
        lives.setdefault(row.code, []).append((row.effective, row.ends))
    witnesses = evidence.read(_beside(inputs, "evidence"))
    result = products.make(
        [crosswalk.edition(quarter) for quarter in inputs.crosswalks],
        fda.read(cast(Path, listed)),
        {row.ndc: row for row in inputs.reference.store.rows(ProductReview)},
        {row.product: row for row in inputs.reference.store.rows(Container)},
        lives,
        inputs.on,
        witnesses,
        {row.code for row in codes if row.basis in ("up to", "band")},
    )
    # Lines that no NDC can be read from are counted by crosswalk_lint: here only the products.
    said = [says.partition(": ") for says in result.lint if not says.startswith("asp-xwalk-")]
    noticed = [Lint("product", place, words) for place, _colon, words in said]
    noticed += [
        Lint("product", f"{name}*", "no such file was found: what it proves is asked of the caller")
        for name in witnesses.missing
    ]
    return {"products": as_csv(products.COLUMNS, result.rows)}, noticed


def _needs_products(inputs: Inputs) -> str:
    if not inputs.crosswalks:
        return "no crosswalk was found"
    return "" if _fda_list(inputs) else "the list of injectable NDCs was not found (fda/injectable_ndc_*.csv)"


def _fda_list(inputs: Inputs) -> Path | None:
    found = [path for place in _beside(inputs, "fda") for path in place.rglob("injectable_ndc*.csv")]
    return max(found, key=lambda path: path.name, default=None)


def _beside(inputs: Inputs, name: str) -> list[Path]:
    """Where files of other publishers lie: in the folder itself or in one beside it."""
    return [place for place in (inputs.root, inputs.root.parent / name) if place.is_dir()]


def _make_policy(inputs: Inputs, made: Texts) -> tuple[Texts, list[Lint]]:
    codes = {row.code for row in _loaded(Drug, made["drugs"])}
    codes |= _own_codes("procedures") | _own_codes("classes")
    texts = policy_tables.make(inputs.root, Path(tables.folder()), codes, inputs.on.isoformat())
    return texts, []


def _own_codes(name: str) -> set[str]:
    """The codes of a table reviewed by hand."""
    with (Path(tables.folder()) / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return {row["code"] for row in csv.DictReader(lines)}


def _needs_policy(inputs: Inputs) -> str:
    try:
        policy_tables.editions(inputs.root)
    except TableError as why:
        return str(why)
    return ""


_POLICY: tuple[Any, ...] = (Place, Limit, Edit, Status, Fee)
MAKERS: tuple[Maker, ...] = (
    Maker("drug codes", {"drugs": Drug}, _make_drugs),
    Maker("products", {"products": Product}, _make_products, _needs_products),
    Maker("policy", {row.TABLE: row for row in _POLICY}, _make_policy, _needs_policy),
)


# ---- tables as text -------------------------------------------------------------------------------


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Rows as the text of a table: header, LF line ends, empty for what a row lacks."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _cells(content: str) -> tuple[list[str], list[list[str]]]:
    rows = list(csv.reader(io.StringIO(content, newline="")))
    return (rows[0], rows[1:]) if rows else ([], [])


def _kept_days(content: str, before: str, on: dt.date) -> str:
    """The text with the day of verification: that of the same row before, else this day."""
    header, rows = _cells(content)
    if "verified" not in header:
        return content
    at = header.index("verified")
    known = {}
    old_header, old_rows = _cells(before)
    if old_header == header:
        known = {(*row[:at], *row[at + 1 :]): row[at] for row in old_rows if len(row) == len(header)}
    for row in rows:
        row[at] = known.get((*row[:at], *row[at + 1 :]), on.isoformat())
    return as_csv(header, [dict(zip(header, row, strict=True)) for row in rows])


def _loaded(row_class: Any, content: str) -> list[Any]:
    header, rows = _cells(content)
    names = tables.header(row_class)
    if header != names:
        raise TableError(f"{row_class.TABLE}: made with another header.", file=row_class.TABLE, problems=())
    return [row_class(*row) for row in rows]


def _check_rows(name: str, row_class: Any, content: str) -> None:
    """Every row made must load; what does not is a file that we misread, and nothing is written."""
    try:
        rows = _loaded(row_class, content)
    except (ValueError, TypeError) as why:
        raise TableError(
            f"{name}: a row made from the files does not load ({why}). The tables are left as they were.",
            file=name,
            problems=(str(why),),
        ) from why
    if not rows:
        raise TableError(f"{name}: no row could be made. The tables are left as they were.", file=name, problems=())


def _before(target: Path, name: str) -> str:
    """The table as it is: in the target, else as shipped."""
    for place in (target, Path(tables.folder())):
        file = place / f"{name}.csv"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return ""


def _differing(target: Path, made: Texts) -> list[str]:
    def current(name: str) -> str | None:
        file = target / f"{name}.csv"
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return [name for name, content in sorted(made.items()) if current(name) != content]


def _write(target: Path, made: Texts) -> list[str]:
    """Write beside, then put all in place: a table is never half written."""
    names = _differing(target, made)
    staged = []
    try:
        for name in names:
            file = target / f".{name}.csv.new"
            file.write_text(made[name], encoding="utf-8", newline="\n")
            staged.append((file, target / f"{name}.csv"))
    except OSError as why:
        for file, _final in staged:
            file.unlink(missing_ok=True)
        says = f"{target} cannot be written: {why.strerror}."
        raise TableError(says, file=str(target), problems=()) from why
    for file, final in staged:
        os.replace(file, final)
    return names


def _difference(name: str, before: str, after: str) -> str:
    """How many rows a table gained and lost, or ""."""
    old, new = ({tuple(row) for row in _cells(content)[1]} for content in (before, after))
    gained, lost = len(new - old), len(old - new)
    return f"{name}.csv: {gained} rows new or changed, {lost} gone or changed" if gained or lost else ""


@attrs.frozen
class _File:
    """A file read, as sources.csv names it."""

    id: str
    title: str
    first_day: dt.date
    last_day: dt.date | None
    path: Path


_POLICY_TITLES = {
    "pos-": "Place-of-service code set",
    "mue-practitioner-": "MUE, practitioner",
    "mue-outpatient-": "MUE, outpatient hospital",
    "mue-rows-": "MUE, selected rows",
    "ptp-practitioner-": "PTP edits with the injection, practitioner",
    "ptp-outpatient-": "PTP edits with the injection, outpatient hospital",
    "opps-": "OPPS Addendum B",
}


def _files(inputs: Inputs) -> list[_File]:
    """Every file that the makers read."""
    found = [_File(f.id, f.title, f.first_day, f.last_day, f.path) for f in inputs.files()]
    if not _needs_policy(inputs):
        for family, pairs in policy_tables.editions(inputs.root).items():
            for path, edition in pairs if family in _POLICY_TITLES else ():
                title = f"{_POLICY_TITLES[family]}, {edition.source.removeprefix(family).upper()}"
                last = edition.last_day if edition.last_day < dt.date.max else None
                found.append(_File(edition.source, title, edition.first_day, last, path))
    listed = _fda_list(inputs)
    month = re.search(r"(\d{4})-(\d{2})", listed.name) if listed else None
    if listed and month:
        first = dt.date(int(month[1]), int(month[2]), 1)
        found.append(_File(f"fda-ndc-{month[0]}", f"Injectable NDCs, {month[0]}", first, None, listed))
    return found


def _sources(inputs: Inputs, before: str) -> str:
    """The sources table with a row for each file read; what a person wrote about a source stays."""
    header = tables.header(tables.Source)
    rows = {row[0]: dict(zip(header, row, strict=True)) for row in _cells(before)[1]}
    for file in _files(inputs):
        first, last = file.first_day.isoformat(), file.last_day.isoformat() if file.last_day else ""
        made = {
            "id": file.id,
            "title": file.title,
            "publisher": "CMS",
            "kind": "primary",
            "published": first,
            "first_day": first,
            "last_day": last,
            "note": "",
        }
        rows[file.id] = made | rows.get(file.id, {}) | {"sha256": sha256(file.path)}
    return as_csv(header, [rows[key] for key in sorted(rows)])


def _check_sources(made: Texts) -> None:
    """Every row made must name a source that stands in the sources table."""
    known = {row[0] for row in _cells(made["sources"])[1]}
    for name, content in made.items():
        header, rows = _cells(content)
        at = header.index("source") if "source" in header else None
        strangers = {row[at] for row in rows if row[at] not in known} if at is not None else set()
        if strangers:
            says = f"{name}: no file read is the source {', '.join(sorted(strangers))}."
            raise TableError(f"{says} The tables are left as they were.", file=name, problems=(says,))


def _compared(inputs: Inputs, made: Texts) -> list[Lint]:
    """Lint that compares files with one another and with the table just made."""
    rows, known = tuple(_loaded(Drug, made["drugs"])), inputs.reference.store.rows(Successor)
    settled = inputs.reference.store.rows(lint.Disagreement)
    salts = frozenset(row.word for row in inputs.reference.store.rows(Salt))
    followed = successors.candidates(inputs, rows, salts)
    return [
        *lint.edition_lint(inputs),
        *successors.successor_lint(followed, known),
        *lint.dosage_lint(inputs, rows, settled),
        *lint.crosswalk_lint(inputs),
    ]
