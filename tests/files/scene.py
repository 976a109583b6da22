"""A world with every kind of target, and a sync of it that can be killed at any step."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from attrs import frozen

from registry_core import GatewayClient, ModelInfo, ProviderConfig, Snapshot
from registry_core._sync.options import Options
from registry_core._sync.sync import sync
from registry_core.report import SyncReport
from registry_core.testing import write_distribution
from tests.world import JsonGateway, Overlay, Plugin, World

#: provider → its models; a model whose id ends in "+" takes attachments.
Payload = Mapping[str, list[str]]
Files = dict[str, bytes]

TEMPORARY = ".registry-core-*.tmp"


@frozen
class Remote:
    """A server that another process runs."""

    base: str

    def url(self, path: str) -> str:
        return self.base + path


class Gateway(JsonGateway):
    """As `JsonGateway`, with models that make a capability file of their provider."""

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return {
            provider: ProviderConfig(
                id=provider,
                url=f"https://{provider}.example/v1",
                api_key_env_vars=(f"{provider.upper()}_KEY",),
                models={
                    id: ModelInfo(id=id, provider_id=provider, attachment=id.endswith("+") or None)
                    for id in ids
                },
            )
            for provider, ids in client.get_json(self._url).items()
        }


def deny(snapshot: Snapshot) -> Snapshot:
    """A policy, so that a generation holds two objects."""
    kept = {id: one for id, one in snapshot.get_providers().items() if id != "denied"}
    return snapshot.with_providers(kept)


class Scene:
    """A folder with everything in it: store, payloads, site-packages, project or output."""

    def __init__(self, folder: Path, base: str, *, output: bool = False) -> None:
        """`base`: the server's URL; `output`: a folder for everything, in place of the
        installed types and the project."""
        self.folder = folder
        self.output = output
        self.world = World(folder, Remote(base))  # type: ignore[arg-type]  # all that it uses
        gateway = Gateway("main", base + "/main.json")
        self.world.plugins += [Plugin(gateway), Overlay(deny)]

    @classmethod
    def made(cls, folder: Path, base: str, *, output: bool = False) -> Self:
        """A new one, that has never been synced."""
        types = {"registry_core_types/__init__.pyi": "# as installed\n"}
        write_distribution(folder / "site", "registry-core", modules=types, group="nobody")
        return cls(folder, base, output=output)

    @property
    def settings(self) -> dict[str, Any]:
        if self.output:
            return {"output": self.folder / "out"}
        project = self.folder / "project"
        return {
            "project": project,
            "outputs": {
                "json": project / "web",
                "typescript": project / "web",
                "capabilities": project / "web",
                "python": project / "typings",
            },
        }

    def sync(self, *, force: bool = False, **settings: Any) -> SyncReport:
        self.world.types_path = [str(self.folder / "site")]
        registry = self.world.registry(**{**self.settings, **settings})
        return sync(registry.world, Options(force=force, project=True)).report

    def targets(self) -> dict[str, Files]:
        """Target → what is in it."""
        found = {
            "environment": self.world.store.place,
            "installed": self.folder / "site" / "registry_core_types",
            "project": self.folder / "project",
            "output": self.folder / "out",
        }
        return {name: contents(folder) for name, folder in found.items()}

    def leftovers(self) -> list[Path]:
        return sorted(self.folder.rglob(TEMPORARY))


def contents(folder: Path) -> Files:
    """Path → bytes of all that lies below `folder`, less the store."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.relative_to(folder).parts[0].startswith("v1")
    }


def put_back(folder: Path, saved: Path) -> None:
    """Make `folder` what `saved` is, times included."""
    shutil.rmtree(folder)
    shutil.copytree(saved, folder)


class Steps:
    """Counts what a process does to files below a folder; kills it before the `last` step."""

    _AUDITED = frozenset(
        ["os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.utime", "os.chmod", "os.truncate"]
    )

    def __init__(self, folder: Path, last: int) -> None:
        self._folder = str(folder)
        self._last = last
        self.taken: list[str] = []

    def step(self, name: str) -> None:
        self.taken.append(name)
        if len(self.taken) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """For the rest of this process's life."""
        fsync, write = os.fsync, os.write

        def counted_fsync(descriptor: int) -> None:
            self.step("fsync")
            fsync(descriptor)

        def write_in_two(descriptor: int, data: Any) -> int:
            half = len(data) // 2
            written = write(descriptor, data[:half])
            self.step("write the rest")
            return written + write(descriptor, data[half:])

        os.fsync = counted_fsync
        os.write = write_in_two
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writing = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if writing and str(path).startswith(self._folder):
                self.step(f"open {path}")
        elif event in self._AUDITED and str(arguments[0]).startswith(self._folder):
            self.step(f"{event} {arguments[0]}")


def sync_until(folder: Path, base: str, output: bool, last: int) -> list[str]:
    """A sync that is killed before its step number `last`; the steps, if it took fewer."""
    scene = Scene(folder, base, output=output)
    steps = Steps(folder, last)
    steps.install()
    report = scene.sync()
    assert report.ok, report
    return steps.taken
