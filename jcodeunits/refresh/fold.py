"""The refresh: a reference so far, and any published files, give the next reference.

What every edition says is kept as rows (`statements.py`), and every table is derived from them and from the tables
reviewed by hand. So the order of files does not matter, a file that was read changes nothing when it comes again,
and an older quarter goes to its place. All tables are written or none, into a folder that is never the package's.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import attrs

from jcodeunits import tables
from jcodeunits.errors import TableError
from jcodeunits.facts.drug_rows import FOUND, Brand, Drug, Salt, Successor, Uncoded
from jcodeunits.facts.folder import MANIFEST, folder_of, is_left_over, locked, write_folder
from jcodeunits.facts.policy import PTP_PARTS
from jcodeunits.facts.policy_rows import Edit
from jcodeunits.facts.product_rows import Container, Marketing, ProductReview
from jcodeunits.facts.reference import Reference, table_classes
from jcodeunits.facts.store import Store

from . import (
    asp,
    beside,
    crosswalk,
    drugs,
    evidence,
    marketed,
    named,
    outside,
    policy_tables,
    products,
    ptp,
    report,
    successors,
)
from .byhand import ByHand
from .dating import When, first_in
from .families import families_of, file_of, of_source
from .family import EVIDENCE, Asked, Edition, Family, FileReading, Row, facts, is_complete
from .files import Published, find, problem, untouched
from .findings import Lint
from .lint import Disagreement, dosage_lint, gaps
from .policy_tables import as_csv, rows_of, text_of
from .proving import Codes
from .report import RefreshReport
from .state import NOTHING, SOURCE_COLUMNS, FoldResult, State
from .statements import Kept, fuller

DERIVED = ("drugs", "successors", "products", "marketing", "limits", "statuses", "fees", "places")
_NO_KIND = "no kind of file that refresh reads"


def state_of(store: Store) -> State:
    """What a reference was folded from."""
    kept = {}
    for name in EVIDENCE:
        file = Path(store.whole(f"{name}.csv"))
        kept[name] = Kept.load(name, file.read_text("utf-8")) if file.is_file() else Kept()
    rows = rows_of(Path(store.whole("sources.csv")).read_text("utf-8"))
    # An edition that a refresh read, not a document that a person cites.
    return State(kept, {row["id"]: row for row in rows if row["sha256"] and of_source(row["id"]) is not None})


def fold(
    base: State,
    edits: Iterable[str],
    paths: Iterable[Path],
    byhand: ByHand,
    asked: Asked,
    scratch: Path,
    derived: bool = True,
) -> FoldResult:
    """The next state and its tables. Raises `TableError`; nothing is written but files in `scratch`.

    `edits` are the lines of the table of pairs so far, `scratch` a folder for the next one; without `derived` no
    other table is made.
    """
    readings, left_out = read_all(find(paths), asked, byhand)
    if left_out and not readings:
        says = f"none of these files is one that refresh reads: {'; '.join(left_out[:5])}."
        raise untouched(says, problems=left_out)
    state = base
    new: list[FileReading] = []
    known: list[FileReading] = []
    undated: list[Edition] = []
    noticed: list[Lint] = []
    for family, reading in sorted(readings, key=lambda pair: (pair[1].edition.file, pair[1].edition.when)):
        folded = _with(state, family, reading, asked, noticed)
        (new if folded is not state else known).append(reading)
        undated += [reading.edition] if folded is not state and family.closes and not family.has_days else []
        state = folded
    try:
        texts, lint = derive(state, byhand) if derived else ({}, [])
    except TableError:
        raise
    except (LookupError, ValueError, TypeError, ArithmeticError) as why:
        says = f"what the files say makes no tables ({type(why).__name__}: {str(why)[:120]})."
        raise untouched(says) from why
    made = scratch / "edits.csv"
    _write_edits(made, edits, [r for r in new if isinstance(r, ptp.EditReading)], state)
    found = [item for reading in new for item in reading.lint]
    found += [*noticed, *gaps(undated, state.days), *_again(new, state)]
    found += _compared(state, texts, new, byhand) if derived else []
    return FoldResult(
        state,
        texts,
        made,
        tuple(reading.edition for reading in new),
        tuple(reading.edition for reading in known),
        tuple(left_out),
        tuple(dict.fromkeys([*found, *lint])),
    )


def _compared(state: State, texts: Mapping[str, str], new: Sequence[FileReading], byhand: ByHand) -> list[Lint]:
    """What the new editions say beside the tables made: dosages that differ, successors that nobody has settled."""
    quarters = [reading for reading in new if reading.edition.file == "asp-xwalk"]
    if not quarters and not any(reading.edition.file == "hcpcs" for reading in new):
        return []
    made_of: Any = Drug
    rows = [made_of(*row.values()) for row in rows_of(texts["drugs"])]
    printed = {
        (said["code"], said.get("dosage", ""), reading.edition.id)
        for reading in quarters
        for said in (facts(told) for _, told in reading.statements)
    }
    settled = byhand.store.rows(Disagreement)
    known = {row["code"] for row in rows_of(texts["successors"])}
    salts = frozenset(row.word for row in byhand.store.rows(Salt))
    followed = successors.candidates(state.kept["evidence"], state.days, rows, salts)
    return [*dosage_lint(printed, state.days, rows, settled), *successors.successor_lint(followed, known)]


def read_all(
    files: Iterable[Published], asked: Asked, byhand: ByHand
) -> tuple[list[tuple[Family, FileReading]], list[str]]:
    """What all files say, each edition once, and which files were left out, with the reason."""
    readings: dict[str, Found] = {}
    left_out = []
    for file in files:
        found = families_of(file)
        if not found:
            left_out.append(f"{file.name}: {file.why_none or _NO_KIND}")
            continue
        taken = {one for one, _ in found}
        left_out += [f"{one.name}: {_NO_KIND}" for one in file.tables() if one not in taken]
        for one, family in found:
            left_out += _take(readings, one, family, asked, byhand)
    return [(family, reading) for family, reading, _ in readings.values()], left_out


Found = tuple[Family, FileReading, Published]


def _take(readings: dict[str, Found], file: Published, family: Family, asked: Asked, byhand: ByHand) -> list[str]:
    """Put what a table says among the readings; which of its rows were left out, with the reason."""
    if family.leaves:
        return [f"{file.name}: {family.leaves}"]
    found = _read(family, file, asked, byhand)
    if not any(reading.says_something for reading in found):
        return [f"{file.name}: nothing in it concerns our codes"]
    left_out = []
    for reading in found:
        made = family, reading, attrs.evolve(file)
        before = readings.setdefault(reading.edition.id, made)
        _, known, other = before
        if before is made:
            continue
        if known.digest == reading.digest:
            if fuller(known.statements, reading.statements) != known.statements:
                readings[reading.edition.id] = made
        elif other.path == file.path:
            # Of members and sheets that look alike the one that holds more is the table, the other an excerpt of it.
            longer = len(reading.statements) > len(known.statements)
            if longer:
                readings[reading.edition.id] = made
            less, more = (other, file) if longer else (file, other)
            left_out.append(f"{less.name}: it looks like {more.name} and holds less, or differs")
        else:
            says = f"it and {other.name} are both {reading.edition.title}, and differ: keep one of them."
            raise problem(file.name, says)
    return left_out


def _read(family: Family, file: Published, asked: Asked, byhand: ByHand) -> list[FileReading]:
    try:
        found = list(family.read(file, asked, byhand))
    except TableError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, OSError, EOFError) as why:
        says = f"it cannot be read as {family.name} ({type(why).__name__}: {str(why)[:80]})."
        raise problem(file.name, says) from why
    return [
        attrs.evolve(reading, is_ended=file.is_ended, lint=(*reading.lint, *_doubts(file, reading, asked)))
        for reading in found
    ]


def _doubts(file: Published, reading: FileReading, asked: Asked) -> Iterator[Lint]:
    """What makes a person look at a file again: a last line without an end, a name that says another quarter."""
    if not file.is_ended:
        says = "its last line has no end, so it may be cut off: compare it with the publisher's."
        yield Lint("file", file.name, says)
    when = reading.edition.when
    named = first_in(file.names)
    if named is not None and asked.edition is None and "q" in when.name and named.name != when.name[:6]:
        says = f"its name says {named.words}, what stands in it {when.words}, which holds: is it the right file?"
        yield Lint("file", file.name, says)


def _again(new: Iterable[FileReading], state: State) -> Iterator[Lint]:
    """New quarters that say, row by row, what another quarter says: one of the two is the other under a wrong name."""
    for reading in new:
        edition = reading.edition
        alike = [
            row["title"]
            for key, row in sorted(state.sources.items())
            if row["sha256"] == reading.digest and key != edition.id and file_of(key) == edition.file
        ]
        if alike and "q" in edition.when.name:
            says = f"it says the same as {alike[-1]}, row by row: is it that file under another name?"
            yield Lint("file", edition.title, says)


def _with(state: State, family: Family, reading: FileReading, asked: Asked, noticed: list[Lint]) -> State:
    """The state with one more edition, the same state where it holds it; and what was noticed. Raises `TableError`."""
    edition = reading.edition
    before = state.sources.get(edition.id)
    if before is not None:
        if before["sha256"] == reading.digest:
            return _fuller_state(state, family, reading)
        state = _without(state, family, reading, asked)
    kept = dict(state.kept)
    if family.table:
        noticed += beside.check(state, family, reading, asked)
        name = edition.when.name
        kept[family.table] = kept[family.table].with_edition(edition.file, name, reading.statements)
    return State(kept, {**state.sources, edition.id: _source(edition, reading.digest)})


def _without(state: State, family: Family, reading: FileReading, asked: Asked) -> State:
    """The state without an edition, for which another file was published. Raises `TableError` unless it is said so."""
    edition = reading.edition
    if family.table and asked.corrected:
        kept = state.kept[family.table].without(edition.file, edition.when.name)
        sources = {key: row for key, row in state.sources.items() if key != edition.id}
        return State({**state.kept, family.table: kept}, sources)
    way = (
        "say --corrected, and it takes the place of that one."
        if family.table
        else "make the folder anew from all its files: `jcodeunits refresh PATH... --into NEW_FOLDER --anew`."
    )
    says = f"{edition.title} was read before with other content. If this is the right one, {way}"
    raise untouched(says, edition.id)


def _fuller_state(state: State, family: Family, reading: FileReading) -> State:
    """The state where a twin of an edition that it holds says more, such as references that a text file lacks."""
    if not family.table:
        return state
    edition, table = reading.edition, state.kept[family.table]
    known = table.of(edition.file, edition.when.name)
    if fuller(known, reading.statements) == known:
        return state
    made = table.without(edition.file, edition.when.name)
    kept = made.with_edition(edition.file, edition.when.name, reading.statements)
    return attrs.evolve(state, kept={**state.kept, family.table: kept})


def _source(edition: Edition, digest: str) -> Row:
    """The row of an edition; what a person wrote about it stands in the package's table."""
    first, last = edition.when.first.isoformat(), edition.when.last
    made = {
        "id": edition.id,
        "title": edition.title,
        "publisher": edition.publisher,
        "kind": "primary" if is_complete(edition.file) else "secondary",
        "published": first,
        "first_day": first,
        "last_day": last.isoformat() if last else "",
        "note": "",
    }
    by_person = tables.sources().get(edition.id)
    if by_person is not None:
        made |= {name: tables.cell_text(getattr(by_person, name)) for name in ("title", "publisher", "kind", "note")}
    return made | {"sha256": digest}


