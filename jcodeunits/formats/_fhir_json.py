"""FHIR as JSON: the code systems, the shape of what is read, and numbers that stay exact."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from jcodeunits import amount
from jcodeunits.errors import FormatError
from jcodeunits.grouped import grouped

from . import _quoting
from ._json import Shapes, exact, load, plain_text, refuse_other_formats

NDC = "http://hl7.org/fhir/sid/ndc"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CVX = "http://hl7.org/fhir/sid/cvx"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"

# Elements that turn a record round whatever its status says: DSTU2's name, STU3's, and those of other resources.
NEGATIONS = ("wasNotGiven", "notGiven", "doNotPerform", "notDone")
TEST_LABEL = "HTEST"  # security label of HL7's ActReason: test health data

# Other names of the same code systems, as they are met: their OIDs, and what version 2 calls them (table 0396).
_SYSTEMS = {
    NDC: (NDC, "urn:oid:2.16.840.1.113883.6.69", "NDC"),
    RXNORM: (RXNORM, "urn:oid:2.16.840.1.113883.6.88", "RXNORM"),
    HCPCS: (
        HCPCS,
        "http://terminology.hl7.org/CodeSystem/HCPCS",
        "urn:oid:2.16.840.1.113883.6.285",
        "urn:oid:2.16.840.1.113883.6.14",
        "HCPCS",
    ),
    CPT: (CPT, "http://terminology.hl7.org/CodeSystem/CPT", "urn:oid:2.16.840.1.113883.6.12", "CPT", "C4"),
    CVX: (CVX, "urn:oid:2.16.840.1.113883.12.292", "urn:oid:2.16.840.1.113883.6.59", "CVX"),
    ICD10: (ICD10, "urn:oid:2.16.840.1.113883.6.90", "I10C"),
}


def _canonical(address: str) -> str:
    """The address of a code system without what tells no two apart: large letters, a slash at its end, http or https.

    >>> _canonical(" HTTPS://HL7.org/fhir/sid/ndc/ ")
    'http://hl7.org/fhir/sid/ndc'
    """
    return address.strip().casefold().removesuffix("/").replace("https://", "http://", 1)


_SYSTEM = {form: system for system, names in _SYSTEMS.items() for name in names for form in (name, _canonical(name))}

# What an element that is read must be, where it stands: a wrong shape is refused and not half read.
_RESOURCES = ("", "contained", "resource")
_SHAPES = Shapes(
    "fhir",
    lists=(
        "coding contained entry performer reasonCode reason ingredient item detail modifier service diagnosis "
        "extension modifierExtension reasonGiven reasonReference programEligibility security tag related"
    ),
    one_or_more="product batch",  # of a Medication: one product in DSTU2, with its batches
    objects=(
        "form doseForm dosage dose route site method medication medicationReference medicationCodeableConcept subject "
        "concept actor amount numerator denominator strength strengthRatio strengthQuantity totalVolume resource "
        "quantity productOrService locationCodeableConcept revenue net unitPrice servicedPeriod effectivePeriod "
        "occurencePeriod occurrencePeriod productCodeableConcept diagnosisCodeableConcept valueCodeableConcept "
        "itemCodeableConcept itemReference meta effectiveTimePeriod practitioner patient vaccineCode doseQuantity "
        "fundingSource reportOrigin informationSource relationship function role program explanation "
        "administeredProduct rateQuantity rateSimpleQuantity rateRatio"
    ),
    texts=(
        "resourceType id fullUrl url system display unit units status start end lotNumber expirationDate "
        "effectiveDateTime occurenceDateTime occurrenceDateTime servicedDate comparator effectiveTimeDateTime use"
    ),
    counts="sequence",
    listed_counts="diagnosisSequence diagnosisLinkId",
    objects_in={
        "code": _RESOURCES,
        "text": _RESOURCES,
        "item": ("ingredient",),
        "service": ("item",),
        "diagnosis": ("diagnosis",),
    },
    either_in={
        "reference": ("actor", "reason", "service", "item", "medication", "informationSource", "administeredProduct")
    },
)
GIVEN = frozenset({"MedicationAdministration", "Immunization"})
_RECORDS = (*GIVEN, "Claim", "ChargeItem")
_READ = ("MedicationAdministration", "Immunization", "Medication", "Claim", "ChargeItem", "Condition")


# Resources that charge, by the status of those that hold; the last is what a payer made of a claim.
CHARGES = {"Claim": ("active",), "ChargeItem": ("billable", "billed"), "ExplanationOfBenefit": ("active",)}


@attrs.frozen
class Beside:
    """A charge of a message: its kind, its patient's address and its days of service, where it says them."""

    kind: str
    patient: str
    days: frozenset[str]


