"""The verb ndc: one product, and how the claim counts it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jcodeunits.errors import JcodeunitsError

from . import terminal
from .arguments import AsOf, Parser, add_answer, asked, dose_of, parser, route_of

if TYPE_CHECKING:
    from jcodeunits.dose import Dose
    from jcodeunits.facts.product_rows import Product
    from jcodeunits.finding import Findings
    from jcodeunits.quantity import NdcQuantity


def ndc(words: Sequence[str]) -> tuple[int, str]:
    """One product: its codes, what a container holds, and how the claim counts it.

    examples:
      jcodeunits ndc 0409-3795-01
      jcodeunits ndc 0409-3795-01 --dose "30 mg" --on 2026-03-02
      jcodeunits ndc "(01)00304093795011(17)271231(10)A1"
      jcodeunits ndc 65757-0300-01 --json
    """
    args = arguments().read(words)

    from jcodeunits.finding import with_own_rows

    on = asked(args)
    item, notes = on.reference.products.find(" ".join(args.number), on.date)
    dose = None if args.dose is None else dose_of(args.dose, args)
    codes = [_code(code, item, dose, args, on) for code in item.codes]
    quantity = None
    if dose is not None:
        quantity = _quantity(item, dose, args, on)
        notes = with_own_rows(dict.fromkeys((*notes, *dose.notes, *quantity.findings)))
    if args.json:
        return 0, on.document(
            product=item.as_dict(),
            codes=codes,
            quantity=quantity.as_dict() if quantity else None,
            findings=[finding.as_dict() for finding in notes],
        )
    return 0, on.text(_product(item, codes, quantity, on, notes))


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(ndc)
    made.add_argument(
        "number", nargs="+", metavar="NDC", help="as on the package with its hyphens, 11 digits, or scanned"
    )
    made.add_argument("--dose", help='what was given, for the billing units and the NDC quantity ("30 mg")')
    made.add_argument("--form", help="liquid, powder, kit or cream, where nothing proves it")
    made.add_argument("--container-amount", metavar="AMOUNT", help='what one container or kit holds ("80 mg")')
    made.add_argument("--volume", help='the volume of one container of a liquid, where it is not known ("1 mL")')
    made.add_argument("--payer", help="whose NDC units and decimals count; medicare if left out")
    add_answer(made, dose=True)
    return made


def _code(code: str, item: Product, dose: Dose | None, args: argparse.Namespace, on: AsOf) -> dict[str, Any]:
    """One code of a product on the day: its name and unit, and the units of the dose; or why it has none."""
    from jcodeunits import convert
    from jcodeunits.facts.combined import settled

    known: dict[str, Any] = {"code": code, "drug": None, "billing_unit": None, "units": None, "refused": None}
    try:
        row = on.reference.drugs.on(code, on.date)
        known |= {"drug": row.name, "billing_unit": row.one_unit}
        if dose is not None:
            item.agrees(dose)
            amount = item.drawn(item.held(dose))
            amount, basis = settled(on.reference.drugs, row, amount, on.date, args.basis, (item,))
            asked_for = (row, amount, on.date, route_of(args.route), basis, on.reference)
            known["units"] = convert.billing_units(*asked_for).count
    except JcodeunitsError as why:
        if dose is not None and len(item.codes) == 1:
            raise
        known["refused"] = str(why)
    return known


def _of_container(item: Product, held: Dose, dose: Dose, basis: str, on: AsOf) -> Dose:
    """A dose that counts one part of a combination, as the amount of all that a container is listed with."""
    from jcodeunits.convert import listed_units, measured
    from jcodeunits.dose import Dose

    row = on.reference.drugs.on(item.codes[0], on.date)
    dose = item.drawn(item.held(dose))
    part = dose.amount * measured(row, dose.unit, basis).ratio / listed_units(row, held, basis)
    return Dose(held.amount * part, held.unit, dose.written)


def _quantity(item: Product, dose: Dose, args: argparse.Namespace, on: AsOf) -> NdcQuantity:
    """The NDC line's count, as the payer takes it."""
    from jcodeunits.quantity import NdcWanted, ndc_quantity

    if args.basis and item.dose is not None and len(item.codes) == 1:
        dose = _of_container(item, item.dose, dose, args.basis, on)
    more: dict[str, Any] = {"container_amount": args.container_amount, "container_volume": args.volume}
    if args.payer is not None:
        wanted = NdcWanted.of(on.reference.policy, args.payer.casefold(), on.date)
        more |= {"allowed": wanted.allowed, "made_up": wanted.made_up, "decimals": wanted.decimals}
    return ndc_quantity(item, dose, on.date, args.form, reference=on.reference, **more)


def _product(item: Product, codes: Iterable[dict[str, Any]], quantity: Any, on: AsOf, notes: Findings) -> list[str]:
    from jcodeunits.amount import decimal_text, several
    from jcodeunits.facts.product_rows import MARKS, AnotherPackage

    another = isinstance(item, AnotherPackage)
    container = ", ".join(part for part in (item.shape, item.kind, item.form) if part)
    one = f"{item.qualifier} {decimal_text(item.quantity)}" if item.quantity is not None else item.qualifier
    pairs: list[tuple[str, object]] = [
        ("NDC", f"{item.number}  {item.label}{f' ({item.maker})' if item.maker else ''}"),
        ("container", "; ".join(part for part in (item.contents, container) if part) or "not known"),
        ("package", "" if another else several(item.containers, "container")),
        ("NDC count", _counts(one, another)),
    ]
    for code in codes:
        said = code["refused"] or f"{code['drug']}, {code['billing_unit']}"
        pairs.append(
            (code["code"], said if code["units"] is None else f"{several(code['units'], 'billing unit')} of {said}")
        )
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
