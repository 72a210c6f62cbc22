"""What people look up besides codes: payers by their names, routes by their codes, dates and revenue codes."""

from __future__ import annotations

import pytest
from shipped import POLICY, REFERENCE

from jcodeunits import routes
from jcodeunits.facts.policy_rows import PayerWord
from jcodeunits.lookup import look_up

ON = "2026-03-02"


@pytest.mark.parametrize("row", POLICY.rows(PayerWord), ids=lambda row: row.word)
def test_the_name_of_a_payer_without_rows_says_whose_rows_come_nearest(row: PayerWord) -> None:
    hits = look_up(row.word, ON)
    assert hits
    named = [hit for hit in hits if hit.kind == "payer"]
    assert all(row.payer in hit.title for hit in named)  # a word of a topic or of an option is found there
    assert named or any(row.word in f"{hit.key} {hit.title} {hit.detail}".casefold() for hit in hits)


@pytest.mark.parametrize("name", routes.NAMES)
def test_a_route_is_looked_up_by_its_name_and_by_each_code_that_means_it_alone(name: str) -> None:
    for said in (name, *(row.code for row in routes.codes(name))):
        if routes.find(said) != name or (said.isdigit() and len(said) < 6):
            continue  # a code that other lists give another route
        first = look_up(said, ON)[0]
        assert (first.kind, first.key) == ("route", name)
        assert all(f"{row.system} {row.code}" in first.detail for row in routes.codes(name))


def test_a_number_is_a_place_before_it_is_a_route() -> None:
    assert look_up("20", ON)[0].kind == "place"


@pytest.mark.parametrize("said", ["JZ date", "dates JW", "revenue code 0636", "0636", "route codes"])
def test_what_is_asked_about_often_has_a_topic(said: str) -> None:
    assert "topic" in {hit.kind for hit in look_up(said, ON, REFERENCE)}


def test_what_nothing_knows_finds_nothing() -> None:
    assert look_up("xyzzy", ON) == ()
