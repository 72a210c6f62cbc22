"""The exception tree: each error says what was given, why it cannot be used, and what to do.

Every error takes its message first and its facts as keywords; the facts stay readable as attributes
and the error survives pickling, so that a worker process can hand it back.

>>> error = UnreadableDose("'1 Mg' holds no unit. Write mg.", given="1 Mg", argument="dose", instead="1 mg")
>>> error.argument, error.instead
('dose', '1 mg')
>>> isinstance(error, ValueError) and isinstance(error, JcodeunitsError)
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

LONGEST = 200  # characters: no drug, dose, unit, route, place or code is written longer, and none is read
_QUOTED = 60
_LONGEST_LINE = 2_000  # characters of a message's line; its end, which is kept, says what to do


def escaped(text: str) -> str:
    r"""A text with everything that is no printed character written out: the one place where that is done.

    >>> print(escaped("J1885\x1b[31m\n"), escaped("30 mg"))
    J1885\x1b[31m\n 30 mg
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def quoted(value: object) -> str:
    """What was given as an error quotes it: at most 60 characters, escaped, however long it is.

    >>> quoted("Mg"), len(quoted("x" * 8000)), quoted(10**5000)
    ("'Mg'", 61, 'a value of type int')
    """
    try:
        shown = repr(value[:_QUOTED] if isinstance(value, str | bytes) else value)
    except Exception:  # noqa: BLE001 - numbers of more digits than Python prints, objects that cannot be shown
        shown = f"a value of type {type(value).__name__}"
    shown = escaped(shown)
    cut = len(shown) > _QUOTED or (isinstance(value, str | bytes) and len(value) > _QUOTED)
    return shown[:_QUOTED] + "…" if cut else shown


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:1_400]} … {line[-500:]}"


def shortened(text: str, most: int = 200) -> str:
    """One line of at most so many characters, as `repr` shows an object.

    >>> shortened("<Line J1885 x 2>"), len(shortened("x" * 500))
    ('<Line J1885 x 2>', 200)
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 2]}…>"


class JcodeunitsError(Exception):
    """Root of everything that the package raises on purpose.

    `instead` is text that is accepted in place of what was given, and `argument` names what it replaces (`drug`,
    `dose`, `route`, `basis` ...); None where there is no literal way out.
    """

    # What the errors of a class are about, and the field whose only value may stand in its place.
    _ABOUT: ClassVar[str | None] = None
    _INSTEAD: ClassVar[str] = ""

    def __init__(self, message: str = "", /, **fields: Any) -> None:
        # The lines of a list of problems are our own and stand back; all else that is no printed character is escaped.
        if not message.isprintable() or len(message) > _LONGEST_LINE:
            message = "\n  ".join(_cut(escaped(line)) for line in message.split("\n  "))
        super().__init__(message)
        self.message = message  # a key between ‹ and › is said by each door in its own words
        self.fields = fields

    def __getattr__(self, name: str) -> Any:
        # Only asked for names that are not there: an error's facts read as attributes.
        fields = self.__dict__.get("fields", {})
        if name in fields:
            return fields[name]
        if name == "argument":
            return fields.get("path") or self._ABOUT
        if name == "instead":
            known = fields.get(self._INSTEAD, ())
            return known[0] if len(known) == 1 else None
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    def __reduce__(self) -> tuple[Callable[..., JcodeunitsError], tuple[Any, ...]]:
        return _rebuild, (type(self), self.message, self.fields)

    def __str__(self) -> str:
        return self.message.replace("‹", "").replace("›", "")


def _rebuild(kind: type[JcodeunitsError], message: str, fields: dict[str, Any]) -> JcodeunitsError:
    return kind(message, **fields)


class DateError(JcodeunitsError, ValueError):
    """A date of service that is no date, or is missing."""

    _ABOUT = "on"


class UnknownRoute(JcodeunitsError, ValueError):
    """A route of administration that is not known: `given`, `allowed`."""

    _ABOUT = "route"


class DoseError(JcodeunitsError, ValueError):
    """A dose that cannot be used."""

    _ABOUT = "dose"


class UnreadableDose(DoseError):
    """Dose text outside the grammar: `given`."""


class UnknownUnit(DoseError):
    """A unit that no row of the registry names: `given`, `near`."""


class AmbiguousUnit(DoseError):
    """A unit that can be read in two ways: `given`, `readings`."""


class BasisNeeded(DoseError):
    """A combination's dose that does not say which part it counts: `code`, `choices`."""

    _ABOUT = "basis"


