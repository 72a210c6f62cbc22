"""The parts of a drug line's recipe, each decided once by the steps that answer one call, and kept for all rows.

A row's line follows from three decisions. What was opened, in units of the code (`Coefficients`): coefficients. What
payer, place, route and claim make of drugs with these facts (`Judgment`): bill or withhold, modifiers, the rules
about discarded drug. And how the amounts compare (`vials.judge`). No key holds a drug's name or a dose; a
sentence takes the row's own code and name when it is printed.
"""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from .. import charging, units
from ..claim import Line
from ..coding.drug_facts import DrugFacts, lenient, waste_rules
from ..coding.drug_lines import DrugLines
from ..coding.opened import (
    CONTAINERS,
    PART,
    UNKNOWN,
    VOLUME,
    countable,
    counted_as,
    counts_whole,
    kind_of,
    look_up,
    measured_by,
    rated,
    weigh,
)
from ..dose import Dose
from ..encounter import Administration, Encounter, OpenedProduct
from ..errors import EncounterError, JcodeunitsError, quoted
from ..facts.by_route import a_route
from ..facts.code_uses import needed_modifiers
from ..facts.drug_rows import Drug
from ..facts.policy_rows import Limit, NeededModifier, Place
from ..facts.site_policy import replacing_rows
from ..quantity import NdcWanted
from ..rules.diagnosis_missing import diagnosis_missing
from ..rules.unit_limit import unit_limit
from ..tables import CLAIMS, USUAL_PAYER
from ..vials import ABOVE_FIX, COMPARISONS, Outcome, WasteRules, judge
from .cells import Cell, blank, reason_of
from .resolver import Resolver

DECIMALS = 6  # that a table holds of an NDC quantity
SAFE = 2**61  # figures below it can be added and doubled within 64 bits
_OWN = ("JW", "JZ")
# Where a sentence names the drug: its name and its code.
_NAME, _CODE = "\x01", "\x02"
# That nobody names a diagnosis is said of the claim; the limit depends on the units (`Parts.limit`).
_NOT_OF_A_KIND = (diagnosis_missing.id, unit_limit.id)
_NUMBER = "0" * 11  # stands for any NDC
_Decided = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]  # the first fields of a judgment
_Options = tuple[NdcWanted, str]  # its last ones but the day
_OF_ROW = 2 + 2 * len(CLAIMS)  # numbers that are known of a row on a stretch of days
_LEVELS = (UNKNOWN, VOLUME, PART, CONTAINERS)


@attrs.frozen
class Setting:
    """Where and for whom: place, payer and claim as the rules know them; `reason` where one of them is none.

    `said`: whether the row says any of them, so that it is asked what stands on a claim, and not of units alone.
    """

    place: str | None = None
    payer: str = USUAL_PAYER
    claim: str = "professional"
    said: bool = False
    reason: str = ""


@attrs.frozen
class Way:
    """How and when it was given, as the row says it: what the decision about the administration reads.

    `instead` is a route of the drug that stands where the row says none: only what holds by any route is then read.
    """

    route: str | None = None
    site: str | None = None
    start: str | None = None
    stop: str | None = None
    instead: str | None = None


@attrs.frozen
class Judgment:
    """What way, place, payer and claim make of the line of a drug with certain facts.

    `reason` why it is withheld, with places for the drug's name and code; `modifiers` besides JW and JZ; `findings`
    the ids that stand on the line, or withhold it, `beside` those that stand on a JW line beside it; `waste` what is
    asked about discarded drug; `wanted` how the payer wants the NDC counted, `ndc_waste` what stands on the JW line.
    """

    reason: str
    modifiers: tuple[str, ...]
    findings: tuple[str, ...]
    beside: tuple[str, ...]
    waste: WasteRules
    wanted: NdcWanted
    ndc_waste: str
    on: dt.date  # a day that stands for all on which this is so

    def says(self, drug: Drug) -> str:
        """Why a drug's line is withheld."""
        return self.reason.replace(_NAME, drug.name).replace(_CODE, drug.code)


@attrs.frozen(eq=False)
class Coefficients:
    """What was opened, as whole numbers over a common denominator: `size` is one billing unit of the code.

    A dose of k counts `given` * k, a container `each` (0: not known), a discard of d `thrown` * d (-1: it cannot be
    counted). `figures` name what the NDC quantity is, with and without a number of containers; `part`, `volume` and
    `per` are the quantities of one k and of one container in the payer's smallest step; `rated`: what is discarded
    can be counted too. `slow` sends the rows the
    one-call way. `kind`: a number for what its row says of the container.
    """

    slow: bool = True
    given: int = 0
    each: int = 0
    thrown: int = 0
    size: int = 1
    band: bool = False
    figures: tuple[int, int] = (0, 0)
    part: Fraction = Fraction(0)
    volume: Fraction = Fraction(0)
    per: Fraction = Fraction(0)
    ndc: str = ""
    qualifier: str = ""
    counted: bool = False
    rated: bool = False
    findings: tuple[str, ...] = ()
    kind: int = 0
    step: int = 1  # millionths in the payer's smallest step


