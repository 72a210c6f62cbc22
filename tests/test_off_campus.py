"""An off-campus department is paid a part of the rate for giving a drug from 2026 on (90 FR 53448)."""

from __future__ import annotations

import pytest

from jcodeunits.allowed import expected
from jcodeunits.charging import charge


@pytest.mark.parametrize(
    ("place", "on", "amount"),
    [("19", "2026-03-02", "29.42"), ("22", "2026-03-02", "73.56"), ("19", "2025-12-31", "71.17")],
)
def test_the_injection_is_paid_by_place_and_day(place: str, on: str, amount: str) -> None:
    made = charge(
        {
            "on": on,
            "place": place,
            "claim": "outpatient",
            "diagnoses": ["R52"],
            "administrations": [{"drug": "J1885", "dose": "30 mg", "route": "IM"}],
        }
    )
    by_code = {line["code"]: line["amount"] for line in expected(made).as_dict()["lines"]}
    assert by_code["96372"] == amount
