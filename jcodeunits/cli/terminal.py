"""The terminal: how wide it is, whether it shows colour, and text laid out for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

_STYLES = {"bold": "1", "stop": "1;31", "warn": "33", "note": "36", "faint": "2"}
_PIPE_WIDTH = 80


def is_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout is not None and bool(sys.stdout.isatty())


def width(stream: Any = None) -> int:
    """The columns of the terminal, between 60 and 120; 80 in a pipe."""
    out = sys.stdout if stream is None else stream
    shown = is_terminal() if stream is None else stream.isatty()
    try:
        columns = os.get_terminal_size(out.fileno()).columns if shown else _PIPE_WIDTH
    except (OSError, ValueError, AttributeError):
        columns = _PIPE_WIDTH
    return max(60, min(columns or _PIPE_WIDTH, 120))


def styled(text: str, style: str) -> str:
    """The text in a colour, on a terminal that wants it. Colour only repeats what the words say."""
    if not is_terminal() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def wrapped(text: str, first: str = "", after: str | None = None) -> list[str]:
    """The text in lines that fit, behind `first`; following lines behind `after` (as many spaces)."""
    import textwrap

    rest = " " * len(first) if after is None else after
    return textwrap.wrap(
        text, width(), initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]


def fields(pairs: Iterable[tuple[str, object]]) -> list[str]:
    """Names and values in two columns; a pair without a value is left out."""
    shown = [(name, str(value)) for name, value in pairs if value is not None and value != ""]
    room = max((len(name) for name, _ in shown), default=0) + 2
    lines: list[str] = []
    for name, value in shown:
        lines.extend(wrapped(value, name.ljust(room)))
    return lines


def steps(trace: Iterable[Any]) -> list[str]:
    """The steps of an answer: what was done on the left; why, and the source in brackets, on the right."""
    column = width() // 2
    lines: list[str] = []
    for step in trace:
        why = " ".join(part for part in (step.why, f"[{step.citation}]" if step.citation else "") if part)
        if len(step.says) > column - 2:
            lines += wrapped(step.says, "", "  ")
            lines += wrapped(why, " " * column) if why else []
        else:
            lines += wrapped(why, step.says.ljust(column), " " * column)
    return lines


def finding_lines(
    findings: Iterable[Any],
    plain: bool = False,
    cited: bool = False,
    flag: Callable[[str | None], str] = lambda _: "",
    room: int | None = None,
) -> list[str]:
    """Each finding in words, what can cost money first: severity, what is wrong, what to do.

    How far the data go is one line for all of them, what was never loaded first. `cited`: with rule and source;
    `plain`: no colour; `flag`: the option of the verb that says what a finding asks for; `room`: notes beyond so many
    lines are counted.
    """
    from jcodeunits.finding import SEVERITIES

    paint = (lambda text, _: text) if plain else styled
    ranked = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    reached = [finding for finding in ranked if finding.reach and not cited]
    far = sorted(dict.fromkeys(finding.reach for finding in reached), key=lambda told: "none loaded" not in told)
    lines: list[str] = []
    left = 0
    for finding in ranked:
        if finding.reach and not cited:
            continue
        says = " ".join(part for part in (finding.says, finding.fix, flag(finding.argument)) if part)
        body = wrapped(says, f"{finding.head}: ", "  ")
        if room is not None and finding.severity == "note" and len(lines) + len(body) + bool(far) > max(room, 1):
            left += 1
            continue
        body[0] = body[0].replace(finding.severity, paint(finding.severity, finding.severity), 1)
        lines += body
        if cited:
            cites = "; ".join(str(citation) for citation in finding.citations)
            lines += [paint(line, "faint") for line in wrapped(f"[{finding.rule}: {cites}]", "  ")]
    more = f"{left} more note{'s' * (left != 1)}: --explain" if left else ""
    if far:
        grave = min((finding.severity for finding in reached), key=SEVERITIES.index)
        said = f"{', '.join(far)}. Load newer files, or check with the payer"
        body = wrapped("; ".join(filter(None, (said, more))), f"{grave}: data: ", "  ")
        lines += [body[0].replace(grave, paint(grave, grave), 1), *body[1:]]
    elif more:
        lines.append(f"and {more}")
    return lines


def table(
    head: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = (), headed: bool = False
) -> list[str]:
    """Rows under a head, ruled on a terminal, plain in a pipe (`headed`: with it); `right`: columns of counts."""
    if is_terminal():
        from jcodeunits.show import text_table

        return str(text_table(head, rows, right, width())).splitlines()
    cells = [[str(cell).replace("\n", " ") for cell in row] for row in ([head, *rows] if headed else rows)]
    widths = [max([len(row[i]) for row in cells], default=0) for i in range(len(head))]
    aligned = [
        [
            cell.rjust(room) if name in right else cell.ljust(room)
            for cell, room, name in zip(row, widths, head, strict=True)
        ]
        for row in cells
    ]
    return ["  ".join(row).rstrip() for row in aligned]


def as_json(value: object) -> str:
    """One JSON document."""
    import json

    return json.dumps(value, indent=2)
