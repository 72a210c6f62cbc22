"""A charge table judged: which rows would make wrong lines tomorrow, and what they are worth.

One row is a charge item: a code, what one charge stands for ("1 mL", "10 mg", "1 vial", "each") and how many billing
units one charge makes. No patient is in it. The multiplier is compared exactly: units are rounded once for each
administration, never for each charge, so a charge of 10 mg of a code of 15 mg makes 2/3 of a unit.

>>> import pyarrow as pa
>>> made = chargemaster(pa.table({"item": ["1"], "code": ["J1885"], "units_per_charge": ["20"],
...     "charge_unit": ["30 mg"]}), on="2026-03-02")
>>> made.select(["verdict", "expected_units_per_charge", "cause"]).to_pylist()
[{'verdict': 'differs', 'expected_units_per_charge': '2', 'cause': 'multiplier-by-ten'}]
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa

from .. import units
from ..amount import cents, decimal_text, round_up, shown
from ..batch import columns, files
from ..batch.frames import arrow
from ..convert import billing_units, measured
from ..dated import as_date, date_pattern
from ..dose import Dose
from ..errors import LONGEST, JcodeunitsError, NotComputable, OutsideBand
from ..facts.code_uses import code_use
from ..facts.combined import settled
from ..facts.drug_rows import Drug
from ..facts.policy_rows import ANY, Fee
from ..facts.product_rows import Product
from ..facts.reference import Reference
from ..headings import meant, need_columns, need_free, need_once
from ..quantity import ndc_quantity
from ..recipes.cells import number_text
from ..tables import CLAIMS, USUAL_PAYER
from .billed import code_of
from .described import contained, counted, may_mean, meant_by, names_another
from .judged import Judged, limit_of, product_of, row_of
from .report import Report, Sum, check_files

REQUIRED = ("item", "code", "units_per_charge", "charge_unit")
OPTIONAL = ("description", "ndc", "ndc_qualifier", "ndc_quantity", "on", "price", "volume", "payer", "claim_type")
# Column of an answer: its type, and what of a judgment it holds.
_COLUMNS = {
    "verdict": (pa.string(), "verdict"),
    "expected_code": (pa.string(), "code"),
    "expected_units_per_charge": (pa.string(), "multiplier"),
    "expected_ndc_qualifier": (pa.string(), "qualifier"),
    "expected_ndc_quantity": (pa.string(), "quantity"),
    "expected_later": (pa.string(), "later"),
    "difference_amount": (pa.decimal128(38, 2), "amount"),
    "price_below_limit": (pa.decimal128(38, 2), "below"),
    "cause": (pa.string(), "cause"),
    "citation": (pa.string(), "citation"),
}
OUTPUTS = tuple(_COLUMNS)


@attrs.define(eq=False)
class _JudgedRow(Judged):
    """What one row should say."""

    per_charge: Fraction | None = None
    qualifier: str | None = None
    quantity: str | None = None
    later: str | None = None
    difference: Fraction | None = None
    below: Decimal | None = None

    @property
    def multiplier(self) -> str | None:
        """The units of one charge as text."""
        return None if self.per_charge is None else decimal_text(self.per_charge)


def chargemaster(frame: Any, *, on: object, reference: Reference | None = None, date_format: str | None = None) -> Any:
    """Judge a charge table; the same rows in the same order with the answers behind them, as an Arrow table.

    `on` is the day for rows that say none. Columns wanted: item, code, units_per_charge, charge_unit; optional:
    description, ndc, ndc_qualifier, ndc_quantity (for one charge), on, price, volume (charges a year), payer,
    claim_type. Appended: verdict (`agrees`, `differs`, `unjudged`), expected_code, expected_units_per_charge,
    expected_ndc_qualifier, expected_ndc_quantity, expected_later (code and units of one charge on each later day on
    which they change, as far as the reference reaches), difference_amount (dollars for the volume, where a payment
    limit of the day is known: a national estimate), price_below_limit (dollars by which the price of one charge is
    below that limit for its units, on a professional claim to Medicare, which pays no more than is charged; the price
    is the site's own and makes no verdict), cause, citation. Beside no NDC the description tells the concentration of a
    volume and what a container holds (1 g vial), and leaves a row unjudged where it names another drug. A row without a
    payer is judged for no payer in particular, its money and NDC as for Medicare. A column may have the name that
    extracts give it (`headings.csv`); `date_format` is how days are written where not as ISO. Raises
    `BatchError` where a column is missing or doubled.
    """
    book = Reference.of(reference)
    return _judged(_named(arrow(frame), "The table", book), as_date(on), date_pattern(date_format), book)


def chargemaster_file(
    source: str | Path,
    target: str | Path | None = None,
    *,
    on: object,
    reference: Reference | None = None,
    spreadsheet_safe: bool = False,
    encoding: str = "utf-8",
    date_format: str | None = None,
    sample: int = 0,
    by: str = "cause",
    page: str | Path | None = None,
) -> Report:
    """Judge the charge table of a file and sum it up; `target`, `sample`, `by` and `page` as for `judge_file`."""
    book, dates = Reference.of(reference), date_pattern(date_format)
    made = Sum(book, sample, by)
    check_files(source, target, page, book)
    opened = files.open_source(source, (), encoding)
    _named(opened.schema.empty_table(), opened.name, book)  # what is refused for its columns is refused unread
    made.unread = opened.more
    parts = list(opened.tables)
    whole = pa.concat_tables(parts) if parts else opened.schema.empty_table()
    judged = _judged(_named(whole, opened.name, book), as_date(on), dates, book)
    made.add(judged)
    if target is not None:
        with files.open_target(target, judged.schema, spreadsheet_safe=spreadsheet_safe) as put:
            put(pa.Table.from_pylist(list(made.sample()), judged.schema) if sample else judged)
    return made.finish(source, target, page)


def _named(table: Any, file: str, reference: Reference) -> Any:
    """The table with our names for the columns that an extract calls otherwise."""
    ours = (*REQUIRED, *OPTIONAL)
    found = meant(table.column_names, ours, "charges", reference)
    names = [found.get(name, name) for name in table.column_names]
    need_columns(names, REQUIRED, OPTIONAL, file, "charges", reference)
    need_once(names, file, table.column_names)
    need_free(names, OUTPUTS, file)
    return table.rename_columns(names)


def _judged(table: Any, on: dt.date, dates: str, reference: Reference) -> Any:
    read = columns.readable(table, (*REQUIRED, *OPTIONAL), dates)
    ours = [name for name in (*REQUIRED, *OPTIONAL) if name in read.column_names]
    rows = [_judge(row, on, reference) for row in read.select(ours).to_pylist()]
    for name, (kind, of) in _COLUMNS.items():
        table = table.append_column(name, pa.array([getattr(row, of) for row in rows], kind))
    return table


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else number_text(value)


def _judge(row: Mapping[str, Any], on: dt.date, reference: Reference) -> _JudgedRow:
    """What a row should say, and why it does not."""
    made = _JudgedRow()
    try:
        day = as_date(_cell(row, "on")) if _cell(row, "on") else on
        given = shown(_cell(row, "units_per_charge"))
    except JcodeunitsError:
        return made.unjudged("date-error")
    except ValueError:
        return made.unjudged("unreadable-units")
    claim = _cell(row, "claim_type").casefold() or "professional"
    said = _cell(row, "payer").casefold()
    payer = said or USUAL_PAYER
    if claim not in CLAIMS or payer not in reference.policy.payers():
        return made.unjudged("setting")
    ndc, description = _cell(row, "ndc"), _cell(row, "description")
    item = product_of(ndc, day, reference) if ndc else None
    if item is None and ndc:
        return made.unjudged("product")
    code, _ = code_of(row.get("code"))
    named = _described(code, description, day, reference) if item is None else None
    if named is not None and code_use(reference.policy, named.code, day, said or ANY, claim) is None:
        made.differs("wrong-code", named.citation)
        drug: Drug | None = named
    else:
        drug = _expected_drug(made, code, item, description, day, reference)
    if drug is None:
        return made
    made.code = drug.code
    made.citations.append(drug.citation)
    if item is None and drug is not named and names_another(description, drug, day, reference):
        return made.unjudged("description")
    use = code_use(reference.policy, drug.code, day, said or ANY, claim)
    if use is not None and use.outcome == "withhold":
        made.differs("code-not-taken", use.citation)
    try:
        items = () if item is None else (item,)
        charged = _charged(_cell(row, "charge_unit"), drug, item)
        if item is None:
            charged = _drawn(charged, drug, description, day, reference)
        charged, basis = settled(reference.drugs, drug, charged, day, None, items)
        drug, made.per_charge = _per_charge(made, drug, charged, basis, day, reference)
    except JcodeunitsError as why:
        return made.unjudged(_OPEN.get(type(why).__name__, "other"))
    if drug is not named and not _is_written(made.per_charge, _cell(row, "units_per_charge")):
        made.difference = given - made.per_charge
        made.differs(_why(given, made.per_charge, charged, drug, item, reference))
    made.later = _later(drug, charged, day, reference)
    limit = limit_of(code, day, reference) if made.code == code else None
    _money(made, row, limit)
    made.below = _below(made.per_charge, row, limit, payer, claim)
    _ndc_line(made, row, item, charged, day, payer, claim, reference)
    return made


def _per_charge(
    made: _JudgedRow, drug: Drug, charged: Dose, basis: str | None, on: dt.date, reference: Reference
) -> tuple[Drug, Fraction]:
    """Billing units of one charge, unrounded, and the row that counts them: that whose limits hold a whole dose.

    Raises as `measured`; so is a part of a dose that a band counts whole.
    """
    measure = measured(drug, charged.unit, basis)
    if measure.way == "band" and charged.amount <= 1:
        raise NotComputable(f"{drug.code} is one unit for a whole dose.", code=drug.code, reason="band")
    if drug.above is None and drug.through is None:
        return drug, charged.amount * measure.ratio
    try:
        return drug, billing_units(drug, charged, on, basis=basis, reference=reference).exact
    except OutsideBand as why:
        made.differs("wrong-band", drug.citation)
        rows = [row for code in why.candidates if (row := row_of(code, on, reference)) is not None]
        if len(rows) != 1:
            raise
        made.code = rows[0].code
        return rows[0], billing_units(rows[0], charged, on, basis=basis, reference=reference).exact


def _later(drug: Drug, charged: Dose, on: dt.date, reference: Reference) -> str | None:
    """The code and the units of one charge on each later day on which they change, as far as the reference reaches."""
    book, says = reference.drugs, []
    now = (drug.code, _ratio(drug, charged))
    row: Drug | None = drug
    while row is not None and row.ends is not None:
        day = row.ends + dt.timedelta(1)
        links = book.successors_of(row.code)
        after = [one for one in book.rows(row.code) if one.period.holds(day)] or [
            one for link in links for one in book.rows(link.successor) if one.period.holds(day)
        ]
        if day <= on or len(after) != 1:
            codes = " or ".join(one.code for one in after)
            says.append(f"{day} {codes or f'{row.code} has ended'}")
            break
        row = after[0]
        ratio = _ratio(row, charged)
        if (row.code, ratio) != now:
            says.append(f"{day} {row.code}" + ("" if ratio is None else f" x {decimal_text(ratio)}"))
            now = (row.code, ratio)
    return "; ".join(says) or None


def _is_written(right: Fraction, text: str) -> bool:
    """Whether a multiplier is the exact one; one that no decimal ends may be written with three decimals or more."""
    given, places = shown(text), len(text.partition(".")[2])
    if given == right or decimal_text(right).count("/") == 0 or places < 3:
        return given == right
    return bool(abs(given - right) * 2 * 10**places <= 1)


_OPEN = {
    "UnreadableDose": "unreadable-dose",
    "UnknownUnit": "unreadable-dose",
    "AmbiguousUnit": "unreadable-dose",
    "UnitMismatch": "unit-mismatch",
    "NotComputable": "no-unit",
    "BasisNeeded": "basis-needed",
    "ContradictedProduct": "product",
    "UnknownProduct": "product",
}


def _expected_drug(
    made: _JudgedRow, code: str, item: Product | None, description: str, on: dt.date, reference: Reference
) -> Drug | None:
    """The row of the code that the item is billed with on the day; None where that is not certain."""
    book = reference.drugs
    known = book.rows(code)
    live = {
        row.code: row
        for one in (item.codes if item and item.codes else (code,))
        for row in book.rows(one)
        if row.period.holds(on)
    }
    after = [row for link in book.successors_of(code) for row in book.rows(link.successor) if row.period.holds(on)]
    if not known and item is None:
        made.unjudged("not-a-drug")
        return None
    if code in live:
        return live[code]
    own = row_of(code, on, reference)
    choices = list(live.values()) or ([] if own is not None else after)
    if len(choices) > 1 and description and own is None:
        told = meant_by(description, on, reference)
        choices = [row for row in choices if told is not None and row.code == told.code] or choices
    if len(choices) != 1:
        if own is None and known and item is None and known[-1].confidence != "low":
            made.differs("dead-code", known[-1].citation)  # by what is not certain
        made.unjudged("ambiguous-drug" if choices or own is None else "product")
        return None
    right = choices[0]
    if own is None and known:
        made.differs("dead-code", known[-1].citation)
    elif own is not None and own.ingredient.partition("-")[0] == right.ingredient.partition("-")[0]:
        made.differs("brand-code", right.citation)
    else:
        made.differs("wrong-product", *((item.citation,) if item else ()))
    return right


def _described(code: str, description: str, on: dt.date, reference: Reference) -> Drug | None:
    """The row of the drug that a charge under a code for drugs without one describes, if the drug has a code."""
    none = row_of(code, on, reference)
    if none is None or none.refuses != "unclassified" or not description:
        return None
    right = meant_by(description, on, reference)
    return None if right is None or right.refuses else right


def _drawn(charged: Dose, drug: Drug, description: str, on: dt.date, reference: Reference) -> Dose:
    """A volume or a container as the amount in it, where the description of the same code's drug tells it."""
    if not description or not drug.unit or units.is_count(drug.unit):
        return charged
    if units.is_count(charged.unit):
        return _held(charged, drug, description, on, reference)
    if units.dimension(charged.unit) != "volume" or units.dimension(drug.unit) == "volume":
        return charged
    try:
        told = billing_units(description, charged, on, reference=reference)
    except JcodeunitsError:
        return charged
    return told.dose if told.drug.code == drug.code else charged


def _held(charged: Dose, drug: Drug, description: str, on: dt.date, reference: Reference) -> Dose:
    """Containers as the amount in them, where the description says what one of them holds."""
    found = contained(description)
    if found is None or charged.unit not in ("each", found.word) or not may_mean(description, drug, on, reference):
        return charged
    if units.dimension(drug.unit) == "volume":
        return charged if found.volume is None else Dose(charged.amount * found.volume, "mL")
    return Dose(charged.amount * found.amount, found.unit)


_CHARGED = re.compile(r"(?:per\s+|each\s+(?=\S))?(?P<number>[0-9.,]*)\s*(?P<word>.*)", re.IGNORECASE | re.DOTALL)
_BEHIND = re.compile(r"(?P<amount>[0-9.,]+ ?[A-Za-z]+) (?P<word>[A-Za-z]+)")  # 30 mg vial


def _charged(text: str, drug: Drug, item: Product | None) -> Dose:
    """What one charge stands for, as an amount of drug."""
    found = _CHARGED.fullmatch(text[:LONGEST])
    number, word = ("", text) if found is None else (found["number"] or "1", found["word"])
    if item is not None and item.dose is not None and _is_container(word, item, drug):
        return Dose(item.dose.amount * shown(number), item.dose.unit)
    behind, is_volume = _BEHIND.fullmatch(f"{number} {word}"), units.dimension(drug.unit or "mg") == "volume"
    if behind is not None and counted(behind["word"].casefold()):
        dose = Dose.of(behind["amount"])
        if item is None or item.dose is None or item.drawn(dose).amount == item.dose.amount:
            return dose if item is None or is_volume else item.drawn(dose)
    dose = Dose.of(f"{number} {counted(word.strip().casefold()) or word}")
    return dose if item is None or is_volume else item.drawn(dose)


def _is_container(word: str, item: Product, drug: Drug) -> bool:
    """Whether a word of a charge means one container of the product; a dose, a treatment or a package is none."""
    said = word.strip().casefold()
    if said.removesuffix("s") in (item.shape.casefold(), "container"):
        return bool(said)
    unit = counted(said)
    if unit == "kit" and item.form == "kit":
        return item.containers == 1
    return unit != "" and unit != drug.unit and (unit == "each" or item.shape in ("", unit))


def _why(
    given: Fraction, right: Fraction, charged: Dose, drug: Drug, item: Product | None, reference: Reference
) -> str:
    """The cause that the figures themselves tell, the most telling first."""
    if right.denominator != 1 and given in (round_up(right), right.numerator // right.denominator):
        return "rounded-multiplier"
    held = item.dose if item is not None else None
    if item is not None and item.containers != 1 and given == right * item.containers:
        return "kit-counted-twice" if item.form == "kit" else "package-for-container"
    if held is not None and _ratio(drug, held) == given and held != charged:
        return "waste-in-multiplier"
    for link in reference.drugs.predecessors_of(drug.code):
        for before in reference.drugs.rows(link.code):
            if (ratio := _ratio(before, charged)) is not None and given in (ratio, round_up(ratio)):
                return "old-multiplier"
    ratio = given / right if given else Fraction(0)
    if ratio and any(ratio == Fraction(10) ** power for power in (-3, -2, -1, 1, 2, 3)):
        return "multiplier-by-ten"
    if item is not None and item.qualifier == "ML" and item.quantity and held is not None:
        volume = charged.amount * item.quantity / held.amount if charged.unit == held.unit else None
        if volume and given in (_ratio(drug, Dose(volume, held.unit)), volume):
            return "milligrams-for-millilitres"
    return "wrong-multiplier"


def _ratio(drug: Drug, dose: Dose) -> Fraction | None:
    try:
        return dose.amount * measured(drug, dose.unit).ratio or None  # of a band, which is one unit for any dose
    except JcodeunitsError:
        return None


def _money(made: _JudgedRow, row: Mapping[str, Any], limit: Fee | None) -> None:
    """What the difference is worth at the payment limit of the day, for the volume given; a national estimate."""
    if made.difference is None or limit is None:
        return
    try:
        volume = shown(_cell(row, "volume")) if _cell(row, "volume") else Fraction(1)
    except ValueError:
        return
    if volume < 0:
        return
    made.amount = cents(made.difference * limit.amount * volume)
    made.citations.append(limit.citation)


def _below(per_charge: Fraction, row: Mapping[str, Any], limit: Fee | None, payer: str, claim: str) -> Decimal | None:
    """The dollars by which the price of one charge is below the payment limit of its units; None where it is not.

    Medicare pays a practice no more than is charged (42 CFR 414.904(a)), and a hospital its rate.
    """
    price = _cell(row, "price")
    if limit is None or not price or (payer, claim) != (USUAL_PAYER, "professional"):
        return None
    try:
        short = cents(per_charge * limit.amount - shown(price.removeprefix("$")))
    except ValueError:
        return None
    return short if short > 0 else None


def _ndc_line(
    made: _JudgedRow,
    row: Mapping[str, Any],
    item: Product | None,
    charged: Dose,
    on: dt.date,
    payer: str,
    claim: str,
    reference: Reference,
) -> None:
    """The NDC side of the row: required, in effect, its qualifier and its quantity for one charge."""
    option = reference.policy.option(payer, "ndc", on, claim)
    if item is None:
        if option.value == "required":
            made.differs("missing-ndc", option.citation)
        return
    if item.ends is not None and item.ends < on:
        made.differs("ended-ndc", item.citation)
    try:
        made_up = reference.policy.option(payer, "ndc-made-up", on, claim)
        right = ndc_quantity(item, charged, on, made_up=made_up, reference=reference)
    except JcodeunitsError:
        return  # nothing proves how the NDC is counted
    made.qualifier, made.quantity = right.qualifier, f"{right.quantity:f}"
    qualifier, quantity = _cell(row, "ndc_qualifier").upper(), _cell(row, "ndc_quantity")
    if qualifier and qualifier != right.qualifier:
        made.differs("ndc-qualifier", item.citation)
    if quantity and _is_other(quantity, right.exact, right.quantity):
        made.differs("ndc-quantity", item.citation)


def _is_other(written: str, *right: Fraction | Decimal) -> bool:
    try:
        return shown(written) not in right
    except ValueError:
        return True
