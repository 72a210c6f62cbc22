"""Words of administration records: what was given, what was not, and who must be asked."""

from __future__ import annotations

import re
from typing import Any

import polars
import pyarrow as pa
import pytest
from shipped import rows_of

import jcodeunits as jc
from jcodeunits import mar
from jcodeunits.encounter import Encounter
from jcodeunits.errors import BatchError, FormatError
from jcodeunits.formats import hl7v2
from jcodeunits.mar import MarWord

WORDS: tuple[MarWord, ...] = rows_of(MarWord)


def read(word: str, stop: str = "", **beside: Any) -> Encounter:
    text = f"RXA|0|1|20260302101500|{stop}|^ketorolac|30|mg|||||||||||||{word}|A\rRXR|IM"
    found = hl7v2.read(text, place="11", payer="commercial", diagnoses=["R52"], **beside)
    assert isinstance(found, Encounter)
    return found


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.word)
@pytest.mark.parametrize("vouched", [False, True])
def test_every_word_is_billed_only_as_what_it_means(row: MarWord, vouched: bool) -> None:
    word, stop = row.word.title(), "20260302103500"
    if row.means in ("not-given", "no-dose", "running", "end", "waste") or (row.means == "other" and not vouched):
        with pytest.raises(FormatError, match=r"RXA-20 says"):
            read(word, stop, completed=vouched)
        return
    found = read(word, stop, completed=vouched)
    codes = [line.code for line in jc.charge(found).lines]
    assert found.administrations[0].self_administered is (row.means == "self-administered")
    assert codes == {"self-administered": ["J1885"], "patient-supplied": ["96372"]}.get(row.means, ["96372", "J1885"])


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.word)
def test_a_word_written_as_one_with_large_letters_means_the_same(row: MarWord) -> None:
    if row.word.replace(" ", "").isalpha() and " " in row.word:
        assert mar.meaning(row.word.title().replace(" ", "")) == row.means


def test_words_of_a_result_and_of_what_ran_in() -> None:
    """Auth (Verified): the status of a signed result, Unverified is none; what ran in was counted with its bag."""
    words = ("Auth (Verified)", "Auth (Unverified)", "Start Bag", "Infused", "Infuse")
    assert [mar.meaning(word) for word in words] == ["given", None, "bag", "bag", "no-dose"]


def test_a_bag_that_was_hung_is_asked_for_its_end() -> None:
    with pytest.raises(FormatError, match=r"New Bag.*hung.*completed=True"):
        read("New Bag")
    assert read("New Bag", "20260302105000").administrations[0].stop == "10:50"
    assert read("New Bag", completed=True).administrations[0].dose == "30 mg"


def hung(*events: str, order: str = "7") -> str:
    """Messages of one order: each event as its minute, word, amount and unit."""
    rows = []
    for at, event in enumerate(events, 1):
        minute, word, amount, *action = event.split("/")
        drug = f"^ceftriaxone|{amount}|{'g' if amount else ''}"
        rows.append(f"ORC|RE|{order}")
        rows.append(f"RXA|0|{at}|202603021{minute}00||{drug}|||||||||||||{word}|{''.join(action) or 'A'}\rRXR|IVPB")
    return "\r".join(rows)


@pytest.mark.parametrize("end", ["040/Stopped/", "040/Infusion Complete/0", "040/End Bag/1"])
def test_the_end_of_a_bag_is_another_event_of_its_order(end: str) -> None:
    for text in (hung("000/New Bag/1", end), hung(end, "000/Begin Bag/1")):
        found = hl7v2.read(text, place="11", diagnoses=["R52"])
        assert isinstance(found, Encounter)
        assert [(one.start, one.stop) for one in found.administrations] == [("10:00", "10:40")]
        assert [(line.code, line.units) for line in jc.charge(found).lines] == [("96365", 1), ("J0696", 4)]


