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
from .containers import by_review, container_facts, label_of, reviewed_container, shape_of
from .crosswalk import CrosswalkEdition, Listing
from .evidence import Evidence
from .fda import Injectable
from .witnesses import Package, Proof

COLUMNS = tuple(header(Product))

_NOT_POWDER = frozenset({"syringe", "auto-injector", "pen", "cartridge", "ampule", "bag", "bottle", "container"})
_UNCOUNTED = frozenset({"billing unit", "each"})
_DAY = dt.timedelta(days=1)


@attrs.frozen
class Made:
    """The rows, sorted, and the lint: lines that a reviewer should read."""

    rows: tuple[dict[str, str], ...]
    lint: tuple[str, ...]


@attrs.frozen
class _Amount:
    amount: Fraction | None
    unit: str
    marks: tuple[str, ...] = ()
    confidence: str = "medium"


Life = Mapping[str, Sequence[tuple[dt.date, dt.date | None]]]


def make(
    editions: Iterable[CrosswalkEdition],
    fda: Mapping[str, Injectable],
    reviews: Mapping[str, ProductReview],
    containers: Mapping[str, Container],
    lives: Life,
    verified: dt.date,
    evidence: Evidence = Evidence(),  # noqa: B008 - an immutable value
    ceilings: Collection[str] = (),
    oral: Collection[str] = (),
) -> Made:
    """The rows of `products.csv` from the crosswalk, the FDA list, the reviews and the codes' own dates.

    `lives` are the periods of each HCPCS code, which tell when a code changed inside a missing quarter.
    `evidence` are the witnesses of other files; `ceilings` the codes that count up to an amount or a band,
    `oral` those of drugs by mouth.
    """
    ordered = sorted(editions, key=lambda edition: edition.first)
    listed: dict[str, dict[int, list[Listing]]] = defaultdict(lambda: defaultdict(list))
    for n, edition in enumerate(ordered):
        for listing in edition.listings:
            listed[listing.ndc][n].append(listing)
    lint = [f"{edition.source}: {line}" for edition in ordered for line in edition.unreadable]
    amounts = {
        number: _below_ceilings(
            _settle(by_edition, fda.get(number), reviews.get(compact(number))), by_edition, evidence, ceilings
        )
        for number, by_edition in listed.items()
    }
    _share_rounded(amounts, listed, fda)
    for number, by_edition in amounts.items():
        _drop_other_strengths(number, by_edition, listed[number], evidence)
    latest = {number: _latest(by_edition) for number, by_edition in listed.items()}
    newest = {number: by_edition[max(by_edition)] for number, by_edition in amounts.items()}
    reviewed = {number: c for number in listed if (c := reviewed_container(number, containers)) is not None}
    by_reviews = {number: by_review(c, latest[number][0].containers) for number, c in reviewed.items()}
    proofs = prove(latest, newest, fda, evidence, by_reviews, oral)
    for number, review in by_reviews.items():
        # A review decides where nothing is proved or the proof is wrong; else the proof is the better reason.
        if review is not None and proofs.get(number, ("",))[:2] != review[:2]:
            proofs[number] = review
        elif QUALIFIER_OF.get(reviewed[number].form) not in (None, proofs.get(number, ("",))[0]):
            proofs.pop(number, None)
        elif not reviewed[number].form and not reviewed[number].kind:
            proofs.pop(number, None)  # looked at, and not settled
    sizes = _sizes(latest, newest, proofs)
    told = witnesses.kinds(listed, evidence)
    rows = []
    for number in sorted(listed):
        rows += _rows(
            number,
            listed[number],
            amounts[number],
            proofs.get(number),
            sizes.get(number),
            container_facts(
                number,
                latest,
                reviewed.get(number),
                fda.get(number),
                proofs.get(number),
                told.get(number),
                evidence.marketed(number),
            ),
            ordered,
            lives,
            verified,
        )
        for mark in dict.fromkeys(m for a in amounts[number].values() for m in a.marks):
            if mark not in ("reviewed", "refused"):
                lint.append(f"{number} {'|'.join(_codes(_latest(listed[number])))}: {MARKS[mark]}")
        lint += witnesses.differing(_package_of(number, latest, newest), proofs.get(number), evidence)
    return Made(tuple(rows), tuple(lint))


