"""The words of refusals, whole: what was given, why it cannot be used, what to do.

The texts in `cases/messages.json` were read one by one. A change of wording is a change of that file.
"""

import json
from pathlib import Path

import pytest

from jcodeunits import errors
from jcodeunits.convert import billing_units
from jcodeunits.dose import Dose

CALLS = {
    "Dose.of": Dose.of,
    "Dose.by_weight": Dose.by_weight,
    "Dose.by_surface": Dose.by_surface,
    "Dose.by_volume": Dose.by_volume,
    "billing_units": billing_units,
}
CASES = json.loads((Path(__file__).parent / "cases" / "messages.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['call']}-{str(case['with'])[:40]}")
def test_a_refusal_says_what_why_and_what_to_do(case):
    with pytest.raises(errors.JcodeunitsError) as caught:
        CALLS[case["call"]](*case["with"])
    error = caught.value
    assert type(error).__name__ == case["raises"]
    assert str(error) == case["says"]
    assert error.fields.get("given") == case["given"]
    assert error.instead == case.get("instead")
