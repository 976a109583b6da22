"""The pointer of a fleet: which object holds which gateway's result.

It is one line: `registry-core/1 SEAL JSON`. The seal is an HMAC-SHA256 with the fleet's key.
Without a key it is a plain SHA-256, which finds damage but stops no attacker. When this version
publishes, fields that it does not know are lost. A field that must stay needs a new format.
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
#: The highest number that is read. Where it is reached, counting ends.
LAST = 2**53 - 1
#: Seconds. An object that no entry names stays listed for a day, since a slow reader may still
#: need it. An entry that no machine confirms stays for 30 days.
DAY = 86_400.0
_KEEP = 30 * DAY


class NewerError(Fault):
    """A newer version wrote it, or this machine lacks its key. It must not be replaced."""


class UnsoundError(Fault):
    """It is damaged, or not sealed with the key. The next publisher replaces it."""


class StaleError(UnsoundError):
    """It is older than the one seen here before: from a cache, or restored by somebody."""


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError("names an invalid object")
    return value


def _hash_or_nothing(value: Any) -> str:
    return "" if value == "" else _hash(value)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < 253402300800:  # the year 10000; this refuses NaN, too
        raise ValueError("has an invalid time")
    return seconds


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LAST:
        raise ValueError("holds a value that is not a count")
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
    """The result of one gateway, or its failure since then."""

    gateway: str = field(converter=_text)
    scope: str = field(converter=_text)
    """Digest of its plugin and options, which may differ on another machine."""
    version: str = field(converter=_text)
    """The version of the plugin."""
    object: str = field(converter=_hash_or_nothing)
    """The name of the object with the result. Empty for a failure."""
    checked_at: float = field(converter=_seconds)
    """Epoch seconds by the publisher's clock: when the source last confirmed it, or failed."""
    publisher: str = field(default="", converter=_text)
    accepted: bool = field(default=False, converter=bool)
    """A user has accepted that it holds far fewer models than before."""
    consulted: tuple[str, ...] = field(default=(), converter=_texts)
    """The variables that the plugin has read and that were not set. On a machine where one is set,
    the gateway may give another result."""
    error: str = field(default="", converter=_text)
    """Why it failed."""
    failures: int = field(default=0, converter=_count)
    """How often it failed in a row, on all machines."""
    core: str = field(default="", converter=_text)
    """The version of registry-core. A newer one may know more fields of a model."""

    @property
    def key(self) -> str:
        """The key in the pointer. A result and a failure of a gateway have different keys."""
        failed = "" if self.object else " failed"
        return f"{self.gateway} {self.scope} {self.version} {self.core}{failed}"


@frozen
class Pointer:
    serial: int = 0
    """Epoch seconds of its publication, or one more than the last. If it goes backwards, an old
    pointer was restored."""
    entries: Mapping[str, Entry] = EMPTY
    """The entries by key."""
    objects: Mapping[str, float] = EMPTY
    """Object that must stay → epoch seconds, by a publisher's clock, when an entry last named
    it."""
    cleaned_at: float = 0.0

    def joined(self, other: Pointer) -> Pointer:
        """The pointer with those results of `other` that it has not got. Which of two is newer is
        not known: clocks of two machines are not compared."""
        results = {key: entry for key, entry in other.entries.items() if entry.object}
        entries = FrozenDict({**results, **self.entries})
        return evolve(self, entries=entries, objects=FrozenDict({**other.objects, **self.objects}))

    def replaced(self, entries: Mapping[str, Entry], *, serial: int, now: float) -> Pointer:
        """The pointer with these entries, published at `now`."""
        replaced = {evolve(entry, object="").key for entry in entries.values() if entry.object}
        remaining = {key: entry for key, entry in self.entries.items() if key not in replaced}
        merged = {**remaining, **entries}
        newest = sorted(
            (
                entry
                for entry in merged.values()
                if entry.key in entries or now - entry.checked_at < _KEEP
            ),
            key=lambda entry: (entry.key in entries, entry.checked_at),
        )[-_MOST_ENTRIES:]
        objects = {name: at for name, at in self.objects.items() if abs(now - at) < DAY}
        named = (*self.entries.values(), *newest)
        objects |= {entry.object: now for entry in named if entry.object}
        return Pointer(
            serial,
            FrozenDict({entry.key: entry for entry in sorted(newest, key=lambda entry: entry.key)}),
            FrozenDict(objects),
            self.cleaned_at,
        )


def to_bytes(pointer: Pointer, key: str | None) -> bytes:
    about = {
        "serial": pointer.serial,
        "entries": [asdict(entry) for entry in pointer.entries.values()],
        "objects": dict(pointer.objects),
        "cleaned_at": pointer.cleaned_at,
    }
    text = json.dumps(about, sort_keys=True).encode()
    return b"registry-core/%d %b %b" % (_FORMAT, _seal(text, key), text)


def from_bytes(data: bytes, key: str | None, culprit: str) -> Pointer:
    """Raises UnsoundError or NewerError."""
    head, seal, text = (*data.split(b" ", 2), b"", b"")[:3]
    match = re.fullmatch(rb"registry-core/(\d{1,9})", head)
    if match and int(match[1]) != _FORMAT:
        raise NewerError(
            "its pointer was written by another version of registry-core",
            culprit=culprit,
            hint="update registry-core here, or use another prefix for each version",
        )
    if match and key is None and seal.startswith(b"hmac-"):
        raise NewerError(
            "its pointer is sealed with a key, and there is none here",
            culprit=culprit,
            hint="set REGISTRY_CORE_SHARED_KEY",
        )
    if not match or not hmac.compare_digest(seal, _seal(text, key)):
        unsigned = key is not None and not seal.startswith(b"hmac-")
        raise UnsoundError(
            "its pointer is not sealed with the key"
            if unsigned
            else "the seal of its pointer does not fit",
            culprit=culprit,
            hint="the next publication replaces it; REGISTRY_CORE_SHARED_KEY must be the same"
            " everywhere",
        )
    try:
        raw = json.loads(text)
        entries = [
            Entry(**{name: record[name] for name in _FIELDS if name in record})
            for record in raw["entries"]
        ]
        return Pointer(
            _count(raw["serial"]),
            FrozenDict({entry.key: entry for entry in entries}),
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
            f"its pointer {error}", culprit=culprit, hint="the next publication replaces it"
        ) from None


_FIELDS = tuple(attribute.name for attribute in fields(Entry))


def _seal(text: bytes, key: str | None) -> bytes:
    sealed = b"registry-core/%d %b" % (_FORMAT, text)
    if key is None:
        return b"sha256:" + hashlib.sha256(sealed).hexdigest().encode()
    return b"hmac-sha256:" + hmac.new(key.encode(), sealed, "sha256").hexdigest().encode()
