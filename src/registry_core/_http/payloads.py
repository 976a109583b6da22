"""The raw payloads of gateways, shared by all environments of a user.

One file per URL and credentials (or identity, where that is told otherwise). Its name is an
HMAC under a random key of the user, so that nobody can tell from it, or try out, what was
sent. A file that can't be read or written, is damaged, or is a stranger's, is as if it were
absent: then a payload is fetched once more. A folder that others may write in is not used.
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
#: What nobody confirmed for so long is removed.
_KEEP_NS = 30 * 86_400 * 10**9
_OURS = (".payload", ".lock", ".tmp")
#: Bytes; servers' validators are shorter.
_LONGEST_HEADER = 2**20
#: Payloads of one URL: each token that was sent has one, and a token may rotate.
_MOST_PER_URL = 16


def _digest(payload: Payload) -> str:
    digest = hashlib.sha256(json.dumps([payload.etag, payload.last_modified]).encode())
    digest.update(payload.body or b"")
    return digest.hexdigest()


@frozen
class Payload:
    """The body that a URL sent, with its validators."""

    body: bytes | None = field(repr=False)
    """None: it was not read."""
    etag: str | None = None
    last_modified: str | None = None
    confirmed_ns: int = field(default=0, eq=False)
    """Epoch nanoseconds: when a 200 or 304 last said that this is what the URL holds."""
    digest: str = field(default=Factory(_digest, takes_self=True))
    """SHA-256 of the validators and the body, hexadecimal."""
    url: str = field(default="", eq=False, kw_only=True)
    """A name of its URL, the same whoever asks, as `Payloads.key` makes them; "": unknown."""

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
    """The folder of raw payloads. Nothing is created before it is needed.

    `folder` is for these files alone. None, or one that can't be written, or in which somebody
    may write whom this does not trust (`trusts`): nothing is kept and nobody is waited for; all
    else works. Unless it `writes`, it only reads what is there.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        trusts: Trust = is_ours,
        max_bytes: int = 64 * 2**20,
        writes: bool = True,
    ) -> None:
        self._folder = folder
        self._writes = writes
        self._trusts = trusts
        self._max_bytes = max_bytes
        self._key: bytes | None = None
        self._key_lasts = False
        self._key_lock = Lock()

    def key(self, url: str, credentials: Iterable[tuple[str, str]]) -> str:
        """The name of what `url` sends to who sends these headers."""
        told = json.dumps([url, sorted(credentials)]).encode()
        return hmac.new(self._hidden()[0], told, hashlib.sha256).hexdigest()

    @property
    def lasting(self) -> bool:
        """Whether other processes of the user give the same names."""
        return self._hidden()[1]

    def _hidden(self) -> tuple[bytes, bool]:
        """The key, and whether it is kept. Made at the first need; of this process alone, if it
        can't be kept."""
        with self._key_lock:
            if self._key is None:
                kept = self._user_key()
                self._key, self._key_lasts = kept or secrets.token_bytes(_KEY_BYTES), bool(kept)
            return self._key, self._key_lasts

    @contextmanager
    def lock(self, key: str, timeout: float) -> Generator[None]:
        """Hold `key` for this thread alone, on this machine. Raises HeldError after
        `timeout` seconds."""
        with ExitStack() as held:
            if self._folder is not None and self._writes:
                path = str(self._folder / f"{key}.lock")
                try:
                    self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    if self._is_usable():
                        held.enter_context(locked(path, timeout, mode=0o600))
                        self._put_folders_aside(key)
                except HeldError:
                    raise
                except (OSError, StoreError):  # then nobody is waited for
                    pass
            yield

    def _put_folders_aside(self, key: str) -> None:
        """Such as lie where the files of `key` belong, since no file replaces them."""
        assert self._folder is not None
        for path in (self._path(key), self._folder / key):
            if path.is_dir():
                path.rename(f"{path}-{secrets.token_hex(4)}")

    def read(self, key: str, *, whole: bool = True) -> Payload | None:
        """What was stored under `key`; None if it is damaged. Unless `whole`, without the
        body, whose damage then goes unnoticed."""
        try:
            descriptor = self._open(f"{key}.payload")
            if descriptor is None:
                return None
            with os.fdopen(descriptor, "rb") as file:
                confirmed_ns = os.fstat(descriptor).st_mtime_ns
                return Payload.from_file(file, confirmed_ns, whole=whole, max_bytes=self._max_bytes)
        except (OSError, StoreError):
            return None

    def write(self, key: str, payload: Payload) -> None:
        """Store `payload`; the caller holds the lock of `key`."""
        if not (self._writes and self._is_usable()):
            return
        with suppress(OSError):
            # Not synced to disk: what a loss of power damages is fetched again.
            write_atomically(self._path(key), payload.to_bytes(), durable=False, mode=0o600)
            now_ns = self._path(key).stat().st_mtime_ns  # by the disk's clock, as the others' are
            self._remove_forgotten(now_ns)
            self.confirm(key, payload.confirmed_ns)

    def confirm(self, key: str, confirmed_ns: int) -> None:
        """Note that the URL still holds what is stored. Opens nothing for writing."""
        if self._writes and self._is_usable():
            with suppress(OSError):
                os.utime(self._path(key), ns=(confirmed_ns, confirmed_ns))

    def _is_usable(self) -> bool:
        return self._folder is not None and is_private(self._folder, self._trusts)

    def _open(self, name: str) -> int | None:
        """A descriptor of the file, None if there is none. Raises StoreError."""
        if self._folder is None or not self._is_usable():
            return None
        return open_file(str(self._folder / name), self._trusts)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{key}.payload"

    def _user_key(self) -> bytes | None:
        """The random key of the user, made at the first need; None if it can't be kept."""
        if self._folder is not None:
            with suppress(OSError, StoreError):
                if (key := self._read_key()) is not None:
                    return key
                # Two processes that meet here must agree, or both would fetch.
                with self.lock("key", timeout=5):
                    if (key := self._read_key()) is None and self._writes and self._is_usable():
                        key = secrets.token_bytes(_KEY_BYTES)
                        write_atomically(self._folder / "key", key, durable=True, mode=0o600)
                    return key
        return None

    def _read_key(self) -> bytes | None:
        """None if there is none, or none that may be believed."""
        try:
            descriptor = self._open("key")
            if descriptor is None:
                return None
            with os.fdopen(descriptor, "rb") as file:
                key = file.read(_KEY_BYTES + 1)
        except SnapshotDamagedError:
            return None
        return key if len(key) == _KEY_BYTES else None

    def _remove_forgotten(self, now_ns: int) -> None:
        """And, of the payloads of one URL, the oldest, if there are too many."""
        assert self._folder is not None
        ages: dict[Path, int] = {}
        for path in self._folder.iterdir():
            with suppress(OSError):
                if path.suffix in _OURS:
                    ages[path] = now_ns - path.stat().st_mtime_ns
        of_url = Counter[str]()
        for path in sorted(ages, key=ages.__getitem__):
            held = self.read(path.stem, whole=False) if path.suffix == ".payload" else None
            if held and held.url:
                of_url[held.url] += 1
            if ages[path] > _KEEP_NS or (held and of_url[held.url] > _MOST_PER_URL):
                with suppress(OSError):
                    path.unlink()
