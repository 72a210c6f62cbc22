"""Errors, periods, citations, findings and traces: the ground floor."""

import datetime as dt
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jcodeunits import errors
from jcodeunits.dated import Citation, Period, Step, Trace, as_date
from jcodeunits.finding import Finding

ALL_ERRORS = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.JcodeunitsError)]
days = st.dates(dt.date(2000, 1, 1), dt.date(2030, 12, 31))


@pytest.mark.parametrize("kind", ALL_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_keeps_its_message_and_fields_through_pickle(kind):
    error = kind("what is wrong and what to do.", given="x", near=("y",))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.given, again.near) == ("what is wrong and what to do.", "x", ("y",))


def test_the_tree_fits_pythons_own():
    assert issubclass(errors.UnreadableDose, ValueError)
    assert issubclass(errors.UnitMismatch, TypeError)
    assert issubclass(errors.UnknownDrug, LookupError)
    assert issubclass(errors.TableError, ValueError)


def test_a_field_that_is_not_there():
    with pytest.raises(AttributeError, match="UnknownDrug has no 'colour'"):
        errors.UnknownDrug("x").colour  # noqa: B018 - reading it is the test


@pytest.mark.parametrize(
    "value",
    [
        "2026-3-2",
        "20260302",
        "2026-W10-1",
        "2026-02-30",
        "2026-13-01",
        "03/02/2026",
        "today",
        "",
        None,
        5,
        1.5,
        "٢٠٢٦-٠٣-٠٢",
        b"2026-03-02",
        "2026-03-02T10:00:00",
    ],
)
def test_a_date_of_service_is_a_day(value):
    with pytest.raises(errors.DateError):
        as_date(value)


def test_dates_that_are_read():
    day = dt.date(2026, 3, 2)
    assert as_date("2026-03-02") == as_date(day) == as_date(dt.datetime(2026, 3, 2, 23, 59)) == day  # noqa: DTZ001


@given(days, days, days)
def test_a_period_holds_its_ends_and_nothing_beyond(a, b, c):
    first, last = sorted((a, b))
    period = Period(first, last)
    assert period.holds(first)
    assert period.holds(last)
    assert period.holds(c) == (first <= c <= last)
    assert Period(first).holds(c) == (c >= first)
    assert not period.holds(first - dt.timedelta(1))
    assert not period.holds(last + dt.timedelta(1))


@given(days, days, days, days)
def test_periods_overlap_where_they_share_a_day(a, b, c, d):
    one, other = Period(*sorted((a, b))), Period(*sorted((c, d)))
    shared = max(one.effective, other.effective) <= min(one.ends, other.ends)
    assert one.overlaps(other) == other.overlaps(one) == shared
    assert Period(a).overlaps(other) == (a <= other.ends)


def test_periods_print():
    assert str(Period(dt.date(2024, 4, 1))) == "since 2024-04-01"
    assert str(Period(dt.date(1994, 1, 1), dt.date(2024, 3, 31))) == "1994-01-01 to 2024-03-31"


def test_a_finding_cites_and_low_confidence_never_stops():
    weak, strong = Citation("own", confidence="low"), Citation("ncci", "XI.B.8")
    with pytest.raises(ValueError, match="cites nothing"):
        Finding("r", "warn", "says", "fix", ())
    with pytest.raises(ValueError, match="general knowledge"):
        Finding("r", "stop", "says", "fix", (weak,))
    with pytest.raises(ValueError, match="severity"):
        Finding("r", "fatal", "says", "fix", (strong,))
    finding = Finding("r", "stop", "says", "fix", [weak, strong], line=2)
    assert finding.as_dict() == {
        "rule": "r",
        "severity": "stop",
        "line": 2,
        "says": "says",
        "fix": "fix",
        "citations": ["own", "ncci, XI.B.8"],
    }


def test_steps_align_and_add_up():
    trace = Trace((Step("a", "why"),)) + Trace((Step("longer", "because", Citation("src", "place")),))
    first, second = trace.text().splitlines()
    assert first == "a       why"
    assert second.startswith("longer  because")
    assert second.endswith("[src, place]")
    assert trace.as_list()[1] == {"says": "longer", "why": "because", "citation": "src, place"}
    assert Trace().text() == ""
    assert Step("alone").text() == "alone"
