"""What a site's own rows may say: nothing that changes a shipped answer in silence, nothing that answers nobody."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .. import hcpcs, ndc, tables
from ..errors import LONGEST, JcodeunitsError
from ..tables import Dated
from .book import Book
from .drug_rows import Brand, Drug, OtherName
from .own_tables import OwnRow, OwnTables
from .policy_rows import ANY, DrugClass, PayerOption, PlaceRule, Procedure, RouteCode
from .product_rows import Container
from .store import key_of, named, stands_in_place
from .words import normal, squeezed

_PRODUCT = re.compile(r"\d{5}-\d{4}(-\d{2})?")


WAY = "A row that takes another's place says replaces=yes; else give other days or another key."


def check(base: Book, made: Book, own: OwnTables) -> None:
    """Raise `TableError` for rows that meet a shipped answer in silence, replace nothing, or can never answer.

    `base` is the reference without the rows, `made` the one with them.
    """
    for row_class, rows in own.rows.items():
        problems = [f"line {one.line}: {says}" for one in rows for says in _problems(base, made, one)]
        problems += _twice(rows)
        if problems:
            file = os.path.join(own.path, f"{row_class.TABLE}.csv")
            raise tables.refuse(os.path.basename(file), file, problems, WAY)


def _problems(base: Book, made: Book, one: OwnRow) -> Iterable[str]:
    met = _meets(base, one)
    before = met or _answered(base, one.row)
    if before and not met and isinstance(one.row, DrugClass):
        tables.mark_replacing(one.row)  # a class more is no contradiction, and every answer that it changes says so
    if before and not one.row.replaces:
        yield f"{named(one.row)} meets {before}"
    if one.row.replaces and not before:
        yield f"{named(one.row)} says replaces=yes, and no shipped row stands in its place: leave replaces out"
    yield from _wrong(base, made, one.row)


def _meets(base: Book, one: OwnRow) -> str:
    """The shipped row of the same key and days, in words."""
    for other in base.store.starting(type(one.row), one.first):
        if stands_in_place(one.row, other) and other.period.overlaps(one.row.period):
            return f"the row in effect {other.period} ({other.citation})"
    return ""


def _twice(rows: Sequence[OwnRow]) -> list[str]:
    """Own rows of one file that meet each other."""
    return [
        f"line {other.line}: {named(other.row)} meets line {one.line}"
        for i, one in enumerate(rows)
        for other in rows[i + 1 :]
        if key_of(one.row) == key_of(other.row) and one.row.period.overlaps(other.row.period)
    ]


# --- what answered before a row of another key ------------------------------------------------------


def _answered(base: Book, row: Any) -> str:
    """What the reference without this row answers in its matter, in words; empty where it has no answer."""
    for row_class, ask in _ASK.items():
        if isinstance(row, row_class):
            return str(ask(base, row))
    payer = getattr(row, "payer", "")
    return "what the shipped rows decide for this payer" if payer and _is_payer(base, payer) else ""


def _is_payer(base: Book, payer: str) -> bool:
    return payer == ANY or payer in base.policy.payers()


def _a_day_of(base: Book, row: Dated) -> dt.date:
    """A day of the row's own, the last one that the editions reach where it holds then."""
    return row.ends or max(row.effective, base.drugs.reach[1])


def _code_of(base: Book, row: Drug) -> str:
    if base.drugs.rows(row.code):
        return ""  # other days of a code that is known
    return _name_of(base, row.ingredient, row.code)


def _brand_of(base: Book, row: Brand | OtherName) -> str:
    return _name_of(base, row.brand if isinstance(row, Brand) else row.name, row.code, row.ingredient)


def _name_of(base: Book, name: str, code: str, ingredient: str = "") -> str:
    meant = base.drugs.meant_by(squeezed(name))
    others = sorted({one.code for one in meant if one.code != code and one.ingredient != ingredient})
    return f"a shipped name: {name} means {', '.join(others[:4])}" if others else ""


def _option_of(base: Book, row: PayerOption) -> str:
    if not _is_payer(base, row.payer):
        return ""
    if row.option == "follows":
        return "whom the shipped payer follows: name a payer of your own that follows it"
    on = _a_day_of(base, row)
    for claim in ("professional", "outpatient") if row.claim == ANY else (row.claim,):
        try:
            found = base.policy.option(row.payer, row.option, on, claim)
        except JcodeunitsError:
            continue
        return f"{named(found)} = {'|'.join(found.values) or 'nothing'} ({found.citation})"
    return ""


def _place_of(base: Book, row: PlaceRule) -> str:
    if not _is_payer(base, row.payer):
        return ""
    on = _a_day_of(base, row)
    for claim in ("professional", "outpatient") if row.claim == ANY else (row.claim,):
        found = base.policy.place_rule(row.place, on, row.payer, claim)
        if found is not None:
            return f"{named(found)} ({found.citation})"
    return ""


