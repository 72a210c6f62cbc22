"""The billing unit, the ingredient and the way of giving that a HCPCS descriptor states.

A descriptor is one line of prose written by many hands over forty years. The last number in it is
often not the unit (`8% patch`, `provided in 1.1 mg vial`), one unit is spelt in many ways, and some
descriptors state none. `parse` takes the text apart in a fixed order: remarks and concentrations out,
then amounts, then the words between the commas. What has no amount gets a reason instead of one.

>>> parse("Injection, ceftriaxone sodium, per 250 mg").amount
('250', 'mg', 'per')
>>> parse("Injection, thyrotropin alpha, 0.9 mg, provided in 1.1 mg vial").amount
('0.9', 'mg', 'per')
>>> parse("Injection, morphine sulfate, up to 10 mg").amount
('10', 'mg', 'up to')
>>> parse("Unclassified drugs").refuses
'unclassified'
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import attrs

from . import naming
from .amounts import Amount, amounts, plain

_COUNTED = {
    r"per therapeutic dose": "therapeutic dose",
    r"per treatment(?: dose)?": "treatment",
    r"per study(?: dose)?": "study dose",
    r"per infusion": "infusion",
    r"per instillation": "dose",
    r"per (?:single (?:use|dose) )?vial": "vial",
    r"per implant": "implant",
    r"per patch": "patch",
    r"per bottle": "bottle",
    r"per dose": "dose",
    r"each unit": "unit",
    r"\beach\b": "each",
}
_IN_A_VIAL = re.compile(r" vial\b")
_EQUALS = re.compile(r"\((?P<amount>[^()=]+?) = 1 unit\)")
_DAYS = re.compile(r"(?:greater than (\d+) days )?(?:and up to|less than or equal to) (\d+) days of therapy")
_RATIO = re.compile(r"\((\d[\d.]*)/(\d[\d.]*)\)")

# What is printed for the reader and is no billing unit. Each is cut out before amounts are read.
_REMARKS = naming.patterns(
    (r"\(code may be used[^)]*\)|\(not to be used[^)]*\)|\(for circumstances[^)]*\)", ""),
    (r"\(?(?:add-on, )?list (?:separately )?in addition[^)]*\)|\(list [^)]*\)|\(for use in [^)]*\)", ""),
    (r"\(central venous catheter [^)]*\)", "catheter lock"),
    (r"\(e\.g\.,[^)]*\)", ""),
    (r",? provided in [\d.]+ ?mg vial", ""),
    (r" per 24 hours", ""),
    (r",? (?:including|includes) (?:leukapheresis|implants?)\b[^,]*", ""),
    (r",? fda[- ]approved prescription anti-emetic, for use as.*regimen", "anti-emetic with chemotherapy"),
    (r",? ?fda approved prescription, only for use as hiv pre-exposure prophylaxis.*hiv\)", "hiv prevention"),
    (r" only for use as hiv pre-exposure prophylaxis \(.*hiv\)", "hiv prevention"),
    (r"\(only for use as hiv treatment\)", "hiv treatment"),
    (r",? for the pre-exposure prophylaxis only, .*(?=, ?\d[\d,]* mg$)", "covid-19 prevention"),
    (r",? with an indication for post-exposure.* only(?=,)", "covid-19 in hospital"),
    (r",? for hospitalized adult.* only(?=,)", "covid-19 in hospital"),
    (r",? for treatment of iron deficiency anemia", "iron deficiency"),
    (r",? for children from .*|,? when administered to individuals [^(]*", ""),
)
# Concentrations and strengths: they tell preparations apart, but no dose is counted in them.
_CONCENTRATIONS = [
    re.compile(words)
    for words in (
        r"in \d[\d.]*\s*% (?:sodium chloride|dextrose)",
        r"in sodium chloride",
        r"\d[\d.]*\s*(?:%|percent)(?![\w])",
        r"\(\d[\d.]* ?(?:mg|g)(?: per |/)cc\)",
        r"(?:up to )?\d+(?:-\d+)?(?: or greater)? ?mg/ml iodine concentration",
        r"\d[\d.]* ?m[c]?g/ml(?= and| ophthalmic)",
        r"containing nominal \d+ x 10\^\d+ pfu/ml vector genomes,?",
    )
]
_EQUIVALENCE = re.compile(r",? ?not there?apeutically equivalent to (?P<to>\w+(?: or \w+)*),?")
_UNCLASSIFIED = re.compile(r"unclassified|not otherwise (?:classified|specified)|\bnoc\b|\bnos\b|unspecified")


@attrs.frozen
class DescriptorReading:
    """What a descriptor says, field by field, in the words of `drugs.csv`.

    `size` and `unit` are the billing unit; None and "" where the descriptor states none, or states
    only components. `left_over` holds words that no vocabulary knows; they stand in the qualifier
    too, and the lint asks a person to look at them.
    """

    ingredient: str = ""
    qualifier: tuple[str, ...] = ()
    specific: bool = False
    form: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    size: Decimal | None = None
    unit: str = ""
    basis: str = "per"
    components: tuple[tuple[str, Decimal, str], ...] = ()
    equivalents: tuple[tuple[Decimal, str], ...] = ()
    above: Decimal | None = None
    through: Decimal | None = None
    refuses: str = ""
    left_over: tuple[str, ...] = ()

    @property
    def amount(self) -> tuple[str, str, str]:
        """Size, unit and basis as text, for a glance."""
        return (plain(self.size) if self.size is not None else "", self.unit, self.basis)


def parse(descriptor: str, default_routes: tuple[str, ...] = (), one_name: bool = False) -> DescriptorReading:
    """Read one descriptor.

    `default_routes` serve where the text names no route. `one_name`: the words before the amount are
    a product's name (skin substitutes), not substances to be told apart.

    Never raises for prose that it does not understand: such a reading refuses, with a reason.
    """
    text = " ".join(descriptor.lower().replace("\xa0", " ").split())
    core, notes = _strip_remarks(text)
    found = amounts(core)
    unit = _read_unit(core, found)
    words = naming.read(_without(core, found), notes, default_routes, one_name)
    if unit.get("basis") == "band":
        words = _drop(words, words["ingredient"].split(" / "))
    names = unit.pop("names", [name for name, _size, _unit in unit.get("components", ())])
    if names:  # a combination is named by its parts; a part is then no left-over word
        words = _drop(words, names) | {"ingredient": " / ".join(names)}
    return DescriptorReading(**{**words, **unit})


def _drop(words: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The name fields without qualifiers that only repeat a substance."""
    kept = {field: tuple(w for w in words[field] if w not in names) for field in ("left_over", "qualifier")}
    return words | kept


