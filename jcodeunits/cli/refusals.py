"""How a refusal is told at the counter: the reason in one line, the candidates, and a way out that works.

Errors carry the argument they are about; here it is said as the flag of the verb. A command is only advised
after it was run and answered, so that no advice is refused when it is followed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

from jcodeunits.errors import AmbiguousDrug, BasisNeeded, JcodeunitsError, TableError, UnknownDrug

from . import terminal
from .arguments import Parser, WrongCall, asked, facts

if TYPE_CHECKING:
    from jcodeunits.facts.drug_rows import Drug

Run = Callable[[str, list[str]], tuple[int, str]]
Words = list[str]

_MOST = 10  # candidates
_LONGEST = 1500  # characters of a reason; a list of problems may be longer than anybody reads
_KEY = re.compile("‹([^›]+)›")

# Argument or key -> argument of the flag, where it is not the same word.
_FLAGS = {
    "charge_amount": "charge_amounts",
    "amounts": "charge_amounts",
    "revenue_code": "revenue_codes",
    "number": "ndc",
    "date": "on",
}
_TRIED = 20  # ways out, of which each is run until one answers


def told(
    why: JcodeunitsError, verb: str, words: Sequence[str], run: Run, ways: Sequence[Words] | None = None
) -> list[str]:
    """The lines on standard error: the reason, the candidates, and the first of the ways that answers."""
    made = arguments_of(verb)
    flags = flags_of(made)
    candidates = list(why.fields.get("example", ())) if isinstance(why, TableError) else _candidates(why, made, words)
    reason = _reason(why, flags, bool(candidates), _in_file(made, words))
    lines = _wrapped(f"jcodeunits: {reason}")
    for way in islice(_ways(why, made, verb, list(words)) if ways is None else ways, _TRIED):
        if all(map(str.isprintable, way)) and _answers(way, run):
            return [*lines, *candidates, f"try: {shlex.join(['jcodeunits', *way])}"]
    return [*lines, *candidates]


def _wrapped(text: str) -> list[str]:
    """One line; on a terminal as many as it takes."""
    if sys.stderr is None or not sys.stderr.isatty():
        return [text]
    import textwrap

    room = terminal.width(sys.stderr)
    return textwrap.wrap(text, room, subsequent_indent="  ", break_long_words=True, break_on_hyphens=False)


# --- the words of the door --------------------------------------------------------------------------


@cache
def arguments_of(verb: str) -> Parser:
    """The parser of a verb; built once, however many records of a file are refused."""
    module: Any = import_module(f".{verb}", __package__)
    made: Parser = module.arguments()
    return made


def flags_of(made: Parser) -> dict[str, str]:
    """Argument to flag, for those that the verb has."""
    options = {action.dest: action.option_strings for action in made._actions if action.option_strings}
    return {name: next(word for word in words if word.startswith("--")) for name, words in options.items()}


def flag(argument: str | None, flags: dict[str, str]) -> str:
    """The flag that says an argument or a key of the encounter; empty where the verb has none."""
    if not argument:
        return ""
    named = [re.sub(r"\[\d+\]", "", part) for part in argument.split(".")]
    if named[-1] == "container_volume" and "volume" in flags:
        return flags["volume"]
    for key in reversed(named):
        name = _FLAGS.get(key, key)
        if name in flags and name != "reference":
            return flags[name]
    return ""


def say(argument: str | None, flags: dict[str, str], text: str) -> str:
    """The sentence that names the flag, where the text does not name it already."""
    option = "" if argument in ("drug", "dose", "ndc") else flag(argument, flags)
    return f"Say it with {option}." if option and option not in text else ""


def _reason(why: JcodeunitsError, flags: dict[str, str], listed: bool, in_file: Callable[[str], bool]) -> str:
    if isinstance(why, TableError):
        return _of_table(why)
    text = _KEY.sub(lambda said: _by_flag(said[1], flags), why.message)
    first, *more = [line.strip() for line in text.splitlines()] or [""]
    if listed and why.fields.get("listed"):
        first = first.replace(f": {why.fields['listed']}", "", 1)
    path, problem = why.fields.get("path"), why.fields.get("says")
    if isinstance(path, str) and problem and (option := flag(path, flags)) and not in_file(path):
        return f"{option} {problem}" if problem.startswith("is missing") else f"{option}: {problem}"
    said = " ".join([first, *more[:1]]) + (f"; and {len(more) - 1} more" if len(more) > 1 else "")
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    argument = "" if isinstance(path, str) and in_file(path) else why.argument
    return " ".join(filter(None, (said, say(argument, flags, said))))


def _of_table(why: TableError) -> str:
    """Every problem of a file in one line; the row that would load follows in lines of its own."""
    said = ""
    for line in why.message.partition("\n  For example:\n")[0].splitlines():
        text = line.strip()
        said += f"{' ' if not said or said[-1] in ':.' else '. ' if text[:1].isupper() else '; '}{text}"
    example = f"{'' if said.endswith('.') else '.'} For example:" if why.fields.get("example") else ""
    return f"{said.strip()}{example}"


def _by_flag(said: str, flags: dict[str, str]) -> str:
    """A key, or a keyword with an example, as the flag of the verb."""
    key, equals, example = said.partition("=")
    option = flag(key, flags)
    if not option and example[:1] in ("[", "{") and "beside" in flags:
        facts = {} if "..." in example else {key: ast.literal_eval(example)}
        return f"{flags['beside']} FILE with {json.dumps(facts) if facts else key}"
    if not option:
        return said
    if example == "True":
        return option
    return f"{option} {shlex.quote(example.strip(chr(39)))}" if equals else option


def _in_file(made: Parser, words: Sequence[str]) -> Callable[[str], bool]:
    """Whether a key of the encounter stands in a file: no flag says what is about its administrations."""

    def in_file(path: str) -> bool:
        if not path.startswith(("administrations", "services")):
            return False
        try:
            return getattr(made.read(words), "file", None) is not None
        except (WrongCall, SystemExit):
            return False

    return in_file


def _candidates(why: JcodeunitsError, made: Parser, words: Sequence[str]) -> list[str]:
    """Where several codes fit: a line each, with what tells it from the others."""
    if not isinstance(why, AmbiguousDrug) or len(why.candidates) < 2 or why.fields.get("on") is None:
        return []
    from jcodeunits.facts.agreement import told as told_by

    book = facts(made.read(words))[0].drugs
    rows = [row for code in why.candidates for row in book.rows(code) if row.period.holds(why.on)]
    if len(rows) < 2:
        return []
    lines = _columns([_told_apart(row, rows, told_by(row, rows)) for row in rows[:_MOST]], terminal.width(sys.stderr))
    if len(rows) > _MOST:
        lines.append(f"  and {len(rows) - _MOST} more: jcodeunits find {shlex.quote(str(why.given))}")
    return lines


def _told_apart(row: Drug, rows: Sequence[Drug], told: str) -> tuple[str, ...]:
    """Code, what tells the row from the others, and its unit: what all share is left out."""
    one_drug = len({other.ingredient for other in rows}) == 1
    apart = ", ".join(filter(None, (row.form, row.qualifier)))
    name = apart if one_drug and apart else row.name
    routes = len({r.routes for r in rows}) > 1
    unit = row.one_unit + ("" if routes else told)
    return (row.code, name, unit, *([", ".join(row.routes)] if routes else []))


def _columns(rows: Sequence[tuple[str, ...]], room: int) -> list[str]:
    """Rows in columns behind two spaces, each in one line: the longest cells are cut where they must be."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    while sum(widths) + 2 * len(widths) > room:
        widths[widths.index(max(widths))] -= 1
    cut = [
        [cell if len(cell) <= at else f"{cell[: at - 1]}…" for cell, at in zip(row, widths, strict=True)]
        for row in rows
    ]
    return [f"  {'  '.join(c.ljust(at) for c, at in zip(row, widths, strict=True))}".rstrip() for row in cut]


