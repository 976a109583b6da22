"""What tests of files do in a child process (see `forks`): give up rights, and sync."""

from __future__ import annotations

import ctypes
import logging
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from registry_core import Settings
from registry_core.places import Places
from registry_core.report import SyncReport
from tests.files.scene import Scene

_CAPABILITY_VERSION_3 = 0x20080522


@frozen
class Told:
    """What a child has seen."""

    report: SyncReport
    models: Mapping[str, tuple[str, ...]]
    serves: str | None
    """The folder that lookups read."""
    warnings: tuple[str, ...]


def powerless_sync(folder: Path, base: str, output: bool, settings: dict[str, Any]) -> Told:
    """A sync by a user whom the modes of files bind, as they do not bind root."""
    give_up_root()
    heard = _Heard()
    logging.getLogger("registry_core").addHandler(heard)
    scene = Scene(folder, base, output=output)
    report = scene.sync(**settings)
    registry = scene.world.registry(**settings)
    store = registry.loaded().store
    return Told(
        report, registry.get_models(), str(store.place) if store else None, tuple(heard.messages)
    )


def give_up_root() -> None:
    """Drop every capability; Linux then looks at the modes of files for root, too."""
    if os.geteuid() == 0:
        assert sys.platform == "linux"
        header = struct.pack("II", _CAPABILITY_VERSION_3, 0)
        if ctypes.CDLL(None, use_errno=True).capset(header, bytes(24)) != 0:
            raise OSError(ctypes.get_errno(), "capset")


def stores_of_nobody(prefix: Path) -> tuple[list[Path], Path | None]:
    """The places of a system Python for a user who is in no list of users and has no home."""
    for name in ("HOME", "XDG_CACHE_HOME"):
        os.environ.pop(name, None)
    Places(prefix, prefix).user_cache()  # imports what that user may have no right to read
    os.setuid(54321)
    places = Places(prefix, prefix)
    return [*map(Path, places.stores(Settings().store_dir))], places.user_cache()


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
