"""Node programs for tests, installed from npm into a folder outside the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from filelock import FileLock

#: The last compiler that is written in JavaScript (it has tsserver), and the native one.
TYPESCRIPTS = ("5.9.3", "7.0.2")


def cache_folder() -> Path:
    """`REGISTRY_CORE_TEST_CACHE`, else a folder among the system's temporary ones."""
    named = os.environ.get("REGISTRY_CORE_TEST_CACHE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "registry-core-test-cache"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def node_package(name: str, version: str) -> Path:
    """The folder of an npm package; installed if it isn't yet. Skips the test without npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    root = cache_folder() / f"{name.replace('/', '-')}-{version}"
    done = root / "installed"
    with FileLock(f"{root}.lock"):
        if not done.exists():
            root.mkdir(exist_ok=True)
            flags = ("--no-package-lock", "--no-save", "--no-audit", "--no-fund")
            subprocess.run(
                [npm, "install", "--prefix", root, *flags, f"{name}@{version}"],
                check=True,
                capture_output=True,
                cwd=root,
            )
            done.touch()
    return root / "node_modules" / name


def tsc(version: str, files: Iterable[Path], *flags: str, cwd: Path | None = None) -> list[str]:
    """The lines that TypeScript's compiler of this version prints on `files`: its errors.

    Strict, checks declaration files too, writes nothing, unless a flag says so.
    """
    compiler = node_package("typescript", version) / "bin" / "tsc"
    options: tuple[str, ...] = ("--strict", "--noEmit", "--pretty", "false", "--target", "es2022")
    options += ("--module", "esnext", "--moduleResolution", "bundler")
    command = ["node", compiler, *options, *flags, *files]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return (result.stdout + result.stderr).splitlines()
