"""What every reader of administrations shares: units, names of drugs, and facts given beside the message.

A message says what was given; it cannot say the place of service, the payer or what was thrown away. Those
come beside it, by the names of the contract's encounter, and may add to what the message says but not
contradict it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from jcodeunits.encounter import Administration, Encounter, OpenedProduct
from jcodeunits.errors import FormatError, JcodeunitsError, quoted
from jcodeunits.facts.by_route import may_be
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding, declare
from jcodeunits.keys import route as canonical_route
from jcodeunits.tables import cited

from . import _amounts, _names, _noticed, _vaccine_names
from ._quoting import refused
from ._times import last_day

FINDINGS = declare(
    __name__,
    {
        "expiry-unread": ("The expiry of a lot is no date", "warn"),
        "product-expired": ("The lot had expired on the day it was given", "warn"),
        "said-beside": ("A fact beside the message stands for one that could not be read in it", "note"),
        "record-repeated": ("A record of a batch says once more what an earlier one says", "warn"),
        "utc-day": ("A time in UTC leaves the day of service open", "warn"),
    },
)
# Places of service that answer a question of reading.
HOME = "12"
INPATIENT = ("21", "31", "51", "61")  # of a hospital, nursing, psychiatric and rehabilitation facility
_ENCOUNTER_KEYS = tuple(
    field.name for field in attrs.fields(Encounter) if field.name not in ("administrations", "findings")
)
_PRODUCT_KEYS = ("ndc", "containers", "container_amount", "container_volume", "discarded", "lot", "expires", "serial")
_GIVEN_KEYS = tuple(field.name for field in attrs.fields(Administration)) + _PRODUCT_KEYS


@attrs.frozen
class Batch:
    """Lot number and expiry of what was given; `expiry` is the last day, None where `said` names none."""

    lot: str | None = None
    expiry: dt.date | None = None
    said: str = ""


def batch(lot: str, expiry: str) -> Batch | None:
    """Lot and expiry as a message says them; None where it says neither."""
    return Batch(lot or None, last_day(expiry), expiry) if lot or expiry else None


@attrs.frozen(slots=False)
class Reading:
    """What a message of administrations holds.

    `encounter`: what may be billed. `batches`: lot and expiry for each of its administrations (None where
    not said).
    """

    encounter: Encounter
    batches: tuple[Batch | None, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was not given or may not be billed, and questions; the encounter carries them to its charge."""
        return self.encounter.findings


@attrs.define  # made for every record, and to freeze it would be half of the work
class Given:
    """One administration of a message, by the contract's names, and where it stands in the message.

    `gaps`: what the message says in words that nobody knows, or does not say, by the name of the fact that
    fills it. `utc`: its time is in UTC, so early that the day at the place may be the one before. `notes`:
    findings about it that its charge carries.
    """

    where: str
    says: Mapping[str, Any]
    gaps: Mapping[str, FormatError]
    on: dt.date | None
    patient: str = ""
    batch: Batch | None = None
    utc: bool = False
    notes: tuple[Finding, ...] = ()


# What the readers of drugs say besides the facts of an administration; `reading` makes facts of it.
STRENGTH = "strength"  # what the drug's text says of one mL, for a dose by volume alone
WHOLE = "whole"  # the drug's whole text, where more than one strength of it tells what a volume is of
WAYS = "ways"  # the routes that the drug's text names, or that its form is for
BRANDS = "brands"  # codes, each with a brand of the drug's text that may have another code on the day
FLUSH = "flush"  # that the drug's text is of a flush, which is its purpose unless another is given beside it

OF_ALL = "of all"  # the key of the facts beside a batch that fill what any of its administrations leaves open


