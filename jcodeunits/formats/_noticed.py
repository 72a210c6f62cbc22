"""What the readers of messages notice: the findings that travel with an encounter to its charge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from jcodeunits.errors import EncounterError, quoted
from jcodeunits.finding import Finding, Findings, declare
from jcodeunits.keys import DIAGNOSES
from jcodeunits.tables import cited

from ._quoting import coded

FINDINGS = declare(
    __name__,
    {
        "ingredient-unbilled": ("A further ingredient of what was given is not billed", "warn"),
        "not-administered": ("The message says that a dose was not given", "warn"),
        "dose-in-text": ("The text of a dosage says another amount than its dose", "warn"),
        "route-in-text": ("The text of a dosage says another route than its route", "warn"),
        "order-differs": ("The order names another drug, or ten times another dose, than was given", "warn"),
        "component-differs": ("A bag holds another amount of the drug than was given", "warn"),
        "dose-or-rate": ("The dose of a record is the number of its rate, or not what ran at it", "warn"),
        "performer-not-staff": ("The patient or a relative gave it: no administration", "warn"),
        "reason-unread": ("A reason that the message points to is not in it", "note"),
        "dose-doubted": ("A note, or a reason or status beside it, speaks against the dose as it is recorded", "warn"),
        "element-unread": ("A dosage has an element that no release of FHIR has there", "warn"),
        "supply-in-text": ("A text says that the drug was not bought by the practice", "warn"),
        "waste-noted": ("A note speaks of wasted drug", "warn"),
        "vaccine-funding": ("The vaccine may come from a public program", "warn"),
        "part-of-another": ("What was given is a part of another administration", "warn"),
        "given-at-home": ("The record is of what is taken or given at home", "warn"),
        "given-to-inpatient": ("The record is of an inpatient stay", "warn"),
        "charged-beside": ("What was given stands in one message with a claim or charge of it", "warn"),
        "page-incomplete": ("A page of a Bundle, or a part of a message, and the next one is not at hand", "warn"),
    },
)


def not_given(where: str, why: str, fix: str, source: str, cite: str) -> Finding:
    """The finding for an administration that may not be billed."""
    return Finding("not-administered", "warn", f"{where}: {why}.", fix, (cited(source, cite),))


def unbilled(where: str, names: Iterable[str], source: str, cite: str) -> Findings:
    """A question for each further drug in what was given, which the drug that is billed does not hold."""
    fix = "If it was given as a drug of its own, bill it as a further administration of the same syringe or bag."
    return tuple(
        Finding("ingredient-unbilled", "warn", f"{where}: it also holds {quoted(name)}.", fix, (cited(source, cite),))
        for name in dict.fromkeys(names)
    )


def dose_or_rate(where: str, source: str, cite: str) -> Finding:
    """The question whether the dose is the amount that was given, or what ran in an hour or a minute."""
    says = f"{where}: its dose and its rate do not fit each other, so what was given in all may be another amount."
    fix = "Check the amount given in the record; where it is another one, have the sender correct the dose."
    return Finding("dose-or-rate", "warn", says, fix, (cited(source, cite),))


def dose_in_text(where: str, source: str, cite: str) -> Finding:
    """The question which of two amounts was given: the one in the field, or the one in the text beside it."""
    says = f"{where}: the text of its dosage says an amount, and none that is its dose."
    fix = "Check the amount given in the record; where it is another one, have the sender correct the dose."
    return Finding("dose-in-text", "warn", says, fix, (cited(source, cite),))


def route_in_text(where: str, said: Iterable[str], source: str, cite: str) -> Finding:
    """The question which of two routes was used: the one in the field, or the one in the text beside it."""
    says = f"{where}: the text of its dosage says the route {' or '.join(sorted(said))}, which is not its route."
    fix = "Check the route in the record; where it is another one, have the sender correct it."
    return Finding("route-in-text", "warn", says, fix, (cited(source, cite),))


def order_differs(where: str, ordered: str, given: str, source: str, cite: str) -> Finding:
    """The question which of two drugs was given: the one of the record, or the one of its order."""
    says = f"{where}: it says that {coded(given)} was given, and its order names {coded(ordered)}."
    fix = "Check in the record which drug was given, and bill that one."
    return Finding("order-differs", "warn", says, fix, (cited(source, cite),))


def dose_differs(where: str, ordered: str, given: str, source: str, cite: str) -> Finding:
    """The question whether a unit slipped: the dose is ten times what was ordered, or a tenth of it, or further off."""
    says = f"{where}: it says that {given} was given, and its order says {ordered}: ten times another dose."
    fix = "Check amount and unit in the record; where one is wrong, have the sender correct it."
    return Finding("order-differs", "warn", says, fix, (cited(source, cite),))


def component_differs(where: str, held: str, given: str, source: str, cite: str) -> Finding:
    """The question how much of a drug was given: its dose, or what the bag holds of it."""
    says = f"{where}: it says that {given} was given, and the bag's component {held}."
    fix = "Check the amount given in the record; where a part of the bag was left, record it as discarded."
    return Finding("component-differs", "warn", says, fix, (cited(source, cite),))


def part_of_another(where: str, source: str, cite: str) -> Finding:
    """The question for an administration that another one holds: both may say the same dose."""
    says = f"{where}: it is a part of another administration, and both may say the same dose."
    return Finding("part-of-another", "warn", says, "Bill the whole or its parts, not both.", (cited(source, cite),))


def at_home(where: str, source: str, cite: str) -> Finding:
    """The question for a record of the community: what the patient takes, or is given, at home."""
    says = f"{where}: its category is community, which is of drugs taken or given at home."
    fix = "Give the place where it was given (12: home), or have the sender correct the category."
    return Finding("given-at-home", "warn", says, fix, (cited(source, cite),))


def to_inpatient(where: str, source: str, cite: str) -> Finding:
    """The question for a record of an inpatient stay, whose drugs are paid with the stay."""
    says = f"{where}: it is a record of an inpatient stay, whose drugs are paid with the stay and not by line."
    fix = "Give the place of the stay (21: hospital inpatient), or have the sender correct the class of the visit."
    return Finding("given-to-inpatient", "warn", says, fix, (cited(source, cite),))


def not_staff(where: str, who: str, source: str, cite: str) -> Finding:
    """The finding for what somebody gave who is no staff of the practice."""
    says = f"{where}: {who} gave it, and not the staff: no administration is billed."
    fix = "Where the record shows that the staff gave it, have the sender correct the performer."
    return Finding("performer-not-staff", "warn", says, fix, (cited(source, cite),))


def public_vaccine(where: str, source: str, cite: str) -> Finding:
    """The question whether a vaccine was the practice's own: one from a public program has no price."""
    says = f"{where}: the vaccine may come from a public program, which gives it without charge."
    fix = "If it does, bill its administration as the payer wants it, and the vaccine without a price."
    return Finding("vaccine-funding", "warn", says, fix, (cited(source, cite),))


