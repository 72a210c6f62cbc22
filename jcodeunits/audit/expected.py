"""What each line of a claim file should have been: the lines billed again, in bulk, from what was given."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import convert, routes
from ..batch import columns
from ..batch.table import Biller
from ..dated import as_date
from ..errors import AmbiguousDrug, JcodeunitsError, NotInEffect
from ..facts.by_route import a_route
from ..facts.choosing import rows_meant
from ..facts.drug_rows import Drug
from ..facts.reference import Reference
from ..facts.words import normal
from ..recipes.cells import blank, is_number, number_text
from .described import names_another
from .judged import row_of

PASSED = ("dose", "unit", "on", "payer", "place", "ndc", "container", "containers", "container_amount", "discarded")
ANSWERS = ("hcpcs", "units", "modifier", "waste_units", "ndc_qualifier", "ndc_quantity", "status", "reason", "findings")
_CLOSE = 0.009  # NDC quantities less than 0.01 apart agree; nearer to that they are compared exactly
_PLAIN = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
BY_DRUG, BY_CODE, BY_SUCCESSOR = "drug", "code", "successor"


@attrs.define(eq=False)
class Expected:
    """Our answers to the lines, by row: `answers` as columns; `by` tells from what a row was answered."""

    answers: dict[str, list[Any]]
    by: list[str]


class Bench:
    """Bills the lines of an audit again; `billed` where that was done."""

    def __init__(self, table: Any, biller: Biller, billed: Any = None) -> None:
        self.biller, self.resolver, self.table = biller, biller.resolver, table
        self.code = columns.keys(table["code"])
        self.drug = columns.keys(table["drug"]) if "drug" in table.column_names else None
        self.billed = self._bill_again(self._drugs(), np.arange(table.num_rows)) if billed is None else billed

    def take(self, rows: Any) -> Bench:
        """The bench of some of the lines."""
        at = pa.array(rows)
        return Bench(self.table.take(at), self.biller, self.billed.take(at))

    @cached_property
    def unsure(self) -> tuple[str, ...]:
        """The codes of which a row stands on general knowledge."""
        return tuple(dict.fromkeys(row.code for row in self.resolver.book.drugs if row.confidence == "low"))

    @cached_property
    def codes(self) -> list[str]:
        """The code on each line."""
        return self.code.cells(lambda value: value or "")

    @cached_property
    def names(self) -> list[Any]:
        """The drug as each line names it; None where it does not."""
        if self.drug is None:
            return [None] * self.table.num_rows
        return self.drug.cells(lambda value: None if blank(value) else value)

    @cached_property
    def dates(self) -> list[Any]:
        """The date of service of each line, None where it cannot be read."""
        return columns.cells(self.table["on"], _date)

    def cells(self, name: str, read: Callable[[Any], Any] = lambda value: value) -> list[Any]:
        """What each line says in a column, each distinct value read once; what is not there says None."""
        if name not in self.table.column_names:
            return [read(None)] * self.table.num_rows
        return columns.cells(self.table[name], read)

    def answer(self) -> Expected:
        """The expected answers: from the drug; else from the billed code; else from the code's successor."""
        made = _lists(self.billed)
        expected = Expected(made, [BY_DRUG] * self.table.num_rows)
        self._again(expected, BY_CODE, ((row, self._own_code(row)) for row in self._doubtful(expected)))
        ended = [row for row, why in enumerate(made["reason"]) if why and why.startswith(NotInEffect.__name__)]
        self._again(expected, BY_SUCCESSOR, ((row, self._successor(row)) for row in ended))
        return expected

    def _drugs(self) -> Any:
        """The drug of each line: as named, else the billed code."""
        if self.drug is None:
            return self.table["code"]
        named = self.drug.values
        said = [value for value in named if not blank(value)] + self.code.values
        texts = [None if value is None else number_text(value) for value in said]
        numbers = {n: k for k, n in enumerate(n for n, value in enumerate(named) if not blank(value))}
        lookup = np.array([numbers.get(n, -1) for n in range(len(named))], np.int64)
        index = lookup[self.drug.index]
        index = np.where(index < 0, self.code.index + len(numbers), index)
        return pa.array(texts, pa.string()).take(pa.array(index))

    def _bill_again(self, drugs: Any, rows: Any) -> Any:
        """The answers to some lines under these drugs, with our NDC and whether the line's is plainly the same."""
        lines = self.table if len(rows) == self.table.num_rows else self.table.take(pa.array(rows))
        given = lines.select([name for name in PASSED if name in lines.column_names])
        if "claim_type" in lines.column_names:
            given = given.append_column("claim", lines["claim_type"])
        billed = self.biller.bill(given.add_column(0, "drug", drugs)).select(ANSWERS)
        ndc = pc.binary_join_element_wise(billed["ndc_qualifier"].cast(pa.string()), _text(billed["ndc_quantity"]), "")
        return billed.append_column("ndc", ndc).append_column("same_ndc", pa.array(_same_ndc(lines, billed)))

    def _again(self, expected: Expected, way: str, wanted: Iterable[tuple[int, str]]) -> None:
        """Bill some rows under another code, and keep the answer where there is one."""
        pairs = [(row, code) for row, code in wanted if code]
        if not pairs:
            return
        rows = np.array([row for row, _ in pairs])
        billed = self._bill_again(pa.array([code for _, code in pairs], pa.string()), rows)
        made = _lists(billed)
        for n, row in enumerate(rows.tolist()):
            if way == BY_CODE or made["status"][n] == "billed":
                expected.by[row] = way
                for name, answers in made.items():
                    expected.answers[name][row] = answers[n]

    def _doubtful(self, expected: Expected) -> list[int]:
        """Rows whose drug gave another code than the line's, or none."""
        return [
            row
            for row, code in enumerate(expected.answers["hcpcs"])
            if self.names[row] is not None and code != self.codes[row]
        ]

    def _own_code(self, row: int) -> str:
        """The billed code where the name on the line leaves it open, else nothing.

        A name may mean several codes (makers, sizes, forms), and a site's own name may be none of ours: then
        the line is judged by the code that it was billed with.
        """
        drug, code = self.names[row], self.codes[row]
        if is_number(drug) or not _may_mean(str(drug).strip(), code, self.dates[row], self.resolver.reference):
            return ""
        return code

    def _successor(self, row: int) -> str:
        """The one code that came after an ended code and is in effect, else nothing."""
        on = self.dates[row]
        if on is None:
            return ""
        try:
            self.resolver.book.on(self.codes[row], on)
        except NotInEffect as error:
            live = [code for code in error.successors if row_of(code, on, self.resolver.reference) is not None]
            return live[0] if len(live) == 1 else ""
        except JcodeunitsError:
            return ""
        return ""


