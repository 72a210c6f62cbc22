"""Completion of the command in a shell, made from the parsers of the verbs."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence

from jcodeunits.errors import quoted

from .arguments import FOLDERS, WrongCall, facts
from .refusals import arguments_of


def completion(words: Sequence[str]) -> tuple[int, str]:
    """The script that a shell reads: verbs, flags, and the values of those flags that take a known word."""
    import shtab

    shells = tuple(shtab.SUPPORTED_SHELLS)
    if len(words) != 1 or words[0] not in shells:
        given = quoted(" ".join(words))
        raise WrongCall(f"--completion: {given} is no shell that is known: write {', '.join(shells)}.")
    return 0, str(shtab.complete(_whole(), shell=words[0]))


def _whole() -> argparse.ArgumentParser:
    """All verbs as one parser, which a completion is made from; flags that take a known word offer it."""
    from . import VERBS

    whole = argparse.ArgumentParser(prog="jcodeunits")
    under = whole.add_subparsers()
    offered = _words()
    for verb in VERBS:
        made = copy.deepcopy(arguments_of(verb))  # what a shell offers is not all that the command reads
        for action in made._actions:
            if action.dest in offered and action.choices is None and action.option_strings:
                action.choices = offered[action.dest]
        under.add_parser(verb, parents=[made], add_help=False, help=(made.description or "").split(". ")[0])
    return whole


def _words() -> dict[str, list[str]]:
    """Flag to the words that it takes, from the tables in use."""
    from jcodeunits import routes
    from jcodeunits.encounter import Administration, Encounter
    from jcodeunits.facts.policy_rows import Place
    from jcodeunits.keys import flags_of

    policy = facts(argparse.Namespace(**dict.fromkeys(FOLDERS)))[0].policy
    keys = (key for kind in (Encounter, Administration) for key in flags_of(kind) if key.kind.allowed)
    return {
        **{key.argument: list(key.kind.allowed) for key in keys},
        "route": list(routes.NAMES),
        "place": sorted({row.code for row in policy.rows(Place)}),
        "payer": list(policy.payers()),
        "on": ["today", "yesterday"],
    }
