"""Tables for a terminal and a notebook: complete, readable without colour, and safe with foreign text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from shipped import load

import jcodeunits as jc
from jcodeunits import show

ON = "2026-03-02"
BROKEN_DRUG = Path(__file__).parent / "broken" / "zero-amount.csv"
ENCOUNTER = {
    "on": ON,
    "place": "11",
    "visit": {"code": "99213", "separate": True},
    "diagnoses": ["M54.16"],
    "administrations": [
        {
            "drug": "ketorolac",
            "dose": "30 mg",
            "route": "IM",
            "ndc": "0409-3795-01",
            "containers": 1,
            "container": "single-dose",
        }
    ],
}


def _cells(html: str) -> list[str]:
    return [re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", html)]


def test_a_table_fits_its_width_and_loses_no_word() -> None:
    says = "a long sentence about a drug that somebody must be able to read to its very end"
    table = show.text_table(("code", "what"), [("J1885", says), ("J0696", says)], width=40)
    assert max(map(len, table.splitlines())) <= 40
    words = " ".join(table.split())
    assert all(word in words for word in says.split())


def test_counts_stand_to_the_right_and_codes_to_the_left() -> None:
    rows = show.text_table(("code", "units"), [("J1885", 2), ("J2315", 380)], right=("units",)).splitlines()
    assert rows[2:] == ["J1885         2", "J2315       380"]


def test_numbers_are_printed_as_they_are() -> None:
    assert show.text_table(("q",), [("1.50",), ("00409379501",)]).splitlines()[2:] == ["1.50", "00409379501"]


def test_text_that_looks_like_a_number_is_text() -> None:
    rows = show.text_table(("a", "b"), [("-1,148.33", "word " * 30), ("1e5", "nan")], width=40).splitlines()
    assert rows[2].split()[0] == "-1,148.33"
    assert rows[-1].split() == ["1e5", "nan"]


def test_an_empty_table_is_its_head() -> None:
    assert show.text_table(("code", "units"), []).split()[:2] == ["code", "units"]


def test_a_drug_shows_code_unit_and_source() -> None:
    html = jc.drug("J0696", on=ON)._repr_html_()
    assert "J0696 ceftriaxone sodium" in html
    assert "per 250 mg" in _cells(html)
    assert re.search(r'<a href="#(source-\w+)" title="HCPCS [^"]+">\[1\]</a>.*<li id="\1">HCPCS ', html, re.S)


def test_a_drug_without_a_unit_shows_why() -> None:
    html = jc.drug("J3490", on=ON)._repr_html_()
    assert "no unit: it is for drugs without a code of their own" in html


def test_drugs_found_are_a_table_and_nothing_is_said_so() -> None:
    assert "J1885" in _cells(jc.find("toradol", on=ON)._repr_html_())
    assert jc.find("no such drug at all", on=ON)._repr_html_() == "<div><strong>no drug found</strong></div>"


def test_a_history_shows_its_end_and_what_came_after() -> None:
    html = jc.history("J1030")._repr_html_()
    assert any(cell.endswith("to 2024-03-31") for cell in _cells(html))
    assert "J1010" in _cells(html)
    assert "J1030" in _cells(jc.history("J1010")._repr_html_())


def test_units_show_every_step() -> None:
    html = jc.billing_units("J0696", "1 g", on=ON)._repr_html_()
    assert "4 billing units of J0696 on 2026-03-02" in html
    assert "1000 mg / 250 mg = 4" in _cells(html)


def test_one_unit_is_one_unit() -> None:
    assert "1 billing unit of J0696" in show.html(jc.billing_units("J0696", "200 mg", on=ON))


def test_a_product_shows_what_a_container_holds() -> None:
    cells = _cells(jc.product("0409-3795-01", on=ON)._repr_html_())
    assert "J1885" in cells
    assert "30 mg/1 mL" in cells
    assert "ML 1" in cells


def test_a_quantity_shows_its_qualifier() -> None:
    html = jc.ndc_quantity("0409-3795-01", "30 mg", on=ON)._repr_html_()
    assert "ML 1" in html


def test_a_charge_shows_lines_units_ndc_and_findings() -> None:
    made = jc.charge(ENCOUNTER)
    html = made._repr_html_()
    cells = _cells(html)
    assert {"99213", "25", "96372", "J1885", "JZ", "00409379501 ML 1"} <= set(cells)
    assert "3 lines, 1 warning" in html
    assert made.edition in html


def test_a_stop_is_a_word_and_only_then_a_colour() -> None:
    made = jc.charge({**ENCOUNTER, "administrations": [{"drug": "J1030", "dose": "40 mg", "route": "IM"}]})
    assert not made.ok
    html = made._repr_html_()
    assert "stop" in {cell.split()[0] for cell in _cells(html) if cell}
    assert "stopped by" in html
    without_colour = re.sub(r' style="[^"]*"', "", html)
    assert _cells(without_colour) == _cells(html)


def test_foreign_text_is_escaped(tmp_path: Path) -> None:
    file = tmp_path / "drugs.csv"
    good = BROKEN_DRUG.read_text("utf-8").replace(",0,mg,", ",15,mg,")
    file.write_text(good.replace("testmycin,,", "<script>alert(1)</script>,a & b,"), "utf-8")
    (drug,) = load(jc.Drug, file)
    for html in (drug._repr_html_(), jc.Drugs((drug,))._repr_html_()):
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
        assert "a &amp; b" in html


def test_what_nothing_shows_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="nothing here shows a dict"):
        show.html({})


class Printer:
    """What a notebook's own printer does with text."""

    shown = ""

    def text(self, text: str) -> None:
        self.shown += text


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda: jc.drug("J0696", on=ON), "per 250 mg"),
        (lambda: jc.find("toradol", on=ON), "ketorolac tromethamine"),
        (lambda: jc.history("J1030"), "J1010"),
        (lambda: jc.billing_units("J0696", "1 g", on=ON), "1000 mg / 250 mg = 4"),
        (lambda: jc.product("0409-3795-01", on=ON), "30 mg/1 mL"),
        (lambda: jc.ndc_quantity("0409-3795-01", "30 mg", on=ON), "ML 1"),
        (lambda: jc.charge(ENCOUNTER), "00409379501 ML 1"),
    ],
)
def test_every_answer_displays_itself_as_text_of_80_columns(value, says: str) -> None:
    printer = Printer()
    value()._repr_pretty_(printer, False)
    assert says in printer.shown
    assert max(map(len, printer.shown.splitlines())) <= 80
    assert "<" not in printer.shown


