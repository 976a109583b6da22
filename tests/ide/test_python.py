"""What Python's language servers and type checkers make of the types, before and after a sync."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from registry_core._catalog.bundle import Bundle
from registry_core._writers import python_types
from registry_core._writers.python_types import FEW
from tests.emitters.samples import emit, snapshot_of
from tests.ide.lsp import CHANGED, CREATED, LanguageServer
from tests.ide.project import Project
from tests.nodetools import cache_folder
from tests.pytypes import CHECKERS, error_lines
from tests.world import World

pytestmark = pytest.mark.slow

SERVERS = ("basedpyright", "pyright")
#: They leave longer literals out of their completions.
LONGEST = 50
USER = """\
from registry_core_types import KnownModelId, ModelId, Model_openai, ProviderId
from registry_core_types import model_id, provider_id, takes_model_id


def ask(model: ModelId) -> None: ...
def ask_known(model: KnownModelId) -> None: ...
def ask_openai(model: Model_openai) -> None: ...
def ask_whom(provider: ProviderId) -> None: ...
@takes_model_id
def ask_any(model: ModelId, question: str) -> None: ...
@takes_model_id
def ask_one(model: KnownModelId, question: str) -> None: ...
class Client:
    @takes_model_id
    def tell(self, model: KnownModelId, question: str) -> None: ...


ask("")
ask_known("")
ask_openai("")
ask_whom("")
model_id("")
provider_id("")
ask_any("", "?")
ask_one("", "?")
Client().tell("", "?")
"""
EVERY_ID = ("model_id", "ask_any", "ask_one", "tell")
CHECKED = """\
from registry_core_types import KnownModelId, ModelId, ProviderId, Model_openai
from registry_core_types import model_id, provider_id, takes_model_id


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


@takes_model_id
def ask_any(model: ModelId, question: str) -> int:
    return len(model + question)


@takes_model_id
async def ask_one(model: KnownModelId, question: str = "?") -> int:
    return len(model + question)


class Client:
    @takes_model_id
    def tell(self, model: KnownModelId, question: str) -> int:
        return len(model + question)


async def call(client: Client, other: KnownModelId, text: str) -> int:
    asked = await ask_one("openai/gpt-5") + await ask_one(other, "?")
    told = client.tell("openai/gpt-5", "?") + client.tell(other, "?")
    return asked + told + ask_any("any/thing", "?") + ask_any(text, "?")


known = model_id("openai/gpt-5")
provider = provider_id("openai")
model_id("openai/gtp-5")  # error
provider_id("closedai")  # error
ask_any(5, "?")  # error
ask_any("any/thing", 5)  # error
ask_one("openai/gtp-5")  # error
ask_one(str(known))  # error
Client().tell("openai/gtp-5", "?")  # error
"""


def language_server(
    name: str, folder: Path, interpreter: Path, stub_path: str | None = None
) -> LanguageServer:
    """As VS Code starts it when `interpreter` is the one selected."""
    if name in ("ty", "pyrefly"):
        program = Path(sys.executable).with_name(name)
        return LanguageServer([program, "server" if name == "ty" else "lsp"], folder)
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
        for function in EVERY_ID:
            offered = server.offered(user, f'{function}("', "openai/gpt-5")
            assert offered == ["openai/gpt-4o", "openai/gpt-5"]
        assert server.offered(user, 'ask_openai("', "gpt-5") == ["gpt-4o", "gpt-5"]


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("name", SERVERS)
def test_without_a_scope_the_types_complete_a_few_ids_and_the_functions_all(
    name: str, size: int, tmp_path: Path
) -> None:
    models = bundled(size)
    user = write_project(tmp_path, models, None)
    every = [id for id in full_ids(models) if len(id) <= LONGEST]
    with language_server(name, tmp_path, Path(sys.executable)) as server:
        server.open(user)
        for function in EVERY_ID:
            server.offers(user, f'{function}("', every)
        few = server.complete(user, 'ask_known("')
        assert 0 < len(few) <= FEW
        assert few == server.complete(user, 'ask("')
        server.offers(user, 'provider_id("', models)
        server.offers(user, 'ask_openai("', models["openai"])
        assert set(server.complete(user, 'ask_whom("')) < set(models)


@pytest.mark.parametrize("name", [*SERVERS, "ty", "pyrefly"])
def test_with_a_scope_the_types_complete_what_it_holds(name: str, tmp_path: Path) -> None:
    scope = ("anthropic", "openai")
    models = {id: ids for id, ids in bundled(1).items() if id in scope}
    user = write_project(tmp_path, models, scope)
    # ty completes nothing where any text will do, and pyrefly nothing there in overloads.
    open_ones = {"ty": {"ask"}, "pyrefly": {"ask_any"}}.get(name, set())
    with language_server(name, tmp_path, Path(sys.executable)) as server:
        server.open(user)
        for function in {"ask", "ask_known", *EVERY_ID} - open_ones:
            server.offers(user, f'{function}("', full_ids(models))
        for function in open_ones:
            assert server.complete(user, f'{function}("') == []
        for function in ("provider_id", "ask_whom"):
            server.offers(user, f'{function}("', scope)
        server.offers(user, 'ask_openai("', models["openai"])


def bundled(size: int) -> dict[str, tuple[str, ...]]:
    """Provider → bare ids: today's, or so many times as many."""
    today = Bundle.of_wheel().load().get_models()
    return {
        provider: tuple(f"{id}+{n}" if n else id for id in ids for n in range(size))
        for provider, ids in today.items()
    }


def full_ids(models: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [f"{provider}/{id}" for provider, ids in models.items() for id in ids]


def write_project(
    folder: Path, models: Mapping[str, tuple[str, ...]], scope: tuple[str, ...] | None
) -> Path:
    """The user's file, with the types beside it."""
    stub = folder / "typings" / "registry_core_types.pyi"
    stub.parent.mkdir()
    (text,) = emit(python_types, snapshot_of(models), scope).values()
    stub.write_text(text, encoding="utf-8")
    (folder / "ty.toml").write_text('[environment]\nextra-paths = ["typings"]\n')
    (folder / "pyrefly.toml").write_text('search-path = ["typings"]\n')
    user = folder / "user.py"
    user.write_text(USER, encoding="utf-8")
    return user


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
@pytest.mark.parametrize("checker", CHECKERS)
def test_a_wrong_known_id_is_an_error_and_any_text_is_a_model_id(
    checker: str, place: str, world: World
) -> None:
    project = Project(world, {"python": "typings"} if place == "typings" else {})
    interpreter = project.install(project.folder / ".venv")
    project.sync("gpt-4o", "gpt-5")
    project.write("user.py", CHECKED)
    project.write("pyproject.toml", '[tool.mypy]\nstrict = true\nmypy_path = "typings"\n')
    found = ["typings"] if place == "typings" else []
    flags = {
        "mypy": ["--python-executable"],
        "ty": [
            *("check", "--output-format", "concise"),
            *(f"--extra-search-path={folder}" for folder in found),
            "--python",
        ],
        "pyrefly": [
            *("check", "--output-format", "min-text", "--preset", "strict"),
            *(f"--search-path={folder}" for folder in found),
            "--python-interpreter-path",
        ],
    }
    command = [sys.executable, "-m", checker]
    command += [*flags.get(checker, ["--pythonpath"]), str(interpreter)]
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
