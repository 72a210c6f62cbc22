"""RAS: what was given, by RXA with its RXR and its order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from jcodeunits import mar
from jcodeunits.errors import FormatError, JcodeunitsError, quoted
from jcodeunits.facts.reference import Reference
from jcodeunits.finding import Finding, Findings
from jcodeunits.grouped import grouped

from . import _drugs, _hl7v2_mixtures, _incoming, _noticed, _routes, _times
from ._hl7v2_fields import ORIGINAL, amount_of, codings, named, offset_of, patient_of, stamp, strength
from ._hl7v2_segments import CVX, ICD10, SOURCE, Segment, ordered, refused
from ._incoming import Given, Reading
from ._quoting import coded
from ._times import Moment
from ._vaccine_funding import observations

_VACCINES = "hl7-v2-immunization"
_ORDERS = {
    "RDE": "an encoded order",
    "RDS": "a dispense",
    "RGV": "a dose to be given",
    "OMP": "an order",
    "ORM": "an order",
    "RRE": "an order response",
    "OML": "an order",
    "RDR": "a dispense report",
}
_COMPLETION = {"CP": "complete", "PA": "partially administered", "RE": "refused", "NA": "not administered"}
HISTORICAL = ("01", "02", "03", "04", "05", "06", "07", "08")  # NIP001: given elsewhere, or not known where


Key = tuple[str, str, str]  # what one administration is known by in a batch: patient, RXA-3 and RXA-5
CHANGES = {"D": "deletes", "U": "updates"}  # in RXA-21


def keys(segments: list[Segment]) -> Iterator[tuple[Key, str]]:
    """The administrations of a message, each with what it does to an earlier one, if anything.

    It deletes or updates it (`CHANGES`), cancels its order, or says of the same dose that it was not given.
    """
    for group in _administrations(segments):
        yield _key(group), CHANGES.get(group.rxa.get(21)) or _denies(group)


def _denies(group: _Group) -> str:
    """How an administration denies an earlier one of the same patient, drug and time; empty where it does not."""
    said = ordered(group.orc)
    if said is not None and not said[2]:
        return "cancels the order of"
    return "denies" if is_denied(group.rxa) else ""


def is_denied(rxa: Segment) -> bool:
    """Whether RXA-20 says that nothing was given."""
    return rxa.get(20) in ("RE", "NA") or mar.meaning(_word(rxa)) == "not-given"


def _key(group: _Group) -> Key:
    return group.patient, group.rxa.raw(3), group.rxa.raw(5)


def reading(segments: list[Segment], kind: str, reference: Reference, **beside: Any) -> Reading:
    """What a message of administrations holds; see `hl7v2.read` for what may stand beside it."""
    given, withheld, facts = _read(segments, kind, reference, **beside)
    return _made(given, withheld, facts, reference)


def readings(
    segments: list[Segment], kind: str, reference: Reference, **beside: Any
) -> list[Reading | JcodeunitsError]:
    """The same, with one reading for each day, in the order of its first administration.

    `administrations` beside it may have a dict for each of the whole message.
    """
    given, withheld, facts = _read(segments, kind, reference, **beside)
    days = grouped(range(len(given)), lambda at: given[at].on)
    listed = facts.get("administrations")
    in_all = len(days) > 1 and isinstance(listed, (list, tuple)) and len(listed) == len(given)
    made: list[Reading | JcodeunitsError] = []
    for first, of_day in enumerate(days.values() or [[]]):
        said = {**facts, "administrations": [listed[at] for at in of_day]} if in_all and listed else facts
        try:
            made.append(_made([given[at] for at in of_day], () if first else withheld, said, reference))
        except JcodeunitsError as why:
            made.append(why)
    return made


def _made(
    given: Sequence[Given], withheld: Sequence[Finding], beside: Mapping[str, Any], reference: Reference
) -> Reading:
    return _incoming.reading(given, withheld, beside, "hl7v2", (SOURCE, "RXA-16"), reference)


def _read(
    segments: list[Segment],
    kind: str,
    reference: Reference,
    *,
    partial: bool = False,
    completed: bool = False,
    actions: Mapping[str, str] | None = None,
    zone: str | None = None,
    changed: Mapping[Key, str] | None = None,
    **beside: Any,
) -> tuple[list[Given], list[Finding], dict[str, Any]]:
    """What was given, what was not (`changed`: by later messages of the batch), and the facts beside the message."""
    actions = actions or {}
    _incoming.as_given("hl7v2", bool, partial=partial, completed=completed)
    _incoming.as_given("hl7v2", dict, actions=actions)
    if kind in _ORDERS:
        says = f"{kind} is {_ORDERS[kind]}: it does not say what was given, and is never billed. Send the RAS."
        raise FormatError(says, format="hl7v2", place="MSH-9")
    if kind not in ("RAS", "VXU"):
        what = coded(kind).strip("'") if kind else "This text"
        says = f"{what} is no message of administrations (RAS), vaccines (VXU) or charges (DFT)."
        raise FormatError(says, format="hl7v2", place="MSH-9")
    given: list[Given] = []
    of: list[tuple[str, str]] = []  # the patient and drug of each, as they are written
    wastes: list[tuple[_Group, Finding]] = []
    stays = _stays(segments)
    withheld: list[Finding] = []
    seen: dict[tuple[str, ...], str] = {}
    for group in _with_their_ends([*_administrations(segments)], actions):
        rxa = group.rxa
        before = seen.setdefault((group.patient, *rxa.fields), rxa.where)
        if before != rxa.where:
            raise refused(rxa.where, f"it repeats {before}, and would be billed twice (RXA-2 tells two doses apart)")
        done = _done(rxa, actions)
        finding = _historical(rxa) or _status(rxa, done, partial, completed) or _of_order(group.orc, rxa, completed)
        finding = finding or _changed(rxa, (changed or {}).get(_key(group)))
        if finding is not None and done == "waste":
            wastes.append((group, finding))
        elif finding is not None:
            withheld.append(finding)
        else:
            whole = _given(group, done, zone, reference)
            whole = _vaccine(whole, group, reference) if kind == "VXU" else whole
            parts = _hl7v2_mixtures.taken_apart(whole, group.components, reference)
            asked = tuple(_asked_around(parts, group, group.patient in stays, reference))
            given += [attrs.evolve(parts[0], notes=(*parts[0].notes, *asked)), *parts[1:]] if asked else parts
            of += [(group.patient, rxa.raw(5))] * len(parts)
    of_all = [*_asked_of_all(segments)] if given else []
    return given, [*withheld, *_thrown_away(given, of, wastes), *of_all], beside


def _asked_of_all(segments: Sequence[Segment]) -> Iterator[Finding]:
    """What is asked of a whole message: of a charge in it, and of one that goes on in another."""
    if any(segment.name == "FT1" for segment in segments):
        yield _noticed.charged_beside(("FT1",), SOURCE, "FT1")
    if any(segment.name == "DSC" and segment.get(1) for segment in segments):
        yield _noticed.incomplete(SOURCE, "The message goes on in another one (DSC)", "DSC-1")


_NO_AMOUNT = ("", "0")


def _with_their_ends(groups: Sequence[_Group], own: Mapping[str, str]) -> Iterator[_Group]:
    """The administrations, a bag whose end is another event of its order with that end.

    That it ran on in between, at another rate or looked after, changes neither. A pause, a second bag or another amount
    of its end leaves open for how long, and how much of it: that is asked.
    """
    events = grouped(groups, _order)
    bags = {order: _bag_with_its_end(each, own) for order, each in events.items() if len(each) > 1}
    for group in groups:
        whole = bags.get(_order(group))
        if whole is None:
            yield group
        elif group is whole[0]:
            yield whole[1]


def _order(group: _Group) -> tuple[str, str, str]:
    return group.patient, group.rxa.raw(5), group.order


def _bag_with_its_end(each: Sequence[_Group], own: Mapping[str, str]) -> tuple[_Group, _Group] | None:
    """The bag of an order, and it with the end that another event says; None where they leave something open."""
    done = [(one, _done(one.rxa, own)) for one in each]
    bags, ends = ([one for one, means in done if means == wanted] for wanted in ("bag", "end"))
    if len(bags) != 1 or len(ends) != 1 or any(means not in ("bag", "end", "running") for _, means in done):
        return None
    bag, end = bags[0], ends[0]
    is_whole = end.rxa.get(6) in (*_NO_AMOUNT, bag.rxa.get(6))
    is_open = any(one.rxa.get(21) not in ("", "A") or one.rxa.raw(18) for one in each)
    if is_open or not is_whole or bag.rxa.raw(4) not in ("", bag.rxa.raw(3)):
        return None
    fields = (*bag.rxa.fields[:4], end.rxa.raw(3), *bag.rxa.fields[5:])
    return bag, attrs.evolve(bag, rxa=attrs.evolve(bag.rxa, fields=fields))


def _thrown_away(
    given: list[Given], of: Sequence[tuple[str, str]], wastes: Sequence[tuple[_Group, Finding]]
) -> Iterator[Finding]:
    """The findings for waste events of no one dose of the message; the others' amounts are what it discarded."""
    drugs = [(group.patient, group.rxa.raw(5)) for group, _ in wastes]
    for (group, finding), drug in zip(wastes, drugs, strict=True):
        if of.count(drug) != 1 or drugs.count(drug) != 1:
            yield finding
            continue
        at = of.index(drug)
        try:
            says = {"discarded": amount_of(group.rxa, 6)}
        except FormatError:
            says = {}
        notes = () if says else _noticed.wasted(given[at].where, ("wasted",), SOURCE, "RXA-20")
        given[at] = attrs.evolve(given[at], says={**given[at].says, **says}, notes=(*given[at].notes, *notes))


