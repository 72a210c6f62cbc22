"""What people type at the counter, and what they are told: dates, flags, refusals, and advice that works."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import DRUGS

import jcodeunits as jc
from jcodeunits import cli
from jcodeunits.cli import arguments, refusals
from jcodeunits.convert import billing_units
from jcodeunits.dose import Dose
from jcodeunits.errors import AmbiguousDrug, JcodeunitsError
from jcodeunits.facts.agreement import told
from jcodeunits.facts.choosing import choose

CASES = Path(__file__).parent / "cases"
ON = ("--on", "2026-03-02")
CLAIM = ("charge", "--drug", "toradol", "--dose", "60 mg", "--route", "IM", "--place", "11", "--diagnosis", "R52", *ON)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def ran(*words: str) -> tuple[int, str, str]:
        status = cli.main(words)
        return (status, *capsys.readouterr())

    return ran


def advised(err: str) -> list[str]:
    """The words of the command that a refusal ends in; none where it has no way out."""
    ways = [line for line in err.splitlines() if line.startswith("try: ")]
    assert not ways or ways == [err.splitlines()[-1]]
    words = shlex.split(ways[0])[1:] if ways else ["jcodeunits"]
    assert words[0] == "jcodeunits"
    return words[1:]


# --- dates ------------------------------------------------------------------------------------------------

TODAY = dt.date(2026, 3, 9)


@pytest.mark.parametrize(
    ("written", "day", "noted"),
    [
        ("2026-03-02", "2026-03-02", False),
        ("20260302", "2026-03-02", False),
        ("today", "2026-03-09", False),
        ("Yesterday", "2026-03-08", False),
        ("03/02/2026", "2026-03-02", True),
        ("3/2/2026", "2026-03-02", True),
    ],
)
def test_a_date_is_read_as_people_type_it(written, day, noted):
    read, notes = arguments.read_day(written, TODAY)
    assert (read.isoformat(), bool(notes)) == (day, noted)
    assert all(day in note for note in notes)


@pytest.mark.parametrize(
    "written",
    ["13/02/2026", "02.03.2026", "03-02-2026", "03/02/26", "20261302", "tomorrow", "2026-3-2", "", "2/30/2026"],
)
def test_a_date_that_can_be_read_in_two_ways_stays_refused(run, written):
    status, out, err = run("units", "ketorolac", "30", "mg", "--on", written)
    assert (status, out) == (2, "")
    assert written in err


@pytest.mark.parametrize("verb", ["units", "find", "ndc", "vials", "lookup", "charge"])
def test_every_verb_reads_the_same_dates_and_says_how(run, verb):
    words = {
        "units": ("ketorolac", "30", "mg"),
        "find": ("toradol",),
        "ndc": ("0409-3795-01",),
        "vials": ("J9035", "305", "mg"),
        "lookup": ("JZ",),
        "charge": CLAIM[1:-2],
    }[verb]
    status, out, _ = run(verb, *words, "--on", "03/02/2026")
    assert status == 0
    assert "03/02/2026 was read as month/day/year: 2026-03-02" in out
    document = json.loads(run(verb, *words, "--on", "03/02/2026", "--json")[1])
    assert document["notes"]


# --- verbs and flags --------------------------------------------------------------------------------------


def test_words_without_a_verb_are_a_drug_and_a_dose(run):
    assert run("ketorolac", "30", "mg", *ON) == run("units", "ketorolac", "30", "mg", *ON)
    assert run(*ON, "J0696", "1", "g") == run("units", "J0696", "1", "g", *ON)


@pytest.mark.parametrize(
    ("typed", "verb"), [("lookp", "lookup"), ("chrge", "charge"), ("fnd", "find"), ("unit", "units")]
)
def test_a_misspelt_verb_is_named(run, typed, verb):
    status, out, err = run(typed, "JZ", *ON)
    assert (status, out) == (2, "")
    assert f"Did you mean {verb}?" in err


@pytest.mark.parametrize("verb", cli.VERBS)
def test_help_of_a_verb_in_either_order(run, verb):
    assert run("help", verb) == run(verb, "--help")
    assert f"usage: jcodeunits {verb} " in run("help", verb)[1]


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_flag_is_described_and_no_help_is_wider_than_80_columns(run, verb):
    assert max(map(len, run(verb, "--help")[1].splitlines())) <= 80
    assert [action.dest for action in refusals.arguments_of(verb)._actions if not action.help] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("units avastin 5 mg/kg --weight 80 kg", "J9035   40 "),
        ("units avastin 5 mg/kg --weight 80", "J9035   40 "),
        ("units avastin --weight 80 kg 5 mg/kg", "J9035   40 "),
        ("units J9000 60 mg/m2 --surface 1.7 m2", "J9000  11 "),
        ("units Kenalog 0.5 mL --concentration 40 mg/mL", "J3301  2 "),
        ("vials keytruda 2 mg/kg --weight 73", "J9271  146 "),
        ("ndc 0409-3795-01 --dose 0.5 mL", "1 billing unit of ketorolac"),
        ("ndc 0409-3795-01 --dose 0.5 mg/kg --weight 60 kg", "2 billing units of ketorolac"),
    ],
)
def test_the_unit_of_an_option_may_be_a_word_of_its_own(run, words, says):
    status, out, _ = run(*words.split(), *ON)
    assert status == 0
    assert says in out


def test_pounds_are_exact_and_both_weights_are_printed(run):
    status, out, _ = run("units", "avastin", "5 mg/kg", "--weight", "176 lb", *ON)
    assert status == 0
    assert "x 79.83225712 kg = " in out
    assert "weight  79.8 kg, 176 lb\n" in out
    assert "176 kg, 388 lb" in run("units", "avastin", "5 mg/kg", "--weight", "176", *ON)[1]


def test_a_plain_answer_has_at_most_five_lines(run):
    for words in (("ketorolac", "30", "mg"), ("zofran", "4", "mg"), ("lidocaine", "1%", "5", "mL")):
        for day in ("2026-03-02", "2026-11-25", "2019-03-02"):
            status, out, _ = run("units", *words, "--on", day)
            assert status != 0 or len(out.splitlines()) <= 5, out


def test_rules_and_citations_stand_only_where_they_are_asked_for(run):
    plain, told = (run(*CLAIM, *more)[1] for more in ((), ("--explain",)))
    assert "[container-unknown" not in plain
    assert "[container-unknown" in told


def test_the_gravest_finding_stands_first(run):
    out = run("charge", "--drug", "J1030", *CLAIM[3:])[1]
    ranks = [line.partition(" ")[0].rstrip(":") for line in out.splitlines() if re.match(r"(stop|warn|note)\b", line)]
    assert ranks == sorted(ranks, key=("stop", "warn", "note").index)


# --- the claim --------------------------------------------------------------------------------------------


def test_a_place_is_read_by_its_name(run):
    assert run(*CLAIM)[1] == run(*(word if word != "11" else "office" for word in CLAIM))[1]
    assert "place 20" in run(*(word if word != "11" else "Urgent Care" for word in CLAIM))[1]
    status, out, err = run(*(word if word != "11" else "hospital" for word in CLAIM))
    assert (status, out) == (2, "")
    assert "22" in err
    assert "--place" in err


def test_a_claim_without_lines_says_so_and_is_not_clean(run):
    words = ("charge", "--drug", "prolia", "--dose", "60 mg", "--route", "SC", "--place", "21", "--diagnosis", "M81.0")
    status, out, _ = run(*words, *ON)
    assert status == 1
    assert out.splitlines()[-1].startswith("nothing to bill: 2 lines withheld (")


def test_open_questions_are_counted(run):
    assert run(*CLAIM)[1].splitlines()[-1].startswith("2 lines, 1 warning (")
    assert run(*CLAIM, "--container", "multi-dose")[1].splitlines()[-1].startswith("nothing stops this claim (")


@pytest.mark.parametrize("join", ["[{}, {}]", "{}\n{}\n", "  {}\n\n{}"])
def test_an_array_or_json_lines_are_several_claims(run, tmp_path, join):
    one = {"on": "2026-03-02", "place": "11", "diagnoses": ["R52"]}
    given = {"drug": "ketorolac", "dose": "30 mg", "route": "IM", "container": "multi-dose"}
    both = [{**one, "administrations": [{**given, "dose": dose}]} for dose in ("30 mg", "60 mg")]
    file = tmp_path / "day.json"
    file.write_text(join.format(*map(json.dumps, both)), "utf-8")
    status, out, _ = run("charge", str(file), "--json")
    assert status == 0
    assert [claim["lines"][-1]["units"] for claim in json.loads(out)] == [2, 4]
    assert run("charge", str(file))[1].count("nothing stops this claim") == 2
    file.write_text(join.format(json.dumps(both[0]), json.dumps({**both[1], "place": "banana"})), "utf-8")
    status, out, err = run("charge", str(file))
    assert status == 1  # as of a batch of which a row was not billed
    assert out.count("nothing stops this claim") == 1
    assert "record 2" in err
    assert "banana" in err


# --- refusals ---------------------------------------------------------------------------------------------

PYTHON_OR_JSON = re.compile(r"administrations|the encounter:|services\[|[a-z_]+='|\{'|[‹›]|\[\d+\]")


@pytest.mark.parametrize("flag", sorted(refusals.flags_of(refusals.arguments_of("charge")).values()))
@pytest.mark.parametrize("value", ["banana", "-", "1/2", "🙂", ""])
def test_what_is_wrong_with_a_flag_is_said_by_the_flag(run, flag, value):
    action = next(a for a in refusals.arguments_of("charge")._actions if flag in a.option_strings)
    if action.nargs == 0 or flag in ("--reference", "--tables", "--help"):
        return
    words = [word for at, word in enumerate(CLAIM) if flag not in CLAIM[max(0, at - 1) : at + 1]]
    status, _, err = run(*words, f"{flag}={value}")
    assert not PYTHON_OR_JSON.search(err), err
    assert status != 2 or flag in err or "JSON" in err, err


@pytest.mark.parametrize("flag", ["--dose", "--route", "--place"])
def test_a_flag_that_is_missing_is_named(run, flag):
    at = CLAIM.index(flag)
    status, out, err = run(*CLAIM[:at], *CLAIM[at + 2 :])
    assert (status, out, err) == (2, "", f"jcodeunits: {flag} is missing.\n")


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        ((*CLAIM, "--format", "x12"), "--amount"),
        ((*CLAIM, "--dose", "5 mg/kg"), "--weight"),
        ((*CLAIM, "--dose", "5 mg/m2"), "--surface"),
        (("units", "Cabenuva", "600", "mg", *ON), "--basis"),
        (("units", "ketorolac", "30", "mg", "--route", "shot", *ON), "--route"),
        (("charge", "--drug", "Cabenuva", *CLAIM[3:]), "--basis"),
    ],
)
def test_what_is_asked_for_is_named_by_its_flag(run, words, flag):
    _, out, err = run(*words)
    assert flag in out + err
    assert not PYTHON_OR_JSON.search(err)


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ("units J1030 40 mg", "units J1010 40 mg"),
        ("units 30 mg ketorolac", "units ketorolac 30 mg"),
        ("units stelara 90 mg", "units stelara 90 mg --route SC"),
        ("units ketorolac 30 Mg", "units ketorolac 30 mg"),
        ("lookup ketorolac", "find ketorolac"),
        ("find 96372", "lookup 96372"),
        ("units 96372", "lookup 96372"),
        ("find J1030", "find J1010"),
        ("find docetaxel accord", "find J9171"),
        ("units docetaxel accord 140 mg", "units J9171 140 mg"),
        ("vials docetaxel accord 140 mg", "vials J9171 140 mg"),
        ("units eylea 2 mg left eye", "units eylea 2 mg --route intravitreal"),
        ("ndc ketorolac", "find ketorolac"),
        ("lookp JZ", "lookup JZ"),
        ("units ketorolac 30 mg --rout IM", "units ketorolac 30 mg --route IM"),
    ],
)
def test_a_literal_way_out_is_the_last_line(run, words, way):
    status, out, err = run(*words.split(), *ON)
    assert (status, out) == (2, "")
    wanted, found = way.split(), advised(err)
    assert [word for word in found if word not in ON] == wanted
    assert run(*found)[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("units lacosamide 200 mg --route IV", "J3490"),
        ("units ondansetron 4 mg --route oral", "Q0162"),
        ("units S0119 4 mg", "Medicare takes no S code"),
    ],
)
def test_a_code_that_a_usual_claim_does_not_take_is_said_at_once(run, words, says):
    status, out, _ = run(*words.split(), *ON)
    assert status == 0
    assert "warn: " in out
    assert says in " ".join(out.split())


@pytest.mark.parametrize("words", ["units prolia 60", "units solumedrol 125 ivp", "vials prolia 60"])
def test_a_number_without_a_unit_is_told_what_the_code_counts(run, words):
    _, _, err = run(*words.split(), *ON)
    assert "the unit is missing" in err
    assert "is counted in mg." in err
    assert advised(err) == []


@pytest.mark.parametrize(
    "words",
    ["units naloxne 0.4 mg", "units J1885 1 g 500 mg", "units avastin 5 mg/kg", "units J1885 30", "units J0561 0.5 mL"],
)
def test_nothing_is_advised_where_it_would_be_a_guess(run, words):
    assert advised(run(*words.split(), *ON)[2]) == []


def refusals_of_the_cases():
    """Every call of the message and dose cases as words of the command."""
    for case in json.loads((CASES / "messages.json").read_text("utf-8")):
        given = case["with"]
        if case["call"] == "billing_units" and all(isinstance(part, str) and part for part in given):
            drug, dose, on, *route = given
            yield ["units", drug, dose, "--on", on, *(["--route", route[0]] if route else [])]
        elif case["call"] == "Dose.of" and len(given) == 1 and isinstance(given[0], str):
            yield ["units", "ketorolac", given[0], *ON]
    with (CASES / "doses.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield [
                "units",
                row["drug"],
                row["dose"],
                "--on",
                row["on"],
                *(["--route", row["route"]] if row["route"] else []),
            ]
    with (CASES / "phrases.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            if row["answer"] == "refused":
                yield [
                    "units",
                    row["typed"],
                    *row["dose"].split(),
                    *(["--route", row["route"]] if row["route"] else []),
                    *ON,
                ]


def test_every_command_that_a_refusal_advises_answers(run):
    counted = {"answered": 0, "refused": 0, "advised": 0}
    for words in refusals_of_the_cases():
        status, out, err = run(*words)
        counted["answered" if status == 0 else "refused"] += 1
        if status == 2:
            assert out == ""
            assert err.startswith("jcodeunits: ")
        if way := advised(err):
            counted["advised"] += 1
            assert run(*way)[0] == 0, (words, way)
    assert counted["refused"] > 60
    assert counted["advised"] > 8


words_typed = st.lists(
    st.sampled_from(
        [
            "ketorolac",
            "J1885",
            "J1030",
            "stelara",
            "lidocaine",
            "Cabenuva",
            "Rocephin",
            "hepatitis",
            "b",
            "0409-3795-01",
            "30",
            "1",
            "mg",
            "mL",
            "2",
            "x",
            "1%",
            "mg/kg",
            "IM",
            "40",
            "mg/mL",
            "of",
            "units",
            "--route",
            "--weight",
            "SC",
            "70",
            "kg",
            "lookup",
            "find",
        ]
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=150)
@given(words_typed)
def test_whatever_is_typed_no_advice_is_refused(words):
    import contextlib
    import io

    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        status = cli.main([*words, *ON])
        way = advised(err.getvalue())
        assert status in (0, 1, 2)
        assert not way or cli.main(way) == 0
    assert "Traceback" not in err.getvalue()
    assert "not foreseen" not in err.getvalue()


def test_what_an_error_offers_instead_is_accepted():
    offered = 0
    for case in json.loads((CASES / "messages.json").read_text("utf-8")):
        given = list(case["with"])
        call = {"Dose.of": Dose.of, "billing_units": billing_units}.get(case["call"])
        if call is None:
            continue
        with pytest.raises(JcodeunitsError) as caught:
            call(*given)
        error = caught.value
        assert hasattr(error, "instead")
        assert hasattr(error, "argument")
        if error.instead is not None:
            offered += 1
            at = {"drug": 0, "dose": 0 if case["call"] == "Dose.of" else 1}[error.argument]
            call(*[*given[:at], error.instead, *given[at + 1 :]])
    assert offered >= 3


def test_candidates_of_every_name_are_told_apart():
    on, asked = dt.date(2026, 8, 15), 0
    names = {row.ingredient for row in DRUGS.drugs} | {row.brand for row in DRUGS.brands}
    for name in sorted(names | {row.name for row in DRUGS.names if row.kind != "unsafe"}):
        try:
            choose(DRUGS, name, on)
        except AmbiguousDrug as why:
            rows = [row for code in why.candidates for row in DRUGS.rows(code) if row.period.holds(on)]
            cells = [refusals._told_apart(row, rows, told(row, rows))[1:] for row in rows]
            asked += len(rows) > 1
            assert len(set(cells)) == len(cells), name
        except JcodeunitsError:
            continue
    assert asked > 200


def test_what_a_dose_of_a_combination_counts_is_first_what_makes_whole_containers(run):
    assert advised(run("units", "Cabenuva", "600", "mg", *ON)[2])[-1] == "cabotegravir"  # a kit of 300 units
    assert advised(run("units", "Celestone", "6", "mg", *ON)[2])[-1] == "total"  # the label's 6 mg
    assert advised(run("units", "Recarbrio", "1.25", "g", *ON)[2])[-1] == "total"


def test_two_sizes_of_one_name_are_told_apart_by_what_one_holds(run):
    err = run("units", "Beyfortus", "1", "dose", *ON)[2]
    assert "90380  nirsevimab  per dose (0.5 mL or 50 mg)" in err
    assert "90381  nirsevimab  per dose (1 mL or 100 mg)" in err


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("ketorolac 30 mg IM once", "J1885  2 "),
        ("rocephin 1 g in 100 mL NS", "J0696  4 "),
        ("ceftriaxone 1 g/50 mL D5W", "J0696  4 "),
        ("CPT 90715 0.5 mL", "90715  1 "),
        ("albuterol 2.5 mg/3 mL neb", "J7613  3 "),
        ("Hyalgan 20 mg", "J7321  1 "),
        ("Brixadi 24 mg", "J0577  1 "),
        ("vancomycin 1 g in NS 250 mL IVPB", "J3373  100 "),
        ("dextrose 5% 1000 mL", "J7070  1 "),
        ("albumin 25% 50 mL", "P9047  1 "),
        ("lidocaine 1% 5 mL", "J2003  50 "),
        ("rocephin 1 g IM daily", ""),
        ("rocephin 1 g IM + lidocaine 1% 2 mL", ""),
        ("ketorolac 30 mg 60 mg", ""),
        ("J1885 1 g 500 mg", ""),
    ],
)
def test_words_behind_the_dose_are_the_drugs_or_it_is_refused(run, typed, answer):
    status, out, _ = run("units", *typed.split(), *ON)
    assert status == (0 if answer else 2)
    assert out.startswith(answer)


@pytest.mark.parametrize("word", ["vial", "unit", "charges", "lookups"])
def test_a_verb_with_or_without_its_s_is_no_drug(run, word):
    status, out, err = run(word, "J9035", "305", "mg", *ON)
    assert (status, out) == (2, "")
    assert f"'{word}' is no verb" in err


def test_candidates_stand_a_line_each_and_differ(run):
    err = run("units", "hepatitis", "b", "vaccine", "1", "mL", *ON)[2]
    lines = [line for line in err.splitlines() if line.startswith("  ")]
    assert 2 <= len(lines) <= 11
    assert len(set(lines)) == len(lines)
    assert max(map(len, lines)) <= 80


def _terminal(*words: str) -> str:
    reader, writer = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    import fcntl
    import struct
    import termios

    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    subprocess.run([sys.executable, "-m", "jcodeunits", *words], stdout=writer, stderr=writer, env=env)
    os.close(writer)
    shown = b""
    while True:
        try:
            piece = os.read(reader, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(reader)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "words",
    ["units hepatitis b vaccine 1 mL", "units ketorolac 30 mg --route shot", "ndc ketorolac", "lookup no such thing"],
)
def test_a_refusal_is_wrapped_to_the_terminal(words):
    shown = _terminal(*words.split(), *ON)
    assert shown.startswith("jcodeunits: ")
    assert max(len(line) for line in shown.splitlines() if not line.startswith("try:")) <= 80


def test_closed_streams_are_no_accident():
    command = f"{sys.executable} -m jcodeunits units J1885 30 mg"
    closed = subprocess.run(f"{command} >&-", shell=True, capture_output=True, text=True)
    assert (closed.returncode, closed.stderr) == (2, "jcodeunits: standard output is closed.\n")
    both = subprocess.run(f"{command} >&- 2>&-", shell=True)
    assert both.returncode == 2


@pytest.mark.parametrize("name", ["hepatitis b vaccine", "stelara", "triamcinolone", "Feraheme", "factor viii"])
def test_the_reason_is_short_where_the_candidates_are_listed(run, name):
    err = run("units", *name.split(), "40", "mg", *ON)[2].splitlines()
    codes = [line.split()[0] for line in err if line.startswith("  ")]
    assert len(codes) >= 2
    assert not any(code in err[0] for code in codes)


@pytest.mark.parametrize(
    ("dose", "flag"), [("5 mg/kg", "--weight"), ("5 mg/m2", "--surface"), ("1 mL", "--concentration")]
)
def test_a_rate_or_a_volume_asks_by_the_flag_of_the_verb(run, dose, flag):
    for verb in ("units", "vials"):
        assert f"Say it with {flag}." in run(verb, "J3301", dose, *ON)[2]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_a_shell_completes_verbs_flags_and_known_words(run, shell):
    pytest.importorskip("shtab")
    status, out, _ = run("--completion", shell)
    assert status == 0
    for word in (*cli.VERBS, "--payer", "medicare", "IM", "yesterday"):
        assert word in out or word.removeprefix("--") in out


def test_a_shell_that_nobody_knows_is_refused(run):
    pytest.importorskip("shtab")
    status, out, err = run("--completion", "cmd")
    assert (status, out) == (2, "")
    assert err.startswith("jcodeunits: --completion: 'cmd' is no shell")


@pytest.mark.parametrize(
    ("call", "argument", "instead"),
    [
        (lambda: billing_units("J1030", "40 mg", on="2026-03-02"), "drug", "J1010"),
        (lambda: billing_units("J1030", "1 mEq", on="2026-03-02"), "drug", None),
        (lambda: billing_units("stelara", "90 mg", on="2026-03-02"), "drug", None),
        (lambda: billing_units("Cabenuva", "600 mg", on="2026-03-02"), "basis", None),
        (lambda: billing_units("J1885", "30 mg", on="03/02/2026"), "on", None),
        (lambda: billing_units("J1885", "30 mg", on="2026-03-02", route="shot"), "route", None),
        (lambda: billing_units("J1885", "1 Mg", on="2026-03-02"), "dose", "1 mg"),
        (lambda: billing_units("J1885", "30 IU", on="2026-03-02"), "dose", None),
        (lambda: Dose.by_weight("5 mg/kg", "heavy"), "weight", None),
        (lambda: Dose.by_volume("1 mL", "strong"), "concentration", None),
    ],
)
def test_every_error_names_its_argument_and_a_literal_way_where_there_is_one(call, argument, instead):
    with pytest.raises(JcodeunitsError) as caught:
        call()
    assert (caught.value.argument, caught.value.instead) == (argument, instead)
    assert billing_units(instead, "40 mg", on="2026-03-02") if argument == "drug" and instead else True


@pytest.mark.parametrize(("name", "route", "severity"), [("Fusilev", "IV push", "warn"), ("Zofran", "IV push", "note")])
def test_a_brand_that_fixes_a_code_by_general_knowledge_is_a_question_on_a_claim(name, route, severity):
    given = {"drug": name, "dose": "10 mg", "route": route}
    made = jc.charge({"on": "2026-03-02", "place": "11", "diagnoses": ["R11.2"], "administrations": [given]})
    assert [f.severity for f in made.findings if f.rule == "name-by-general-knowledge"] == [severity]


def test_a_day_before_the_codes_for_drugs_without_one_is_a_finding(run) -> None:
    words = ("--drug", "nosuchdrug", "--dose", "5 mg", "--route", "IV push", "--place", "11", "--on", "1900-01-01")
    status, out, _ = run("charge", *words)
    assert status == 1
    assert "No drug is called 'nosuchdrug'" in out


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("0409 3795 01 30 mg", "J1885  2 "),
        ("NDC 00409 3795 01 1 mL", "J1885  2 "),
        ("J 1885 30 mg", "J1885  2 "),
        ("Tdap 90715 0.5 mL", "90715  1 "),
        ("Novolog 70/30 10 units", "J1815  2 "),
        ("ketorolac 30 mg IM x1 for pain", "J1885  2 "),
        ("ondansetron 4 mg IVP PRN nausea", "J2405  4 "),
    ],
)
def test_an_ndc_in_three_groups_a_code_beside_the_name_and_an_orders_words_are_no_dose(run, typed, answer):
    status, out, _ = run("units", *typed.split(), *ON)
    assert status == 0
    assert out.startswith(answer)


def test_what_a_shell_offers_is_not_all_that_the_command_reads(run):
    from jcodeunits.cli import completion

    assert completion._whole().format_help()
    err = run("units", "aranesp", "100", "mcg", *ON)[2]
    assert "J0882" in err
    assert "invalid choice" not in err


def test_a_brand_in_brackets_is_the_drugs_and_never_its_dose(run):
    err = run("units", "immune", "globulin", "(GAMMAGARD)", "30", "g", *ON)[2]
    assert "Gammagard Liquid (J1569); Gammagard S/D (J1566)" in " ".join(err.split())
