"""Nothing hangs, nothing aborts, nothing is "not foreseen": every door with values that nobody gives in good faith."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import pytest
from hostile import DOORS, NUMBERS, OBJECTS, TEXTS, check_message, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jcodeunits as jc
from jcodeunits.cli import VERBS, main
from jcodeunits.errors import JcodeunitsError, escaped, quoted

PLAIN = (
    "J1885",
    "30 mg",
    "0409-3795-01",
    "2026-03-02",
    "IM",
    "ketorolac",
    "11",
    "ISA*00*",
    "MSH|^~\\&|",
    '{"on": "x"}',
)


@pytest.mark.parametrize("door", DOORS)
def test_every_door_answers_or_refuses_in_words(door: str) -> None:
    for made in OBJECTS.values():
        value = made()
        refused(lambda value=value: DOORS[door](value))  # type: ignore[misc]
    for text in (*NUMBERS, *TEXTS):
        refused(lambda text=text: DOORS[door](text))  # type: ignore[misc]


@given(st.sampled_from(sorted(DOORS)), st.text(max_size=300) | st.binary(max_size=60) | st.floats() | st.integers())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_doors_with_what_hypothesis_finds(door: str, value: Any) -> None:
    refused(lambda: DOORS[door](value))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_refuses_in_printed_characters(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    for text in (*TEXTS[::3], *NUMBERS[::6], "--on", "--json\n", "--json=\x1b"):
        start = time.process_time()
        assert main([verb, text, text, "--on", "2026-03-02"]) in (0, 1, 2)
        assert time.process_time() - start < 20  # what hung did so for minutes
        said = capsys.readouterr()
        for line in said.err.split("\n"):
            assert escaped(line) == line
        assert "not foreseen" not in said.err
        assert "Traceback" not in said.err


@pytest.mark.parametrize("words", [["-x"] * 20_000, ["--flag"] * 20_000, ["mg"] * 20_000, ["x", "a " * 5_000]])
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_no_call_of_many_words_takes_long(verb: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    start = time.process_time()
    assert main([verb, *words]) == 2
    assert time.process_time() - start < 3
    said = capsys.readouterr()
    assert said.out == ""
    check_message(said.err.replace("\n", " "))


@pytest.mark.parametrize("text", ["J1885\x1b[31m", "a\r\nb", "\x9b31m", "\u2028", "\ud800", "\u202egm"])
def test_a_message_shows_what_was_given_escaped(text: str) -> None:
    check_message(str(JcodeunitsError(f"{text} is none.")))
    check_message(quoted(text))
    check_message(quoted([text]))
    with pytest.raises(JcodeunitsError) as caught:
        jc.billing_units(text, "30 mg", "2026-03-02")
    check_message(str(caught.value))


def test_the_lines_of_a_list_of_problems_stay_lines() -> None:
    says = str(JcodeunitsError("x.csv does not load:\n  line 2: \x1b[2J is none\n  line 3: bad"))
    assert says.split("\n") == ["x.csv does not load:", "  line 2: \\x1b[2J is none", "  line 3: bad"]


def test_a_message_is_cut_and_keeps_its_way_out() -> None:
    says = str(JcodeunitsError(f"{'x' * 10**6} is none. Write 1 mg."))
    assert len(says) < 2000
    assert says.endswith(" is none. Write 1 mg.")
    says = str(JcodeunitsError(f"x.csv does not load:\n  line 2: {'x' * 5000} is none\n  line 3: bad"))
    assert [line[-7:] for line in says.split("\n")] == ["t load:", "is none", " 3: bad"]


def _mutated(rng: random.Random, text: str) -> str:
    """A text with some of its letters taken out, doubled, or replaced by bad ones."""
    letters = list(text)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(letters) + 1)
        letters[at : at + rng.randrange(3)] = rng.choice((*TEXTS, *NUMBERS, "", "0", " ", "|", "*", "~"))[
            : rng.choice((1, 3, 400))
        ]
    return "".join(letters)


@pytest.mark.hour
def test_doors_for_an_hour(seconds: float) -> None:
    rng, seen, end = random.Random(), Counter[str](), time.monotonic() + seconds
    objects = list(OBJECTS.values())
    while time.monotonic() < end:
        door = rng.choice(sorted(DOORS))
        value = rng.choice(objects)() if rng.random() < 0.2 else _mutated(rng, rng.choice((*PLAIN, *TEXTS, *NUMBERS)))
        try:
            error = refused(lambda door=door, value=value: DOORS[door](value))  # type: ignore[misc]
        except BaseException as why:
            why.add_note(f"{door} with {ascii(value)[:2000]}")
            raise
        seen["refused" if error is not None else "answered"] += 1
    print(dict(seen))
    assert seen["refused"] > seconds


@pytest.mark.parametrize("text", ["DOE JANE 77120034 " * 3000, "\n".join(["DOE"] * 500)])
@pytest.mark.parametrize("door", ["cms1500.read", "ub04.read"])
def test_a_paper_form_that_is_none_is_not_shown(door: str, text: str) -> None:
    error = refused(lambda: DOORS[door](text))
    assert error is not None
    assert "77120034" not in str(error)
    assert len(str(error)) < 2000
