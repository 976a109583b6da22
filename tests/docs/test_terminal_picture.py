"""The picture of the terminal in the README: what it shows is what the commands print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "terminal.svg"
SHOWN = "{http://www.w3.org/2000/svg}text"


def texts(file: Path) -> list[str]:
    """Without ages, which change from day to day."""
    found = [str(one.text) for one in ElementTree.parse(file).iter(SHOWN)]  # ours
    return [re.sub(r"\d+ days", "N days", one) for one in found]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_picture_shows_what_the_commands_print_today(tmp_path: Path) -> None:
    drawn = tmp_path / "terminal.svg"
    tool = ROOT / "tools" / "make_terminal_picture.py"
    subprocess.run([sys.executable, tool, drawn], check=True)
    same = texts(PICTURE)
    assert same == texts(drawn), "run tools/make_terminal_picture.py, and look at it"
    assert sum(one.startswith("registry-core ") for one in same) == 3
    assert "docs/terminal.svg" in (ROOT / "README.md").read_text("utf-8")
