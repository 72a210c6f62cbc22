"""Claim lines with fourteen kinds of planted error, made without the package from CMS's crosswalk (`planted_charges`).

Units are a division by hand of two figures that CMS prints; discarded units are those of the whole container (CMS's
BILLUNITS) less those of the dose, which is chosen so that both are whole.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from planted_charges import DAY, Maker, Row, dosage, text

COLUMNS = (
    "claim", "line", "code", "units", "modifiers", "on", "dose", "unit", "ndc", "ndc_qualifier", "ndc_quantity",
    "container", "containers", "container_amount", "discarded", "payer", "place", "claim_type", "planted", "right",
)  # fmt: skip
PLACES = {"professional": "11", "outpatient": "22"}


def _paid(folder: Path, quarter: str) -> set[str]:
    with (folder / "cms" / "opps" / f"status_{quarter}.csv").open(encoding="utf-8", newline="") as file:
        return {row["hcpcs"] for row in csv.DictReader(file) if row["status_indicator"] in ("G", "K")}


class LineMaker(Maker):
    """Makes claims of one or two lines, right ones and wrong ones."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        # Drugs that hospitals are paid for apart before and after the day; JW and JZ belong on no packaged drug
        # (CMS's JW and JZ policy).
        self.paid = set.intersection(*(_paid(folder, quarter) for quarter in ("2025Q4", "2026Q2")))

    def claim_line(self, row: Row, units: Fraction, right: Fraction, planted: str = "", **more: str) -> Row:
        """A line whose dose is `right` billing units."""
        size, unit = dosage(row) or (Fraction(1), "mg")
        kind = more.get("claim_type") or self.draw.choice(sorted(PLACES))
        made = {
            "code": row["code"],
            "units": text(units),
            "on": DAY,
            "dose": text(size * right),
            "unit": unit,
            "payer": "commercial",
            "place": PLACES[kind],
            "claim_type": kind,
            "planted": planted,
            "right": text(right),
        }
        return made | more

    def opened(self, row: Row, given: Fraction, units: Fraction, modifiers: str, planted: str = "") -> Row:
        """A line of a single-dose container of which the rest is recorded as discarded, for Medicare."""
        size, unit = dosage(row) or (Fraction(1), "mg")
        whole = Fraction(row["units"])
        kind = self.draw.choice(sorted(PLACES)) if row["code"] in self.paid else "professional"
        return self.claim_line(
            row,
            units,
            given,
            planted,
            claim_type=kind,
            modifiers=modifiers,
            payer="medicare",
            container="single-dose",
            containers="1",
            container_amount=f"{text(size * whole)} {unit}",
            discarded=f"{text(size * (whole - given))} {unit}",
        )

    def wholes(self) -> Iterator[Row]:
        """Rows of NDCs whose container holds five or more whole units, of codes that hold no other size."""
        return self.some(lambda row: Fraction(row["units"]).denominator == 1 and 5 <= Fraction(row["units"]) <= 200)

    def right_claim(self, row: Row) -> list[Row]:
        """A claim with nothing wrong in it: a plain line, a whole container, or a container with its rest."""
        whole, three = Fraction(row["units"]), Fraction(3)
        kind = self.draw.randrange(3)
        if kind == 0:
            return [self.claim_line(row, three, three, ndc=row["ndc"])]
        if kind == 1:
            return [self.opened(row, whole, whole, "JZ")]
        first = self.opened(row, three, three, "")
        return [first, first | {"units": text(whole - 3), "modifiers": "JW"}]

    def wrong_claim(self, kind: str, row: Row) -> list[Row]:
        """A claim with one planted error."""
        whole, three = Fraction(row["units"]), Fraction(3)
        plain: dict[str, tuple[Fraction, Fraction]] = {
            "wrong-multiplier": (Fraction(30), three),
            "rounded-down": (three, Fraction(7, 2)),
            "rounded-up-twice": (Fraction(4), three),
            "fractional-units": (Fraction(7, 2), Fraction(7, 2)),
        }
        if kind in plain:
            return [self.claim_line(row, *plain[kind], kind)]
        if kind == "ndc-qualifier":
            row = next(self.some(lambda row: self.printed.get(row["ndc"].replace("-", "")) == "ML"))
            return [self.claim_line(row, three, three, kind, ndc=row["ndc"], ndc_qualifier="UN")]
        if kind == "wrong-product":
            return [self.claim_line(row, three, three, kind, ndc=self.other(row)["ndc"])]
        if kind == "dead-code":
            return [self.dead_line()]
        if kind == "missing-jz":
            return [self.opened(row, whole, whole, "", kind)]
        if kind == "waste-in-units":
            return [self.opened(row, three, whole, "", kind)]
        first = self.opened(row, three, three, "", kind if kind == "missing-jw" else "")
        if kind == "missing-jw":
            return [first]
        rest = first | {"units": text(whole - 3), "modifiers": "JW"}
        if kind == "jw-units":
            return [first, rest | {"units": text(whole - 2), "planted": kind}]
        if kind == "jz-with-waste":
            return [first | {"modifiers": "JZ", "planted": kind}, rest]
        if kind == "jw-unsupported":
            full = self.opened(row, whole, whole, "JZ")
            return [full, full | {"units": "1", "modifiers": "JW", "planted": kind}]
        assert kind == "facility-place"
        return [self.claim_line(row, three, three, kind, place="22", claim_type="professional")]

    def other(self, row: Row) -> Row:
        """The row of another drug's NDC."""
        return next(self.other_rows(row))

    def other_rows(self, row: Row) -> Iterator[Row]:
        """Rows whose drug shares no word with this one."""
        for one in self.some(bool):
            if one["code"] != row["code"] and not set(one["short"].split()) & set(row["short"].split()) - {"Inj", "mg"}:
                yield one

    def dead_line(self) -> Row:
        """A line under a code that ended, whose successor counts the same drug."""
        while True:
            move = self.draw.choice(self.moved)
            old = {"code": move["old_code"], "dosage": move["old_dosage"]}
            if dosage(old):
                return self.claim_line(old, Fraction(3), Fraction(3), "dead-code")

    def claims(self, each: int, right: int) -> list[Row]:
        """So many wrong claims of each kind and right ones, shuffled, as lines."""
        rows = self.wholes()
        made = [self.wrong_claim(kind, next(rows)) for kind in KINDS for _ in range(each)]
        made += [self.right_claim(next(rows)) for _ in range(right)]
        self.draw.shuffle(made)
        return [
            line | {"claim": f"c{n}", "line": str(at)}
            for n, claim in enumerate(made)
            for at, line in enumerate(claim, 1)
        ]


KINDS = (
    "wrong-multiplier", "rounded-down", "rounded-up-twice", "fractional-units", "waste-in-units", "dead-code",
    "wrong-product", "missing-jw", "jw-units", "jw-unsupported", "missing-jz", "jz-with-waste", "ndc-qualifier",
    "facility-place",
)  # fmt: skip
