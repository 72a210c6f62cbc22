"""A charge table of 5,000 rows with fourteen kinds of planted error, made without the package: `python
tests/planted_charges.py SHARED [SEED] > charges.csv`.

Right multipliers are CMS's own BILLUNITS (billing units in one container of an NDC) or a division by hand of two
figures that CMS prints; units of an NDC are those that the price survey prints (NADAC). Two further columns, `planted`
and `right`, say what is wrong with the row and what the multiplier should be; the audit passes them through untouched.
"""

from __future__ import annotations

import csv
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

ROWS, EACH = 5_000, 100
DAY, BEFORE = "2026-03-02", "2025Q4"
# Drug of a code that hospitals alone bill, by hand from the October 2025 and July 2026 HCPCS files: code, what one
# unit is, a charge, its units.
HOSPITAL_ONLY = (
    ("C9101", "oliceridine", "1 mg", "10"),
    ("C9254", "lacosamide", "200 mg", "200"),
    ("C9293", "glucarpidase", "1000 units", "100"),
    ("C9460", "cangrelor", "50 mg", "50"),
    ("C9482", "sotalol hydrochloride", "150 mg", "150"),
)
Row = dict[str, str]


def number(text: str) -> Fraction | None:
    """A plain number of a cell."""
    text = text.strip().replace(",", "")
    return Fraction(text) if re.fullmatch(r"\d+(\.\d+)?|\.\d+", text) else None


def crosswalk(folder: Path, quarter: str) -> list[Row]:
    """Rows of CMS's crosswalk of a quarter: code, ndc, dosage, size, packed, units."""
    path = folder / "cms" / "asp_crosswalk" / f"asp_ndc_hcpcs_{quarter}.csv"
    with path.open(encoding="cp1252", newline="") as file:
        lines = list(csv.reader(file))
    start = next(n for n, line in enumerate(lines) if line and line[0].strip("_ ").endswith("CODE")) + 1
    names = ("code", "short", "maker", "ndc", "name", "dosage", "size", "packed", "units")
    return [
        dict(zip(names, (cell.strip() for cell in line), strict=False)) for line in lines[start:] if line[0].strip()
    ]


def plain(rows: list[Row]) -> dict[str, Row]:
    """Rows of NDCs that CMS lists under one code, with an injected drug counted by mass."""
    by_ndc: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_ndc[row["ndc"]].append(row)
    return {
        ndc: listed[0]
        for ndc, listed in by_ndc.items()
        if len(listed) == 1
        and listed[0]["code"] not in ASIDE
        and re.match("J[0-39]|Q[2-9]", listed[0]["code"])
        and dosage(listed[0])
        and is_exact(listed[0])
    }


def is_exact(row: Row) -> bool:
    """Whether CMS's billing units of a container are not rounded: whole, halves, quarters or tenths."""
    units = number(row["units"])
    return bool(units) and any((units * part).denominator == 1 for part in (4, 10))


def dosage(row: Row) -> tuple[Fraction, str] | None:
    """The billing unit, where CMS prints it as one plain mass."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(MG|MCG|GM)", row["dosage"].upper())
    return (Fraction(found[1]), {"MG": "mg", "MCG": "mcg", "GM": "g"}[found[2]]) if found else None


def in_milligrams(row: Row) -> Fraction:
    """Amount in one container, as CMS's billing units say."""
    size, unit = dosage(row) or (Fraction(0), "mg")
    return Fraction(row["units"]) * size * {"mg": 1, "mcg": Fraction(1, 1000), "g": 1000}[unit]


def liquids(folder: Path) -> dict[str, str]:
    """The unit that the price survey prints for an NDC, by its 11 digits."""
    with (folder / "evidence" / "nadac_units_2018-2026-06.csv").open(encoding="utf-8", newline="") as file:
        return {row["ndc"]: row["pricing_unit"] for row in csv.DictReader(file)}


