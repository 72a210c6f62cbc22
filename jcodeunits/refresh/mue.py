"""Unit limits (MUE): practitioner, outpatient hospital and DME supplier tables, and typed rows of them.

As published the first record is a notice in one quoted cell with line breaks, and the header's first cell has a
line break of its own. The edition stands in the file's name alone. Limits that CMS keeps to itself are in no table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .byhand import ByHand
from .dating import When
from .family import Asked, Edition, Family, FileReading, Headed, Tally, is_complete, said
from .files import Cells, Published, problem

_PUBLISHED = ("hcpcs/cpt code", "mue adjudication indicator", "mue rationale")
_SHORT = ("hcpcs code", "mue units", "mue mai")
_BOTH = ("hcpcs code", "practitioner mue", "hospital mue")
_SERVICES = {"practitioner": "professional", "outpatient": "outpatient", "hospital": "outpatient", "dme": "dme"}
_PER = {"1": "line", "2": "day-absolute", "3": "day"}
_TITLES = {"professional": "practitioner", "outpatient": "outpatient hospital", "dme": "DME supplier"}
_FILES = {"professional": "mue-practitioner", "outpatient": "mue-outpatient"}


def slug(words: str) -> str:
    """A short id from a category label.

    >>> slug("Code Descriptor / CPT Instruction")
    'code-descriptor-cpt-instruction'
    """
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _service(words: str) -> str:
    for word, claim in _SERVICES.items():
        if re.search(rf"(?<![a-z]){word}", words.lower()):
            return claim
    return ""


def read(file: Published, asked: Asked, byhand: ByHand) -> Iterable[FileReading]:
    """One table: the limits of the codes that are or may be ours."""
    when = asked.when(file)
    if file.has(_BOTH):
        yield _both(file, when, byhand)
        return
    if file.has(_PUBLISHED):
        header = file.header(_PUBLISHED)
        values = next((name for name in header if name.endswith("mue values")), "")
        wanted: tuple[str, ...] = (*_PUBLISHED, values)
        columns = (values, "mue adjudication indicator", "mue rationale")
        claim = _service(values)
    else:
        wanted, columns = _SHORT, ("mue units", "mue mai", "mue rationale")
        claim = _service(" ".join((*(row[-1] for row in file.head[1:2]), *file.names)))
    if not claim:
        raise problem(file.name, "it does not say whether it is for practitioners, outpatient hospitals or suppliers.")
    if claim == "dme":
        return  # suppliers of equipment bill no injection
    yield _one(file, asked, byhand, when, claim, wanted, columns)


def _one(
    file: Published,
    asked: Asked,
    byhand: ByHand,
    when: When,
    claim: str,
    wanted: tuple[str, ...],
    columns: tuple[str, str, str],
) -> FileReading:
    tally = Tally()
    for line, cells in file.body(wanted):
        code, told = _limit(file, line, cells, wanted[0], columns)
        tally.once(file, line, code, told)
        tally.add(f"{code}|{told}", code if byhand.may_be_ours(code) else None, f"claim={claim}|{told}")
    name = asked.named(file, _FILES[claim])
    title = f"MUE {when.words}, {_TITLES[claim]}{'' if is_complete(name) else ', selected rows'}"
    return tally.reading(Edition(name, when, title))


def _both(file: Published, when: When, byhand: ByHand) -> FileReading:
    tally = Tally()
    for line, cells in file.body(_BOTH):
        for prefix in ("practitioner", "hospital"):
            if not cells.get(f"{prefix} mue"):
                continue
            columns = (f"{prefix} mue", f"{prefix} mai", f"{prefix} rationale")
            code, told = _limit(file, line, cells, "hcpcs code", columns)
            tally.once(file, line, f"{code} of the {prefix}", told)
            ours = code if byhand.may_be_ours(code) else None
            tally.add(f"{code}|{prefix}|{told}", ours, f"claim={_SERVICES[prefix]}|{told}")
    return tally.reading(Edition("mue-rows", when, f"MUE {when.words}, selected rows"))


def _limit(
    file: Published, line: int, cells: Cells, code_column: str, columns: tuple[str, str, str]
) -> tuple[str, str]:
    units, indicator, reason = (cells.get(name, "") for name in columns)
    code = file.code(line, cells[code_column])
    if not re.fullmatch(r"\d{1,9}", units) or indicator[:1] not in _PER:
        raise problem(file.name, f"{code}: {units[:20]!r} units, indicator {indicator[:20]!r} are no limit.", line=line)
    return code, said(units=str(int(units)), per=_PER[indicator[:1]], reason=slug(reason) or "not-printed")


FAMILY = Family(
    name="unit limits (MUE)",
    files=("mue-practitioner", "mue-outpatient", "mue-rows", "mue-practitioner-rows", "mue-outpatient-rows"),
    table="limit_evidence",
    recognises=Headed(_PUBLISHED, _SHORT, _BOTH),
    read=read,
    page="cms.gov, 'Medicare NCCI Medically Unlikely Edits': practitioner and facility outpatient tables",
    closes=True,
    alike=("claim", "units"),
    named=r"(?<![a-z])mue(?![a-z])",
)
