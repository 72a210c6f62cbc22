"""The words, numbers, strengths and codes of a drug's text, in their order.

What each of them means beside a name is decided in `reading_names`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import attrs

from .. import hcpcs, units
from ..amount import decimal_text, exact
from ..dose import IN_PARTS, Dose
from ..tables import words
from .words import normal, squeezed

Kind = Literal["concentration", "amount", "volume", "number", "billing unit", "part", "by body", "by time"]

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_OF_PARTS = r"mg|mcg|gm|grams|gram|g|lf\s?units?|lf|units|unit"  # what the parts of a combination are measured in
_ACTIVITY = words(
    "iu|u|unt|ut|tu|el.u|el u|el unit|el units|elu|elisa unit|elisa units|lf unit|lf units|lf|tuberculin unit|"
    "tuberculin units|tub. unit|tub. units|mu|[iu]|[usp'u]|[arb'u]"
)  # units of activity as records and RxNorm write them
_MEASURED = frozenset(
    words("mass|volume|equivalent|amount_of_substance|radioactivity|vector_genomes|plaques|phenytoin_equivalent|area")
)
_COUNTED = {
    "study dose": "study dose",
    "treatment dose": "treatment",
    "therapeutic dose": "therapeutic dose",
    "treatment": "treatment",
    "dose": "dose",
    "vial": "vial",
    "implant": "implant",
    "patch": "patch",
    "square centimeter": "cm2",
}  # what descriptors count by one, without a number
_CODE = re.compile(r"[A-Za-z]\d{4}")
_SPACED = re.compile(r"\s*([A-Za-z])[\s-](\d{4})\s*", re.ASCII)  # "J 1885" and "J-1885", alone
_WITH = re.compile(r"\bw/", re.IGNORECASE)
_SUM = re.compile(r"\b(\d{1,5}(?:\.\d{1,4})?)\s?\((\d{1,5}(?:\.\d{1,4})?)-(\d{1,5}(?:\.\d{1,4})?)\)", re.ASCII)
_OF_SALT = re.compile(
    r"\b(\d[\d.]{0,6}-\d[\d.]{0,6})\s?\(\d[\d.]{0,6}\)(?=\s?mg\b)", re.IGNORECASE
)  # the part as its salt
_ELEMENT = re.compile(
    r"(?<=mg)\s?(?:(?:i|iodine)(?=\s?/)|(?:of\s)?(?:elemental\s)?iron\b)", re.IGNORECASE
)  # what labels of contrast media and of iron count
_BASE = re.compile(r"\b\d[\d.]{0,6}\s?(?:mg|mcg)\s?\((\d[\d.]{0,6}\s?(?:mg|mcg))\sbase\)", re.IGNORECASE)
_PER_AREA = re.compile(
    r"\b(?:(?:per|pr)\s|(?<!\d)(?<!\d\s))(?:sq\.?\s?cm|cm2)\b", re.IGNORECASE
)  # "Restrata, per sq cm", without a number
_ABOUT = re.compile(r"\(\+\s?/\s?-\)")  # a vial of a clotting factor holds about so much
_LIST = re.compile(
    r"\b((?:\d[\d.]{0,6}-){1,5}\d[\d.]{0,6})\s((?:[a-z]{1,5}-){1,5}[a-z]{1,5})(?=\s?/|\s|$)", re.IGNORECASE
)
_INNER = re.compile(r"\(((?:\d[\d.]{0,6}-){1,5}\d[\d.]{0,6})\s?(mg|mcg)\)", re.IGNORECASE)
_NON = re.compile(r"\bnon(?:-|\s(?=esrd))", re.IGNORECASE)
_EQUIVALENT = re.compile(r"\bthere?apeutically\s+(?=equivalent\b)", re.IGNORECASE)
_TIMES = r"(?:\d{1,2}\s?(?:w(?:(?:ee)?ks?)?|mo(?:nth)?s?|d(?:ays?)?|y(?:ea)?rs?)|(?:week|month|year)s?)"
_AGAIN = re.compile(rf"\b(?:q|every)\s?{_TIMES}\b", re.IGNORECASE)  # when a dose is given again, never twice on a day
_HOURS = r"\d{1,2}(?:\s?-\s?\d{1,2})?\s?h(?:(?:ou)?rs?)?"
_OFTEN = re.compile(
    rf"\b(?:(?:q|every)\s?{_HOURS}|[bt]id|qid|[bt]\.i\.d\.|q\.i\.d\.|q(?:d|day|am|pm|hs)|nightly|at\sbedtime"
    r"|every\s(?:day|morning|evening|night)|once\sa\sday|(?:once\s)?daily"
    r"|(?:twice|(?:[2-6]|two|three|four)\s(?:times|x))\s(?:daily|(?:a|per)\sday))(?!\w)",
    re.IGNORECASE,
)  # how often it is given: how many doses were, it leaves open
_OF_BAG = re.compile(
    rf"\b(?P<of>{_NUMBER})(?P<fluids>(?:-\d[\d.]{{0,6}}){{1,2}})\s?(?P<per>[a-z]{{1,5}}(?:/\d{{0,5}}m?l)?)"
    rf"(?:-%){{1,2}}(?!\w)|(?<=[a-z]\s)(?P<drug>\d[\d.]{{0,6}})-(?P<fluid>\d[\d.]{{0,6}})\s?%(?![\w-])",
    re.IGNORECASE,
)  # of a bag: the drug's strength and the percentage of what it is in ("20-0.9 MEQ/L-%")
_OF_FLUIDS = re.compile(r"\b(dextrose)-((?:sodium chloride|nacl))\s(\d[\d.]{0,6})-(\d[\d.]{0,6})\s?%", re.IGNORECASE)
_SEASON = re.compile(r"\b20(\d\d)\s?[-/]\s?(?:20)?(\d\d)\b", re.ASCII)  # of a vaccine: the day decides the code
_DOTTED = re.compile(r"\bi\.u\.(?!\w)", re.IGNORECASE)


@attrs.frozen
class Strength:
    """An amount in a drug's text: in one mL (`concentration`), of one container, by weight, or a bare number."""

    written: str
    kind: Kind
    amount: Fraction
    unit: str = ""
    parts: tuple[Dose, ...] = ()  # the amounts of a combination's parts, written one after the other
    volume: Fraction | None = None  # the mL that hold them, or that an amount in so many mL is written with

    @property
    def is_by_volume(self) -> bool:
        """Whether it is written with a volume: "100 mL", "400 mg/200 mL"."""
        return self.kind == "volume" or (self.kind == "concentration" and "/" in self.written)

    @property
    def is_ratio(self) -> bool:
        """Whether it is written as one part in so many."""
        return ":" in self.written


