"""What the tables know about a text: places, modifiers, codes, payers, denials; for people."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, cast

import attrs

from . import routes, rules, tables
from .allowed import allowed, figures, unpriced
from .amount import told
from .dated import Citation, Period, as_date
from .errors import LONGEST, UnknownDrug, quoted
from .facts.policy import Policy, all_in_effect, in_effect, reach
from .facts.policy_rows import (
    AdministrationRule,
    Denial,
    DenialCode,
    Diagnosis,
    DrugClass,
    Modifier,
    OptionKind,
    PayerOption,
    Place,
    PlaceRule,
    PolicyRow,
    Procedure,
    Topic,
)
from .facts.reference import Reference
from .finding import DECLARED, SEVERITIES, Declared, Severity
from .tables import CLAIMS

R = TypeVar("R", bound=PolicyRow)


@attrs.frozen
class Hit:
    """One answer of a look-up: what kind of row, its key, a title, more about it, where it stands."""

    kind: str
    key: str
    title: str
    detail: str
    period: Period
    citation: Citation

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            **told(self, "kind", "key", "title", "detail"),
            **told(self.period, "effective", "ends"),
            "citation": str(self.citation),
        }


def look_up(text: str, on: object, reference: Reference | None = None) -> tuple[Hit, ...]:
    """What the tables and the rules in effect on a date say about a text, what it names itself first.

    >>> look_up("urgent care", on="2026-03-02")[0].key
    '20'
    """
    book, date = Reference.of(reference), as_date(on)
    if not isinstance(text, str):
        raise UnknownDrug(f"{quoted(text)} is no text to look up.", given=text, near=())
    if len(text) > LONGEST:
        says = (
            f"{quoted(text)} has {len(text)} characters: nothing that is looked up is so long. Give a word or a code."
        )
        raise UnknownDrug(says, given=text, near=())
    denied = tuple(_denied(text, date, book))
    if denied and not text.strip().isdigit():
        return denied
    text = _PLACE.sub("place ", text)
    one = " ".join(word.removesuffix("s") for word in text.split())  # "rules" looks for each rule
    found = [hit for said in dict.fromkeys((one, text)) for hit in _hits_of(said, date, book)]
    way = _route(text) if not (found and text.isdigit()) else ()  # a number is rather a place or a code
    return tuple(dict.fromkeys((*way, *found, *denied))) or _payer(text, book)


def _route(text: str) -> tuple[Hit, ...]:
    """A route, by its name, a spelling or a code, with its codes in the published lists."""
    name = routes.find(text)
    if name is None:
        return ()
    codes = routes.codes(name)
    lists = ", ".join(f"{row.system} {row.code}" for row in codes)
    rows = (*codes, *(row for row in routes.words() if row.route == name))
    return (_hit("route", rows[0], name, f"read from {text!r}" if text != name else "its codes", lists),)


def _payer(text: str, reference: Reference) -> tuple[Hit, ...]:
    """A payer without rows of its own, by its name, and whose rows come nearest."""
    row = reference.policy.payer_word(text)
    if row is None:
        return ()
    title = f"it has no rows here; those of {row.payer} come nearest"
    return (_hit("payer", row, row.word, title, f"give {row.payer} as the payer, or add rows of its own"),)


_SHORT = 2  # letters
_PLACE = re.compile(r"^\s*POS[\s:-]+(?=\d)", re.IGNORECASE)

# A reason or remark code as a remittance prints it: CO-97, PR 16, CARC 97, N362.
_REASON = re.compile(r"(?:(?:CO|PR|OA|PI|CARC)[\s-]*)?(\d{1,3})", re.ASCII | re.IGNORECASE)
_REMARK = re.compile(r"(?:RARC\s*)?([MN]A?\d{1,3})", re.ASCII | re.IGNORECASE)


def _denied(text: str, on: dt.date, reference: Reference) -> Iterator[Hit]:
    """What a reason or remark code of a remittance means here: the code, the denials and the rules behind it."""
    reason, remark = (pattern.fullmatch(text.strip()) for pattern in (_REASON, _REMARK))
    if reason is None and remark is None:
        return
    policy = reference.policy
    for row in all_in_effect(policy.rows(DenialCode), on):
        if (reason and row.code == reason[1]) or (remark and remark[1].upper() in row.remarks):
            yield _denial_code(row)
            yield from (_denial(denial) for denial in policy.denials(on) if denial.id in row.denials)
            yield from (hit for hit in (*_rules(on), *_said(reference)) if hit.key in row.rules)


def _denial_code(row: DenialCode) -> Hit:
    remarks = f"often with {', '.join(row.remarks)}" if row.remarks else ""
    return _hit("denial code", row, row.code, row.label, remarks)


def _denial(row: Denial) -> Hit:
    return _hit("denial", row, row.id, row.title, f"reason {row.number} of the guide: {row.cause}; {row.fix}")


def _hits_of(text: str, on: dt.date, reference: Reference) -> list[Hit]:
    """The rows of the policy tables, and the rules in effect, in which every word occurs."""
    wanted = [_word(word) if len(word) <= _SHORT else re.compile(re.escape(word)) for word in text.casefold().split()]
    found = [*search(reference.policy, text, on)]
    for hit in (*_rules(on), *_said(reference)):
        if all(word.search(f"{hit.kind} {hit.key} {hit.title} {hit.detail}".casefold()) for word in wanted):
            found.append(hit)
    said = text.casefold()  # what was named by its key or kind stands first, the long list of drug classes last
    return sorted(found, key=lambda hit: (hit.key.casefold() != said, hit.kind != said, hit.kind == "drug class"))


def _rules(on: dt.date) -> Iterator[Hit]:
    """The rules in effect: whom they are about, how grave they can be, the first source of the reasoning."""
    for rule in rules.registry():
        if rule.period.holds(on):
            about = f"for payer {', '.join(rule.payers)}; may say {' or '.join(rule.severities)}"
            yield Hit("rule", rule.id, rule.title, about, rule.period, rule.citations()[0])


def _said(reference: Reference) -> Iterator[Hit]:
    """The findings besides the rules': each cites the row that decides the case."""
    always = Period(min(source.published for source in tables.sources().values() if source.published))
    source = tables.cited("own-review", "the finding cites the row that decides")
    for name, (title, severities) in _of_steps(reference).items():
        about = f"said while the message is read or the lines are built; may say {severities}"
        yield Hit("rule", name, title, about, always, source)


