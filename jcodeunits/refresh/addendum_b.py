"""OPPS Addendum B: how the hospital outpatient system treats each code, and its national rate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from .amounts import plain
from .byhand import ByHand
from .family import Asked, Edition, Family, FileReading, Headed, Tally, said
from .files import Published, problem

_PUBLISHED = ("hcpcs code", "short descriptor", "ci", "si", "apc")
_SHORT = ("hcpcs", "status indicator", "payment rate")
_STATUS = re.compile(r"[A-Z]\d?")


def read(file: Published, asked: Asked, byhand: ByHand) -> Iterable[FileReading]:
    """One quarter: status and rate of the codes that are or may be ours."""
    when, tally = asked.when(file), Tally()
    if file.has(_PUBLISHED):
        header = file.header(_PUBLISHED)
        rate = next((name for name in header if name.startswith("payment rate")), "")
        if not rate:
            raise problem(file.name, "no column of its header is the payment rate.")
        wanted: tuple[str, ...] = (*_PUBLISHED, rate)
        code_column, status, price = "hcpcs code", "si", rate
    else:
        wanted = _SHORT
        code_column, status, price = _SHORT
    for line, cells in file.body(wanted):
        code = file.code(line, cells[code_column])
        if not _STATUS.fullmatch(cells[status]):
            raise problem(file.name, f"{code}: {cells[status][:20]!r} is no status.", line=line)
        rate = tally.price(cells[price], cells[status])
        told = said(status=cells[status], rate=plain(Decimal(rate)) if rate else "")
        tally.once(file, line, code, told)
        tally.add(f"{code}|{told}", code if byhand.may_be_ours(code) else None, told)
    if not tally.statements:
        raise problem(file.name, "it holds no code of ours below its header.")
    name = asked.named(file, "opps")
    yield tally.reading(Edition(name, when, f"OPPS Addendum B {when.words}"))


FAMILY = Family(
    name="outpatient statuses (OPPS Addendum B)",
    files=("opps", "opps-rows"),
    table="status_evidence",
    recognises=Headed(_PUBLISHED, _SHORT),
    read=read,
    page="cms.gov, 'Addendum A and Addendum B Updates' of the hospital outpatient system",
    closes=True,
    alike=("status",),
    price="rate",
    named=r"addendum[ _.-]*b(?![a-z])",
)
