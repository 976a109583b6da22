"""Reading the store. Only `commit.py` writes it.

    registry-core.policy  the overlays that data must have passed; exists while a policy applies
    v1/pointer       which generation is current: one line, `checksum JSON`
    v1/state.json    times, statuses, validators, which change at every sync; and a copy of
                     the pointer
    v1/objects/      snapshots named by their hash: generations, and results per gateway
    v1/journal.jsonl what each generation changed
    v1/emitted.json  what was last written to which target
    v1/quarantine/   damaged files

A folder of another schema counts as absent, not as damaged. The mark of a policy is outside
these folders: for every version it says that only data that has passed the policy may be served.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from zlib import crc32

from attr import evolve, field, fields_dict, frozen

from .._base.frozen import EMPTY, FrozenDict, Value, skip_signatures
from .._base.warning import warn_once
from .._files.reading import Trust, anybody, open_file, read_file, status_of, unreadable
from ..errors import SnapshotDamagedError, StoreError
from .layout import SCHEMA
from .snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from attrs import AttrsInstance

    from .state import State


T = TypeVar("T", bound="AttrsInstance")

# attrs compiles every method that it makes, at the first lookup of each process. So the values
# here leave out the methods that nobody needs, and what is no value is a plain class.

#: Inode, time and size of a pointer file.
Signature = tuple[int, int, int]

#: Plugin key → version and options of its overlay, as in `Snapshot.overlays`.
Overlays = Mapping[str, Mapping[str, str]]


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < 253402300800:  # the year 10000; nor is it NaN
        raise ValueError("has an invalid time")
    return seconds


def _hash(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= _HEX:
        raise ValueError("names an invalid hash")
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
    """A reference of a generation to the last good data of one gateway."""

    plugin: str
    """Key of the plugin that fetched it: `distribution:entry point`."""
    retrieved_at: float = field(converter=_seconds)
    """Epoch seconds: when this machine last got it (200), or when bundled data was captured."""
    result: str | None = field(default=None, converter=_opt_hash)
    """Hash of the object that holds it; None for the bundled data of the wheel."""
    volatile: bool = field(default=False, converter=bool)
    """Whether it comes and goes. Lookups see it, but nothing that leaves this machine has it."""
    facts: int | None = field(default=None, converter=_opt_count)
    """For a source of facts: how many of its models a gateway offers. None for a gateway."""
    shared: str | None = field(default=None, converter=_opt_hash)
    """Hash of the fleet's object that it was taken from; None if this machine fetched it."""
    vouched: bool = field(default=True, converter=bool)
    """Whether it was fetched here, or published with the fleet's key. If not, it binds no key to
    a host."""


@frozen(eq=False, repr=False)
class Generation(Value):
    """The content of the pointer."""

    snapshot: str = field(converter=_hash)
    """Hash of the merged and overlaid snapshot."""
    gateways: Mapping[str, GatewayData]
    inputs: str
    """Fingerprint of everything that the merge was made from."""
    overlays: Overlays = field(default=EMPTY, converter=_overlays)
    """The overlays that it was made under. The key "" stands for unknown ones."""
    previous: str | None = field(default=None, converter=_opt_hash)
    """Hash of the previous snapshot, which is served if this one is damaged. None unless it has
    passed the same policy and holds nothing that was withheld since."""
    lasting: str | None = field(default=None, converter=_opt_hash)
    """Hash of the snapshot without volatile data; None if `snapshot` has none. Only this one may
    be written to a project, exported or shared."""

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Generation:
        """Make one from the result of `attrs.asdict`. Fields of a newer version are skipped.

        Raises AttributeError, KeyError, TypeError or ValueError.
        """
        gateways = {id: _known(GatewayData, data) for id, data in raw["gateways"].items()}
        return _known(cls, {**raw, "gateways": FrozenDict(gateways)})

    def same_as(self, other: Generation) -> bool:
        """Whether they differ at most in times of retrieval and in `previous`."""
        return self._timeless() == other._timeless()

    def _timeless(self) -> Generation:
        gateways = {
            id: evolve(data, retrieved_at=0.0, shared=None, vouched=True)
            for id, data in self.gateways.items()
        }
        return evolve(self, gateways=FrozenDict(gateways), previous=None)

    def objects(self) -> set[str]:
        """Hashes of all objects that it refers to."""
        hashes = {self.snapshot, self.lasting, *(data.result for data in self.gateways.values())}
        return {hash for hash in hashes if hash}