def _container_of(base: Book, row: Container) -> str:
    written = _PRODUCT.fullmatch(row.product)
    if not row.kind or written is None or written[1] is None:
        return ""
    known = [one for one in base.products.rows(ndc.compact(row.product)) if one.kind not in ("", row.kind)]
    return f"the shipped product {known[-1].label}, {known[-1].kind} ({known[-1].citation})" if known else ""


def _class_of(base: Book, row: DrugClass) -> str:
    known = base.drugs.rows(row.code)
    return f"how {row.code} ({known[-1].ingredient}) is given by the shipped rows" if known else ""


def _route_of(base: Book, row: RouteCode) -> str:
    known = base.drugs.ingredients.get(normal(row.ingredient), ())
    return f"the shipped code {known[-1].code} of {row.ingredient}" if known else ""


_ASK: dict[type[Any], Any] = {
    Drug: _code_of,
    Brand: _brand_of,
    OtherName: _brand_of,
    PayerOption: _option_of,
    PlaceRule: _place_of,
    Container: _container_of,
    DrugClass: _class_of,
    RouteCode: _route_of,
}


# --- rows that could never answer, or would answer nonsense -----------------------------------------


def _wrong(base: Book, made: Book, row: Any) -> Iterable[str]:
    for name, values in _spoken(row):
        known = sorted({word for other in base.store.rows(type(row)) for word in getattr(other, name)})
        strange = [word for word in values if word not in known and word != ANY]
        if strange:
            yield f"column {name}: {'|'.join(strange)!r} is none of {', '.join(known)}"
    payer = getattr(row, "payer", ANY)
    if payer != ANY and (payer != payer.casefold() or " " in payer):
        yield f"column payer: {payer!r}: a payer is written in lower case without spaces"
    elif payer != ANY and payer not in made.policy.payers():
        yield f"column payer: {payer!r} has no row in payers.csv: give it one"
    if isinstance(row, Drug):
        yield from _wrong_drug(made, row)
    elif isinstance(row, Brand | OtherName):
        yield from _wrong_name(made, row)
    elif isinstance(row, PayerOption):
        yield from _wrong_option(base, made, row)
    elif isinstance(row, Container) and not _PRODUCT.fullmatch(row.product):
        yield f"column product: {row.product!r}: an NDC as 5-4-2, or a labeler and product as 5-4, is wanted"


def _spoken(row: Any) -> Iterable[tuple[str, tuple[str, ...]]]:
    """The columns whose words are those of the shipped rows."""
    for name in ("routes", "lines"):
        if isinstance(getattr(row, name, None), tuple):
            yield name, getattr(row, name)


def _wrong_drug(made: Book, row: Drug) -> Iterable[str]:
    if row.code != row.code.upper() or not hcpcs.is_valid(row.code):
        yield f"column code: {row.code!r}: a code is a letter and four digits, in capitals, or five digits"
    elif any(one.code == row.code for one in made.policy.rows(Procedure)):
        yield f"column code: {row.code} is a service in procedures.csv, no drug"
    if len(row.ingredient) > LONGEST // 2 or len(row.ingredient.split()) > 16:
        yield "column ingredient: longer than any name that is looked up"


def _wrong_name(made: Book, row: Brand | OtherName) -> Iterable[str]:
    if row.code and not made.drugs.rows(row.code):
        yield f"column code: {row.code} is in no row of drugs.csv"
    elif not row.code and row.ingredient and normal(row.ingredient) not in made.drugs.ingredients:
        yield f"column ingredient: {row.ingredient!r} is in no row of drugs.csv"
    elif row.replaces:
        name = row.brand if isinstance(row, Brand) else row.name
        means = {one.code for one in made.drugs.meant_by(squeezed(name))}
        if row.code and means != {row.code}:
            table = "names.csv" if isinstance(row, Brand) else "brands.csv"
            yield f"{name} stands in {table} too, and would mean {', '.join(sorted(means))}: replace it there"


def _wrong_option(base: Book, made: Book, row: PayerOption) -> Iterable[str]:
    if row.option == "follows":
        if len(row.values) != 1 or row.value not in made.policy.payers():
            yield f"follows {'|'.join(row.values)!r}: one payer is wanted, of {', '.join(base.policy.payers())}"
        elif made.policy.lineage(row.value).count(row.payer):
            yield f"{row.payer} follows itself"
        if row.ends is not None:
            yield "whom a payer follows holds always: leave ends out"
        return
    known = [other for other in base.policy.rows(PayerOption) if other.option == row.option]
    if len(row.values) > 1 and known and all(len(other.values) <= 1 for other in known):
        yield f"{row.option} takes one value, not {'|'.join(row.values)}"
    if not row.values and known and all(other.values for other in known):
        yield f"{row.option} takes a value, such as {'|'.join(known[0].values)}"
