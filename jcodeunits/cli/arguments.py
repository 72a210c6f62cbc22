"""Arguments that several verbs share: the date, the facts, how a dose was ordered."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import re
from collections.abc import Callable, Iterable, Sequence
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from jcodeunits.errors import JcodeunitsError, UnknownRoute, quoted

from .terminal import as_json, width, wrapped

if TYPE_CHECKING:
    from jcodeunits.dose import Dose
    from jcodeunits.facts.reference import Reference


class WrongCall(JcodeunitsError):
    """Words that are no call of the verb: a flag that is not known, an argument that is missing."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line; options may stand anywhere among the words."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving, so that every refusal is told in one place."""
        raise WrongCall(f"{message}. `{self.prog} --help` shows how.")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """The arguments; a unit may stand behind the number of an option as a word of its own."""
        return self.parse_intermixed_args(_with_units(words))


# Options whose value may be two words: a number and its unit, or a route of two words.
_MEASURES = frozenset({"--weight", "--surface", "--concentration", "--dose", "--discarded", "--container-amount"})
_NUMBER = re.compile(r"[\d.,]+", re.ASCII)


def _with_units(words: Sequence[str]) -> list[str]:
    """The words with the unit behind an option's number joined to it (`--weight 80 kg`)."""
    joined: list[str] = []
    for word in words:
        before = joined[-2:]
        if len(before) == 2 and _belongs(before[0], before[1], word):
            joined[-1] = f"{before[1]} {word}"
        else:
            joined.append(word)
    return joined


def _belongs(option: str, value: str, word: str) -> bool:
    if option in _MEASURES and _NUMBER.fullmatch(value):
        from jcodeunits import units

        return all(units.is_known(part) for part in word.split("/"))
    if option == "--route":
        from jcodeunits import routes

        return routes.find(f"{value} {word}") is not None and routes.find(value) is not None
    return False


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal; told so, argparse does not load what it would need to ask."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=width())

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        """Words that belong together are named once."""
        if action.nargs == "+" and isinstance(action.metavar, str) and not action.option_strings:
            return f"{action.metavar}..."
        return str(super()._format_args(action, default_metavar))

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002 - the width is our own
        """Paragraphs are wrapped; lines that are set in (the examples) stay as they are."""
        lines: list[str] = []
        for block in text.split("\n\n"):
            told = block.splitlines()
            kept = [line for line in told if line.startswith(" ") or line.endswith(":")]
            lines += [*(kept if len(kept) == len(told) else wrapped(" ".join(told))), ""]
        return "\n".join(lines[:-1])


def parser(verb: Callable[..., object]) -> Parser:
    """The parser of one verb; its help is the verb's docstring, a sentence and then examples."""
    says, _, examples = cleandoc(verb.__doc__ or "").partition("\n\n")
    return Parser(
        prog=f"jcodeunits {verb.__name__}", description=says, epilog=examples, formatter_class=_Help, allow_abbrev=False
    )


def add_on(made: Parser) -> None:
    """The date of service."""
    made.add_argument("--on", metavar="DATE", help="date of service: 2026-03-02, yesterday; today if left out")


def add_json(made: Parser) -> None:
    """Machine-readable output."""
    made.add_argument("--json", action="store_true", help="print one JSON document")


def add_answer(made: Parser, *, dose: bool = False) -> None:
    """What every verb that answers one question takes: the date, how a dose was ordered, the facts, how to print."""
    add_on(made)
    if dose:
        add_dose(made)
    add_facts(made)
    add_json(made)


def add_words(made: Parser) -> None:
    """A drug and its dose as unquoted words."""
    made.add_argument("words", nargs="+", metavar="DRUG DOSE", help="a code, name or NDC, then the dose")


def add_dose(made: Parser) -> None:
    """How a dose was ordered and given, where its text does not say it."""
    made.add_argument("--route", help="how it was given (IM, SC, oral ...), where a name needs it")
    how = made.add_mutually_exclusive_group()
    how.add_argument("--weight", metavar="KG", help="body weight, for a dose such as 1.5 mg/kg; 154 lb is read too")
    how.add_argument("--surface", metavar="M2", help="body surface, for a dose such as 75 mg/m2")
    how.add_argument("--concentration", metavar="C", help="for a dose by volume: 40 mg/mL, 1%%, 1:1000")
    made.add_argument("--basis", help="the part of a combination that the dose counts, or total")


FOLDERS = {"reference": "JCODEUNITS_REFERENCE", "tables": "JCODEUNITS_TABLES"}


