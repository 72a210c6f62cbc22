"""What every writer shares: what may leave, how long it may be, and what a format leaves behind.

A claim line that leaves is checked here, whatever the format: whole units above zero, at most four
modifiers, an NDC of eleven digits with its quantity and only on a drug line, never a line of a charge that
stops. Everything that is wrong is said at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypedDict, Unpack

import attrs

from jcodeunits.amount import money, told
from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.errors import FormatError
from jcodeunits.facts.reference import Reference
from jcodeunits.hcpcs import CODE, MODIFIER, is_level_two
from jcodeunits.quantity import QUALIFIERS as NDC_UNITS

MODIFIERS_MOST = 4  # SV101-3 to -6; CMS-1500 24D and UB-04 FL44 print four
POINTERS_MOST = 4  # SV107-1 to -4; CMS-1500 24E
DIAGNOSES_MOST = 12  # 837P HI and CMS-1500 item 21
SPLITS_MOST = 50  # lines of an 837P claim (LX)
MILLIGRAMS = "ME"  # in the X12 list, and no payer's NDC unit: only on request
UNITS = tuple(NDC_UNITS)
QUALIFIERS = tuple(unit for unit in UNITS if unit != MILLIGRAMS)
UNIT = "|".join(UNITS)  # as a part of a pattern

CURRENCY = "USD"  # of every amount of a claim
ELEVEN = re.compile(r"\d{11}", re.ASCII)  # digits of an NDC
_REVENUE = re.compile(r"\d{4}", re.ASCII)
_DRUG_KINDS = ("drug", "waste")


@attrs.frozen
class Loss:
    """A fact of the charge that a format has no place for: 1-based `line`, `field`, `value`, `reason`.

    >>> print(Loss(2, "modifiers", "JZ", "ChargeItem has no modifier element"))
    line 2: modifiers 'JZ' is not carried: ChargeItem has no modifier element
    """

    line: int | None
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        at = f"line {self.line}: " if self.line else ""
        return f"{at}{self.field} {self.value!r} is not carried: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return told(self, "line", "field", "value", "reason")


@attrs.frozen
class Rules:
    """What one format asks of a line.

    `units_digits`: digits of the field that holds the units, more become more lines (None: no end).
    `needs`: of `charge_amount`, `revenue_code`, `diagnoses`, `ndc_quantity` and, for unclassified codes,
    `description`; `fields` names them there.
    `quantity`: digits before and after the point of the NDC quantity; `quantity_most`: its characters in
    all, the point too. `amount_digits`: digits before the point of a charge.
    `lines_most`: lines that one claim holds.
    """

    format: str
    title: str
    units_digits: int | None = None
    needs: tuple[str, ...] = ()
    fields: Mapping[str, str] = attrs.field(factory=dict)
    quantity: tuple[int, int] | None = None
    quantity_most: int | None = None
    amount_digits: int | None = None
    lines_most: int | None = None
    pointers: bool = False

    @classmethod
    def of_837(cls, professional: bool, **more: Any) -> Rules:
        """What the 837 asks, in X12 or in the JSON that becomes it."""
        needs = ("charge_amount", "ndc_quantity", "description", "diagnoses" if professional else "revenue_code")
        # SV104 and SV205 hold eight digits before the point, by the note of the implementation guides. CTP04 is
        # element 380, type R, at most 15 digits; three decimals are what payers keep.
        return cls(needs=needs, units_digits=8, quantity=(8, 7), **more)


def number(value: Decimal | int) -> str:
    """The exact decimal text of an amount: no exponent, no trailing zeros, no naked point.

    >>> number(Decimal("1.50")), number(Decimal("2.00")), number(Decimal(".5")), number(Decimal("1E+3"))
    ('1.5', '2', '0.5', '1000')
    """
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(total: Decimal, parts: list[int], places: int) -> list[Decimal]:
    """`total` over parts in proportion, each rounded half up to `places` decimals; they add up exactly.

    >>> share(Decimal("1.00"), [999, 501], 2)
    [Decimal('0.67'), Decimal('0.33')]
    """
    whole, scale = sum(parts), 10**places
    shares: list[Decimal] = []
    done, given = 0, Decimal(0)
    for part in parts[:-1]:
        done += part
        exact = Fraction(total) * done / whole * scale
        reached = Decimal(int(exact + Fraction(1, 2))).scaleb(-places)
        shares.append(reached - given)
        given = reached
    return [*shares, total - given]


def split(line: Line, digits: int | None) -> tuple[Line, ...]:
    """The line, or as many as its units need in a field of so many digits.

    Code, modifiers (JW and JZ too) and diagnoses stand on each; charge and NDC quantities are shared in
    proportion and add up to those of the line. Each but the last is full, unless that leaves the last
    without NDC quantity: then they are even.

    >>> [part.units for part in split(Line("J0585", units=1500), 3)]
    [999, 501]
    """
    if digits is None or line.units < 10**digits:
        return (line,)
    count = -(-line.units // (10**digits - 1))
    if count > SPLITS_MOST:
        raise FormatError(
            f"{line.code}: {line.units} units need {count} lines of {digits} digits, and a claim holds "
            f"{SPLITS_MOST}. Divide the units over several claims.",
            place="units",
        )
    full = _divided(line, [10**digits - 1] * (count - 1) + [line.units - (10**digits - 1) * (count - 1)])
    if all(_is_whole(part) for part in full):
        return full
    # A last line of few units would round its share of the quantity to 0: even lines do not.
    return _divided(line, [(line.units + n) // count for n in range(count - 1, -1, -1)])


def _divided(line: Line, parts: list[int]) -> tuple[Line, ...]:
    nothing: list[Decimal | None] = [None] * len(parts)
    amounts = nothing if line.charge_amount is None else [*share(line.charge_amount, parts, 2)]
    quantities = _quantities(line.ndc_quantity, parts)
    extras = [_quantities(extra.quantity, parts) for extra in line.extra_ndcs]
    return tuple(
        attrs.evolve(
            line,
            units=units,
            charge_amount=amounts[n],
            ndc_quantity=quantities[n],
            extra_ndcs=tuple(
                attrs.evolve(one, quantity=each[n]) for one, each in zip(line.extra_ndcs, extras, strict=True)
            ),
        )
        for n, units in enumerate(parts)
    )


def _quantities(total: Decimal | None, parts: list[int]) -> list[Decimal | None]:
    if total is None:
        return [None] * len(parts)
    return [*share(total, parts, max(3, -int(total.as_tuple().exponent)))]


def _is_whole(line: Line) -> bool:
    """Whether no NDC quantity of the line is zero."""
    return all(one.quantity is None or one.quantity > 0 for one in line.ndcs)


def side(charge: Charge) -> str:
    """Whether the claim is a practitioner's or a hospital's, in the words of X12."""
    return "institutional" if charge.encounter.claim == "outpatient" else "professional"


def diagnoses(charge: Charge) -> tuple[str, ...]:
    """The claim's diagnoses in order, which pointers count in: the encounter's, then those that only a line names."""
    named = (code for line in charge.lines for code in line.diagnoses)
    return tuple(dict.fromkeys((*charge.encounter.diagnoses, *named)))


def pointers(line: Line, listed: tuple[str, ...]) -> list[int]:
    """At most four positions of the line's diagnoses in the claim's list."""
    return [listed.index(code) + 1 for code in line.diagnoses][:POINTERS_MOST]


class Leaving(TypedDict, total=False):
    """What every writer takes besides its own options.

    `allow_stops` writes in spite of a stop. `amounts`: price of one unit by code, where the charge has none;
    `revenue_codes` by code, or by the kind of line (`drug`, `administration`, `visit`, `service`); `descriptions`:
    the words for an unclassified code. `allow_me` lets the NDC unit ME pass. `reference`: the one that made the charge.
    """

    allow_stops: bool
    amounts: Mapping[str, object] | None
    revenue_codes: Mapping[str, str] | None
    descriptions: Mapping[str, str] | None
    allow_me: bool
    reference: Reference | None


def prepare(charge: Charge, rules: Rules, **how: Unpack[Leaving]) -> tuple[Line, ...]:
    """The lines that may leave in a format, each with its amount, as many as the fields need.

    Raises `FormatError` that lists everything in the way: findings of severity stop (unless
    `allow_stops`), malformed fields, and what the format requires and nobody gave.
    """
    if strange := how.keys() - Leaving.__annotations__.keys():
        raise TypeError(
            f"{min(strange)!r} is no option of {rules.title}. Allowed: {', '.join(Leaving.__annotations__)}."
        )
    if not isinstance(charge, Charge):
        raise FormatError(
            f"A {type(charge).__name__} is no charge. Make one with jcodeunits.charge(encounter).", format=rules.format
        )
    book = in_use(charge, how.get("reference"), rules.format)
    problems = [] if how.get("allow_stops") else _stops(charge)
    if not charge.lines:
        problems.append("there is no line to bill")
    words = how.get("descriptions") or {}
    priced = tuple(
        attrs.evolve(
            _priced(line, charge, how.get("amounts"), how.get("revenue_codes"), problems),
            description=line.description or words.get(line.code),
        )
        for line in charge.lines
    )
    for at, line in enumerate(priced, 1):
        wrong = (
            *_wrong_fields(line),
            *_wrong_ndc(line, rules, how.get("allow_me", False)),
            *_missing(line, rules, book),
        )
        problems += (f"line {at} ({line.code}) {what}" for what in wrong)
    if rules.pointers and len(diagnoses(charge)) > DIAGNOSES_MOST:
        problems.append(f"there are {len(diagnoses(charge))} diagnoses, and a claim holds {DIAGNOSES_MOST}")
    _refuse_any(problems, rules)
    parts = [(at, part) for at, line in enumerate(priced, 1) for part in split(line, rules.units_digits)]
    _refuse_any(_divided_wrong(parts, rules), rules)
    return tuple(part for _, part in parts)


def in_use(charge: Charge, reference: Reference | None, name: str) -> Reference:
    """The reference that a charge is written with; it must be the one that the charge was made with."""
    book = Reference.of(reference)
    # A charge made by hand names no facts; a fingerprint is computed only where the two are not one object.
    if charge.reference is not book and charge.fingerprint not in ("", book.fingerprint):
        which = "the reference given" if reference is not None else "the shipped reference"
        says = (
            f"The charge was made with other facts ({charge.edition}, data {charge.fingerprint[:12]}) than {which} "
            f"({book.edition}, data {book.fingerprint[:12]}). Give the reference that made the charge."
        )
        raise FormatError(says, format=name, place="reference")
    return book


def _refuse_any(problems: list[str], rules: Rules) -> None:
    if problems:
        says = f"Not written as {rules.title}: {'; '.join(problems)}."
        raise FormatError(says, format=rules.format, place=problems[0].partition(" (")[0], problems=tuple(problems))


def _divided_wrong(parts: list[tuple[int, Line]], rules: Rules) -> list[str]:
    """What is wrong only after the units were divided: empty shares, long charges, too many lines."""
    found = []
    for at, part in parts:
        amount, spot = part.charge_amount, f"line {at} ({part.code})"
        if rules.amount_digits is not None and amount is not None and amount >= 10**rules.amount_digits:
            field = rules.fields["charge_amount"]
            most = f"{rules.amount_digits} digits of dollars"
            found.append(f"{spot} has a charge of {number(amount)}, and {field} holds {most}")
        if not _is_whole(part):
            found.append(f"{spot} would carry an NDC quantity of 0 after the units are divided")
    if rules.lines_most is not None and len(parts) > rules.lines_most:
        found.append(f"{len(parts)} lines, and one claim holds {rules.lines_most}: divide the charge")
    return found


def _stops(charge: Charge) -> list[str]:
    return [
        f"{f'line {found.line}: ' if found.line else ''}{found.rule} stops this claim "
        f"({found.says.rstrip('.')}; {found.fix.rstrip('.')}; allow_stops=True writes it all the same)"
        for found in charge.findings
        if found.severity == "stop"
    ]


def _priced(
    line: Line,
    charge: Charge,
    amounts: Mapping[str, object] | None,
    revenue_codes: Mapping[str, str] | None,
    problems: list[str],
) -> Line:
    """The line with its charge (price of one unit times units) and revenue code, where somebody gave them."""
    prices: dict[str, object] = {**dict(charge.encounter.charge_amounts), **(amounts or {})}
    revenue = {**dict(charge.encounter.revenue_codes), **(revenue_codes or {})}
    amount = line.charge_amount
    if amount is None and line.code in prices:
        try:
            amount = money(prices[line.code]) * line.units
        except ValueError as why:
            problems.append(f"amounts: {why} ({line.code})")
    code = line.revenue_code or revenue.get(line.code) or revenue.get(_kind_of(line))
    return attrs.evolve(line, charge_amount=amount, revenue_code=code)


def _kind_of(line: Line) -> str:
    """The kind of line as revenue codes tell it: what is wasted is the drug's."""
    return "drug" if line.kind == "waste" else line.kind


