"""The store, as lookups and syncs read it. `commit.py` is the only one that writes it.

    registry-core.policy  the overlays that data must have passed: there while a policy applies
    v1/pointer       which generation is current: one line, `checksum JSON`
    v1/state.json    times, statuses, validators: what changes at every sync; and a copy of
                     what the pointer says
    v1/objects/      snapshots named by their hash: generations, and results per gateway
    v1/journal.jsonl what each generation changed
    v1/emitted.json  what was last written to which target
    v1/quarantine/   what was found damaged

A folder of another schema is not read: absent, not damaged. The mark of a policy is outside of
it: in every version it says that nothing may be served which no policy has passed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from zlib import crc32

from attrs import evolve, field, fields_dict, frozen

from .._base.frozen import EMPTY, FrozenDict, Value, skip_signatures
from .._files.reading import Trust, anybody, open_file, read_file, status_of, unreadable
from ..errors import SnapshotDamagedError, StoreError
from ..settings import warn_once
from .layout import SCHEMA
from .snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from attrs import AttrsInstance

    from .state import State


T = TypeVar("T", bound="AttrsInstance")

# attrs compiles every method that it makes, at the first lookup of each process. So the
# classes that only lookups and syncs see do without what nobody needs.

#: Of a pointer file: inode, time, size.
Signature = tuple[int, int, int]

#: Plugin key → version and options of its overlay, as in `Snapshot.overlays`.
Overlays = Mapping[str, Mapping[str, str]]


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < 253402300800:  # the year 10000; nor is it NaN
        raise ValueError("names a time that can't be")
    return seconds


def _hash(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= _HEX:
        raise ValueError("names an object that can't be")
    return value


def _opt_hash(value: Any) -> str | None:
    return None if value is None else _hash(value)


def _opt_count(value: Any) -> int | None:
    return None if value is None else int(value)


def _overlays(value: Any) -> Overlays:
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Mapping[str, str]]", value).items()
        return FrozenDict({key: FrozenDict(details) for key, details in items})
    return _SOME if value else EMPTY  # 0.1 wrote only whether there were any


skip_signatures(_seconds, _hash, _opt_hash, _opt_count, _overlays)

_HEX = frozenset("0123456789abcdef")
_SOME: Overlays = FrozenDict({"": EMPTY})


@frozen(eq=False, repr=False)
class GatewayData(Value):
    """The last good data of one gateway, as a generation refers to it."""

    plugin: str
    """Key of the plugin that fetched it: `distribution:entry point`."""
    retrieved_at: float = field(converter=_seconds)
    """Epoch seconds: when this machine last got it (200) or, for bundled data, its capture."""
    result: str | None = field(default=None, converter=_opt_hash)
    """Hash of the object that holds it; None: it is the wheel's bundled data."""
    volatile: bool = field(default=False, converter=bool)
    """It comes and goes: lookups see it, and nothing that leaves this machine holds it."""
    facts: int | None = field(default=None, converter=_opt_count)
    """Of a source of facts: how many of its models a gateway offers. None: it is a gateway."""
    shared: str | None = field(default=None, converter=_opt_hash)
    """Hash of the fleet's object that it was taken from; None: this machine fetched it."""
    vouched: bool = field(default=True, converter=bool)
    """Fetched here, or published by one who has the fleet's key: else no key is bound to a host
    by it."""