def add_facts(made: Parser) -> None:
    """Which book of facts is used: a folder that refresh made, a site's own rows on top."""
    made.add_argument(
        "--reference", metavar="FOLDER", help="a folder that `jcodeunits refresh --into` made, or a manifest kept in it"
    )
    made.add_argument("--tables", metavar="FOLDER", help="your own rows, on top of the reference")


# --- what they say ----------------------------------------------------------------------------------


def dose_of(text: str, args: argparse.Namespace) -> Dose:
    """The dose in a text, worked out from weight, surface or concentration where one was given."""
    from jcodeunits.dose import Dose

    if args.weight:
        return Dose.by_weight(text, measure(args.weight, "kg"))
    if args.surface:
        return Dose.by_surface(text, measure(args.surface, "m2"))
    if args.concentration:
        return Dose.by_volume(text, args.concentration)
    return Dose.of(text)


def measure(text: str, unit: str) -> str:
    """A bare number of the option means the option's own unit."""
    bare = text.strip()
    return f"{bare} {unit}" if bare.replace(".", "", 1).isdigit() else bare


def route_of(text: str | None) -> str | None:
    """The route that was given; `UnknownRoute` with the known ones."""
    if text is None:
        return None
    from jcodeunits import routes

    known = routes.find(text)
    if known is None:
        says = f"{quoted(text)} is not a known route. Allowed: {', '.join(routes.NAMES)}."
        raise UnknownRoute(says, given=text, allowed=routes.NAMES, argument="route")
    return known


class AsOf(NamedTuple):
    """The date of service, whether it is today's, the facts, the environment's `folders`, `notes` on the date."""

    date: dt.date
    is_today: bool
    reference: Reference
    folders: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f"{self.date} (today)" if self.is_today else str(self.date)
        return "; ".join([said, *self.folders])

    def text(self, lines: Iterable[str]) -> str:
        """The answer with what was noted on the date."""
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)]).rstrip()

    def document(self, **found: Any) -> str:
        """One JSON document: the day, what was found, and the facts behind it."""
        known = {"edition": self.reference.edition, "fingerprint": self.reference.fingerprint}
        return as_json(self.named({"on": str(self.date), **found, **known}))

    def named(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer of JSON types with the folders that came from the environment, and the notes."""
        told = {"facts": list(self.folders), "notes": list(self.notes)}
        return {**answer, **{name: said for name, said in told.items() if said}}


def asked(args: argparse.Namespace) -> AsOf:
    """What the shared arguments say; the only place in the package that asks what day it is."""
    reference, folders = facts(args)
    on = getattr(args, "on", None)
    today = dt.datetime.now(dt.UTC).astimezone().date()
    if on is None:
        return AsOf(today, True, reference, folders)
    day, notes = read_day(on, today)
    return AsOf(day, False, reference, folders, notes)


_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)


def read_day(text: str, today: dt.date) -> tuple[dt.date, tuple[str, ...]]:
    """A date as people type it, and the note on how it was read; the library itself reads ISO dates only.

    >>> read_day("03/02/2026", dt.date(2026, 3, 9))
    (datetime.date(2026, 3, 2), ('03/02/2026 was read as month/day/year: 2026-03-02.',))
    >>> str(read_day("yesterday", dt.date(2026, 3, 1))[0])
    '2026-02-28'
    """
    from jcodeunits.dated import as_date

    bare = text.strip()
    word = bare.casefold()
    if word in ("today", "yesterday"):
        return today - dt.timedelta(days=word == "yesterday"), ()
    compact, american = _COMPACT.fullmatch(bare), _US.fullmatch(bare)
    try:
        if compact is not None:
            return dt.date(*map(int, compact.groups())), ()
        if american is not None:
            month, day, year = map(int, american.groups())
            read = dt.date(year, month, day)
            return read, (f"{bare} was read as month/day/year: {read}.",)
    except ValueError:
        pass  # refused as it was written, with what a date looks like
    return as_date(text), ()


def facts(args: argparse.Namespace) -> tuple[Reference, tuple[str, ...]]:
    """The reference that the flags or the environment name, and what the latter named. Raises `TableError`."""
    from jcodeunits.facts.reference import Reference

    said = {name: getattr(args, name) for name in FOLDERS}
    around = {name: os.environ.get(FOLDERS[name]) for name, folder in said.items() if folder is None}
    named = tuple(f"{FOLDERS[name]} {folder}" for name, folder in around.items() if folder)
    said |= {name: folder or None for name, folder in around.items()}
    made = Reference.shipped() if said["reference"] is None else Reference.load(said["reference"])
    return (made if said["tables"] is None else made.with_tables(said["tables"])), named
