"""Without installing it: `uvx` and `pipx run`, from the wheels of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.installing import EXAMPLES

PROGRAMS = Path(sys.executable).parent
WANTED = "registry-core[default]"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    root = EXAMPLES.parent
    projects = map(str, [root, *root.glob("plugins/*")])
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), *projects]
    subprocess.run(build, check=True)
    return folder


def command(tool: str, wheels: Path) -> list[str]:
    if tool == "uvx":
        return ["uvx", "--find-links", str(wheels), "--from", WANTED, "registry-core"]
    pip = f"--pip-args=--find-links {wheels}"
    backend = tool.removeprefix("pipx ")
    return ["pipx", "run", "--backend", backend, pip, "--spec", WANTED, "registry-core"]


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["uvx", "pipx pip", "pipx uv"])
def test_one_shot_writes_what_the_project_asks_for_and_syncs_its_own_environment(
    tool: str, wheels: Path, tmp_path: Path
) -> None:
    for program in ("uvx", "pipx"):
        if not (PROGRAMS / program).exists():
            pytest.skip(f"needs {program}")
    project = tmp_path / "project"
    project.mkdir()
    environ = {
        **{name: value for name, value in os.environ.items() if "REGISTRY_CORE" not in name},
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
    }

    def run(*arguments: str) -> str:
        argv = [*command(tool, wheels), *arguments]
        return subprocess.run(
            argv, cwd=project, env=environ, check=True, capture_output=True, text=True
        ).stdout

    assert "is there now" in run("init")
    (file,) = project.iterdir()
    file.write_text(f'{file.read_text()}[tool.registry-core.output]\ntypescript = "src"\n')
    synced = run("sync", "--offline")
    assert " providers, " in synced
    assert {one.name for one in project.iterdir()} == {"registry-core.toml", "src"}
    assert (project / "src" / "provider-types.generated.d.ts").is_file()
    assert f"{tmp_path / 'home'}" in synced  # the environment's own folder
    assert "openai/gpt-4o\n" in run("list", "openai/gpt-4o")
