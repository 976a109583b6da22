"""Python programs for tests, installed from the package index into folders outside the tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from tests.nodetools import cache_folder


def environment(name: str, version: str) -> Path:
    """The `bin` folder of a virtual environment with this package; made if it isn't yet."""
    root = cache_folder() / f"venv-{name}-{version}"
    done = root / "installed"
    with FileLock(f"{root}.lock"):
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", root], check=True)
            pip = [root / "bin" / "python", "-m", "pip", "install", "-q"]
            subprocess.run([*pip, f"{name}=={version}"], check=True, capture_output=True)
            done.touch()
    return root / "bin"
