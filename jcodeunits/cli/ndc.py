"""The verb ndc: one product, and how the claim counts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jcodeunits.errors import JcodeunitsError

from . import terminal
from .arguments import Asked, add_facts, add_json, add_on, asked, parser
from .units import counted

if TYPE_CHECKING:
    from jcodeunits.dose import Dose
    from jcodeunits.facts.product_rows import Product
    from jcodeunits.finding import Finding


def ndc(words: Sequence[str]) -> tuple[int, str]:
    """One product: its codes, what a container holds, and how the claim counts it.

    examples:
      jcodeunits ndc 0409-3795-01
      jcodeunits ndc 0409-3795-01 --dose "30 mg" --on 2026-03-02
      jcodeunits ndc "(01)00304093795011(17)271231(10)A1"
      jcodeunits ndc 65757-0300-01 --json
    """
    made = parser(
        ndc,
        "NDC [--dose DOSE] [--form FORM] [--container-amount AMOUNT] [--volume VOLUME]\n         [--on DATE] [--json]",
    )
    made.add_argument(
        "number", nargs="+", metavar="NDC", help="as on the package with its hyphens, 11 digits, or scanned"
    )
    made.add_argument("--dose", help='what was given, for the billing units and the NDC quantity ("30 mg")')
    made.add_argument("--form", help="liquid, powder, kit or cream, where nothing proves it")
    made.add_argument("--container-amount", metavar="AMOUNT", help='what one container or kit holds ("80 mg")')
    made.add_argument("--volume", help='the volume of one container of a liquid, where it is not known ("1 mL")')
    add_on(made)
    add_facts(made)
    add_json(made)
    args = made.parse_intermixed_args(words)

    on = asked(args)
    item, notes = on.reference.products.find(" ".join(args.number), on.date)
    codes = [_code(code, item, args.dose, on) for code in item.codes]
    quantity = None
    if args.dose is not None:
        from jcodeunits.quantity import ndc_quantity

        quantity = ndc_quantity(
            item,
            args.dose,
            on.date,
            args.form,
            container_amount=args.container_amount,
            container_volume=args.volume,
            reference=on.reference,
        )
        notes = (*notes, *quantity.findings)
    if args.json:
        return 0, on.document(
            product=item.as_dict(),
            codes=codes,
            quantity=quantity.as_dict() if quantity else None,
            findings=[finding.as_dict() for finding in notes],
        )
    return 0, "\n".join(_product(item, codes, quantity, on, notes))


def _code(code: str, item: Product, dose: str | None, on: Asked) -> dict[str, Any]:
    """One code of a product on the day: its name and unit, and the units of the dose; or why it has none."""
    from jcodeunits import convert

    known: dict[str, Any] = {"code": code, "drug": None, "billing_unit": None, "units": None, "refused": None}
    try:
        row = on.reference.drugs.on(code, on.date)
        known |= {"drug": row.name, "billing_unit": row.one_unit}
        if dose is not None:
            known["units"] = convert.billing_units(row, _amount(dose, item), on.date, reference=on.reference).count
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
    item: Product, codes: Iterable[dict[str, Any]], quantity: Any, on: Asked, notes: tuple[Finding, ...]
) -> list[str]:
    from jcodeunits.amount import decimal_text
    from jcodeunits.facts.product_rows import MARKS, AnotherPackage

    another = isinstance(item, AnotherPackage)
    container = ", ".join(part for part in (item.shape, item.kind, item.form) if part)
    one = f"{item.qualifier} {decimal_text(item.quantity)}" if item.quantity is not None else item.qualifier
    pairs: list[tuple[str, object]] = [
        ("NDC", f"{item.number}  {item.label}{f' ({item.maker})' if item.maker else ''}"),
        ("container", "; ".join(part for part in (item.contents, container) if part) or "not known"),
        ("package", "" if another else f"{decimal_text(item.containers)} container{'s' * (item.containers != 1)}"),
        ("NDC count", _counts(one, another)),
    ]
    for code in codes:
        said = code["refused"] or f"{code['drug']}, {code['billing_unit']}"
        pairs.append((code["code"], said if code["units"] is None else f"{counted(code['units'])} of {said}"))
    if quantity is not None:
        pairs.append(("NDC line", f"{quantity.ndc} {quantity.qualifier} {quantity.quantity:f}"))
    pairs += [("beware", MARKS[mark]) for mark in item.marks]
    pairs.append(("on", f"{on}; row in effect {item.period} [{item.citation}]"))
    return terminal.fields(pairs) + terminal.finding_lines(notes)


def _counts(one: str, another: bool) -> str:
    """What counts a product on an NDC line, in words."""
    if not one:
        return "not proved: say --form with a dose"
    return f"{one}; how much a container counts is not known" if another else f"{one} for each container"
