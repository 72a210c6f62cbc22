"""A refresh is a fold: the order of files does not matter, nothing is lost, and a folder is old or new, never mixed."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import published
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shipped import FOLDER

import jcodeunits as jc
from jcodeunits.errors import TableError
from jcodeunits.facts.folder import open_folder
from jcodeunits.refresh import fold, place
from jcodeunits.refresh.byhand import ByHand
from jcodeunits.refresh.dating import edition_of
from jcodeunits.refresh.family import EVIDENCE, Asked
from jcodeunits.refresh.state import NOTHING, State

BYHAND = ByHand(jc.Reference.shipped().store)
SOLD = "J9260,Methotrexate,Maker,{},Methotrexate,15 MG,1,25,2,50,,"


def tables(folder: Path) -> dict[str, bytes]:
    """The tables that a folder's manifest names."""
    made = open_folder(folder)
    return {name: Path(str(made.file(name))).read_bytes() for name in made.digests}


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(tables(folder)[f"{name}.csv"].decode().splitlines()))


def edits(folder: Path, one: str) -> list[tuple[str, str, str, str]]:
    found = [row for row in rows(folder, "edits") if row["column_1"] == one]
    return [(row["column_2"], row["claim"], row["effective"], row["ends"]) for row in found]


def quarters(place: Path) -> list[Path]:
    """Four editions of several families; each lacks or changes something of the one before."""
    return [
        published.mue(place, 2026, 1, {"J9260": 8, "J9035": 16}),
        published.mue(place, 2026, 2, {"J9260": 9, "J9035": 16}),
        published.mue(place, 2026, 3, {"J9260": 9}),
        published.mue(place, 2026, 3, {"J9260": 12}, "Outpatient Hospital Services"),
        published.limits(place, 2026, 3, {"J9260": "0.5"}),
        published.limits(place, 2026, 4, {"J9260": "0.6", "J9035": "1"}),
        published.crosswalk(place, 2026, 3, [SOLD.format("72998-0001-01"), SOLD.format("72998-0002-01")], "NDC2"),
        published.crosswalk(place, 2026, 4, [SOLD.format("72998-0001-01")]),
        published.ptp(place, "v321r0", [("96372", "99999", "20200101", "*", "1")]),
        published.ptp(place, "v323r0", [("96372", "99999", "20200101", "20260630", "1")]),
        published.ptp(place, "v323r0", [("96372", "99999", "20200101", "*", "0")], kind="oph", end="\r\n"),
        published.relative_values(place, 2026, "OCT", {"96372": "0.17,0.28,0.28,0.01,0.46,0.46"}, "33.4009"),
        published.addendum_b(place, 2026, "October", {"J9260": ("N", ""), "96372": ("S", "$ 80.10")}),
        published.nadac(place, {"72998000101": ("KETOROLAC 30 MG/ML VIAL", "ML")}),
        published.nsde(place, {"72998000101": "ML"}, "_2026-11-20"),
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return quarters(tmp_path_factory.mktemp("quarters"))


# --- the laws, on what is folded -----------------------------------------------------------------------


def _folded(state: State, lines: list[str], paths: list[Path], place: Path) -> tuple[State, list[str]]:
    result = fold.fold(state, iter(lines), paths, BYHAND, Asked(edition_of("2026-11")), place, derived=False)
    return result.state, result.edits.read_text("utf-8").splitlines(keepends=True)[1:]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_by_one_in_any_order_is_all_at_once(made: list[Path], tmp_path: Path, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(made), unique=True, min_size=1))
    together = _folded(NOTHING, [], chosen, tmp_path)
    state, lines = NOTHING, []
    for path in data.draw(st.permutations(chosen)):
        state, lines = _folded(state, lines, [path], tmp_path)
    assert (state, lines) == together
    assert _folded(state, lines, chosen, tmp_path) == together, "fed again"


def test_the_tables_are_a_pure_function_of_what_is_folded(made: list[Path], tmp_path: Path) -> None:
    fold.refresh(made, tmp_path / "at once", anew=True)
    fold.refresh(made[:1], tmp_path / "one by one", anew=True)
    for path in random.Random(3).sample(made, len(made)):
        fold.refresh([path], tmp_path / "one by one")
    assert tables(tmp_path / "one by one") == tables(tmp_path / "at once")
    manifests = [(tmp_path / name / "manifest.json").read_bytes() for name in ("at once", "one by one")]
    assert manifests[0] == manifests[1]


