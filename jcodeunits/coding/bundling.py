"""Pairs of codes that are not paid together: which one gives way, and when a modifier keeps both.

An edit with indicator 0 is never bypassed: the second code is withheld. With indicator 1 the second code
stays only where the two were separate, and then says so with a modifier.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from jcodeunits.claim import APART
from jcodeunits.facts.policy_rows import Edit
from jcodeunits.finding import declare
from jcodeunits.grouped import grouped

from .draft import Draft, Entry

FINDINGS = declare(
    __name__,
    {
        "bundled-services": ("Two services of the day are not paid together", "warn"),
        "edits-unread": ("Pairs of services of which nobody read whether they are paid together", "warn"),
        "separate-injection": ("An injection apart from another service of the day", "warn, note"),
    },
)
# Services that put nothing under the skin or into muscle but their own substance.
_NO_INJECTION = ("skin-test", "allergen-extract", "allergen-desensitization", "inhalation", "vascular-access")


def apply(draft: Draft) -> None:
    """Look at every pair of different codes of the day, visits aside."""
    _unread(draft)
    by_code = grouped(draft.live("administration", "service"), lambda entry: entry.code)
    for one, other in itertools.combinations(sorted(by_code), 2):
        edit = draft.policy.edit(one, other, draft.on, draft.encounter.claim)
        if edit is None:
            continue
        first = [entry for entry in by_code[edit.column_1] if not entry.withheld]
        for entry in by_code[edit.column_2] if first else ():
            if not entry.withheld:
                _judge(draft, edit, first, entry)


def _unread(draft: Draft) -> None:
    """One line for the pairs of derived codes with listed services that are neither judged nor known to be free."""
    read = draft.option("edits-read")

    def known(code: str) -> bool:
        return draft.policy.pairs_read(code, draft.on, draft.encounter.payer, draft.encounter.claim) is not None

    listed = [entry for entry in draft.live("service") if entry.listed and not entry.administers]
    supplies = draft.option("edits-none").values
    services = [entry for entry in listed if not entry.code.startswith(supplies)]
    derived = [entry for entry in draft.live("administration") if services and not known(entry.code)]
    pairs = [
        (one.code, other.code)
        for one in derived
        for other in services
        if not known(other.code) and draft.policy.edit(one.code, other.code, draft.on, draft.encounter.claim) is None
    ]
    if pairs:
        codes, others = (", ".join(dict.fromkeys(side)) for side in zip(*pairs, strict=True))
        draft.say(
            "edits-unread",
            "warn",
            f"Pairs of {codes} with {others} were not read: the edits held here are those of {', '.join(read.values)}.",
            "Look the pair up in the edit table of CMS before sending; if it stands there, the second code needs a "
            "modifier or goes.",
            read.citation,
        )


def _judge(draft: Draft, edit: Edit, first: Sequence[Entry], entry: Entry) -> None:
    option = draft.option("edits")
    if option.value != "enforced" and entry.separate is None and not APART & set(entry.modifiers):
        says = (
            f"By the edits of CMS {entry.code} is part of {edit.column_1} ({_words(edit)}); this payer's own "
            "edits are not known."
        )
        fix = "Ask the payer, or add its row for edits."
        draft.say("bundled-services", "warn", says, fix, edit.citation, option.citation, about=entry)
    elif edit.indicator == 0:
        draft.withhold([entry])
        says = f"{entry.code} is never paid beside {edit.column_1} ({_words(edit)}); it is withheld."
        fix = "No modifier helps. Bill it only for another day or another practitioner."
        draft.say("bundled-services", "warn", says, fix, edit.citation)
    elif any(APART & set(one.modifiers) for one in (entry, *first)):
        return  # the caller has said so, on either code of the pair
    elif entry.listed:
        says = f"{entry.code} is denied beside {edit.column_1} unless it was separate ({_words(edit)})."
        fix = "If it was separate, list it with its modifier (59 or XE, XP, XS, XU); else leave it out."
        draft.say("bundled-services", "warn", says, fix, edit.citation, about=entry)
    else:
        _derived(draft, edit, first, entry)


def _derived(draft: Draft, edit: Edit, first: Sequence[Entry], entry: Entry) -> None:
    separate, why = _separate(draft, first, entry)
    drugs = draft.names(entry)
    if separate:
        option = draft.option("edit-modifier")
        modifier = option.value
        entry.mark(modifier, f"separate from {edit.column_1}: {why}", edit.citation)
        draft.say(
            "separate-injection",
            "note" if why == "said to be separate" or not _is_procedure(first[0]) else "warn",
            f"{entry.code} for {drugs} takes {modifier}: the edit {edit.column_1} x {edit.column_2} would "
            f"deny it, and it was separate ({why}).",
            "Keep the record of both services; say so if the injection belonged to the other (separate of the "
            "administration).",
            edit.citation,
            option.citation,
            about=entry,
        )
        return
    draft.withhold([entry])
    question = separate is None
    draft.say(
        "bundled-services",
        "warn",
        f"{entry.code} for {drugs} is part of {edit.column_1} unless it was separate ({_words(edit)}); it is "
        "withheld" + (" until that is answered." if question else "."),
        "If another drug was injected elsewhere, not for the procedure's anesthesia or pain, say "
        "so (separate of the administration) and give the site."
        if question
        else "Nothing: the other service holds the injection.",
        edit.citation,
    )


def _separate(draft: Draft, first: Sequence[Entry], entry: Entry) -> tuple[bool | None, str]:
    """Whether the record shows the injection apart from the other service, and by what."""
    if entry.separate is not None:
        return entry.separate, "said to be separate"
    inside = {draft.of[index].code for other in first for index in other.members}
    mine = {draft.of[index].code for index in entry.members}
    if not _is_procedure(first[0]):
        return True, "another drug or route"
    if inside and not (inside & mine) and all(draft.administration(i).site for i in entry.members):
        return True, "another drug at a site of its own"
    return None, ""


def _is_procedure(entry: Entry) -> bool:
    """Whether the service may hold an injection of its own, so that another one must be shown to be apart."""
    return entry.kind == "service" and not entry.administers and entry.role not in _NO_INJECTION


def _words(edit: Edit) -> str:
    if edit.basis == "manual":
        return f"by the policy manual, {edit.column_1} and {edit.column_2}"
    return f"edit {edit.column_1} x {edit.column_2}, indicator {edit.indicator}"
