"""Rules read the finished lines and say what is wrong: one rule a file, order-free, blind to each other."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from ._registry import Case, Rule

__all__ = ["Case", "Rule", "listing", "registry"]


@cache
def registry() -> tuple[Rule, ...]:
    """Every rule, by id.

    >>> registry()[0].id
    'amount-limit'
    """
    found = []
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            loaded = importlib.import_module(f"{__name__}.{module.name}")
            found += [value for value in vars(loaded).values() if isinstance(value, Rule)]
    return tuple(sorted(found, key=lambda rule: rule.id))


def listing() -> tuple[dict[str, str], ...]:
    """Every rule as text, for the README and the command: id, title, severities, payers, period, sources.

    >>> listing()[0]["id"]
    'amount-limit'
    """
    return tuple(
        {
            "id": rule.id,
            "title": rule.title,
            "severity": ", ".join(rule.severities),
            "payers": ", ".join(rule.payers),
            "period": "always" if rule.period.effective.year == 1900 and not rule.period.ends else str(rule.period),
            "citations": "; ".join(map(str, rule.citations())),
        }
        for rule in registry()
    )
