"""Products by NDC: what one container holds, under which codes, and how an NDC line counts it.

The table has a row for every NDC of CMS's quarterly crosswalk. One NDC is looked up without reading the
others. The date finds the row; before the first and after the last edition the nearest row answers, with a
note.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property

import attrs

from .. import ndc
from ..dated import Citation, as_date
from ..errors import UnknownProduct
from ..finding import Finding, declare
from .product_rows import Container, Product, ProductReview
from .store import Store

FINDINGS = declare(
    __name__,
    {
        "ndc-read-as": ("An NDC without hyphens was read one way", "note"),
        "product-reach": ("The product was listed at another time", "note"),
    },
)


@attrs.frozen(eq=False)
class Products:
    """The products and reviewed containers that answers are read from."""

    store: Store

    def rows(self, number: str) -> tuple[Product, ...]:
        """Every dated row of an NDC (11 digits), oldest first; empty where there is none."""
        return self.store.starting(Product, ndc.format(number))

    def resolve(self, number: object) -> str:
        """The 11 digits; a bare ten-digit number only where exactly one product has those digits."""
        return ndc.compact(number, settle=lambda readings: [r for r in readings if self.rows(r)])

    def find(self, number: object, on: object) -> tuple[Product, tuple[Finding, ...]]:
        """The row of an NDC on a day, and notes on how far the data reaches.

        Raises `InvalidNdc`, `AmbiguousNdc` or `UnknownProduct`.
        """
        date, digits = as_date(on), self.resolve(number)
        rows = self.rows(digits)
        if not rows:
            raise UnknownProduct(
                f"NDC {ndc.format(digits)} is in no edition of CMS's crosswalk from {self.reach[0]} to "
                f"{self.reach[1]}. Check it against the package; else give the drug's code and the amount "
                "in one container.",
                ndc=digits,
                on=date,
            )
        row = next((row for row in rows if row.period.holds(date)), None) or min(rows, key=lambda r: _away(r, date))
        return row, (*_read_as(number, digits, row), *_reach_note(row, rows, date, self.reach))

    def of_code(self, code: str, on: object) -> tuple[Product, ...]:
        """Every product listed under a code on a day; before and after the editions, in the nearest one."""
        first, last = self.reach
        date = min(max(as_date(on), first), last)
        return tuple(p for p in self.store.holding(Product, code) if code in p.codes and p.period.holds(date))

    def codes(self, number: object, on: object) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        """The HCPCS codes of an NDC on a day, and notes."""
        row, notes = self.find(number, on)
        return row.codes, notes

    def container(self, number: str, on: object) -> Container | None:
        """The reviewed container of an NDC, else of its labeler and product, on a day."""
        date, written = as_date(on), ndc.format(number)
        for key in (written, written[:10]):
            for row in self._containers.get(key, ()):
                if row.period.holds(date):
                    return row
        return None

    def review(self, number: str) -> ProductReview | None:
        """The reviewed row of an NDC (11 digits) on which the lists differ."""
        rows = self.store.starting(ProductReview, ndc.format(number))
        return rows[-1] if rows else None

    @cached_property
    def newest(self) -> Citation:
        """The newest crosswalk that was read: what is cited where an NDC is in none."""
        return self.store.cited(self.store.newest("asp-xwalk-").id)

    @cached_property
    def reach(self) -> tuple[dt.date, dt.date]:
        """First and last day of CMS's crosswalk as far as it was read."""
        return self.store.reach("asp-xwalk-")

    @cached_property
    def _containers(self) -> dict[str, tuple[Container, ...]]:
        made: dict[str, tuple[Container, ...]] = {}
        for row in self.store.rows(Container):
            made[row.product] = (*made.get(row.product, ()), row)
        return made


def _away(row: Product, on: dt.date) -> int:
    """How many days a row's period lies from a day outside it."""
    return (row.effective - on).days if on < row.effective else (on - (row.ends or on)).days


def _read_as(number: object, digits: str, row: Product) -> tuple[Finding, ...]:
    if not isinstance(number, str) or ndc.is_valid(number):
        return ()
    says = f"{number.strip()!r} has ten digits without hyphens; read as {ndc.format(digits)}, the only product."
    return (Finding("ndc-read-as", "note", says, "Write the NDC with its hyphens.", (row.citation,)),)


def _reach_note(
    row: Product, rows: Iterable[Product], on: dt.date, reach: tuple[dt.date, dt.date]
) -> tuple[Finding, ...]:
    """A note where the day lies outside the editions, or where the NDC was not listed on it."""
    first, last = reach
    if first <= on <= last and row.period.holds(on):
        return ()
    if on > last and row.period.holds(on):
        says = f"CMS's crosswalk is known up to {last}; its row for NDC {row.number} answers for {on}."
    elif on < first:
        says = f"CMS's crosswalk is known from {first}; its nearest row for NDC {row.number} answers for {on}."
    else:
        listed = ", ".join(str(r.period) for r in rows)
        says = f"NDC {row.number} was not in CMS's crosswalk on {on} (listed {listed}); the nearest row answers."
    return (Finding("product-reach", "note", says, "Check the package.", (row.citation,)),)