def _package_of(number: str, latest: Mapping[str, Sequence[Listing]], newest: Mapping[str, _Amount]) -> Package:
    """The package as CMS lists it, for what other files say beside it."""
    settled, listing = newest[number], latest[number][0]
    package = Package(number, listing.size, settled.amount, settled.unit, oral=False, carton=False)
    return attrs.evolve(package, containers=listing.containers)


def _latest(by_edition: Mapping[int, list[Listing]]) -> list[Listing]:
    return by_edition[max(by_edition)]


def _codes(listings: Iterable[Listing]) -> tuple[str, ...]:
    return tuple(sorted({listing.code for listing in listings}))


# --- the amount in one container ----------------------------------------------------------------------


def _settle(
    by_edition: Mapping[int, list[Listing]], listed_by_fda: Injectable | None, review: ProductReview | None
) -> dict[int, _Amount]:
    """The amount of each edition: reviewed, else what CMS says as long as it says one thing."""
    if review is not None and review.verdict != "keep":
        if review.amount is None:
            return dict.fromkeys(by_edition, _Amount(None, "billing unit", ("refused",), "low"))
        return dict.fromkeys(by_edition, _Amount(review.amount, review.unit, ("reviewed",), review.confidence))
    said = {n: _said(listings) for n, listings in by_edition.items()}
    if review is not None:
        return {n: attrs.evolve(a, marks=("reviewed",), confidence=review.confidence) for n, a in said.items()}
    slack = max(listing.slack for listings in by_edition.values() for listing in listings)
    if _disagree(said, by_edition, slack):
        return {n: _Amount(None, a.unit, ("editions-disagree",), "low") for n, a in said.items()}
    problems = any(listing.problem for listings in by_edition.values() for listing in listings)
    return {n: _checked(a, slack, listed_by_fda, problems) for n, a in said.items()}


def _disagree(said: Mapping[int, _Amount], by_edition: Mapping[int, list[Listing]], slack: Fraction) -> bool:
    """Whether the quarters give different amounts in one unit, and not just another idea of the container."""
    for unit in {a.unit for a in said.values()}:
        here = {n: a.amount for n, a in said.items() if a.unit == unit and a.amount is not None}
        packages = {amount * by_edition[n][0].containers for n, amount in here.items()}
        if here and max(here.values()) - min(here.values()) > slack and len(packages) > 1:
            return True
    return False


def _said(listings: Sequence[Listing]) -> _Amount:
    """What one edition says, over the codes of the NDC; the most exactly printed figure first."""
    physical = sorted((x for x in listings if x.unit not in _UNCOUNTED), key=lambda x: (x.slack, x.code))
    if not physical:
        return _Amount(listings[0].amount, listings[0].unit)
    best = physical[0]
    if best.unit == "unit" and best.amount == 1:
        return _Amount(None, best.unit, ("placeholder",))
    if any(x.unit != best.unit or abs(x.amount - best.amount) > x.slack + best.slack for x in physical):
        return _Amount(None, best.unit, ("codes-disagree",), "low")
    return _Amount(best.amount, best.unit)


def _below_ceilings(
    amounts: dict[int, _Amount], by_edition: Mapping[int, list[Listing]], evidence: Evidence, ceilings: Collection[str]
) -> dict[int, _Amount]:
    """The amounts, without those that are only the most that one billing unit of the code may hold.

    A code that counts up to an amount prints one billing unit for every container that holds no more. Where
    the FDA list or a review does not settle what it holds, the survey's name does, or the price file agrees.
    """
    settled = dict(amounts)
    for n, said in amounts.items():
        listings = [x for x in by_edition[n] if x.unit not in _UNCOUNTED]
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
            settled[n] = _Amount(None, said.unit, ("ceiling",), "low")
    return settled


