"""Every class of drug by every route: the decision as it was reviewed, so that a change shows as a difference.

`cases/decisions.csv` is read by people. After a change of the decision table write it anew with
`python tests/test_decisions.py`, and review the difference row by row.
"""

from __future__ import annotations

import csv
import io
from itertools import groupby
from pathlib import Path

from shipped import POLICY, rows_of

from jcodeunits.facts.drug_rows import Drug
from jcodeunits.facts.policy_rows import AdministrationRule, DrugClass
from jcodeunits.routes import NAMES

ON = "2026-07-01"
FILE = Path(__file__).parent / "cases" / "decisions.csv"
PAYERS = ("medicare", "commercial")
CLAIMS = ("professional", "outpatient")
INDICATIONS = {"no diagnosis": (), "neoplasm": ("C61",), "other": ("M05.79",)}


def _classes() -> list[str]:
    """The classes and kinds that the decision table asks for; the first one is a drug without any."""
    asked = {name for row in rows_of(AdministrationRule) for name in row.classes}
    known = {row.name for row in rows_of(DrugClass)} | {drug.kind for drug in rows_of(Drug)}
    return ["", *sorted(asked & known)]


def _decision(name: str, route: str, payer: str, claim: str) -> str:
    """What is billed, and for which diagnosis where that differs."""
    by_indication = {}
    for indication, diagnoses in INDICATIONS.items():
        row = POLICY.administration(
            route, "therapeutic", [name] if name else [], ON, payer=payer, claim=claim, diagnoses=diagnoses
        )
        said = " ".join(filter(None, (row.outcome, row.role or "|".join(row.alternatives))))
        by_indication[indication] = f"{said}{', no drug line' if row.drug == 'withhold' else ''}"
    if len(set(by_indication.values())) == 1:
        return by_indication["other"]
    return "; ".join(f"{indication}: {said}" for indication, said in by_indication.items())


def table() -> str:
    """The whole table as text: a row for each class and the routes with one decision.

    First a drug without a class by every route; of a class only the routes by which it is decided otherwise.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(("class", "routes", *(f"{payer} {claim}" for payer in PAYERS for claim in CLAIMS)))
    plain: dict[str, tuple[str, ...]] = {}
    for name in _classes():
        decided = {
            route: tuple(_decision(name, route, payer, claim) for payer in PAYERS for claim in CLAIMS)
            for route in NAMES
        }
        plain = plain or decided
        own = [route for route in NAMES if not name or decided[route] != plain[route]]
        by_decision = sorted(own, key=lambda route: (decided[route], NAMES.index(route)))
        for cells, routes in groupby(by_decision, key=lambda route: decided[route]):
            said = "|".join(routes)
            write((name or "(none)", "(every route)" if said == "|".join(NAMES) else said, *cells))
    return out.getvalue()


def test_every_class_by_every_route_is_decided_as_reviewed() -> None:
    assert table() == FILE.read_text("utf-8")


if __name__ == "__main__":
    FILE.write_text(table(), "utf-8")
