"""The FDA's recalls and shortages: words in which they name a package. For the shipped book.

Kept of a text are the words that a proof may lean on (see `WORDS`), not its sentence: no amounts, no codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .byhand import ByHand
from .family import Asked, Edition, Family, FileReading, Headed, Tally, number_of, said
from .files import Published
from .ndc_directory import day_of, newest_or_asked

_RECALL = ("recall number", "recall initiation date", "product description")
_SHORTAGE = ("presentation", "generic name", "last seen date")
_NUMBER = re.compile(r"(?<![\d-])\d{4,5}-\d{3,4}-\d{1,2}(?![\d-])")

# Word of ours -> how a text says it.
WORDS = {
    "powder": re.compile(r"lyphl|lyophil|pwdr|powder|for injection|for solution", re.IGNORECASE),
    "single-dose": re.compile(r"single[- ](?:dose|use)|\bSDVs?\b", re.IGNORECASE),
    "multi-dose": re.compile(r"multi(?:ple)?[- ](?:dose|use)|\bMDVs?\b", re.IGNORECASE),
    "bulk": re.compile(r"pharmacy bulk", re.IGNORECASE),
    "kit": re.compile(r"\bkits?\b", re.IGNORECASE),
}


# A concentration and a volume: what a text about one package says of what it holds.
_MEASURED = re.compile(r"(?<![\d.,/])[\d.,]*\d ?(?:(?:mg|mcg|g|units?|unt)/(?:[\d.]+ ?)?)?mL\b", re.IGNORECASE)


def words_in(text: str, numbers: Iterable[str]) -> list[str]:
    """The words of ours in a text about NDCs, and the measures of one product, not of its several packages."""
    named = set(numbers)
    found = [word for word, pattern in WORDS.items() if pattern.search(text)]
    if len({number[:10] for number in named}) > 1:
        return [*found, "several NDCs"]
    found += ["several packages"] if len(named) > 1 else []
    return [*found, *dict.fromkeys(_MEASURED.findall(text))]


def name_in(text: str) -> str:
    """The drug that a text names first: its letters, as far as a figure; one at the beginning is passed over.

    >>> name_in("Ketorolac Tromethamine Injection, USP, 30 mg/mL"), name_in("0.9% Sodium Chloride Injection, 250 mL")
    ('ketorolac tromethamine injection usp', 'sodium chloride injection')
    """
    named = re.sub(r"^[\d.,% ]+", "", text.lower())
    return " ".join(re.findall(r"[a-z]+", re.split(r"\d", named, maxsplit=1)[0])[:5])


def read(file: Published, asked: Asked, _byhand: ByHand) -> Iterable[FileReading]:
    """For each NDC that a text names, which words it says."""
    recall = file.has(_RECALL)
    kind = "recalls" if recall else "shortages"
    day = "recall initiation date" if recall else "last seen date"
    tally, newest = Tally(), ""
    for line, cells in file.body(_RECALL if recall else _SHORTAGE):
        text = cells["product description"] if recall else cells["presentation"]
        newest = max(newest, day_of(file, line, cells[day]))
        tally.add(f"{text}|{cells.get('generic name', '')}|{cells.get('last seen date', '')}")
        numbers = {number for written in _NUMBER.findall(text) if (number := number_of(written))}
        words = words_in(f"{text} {cells.get('generic name', '')}", numbers)
        words += [name] if (name := name_in(cells.get("generic name") or text)) else []
        tally.statements |= {(number, said(words="|".join(words) or "none")) for number in numbers}
    when = newest_or_asked(file, asked, newest)
    yield tally.reading(Edition(f"fda-{kind}", when, f"Drug {kind}, {when.name}", "FDA"))


FAMILY = Family(
    name="FDA recalls and shortages",
    files=("fda-recalls", "fda-shortages"),
    table="evidence",
    recognises=Headed(_RECALL, _SHORTAGE),
    read=read,
    page="",
)