def _drop_other_strengths(
    number: str, amounts: dict[int, _Amount], listed: Mapping[int, Sequence[Listing]], evidence: Evidence
) -> None:
    """A tablet's or capsule's amount that fits no strength printed for it is not used."""
    for n, settled in amounts.items():
        package = Package(number, listed[n][0].size, settled.amount, settled.unit, oral=False, carton=False)
        if "reviewed" not in settled.marks and witnesses.is_other_strength(package, evidence):
            amounts[n] = _Amount(None, settled.unit, ("strength-differs",), "low")


def _checked(said: _Amount, slack: Fraction, listed: Injectable | None, contradicts: bool) -> _Amount:
    """CMS's amount beside the FDA's: agreed, told more exactly, different, or alone."""
    if said.amount is None or said.marks:
        return said
    verdict = agreement(said.amount, said.unit, slack, listed)
    if verdict == "differs":
        return attrs.evolve(said, marks=("fda-differs",), confidence="low")
    if verdict != "none" and listed is not None:
        exact = next(a for a in _readings(listed, verdict, said.unit) if abs(a - said.amount) <= slack)
        return _Amount(exact, said.unit, (), "high")
    if contradicts:
        return _Amount(None, said.unit, ("cms-contradicts",), "low")
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
    amounts: dict[str, dict[int, _Amount]],
    listed: Mapping[str, Mapping[int, list[Listing]]],
    fda: Mapping[str, Injectable],
) -> None:
    """A rounded amount takes the exact one of a sibling: the same code, and within the printed rounding."""
    known: dict[str, set[Fraction]] = defaultdict(set)
    for number, by_edition in amounts.items():
        newest = by_edition[max(by_edition)]
        if newest.confidence == "high" and newest.amount is not None and number in fda:
            for code in _codes(_latest(listed[number])):
                known[code].add(newest.amount)
    for number, by_edition in amounts.items():
        for n, settled in by_edition.items():
            if settled.marks != ("rounded",) or settled.amount is None:
                continue
            slack = max(x.slack for x in listed[number][n])
            near = {v for c in _codes(listed[number][n]) for v in known[c] if abs(v - settled.amount) <= slack}
            if len(near) == 1:
                by_edition[n] = attrs.evolve(settled, amount=near.pop(), marks=())


# --- the qualifier, proved ----------------------------------------------------------------------------


def prove(
    latest: Mapping[str, Sequence[Listing]],
    amounts: Mapping[str, _Amount],
    fda: Mapping[str, Injectable],
    evidence: Evidence,
    reviewed: Mapping[str, Proof | None],
    oral: Collection[str] = (),
) -> dict[str, Proof]:
    """For each NDC that can be proved: qualifier, quantity of one container, proof.

    A proof falls where CMS's price survey prints another unit for the NDC. `reviewed` are the proofs that a
    reviewed container gives: a liquid among them tells a concentration of its code.
    """
    by_code: dict[str, list[str]] = defaultdict(list)
    for number, listings in latest.items():
        for code in _codes(listings):
            by_code[code].append(number)
    size = {number: listings[0].size for number, listings in latest.items()}
    proofs: dict[str, Proof] = {}
    strengths: dict[str, set[Fraction]] = defaultdict(set)
    for number in latest:
        liquid = reviewed.get(number)
        if _volume_proved(size[number], fda.get(number)):
            liquid = proofs[number] = ("ML", size[number], "fda-volume")
        if liquid is not None and liquid[0] == "ML":
            for code in _codes(latest[number]):
                strengths[code] |= _strength(amounts[number], liquid[1])
    for number, listings in latest.items():
        known = set().union(*(strengths[code] for code in _codes(listings)))
        one = size[number] == 1 and not (number in fda and fda[number].volume == 1)
        if number not in proofs and not one and _strength(amounts[number], size[number]) & known:
            proofs[number] = ("ML", size[number], "same-concentration")
    counted = _Counted(latest, amounts, fda, evidence, strengths)
    for code, numbers in by_code.items():
        proofs = counted.prove(code, numbers) | proofs
    proofs |= {n: proof for n in latest if (proof := counted.whole_package(n)) is not None}
    # What the printed unit contradicts is no proof; the files that print it may prove another.
    proofs = {n: proof for n, proof in proofs.items() if evidence.unit(n) in ("", proof[0])}
    packages = {n: counted.package(n, oral) for n in latest if n not in proofs}
    proofs |= {n: proof for n, package in packages.items() if (proof := witnesses.proof(package, evidence)) is not None}
    proofs |= _by_siblings(packages, proofs, amounts)
    return {n: proof for n, proof in proofs.items() if evidence.unit(n) in ("", proof[0])}