@attrs.define
class _Group:
    """One administration: its RXA, the patient and order that it belongs to, its route and its components."""

    patient: str
    orc: Segment | None
    rxa: Segment
    offset: str = ""  # from UTC, of the message's own time
    routes: list[Segment] = attrs.field(factory=list)
    components: list[Segment] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    observations: list[Segment] = attrs.field(factory=list)  # and segments of the sender's own
    ordered: list[Segment] = attrs.field(factory=list)  # what its order says of the drug

    @property
    def order(self) -> str:
        """The number of its order."""
        return "" if self.orc is None else self.orc.get(2) or self.orc.get(3)


def _vaccine(given: Given, group: _Group, facts: Reference) -> Given:
    """A vaccine record, with the question who paid for the vaccine."""
    said = [(known, one.get(5)) for one in group.observations if (known := observations().get(one.get(3)))]
    public = [value for known, value in said if value and value not in known.private]
    asked = (_noticed.public_vaccine(given.where, _VACCINES, "OBX-5"),) if public else ()
    return _incoming.of_vaccine(given, asked, given.batch, facts)


# Where an order, an encoded order, a dispense and a give message name their drug.
_DRUG_OF = {"RXO": 1, "RXE": 2, "RXD": 2, "RXG": 4}


_INPATIENT = "I"  # table 0004 in PV1-2


