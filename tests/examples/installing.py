"""The examples as an installer leaves them, without building them."""

from __future__ import annotations

import tomllib
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
