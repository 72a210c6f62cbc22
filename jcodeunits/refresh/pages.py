"""The tables of a page that a browser saved, as rows of text: nothing in it is run, followed or loaded.

The marks are read here, because Python's reader goes through a tag that does not end again with every line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from jcodeunits.errors import quoted

# A comment; what a browser shows as no table, with all that is in it; a tag. Each may run to the end of the page,
# where `end` is empty: so a mark is always found, no letter is looked at for another one, and no page takes long.
_MARK = re.compile(
    r"""(?:
    <!--(?:-?(?=>)|.*?(?:--!?(?=>)|\Z))
    |<(?P<apart>script|style|title|textarea|xmp|iframe|noembed|noframes)(?=[\s/>]).*?(?:</(?P=apart)(?=[\s/>])[^>]*|\Z)
    |<(?P<tag>/?[a-z][^\s/>]*)(?:=\s*(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))|[^>])*+
    |<[!?/][^>]*
    )(?P<end>>?)""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_CELLS = ("td", "th")
_AFTER_A_ROW = ("tr", "/tr", "/table")
_AFTER_A_CELL = (*_CELLS, "/td", "/th", *_AFTER_A_ROW)


def page_rows(page: str) -> Iterator[tuple[int, list[str]]]:
    r"""Line number and cells of every row of the tables of a page. Raises `ValueError` where a mark has no end.

    >>> list(page_rows("<table><tr><th>Code<th>Name</tr>\n<tr><td>11<td>Office &amp; more</table>"))
    [(1, ['Code', 'Name']), (2, ['11', 'Office & more'])]
    >>> list(page_rows("<table>\n<tr><td class='11>Office</table>"))
    Traceback (most recent call last):
        ...
    ValueError: what begins with "<td class='11>Office" in line 2 has no end
    """
    row: list[str] | None = None
    cell: list[str] | None = None
    for line, before, tag in _tags(page):
        if cell is not None:
            cell.append(unescape(before))
        if tag in _AFTER_A_CELL:
            if row is not None and cell is not None:
                row.append(" ".join("".join(cell).split()))
            cell = [] if tag in _CELLS else None
        if tag in _AFTER_A_ROW:
            if row:
                yield line, row
            row = [] if tag == "tr" else None


def _tags(page: str) -> Iterator[tuple[int, str, str]]:
    """The line of every mark, the text before it, and its name if it is a tag; at last the end, which ends tables."""
    line, at = 1, 0
    for mark in _MARK.finditer(page):
        line += page.count("\n", at, mark.start())
        if not mark["end"]:
            raise ValueError(f"what begins with {quoted(mark[0][:20])} in line {line} has no end")
        yield line, page[at : mark.start()], (mark["tag"] or "").lower()
        line += mark[0].count("\n")
        at = mark.end()
    yield line + page.count("\n", at), page[at:], "/table"
