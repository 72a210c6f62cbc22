"""Times of messages: a length lies between two instants, the day is the place's, an expiry runs to its last day."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jcodeunits as jc
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import fhir, hl7v2

SAMPLES = Path(__file__).parent / "samples"


def administered(start: str, end: str = "", **beside: Any) -> Encounter:
    resource = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "ceftriaxone"},
        **({"effectivePeriod": {"start": start, "end": end}} if end else {"effectiveDateTime": start}),
        "dosage": {"route": {"text": "IV infusion"}, "dose": {"value": 1, "unit": "g"}},
    }
    found = fhir.read(json.dumps(resource), place="11", **beside)
    assert isinstance(found, Encounter)
    return found


def ras(start: str, end: str = "", expiry: str = "", **beside: Any) -> Encounter:
    text = f"RXA|0|1|{start}|{end}|^ceftriaxone|1|g||||||||L1|{expiry}||||CP|A\rRXR|IV|||IVPB"
    found = hl7v2.read(text, place="11", **beside)
    assert isinstance(found, Encounter)
    return found


def minutes(found: Encounter) -> int | None:
    return found.administrations[0].minutes


OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda quarters: dt.timezone(dt.timedelta(minutes=15 * quarters)))
NEW_YEAR = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
BEGINNINGS = st.integers(0, 360 * 24 * 60).map(lambda minute: NEW_YEAR + dt.timedelta(minutes=minute))


@given(BEGINNINGS, st.integers(1, 24 * 60 - 1), OFFSETS, OFFSETS)
def test_minutes_do_not_depend_on_the_offsets_that_the_stamps_are_written_in(
    began: dt.datetime, length: int, one: dt.tzinfo, other: dt.tzinfo
) -> None:
    first, last = began.astimezone(one), (began + dt.timedelta(minutes=length)).astimezone(other)
    found = administered(first.isoformat(), last.isoformat())
    assert (minutes(found), found.on) == (length, first.date())
    found = ras(f"{first:%Y%m%d%H%M%S%z}", f"{last:%Y%m%d%H%M%S%z}")
    assert (minutes(found), found.on) == (length, first.date())


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_an_hour_over_the_change_to_summer_time_is_an_hour(zone: str | None) -> None:
    beside = {"zone": zone} if zone else {}
    found = administered("2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00", **beside)
    assert minutes(found) == 60
    assert (found.administrations[0].start, found.administrations[0].stop) == ("01:30", "02:30")


def test_a_zone_reads_the_change_of_its_own_clock() -> None:
    assert minutes(administered("2026-03-08T01:30:00", "2026-03-08T03:30:00", zone="America/New_York")) == 60
    assert minutes(administered("2026-03-08T01:30:00", "2026-03-08T03:30:00")) == 120  # clocks, where nothing else is


def test_before_and_after_are_judged_on_instants() -> None:
    assert minutes(administered("2026-03-02T10:00:00-05:00", "2026-03-02T08:30:00-07:00")) == 30
    with pytest.raises(FormatError, match=r"ends .* before it starts"):
        administered("2026-03-02T10:00:00-07:00", "2026-03-02T11:00:00-05:00")
    with pytest.raises(FormatError, match="a day or more"):
        administered("2026-03-02T10:00:00-05:00", "2026-03-03T11:00:00-04:00")


def test_an_offset_at_one_end_only_measures_nothing() -> None:
    with pytest.raises(FormatError, match="zone="):
        administered("2026-03-02T10:00:00-05:00", "2026-03-02T11:00:00")
    assert minutes(administered("2026-03-02T15:00:00Z", "2026-03-02T11:00:00", zone="America/New_York")) == 60


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_an_end_outside_the_calendar_of_the_starts_clock_is_refused(end: str) -> None:
    with pytest.raises(FormatError, match="is no time on the start's clock"):
        administered("2026-03-02T10:00:00Z", end)


@pytest.mark.parametrize("offset", ["+99:00", "-15:00", "+14:30", "+05:75"])
def test_an_offset_that_no_place_has_is_no_time(offset: str) -> None:
    for zone in ({}, {"zone": "America/New_York"}):
        with pytest.raises(FormatError, match="is no time"):
            administered(f"2026-03-02T10:15:00{offset}", **zone)
        with pytest.raises(FormatError, match="is no time"):
            ras(f"20260302101500{offset.replace(':', '')}", **zone)
    assert str(administered(f"2026-03-02T10:15:00{offset}", on="2026-03-02").on) == "2026-03-02"
    with pytest.raises(FormatError, match="says"):
        administered(f"2026-03-02T10:15:00{offset}", on="2026-03-04")


def test_a_clock_that_does_not_exist_is_no_time() -> None:
    with pytest.raises(FormatError, match="is no time"):
        ras("20260302257500")


def test_a_stamp_of_an_hour_names_the_day() -> None:
    assert str(ras("2026030210").on) == "2026-03-02"


def test_the_day_is_the_places_day() -> None:
    early = administered("2026-03-03T02:15:00Z")
    assert "utc-day" in {one.rule for one in jc.charge(early).findings}
    for beside in ({"zone": "America/New_York"}, {"on": "2026-03-02"}):
        found = administered("2026-03-03T02:15:00Z", **beside)
        assert str(found.on) == "2026-03-02"
        assert "utc-day" not in {one.rule for one in jc.charge(found).findings}


@pytest.mark.parametrize(
    ("expiry", "late"),
    [
        ("202603", False),
        ("202602", True),
        ("2026", False),
        ("2025", True),
        ("20260302", False),
        ("20260301", True),
        ("20260301120000-0500", True),
    ],
)
def test_an_expiry_by_month_or_year_runs_to_its_last_day(expiry: str, late: bool) -> None:
    found = jc.charge(ras("20260302101500", expiry=expiry))
    assert ("product-expired" in {one.rule for one in found.findings}) is late


def test_an_expiry_that_is_no_date_is_asked_about_and_hides_nothing() -> None:
    found = jc.charge(ras("20260302101500", expiry="SOON"))
    assert "expiry-unread" in {one.rule for one in found.findings}
    assert "SOON" not in " ".join(one.says for one in found.findings)
    assert "J0696" in {line.code for line in found.lines}


def test_reading_and_read_find_the_same_on_every_sample() -> None:
    compared = 0
    for path in sorted(SAMPLES.glob("*.[hj]*")):
        module, text = (hl7v2 if path.suffix == ".hl7" else fhir), path.read_text("utf-8")
        beside = {"place": "11", "on": "2026-03-02"} if "r5" in path.name else {"place": "11"}
        try:
            one = module.read(text, **beside)
        except jc.JcodeunitsError:
            continue
        assert isinstance(one, Encounter)
        other = module.reading(text, **beside)
        assert (one, one.findings) == (other.encounter, other.findings)
        assert set(one.findings) <= set(jc.charge(one).findings)
        compared += 1
    assert compared >= 2


def test_an_hour_that_the_clocks_repeat_is_an_hour() -> None:
    """01:30 at -04:00 and 01:30 at -05:00 on the night the clocks go back are one hour apart."""
    assert minutes(administered("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00")) == 60
    with pytest.raises(FormatError, match=r"ends .* before it starts"):
        administered("2026-03-02T10:00:00-05:00", "2026-03-02T10:00:00-04:00")


@pytest.mark.parametrize(
    ("head", "given", "beside", "day", "rules"),
    [
        ("20260303021600+0000", "20260303021500", {}, "2026-03-03", ["utc-day"]),
        ("20260303021600+0000", "20260303021500", {"zone": "America/New_York"}, "2026-03-02", ["utc-day"]),
        ("20260302151600+0000", "20260302151500", {"zone": "America/New_York"}, "2026-03-02", []),
        ("20260303021600+0000", "20260302211500-0500", {}, "2026-03-02", []),
        ("20260303021600+0000", "20260302", {}, "2026-03-02", []),
        ("20260302211600-0500", "20260302211500", {}, "2026-03-02", []),
        ("20260302211600", "20260303021500", {}, "2026-03-03", []),
    ],
)
def test_the_offset_of_the_messages_own_time_is_that_of_stamps_without_one(
    head: str, given: str, beside: dict[str, str], day: str, rules: list[str]
) -> None:
    """HL7 version 2, chapter 2, MSH-7: its time zone is the default of the whole message."""
    msh = f"MSH|^~\\&|MAR|C|B|C|{head}||RAS^O17^RAS_O17|1|P|2.5.1"
    text = f"{msh}\rRXA|0|1|{given}||^ketorolac|30|mg|||||||||||||CP|A\rRXR|IM"
    found = hl7v2.read(text, place="11", **beside)
    assert (str(found.on), [one.rule for one in found.findings]) == (day, rules)


def test_a_length_between_a_stamp_with_an_offset_and_one_without() -> None:
    rxa = "RXA|0|1|20260302100000-0600|20260302120000|^ceftriaxone|1|g|||||||||||||CP|A\rRXR|IVPB"
    found = hl7v2.read(f"MSH|^~\\&|MAR|C|B|C|20260302120500-0500||RAS^O17^RAS_O17|1|P|2.5.1\r{rxa}", place="11")
    assert [one.minutes for one in found.administrations] == [60]