class Store:
    """One store folder. Reading writes nothing, and creates no folder.

    Lookups use names instead of paths, since importing `pathlib` takes a third of the time of a
    bare interpreter.
    """

    __slots__ = ("_place", "_trusts", "schema")

    def __init__(
        self, place: str | os.PathLike[str], trusts: Trust = anybody, schema: int = SCHEMA
    ) -> None:
        self._place = os.fspath(place)
        self._trusts = trusts
        """Whose files are trusted."""
        self.schema = schema

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and other.name() == self.name()

    def __hash__(self) -> int:
        return hash(self.name())

    def of_schema(self, schema: int) -> Store:
        """The store of another version in the same folder."""
        return Store(self._place, self._trusts, schema)

    @property
    def place(self) -> Path:
        """The folder of the environment: artifacts lie here, the store in `v1` below."""
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
        """The path of the folder, or of a file in it, as text."""
        return os.path.join(self._place, f"v{self.schema}", *parts)  # noqa: PTH118

    def signature(self) -> Signature | None:
        """A value that changes whenever the pointer is replaced; None if there is no pointer that
        this user may read and trusts. If the pointer is gone and a policy applies, it is the
        signature of the mark, or of the state that remembers the policy.

        Usually one `stat`. Raises StoreError if it can't be read now.
        """
        status = status_of(self.name("pointer"))
        if status is not None and not self._trusts(status):
            warn_once(f"{self.name('pointer')} belongs to somebody else, and is not used")
            status = None
        # The mark counts whoever owns it: under a policy, nothing else may be served.
        status = status or status_of(self._policy_name) or self._status_of_memory()
        return status and (status.st_ino, status.st_mtime_ns, status.st_size)

    def _status_of_memory(self) -> os.stat_result | None:
        """The status of the state file, if it remembers a policy."""
        for folder in (self._place, self.name()):
            if not os.path.isdir(folder):  # noqa: PTH112
                return None  # no store yet
            if not os.access(folder, os.X_OK):
                warn_once(f"{folder} is the store of somebody else: this user has no right to it")
                return None
        status = status_of(self.name("state.json"))
        return status if status and self.remembers_policy() else None

    def read_generation(self) -> Generation | None:
        """The current generation; None if there is none yet. Raises SnapshotDamagedError, and
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
        """The overlays that a generation must have passed to be served; None if no policy
        applies. Raises StoreError if that can't be read now.

        For a damaged file the result is empty, so that no generation may be served.
        """
        if status_of(self._policy_name) is None:
            return None
        try:
            text = read_file(self._policy_name, self._trusts)
            return None if text is None else tuple(map(_overlays, json.loads(text)))
        except (SnapshotDamagedError, ValueError, TypeError, RecursionError):
            return ()

    def may_have_policy(self) -> bool:
        """Whether a policy applies, or that can't be checked."""
        try:
            return status_of(self._policy_name) is not None
        except StoreError:
            return True

    def remembers_policy(self) -> bool:
        """Whether the state says that a policy applied, or that can't be checked. For when mark
        and pointer are gone."""
        try:
            return bool(self.read_state().generation.get("overlays"))
        except StoreError:
            return True

    def may_serve(self, generation: Generation | None) -> bool:
        """Whether this generation has passed the policy in force; for None, whether the bundle
        may be served. Raises StoreError if that can't be read now.

        The first pointer under a policy says that there is no generation yet. So a missing
        pointer was lost.
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
        """The snapshot with this hash. Raises SnapshotDamagedError if it is damaged or gone, and
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
        """The content of the journal; None if there is none. Raises SnapshotDamagedError, and
        StoreError if it can't be read now. The module `journal` parses it."""
        return read_file(str(self.journal), self._trusts)

    def load_state(self) -> State:
        """The state; empty if there is none. Raises SnapshotDamagedError, and StoreError if it
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
        """The state; empty if there is none, or if it is damaged. Raises StoreError if it can't
        be read now."""
        from .state import State

        try:
            return self.load_state()
        except SnapshotDamagedError:
            return State()


def find_store(
    places: Iterable[str | os.PathLike[str]], trusts: Trust = anybody
) -> tuple[Store | None, Signature | None]:
    """The store that lookups read, and its signature; (None, None) if there is none.

    Looks in `places`, up to the first store that this process can write. Syncs skip stores that
    they can't write, such as an environment that was made as root. So among these stores, the
    one that was written last is taken; if some have a policy, only those count. Raises
    StoreError if a store can't be checked now.
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
    """The content of a pointer file. The checksum is CRC-32, in hexadecimal."""
    from attrs import asdict

    text = json.dumps(generation and asdict(generation), sort_keys=True).encode()
    return b"%08x %b" % (crc32(text), text)


def _known(cls: type[T], raw: Mapping[str, Any]) -> T:
    return cls(**{name: raw[name] for name in fields_dict(cls) if name in raw})
