"""Print the lowest version that each dependency may have, as constraints for pip.

    python tools/lowest_versions.py > lowest.txt
    pip install -c lowest.txt -e ".[test]" ./plugins/*/

What we promise (memory that is bounded, certificates of proxies, …) must hold with these.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def lowest() -> dict[str, str]:
    """Package → version, for the core and the plugins; our own packages left out.

    Raises ValueError for a dependency without a lower bound.
    """
    found: dict[str, str] = {}
    for path in (ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))):
        for line in tomllib.loads(path.read_text("utf-8"))["project"].get("dependencies", []):
            parts = re.match(r"([\w.-]+)>=([\w.]+)", line)
            if parts is None:
                raise ValueError(f"{path}: {line} has no lower bound")
            if not parts[1].startswith("registry-"):
                found[parts[1]] = parts[2]
    return found


if __name__ == "__main__":
    for name, version in lowest().items():
        print(f"{name}=={version}")
