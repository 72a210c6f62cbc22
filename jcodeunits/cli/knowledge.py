"""The verb lookup: what the tables and rules know, so that nobody needs a second document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jcodeunits.errors import CodeError

from . import terminal
from .arguments import Day, add_json, add_on, day, document, parser

_SCREENFUL = 20  # hits

if TYPE_CHECKING:
    from jcodeunits.policy import Hit


def lookup(words: Sequence[str]) -> tuple[int, str]:
    """Places, modifiers, administration codes, payer options, rules, denials and documentation on a date.

    examples:
      jcodeunits lookup urgent care
      jcodeunits lookup 96372
      jcodeunits lookup JZ
      jcodeunits lookup denials
      jcodeunits lookup rules --on 2026-03-02
    """
    made = parser(lookup, "TEXT [--on DATE] [--json]")
    made.add_argument(
        "words", nargs="+", metavar="TEXT", help="words that all occur, or a code or a kind of thing"
    )
    add_on(made)
    add_json(made)
    args = made.parse_intermixed_args(words)
    text, on = " ".join(args.words), day(args.on)
    one = " ".join(word.removesuffix("s") for word in text.split())  # "rules" looks for each rule
    hits = hits_of(text, on) if one == text else tuple(dict.fromkeys((*hits_of(one, on), *hits_of(text, on))))
    if not hits or not text.strip():
        raise CodeError(
            f"Nothing is known as {text!r} on {on.date}. Look for a place, modifier, administration code, "
            "payer option, rule, denial or documentation element; drugs are found with `jcodeunits find`.",
            given=text,
        )
    if args.json:
        return 0, document(on, text=text, hits=[hit.as_dict() for hit in hits])
    return 0, "\n".join([*_shown(hits), f"on {on}"])


def hits_of(text: str, on: Day) -> tuple[Hit, ...]:
    """The rows of the policy tables, and the rules in effect, in which every word occurs."""
    from jcodeunits import policy

    wanted = text.casefold().split()
    found = [*policy.shipped().search(text, on.date)]
    for hit in (*_rules(on), *_steps()):
        if all(word in f"{hit.kind} {hit.key} {hit.title} {hit.detail}".casefold() for word in wanted):
            found.append(hit)
    return tuple(sorted(found, key=lambda hit: _rank(hit, text.casefold())))


def _rank(hit: Hit, text: str) -> tuple[bool, bool, bool]:
    """What was named by its key or kind stands first; the long list of drug classes last."""
    return (hit.key.casefold() != text, hit.kind != text, hit.kind == "drug class")


def _rules(on: Day) -> Iterator[Hit]:
    """The rules in effect: whom they are about, how grave they can be, the first source of the reasoning."""
    from jcodeunits import policy, rules

    for rule in rules.registry():
        if rule.period.holds(on.date):
            about = f"for payer {', '.join(rule.payers)}; may say {' or '.join(rule.severities)}"
            yield policy.Hit("rule", rule.id, rule.title, about, rule.period, rule.citations()[0])


def _steps() -> Iterator[Hit]:
    """The findings of the steps that build the lines: each cites the row that decided the case."""
    from jcodeunits import charging, policy, tables
    from jcodeunits.period import Period

    always = Period(min(source.published for source in tables.sources().values() if source.published))
    source = tables.cited("own-review", "the finding cites the row that decides")
    for step in charging.STEPS:
        for name, (title, severity) in step.FINDINGS.items():
            about = f"said while the lines are built; may say {severity}"
            yield policy.Hit("rule", name, title, about, always, source)


def _shown(hits: Sequence[Hit]) -> list[str]:
    """Each hit as a block: kind and key, then what it is and where that stands; on a terminal a screenful."""
    most = _SCREENFUL if terminal.is_terminal() else len(hits)
    lines: list[str] = []
    for hit in hits[:most]:
        lines += terminal.wrapped(hit.title, f"{hit.kind} {terminal.styled(hit.key, 'bold')}: ", "  ")
        lines += terminal.wrapped(f"{hit.detail} [{hit.citation}]".strip(), "  ")
    if len(hits) > most:
        lines.append(f"and {len(hits) - most} more: add a word, or send the output through a pipe")
    return lines