class OutsideBand(DoseError):
    """A dose that the code's band does not hold: `code`, `given`, `candidates`."""

    _ABOUT = "drug"
    _INSTEAD = "candidates"


class UnitMismatch(JcodeunitsError, TypeError):
    """A dose in a unit that the code does not count: `given`, `needed`, `code`."""

    _ABOUT = "dose"


class IdentifierError(JcodeunitsError, ValueError):
    """An identifier that is not well formed."""


class InvalidNdc(IdentifierError):
    """Not an NDC: `given`, `reason`."""

    _ABOUT = "ndc"


class AmbiguousNdc(IdentifierError):
    """Digits that fit several NDCs: `given`, `readings`."""

    _ABOUT = "ndc"


class InvalidHcpcs(IdentifierError):
    """Not a HCPCS or CPT code: `given`, `reason`."""


class CodeError(JcodeunitsError, LookupError):
    """A drug or code that has no answer."""

    _ABOUT = "drug"


class UnknownDrug(CodeError):
    """Nothing has this name or code: `given`, `near` (suggestions, never used)."""


class AmbiguousDrug(CodeError):
    """Several codes fit, or none by the `route`: `given`, `candidates` (codes), `on`."""


class NotInEffect(CodeError):
    """The code lived at another time: `code`, `on`, `period`, `successors`."""

    _ABOUT = "drug"
    _INSTEAD = "successors"


class NoCode(CodeError):
    """A drug that has no code of its own that day: `given`, `candidates` (what it is billed with), `on`."""


class NotComputable(CodeError):
    """The code is real, but its units do not follow from a dose: `code`, `reason`."""


class ProductError(JcodeunitsError, LookupError):
    """A product (NDC) that has no answer."""


class UnknownProduct(ProductError):
    """No row knows this NDC: `ndc`, `on`."""

    _ABOUT = "ndc"


class ContradictedProduct(ProductError):
    """The published row contradicts itself: `ndc`, `reason`."""


class ProductMismatch(ProductError):
    """The drug named and the product opened are two things: `ndc`, `code`, `codes`, `citation`."""


class FormNeeded(ProductError):
    """The NDC quantity depends on what the container holds; nobody said: `ndc`, `choices`."""

    _ABOUT = "form"


class ContainerError(JcodeunitsError, ValueError):
    """Containers, amounts opened or discarded that cannot be."""


class EncounterError(JcodeunitsError, ValueError):
    """An encounter that cannot be read: `path`, `given`, `allowed`."""


class FormatError(JcodeunitsError, ValueError):
    """A message that cannot be read, a charge that cannot be written: `format`, `place`, `several` (`read_all` can)."""


class BatchError(JcodeunitsError, ValueError):
    """A file or table that cannot be billed row by row: `file`, `place`."""


class TableError(JcodeunitsError, ValueError):
    """Reference tables that do not load: `file`, `problems`, and the lines of an `example` that would."""


def need_kind(value: object, kinds: type | tuple[type, ...], argument: str, wanted: str) -> None:
    """Raise `BatchError` for an argument that is of another kind than these.

    >>> need_kind(3, str, "encoding", "text such as 'utf-8'")
    Traceback (most recent call last):
    jcodeunits.errors.BatchError: encoding is a int, 3: give text such as 'utf-8'.
    """
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise BatchError(f"{argument} is a {type(value).__name__}, {quoted(value)}: give {wanted}.", place=argument)
