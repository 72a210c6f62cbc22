"""The command at the counter: answers, errors in one line, exit codes, 80 columns, terminal and pipe."""

from __future__ import annotations

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
from hypothesis import given
from hypothesis import strategies as st
from shipped import DRUGS, PRODUCTS, rows_of

from jcodeunits import cli
from jcodeunits.cli import find as find_verb
from jcodeunits.cli import terminal
from jcodeunits.errors import TableError
from jcodeunits.facts.policy_rows import Denial, DenialCode
from jcodeunits.facts.product_rows import Product
from jcodeunits.lookup import findings

ON = ("--on", "2026-03-02")
LIVELY = {
    "units": ("ketorolac", "30", "mg", *ON),
    "find": ("toradol", *ON),
    "ndc": ("0409-3795-01", *ON),
    "vials": ("J9035", "305", "mg", *ON),
    "lookup": ("urgent", "care", *ON),
    "charge": ("--drug", "ketorolac", "--dose", "30 mg", "--route", "IM", "--place", "11", *ON),
    "refresh": ("--coverage",),
}
IN_BULK = {"batch", "audit"}  # files in and out: test_cli_bulk


class Ran:
    """Status, standard output and standard error of the command."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def json(self) -> dict:
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def ran(*words: str) -> Ran:
        status = cli.main(words)
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return ran


def refused(ran: Ran) -> str:
    """The one line of an error: status 2, standard output empty, no traceback."""
    assert (ran.status, ran.out) == (2, "")
    first, *more = ran.err.splitlines()
    assert first.startswith("jcodeunits: ")
    assert all(line.startswith(("  ", "try: jcodeunits ")) for line in more)
    assert not any(line.startswith("try:") for line in more[:-1])
    assert "Traceback" not in ran.err
    assert "not foreseen" not in ran.err
    return first


# --- units ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "units"),
    [
        ("ketorolac 30 mg", "J1885", 2),
        ("ketorolac 30mg", "J1885", 2),
        ("J0696 1 g", "J0696", 4),
        ("rocephin 1000 mg", "J0696", 4),
        ("penicillin G benzathine 2.4 million units", "J0561", 24),
        ("Invega Sustenna 234 mg", "J2426", 234),
        ("insulin 12 units", "J1815", 3),
        ("vitamin B12 1000 mcg", "J3420", 1),
        ("0409-3795-01 30 mg", "J1885", 2),
        ("65757-0300-01 380 mg", "J2315", 380),
        ("J0561 2.4 MU", "J0561", 24),
        ("Kenalog 0.5 mL --concentration 40mg/mL", "J3301", 2),
        ("J0171 0.3 mL --concentration 1:1000 --on 2024-03-02", "J0171", 3),
        ("J9000 60 mg/m2 --surface 1.7", "J9000", 11),
        ("J3262 4 mg/kg --weight 70", "J3262", 280),
        ("ketorolac --on 2026-03-02 30 mg", "J1885", 2),
    ],
)
def test_units_are_read_unquoted(run, words: str, code: str, units: int) -> None:
    on = () if "--on" in words else ON
    answer = run("units", *words.split(), *on, "--json")
    assert (answer.status, answer.json["code"], answer.json["units"]) == (0, code, units)


def test_quoted_words_are_read_the_same(run) -> None:
    quoted = [run("units", *words, *ON).out for words in (("ketorolac", "30 mg"), ("ketorolac 30 mg",))]
    assert quoted == [run("units", "ketorolac", "30", "mg", *ON).out] * 2


def test_the_answer_names_code_units_and_sum(run) -> None:
    said = run("units", "J0696", "1", "g", *ON).out
    assert said.startswith("J0696  4 billing units of ceftriaxone sodium, per 250 mg\n")
    assert "1000 mg / 250 mg = 4" in said
    assert "2026-03-02" in said
    assert "(today)" not in said


def test_without_a_date_it_says_which_it_used(run) -> None:
    assert re.search(r"\d{4}-\d{2}-\d{2} \(today\)", run("units", "ketorolac", "30", "mg").out)


def test_units_as_json_has_the_contracts_keys(run) -> None:
    answer = run("units", "J0696", "1", "g", *ON, "--json")
    assert set(answer.json) >= {
        "code",
        "drug",
        "billing_unit",
        "dose",
        "exact",
        "units",
        "on",
        "effective",
        "ends",
        "findings",
        "trace",
        "edition",
        "fingerprint",
    }
    assert answer.json["exact"] == "4"
    assert answer.json["billing_unit"] == {"size": "250", "unit": "mg", "basis": "per"}
    assert answer.json["dose"] == {"amount": "1", "unit": "g"}


def test_explain_shows_each_step_with_its_source(run) -> None:
    said = run("units", "J0696", "1", "g", *ON, "--explain").out
    assert "1 g = 1000 mg" in said
    assert "HCPCS" in said
    assert "Medicare Claims Processing Manual, ch" in " ".join(said.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("J1030 40 mg", "bill J1010"),
        ("MSO4 2 mg", "magnesium sulfate or morphine sulfate"),
        ("ketoralac 30 mg", "ketorolac tromethamine"),
        ("ketorolac 30", "the unit is missing"),
        ("ketorolac", "holds no dose"),
        ("ketorolac -30 mg", "a sign stands before the number"),
        ("ketorolac 0 mg", "the amount is zero"),
        ("ketorolac 1 500 mg", "a space stands inside the number"),
        ("ketorolac 0,5 mg", "the comma can be a decimal sign"),
        ("ketorolac ½ mg", "a fraction is easily misread"),
        ("ketorolac 1/2 mg", "a fraction is easily misread"),
        ("ceftriaxone 1 g 500 mg", "it holds two amounts"),
        ("ketorolac 30 Mg", "Did you mean mg"),
        ("ketorolac 30 IU", "is counted in mg"),
        ("ketorolac nan mg", "holds no dose"),
        ("ketorolac 🙂 mg", "is no dose"),
        ("J3490 30 mg", "has no units that follow from a dose"),
        ("ketorolac 30 mg --on 2026-02-30", "not a day of the calendar"),
        ("ketorolac 30 mg --on tomorrow", "not a date of service"),
        ("ketorolac 30 mg --route by-pigeon", "not a known route"),
        ("ketorolac 30 mg --weight 70", "no dose by weight"),
        ("12345-678-9 30 mg", "package"),
        ("J0696 " + "9" * 400 + " mg", "characters"),
    ],
)
def test_what_cannot_be_answered_is_one_clear_line(run, words: str, says: str) -> None:
    on = () if "--on" in words else ON
    line = refused(run("units", *words.split(), *on))
    assert says in line


@given(st.lists(st.text(max_size=12), max_size=5))
def test_no_words_end_in_a_traceback(words: list[str]) -> None:
    if any(word.startswith("-") for word in words):
        words = [word.lstrip("-") for word in words]
    assert cli.main(["units", *words]) in (0, 2)


def test_a_number_in_a_name_stays_with_the_name(run) -> None:
    answer = run("units", "0.9%", "sodium", "chloride", "1", "L", *ON, "--json")
    assert (answer.json["code"], answer.json["units"]) == ("J7030", 1)
    answer = run("units", "penicillin", "G", "(benzathine)", "2.4", "million", "units", *ON, "--json")
    assert (answer.json["code"], answer.json["units"]) == ("J0561", 24)


# --- find -------------------------------------------------------------------------------------------


def test_find_lists_code_unit_and_period(run) -> None:
    assert re.match(
        r"J1885  ketorolac tromethamine  per 15 mg  since \d{4}-\d\d-\d\d\n", run("find", "toradol", *ON).out
    )


@pytest.mark.parametrize("text", ["J1885", "j1885", "ketorolac", "Toradol", "0409-3795-01"])
def test_find_reads_codes_names_brands_and_ndcs(run, text: str) -> None:
    answer = run("find", text, *ON, "--json")
    assert answer.json["drugs"][0]["code"] == "J1885"
    assert answer.json["on"] == "2026-03-02"


def test_find_of_a_code_that_ended_names_what_came_after(run) -> None:
    assert "J1010" in refused(run("find", "J1030", *ON))


def test_find_of_nothing_suggests_and_does_not_guess(run) -> None:
    line = refused(run("find", "ketoralac", *ON))
    assert "not used: ketorolac" in line


def test_a_history_has_every_row_and_the_successors(run) -> None:
    said = run("find", "J1030", "--history").out
    assert "to 2024-03-31" in said
    assert re.search(r"then\s+J1010", said)
    before = run("find", "J1010", "--history", "--json").json["histories"][0]["predecessors"]
    assert {row["code"] for row in before} >= {"J1020", "J1030", "J1040"}


def test_the_history_of_a_name_is_of_all_its_codes(run) -> None:
    codes = {h["code"] for h in run("find", "methylprednisolone", "acetate", "--history", "--json").json["histories"]}
    assert {"J1010", "J1020", "J1030", "J1040"} <= codes


# --- ndc, vials, lookup -----------------------------------------------------------------------------


def test_a_product_with_a_dose_has_units_and_an_ndc_line(run) -> None:
    said = run("ndc", "0409-3795-01", "--dose", "30 mg", *ON).out
    assert "00409-3795-01" in said
    assert "J1885      2 billing units of ketorolac" in said
    assert "00409379501 ML 1" in said


def test_a_volume_is_measured_by_the_products_own_concentration(run) -> None:
    answer = run("ndc", "0409-3795-01", "--dose", "1.5 mL", *ON, "--json").json
    assert answer["codes"][0]["units"] == 3  # 45 mg by 15 mg
    assert (answer["quantity"]["ndc_qualifier"], answer["quantity"]["ndc_quantity"]) == ("ML", "1.5")


def test_a_product_as_json(run) -> None:
    answer = run("ndc", "65757-0300-01", "--dose", "380 mg", *ON, "--json").json
    assert answer["product"]["ndc"] == "65757030001"
    assert answer["codes"][0] | {"drug": ""} == {
        "code": "J2315",
        "drug": "",
        "billing_unit": "per 1 mg",
        "units": 380,
        "refused": None,
    }
    assert (answer["quantity"]["ndc_qualifier"], answer["quantity"]["ndc_quantity"]) == ("UN", "1")


@pytest.mark.parametrize("number", ["1234", "abc", "1234567890", "9999-9999-99", "12345-678-9"])
def test_what_is_no_ndc_is_refused(run, number: str) -> None:
    assert "NDC" in refused(run("ndc", number, *ON)) or "digits" in refused(run("ndc", number, *ON))


def test_the_best_fit_stands_first(run) -> None:
    answer = run("vials", "J9035", "77", "mg", "--sizes", "100 mg,400 mg", *ON, "--json").json
    best = answer["choices"][0]
    assert best["containers"] == [{"size": "100 mg", "count": 1}]
    assert best["waste"] == "23 mg"
    assert [(line["modifiers"], line["units"]) for line in best["lines"]] == [([], 8), (["JW"], 2)]
    assert answer["choices"][1]["waste"] == "323 mg"


def test_a_whole_container_leaves_nothing_and_is_jz(run) -> None:
    said = run("vials", "ceftriaxone", "1.5", "g", "--ndc", "0409-7332-01", "0409-7338-01", *ON).out
    assert "1 x 1000 mg + 1 x 500 mg" in said
    assert "J0696-JZ x 6" in said


def test_sizes_come_from_the_listed_products(run) -> None:
    answer = run("vials", "bevacizumab", "305", "mg", *ON, "--json").json
    assert {c["size"] for choice in answer["choices"] for c in choice["containers"]} == {"100 mg", "400 mg"}


def test_a_multi_dose_vial_wastes_nothing_and_is_billed_without_jw_or_jz(run) -> None:
    for words in (
        ("J1071", "200", "mg", "--ndc", "00009-0417-02"),
        ("testosterone", "cypionate", "200", "mg", "--ndc", "0009-0417-02"),
        ("J3301", "60", "mg", "--ndc", "00003-0293-28"),
    ):
        said = run("vials", *words, *ON).out
        assert "multi-dose: what is left stays in use" in said
        assert "-JW" not in said
        assert "-JZ" not in said
        choice = run("vials", *words, *ON, "--json").json["choices"][0]
        assert (choice["kind"], choice["waste"]) == ("multi-dose", None)
        assert [line["modifiers"] for line in choice["lines"]] == [[]]
    assert "00003029328 ML 1.5" in said


def test_each_product_on_hand_keeps_its_own_kind(run) -> None:
    answer = run("vials", "J3301", "60", "mg", "--ndc", "00003-0293-20", "00003-0293-05", *ON, "--json").json
    found = {
        choice["kind"]: [(line["modifiers"], line["units"]) for line in choice["lines"]] for choice in answer["choices"]
    }
    assert found == {"single-dose": [([], 6), (["JW"], 2)], "multi-dose": [([], 6)]}


def test_a_size_takes_its_kind_from_its_products_and_says_where_they_differ(run) -> None:
    answer = run("vials", "J3420", "1000", "mcg", *ON, "--json").json
    assert {choice["kind"] for choice in answer["choices"]} == {"mixed"}
    assert all(not line["modifiers"] for choice in answer["choices"] for line in choice["lines"])
    said = " ".join(run("vials", "J3420", "1000", "mcg", *ON).out.split())
    assert "10 mg is multi-dose in 3, not known in" in said
    assert "The kind decides about JW and JZ" in said


def test_sizes_without_products_hold_only_if_the_containers_are_single_dose(run) -> None:
    said = run("vials", "J0585", "155", "units", "--sizes", "100 units,200 units", *ON).out
    assert "if the containers are single-dose" in said
    assert "J0585 x 155, J0585-JW x 45" in said


def test_an_ndc_as_the_drug_means_the_sizes_of_that_product(run) -> None:
    said = run("vials", "50242-0060-01", "305", "mg", *ON).out
    assert "4 x 100 mg" in said
    assert "x 400 mg" not in said
    many = run("vials", "0003-0293-28", "1", "mL", *ON).out  # 40 mg by the product's own concentration
    assert "1 x 400 mg" in many
    assert "multi-dose" in many
    assert "1 x 40 mg" not in many


def test_no_product_that_is_not_known_as_single_dose_is_proposed_for_jw_or_jz(run) -> None:

    shelf, on = PRODUCTS, dt.date(2026, 3, 2)
    seen = set()
    for item in rows_of(Product):
        reviewed = shelf.container(item.ndc, on)
        kind = reviewed.kind if reviewed is not None and reviewed.kind else item.kind
        if item.ends is not None or item.dose is None or len(item.codes) != 1 or kind == "single-dose":
            continue
        if {"per-unit", "strength-differs"} & set(item.marks):
            continue  # what a container of it holds is asked for
        if kind == "" and len(seen) > 60:  # a sample of the many that nobody reviewed
            continue
        row = DRUGS.on(item.codes[0], on)
        if row.refuses or row.basis == "band" or row.unit != item.unit:
            continue
        answer = run("vials", row.code, str(item.dose), "--ndc", item.number, *ON, "--json").json
        assert all(not line["modifiers"] for c in answer["choices"] for line in c["lines"]), item.number
        assert {c["kind"] for c in answer["choices"]} == {kind or "not known"}
        seen.add((kind, item.ndc))
    assert len([ndc for kind, ndc in seen if kind == "multi-dose"]) > 20
    assert len([ndc for kind, ndc in seen if not kind]) > 10


def test_a_product_of_another_drug_is_not_opened(run) -> None:
    assert "is J1885, not J9035" in refused(run("vials", "J9035", "77", "mg", "--ndc", "0409-3795-01", *ON))


def test_sizes_that_hold_another_measure_are_refused(run) -> None:
    assert "cannot hold a dose" in refused(run("vials", "J9035", "77", "mg", "--sizes", "4 mL", *ON))


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("urgent care", "place", "20"),
        ("JZ", "modifier", "JZ"),
        ("96372", "administration", "96372"),
        ("documentation", "documentation", ""),
        ("denials", "denial", ""),
        ("rules", "rule", ""),
    ],
)
def test_staff_find_places_modifiers_codes_rules_and_denials(run, text: str, kind: str, key: str) -> None:
    hits = run("lookup", *text.split(), *ON, "--json").json["hits"]
    found = [hit for hit in hits if hit["kind"] == kind and hit["key"].startswith(key)]
    assert found
    assert all(hit["citation"] for hit in found)


def test_all_eight_reasons_for_denial_are_listed(run) -> None:
    hits = run("lookup", "denials", *ON, "--json").json["hits"]
    assert sum(hit["kind"] == "denial" for hit in hits) == 8


@pytest.mark.parametrize(
    ("text", "denial"),
    [
        ("CO-97", "visit-without-25"),
        ("PR-97", "nurse-visit"),
        ("CARC 97", "nurse-visit"),
        ("co 16", "ndc-missing"),
        ("M119", "ndc-missing"),
        ("CO-50", "necessity"),
        ("CO-11", "necessity"),
        ("CO-151", "limit-exceeded"),
        ("N362", "limit-exceeded"),
        ("CO-5", "facility-place"),
        ("CO-181", "drug-line-wrong"),
        ("CO-4", "visit-without-25"),
        ("CO-58", "facility-place"),
        ("CO-222", "limit-exceeded"),
        ("CO-236", "nurse-visit"),
    ],
)
def test_a_code_of_a_remittance_leads_to_the_denial(run, text: str, denial: str) -> None:
    hits = run("lookup", *text.split(), *ON, "--json").json["hits"]
    assert hits[0]["kind"] == "denial code"
    assert denial in {hit["key"] for hit in hits if hit["kind"] == "denial"}


@pytest.mark.parametrize(
    ("said", "denial"),
    [
        ("1", "facility-place"),
        ("2", "visit-without-25"),
        ("3", "drug-line-wrong"),
        ("4", "nurse-visit"),
        ("5", "limit-exceeded"),
        ("6", "wrong-administration"),
        ("7", "necessity"),
        ("8", "ndc-missing"),
    ],
)
def test_a_denial_of_the_guide_is_found_by_its_number(run, said: str, denial: str) -> None:
    for text in (f"denial {said}", f"denial reason {said}"):
        first = run("lookup", *text.split(), *ON, "--json").json["hits"][0]
        assert (first["kind"], first["key"]) == ("denial", denial)


@pytest.mark.parametrize(
    ("text", "denial"),
    [
        ("place of service", "facility-place"),
        ("modifier 25", "visit-without-25"),
        ("J-code", "drug-line-wrong"),
        ("99211", "nurse-visit"),
        ("MUE", "limit-exceeded"),
        ("chemotherapy", "wrong-administration"),
        ("medical necessity", "necessity"),
        ("NDC", "ndc-missing"),
    ],
)
def test_a_denial_is_found_by_what_people_call_it(run, text: str, denial: str) -> None:
    hits = run("lookup", *text.split(), *ON, "--json").json["hits"]
    assert denial in {hit["key"] for hit in hits if hit["kind"] == "denial"}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("efficiency adjustment", "0.17 work"),
        ("NCCI", "32.0"),
        ("conversion factor", "33.4009"),
        ("MUE", "96372 has 4"),
        ("Medicare Advantage", "plan's"),
        ("RVU", "0.46"),
        ("prior authorization", "costly"),
        ("incident to", "2026-01-01"),
        ("SAD", "contractor"),
    ],
)
def test_what_the_guide_says_of_the_year_is_answered_with_the_dated_fact(run, text: str, fact: str) -> None:
    hits = run("lookup", *text.split(), *ON, "--json").json["hits"]
    assert any(hit["kind"] == "topic" and fact in hit["detail"] and hit["citation"] for hit in hits)


def test_a_denial_code_names_only_what_there_is() -> None:
    ids = {row.id for row in rows_of(Denial)}
    known = {row["id"] for row in findings()}
    for row in rows_of(DenialCode):
        assert set(row.denials) <= ids
        assert set(row.rules) <= known
        assert row.denials or row.rules


def test_a_number_is_looked_up_whole_and_what_it_names_comes_first(run) -> None:
    hits = run("lookup", "25", *ON, "--json").json["hits"]
    assert {(hit["kind"], hit["key"]) for hit in hits[:2]} == {("place", "25"), ("modifier", "25")}
    assert not any(re.search(r"0[.]25|25[.]\d|\d,25", hit["title"] + hit["detail"]) for hit in hits)


def test_two_letters_are_a_word_of_their_own_and_pos_is_a_place(run) -> None:
    hits = run("lookup", "IM", *ON, "--json").json["hits"]
    assert hits
    assert all(re.search(r"\bIM\b", f"{hit['key']} {hit['title']} {hit['detail']}") for hit in hits)
    assert run("lookup", "POS", "22", *ON, "--json").json["hits"][0]["key"] == "22"


def test_looking_up_nothing_says_what_can_be_looked_up(run) -> None:
    assert "jcodeunits find" in refused(run("lookup", "no such thing", *ON))
    assert "jcodeunits find" in refused(run("lookup", " ", *ON))


# --- every verb -------------------------------------------------------------------------------------


def test_help_lists_every_verb_under_three_headings(run) -> None:
    said = run("--help").out
    files = {path.stem: path.read_text("utf-8") for path in Path(cli.__file__).parent.glob("*.py")}
    verbs = {name for name, text in files.items() if f"\ndef {name}(words: " in text} - {"completion"}
    assert set(cli.VERBS) == verbs
    assert [line for line in said.splitlines() if line in ("at the counter", "in bulk", "each quarter")]
    assert run().out == run("help").out == said


# An example that needs a file of the reader's is not run.
_FILES = (".csv", ".json", ".parquet", ".jsonl", ".gz", ".xlsx", ".hl7", ".txt", "-", "downloads", "facts", "new")


@pytest.mark.parametrize("verb", cli.VERBS)
def test_each_verb_has_help_with_examples(run, verb: str) -> None:
    answer = run(verb, "--help")
    assert answer.status == 0
    assert answer.out.startswith(f"usage: jcodeunits {verb} ")
    examples = [line.strip() for line in answer.out.split("examples:")[1].splitlines() if line.strip()]
    assert any(line.startswith(f"jcodeunits {verb} ") for line in examples)
    for line in examples:
        words = shlex.split(line)
        if words[0] == "jcodeunits" and not any(word.endswith(_FILES) or word in ("|", "<", ">") for word in words):
            assert run(*words[1:]).status == 0, line


@pytest.mark.parametrize(
    "words", [("unit",), ("units", "--colour"), ("find",), ("units", "ketorolac", "30", "mg", "--on")]
)
def test_a_wrong_call_is_one_line(run, words: tuple[str, ...]) -> None:
    assert refused(run(*words)).startswith("jcodeunits")


def test_the_version_names_the_data(run) -> None:
    assert re.fullmatch(r"jcodeunits \d+\.\d+\.\d+, HCPCS \d{4} Q\d, data [0-9a-f]{12}\n", run("--version").out)


def test_every_verb_is_tried() -> None:
    assert set(LIVELY) | IN_BULK == set(cli.VERBS)


@pytest.mark.parametrize("verb", LIVELY)
def test_json_is_one_document_and_nothing_else(run, verb: str) -> None:
    answer = run(verb, *LIVELY[verb], "--json")
    assert (answer.status, answer.err) == (0, "")
    day = {"on"} if verb != "charge" else set()  # a charge is of the day that its encounter says
    assert {"edition", "fingerprint"} | day <= set(answer.json)


@pytest.mark.parametrize("verb", LIVELY)
def test_a_pipe_gets_plain_text_of_80_columns(run, verb: str) -> None:
    answer = run(verb, *LIVELY[verb])
    assert "\x1b" not in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def _on_a_terminal(*words: str, **environment: str) -> tuple[int, str]:
    """Status and what a terminal of 80 columns is shown."""
    reader, writer = pty.openpty()
    env = {**os.environ, "TERM": "xterm", **environment}
    env.pop("NO_COLOR", None)
    env |= environment
    done = subprocess.run([sys.executable, "-m", "jcodeunits", *words], stdout=writer, stderr=subprocess.PIPE, env=env)
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
    return done.returncode, shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("verb", LIVELY)
def test_a_terminal_gets_tables_of_80_columns(verb: str) -> None:
    status, shown = _on_a_terminal(verb, *LIVELY[verb])
    bare = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert status == 0
    assert max(map(len, bare.splitlines())) <= 80
    if verb in ("find", "vials"):
        assert re.search(r"^-+  -", bare, re.MULTILINE)


def test_colour_is_left_out_when_nobody_wants_it() -> None:
    assert "\x1b" in _on_a_terminal("units", *LIVELY["units"])[1]
    assert "\x1b" not in _on_a_terminal("units", *LIVELY["units"], NO_COLOR="1")[1]
    assert "\x1b" not in _on_a_terminal("units", *LIVELY["units"], TERM="dumb")[1]


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m jcodeunits lookup drug | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "jcodeunits", "find", "toradol"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (2, "jcodeunits: standard output: No space left on device.\n")


def test_a_terminal_without_unicode_still_gets_its_answer() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jcodeunits", "units", "J0696", "30.0", "µg", *ON],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0
    assert b"Write '30 mcg'" in done.stdout


def test_the_width_is_the_terminals_within_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    for columns, wanted in ((40, 60), (100, 100), (400, 120), (0, 80)):
        monkeypatch.setattr(os, "get_terminal_size", lambda _fd, columns=columns: os.terminal_size((columns, 24)))
        monkeypatch.setattr(sys.stdout, "fileno", lambda: 1, raising=False)
        assert terminal.width() == wanted
    monkeypatch.setattr(os, "get_terminal_size", lambda _fd: (_ for _ in ()).throw(OSError))
    assert terminal.width() == 80


def test_on_a_terminal_a_long_list_ends_after_a_screenful(run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("lookup", "drug", *ON).out.count("drug class ")
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    said = run("lookup", "drug", *ON).out
    assert said.count("drug class ") < 21 < whole
    assert re.search(r"and \d+ more", said)
    ruled = run("find", "toradol", *ON).out
    assert re.search(r"^-----", ruled, re.MULTILINE)


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (KeyboardInterrupt(), 130, "stopped."),
        (
            ModuleNotFoundError("no", name="pyarrow"),
            2,
            "pyarrow is not installed. Get it with pip install 'jcodeunits'.",
        ),
        (OSError(28, "No space left on device"), 2, "the file: No space left on device."),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2, "cannot be read"),
        (TableError("two problems:\n  one\n  two\n  three"), 2, "two problems: one; two; three"),
        (TypeError("a defect"), 2, "not foreseen (TypeError: a defect). Please report it"),
    ],
)
def test_whatever_fails_is_one_sentence(
    run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, says: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(find_verb, "find", fail)
    ended = run("find", "toradol")
    assert (ended.status, ended.out) == (status, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("text", ["cefTRIAXone (ROCEPHIN)", "Rocephin IM", "ceftriaxone 1000 MG Injection"])
def test_find_reads_a_line_of_a_record_as_units_does(run, text: str) -> None:
    assert run("find", text, *ON).out.startswith("J0696  ")


def test_the_history_of_a_part_of_a_name(run) -> None:
    codes = {h["code"] for h in run("find", "methylpred", "--history", "--json").json["histories"]}
    assert {"J1010", "J1030"} <= codes
    assert "not used" in refused(run("find", "ketoralac", "--history"))


@pytest.mark.parametrize(("on", "code"), [("2024-02-01", "J1030"), ("2024-04-01", "J1010")])
def test_an_ndc_has_the_code_of_the_day(run, on: str, code: str) -> None:
    answer = run("ndc", "0009-0280-02", "--on", on, "--json").json
    assert [row["code"] for row in answer["codes"]] == [code]
    assert answer["codes"][0]["refused"] is None


def test_long_text_is_wrapped_behind_its_label() -> None:
    lines = terminal.fields([("dose", "word " * 40), ("empty", ""), ("none", None)])
    assert len(lines) > 1
    assert lines[0].startswith("dose  word")
    assert all(line.startswith("      word") for line in lines[1:])
    assert all(len(line) <= 80 for line in lines)