def _strip_remarks(text: str) -> tuple[str, list[str]]:
    notes = []
    match = _EQUIVALENCE.search(text)
    if match:
        codes = re.sub(r"\b[a-z]\d{4}\b", lambda code: code[0].upper(), match["to"])
        notes.append(f"not equivalent to {codes}")
        text = f"{text[: match.start()]}, {text[match.end() :]}"
    for pattern, note in _REMARKS:
        text, count = pattern.subn("", text)
        notes += [note] if count and note else []
    for pattern in _CONCENTRATIONS:
        notes += [note.strip("(), ").replace(" percent", "%") for note in pattern.findall(text)]
        text = pattern.sub("", text)
    return re.sub(r"\s+", " ", text).strip(" ,;"), notes


def _without(text: str, found: list[Amount]) -> str:
    """The text with a bar where each amount stood, so that names do not run together."""
    text = _EQUALS.sub("", text)
    for amount in amounts(text) if found else []:
        text = text[: amount.start] + "|" * (amount.end - amount.start) + text[amount.end :]
    return re.sub(r"\|+", "|", text)


def _read_unit(text: str, found: list[Amount]) -> dict[str, Any]:
    """The fields of `DescriptorReading` that the amounts decide."""
    equal = _EQUALS.search(text)
    if equal:
        inner = amounts(equal["amount"])[0]
        return {"size": inner.number, "unit": inner.unit}
    for reader in (_read_band, _read_counted, _read_combination, _read_single):
        fields = reader(text, found)
        if fields is not None:
            return fields
    return {"refuses": "unclassified" if _UNCLASSIFIED.search(text) else "no-amount"}


def _read_band(text: str, found: list[Amount]) -> dict[str, Any] | None:
    """`greater than 3 mg, but less than or equal to 6 mg`: the dose chooses the code, one unit."""
    days = _DAYS.search(text)
    if days:
        above = Decimal(days[1]) if days[1] else None
        return {"unit": "day", "basis": "band", "above": above, "through": Decimal(days[2])}
    above_amount = next((a for a in found if a.basis in ("greater than", "over")), None)
    through_amount = next((a for a in found if a.basis == "less than or equal to"), None)
    known = above_amount or through_amount
    if known is None:
        return None
    return {
        "unit": known.unit,
        "basis": "band",
        "above": above_amount.number if above_amount else None,
        "through": through_amount.number if through_amount else None,
    }