OBJECTS = [
    lambda: jc.drug("J0696", on=ON),
    lambda: jc.find("ceftriaxone", on=ON),
    lambda: jc.find("injection"),
    lambda: jc.history("J1030"),
    lambda: jc.billing_units("J0696", "1 g", on=ON),
    lambda: jc.product("0409-3795-01", on=ON),
    lambda: jc.ndc_quantity("0409-3795-01", "30 mg", on=ON),
    lambda: jc.charge(ENCOUNTER),
    lambda: jc.charge(ENCOUNTER).lines[0],
    lambda: jc.charge(ENCOUNTER).lines[-1],
    lambda: jc.charge(ENCOUNTER).findings[0],
    lambda: jc.charge(ENCOUNTER).encounter,
    lambda: jc.charge(ENCOUNTER).encounter.administrations[0],
    lambda: jc.charge({**ENCOUNTER, "administrations": ENCOUNTER["administrations"] * 30}),
    lambda: jc.best_fit("305 mg", ["100 mg", "400 mg"]),
    lambda: jc.Dose.of("60 mg/m2 x 1.7 m2"),
    lambda: jc.drug("J0696", on=ON).billing_unit,
    lambda: jc.billing_units("J0696", "1 g", on=ON).trace,
    lambda: jc.billing_units("J0696", "1 g", on=ON).trace.steps[0],
    lambda: jc.history("J1030").successors[0],
    jc.Reference.shipped,
    lambda: jc.barcode.parse("(01)00304093795011(17)271231(10)A1"),
]