@attrs.frozen
class Part:
    """One word, number, strength or code of a text."""

    key: str
    text: str
    strength: Strength | None = None
    code: str = ""


def _units_pattern() -> str:
    spelt = set(_ACTIVITY)
    for spelling, symbol in units.spellings().items():
        if units.is_activity(symbol) or units.dimension(symbol) in _MEASURED:
            spelt.add(spelling.casefold())
    return "|".join(re.escape(one) for one in sorted(spelt, key=lambda one: (-len(one), one)))


@lru_cache(maxsize=1)
def _scanner() -> re.Pattern[str]:
    unit, counted = _units_pattern(), "|".join(map(re.escape, sorted(_COUNTED, key=len, reverse=True)))
    over = r"(?:/|\bper\b(?:\ssingle[\s-](?:dose|use))?)"
    return re.compile(
        rf"""
        (?P<percent>{_NUMBER})\s?% |
        (?P<ratio>1\s?:\s?(?:{_NUMBER})) (?![\w.]) |
        (?<![\w.-]) (?P<parts>(?:{_NUMBER})\s?(?:{_OF_PARTS})(?:\s?[-/]\s?(?:{_NUMBER})\s?(?:{_OF_PARTS}))+)
            (?![a-z0-9]) (?: \s?/\s? (?P<held>(?:{_NUMBER})?) \s? (?P<holds>ml|vial|syringe|dose|bag) (?![a-z0-9]) )? |
        (?<![\w.-]) (?P<pair>(?:{_NUMBER})(?:\s?[-/]\s?(?:{_NUMBER}))+) \s?-?\s? (?P<of_pair>{_OF_PARTS})
            (?![a-z0-9]) (?: \s?/\s? (?P<mixed>(?:{_NUMBER})?) \s? (?P<mixes>ml|vial|syringe|dose|bag)
            (?![a-z0-9]) )? |
        \bu-?(?P<activity>40|100|200|300|500) (?!\w) |
        \bper\s+(?:single[\s-](?:dose|use)\s)?(?P<one>{counted}|{unit}) (?![a-z0-9]) |
        (?P<per>\b(?:per|up\s+to)\s+)? (?P<top>{_NUMBER}) \s?-?\s?
            (?:(?P<scale>thousand|million|billion)\s)? \s?(?P<unit>{unit}) (?![a-z0-9])
            (?: \s?{over}\s? (?P<bottom>{_NUMBER})? \s?-?\s? (?P<volume>ml|cc|l) (?![a-z0-9])
              | \s?{over}\s? (?P<container>vial|vil|vl|syringe|syr|dose|pen|cartridge|bag|ampule|ampul|amp)
                (?![a-z0-9])
              | \s?{over}\s? (?:(?P<body>kg|m2|m²) | (?P<time>(?:24\s?)?(?:hours?|hrs?|h)|day)) (?![a-z0-9]) )?
            (?: \s?x\s?(?P<times>[2-9]) (?![\w.]) )? |
        (?P<word>\d+\.\d+|[^\W_]+|\+)
        """,
        re.VERBOSE | re.IGNORECASE,
    )