def derive(state: State, byhand: ByHand) -> tuple[dict[str, str], list[Lint]]:
    """The text of every table but the pairs: a pure function of the state and of what people decided."""
    kept, days = state.kept, state.days
    quarters = kept["evidence"].by_edition("asp-xwalk")
    printed = _dosages(quarters, kept["fee_evidence"])
    rows, lint = drugs.make(kept["drug_evidence"], printed, days, byhand)
    made_of: Any = Drug
    drug_rows = [made_of(*(row[name] for name in drugs.COLUMNS)) for row in rows]
    known = {row.code for row in drug_rows} | byhand.procedures | byhand.classes
    settled = [row for row in _shipped("successors") if row["evidence"] not in FOUND]
    by_people = {row["code"] for row in settled}
    salts = frozenset(row.word for row in byhand.store.rows(Salt))
    followed = successors.rows(kept["drug_evidence"], kept["evidence"], days, drug_rows, by_people, salts)
    product_rows, marketing, of_products = _products(state, quarters, drug_rows, byhand)
    texts = {
        "drugs": as_csv(drugs.COLUMNS, rows),
        "successors": as_csv(
            tables.header(Successor), sorted([*settled, *followed], key=lambda row: (row["code"], row["successor"]))
        ),
        "products": as_csv(products.COLUMNS, product_rows),
        "marketing": as_csv(tables.header(Marketing), marketing),
        "sources": as_csv(SOURCE_COLUMNS, [state.sources[key] for key in sorted(state.sources)]),
        **{name: table.text() for name, table in kept.items()},
    }
    names = {row["code"]: row["name"] for row in _shipped("places")}
    made = {
        "limits": policy_tables.limits(kept["limit_evidence"], days, known),
        "statuses": policy_tables.statuses(kept["status_evidence"], days, known),
        "fees": policy_tables.fees(kept["fee_evidence"], kept["status_evidence"], days, known, byhand.procedures),
        "places": policy_tables.places(kept["place_evidence"], days, names),
    }
    for name, cells in made.items():
        texts[name] = text_of(name, cells, [row for row in _shipped(name) if of_source(row["source"]) is None])
    for name in DERIVED:
        _check_rows(name, texts[name])
    of_places = [
        Lint("place", f"place {code}", "facility or office rate? No file says it: it has no row yet.")
        for code in policy_tables.unrated(kept["place_evidence"])
    ]
    return texts, [*lint, *of_products, *of_places, *_parts(state)]


