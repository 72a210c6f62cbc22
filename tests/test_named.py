"""NDCs without a proved code: their name, what counts them, and what one mL or one vial holds."""

from __future__ import annotations

import csv
import random
import shutil
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import attrs
import pyarrow as pa
import pytest
from shipped import PRODUCTS, REFERENCE, rows_of

import jcodeunits as jc
from jcodeunits.cli import main
from jcodeunits.errors import JcodeunitsError, UnknownDrug
from jcodeunits.facts.drug_rows import Brand, Drug, Uncoded
from jcodeunits.facts.folder import write_folder
from jcodeunits.facts.product_rows import Product
from jcodeunits.facts.reference import Reference
from jcodeunits.facts.siblings import another_package
from jcodeunits.facts.store import Store
from jcodeunits.refresh import fda, fold, named
from jcodeunits.refresh.byhand import ByHand
from jcodeunits.refresh.evidence import Evidence, Price
from jcodeunits.refresh.family import said
from jcodeunits.refresh.state import State
from jcodeunits.refresh.statements import Kept

ON = "2026-03-02"
NDC = "00000-0000-01"
KETOROLAC = "68083-0133-25"  # 30 mg in 1 mL, a maker whose ketorolac no crosswalk has


def listed(description: str, shape: str = "Vial", strength: str = "", measure: str = "") -> fda.Injectable:
    told = said(description=description, shape=shape, strength=strength, measure=measure)
    return fda.listed([(NDC, told)])[NDC]


def counted(entry: fda.Injectable | None, evidence: Evidence, *liquids: named.Liquids) -> named.Counted:
    """What the list's entry and the other files prove."""
    return named.counted(NDC, attrs.evolve(evidence, fda={NDC: entry} if entry is not None else {}), *liquids)


def told(*notices: str, price: tuple[str, str] | None = None, unit: str = "", name: str = "") -> Evidence:
    return Evidence(
        prices={NDC: (Price(price[0], price[1], price[1]),)} if price else {},
        survey={NDC: (unit, name)} if unit else {},
        notices={NDC: notices} if notices else {},
    )


@pytest.mark.parametrize(
    ("entry", "evidence", "answer"),
    [
        (listed("1 mL ketorolac tromethamine 30 mg/mL Vial", "Vial", "30", "mg"), told(), ("ML", 30)),
        (listed("15 mL tofersen 6.7 mg/mL Vial", "Vial", "100", "mg"), told(), ("ML", None)),  # a third has no end
        (listed("2 mL ondansetron 2 mg/mL Ampule", "Ampule"), told(), ("ML", 2)),
        (listed("Vitamin B12 1 mg/mL Vial", "Vial", "10", "mg"), told("1 mg/mL|cyanocobalamin"), ("ML", 1)),
        (listed("Vitamin B12 1 mg/mL Vial"), told(price=("25X1ML", "CYANOCOBALAMIN 1MG/ML INJ")), ("ML", 1)),
        (listed("Azacitidine 100 mg Vial", "Vial", "100", "mg"), told(price=("1", "AZACITIDINE 100MG/VIL INJ")), ("UN", 100)),
        (listed("Azacitidine 100 mg Vial", "Vial", "100", "mg"), told("powder|azacitidine"), ("UN", None)),
        # overfill: the list says 2.2 mg of a vial that is sold as 2 mg
        (listed("Alteplase 2.2 mg Vial", "Vial", "2.2", "mg"), told(price=("1", "ALTEPLASE 2MG/VIL INJ")), ("UN", None)),
        (None, told(unit="ML", name="BUDESONIDE 0.5 MG/2 ML SUSP"), ("ML", None)),
        (None, told(unit="UN", name="ARIPIPRAZOLE ER 300 MG VIAL"), ("UN", None)),
        (listed("Glucose 50 mg/mL Bag", "Bag", "25000", "mg"), told(), ("ML", 50)),
        # nothing is proved
        (listed("Vancomycin 50 mg/mL Vial", "Vial", "5000", "mg"), told(), ("", None)),  # a powder made up
        (listed("Ketorolac 30 mg Vial", "Vial", "30", "mg"), told(), ("", None)),  # solutions are written so too
        (listed("1 mL leuprolide acetate 7.5 mg/mL Prefilled Syringe", "Prefilled Syringe"), told(), ("", None)),
        (listed("2 mL drug 10 mg/mL Vial"), told("powder|drug for injection"), ("", None)),
        (listed("2 mL drug 10 mg/mL Vial"), told("kit|drug"), ("", None)),
        (listed("Gonadotropin 1000 UNT/mL Vial"), told(price=("10ML", "GONADOTROPIN 1000UNT/ML INJ")), ("", None)),
        (listed("1 mL a 1 mg/mL / b 2 mg/mL Vial"), told(), ("ML", None)),  # of a combination the parts are printed
        (listed("3 mL insulin lispro 100 UNT/mL Pen Injector", "Pen Injector"), told(), ("ML", 100)),
    ],
)  # fmt: skip
def test_what_the_list_and_another_file_prove(
    entry: fda.Injectable | None, evidence: Evidence, answer: tuple[str, int | None]
) -> None:
    qualifier, drug, proof = counted(entry, evidence)
    assert (qualifier, drug and drug[0]) == answer
    assert bool(proof) == bool(qualifier)