# --- the way out ------------------------------------------------------------------------------------


def _answers(words: Words, run: Run) -> bool:
    """Whether a command answers, with nothing printed."""
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        try:
            return run(words[0], words[1:])[0] == 0
        except (Exception, SystemExit):  # noqa: BLE001 - whatever it is, the command is no way out
            return False


def _ways(why: JcodeunitsError, made: Parser, verb: str, words: Words) -> Iterator[Words]:
    """Commands that may answer what this one refused, the most literal first; none that chooses a drug."""
    try:
        args = made.read(words)
    except WrongCall:
        yield from _respelled(made, verb, words)
        return
    except SystemExit:
        return
    yield from _replaced(why, made, args, verb)
    yield from _elsewhere(why, args, verb)


def _respelled(made: Parser, verb: str, words: Words) -> Iterator[Words]:
    """A flag that is nearly one of the verb's."""
    import difflib

    known = [option for action in made._actions for option in action.option_strings]
    strange = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    near = {word: difflib.get_close_matches(word, known, 1, 0.7) for word in strange}
    if strange and all(near.values()):
        yield [verb, *(near[word][0] if word in near else word for word in words)]


def _replaced(why: JcodeunitsError, made: Parser, args: argparse.Namespace, verb: str) -> Iterator[Words]:
    """The same call with the one argument put right."""
    flags = flags_of(made)
    meant = _bases(why, args) if isinstance(why, BasisNeeded) else ()
    literal = [(why.argument, why.instead)] if why.instead is not None and why.argument is not None else []
    for argument, instead in (*literal, *(("basis", name) for name in meant)):
        words = getattr(args, "words", None)
        if argument in flags:
            yield spelled(made, verb, args, **{argument: instead})
            if argument == "route" and words is not None:
                yield from (spelled(made, verb, args, words=bare, route=instead) for bare in _without_route(words))
        elif argument in ("drug", "dose") and words is not None:
            parts = _parts(words)
            if parts is not None:
                drug, dose = (instead, parts[1]) if argument == "drug" else (parts[0], instead)
                yield spelled(made, verb, args, words=[drug, *dose.split()])
            elif argument == "drug" and verb == "find":
                yield spelled(made, verb, args, words=[instead])
    if isinstance(why, AmbiguousDrug) and "route" in flags and not args.route:
        yield from (spelled(made, verb, args, route=name) for name in _telling(why, args))
    if verb in ("units", "vials"):
        yield from _turned(made, args, verb)


