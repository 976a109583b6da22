"""The examples as an installer leaves them, without building them; and wheels that are built."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from registry_core import ModelRegistry, Settings, Snapshot
from registry_core._base.secrets import Secrets
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.places import Places
from registry_core._plugins.host import PluginHost
from registry_core._world import World
from registry_core.testing import write_distribution

EXAMPLES = Path(__file__).parents[2] / "examples"
Run = Callable[..., subprocess.CompletedProcess[str]]
NO_BUNDLE = Bundle(lambda: Snapshot.build([]), {}, {}, {})


def install(example: str, site: Path) -> Path:
    """Put the modules of an example in `site`, with the metadata that its pyproject.toml makes."""
    folder = EXAMPLES / example
    about: Any = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    files = about["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    return write_distribution(
        site,
        about["project"]["name"],
        about["project"]["version"],
        entry_points=about["project"]["entry-points"].get("registry_core", {}),
        commands=about["project"]["entry-points"].get("registry_core.commands", {}),
        modules={Path(file).name: (folder / file).read_text("utf-8") for file in files},
    )


def registry(
    tmp_path: Path, site: Path, environ: dict[str, str] | None = None, **settings: Any
) -> ModelRegistry:
    """A registry that finds its plugins in `site` and keeps everything in `tmp_path`."""
    made = Settings(store_dir=tmp_path / "store", **settings)
    variables = environ or {}
    host = PluginHost(made, environ=variables, secrets=Secrets(), path=[str(site)])
    places = Places(tmp_path, tmp_path, tmp_path / "cache", tmp_path / "tmp")
    world = World(
        made, host=host, environ=variables, places=places, bundle=NO_BUNDLE, types_path=[]
    )
    return ModelRegistry(world=world)


def wheel(project: Path, folder: Path) -> Path:
    out = folder / "wheels" / project.name
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(out), str(project)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


def environment(folder: Path, wheels: Iterable[Path | str], *options: str) -> Run:
    """Install the wheels in a new environment; run its programs with few variables."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    install = [str(programs / "python"), "-m", "pip", "install", "-q", *options, *map(str, wheels)]
    subprocess.run(install, check=True)
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}

    def run(
        program: str, *arguments: str, cwd: Path = folder, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(programs / program), *arguments],
            cwd=cwd,
            env={**kept, "HOME": str(folder), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