def _charge(resource: Mapping[str, Any]) -> Iterator[Beside]:
    """The charge that a resource is, where it is one that holds."""
    kind = resource.get("resourceType")
    if kind not in CHARGES or resource.get("status") not in CHARGES[kind]:
        return
    if resource.get("use", "claim") not in ("claim", "complete"):
        return
    patient = resource.get("subject") or resource.get("patient") or {}
    days: list[object] = []
    for held in (resource, *objects(resource.get("item"))):
        days += [held.get(name) for name in ("servicedDate", "occurrenceDateTime")]
        for name in ("servicedPeriod", "billablePeriod", "occurrencePeriod"):
            period = held.get(name)
            days += [period.get("start"), period.get("end")] if isinstance(period, dict) else []
    address = patient.get("reference") if isinstance(patient, dict) else None
    yield Beside(kind, str(address or ""), frozenset(str(one)[:10] for one in days if one))


@attrs.define  # made for every record, and to freeze it would be half of the work
class Message:
    """A message that was looked through: its resources with the address that references use.

    `given`: those that say what was given, with their place among all. `may_turn`: an element that changes a
    resource's meaning may stand in it, and is to be looked for. `known`: resources that it may point to, by
    address. `wrong`: what to say of records that cannot be read, by their place. `is_part`: a part of it is missing.
    `charges`: what stands beside those that say what was given, and may bill them already, by patient.
    """

    root: dict[str, Any]
    every: Sequence[tuple[str, dict[str, Any]]]
    given: Sequence[tuple[int, dict[str, Any]]]
    may_turn: bool
    known: Mapping[str, dict[str, Any]]
    wrong: Mapping[int, FormatError]
    is_part: bool
    charges: Mapping[str, Sequence[Beside]]

    @classmethod
    def of(
        cls,
        root: dict[str, Any],
        every: Sequence[tuple[str, dict[str, Any]]],
        may_turn: bool,
        wrong: Mapping[int, FormatError],
        labelled: bool,
    ) -> Message:
        given = [(at, one) for at, (_, one) in enumerate(every, 1) if one.get("resourceType") in GIVEN]
        is_part = _has_next(root) or (labelled and any(_PART in _labels(one) for _, one in given))
        if len(every) == 1:
            return cls(root, every, given, may_turn, {}, wrong, is_part, {})
        charges = [charge for _, one in every for charge in _charge(one)] if given else []
        by_patient = grouped(charges, lambda charge: charge.patient)
        return cls(root, every, given, may_turn, addressed(every), wrong, is_part, by_patient)

    @property
    def kinds(self) -> set[Any]:
        return {resource.get("resourceType") for _, resource in self.every}