def test_the_same_liquid_with_its_volume_elsewhere_in_the_list_is_a_witness() -> None:
    entry = listed("Neostigmine methylsulfate 1 mg/mL Vial", strength="10", measure="mg")
    other = said(description="5 mL neostigmine methylsulfate 1 mg/mL Syringe", shape="Syringe")
    liquids = named.Liquids.of(Evidence(fda=fda.listed([("00000-0000-02", other)])))
    assert counted(entry, told())[0] == ""
    assert counted(entry, told(), liquids) == ("ML", (Fraction(1), "mg"), "list-concentration")
    assert counted(entry, told("powder|neostigmine for injection"), liquids)[0] == ""
    assert counted(listed("Neostigmine methylsulfate 2 mg/mL Vial"), told(), liquids)[0] == ""


def test_a_container_that_another_file_counts_as_a_whole_is_asked_about() -> None:
    """The survey counts an epinephrine injector of 0.3 mL as one, and a vial by its mL."""
    words = "0.3 mL epinephrine 1 mg/mL Auto-Injector"
    one = fda.listed([("00000-0000-02", said(description=f"NDA019430 {words}", shape="Auto-Injector"))])
    assert one["00000-0000-02"].leads
    each = Evidence(survey={"00000-0000-02": ("UN", "EPINEPHRINE 0.3 MG AUTO-INJECT")}, fda=one)
    entry = listed(words, "Auto-Injector")
    syringe = [
        ("00000-0000-02", said(description="Epinephrine 1 mg/mL Syringe", shape="Syringe"))
    ]  # as the list has it
    beside = named.Liquids.of(attrs.evolve(each, fda=fda.listed(syringe)))
    assert counted(entry, told(), beside)[0] == ""
    assert counted(entry, told(), named.Liquids.of(Evidence(fda=one)))[0] == "ML"
    assert counted(entry, told(), named.Liquids.of(each))[0] == ""
    assert counted(listed("1 mL epinephrine 1 mg/mL Vial"), told(), named.Liquids.of(each))[0] == "ML"


def test_no_rule_disagrees_with_a_package_that_is_decided_otherwise() -> None:
    state = fold.state_of(REFERENCE.store)
    kept = state.kept["evidence"]
    files = {file: kept.newest(file, state.days) for file in ("fda-ndc", "va-fss", "fda-recalls", "fda-shortages")}
    evidence = fold.evidence.of(files)
    seen: Counter[str] = Counter()
    liquids = named.Liquids.of(evidence)
    for row in rows_of(Product):
        if row.ends is not None or not row.qualifier or "per-unit" in row.marks or row.number not in evidence.fda:
            continue
        qualifier, drug, _proof = named.counted(row.number, evidence, liquids)
        if qualifier:
            seen[qualifier] += 1
            assert qualifier == row.qualifier, row.number
        if row.number == "00944-2850-09":
            continue  # Cuvitru has 200 mg/mL; the list takes it for another brand of 100
        if drug is not None and row.per_counted is not None and row.unit == drug[1] and qualifier == "ML":
            assert abs(drug[0] / row.per_counted - 1) < Fraction(1, 50), row.number
    assert seen["ML"] > 2000
    assert seen["UN"] > 250


