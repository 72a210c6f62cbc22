"""Every kind of column in every place of an audit, and passed through files: judged, or refused by its name."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from odd_columns import ODD_COLUMNS

from jcodeunits import audit
from jcodeunits.audit import chargemaster
from jcodeunits.batch import bill, bill_file, bill_stream
from jcodeunits.errors import BatchError

DAY = "2026-03-02"
# The lines of claim 2 stand before one of claim 1, so that they are put in order and back.
LINE = {"claim": ["2", "1"], "line": ["1"] * 2, "code": ["J1885"] * 2, "units": ["3"] * 2, "modifiers": [""] * 2}
LINE |= {"on": [DAY] * 2, "dose": ["30"] * 2, "unit": ["mg"] * 2}
CHARGE = {"item": ["1", "2"], "code": ["J1885"] * 2, "units_per_charge": ["3"] * 2, "charge_unit": ["30 mg"] * 2}
DOSE = {"drug": ["J1885"] * 2, "dose": ["30"] * 2, "unit": ["mg"] * 2, "on": [DAY] * 2}
of_charges = chargemaster.__globals__
DOORS = {
    "lines": (audit.judge, LINE, (*audit.REQUIRED, *audit.OPTIONAL)),
    "charges": (partial(chargemaster, on=DAY), CHARGE, (*of_charges["REQUIRED"], *of_charges["OPTIONAL"])),
}


@pytest.mark.parametrize("odd", ODD_COLUMNS, ids=lambda column: str(column.type))
@pytest.mark.parametrize("door", DOORS)
def test_a_column_of_any_type_is_judged_or_refused_by_name(door: str, odd: Any) -> None:
    judge, given, ours = DOORS[door]
    for name in (*ours, "note"):
        table = pa.table(given | {name: odd})
        said = ""
        try:
            made = judge(table)
        except BatchError as error:
            said = str(error)
        if said:
            assert (repr(name) in said, name != "note") == (True, True)
        else:
            assert (made.num_rows, made[name].type) == (2, odd.type)


@pytest.mark.parametrize("odd", ODD_COLUMNS, ids=lambda column: str(column.type))
def test_a_column_that_is_not_read_passes_through_files_and_samples(odd: Any, tmp_path: Path) -> None:
    for given, way in (
        (DOSE, partial(bill_file, progress=False)),
        (LINE, partial(audit.judge_file, progress=False)),
        (LINE, partial(audit.judge_file, progress=False, sample=2, page=tmp_path / "report.html")),
        (CHARGE, partial(audit.chargemaster_file, on=DAY)),
        (CHARGE, partial(audit.chargemaster_file, on=DAY, sample=2, page=tmp_path / "report.md")),
    ):
        source, target = tmp_path / "given.parquet", tmp_path / "made.parquet"
        try:
            pq.write_table(pa.table(given | {"note": odd}), source)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            return  # what Parquet does not hold
        way(source, target)
        assert pq.read_metadata(target).num_rows == 2


def test_lines_of_a_polars_frame_are_judged_in_whatever_order_they_stand() -> None:
    frame = polars.DataFrame({**LINE, "note": ["x", "y"]})
    made = audit.judge(frame)
    assert made["verdict"].to_pylist() == ["differs", "differs"]
    assert made["claim"].to_pylist() == ["2", "1"]


@pytest.mark.parametrize("code", [99213, "J1885"])
def test_a_drug_of_numbers_beside_a_line_is_judged_as_their_text(code: object) -> None:
    table = pa.table(LINE | {"code": [code] * 2, "drug": [409379501, None]})
    assert audit.judge(table).num_rows == 2


def views(texts: list[str]) -> pa.Array:
    """Texts as a dictionary of views, as engines hand over categories."""
    return pa.DictionaryArray.from_arrays(list(range(len(texts))), pa.array(texts, pa.string_view()))


def test_a_dictionary_of_views_is_read_as_any_text() -> None:
    assert bill(pa.table(DOSE | {"drug": views(["J1885", "ketorolac"])}))["units"].to_pylist() == [2, 2]
    lines = pa.table(LINE | {"claim": views(["2", "1"]), "code": views(["J1885", "J0696"])})
    assert audit.judge(lines)["verdict"].to_pylist() == ["differs", "differs"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_column_of_a_frame_that_no_arrow_holds_is_named_and_shows_no_value(library: str) -> None:
    wide = polars.Series("claim", [1, 2], dtype=polars.Int128)
    given = {
        "pandas": pandas.DataFrame(LINE | {"claim": [{1}, "DOE, JOHN"]}),
        "polars": polars.DataFrame(LINE | {"claim": wide}),
    }
    with pytest.raises(BatchError, match="The column claim holds values of several kinds") as why:
        audit.judge(given[library])
    assert "DOE" not in str(why.value)
    passed = {"pandas": pandas.DataFrame(DOSE | {"note": [1, "x"]}), "polars": polars.DataFrame(DOSE | {"note": wide})}
    assert list(bill(passed[library])["units"]) == [2, 2]


class Hostile:
    """An object that answers nothing."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        return 1


KINDS = [Hostile(), object, 3, 3.5, True, 10**5000, b"x", bytearray(b"x"), {"a": 1}, {1}, lambda: 1, iter([1]), 1j]


@pytest.mark.parametrize("value", [*KINDS, ["x"], None], ids=lambda value: type(value).__name__)
def test_an_argument_of_a_wrong_kind_is_named_with_the_kind_that_is_wanted(value: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "given.csv", tmp_path / "made.csv"
    source.write_text("drug,dose,unit,on\nJ1885,30,mg,2026-03-02\n")
    judged = tmp_path / "lines.csv"
    judged.write_text(f"{','.join(LINE)}\n{','.join(cells[0] for cells in LINE.values())}\n")
    table = pa.table(DOSE)
    doors = {
        "source": (lambda: bill_file(value, target), lambda: audit.judge_file(value)),
        "target": (lambda: bill_file(source, value), lambda: audit.judge_file(judged, value)),
        "encoding": (lambda: bill_file(source, target, encoding=value),),
        "date_format": (lambda: bill(table, date_format=value), lambda: audit.judge(pa.table(LINE), date_format=value)),
        "outputs": (lambda: bill(table, outputs=value), lambda: bill_stream(table.to_reader(), outputs=value)),
        "sample": (lambda: audit.judge_file(judged, sample=value),),
        "by": (lambda: audit.judge_file(judged, by=value),),
        "page": (lambda: audit.judge_file(judged, page=value),),
    }
    fits = {"sample": int, "date_format": type(None), "page": type(None), "target": type(None), "outputs": list}
    for argument, calls in doors.items():
        if type(value) is not fits.get(argument):
            for call in calls:
                with pytest.raises(BatchError):
                    call()


@pytest.mark.parametrize(
    "encoding", ["base64", "rot13", "hex", "zlib", "punycode", "undefined", "no such", "\x00", "é"]
)
def test_an_encoding_of_no_text_is_refused(encoding: str, tmp_path: Path) -> None:
    source = tmp_path / "given.csv"
    source.write_text("drug,dose,unit,on\nJ1885,30,mg,2026-03-02\n")
    with pytest.raises(BatchError, match="encoding"):
        bill_file(source, tmp_path / "made.csv", encoding=encoding)
