"""One row answered by the one-call path: `billing_units`, the drug lines of `charge`, and what keeps them off a claim.

This is what the fast path is measured against: rows that the integers do not hold are answered here, and so is
one row of every group that shares its modifiers and findings.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

from .. import charging, convert
from ..amount import MOST_COUNTED, decimal_text, exact
from ..claim import Line
from ..coding.drug_lines import drug_lines
from ..dose import Dose
from ..encounter import CLAIMS, CONTAINERS, Administration, Encounter, OpenedProduct
from ..errors import EncounterError, JcodeunitsError, quoted
from ..facts.drug_rows import Drug
from ..finding import Finding
from . import columns, kernel
from .resolve import Resolver, joined, reason_of

_BARE = re.compile(r"[0-9.,]+", re.ASCII)
_OWN = ("JW", "JZ")
_ASKED = ("jw", "jz", "waste", "ndc")  # the payers' options that drug lines ask, by the beginning of their names
_LARGEST = 10**32  # NDC quantities have at most 38 digits, six of them decimals


@attrs.frozen
class Row:
    """The values of one row as they are written; None where a column or a value is missing."""

    drug: Any
    dose: Any
    unit: Any
    on: dt.date
    route: str | None = None
    place: Any = None
    payer: Any = None
    claim: Any = None
    ndc: Any = None
    container: Any = None
    containers: Any = None
    container_amount: Any = None
    discarded: Any = None


@attrs.frozen
class One:
    """The answer to a row: the administered line, the discarded units, or the reason why there is none."""

    code: str = ""
    units: int = 0
    modifier: str = ""
    waste: int = 0
    ndc: str = ""
    qualifier: str = ""
    quantity: Decimal | None = None
    reason: str = ""
    findings: str = ""


@attrs.frozen
class Setting:
    """Where and for whom: place, payer and claim as the rules know them; `reason` where one of them is none."""

    place: str | None = None
    payer: str = "medicare"
    claim: str = "professional"
    reason: str = ""


@attrs.frozen
class Outcome:
    """What place, route and payer make of a drug line: why it is withheld, or modifiers besides JW and JZ."""

    reason: str = ""
    rule: str = ""
    modifiers: tuple[str, ...] = ()


def blank(value: Any) -> bool:
    """Whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def dose_of(raw: Any, unit: Any) -> Dose:
    """The dose of a row: text or a number with its unit."""
    return Dose.of(raw) if blank(unit) else Dose.of(columns.plain(raw), unit)


def amount_text(value: Any, unit: Any) -> str | None:
    """An amount beside a dose as an encounter has it: a bare number is in the dose's unit."""
    if blank(value):
        return None
    if isinstance(value, str):
        text = value.strip()
        return f"{text} {unit}" if _BARE.fullmatch(text) and not blank(unit) else text
    try:
        text = decimal_text(exact(value))
    except ValueError:
        text = str(value)
    return text if blank(unit) else f"{text} {unit}"


def count_of(value: Any) -> int | None:
    """A number of containers. Raises `EncounterError` for what is no whole number above 0."""
    if blank(value):
        return None
    try:
        number = exact(value)
    except ValueError:
        number = Fraction(0)
    if number.denominator != 1 or not 1 <= number <= MOST_COUNTED:
        says = f"containers: {quoted(value)} is not a whole number above 0."
        raise EncounterError(says, path="containers", given=value)
    return int(number)


def container_of(value: Any) -> str | None:
    """The kind of container. Raises `EncounterError` naming the allowed ones."""
    if blank(value):
        return None
    kind = str(value).strip().casefold()
    if kind not in CONTAINERS:
        raise EncounterError(
            f"container: {quoted(value)} is not one of the known values. Allowed: {', '.join(CONTAINERS)}.",
            path="container",
            given=value,
            allowed=CONTAINERS,
        )
    return kind