_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "mu": 10**6}
_JOINING = frozenset({"and", "with"})


def _number(text: str) -> Fraction:
    return exact(text.replace(",", "") if not text.startswith(".") else f"0{text}")


@lru_cache(maxsize=512)
def _unit(spelling: str) -> str:
    if spelling in _ACTIVITY:
        return "unit"
    for word, symbol in units.spellings().items():
        if word.casefold() == spelling:
            return symbol
    raise ValueError(spelling)


def _strength(found: re.Match[str]) -> Strength | None:
    try:
        made = _measured(found)
    except ValueError:  # more digits than any amount has
        return None
    return made if made is not None and made.amount > 0 else None


def _measured(found: re.Match[str]) -> Strength | None:
    written = found[0].strip()
    if found["parts"] or found["pair"]:
        return _of_parts(found, written)
    if found["percent"]:
        return Strength(written, "concentration", _number(found["percent"]) * 10, "mg")
    if found["ratio"]:
        parts = _number(found["ratio"].partition(":")[2].strip())
        return Strength(written, "concentration", 1000 / parts, "mg") if parts else None
    if found["activity"]:
        return Strength(written, "concentration", _number(found["activity"]), "unit")
    if found["one"]:
        one = found["one"].casefold()
        return Strength(written, "billing unit", Fraction(1), _COUNTED.get(one) or _unit(one))
    spelling, scale = found["unit"].casefold(), (found["scale"] or "").casefold()
    amount, unit = _number(found["top"]) * _SCALES.get(scale, 1) * _SCALES.get(spelling, 1), _unit(spelling)
    if found["per"]:
        return Strength(written, "billing unit", amount, unit)
    if found["body"] or found["time"]:
        return Strength(written, "by body" if found["body"] else "by time", amount, unit)
    if found["volume"]:
        below = _number(found["bottom"] or "1") * units.factor(_unit(found["volume"].casefold()), "mL")
        of = below if found["bottom"] else None
        return Strength(written, "concentration", amount / below, unit, volume=of) if below else None
    if units.dimension(unit) == "volume":
        return Strength(written, "volume", amount * units.factor(unit, "mL"), "mL")
    return Strength(written, "amount", amount * int(found["times"] or 1), unit)


def _of_parts(found: re.Match[str], written: str) -> Strength:
    """The parts of a combination: with a unit each, or with the one behind them all."""
    each = re.findall(rf"({_NUMBER})\s?({_OF_PARTS})?", found["parts"] or found["pair"], re.IGNORECASE)
    parts = tuple(Dose(_number(top), _unit((unit or found["of_pair"]).casefold())) for top, unit in each)
    volume, holds = (found["held"], found["holds"]) if found["parts"] else (found["mixed"], found["mixes"])
    in_ml = holds is not None and holds.casefold() == "ml"
    return Strength(written, "part", Fraction(1), "", parts, _number(volume or "1") if in_ml else None)


def drawn_parts(parts: Iterable[Dose], per: Fraction, dose: Dose) -> Dose:
    """A volume of a combination as the amounts of its parts, of which `per` mL hold so much."""
    volume, said = dose.to("mL").amount, tuple(parts)
    written = f"{dose.written} of {'/'.join(map(str, said))}/{decimal_text(per)} mL"
    return attrs.evolve(dose, amount=volume / per, unit=IN_PARTS, written=written, volume=volume, parts=said)


