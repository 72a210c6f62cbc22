"""What the readers of claims and of dosages do with each element of their formats: one table for each kind of it.

`read`; `passed` over, because it cannot change who, what, how much, how, when, whether or what it costs; else the
words of the loss. An element that stands in no table is a loss too.
"""

from __future__ import annotations


def read(names: str) -> dict[str, str]:
    """The elements that are read."""
    return dict.fromkeys(names.split(), "read")


def passed(names: str) -> dict[str, str]:
    """The elements that are passed over."""
    return dict.fromkeys(names.split(), "passed")


# HL7 version 2: the fields of FT1.
FT1_FIELDS = {
    **read("4 6 7 10 11 19 25 26 29 43"),
    **passed("1 2 3 5 8 9 13 14 16 18 20 21 23 24"),
    "12": "the price of one unit",
    "15": "an amount of the insurance",
    "17": "the fee schedule",
    "22": "the cost of one unit",
    "27": "whether the patient was told that it may not be paid (ABN)",
    "28": "the reason why a duplicate was needed",
}
# Segments of a DFT that are about the message, the person, the visit and who pays: passed over.
DFT_SEGMENTS = passed("MSH EVN SFT PID PD1 ORC NK1 PV1 PV2 DB1 AL1 ROL GT1 IN1 IN2 IN3")
# Segments beside an FT1 that a line has no field for.
BESIDE_FT1 = {"DG1": (3, "a diagnosis of the visit, tied to no line"), "PR1": (3, "a procedure of the visit")}

# X12: The elements of a service: read, passed over, or why one is not carried.
SV1_ELEMENTS = {
    **read("01 02 03 04 05 07"),
    "09": "that it was an emergency",
    "11": "that it belongs to EPSDT",
    "12": "that it belongs to family planning",
    "15": "that no copayment is due",
}
SV2_ELEMENTS = {**read("01 02 03 04 05"), "07": "an amount that is not covered"}
CLM_ELEMENTS = {
    **read("01 02 05 06 07 08 09 19"),
    "11": "related causes, such as an accident",
    "12": "a special program",
    "20": "the reason of a delay",
}
# Segments of the claim, outside its lines, that change what it says.
CLAIM_SEGMENTS = {
    "NTE": "a note of the claim",
    "AMT": "an amount of the claim",
    "K3": "words of the claim for the payer",
    "CN1": "a contract",
    "HCP": "a price of the claim",
    "CRC": "a condition of the claim",
    "PWK": "a paper that goes with the claim",
    "CAS": "what another payer adjusted",
}

# The clearing houses' JSON: a claim, a line, its service and its drug.
CLEARING_CLAIM = {
    **read("serviceLines healthCareCodeInformation claimFrequencyCode placeOfServiceCode usageIndicator"),
    **passed(
        "claimInformation claimFilingCode patientControlNumber claimChargeAmount signatureIndicator "
        "planParticipationCode releaseInformationCode benefitsAssignmentCertificationIndicator controlNumber "
        "tradingPartnerServiceId tradingPartnerName correlationId submitter receiver subscriber dependent "
        "providers billing rendering referring attending supervising"
    ),
}
CLEARING_ROW = {
    **read("serviceDate serviceDateEnd professionalService institutionalService drugIdentification additionalNotes"),
    **passed("assignedNumber providerControlNumber lineItemControlNumber renderingProvider"),
}
CLEARING_SERVICE = read(
    "procedureIdentifier procedureCode procedureModifiers lineItemChargeAmount measurementUnit "
    "serviceUnitCount description placeOfServiceCode compositeDiagnosisCodePointers diagnosisCodePointers "
    "serviceLineRevenueCode"
)
CLEARING_DRUG = read("serviceIdQualifier nationalDrugCode nationalDrugUnitCount measurementUnitCode")

# FHIR: a dosage of what was given, in every release: read, or compared with what is read.
DOSAGE_ELEMENTS = frozenset(
    read(
        "id extension modifierExtension fhir_comments text site siteCodeableConcept siteReference route method dose "
        "quantity rateRatio rateRange rateQuantity rateSimpleQuantity"
    )
)
# Claim, its items and their details, ChargeItem.
_META = "resourceType id meta text identifier status use patient subject created enterer"
CLAIM_ELEMENTS = {
    **read(f"{_META} item diagnosis related modifierExtension implicitRules"),
    **passed(
        "type subType billablePeriod insurer provider priority payee careTeam insurance facility total "
        "encounter contained language fundsReserve"
    ),
}
ITEM_ELEMENTS = {
    **read(
        "sequence productOrService modifier quantity detail net unitPrice revenue diagnosisSequence "
        "locationCodeableConcept servicedDate servicedPeriod modifierExtension"
    ),
    **passed("id careTeamSequence category encounter"),
}
DETAIL_ELEMENTS = {**read("sequence productOrService quantity modifierExtension"), **passed("id category revenue")}
CHARGE_ITEM_ELEMENTS = {
    **read(
        f"{_META} "
        "code quantity reason product productCodeableConcept occurrenceDateTime occurrencePeriod extension "
        "modifierExtension implicitRules"
    ),
    **passed(
        "context encounter performer performingOrganization requestingOrganization costCenter enteredDate "
        "service account definitionUri definitionCanonical supportingInformation contained language"
    ),
    "partOf": "that it is a part of another charge, which may hold its amount",
}
