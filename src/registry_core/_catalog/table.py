"""The bytes of a snapshot: records in a hash table, as described in `layout`.

What the records mean is the business of `snapshot`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring as _quoted
from struct import error as StructError
from typing import TYPE_CHECKING
from zlib import crc32

from .._base.fields import asked_id
from .._files.opened import Parts, open_parts
from ..errors import SnapshotDamagedError
from .layout import HEADER, MAGIC, MAX_KEY, SCHEMA, SLOT

if TYPE_CHECKING:
    import os
    from typing import Self

#: Bytes, and buckets, per read when all are read.
_PART = 2**20
_MANY = 2**9


class Table:
    """Records by their ids. Every read is checked, and raises SnapshotDamagedError for damage."""

    # Not an attrs class: making one takes 1 % of a cold lookup.
    __slots__ = ("_buckets", "_data", "_directory", "_hash")

    def __init__(
        self, data: Parts, hash: str, buckets: int, directory: tuple[int, int, int]
    ) -> None:
        self._data = data
        self._hash = hash
        self._buckets = buckets
        self._directory = directory

    @property
    def hash(self) -> str:
        """SHA-256 of the content, 64 hex digits."""
        return self._hash

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a snapshot file. Raises SnapshotDamagedError, or OSError if it can't be read."""
        with open(path, "rb") as file:
            return cls.map(file.fileno(), name=str(path))

    @classmethod
    def map(cls, descriptor: int, *, name: str) -> Self:
        """Read an open file; the descriptor may be closed afterwards. Raises as `open`, and
        StoreError, now or at a later read, if the file can't be read now."""
        return cls.from_bytes(open_parts(descriptor, name), name=name)

    @classmethod
    def from_bytes(cls, data: Parts, *, name: str = "snapshot") -> Self:
        """A snapshot from `to_bytes()`. Raises SnapshotDamagedError that names `name`."""
        header = data[: HEADER.size]
        try:
            magic, schema, total, buckets, size, checksum, digest, own = HEADER.unpack(header)
        except StructError:
            raise damaged("is too short to be a snapshot", name) from None
        if magic != MAGIC:
            raise damaged("is not a snapshot", name)
        if own != crc32(header[:-4]):
            raise damaged("has a damaged header", name)
        if schema != SCHEMA:
            raise damaged(f"has schema {schema}, this version reads {SCHEMA}", name)
        if total != len(data):
            raise damaged(f"holds {len(data)} bytes of {total}", name)
        start = HEADER.size + buckets * SLOT.size
        return cls(data, digest.hex(), buckets, (start, size, checksum))

    def to_bytes(self) -> bytes:
        return self._data[:]

    def verify(self) -> None:
        """Read everything and compare the content hash. Raises SnapshotDamagedError."""
        from hashlib import sha256

        content = sha256()
        for start in range(HEADER.size, len(self._data), _PART):
            content.update(self._data[start : start + _PART])
        if content.hexdigest() != self.hash:
            raise damaged("does not match its content hash", self.hash)

    def record(self, provider: str, model: str | None) -> bytes | None:
        """The record of a provider or a model, as JSON; None if there is none."""
        key = provider if model is None else f"{provider}/{model}"
        return _record_in(self._lines(key), provider, model)

    def lines(self) -> Iterator[bytes]:
        """Every record with its ids, in no order: JSON [provider id, model id or null, record]."""
        data = self._data[:]  # faster than a system call for each chunk
        for first in range(0, self._buckets, _MANY):
            count = min(_MANY, self._buckets - first)
            start = HEADER.size + first * SLOT.size
            table = data[start : start + count * SLOT.size]
            if len(table) != count * SLOT.size:
                raise damaged("is cut off", self.hash)
            offsets, sizes, checksums = zip(*SLOT.iter_unpack(table), strict=True)
            chunks = [data[at : at + size] for at, size in zip(offsets, sizes, strict=True)]
            actual = tuple(map(crc32, chunks, range(first + 1, first + count + 1)))
            if actual != checksums or tuple(map(len, chunks)) != sizes:
                raise damaged("has a damaged record", self.hash)
            for chunk in chunks:
                yield from chunk.splitlines()

    def lines_of(self, providers: Iterable[str]) -> Iterator[bytes]:
        """As `lines`, but only of these providers. Each record is looked up."""
        for id in providers:
            provider = self.record(id, None)
            if provider is not None:
                yield _start(id, None) + provider + b"]"
                for model in json.loads(provider)["models"]:
                    record = self.record(id, model)
                    if record is None:
                        raise damaged(f"lost the record of {id}/{model}", self.hash)
                    yield _start(id, model) + record + b"]"

    def _lines(self, key: str) -> list[bytes]:
        if len(asked_id(key)) > MAX_KEY:
            return []
        number = crc32(key.encode("utf-8", "surrogatepass")) % self._buckets
        start = HEADER.size + number * SLOT.size
        try:
            offset, size, checksum = SLOT.unpack(self._data[start : start + SLOT.size])
        except StructError:  # truncated since it was opened
            raise damaged("is cut off", self.hash) from None
        return self._chunk(offset, size, checksum, number + 1).split(b"\n")  # no other separator

    def _chunk(self, offset: int, size: int, checksum: int, number: int) -> bytes:
        chunk = self._data[offset : offset + size]
        if len(chunk) != size or crc32(chunk, number) != checksum:
            raise damaged("has a damaged record", self.hash)
        return chunk


def damaged(message: str, name: str) -> SnapshotDamagedError:
    return SnapshotDamagedError(message, culprit=name, hint="run registry-core sync to rebuild it")


def _start(provider: str, model: str | None) -> bytes:
    """The start of a record's line. The record and a bracket follow."""
    name = "null" if model is None else _quoted(model)
    return f"[{_quoted(provider)},{name},".encode("utf-8", "surrogatepass")


def _record_in(lines: list[bytes], provider: str, model: str | None) -> bytes | None:
    start = _start(provider, model)
    return next((line[len(start) : -1] for line in lines if line.startswith(start)), None)
