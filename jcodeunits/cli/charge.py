"""The verb charge: an encounter in, claim lines and findings out."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jcodeunits.errors import EncounterError
from jcodeunits.formats import NAMES

from . import terminal
from .arguments import Asked, Parser, add_facts, asked, parser

if TYPE_CHECKING:
    from jcodeunits.claim import Charge
    from jcodeunits.encounter import Encounter

_OWN = ("table", "json")

# Flags that are a key of the encounter or of its one administration, by the contract's names.
_ENCOUNTER = ("place", "payer", "claim", "supervision")
_GIVEN = (
    "drug",
    "dose",
    "route",
    "site",
    "purpose",
    "ndc",
    "containers",
    "container_amount",
    "container_volume",
    "discarded",
    "lot",
    "expires",
    "serial",
    "container",
    "form",
    "basis",
    "concentration",
    "description",
    "order",
    "time",
    "start",
    "stop",
    "performed_by",
    "performer",
    "supplied_by",
)


def charge(words: Sequence[str]) -> tuple[int, str]:
    """An encounter to claim lines, and everything that would get them denied.

    The encounter comes from a file, from standard input (-), or from flags for one administration. A message
    (FHIR MedicationAdministration, HL7 v2 RAS) cannot say place, payer or waste: flags say them beside it.

    examples:
      jcodeunits charge encounter.json
      jcodeunits charge - --format x12 < encounter.json
      jcodeunits charge --drug ketorolac --dose "30 mg" --route IM --place 11 --visit 99213 --separate
      jcodeunits charge --from fhir given.json --place 11 --ndc 0409-3795-01 --containers 1
      jcodeunits charge --schema
    """
    args = _arguments().parse_intermixed_args(words)
    if args.schema:
        from jcodeunits.encounter import Encounter

        return 0, terminal.as_json(Encounter.schema())
    on = asked(args)
    encounter, day = _read(args, _said(args), on)
    from jcodeunits.charging import charge as charged

    made = charged(encounter, reference=on.reference)
    if args.format not in _OWN:
        return _message(made, args, on)
    if args.format == "json":
        return int(not made.ok), terminal.as_json(on.named(_plain(made, args.expected, on)))
    return int(not made.ok), "\n".join(_told(made, day, args, on))


# --- arguments --------------------------------------------------------------------------------------


def _arguments() -> Parser:
    made = parser(
        charge,
        "FILE|- [--from json|fhir|hl7v2] [--format table|json|x12|...]\n"
        '       jcodeunits charge --drug DRUG --dose "30 mg" --route IM --place 11 ...\n'
        "       jcodeunits charge --schema",
    )
    made.add_argument("file", nargs="?", metavar="FILE", help="an encounter or message; - is standard input")
    made.add_argument(
        "--from", dest="source", choices=("json", "fhir", "hl7v2"), default="json", help="what the file is"
    )
    made.add_argument(
        "--format",
        choices=(*_OWN, *(name for name in NAMES if name not in _OWN)),
        default="table",
        help="what is written",
    )
    made.add_argument("--json", action="store_const", dest="format", const="json", help="the same as --format json")
    made.add_argument("--schema", action="store_true", help="print the JSON schema of an encounter")
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
    day_of.add_argument("--place", metavar="CODE", help="place of service, two digits")
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
    for name in _GIVEN:
        given.add_argument(f"--{name.replace('_', '-')}")
    given.add_argument("--modifier", action="append", metavar="EA", help="of the drug line; may be repeated")
    given.add_argument("--documented", help="what the record shows, separated by commas")
    for name in ("self-administered", "shared"):
        given.add_argument(f"--{name}", action="store_true", default=None)


def _said(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the flags say about the encounter and about the administration, by the contract's names."""
    day_of: dict[str, Any] = {name: getattr(args, name) for name in _ENCOUNTER}
    day_of |= {"on": args.on, "resident": args.resident, "services": args.service, "diagnoses": args.diagnosis}
    if args.visit is not None:
        day_of["visit"] = {"code": args.visit, "separate": args.separate}
    patient = {"weight": _measure(args.weight, "kg"), "surface": _measure(args.surface, "m2")}
    day_of["patient"] = {name: value for name, value in patient.items() if value} or None
    day_of["charge_amounts"] = _pairs(args.amount, "--amount")
    day_of["revenue_codes"] = _pairs(args.revenue, "--revenue")
    given: dict[str, Any] = {name: getattr(args, name) for name in _GIVEN}
    if given["containers"] is not None and given["containers"].isdigit():
        given["containers"] = int(given["containers"])
    given |= {"self_administered": args.self_administered, "shared": args.shared, "modifiers": args.modifier}
    given["documented"] = args.documented.replace(" ", "").split(",") if args.documented else None
    return _kept(day_of), _kept(given)