def addressed(every: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Resources by each address that a reference may use; one that two different resources share names neither.

    A resource that does not say its whole address may stand on any server, one that does on that one alone.
    """
    known: dict[str, dict[str, Any]] = {}
    shared: set[str] = set()
    for url, resource in every:
        name = f"{resource.get('resourceType')}/{resource.get('id')}"
        anywhere = "" if url.startswith(("http:", "https:")) else f"/{name}"
        for address in filter(None, (name, _folded(url), anywhere)):
            if known.setdefault(address, resource) != resource:
                shared.add(address)
    return {address: resource for address, resource in known.items() if address not in shared}


def _folded(address: str) -> str:
    """An address as it is compared: of a UUID letters of either size are the same."""
    return address.casefold() if address[:4].casefold() == "urn:" else address


@attrs.define  # made for every record, and to freeze it would be half of the work
class Around:
    """What lies around one resource: what it contains, and the resources of the message by address.

    `may_turn`: an element that changes a meaning may stand in one of them; see `Message`.
    """

    inside: Mapping[str, dict[str, Any]]
    known: Mapping[str, dict[str, Any]]
    may_turn: bool

    @classmethod
    def of(cls, resource: Mapping[str, Any], known: Mapping[str, dict[str, Any]], may_turn: bool) -> Around:
        held = resource.get("contained")
        if not held:
            return cls({}, known, may_turn)
        inside = {f"#{one.get('id')}": one for one in held}
        if len(inside) < len(held):
            inside = addressed((f"#{one.get('id')}", one) for one in held)  # two of one name are neither
        return cls(inside, known, may_turn)

    def find(self, address: str) -> dict[str, Any] | None:
        """The resource at an address, relative or whole; None where the message does not hold it."""
        if address in self.inside:
            return self.inside[address]
        whole = _folded(address.partition("/_history/")[0])
        path = whole.split("/")
        end = "/".join(path[-2:])
        return self.known.get(whole) or self.known.get(f"/{end}" if len(path) > 2 else end)


def parse(text: object, *, apart: bool = False) -> Message:
    """The message, whose elements have the shapes that FHIR gives them.

    `apart`: a record that is not so, or test data, is put into `wrong` and hides no other.
    """
    text = plain_text(text, "fhir") if isinstance(text, (bytes, bytearray)) else text
    if isinstance(text, str) and text.lstrip()[:1] == "<":
        raise FormatError(
            "This is XML, and FHIR is read as JSON: ask the sender for application/fhir+json.", format="fhir"
        )
    try:
        root = load(text, "fhir", "A FHIR resource")
        every = resources(root)
    except RecursionError:
        raise FormatError("The message is nested deeper than any message is.", format="fhir") from None
    except FormatError:
        if (found := _records(text)) > 1:
            says = f"{found} records in one text, and read() takes one: read_all() reads them one at a time."
            raise FormatError(says, format="fhir", several=True) from None
        if isinstance(text, str):
            refuse_other_formats(text, "fhir")
        raise
    unseen = not isinstance(text, str) or "\\u" in text  # a name may be written in escapes
    labelled = unseen or '"meta"' in str(text)
    wrong: dict[int, FormatError] = {}
    for at, (_, resource) in enumerate(every, 1):
        try:
            _shaped(resource)
            if labelled:
                _live(resource)
        except RecursionError:
            raise FormatError("The message is nested deeper than any message is.", format="fhir") from None
        except FormatError as why:
            kind = resource.get("resourceType")
            if not apart or kind not in tuple(GIVEN):
                raise
            name = "" if why.message.startswith(f"{kind}") else f"{kind} {resource.get('id') or at}: "
            wrong[at] = FormatError(f"{name}{why.message}", **why.fields)
    if labelled:
        _live(root)
    may_turn = unseen or any(map(str(text).__contains__, _MARKS))
    return Message.of(root, every, may_turn, wrong, labelled)


def _records(text: object) -> int:
    """How many records a list of resources has, or a text of one a line (NDJSON)."""
    if not isinstance(text, (str, bytes, bytearray)):
        return len(text) if isinstance(text, (list, tuple)) and all(isinstance(one, dict) for one in text) else 0
    try:
        written = plain_text(text, "fhir")
        return _records(exact(written, "fhir")) if written.lstrip()[:1] == "[" else len(lines_of(written))
    except FormatError:
        return 0


def lines_of(text: str) -> list[str]:
    """The lines of a text of one resource a line; none of any other text."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines if len(lines) > 1 and any(map(_is_resource, lines)) and not _is_resource(text) else []


def _is_resource(text: str) -> bool:
    if text.lstrip()[:1] != "{":
        return False
    try:
        return "resourceType" in json.loads(text)
    except (ValueError, RecursionError):
        return False


def _shaped(resource: dict[str, Any]) -> None:
    kind = resource.get("resourceType")
    if kind in _READ and "whenGiven" in resource:
        raise refused(str(kind), "it has whenGiven, an element of DSTU1, which is not read: ask the sender for R4")
    if kind == "Immunization" and isinstance(resource.get("practitioner"), list):
        resource = {**resource, "performer": resource["practitioner"], "practitioner": {}}  # STU3's name
    if kind == "Immunization" and isinstance(resource.get("performer"), dict):
        resource = {**resource, "performer": [], "practitioner": resource["performer"]}  # DSTU2 has one reference
    if not isinstance(kind, str) or kind in _READ:
        _SHAPES.refuse(resource)


def _live(resource: dict[str, Any]) -> None:
    """Refuse test data: a resource that carries the security label HTEST, or what it contains."""
    for one in (resource, *objects(resource.get("contained"))):
        if TEST_LABEL in _labels(one):
            where = str(one.get("resourceType"))
            raise refused(where, f"its security label is {TEST_LABEL}: test data, which is never billed")


_PART = "SUBSETTED"  # tag of version 3's ObservationValue: elements of the resource were left out


def _labels(resource: Mapping[str, Any]) -> list[str]:
    """The codes of the labels and tags of a resource."""
    meta = resource.get("meta")
    if not isinstance(meta, dict):
        return []
    return [str(label.get("code")).upper() for name in ("security", "tag") for label in objects(meta.get(name))]


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list, of which nobody has looked at the shape."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def resources(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The resources of a message with the address that references use; of a Bundle in a Bundle too."""
    if message.get("resourceType") != "Bundle":
        return [("", message)]
    entries = message.get("entry") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FormatError("entry must be a list of objects.", format="fhir", place="entry")
    _stands(message, entries)
    found: list[tuple[str, dict[str, Any]]] = []
    for entry in entries:
        resource = entry.get("resource")
        if isinstance(resource, dict):
            inner = resource.get("resourceType") == "Bundle"  # the answer to one of several searches
            found += resources(resource) if inner else [(str(entry.get("fullUrl") or ""), resource)]
    return found


def _has_next(message: Mapping[str, Any]) -> bool:
    """Whether a Bundle, or one in it, is a page with a next one, counts more than it holds, or lists what failed."""
    if message.get("resourceType") != "Bundle":
        return False
    entries, total = objects(message.get("entry")), message.get("total")
    modes = (one.get("search") for one in entries)
    matches = sum(not isinstance(mode, dict) or mode.get("mode", "match") == "match" for mode in modes)
    pages = any(one.get("relation") == "next" for one in objects(message.get("link")))
    inner = [one for entry in entries if isinstance(one := entry.get("resource"), dict)]
    more = type(total) is int and total > matches
    return pages or more or any(_has_next(one) or _failed(one) for one in inner)


def _failed(resource: Mapping[str, Any]) -> bool:
    """Whether a server says that it did not answer the whole search."""
    if resource.get("resourceType") != "OperationOutcome":
        return False
    issues = objects(resource.get("issue"))
    return any(one.get("severity") in ("error", "fatal") or one.get("code") == "incomplete" for one in issues)


def _stands(bundle: dict[str, Any], entries: Iterable[dict[str, Any]]) -> None:
    """Refuse a Bundle of earlier versions or other rules, and one that deletes or changes a record of those billed."""
    if turning := next((key for one in (bundle, *entries) for key in _TURNS if one.get(key)), None):
        says = f"The Bundle has {turning}, which changes its meaning in a way that is not known here."
        raise FormatError(says, format="fhir", place=turning)
    if bundle.get("type") == "history":
        says = "A Bundle of type history holds earlier versions of its records: send the ones that hold now."
        raise FormatError(says, format="fhir", place="type")
    for at, entry in enumerate(entries):
        request, resource = entry.get("request"), entry.get("resource")
        if isinstance(resource, dict) and (why := _taken_back(resource)):
            raise refused(f"entry[{at}]", why)
        if isinstance(request, dict) and (does := _UNDOES.get(str(request.get("method")).upper())):
            named = [resource.get("resourceType")] if isinstance(resource, dict) else []
            named += re.split("[/?]", str(request.get("url")))
            if kind := next((one for one in named if one in _RECORDS), None):
                says = f"it {does} a {kind}: take back what was billed from it, and send what holds now"
                raise refused(f"entry[{at}]", says)


_NULLIFIES = ("NULLIFY", "DELETE", "ABORT", "CANCEL")  # activities of version 3's data operations


def _taken_back(resource: Mapping[str, Any]) -> str:
    """Why a document in error, or a provenance of what was taken back, lets nothing of its Bundle be billed."""
    kind = resource.get("resourceType")
    if kind == "Composition" and resource.get("status") in ("entered-in-error", "cancelled"):
        return f"the document that it heads has the status {resource['status']}"
    activity = resource.get("activity") if kind == "Provenance" else None
    of = " ".join(str(one.get("reference")) for one in objects(resource.get("target"))) if activity else ""
    if (
        isinstance(activity, dict)
        and not {*_NULLIFIES}.isdisjoint(words(activity))
        and any(one in of for one in _RECORDS)
    ):
        return "it says that a record was taken back (Provenance.activity)"
    return ""


def turned(value: object) -> str | None:
    """The element inside a resource, at any depth, that changes its meaning in ways that are not known here."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get(_RULES):
                return _RULES
            for key, item in one.items():
                if isinstance(item, (dict, list)) and key != "contained":
                    if (key[:1] == "_" or key in _LOOKED_AT) and (found := _turning(one, key, item)):
                        return found
                    waiting.append(item)
        elif isinstance(one, list):
            waiting += [item for item in one if isinstance(item, (dict, list))]
    return None


_RULES = "implicitRules"
_TURNS = ("modifierExtension", _RULES)
_ABSENT = "data-absent-reason"
NOT_DONE = "notdone"  # in the names of profiles (QI-Core) of what was not done, and of their extensions
_MARKS = (*_TURNS, _ABSENT, NOT_DONE)
_LOOKED_AT = ("modifierExtension", "extension", "profile")
_UNDOES = {"DELETE": "deletes", "PATCH": "changes"}


def _turning(held: Mapping[str, Any], key: str, value: Any) -> str | None:
    """What an element of an object turns round, as a refusal names it.

    An element has a value, or a reason why it has none; a profile of what was not done is of no record that was.
    """
    if key == "modifierExtension":
        return key if value else None
    if key == "profile":
        is_not_done = isinstance(value, list) and any(NOT_DONE in str(one).casefold() for one in value)
        return "profile of what was not done" if is_not_done else None
    of, absent = ("value", held) if key == "extension" else (key[1:], value)
    return f"{_ABSENT} beside its {of}" if held.get(of) is not None and _is_absent(absent) else None


def _is_absent(held: object) -> bool:
    said = objects(held.get("extension")) if isinstance(held, dict) else []
    return any(str(one.get("url")).endswith(_ABSENT) for one in said)


def refused(where: str, why: str, **fields: str) -> FormatError:
    return _quoting.refused("fhir", where, f"{why}.", **fields)


def system_of(said: object) -> str | None:
    """The code system that an address names; None for one that is not known here."""
    return (_SYSTEM.get(said) or _SYSTEM.get(_canonical(said))) if isinstance(said, str) else None


def codes(concept: Mapping[str, Any], system: str) -> list[dict[str, Any]]:
    """The codings of a concept that have a code, in one system."""
    return [one for one in concept.get("coding") or () if one.get("code") and system_of(one.get("system")) == system]


def flag(value: object) -> object:
    """True or false; the same as a text, as converters from XML write it, and whatever else stands there.

    >>> flag("false"), flag("true"), flag(True), flag("perhaps")
    (False, True, True, 'perhaps')
    """
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def words(concept: Mapping[str, Any] | None) -> list[str]:
    """Codes, displays and text of a concept."""
    if not concept:
        return []
    coding = concept.get("coding") or []
    return [
        *(str(one["code"]) for one in coding if one.get("code")),
        *(str(one["display"]) for one in coding if one.get("display")),
        *([str(concept["text"])] if concept.get("text") else []),
    ]


def decimal(value: object) -> Decimal | None:
    """A JSON number exactly; None for anything else."""
    if type(value) is int and abs(value) < amount.LARGEST:
        return Decimal(value)
    if isinstance(value, str):
        return None
    if type(value) is Decimal and value.is_finite() and abs(value.adjusted()) < amount.SHORT > len(str(value)):
        return value  # too short to be out of range
    return amount.plain_number(value)


def dump(value: Any, indent: int | None) -> str:
    """JSON text whose decimals are exact: json itself would turn them into floats."""
    exact: list[str] = []

    def mark(item: Any) -> str:
        exact.append(format(item, "f"))
        return f"\x00{len(exact) - 1}\x00"

    text = json.dumps(value, indent=indent, default=mark, ensure_ascii=False)
    return re.sub(r'"\\u0000(\d+)\\u0000"', lambda match: exact[int(match[1])], text)
