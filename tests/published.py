"""Small made files of every family, in the layout in which its publisher publishes it: rows in, a file out."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

MUE_NOTICE = '"A notice about the codes.\r\n\r\nIt goes on, with a comma or two.",,,\r\n'
MONTHS = ("January", "April", "July", "October")
_LAST_NAMES = ("IND", "DAYS", "OP", "OP", "FACTOR")
LAST = ("March 31", "June 30", "September 30", "December 31")


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("cp1252"))
    return path


def zipped(file: Path) -> Path:
    """The file in a ZIP of the same name, and no longer beside it."""
    place = file.with_suffix(".zip")
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, file.name)
    file.unlink()
    return place


def mue(folder: Path, year: int, quarter: int, rows: dict[str, int], service: str = "Practitioner Services") -> Path:
    """A table of unit limits: code and units."""
    day = f"{quarter * 3 - 2:02}-01-{year}"
    values = "MUE Adjudication Indicator,MUE Rationale"
    lines = [f'"HCPCS/\r\nCPT Code",{service} MUE Values,{values}']
    lines += [f"{code},{units},3 Date of Service Edit: Clinical,Clinical: Data" for code, units in rows.items()]
    name = f"MCR_MUE_{service.replace(' ', '')}_Eff_{day}.csv"
    return _write(folder / name, MUE_NOTICE + "\r\n".join(lines) + "\r\n")


Pair = tuple[str, str, str, str, str]


def ptp(folder: Path, version: str, rows: Iterable[Pair], part: int = 1, kind: str = "pra", end: str = "\n") -> Path:
    """A part of the pairs: column 1, column 2, first day, deletion day or *, indicator."""
    head = [
        "A notice\t\t\t\t\t\t",
        "Column1/Column2 Edits\t\t\t\t\t\t",
        "Column 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale",
        "\t\tprior to 1996\tDate\tDate\t0=not allowed\t",
        "\t\t\t\t*=no data\t1=allowed\t",
        "\t\t\t\t\t9=not applicable\t",
    ]
    lines = [f"{a}\t{b}\t\t{first}\t{last}\t{i}\tMore extensive procedure" for a, b, first, last, i in rows]
    return _write(folder / f"cci{kind}-{version}-f{part}.TXT", end.join([*head, *lines, ""]))


def limits(folder: Path, year: int, quarter: int, rows: dict[str, str]) -> Path:
    """Payment limits: code and dollars."""
    head = [
        "Payment Allowance Limits for Medicare Part B Drugs,,,,,",
        f'"Effective {MONTHS[quarter - 1]} 1, {year} through {LAST[quarter - 1]}, {year}",,,,,',
        ",,,,,",
        "HCPCS Code,Short Description,HCPCS Code Dosage,Payment Limit,Co-insurance Percentage,Notes",
    ]
    lines = [f"{code},A drug,1 MG,{price},20.000," for code, price in rows.items()]
    return _write(folder / f"limits {quarter} of {year}.csv", "\r\n".join([*head, *lines, ""]))


def crosswalk(folder: Path, year: int, quarter: int, rows: Iterable[str], column: str = "NDC") -> Path:
    """The crosswalk: lines from the code to the units of the package."""
    head = [
        f"{MONTHS[quarter - 1]} {year} ASP NDC - HCPCS Crosswalk for Medicare Part B Drugs,,,,,,,,,,,",
        f'"     Effective {MONTHS[quarter - 1]} 1, {year} through {LAST[quarter - 1]}, {year}",,,,,,,,,,,',
        ",,,,,,,,,,,",
        f"_{year}_CODE,Short Description,LABELER NAME,{column},Drug Name,HCPCS dosage,PKG SIZE,PKG QTY,BILLUNITS,"
        "BILLUNITSPKG,,",
    ]
    return _write(folder / f"crosswalk {year} {quarter}.csv", "\r\n".join([*head, *rows, ",,,,,,,,,,,", ""]))


def addendum_b(folder: Path, year: int, month: str, rows: dict[str, tuple[str, str]]) -> Path:
    """Outpatient statuses and rates."""
    head = [
        "Addendum B.-Final OPPS Payment by HCPCS Code,,,,,,,",
        "A notice about the codes,,,,,,,",
        ",,,,,,,",
        "HCPCS Code,Short Descriptor,CI,SI,APC,Relative Weight,Payment Rate ,National Unadjusted Copayment ",
    ]
    lines = [f"{code},Words,,{status},5691,0.5,{rate},10" for code, (status, rate) in rows.items()]
    return _write(folder / f"{month} {year} Web Addendum B.csv", "\r\n".join([*head, *lines, ""]))


def relative_values(
    folder: Path, year: int, month: str, rows: dict[str, str], factor: str, who: str = "nonQPP"
) -> Path:
    """Relative values: code and `work,office expense,facility expense,malpractice,office total,facility total`."""
    wrapped = [
        [f"{year} National Physician Fee Schedule Relative Value File"],
        ["A notice about the codes"],
        [],
        [],
        ["", "", "", "", "", "", "NON-", "", "", "", "", "NON-", ""],
        ["", "", "", "", "", "", "FAC", "", "FACILITY", "", "", "FACILITY", "FACILITY", "", "", "", "", ""],
        ["", "", "", "STATUS", "", "WORK", "PE", "", "PE", "", "MP", "", "", "", "", "", "", "CONV"],
        ["HCPCS", "MOD", "DESCRIPTION", "CODE", "", "RVU", "RVU", "", "RVU", "", "RVU", "TOTAL", "TOTAL", *_LAST_NAMES],
    ]
    lines = [",".join([*cells, *[""] * (32 - len(cells))]) for cells in wrapped]
    for code, values in rows.items():
        work, office, facility, malpractice, total, total_facility = values.split(",")
        cells = [code, "", "Words", "A", "", work, office, "", facility, "NA", malpractice, total, total_facility]
        lines.append(",".join([*cells, "0", "XXX", "0", "0", factor, *[""] * 14]))
    return _write(folder / f"PPRRVU{year}_{month}_{who}.csv", "\r\n".join([*lines, ""]))


def nsde(folder: Path, rows: dict[str, str], day: str = "") -> Path:
    """The FDA's list: NDC (11 digits) and billing unit."""
    head = (
        "Item Code,NDC11,Marketing Category,Marketing Start Date,Marketing End Date,Billing Unit,Proprietary Name,"
        "Dosage Form,Application Number or Citation,Product Type,Inactivation Date,Reactivation Date"
    )
    tail = 'A drug,"INJECTION, SOLUTION",NDA999999,HUMAN PRESCRIPTION DRUG,,'
    lines = [f"{ndc},{ndc},NDA,20150101,,{unit},{tail}" for ndc, unit in rows.items()]
    return _write(folder / f"Comprehensive_NDC_SPL_Data_Elements_File{day}.csv", "\n".join([head, *lines, ""]))