_LEFT = r"\b(?:remain\w*|residual|rest|balance|excess|surplus|\d[\d.]{0,9}\s?(?:mg|mcg|g|ml|units?))\b"
_AWAY = r"\b(?:dispos\w*|destroy\w*|dump\w*|thr(?:ew|own) (?:away|out))\b"
_WASTED = re.compile(
    r"\b(?:wast(?:e|ed|age|ing)|squirted|left ?over|unused|remainder)\b"
    r"|(?<!sharps )(?<!needle )(?<!needles )\bdiscard\w*\b(?! (?:the )?(?:sharps?|needles?)\b)"
    rf"|{_LEFT}[^.;]{{0,40}}{_AWAY}|{_AWAY}[^.;]{{0,40}}{_LEFT}",
    re.IGNORECASE,
)
_WASTE_FIELD = re.compile(r"wast(?:e|age|ing)|discard|(?<![a-z])(?:wst|wastd)", re.IGNORECASE)


def wasted(where: str, notes: Iterable[str], source: str, cite: str, fields: Iterable[str] = ()) -> Findings:
    """A question where a note, or the name of a further field, speaks of drug that was thrown away.

    Nothing is ever billed from prose, nor from a field that nobody agreed on.

    Source: the waste must be documented to be billed (Medicare Claims Processing Manual, chapter 17, section 40).
    """
    if any(_WASTE_FIELD.search(field) for field in fields):
        what = "a further field of it"
    elif any(_WASTED.search(note) for note in notes):
        what = "a note beside it"
    else:
        return ()
    says = f"{where}: {what} speaks of wasted drug, and the amount discarded is not recorded in a field."
    fix = "Give discarded='30 mg' (or '0 mg') beside the message as the record shows it."
    return (Finding("waste-noted", "warn", says, fix, (cited("cpm-17", "section 40"), cited(source, cite))),)


