"""A file that was cut, shifted, sorted or filled by a spreadsheet is refused or told, and never read in halves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import published
import pytest
from test_refresh import workbook
from test_refresh_fold import BYHAND
from test_refresh_samples import Rows, as_text, cells

from jcodeunits.errors import TableError
from jcodeunits.refresh import fold, hcpcs
from jcodeunits.refresh.dating import edition_of
from jcodeunits.refresh.family import Asked, Statements
from jcodeunits.refresh.files import Published
from jcodeunits.refresh.state import NOTHING, FoldResult, State

CODES = [f"J{1000 + n}" for n in range(60)]


def folded(path: Path, base: State = NOTHING, asked: Asked = Asked()) -> FoldResult:  # noqa: B008 - an immutable value
    place = path.parent / f"of {path.name}"
    place.mkdir(exist_ok=True)
    return fold.fold(base, (), [path], BYHAND, asked, place, derived=False)


def says(result: FoldResult) -> Statements:
    (edition,) = result.read
    table = next(f.table for f in map(fold.of_source, [edition.id]) if f is not None)
    return result.state.kept[table].of(edition.file, edition.when.name)


def told(result: FoldResult) -> list[str]:
    return [item.says for item in result.lint if item.kind in ("file", "price")]


def crosswalk(place: Path, year: int) -> Path:
    rows = [
        f"{code},Words,Maker,{10001 + n:05}-{n:04}-01,Drug,1 MG,{1 + n % 7}.5,{1 + n % 10},{n + 1},{(n + 1) * (1 + n % 10)},,"
        for n, code in enumerate(CODES)
    ]
    return published.crosswalk(place, year, 1, rows)


def statuses(place: Path, year: int) -> Path:
    rows = {code: (("GK"[n % 2], f"{5 ** (n % 9)}.5") if n % 10 else ("N", "")) for n, code in enumerate(CODES)}
    return published.addendum_b(place, year, "January", rows)


def code_set(place: Path, year: int) -> Path:
    rows = [(code, f"Injection, drug{code}, 1 mg", "Drug", f"20{n:02}0101", "", "") for n, code in enumerate(CODES)]
    as_book = workbook(place / f"HCPC{year}_JAN_ANWEB.xlsx", rows)
    sheet = openpyxl.load_workbook(as_book).active
    assert sheet is not None
    as_book.unlink()
    return as_text(
        as_book.with_suffix(".csv"), [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    )


MADE: dict[str, Callable[[Path, int], Path]] = {
    "crosswalk": crosswalk,
    "payment limits": lambda place, year: published.limits(
        place, year, 1, {code: f"{5 ** (n % 9)}.125" for n, code in enumerate(CODES)}
    ),
    "unit limits": lambda place, year: published.mue(place, year, 1, {code: n + 1 for n, code in enumerate(CODES)}),
    "statuses": statuses,
    "code set": code_set,
}
# The column that says the most, by the words that it begins with; one more where it is no amount.
COLUMNS = {
    "crosswalk": ("BILLUNITS", "PKG SIZE", "PKG QTY"),
    "payment limits": ("Payment Limit",),
    "unit limits": ("Practitioner Services MUE Values",),
    "statuses": ("SI", "Payment Rate"),
    "code set": ("ADD DT",),
}
EACH = [(name, column) for name, columns in COLUMNS.items() for column in columns]


def read(path: Path) -> tuple[Rows, int, list[int]]:
    """The cells, the place of the header, and the places of the rows below."""
    rows = cells(path)
    header = next(i for i, row in enumerate(rows) if sum(map(bool, row)) > 3)
    return rows, header, [i for i in range(header + 1, len(rows)) if rows[i] and rows[i][0]]


def changed(path: Path, column: str, change: Callable[[list[str]], list[str]]) -> Path:
    """The file with other cells in a column: that of the code where it has no name."""
    rows, header, below = read(path)
    at = next(i for i, name in enumerate(rows[header]) if name.strip() == column) if column else 0
    for i, cell in zip(below, change([rows[i][at] for i in below]), strict=True):
        rows[i][at] = cell
    return as_text(path, rows)


def some(count: int, cell: str) -> Callable[[list[str]], list[str]]:
    """The first cells of a column changed."""
    return lambda cells: [cell.replace("{}", one) if n < count else one for n, one in enumerate(cells)]


@pytest.fixture
def base(tmp_path: Path, request: pytest.FixtureRequest) -> State:
    return folded(MADE[request.getfixturevalue("name")](tmp_path / "base", 2026)).state


# --- against the edition beside it ---------------------------------------------------------------------


@pytest.mark.parametrize(("name", "column"), [*EACH, *((name, "") for name in COLUMNS)])
def test_a_column_that_is_shifted_by_a_row_or_sorted_alone_is_refused(
    tmp_path: Path, base: State, name: str, column: str
) -> None:
    path = MADE[name](tmp_path, 2027)
    assert folded(path, base).read
    changed(path, column, lambda cells: [*cells[1:], cells[0]] if column else cells[::-1])
    with pytest.raises(TableError, match=r"a column may be out of its place.*--whole"):
        folded(path, base)
    assert folded(path, base, Asked(whole=True)).read


def test_an_edition_that_ends_earlier_than_the_one_before_says_which_codes_it_closes(tmp_path: Path) -> None:
    for name in ("crosswalk", "payment limits", "unit limits", "statuses"):
        before = folded(MADE[name](tmp_path / name / "a", 2026)).state
        path = MADE[name](tmp_path / name / "b", 2027)
        rows, _, below = read(path)
        as_text(path, rows[: below[-2]])
        (line,) = [line for line in told(folded(path, before)) if "goes on" in line]
        assert "it ends with J1057" in line
        assert "J1058, J1059: it is cut off, if they have not ended" in line


@pytest.mark.parametrize("name", ["payment limits", "statuses"])
def test_a_price_that_is_another_by_far_is_told(tmp_path: Path, name: str) -> None:
    before = folded(MADE[name](tmp_path / "a", 2026)).state
    column = COLUMNS[name][-1]
    path = changed(
        MADE[name](tmp_path / "b", 2027), column, lambda cells: [*cells[:8], "0.125", f"{cells[9]}9", *cells[10:]]
    )
    (line,) = [line for line in told(folded(path, before)) if "four times" in line]
    assert "of 1 codes the price is four times" in line
    assert "J1008 from 390625" in line
    assert "to 0.125" in line
    assert "J1009" not in line


# --- cells that are none -------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["#N/A", "-{}", "0", "", "1.2E+03", "0,5", "12,5"])
@pytest.mark.parametrize("column", COLUMNS["crosswalk"])
def test_a_crosswalk_with_more_odd_amounts_than_a_slip_explains_is_refused(
    tmp_path: Path, column: str, cell: str
) -> None:
    folded(changed(crosswalk(tmp_path, 2027), column, some(5, cell)))
    with pytest.raises(TableError, match=r"rows lack an amount above zero, the first in line 5: J1000 10001-0000-01"):
        folded(changed(crosswalk(tmp_path, 2027), column, some(6, cell)))


@pytest.mark.parametrize(("name", "column"), [("payment limits", "Payment Limit"), ("statuses", "Payment Rate")])
def test_prices_that_are_none_are_told_and_many_are_refused(tmp_path: Path, name: str, column: str) -> None:
    few = folded(changed(MADE[name](tmp_path, 2027), column, some(5, "see note")))
    assert told(few) == [
        "5 prices are none, for example 'see note', 'see note', 'see note': their codes have no price."
    ]
    for cell in ("see note", "#N/A", "0,095", "-{}1"):
        with pytest.raises(TableError, match="prices are none"):
            folded(changed(MADE[name](tmp_path, 2027), column, some(9, cell)))
    with pytest.raises(TableError, match="none of its rows has a price"):
        folded(changed(MADE[name](tmp_path, 2027), column, some(99, "")))


def test_prices_that_are_missing_among_others_are_told(tmp_path: Path) -> None:
    path = changed(MADE["payment limits"](tmp_path, 2027), "Payment Limit", some(9, ""))
    assert told(folded(path)) == ["9 codes have no price, 51 have one: is the column whole?"]
    path = changed(statuses(tmp_path, 2027), "Payment Rate", some(15, ""))
    assert told(folded(path)) == [
        "6 codes of status G have no price, 18 have one: is the column whole?",
        "7 codes of status K have no price, 23 have one: is the column whole?",
    ]


@pytest.mark.parametrize(
    ("name", "column"), [("payment limits", "Payment Limit"), ("statuses", "Payment Rate"), ("crosswalk", "PKG SIZE")]
)
def test_numbers_of_a_country_that_writes_commas_for_points_are_not_multiplied(
    tmp_path: Path, name: str, column: str
) -> None:
    path = changed(MADE[name](tmp_path, 2027), column, lambda cells: [cell and "1,250" for cell in cells])
    with pytest.raises(TableError, match=r"commas and none has a point"):
        folded(path)
    path = changed(path, column, lambda cells: ["1,250.5", *cells[1:]])
    if name != "crosswalk":
        assert {word for _, words in says(folded(path)) for word in words.split("|") if "250" in word} <= {
            *("limit=1250.500", "limit=1250.000", "rate=1250.5", "rate=1250")
        }


@pytest.mark.parametrize("cell", ["#N/A", "", "5691", "-K"])
def test_a_status_that_is_none_is_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(TableError, match=r"line 5: J1000: .* is no status"):
        folded(changed(statuses(tmp_path, 2027), "SI", some(1, cell)))


def test_a_column_that_is_not_there_is_missed(tmp_path: Path) -> None:
    rows, header, _ = read(path := statuses(tmp_path, 2027))
    rows[header] = ["Weight" if name.startswith("Payment") else name for name in rows[header]]
    with pytest.raises(TableError, match="no column of its header is the payment rate"):
        folded(as_text(path, rows))


def test_a_dosage_without_a_unit_is_a_cell_out_of_its_place(tmp_path: Path) -> None:
    rows, _, below = read(path := MADE["payment limits"](tmp_path, 2027))
    rows[below[3]] = [*rows[below[3]][:2], *rows[below[3]][3:], ""]
    with pytest.raises(TableError, match=r"line 8: J1003: '125\.125' is no dosage"):
        folded(as_text(path, rows))


@pytest.mark.parametrize("name", MADE)
def test_a_row_that_stands_twice_says_the_same_or_is_refused(tmp_path: Path, name: str) -> None:
    rows, header, below = read(path := MADE[name](tmp_path, 2027))
    whole = says(folded(path))
    assert says(folded(as_text(path, [*rows[: below[-1] + 1], rows[below[7]], *rows[below[-1] + 1 :]]))) == whole
    other = list(rows[below[7]])
    at = next(i for i, cell in enumerate(rows[header]) if cell.strip() == COLUMNS[name][0])
    other[at] = {"statuses": "E1", "code set": "20260101"}.get(name, "77")
    with pytest.raises(
        TableError, match=r"line \d+: J1007.* stands here and .*, and the two differ: leave out the one"
    ):
        folded(as_text(path, [*rows[: below[-1] + 1], other, *rows[below[-1] + 1 :]]))


def test_a_code_that_stands_twice_with_the_lines_in_which_it_goes_on_says_its_words_once(tmp_path: Path) -> None:
    head = ["HCPC", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "ADD DT", "ACT EFF DT", "TERM DT"]
    code = ["J1885", "3", "Injection, ketorolac tromethamine,", "Words", "19930101", "", ""]
    rest = ["J1885", "4", "per 15 mg", "", "", "", ""]
    path = tmp_path / "HCPC2027_JAN_ANWEB.csv"
    once = says(folded(as_text(path, [head, code, rest])))
    for rows in ([code, rest, code, rest], [code, code, rest], [code, rest, code]):
        assert says(folded(as_text(path, [head, *rows]))) == once
        assert hcpcs.entries_of(Published(path))["J1885"].long == f"{code[2]} {rest[2]}"
    other = [*rest[:2], "per 30 mg", *rest[3:]]
    with pytest.raises(TableError, match=r"line 4: J1885 stands here and above, and the two differ"):
        folded(as_text(path, [head, code, rest, code, other]))


def test_a_limit_of_both_kinds_of_claim_that_stands_twice_says_the_same_or_is_refused(tmp_path: Path) -> None:
    head = ["hcpcs_code", "practitioner_mue", "practitioner_mai", "hospital_mue", "hospital_mai"]
    limit = ["96372", "4", "3", "5", "3"]
    path = tmp_path / "mue_2027Q1_selected_rows.csv"
    once = says(folded(as_text(path, [head, limit])))
    assert len(once) == 2
    assert says(folded(as_text(path, [head, limit, limit]))) == once
    for other in (["96372", "9", "3", "5", "3"], ["96372", "4", "3", "9", "3"]):
        with pytest.raises(TableError, match=r"line 3: 96372 of the .* stands here and in line 2, and the two differ"):
            folded(as_text(path, [head, limit, other]))


# --- pairs, relative values and units ------------------------------------------------------------------

PAIR = ("96372", "99211", "20050101", "*", "0")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([PAIR, (*PAIR[:4], "1")], "two rows whose days meet"),
        ([PAIR, (*PAIR[:2], "20260101", "*", "0")], "two rows whose days meet"),
        ([(*PAIR[:2], "20050231", "*", "0")], "'20050231' is no date"),
        ([(*PAIR[:3], "20260631", "0")], "it ends '20260631'"),
    ],
)
def test_a_pair_has_one_row_on_each_day_and_days_that_are_ones(
    tmp_path: Path, rows: list[published.Pair], words: str
) -> None:
    with pytest.raises(TableError, match=words):
        folded(published.ptp(tmp_path, "v330r0", rows))


def test_a_pair_of_the_reshaped_layout_has_one_row_on_each_day_too(tmp_path: Path) -> None:
    head = ["column_1", "column_2", "deletion_date", "modifier_indicator", "rationale"]
    pair = ["96372", "99211", "", "0", "More extensive procedure"]
    path = tmp_path / "ptp_practitioner_2027Q1.csv"
    once = folded(as_text(path, [head, pair])).edits.read_text("utf-8")
    assert folded(as_text(path, [head, pair, pair])).edits.read_text("utf-8") == once
    with pytest.raises(TableError, match="96372 and 99211 stand in two rows whose days meet"):
        folded(as_text(path, [head, pair, [*pair[:3], "1", pair[4]]]))


def test_a_pair_that_was_deleted_and_added_again_is_read(tmp_path: Path) -> None:
    path = published.ptp(tmp_path, "v330r0", [(*PAIR[:3], "20201231", "1"), (*PAIR[:2], "20210101", "*", "0")])
    lines = [line.split(",") for line in folded(path).edits.read_text("utf-8").splitlines() if "ptp-" in line]
    assert [(row[3], row[6], row[7]) for row in lines] == [("1", "2005-01-01", "2020-12-31"), ("0", "2021-01-01", "")]


def test_pairs_whose_columns_stand_in_another_order_are_not_turned_round(tmp_path: Path) -> None:
    path = published.ptp(tmp_path, "v330r0", [PAIR])
    path.write_bytes(path.read_bytes().replace(b"Column 1\tColumn 2", b"Column 2\tColumn 1"))
    with pytest.raises(TableError, match="not in the order in which they are published"):
        folded(path)


VALUES = {str(96360 + n): "0.17,0.23,0.23,0.01,0.41,0.41" for n in (0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)}


def test_relative_values_add_up_to_their_total(tmp_path: Path) -> None:
    values = VALUES | dict.fromkeys(list(VALUES)[:2], "0.17,0.23,0.23,0.01,4.41,0.41")
    (line,) = told(folded(published.relative_values(tmp_path, 2027, "JAN", values, "33.4")))
    assert "2 totals are not the sum of their parts, for example 96360: work 0.17" in line
    with pytest.raises(TableError, match="out of its place"):
        folded(published.relative_values(tmp_path, 2027, "JAN", dict.fromkeys(VALUES, values["96360"]), "33.4"))
    with pytest.raises(TableError, match=r"3340\.09 is no conversion factor"):
        folded(published.relative_values(tmp_path, 2027, "JAN", VALUES, "3340.09"))


def test_units_in_a_column_of_names_are_refused(tmp_path: Path) -> None:
    numbers = [f"{99999030100 + n}" for n in range(40)]
    units = published.nsde(tmp_path, {**dict.fromkeys(numbers, "ML"), **dict.fromkeys(numbers[:9], "A drug")})
    assert folded(units, asked=Asked(edition_of("2027-01"))).read
    with pytest.raises(TableError, match=r"billing units are none.*out of its place"):
        folded(published.nsde(tmp_path, dict.fromkeys(numbers, "A drug")))


# --- the same file, saved otherwise --------------------------------------------------------------------


def test_a_price_without_its_last_zeros_is_the_same_edition(tmp_path: Path) -> None:
    path = published.limits(tmp_path, 2027, 1, {"J9260": "5.290", "J9250": "3.000", "J1885": "0.5125"})
    first = folded(path)
    rows, _, _ = read(path)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append([float(cell) if cell[:1].isdigit() and cell.replace(".", "").isdigit() else cell for cell in row])
    book.save(path.with_suffix(".xlsx"))
    again = folded(path.with_suffix(".xlsx"), first.state)
    assert (again.read, [one.id for one in again.known]) == ((), ["asp-limits-2027q1"])
    assert sorted(says(first))[1:] == [("J9250", "limit=3.000|dosage=1 MG"), ("J9260", "limit=5.290|dosage=1 MG")]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_rows_in_which_a_long_file_shows_what_it_is_are_whole(tmp_path: Path, encoding: str) -> None:
    notes = [[f"A note {n} " + "x" * 9_000, "", "", ""] for n in range(50)]
    path = tmp_path / "MCR_MUE_PractitionerServices_Eff_01-01-2027.csv"
    as_text(path, notes)
    path.write_bytes(path.read_text("cp1252").encode(encoding))
    (file,) = fold.find([path])
    assert {len(row) for row in file.head} == {4}
    assert len(file.head) < 50