@frozen(eq=False, repr=False)
class Generation(Value):
    """What the pointer says."""

    snapshot: str = field(converter=_hash)
    """Hash of the merged and overlaid snapshot."""
    gateways: Mapping[str, GatewayData]
    inputs: str
    """Fingerprint of everything that the merge was made from."""
    overlays: Overlays = field(default=EMPTY, converter=_overlays)
    """Those that it was made under; some that are not known have the key ""."""
    previous: str | None = field(default=None, converter=_opt_hash)
    """Hash of the snapshot before, if the same policy passed it and it holds nothing that was
    withheld since: what serves if this one turns out to be damaged."""
    lasting: str | None = field(default=None, converter=_opt_hash)
    """Hash of the snapshot as it is without volatile data; None: `snapshot` has none. It alone
    may be written to a project, exported or shared."""

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Generation:
        """From what `attrs.asdict` gave; what a newer version wrote beyond that is skipped.

        Raises AttributeError, KeyError, TypeError or ValueError.
        """
        gateways = {id: _known(GatewayData, data) for id, data in raw["gateways"].items()}
        return _known(cls, {**raw, "gateways": FrozenDict(gateways)})

    def same_as(self, other: Generation) -> bool:
        """Whether they differ in nothing but times of retrieval, and in what was before."""
        return self._timeless() == other._timeless()

    def _timeless(self) -> Generation:
        gateways = {
            id: evolve(data, retrieved_at=0.0, shared=None, vouched=True)
            for id, data in self.gateways.items()
        }
        return evolve(self, gateways=FrozenDict(gateways), previous=None)

    def objects(self) -> set[str]:
        """Hashes of all that it is made of."""
        hashes = {self.snapshot, self.lasting, *(data.result for data in self.gateways.values())}
        return {hash for hash in hashes if hash}


@frozen(repr=False)
class Store:
    """One store folder. Reading writes nothing, not even a folder.

    Lookups get by with names: importing `pathlib` costs them a third of a bare interpreter.
    """

    _place: str | os.PathLike[str] = field(alias="place", eq=os.fspath)
    _trusts: Trust = field(default=anybody, alias="trusts", eq=False)
    """Whose files are read."""
    schema: int = SCHEMA

    @property
    def place(self) -> Path:
        """The folder of target 1: artifacts lie here, the store in `v1` below."""
        from pathlib import Path

        return Path(self._place)

    @property
    def folder(self) -> Path:
        return self.place / f"v{self.schema}"

    @property
    def pointer(self) -> Path:
        return self.folder / "pointer"

    @property
    def policy(self) -> Path:
        return self.place / _POLICY

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

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
        return os.path.join(self._place, f"v{self.schema}", *parts)  # noqa: PTH118

    def signature(self) -> Signature | None:
        """Changes whenever the pointer is replaced; None if there is none that this user may
        read and trust. If the pointer is gone and a policy applies, that of its mark, or of
        the state that remembers it.

        Mostly one `stat`. Raises StoreError if the system can't tell now.
        """
        status = status_of(self.name("pointer"))
        if status is not None and not self._trusts(status):
            warn_once(f"{self.name('pointer')} belongs to somebody else, and is not used")
            status = None
        # Of any owner, if it can be seen: where a policy applied, nothing else is served.
        status = status or status_of(self._policy_name) or self._status_of_memory()
        return status and (status.st_ino, status.st_mtime_ns, status.st_size)

    def _status_of_memory(self) -> os.stat_result | None:
        """That of the state, if it remembers a policy."""
        for folder in (self._place, self.name()):
            if not os.path.isdir(folder):  # noqa: PTH112
                return None  # no store yet
            if not os.access(folder, os.X_OK):
                warn_once(f"{folder} is the store of somebody else: this user has no right to it")
                return None
        status = status_of(self.name("state.json"))
        return status if status and self.remembers_policy() else None

    def read_generation(self) -> Generation | None:
        """The current generation, None if there is none (yet). Raises SnapshotDamagedError, and
        StoreError if it can't be read now."""
        line = read_file(self.name("pointer"), self._trusts)
        if line is None:
            return None
        checksum, _, text = line.partition(b" ")
        try:
            if int(checksum, 16) != crc32(text):
                raise ValueError("wrong checksum")
            raw = json.loads(text)
            return None if raw is None else Generation.from_dict(raw)
        except (
            *(ValueError, TypeError, KeyError),
            *(AttributeError, OverflowError, RecursionError),
        ) as error:
            raise SnapshotDamagedError(
                f"is damaged: {error}", culprit=str(self.pointer), hint="run registry-core sync"
            ) from error

    def policies(self) -> tuple[Overlays, ...] | None:
        """The overlays that a generation must have passed to be served; None: no policy
        applies. Raises StoreError if that can't be read now.

        A damaged file names none, so that no generation will do.
        """
        if status_of(self._policy_name) is None:
            return None
        try:
            text = read_file(self._policy_name, self._trusts)
            return None if text is None else tuple(map(_overlays, json.loads(text)))
        except (SnapshotDamagedError, ValueError, TypeError, RecursionError):
            return ()

    def may_have_policy(self) -> bool:
        """Whether a policy applies, or the system can't even tell that."""
        try:
            return status_of(self._policy_name) is not None
        except StoreError:
            return True

    def remembers_policy(self) -> bool:
        """Whether the state says that one applied, where mark and pointer say nothing; or the
        system can't tell even that."""
        try:
            return bool(self.read_state().generation.get("overlays"))
        except StoreError:
            return True

    def may_serve(self, generation: Generation | None) -> bool:
        """Whether this generation has passed the policy in force; of None, whether the bundle
        may be served. Raises StoreError if that can't be read now.

        The first pointer of a store under a policy says that there is no generation yet. So
        one that is absent was lost.
        """
        policies = self.policies()
        if generation is not None:
            return policies is None or generation.overlays in policies
        if policies is None:
            return not self.remembers_policy()
        return EMPTY in policies and status_of(self.name("pointer")) is not None

    @property
    def _policy_name(self) -> str:
        return os.path.join(self._place, _POLICY)  # noqa: PTH118

    def open_snapshot(self, hash: str) -> Snapshot:
        """The object with this hash. Raises SnapshotDamagedError, also if it is gone, and
        StoreError if it can't be read now."""
        name = self.name("objects", hash)
        descriptor = open_file(name, self._trusts)
        if descriptor is None:
            raise SnapshotDamagedError("is gone", culprit=name, hint="run registry-core sync")
        try:
            snapshot = Snapshot.map(descriptor, name=name)
        except OSError as error:
            raise unreadable(name, error) from error
        finally:
            os.close(descriptor)
        if snapshot.hash != hash:
            raise SnapshotDamagedError(
                "holds another snapshot than its name says", culprit=str(self.object(hash))
            )
        return snapshot

    def read_journal(self) -> bytes | None:
        """None if there is none. Raises SnapshotDamagedError, and StoreError if it can't be read
        now. `journal` says what it means."""
        return read_file(str(self.journal), self._trusts)

    def load_state(self) -> State:
        """What is remembered, if anything. Raises SnapshotDamagedError, and StoreError if it
        can't be read now."""
        from .state import State

        text = read_file(self.name("state.json"), self._trusts)
        if text is None:
            return State()
        try:
            return State.from_json(text)
        except ValueError as error:
            raise SnapshotDamagedError(
                f"is damaged: {error}", culprit=str(self.state), hint="run registry-core sync"
            ) from error

    def read_state(self) -> State:
        """What is remembered; nothing if that is damaged. Raises StoreError as `load_state`."""
        from .state import State

        try:
            return self.load_state()
        except SnapshotDamagedError:
            return State()


