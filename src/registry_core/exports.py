"""Copies of what is served, for other machines and other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .emitting.emission import Emission
from .emitting.manifest import Manifest
from .emitting.targets import Target
from .errors import SyncError, TargetError
from .files import write_atomically

if TYPE_CHECKING:
    from .registry import ModelRegistry
    from .snapshot import Snapshot

_MASTRA = ("json", "typescript", "capabilities")


def export_snapshot(snapshot: Snapshot, path: Path) -> tuple[Path, ...]:
    """One file that `REGISTRY_CORE_SNAPSHOT` serves. Raises OSError, TargetError."""
    if path.is_dir():
        raise TargetError("is a folder", culprit=str(path), hint="name a file")
    write_atomically(path, snapshot.to_bytes(), durable=False)
    return (path,)


def export_mastra(registry: ModelRegistry, folder: Path) -> tuple[Path, ...]:
    """The files of Mastra's cache, with the time in `gateway-refresh-time` (epoch
    milliseconds) that keeps it from fetching for an hour. Raises OSError, TargetError."""
    if folder.is_file():
        raise TargetError("is a file", culprit=str(folder), hint="name a folder")
    target = Target("output", folder, dict.fromkeys(_MASTRA, folder))
    emission = Emission(registry.world.host, registry.snapshot(), None)
    written = emission.write([target], Manifest(None))
    for problem in emission.problems:
        if problem.fatal:
            raise SyncError(problem.message, culprit=problem.culprit)
    refreshed = registry.get_last_refresh_time()
    stamp = folder / "gateway-refresh-time"
    if refreshed is not None:
        text = str(int(refreshed.timestamp() * 1000))
        write_atomically(stamp, text.encode(), durable=False)
        return (*map(Path, written), stamp)
    return tuple(map(Path, written))
