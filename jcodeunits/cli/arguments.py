"""Arguments that several verbs share, and errors in one line."""

from __future__ import annotations

import argparse
import datetime as dt
import os
from collections.abc import Callable
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from .terminal import as_json, width

if TYPE_CHECKING:
    from jcodeunits.facts.reference import Reference


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


FOLDERS = {"reference": "JCODEUNITS_REFERENCE", "tables": "JCODEUNITS_TABLES"}


def add_facts(made: Parser) -> None:
    """Which book of facts is used: a folder that refresh made, a site's own rows on top."""
    made.add_argument("--reference", metavar="FOLDER", help="a folder that `jcodeunits refresh --into` made")
    made.add_argument("--tables", metavar="FOLDER", help="your own rows, on top of the reference")


class Asked(NamedTuple):
    """The date of service, whether it is today for want of another, and the facts that answer.

    `folders` names those that came from the environment, for the answer.
    """

    date: dt.date
    is_today: bool
    reference: Reference
    folders: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f"{self.date} (today)" if self.is_today else str(self.date)
        return "; ".join([said, *self.folders])

    def document(self, **found: Any) -> str:
        """One JSON document: the day, what was found, and the facts behind it."""
        known = {"edition": self.reference.edition, "fingerprint": self.reference.fingerprint}
        return as_json(self.named({"on": str(self.date), **found, **known}))

    def named(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer of JSON types with the folders that came from the environment."""
        return {**answer, "facts": list(self.folders)} if self.folders else answer


def asked(args: argparse.Namespace) -> Asked:
    """What the shared arguments say; the only place in the package that asks what day it is."""
    reference, folders = facts(args)
    on = getattr(args, "on", None)
    if on is None:
        return Asked(dt.datetime.now(dt.UTC).astimezone().date(), True, reference, folders)
    from jcodeunits.dated import as_date

    return Asked(as_date(on), False, reference, folders)


def facts(args: argparse.Namespace) -> tuple[Reference, tuple[str, ...]]:
    """The reference that `--reference` and `--tables`, or the environment, name; and what the latter named.

    Raises `TableError`.
    """
    from jcodeunits.facts.reference import Reference

    said = {name: getattr(args, name) or os.environ.get(variable) for name, variable in FOLDERS.items()}
    named = tuple(
        f"{variable} {said[name]}" for name, variable in FOLDERS.items() if said[name] and not getattr(args, name)
    )
    made = Reference.load(said["reference"]) if said["reference"] else Reference.shipped()
    return (made.with_tables(said["tables"]) if said["tables"] else made), named
