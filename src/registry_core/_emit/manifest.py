"""A record of what syncs wrote to targets, so that they write only what differs, and remove only
their own files."""

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
    """Name of a target → key of its emission, and for each file its size, time, inode and digest.

    It is also saved before a target is written, with the digests of the files to be written.
    So the next sync knows the files of a killed one. If the manifest is lost or damaged,
    contents are compared again, and files that are no longer made stay.
    """

    def __init__(self, path: Path | None) -> None:
        """With `path` None nothing is kept, and contents are compared each time. Raises
        StoreError if the file can't be read now."""
        self._path = path
        # Each file that is written needs its digest twice.
        self._digest = cache(lambda text: digest(text.encode()))
        self._targets: dict[str, Any] = {}
        with suppress(SnapshotDamagedError, ValueError, RecursionError):
            text = read_file(str(path)) if path else None
            self._targets = {} if text is None else _object(json.loads(text))

    def current(self, target: str, key: str) -> bool:
        """Whether there is nothing to do: the emission is the same, and no file has changed."""
        entry = self._entry(target)
        return entry.get("key") == key and all(
            isinstance(record, list) and signature(name) == record[:-1]
            for name, record in _object(entry.get("files")).items()
        )

    def key(self, target: str) -> str | None:
        """The key of the last completed emission; None if there is none."""
        return self._entry(target).get("key") or None

    def targets(self) -> tuple[str, ...]:
        """The names of all targets that were written to."""
        return tuple(sorted(self._targets))

    def count(self, target: str) -> int:
        """How many files the target holds."""
        entry = self._entry(target)
        return len({*_object(entry.get("files")), *_object(entry.get("begun"))})

    def digests(self, target: str) -> dict[Path, set[str]]:
        """Path → digests of the contents that syncs wrote there, or were about to write."""
        entry = self._entry(target)
        digests: dict[Path, set[str]] = {}
        for part in ("files", "begun"):
            for name, record in _object(entry.get(part)).items():
                digests.setdefault(Path(name), set()).update(_texts(record))
        return digests

    def holds(self, target: str, path: Path, text: str) -> bool:
        """Whether a sync wrote `text` to `path`, and the file has not changed since."""
        current = signature(path)
        record = _object(self._entry(target).get("files")).get(str(path))
        return bool(current) and record == [*current, self._digest(text)]

    def begin(self, target: str, contents: Mapping[Path, str]) -> None:
        """Note that these files are about to be written."""
        entry = self._entry(target)
        begun = dict(_object(entry.get("begun")))
        for path, text in contents.items():
            name = str(path)
            begun[name] = sorted({*_texts(begun.get(name)), self._digest(text)})
        files = _object(entry.get("files"))
        self._targets[target] = {"key": "", "files": files, "begun": begun}

    def record(
        self,
        target: str,
        key: str,
        contents: Mapping[Path, str],
        signatures: Mapping[Path, Signature],
    ) -> None:
        """Note that the target now consists of these files, with these signatures."""
        files = {
            str(path): [*signatures[path], self._digest(text)] for path, text in contents.items()
        }
        self._targets[target] = {"key": key, "files": files}

    def save(self) -> None:
        """Write the manifest. Raises OSError."""
        if self._path is not None:
            text = json.dumps(self._targets, sort_keys=True)  # without indent, or it is slow
            write_atomically(self._path, text.encode(), durable=False)

    def _entry(self, target: str) -> dict[str, Any]:
        return _object(self._targets.get(target))


def digest(data: bytes) -> str:
    """A digest that ignores the difference between LF and CRLF."""
    return hashlib.blake2b(plain(data), digest_size=16).hexdigest()


def plain(data: bytes) -> bytes:
    """`data` with LF line endings, for comparison: a checkout may have changed them to CRLF."""
    return data.replace(b"\r\n", b"\n") if b"\r" in data else data


def signature(path: str | Path) -> Signature:
    """Size, time and inode of a file, to notice changes; empty if there is no file."""
    try:
        return signature_of(os.lstat(path))
    except (OSError, ValueError):  # a damaged manifest may name what can't be a path
        return []


def signature_of(status: os.stat_result) -> Signature:
    # The time alone is too coarse to tell the files of two processes apart.
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _texts(value: Any) -> Iterable[str]:
    items = cast("Iterable[Any]", value) if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, str))
