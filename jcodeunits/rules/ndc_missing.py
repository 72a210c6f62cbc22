"""A drug line without its NDC."""

from __future__ import annotations

from ._registry import Case, Yields, rule


@rule("ndc-missing", "stop", "warn", cites=(("guide", "denial reason 8"),))
def ndc_missing(case: Case) -> Yields:
    """Some payers want the NDC of the product given, with its unit and quantity, on every drug line.

    Which payers, and which classes of drugs are exempt, are rows of the payer table. A row of high confidence
    stops the claim; for payers known only in general the finding warns.

    Sources: the payer's row; the guide's denial reason 8.
    """
    option = case.option("ndc")
    if option.value == "optional":
        return
    exempt = set(case.option("ndc-exempt").values)
    for number, line in case.numbered("drug", "waste"):
        if line.ndc is not None or exempt & case.classes(line):
            continue
        required = option.value == "required"
        says = f"{line.code} carries no NDC; this payer {'requires' if required else 'expects'} it."
        fix = "Give the NDC of the product used (5-4-2, 11 digits) and how many containers were opened."
        yield ndc_missing.finding(
            "stop" if required and option.confidence == "high" else "warn", says, fix, option.citation, line=number
        )
