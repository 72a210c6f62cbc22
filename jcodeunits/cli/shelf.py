"""The verbs about packages: ndc, vials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jcodeunits.errors import ContainerError, JcodeunitsError

from . import terminal
from .arguments import Day, add_json, add_on, day, document, parser
from .counter import counted, split

if TYPE_CHECKING:
    from jcodeunits.claim import Line
    from jcodeunits.convert import BilledUnits
    from jcodeunits.dose import Dose
    from jcodeunits.finding import Finding
    from jcodeunits.products import Product
    from jcodeunits.vials import Fit

# --- ndc --------------------------------------------------------------------------------------------


def ndc(words: Sequence[str]) -> tuple[int, str]:
    """One product: its codes, what a container holds, and how the claim counts it.

    examples:
      jcodeunits ndc 0409-3795-01
      jcodeunits ndc 0409-3795-01 --dose "30 mg" --on 2026-03-02
      jcodeunits ndc 65757-0300-01 --json
    """
    made = parser(ndc, "NDC [--dose DOSE] [--form FORM] [--on DATE] [--json]")
    made.add_argument(
        "number", nargs="+", metavar="NDC", help="as on the package with its hyphens, or 11 digits"
    )
    made.add_argument("--dose", help='what was given, for the billing units and the NDC quantity ("30 mg")')
    made.add_argument("--form", help="liquid, powder, kit or cream, where nothing proves it")
    add_on(made)
    add_json(made)
    args = made.parse_intermixed_args(words)

    from jcodeunits import products

    on = day(args.on)
    item, notes = products.find(" ".join(args.number), on.date)
    codes = [_code(code, item, args.dose, on) for code in item.codes]
    quantity = None
    if args.dose is not None:
        from jcodeunits.quantity import ndc_quantity

        quantity = ndc_quantity(item, args.dose, on.date, args.form)
        notes = (*notes, *quantity.findings)
    if args.json:
        return 0, document(
            on, product=item.as_dict(), codes=codes, quantity=quantity.as_dict() if quantity else None,
            findings=[finding.as_dict() for finding in notes],
        )  # fmt: skip
    return 0, "\n".join(_product(item, codes, quantity, on, notes))


def _code(code: str, item: Product, dose: str | None, on: Day) -> dict[str, Any]:
    """One code of a product on the day: its name and unit, and the units of the dose; or why it has none."""
    from jcodeunits import catalog, convert

    known: dict[str, Any] = {"code": code, "drug": None, "billing_unit": None, "units": None, "refused": None}
    try:
        row = catalog.shipped().on(code, on.date)
        known |= {"drug": row.name, "billing_unit": row.one_unit}
        if dose is not None:
            known["units"] = convert.billing_units(row, _amount(dose, item), on.date).count
    except JcodeunitsError as why:
        if dose is not None and len(item.codes) == 1:
            raise
        known["refused"] = str(why)
    return known


def _amount(dose: str, item: Product) -> Dose:
    """The dose as an amount of drug; a volume by the product's own concentration, where that is proved."""
    from jcodeunits import units
    from jcodeunits.dose import Dose

    given = Dose.of(dose)
    if units.dimension(given.unit) != "volume" or "/" not in item.contents:
        return given
    return Dose.by_volume(dose, item.contents)


def _product(
    item: Product, codes: Iterable[dict[str, Any]], quantity: Any, on: Day, notes: tuple[Finding, ...]
) -> list[str]:
    from jcodeunits.amount import decimal_text
    from jcodeunits.products import MARKS

    container = ", ".join(part for part in (item.shape, item.kind, item.form) if part)
    one = f"{item.qualifier} {decimal_text(item.quantity)}" if item.quantity is not None else item.qualifier
    pairs: list[tuple[str, object]] = [
        ("NDC", f"{item.number}  {item.label}{f' ({item.maker})' if item.maker else ''}"),
        ("container", "; ".join(part for part in (item.contents, container) if part) or "not known"),
        ("package", f"{decimal_text(item.containers)} container{'s' * (item.containers != 1)}"),
        ("NDC count", f"{one} for each container" if one else "not proved: say --form with a dose"),
    ]
    for code in codes:
        said = code["refused"] or f"{code['drug']}, {code['billing_unit']}"
        pairs.append((code["code"], said if code["units"] is None else f"{counted(code['units'])} of {said}"))
    if quantity is not None:
        pairs.append(("NDC line", f"{quantity.ndc} {quantity.qualifier} {quantity.quantity:f}"))
    pairs += [("beware", MARKS[mark]) for mark in item.marks]
    pairs.append(("on", f"{on}; row in effect {item.period} [{item.citation}]"))
    return terminal.fields(pairs) + terminal.finding_lines(notes)


# --- vials ------------------------------------------------------------------------------------------