def declared() -> tuple[Declared, ...]:
    """Every finding that the package declares where it makes it, the rules' aside, by id."""
    from . import charging
    from .formats import _incoming, _noticed

    assert charging.STEPS  # reading the modules that make findings declares them
    assert _noticed.FINDINGS
    assert _incoming.FINDINGS
    return tuple(sorted(DECLARED.values(), key=lambda kind: kind.id))


def findings(reference: Reference | None = None) -> tuple[dict[str, str], ...]:
    """Every finding that a charge can carry, by id: those declared and those of decision rows, then the rules.

    >>> sorted(findings()[0])
    ['citations', 'id', 'payers', 'period', 'severity', 'title']
    """
    blank = {"payers": "any", "period": "always", "citations": "the row that decided"}
    found = _of_steps(Reference.of(reference)).items()
    steps = [{"id": name, "title": title, "severity": severity, **blank} for name, (title, severity) in found]
    return (*steps, *rules.listing())


def _of_steps(reference: Reference) -> dict[str, tuple[str, str]]:
    """Title and severities of the findings that are declared or stand in a decision row, by id."""
    rows = [row for row in reference.policy.rows(AdministrationRule) if row.severity]
    gravest = sorted(rows, key=lambda row: -SEVERITIES.index(cast("Severity", row.severity)))
    found = {row.reason: (f"{row.says[:1].upper()}{row.says[1:]}", row.severity) for row in gravest}
    return dict(sorted({**found, **{kind.id: (kind.title, kind.severities) for kind in declared()}}.items()))


def search(policy: Policy, words: str, on: object) -> tuple[Hit, ...]:
    """What the tables say about a text: every row in which each word begins a word.

    Places, modifiers, codes, administration rules, drug classes, payer options, denials, documentation. A
    code adds its limits and fee, two codes the edit between them. What equals the text comes first, even
    where it is not in effect on the date, and then says so.

    >>> import jcodeunits; policy = jcodeunits.Reference.shipped().policy
    >>> search(policy, "urgent care", on="2026-03-02")[0].key
    '20'
    >>> search(policy, "JG", on="2026-03-02")[0].detail[:16]
    'ended 2024-12-31'
    >>> [hit.title for hit in search(policy, "99211 96372", on="2026-03-02") if hit.kind == "edit"][0]
    'professional claim: 96372 is paid, 99211 never beside it'
    """
    date = as_date(on)
    wanted = [_word(word) for word in words.casefold().split()]
    if not wanted:
        return ()
    hits = [hit for hit in _hits(policy, date) if _holds(hit, wanted)]
    key = words.strip().casefold()
    hits.sort(key=lambda hit: hit.key.casefold() != key)
    codes = words.upper().split()
    return (*_out_of_effect(policy, words.strip().upper(), date), *hits, *_code_hits(policy, codes, date))


