"""What a lookup serves: a pinned file, the stored generation, or the bundle. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from .errors import SnapshotDamagedError, StoreError
from .snapshot import Snapshot
from .store import Generation, Signature, Store, served

if TYPE_CHECKING:
    from logging import Logger
    from pathlib import Path

    from .bundle import Bundle
    from .places import Places
    from .settings import Settings


@frozen(eq=False, repr=False)  # as in `store`: quicker to import
class Loaded:
    """A snapshot and where it came from."""

    snapshot: Snapshot
    look: Callable[[], tuple[Store | None, Signature | None]] = lambda: (None, None)
    """Which store is to be read, and how its pointer looks, as of now."""
    store: Store | None = None
    signature: Signature | None = None
    """Of the store's pointer when it was read."""
    generation: Generation | None = None
    """What the pointer said, if it could be read."""
    origin: Literal["bundled", "stored", "explicit"] = "bundled"

    @property
    def current(self) -> bool:
        """Whether the store still says the same. One `stat`, if it can be written."""
        return self.look() == (self.store, self.signature)


def load(
    settings: Settings, places: Places, bundle: Bundle, damaged: Collection[str] = ()
) -> Loaded:
    """Raises StoreError only for an explicit snapshot file; everything else ends in the bundle.

    `damaged`: hashes of snapshots in which a lookup met damage.
    """
    if settings.snapshot is not None:
        return Loaded(open_explicit(settings.snapshot), origin="explicit")

    def look() -> tuple[Store | None, Signature | None]:
        return served(places.stores(settings.store_dir))

    store, signature = None, None
    fault: StoreError | None = None
    for _ in range(2):  # a sync may replace the generation between the two reads
        store, signature = look()
        try:
            generation = store.read_generation() if store else None
            if store is None or generation is None:
                _logger().debug("no store yet: the bundled data is served")
                return Loaded(bundle.load(), look)
            if _outdated(generation, store, bundle):
                _logger().debug("the bundled data is newer than the stored generation")
                return Loaded(bundle.load(), look, store, signature, generation)
            if generation.snapshot in damaged:
                raise SnapshotDamagedError("is damaged", culprit=generation.snapshot)
            snapshot = store.open_snapshot(generation.snapshot)
            return Loaded(snapshot, look, store, signature, generation, "stored")
        except SnapshotDamagedError as error:
            fault = error
    _logger().warning("the bundled data is served until the next sync: %s", fault)
    return Loaded(bundle.load(), look, store, signature)


def _logger() -> Logger:
    import logging  # here, since most lookups have nothing to tell

    return logging.getLogger("registry_core")


def open_explicit(path: Path) -> Snapshot:
    """The snapshot in a file of the user's choice. Raises StoreError, SnapshotDamagedError.

    It is read whole: unlike a stored one, it may be overwritten while it is served.
    """
    hint = "REGISTRY_CORE_SNAPSHOT names it; make one with: registry-core export --format snapshot"
    try:
        return Snapshot.from_bytes(path.read_bytes(), name=str(path))
    except SnapshotDamagedError as error:
        raise SnapshotDamagedError(error.message, culprit=error.culprit, hint=hint) from error
    except OSError as error:
        raise StoreError(error.strerror or str(error), culprit=str(path), hint=hint) from error


def _outdated(generation: Generation, store: Store, bundle: Bundle) -> bool:
    """The bundle is newer for every gateway of a generation that holds no other.

    An overlay would be lost with the generation, so one that had any is kept. The
    times in the state are newer than the pointer's, but only read when they matter.
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
