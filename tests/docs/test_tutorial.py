"""The tutorial of plugins.md, followed as a newcomer would: an empty folder, and wheels."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from registry_core.cli.new import KINDS
from tests.examples.installing import wheel

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
TUTORIAL = PAGE.split("\n## ")[1]
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TUTORIAL, flags=re.DOTALL | re.MULTILINE)


def pattern(line: str) -> str:
    """A line with every number as `#`: counts and ages change with the bundled data."""
    return re.sub(r"\s+", " ", re.sub(r"\d+", "#", line)).strip()


def test_the_page_names_each_kind_of_package() -> None:
    kinds = TUTORIAL.split("### Other kinds")[1]
    assert tuple(re.findall(r"^\| `(\w+)` \|", kinds, flags=re.MULTILINE)) == KINDS


@pytest.mark.slow
def test_each_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    wheels, desk = tmp_path / "wheels", tmp_path / "desk"
    desk.mkdir()
    built = wheel(ROOT, wheels)
    script = ["set -e"]
    shown: list[tuple[int, str]] = []
    for number, (language, text) in enumerate(BLOCKS):
        if language == "python":
            name = text.split()[1]
            (desk / name).write_text(text, "utf-8")
        elif language == "sh":
            script += [text, f"echo '--- {number} ---'"]
        else:
            shown.append((number - 1, text))
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=desk,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PIP_FIND_LINKS": str(built.parent),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for number, text in shown:
        before, _, _ = done.stdout.partition(f"--- {number} ---\n")
        printed = {*map(pattern, re.split(r"--- \d+ ---\n", before)[-1].splitlines())}
        assert {pattern(line) for line in text.splitlines() if line != "…"} <= printed
    assert len(shown) == 3
