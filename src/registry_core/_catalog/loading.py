"""Choose what a lookup serves: a pinned file, the stored generation, or the bundle.

Writes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING

from .._base.warning import warn_once
from .._files.reading import read_file, unreadable
from ..errors import SnapshotDamagedError, StoreError
from .snapshot import Snapshot
from .store import Generation, Signature, Store, find_store

if TYPE_CHECKING:
    from logging import Logger
    from pathlib import Path
    from typing import Literal

    from .._base.defaults import Defaults
    from ..settings import Settings
    from .bundle import Bundle
    from .places import Places


class Loaded:
    """A snapshot and where it came from."""

    def __init__(
        self,
        snapshot: Snapshot,
        look: Callable[[], tuple[Store | None, Signature | None]] = lambda: (None, None),
        store: Store | None = None,
        signature: Signature | None = None,
        generation: Generation | None = None,
        origin: Literal["bundled", "stored", "explicit"] = "bundled",
        *,
        lasting: bool = True,
    ) -> None:
        self.snapshot = snapshot
        self.look = look
        """Returns the store to read and the signature of its pointer, as of now."""
        self.store = store
        self.signature = signature
        """Signature of the store's pointer when it was read."""
        self.generation = generation
        """Content of the pointer, if it could be read."""
        self.origin = origin
        self.lasting = lasting
        """False if something can't be read now, so that the next lookup tries again."""

    @property
    def current(self) -> bool:
        """Whether the store is unchanged. One `stat`, if the store can be written.

        Raises StoreError if that can't be checked now.
        """
        return self.look() == (self.store, self.signature)

    def for_now(self) -> Loaded:
        """The same, for one lookup: the next one tries again."""
        same = copy(self)
        same.lasting = False
        return same

    def without_volatile(self) -> Snapshot:
        """`snapshot` without volatile data, for use outside this machine. Raises StoreError, also
        while the previous snapshot is served, since its volatile parts are not known any more."""
        if self.store is None or self.generation is None or self.origin != "stored":
            return self.snapshot
        wanted = self.generation.lasting or self.generation.snapshot
        same = wanted == self.snapshot.hash
        return self.snapshot if same else self.store.open_snapshot(wanted)


def load(
    settings: Settings | Defaults,
    places: Places,
    bundle: Bundle,
    damaged: Collection[str] = (),
    last: Loaded | None = None,
) -> Loaded:
    """The data to serve now.

    `damaged`: hashes of snapshots in which a lookup found damage. `last`: what this process
    has served. If the stored data is damaged, the previous snapshot or the bundle is served.
    If it can't be read now, `last` or the bundle is served. But no policy has passed the
    bundle, so if a policy applies or may apply, it raises StoreError instead. It also raises
    StoreError for an explicit snapshot file that can't be used.
    """
    if settings.snapshot is not None:
        return Loaded(open_explicit(settings.snapshot), origin="explicit")

    def look() -> tuple[Store | None, Signature | None]:
        return find_store(places.stores(settings.store_dir), places.trusts(settings.store_dir))

    store: Store | None = None
    signature: Signature | None = None
    generation: Generation | None = None
    spare: str | None = None
    fault = StoreError("")
    for _ in range(2):  # a sync may replace the generation between the two reads
        try:
            store, signature = look()
            if store is None:
                passed = last and last.generation and last.generation.overlays
                if last and passed and last.snapshot.hash not in damaged:
                    warn_once("the store is gone, or out of reach: what was loaded is still served")
                    return last.for_now()
                _debug("no store yet: the bundled data is served")
                return Loaded(bundle.load(), look)
            generation = store.read_generation()
            _refuse_unpassed(store, generation)
            spare = generation.previous if generation else None
            if generation is None:  # removed since `look`
                return Loaded(bundle.load(), look)
            if _outdated(generation, store, bundle):
                _debug("the bundled data is newer than the stored generation")
                return Loaded(bundle.load(), look, store, signature, generation)
            snapshot = _open(store, generation.snapshot, damaged)
            return Loaded(snapshot, look, store, signature, generation, "stored")
        except StoreError as error:
            fault = error
        except (OSError, ImportError, MemoryError) as error:  # an import needs a descriptor, too
            fault = unreadable("the registry", error)
    if isinstance(fault, SnapshotDamagedError):
        if store and spare:
            with suppress(StoreError):
                snapshot = _open(store, spare, damaged)
                _logger().warning("the generation before is served until the next sync: %s", fault)
                return Loaded(snapshot, look, store, signature, generation, "stored")
    elif last is not None and last.snapshot.hash not in damaged and _may_serve(last, store):
        warn_once(f"what was loaded before is still served: {fault}")
        return last.for_now()
    lasting = isinstance(fault, SnapshotDamagedError)
    if store is None or store.may_have_policy() or (generation and generation.overlays):
        raise fault
    if lasting and generation is None and store.remembers_policy():
        raise fault
    warn = _logger().warning if lasting else warn_once
    warn(f"the bundled data is served until the next sync: {fault}")
    return Loaded(bundle.load(), look, store, signature, lasting=lasting)