def _stays(segments: list[Segment]) -> set[str]:
    """The patients of a message whose visit is an inpatient stay."""
    patient, found = "", set()
    for segment in segments:
        if segment.name == "PID":
            patient = patient_of(segment)
        elif segment.name == "PV1" and segment.get(2) == _INPATIENT:
            found.add(patient)
    return found


def _asked_around(parts: Sequence[Given], group: _Group, is_stay: bool, facts: Reference) -> Iterator[Finding]:
    """What is asked by what stands around: a stay, or an order of another drug (of a bag's drugs it may name one)."""
    if is_stay:
        yield _noticed.to_inpatient(parts[0].where, SOURCE, "PV1-2")
    for segment in group.ordered:
        each = [next(_against_order(segment, one, facts), None) for one in parts]
        if (asked := each[0]) is not None and None not in each:
            yield asked
            return


# Where they have the amount, its least and its most, and its unit; what is dispensed is of several doses.
_AMOUNTS_OF = {"RXO": (2, 3, 4), "RXE": (3, 4, 5), "RXG": (5, 6, 7)}


def _against_order(segment: Segment, given: Given, facts: Reference) -> Iterator[Finding]:
    """The questions of `_incoming.against_order` for one segment of the order."""
    position = _DRUG_OF[segment.name]
    least, most, unit = _AMOUNTS_OF.get(segment.name, (0, 0, 0))
    return _incoming.against_order(
        given.where,
        given.says,
        lambda: str(named(segment, position, facts)["drug"]),
        lambda: [amount_of(segment, at, unit) for at in (least, most) if at and segment.get(at)],
        (f"{segment.name}-{position}", f"{segment.name}-{least}"),
        SOURCE,
        facts,
    )


