"""Writing the store. The caller holds its lock.

Objects first, each whole and synced to disk under the name of its hash; then the
pointer, replaced by rename; then `state.json`. A kill at any instant leaves the
old generation or the new one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .errors import StoreError
from .files import write_atomically
from .snapshot import Snapshot
from .store import Generation, State, Store, pointer_line

logger = logging.getLogger("registry_core")


def create(store: Store) -> None:
    """Make the store's folders. Raises StoreError if it can't be written."""
    try:
        (store.folder / "objects").mkdir(parents=True, exist_ok=True)
        if not os.access(store.folder, os.W_OK):
            raise PermissionError(f"{store.folder} is read-only")
    except OSError as error:
        raise StoreError(
            str(error), culprit=str(store.folder), mend="set REGISTRY_CORE_STORE_DIR to a folder"
        ) from error


def commit(store: Store, generation: Generation, objects: Iterable[Snapshot]) -> None:
    """Make `generation` current; `objects` are those of its snapshots that may be new."""
    previous = readable_generation(store)
    for snapshot in objects:
        path = store.object(snapshot.hash)
        if not path.exists():
            write_atomically(path, snapshot.to_bytes(), durable=True)
    write_atomically(store.pointer, pointer_line(generation), durable=True)
    logger.debug("store: generation %s is current", generation.snapshot[:12])
    # Readers that hold the previous pointer may still be about to open its snapshot.
    keep = generation.objects() | (previous.objects() if previous else set())
    for path in (store.folder / "objects").iterdir():
        if path.name not in keep:
            with suppress(OSError):  # mapped by a reader, on Windows: the next commit's
                path.unlink()


def save_state(store: Store, state: State) -> None:
    write_atomically(store.state, state.to_json().encode(), durable=True)


def quarantine(store: Store, path: Path) -> None:
    """Move a damaged file aside, where it can be looked at."""
    folder = store.folder / "quarantine"
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        os.replace(path, folder / path.name)
        logger.warning("store: %s was damaged and is now in %s", path.name, folder)


def readable_generation(store: Store) -> Generation | None:
    """The current generation, or None if there is none that can be read."""
    try:
        return store.read_generation()
    except StoreError:
        return None