def _may_serve(last: Loaded, store: Store | None) -> bool:
    """Whether `last` may be served: no policy can have come into force since."""
    if last.generation is not None and last.generation.overlays:
        return True  # under the policy that it has passed
    return store is None or not store.may_have_policy()


def _refuse_unpassed(store: Store, generation: Generation | None) -> None:
    """Raise SnapshotDamagedError if the generation has not passed the policy in force, because
    it is of another version, or was put back."""
    if store.may_serve(generation):
        return
    reason = "the generation is gone" if generation is None else "the generation is older than it"
    raise SnapshotDamagedError(
        f"a policy applies, and {reason}", culprit=str(store.pointer), hint="run registry-core sync"
    )


def _open(store: Store, hash: str, damaged: Collection[str]) -> Snapshot:
    if hash in damaged:
        raise SnapshotDamagedError("is damaged", culprit=hash, hint="run registry-core sync")
    return store.open_snapshot(hash)


def _logger() -> Logger:
    import logging  # here, since most lookups log nothing

    return logging.getLogger("registry_core")


def _debug(message: str) -> None:
    if "logging" in sys.modules:  # else nobody has enabled it
        _logger().debug(message)


_EXPLICIT = "REGISTRY_CORE_SNAPSHOT names it; make one with: registry-core export --format snapshot"


def open_explicit(path: Path, hint: str = _EXPLICIT, *, verify: bool = False) -> Snapshot:
    """The snapshot in a file that the user chose. Raises StoreError, SnapshotDamagedError.

    The file is read completely: unlike a stored snapshot, it may be overwritten while it is
    served. Lookups verify what they read. Use `verify` before using all of it.
    """
    try:
        data = read_file(str(path))
        if data is not None:
            snapshot = Snapshot.from_bytes(data, name=str(path))
            if verify:
                snapshot.verify()
            return snapshot
    except StoreError as error:
        raise type(error)(error.message, culprit=str(path), hint=hint) from error
    except MemoryError as error:
        raise unreadable(str(path), error) from error
    raise StoreError("is not there", culprit=str(path), hint=hint)


def _outdated(generation: Generation, store: Store, bundle: Bundle) -> bool:
    """Whether the bundle has newer data for every gateway of the generation.

    A generation under an overlay is never outdated, since the overlay would be lost. The
    times in the state are newer than those of the pointer, but are read only when needed.
    """
    if generation.overlays or not generation.gateways.keys() <= bundle.captured.keys():
        return False
    captured = bundle.captured
    if not any(data.retrieved_at < captured[id] for id, data in generation.gateways.items()):
        return False
    state = store.read_state()
    return all(
        data.result is None or state.confirmed(id, data.retrieved_at) < captured[id]
        for id, data in generation.gateways.items()
    )
