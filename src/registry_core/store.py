"""The store, as lookups and syncs read it. `commit.py` is the only one that writes it.

    v1/pointer       which generation is current: one line, `checksum JSON`
    v1/state.json    times, statuses, validators: what changes at every sync
    v1/objects/      snapshots named by their hash: generations, and results per gateway
    v1/emitted.json  what was last written to which target
    v1/quarantine/   what was found damaged

A folder of another schema is not read: absent, not damaged.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from attrs import evolve, field, frozen

from .errors import SnapshotDamagedError
from .frozen import EMPTY, FrozenDict, freeze
from .snapshot import SCHEMA, Snapshot


@frozen
class GatewayData:
    """The last good data of one gateway, as a generation refers to it."""

    plugin: str
    """Key of the plugin that fetched it: `distribution:entry point`."""
    retrieved_at: float
    """Epoch seconds: when this machine last got it (200) or, for bundled data, its capture."""
    result: str | None = None
    """Hash of the object that holds it; None: it is the wheel's bundled data."""


@frozen
class Generation:
    """What the pointer says."""

    snapshot: str
    """Hash of the merged and overlaid snapshot."""
    gateways: Mapping[str, GatewayData]
    inputs: str
    """Fingerprint of everything that the merge was made from."""
    overlays: bool = False
    """An overlay was installed when it was made."""

    def same_as(self, other: Generation) -> bool:
        """Whether they differ in nothing but times of retrieval."""
        return self._untimed() == other._untimed()

    def _untimed(self) -> Generation:
        gateways = {id: evolve(data, retrieved_at=0.0) for id, data in self.gateways.items()}
        return evolve(self, gateways=FrozenDict(gateways))

    def objects(self) -> set[str]:
        """Hashes of all that it refers to."""
        return {self.snapshot} | {data.result for data in self.gateways.values() if data.result}


@frozen
class GatewayState:
    """What is known of one gateway beyond its data. Times are epoch seconds."""

    retrieved_at: float | None = None
    """When this machine last got a 200 or 304 that was used."""
    checked_at: float | None = None
    """When it was last asked, in vain or not."""
    status: str = "never asked"
    error: str | None = None
    fingerprint: str = ""
    """Of the plugin's version and options at the last good fetch."""
    asked: tuple[Mapping[str, Any], ...] = ()
    """The requests of the last good fetch, to be revalidated first."""


@frozen
class State:
    """`state.json`. A part that can't be read is as if it had never been written."""

    last_refresh: float | None = None
    """Epoch seconds of the last sync that reached every enabled gateway."""
    gateways: Mapping[str, GatewayState] = field(default=EMPTY)
    plugins: Mapping[str, Mapping[str, Any]] = field(default=EMPTY)
    """Plugin key → version, hooks, load time and failure, as last seen."""
    bindings: Mapping[str, tuple[tuple[str, str], ...]] = field(default=EMPTY)
    """Provider id → (variable, origin) pairs first seen; see `bindings.py`."""

    @classmethod
    def from_json(cls, text: str | bytes) -> State:
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError):
            return cls()
        if not isinstance(raw, dict):
            return cls()
        gateways = {
            id: GatewayState(
                retrieved_at=_time(about.get("retrieved_at")),
                checked_at=_time(about.get("checked_at")),
                status=str(about.get("status", "")),
                error=None if about.get("error") is None else str(about["error"]),
                fingerprint=str(about.get("fingerprint", "")),
                asked=tuple(
                    item for item in freeze(about.get("asked") or ()) if isinstance(item, dict)
                ),
            )
            for id, about in _object(raw.get("gateways")).items()
            if isinstance(about, dict)
        }
        plugins = {
            key: freeze(about)
            for key, about in _object(raw.get("plugins")).items()
            if isinstance(about, dict)
        }
        return cls(
            last_refresh=_time(raw.get("last_refresh")),
            gateways=FrozenDict(gateways),
            plugins=FrozenDict(plugins),
            bindings=FrozenDict(
                {id: _pairs(found) for id, found in _object(raw.get("bindings")).items()}
            ),
        )

    def hooks(self) -> dict[str, tuple[str, ...]]:
        """Plugin key → the hooks that it had when it was last loaded."""
        return {key: _texts(about.get("hooks")) for key, about in self.plugins.items()}

    def to_json(self) -> str:
        from attrs import asdict

        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


@frozen
class Store:
    """One store folder. Reading writes nothing, not even a folder."""

    place: Path
    """The folder of target 1: artifacts lie here, the store in `v1` below."""

    @property
    def folder(self) -> Path:
        return self.place / f"v{SCHEMA}"

    @property
    def pointer(self) -> Path:
        return self.folder / "pointer"

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def emitted(self) -> Path:
        return self.folder / "emitted.json"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    def object(self, hash: str) -> Path:
        return self.folder / "objects" / hash

    def signature(self) -> tuple[int, int, int] | None:
        """Changes whenever the pointer is replaced; None if there is none. One `stat`."""
        try:
            found = os.stat(self.pointer)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read_generation(self) -> Generation | None:
        """The current generation, None if there is none. Raises SnapshotDamagedError."""
        try:
            line = self.pointer.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SnapshotDamagedError(str(error), culprit=str(self.pointer)) from error
        checksum, _, text = line.partition(b" ")
        try:
            if int(checksum, 16) != crc32(text):
                raise ValueError("wrong checksum")
            raw = json.loads(text)
            gateways = {id: GatewayData(**data) for id, data in raw.pop("gateways").items()}
            return Generation(gateways=FrozenDict(gateways), **raw)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise SnapshotDamagedError(
                f"is damaged: {error}", culprit=str(self.pointer), mend="run registry-core sync"
            ) from error

    def open_snapshot(self, hash: str) -> Snapshot:
        """The object with this hash. Raises SnapshotDamagedError, also if it is gone."""
        try:
            snapshot = Snapshot.open(self.object(hash))
        except OSError as error:
            raise SnapshotDamagedError(
                str(error), culprit=str(self.object(hash)), mend="run registry-core sync"
            ) from error
        if snapshot.hash != hash:
            raise SnapshotDamagedError(
                "holds another snapshot than its name says", culprit=str(self.object(hash))
            )
        return snapshot

    def read_state(self) -> State:
        try:
            return State.from_json(self.state.read_bytes())
        except OSError:
            return State()


def pointer_line(generation: Generation) -> bytes:
    """The pointer's content. The checksum is CRC-32, in hexadecimal."""
    from attrs import asdict

    text = json.dumps(asdict(generation), sort_keys=True).encode()
    return b"%08x %b" % (crc32(text), text)


def utc(seconds: float | None) -> datetime | None:
    """Epoch seconds as an aware datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _time(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value) if 0 < value < 253402300800 else None  # before the year 10000
    return None


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, (list, tuple)) else ()
    return tuple(item for item in items if isinstance(item, str))


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    items = [_texts(item) for item in value] if isinstance(value, list) else []
    return tuple((item[0], item[1]) for item in items if len(item) == 2)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
