"""The verb vials: which containers to open, and what is left over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jcodeunits import units
from jcodeunits.amount import several
from jcodeunits.dose import Dose
from jcodeunits.errors import ContainerError
from jcodeunits.facts.product_rows import Product
from jcodeunits.finding import Findings
from jcodeunits.grouped import grouped
from jcodeunits.ndc import looks_like
from jcodeunits.vials import IN_USE, Fit, fits

from . import terminal
from .arguments import AsOf, Parser, add_answer, add_words, asked, dose_of, parser, route_of
from .units import split

if TYPE_CHECKING:
    from jcodeunits.claim import Line
    from jcodeunits.convert import BilledUnits


def vials(words: Sequence[str]) -> tuple[int, str]:
    """Which containers to open for a dose, what each choice leaves over, and the lines that follow.

    JW and JZ stand only where every container is single-dose; the lines hold where its remainder is discarded
    and recorded. It is advice: the claim carries what was opened.

    examples:
      jcodeunits vials bevacizumab 305 mg
      jcodeunits vials J9035 305 mg --sizes "100 mg,400 mg"
      jcodeunits vials ceftriaxone 1.5 g --ndc 0409-7332-01 0409-7338-01
      jcodeunits vials 0003-0293-28 40 mg
    """
    args = arguments().read(words)

    from jcodeunits import convert

    on = asked(args)
    drug, dose = split(args.words, lambda text: dose_of(text, args), on.reference, on.date)
    billed = convert.billing_units(drug, dose, on.date, route_of(args.route), args.basis, on.reference)
    numbers = [drug] if args.ndc is None and args.sizes is None and looks_like(drug) else args.ndc
    stock, where, said = _stock(numbers, args.sizes, billed)
    stock = [each._replace(form=args.form, volume=args.volume) for each in stock]
    notes = dict.fromkeys((*billed.findings, *said))
    choices = [choice for pool in _pools(stock) for choice in _choices(pool, billed)]
    if args.json:
        shown = [choice.as_dict() for choice in choices]
        head = {"code": billed.code, "drug": billed.drug.name, "dose": billed.dose.as_dict(), "units": billed.count}
        said_so = [finding.as_dict() for finding in notes]
        return 0, on.document(**head, sizes=where, choices=shown, findings=said_so)
    return 0, on.text([*_fits(billed, choices, where, on), *terminal.finding_lines(notes)])


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(vials)
    add_words(made)
    given = made.add_mutually_exclusive_group()
    given.add_argument("--ndc", nargs="+", action="extend", help="the products on hand")
    given.add_argument("--sizes", help='the container sizes on hand, such as "100 mg,400 mg"')
    made.add_argument("--form", help="liquid, powder, kit or cream, where nothing proves it")
    made.add_argument("--volume", help='the volume of one container of a liquid, where it is not known ("1 mL")')
    add_answer(made, dose=True)
    return made


# What the kinds of the containers mean for what is left over.
_KINDS = {
    "multi-dose": "multi-dose: what is left stays in use; neither JW nor JZ.",
    "bulk": "bulk: what is left of a pharmacy bulk package stays in use; neither JW nor JZ.",
    "mixed": "mixed: {which}. The kind decides about JW and JZ: look at the label.",
    "not known": "not known: nothing says whether the container is single-dose. The kind decides about JW and "
    "JZ: look at the label.",
}


class _Size(NamedTuple):
    """One container size on hand, who said its kind, one product, and the form and volume that the caller says."""

    size: Dose
    kind: str
    kinds: str = ""
    item: Product | None = None
    form: str | None = None
    volume: str | None = None


class _Choice(NamedTuple):
    """One way to open containers of one kind, and the lines that follow."""

    fit: Fit
    kind: str
    kinds: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def left(self) -> str:
        """What is left over and discarded; of a container that stays in use, nothing."""
        if self.kind in IN_USE:
            return "stays in use"
        return str(self.fit.waste) if self.fit.waste.amount else "nothing"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; `waste` is None where what is left stays in use."""
        fit = self.fit.as_dict()
        if self.left == "stays in use":
            fit["waste"] = None
        lines = [line.as_dict() for line in self.lines]
        return {**fit, "kind": self.kind, "says": _meaning(self.kind, self.kinds), "lines": lines}


def _meaning(kind: str, which: Iterable[str]) -> str:
    """What a kind of container means for what is left over; nothing for single-dose."""
    return _KINDS.get(kind, "").format(which="; ".join(which))


def _stock(numbers: list[str] | None, sizes: str | None, billed: BilledUnits) -> tuple[list[_Size], str, Findings]:
    """The container sizes with kind and product, where they come from, and notes on the products."""
    if sizes is not None:
        each = [Dose.of(size) for size in re.split(r"(?<=[^\d\s])\s*[,;]\s*", sizes.strip())]
        said = "as given; JW and JZ hold only if the containers are single-dose"
        return [_Size(size, "single-dose") for size in each], said, ()
    if numbers is not None:
        asked_for = [billed.reference.products.find(number, billed.on) for number in numbers]
        found = [item for item, _ in asked_for]
        for item in found:
            if item.codes and billed.code not in item.codes:
                says = f"NDC {item.number} ({item.label}) is {' or '.join(item.codes)}, not {billed.code}."
                raise ContainerError(says, given=item.ndc)
        known = [_Size(_held(item, billed), _kind(item, billed), "", item) for item in found]
        return known, "of the products given", tuple(note for _, notes in asked_for for note in notes)
    listed = billed.reference.products.of_code(billed.code, billed.on)
    unit = billed.dose.unit
    amounts = [(_held(each, billed), each) for each in listed if each.dose]
    alike = [(held, each) for held, each in amounts if units.dimension(held.unit) == units.dimension(unit)]
    if not alike:
        raise ContainerError(
            f"No container size of {billed.code} is known on {billed.on} in the dose's unit. "
            f'Give the sizes on hand, such as --sizes "{billed.dose}".',
            given=billed.code,
        )
    known = [
        _of_products(found[0][0], [_kind(item, billed) for _, item in found])
        for found in grouped(alike, lambda pair: pair[0].to(unit).amount).values()
    ]
    return known, f"of the NDCs listed under {billed.code} ({len(listed)})", ()


