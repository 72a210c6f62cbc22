"""What was given and what else happened that day: the encounter, its reader and its schema.

An encounter is read strictly: a key or a value that is not known is an error that names the path and
the allowed ones, because a misspelt `place` that is ignored becomes a wrong claim.

>>> encounter = Encounter.from_dict({
...     "on": "2026-03-02", "place": "11",
...     "administrations": [{"drug": "ketorolac", "dose": "30 mg", "route": "intramuscular"}]})
>>> encounter.payer, encounter.administrations[0].route
('medicare', 'IM')
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

import attrs

from .barcode import scanned
from .dated import as_date
from .dose import Dose
from .errors import EncounterError
from .facts.product_rows import FORMS, KINDS
from .finding import Finding
from .keys import (
    AMOUNT,
    COUNT,
    DAY,
    DIAGNOSES,
    DOSE,
    FLAG,
    HCPCS,
    MODIFIERS,
    MONEY,
    PAYER,
    PLACE,
    REVENUE,
    ROUTE,
    TEXT,
    TIME,
    Keyed,
    choice,
    given_dose,
    key,
    mapping,
    recorded,
    route,
    schema_of,
    thing,
    things,
)
from .shown import Shown
from .tables import CLAIMS, USUAL_PAYER

# The words for a side of the body, as the modifiers of procedures tell them.
_SIDES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("right", "rt", "r", "od"), ("RT",)),
    **dict.fromkeys(("left", "lt", "l", "os"), ("LT",)),
    **dict.fromkeys(("both", "bilateral", "bilaterally", "bilat", "ou"), ("RT", "LT")),
}
_WORD = re.compile(r"(?<!\w)[a-z]+(?!\w)")  # the l of L4 is no side

SUPERVISION = ("direct", "virtual", "general", "none")
PURPOSES = (
    "therapeutic",
    "prophylactic",
    "diagnostic",
    "vaccine",
    "allergen",
    "antineoplastic",
    "diluent",
    "flush",
    "anesthetic",
)
CONTAINERS = KINDS
PERFORMERS = ("staff", "practitioner")
SUPPLIERS = ("practice", "patient", "340b")
DOCUMENTED = (
    "order",
    "drug",
    "dose",
    "route",
    "site",
    "lot",
    "expiry",
    "ndc",
    "time",
    "performer",
    "necessity",
    "consent",
    "monitoring",
    "waste",
)


@attrs.frozen(slots=False)
class OpenedProduct(Keyed):
    """One product that was opened for an administration.

    `ndc` as written or scanned; `containers` opened, a count; `amount` the labelled amount of one container,
    `volume` what it holds in mL and `discarded` the amount that the record shows as thrown away, all with their
    unit as text ("0 mg" means recorded that nothing was; None means not recorded, and is never billed). `lot`,
    `expires` (its last day) and `serial` are read out of a scanned `ndc` where nobody says them.
    """

    ndc: str | None = key(TEXT, None, "the package that was opened, as printed or scanned")
    containers: int | None = key(COUNT, None, "how many were opened")
    amount: str | None = key(AMOUNT, None, "the labelled amount of one container: 30 mg")
    discarded: str | None = key(AMOUNT, None, "what the record shows as discarded, 0 mg if nothing; else never billed")
    volume: str | None = key(AMOUNT, None, "what one container of a liquid holds: 1 mL")
    lot: str | None = key(TEXT, None, "the lot number on the package")
    expires: dt.date | None = key(
        DAY, None, "the last day of use on the package", converter=attrs.converters.optional(as_date)
    )
    serial: str | None = key(TEXT, None, "the serial number on the package")

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        made = super()._of(values)
        made.__attrs_post_init__()
        return made

    def __attrs_post_init__(self) -> None:
        scan = scanned(self.ndc)
        for name in ("lot", "expires", "serial") if scan is not None else ():
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(scan, name))


@attrs.frozen(repr=False, slots=False)
class Administration(Shown, Keyed):
    """One drug given once. Doses and amounts stay as written, so that what cannot be read is a finding.

    `drug`: code, name, brand or NDC. `dose`: text with its unit, or a `Dose`. `route`: canonical, one of
    `routes.NAMES`. `separate`: whether the injection was separate from another service of the day that would
    include it (None: not said). `basis`: the component that a combination's dose counts. `order` and
    `syringe` join administrations: of one order is one dose in several places, of one syringe one injection.
    `modifiers` are of the drug line; `description` is of a code that names no drug.
    The other fields are the contract's.
    """

    DIRECT: ClassVar[Mapping[str, str]] = {
        "ndc": "ndc",
        "containers": "containers",
        "container_amount": "amount",
        "container_volume": "volume",
        "discarded": "discarded",
        "lot": "lot",
        "expires": "expires",
        "serial": "serial",
    }

    drug: str = key(TEXT, says="a HCPCS code, a name or an NDC")
    dose: str | Dose = key(DOSE, converter=given_dose, says="what was given: 30 mg")
    route: str = key(ROUTE, converter=route, says="IM, SC, IV push, IV infusion, intravitreal ...")
    purpose: str = key(choice(PURPOSES), "therapeutic")
    site: str | None = key(TEXT, None, "where on the body: left deltoid")
    products: tuple[OpenedProduct, ...] = key(things(OpenedProduct), (), "what was opened, where it is several")
    container: str | None = key(choice(CONTAINERS), None, "where the product does not say it")
    form: str | None = key(choice(FORMS), None, "where nothing proves it")
    basis: str | None = key(TEXT, None, "the component that a combination's dose counts, or total")
    concentration: str | None = key(AMOUNT, None, "with a dose by volume: 40 mg/mL, 1%, 1:1000")
    diagnoses: tuple[str, ...] = key(DIAGNOSES, (), "of this administration's lines", flag="")
    modifiers: tuple[str, ...] = key(
        MODIFIERS, (), "of the drug line, what only the caller can know: EA, RT, KX", flag="modifier"
    )
    description: str | None = key(TEXT, None, "of an unclassified code: name, dose and what the payer wants")
    order: str | None = key(TEXT, None, "administrations of one order are one dose in several places")
    syringe: str | None = key(
        TEXT, None, "administrations of one syringe or bag are one injection or infusion", flag=""
    )
    time: str | None = key(TIME, None, "when it was given")
    start: str | None = key(TIME, None, "when an infusion began")
    stop: str | None = key(TIME, None, "when it ended")
    performed_by: str = key(choice(PERFORMERS), "staff")
    performer: str | None = key(TEXT, None, "who gave it: a name or number of yours")
    self_administered: bool = key(FLAG, False, "the patient gave it")
    supplied_by: str = key(choice(SUPPLIERS), "practice")
    shared: bool = key(FLAG, False, "the vial served several patients")
    separate: bool | None = key(
        FLAG,
        None,
        "apart from another service of the day that would include it, or through an access at a site of its own",
        flag="",
    )
    documented: tuple[str, ...] | None = key(recorded(DOCUMENTED), None, "what the record holds; absent = not judged")
    charge_amount: Decimal | None = key(
        MONEY, None, "the site's price of the drug given, shared over its lines", flag=""
    )
    revenue_code: str | None = key(REVENUE, None, "of its lines", flag="")

    @property
    def brief(self) -> str:
        """Drug, dose and route."""
        return f"{self.drug} {self.dose} {self.route}"

    @classmethod
    def from_dict(cls, data: object, path: str = "administration") -> Self:
        """From the contract's JSON; `EncounterError` names the path and what is allowed."""
        fields = cls._read(data, path)
        direct = {cls.DIRECT[key]: fields.pop(key) for key in fields.keys() & cls.DIRECT.keys()}
        if direct and fields.get("products"):
            says = (
                f"{path}: give {', '.join(cls.DIRECT)} either in 'products' or directly in the administration, "
                "not in both."
            )
            raise EncounterError(says, path=path, given=sorted(direct), allowed=("products",))
        if direct:
            fields["products"] = (OpenedProduct._of(direct),)
        return cls._of(fields)

    @property
    def site_words(self) -> tuple[str, ...]:
        """The words of the site, in small letters.

        >>> Administration("J3301", "40 mg", "intra-articular", site="Knee, right").site_words
        ('knee', 'right')
        """
        return tuple(_WORD.findall((self.site or "").casefold()))

    @property
    def sides(self) -> frozenset[str]:
        """The modifiers of the sides of the body that the site names.

        >>> sorted(Administration("J3301", "80 mg", "intra-articular", site="both knees").sides)
        ['LT', 'RT']
        """
        return frozenset(side for word in self.site_words for side in _SIDES.get(word, ()))

    @property
    def part(self) -> frozenset[str]:
        """The words of the site without its side: right knee and left knee are one part of the body."""
        return frozenset(word for word in self.site_words if word not in _SIDES)

    @property
    def minutes(self) -> int | None:
        """Minutes from start to stop, over midnight too; None unless both are recorded.

        >>> Administration("J1745", "400 mg", "IV infusion", start="23:30", stop="00:45").minutes
        75
        """
        if self.start is None or self.stop is None:
            return None
        first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (self.start, self.stop))
        return (last - first) % (24 * 60)


