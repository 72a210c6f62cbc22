"""What is wrong or worth knowing about an answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal, get_args

import attrs

from .amount import told
from .dated import Citation
from .errors import escaped, shortened

Severity = Literal["stop", "warn", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def as_tuple(value: Iterable[Any]) -> tuple[Any, ...]:
    """The values, in their order."""
    return tuple(value)


def _cited(instance: Finding, _: object, value: tuple[Citation, ...]) -> None:
    if not value:
        raise ValueError(f"the finding {instance.rule!r} cites nothing")
    if softened(instance.severity, value) != instance.severity:
        raise ValueError(f"the finding {instance.rule!r} would stop a claim on general knowledge alone")


@attrs.frozen
class Declared:
    """A finding that the package can make: its id, what it is about, the severities it may have, who makes it."""

    id: str
    title: str
    severities: str
    module: str


DECLARED: dict[str, Declared] = {}


def declare(module: str, kinds: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Declare a module's findings: id, title, severities. Raises `ValueError` for an id under two titles."""
    for name, (title, severities) in kinds.items():
        known = DECLARED.setdefault(name, Declared(name, title, severities, module))
        if (known.title, known.severities) != (title, severities):
            raise ValueError(f"the finding {name!r} is declared otherwise in {known.module}")
    return kinds


def softened(severity: Severity, citations: Iterable[Citation]) -> Severity:
    """The severity, where every source is general knowledge a warning in place of a stop.

    >>> softened("stop", [Citation("guide", confidence="low")]), softened("stop", [Citation("cpm-17")])
    ('warn', 'stop')
    """
    return "warn" if severity == "stop" and all(c.confidence == "low" for c in citations) else severity


QUARTER = dt.timedelta(days=92)


def past_reach(on: dt.date, last: dt.date) -> Severity:
    """How grave it is that a date lies past the last day of what was read: beyond a quarter a newer edition is due.

    >>> last = dt.date(2026, 9, 30)
    >>> past_reach(dt.date(2026, 12, 31), last), past_reach(dt.date(2027, 1, 1), last)
    ('note', 'warn')
    """
    return "note" if on - last <= QUARTER else "warn"


@attrs.frozen(repr=False)
class Finding:
    """One finding: the rule that speaks, how grave it is, what it says and what to do.

    `severity`: `stop` (wrong, or certain to be returned or denied), `warn` (may be denied, or a question
    that the caller must answer), `note` (information). `line` counts from 1 in the charge's lines.
    A finding always cites, and a fact of low confidence alone never stops a claim. `argument` names what an
    answer would be given by (`weight`, `container`), for each door to say in its own words; `reach` is how far
    the data go, in three words, where that is all that the finding says.

    >>> Finding("dose-notation", "note", "'30.0 mg' was read", "write 30 mg", (Citation("ismp"),)).severity
    'note'
    """

    rule: str
    severity: Severity = attrs.field(validator=attrs.validators.in_(SEVERITIES))
    says: str = attrs.field(converter=escaped)
    fix: str = attrs.field(converter=escaped)
    citations: tuple[Citation, ...] = attrs.field(converter=as_tuple, validator=_cited)
    line: int | None = None
    argument: str | None = attrs.field(default=None, kw_only=True)
    reach: str = attrs.field(default="", kw_only=True)

    @property
    def head(self) -> str:
        """How grave it is, and the line."""
        return f"{self.severity} (line {self.line})" if self.line else self.severity

    def __str__(self) -> str:
        return f"{self.head}: {self.says} {self.fix}".rstrip()

    def __repr__(self) -> str:
        return shortened(f"<Finding {self.severity} {self.rule}: {self.says}>")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types, in the contract's shape."""
        return told(self, "rule", "severity", "line", "says", "fix", "citations")


Findings = tuple[Finding, ...]
FINDINGS = declare(__name__, {"own-row": ("A site's own row answers in place of a shipped one", "note")})


def with_own_rows(findings: Iterable[Finding], citations: Iterable[Citation | None] = ()) -> tuple[Finding, ...]:
    """Findings with one note of the site's own rows at their end for those that parts of an answer gave."""
    found = tuple(findings)
    noted = [citation for finding in found if finding.rule == "own-row" for citation in finding.citations]
    return (*(finding for finding in found if finding.rule != "own-row"), *own_rows((*noted, *citations)))


def own_rows(citations: Iterable[Citation | None]) -> tuple[Finding, ...]:
    """A note where facts of a site stand in an answer in place of shipped ones; nothing otherwise.

    >>> own_rows([Citation("site", "payers.csv, line 2", replaces=True)])[0].rule
    'own-row'
    >>> own_rows([Citation("cpm-17"), None])
    ()
    """
    used = tuple(dict.fromkeys([c for c in citations if c is not None and c.replaces]))
    if not used:
        return ()
    places = ", ".join(c.cite for c in used)
    says = f"The site's own rows answer in place of shipped ones: {places}."
    return (Finding("own-row", "note", says, "Look at them again when the reference is renewed.", used),)