def _held(item: Product, billed: BilledUnits) -> Dose:
    """What one container holds, as the dose is counted where it is a part's or the list counts billing units."""
    from jcodeunits.convert import listed_units
    from jcodeunits.quantity import labelled

    held = labelled(item, billed.reference)
    if held.unit != "billing unit" and billed.basis in (None, "total"):
        return held
    per = billed.measure.ratio
    return Dose(listed_units(billed.drug, held, billed.basis) / per, billed.dose.unit) if per else held


def _kind(item: Product, billed: BilledUnits) -> str:
    """The kind of a product's container, as a review or its shape says."""
    from jcodeunits.coding.opened import listed_kind

    return listed_kind(item, billed.on, billed.reference)[0] or "not known"


def _of_products(size: Dose, kinds: Sequence[str]) -> _Size:
    """A size with the kind of its products; mixed where they differ."""
    counts = [(kind, kinds.count(kind)) for kind in ("single-dose", *_KINDS) if kind in kinds]
    if len(counts) == 1:
        return _Size(size, kinds[0])
    return _Size(size, "mixed", f"{size} is {', '.join(f'{kind} in {n}' for kind, n in counts)} NDCs")


def _pools(stock: Iterable[_Size]) -> list[list[_Size]]:
    """What may be opened together, the single-dose first; what stays in use or is a second product, each alone."""
    together: dict[bool, list[_Size]] = {True: [], False: []}
    alone = []
    for each in stock:
        pool = together[each.kind == "single-dose"]
        if each.kind in IN_USE or any(other.size == each.size for other in pool):
            alone.append([each])
        else:
            pool.append(each)
    return [pool for pool in (*together.values(), *alone) if pool]


def _choices(pool: Sequence[_Size], billed: BilledUnits) -> list[_Choice]:
    """The ways to open one pool, least left over first, at most six."""
    made = []
    of_size = {each.size: each for each in pool}
    for fit in fits(billed.dose, list(of_size))[:6]:
        opened = [of_size[size] for size, _ in fit.containers]
        kinds = {each.kind for each in opened}
        kind = kinds.pop() if len(kinds) == 1 else "not known" if "not known" in kinds else "mixed"
        said = tuple(each.kinds for each in opened if each.kinds)
        made.append(_Choice(fit, kind, said, _lines(fit, billed, of_size, kind)))
    return made


def _lines(fit: Fit, billed: BilledUnits, stock: dict[Dose, _Size], kind: str) -> tuple[Line, ...]:
    """The drug lines of one choice; of single-dose containers with the remainder discarded and recorded."""
    from jcodeunits.coding.drug_lines import drug_lines
    from jcodeunits.encounter import Encounter
    from jcodeunits.facts.by_route import a_route

    opened: list[dict[str, Any]] = [
        {
            "ndc": item.ndc if (item := stock[size].item) else None,
            "containers": count,
            "amount": size,
            "volume": stock[size].volume,
        }
        for size, count in fit.containers
    ]
    form, route = next(iter(stock.values())).form, a_route(billed.drug)
    given: dict[str, Any] = {"drug": billed.code, "dose": billed.dose, "route": route, "products": opened, "form": form}
    given["basis"] = billed.basis
    if kind == "single-dose":
        for each in opened:
            each["discarded"] = f"0 {each['amount'].unit}"
        opened[-1]["discarded"] = str(fit.waste) if fit.waste.amount else f"0 {fit.dose.unit}"
    if kind == "single-dose" or kind in IN_USE:
        given["container"] = kind
    encounter = Encounter.from_dict({"on": billed.on, "place": "11", "administrations": [given]})
    return drug_lines(encounter, billed.reference)[0].lines


def _fits(billed: BilledUnits, choices: list[_Choice], where: str, on: AsOf) -> list[str]:
    from jcodeunits.show import ndc_text

    head = ["open", "left over", "lines if recorded", "container", "NDC"]
    rows = [
        [
            " + ".join(f"{count} x {size}" for size, count in choice.fit.containers),
            choice.left,
            ", ".join("-".join((line.code, *line.modifiers)) + f" x {line.units}" for line in choice.lines),
            choice.kind,
            ", ".join(ndc_text(line) for line in choice.lines if line.ndc),
        ]
        for choice in choices
    ]
    kept = [n for n in range(len(head)) if n < 3 or any(row[n] not in ("", "single-dose") for row in rows)]
    top = terminal.fields(
        (
            (billed.code, f"{several(billed.count, 'billing unit')} of {billed.drug.label}"),
            ("dose", billed.dose),
            ("sizes", where),
            ("on", on),
        )
    )
    shown = terminal.table([head[n] for n in kept], [[row[n] for n in kept] for row in rows], headed=True)
    return [*top, "", *shown, *_said(choices)]


def _said(choices: Sequence[_Choice]) -> list[str]:
    """What each kind among the choices means, once."""
    lines: list[str] = []
    for kind in dict.fromkeys(choice.kind for choice in choices if choice.kind in _KINDS):
        which = dict.fromkeys(each for choice in choices if choice.kind == kind for each in choice.kinds)
        lines += terminal.wrapped(_meaning(kind, which), "", "  ")
    return lines