def _read_counted(text: str, found: list[Amount]) -> dict[str, Any] | None:
    """Things counted rather than measured: a dose, a vial, a treatment, a unit of blood."""
    counted = next((name for words, name in _COUNTED.items() if re.search(words, text)), None)
    if counted is None:
        return None
    if counted == "unit":
        return {"size": Decimal(1), "unit": "blood unit", "basis": "each", "equivalents": ((Decimal(1), "unit"),)}
    limits = [a for a in found if a.basis == "up to"]
    if limits:
        limit = limits[-1]
        return {"size": limit.number, "unit": limit.unit, "basis": "up to", "equivalents": ((Decimal(1), counted),)}
    measured = [a for a in found if a.basis in ("", "per") and a.unit not in ("each", "unit")]
    if len(measured) == 1 and counted not in ("each", "patch", "bottle"):
        return {"size": measured[0].number, "unit": measured[0].unit, "equivalents": ((Decimal(1), counted),)}
    held = {"components": _components(text, measured)} if len(measured) > 1 and counted == "patch" else {}
    return {"size": Decimal(1), "unit": counted, "basis": "each", **held}


def _read_combination(text: str, found: list[Amount]) -> dict[str, Any] | None:
    """Several substances with an amount each; a total only where it is printed."""
    ratio = _RATIO.search(text)
    if ratio and len(found) == 1:
        whole = found[0]
        names = naming.substances(text[: whole.start])
        parts = tuple((name, Decimal(n), whole.unit) for name, n in zip(names, ratio.groups(), strict=False))
        return {"size": whole.number, "unit": whole.unit, "components": parts}
    total: Amount | None = None
    parts_found = found
    if len(found) > 2 and (text[found[-1].start - 1] == "(" or found[-1].unit == "mL" != found[0].unit):
        parts_found, total = found[:-1], found[-1]
    if len(parts_found) < 2 or not _is_list(text, parts_found):
        return None
    components = _components(text, parts_found)
    if total is not None and total.unit == "mL":  # the parts are concentrations: they only name
        return {"size": total.number, "unit": "mL", "names": [name for name, _size, _unit in components]}
    fields: dict[str, Any] = {
        "components": components,
        "basis": "up to" if all(a.basis == "up to" for a in parts_found) else "per",
    }
    if total is not None:
        fields |= {"size": total.number, "unit": total.unit}
    return fields


def _is_list(text: str, parts: list[Amount]) -> bool:
    between = text[parts[0].end : parts[1].start]
    return bool(re.search(r"/|\band\b|[a-z]{4}", between)) and "(" not in between


def _components(text: str, parts: list[Amount]) -> tuple[tuple[str, Decimal, str], ...]:
    """Names beside the amounts (`a 5 mg and b 1 mg`, `1 mg a and 2 mg b`) or before all of them."""
    edges = [0, *(part.end for part in parts)]
    before = [naming.substance(text[edges[i] : part.start]) for i, part in enumerate(parts)]
    after = [
        naming.substance(text[part.end : nxt])
        for part, nxt in zip(parts, [*(p.start for p in parts[1:]), len(text)], strict=True)
    ]
    if all(before):
        names = before
    elif all(after):
        names = after
    else:
        names = naming.substances(text[: parts[0].start])
    return tuple((name, part.number, part.unit) for name, part in zip(names, parts, strict=False))


def _read_single(text: str, found: list[Amount]) -> dict[str, Any] | None:
    if not found:
        return None
    first, rest = found[0], found[1:]
    if rest and first.unit == "mL" and rest[0].unit == "mg":  # "1 cc, 200 mg": the mass is the drug
        first, rest = rest[0], [first]
    fields: dict[str, Any] = {
        "size": first.number,
        "unit": first.unit,
        "basis": "up to" if first.basis == "up to" else "per",
    }
    for other in rest:
        if other.basis == "up to" and other.unit == first.unit:
            fields["through"] = other.number
        elif other.unit != first.unit:
            fields["equivalents"] = ((other.number, other.unit),)
    if not rest and _IN_A_VIAL.match(text[first.end :]):
        fields["equivalents"] = ((Decimal(1), "vial"),)
    return fields
