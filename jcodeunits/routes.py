"""Routes of administration: one name for each, and every spelling and code that is read as it."""

from __future__ import annotations

from .errors import LONGEST, UnknownRoute, quoted

# Route -> how it is written besides: usual words, HL7 table 0162, SNOMED CT.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "IM": ("intramuscular", "i.m.", "intramuscular route", "78421000"),
    "SC": ("sq", "subq", "sub-q", "subcut", "subcutaneous", "s.c.", "subcutaneous route", "34206005"),
    "ID": ("intradermal", "intracutaneous", "i.d.", "intradermal route", "372464004"),
    "IV": ("intravenous", "i.v.", "intravenous route", "47625008"),
    "IV push": ("ivp", "iv bolus", "intravenous push", "intravenous bolus", "418114005"),
    "IV infusion": ("ivpb", "iv piggyback", "iv drip", "intravenous infusion", "424494006"),
    "intra-arterial": ("ia", "intraarterial", "intra-arterial route", "58100008"),
    "intra-articular": ("intraarticular", "joint", "intra-articular route", "12130007"),
    "intravitreal": ("ivit", "intravitreal route", "418401004"),
    "on-body": ("on-body injector", "on body", "onbody", "obi"),
    "inhaled": ("ih", "inh", "inhalation", "nebulized", "nebulised", "respiratory tract route", "447694001"),
    "oral": ("po", "p.o.", "by mouth", "oral route", "26643006"),
    "intranasal": ("ns", "nasal", "in", "nasal route", "46713006"),
    "intrathecal": ("it", "intrathecal route", "72607000"),
    "epidural": ("ep", "epidural route", "404820008"),
    "perineural": ("nerve block", "perineural route", "420287000"),
    "intralesional": ("intralesional route", "419243002"),
    "soft tissue": ("tendon sheath", "trigger point", "bursa", "intrabursal", "419778001"),
    "intravesical": ("bladder", "intravesical route", "372471009"),
    "intraperitoneal": ("ip", "intraperitoneal route", "38239002"),
    "intrapleural": ("intrapleural route", "372465003"),
    "intraocular": ("intracameral", "subconjunctival", "subretinal", "suprachoroidal", "418821007"),
    "implant": ("implantation", "subcutaneous implant", "im implant"),
    "topical": ("tp", "cutaneous", "topical route", "6064005"),
    "transdermal": ("td", "transdermal route", "45890007"),
    "ophthalmic": ("op", "ophthalmic route", "54485002"),
    "otic": ("ot", "intratympanic", "otic route", "10547007"),
    "rectal": ("pr", "rectal route", "37161004"),
    "vaginal": ("vg", "vaginal route", "16857009"),
    "sublingual": ("sl", "sublingual route", "37839007"),
    "buccal": ("bu", "buccal route", "54471007"),
    "intrauterine": ("iu", "intrauterine route", "58831000052108"),
    "intracavernous": ("intracavernosal", "ic", "intracavernous route", "372461007"),
    "intraosseous": ("io", "intraosseous route", "417255000"),
    "dialysis": ("dialysate", "via dialysate", "hemodialysis port"),
}
NAMES = tuple(_SPELLINGS)
_NAME_OF = {word.casefold(): route for route, words in _SPELLINGS.items() for word in (route, *words)}


def find(spelling: str) -> str | None:
    """The name of the route that a usual word, an HL7 or a SNOMED CT code means; None when none does.

    >>> find("intramuscular"), find(" subQ "), find("78421000"), find("by pigeon")
    ('IM', 'SC', 'IM', None)
    """
    return _NAME_OF.get(" ".join(spelling.split()).casefold()) if len(spelling) <= LONGEST else None


def canonical(spelling: object) -> str:
    """The name of the route; `UnknownRoute` with the known ones for anything else.

    >>> canonical("i.m.")
    'IM'
    """
    name = find(spelling) if isinstance(spelling, str) else None
    if name is None:
        raise UnknownRoute(
            f"{quoted(spelling)} is no known route. Known: {', '.join(NAMES)}.", given=spelling, allowed=NAMES
        )
    return name
