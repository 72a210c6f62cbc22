"""The dated tables that are not drugs: places, procedures, payers, limits, edits, fees and their kin.

Everything that a payer, a place or a code brings to a claim is a row here; steps and rules only ask.

>>> policy = shipped()
>>> policy.place("11", on="2026-03-02").rate
'non-facility'
>>> policy.code_for("injection-sc-im", on="2026-03-02").label
'injection under the skin or into muscle'
>>> policy.option("medicare", "jz", on="2023-07-01").value
'required'
>>> policy.option("medicare", "jz", on="2022-12-31").value
'none'

Two kinds of period. Most rows have real ones: before `effective` and after `ends` they do not answer.
Tables made from editions (`NEAREST`) know only the editions read: before the first one the first
row answers, after the last one the open row answers, and `reach` says in words how far the data goes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import attrs

from . import tables
from .amount import decimal_text
from .cite import Citation
from .errors import CodeError, EncounterError, TableError, quoted
from .period import Period, as_date
from .tables import (
    choice,
    column,
    confidence,
    day,
    integer,
    number,
    optional,
    optional_day,
    optional_integer,
    text,
    words,
)

ANY = "any"

_claim = choice("any", "professional", "outpatient")
_severity = choice("", "note", "warn", "stop")
_BIOSIMILAR = re.compile(r"-[a-z]{4}$")  # the four letters that tell a biosimilar from its originator


class Row(Protocol):
    """What every row of a reference table carries."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    NEAREST: ClassVar[bool]

    @property
    def effective(self) -> dt.date: ...  # noqa: D102 - the column is described once, in reference/README.md
    @property
    def ends(self) -> dt.date | None: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def cite(self) -> str: ...  # noqa: D102
    @property
    def confidence(self) -> str: ...  # noqa: D102


R = TypeVar("R", bound=Row)


@attrs.frozen
class Place:
    """A place-of-service code: our short name and whether Medicare pays its facility rate there."""

    TABLE: ClassVar[str] = "places"
    KEY: ClassVar[tuple[str, ...]] = ("code",)
    NEAREST: ClassVar[bool] = True

    code: str = column(text)
    name: str = column(text)
    rate: str = column(choice("facility", "non-facility"))
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)

    @property
    def facility(self) -> bool:
        """Whether the facility rate applies."""
        return self.rate == "facility"


