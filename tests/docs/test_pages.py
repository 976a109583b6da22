"""What the pages show is run: their code, their tables of messages, their output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pluggy import PluginManager

from registry_core import (
    ModelRegistry,
    ProviderConfig,
    Settings,
    Snapshot,
    hookimpl,
    plugin as hookspecs,
)
from registry_core._base.secrets import Secrets
from registry_core._config.project import find_project
from registry_core._plugins.hook_rules import implemented_hooks
from registry_core._plugins.host import PluginHost
from registry_core.cli import main
from registry_core.errors import PluginError
from registry_core.testing import write_distribution

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def files() -> dict[str, str]:
    """The Python of plugins.md, each block by the file that its first line names."""
    found = {}
    for code in blocks("plugins.md", "python"):
        name = re.match(r"# (\w+\.py)\n", code)
        assert name, code
        found[name[1]] = code
    return found


def test_the_plugins_of_the_page_load_and_do_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {name: code for name, code in files().items() if not name.startswith("test_")}
    hooked = [name.removesuffix(".py") for name, code in modules.items() if "@hookimpl" in code]
    entries = {name: name for name in hooked}
    site = write_distribution(tmp_path, "acme", entry_points=entries, modules=modules)
    monkeypatch.syspath_prepend(str(site))
    settings = Settings(
        plugin_options={
            "acme_policy": {"denied": ["other"]},
            "acme_roles": {"roles": {"fast": "acme/a"}},
        }
    )
    host = PluginHost(settings, environ={}, secrets=Secrets(), path=[str(site)], builtins=())

    snapshot = Snapshot.build([ProviderConfig("acme", ["a"]), ProviderConfig("other", ["b"])])
    gateways = [one.gateway.id for one in host.gateways()]
    changed = host.overlay(snapshot)
    artifacts, problems = host.emit(snapshot, None)
    for name in entries:
        del sys.modules[name]

    assert (host.problems, problems) == ((), ())
    assert gateways == ["acme", "hello", "acme-facts"]
    assert list(changed.get_providers()) == ["acme"]
    assert changed.get_model("fast") == snapshot.get_model("acme/a") is not None
    assert [(one.path, one.text) for one in artifacts] == [("counts.txt", "acme: 1\nother: 1\n")]


def test_the_command_of_the_page_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {"acme_counts.py": files()["acme_counts.py"]}
    (toml,) = [one for one in blocks("plugins.md", "toml") if "registry_core.commands" in one]
    commands = tomllib.loads(toml)["project"]["entry-points"]["registry_core.commands"]
    site = write_distribution(tmp_path / "site", "acme", commands=commands, modules=modules)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "frozen.snapshot"
    snapshot = Snapshot.build([ProviderConfig("acme", ["a"]), ProviderConfig("other", ["b"])])
    file.write_bytes(snapshot.to_bytes())

    def run(*arguments: str, **variables: str) -> Result:
        environ = {"REGISTRY_CORE_SNAPSHOT": str(file), **variables}
        return CliRunner().invoke(main, arguments, env=environ)

    assert "acme 1.0" in run("--help").stdout
    assert run("counts").stdout == "acme: 1\nother: 1\n"
    assert run("counts", REGISTRY_CORE_PLUGIN_COUNTS_MOST="1").stdout == "acme: 1\n"
    assert json.loads(run("counts", "other", "--json").stdout)["counts"] == {"other": 1}
    assert run("counts", "none").exit_code == 1
    del sys.modules["acme_counts"]


#: Held against what an author copies; the page itself has the contract of its gateway.
CONTRACTS = """
import acme_facts, acme_list, acme_policy, acme_roles, pytest
from registry_core.testing import EmitterContract, FactsContract, OverlayContract

class TestFacts(FactsContract):
    routes = {
        "https://llm.acme.example/v1/retirements": [
            {"model": "acme/a", "date": "2027-01-31", "next": "acme/b", "page": "https://a.example"},
            {"model": "acme/b", "date": "2027-02-28", "next": None, "page": None},
        ]
    }
    gateway = pytest.fixture(lambda self: acme_facts.AcmeFacts())

