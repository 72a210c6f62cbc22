"""The drug lines: code, units, JW and JZ, and the NDC, from what was given and what was opened.

Units are rounded once for each administration over all its products; administrations of one order are one
dose in several places and are rounded together. A dose that cannot be answered is a finding, never a
guessed line.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import attrs

from jcodeunits import hcpcs, ndc, units
from jcodeunits.amount import decimal_text
from jcodeunits.claim import Line
from jcodeunits.convert import BilledUnits, billing_units, of_product, resolve
from jcodeunits.dated import Step, Trace
from jcodeunits.dose import Dose
from jcodeunits.encounter import Administration, Encounter
from jcodeunits.errors import AmbiguousDrug, JcodeunitsError, NotComputable, NotInEffect, ProductMismatch, UnitMismatch
from jcodeunits.facts.choosing import drawn, rows_meant
from jcodeunits.facts.code_uses import needed_modifiers
from jcodeunits.facts.combined import settled
from jcodeunits.facts.drug_rows import Brand, Drug
from jcodeunits.facts.policy import Policy
from jcodeunits.facts.policy_rows import PayerOption, RouteCode
from jcodeunits.facts.product_rows import Product
from jcodeunits.facts.reference import Reference
from jcodeunits.facts.words import normal, squeezed
from jcodeunits.finding import Finding, Findings, declare
from jcodeunits.grouped import grouped, only
from jcodeunits.quantity import NdcWanted
from jcodeunits.vials import Record, Waste, WasteRules, decide

from .drug_facts import DrugFacts, lenient, waste_rules
from .forms import another_form
from .given_dose import by_product, by_record, dose_of, is_worked_out
from .nameless import as_dose, nameless, undescribed, without_code
from .ndc_lines import LineNdc, merged, with_ndcs
from .opened import (
    Found,
    Opened,
    Quantities,
    count,
    held_whole,
    in_units,
    kind_of,
    look_up,
    measured_rest,
    not_recorded,
    several_in_a_package,
    share,
    weigh,
    whole_label,
)
from .smaller import smaller_containers

# Every finding about a dose, a container or an NDC, with what it may say.
FINDINGS = declare(
    __name__,
    {
        "code-by-route": ("By this route the drug is not billed with the code of its name", "warn, note"),
        "drug-product-mismatch": ("The NDC is of another drug than the one named", "stop, warn"),
        "drug-unanswered": ("A drug or dose without a certain answer", "stop, warn"),
        "vaccine-dose": ("One administration of a vaccine is more than one dose of its code", "stop"),
    },
)
# Purposes whose drug is part of another service: no line of its own.
_INCLUDED = frozenset({"diluent", "flush", "anesthetic"})


def _too_much(row: Drug, dose: Dose) -> Finding:
    """The finding for more of a vaccine at once than its dose: its code is billed by the dose, and one was given."""
    says = (
        f"{dose} is more than the one dose that {row.code} is billed for ({row.billing_unit}), and was given at once."
    )
    fix = "Correct the dose, or give the code of the vaccine that has it; of two doses, each is an administration."
    return Finding("vaccine-dose", "stop", says, fix, (row.citation,))


@attrs.frozen
class DrugLines:
    """One drug of the encounter: the administrations behind it, the catalog row used, its lines and findings.

    `administrations` are indices in the encounter: one, or all of one order. `drug` is None where it was
    refused or is included in another service; `meant` are then the codes that its text left open, and `not_so`
    whether it is not given by the route of the record, or nothing of it was given. Lines
    are of kind `drug`, then `waste`; a finding's `line` counts in them. `advice` is said of no line and changes none.
    """

    administrations: tuple[int, ...]
    drug: Drug | None
    lines: tuple[Line, ...] = ()
    findings: Findings = ()
    meant: tuple[str, ...] = ()
    not_so: bool = False
    advice: Findings = ()
    why: JcodeunitsError | None = None


@attrs.frozen
class _Given:
    """One administration, answered: its row, its units before rounding, and what was opened for it."""

    index: int
    administration: Administration
    billed: BilledUnits
    opened: tuple[Opened, ...]
    findings: Findings

    @property
    def volume(self) -> Fraction | None:
        """The dose in mL, where it was given as a volume."""
        given = self.administration.dose
        try:
            written = given if isinstance(given, Dose) else Dose.of(given)
        except JcodeunitsError:
            return None
        return written.to("mL").amount if units.dimension(written.unit) == "volume" else written.volume


def drug_lines(encounter: Encounter, reference: Reference) -> tuple[DrugLines, ...]:
    """The drug lines of an encounter, an order's administrations together, in the order of the encounter.

    >>> found = drug_lines(Encounter.from_dict({"on": "2026-03-02", "place": "11", "administrations": [
    ...     {"drug": "J9035", "dose": "77 mg", "route": "IV", "container": "single-dose",
    ...      "container_amount": "100 mg", "containers": 1, "discarded": "23 mg"}]}), Reference.shipped())
    >>> [(line.code, line.modifiers, line.units) for line in found[0].lines]
    [('J9035', (), 8), ('J9035', ('JW',), 2)]
    """
    coding = DrugCoding(encounter, reference)
    return tuple(coding.answer(group) for group in coding.groups())


def _is_nothing(given: Administration) -> bool:
    """Whether the dose is zero, whatever its unit: then nothing was given, and no giving is billed."""
    written = given.dose.amount if isinstance(given.dose, Dose) else given.dose
    digits = {digit for digit in str(written) if digit.isdigit()}
    return digits == {"0"}


def _plain(drug: str) -> str:
    return drug.strip().casefold()


@attrs.frozen(eq=False)
class DrugCoding:
    """What every step reads: the encounter and the book of facts."""

    encounter: Encounter
    reference: Reference

    @property
    def policy(self) -> Policy:
        """The tables that are not drugs."""
        return self.reference.policy

    def groups(self) -> list[tuple[int, ...]]:
        """Indices of the administrations that are one dose: those of one order and one drug, by whichever name."""
        listed = self.encounter.administrations
        named: dict[str, dict[str, int]] = {}  # of each order: its drugs as written, and where each comes up first
        for n, one in enumerate(listed):
            if one.order:
                named.setdefault(one.order, {}).setdefault(_plain(one.drug), n)
        means = {
            (order, text): self._meant(n) if len(texts) > 1 else text
            for order, texts in named.items()
            for text, n in texts.items()
        }

        def dose(n: int) -> object:
            one = listed[n]
            # Whose drug it was decides whether it is billed.
            return (one.order, means[one.order, _plain(one.drug)], one.supplied_by) if one.order else n

        return list(grouped(range(len(listed)), dose).values())

    def _meant(self, index: int) -> str:
        """The code of what was given; a drug that is refused is what is written."""
        one = self.encounter.administrations[index]
        try:
            return self._given(index, one).billed.drug.code
        except JcodeunitsError:
            pass
        try:  # its amount may be what is refused
            return resolve(one.drug.strip(), self.encounter.on, None, one.route, reference=self.reference)[0].code
        except JcodeunitsError:
            return _plain(one.drug)

    def answer(self, group: tuple[int, ...]) -> DrugLines:
        """The lines of one drug, or the finding that says why there are none."""
        given = [self.encounter.administrations[n] for n in group]
        included = all(a.purpose in _INCLUDED for a in given)
        try:
            answered = [self._given(n, a) for n, a in zip(group, given, strict=True)]
            if included:
                return DrugLines(group, answered[0].billed.drug)
            other = self._by_route(answered[0])
            return self._lines(group, answered) if other is None else self._moved(group, answered, other)
        except NotComputable as error:
            row = nameless(error, self.encounter.on, self.reference)
            if row is not None and not included:
                return self._nameless(group, row)
            said = () if included else (_unanswered(error, self.reference),)
            return DrugLines(group, None, (), said, _left_open(error), why=error)
        except JcodeunitsError as error:
            unanswered, by_route = _unanswered(error, self.reference), bool(error.fields.get("route"))
            if by_route and self._goes_unbilled(given[0]):
                unanswered = attrs.evolve(unanswered, severity="warn")
            said = () if included else (without_code(unanswered, error, given[0], self.encounter, self.reference),)
            not_so = by_route or all(_is_nothing(one) for one in given)
            return DrugLines(group, None, (), said, _left_open(error), not_so, why=error)

    def _goes_unbilled(self, given: Administration) -> bool:
        """Whether a name without a code for its route, such as a tablet, leaves nothing to bill, its giving neither."""
        written, e = given.drug.strip(), self.encounter
        if hcpcs.is_valid(written) or ndc.looks_like(written) or given.products:
            return False
        row = self.policy.administration(given.route, given.purpose, (), e.on, payer=e.payer, claim=e.claim)
        return row.outcome == "none"

    def _given(self, index: int, administration: Administration, instead: Drug | None = None) -> _Given:
        on = self.encounter.on
        written = administration.drug.strip()
        found = look_up(administration, ndc.looks_like(written), on, self.reference)
        items = [f.item for f in found if f.item is not None]
        dose = dose_of(administration, self.encounter.patient)
        row, notes = self.row(administration, found, dose)
        row = instead or row
        if len(items) == 1:
            items[0].agrees(dose)
            dose = items[0].held(dose)
        dose = drawn(self.reference.drugs, written, dose, row)
        dose, basis = settled(self.reference.drugs, row, dose, on, administration.basis, items)
        administration = attrs.evolve(administration, basis=basis)
        try:
            billed = billing_units(row, dose, on, basis=basis, reference=self.reference)
        except UnitMismatch:
            dose = by_product(dose, found, administration.form)
            billed = billing_units(row, dose, on, basis=administration.basis, reference=self.reference)
        of_record = by_record(administration, row, self.reference.drugs)
        weighed = [weigh(f, row, administration.basis, self.reference, on, of_record) for f in found]
        said = (*notes, *(x for x in billed.findings if x not in notes), *(x for _, more in weighed for x in more))
        said = tuple(attrs.evolve(x, severity="warn") if self._is_grave(x, written, row.code) else x for x in said)
        if self._is_for(row.code, administration):
            said = tuple(x for x in said if x.rule != "limited-use")
        if row.kind == "vaccine" and billed.exact > 1:
            said = (*said, _too_much(row, dose))
        return _Given(
            index, administration, billed, tuple(held_whole(o, row, billed.dose.unit) for o, _ in weighed), said
        )

    def _is_grave(self, note: Finding, name: str, code: str) -> bool:
        """Whether a note is a question on a claim: a dose said twice, a brand whose code only memory knows."""
        named = self.reference.drugs.named.get(squeezed(name), ()) if note.rule == "name-by-general-knowledge" else ()
        return note.rule == "dose-repeated" or any(isinstance(row, Brand) and row.code == code for row in named)

    def _is_for(self, code: str, administration: Administration) -> bool:
        """Whether a diagnosis shows that the drug was given for what its code is for."""
        usual = tuple(row.diagnosis for row in self.policy.diagnoses_of(code, self.encounter.on) if not row.doubt)
        given = administration.diagnoses or self.encounter.diagnoses
        return bool(usual) and any(diagnosis.startswith(usual) for diagnosis in given)

    def row(self, administration: Administration, found: tuple[Found, ...], dose: Dose) -> tuple[Drug, Findings]:
        """The catalog row: of the code, of the product opened, or of the name; they must not disagree."""
        written = administration.drug.strip()
        rows = [f.item for f in found if f.item is not None]
        if rows and not ndc.looks_like(written) and not hcpcs.is_valid(written):
            row, notes = self._named(written, rows, administration, dose)
        else:
            row, notes = self._resolved(written, administration, dose)
        for item in rows:
            if not self._covers(item, row.code):
                listed = f", listed under {' or '.join(item.codes)}" if item.codes else ""
                raise ProductMismatch(
                    f"{written} is billed as {row.code} ({row.label}), but NDC {item.number} is {item.name}{listed}. "
                    "Correct the drug or the NDC.",
                    ndc=item.ndc,
                    code=row.code,
                    codes=item.codes,
                    # Only an amount can make a product's row doubtful; its codes are as CMS lists them.
                    citation=attrs.evolve(item.citation, confidence="high"),
                )
        return row, notes

    def _resolved(self, written: str, administration: Administration, dose: Dose) -> tuple[Drug, Findings]:
        on = self.encounter.on
        try:
            return resolve(written, on, dose, administration.route, reference=self.reference)
        except AmbiguousDrug as error:
            told = self._told(administration, error)
            if told:
                return resolve(told, on, dose, administration.route, reference=self.reference)
            if dose.volume is None:
                raise
            # Codes that differ by the volume of their container alone.
            return resolve(written, on, Dose(dose.volume, "mL"), administration.route, reference=self.reference)
        except NotInEffect:
            # Asked again with its dose, so that the refusal names the successor's units.
            asked = (written, dose, on, administration.route, administration.basis, self.reference)
            return billing_units(*asked).drug, ()

    def _told(self, administration: Administration, error: AmbiguousDrug) -> str:
        """The one code of several whose own modifier the caller gives: EA is said of no drug of dialysis."""
        e, given = self.encounter, set(administration.modifiers)
        asked = (e.on, e.payer, e.claim)
        codes = _left_open(error) if given else ()
        own = [c for c in codes if given & {row.modifier for row in needed_modifiers(self.policy, c, *asked)}]
        return only(own, "")

    def _named(
        self, name: str, rows: list[Product], administration: Administration, dose: Dose
    ) -> tuple[Drug, Findings]:
        """A name beside a product: the product's code, where it is one of those that the name can mean."""
        on = self.encounter.on
        listed = [code for code in rows[0].codes if all(code in item.codes for item in rows)]
        live = [row for code in listed for row in self.reference.drugs.rows(code) if row.period.holds(on)]
        meant = {row.code for row in rows_meant(self.reference.drugs, name)}
        words = normal(name)
        fit = [row for row in live if row.code in meant or f"{normal(row.ingredient)} ".startswith(f"{words} ")]
        if fit:
            return of_product(rows[0].number, name, fit, on, administration.route, self.reference)
        return self._resolved(name, administration, dose)

    def _covers(self, item: Product, code: str) -> bool:
        """Whether a product is listed under a code; outside its listed days also under a code beside it."""
        if code in item.codes:
            return True
        if not item.codes:
            return item.confidence == "low" or self._is_named(item, code)
        if item.period.holds(self.encounter.on):
            return False
        beside = {s.successor for c in item.codes for s in self.reference.drugs.successors_of(c)}
        beside |= {s.code for c in item.codes for s in self.reference.drugs.predecessors_of(c)}
        return code in beside

    def _is_named(self, item: Product, code: str) -> bool:
        """Whether a product without a code may be a drug by its name; where the name means nothing, nobody knows."""
        try:
            meant = rows_meant(self.reference.drugs, item.label)
        except AmbiguousDrug:
            return True
        mine = {row.ingredient for row in self.reference.drugs.rows(code)}
        return not meant or code in {row.code for row in meant} or bool(mine & {row.ingredient for row in meant})

    def _by_route(self, first: _Given) -> RouteCode | None:
        """The row that moves the drug to another code by its route; None where its own code stays."""
        drug, e = first.billed.drug, self.encounter
        row = self.policy.route_code(drug.ingredient, first.administration.route, e.on, e.payer, e.claim)
        return None if row is None or drug.code in row.codes else row

    def _moved(self, group: tuple[int, ...], answered: list[_Given], other: RouteCode) -> DrugLines:
        """The lines under the code that takes the place; none where the payer decides, or the caller listed it."""
        first, on = answered[0], self.encounter.on
        live = [row for code in other.codes for row in self.reference.drugs.rows(code) if row.period.holds(on)]
        listed = [service.code for service in self.encounter.services if service.code in other.codes]
        drug = first.billed.drug
        says = f"{drug.name}, {first.administration.route}, is not billed as {drug.code}: {other.says}."
        cited = (other.citation,)
        if listed:
            says, fix = f"{says} {listed[0]} is listed among the services.", "Nothing, if the payer wants that code."
            return DrugLines(group, None, (), (Finding("code-by-route", "note", says, fix, cited),))
        if len(live) != 1:
            codes = ", ".join(row.code for row in live)
            says, fix = f"{says} It is one of {codes}.", "Ask the payer, and list the code among the services."
            return DrugLines(group, None, (), (Finding("code-by-route", "warn", says, fix, cited),))
        row = live[0]
        note = Finding("code-by-route", "note", f"{says} Billed as {row.code}.", "Nothing.", cited, 1)
        if other.units is None:
            again = [self._given(g.index, g.administration, row) for g in answered]
            made = self._lines(group, again)
            return attrs.evolve(made, findings=(*made.findings, attrs.evolve(note, line=1 if made.lines else None)))
        note = attrs.evolve(note, severity="warn", fix="Put name, dose and NDC into the line's description.")
        units = other.units * len(answered)
        counted = [(o, *self._counted(o, g)) for g in answered for o in g.opened]
        quantities = merged([(o, q) for o, q, _ in counted if q is not None])
        trace = Trace((Step(f"{row.code} x {units}", "counted by administration, not by amount", cited[0]),))
        moved = attrs.evolve(first, billed=attrs.evolve(first.billed, drug=row))
        said = [*(x for g in answered for x in g.findings), *(x for _, _, more in counted for x in more), note]
        lines = self._build(moved, Waste(units, 0, ""), quantities, trace)
        return DrugLines(group, row, lines, tuple(dict.fromkeys(said)))

    def _nameless(self, group: tuple[int, ...], row: Drug) -> DrugLines:
        """One line of one unit under a code that names no drug, with what tells the payer which drug it was."""
        first = self.encounter.administrations[group[0]]
        found = look_up(first, ndc.looks_like(first.drug.strip()), self.encounter.on, self.reference)
        try:
            dose = dose_of(first, self.encounter.patient)
        except JcodeunitsError:
            dose = Dose.of("1 each")
        opened = share(tuple(as_dose(one, dose) for one in found), dose.amount)
        volume = dose.to("mL").amount if units.dimension(dose.unit) == "volume" else None
        counted = [(o, *self._quantities(o, first.form, volume if len(opened) == 1 else None)) for o in opened]
        said = [*(x for one in found for x in one.findings), *(x for _, _, more in counted for x in more)]
        said += undescribed(row, first, self.encounter, self.reference)
        kind, more, rules = self._rules(row, first, opened, brought=first.supplied_by == "patient")
        waste = decide(_by_label(dose.amount, opened, kind, first.shared), rules)
        said += [*more, *(attrs.evolve(x, line=1) for x in waste.findings)]
        if waste.withheld:
            return DrugLines(group, row, (), tuple(dict.fromkeys(attrs.evolve(x, line=None) for x in said)))
        line = Line(
            row.code,
            (waste.modifier,) if waste.modifier else (),
            diagnoses=first.diagnoses,
            trace=Trace((Step(f"{row.code} x 1", "counted by drug, not by amount", row.citation),)) + waste.trace,
            kind="drug",
            label=row.name,
            administration=group[0],
            description=first.description,
        )
        whole = waste.modifier == "JZ"
        numbers = [
            LineNdc(q.number, q.qualifier, q.opened if whole and q.opened is not None else q.given, o.given)
            for o, q, _ in counted
            if q is not None
        ]
        return DrugLines(group, row, self._numbered(line, numbers), tuple(dict.fromkeys(said)))

    def _lines(self, group: tuple[int, ...], answered: list[_Given]) -> DrugLines:
        first = answered[0]
        drug = first.billed.drug
        if any(g.billed.drug.code != drug.code for g in answered):
            codes = sorted({g.billed.drug.code for g in answered})
            says = f"One order gave several codes: {', '.join(codes)}. Give them as orders of their own."
            raise AmbiguousDrug(says, given=first.administration.drug, candidates=tuple(codes), on=self.encounter.on)
        answered = [attrs.evolve(g, opened=share(g.opened, _compared(g))) for g in answered]
        opened = tuple(o for g in answered for o in g.opened)
        said = [x for g in answered for x in g.findings]
        e, brought = self.encounter, any(g.administration.supplied_by == "patient" for g in answered)
        kind, more, rules = self._rules(drug, first.administration, opened, brought=brought)
        said += more
        record = self._record(answered, opened, kind)
        waste = decide(record, rules)
        counted = [(o, *self._counted(o, g)) for g in answered for o in g.opened]
        said += [x for _, _, more in counted for x in more]
        quantities = merged([(o, q) for o, q, _ in counted if q is not None])
        lines = () if waste.withheld else self._build(first, waste, quantities, _trace(answered, waste))
        said += several_in_a_package(opened) if waste.withheld else ()
        found = [attrs.evolve(x, line=1 if lines else None) for x in waste.findings]
        if lines:
            said += another_form(first.administration.drug.strip(), drug, waste.administered, e, self.reference)
        made = DrugLines(group, drug, tuple(lines), tuple(dict.fromkeys([*said, *found])))
        if not waste.discarded or not lines or first.billed.measure.way == "band":
            return made
        return attrs.evolve(made, advice=smaller_containers(drug, record.given, waste.discarded, e.on, self.reference))

    def _rules(
        self, drug: Drug, administration: Administration, opened: tuple[Opened, ...], *, brought: bool
    ) -> tuple[str, Findings, WasteRules]:
        """The kind of the containers, what is to be said about it, and what is asked about discarded drug."""
        e, facts = self.encounter, DrugFacts.of(drug, self.encounter.on, self.policy)
        kind, more, memory = kind_of(administration.container, [o.item for o in opened], e.on, self.reference)
        rules = waste_rules(facts, e.payer, e.claim, e.on, self.policy, brought=brought)
        return kind, more, lenient(rules) if memory else rules

    def _record(self, answered: list[_Given], opened: tuple[Opened, ...], kind: str) -> Record:
        """The record in billing units; a band is one unit, its containers are measured by their own label."""
        shared = any(g.administration.shared for g in answered)
        if answered[0].billed.measure.way == "band":
            return _by_label(sum((_compared(g) for g in answered), Fraction(0)), opened, kind, shared)
        given = sum((g.billed.exact for g in answered), Fraction(0))
        label, discarded = whole_label([o.label for o in opened]), _discarded(opened)
        if label is not None and discarded and any(is_worked_out(g.billed.dose) for g in answered):
            drug, every = answered[0].billed.drug, [g.administration for g in answered]
            discarded = measured_rest(discarded, label - given, every, drug)
        return Record(given, label, discarded, kind, shared, not_recorded(opened))

    def _option(self, name: str) -> PayerOption:
        return self.policy.option(self.encounter.payer, name, self.encounter.on, self.encounter.claim)

    def _counted(self, o: Opened, given: _Given) -> tuple[Quantities | None, Findings]:
        volume = given.volume if len(given.opened) == 1 else None
        return self._quantities(o, given.administration.form, volume, (given.billed.drug.code,))

    def _quantities(
        self, o: Opened, form: str | None, volume: Fraction | None, codes: Sequence[str] = ()
    ) -> tuple[Quantities | None, Findings]:
        e = self.encounter
        wanted = NdcWanted.of(self.policy, e.payer, e.on, e.claim)
        return count(o, form, volume, e.on, self.reference, wanted, codes)

    def _numbered(self, line: Line, numbers: list[LineNdc]) -> tuple[Line, ...]:
        several = self._option("ndc-several").value == "lines"
        return with_ndcs(line, numbers, several, self._option("ndc-several-modifiers").values)

    def _build(
        self, first: _Given, waste: Waste, quantities: list[tuple[Opened, Quantities]], trace: Trace
    ) -> tuple[Line, ...]:
        """The administered line, the JW line, and the NDC on them as the payer wants it."""
        administration, drug = first.administration, first.billed.drug
        pair = bool(waste.discarded)
        how = self._option("ndc-waste").value or "split"
        whole = waste.modifier == "JZ" or (pair and how == "full")
        steps = [step for _, q in quantities for step in q.steps]
        numbers = []
        for o, q in quantities:
            if o.given == 0:
                continue  # opened, and nothing of it given: it has no part in this line
            count_of = q.opened if whole and q.opened is not None else q.given
            numbers.append(LineNdc(q.number, q.qualifier, count_of, o.given))
            if count_of != q.given:
                why = "all that was opened: no other line carries the rest"
                steps.append(Step(f"{q.qualifier} {count_of:f}", why))
        line = Line(
            drug.code,
            (waste.modifier,) if waste.modifier else (),
            waste.administered,
            diagnoses=administration.diagnoses,
            trace=trace + Trace(tuple(steps)),
            kind="drug",
            label=drug.name,
            administration=first.index,
            description=administration.description,
        )
        lines = self._numbered(line, numbers)
        if not pair:
            return lines
        jw = attrs.evolve(line, modifiers=("JW",), units=waste.discarded, kind="waste", trace=waste.trace)
        thrown = [LineNdc(q.number, q.qualifier, q.discarded, o.discarded) for o, q in quantities if q.discarded]
        return (*lines, *(self._numbered(jw, thrown) if how == "split" else (jw,)))


