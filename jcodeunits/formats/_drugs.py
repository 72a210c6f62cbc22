"""The drug as a message names it: NDCs, codes and texts, which must all mean one drug.

Names of one drug, its spellings and its brands are silent; two drugs are a contradiction. Texts are read in the
orders that RxNorm and the large systems print them: package, generic, brand in brackets, form, strength.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jcodeunits import ndc as ndc_codes
from jcodeunits.amount import decimal_text
from jcodeunits.errors import LONGEST, AmbiguousDrug, AmbiguousNdc, IdentifierError, UnknownDrug, quoted
from jcodeunits.facts.around_names import ways
from jcodeunits.facts.beside_names import DrugText
from jcodeunits.facts.drug_text import Strength, strength_in
from jcodeunits.facts.reading_names import read
from jcodeunits.facts.reference import Reference
from jcodeunits.grouped import only

from . import _incoming, _names, _vaccine_names
from ._quoting import Unread, coded

_STRENGTH = re.compile(
    r"(?P<name>.*?[^\s\d])\s+\d[\d.,]*\s?"
    r"(?:mg|mcg|ug|g|gm|ml|unt|unit|units|iu|meq|mmol|mci|%|million)(?![a-z])[^\[]*",
    re.IGNORECASE | re.DOTALL,
)
_PACKAGE = re.compile(r"\d[\d.,]*\s(?:ML|HR|ACTUAT|MG|UNT)\s+(?=[A-Za-z])")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_NO_BRAND = re.compile(r"[(\[](?:pf|preservative[- ]free)[)\]]", re.IGNORECASE)
_MIXED = re.compile(r" / |[a-z]-[a-z]| in | with ", re.IGNORECASE)
# A name of SNOMED CT, written out: a product by what it contains, and its kind in brackets.
_FULLY = re.compile(
    r"^product containing (?:precisely |only )?(?P<name>.*?)"
    r"(?: \((?:medicinal product(?: form)?|clinical drug|product)\))?$",
    re.IGNORECASE,
)
# What an antibody is against, before its name: CDC's texts have both.
_ANTIBODY = re.compile(r"^[^,]+,\s*(?:mAb|monoclonal antibody)\s*,\s*(?=\S)", re.IGNORECASE)
_AGE = re.compile(
    r"\d\s?(?:\+|y|yo|yr|yrs|years?|m|mo|mos|months?)\b|\b(?:p(?:a)?ediatric|peds?|adults?|adolescents?|infants?)\b",
    re.IGNORECASE,
)
_FLUSH = re.compile(r"\bflush\b", re.IGNORECASE)
_EITHER = re.compile(
    r"\b(?:injection|infusion)(?:\s*/\s*|,?\s+(?:or|and|and/or)\s+)(?:injection|infusion)\b", re.IGNORECASE
)
_INSIDE = re.compile(r"\s+(?:in|with)\s+", re.IGNORECASE)
_JOINED = re.compile(r"\s(?:\+|&|and|plus)\s|[;+]|,\s|\s/\s", re.IGNORECASE)
_AMOUNT = re.compile(r"\s(?=\d)|\s+in\s+|\s+-\s+|,\s")
# Words about the form and the package at the end of a drug's text, which tell no drug from another.
_FORM = re.compile(
    r"[\s,]+(?:for|injection|injectable|inj|solution|soln|sol|recon|reconstituted|suspension|susp|powder|lyophilized|"
    r"vial|vl|syringe|syr|ampule|ampul|amp|pen|prefilled|pf|mdv|sdv|ivpb|ivp|iv|im|bolus|infusion|premix|premixed|"
    r"piggyback|kit|bag|dose|pack|carpuject|usp|novaplus)\.?$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def drug_name(text: str, facts: Reference) -> str:
    """The name in a drug's text, the brand's where it is the more exact one; text in no known order is left as it is.

    `ValueError` where the brand in brackets is another drug's than the name before it.

    >>> book = Reference.shipped()
    >>> drug_name("2 ML cyclophosphamide 500 MG/ML Injection", book)
    'cyclophosphamide'
    >>> drug_name("ketorolac 30 MG / ondansetron 4 MG Injection", book)
    'ketorolac / ondansetron'
    >>> drug_name("piperacillin 4000 MG / tazobactam 500 MG Injection", book)
    'piperacillin / tazobactam'
    >>> drug_name("alemtuzumab 10 MG/ML [Lemtrada]", book), drug_name("Oxaliplatin", book)
    ('Lemtrada', 'Oxaliplatin')
    >>> drug_name("Product containing only ketorolac (medicinal product)", book)
    'ketorolac'
    >>> drug_name("RSV, mAb, nirsevimab-alip, 0.5 mL", book)
    'nirsevimab-alip'
    >>> drug_name("cefTRIAXone (ROCEPHIN) injection 1 g", book), drug_name("morphine (PF) injection 4 mg", book)
    ('cefTRIAXone', 'morphine')
    """
    bare = " ".join(_NO_BRAND.sub(" ", text).split())
    bare = _ANTIBODY.sub("", _FULLY.sub(lambda match: match["name"], bare))
    brand = bare[:-1].rpartition("[")[2].strip() if bare.endswith("]") and "[" in bare else ""
    if len(bare) > LONGEST:
        return brand or bare
    meant = _names.codes(bare, facts)
    known = [(one, found) for one in _of_parts(bare, facts) if (found := _names.codes(one, facts))]
    same = [one for one, found in known if found == (meant or known[0][1])]
    name = min(same, key=len, default=bare if meant else "")
    for other in _BRACKETS.findall(bare):
        other = other.strip()
        if not _names.codes(other, facts):
            continue
        relation = _names.relation(name, other, facts) if name else "exact"
        before = bare.replace(other, "")
        if relation == "other" and _names.contradicts(name, other, facts) and not _names.mentions(before, other, facts):
            raise ValueError(f"{quoted(name)} and {quoted(other)}")
        name = other if relation == "exact" or (relation == "same" and other == brand) else name
    if name and name != brand and (other := _joined(name, bare, facts)):
        if not all(_names.mentions(one, brand, facts) for one in (name, other)):
            raise ValueError(f"{quoted(name)} and {quoted(other)}")
        name = brand
    return _told(name, bare, facts) if name else brand or _unbracketed(bare)


def _told(name: str, bare: str, facts: Reference) -> str:
    """A name of several codes with the words of the form that tell them apart.

    Of a drug in a fluid, where the bag has a code of its own too, the whole text: which of the two it is, is asked. So
    of a vaccine whose text says for what age it is, which tells its code.
    """
    if _is_in_another(name, bare, facts):
        return bare  # D5W in NS is neither
    if _AGE.search(bare.replace(name, "")) and any(row.kind == "vaccine" for row in _names.rows(name, facts)):
        return bare
    if len(_names.codes(name, facts)) < 2 or (reading := _read(bare, facts)) is None:
        return name
    if reading.fluids and len(reading.names) == 1:
        return bare
    words = [
        word for word, ways_ in reading.forms if ways_ != ("injection",) and not _names.mentions(name, word, facts)
    ]
    longer = " ".join([name, *words])
    return longer if _names.codes(longer, facts) == _names.codes(name, facts) else name


def _is_in_another(name: str, bare: str, facts: Reference) -> bool:
    """Whether a fluid is said to be in another one."""
    behind = _INSIDE.split(bare)[1:]
    fluids = [one for part in behind for one in _readings(part.strip()) if _names.is_solution(one, facts)]
    return (
        bool(fluids)
        and _names.is_solution(name, facts)
        and any(_names.codes(one, facts) and _names.contradicts(name, one, facts) for one in fluids)
    )


def _read(text: str, facts: Reference) -> DrugText | None:
    """What the reader of names makes of the whole text; None where it cannot."""
    try:
        return read(facts.drugs, text) if len(text) <= LONGEST else None
    except (AmbiguousDrug, UnknownDrug):
        return None


def _joined(name: str, bare: str, facts: Reference) -> str:
    """A further drug that a text joins to the one that it names, which would be left out of the bill; else empty."""
    for rest in _JOINED.split(_BRACKETS.sub(" ", bare))[1:]:
        other = next((one for one in _readings(rest.strip()) if _names.codes(one, facts)), "")
        if (
            other
            and not _names.is_solution(other, facts)
            and not _names.mentions(name, other, facts)
            and _names.contradicts(name, other, facts)
        ):
            return other
    return ""


def _of_parts(bare: str, facts: Reference) -> Iterator[str]:
    """The names that a text may begin with; of one that lists several ingredients the whole, or the one in a base.

    None of several ingredients is the drug by itself: the others would be left out without a word.
    """
    listed = re.sub(r"\s*\[[^\[\]]*\]$", "", bare)
    together = _unbracketed(listed)
    names = together.split(" / ") if together != listed else []
    if len(names) < 2 or _names.codes(together, facts):
        yield from _readings(bare)
        return
    yield together
    drugs = [name for name in names if not _names.is_solution(name, facts)]
    yield from drugs if len(drugs) == 1 else names[:1] if not drugs else ()


def _readings(bare: str) -> Iterator[str]:
    """The names that a text may begin with, the longest first."""
    packed = _PACKAGE.sub("", bare, count=1) if _PACKAGE.match(bare) else bare
    yield _unbracketed(packed)
    head = re.split(r"[(\[]", packed, maxsplit=1)[0].strip() or packed
    for start in dict.fromkeys(
        (packed, head, _AMOUNT.split(packed, maxsplit=1)[0], _AMOUNT.split(head, maxsplit=1)[0])
    ):
        while start:
            yield start.strip(" ,-")
            shorter = _FORM.sub("", start)
            start = shorter if shorter != start else ""


def _unbracketed(bare: str) -> str:
    """The names before the strengths, where every part of the text has one; else the text."""
    parts = [_STRENGTH.fullmatch(part) for part in bare.split(" / ")]
    names = [part["name"].strip() for part in parts if part is not None]
    return " / ".join(names) if len(names) == len(parts) else bare


def concentration(texts: Iterable[str], facts: Reference) -> str | None:
    """What one mL holds by the drug's own text, where exactly one is said; of a base solution nothing is."""
    return only((said for text in texts if len(text) <= LONGEST and (said := _of_one_ml(text, facts))), None)