@attrs.frozen
class PlaceRule:
    """What a payer makes of an injection in a place.

    `place` is a code, or `facility` for every place paid at the facility rate.
    `outcome`: `bill`, or `withhold` the lines in `lines` (`administration`, `drug`).
    `severity` of the finding; empty = nothing to say.
    """

    TABLE: ClassVar[str] = "place_rules"
    KEY: ClassVar[tuple[str, ...]] = ("payer", "place", "claim")
    NEAREST: ClassVar[bool] = False

    payer: str = column(text)
    place: str = column(text)
    claim: str = column(_claim)
    outcome: str = column(choice("bill", "withhold"))
    lines: tuple[str, ...] = column(words)
    severity: str = column(_severity)
    reason: str = column(optional)
    says: str = column(optional)
    fix: str = column(optional)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Procedure:
    """A visit, administration or other service code, by the part it plays.

    `kind`: `visit`, `administration`, `procedure` (the injection is inside it), `product`, `service`.
    `role` is what the decision table asks for, `position` which of the role's codes this is (`single`,
    `initial`, `additional`, ...). `sites` are body sites that point to a joint's code.
    """

    TABLE: ClassVar[str] = "procedures"
    KEY: ClassVar[tuple[str, ...]] = ("code",)
    NEAREST: ClassVar[bool] = False

    code: str = column(text)
    kind: str = column(choice("visit", "administration", "procedure", "product", "service"))
    role: str = column(text)
    position: str = column(text)
    label: str = column(text)
    sites: tuple[str, ...] = column(words)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class DrugClass:
    """A class of one drug code, reviewed by hand; a code may have several."""

    TABLE: ClassVar[str] = "classes"
    KEY: ClassVar[tuple[str, ...]] = ("code", "name")
    NEAREST: ClassVar[bool] = False

    code: str = column(text)
    name: str = column(text)
    drug: str = column(text)
    note: str = column(optional)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class AdministrationRule:
    """One row of the decision table: purpose x class x route x payer -> what the administration is.

    Rows are read in the order of `id`; the first that fits answers. `any` fits everything. `indication`:
    `neoplasm` where a diagnosis of the drug is a neoplasm, `other` where diagnoses are given and none is.
    `outcome`: `bill` (the code of `role`), `procedure` (inside a service of `role` that the caller lists),
    `none` (nothing to bill), `ask` (no line until the question is answered).
    `drug`: whether the drug line is billed.
    `alternatives` are roles that the payer may want instead.
    """

    TABLE: ClassVar[str] = "administration"
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    NEAREST: ClassVar[bool] = False

    id: str = column(text)
    payer: str = column(text)
    claim: str = column(_claim)
    purpose: str = column(text)
    classes: tuple[str, ...] = column(words)
    routes: tuple[str, ...] = column(words)
    indication: str = column(choice("any", "neoplasm", "other"))
    outcome: str = column(choice("bill", "procedure", "none", "ask"))
    role: str = column(optional)
    alternatives: tuple[str, ...] = column(words)
    drug: str = column(choice("bill", "withhold"))
    severity: str = column(_severity)
    reason: str = column(text)
    says: str = column(optional)
    fix: str = column(optional)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Modifier:
    """A modifier: our label, the kinds of line it may stand on, its place among others, when it is for."""

    TABLE: ClassVar[str] = "modifiers"
    KEY: ClassVar[tuple[str, ...]] = ("code",)
    NEAREST: ClassVar[bool] = False

    code: str = column(text)
    label: str = column(text)
    lines: tuple[str, ...] = column(words)
    rank: int = column(integer)
    use: str = column(text)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Limit:
    """The most units of a code that are likely on one day (MUE).

    `per`: `line` (indicator 1), `day-absolute` (2: policy, never more), `day` (3: summed over the day's
    lines, more is reviewed against the record). `units` 0 = not billable there; `reason` is our short id of
    CMS's rationale.
    """

    TABLE: ClassVar[str] = "limits"
    KEY: ClassVar[tuple[str, ...]] = ("code", "claim")
    NEAREST: ClassVar[bool] = True

    code: str = column(text)
    claim: str = column(_claim)
    units: int = column(integer)
    per: str = column(choice("line", "day-absolute", "day"))
    reason: str = column(text)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Edit:
    """A pair of codes that is not paid together: `column_1` is paid, `column_2` is denied.

    `indicator` 0: no modifier ever helps; 1: a modifier does where the services are separate.
    `basis`: `table` (a row of the CMS edit table) or `manual` (the text of the policy manual).
    """

    TABLE: ClassVar[str] = "edits"
    KEY: ClassVar[tuple[str, ...]] = ("column_1", "column_2", "claim")
    NEAREST: ClassVar[bool] = True

    column_1: str = column(text)
    column_2: str = column(text)
    claim: str = column(_claim)
    indicator: int = column(integer)
    basis: str = column(choice("table", "manual"))
    reason: str = column(text)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class OptionKind:
    """What a payer option means, and the values it may have.

    `number`, `text` and `modifier` stand for any value of that kind.
    """

    TABLE: ClassVar[str] = "options"
    KEY: ClassVar[tuple[str, ...]] = ("name",)
    NEAREST: ClassVar[bool] = True

    name: str = column(text)
    allowed: tuple[str, ...] = column(words)
    meaning: str = column(text)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class PayerOption:
    """What one payer does in one matter. `values` are the parts of a value written with `|`."""

    TABLE: ClassVar[str] = "payers"
    KEY: ClassVar[tuple[str, ...]] = ("payer", "option", "claim")
    NEAREST: ClassVar[bool] = False

    payer: str = column(text)
    option: str = column(text)
    claim: str = column(_claim)
    values: tuple[str, ...] = column(words)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)

    @property
    def value(self) -> str:
        """The value where there is one; the first of several; empty where there is none."""
        return self.values[0] if self.values else ""


@attrs.frozen
class Fee:
    """One dated figure of what Medicare allows, in dollars or relative value units.

    `measure`: `work-rvu`, `practice-rvu`, `malpractice-rvu`, `total-rvu`, `conversion-factor`,
    `conversion-factor-qp`, `payment-limit` (dollars for one billing unit), `opps-rate`.
    """

    TABLE: ClassVar[str] = "fees"
    KEY: ClassVar[tuple[str, ...]] = ("code", "measure")
    NEAREST: ClassVar[bool] = True

    code: str = column(text)
    measure: str = column(
        choice(
            "work-rvu",
            "practice-rvu",
            "malpractice-rvu",
            "total-rvu",
            "conversion-factor",
            "conversion-factor-qp",
            "payment-limit",
            "opps-rate",
        )
    )
    amount: Fraction = column(number)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class RouteCode:
    """A drug that by some routes is not billed with the code of its name: what takes its place, by payer.

    `ingredient` means its biosimilars too. `codes`: one, which answers; several, among which the payer
    decides. `units`: how many of the code one administration is, where its descriptor names no amount.
    """

    TABLE: ClassVar[str] = "route_codes"
    KEY: ClassVar[tuple[str, ...]] = ("ingredient", "payer", "claim")
    NEAREST: ClassVar[bool] = False

    ingredient: str = column(text)
    payer: str = column(text)
    claim: str = column(_claim)
    routes: tuple[str, ...] = column(words)
    codes: tuple[str, ...] = column(words)
    units: int | None = column(optional_integer)
    says: str = column(text)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Status:
    """How the hospital outpatient system treats a code: its status indicator."""

    TABLE: ClassVar[str] = "statuses"
    KEY: ClassVar[tuple[str, ...]] = ("code",)
    NEAREST: ClassVar[bool] = True

    code: str = column(text)
    status: str = column(text)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Diagnosis:
    """A diagnosis often seen with a drug. `doubt` says what is wrong with the pair, `instead` what fits.

    `code` is a drug code, or `any` where the diagnosis itself is in doubt.
    """

    TABLE: ClassVar[str] = "diagnoses"
    KEY: ClassVar[tuple[str, ...]] = ("diagnosis", "code")
    NEAREST: ClassVar[bool] = True

    diagnosis: str = column(text)
    code: str = column(text)
    label: str = column(text)
    doubt: str = column(optional)
    instead: tuple[str, ...] = column(words)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Denial:
    """A reason for denial: the rules that see it beforehand and what to do once it has happened."""

    TABLE: ClassVar[str] = "denials"
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    NEAREST: ClassVar[bool] = True

    id: str = column(text)
    number: int = column(integer)
    title: str = column(text)
    rules: tuple[str, ...] = column(words)
    cause: str = column(text)
    fix: str = column(text)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