@pytest.mark.parametrize(
    "between", [["020/Rate Change/"], ["010/Rate Verify/", "020/Handoff/", "030/Rate/Dose Change/"]]
)
def test_a_bag_that_ran_on_at_another_rate_ends_when_its_end_says(between: list[str]) -> None:
    events = [one.replace("Rate/Dose", "Rate-Dose") for one in between]
    text = hung("000/New Bag/1", *events, "040/Stopped/").replace("Rate-Dose", "Rate/Dose")
    found = hl7v2.read(text, place="11", diagnoses=["R52"])
    assert isinstance(found, Encounter)
    assert [(one.start, one.stop) for one in found.administrations] == [("10:00", "10:40")]
    assert [(line.code, line.units) for line in jc.charge(found).lines] == [("96365", 1), ("J0696", 4)]


@pytest.mark.parametrize(
    "text",
    [
        hung("000/New Bag/1", "020/Rate Change/"),
        hung("000/New Bag/1", "020/Rate Change/", "030/Paused/", "040/Stopped/"),
        hung("000/New Bag/1", "020/Site Change/", "040/Stopped/"),
        hung("000/New Bag/1", "020/Rate Change/", "030/New Bag/1", "040/Stopped/"),
        hung("000/New Bag/1", "040/Stopped/0.5"),
        hung("000/New Bag/1", "040/Stopped/", "050/Restarted/1"),
        hung("000/New Bag/1", "020/Paused/", "040/Stopped/"),
        hung("000/New Bag/1", "040/Stopped//D"),
        hung("000/New Bag/1//D", "040/Stopped/"),
        hung("000/New Bag/1") + "\r" + hung("040/Stopped/", order="8"),
        hung("040/New Bag/1", "000/Stopped/"),
        hung("000/Given/1", "040/Stopped/"),
    ],
)
def test_an_end_that_leaves_something_open_does_not_bill_the_bag(text: str) -> None:
    with pytest.raises(FormatError):
        hl7v2.read(text, place="11")


def test_a_waste_event_says_what_its_dose_discarded() -> None:
    given = "RXA|0|1|20260302101500||^morphine|4|mg|||||||||||||Given|A\rRXR|IM\r"
    waste = "RXA|0|2|20260302102000||^morphine|6|mg|||||||||||||Waste|A\rRXR|IM\r"
    facts: dict[str, Any] = {"place": "11", "container": "single-dose", "containers": 1, "container_amount": "10 mg"}
    found = hl7v2.read(given + waste, **facts)
    assert [one.discarded for one in found.administrations[0].products] == ["6 mg"]
    assert hl7v2.read(given + waste, discarded="6 mg", **facts).administrations == found.administrations
    with pytest.raises(FormatError, match=r"discarded '6 mg' and '5 mg'"):
        hl7v2.read(given + waste, discarded="5 mg", **facts)
    for text in (waste, given + waste.replace("morphine", "ketorolac"), given + waste + waste.replace("0|2", "0|3")):
        with pytest.raises(FormatError, match="drug was thrown away"):
            hl7v2.read(text, **facts)
    unsaid = hl7v2.read(given + waste.replace("|6|mg|", "|||"), **facts)
    assert "waste-noted" in [one.rule for one in unsaid.findings]


def test_a_word_that_nobody_knows_is_refused_by_name_until_the_sender_explains_it() -> None:
    for beside in ({}, {"completed": True}):
        with pytest.raises(FormatError, match=r"'Verabreicht', which is no completion status.*actions="):
            read("Verabreicht", **beside)
    assert read("Verabreicht", actions={"verabreicht": "given"}).administrations[0].drug == "ketorolac"
    with pytest.raises(FormatError, match=r"RXA-20 says 'Pausiert'"):
        read("Pausiert", actions={"Pausiert": "no-dose"}, completed=True)
    with pytest.raises(FormatError, match=r"'maybe' is no meaning"):
        read("Verabreicht", actions={"Verabreicht": "maybe"})


def test_a_time_in_the_place_of_the_status_says_nothing_of_it() -> None:
    with pytest.raises(FormatError, match=r"is no word.*completed=True"):
        read("20260302101500")
    assert read("20260302101500", completed=True).administrations[0].time == "10:15"


