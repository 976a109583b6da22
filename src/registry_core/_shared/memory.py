"""What this machine remembers of the shared catalog: `v1/shared.json`, for syncs and `doctor`.

It is a cache: if it is lost, the pointer is read again. It is written by rename, and not synced to
disk. Its modification time says when the engine last answered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from .._base.frozen import EMPTY
from .._files.reading import Trust, read_file, status_of
from .._files.writing import write_atomically
from ..errors import StoreError

NAME = "shared.json"


@frozen
class Memory:
    url: str = ""
    version: Mapping[str, str] = EMPTY
    """The version of the pointer in `text`."""
    text: str = ""
    """The pointer as it was read, with its seal. Empty if there was none."""
    serial: int = 0
    """The highest serial number that was seen."""
    seen: Mapping[str, float] = EMPTY
    """Key of an entry → epoch seconds of this machine: its result was confirmed then, or later."""
    lease: str = ""
    """The ETag of another machine's lease."""
    lease_since: float = 0.0
    """Monotonic seconds: when that lease was first seen."""
    waiting: float | None = None
    """Monotonic seconds: since when this machine waits for another one to publish."""
    conditional: bool = False
    """Whether the engine is known to obey conditions."""
    unpublished: Mapping[str, str] = EMPTY
    """Gateway → why its result stays on this machine."""
    error: str | None = None
    """The failure of the last sync with the engine."""
    looked_at: float | None = None
    """Epoch seconds: when the engine last answered. Stored as the file's modification time."""


def load(folder: Path, url: str, trusts: Trust) -> Memory:
    """What is remembered of `url`. Empty if it is damaged, or of another URL."""
    try:
        text = read_file(str(folder / NAME), trusts)
        status = status_of(str(folder / NAME))
        raw: Any = json.loads(text) if text else {}
        if not status or raw.get("url") != url:
            return Memory(url)
        known = {name: raw[name] for name, kind in _KINDS.items() if isinstance(raw[name], kind)}
        return Memory(**known, looked_at=status.st_mtime_ns / 1e9 if raw["answered"] else None)
    except (StoreError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Memory(url)


def save(folder: Path, memory: Memory) -> None:
    """Save the memory. If that fails, the engine is asked again."""
    about = {**asdict(memory), "answered": memory.looked_at is not None}
    del about["looked_at"]
    with suppress(OSError):
        text = json.dumps(about, sort_keys=True).encode()
        write_atomically(folder / NAME, text, durable=False, mode=0o600)
    if memory.looked_at is not None:
        confirm(folder, memory.looked_at)


def confirm(folder: Path, at: float) -> None:
    """Note that the pointer was unchanged then."""
    with suppress(OSError):
        os.utime(folder / NAME, ns=(int(at * 1e9), int(at * 1e9)))


_KINDS: Mapping[str, Any] = {
    "url": str,
    "version": dict,
    "text": str,
    "serial": int,
    "seen": dict,
    "lease": str,
    "lease_since": (int, float),
    "waiting": (int, float, type(None)),
    "conditional": bool,
    "unpublished": dict,
    "error": (str, type(None)),
}
