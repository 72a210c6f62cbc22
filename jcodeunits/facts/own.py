"""What a site's own rows may say: nothing that changes a shipped answer in silence, nothing that answers nobody."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

from .. import hcpcs, ndc, routes, tables
from ..errors import LONGEST, JcodeunitsError
from ..grouped import grouped
from ..tables import CLAIMS, Dated
from .book import Book
from .drug_rows import Brand, BrandStrength, Drug, NameWord, OtherName, Successor
from .drug_text import strength_in
from .own_tables import OwnRow, OwnTables
from .policy import Policy
from .policy_rows import (
    ANY,
    LICENSED,
    AdministrationRule,
    Diagnosis,
    DrugClass,
    Edit,
    Limit,
    Modifier,
    NeededModifier,
    PayerOption,
    Place,
    PlaceRule,
    PolicyRow,
    Procedure,
    RouteCode,
    Unclassified,
    plays,
)
from .product_rows import Container, Product
from .store import key_of, named, stands_in_place
from .words import normal, squeezed

_PRODUCT = re.compile(r"\d{5}-\d{4}(-\d{2})?")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


WAY = "A row that takes another's place says replaces=yes; else give other days or another key."
_UNMET = "says replaces=yes, and no shipped row stands in its place: leave replaces out"


def check(base: Book, made: Book, own: OwnTables) -> None:
    """Raise `TableError` for rows that meet a shipped answer in silence, replace nothing, or can never answer.

    `base` is the reference without the rows, `made` the one with them.
    """
    for row_class, rows in own.rows.items():
        stood = [(one, f"line {one.line}: {named(one.row)}", _stood_before(base, one)) for one in rows]
        met = [f"{row} meets {before}" for one, row, before in stood if before and not one.row.replaces]
        wrong = [f"{row} {_UNMET}" for one, row, before in stood if one.row.replaces and not before]
        wrong += _twice(rows)
        wrong += [f"line {one.line}: {says}" for one in rows for says in wrong_in(base, made, one.row)]
        if met or wrong:
            file = os.path.join(own.path, f"{row_class.TABLE}.csv")
            raise tables.refuse(os.path.basename(file), file, [*met, *wrong], WAY if met else "")


def _stood_before(base: Book, one: OwnRow) -> str:
    """What the shipped rows said in a row's place, in words; empty where they said nothing."""
    met = _meets(base, one)
    answered = met or _answered(base, one.row)
    if answered and not met and isinstance(one.row, DrugClass):
        # A class more is no contradiction, and every answer that it changes says so.
        tables.sourced(one.row, one.row.origin, True)
    return answered


def _meets(base: Book, one: OwnRow) -> str:
    """The shipped row of the same key and days, in words."""
    for other in base.store.starting(type(one.row), one.first):
        if stands_in_place(one.row, other) and other.period.overlaps(one.row.period):
            return f"the row in effect {other.period} ({other.citation})"
    return ""


def _twice(rows: Sequence[OwnRow]) -> list[str]:
    """Own rows of one file that meet each other."""
    return [
        f"line {other.line}: {named(other.row)} meets line {one.line}: give the two days that do not overlap"
        for same in grouped(rows, lambda one: key_of(one.row)).values()
        for one, other in combinations(same, 2)
        if one.row.period.overlaps(other.row.period)
    ]


# --- what answered before a row of another key ------------------------------------------------------


def _answered(base: Book, row: Any) -> str:
    """What the reference without this row answers in its matter, in words; empty where it has no answer."""
    payer = getattr(row, "payer", "")
    if payer not in ("", ANY, *base.policy.payers()):
        return ""
    if ask := _ASK.get(type(row)):
        return str(ask(base, row))
    if find := _FIND.get(type(row)):
        found = (find(base.policy, row, on, claim) for on, claim in _asked_for(base, row))
        return next((f"{named(one)} ({one.citation})" for one in found if one is not None), "")
    return "what the shipped rows decide for this payer" if payer else ""