def one_ml(written: str) -> str:
    """What one mL holds by a strength alone; empty where that is no strength of a volume.

    >>> one_ml("60 mg/2 mL"), one_ml("1 g")
    ('30 mg/mL', '')
    """
    said = strength_in(written) if len(written) <= LONGEST else None
    return _per_ml(said) if said is not None and said.kind == "concentration" else ""


def _per_ml(said: Strength) -> str:
    return f"{decimal_text(said.amount)} {'units' if said.unit == 'unit' else said.unit}/mL"


@lru_cache(maxsize=4096)
def _of_one_ml(text: str, facts: Reference) -> str:
    """What the text of a drug says of one mL; empty where it says nothing of it."""
    reading = None if _names.is_solution(text, facts) else _read(text, facts)
    return "" if reading is None or reading.concentration is None else _per_ml(reading.concentration)


def same_ndcs(written: Iterable[str]) -> list[str]:
    """NDCs, those that are one in 11 digits once and as first written."""
    found: dict[str, str] = {}
    for one in written:
        try:
            found.setdefault(ndc_codes.compact(one), one)
        except IdentifierError:
            found.setdefault(one, one)
    return list(found.values())


def identity(
    ndcs: Sequence[str], codes: Sequence[str], texts: Iterable[str], facts: Reference, form: str, where: str
) -> Mapping[str, Any]:
    """The drug by its most exact name (NDC, then code, then text), where all names mean one drug.

    `FormatError`: two names mean two drugs, or (with the field `fills`) nothing says which drug it is.
    """
    found = _identity(tuple(ndcs), tuple(codes), tuple(texts), facts)
    if isinstance(found, Unread):
        raise found.at(where, form)
    return found