def _wrong_fields(line: Line) -> Iterable[str]:
    if not CODE.fullmatch(line.code):
        yield "is no HCPCS or CPT code"
    if isinstance(line.units, bool) or not isinstance(line.units, int) or line.units < 1:
        yield f"has {line.units!r} units, and a line counts whole units above 0"
    if len(line.modifiers) > MODIFIERS_MOST:
        yield f"has {len(line.modifiers)} modifiers, and a line holds {MODIFIERS_MOST}"
    if bad := [m for m in line.modifiers if not MODIFIER.fullmatch(m)]:
        yield f"has {', '.join(map(repr, bad))}, which is no modifier of two characters"
    if line.description is not None and not (line.description.strip() and line.description.isprintable()):
        yield f"has the description {line.description!r}, which is no printable text"
    if line.revenue_code is not None and not _REVENUE.fullmatch(line.revenue_code):
        yield f"has {line.revenue_code!r}, which is no revenue code of four digits"
    if line.charge_amount is not None:
        try:
            money(line.charge_amount)
        except ValueError as why:
            yield f"has a charge that cannot be: {why}"


_OPENED = "say what was opened (form, containers, container_amount, container_volume)"


def _wrong_ndc(line: Line, rules: Rules, allow_me: bool) -> Iterable[str]:
    if line.ndcs and line.kind not in _DRUG_KINDS:
        yield f"is a {line.kind} line, and an NDC stands on drug lines only"
    if line.ndc is None and (line.ndc_quantity is not None or line.extra_ndcs):
        yield "has an NDC quantity without its NDC"
    for ndc, qualifier, quantity in map(attrs.astuple, line.ndcs):
        if not ELEVEN.fullmatch(str(ndc)):
            yield f"has the NDC {ndc!r}, and a claim carries 11 digits without hyphens"
        if (qualifier is None) != (quantity is None):
            yield f"has half an NDC quantity ({qualifier or quantity})"
        elif quantity is None and "ndc_quantity" in rules.needs:
            yield f"has the NDC {ndc} without quantity ({rules.fields['ndc_quantity']}): {_OPENED}"
        if qualifier is not None and qualifier not in (*QUALIFIERS, *([MILLIGRAMS] if allow_me else [])):
            yield f"has the NDC unit {qualifier!r}; {', '.join(QUALIFIERS)} may leave"
        if quantity is not None:
            yield from _wrong_quantity(quantity, rules)


