"""What `registry-core plugins` offers beside what is installed, and the extras that name it."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry_core._plugins.known import COMMANDS, KNOWN, OWNERS
from registry_core.cli import main
from registry_core.testing import write_distribution

ROOT = Path(__file__).parents[2]

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    environ = {"REGISTRY_CORE_STORE_DIR": str(tmp_path / "store")}
    return lambda *arguments: CliRunner().invoke(main, arguments, env=environ)


def extra(name: str) -> set[str]:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: set[str] = set(about["optional-dependencies"][name])
    itself = {one for one in found if one.startswith("registry-core[")}
    inner = (extra(one.partition("[")[2].rstrip("]")) for one in itself)
    return (found - itself).union(*inner)


def test_the_extra_all_and_the_table_name_every_package_of_this_repository() -> None:
    packages = {folder.name for folder in ROOT.glob("plugins/*") if folder.is_dir()}
    assert extra("all") == packages == {*KNOWN}
    page = (ROOT / "docs" / "installing.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in packages)


def test_the_names_of_their_options_are_those_of_their_entry_points() -> None:
    owners = {}
    for file in ROOT.glob("plugins/*/pyproject.toml"):
        about = tomllib.loads(file.read_text("utf-8"))["project"]
        entries = about["entry-points"].get("registry_core", {})
        owners |= dict.fromkeys(entries, about["name"])
    assert owners == OWNERS


def test_a_command_that_is_not_installed_is_told_with_its_package(run: Run) -> None:
    owners = {}
    for file in ROOT.glob("plugins/*/pyproject.toml"):
        about = tomllib.loads(file.read_text("utf-8"))["project"]
        entries = about["entry-points"].get("registry_core.commands", {})
        owners |= dict.fromkeys(entries, about["name"])
    assert owners == COMMANDS
    for name, package in owners.items():
        done = run(name)
        if done.exit_code == 2:  # it is not installed here
            assert f"no command {name!r}: pip install {package} adds it" in done.stderr


def test_the_extra_default_refreshes_exactly_what_the_wheel_bundles() -> None:
    from registry_core._catalog.bundle import Bundle

    plugins = {key.partition(":")[0] for key in Bundle.of_wheel().plugins.values()}
    assert extra("default") == plugins


def test_what_is_not_installed_is_listed_with_what_it_adds_and_the_line_to_install_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = run("plugins").stdout.splitlines()
    assert f"registry-policy              {KNOWN['registry-policy']}" in lines
    assert lines[-1] == "to install one: pip install NAME"
    monkeypatch.setitem(sys.modules, "pip", None)  # an environment that uv made
    assert run("plugins").stdout.endswith("to install one: uv pip install NAME\n")
    (row,) = [
        row
        for row in json.loads(run("plugins", "--json").stdout)
        if row["plugin"] == "registry-policy"
    ]
    assert (row["installed"], row["install"]) == (False, "uv pip install registry-policy")


def test_what_is_installed_is_not_offered_though_it_is_switched_off(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_distribution(tmp_path / "site", "Registry_Policy", entry_points={"policy": "x"})
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("REGISTRY_CORE_DISABLE_PLUGINS", "registry-policy")
    listed = run("plugins").stdout.partition("NOT INSTALLED")[2]
    assert listed
    assert "registry-policy" not in listed
    rows = json.loads(run("plugins", "--json").stdout)
    assert [row["installed"] for row in rows if "registry-policy" in row["plugin"]] == [True]
