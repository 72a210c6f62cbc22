"""The verb charge: an encounter in, claim lines and findings out."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jcodeunits.errors import EncounterError, quoted
from jcodeunits.formats import NAMES

from . import terminal
from .arguments import AsOf, Parser, add_facts, asked, measure, parser

if TYPE_CHECKING:
    from jcodeunits.claim import Charge
    from jcodeunits.encounter import Encounter

_OWN = ("table", "json")

# Flags that are a key of the encounter or of its one administration, by the contract's names.
_ENCOUNTER = ("place", "payer", "claim", "supervision")
_GIVEN = {
    "drug": "a HCPCS code, a name or an NDC",
    "dose": 'what was given, such as "30 mg"',
    "route": "IM, SC, IV push, IV infusion, intravitreal ...",
    "site": "where on the body, such as left deltoid",
    "purpose": "therapeutic if left out; vaccine, antineoplastic, diluent ...",
    "ndc": "the package that was opened, as printed or scanned",
    "containers": "how many were opened",
    "container_amount": 'the labelled amount of one container, such as "30 mg"',
    "container_volume": 'what one container holds, such as "1 mL"',
    "discarded": 'what the record shows as discarded; "0 mg" if nothing was',
    "lot": "the lot number on the package",
    "expires": "the expiry on the package: 2027-12-31",
    "serial": "the serial number on the package",
    "container": "single-dose, multi-dose or bulk",
    "form": "liquid, powder, kit or cream, where nothing proves it",
    "basis": "the part of a combination that the dose counts, or total",
    "concentration": "for a dose by volume: 40 mg/mL, 1%%, 1:1000",
    "description": "of an unclassified code: name, dose and what the payer wants",
    "order": "a name; administrations of one order are one dose",
    "time": "when it was given: 09:30",
    "start": "when an infusion began: 09:30",
    "stop": "when it ended: 10:30",
    "performed_by": "staff if left out, or practitioner",
    "performer": "who gave it: a name or number of yours",
    "supplied_by": "practice if left out, or patient, 340b",
}


def charge(words: Sequence[str]) -> tuple[int, str]:
    """An encounter to claim lines, and everything that would get them denied.

    The encounter comes from a file, from standard input (-), or from flags for one administration. A message
    (FHIR MedicationAdministration, HL7 v2 RAS) cannot say place, payer or waste: flags say them beside it.

    examples:
      jcodeunits charge encounter.json
      jcodeunits charge - --format x12 < encounter.json
      jcodeunits charge --drug ketorolac --dose "30 mg" --route IM --place office
      jcodeunits charge --from fhir given.json --place 11 --ndc 0409-3795-01
      jcodeunits charge --schema
    """
    args = arguments().read(words)
    if args.schema:
        from jcodeunits.claim import Charge
        from jcodeunits.encounter import Encounter

        return 0, terminal.as_json({**Encounter.schema(), "$defs": {"answer": Charge.schema()}})
    on = asked(args)
    from jcodeunits.charging import charge as charged

    read = _read(args, _said(args, on), on)
    made = [charged(encounter, reference=on.reference) for encounter in read]
    status = int(not all(one.ok for one in made))
    if args.format not in _OWN:
        told = [_message(one, args, on) for one in made]
        return max(said for said, _ in told), "\n".join(text for _, text in told if text)
    if args.format == "json":
        plain = [on.named(_plain(one, args.expected, on)) for one in made]
        return status, terminal.as_json(plain[0] if len(plain) == 1 else plain)
    return status, on.text("\n\n".join("\n".join(_told(one, args, on)) for one in made).splitlines())


# --- arguments --------------------------------------------------------------------------------------


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(charge)
    made.add_argument("file", nargs="?", metavar="FILE", help="an encounter or message; - is standard input")
    made.add_argument(
        "--from", dest="source", choices=("json", "fhir", "hl7v2"), default="json", help="what the file is"
    )
    made.add_argument(
        "--format",
        choices=(*_OWN, *(name for name in NAMES if name not in _OWN)),
        default="table",
        metavar="FORMAT",
        help=f"what is written: {', '.join((*_OWN, *(name for name in NAMES if name not in _OWN)))}",
    )
    made.add_argument("--json", action="store_const", dest="format", const="json", help="the same as --format json")
    made.add_argument(
        "--schema", action="store_true", help="print the JSON schemas of an encounter and ($defs) the answer"
    )
    made.add_argument("--explain", action="store_true", help="show the steps behind every line")
    made.add_argument("--expected", action="store_true", help="add what Medicare allows nationally (an estimate)")
    made.add_argument("--allow-stops", action="store_true", help="write a message in spite of a stop")
    add_facts(made)
    made.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the format")
    _encounter_arguments(made)
    _administration_arguments(made)
    return made


def _encounter_arguments(made: Parser) -> None:
    day_of = made.add_argument_group("what else happened that day")
    day_of.add_argument("--on", metavar="DATE", help="date of service; today if there is no file")
    day_of.add_argument("--place", metavar="PLACE", help="place of service: 11, office, urgent care ...")
    day_of.add_argument("--payer", help="medicare if left out")
    day_of.add_argument("--claim", help="professional or outpatient")
    day_of.add_argument("--visit", metavar="CODE", help="the visit's code")
    day_of.add_argument(
        "--separate",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the visit was significant and separately identifiable",
    )
    day_of.add_argument("--service", action="append", metavar="CODE", help="another code of the day; may be repeated")
    day_of.add_argument("--diagnosis", action="append", metavar="ICD10", help="may be repeated")
    day_of.add_argument("--supervision", help="direct, virtual, general or none")
    day_of.add_argument("--resident", action="store_true", default=None, help="a teaching setting")
    day_of.add_argument("--weight", metavar="KG", help="body weight, for a dose such as 1.5 mg/kg")
    day_of.add_argument("--surface", metavar="M2", help="body surface, for a dose such as 75 mg/m2")
    day_of.add_argument("--amount", action="append", metavar="CODE=DOLLARS", help="the charge for one unit of a code")
    day_of.add_argument("--revenue", action="append", metavar="CODE=0636", help="the revenue code of a code's lines")


def _administration_arguments(made: Parser) -> None:
    given = made.add_argument_group("the one administration, or what a message cannot say about it")
    for name, says in _GIVEN.items():
        given.add_argument(f"--{name.replace('_', '-')}", metavar=name.rpartition("_")[2].upper(), help=says)
    given.add_argument("--modifier", action="append", metavar="EA", help="of the drug line; may be repeated")
    given.add_argument("--documented", help="what the record shows, separated by commas")
    for name, says in (("self-administered", "the patient gave it"), ("shared", "the vial served several patients")):
        given.add_argument(f"--{name}", action="store_true", default=None, help=says)


def _said(args: argparse.Namespace, on: AsOf) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the flags say about the encounter and about the administration, by the contract's names."""
    day_of: dict[str, Any] = {name: getattr(args, name) for name in _ENCOUNTER}
    day_of["place"] = _place(args.place, on)
    day_of |= {
        "on": None if on.is_today else str(on.date),
        "resident": args.resident,
        "services": args.service,
        "diagnoses": args.diagnosis,
    }
    if args.visit is not None:
        day_of["visit"] = {"code": args.visit, "separate": args.separate}
    patient = {"weight": (args.weight, "kg"), "surface": (args.surface, "m2")}
    day_of["patient"] = {name: measure(*said) for name, said in patient.items() if said[0]} or None
    day_of["charge_amounts"] = _pairs(args.amount, "--amount")
    day_of["revenue_codes"] = _pairs(args.revenue, "--revenue")
    given: dict[str, Any] = {name: getattr(args, name) for name in _GIVEN}
    if given["containers"] is not None and given["containers"].isdigit():
        given["containers"] = int(given["containers"])
    given |= {"self_administered": args.self_administered, "shared": args.shared, "modifiers": args.modifier}
    given["documented"] = args.documented.replace(" ", "").split(",") if args.documented else None
    return _kept(day_of), _kept(given)


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