class Parts:
    """Every part that was decided, for as long as a stream lasts."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver, self.reference = resolver, resolver.reference
        self.policy = resolver.reference.policy
        self._settings: dict[Any, Setting] = {}
        self._facts: dict[Any, DrugFacts] = {}
        self._known_facts: dict[DrugFacts, DrugFacts] = {}
        self._judgments: dict[Any, Judgment] = {}
        self._lines: dict[Any, _Decided] = {}
        self._options: dict[Any, tuple[_Options, bool]] = {}
        self.products: dict[Any, Coefficients] = {}
        self._kinds: list[Any] = [None]
        self._kind_of: dict[Any, int] = {}
        self._standings: dict[tuple[int, int], Any] = {}
        self.classes: list[tuple[Drug | None, dt.date]] = []
        self._class_of: dict[Any, int] = {}

    def setting(self, place: Any, payer: Any, claim: Any, on: dt.date) -> Setting:
        """Place, payer and claim as they are written; empty cells take the defaults."""
        key = (place, payer, claim, self.resolver.season(on))
        if key not in self._settings:
            try:
                self._settings[key] = self._setting(place, payer, claim, on)
            except JcodeunitsError as error:
                self._settings[key] = Setting(reason=reason_of(error, on))
        return self._settings[key]

    def _setting(self, place: Any, payer: Any, claim: Any, on: dt.date) -> Setting:
        who = USUAL_PAYER if blank(payer) else str(payer).strip().casefold()
        form = "professional" if blank(claim) else str(claim).strip().casefold()
        self.policy.lineage(who)
        if form not in CLAIMS:
            says = f"claim: {quoted(claim)} is not one of the known values. Allowed: {', '.join(CLAIMS)}."
            raise EncounterError(says, path="claim", given=claim, allowed=CLAIMS)
        if isinstance(place, float) and place.is_integer():
            place = int(place)
        where = None if blank(place) else str(place).strip().zfill(2)
        if where is not None:
            charging.check_place(where, on, self.policy)
        return Setting(where, who, form, not all(map(blank, (place, payer, claim))))

    def facts(self, drug: Drug, on: dt.date) -> DrugFacts:
        """What decides about a drug's lines on a day."""
        key = (drug.code, drug.effective, len(self.resolver.bounds), self.resolver.stretch(on))
        if key not in self._facts:
            facts = DrugFacts.of(drug, on, self.policy)
            self._facts[key] = self._known_facts.setdefault(facts, facts)
        return self._facts[key]

    def limit(self, code: str, on: dt.date, claim: str) -> Limit | None:
        """The most units of a code on a day, where there is a limit above none."""
        found = self.policy.limit(code, on, claim)
        return None if found is None or found.units == 0 else found

    def standings(self, rows: list[Drug | None], first: int, count: int, row: Any, stretch: Any) -> Any:
        """What is known of codes' rows on stretches of days before anything else is read, as lines of numbers.

        The number of its class in `classes` (rows and days that stand for all with these facts), between which dates
        of the reviewed containers the days lie, and the most units of a day and of a line for each claim; for each
        pair of a `row`, a number in `rows`, and a `stretch`, counted from the `first` of `count`.
        """
        length = len(self.resolver.bounds) + 1
        kept = [self._standings.setdefault((id(one), length), np.full((length, _OF_ROW), -1)) for one in rows]
        found = np.array([lines[first : first + count] for lines in kept]).reshape(-1, count, _OF_ROW)[row, stretch]
        for n in np.flatnonzero(found[:, 0] < 0).tolist():
            at, when = int(row[n]), int(stretch[n]) + first
            found[n] = kept[at][when] = self._standing(rows[at], self.resolver.day_of(when))
        return found.T

    def _standing(self, row: Drug | None, on: dt.date) -> list[int]:
        facts = None if row is None else (id(self.facts(row, on)), self.resolver.season(on))
        number = self._class_of.setdefault(facts, len(self.classes))
        if number == len(self.classes):
            self.classes.append((row, on))
        most = [SAFE] * (2 * len(CLAIMS))
        for n, claim in enumerate(CLAIMS):
            limit = None if row is None else self.limit(row.code, on, claim)
            if limit is not None:
                most[2 * n + (limit.per == "line")] = limit.units
        return [number, self.resolver.reviewed(on), *most]

    def judgment(
        self,
        drug: Drug,
        way: Way,
        setting: Setting,
        on: dt.date,
        ndc: bool,
        *,
        beside: bool | None = None,
        count: int | None = None,
    ) -> Judgment | None:
        """What is made of a drug's line, with an NDC or without; `drug` stands for all with its facts.

        `beside`: whether the JW line has an NDC, if there is one (None: as the payer divides them). Where modifiers
        hang on the units, it is None without their `count`.
        """
        facts = self.facts(drug, on)
        counted = facts.counted and self._counted(drug.code, setting, on)
        if counted and count is None:
            return None
        count = self._stands_for(drug.code, count or 1) if counted else 1
        season = self.resolver.season(on)
        options, asked_own = self._asked(setting, on)
        marked = ndc and options[1] == "split" if beside is None else beside
        if way.route is None:
            way = attrs.evolve(way, instead=a_route(drug))
        key = (id(facts), way, setting, season, ndc, marked, count)
        if key not in self._judgments:
            reason, modifiers, findings, thrown = self._line(drug, facts, way, setting, on, ndc, marked, count)
            with replacing_rows() as replacing:
                waste = waste_rules(facts, setting.payer, setting.claim, on, self.policy)
            if replacing or facts.replaced or asked_own:
                findings = tuple(dict.fromkeys((*findings, "own-row")))
            self._judgments[key] = Judgment(reason, modifiers, findings, thrown, waste, *options, on)
        return self._judgments[key]

    def _asked(self, setting: Setting, on: dt.date) -> tuple[_Options, bool]:
        """How the payer wants the NDC counted, what of it stands on the JW line, and whether a site's row says so."""
        key = (setting, self.resolver.season(on))
        if key not in self._options:
            with replacing_rows() as replacing:
                wanted = NdcWanted.of(self.policy, setting.payer, on, setting.claim)
                how = self.policy.option(setting.payer, "ndc-waste", on, setting.claim).value or "split"
            self._options[key] = (wanted, how), bool(replacing)
        return self._options[key]

    def _counted(self, code: str, setting: Setting, on: dt.date) -> bool:
        """Whether the modifiers that the payer wants on a code hang on its units."""
        rows = needed_modifiers(self.policy, code, on, setting.payer, setting.claim)
        return any(row.least is not None or row.most is not None for row in rows)

    def _stands_for(self, code: str, count: int) -> int:
        """The least number of units for which a code needs the same modifiers as for `count`."""
        rows = self.policy.store.starting(NeededModifier, code)
        starts = {row.least or 1 for row in rows} | {row.most + 1 for row in rows if row.most is not None}
        return max((start for start in starts if start <= count), default=1)

    def _line(
        self, drug: Drug, facts: DrugFacts, way: Way, setting: Setting, on: dt.date, ndc: bool, marked: bool, count: int
    ) -> _Decided:
        """Why the line is withheld, or its modifiers and findings and those of the JW line beside it.

        By the steps and rules of `charge`; none of them judges the administered line by the JW line.
        """
        key = (facts.on_claim(setting.claim), way, setting, self.resolver.season(on), ndc, marked, count)
        if key not in self._lines:
            line = Line(
                drug.code, units=count, kind="drug", label=drug.name, administration=0, ndc=_NUMBER if ndc else None
            )
            waste = attrs.evolve(line, units=1, kind="waste", modifiers=("JW",), ndc=_NUMBER if marked else None)
            self._lines[key] = self._decided(drug, (line, waste), way, setting, on)
        return self._lines[key]

    def _decided(self, drug: Drug, lines: tuple[Line, ...], way: Way, setting: Setting, on: dt.date) -> _Decided:
        if way.route is None and not setting.said:
            return "", (), (), ()
        route = way.route or way.instead or a_route(drug)
        one = Administration(drug.code, Dose(Fraction(1), "mg"), route, site=way.site, start=way.start, stop=way.stop)
        place = setting.place or self._open_place(on, setting.payer, setting.claim)
        listed: Any = (one,)
        encounter = Encounter(on=on, place=place, administrations=listed, payer=setting.payer, claim=setting.claim)
        with replacing_rows() as replacing:
            taken = charging.STEPS if way.route else charging.BY_ANY_ROUTE
            made, raised, _ = charging.coded(encounter, (DrugLines((0,), drug, lines),), self.policy, taken)
        found = charging.with_sites_rows(made, raised, replacing)
        own = tuple(f.rule for f in found if f.rule == "own-row")
        numbers = [n for kind in ("drug", "waste") for n, line in enumerate(made, 1) if line.kind == kind]
        if numbers and way.route is None:
            return "", (), (), ()
        if numbers:
            said = [f for f in found if f.rule not in _NOT_OF_A_KIND]
            first, beside = (tuple(f.rule for f in said if f.line == n) for n in numbers)
            return "", tuple(m for m in made[numbers[0] - 1].modifiers if m not in _OWN), (*first, *own), beside
        steps = {name for step in charging.STEPS for name in step.FINDINGS}
        grave = [f for f in found if f.severity != "note"]
        why = next((f for f in grave if f.rule in steps), grave[0])
        says = f"{why.rule}: {why.says} {why.fix}"
        return says.replace(f"{drug.name} (", f"{_NAME} (").replace(drug.code, _CODE), (), (why.rule, *own), ()

    def _open_place(self, on: dt.date, payer: str, claim: str) -> str:
        """A place about which payer and claim have nothing to say."""
        codes = dict.fromkeys(row.code for row in self.policy.rows(Place))
        free = (c for c in codes if self.policy.place(c, on) and self.policy.place_rule(c, on, payer, claim) is None)
        return next(free)

    def product(
        self,
        cell: Cell,
        number: Any,
        amount: str | None,
        thrown: str | None,
        form: str | None,
        scales: tuple[int, int],
        judgment: Judgment,
        on: dt.date,
    ) -> Coefficients:
        """The coefficients of what was opened: of a cell's drug and unit, the NDC as written, the amount in one
        container and the unit of what was discarded (None: the dose's). `scales`: of doses and of discards."""
        row = cell.row
        assert row is not None
        entry: Any = OpenedProduct(None if blank(number) else str(number).strip(), None, amount)
        one = Administration(row.code, Dose(Fraction(1), "mg"), a_route(row), products=(entry,))
        (found,) = look_up(one, False, on, self.reference)
        try:
            opened, said = weigh(found, row, None, self.reference, on)
        except JcodeunitsError:
            return Coefficients()
        if opened.each is not None and counts_whole(row, cell.unit):
            return Coefficients()  # the containers together are rounded to whole doses
        decimals = judgment.wanted.decimals
        way, more = counted_as(opened, form, on, self.reference, judgment.wanted, (row.code,))
        band = row.basis == "band"
        given = (units.factor(cell.unit, row.unit) * cell.scale if band else cell.ratio) / 10 ** scales[0]
        lost = countable(Dose(cell.scale, cell.unit) if thrown is None else Dose(Fraction(1), thrown), row)
        lost = None if lost is None else lost / 10 ** scales[1]
        each = opened.each or Fraction(0)
        size = math.lcm(given.denominator, each.denominator, (lost or Fraction(0)).denominator)
        whole = [int(part * size) for part in (given, each, lost or Fraction(0))]
        if max(*whole, size) > SAFE:
            return Coefficients()
        volume = Fraction(0)
        if units.is_known(cell.unit) and units.dimension(cell.unit) == "volume":
            volume = units.factor(cell.unit, "mL") * cell.scale / 10 ** scales[0]
        figures, per, rate, step = (0, 0), Fraction(0), None, 10**decimals
        if way is not None:
            per = way.per_container or Fraction(0)
            rate, counting = rated(opened, way)
            known = bool(each) or counting is not way
            with_count, without = (
                _LEVELS.index(measured_by(counting, bool(volume), known, counted)) for counted in (True, False)
            )
            figures = (with_count, without)
        return Coefficients(
            decimals > DECIMALS,
            whole[0],
            whole[1],
            -1 if lost is None else whole[2],
            size,
            band,
            figures,
            given * (rate or 0) * step,
            volume * step,
            per * step,
            opened.number or "",
            way.qualifier if way is not None else "",
            way is not None,
            rate is not None,
            tuple(f.rule for f in (*said, *more)),
            self._kind(opened.item, on),
            10 ** max(DECIMALS - decimals, 0),
        )

    def _kind(self, item: Any, on: dt.date) -> int:
        """A number for what a product's row says of its container."""
        kind, _, memory = kind_of(None, (item,), on, self.reference)
        known = (kind, memory, item is not None)
        if known not in self._kind_of:
            self._kind_of[known] = len(self._kinds)
            self._kinds.append((item, on))
        return self._kind_of[known]

    def container(self, number: int, said: str | None) -> tuple[str, tuple[str, ...], bool]:
        """The kind of a container by its product's number and the row's own word, what is said about it."""
        item, on = self._kinds[number]
        kind, found, memory = kind_of(said, (item,), on, self.reference)
        return kind, tuple(f.rule for f in found), memory

    def modifiers(self, codes: tuple[str, ...], on: dt.date) -> str:
        """Modifiers of a line in claim order, as a table holds them."""
        return "|".join(self.policy.ordered(codes, on)) if len(codes) > 1 else "".join(codes)

    def outcomes(self, judgment: Judgment, kind: str, memory: bool) -> list[Outcome]:
        """What each comparison of amounts comes to."""
        rules = lenient(judgment.waste) if memory else judgment.waste
        return [judge(compared, kind, False, rules) for compared in range(COMPARISONS)]


def withheld(outcome: Outcome) -> str:
    """Why a line is withheld for its amounts."""
    return f"{outcome.finding}: {ABOVE_FIX}" if outcome.withheld else ""
