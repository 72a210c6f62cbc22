"""Questions to the dated tables that are not drugs.

Everything that a payer, a place or a code brings to a claim is a row; steps and rules only ask.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any, TypeVar, cast

import attrs

from ..dated import as_date
from ..errors import CodeError, EncounterError, TableError, quoted
from ..grouped import grouped
from ..tables import Source
from .policy_rows import (
    ANY,
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
    PayerWord,
    Place,
    PlaceRule,
    PolicyRow,
    Procedure,
    RouteCode,
    Status,
    plays,
)
from .store import Store

PTP_PARTS = 4  # in which CMS publishes the pairs of a quarter for one kind of claim
_BIOSIMILAR = re.compile(r"-[a-z]{4}$")  # the four letters that tell a biosimilar from its originator

R = TypeVar("R", bound=PolicyRow)
C = TypeVar("C", Edit, Limit, PayerOption, PlaceRule, RouteCode)
Q = TypeVar("Q", bound=Callable[..., Any])


def _kept(question: Q) -> Q:
    """A question whose answers are kept: a day's charges ask the same few codes again and again.

    It asks no other question, because the rows that answer are noted where a question is asked.
    """
    return cast(Q, lru_cache(maxsize=16384)(question))


def in_effect(rows: Iterable[R], on: object) -> R | None:
    """The row that answers on a date, among the dated rows of one key.

    A row in effect answers. Else, in a table made from editions, the first row that starts later, where its
    beginning is only the first edition read. A row that has ended never answers again, and one that began with a
    later edition does not answer before.
    """
    date = as_date(on)
    later: R | None = None
    for row in rows:
        if row.effective <= date and (row.ends is None or date <= row.ends):
            return row
        if row.effective > date and row.goes_back and (later is None or row.effective < later.effective):
            later = row
    return later


def reach(row: PolicyRow, on: object) -> str:
    """How far the data behind a row reaches, when the date lies outside; empty when it lies inside.

    >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
    >>> limit = policy.limit("96372", on="2030-01-01")
    >>> reach(limit, "2030-01-01")[:27]
    'the newest edition read is '
    """
    if not row.NEAREST:
        return ""
    date = as_date(on)
    if date < row.effective:
        return f"no edition older than {row.effective} was read"
    last = row.origin.last_day if row.origin is not None else None
    if row.origin is not None and last is not None and row.ends is None and date > last:
        return f"the newest edition read is {row.origin.title}, to {last}"
    return ""


@attrs.frozen(eq=False)
class Policy:
    """All dated tables that are not drugs: the shipped ones and, where a site added them, its own.

    Look-ups take the date of service `on` (ISO text or a date) and return rows, or None where no row answers.
    Nothing is read before it is asked for.
    """

    store: Store

    def rows(self, row_class: type[R]) -> tuple[R, ...]:
        """Every row of a table."""
        return self.store.rows(row_class)

    def place(self, code: str, on: object) -> Place | None:
        """The place-of-service code, or None where it is unassigned.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.place("24", on="2026-03-02").facility, policy.place("29", on="2026-03-02")
        (True, None)
        """
        return in_effect(self.store.starting(Place, code), on)

    def place_rule(self, code: str, on: object, payer: str, claim: str = "professional") -> PlaceRule | None:
        """What the payer makes of an injection there: the row of the place, else the one for all facilities.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.place_rule("50", "2026-03-02", "medicare").reason
        'clinic-rate'
        >>> policy.place_rule("11", "2026-03-02", "medicare") is None
        True
        """
        place = self.place(code, on)
        names = (code, "facility") if place is not None and place.facility else (code,)
        for name in names:
            for who in self.lineage(payer):
                found = _for_claim([r for r in self.store.starting(PlaceRule, who) if r.place == name], claim, on)
                if found is not None:
                    return found
        return None

    @_kept
    def procedure(self, code: str, on: object) -> Procedure | None:
        """What a visit, administration or other service code is, or None where no row knows it.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.procedure("99211", on="2026-03-02").role
        'visit-nurse'
        """
        return in_effect(self.ever(code), on)

    def ever(self, code: str) -> tuple[Procedure, ...]:
        """What a code of a service is or was: its own rows, else those of the ranges that hold it."""
        rows = self.store.starting(Procedure, code)
        ranges = self._ranges if not rows else ()
        return rows or tuple(r for r in ranges if r.code <= code <= r.through and len(code) == len(r.code))

    @cached_property
    def _ranges(self) -> tuple[Procedure, ...]:
        return tuple(row for row in self.rows(Procedure) if row.through)

    @_kept
    def procedures(self, on: object, *, kind: str = "", role: str = "") -> tuple[Procedure, ...]:
        """The codes in effect of a kind or role, in code order."""
        wanted, date = (role or kind).casefold(), as_date(on)
        return tuple(
            row
            for row in self.store.mentioning(Procedure, lambda line: wanted in line)
            if (not kind or row.kind == kind) and (not role or row.role == role) and row.period.holds(date)
        )

    def code_for(self, role: str, on: object, position: str = "") -> Procedure:
        """The one code of a role on a date; `position` where the role has several (`initial`, `additional`).

        Raises `CodeError` when no code, or more than one, plays that part.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.code_for("iv-push", on="2026-03-02", position="additional").code
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
        services: Iterable[str] = (),
    ) -> AdministrationRule:
        """The row that says what an administration is: the first of the decision table that fits.

        `route` and `purpose` in the encounter's words, `classes` the names of the drug's classes and its kind,
        `diagnoses` those of the drug (ICD-10-CM), `services` the roles of the other codes of the day. Raises
        `CodeError` when nothing fits.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.administration("SC", "therapeutic", ["antineoplastic-nonhormonal"], "2026-03-02").role
        'antineoplastic-nonhormonal'
        >>> policy.administration("IM", "diluent", [], "2026-03-02").outcome
        'none'
        """
        told = _indications(self, tuple(diagnoses), as_date(on))
        return _decide(self, route, purpose, frozenset(classes), as_date(on), payer, claim, told, frozenset(services))

    @_kept
    def classes(self, code: str, on: object) -> tuple[DrugClass, ...]:
        """The classes of a drug code on a date, by name; () where none is reviewed.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> [c.name for c in policy.classes("J9260", on="2026-03-02")]
        ['antineoplastic-nonhormonal']
        """
        return all_in_effect(self.store.starting(DrugClass, code), on)

    def route_codes(self, ingredient: str, route: str) -> tuple[RouteCode, ...]:
        """Every row, of whichever payer and day, that moves an ingredient by this route to another code."""
        return self._by_route.get((_BIOSIMILAR.sub("", ingredient), route), ())

    def route_code(
        self, ingredient: str, route: str, on: object, payer: str = ANY, claim: str = "professional"
    ) -> RouteCode | None:
        """What takes the place of a drug's code by this route; None where its own code stays.

        `route` in the encounter's words. Raises `EncounterError` for an unknown payer.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.route_code("bevacizumab-awwb", "intravitreal", "2026-03-02", "noridian").codes
        ('J7999',)
        >>> policy.route_code("bevacizumab", "IV infusion", "2026-03-02") is None
        True
        """
        rows = self.route_codes(ingredient, route)
        for who in self.lineage(payer) if rows else ():
            found = _for_claim([row for row in rows if row.payer == who], claim, on)
            if found is not None:
                return found
        return None

    @cached_property
    def _by_route(self) -> dict[tuple[str, str], tuple[RouteCode, ...]]:
        found: dict[tuple[str, str], tuple[RouteCode, ...]] = {}
        for row in self.rows(RouteCode):
            for route in row.routes:
                found[row.ingredient, route] = (*found.get((row.ingredient, route), ()), row)
        return found

    @_kept
    def modifier(self, code: str, on: object) -> Modifier | None:
        """The modifier in effect on a date, or None.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.modifier("JG", on="2024-12-31") is not None, policy.modifier("JG", on="2025-01-01")
        (True, None)
        """
        return in_effect(self.store.starting(Modifier, code), on)

    def ordered(self, codes: Iterable[str], on: object) -> tuple[str, ...]:
        """Modifiers in claim order: those that change payment first, then by code. Unknown ones last.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.ordered(["RT", "59", "25"], on="2026-03-02")
        ('25', '59', 'RT')
        """

        def rank(code: str) -> tuple[int, str]:
            row = self.modifier(code, on)
            return (row.rank if row else 999, code)

        return tuple(sorted(dict.fromkeys(codes), key=rank))

    @_kept
    def limit(self, code: str, on: object, claim: str = "professional") -> Limit | None:
        """The most units of a code on one day; None where no edition read has the code.

        A successor never inherits it.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> [policy.limit("96372", "2026-03-02", claim).units for claim in ("professional", "outpatient")]
        [4, 5]
        """
        return _for_claim(self.store.starting(Limit, code), claim, on)

    def has_room(self, code: str, on: object, claim: str) -> bool:
        """Whether the limit of a code leaves room for one unit of it, on this kind of claim."""
        limit = self.limit(code, on, claim)
        return limit is None or limit.units > 0

    @_kept
    def edit(self, one: str, other: str, on: object, claim: str = "professional") -> Edit | None:
        """The edit between two codes, in whichever direction it stands, or None.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.edit("99211", "96372", on="2026-03-02").indicator
        0
        """
        for first, second in ((one, other), (other, one)):
            found = _for_claim([row for row in self.store.starting(Edit, first) if row.column_2 == second], claim, on)
            if found is not None:
                return found
        return None

    def pairs_read(self, code: str, on: object, payer: str, claim: str = "professional") -> Source | None:
        """The newest edition from which every pair of a code was read; None where none was.

        The published parts of a quarter together hold the pairs of every code of ours; an excerpt those of the codes
        that the payer option `edits-read` names.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.pairs_read("96372", "2026-03-02", "medicare").id
        'ptp-practitioner-2024q3'
        """
        listed = code in self.option(payer, "edits-read", on, claim).values
        return _whole_edition(self, "outpatient" if claim == "outpatient" else "practitioner", listed)

    @cached_property
    def _options(self) -> dict[tuple[str, str], tuple[PayerOption, ...]]:
        return grouped(self.rows(PayerOption), lambda row: (row.payer, row.option))

    @cached_property
    def _lineages(self) -> dict[str, tuple[str, ...]]:
        follows = {payer: rows[-1].value for (payer, option), rows in self._options.items() if option == "follows"}
        return {payer: _line_of(payer, follows) for payer, _ in self._options}

    def payers(self) -> tuple[str, ...]:
        """The payers that have rows of their own.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> {"medicare", "medicaid", "commercial"} <= set(policy.payers())
        True
        """
        return tuple(sorted(payer for payer in self._lineages if payer != ANY))

    def lineage(self, payer: str) -> tuple[str, ...]:
        """The payer, those whose rows it follows, and `any`. Raises `EncounterError` with the nearest payer."""
        try:
            return self._lineages[payer]
        except KeyError:
            names, word = self.payers(), self.payer_word(payer)
            near = word.payer if word is not None else None
            say = f" Say {near}, or add rows of its own." if near else ""
            says = f"{quoted(payer)} has no rows.{say} Allowed: {', '.join(names)}, or add your own rows."
            told = {"path": "payer", "given": payer, "allowed": names, "says": says, "instead": near}
            raise EncounterError(f"payer: {says}", argument="payer", **told) from None

    def payer_word(self, name: str) -> PayerWord | None:
        """The longest word of the table in the name of a payer without rows, which says whose come nearest."""
        said = f" {' '.join(re.findall('[a-z0-9]+', name.casefold()))} "
        found = [row for row in self.rows(PayerWord) if f" {row.word} " in said]
        return max(found, key=lambda row: len(row.word)) if found else None

    @_kept
    def option(self, payer: str, name: str, on: object, claim: str = "professional") -> PayerOption:
        """What a payer does in one matter: its own row, else of the payer it follows, else the default.

        Raises `EncounterError` for an unknown payer, `CodeError` for an option without a row on that date.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.option("commercial", "ndc-several", on="2026-03-02").value
        'lines'
        """
        for who in self.lineage(payer):
            found = _for_claim(self._options.get((who, name), ()), claim, on)
            if found is not None:
                return found
        raise CodeError(f"payers.csv has no row for {name!r} of {payer!r} on {on}.", option=name, payer=payer, on=on)

    def options(self, payer: str, on: object, claim: str = "professional") -> tuple[PayerOption, ...]:
        """Every option of a payer that has a row on the date, by name; whom it follows is in `lineage`."""
        names = sorted({row.name for row in self.rows(OptionKind)} - {"follows"})
        return tuple(self.option(payer, name, on, claim) for name in names)

    def check_options(self) -> None:
        """Raise `TableError` where a payer's row names no known option or value."""
        kinds = {row.name: row.allowed for row in self.rows(OptionKind)}
        problems = []
        for row in self.rows(PayerOption):
            where = f"{row.payer}, {row.option}"
            if row.option not in kinds:
                import difflib  # only a site's slip needs it

                near = difflib.get_close_matches(row.option, kinds, 1)
                known = f"write {near[0]}" if near else f"known are {', '.join(sorted(kinds))}"
                problems.append(f"{where}: no such option; {known}")
                continue
            if not row.values and "text" not in kinds[row.option]:
                problems.append(f"{where}: it takes a value: {', '.join(kinds[row.option])}")
            problems.extend(
                f"{where}: {value!r} is none of {', '.join(kinds[row.option])}"
                for value in row.values
                if not self._fits(value, kinds[row.option])
            )
        if problems:
            raise TableError(
                "payers.csv does not load:\n  " + "\n  ".join(problems), file="payers.csv", problems=tuple(problems)
            )

    def _fits(self, value: str, allowed: tuple[str, ...]) -> bool:
        if value in allowed or "text" in allowed:
            return True
        if "number" in allowed and value.isascii() and value.isdigit() and len(value) <= 4:
            return True
        return "modifier" in allowed and bool(self.store.starting(Modifier, value))

    @_kept
    def status(self, code: str, on: object) -> Status | None:
        """The hospital outpatient status of a code, or None where no edition read has it.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> policy.status("96372", on="2026-04-01").status
        'Q1'
        """
        return in_effect(self.store.starting(Status, code), on)

    def separately_paid(self, code: str, on: object) -> bool | None:
        """Whether the hospital outpatient system pays a drug on its own; None where that is unknown."""
        row = self.status(code, on)
        if row is None:
            return None
        return row.status in self.option(ANY, "separately-paid-statuses", on).values

    def paid_as_supply(self, code: str, on: object) -> bool:
        """Whether a hospital edition read, of whichever day, pays the product as a supply.

        Such a product has no biologics license (section 351); that does not change from day to day.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> [policy.paid_as_supply(code, on="2026-03-02") for code in ("Q4101", "Q4112")]
        [True, False]
        """
        wanted = self.option(ANY, "supply-statuses", on).values
        return any(row.status in wanted for row in self.store.starting(Status, code))

    def fee(self, code: str, measure: str, on: object) -> Fee | None:
        """One figure of the fee tables, or None."""
        return in_effect((r for r in self.store.starting(Fee, code) if r.measure == measure), on)

    @_kept
    def diagnoses_of(self, code: str, on: object) -> tuple[Diagnosis, ...]:
        """The diagnoses known to go with a drug code, doubtful pairs included."""
        return tuple(row for row in _live(self, Diagnosis, as_date(on)) if row.code == code)

    @_kept
    def diagnosis(self, diagnosis: str, on: object) -> tuple[Diagnosis, ...]:
        """Every row of a diagnosis.

        >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
        >>> bool(policy.diagnosis("O36.0190", on="2026-03-02")[0].doubt)
        True
        """
        return all_in_effect(self.store.starting(Diagnosis, diagnosis), on)

    def denials(self, on: object) -> tuple[Denial, ...]:
        """The reasons for denial, in the usual order of their numbers."""
        return tuple(sorted(_live(self, Denial, as_date(on)), key=lambda row: row.number))

    def denial_of(self, rule: str, on: object, severity: str = "") -> Denial | None:
        """The reason for denial that a rule sees beforehand, with this severity where the row names one, or None."""
        seen = {rule, f"{rule}:{severity}"}
        return next((row for row in self.denials(on) if seen & {*row.rules}), None)

    def documentation(self, on: object) -> tuple[Element, ...]:
        """What the record of an injection holds."""
        return _live(self, Element, as_date(on))