def test_names_of_drugs_that_a_practice_gives_and_no_others() -> None:
    names = named.Names.of(rows_of(Drug), rows_of(Brand), rows_of(Uncoded), [])
    for text in (
        "KETOROLAC 30MG/ML INJ",
        "250 mL|dextrose",
        "DEXAMETHASONE 4MG TAB",
        "bupivacaine 0.25 % 10ML VIAL",
        "TORADOL INJ",
    ):
        assert names.name(text), text
    for text in ("LISINOPRIL 10MG TAB", "KETOROLAC 10MG TAB", "SHAMPOO 120ML"):
        assert not names.name(text), text


STATE_ONLY = "00002-7659-01"  # in the state's conversion file alone


def test_an_ndc_that_only_a_states_file_names_is_known_but_proves_nothing() -> None:
    row = PRODUCTS.rows(STATE_ONLY.replace("-", ""))[0]
    assert (row.codes, row.confidence, row.qualifier, row.amount) == ((), "low", "", None)
    assert row.source.startswith("state-conversion")
    item, notes = PRODUCTS.find(STATE_ONLY, ON)
    assert item.codes == ()
    assert any("a state's conversion file bills it; no other file names it" in note.says for note in notes)
    # A name of low confidence stops no claim of another drug.
    given = {"drug": "J1885", "dose": "30 mg", "route": "IM", "ndc": STATE_ONLY, "form": "liquid"}
    made = jc.charge({"on": ON, "place": "11", "administrations": [given]})
    assert "drug-product-mismatch" not in {finding.rule for finding in made.findings}


def test_a_package_whose_siblings_have_several_codes_answers_for_itself() -> None:
    found: dict[str, dict[str, set[tuple[str, ...]]]] = {}
    for row in rows_of(Product):
        if row.period.holds(jc.dated.as_date(ON)):
            found.setdefault(row.ndc[:9], {})[row.number] = {row.codes}
    apart = [each for each in found.values() if () in (codes := set().union(*each.values())) and len(codes) > 2]
    alone = [number for each in apart for number, codes in each.items() if codes == {()}]
    assert alone
    for number in alone:
        assert jc.product(number, on=ON).codes == ()


def test_after_its_code_has_ended_a_package_is_answered_by_another_that_has_one() -> None:
    """Naloxone of 1 mg in 1 mL: the state billed it as J2310 until that ended; a sibling is J2312 since."""
    answers = {day: jc.billing_units("43598-0750-11", "2 mg", on=day) for day in ("2025-06-30", "2025-07-01")}
    assert [(units.code, units.count) for units in answers.values()] == [("J2310", 2), ("J2312", 200)]
    for day in answers:
        assert str(jc.ndc_quantity("43598-0750-11", "2 mg", on=day)) == "ML2"
    rows = [{"drug": "43598-0750-11", "dose": "2", "unit": "mg", "on": day} for day in answers]
    made = jc.batch.bill(pa.Table.from_pylist(rows)).to_pylist()
    assert [(row["hcpcs"], row["units"], row["ndc_quantity"]) for row in made] == [("J2310", 2, 2), ("J2312", 200, 2)]


def test_a_package_without_a_code_is_counted_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    item = jc.product(KETOROLAC, on=ON)
    assert (item.codes, item.amount, item.label) == ((), None, "Ketorolac tromethamine")
    made = jc.ndc_quantity(KETOROLAC, "15 mg", on=ON)
    assert (str(made), {note.rule for note in made.findings}) == ("ML0.5", {"outside-crosswalk"})
    with pytest.raises(UnknownDrug, match="no file that was read proves its code"):
        jc.billing_units(KETOROLAC, "30 mg", ON)
    assert jc.find(KETOROLAC, on=ON) == ()
    assert main(["ndc", KETOROLAC, "--dose", "30 mg", "--on", ON]) == 0
    assert "ML 1" in capsys.readouterr().out
    assert main(["units", KETOROLAC, "30 mg", "--on", ON]) == 2


