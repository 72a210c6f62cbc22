"""Names with words that make another name longer, and with numbers: no longer text answers as the shorter.

All pairs are two millions, and hours: each name is tried with ten ends of its own, the same for the same name.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from functools import cache

from shipped import DRUGS

from jcodeunits.errors import CodeError
from jcodeunits.facts.choosing import choose
from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.drug_text import parts_of
from jcodeunits.facts.reading_names import read
from jcodeunits.facts.words import normal, squeezed

ON = dt.date(2026, 8, 15)
NAMES = sorted(
    {row.ingredient for row in DRUGS.drugs}
    | {row.brand for row in DRUGS.brands}
    | {row.name for row in DRUGS.names if row.kind != "unsafe"}
)


def answer(text: str) -> Drug | None:
    try:
        return choose(DRUGS, text, ON).drug
    except CodeError:
        return None


def endings() -> list[str]:
    """What makes a listed name another listed name, where it holds no strength, fluid, route, form or package."""
    keys = {normal(name) for name in NAMES}
    found = set()
    for key in keys:
        words = key.split()
        found |= {" ".join(words[i:]) for i in range(1, len(words)) if " ".join(words[:i]) in keys}
    around = {*DRUGS.around, *(f"in {word}" for word in DRUGS.fluids)}
    return sorted(
        end for end in found if end not in around and not any(part.strength is not None for part in parts_of(end))
    )


def spelt(text: str) -> str:
    """A text as reviewed rows write it out, the longest phrases first, without forms, routes and packages."""
    words, made, at = normal(text).split(), [], 0
    while at < len(words):
        for size in range(min(8, len(words) - at), 0, -1):
            phrase = words[at : at + size]
            short, public = DRUGS.cut_short.get(" ".join(phrase)), DRUGS.public.get("".join(phrase))
            if " ".join(phrase) in DRUGS.around:
                break
            if short is not None or (public is not None and public.is_name):
                made.append(normal(short.means if short is not None else public.means))
                break
        else:
            size = 1
            made.append(words[at])
        at += size
    return " ".join(made)


@cache
def listed(code: str) -> tuple[frozenset[str], ...]:
    """The words of every name that is listed for a code or may mean it."""
    named = (name for name in NAMES if code in {row.code for row in DRUGS.meant_by(squeezed(name))})
    return tuple(frozenset(normal(name).split()) for name in named)


@cache
def words_of(code: str) -> frozenset[str]:
    said = (f"{row.name} {row.form} {' '.join(row.routes)}" for row in DRUGS.rows(code))
    return frozenset(word for text in said for word in normal(text).split())


def is_said(end: str, name: str, code: str) -> bool:
    """Whether what stands behind a name says what the code is anyway: its form, its salt cut short, its other name.

    Words cut short and names of public lists are compared as their reviewed rows write them out, and a text may be
    made of several names that are listed for the code ("WoundEx Membrane" beside "BioSkin").
    """
    held = words_of(code) | set(normal(name).split())
    if code in {row.code for row in DRUGS.meant_by(squeezed(end))} or is_held(normal(end), held):
        return True
    whole = {*spelt(f"{name} {end}").split(), *normal(f"{name} {end}").split()}
    held |= {word for words in listed(code) if words <= whole for word in words}
    return any(is_held(text, held) for text in (normal(end), spelt(end), spelt(spelt(end)), spelt(f"{name} {end}")))


def is_held(text: str, held: set[str]) -> bool:
    return all(any(known.startswith(word) for known in held) for word in text.split())


def is_listed(text: str) -> bool:
    """Whether a text is a name of its own, as it stands or with the unit of its number ("Lupron Depot-Ped 45")."""
    return DRUGS.knows(squeezed(text)) or squeezed(text) in DRUGS.public or DRUGS.knows(squeezed(f"{text} mg"))


def is_around(name: str, end: str) -> bool:
    """Whether an end is the unit of a number that ends the name ("Doxy 100 g"), or a fluid behind a volume."""
    last = parts_of(name)[-1].strength
    is_unit = name[-1].isdigit() and parts_of(f"{normal(name).split()[-1]} {end}")[0].strength is not None
    return is_unit or (last is not None and last.is_by_volume and end in DRUGS.fluids)


def test_no_name_with_the_end_of_another_answers_as_the_name_alone(figure) -> None:
    base = {name: row for name in NAMES if (row := answer(name)) is not None}
    wrong, tried, begun, ends = [], 0, time.process_time(), endings()
    for name, alone in base.items():
        for end in random.Random(name).sample(ends, 10):
            text = f"{name} {end}"
            if is_listed(text) or is_around(name, end):
                continue
            tried += 1
            longer = answer(text)
            if longer is not None and longer.code == alone.code and not is_said(end, name, longer.code):
                wrong.append((name, end, longer.code))
    figure("pairs of a name and the end of another", tried, f"{len(base) * len(ends)} that are")
    figure("seconds for them", time.process_time() - begun, "a bench")
    assert wrong == []


def test_no_number_behind_a_brand_is_a_concentration_without_a_reviewed_row(figure) -> None:
    wrong, tried = [], 0
    for brand in sorted({row.brand for row in DRUGS.brands}):
        for number in range(5, 1000, 5):
            text = f"{brand}-{number}"
            tried += 1
            try:
                reading = read(DRUGS, text)
            except CodeError:
                continue
            named = {named.key for named in reading.names} if reading is not None else set()
            if reading is not None and reading.of("concentration") and not named & set(DRUGS.brand_strengths):
                wrong.append(text)
    figure("pairs of a brand and a number", tried, "all")
    assert wrong == []