_PART = r"(?:(?:half|part|some)\b|\d[\d.,]{0,9} ?(?:(?:mg|mcg|g|ml|units?|of)\b|%))"  # of a dose
_AGAINST = re.compile(
    r"\b(?:not|never)(?: (?:been|actually))? (?:given|administered|received)\b"
    r"|\b(?:charted|documented|entered|recorded|scanned) in error\b"
    r"|\b(?:duplicate|erroneous) (?:entry|chart\w*|documentation|record)\b"
    r"|\b(?:patient|pt|parent|mother|father|family|guardian) (?:refused|declined)\b"
    r"|\b(?:refused|declined|omitted|missed) (?:the |this |her |his )?(?:dose|med\w*|injection|vaccine|shot|infusion)\b"
    r"|\bdose (?:was )?(?:held|omitted|refused|missed)\b"
    r"|\b(?:partial|incomplete|half(?: the)?) dose\b|\bpartially (?:given|administered|infused)\b"
    r"|\bwrong patient\b|^\W*(?:(?:duplicate|do not (?:give|administer))\W*(?:\^|$)|error\b(?!-))"
    r"|\b(?:entry|record|charting|documentation|administration) (?:was |is |has been )?(?:voided|deleted|retracted)\b"
    r"|\b(?:documented|charted|doc'?d|entered|scanned|recorded|billed) (?:this )?twice\b"
    rf"|\bonly half\b|\bonly (?:gave|given|received|infused) {_PART}|\b(?:gave|given|received|infused) only {_PART}"
    r"|\b(?:infusion|injection|dose|drip|bag|push)\b[^.;]{0,20}\b(?:stopped|aborted|interrupted|terminated)"
    r"[^.;]{0,10}\b(?:early|due|because|prior|before|after \d[\d.,]{0,9} ?(?:mg|mcg|g|ml|units?)\b)"
    r"|\bbefore (?:the )?(?:(?:infusion|dose|injection) (?:was )?)?(?:complet|finish)\w*\b(?! of (?:the )?(?:first|\d))"
    r"|\b(?:given|administered|received)\b[^.;,]{0,20}\b(?:EMS|paramedics?|prior to arrival|PTA)\b"
    r"|\b(?:given|administered) (?:at|by|in) (?:another|an outside|outside|other) (?:facility|hospital|clinic)\b"
    r"|\b(?:gave|given|administered)\b[^.;]{0,30}\b(?:instead of|rather than)\b"
    r"|\b(?:gave|given) (?:iv|im|sc|sq|subq|po)\W+not\b",
    re.IGNORECASE,
)


def doubted(where: str, notes: Iterable[str], source: str, cite: str) -> Findings:
    """A question where a note says that a dose was not given, not all of it, or that its record is wrong."""
    if not any(_AGAINST.search(note) for note in notes):
        return ()
    return (doubted_by(where, "a note beside it", source, cite),)


def doubted_by(where: str, what: str, source: str, cite: str) -> Finding:
    """The question for a dose against which something beside it speaks."""
    says = f"{where}: {what} speaks against the dose as it is recorded."
    fix = "Read it: where the dose was not given, not all of it, or does not count, have the record corrected."
    return Finding("dose-doubted", "warn", says, fix, (cited(source, cite),))