@attrs.frozen
class Element:
    """Something that the record of an injection holds.

    `needed`: `always`, `waste` (a container was not used up), `visit` (a visit is billed too), `vaccine`.
    """

    TABLE: ClassVar[str] = "documentation"
    KEY: ClassVar[tuple[str, ...]] = ("element",)
    NEAREST: ClassVar[bool] = True

    element: str = column(text)
    title: str = column(text)
    needed: str = column(choice("always", "waste", "visit", "vaccine"))
    severity: str = column(choice("note", "warn"))
    holds: str = column(text)
    weak: str = column(optional)
    effective: dt.date = column(day)
    ends: dt.date | None = column(optional_day)
    source: str = column(text)
    cite: str = column(text)
    confidence: str = column(confidence)
    verified: dt.date = column(day)


TABLES: tuple[type[Any], ...] = (
    AdministrationRule,
    Denial,
    Diagnosis,
    DrugClass,
    Edit,
    Element,
    Fee,
    Limit,
    Modifier,
    OptionKind,
    PayerOption,
    Place,
    PlaceRule,
    Procedure,
    RouteCode,
    Status,
)


@attrs.frozen
class Allowed:
    """What Medicare allows nationally for one unit of a line, in dollars: an estimate, partial by nature.

    `how` says what was multiplied. The figures are of the date.
    """

    amount: Fraction
    how: str
    citations: tuple[Citation, ...]


@attrs.frozen
class Hit:
    """One answer of a look-up: what kind of row, its key, a title, more about it, where it stands."""

    kind: str
    key: str
    title: str
    detail: str
    period: Period
    citation: Citation

    def as_dict(self) -> dict[str, str | None]:
        """Plain JSON types."""
        ends = self.period.ends
        return {
            "kind": self.kind,
            "key": self.key,
            "title": self.title,
            "detail": self.detail,
            "effective": self.period.effective.isoformat(),
            "ends": ends.isoformat() if ends else None,
            "citation": str(self.citation),
        }


def in_effect(rows: Iterable[R], on: object) -> R | None:
    """The row that answers on a date, among the dated rows of one key.

    A row in effect answers. Else, in a table made from editions, the first row that starts later: its
    beginning is only the first edition read. A row that has ended never answers again.
    """
    date = as_date(on)
    later: R | None = None
    for row in rows:
        if row.effective <= date and (row.ends is None or date <= row.ends):
            return row
        if row.NEAREST and row.effective > date and (later is None or row.effective < later.effective):
            later = row
    return later


def reach(row: Row, on: object) -> str:
    """How far the data behind a row reaches, when the date lies outside; empty when it lies inside.

    >>> limit = shipped().limit("96372", on="2030-01-01")
    >>> reach(limit, "2030-01-01")[:27]
    'the newest edition read is '
    """
    if not row.NEAREST:
        return ""
    date = as_date(on)
    if date < row.effective:
        return f"no edition older than {row.effective} was read"
    source = tables.sources().get(row.source)
    last = source.last_day if source is not None else None
    if source is not None and last is not None and row.ends is None and date > last:
        return f"the newest edition read is {source.title}, to {last}"
    return ""


def past(row: Row, on: object) -> str:
    """How far a figure of money goes, where the date lies outside; its edition's last day ends it too."""
    date, source = as_date(on), tables.sources().get(row.source)
    if date < row.effective:
        return f"no edition older than {row.effective} was read"
    last = source.last_day if source is not None else None
    if source is not None and last is not None and date > last:
        return f"the figure read last is of {source.title}, to {last}"
    return ""


@cache
def _shipped_of(row_class: Any, first: str) -> tuple[Any, ...]:
    return tables.rows_starting(row_class, first)