def _telling(why: AmbiguousDrug, args: argparse.Namespace) -> tuple[str, ...]:
    """Routes that may tell the candidates apart, where they are one drug given in several ways."""
    from jcodeunits import routes

    book = facts(args)[0].drugs
    rows = [row for code in why.candidates for row in book.rows(code)]
    one = len({row.ingredient for row in rows}) == 1 and len({row.routes for row in rows}) > 1
    return routes.NAMES if one else ()


def _bases(why: BasisNeeded, args: argparse.Namespace) -> tuple[str, ...]:
    """What the dose of a combination may count: that by which it is whole containers; else only a person knows."""
    from jcodeunits.convert import billing_units, measured

    asks, names = asked(args), ("total", *why.choices)
    words = getattr(args, "words", None)
    dose = (_parts(words) or ("", ""))[1] if words else getattr(args, "dose", None) or ""
    row, held = asks.reference.drugs.on(why.code, asks.date), set()
    for item in asks.reference.products.of_code(why.code, asks.date):
        with contextlib.suppress(JcodeunitsError):
            counted = 1 if item.unit == "billing unit" else measured(row, item.unit, "total").ratio
            held.add((item.amount or 0) * counted)
    whole = []
    for name in names:
        with contextlib.suppress(JcodeunitsError):
            made = billing_units(why.code, dose, on=asks.date, basis=name, reference=asks.reference)
            whole += [name] if any(size and (made.exact / size).denominator == 1 for size in held) else []
    alike = len({(part.amount, part.unit) for part in row.components}) == 1  # nobody doses one of two equal parts
    return tuple(whole) or (("total",) if alike else ())


def _parts(words: Sequence[str]) -> tuple[str, str] | None:
    """Drug and dose as they were written."""
    pieces = words[0].split() if len(words) == 1 else list(words)
    starts = [n for n in range(1, len(pieces)) if not pieces[n][:1].isalpha()]
    return (" ".join(pieces[: starts[0]]), " ".join(pieces[starts[0] :])) if starts else None


def _without_route(words: Sequence[str]) -> Iterator[Words]:
    """Drug and dose without the route that stands behind the dose."""
    from jcodeunits.dose import Dose

    parts = _parts(words)
    with contextlib.suppress(JcodeunitsError):
        if parts is not None and (dose := Dose.of(parts[1])).route is not None:
            yield [*parts[0].split(), *str(dose).split()]


def _turned(made: Parser, args: argparse.Namespace, verb: str) -> Iterator[Words]:
    """The dose before the drug: the drug first."""
    pieces = " ".join(args.words).split()
    if pieces and pieces[0][:1].isdigit():
        for at in range(1, len(pieces)):
            if pieces[at][:1].isalpha():
                yield spelled(made, verb, args, words=[*pieces[at:], *pieces[:at]])


def _elsewhere(why: JcodeunitsError, args: argparse.Namespace, verb: str) -> Iterator[Words]:
    """Another verb that knows the text."""
    text = next((value for name in ("words", "number") if (value := getattr(args, name, None))), None)
    if text is None or isinstance(why, AmbiguousDrug | TableError):
        return
    on = ["--on", args.on] if getattr(args, "on", None) else []
    others = {"find": ("lookup", "ndc"), "lookup": ("find",), "ndc": ("find", "lookup"), "units": ("find", "lookup")}
    drug_alone = verb != "units" or (why.argument == "dose" and _parts(text) is None)
    if drug_alone and (verb != "find" or isinstance(why, UnknownDrug)):
        for other in others.get(verb, ()):
            yield [other, *" ".join(text).split(), *on]


def spelled(made: Parser, verb: str, args: argparse.Namespace, **changed: Any) -> Words:
    """The words of a call: the positional ones first, then every flag that was given."""
    said = {**vars(args), **changed}
    first: Words = []
    flags: Words = []
    for action in made._actions:
        value = said.get(action.dest)
        if not action.option_strings:
            first += value if isinstance(value, list) else [value] if value is not None else []
        elif value is not None and value != action.default:
            flags += _as_flag(action, value)
    return [verb, *first, *flags]


def _as_flag(action: argparse.Action, value: Any) -> Iterable[str]:
    option = action.option_strings[-1]
    if action.const is not None:
        return [option] if value == action.const else []
    if isinstance(value, bool):
        return [action.option_strings[0] if value else option]
    if isinstance(value, list):
        return [option, *value] if action.nargs else [word for each in value for word in (option, each)]
    return [option, str(value)]
