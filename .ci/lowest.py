"""The lowest version of each library that pyproject.toml declares for the core and for bulk, as pins for pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
for wanted in [*project["dependencies"], *project["optional-dependencies"]["batch"]]:
    name, floor = re.fullmatch(r"([\w.-]+)>=([\d.]+)(?:,.*)?", wanted).groups()
    print(f"{name}=={floor}")