def _discarded(opened: tuple[Opened, ...]) -> Fraction | None:
    """What is recorded as thrown away of all that was opened; None where nothing is recorded."""
    recorded = [o.discarded for o in opened if o.discarded is not None]
    return sum(recorded, Fraction(0)) if recorded else None


def _by_label(amount: Fraction, opened: tuple[Opened, ...], kind: str, shared: bool) -> Record:
    """The record about a drug whose line is one unit whatever its amount: one unit is all that was opened."""
    label, discarded = whole_label([o.label for o in opened]), _discarded(opened)
    whole = label or amount
    thrown = None if discarded is None else discarded / whole
    held = None if label is None else Fraction(1)
    return Record(amount / whole, held, thrown, kind, shared, not_recorded(opened))


def _compared(given: _Given) -> Fraction:
    """The dose as its containers are measured: in billing units, or for a band in the band's own unit."""
    if given.billed.measure.way != "band":
        return given.billed.exact
    return in_units(given.billed.dose, given.billed.drug, given.administration.basis)


def _trace(answered: list[_Given], waste: Waste) -> Trace:
    """The steps to the units: of one dose as they are, of an order's doses with their sum."""
    first = answered[0].billed.trace
    if len(answered) == 1:
        return first + waste.trace
    exact = [g.billed.exact for g in answered]
    total = sum(exact, Fraction(0))
    steps = [*first.steps[:-1], *(g.billed.trace.steps[-2] for g in answered[1:])]
    steps.append(Step(f"{' + '.join(map(decimal_text, exact))} = {decimal_text(total)}", "one order, one dose"))
    steps.append(Step(f"{decimal_text(total)} -> {waste.administered}", "rounded together", first.steps[-1].citation))
    return Trace(tuple(steps)) + waste.trace


def _left_open(error: JcodeunitsError) -> tuple[str, ...]:
    """The codes that a refused drug may still be: the one whose dose was refused, or those that fit its name."""
    codes = (error.code,) if error.fields.get("code") else error.fields.get("candidates") or ()
    return tuple(str(code) for code in codes if hcpcs.is_valid(str(code)))


def _unanswered(error: JcodeunitsError, reference: Reference) -> Finding:
    """The finding that stands for a drug without an answer."""
    if isinstance(error, ProductMismatch):
        return Finding("drug-product-mismatch", "stop", str(error), "Correct the drug or the NDC.", (error.citation,))
    wrong = "route: until then no administration is billed either" if error.fields.get("route") else "dose"
    fix, cited = f"Correct the drug or the {wrong}.", (reference.drugs.newest,)
    return Finding("drug-unanswered", "stop", str(error), fix, cited, argument=error.argument)
