"""The command `charge`: from a file, standard input, flags or a message; to lines or a message."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import FOLDER

import jcodeunits as jc
from jcodeunits import cli
from jcodeunits.cli import charge as charge_verb
from jcodeunits.cli import terminal

ON = "2026-03-02"
FLAGS = ("--drug", "ketorolac", "--dose", "30 mg", "--route", "IM", "--place", "11", "--on", ON)
ENCOUNTER = {
    "on": ON,
    "place": "11",
    "visit": {"code": "99213", "separate": True},
    "diagnoses": ["M54.16"],
    "administrations": [
        {
            "drug": "J2315",
            "dose": "380 mg",
            "route": "IM",
            "ndc": "65757-0300-01",
            "containers": 1,
            "container": "single-dose",
            "charge_amount": "4.00",
        }
    ],
    "charge_amounts": {"99213": "120.00", "96372": "25.00"},
}
FHIR = {
    "resourceType": "MedicationAdministration",
    "status": "completed",
    "effectiveDateTime": f"{ON}T10:15:00-05:00",
    "medicationCodeableConcept": {"text": "ketorolac"},
    "dosage": {
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": "78421000"}]},
        "dose": {"value": 30, "system": "http://unitsofmeasure.org", "code": "mg"},
    },
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def ran(*words: str, given: object = None) -> tuple[int, str, str]:
        if given is not None:
            data = given if isinstance(given, bytes) else json.dumps(given).encode()
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        status = cli.main(("charge", *words))
        out, err = capsys.readouterr()
        return status, out, err

    return ran


def lines(out: str) -> list[tuple[str, list[str], int]]:
    return [(line["code"], line["modifiers"], line["units"]) for line in json.loads(out)["lines"]]


def refused(ran: tuple[int, str, str]) -> str:
    status, out, err = ran
    assert (status, out) == (2, "")
    assert err.startswith("jcodeunits: ")
    assert "Traceback" not in err
    assert "not foreseen" not in err
    return err


def test_flags_alone_make_an_encounter(run) -> None:
    status, out, _ = run(*FLAGS, "--visit", "99213", "--separate", "--diagnosis", "M54.16", "--json")
    assert (status, lines(out)) == (0, [("99213", ["25"], 1), ("96372", [], 1), ("J1885", [], 2)])


def test_a_visit_that_was_not_separate_is_withheld(run) -> None:
    _, out, _ = run(*FLAGS, "--visit", "99213", "--no-separate", "--diagnosis", "M54.16", "--json")
    assert "99213" not in {code for code, _, _ in lines(out)}
    assert any("99213" in finding["says"] for finding in json.loads(out)["findings"])


def test_every_flag_reaches_the_encounter(run) -> None:
    flags = """
        --claim outpatient --payer medicare --service 20610 --supervision direct --ndc
        0409-3795-01 --containers 1 --container single-dose --documented order,dose --time 09:30
        --diagnosis M54.16 --amount J1885=3.00 --revenue J1885=0636 --performed-by staff
        --supplied-by practice
    """.split()  # noqa: SIM905 - as it is typed
    amounts = ("--site", "left deltoid", "--container-amount", "30 mg", "--discarded", "0 mg")
    _, out, _ = run(*FLAGS, *flags, *amounts, "--json")
    drug = next(line for line in json.loads(out)["lines"] if line["code"] == "J1885")
    assert (drug["charge_amount"], drug["revenue_code"]) == ("6.00", "0636")
    assert (drug["ndc"], drug["ndc_qualifier"], drug["ndc_quantity"]) == ("00409379501", "ML", "1")
    assert "JZ" in drug["modifiers"]


@pytest.mark.parametrize("where", ["file", "-"])
def test_a_file_and_standard_input_give_the_same(run, tmp_path: Path, where: str) -> None:
    file = tmp_path / "encounter.json"
    file.write_text(json.dumps(ENCOUNTER), "utf-8")
    status, out, _ = run(str(file) if where == "file" else "-", "--format", "json", given=ENCOUNTER)
    assert status == 0
    assert lines(out) == [("99213", ["25"], 1), ("96372", [], 1), ("J2315", ["JZ"], 380)]


def test_the_json_has_the_contracts_keys(run) -> None:
    out = json.loads(run("-", "--json", given=ENCOUNTER)[1])
    assert set(out) >= {"ok", "lines", "findings", "edition", "fingerprint"}
    assert set(out["lines"][2]) >= {"code", "modifiers", "units", "diagnoses", "ndc", "ndc_qualifier", "ndc_quantity"}
    assert out["lines"][2]["ndc_quantity"] == "1"
    for finding in out["findings"]:
        assert set(finding) == {"rule", "severity", "line", "says", "fix", "citations"}
        assert finding["citations"]


def test_a_table_names_date_place_lines_and_verdict(run) -> None:
    status, out, _ = run("-", given=ENCOUNTER)
    assert status == 0
    assert out.startswith("2026-03-02, place 11, medicare, professional claim\n")
    assert [row.split()[1] for row in out.splitlines() if row[:1].isdigit()][1:4] == ["99213", "96372", "J2315"]
    assert out.splitlines()[-1].startswith("3 lines, 1 warning (")
    assert max(map(len, out.splitlines())) <= 80 or "65757030001" in out


def test_an_ended_code_is_a_stop_that_names_the_successor(run) -> None:
    given = {**ENCOUNTER, "administrations": [{"drug": "J1030", "dose": "40 mg", "route": "IM"}]}
    status, out, _ = run("-", "--json", given=given)
    assert status == 1
    stops = [finding["says"] for finding in json.loads(out)["findings"] if finding["severity"] == "stop"]
    assert any("J1010" in says for says in stops)
    status, out, _ = run("-", given=given)
    assert status == 1
    assert "stopped by" in out


def test_the_expected_amounts_are_an_estimate_with_its_sum(run) -> None:
    _, out, _ = run(*FLAGS, "--expected")
    assert "15.36" in out  # 0.46 RVU x 33.4009
    assert "partial" in out
    _, out, _ = run(*FLAGS, "--expected", "--json")
    assert json.loads(out)["expected"]["lines"][0] | {"citations": []} == {
        "line": 1,
        "code": "96372",
        "units": 1,
        "amount": "15.36",
        "how": "0.46 RVU x $33.4009",
        "note": "",
        "citations": [],
    }


def test_past_the_last_day_of_the_money_no_amount_is_printed_and_the_line_says_so(run) -> None:
    _, out, _ = run(*(word if word != "2026-03-02" else "2027-06-01" for word in FLAGS), "--expected")
    assert "Part B payment limits 2026 Q1, to 2026-03-31" in out
    assert "no line has a figure" in out
    assert not any(amount in out for amount in ("0.67", "0.333", "15.36", "0.00"))


def test_explain_shows_how_each_line_came_about(run) -> None:
    out = run(*FLAGS, "--explain")[1]
    assert "line 2: J1885 x 2" in out
    assert "30 mg / 15 mg = 2" in out


def test_the_schema_holds_for_what_is_read(run) -> None:
    status, out, _ = run("--schema")
    assert status == 0
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(ENCOUNTER, schema)
    answer = schema["$defs"]["answer"]
    jsonschema.Draft202012Validator.check_schema(answer)
    jsonschema.validate(jc.charge(ENCOUNTER).as_dict(), answer)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**ENCOUNTER, "plase": "11"}, schema)


# --- messages ---------------------------------------------------------------------------------------


def test_a_message_is_billed_with_what_it_cannot_say(run) -> None:
    status, out, _ = run("-", "--from", "fhir", "--place", "11", "--diagnosis", "M54.16", "--json", given=FHIR)
    assert status == 0
    assert lines(out) == [("96372", [], 1), ("J1885", [], 2)]


def test_a_message_without_a_place_asks_for_it(run) -> None:
    assert "place" in refused(run("-", "--from", "fhir", given=FHIR))


def test_what_stands_beside_a_message_may_not_contradict_it(run) -> None:
    assert "30 mg" in refused(run("-", "--from", "fhir", "--place", "11", "--dose", "60 mg", given=FHIR))


GIVEN = {
    "resourceType": "MedicationAdministration",
    "id": "a1",
    "status": "completed",
    "subject": {"reference": "Patient/1"},
    "medicationCodeableConcept": {"text": "ketorolac"},
    "effectiveDateTime": "2026-03-02T10:15:00-05:00",
    "dosage": {"route": {"text": "IM"}, "dose": {"value": 30, "unit": "mg"}},
}
NO_DOSE = {"id": "a2", "effectiveDateTime": "2026-03-02T11:15:00-05:00", "dosage": {"route": {"text": "IM"}}}
RAS = "MSH|^~\\&|B|C|E|C|1||RAS^O17|1|P|2.5.1\rPID|1||M\rRXA|0|1|20260302101500||^ketorolac|30|mg|{}\rRXR|IM"


@pytest.mark.parametrize(
    ("form", "text", "asked", "words", "facts"),
    [
        ("fhir", json.dumps(GIVEN | {"status": "unknown"}), "read it with --completed.", ["--completed"], None),
        ("fhir", json.dumps(GIVEN | {"status": "stopped"}), "read it with --partial.", ["--partial"], None),
        ("hl7v2", RAS.format("||||||||||||PA"), "read it with --partial.", ["--partial"], None),
        (
            "hl7v2",
            RAS.format("||||||||||||Zonk"),
            '--beside FILE with {"actions": {"Zonk": "given"}}',
            [],
            {"actions": {"Zonk": "given"}},
        ),
        (
            "fhir",
            json.dumps({"resourceType": "Bundle", "entry": [{"resource": GIVEN}, {"resource": GIVEN | NO_DOSE}]}),
            """--beside FILE with {"administrations": [{}, {"dose": "30 mg"}]}""",
            [],
            {"administrations": [{}, {"dose": "30 mg"}]},
        ),
        (
            "fhir",
            json.dumps(
                {**GIVEN, "medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m1"}}
            ),
            "--beside FILE with medications",
            [],
            {"medications": [{"resourceType": "Medication", "id": "m1", "code": {"text": "ketorolac"}}]},
        ),
    ],
)
def test_what_a_refused_message_asks_for_can_be_said_here(
    run, tmp_path, form: str, text: str, asked: str, words: list[str], facts: object
) -> None:
    file, beside = tmp_path / "message", tmp_path / "beside.json"
    file.write_text(text)
    status, _, err = run(str(file), "--from", form, "--place", "11")
    assert (status, asked in err) == (2, True), err
    beside.write_text(json.dumps(facts or {}))
    status, out, err = run(str(file), "--from", form, "--place", "11", *words, "--beside", str(beside))
    assert (status, "J1885" in out) == (0, True), err


def test_what_says_how_a_message_is_read_is_of_a_message(run, tmp_path) -> None:
    file = tmp_path / "encounter.json"
    file.write_text(json.dumps({"on": "2026-03-02", "place": "11", "administrations": []}))
    status, _, err = run(str(file), "--completed")
    assert (status, "--completed: of a message alone" in err) == (2, True), err


def test_a_message_in_another_character_set_is_read(run, tmp_path) -> None:
    file = tmp_path / "message"
    text = RAS.format("||||||||||||CP").replace("PID|1||M", "PID|1||M||JOSÉ").replace("30|mg", "30000|µg")
    file.write_bytes(text.replace("|2.5.1", "|2.5.1||||||8859/1").encode("latin-1"))
    status, out, err = run(str(file), "--from", "hl7v2", "--place", "11")
    assert (status, "J1885" in out) == (0, True), err


def test_what_was_not_given_is_a_finding_beside_what_was(run) -> None:
    refused_dose = {**FHIR, "status": "not-done"}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": FHIR}, {"resource": refused_dose}]}
    _, out, _ = run("-", "--from", "fhir", "--place", "11", "--diagnosis", "M54.16", "--json", given=bundle)
    assert lines(out) == [("96372", [], 1), ("J1885", [], 2)]
    assert "not-administered" in {finding["rule"] for finding in json.loads(out)["findings"]}


def test_an_order_is_never_billed(run) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "medicationCodeableConcept": {"text": "ketorolac"},
    }
    assert "MedicationRequest" in refused(run("-", "--from", "fhir", "--place", "11", given=order))


@pytest.mark.parametrize("name", ["hl7v2", "fhir"])
def test_a_batch_is_billed_record_by_record(run, name: str) -> None:
    rxa = "RXA|0|1|{}101500||^ketorolac|30|mg|||||||||||||{}|A\rRXR|IM\r"
    msh = "MSH|^~\\&|M|C|B|C|20260302||RAS^O17|{}|P|2.5.1\rPID|1||P1\rORC|RE|1\r"
    days = (("20260302", "CP"), ("20260303", "RE"), ("20260304", "CP"))
    texts = {
        "hl7v2": "BHS|^~\\&|\r" + "".join(msh.format(day) + rxa.format(day, done) for day, done in days) + "BTS|3\r",
        "fhir": "\n".join(
            json.dumps({**FHIR, "status": status, "effectiveDateTime": f"2026-03-0{day}T10:15:00-05:00"})
            for day, status in ((2, "completed"), (3, "not-done"), (4, "completed"))
        ),
    }
    words = ("-", "--from", name, "--diagnosis", "R52")
    _, out, _ = run(*words, "--place", "11", "--json", given=texts[name].encode())
    assert [(one["record"], one["lines"][-1]["code"]) for one in json.loads(out)] == [(1, "J1885"), (3, "J1885")]
    status, out, err = run(*words, "--place", "11", given=texts[name].encode())
    assert [row.rpartition(", ")[2] for row in out.splitlines() if "place 11" in row] == ["record 1", "record 3"]
    assert [row[:10] for row in out.splitlines() if "place 11" in row] == ["2026-03-02", "2026-03-04"]
    assert status == 1
    assert err.startswith("jcodeunits: record 2: ")
    assert err.count("record") == 1
    status, out, err = run(*words, given=texts[name].encode())
    assert (status, out) == (2, "")
    assert err.count("--place 11") == 2
    assert [line.partition(": ")[2].partition(":")[0] for line in err.splitlines()] == [
        f"record {n}" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize("joined", ["[{}]", "{}"])
def test_of_several_encounters_a_bad_one_is_named_by_its_number_and_hides_no_other(run, joined: str) -> None:
    bad = json.dumps({**ENCOUNTER, "plase": "11"})
    text = joined.format(("," if joined == "[{}]" else "\n").join([bad, json.dumps(ENCOUNTER)])).encode()
    status, out, err = run("-", "--json", given=text)
    assert status == 1
    assert [(one["record"], one["lines"][-1]["code"]) for one in json.loads(out)] == [(2, "J2315")]
    assert err.startswith("jcodeunits: record 1: ")
    assert "plase" in err


def test_a_list_of_records_numbers_each_error_once(run) -> None:
    bad = {**FHIR, "status": "not-done"}
    status, _, err = run("-", "--from", "fhir", "--place", "11", given=json.dumps([FHIR, bad]).encode())
    assert status == 1
    assert err.startswith("jcodeunits: record 2: MedicationAdministration ")
    assert err.count("record 2") == 1


def test_a_message_out_holds_the_lines_and_findings_go_aside(run) -> None:
    status, out, err = run("-", "--format", "x12", given=ENCOUNTER)
    assert status == 0
    assert "SV1*HC:J2315:JZ*4*UN*380" in out
    assert "LIN**N4*65757030001" in out
    assert "CTP****1*UN" in out
    assert "Traceback" not in err


def test_a_stopped_claim_leaves_no_message(run) -> None:
    given = {**ENCOUNTER, "administrations": [{"drug": "J1030", "dose": "40 mg", "route": "IM"}]}
    status, out, err = run("-", "--format", "x12", given=given)
    assert (status, out) == (1, "")
    assert "J1010" in err
    status, out, _ = run("-", "--format", "x12", "--allow-stops", given=given)
    assert status == 1
    assert "99213" in out


def test_a_format_asks_for_the_amount_that_it_needs(run) -> None:
    assert "amount" in refused(
        (*run(*FLAGS, "--format", "x12")[:2], run(*FLAGS, "--format", "x12")[2].splitlines()[-1] + "\n")
    )


def test_an_option_of_the_format_is_known_or_refused(run) -> None:
    amounts = ("--amount", "96372=25", "--amount", "J1885=3", "--diagnosis", "M54.16")
    plain = run(*FLAGS, *amounts, "--format", "x12", "--option", "place=no")[1]
    assert plain != run(*FLAGS, *amounts, "--format", "x12")[1]
    err = run(*FLAGS, *amounts, "--format", "x12", "--option", "colour=red")[2]
    assert "--option colour: the format has" in err


# --- what cannot be read ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[]", "JSON object"),
        (b"null", "JSON object"),
        (b'{"on": "2026-03-02", "on": "2026-03-03"}', "stands twice"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "can"),
        ({"on": ON, "plase": "11"}, "Did you mean 'place'"),
        ({**ENCOUNTER, "place": "98"}, "place"),
        ({**ENCOUNTER, "on": "2026-02-30"}, "not a day of the calendar"),
        ({**ENCOUNTER, "payer": "nobody"}, "nobody"),
        ({**ENCOUNTER, "administrations": [{"drug": "J1885"}]}, "'dose' is missing"),
        ({**ENCOUNTER, "administrations": [{"drug": "J1885", "dose": 30, "route": "IM"}]}, "dose"),
        ({**ENCOUNTER, "administrations": [{"drug": "J1885", "dose": "30 mg", "route": "by air"}]}, "Allowed"),
        ({**ENCOUNTER, "visit": {"code": "visit"}}, "visit"),
    ],
)
def test_input_that_cannot_be_read_is_one_clear_line(run, given: object, says: str) -> None:
    assert says in refused(run("-", given=given))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Give a file"),
        (("nowhere.json",), "nowhere.json: No such file"),
        (("--drug", "ketorolac", "--place", "11"), "--dose is missing"),
        (("--drug", "ketorolac", "--dose", "30 mg", "--route", "IM"), "--place is missing"),
        ((*FLAGS, "--amount", "25"), "a code, an equals sign and a value"),
        ((*FLAGS, "--format", "paper"), "invalid choice"),
    ],
)
def test_a_wrong_call_is_one_clear_line(run, words: tuple[str, ...], says: str) -> None:
    assert says in refused(run(*words))


def test_flags_add_to_a_file_and_never_replace(run) -> None:
    bare = {key: value for key, value in ENCOUNTER.items() if key != "visit"}
    added = run("-", "--visit", "99213", "--separate", "--json", given=bare)[1]
    assert lines(added)[0] == ("99213", ["25"], 1)
    assert "'11' and '22'" in refused(run("-", "--place", "22", given=ENCOUNTER))
    assert "--site: write" in refused(run("-", "--site", "left gluteal", given=ENCOUNTER))


# --- whatever comes in ------------------------------------------------------------------------------

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**6)
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(["J1885", "30 mg", "IM", "11", "99213", "2026-03-02", "0 mg", "ketorolac", "0409-3795-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_ENCOUNTER_KEYS = (
    "on",
    "place",
    "payer",
    "claim",
    "visit",
    "supervision",
    "resident",
    "patient",
    "services",
    "diagnoses",
    "administrations",
    "charge_amounts",
    "revenue_codes",
)
_GIVEN_KEYS = (
    "drug",
    "dose",
    "route",
    "site",
    "products",
    "container",
    "form",
    "basis",
    "concentration",
    "order",
    "syringe",
    "time",
    "start",
    "stop",
    "performed_by",
    "performer",
    "self_administered",
    "supplied_by",
    "shared",
    "documented",
    "ndc",
    "containers",
    "container_amount",
    "discarded",
    "purpose",
    "charge_amount",
    "revenue_code",
    "diagnoses",
)


def test_an_input_that_is_closed_or_never_ends_is_refused(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charge_verb, "_LARGEST", 1000)
    assert "more than 1,000 bytes" in refused(run("-", given=b" " * 1001))
    assert run("-", given=json.dumps(ENCOUNTER).encode().ljust(1000))[0] == 0
    if os.path.exists("/dev/zero"):
        assert "more than 1,000 bytes" in refused(run("/dev/zero"))
    monkeypatch.setattr(sys, "stdin", None)
    assert "Standard input is closed" in refused(run("-"))


def test_a_batch_of_many_records_that_are_none_takes_no_time_for_each(run) -> None:
    start = time.process_time()
    status, out, err = run("-", given=b"1\n" * 3000)
    assert (status, out, err.count("\n")) == (2, "", 3000)
    assert err.startswith("jcodeunits: record 1: An encounter is a JSON object, not int.\n")
    assert time.process_time() - start < 2


def _status(given: object) -> int:
    """The status of `charge -` for one JSON document; never a traceback, never an unforeseen error."""
    out, err = io.StringIO(), io.StringIO()
    text = io.TextIOWrapper(io.BytesIO(json.dumps(given).encode()))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", text)
        status = cli.main(("charge", "-", "--json"))
    assert "not foreseen" not in err.getvalue(), (given, err.getvalue())
    assert (out.getvalue() == "") == (status == 2)
    return status


@given(st.dictionaries(st.sampled_from(_ENCOUNTER_KEYS), _VALUES, max_size=3))
def test_any_value_of_an_encounter_is_billed_or_refused(changed: dict[str, object]) -> None:
    assert _status({**ENCOUNTER, **changed}) in (0, 1, 2)


@given(st.dictionaries(st.sampled_from(_GIVEN_KEYS), _VALUES, max_size=3))
def test_any_value_of_an_administration_is_billed_or_refused(changed: dict[str, object]) -> None:
    administration = {"drug": "J1885", "dose": "30 mg", "route": "IM"} | changed
    assert _status({**ENCOUNTER, "administrations": [administration]}) in (0, 1, 2)


@given(_VALUES)
def test_any_json_is_billed_or_refused(given_json: object) -> None:
    assert _status(given_json) == 2


# --- a site's own tables ----------------------------------------------------------------------------


def _own(folder: Path, table: str, *rows: str) -> Path:
    """A folder with one table of a site, in the shape of the shipped one."""
    header = (FOLDER / f"{table}.csv").read_text("utf-8").splitlines()[0]
    folder.mkdir(exist_ok=True)
    (folder / f"{table}.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return folder


def test_a_sites_own_tables_answer_beside_the_shipped_ones(run, tmp_path: Path) -> None:
    since = "2020-01-01,,own-review,the site's own,high,2026-11-23"
    own = _own(tmp_path / "own", "payers", f"our-plan,follows,any,commercial,{since}")
    _own(own, "names", f"house special,synonym,ketorolac tromethamine,,,{since}")
    _own(own, "containers", f"50090-3364,single-dose,liquid,1,,{since}")
    flags = ("--drug", "house special", "--dose", "30 mg", "--route", "IM", "--place", "11", "--on", ON, "--json")
    assert "our-plan" in refused(run(*flags, "--payer", "our-plan"))
    status, out, _ = run(*flags, "--payer", "our-plan", "--diagnosis", "R52", "--tables", str(own))
    assert (status, lines(out)) == (0, [("96372", [], 1), ("J1885", [], 2)])


def test_a_folder_without_tables_is_refused(run, tmp_path: Path) -> None:
    assert "holds no table" in refused(run(*FLAGS, "--tables", str(tmp_path)))
    (tmp_path / "notes.csv").write_text("a,b\n", "utf-8")
    assert "notes.csv: no such table" in refused(run(*FLAGS, "--tables", str(tmp_path)))


def test_a_sites_rows_never_replace_a_shipped_one(run, tmp_path: Path) -> None:
    row = "medicare,jz,professional,none,2020-01-01,,own-review,wishful,high,2026-11-23"
    shipped = (FOLDER / "payers.csv").read_text("utf-8").splitlines()
    claim = next(line for line in shipped if line.startswith("medicare,jz,")).split(",")[2]
    own = _own(tmp_path / "own", "payers", row.replace("professional", claim))
    assert "medicare" in refused(run(*FLAGS, "--tables", str(own)))


def test_hl7_segments_end_in_cr_in_a_pipe_and_in_lines_on_a_terminal(run, monkeypatch: pytest.MonkeyPatch) -> None:
    _, piped, _ = run("-", "--format", "hl7v2", given=ENCOUNTER)
    assert piped.count("\r") == 3
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    _, shown, _ = run("-", "--format", "hl7v2", given=ENCOUNTER)
    assert [line.partition("|")[0] for line in shown.split("\n") if line] == ["FT1"] * 3
    assert shown.split("\n")[:3] == piped.split("\r")[:3]
