"""Speed is reported as ratios within one run, never asserted: a busy machine is no defect."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

_FIGURES: list[tuple[str, str, str]] = []


@pytest.fixture
def figure(benchmark) -> Callable[[str, float, str], None]:
    """Note a figure: what, how much, and what was wanted; all are printed at the end and kept in the JSON."""

    def note(what: str, value: float, wanted: str) -> None:
        benchmark.extra_info[what] = round(value, 4)
        _FIGURES.append((what, f"{value:.3g}", wanted))

    return note


@pytest.fixture
def side_by_side() -> Callable[..., list[float]]:
    """The least time of each function, in seconds, their rounds taken in turn."""

    def least(*functions: Callable[[], object], rounds: int = 9) -> list[float]:
        best = [float("inf")] * len(functions)
        for _ in range(rounds):
            for at, function in enumerate(functions):
                began = time.perf_counter()
                function()
                best[at] = min(best[at], time.perf_counter() - began)
        return best

    return least


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _FIGURES:
        return
    terminalreporter.section("figures")
    width = max(len(what) for what, _, _ in _FIGURES)
    for what, value, wanted in _FIGURES:
        terminalreporter.write_line(f"{what:<{width}}  {value:>8}  wanted {wanted}")