def nadac(folder: Path, rows: dict[str, tuple[str, str]]) -> Path:
    """The price survey: NDC (11 digits), name and pricing unit."""
    head = (
        "NDC Description,NDC,NADAC Per Unit,Effective Date,Pricing Unit,Pharmacy Type Indicator,OTC,Explanation Code,"
        "Classification for Rate Setting,As of Date"
    )
    lines = [f"{name},{ndc},1.00,11/18/2026,{unit},C/I,N,1,G,11/25/2026" for ndc, (name, unit) in rows.items()]
    return _write(folder / "nadac-national-average-drug-acquisition-cost-11-25-2026.csv", "\n".join([head, *lines, ""]))


def directory(folder: Path) -> list[Path]:
    """One product and its package, as the FDA's ZIP has them."""
    product = (
        "PRODUCTID\tPRODUCTNDC\tPRODUCTTYPENAME\tPROPRIETARYNAME\tPROPRIETARYNAMESUFFIX\tNONPROPRIETARYNAME\t"
        "DOSAGEFORMNAME\tROUTENAME\tSTARTMARKETINGDATE\tENDMARKETINGDATE\tMARKETINGCATEGORYNAME\tAPPLICATIONNUMBER\t"
        "LABELERNAME\tSUBSTANCENAME\tACTIVE_NUMERATOR_STRENGTH\tACTIVE_INGRED_UNIT\tPHARM_CLASSES\tDEASCHEDULE\t"
        "NDC_EXCLUDE_FLAG\tLISTING_RECORD_CERTIFIED_THROUGH\n"
        "72999-301_1\t72999-301\tHUMAN PRESCRIPTION DRUG\tKetorolac\t\tKetorolac\tINJECTION, SOLUTION\tINTRAMUSCULAR\t"
        "20261005\t\tANDA\tANDA999999\tMaker \xae\tKETOROLAC\t30\tmg/mL\t\t\tN\t20271231\n"
    )
    package = (
        "PRODUCTID\tPRODUCTNDC\tNDCPACKAGECODE\tPACKAGEDESCRIPTION\tSTARTMARKETINGDATE\tENDMARKETINGDATE\t"
        "NDC_EXCLUDE_FLAG\tSAMPLE_PACKAGE\n"
        "72999-301_1\t72999-301\t72999-301-25\t25 VIAL, SINGLE-DOSE in 1 CARTON (72999-301-25)  / 1 mL in 1 VIAL, "
        "SINGLE-DOSE\t20261005\t\tN\tN\n"
    )
    return [_write(folder / "product.txt", product), _write(folder / "package.txt", package)]


