"""HL7 version 2 as segments: separators, escapes, repeats; a message is read by position.

Only messages in production, of what happens now, come through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from jcodeunits.errors import FormatError

from . import _quoting
from ._json import UTF16, refuse_other_formats
from ._quoting import coded

SOURCE = "hl7-v2-pharmacy"  # where what is given and its bags are described
# Tables 0103 and 0207 in MSH-11: only a message in production, of what happens now, is billed.
PROCESSING = {
    "T": "a training message",
    "D": "a debugging message",
    "A": "a message from an archive",
    "R": "a message restored from an archive",
    "I": "a message of an initial load",
}
ICD10 = ("I10", "I10C", "ICD10", "ICD-10", "ICD10CM", "ICD-10-CM")
CVX = ("CVX", "HL70292", "CDC CVX", "2.16.840.1.113883.12.292")
RXNORM = ("RXNORM", "RXN", "RXC", "RXCUI")
CODES = ("HCPCS", "HPC", "HCPC", "C4", "CPT", "CPT4", "CPT-4")
# Table 0119 in ORC-1 and 0038 in ORC-5: an order that these end, change or deny says nothing of a dose that was
# given. True: the order was only stopped, held or changed, and the caller may vouch for the dose.
ORDER_CONTROL = {
    "CA": ("cancels the order", False),
    "OC": ("says that the order was cancelled", False),
    "CR": ("says that the order was cancelled as asked", False),
    "DE": ("reports data in error", False),
    "UA": ("says that the order was not accepted", False),
    "DC": ("discontinues the order", True),
    "OD": ("says that the order was discontinued", True),
    "DR": ("says that the order was discontinued as asked", True),
    "HD": ("holds the order", True),
    "OH": ("says that the order was held", True),
    "HR": ("says that the order was held as asked", True),
    "RP": ("replaces the order", True),
    "RO": ("is the order that replaces another", True),
    "RQ": ("says that the order was replaced as asked", True),
    "RU": ("says that the order was replaced", True),
}
ORDER_STATUS = {
    "CA": ("says that the order was cancelled", False),
    "ER": ("says that the order is in error", False),
    "DC": ("says that the order was discontinued", True),
    "HD": ("says that the order is on hold", True),
    "RP": ("says that the order was replaced", True),
    "SC": ("says that the order is only scheduled", True),
}


@attrs.frozen
class Marks:
    """The separators that MSH-1 and MSH-2 name."""

    field: str = "|"
    component: str = "^"
    repeat: str = "~"
    escape: str = "\\"
    sub: str = "&"


PLAIN = Marks()
NULL = '""'  # a value that is taken back: as good as none
_REPEATS_MOST = 100  # a charge points to a dozen diagnoses
_LETTERS = {"F": "field", "S": "component", "R": "repeat", "E": "escape", "T": "sub"}


@attrs.frozen
class Segment:
    name: str
    fields: tuple[str, ...]
    marks: Marks
    at: int
    # Of each field that was asked for, its repetitions in components: most are asked for several times.
    _read: dict[int, list[list[str]]] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    def raw(self, position: int) -> str:
        return self.fields[position] if position < len(self.fields) else ""

    def get(self, position: int, component: int = 1, repeat: int = 0) -> str:
        """One component of one repetition, without its escapes; empty where there is none."""
        each = self._read.get(position)
        if each is None:
            each = self._read[position] = [one.split(self.marks.component) for one in self._repeats(position)]
        parts = each[repeat] if repeat < len(each) else []
        text = parts[component - 1] if component <= len(parts) else ""
        return _unescape(text, self.marks).strip() if text != NULL else ""

    def said_twice(self, positions: Iterable[int]) -> int | None:
        """The first of the fields that has several repetitions which differ, where one is read."""
        several = (n for n in positions if self.marks.repeat and self.marks.repeat in self.raw(n))
        return next((n for n in several if len({one.strip() for one in self._repeats(n)} - {""}) > 1), None)

    def repeats(self, position: int) -> int:
        return len(self._repeats(position)) if self.raw(position) else 0

    def _repeats(self, position: int) -> list[str]:
        written = self.raw(position)
        count = written.count(self.marks.repeat) + 1
        if count > _REPEATS_MOST:
            raise refused(f"{self.where}, field {position}", f"{count} repetitions, and no field has so many")
        return written.split(self.marks.repeat)

    @property
    def where(self) -> str:
        return f"{self.name} in line {self.at}"


def _unescape(text: str, marks: Marks) -> str:
    if marks.escape not in text:
        return text
    mark = re.escape(marks.escape)

    def plain(match: re.Match[str]) -> str:
        code = match[1]
        if code in _LETTERS:
            return str(getattr(marks, _LETTERS[code]))
        if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", code):
            return bytes.fromhex(code[1:]).decode("latin-1")
        if code in ("H", "N"):
            return ""  # shown bright from here, and no more
        if code.startswith("."):
            return "\n" if code == ".br" else " "
        return match[0]

    return re.sub(f"{mark}([^{mark}]*){mark}", plain, text)


def escape(text: str, marks: Marks) -> str:
    plain = {getattr(marks, name): letter for letter, name in _LETTERS.items()}
    out = []
    for char in text:
        if char in plain:
            out.append(f"{marks.escape}{plain[char]}{marks.escape}")
        elif char < " ":
            out.append(f"{marks.escape}X{ord(char):02X}{marks.escape}")
        else:
            out.append(char)
    return "".join(out)


def _rows(text: object) -> list[str]:
    """The segments of a text as they stand, without the marks that frame messages on a line (MLLP)."""
    if isinstance(text, (bytes, bytearray)):
        text = _decoded(bytes(text))
    if not isinstance(text, str) or not text.strip():
        raise FormatError("There is no HL7 text to read.", format="hl7v2")
    refuse_other_formats(text, "hl7v2")
    rows = [
        row.strip("\x0b\x1c\ufeff").lstrip(" \t") for row in re.split(r"[\r\n]+", text.strip("\x0b\x1c\ufeff \t\r\n"))
    ]
    return [row for row in rows if row.strip()]


def _decoded(text: bytes) -> str:
    """Bytes in UTF-8, in UTF-16 with its mark, else in the set of ISO 8859 that MSH-18 names.

    What no set explains is left out.
    """
    if text[:2] in UTF16:
        return text.decode("utf-16", "replace")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        head = text.partition(b"MSH")[2].partition(b"\r")[0]
        named = [*head.split(head[:1])[17:18], b""][0] if head else b""
        match = re.match(rb"8859/(\d{1,2})", named)
        try:
            return text.decode(f"iso8859-{int(match[1])}" if match else "utf-8", "replace")
        except LookupError:
            return text.decode("utf-8", "replace")


def segments_of(text: object) -> list[Segment]:
    rows = [row for row in _rows(text) if not row.startswith(_ENVELOPE)] or [""]
    marks = PLAIN
    if rows[0].startswith("MSH"):
        if len(rows[0]) < 8:
            raise FormatError("MSH is too short to name its separators.", format="hl7v2", place="MSH")
        marks = Marks(rows[0][3], *rows[0][4:8])
        if marks.sub == marks.field:
            marks = attrs.evolve(marks, sub="&")
    made = []
    for at, row in enumerate(rows, 1):
        name, *fields = (field if field != NULL else "" for field in row.split(marks.field))
        # MSH-1 is the separator itself, so that MSH's fields stand one place further.
        made.append(Segment(name, ("", *([marks.field] if name == "MSH" else []), *fields), marks, at))
    return made


_ENVELOPE = ("FHS", "BHS", "BTS", "FTS")


def batch_of(text: object) -> tuple[list[str], list[FormatError]]:
    """The messages of a text, each from its MSH on, and an error for each batch that holds another number of them."""
    messages: list[list[str]] = []
    wrong: list[FormatError] = []
    since = heads = batches = 0
    for row in _rows(text):
        heads += row.startswith("MSH")
        if row.startswith(_ENVELOPE):
            if row.startswith("BHS"):
                since, batches = heads, batches + 1
            elif row.startswith("BTS"):
                wrong += _miscounted(row, heads - since, "messages", "batch")
            elif row.startswith("FTS"):
                wrong += _miscounted(row, batches, "batches", "file")
        elif row.startswith("MSH") or not messages:
            messages.append([row])
        elif row.startswith("PID") and any(one.startswith("PID") for one in messages[-1]):
            messages.append([*messages[-1][:1], row])  # a further patient of the same message is a record of its own
        else:
            messages[-1].append(row)
    return ["\r".join(rows) for rows in messages], wrong


def _miscounted(row: str, held: int, what: str, holder: str) -> list[FormatError]:
    """An error where an end (BTS, FTS) counts another number than there are."""
    said = row.split(row[3:4])[1:2]
    if not said or not said[0].isdigit() or int(said[0]) == held:
        return []
    field = f"{row[:3]}-1"
    says = f"{field} counts {said[0]} {what} and the {holder} holds {held}: it was cut or joined."
    return [FormatError(says, format="hl7v2", place=field)]


def kind_of(segments: list[Segment]) -> str:
    """The message's type (MSH-9.1), or for a fragment what its segments say."""
    heads = [segment for segment in segments if segment.name == "MSH"]
    if len(heads) > 1:
        says = f"{len(heads)} messages in one text, and read() takes one: read_all() reads them one at a time."
        raise FormatError(says, format="hl7v2", several=True)
    if heads:
        _in_production(heads[0])
        return heads[0].get(9, 1)
    names = {segment.name for segment in segments}
    for name, kind in (("RXA", "RAS"), ("FT1", "DFT"), ("RXE", "RDE"), ("RXO", "OMP"), ("RXD", "RDS")):
        if name in names:
            return kind
    return ""


