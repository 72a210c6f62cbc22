"""Values that nobody gives in good faith, and the doors that they are put through."""

from __future__ import annotations

import datetime as dt
import time
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import jcodeunits as jc
from jcodeunits import amount, lookup, routes, units
from jcodeunits.errors import JcodeunitsError
from jcodeunits.formats import cms1500, fhir, hl7v2, ub04, x12

ON = "2026-03-02"
TURNS = "\u202a\u202b\u202c\u202d\u202e"  # letters that turn the writing round
SECOND = 1.0  # no refusal takes longer, above what its size explains


class Unshown:
    """An object that can be neither shown, compared, hashed nor turned into text or a number."""

    def _no(self, *_: object) -> Any:
        raise RuntimeError("an object that answers nothing")

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __float__ = __int__ = __format__ = _no  # type: ignore[assignment]


def _endless() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def _deep(levels: int = 5000) -> list[Any]:
    made: list[Any] = []
    for _ in range(levels):
        made = [made]
    return made


OBJECTS: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "yes": lambda: True,
    "zero": lambda: 0,
    "minus": lambda: -1,
    "a number of 5,000 digits": lambda: 10**5000,
    "not a number": lambda: float("nan"),
    "infinite": lambda: float("-inf"),
    "a large float": lambda: 1e308,
    "an endless decimal": lambda: Decimal("1e999999999"),
    "a tiny decimal": lambda: Decimal("1e-999999999"),
    "a signalling decimal": lambda: Decimal("sNaN"),
    "a fraction of 5,000 digits": lambda: Fraction(10**5000 + 1, 3),
    "complex": lambda: 1j,
    "bytes": lambda: b"30 mg\xff",
    "a list": lambda: ["30 mg"],
    "a mapping": lambda: {"drug": {"drug": "x"}},
    "a set": lambda: {1},
    "an endless list": _endless,
    "a deep list": _deep,
    "an array": lambda: np.array([1, 2]),
    "a scalar of numpy": lambda: np.float64("nan"),
    "a frame": lambda: pd.DataFrame({"drug": ["J1885"]}),
    "a series": lambda: pd.Series([1, 2]),
    "NA": lambda: pd.NA,
    "NaT": lambda: pd.NaT,
    "a table": lambda: pa.table({"x": [1]}),
    "a function": lambda: len,
    "a class": lambda: int,
    "a generator": lambda: (x for x in "ab"),
    "the first day": lambda: dt.date.min,
    "the last day": lambda: dt.date.max,
    "a time with a zone": lambda: dt.datetime(9999, 12, 31, tzinfo=dt.timezone(dt.timedelta(hours=-23))),
    "an object that answers nothing": Unshown,
    "a class that answers nothing": lambda: Unshown,
}

NUMBERS = (
    "ketorolac \u0661\u0662", "1e999999999", "-1e999999999", "1e-999999999", "9" * 5000, "0." + "0" * 5000 + "1", "1_0", "١٢", "NaN", "Infinity",
    "-5", "+5", "0x1F", "1e5", "1,2,3", "1/0", "∞", "½", "1" * 20, "9" * 21 + " g", "1e30", "0", "00000000000000000000",
    ".", "-", "1..2", "1 e 5",
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "J1885\0", "\x1b[31mred\x1b[0m", "a\r\nb", "\x85\x9b31m", "\u2028\u2029", "\ud800", "\udfff mg", "\u202egm 03",
    "\ufeffJ1885", "'; DROP TABLE", "../../etc/passwd", "%s%n{0}{x}", "=cmd|' /C calc'!A0", "x" * 200, "x" * 8000,
    "mg " * 3000, "(" * 5000, "[" * 5000, "1 mg/" * 1000, "0409" + " " * 60_000 + "3795-01", "~*^:|\\&", "\n" * 5000,
    "(01)" * 500, "]d2" + "9" * 300, "\x1d" * 100, "{}", "[]", "null", "‹drug›",
)  # fmt: skip


def refused(call: Callable[[], Any], seconds: float = SECOND) -> JcodeunitsError | None:
    """What a call refuses with, or None where it answers. Fails for another error, an unsafe message, a long wait.

    What takes long does so again; a machine that other work holds up does not.
    """
    error, taken = _answer(call)
    if seconds <= taken < 10 * seconds:
        taken = min(taken, _answer(call)[1])
    assert taken < seconds, f"{taken:.1f} seconds"
    if error is not None:
        check_message(str(error))
        check_message(repr(error), 9000)
    return error


def _answer(call: Callable[[], Any]) -> tuple[JcodeunitsError | None, float]:
    start = time.process_time()
    try:
        call()
    except JcodeunitsError as error:
        return error, time.process_time() - start
    return None, time.process_time() - start


def check_message(says: str, most: int = 6000) -> None:
    """A message holds no control character, nothing that turns the writing round, and is no book."""
    unsafe = [letter for letter in says if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in TURNS]
    assert not unsafe, ascii(says[:300])
    assert says.strip(), "a refusal without a word"
    assert len(says) <= most, len(says)


def _charge(**more: Any) -> Any:
    given = {"drug": "J1885", "dose": "30 mg", "route": "IM"}
    named = {name: more.pop(name) for name in list(more) if name in ENCOUNTER}
    encounter = {"on": ON, "place": "11", "payer": "medicare", **named}
    return jc.charge({**encounter, "administrations": [{**given, **more}]}).as_dict()


