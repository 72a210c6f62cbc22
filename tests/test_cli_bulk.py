"""The command in bulk and each quarter: files in and out, summaries, and failures in one line."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import published
import pytest

import jcodeunits as jc
from jcodeunits import cli

GIVEN = "id,drug,dose,unit,on\n1,ketorolac,30,mg,2026-03-02\n2,J0696,1,g,2026-03-02\n"
REFUSED = "3,J1030,40,mg,2026-03-02\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def ran(*words: str) -> tuple[int, str, str]:
        status = cli.main([str(word) for word in words])
        return status, *capsys.readouterr()

    return ran


@pytest.fixture
def given(tmp_path: Path) -> Path:
    pytest.importorskip("pyarrow")
    file = tmp_path / "given.csv"
    file.write_text(GIVEN, "utf-8")
    return file


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def refused(ran: tuple[int, str, str]) -> str:
    status, out, err = ran
    assert (status, out, err.count("\n")) == (2, "", 1), ran
    assert "Traceback" not in err
    assert "not foreseen" not in err
    return err


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
@pytest.mark.parametrize("verb", ["batch", "audit"])
def test_a_standard_stream_that_is_closed_is_named(
    run, given: Path, monkeypatch: pytest.MonkeyPatch, verb: str, stream: str
) -> None:
    billed = given.with_name("billed.csv")
    billed.write_text("claim,line,code,units,modifiers,on,dose,unit\n1,1,J1885,2,,2026-03-02,30,mg\n", "utf-8")
    source = "-" if stream == "stdin" else {"batch": given, "audit": billed}[verb]
    monkeypatch.setattr(sys, stream, None)
    assert f"Standard {'input' if stream == 'stdin' else 'output'} is closed" in refused(run(verb, source, "-o", "-"))


# --- batch ------------------------------------------------------------------------------------------


def test_every_row_is_billed_in_order(run, given: Path, tmp_path: Path) -> None:
    status, out, _ = run("batch", given, "-o", tmp_path / "billed.csv", "--quiet")
    made = rows(tmp_path / "billed.csv")
    assert status == 0
    assert [(row["id"], row["hcpcs"], row["units"], row["status"]) for row in made] == [
        ("1", "J1885", "2", "billed"),
        ("2", "J0696", "4", "billed"),
    ]
    assert re.search(r"billed +2", out)


def test_a_row_that_cannot_be_billed_is_kept_and_the_status_says_so(run, given: Path, tmp_path: Path) -> None:
    given.write_text(GIVEN + REFUSED, "utf-8")
    status, out, _ = run("batch", given, "-o", tmp_path / "billed.csv", "--quiet", "--json")
    made = rows(tmp_path / "billed.csv")
    assert status == 1
    assert (made[2]["status"], made[2]["units"]) == ("refused", "")
    assert "J1010" in made[2]["reason"]
    assert json.loads(out) | {"rows": 3, "billed": 2, "refused": 1} == json.loads(out)


def test_rows_through_a_pipe_keep_the_summary_apart() -> None:
    pytest.importorskip("pyarrow")
    done = subprocess.run(
        [sys.executable, "-m", "jcodeunits", "batch", "-", "-o", "-"], input=GIVEN, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert [row["hcpcs"] for row in csv.DictReader(done.stdout.splitlines())] == ["J1885", "J0696"]
    assert "2 rows" in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [("", ""), ("drug,dose\nketorolac,30\n", "unit"), (GIVEN + "4,ketorolac,30\n", "4"), ("\x00\x01\x02", "")],
)
def test_a_file_that_cannot_be_read_leaves_the_earlier_output(
    run, given: Path, tmp_path: Path, text: str, says: str
) -> None:
    given.write_text(text, "utf-8")
    before = tmp_path / "billed.csv"
    before.write_text("earlier\n", "utf-8")
    assert says in refused(run("batch", given, "-o", before, "--quiet"))
    assert before.read_text("utf-8") == "earlier\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["billed.csv", "given.csv"]


def test_a_file_that_is_not_there_is_named(run, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert "nowhere.csv" in refused(run("batch", tmp_path / "nowhere.csv", "-o", tmp_path / "billed.csv"))


def test_an_output_is_needed(run, given: Path) -> None:
    assert "-o" in refused(run("batch", given))


# --- audit ------------------------------------------------------------------------------------------

CLAIMS = """claim,line,code,units,modifiers,on,dose,unit
A,1,J1885,2,,2026-03-02,30,mg
B,1,J0696,1000,,2026-03-02,1,g
C,1,J1030,1,,2026-03-02,40,mg
D,1,J3490,1,,2026-03-02,40,mg
"""


def test_billed_lines_are_judged(run, given: Path, tmp_path: Path) -> None:
    given.write_text(CLAIMS, "utf-8")
    status, out, _ = run("audit", given, "-o", tmp_path / "judged.csv", "--quiet")
    assert status == 1
    judged = [
        (row["claim"], row["verdict"], row["expected_code"], row["expected_units"])
        for row in rows(tmp_path / "judged.csv")
    ]
    assert judged == [
        ("A", "agrees", "J1885", "2"),
        ("B", "differs", "J0696", "4"),
        ("C", "differs", "J1010", "40"),
        ("D", "unjudged", "", ""),
    ]
    assert "4 lines" in out
    assert max(map(len, out.splitlines())) <= 80 or str(given) in out


def test_lines_that_agree_are_clean(run, given: Path) -> None:
    given.write_text("".join(CLAIMS.splitlines(keepends=True)[:2]), "utf-8")
    status, out, err = run("audit", given, "--json", "--quiet")
    assert (status, err) == (0, "")
    assert isinstance(json.loads(out), dict)
    assert given.read_text("utf-8").count("\n") == 2


def test_lines_without_the_columns_are_refused(run, given: Path) -> None:
    assert "claim" in refused(run("audit", given))


# --- refresh ----------------------------------------------------------------------------------------


def test_coverage_is_counted(run) -> None:
    status, out, _ = run("refresh", "--coverage")
    assert status == 0
    counts = json.loads(run("refresh", "--coverage", "--json")[1])
    assert counts["catalogued"] == counts["computable"] + sum(counts["refusing"].values())
    assert counts["catalogued"] >= 2257  # what a first, rough parser found in the HCPCS files
    assert counts["computable"] >= 2169
    assert counts["with_successor"] <= counts["ended"]
    assert f"{counts['catalogued']:,}  codes catalogued" in out


def test_coverage_says_how_far_each_family_reaches(run) -> None:
    words = ("refresh", "--coverage", "--on", "2026-11-26")
    told = {f["newest"]: f for f in json.loads(run(*words, "--json")[1])["families"]}
    assert told["HCPCS 2026 Q3"]["days_behind"] == 57
    assert told["MUE 2026 Q2, practitioner"]["reaches"] == "2026-06-30"
    assert "relative values: none loaded" in run(*words)[1]


def test_refresh_asks_for_its_folder_and_for_files(run, tmp_path: Path) -> None:
    assert "--into" in refused(run("refresh", tmp_path))
    assert "published files" in refused(run("refresh", "--into", tmp_path / "facts"))
    assert "empty path" in refused(run("refresh", "", "--into", tmp_path / "facts"))
    assert "nowhere" in refused(run("refresh", tmp_path / "nowhere", "--into", tmp_path / "facts"))
    assert not (tmp_path / "facts").exists()


@pytest.mark.book
def test_a_made_quarter_is_folded_and_answers_from_its_first_day(run, tmp_path: Path) -> None:
    facts = tmp_path / "facts"
    file = published.limits(tmp_path, 2026, 4, {"J1885": "1.25"})
    report = json.loads(run("refresh", file, "--into", facts, "--partial", "--json")[1])
    assert report["read"] == ["Part B payment limits 2026 Q4"]
    assert {"fees", "fee_evidence", "sources"} >= set(report["written"])
    again = json.loads(run("refresh", file, "--into", facts, "--partial", "--json")[1])
    assert (again["read"], again["written"]) == ([], [])
    allowed = jc.Reference.load(facts).policy.fee("J1885", "payment-limit", "2026-10-01")
    assert (str(allowed.amount), allowed.source) == ("5/4", "asp-limits-rows-2026q4")


@pytest.mark.book
def test_a_folder_is_compared_with_another_reference(run, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    for name, units in (("old", 8), ("new", 9)):
        file = published.mue(tmp_path / name, 2027, 1, {"J1885": units})
        assert run("refresh", file, "--into", tmp_path / f"{name} facts", "--partial")[0] == 0
    words = ("refresh", "--into", tmp_path / "new facts", "--check", "--reference", tmp_path / "old facts")
    assert "J1885: professional: 8 a day to 9 a day." in " ".join(run(*words)[1].split())
