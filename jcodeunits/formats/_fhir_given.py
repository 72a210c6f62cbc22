"""FHIR administrations: what was given, by R4's and R5's names for the same things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import attrs

from jcodeunits.errors import FormatError, quoted
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding

from . import (
    _amounts,
    _drugs,
    _fhir_questions,
    _fhir_standing,
    _fhir_vaccines,
    _incoming,
    _names,
    _noticed,
    _routes,
    _units,
    _vaccine_names,
)
from ._fhir_json import (
    CPT,
    CVX,
    HCPCS,
    ICD10,
    NDC,
    RXNORM,
    UCUM,
    Around,
    Message,
    addressed,
    codes,
    decimal,
    flag,
    refused,
    system_of,
    turned,
    words,
)
from ._fhir_performers import NOT_STAFF, of_another, performer, subject
from ._fhir_questions import SOURCE
from ._fhir_times import stamps
from ._incoming import Batch, Given, Reading
from ._outgoing import number
from ._quoting import amount
from ._quoting import coded as quote
from ._times import Moment

_ORDERS = ("MedicationRequest", "MedicationDispense", "MedicationStatement", "MedicationUsage", "ServiceRequest")


def reading(
    message: Message,
    *,
    partial: bool = False,
    completed: bool = False,
    zone: str | None = None,
    medications: Sequence[dict[str, Any]] = (),
    reference: Reference,
    **beside: Any,
) -> Reading:
    """What the administrations of a parsed message say; see `fhir.read` for what may stand beside them."""
    if partial or completed or medications:
        _incoming.as_given("fhir", bool, partial=partial, completed=completed)
        _incoming.as_given("fhir", list, medications=medications or [])
    known = {**message.known, **addressed(("", one) for one in medications)} if medications else message.known
    may_turn = message.may_turn or bool(medications)
    given: list[Given] = []
    withheld: list[Finding] = []
    seen: set[str] = set()
    for at, resource in message.given:
        kind = resource["resourceType"]
        where = f"{kind} {resource.get('id') or at}"
        if where in seen:
            raise refused(where, "it stands twice in the message, and would be billed twice")
        seen.add(where)
        found = _one(resource, where, Around.of(resource, known, may_turn), partial, completed, zone, reference)
        if isinstance(found, Finding):
            withheld.append(found)
        else:
            given.extend(found)
    if not given and not withheld:
        raise FormatError(_nothing(message), format="fhir")
    cite = (SOURCE, "Medication.batch.expirationDate")
    read = _incoming.reading(given, withheld, beside, "fhir", cite, reference)
    if message.charges and (charged := _fhir_questions.charged(message, str(read.encounter.on))):
        read = _incoming.noted(read, _noticed.charged_beside(charged, SOURCE, "Bundle.entry"))
    return _incoming.noted(read, _noticed.incomplete(SOURCE, _IS_PART, "Bundle.link")) if message.is_part else read


_IS_PART = "The Bundle has a next page, counts more than it holds or says what failed, or a record was cut (SUBSETTED)"


def _one(
    resource: dict[str, Any],
    where: str,
    around: Around,
    partial: bool,
    completed: bool,
    zone: str | None,
    facts: Reference,
) -> Finding | list[Given]:
    """What one record says was given, or the finding that it may not be billed."""
    if resource.get("resourceType") != "Immunization":
        finding = _fhir_standing.against(resource, where, partial, completed)
        if finding is None and (around.known or around.inside):
            finding = _fhir_standing.by_others(resource, around, where)
        return finding or _given(resource, where, around, zone, facts)
    same = _fhir_vaccines.as_administration(resource)
    finding = _fhir_standing.against(same, where, partial, completed) or _fhir_vaccines.reported(resource, where)
    if finding is not None:
        return finding
    notes = (*_fhir_vaccines.funding(resource, where), *_fhir_vaccines.uncounted(resource, where))
    batch = _batch(same)
    return [_incoming.of_vaccine(one, notes, batch, facts) for one in _given(same, where, around, zone, facts)]


def _nothing(message: Message) -> str:
    kinds = sorted(quote(str(kind)).strip("'") for kind in message.kinds)
    orders = [kind for kind in kinds if kind in _ORDERS]
    if orders:
        return (
            f"{' and '.join(orders)} says what was ordered, dispensed or reported, not what was given, "
            "and is never billed. Send the MedicationAdministration."
        )
    return f"No MedicationAdministration in the message ({', '.join(kinds) or 'nothing'}), and no Immunization."


def _given(resource: dict[str, Any], where: str, around: Around, zone: str | None, facts: Reference) -> list[Given]:
    says: dict[str, Any] = {}
    gaps: dict[str, FormatError] = {}
    concept: dict[str, Any] = {}
    medication: dict[str, Any] = {}
    try:
        concept, medication = _medication(resource, where, around, facts)
    except FormatError as why:
        if "fills" not in why.fields:
            raise
        gaps["drug"] = why
    for one in (resource, medication) if around.may_turn else ():
        if key := turned(one):
            raise refused(where, f"it has a {key}, which changes its meaning in a way that is not known here")
    dosage = resource.get("dosage") or {}
    _incoming.take(says, gaps, _dose, dosage, where)
    names = _names_of(concept, facts)
    if concept:
        _incoming.take(says, gaps, _drug, names, where, facts, says.get("dose", ""))
    if form := medication.get("form") or medication.get("doseForm"):
        says |= _drugs.formed(says, words(form), facts)
    _incoming.take(says, gaps, _routed, dosage, where)
    parts = [_Part(one, _name(_item(one), facts), where) for one in medication.get("ingredient") or ()]
    _incoming.take_strength(says, gaps, "fhir", where, _strength, medication, parts, where, facts)
    first: list[Moment] = []
    _incoming.take(says, gaps, stamps, resource, where, zone, first)
    actor, kind = performer(resource, around)
    if actor:
        says["performer"] = actor
    notes: list[Finding] = []
    found, others, unread = _reasons(resource, around)
    if found or others:
        said, asked = _noticed.diagnoses(found, others, where, "reason", SOURCE)
        says |= said
        notes += asked
        notes += _fhir_questions.reasons(resource, where) if others else ()
    notes += [_noticed.unread_reason(where, name, SOURCE) for name in unread]
    notes += _fhir_questions.asked(resource, dosage, says, where, facts)
    notes += _noticed.supplied(where, names.words, SOURCE, "medication")
    notes += _beside(resource, around, says, where, facts)
    if kind in NOT_STAFF:
        says["self_administered"] = True
        notes.append(_noticed.not_staff(where, NOT_STAFF[kind], SOURCE, "performer"))
    patient = subject(resource)
    on, utc = (first[0].day, first[0].utc) if first else (None, False)
    whole = Given(where, says, gaps, on, patient, _batch(medication), utc, tuple(notes))
    if not medication:
        return [whole]
    if drugs := _mixed(whole, parts, facts):
        return _incoming.together(whole, drugs)
    more = _noticed.unbilled(where, _further(str(says.get("drug", "")), parts, facts), SOURCE, "ingredient")
    return [attrs.evolve(whole, notes=(*whole.notes, *more)) if more else whole]


def _beside(
    resource: dict[str, Any], around: Around, says: Mapping[str, Any], where: str, facts: Reference
) -> Iterable[Finding]:
    """What is asked by the visit and the order of a record, where the message holds more than it."""
    return _by_others(resource, around, says, where, facts) if around.known or around.inside else ()


def _by_others(
    resource: dict[str, Any], around: Around, says: Mapping[str, Any], where: str, facts: Reference
) -> Iterator[Finding]:
    yield from _fhir_standing.of_visit(resource, around, where)
    if (order := _fhir_standing.order_of(resource, around)) is not None:
        yield from _incoming.against_order(
            where,
            says,
            lambda: _name(_medication(order, where, around, facts)[0], facts),
            lambda: [_quantity(one, where) for one in _fhir_standing.ordered_doses(order)],
            ("request", "request"),
            SOURCE,
            facts,
        )


def _medication(
    resource: dict[str, Any], where: str, around: Around, facts: Reference
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The concept that names the drug, and the Medication where there is one.

    Where the message does not hold the Medication, a drug's name beside the reference names the drug.
    """
    r5 = resource.get("medication") or {}
    said = [one for one in (resource.get("medicationCodeableConcept"), r5.get("concept")) if one]
    inner = r5.get("reference")
    reference = resource.get("medicationReference") or (inner if isinstance(inner, dict) else r5)  # DSTU2's draft
    pointer = reference.get("reference")
    if said and not pointer:
        return _joined(said), {}
    found = around.find(str(pointer)) if pointer else None
    beside = {"text": reference.get("display")}
    if found is None or found.get("resourceType") != "Medication":
        if said or _names.codes(_name(beside, facts), facts):
            return _joined([*said, beside]), {}
        if not reference:
            return {}, {}
        why = "its drug is a Medication that the message does not hold; give it in ‹medications=[...]›"
        raise refused(where, why, fills="drug")
    if found.get("status") not in MEDICATION_STATUS:
        status = quote(found["status"]).strip("'")
        raise refused(where, f"its Medication has the status {status}: name the drug anew", fills="drug")
    found = _whole(found)
    return _joined([*said, found.get("code") or _sole_ingredient(found), beside]), found


