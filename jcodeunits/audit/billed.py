"""What a claim file says was billed: code, modifiers and NDC of a line, in whichever cells an export has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .. import hcpcs
from ..batch import columns
from ..errors import LONGEST
from ..quantity import QUALIFIERS
from ..recipes.cells import blank, number_text

_APART = r"[^0-9A-Z]"
_BEFORE = rf"{_APART}*(?:(?:HCPCS?|CPT|HC|CODE){_APART}*)*(?:0?[0-9]{{3}}{_APART}+)?"  # 0636: a revenue code
_MARK = rf"(?:{_APART}*[A-Z][0-9A-Z]|{_APART}+[2-9][0-9])"
_WASTE = rf"{_APART}+J[WZ](?![0-9A-Z])"  # what of the words behind a code is a modifier for certain
_WORDS = rf"{_APART}+(?=.*[A-Z]{{3}})(?!.*\b[A-Z][0-9]{{4}}\b).*"  # of no second code
_BEHIND = rf"(?P<marks>{_MARK}*){_APART}*|(?P<waste>(?:{_WASTE})*){_WORDS}"
_BILLED = re.compile(rf"{_BEFORE}(?P<code>{hcpcs.CODE.pattern})(?:{_BEHIND})", re.DOTALL)


def code_of(cell: Any) -> tuple[str, tuple[str, ...]]:
    """The code in the cell of one, in capitals, and the modifiers behind it; a cell of another form as it stands.

    >>> code_of("j1885"), code_of("J1885-JZ"), code_of("HC:J1885:JZ:59"), code_of("0636 J1885")
    (('J1885', ()), ('J1885', ('JZ',)), ('J1885', ('JZ', '59')), ('J1885', ()))
    >>> code_of("J1885 JW - KETOROLAC 15 MG"), code_of("ketorolac"), code_of(None)
    (('J1885', ('JW',)), ('KETOROLAC', ()), ('', ()))
    """
    text = "" if blank(cell) else number_text(cell).upper()
    found = _BILLED.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return text, ()
    return found["code"], modifiers_of(found["marks"] or found["waste"])


def modifiers_of(value: Any) -> tuple[str, ...]:
    """The modifiers of a cell: two characters each, however they are separated.

    >>> modifiers_of("jz, 59"), modifiers_of("JW|59"), modifiers_of(None)
    (('JZ', '59'), ('JW', '59'), ())
    """
    if isinstance(value, list | tuple):
        value = " ".join(str(part) for part in value if part)
    return () if blank(value) else tuple(re.findall(r"[0-9A-Z]{2}", str(value).upper()))


def as_billed(table: Any, marks: Iterable[str]) -> Any:
    """The table with each code alone in its column, and with all modifiers of a line, those of `marks` too, in one."""
    codes = columns.keys(table["code"])
    read = [code_of(value) for value in codes.values]
    plain, behind = [code or None for code, _ in read], [_joined(modifiers) for _, modifiers in read]
    names = [name for name in ("modifiers", *marks) if name in table.column_names]
    if len(names) > 1 or not names or any(behind):
        said = [columns.cells(table[name], lambda cell: _joined(modifiers_of(cell))) for name in names]
        texts = [*(pa.array(cells, pa.string()) for cells in said), codes.texts(behind)]
        joined = pc.binary_join_element_wise(*texts, " ", null_handling="replace")
        table = table.drop_columns(names).append_column("modifiers", joined)
    if plain != codes.values:
        table = table.set_column(table.column_names.index("code"), "code", codes.texts(plain))
    return _ndc_apart(table) if "ndc" in table.column_names else table


def ndc_of(cell: Any) -> tuple[str, str, str] | None:
    """The NDC, its qualifier and its quantity of a cell that holds all three, as a claim has them; None of another.

    >>> ndc_of("N400409379501ML1.5"), ndc_of("N400409379501 ML 1"), ndc_of("00409379501")
    (('00409379501', 'ML', '1.5'), ('00409379501', 'ML', '1'), None)
    """
    found = None if blank(cell) else _SHADED.fullmatch(str(cell)[:LONGEST].strip().upper())
    return None if found is None else (found[1], found[2], found[3])


_SHADED = re.compile(rf"(?:N4)?\s*([0-9-]{{11,13}})\s*({'|'.join(QUALIFIERS)})\s*([0-9]{{1,12}}(?:\.[0-9]{{1,6}})?)")


def _ndc_apart(table: Any) -> Any:
    """The table with NDC, qualifier and quantity in columns of their own, where they stood in one cell."""
    keys = columns.keys(table["ndc"])
    read = [ndc_of(value) for value in keys.values]
    if not any(read):
        return table
    alone = [None if value is None else number_text(value) for value in keys.values]
    parts = [found or (number, None, None) for found, number in zip(read, alone, strict=True)]
    for at, name in enumerate(("ndc", "ndc_qualifier", "ndc_quantity")):
        made = keys.texts([part[at] for part in parts])
        if at and name in table.column_names:  # what stands in a column of its own counts
            own = columns.keys(table[name])
            made = pc.coalesce(own.texts(None if blank(cell) else number_text(cell) for cell in own.values), made)
        table = table.drop_columns([name] if name in table.column_names else []).append_column(name, made)
    return table


def _joined(modifiers: tuple[str, ...]) -> str | None:
    return " ".join(modifiers) or None
