"""The claim that follows from an encounter: its lines and what would get them denied; types only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from .amount import plain, several, told
from .dated import Trace
from .encounter import Encounter
from .facts.reference import FromReference, Reference, Stamp
from .finding import SEVERITIES, Findings
from .shown import Shown

# What stands apart, and how: another encounter, person, site, service; and in whichever way a payer wants it said.
X_MODIFIERS = frozenset({"XE", "XP", "XS", "XU"})
APART = X_MODIFIERS | {"59"}
SIDES = frozenset({"RT", "LT", "50"})  # what says the side of the body, or both


@attrs.frozen
class ExtraNdc:
    """A further product of one drug line: NDC in 11 digits, qualifier and exact quantity."""

    ndc: str
    qualifier: str | None = None
    quantity: Decimal | None = None

    def as_dict(self) -> dict[str, Any]:
        """The line's NDC fields again, as text."""
        return {"ndc": self.ndc, "ndc_qualifier": self.qualifier, "ndc_quantity": plain(self.quantity)}


@attrs.frozen(repr=False)
class Line(Shown):
    """One line of the claim.

    `code` HCPCS or CPT; `modifiers` at most four, in claim order; `units` a count; `ndc` 11 digits, with
    `ndc_qualifier` (UN, ML, GR, F2, ME) and the exact `ndc_quantity`; `diagnoses` ICD-10-CM codes;
    `kind` one of `LINE_KINDS`; `label` our own short words; `administration` the index in the encounter's
    administrations, None for visit and services; `description` what an unclassified code stands for.

    >>> Line("J1885", units=2, kind="drug").as_dict()["units"]
    2
    """

    code: str
    modifiers: tuple[str, ...] = ()
    units: int = 1
    ndc: str | None = None
    ndc_qualifier: str | None = None
    ndc_quantity: Decimal | None = None
    diagnoses: tuple[str, ...] = ()
    trace: Trace = attrs.field(factory=Trace)
    kind: str = "service"
    label: str = ""
    administration: int | None = None
    charge_amount: Decimal | None = None
    revenue_code: str | None = None
    description: str | None = None
    extra_ndcs: tuple[ExtraNdc, ...] = ()

    @property
    def ndcs(self) -> tuple[ExtraNdc, ...]:
        """Every NDC of the line, its own first."""
        own = () if self.ndc is None else (ExtraNdc(self.ndc, self.ndc_qualifier, self.ndc_quantity),)
        return (*own, *self.extra_ndcs)

    @property
    def brief(self) -> str:
        """Code, modifiers and units."""
        return f"{'-'.join((self.code, *self.modifiers))} x {self.units}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types in the contract's shape; the exact NDC quantity as text."""
        more = told(self, "description", "charge_amount", "revenue_code", "extra_ndcs")
        return {
            **told(self, "code", "modifiers", "units", "diagnoses", "ndc", "ndc_qualifier", "ndc_quantity"),
            **{name: value for name, value in more.items() if value not in (None, [])},
        }


def _stamp(reference: Reference | Stamp) -> Stamp:
    return Stamp(reference.edition, reference.fingerprint)


@attrs.frozen(repr=False)
class Charge(Shown, FromReference):
    """The claim's lines, what is wrong with them, and the data that they were derived from.

    `withheld`: how many lines were not billed, each named by a finding.

    `edition` and `fingerprint` name the reference, so that the claim can be derived again; a charge that travels
    to another process takes only these along, so that it is read where no tables are.
    """

    lines: tuple[Line, ...]
    findings: Findings
    encounter: Encounter
    reference: Reference | Stamp = attrs.field(default=Stamp(), eq=_stamp)
    withheld: int = attrs.field(default=0, eq=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Charge, (self.lines, self.findings, self.encounter, _stamp(self.reference), self.withheld)

    @property
    def ok(self) -> bool:
        """Whether there is a line, and no finding stops the claim."""
        return bool(self.lines) and not any(finding.severity == "stop" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """What there is, in a few words: what stops it, that nothing is left, how many questions are open."""
        stops = sum(finding.severity == "stop" for finding in self.findings)
        # How far the data go is one matter, whatever families it is about.
        warns = len(
            {(finding.reach and "data") or id(finding) for finding in self.findings if finding.severity == "warn"}
        )
        if stops:
            return f"stopped by {several(stops, 'finding')}"
        if not self.lines:
            return "nothing to bill" + (f": {several(self.withheld, 'line')} withheld" if self.withheld else "")
        if warns:
            return f"{several(len(self.lines), 'line')}, {several(warns, 'warning')}"
        return "nothing stops this claim"

    @property
    def brief(self) -> str:
        """The day, the lines and the verdict."""
        lines = ", ".join(line.brief for line in self.lines)
        return f"{self.encounter.on}: {lines or 'no line'}; {self.verdict}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types in the contract's shape."""
        return told(self, "ok", "lines", "findings", "edition", "fingerprint")

    @staticmethod
    def schema() -> dict[str, Any]:
        """The JSON schema (2020-12) of what `as_dict` gives, and so of `charge --format json`."""
        text, texts, number = {"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "integer"}
        maybe = {"type": ["string", "null"]}
        ndc = {"ndc": maybe, "ndc_qualifier": maybe, "ndc_quantity": maybe}
        line = {
            "code": text,
            "modifiers": texts,
            "units": {**number, "minimum": 1},
            "diagnoses": texts,
            **ndc,
            "description": text,
            "charge_amount": text,
            "revenue_code": {**text, "pattern": "^\\d{4}$"},
            "extra_ndcs": {"type": "array", "items": {"type": "object"}},
        }
        finding = {
            "rule": text,
            "severity": {"enum": list(SEVERITIES)},
            "line": {"type": ["integer", "null"]},
            "says": text,
            "fix": text,
            "citations": texts,
        }

        def each(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
            one = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
            return {"type": "array", "items": one}

        needed = ["code", "modifiers", "units", "diagnoses", *ndc]
        properties = {
            "ok": {"type": "boolean"},
            "lines": each(line, needed),
            "findings": each(finding, list(finding)),
            "edition": text,
            "fingerprint": text,
        }
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "The charge of an encounter, as `jcodeunits charge --format json` prints it",
            "type": "object",
            "properties": properties,
            "required": list(properties),
        }

    def explain(self) -> str:
        """Every line with the steps that led to it, then the findings, as plain text."""
        blocks: list[str] = []
        for number, line in enumerate(self.lines, 1):
            head = f"{number}. {'-'.join((line.code, *line.modifiers))} x {line.units}  {line.label}".rstrip()
            steps = line.trace.text()
            blocks.append("\n   ".join((head, *steps.splitlines())))
        for finding in self.findings:
            at = f" (line {finding.line})" if finding.line else ""
            cites = "; ".join(map(str, finding.citations))
            head = f"{finding.severity}: {finding.rule}{at}"
            blocks.append("\n   ".join((head, finding.says, finding.fix, f"[{cites}]")))
        return "\n".join(blocks)
