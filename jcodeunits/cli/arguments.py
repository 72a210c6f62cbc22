"""Arguments that several verbs share, and errors in one line."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from .terminal import as_json, width

if TYPE_CHECKING:
    from jcodeunits.catalog import Catalog
    from jcodeunits.policy import Policy
    from jcodeunits.products import Shelf


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line; options may stand anywhere among the words."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2 and one line."""
        self.exit(2, f"{self.prog}: {message}. `{self.prog} --help` shows how.\n")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal; told so, argparse does not load what it would need to ask."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=width())


def parser(verb: Callable[..., object], usage: str) -> Parser:
    """The parser of one verb; its help is the verb's docstring, a sentence and then examples."""
    says, _, examples = cleandoc(verb.__doc__ or "").partition("\n\n")
    return Parser(
        prog=f"jcodeunits {verb.__name__}",
        usage=f"jcodeunits {verb.__name__} {usage}",
        description=says,
        epilog=examples,
        formatter_class=_Help,
        allow_abbrev=False,
    )


def add_on(made: Parser) -> None:
    """The date of service."""
    made.add_argument("--on", metavar="DATE", help="date of service, such as 2026-03-02; today if left out")


def add_json(made: Parser) -> None:
    """Machine-readable output."""
    made.add_argument("--json", action="store_true", help="print one JSON document")


def add_tables(made: Parser) -> None:
    """A site's own tables."""
    made.add_argument("--tables", metavar="FOLDER", help="your own tables, used beside the shipped ones")


class Tables(NamedTuple):
    """The shipped tables, or with a site's own rows; None stands for the shipped ones."""

    catalog: Catalog | None = None
    policy: Policy | None = None
    shelf: Shelf | None = None


_CATALOG = ("drugs", "brands", "names", "successors", "salts")
_SHELF = ("products", "containers")


def own_tables(folder: str | None) -> Tables:
    """The tables with those of a folder: each file is named like the reference table that it adds to.

    Nothing shipped is replaced. Raises `TableError`.
    """
    if folder is None:
        return Tables()
    from pathlib import Path

    from jcodeunits import catalog, policy, products
    from jcodeunits.errors import TableError

    files = sorted(Path(folder).glob("*.csv"))
    if not files:
        raise TableError(f"{folder} holds no table (a file such as payers.csv).", file=folder, problems=())
    names = {file.stem for file in files}
    rules = policy.shipped()
    for file in files:
        if file.stem not in (*_CATALOG, *_SHELF):
            rules = rules.extend(file)
    return Tables(
        catalog.extend(folder) if names & {*_CATALOG} else None,
        rules,
        products.shipped().extend(folder) if names & {*_SHELF} else None,
    )


class Day(NamedTuple):
    """The date of service that a verb used, and whether it is today for want of another."""

    date: dt.date
    is_today: bool = False

    def __str__(self) -> str:
        return f"{self.date} (today)" if self.is_today else str(self.date)


def day(on: str | None) -> Day:
    """The date asked for, or today: the only place in the package that asks what day it is."""
    from jcodeunits.period import as_date

    if on is None:
        return Day(dt.datetime.now(dt.UTC).astimezone().date(), True)
    return Day(as_date(on))


def document(on: Day, **found: Any) -> str:
    """One JSON document: the day, what was found, and the data behind it."""
    from jcodeunits import tables

    whole = {"on": str(on.date), **found, "edition": tables.edition(), "fingerprint": tables.fingerprint()}
    return as_json(whole)