class Clerk:
    """Answers single rows, and remembers what place, route and payer make of a class of drugs."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver, self.policy = resolver, resolver.reference.policy
        self._outcomes: dict[Any, Outcome] = {}
        self._settings: dict[Any, Setting] = {}
        self._terms: dict[tuple[Any, ...], int] = {}
        self._alike: dict[Any, int] = {}
        self._asked: dict[tuple[Setting, int], int] = {}
        self.known_terms: dict[tuple[Any, ...], int] = {}
        self.cases: dict[Any, One] = {}
        self.groups: dict[Any, Any] = {}

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
        who = "medicare" if blank(payer) else str(payer).strip().casefold()
        form = "professional" if blank(claim) else str(claim).strip().casefold()
        self.policy.lineage(who)
        if form not in CLAIMS:
            raise EncounterError(
                f"claim: {quoted(claim)} is not one of the known values. Allowed: {', '.join(CLAIMS)}.",
                path="claim",
                given=claim,
                allowed=CLAIMS,
            )
        if isinstance(place, float) and place.is_integer():
            place = int(place)
        where = None if blank(place) else str(place).strip().zfill(2)
        if where is not None and self.policy.place(where, on) is None:
            raise EncounterError(
                f"place: {quoted(place)} is no place-of-service code in use.", path="place", given=place, allowed=()
            )
        return Setting(where, who, form)

    def terms(self, code: str, route: str | None, settings: tuple[Setting, ...], on: dt.date) -> int:
        """A number for everything that may decide about a line's modifiers besides the row's own figures.

        Two rows of one drug with equal terms are judged alike, whatever their dates.
        """
        season = self.resolver.season(on)
        key = (code, route, settings, season, self.resolver.classes(code, on))
        if key not in self._terms:
            said = tuple(self._terms_of(code, route, setting, on, season) for setting in settings)
            self._terms[key] = self._alike.setdefault((route, said, key[-1]), len(self._alike) + 1)
        return self._terms[key]

    def _terms_of(self, code: str, route: str | None, setting: Setting, on: dt.date, season: int) -> Any:
        if setting.reason:
            return setting
        key = (setting, season)
        if key not in self._asked:
            rows = self.policy.options(setting.payer, on, setting.claim)
            said = ((r.option, r.values, r.confidence) for r in rows if r.option.startswith(_ASKED))
            self._asked[key] = self._alike.setdefault((setting, *said), len(self._alike) + 1)
        placed = route is not None or setting.place is not None or setting.claim != "professional"
        return (self._asked[key], (code, season) if placed else None)

    # -- one row

    def answer(self, row: Row) -> One:
        """The row's drug line by the one-call path."""
        setting = self.setting(row.place, row.payer, row.claim, row.on)
        if setting.reason:
            return One(reason=setting.reason)
        try:
            encounter = self._encounter(row, setting)
        except JcodeunitsError as error:
            return One(reason=reason_of(error, row.on))
        found = drug_lines(encounter, self.resolver.reference)[0]
        said = joined(finding.rule for finding in found.findings)
        if found.drug is None:
            return One(reason=self._refusal(row, found.findings), findings=said)
        lines = [line for line in found.lines if line.kind == "drug"]
        if not lines:
            return One(reason=_withheld(found.findings), findings=said)
        outcome = self.outcome(found.drug, row.route, setting, encounter)
        if outcome.reason:
            return One(reason=outcome.reason, findings=joined([*filter(None, said.split("|")), outcome.rule]))
        waste = sum(line.units for line in found.lines if line.kind == "waste")
        line = lines[0]
        if line.units > kernel.INT64 or (line.ndc_quantity or 0) >= _LARGEST:
            return One(reason="UnreadableDose: no dose comes to so much. Check the amount and its unit.")
        return One(
            line.code,
            line.units,
            self.modifiers(line.modifiers, outcome, row.on),
            waste,
            line.ndc or "",
            line.ndc_qualifier or "",
            line.ndc_quantity,
            "",
            said,
        )

    def modifiers(self, own: tuple[str, ...], outcome: Outcome, on: dt.date) -> str:
        """The modifiers of the administered line in claim order."""
        both = (*own, *outcome.modifiers)
        return "|".join(self.policy.ordered(both, on)) if len(both) > 1 else "".join(both)

    def _encounter(self, row: Row, setting: Setting) -> Encounter:
        dose = dose_of(row.dose, row.unit)
        opened = OpenedProduct(
            None if blank(row.ndc) else str(row.ndc).strip(),
            count_of(row.containers),
            amount_text(row.container_amount, row.unit),
            amount_text(row.discarded, row.unit),
        )
        products: Any = (opened,) if opened != OpenedProduct() else ()
        drug, route = row.drug, row.route or dose.route
        if route is None:
            # Without a route a name is looked up among injectables; a code asks for no route.
            route = self.resolver.any_route
            if opened.ndc is None:
                book = self.resolver.reference
                drug = convert.resolve(drug, row.on, dose, None, reference=book)[0].code if _is_name(drug) else drug
        if not isinstance(drug, str) or not drug.strip():
            convert.resolve(drug, row.on, dose, None, reference=self.resolver.reference)
        one = Administration(drug, dose, route, products=products, container=container_of(row.container))
        every: Any = (one,)
        return Encounter(
            on=row.on, place=setting.place or "", administrations=every, payer=setting.payer, claim=setting.claim
        )

    def _refusal(self, row: Row, findings: tuple[Finding, ...]) -> str:
        """Why there is no answer: the error of `billing_units` where it has one too."""
        if blank(row.ndc):
            try:
                dose, book = dose_of(row.dose, row.unit), self.resolver.reference
                convert.billing_units(row.drug, dose, row.on, row.route, None, book)
            except JcodeunitsError as error:
                return reason_of(error, row.on)
        return _withheld(findings)

    # -- what keeps a line off a claim

    def outcome(self, drug: Drug, route: str | None, setting: Setting, encounter: Encounter) -> Outcome:
        """What `charge` makes of a drug's line by its route, place and payer, in words that name the drug."""
        if route is None and setting.place is None:
            return _NOTHING
        on = encounter.on
        classes = self.resolver.classes(drug.code, on)
        key = (drug.code, drug.effective, classes, route, setting, self.resolver.season(on))
        if key not in self._outcomes:
            self._outcomes[key] = self._outcome(route, setting, encounter)
        return self._outcomes[key]

    def _outcome(self, route: str | None, setting: Setting, encounter: Encounter) -> Outcome:
        on = encounter.on
        if route is None:
            rule = self.policy.place_rule(setting.place or "", on, setting.payer, setting.claim)
            if rule is None or rule.outcome != "withhold" or "drug" not in rule.lines:
                return _NOTHING
            return Outcome(f"{rule.reason}: {rule.says}. {rule.fix}", rule.reason)
        place = setting.place or self.resolver.open_place(on, setting.payer, setting.claim)
        made = charging.charge(attrs.evolve(encounter, place=place), reference=self.resolver.reference)
        lines: list[Line] = [line for line in made.lines if line.kind == "drug"]
        if lines:
            return Outcome(modifiers=tuple(m for m in lines[0].modifiers if m not in _OWN))
        steps = {name for step in charging.STEPS for name in step.FINDINGS}
        said = [f for f in made.findings if f.severity != "note"]
        finding = next((f for f in said if f.rule in steps), said[0])
        return Outcome(f"{finding.rule}: {finding.says} {finding.fix}", finding.rule)


_NOTHING = Outcome()


def _is_name(drug: Any) -> bool:
    return isinstance(drug, str) and sum(map(str.isdigit, drug)) < 10


def _withheld(findings: tuple[Finding, ...]) -> str:
    """The gravest finding as a reason, without the figures of its row."""
    worst = next((f for f in findings if f.severity == "stop"), findings[0])
    return f"{worst.rule}: {worst.fix if worst.rule == 'dose-above-containers' else worst.says}"