def _measure(text: str | None, unit: str) -> str | None:
    return f"{text} {unit}" if text and text.replace(".", "", 1).isdigit() else text


def _kept(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _pairs(written: list[str] | None, flag: str) -> dict[str, str] | None:
    if written is None:
        return None
    parts = [pair.partition("=") for pair in written]
    if not all(equals and value for _, equals, value in parts):
        raise EncounterError(f"{flag} is written CODE=VALUE.", path=flag, given=written, allowed=())
    return {code: value for code, _, value in parts}


# --- reading ----------------------------------------------------------------------------------------


def _read(
    args: argparse.Namespace, said: tuple[dict[str, Any], dict[str, Any]], asked_of: Asked
) -> tuple[Encounter, str]:
    """The encounter and the date of service as it is shown."""
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
        encounter = Encounter.from_dict({**day_of, "on": asked_of.date, "administrations": [given]})
        return encounter, str(asked_of)
    from jcodeunits import formats

    text = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
    module: Any = formats.module(args.source)
    content = text.decode("utf-8-sig")
    if args.source != "json":
        found = module.reading(content, reference=asked_of.reference, **day_of, **given)
        return found.encounter, str(found.encounter.on)
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise EncounterError(
            f"{flags}: write what is about the administration into the file.",
            path="administrations",
            given=sorted(given),
            allowed=(),
        )
    encounter = module.read(content, **day_of)
    return encounter, str(encounter.on)


# --- writing ----------------------------------------------------------------------------------------


def _message(made: Charge, args: argparse.Namespace, on: Asked) -> tuple[int, str]:
    """The charge as a message; its findings, and what the format cannot carry, on standard error."""
    from jcodeunits import formats

    module = formats.module(args.format)
    for line in terminal.finding_lines(made.findings, plain=True):
        sys.stderr.write(f"{line}\n")
    if not made.ok and not args.allow_stops:
        sys.stderr.write("jcodeunits charge: nothing was written: a finding stops the claim.\n")
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


def _plain(made: Charge, expected: bool, on: Asked) -> dict[str, Any]:
    plain = made.as_dict()
    if expected:
        from jcodeunits.allowed import expected as expected_of

        plain["expected"] = expected_of(made, reference=on.reference).as_dict()
    return plain


def _told(made: Charge, day: str, args: argparse.Namespace, on: Asked) -> list[str]:
    from jcodeunits.show import line_table

    encounter = made.encounter
    lines = [f"{day}, place {encounter.place}, {encounter.payer}, {encounter.claim} claim", ""]
    if made.lines:
        rows = line_table(made.lines)
        lines += [*terminal.table(rows.head, rows.rows, rows.right, headed=True), ""]
    if args.explain:
        for number, line in enumerate(made.lines, 1):
            lines += [f"line {number}: {line.code} x {line.units}", *terminal.steps(line.trace.steps), ""]
    if args.expected:
        lines += [*_expected(made, on), ""]
    lines += terminal.finding_lines(made.findings)
    stops = sum(finding.severity == "stop" for finding in made.findings)
    verdict = f"stopped by {stops} finding{'s' * (stops != 1)}" if stops else "nothing stops this claim"
    data = f"({'; '.join([made.edition, f'data {made.fingerprint[:12]}', *on.folders])})"
    return [*lines, f"{terminal.styled(verdict, 'stop' if stops else 'bold')} {data}"]


def _expected(made: Charge, on: Asked) -> list[str]:
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