@pytest.mark.parametrize("make", OBJECTS)
def test_every_public_object_prints_for_people_and_shows_itself_in_one_line(make) -> None:
    value = make()
    said, line = str(value), repr(value)
    assert not re.search(r"Fraction\(|datetime\.|frozenset|Decimal\(", said), said
    assert "\n" not in line
    assert len(line) <= 200, line
    if type(value).__name__ not in ("Dose", "BillingUnit", "Scan"):
        assert not re.search(r"Fraction\(|datetime\.|Decimal\(", line), line


def test_a_charge_prints_its_lines_and_its_verdict() -> None:
    made = jc.charge(ENCOUNTER)
    assert all(line.code in str(made) for line in made.lines)
    assert made.verdict in str(made).splitlines()[0]
    assert repr(made).startswith("<Charge 2026-03-02: 99213-25 x 1, 96372 x 1, J1885-JZ x 2; ")


def test_severities_hold_on_a_light_and_on_a_dark_theme() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for colour in show._COLOURS.values():
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5
    assert "color:#fff" in show._BADGE


def test_every_cell_says_how_it_is_set() -> None:
    html = jc.charge(ENCOUNTER)._repr_html_()
    assert re.findall(r"<t[dh]>", html) == []
    assert "text-align: left" in html
    assert "text-align: right" in html


# --- light and dark -------------------------------------------------------------------------------------


def _luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    made = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * made[0] + 0.7152 * made[1] + 0.0722 * made[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


DISPLAYS = {
    "drug": lambda: jc.drug("J0696", on=ON),
    "charge": lambda: jc.charge(ENCOUNTER),
    "history": lambda: jc.history("J1010"),
    "units": lambda: jc.billing_units("J0696", "1 g", on=ON),
    "product": lambda: jc.product("0409-3795-01", on=ON),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_no_display_sets_the_colour_of_text_but_on_a_background_of_its_own(name: str) -> None:
    """What has no colour takes the theme's, which a notebook sets for light and dark; a word of severity brings both."""
    html = DISPLAYS[name]()._repr_html_()
    for style in re.findall(r'style="([^"]*)"', html):
        colours = dict(part.split(":", 1) for part in style.split(";") if part)
        if "color" in colours:
            assert _contrast("#ffffff", colours["background"]) >= 4.5, style
            assert colours["color"] == "#fff"
    for fill in re.findall(r'fill="([^"]*)"', html):
        # a bar is no text: 3:1 against the darkest and the lightest page
        assert fill == "currentColor" or min(_contrast(fill, "#ffffff"), _contrast(fill, "#111111")) >= 3


def test_a_long_finding_is_folded_and_a_short_one_is_not() -> None:
    html = jc.charge(
        {**ENCOUNTER, "administrations": [{"drug": "J1030", "dose": "40 mg", "route": "IM"}]}
    )._repr_html_()
    folded = re.findall(r"<details><summary>(.*?)</summary>(.*?)</details>", html, re.S)
    assert folded
    for summary, whole in folded:
        assert len(summary) <= 120
        assert len(whole) > 120 or "source" in summary


def test_a_history_is_drawn_as_a_line_of_time() -> None:
    """J1030 ended on 2024-03-31; J1010 came on 2024-04-01 and has no end."""
    ended, open_one = jc.history("J1030")._repr_html_(), jc.history("J1010")._repr_html_()
    assert "when J1030 was in effect" in ended
    assert "→" not in ended
    assert "→" in open_one


def test_links_lead_to_a_source_of_the_same_display() -> None:
    html = jc.charge(ENCOUNTER)._repr_html_()
    links, places = re.findall(r'href="#([^"]+)"', html), re.findall(r'id="([^"]+)"', html)
    assert links
    assert set(links) == set(places)
    assert len(set(places)) == len(places)