def _parts(state: State) -> list[Lint]:
    """The parts of the newest edition of pairs that nobody loaded: their pairs are those of an older edition."""
    loaded: dict[str, list[str]] = {}
    for key in state.sources:
        edition, _, part = key.partition("-f")
        if part and key.startswith("ptp-"):
            loaded.setdefault(edition, []).append(part)
    newest = {edition.rpartition("-")[0]: edition for edition in sorted(loaded)}
    lint = []
    for edition in newest.values():
        lacking = [part for part in map(str, range(1, PTP_PARTS + 1)) if part not in loaded[edition]]
        if lacking and len(loaded[edition]) < PTP_PARTS:
            title = state.sources[f"{edition}-f{loaded[edition][0]}"]["title"]
            lint.append(Lint("parts", title, f"of four parts {', '.join(lacking)} are not loaded."))
    return lint


def _dosages(quarters: Mapping[str, list[tuple[str, str]]], priced: Kept) -> dict[str, dict[str, Counter[str]]]:
    """How often each source prints each dosage of each code."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for quarter, statements in quarters.items():
        counts = found.setdefault(f"asp-xwalk-{quarter}", {})
        for _, told in statements:
            said = facts(told)
            counts.setdefault(said["code"], Counter())[said.get("dosage", "")] += 1
    for quarter, statements in priced.by_edition("asp-limits").items():
        counts = found.setdefault(f"asp-limits-{quarter}", {})
        for code, told in statements:
            counts.setdefault(code, Counter())[facts(told).get("dosage", "")] += 1
    return found


def _products(
    state: State, quarters: Mapping[str, list[tuple[str, str]]], drug_rows: Sequence[Drug], byhand: ByHand
) -> tuple[list[Row], list[Row], list[Lint]]:
    """The rows of products.csv and marketing.csv: a pure function of the evidence and of the reviewed tables."""
    kept, days = state.kept["evidence"], state.days
    lives: dict[str, list[tuple[dt.date, dt.date | None]]] = {}
    for row in drug_rows:
        lives.setdefault(row.code, []).append((row.effective, row.ends))
    editions = [quarter_of(state, name, quarters[name]) for name in quarters]
    witnesses = {file: kept.newest(file, days) for file in _WITNESSES}
    told = evidence.of(witnesses)
    result = products.make(
        editions,
        {row.ndc: row for row in byhand.store.rows(ProductReview)},
        {row.product: row for row in byhand.store.rows(Container)},
        lives,
        dt.date.min,
        told,
        Codes.of(drug_rows),
    )
    newest = {file_of(key): (key, days[key]) for key in sorted(days, key=lambda key: (days[key], key))}
    conversion = newest.get("state-conversion", ("", dt.date.min))
    known, brands = {row["ndc"] for row in result.rows}, byhand.store.rows(Brand)
    more = outside.rows(known, told, drug_rows, brands, conversion, result.rows)
    ended = {row["ndc"]: row for row in more if row["ends"]}
    known |= {row["ndc"] for row in more} - ended.keys()
    names = named.Names.of(drug_rows, brands, byhand.store.rows(Uncoded), told.fda.values())
    more += named.with_ended(named.rows(known, told, names, newest), ended)
    every = sorted((*result.rows, *more), key=lambda row: (row["ndc"], row["effective"]))
    rows = [row | {"verified": days[row["source"]].isoformat()} for row in every]
    said = [says.partition(": ") for says in result.lint if not says.startswith("asp-xwalk-")]
    lint = [Lint("product", place, words) for place, _colon, words in said]
    lists = [newest[file] for file in ("nsde", "ndc-package") if file in newest]
    source, _ = max(lists, key=lambda one: (one[1], one[0]), default=("", None))
    marketing = marketed.rows(told.directory, {row["ndc"] for row in rows}, source, str(days.get(source, "")))
    return rows, marketing, lint


_WITNESSES = ("fda-ndc", "nadac", "va-fss", "state-conversion", "fda-recalls", "fda-shortages", *marketed.FILES)


def quarter_of(state: State, name: str, statements: Iterable[tuple[str, str]]) -> crosswalk.CrosswalkEdition:
    """One quarter's crosswalk, from what it says of each NDC."""
    source = state.sources[f"asp-xwalk-{name}"]
    first, last = (dt.date.fromisoformat(source[key]) for key in ("first_day", "last_day"))
    return crosswalk.edition(When(first, last, name), (asp.row_of(ndc, told) for ndc, told in statements))


