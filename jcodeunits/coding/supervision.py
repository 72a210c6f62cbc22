"""Who was there: an injection by staff is the practitioner's service only under supervision."""

from __future__ import annotations

from jcodeunits.cite import Citation
from jcodeunits.claim import Line
from jcodeunits.policy import PayerOption
from jcodeunits.trace import Step

from .draft import Draft, Entry, cite

FINDINGS = {
    "supervision": ("Staff injected without the supervision that the payer asks for", "stop"),
    "supervision-nurse-visit": ("Without supervision this payer's injection visit is a nurse visit", "warn"),
    "supervision-virtual": ("Supervision by video", "note"),
}


def apply(draft: Draft) -> None:
    """Withhold, replace or keep the injections of staff as the payer says. Hospitals supervise otherwise."""
    if draft.encounter.claim != "professional":
        return
    entries = [entry for entry in draft.live() if entry.administers and _by_staff(draft, entry)]
    if not entries:
        return
    missing = _missing(draft, entries[0])
    if missing is None:
        return
    rule = draft.option("no-supervision")
    if rule.value == "bill":
        return
    codes = ", ".join(dict.fromkeys(entry.code for entry in entries))
    given = draft.encounter.supervision
    draft.withhold(entries)
    if rule.value == "nurse-visit" and draft.encounter.visit is None:
        _nurse_visit(draft, entries, codes, rule)
        return
    indexes = {index for entry in entries for index in entry.members}
    drugs = [item for item in draft.given if item.drug is not None and indexes.issuperset(item.members)]
    for item in drugs:
        draft.drop(item)
    withheld = ", ".join(dict.fromkeys(str(item.code) for item in drugs)) or "no drug"
    draft.say(
        "supervision",
        "stop",
        f"Staff gave the injection with {given} supervision: without direct supervision this payer covers "
        f"neither {codes} nor the drug ({withheld}) nor a nurse visit.",
        "If a practitioner was present, or reachable by live video where that counts, record it; else do "
        "not bill.",
        cite(rule),
        *missing,
    )


def _by_staff(draft: Draft, entry: Entry) -> bool:
    """Vaccines are a benefit of their own; what the practitioner gives needs nobody beside."""
    if entry.role.startswith(("vaccine", "rsv")):
        return False
    given = [draft.administration(index).performed_by for index in entry.members]
    return not given or "staff" in given


def _missing(draft: Draft, entry: Entry) -> tuple[Citation, ...] | None:
    """The rows by which the supervision given does not count as direct; None where it does."""
    given = draft.encounter.supervision
    if given == "direct":
        return None
    if given == "virtual":
        row = draft.option("virtual-supervision")
        if row.value != "yes":
            return (cite(row),)
        draft.say(
            "supervision-virtual",
            "note",
            "Supervision by live video counts as direct on this date; by telephone alone it does not.",
            "Record who supervised and that video was used.",
            cite(row),
            about=entry,
        )
        return None
    if given == "general":
        row = draft.option("general-supervision")
        return (cite(row),) if row.value == "as-none" else None
    return ()


def _nurse_visit(draft: Draft, entries: list[Entry], codes: str, rule: PayerOption) -> None:
    row = draft.policy.procedures(draft.on, role="visit-nurse")[0]
    members = tuple(index for entry in entries for index in entry.members)
    line = Line(row.code, diagnoses=draft.diagnoses(members), kind="visit", label=row.label)
    step = Step("no direct supervision", f"{row.code} in place of {codes}", cite(rule))
    entry = Entry(line, row.role, row.position, steps=[step])
    draft.entries.append(entry)
    draft.say(
        "supervision-nurse-visit",
        "warn",
        f"Staff gave the injection without direct supervision: for this payer {row.code} stands in place of "
        f"{codes}.",
        "Check the payer's rule; with direct supervision the injection itself is billed.",
        cite(rule),
        about=entry,
    )
