"""The vaccine that a code of CVX stands for, and whether a text beside it names another one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from jcodeunits import ndc
from jcodeunits.errors import LONGEST
from jcodeunits.facts.drug_rows import Drug, VaccineWord
from jcodeunits.facts.reference import Reference
from jcodeunits.facts.words import normal
from jcodeunits.hcpcs import is_level_two

from . import _amounts, _names
from ._quoting import coded as quote
from ._quoting import refused


def of_cvx(
    cvx: Sequence[str],
    dose: str,
    known: Sequence[str],
    facts: Reference,
    form: str,
    where: str,
    texts: Iterable[str] = (),
) -> Sequence[str]:
    """The CPT code that a code of CVX stands for, where the list and the dose leave one.

    `known`: the NDCs and codes beside it. `FormatError` (with the field `fills`): there is none of them, and
    CVX alone leaves several codes, or none. Or one of the `texts` beside it names another vaccine only.

    >>> book = Reference.shipped()
    >>> of_cvx(["115"], "0.5 mL", (), book, "fhir", "drug"), of_cvx(["140"], "0.5 mL", (), book, "fhir", "drug")
    (['90715'], ['90656'])
    """
    if not cvx:
        return []
    each = [facts.drugs.vaccines.get(one.zfill(2), ()) for one in dict.fromkeys(cvx)]
    rows = [row for found in each for row in found if not row.dose or _amounts.one_dose(row.dose, dose)]
    codes = list(dict.fromkeys(row.code for row in rows))
    listed = [row for found in each for row in found]
    for text in texts if listed else ():
        if _is_another(text, {row.code for row in listed}, [row.display for row in listed], facts):
            says = f"CVX {quote(cvx[0])} is {listed[0].display}, and its text names another vaccine ({quote(text)})"
            raise refused(form, where, f"{says}, which contradict each other. Correct the message.")
    if codes or any(_names.codes(one, facts) for one in known):
        return codes
    by_dose = " with this dose" if any(each) else ""
    says = f"it names the vaccine by CVX {quote(cvx[0])} alone, for which no one CPT code is known{by_dose}"
    more = {"example": "'its CPT code'", "vaccine": tuple(texts)}
    raise refused(form, where, f"{says}.", fills="drug", **more)


@lru_cache(maxsize=8)
def _vaccine_words(facts: Reference) -> Mapping[str, frozenset[str]]:
    return {normal(row.word): frozenset(row.against) for row in facts.store.rows(VaccineWord)}


_LONGEST_PHRASE = 3  # words of a disease's name
_CARRIERS = frozenset({"diphtheria", "tetanus"})  # whose toxoids carry the other part of a conjugate
_WITH_THEM = "pertussis"


@lru_cache(maxsize=4096)
def against(text: str, facts: Reference) -> frozenset[str]:
    """What the words of a vaccine's name say that it is against; none where nobody knows them.

    >>> book = Reference.shipped()
    >>> sorted(against("DTaP-Hep B-IPV", book)), sorted(against("meningococcal ACWY, diphtheria conjugate", book))
    (['diphtheria', 'hepatitis-b', 'pertussis', 'polio', 'tetanus'], ['meningococcus'])
    """
    table, said = _vaccine_words(facts), normal(text).split() if len(text) <= LONGEST else []
    found: set[str] = set()
    at = 0
    while at < len(said):
        sizes = range(min(_LONGEST_PHRASE, len(said) - at), 0, -1)
        size = next((size for size in sizes if " ".join(said[at : at + size]) in table), 0)
        found |= table[" ".join(said[at : at + size])] if size else set()
        at += size or 1
    is_conjugate = bool(found - _CARRIERS) and _WITH_THEM not in found
    return frozenset(found - _CARRIERS if is_conjugate else found)


def _is_another(
    text: str, codes: Collection[str], labels: Iterable[str], facts: Reference, *, part: bool = False
) -> bool:
    """Whether a text names another vaccine than these codes and labels: by codes of its own, or by what it is against.

    `part`: it may name a part of it alone. Codes of Medicare's own are of the same vaccines as others.
    """
    meant = _names.codes(text, facts)
    if meant and meant.isdisjoint(codes) and not all(map(is_level_two, meant)):
        return True
    said = against(text, facts)
    known = [against(label, facts) for label in labels]
    return bool(said) and all(known) and not any(said == one or (part and said < one) for one in known)


@lru_cache(maxsize=4096)
def differs(name: str, text: str, facts: Reference) -> bool | None:
    """Whether a text beside the code or NDC of a vaccine names another one; None where one of the two is of no vaccine.

    The label of an NDC may name one part.

    >>> book = Reference.shipped()
    >>> [differs("90707", text, book) for text in ("MMR", "MMRV", "M-M-R II", "ketorolac")]
    [False, True, False, None]
    """
    rows = _names.rows(name, facts)
    if not _are_vaccines(rows) or not (against(text, facts) or _are_vaccines(_names.rows(text, facts))):
        return None
    labels = [row.ingredient for row in rows]
    return _is_another(text, _names.codes(name, facts), labels, facts, part=ndc.looks_like(name))


def _are_vaccines(rows: Collection[Drug]) -> bool:
    """Whether rows are all of vaccines, and of one each; none are of none."""
    return bool(rows) and all(row.kind == "vaccine" and not row.refuses for row in rows)
