"""The verdict on lines of one claim, code and date: each against what ours would be, the pair of a JW line together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import attrs

from .. import convert, hcpcs, tables
from ..amount import MOST_COUNTED, cents, json_number, round_up, shown
from ..batch.record import count_of, dose_of
from ..dated import Citation
from ..dose import Dose
from ..errors import JcodeunitsError, OutsideBand
from ..facts.code_uses import code_use
from ..facts.drug_rows import Drug
from ..facts.policy_rows import PlaceRule
from ..facts.product_rows import Product
from ..quantity import counting
from ..recipes.cells import blank
from ..recipes.lines import Parts, Setting
from ..rules.unit_limit import unit_limit
from . import causes
from .expected import BY_SUCCESSOR, Bench
from .judged import AGREES, DIFFERS, Judged, ended_row, limit_of, product_of, row_of

_CELLS = ("dose", "unit", "place", "payer", "claim_type", "ndc", "ndc_qualifier", "ndc_quantity", "containers")
_WASTE = frozenset({"JW", "JZ"})
# Findings after which nobody knows whether JW or JZ belongs on the line.
_OPEN = frozenset(
    {
        "container-unknown",
        "containers-missing",
        "waste-unaccounted",
        "waste-doubt",
        "shared-container",
        "product-amount-unknown",
        "container-amount-differs",
        "container-differs",
        "container-from-memory",
    }
)
_ROUNDING = Fraction(1, 100)
_DIGITS = re.compile(r"[0-9](?:[^0-9]*[0-9]){4}")  # as many as no other remark has


@attrs.define(eq=False)
class Verdict(Judged):
    """The judgment of one line."""

    units: int | None = None
    modifiers: str | None = None
    ndc: str | None = None
    difference: int | None = None
    above: int | None = None


class BilledLine(NamedTuple):
    """One billed line as it is written: units None where they are no number, modifiers in capitals."""

    row: int
    code: str
    units: Fraction | None
    modifiers: tuple[str, ...]


def is_open(findings: str | None) -> bool:
    """Whether nobody knows, by the findings on a line, if JW or JZ belongs there."""
    return not _OPEN.isdisjoint((findings or "").split("|"))


def is_limited(findings: str | None) -> bool:
    """Whether the units of a line are above their MUE, by the findings on it."""
    return unit_limit.id in (findings or "").split("|")


def is_no_ndc(findings: str | None) -> bool:
    """Whether the NDC of a line is none, by the findings on it."""
    return "ndc-invalid" in (findings or "").split("|")


def joined_modifiers(said: tuple[str, ...], ours: Iterable[str]) -> str | None:
    """The modifiers that a line should carry: its own besides JW and JZ, then ours of those two."""
    return "|".join((*(modifier for modifier in said if modifier not in _WASTE), *sorted(ours))) or None


def units_of(value: Any) -> Fraction | None:
    """Billed units as an exact number above 0; None for what is none.

    >>> units_of("4"), units_of(4.0), units_of("1,000"), units_of("four"), units_of("-4"), units_of("1_0")
    (Fraction(4, 1), Fraction(4, 1), Fraction(1000, 1), None, None, None)
    """
    try:
        made = shown(value)
    except ValueError:
        return None
    return made if 0 < made <= MOST_COUNTED else None


def quantity_of(value: Any) -> Fraction | None:
    """A billed NDC quantity, which a table of decimals may write with an exponent; None for what is none.

    >>> quantity_of("1E+1"), quantity_of("1,000"), quantity_of("1e999999999")
    (Fraction(10, 1), Fraction(1000, 1), None)
    """
    try:
        return units_of(json_number(value.strip()) if isinstance(value, str) and "," not in value else value)
    except ValueError:
        return None


class Judge:
    """Judges groups of lines against the expected answers."""

    def __init__(self, bench: Bench) -> None:
        self.expected = bench.answer()
        self.cells = {name: bench.cells(name) for name in _CELLS}
        self.parts: Parts = bench.biller.parts
        self.dates, self.names = bench.dates, bench.names
        self.reference = bench.biller.reference
        self.book, self.policy = self.reference.drugs, self.reference.policy
        self.place_reasons = {row.reason for row in self.policy.rows(PlaceRule)}

    def group(self, lines: list[BilledLine]) -> dict[int, Verdict]:
        """The verdicts on the lines of one claim, code and date, by row."""
        made = {line.row: Verdict() for line in lines}
        given = [line for line in lines if "JW" not in line.modifiers]
        wasted = [line for line in lines if "JW" in line.modifiers]
        if not given:
            for line in wasted:
                made[line.row].unjudged("jw-alone")
            return made
        for line in given:
            self._administered(line, made[line.row])
        self._together(given, made)
        self._waste(given, wasted, made)
        if self.dates[lines[0].row] is not None:
            self._limited(lines, made)
        for line in lines:
            self._money(line, made[line.row])
        return made

    def _answer(self, row: int, name: str) -> Any:
        return self.expected.answers[name][row]

    def _administered(self, line: BilledLine, verdict: Verdict) -> None:
        row, reason = line.row, self._answer(line.row, "reason")
        verdict.code, verdict.units = self._answer(row, "hcpcs"), self._answer(row, "units")
        ended = ended_row(line.code, self.dates[row], self.reference)
        if line.units is None:
            verdict.unjudged("unreadable-units")
        elif ended is not None and (self.expected.by[row] == BY_SUCCESSOR or (reason or "").startswith("NotInEffect")):
            self._dead(line, verdict, ended)
        elif reason is not None:
            self._refused(line, verdict, reason)
        elif not hcpcs.is_valid(line.code) and self.names[row] is None:
            verdict.code = verdict.units = None  # what stands for the code was read as the name of a drug
            verdict.unjudged("not-a-drug")
        elif verdict.code != line.code:
            verdict.differs("wrong-code", self._cited(verdict.code, row))
            self._counted(line, verdict)
        elif self._confidence(row) == "low":
            verdict.unjudged("low-confidence")
        else:
            self._units(line, verdict)
            self._ndc(line, verdict)

    def _counted(self, line: BilledLine, verdict: Verdict) -> None:
        """The difference in units, also where they are units of two codes."""
        if verdict.units is not None and line.units is not None and line.units.denominator == 1:
            verdict.difference = int(line.units) - verdict.units

    def _dead(self, line: BilledLine, verdict: Verdict, ended: Drug) -> None:
        if ended.confidence == "low":
            verdict.unjudged("low-confidence")
            return
        verdict.differs("dead-code", ended.citation)
        self._counted(line, verdict)

    def _refused(self, line: BilledLine, verdict: Verdict, reason: str) -> None:
        kind = reason.partition(":")[0]
        verdict.code = verdict.units = None
        if kind == "OutsideBand":
            self._band(line, verdict)
        elif kind in ("ProductMismatch", "drug-product-mismatch"):
            self._product(line, verdict)
        elif kind == "dose-above-containers":
            verdict.differs(kind, *self._options(line.row, "jw"))
        elif kind in self.place_reasons or kind == "code-not-taken":
            verdict.code, verdict.units = line.code, 0
            self._counted(line, verdict)
            cause = kind if kind in causes.DIFFERS else "withheld"
            verdict.differs(cause, *(self._place(line.row) if kind in self.place_reasons else self._use(line)))
        elif kind in causes.OF_REFUSAL:
            verdict.unjudged(self._why(line, kind))
        else:
            verdict.unjudged("other")

    def _why(self, line: BilledLine, kind: str) -> str:
        if not self.book.rows(line.code):
            return "not-a-drug"
        if blank(self.cells["dose"][line.row]):
            return "dose-missing"
        return causes.OF_REFUSAL[kind]

    def _band(self, line: BilledLine, verdict: Verdict) -> None:
        """A dose outside the code's limits: the code of the same drug whose limits hold it."""
        row, on = line.row, self.dates[line.row]
        mine = row_of(line.code, on, self.reference)
        if mine is None:
            verdict.unjudged("other")
            return
        found = None
        try:
            self._converted(mine, row)
        except OutsideBand as error:
            found = [self._converted(code, row) for code in error.candidates]
        except JcodeunitsError:
            pass
        if found is None:  # what was refused is the code of the drug or the NDC beside it
            verdict.unjudged("product")
            return
        if len(found) == 1:
            verdict.code, verdict.units = found[0].code, found[0].count
            self._counted(line, verdict)
        verdict.differs("wrong-band", mine.citation, *(other.drug.citation for other in found))

    def _product(self, line: BilledLine, verdict: Verdict) -> None:
        """The NDC is of another code: ours is that of the product, where it has one."""
        row = line.row
        item = self._item(row)
        if item is None or item.confidence == "low" or not item.codes or line.code in item.codes:
            verdict.unjudged("product")
            return
        if len(item.codes) == 1:
            try:
                made = self._converted(item.codes[0], row)
                verdict.code, verdict.units = made.code, made.count
                self._counted(line, verdict)
            except JcodeunitsError:
                verdict.code = item.codes[0]
        verdict.differs("wrong-product", item.citation)

    def _units(self, line: BilledLine, verdict: Verdict) -> None:
        row = line.row
        assert line.units is not None
        assert verdict.units is not None
        if line.units == verdict.units:
            verdict.difference = 0
            return
        self._counted(line, verdict)
        verdict.differs(self._cause(line, verdict.units), self._cited(line.code, row), tables.cited("cpm-17"))

    def _cause(self, line: BilledLine, units: int) -> str:
        billed = line.units
        assert billed is not None
        if billed.denominator != 1:
            return "fractional-units"
        waste = self._answer(line.row, "waste_units") or 0
        if waste and billed == units + waste:
            return "waste-in-units"
        exact = self._exact(line) if abs(billed - units) == 1 else None  # rounding moves the units by one
        if exact is not None and exact >= 1 and billed == math.floor(exact):
            return "rounded-down"
        if exact is not None and exact.denominator == 1 and exact > 1 and billed == exact + 1:
            return "rounded-up-twice"
        return "wrong-multiplier"

    def _exact(self, line: BilledLine) -> Fraction | None:
        """The ratio before rounding, where the billed code gives one."""
        try:
            return self._converted(line.code, line.row).exact
        except JcodeunitsError:
            return None

    def _ndc(self, line: BilledLine, verdict: Verdict) -> None:
        row = line.row
        verdict.ndc = self._answer(row, "ndc")
        if is_no_ndc(self._answer(row, "findings")) and _DIGITS.search(str(self.cells["ndc"][row])):
            verdict.unjudged("product")  # as where a spreadsheet has dropped the zeros; a word says that there is none
        if self._answer(row, "same_ndc"):
            return
        qualifier, quantity = self._answer(row, "ndc_qualifier"), self._answer(row, "ndc_quantity")
        cell, how = self.cells["ndc_quantity"][row], self.cells["ndc_qualifier"][row]
        billed, counted = quantity_of(cell), str(how).strip().upper()
        same = blank(how) or counted == qualifier
        if same and (blank(cell) if billed is None else self._counts(row, billed, Fraction(quantity))):
            return  # the product is looked up only where its source is wanted
        cite = item.citation if (item := self._item(row)) is not None else None
        mass = billed is not None and billed == self._milligrams(row)
        if not same:
            verdict.differs("ndc-in-milligrams" if mass or counted == "ME" else "ndc-qualifier", cite)
        else:
            verdict.differs("ndc-in-milligrams" if mass else "ndc-quantity", cite)

    def _counts(self, row: int, billed: Fraction, quantity: Fraction) -> bool:
        """Whether a quantity is the dose's or that of the containers opened, as far as it was rounded."""
        if abs(billed - quantity) < _ROUNDING:
            return True
        item = self._item(row)
        if item is None:
            return False
        try:
            per = counting(item, self.dates[row], None, reference=self.reference).per_container
            opened = count_of(self.cells["containers"][row])
        except JcodeunitsError:
            return False
        return per is not None and opened is not None and abs(billed - per * opened) < _ROUNDING

    def _milligrams(self, row: int) -> Fraction | None:
        try:
            return self._dose(row).to("mg").amount
        except JcodeunitsError:
            return None

    def _dose(self, row: int) -> Dose:
        return dose_of(self.cells["dose"][row], self.cells["unit"][row])

    def _converted(self, code: str | Drug, row: int) -> convert.BilledUnits:
        """The dose of a row in units of a code. Raises as one call does."""
        return convert.billing_units(code, self._dose(row), self.dates[row], reference=self.reference)

    def _item(self, row: int) -> Product | None:
        return product_of(self.cells["ndc"][row], self.dates[row], self.reference)

    def _together(self, given: list[BilledLine], made: dict[int, Verdict]) -> None:
        """Several administered lines agree where their sum does, or where they are parts of one dose."""
        units = [made[line.row].units for line in given]
        billed = [line.units for line in given]
        if len(given) < 2 or any(value is None for value in (*units, *billed)):
            return
        total = sum((value for value in billed if value is not None), Fraction(0))
        doses = {(str(self.cells["dose"][line.row]), str(self.cells["unit"][line.row])) for line in given}
        parts = len(doses) == 1 and total == units[0]
        if total != sum(value for value in units if value is not None) and not parts:
            return
        for line in given:
            verdict = made[line.row]
            left = [cause for cause in verdict.causes if cause not in _OF_UNITS]
            if len(left) < len(verdict.causes) and not left:
                verdict.verdict, verdict.causes, verdict.citations = AGREES, [], []
                verdict.units, verdict.difference = int(line.units or 0), 0

    def _waste(self, given: list[BilledLine], wasted: list[BilledLine], made: dict[int, Verdict]) -> None:
        rows = [line.row for line in given]
        judged = all(self._settled(row) for row in rows) and not any(made[row].code is None for row in rows)
        lead = made[rows[0]]
        if not judged or any(line.units is None for line in wasted):
            for line in wasted:
                dead = "dead-code" in lead.causes
                made[line.row].code = lead.code if dead else line.code
                if dead:
                    made[line.row].differs("dead-code", *lead.citations[:1])
                else:
                    made[line.row].unjudged("waste-unknown")
            return
        wanted = sum(self._answer(row, "waste_units") or 0 for row in rows)
        billed = sum((line.units or Fraction(0) for line in wasted), Fraction(0))
        for line in given:
            self._modifiers(line, made[line.row], wanted)
        if wanted and not wasted:
            lead.differs("missing-jw", *self._options(rows[0], "jw"))
            lead.difference = (lead.difference or 0) - wanted
        for n, line in enumerate(wasted):
            verdict = made[line.row]
            verdict.code, verdict.units = lead.code, wanted if n == 0 else 0
            verdict.modifiers = "|".join(line.modifiers) or None
            verdict.difference = int(line.units or 0) - verdict.units
            if billed != wanted:
                verdict.differs("jw-units" if wanted else "jw-unsupported", *self._options(rows[0], "jw"))
            elif "dead-code" in lead.causes:
                verdict.differs("dead-code", *lead.citations[:1])
            else:
                verdict.units, verdict.difference = int(line.units or 0), 0

    def _settled(self, row: int) -> bool:
        """Whether the record tells which of JW and JZ belongs on the line."""
        return self._answer(row, "status") == "billed" and not is_open(self._answer(row, "findings"))

    def _modifiers(self, line: BilledLine, verdict: Verdict, wasted: int) -> None:
        row = line.row
        ours = set((self._answer(row, "modifier") or "").split("|")) & _WASTE
        if wasted:
            ours -= {"JZ"}  # JW and JZ never stand together for a drug and a day
        theirs = set(line.modifiers) & _WASTE
        verdict.modifiers = joined_modifiers(line.modifiers, ours)
        if "JZ" in ours and "JZ" not in theirs:
            verdict.differs("missing-jz", *self._options(row, "jz"))
        elif "JZ" in theirs and "JZ" not in ours:
            setting = self._setting(row)
            allowed = self.policy.option(setting.payer, "jz", self.dates[row], setting.claim).value
            if wasted:
                verdict.differs("jz-with-waste", *self._options(row, "jz"))
            elif allowed != "allowed":
                verdict.differs("unexpected-jz", *self._options(row, "jz"))

    def _limited(self, lines: list[BilledLine], made: dict[int, Verdict]) -> None:
        """The units above the MUE: of each line, or on the first line those of all the day's."""
        code, on, setting = lines[0].code, self.dates[lines[0].row], self._setting(lines[0].row)
        limit = self.policy.limit(code, on, setting.claim)
        if limit is None or limit.units == 0:
            return
        if self.policy.option(setting.payer, "limits", on, setting.claim).value != "enforced":
            return
        counted = [round_up(line.units or Fraction(0)) for line in lines]
        for line, units in zip(lines, counted if limit.per == "line" else [sum(counted)], strict=False):
            if units > limit.units:
                made[line.row].above = units - limit.units

    def _money(self, line: BilledLine, verdict: Verdict) -> None:
        """The difference in dollars, where a payment limit of the date is known for the codes."""
        on = self.dates[line.row]
        if verdict.verdict != DIFFERS or on is None or line.units is None or verdict.code is None:
            return
        mine, theirs = (limit_of(code, on, self.reference) for code in (verdict.code, line.code))
        if mine is None or theirs is None:
            return
        if verdict.code == line.code and verdict.difference is not None:
            verdict.amount = cents(verdict.difference * mine.amount)
        elif verdict.code != line.code and verdict.units is not None:
            verdict.amount = cents(line.units * theirs.amount - verdict.units * mine.amount)

    def _setting(self, row: int) -> Setting:
        cells = self.cells
        place, payer, claim = (cells[name][row] for name in ("place", "payer", "claim_type"))
        return self.parts.setting(place, payer, claim, self.dates[row])

    def _options(self, row: int, *names: str) -> tuple[Citation, ...]:
        on, setting = self.dates[row], self._setting(row)
        if on is None or setting.reason:
            return ()
        return tuple(self.policy.option(setting.payer, name, on, setting.claim).citation for name in names)

    def _place(self, row: int) -> tuple[Citation, ...]:
        setting, on = self._setting(row), self.dates[row]
        rule = self.policy.place_rule(setting.place or "", on, setting.payer, setting.claim)
        return () if rule is None else (rule.citation,)

    def _use(self, line: BilledLine) -> tuple[Citation, ...]:
        setting = self._setting(line.row)
        use = code_use(self.policy, line.code, self.dates[line.row], setting.payer, setting.claim)
        return () if use is None else (use.citation,)

    def _cited(self, code: str | None, row: int) -> Citation | None:
        found = row_of(code, self.dates[row], self.reference)
        return found.citation if found is not None else None

    def _confidence(self, row: int) -> str:
        found = row_of(self._answer(row, "hcpcs"), self.dates[row], self.reference)
        return found.confidence if found is not None else "high"


_OF_UNITS = frozenset({"wrong-multiplier", "rounded-down", "rounded-up-twice", "waste-in-units", "fractional-units"})
