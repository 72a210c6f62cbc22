"""A made next quarter on top of the shipped book: old dates answer as before, new facts hold from their first day on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import published
import pytest
from shipped import REFERENCE, rows_of
from test_refresh import workbook

import jcodeunits as jc
from jcodeunits.cli import main
from jcodeunits.facts.product_rows import Product
from jcodeunits.refresh import fold
from jcodeunits.refresh.family import facts

pytestmark = pytest.mark.book  # a folder with the whole book, folded anew

FIRST, EVE = "2026-10-01", "2026-09-30"
SIZE, NEW = "2", "72998-0100-01"


def next_crosswalk(place: Path) -> Path:
    """The newest crosswalk that the package folded, with one NDC gone, one new, as the quarter after."""
    kept = fold.state_of(REFERENCE.store).kept["evidence"].by_edition("asp-xwalk")
    rows = []
    for number, told in kept[max(kept)]:
        said = facts(told)
        cells = [
            said.get(name, "") for name in ("code", "maker", "name", "dosage", "size", "containers", "units", "package")
        ]
        rows.append((number, *cells))
    lines = [
        f'{code},Words,"{maker}",{number},"{name}","{dosage}",{size},{quantity},{units},{package},,'
        for number, code, maker, name, dosage, size, quantity, units, package in rows
        if number != "00409-3795-01"
    ]
    lines.append(f"J1259,Words,Maker,{NEW},Sampletta,10 MG,2,1,4,4,,")
    return published.crosswalk(place, 2026, 4, lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("next")
    codes = [
        ("J1259", "Injection, samplelumab-smpl, 10 mg", "Words", "20261001", "20261001", ""),
        ("J1320", "Injection, amitriptyline hcl, up to 20 mg", "Words", "19820101", "20261001", "20260930"),
    ]
    rows = [
        published.mue(place, 2026, 4, {"J1259": 40, "J1885": 8}),
        published.limits(place, 2026, 4, {"J1259": "7.5"}),
    ]
    whole = [next_crosswalk(place), published.ptp(place, "v323r0", [("96372", "96999", "20261001", "*", "0")])]
    selected = [path.rename(path.with_name(f"selected rows of {path.name}")) for path in rows]
    selected.append(workbook(place / "selected rows of HCPC2026_OCT_ANWEB.xlsx", codes))
    fold.refresh([*whole, *selected], place / "facts")
    return place / "facts"


@pytest.fixture(scope="module")
def after(folder: Path) -> jc.Reference:
    return jc.Reference.load(folder)


def calls() -> Iterator[tuple[str, str, str, str]]:
    """A thousand questions: a code or an NDC, a dose, a day before the new quarter."""
    chance = random.Random(2026)
    drugs = [row for row in REFERENCE.drugs.drugs if row.size is not None and row.unit]
    days = [f"{year}-{month:02}-{day:02}" for year in range(2020, 2027) for month in range(1, 10) for day in (1, 28)]
    products = [row for row in rows_of(Product) if row.ends is None]
    for n in range(1_000):
        if n % 2:
            row = chance.choice(drugs)
            yield "units", row.code, f"{chance.randint(1, 50)} {row.unit}", chance.choice(days)
        else:
            item = chance.choice(products)
            dose = f"{chance.randint(1, 50)} {item.unit}" if item.unit != "billing unit" else "1 mL"
            yield "ndc", item.number, dose, chance.choice(days)


def answer(ask: tuple[str, str, str, str], reference: jc.Reference) -> object:
    verb, name, dose, on = ask
    try:
        if verb == "units":
            made = jc.billing_units(name, dose, on=on, reference=reference)
            return made.code, made.count, made.exact, sorted(f.rule for f in made.findings)
        counted = jc.ndc_quantity(name, dose, on=on, reference=reference)
        return str(counted), jc.product(name, on=on, reference=reference).codes
    except jc.JcodeunitsError as why:
        return type(why).__name__


def test_a_thousand_answers_on_old_dates_are_what_they_were(after: jc.Reference) -> None:
    asked = list(calls())
    before = [answer(ask, REFERENCE) for ask in asked]
    assert sum(not isinstance(said, str) for said in before) > 400
    changed = [(ask, was, now) for ask, was in zip(asked, before, strict=True) if (now := answer(ask, after)) != was]
    assert changed == []


def test_new_facts_hold_on_their_first_day_and_not_before(after: jc.Reference) -> None:
    assert jc.billing_units("J1259", "20 mg", on=FIRST, reference=after).count == 2
    with pytest.raises(jc.JcodeunitsError):
        jc.billing_units("J1259", "20 mg", on=EVE, reference=after)
    assert jc.billing_units("J1320", "20 mg", on=EVE, reference=after).count == 1
    with pytest.raises(jc.JcodeunitsError):
        jc.billing_units("J1320", "20 mg", on=FIRST, reference=after)
    assert (after.policy.limit("J1259", EVE), after.policy.limit("J1259", FIRST).units) == (None, 40)  # type: ignore[union-attr]
    assert after.policy.fee("J1259", "payment-limit", EVE) is None
    assert after.policy.fee("J1259", "payment-limit", FIRST) is not None
    assert after.policy.edit("96372", "96999", EVE) is None
    assert after.policy.edit("96372", "96999", FIRST) is not None
    rules = [{note.rule for note in after.products.find("0409-3795-01", on=on)[1]} for on in (EVE, FIRST)]
    assert ["product-reach" in found for found in rules] == [False, True]
    assert "product-reach" in {note.rule for note in after.products.find(NEW, on=EVE)[1]}
    assert "product-reach" not in {note.rule for note in after.products.find(NEW, on=FIRST)[1]}


def test_every_verb_answers_from_the_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], after: jc.Reference
) -> None:
    (tmp_path / "given.csv").write_text(f"drug,dose,unit,on\nJ1259,20,mg,{FIRST}\nJ1259,20,mg,{EVE}\n")
    (tmp_path / "billed.csv").write_text(f"claim,line,code,units,modifiers,on,dose,unit\n1,1,J1259,2,,{FIRST},20,mg\n")
    (tmp_path / "charges.csv").write_text("item,code,units_per_charge,charge_unit\n1,J1259,1,10 mg\n")
    on = ["--on", FIRST, "--reference", str(folder)]
    given = ["--drug", "J1259", "--dose", "20 mg", "--route", "IM", "--place", "11"]
    asked: list[tuple[list[str], str]] = [
        (["units", "J1259", "20 mg", *on], "J1259  2 billing units"),
        (["find", "samplelumab", *on], "J1259"),
        (["ndc", NEW, "--dose", "20 mg", "--form", "liquid", *on], "ML 1"),
        (["vials", "J1259", "30 mg", "--sizes", "40 mg", *on], "J1259"),
        (["charge", *given, *on], "J1259"),
        (["lookup", "96372", *on], "96372"),
        (["audit", "--chargemaster", str(tmp_path / "charges.csv"), *on], "1 agree, 0 differ"),
        (["refresh", "--coverage", *on], "PTP edits 2026 Q4, practitioner, part 1"),
        (
            ["refresh", "--into", str(folder), "--check", "--reference", str(folder)],
            "nothing: every table is as it was",
        ),
    ]
    for words, wanted in asked:
        assert main(words) in (0, 1), words
        assert wanted in capsys.readouterr().out.replace("\n  ", " "), words
    assert main(["units", "J1259", "20 mg", "--on", EVE, "--reference", str(folder)]) == 2
    reference = ["--reference", str(folder)]
    pytest.importorskip("pyarrow")
    assert main(["batch", str(tmp_path / "given.csv"), "-o", str(tmp_path / "out.csv"), *reference]) == 1
    assert [line.split(",")[4] for line in (tmp_path / "out.csv").read_text().splitlines()[1:]] == ["J1259", ""]
    assert main(["audit", str(tmp_path / "billed.csv"), "-o", str(tmp_path / "judged.csv"), *reference]) == 0
    assert "agrees" in (tmp_path / "judged.csv").read_text()
    capsys.readouterr()
    assert main(["units", "J1259", "20 mg", "--json", *on]) == 0
    assert json.loads(capsys.readouterr().out)["fingerprint"] == after.fingerprint