def unread_elements(where: str, names: Iterable[str], source: str, cite: str) -> Finding:
    """The question for elements that the standard does not have, which may hold another dose."""
    says = f"{where}: its dosage has {', '.join(map(coded, names))}, which no release of FHIR has there."
    fix = "Check the amount given in the record, and have the sender write the dose by the standard."
    return Finding("element-unread", "warn", says, fix, (cited(source, cite),))


_SUPPLY = re.compile(
    r"\b(?:patient|pt)(?:'?s)?[ -](?:own|supplied|provided|brought(?! (?:in )?by\b))\b"
    r"|\bown (?:med\w*|supply|drug)\b|\bhome (?:med|supply)\w*\b(?! (?:list|review|reconcil|verif))"
    r"|\bbrought (?:in )?(?:by|from) (?:the )?(?:patient|pt|home)\b"
    r"|\b(?:study|trial)[ -](?:drug|med\w*|supplied|supply)\b|\bclinical trial\b|\binvestigational\b|\bplacebo\b"
    r"|\b(?:drug|free|manufacturer) samples?\b|\bsample (?:drug|med\w*|vial|pack)\b"
    r"|\bfree (?:drug|goods)\b|\bdonated\b|\b340b\b|\b(?:white|brown)[ -]bag\w*\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def _says_supply(text: str) -> bool:
    """Whether a text says so; names of drugs are few, and asked for at each dose."""
    return _SUPPLY.search(text) is not None


def supplied(where: str, texts: Iterable[str], source: str, cite: str) -> Findings:
    """A question where a text says whose supply a drug was: the patient's, a study's, a gift, or bought at 340B."""
    if not any(map(_says_supply, texts)):
        return ()
    says = f"{where}: a text says that the drug may be no purchase of the practice (own supply, study, gift, 340B)."
    fix = "Give supplied_by='patient', '340b' or 'practice' beside the message as the record shows it."
    return (Finding("supply-in-text", "warn", says, fix, (cited(source, cite),)),)


def charged_beside(kinds: Iterable[str], source: str, cite: str) -> Finding:
    """The question for what was given beside a claim, a charge or what became of one: it may be billed already."""
    says = f"The message also holds {' and '.join(sorted(kinds))} of this patient and day, which is not read here."
    fix = "Check that it does not bill what was given already; read it by itself for its lines."
    return Finding("charged-beside", "warn", says, fix, (cited(source, cite),))


def incomplete(source: str, why: str, cite: str) -> Finding:
    """The finding for a page of a search, or a message that goes on: what stands on another one is missing."""
    says = f"{why}: what was given and stands there is missing here."
    return Finding("page-incomplete", "warn", says, "Read all of it together.", (cited(source, cite),))


def unread_reason(where: str, what: str, source: str) -> Finding:
    """A note that a reason for the administration is not among what the message holds."""
    return _unread_reason(where, what, "points to what the message does not hold of this patient", source)


def _unread_reason(where: str, what: str, why: str, source: str) -> Finding:
    says = f"{where}: {what} {why}, so no diagnosis was taken from it."
    return Finding("reason-unread", "note", says, "Give diagnoses=[...] beside it.", (cited(source, what),))


def diagnoses(
    found: Iterable[str], others: bool, where: str, what: str, source: str
) -> tuple[dict[str, Any], Findings]:
    """The diagnoses of an administration, and a note where one is no code of them, or the reasons have none."""
    known: dict[str, str] = {}
    notes = (_unread_reason(where, what, "holds a reason without ICD-10-CM code", source),) if others else ()
    for code in found:
        try:
            DIAGNOSES.read(what, [code])
            known[code] = code
        except EncounterError:
            notes = (_unread_reason(where, what, "holds a code that is no ICD-10-CM code", source),)
    return {"diagnoses": list(known)} if known else {}, notes
