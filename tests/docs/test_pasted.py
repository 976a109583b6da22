"""The code of README and docs, pasted into an interpreter as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / folder for folder in ("README.md", "CHANGELOG.md")),
    *(page for place in ("docs", "plugins/*", "examples/*") for page in ROOT.glob(f"{place}/*.md")),
]
RUNNABLE = ("gitattributes", "gitignore", "json", "lua", "python", "sh", "toml", "ts")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and code."""
    text = page.read_text("utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


#: But those that begin with the name of a file, or need an account, or a proxy.
PYTHON = [
    pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, (language, code) in enumerate(blocks(page))
    if language == "python" and not re.search(r"\A# \w+\.py\n|(netlify|litellm)/", code)
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_nothing_that_is_meant_to_be_pasted_has_a_gap(page: Path) -> None:
    assert [code for language, code in blocks(page) if language in RUNNABLE and "…" in code] == []


def paste(code: str, folder: Path, **variables: str) -> tuple[str, str]:
    """What an interpreter prints, and what it complains of, in an empty environment."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "REGISTRY_CORE_STORE_DIR": str(folder / "store"),
        "PYTHONPATH": os.pathsep.join(map(str, ROOT.glob("plugins/*/src"))),
        **variables,
    }
    command = [sys.executable, "-i", "-q"]
    done = subprocess.run(
        command, input=code, env=environ, cwd=folder, capture_output=True, encoding="utf-8"
    )
    return done.stdout, re.sub(r"^(>>> |\.\.\. )+", "", done.stderr, flags=re.MULTILINE).strip()


@pytest.mark.parametrize("code", PYTHON)
def test_python_can_be_pasted(code: str, tmp_path: Path) -> None:
    for package in re.findall(r"^(?:from|import) (\w+)", code, flags=re.MULTILINE):
        pytest.importorskip(package)
    here = re.split(r"^client\.", code, flags=re.MULTILINE)[0]  # what follows needs a network
    _, complaints = paste(here, tmp_path, GROQ_API_KEY="gsk_0123456789")
    assert complaints == ""


def test_the_tour_of_the_readme_prints_what_it_says(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    tour = next(code for language, code in blocks(ROOT / "README.md") if language == "python")
    printed, _ = paste(tour, tmp_path)
    said = [re.split(r"  |; |\(|$", comment)[0].strip() for comment in re.findall(r"# (.*)", tour)]
    for line in printed.splitlines():
        assert line.strip("'") in said
    assert len(printed.splitlines()) == 5
