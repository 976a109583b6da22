"""What a call does behind the back of its arguments: I/O, and reads of the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import local
from types import FrameType
from typing import Any

#: Beginnings of audit events (docs.python.org/3/library/audit_events.html) that mean I/O.
_IO = ("open", "os.", "shutil.", "socket.", "sqlite3.", "subprocess.", "tempfile.", "urllib.")

_watch = local()


@contextmanager
def watch_acts() -> Generator[list[str]]:
    """The list that is given fills with what this thread does; imports don't count."""
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
    """Once per process: an audit hook can't be removed, so it is there only when wanted."""

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