# --- what each family says -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(made: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("folded") / "facts"
    fold.refresh(made, place, anew=True)
    return place


def _spans(folder: Path, name: str, value: str, **key: str) -> list[tuple[str, str, str]]:
    found = [row for row in rows(folder, name) if all(row[column] == cell for column, cell in key.items())]
    return [(row[value], row["effective"], row["ends"]) for row in found]


def test_a_complete_edition_changes_and_closes(folder: Path) -> None:
    limits = [("8", "2026-01-01", "2026-03-31"), ("9", "2026-04-01", "")]
    assert _spans(folder, "limits", "units", code="J9260", claim="professional") == limits
    assert _spans(folder, "limits", "units", code="J9260", claim="outpatient") == [("12", "2026-07-01", "")]
    assert _spans(folder, "limits", "units", code="J9035") == [("16", "2026-01-01", "2026-06-30")]
    assert _spans(folder, "products", "codes", ndc="72998-0002-01") == [("J9260", "2026-07-01", "2026-09-30")]
    prices = [("0.500", "2026-07-01", "2026-09-30"), ("0.600", "2026-10-01", "")]  # as CMS prints them
    assert _spans(folder, "fees", "amount", code="J9260") == prices


def test_verified_is_the_day_of_the_edition(folder: Path) -> None:
    newest = [row for row in rows(folder, "limits") if row["source"] == "mue-practitioner-2026q3"]
    assert {row["verified"] for row in newest} == {"2026-07-01"}


def test_a_pair_has_its_own_first_and_last_day_for_each_claim(folder: Path) -> None:
    assert edits(folder, "96372")[-2:] == [
        ("99999", "outpatient", "2020-01-01", ""),
        ("99999", "professional", "2020-01-01", "2026-06-30"),
    ]


def test_relative_values_hold_for_their_year(folder: Path) -> None:
    assert ("0.46", "2026-01-01", "2026-12-31") in _spans(folder, "fees", "amount", code="96372", measure="total-rvu")
    assert ("33.4009", "2026-01-01", "2026-12-31") in _spans(folder, "fees", "amount", measure="conversion-factor")
    assert _spans(folder, "fees", "amount", code="96372", measure="opps-rate") == [("80.1", "2026-10-01", "")]


def test_a_partial_edition_closes_nothing(folder: Path, tmp_path: Path) -> None:
    place = _copied(folder, tmp_path)
    path = published.mue(tmp_path, 2026, 4, {"J9035": 20})
    fold.refresh([path], place, asked=Asked(partial=True))
    assert _spans(place, "limits", "units", code="J9260", claim="professional")[-1] == ("9", "2026-04-01", "")
    assert _spans(place, "limits", "units", code="J9035", claim="professional")[-1] == ("20", "2026-10-01", "")


def test_a_full_table_wins_over_selected_rows_of_its_quarter(folder: Path, tmp_path: Path) -> None:
    place = _copied(folder, tmp_path)
    some = published.mue(tmp_path / "some", 2026, 4, {"J9260": 99, "J9035": 20})
    whole = published.mue(tmp_path, 2026, 4, {"J9260": 10})
    for path, partial in ((whole, False), (some, True)):
        fold.refresh([path], place, asked=Asked(partial=partial))
    assert _spans(place, "limits", "units", code="J9260", claim="professional")[-1] == ("10", "2026-10-01", "")
    assert _spans(place, "limits", "units", code="J9035")[-1][2] == "2026-06-30"


def test_an_older_quarter_goes_to_its_place(folder: Path, tmp_path: Path) -> None:
    place = _copied(folder, tmp_path)
    fold.refresh([published.mue(tmp_path, 2025, 4, {"J9260": 5, "J9035": 16})], place)
    found = [("5", "2025-10-01", "2025-12-31"), ("8", "2026-01-01", "2026-03-31"), ("9", "2026-04-01", "")]
    assert _spans(place, "limits", "units", code="J9260", claim="professional") == found
    assert _spans(place, "limits", "units", code="J9035") == [("16", "2025-10-01", "2026-06-30")]


