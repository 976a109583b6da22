"""Type checkers of Python for tests: the real programs, on files in a temporary folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import registry_core_types
from tests.nodetools import cache_folder

CHECKERS = ("mypy", "pyright", "basedpyright", "ty", "pyrefly")

_ERROR = re.compile(r":(\d+)(?::\d+)?(?: -|:) (?:error|warning)\b|^(?:ERROR|WARN) .+?:(\d+):", re.M)


def check(checker: str, file: Path) -> str:
    """What `checker`, strict, prints on `file` and the stubs in the folder `typings` beside it."""
    folder, typings = file.parent, file.parent / "typings"
    command = [sys.executable, "-m", checker]
    environ = {**os.environ, "PYRIGHT_PYTHON_CACHE_DIR": str(cache_folder() / "pyright")}
    if checker == "mypy":
        command += ["--strict", "--config-file", os.devnull, file.name, "typings"]
        environ["MYPYPATH"] = str(typings)
    elif checker == "ty":
        command += ["check", "--output-format", "concise", "--python", sys.prefix]
        command += ["--extra-search-path", "typings", file.name, "typings"]
    elif checker == "pyrefly":
        command += ["check", "--output-format", "min-text", "--preset", "strict"]
        command += ["--search-path", "typings", file.name, "typings"]
    else:
        installed = Path(registry_core_types.__file__).parent.parent
        settings = {
            "include": [file.name, "typings"],
            "extraPaths": [str(installed)],
            "typeCheckingMode": "strict",
        }
        (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environ, cwd=folder
    )
    return result.stdout + result.stderr


def error_lines(output: str) -> list[int]:
    """The numbers of the lines that a checker complains of, sorted, each once."""
    return sorted({int(one or other) for one, other in _ERROR.findall(output)})