def text(value: Fraction) -> str:
    """A number as a charge table has it: decimals, at most six."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.6f}".rstrip("0")


def ends(value: Fraction) -> bool:
    """Whether three decimals or fewer write it."""
    return (value * 1000).denominator == 1


class Maker:
    """Makes rows, right and wrong ones, from CMS's files."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)
        now = crosswalk(folder, "2026Q1")
        earlier = [plain(crosswalk(folder, quarter)) for quarter in ("2024Q1", "2025Q2", BEFORE)]
        # An NDC of which CMS's quarters say different amounts proves nothing.
        self.now = {
            ndc: row
            for ndc, row in plain(now).items()
            if ndc not in DOUBTED
            and all(in_milligrams(row) == in_milligrams(then[ndc]) for then in earlier if ndc in then)
        }
        self.listed = {row["ndc"] for row in now}
        self.before = plain(crosswalk(folder, BEFORE))
        self.printed = liquids(folder)
        with (folder / "cms" / "transitions" / "code_transitions_by_ndc.csv").open(
            encoding="utf-8", newline=""
        ) as file:
            moved = [row for row in csv.DictReader(file) if row["note"].startswith("old code gone")]
        self.moved = [row for row in moved if row["old_code"] not in STAYED]
        self.ndcs = sorted(self.now)

    # what one charge stands for

    def container(self, row: Row) -> tuple[str, Fraction]:
        """One container."""
        return "each", Fraction(row["units"])

    def amount(self, row: Row) -> tuple[str, Fraction]:
        """An amount of drug that makes whole units: three billing units."""
        size, unit = dosage(row) or (Fraction(0), "")
        return f"{text(size * 3)} {unit}", Fraction(3)

    def base(self, row: Row, charge: str, right: Fraction, planted: str = "") -> Row:
        """A row that is right."""
        return {
            "code": row["code"],
            "ndc": row["ndc"],
            "charge_unit": charge,
            "units_per_charge": text(right),
            "right": text(right),
            "planted": planted,
            "payer": "medicare",
            "claim_type": "professional",
        }

    def some(self, fits: Callable[[Row], bool]) -> Iterator[Row]:
        """Rows of the crosswalk in random order that fit, one NDC as often as wanted."""
        fitting = [row for row in self.now.values() if fits(row)]
        if not fitting:
            raise SystemExit(f"no NDC fits {fits}")
        while True:
            self.draw.shuffle(fitting)
            yield from fitting

    # right rows

    def right(self) -> Row:
        """A row of one of four kinds, all right."""
        row = self.now[self.draw.choice(self.ndcs)]
        made = self.base(row, *self.draw.choice((self.container, self.amount))(row))
        if self.draw.random() < 0.3:
            made["ndc"] = ""  # Medicare's professional claims need none
            if made["charge_unit"] == "each":
                made["charge_unit"], right = self.amount(row)
                made["units_per_charge"] = made["right"] = text(right)
        elif self.printed.get(row["ndc"].replace("-", "")) == "ML" and made["charge_unit"] == "each":
            made["ndc_qualifier"] = "ML"
        return made

    # the fourteen kinds

    def ten(self) -> Iterator[Row]:
        """A multiplier ten times too large or too small."""

        def fits(row: Row) -> bool:
            after = row["code"] in {*CAME_AFTER, *(move["new_code"] for move in self.moved)}
            size, held = number(row["size"]), self.held(row)
            tenfold = bool(size) and held is not None and held / size in POWERS  # as much as in the volume
            return (
                Fraction(row["units"]) not in (30, 300) and row["packed"] not in ("10", "100") and not after | tenfold
            )

        for row in self.some(fits):
            charge, right = self.amount(row)
            made = self.base(row, charge, right, "multiplier-by-ten")
            made["units_per_charge"] = text(right * self.draw.choice((10, Fraction(1, 10), 100)))
            yield made

    def millilitres(self) -> Iterator[Row]:
        """The volume of an amount taken for the amount: 2 mL of 50 mg/mL is 100 mg, and makes the units of 2 mg."""

        def fits(row: Row) -> bool:
            size, held = number(row["size"]), self.held(row)
            if self.printed.get(row["ndc"].replace("-", "")) != "ML" or not size or held is None:
                return False
            if row["code"] in {*CAME_AFTER, *(move["new_code"] for move in self.moved)}:
                return False  # its old code's units may be the volume
            strength = held / size
            return strength not in POWERS and size > 1 and strength > 1

        for row in self.some(fits):
            size = (dosage(row) or (Fraction(1), ""))[0]
            volume = Fraction(row["size"])
            made = self.base(row, "each", Fraction(row["units"]), "milligrams-for-millilitres")
            made["units_per_charge"] = text(volume / size)
            made["charge_unit"] = "each"
            if Fraction(made["units_per_charge"]) in (volume / size, volume) and ends(volume / size):
                yield made

    def held(self, row: Row) -> Fraction | None:
        """Amount in one container, in the unit of the code, as BILLUNITS says."""
        counted = dosage(row)
        return Fraction(row["units"]) * counted[0] if counted else None

    def dead(self) -> Iterator[Row]:
        """A code that ended, beside an NDC that is listed under its successor, with the successor's units."""
        while True:
            move = self.draw.choice(self.moved)
            fitting = [row for row in self.now.values() if row["code"] == move["new_code"]]
            if fitting:
                row = self.draw.choice(fitting)
                charge, right = self.amount(row)
                made = self.base(row, charge, right, "dead-code")
                made["code"] = move["old_code"]
                yield made

    def old(self) -> Iterator[Row]:
        """The new code with the units of the old one."""
        pairs = []
        for move in self.moved:
            old, new = (dosage({"dosage": move[name]}) for name in ("old_dosage", "new_dosage"))
            if old and new and old[1] == new[1] and old[0] != new[0]:
                power = old[0] / new[0]
                pairs.append((move, old, new, power))
        while True:
            move, old, new, power = self.draw.choice(pairs)
            fitting = [row for row in self.now.values() if row["code"] == move["new_code"] and dosage(row) == new]
            if fitting:
                row = self.draw.choice(fitting)
                made = self.base(row, f"{text(old[0] * 3)} {old[1]}", 3 * power, "old-multiplier")
                made["units_per_charge"] = "3"
                yield made

    def other_drug(self) -> Iterator[Row]:
        """The NDC of another drug."""
        for row in self.some(bool):
            other = self.now[self.draw.choice(self.ndcs)]
            words = [re.sub(r"[^a-z ]", " ", one["short"].casefold()).split() for one in (row, other)]
            if row["code"] != other["code"] and not set(words[0]) & set(words[1]) and dosage(row) != dosage(other):
                charge, right = self.amount(other)
                made = self.base(other, charge, right, "wrong-product")
                made["code"] = row["code"]
                made["units_per_charge"] = text(right)
                yield made

    def qualifier(self) -> Iterator[Row]:
        """UN where the NDC is counted in millilitres."""
        for row in self.some(lambda row: self.printed.get(row["ndc"].replace("-", "")) == "ML"):
            made = self.base(row, *self.container(row), "ndc-qualifier")
            made["ndc_qualifier"] = "UN"
            yield made

    def package(self) -> Iterator[Row]:
        """The units of the whole package, where one charge is one container."""
        for row in self.some(lambda row: row["packed"] not in ("1", "10", "100") and row["code"] not in KIT_CODES):
            made = self.base(row, *self.container(row), "package-for-container")
            made["units_per_charge"] = text(Fraction(row["units"]) * Fraction(row["packed"]))
            yield made

    def rounded(self) -> Iterator[Row]:
        """Units of a part of a billing unit, rounded up for each charge."""
        for row in self.some(lambda row: Fraction(row["units"]) >= 3):
            size, unit = dosage(row) or (Fraction(0), "")
            made = self.base(row, f"{text(size * Fraction(3, 2))} {unit}", Fraction(3, 2), "rounded-multiplier")
            made["units_per_charge"] = self.draw.choice(("2", "1"))
            yield made

    def brand(self) -> Iterator[Row]:
        """The reference product's code beside the NDC of a biosimilar, and the other way round."""
        rows = [[row for row in self.now.values() if row["code"] in codes] for codes in ALIKE]
        pairs = [(a, b) for alike in rows for a in alike for b in alike if a["code"] != b["code"]]
        while True:
            row, other = self.draw.choice(pairs)
            made = self.base(other, *self.container(other), "brand-code")
            made["code"] = row["code"]
            yield made

    def kit(self) -> Iterator[Row]:
        """A kit whose units are counted once for each of its containers."""
        fitting = [self.now[ndc] for ndc in KITS if ndc in self.now]
        while fitting:
            row = self.draw.choice(fitting)
            made = self.base(row, *self.container(row), "kit-counted-twice")
            made["units_per_charge"] = text(Fraction(row["units"]) * KITS[row["ndc"]])
            yield made

    def hospital(self) -> Iterator[Row]:
        """The code for drugs without one on a hospital outpatient claim, where the drug has a C code."""
        while True:
            code, name, charge, units = self.draw.choice(HOSPITAL_ONLY)
            yield {
                "code": "J3490",
                "ndc": "",
                "description": name,
                "charge_unit": charge,
                "units_per_charge": "1",
                "right": units,
                "right_code": code,
                "planted": "wrong-code",
                "payer": "medicare",
                "claim_type": "outpatient",
            }

    def waste(self) -> Iterator[Row]:
        """The units of the whole container for a charge of a part of it."""
        for row in self.some(lambda row: Fraction(row["units"]) >= 5 and Fraction(row["units"]) not in (30, 300)):
            charge, right = self.amount(row)
            made = self.base(row, charge, right, "waste-in-multiplier")
            made["units_per_charge"] = row["units"]
            yield made

    def ended(self) -> Iterator[Row]:
        """An NDC that the last edition of CMS's crosswalk lists no more."""
        gone = [row for ndc, row in sorted(self.before.items()) if ndc not in self.listed]
        live = {row["code"] for row in self.now.values()}
        while True:
            row = self.draw.choice(gone)
            if row["code"] in live:
                yield self.base(row, *self.container(row), "ended-ndc")

    def missing(self) -> Iterator[Row]:
        """No NDC for Medicaid, which wants one on each drug line (42 CFR 447.520)."""
        for row in self.some(bool):
            made = self.base(row, *self.amount(row), "missing-ndc")
            made["ndc"], made["payer"] = "", "medicaid"
            yield made

    def table(self) -> list[Row]:
        """All rows, shuffled and numbered."""
        kinds = (
            self.ten, self.millilitres, self.dead, self.old, self.other_drug, self.qualifier, self.package,
            self.rounded, self.brand, self.kit, self.hospital, self.waste, self.ended, self.missing,
        )  # fmt: skip
        rows = [next(made) for kind in kinds for made in [kind()] * EACH]
        rows += [self.right() for _ in range(ROWS - len(rows))]
        self.draw.shuffle(rows)
        for n, row in enumerate(rows):
            row["item"] = str(n)
        return rows