def test_the_standards_own_statuses_stay_as_they_are() -> None:
    assert read("CP").administrations[0].drug == "ketorolac"
    with pytest.raises(FormatError, match=r"RE .refused"):
        read("RE", completed=True)
    with pytest.raises(FormatError, match=r"contradicts itself"):
        read("CP~Not Given")


def test_words_are_kept_as_they_are_looked_up() -> None:
    assert all(mar.meaning(row.word.upper()) == row.means for row in WORDS)


@pytest.mark.parametrize(
    "name",
    [
        "status",
        "MAR Action",
        "mar_status",
        "AdministrationStatus",
        "MED_ACTION",
        "MAR_ACTION_C_NAME",
        "event_type",
        "Documented Action",
        "completion_status",
    ],
)
def test_a_column_of_a_like_name_refuses_what_was_not_given(name: str) -> None:
    words = ["Given", "Refused", "not-done", "paid", None, "Held"]
    row = {"drug": "ketorolac", "dose": "30", "unit": "mg", "on": "2026-03-02"}
    table = pa.Table.from_pylist([row | {name: word} for word in words])
    for one in (table, table.to_pandas(), polars.from_arrow(table)):
        made = jc.batch.bill(one)
        assert list(map(str, made["status"])) == ["billed", "refused", "refused", "billed", "billed", "refused"]
        assert "Refused" in str(made["reason"][1])
    beside = jc.batch.bill(table.append_column("action", pa.array(["Given"] * 6)))
    assert beside["status"].to_pylist() == list(map(str, made["status"]))
    assert jc.batch.bill(table.rename_columns([*row, "note"]))["status"].to_pylist() == ["billed"] * 6


@pytest.mark.parametrize(
    ("name", "said", "billed"),
    [
        ("Reason Not Given", ["nausea", "", None, "N/A"], [False, True, True, True]),
        ("ReasonNotGiven", ["nausea", "", None, "N/A"], [False, True, True, True]),
        ("refusal_reason", ["nausea", "", None, "none"], [False, True, True, True]),
        ("Reason for Hold", ["BP 80/40", " ", None, "-"], [False, True, True, True]),
        ("given", ["No", "Yes", None, "2026-03-02"], [False, True, True, True]),
        ("Was Administered", [False, True, None, True], [False, True, True, True]),
        ("Not Given", ["Y", "N", None, ""], [False, True, True, True]),
        ("Voided", [1, 0, None, 0], [False, True, True, True]),
        ("Voided", [1.0, 0.0, None, 0.0], [False, True, True, True]),
        ("Entered in Error", ["x", "", None, "no"], [False, True, True, True]),
        ("Charted in Error", ["Y", "", None, "N"], [False, True, True, True]),
        ("Refused_YN", ["Yes", "No", None, "no"], [False, True, True, True]),
        ("reason", ["pain", "", None, "x"], [True, True, True, True]),
        ("Dose Given", ["30", "0", None, "n"], [True, True, True, True]),
    ],
)
def test_a_reason_or_a_yes_or_no_refuses_whatever_the_action_is(
    name: str, said: list[object], billed: list[bool]
) -> None:
    row = {"drug": "ketorolac", "dose": "30", "unit": "mg", "on": "2026-03-02"}
    table = pa.Table.from_pylist([row | {name: one} for one in said])
    both = table.append_column("action", pa.array(["Given"] * 4))
    for one in (table, both, table.to_pandas(), polars.from_arrow(table), both.to_pandas(), polars.from_arrow(both)):
        made = jc.batch.bill(one)
        assert list(map(str, made["status"])) == ["billed" if is_billed else "refused" for is_billed in billed]
        assert "nausea" not in str(made["reason"])


