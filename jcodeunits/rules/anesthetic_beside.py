"""A local anesthetic beside the drug of one procedure."""

from __future__ import annotations

from ._registry import Case, Yields, rule

_CLASS = "local-anesthetic"
# Ways by which a procedure puts a drug into the body and an anesthetic is mixed in or given before. In a nerve block
# or at the spine the anesthetic is the drug itself.
_WAYS = ("intra-articular", "soft tissue", "intralesional")


@rule("anesthetic-beside", "warn", cites=(("ncci-manual-2026", "XI.B.11"), ("ncci-manual-2026", "XI.B.12")))
def anesthetic_beside(case: Case) -> Yields:
    """A local anesthetic that went the way of another drug, at the same site, is part of the procedure.

    The record does not say so with its purpose, so the line stands and is asked about. An anesthetic given alone is
    the drug of the procedure.

    Sources: NCCI policy manual, chapter XI, section B, on the anesthesia of a procedure.
    """
    given = [(number, line, case.administration(line)) for number, line in case.numbered("drug")]
    for number, line, mine in given:
        if mine is None or mine.route not in _WAYS or _CLASS not in case.classes(line):
            continue
        beside = [
            other
            for _, other, its in given
            if its is not None
            and its.route == mine.route
            and (its.site == mine.site or None in (its.site, mine.site))
            and _CLASS not in case.classes(other)
        ]
        if beside:
            says = (
                f"{line.code} is a local anesthetic and was given as {beside[0].code} was, {mine.route}: mixed in or "
                "given before, it is part of the procedure and has no line."
            )
            fix = "Say its purpose, anesthetic, and the line goes; keep it only where it was a treatment of its own."
            yield anesthetic_beside.finding("warn", says, fix, line=number)
