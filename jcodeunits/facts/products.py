"""Products by NDC: what one container holds, under which codes, and how an NDC line counts it.

The table has a row for every NDC of CMS's quarterly crosswalk. One NDC is looked up without reading the
others. The date finds the row; before the first and after the last edition the nearest row answers, with a
note.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache

import attrs

from .. import ndc
from ..barcode import scanned
from ..dated import Citation, Period, as_date
from ..errors import InvalidNdc, UnknownProduct, quoted
from ..finding import Finding, Findings, declare, own_rows, past_reach
from ..grouped import grouped
from ..tables import OWN
from .product_rows import AnotherPackage, Container, Marketing, Product, ProductReview
from .siblings import another_package, nearest, own
from .store import Store

FINDINGS = declare(
    __name__,
    {
        "another-package": ("Another package of the product is known and answers", "note"),
        "ndc-read-as": ("An NDC without hyphens was read one way", "note"),
        "outside-crosswalk": ("CMS does not list the NDC; another file answers", "note"),
        "not-marketed": ("The NDC was not marketed on the date", "warn"),
        "product-expired": ("The lot had expired on the day it was given", "warn"),
        "product-reach": ("The product was listed at another time", "warn, note"),
    },
)


@attrs.frozen(eq=False)
class Products:
    """The products and reviewed containers that answers are read from."""

    store: Store

    def rows(self, number: str) -> tuple[Product, ...]:
        """Every dated row of an NDC (11 digits), oldest first; empty where there is none.

        So it is for an NDC that files only name, or do since its code has ended, where another package of its product
        has a code.
        """
        listed = self.store.starting(Product, ndc.format(number))
        if not all(row.codes for row in listed) and any(
            row.codes and row.ndc != number for row in self.packages(number)
        ):
            return ()
        return tuple(own(row) for row in listed)

    def resolve(self, number: object, on: object) -> str:
        """The 11 digits; of a barcode or bare number where one product has them. `InvalidNdc`, `AmbiguousNdc`."""
        try:
            return ndc.compact(number, settle=self._known, on=on)
        except InvalidNdc as error:
            raise self._restored(error) from None

    def _known(self, readings: Iterable[str]) -> list[str]:
        """The readings that are products, else those that are packages of one. A table of 5-4-2 has no six digits."""
        five = [reading for reading in readings if len(reading) == 11]
        return [reading for reading in five if self.rows(reading)] or [one for one in five if self.packages(one)]

    def packages(self, number: str) -> tuple[Product, ...]:
        """Every dated row of every package of the labeler's product that an NDC (11 digits) belongs to."""
        return self.store.starting(Product, ndc.format(number)[:11], whole=False)

    def _restored(self, error: InvalidNdc) -> InvalidNdc:
        """A number that has lost its zeros, with the one product that it was; without a way out where none is."""
        lost = error.fields.get("instead")
        if not lost:
            return error
        known = self._known(ndc.readings(lost[1:]))
        if len(known) != 1:
            return InvalidNdc(error.message, **{**error.fields, "instead": None})
        label = self.packages(known[0])[-1].label
        says = (
            f"{quoted(error.given)} has lost its leading zeros, as numbers do in a spreadsheet. With them it is "
            f"{ndc.format(known[0])} ({label}): check that this stands on the package, and write {known[0]}."
        )
        return InvalidNdc(says, **{**error.fields, "instead": known[0]})

    def find(self, number: object, on: object) -> tuple[Product, Findings]:
        """The row of an NDC on a day, and notes on how far the data reaches.

        An NDC that is not known, of a labeler's product that is, answers with what all known packages share.
        Raises `InvalidNdc`, `AmbiguousNdc` or `UnknownProduct`.
        """
        return _find(self, number, as_date(on)) if isinstance(number, str) else self._find(number, as_date(on))

    def _find(self, number: object, date: dt.date) -> tuple[Product, Findings]:
        digits = self.resolve(number, date)
        rows, other = self.rows(digits), None
        if not rows:
            named = self.store.starting(Product, ndc.format(digits))
            packages, mine = self.packages(digits), nearest(named, date) if named else None
            if mine is not None and mine.codes:  # its code has ended since
                packages = ()
            other = another_package(digits, packages, date, lambda one: self.container(one, date), mine)
            if other is None and mine is not None:  # its packages differ, so what files say of it alone answers
                rows = tuple(own(row) for row in named)
        if not rows:
            if other is not None:
                said = (_said(other), *_expired(number, date, other), *self._unmarketed(other, date))
                return other, (*_read_as(number, digits, other, date), *said)
            beside = "the packages of its product have several codes" if packages else "no package of its product is"
            says = (
                f"NDC {ndc.format(digits)} is in none of the files that were read (CMS's crosswalk from "
                f"{self.reach[0]} to {self.reach[1]}, a state's conversion file, the FDA's lists, prices), and "
                f"{beside}. Check it against the package; else give the drug's code and the amount in one container."
            )
            raise UnknownProduct(says, ndc=digits, on=date)
        row = nearest(rows, date)
        outside = isinstance(row, AnotherPackage) or not row.codes
        reached = (_outside(row),) if outside else _reach_note(row, rows, date, self.reach)
        notes = (*_read_as(number, digits, row, date), *reached)
        return row, (*notes, *_expired(number, date, row), *self._unmarketed(row, date), *self._own(row, date))

    def is_marketed(self, number: str, on: dt.date) -> bool:
        """Whether an NDC (11 digits) was marketed on a day; where no list has its days, it was."""
        listed = self.store.starting(Marketing, ndc.format(number))
        return not listed or any(row.period.holds(on) for row in listed)

    def _unmarketed(self, row: Product, on: dt.date) -> Findings:
        """A finding where the FDA's list has the days of an NDC, and the date is none of them."""
        if self.is_marketed(row.ndc, on):
            return ()
        listed = self.store.starting(Marketing, row.number)
        days = ", ".join(str(one.period) for one in listed)
        says = f"NDC {row.number} ({row.label}) was not marketed on {on}; the FDA lists it {days}."
        return (Finding("not-marketed", "warn", says, "Check the NDC against the package.", (listed[-1].citation,)),)

    def _own(self, row: Product, on: dt.date) -> Findings:
        """A note where a site's row of the product, or of its container, stands in place of a shipped one."""
        if not self.store.own:
            return ()
        reviewed = self.container(row.ndc, on)
        return own_rows((row.citation, reviewed.citation if reviewed is not None else None))

    def changes(self, listed: Mapping[str, list[Period]]) -> set[dt.date]:
        """The days on which the row of an NDC, the nearest one or its marketing changes; `listed`: the rows' days."""
        marketed = self.store.days(Marketing)
        days = (period for number, rows in listed.items() for period in (*rows, *marketed.get(number, ())))
        changes = {day for period in days for day in period.changes}
        return changes.union(day for rows in listed.values() if len(rows) > 1 for day in _between(rows))

    def of_code(self, code: str, on: object) -> tuple[Product, ...]:
        """Every product listed under a code on a day; before and after the editions, in the nearest one."""
        first, last = self.reach
        date = min(max(as_date(on), first), last)
        return tuple(
            p
            for p in self.store.mentioning(Product, lambda line: code.casefold() in line)
            if code in p.codes and p.period.holds(date) and "per-unit" not in p.marks
        )

    def codes(self, number: object, on: object) -> tuple[tuple[str, ...], Findings]:
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
        return grouped(self.store.rows(Container), lambda row: row.product)


