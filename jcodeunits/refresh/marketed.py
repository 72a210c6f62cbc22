"""What the FDA's directory and NSDE say of a package: the printed unit, the containers, what one holds, its days.

A description nests from the carton in: `25 VIAL, SINGLE-DOSE in 1 TRAY/ 1 mL in 1 VIAL, SINGLE-DOSE`. The innermost
level says what one container holds; those above count containers. A kit names its parts behind it, which are parts
and not what is counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction

import attrs

from jcodeunits import units
from jcodeunits.grouped import only
from jcodeunits.tables import words

from .family import Row, facts

UNIT_OF = {"EA": "UN", "ML": "ML", "GM": "GR"}
FILES = ("nsde", "ndc-package", "ndc-product")
_LEVELS = re.compile(r"\s*[/>]\s*(?=[\d.,]+ )")
_PARTS = re.compile(r"\s+\*\s+")
_LEVEL = re.compile(r"([\d.,]+) (.+?) in ([\d.,]+) (.+)")
_SHAPES = {name.upper(): name for name in words("vial|syringe|ampule|cartridge|bag|bottle")}
_KINDS = {
    "single-dose": re.compile(r"SINGLE-(?:DOSE|USE)"),
    "multi-dose": re.compile(r"MULTI(?:PLE)?-(?:DOSE|USE)"),
    "bulk": re.compile(r"PHARMACY BULK"),
}
_LIQUID = re.compile(r"\b(?:SOLUTION|SUSPENSION|EMULSION|LIQUID|CONCENTRATE|SYRUP|ELIXIR)\b")
_POWDER = re.compile(r"\bPOWDER\b|\bFOR (?:SOLUTION|SUSPENSION)\b|\bGRANULE")
_PIECE = re.compile(r"\b(?:implant|insert|intrauterine device|pellet|intravesical system)\b")
_SOFT = re.compile(r"\b(?:CREAM|OINTMENT|GEL|PASTE)\b")
_PER = re.compile(r"\s*([a-zA-Z\[\]'.]+)/([\d.]*)\s*(?:mL|ml)")
_PER_ONE = re.compile(r"\s*([a-zA-Z\[\]'.]+)/(1)")


@attrs.frozen
class Marketed:
    """One package. What no file says, or two say differently, is empty or None.

    `unit` is what NSDE prints as an NDC line's qualifier; `form` liquid, powder, kit or cream; `containers` those in
    the package, `kits` the kits in it; `holds` the amount in one container with its measure (`mL`, `g`, else what
    is counted); `shape` and `kind` of the container; `per_ml` the drug in one mL as amount and unit, `per_one` that in
    one of what is counted; `began` and `ended` the days on which it was marketed.
    """

    unit: str = ""
    form: str = ""
    containers: Fraction | None = None
    kits: Fraction | None = None
    holds: tuple[Fraction, str] | None = None
    shape: str = ""
    kind: str = ""
    per_ml: tuple[Fraction, str] | None = None
    per_one: tuple[Fraction, str] | None = None
    began: str = ""
    ended: str = ""
    name: str = ""
    maker: str = ""

    @property
    def volume(self) -> Fraction | None:
        """The millilitres in one container."""
        return self.holds[0] if self.holds is not None and self.holds[1] == "mL" else None

    @property
    def counted(self) -> str:
        """What counts a container by its description: a plain liquid by its volume, a plain powder by itself."""
        if self.form == "liquid" and self.volume is not None:
            return "ML"
        return "UN" if self.form == "powder" and self.holds is not None and self.volume is None else ""

    @property
    def drug(self) -> tuple[Fraction, str] | None:
        """The drug in one container, as amount and unit; None where the strength or the volume is not said."""
        if self.volume is not None:
            return (self.per_ml[0] * self.volume, self.per_ml[1]) if self.per_ml is not None else None
        return self.per_one if self.counted == "UN" and self.holds is not None and self.holds[0] == 1 else None


def of(statements: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Marketed]:
    """Every package of NSDE and the directory, by NDC (5-4-2 with hyphens)."""
    printed, packages, products = (_facts(statements.get(file, ())) for file in FILES)
    numbers = printed.keys() | packages.keys()
    return {
        number: _marketed(printed.get(number), packages.get(number), products.get(number[:10])) for number in numbers
    }


def _facts(statements: Iterable[tuple[str, str]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for subject, told in statements:
        found.setdefault(subject, []).append(facts(told))
    return found


Told = list[Row] | None


def _marketed(printed: Told, package: Told, product: Told) -> Marketed:
    unit = only((UNIT_OF.get(row.get("unit", ""), "") for row in printed or ()), "")
    form = only((form_of(row["form"]) for row in [*(product or ()), *(printed or ())] if row.get("form")), "")
    printed_strengths = [(row.get("strength", ""), row.get("unit", "")) for row in product or ()]
    described = _described(only((row.get("package", "") for row in package or ()), ""))
    days = [*(printed or ()), *(package or ())]
    named = [*(product or ()), *(printed or ())]
    return attrs.evolve(
        described,
        unit=unit,
        form="kit" if described.kits is not None else form,
        per_ml=only((per_ml(*one) for one in printed_strengths), None),
        per_one=only((per_one(*one) for one in printed_strengths), None),
        began=min((row["began"] for row in days if row.get("began")), default=""),
        ended=_last(days),
        name=next((row[key] for row in named for key in ("name", "generic") if row.get(key)), ""),
        maker=next((row["maker"] for row in named if row.get("maker")), ""),
    )


def _described(text: str) -> Marketed:
    """What a description of the directory says; nothing where it is none, or counts several kinds of container."""
    levels = [_LEVEL.fullmatch(level) for level in levels_of(text)]
    known = [level for level in levels if level is not None and level[3] == "1"]
    if not known or len(known) != len(levels):
        return Marketed()
    counts = [Fraction(level[1].replace(",", "")) for level in known]
    if known[-1][2].upper() == "KIT":
        return Marketed(containers=None, kits=math.prod(counts, start=Fraction(1)), shape="kit")
    holder = known[-1][4].upper()
    what = known[-1][2]
    measure = {"ML": "mL", "L": "L", "G": "g"}.get(what.upper(), what)
    return Marketed(
        containers=math.prod(counts[:-1], start=Fraction(1)),
        holds=(counts[-1], measure) if counts[-1] else None,
        shape=_SHAPES.get(holder.split(",")[0].strip(), ""),
        kind=only((kind for kind, pattern in _KINDS.items() if pattern.search(holder)), ""),
    )


def levels_of(text: str) -> list[str]:
    """The levels of a description from the carton in; the parts of a kit are none.

    >>> levels_of("25 VIAL in 1 TRAY / 1 mL in 1 VIAL"), levels_of("1 KIT in 1 CARTON * 4 mL in 1 VIAL")
    (['25 VIAL in 1 TRAY', '1 mL in 1 VIAL'], ['1 KIT in 1 CARTON'])
    """
    return [level.strip() for level in _LEVELS.split(_PARTS.split(text)[0])]


def _last(rows: Iterable[Mapping[str, str]]) -> str:
    """The last day of marketing, where every listing of the package has one; a package made inactive ends there."""
    ends = []
    for row in rows:
        inactive = row.get("inactive", "") if row.get("inactive", "") >= row.get("active", "") else ""
        ends.append(min(filter(None, (row.get("ended", ""), inactive)), default=""))
    return max(ends, default="") if all(ends) else ""


def piece(form: str) -> str:
    """`piece` for the form of a thing that is put into the body whole, and counted by itself; empty for another.

    >>> piece("implant, pellet"), piece("collagen matrix")
    ('piece', '')
    """
    return "piece" if _PIECE.search(form) else ""


def form_of(text: str) -> str:
    """The form by the FDA's words; empty where they leave it open.

    >>> [form_of(words) for words in ("INJECTION, SOLUTION", "INJECTION, POWDER, FOR SOLUTION", "KIT", "INJECTION")]
    ['liquid', 'powder', 'kit', '']
    """
    words = text.upper()
    if words == "KIT":
        return "kit"
    for form, pattern in (("powder", _POWDER), ("cream", _SOFT), ("liquid", _LIQUID)):
        if pattern.search(words):
            return form
    return ""


def per_ml(strength: str, unit: str) -> tuple[Fraction, str] | None:
    """The drug in one mL, in mg or the drug's units, of a product of one substance whose strength is by volume.

    >>> per_ml("30", "mg/mL"), per_ml("4", "mg/2mL"), per_ml("500", "mg/1"), per_ml("1; 2", "mg/mL; mg/mL")
    ((Fraction(30, 1), 'mg'), (Fraction(2, 1), 'mg'), None, None)
    """
    return _drug_in(strength, unit, _PER)


def per_one(strength: str, unit: str) -> tuple[Fraction, str] | None:
    """The drug in one of what is counted, in mg or the drug's units, of a product of one substance.

    >>> per_one("1", "g/1"), per_one("30", "mg/mL")
    ((Fraction(1000, 1), 'mg'), None)
    """
    return _drug_in(strength, unit, _PER_ONE)


def _drug_in(strength: str, unit: str, pattern: re.Pattern[str]) -> tuple[Fraction, str] | None:
    match = pattern.fullmatch(unit)
    if match is None or not re.fullmatch(r"(?:\d+\.?\d*|\.\d+)", strength):
        return None
    word = match[1].lower()
    word = "unit" if word.startswith("[") or word in ("unt", "u") else word
    if not units.is_known(word) or Fraction(match[2] or 1) == 0 or Fraction(strength) == 0:
        return None
    symbol = units.canonical(word)
    return in_base(Fraction(strength) / Fraction(match[2] or 1), symbol)


def in_base(amount: Fraction, unit: str) -> tuple[Fraction, str]:
    """An amount in mg where its unit is one of mass, else as it is."""
    base = "mg" if units.dimension(unit) == "mass" else unit
    return amount * units.factor(unit, base), base


def rows(listed: Mapping[str, Marketed], known: Collection[str], source: str, verified: str) -> list[Row]:
    """The rows of marketing.csv: packages of the labelers' products that are known, where their days are."""
    products = {number[:10] for number in known}
    return [
        {
            "ndc": number,
            "effective": one.began,
            "ends": one.ended,
            "source": source,
            "cite": number,
            "confidence": "high",
            "verified": verified,
        }
        for number, one in sorted(listed.items())
        if number[:10] in products and one.began and (not one.ended or one.began <= one.ended)
    ]