def _wrong_quantity(quantity: Decimal, rules: Rules) -> Iterable[str]:
    if not quantity.is_finite() or quantity <= 0:
        yield f"has an NDC quantity of {quantity}, and it must be above 0"
    elif rules.quantity is not None:
        whole, _, part = number(quantity).partition(".")
        if len(whole) > rules.quantity[0] or len(part) > rules.quantity[1]:
            yield (
                f"has an NDC quantity of {number(quantity)}, and {rules.fields['ndc_quantity']} holds "
                f"{rules.quantity[0]} digits and {rules.quantity[1]} decimals"
            )
    if rules.quantity_most is not None and len(number(quantity)) > rules.quantity_most:
        yield (
            f"has an NDC quantity of {number(quantity)}, and {rules.fields['ndc_quantity']} holds "
            f"{rules.quantity_most} characters"
        )


_GIVE = {
    "charge_amount": "has no charge ({where}): give the price of one unit of {code} in ‹charge_amounts›",
    "revenue_code": "has no revenue code ({where}): give that of {code}, or of every {kind} line, "
    "in ‹revenue_codes›, four digits",
    "diagnoses": "has no diagnosis ({where}): name one in the encounter or the administration",
}
_WORDS = (
    "is an unclassified code without description ({where}): give the drug with its strength and dose in ‹descriptions›"
)