def test_of_several_columns_that_mean_one_the_first_is_named_so_that_the_renamed_table_is_read() -> None:
    row = {
        "MEDICATION_NAME": "ketorolac",
        "Drug Name": "x",
        "SIG": "30",
        "DOSE_UNIT": "mg",
        "TAKEN_TIME": "2026-03-02 10:15",
    }
    row |= {"AdminDate": "2026-03-02", "ROUTE": "IM", "MAR_ACTION": "Given"}
    with pytest.raises(BatchError) as refused:
        jc.batch.bill(pa.Table.from_pylist([row]))
    told = dict(re.findall(r"'([^']+)' to (\w+)", str(refused.value)))
    made = jc.batch.bill(pa.Table.from_pylist([{told.get(name, name): value for name, value in row.items()}]))
    assert (made["hcpcs"].to_pylist(), made["units"].to_pylist()) == (["J1885"], [2])


@pytest.mark.parametrize(
    ("on", "read"),
    [
        ("2026-03-02 10:15:00", True),
        ("2026-03-02T10:15", True),
        ("2026-03-02T23:59:59.000-05:00", True),
        ("2026-03-02 10:15 PM", True),
        (" 2026-03-02 ", True),
        ("2026-03-02T03:15:00Z", False),
        ("2026-03-02 and later", False),
        ("2026-02-30 10:15", False),
    ],
)
def test_a_time_behind_the_day_of_an_extract_is_the_places_own(on: str, read: bool) -> None:
    row = {"drug": "ketorolac", "dose": "30", "unit": "mg", "on": on}
    plain = pa.Table.from_pylist([row])
    coded = plain.set_column(3, "on", plain["on"].dictionary_encode())
    for table in (plain, coded):
        assert jc.batch.bill(table)["status"].to_pylist() == ["billed" if read else "refused"]
    american = pa.Table.from_pylist([row | {"on": "3/2/2026 10:15:00 AM"}])
    assert jc.batch.bill(american, date_format="MM/DD/YYYY")["units"].to_pylist() == [2]


@pytest.mark.parametrize(
    "word", ["Given - Patient Refused half", "Given by other RN", "Self-administered at home", "Patient's own med"]
)
def test_a_status_whose_part_speaks_against_the_dose_refuses_its_row(word: str) -> None:
    row = {"drug": "ketorolac", "dose": "30", "unit": "mg", "on": "2026-03-02", "status": word}
    made = jc.batch.bill(pa.Table.from_pylist([row, {**row, "status": "Given - at bedside"}]))
    assert made["status"].to_pylist() == ["refused", "billed"]


@pytest.mark.parametrize(("mark", "said"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_an_extract_whose_cells_are_parted_by_another_mark_is_told_so(mark: str, said: str) -> None:
    with pytest.raises(BatchError, match=f"parted by {said}: write commas"):
        jc.batch.bill(pa.table({mark.join(("drug", "dose", "on")): ["x"]}))
    with pytest.raises(BatchError) as refused:
        jc.batch.bill(pa.table({"room": ["x"]}))
    assert "parted" not in str(refused.value)


@pytest.mark.parametrize("word", ["cp", "not_done", "ENTERED-IN-ERROR", "self-administered", "In-Progress"])
def test_codes_of_the_standards_are_words_too(word: str) -> None:
    means = {"cp": "given", "self-administered": "self-administered"}.get(word, "not-given")
    assert mar.meaning(word) == means


@pytest.mark.parametrize(
    "word",
    ["Not Given - Patient Refused", "Held (NPO)", "Refused: nausea", "MISSED; patient away", "refused by family"],
)
def test_a_reason_behind_a_word_leaves_it_what_it_is(word: str) -> None:
    with pytest.raises(FormatError, match="it was not given"):
        read(word, completed=True)


def test_a_long_word_that_nobody_knows_names_a_way_out_that_works() -> None:
    word = "Given as agreed on the phone"
    with pytest.raises(FormatError, match=r"actions=\{'its words': 'given'\}"):
        read(word)
    assert read(word, actions={word: "given"}).administrations[0].drug == "ketorolac"
    with pytest.raises(FormatError, match="no completion status"):
        read("Given - Partial Dose")
