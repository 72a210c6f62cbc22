"""The drug catalog by code: dated rows, what came after them, and the names that lead to them."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import permutations
from typing import Any

import attrs

from .. import hcpcs, routes
from ..amount import told
from ..dated import Citation
from ..errors import NoCode, NotInEffect, UnknownDrug, quoted
from ..grouped import grouped
from ..routes import RouteWord
from ..shown import Shown
from ..tables import CLAIMS
from .drug_rows import (
    Brand,
    BrandStrength,
    CombinedDose,
    Drug,
    NameWord,
    OtherName,
    PublicName,
    RxNorm,
    Salt,
    Successor,
    Uncoded,
    VaccineCode,
)
from .store import Store
from .words import normal, squeezed

_SHORTEST_ROUTE = 5  # letters: "in", "op" and their like are other words in a text
_OF_NAMES = frozenset({"patch", "aerosol"})  # spellings of a route that are the form of a drug in a text
_PART_OF = frozenset({"skin-test", "allergen"})  # kinds of which the service holds the drug
_SUFFIX = re.compile(r"[a-z]{4}")  # of a biological's name
_ISOTOPE = re.compile(r"\b([a-z]{1,2}) (\d+m?)\b")


@attrs.frozen(repr=False)
class History(Shown):
    """Every dated row of a code, oldest first, what came after it and what came before."""

    code: str
    rows: tuple[Drug, ...]
    successors: tuple[Successor, ...]
    predecessors: tuple[Successor, ...]

    @property
    def brief(self) -> str:
        """Code, rows and what came after."""
        return f"{self.code}: {len(self.rows)} rows, {len(self.successors)} successors"

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "code": self.code,
            "rows": [row.as_dict() for row in self.rows],
            "successors": [{"code": row.successor, **told(row, *_LINK)} for row in self.successors],
            "predecessors": [{"code": row.code, **told(row, *_LINK)} for row in self.predecessors],
        }


_LINK = ("condition", "evidence", "ndcs_moved", "effective", "confidence", "citation")


def beside(rows: Sequence[Drug], on: dt.date) -> tuple[Drug, str]:
    """Of rows of other days the next to come, else the last that was in effect, and in words when that is."""
    later = [row for row in rows if row.effective > on]
    row = min(later, key=lambda row: row.effective) if later else max(rows, key=lambda row: row.ends or on)
    return row, f"takes effect on {row.effective}" if later else f"ended on {row.ends}"


@attrs.frozen(eq=False)
class Catalog:
    """The tables that answer "which code": drugs, brands, other names ...; each is read when it is first asked for."""

    store: Store

    @property
    def edition(self) -> str:
        """The newest edition of the code set."""
        return self.store.edition

    @cached_property
    def newest(self) -> Citation:
        """The newest edition of the code set that was read: what is cited where it has no answer."""
        return self.store.cited(self.store.newest("hcpcs-").id)

    @cached_property
    def reach(self) -> tuple[dt.date, dt.date]:
        """First and last day of the editions of the code set that were read."""
        return self.store.reach("hcpcs-")

    @property
    def drugs(self) -> tuple[Drug, ...]:
        """Every dated row of every code."""
        return self.store.rows(Drug)

    @property
    def brands(self) -> tuple[Brand, ...]:
        """What brand names mean."""
        return self.store.rows(Brand)

    @property
    def names(self) -> tuple[OtherName, ...]:
        """Synonyms, abbreviations in use and unsafe ones."""
        return self.store.rows(OtherName)

    @property
    def successors(self) -> tuple[Successor, ...]:
        """What came after the codes that ended."""
        return self.store.rows(Successor)

    @cached_property
    def _codes(self) -> dict[str, tuple[Drug, ...]]:
        return grouped(self.drugs, lambda row: row.code)

    @cached_property
    def _after(self) -> dict[str, tuple[Successor, ...]]:
        return grouped(self.successors, lambda row: row.code)

    @cached_property
    def _before(self) -> dict[str, tuple[Successor, ...]]:
        return grouped(self.successors, lambda row: row.successor)

    def rows(self, code: str) -> tuple[Drug, ...]:
        """Every dated row of a code, oldest first; empty when there is none. A code alone reads no other."""
        return self._codes.get(code, ()) if self.store.has_read(Drug) else self.store.starting(Drug, code)

    def on(self, code: str, on: dt.date) -> Drug:
        """The row of a code on a day. Raises `UnknownDrug` or `NotInEffect` with the successors."""
        rows = self.rows(code)
        if not rows:
            says = (
                f"{code} is not in the catalog: no drug code of that name is known ({self.edition}). "
                f"{self._older(code, on)}Check the code, or look it up by name."
            )
            raise UnknownDrug(says, given=code, near=())
        for row in rows:
            if row.effective <= on and (row.ends is None or on <= row.ends):
                return row
        raise self.not_in_effect(rows, on)

    def combined(self, code: str, on: dt.date) -> tuple[CombinedDose, ...]:
        """The ways in which a combination is given whose code counts one amount, as far as they are listed."""
        return tuple(row for row in self.combined_ever(code) if row.period.holds(on))

    def combined_ever(self, code: str) -> tuple[CombinedDose, ...]:
        """The same on any day."""
        return self._combined.get(code, ())

    @cached_property
    def _combined(self) -> dict[str, tuple[CombinedDose, ...]]:
        return grouped(self.store.rows(CombinedDose), lambda row: row.code)

    def _older(self, code: str, on: dt.date) -> str:
        """A hint where the code may have ended before the editions that were read: they keep no older end."""
        first = min((row.ends for row in self.drugs if row.ends is not None), default=None)
        if first is None or on >= dt.date(first.year, 1, 1) or code[:1].isdigit():
            return ""
        return f"A code that ended before {first.year} stands in no edition that was read. "

    def not_in_effect(self, rows: Sequence[Drug], on: dt.date) -> NotInEffect:
        """The error that a code has for a day outside its rows, with what to bill instead."""
        before = [row for row in rows if row.ends is not None and row.ends < on]
        row = before[-1] if before else rows[0]
        after, ahead = self.successors_of(row.code), self.predecessors_of(row.code)
        if before:
            live = self._followers(row.code, on)
            others = "; ".join(self._named(s.successor, s.condition, on) for s in live)
            way = f"bill {others}" if others else "no successor is known: look the drug up by name"
            says = f"{row.code} ended on {row.ends}; on {on} {way}."
            codes = tuple(s.successor for s in live or after)
        else:
            if self.is_first_read(row):
                return self._unread(row, on)
            codes = tuple(s.code for s in ahead if any(r.period.holds(on) for r in self.rows(s.code)))
            others = "; ".join(self._named(code, "", on) for code in codes)
            way = f"bill {others}" if others else "look the drug up by name for what was in effect"
            says = f"{row.code} takes effect on {row.effective}; on {on} {way}."
        return NotInEffect(says, code=row.code, on=on, period=row.period, successors=codes)

    def is_first_read(self, row: Drug) -> bool:
        """Whether a code's first day is only the first one read: of numeric codes no file of CMS tells when they began.

        Most of them begin in the tables on one day.
        """
        return row.code[:1].isdigit() and row.effective <= self._numeric_since

    @cached_property
    def _numeric_since(self) -> dt.date:
        firsts = Counter(row.effective for row in self.drugs if row.code[:1].isdigit())
        return firsts.most_common(1)[0][0] if firsts else dt.date.min

    @staticmethod
    def _unread(row: Drug, on: dt.date, name: str = "") -> NotInEffect:
        """The error of such a code before the first day read; `name`: how the drug was named."""
        says = (
            f"{name}{row.code} is read from {row.effective} on, because no file of CMS tells when numeric codes began: "
            f"nothing here tells what was billed on {on}. Take the code of that day's code book."
        )
        return NotInEffect(says, code=row.code, on=on, period=row.period, successors=())

    def _followers(self, code: str, on: dt.date) -> list[Successor]:
        """The successors in effect on a day; where one has ended too, what came after it."""
        found, seen, ended = [], {code}, [code]
        while ended:
            for after in self.successors_of(ended.pop(0)):
                if after.successor not in seen:
                    seen.add(after.successor)
                    lives = any(row.period.holds(on) for row in self.rows(after.successor))
                    found += [after] if lives else []
                    ended += [] if lives else [after.successor]
        return found

    def _named(self, code: str, condition: str, on: dt.date) -> str:
        row = next((r for r in self.rows(code) if r.period.holds(on)), None)
        size = f" ({row.billing_unit})" if row and not row.refuses else ""
        return f"{code}{size}{f' for {condition}' if condition else ''}"

    def successors_of(self, code: str) -> tuple[Successor, ...]:
        """What came after a code."""
        return self._after.get(code, ())

    def predecessors_of(self, code: str) -> tuple[Successor, ...]:
        """The rows by which a code came after others."""
        return self._before.get(code, ())

    def history(self, code: str) -> History:
        """Every dated row of a code with its successors and predecessors. Raises `UnknownDrug`."""
        wanted = hcpcs.compact(code)
        rows = self.rows(wanted)
        if not rows:
            self.on(wanted, dt.date.max)
        return History(wanted, rows, self.successors_of(wanted), self.predecessors_of(wanted))

    def of_ingredients(self, names: Iterable[str]) -> dict[str, tuple[Drug, ...]]:
        """The rows of each ingredient, written as its rows write it; of no other is one read."""
        written = {name.casefold().replace('"', '""') for name in names}
        if not written:
            return {}
        found = self.store.mentioning(Drug, lambda line: any(name in line for name in written))
        rows = grouped(found, lambda row: row.ingredient)
        return {name: rows.get(name, ()) for name in names}

    @cached_property
    def ingredients(self) -> dict[str, tuple[Drug, ...]]:
        """Drug rows by normal ingredient name."""
        return grouped(self.drugs, lambda row: normal(row.ingredient))

    @cached_property
    def moieties(self) -> dict[str, tuple[str, ...]]:
        """Normal ingredient names by what they may be called: without their salt, the parts in any order."""
        bare = {row.word for row in self.store.rows(Salt) if row.kind == "bare"}
        made: dict[str, list[str]] = {}
        for ingredient in dict.fromkeys(row.ingredient for row in self.drugs):
            full = normal(ingredient)
            parts = [normal(part).split() for part in ingredient.split(" / ")]
            kept = [[w for i, w in enumerate(p) if i == 0 or w not in self.salt_words] for p in parts]
            short = [" ".join(p) for p in kept if not (len(p) == 1 and p[0] in bare)]
            letters = {p[-1] for p in parts if len(p) > 1 and len(parts) > 1 and _SUFFIX.fullmatch(p[-1])}
            suffixed = ["".join(dict.fromkeys((*p, *letters))) for p in parts] if len(letters) == 1 else []
            for said in (["".join(p) for p in parts], short if len(short) == len(parts) else [], suffixed):
                alone = list(dict.fromkeys(part.replace(" ", "") for part in said))
                for order in permutations(alone) if len(alone) <= 4 else (alone,):
                    made.setdefault("".join(order), []).append(full)
        made.pop("", None)
        self._add_stems(made)
        self._add_vaccines(made)
        self._add_isotopes(made)
        return {name: tuple(dict.fromkeys(full)) for name, full in made.items()}

    def _add_stems(self, made: dict[str, list[str]]) -> None:
        """A biological without its four letters, where one product alone has that name."""
        stems: dict[str, set[str]] = {}
        for full in list(self.ingredients):
            stem, space, letters = full.rpartition(" ")
            kind = self.ingredients[full][0].kind
            if space and kind == "biological" and _SUFFIX.fullmatch(letters) and letters not in self.salt_words:
                stems.setdefault(stem.replace(" ", ""), set()).add(full)
        for stem, fulls in stems.items():
            if len(fulls) == 1 and stem not in made:
                made[stem] = list(fulls)

    def _add_vaccines(self, made: dict[str, list[str]]) -> None:
        """A vaccine without that word ("DTaP-IPV"), where no other drug begins so: rabies may be a globulin."""
        begun = grouped(self.ingredients, lambda full: full.partition(" ")[0])
        for full in self.ingredients:
            stem, _, last = full.rpartition(" ")
            if last != "vaccine" or not stem:
                continue
            alike = begun[full.partition(" ")[0]]
            longer = [other for other in alike if other.startswith(f"{stem} ") and other != full]
            apart = " " in stem and all(self.ingredients[other][0].kind == "vaccine" for other in longer)
            if apart or not longer:
                made.setdefault(stem.replace(" ", ""), [full])

    def _add_isotopes(self, made: dict[str, list[str]]) -> None:
        """A tracer with its isotope written in the other usual ways: Tc-99m, technetium-99m, 99mTc."""
        for key, fulls in list(made.items()):
            for full in fulls:
                found = _ISOTOPE.search(full)
                if found is None or found[1] not in self._elements:
                    continue
                symbol, mass, element = found[1], found[2], self._elements[found[1]]
                bare = key.replace(element, "", 1).replace(symbol + mass, "", 1)
                if bare + symbol + mass == key or key.replace(bare, "", 1) in (element + symbol + mass, symbol + mass):
                    for said in (symbol + mass, element + mass, element + symbol + mass, mass + symbol):
                        for spelt in (said + bare, bare + said):
                            if full not in made.setdefault(spelt, []):
                                made[spelt].append(full)

    @cached_property
    def salt_words(self) -> frozenset[str]:
        """Every word that names a salt."""
        return frozenset(row.word for row in self.store.rows(Salt))

    @cached_property
    def altering_words(self) -> frozenset[str]:
        """Words that make another product of a drug: of its salt, and of its slow release."""
        slow: set[str] = set()
        plain: set[str] = set()
        for row in self.around.values():
            (slow if row.kind == "release" else plain).update(normal(row.word).split())
        return self.salt_words | slow - plain

    def without_salts(self, ingredient: str) -> str:
        """An ingredient as names are compared, without the words of its salt."""
        words = normal(ingredient).split()
        return " ".join(word for i, word in enumerate(words) if i == 0 or word not in self.salt_words)

    @cached_property
    def cut_short(self) -> dict[str, NameWord]:
        """Words cut short, by their normal spelling, that stand for others in a drug's name."""
        return {normal(row.word): row for row in self.store.rows(NameWord) if row.kind == "spelling"}

    @cached_property
    def around(self) -> dict[str, NameWord | RouteWord]:
        """Words of routes, forms and packages by their normal spelling: a route's short ones only by review."""
        kinds = ("route", "solid", "form", "package", "maker", "property", "release")
        ways = (row for row in routes.words() if len(row.word) >= _SHORTEST_ROUTE and row.word not in _OF_NAMES)
        rows: tuple[NameWord | RouteWord, ...] = (*ways, *self.store.rows(NameWord))
        return {normal(row.word): row for row in rows if row.kind in kinds}

    @cached_property
    def shared_words(self) -> frozenset[str]:
        """Words that alone tell no row: of ingredients, of what stands around names, of many descriptors."""
        held = {word for name in self.ingredients for word in name.split()} | self.salt_words | self.around.keys()
        uses = {word for row in self.drugs for word in row.use_words}
        return frozenset(held - uses) | {normal(row.word) for row in self.store.rows(NameWord) if row.kind == "shared"}

    @cached_property
    def fluids(self) -> dict[str, NameWord]:
        """What drugs are mixed with, by its normal spelling."""
        return {normal(row.word): row for row in self.store.rows(NameWord) if row.kind == "fluid"}

    @cached_property
    def properties(self) -> frozenset[str]:
        """Words of a form that products of the plain code have too."""
        rows = (row for row in self.store.rows(NameWord) if row.kind == "property")
        return frozenset(word for row in rows for word in normal(row.word).split())

    @cached_property
    def rxnorm(self) -> dict[str, str]:
        """What the concepts of RxNorm stand for."""
        return {row.rxcui: row.name for row in self.store.rows(RxNorm)}

    @cached_property
    def vaccines(self) -> dict[str, tuple[VaccineCode, ...]]:
        """The rows of each code of CVX."""
        return grouped(self.store.rows(VaccineCode), lambda row: row.cvx)

    @cached_property
    def brand_strengths(self) -> dict[str, str]:
        """What one mL of a brand holds whose number says so, by squeezed brand."""
        return {squeezed(row.brand): row.concentration for row in self.store.rows(BrandStrength)}

    def knows(self, key: str) -> bool:
        """Whether a squeezed text is a name: a brand, another name, an ingredient with or without its salt."""
        return key in self.named or key in self.moieties or key in self.uncoded

    def of_class(self, name: str) -> frozenset[str]:
        """The codes of a class, such as drugs that no label gives into a vein."""
        from .policy_rows import DrugClass  # asked for only where a route may tell what a name leaves open

        return frozenset(row.code for row in self.store.rows(DrugClass) if row.name == name)

    @cached_property
    def uncoded(self) -> dict[str, Uncoded]:
        """Drugs without a code of their own, by squeezed name, as it is and without its salt."""
        made = {squeezed(row.name): row for row in self.store.rows(Uncoded)}
        for row in self.store.rows(Uncoded):
            words = self.without_salts(row.name).split()
            bare = "".join(words)
            if words[0].isalpha() and bare not in self.salt_words:
                made.setdefault(bare, row)
        return {key: row for key, row in made.items() if key not in self.moieties}

    @cached_property
    def public(self) -> dict[str, PublicName]:
        """Names of public lists, by squeezed name; asked for only where nothing else knows a text."""
        return {squeezed(row.name): row for row in self.store.rows(PublicName)}

    def kind_without_code(self, key: str) -> str:
        """The kind of a drug that has no code of its own, by squeezed name; empty for one that is not listed so."""
        if key in self.uncoded:
            return self.uncoded[key].kind
        return self.public[key].kind if not self.knows(key) and key in self.public else ""

    @cached_property
    def beginnings(self) -> dict[str, tuple[str, ...]]:
        """Names of which a text is the first words, by that text: brands, other names, ingredients."""
        written = (*(b.brand for b in self.brands), *(n.name for n in self.names if n.kind != "unsafe"))
        made: dict[str, dict[str, str]] = {}
        for name in (*written, *dict.fromkeys(row.ingredient for row in self.drugs)):
            words = normal(name).split()
            for size in range(1, len(words)):
                if all(word in self.salt_words for word in words[:size]):
                    continue  # a salt begins too many names to mean one of them
                made.setdefault("".join(words[:size]), {}).setdefault("".join(words), name)
        for name in dict.fromkeys(row.ingredient for row in self.drugs):
            found = _ISOTOPE.search(normal(name))
            if found is not None and found[1] in self._elements:
                symbol, mass = found[1], found[2]
                for start in (symbol + mass, mass + symbol, self._elements[symbol] + mass):
                    made.setdefault(start, {}).setdefault(squeezed(name), name)
        return {start: tuple(names.values()) for start, names in made.items()}

    @cached_property
    def _elements(self) -> dict[str, str]:
        """The names of chemical elements by symbol."""
        return {row.means: normal(row.word) for row in self.store.rows(NameWord) if row.kind == "isotope"}

    def no_code(self, name: str, on: dt.date, kind: str) -> NoCode:
        """The error of a drug that has no code of its own: what it is billed with instead, by its kind."""
        codes, bill = self._instead({kind}, on)
        says = f"{quoted(name)} has no HCPCS code of its own on {on}: {bill}."
        return NoCode(says, given=name, candidates=codes, on=on)

    def no_code_then(self, name: str, rows: Sequence[Drug], on: dt.date) -> NotInEffect:
        """The error of a drug whose codes are all for other days, and that has none on this one."""
        row, when = beside(rows, on)
        if row.effective > on and self.is_first_read(row):
            return self._unread(row, on, f"{quoted(name)}: ")
        oral = next((way for way in row.routes if way in ("oral", "inhaled")), None)
        codes, bill = self.instead_for(row, on, oral)
        return NotInEffect(
            f"{quoted(name)} has no HCPCS code of its own on {on}; {row.code} {when}: {bill}.",
            code=row.code,
            on=on,
            period=row.period,
            successors=(),
            candidates=codes,
        )

    def instead_for(self, row: Drug, on: dt.date, route: str | None) -> tuple[tuple[str, ...], str]:
        """What a drug is billed with, given in a way or on a day that its own code is not for: codes, and in words."""
        from .policy_rows import DrugClass

        classes = {one.name for one in self.store.rows(DrugClass) if one.code == row.code}
        return self._instead({row.kind, *classes}, on, route or "")

    def _instead(self, kinds: set[str], on: dt.date, route: str = "") -> tuple[tuple[str, ...], str]:
        """What a drug without a code is billed with: the codes, and how in words."""
        from .policy_rows import Unclassified, unclassified  # a fifth of the start of a command, and few ask

        rows = self.store.rows(Unclassified)
        professional, outpatient = (unclassified(rows, kinds, route, on, claim) for claim in CLAIMS)
        if professional is None or outpatient is None:
            return (), "no code of that time for drugs without one is in the tables"
        general = professional.codes
        if not _PART_OF.isdisjoint(kinds):
            return general, f"it is part of {' or '.join(general)}, and no line of its own"
        hospital = tuple(code for code in outpatient.codes if code not in general)
        also = f" (a new drug on a hospital outpatient claim: {' or '.join(hospital)})" if hospital else ""
        how = "with the name, the dose and the NDC; the payer says how units are counted"
        return (*general, *hospital), f"bill {' or '.join(general)}{also} {how}"

    def meant_by(self, key: str) -> tuple[Drug, ...]:
        """Every row that a squeezed name may mean, on any date and by any route."""
        every = (row for full in self.moieties.get(key, ()) for row in self.ingredients[full])
        return self.said_by(self.named.get(key, ())) or tuple(dict.fromkeys(every))

    def said_by(self, said: Iterable[Brand | OtherName]) -> tuple[Drug, ...]:
        """Every row that rows of names say, by their code or by their ingredient."""
        rows: list[Drug] = []
        for one in said:
            rows.extend(self.rows(one.code) if one.code else self.ingredients.get(normal(one.ingredient), ()))
        return tuple(dict.fromkeys(rows))

    @cached_property
    def brands_of(self) -> dict[str, tuple[Brand, ...]]:
        """The brands that mean one code alone, by code."""
        return grouped((brand for brand in self.brands if brand.code), lambda brand: brand.code)

    @cached_property
    def named(self) -> dict[str, tuple[Brand | OtherName, ...]]:
        """Brand and other-name rows by squeezed name."""
        return grouped(
            (*self.brands, *self.names), lambda row: squeezed(row.brand if isinstance(row, Brand) else row.name)
        )
