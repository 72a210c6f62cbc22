"""The command `jcodeunits`: nine verbs, their exit codes, and nothing loaded before a verb needs it.

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

The date of service is today unless --on says otherwise, and is printed.
Exit status: 0 clean, 1 something stops the claim, 2 cannot be answered.
"""

VERBS = ("units", "find", "ndc", "vials", "charge", "lookup", "batch", "audit", "refresh")
FAILED = 2

# Verb -> the extra that brings what it needs besides.
_EXTRAS = {"batch": "batch", "audit": "batch", "refresh": "refresh", "charge": "fhir"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status.

    >>> main(["units", "J1885"])
    2
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        return _written(HELP)
    if words[0] in ("-V", "--version"):
        return _written(_version())
    if words[0] not in VERBS:
        return _failed(f"{words[0]!r} is no verb. The verbs are {', '.join(VERBS)}.")
    if argv is None and words[0] not in ("batch", "audit", "refresh"):
        return _run_once(words[0], words[1:])
    return _run(words[0], words[1:])


def _run_once(verb: str, words: list[str]) -> int:
    """Run in a process that answers once and ends: a third of its time would go into looking for garbage."""
    gc.disable()
    status = _run(verb, words)
    gc.freeze()
    return status


def _run(verb: str, words: list[str]) -> int:
    module = import_module(f".{verb}", __name__)
    try:
        status, text = getattr(module, verb)(words)
    except SystemExit as leaving:  # argparse has printed its help
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        return _failed("stopped.", 130)
    except BrokenPipeError:
        return _closed()
    except Exception as why:  # noqa: BLE001 - the last door: whoever stands at the counter gets a sentence
        return _failed(_sentence(why, verb))
    return _written(text, status)


def _sentence(why: Exception, verb: str) -> str:
    from jcodeunits.errors import JcodeunitsError

    if isinstance(why, JcodeunitsError):
        first, *more = [line.strip() for line in str(why).splitlines()]
        rest = f" {more[0]}" if more else ""
        return first + rest + (f"; and {len(more) - 1} more" if len(more) > 1 else "")
    if isinstance(why, OSError):
        return f"{why.filename or 'the file'}: {why.strerror or why}."
    if isinstance(why, ModuleNotFoundError):
        extra = _EXTRAS.get(verb, "notebook")
        return f"{why.name} is not installed. Get it with pip install 'jcodeunits[{extra}]'."
    if isinstance(why, (UnicodeError, RecursionError, MemoryError)):
        return f"the input cannot be read ({type(why).__name__}: {why})."
    return f"this input was not foreseen ({type(why).__name__}: {why}). Please report it with the command."


def _written(text: str, status: int = 0) -> int:
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
    sys.stderr.write(f"jcodeunits: {says}\n")
    return status


def _version() -> str:
    from jcodeunits import __version__
    from jcodeunits.facts.reference import Reference

    facts = Reference.shipped()
    return f"jcodeunits {__version__}, {facts.edition}, data {facts.fingerprint[:12]}\n"
