"""Makes `products.csv`: every NDC of the crosswalk, what a container holds, how an NDC line counts it.

An amount is BILLUNITS times the billing unit, checked against the FDA list. A qualifier is written only
where a rule proves it (`PROOFS`); nothing is guessed. Where CMS contradicts itself, or the two lists
differ, the row is settled by a reviewed row of `product_reviews.csv`, or left without an amount and marked.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction

import attrs

from jcodeunits.amount import decimal_text
from jcodeunits.facts.product_rows import MARKS, QUALIFIER_OF, Container, Product, ProductReview
from jcodeunits.ndc import compact
from jcodeunits.tables import header

from . import witnesses
from .containers import by_review, container_facts, label_of
from .crosswalk import CrosswalkEdition, Listing
from .evidence import Evidence
from .family import Row
from .fda import Injectable
from .proving import NO_CODES, UNCOUNTED, Codes, Settled, codes_of, prove, strength
from .witnesses import Package, Proof

COLUMNS = tuple(header(Product))

_DAY = dt.timedelta(days=1)


@attrs.frozen
class Made:
    """The rows, sorted, and the lint: lines that a reviewer should read."""

    rows: tuple[Row, ...]
    lint: tuple[str, ...]


Life = Mapping[str, Sequence[tuple[dt.date, dt.date | None]]]


def make(
    editions: Iterable[CrosswalkEdition],
    reviews: Mapping[str, ProductReview],
    containers: Mapping[str, Container],
    lives: Life,
    verified: dt.date,
    evidence: Evidence = Evidence(),  # noqa: B008 - an immutable value
    said: Codes = NO_CODES,
) -> Made:
    """The rows of `products.csv` from the crosswalk, the reviews, the codes' own dates and other files.

    `lives` are the periods of each HCPCS code, which tell when a code changed inside a missing quarter.
    `evidence` are the witnesses of other files, `said` is what the descriptors say of the codes.
    """
    ordered = sorted(editions, key=lambda edition: edition.first)
    listed: dict[str, dict[int, list[Listing]]] = defaultdict(lambda: defaultdict(list))
    for n, edition in enumerate(ordered):
        for listing in edition.listings:
            listed[listing.ndc][n].append(listing)
    lint = [f"{edition.source}: {line}" for edition in ordered for line in edition.unreadable]
    amounts = {
        number: _below_ceilings(
            _settle(by_edition, evidence.fda.get(number), reviews.get(compact(number)), evidence),
            by_edition,
            evidence,
            said.ceilings,
        )
        for number, by_edition in listed.items()
    }
    _share_rounded(amounts, listed, evidence)
    for number, by_edition in amounts.items():
        _drop_other_strengths(number, by_edition, listed[number], evidence)
    told_last = {  # the newest edition, before quarters that disagree with what is known of a container
        number: max([n for n, one in by_edition.items() if "editions-disagree" not in one.marks] or by_edition)
        for number, by_edition in amounts.items()
    }
    latest = {number: listed[number][n] for number, n in told_last.items()}
    newest = {number: amounts[number][n] for number, n in told_last.items()}
    reviewed = {number: c for number in listed if (c := containers.get(number) or containers.get(number[:10]))}
    by_reviews = {number: by_review(c, latest[number][0].containers) for number, c in reviewed.items()}
    proofs = prove(latest, newest, evidence, by_reviews, said)
    for number, review in by_reviews.items():
        # A review decides where nothing is proved or the proof is wrong; else the proof is the better reason.
        if review is not None and proofs.get(number, ("",))[:2] != review[:2]:
            proofs[number] = review
        elif QUALIFIER_OF.get(reviewed[number].form) not in (None, proofs.get(number, ("",))[0]):
            proofs.pop(number, None)
        elif not reviewed[number].form and not reviewed[number].kind:
            proofs.pop(number, None)  # looked at, and not settled
    sizes = _sizes(latest, newest, proofs, evidence)
    told = witnesses.kinds(listed, evidence)
    rows = []
    for number in sorted(listed):
        proof = proofs.get(number)
        facts = container_facts(latest[number][0], reviewed.get(number), proof, told.get(number, ""), evidence)
        rows += _rows(
            number, listed[number], amounts[number], proof, sizes.get(number), facts, ordered, lives, verified
        )
        for mark in dict.fromkeys(m for a in amounts[number].values() for m in a.marks):
            if mark not in ("reviewed", "refused"):
                lint.append(f"{number} {'|'.join(codes_of(_latest(listed[number])))}: {MARKS[mark]}")
        settled, listing = newest[number], latest[number][0]  # the package as CMS lists it
        package = Package(number, listing.size, settled.amount, settled.unit, oral=False, carton=False)
        package = attrs.evolve(package, containers=listing.containers)
        if proof is not None:
            package = attrs.evolve(package, quantities=evidence.against(number, latest[number], proof[1]))
        lint += witnesses.differing(package, proof, evidence)
    return Made(tuple(rows), tuple(lint))


def _latest(by_edition: Mapping[int, list[Listing]]) -> list[Listing]:
    return by_edition[max(by_edition)]


# --- the amount in one container ----------------------------------------------------------------------


def _settle(
    by_edition: Mapping[int, list[Listing]],
    listed_by_fda: Injectable | None,
    review: ProductReview | None,
    evidence: Evidence,
) -> dict[int, Settled]:
    """The amount of each edition: reviewed, else what CMS says as long as it says one thing."""
    if review is not None and review.verdict != "keep":
        if review.amount is None:
            return dict.fromkeys(by_edition, Settled(None, "billing unit", ("refused",), "low"))
        return dict.fromkeys(by_edition, Settled(review.amount, review.unit, ("reviewed",), review.confidence))
    said = {n: _said(listings) for n, listings in by_edition.items()}
    if review is not None:
        return {n: attrs.evolve(a, marks=("reviewed",), confidence=review.confidence) for n, a in said.items()}
    slack = max(listing.slack for listings in by_edition.values() for listing in listings)
    if _disagree(said, by_edition, slack):
        # What another file confirms stands in its quarters: a slip of one quarter takes no answer from the others.
        differ = {n: Settled(None, a.unit, ("editions-disagree",), "low") for n, a in said.items()}
        sure = {n: _checked(a, slack, listed_by_fda, contradicts=False) for n, a in said.items()}
        return differ | {
            n: a for n, a in sure.items() if a.confidence == "high" or _printed(a, by_edition[n][0], evidence)
        }
    problems = any(listing.problem for listings in by_edition.values() for listing in listings)
    return {n: _checked(a, slack, listed_by_fda, problems) for n, a in said.items()}


def _printed(said: Settled, listing: Listing, evidence: Evidence) -> bool:
    """Whether the price survey or the price file prints an amount in a container, which the FDA list does not deny."""
    if said.amount is None or said.marks:
        return False
    found = evidence.printed(listing.ndc, listing.size)
    return (said.amount, said.unit) in found or evidence.confirms(listing.ndc, listing.size, said.amount, said.unit)


def _disagree(said: Mapping[int, Settled], by_edition: Mapping[int, list[Listing]], slack: Fraction) -> bool:
    """Whether the quarters give different amounts in one unit, and not just another idea of the container."""
    for unit in {a.unit for a in said.values()}:
        here = {n: a.amount for n, a in said.items() if a.unit == unit and a.amount is not None}
        packages = {amount * by_edition[n][0].containers for n, amount in here.items()}
        if here and max(here.values()) - min(here.values()) > slack and len(packages) > 1:
            return True
    return False


def _said(listings: Sequence[Listing]) -> Settled:
    """What one edition says, over the codes of the NDC; the most exactly printed figure first."""
    physical = sorted((x for x in listings if x.unit not in UNCOUNTED), key=lambda x: (x.slack, x.code))
    if not physical:
        return Settled(listings[0].amount, listings[0].unit)
    best = physical[0]
    if best.unit == "unit" and best.amount == 1:
        return Settled(None, best.unit, ("placeholder",))
    if any(x.unit != best.unit or abs(x.amount - best.amount) > x.slack + best.slack for x in physical):
        return Settled(None, best.unit, ("codes-disagree",), "low")
    return Settled(best.amount, best.unit)


def _below_ceilings(
    amounts: dict[int, Settled], by_edition: Mapping[int, list[Listing]], evidence: Evidence, ceilings: Collection[str]
) -> dict[int, Settled]:
    """The amounts, without those that are only the most that one billing unit of the code may hold.

    A code that counts up to an amount prints one billing unit for every container that holds no more. Where
    the FDA list or a review does not settle what it holds, the survey's name does, or the price file agrees.
    """
    settled = dict(amounts)
    for n, said in amounts.items():
        listings = [x for x in by_edition[n] if x.unit not in UNCOUNTED]
        most = any(
            x.billing_units == 1 and (x.code in ceilings or x.dosage.upper().startswith("UP TO")) for x in listings
        )
        if not most or said.amount is None or said.confidence == "high" or "reviewed" in said.marks:
            continue
        size = by_edition[n][0].size
        printed = {a for a, unit in evidence.printed(by_edition[n][0].ndc, size) if unit == said.unit}
        if len(printed) == 1 and max(printed) <= said.amount:
            settled[n] = attrs.evolve(said, amount=printed.pop())
        elif not (said.unit == "mL" and said.amount == size) and not evidence.confirms(
            by_edition[n][0].ndc, size, said.amount, said.unit
        ):
            settled[n] = Settled(None, said.unit, ("ceiling",), "low")
    return settled


def _drop_other_strengths(
    number: str, amounts: dict[int, Settled], listed: Mapping[int, Sequence[Listing]], evidence: Evidence
) -> None:
    """A tablet's or capsule's amount that fits no strength printed for it is not used."""
    for n, settled in amounts.items():
        package = Package(number, listed[n][0].size, settled.amount, settled.unit, oral=False, carton=False)
        if "reviewed" not in settled.marks and witnesses.is_other_strength(package, evidence):
            amounts[n] = Settled(None, settled.unit, ("strength-differs",), "low")


def _checked(said: Settled, slack: Fraction, listed: Injectable | None, contradicts: bool) -> Settled:
    """CMS's amount beside the FDA's: agreed, told more exactly, different, or alone."""
    if said.amount is None or said.marks:
        return said
    verdict = agreement(said.amount, said.unit, slack, listed)
    if verdict == "differs":
        return attrs.evolve(said, marks=("fda-differs",), confidence="low")
    if verdict != "none" and listed is not None:
        exact = next(a for a in _readings(listed, verdict, said.unit) if abs(a - said.amount) <= slack)
        return Settled(exact, said.unit, (), "high")
    if contradicts:
        return Settled(None, said.unit, ("cms-contradicts",), "low")
    return attrs.evolve(said, marks=("rounded",) if slack else ())


def _readings(listed: Injectable, verdict: str, unit: str) -> list[Fraction]:
    found = listed.strengths if verdict == "strength" else listed.derived
    return [amount for amount, its in found if its == unit]


def agreement(amount: Fraction, unit: str, slack: Fraction, listed: Injectable | None) -> str:
    """How the FDA list stands to an amount: `strength`, `derived` (from its description), `differs`, `none`.

    A printed strength in the same unit that differs is never overruled by the description.
    """
    if listed is None:
        return "none"
    for verdict in ("strength", "derived"):
        found = _readings(listed, verdict, unit)
        if any(abs(value - amount) <= slack for value in found):
            return verdict
        if found:
            return "differs"
    return "none"


def _share_rounded(
    amounts: dict[str, dict[int, Settled]], listed: Mapping[str, Mapping[int, list[Listing]]], evidence: Evidence
) -> None:
    """A rounded amount takes the exact one of a sibling: the same code, and within the printed rounding."""
    known: dict[str, set[Fraction]] = defaultdict(set)
    for number, by_edition in amounts.items():
        newest = by_edition[max(by_edition)]
        if newest.confidence == "high" and newest.amount is not None and number in evidence.fda:
            for code in codes_of(_latest(listed[number])):
                known[code].add(newest.amount)
    for number, by_edition in amounts.items():
        for n, settled in by_edition.items():
            if settled.marks != ("rounded",) or settled.amount is None:
                continue
            slack = max(x.slack for x in listed[number][n])
            near = {v for c in codes_of(listed[number][n]) for v in known[c] if abs(v - settled.amount) <= slack}
            if len(near) == 1:
                by_edition[n] = attrs.evolve(settled, amount=near.pop(), marks=())


def _sizes(
    latest: Mapping[str, Sequence[Listing]],
    amounts: Mapping[str, Settled],
    proofs: Mapping[str, Proof],
    evidence: Evidence,
) -> dict[str, Fraction]:
    """The package sizes that are a volume once somebody says that the product is a liquid.

    A size of 1 is often a count, so it serves only where it gives the concentration of a proved liquid of
    the code. None serves where the FDA's directory has another volume, or its list CMS's amount in another: 10 g of
    Privigen in 100 mL, not 110.
    """
    known: dict[str, set[Fraction]] = defaultdict(set)
    for number, proof in proofs.items():
        if proof[0] == "ML":
            for code in codes_of(latest[number]):
                known[code] |= strength(amounts[number], proof[1])
    sizes = {}
    for number, listings in latest.items():
        size = listings[0].size
        like = set().union(*(known[code] for code in codes_of(listings)))
        proved = number in proofs and proofs[number][1] == size
        described = evidence.marketed(number).volume not in (None, size)
        if not proved and (described or _in_another_volume(amounts[number], size, evidence.fda.get(number))):
            continue
        if size > 0 and (size != 1 or strength(amounts[number], size) & like):
            sizes[number] = size
    return sizes


def _in_another_volume(settled: Settled, size: Fraction, listed: Injectable | None) -> bool:
    """Whether the FDA's list has the amount of a container in another volume than CMS's size, by its concentration."""
    if listed is None or listed.volume in (None, size) or not listed.per_ml:
        return False
    return (settled.amount, settled.unit) in listed.derived


def _rows(
    number: str,
    by_edition: Mapping[int, list[Listing]],
    amounts: Mapping[int, Settled],
    proof: Proof | None,
    size: Fraction | None,
    container: Mapping[str, str],
    editions: Sequence[CrosswalkEdition],
    lives: Life,
    verified: dt.date,
) -> list[Row]:
    """The dated rows of one NDC: a new one wherever its codes or what a container holds change."""
    newest = _latest(by_edition)[0]
    facts = {
        "label": label_of(newest.name),
        "maker": re.sub(r"\s+", " ", newest.maker),
        "verified": verified.isoformat(),
        **container,
    }
    made: list[Row] = []
    for first, last, n, codes in _segments(by_edition, editions, lives):
        shown = min((x for x in by_edition[n] if x.code in codes), key=lambda x: x.code)
        settled = amounts[n]
        same = shown.size == newest.size or amounts[n].amount == amounts[max(amounts)].amount
        row = facts | {
            "ndc": number,
            "codes": "|".join(codes),
            "amount": decimal_text(settled.amount) if settled.amount else "",
            "unit": settled.unit,
            "containers": decimal_text(shown.containers),
            "qualifier": proof[0] if proof and same else "",
            "quantity": decimal_text(proof[1]) if proof and same else "",
            "proof": proof[2] if proof and same else "",
            "size": decimal_text(size) if size and same else "",
            "marks": "|".join(settled.marks),
            "effective": first.isoformat(),
            "ends": last.isoformat() if last else "",
            "source": editions[n].source,
            "cite": f"{shown.code} {decimal_text(shown.billing_units)} x {shown.dosage}",
            "confidence": settled.confidence,
        }
        if made and _mergeable(made[-1], row):
            made[-1] |= {"ends": row["ends"], "source": row["source"], "cite": row["cite"]}
        else:
            made.append(row)
    return [{column: row[column] for column in COLUMNS} for row in made]


def _mergeable(before: Mapping[str, str], row: Mapping[str, str]) -> bool:
    dated = ("effective", "ends", "source", "cite")
    joined = bool(before["ends"]) and dt.date.fromisoformat(before["ends"]) + _DAY == dt.date.fromisoformat(
        row["effective"]
    )
    return joined and all(before[c] == row[c] for c in COLUMNS if c not in dated)


def _segments(
    by_edition: Mapping[int, list[Listing]], editions: Sequence[CrosswalkEdition], lives: Life
) -> list[tuple[dt.date, dt.date | None, int, tuple[str, ...]]]:
    """Stretches of days with the same codes: first day, last day (None: open), edition, codes."""
    spans: list[tuple[dt.date, dt.date | None, int, str]] = []
    for n, listings in by_edition.items():
        for code in codes_of(listings):
            spans.append((*_span(n, code, by_edition, editions, lives), n, code))
    starts = {first for first, *_ in spans} | {last + _DAY for _, last, *_ in spans if last}
    days = sorted(starts)
    found = []
    for first, following in zip(days, [*days[1:], None], strict=True):
        here = [(n, code) for a, z, n, code in spans if a <= first and (z is None or first <= z)]
        if here:
            edition = max(n for n, _ in here)
            codes = tuple(sorted({code for n, code in here if n == edition}))
            found.append((first, following - _DAY if following else None, edition, codes))
    return found


def _span(
    n: int, code: str, by_edition: Mapping[int, list[Listing]], editions: Sequence[CrosswalkEdition], lives: Life
) -> tuple[dt.date, dt.date | None]:
    """The days of a code in one edition: until the next edition starts, so across a missing quarter.

    Inside a missing quarter the code's own first and last day tell when an NDC changed codes.
    """
    first = editions[n].first
    following = editions[n + 1] if n + 1 < len(editions) else None
    last = following.first - _DAY if following else None
    gap_before = editions[n - 1].last + _DAY if n and editions[n - 1].last + _DAY < first else None
    life = [period for period in lives.get(code, ()) if period[1] is None or period[1] >= first]
    began = min((start for start, _ in life), default=None)
    if gap_before and began and gap_before <= began < first and code not in codes_of(by_edition.get(n - 1, ())):
        first = began
    ended = max((end or dt.date.max for _, end in life), default=dt.date.max)
    goes_on = n + 1 < len(editions) and code in codes_of(by_edition.get(n + 1, ()))
    if not goes_on and ended < (last or dt.date.max):
        last = ended
    return first, last