@lru_cache(maxsize=4096)
def _find(products: Products, number: str, date: dt.date) -> tuple[Product, Findings]:
    """What a number as written names on a day; remembered, because each step of an answer asks for it."""
    return products._find(number, date)


def _said(other: AnotherPackage) -> Finding:
    """That another package answers, and with what."""
    shared = {0: ["the name"], 1: ["the code"]}.get(len(other.codes), ["the codes"])
    shared += [f"the unit {other.qualifier}"] if other.qualifier else []
    shared += [f"the concentration {other.contents}"] if other.contents else []
    says = (
        f"NDC {other.number} is not known; {ndc.format(other.sibling)} ({other.label}) is another package of the same "
        f"product and answers for {', '.join(shared)}."
    )
    fix = "What a container holds is not shared: say it, where it is asked for. Check the NDC against the package."
    return Finding("another-package", "note", says, fix, (other.citation,))


def _between(rows: Iterable[Period]) -> Iterable[dt.date]:
    """The days on which another row of one NDC becomes the nearest, where nothing was listed in between."""
    for before, after in itertools.pairwise(sorted(rows, key=lambda row: row.effective)):
        if before.ends is not None and before.ends + dt.timedelta(1) < after.effective:
            yield before.ends + dt.timedelta((after.effective - before.ends).days // 2 + 1)


def _outside(row: Product) -> Finding:
    """That CMS does not list the NDC, and what answers."""
    if not row.codes:
        says = f"NDC {row.number} ({row.label}) is in no edition of CMS's crosswalk, and no file proves its code."
        if row.confidence == "low":
            says += " Its name is that under which a state's conversion file bills it; no other file names it."
        fix = "Give the drug's code or name beside it, and check the label."
        return Finding("outside-crosswalk", "note", says, fix, (row.citation,))
    says = (
        f"NDC {row.number} ({row.label}) is in no edition of CMS's crosswalk; its code and the drug in one unit of "
        "the NDC line are those of a state's conversion file. What a container holds is not known."
    )
    return Finding("outside-crosswalk", "note", says, "Check the code and the label.", (row.citation,))


def _read_as(number: object, digits: str, row: Product, on: dt.date) -> Findings:
    """How digits that fit several NDCs were read, and what else a barcode says."""
    if not isinstance(number, str) or ndc.is_valid(number, on=on):
        return ()
    scan = scanned(number)
    if scan is None:
        says = f"{quoted(number.strip())} has no hyphens; read as {ndc.format(digits)}, the only product."
    else:
        beside = [f"lot {scan.lot}"] if scan.lot else []
        beside += [f"serial number {scan.serial}"] if scan.serial else []
        beside += [f"expires {scan.expires}"] if scan.expires else []
        says = f"The barcode holds {scan.digits}, read as {ndc.format(digits)}, the only product; {', '.join(beside)}"
        says = f"{says.rstrip('; ')}."
    return (Finding("ndc-read-as", "note", says, "Check it against the package.", (row.citation,)),)


def _expired(number: object, on: dt.date, row: Product) -> Findings:
    scan = scanned(number)
    return () if scan is None else expired(row.number, scan.lot, scan.expires, on, row.citation)


def expired(number: str, lot: str | None, expires: dt.date | None, on: dt.date, cite: Citation) -> Findings:
    """A finding where the last day of use lies before the day that the product was given."""
    if expires is None or expires >= on:
        return ()
    says = f"NDC {number}{f', lot {lot},' if lot else ''} expired on {expires}, before the date of service ({on})."
    return (Finding("product-expired", "warn", says, "Check lot and expiry in the record.", (cite,)),)


def _reach_note(row: Product, rows: Iterable[Product], on: dt.date, reach: tuple[dt.date, dt.date]) -> Findings:
    """A note where the day lies outside the editions, or the NDC was not listed on it; a warning beyond a quarter."""
    first, last = reach
    if row.period.holds(on) and (first <= on <= last or row.source == OWN):
        return ()  # an edition says so, or a site's own row
    if on > last and row.period.holds(on):
        says = f"CMS's crosswalk is known up to {last}; its row for NDC {row.number} answers for {on}."
        far, grave = f"products to {last}", past_reach(on, last)
        return (Finding("product-reach", grave, says, "Check the package.", (row.citation,), reach=far),)
    if on < first:
        says = f"CMS's crosswalk is known from {first}; its nearest row for NDC {row.number} answers for {on}."
    else:
        listed = ", ".join(str(r.period) for r in rows)
        says = f"NDC {row.number} was not in CMS's crosswalk on {on} (listed {listed}); the nearest row answers."
    return (Finding("product-reach", "note", says, "Check the package.", (row.citation,)),)