@attrs.frozen(slots=False)
class Visit(Keyed):
    """The visit of the day. `separate`: significant and separately identifiable; None means unknown.

    `place`: where the visit took place, if not where the drugs were given.
    """

    ALONE: ClassVar[str] = "code"

    code: str = key(HCPCS, says="the visit's code", flag="visit")
    separate: bool | None = key(FLAG, None, "significant and separately identifiable; absent = nobody said")
    place: str | None = key(PLACE, None, "where the visit took place, if not where the drugs were given", flag="")
    modifiers: tuple[str, ...] = key(MODIFIERS, (), flag="")
    diagnoses: tuple[str, ...] = key(DIAGNOSES, (), flag="")
    charge_amount: Decimal | None = key(MONEY, None, flag="")
    revenue_code: str | None = key(REVENUE, None, flag="")


@attrs.frozen(slots=False)
class Service(Keyed):
    """Another service of the same day, as the caller bills it."""

    ALONE: ClassVar[str] = "code"

    code: str = key(HCPCS)
    units: int = key(COUNT, 1)
    modifiers: tuple[str, ...] = key(MODIFIERS, ())
    diagnoses: tuple[str, ...] = key(DIAGNOSES, ())
    description: str | None = key(TEXT, None, "of an unclassified code")
    charge_amount: Decimal | None = key(MONEY, None)
    revenue_code: str | None = key(REVENUE, None)