@lru_cache(maxsize=1 << 14)
def _may_mean(drug: str, code: str, on: dt.date | None, reference: Reference) -> bool:
    """Whether a name may mean the code that was billed, by some route at least, or is none of ours."""
    billed = row_of(code, on, reference)
    meant = _meant(drug, billed, reference)
    is_other = bool(reference.drugs.rows(drug.upper())) or bool(meant and code not in meant)
    if billed is None or on is None:
        return not is_other
    return not (is_other or names_another(drug, billed, on, reference)) or _has_by_route(drug, billed, on, reference)


def _meant(drug: str, billed: Drug | None, reference: Reference) -> set[str]:
    """The codes that a name may mean: with the billed code's form, and without a salt where its drug has none."""
    book, names = reference.drugs, [drug]
    if billed is not None and billed.form:
        names.append(f"{drug} {billed.form}")
    if billed is not None and book.salt_words.isdisjoint(normal(billed.ingredient).split()):
        names.append(book.without_salts(drug))
    meant = set[str]()
    for name in names:
        with contextlib.suppress(JcodeunitsError):
            meant |= {found.code for found in rows_meant(book, name)}
    return meant


def _has_by_route(drug: str, billed: Drug, on: dt.date, reference: Reference) -> bool:
    """Whether the drug has the billed code by a route of that code; a claim file does not say the route."""
    try:
        if convert.resolve(drug, on, None, a_route(billed), reference=reference)[0].code == billed.code:
            return True
        named = convert.resolve(drug, on, None, None, reference=reference)[0]
    except AmbiguousDrug as why:
        return billed.code in why.candidates
    except JcodeunitsError:
        return False
    moved = (found for route in routes.NAMES for found in reference.policy.route_codes(named.ingredient, route))
    return any(billed.code in found.codes and found.period.holds(on) for found in moved)


def _lists(billed: Any) -> dict[str, list[Any]]:
    return {name: columns.cells(billed[name]) for name in billed.column_names}


def _date(value: Any) -> dt.date | None:
    try:
        return as_date(value)
    except JcodeunitsError:
        return None


def _same_ndc(table: Any, billed: Any) -> Any:
    """Where the NDC quantity on a line is plainly ours, or ours or theirs is not said."""
    none = true_of(pc.is_null(billed["ndc_qualifier"]))
    how, quantity = (table[name] if name in table.column_names else None for name in ("ndc_qualifier", "ndc_quantity"))
    same = np.ones(table.num_rows, bool)
    if how is not None:
        blank = true_of(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(how.cast(pa.string()), "")), ""))
        same &= blank | true_of(pc.equal(how.cast(pa.string()), billed["ndc_qualifier"].cast(pa.string())))
    if quantity is not None:
        text = pc.fill_null(quantity.cast(pa.string()), "")
        plain = pc.match_substring_regex(text, _PLAIN)
        value = pc.if_else(plain, text, "0").cast(pa.float64()).to_numpy()
        near = np.abs(value - billed["ndc_quantity"].cast(pa.float64()).fill_null(-1.0).to_numpy()) < _CLOSE
        same &= true_of(pc.equal(text, "")) | (true_of(plain) & (value > 0) & near)
    return none | same


def true_of(mask: Any) -> Any:
    """An Arrow mask as numpy has it; what is missing is not so."""
    return pc.fill_null(mask, False).to_numpy()


def _text(quantity: Any) -> Any:
    """Decimals of six places as they are written."""
    return pc.utf8_rtrim(pc.utf8_rtrim(quantity.cast(pa.string()), "0"), ".")