@lru_cache(maxsize=4096)
def _identity(
    ndcs: tuple[str, ...], codes: tuple[str, ...], texts: tuple[str, ...], facts: Reference
) -> Mapping[str, Any] | Unread:
    """The drug by the names of a message, wherever they stand in it."""
    known: dict[str, str] = {}
    for text in dict.fromkeys(text.strip() for text in texts):
        if not text:
            continue
        try:
            known.setdefault(drug_name(text, facts), text)
        except ValueError as why:
            return Unread(f"its drug's text names {why}, which contradict each other: two drugs.", "drug")
    packages = same_ndcs(ndcs)
    exact = list(dict.fromkeys([*filter(_is_ndc, packages), *codes]))
    names = [*exact, *sorted(known, key=lambda name: not _names.codes(name, facts))]
    if not names and len(packages) < 2:
        said_ndc = f"its NDC {quoted(packages[0])} is none, and it" if packages else "the drug"
        return Unread(f"{said_ndc} has no NDC, HCPCS code or text that can be read.", "drug")
    sure = [name for name in names if _names.codes(name, facts)] or names or packages
    if not exact and (of := _names.rows(sure[0], facts)) and all(row.refuses == _NO_DRUG for row in of):
        says = (
            f"its drug is {quoted(sure[0])}, which names none: {of[0].code} is for drugs without a code of their own."
        )
        return Unread(says, "drug")
    for other in names:
        if _is_other(sure[0], other, known.get(other, ""), facts):
            shown = quoted(other) if _names.codes(other, facts) else coded(other)
            says = f"its drug is {quoted(sure[0])} and {shown}, which contradict each other: two drugs."
            return Unread(f"{says} Correct the message.")
    apart = ((one, name) for one in exact for name in known if _names.is_apart(one, name, facts))
    if (pair := next(apart, None)) is not None:
        says = f"its drug is {quoted(pair[0])} and {quoted(pair[1])}, which has a code of its own."
        kept = {"ndc": packages[0]} if packages else {}
        return Unread(says, "drug", {"either": pair, "example": repr(pair[0]), "kept": kept})
    if len(packages) > 1:
        return Unread(f"it names {len(packages)} NDCs ({', '.join(packages)}).", "drug")
    strength = concentration(known.values(), facts)
    several = len(_names.codes(sure[0], facts)) > 1
    whole = next((text for text in known.values() if not exact and _is_needed(text, facts, several)), None)
    said: dict[str, Any] = {"drug": sure[0], **({"ndc": packages[0]} if packages else {})}
    if packages and codes and (listed := _names.codes(packages[0], facts)) and listed.isdisjoint(codes):
        said["drug"] = codes[0]  # that its package is of another product is found where the code is billed
    said |= {_incoming.WAYS: routes} if (routes := _ways(known.values(), facts)) else {}
    brands = [one for text in known.values() for one in _of_brackets(text)] if exact else []
    if pairs := [(one, name) for one in exact for name in (*known, *brands) if _names.may_be_apart(one, name, facts)]:
        said[_incoming.BRANDS] = tuple(pairs)
    said |= {_incoming.FLUSH: True} if any(_FLUSH.search(text) for text in known.values()) else {}
    said |= {_incoming.WHOLE: whole} if whole else {}
    return said | ({_incoming.STRENGTH: strength} if strength else {})


