"""The verb charge: an encounter in, claim lines and findings out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jcodeunits import formats
from jcodeunits.encounter import Administration, Encounter
from jcodeunits.errors import EncounterError, FormatError, JcodeunitsError, quoted
from jcodeunits.formats import NAMES, Readable
from jcodeunits.keys import Flag, Keyed, flags_of

from . import terminal
from .arguments import AsOf, Parser, add_facts, asked, measure, parser

if TYPE_CHECKING:
    from jcodeunits.claim import Charge

# What a bare number of a flag counts.
_BARE = {"weight": "kg", "surface": "m2"}
_LARGEST = 100_000_000  # bytes of a file; a day of a large hospital has a tenth


def charge(words: Sequence[str]) -> tuple[int, str]:
    """An encounter to claim lines, and everything that would get them denied.

    The encounter comes from a file, from standard input (-), or from flags for one administration. A message
    (FHIR MedicationAdministration, HL7 v2 RAS) cannot say place, payer or waste: flags say them beside it.

    examples:
      jcodeunits charge encounter.json
      jcodeunits charge - --format x12 < encounter.json
      jcodeunits charge --drug ketorolac --dose "30 mg" --route IM --place office
      jcodeunits charge --from fhir given.json --place 11 --ndc 0409-3795-01
      jcodeunits charge --from hl7v2 batch.hl7 --place 11 --json
      jcodeunits charge --schema
    """
    args = arguments().read(words)
    if args.schema:
        from jcodeunits.claim import Charge

        return 0, terminal.as_json({**Encounter.schema(), "$defs": {"answer": Charge.schema()}})
    on = asked(args)
    from jcodeunits.charging import charge as charged

    read, refused = _read(args, _said(args, on), on)
    if refused:
        _tell(refused, words)
    if not read:
        return 2, ""
    made = {number: charged(encounter, reference=on.reference) for number, encounter in read.items()}
    status = int(bool(refused) or not all(one.ok for one in made.values()))
    if args.format not in ("table", "json"):
        told = [_message(one, args, on) for one in made.values()]
        return max(status, *(said for said, _ in told)), "\n".join(text for _, text in told if text)
    several = len(made) + len(refused) > 1
    if args.format == "json":
        plain = [
            {**({"record": number} if several else {}), **on.named(_plain(one, args.expected, on))}
            for number, one in made.items()
        ]
        return status, terminal.as_json(plain if several else plain[0])
    pages = ["\n".join(_told(one, args, on, number if several else 0)) for number, one in made.items()]
    return status, on.text("\n\n".join(pages).splitlines())


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(charge)
    made.add_argument("file", nargs="?", metavar="FILE", help="an encounter or message; - is standard input")
    read, written = "what the file is: %(choices)s", "what is written: %(choices)s"
    made.add_argument("--from", dest="source", default="json", choices=Readable(), metavar="FORMAT", help=read)
    made.add_argument("--format", default="table", choices=("table", *NAMES), metavar="FORMAT", help=written)
    made.add_argument("--json", action="store_const", dest="format", const="json", help="the same as --format json")
    made.add_argument(
        "--schema", action="store_true", help="print the JSON schemas of an encounter and ($defs) the answer"
    )
    made.add_argument("--explain", action="store_true", help="show the steps behind every line")
    made.add_argument("--expected", action="store_true", help="add what Medicare allows nationally (an estimate)")
    made.add_argument("--allow-stops", action="store_true", help="write a message in spite of a stop")
    add_facts(made)
    made.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the format")
    of_message = made.add_argument_group("how a message is read")
    for flag, says in (
        ("--completed", "the record shows as given what the message does not say"),
        ("--partial", "the dose of what was stopped, or given in part, is what was given"),
    ):
        of_message.add_argument(flag, action="store_true", default=None, help=says)
    of_message.add_argument("--zone", metavar="ZONE", help="the place's own clock: America/New_York")
    of_message.add_argument(
        "--beside", metavar="FILE", help="JSON of what else is known: administrations, actions, medications ..."
    )
    _add_keys(made.add_argument_group("what else happened that day"), Encounter)
    _add_keys(made.add_argument_group("the one administration, or what a message cannot say about it"), Administration)
    return made


def _add_keys(group: argparse._ArgumentGroup, kind: type[Keyed]) -> None:
    """A flag for each key that one can say."""
    for key in flags_of(kind):
        said = [key.says, ", ".join(key.kind.allowed), f"{key.default} if left out" if key.default else ""]
        more: dict[str, Any] = {"dest": key.argument, "default": None}
        if key.kind.shape == "flag":
            more["action"] = argparse.BooleanOptionalAction if key.default is None else "store_true"
        else:
            more["metavar"] = key.kind.shown or key.name.rpartition("-")[2].upper()
        if key.kind.shape in ("list", "pairs"):
            more["action"] = "append"
            said.append("may be repeated")
        text = "; ".join(filter(None, said)).replace("%", "%%")
        group.add_argument(f"--{key.name}", help=text, **more)


def _said(args: argparse.Namespace, on: AsOf) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the flags say about the encounter and about the administration, by the contract's names."""
    day_of, given = _by_key(args, Encounter), _by_key(args, Administration)
    if "on" in day_of:
        day_of["on"] = str(on.date)
    if "place" in day_of:
        day_of["place"] = _place(args.place, on)
    return day_of, given