def find_store(
    places: Iterable[str | os.PathLike[str]], trusts: Trust = anybody
) -> tuple[Store | None, Signature | None]:
    """The store that lookups read, and its signature: the first of `places` that has a
    pointer, and that this process could write. Raises StoreError if the system can't tell now.

    Syncs leave out what they can't write, like an environment that was made as root. So
    of those on the way to a writable one the last that was written to is taken; of those
    with a policy, if there are any.
    """
    stores: list[tuple[Store, Signature]] = []
    for store in (Store(place, trusts) for place in places):
        signature = store.signature()
        if signature is not None:
            stores.append((store, signature))
            if os.access(store.name(), os.W_OK):
                break
    if len(stores) > 1:
        stores = [pair for pair in stores if pair[0].may_have_policy()] or stores
    return max(stores, key=lambda pair: pair[1][1]) if stores else (None, None)


_POLICY = "registry-core.policy"


def pointer_line(generation: Generation | None) -> bytes:
    """The pointer's content. The checksum is CRC-32, in hexadecimal."""
    from attrs import asdict

    text = json.dumps(generation and asdict(generation), sort_keys=True).encode()
    return b"%08x %b" % (crc32(text), text)


def _known(cls: type[T], raw: Mapping[str, Any]) -> T:
    return cls(**{name: raw[name] for name in fields_dict(cls) if name in raw})