def beside_all(beside: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands beside a batch: the facts that errors ask for are of each administration that leaves them open."""
    if "administrations" in beside:
        return beside
    rest = {key: value for key, value in beside.items() if key not in _EXAMPLES}
    return {**rest, OF_ALL: {key: value for key, value in beside.items() if key in _EXAMPLES and value is not None}}


_OF_ONE_DRUG = ("drug", "ndc", "dose", "concentration", WHOLE, WAYS, BRANDS, FLUSH)


def together(given: Given, drugs: Sequence[tuple[Mapping[str, Any], Mapping[str, FormatError]]]) -> list[Given]:
    """One administration for each drug of a bag or syringe, by what is said of each and what is not."""
    rest = {key: value for key, value in given.says.items() if key not in _OF_ONE_DRUG}
    gaps = {key: gap for key, gap in given.gaps.items() if key not in _OF_ONE_DRUG}
    bag = {"syringe": given.where} if len(drugs) > 1 else {}
    return [attrs.evolve(given, says={**rest, **bag, **says}, gaps={**gaps, **unsaid}) for says, unsaid in drugs]


def take(
    says: dict[str, Any], gaps: dict[str, FormatError], read: Callable[..., Mapping[str, Any]], *of: object
) -> None:
    """Add what `read` reads of something; an error with the field `fills` is a gap that the fact of that name may fill.

    Its field `said` is what the fact must agree with: the beginning of a date, or the number of a dose; its
    field `kept` is what was read all the same.
    """
    try:
        says |= read(*of)
    except FormatError as why:
        if "fills" not in why.fields:
            raise
        gaps[why.fields["fills"]] = why
        says |= why.fields.get("kept", {})


def take_strength(
    says: dict[str, Any],
    gaps: dict[str, FormatError],
    form: str,
    where: str,
    read: Callable[..., Mapping[str, Any]],
    *of: object,
) -> None:
    """Of a dose by volume take the strength that a field says (`read`), else the one in the drug's text, or its whole.

    Two that contradict each other are a gap. No other dose is asked.
    """
    printed, whole = says.pop(STRENGTH, None), says.pop(WHOLE, None)
    if not _amounts.by_volume(says.get("dose", "")):
        return
    take(says, gaps, read, *of)
    if whole is not None and "concentration" not in {*says, *gaps}:
        says["drug"] = whole
        return
    if printed is None or "concentration" in gaps:
        return
    said = says.setdefault("concentration", printed)
    if not _amounts.agree("concentration", said, printed):
        why = f"its strength is {quoted(said)} and its drug's text says {quoted(printed)}"
        gaps["concentration"] = refused(form, where, f"{why}.", fills="concentration")
        del says["concentration"]


def of_vaccine(given: Given, notes: Iterable[Finding], batch: Batch | None, facts: Reference) -> Given:
    """What a vaccine record gives: its purpose and its notes; a missing dose may be given as one dose."""
    rows = _names.rows(str(given.says.get("drug", "")), facts)
    # Unless its code is an antibody's or another drug's.
    purpose = {} if rows and not any(row.kind == "vaccine" for row in rows) else {"purpose": "vaccine"}
    says = {**purpose, **given.says}
    gaps = dict(given.gaps)
    dose = gaps.get("dose")
    if dose is not None and "said" not in dose.fields:
        gaps["dose"] = FormatError(dose.message, **{**dose.fields, "example": "'1 dose'"})
    return attrs.evolve(given, says=says, gaps=gaps, batch=batch, notes=(*given.notes, *notes))


def expired(given: Given, day: dt.date, source: str, cite: str) -> tuple[Finding, ...]:
    """A finding where the product's last day lies before the day that it was given, or cannot be read."""
    batch = given.batch
    if batch is None or not batch.said or (batch.expiry is not None and batch.expiry >= day):
        return ()
    lot = f"lot {batch.lot or 'unknown'}"
    if batch.expiry is None:
        says = f"{given.where}: the expiry of {lot} is no date, so it is not known whether it had expired."
        return (Finding("expiry-unread", "warn", says, "Check the expiry in the record.", (cited(source, cite),)),)
    says = f"{given.where}: {lot} expired on {batch.expiry}, before it was given ({day})."
    return (Finding("product-expired", "warn", says, "Check lot and expiry in the record.", (cited(source, cite),)),)


def _utc_day(given: Given, source: str) -> Finding:
    """The question for a time in UTC whose day at the place may be the one before."""
    says = f"{given.where}: its time is in UTC; {given.on} was taken as the day."
    fix = "Give zone='America/New_York' (the place's own), or on= the day of service."
    return Finding("utc-day", "warn", says, fix, (cited(source, "times"),))


def _still_asks(note: Finding, extra: Mapping[str, Any], place: str) -> bool:
    """Whether a question of reading stands: wastage is answered by what is discarded, a home or stay by its place."""
    if note.rule == "given-at-home":
        return place != HOME
    if note.rule == "supply-in-text":
        return extra.get("supplied_by") is None
    if note.rule == "given-to-inpatient":
        return place not in INPATIENT
    answered = extra.get("discarded") is not None or any(
        (one.discarded if isinstance(one, OpenedProduct) else one.get("discarded")) is not None
        for one in extra.get("products") or ()
    )
    return note.rule != "waste-noted" or not answered


def repeated(found: Encounter | JcodeunitsError, why: str, source: str) -> Encounter | JcodeunitsError:
    """What a record of a batch gives that stands in it already: its charge asks."""
    if not isinstance(found, Encounter):
        return found
    fix = "Leave it out, unless the same was given twice."
    finding = Finding("record-repeated", "warn", f"{why}.", fix, (cited(source, "batch"),))
    return attrs.evolve(found, findings=(*found.findings, finding))


def noted(found: Reading, finding: Finding) -> Reading:
    """The reading with a further finding."""
    made = attrs.evolve(found.encounter, findings=(*found.encounter.findings, finding))
    return attrs.evolve(found, encounter=made)


def _keyed(fix: str) -> str:
    """What to do, with its keyword marked, so that each door says it in its own words."""
    return re.sub(r"\b(?:completed|partial)=True|\bactions=\{[^{}]*\}", "‹\\g<0>›", fix)


def only(found: Reading, form: str) -> Encounter:
    """The encounter of a message whose every administration was given; `FormatError` names the others."""
    missing = [finding for finding in found.findings if finding.rule == "not-administered"]
    if missing:
        raise FormatError(
            f"{' '.join(f'{finding.says} {_keyed(finding.fix)}' for finding in missing)} "
            "reading() gives the rest of the message with this as a finding.",
            format=form,
            place=missing[0].says.partition(":")[0],
            findings=tuple(missing),
        )
    return found.encounter


def reading(
    given: Sequence[Given],
    withheld: Iterable[Finding],
    beside: Mapping[str, Any],
    form: str,
    cite: tuple[str, str],
    reference: Reference,
) -> Reading:
    """The encounter that a message and the facts beside it make; `cite` is the source for an expiry."""
    withheld = tuple(withheld)
    if not given:
        says = " ".join(f"{finding.says} {_keyed(finding.fix)}" for finding in withheld)
        raise FormatError(says or "The message holds no administration.", format=form, findings=withheld)
    if len(given) > 1:
        _one_patient(given, form)
    encounter, each = _sorted_out(beside, len(given), form)
    on = _one_day(given, encounter, form)
    of_all = beside.get(OF_ALL)
    ways = [_Way(at, each) for at in range(len(given))] if of_all is None and len(given) > 1 else [_ALONE] * len(given)
    if of_all:
        each = [{**_left_open(one, of_all, form, reference), **extra} for one, extra in zip(given, each, strict=True)]
    rows = [_merged(one, extra, form, reference, way) for one, extra, way in zip(given, each, ways, strict=True)]
    if encounter.get("place") is None:
        says = "The message does not say where: give ‹place='11'› (place of service, two digits) beside it."
        raise FormatError(says, format=form, place="place")
    made = Encounter.from_dict({**encounter, "on": on, "administrations": rows})
    said = encounter.get("on")
    found = [*withheld]
    for one, extra in zip(given, each, strict=True):
        found += expired(one, made.on, *cite)
        if BRANDS in one.says and "drug" not in extra:
            _names.check_brands(one.says[BRANDS], made.on, form, one.where, reference)
        if one.utc and said is None:
            found.append(_utc_day(one, cite[0]))
        found += [note for note in one.notes if _still_asks(note, extra, made.place)] if one.notes else ()
        if extra or one.gaps:
            found += _filled(one, {**extra, "on": said}, cite[0], reference)
    if found:
        made = attrs.evolve(made, findings=tuple(found))
    return Reading(made, tuple([one.batch for one in given]))


def _one_patient(given: Sequence[Given], form: str) -> None:
    patients = {one.patient for one in given}
    if len(patients) > 1:
        unsaid = ", one of them not named" if "" in patients else ""
        says = f"The message is about several patients ({len(patients)}{unsaid}), and an encounter is one patient's"
        raise FormatError(f"{says}: read_all() reads them one at a time.", format=form, place="patient", several=True)


def _one_day(given: Sequence[Given], encounter: Mapping[str, Any], form: str) -> Any:
    days = sorted({one.on for one in given if one.on is not None})
    if len(days) > 1:
        says = f"The message is about several days ({', '.join(map(str, days))}). An encounter is one day"
        raise FormatError(f"{says}: read_all() reads them one at a time.", format=form, place="on", several=True)
    said = encounter.get("on")
    for one in given:
        if (gap := one.gaps.get("on")) is not None:
            _fill(one, gap, "on", said, form, days=days)
    if not days and said is None:
        raise FormatError("The message does not say when: give ‹on='2026-03-02'› beside it.", format=form, place="on")
    if days and said is not None and str(said) != str(days[0]):
        the_day_before = str(days[0] - dt.timedelta(days=1))
        if str(said) == the_day_before and all(one.utc for one in given):
            return said
        raise FormatError(f"The message says {days[0]} and on= says {said}.", format=form, place="on")
    return days[0] if days else said


_KINDS: Mapping[type, tuple[Callable[[object], bool], str]] = {
    bool: (lambda value: isinstance(value, bool), "true or false"),
    list: (
        lambda value: isinstance(value, (list, tuple)) and all(isinstance(one, Mapping) for one in value),
        "a list of objects",
    ),
    dict: (lambda value: isinstance(value, Mapping), "an object"),
}


def as_given(form: str, kind: type, **options: Any) -> None:
    """Refuse what stands beside a message and is not of its kind: `bool`, `list` (of objects) or `dict`."""
    is_right, what = _KINDS[kind]
    for name, value in options.items():
        if not is_right(value):
            says = f"{name}= must be {what}, not {type(value).__name__}."
            raise FormatError(says, format=form, place=name)


def _sorted_out(beside: Mapping[str, Any], count: int, form: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What stands beside the message: facts of the encounter, and of each administration."""
    encounter: dict[str, Any] = {}
    single: dict[str, Any] = {}
    each: list[dict[str, Any]] = [{}] * count
    if beside.get("administrations"):
        as_given(form, list, administrations=beside["administrations"])
        each = list(beside["administrations"])
    for key, value in beside.items():
        if key in _ENCOUNTER_KEYS:
            encounter[key] = value
        elif key in _GIVEN_KEYS:
            single[key] = value
        elif key not in ("administrations", OF_ALL):
            near = difflib.get_close_matches(key, (*_ENCOUNTER_KEYS, *_GIVEN_KEYS), 1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            says = f"{key!r} is no fact of an encounter or an administration.{meant}"
            raise FormatError(says, format=form, place=key)
    if len(each) != count or (single and count != 1):
        raise FormatError(
            f"The message holds {count} administrations: give administrations=[...] with a dict for each, "
            "in the order of the message.",
            format=form,
            place="administrations",
        )
    return encounter, [{**one, **single} for one in each] if single else each


@attrs.frozen
class _Way:
    """How a fact of one administration stands beside a message: by its name, or in its place of a list of several."""

    at: int = 0
    each: Sequence[Mapping[str, Any]] = ({},)

    def of(self, key: str, example: str) -> str:
        """What to write, what is given already with it."""
        if len(self.each) == 1:
            return f"give ‹{key}={example}› beside it"
        if len(self.each) > _LISTED:
            return f"give {key!r}: {example} in dict {self.at + 1} of administrations=[...] beside it"
        dicts = (_written(one, *((key, example) if at == self.at else ())) for at, one in enumerate(self.each))
        return f"give ‹administrations=[{', '.join(dicts)}]› beside it"


def _written(facts: Mapping[str, Any], key: str = "", example: str = "") -> str:
    """The dict of one administration: its facts as they were given, those that are a short text, and a further one."""
    said = {name: repr(value) for name, value in facts.items() if type(value) is str and len(value) <= _SHORT}
    said |= {key: example} if key else {}
    return f"{{{', '.join(f'{name!r}: {value}' for name, value in said.items())}}}"


_SHORT = 40  # characters of a fact that an error writes out again
_ALONE = _Way()
_LISTED = 5  # administrations whose dicts an error writes out


def _merged(given: Given, extra: Mapping[str, Any], form: str, reference: Reference, way: _Way) -> dict[str, Any]:
    """The administration as the message has it, with what stands beside it; contradictions are refused."""
    says = dict(given.says)
    printed, _ = says.pop(WAYS, ()), says.pop(BRANDS, ())
    says |= {"purpose": "flush"} if says.pop(FLUSH, False) and extra.get("purpose") is None else {}
    for key, gap in given.gaps.items():
        if key in _EXAMPLES:
            _fill(given, gap, key, extra.get(key), form, way, example=_example(key, printed))
            _check_either(given, gap, key, extra.get(key), form, reference)
    for key, value in extra.items():
        if key in says and not _refines(key, says[key], value, reference):
            raise _contradicted(given.where, key, says[key], value, form)
        if key == "drug" and key in says and _names.relation(says[key], str(value), reference) == "vague":
            continue  # the message says more
        says[key] = value
    if "products" in extra:
        says.pop("discarded", None)  # each product has its own
    if "products" in says and "ndc" in says:
        ndcs = {one.ndc if isinstance(one, OpenedProduct) else one.get("ndc") for one in says["products"]}
        if says["ndc"] not in ndcs:
            why = f"the message names the NDC {says['ndc']}, which products= does not hold."
            raise refused(form, given.where, why)
        del says["ndc"]
    if given.batch is not None and "products" not in says:
        says = {"lot": given.batch.lot, "expires": given.batch.expiry, **says}
    for key in _ALWAYS:
        if says.get(key) is None:
            why = f"the message does not say the {key}: {way.of(key, _example(key, printed))}."
            raise refused(form, given.where, why)
    _check_way(given, says["route"], printed, form)
    return says


def _left_open(given: Given, facts: Mapping[str, Any], form: str, reference: Reference) -> dict[str, Any]:
    """Those of the facts beside a batch that an administration leaves open, or that say what it says."""
    found: dict[str, Any] = {}
    for key, value in facts.items():
        gap = given.gaps.get(key)
        if gap is not None:
            with contextlib.suppress(FormatError):
                _fill(given, gap, key, value, form)
                _check_either(given, gap, key, value, form, reference)
                found[key] = value
        elif key in given.says:
            found |= {key: value} if _refines(key, given.says[key], value, reference) else {}
        elif key in _ALWAYS or (key == "concentration" and _amounts.by_volume(given.says.get("dose", ""))):
            found[key] = value
    return found


_ALWAYS = ("drug", "dose", "route")  # of every administration


def _example(key: str, ways: Iterable[str]) -> str:
    """A fact as an error writes it: a route that the drug's text or form allows, where it tells one."""
    return next(map(repr, sorted(ways)), _EXAMPLES[key]) if key == "route" else _EXAMPLES[key]


def _check_way(given: Given, route: str, printed: Iterable[str], form: str) -> None:
    """Refuse a route by which what a drug's text names cannot have been given."""
    if printed and not any(may_be(one, canonical_route(route)) for one in printed):
        why = (
            f"its drug's text or form is of what is given by the route {' or '.join(sorted(printed))}, and its route is"
        )
        raise refused(form, given.where, f"{why} {quoted(route)}. Correct the one that is wrong.")


_EXAMPLES = {
    "drug": "'ketorolac'",
    "dose": "'30 mg'",
    "route": "'IM'",
    "concentration": "'30 mg/mL'",
    "stop": "'11:30'",
}
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+", re.ASCII)


def _contradicted(where: str, key: str, said: Any, value: Any, form: str) -> FormatError:
    why = f"the message says {key} {quoted(said)} and {quoted(value)} was given beside it."
    return refused(form, where, f"{why} Correct the one that is wrong.")


def _fill(
    given: Given,
    gap: FormatError,
    key: str,
    value: Any,
    form: str,
    way: _Way = _ALONE,
    days: Sequence[dt.date] = (),
    example: str = "'2026-03-02'",
) -> None:
    """Let a fact beside the message fill what could not be read; refused where it is missing or contradicts."""
    if value is None:
        example = gap.fields.get("example") or example
        if key == "on" and (said := gap.fields.get("said")):
            of_others = (str(day) for day in days if str(day).startswith(said))
            # A day of the year or month that it does say, the one of the message's other records where there is one.
            example = f"'{next(of_others, said + '-01' * (2 - said.count('-')))}'"
        if key == "dose" and "said" in gap.fields and _NUMBER.fullmatch(gap.fields["said"]):
            example = f"'{gap.fields['said']} mg'"
        raise FormatError(f"{gap.message} Or {way.of(key, example)}.", **gap.fields)
    said = gap.fields.get("said")
    if said is None:
        return
    if key == "on":
        agrees = str(value).startswith(said)
    elif not _NUMBER.fullmatch(said):
        return  # a number longer than any dose
    else:
        number_of = _NUMBER.match(str(value))
        agrees = number_of is not None and Decimal(number_of[0].replace(",", "")) == Decimal(said)
    if not agrees:
        raise _contradicted(given.where, key, said, value, form)


def _check_either(given: Given, gap: FormatError, key: str, value: Any, form: str, reference: Reference) -> None:
    """Refuse another drug beside a message that leaves open which of several it is, or which code its vaccine has."""
    if any(_vaccine_names.differs(str(value), text, reference) for text in gap.fields.get("vaccine", ()) if value):
        why = f"the vaccine that the message names is another one than {quoted(value)}, which was given beside it."
        raise refused(form, given.where, f"{why} Correct the one that is wrong.")
    either = gap.fields.get("either", ())
    if either and all(_names.relation(one, str(value), reference) == "other" for one in either):
        raise _contradicted(given.where, key, " or ".join(either), value, form)


def _filled(given: Given, extra: Mapping[str, Any], source: str, reference: Reference) -> Iterable[Finding]:
    """A note for each fact beside the message that stands for something the message says unreadably."""
    unread = {key for key in given.gaps if extra.get(key) is not None}
    name = extra.get("drug")
    said = given.says.get("drug")
    if name is not None and said and _names.relation(said, str(name), reference) == "unknown":
        unread.add("drug")
    dose = extra.get("dose")
    if dose is not None and _amounts.is_count(given.says.get("dose", "")) and not _amounts.is_count(dose):
        unread.add("dose")
    for key in sorted(unread):
        yield Finding(
            "said-beside",
            "note",
            f"{given.where}: the {key} in the message is not one that can be read; {str(extra[key])!r}, given "
            "beside it, was taken.",
            f"Check that the record says this {key}.",
            (cited(source, key),),
        )


def _refines(key: str, said: Any, value: Any, reference: Reference) -> bool:
    """Whether a fact beside the message is the same or only more exact: IV to IV push, an NDC to its code."""
    if key == "drug":
        return _names.relation(said, str(value), reference) != "other"
    if key == "route":
        more = canonical_route(value)
        return more == said or (said == "IV" and more.startswith("IV "))
    if key == "dose" and _amounts.is_count(said) and not _amounts.is_count(value):
        return True  # so many vials, and how much was in them
    return said == value or _amounts.agree(key, said, value)


def against_order(
    given: str,
    says: Mapping[str, Any],
    name: Callable[[], str],
    amounts: Callable[[], Sequence[str]],
    cites: tuple[str, str],
    source: str,
    facts: Reference,
) -> Iterator[Finding]:
    """The questions which drug was given, and how much of it, where the order says another one or ten times it.

    `name` and `amounts` read the order; it is not billed, so that its own faults are of no matter.
    """
    drug, dose = str(says.get("drug", "")), str(says.get("dose", ""))
    with contextlib.suppress(FormatError):
        ordered = name()
        if drug and ordered and _names.are_two(drug, ordered, facts):
            yield _noticed.order_differs(given, ordered, drug, source, cites[0])
    with contextlib.suppress(FormatError):
        each = amounts()
        if each and all(_amounts.is_slip(dose, one) for one in each):
            yield _noticed.dose_differs(given, each[0], dose, source, cites[1])