POWERS = frozenset(Fraction(10) ** n for n in range(-4, 5))
# Codes that no NDC is listed under any more, and that did not end (July 2026 HCPCS file).
STAYED = ("J2545",)
# Codes that have taken the place of others, beside those that the moves of NDCs tell (HCPCS files, by hand).
CAME_AFTER = ("J1071", "J1050", "J3300", "J2002", "J9260")
# NDCs of which the FDA's list of October 2023 says another amount than CMS: 5 mL of 0.2 mg/mL, a vial of 0.2 mg.
DOUBTED = ("51662-1601-01", "24201-0002-01")
# Codes whose rows CMS's file has wrong, or whose unit is a combination of which it prints one part.
ASIDE = ("J1458", "J1380", "J0295", "J1454")
# Codes of a biological and of its biosimilars that count alike, by hand from the HCPCS descriptors.
ALIKE = (
    ("J1745", "Q5103", "Q5104", "Q5121"),  # infliximab, 10 mg
    ("J9355", "Q5112", "Q5113", "Q5114", "Q5116", "Q5117"),  # trastuzumab, 10 mg
    ("J9035", "Q5107", "Q5118", "Q5126"),  # bevacizumab, 10 mg
    ("J9312", "Q5115", "Q5119", "Q5123"),  # rituximab, 10 mg
    ("J2506", "Q5108", "Q5111", "Q5120", "Q5122", "Q5127", "Q5130"),  # pegfilgrastim, 0.5 mg
    ("J1442", "Q5101", "Q5110", "Q5125"),  # filgrastim, 1 mcg
)
# Kits that CMS lists with the billing units of one of their containers: NDC and containers in it (makers' labels).
KIT_CODES = ("J0717", "J9281", "J9155", "J7336")
KITS = {"50474-0710-79": 2, "50474-0700-62": 2, "72493-0103-03": 2}
COLUMNS = (
    "item", "code", "description", "ndc", "charge_unit", "units_per_charge", "ndc_qualifier", "payer", "claim_type",
    "planted", "right", "right_code",
)  # fmt: skip


def write(rows: list[Row], file: Any) -> None:
    """The table as CSV."""
    made = csv.DictWriter(file, COLUMNS, restval="")
    made.writeheader()
    made.writerows(rows)


if __name__ == "__main__":
    write(Maker(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1).table(), sys.stdout)
