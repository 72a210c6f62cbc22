"""One row answered by the one-call path: `billing_units`, the drug lines of `charge`, and what keeps them off a claim.

This is what the fast path is measured against; rows that the integers do not hold are answered here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

from .. import convert
from ..amount import MOST_COUNTED, MOST_UNITS, decimal_text, exact
from ..coding import nameless
from ..coding.drug_lines import DrugLines, drug_lines
from ..dose import Dose
from ..encounter import CONTAINERS, Administration, Encounter, OpenedProduct, Patient
from ..errors import EncounterError, JcodeunitsError, quoted
from ..facts import choosing
from ..facts.by_route import a_route
from ..facts.product_rows import FORMS
from ..finding import Findings
from ..recipes.cells import blank, is_number, joined, number_text, reason_of
from ..recipes.lines import Parts, Way
from ..rules.unit_limit import counted_to, unit_limit
from ..vials import ABOVE_FIX
from . import columns

_BARE = re.compile(r"[0-9.,]+", re.ASCII)
_TIME = re.compile(r"(?:\d{4}-\d\d-\d\d[T ])?([01]\d|2[0-3]):?([0-5]\d)(?::[0-5]\d(?:\.\d+)?)?", re.ASCII)
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
    container_volume: Any = None
    discarded: Any = None
    form: Any = None
    basis: Any = None
    weight: Any = None
    site: Any = None
    start: Any = None
    stop: Any = None


@attrs.frozen
class One:
    """The answer to a row: the administered line, the discarded units, or the reason why there is none."""

    hcpcs: str = ""
    units: int = 0
    modifier: str = ""
    waste_units: int = 0
    ndc11: str = ""
    ndc_qualifier: str = ""
    ndc_quantity: Decimal | None = None
    reason: str = ""
    findings: str = ""


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


def _word(name: str, value: Any, allowed: Sequence[str]) -> str | None:
    if blank(value):
        return None
    kind = str(value).strip().casefold()
    if kind not in allowed:
        says = f"{name}: {quoted(value)} is not one of the known values. Allowed: {', '.join(allowed)}."
        raise EncounterError(says, path=name, given=value, allowed=tuple(allowed))
    return kind


def container_of(value: Any) -> str | None:
    """The kind of container. Raises `EncounterError` naming the allowed ones."""
    return _word("container", value, CONTAINERS)


def form_of(value: Any) -> str | None:
    """What the container holds. Raises `EncounterError` naming the allowed ones."""
    return _word("form", value, FORMS)


def time_of(value: Any) -> str | None:
    """A time of day as hours and minutes, also of a date and time. Raises `EncounterError` for what is none.

    >>> time_of("2026-03-02T09:30:00"), time_of("0930"), time_of(None)
    ('09:30', '09:30', None)
    """
    if blank(value):
        return None
    match = _TIME.fullmatch(str(value).strip())
    if match is None:
        raise EncounterError(f"{quoted(value)} is no time. Write it as 09:30.", path="time", given=value)
    return f"{match[1]}:{match[2]}"


class Clerk:
    """Answers single rows."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.resolver, self.policy = parts, parts.resolver, parts.policy

    def answer(self, row: Row) -> One:
        """The row's drug line by the one-call path."""
        parts = self.parts
        setting = parts.setting(row.place, row.payer, row.claim, row.on)
        if setting.reason:
            return One(reason=setting.reason)
        try:
            encounter = self._encounter(row, setting.place or "", setting.payer, setting.claim)
        except JcodeunitsError as error:
            return One(reason=reason_of(error, row.on))
        found = drug_lines(encounter, self.resolver.reference)[0]
        said = [finding.rule for finding in found.findings]
        if found.drug is None or not nameless.FINDINGS.keys().isdisjoint(said):
            # A row has no words for the line of a drug without a code.
            return One(reason=self._refusal(row, found), findings=joined(said))
        lines = [line for line in found.lines if line.kind == "drug"]
        if not lines:
            return One(reason=_withheld(found.findings), findings=joined(said))
        line, thrown = lines[0], [line for line in found.lines if line.kind == "waste"]
        waste, marked = sum(line.units for line in thrown), any(line.ndc for line in thrown) if thrown else None
        one = encounter.administrations[0]
        said_route = one.route if row.route or (isinstance(one.dose, Dose) and one.dose.route) else None
        way = Way(said_route, one.site, one.start, one.stop)
        judgment = parts.judgment(
            found.drug, way, setting, row.on, line.ndc is not None, beside=marked, count=line.units
        )
        assert judgment is not None
        if judgment.reason:
            return One(reason=judgment.says(found.drug), findings=joined(judgment.findings))
        if line.units > MOST_UNITS or (line.ndc_quantity or 0) >= _LARGEST:
            return One(reason="UnreadableDose: no dose comes to so much. Check the amount and its unit.")
        limit = parts.limit(found.drug.code, row.on, setting.claim)
        if limit is not None and counted_to(limit.per, line.units, waste) > limit.units:
            said.append(unit_limit.id)
        return One(
            line.code,
            line.units,
            parts.modifiers((*line.modifiers, *judgment.modifiers), row.on),
            waste,
            line.ndc or "",
            line.ndc_qualifier or "",
            line.ndc_quantity,
            "",
            joined((*said, *judgment.findings, *(judgment.beside if thrown else ()))),
        )

    def _encounter(self, row: Row, place: str, payer: str, claim: str) -> Encounter:
        by_weight = not blank(row.weight) and not blank(row.unit) and "/" in str(row.unit)
        dose: Any = f"{columns.plain(row.dose)} {row.unit}" if by_weight else None
        if dose is None and (blank(row.weight) or not isinstance(row.dose, str) or "/" not in row.dose):
            dose = dose_of(row.dose, row.unit)
        opened = OpenedProduct(
            None if blank(row.ndc) else number_text(row.ndc),
            count_of(row.containers),
            amount_text(row.container_amount, row.unit),
            amount_text(row.discarded, row.unit),
            volume=amount_text(row.container_volume, "mL"),
        )
        products: Any = (opened,) if opened != OpenedProduct() else ()
        drug, route = row.drug, row.route or (dose.route if isinstance(dose, Dose) else None)
        if route is None:
            # Without a route a name is looked up among injectables; a code or an NDC stands by one of its own.
            route = self.resolver.any_route(drug, opened.ndc, row.on)
            if opened.ndc is None and isinstance(drug, str) and not is_number(drug):
                book = self.resolver.reference
                known = dose if isinstance(dose, Dose) else None
                found, _ = convert.resolve(drug, row.on, known, None, reference=book)
                route = choosing.way_of(book.drugs, drug, None) or a_route(found)
                dose = choosing.drawn(book.drugs, drug, known, found) if known else dose
                drug = found.code
        if not isinstance(drug, str) or not drug.strip():
            convert.resolve(drug, row.on, None, None, reference=self.resolver.reference)
        one: Any = Administration(
            drug,
            row.dose if dose is None else dose,
            route,
            site=None if blank(row.site) else str(row.site),
            products=products,
            container=container_of(row.container),
            form=form_of(row.form),
            basis=None if blank(row.basis) else str(row.basis).strip(),
            start=time_of(row.start),
            stop=time_of(row.stop),
        )
        weight = None if blank(row.weight) else amount_text(row.weight, "kg")
        return Encounter(
            on=row.on, place=place, administrations=(one,), payer=payer, claim=claim, patient=Patient(weight=weight)
        )

    def _refusal(self, row: Row, found: DrugLines) -> str:
        """Why there is no answer: the error of `billing_units` where it has one too."""
        if blank(row.ndc):
            try:
                dose, book = dose_of(row.dose, row.unit), self.resolver.reference
                basis = None if blank(row.basis) else str(row.basis).strip()
                convert.billing_units(row.drug, dose, row.on, row.route, basis, book)
            except JcodeunitsError as error:
                return reason_of(error, row.on)
        reason = _withheld(found.findings)
        return reason if found.why is None else reason.replace("drug-unanswered", type(found.why).__name__, 1)


def _withheld(findings: Findings) -> str:
    """The gravest finding as a reason, without the figures of its row."""
    worst = next((f for f in findings if f.severity == "stop"), findings[0])
    return f"{worst.rule}: {worst.fix if worst.fix == ABOVE_FIX else worst.says}"
