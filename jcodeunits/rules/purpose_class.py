"""A purpose that the drug's class does not know."""

from __future__ import annotations

from ._registry import Case, Yields, rule

_CLASS = {"vaccine": "vaccine", "antineoplastic": "antineoplastic"}
_ALSO = {"antineoplastic": ("complex-biologic", "hormonal-dual-use", "biologic-simple", "supportive")}


@rule("purpose-class", "warn", cites=(("guide", "denial reason 6"),))
def purpose_class(case: Case) -> Yields:
    """An administration called a vaccine whose drug is none, or an antineoplastic whose drug is none.

    The purpose decides the administration code, so a slip there bills the wrong family.

    Sources: the class rows, reviewed by hand; the guide's denial reason 6.
    """
    for number, line in case.numbered("drug"):
        given = case.administration(line)
        if given is None or given.purpose not in _CLASS:
            continue
        classes = case.classes(line)
        fits = any(name.startswith(_CLASS[given.purpose]) for name in classes)
        if fits or classes & set(_ALSO.get(given.purpose, ())):
            continue
        rows = case.policy.classes(line.code, case.on)
        says = f"{line.code} is given as {given.purpose}, but no row classes it so" + (
            f" (it is: {', '.join(sorted(classes))})." if classes else "."
        )
        fix = "Check the purpose: it decides the administration code."
        yield purpose_class.finding("warn", says, fix, *[row.citation for row in rows], line=number)