def _shipped(name: str) -> list[Row]:
    """The rows of one of the package's tables."""
    return rows_of(Path(tables.folder(), f"{name}.csv").read_text("utf-8"))


def _check_rows(name: str, text: str) -> None:
    """Every row made must load; what does not is a file that we misread, and nothing is written."""
    row_class = table_classes()[name]
    try:
        for row in rows_of(text):
            row_class(*row.values())
    except (ValueError, TypeError) as why:
        says = f"{name}: a row made from the files does not load ({why})."
        raise untouched(says, name) from why


def _write_edits(file: Path, before: Iterable[str], readings: Sequence[ptp.EditReading], state: State) -> None:
    """The table of pairs, merged line by line into a file."""
    with Path(tables.folder(), "edits.csv").open(encoding="utf-8", newline="") as shipped:
        hand = [line for line in shipped if not line.startswith("column_1,") and ptp.by_hand(line)]
    known = (line for line in before if not ptp.by_hand(line))
    streams = [known, hand, *(reading.lines for reading in readings)]
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.write(",".join(tables.header(Edit)) + "\n")
        out.writelines(ptp.merged(streams, state.days))


def base_of(into: Path, reference: Reference) -> Reference:
    """What a refresh into a folder starts from: the folder itself where a refresh made it, else the reference."""
    if (into / MANIFEST).is_file():
        return Reference.load(into)
    if into.is_dir() and not all(is_left_over(path.name) for path in into.iterdir()):
        raise TableError(
            f"{into} is no folder that refresh made, and is not empty: name a new one.", file=str(into), problems=()
        )
    return reference