def _by_siblings(
    packages: Mapping[str, Package], proofs: Mapping[str, Proof], amounts: Mapping[str, _Amount]
) -> dict[str, Proof]:
    """What the proved packages of a labeler's product prove of its others."""
    decided: dict[str, list[tuple[str, Fraction, Fraction | None, str]]] = defaultdict(list)
    for number, (qualifier, quantity, _) in proofs.items():
        decided[number[:10]].append((qualifier, quantity, amounts[number].amount, amounts[number].unit))
    found = {n: witnesses.by_siblings(p, decided[n[:10]]) for n, p in packages.items() if n not in proofs}
    return {number: proof for number, proof in found.items() if proof is not None}


def _sizes(
    latest: Mapping[str, Sequence[Listing]], amounts: Mapping[str, _Amount], proofs: Mapping[str, Proof]
) -> dict[str, Fraction]:
    """The package sizes that are a volume once somebody says that the product is a liquid.

    A size of 1 is often a count, so it serves only where it gives the concentration of a proved liquid of
    the code.
    """
    known: dict[str, set[Fraction]] = defaultdict(set)
    for number, proof in proofs.items():
        if proof[0] == "ML":
            for code in _codes(latest[number]):
                known[code] |= _strength(amounts[number], proof[1])
    sizes = {}
    for number, listings in latest.items():
        size = listings[0].size
        like = set().union(*(known[code] for code in _codes(listings)))
        if size > 0 and (size != 1 or _strength(amounts[number], size) & like):
            sizes[number] = size
    return sizes


def _volume_proved(size: Fraction, listed: Injectable | None) -> bool:
    """FDA volume equals package size; a size of 1 may be a count, so there the volume must lead."""
    if listed is None or listed.volume != size or listed.shape in ("kit", "implant"):
        return False
    return size != 1 or listed.leads


def _strength(settled: _Amount, size: Fraction) -> set[Fraction]:
    return {settled.amount / size} if settled.amount and size and settled.unit not in _UNCOUNTED else set()


