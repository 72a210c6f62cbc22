"""Why text is no dose: what is wrong with it, and what to write instead."""

from __future__ import annotations

import re

from .errors import UnreadableDose, quoted

NO_UNIT = "the unit is missing."
GENERAL_HELP = "Write a number, a space and a unit: 30 mg, 0.5 mL, 1,000 mcg, 2.4 million units."


def refused(
    given: object, why: str, advice: str = "", what: str = "no dose", argument: str = "dose", instead: str | None = None
) -> UnreadableDose:
    """The refusal of an argument; `instead` is text that is accepted in its place."""
    says = f"{quoted(given)} is {what}: {why} {advice or GENERAL_HELP}"
    return UnreadableDose(says, given=given, argument=argument, instead=instead)


# What text outside the grammar may be: its pattern, what is wrong with it, what to write instead.
_MISTAKES: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.ASCII | re.DOTALL), why, advice)
    for pattern, why, advice in (
        (r"[-−–+].*", "a sign stands before the number.", "Write the amount without a sign, above zero."),
        (r"(?i:nan|inf|infinity)\b.*", "that is no number.", ""),
        (r".*[½¼¾⅓⅔⅛⅜⅝⅞].*|.*\d ?/ ?\d.*", "a fraction is easily misread.", "Write a decimal: 0.5 mg."),
        (r"\d{1,3}( \d{3})+\D.*", "a space stands inside the number.", "Write 1,000 mg or 1000 mg."),
        (r"\d+,\d{1,2}\D.*|0,\d+.*|\d+,\d{4,}.*", "the comma can be a decimal sign.", "Write 0.5 mg or 1,000 mg."),
        (r"[\d.,]+ ?%.*", "a percentage is a concentration.", "Give the volume too: 2 mL of 1%."),
        (r"[\d.,]+", NO_UNIT, "Write the unit: 30 mg."),
        (r"0\d.*", "a zero stands before it; is a decimal point missing?", "Write 0.5 mg or 5 mg."),
        (r"\d+\. ?\D.*", "nothing follows the decimal point.", "Write 5 mg."),
        (
            r"[\d.,]+ ?[^\d\s]+(/| per ).*",
            "it is a rate or a concentration.",
            "Give the weight, the body surface or the volume beside it.",
        ),
        (r"\d[\d.,]*[eE][+-]?\d+.*", "doses are not written with an exponent.", "Write 0.001 mg or 10 million units."),
        (r"[\d.,]+ ?(?:-|–|to) ?[\d.,]+ ?[^\d\s]\D*", "it is a range.", "Write the amount that was given: 4 mg."),
        (
            r"[\d.,]+ ?[a-zA-Z]+ (?:.* )?(?i:q ?\d.*|every .*|[bt]id|qid|daily|prn|for|once|twice)\b.*",
            "it says how often or for what too.",
            "Write the amount that was given alone: 30 mg.",
        ),
        (r"[\d.,]+ ?[^\d.,]+[\d.,]+ ?\D+", "it holds two amounts.", "Write one: 1.5 g instead of 1 g 500 mg."),
    )
)


def lacks_unit(why: Exception) -> bool:
    """Whether a dose was refused because it is a number without a unit."""
    return isinstance(why, UnreadableDose) and NO_UNIT in why.message


# A rate asks for what it is multiplied with.
_ASKED = ((re.compile(r"/ ?kg$", re.IGNORECASE), "weight"), (re.compile(r"/ ?(m2|m²|sq m)$", re.IGNORECASE), "surface"))


def mistake(bare: str, before_route: bool = False) -> tuple[str, str, str]:
    """What is wrong with a text outside the grammar, what to write instead, and the argument that it asks for.

    `before_route`: whether it is a number with a route behind it.
    """
    if before_route:
        return NO_UNIT, "Write the unit before the route: 30 mg IM.", "dose"
    for pattern, why, advice in _MISTAKES:
        if pattern.fullmatch(bare):
            return why, advice, next((name for pattern, name in _ASKED if pattern.search(bare)), "dose")
    return "", "", "dose"
