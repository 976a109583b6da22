"""A user's project whose types come by real syncs from a gateway on loopback."""

from __future__ import annotations

import venv
from collections.abc import Mapping
from pathlib import Path

import registry_core_types
from registry_core._catalog.snapshot import Snapshot
from registry_core._sync.options import Options
from registry_core._sync.sync import sync
from registry_core.report import SyncReport
from registry_core.testing.distributions import write_distribution
from tests.world import World

TYPES = "registry_core_types"


class Project:
    """`sync` what the gateway has now; the editor sees `folder` and nothing else."""

    def __init__(self, world: World, outputs: Mapping[str, str]) -> None:
        self.folder = world.tmp_path / "project"
        self.folder.mkdir()
        self._world = world
        self._outputs = {emitter: self.folder / path for emitter, path in outputs.items()}
        self._site: list[str] = []
        world.bundled = Snapshot.build([])
        world.gateway("main")

    def install(self, place: Path) -> Path:
        """An environment with the types as the wheel brings them; its interpreter."""
        venv.EnvBuilder(symlinks=True).create(place)
        (site,) = place.glob("lib/python3*/site-packages")
        source = Path(registry_core_types.__file__).parent
        files = ("__init__.py", "__init__.pyi", "py.typed")
        modules = {f"{TYPES}/{name}": (source / name).read_text("utf-8") for name in files}
        self._site = [str(write_distribution(site, "registry-core", modules=modules))]
        return place / "bin" / "python"

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def sync(self, *openai: str) -> tuple[str, ...]:
        """Let the gateway have these models of openai, and sync; the files written."""
        self._world.serve("main", {"openai": openai})
        self._world.types_path = self._site
        registry = self._world.registry(project=self.folder, outputs=self._outputs)
        report: SyncReport = sync(registry.world, Options(project=True)).report
        assert report.ok, report
        return report.written