class _Counted:
    """Which products are counted by the container, and which by the package."""

    def __init__(
        self,
        latest: Mapping[str, Sequence[Listing]],
        amounts: Mapping[str, _Amount],
        fda: Mapping[str, Injectable],
        evidence: Evidence,
        strengths: Mapping[str, set[Fraction]],
    ) -> None:
        self.latest, self.amounts, self.fda, self.evidence = latest, amounts, fda, evidence
        self.strengths = strengths
        # Ingredients that the FDA list also knows as a liquid: there a mass alone proves nothing.
        self.dissolved = {x.ingredient for x in fda.values() if x.leads and x.shape in ("vial", "ampule", "syringe")}
        known: dict[str, set[Fraction]] = defaultdict(set)
        # The makers and package counts of each amount of a code, where CMS counts containers.
        self.packs: dict[tuple[str, Fraction | None], set[tuple[str, Fraction]]] = defaultdict(set)
        self.liquids, self.kits = set(), set()
        for number, listings in latest.items():
            kit = evidence.is_kit(number) or shape_of(listings[0], fda.get(number)) == "kit"
            for x in listings:
                known[x.code].add(x.billing_units)
                if x.size == 1:
                    self.packs[x.code, amounts[number].amount].add((number[:5], x.containers))
                if kit:
                    self.kits.add(x.code)
                listed = fda.get(number)
                if x.size != 1 or evidence.unit(number) == "ML" or (listed and listed.volume in (x.size, 1)):
                    self.liquids.add(x.code)
        self.liquids |= evidence.liquids(known) | {code for code, told in strengths.items() if told}

    def prove(self, code: str, numbers: Sequence[str]) -> dict[str, Proof]:
        """The NDCs of a code that a mass alone, or sizes of one, prove to be counted by the container.

        Both stand on an absence: so only where no file counts an NDC of the code in mL, or where a witness
        says so of this NDC. A package of several must be proved to be a carton and not a set.
        """
        found = {}
        size = {n: self.latest[n][0].size for n in numbers}
        different = len({self.amounts[n].amount for n in numbers} - {None}) > 1
        of_list = [self.fda[n] for n in numbers if n in self.fda]
        every_one = different and all(one == 1 for one in size.values())
        every_one &= not any(x.ingredient in self.dissolved or x.volume == 1 for x in of_list)
        for number in numbers:
            listed = self.fda.get(number)
            if size[number] != 1 or not self._is_carton(number):
                continue
            if listed and (listed.shape in _NOT_POWDER or listed.ingredient in self.dissolved):
                continue
            if code in self.liquids and not self._witnessed(code, number):
                continue
            if listed and listed.mass_only and self.amounts[number].confidence == "high":
                found[number] = ("UN", Fraction(1), "fda-mass-only")
            elif every_one:
                found[number] = ("UN", Fraction(1), "one-per-container")
        return found

    def _witnessed(self, code: str, number: str) -> bool:
        """A second witness; not where the container may be one mL of a liquid of the code."""
        like = _strength(self.amounts[number], Fraction(1)) & self.strengths.get(code, set())
        return not like and self.evidence.is_container(number, self.latest[number], self.fda.get(number))

    def _is_carton(self, number: str) -> bool:
        """Whether each container of the package is counted by itself.

        One container is. Of several, the state's file counts one; or several makers pack the same amount in
        different numbers; or the price file counts the vials as CMS does, and no name of the code is a kit's.
        """
        listings = self.latest[number]
        containers = listings[0].containers
        if containers <= 1 or self.evidence.counts(number, listings, Fraction(1)):
            return True
        amount = self.amounts[number].amount
        packs = set().union(*(self.packs[x.code, amount] for x in listings)) if amount else set()
        if len({maker for maker, _ in packs}) > 1 and len({count for _, count in packs}) > 1:
            return True
        return not any(x.code in self.kits for x in listings) and self.evidence.is_carton(number, containers)

    def package(self, number: str, oral: Collection[str]) -> Package:
        """What the witnesses of other files are measured by."""
        listings, settled = self.latest[number], self.amounts[number]
        return Package(
            number,
            listings[0].size,
            settled.amount,
            settled.unit,
            all(x.code in oral for x in listings),
            self._is_carton(number),
            frozenset(self.evidence.quantities(number, listings)),
            self.fda.get(number),
            listings[0].containers,
            any(_strength(settled, Fraction(1)) & self.strengths.get(x.code, set()) for x in listings),
        )

    def whole_package(self, number: str) -> Proof | None:
        """A package of several parts that the state's file counts as one: a container is a part of that."""
        listings = self.latest[number]
        containers = listings[0].containers
        if containers <= 1 or listings[0].size != 1:
            return None
        share = 1 / containers
        return ("UN", share, "whole-package") if self.evidence.counts(number, listings, share) else None


# --- rows ---------------------------------------------------------------------------------------------


def _rows(
    number: str,
    by_edition: Mapping[int, list[Listing]],
    amounts: Mapping[int, _Amount],
    proof: Proof | None,
    size: Fraction | None,
    container: Mapping[str, str],
    editions: Sequence[CrosswalkEdition],
    lives: Life,
    verified: dt.date,
) -> list[dict[str, str]]:
    """The dated rows of one NDC: a new one wherever its codes or what a container holds change."""
    newest = _latest(by_edition)[0]
    facts = {
        "label": label_of(newest.name),
        "maker": re.sub(r"\s+", " ", newest.maker),
        "verified": verified.isoformat(),
        **container,
    }
    made: list[dict[str, str]] = []
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
        for code in _codes(listings):
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
    if gap_before and began and gap_before <= began < first and code not in _codes(by_edition.get(n - 1, ())):
        first = began
    ended = max((end or dt.date.max for _, end in life), default=dt.date.max)
    goes_on = n + 1 < len(editions) and code in _codes(by_edition.get(n + 1, ()))
    if not goes_on and ended < (last or dt.date.max):
        last = ended
    return first, last
