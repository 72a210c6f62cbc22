"""What all tests share: the folder of CMS files, if it was given, and how long hypothesis looks."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("moderate", max_examples=60, deadline=None)
hypothesis.settings.load_profile("moderate")


def pytest_sessionstart() -> None:
    """Under mutation testing each mutant is a fork: what the unchanged code remembered must be forgotten."""
    if os.environ.get("MUTANT_UNDER_TEST"):
        for name, module in list(sys.modules.items()):
            if name.startswith("jcodeunits"):
                for value in vars(module).values():
                    getattr(value, "cache_clear", bool)()


def pytest_configure(config: pytest.Config) -> None:
    """A process that has nothing left takes tests of the other one, because the long ones stand together."""
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "worksteal"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", type=float, default=60.0, help="how long each test marked `hour` looks")
    parser.addoption(
        "--shared", metavar="FOLDER", help="the folder with the CMS, FDA and sample files (cms/, fda/, ehr/, cases/)"
    )


@pytest.fixture(scope="session")
def seconds(request: pytest.FixtureRequest) -> float:
    """How long a test marked `hour` looks."""
    return float(request.config.getoption("--minutes")) * 60


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder with the published files; without it the test is skipped, and says so."""
    given = request.config.getoption("--shared")
    if not given:
        pytest.skip("needs the CMS files: give their folder with --shared FOLDER")
    folder = Path(given).resolve()
    if not (folder / "cms").is_dir():
        pytest.fail(f"--shared {given}: there is no cms/ in it")
    return folder
