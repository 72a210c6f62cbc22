"""The tables of a page that a browser saved, as rows of text: nothing in it is run, followed or loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

_CELLS = ("td", "th")


class _Tables(HTMLParser):
    """Collects the rows of all tables, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int, list[str]]] = []
        self._row: list[str] | None = None
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base's
        """A row or a cell begins; one that was left open ends."""
        if tag == "tr" or tag in _CELLS:
            self._end_cell()
        if tag == "tr":
            self._end_row()
            self._row = []
        elif tag in _CELLS and self._row is not None:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        """A cell, a row or the table ends."""
        if tag in (*_CELLS, "tr", "table"):
            self._end_cell()
        if tag in ("tr", "table"):
            self._end_row()

    def handle_data(self, data: str) -> None:
        """Text, kept where it stands in a cell."""
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None and self._row is not None:
            self._row.append(" ".join("".join(self._cell).split()))
        self._cell = None

    def _end_row(self) -> None:
        if self._row:
            self.rows.append((self.getpos()[0], self._row))
        self._row = None


def page_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    r"""Line number and cells of every row of the tables of a page.

    >>> list(page_rows(["<table><tr><th>Code<th>Name</tr>\n", "<tr><td>11<td>Office &amp; more</table>"]))
    [(1, ['Code', 'Name']), (2, ['11', 'Office & more'])]
    """
    reader = _Tables()
    for line in lines:
        reader.feed(line)
        yield from reader.rows
        reader.rows.clear()
    reader.close()
    yield from reader.rows
