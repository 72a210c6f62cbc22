"""Charges made up for the format tests, and the comparison of lines that went out and came back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from shipped import REFERENCE

from jcodeunits.claim import Charge, ExtraNdc, Line
from jcodeunits.dated import Citation
from jcodeunits.encounter import Encounter
from jcodeunits.finding import Finding

DIAGNOSES = (
    "M54.50",
    "F11.20",
    "G43.909",
    "R52",
    "D51.0",
    "C50.911",
    "J18.9",
    "L03.115",
    "A41.9",
    "M17.11",
    "E11.9",
    "K50.00",
)
DRUGS = ("J1885", "J0696", "J2315", "J0585", "Q9991", "J9271", "90632")
OTHERS = ("99213", "96372", "20610", "G0463", "0001A")
MODIFIERS = ("25", "59", "76", "RT", "LT", "JZ", "TB", "XU", "KP")
FIELDS = (
    "code",
    "modifiers",
    "units",
    "ndc",
    "ndc_qualifier",
    "ndc_quantity",
    "diagnoses",
    "charge_amount",
    "description",
    "extra_ndcs",
)
STOP = Finding("unit-limit", "stop", "too many units", "split or appeal", (Citation("mue-practitioner-2024q3"),))


def drug_line(**changes: Any) -> Line:
    """30 mg of ketorolac from a vial of 1 mL: two units, 1 mL, nothing left."""
    given: dict[str, Any] = {
        "code": "J1885",
        "modifiers": ("JZ",),
        "units": 2,
        "ndc": "00409379501",
        "ndc_qualifier": "ML",
        "ndc_quantity": Decimal("1"),
        "diagnoses": ("M54.50",),
        "kind": "drug",
        "label": "ketorolac",
        "charge_amount": Decimal("10"),
    }
    return Line(**{**given, **changes})


def injection_line(**changes: Any) -> Line:
    given: dict[str, Any] = {
        "code": "96372",
        "diagnoses": ("M54.50",),
        "kind": "administration",
        "charge_amount": Decimal("35"),
    }
    return Line(**{**given, **changes})


def charge_of(*lines: Line, findings: Sequence[Finding] = (), **encounter: Any) -> Charge:
    named = tuple(dict.fromkeys(code for line in lines for code in line.diagnoses))
    given: dict[str, Any] = {"on": "2026-03-02", "place": "11", "diagnoses": named}
    return Charge(tuple(lines), tuple(findings), Encounter(**{**given, **encounter}), REFERENCE)


# From 0.1 up: less cannot be divided over the lines of a paper form, which is refused and tested apart.
_quantities = st.integers(100, 9_999_999).map(lambda n: Decimal(n).scaleb(-3))
_money = st.integers(1, 9_999_999).map(lambda n: Decimal(n).scaleb(-2))
_ndcs = st.text("0123456789", min_size=11, max_size=11)
_unit = st.sampled_from(("UN", "ML", "GR", "F2"))
_words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 %.-/", min_size=1, max_size=20).map(
    lambda text: " ".join(text.split())
)
texts = _words.filter(lambda text: len(text) > 2 and not text.startswith("N4"))
_modifiers = st.lists(st.sampled_from(MODIFIERS), max_size=4, unique=True).map(tuple)
_chosen = st.lists(st.sampled_from(DIAGNOSES), min_size=1, max_size=4, unique=True).map(tuple)
_extras = st.lists(st.builds(ExtraNdc, _ndcs, _unit, _quantities), max_size=1).map(tuple)


def _drug_lines(most: int, extras: bool) -> st.SearchStrategy[Line]:
    return st.builds(
        Line,
        st.sampled_from(DRUGS),
        _modifiers,
        st.integers(1, most),
        _ndcs,
        _unit,
        _quantities,
        _chosen,
        kind=st.just("drug"),
        charge_amount=_money,
        revenue_code=st.just("0636"),
        description=st.none() | texts,
        extra_ndcs=_extras if extras else st.just(()),
    )


def _other_lines(most: int) -> st.SearchStrategy[Line]:
    return st.builds(
        Line,
        st.sampled_from(OTHERS),
        _modifiers,
        st.integers(1, min(most, 999)),
        diagnoses=_chosen,
        kind=st.sampled_from(("visit", "service", "administration")),
        charge_amount=_money,
        revenue_code=st.just("0510"),
    )


def charges(
    *, most: int = 99_999_999, lines: int = 5, extras: bool = True, claim: str = "professional"
) -> st.SearchStrategy[Charge]:
    """Any charge whose lines may leave: codes, modifiers, units, NDCs and diagnoses in every combination."""
    one = _drug_lines(most, extras) | _other_lines(most)
    return st.lists(one, min_size=1, max_size=lines).map(lambda made: charge_of(*made, claim=claim))


def assert_same(charge: Charge, found: Iterable[Line], fields: Sequence[str] = FIELDS) -> None:
    """Each line came back, whole or as several whose units, charge and NDC quantity add up to it."""
    rest = list(found)
    for line in charge.lines:
        parts: list[Line] = []
        while sum(part.units for part in parts) < line.units:
            assert rest, f"{line.code}: units went missing"
            parts.append(rest.pop(0))
        assert sum(part.units for part in parts) == line.units
        for field in fields:
            if field in ("ndc_quantity", "charge_amount"):
                assert _sum(getattr(part, field) for part in parts) == getattr(line, field), field
            elif field == "extra_ndcs":
                assert [e.ndc for e in parts[0].extra_ndcs] == [e.ndc for e in line.extra_ndcs]
                for n, extra in enumerate(line.extra_ndcs):
                    assert sum(part.extra_ndcs[n].quantity or 0 for part in parts) == extra.quantity
            elif field != "units":
                assert {getattr(part, field) for part in parts} == {getattr(line, field)}, field
    assert rest == []


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    given = [value for value in values if value is not None]
    return sum(given, Decimal(0)) if given else None