@attrs.frozen(eq=False)
class Policy:
    """All dated tables that are not drugs: the shipped ones and, where a site added them, its own.

    Look-ups take the date of service `on` (ISO text or a date) and return rows, or None where no row answers.
    Nothing is read before it is asked for.
    """

    extra: tuple[Any, ...] = ()

    # --- tables ------------------------------------------------------------------------------------

    @staticmethod
    def tables() -> dict[str, type[Any]]:
        """The row class of every table, by the table's name.

        >>> sorted(Policy.tables())[:3]
        ['administration', 'classes', 'denials']
        """
        return {row_class.TABLE: row_class for row_class in sorted(TABLES, key=lambda c: str(c.TABLE))}

    def rows(self, row_class: type[R]) -> tuple[R, ...]:
        """Every row of a table, shipped rows first."""
        return tables.load(row_class) + tuple(row for row in self.extra if isinstance(row, row_class))

    def _of(self, row_class: type[R], first: str) -> tuple[R, ...]:
        # The first column is the key's first field; large tables are searched, not loaded.
        found: tuple[R, ...] = _shipped_of(row_class, first)
        if self.extra:
            name = row_class.KEY[0]
            found += tuple(r for r in self.extra if isinstance(r, row_class) and getattr(r, name) == first)
        return found

    def extend(self, path: str | Path) -> Policy:
        """A policy with a site's own rows beside the shipped ones.

        `path` is a folder or one file, of the shape of the reference tables and named like them
        (`payers.csv`, `place_rules.csv`, ...). Raises `TableError` for a file that is no such
        table, and for a row whose key and period meet a shipped row: none is ever replaced in silence.
        """
        place = Path(path)
        files = sorted(place.glob("*.csv")) if place.is_dir() else [place]
        if not files:
            raise TableError(f"{place} holds no CSV file.", file=str(place), problems=())
        known = self.tables()
        added: list[Any] = []
        for file in files:
            if file.stem not in known:
                names = ", ".join(known)
                raise TableError(
                    f"{file.name} is no policy table. Name it after one of: {names}.",
                    file=str(file),
                    problems=(),
                )
            row_class: Any = known[file.stem]
            rows = tables.load(row_class, file)
            self._refuse_clashes(row_class, rows, file)
            added.extend(rows)
        longer = Policy(self.extra + tuple(added))
        longer._check_options()
        return longer

    def _refuse_clashes(self, row_class: type[Any], rows: Iterable[Any], file: Path) -> None:
        problems = []
        for row in rows:
            key = tuple(getattr(row, name) for name in row_class.KEY)
            for other in self._of(row_class, key[0]):
                same = key == tuple(getattr(other, name) for name in row_class.KEY)
                if same and Period(row.effective, row.ends).overlaps(Period(other.effective, other.ends)):
                    problems.append(
                        f"{'/'.join(key)} meets the row in effect {other.effective} ({other.source})"
                    )
        if problems:
            raise TableError(
                f"{file.name} would replace rows that are there: {'; '.join(problems)}. "
                "Use a payer of your own, or another period.",
                file=str(file),
                problems=tuple(problems),
            )

    # --- places ------------------------------------------------------------------------------------

    def place(self, code: str, on: object) -> Place | None:
        """The place-of-service code, or None where it is unassigned.

        >>> shipped().place("24", on="2026-03-02").facility, shipped().place("29", on="2026-03-02")
        (True, None)
        """
        return in_effect(self._of(Place, code), on)

    def place_rule(self, code: str, on: object, payer: str, claim: str = "professional") -> PlaceRule | None:
        """What the payer makes of an injection there: the row of the place, else the one for all facilities.

        >>> shipped().place_rule("50", "2026-03-02", "medicare").reason
        'clinic-rate'
        >>> shipped().place_rule("11", "2026-03-02", "medicare") is None
        True
        """
        place = self.place(code, on)
        names = (code, "facility") if place is not None and place.facility else (code,)
        for name in names:
            for who in self.lineage(payer):
                rows = (r for r in self._of(PlaceRule, who) if r.place == name and r.claim in (ANY, claim))
                found = in_effect(rows, on)
                if found is not None:
                    return found
        return None

    # --- procedures and administration ---------------------------------------------------------------

    def procedure(self, code: str, on: object) -> Procedure | None:
        """What a visit, administration or other service code is, or None where no row knows it.

        >>> shipped().procedure("99211", on="2026-03-02").role
        'visit-nurse'
        """
        return in_effect(self._of(Procedure, code), on)

    def procedures(self, on: object, *, kind: str = "", role: str = "") -> tuple[Procedure, ...]:
        """The codes in effect of a kind or role, in code order."""
        date = as_date(on)
        return tuple(
            row
            for row in self.rows(Procedure)
            if (not kind or row.kind == kind)
            and (not role or row.role == role)
            and Period(row.effective, row.ends).holds(date)
        )

    def code_for(self, role: str, on: object, position: str = "") -> Procedure:
        """The one code of a role on a date; `position` where the role has several (`initial`, `additional`).

        Raises `CodeError` when no code, or more than one, plays that part.

        >>> shipped().code_for("iv-push", on="2026-03-02", position="additional").code
        '96375'
        """
        return _code_for(self, role, as_date(on), position)

    def administration(
        self,
        route: str,
        purpose: str,
        classes: Iterable[str],
        on: object,
        *,
        payer: str = ANY,
        claim: str = "professional",
        diagnoses: Iterable[str] = (),
    ) -> AdministrationRule:
        """The row that says what an administration is: the first of the decision table that fits.

        `route` and `purpose` in the encounter's words, `classes` the names of the drug's classes, `diagnoses`
        those of the drug (ICD-10-CM). Raises `CodeError` when nothing fits.

        >>> policy = shipped()
        >>> policy.administration("SC", "therapeutic", ["antineoplastic-nonhormonal"], "2026-03-02").role
        'antineoplastic-nonhormonal'
        >>> policy.administration("IM", "diluent", [], "2026-03-02").outcome
        'none'
        """
        given = tuple(diagnoses)
        prefixes = self.option(ANY, "neoplasm-prefixes", on).values
        indication = "neoplasm" if any(d.startswith(prefixes) for d in given) else "other" if given else ANY
        return _decide(self, route, purpose, frozenset(classes), as_date(on), payer, claim, indication)

    # --- drug classes --------------------------------------------------------------------------------

    def classes(self, code: str, on: object) -> tuple[DrugClass, ...]:
        """The classes of a drug code on a date, by name; () where none is reviewed.

        >>> [c.name for c in shipped().classes("J9260", on="2026-03-02")]
        ['antineoplastic-nonhormonal']
        """
        by_name: dict[str, list[DrugClass]] = {}
        for row in self._of(DrugClass, code):
            by_name.setdefault(row.name, []).append(row)
        found = (in_effect(rows, on) for rows in by_name.values())
        return tuple(row for row in found if row is not None)

    # --- codes by route --------------------------------------------------------------------------------

    def route_codes(self, ingredient: str, route: str) -> tuple[RouteCode, ...]:
        """Every row, of whichever payer and day, that moves an ingredient by this route to another code."""
        return self._by_route.get((_BIOSIMILAR.sub("", ingredient), route), ())

    def route_code(
        self, ingredient: str, route: str, on: object, payer: str = ANY, claim: str = "professional"
    ) -> RouteCode | None:
        """What takes the place of a drug's code by this route; None where its own code stays.

        `route` in the encounter's words. Raises `EncounterError` for an unknown payer.

        >>> shipped().route_code("bevacizumab-awwb", "intravitreal", "2026-03-02", "noridian").codes
        ('J7999',)
        >>> shipped().route_code("bevacizumab", "IV infusion", "2026-03-02") is None
        True
        """
        rows = self.route_codes(ingredient, route)
        for who in self.lineage(payer) if rows else ():
            for wanted in (claim, ANY):
                found = in_effect((row for row in rows if (row.payer, row.claim) == (who, wanted)), on)
                if found is not None:
                    return found
        return None

    @cached_property
    def _by_route(self) -> dict[tuple[str, str], tuple[RouteCode, ...]]:
        grouped: dict[tuple[str, str], tuple[RouteCode, ...]] = {}
        for row in self.rows(RouteCode):
            for route in row.routes:
                grouped[row.ingredient, route] = (*grouped.get((row.ingredient, route), ()), row)
        return grouped

    # --- modifiers -----------------------------------------------------------------------------------

    def modifier(self, code: str, on: object) -> Modifier | None:
        """The modifier in effect on a date, or None.

        >>> policy = shipped()
        >>> policy.modifier("JG", on="2024-12-31") is not None, policy.modifier("JG", on="2025-01-01")
        (True, None)
        """
        return in_effect(self._of(Modifier, code), on)

    def ordered(self, codes: Iterable[str], on: object) -> tuple[str, ...]:
        """Modifiers in claim order: those that change payment first, then by code. Unknown ones last.

        >>> shipped().ordered(["RT", "59", "25"], on="2026-03-02")
        ('25', '59', 'RT')
        """

        def rank(code: str) -> tuple[int, str]:
            row = self.modifier(code, on)
            return (row.rank if row else 999, code)

        return tuple(sorted(dict.fromkeys(codes), key=rank))

    # --- limits and edits ------------------------------------------------------------------------------

    def limit(self, code: str, on: object, claim: str = "professional") -> Limit | None:
        """The most units of a code on one day; None where no edition read has the code.

        A successor never inherits it.

        >>> policy = shipped()
        >>> [policy.limit("96372", "2026-03-02", claim).units for claim in ("professional", "outpatient")]
        [4, 5]
        """
        return in_effect((r for r in self._of(Limit, code) if r.claim in (ANY, claim)), on)

    def edit(self, one: str, other: str, on: object, claim: str = "professional") -> Edit | None:
        """The edit between two codes, in whichever direction it stands, or None.

        >>> shipped().edit("99211", "96372", on="2026-03-02").indicator
        0
        """
        return _edit(self, one, other, as_date(on), claim)

    # --- payers --------------------------------------------------------------------------------------

    @cached_property
    def _options(self) -> dict[tuple[str, str], tuple[PayerOption, ...]]:
        grouped: dict[tuple[str, str], list[PayerOption]] = {}
        for row in self.rows(PayerOption):
            grouped.setdefault((row.payer, row.option), []).append(row)
        return {key: tuple(rows) for key, rows in grouped.items()}

    @cached_property
    def _lineages(self) -> dict[str, tuple[str, ...]]:
        follows = {
            payer: rows[-1].value for (payer, option), rows in self._options.items() if option == "follows"
        }
        return {payer: _line_of(payer, follows) for payer, _ in self._options}

    def payers(self) -> tuple[str, ...]:
        """The payers that have rows of their own.

        >>> {"medicare", "medicaid", "commercial"} <= set(shipped().payers())
        True
        """
        return tuple(sorted(payer for payer in self._lineages if payer != ANY))

    def lineage(self, payer: str) -> tuple[str, ...]:
        """The payer, the payers whose rows it follows where it has none of its own, and `any`.

        Raises `EncounterError` for a payer without rows.
        """
        try:
            return self._lineages[payer]
        except KeyError:
            names = self.payers()
            raise EncounterError(
                f"payer: {quoted(payer)} has no rows. Allowed: {', '.join(names)}, or add your own rows.",
                path="payer",
                given=payer,
                allowed=names,
            ) from None

    def option(self, payer: str, name: str, on: object, claim: str = "professional") -> PayerOption:
        """What a payer does in one matter: its own row, else of the payer it follows, else the default.

        Raises `EncounterError` for an unknown payer, `CodeError` for an option without a row on that date.

        >>> shipped().option("commercial", "ndc-several", on="2026-03-02").value
        'lines'
        """
        return _option(self, payer, name, as_date(on), claim)

    def options(self, payer: str, on: object, claim: str = "professional") -> tuple[PayerOption, ...]:
        """Every option of a payer that has a row on the date, by name; whom it follows is in `lineage`."""
        names = sorted({row.name for row in self.rows(OptionKind)} - {"follows"})
        return tuple(self.option(payer, name, on, claim) for name in names)

    def _check_options(self) -> None:
        kinds = {row.name: row.allowed for row in self.rows(OptionKind)}
        problems = []
        for row in self.rows(PayerOption):
            where = f"{row.payer}, {row.option}"
            if row.option not in kinds:
                problems.append(f"{where}: no such option; known are {', '.join(sorted(kinds))}")
                continue
            problems.extend(
                f"{where}: {value!r} is none of {', '.join(kinds[row.option])}"
                for value in row.values
                if not _fits(value, kinds[row.option])
            )
        if problems:
            raise TableError(
                "payers.csv does not load:\n  " + "\n  ".join(problems),
                file="payers.csv",
                problems=tuple(problems),
            )

    # --- money ---------------------------------------------------------------------------------------

    def status(self, code: str, on: object) -> Status | None:
        """The hospital outpatient status of a code, or None where no edition read has it.

        >>> shipped().status("96372", on="2026-04-01").status
        'Q1'
        """
        return in_effect(self._of(Status, code), on)

    def separately_paid(self, code: str, on: object) -> bool | None:
        """Whether the hospital outpatient system pays a drug on its own; None where that is unknown."""
        row = self.status(code, on)
        if row is None:
            return None
        return row.status in self.option(ANY, "separately-paid-statuses", on).values

    def paid_as_supply(self, code: str, on: object) -> bool:
        """Whether a hospital edition read, of whichever day, pays the product as a supply.

        Such a product has no biologics license (section 351); that does not change from day to day.

        >>> [shipped().paid_as_supply(code, on="2026-03-02") for code in ("Q4101", "Q4112")]
        [True, False]
        """
        wanted = self.option(ANY, "supply-statuses", on).values
        return any(row.status in wanted for row in self._of(Status, code))

    def fee(self, code: str, measure: str, on: object) -> Fee | None:
        """One figure of the fee tables, or None."""
        return in_effect((r for r in self._of(Fee, code) if r.measure == measure), on)

    def allowed(self, code: str, on: object, claim: str = "professional") -> Allowed | None:
        """What Medicare allows nationally for one unit of a code; None where no figure of the date is known.

        Professional claims: relative value units times the conversion factor (no locality adjustment); drugs:
        the payment limit of the quarter. Outpatient: the rate, and nothing for a drug that is packaged. A
        figure never answers past its edition's last day; `unpriced` says then how far it goes.

        >>> shipped().allowed("96372", on="2026-03-02").how
        '0.46 RVU x $33.4009'
        >>> shipped().allowed("J1885", on="2026-04-01") is None
        True
        """
        rows = self._figures(code, on, claim)
        if not rows or self.unpriced(code, on, claim):
            return None
        cites = tuple(map(tables.citation, rows))
        first, *further = rows
        if isinstance(first, Status):
            return Allowed(Fraction(0), "packaged into another service (status N)", cites)
        shown = decimal_text(first.amount)
        if further:
            factor = further[0].amount
            return Allowed(first.amount * factor, f"{shown} RVU x ${decimal_text(factor)}", cites)
        if first.measure == "opps-rate":
            return Allowed(first.amount, f"rate ${shown}", cites)
        return Allowed(first.amount, f"payment limit ${shown} for one billing unit", cites)

    def unpriced(self, code: str, on: object, claim: str = "professional") -> str:
        """How far the figures of a code go, where they do not reach the date; empty where they do.

        >>> shipped().unpriced("J1885", on="2026-04-01")
        'the figure read last is of Part B payment limits 2026 Q1, to 2026-03-31'
        """
        return next(filter(None, (past(row, on) for row in self._figures(code, on, claim))), "")

    def _figures(self, code: str, on: object, claim: str) -> tuple[Any, ...]:
        """The rows that make an amount, whether or not they reach the date; () where there are none."""
        status = self.status(code, on) if claim == "outpatient" else None
        if status is not None and status.status == "N":
            return (status,)
        limit = self.fee(code, "payment-limit", on)
        if limit is not None:
            return (limit,)
        if claim == "outpatient":
            rate = self.fee(code, "opps-rate", on)
            return () if rate is None else (rate,)
        total, factor = self.fee(code, "total-rvu", on), self.fee("all", "conversion-factor", on)
        return () if total is None or factor is None else (total, factor)

    # --- diagnoses, denials, documentation -------------------------------------------------------------

    def diagnoses_of(self, code: str, on: object) -> tuple[Diagnosis, ...]:
        """The diagnoses known to go with a drug code, doubtful pairs included."""
        return tuple(row for row in _live(self, Diagnosis, as_date(on)) if row.code == code)

    def diagnosis(self, diagnosis: str, on: object) -> tuple[Diagnosis, ...]:
        """Every row of a diagnosis.

        >>> bool(shipped().diagnosis("O36.0190", on="2026-03-02")[0].doubt)
        True
        """
        return _all_in_effect(self._of(Diagnosis, diagnosis), on)

    def denials(self, on: object) -> tuple[Denial, ...]:
        """The reasons for denial, in the usual order of their numbers."""
        return tuple(sorted(_live(self, Denial, as_date(on)), key=lambda row: row.number))

    def denial_of(self, rule: str, on: object) -> Denial | None:
        """The reason for denial that a rule sees beforehand, or None."""
        return next((row for row in self.denials(on) if rule in row.rules), None)

    def documentation(self, on: object) -> tuple[Element, ...]:
        """What the record of an injection holds."""
        return _live(self, Element, as_date(on))

    # --- look-up -------------------------------------------------------------------------------------

    def search(self, words: str, on: object) -> tuple[Hit, ...]:
        """What the tables say about a text: every row in which each word begins a word.

        Places, modifiers, codes, administration rules, drug classes, payer options, denials, documentation. A
        code adds its limits and fee, two codes the edit between them. What equals the text comes first, even
        where it is not in effect on the date, and then says so.

        >>> policy = shipped()
        >>> policy.search("urgent care", on="2026-03-02")[0].key
        '20'
        >>> policy.search("JG", on="2026-03-02")[0].detail[:16]
        'ended 2024-12-31'
        >>> [hit.title for hit in policy.search("99211 96372", on="2026-03-02") if hit.kind == "edit"][0]
        'professional claim: 96372 is paid, 99211 never beside it'
        """
        date = as_date(on)
        wanted = [_word(word) for word in words.casefold().split()]
        if not wanted:
            return ()
        hits = [hit for hit in _hits(self, date) if _holds(hit, wanted)]
        key = words.strip().casefold()
        hits.sort(key=lambda hit: hit.key.casefold() != key)
        codes = words.upper().split()
        return (*_out_of_effect(self, words.strip().upper(), date), *hits, *_code_hits(self, codes, date))


