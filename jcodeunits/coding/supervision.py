"""Who was there: an injection by staff is the practitioner's service only under supervision."""

from __future__ import annotations

from jcodeunits.claim import Line
from jcodeunits.dated import Citation, Step
from jcodeunits.facts.policy_rows import PayerOption
from jcodeunits.finding import declare

from .draft import Draft, Entry

FINDINGS = declare(
    __name__,
    {
        "supervision": ("Staff injected without the supervision that the payer asks for", "stop, warn"),
        "supervision-nurse-visit": ("Without supervision this payer's injection visit is a nurse visit", "warn"),
        "supervision-virtual": ("Supervision by video", "note"),
    },
)

_PLAIN = "injection-sc-im"  # the role of the one administration that a nurse visit can stand for


def apply(draft: Draft) -> None:
    """Withhold, replace or keep the injections of staff as the payer says. Hospitals supervise otherwise."""
    if draft.encounter.claim != "professional":
        return
    # What the practitioner gives needs nobody beside.
    by_staff = [one for one in draft.decisions if draft.administration(one.index).performed_by == "staff"]
    decisions = [one for one in by_staff if one.row.outcome == "bill" and not _own_benefit(one.role)]
    listed = [entry for entry in draft.live("service") if entry.administers and not _own_benefit(entry.role)]
    missing = _missing(draft) if decisions or listed else None
    rule = draft.option("no-supervision")
    if missing is None or rule.value == "bill":
        return
    codes = [draft.code_of(one) for one in decisions] + [entry.code for entry in listed]
    draft.decisions = [one for one in draft.decisions if one not in decisions]
    draft.withhold(listed)
    if rule.value != "nurse-visit":
        _refuse(draft, {one.index for one in decisions}, codes, rule, missing)
        return
    plain = [one for one in decisions if one.role == _PLAIN]
    shots = [draft.code_of(one) for one in plain] + [entry.code for entry in listed if entry.role == _PLAIN]
    visits = [entry.code for entry in draft.live("visit")]
    if shots and not visits:
        _nurse_visit(draft, tuple(one.index for one in plain), shots, rule)
    rest = codes if visits else [code for code in codes if code not in shots]
    if rest:
        _nothing_instead(draft, rest, visits, rule)


def _refuse(
    draft: Draft, indexes: set[int], codes: list[str], rule: PayerOption, missing: tuple[Citation, ...]
) -> None:
    drugs = [item for item in draft.given if item.drug is not None and indexes.issuperset(item.members)]
    for item in drugs:
        draft.drop(item)
    given = draft.encounter.supervision
    withheld = ", ".join(dict.fromkeys(str(item.code) for item in drugs)) or "no drug"
    says = (
        f"Staff gave the injection {'without' if given == 'none' else f'with {given}'} supervision: without direct "
        f"supervision this payer covers neither {', '.join(dict.fromkeys(codes))} nor the drug ({withheld}) "
        "nor a nurse visit."
    )
    fix = "If a practitioner was present, or reachable by live video where that counts, record it; else do not bill."
    draft.say("supervision", "stop", says, fix, rule.citation, *missing)


def _nothing_instead(draft: Draft, codes: list[str], visits: list[str], rule: PayerOption) -> None:
    """What no nurse visit can stand for: anything but a plain injection, or any beside another visit of the day."""
    nurse = draft.policy.procedures(draft.on, role="visit-nurse")[0].code
    why = f"beside {visits[0]} it does not stand" if visits else "it stands for plain injections alone"
    says = (
        f"Staff gave it without direct supervision: {', '.join(dict.fromkeys(codes))} is withheld. For this payer "
        f"{nurse} can stand in place of an injection, but {why}."
    )
    fix = "If a practitioner was there when it was given, record direct supervision; else ask the payer what it takes."
    draft.say("supervision", "warn", says, fix, rule.citation)


def _own_benefit(role: str) -> bool:
    """Vaccines are a benefit of their own, without the practitioner beside."""
    return role.startswith(("vaccine", "rsv"))


def _missing(draft: Draft) -> tuple[Citation, ...] | None:
    """The rows by which the supervision given does not count as direct; None where it does."""
    given = draft.encounter.supervision
    if given == "direct":
        return None
    if given == "virtual":
        row = draft.option("virtual-supervision")
        if row.value != "yes":
            return (row.citation,)
        says = "Supervision by live video counts as direct on this date; by telephone alone it does not."
        draft.say("supervision-virtual", "note", says, "Record who supervised and that video was used.", row.citation)
        return None
    if given == "general":
        row = draft.option("general-supervision")
        return (row.citation,) if row.value == "as-none" else None
    return ()


def _nurse_visit(draft: Draft, members: tuple[int, ...], codes: list[str], rule: PayerOption) -> None:
    row = draft.policy.procedures(draft.on, role="visit-nurse")[0]
    instead = ", ".join(dict.fromkeys(codes))
    line = Line(row.code, diagnoses=draft.diagnoses(members), kind="visit", label=row.label)
    step = Step("no direct supervision", f"{row.code} in place of {instead}", rule.citation)
    entry = Entry(line, row.role, row.position, steps=[step])
    draft.entries.append(entry)
    says = (
        f"Staff gave the injection without direct supervision: for this payer {row.code} stands in place of {instead}."
    )
    fix = "Check the payer's rule; with direct supervision the injection itself is billed."
    draft.say("supervision-nurse-visit", "warn", says, fix, rule.citation, about=entry)
