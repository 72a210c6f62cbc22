"""The words of a descriptor: substance, brand or maker, form and route, told apart.

Look-up by name rests on this: a plain name must reach the code that covers every maker, and a code
for one brand must be reached by that brand alone. Brands themselves are not known here: what stands
in parentheses and is no known plain word is taken for a brand or maker, and every row is reviewed.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

from jcodeunits import tables

T = TypeVar("T")


def patterns(*pairs: tuple[str, T]) -> list[tuple[re.Pattern[str], T]]:
    """Patterns with what they stand for."""
    return [(re.compile(said), meaning) for said, meaning in pairs]


def _same(names: str) -> list[tuple[str, str]]:
    """Words that are ours already."""
    return [(rf"\b{name}\b", name) for name in tables.words(names)]


_OPENINGS = patterns(
    (r"^injection,? iv,", ("injection", "intravenous")),
    (r"^(?:injection|inj)\b[, ]*", ("injection",)),
    (r"^infusion\b[, ]*", ("injection", "intravenous")),
    (r"^intravesical instillation\b[, ]*", ("intravesical",)),
    (r"^instillation\b[, ]*", ("instillation",)),
    (r"^topical administration\b[, ]*", ("topical",)),
    (r"^oral,? ", ("oral",)),
)
# Words that say how a drug is given -> our route. All that match are kept.
_ROUTES = patterns(
    *_same("intravenous|intramuscular|subcutaneous|intra-articular|intravitreal|intracameral|intraocular"),
    *_same("suprachoroidal|intravesical|intrathecal|epidural|pyelocalyceal|otic|ophthalmic"),
    (r"\bnasal\b|\bsinus implant", "nasal"),
    *_same("rectal|urethral|vaginal|intrauterine"),
    (r"\btopical\b|\bpatch\b", "topical"),
    (r"\benteral\b", "enteral"),
    (r"\binhal(?:ation|er|ed)\b|\bnebulizer\b", "inhaled"),
    (r"\birrigation\b", "irrigation"),
    (r"\boral\b|\bcapsule\(s\)", "oral"),
    (r"\bparenteral\b", "injection"),
    (r"\bimplants?\b|\bpellet\b", "implant"),
)
_PARENTERAL = {"intravenous", "intramuscular", "subcutaneous", "intrathecal", "epidural"}
# Phrases for the kind of preparation -> our word for it; "" takes the phrase out and keeps nothing.
_FORMS = patterns(
    (r"\(e\.g\.? liquid\)", ""),
    (r"\bfor administration through dme \(i\.e\., insulin pump\)", "pump"),
    (r"\(loading dose for infusion pump\)", "pump loading dose"),
    (r"\bnon-depot form\b", "non-depot"),
    (r"\(?\bfor depot suspension\b\)?|\bdepot form\b", "depot"),
    (r"\bextended[- ]release\b", "extended release"),
    (r"\bimmediate release or delayed release\b", ""),
    (r"\bimmediate release\b", "immediate release"),
    (r"\bsustained release\b", "sustained release"),
    (r"\blong[- ]acting\b", "long acting"),
    (r"\bmicrosphere formulation\b", "microsphere"),
    (r"\bpreservative[- ]free(?: sterile solution)?\b", "preservative free"),
    (r"\bliposom(?:al|e)(?: formulation)?\b", "liposome"),
    (r"\bprotein-bound particles\b", "protein-bound"),
    (r"\blipid complex\b", "lipid complex"),
    (r"\bcholesteryl sulfate complex\b", "cholesteryl sulfate complex"),
    (r"\bnon-lyophilized\b", "liquid"),
    (r"(?<!non-)\blyophilized\b", "powder"),
    (r"\bunit dose(?: form)?\b(?=,|$| ?\|)", "unit dose"),
    (r"\bconcentrated form\b", "concentrated"),
    (r"\bfda[- ]approved final product\b|\bnon-compounded\b", ""),
    (r"\bcompounded product\b", "compounded"),
    (r"\b(?:as )?inhalation solution(?: through a nebulizer)?\b", "inhalation solution"),
    (r"\binhalation suspension\b", "inhalation suspension"),
    (r"\binhalation powder\b", "inhalation powder"),
    (r"\bfor inhalation\b", "inhalation powder"),
    (r"\bnasal spray\b", "nasal spray"),
    (r"\bnasal solution\b", "nasal solution"),
    (r"\b(?:monthly |yearly )?vaginal (?:ring|system)\b", "vaginal ring"),
    (r"\bintrauterine contraceptive system\b|\bintrauterine contraceptive device\b", "intrauterine device"),
    (r"\bgranules, oral suspension\b", "granules"),
    (r"\b(?:for suspension|(?:oral |enteral |otic )suspension)\b", "suspension"),
    (r"\bophthalmic (?:irrigation )?solution\b", "ophthalmic solution"),
    (r"\blacrimal ophthalmic insert\b", "insert"),
    (r"\burethral suppository\b|\brectal/suppository\b", "suppository"),
    (r"\bper implant\b", "implant"),
    (r"\bper patch\b", "patch"),
    (r"(?<=, )injectable\b", "injectable"),
    (r"\b(?:intravitreal|intracameral|sinus) implant\b|\bimplants?\b(?! system)", "implant"),
    (r"\bimplant system\b", "implant"),
    (r"\bintravesical system\b", "intravesical system"),
    (r"\bcollagen-matrix\b", "collagen matrix"),
    (r"\(heparin lock flush\)", "lock flush"),
    *_same("tablet|pellet|patch|gel|aerosol"),
    (r"\bcapsules?\(s\)|\bcapsule\(s\)|\bcapsules/powder\b", ""),
    (r"\bpowder or solution\b", ""),
    (r"(?<=, )powder(?=,)", "powder"),
    (r"\bunrefrigerated\b", "unrefrigerated"),
    (r"\bsingle unit dosage form\b|\bsingle unit dose applicator\b", ""),
    (r"\b(?:per )?(?:single (?:use|dose) )?vial\b|\bampule\b", ""),
    (r"(?<=. )solution(?=,|$| ?\|)", ""),
)
# What is said only once the form and route words are known; it names nothing.
_TAKEN_OUT = [
    re.compile(words)
    for words in (
        r"\b(?:for )?(?:epidural or )?(?:intravenous|intramuscular|subcutaneous|intravesical|intrathecal)"
        r"(?: or (?:intravenous|intramuscular))?(?: (?:injection|infusion|use|instillation|trial))?\b",
        r"\bfor intra-articular injection\b|\bfor topical (?:administration|use only)\b",
        r"\b(?:administered )?(?:through (?:dme|an? (?:inhaler|nebulizer))|for administration through dme)\b",
        r"\bvia(?: sustained release)?\b",
        r"\badministered\b",
        r"\b(?:intraocular|intravitreal|intracameral|suprachoroidal|ophthalmic|otic|nasal|oral|parenteral|topical"
        r"|pyelocalyceal instillation|intravesical instillation|instillation|mucoadhesive)\b(?=\s*(?:,|$|\||\)))",
        r"\bper (?:(?:therapeutic|treatment|study|single) )?(?:dose|treatment|study|infusion|instillation|bottle"
        r"(?: of)?)\b(?: vial)?",
        r"\beach unit\b|\beach\b",
        r"\bof (?:iron|therapy)\b",
        r"\bvwf:rco\b|\bof factor ix activity\b",
        r"/ml\b",
        r"\bper\b(?= ?\|)",
        r"\bper$",
        r"\bfor (?:therapeutic|diagnostic) use\b",
        r"\b(?:greater than \d+ days and up to|less than or equal to) \d+ days\b",
        r"\bin \|",
        r"-releasing\b",
        r"(?<=. )injection$",
        r"\bsuspension(?=,|$| ?\|)",
        r"\bup to(?= ?\|)",
    )
]
_PLAIN = re.compile(
    "|".join(
        (
            r"(?:for )?(?:non-?)?\s?esrd(?: on dialysis| use)?|for (?:non[- ]?)?esrd (?:use|on dialysis)",
            r"not otherwise specified(?: \(nos\))?|not otherwise classified|nos|nos\)",
            r"excludes biosimilars?|biosimilar",
            r"human(?:, .*)?|recombinant|(?:purified, )?non-recombinant|(?:human )?leukocyte derived|porcine",
            r"ovine|equine|bovine|rabbit|antihemophilic factor.*|fc fusion protein|albumin fusion protein",
            r"intramuscular or intravenous|synthetic|aqueous|sterile|oral brand|brand|powder",
            r"pegylated|glycopegylated|solvent detergent|diagnostic|therapeutic",
            r"contraceptive|single donor|vitamin k|g-csf|gm-csf|nitrogen mustard|mal|ddi|bmwd|drt|bcg|pfu|bcma",
            r"for tumor identification|for non-tumor identification|non-chemotherapeutic|chemotherapeutic",
            r"for (?:therapeutic|diagnostic) use|metered dose dispenser|irradiated|washed|cmv-negative|frozen",
            r"leukocytes reduced|pathogen[- ]reduced|pheresis|apheresis/pheresis|deglycerolized|.*reduced.*",
        )
    )
)
_BIOSIMILAR = re.compile(r",?\s*(?<!excludes )\bbiosimilar\b")
# A printed qualifier -> ours; "" where it tells nothing apart.
_QUALIFIERS = {
    **dict.fromkeys(
        tables.words(
            "g-csf|gm-csf|vitamin k|nitrogen mustard|mal|ddi|bmwd|drt|bcg|pfu|aqueous|sterile|human|contraceptive|"
            "for transfusion|antihemophilic factor|metered dose dispenser|powder|e.g. liquid"
        ),
        "",
    ),
    "nos": "not otherwise specified",
    "antihemophilic factor, human": "human",
    "antihemophilic factor, recombinant": "recombinant",
    "antihemophilic factor, purified, non-recombinant": "non-recombinant",
    "excludes biosimilar": "excludes biosimilars",
    "for non esrd use": "for non-esrd use",
    "non-esrd use": "for non-esrd use",
}
_PREMIXED = re.compile(r"\bin (?:\S+ )?(?:sodium chloride|dextrose)\b")
_RENAMED = patterns(
    (r"\bhcl\b", "hydrochloride"),
    (r"\bdmso, ", ""),
    (r"\baminophyllin\b", "aminophylline"),
    (r"\bbupivicaine\b", "bupivacaine"),
    (r"\bcyclosporin\b", "cyclosporine"),
    (r"\baprotonin\b", "aprotinin"),
    (r"\brho d\b", "rho(d)"),
    (r"\bhyaluronan or derivati?ve?\b", "hyaluronan"),
    (r"\bhyaluronan or derivitive\b", "hyaluronan"),
    (r"\bdilutant\b", "diluent"),
    (r"\bc-1 esterase\b", "c1 esterase"),
    (r"\bcalcitrol\b", "calcitriol"),
    (r"\bf[ -]?18\b", "f-18"),
    (r"\bc[ -]?11\b", "c-11"),
    (r"\blu 177\b", "lu-177"),
)


def read(text: str, notes: list[str], default_routes: tuple[str, ...], one_name: bool = False) -> dict[str, Any]:
    """The name fields of a reading, from a descriptor whose amounts are replaced by bars.

    `one_name`: all the words are one product's name, as with skin substitutes and radiopharmaceuticals.
    """
    text, opened = _open(text)
    routes = _find_routes(text, opened, default_routes)
    text, form = _take_forms(text)
    text, similar = _BIOSIMILAR.subn(",", text)
    text, plain_words, brands = _parentheses(text)
    for pattern in _TAKEN_OUT:
        text = pattern.sub("", text)
    name, joined, left_over = _segments(text, plain_words)
    if one_name:
        name, left_over = " ".join([name, *joined, *left_over]), []
    parts = [_tidy(name)] if one_name else [*substances(name), *joined]
    said = [*brands, *left_over, *plain_words, *(["biosimilar"] if similar else []), *notes]
    qualifier = tuple(dict.fromkeys(filter(None, (_QUALIFIERS.get(word, word) for word in said))))
    return {
        "ingredient": " / ".join(parts),
        "qualifier": qualifier,
        "specific": not one_name and _is_specific(brands, qualifier),
        "form": tuple(form),
        "routes": routes,
        "left_over": tuple(left_over),
    }


def _take_forms(text: str) -> tuple[str, list[str]]:
    form: list[str] = []
    for pattern, word in _FORMS:
        text, count = pattern.subn("", text)
        if count and word and word not in form:
            form.append(word)
    return text, form


def _segments(text: str, plain_words: list[str]) -> tuple[str, list[str], list[str]]:
    """The first name, further substances joined by `and`, and words that no vocabulary knows."""
    raw = [part.strip() for part in re.split(r"[,;|]", text)]
    pieces = [(bool(re.match(r"and\b", part)), _tidy(part)) for part in raw]
    pieces = [(joins, words) for joins, words in pieces if words]
    name = pieces[0][1] if pieces else ""
    last_join = max((i for i, (joins, _words) in enumerate(pieces) if joins), default=0)
    joined, left_over = [], []
    for index, (_joins, words) in enumerate(pieces[1:], start=1):
        if _PLAIN.fullmatch(words):
            plain_words.append(words)
        elif index <= last_join:
            joined.append(words)
        else:
            left_over.append(words)
    return name, joined, left_over


def _open(text: str) -> tuple[str, tuple[str, ...]]:
    for pattern, routes in _OPENINGS:
        if pattern.match(text):
            return pattern.sub("", text), routes
    return text, ()


def _find_routes(text: str, opened: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    found = [route for pattern, route in _ROUTES if pattern.search(text)]
    if _PARENTERAL & set(found) and "injection" not in opened:
        found.insert(0, "injection")
    if opened == ("instillation",) and found:
        opened = ()
    return tuple(dict.fromkeys([*opened, *found])) or default


def _parentheses(text: str) -> tuple[str, list[str], list[str]]:
    """The text without its parentheses; their plain words; their brands and makers."""
    qualifier: list[str] = []
    brands: list[str] = []
    text = re.sub(r"\brho\(d\)", "rho[d]", re.sub(r"f\(ab'?\)'?2", "f[ab]2", text))
    while match := re.search(r"\(([^()]*)\)", text):
        words = _tidy(match[1].replace("|", " "))
        if words:
            (qualifier if _PLAIN.fullmatch(words) else brands).append(words)
        text = text[: match.start()] + " " + text[match.end() :]
    return text.replace("rho[d]", "rho(d)").replace("f[ab]2", "f(ab')2"), qualifier, brands


def _is_specific(brands: list[str], qualifier: tuple[str, ...]) -> bool:
    return any(not brand.endswith("or therapeutically equivalent") for brand in brands) or any(
        words == "biosimilar" or words.startswith("not equivalent") or _PREMIXED.match(words) for words in qualifier
    )


def substances(text: str) -> list[str]:
    """The substances that a phrase names, one by one.

    >>> substances("Injection, piperacillin sodium/tazobactam sodium,")
    ['piperacillin sodium', 'tazobactam sodium']
    """
    text, _ = _open(text.lower())
    parts = [_tidy(part) for part in re.split(r",? and |, |/| with |;", text)]
    return [part for part in parts if part]


def substance(text: str) -> str:
    """The one substance in a piece of text between two amounts; "" where none is."""
    text, _ = _open(text.lower().strip(" ,/;"))
    for pattern, _form in _FORMS:
        text = pattern.sub("", text)
    text = re.sub(r"\b(?:oral|up to)\b|\([^)]*\)?", "", text)
    return _tidy(text).removeprefix("and ").strip(" ,/")


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip(" ,;/.")
    text = re.sub(r"^(?:and|of|or|but)\b ?|\b(?:and|in|or|with|for)$", "", text).strip(" ,;/")
    for pattern, name in _RENAMED:
        text = pattern.sub(name, text)
    return text