def _line_of(payer: str, follows: dict[str, str]) -> tuple[str, ...]:
    line = [payer]
    while line[-1] in follows and follows[line[-1]] not in line:
        line.append(follows[line[-1]])
    return tuple(dict.fromkeys([*line, ANY]))


def _for_claim(rows: Sequence[C], claim: str, on: object) -> C | None:
    """The row that answers for a kind of claim: its own before that for any."""
    for wanted in (claim, ANY):
        found = in_effect([row for row in rows if row.claim == wanted], on)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=64)
def _whole_edition(policy: Policy, setting: str, listed: bool) -> Source | None:
    """The newest edition of edits of which all parts were read; an excerpt counts for a code that it lists."""
    whole: dict[str, list[Source]] = {}
    for source in policy.store.family(f"ptp-{setting}-"):
        edition, _, part = source.id.partition("-f")
        whole.setdefault(edition, []).append(source)
        if not part:
            whole[edition] = [source] * PTP_PARTS if listed else []
    read = [sources[0] for sources in whole.values() if len(sources) >= PTP_PARTS]
    return max(read, key=lambda source: (source.last_day or dt.date.min, source.id), default=None)


@lru_cache(maxsize=1024)
def _code_for(policy: Policy, role: str, on: dt.date, position: str) -> Procedure:
    found = [row for row in policy.procedures(on, role=role) if not position or row.position == position]
    if len(found) != 1:
        which = f"{role} ({position})" if position else role
        codes = ", ".join(row.code for row in found) or "none"
        raise CodeError(f"procedures.csv must have one code for {which} on {on}; it has {codes}.", role=role, on=on)
    return found[0]


