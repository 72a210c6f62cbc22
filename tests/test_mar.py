"""Words of administration records: what was given, what was not, and who must be asked."""

from __future__ import annotations

from typing import Any

import pytest
from shipped import rows_of

import jcodeunits as jc
from jcodeunits import mar
from jcodeunits.encounter import Encounter
from jcodeunits.errors import FormatError
from jcodeunits.formats import hl7v2
from jcodeunits.mar import MarWord

WORDS: tuple[MarWord, ...] = rows_of(MarWord)


def read(word: str, stop: str = "", **beside: Any) -> Encounter:
    text = f"RXA|0|1|20260302101500|{stop}|^ketorolac|30|mg|||||||||||||{word}|A\rRXR|IM"
    found = hl7v2.read(text, place="11", payer="commercial", diagnoses=["R52"], **beside)
    assert isinstance(found, Encounter)
    return found


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.word)
@pytest.mark.parametrize("vouched", [False, True])
def test_every_word_is_billed_only_as_what_it_means(row: MarWord, vouched: bool) -> None:
    word, stop = row.word.title(), "20260302103500"
    if row.means in ("not-given", "no-dose") or (row.means == "other" and not vouched):
        with pytest.raises(FormatError, match=r"RXA-20 says"):
            read(word, stop, completed=vouched)
        return
    found = read(word, stop, completed=vouched)
    codes = [line.code for line in jc.charge(found).lines]
    assert found.administrations[0].self_administered is (row.means == "self-administered")
    assert codes == {"self-administered": ["J1885"], "patient-supplied": ["96372"]}.get(row.means, ["96372", "J1885"])


def test_a_bag_that_was_hung_is_asked_for_its_end() -> None:
    with pytest.raises(FormatError, match=r"New Bag.*hung.*completed=True"):
        read("New Bag")
    assert read("New Bag", "20260302105000").administrations[0].stop == "10:50"
    assert read("New Bag", completed=True).administrations[0].dose == "30 mg"


def test_a_word_that_nobody_knows_is_refused_by_name_until_the_sender_explains_it() -> None:
    for beside in ({}, {"completed": True}):
        with pytest.raises(FormatError, match=r"'Verabreicht', which is no completion status.*actions="):
            read("Verabreicht", **beside)
    assert read("Verabreicht", actions={"verabreicht": "given"}).administrations[0].drug == "ketorolac"
    with pytest.raises(FormatError, match=r"RXA-20 says 'Pausiert'"):
        read("Pausiert", actions={"Pausiert": "no-dose"}, completed=True)
    with pytest.raises(FormatError, match=r"'maybe' is no meaning"):
        read("Verabreicht", actions={"Verabreicht": "maybe"})


def test_a_time_in_the_place_of_the_status_says_nothing_of_it() -> None:
    with pytest.raises(FormatError, match=r"is no word.*completed=True"):
        read("20260302101500")
    assert read("20260302101500", completed=True).administrations[0].time == "10:15"


def test_the_standards_own_statuses_stay_as_they_are() -> None:
    assert read("CP").administrations[0].drug == "ketorolac"
    with pytest.raises(FormatError, match=r"RE .refused"):
        read("RE", completed=True)
    with pytest.raises(FormatError, match=r"contradicts itself"):
        read("CP~Not Given")


def test_words_are_kept_as_they_are_looked_up() -> None:
    assert all(mar.meaning(row.word.upper()) == row.means for row in WORDS)
