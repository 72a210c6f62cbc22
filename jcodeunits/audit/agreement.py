"""Groups of lines that plainly agree, told at once: an administered line, alone or with its JW line.

What is not plain is judged by itself (`verdicts`), which gives the same answers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..batch import columns
from .billed import modifiers_of
from .expected import Bench, true_of
from .verdicts import is_limited, is_no_ndc, is_open, joined_modifiers


def agreeing(bench: Bench, starts: Any) -> tuple[Any, dict[str, Any]]:
    """Which lines plainly agree, and the answers to those, by name."""
    table, billed = bench.table, bench.billed
    rows = table.num_rows
    nothing = np.zeros(rows, bool), dict[str, Any]()
    if not rows or not _is_text(table["code"].type) or not _is_text(table["modifiers"].type):
        return nothing
    words = columns.keys(table["modifiers"])
    read = [modifiers_of(value) for value in words.values]
    wasted = np.array(["JW" in said for said in read])[words.index]
    zero = np.array(["JZ" in said for said in read])[words.index]
    group = np.zeros(rows, np.int64)
    group[starts] = 1
    group = np.cumsum(group) - 1
    size, lost = np.bincount(group), np.bincount(group, wasted)
    # The administered line of each group, and its JW line; groups of others are not plain.
    lead = np.zeros(len(size), np.int64)
    lead[group[~wasted]] = np.flatnonzero(~wasted)
    lead = lead[group]
    pair = (lost == 1)[group]
    good = ((size - lost == 1) & (lost <= 1))[group]
    units = billed["units"].fill_null(-1).to_numpy()
    waste = billed["waste_units"].fill_null(-1).to_numpy()
    ours = columns.keys(billed["modifier"])
    jz = np.array(["JZ" in modifiers_of(value) for value in ours.values], bool)[ours.index]
    said = columns.keys(billed["findings"])
    settled = ~np.array([is_open(value) for value in said.values], bool)[said.index]
    good &= ~np.array([is_no_ndc(value) or is_limited(value) for value in said.values], bool)[said.index]
    own = true_of(pc.equal(table["code"].cast(pa.string()), billed["hcpcs"].cast(pa.string())))
    own &= true_of(pc.invert(pc.is_in(billed["hcpcs"].cast(pa.string()), pa.array(bench.unsure, pa.string()))))
    expected = np.where(wasted, waste[lead], units)
    counted = _counted(table["units"], pa.array(expected))
    good &= counted & (expected > 0)
    good &= np.where(wasted, waste[lead] > 0, own & (~settled | ((jz == zero) & ((waste > 0) == pair))))
    good &= (settled[lead] | ~pair) & (wasted | true_of(billed["same_ndc"]))
    good = (np.bincount(group, good) == size)[group]  # groups that are good throughout
    how = words.index * 4 + np.where(wasted, 3, np.where(settled, jz.astype(np.int64), 2))
    kept = np.flatnonzero(good)
    take = pa.array(kept)
    modifiers = [text for one in read for text in _expected_modifiers(one)]
    return good, {
        "verdict": pa.array(["agrees"]).dictionary_encode().take(pa.array(np.zeros(len(kept), np.int64))),
        "expected_code": billed["hcpcs"].take(pa.array(lead[kept])),
        "expected_units": pa.array(expected[kept]),
        "expected_modifiers": pa.array(modifiers, pa.string()).dictionary_encode().take(pa.array(how[kept])),
        "expected_ndc": pc.if_else(pa.array(wasted), None, billed["ndc"]).take(take),
        "difference_units": pa.array(np.zeros(len(kept), np.int64)),
    }


def _expected_modifiers(said: tuple[str, ...]) -> tuple[str | None, ...]:
    """Of a line with these modifiers: where ours has no JZ, where it has one, where nobody knows, of a JW line."""
    return joined_modifiers(said, ()), joined_modifiers(said, ("JZ",)), None, "|".join(said) or None


def _counted(units: Any, expected: Any) -> Any:
    """Where a line plainly has the units expected."""
    if not pa.types.is_signed_integer(units.type):
        units, expected = units.cast(pa.string()), expected.cast(pa.string())
    return true_of(pc.equal(units, expected))


def _is_text(kind: Any) -> bool:
    return columns.is_text(kind) or pa.types.is_null(kind)