def _asked_for(base: Book, row: Any) -> list[tuple[dt.date, str]]:
    """A day of the row's own, the last one that the editions reach where it holds then, with its kinds of claim."""
    on = row.ends or max(row.effective, base.drugs.reach[1])
    return [(on, claim) for claim in (CLAIMS if row.claim == ANY else (row.claim,))]


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
    if row.option == "follows":
        return "whom the shipped payer follows: name a payer of your own that follows it"
    for on, claim in _asked_for(base, row):
        try:
            found = base.policy.option(row.payer, row.option, on, claim)
        except JcodeunitsError:
            continue
        return f"{named(found)} = {'|'.join(found.values) or 'nothing'} ({found.citation})"
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
    Container: _container_of,
    DrugClass: _class_of,
    RouteCode: _route_of,
}
# The same where it is one question of a day and a kind of claim.
_FIND: dict[type[Any], Callable[[Policy, Any, dt.date, str], Dated | None]] = {
    PlaceRule: lambda policy, row, on, claim: policy.place_rule(row.place, on, row.payer, claim),
    Limit: lambda policy, row, on, claim: policy.limit(row.code, on, claim),
    Edit: lambda policy, row, on, claim: policy.edit(row.column_1, row.column_2, on, claim),
}


# --- rows that could never answer, or would answer nonsense -----------------------------------------


def wrong_in(base: Book, made: Book, row: Any) -> Iterable[str]:
    """What a row says that is nonsense, or that no question ever reaches, column by column."""
    for name, values in _spoken(row):
        known = _words_of(base, made, row.__class__, name)
        strange = [word for word in values if word not in known and (word != ANY or name in ("kind", "name"))]
        if strange:
            yield f"column {name}: {'|'.join(strange)!r} is none of {', '.join(sorted(known))}"
    payer = getattr(row, "payer", ANY)
    if payer != ANY and (payer != payer.casefold() or " " in payer):
        plain = "-".join(payer.casefold().split())
        yield f"column payer: {payer!r}: lower case without spaces is wanted: write {plain}"
    elif payer != ANY and payer not in made.policy.payers():
        yield f"column payer: {payer!r} has no row in payers.csv: give it one"
    for name in _DRUG_CODES.get(type(row), ()):
        said = getattr(row, name)
        for code in said if isinstance(said, tuple) else (said,):
            if code not in ("", ANY) and not made.drugs.rows(code):
                yield f"column {name}: {code} is in no row of drugs.csv"
    if right := _RIGHT.get(type(row)):
        name, is_right, says = right
        if not is_right(made, getattr(row, name)):
            yield f"column {name}: {getattr(row, name)!r}{says}"
    if ask := _WRONG.get(type(row)):
        yield from ask(base, made, row)


def _spoken(row: Any) -> Iterable[tuple[str, tuple[str, ...]]]:
    """The columns whose words must be known ones."""
    for name in ("routes", "lines", "classes", "kinds"):
        if isinstance(getattr(row, name, None), tuple):
            yield name, getattr(row, name)
    if isinstance(row, Drug):
        yield "kind", (row.kind,)
    if isinstance(row, DrugClass):
        yield "name", (row.name,)


@lru_cache(maxsize=64)
def _words_of(base: Book, made: Book, row_class: Any, name: str) -> set[str]:
    """The words that a column may hold: those of the shipped rows, and those that another table asks for."""
    shipped = base.store.rows(row_class)
    known = {LICENSED} if name == "name" else set()
    known |= {word for other in shipped for column, words in _spoken(other) if column == name for word in words}
    if name in ("kind", "name"):
        asking: tuple[type[Any], ...] = (AdministrationRule, PlaceRule, Unclassified)
        asked = [said for table in asking for one in made.store.rows(table) for said in _spoken(one)]
        return known | {word for column, words in asked if column in ("classes", "kinds") for word in words} - {ANY}
    if name in ("classes", "kinds"):
        return known | {one.name for one in made.policy.rows(DrugClass)} | {one.kind for one in made.drugs.drugs}
    return known | set(routes.NAMES) if name == "routes" and issubclass(row_class, PolicyRow) else known


def _wrong_drug(_base: Book, made: Book, row: Drug) -> Iterable[str]:
    if row.code != row.code.upper() or not hcpcs.is_valid(row.code):
        yield f"column code: {row.code!r}: a code is a letter and four digits, in capitals, or five digits"
    elif made.store.starting(Procedure, row.code):
        yield f"column code: {row.code} is a service in procedures.csv, no drug"
    if len(row.ingredient) > LONGEST // 2 or len(row.ingredient.split()) > 16:
        yield "column ingredient: longer than any name that is looked up"
    yield from _wrong_text("ingredient", row.ingredient)


