"""What Python's language servers and type checkers make of the types, before and after a sync."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ide.lsp import CHANGED, CREATED, LanguageServer
from tests.ide.project import Project
from tests.nodetools import cache_folder
from tests.pytypes import error_lines
from tests.world import World

pytestmark = pytest.mark.slow

SERVERS = ("basedpyright", "pyright")
USER = """\
from registry_core_types import KnownModelId, ModelId, Model_openai


def ask(model: ModelId) -> None: ...
def ask_known(model: KnownModelId) -> None: ...
def ask_openai(model: Model_openai) -> None: ...


ask("")
ask_known("")
ask_openai("")
"""
CHECKED = """\
from registry_core_types import KnownModelId, ModelId, ProviderId, Model_openai


def from_settings(text: str) -> ModelId:
    return text


anything: ModelId = "openai/ft:gpt-5:mine"
known: KnownModelId = "openai/gpt-5"
provider: ProviderId = "openai"
bare: Model_openai = "gpt-5"
retired: KnownModelId = "openai/gpt-4"  # error
typo: KnownModelId = "openai/gtp-5"  # error
nobody: ProviderId = "closedai"  # error
whole: Model_openai = "openai/gpt-5"  # error
number: ModelId = 5  # error
"""


def language_server(
    name: str, folder: Path, interpreter: Path, stub_path: str | None = None
) -> LanguageServer:
    """As VS Code starts it when `interpreter` is the one selected."""
    program = Path(sys.executable).with_name(f"{name}-langserver")
    settings: dict[str, dict[str, str]] = {"python": {"pythonPath": str(interpreter)}}
    if stub_path is not None:
        section = "basedpyright" if name == "basedpyright" else "python"
        settings[f"{section}.analysis"] = {"stubPath": stub_path}
    return LanguageServer(
        [program, "--stdio"],
        folder,
        settings,
        PYRIGHT_PYTHON_CACHE_DIR=str(cache_folder() / "pyright"),
        PYRIGHT_PYTHON_IGNORE_WARNINGS="1",
    )


# A file that is replaced has changed; VS Code's watcher and Neovim's say that it was created.
@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("typings", CHANGED),
        ("typings", CREATED),
        (".venv", CREATED),
        ("an environment elsewhere", CREATED),
    ],
)
@pytest.mark.parametrize("name", SERVERS)
def test_a_new_model_is_completed_after_a_sync_while_the_file_stays_open(
    name: str, place: str, kind: int, world: World
) -> None:
    project = Project(world, {"python": "typings"} if place == "typings" else {})
    inside = project.folder / ".venv"
    interpreter = project.install(inside if place == ".venv" else world.tmp_path / "elsewhere")
    project.sync("gpt-4", "gpt-4o")
    user = project.write("user.py", USER)
    with language_server(name, project.folder, interpreter) as server:
        server.open(user)
        offered = server.offered(user, 'ask("', "openai/gpt-4o")
        assert offered == ["openai/gpt-4", "openai/gpt-4o"]
        server.changed(project.sync("gpt-4o", "gpt-5"), kind)
        for function in ("ask", "ask_known"):
            offered = server.offered(user, f'{function}("', "openai/gpt-5")
            assert offered == ["openai/gpt-4o", "openai/gpt-5"]
        assert server.offered(user, 'ask_openai("', "gpt-5") == ["gpt-4o", "gpt-5"]


@pytest.mark.parametrize("name", SERVERS)
def test_stub_path_leads_from_the_whole_repository_to_the_copy_in_a_part(
    name: str, world: World
) -> None:
    project = Project(world, {"python": "backend/typings"})
    interpreter = project.install(world.tmp_path / "elsewhere")
    project.sync("gpt-4o")
    user = project.write("backend/user.py", USER)
    with language_server(name, project.folder, interpreter, "backend/typings") as server:
        server.open(user)
        server.offered(user, 'ask("', "openai/gpt-4o")
        server.changed(project.sync("gpt-4o", "gpt-5"), CREATED)
        assert server.offered(user, 'ask("', "openai/gpt-5") == ["openai/gpt-4o", "openai/gpt-5"]


@pytest.mark.parametrize("place", ["typings", "site-packages"])
@pytest.mark.parametrize("checker", ["mypy", *SERVERS])
def test_a_wrong_known_id_is_an_error_and_any_text_is_a_model_id(
    checker: str, place: str, world: World
) -> None:
    project = Project(world, {"python": "typings"} if place == "typings" else {})
    interpreter = project.install(project.folder / ".venv")
    project.sync("gpt-4o", "gpt-5")
    project.write("user.py", CHECKED)
    project.write("pyproject.toml", '[tool.mypy]\nstrict = true\nmypy_path = "typings"\n')
    command = [sys.executable, "-m", checker]
    if checker == "mypy":
        command += ["--python-executable", str(interpreter)]
    else:
        command += ["--pythonpath", str(interpreter)]
    result = subprocess.run(
        [*command, "user.py"],
        cwd=project.folder,
        env={**os.environ, "PYRIGHT_PYTHON_CACHE_DIR": str(cache_folder() / "pyright")},
        capture_output=True,
        text=True,
        check=False,
    )
    marked = [n for n, line in enumerate(CHECKED.splitlines(), 1) if line.endswith("# error")]
    assert error_lines(result.stdout) == marked, result.stdout + result.stderr