def page(folder: Path, name: str, rows: dict[str, str]) -> Path:
    """The place-of-service code set as a browser saves it: code and name, and no rate."""
    head = "<tr><th>Place of Service Code(s)</th><th>Place of Service Name</th><th>Description</th></tr>"
    lines = [f"<tr><td>{code}</td>\n<td>{place}</td><td>Words.</td></tr>" for code, place in rows.items()]
    unassigned = "<tr><td>27-30</td><td>Unassigned</td><td>N/A</td></tr>"
    text = ["<!DOCTYPE html><html><head><title>Codes</title><script>var a = '<td>';</script></head><body><table>", head]
    return _write(folder / name, "\n".join([*text, *lines, unassigned, "</table></body></html>"]))


def plain(name: str, head: str, *rows: str) -> Callable[[Path], Path]:
    """A made file of a layout that is a header and rows."""
    return lambda folder: _write(folder / name, "\n".join([head, *rows, ""]))


# For each family how one of its files is made; a family of several layouts has one of each.
_SOLD = "J9260,Methotrexate,Maker,99999-0301-25,Methotrexate,15 MG,1,25,2,50,,"
SAMPLES: dict[str, tuple[Callable[[Path], Path], ...]] = {
    "HCPCS Level II": (
        plain(
            "HCPC2026_OCT_ANWEB.csv",
            "HCPC,SEQNUM,RECID,LONG DESCRIPTION,SHORT DESCRIPTION,ADD DT,ACT EFF DT,TERM DT",
            'J1885,00100,3,"Injection, ketorolac tromethamine, per 15 mg",Ketorolac,19930101,19930101,',
        ),
    ),
    "NDC-HCPCS crosswalk": (lambda folder: crosswalk(folder, 2026, 4, [_SOLD]),),
    "other NDC-HCPCS crosswalks": (
        plain(
            "2026q4 AWP crosswalk.csv",
            "October 2026 AWP NDC - HCPCS Crosswalk",
            "_2026_CODE,Short Description,LABELER NAME,NDC,Drug Name,HCPCS dosage,PKG SIZE,PKG QTY,BILLUNITS,"
            "BILLUNITSPKG",
            _SOLD,
        ),
    ),
    "payment limits": (lambda folder: limits(folder, 2026, 4, {"J9260": "3.105"}),),
    "unit limits (MUE)": (lambda folder: mue(folder, 2026, 4, {"J9260": 9}),),
    "pairs of codes (PTP)": (lambda folder: ptp(folder, "v323r0", [("96372", "99211", "20050101", "*", "0")]),),
    "relative values": (
        lambda folder: relative_values(folder, 2026, "OCT", {"96372": "0.17,0.23,0.23,0.01,0.41,0.41"}, "33.4"),
    ),
    "outpatient statuses (OPPS Addendum B)": (
        lambda folder: addendum_b(folder, 2026, "October", {"J9260": ("K", "3.1")}),
    ),
    "places of service": (
        plain("places_2026-10.csv", "pos_code,pos_type,pos_name", "11,Non-facility,Office", "22,Facility,Hospital"),
        lambda folder: page(folder, "Place of Service Code Set 2026-10.html", {"11": "Office", "22": "Hospital"}),
    ),
    "NDC directory": (lambda folder: directory(folder)[0], lambda folder: directory(folder)[1]),
    "NSDE": (lambda folder: nsde(folder, {"99999030125": "ML"}),),
    "pharmacy prices (NADAC)": (lambda folder: nadac(folder, {"99999030125": ("A drug 30 mg/mL vial", "ML")}),),
    "VA prices": (
        plain(
            "FssPharmPrices_2026-10.csv",
            "NDCWithDashes,PackageDescription,Generic,TradeName",
            "99999-0301-25,VIAL 1 ML,METHOTREXATE,METHOTREXATE",
        ),
    ),
    "a state's conversion of NDC units": (
        plain(
            "conversion_2026-10.csv",
            "NDC,Claim Type,HCPCS,Provider Billed Units,CMS Units - Invoiced Units",
            "99999030125,Medical,J9260,2,1",
        ),
    ),
    "injectable NDCs": (
        plain(
            "injectables_2026-10.csv",
            "ndc,description,dosage form,strength,measure",
            "99999-0301-25,1 mL methotrexate 25 mg/mL Injection,vial,25,mg/mL",
        ),
    ),
    "FDA recalls and shortages": (
        plain(
            "recalls_2026-10.csv",
            "recall_number,recall_initiation_date,product_description",
            'D-1,20261002,"Methotrexate injection 25 mg/mL, 2 mL single-dose vial, NDC 99999-0301-25"',
        ),
        plain(
            "shortages_2026-10.csv",
            "presentation,generic_name,last_seen_date",
            '"Methotrexate, 25 mg/mL (NDC 99999-0301-25)",Methotrexate,2026-10-02',
        ),
    ),
}
