"""A file that one process holds at a time.

Mostly the kernel keeps the lock, and frees it however its holder ends. Some network file
systems have none; there the file says which process of which host holds it. If that one was
killed, the next on the same host takes over, but nobody on another host can tell.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from .._base.printable import printable
from ..errors import StoreError
from .reading import is_special, read_file
from .writing import write_hint

# It is no news to a reader of our own messages, and would name a line of the library.
warnings.filterwarnings("ignore", "flock not supported", UserWarning)

logger = logging.getLogger("registry_core")

_MOST = 100
_WAY_OUT = "if it is gone, remove the file"


class HeldError(TimeoutError):
    """Somebody else held the lock for longer than was to be waited."""

    def __init__(self, holder: str | None, seconds: float) -> None:
        self.holder = holder or "another process"
        self.way_out = _WAY_OUT if holder else None
        """What to do about one that may have been killed on another host."""
        super().__init__(f"{self.holder} has held it for {seconds:.3g} s")


@contextmanager
def locked(
    path: str,
    patience: float,
    waits: Callable[[], object] = lambda: None,
    *,
    mode: int | None = None,
) -> Generator[None]:
    """Hold the lock for this thread alone. If somebody else has it, `waits` is called, and up
    to `patience` seconds are waited. Raises HeldError, and StoreError if it can't be locked."""
    options: dict[str, Any] = {"thread_local": False} | ({} if mode is None else {"mode": mode})
    lock: BaseFileLock = FileLock(path, **options)
    ends = monotonic() + patience
    try:
        try:
            lock.acquire(timeout=0)
        except NotImplementedError:  # a library that leaves the choice to us
            lock = SoftFileLock(path, **options)
            lock.acquire(timeout=0)
    except Timeout:
        waits()
        if holder := _holder(path):  # which may have been killed on another host
            logger.warning("%s: waits for %s, up to %.3g s; %s", path, holder, patience, _WAY_OUT)
        try:
            lock.acquire(timeout=max(0.0, ends - monotonic()))
        except Timeout:
            raise HeldError(_holder(path), patience) from None
    except OSError as error:
        if is_special(path):
            raise StoreError("is not a regular file", culprit=path, hint="remove it") from error
        raise StoreError(
            f"can't be locked: {error}",
            culprit=path,
            hint=f"{write_hint(error)}, or set REGISTRY_CORE_STORE_DIR to a folder on another disk",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _holder(path: str) -> str | None:
    """As "process 12 on host"; None if the kernel alone knows, or somebody writes it just now."""
    try:
        process, host, *_ = (read_file(path) or b"").decode().splitlines()
    except (ValueError, StoreError):
        return None
    return f"process {process} on {printable(host, _MOST)}" if process.isdigit() else None