_NO_DRUG = "unclassified"  # the catalog's reason why a code has no units: it is no drug's own


def _is_ndc(written: str) -> bool:
    """Whether what stands as an NDC may be one: a number of the sender's own names no drug, and is no code."""
    try:
        ndc_codes.compact(written)
    except AmbiguousNdc:
        return True
    except IdentifierError:
        return False
    return True


def _of_brackets(text: str) -> list[str]:
    """What stands in brackets in a text that is no longer than a drug's."""
    return [one.strip() for one in _BRACKETS.findall(text)] if len(text) <= LONGEST else []


def _is_other(name: str, other: str, text: str, facts: Reference) -> bool:
    """Whether two names surely mean two drugs; `text`: the whole text that the other one is read in."""
    of_vaccine = _vaccine_names.differs(name, text, facts) if text else None
    if of_vaccine is not None and name != other:
        return of_vaccine
    return _names.contradicts(name, other, facts) and not _holds(text, name, facts)


def _is_needed(text: str, facts: Reference, several: bool) -> bool:
    """Whether a volume of a drug needs its whole text: it says several strengths, or one that tells its codes apart."""
    if len(text) > LONGEST:
        return False
    try:
        reading = read(facts.drugs, text)
    except AmbiguousDrug:
        return True  # two strengths that contradict each other
    except UnknownDrug:
        return False
    said = () if reading is None else reading.of("concentration")
    return reading is not None and bool(reading.of("part") or len(said) > 1 or (several and said))


def _ways(texts: Iterable[str], facts: Reference) -> frozenset[str]:
    """The routes that the texts of a drug name or that its forms are for; none where one of them names none."""
    each = [_ways_of(text, facts) for text in texts if len(text) <= LONGEST]
    return frozenset[str]().union(*each) if all(each) else frozenset()


def _ways_of(text: str, facts: Reference) -> frozenset[str]:
    """The routes that one text names; a solution for injection or infusion may be given by any."""
    return ways(facts.drugs, _EITHER.sub(" ", text))


def formed(says: Mapping[str, Any], forms: Iterable[str], facts: Reference) -> dict[str, frozenset[str]]:
    """The routes that a field for the form of the drug leaves: a tablet is no injection, whatever the drug's text says.

    >>> book = Reference.shipped()
    >>> formed({}, ["TAB", "Tablet"], book), formed({}, ["Solution for injection or infusion"], book)
    ({'ways': frozenset({'oral'})}, {})
    """
    of_form = frozenset[str]().union(*(_ways_of(text, facts) for text in forms if text and len(text) <= LONGEST))
    said: frozenset[str] = says.get(_incoming.WAYS, frozenset())
    return {_incoming.WAYS: (said & of_form) or of_form} if of_form else {}


def _holds(text: str, name: str, facts: Reference) -> bool:
    """Whether a text of several parts may be of the drug: it names it, or lists the many parts of a solution."""
    return bool(_MIXED.search(text)) and (text.count(" / ") > 1 or _names.mentions(text, name, facts, whole=True))