# Where prose stands beside an administration.
_NOTES = {"NTE": (3,), "OBX": (3, 5)}


def _administrations(segments: list[Segment]) -> list[_Group]:
    """The administrations in order: one RXR after all RXA that share it, an RXC in the order or after its RXA."""
    patient = ""
    orc: Segment | None = None
    begun = False
    found: list[_Group] = []
    open_: list[_Group] = []  # the RXA that wait for their RXR
    ordered: list[Segment] = []  # the components of the order
    drugs: list[Segment] = []  # what names its drug
    notes: list[str] = []  # of the order
    offset = next((offset_of(segment.get(7)) for segment in segments if segment.name == "MSH"), "")
    for segment in segments:
        if segment.name in ("PID", "ORC"):
            open_, ordered, drugs, notes = [], [], [], []
            begun = segment.name == "ORC"  # an order whose RXA is still to come
        if segment.name == "PID":
            patient, orc = patient_of(segment), None
        elif segment.name == "ORC":
            orc = segment
        elif segment.name == "RXA":
            open_ = open_ if open_ and not open_[-1].routes else []
            group = _Group(patient, orc, segment, offset, components=[*ordered], notes=[*notes], ordered=[*drugs])
            open_.append(group)
            found.append(open_[-1])
            begun = False
        elif segment.name == "RXR":
            for group in open_:
                group.routes.append(segment)
        elif segment.name in _NOTES and begun:
            notes += [segment.raw(position) for position in _NOTES[segment.name]]
        elif (segment.name in _NOTES or segment.name.startswith("Z")) and found:
            found[-1].observations += [segment] if segment.name != "NTE" else []
            found[-1].notes += [] if _is_no(segment) else [segment.raw(at) for at in _NOTES.get(segment.name, ())]
        elif segment.name in _DRUG_OF:
            drugs.append(segment)
        elif segment.name == "RXC":
            (found[-1].components if open_ else ordered).append(segment)
    return found


def _is_no(segment: Segment) -> bool:
    """Whether an observation answers what it asks with no."""
    return segment.name == "OBX" and segment.get(5).casefold() in ("n", "no", "false")


def _of_order(orc: Segment | None, rxa: Segment, completed: bool) -> Finding | None:
    """The finding for a dose whose order was cancelled or changed."""
    said = ordered(orc)
    if said is None or (said[2] and completed):
        return None
    fix = "If the record shows it as given, read it with completed=True." if said[2] else "It is not billed."
    return _noticed.not_given(rxa.where, said[1], fix, SOURCE, said[0])


def _status(rxa: Segment, done: str | None, partial: bool, completed: bool) -> Finding | None:
    """The finding for an administration that may not be billed; None for one that may."""
    if (astray := _astray(rxa)) is not None:
        finding = _misplaced(rxa, astray, completed)
    else:
        finding = _completion(rxa, done, partial, completed)
    action = "" if astray == 21 else rxa.get(21)
    if finding is None and action not in ("", "A"):
        what = CHANGES.get(action, f"has the action {coded(action)} for")
        fix = "Take back what was billed from the first message, and bill the new one by hand."
        finding = _refused(rxa, f"it {what} an administration that was sent before", fix, "RXA-21")
    if finding is None and rxa.get(5) == NO_VACCINE and rxa.get(5, 3).upper() in CVX:
        why = f"CVX {NO_VACCINE} says that no vaccine was given"
        finding = _refused(rxa, why, "Nothing was given to bill.", "RXA-5")
    return finding


