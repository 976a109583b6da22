"""Read a file that others may have damaged, replaced or put there.

There are three cases, and only one is damage. A file may be *absent*. It may be *damaged*: not a
regular file, owned by somebody who is not trusted, or too large (the caller checks its content).
Or it *can't be read now*: no descriptor or memory left, an I/O error. That says nothing about
the file, so nothing may be changed because of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from ..errors import SnapshotDamagedError, StoreError

#: Whether the owner of a file with this status is trusted.
Trust = Callable[[os.stat_result], bool]

#: Maximum size in bytes. A state file of ten thousand gateways has five million.
_MOST = 256 * 2**20
_FLAGS = os.O_RDONLY
for _name in ("O_BINARY", "O_CLOEXEC", "O_NOCTTY", "O_NONBLOCK"):  # a pipe must not hold us
    _FLAGS |= getattr(os, _name, 0)


def anybody(_status: os.stat_result) -> bool:
    """Trust every owner, for a file that the user named."""
    return True


def open_file(path: str, trusts: Trust = anybody) -> int | None:
    """An open descriptor of the file, checked after opening; None if the file is absent.

    Raises SnapshotDamagedError if it is not a regular file of a trusted owner, and StoreError
    if it can't be read now.
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
    """The content of the file; None if it is absent. Raises as `open_file`."""
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
    """The status of the file; None if there is none, or if this user can't reach it. Raises
    StoreError if that can't be checked now."""
    try:
        return os.stat(path)
    except OSError as error:
        if is_absent(error) or is_out_of_reach(error, path):
            return None
        if _is_no_file(error, path):
            return os.lstat(path)  # a link to itself: `open_file` says what it is
        raise unreadable(path, error) from error


def is_special(path: str) -> bool:
    """Whether something other than a regular file is there: a FIFO, a device, a socket, a folder,
    a link to one of these, or a link to itself. Raises StoreError."""
    status = status_of(path)
    return status is not None and not stat.S_ISREG(status.st_mode)


def _is_no_file(error: OSError, path: str) -> bool:
    """Whether this can't be opened at all: a socket, a link to itself, on Windows a folder."""
    import errno  # rarely needed

    if error.errno not in (errno.ENXIO, errno.ELOOP):
        return os.path.isdir(path)  # noqa: PTH112
    try:  # an automounter may give the same error for a good file, for a while
        return not stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def is_absent(error: OSError) -> bool:
    return isinstance(error, (FileNotFoundError, NotADirectoryError))


def is_out_of_reach(error: OSError, path: str) -> bool:
    """Whether this user has no right to `path`, or to a folder on the way to it."""
    return isinstance(error, PermissionError) and not os.access(path, os.R_OK)


def unreadable(path: str, error: Exception) -> StoreError:
    """The StoreError for a file that can't be read now, for example for lack of memory."""
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return StoreError(
        f"can't be read now: {why}",
        culprit=path,
        hint="nothing was changed; try again when the cause is gone",
    )


def _damaged(path: str, message: str) -> SnapshotDamagedError:
    return SnapshotDamagedError(message, culprit=path, hint="run registry-core sync")