def _holds(hit: Hit, wanted: list[re.Pattern[str]]) -> bool:
    # A note on a drug's class names procedure codes; whoever looks for such a code wants the code itself.
    detail = hit.detail.partition(":")[0] if hit.kind == "drug class" else hit.detail
    where = f"{hit.kind} {hit.key} {hit.title} {detail}".casefold()
    return all(word.search(where) for word in wanted)


def _word(text: str) -> re.Pattern[str]:
    """A word by its beginning; two letters and a number only whole: IM is no implant, place 53 not in 20553."""
    if text.isdigit():
        return re.compile(rf"(?<![\w.,-]){text}(?![\w]|[.,]\d)")
    if len(text) <= _SHORT:
        return re.compile(rf"(?<![\w-]){re.escape(text)}(?![\w-])")
    return re.compile(rf"(?<![\w-]){re.escape(text)}")


def _hit(kind: str, row: Any, key: str, title: str, detail: str) -> Hit:
    return Hit(kind, key, title, detail, row.period, row.citation)


def _hits(policy: Policy, on: dt.date) -> tuple[Hit, ...]:
    def rows(row_class: type[R]) -> tuple[R, ...]:
        return all_in_effect(policy.rows(row_class), on)

    hits = [_hit("place", r, r.code, r.name, f"{r.rate} rate") for r in rows(Place)]
    for r in rows(PlaceRule):
        where = f"place {r.place}" if r.place.isdigit() else "a place of the facility kind"
        hits.append(_hit("place rule", r, r.place, f"{r.payer} payer: {where} {r.says}", r.fix))
    hits += [_hit("modifier", r, r.code, r.label, f"on {', '.join(r.lines)} lines: {r.use}") for r in rows(Modifier)]
    hits += [_hit(r.kind, r, r.code, r.label, f"{r.role} {r.position}") for r in rows(Procedure)]
    hits += [
        _hit("administration rule", r, r.id, f"{r.purpose}, {'/'.join(r.classes)}, {'/'.join(r.routes)}", r.says)
        for r in rows(AdministrationRule)
    ]
    hits += [_hit("drug class", r, r.code, r.drug, f"{r.name}: {r.note}".rstrip(": ")) for r in rows(DrugClass)]
    hits += [
        _hit("payer option", r, f"{r.payer} {r.option}", ", ".join(r.values) or "none", "") for r in rows(PayerOption)
    ]
    hits += [_hit("option", r, r.name, r.meaning, ", ".join(r.allowed)) for r in rows(OptionKind)]
    hits += [_hit("diagnosis", r, r.diagnosis, f"{r.label}, with {r.code}", r.doubt) for r in rows(Diagnosis)]
    hits += [_denial(r) for r in policy.denials(on)]
    hits += [_denial_code(r) for r in rows(DenialCode)]
    hits += [_hit("topic", r, r.topic, r.title, r.says) for r in rows(Topic)]
    hits += [
        _hit("documentation", r, r.element, r.title, f"{r.holds}{f'; a weak note: {r.weak}' if r.weak else ''}")
        for r in policy.documentation(on)
    ]
    return tuple(hits)


def _out_of_effect(policy: Policy, key: str, on: dt.date) -> Iterable[Hit]:
    for kind, rows in (
        ("modifier", policy.store.starting(Modifier, key)),
        ("code", policy.store.starting(Procedure, key)),
    ):
        if rows and in_effect(rows, on) is None:
            last = rows[-1]
            when = f"ended {last.ends}" if last.ends and last.ends < on else f"starts {last.effective}"
            yield _hit(kind, last, key, last.label, f"{when}: not in effect on {on}")


def _code_hits(policy: Policy, codes: list[str], on: dt.date) -> Iterable[Hit]:
    for claim in CLAIMS:
        if len(codes) == 1:
            limit, money = policy.limit(codes[0], on, claim), allowed(policy, codes[0], on, claim)
            if limit is not None:
                detail = "; ".join(filter(None, (limit.reason, reach(limit, on))))
                yield _hit("limit", limit, codes[0], f"{claim} claim: {limit.units} units, {limit.per}", detail)
            if money is not None:
                title = f"{claim} claim: {money.how}"
                yield Hit("fee", codes[0], title, "", Period(on, on), money.citations[0])
            elif says := unpriced(policy, codes[0], on, claim):
                title, row = f"{claim} claim: no amount of the date is known", figures(policy, codes[0], on, claim)[0]
                yield Hit("fee", codes[0], title, says, Period(on, on), row.citation)
        elif len(codes) == 2:
            edit = policy.edit(codes[0], codes[1], on, claim)
            if edit is not None:
                how = "never beside it" if edit.indicator == 0 else "with a modifier where separate"
                title = f"{claim} claim: {edit.column_1} is paid, {edit.column_2} {how}"
                yield _hit("edit", edit, f"{edit.column_1} {edit.column_2}", title, edit.reason)
