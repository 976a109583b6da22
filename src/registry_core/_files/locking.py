"""A lock file that one process holds at a time.

Usually it is a lock of the kernel, which is freed when its holder ends. Some network file systems
have none. There the file contains the process and the host that hold it. If that process was
killed, the next one on the same host takes over; another host can't know that it was killed.
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

# Our own messages say this, and the warning would show a line of the library.
warnings.filterwarnings("ignore", "flock not supported", UserWarning)

logger = logging.getLogger("registry_core")

_MOST = 100
_WAY_OUT = "if it is gone, remove the file"


class HeldError(TimeoutError):
    """Another process held the lock for longer than the time to wait."""

    def __init__(self, holder: str | None, seconds: float) -> None:
        self.holder = holder or "another process"
        self.way_out = _WAY_OUT if holder else None
        """What to do if the holder may have been killed on another host; else None."""
        super().__init__(f"{self.holder} has held it for {seconds:.3g} s")


@contextmanager
def locked(
    path: str,
    patience: float,
    waits: Callable[[], object] = lambda: None,
    *,
    mode: int | None = None,
) -> Generator[None]:
    """Hold the lock for this thread. If it is taken, call `waits`, and wait up to `patience`
    seconds. Raises HeldError, and StoreError if the file can't be locked."""
    options: dict[str, Any] = {"thread_local": False} | ({} if mode is None else {"mode": mode})
    lock: BaseFileLock = FileLock(path, **options)
    ends = monotonic() + patience
    try:
        try:
            lock.acquire(timeout=0)
        except NotImplementedError:  # no kernel lock here, and the library doesn't fall back
            lock = SoftFileLock(path, **options)
            lock.acquire(timeout=0)
    except Timeout:
        waits()
        if holder := _holder(path):  # it may have been killed on another host
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
        try:
            lock.release()
        except OSError:  # it would be held for as long as anything refers to it
            lock.release(force=True)


def _holder(path: str) -> str | None:
    """The holder, as "process 12 on host"; None if the file doesn't say so (yet)."""
    try:
        process, host, *_ = (read_file(path) or b"").decode().splitlines()
    except (ValueError, StoreError):
        return None
    return f"process {process} on {printable(host, _MOST)}" if process.isdigit() else None
