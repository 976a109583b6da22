"""What the pointer says: which object holds which gateway's result, and who vouches for it.

One line: `registry-core/1 SEAL JSON`. The seal is an HMAC-SHA256 under the fleet's key, or a
plain SHA-256 where there is none, which finds damage and stops nobody. A field that is not known
is lost when this version publishes: one that must stay needs another format.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import asdict, evolve, field, fields, frozen

from .._base.frozen import EMPTY, FrozenDict
from .._base.printable import printable
from .engine import Fault

_FORMAT = 1
#: Bytes of a pointer.
MOST = 2**20
_MOST_ENTRIES = 500
#: Seconds: for so long an object stays listed that no entry names any more, as a slow reader
#: may still want it; and an entry that nobody confirms.
DAY = 86_400.0
_KEEP = 30 * DAY


class NewerError(Fault):
    """Written by a newer version, or under a key that is not here: not ours to replace."""


class UnsoundError(Fault):
    """It is damaged, or nobody vouches for it; the next publisher replaces it."""


class StaleError(UnsoundError):
    """An older one than was seen here: from a cache that is behind, or put back."""


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError("names an object that can't be")
    return value


def _hash_or_nothing(value: Any) -> str:
    return "" if value == "" else _hash(value)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < 253402300800:  # the year 10000; nor is it NaN
        raise ValueError("has an invalid time")
    return seconds


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError("holds what is no count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1000:
        raise ValueError("holds a value that is not a text")
    return printable(value)  # it is shown and logged


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > 100:
        raise ValueError("holds a value that is not a list of texts")
    return tuple(map(_text, value))


@frozen
class Entry:
    """The result of one gateway, or that it was asked in vain since."""

    gateway: str = field(converter=_text)
    scope: str = field(converter=_text)
    """Digest of its plugin and options: another machine's may differ."""
    version: str = field(converter=_text)
    """Of the plugin."""
    object: str = field(converter=_hash_or_nothing)
    """"": it was asked in vain."""
    checked_at: float = field(converter=_seconds)
    """Epoch seconds by the publisher's clock: when the source last said so, or did not."""
    publisher: str = field(default="", converter=_text)
    accepted: bool = field(default=False, converter=bool)
    """A user has said that it may hold far fewer models than before."""
    consulted: tuple[str, ...] = field(default=(), converter=_texts)
    """Variables that the plugin asked for, and that were not set: where one is, the gateway may
    say something else."""
    error: str = field(default="", converter=_text)
    """Why it was asked in vain."""
    failures: int = field(default=0, converter=_count)
    """How often in a row, by whatever machine."""
    core: str = field(default="", converter=_text)
    """Version of registry-core, which may know more fields of a model than another."""

    @property
    def key(self) -> str:
        """One for its result, and one for what went wrong since."""
        failed = "" if self.object else " failed"
        return f"{self.gateway} {self.scope} {self.version} {self.core}{failed}"


@frozen
class Pointer:
    serial: int = 0
    """Counts publications; one that goes backwards was replayed."""
    entries: Mapping[str, Entry] = EMPTY
    """By key."""
    objects: Mapping[str, float] = EMPTY
    """Every object that must stay → epoch seconds, by a publisher's clock, when an entry last
    named it."""
    cleaned_at: float = 0.0

    def replaced(self, entries: Mapping[str, Entry], *, serial: int, now: float) -> Pointer:
        """With these entries, by one whose clock says `now`."""
        over = {evolve(one, object="").key for one in entries.values() if one.object}
        left = {key: one for key, one in self.entries.items() if key not in over}
        merged = {**left, **entries}
        kept = sorted(
            (one for one in merged.values() if one.key in entries or now - one.checked_at < _KEEP),
            key=lambda one: (one.key in entries, one.checked_at),
        )[-_MOST_ENTRIES:]
        objects = {name: at for name, at in self.objects.items() if abs(now - at) < DAY}
        named = (*self.entries.values(), *kept)
        objects |= {one.object: now for one in named if one.object}
        return Pointer(
            serial,
            FrozenDict({one.key: one for one in sorted(kept, key=lambda one: one.key)}),
            FrozenDict(objects),
            self.cleaned_at,
        )


def to_bytes(pointer: Pointer, key: str | None) -> bytes:
    about = {
        "serial": pointer.serial,
        "entries": [asdict(one) for one in pointer.entries.values()],
        "objects": dict(pointer.objects),
        "cleaned_at": pointer.cleaned_at,
    }
    text = json.dumps(about, sort_keys=True).encode()
    return b"registry-core/%d %b %b" % (_FORMAT, _seal(text, key), text)


def from_bytes(data: bytes, key: str | None, culprit: str) -> Pointer:
    """Raises UnsoundError or NewerError."""
    head, seal, text = (*data.split(b" ", 2), b"", b"")[:3]
    found = re.fullmatch(rb"registry-core/(\d{1,9})", head)
    if found and int(found[1]) != _FORMAT:
        raise NewerError(
            "its pointer was written by another version of registry-core",
            culprit=culprit,
            hint="update registry-core here, or give each version a prefix of its own",
        )
    if found and key is None and seal.startswith(b"hmac-"):
        raise NewerError(
            "its pointer is sealed with a key, and there is none here",
            culprit=culprit,
            hint="set REGISTRY_CORE_SHARED_KEY",
        )
    if not found or not hmac.compare_digest(seal, _seal(text, key)):
        unsigned = key is not None and not seal.startswith(b"hmac-")
        raise UnsoundError(
            "its pointer is not sealed with the key"
            if unsigned
            else "the seal of its pointer does not fit",
            culprit=culprit,
            hint="the next to publish replaces it; REGISTRY_CORE_SHARED_KEY must be the same"
            " everywhere",
        )
    try:
        raw = json.loads(text)
        entries = [
            Entry(**{name: one[name] for name in _FIELDS if name in one}) for one in raw["entries"]
        ]
        return Pointer(
            _count(raw["serial"]),
            FrozenDict({one.key: one for one in entries}),
            FrozenDict({_hash(name): _seconds(at) for name, at in raw["objects"].items()}),
            _seconds(raw["cleaned_at"]),
        )
    except (
        LookupError,
        ArithmeticError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise UnsoundError(
            f"its pointer {error}", culprit=culprit, hint="the next to publish replaces it"
        ) from None


_FIELDS = tuple(one.name for one in fields(Entry))


def _seal(text: bytes, key: str | None) -> bytes:
    sealed = b"registry-core/%d %b" % (_FORMAT, text)
    if key is None:
        return b"sha256:" + hashlib.sha256(sealed).hexdigest().encode()
    return b"hmac-sha256:" + hmac.new(key.encode(), sealed, "sha256").hexdigest().encode()