def vials(words: Sequence[str]) -> tuple[int, str]:
    """Which containers to open for a dose, what each choice leaves over, and the lines that follow.

    The lines hold where the remainder of single-dose containers is discarded and recorded. It is advice: the
    claim carries what was opened.

    examples:
      jcodeunits vials bevacizumab 305 mg
      jcodeunits vials J9035 305 mg --sizes "100 mg,400 mg"
      jcodeunits vials ceftriaxone 1.5 g --ndc 0409-7332-01 0409-7338-01
    """
    made = parser(vials, 'DRUG DOSE [--ndc NDC ...] [--sizes "100 mg,400 mg"]\n         [--on DATE] [--json]')
    made.add_argument("words", nargs="+", metavar="DRUG DOSE", help="a code, name or NDC, then the dose")
    given = made.add_mutually_exclusive_group()
    given.add_argument("--ndc", nargs="+", action="extend", help="the products on hand")
    given.add_argument("--sizes", help='the container sizes on hand, such as "100 mg,400 mg"')
    add_on(made)
    add_json(made)
    args = made.parse_intermixed_args(words)

    from jcodeunits import convert
    from jcodeunits import vials as containers
    from jcodeunits.dose import Dose

    on = day(args.on)
    drug, dose = split(args.words, Dose.of)
    billed = convert.billing_units(drug, dose, on.date)
    stock, where = _stock(args.ndc, args.sizes, billed)
    choices = [(fit, _lines(fit, billed, stock)) for fit in containers.fits(dose, list(stock))[:6]]
    if args.json:
        shown = [{**fit.as_dict(), "lines": [line.as_dict() for line in lines]} for fit, lines in choices]
        head = {
            "code": billed.code,
            "drug": billed.drug.name,
            "dose": billed.dose.as_dict(),
            "units": billed.count,
        }
        notes = [finding.as_dict() for finding in billed.findings]
        return 0, document(on, **head, sizes=where, choices=shown, findings=notes)
    return 0, "\n".join(_fits(billed, choices, where, on))


def _stock(
    numbers: list[str] | None, sizes: str | None, billed: BilledUnits
) -> tuple[dict[Dose, Product | None], str]:
    """Container sizes with the product of each where one is known, and where they come from."""
    from jcodeunits import products, units
    from jcodeunits.dose import Dose
    from jcodeunits.quantity import labelled

    if sizes is not None:
        return {
            Dose.of(size): None for size in re.split(r"(?<=[^\d\s])\s*[,;]\s*", sizes.strip())
        }, "as given"
    if numbers is not None:
        found = [products.find(number, billed.on)[0] for number in numbers]
        _belong(found, billed)
        return {labelled(item): item for item in found}, "of the products given"
    listed = products.shipped().of_code(billed.code, billed.on)
    known: dict[Dose, Product | None] = {
        item.dose: None
        for item in listed
        if item.dose is not None and units.dimension(item.dose.unit) == units.dimension(billed.dose.unit)
    }
    if not known:
        raise ContainerError(
            f"No container size of {billed.code} is known on {billed.on} in the dose's unit. "
            'Give the sizes on hand: --sizes "100 mg,400 mg".', given=billed.code,
        )  # fmt: skip
    return known, f"of the NDCs listed under {billed.code} ({len(listed)})"


def _belong(found: Iterable[Product], billed: BilledUnits) -> None:
    for item in found:
        if billed.code not in item.codes:
            raise ContainerError(
                f"NDC {item.number} ({item.label}) is {' or '.join(item.codes)}, not {billed.code}.",
                given=item.ndc,
            )


def _lines(fit: Fit, billed: BilledUnits, stock: dict[Dose, Product | None]) -> tuple[Line, ...]:
    """The drug lines of one choice, its remainder discarded and recorded from the last container."""
    from jcodeunits.claim import Encounter
    from jcodeunits.coding.drug_lines import drug_lines

    opened = [
        {
            "ndc": item.ndc if (item := stock[size]) else None,
            "containers": count,
            "amount": size,
            "discarded": f"0 {size.unit}",
        }
        for size, count in fit.containers
    ]
    opened[-1]["discarded"] = str(fit.waste) if fit.waste.amount else f"0 {fit.dose.unit}"
    given = {
        "drug": billed.code,
        "dose": billed.dose,
        "route": "IM",
        "products": opened,
        "container": "single-dose",
    }
    encounter = Encounter.from_dict({"on": billed.on, "place": "11", "administrations": [given]})
    return drug_lines(encounter)[0].lines


def _fits(billed: BilledUnits, choices: list[tuple[Fit, tuple[Line, ...]]], where: str, on: Day) -> list[str]:
    from jcodeunits.show import ndc_text

    head = ["open", "left over", "lines if recorded", "NDC"]
    rows = [
        [
            " + ".join(f"{count} x {size}" for size, count in fit.containers),
            fit.waste if fit.waste.amount else "nothing",
            ", ".join("-".join((line.code, *line.modifiers)) + f" x {line.units}" for line in lines),
            ", ".join(ndc_text(line) for line in lines if line.ndc),
        ]
        for fit, lines in choices
    ]
    if not any(row[3] for row in rows):
        head, rows = head[:3], [row[:3] for row in rows]
    top = terminal.fields(
        (
            (billed.code, f"{counted(billed.count)} of {billed.drug.label}"),
            ("dose", billed.dose),
            ("sizes", where),
            ("on", on),
        )
    )
    return [*top, "", *terminal.table(head, rows, headed=True), *terminal.finding_lines(billed.findings)]