@cache
def shipped() -> Policy:
    """The policy of the shipped tables.

    >>> shipped() is shipped()
    True
    """
    policy = Policy()
    policy._check_options()
    return policy


def _line_of(payer: str, follows: dict[str, str]) -> tuple[str, ...]:
    line = [payer]
    while line[-1] in follows and follows[line[-1]] not in line:
        line.append(follows[line[-1]])
    return tuple(dict.fromkeys([*line, ANY]))


def _fits(value: str, allowed: tuple[str, ...]) -> bool:
    if value in allowed or "text" in allowed:
        return True
    if "number" in allowed and value.isascii() and value.isdigit():
        return True
    return "modifier" in allowed and len(value) == 2 and value.isascii() and value.isalnum()


@lru_cache(maxsize=4096)
def _option(policy: Policy, payer: str, name: str, on: dt.date, claim: str) -> PayerOption:
    for who in policy.lineage(payer):
        rows = policy._options.get((who, name), ())
        for wanted in (claim, ANY):
            found = in_effect((row for row in rows if row.claim == wanted), on)
            if found is not None:
                return found
    raise CodeError(
        f"payers.csv has no row for {name!r} of {payer!r} on {on}.", option=name, payer=payer, on=on
    )


@lru_cache(maxsize=16384)
def _edit(policy: Policy, one: str, other: str, on: dt.date, claim: str) -> Edit | None:
    for first, second in ((one, other), (other, one)):
        rows = (r for r in policy._of(Edit, first) if r.column_2 == second and r.claim in (ANY, claim))
        found = in_effect(rows, on)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=1024)
