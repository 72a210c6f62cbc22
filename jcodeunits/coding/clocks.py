"""An infusion over the hour that clocks leave out when summer time begins: by the clock it lasts an hour too long.

It is said of the whole encounter, which alone knows the day and the times: no code changes by it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from jcodeunits.dated import zone
from jcodeunits.encounter import Encounter
from jcodeunits.facts.policy import Policy
from jcodeunits.finding import Finding, declare

FINDINGS = declare(__name__, {"clock-change": ("An infusion over the hour that clocks left out that night", "warn")})
_NONE, _MINUTE = dt.timedelta(0), dt.timedelta(minutes=1)


def left_out(encounter: Encounter, policy: Policy) -> Iterator[Finding]:
    """A question for each infusion that ran over the hour; one whose stop lies in it was read by the start's clock."""
    ran = [one for one in encounter.administrations if one.start is not None and one.minutes]
    if not ran:
        return
    option = policy.option(encounter.payer, "clock-zone", encounter.on, encounter.claim)
    there = zone(option.value)
    if there is None:
        return  # this computer knows no zones
    for one in ran:
        first = dt.datetime.combine(encounter.on, dt.time.fromisoformat(str(one.start)), there)
        last = first + dt.timedelta(minutes=one.minutes or 0)
        lost = (last.utcoffset() or _NONE) - (first.utcoffset() or _NONE)
        if lost <= _NONE or last.astimezone(dt.UTC).astimezone(there).time() != last.time():
            continue
        says = (
            f"{one.drug} ran from {one.start} to {one.stop}, and that night clocks went forward where summer time is "
            f"kept: {(one.minutes or 0) - lost // _MINUTE} minutes there, and {one.minutes} are counted."
        )
        fix = f"Give {last - lost:%H:%M} as the stop, by the clock of the start; nothing where clocks did not change."
        yield Finding("clock-change", "warn", says, fix, (option.citation,))