class TestList(EmitterContract):
    plugin = pytest.fixture(lambda self: acme_list)

class TestPolicy(OverlayContract):
    options = {"denied": ["acme"]}
    plugin = pytest.fixture(lambda self: acme_policy)

class TestRoles(OverlayContract):
    options = {"roles": {"fast": "acme/large"}}
    plugin = pytest.fixture(lambda self: acme_roles)
"""


@pytest.mark.slow
def test_the_tests_of_the_page_and_the_contracts_of_its_plugins_pass(tmp_path: Path) -> None:
    for name, code in [*files().items(), ("test_contracts.py", CONTRACTS)]:
        (tmp_path / name).write_text(code, "utf-8")
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "registry_core.pytest_plugin"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


MISTAKES: list[dict[str, Any]] = [
    {"registry_gateway": hookimpl(lambda settings: [])},
    {"registry_gateways": hookimpl(lambda setings: [])},
    {"registry_emit": lambda snapshot: []},
    {"registry_emit": hookimpl(lambda snapshot: [], tryfirst=True)},
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_the_page_is_told_in_its_words(mistake: dict[str, Any]) -> None:
    plugin = ModuleType("acme_gateway")
    vars(plugin).update(mistake)
    with pytest.raises(PluginError) as raised:
        implemented_hooks(PluginManager(hookspecs.PROJECT), plugin)
    assert str(raised.value) in (DOCS / "plugins.md").read_text("utf-8")


@pytest.mark.parametrize("page", ["api.md", "changes.md"])
def test_the_python_of_the_page_runs(
    page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "frozen.snapshot"
    file.write_bytes(Snapshot.build([ProviderConfig("openai", ["gpt-4o"])]).to_bytes())
    monkeypatch.setenv("REGISTRY_CORE_SNAPSHOT", str(file))
    ModelRegistry.reset_instance()
    for code in blocks(page, "python"):
        exec(compile(code, page, "exec"), {})
    ModelRegistry.reset_instance()


@pytest.mark.parametrize("page", ["plugins.md", "settings.md"])
def test_the_toml_of_the_page_is_read(page: str, tmp_path: Path) -> None:
    for text in blocks(page, "toml"):
        table: Any = tomllib.loads(text).get("tool")
        (tmp_path / "pyproject.toml").write_text(text, "utf-8")
        (tmp_path / ".git").mkdir(exist_ok=True)
        assert (find_project(tmp_path, tmp_path, environ={}) is not None) or table is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_pages_and_their_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (DOCS / link).exists(), link
    for path in re.findall(r"`((?:examples|tools|src|tests)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def pattern(line: str) -> str:
    """A line with every number as `#`: counts and ages change with the bundled data."""
    return re.sub(r"\s+", " ", re.sub(r"\d+", "#", line)).strip()


def test_the_output_of_cli_md_is_that_of_the_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
        "REGISTRY_CORE_OUTPUT": str(tmp_path / "out"),
    }
    shown = blocks("cli.md", "console")
    assert shown
    for block in shown:
        command, *lines = block.splitlines()
        arguments = command.removeprefix("$ registry-core ").split()
        done = CliRunner().invoke(main, arguments, env=environ)
        assert done.exit_code == 0, done.output
        real = set(map(pattern, done.stdout.splitlines()))
        assert {pattern(line) for line in lines if line != "…"} <= real


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("block", blocks("cli.md", "sh-session"), ids=lambda one: one[:40])
def test_the_screens_of_cli_md_are_those_of_a_terminal(block: str, tmp_path: Path) -> None:
    from tests.cli.terminal import on_terminal, plain

    command, *lines = block.splitlines()
    found = on_terminal(
        *command.removeprefix("$ registry-core ").split(),
        REGISTRY_CORE_STORE_DIR=str(tmp_path),
        OPENAI_API_KEY="set",
        ANTHROPIC_API_KEY="",
    )
    real = [line.rstrip() for line in plain(found)]
    assert [line for line in lines if line not in ("…", *real)] == []
