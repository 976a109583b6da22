"""Export the served data, for other machines and other tools."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .._files.writing import refuse_special, write_atomically
from ..errors import SyncError, TargetError
from .emission import Emission
from .manifest import Manifest
from .targets import Target, refuse_store

if TYPE_CHECKING:
    from datetime import datetime

    from .._catalog.snapshot import Snapshot
    from .._plugins.host import PluginHost

_MASTRA = ("json", "typescript", "capabilities")


def export_snapshot(snapshot: Snapshot, path: Path) -> tuple[Path, ...]:
    """One file that `REGISTRY_CORE_SNAPSHOT` serves. Raises OSError, TargetError."""
    if path.is_dir():
        raise TargetError("is a folder", culprit=str(path), hint="name a file")
    _write(path, snapshot.to_bytes())
    return (path,)


def export_mastra(
    snapshot: Snapshot, host: PluginHost, refreshed: datetime | None, folder: Path
) -> tuple[Path, ...]:
    """The files of Mastra's cache, as the plugins of `host` write them.

    The time `refreshed`, if known, goes to `gateway-refresh-time` (epoch milliseconds), which
    keeps Mastra from fetching for an hour. Raises OSError, TargetError.
    """
    if folder.is_file():
        raise TargetError("is a file", culprit=str(folder), hint="name a folder")
    target = Target("output", folder, dict.fromkeys(_MASTRA, folder))
    # Mastra has no roles, and must not complete what it can't call.
    emission = Emission(host, snapshot.replace(roles={}) if snapshot.roles else snapshot, None)
    written = emission.write([target], Manifest(None))
    for problem in emission.problems:
        if problem.fatal:
            raise SyncError(problem.message, culprit=problem.culprit)
    stamp = folder / "gateway-refresh-time"
    if refreshed is not None:
        text = str(int(refreshed.timestamp() * 1000))
        _write(stamp, text.encode())
        return (*map(Path, written), stamp)
    return tuple(map(Path, written))


def _write(path: Path, data: bytes) -> None:
    refuse_store(path)
    try:
        refuse_special(path)
    except FileExistsError as error:
        why = error.strerror or str(error)
        raise TargetError(why, culprit=str(path), hint="name a regular file") from None
    # Write the target of a link, not the link itself.
    write_atomically(Path(os.path.realpath(path)), data, durable=False)
