"""Reading a file that others may have damaged, replaced or put there.

Three things can be wrong, and only one of them is damage. A file may be *absent*. It may be
*damaged*: no regular file, a stranger's, too large to be one of ours (what it holds is for
the caller to judge). Or the system refuses for a reason that may pass: no descriptor is
left, no memory, an I/O error. That says nothing about the file, so nobody may act on it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from ..errors import SnapshotDamagedError, StoreError

#: Whether somebody who owns a file with this status may decide what it holds.
Trust = Callable[[os.stat_result], bool]

#: Bytes; what is read whole. A state file of ten thousand gateways has five million.
_MOST = 256 * 2**20
_FLAGS = os.O_RDONLY
for _name in ("O_BINARY", "O_CLOEXEC", "O_NOCTTY", "O_NONBLOCK"):  # a pipe must not hold us
    _FLAGS |= getattr(os, _name, 0)


def anybody(_status: os.stat_result) -> bool:
    """The trust in a file that the user has named."""
    return True


def open_file(path: str, trusts: Trust = anybody) -> int | None:
    """A descriptor of the file, checked after it was opened; None if it is absent.

    Raises SnapshotDamagedError if it is no regular file of somebody trusted, and StoreError
    for what may pass.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        if is_absent(error):
            return None
        if _is_no_file(error, path):
            raise _damaged(path, "is not a regular file") from error
        raise unreadable(path, error) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _damaged(path, "is not a regular file")
        if not trusts(status):
            raise _damaged(path, "belongs to somebody else")
    except OSError as error:
        os.close(descriptor)
        raise unreadable(path, error) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_file(path: str, trusts: Trust = anybody) -> bytes | None:
    """What the file holds; None if it is absent. Raises as `open_file`."""
    descriptor = open_file(path, trusts)
    if descriptor is None:
        return None
    try:
        remaining = os.fstat(descriptor).st_size
        if remaining > _MOST:
            raise _damaged(path, f"is too large: {remaining} bytes")
        parts: list[bytes] = []
        while part := os.read(descriptor, remaining + 1):
            parts.append(part)
            remaining = max(0, remaining - len(part))
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        os.close(descriptor)
    return b"".join(parts)


def status_of(path: str) -> os.stat_result | None:
    """None if there is nothing, or nothing that this user could reach. Raises StoreError."""
    try:
        return os.stat(path)
    except OSError as error:
        if is_absent(error) or is_out_of_reach(error, path):
            return None
        if _is_no_file(error, path):
            return os.lstat(path)  # a link to itself: `open_file` says what it is
        raise unreadable(path, error) from error


def is_special(path: str) -> bool:
    """Whether what lies there is no regular file: a FIFO, a device, a socket, a folder, or a
    link to one, or to itself. Raises StoreError."""
    status = status_of(path)
    return status is not None and not stat.S_ISREG(status.st_mode)


def _is_no_file(error: OSError, path: str) -> bool:
    """Whether the name can't be opened at all: that of a socket, of a link that leads to
    itself, on Windows of a folder."""
    import errno  # rarely needed

    if error.errno not in (errno.ENXIO, errno.ELOOP):
        return os.path.isdir(path)  # noqa: PTH112
    try:  # an automounter may say the same of a sound file, for a while
        return not stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def is_absent(error: OSError) -> bool:
    return isinstance(error, (FileNotFoundError, NotADirectoryError))


def is_out_of_reach(error: OSError, path: str) -> bool:
    """Whether this user has no right to `path`, or to a folder on the way to it."""
    return isinstance(error, PermissionError) and not os.access(path, os.R_OK)


def unreadable(path: str, error: Exception) -> StoreError:
    """The system refuses, for a reason that may pass; a MemoryError is one."""
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return StoreError(
        f"can't be read now: {why}",
        culprit=path,
        hint="nothing was changed; try again when the cause is gone",
    )


def _damaged(path: str, message: str) -> SnapshotDamagedError:
    return SnapshotDamagedError(message, culprit=path, hint="run registry-core sync")
