"""The tables of names: every row names a drug of the catalog, has its source, and the source says so."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import pytest
from shipped import DRUGS

from jcodeunits import tables
from jcodeunits.errors import AmbiguousDrug, NotInEffect
from jcodeunits.facts.choosing import choose
from jcodeunits.facts.drug_rows import OtherName
from jcodeunits.facts.words import normal, squeezed

BOOK = DRUGS
ROUTES = {"injection", "intramuscular", "subcutaneous", "intravenous", "oral", "inhaled", "pump"}


def test_every_brand_means_a_drug_of_the_catalog() -> None:
    for row in (*BOOK.brands, *BOOK.names):
        rows = BOOK.rows(row.code) if row.code else BOOK.ingredients.get(normal(row.ingredient), ())
        if isinstance(row, OtherName) and row.kind == "unsafe":
            continue  # the meanings of a misread abbreviation are words for a person
        assert rows, row
        assert row.ingredient in {drug.ingredient for drug in rows}, row


def test_no_brand_begins_before_a_code_that_it_could_be_billed_with() -> None:
    for row in BOOK.brands:
        rows = BOOK.rows(row.code) if row.code else BOOK.ingredients[normal(row.ingredient)]
        assert row.effective >= min(drug.effective for drug in rows), row


def test_every_brand_reaches_its_codes_on_their_first_day() -> None:
    unreached = []
    for row in BOOK.brands:
        rows = BOOK.rows(row.code) if row.code else BOOK.ingredients[normal(row.ingredient)]
        drug = [drug for drug in rows if row.ends is None or drug.effective <= row.ends][-1]
        on = max(drug.effective, row.effective)
        route = {"pump": "SC", "": None}.get(row.routes[0] if row.routes else "", row.routes[0] if row.routes else "")
        if "pump" in row.routes:
            continue  # reached by its code, its NDC or the word pump
        try:
            got = {choose(BOOK, row.brand, on, None, _ROUTE_NAMES.get(route or "")).drug.code}
        except AmbiguousDrug as why:
            got = set(why.candidates)
        except NotInEffect as why:
            got = {why.code}
        wanted = {row.code} if row.code else {r.code for r in rows}
        if not got & wanted:
            unreached.append((row.brand, row.code, on, got))
    assert unreached == []


_ROUTE_NAMES = {"intramuscular": "IM", "subcutaneous": "SC", "intravenous": "IV", "oral": "oral", "inhaled": "inhaled"}


def test_a_brand_never_reaches_another_brands_own_code() -> None:
    """A code for one brand is reached only by rows whose brand its descriptor, CMS or the review names."""
    on = dt.date(2026, 3, 2)
    named: dict[str, set[str]] = {}
    for row in BOOK.brands:
        if row.code:
            named.setdefault(squeezed(row.brand), set()).add(row.code)
    for key, codes in named.items():
        brand = next(row.brand for row in BOOK.brands if squeezed(row.brand) == key)
        try:
            drug = choose(BOOK, brand, on).drug
        except (AmbiguousDrug, NotInEffect):
            continue
        general = {normal(row.ingredient) for row in BOOK.brands if squeezed(row.brand) == key and not row.code}
        assert drug.code in codes or normal(drug.ingredient) in general, brand


def test_one_spelling_of_a_brand_is_kept() -> None:
    spelt: dict[str, set[str]] = {}
    for row in BOOK.brands:
        spelt.setdefault(squeezed(row.brand), set()).add(row.brand)
    assert {key: sorted(names) for key, names in spelt.items() if len({n.casefold() for n in names}) > 1} == {}


def test_routes_are_words_of_the_catalog() -> None:
    assert {word for row in BOOK.brands for word in row.routes} <= ROUTES


def test_general_knowledge_is_low_and_says_so() -> None:
    for row in BOOK.brands:
        assert (row.source == "own-review") == (row.confidence == "low"), row
        assert not row.source.startswith("fda"), row  # bracketed brands there are relatives, not labels
        if row.source.startswith(("hcpcs", "asp-xwalk")) and row.confidence == "high":
            assert row.cite, row


@pytest.mark.parametrize(
    "brand",
    [
        "Toradol",
        "Rocephin",
        "Narcan",
        "Humira",
        "Imitrex",
        "Kenalog",
        "Kenalog-10",
        "Kenalog-40",
        "Kenalog-80",
        "Depo-Medrol",
        "Solu-Medrol",
        "Solu-Cortef",
        "Vivitrol",
        "RhoGAM",
        "Actemra",
        "Xolair",
        "Hydrocortone",
        "Depo-Provera",
        "Depo-Testosterone",
        "Benadryl",
        "Phenergan",
        "Zofran",
        "Compazine",
        "Ativan",
        "Lasix",
        "Decadron",
        "Prolia",
        "Xgeva",
        "Neulasta",
        "Aranesp",
        "Epogen",
        "Procrit",
        "Remicade",
        "Herceptin",
        "Avastin",
        "Botox",
        "Dysport",
        "Eylea",
        "Lucentis",
        "Vabysmo",
        "Aristada",
        "Sublocade",
        "Faslodex",
        "Zoladex",
        "Eligard",
        "Sandostatin",
        "Synvisc",
        "Euflexxa",
    ],
)
def test_the_brands_of_the_guide_and_of_every_day_are_known(brand: str) -> None:
    assert squeezed(brand) in BOOK.named


# --- against the published files --------------------------------------------------------------------


def _words(text: str) -> str:
    text = re.sub(r"(\d)(mg|mcg|iu)\b", r"\1 \2", text.casefold().replace("®", " ").replace("™", " "))
    return " ".join(re.findall(r"[a-z0-9+.]+", text))


def _drug_names(file: Path) -> dict[str, set[str]]:
    rows = list(csv.reader(file.open(encoding="cp1252", newline="")))
    start = next(i for i, row in enumerate(rows) if "CODE" in row[0])
    made: dict[str, set[str]] = {}
    for row in rows[start + 1 :]:
        if row[0].strip():
            made.setdefault(row[0].strip(), set()).add(_words(row[4]))
    return made


def test_what_a_crosswalk_is_cited_for_stands_in_it(shared: Path) -> None:
    cited = [row for row in (*BOOK.brands, *BOOK.names) if row.source.startswith("asp-xwalk-")]
    assert len(cited) > 500
    files = {row.source: shared / "cms/asp_crosswalk" / f"asp_ndc_hcpcs_{row.source[-6:].upper()}.csv" for row in cited}
    known = {source: _drug_names(file) for source, file in files.items()}
    for row in BOOK.brands:
        if row.source not in known:
            continue
        code, _, name = row.cite.partition(" ")
        printed = re.search(r"\(printed (.+)\)", row.cite)
        name = printed[1] if printed else name
        assert _words(name) in known[row.source][code], row
        if not printed:
            together = squeezed(row.brand) in squeezed(name)
            assert together or set(_words(row.brand).split()) <= set(_words(name).split()), row


def test_what_the_code_set_is_cited_for_stands_in_it(shared: Path) -> None:
    said = _descriptors(shared)
    rows = [row for row in BOOK.brands if row.source == "hcpcs-2026q3"]
    assert len(rows) > 400
    for row in rows:
        assert set(_words(row.brand).split()) <= set(_words(said[row.cite]).split()), row


def test_the_sources_of_names_are_known() -> None:
    known = tables.sources()
    assert {row.source for row in (*BOOK.brands, *BOOK.names)} <= set(known)


def test_what_other_names_are_cited_for_stands_there(shared: Path) -> None:
    guide = squeezed((shared / "seed" / "guide_96372.txt").read_text(encoding="utf-8"))
    descriptors = {code: squeezed(said) for code, said in _descriptors(shared).items()}
    folder = shared / "cms" / "asp_crosswalk"
    for row in BOOK.names:
        key = squeezed(row.name)
        if row.source == "guide-96372":
            assert key in guide, row
        if row.source == "hcpcs-2026q3":
            assert key in descriptors[row.cite], row
        if row.source.startswith("asp-xwalk-"):
            printed = _drug_names(folder / f"asp_ndc_hcpcs_{row.source[-6:].upper()}.csv")[row.cite]
            assert any(key in squeezed(name) for name in printed), row


def _descriptors(shared: Path) -> dict[str, str]:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(shared / "cms/hcpcs/hcpcs_2026Q3.xlsx", read_only=True)
    said: dict[str, str] = {}
    for cells in book.active.iter_rows(min_row=2, max_col=4, values_only=True):
        if str(cells[2]).strip() in ("3", "4"):
            code = str(cells[0]).strip()
            said[code] = f"{said.get(code, '')} {cells[3]}"
    return said
