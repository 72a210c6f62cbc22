"""The verb lookup: what the tables and rules know, so that nobody needs a second document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jcodeunits.errors import CodeError, quoted

from . import terminal
from .arguments import Parser, add_answer, asked, parser

_SCREENFUL = 20  # hits

if TYPE_CHECKING:
    from jcodeunits.lookup import Hit


def lookup(words: Sequence[str]) -> tuple[int, str]:
    """Places, modifiers, administration codes, payer options, rules, denials and documentation on a date.

    examples:
      jcodeunits lookup urgent care
      jcodeunits lookup 96372
      jcodeunits lookup JZ
      jcodeunits lookup CO-97
      jcodeunits lookup denials
      jcodeunits lookup rules --on 2026-03-02
    """
    args = arguments().read(words)
    text, on = " ".join(args.words), asked(args)
    from jcodeunits.lookup import look_up

    hits = look_up(text, on.date, reference=on.reference)
    if not hits or not text.strip():
        raise CodeError(
            f"Nothing is known as {quoted(text)} on {on.date}. Look for a place, modifier, administration code, "
            "payer option, rule, denial or documentation element; drugs are found with `jcodeunits find`.",
            given=text,
        )
    if args.json:
        return 0, on.document(text=text, hits=[hit.as_dict() for hit in hits])
    return 0, on.text([*_shown(hits), f"on {on}"])


def arguments() -> Parser:
    """What the verb takes."""
    made = parser(lookup)
    made.add_argument("words", nargs="+", metavar="TEXT", help="words that all occur, or a code or a kind of thing")
    add_answer(made)
    return made


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
