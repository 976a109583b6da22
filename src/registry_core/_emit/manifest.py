"""What syncs wrote into targets: to write only what differs, and remove only what is theirs."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, cast

from .._files.reading import read_file
from .._files.writing import write_atomically
from ..errors import SnapshotDamagedError

Signature = list[int]


class Manifest:
    """Name of a target → key of its emission, and per file its size, time, inode and digest.

    It is saved before a target is touched, too, with the digests of what will be written:
    a file that a killed sync has made is known to the next one, whatever that one makes.
    Lost or damaged it costs a comparison of contents, and leftovers that stay.
    """

    def __init__(self, path: Path | None) -> None:
        """`path`: None keeps nothing, and compares contents each time. Raises StoreError if
        the file can't be read now."""
        self._path = path
        self._digest = cache(digest)  # of what is written, each is asked for twice
        self._targets: dict[str, Any] = {}
        with suppress(SnapshotDamagedError, ValueError, RecursionError):
            text = read_file(str(path)) if path else None
            self._targets = {} if text is None else _object(json.loads(text))

    def current(self, target: str, key: str) -> bool:
        """Nothing to do: the same emission, and every file as it was left."""
        entry = self._entry(target)
        return entry.get("key") == key and all(
            isinstance(record, list) and signature(name) == record[:-1]
            for name, record in _object(entry.get("files")).items()
        )

    def key(self, target: str) -> str | None:
        """That of the last emission that was completed; None if there is none."""
        return self._entry(target).get("key") or None

    def targets(self) -> tuple[str, ...]:
        """The names of all that were written to."""
        return tuple(sorted(self._targets))

    def count(self, target: str) -> int:
        """How many files the target holds."""
        entry = self._entry(target)
        return len({*_object(entry.get("files")), *_object(entry.get("begun"))})

    def digests(self, target: str) -> dict[Path, set[str]]:
        """Path → digests of what syncs wrote there, or were about to write."""
        entry = self._entry(target)
        digests: dict[Path, set[str]] = {}
        for part in ("files", "begun"):
            for name, record in _object(entry.get(part)).items():
                digests.setdefault(Path(name), set()).update(_texts(record))
        return digests

    def holds(self, target: str, path: Path, data: bytes) -> bool:
        """Whether a sync wrote `data` there, and nobody has touched the file since."""
        current = signature(path)
        record = _object(self._entry(target).get("files")).get(str(path))
        return bool(current) and record == [*current, self._digest(data)]

    def begin(self, target: str, contents: Mapping[Path, bytes]) -> None:
        """Note that these files are about to be written."""
        entry = self._entry(target)
        begun = dict(_object(entry.get("begun")))
        for path, data in contents.items():
            name = str(path)
            begun[name] = sorted({*_texts(begun.get(name)), self._digest(data)})
        files = _object(entry.get("files"))
        self._targets[target] = {"key": "", "files": files, "begun": begun}

    def record(
        self,
        target: str,
        key: str,
        contents: Mapping[Path, bytes],
        signatures: Mapping[Path, Signature],
    ) -> None:
        """Note that these files are all that the target holds, and how each was `seen` to be."""
        files = {
            str(path): [*signatures[path], self._digest(data)] for path, data in contents.items()
        }
        self._targets[target] = {"key": key, "files": files}

    def save(self) -> None:
        """Raises OSError."""
        if self._path is not None:
            text = json.dumps(self._targets, sort_keys=True)  # without indent, or it is slow
            write_atomically(self._path, text.encode(), durable=False)

    def _entry(self, target: str) -> dict[str, Any]:
        return _object(self._targets.get(target))


def digest(data: bytes) -> str:
    """The same for two texts that differ only in how their lines end."""
    return hashlib.blake2b(plain(data), digest_size=16).hexdigest()


def plain(data: bytes) -> bytes:
    """A text as it is compared: a checkout may have changed the ends of its lines."""
    return data.replace(b"\r\n", b"\n")


def signature(path: str | Path) -> Signature:
    """What tells a file from another, and from what it was; empty if there is none."""
    try:
        return signature_of(os.lstat(path))
    except (OSError, ValueError):  # a damaged manifest may name what can't be a path
        return []


def signature_of(status: os.stat_result) -> Signature:
    # The time alone is coarse: of two processes, each would take the other's file for its own.
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _texts(value: Any) -> Iterable[str]:
    items = cast("Iterable[Any]", value) if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, str))