def _code_for(policy: Policy, role: str, on: dt.date, position: str) -> Procedure:
    found = [row for row in policy.procedures(on, role=role) if not position or row.position == position]
    if len(found) != 1:
        which = f"{role} ({position})" if position else role
        codes = ", ".join(row.code for row in found) or "none"
        raise CodeError(
            f"procedures.csv must have one code for {which} on {on}; it has {codes}.", role=role, on=on
        )
    return found[0]


@lru_cache(maxsize=4096)
def _decide(
    policy: Policy,
    route: str,
    purpose: str,
    classes: frozenset[str],
    on: dt.date,
    payer: str,
    claim: str,
    indication: str,
) -> AdministrationRule:
    payers = policy.lineage(payer)
    for row in sorted(policy.rows(AdministrationRule), key=lambda row: row.id):
        fits = (
            row.purpose in (ANY, purpose)
            and (ANY in row.classes or not classes.isdisjoint(row.classes))
            and (route in row.routes or ANY in row.routes)
            and row.payer in payers
            and row.claim in (ANY, claim)
            and row.indication in (ANY, indication)
            and Period(row.effective, row.ends).holds(on)
        )
        if fits:
            return row
    raise CodeError(
        f"administration.csv has no row for {purpose} by {route} on {on}.",
        route=route,
        purpose=purpose,
        on=on,
    )


