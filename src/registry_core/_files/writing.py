"""Replace a file atomically: readers see the old file or the new one, also after a kill.

Guaranteed: the temporary file is in the same folder, ends in ``.tmp`` (dev servers
restart for other names), and is removed after a failure. An existing file keeps its mode,
a new one gets the umask's. A symlink at the destination is replaced, not followed.
Not guaranteed: that a rename survives a power failure (the folder is not synced). Temporary
files of a killed process stay until `clear_leftovers`.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PREFIX, _SUFFIX = ".registry-core-", ".tmp"
_TRIES = 8  # 0.6 s in all
_BUSY = (5, 32)  # Windows: access denied, sharing violation; somebody has the file open


def write_atomically(
    path: Path, data: bytes, *, durable: bool, mode: int = 0o666, exchange: bool = False
) -> os.stat_result:
    """Replace `path` by a file with `data`. Raises OSError; then nothing has changed.

    Returns the status of the new file. Another process may have replaced it since.

    `durable` syncs the data to disk before the rename; `mode` is that of a new file,
    before the umask; `exchange` lets editors on Linux see a change, see `_exchange`.
    """
    for _ in range(_TRIES - 1):
        with suppress(FileNotFoundError):  # another process took it for a leftover; or no folder
            return _write(path, data, durable, mode, exchange)
    return _write(path, data, durable, mode, exchange)


def _write(path: Path, data: bytes, durable: bool, mode: int, exchange: bool) -> os.stat_result:
    temporary = f"{path.parent}{os.sep}{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, mode)
    except OSError as error:
        error.filename = str(path)  # nobody has chosen the other name
        raise
    try:
        try:
            remaining = memoryview(data)
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
            if durable:
                os.fsync(descriptor)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        replaces = False
        with suppress(FileNotFoundError):
            existing = os.lstat(path).st_mode
            replaces = stat.S_ISREG(existing)
            if replaces and existing != status.st_mode:
                os.chmod(temporary, stat.S_IMODE(existing))  # noqa: PTH101
        if exchange and replaces and _exchange(path, temporary):
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108  # the old file
        else:
            _replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    return status


def refuse_special(path: Path) -> None:
    """Raise OSError if `path` is, or leads to, a FIFO, a device or a socket, which
    `write_atomically` would replace."""
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OSError(errno.EEXIST, "is a device, a FIFO or a socket", str(path))


def write_hint(error: OSError) -> str:
    """What to do about a file that can't be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "free some space"
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return "make it writable"
    if isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError)):
        path = Path(error.filename2 or error.filename or "")
        there = next((parent for parent in (path, *path.parents) if os.path.lexists(parent)), path)
        return f"move {there} away"
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"make the folder {Path(error.filename).parent}"
    return "try again when the cause is gone"


def clear_leftovers(folder: Path) -> None:
    """Remove the temporary files of killed processes in `folder`, as far as possible.

    It may also remove the file of a running process, which then writes it again.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name.startswith(_PREFIX) and path.name.endswith(_SUFFIX):
                with suppress(OSError):
                    path.unlink()


_BINARY: int = getattr(os, "O_BINARY", 0)


def _exchange(path: Path, temporary: str) -> bool:
    """Swap the names of both files in one step. Returns False if that is not possible here.

    Linux then reports to watchers that `path` was deleted and created. VS Code turns that into
    "changed", and Neovim passes it on. After a rename over `path`, watchers only hear that it
    was created (also after a touch), and TypeScript 7.0 does not read a created file again:
    microsoft/TypeScript#64195. `path` must be the first name, which is deleted first;
    otherwise it would seem to be gone.
    """
    if sys.platform != "linux":
        return False
    try:
        import ctypes  # not in every build of Python

        swap: Callable[[int, bytes, int, bytes, int], int] = ctypes.CDLL(None).renameat2
    except Exception:  # or of the C library; or an audit hook forbids it
        return False
    return swap(_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(temporary), _EXCHANGE) == 0


_AT_FDCWD, _EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


def _replace(temporary: str, path: Path) -> None:
    """`os.replace`, with retries while a reader or virus scanner on Windows has the file open."""
    for attempt in range(_TRIES):
        try:
            os.replace(temporary, path)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _BUSY or attempt == _TRIES - 1:
                raise
            time.sleep(0.005 * 2**attempt)