def _missing(line: Line, rules: Rules, reference: Reference) -> Iterable[str]:
    for name, sentence in _GIVE.items():
        if name in rules.needs and getattr(line, name) in (None, ()):
            yield sentence.format(where=rules.fields[name], code=line.code, kind=_kind_of(line))
    wordless = "description" in rules.needs and line.description is None and is_level_two(line.code)
    if wordless and any(row.refuses == "unclassified" for row in reference.drugs.rows(line.code)):
        yield _WORDS.format(where=rules.fields["description"], code=line.code)


_NOTED = re.compile(rf"N4(\d{{11}})(?: ({UNIT})(\d{{1,18}}(?:\.\d{{1,18}})?)(?![\d.]))?", re.ASCII)


def ndc_note(extras: Iterable[ExtraNdc]) -> str:
    """Further NDCs of one line as a note: qualifier and number, unit and quantity."""
    return " ".join(
        f"N4{extra.ndc}" + ("" if extra.quantity is None else f" {extra.qualifier}{number(extra.quantity)}")
        for extra in extras
    )


def read_ndc_note(text: str) -> tuple[tuple[ExtraNdc, ...], str]:
    """The NDCs of a note as `ndc_note` writes them, and what else it says.

    >>> extras, rest = read_ndc_note("N450242013601 ML10 call Ann")
    >>> extras[0].ndc, extras[0].quantity, rest
    ('50242013601', Decimal('10'), 'call Ann')
    """
    extras = tuple(
        ExtraNdc(ndc, unit or None, Decimal(amount) if amount else None) for ndc, unit, amount in _NOTED.findall(text)
    )
    return extras, _NOTED.sub("", text).strip()


def losses(lines: Iterable[Line], cannot: Mapping[str, str]) -> tuple[Loss, ...]:
    """What of these lines a format cannot carry: `cannot` gives the reason for each field of a line.

    >>> losses([Line("J1885", revenue_code="0636")], {"revenue_code": "no field for it"})[0].value
    '0636'
    """
    return tuple(
        Loss(at, field, _shown(value), reason)
        for at, line in enumerate(lines, 1)
        for field, reason in cannot.items()
        if (value := getattr(line, field)) not in (None, ())
    )


def lost_pointers(lines: Iterable[Line], where: str) -> tuple[Loss, ...]:
    """The diagnoses of a line beyond the four that a pointer field holds."""
    return tuple(
        Loss(at, "diagnoses", ", ".join(line.diagnoses[POINTERS_MOST:]), f"{where} points to four diagnoses")
        for at, line in enumerate(lines, 1)
        if len(line.diagnoses) > POINTERS_MOST
    )


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, tuple):
        return ", ".join(item.ndc if isinstance(item, ExtraNdc) else str(item) for item in value)
    return str(value)