def _whole(medication: dict[str, Any]) -> dict[str, Any]:
    """A Medication by the names of R4: DSTU2 has its form, ingredients and batches in `product`."""
    product, batches = medication.get("product"), medication.get("batch")
    if isinstance(product, dict):
        return _whole({**product, **{key: value for key, value in medication.items() if key != "product"}})
    if not isinstance(batches, list):
        return medication
    first: dict[str, Any] = min(batches, key=lambda one: str(one.get("expirationDate") or "~"), default={})
    return {**medication, "batch": first}  # the one that expires first, as of several lots


def _joined(concepts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What several elements call one drug, as one concept, so that all its names are compared."""
    if len(concepts) == 1:
        return concepts[0]
    named = [one for one in concepts if one.get("coding") or one.get("text")]
    if len(named) < 2:
        return named[0] if named else concepts[0]
    texts = [{"display": one["text"]} for one in named if one.get("text")]
    return {"coding": [*(code for one in named for code in one.get("coding") or ()), *texts]}


# Of a Medication: a product that is no longer in use may have been given, one in error may not be read.
MEDICATION_STATUS = (None, "active", "inactive")


def _sole_ingredient(medication: Mapping[str, Any]) -> dict[str, Any]:
    """What a Medication without code is made of, where that is one thing."""
    parts = medication.get("ingredient") or []
    if len(parts) != 1:
        return {}
    return _item(parts[0])


class _Names(NamedTuple):
    """What a concept calls a drug: NDCs, codes of HCPCS or CPT, codes of CVX, texts; and every word in it."""

    ndcs: tuple[str, ...]
    codes: tuple[str, ...]
    vaccines: tuple[str, ...]
    texts: tuple[str, ...]
    words: tuple[str, ...]


def _names_of(concept: Mapping[str, Any], facts: Reference) -> _Names:
    return _called(*_coded(concept), facts)


@lru_cache(maxsize=4096)
def _called(codings: tuple[_routes.Coding, ...], written: tuple[str, ...], facts: Reference) -> _Names:
    """The names in the codings of a concept and in its text; RxNorm's text, or the sender's of it, comes first."""
    coded: dict[str | None, list[str]] = {}
    texts: list[str] = []
    for code, system, display in codings:
        known = system_of(system) if code else None
        coded.setdefault(known, []).append(code)
        if known == RXNORM:
            texts += [display, facts.drugs.rxnorm.get(code) or ""]
    codes, displays = [code for code, _, _ in codings], [display for _, _, display in codings]
    return _Names(
        tuple(coded.get(NDC, ())),
        (*coded.get(HCPCS, ()), *coded.get(CPT, ())),
        tuple(coded.get(CVX, ())),
        tuple([text for text in (*texts, *written, *displays) if text]),
        tuple([word for word in (*codes, *displays, *written) if word]),
    )


def _drug(names: _Names, where: str, facts: Reference, dose: str = "") -> Mapping[str, str]:
    """The drug by its most exact name: NDC, then code, then RxNorm's or the sender's text.

    `dose`: of a vaccine, which may tell which of two codes its code of CVX stands for.
    """
    ndcs, billed, vaccines, texts, _ = names
    if vaccines:
        told = _vaccine_names.of_cvx(vaccines, dose, [*ndcs, *billed], facts, "fhir", where, texts)
        billed = tuple(dict.fromkeys((*billed, *told)))
    return _drugs.identity(ndcs, billed, texts, facts, "fhir", where)


def _dose(dosage: dict[str, Any], where: str) -> dict[str, str]:
    dose, other = dosage.get("dose"), dosage.get("quantity")  # the second is DSTU2's name
    if dose and other and dose != other:
        raise refused(where, "its dosage says a dose and a quantity, which contradict each other")
    dose = dose or other
    if not dose or dose.get("value") is None:
        said = " (only as text, in dosage.text)" if dosage.get("text") else ""
        raise refused(where, f"it has no dose{said}; the amount given must stand in dosage.dose", fills="dose")
    if dose.get("comparator"):
        why = f"its dose is {dose['comparator']} {dose['value']}, which is no exact amount"
        raise refused(where, why, fills="dose")
    return {"dose": _quantity(dose, f"{where}, dose")}


def _quantity(quantity: Mapping[str, Any], where: str) -> str:
    """An amount with its unit as text: the UCUM code where there is one, else the unit as written."""
    raw = quantity.get("value")
    value = decimal(raw)
    if value is None:
        raise refused(where, f"{quote(raw)} is no number", fills="dose")
    if value <= 0:
        raise refused(where, f"the amount is {raw}, and an amount that was given is above 0")
    code, text = quantity.get("code") or "", quantity.get("unit") or quantity.get("units") or ""  # DSTU1 and 2's draft
    ucum = bool(code) and quantity.get("system", UCUM) == UCUM
    if not code and not text:
        said = amount(number(value))
        why = f"{said} has no unit, and 30 mg is not 30 mcg; the sender must add it"
        raise refused(where, why, fills="dose", said=said)
    coded = code if ucum else text or code
    is_surely = ucum and ("system" in quantity or not text)  # a code of no system may be the sender's own
    return _units.measured(value, coded, text if ucum else "", "fhir", where, coded=is_surely)


def _routed(dosage: dict[str, Any], where: str) -> dict[str, str]:
    """Route and site; a method such as IV push makes a plain IV exact."""
    says: dict[str, str] = {}
    if route := _routes.said(*_coded(dosage.get("route")), "fhir", f"{where}, route"):
        if method := dosage.get("method"):
            by_it = _routes.by_method(*_coded(method), "fhir", f"{where}, method")
            route = _routes.refined(route, by_it, "fhir", where)
        says["route"] = route
    if site := words(dosage.get("site")):
        says["site"] = site[-1]
    return says


def _coded(concept: Mapping[str, Any] | None) -> tuple[tuple[_routes.Coding, ...], tuple[str, ...]]:
    """The codings of a concept, and its text."""
    if not concept:
        return (), ()
    codings = [
        _routes.Coding(str(one.get("code") or ""), str(one.get("system") or ""), str(one.get("display") or ""))
        for one in concept.get("coding") or ()
    ]
    return tuple(codings), (str(concept.get("text") or ""),)


class _Part:
    """An ingredient of a Medication, and the name of it; `is_base` where it carries the others."""

    def __init__(self, said: dict[str, Any], name: str, where: str) -> None:
        self.said, self.name, self.where = said, name, where

    @cached_property
    def is_base(self) -> bool:
        """Whether its strength is a volume in a volume."""
        ratio = self.said.get("strength") or self.said.get("strengthRatio") or {}
        try:
            return bool(ratio.get("numerator")) and _amounts.by_volume(_quantity(ratio["numerator"], self.where))
        except FormatError:
            return False


def _strength(medication: dict[str, Any], parts: Sequence[_Part], where: str, facts: Reference) -> dict[str, str]:
    """The strength of the drug that is billed as a concentration, where it has exactly one.

    A strength belongs to its ingredient: a diluent, a base solution and a second drug give none. The amount
    of the whole product (R4, in STU3 also of an ingredient) counts where the drug is its only one.
    """
    active = [one for one in parts if flag(one.said.get("isActive", True)) is True]
    own = _own(active, medication, facts)
    ratios = [medication.get("amount")] if len(active) == len(own) else []
    for one in own:
        ratios += [one.get("strength"), one.get("strengthRatio"), one.get("amount")]
        if isinstance(amount := one.get("strengthQuantity"), dict):
            ratios.append({"numerator": amount, "denominator": medication.get("totalVolume")})
    found = {text for ratio in ratios if isinstance(ratio, dict) and (text := _concentration(ratio, where))}
    written = [text for one in own for text in words(one.get("strengthCodeableConcept"))]
    found |= {text for one in written if (text := _drugs.one_ml(one))}
    return {"concentration": found.pop()} if len(found) == 1 else {}


def _concentration(ratio: Mapping[str, Any], where: str) -> str | None:
    top, bottom = ratio.get("numerator"), ratio.get("denominator")
    if not top or not bottom or top.get("comparator") or bottom.get("comparator"):
        return None
    try:
        return _amounts.concentration(lambda: _quantity(top, where), lambda: _quantity(bottom, where))
    except FormatError as why:
        unread = f"its strength cannot be read: {why.message.removesuffix('.')}"
        raise refused(where, unread, fills="concentration") from None


def _own(active: Sequence[_Part], medication: Mapping[str, Any], facts: Reference) -> list[dict[str, Any]]:
    """The active ingredients that are the drug itself: by name, else the only one unless it is another."""
    drug = _name(medication.get("code"), facts)
    each = [(one.said, _names.relation(drug, one.name, facts) if drug and one.name else "") for one in active]
    named = [one for one, relation in each if relation in ("same", "exact", "vague")]
    return named or [one for one, relation in each if len(active) == 1 and relation != "other"]


def _mixed(given: Given, parts: Sequence[_Part], facts: Reference) -> list[_Said]:
    """What is said of each drug of a Medication whose code names no drug, or only the base.

    A combination that has a code of its own is one drug. The base is none; each part has its own strength.
    """
    drug = str(given.says.get("drug", ""))
    if _names.codes(drug, facts) and not _names.is_solution(drug, facts):
        return []
    told = [one for one in parts if flag(one.said.get("isActive", True))]
    each = [(one.said, one.name) for one in told if _names.codes(one.name, facts) and not one.is_base]
    if len({name for _, name in each}) < len(each):
        return []
    drugs = [(one, name) for one, name in each if not _names.is_solution(name, facts)] or each
    return [_ingredient(given, one, name, len(drugs) > 1) for one, name in drugs]


def _further(drug: str, parts: Sequence[_Part], facts: Reference) -> list[str]:
    """The active ingredients of a Medication that are another drug than it is, and no base that carries it."""
    if not drug:
        return []
    return [
        one.name
        for one in parts
        if one.name
        and flag(one.said.get("isActive", True)) is True
        and _names.contradicts(drug, one.name, facts)
        and not one.is_base
        and not _names.is_solution(one.name, facts)
    ]


_Said = tuple[dict[str, Any], dict[str, FormatError]]


def _ingredient(given: Given, ingredient: Mapping[str, Any], name: str, several: bool) -> _Said:
    says: dict[str, Any] = {"drug": name}
    gaps = {key: gap for key, gap in given.gaps.items() if key == "dose"}
    for ratio in (ingredient.get("strength"), ingredient.get("strengthRatio")):
        if ratio:
            _incoming.take(says, gaps, _as_concentration, ratio, given.where)
    dose = given.says.get("dose", "")
    # A volume of several drugs together is a dose of one of them by its strength in the mixture alone.
    if several and not (_amounts.by_volume(dose) and {*says, *gaps} & {"concentration"}):
        why = f"it does not say how much {quoted(name)} was given, one of several drugs in it"
        return {"drug": name}, {"dose": refused(given.where, why, fills="dose")}
    return says | ({"dose": dose} if dose else {}), gaps


def _as_concentration(ratio: Mapping[str, Any], where: str) -> dict[str, str]:
    found = _concentration(ratio, where)
    return {"concentration": found} if found else {}


def _item(ingredient: Mapping[str, Any]) -> dict[str, Any]:
    """What an ingredient is: a concept, or the words of a reference."""
    r5 = ingredient.get("item") or {}
    inner = r5.get("reference")
    reference = ingredient.get("itemReference") or (inner if isinstance(inner, dict) else r5)  # DSTU2 has no more
    display = reference.get("display")
    concept = ingredient.get("itemCodeableConcept") or r5.get("concept")
    return concept or ({"text": display} if display else {})


def _name(concept: dict[str, Any] | None, facts: Reference) -> str:
    """The name of a drug, or of what stands beside it; empty where none can be read."""
    try:
        return _drug(_names_of(concept, facts), "", facts)["drug"] if concept else ""
    except FormatError:
        return ""


_REASONS_GIVEN = ("reasonCode", "reasonGiven", "reasonReference", "reason")
# A Condition that is not (or no longer) held to be so.
_NO_CONDITION = {"entered-in-error", "refuted"}


def _reasons(resource: dict[str, Any], around: Around) -> tuple[list[str], bool, list[str]]:
    """ICD-10-CM codes of the reasons, whether they have none, and the elements that point to what is not at hand.

    R4 has reasonCode and reasonReference, R5 reason with a concept or a reference; both point to Conditions.
    """
    if resource.keys().isdisjoint(_REASONS_GIVEN):
        return [], False, []
    concepts = [*(resource.get("reasonCode") or []), *(resource.get("reasonGiven") or [])]
    pointers = [("reasonReference", one) for one in resource.get("reasonReference") or []]
    for one in resource.get("reason") or []:
        concepts.append(one.get("concept") or {})
        if isinstance(one.get("reference"), dict):
            pointers.append(("reason", one["reference"]))
    unread = []
    for name, pointer in pointers:
        found = around.find(str(pointer.get("reference") or ""))
        if found is None or of_another(resource, found):
            unread.append(name)
        else:
            how_sure = found.get("verificationStatus")  # a concept, before R4 a code
            if _NO_CONDITION.isdisjoint(words(how_sure) if isinstance(how_sure, dict) else (str(how_sure),)):
                concepts.append(found.get("code") or {})
    each = [codes(concept, ICD10) for concept in concepts if words(concept)]
    codings = [code["code"] for found in each for code in found]
    return list(dict.fromkeys(codings)), bool(each) and not codings, list(dict.fromkeys(unread))


def _batch(medication: dict[str, Any]) -> Batch | None:
    if not (batch := medication.get("batch")):
        return None
    return _incoming.batch(str(batch.get("lotNumber") or ""), str(batch.get("expirationDate") or ""))