ENCOUNTER = ("on", "place", "payer", "claim", "visit", "supervision", "services", "diagnoses", "resident", "patient")
ADMINISTRATION = (
    "drug", "dose", "route", "site", "purpose", "products", "ndc", "containers", "container_amount", "container_volume",
    "discarded", "lot", "expires", "modifiers", "description", "container", "form", "concentration", "order", "syringe",
    "time", "start", "stop", "performed_by", "performer", "self_administered", "supplied_by", "shared", "documented",
    "charge_amount", "revenue_code", "diagnoses", "basis",
)  # fmt: skip

DOORS: dict[str, Callable[[Any], Any]] = {
    "billing_units drug": lambda x: jc.billing_units(x, "30 mg", ON),
    "billing_units dose": lambda x: jc.billing_units("J1885", x, ON),
    "billing_units on": lambda x: jc.billing_units("J1885", "30 mg", x),
    "billing_units route": lambda x: jc.billing_units("ketorolac", "30 mg", ON, x),
    "billing_units basis": lambda x: jc.billing_units("J1885", "30 mg", ON, basis=x),
    "billing_units reference": lambda x: jc.billing_units("J1885", "30 mg", ON, reference=x),
    "Dose.of": jc.Dose.of,
    "Dose.of unit": lambda x: jc.Dose.of(1, x),
    "Dose.by_weight": lambda x: jc.Dose.by_weight(x, "70 kg"),
    "Dose.by_weight weight": lambda x: jc.Dose.by_weight("1 mg/kg", x),
    "Dose.by_surface": lambda x: jc.Dose.by_surface("75 mg/m2", x),
    "Dose.by_volume": lambda x: jc.Dose.by_volume(x, "40 mg/mL"),
    "Dose.by_volume concentration": lambda x: jc.Dose.by_volume("1 mL", x),
    "find": lambda x: jc.find(x, on=ON),
    "find on": lambda x: jc.find("toradol", on=x),
    "drug": lambda x: jc.drug(x, on=ON),
    "drug on": lambda x: jc.drug("J1885", on=x),
    "history": jc.history,
    "product": lambda x: jc.product(x, on=ON),
    "product on": lambda x: jc.product("0409-3795-01", on=x),
    "ndc_quantity item": lambda x: jc.ndc_quantity(x, "30 mg", ON),
    "ndc_quantity dose": lambda x: jc.ndc_quantity("0409-3795-01", x, ON),
    "ndc_quantity form": lambda x: jc.ndc_quantity("0409-3795-01", "30 mg", ON, form=x),
    "ndc_quantity amount": lambda x: jc.ndc_quantity("0409-3795-01", "30 mg", ON, container_amount=x),
    "ndc_quantity volume": lambda x: jc.ndc_quantity("0409-3795-01", "30 mg", ON, container_volume=x),
    "ndc_quantity minimum": lambda x: jc.ndc_quantity("0409-3795-01", "30 mg", ON, minimum=x),
    "ndc_quantity qualifier": lambda x: jc.ndc_quantity("0409-3795-01", "30 mg", ON, qualifier=x),
    "ndc.compact": jc.ndc.compact,
    "ndc.format": jc.ndc.format,
    "ndc.format shape": lambda x: jc.ndc.format("0409-3795-01", x),
    "ndc.validate": jc.ndc.validate,
    "ndc.is_valid": jc.ndc.is_valid,
    "barcode.parse": jc.barcode.parse,
    "hcpcs.compact": jc.hcpcs.compact,
    "hcpcs.is_valid": jc.hcpcs.is_valid,
    "best_fit dose": lambda x: jc.best_fit(x, ["30 mg"]),
    "best_fit sizes": lambda x: jc.best_fit("30 mg", x),
    "best_fit size": lambda x: jc.best_fit("30 mg", [x]),
    "charge": jc.charge,
    "Encounter.from_dict": jc.Encounter.from_dict,
    "Administration.from_dict": jc.Administration.from_dict,
    "lookup": lambda x: lookup.look_up(x, ON),
    "routes.canonical": routes.canonical,
    "units.canonical": units.canonical,
    "amount.exact": lambda x: _value_error(lambda: amount.exact(x)),
    "amount.read_decimal": lambda x: _value_error(lambda: amount.read_decimal(x)) if isinstance(x, str) else None,
    "x12.read": x12.read,
    "hl7v2.read": hl7v2.read,
    "hl7v2.read_all": hl7v2.read_all,
    "fhir.read": fhir.read,
    "fhir.read_all": fhir.read_all,
    "cms1500.read": cms1500.read,
    "ub04.read": ub04.read,
    "x12.write": x12.write,
    "fhir.write": fhir.write,
    "Reference.load": jc.Reference.load,
    "Reference.with_tables": lambda x: jc.Reference.shipped().with_tables(x),
    "batch.bill": jc.batch.bill,
    "audit.judge": jc.audit.judge,
    **{f"encounter {name}": (lambda x, name=name: _charge(**{name: x})) for name in ENCOUNTER},
    **{f"administration {name}": (lambda x, name=name: _charge(**{name: x})) for name in ADMINISTRATION},
}


def _value_error(call: Callable[[], Any]) -> None:
    """The readers of numbers below the doors say ValueError; each door makes a refusal of it."""
    try:
        call()
    except ValueError as why:
        check_message(str(why))