def test_a_charge_counts_it_beside_its_drug_and_no_other() -> None:
    given = {"drug": "ketorolac", "dose": "30 mg", "route": "IM", "ndc": KETOROLAC, "containers": 1}
    made = jc.charge({"on": ON, "place": "11", "administrations": [given]})
    line = next(line for line in made.lines if line.kind == "drug")
    assert (line.code, line.units, line.modifiers) == ("J1885", 2, ())
    assert (line.ndc_qualifier, line.ndc_quantity) == ("ML", Decimal(1))
    rules = {finding.rule for finding in made.findings}
    assert "outside-crosswalk" in rules
    assert "ndc-unknown" not in rules
    other = jc.charge(
        {"on": ON, "place": "11", "administrations": [{**given, "drug": "heparin", "dose": "1000 units"}]}
    )
    assert {"drug-product-mismatch"} <= {finding.rule for finding in other.findings}
    assert not other.ok


def test_a_batch_and_an_audit_answer_as_a_charge_does() -> None:
    row = {"drug": "J1885", "dose": "30", "unit": "mg", "on": ON, "ndc": KETOROLAC, "route": "IM"}
    wrong = {**row, "drug": "J1644", "dose": "1000", "unit": "units"}
    alone = {**row, "drug": KETOROLAC, "ndc": None}
    made = jc.batch.bill(pa.Table.from_pylist([row, wrong, alone])).to_pylist()
    assert [(one["status"], one["ndc_qualifier"]) for one in made] == [
        ("billed", "ML"), ("refused", None), ("refused", None)
    ]  # fmt: skip
    billed = {"claim": "A", "line": "1", "code": "J1885", "units": "2", "modifiers": "", **row}
    verdict = jc.audit.judge(pa.Table.from_pylist([{k: v for k, v in billed.items() if k != "drug"}])).to_pylist()[0]
    assert verdict["cause"] != "wrong-product"


def test_a_package_of_a_product_that_has_a_code_is_answered_by_that() -> None:
    coded = next(row for row in rows_of(Product) if row.number == "00409-4755-03")
    bare = next(row for row in rows_of(Product) if "uncoded" in row.marks)
    sibling = another_package("00409475518", [bare, coded], jc.dated.as_date(ON), lambda _ndc: None)
    assert sibling is not None
    assert sibling.codes == ("J2405",)


def test_what_files_say_of_a_package_stands_beside_what_its_siblings_share() -> None:
    """Of the siblings the code, of the NDC itself its kind; where they differ in the unit nothing counts it."""
    coded: dict[str, set[tuple[str, ...]]] = {}
    for row in rows_of(Product):
        if row.codes and row.ends is None:
            coded.setdefault(row.ndc[:9], set()).add(row.codes)
    bare = [row for row in rows_of(Product) if not row.codes and len(coded.get(row.ndc[:9], ())) == 1]
    assert len(bare) > 300
    for row in bare[::7]:
        item = jc.product(row.number, on=ON)
        if item.codes:
            assert item.codes in coded[row.ndc[:9]]
            assert (item.amount, item.kind, item.shape) == (None, row.kind, row.shape)
        assert not PRODUCTS.rows(row.ndc) or not item.codes


def test_a_unit_that_contradicts_the_siblings_leaves_it_open() -> None:
    liquid = next(row for row in rows_of(Product) if row.number == "00409-4755-03")
    powder = next(row for row in rows_of(Product) if "uncoded" in row.marks and row.qualifier == "UN")
    item = another_package("00409475518", [liquid], jc.dated.as_date(ON), lambda _ndc: None, powder)
    assert item is not None
    assert (item.qualifier, item.per_unit, item.proof) == ("", None, "")