def _changed(rxa: Segment, what: str | None) -> Finding | None:
    """The finding for an administration that a later message of the batch takes back or changes."""
    if not what:
        return None
    return _refused(rxa, f"a later message of the batch {what} it", "Bill what holds in the record, by hand.", "RXA-21")


def _refused(rxa: Segment, why: str, fix: str, cite: str = "RXA-20") -> Finding:
    return _noticed.not_given(rxa.where, why, fix, SOURCE, cite)


def _astray(rxa: Segment) -> int | None:
    """The field beside RXA-20 in which a completion status stands, where RXA-20 holds none."""
    status = rxa.get(20)
    if status in _COMPLETION:
        return None
    astray = [n for n in (17, 18, 19, 21, 22) if rxa.get(n) in _COMPLETION]
    words = [n for n in (19, 21, 22) if not status and mar.meaning(rxa.get(n)) is not None]
    return next(iter((*astray, *words)), None)


def _misplaced(rxa: Segment, at: int, completed: bool) -> Finding | None:
    """The finding for a completion status in another field than its own; the caller may vouch for a dose given."""
    code, status = rxa.get(at), rxa.get(20)
    given = code == "CP" or mar.meaning(code) == "given"
    if given and completed and status in ("", "A"):
        return None
    what = _COMPLETION.get(code) or mar.MEANINGS[mar.meaning(code) or "given"]
    vouch = " If the record shows it as given, read it with completed=True." if given else ""
    return _refused(
        rxa,
        f"the completion status {code} ({what}) stands in RXA-{at} and RXA-20 is {status or 'empty'}",
        f"Completion status belongs in RXA-20: have the sender correct the message.{vouch}",
    )


def _completion(rxa: Segment, done: str | None, partial: bool, completed: bool) -> Finding | None:
    """The finding for what RXA-18 and RXA-20 say against the administration."""
    status = rxa.get(20)
    if rxa.raw(18).strip(f'{rxa.marks.component}{rxa.marks.repeat}{rxa.marks.sub} "'):
        return _refused(
            rxa,
            f"RXA-18 gives a reason for refusal ({coded(rxa.get(18) or rxa.get(18, 2))}), so it was not taken",
            "Nothing was given to bill; where it was, have the sender correct RXA-18.",
            "RXA-18",
        )
    said = {word for n in range(rxa.repeats(20)) for word in _completions(rxa, n)}
    if len(said) > 1:
        why = f"RXA-20 contradicts itself: {coded(rxa.raw(20))}"
        return _refused(rxa, why, "Have the sender correct the message.")
    if status in ("RE", "NA"):
        why = f"its completion status is {status} ({_COMPLETION[status]})"
        return _refused(rxa, why, "Nothing was given to bill.")
    if status == "PA" and not partial:
        return _refused(rxa, "it was given in part (PA)", "If RXA-6 is what was given, read it with partial=True.")
    if not _word(rxa) and not completed:
        said_so = f"RXA-20 is {coded(status)}, which is no word, and" if status else "RXA-20"
        return _refused(
            rxa,
            f"{said_so} does not say whether it was given",
            "If the record shows it as given, read it with completed=True.",
        )
    if status not in _COMPLETION and _word(rxa) and (why_fix := _against(rxa, done, completed)):
        return _refused(rxa, *why_fix)
    return None


NO_VACCINE = "998"


def _completions(rxa: Segment, repeat: int) -> set[str]:
    """The completion statuses that the code and the text of one repetition of RXA-20 name."""
    words = {word: code for code, word in _COMPLETION.items()}
    text = rxa.get(20, 2, repeat).casefold()
    named = words.get(text.removesuffix("d") if text == "completed" else text)
    return {code for code in (rxa.get(20, 1, repeat), named) if code}


# What the record's word says of an administration besides that it was given.
FACTS: Mapping[str | None, Mapping[str, Any]] = {
    "self-administered": {"self_administered": True},
    "patient-supplied": {"supplied_by": "patient"},
}


