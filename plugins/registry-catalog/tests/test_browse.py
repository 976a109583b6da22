"""`registry-core browse`: writes the page of what this project sees, and opens it."""

from __future__ import annotations

import json
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from registry_catalog.browse import browse

from registry_core import ModelRegistry
from registry_core.cli import main
from registry_core.testing import write_distribution

Run = Callable[..., Result]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not seen.append(url))
    return seen


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frozen_registry: Callable[..., ModelRegistry],
) -> Run:
    frozen_registry({"acme": ["large"]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(browse, arguments)


def test_it_opens_a_temporary_file_that_is_the_users_alone(run: Run, opened: list[str]) -> None:
    done = run()
    file = Path(done.stdout.strip())
    assert (done.exit_code, opened) == (0, [file.as_uri()])
    assert '"ids":["large"]' in file.read_text("utf-8")
    assert file.stat().st_mode & 0o077 == 0 or not hasattr(file, "owner")


def test_a_named_file_is_replaced_as_a_whole_and_need_not_be_opened(
    run: Run, opened: list[str], tmp_path: Path
) -> None:
    (tmp_path / "catalog.html").write_text("old")
    done = run("--output", "catalog.html", "--no-open", "--json")
    assert (done.exit_code, opened) == (0, [])
    file = tmp_path / "catalog.html"
    assert json.loads(done.stdout) == {"schema": 1, "file": str(file)}
    assert [*tmp_path.glob("*.html")] == [file]
    assert "large" in file.read_text("utf-8")


def test_a_file_that_cannot_be_written_is_named(run: Run, opened: list[str]) -> None:
    done = run("--output", "missing/catalog.html")
    assert (done.exit_code, done.stdout, opened) == (1, "", [])
    assert "missing" in done.stderr
    assert "name another file with --output" in done.stderr


def test_without_a_browser_the_file_is_written_and_the_status_is_1(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    done = run()
    assert (done.exit_code, Path(done.stdout.strip()).exists()) == (1, True)
    assert "warning: found no browser to open it with" in done.stderr


def test_once_installed_it_is_a_command(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    site = write_distribution(
        tmp_path / "site", "registry-catalog", commands={"browse": "registry_catalog.browse:browse"}
    )
    monkeypatch.syspath_prepend(str(site))
    assert "browse" in CliRunner().invoke(main, ["--help"]).stdout
    done = CliRunner().invoke(main, ["browse", "--output", "x.html"])
    assert (done.exit_code, opened) == (0, [(tmp_path / "x.html").as_uri()]), done.output
