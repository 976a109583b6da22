"""`registry-core new`: what it makes works at once, and nothing is ever overwritten."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry_core.cli import main
from registry_core.cli.new import KINDS

SOURCE = Path(__file__).parents[2] / "src"
LONGEST = "a-name-with-thirty-two-character"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["new", *arguments])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_passes_its_own_tests(kind: str, folder: Path) -> None:
    done = json.loads(new(kind, "acme-eu", "--json").stdout)
    package = folder / done["folder"]
    assert package.name == f"registry-{kind}-acme-eu"
    assert sorted(done["written"]) == sorted(
        str(file.relative_to(folder)) for file in package.rglob("*") if file.is_file()
    )
    about = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))
    group = "registry_core.commands" if kind == "command" else "registry_core"
    assert list(about["project"]["entry-points"][group]) == ["acme-eu"]
    assert not re.search(r"\$\w", "".join((folder / one).read_text() for one in done["written"]))
    tried = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_it_says_what_was_made_and_what_to_do_next() -> None:
    done = new("gateway", "acme")
    assert done.exit_code == 0
    *files, next, install, test = done.stdout.splitlines()
    assert files == [
        f"registry-gateway-acme/{path}"
        for path in (
            "pyproject.toml",
            "README.md",
            "src/registry_gateway_acme/__init__.py",
            "src/registry_gateway_acme/py.typed",
            "tests/test_plugin.py",
        )
    ]
    assert (next, install, test) == (
        "next:",
        '  pip install -e "./registry-gateway-acme[dev]"',
        "  cd registry-gateway-acme && pytest",
    )


@pytest.mark.parametrize("what", ["folder", "file", "link to nowhere"])
def test_nothing_is_overwritten(what: str, folder: Path) -> None:
    there = folder / "registry-emitter-acme"
    if what == "folder":
        there.mkdir()
    elif what == "file":
        there.write_text("mine")
    else:
        there.symlink_to(folder / "nowhere")
    done = new("emitter", "acme")
    assert done.exit_code == 2
    assert done.stderr == (
        "error: registry-emitter-acme: is there already (remove it, or use another name)\n"
    )
    assert [*folder.rglob("*")] == [there]


@pytest.mark.parametrize(
    "name",
    ["", "Acme", "a_b", "a b", "1a", "-a", "a-", "a--b", "../a", "a/b", "ä", f"{LONGEST}s", "a\n"],
)
def test_a_name_that_some_system_would_not_take_is_refused(name: str, folder: Path) -> None:
    done = new("gateway", "--", name)
    assert done.exit_code == 2
    assert "can't be the name of a plugin (use up to 32 of a-z, 0-9" in done.stderr
    assert not [*folder.iterdir()]


@pytest.mark.parametrize(
    ("kind", "name", "whose"),
    [
        ("gateway", "models-dev", r"registry-gateway-models-dev [\d.]+ \(entry models-dev\)"),
        ("emitter", "typescript", "a writer of registry-core"),
        ("command", "sync", "a command of registry-core"),
    ],
)
def test_a_name_that_is_taken_is_refused(kind: str, name: str, whose: str, folder: Path) -> None:
    done = new(kind, name)
    assert done.exit_code == 2
    assert re.fullmatch(
        rf"error: '{name}': is the name of {whose} \(use another\)\n", done.stderr
    ), done.stderr
    assert not [*folder.iterdir()]


def test_another_kind_is_wrong_usage() -> None:
    done = new("gate", "acme")
    assert done.exit_code == 2
    assert "is not one of 'gateway', 'facts', 'emitter', 'overlay', 'command'" in done.stderr
