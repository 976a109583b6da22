"""What tests of files do in a child process (see `forks`): give up rights, and sync."""

from __future__ import annotations

import ctypes
import logging
import os
import struct
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from attrs import frozen

from registry_core import Settings
from registry_core._base.frozen import EMPTY
from registry_core._catalog.places import Places
from registry_core._config.load import load_settings
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
    store = registry.world.load().store
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
    return [*map(Path, places.stores(Settings().store_dir, make=True))], places.user_cache()


#: The id of a user who is not this one.
STRANGER = 54321


def as_somebody(user: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns to another user."""
    import_module("pwd")  # what that user may have no right to read
    import_module("registry_core._config.project")
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    return function(*arguments)


def without_descriptors(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns when this process can't open a file."""
    import resource

    function(*arguments)  # imports what it needs
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, most))
    return function(*arguments)


def hosts_of_project(cwd: Path, environ: Mapping[str, str] = EMPTY) -> tuple[str, ...]:
    """What the project of `cwd` says that is trusted."""
    return load_settings(environ, cwd).trusted_hosts


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