@attrs.frozen(slots=False)
class Patient(Keyed):
    """What a dose by weight or body surface needs, as text with units: `70 kg`, `1.7 m2`."""

    weight: str | None = key(AMOUNT, None, "body weight, for a dose such as 1.5 mg/kg")
    surface: str | None = key(AMOUNT, None, "body surface, for a dose such as 75 mg/m2")


@attrs.frozen(repr=False, slots=False)
class Encounter(Shown, Keyed):
    """One patient, one day, one place: what was given and what else happened.

    `on`: date of service. `place`: place-of-service code of two digits. `payer`: a payer of payers.csv or
    the site's own. `charge_amounts`: the site's price of one unit of a code, `revenue_codes` the revenue
    code of a code, both for the formats that require them. `findings`: what was found while a message was
    read into it; they stand among the charge's findings, and are no part of the contract's JSON.
    """

    NEEDED: ClassVar[tuple[str, ...]] = ("administrations",)

    on: dt.date = key(DAY, converter=as_date, says="date of service")
    place: str = key(PLACE, says="place-of-service code of two digits: 11")
    payer: str = key(PAYER, USUAL_PAYER, kw_only=True)
    claim: str = key(choice(CLAIMS), "professional", kw_only=True)
    visit: Visit | None = key(thing(Visit), None, kw_only=True)
    supervision: str = key(choice(SUPERVISION), "direct", kw_only=True)
    resident: bool = key(FLAG, False, "a teaching setting", kw_only=True)
    patient: Patient = key(thing(Patient), Patient(), kw_only=True)
    services: tuple[Service, ...] = key(things(Service), (), "codes billed the same day", flag="service", kw_only=True)
    diagnoses: tuple[str, ...] = key(DIAGNOSES, (), "of the claim", flag="diagnosis", kw_only=True)
    administrations: tuple[Administration, ...] = key(things(Administration), ())
    charge_amounts: tuple[tuple[str, Decimal], ...] = key(
        mapping(MONEY, '{"<code>": "120.00"}'),
        (),
        "the site's price of one unit of a code",
        flag="amount",
        kw_only=True,
    )
    revenue_codes: tuple[tuple[str, str], ...] = key(
        mapping(REVENUE, '{"<code>": "0510"}'), (), "the revenue code of a code's lines", flag="revenue", kw_only=True
    )
    findings: tuple[Finding, ...] = attrs.field(default=(), eq=False, repr=False, kw_only=True)

    @property
    def brief(self) -> str:
        """Day, place, payer and what was given; nothing of the patient."""
        given = "; ".join(one.brief for one in self.administrations)
        return f"{self.on}, place {self.place}, {self.payer}: {given or 'nothing given'}"

    @classmethod
    def from_dict(cls, data: object, path: str = "") -> Self:
        """Read the contract's JSON strictly.

        Raises `EncounterError` (unknown key or value, with its path and the allowed ones) or `DateError`.

        >>> Encounter.from_dict({"on": "2026-03-02", "plase": "11"})
        Traceback (most recent call last):
        jcodeunits.errors.EncounterError: the encounter: unknown key 'plase'. Did you mean 'place'? \
Allowed: on, place, payer, claim, visit, supervision, resident, patient, services, diagnoses, \
administrations, charge_amounts, revenue_codes.
        """
        return super().from_dict(data, path)

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON again; `Encounter.from_dict` reads it back to an equal encounter."""
        plain = _plain(attrs.evolve(self, findings=()))
        return {**plain, "administrations": [_plain(item) for item in self.administrations]}

    @staticmethod
    def schema() -> dict[str, Any]:
        """The JSON schema (2020-12) of what `from_dict` reads."""
        title = "An injection encounter, as `jcodeunits charge` reads it"
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema_of(Encounter)}


def _plain(value: Any) -> Any:
    if attrs.has(type(value)) and not isinstance(value, Dose):
        fields = attrs.fields(type(value))
        kept = {f.name: getattr(value, f.name) for f in fields if getattr(value, f.name) != f.default}
        return {
            name: dict(_plain(item)) if name in ("charge_amounts", "revenue_codes") else _plain(item)
            for name, item in kept.items()
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (Dose, Decimal, dt.date)):
        return str(value)
    return value
