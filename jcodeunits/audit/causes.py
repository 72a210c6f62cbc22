"""Why a billed line differs, or cannot be judged: a closed list of causes, each with the source of its rule."""

from __future__ import annotations

# What a line was billed wrongly by.
DIFFERS = {
    "wrong-multiplier": "the units do not follow from the dose and the code's billing unit",
    "rounded-down": "the units were rounded down or to the nearest; they are rounded up",
    "rounded-up-twice": "the dose is an exact multiple, and one unit more was billed",
    "fractional-units": "units are whole numbers",
    "waste-in-units": "the discarded units stand on the administered line, not on a line of their own",
    "dead-code": "the code was not in effect on the date of service",
    "wrong-code": "another code is for the drug that was given",
    "wrong-product": "the NDC is of a product that is listed under another code",
    "wrong-band": "the code is for another range of doses",
    "missing-jw": "at least one unit was discarded and recorded, and no JW line bills it",
    "jw-units": "the JW line has other units than were discarded",
    "jw-unsupported": "a JW line, and nothing that may be billed was discarded",
    "missing-jz": "nothing was discarded, and the line does not say so",
    "jz-with-waste": "JZ on a drug of which discarded units are billed or recorded",
    "unexpected-jz": "JZ on a container or a date that takes none",
    "ndc-in-milligrams": "the NDC quantity is the dose in milligrams, not what the NDC is counted in",
    "ndc-qualifier": "the NDC is counted in another unit",
    "ndc-quantity": "the NDC quantity does not follow from the dose",
    "facility-place": "a practitioner does not bill the drug in a facility",
    "withheld": "the drug is not billed in this setting",
    "dose-above-containers": "the dose is more than the containers opened hold by their label",
    # of a charge table
    "multiplier-by-ten": "the units of one charge are off by a power of ten",
    "old-multiplier": "the units of one charge are those of the code before this one",
    "rounded-multiplier": "the units of one charge were rounded; they are rounded once for each administration",
    "package-for-container": "the units are those of the whole package, and one charge is one container",
    "kit-counted-twice": "the units are those of several containers of a kit, and one charge is one of them",
    "waste-in-multiplier": "the units are those of the whole container, and one charge is a part of it",
    "milligrams-for-millilitres": "the units count the volume where the code counts the drug",
    "brand-code": "the NDC is of another product of the ingredient, with a code of its own",
    "code-not-taken": "the payer, or this kind of claim, does not take the code",
    "ended-ndc": "the NDC is listed no more on the day",
    "missing-ndc": "the payer wants an NDC, and the row has none",
}

# What keeps a line from being judged.
UNJUDGED = {
    "not-a-drug": "no drug code of this name is known",
    "dose-missing": "no dose stands beside the line",
    "unreadable-dose": "the dose cannot be read",
    "unreadable-units": "the units cannot be read",
    "date-error": "the date of service cannot be read",
    "unit-mismatch": "the dose is in a unit that the code does not count",
    "no-unit": "the code's units do not follow from a dose",
    "basis-needed": "a combination whose dose does not say which part it counts",
    "ambiguous-drug": "the drug fits several codes",
    "unknown-drug": "the drug is not known",
    "setting": "place, payer or container cannot be read",
    "description": "the description, or the drug beside a line, is not the drug that the code counts",
    "product": "the product or its amount is not certain, or its NDC is none (a spreadsheet drops zeros: 11 digits)",
    "waste-unknown": "what was discarded is not known, so the JW line cannot be judged",
    "jw-alone": "a JW line without its administered line in the file",
    "low-confidence": "the code's row stands on general knowledge",
    "other": "there is no certain answer",
}

ALL = DIFFERS | UNJUDGED

# The kind of a refusal in bulk -> why the line is not judged.
OF_REFUSAL = {
    "DateError": "date-error",
    "UnreadableDose": "unreadable-dose",
    "UnknownUnit": "unreadable-dose",
    "AmbiguousUnit": "unreadable-dose",
    "DoseError": "unreadable-dose",
    "UnitMismatch": "unit-mismatch",
    "NotComputable": "no-unit",
    "BasisNeeded": "basis-needed",
    "AmbiguousDrug": "ambiguous-drug",
    "UnknownDrug": "unknown-drug",
    "NoCode": "description",
    "EncounterError": "setting",
    "InvalidNdc": "product",
    "AmbiguousNdc": "product",
    "UnknownProduct": "product",
}
