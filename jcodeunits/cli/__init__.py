"""The command `jcodeunits`: its verbs, their exit codes, and nothing loaded before a verb needs it.

Exit status: 0 clean; 1 a finding that stops the claim, or a row that was not billed; 2 input that cannot be
read or answered, with one line on standard error and nothing on standard output.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

HELP = """\
usage: jcodeunits VERB ...     (jcodeunits VERB --help tells more)
       jcodeunits DRUG DOSE    the same as units

From a drug that was given to the line that can be billed, and why.

at the counter
  units DRUG DOSE...     how many billing units of which code a dose is
  find TEXT              drugs by code, name, brand or NDC; a code's history
  ndc NDC                one product: its codes, amount and NDC quantity
  vials DRUG DOSE        which containers to open, and what is left over
  charge FILE|-          an encounter to claim lines and what would deny them
  lookup TEXT            places, modifiers, administration codes, rules, denials

in bulk
  batch FILE -o FILE     CSV or Parquet in, the same rows billed out
  audit FILE [-o FILE]   already-billed lines: what differs, and why

each quarter
  refresh                CMS files to reference tables, with a lint report

jcodeunits --completion SHELL prints the completion for bash, zsh or fish.
The date of service is today unless --on says otherwise, and is printed.
Exit status: 0 clean, 1 something stops the claim, 2 cannot be answered.
"""

VERBS = tuple(line.split()[0] for line in HELP.splitlines() if line[:2] == "  " and line[2] != " ")
FAILED = 2
_MOST_WORDS = 1_000  # argparse goes through all of them for each

# Verb -> the extra that brings what it needs besides.
_EXTRAS = {"batch": "batch", "audit": "batch", "refresh": "refresh", "charge": "fhir"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status. Words without a verb are a drug and a dose.

    >>> main(["units", "J1885", "30", "mg", "--on", "2026-03-02"])
    J1885  2 billing units of ketorolac tromethamine, per 15 mg
    dose   30 mg / 15 mg = 2; no rounding needed
    on     2026-03-02; code in effect since 1993-01-01
    0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) > 1 and words[0] == "help" and words[1] in VERBS:
        words = [words[1], "--help"]
    if not words or words[0] in ("-h", "--help", "help"):
        return _written(HELP)
    if words[0] in ("-V", "--version"):
        return _written(_version())
    if words[0] == "--completion":
        return _guarded("completion", words[1:])
    verb, rest = (words[0], words[1:]) if words[0] in VERBS else ("", words)
    if argv is not None:
        return _guarded(verb, rest)
    if verb in ("batch", "audit", "refresh"):
        gc.set_threshold(100_000, 50, 100)  # the facts that bulk work keeps are no garbage, and long to walk through
    else:
        gc.disable()  # a process that answers once would spend a third of its time on looking for garbage
    status = _guarded(verb, rest)
    gc.freeze()  # the process ends, and its memory with it
    return status


def run(verb: str, words: list[str]) -> tuple[int, str]:
    """Status and text of one verb; what cannot be answered is raised."""
    module = import_module(f".{verb}", __name__)
    answer: tuple[int, str] = getattr(module, verb)(words)
    return answer


def _guarded(verb: str, words: list[str]) -> int:
    """Run a verb; whatever happens is told in words."""
    if len(words) > _MOST_WORDS:
        return _failed(f"{len(words):,} words are no call. Name a folder in place of the files in it.")
    try:
        if not verb and words[0].rstrip("s") in {name.rstrip("s") for name in VERBS}:
            from .arguments import WrongCall

            raise WrongCall("this is no verb.")
        status, text = run(verb or "units", words)
        return _written(text, status)
    except SystemExit as leaving:  # argparse has printed its help
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        return _failed("stopped.", 130)
    except BrokenPipeError:
        return _closed()
    except Exception as why:  # noqa: BLE001 - the last door: whoever stands at the counter gets a sentence
        return _refused(why, verb, words)


def _refused(why: Exception, verb: str, words: list[str]) -> int:
    from jcodeunits.errors import JcodeunitsError

    if not isinstance(why, JcodeunitsError):
        return _failed(_sentence(why, verb))
    from .refusals import told

    if not verb and (near := _near(words[0])):
        says, way = f"jcodeunits: {words[0]!r} is no verb. Did you mean {near}?", [near, *words[1:]]
        lines = [says, *told(why, near, words[1:], run, [way])[1:]]
    else:
        lines = told(why, verb if verb in VERBS else "units", words, run)
    if sys.stderr is not None:
        sys.stderr.write("\n".join([*lines, ""]))
    return FAILED


def _near(word: str) -> str:
    """The verb that a word is nearly; empty for what is none."""
    import difflib

    return "".join(difflib.get_close_matches(word, VERBS, 1, 0.7))


def _sentence(why: Exception, verb: str) -> str:
    if isinstance(why, OSError):
        return f"{why.filename or 'the file'}: {why.strerror or why}."
    if isinstance(why, ModuleNotFoundError):
        extra = f"[{_EXTRAS[verb]}]" if verb in _EXTRAS else ""
        return f"{why.name} is not installed. Get it with pip install 'jcodeunits{extra}'."
    if isinstance(why, (UnicodeError, RecursionError, MemoryError)):
        return f"the input cannot be read ({type(why).__name__}: {why})."
    return f"this input was not foreseen ({type(why).__name__}: {why}). Please report it with the command."


def _written(text: str, status: int = 0) -> int:
    if text and sys.stdout is None:
        return _failed("standard output is closed.")
    if text:
        try:
            if hasattr(sys.stdout, "reconfigure"):
                sys.stdout.reconfigure(errors="replace")  # a terminal without Unicode still gets its answer
            sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            return _closed()
        except OSError as why:
            _closed()
            return _failed(f"standard output: {why.strerror}.")
    return status


def _closed() -> int:
    """The reader has gone (`| head`) or the disk is full: what is still buffered goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _failed(says: str, status: int = FAILED) -> int:
    from jcodeunits.errors import escaped

    if sys.stderr is not None:
        sys.stderr.write(f"jcodeunits: {escaped(says)}\n")
    return status


def _version() -> str:
    from jcodeunits import __version__
    from jcodeunits.facts.reference import Reference

    facts = Reference.shipped()
    return f"jcodeunits {__version__}, {facts.edition}, data {facts.fingerprint[:12]}\n"