def test_a_described_container_gives_its_concentration_and_never_its_amount_to_a_claim_without_a_code() -> None:
    """A directory's row of ten mL beside siblings that have a code and no proof."""
    coded = next(row for row in rows_of(Product) if row.codes and not row.qualifier and row.unit == "mg")
    bare = next(row for row in rows_of(Product) if "uncoded" in row.marks and row.qualifier == "ML")
    cells = {name: str(getattr(bare, name) or "") for name in ("effective", "ends", "source", "cite", "confidence")}
    cells |= {"verified": str(bare.verified), "ndc": bare.number, "codes": "", "amount": "2000", "unit": "mg"}
    cells |= {"containers": "1", "qualifier": "ML", "quantity": "10", "proof": "directory", "size": "", "shape": "vial"}
    cells |= {"kind": "", "form": "liquid", "label": "A drug", "maker": "", "marks": "uncoded"}
    described = Product(**cells)
    item = another_package(bare.ndc, [coded], jc.dated.as_date(ON), lambda _ndc: None, described)
    assert item is not None
    assert (item.qualifier, item.per_unit, item.unit, item.amount) == ("ML", 200, "mg", None)


# --- a share of the state's file that the tables do not know


@pytest.mark.book
@pytest.mark.parametrize("seed", [1])
def test_a_share_of_the_states_file_that_was_held_out_is_known_and_answered(
    shared: Path, tmp_path: Path, seed: int
) -> None:
    """15 of 100 NDCs are taken out of the evidence, and the tables derived without them."""
    lines = list(
        csv.DictReader((shared / "evidence/nd_medicaid_conversion_2024-05-02.csv").read_text("utf-8-sig").splitlines())
    )
    numbers = sorted({line["NDC"] for line in lines})
    out = set(random.Random(seed).sample(numbers, len(numbers) * 15 // 100))
    state = fold.state_of(REFERENCE.store)
    rows = {k: v for k, v in state.kept["evidence"].rows.items() if k[1] != "state-conversion" or k[0] not in out}
    kept = {**state.kept, "evidence": Kept(rows)}
    texts, _lint = fold.derive(State(kept, state.sources), ByHand(Reference(Store()).store))
    contents: dict[str, bytes | Path] = {f"{name}.csv": text.encode() for name, text in texts.items()}
    folder = tmp_path / "facts"
    folder.mkdir()
    shutil.copy(REFERENCE.store.file("edits.csv"), tmp_path / "edits.csv")
    write_folder(folder, contents | {"edits.csv": tmp_path / "edits.csv"}, REFERENCE.edition)
    seen = _asked(lines, out, Reference.load(folder))
    assert seen["rows"] > 400
    assert seen["known"] >= 0.90 * seen["rows"]
    assert seen["answered"] >= 0.62 * seen["rows"]
    assert seen["agrees"] >= 0.95 * seen["answered"]


def _number(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))


def _asked(lines: list[dict[str, str]], out: set[str], book: Reference) -> Counter[str]:
    """How the answers stand to the units that the state counts; a pharmacy line turns those into the claim's."""
    day, seen = "2024-05-02", Counter[str]()
    factors: dict[str, set[Fraction]] = {}
    pairs = [
        (line, _number(line["Provider Billed Units"]), _number(line["CMS Units - Invoiced Units"])) for line in lines
    ]
    for line, billed, counted in pairs:
        if line["Claim Type"] == "Pharmacy" and counted:
            factors.setdefault(line["NDC"], set()).add(billed / counted)
    for line, billed, counted in pairs:
        if line["NDC"] not in out or line["Claim Type"] != "Medical" or not billed or not counted:
            continue
        try:
            drug = jc.drug(line["HCPCS"], on=day, reference=book)
        except JcodeunitsError:
            continue  # an ended code, or none of ours
        seen["rows"] += 1
        try:
            item = jc.product(line["NDC"], on=day, reference=book)
            seen["known"] += 1
            if drug.size is None:
                continue
            made = jc.ndc_quantity(item, jc.Dose(drug.size * billed, drug.unit), day, reference=book)
        except JcodeunitsError:
            continue
        seen["answered"] += 1
        factor = factors.get(line["NDC"], {Fraction(1)})
        wanted = counted * (factor.pop() if len(factor) == 1 else 1)
        seen["agrees"] += abs(made.exact / wanted - 1) < Fraction(1, 50) or abs(made.exact - wanted) < Fraction(1, 100)
    return seen