def _word(rxa: Segment) -> str:
    """What RXA-20 says in letters; a time or number there says nothing."""
    word = rxa.get(20) or rxa.get(20, 2)
    return word if any(char.isalpha() for char in word) else ""


def _done(rxa: Segment, own: Mapping[str, str]) -> str | None:
    """What the word of an administration record in RXA-20 means, the sender's own words first."""
    word = " ".join(_word(rxa).split()).casefold()
    for said, means in own.items():
        if means not in mar.MEANINGS:
            says = f"actions: {quoted(means)} is no meaning. Allowed: {', '.join(mar.MEANINGS)}."
            raise FormatError(says, format="hl7v2", place="actions")
        if " ".join(said.split()).casefold() == word:
            return means
    return mar.meaning(word)


def _against(rxa: Segment, done: str | None, completed: bool) -> tuple[str, str] | None:
    """Why a word of the record may not be billed, and what to do."""
    word = _word(rxa)
    if done is None:
        shown = said if (said := coded(word)).startswith(("'", '"')) else "'its words'"
        fix = f"CP, PA, RE and NA are. If that word means given there, read it with actions={{{shown}: 'given'}}."
        return f"RXA-20 is {coded(word)}, which is no completion status", fix
    if done in ("not-given", "no-dose", "running", "end", "waste"):
        return f"RXA-20 says {coded(word)}: {mar.MEANINGS[done]}", "Nothing was given to bill."
    ended = rxa.get(4) and rxa.get(4) != rxa.get(3)
    if not completed and (done == "other" or (done == "bag" and not ended)):
        fix = "If the record shows that it was given here, in the amount said, read it with completed=True."
        return f"RXA-20 says {coded(word)}: {mar.MEANINGS[done]}", fix
    return None


def _historical(rxa: Segment) -> Finding | None:
    """RXA-9 of an immunization record: anything but 00 was given elsewhere."""
    for repeat in range(rxa.repeats(9)):
        code, text, system = (rxa.get(9, n, repeat) for n in (1, 2, 3))
        said = (code, text, rxa.get(9, 5, repeat))  # also as the sender's own word, alone or beside a code of its own
        elsewhere = code in HISTORICAL or any(word.casefold().startswith("hist") for word in said)
        if elsewhere or (system.upper().startswith("NIP") and code.lstrip("0")):
            fix = "Only what was given here is billed here."
            why = f"it is a historical record ({code if code in HISTORICAL else coded(code or text)})"
            return _noticed.not_given(rxa.where, why, fix, SOURCE, "RXA-9")
    return None


ONCE = (3, 4, 6, 7, 12, 13, 14, 21, 23, 24)  # fields of RXA of which one is read


def _given(group: _Group, done: str | None, zone: str | None, facts: Reference) -> Given:
    rxa = group.rxa
    says: dict[str, Any] = {}
    gaps: dict[str, FormatError] = {}
    _incoming.take(says, gaps, _dose, rxa)
    _incoming.take(says, gaps, named, rxa, 5, facts, says.get("dose", ""))
    says |= _drugs.formed(says, (rxa.get(8, part) for part in (1, 2, 4, 5)), facts)
    said, asked = _noticed.diagnoses(*_indications(rxa), rxa.where, "RXA-19", SOURCE)
    says |= said
    for rxr in group.routes:
        _incoming.take(says, gaps, _also, says, rxr)
    _incoming.take_strength(says, gaps, "hl7v2", rxa.where, strength, rxa, 13, 23)
    for segment, fields in ((rxa, ONCE), *((rxr, (1, 2, 4)) for rxr in group.routes)):
        if (twice := segment.said_twice(fields)) is not None:
            why = f"{segment.name}-{twice} says several things, which contradict each other"
            raise refused(segment.where, why)
    first: list[Moment] = []
    _incoming.take(says, gaps, _stamps, rxa, zone, group.offset, first)
    if done in FACTS:
        says |= FACTS[done]
    if performer := next(filter(None, (rxa.get(10, n, at) for at in range(rxa.repeats(10)) for n in (1, 2))), ""):
        says["performer"] = performer
    lots = [(rxa.get(15, repeat=n), rxa.get(16, repeat=n)) for n in range(max(rxa.repeats(15), rxa.repeats(16)))]
    # Of several lots the one whose last day comes first: it may have expired.
    batch = _incoming.batch(*min(lots, key=lambda one: _times.last_day(one[1]) or dt.date.max, default=("", "")))
    on, utc = (first[0].day, first[0].utc) if first else (None, False)
    prose = (*group.notes, rxa.raw(9))
    further = [field for one in group.observations for field in (one.fields if one.name != "OBX" else [one.raw(3)])]
    asked += _noticed.doubted(rxa.where, prose, SOURCE, "NTE") or _observed_against(group)
    if done not in FACTS:
        asked += _noticed.supplied(rxa.where, (*prose, rxa.raw(5)), SOURCE, "RXA-5")
    notes = (*asked, *_noticed.wasted(rxa.where, prose, SOURCE, "NTE", further))
    return Given(rxa.where, says, gaps, on, group.patient, batch, utc, notes)


