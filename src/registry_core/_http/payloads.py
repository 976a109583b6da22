"""The raw payloads of gateways, shared by all environments of a user.

There is one file per URL and credentials, or per URL and identity if a plugin names one. The name
of a file is an HMAC with a random key of the user, so nobody can find out from it what was sent.
A file counts as absent if it can't be read, is damaged, or belongs to another user. Then the
payload is fetched again. A folder in which other users may write is not used.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from attrs import Factory, field, frozen

from .._files.locking import HeldError, locked
from .._files.ownership import is_ours, is_private
from .._files.reading import Trust, open_file
from .._files.writing import write_atomically
from ..errors import SnapshotDamagedError, StoreError

_KEY_BYTES = 32
#: A payload that nobody has confirmed for this long is removed.
_KEEP_NS = 30 * 86_400 * 10**9
_OURS = (".payload", ".lock", ".tmp")
#: Bytes. The validators of servers are shorter.
_LONGEST_HEADER = 2**20
#: The most payloads of one URL. Each token that was sent has its own, and tokens may rotate.
_MOST_PER_URL = 16


def _digest(payload: Payload) -> str:
    digest = hashlib.sha256(json.dumps([payload.etag, payload.last_modified]).encode())
    digest.update(payload.body or b"")
    return digest.hexdigest()


@frozen
class Payload:
    """The body that a URL sent, with its validators."""

    body: bytes | None = field(repr=False)
    """None if it was not read."""
    etag: str | None = None
    last_modified: str | None = None
    confirmed_ns: int = field(default=0, eq=False)
    """Epoch nanoseconds: when a 200 or 304 last confirmed that the URL sends this."""
    digest: str = field(default=Factory(_digest, takes_self=True))
    """SHA-256 of the validators and the body, hexadecimal."""
    url: str = field(default="", eq=False, kw_only=True)
    """A name for its URL, made by `Payloads.key`, the same for all who ask. Empty if unknown."""

    def to_bytes(self) -> bytes:
        header = {"etag": self.etag, "last_modified": self.last_modified, "sha256": self.digest}
        header["url"] = self.url
        return json.dumps(header).encode() + b"\n" + (self.body or b"")

    @classmethod
    def from_file(
        cls, file: BinaryIO, confirmed_ns: int, *, whole: bool, max_bytes: int
    ) -> Payload | None:
        """None if it is damaged, or its body is larger than `max_bytes`."""
        try:
            about = json.loads(file.readline(_LONGEST_HEADER))
            validators = about["etag"], about["last_modified"]
            if not whole:
                url = str(about.get("url", ""))
                return cls(None, *validators, confirmed_ns, str(about["sha256"]), url=url)
            payload = cls(file.read(max_bytes + 1), *validators, confirmed_ns)
            fits = len(payload.body or b"") <= max_bytes
            return payload if fits and payload.digest == about["sha256"] else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


class Payloads:
    """Raw payloads, in the first of `folders` that has a key or can store one. Nothing is created
    before it is needed.

    The folders are only for these files. If no folder can be written, or an untrusted user
    (`trusts`) may write there, nothing is stored and no process waits for another. Everything else
    works. With `writes=False`, it only reads. `key`: the key for the names, if it is not the one in
    a folder.
    """

    def __init__(
        self,
        *folders: Path,
        trusts: Trust = is_ours,
        max_bytes: int = 64 * 2**20,
        writes: bool = True,
        key: bytes | None = None,
    ) -> None:
        self._folders = folders
        self._writes = writes
        self._trusts = trusts
        self._max_bytes = max_bytes
        self._found: tuple[Path | None, bytes] | None = (None, key) if key else None
        self._finding = Lock()

    def key(self, url: str, credentials: Iterable[tuple[str, str]]) -> str:
        """The name of the payload that `url` sends to a request with these headers."""
        request = json.dumps([url, sorted(credentials)]).encode()
        return hmac.new(self._find()[1], request, hashlib.sha256).hexdigest()

    def unkept(self) -> Payloads:
        """Payloads with the same names, of which nothing is read or written."""
        return Payloads(key=self._find()[1])

    @contextmanager
    def lock(self, key: str, timeout: float) -> Generator[None]:
        """Lock `key` for this thread, on this machine. Raises HeldError after `timeout` seconds."""
        with self._locked(self._find()[0], key, timeout):
            yield

    def read(self, key: str, *, whole: bool = True) -> Payload | None:
        """The payload stored under `key`. None if it is absent or damaged. With `whole=False`
        without the body, so damage of the body is not noticed."""
        try:
            descriptor = self._open(self._find()[0], f"{key}.payload")
            if descriptor is None:
                return None
            with os.fdopen(descriptor, "rb") as file:
                confirmed_ns = os.fstat(descriptor).st_mtime_ns
                return Payload.from_file(file, confirmed_ns, whole=whole, max_bytes=self._max_bytes)
        except (OSError, StoreError):
            return None

    def write(self, key: str, payload: Payload) -> bool:
        """Store `payload`. The caller holds the lock of `key`. Returns whether it is stored."""
        folder = self._writable()
        if folder is None:
            return False
        path = folder / f"{key}.payload"
        try:
            # Not synced to disk: after a loss of power, a damaged payload is fetched again.
            write_atomically(path, payload.to_bytes(), durable=False, mode=0o600)
            now_ns = path.stat().st_mtime_ns  # by the disk's clock, as for the other files
            self._remove_forgotten(folder, now_ns)
        except OSError:
            return False
        self.confirm(key, payload.confirmed_ns)
        return True

    def confirm(self, key: str, confirmed_ns: int) -> None:
        """Note that the URL still sends what is stored. Opens nothing for writing."""
        folder = self._writable()
        if folder is not None:
            with suppress(OSError):
                os.utime(folder / f"{key}.payload", ns=(confirmed_ns, confirmed_ns))

    def _writable(self) -> Path | None:
        folder = self._find()[0]
        return folder if self._writes and folder and is_private(folder, self._trusts) else None

    def _find(self) -> tuple[Path | None, bytes]:
        """The folder, if one can be used, and the user's key, which is made on demand. If that
        can't be stored, the key is only for this process."""
        with self._finding:
            if self._found is None:
                self._found = None, secrets.token_bytes(_KEY_BYTES)
                for folder in self._folders:
                    key = self._user_key(folder)
                    if key is not None:
                        self._found = folder, key
                        break
            return self._found

    def _user_key(self, folder: Path) -> bytes | None:
        with suppress(OSError, StoreError):
            if (key := self._read_key(folder)) is not None:
                return key
            # Two processes that start at once must use the same key. Otherwise both would fetch.
            with self._locked(folder, "key", timeout=5):
                key = self._read_key(folder)
                if key is None and self._writes and is_private(folder, self._trusts):
                    key = secrets.token_bytes(_KEY_BYTES)
                    write_atomically(folder / "key", key, durable=True, mode=0o600)
                return key
        return None

    def _read_key(self, folder: Path) -> bytes | None:
        """The key in `folder`. None if there is none, or it is damaged or not trusted."""
        try:
            descriptor = self._open(folder, "key")
            if descriptor is None:
                return None
            with os.fdopen(descriptor, "rb") as file:
                key = file.read(_KEY_BYTES + 1)
        except SnapshotDamagedError:
            return None
        return key if len(key) == _KEY_BYTES else None

    @contextmanager
    def _locked(self, folder: Path | None, name: str, timeout: float) -> Generator[None]:
        with ExitStack() as locks:
            if folder is not None and self._writes:
                try:
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    if is_private(folder, self._trusts):
                        path = str(folder / f"{name}.lock")
                        locks.enter_context(locked(path, timeout, mode=0o600))
                        _put_folders_aside(folder, name)
                except HeldError:
                    raise
                except (OSError, StoreError):  # then no process waits for another
                    pass
            yield

    def _open(self, folder: Path | None, name: str) -> int | None:
        """A descriptor of the file, None if there is none. Raises StoreError."""
        if folder is None or not is_private(folder, self._trusts):
            return None
        return open_file(str(folder / name), self._trusts)

    def _remove_forgotten(self, folder: Path, now_ns: int) -> None:
        """Remove old files, and the oldest payloads of a URL that has too many."""
        ages: dict[Path, int] = {}
        for path in folder.iterdir():
            with suppress(OSError):
                if path.suffix in _OURS:
                    ages[path] = now_ns - path.stat().st_mtime_ns
        of_url = Counter[str]()
        for path in sorted(ages, key=ages.__getitem__):
            payload = self.read(path.stem, whole=False) if path.suffix == ".payload" else None
            if payload and payload.url:
                of_url[payload.url] += 1
            if ages[path] > _KEEP_NS or (payload and of_url[payload.url] > _MOST_PER_URL):
                with suppress(OSError):
                    path.unlink()


def _put_folders_aside(folder: Path, key: str) -> None:
    """Rename folders that have the names of the files of `key`, since no file replaces a folder."""
    for path in (folder / f"{key}.payload", folder / key):
        with suppress(OSError):
            if path.is_dir():
                path.rename(f"{path}-{secrets.token_hex(4)}")