@lru_cache(maxsize=1024)
def _live(policy: Policy, row_class: Any, on: dt.date) -> tuple[Any, ...]:
    return _all_in_effect(policy.rows(row_class), on)


def _all_in_effect(rows: Iterable[R], on: object) -> tuple[R, ...]:
    by_key: dict[tuple[Any, ...], list[R]] = {}
    for row in rows:
        by_key.setdefault(tuple(getattr(row, name) for name in row.KEY), []).append(row)
    found = (in_effect(group, on) for group in by_key.values())
    return tuple(row for row in found if row is not None)


def _holds(hit: Hit, wanted: list[re.Pattern[str]]) -> bool:
    # A note on a drug's class names procedure codes; whoever looks for such a code wants the code itself.
    detail = hit.detail.partition(":")[0] if hit.kind == "drug class" else hit.detail
    where = f"{hit.kind} {hit.key} {hit.title} {detail}".casefold()
    return all(word.search(where) for word in wanted)


def _word(text: str) -> re.Pattern[str]:
    """A word by its beginning; a number only whole, so that place 53 is not found in 20553."""
    return re.compile(rf"(?<![\w-]){re.escape(text)}" + (r"(?!\w)" if text.isdigit() else ""))


def _hit(kind: str, row: Any, key: str, title: str, detail: str) -> Hit:
    return Hit(kind, key, title, detail, Period(row.effective, row.ends), tables.citation(row))