def _wrong_text(column: str, name: str) -> Iterable[str]:
    """What is no name: it would never be looked up as one."""
    if not squeezed(name):
        yield f"column {column}: {name!r} holds no letter or digit"
    elif hcpcs.is_valid(name) or ndc.looks_like(name):
        yield f"column {column}: {name!r} is a code, no name"


def _wrong_name(_base: Book, made: Book, row: Brand | OtherName) -> Iterable[str]:
    column, name = ("brand", row.brand) if isinstance(row, Brand) else ("name", row.name)
    yield from _wrong_text(column, name)
    rows = made.drugs.rows(row.code)
    if row.code and row.ingredient not in ("", name, *(one.ingredient for one in rows)) and rows:
        yield f"column ingredient: {row.ingredient!r} is not that of {row.code}: {rows[-1].ingredient}"
    elif not row.code and not row.ingredient:
        yield "give the code or the ingredient that it means"
    elif not row.code and getattr(row, "kind", "") != "unsafe" and normal(row.ingredient) not in made.drugs.ingredients:
        meant = sorted({one.ingredient for one in made.drugs.meant_by(squeezed(row.ingredient))})
        instead = f": write {' or '.join(meant)}" if meant else ""
        yield f"column ingredient: {row.ingredient!r} is in no row of drugs.csv{instead}"
    elif row.replaces:
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


def _wrong_place_rule(_base: Book, made: Book, row: PlaceRule) -> Iterable[str]:
    if row.place != "facility" and row.place not in {one.code for one in made.policy.rows(Place)}:
        yield f"column place: {row.place!r} is in no row of places.csv; `facility` stands for all that are one"
    if row.outcome == "withhold" and not row.lines:
        yield "column lines is missing: what is withheld, administration or drug"
    if row.reason and not _ID.fullmatch(row.reason):
        yield f"column reason: {row.reason!r}: an id in small letters is wanted, such as place-by-payer"


def _wrong_decision(_base: Book, made: Book, row: AdministrationRule) -> Iterable[str]:
    played = [one.role for one in made.policy.rows(Procedure)]
    if row.outcome in ("bill", "procedure") and not row.role:
        yield "column role is missing: what is billed, or holds the injection"
    for column, said in (("role", tuple(filter(None, row.role.split("|")))), ("alternatives", row.alternatives)):
        strange = [role for role in said if not any(plays(one, (role,)) for one in played)]
        if strange:
            yield f"column {column}: {'|'.join(strange)!r}: no row of procedures.csv has that role"
    if row.reason and not _ID.fullmatch(row.reason):
        yield f"column reason: {row.reason!r}: an id in small letters is wanted, such as own-row"


# The one column of a row that must be right, and what is said where it is not.
_RIGHT: dict[type[Any], tuple[str, Callable[[Book, Any], object], str]] = {
    Container: (
        "product",
        lambda _, cell: _PRODUCT.fullmatch(cell),
        ": an NDC as 5-4-2, or a labeler and product as 5-4, is wanted",
    ),
    Place: (
        "code",
        lambda _, cell: re.fullmatch("[0-9]{2}", cell),
        ": a place-of-service code of two digits is wanted",
    ),
    Edit: ("indicator", lambda _, cell: cell in (0, 1), ": 0 (never together) or 1 (with a modifier) is wanted"),
    NeededModifier: (
        "modifier",
        lambda made, cell: any(one.code == cell for one in made.policy.rows(Modifier)),
        " is in no row of modifiers.csv",
    ),
    BrandStrength: (
        "concentration",
        lambda _, cell: strength_in(cell) is not None,
        ": what one mL holds is wanted, such as 40 mg/mL",
    ),
}


def _wrong_word(_base: Book, _made: Book, row: NameWord) -> Iterable[str]:
    if row.kind == "route" and row.means not in routes.NAMES:
        yield f"column means: {row.means!r} is none of {', '.join(routes.NAMES)}"


_WRONG: dict[type[Any], Any] = {
    Drug: _wrong_drug,
    Brand: _wrong_name,
    OtherName: _wrong_name,
    PayerOption: _wrong_option,
    PlaceRule: _wrong_place_rule,
    AdministrationRule: _wrong_decision,
    NameWord: _wrong_word,
}
# Columns that hold codes of drugs.
_DRUG_CODES: dict[type[Any], tuple[str, ...]] = {
    Brand: ("code",),
    OtherName: ("code",),
    Product: ("codes",),
    DrugClass: ("code",),
    RouteCode: ("codes",),
    Successor: ("code", "successor"),
    Diagnosis: ("code",),
}
