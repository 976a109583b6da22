"""Notice what a call does beside using its arguments: I/O, and reads of the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import local
from types import FrameType
from typing import Any

#: Prefixes of audit events (docs.python.org/3/library/audit_events.html) that mean I/O.
_IO = ("open", "os.", "shutil.", "socket.", "sqlite3.", "subprocess.", "tempfile.", "urllib.")

_watch = local()


@contextmanager
def watch_acts() -> Generator[list[str]]:
    """Yields a list to which the acts of this thread are added, except imports."""
    _install_hook()
    environ: Any = type(os.environ)
    read = environ.__getitem__

    def read_and_tell(self: Any, name: Any) -> Any:
        _tell(f"read the environment variable {name!r}")
        return read(self, name)

    acts: list[str] = []
    environ.__getitem__ = read_and_tell
    _watch.seen = acts
    try:
        yield acts
    finally:
        _watch.seen = None
        environ.__getitem__ = read


@cache
def _install_hook() -> None:
    """Install the audit hook, once per process and only when needed, since it can't be removed."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if getattr(_watch, "seen", None) is not None and event.startswith(_IO):
            _tell(f"{event} {arguments[0]!r:.200}" if arguments else event)

    sys.addaudithook(hook)


def _tell(act: str) -> None:
    acts: list[str] | None = getattr(_watch, "seen", None)
    if acts is not None and not _is_importing(sys._getframe(1)):
        acts.append(act)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