def _observed_against(group: _Group) -> Findings:
    """The question for an observation that says by its name and value that the dose was not given."""
    for one in group.observations:
        if one.name == "OBX" and any((ask := mar.doubt(one.get(3, part))) and ask(one.get(5)) for part in (1, 2)):
            return (_noticed.doubted_by(group.rxa.where, "an observation beside it", SOURCE, "OBX-5"),)
    return ()


def _dose(rxa: Segment) -> dict[str, str]:
    """RXA-6 and 7, an amount; where RXA-12 names a time it is a rate."""
    if rxa.get(12) or rxa.get(12, 2):
        why = "it says for how long the amount in RXA-6 is (a rate), so the amount given is not said"
        raise refused(f"{rxa.where}, RXA-12", why, fills="dose")
    return {"dose": amount_of(rxa, 6)}


def _indications(rxa: Segment) -> tuple[list[str], bool]:
    """ICD-10-CM codes of RXA-19, and whether a reason there has none."""
    each = [one for at in range(rxa.repeats(19)) for one in codings(rxa, 19, at)]
    found = [one.code for one in each if one.code and one.system.upper() in ICD10]
    return found, bool(each) and not found


def _also(says: Mapping[str, Any], rxr: Segment) -> dict[str, str]:
    """What a further RXR says, where it does not contradict the ones before it."""
    more = _routed(rxr)
    for key, value in more.items():
        if says.get(key, value) != value:
            why = f"its {key} is {coded(says[key])} and {coded(value)}, which contradict each other: several RXR"
            raise refused(rxr.where, why)
    return more


def _routed(rxr: Segment) -> dict[str, str]:
    """Route (RXR-1), site (RXR-2) and the method (RXR-4) that makes a plain IV exact; RXR-3 is a device: no push."""
    route = _routes.said(codings(rxr, 1), (rxr.get(1, ORIGINAL),), "hl7v2", f"{rxr.where}, RXR-1")
    method = _routes.by_method(codings(rxr, 4), (), "hl7v2", f"{rxr.where}, RXR-4")
    says = {"route": _routes.refined(route, method, "hl7v2", rxr.where)} if route else {}
    if site := rxr.get(2, 2) or rxr.get(2, 1):
        says["site"] = site
    return says


def _stamps(rxa: Segment, zone: str | None, offset: str, first: list[Moment]) -> dict[str, str]:
    """`time`, or `start` and `stop`; the first moment, where there is one, goes into `first`."""
    if not rxa.get(3):
        return {}
    try:
        began = stamp(rxa.get(3), f"{rxa.where}, RXA-3", zone, offset)
    except FormatError as why:
        raise _times.undated(why, rxa.get(3)) from None
    first.append(began)
    try:
        last = stamp(rxa.get(4), f"{rxa.where}, RXA-4", zone, offset) if rxa.get(4) else None
    except FormatError as why:
        raise _times.unended(why, began) from None
    return _times.span(began, last, "hl7v2", rxa.where)
