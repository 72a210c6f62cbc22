"""What the dated tables that are not drugs hold: places, procedures, payers, limits, edits, fees and their kin.

Two kinds of period. Most rows have real ones: before `effective` and after `ends` they do not answer. Tables
made from editions (`nearest`) know only the editions read: before the first one the first row answers, after
the last one the open row answers, and `Policy.reach` says in words how far the data goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import attrs

from .. import tables
from ..dated import as_date
from ..hcpcs import MODIFIER
from ..tables import CLAIMS, Dated, choice, column, integer, number, optional, optional_integer, table, text, words

ANY = "any"
# What a row of the decision table may stand beside, whichever it is.
OTHER_DRUG, OTHER_SERVICE = "other-drug", "other-service"
SIDED = ("joint", "intravitreal", "nerve-block")  # roles of procedures that are done on a side of the body
LICENSED = "licensed-biologic"  # a class that only a site can know: a skin substitute with a biologics license


def _modifier(cell: str) -> str:
    """A modifier as a claim has it."""
    if not MODIFIER.fullmatch(cell):
        raise ValueError("two capitals or digits are wanted, as a claim has them")
    return cell


_claim = choice(ANY, *CLAIMS)
_severity = choice("", "note", "warn", "stop")


@attrs.frozen(eq=False, repr=False)
class PolicyRow(Dated):
    """A dated row that is no drug."""

    @property
    def goes_back(self) -> bool:
        """Whether it also answers before its first day: nobody read an older edition of its table."""
        begins = self.origin.begins if self.origin is not None else None
        return self.NEAREST and begins in (None, self.effective)


@table("places", "code", nearest=True)
class Place(PolicyRow):
    """A place-of-service code: our short name and whether Medicare pays its facility rate there."""

    code: str = column(text)
    name: str = column(text)
    rate: str = column(choice("facility", "non-facility"), own="non-facility")

    @property
    def facility(self) -> bool:
        """Whether the facility rate applies."""
        return self.rate == "facility"


@table("place_rules", "payer", "place", "claim", usual=("lines", "severity", "reason", "says"))
class PlaceRule(PolicyRow):
    """What a payer makes of an injection in a place.

    `place` is a code, or `facility` for every place paid at the facility rate.
    `outcome`: `bill`, or `withhold` the lines in `lines` (`administration`, `drug`) of the drugs of these
    `classes`. `severity` of the finding; empty = nothing to say.
    """

    payer: str = column(text)
    place: str = column(text)
    claim: str = column(_claim, own=ANY)
    classes: tuple[str, ...] = column(words, own=ANY)
    outcome: str = column(choice("bill", "withhold"))
    lines: tuple[str, ...] = column(words)
    severity: str = column(_severity)
    reason: str = column(optional)
    says: str = column(optional)
    fix: str = column(optional)


@table("procedures", "code")
class Procedure(PolicyRow):
    """A visit, administration or other service code, by the part it plays.

    `kind`: `visit`, `administration`, `procedure` (the injection is inside it), `product`, `service`.
    `role` is what the decision table asks for, `position` which of the role's codes this is (`single`,
    `initial`, `additional`, ...). `sites` are body sites that point to a joint's code. With `through` the row
    stands for every code of a range that has no row of its own, `code` being the first.
    """

    code: str = column(text)
    kind: str = column(choice("visit", "administration", "procedure", "product", "service"))
    role: str = column(text)
    position: str = column(text, own="single")
    label: str = column(text, own=lambda given: given.get("code", ""))
    sites: tuple[str, ...] = column(words)
    through: str = column(optional)

    @property
    def codes(self) -> str:
        """The code, or the range, as a finding names it."""
        return f"{self.code} to {self.through}" if self.through else self.code


@table("classes", "code", "name")
class DrugClass(PolicyRow):
    """A class of one drug code, reviewed by hand; a code may have several."""

    code: str = column(text)
    name: str = column(text)
    drug: str = column(text, own=lambda given: given.get("code", ""))
    note: str = column(optional)


@table("administration", "id")
class AdministrationRule(PolicyRow):
    """One row of the decision table: purpose x class x route x payer -> what the administration is.

    Rows are read in the order of `id`; the first that fits answers. `any` fits everything. `classes` are those
    of `classes.csv` and the drug's kind. `indication`: `neoplasm`, `injury`, `exposure` where a diagnosis of the drug
    is one, `other` where diagnoses are given and none is a neoplasm. `beside`: roles of which the claim must have a
    service or visit; `other-drug` and `other-service` stand for any.
    `outcome`: `bill` (the code of `role`), `procedure` (inside a service of `role` that the caller lists),
    `none` (nothing to bill), `ask` (no line until the question is answered).
    `drug`: whether the drug line is billed.
    `alternatives` are roles that the payer may want instead.
    """

    id: str = column(text)
    payer: str = column(text, own=ANY)
    claim: str = column(_claim, own=ANY)
    purpose: str = column(text, own=ANY)
    classes: tuple[str, ...] = column(words, own=ANY)
    routes: tuple[str, ...] = column(words, own=ANY)
    indication: str = column(choice("any", "neoplasm", "injury", "exposure", "other"), own=ANY)
    beside: tuple[str, ...] = column(words)
    outcome: str = column(choice("bill", "procedure", "none", "ask"))
    role: str = column(optional)
    alternatives: tuple[str, ...] = column(words)
    drug: str = column(choice("bill", "withhold"), own="bill")
    severity: str = column(_severity)
    reason: str = column(text, own="own-row")
    says: str = column(optional)
    fix: str = column(optional)


@table("modifiers", "code")
class Modifier(PolicyRow):
    """A modifier: our label, the kinds of line it may stand on, its place among others, when it is for."""

    code: str = column(_modifier)
    label: str = column(text)
    lines: tuple[str, ...] = column(words)
    rank: int = column(integer, own="99")
    use: str = column(text, own="as the site's row says")


@table("limits", "code", "claim", nearest=True)
class Limit(PolicyRow):
    """The most units of a code that are likely on one day (MUE).

    `per`: `line` (indicator 1), `day-absolute` (2: policy, never more), `day` (3: summed over the day's
    lines, more is reviewed against the record). `units` 0 = not billable there; `reason` is our short id of
    CMS's rationale.
    """

    code: str = column(text)
    claim: str = column(_claim, own=ANY)
    units: int = column(integer)
    per: str = column(choice("line", "day-absolute", "day"), own="day")
    reason: str = column(text, own="own-row")


@table("edits", "column_1", "column_2", "claim", nearest=True)
class Edit(PolicyRow):
    """A pair of codes that is not paid together: `column_1` is paid, `column_2` is denied.

    `indicator` 0: no modifier ever helps; 1: a modifier does where the services are separate.
    `basis`: `table` (a row of the CMS edit table) or `manual` (the text of the policy manual).
    """

    column_1: str = column(text)
    column_2: str = column(text)
    claim: str = column(_claim, own=ANY)
    indicator: int = column(integer)
    basis: str = column(choice("table", "manual"), own="manual")
    reason: str = column(text, own="own-row")

    @property
    def goes_back(self) -> bool:
        """As for every row; a published edit has its own first day, only a reshaped one starts with its edition."""
        published = self.origin is not None and self.origin.begins and self.origin.first_day != self.effective
        return not published and super().goes_back


@table("options", "name", usual=("allowed",), nearest=True)
class OptionKind(PolicyRow):
    """What a payer option means, and its values; `number`, `text` and `modifier` allow any of that kind."""

    name: str = column(text)
    allowed: tuple[str, ...] = column(words)
    meaning: str = column(text)


@table("payers", "payer", "option", "claim", usual=("values",))
class PayerOption(PolicyRow):
    """What one payer does in one matter. `values` are the parts of a value written with `|`."""

    payer: str = column(text)
    option: str = column(text)
    claim: str = column(_claim, own=ANY)
    values: tuple[str, ...] = column(words)

    @property
    def value(self) -> str:
        """The value where there is one; the first of several; empty where there is none."""
        return self.values[0] if self.values else ""


@table("fees", "code", "measure", nearest=True)
class Fee(PolicyRow):
    """One dated figure of what Medicare allows, in dollars or relative value units.

    `measure`: `work-rvu`, `practice-rvu`, `malpractice-rvu`, `total-rvu`, `conversion-factor`,
    `conversion-factor-qp`, `payment-limit` (dollars for one billing unit), `opps-rate`.
    """

    code: str = column(text)
    measure: str = column(
        choice(
            "work-rvu",
            "practice-rvu",
            "malpractice-rvu",
            "total-rvu",
            "conversion-factor",
            "conversion-factor-qp",
            "payment-limit",
            "opps-rate",
        )
    )
    amount: Fraction = column(number)


@table("route_codes", "ingredient", "payer", "claim", usual=("routes", "codes"))
class RouteCode(PolicyRow):
    """A drug that by some routes is not billed with the code of its name: what takes its place, by payer.

    `ingredient` means its biosimilars too. `codes`: one, which answers; several, among which the payer
    decides. `units`: how many of the code one administration is, where its descriptor names no amount.
    """

    ingredient: str = column(text)
    payer: str = column(text, own=ANY)
    claim: str = column(_claim, own=ANY)
    routes: tuple[str, ...] = column(words)
    codes: tuple[str, ...] = column(words)
    units: int | None = column(optional_integer)
    says: str = column(text)


@table("code_uses", "first", "last", "payer", "claim")
class CodeUse(PolicyRow):
    """Codes, from `first` to `last`, that a payer or a kind of claim does not take, or only in one case.

    `outcome`: `withhold` the line, or `warn` beside it. A narrower range answers before a wider one.
    """

    first: str = column(text)
    last: str = column(text, own=lambda given: given.get("first", ""))
    payer: str = column(text, own=ANY)
    claim: str = column(_claim, own=ANY)
    outcome: str = column(choice("withhold", "warn"))
    says: str = column(text)
    fix: str = column(text)

    def covers(self, code: str) -> bool:
        """Whether a code is in the range."""
        return self.first <= code <= self.last and len(code) == len(self.first)


@table("topics", "topic")
class Topic(PolicyRow):
    """A word of the field that people look up, and the dated fact that answers it."""

    topic: str = column(text)
    title: str = column(text)
    says: str = column(text)


@table("headings", "heading", "of")
class Heading(PolicyRow):
    """What an extract calls a column: its `heading` in small letters and figures, `of` which kind of table."""

    heading: str = column(text)
    of: str = column(choice("administrations", "lines", "charges"))
    column: str = column(text)


@table("payer_words", "word")
class PayerWord(PolicyRow):
    """A word in the name of a payer without rows of its own, and the payer whose rows come nearest."""

    word: str = column(text)
    payer: str = column(text)


@table("unclassified", "id")
class Unclassified(PolicyRow):
    """The codes for drugs without one of their own, by kind or class: the first row, by `id`, that fits."""

    id: str = column(text)
    kinds: tuple[str, ...] = column(words, own=ANY)
    routes: tuple[str, ...] = column(words, own=ANY)
    claim: str = column(_claim, own=ANY)
    codes: tuple[str, ...] = column(words)


@table("needed_modifiers", "code", "payer", "modifier")
class NeededModifier(PolicyRow):
    """A modifier, one of several, without which a payer returns a code.

    `when`: a `diagnosis` that begins like one of `diagnoses` calls for it, or it stands `otherwise`.
    `least` and `most`: the units for which it stands, where it is for some doses only.
    """

    code: str = column(text)
    payer: str = column(text, own=ANY)
    claim: str = column(_claim, own=ANY)
    modifier: str = column(text)
    when: str = column(choice("diagnosis", "otherwise"), own="diagnosis")
    diagnoses: tuple[str, ...] = column(words)
    least: int | None = column(optional_integer)
    most: int | None = column(optional_integer)
    says: str = column(text)


@table("statuses", "code", nearest=True)
class Status(PolicyRow):
    """How the hospital outpatient system treats a code: its status indicator."""

    code: str = column(text)
    status: str = column(text)


@table("diagnoses", "diagnosis", "code", nearest=True)
class Diagnosis(PolicyRow):
    """A diagnosis often seen with a drug (`any` code: doubtful itself), its `doubt`, and what fits `instead`."""

    diagnosis: str = column(text)
    code: str = column(text)
    label: str = column(text)
    doubt: str = column(optional)
    instead: tuple[str, ...] = column(words)


@table("diagnosis_sides", "begins", nearest=True)
class DiagnosisSide(PolicyRow):
    """How diagnosis codes begin that name a side of the body, and how many characters stand before its digit."""

    begins: str = column(text)
    skip: int = column(integer)

    def side(self, diagnosis: str) -> str:
        """The one side that a diagnosis names, as a modifier; empty for none, both, or another beginning."""
        plain, begins = diagnosis.replace(".", "").upper(), self.begins.replace(".", "")
        digits = plain[len(begins) + self.skip :] if plain.startswith(begins) else ""
        return {"1": "RT", "2": "LT"}.get(digits[:1], "")


@table("denials", "id", nearest=True)
class Denial(PolicyRow):
    """A reason for denial: the rules that see it beforehand and what to do once it has happened."""

    id: str = column(text)
    number: int = column(integer)
    title: str = column(text)
    rules: tuple[str, ...] = column(words)
    cause: str = column(text)
    fix: str = column(text)


@table("denial_codes", "code")
class DenialCode(PolicyRow):
    """A claim adjustment reason code (CARC) as a remittance prints it, and what it means for an injection.

    `denials` are the reasons for denial behind it, `rules` the findings that see it beforehand, `remarks` the
    remark codes (RARC) that usually stand beside it. The labels are ours.
    """

    code: str = column(text)
    label: str = column(text)
    denials: tuple[str, ...] = column(words)
    rules: tuple[str, ...] = column(words)
    remarks: tuple[str, ...] = column(words)


@table("documentation", "element", nearest=True)
class Element(PolicyRow):
    """Something that the record of an injection holds, always or where waste, a visit or a vaccine asks for it."""

    element: str = column(text)
    title: str = column(text)
    needed: str = column(choice("always", "waste", "visit", "vaccine"))
    severity: str = column(choice("note", "warn"))
    holds: str = column(text)
    weak: str = column(optional)


TABLES = tables.classes_of(vars())
# The tables that decide about a drug line besides the catalog, the products and the classes of single codes.
DECIDING = (
    AdministrationRule,
    CodeUse,
    Limit,
    Modifier,
    NeededModifier,
    PayerOption,
    Place,
    PlaceRule,
    Procedure,
    RouteCode,
    Status,
    Unclassified,
)


def plays(role: str, wanted: Iterable[str]) -> bool:
    """Whether a role is one of these or of their families: `joint` stands for `joint-small`, `joint-large`, ...

    >>> plays("joint-small", ["joint"]), plays("jointed", ["joint"])
    (True, False)
    """
    return any(role == name or role.startswith(f"{name}-") for name in wanted)


def unclassified(
    rows: Iterable[Unclassified], kinds: Iterable[str], route: str, on: object, claim: str = "professional"
) -> Unclassified | None:
    """The codes for a drug without one of its own, by its kind and classes; None before the code set had any.

    >>> import jcodeunits; rows = jcodeunits.Reference.shipped().policy.rows(Unclassified)
    >>> unclassified(rows, ["biological"], "IV infusion", on="2026-03-02").codes
    ('J3590',)
    """
    wanted = {ANY, *kinds}
    for row in sorted(rows, key=lambda row: row.id):
        fits = not wanted.isdisjoint(row.kinds) and (route in row.routes or ANY in row.routes)
        if fits and row.claim in (ANY, claim) and row.period.holds(as_date(on)):
            return row
    return None