def _where(place: str) -> str:
    return f"place {place}" if place.isdigit() else "a place of the facility kind"


def _hits(policy: Policy, on: dt.date) -> tuple[Hit, ...]:
    def rows(row_class: type[R]) -> tuple[R, ...]:
        return _all_in_effect(policy.rows(row_class), on)

    hits = [_hit("place", r, r.code, r.name, f"{r.rate} rate") for r in rows(Place)]
    hits += [
        _hit("place rule", r, r.place, f"{r.payer} payer: {_where(r.place)} {r.says}", r.fix)
        for r in rows(PlaceRule)
    ]
    hits += [
        _hit("modifier", r, r.code, r.label, f"on {', '.join(r.lines)} lines: {r.use}")
        for r in rows(Modifier)
    ]
    hits += [_hit(r.kind, r, r.code, r.label, f"{r.role} {r.position}") for r in rows(Procedure)]
    hits += [
        _hit(
            "administration rule",
            r,
            r.id,
            f"{r.purpose}, {'/'.join(r.classes)}, {'/'.join(r.routes)}",
            r.says,
        )
        for r in rows(AdministrationRule)
    ]
    hits += [
        _hit("drug class", r, r.code, r.drug, f"{r.name}: {r.note}".rstrip(": ")) for r in rows(DrugClass)
    ]
    hits += [
        _hit("payer option", r, f"{r.payer} {r.option}", ", ".join(r.values) or "none", "")
        for r in rows(PayerOption)
    ]
    hits += [_hit("option", r, r.name, r.meaning, ", ".join(r.allowed)) for r in rows(OptionKind)]
    hits += [_hit("diagnosis", r, r.diagnosis, f"{r.label}, with {r.code}", r.doubt) for r in rows(Diagnosis)]
    hits += [_hit("denial", r, r.id, r.title, f"{r.cause}; {r.fix}") for r in policy.denials(on)]
    hits += [_hit("documentation", r, r.element, r.title, r.holds) for r in policy.documentation(on)]
    return tuple(hits)


def _out_of_effect(policy: Policy, key: str, on: dt.date) -> Iterable[Hit]:
    for kind, row_class, name in (("modifier", Modifier, "label"), ("code", Procedure, "label")):
        rows = policy._of(row_class, key)
        if rows and in_effect(rows, on) is None:
            last = rows[-1]
            when = f"ended {last.ends}" if last.ends and last.ends < on else f"starts {last.effective}"
            yield _hit(kind, last, key, getattr(last, name), f"{when}: not in effect on {on}")


def _code_hits(policy: Policy, codes: list[str], on: dt.date) -> Iterable[Hit]:
    for claim in ("professional", "outpatient"):
        if len(codes) == 1:
            limit, money = policy.limit(codes[0], on, claim), policy.allowed(codes[0], on, claim)
            if limit is not None:
                detail = "; ".join(filter(None, (limit.reason, reach(limit, on))))
                yield _hit(
                    "limit", limit, codes[0], f"{claim} claim: {limit.units} units, {limit.per}", detail
                )
            if money is not None:
                title = f"{claim} claim: {money.how}"
                yield Hit("fee", codes[0], title, "", Period(on, on), money.citations[0])
            elif says := policy.unpriced(codes[0], on, claim):
                title, row = f"{claim} claim: no amount of the date is known", policy._figures(codes[0], on, claim)[0]
                yield Hit("fee", codes[0], title, says, Period(on, on), tables.citation(row))
        elif len(codes) == 2:
            edit = policy.edit(codes[0], codes[1], on, claim)
            if edit is not None:
                how = "never beside it" if edit.indicator == 0 else "with a modifier where separate"
                title = f"{claim} claim: {edit.column_1} is paid, {edit.column_2} {how}"
                yield _hit("edit", edit, f"{edit.column_1} {edit.column_2}", title, edit.reason)