_LONGEST_ID = 4  # characters; a longer text is another field's, out of its place


def _in_production(msh: Segment) -> None:
    """Refuse a message that MSH-11 marks as a test, or as a copy of what was sent before."""
    for said, plain in ((msh.get(11, 1), "P"), (msh.get(11, 2), "T")):
        if said not in ("", plain):
            what = PROCESSING.get(said, "no processing ID that is read here")
            shown = coded(msh.raw(11)) if len(msh.raw(11)) <= _LONGEST_ID else "another field's text"
            raise FormatError(
                f"MSH-11 (processing ID) is {shown}: {what}, and is never billed.", format="hl7v2", place="MSH-11"
            )


def ordered(orc: Segment | None) -> tuple[str, str, bool] | None:
    """What an ORC says against a dose or a charge under it: the field, the words, whether one may vouch."""
    for position, table in ((1, ORDER_CONTROL), (5, ORDER_STATUS)):
        if orc is not None and (row := table.get(orc.get(position).upper())):
            field = f"ORC-{position}"
            return field, f"{field} {orc.get(position)} {row[0]}", row[1]
    worded = () if orc is None else ((position, orc.get(position, part)) for position in _WORDED for part in (1, 2))
    for position, word in worded:
        if _WITHDRAWN.fullmatch(word):
            return f"ORC-{position}", f"ORC-{position} says of the order {coded(word)}", True
    return None


# Fields of ORC in which senders write words of their own, and those by which an order was withdrawn or held.
_WORDED = (1, 5, 16, 25)  # control, status, reason of the control, status once more
_WITHDRAWN = re.compile(
    r"cancel(?:l?ed)?(?: (?:entry|order))?|void(?:ed)?|(?:(?:entered|charted|order(?:ed)?) )?in error|deleted"
    r"|discontinued?|d/?c'?d|on hold|held|duplicate(?: (?:entry|order))?",
    re.IGNORECASE,
)


def refused(where: str, why: str, **fields: str) -> FormatError:
    return _quoting.refused("hl7v2", where, f"{why}.", **fields)
