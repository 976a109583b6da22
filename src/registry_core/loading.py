"""What a lookup serves: a pinned file, the stored generation, or the bundle. Writes nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from .errors import SnapshotDamagedError, StoreError
from .snapshot import Snapshot
from .store import Generation, Store

if TYPE_CHECKING:
    from .bundle import Bundle
    from .places import Places
    from .settings import Settings

logger = logging.getLogger("registry_core")


@frozen
class Loaded:
    """A snapshot and where it came from."""

    snapshot: Snapshot
    store: Store | None = None
    signature: tuple[int, int, int] | None = None
    """Of the store's pointer when it was read."""
    generation: Generation | None = None
    """What the pointer said, if it could be read."""
    origin: Literal["bundled", "stored", "explicit"] = "bundled"

    @property
    def current(self) -> bool:
        """Whether the store still says the same. One `stat`."""
        if self.store is None:
            return self.origin == "explicit"
        return self.signature is not None and self.store.signature() == self.signature


def load(
    settings: Settings, places: Places, bundle: Bundle, damaged: Collection[str] = ()
) -> Loaded:
    """Raises StoreError only for an explicit snapshot file; everything else ends in the bundle.

    `damaged`: hashes of snapshots in which a lookup met damage.
    """
    if settings.snapshot is not None:
        return Loaded(_explicit(settings), origin="explicit")
    store = next(
        (one for one in map(Store, places.stores(settings.store_dir)) if one.signature()), None
    )
    if store is None:
        logger.debug("no store yet: the bundled data is served")
        return Loaded(bundle.load())
    fault: StoreError | None = None
    for _ in range(2):  # a sync may replace the generation between the two reads
        signature = store.signature()
        try:
            generation = store.read_generation()
            if generation is None:
                break
            if _outdated(generation, store, bundle):
                logger.debug("the bundled data is newer than the stored generation")
                return Loaded(bundle.load(), store, signature, generation)
            if generation.snapshot in damaged:
                raise SnapshotDamagedError("is damaged", culprit=generation.snapshot)
            snapshot = store.open_snapshot(generation.snapshot)
            return Loaded(snapshot, store, signature, generation, "stored")
        except SnapshotDamagedError as error:
            fault = error
    if fault is not None:
        logger.warning("the bundled data is served until the next sync: %s", fault)
    return Loaded(bundle.load(), store, store.signature())


def _explicit(settings: Settings) -> Snapshot:
    assert settings.snapshot is not None
    mend = "REGISTRY_CORE_SNAPSHOT names it; make one with: registry-core export --format snapshot"
    try:
        return Snapshot.open(settings.snapshot)
    except SnapshotDamagedError as error:
        raise SnapshotDamagedError(error.message, culprit=error.culprit, mend=mend) from error
    except OSError as error:
        raise StoreError(
            error.strerror or str(error), culprit=str(settings.snapshot), mend=mend
        ) from error


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
    state = store.read_state().gateways
    return all(
        data.result is None
        or max(data.retrieved_at, (id in state and state[id].retrieved_at) or 0.0) < captured[id]
        for id, data in generation.gateways.items()
    )
