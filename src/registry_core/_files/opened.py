"""A file that is read in parts, for as long as somebody may want more of it.

Not mapped: a process that reads a mapped file ends with SIGBUS if somebody has cut the file
meanwhile (`cp` and `rsync --inplace` do), or if its disk fails. Here these are errors. On
Windows, where nobody can cut a mapped file, it is mapped.
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
    """What bytes, a mapped and an open file have in common."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


class OpenFile:
    """The bytes of a file, each part read when it is asked for: `file[10:20]`.

    All of one file share one descriptor, kept until nobody needs it. It is opened again by
    its name if the system refuses to read, or if somebody has closed it: a process that
    becomes a daemon closes all that are open. Raises StoreError if that fails, too.
    """

    __slots__ = ("__weakref__", "_held", "_identity", "_name")

    def __init__(self, descriptor: int, identity: _Identity, name: str) -> None:
        """`descriptor` is its own from now on."""
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
        wanted = (size if stop is None or stop > size else stop) - start  # damage may claim any
        return os.pread(self._held[-1], wanted, start) if wanted > 0 else b""

    def _size(self) -> int:
        """As of now."""
        status = os.fstat(self._held[-1])
        if (status.st_dev, status.st_ino) != self._identity:
            raise OSError("another file has taken its place")
        return status.st_size

    def _trying(self, read: Callable[[], T]) -> T:
        """What `read` gives, at the second try from a new descriptor."""
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
    """What the file `name`, open as `descriptor`, holds; that may be closed afterwards.

    Raises OSError.
    """
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
            if _identity(os.fstat(descriptor)) == identity:  # else it is somebody else's by now
                os.close(descriptor)