def _kept(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _pairs(written: list[str] | None, flag: str) -> dict[str, str] | None:
    if written is None:
        return None
    parts = [pair.partition("=") for pair in written]
    if not all(equals and value for _, equals, value in parts):
        says = f"{quoted(' '.join(written))} is not written as a code, an equals sign and a value."
        raise EncounterError(f"{flag}: {says}", path=flag, given=written, allowed=())
    return {code: value for code, _, value in parts}


# --- reading ----------------------------------------------------------------------------------------


def _read(args: argparse.Namespace, said: tuple[dict[str, Any], dict[str, Any]], asked_of: AsOf) -> list[Encounter]:
    """The encounter of the flags or a message; of JSON one, an array of them, or one a line."""
    from jcodeunits.encounter import Encounter

    day_of, given = said
    if args.file is None:
        if "drug" not in given:
            raise EncounterError(
                "Give a file, - for standard input, or one administration: --drug, --dose, --route, --place.",
                path="file",
                given=None,
                allowed=("FILE", "-", "--drug"),
            )
        return [Encounter.from_dict({**day_of, "on": asked_of.date, "administrations": [given]})]
    from jcodeunits import formats

    text = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
    module: Any = formats.module(args.source)
    content = text.decode("utf-8-sig")
    if args.source != "json":
        found = module.reading(content, reference=asked_of.reference, **day_of, **given)
        return [found.encounter]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise EncounterError(
            f"{flags}: write what is about the administration into the file.",
            path="administrations",
            given=sorted(given),
            allowed=(),
        )
    return [module.read(one, **day_of) for one in _several(content)]


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


# --- writing ----------------------------------------------------------------------------------------


def _message(made: Charge, args: argparse.Namespace, on: AsOf) -> tuple[int, str]:
    """The charge as a message; its findings, and what the format cannot carry, on standard error."""
    from jcodeunits import formats

    module = formats.module(args.format)
    for line in (*terminal.finding_lines(made.findings, plain=True, flag=_flag(args)), *_notes(on)):
        sys.stderr.write(f"{line}\n")
    if not made.ok and not args.allow_stops:
        sys.stderr.write(f"jcodeunits: nothing was written: {made.verdict}.\n")
        return 1, ""
    options = _options(module, args.option)
    text = module.write(made, allow_stops=args.allow_stops, reference=on.reference, **options)
    if terminal.is_terminal():
        text = text.replace("\r", "\n")  # a person reads it: segments that end in CR would overwrite each other
    asked = inspect.signature(module.losses).parameters
    for folder in on.folders:
        sys.stderr.write(f"facts: {folder}\n")
    for loss in module.losses(made, **{name: options[name] for name in options if name in asked}):
        sys.stderr.write(f"{loss}\n")
    return int(not made.ok), str(text)


def _options(module: Any, written: Iterable[str]) -> dict[str, Any]:
    """NAME=VALUE for the writer, by its own parameters."""
    parameters = inspect.signature(module.write).parameters
    known = [
        name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY and isinstance(one.default, str | bool)
    ]
    options: dict[str, Any] = {}
    for pair in written:
        name, _, value = pair.partition("=")
        if name not in known:
            raise EncounterError(
                f"--option {name}: the format has {', '.join(known) or 'no options'}.",
                path=name,
                given=value,
                allowed=known,
            )
        options[name] = value == "yes" if isinstance(parameters[name].default, bool) else value
    return options


def _plain(made: Charge, expected: bool, on: AsOf) -> dict[str, Any]:
    plain = made.as_dict()
    if expected:
        from jcodeunits.allowed import expected as expected_of

        plain["expected"] = expected_of(made, reference=on.reference).as_dict()
    return plain


def _notes(on: AsOf) -> list[str]:
    return [f"note: {note}" for note in on.notes]


def _flag(args: argparse.Namespace) -> Callable[[str | None], str]:
    """How a finding names what it asks for: by the flag, where flags made the encounter."""
    if args.file is not None:
        return lambda _: ""
    from .refusals import flags_of, say

    flags = flags_of(arguments())
    return lambda argument: say(argument, flags, "")


def _told(made: Charge, args: argparse.Namespace, on: AsOf) -> list[str]:
    from jcodeunits.show import line_table

    encounter = made.encounter
    day = str(on) if args.file is None else str(encounter.on)
    lines = [f"{day}, place {encounter.place}, {encounter.payer}, {encounter.claim} claim", ""]
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