@contextmanager
def edit_lines(store: Store) -> Iterator[Iterator[str]]:
    """The lines of a reference's table of pairs, its header passed over."""
    with open(store.whole("edits.csv"), encoding="utf-8", newline="") as lines:
        next(lines, None)
        yield lines


def refresh(
    paths: Sequence[Path],
    into: Path,
    reference: Reference | None = None,
    *,
    asked: Asked = Asked(),  # noqa: B008 - an immutable value
    check: bool = False,
    anew: bool = False,
    compare: Reference | None = None,
    own: frozenset[str] = frozenset(),
) -> RefreshReport:
    """Fold published files into a folder; one that exists is the base, else `reference`.

    With `check` nothing is written; `compare` is another reference with which the result is compared in place of
    the base; `anew` forgets what was folded before; `own` are codes and NDCs that the report names first. Raises
    `TableError`; the folder is then as it was.

    The lock is the operating system's: two refreshes of one folder follow each other.
    """
    reference = Reference.of(reference)
    with nullcontext() if check else _writing(into):
        base = base_of(into, reference)
        byhand = ByHand(Reference(Store()).store)
        with tempfile.TemporaryDirectory(prefix="jcodeunits-") as name, edit_lines(base.store) as lines:
            start, edits = (NOTHING, ()) if anew else (state_of(base.store), lines)
            result = fold(start, edits, paths, byhand, asked, Path(name))
            made = folder_of(str(into), result.contents, result.edition)
            told = report.of(result, (compare or base).store, made.digests, own, byhand)
            if not check and (base.store.folder is None or base.store.folder.digests != made.digests):
                write_folder(into, result.contents, result.edition)
            return attrs.evolve(told, check=check)


@contextmanager
def _writing(into: Path) -> Iterator[None]:
    """A folder that is written to, by one process at a time. Raises `TableError` where it cannot be."""
    if into.resolve() == Path(tables.folder()).resolve():
        says = "The package's own tables are never written: name another folder."
        raise TableError(says, file=str(into), problems=())
    if into.exists() and not into.is_dir():
        raise TableError(f"{into} is no folder.", file=str(into), problems=())
    try:
        with locked(into):
            yield
    except OSError as why:
        says = f"{into} cannot be written: {why.strerror}."
        raise TableError(says, file=str(into), problems=()) from why