def _by_key(args: argparse.Namespace, kind: type[Keyed]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in flags_of(kind):
        said = getattr(args, key.argument)
        if said is not None:
            inner = found
            for name in key.path[:-1]:
                inner = inner.setdefault(name, {})
            inner[key.path[-1]] = _value(said, key)
    return found


def _value(said: Any, key: Flag) -> Any:
    """What a flag says, in the JSON types of its key."""
    if key.kind.shape == "list":
        return [word.strip() for text in said for word in text.split(",")]
    if key.kind.shape == "pairs":
        return _pairs(said, f"--{key.name}")
    if key.kind.shape == "count" and said.isdigit():
        return int(said)
    return measure(said, _BARE[key.argument]) if key.argument in _BARE else said


def _place(text: str | None, on: AsOf) -> str | None:
    """The place of service, also by its name; refused where several have it."""
    from jcodeunits.facts.policy_rows import Place

    word = (text or "").strip().casefold()
    if text is None or not word or word.isdigit():
        return text
    rows = [row for row in on.reference.policy.rows(Place) if row.period.holds(on.date)]
    exact = [row for row in rows if row.name.casefold() == word]
    found = exact or [row for row in rows if f" {word} " in f" {row.name.casefold()} "]
    if len(found) == 1:
        return found[0].code
    near = "; ".join(f"{row.code} {row.name}" for row in found[:10])
    says = f"{quoted(text)} is {'several places' if found else 'no place of service'}: "
    says += f"{near}." if near else "write two digits or a name, such as 11 or office; `jcodeunits lookup places`."
    raise EncounterError(f"place: {says}", path="place", given=text, allowed=(), says=says, argument="place")


def _pairs(written: list[str], flag: str) -> dict[str, str]:
    parts = [pair.partition("=") for pair in written]
    if not all(equals and value for _, equals, value in parts):
        says = f"{quoted(' '.join(written))} is not written as a code, an equals sign and a value."
        raise EncounterError(f"{flag}: {says}", path=flag, given=written, allowed=())
    return {code: value for code, _, value in parts}


def _read(
    args: argparse.Namespace, said: tuple[dict[str, Any], dict[str, Any]], asked_of: AsOf
) -> tuple[dict[int, Encounter], dict[int, JcodeunitsError]]:
    """The encounters of flags, a message, a batch or JSON by number, and the records that cannot be read."""
    day_of, given = said
    if args.file is None:
        if "drug" not in given:
            says = "Give a file, - for standard input, or one administration: --drug, --dose, --route, --place."
            raise EncounterError(says, path="file", given=None, allowed=("FILE", "-", "--drug"))
        return {1: Encounter.from_dict({**day_of, "on": asked_of.date, "administrations": [given]})}, {}
    content = _bytes_of(args.file, args.source)
    module: Any = formats.module(args.source)
    how = _how(args)
    if args.source != "json":
        beside = {**how, **day_of, **given}
        try:
            return {1: module.reading(content, reference=asked_of.reference, **beside).encounter}, {}
        except FormatError as why:
            if not why.fields.get("several"):
                raise
        return _batch(module.read_all(content, reference=asked_of.reference, **beside))
    if how:
        flags = ", ".join(f"--{name}" for name in ("completed", "partial", "zone", "beside") if getattr(args, name))
        raise FormatError(f"{flags}: of a message alone; name its format with --from.", format="json")
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        says = f"{flags}: write what is about the administration into the file."
        raise EncounterError(says, path="administrations", given=sorted(given), allowed=())
    texts = _several(content.decode("utf-8-sig"))
    if len(texts) > 1:
        return _batch(_tried(module, one, day_of) for one in texts)
    return {1: module.read(texts[0], **day_of)}, {}


def _how(args: argparse.Namespace) -> dict[str, Any]:
    """What says how a message is read, and the facts of the file beside it."""
    from jcodeunits.formats._json import load

    facts = (
        load(_bytes_of(args.beside, args.source), args.source, "What stands beside a message") if args.beside else {}
    )
    said = {name: getattr(args, name) for name in ("completed", "partial", "zone")}
    return {**facts, **{name: value for name, value in said.items() if value is not None}}


def _bytes_of(name: str, form: str) -> bytes:
    """What stands in a file, or comes on standard input, which may never end."""
    if name == "-" and sys.stdin is None:
        raise FormatError("Standard input is closed. Give the name of a file.", format=form)
    with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as stream:
        found = stream.read(_LARGEST + 1)
    if len(found) > _LARGEST:
        says = f"{'Standard input' if name == '-' else name} has more than {_LARGEST:,} bytes, which are read at once."
        raise FormatError(f"{says} Split it; rows of doses are billed with `jcodeunits batch`.", format=form)
    return found


def _tried(module: Any, text: str, day_of: Mapping[str, Any]) -> Encounter | JcodeunitsError:
    try:
        return module.read(text, **day_of)  # type: ignore[no-any-return]
    except JcodeunitsError as why:
        return why


def _batch(records: Iterable[Any]) -> tuple[dict[int, Encounter], dict[int, JcodeunitsError]]:
    """By their number what was given, and the records that say nothing about that."""
    read: dict[int, Encounter] = {}
    refused: dict[int, JcodeunitsError] = {}
    for number, one in enumerate(records, 1):
        if isinstance(one, Encounter):
            read[number] = one
        elif isinstance(one, JcodeunitsError):
            refused[number] = one
        else:
            refused[number] = FormatError("It says what was charged, not what was given: `audit` reads claim lines.")
    return read, refused


def _tell(refused: Mapping[int, JcodeunitsError], words: Sequence[str]) -> None:
    """The records that were not read, on standard error."""
    from .refusals import told

    for number, why in refused.items():
        first, *more = told(why, "charge", words, lambda *_: (2, ""), ())
        if not first.startswith(numbered := f"jcodeunits: record {number}: "):  # as a list of records says it itself
            first = first.replace("jcodeunits: ", numbered, 1)
        sys.stderr.write("\n".join([first, *more, ""]))


def _several(text: str) -> list[str]:
    """The encounters of a JSON text, each as text: an array holds them, or they follow each other in lines."""
    import json

    bare = text.strip()
    inner = bare[1:-1] if bare.startswith("[") and bare.endswith("]") else bare
    decoder, at, found = json.JSONDecoder(), 0, []
    try:
        while at < len(inner):
            if inner[at].isspace() or (inner is not bare and inner[at] == ","):
                at += 1
                continue
            end = decoder.raw_decode(inner, at)[1]
            found.append(inner[at:end])
            at = end
    except (ValueError, RecursionError):
        return [text]  # the reader says what is wrong with it
    return found if len(found) > 1 or (inner is not bare and found) else [text]


def _message(made: Charge, args: argparse.Namespace, on: AsOf) -> tuple[int, str]:
    """The charge as a message; its findings, and what the format cannot carry, on standard error."""
    module = formats.module(args.format)
    found = terminal.finding_lines(made.findings, plain=True, flag=_flag(args))
    sys.stderr.writelines(f"{line}\n" for line in (*found, *(f"note: {note}" for note in on.notes)))
    if not made.ok and not args.allow_stops:
        sys.stderr.write(f"jcodeunits: nothing was written: {made.verdict}.\n")
        return 1, ""
    options = _options(module, args.option)
    text = module.write(made, allow_stops=args.allow_stops, reference=on.reference, **options)
    if terminal.is_terminal():
        text = text.replace("\r", "\n")  # a person reads it: segments that end in CR would overwrite each other
    asked = module.losses.__kwdefaults__ or {}
    lost = module.losses(made, **{name: options[name] for name in options if name in asked})
    sys.stderr.writelines(f"{line}\n" for line in (*(f"facts: {folder}" for folder in on.folders), *lost))
    return int(not made.ok), str(text)


def _options(module: Any, written: Iterable[str]) -> dict[str, Any]:
    """NAME=VALUE for the writer, by its own parameters."""
    parameters: dict[str, Any] = {"allow_me": False, **(module.write.__kwdefaults__ or {})}
    known = [name for name, default in parameters.items() if isinstance(default, str | bool)]
    options: dict[str, Any] = {}
    for pair in written:
        name, _, value = pair.partition("=")
        if name not in known:
            says = f"--option {name}: the format has {', '.join(known) or 'no options'}."
            raise EncounterError(says, path=name, given=value, allowed=known)
        options[name] = value == "yes" if isinstance(parameters[name], bool) else value
    return options


def _plain(made: Charge, expected: bool, on: AsOf) -> dict[str, Any]:
    plain = made.as_dict()
    if expected:
        from jcodeunits.allowed import expected as expected_of

        plain["expected"] = expected_of(made, reference=on.reference).as_dict()
    return plain


def _flag(args: argparse.Namespace) -> Callable[[str | None], str]:
    """How a finding names what it asks for: by the flag, where flags made the encounter."""
    if args.file is not None:
        return lambda _: ""
    from .refusals import flags_of, say

    flags = flags_of(arguments())
    return lambda argument: say(argument, flags, "")


def _told(made: Charge, args: argparse.Namespace, on: AsOf, number: int) -> list[str]:
    """The charge as a page; `number` of its record where there are several."""
    from jcodeunits.show import line_table

    encounter = made.encounter
    day = str(on) if args.file is None else str(encounter.on)
    record = f", record {number}" if number else ""
    lines = [f"{day}, place {encounter.place}, {encounter.payer}, {encounter.claim} claim{record}", ""]
    if made.lines:
        rows = line_table(made.lines)
        lines += [*terminal.table(rows.head, rows.rows, rows.right, headed=True), ""]
    if args.explain:
        for number, line in enumerate(made.lines, 1):
            lines += [f"line {number}: {line.code} x {line.units}", *terminal.steps(line.trace.steps), ""]
    if args.expected:
        lines += [*_expected(made, on), ""]
    lines += terminal.finding_lines(made.findings, cited=args.explain, flag=_flag(args))
    data = f"({'; '.join([made.edition, f'data {made.fingerprint[:12]}', *on.folders])})"
    return [*lines, f"{terminal.styled(made.verdict, 'bold' if made.ok else 'stop')} {data}"]


def _expected(made: Charge, on: AsOf) -> list[str]:
    from jcodeunits.allowed import expected

    estimate = expected(made, reference=on.reference).as_dict()
    rows = [
        (row["line"], row["code"], row["units"], row["amount"] or "?", row["note"] or row["how"])
        for row in estimate["lines"]
    ]
    known = "" if estimate["complete"] else " of the lines with a figure"
    total = "no line has a figure" if estimate["total"] is None else f"total {estimate['total']}{known}"
    head = ("#", "code", "units", "dollars", "how")
    table = terminal.table(head, rows, right=("#", "units", "dollars"), headed=True)
    return [*table, *terminal.wrapped(f"{total} ({estimate['estimate']})")]