def test_a_family_touches_only_its_own_tables(folder: Path, tmp_path: Path) -> None:
    place = _copied(folder, tmp_path)
    before = tables(place)
    fold.refresh([published.mue(tmp_path, 2026, 4, {"J9260": 10})], place)
    after = tables(place)
    assert {name for name in after if after[name] != before[name]} == {
        "limits.csv",
        "limit_evidence.csv",
        "sources.csv",
    }


@pytest.mark.parametrize("in_zip", [False, True], ids=["plain", "zip"])
@pytest.mark.parametrize("renamed", [False, True], ids=["its name", "another name"])
def test_every_family_is_known_by_its_header(made: list[Path], tmp_path: Path, in_zip: bool, renamed: bool) -> None:
    for n, path in enumerate([*made, *published.directory(tmp_path / "directory")]):
        place = tmp_path / str(n)
        place.mkdir()
        claim = "outpatient " if "oph" in path.name else "practitioner " if "cci" in path.name else ""
        copy = place / (f"{claim}download{n}{path.suffix}" if renamed else path.name)
        copy.write_bytes(path.read_bytes())
        found = [published.zipped(copy)] if in_zip else [copy]
        readings, left_out = fold.read_all(fold.find(found), Asked(edition_of("2026-10")), BYHAND)
        assert readings, path.name
        assert left_out == []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data[:-40], "cut off"),
        (lambda data: data.replace(b"MUE Rationale", b"Reason"), "is the header of that file"),
        (lambda data: data.replace(b"J9260,9,", b"J9260,nine,"), "are no limit"),
        (lambda data: data.replace(b"J9260,9,", b"J9260,9,9,9,"), "are no limit"),
        (lambda _data: b"", "is empty"),
        (lambda data: data[: len(data) // 2].replace(b"\r\n", b"\0"), "no text file"),
    ],
    ids=["cut off", "another header", "no number", "a shifted row", "empty", "no text"],
)
def test_a_damaged_file_leaves_every_table_as_it_was(
    folder: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], says: str
) -> None:
    place = _copied(folder, tmp_path)
    before = _all(place)
    good = published.limits(tmp_path / "next", 2027, 1, {"J9260": "1"})
    bad = published.mue(tmp_path / "next", 2026, 4, {"J9260": 9})
    bad.write_bytes(spoil(bad.read_bytes()))
    with pytest.raises(TableError, match=says):
        fold.refresh([good, bad], place)
    assert _all(place) == before


def test_the_same_edition_with_other_content_is_refused(folder: Path, tmp_path: Path) -> None:
    place = _copied(folder, tmp_path)
    before = _all(place)
    with pytest.raises(TableError, match="was read before with other content") as caught:
        fold.refresh([published.mue(tmp_path, 2026, 3, {"J9260": 10})], place)
    assert "--corrected" in str(caught.value)
    assert _all(place) == before
    with pytest.raises(TableError, match="was read before with other content") as caught:
        fold.refresh([published.ptp(tmp_path, "v323r0", [("96372", "99211", "20050101", "*", "1")])], place)
    assert "--anew" in str(caught.value)
    assert _all(place) == before


def test_a_corrected_edition_leaves_nothing_of_the_one_before_it(made: list[Path], tmp_path: Path) -> None:
    wrong, right = (published.mue(tmp_path / str(n), 2025, 4, {"J9260": n, "J1885": 7}) for n in (11, 12))
    fold.refresh([*made, wrong], tmp_path / "facts", anew=True)
    told = fold.refresh([right], tmp_path / "facts", asked=Asked(corrected=True))
    assert "2025 Q4" in told.read[0]
    fold.refresh([*made, right], tmp_path / "at once", anew=True)
    assert tables(tmp_path / "facts") == tables(tmp_path / "at once")


def test_a_quarter_that_nobody_loaded_is_named(made: list[Path], tmp_path: Path) -> None:
    fold.refresh(made, tmp_path / "facts", anew=True)
    said = {
        quarter: [str(item) for item in told.lint if item.kind == "between"]
        for year, quarter in ((2026, 4), (2027, 1))
        for told in [
            fold.refresh(
                [published.mue(tmp_path / str(quarter), year, quarter, {"J9260": 9})], tmp_path / "facts", check=True
            )
        ]
    }
    assert said[4] == []
    assert said[1] == [
        "MUE 2027 Q1, practitioner: 2026 Q4 not loaded: what changed there is taken for a change of this quarter."
    ]