def _one_by_one(found: re.Match[str]) -> str:
    """ "2.5-8-5 Lf-mcg-Lf" with the unit behind each number; as it is where they are not as many."""
    numbers, said = found[1].split("-"), found[2].split("-")
    return "-".join(map(" ".join, zip(numbers, said, strict=True))) if len(numbers) == len(said) else found[0]


def of_fluids(text: str) -> str:
    """A text with the percentage of each fluid behind it, where a list of them stands behind both.

    >>> of_fluids("DEXTROSE-SODIUM CHLORIDE 5-0.9 % IV SOLN")
    'DEXTROSE 5% SODIUM CHLORIDE 0.9% IV SOLN'
    """
    return _OF_FLUIDS.sub(r"\1 \3% \2 \4%", text)


def is_bag(text: str) -> bool:
    """Whether a text names a bag as it is sold, by a list of the drug's strength and its fluid's percentage.

    >>> is_bag("heparin in NaCl 25000-0.45 UT/250ML-%"), is_bag("heparin in NaCl 25000 units/250 mL")
    (True, False)
    """
    return any(found["of"] for found in _OF_BAG.finditer(text))


def _bag(found: re.Match[str]) -> str:
    """What a bag's list of strengths says: the percentage of the fluid, which stands before it, then the drug's."""
    if found["drug"]:
        return f"{found['fluid']}% {found['drug']}%"
    fluids = [f"{one}%" for one in found["fluids"].split("-")[1:]]
    return " ".join([*fluids, found["of"], found["per"]])


def often(text: str) -> tuple[str, str]:
    """The words of a drug's text that say how often it is given on a day, and the text without them.

    >>> often("ketorolac 15 mg q6h PRN"), often("Keytruda q3w")
    (('q6h', 'ketorolac 15 mg  PRN'), ('', 'Keytruda q3w'))
    """
    found = _OFTEN.search(text)
    return found[0] if found is not None else "", _OFTEN.sub("", text)


def parts_of(text: str) -> list[Part]:
    """The words of a text, its strengths and its codes, in their order."""
    text = "".join(found.groups()) if (found := _SPACED.fullmatch(text)) else text
    text = _SUM.sub(lambda found: found[1] if exact(found[1]) == exact(found[2]) + exact(found[3]) else found[0], text)
    text = _OF_SALT.sub(r"\1", text)
    text = text.replace("µ", "u").replace("μ", "u").replace("\xa0", " ")
    text = _SEASON.sub(lambda found: "seasonal" if int(found[2]) == int(found[1]) + 1 else found[0], text)
    text = _AGAIN.sub("monthly", text)
    text = _DOTTED.sub("IU", _EQUIVALENT.sub("", text))
    text = _PER_AREA.sub("per cm2", _ABOUT.sub("", _BASE.sub(r"\1", text)))
    text = _OF_BAG.sub(_bag, text)
    text = _LIST.sub(_one_by_one, _INNER.sub(lambda found: f" {found[2]}-".join([*found[1].split("-"), ""])[:-1], text))
    plain = _NON.sub("non", _WITH.sub("with ", _ELEMENT.sub("", text)))
    made: list[Part] = []
    for found in _scanner().finditer(plain):
        word = found["word"]
        if word is None:
            strength = _strength(found)
            percent = found["percent"]
            key = decimal_text(_number(percent)) if percent and strength else squeezed(found[0])
            made.append(Part(key, found[0].strip(), strength))
        elif (
            _CODE.fullmatch(word) and hcpcs.is_valid(word) and [part.key for part in made[-2:]] != ["equivalent", "to"]
        ):
            made.append(Part(word.casefold(), word, None, hcpcs.compact(word)))
        elif word.casefold() not in _JOINING:
            made.append(Part(normal(word), word))
    return made


def strength_in(written: str) -> Strength | None:
    """The one strength that a text is, as a table writes it; None where it is none.

    >>> strength_in("40 mg/mL").amount
    Fraction(40, 1)
    """
    found = _scanner().fullmatch(written)
    is_one = found is not None and any(found[kind] for kind in ("percent", "ratio", "activity", "unit"))
    return _strength(found) if found is not None and is_one else None
