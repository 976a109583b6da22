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
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

from attrs import evolve, field, fields_dict, frozen

from .errors import SnapshotDamagedError
from .frozen import FrozenDict, Value
from .snapshot import SCHEMA, Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from attrs import AttrsInstance

    from .state import State


T = TypeVar("T", bound="AttrsInstance")

# attrs compiles every method that it makes, at the first lookup of each process. So the
# classes that only lookups and syncs see do without what nobody needs.

#: Of a pointer file: inode, time, size.
Signature = tuple[int, int, int]


def _seconds(value: Any) -> float:
    return float(value)  # attrs takes milliseconds to find out what `float` itself takes


@frozen(eq=False, repr=False)
class GatewayData(Value):
    """The last good data of one gateway, as a generation refers to it."""

    plugin: str
    """Key of the plugin that fetched it: `distribution:entry point`."""
    retrieved_at: float = field(converter=_seconds)
    """Epoch seconds: when this machine last got it (200) or, for bundled data, its capture."""
    result: str | None = None
    """Hash of the object that holds it; None: it is the wheel's bundled data."""


@frozen(eq=False, repr=False)
class Generation(Value):
    """What the pointer says."""

    snapshot: str
    """Hash of the merged and overlaid snapshot."""
    gateways: Mapping[str, GatewayData]
    inputs: str
    """Fingerprint of everything that the merge was made from."""
    overlays: bool = False
    """An overlay was installed when it was made."""

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Generation:
        """From what `attrs.asdict` gave; what a newer version wrote beyond that is skipped.

        Raises AttributeError, KeyError, TypeError or ValueError.
        """
        gateways = {id: _known(GatewayData, data) for id, data in raw["gateways"].items()}
        return _known(cls, {**raw, "gateways": FrozenDict(gateways)})

    def same_as(self, other: Generation) -> bool:
        """Whether they differ in nothing but times of retrieval."""
        return self._untimed() == other._untimed()

    def _untimed(self) -> Generation:
        gateways = {id: evolve(data, retrieved_at=0.0) for id, data in self.gateways.items()}
        return evolve(self, gateways=FrozenDict(gateways))

    def objects(self) -> set[str]:
        """Hashes of all that it refers to."""
        return {self.snapshot} | {data.result for data in self.gateways.values() if data.result}


@frozen(repr=False)
class Store:
    """One store folder. Reading writes nothing, not even a folder.

    Lookups get by with names: importing `pathlib` costs them a third of a bare interpreter.
    """

    _place: str | os.PathLike[str] = field(alias="place", eq=os.fspath)

    @property
    def place(self) -> Path:
        """The folder of target 1: artifacts lie here, the store in `v1` below."""
        from pathlib import Path

        return Path(self._place)

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

    def name(self, *parts: str) -> str:
        """Of the folder, or of a file in it."""
        return os.path.join(self._place, f"v{SCHEMA}", *parts)  # noqa: PTH118

    def signature(self) -> Signature | None:
        """Changes whenever the pointer is replaced; None if there is none. One `stat`."""
        try:
            found = os.stat(self.name("pointer"))
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read_generation(self) -> Generation | None:
        """The current generation, None if there is none. Raises SnapshotDamagedError."""
        try:
            with open(self.name("pointer"), "rb") as file:
                line = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SnapshotDamagedError(str(error), culprit=str(self.pointer)) from error
        checksum, _, text = line.partition(b" ")
        try:
            if int(checksum, 16) != crc32(text):
                raise ValueError("wrong checksum")
            return Generation.from_dict(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise SnapshotDamagedError(
                f"is damaged: {error}", culprit=str(self.pointer), hint="run registry-core sync"
            ) from error

    def open_snapshot(self, hash: str) -> Snapshot:
        """The object with this hash. Raises SnapshotDamagedError, also if it is gone."""
        try:
            snapshot = Snapshot.open(self.name("objects", hash))
        except OSError as error:
            raise SnapshotDamagedError(
                str(error), culprit=str(self.object(hash)), hint="run registry-core sync"
            ) from error
        if snapshot.hash != hash:
            raise SnapshotDamagedError(
                "holds another snapshot than its name says", culprit=str(self.object(hash))
            )
        return snapshot

    def load_state(self) -> State:
        """What is remembered, if anything. Raises SnapshotDamagedError."""
        from .state import State

        try:
            return State.from_json(self.state.read_bytes())
        except FileNotFoundError:
            return State()
        except (OSError, ValueError) as error:
            raise SnapshotDamagedError(
                f"is damaged: {error}", culprit=str(self.state), hint="run registry-core sync"
            ) from error

    def read_state(self) -> State:
        """What is remembered; nothing if that is damaged."""
        from .state import State

        try:
            return self.load_state()
        except SnapshotDamagedError:
            return State()


def served(places: Iterable[str | os.PathLike[str]]) -> tuple[Store | None, Signature | None]:
    """The store that lookups read, and its signature: the first of `places` that has a
    pointer, and that this process could write.

    Syncs leave out what they can't write, like an environment that was made as root. So
    of those on the way to a writable one the last that was written to is taken.
    """
    found: list[tuple[Store, Signature]] = []
    for store in map(Store, places):
        signature = store.signature()
        if signature is not None:
            found.append((store, signature))
            if os.access(store.name(), os.W_OK):
                break
    return max(found, key=lambda one: one[1][1]) if found else (None, None)


def pointer_line(generation: Generation) -> bytes:
    """The pointer's content. The checksum is CRC-32, in hexadecimal."""
    from attrs import asdict

    text = json.dumps(asdict(generation), sort_keys=True).encode()
    return b"%08x %b" % (crc32(text), text)


def _known(cls: type[T], raw: Mapping[str, Any]) -> T:
    return cls(**{name: raw[name] for name in fields_dict(cls) if name in raw})