def _indications(policy: Policy, diagnoses: tuple[str, ...], on: dt.date) -> frozenset[str]:
    """What the diagnoses are, as the decision table asks for it; asked each time, so that a site's row is noted."""
    asked = {"neoplasm": "neoplasm-prefixes", "injury": "injury-prefixes", "exposure": "exposure-prefixes"}
    begin = {name: policy.option(ANY, option, on).values for name, option in asked.items()}
    told = {name for name, prefixes in begin.items() if any(code.startswith(prefixes) for code in diagnoses)}
    return frozenset({ANY, *told, *(("other",) if diagnoses and "neoplasm" not in told else ())})


@lru_cache(maxsize=4096)
def _decide(
    policy: Policy,
    route: str,
    purpose: str,
    classes: frozenset[str],
    on: dt.date,
    payer: str,
    claim: str,
    indications: frozenset[str],
    services: frozenset[str],
) -> AdministrationRule:
    payers = policy.lineage(payer)
    for row in sorted(policy.rows(AdministrationRule), key=lambda row: row.id):
        fits = (
            row.purpose in (ANY, purpose)
            and (ANY in row.classes or not classes.isdisjoint(row.classes))
            and (route in row.routes or ANY in row.routes)
            and row.payer in payers
            and row.claim in (ANY, claim)
            and row.indication in indications
            and (not row.beside or any(plays(role, row.beside) for role in services))
            and row.period.holds(on)
        )
        if fits:
            return row
    raise CodeError(
        f"administration.csv has no row for {purpose} by {route} on {on}.", route=route, purpose=purpose, on=on
    )


@lru_cache(maxsize=1024)
def _live(policy: Policy, row_class: Any, on: dt.date) -> tuple[Any, ...]:
    return all_in_effect(policy.rows(row_class), on)


def all_in_effect(rows: Iterable[R], on: object) -> tuple[R, ...]:
    """The rows that answer on a date, one for each key."""
    by_key = grouped(rows, lambda row: tuple(getattr(row, name) for name in row.KEY))
    found = (in_effect(group, on) for group in by_key.values())
    return tuple(row for row in found if row is not None)