@pytest.mark.book
def test_an_edition_that_lacks_most_is_refused_unless_it_is_said_to_be_partial(tmp_path: Path) -> None:
    path = published.mue(tmp_path, 2027, 1, {"J9260": 9})
    with pytest.raises(TableError, match="--partial"):
        fold.refresh([path], tmp_path / "facts")
    assert not (tmp_path / "facts").exists()
    fold.refresh([path], tmp_path / "facts", asked=Asked(partial=True))
    assert _spans(tmp_path / "facts", "limits", "units", code="J9260", claim="professional")[-1][:2] == (
        "9",
        "2027-01-01",
    )


def test_the_packages_own_tables_are_never_written(made: list[Path]) -> None:
    before = _all(FOLDER)
    with pytest.raises(TableError, match="never written"):
        fold.refresh(made, FOLDER)
    assert _all(FOLDER) == before


def test_a_folder_of_something_else_is_never_written(made: list[Path], tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("x")
    with pytest.raises(TableError, match="is not empty"):
        fold.refresh(made[:1], tmp_path / "letters")


def test_a_check_writes_nothing(made: list[Path], tmp_path: Path) -> None:
    told = fold.refresh(made[:3], tmp_path / "facts", check=True, anew=True)
    assert "limits" in told.written
    assert not (tmp_path / "facts").exists()


@pytest.mark.book
def test_two_at_a_time_follow_each_other(made: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "facts"
    runs = [_started(place, path) for path in made[:2]]
    assert [run.wait(300) for run in runs] == [0, 0]
    assert {row["id"] for row in rows(place, "sources")} >= {f"mue-practitioner-rows-2026q{n}" for n in (1, 2)}


@pytest.mark.parametrize("moment", range(10))
def test_killed_at_any_moment_a_folder_is_old_or_new(folder: Path, tmp_path: Path, moment: int) -> None:
    place = _copied(folder, tmp_path)
    before = tables(place)
    path = published.mue(tmp_path, 2026, 4, {"J9260": 10})
    run = _started(place, path)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(0.15 + moment * 0.03)  # it runs for a third of a second, most of it to begin
    if os.name == "posix":
        run.send_signal(signal.SIGKILL)
    run.wait(60)
    now = tables(place)
    assert now == before or {name for name in now if now[name] != before[name]} == {
        "limits.csv",
        "limit_evidence.csv",
        "sources.csv",
    }
    fold.refresh([path], place)
    assert _spans(place, "limits", "units", code="J9260", claim="professional")[-1][0] == "10"


def _started(place: Path, path: Path) -> subprocess.Popen[bytes]:
    command = (
        "import sys; from pathlib import Path; from jcodeunits.refresh import fold; from jcodeunits.refresh.family"
    )
    command += " import Asked; fold.refresh([Path(sys.argv[2])], Path(sys.argv[1]), asked=Asked(partial=True))"
    return subprocess.Popen([sys.executable, "-c", command, str(place), str(path)])


def _copied(folder: Path, into: Path) -> Path:
    import shutil

    place = into / "facts"
    shutil.copytree(folder, place)
    return place


def _all(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path): path.read_bytes() for path in found}


def test_of_members_that_look_alike_the_table_is_taken_and_documents_are_passed_over(tmp_path: Path) -> None:
    import zipfile

    whole = published.mue(tmp_path / "whole", 2026, 4, {"J9260": 9, "J9035": 4, "96372": 4})
    excerpt = published.mue(tmp_path / "excerpt", 2026, 4, {"J9260": 8})
    place = tmp_path / "mue.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.write(excerpt, "a change report Practitioner 2026 Q4.csv")
        archive.write(whole, whole.name)
        archive.writestr("layout.docx", b"PK\x03\x04 no spreadsheet")
        archive.writestr("notes.pdf", b"%PDF-1.7")
        archive.writestr(
            "October 2026 NOC Payment Limit File.csv", "Generic Name,Dosage,Payment Limit\nA drug,1 MG,1\n"
        )
    readings, left_out = fold.read_all(fold.find([place]), Asked(), BYHAND)
    assert [len(reading.statements) for _, reading in readings] == [3]
    assert len(left_out) == 4


@pytest.mark.parametrize("number", ["1e999999999", "9" * 30_000, "-5", "NaN"])
def test_a_number_that_none_is_is_named_and_ends_nothing(tmp_path: Path, number: str) -> None:
    sold = ["J9260,Methotrexate,Maker,72998-0001-01,Methotrexate,50 MG,1,1," + number + ",1,,"]
    file = published.crosswalk(tmp_path, 2026, 4, sold)
    told = fold.refresh([file], tmp_path / "facts", anew=True)
    assert [item.says for item in told.lint if item.kind == "contradicts"] == [
        "J9260 72998-0001-01: an amount is no number."
    ]


# --- what it answers -----------------------------------------------------------------------------------


def test_what_begins_with_an_edition_does_not_answer_on_the_day_before(folder: Path, tmp_path: Path) -> None:
    place = _copied(folder, tmp_path)
    new = [
        published.mue(tmp_path, 2026, 4, {"J9260": 9, "J9255": 4}),
        published.limits(tmp_path, 2027, 1, {"J9260": "0.6", "J9035": "1", "J9255": "2"}),
        published.ptp(tmp_path, "v330r0", [("96372", "96413", "20270101", "*", "1")]),
        published.addendum_b(tmp_path, 2027, "January", {"J9255": ("K", "7"), "J9260": ("N", "")}),
    ]
    fold.refresh(new, place)
    policy = jc.Reference.load(place).policy
    for before, first in (("2026-09-30", "2026-10-01"), ("2026-12-31", "2027-01-01")):
        answers = [
            policy.limit("J9255", before) if before < "2026-10" else None,
            policy.fee("J9255", "payment-limit", before),
            policy.edit("96372", "96413", before),
            policy.status("J9255", before),
        ]
        assert answers == [None] * 4, before
        assert policy.limit("J9255", first) is not None
    assert policy.fee("J9255", "payment-limit", "2027-01-01") is not None
    assert policy.edit("96372", "96413", "2027-01-01") is not None
    # What was there in the oldest edition answers before it, as its beginning is not known.
    assert policy.limit("J9260", "2020-01-01") is not None


def test_a_pinned_manifest_stays_a_reference_and_rolls_back(folder: Path, tmp_path: Path) -> None:
    import pickle
    import shutil

    place = _copied(folder, tmp_path)
    shutil.copy(place / "manifest.json", place / "before.json")
    old = jc.Reference.load(place)
    fold.refresh([published.mue(tmp_path, 2026, 4, {"J9260": 10})], place)
    pinned, new = jc.Reference.load(place / "before.json"), jc.Reference.load(place)
    assert pinned.fingerprint == old.fingerprint != new.fingerprint
    assert [book.policy.limit("J9260", "2026-10-01").units for book in (pinned, new)] == [9, 10]  # type: ignore[union-attr]
    assert pickle.loads(pickle.dumps(pinned)).fingerprint == old.fingerprint
    told = fold.refresh([], place, check=True, compare=pinned)
    assert any("9 a day to 10 a day" in str(change) for change in told.changes)
    shutil.copy(place / "before.json", place / "manifest.json")
    assert jc.Reference.load(place).fingerprint == old.fingerprint
    assert fold.refresh([published.mue(tmp_path, 2026, 4, {"J9260": 10})], place).read != ()


def test_a_saved_page_of_places_keeps_their_rates_and_asks_for_those_of_new_ones(tmp_path: Path) -> None:
    rated = published.plain(
        "pos_2026-01.csv", "pos_code,pos_type,pos_name", "11,Non-facility,Office", "22,Facility,Ward"
    )
    page = published.page(tmp_path, "Place of Service Code Set 2026-10.html", {"11": "Office", "66": "Mobile pharmacy"})
    told = fold.refresh([rated(tmp_path), page], tmp_path / "facts", anew=True)
    found = [(row["code"], row["rate"], row["ends"]) for row in rows(tmp_path / "facts", "places")]
    assert found == [("11", "non-facility", ""), ("22", "facility", "2026-09-30")]
    assert [item.place for item in told.lint if item.kind == "place"] == ["place 66"]
    with pytest.raises(TableError, match=r"--edition 2026-11"):
        fold.refresh([published.page(tmp_path, "codes.html", {"11": "Office"})], tmp_path / "other", anew=True)


def test_a_folder_reaches_as_far_as_its_own_editions_not_as_far_as_the_packages(tmp_path: Path) -> None:
    fold.refresh([published.mue(tmp_path, 2026, 4, {"J9260": 9, "96372": 4})], tmp_path / "facts", anew=True)
    reference = jc.Reference.load(tmp_path / "facts")
    assert reference.edition == "no HCPCS edition"
    assert [source.id for source in reference.store.family("mue-practitioner")] == ["mue-practitioner-2026q4"]
    assert reference.drugs.reach == reference.products.reach == (dt.date.min, dt.date.min)
    with pytest.raises(jc.JcodeunitsError):
        jc.billing_units("ketorolac", "30 mg", on="2026-10-05", reference=reference)


# --- the real files ------------------------------------------------------------------------------------


def test_what_is_shipped_is_what_refresh_derives_so_that_an_edit_by_hand_is_noticed() -> None:
    store = jc.Reference.shipped().store
    texts, _ = fold.derive(fold.state_of(store), BYHAND)
    differs = {name: _lines(texts[name]) ^ _lines((FOLDER / f"{name}.csv").read_text("utf-8")) for name in fold.DERIVED}
    assert {name: sorted(lines)[:4] for name, lines in differs.items() if lines} == {}


def test_after_a_change_by_hand_the_derived_tables_are_placed_without_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = {name: (FOLDER / f"{name}.csv").read_text("utf-8") for name in fold.DERIVED}
    monkeypatch.setattr(place, "derive", lambda _state, _byhand: (shipped, []))
    for name, text in shipped.items():
        (tmp_path / f"{name}.csv").write_text(text.replace("J1885", "J1886"), "utf-8", newline="\n")
    changed = [name for name, text in shipped.items() if "J1885" in text]
    assert place.derive_anew(tmp_path) == tuple(changed)
    assert {name: (tmp_path / f"{name}.csv").read_text("utf-8") for name in shipped} == shipped
    assert place.derive_anew(tmp_path) == ()


def _lines(text: str) -> set[str]:
    return set(text.splitlines())


@pytest.mark.book
def test_the_published_files_one_by_one_in_any_order_are_the_shipped_tables(shared: Path, tmp_path: Path) -> None:
    files = [file for name in ("cms", "fda", "evidence") for file in fold.find([shared / name])]
    paths = list(dict.fromkeys(file.path for file in files))
    random.Random(26).shuffle(paths)
    state, lines = NOTHING, []
    for path in paths:
        try:
            made = fold.fold(state, iter(lines), [path], BYHAND, Asked(), tmp_path, derived=False)
        except TableError as why:  # a page about the files, or one that concerns no code of ours, is refused alone
            assert "none of these files" in str(why)  # noqa: PT017
            continue
        state, lines = made.state, made.edits.read_text("utf-8").splitlines(keepends=True)[1:]
    texts, _ = fold.derive(state, BYHAND)
    for name in (*fold.DERIVED, *EVIDENCE):
        assert texts[name] == (FOLDER / f"{name}.csv").read_text("utf-8"), name
    assert lines == (FOLDER / "edits.csv").read_text("utf-8").splitlines(keepends=True)[1:]


@pytest.mark.book
def test_the_published_files_give_the_shipped_tables_byte_for_byte(shared: Path, tmp_path: Path) -> None:
    files = [shared / name for name in ("cms", "fda", "evidence")]
    fold.refresh(files, tmp_path / "facts", anew=True)
    for name, data in tables(tmp_path / "facts").items():
        shipped = (FOLDER / name).read_bytes()
        if name == "sources.csv":
            assert set(data.splitlines()) <= set(shipped.splitlines())
        else:
            assert data == shipped, name


def test_the_shipped_tables_fed_again_do_not_change(shared: Path, tmp_path: Path) -> None:
    told = fold.refresh([shared / "cms" / "asp_crosswalk", shared / "cms" / "mue"], tmp_path / "facts")
    assert told.read == ()
    assert told.written == ()
