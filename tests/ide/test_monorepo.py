"""examples/monorepo: the commands that its README and docs/editors.md name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry_core.cli import main
from tests.nodetools import TYPESCRIPTS, cache_folder, node_package

EXAMPLE = Path(__file__).parents[2] / "examples" / "monorepo"
STUB = "typings/registry_core_types.pyi"
DECLARATIONS = "web/src/llm/provider-types.generated.d.ts"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, copied and synced from the bundled data; the current directory."""
    for name in os.environ:
        if name.startswith(("REGISTRY_CORE_", "MASTRA_")) and name != "REGISTRY_CORE_TEST_CACHE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("REGISTRY_CORE_STORE_DIR", str(tmp_path / "store"))
    folder = tmp_path / "repository"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("typings", "llm"))
    monkeypatch.chdir(folder)
    status, output = registry_core("sync", "--offline")
    assert status == 0, output
    return folder


def registry_core(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.stdout


def checked(command: list[str | Path], folder: Path) -> tuple[int, str]:
    environ = {**os.environ, "PYRIGHT_PYTHON_CACHE_DIR": str(cache_folder() / "pyright")}
    result = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    return result.returncode, result.stdout + result.stderr


def test_a_sync_writes_the_types_of_the_providers_that_the_project_names(repository: Path) -> None:
    for file in (STUB, DECLARATIONS):
        text = (repository / file).read_text(encoding="utf-8")
        assert all(f'"{id}"' in text for id in ("anthropic", "google", "openai"))
        assert "mistral" not in text
    assert registry_core("sync", "--offline", "--check") == (0, "nothing would change\n")


def test_ci_checks_against_the_exported_snapshot_and_names_what_was_edited(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert registry_core("export", "--format", "snapshot", "models.snapshot")[0] == 0
    monkeypatch.setenv("REGISTRY_CORE_STORE_DIR", str(repository / "nothing here"))
    monkeypatch.setenv("REGISTRY_CORE_SNAPSHOT", "models.snapshot")
    assert registry_core("sync", "--check") == (0, "nothing would change\n")
    for file in (STUB, DECLARATIONS):
        text = (repository / file).read_text(encoding="utf-8")
        (repository / file).write_text(text.replace("gpt-4o-mini", "gpt-4o-mine"), "utf-8")
        status, output = registry_core("sync", "--check")
        assert (status, output.splitlines()) == (1, [str(repository / file)])
        (repository / file).write_text(text, encoding="utf-8")
    assert not (repository / "nothing here").exists()


def test_sync_advises_a_scope_where_there_is_none(repository: Path) -> None:
    assert "hint" not in registry_core("sync", "--offline")[1]
    settings = repository / "pyproject.toml"
    table, _, rest = settings.read_text("utf-8").partition("[tool.registry-core.types]")
    settings.write_text(table + rest.partition("\n\n")[2], encoding="utf-8")
    status, output = registry_core("sync", "--offline")
    assert status == 0
    assert "[tool.registry-core.types] providers" in output.splitlines()[-1]
    assert "hint" not in registry_core("sync", "--offline", "--output", "elsewhere")[1]


def test_sync_says_what_a_large_scope_costs_for_as_long_as_it_is_there(repository: Path) -> None:
    settings = repository / "pyproject.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace('"openai"]', '"openai", "openrouter"]'), encoding="utf-8")
    for _ in range(2):
        status, output = registry_core("sync", "--offline")
        assert status == 0
        hint = output.splitlines()[-1]
        assert re.match(r"hint: \[tool.registry-core.types\] providers has \d{3} models: ", hint)
        assert "model_id" in hint
    settings.write_text(text.replace('python = "typings"\n', ""), encoding="utf-8")
    assert "hint" not in registry_core("sync", "--offline")[1]


def test_the_page_shows_the_settings_of_the_example() -> None:
    page = (EXAMPLE.parents[1] / "docs" / "editors.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    ours = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    theirs = tomllib.loads(shown)["tool"]
    assert theirs["registry-core"] == ours["registry-core"]
    assert theirs["mypy"].items() <= ours["mypy"].items()


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["mypy", "pyright", "basedpyright"])
def test_the_back_end_checks_and_a_typo_does_not(checker: str, repository: Path) -> None:
    command: list[str | Path] = [sys.executable, "-m", checker]
    status, output = checked(command, repository)
    assert status == 0, output
    source = repository / "app" / "ask.py"
    source.write_text(source.read_text("utf-8").replace("claude-haiku", "claude-hiaku"), "utf-8")
    status, output = checked(command, repository)
    assert status == 1
    assert "KnownModelId" in output or "claude-hiaku" in output
    assert len(output) < 4000


@pytest.mark.slow
@pytest.mark.parametrize("version", TYPESCRIPTS)
def test_the_front_end_checks_and_a_typo_does_not(version: str, repository: Path) -> None:
    compiler = node_package("typescript", version) / "bin" / "tsc"
    command: list[str | Path] = ["node", compiler, "--noEmit"]
    status, output = checked(command, repository / "web")
    assert status == 0, output
    source = repository / "web" / "src" / "ask.ts"
    source.write_text(source.read_text("utf-8").replace("claude-haiku", "claude-hiaku"), "utf-8")
    status, output = checked(command, repository / "web")
    assert status != 0
    assert "claude-hiaku" in output
