"""A file that stays open and is read in parts.

It is not mapped. A process that reads a mapped file crashes with SIGBUS if somebody truncates
the file meanwhile (as `cp` and `rsync --inplace` do), or if the disk fails. Here these are
errors. On Windows, where a mapped file can't be truncated, it is mapped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary, finalize

from .reading import open_file, unreadable

T = TypeVar("T")

#: Device and inode.
_Identity = tuple[int, int]


class Parts(Protocol):
    """The common interface of bytes, a mapped file and an open file."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


class OpenFile:
    """The bytes of a file; `file[10:20]` reads these.

    All readers of a file share one descriptor, which is closed when the last one is gone. If
    reading fails, the file is opened again by its name, since a process that becomes a daemon
    closes all descriptors. Raises StoreError if that fails, too.
    """

    __slots__ = ("__weakref__", "_held", "_identity", "_name")

    def __init__(self, descriptor: int, identity: _Identity, name: str) -> None:
        """Takes over `descriptor`."""
        self._held = [descriptor]  # the last one counts
        self._identity = identity
        self._name = name
        finalize(self, _close, self._held, identity)

    def __len__(self) -> int:
        return self._trying(self._size)

    def __getitem__(self, part: slice, /) -> bytes:
        try:
            return self._part(part)
        except OSError:  # here, since a closure would cost each look a microsecond
            return self._trying(lambda: self._part(part))

    def _part(self, part: slice) -> bytes:
        size, start, stop = self._size(), part.start or 0, part.stop
        wanted = (size if stop is None or stop > size else stop) - start  # offsets may be damaged
        return os.pread(self._held[-1], wanted, start) if wanted > 0 else b""

    def _size(self) -> int:
        """As of now."""
        status = os.fstat(self._held[-1])
        if (status.st_dev, status.st_ino) != self._identity:
            raise OSError("another file has taken its place")
        return status.st_size

    def _trying(self, read: Callable[[], T]) -> T:
        """The result of `read()`, which is tried again with a new descriptor if it fails."""
        try:
            return read()
        except OSError:
            try:
                self._open_again()
                return read()
            except OSError as error:
                raise unreadable(self._name, error) from error

    def _open_again(self) -> None:
        descriptor = open_file(self._name)
        if descriptor is None:
            raise FileNotFoundError("is gone")
        self._held.append(descriptor)


def open_parts(descriptor: int, name: str) -> Parts:
    """The content of the file `name`, which is open as `descriptor`. The descriptor may be closed
    afterwards. Raises OSError."""
    if sys.platform == "win32":
        from mmap import ACCESS_READ, mmap

        return mmap(descriptor, 0, access=ACCESS_READ) if os.fstat(descriptor).st_size else b""
    identity = _identity(os.fstat(descriptor))
    shared = _open.get(identity)
    if shared is None:
        shared = _open.setdefault(identity, OpenFile(os.dup(descriptor), identity, name))
    return shared


#: Those that are in use.
_open: WeakValueDictionary[_Identity, OpenFile] = WeakValueDictionary()


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino


def _close(descriptors: list[int], identity: _Identity) -> None:
    for descriptor in descriptors:
        with suppress(OSError):
            if _identity(os.fstat(descriptor)) == identity:  # it may have been reused
                os.close(descriptor)
